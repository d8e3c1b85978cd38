/* SPDX-License-Identifier: MIT */
/* control/token_source: which requests a source makes, in which order, and what it says when it
 * gets nowhere. */
#include "control/token_source.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static struct gw_token_spec spec;
static struct gw_token_fetch fetch;

static void begin(enum gw_token_kind kind)
{
    gw_token_fetch_fini(&fetch);
    spec = (struct gw_token_spec){.kind = kind, .label = GW_STR("test")};
    assert_int_equal(gw_token_fetch_init(&fetch, &spec), GW_OK);
    fetch.now_ms = 1795255872000;
}

static void set(enum gw_token_field field, const char *text)
{
    spec.fields[field] = gw_str_from_c(text);
}

static int end(void **state)
{
    (void)state;
    gw_token_fetch_fini(&fetch);
    return 0;
}

static void assert_has(struct gw_str text, const char *words)
{
    if (gw_str_find(text, gw_str_from_c(words)) == text.len) {
        fail_msg("\"%s\" is not in \"%.*s\"", words, GW_STR_ARG(text));
    }
}

/* The next step asks |method| |url|. |answer| NULL: the first. */
static void assert_sends(const char *answer, const char *method, const char *url, bool is_inside)
{
    enum gw_token_next next = GW_TOKEN_DONE;
    const struct gw_token_answer came = {.status = 200, .body = gw_str_from_c(answer)};
    enum gw_err err = gw_token_step(&fetch, answer == NULL ? NULL : &came, &next);
    if (err != GW_OK) {
        fail_msg("%s", fetch.why);
    }
    assert_int_equal(next, GW_TOKEN_SEND);
    assert_true(gw_str_eq(fetch.request.method, gw_str_from_c(method)));
    assert_has(fetch.request.url, url);
    assert_int_equal(fetch.request.is_inside, is_inside);
}

static void assert_done(const char *answer, const char *access)
{
    enum gw_token_next next = GW_TOKEN_SEND;
    const struct gw_token_answer came = {
        .status = 200, .body = gw_str_from_c(answer), .is_google_metadata = true};
    enum gw_err err = gw_token_step(&fetch, answer == NULL ? NULL : &came, &next);
    if (err != GW_OK) {
        fail_msg("%s", fetch.why);
    }
    assert_int_equal(next, GW_TOKEN_DONE);
    assert_true(gw_str_eq(fetch.token.access, gw_str_from_c(access)));
}

static void assert_fails(const struct gw_token_answer *answer, enum gw_err expected,
                         const char *why)
{
    enum gw_token_next next = GW_TOKEN_SEND;
    assert_int_equal(gw_token_step(&fetch, answer, &next), expected);
    assert_has(gw_str_from_c(fetch.why), why);
}

static const char keys_json[] =
    "{\"AccessKeyId\":\"AK\",\"SecretAccessKey\":\"SK\",\"Token\":\"T\","
    "\"Expiration\":\"2026-11-21T23:00:00Z\",\"Code\":\"Success\"}";
static const char sts_xml[] =
    "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ROLE</AccessKeyId>"
    "<SecretAccessKey>S</SecretAccessKey><SessionToken>T</SessionToken>"
    "<Expiration>2026-11-21T23:00:00Z</Expiration></Credentials></AssumeRoleResult>"
    "</AssumeRoleResponse>";

static void an_instance_is_asked_three_times(void **state)
{
    (void)state;
    begin(GW_TOKEN_AWS);
    set(GW_TOKEN_FIELD_METADATA_URL, "http://169.254.169.254");
    assert_sends(NULL, "PUT", "http://169.254.169.254/latest/api/token", true);
    assert_sends("session", "GET", "/latest/meta-data/iam/security-credentials/", true);
    assert_sends("my-role\n", "GET", "/iam/security-credentials/my-role", true);
    assert_done(keys_json, "AK");
    assert_true(gw_str_eq(fetch.token.session, GW_STR("T")));
    assert_true(fetch.token.expires_at_ms > fetch.now_ms);
}

static void a_role_is_assumed_with_what_was_found(void **state)
{
    (void)state;
    begin(GW_TOKEN_AWS);
    set(GW_TOKEN_FIELD_ROLE, "arn:aws:iam::1:role/r");
    set(GW_TOKEN_FIELD_REGION, "eu-west-1");
    set(GW_TOKEN_FIELD_CONTAINER_URL, "http://169.254.170.2/v2/x");
    set(GW_TOKEN_FIELD_CONTAINER_TOKEN, "secret");
    assert_sends(NULL, "GET", "http://169.254.170.2/v2/x", true);
    assert_sends(keys_json, "POST", "https://sts.eu-west-1.amazonaws.com", false);
    assert_done(sts_xml, "ROLE");
    begin(GW_TOKEN_AWS);
    set(GW_TOKEN_FIELD_ROLE, "arn:aws:iam::1:role/r");
    set(GW_TOKEN_FIELD_WEB_IDENTITY, "jwt");
    assert_sends(NULL, "POST", "https://sts.us-east-1.amazonaws.com", false);
    assert_done(sts_xml, "ROLE");
    begin(GW_TOKEN_AWS);
    set(GW_TOKEN_FIELD_ROLE, "arn:aws:iam::1:role/r");
    set(GW_TOKEN_FIELD_ACCESS, "a");
    set(GW_TOKEN_FIELD_SECRET, "b");
    set(GW_TOKEN_FIELD_STS_URL, "http://127.0.0.1:1");
    assert_sends(NULL, "POST", "http://127.0.0.1:1", false);
    const struct gw_token_answer denied = {
        .status = 403,
        .body = GW_STR("<ErrorResponse><Error><Code>AccessDenied</Code><Message>User is not "
                       "authorized</Message></Error></ErrorResponse>")};
    assert_fails(&denied, GW_ERR_REFUSED, "STS answered 403: AccessDenied");
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void profiles_are_read_from_both_files(void **state)
{
    (void)state;
    char folder[] = "/tmp/gw-token-source-XXXXXX";
    assert_non_null(mkdtemp(folder));
    char credentials[64];
    char config[64];
    (void)snprintf(credentials, sizeof(credentials), "%s/credentials", folder);
    (void)snprintf(config, sizeof(config), "%s/config", folder);
    write_file(credentials, "[default]\naws_access_key_id = D\naws_secret_access_key = S\n"
                            "[base]\naws_access_key_id = B\naws_secret_access_key = S\n");
    write_file(config, "[profile r]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = base\n"
                       "[profile machine]\nrole_arn = arn:aws:iam::1:role/r\n"
                       "credential_source = Ec2InstanceMetadata\n"
                       "[profile bad]\nrole_arn = x\nsource_profile = machine\n");
    static const char *const cases[] = {"", "base", "r", "machine", "bad", "absent"};
    for (size_t i = 0; i < GW_ARRAY_LEN(cases); i++) {
        begin(GW_TOKEN_AWS);
        set(GW_TOKEN_FIELD_CREDENTIALS_FILE, credentials);
        set(GW_TOKEN_FIELD_CONFIG_FILE, config);
        set(GW_TOKEN_FIELD_PROFILE, cases[i]);
        set(GW_TOKEN_FIELD_METADATA_URL, "http://169.254.169.254");
        switch (i) {
        case 0:
            assert_done(NULL, "D");
            break;
        case 1:
            assert_done(NULL, "B");
            break;
        case 2:
            assert_sends(NULL, "POST", "https://sts.", false);
            break;
        case 3:
            assert_sends(NULL, "PUT", "/latest/api/token", true);
            break;
        case 4:
            assert_fails(NULL, GW_ERR_UNSUPPORTED, "\"machine\" has no keys of its own");
            break;
        default:
            assert_fails(NULL, GW_ERR_NOT_FOUND, "there is no AWS profile \"absent\"");
            break;
        }
    }
    assert_int_equal(unlink(credentials), 0);
    assert_int_equal(unlink(config), 0);
    assert_int_equal(rmdir(folder), 0);
}

static void sources_without_anything_say_so(void **state)
{
    (void)state;
    begin(GW_TOKEN_AWS);
    assert_fails(NULL, GW_ERR_NOT_FOUND, "no AWS credentials were found");
    begin(GW_TOKEN_AWS);
    set(GW_TOKEN_FIELD_CONTAINER_URL, "http://evil.example/x");
    assert_fails(NULL, GW_ERR_INVALID, "neither https nor on this machine");
    begin(GW_TOKEN_GOOGLE);
    set(GW_TOKEN_FIELD_KEY_FILE, "/nowhere/key.json");
    assert_fails(NULL, GW_ERR_NOT_FOUND, "cannot read /nowhere/key.json: No such file");
    begin(GW_TOKEN_GOOGLE);
    set(GW_TOKEN_FIELD_KEY_JSON, "{\"type\":\"external_account\"}");
    assert_fails(NULL, GW_ERR_UNSUPPORTED, "the credentials cannot be used");
    begin(GW_TOKEN_STATIC);
    assert_fails(NULL, GW_ERR_INVALID, "nothing to fetch");
}

static void google_knows_its_metadata_server(void **state)
{
    (void)state;
    static const char answer[] = "{\"access_token\":\"ya29\",\"expires_in\":3599}";
    begin(GW_TOKEN_GOOGLE);
    set(GW_TOKEN_FIELD_METADATA_URL, "http://metadata.google.internal");
    assert_sends(NULL, "GET",
                 "http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/",
                 true);
    assert_int_equal(fetch.request.field_count, 1);
    const struct gw_token_answer stranger = {.status = 200, .body = gw_str_from_c(answer)};
    assert_fails(&stranger, GW_ERR_PROTOCOL, "not Google's metadata server");
    assert_done(answer, "ya29");
    assert_int_equal(fetch.token.expires_at_ms, fetch.now_ms + 3599000);
}

static void entra_is_asked_in_four_ways(void **state)
{
    (void)state;
    begin(GW_TOKEN_ENTRA);
    set(GW_TOKEN_FIELD_TENANT, "t");
    set(GW_TOKEN_FIELD_CLIENT_ID, "c");
    set(GW_TOKEN_FIELD_CLIENT_SECRET, "s&s");
    assert_sends(NULL, "POST", "https://login.microsoftonline.com/t/oauth2/v2.0/token", false);
    assert_has(fetch.request.body, "client_secret=s%26s");
    const struct gw_token_answer refused = {
        .status = 401,
        .body = GW_STR("{\"error\":\"invalid_client\",\"error_description\":\"AADSTS7000215: "
                       "Invalid client secret provided.\"}")};
    assert_fails(&refused, GW_ERR_REFUSED, "AADSTS7000215");
    assert_done("{\"token_type\":\"Bearer\",\"expires_in\":3599,\"access_token\":\"ey\"}", "ey");
    begin(GW_TOKEN_ENTRA);
    set(GW_TOKEN_FIELD_METADATA_URL, "http://169.254.169.254");
    assert_sends(NULL, "GET", "http://169.254.169.254/metadata/identity/oauth2/token?", true);
    begin(GW_TOKEN_ENTRA);
    set(GW_TOKEN_FIELD_IDENTITY_URL, "http://127.0.0.1:41/msi/token");
    set(GW_TOKEN_FIELD_IDENTITY_HEADER, "h");
    assert_sends(NULL, "GET", "http://127.0.0.1:41/msi/token?", true);
    begin(GW_TOKEN_ENTRA);
    set(GW_TOKEN_FIELD_ASSERTION_FILE, "/nowhere/token");
    assert_fails(NULL, GW_ERR_NOT_FOUND, "/nowhere/token");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(an_instance_is_asked_three_times, end),
        cmocka_unit_test_teardown(a_role_is_assumed_with_what_was_found, end),
        cmocka_unit_test_teardown(profiles_are_read_from_both_files, end),
        cmocka_unit_test_teardown(sources_without_anything_say_so, end),
        cmocka_unit_test_teardown(google_knows_its_metadata_server, end),
        cmocka_unit_test_teardown(entra_is_asked_in_four_ways, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
