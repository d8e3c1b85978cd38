/* SPDX-License-Identifier: MIT */
/* provider/google_auth - assertions against the page's vector and their signatures opened with the
 * public key, forms, and answers. */
#include "provider/google_auth.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* vertex.md section 2, computed check vector */
#define HEADER "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6IjAxMjNhYmNkIn0"
#define CLAIMS                                                                                     \
    "eyJpc3MiOiJnd0BkZW1vLmlhbS5nc2VydmljZWFjY291bnQuY29tIiwic2NvcGUiOiJodHRwczovL3d3dy5nb29nbGVh" \
    "cGlzLmNvbS9hdXRoL2Nsb3VkLXBsYXRmb3JtIiwiYXVkIjoiaHR0cHM6Ly9vYXV0aDIuZ29vZ2xlYXBpcy5jb20vdG9r" \
    "ZW4iLCJpYXQiOjE3OTUyNTU4NzIsImV4cCI6MTc5NTI1OTQ3Mn0"
#define NOW 1795255872u
#define URN "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion="

static EVP_PKEY *key;         /* made for this run */
static struct gw_buf account; /* its key file */

static int make_key(void **state)
{
    (void)state;
    key = EVP_RSA_gen(2048);
    BIO *bio = BIO_new(BIO_s_mem());
    char *pem = NULL;
    assert_non_null(key);
    assert_int_equal(PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL), 1);
    long len = BIO_get_mem_data(bio, &pem);
    gw_buf_init(&account, GW_GOOGLE_FILE_BYTES);
    (void)gw_buf_append(&account, GW_STR("{\"type\":\"service_account\",\"project_id\":\"demo\","
                                         "\"private_key_id\":\"0123abcd\",\"client_email\":"
                                         "\"gw@demo.iam.gserviceaccount.com\",\"private_key\":\""));
    (void)gw_buf_append_json(&account, gw_str(pem, (size_t)len));
    (void)gw_buf_append(&account, GW_STR("\"}"));
    BIO_free(bio);
    return 0;
}

static int free_key(void **state)
{
    (void)state;
    EVP_PKEY_free(key);
    gw_buf_fini(&account);
    return 0;
}

static struct gw_google_credential *create(struct gw_str json)
{
    struct gw_google_credential *credential = NULL;
    const char *why = NULL;
    assert_int_equal(gw_google_credential_create(json, &credential, &why), GW_OK);
    return credential;
}

/* base64url back, by OpenSSL's own decoder. */
static size_t decode(struct gw_str text, unsigned char *out)
{
    char padded[1024];
    size_t len = text.len;
    assert_true(len + 4 < sizeof(padded));
    for (size_t i = 0; i < len; i++) {
        padded[i] = text.ptr[i] == '-' ? '+' : text.ptr[i] == '_' ? '/' : text.ptr[i];
    }
    size_t missing = (4 - len % 4) % 4;
    memset(padded + len, '=', missing);
    int size = EVP_DecodeBlock(out, (unsigned char *)padded, (int)(len + missing));
    assert_true(size > 0);
    return (size_t)size - missing;
}

/* The signature opened with the public key: it must hold PKCS #1's frame around the digest. */
static void verify(struct gw_str input, struct gw_str signature)
{
    unsigned char bytes[1024];
    unsigned char opened[1024];
    unsigned char digest[SHA256_DIGEST_LENGTH];
    size_t opened_len = sizeof(opened);
    static const unsigned char frame[] = {0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60,
                                          0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02,
                                          0x01, 0x05, 0x00, 0x04, 0x20};
    size_t len = decode(signature, bytes);
    assert_int_equal(len, 256);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
    assert_int_equal(EVP_PKEY_verify_recover_init(context), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING), 1);
    assert_int_equal(EVP_PKEY_verify_recover(context, opened, &opened_len, bytes, len), 1);
    EVP_PKEY_CTX_free(context);
    SHA256((const unsigned char *)input.ptr, input.len, digest);
    assert_int_equal(opened_len, sizeof(frame) + sizeof(digest));
    assert_memory_equal(opened, frame, sizeof(frame));
    assert_memory_equal(opened + sizeof(frame), digest, sizeof(digest));
}

static void test_assertion(void **state)
{
    (void)state;
    struct gw_google_credential *credential = create(gw_buf_str(&account));
    struct gw_buf out;
    gw_buf_init(&out, 65536);
    assert_int_equal(gw_google_write_token_request(credential, NOW, &out), GW_OK);
    struct gw_str form = gw_buf_str(&out);
    assert_true(gw_str_has_prefix(form, GW_STR(URN HEADER "." CLAIMS ".")));
    struct gw_str jwt = gw_str_skip(form, sizeof(URN) - 1);
    size_t input_len = sizeof(HEADER "." CLAIMS) - 1;
    struct gw_str signature = gw_str_skip(jwt, input_len + 1);
    assert_int_equal(signature.len, 342);
    verify(gw_str(jwt.ptr, input_len), signature);
    assert_true(
        gw_str_eq(gw_google_token_uri(credential), GW_STR("https://oauth2.googleapis.com/token")));
    assert_true(gw_str_eq(gw_google_project(credential), GW_STR("demo")));
    assert_true(
        gw_str_eq(gw_google_account(credential), GW_STR("gw@demo.iam.gserviceaccount.com")));
    gw_buf_fini(&out);
    gw_google_credential_destroy(&credential);
    gw_google_credential_destroy(&credential);
    assert_null(credential);
}

static void test_small_buffer(void **state)
{
    (void)state;
    struct gw_google_credential *credential = create(gw_buf_str(&account));
    struct gw_buf out;
    gw_buf_init(&out, 100);
    assert_int_equal(gw_google_write_assertion(credential, NOW, &out), GW_ERR_TOO_LARGE);
    gw_buf_fini(&out);
    gw_google_credential_destroy(&credential);
}

static void test_user(void **state)
{
    (void)state;
    struct gw_google_credential *credential =
        create(GW_STR("{\"type\":\"authorized_user\",\"client_id\":\"a b\",\"client_secret\":"
                      "\"s&\",\"refresh_token\":\"1//x\",\"quota_project_id\":\"q\"}"));
    struct gw_buf out;
    gw_buf_init(&out, 4096);
    assert_int_equal(gw_google_write_token_request(credential, NOW, &out), GW_OK);
    assert_true(gw_str_eq(gw_buf_str(&out),
                          GW_STR("grant_type=refresh_token&client_id=a%20b&client_secret=s%26&"
                                 "refresh_token=1%2F%2Fx")));
    assert_int_equal(gw_google_write_assertion(credential, NOW, &out), GW_ERR_UNSUPPORTED);
    assert_true(gw_str_eq(gw_google_project(credential), GW_STR("q")));
    assert_int_equal(gw_google_account(credential).len, 0);
    gw_buf_fini(&out);
    gw_google_credential_destroy(&credential);
}

static void test_wrong_files(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        enum gw_err err;
    } files[] = {
        {"", GW_ERR_INVALID},
        {"no", GW_ERR_INVALID},
        {"[]", GW_ERR_INVALID},
        {"{}", GW_ERR_INVALID},
        {"{\"type\":\"external_account\"}", GW_ERR_UNSUPPORTED},
        {"{\"type\":\"service_account\"}", GW_ERR_INVALID},
        {"{\"type\":\"service_account\",\"client_email\":\"a\",\"private_key\":\"x\"}",
         GW_ERR_INVALID},
        {"{\"type\":\"authorized_user\",\"client_id\":\"a\"}", GW_ERR_INVALID},
    };
    for (size_t i = 0; i < GW_ARRAY_LEN(files); i++) {
        struct gw_google_credential *credential = NULL;
        const char *why = NULL;
        assert_int_equal(
            gw_google_credential_create(gw_str_from_c(files[i].json), &credential, &why),
            files[i].err);
        assert_null(credential);
        assert_non_null(why);
    }
}

static enum gw_err read_answer(unsigned status, const char *body, struct gw_google_token *token,
                               struct gw_google_refusal *refusal)
{
    return gw_google_read_token(status, gw_str_from_c(body), token, refusal);
}

static void test_answers(void **state)
{
    (void)state;
    struct gw_google_token token = {0};
    struct gw_google_refusal refusal;
    assert_int_equal(read_answer(200,
                                 "{\"access_token\":\"ya29.x\",\"expires_in\":3599,"
                                 "\"token_type\":\"Bearer\"}",
                                 &token, &refusal),
                     GW_OK);
    assert_true(gw_str_eq(gw_str(token.access, token.access_len), GW_STR("ya29.x")));
    assert_int_equal(token.expires_in_s, 3599);
    assert_int_equal(read_answer(200, "{}", &token, &refusal), GW_ERR_PROTOCOL);
    assert_int_equal(read_answer(200, "<html>", &token, &refusal), GW_ERR_PROTOCOL);
    assert_int_equal(read_answer(200, "{\"access_token\":\"a\\r\\nb\"}", &token, &refusal),
                     GW_ERR_PROTOCOL);
    assert_int_equal(read_answer(400,
                                 "{\"error\":\"invalid_grant\",\"error_description\":\"Invalid "
                                 "JWT: Token must be a short-lived token (60 minutes) and in a "
                                 "reasonable timeframe\\n.\"}",
                                 &token, &refusal),
                     GW_ERR_REFUSED);
    assert_true(refusal.is_clock_skew);
    assert_false(refusal.is_retryable);
    assert_string_equal(refusal.text,
                        "status 400, invalid_grant: Invalid JWT: Token must be a short-lived "
                        "token (60 minutes) and in a reasonable timeframe?.");
    assert_int_equal(read_answer(503, "", &token, &refusal), GW_ERR_REFUSED);
    assert_true(refusal.is_retryable && !refusal.is_clock_skew);
    assert_string_equal(refusal.text, "status 503");
    assert_int_equal(read_answer(400, "{\"error\":\"server_error\"}", &token, &refusal),
                     GW_ERR_REFUSED);
    assert_true(refusal.is_retryable);
    assert_int_equal(read_answer(401, "{\"error\":{\"code\":401}}", &token, &refusal),
                     GW_ERR_REFUSED);
    assert_false(refusal.is_retryable);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_assertion), cmocka_unit_test(test_small_buffer),
        cmocka_unit_test(test_user),      cmocka_unit_test(test_wrong_files),
        cmocka_unit_test(test_answers),
    };
    return cmocka_run_group_tests(tests, make_key, free_key);
}
