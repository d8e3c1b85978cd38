/* SPDX-License-Identifier: MIT */
/* Neutral requests and the exact requests to Cohere they become; its answers and streams as events,
 * at every split; its failures; embeddings. */
#include "encode_trace.h"
#include "event_trace.h"

#include "provider/cohere_int.h"

#define MODEL   "command-a-03-2025"
#define REASON  "command-a-reasoning-08-2025"
#define HI      "{'role':'user','content':'Hi'}"
#define CHAT(c) "{'model':'x','messages':[" HI "]" c "}"
#define BODY(b) "{'model':'command-a-03-2025','messages':[" HI "]" b "}"
#define TOOL(n) "{'type':'function','function':{'name':'" n "','parameters':{'type':'object'}}}"

static const struct gw_deployment deployment = {.base_path = {.ptr = "", .len = 0}};

static void check(const char *model, const char *chat, const char *body, const char *warning)
{
    encoded_check(&gw_api_cohere, &deployment, model, chat, body, warning);
}

static void refuse(const char *chat, const char *param)
{
    encoded_check_refused(&gw_api_cohere, &deployment, MODEL, chat, param);
}

static void test_plain_and_target(void **state)
{
    (void)state;
    struct encoded encoded;
    check(MODEL, CHAT(""), BODY(""), "");
    const struct gw_deployment old = {.base_path = GW_STR_INIT("/x/v1")};
    encoded_run(&encoded, &gw_api_cohere, &old, MODEL, CHAT(",'stream':true"), true);
    encoded_check_text("body", gw_buf_str(&encoded.call.body), BODY(",'stream':true"));
    encoded_check_text("target", encoded.call.target, "/x/v2/chat");
    encoded_check_text("accept", encoded.call.fields[1].value, "text/event-stream");
    encoded_fini(&encoded);
}

static void test_messages(void **state)
{
    (void)state;
    check(MODEL,
          "{'messages':[{'role':'developer','content':[{'type':'text','text':'A'},{'type':'text',"
          "'text':'B'}]}," HI ",{'role':'assistant','content':'Yo'},{'role':'assistant','content':"
          "null},{'role':'user','content':[{'type':'text','text':'See'},{'type':'image_url',"
          "'image_url':{'url':'https://x.example/a.png','detail':'low'}},{'type':'image_url',"
          "'image_url':'data:image/png;base64,AA=='}]}]}",
          "{'model':'command-a-03-2025','messages':[{'role':'system','content':'A\\nB'}," HI ",{"
          "'role':'assistant','content':'Yo'},{'role':'user','content':[{'type':'text','text':'See'"
          "},{'type':'image_url','image_url':{'url':'https://x.example/a.png','detail':'low'}},{"
          "'type':'image_url','image_url':{'url':'data:image/png;base64,AA=='}}]}]}",
          "");
    refuse("{'messages':[{'role':'user','content':[{'type':'input_audio'}]}]}",
           "messages[].content[].type");
    refuse("{'messages':[{'role':'user','content':[{'type':'file','file':{'file_id':'f'}}]}]}",
           "messages[].content[].type");
    refuse("{'messages':[{'role':'assistant','content':''}]}", "messages");
    refuse("{'messages':[{'role':'wizard','content':'x'}]}", "messages[].role");
    check(MODEL,
          "{'messages':[{'role':'user','content':'Hi','cache_control':{'type':'ephemeral'}}]}",
          BODY(""), "cache_control: dropped, Cohere caches by itself.");
}

#define CALLS                                                                                      \
    "{'role':'assistant','content':'I look','tool_calls':[{'id':'a','type':'function','function':" \
    "{'name':'get-weather','arguments':'{\\'c\\':1}'}},{'id':'b','type':'function','function':{"   \
    "'name':'9lives','arguments':''}},{'id':'c','type':'custom','custom':{'name':'patch','input':" \
    "'x\\ny'}}]}"
#define SENT_CALLS                                                                                 \
    "{'role':'assistant','tool_plan':'I "                                                          \
    "look','tool_calls':[{'id':'a','type':'function','function'"                                   \
    ":{'name':'get_weather_3b26142d','arguments':'{\\'c\\':1}'}},{'id':'b','type':'function','"    \
    "function':{"                                                                                  \
    "'name':'_9lives','arguments':'{}'}},{'id':'c','type':'function','function':{'name':'patch',"  \
    "'arguments':'{\\'input\\':\\'x\\\\ny\\'}'}}]}"

static void test_tools(void **state)
{
    (void)state;
    check(MODEL,
          "{'messages':[" HI "," CALLS ",{'role':'tool','tool_call_id':'a','content':'one'},{'role'"
          ":'tool','tool_call_id':'b','content':[{'type':'text','text':'two'},{'type':'text','text'"
          ":'lines'}],'is_error':true}],'tools':[" TOOL("get-weather") "," TOOL(
              "get_weather") ",{'type':'custom','custom':{'name':'patch','description':'P'}},{'"
                             "type':'web_search'}]}",
          "{'model':'command-a-03-2025','messages':[" HI "," SENT_CALLS ",{'role':'tool',"
          "'tool_call_id':'a','content':'one'},{'role':'tool','tool_call_id':'b','content':"
          "'two\\nlines'}],'tools':[" TOOL("get_weather_3b26142d") "," TOOL(
              "get_weather") ",{'type':'function','function':{'name':'patch','description'"
                             ":'P','parameters':{'type':"
                             "'object','properties':{'input':{'type':'string'}},'required'"
                             ":['input']}}}]}",
          "messages[].is_error: dropped, Cohere has no mark for a tool that failed; its text must "
          "say it.; tools[].type: dropped, Tools that run at their vendor are not at Cohere.");
    check(MODEL, CHAT(",'tools':[" TOOL("f") "," TOOL("g") "],'tool_choice':'required'"),
          BODY(",'tools':[" TOOL("f") "," TOOL("g") "],'tool_choice':'REQUIRED'"), "");
    check(MODEL, CHAT(",'tools':[" TOOL("f") "],'tool_choice':'none'"),
          BODY(",'tools':[" TOOL("f") "],'tool_choice':'NONE'"), "");
    check(MODEL, CHAT(",'tools':[" TOOL("f") "],'tool_choice':'auto'"),
          BODY(",'tools':[" TOOL("f") "]"), "");
    check(MODEL,
          CHAT(",'tools':[" TOOL("f") "," TOOL("g") "],'tool_choice':{'type':'function','function':"
                                                    "{'name':'g'}}"),
          BODY(",'tools':[" TOOL("g") "],'tool_choice':'REQUIRED'"), "");
    check(MODEL,
          CHAT(",'tools':[" TOOL("f") "," TOOL("g") "],'tool_choice':{'type':'allowed_tools',"
                                                    "'allowed_tools':{'mode':'auto','tools':[" TOOL(
                                                        "f") "]}}"),
          BODY(",'tools':[" TOOL("f") "]"), "");
    check(MODEL, CHAT(",'tools':[{'type':'function','function':{'name':'f','strict':true}}]"),
          BODY(",'tools':[{'type':'function','function':{'name':'f','parameters':{'type':'object',"
               "'properties':{}}}}],'strict_tools':true"),
          "");
}

static void test_options(void **state)
{
    (void)state;
    check(
        MODEL,
        CHAT(",'max_tokens':9,'temperature':1.7,'top_p':1,'top_k':600,'stop':['a','b','c','d','e'"
             ",'f'],'seed':7,'frequency_penalty':-1,'presence_penalty':0.5"),
        BODY(",'max_tokens':9,'temperature':1,'k':500,'presence_penalty':0.5,'seed':7,"
             "'stop_sequences':['a','b','c','d','e']"),
        "temperature: changed, Set to the nearest that Cohere takes.; top_k: changed, Set to the "
        "nearest that Cohere takes.; frequency_penalty: dropped, Cohere takes one penalty, from 0 "
        "to 1.; stop: changed, Cohere takes five stop sequences; the first were taken.");
    check(MODEL, CHAT(",'top_p':0,'stop':'x'"), BODY(",'p':0.01,'stop_sequences':['x']"),
          "top_p: changed, Set to the nearest that Cohere takes.");
    check(MODEL, CHAT(",'user':'u','logprobs':true,'store':false,'parallel_tool_calls':true"),
          BODY(""),
          "user: dropped, Cohere has nothing like it.; logprobs: dropped, Cohere has nothing like "
          "it.");
    check(MODEL, CHAT(",'documents':[{'data':{'a':1}}],'safety_mode':'OFF'"),
          BODY(",'documents':[{'data':{'a':1}}],'safety_mode':'OFF'"), "");
    refuse(CHAT(",'n':3"), "n");
    const char *schema = ",'response_format':{'type':'json_schema','json_schema':{'name':'r',"
                         "'strict':true,'schema':{'type':'object','properties':{}}}}";
    char chat[1024];
    snprintf(chat, sizeof(chat), "{'messages':[" HI "]%s}", schema);
    check(MODEL, chat,
          BODY(",'response_format':{'type':'json_object','json_schema':{'type':'object',"
               "'properties':{}}}"),
          "");
    snprintf(chat, sizeof(chat), "{'messages':[" HI "],'tools':[" TOOL("f") "]%s}", schema);
    check(MODEL, chat, BODY(",'tools':[" TOOL("f") "]"),
          "response_format: dropped, Cohere takes no format together with tools or documents.");
    check(MODEL, CHAT(",'response_format':{'type':'json_object'}"),
          BODY(",'response_format':{'type':'json_object'}"), "");
}

static void test_reasoning(void **state)
{
    (void)state;
#define THINKS(t) "{'model':'command-a-reasoning-08-2025','messages':[" HI "],'thinking':{" t "}}"
    check(REASON, CHAT(",'reasoning_effort':'high'"),
          THINKS("'type':'enabled','token_budget':16384"), "");
    check(REASON, CHAT(",'reasoning_effort':'none'"), THINKS("'type':'disabled'"), "");
    check(REASON, CHAT(",'thinking':{'type':'enabled','budget_tokens':5000}"),
          THINKS("'type':'enabled','token_budget':5000"), "");
    check(REASON, CHAT(",'thinking':{'type':'adaptive'}"), THINKS("'type':'enabled'"), "");
    check(MODEL, CHAT(",'reasoning_effort':'high'"), BODY(""),
          "reasoning_effort: dropped, The model does not reason.");
    check(REASON,
          "{'messages':[" HI ",{'role':'assistant','content':'Yo','reasoning_content':'Hm'}," HI
          "]}",
          "{'model':'command-a-reasoning-08-2025','messages':[" HI ",{'role':'assistant','content':"
          "[{'type':'thinking','thinking':'Hm'},{'type':'text','text':'Yo'}]}," HI "]}",
          "");
}

/* A longer conversation's bytes begin with the shorter one's. */
static void test_prefixes(void **state)
{
    (void)state;
    static const char *const turns[] = {HI, CALLS,
                                        "{'role':'tool','tool_call_id':'a','content':'one'}",
                                        "{'role':'assistant','content':'Ok'}", HI};
    char chat[4096] = "{'messages':[{'role':'system','content':'S'}";
    char last[4096] = "";
    for (size_t i = 0; i < GW_ARRAY_LEN(turns); i++) {
        char whole[4096];
        struct encoded encoded;
        size_t len = strlen(chat);
        snprintf(chat + len, sizeof(chat) - len, ",%s", turns[i]);
        snprintf(whole, sizeof(whole), "%s],'tools':[" TOOL("get-weather") "]}", chat);
        encoded_run(&encoded, &gw_api_cohere, &deployment, MODEL, whole, false);
        assert_int_equal(encoded.err, GW_OK);
        struct gw_str body = gw_buf_str(&encoded.call.body);
        assert_true(gw_str_has_prefix(body, gw_str_from_c(last)));
        size_t end = gw_str_find(body, GW_STR("],\"tools\""));
        assert_true(end < body.len);
        snprintf(last, sizeof(last), GW_STR_FMT, (int)end, body.ptr);
        encoded_fini(&encoded);
    }
}

/* ---- answers ---- */

static const struct gw_decoder_opts stream = {.mode = GW_DECODE_STREAM,
                                              .upstream_model = GW_STR_INIT("m")};
static const struct gw_decoder_opts plain = {.mode = GW_DECODE_PLAIN,
                                             .upstream_model = GW_STR_INIT("m")};

#define START "start id=29f1 model=m created=0\n"
/* cohere.md section 4, literally. */
#define MESSAGE_START                                                                              \
    "event: message-start\n"                                                                       \
    "data: {\"id\":\"29f1\",\"type\":\"message-start\",\"delta\":{\"message\":{\"role\":"          \
    "\"assistant\",\"content\":[],\"tool_plan\":\"\",\"tool_calls\":[],\"citations\":[]}}}\n\n"
#define MESSAGE_END                                                                                \
    "event: message-end\n"                                                                         \
    "data: {\"type\":\"message-end\",\"delta\":{\"finish_reason\":\"COMPLETE\",\"usage\":{"        \
    "\"billed_units\":{\"input_tokens\":3,\"output_tokens\":1},\"tokens\":{\"input_tokens\":69,"   \
    "\"output_tokens\":3}}}}\n\n"
#define USAGE       "usage in=69 cached=0 written=0 out=3 reasoning=0\n"
#define EVENT(j)    "data: {" j "}\n\n"
#define DELTA(t, m) EVENT("\"type\":\"" t "\",\"index\":0,\"delta\":{\"message\":{" m "}}")

static void test_page_stream(void **state)
{
    (void)state;
    const char *text = MESSAGE_START
        "event: content-start\n"
        "data: {\"type\":\"content-start\",\"index\":0,\"delta\":{\"message\":{\"content\":{"
        "\"type\":\"text\",\"text\":\"\"}}}}\n\n"
        "event: content-delta\n"
        "data: {\"type\":\"content-delta\",\"index\":0,\"delta\":{\"message\":{\"content\":{"
        "\"text\":\"Hi\"}}}}\n\n"
        "event: content-end\n"
        "data: {\"type\":\"content-end\",\"index\":0}\n\n" MESSAGE_END;
    char done[4096];
    trace_all(&gw_api_cohere, stream, text, GW_OK,
              START "text text=Hi\nfinish stop\n" USAGE "end\n");
    snprintf(done, sizeof(done), "%sdata: [DONE]\n\n", text);
    trace_all(&gw_api_cohere, stream, done, GW_OK,
              START "text text=Hi\nfinish stop\n" USAGE "end\n");
}

static void test_tool_stream(void **state)
{
    (void)state;
    struct gw_tool_name entries[] = {
        {.client = GW_STR("get-weather"), .sent = GW_STR("get_weather")},
        {.client = GW_STR("patch"), .sent = GW_STR("patch"), .is_custom = true}};
    const struct gw_tool_names names = {.entries = entries, .count = 2};
    struct gw_decoder_opts opts = stream;
    opts.memory = &names;
#define CALL(id, name)                                                                             \
    DELTA("tool-call-start",                                                                       \
          "\"tool_calls\":{\"id\":\"" id "\",\"type\":\"function\",\"function\""                   \
          ":{\"name\":\"" name "\",\"arguments\":\"\"}}")
#define ARGUMENTS(a)                                                                               \
    DELTA("tool-call-delta", "\"tool_calls\":{\"function\":{\"arguments\":\"" a "\"}}")
    trace_all(&gw_api_cohere, opts,
              MESSAGE_START DELTA("tool-plan-delta", "\"tool_plan\":\"I look\"")
                  CALL("a", "get_weather") ARGUMENTS("{\\\"c\\\":") ARGUMENTS("1}")
                      EVENT("\"type\":\"tool-call-end\",\"index\":0") CALL("b", "g")
                          EVENT("\"type\":\"tool-call-end\",\"index\":1") CALL("c", "patch")
                              ARGUMENTS("{\\\"input\\\":") ARGUMENTS("\\\"x\\\"}")
                                  EVENT("\"type\":\"message-end\",\"delta\":{\"finish_reason\":"
                                        "\"TOOL_CALL\"}"),
              GW_OK,
              START "text text=I look\n"
                    "tool_begin 0 id=a name=get-weather\ntool_arguments 0 text={\\\"c\\\":\n"
                    "tool_arguments 0 text=1}\ntool_end 0\n"
                    "tool_begin 1 id=b name=g\ntool_arguments 1 text={}\ntool_end 1\n"
                    "tool_begin 2 id=c name=patch custom\ntool_arguments 2 text=x\ntool_end 2\n"
                    "finish tool_calls\nend\n");
}

static void test_reasoning_and_citations(void **state)
{
    (void)state;
    trace_all(&gw_api_cohere, stream,
              MESSAGE_START DELTA("content-start",
                                  "\"content\":{\"type\":\"thinking\",\"thinking\":\"\"}")
                  DELTA("content-delta", "\"content\":{\"thinking\":\"Hm\"}")
                      DELTA("content-delta", "\"content\":{\"text\":\"\xe2\x82\xac\"}")
                          DELTA("citation-start",
                                "\"citations\":{\"start\":1,\"end\":2,\"text\":\"x\",\"sources\":[{"
                                "\"type\":\"tool\"},{\"type\":\"document\",\"document\":{\"url\":"
                                "\"https://x.example\",\"title\":\"T\"}}]}")
                              DELTA("citation-start", "\"citations\":{\"sources\":[]}")
                                  EVENT("\"type\":\"debug\",\"prompt\":\"p\"") EVENT(
                                      "\"type\":\"message-end\",\"delta\":{\"finish_reason\":"
                                      "\"MAX_TOKENS\",\"usage\":{\"billed_units\":{\"input_tokens\""
                                      ":3,\"output_tokens\":1},\"cached_tokens\":2}}"),
              GW_OK,
              START "reasoning text=Hm\ntext text=\xe2\x82\xac\n"
                    "annotation json={\\\"type\\\":\\\"url_citation\\\",\\\"url_citation\\\":{"
                    "\\\"url\\\":\\\"https://x.example\\\",\\\"title\\\":\\\"T\\\",\\\"start_index"
                    "\\\":1,\\\"end_index\\\":2}}\nfinish length\n"
                    "usage in=3 cached=2 written=0 out=1 reasoning=0\nend\n");
}

static void test_streams_that_fail(void **state)
{
    (void)state;
    trace_all(&gw_api_cohere, stream,
              MESSAGE_START EVENT("\"type\":\"message-end\",\"delta\":{\"finish_reason\":\"ERROR\","
                                  "\"error\":\"Boom\"}"),
              GW_OK, START "error upstream 502 retry=1 fallback=1 message=Boom\nend\n");
    trace_all(&gw_api_cohere, stream,
              MESSAGE_START EVENT("\"type\":\"message-end\",\"delta\":{\"finish_reason\":"
                                  "\"TIMEOUT\"}"),
              GW_OK,
              START "error timeout 504 retry=1 fallback=1 message=Cohere stopped with an error.\n"
                    "end\n");
    trace_all(&gw_api_cohere, stream, "data: {\"message\":\"no\"}\n\n" MESSAGE_END, GW_OK,
              "error upstream 502 retry=1 fallback=1 message=no\nend\n");
    trace_all(&gw_api_cohere, stream, MESSAGE_START, GW_ERR_EOF, START);
    trace_all(&gw_api_cohere, stream, MESSAGE_START "data: {\"type\":\"cont", GW_ERR_EOF, START);
    trace_all(&gw_api_cohere, stream, "", GW_ERR_EOF, "");
    trace_all(&gw_api_cohere, stream, MESSAGE_START "data: {]\n\n" MESSAGE_END, GW_ERR_PROTOCOL,
              START);
    trace_all(&gw_api_cohere, stream, MESSAGE_START ARGUMENTS("x"), GW_ERR_PROTOCOL, START);
}

static void test_plain_answers(void **state)
{
    (void)state;
    /* cohere.md section 3. */
    trace_all(&gw_api_cohere, plain,
              "{\"id\":\"29f1\",\"message\":{\"role\":\"assistant\",\"content\":[{\"type\":\"text\""
              ",\"text\":\"Hi\"}]},\"finish_reason\":\"COMPLETE\",\n \"usage\":{\"billed_units\":{"
              "\"input_tokens\":3,\"output_tokens\":1},\"tokens\":{\"input_tokens\":69,"
              "\"output_tokens\":3},\"cached_tokens\":0}}",
              GW_OK, START "text text=Hi\nfinish stop\n" USAGE "end\n");
    trace_all(&gw_api_cohere, plain,
              "{\"id\":\"29f1\",\"message\":{\"tool_plan\":\"I look\",\"content\":[{\"type\":"
              "\"thinking\",\"thinking\":\"Hm\"}],\"tool_calls\":[{\"id\":\"a\",\"type\":"
              "\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"null\"}},{\"id\":\"b\","
              "\"function\":{\"name\":\"g\",\"arguments\":\"{\\\"x\\\":1}\"}}]},\"finish_reason\":"
              "\"TOOL_CALL\"}",
              GW_OK,
              START "text text=I look\nreasoning text=Hm\ntool_begin 0 id=a name=f\n"
                    "tool_arguments 0 text={}\ntool_end 0\ntool_begin 1 id=b name=g\n"
                    "tool_arguments 1 text={\\\"x\\\":1}\ntool_end 1\nfinish tool_calls\nend\n");
    trace_all(&gw_api_cohere, plain,
              "{\"id\":\"29f1\",\"message\":{\"content\":[{\"text\":\"Half\"}]},\"finish_reason\":"
              "\"TIMEOUT\"}",
              GW_OK, START "text text=Half\nfinish stop\nend\n");
    trace_all(&gw_api_cohere, plain, "{\"id\":\"29f1\",\"message\":{},\"finish_reason\":\"ERROR\"}",
              GW_OK,
              START "error upstream 502 retry=1 fallback=1 message=Cohere stopped with an error.\n"
                    "end\n");
    trace_all(&gw_api_cohere, plain, "{\"message\":\"x\"}", GW_ERR_PROTOCOL, "");
    trace_all(&gw_api_cohere, plain, "", GW_ERR_PROTOCOL, "");
}

/* ---- errors ---- */

static void check_error(unsigned status, const char *body, const char *expected)
{
    struct gw_arena arena;
    struct gw_error error;
    struct gw_buf text;
    gw_arena_init(&arena, NULL, 0, 4096, 65536);
    gw_buf_init(&text, 65536);
    gw_api_cohere.read_error(status, NULL, 0, gw_str_from_c(body), &arena, &error);
    trace_error(&text, &error);
    (void)gw_buf_append_byte(&text, '\0');
    assert_string_equal(text.ptr, expected);
    gw_buf_fini(&text);
    gw_arena_fini(&arena);
}

static void test_errors(void **state)
{
    (void)state;
    check_error(400, "{\"message\":\"too many tokens: 9\"}",
                " client 400 retry=0 fallback=1 code=context_length_exceeded message=too many "
                "tokens: 9");
    check_error(422, "{\"id\":\"1\",\"message\":\"bad\"}",
                " client 422 retry=0 fallback=0 message=bad");
    check_error(498, "{\"message\":\"blocked\"}",
                " client 400 retry=0 fallback=0 code=content_filter message=blocked");
    check_error(402, "{\"message\":\"pay\"}",
                " upstream 402 retry=0 fallback=1 code=upstream_billing_error message=pay");
    check_error(404, "{\"message\":\"no model\"}",
                " upstream 404 retry=0 fallback=1 code=model_not_found message=no model");
    check_error(429, "{\"message\":\"slow down\"}",
                " limit 429 retry=1 fallback=1 code=rate_limit_exceeded message=slow down");
    check_error(429, "{\"message\":\"Trial key: 1000 API calls / month\"}",
                " limit 429 retry=0 fallback=1 code=rate_limit_exceeded message=Trial key: 1000 "
                "API calls / month");
    check_error(501, "nonsense", " upstream 501 retry=0 fallback=1");
    check_error(503, "", " upstream 503 retry=1 fallback=1");
    struct gw_arena arena;
    struct gw_error error;
    gw_arena_init(&arena, NULL, 0, 4096, 65536);
    gw_api_cohere.read_error(401, NULL, 0, GW_STR("{\"message\":\"invalid api token\"}"), &arena,
                             &error);
    assert_int_equal(error.status, 502);
    assert_true(gw_str_eq(error.detail, GW_STR("invalid api token")));
    gw_arena_fini(&arena);
}

/* ---- embeddings ---- */

static void test_embeddings(void **state)
{
    (void)state;
    struct gw_arena arena;
    struct gw_notes notes;
    struct gw_error error;
    struct gw_json_reader reader;
    yyjson_val *root = NULL;
    struct gw_provider_call call = {0};
    struct gw_buf out;
    struct gw_usage usage = {0};
    gw_arena_init(&arena, NULL, 0, 4096, 65536);
    gw_notes_init(&notes, &arena, false, &error);
    gw_buf_init(&call.body, 65536);
    gw_buf_init(&out, 65536);
    gw_json_reader_init(&reader, 65536);
    const struct gw_provider_input in = {.deployment = &deployment,
                                         .upstream_model = GW_STR("embed-v4.0"),
                                         .arena = &arena,
                                         .notes = &notes};
    assert_int_equal(
        gw_json_read(&reader, GW_STR("{\"input\":[\"a\",\"b\"],\"dimensions\":256}"), &root),
        GW_OK);
    assert_int_equal(gw_api_cohere.encode_embeddings(&in, root, &call), GW_OK);
    encoded_check_text("body", gw_buf_str(&call.body),
                       "{'model':'embed-v4.0','texts':['a','b'],'input_type':'search_document',"
                       "'embedding_types':['float'],'output_dimension':256}");
    encoded_check_text("target", call.target, "/v2/embed");
    assert_int_equal(gw_json_read(&reader, GW_STR("{\"input\":[1,2]}"), &root), GW_OK);
    assert_int_equal(gw_api_cohere.encode_embeddings(&in, root, &call), GW_ERR_INVALID);
    assert_int_equal(gw_api_cohere.decode_embeddings(
                         GW_STR("{\"id\":\"x\",\"embeddings\":{\"float\":[[0.5,-1],[2,3.25]]},"
                                "\"meta\":{\"billed_units\":{\"input_tokens\":7}}}"),
                         GW_STR("embed-v4.0"), &usage, &out),
                     GW_OK);
    encoded_check_text("answer", gw_buf_str(&out),
                       "{'object':'list','data':[{'object':'embedding','index':0,'embedding':[0.5,"
                       "-1]},{'object':'embedding','index':1,'embedding':[2,3.25]}],'model':"
                       "'embed-v4.0','usage':{'prompt_tokens':7,'total_tokens':7}}");
    assert_int_equal(usage.input_tokens, 7);
    assert_int_equal(gw_api_cohere.decode_embeddings(GW_STR("{}"), GW_STR("m"), &usage, &out),
                     GW_ERR_PROTOCOL);
    gw_json_reader_fini(&reader);
    gw_buf_fini(&out);
    gw_buf_fini(&call.body);
    gw_arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain_and_target),
        cmocka_unit_test(test_messages),
        cmocka_unit_test(test_tools),
        cmocka_unit_test(test_options),
        cmocka_unit_test(test_reasoning),
        cmocka_unit_test(test_prefixes),
        cmocka_unit_test(test_page_stream),
        cmocka_unit_test(test_tool_stream),
        cmocka_unit_test(test_reasoning_and_citations),
        cmocka_unit_test(test_streams_that_fail),
        cmocka_unit_test(test_plain_answers),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_embeddings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
