/* SPDX-License-Identifier: MIT */
/* dialect/responses - requests to the neutral one, byte for byte. */
#include "dialect/dialect.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "json/value.h"

struct fixture {
    struct gw_arena arena;
    struct gw_llm_request request;
    struct gw_error error;
    struct gw_notes notes;
    struct gw_buf text;
};

static int setup(void **state)
{
    static struct fixture fixture;
    fixture = (struct fixture){0};
    gw_arena_init(&fixture.arena, NULL, 0, 4096, 1 << 20);
    gw_buf_init(&fixture.text, 1 << 20);
    *state = &fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    gw_buf_fini(&fixture->text);
    gw_arena_fini(&fixture->arena);
    return 0;
}

static enum gw_err convert(struct fixture *f, const char *body)
{
    const struct gw_dialect *dialect = &gw_dialect_responses;
    struct gw_inbound in = {.body = gw_str_from_c(body)};
    yyjson_doc *chat = NULL;
    enum gw_err err = dialect->decode(&in, GW_TASK_RESPONSE, &f->arena, &f->request, &f->error);
    gw_notes_init(&f->notes, &f->arena, false, &f->error);
    gw_buf_reset(&f->text);
    if (err == GW_OK) {
        err = dialect->to_chat(&in, &f->request, &f->notes, &chat);
    }
    if (err == GW_OK) {
        gw_json_write(yyjson_doc_get_root(chat), &f->text);
        (void)gw_buf_append_byte(&f->text, '\0');
    }
    yyjson_doc_free(chat);
    return err;
}

/* The result without what is only noted for the way back. */
static char *chat_of(struct fixture *f, const char *body)
{
    assert_int_equal(convert(f, body), GW_OK);
    char *echo = strstr(f->text.ptr, ",\"_echo\":");
    assert_non_null(echo);
    memcpy(echo, "}", 2);
    return f->text.ptr;
}

#define M "{\"model\":\"m\",\"messages\":["

static const struct {
    const char *name;
    const char *body;
    const char *chat;
} goldens[] = {
    {"plain", "{\"model\":\"m\",\"input\":\"Hi\"}", M "{\"role\":\"user\",\"content\":\"Hi\"}]}"},
    {"stream", "{\"model\":\"m\",\"input\":\"Hi\",\"stream\":true}",
     M "{\"role\":\"user\",\"content\":\"Hi\"}],\"stream\":true}"},
    {"instructions",
     "{\"model\":\"m\",\"instructions\":\"Be brief.\",\"input\":\"Hi\","
     "\"max_output_tokens\":50,\"temperature\":0.5,\"top_p\":1}",
     M "{\"role\":\"system\",\"content\":\"Be brief.\"},{\"role\":\"user\",\"content\":\"Hi\"}],"
       "\"max_completion_tokens\":50,\"temperature\":0.5,\"top_p\":1}"},
    {"items of several turns",
     "{\"model\":\"m\",\"input\":[{\"role\":\"developer\",\"content\":\"Be kind.\"},"
     "{\"type\":\"message\",\"role\":\"user\",\"content\":[{\"type\":\"input_text\",\"text\":\"A\"}"
     "]},"
     "{\"type\":\"message\",\"role\":\"assistant\",\"id\":\"msg_1\",\"status\":\"completed\","
     "\"content\":[{\"type\":\"output_text\",\"text\":\"B\",\"annotations\":[]}]},"
     "{\"role\":\"user\",\"content\":\"C\"}]}",
     M "{\"role\":\"system\",\"content\":\"Be kind.\"},{\"role\":\"user\",\"content\":\"A\"},"
       "{\"role\":\"assistant\",\"content\":\"B\"},{\"role\":\"user\",\"content\":\"C\"}]}"},
    {"a refusal, and text in two parts",
     "{\"model\":\"m\",\"input\":[{\"role\":\"assistant\",\"content\":[{\"type\":\"refusal\","
     "\"refusal\":\"No.\"}]},{\"role\":\"assistant\",\"content\":[{\"type\":\"output_text\","
     "\"text\":\"1\"},{\"type\":\"output_text\",\"text\":\"2\"}]}]}",
     M "{\"role\":\"assistant\",\"content\":null,\"refusal\":\"No.\"},{\"role\":\"assistant\","
       "\"content\":[{\"type\":\"text\",\"text\":\"1\"},{\"type\":\"text\",\"text\":\"2\"}]}]}"},
    {"one tool, forced, and its output",
     "{\"model\":\"m\",\"input\":[{\"role\":\"user\",\"content\":\"Weather?\"},"
     "{\"type\":\"function_call\",\"id\":\"fc_1\",\"call_id\":\"call_1\",\"name\":\"f\","
     "\"arguments\":\"{\\\"a\\\":1}\",\"status\":\"completed\"},"
     "{\"type\":\"function_call_output\",\"call_id\":\"call_1\",\"output\":\"sunny\"}],"
     "\"tools\":[{\"type\":\"function\",\"name\":\"f\",\"description\":\"d\",\"parameters\":"
     "{\"type\":\"object\"},\"strict\":true}],\"tool_choice\":{\"type\":\"function\","
     "\"name\":\"f\"},\"parallel_tool_calls\":false}",
     M "{\"role\":\"user\",\"content\":\"Weather?\"},{\"role\":\"assistant\",\"content\":null,"
       "\"tool_calls\":[{\"id\":\"call_1\",\"type\":\"function\",\"function\":{\"name\":\"f\","
       "\"arguments\":\"{\\\"a\\\":1}\"}}]},{\"role\":\"tool\",\"tool_call_id\":\"call_1\","
       "\"content\":\"sunny\"}],\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\","
       "\"description\":\"d\",\"parameters\":{\"type\":\"object\"},\"strict\":true}}],"
       "\"tool_choice\":{\"type\":\"function\",\"function\":{\"name\":\"f\"}},"
       "\"parallel_tool_calls\":false}"},
    {"parallel calls behind text, and an image as output",
     "{\"model\":\"m\",\"input\":[{\"role\":\"assistant\",\"content\":\"Let me look.\"},"
     "{\"type\":\"function_call\",\"call_id\":\"c1\",\"name\":\"f\",\"arguments\":\"{}\"},"
     "{\"type\":\"function_call\",\"call_id\":\"c2\",\"name\":\"g\",\"arguments\":\"\"},"
     "{\"type\":\"function_call_output\",\"call_id\":\"c1\",\"output\":[{\"type\":\"input_text\","
     "\"text\":\"ok\"}]},{\"type\":\"function_call_output\",\"call_id\":\"c2\",\"output\":["
     "{\"type\":\"input_image\",\"image_url\":\"data:image/png;base64,AA==\"}]}]}",
     M "{\"role\":\"assistant\",\"content\":\"Let me look.\",\"tool_calls\":[{\"id\":\"c1\","
       "\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}},{\"id\":\"c2\","
       "\"type\":\"function\",\"function\":{\"name\":\"g\",\"arguments\":\"\"}}]},"
       "{\"role\":\"tool\",\"tool_call_id\":\"c1\",\"content\":\"ok\"},{\"role\":\"tool\","
       "\"tool_call_id\":\"c2\",\"content\":[{\"type\":\"image_url\",\"image_url\":{\"url\":"
       "\"data:image/png;base64,AA==\"}}]}]}"},
    {"a custom tool",
     "{\"model\":\"m\",\"input\":[{\"type\":\"custom_tool_call\",\"call_id\":\"c1\",\"name\":"
     "\"apply_patch\",\"input\":\"*** Begin\\n\"},{\"type\":\"custom_tool_call_output\","
     "\"call_id\":\"c1\",\"output\":\"Done\"}],\"tools\":[{\"type\":\"custom\",\"name\":"
     "\"apply_patch\",\"description\":\"d\",\"format\":{\"type\":\"grammar\",\"syntax\":\"lark\","
     "\"definition\":\"start: x\"}}],\"tool_choice\":\"auto\"}",
     M
     "{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{\"id\":\"c1\",\"type\":\"custom\","
     "\"custom\":{\"name\":\"apply_patch\",\"input\":\"*** Begin\\n\"}}]},{\"role\":\"tool\","
     "\"tool_call_id\":\"c1\",\"content\":\"Done\"}],\"tools\":[{\"type\":\"custom\",\"custom\":{"
     "\"name\":\"apply_patch\",\"description\":\"d\",\"format\":{\"type\":\"grammar\",\"grammar\":"
     "{\"syntax\":\"lark\",\"definition\":\"start: x\"}}}}],\"tool_choice\":\"auto\"}"},
    {"images and files",
     "{\"model\":\"m\",\"input\":[{\"role\":\"user\",\"content\":[{\"type\":\"input_text\","
     "\"text\":"
     "\"What?\"},{\"type\":\"input_image\",\"image_url\":\"https://a/b.png\",\"detail\":\"low\"},"
     "{\"type\":\"input_image\",\"file_id\":\"file-1\"},{\"type\":\"input_file\",\"filename\":"
     "\"a.pdf\",\"file_data\":\"data:application/pdf;base64,AA==\"},{\"type\":\"input_new\","
     "\"x\":1}]}]}",
     M "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"What?\"},{\"type\":"
       "\"image_url\",\"image_url\":{\"url\":\"https://a/b.png\",\"detail\":\"low\"}},{\"type\":"
       "\"file\",\"file\":{\"file_id\":\"file-1\"}},{\"type\":\"file\",\"file\":{\"filename\":"
       "\"a.pdf\",\"file_data\":\"data:application/pdf;base64,AA==\"}},{\"type\":\"input_new\","
       "\"x\":1}]}]}"},
    {"json_schema, effort, verbosity, logprobs",
     "{\"model\":\"m\",\"input\":\"x\",\"text\":{\"format\":{\"type\":\"json_schema\",\"name\":"
     "\"n\","
     "\"schema\":{\"type\":\"object\"},\"strict\":true},\"verbosity\":\"low\"},\"reasoning\":{"
     "\"effort\":\"high\",\"summary\":\"auto\"},\"top_logprobs\":2,\"include\":["
     "\"message.output_text.logprobs\",\"reasoning.encrypted_content\"]}",
     M "{\"role\":\"user\",\"content\":\"x\"}],\"response_format\":{\"type\":\"json_schema\","
       "\"json_schema\":{\"name\":\"n\",\"schema\":{\"type\":\"object\"},\"strict\":true}},"
       "\"verbosity\":\"low\",\"reasoning_effort\":\"high\",\"top_logprobs\":2,\"logprobs\":true}"},
    {"json_object",
     "{\"model\":\"m\",\"input\":\"x\",\"text\":{\"format\":{\"type\":\"json_object\"}}}",
     M "{\"role\":\"user\",\"content\":\"x\"}],\"response_format\":{\"type\":\"json_object\"}}"},
    {"reasoning of three vendors",
     "{\"model\":\"m\",\"input\":[{\"type\":\"reasoning\",\"id\":\"rs_1\",\"summary\":[{\"type\":"
     "\"summary_text\",\"text\":\"Hm.\"}],\"encrypted_content\":\"gAAA\"},{\"role\":\"assistant\","
     "\"content\":\"A\"},{\"type\":\"reasoning\",\"id\":\"rs_2\",\"summary\":[{\"type\":"
     "\"summary_text\",\"text\":\"So\"}],\"encrypted_content\":\"gatewire.thinking.SIG\"},"
     "{\"type\":\"reasoning\",\"id\":\"rs_3\",\"summary\":[],\"encrypted_content\":"
     "\"gatewire.redacted.XYZ\"},{\"type\":\"reasoning\",\"id\":\"rs_4\",\"summary\":[],"
     "\"encrypted_content\":\"gatewire.google.GS\"},{\"type\":\"function_call\",\"call_id\":\"c1\","
     "\"name\":\"f\",\"arguments\":\"{}\"}]}",
     M
     "{\"role\":\"assistant\",\"content\":\"A\",\"reasoning_content\":\"Hm.\",\"reasoning_items\":["
     "{\"type\":\"reasoning\",\"id\":\"rs_1\",\"summary\":[{\"type\":\"summary_text\",\"text\":"
     "\"Hm.\"}],\"encrypted_content\":\"gAAA\"}]},{\"role\":\"assistant\",\"content\":null,"
     "\"reasoning_content\":\"So\",\"thinking_blocks\":[{\"type\":\"thinking\",\"thinking\":\"So\","
     "\"signature\":\"SIG\"},{\"type\":\"redacted_thinking\",\"data\":\"XYZ\"}],\"tool_calls\":[{"
     "\"id\":\"c1\",\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"},"
     "\"extra_content\":{\"google\":{\"thought_signature\":\"GS\"}}}]}]}"},
    {"a shell that the client runs",
     "{\"model\":\"m\",\"input\":[{\"type\":\"local_shell_call\",\"id\":\"l\",\"call_id\":\"c\","
     "\"action\":{\"type\":\"exec\",\"command\":[\"ls\"]},\"status\":\"completed\"},{\"type\":"
     "\"local_shell_call_output\",\"call_id\":\"c\",\"output\":\"a b\"}]}",
     M
     "{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{\"id\":\"c\",\"type\":\"function\","
     "\"function\":{\"name\":\"local_shell\",\"arguments\":"
     "\"{\\\"type\\\":\\\"exec\\\",\\\"command\\\":[\\\"ls\\\"]}\"}}]},{\"role\":\"tool\","
     "\"tool_call_id\":\"c\",\"content\":\"a b\"}]}"},
    {"allowed tools and tools that come later",
     "{\"model\":\"m\",\"input\":[{\"role\":\"user\",\"content\":\"x\"},{\"type\":"
     "\"additional_tools\",\"role\":\"developer\",\"tools\":[{\"type\":\"function\",\"name\":\"g\"}"
     ","
     "{\"type\":\"function\",\"name\":\"f\",\"description\":\"again\"}]}],\"tools\":[{\"type\":"
     "\"function\",\"name\":\"f\"}],\"tool_choice\":{\"type\":\"allowed_tools\",\"mode\":"
     "\"required\",\"tools\":[{\"type\":\"function\",\"name\":\"g\"},{\"type\":\"web_search\"}]}}",
     M
     "{\"role\":\"user\",\"content\":\"x\"}],\"tools\":[{\"type\":\"function\",\"function\":{"
     "\"name\":"
     "\"f\"}},{\"type\":\"function\",\"function\":{\"name\":\"g\"}}],\"tool_choice\":{\"type\":"
     "\"allowed_tools\",\"allowed_tools\":{\"mode\":\"required\",\"tools\":[{\"type\":\"function\","
     "\"function\":{\"name\":\"g\"}}]}}}"},
    {"a breakpoint of the prompt cache",
     "{\"model\":\"m\",\"input\":[{\"role\":\"user\",\"content\":[{\"type\":\"input_text\","
     "\"text\":"
     "\"x\",\"prompt_cache_breakpoint\":{\"mode\":\"explicit\"}}]}]}",
     M "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"x\",\"cache_control\":{"
       "\"type\":"
       "\"ephemeral\"}}]}]}"},
};

static void test_goldens(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < GW_ARRAY_LEN(goldens); i++) {
        const char *chat = chat_of(f, goldens[i].body);
        if (strcmp(chat, goldens[i].chat) != 0) {
            print_error("%s\n", goldens[i].name);
        }
        assert_string_equal(chat, goldens[i].chat);
    }
}

static void test_namespaces(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(
        convert(f, "{\"model\":\"m\",\"input\":[{\"type\":\"function_call\",\"call_id\":\"c\","
                   "\"namespace\":\"crm\",\"name\":\"get\",\"arguments\":\"{}\"}],\"tools\":[{"
                   "\"type\":\"namespace\",\"name\":\"crm\",\"description\":\"d\",\"tools\":[{"
                   "\"type\":\"function\",\"name\":\"get\",\"defer_loading\":true},{\"type\":"
                   "\"custom\",\"name\":\"put\",\"description\":\"e\"}]},{\"type\":\"namespace\","
                   "\"name\":\"n\",\"description\":\"about\",\"tools\":[{\"type\":\"function\","
                   "\"name\":\"a\",\"description\":\"b\"}]}]}"),
        GW_OK);
    assert_non_null(strstr(f->text.ptr, "\"function\":{\"name\":\"crm__get\",\"arguments\""));
    assert_non_null(strstr(f->text.ptr,
                           "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":"
                           "\"crm__get\",\"description\":\"d\"}},{\"type\":\"custom\","
                           "\"custom\":{\"name\":\"crm__put\",\"description\":\"e\"}},{"
                           "\"type\":\"function\",\"function\":{\"name\":\"n__a\","
                           "\"description\":\"about\\n\\nb\"}}]"));
    assert_non_null(strstr(f->text.ptr, "\"_namespaces\":{\"crm__get\":{\"namespace\":\"crm\","
                                        "\"name\":\"get\"},\"crm__put\":{"));
}

static void test_long_names_are_cut(void **state)
{
    struct fixture *f = *state;
    char body[512];
    char space[61] = {0};
    memset(space, 'n', 60);
    (void)snprintf(body, sizeof(body),
                   "{\"model\":\"m\",\"input\":\"x\",\"tools\":[{\"type\":\"namespace\",\"name\":"
                   "\"%s\",\"tools\":[{\"type\":\"function\",\"name\":\"first\"},{\"type\":"
                   "\"function\",\"name\":\"second\"}]}]}",
                   space);
    assert_int_equal(convert(f, body), GW_OK);
    char *first = strstr(f->text.ptr, "\"function\":{\"name\":\"nnn");
    assert_non_null(first);
    first += strlen("\"function\":{\"name\":\"");
    char *second = strstr(first, "\"function\":{\"name\":\"nnn");
    assert_non_null(second);
    second += strlen("\"function\":{\"name\":\"");
    assert_int_equal(strcspn(first, "\""), 64);
    assert_int_equal(strcspn(second, "\""), 64);
    assert_memory_not_equal(first, second, 64);
}

/* The messages of a conversation come again unchanged in its next turn. */
static void test_prefix(void **state)
{
    struct fixture *f = *state;
    char earlier[2048];
    const char *first =
        "{\"model\":\"m\",\"instructions\":\"I\",\"input\":[{\"role\":\"user\",\"content\":\"A\"},"
        "{\"type\":\"reasoning\",\"id\":\"r\",\"summary\":[],\"encrypted_content\":\"E\"},"
        "{\"type\":\"function_call\",\"call_id\":\"c\",\"name\":\"f\",\"arguments\":\"{}\"},"
        "{\"type\":\"function_call_output\",\"call_id\":\"c\",\"output\":\"o\"}]}";
    const char *second =
        "{\"model\":\"m\",\"instructions\":\"I\",\"input\":[{\"role\":\"user\",\"content\":\"A\"},"
        "{\"type\":\"reasoning\",\"id\":\"r\",\"summary\":[],\"encrypted_content\":\"E\"},"
        "{\"type\":\"function_call\",\"call_id\":\"c\",\"name\":\"f\",\"arguments\":\"{}\"},"
        "{\"type\":\"function_call_output\",\"call_id\":\"c\",\"output\":\"o\"},"
        "{\"role\":\"assistant\",\"content\":\"B\"},{\"role\":\"user\",\"content\":\"C\"}]}";
    const char *chat = chat_of(f, first);
    size_t len = strlen(chat) - 2; /* without "]}" */
    assert_true(len < sizeof(earlier));
    memcpy(earlier, chat, len);
    assert_memory_equal(chat_of(f, second), earlier, len);
}

static bool has_note(const struct fixture *f, enum gw_note_kind kind, const char *param)
{
    for (size_t i = 0; i < f->notes.count; i++) {
        if (f->notes.entries[i].kind == kind &&
            gw_str_eq(f->notes.entries[i].param, gw_str_from_c(param))) {
            return true;
        }
    }
    return false;
}

static void test_drops_are_noted(void **state)
{
    struct fixture *f = *state;
    assert_string_equal(
        chat_of(f, "{\"model\":\"m\",\"input\":[{\"role\":\"user\",\"content\":\"x\"},{\"type\":"
                   "\"web_search_call\",\"id\":\"w\"},{\"type\":\"brand_new\"}],\"tools\":[{"
                   "\"type\":\"web_search\"}],\"tool_choice\":\"auto\",\"max_tool_calls\":3,"
                   "\"truncation\":\"auto\"}"),
        M "{\"role\":\"user\",\"content\":\"x\"}]}");
    assert_true(has_note(f, GW_NOTE_DROPPED, "input[].type=web_search_call"));
    assert_true(has_note(f, GW_NOTE_DROPPED, "input[].type=brand_new"));
    assert_true(has_note(f, GW_NOTE_DROPPED, "tools[].type=web_search"));
    assert_true(has_note(f, GW_NOTE_DROPPED, "max_tool_calls"));
    assert_true(has_note(f, GW_NOTE_DROPPED, "truncation"));
}

static void test_hosted_choice_is_weakened(void **state)
{
    struct fixture *f = *state;
    const char *chat =
        chat_of(f, "{\"model\":\"m\",\"input\":\"x\",\"tools\":[{\"type\":\"function\",\"name\":"
                   "\"f\"}],\"tool_choice\":{\"type\":\"web_search\"}}");
    assert_non_null(strstr(chat, "\"tool_choice\":\"auto\""));
    assert_true(has_note(f, GW_NOTE_CHANGED, "tool_choice"));
}

static void test_refusals(void **state)
{
    static const struct {
        const char *body;
        const char *param;
    } cases[] = {
        {"{\"model\":\"m\",\"input\":7}", "input"},
        {"{\"model\":\"m\"}", "input"},
        {"{\"model\":\"m\",\"input\":[]}", "input"},
        {"{\"model\":\"m\",\"input\":[{\"role\":\"user\"}]}", "input[].content"},
        {"{\"model\":\"m\",\"input\":[{\"role\":\"king\",\"content\":\"x\"}]}", "input[].role"},
        {"{\"model\":\"m\",\"input\":\"x\",\"background\":true}", "background"},
        {"{\"model\":\"m\",\"input\":\"x\",\"conversation\":\"c\"}", "conversation"},
        {"{\"model\":\"m\",\"input\":\"x\",\"prompt\":{\"id\":\"p\"}}", "prompt"},
        {"{\"model\":\"m\",\"input\":\"x\",\"previous_response_id\":\"r\"}",
         "previous_response_id"},
        {"{\"model\":\"m\",\"input\":[{\"type\":\"item_reference\",\"id\":\"i\"}]}",
         "input[].type=item_reference"},
        {"{\"model\":\"m\",\"input\":[{\"id\":\"i\"}]}", "input[].type=item_reference"},
        {"{\"model\":\"m\",\"input\":[{\"type\":\"compaction\",\"encrypted_content\":\"x\"}]}",
         "input[].type=compaction"},
        {"{\"model\":\"m\",\"input\":\"x\",\"store\":\"yes\"}", "store"},
        {"{\"model\":\"m\",\"input\":\"x\",\"previous_response_id\":5}", "previous_response_id"},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < GW_ARRAY_LEN(cases); i++) {
        assert_int_equal(convert(f, cases[i].body), GW_ERR_INVALID);
        assert_int_equal(f->error.status, 400);
        assert_true(gw_str_eq(f->error.param, gw_str_from_c(cases[i].param)));
    }
}

static void test_envelope(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(convert(f, "{\"model\":\"m\",\"input\":\"x\",\"max_output_tokens\":9,"
                                "\"previous_response_id\":\"resp_\\u0041\",\"store\":false}"),
                     GW_ERR_INVALID);
    assert_int_equal(f->request.dialect, GW_DIALECT_RESPONSES);
    assert_int_equal(f->request.max_output_tokens, 9);
    assert_true(gw_str_eq(f->request.previous_response_id, GW_STR("resp_A")));
    assert_false(f->request.is_stored);
    assert_int_equal(convert(f, "{\"model\":\"m\",\"input\":\"x\",\"store\":null}"), GW_OK);
    assert_true(f->request.is_stored);
    assert_false(f->request.is_background);
    assert_int_equal(f->request.previous_response_id.len, 0);
}

static void test_too_many_tools(void **state)
{
    struct fixture *f = *state;
    struct gw_buf body;
    gw_buf_init(&body, 1 << 20);
    (void)gw_buf_append(&body, GW_STR("{\"model\":\"m\",\"input\":\"x\",\"tools\":["));
    for (unsigned i = 0; i < 2049; i++) {
        (void)gw_buf_appendf(&body, "%s{\"type\":\"function\",\"name\":\"f%u\"}", i > 0 ? "," : "",
                             i);
    }
    (void)gw_buf_append(&body, GW_STR("]}"));
    (void)gw_buf_append_byte(&body, '\0');
    assert_int_equal(convert(f, body.ptr), GW_ERR_INVALID);
    assert_true(gw_str_eq(f->error.param, GW_STR("tools")));
    gw_buf_fini(&body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_goldens, setup, teardown),
        cmocka_unit_test_setup_teardown(test_namespaces, setup, teardown),
        cmocka_unit_test_setup_teardown(test_long_names_are_cut, setup, teardown),
        cmocka_unit_test_setup_teardown(test_prefix, setup, teardown),
        cmocka_unit_test_setup_teardown(test_drops_are_noted, setup, teardown),
        cmocka_unit_test_setup_teardown(test_hosted_choice_is_weakened, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refusals, setup, teardown),
        cmocka_unit_test_setup_teardown(test_envelope, setup, teardown),
        cmocka_unit_test_setup_teardown(test_too_many_tools, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
