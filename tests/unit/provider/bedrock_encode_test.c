/* SPDX-License-Identifier: MIT */
/* Neutral requests and the exact Converse requests they become. */
#include "encode_trace.h"

#include "provider/bedrock_int.h"

#define CLAUDE "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
#define OLD    "anthropic.claude-3-7-sonnet-20250219-v1:0"
#define NEW    "global.anthropic.claude-sonnet-5-5"
#define NOVA   "amazon.nova-pro-v1:0"
#define LLAMA  "meta.llama3-3-70b-instruct-v1:0"
#define OSS    "openai.gpt-oss-120b-1:0"

#define HI      "{'role':'user','content':'Hi'}"
#define SENT_HI "{'role':'user','content':[{'text':'Hi'}]}"
#define BODY(b) "{'messages':[" SENT_HI "]" b "}"
#define CHAT(c) "{'model':'m','messages':[" HI "]" c "}"
#define TOOL(n) "{'type':'function','function':{'name':'" n "','parameters':{'type':'object'}}}"
#define SPEC(n) "{'toolSpec':{'name':'" n "','inputSchema':{'json':{'type':'object'}}}}"
#define EMPTY(n)                                                                                   \
    "{'toolSpec':{'name':'" n "','inputSchema':{'json':{'type':'object','properties':{}}}}}"

static const struct gw_deployment deployment = {.base_path = {.ptr = "", .len = 0}};

static void check(const char *model, const char *chat, const char *body, const char *warning)
{
    encoded_check(&gw_api_bedrock, &deployment, model, chat, body, warning);
}

static void refuse(const char *model, const char *chat, const char *param)
{
    encoded_check_refused(&gw_api_bedrock, &deployment, model, chat, param);
}

static void test_plain_and_target(void **state)
{
    (void)state;
    struct encoded encoded;
    encoded_run(&encoded, &gw_api_bedrock, &deployment, "anthropic.claude-haiku-4-5-20251001-v1:0",
                CHAT(""), false);
    assert_int_equal(encoded.err, GW_OK);
    /* bedrock.md section 6: the example's body. */
    encoded_check_text("body", gw_buf_str(&encoded.call.body), BODY(""));
    encoded_check_text("target", encoded.call.target,
                       "/model/anthropic.claude-haiku-4-5-20251001-v1%3A0/converse");
    encoded_check_text("method", encoded.call.method, "POST");
    assert_int_equal(encoded.call.field_count, 2);
    encoded_check_text("accept", encoded.call.fields[1].value, "application/json");
    encoded_fini(&encoded);
    const struct gw_deployment under = {.base_path = GW_STR_INIT("/base")};
    encoded_run(&encoded, &gw_api_bedrock, &under,
                "arn:aws:bedrock:us-east-1:1:inference-profile/us.anthropic.claude-opus-4-6-v1",
                CHAT(",'stream':true,'stream_options':{'include_usage':true}"), true);
    encoded_check_text("target", encoded.call.target,
                       "/base/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Ainference-profile"
                       "%2Fus.anthropic.claude-opus-4-6-v1/converse-stream");
    encoded_check_text("accept", encoded.call.fields[1].value,
                       "application/vnd.amazon.eventstream");
    encoded_check_text("body", gw_buf_str(&encoded.call.body), BODY(""));
    encoded_check_text("warning", gw_notes_warning(&encoded.notes), "");
    encoded_fini(&encoded);
    encoded_run(&encoded, &gw_api_bedrock, &deployment, "us-west-2/" NOVA, CHAT(""), false);
    encoded_check_text("target", encoded.call.target, "/model/amazon.nova-pro-v1%3A0/converse");
    encoded_fini(&encoded);
}

static void test_system(void **state)
{
    (void)state;
    check(
        CLAUDE,
        "{'messages':[{'role':'system','content':'A'},{'role':'developer','content':[{'type':"
        "'text','text':'B','cache_control':{'type':'ephemeral','ttl':'1h'}}]}," HI "]}",
        BODY(",'system':[{'text':'A'},{'text':'B'},{'cachePoint':{'type':'default','ttl':'1h'}}]"),
        "");
    check(CLAUDE, "{'messages':[" HI ",{'role':'system','content':'Late'}]}",
          BODY(",'system':[{'text':'Late'}]"),
          "messages[].role: changed, System messages between others were moved to the system "
          "prompt.");
    check(CLAUDE, "{'messages':[{'role':'system','content':' '}," HI "]}", BODY(""), "");
}

static void test_turns(void **state)
{
    (void)state;
    check(CLAUDE,
          "{'messages':[" HI ",{'role':'assistant','content':'Yo'},{'role':'user','content':'a'},"
          "{'role':'user','content':[{'type':'text','text':'b'},{'type':'text','text':''}]}]}",
          "{'messages':[" SENT_HI ",{'role':'assistant','content':[{'text':'Yo'}]},"
          "{'role':'user','content':[{'text':'a'},{'text':'b'}]}]}",
          "");
    /* Empty messages vanish, and what stood around them grows together. */
    check(CLAUDE,
          "{'messages':[" HI ",{'role':'assistant','content':''},{'role':'assistant','content':"
          "null},{'role':'user','content':'b'}]}",
          "{'messages':[{'role':'user','content':[{'text':'Hi'},{'text':'b'}]}]}", "");
    check(CLAUDE, "{'messages':[{'role':'assistant','content':'Yo'}," HI "]}",
          "{'messages':[{'role':'user','content':[{'text':'.'}]},{'role':'assistant','content':[{"
          "'text':'Yo'}]}," SENT_HI "]}",
          "messages: changed, A user message '.' was put in front: Bedrock's conversations begin "
          "with the user.");
    refuse(CLAUDE, "{'messages':[]}", "messages");
    refuse(CLAUDE, "{'messages':[{'role':'user','content':' '}]}", "messages");
    refuse(CLAUDE, "{'messages':[{'role':'wizard','content':'x'}]}", "messages[].role");
}

static void test_tools(void **state)
{
    (void)state;
    check(CLAUDE,
          CHAT(",'tools':[{'type':'function','function':{'name':'get_weather','description':'W',"
               "'parameters':{'type':'object','properties':{'city':{'type':'string'}}},'strict':"
               "true}}],'tool_choice':'auto'"),
          BODY(",'toolConfig':{'tools':[{'toolSpec':{'name':'get_weather','description':'W',"
               "'inputSchema':{'json':{'type':'object','properties':{'city':{'type':'string'}}}},"
               "'strict':true}}],'toolChoice':{'auto':{}}}"),
          "");
    check(CLAUDE, CHAT(",'tools':[" TOOL("f") "],'tool_choice':'required'"),
          BODY(",'toolConfig':{'tools':[" SPEC("f") "],'toolChoice':{'any':{}}}"), "");
    check(
        CLAUDE,
        CHAT(",'tools':[" TOOL("f") "],'tool_choice':{'type':'function','function':{'name':'f'}}"),
        BODY(",'toolConfig':{'tools':[" SPEC("f") "],'toolChoice':{'tool':{'name':'f'}}}"), "");
    check(CLAUDE, CHAT(",'tools':[" TOOL("f") "],'tool_choice':'none'"), BODY(""), "");
    check(CLAUDE,
          CHAT(",'tools':[" TOOL("f") "," TOOL("g") "],'tool_choice':{'type':'allowed_tools',"
                                                    "'allowed_tools':{'mode':'required','tools':[{'"
                                                    "type':'function','function':{'name':"
                                                    "'g'}}]}}"),
          BODY(",'toolConfig':{'tools':[" SPEC("g") "],'toolChoice':{'any':{}}}"), "");
    check(CLAUDE, CHAT(",'tools':[{'type':'web_search'}," TOOL("f") "]"),
          BODY(",'toolConfig':{'tools':[" SPEC("f") "]}"),
          "tools[].type: dropped, Tools that run at their vendor are not on Bedrock.");
    check(CLAUDE,
          CHAT(",'tools':[{'type':'function','function':{'name':'f'},'cache_control':{"
               "'type':'ephemeral'}}]"),
          BODY(",'toolConfig':{'tools':[" EMPTY("f") ",{'cachePoint':{'type':'default'}}]}"), "");
}

#define CALLS                                                                                      \
    "{'role':'assistant','content':'On it','tool_calls':[{'id':'call_1','type':'function',"        \
    "'function':{'name':'f','arguments':'{\\'a\\': 1}'}},{'id':'call 2','type':'function',"        \
    "'function':{'name':'g','arguments':''}}]}"
#define RESULTS                                                                                    \
    "{'role':'tool','tool_call_id':'call_1','content':'one'},{'role':'tool','tool_call_id':"       \
    "'call 2','content':'','is_error':true}"
#define SENT_CALLS                                                                                 \
    "{'role':'assistant','content':[{'text':'On it'},{'toolUse':{'toolUseId':'call_1','name':"     \
    "'f','input':{'a': 1}}},{'toolUse':{'toolUseId':'call_9593b3995d85231b','name':'g','input':"   \
    "{}}}]}"
#define SENT_RESULTS                                                                               \
    "{'toolResult':{'toolUseId':'call_1','content':[{'text':'one'}]}},{'toolResult':{'toolUseId'"  \
    ":'call_9593b3995d85231b','content':[{'text':'(empty)'}],'status':'error'}}"

static void test_tool_history(void **state)
{
    (void)state;
    check(CLAUDE,
          "{'messages':[" HI "," CALLS "," RESULTS
          ",{'role':'user','content':'Go on'}],'tools':[" TOOL("f") "," TOOL("g") "]}",
          "{'messages':[" SENT_HI "," SENT_CALLS ",{'role':'user','content':[" SENT_RESULTS
          ",{'text':'Go on'}]}],'toolConfig':{'tools':[" SPEC("f") "," SPEC("g") "]}}",
          "");
    /* The client sends no tools any more. */
    check(CLAUDE, "{'messages':[" HI "," CALLS "," RESULTS "]}",
          "{'messages':[" SENT_HI "," SENT_CALLS ",{'role':'user','content':[" SENT_RESULTS
          "]}],'toolConfig':{'tools':[" EMPTY("f") "," EMPTY("g") "]}}",
          "");
    check(CLAUDE,
          "{'messages':[" HI "," CALLS "," RESULTS "],'tools':[" TOOL("f") "],'tool_choice':"
                                                                           "'none'}",
          "{'messages':[" SENT_HI "," SENT_CALLS ",{'role':'user','content':[" SENT_RESULTS
          "]}],'system':[{'text':'Answer without calling a tool.'}],'toolConfig':{'tools':[" SPEC(
              "f") "]}}",
          "tool_choice: changed, 'none' became an instruction in the system prompt: the "
          "conversation holds tool calls, so Bedrock wants the tools.");
    /* Llama's results have no status; arguments that are no object are told. */
    check(LLAMA,
          "{'messages':[" HI ",{'role':'assistant','tool_calls':[{'id':'a','type':'function',"
          "'function':{'name':'f','arguments':'oops'}}]},{'role':'tool','tool_call_id':'a',"
          "'content':[{'type':'text','text':'x'}],'is_error':true}],'tools':[" TOOL("f") "]}",
          "{'messages':[" SENT_HI ",{'role':'assistant','content':[{'toolUse':{'toolUseId':'a',"
          "'name':'f','input':{}}}]},{'role':'user','content':[{'toolResult':{'toolUseId':'a',"
          "'content':[{'text':'x'}]}}]}],'toolConfig':{'tools':[" SPEC("f") "]}}",
          "messages[].tool_calls[].arguments: changed, Arguments that are no JSON object were "
          "replaced by an empty one.");
}

static void test_tool_names(void **state)
{
    (void)state;
    struct encoded encoded;
    encoded_run(&encoded, &gw_api_bedrock, &deployment, CLAUDE,
                "{'messages':[" HI ",{'role':'assistant','tool_calls':[{'id':'a','type':'custom',"
                "'custom':{'name':'apply.patch','input':'*** x'}}]},{'role':'tool','tool_call_id':"
                "'a','content':'ok'}],'tools':[{'type':'custom','custom':{'name':'apply.patch',"
                "'description':'P'}}," TOOL("apply_patch") "," TOOL("ns.f") "]}",
                false);
    encoded_check_text(
        "body", gw_buf_str(&encoded.call.body),
        "{'messages':[" SENT_HI ",{'role':'assistant','content':[{'toolUse':{'toolUseId':'a',"
        "'name':'apply_patch_1b2c9b38','input':{'input':'*** "
        "x'}}}]},{'role':'user','content':[{'toolResult'"
        ":{'toolUseId':'a','content':[{'text':'ok'}]}}]}],'toolConfig':{'tools':[{'toolSpec':{"
        "'name':'apply_patch_1b2c9b38','description':'P','inputSchema':{'json':{'type':'object','"
        "properties'"
        ":{'input':{'type':'string'}},'required':['input']}}}}," SPEC("apply_patch") "," SPEC(
            "ns_f") "]}}");
    encoded_fini(&encoded);
}

static void test_images_and_files(void **state)
{
    (void)state;
    check(CLAUDE,
          "{'messages':[{'role':'user','content':[{'type':'text','text':'See'},{'type':'image_url',"
          "'image_url':{'url':'data:image/jpeg;base64,/9j/','detail':'low'},'cache_control':{'type'"
          ":'ephemeral'}}]}]}",
          "{'messages':[{'role':'user','content':[{'text':'See'},{'image':{'format':'jpeg','source'"
          ":{'bytes':'/9j/'}}},{'cachePoint':{'type':'default'}}]}]}",
          "");
    refuse(CLAUDE,
           "{'messages':[{'role':'user','content':[{'type':'image_url','image_url':{'url':"
           "'https://x.example/a.png'}}]}]}",
           "messages[].content[].image_url");
    refuse(CLAUDE,
           "{'messages':[{'role':'user','content':[{'type':'image_url','image_url':{'url':"
           "'data:image/tiff;base64,AA=='}}]}]}",
           "messages[].content[].image_url");
    check(
        CLAUDE,
        "{'messages':[{'role':'user','content':[{'type':'file','file':{'filename':"
        "'My  report_v1.2.pdf','file_data':'data:application/pdf;base64,JVBE'}},{'type':'file',"
        "'file':{'filename':'notes.md','file_data':'Iw=='}}]}]}",
        "{'messages':[{'role':'user','content':[{'document':{'format':'pdf','name':"
        "'My report-v1-2 1','source':{'bytes':'JVBE'}}},{'document':{'format':'md','name':"
        "'notes 2','source':{'bytes':'Iw=='}}},{'text':'.'}]}]}",
        "messages[].content: changed, A text '.' was added to a message that has a document only.");
    refuse(CLAUDE,
           "{'messages':[{'role':'user','content':[{'type':'file','file':{'file_id':'f1'}}]}]}",
           "messages[].content[].file");
    check(NOVA,
          "{'messages':[{'role':'user','content':[{'type':'input_audio','input_audio':{'data':"
          "'UklG','format':'wav'}}]}]}",
          "{'messages':[{'role':'user','content':[{'audio':{'format':'wav','source':{'bytes':"
          "'UklG'}}}]}]}",
          "");
    refuse(CLAUDE, "{'messages':[{'role':'user','content':[{'type':'video_url'}]}]}",
           "messages[].content[].type");
    const struct gw_deployment dropping = {.drops_params = true};
    encoded_check(&gw_api_bedrock, &dropping, CLAUDE,
                  "{'messages':[{'role':'user','content':[{'type':'text','text':'Hi'},{'type':"
                  "'image_url','image_url':'https://x.example/a.png'}]}]}",
                  BODY(""),
                  "messages[].content[].image_url: dropped, Bedrock takes images only as base64 "
                  "data URLs.");
}

#define SCHEMA                                                                                     \
    ",'response_format':{'type':'json_schema','json_schema':{'name':'r','strict':true,'schema':{"  \
    "'type':'object','properties':{'a':{'type':'integer'}}}}}"

static void test_structured_output(void **state)
{
    (void)state;
    check(CLAUDE, CHAT(SCHEMA),
          BODY(",'outputConfig':{'textFormat':{'type':'json_schema','structure':{'jsonSchema':{"
               "'schema':'{\\'type\\':\\'object\\',\\'properties\\':{\\'a\\':{\\'type\\':"
               "\\'integer\\'}}}','name':'r'}}}}"),
          "");
    check(OLD, CHAT(SCHEMA),
          BODY(",'toolConfig':{'tools':[{'toolSpec':{'name':'structured_answer','description':"
               "'Gives the answer.','inputSchema':{'json':{'type':'object','properties':{'a':{"
               "'type':'integer'}}}}}}],'toolChoice':{'tool':{'name':'structured_answer'}}}"),
          "");
    check(LLAMA, CHAT(SCHEMA),
          BODY(",'system':[{'text':'Answer with one JSON value that follows this JSON schema, and "
               "nothing else: {\\'type\\':\\'object\\',\\'properties\\':{\\'a\\':{\\'type\\':"
               "\\'integer\\'}}}'}]"),
          "response_format: changed, The schema became an instruction in the system prompt; the "
          "model does not guarantee it.");
    check(CLAUDE, CHAT(",'response_format':{'type':'json_object'}"),
          BODY(",'system':[{'text':'Answer with one JSON object and nothing else.'}]"),
          "response_format: changed, 'json_object' became an instruction in the system prompt.");
    check(CLAUDE, CHAT(",'response_format':{'type':'text'}"), BODY(""), "");
}

static void test_reasoning(void **state)
{
    (void)state;
#define FIELDS(f) BODY(",'additionalModelRequestFields':{" f "}")
    check(CLAUDE, CHAT(",'reasoning_effort':'high'"),
          FIELDS("'thinking':{'type':'enabled','budget_tokens':16384}"), "");
    check(CLAUDE, CHAT(",'reasoning_effort':'high','max_tokens':4000"),
          BODY(",'inferenceConfig':{'maxTokens':4000},'additionalModelRequestFields':{'thinking':{"
               "'type':'enabled','budget_tokens':2000}}"),
          "");
    check(CLAUDE, CHAT(",'reasoning_effort':'low','max_tokens':1000"),
          BODY(",'inferenceConfig':{'maxTokens':1000}"),
          "reasoning_effort: dropped, Reasoning needs more than 1024 output tokens.");
    check("anthropic.claude-opus-4-6-v1", CHAT(",'reasoning_effort':'xhigh'"),
          FIELDS("'thinking':{'type':'adaptive'},'output_config':{'effort':'high'}"), "");
    check(NEW, CHAT(",'reasoning_effort':'medium'"),
          FIELDS("'thinking':{'type':'adaptive','display':'summarized'},'output_config':{'effort':"
                 "'medium'}"),
          "");
    check(NEW, CHAT(",'reasoning_effort':'none'"), FIELDS("'thinking':{'type':'between_tools'}"),
          "reasoning_effort: changed, The model reasons between tool calls at least.");
    check("anthropic.claude-opus-5-5", CHAT(",'reasoning_effort':'none'"),
          FIELDS("'output_config':{'effort':'low'}"),
          "reasoning_effort: changed, Became 'low': the model always reasons.");
    check("anthropic.claude-sonnet-5", CHAT(",'reasoning_effort':'none'"),
          FIELDS("'thinking':{'type':'disabled'}"), "");
    check(CLAUDE, CHAT(",'reasoning_effort':'none'"), BODY(""), "");
    check(CLAUDE, CHAT(",'thinking':{'type':'enabled','budget_tokens':5000}"),
          FIELDS("'thinking':{'type':'enabled','budget_tokens':5000}"), "");
    check("anthropic.claude-opus-4-6-v1",
          CHAT(",'thinking':{'type':'adaptive'},'reasoning_effort':'minimal'"),
          FIELDS("'thinking':{'type':'adaptive'},'output_config':{'effort':'low'}"), "");
    check(OSS, CHAT(",'reasoning_effort':'high'"), FIELDS("'reasoning_effort':'high'"), "");
    check(
        OSS, CHAT(",'reasoning_effort':'max'"), FIELDS("'reasoning_effort':'high'"),
        "reasoning_effort: changed, The model knows low, medium and high; the nearest was taken.");
    check("us.amazon.nova-2-lite-v1:0", CHAT(",'reasoning_effort':'high'"),
          FIELDS("'reasoningConfig':{'type':'enabled','maxReasoningEffort':'high'}"), "");
    check(LLAMA, CHAT(",'reasoning_effort':'high'"), BODY(""),
          "reasoning_effort: dropped, How much the model reasons cannot be chosen.");
    check("anthropic.claude-3-5-sonnet-20241022-v2:0", CHAT(",'reasoning_effort':'high'"), BODY(""),
          "reasoning_effort: dropped, The model does not reason.");
    /* Forced calls and thinking exclude each other. */
    check(CLAUDE,
          CHAT(",'reasoning_effort':'low','tools':[" TOOL("f") "],'tool_choice':'required'"),
          BODY(",'toolConfig':{'tools':[" SPEC("f") "],'toolChoice':{'auto':{}}},"
                                                    "'additionalModelRequestFields':{'thinking':{'"
                                                    "type':'enabled','budget_tokens':2048}}"),
          "tool_choice: changed, Became 'auto': the model cannot be made to call a tool while it "
          "thinks.");
    check("anthropic.claude-opus-5", CHAT(",'tools':[" TOOL("f") "],'tool_choice':'required'"),
          BODY(",'toolConfig':{'tools':[" SPEC(
              "f") "],'toolChoice':{'any':{}}},"
                   "'additionalModelRequestFields':{'thinking':{'type':'disabled'}}"),
          "thinking: changed, Turned off, because a tool must be called.");
}

static void test_reasoning_goes_back(void **state)
{
    (void)state;
#define THOUGHT                                                                                    \
    "{'role':'assistant','content':'Yo','reasoning_content':'Hm','thinking_blocks':[{'type':"      \
    "'thinking','thinking':'Hm','signature':'c2ln'},{'type':'redacted_thinking','data':'ZGF0YQ=="  \
    "'}]}"
    check(CLAUDE, "{'messages':[" HI "," THOUGHT "," HI "]}",
          "{'messages':[" SENT_HI ",{'role':'assistant','content':[{'reasoningContent':{"
          "'reasoningText':{'text':'Hm','signature':'c2ln'}}},{'reasoningContent':{"
          "'redactedContent':'ZGF0YQ=='}},{'text':'Yo'}]}," SENT_HI "]}",
          "");
    check(NOVA, "{'messages':[" HI "," THOUGHT "," HI "]}",
          "{'messages':[" SENT_HI ",{'role':'assistant','content':[{'text':'Yo'}]}," SENT_HI "]}",
          "messages[].reasoning_content: dropped, Earlier reasoning goes back to Claude only, with "
          "its signature.");
    /* Reasoning without anything behind it is no turn. */
    check(CLAUDE,
          "{'messages':[" HI ",{'role':'assistant','content':'','thinking_blocks':[{'type':"
          "'thinking','thinking':'Hm','signature':'c2ln'}]}," HI "]}",
          "{'messages':[{'role':'user','content':[{'text':'Hi'},{'text':'Hi'}]}]}", "");
}

static void test_options(void **state)
{
    (void)state;
    check(CLAUDE,
          CHAT(",'max_completion_tokens':100,'max_tokens':5,'temperature':0.5,'stop':['a',"
               "' ','b']"),
          BODY(",'inferenceConfig':{'maxTokens':100,'temperature':0.5,'stopSequences':['a','b']}"),
          "stop: dropped, Stop sequences of blanks are refused.");
    check(NOVA, CHAT(",'temperature':1.5,'top_p':0.9,'top_k':5,'stop':'x'"),
          BODY(",'inferenceConfig':{'temperature':1,'topP':0.9,'stopSequences':['x']},"
               "'additionalModelRequestFields':{'inferenceConfig':{'topK':5}}"),
          "temperature: changed, Bedrock takes 0 to 1.");
    check(CLAUDE, CHAT(",'temperature':0,'top_p':0.9,'top_k':5"),
          BODY(",'inferenceConfig':{'temperature':0},'additionalModelRequestFields':{'top_k':5}"),
          "top_p: dropped, The model takes temperature or top_p, not both.");
    check(NEW, CHAT(",'temperature':0"), BODY(""),
          "temperature: dropped, The model takes no sampling parameters.");
    check(CLAUDE, CHAT(",'user':'u1','metadata':{'k':'v','n':1},'service_tier':'flex'"),
          BODY(",'requestMetadata':{'k':'v'},'serviceTier':{'type':'flex'},"
               "'additionalModelRequestFields':{'metadata':{'user_id':'u1'}}"),
          "metadata: dropped, Bedrock takes 16 texts of up to 256 characters.");
    check(CLAUDE, CHAT(",'anthropic_beta':['context-1m-2025-08-07','unknown-1']"),
          BODY(",'additionalModelRequestFields':{'anthropic_beta':['context-1m-2025-08-07']}"),
          "anthropic_beta: dropped, Only what Bedrock knows is sent, and only to Claude.");
    check(NOVA,
          CHAT(",'seed':1,'logprobs':false,'store':false,'presence_penalty':0,"
               "'frequency_penalty':0.1,'parallel_tool_calls':false,'n':1"),
          BODY(""),
          "seed: dropped, Bedrock has nothing like it.; frequency_penalty: dropped, Bedrock has "
          "nothing like it.; parallel_tool_calls: dropped, Bedrock cannot hold a model to one call "
          "at a time.");
    check(NOVA,
          CHAT(",'guardrailConfig':{'guardrailIdentifier':'g','guardrailVersion':'1'},"
               "'additionalModelRequestFields':{'x':[1]}"),
          BODY(",'guardrailConfig':{'guardrailIdentifier':'g','guardrailVersion':'1'},"
               "'additionalModelRequestFields':{'x':[1]}"),
          "");
    refuse(NOVA, CHAT(",'n':2"), "n");
    const struct gw_deployment own = {.extra_body = GW_STR_INIT("\"performanceConfig\":{}"),
                                      .default_max_tokens = 50,
                                      .limit_max_tokens = 70};
    encoded_check(&gw_api_bedrock, &own, NOVA, CHAT(""),
                  BODY(",'inferenceConfig':{'maxTokens':50},'performanceConfig':{}"), "");
    encoded_check(&gw_api_bedrock, &own, NOVA, CHAT(",'max_tokens':100"),
                  BODY(",'inferenceConfig':{'maxTokens':70},'performanceConfig':{}"),
                  "max_tokens: changed, Lowered to what the deployment allows.");
}

static void test_cache_points_are_counted(void **state)
{
    (void)state;
#define MARKED "{'type':'text','text':'a','cache_control':{'type':'ephemeral'}}"
#define POINT  "{'text':'a'},{'cachePoint':{'type':'default'}}"
    check(CLAUDE,
          "{'messages':[{'role':'user','content':[" MARKED "," MARKED "," MARKED "," MARKED
          "," MARKED "]}]}",
          "{'messages':[{'role':'user','content':[" POINT "," POINT "," POINT "," POINT ",{'text':"
          "'a'}]}]}",
          "cache_control: dropped, Bedrock takes four cache points.");
    check(LLAMA, "{'messages':[{'role':'user','content':[" MARKED "]}]}",
          "{'messages':[{'role':'user','content':[{'text':'a'}]}]}",
          "cache_control: dropped, The model has no cache points there.");
    check(NOVA,
          "{'messages':[{'role':'user','content':'a','cache_control':{'type':'ephemeral','ttl'"
          ":'1h'}}]}",
          "{'messages':[{'role':'user','content':[" POINT "]}]}", "");
}

/* A longer conversation's bytes begin with the shorter one's. */
static void test_prefixes(void **state)
{
    (void)state;
    static const char *const turns[] = {
        HI,
        CALLS,
        "{'role':'tool','tool_call_id':'call_1','content':'one'}",
        "{'role':'tool','tool_call_id':'call 2','content':'two'}",
        "{'role':'assistant','content':'Ok'}",
        HI,
        "{'role':'assistant','content':'Bye'}",
        HI,
    };
    char chat[4096] = "{'messages':[{'role':'system','content':'S'}";
    char last[4096] = "";
    for (size_t i = 0; i < GW_ARRAY_LEN(turns); i++) {
        char whole[4096];
        struct encoded encoded;
        size_t len = strlen(chat);
        snprintf(chat + len, sizeof(chat) - len, ",%s", turns[i]);
        snprintf(whole, sizeof(whole), "%s],'tools':[" TOOL("f") "," TOOL("g") "]}", chat);
        encoded_run(&encoded, &gw_api_bedrock, &deployment, CLAUDE, whole, false);
        assert_int_equal(encoded.err, GW_OK);
        struct gw_str body = gw_buf_str(&encoded.call.body);
        assert_true(gw_str_has_prefix(body, gw_str_from_c(last)));
        /* Up to the end of the last block: its message may still grow. */
        size_t end = gw_str_find(body, GW_STR("]}],\"system\""));
        assert_true(end < body.len);
        snprintf(last, sizeof(last), GW_STR_FMT, (int)end, body.ptr);
        encoded_fini(&encoded);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain_and_target),
        cmocka_unit_test(test_system),
        cmocka_unit_test(test_turns),
        cmocka_unit_test(test_tools),
        cmocka_unit_test(test_tool_history),
        cmocka_unit_test(test_tool_names),
        cmocka_unit_test(test_images_and_files),
        cmocka_unit_test(test_structured_output),
        cmocka_unit_test(test_reasoning),
        cmocka_unit_test(test_reasoning_goes_back),
        cmocka_unit_test(test_options),
        cmocka_unit_test(test_cache_points_are_counted),
        cmocka_unit_test(test_prefixes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
