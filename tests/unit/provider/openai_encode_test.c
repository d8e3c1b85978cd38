/* SPDX-License-Identifier: MIT */
/* provider/openai_encode - neutral requests to exact bytes, vendor by vendor. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/secret.h"
#include "provider/api.h"
#include "provider/openai_quirks.h"
#include "json/value.h"

struct fixture {
    struct gw_arena arena;
    struct gw_error error;
    struct gw_notes notes;
    struct gw_llm_request request;
    struct gw_deployment deployment;
    struct gw_provider_call call;
    enum gw_err err;
};

static void run(struct fixture *f, const char *provider, const char *model, const char *chat)
{
    yyjson_doc *doc = yyjson_read(chat, strlen(chat), 0);
    assert_non_null(doc);
    f->deployment.provider_name = gw_str_from_c(provider);
    f->deployment.base_path = GW_STR("/v1");
    gw_arena_init(&f->arena, NULL, 0, 4096, 1 << 20);
    gw_notes_init(&f->notes, &f->arena, f->deployment.drops_params, &f->error);
    gw_buf_init(&f->call.body, 1 << 20);
    struct gw_provider_input in = {.deployment = &f->deployment,
                                   .upstream_model = gw_str_from_c(model),
                                   .request = &f->request,
                                   .arena = &f->arena,
                                   .notes = &f->notes};
    f->err = gw_api_openai.encode(&in, yyjson_doc_get_root(doc), &f->call);
    (void)gw_buf_append_byte(&f->call.body, '\0');
    yyjson_doc_free(doc);
}

static void finish(struct fixture *f)
{
    gw_buf_fini(&f->call.body);
    gw_arena_fini(&f->arena);
}

/* |warning| is what the client reads, or "". */
static void check_with(struct fixture *f, const char *provider, const char *model, const char *chat,
                       const char *expected, const char *warning)
{
    run(f, provider, model, chat);
    assert_int_equal(f->err, GW_OK);
    assert_string_equal(f->call.body.ptr, expected);
    struct gw_str told = gw_notes_warning(&f->notes);
    char text[1024];
    (void)snprintf(text, sizeof(text), GW_STR_FMT, GW_STR_ARG(told));
    if (strstr(text, warning) == NULL || (warning[0] == '\0' && text[0] != '\0')) {
        fail_msg("warned: %s", text);
    }
    finish(f);
}

static void check(const char *provider, const char *model, const char *chat, const char *expected,
                  const char *warning)
{
    struct fixture f = {0};
    check_with(&f, provider, model, chat, expected, warning);
}

#define USER "{\"role\":\"user\",\"content\":\"Hi\"}"

#define BEGUN "{\"role\":\"assistant\",\"content\":\"It is\""

/* An answer that another deployment goes on with (llm/continuation). */
static void test_a_last_message_that_goes_on(void **state)
{
    static const char chat[] = "{\"messages\":[" USER "," BEGUN ",\"prefix\":true}]}";
    (void)state;
    check("mistral", "m", chat,
          "{\"model\":\"m\",\"messages\":[" USER "," BEGUN ",\"prefix\":true}]}", "");
    check("deepseek", "m", chat,
          "{\"model\":\"m\",\"messages\":[" USER "," BEGUN ",\"prefix\":true}]}", "");
    check("vllm", "m", chat,
          "{\"model\":\"m\",\"messages\":[" USER "," BEGUN "}],"
          "\"add_generation_prompt\":false,\"continue_final_message\":true}",
          "");
    check("llamacpp", "m", chat, "{\"model\":\"m\",\"messages\":[" USER "," BEGUN "}]}", "");
    check("groq", "m", chat, "{\"model\":\"m\",\"messages\":[" USER "," BEGUN "}]}",
          "does not go on with a message");
    /* One in the middle is over. */
    check("mistral", "m", "{\"messages\":[" BEGUN ",\"prefix\":true}," USER "]}",
          "{\"model\":\"m\",\"messages\":[" BEGUN "}," USER "]}", "");
    check("vllm", "m", "{\"messages\":[" BEGUN ",\"prefix\":true}," USER "]}",
          "{\"model\":\"m\",\"messages\":[" BEGUN "}," USER "]}", "");
}

static void test_plain(void **state)
{
    (void)state;
    check("openai", "gpt-4.1", "{\"model\":\"x\",\"messages\":[" USER "]}",
          "{\"model\":\"gpt-4.1\",\"messages\":[" USER "]}", "");
    struct fixture f = {.request = {.is_stream = true}};
    check_with(&f, "openai", "gpt-4.1",
               "{\"messages\":[{\"role\":\"system\",\"content\":\"S\"}," USER
               ",{\"role\":\"assistant\",\"content\":\"A\"},{\"role\":\"user\",\"content\":\"B\"}],"
               "\"max_tokens\":5,\"temperature\":0.5,\"stop\":[\"x\"],\"seed\":3,\"stream\":true}",
               "{\"model\":\"gpt-4.1\",\"messages\":[{\"role\":\"system\",\"content\":\"S\"}," USER
               ",{\"role\":\"assistant\",\"content\":\"A\"},{\"role\":\"user\",\"content\":\"B\"}],"
               "\"max_completion_tokens\":5,\"temperature\":0.5,\"stop\":[\"x\"],\"seed\":3,"
               "\"stream\":true,\"stream_options\":{\"include_usage\":true}}",
               "");
}

#define TOOL_TURNS                                                                                 \
    USER ",{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{\"id\":\"call_a\",\"type\":"  \
         "\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"a\\\":1}\"},"             \
         "\"extra_content\":{\"google\":{\"thought_signature\":\"g\"}}},{\"id\":\"call_b\","       \
         "\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"\"}}]},{\"role\":"    \
         "\"tool\",\"tool_call_id\":\"call_a\",\"name\":\"f\",\"content\":\"1\"},{\"role\":"       \
         "\"tool\",\"tool_call_id\":\"call_b\",\"name\":\"f\",\"is_error\":true,\"content\":[{"    \
         "\"type\":\"text\",\"text\":\"2\",\"cache_control\":{\"type\":\"ephemeral\"}},{\"type\":" \
         "\"image_url\",\"image_url\":{\"url\":\"data:image/png;base64,AAAA\"}}]}"
#define TOOLS                                                                                      \
    "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\",\"parameters\":{\"type\":"     \
    "\"object\"}},\"cache_control\":{\"type\":\"ephemeral\"}}]"

static void test_tools(void **state)
{
    (void)state;
    check("openai", "gpt-4.1",
          "{\"messages\":[" TOOL_TURNS "]," TOOLS
          ",\"tool_choice\":{\"type\":\"function\",\"function\":{\"name\":\"f\"}},"
          "\"parallel_tool_calls\":false}",
          "{\"model\":\"gpt-4.1\",\"messages\":[" USER
          ",{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{\"id\":\"call_a\",\"type\":"
          "\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"a\\\":1}\"}},{\"id\":"
          "\"call_b\",\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}]},"
          "{\"role\":\"tool\",\"tool_call_id\":\"call_a\",\"content\":\"1\"},{\"role\":\"tool\","
          "\"tool_call_id\":\"call_b\",\"content\":\"Error: 2\"},{\"role\":\"user\",\"content\":[{"
          "\"type\":\"text\",\"text\":\"Content of the tool results above:\"},{\"type\":"
          "\"image_url\",\"image_url\":{\"url\":\"data:image/png;base64,AAAA\"}}]}],\"tools\":[{"
          "\"type\":\"function\",\"function\":{\"name\":\"f\",\"parameters\":{\"type\":\"object\"}"
          "}}],\"tool_choice\":{\"type\":\"function\",\"function\":{\"name\":\"f\"}},"
          "\"parallel_tool_calls\":false}",
          "messages[].content[]");
}

static void test_custom_and_server_tools(void **state)
{
    (void)state;
#define CUSTOM                                                                                     \
    "\"tools\":[{\"type\":\"custom\",\"custom\":{\"name\":\"p\",\"description\":\"d\"}},"          \
    "{\"type\":\"web_search_20250305\",\"name\":\"web_search\"}],\"tool_choice\":{\"type\":"       \
    "\"custom\",\"custom\":{\"name\":\"p\"}}"
#define CUSTOM_CALL                                                                                \
    "{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{\"id\":\"c\",\"type\":\"custom\","  \
    "\"custom\":{\"name\":\"p\",\"input\":\"x\"}}]}"
    check("openai", "gpt-4.1", "{\"messages\":[" USER "," CUSTOM_CALL "]," CUSTOM "}",
          "{\"model\":\"gpt-4.1\",\"messages\":[" USER "," CUSTOM_CALL
          "],\"tools\":[{\"type\":\"custom\",\"custom\":{\"name\":\"p\",\"description\":\"d\"}}],"
          "\"tool_choice\":{\"type\":\"custom\",\"custom\":{\"name\":\"p\"}}}",
          "tools[]: dropped");
    check("vllm", "m", "{\"messages\":[" USER "," CUSTOM_CALL "]," CUSTOM "}",
          "{\"model\":\"m\",\"messages\":[" USER
          ",{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{\"id\":\"c\",\"type\":"
          "\"function\",\"function\":{\"name\":\"p\",\"arguments\":\"{\\\"input\\\":\\\"x\\\"}\"}}]"
          "}],\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"p\",\"description\":\"d\","
          "\"parameters\":{\"type\":\"object\",\"properties\":{\"input\":{\"type\":\"string\"}},"
          "\"required\":[\"input\"],\"additionalProperties\":false}}}],\"tool_choice\":{\"type\":"
          "\"function\",\"function\":{\"name\":\"p\"}}}",
          "tools[]: dropped");
}

static void test_parts(void **state)
{
    (void)state;
#define IMAGE_URL "{\"type\":\"image_url\",\"image_url\":{\"url\":\"https://e/x.png\"}}"
    check("openai", "gpt-4.1",
          "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"a\","
          "\"cache_control\":{\"type\":\"ephemeral\"}}," IMAGE_URL
          ",{\"type\":\"input_audio\",\"input_audio\":{\"data\":\"AA\",\"format\":\"wav\"}},"
          "{\"type\":\"file\",\"file\":{\"file_id\":\"f1\"}}]}]}",
          "{\"model\":\"gpt-4.1\",\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\","
          "\"text\":\"a\"}," IMAGE_URL
          ",{\"type\":\"input_audio\",\"input_audio\":{\"data\":\"AA\",\"format\":\"wav\"}},"
          "{\"type\":\"file\",\"file\":{\"file_id\":\"f1\"}}]}]}",
          "");
    check("groq", "m",
          "{\"messages\":[{\"role\":\"developer\",\"content\":[{\"type\":\"text\",\"text\":\"a\"},"
          "{\"type\":\"text\",\"text\":\"b\"}]}," USER "]}",
          "{\"model\":\"m\",\"messages\":[{\"role\":\"system\",\"content\":\"a\\n\\nb\"}," USER
          "]}",
          "");
}

static void check_refused(const char *provider, const char *chat, const char *param)
{
    struct fixture f = {0};
    run(&f, provider, "m", chat);
    assert_int_equal(f.err, GW_ERR_INVALID);
    assert_int_equal(f.error.status, 400);
    assert_int_equal(f.error.param.len, strlen(param));
    assert_memory_equal(f.error.param.ptr, param, strlen(param));
    finish(&f);
}

static void test_refusals(void **state)
{
    (void)state;
    check_refused("ollama", "{\"messages\":[{\"role\":\"user\",\"content\":[" IMAGE_URL "]}]}",
                  "messages[].content[]");
    check_refused("groq",
                  "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"input_audio\","
                  "\"input_audio\":{\"data\":\"AA\",\"format\":\"wav\"}}]}]}",
                  "messages[].content[]");
    check_refused("llamacpp",
                  "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\","
                  "\"image_url\":{\"url\":\"file:///etc/passwd\"}}]}]}",
                  "messages[].content[].image_url");
    check_refused("openai", "{\"messages\":[" USER "],\"n\":2}", "n");
    check_refused("perplexity", "{\"messages\":[" USER "]," TOOLS "}", "tools");
    check_refused("openai", "{\"messages\":[{\"role\":\"alien\",\"content\":\"x\"}]}",
                  "messages[].role");
    struct fixture f = {.deployment = {.drops_params = true}};
    check_with(&f, "groq", "m",
               "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"a\"},"
               "{\"type\":\"input_audio\",\"input_audio\":{}}]}],\"n\":2}",
               "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\","
               "\"text\":\"a\"}]}]}",
               "messages[].content[]: dropped");
}

static void test_reasoning_models(void **state)
{
    (void)state;
    check("openai", "gpt-5-mini",
          "{\"messages\":[" USER "],\"temperature\":1,\"reasoning_effort\":\"max\"}",
          "{\"model\":\"gpt-5-mini\",\"messages\":[" USER "],\"reasoning_effort\":\"high\"}",
          "temperature: dropped");
    check("openai", "gpt-5.6-sol",
          "{\"messages\":[" USER "],\"temperature\":1,\"thinking\":{\"type\":\"disabled\"}}",
          "{\"model\":\"gpt-5.6-sol\",\"messages\":[" USER
          "],\"reasoning_effort\":\"none\",\"temperature\":1}",
          "");
    check("openai", "o3",
          "{\"messages\":[" USER "],\"thinking\":{\"type\":\"enabled\","
          "\"budget_tokens\":4000}}",
          "{\"model\":\"o3\",\"messages\":[" USER "],\"reasoning_effort\":\"medium\"}", "");
    check("openai", "gpt-4.1", "{\"messages\":[" USER "],\"reasoning_effort\":\"low\"}",
          "{\"model\":\"gpt-4.1\",\"messages\":[" USER "]}", "reasoning_effort: dropped");
}

#define THOUGHT                                                                                    \
    "{\"role\":\"assistant\",\"content\":\"A\",\"reasoning_content\":\"R\",\"thinking_blocks\":["  \
    "{\"type\":\"thinking\",\"thinking\":\"R\",\"signature\":\"s\"}]}"

static void test_deepseek(void **state)
{
    (void)state;
    check("deepseek", "deepseek-flash",
          "{\"messages\":[" USER "," THOUGHT
          "],\"reasoning_effort\":\"medium\",\"user\":\"u\",\"seed\":1,\"response_format\":{"
          "\"type\":\"json_schema\",\"json_schema\":{\"name\":\"n\",\"schema\":{\"type\":"
          "\"object\"}}}}",
          "{\"model\":\"deepseek-flash\",\"messages\":[{\"role\":\"system\",\"content\":\"Answer "
          "with one JSON object that is valid against this JSON Schema: {\\\"type\\\":"
          "\\\"object\\\"}\"}," USER
          ",{\"role\":\"assistant\",\"content\":\"A\",\"reasoning_content\":\"R\"}],"
          "\"response_format\":{\"type\":\"json_object\"},\"thinking\":{\"type\":\"enabled\"},"
          "\"reasoning_effort\":\"high\",\"user_id\":\"u\"}",
          "seed: dropped");
    check("openai", "gpt-4.1", "{\"messages\":[" USER "," THOUGHT "]}",
          "{\"model\":\"gpt-4.1\",\"messages\":[" USER
          ",{\"role\":\"assistant\",\"content\":\"A\"}]}",
          "");
}

static void test_mistral(void **state)
{
    (void)state;
    struct fixture f = {.request = {.is_stream = true}};
    run(&f, "mistral", "m",
        "{\"messages\":[" USER
        ",{\"role\":\"assistant\",\"content\":\"\",\"tool_calls\":[{\"id\":\"call_a\",\"function\":"
        "{\"name\":\"f\",\"arguments\":\"{}\"}},{\"id\":\"aB3456789\",\"function\":{\"name\":\"f\","
        "\"arguments\":{\"x\":1}}}]},{\"role\":\"tool\",\"tool_call_id\":\"call_a\",\"name\":\"f\","
        "\"content\":\"1\"}," USER
        "],\"seed\":7,\"temperature\":1.9,\"reasoning_effort\":\"low\"}");
    assert_int_equal(f.err, GW_OK);
    const char *id = strstr(f.call.body.ptr, "{\"id\":\"") + 7;
    assert_int_equal(id[9], '"');
    char again[64];
    (void)snprintf(again, sizeof(again), "\"tool_call_id\":\"%.9s\",\"name\":\"f\"", id);
    assert_non_null(strstr(f.call.body.ptr, again));
    assert_non_null(strstr(f.call.body.ptr, "{\"id\":\"aB3456789\",\"type\":\"function\","
                                            "\"function\":{\"name\":\"f\",\"arguments\":"
                                            "\"{\\\"x\\\":1}\"}}"));
    assert_non_null(strstr(f.call.body.ptr, ",{\"role\":\"assistant\",\"content\":\"OK\"}," USER
                                            "],\"reasoning_effort\":\"high\",\"temperature\":1.5,"
                                            "\"random_seed\":7,\"stream\":true}"));
    finish(&f);
}

static void test_groq_and_ollama(void **state)
{
    (void)state;
    check("groq", "openai/gpt-oss-20b",
          "{\"messages\":[" USER "," THOUGHT
          "],\"reasoning_effort\":\"minimal\",\"service_tier\":\"priority\",\"logprobs\":true}",
          "{\"model\":\"openai/gpt-oss-20b\",\"messages\":[" USER
          ",{\"role\":\"assistant\",\"content\":\"A\",\"reasoning\":\"R\"}],\"reasoning_effort\":"
          "\"low\",\"service_tier\":\"performance\"}",
          "logprobs: dropped");
    check("ollama", "m",
          "{\"messages\":[" USER "]," TOOLS ",\"tool_choice\":\"required\",\"max_tokens\":3}",
          "{\"model\":\"m\",\"messages\":[" USER
          "],\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\",\"parameters\":{"
          "\"type\":\"object\"}}}],\"max_tokens\":3}",
          "tool_choice: changed");
}

static void test_limits(void **state)
{
    (void)state;
    struct fixture f = {.deployment = {.limit_max_tokens = 10, .extra_body = GW_STR("\"k\":1")}};
    check_with(&f, "openai_like", "m", "{\"messages\":[" USER "],\"max_completion_tokens\":50}",
               "{\"model\":\"m\",\"messages\":[" USER "],\"max_tokens\":10,\"k\":1}",
               "max_tokens: changed");
    struct fixture g = {.deployment = {.default_max_tokens = 7}};
    check_with(&g, "openai_like", "m", "{\"messages\":[" USER "]}",
               "{\"model\":\"m\",\"messages\":[" USER "],\"max_tokens\":7}", "");
}

/* Turn n+1's bytes begin with turn n's as far as its last message. */
static void test_prefix(void **state)
{
    (void)state;
    struct fixture a = {0};
    struct fixture b = {0};
    run(&a, "mistral", "m", "{\"messages\":[" TOOL_TURNS "],\"temperature\":1}");
    run(&b, "mistral", "m",
        "{\"messages\":[" TOOL_TURNS "," USER "," THOUGHT "],\"temperature\":1}");
    assert_int_equal(a.err, GW_ERR_INVALID); /* an image in a tool's result */
    finish(&a);
    finish(&b);
    a = (struct fixture){0};
    b = (struct fixture){0};
    run(&a, "deepseek", "m", "{\"messages\":[" USER "," THOUGHT "]," TOOLS "}");
    run(&b, "deepseek", "m", "{\"messages\":[" USER "," THOUGHT "," TOOL_TURNS "]," TOOLS "}");
    const char *end = strstr(a.call.body.ptr, "],\"tools\"");
    assert_non_null(end);
    assert_memory_equal(a.call.body.ptr, b.call.body.ptr, (size_t)(end - a.call.body.ptr));
    finish(&a);
    finish(&b);
}

/* xAI takes no closed objects; names and values of the client's that look like it stay. */
static void test_open_schemas(void **state)
{
    (void)state;
    struct fixture f = {0};
    run(&f, "xai", "grok-4.7",
        "{\"messages\":[" USER "],\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\","
        "\"parameters\":{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{"
        "\"additionalProperties\":false,\"a\":{\"anyOf\":[{\"additionalProperties\":false},{"
        "\"additionalProperties\":{}}],\"default\":{\"additionalProperties\":false}}}}}}]}");
    assert_int_equal(f.err, GW_OK);
    (void)gw_buf_append_byte(&f.call.body, '\0');
    assert_non_null(strstr(f.call.body.ptr, "\"parameters\":{\"type\":\"object\",\"properties\":{"
                                            "\"additionalProperties\":false,\"a\":{\"anyOf\":[{},{"
                                            "\"additionalProperties\":{}}],\"default\":{"
                                            "\"additionalProperties\":false}}}}"));
    assert_int_equal(f.notes.count, 1);
    finish(&f);
}

static void test_call(void **state)
{
    (void)state;
    struct fixture f = {0};
    run(&f, "xai", "grok-4.7", "{\"messages\":[" USER "],\"prompt_cache_key\":\"k\"}");
    assert_int_equal(f.err, GW_OK);
    assert_memory_equal(f.call.target.ptr, "/v1/chat/completions", f.call.target.len);
    struct gw_secret *secret = gw_secret_create(GW_STR("sk-1"));
    f.deployment.organization = GW_STR("org");
    f.deployment.project = GW_STR("proj");
    struct gw_authorize_input in = {
        .deployment = &f.deployment, .credential = secret, .arena = &f.arena};
    assert_int_equal(gw_api_openai.authorize(&in, &f.call), GW_OK);
    struct gw_buf text;
    gw_buf_init(&text, 4096);
    for (size_t i = 0; i < f.call.field_count; i++) {
        (void)gw_buf_append(&text, f.call.fields[i].name);
        (void)gw_buf_append(&text, GW_STR(": "));
        (void)gw_buf_append(&text, f.call.fields[i].value);
        (void)gw_buf_append(&text, GW_STR("\n"));
    }
    (void)gw_buf_append_byte(&text, '\0');
    assert_string_equal(text.ptr, "content-type: application/json\naccept: application/json\n"
                                  "x-grok-conv-id: k\nauthorization: Bearer sk-1\n"
                                  "openai-organization: org\nopenai-project: proj\n");
    gw_buf_fini(&text);
    gw_secret_destroy(&secret);
    finish(&f);
}

/* ---- verbatim ---- */

static void check_patch(struct fixture *f, const char *body, const char *expected)
{
    struct gw_json_splice splice;
    struct gw_str runs[GW_JSON_MAX_RUNS];
    struct gw_buf out;
    f->deployment.provider_name = GW_STR("openai");
    gw_arena_init(&f->arena, NULL, 0, 4096, 1 << 20);
    gw_notes_init(&f->notes, &f->arena, false, &f->error);
    struct gw_provider_input in = {.deployment = &f->deployment,
                                   .request = &f->request,
                                   .arena = &f->arena,
                                   .notes = &f->notes};
    assert_int_equal(gw_api_openai.patch(&in, GW_STR("/chat/completions"), GW_STR("a=1"),
                                         gw_str_from_c(body), &splice, &f->call),
                     GW_OK);
    gw_buf_init(&out, 4096);
    size_t count = gw_json_splice_runs(&splice, runs);
    for (size_t i = 0; i < count; i++) {
        (void)gw_buf_append(&out, runs[i]);
    }
    (void)gw_buf_append_byte(&out, '\0');
    assert_string_equal(out.ptr, expected);
    gw_buf_fini(&out);
    gw_arena_fini(&f->arena);
}

static void test_patch(void **state)
{
    (void)state;
    struct fixture f = {.request = {.task = GW_TASK_CHAT, .max_output_tokens = 9}};
    check_patch(&f, "{ \"max_tokens\" : 9 }", "{ \"max_tokens\" : 9 }");
    f.deployment.limit_max_tokens = 4;
    check_patch(&f, "{ \"max_tokens\" : 9 }", "{ \"max_tokens\" : 4 }");
    f.request.max_output_tokens = 0;
    check_patch(&f, "{ }", "{\"max_completion_tokens\":4 }");
    f.deployment.limit_max_tokens = 0;
    f.deployment.extra_body = GW_STR("\"k\":[1]");
    check_patch(&f, "{\"a\":1}", "{\"a\":1,\"k\":[1]}");
}

static void test_speaks(void **state)
{
    (void)state;
    struct gw_deployment openai = {.provider_name = GW_STR("openai")};
    struct gw_deployment groq = {.provider_name = GW_STR("groq")};
    struct gw_str model = GW_STR("m");
    assert_true(gw_api_openai.speaks(&openai, GW_DIALECT_OPENAI, GW_TASK_EMBEDDING, model));
    assert_true(gw_api_openai.speaks(&openai, GW_DIALECT_COMPLETIONS, GW_TASK_COMPLETION, model));
    assert_false(gw_api_openai.speaks(&groq, GW_DIALECT_COMPLETIONS, GW_TASK_COMPLETION, model));
    assert_false(gw_api_openai.speaks(&openai, GW_DIALECT_ANTHROPIC, GW_TASK_CHAT, model));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),
        cmocka_unit_test(test_a_last_message_that_goes_on),
        cmocka_unit_test(test_tools),
        cmocka_unit_test(test_custom_and_server_tools),
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_reasoning_models),
        cmocka_unit_test(test_deepseek),
        cmocka_unit_test(test_mistral),
        cmocka_unit_test(test_groq_and_ollama),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_prefix),
        cmocka_unit_test(test_open_schemas),
        cmocka_unit_test(test_call),
        cmocka_unit_test(test_patch),
        cmocka_unit_test(test_speaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
