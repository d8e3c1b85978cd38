/* SPDX-License-Identifier: MIT */
/* provider/anthropic_foreign - other vendors' thinking leaves a verbatim body, nothing else does.
 */
#include "provider/api.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "json/scan.h"

#define BODY_BYTES (1u << 20)

struct run {
    struct gw_arena arena;
    struct gw_error error;
    struct gw_notes notes;
    struct gw_deployment deployment;
    struct gw_llm_request request;
    char sent[4096];
};

static bool has_note(const struct run *run, const char *param)
{
    for (size_t i = 0; i < run->notes.count; i++) {
        if (gw_str_eq(run->notes.entries[i].param, gw_str_from_c(param))) {
            return true;
        }
    }
    return false;
}

static void patch(struct run *run, const struct gw_provider_api *api, const char *body)
{
    struct gw_provider_input in = {.deployment = &run->deployment,
                                   .upstream_model = GW_STR("m"),
                                   .request = &run->request,
                                   .arena = &run->arena,
                                   .notes = &run->notes};
    struct gw_provider_call call = {0};
    struct gw_json_splice splice;
    struct gw_str runs[GW_JSON_MAX_RUNS];
    size_t len = 0;
    run->request.dialect = GW_DIALECT_ANTHROPIC;
    gw_arena_init(&run->arena, NULL, 0, 4096, BODY_BYTES);
    gw_notes_init(&run->notes, &run->arena, false, &run->error);
    assert_int_equal(
        api->patch(&in, GW_STR("/v1/messages"), GW_STR(""), gw_str_from_c(body), &splice, &call),
        GW_OK);
    size_t count = gw_json_splice_runs(&splice, runs);
    for (size_t i = 0; i < count; i++) {
        assert_true(len + runs[i].len < sizeof(run->sent));
        memcpy(run->sent + len, runs[i].ptr, runs[i].len);
        len += runs[i].len;
    }
    run->sent[len] = '\0';
    assert_int_equal(gw_json_scan(gw_str(run->sent, len), NULL, NULL, NULL, NULL), GW_OK);
}

static void check(const char *body, const char *expected, bool is_noted)
{
    struct run run = {.request = {.task = GW_TASK_CHAT}};
    patch(&run, &gw_api_anthropic, body);
    assert_string_equal(run.sent, expected);
    assert_int_equal(has_note(&run, "messages[].content[].thinking"), is_noted);
    gw_arena_fini(&run.arena);
}

#define SEALED                                                                                     \
    "{\"type\": \"thinking\", \"thinking\": \"t\", \"signature\": \"gatewire.openai..x\"}"
#define EMPTY   "{\"type\":\"thinking\",\"thinking\":\"t\",\"signature\":\"\"}"
#define MISSING "{\"thinking\":\"t\",\"type\":\"thinking\"}"
#define GOOGLE  "{\"type\":\"redacted_thinking\",\"data\":\"gatewire.google.c2ln\"}"
#define OWN     "{\"type\":\"thinking\",\"thinking\":\"\",\"signature\":\"EqQB\"}"
#define HIDDEN  "{\"type\":\"redacted_thinking\",\"data\":\"EmwK\"}"
#define TEXT    "{\"type\":\"text\",\"text\":\"a\"}"
#define CALL    "{\"type\":\"tool_use\",\"id\":\"i\",\"name\":\"f\",\"input\":{}}"
#define ASK     "{\"role\":\"user\",\"content\":\"q\"}"
#define SAID(x) "{\"role\":\"assistant\",\"content\":[" x "]}"
#define BODY(x) "{\"messages\": [ " x " ] , \"x\":1.50}"

static void test_blocks(void **state)
{
    (void)state;
    check(BODY(ASK " , " SAID(SEALED " , " TEXT)), BODY(ASK " , " SAID(TEXT)), true);
    check(BODY(ASK "," SAID(EMPTY "," TEXT " , " GOOGLE "," CALL)),
          BODY(ASK "," SAID(TEXT "," CALL)), true);
    check(BODY(ASK "," SAID(MISSING "," GOOGLE "," TEXT " , " EMPTY)), BODY(ASK "," SAID(TEXT)),
          true);
    check(BODY(ASK "," SAID(OWN "," EMPTY "," HIDDEN "," TEXT)),
          BODY(ASK "," SAID(OWN "," HIDDEN "," TEXT)), true);
    check(BODY(ASK "," SAID(SEALED "," TEXT) "," ASK "," SAID(OWN "," TEXT) "," ASK),
          BODY(ASK "," SAID(TEXT) "," ASK "," SAID(OWN "," TEXT) "," ASK), true);
}

static void test_whole_messages(void **state)
{
    (void)state;
    check(BODY(ASK " , " SAID(SEALED) " , " ASK), BODY(ASK " , " ASK), true);
    check(BODY(SAID(SEALED "," EMPTY) " , " ASK), "{\"messages\": [" ASK " ] , \"x\":1.50}", true);
    check(BODY(ASK "," SAID(MISSING)), BODY(ASK), true);
}

static void test_what_stays(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        BODY(ASK "," SAID(OWN "," HIDDEN "," TEXT)),
        BODY(SAID(SEALED)), /* nothing would be left */
        BODY(ASK "," SAID("{\"type\":\"text\",\"text\":\"\\\"type\\\":\\\"thinking\\\"\"}")),
        BODY("{\"role\":\"user\",\"content\":\"\\\"gatewire.openai.\"}"),
        BODY("{\"role\":\"user\",\"content\":[{\"type\":\"tool_result\",\"content\":["
             "{\"type\":\"text\",\"text\":\"gatewire.\"}]}]}"),
        "{\"messages\":\"gatewire.\",\"a\":\"gatewire.\"}",
        ("{\"messages\":[1,null,{\"content\":[\"gatewire.\",{\"type\":\"thinking\",\"signature\":1}"
         ",{}]}],\"signature\":\"\"}"),
        "{}",
    };
    for (size_t i = 0; i < GW_ARRAY_LEN(bodies) - 2; i++) {
        check(bodies[i], bodies[i], false);
    }
    /* A signature that is no text is none. */
    check(bodies[GW_ARRAY_LEN(bodies) - 2],
          "{\"messages\":[1,null,{\"content\":[\"gatewire.\",{}]}],\"signature\":\"\"}", true);
    check("{}", "{}", false);
}

#define ON                "\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":2048},"
#define OFF               "\"thinking\":{\"type\":\"disabled\"},"
#define AUTO              "\"thinking\":{\"type\":\"adaptive\"},"
#define RESULT            "{\"role\":\"user\",\"content\":[{\"type\":\"tool_result\"}]}"
#define WITH(thinking, x) "{" thinking "\"messages\":[" x "]}"

/* A turn that calls tools and begins without thinking is refused where thinking is by budget. */
static void test_thinking_goes_off(void **state)
{
    (void)state;
    check(WITH(ON, ASK "," SAID(EMPTY "," CALL) "," RESULT),
          WITH(OFF, ASK "," SAID(CALL) "," RESULT), true);
    check(WITH(AUTO, ASK "," SAID(EMPTY "," CALL) "," RESULT),
          WITH(AUTO, ASK "," SAID(CALL) "," RESULT), true);
    check(WITH(ON, ASK "," SAID(EMPTY "," TEXT) "," ASK), WITH(ON, ASK "," SAID(TEXT) "," ASK),
          true);
    check(WITH(ON, ASK "," SAID(EMPTY "," CALL) "," RESULT "," SAID(OWN "," CALL) "," RESULT),
          WITH(ON, ASK "," SAID(CALL) "," RESULT "," SAID(OWN "," CALL) "," RESULT), true);
    check(WITH(ON, ASK "," SAID(OWN "," EMPTY "," CALL) "," RESULT),
          WITH(ON, ASK "," SAID(OWN "," CALL) "," RESULT), true);
}

static void test_extra_body(void **state)
{
    (void)state;
    struct run run = {.request = {.task = GW_TASK_CHAT},
                      .deployment = {.extra_body = GW_STR("\"speed\":\"fast\"")}};
    patch(&run, &gw_api_anthropic, "{\"max_tokens\":1}");
    assert_string_equal(run.sent, "{\"max_tokens\":1,\"speed\":\"fast\"}");
    gw_arena_fini(&run.arena);
    patch(&run, &gw_api_vertex_claude, "{\"max_tokens\":1}");
    assert_string_equal(run.sent, "{\"max_tokens\":1,\"anthropic_version\":\"vertex-2023-10-16\","
                                  "\"speed\":\"fast\"}");
    gw_arena_fini(&run.arena);
    run.request.task = GW_TASK_TOKEN_COUNT;
    patch(&run, &gw_api_anthropic, "{\"model\":\"m\"}");
    assert_string_equal(run.sent, "{\"model\":\"m\"}");
    gw_arena_fini(&run.arena);
}

static void test_extra_body_translated(void **state)
{
    (void)state;
    static const char chat[] = "{\"messages\":[{\"role\":\"user\",\"content\":\"q\"}]}";
    struct run run = {.request = {.task = GW_TASK_CHAT},
                      .deployment = {.extra_body = GW_STR("\"speed\":\"fast\"")}};
    struct gw_provider_call call = {0};
    struct gw_provider_input in = {.deployment = &run.deployment,
                                   .upstream_model = GW_STR("claude-haiku-5-5"),
                                   .request = &run.request,
                                   .arena = &run.arena,
                                   .notes = &run.notes};
    yyjson_doc *doc = yyjson_read(chat, strlen(chat), 0);
    gw_arena_init(&run.arena, NULL, 0, 4096, BODY_BYTES);
    gw_notes_init(&run.notes, &run.arena, false, &run.error);
    gw_buf_init(&call.body, BODY_BYTES);
    assert_int_equal(gw_api_anthropic.encode(&in, yyjson_doc_get_root(doc), &call), GW_OK);
    (void)gw_buf_append_byte(&call.body, '\0');
    assert_string_equal(call.body.ptr,
                        "{\"model\":\"claude-haiku-5-5\",\"max_tokens\":128000,\"speed\":\"fast\","
                        "\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\","
                        "\"text\":\"q\"}]}]}");
    yyjson_doc_free(doc);
    gw_buf_fini(&call.body);
    gw_arena_fini(&run.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocks),     cmocka_unit_test(test_whole_messages),
        cmocka_unit_test(test_what_stays), cmocka_unit_test(test_thinking_goes_off),
        cmocka_unit_test(test_extra_body), cmocka_unit_test(test_extra_body_translated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
