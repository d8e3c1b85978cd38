/* SPDX-License-Identifier: MIT */
/* Google's and Microsoft's tokens. */
#include "mockllm/tokens.h"

#include <string.h>
#include <time.h>

#include <openssl/evp.h>

#include "mockllm/answer.h"
#include "mockllm/exchange.h"
#include "mockllm/sign.h"
#include "mockllm/worker.h"

static const struct bench_str PREFIX = {"mock-token.", 11};

/* A JWT may live an hour; Google allows some seconds for clocks that differ. */
#define MAX_JWT_SECONDS 3600
#define CLOCK_SLACK     10
#define MAX_JWT_BYTES   16384u

static uint64_t now_ms(const struct mock_exchange *exchange)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return ((uint64_t)now.tv_sec + exchange->knobs.clock_ahead) * 1000 +
           (uint64_t)now.tv_nsec / 1000000;
}

void mock_tokens_headers(struct mock_exchange *exchange)
{
    (void)exchange;
}

bool mock_tokens_authorize(struct mock_exchange *exchange)
{
    (void)exchange;
    return true;
}

static void fail(struct mock_exchange *exchange, unsigned status, const char *code,
                 const char *description)
{
    mock_answer_clear(&exchange->answer);
    struct bench_buf *out = mock_answer_begin(exchange, status, BENCH_STR("application/json"));
    BENCH_LIT(out, "{\"error\":");
    bench_buf_json(out, bench_str_from(code));
    BENCH_LIT(out, ",\"error_description\":");
    bench_buf_json(out, bench_str_from(description));
    BENCH_LIT(out, "}");
    mock_answer_end(exchange);
}

void mock_tokens_fail(struct mock_exchange *exchange, const struct mock_failure *failure)
{
    fail(exchange, failure->status, failure->status < 500 ? "invalid_request" : "server_error",
         "An error ordered from the mock.");
}

bool mock_tokens_is(const struct mock_exchange *exchange, struct bench_str path)
{
    static const char *const beginnings[] = {"/computeMetadata/", "/metadata/identity/", "/latest/",
                                             "/v2/credentials/"};
    const struct bench_str entra = BENCH_STR("/oauth2/v2.0/token");
    for (size_t i = 0; i < sizeof(beginnings) / sizeof(beginnings[0]); i++) {
        if (bench_str_starts(path, bench_str_from(beginnings[i]))) {
            return true;
        }
    }
    bool is_sts = bench_str_eq(path, BENCH_STR("/")) && exchange->request.body.len > 0;
    return is_sts || bench_str_eq(path, BENCH_STR("/token")) ||
           (path.len > entra.len &&
            bench_str_eq(bench_str_cut(path, path.len - entra.len, entra.len), entra));
}

void mock_tokens_read_query(struct mock_exchange *exchange)
{
    struct bench_str rest = bench_buf_view(&exchange->request.target);
    rest = bench_str_cut(rest, exchange->request.path_len + 1, rest.len);
    while (rest.len > 0) {
        size_t end = bench_str_find(rest, '&');
        struct bench_str pair = bench_str_cut(rest, 0, end);
        size_t equals = bench_str_find(pair, '=');
        (void)mock_knobs_set(&exchange->knobs, bench_str_cut(pair, 0, equals),
                             bench_str_cut(pair, equals + 1, pair.len));
        rest = bench_str_cut(rest, end + 1, rest.len);
    }
}

static void write_token(struct bench_buf *out, const struct mock_exchange *exchange,
                        const char *kind)
{
    struct bench_buf end = {0};
    bench_buf_u64(&end, now_ms(exchange) + exchange->knobs.token_lifetime * 1000);
    BENCH_LIT(&end, "-");
    bench_buf_hex(&end, exchange->id, 16); /* no two tokens are alike */
    bench_buf_str(out, PREFIX);
    bench_buf_str(out, bench_buf_view(&end));
    BENCH_LIT(out, ".");
    mock_sign(out, bench_str_from(kind), bench_buf_view(&end));
    bench_buf_fini(&end);
}

bool mock_tokens_check(const struct mock_exchange *exchange, const char *kind,
                       struct bench_str token)
{
    if (!bench_str_starts(token, PREFIX)) {
        return token.len > 0 && exchange->knobs.issued == 0;
    }
    struct bench_str rest = bench_str_cut(token, PREFIX.len, token.len);
    size_t dot = bench_str_find(rest, '.');
    struct bench_str text = bench_str_cut(rest, 0, dot);
    uint64_t end = 0;
    return bench_str_u64(bench_str_cut(text, 0, bench_str_find(text, '-')), &end) &&
           end > now_ms(exchange) &&
           mock_sign_check(bench_str_cut(rest, dot + 1, rest.len), bench_str_from(kind), text);
}

/* Answers with a token; |texts|: numbers are written as strings. */
static void answer_token(struct mock_exchange *exchange, const char *kind, bool texts)
{
    uint64_t lifetime = exchange->knobs.token_lifetime;
    struct bench_buf *out = mock_answer_json(exchange);
    BENCH_LIT(out, "{\"access_token\":\"");
    write_token(out, exchange, kind);
    if (texts) {
        bench_buf_printf(out, "\",\"expires_in\":\"%llu\",\"expires_on\":\"%llu\"",
                         (unsigned long long)lifetime,
                         (unsigned long long)(now_ms(exchange) / 1000 + lifetime));
    } else {
        bench_buf_printf(out, "\",\"expires_in\":%llu", (unsigned long long)lifetime);
    }
    BENCH_LIT(out, ",\"token_type\":\"Bearer\"}");
    mock_answer_end(exchange);
}

/* Decodes base64url. Returns false when it is none. */
static bool decode(struct bench_buf *out, struct bench_str text)
{
    struct bench_buf padded = {0};
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        c = (char)(c == '-' ? '+' : (c == '_' ? '/' : c));
        bench_buf_add(&padded, &c, 1);
    }
    size_t padding = (4 - text.len % 4) % 4;
    bench_buf_add(&padded, "===", padding);
    char *room = bench_buf_room(out, padded.len + 4);
    int len = text.len % 4 == 1 ? -1
                                : EVP_DecodeBlock((unsigned char *)room,
                                                  (const unsigned char *)padded.ptr + padded.head,
                                                  (int)padded.len);
    bench_buf_fini(&padded);
    if (len < 0) {
        return false;
    }
    bench_buf_grow(out, (size_t)len - padding);
    return true;
}

static bool verify(EVP_PKEY *key, struct bench_str signed_part, struct bench_str signature)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool good = EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, key) == 1 &&
                EVP_DigestVerify(context, (const unsigned char *)signature.ptr, signature.len,
                                 (const unsigned char *)signed_part.ptr, signed_part.len) == 1;
    EVP_MD_CTX_free(context);
    return good;
}

static const char *claims_fault(const struct mock_exchange *exchange, yyjson_val *claims)
{
    uint64_t now = now_ms(exchange) / 1000;
    uint64_t begin = mock_json_u64(claims, "iat", 0);
    uint64_t end = mock_json_u64(claims, "exp", 0);
    if (mock_json_str(claims, "iss").len == 0 || mock_json_str(claims, "scope").len == 0) {
        return "Invalid JWT: iss and scope are required.";
    }
    if (mock_json_str(claims, "aud").len == 0) {
        return "Invalid JWT: Failed audience check.";
    }
    if (begin > now + CLOCK_SLACK || end <= now || end < begin ||
        end - begin > MAX_JWT_SECONDS + CLOCK_SLACK) {
        return "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable "
               "timeframe. Check your iat and exp values in the JWT claim.";
    }
    return NULL;
}

/* Returns what is wrong with |part|s of a JWT, NULL when nothing is. */
static const char *parts_fault(const struct mock_exchange *exchange, const struct bench_buf *parts,
                               struct bench_str signed_part)
{
    EVP_PKEY *key = exchange->worker->config->jwt_key;
    yyjson_doc *header = yyjson_read(parts[0].ptr, parts[0].len, 0);
    yyjson_doc *claims = yyjson_read(parts[1].ptr, parts[1].len, 0);
    const char *fault = "Invalid JWT.";
    if (bench_str_eq(mock_json_str(yyjson_doc_get_root(header), "alg"), BENCH_STR("RS256"))) {
        fault = claims_fault(exchange, yyjson_doc_get_root(claims));
    }
    if (fault == NULL && (parts[2].len == 0 ||
                          (key != NULL && !verify(key, signed_part, bench_buf_view(&parts[2]))))) {
        fault = "Invalid JWT Signature.";
    }
    yyjson_doc_free(header);
    yyjson_doc_free(claims);
    return fault;
}

static const char *jwt_fault(const struct mock_exchange *exchange, struct bench_str jwt)
{
    struct bench_buf parts[3] = {{0}};
    size_t first = bench_str_find(jwt, '.');
    struct bench_str rest = bench_str_cut(jwt, first + 1, jwt.len);
    size_t second = bench_str_find(rest, '.');
    const char *fault = "Invalid JWT: a JWT has three parts.";
    if (jwt.len < MAX_JWT_BYTES && second < rest.len &&
        decode(&parts[0], bench_str_cut(jwt, 0, first)) &&
        decode(&parts[1], bench_str_cut(rest, 0, second)) &&
        decode(&parts[2], bench_str_cut(rest, second + 1, rest.len))) {
        fault = parts_fault(exchange, parts, bench_str_cut(jwt, 0, first + 1 + second));
    }
    for (size_t i = 0; i < 3; i++) {
        bench_buf_fini(&parts[i]);
    }
    return fault;
}

void mock_tokens_google(struct mock_exchange *exchange, const struct bench_str *ids)
{
    (void)ids;
    struct bench_buf grant = {0};
    struct bench_buf assertion = {0};
    struct bench_str body = bench_buf_view(&exchange->request.body);
    const char *fault = NULL;
    mock_vendor_form(body, "grant_type", &grant);
    mock_vendor_form(body, "assertion", &assertion);
    struct bench_str kind = bench_buf_view(&grant);
    bool is_jwt = bench_str_eq(kind, BENCH_STR("urn:ietf:params:oauth:grant-type:jwt-bearer"));
    if (is_jwt) {
        fault = jwt_fault(exchange, bench_buf_view(&assertion));
    }
    if (fault != NULL) {
        fail(exchange, 400, "invalid_grant", fault);
    } else if (is_jwt || bench_str_eq(kind, BENCH_STR("refresh_token"))) {
        answer_token(exchange, "google", false);
    } else {
        fail(exchange, 400, "unsupported_grant_type", "Invalid grant_type");
    }
    bench_buf_fini(&grant);
    bench_buf_fini(&assertion);
}

void mock_tokens_google_metadata(struct mock_exchange *exchange, const struct bench_str *ids)
{
    struct bench_str flavor = mock_vendor_header(exchange, "metadata-flavor");
    if (!bench_str_eq(flavor, BENCH_STR("Google"))) {
        bench_buf_str(mock_answer_begin(exchange, 403, BENCH_STR("text/html")),
                      BENCH_STR("Missing Metadata-Flavor:Google header."));
        mock_answer_end(exchange);
    } else if (bench_str_eq(ids[0], BENCH_STR("instance/service-accounts/default/token"))) {
        answer_token(exchange, "google", false);
    } else if (bench_str_eq(ids[0], BENCH_STR("project/project-id"))) {
        bench_buf_str(mock_answer_begin(exchange, 200, BENCH_STR("application/text")),
                      BENCH_STR("mock-project"));
        mock_answer_end(exchange);
    } else {
        mock_vendor_fail(exchange, 404, "");
    }
    mock_answer_header(exchange, BENCH_STR("metadata-flavor"), BENCH_STR("Google"));
}

static bool has_field(struct bench_str body, const char *name)
{
    struct bench_buf value = {0};
    mock_vendor_form(body, name, &value);
    bool found = value.len > 0;
    bench_buf_fini(&value);
    return found;
}

void mock_tokens_entra(struct mock_exchange *exchange, const struct bench_str *ids)
{
    (void)ids;
    struct bench_str body = bench_buf_view(&exchange->request.body);
    struct bench_buf grant = {0};
    mock_vendor_form(body, "grant_type", &grant);
    bool is_client = bench_str_eq(bench_buf_view(&grant), BENCH_STR("client_credentials"));
    bench_buf_fini(&grant);
    if (!is_client) {
        fail(exchange, 400, "unsupported_grant_type",
             "AADSTS70003: The app requested an unsupported grant type.");
    } else if (!has_field(body, "client_id") || !has_field(body, "scope")) {
        fail(exchange, 400, "invalid_request",
             "AADSTS900144: The request body must contain client_id and scope.");
    } else if (!has_field(body, "client_secret") && !has_field(body, "client_assertion")) {
        fail(exchange, 401, "invalid_client",
             "AADSTS7000216: 'client_assertion', 'client_secret' or 'request' is required for the "
             "'client_credentials' grant type.");
    } else {
        answer_token(exchange, "entra", false);
    }
}

void mock_tokens_azure_metadata(struct mock_exchange *exchange, const struct bench_str *ids)
{
    (void)ids;
    if (!bench_str_ieq(mock_vendor_header(exchange, "metadata"), BENCH_STR("true"))) {
        fail(exchange, 400, "invalid_request", "Required metadata header not specified");
    } else if (mock_vendor_query(exchange, "api-version").len == 0 ||
               mock_vendor_query(exchange, "resource").len == 0) {
        fail(exchange, 400, "invalid_request", "Required query variable is missing");
    } else {
        answer_token(exchange, "entra", true);
    }
}
