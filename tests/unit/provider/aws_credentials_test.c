/* SPDX-License-Identifier: MIT */
/* Profiles, the requests that get keys, and what is answered to them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "provider/aws_credentials.h"

#define CHECK(got, want)                                                                           \
    do {                                                                                           \
        struct gw_str text_ = (got);                                                               \
        if (!gw_str_eq(text_, gw_str_from_c(want))) {                                              \
            fail_msg("got \"" GW_STR_FMT "\", want \"%s\"", GW_STR_ARG(text_), want);              \
        }                                                                                          \
    } while (0)

static struct gw_arena arena;

static int set_up(void **state)
{
    (void)state;
    gw_arena_init(&arena, NULL, 0, 4096, 1u << 20);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    gw_arena_fini(&arena);
    return 0;
}

static const char credentials_file[] = "# mine\n"
                                       "[default]\r\n"
                                       "aws_access_key_id=AKID1\r\n"
                                       "aws_secret_access_key = se/cr+et1 # old\r\n"
                                       "\n"
                                       "[ work ]\n"
                                       "AWS_ACCESS_KEY_ID = AKID2\n"
                                       "aws_secret_access_key = secret2\n"
                                       "aws_session_token = tok=en\n"
                                       "; end\n"
                                       "[profile odd]\n"
                                       "aws_access_key_id = AKID3\n";
static const char config_file[] = "[default]\n"
                                  "region = us-west-2\n"
                                  "[profile work]\n"
                                  "region = eu-central-1\n"
                                  "aws_secret_access_key = other\n"
                                  "s3 =\n"
                                  "  region = wrong\n"
                                  "[profile \"two words\"]\n"
                                  "role_arn = arn:aws:iam::1:role/R\n"
                                  "source_profile = work\n"
                                  "external_id=x\n"
                                  "[work2]\n"
                                  "region = none\n";

static void test_profiles(void **state)
{
    (void)state;
    struct gw_aws_profile profile = {0};
    struct gw_str credentials = GW_STR(credentials_file);
    struct gw_str config = GW_STR(config_file);
    assert_int_equal(gw_aws_read_profile(credentials, GW_STR("default"), false, &profile), GW_OK);
    CHECK(profile.keys.access, "AKID1");
    CHECK(profile.keys.secret, "se/cr+et1");
    CHECK(profile.region, "");
    assert_int_equal(gw_aws_read_profile(config, GW_STR("default"), true, &profile), GW_OK);
    CHECK(profile.region, "us-west-2");
    profile = (struct gw_aws_profile){0};
    assert_int_equal(gw_aws_read_profile(credentials, GW_STR("work"), false, &profile), GW_OK);
    assert_int_equal(gw_aws_read_profile(config, GW_STR("work"), true, &profile), GW_OK);
    CHECK(profile.keys.access, "AKID2");
    CHECK(profile.keys.secret, "secret2");
    CHECK(profile.keys.session, "tok=en");
    CHECK(profile.region, "eu-central-1");
    profile = (struct gw_aws_profile){0};
    assert_int_equal(gw_aws_read_profile(config, GW_STR("two words"), true, &profile), GW_OK);
    CHECK(profile.role_arn, "arn:aws:iam::1:role/R");
    CHECK(profile.source_profile, "work");
    CHECK(profile.external_id, "x");
    assert_int_equal(gw_aws_read_profile(config, GW_STR("work2"), true, &profile),
                     GW_ERR_NOT_FOUND);
    assert_int_equal(gw_aws_read_profile(credentials, GW_STR("odd"), false, &profile),
                     GW_ERR_NOT_FOUND);
    assert_int_equal(gw_aws_read_profile(GW_STR(""), GW_STR("default"), false, &profile),
                     GW_ERR_NOT_FOUND);
    assert_int_equal(gw_aws_read_profile(GW_STR("[\n[]\n=\n[default"), GW_STR("x"), true, &profile),
                     GW_ERR_NOT_FOUND);
    assert_int_equal(gw_aws_read_profile(gw_str(config_file, GW_AWS_MAX_TEXT_BYTES + 1),
                                         GW_STR("x"), true, &profile),
                     GW_ERR_TOO_LARGE);
}

/* A key in one file and a secret in the other do not belong together. */
static void test_keys_of_two_files_do_not_mix(void **state)
{
    (void)state;
    struct gw_aws_profile profile = {0};
    assert_int_equal(
        gw_aws_read_profile(GW_STR("[a]\naws_access_key_id=A\n"), GW_STR("a"), false, &profile),
        GW_OK);
    assert_int_equal(gw_aws_read_profile(GW_STR("[profile a]\naws_secret_access_key=S\nregion=r\n"),
                                         GW_STR("a"), true, &profile),
                     GW_OK);
    CHECK(profile.keys.access, "A");
    CHECK(profile.keys.secret, "");
    CHECK(profile.region, "r");
}

static void test_containers(void **state)
{
    (void)state;
    static const char *const fine[] = {
        "https://x.example/creds",   "http://169.254.170.2/a", "http://169.254.170.23/v1/c",
        "http://[fd00:ec2::23]/v1/", "http://127.0.0.1:80/a",  "http://localhost:9/a",
    };
    static const char *const wrong[] = {"http://x.example/creds", "http://127.evil.example/",
                                        "http://169.254.170.21/", "nonsense", "unix:/a/b.sock"};
    struct gw_aws_request request;
    struct gw_str none = gw_str(NULL, 0);
    assert_int_equal(gw_aws_container_request(GW_STR("/v2/creds/1"), none, none, &arena, &request),
                     GW_OK);
    CHECK(request.url, "http://169.254.170.2/v2/creds/1");
    CHECK(request.method, "GET");
    assert_int_equal(request.field_count, 1);
    assert_int_equal(gw_aws_container_request(GW_STR("@x.example/"), none, none, &arena, &request),
                     GW_ERR_INVALID);
    for (size_t i = 0; i < GW_ARRAY_LEN(fine); i++) {
        assert_int_equal(gw_aws_container_request(none, gw_str_from_c(fine[i]), GW_STR("tok\n"),
                                                  &arena, &request),
                         GW_OK);
        CHECK(request.url, fine[i]);
        CHECK(request.fields[1].value, "tok");
    }
    for (size_t i = 0; i < GW_ARRAY_LEN(wrong); i++) {
        assert_int_equal(
            gw_aws_container_request(none, gw_str_from_c(wrong[i]), none, &arena, &request),
            GW_ERR_INVALID);
    }
    assert_int_equal(gw_aws_container_request(none, GW_STR("https://x.example/"), GW_STR("a\r\nb"),
                                              &arena, &request),
                     GW_ERR_INVALID);
}

static void test_instances(void **state)
{
    (void)state;
    struct gw_aws_request request;
    struct gw_str base = GW_STR("http://169.254.169.254/");
    assert_int_equal(gw_aws_imds_token_request(base, &arena, &request), GW_OK);
    CHECK(request.method, "PUT");
    CHECK(request.url, "http://169.254.169.254/latest/api/token");
    CHECK(request.fields[0].name, "x-aws-ec2-metadata-token-ttl-seconds");
    assert_int_equal(gw_aws_imds_role_request(base, GW_STR("T"), &arena, &request), GW_OK);
    CHECK(request.url, "http://169.254.169.254/latest/meta-data/iam/security-credentials/");
    CHECK(request.fields[0].value, "T");
    assert_int_equal(
        gw_aws_imds_keys_request(base, GW_STR("T"), GW_STR("my-role\nother\n"), &arena, &request),
        GW_OK);
    CHECK(request.url, "http://169.254.169.254/latest/meta-data/iam/security-credentials/my-role");
    const struct gw_str wrong[] = {GW_STR(""), GW_STR("\n"), GW_STR("a/../b"), GW_STR("a b"),
                                   GW_STR("<html>")};
    for (size_t i = 0; i < GW_ARRAY_LEN(wrong); i++) {
        assert_int_equal(gw_aws_imds_keys_request(base, GW_STR("T"), wrong[i], &arena, &request),
                         GW_ERR_INVALID);
    }
    assert_int_equal(gw_aws_imds_role_request(base, GW_STR(""), &arena, &request), GW_ERR_INVALID);
}

static void test_keys_as_json(void **state)
{
    (void)state;
    struct gw_aws_keys keys;
    assert_int_equal(
        gw_aws_read_keys(GW_STR("{\"Code\":\"Success\",\"AccessKeyId\":\"ASIA\","
                                "\"SecretAccessKey\":\"s\",\"Token\":\"t\",\"Expiration\":"
                                "\"2026-11-21T10:11:12Z\"}"),
                         &arena, &keys),
        GW_OK);
    CHECK(keys.access, "ASIA");
    CHECK(keys.secret, "s");
    CHECK(keys.session, "t");
    assert_true(keys.expires_at_ms == 1795255872000u);
    const struct gw_str wrong[] = {
        GW_STR(""),
        GW_STR("{}"),
        GW_STR("[1]"),
        GW_STR("{\"AccessKeyId\":\"a\"}"),
        GW_STR("{\"AccessKeyId\":\"a\",\"SecretAccessKey\":7}"),
        GW_STR("{\"AccessKeyId\":\"a\",\"SecretAccessKey\":\"b\",\"Expiration\":\"soon\"}"),
        GW_STR("<html>404</html>"),
    };
    for (size_t i = 0; i < GW_ARRAY_LEN(wrong); i++) {
        assert_int_equal(gw_aws_read_keys(wrong[i], &arena, &keys), GW_ERR_PROTOCOL);
    }
}

static void test_web_identity(void **state)
{
    (void)state;
    struct gw_aws_request request;
    const struct gw_aws_role role = {.region = GW_STR("cn-north-1"),
                                     .role_arn = GW_STR("arn:aws:iam::1:role/R")};
    assert_int_equal(gw_aws_web_identity_request(&role, GW_STR("ey.J+/=\n"), &arena, &request),
                     GW_OK);
    CHECK(request.method, "POST");
    CHECK(request.url, "https://sts.cn-north-1.amazonaws.com.cn/");
    CHECK(request.body, "Version=2011-06-15&Action=AssumeRoleWithWebIdentity&RoleArn="
                        "arn%3Aaws%3Aiam%3A%3A1%3Arole%2FR&RoleSessionName=gatewire&"
                        "WebIdentityToken=ey.J%2B%2F%3D");
    assert_int_equal(gw_aws_web_identity_request(&role, GW_STR(" \n"), &arena, &request),
                     GW_ERR_INVALID);
    const struct gw_aws_role none = {.region = GW_STR("us-east-1")};
    assert_int_equal(gw_aws_web_identity_request(&none, GW_STR("t"), &arena, &request),
                     GW_ERR_INVALID);
}

static void test_assume_role(void **state)
{
    (void)state;
    struct gw_aws_request request;
    const struct gw_aws_role role = {.role_arn = GW_STR("arn:aws:iam::1:role/R"),
                                     .session_name = GW_STR("me"),
                                     .external_id = GW_STR("e&1")};
    const struct gw_aws_keys keys = {
        .access = GW_STR("AKIDEXAMPLE"), .secret = GW_STR("secret"), .session = GW_STR("tok")};
    assert_int_equal(gw_aws_assume_role_request(&role, &keys, 1795255872000u, &arena, &request),
                     GW_OK);
    CHECK(request.url, "https://sts.us-east-1.amazonaws.com/");
    CHECK(request.body, "Version=2011-06-15&Action=AssumeRole&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3A"
                        "role%2FR&RoleSessionName=me&ExternalId=e%261");
    assert_int_equal(request.field_count, 5);
    CHECK(request.fields[2].value, "20261121T101112Z");
    /* botocore 1.44.5's SigV4Auth over the same request. */
    CHECK(request.fields[3].value,
          "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261121/us-east-1/sts/aws4_request, "
          "SignedHeaders=content-type;host;x-amz-date;x-amz-security-token, "
          "Signature=7ad8b265885e22e6811e3038a11ffcc6a6aabde3ff99bc69bbea51b2fe81c221");
    CHECK(request.fields[4].value, "tok");
    const struct gw_aws_keys none = {.access = GW_STR("a")};
    assert_int_equal(gw_aws_assume_role_request(&role, &none, 0, &arena, &request), GW_ERR_INVALID);
}

#define STS(inside)                                                                                \
    "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\n"                   \
    " <AssumeRoleResult><AssumedRoleUser><Arn>arn</Arn></AssumedRoleUser>\n"                       \
    "  <Credentials>" inside "</Credentials></AssumeRoleResult></AssumeRoleResponse>"

static void test_sts_answers(void **state)
{
    (void)state;
    struct gw_aws_keys keys;
    assert_int_equal(
        gw_aws_read_sts(GW_STR(STS("\n<AccessKeyId>ASIA</AccessKeyId>\n<SecretAccessKey>s/+=="
                                   "</SecretAccessKey><SessionToken>\n t \n</SessionToken>"
                                   "<Expiration>2026-11-21T10:11:12.345Z</Expiration>")),
                        &arena, &keys),
        GW_OK);
    CHECK(keys.access, "ASIA");
    CHECK(keys.secret, "s/+==");
    CHECK(keys.session, "t");
    assert_true(keys.expires_at_ms == 1795255872000u);
    const struct gw_str wrong[] = {
        GW_STR(""),
        GW_STR("<AccessKeyId>a</AccessKeyId><SecretAccessKey>b</SecretAccessKey>"),
        GW_STR(STS("")),
        GW_STR(STS("<AccessKeyId>a</AccessKeyId>")),
        GW_STR(STS("<AccessKeyId>a</AccessKeyId><SecretAccessKey>b")),
        GW_STR(STS("<AccessKeyId><b>a</b></AccessKeyId><SecretAccessKey>b</SecretAccessKey>")),
        GW_STR(STS("<AccessKeyId>a</AccessKeyId><SecretAccessKey>&lt;</SecretAccessKey>")),
        GW_STR(STS("<AccessKeyId>a</AccessKeyId><SecretAccessKey>b</SecretAccessKey><Expiration>"
                   "never</Expiration>")),
    };
    for (size_t i = 0; i < GW_ARRAY_LEN(wrong); i++) {
        assert_int_equal(gw_aws_read_sts(wrong[i], &arena, &keys), GW_ERR_PROTOCOL);
    }
    CHECK(gw_aws_sts_error(GW_STR("<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied"
                                  "</Code><Message>No</Message></Error></ErrorResponse>"),
                           &arena),
          "AccessDenied: No");
    CHECK(gw_aws_sts_error(GW_STR("<html>"), &arena), "");
}

static void test_times(void **state)
{
    (void)state;
    uint64_t ms = 0;
    assert_int_equal(gw_aws_parse_time(GW_STR("1970-01-01T00:00:00Z"), &ms), GW_OK);
    assert_true(ms == 0);
    assert_int_equal(gw_aws_parse_time(GW_STR("2028-02-29T23:59:60.5Z"), &ms), GW_OK);
    assert_true(ms == 1835481600000u);
    static const char *const wrong[] = {"",
                                        "Z",
                                        "2026-11-21T10:11:12",
                                        "2026-11-21 10:11:12Z",
                                        "2026-13-21T10:11:12Z",
                                        "2026-00-21T10:11:12Z",
                                        "2026-11-32T10:11:12Z",
                                        "2026-11-21T24:11:12Z",
                                        "2026-11-21T10:61:12Z",
                                        "2026-11-21T10:11:61Z",
                                        "1969-11-21T10:11:12Z",
                                        "20a6-11-21T10:11:12Z"};
    for (size_t i = 0; i < GW_ARRAY_LEN(wrong); i++) {
        assert_int_equal(gw_aws_parse_time(gw_str_from_c(wrong[i]), &ms), GW_ERR_INVALID);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_profiles),
        cmocka_unit_test(test_keys_of_two_files_do_not_mix),
        cmocka_unit_test_setup_teardown(test_containers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_instances, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_keys_as_json, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_web_identity, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_assume_role, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_sts_answers, set_up, tear_down),
        cmocka_unit_test(test_times),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
