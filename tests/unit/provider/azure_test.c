/* SPDX-License-Identifier: MIT */
/* provider/azure and provider/entra - targets, credentials, bodies, tokens. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/secret.h"
#include "llm/token_slot.h"
#include "provider/api.h"
#include "provider/entra.h"

static void assert_text(struct gw_str text, const char *expected)
{
    struct gw_buf copy;
    gw_buf_init(&copy, 65536);
    (void)gw_buf_append(&copy, text);
    (void)gw_buf_append_byte(&copy, '\0');
    assert_string_equal(copy.ptr, expected);
    gw_buf_fini(&copy);
}

static void check_target(const char *base, const char *version, const char *path,
                         const char *expected)
{
    struct gw_arena arena;
    struct gw_error error = {0};
    struct gw_notes notes;
    struct gw_llm_request request = {.task = GW_TASK_PASS};
    struct gw_deployment deployment = {.provider_name = GW_STR("azure"),
                                       .base_path = gw_str_from_c(base),
                                       .api_version = gw_str_from_c(version)};
    struct gw_provider_call call = {0};
    struct gw_json_splice splice;
    gw_arena_init(&arena, NULL, 0, 4096, 65536);
    gw_notes_init(&notes, &arena, false, &error);
    struct gw_provider_input in = {.deployment = &deployment,
                                   .upstream_model = GW_STR("my gpt"),
                                   .request = &request,
                                   .arena = &arena,
                                   .notes = &notes};
    assert_int_equal(gw_api_azure.patch(&in, gw_str_from_c(path), GW_STR("api-version=old&x=1"),
                                        GW_STR("{}"), &splice, &call),
                     GW_OK);
    assert_text(call.target, expected);
    gw_arena_fini(&arena);
}

static void test_targets(void **state)
{
    (void)state;
    check_target("", "2024-10-21", "/chat/completions",
                 "/openai/deployments/my%20gpt/chat/completions?api-version=2024-10-21&x=1");
    check_target("/openai", "2025-04-01-preview", "/responses",
                 "/openai/responses?api-version=2025-04-01-preview&x=1");
    check_target("", "", "/chat/completions", "/openai/v1/chat/completions?x=1");
    check_target("", "preview", "/responses", "/openai/v1/responses?api-version=preview&x=1");
    check_target("/openai/v1", "", "/embeddings", "/openai/v1/embeddings?x=1");
    check_target("/openai/deployments/d", "2024-10-21", "/embeddings",
                 "/openai/deployments/d/embeddings?api-version=2024-10-21&x=1");
}

static void check_body(const char *version, const char *expected)
{
    struct gw_arena arena;
    struct gw_error error = {0};
    struct gw_notes notes;
    struct gw_llm_request request = {.task = GW_TASK_CHAT};
    struct gw_deployment deployment = {.provider_name = GW_STR("azure"),
                                       .api_version = gw_str_from_c(version)};
    struct gw_provider_call call = {0};
    const char *chat = "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}";
    yyjson_doc *doc = yyjson_read(chat, strlen(chat), 0);
    gw_arena_init(&arena, NULL, 0, 4096, 65536);
    gw_notes_init(&notes, &arena, false, &error);
    gw_buf_init(&call.body, 65536);
    struct gw_provider_input in = {.deployment = &deployment,
                                   .upstream_model = GW_STR("gpt-4.1"),
                                   .request = &request,
                                   .arena = &arena,
                                   .notes = &notes};
    assert_int_equal(gw_api_azure.encode(&in, yyjson_doc_get_root(doc), &call), GW_OK);
    assert_text(gw_buf_str(&call.body), expected);
    gw_buf_fini(&call.body);
    gw_arena_fini(&arena);
    yyjson_doc_free(doc);
}

static void test_bodies(void **state)
{
    (void)state;
    check_body("2024-10-21", "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}");
    check_body("", "{\"model\":\"gpt-4.1\",\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}");
}

static void test_credentials(void **state)
{
    (void)state;
    struct gw_arena arena;
    struct gw_secret *key = gw_secret_create(GW_STR("k1"));
    struct gw_token_slot *slot = gw_token_slot_create();
    struct gw_deployment deployment = {0};
    struct gw_provider_call call = {0};
    gw_arena_init(&arena, NULL, 0, 4096, 65536);
    struct gw_authorize_input in = {.deployment = &deployment, .credential = key, .arena = &arena};
    assert_int_equal(gw_api_azure.authorize(&in, &call), GW_OK);
    assert_text(call.fields[0].name, "api-key");
    assert_text(call.fields[0].value, "k1");
    deployment.token = slot;
    assert_int_equal(gw_api_azure.authorize(&in, &call), GW_ERR_NOT_FOUND);
    assert_int_equal(gw_token_slot_set(slot, &(struct gw_token){.access = GW_STR("t1")}, 1), GW_OK);
    assert_int_equal(gw_api_azure.authorize(&in, &call), GW_OK);
    assert_text(call.fields[1].name, "authorization");
    assert_text(call.fields[1].value, "Bearer t1");
    gw_secret_destroy(&key);
    gw_token_slot_destroy(&slot);
    gw_arena_fini(&arena);
}

static void test_token_requests(void **state)
{
    (void)state;
    struct gw_arena arena;
    struct gw_entra_request made = {0};
    gw_arena_init(&arena, NULL, 0, 4096, 65536);
    struct gw_entra_opts opts = {.kind = GW_ENTRA_SECRET,
                                 .tenant = GW_STR("ten"),
                                 .client_id = GW_STR("id"),
                                 .client_secret = GW_STR("a&b=")};
    assert_int_equal(gw_entra_make_request(&opts, &arena, &made), GW_OK);
    assert_text(made.url, "https://login.microsoftonline.com/ten/oauth2/v2.0/token");
    assert_text(made.body, "grant_type=client_credentials&client_id=id&client_secret=a%26b%3D&"
                           "scope=https%3A%2F%2Fcognitiveservices.azure.com%2F.default");
    opts.kind = GW_ENTRA_ASSERTION;
    assert_int_equal(gw_entra_make_request(&opts, &arena, &made), GW_ERR_INVALID);
    opts.assertion = GW_STR("jwt\n");
    assert_int_equal(gw_entra_make_request(&opts, &arena, &made), GW_OK);
    assert_text(made.body,
                "grant_type=client_credentials&client_id=id&client_assertion_type="
                "urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&"
                "client_assertion=jwt&scope=https%3A%2F%2Fcognitiveservices.azure.com%2F.default");
    opts = (struct gw_entra_opts){.kind = GW_ENTRA_MACHINE};
    assert_int_equal(gw_entra_make_request(&opts, &arena, &made), GW_OK);
    assert_text(made.url, "http://169.254.169.254/metadata/identity/oauth2/token?api-version="
                          "2018-02-01&resource=https%3A%2F%2Fcognitiveservices.azure.com");
    assert_text(made.field_name, "metadata");
    opts = (struct gw_entra_opts){.kind = GW_ENTRA_APP,
                                  .endpoint = GW_STR("http://127.0.0.1:1/msi/token"),
                                  .identity_header = GW_STR("h")};
    assert_int_equal(gw_entra_make_request(&opts, &arena, &made), GW_OK);
    assert_text(made.url, "http://127.0.0.1:1/msi/token?api-version=2019-08-01&resource="
                          "https%3A%2F%2Fcognitiveservices.azure.com");
    gw_arena_fini(&arena);
}

static void test_tokens(void **state)
{
    (void)state;
    struct gw_arena arena;
    struct gw_token token = {0};
    struct gw_str why = {0};
    gw_arena_init(&arena, NULL, 0, 4096, 65536);
    assert_int_equal(gw_entra_read_token(200,
                                         GW_STR("{\"token_type\":\"Bearer\",\"expires_in\":3599,"
                                                "\"access_token\":\"abc\"}"),
                                         1000, &arena, &token, &why),
                     GW_OK);
    assert_text(token.access, "abc");
    assert_int_equal(token.expires_at_ms, 3600000);
    assert_int_equal(gw_entra_read_token(200,
                                         GW_STR("{\"access_token\":\"x\",\"expires_on\":"
                                                "\"1795255872\"}"),
                                         1000, &arena, &token, &why),
                     GW_OK);
    assert_int_equal(token.expires_at_ms, UINT64_C(1795255872000));
    assert_int_equal(gw_entra_read_token(401,
                                         GW_STR("{\"error\":\"invalid_client\","
                                                "\"error_description\":\"AADSTS7000215: bad.\\r\\n"
                                                "Trace\"}"),
                                         1000, &arena, &token, &why),
                     GW_ERR_REFUSED);
    assert_text(why, "the token server answered 401: AADSTS7000215: bad.");
    assert_int_equal(gw_entra_read_token(200, GW_STR("{}"), 1000, &arena, &token, &why),
                     GW_ERR_PROTOCOL);
    assert_int_equal(gw_entra_read_token(502, GW_STR("<html>"), 1000, &arena, &token, &why),
                     GW_ERR_REFUSED);
    gw_arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_targets),     cmocka_unit_test(test_bodies),
        cmocka_unit_test(test_credentials), cmocka_unit_test(test_token_requests),
        cmocka_unit_test(test_tokens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
