/* SPDX-License-Identifier: MIT */
/* llm/continuation - who can go on, and the request that asks for it. */
#include "llm/continuation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "json/value.h"

#define PLAIN "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}"

static yyjson_doc *read(const char *text)
{
    yyjson_doc *doc = yyjson_read(text, strlen(text), 0);
    assert_non_null(doc);
    return doc;
}

static bool is_possible(const char *provider, const char *path, const char *model, const char *chat)
{
    struct gw_continuation_target target = {.provider = gw_str_from_c(provider),
                                            .base_path = gw_str_from_c(path),
                                            .model = gw_str_from_c(model)};
    yyjson_doc *doc = read(chat);
    bool is = gw_continuation_is_possible(&target, yyjson_doc_get_root(doc));
    yyjson_doc_free(doc);
    return is;
}

static void test_who_can(void **state)
{
    (void)state;
    static const struct {
        const char *provider;
        const char *path;
        const char *model;
        bool can;
    } rows[] = {
        {"anthropic", "", "claude-3-5-sonnet-20241022", true},
        {"anthropic", "", "claude-3-haiku-20240307", true},
        {"anthropic", "", "claude-opus-4-20250514", true},
        {"anthropic", "", "claude-opus-4-1", true},
        {"anthropic", "", "claude-opus-4-5-20251101", true},
        {"anthropic", "", "claude-opus-4-6", false},
        {"anthropic", "", "claude-opus-5", false},
        {"anthropic", "", "claude-sonnet-4-5-20250929", true},
        {"anthropic", "", "claude-sonnet-4.5", true},
        {"anthropic", "", "claude-sonnet-4-6", false},
        {"anthropic", "", "claude-sonnet-5-5", false},
        {"anthropic", "", "claude-haiku-4-5", true},
        {"anthropic", "", "claude-haiku-5", false},
        {"anthropic", "", "claude-fable-5", false},
        {"anthropic", "", "claude-sonnet-latest", false},
        {"anthropic", "", "claude-opus-", false},
        {"anthropic", "", "claude", false},
        {"anthropic", "", "", false},
        {"vertex_ai", "", "claude-sonnet-4-5@20250929", true},
        {"vertex_ai", "", "gemini-2.5-pro", false},
        {"bedrock", "", "us.anthropic.claude-3-7-sonnet-20250219-v1:0", true},
        {"bedrock", "", "anthropic.claude-opus-4-6-v1:0", false},
        {"bedrock", "", "eu.amazon.nova-pro-v1:0", true},
        {"bedrock", "", "amazon.nova-2-lite-v1:0", false},
        {"bedrock", "", "meta.llama3-70b", false},
        {"mistral", "/v1", "mistral-small-2603", true},
        {"mistral", "/v1", "magistral-medium-latest", false},
        {"vllm", "/v1", "qwen3", true},
        {"llamacpp", "/v1", "m", true},
        {"openai", "/v1", "gpt-5", false},
        {"azure", "", "gpt-5", false},
        {"gemini", "/v1beta", "gemini-2.5-pro", false},
        {"cohere", "/v2", "command-a", false},
        {"openai_like", "/v1", "claude-3-5-sonnet", false},
        {"deepseek", "", "deepseek-chat", false},
        {"deepseek", "/beta", "deepseek-chat", false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        bool can = is_possible(rows[i].provider, rows[i].path, rows[i].model, PLAIN);
        if (can != rows[i].can) {
            print_message("%s %s\n", rows[i].provider, rows[i].model);
        }
        assert_int_equal(can, rows[i].can);
    }
}

static void test_what_can_be_gone_on_with(void **state)
{
    (void)state;
    static const char unthinking[] = "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}],"
                                     "\"reasoning_effort\":\"none\"}";
    static const char disabled[] = "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}],"
                                   "\"thinking\":{\"type\":\"disabled\"}}";
    static const char *const refused[] = {
        "{}",
        "{\"messages\":[]}",
        "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}],\"n\":2}",
        "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}],\"reasoning_effort\":\"low\"}",
        "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}],"
        "\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":2000}}",
        "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}],"
        "\"response_format\":{\"type\":\"json_object\"}}",
        "{\"messages\":[{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[]}]}",
        "{\"messages\":[{\"role\":\"assistant\",\"content\":[{\"type\":\"text\",\"text\":\"a\"}]}]"
        "}",
    };
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        assert_false(is_possible("mistral", "/v1", "mistral-small", refused[i]));
        assert_false(is_possible("anthropic", "", "claude-3-5-sonnet-20241022", refused[i]));
    }
    assert_true(is_possible("deepseek", "/beta", "deepseek-chat", unthinking));
    assert_true(is_possible("deepseek", "/beta", "deepseek-chat", disabled));
    assert_false(is_possible("deepseek", "/v1", "deepseek-chat", unthinking));
    assert_true(is_possible("anthropic", "", "claude-opus-4-1", disabled));
    assert_true(is_possible("mistral", "/v1", "m",
                            "{\"messages\":[{\"role\":\"assistant\",\"content\":\"It is\"}],"
                            "\"n\":1,\"response_format\":{\"type\":\"text\"}}"));
    struct gw_continuation_target target = {.provider = GW_STR("mistral")};
    assert_true(gw_continuation_repeats(&target));
    target.provider = GW_STR("anthropic");
    assert_false(gw_continuation_repeats(&target));
}

static void check_made(const char *chat, const char *delivered, uint64_t tokens,
                       const char *expected)
{
    yyjson_doc *doc = read(chat);
    yyjson_doc *made = NULL;
    struct gw_buf out;
    assert_int_equal(
        gw_continuation_make(yyjson_doc_get_root(doc), gw_str_from_c(delivered), tokens, &made),
        GW_OK);
    gw_buf_init(&out, 1 << 16);
    gw_json_write(yyjson_doc_get_root(made), &out);
    if (!gw_str_eq(gw_buf_str(&out), gw_str_from_c(expected))) {
        print_message("%.*s\n", (int)gw_buf_str(&out).len, gw_buf_str(&out).ptr);
    }
    assert_true(gw_str_eq(gw_buf_str(&out), gw_str_from_c(expected)));
    gw_buf_fini(&out);
    yyjson_doc_free(made);
    yyjson_doc_free(doc);
}

static void test_the_request(void **state)
{
    (void)state;
    check_made("{\"model\":\"m\",\"messages\":[{\"role\":\"system\",\"content\":\"Be brief\"},"
               "{\"role\":\"user\",\"content\":\"Hi\"}],\"max_tokens\":100,\"stream\":true}",
               "Hello \"you\" \n", 40,
               "{\"model\":\"m\",\"messages\":[{\"role\":\"system\",\"content\":\"Be brief\"},"
               "{\"role\":\"user\",\"content\":\"Hi\"},"
               "{\"role\":\"assistant\",\"content\":\"Hello \\\"you\\\"\",\"prefix\":true}],"
               "\"max_tokens\":60,\"stream\":true}");
    /* The client began the answer: one message. */
    check_made("{\"messages\":[{\"role\":\"user\",\"content\":\"Sky?\"},"
               "{\"role\":\"assistant\",\"content\":\"It is\"}],\"max_completion_tokens\":10}",
               " blue ", 40,
               "{\"messages\":[{\"role\":\"user\",\"content\":\"Sky?\"},"
               "{\"role\":\"assistant\",\"content\":\"It is blue\",\"prefix\":true}],"
               "\"max_completion_tokens\":1}");
    /* Nothing but white space: the request as it was. */
    check_made(PLAIN, " \n", 1, PLAIN);
    check_made("{\"max_tokens\":null}", "x", 1, "{\"max_tokens\":null}");
    assert_int_equal(gw_continuation_prefix(GW_STR("a b\t\n ")).len, 3);
    assert_int_equal(gw_continuation_prefix(GW_STR("")).len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_can),
        cmocka_unit_test(test_what_can_be_gone_on_with),
        cmocka_unit_test(test_the_request),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
