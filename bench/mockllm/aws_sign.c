/* SPDX-License-Identifier: MIT */
/* Signature Version 4, checked from the bytes of the request. */
#include "mockllm/aws_sign.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include "mockllm/exchange.h"
#include "mockllm/sign.h"
#include "mockllm/worker.h"

/* Access keys the mock handed out begin so. */
static const char ISSUED[] = "ASIAMOCK";

#define MAX_SIGNED_HEADERS 64u

struct claim {
    struct bench_str id, date, region, service, signed_headers, signature;
};

static bool refuse(struct mock_aws_refusal *refusal, const char *type, const char *message)
{
    refusal->type = type;
    snprintf(refusal->message, sizeof(refusal->message), "%s", message);
    return false;
}

int64_t mock_aws_now(const struct mock_exchange *exchange)
{
    return (int64_t)time(NULL) + (int64_t)exchange->knobs.clock_ahead;
}

void mock_aws_write_time(struct bench_buf *out, int64_t at, bool basic)
{
    char text[32];
    struct tm parts;
    time_t seconds = (time_t)at;
    gmtime_r(&seconds, &parts);
    strftime(text, sizeof(text), basic ? "%Y%m%dT%H%M%SZ" : "%Y-%m-%dT%H:%M:%SZ", &parts);
    bench_buf_str(out, bench_str_from(text));
}

static void hmac(const void *key, size_t key_len, struct bench_str text, unsigned char *out)
{
    unsigned len = 0;
    HMAC(EVP_sha256(), key, (int)key_len, (const unsigned char *)text.ptr, text.len, out, &len);
}

static void write_hex(struct bench_buf *out, const unsigned char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        bench_buf_hex(out, bytes[i], 2);
    }
}

static void write_sha256(struct bench_buf *out, struct bench_str text)
{
    unsigned char hash[SHA256_DIGEST_LENGTH];
    SHA256((const unsigned char *)text.ptr, text.len, hash);
    write_hex(out, hash, sizeof(hash));
}

/* The part of the list behind |name|=, up to the next comma. */
static struct bench_str claim_part(struct bench_str list, const char *name)
{
    const char *found = memmem(list.ptr, list.len, name, strlen(name));
    if (found == NULL) {
        return (struct bench_str){0};
    }
    struct bench_str rest =
        bench_str_cut(list, (size_t)(found - list.ptr) + strlen(name), list.len);
    return bench_str_cut(rest, 0, bench_str_find(rest, ','));
}

static struct bench_str next_part(struct bench_str *rest)
{
    size_t slash = bench_str_find(*rest, '/');
    struct bench_str part = bench_str_cut(*rest, 0, slash);
    *rest = bench_str_cut(*rest, slash + 1, rest->len);
    return part;
}

static struct claim read_claim(struct bench_str authorization)
{
    struct bench_str scope = claim_part(authorization, "Credential=");
    struct claim claim = {
        .signed_headers = claim_part(authorization, "SignedHeaders="),
        .signature = claim_part(authorization, "Signature="),
    };
    claim.id = next_part(&scope);
    claim.date = next_part(&scope);
    claim.region = next_part(&scope);
    claim.service = next_part(&scope);
    if (!bench_str_eq(scope, BENCH_STR("aws4_request"))) {
        claim.id.len = 0;
    }
    return claim;
}

static void write_escaped(struct bench_buf *out, struct bench_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     strchr("-_.~/", c) != NULL;
        if (plain) {
            bench_buf_add(out, &c, 1);
        } else {
            bench_buf_printf(out, "%%%02X", (unsigned char)c);
        }
    }
}

/* A value without outer white space, inner runs of it made one space. */
static void write_value(struct bench_buf *out, struct bench_str value)
{
    bool space = false;
    size_t before = out->len;
    for (size_t i = 0; i < value.len; i++) {
        char c = value.ptr[i];
        if (c == ' ' || c == '\t') {
            space = out->len > before;
            continue;
        }
        bench_buf_str(out, space ? BENCH_STR(" ") : BENCH_STR(""));
        bench_buf_add(out, &c, 1);
        space = false;
    }
}

/* Appends the lines of the signed headers. Returns false when one is not there. */
static bool write_headers(struct bench_buf *out, const struct mock_exchange *exchange,
                          struct bench_str names)
{
    while (names.len > 0) {
        size_t end = bench_str_find(names, ';');
        struct bench_str name = bench_str_cut(names, 0, end);
        struct bench_str value = mock_headers_find(&exchange->request.headers, name);
        if (value.ptr == NULL && bench_str_eq(name, BENCH_STR("host"))) { /* over HTTP/2 */
            value = mock_headers_find(&exchange->request.headers, BENCH_STR(":authority"));
        }
        if (value.ptr == NULL) {
            return false;
        }
        bench_buf_str(out, name);
        BENCH_LIT(out, ":");
        write_value(out, value);
        BENCH_LIT(out, "\n");
        names = bench_str_cut(names, end + 1, names.len);
    }
    return true;
}

static int compare_pairs(const void *a, const void *b)
{
    const struct bench_str *x = a;
    const struct bench_str *y = b;
    size_t len = x->len < y->len ? x->len : y->len;
    int order = memcmp(x->ptr, y->ptr, len);
    return order != 0 ? order : (x->len > y->len) - (x->len < y->len);
}

static void write_query(struct bench_buf *out, const struct mock_exchange *exchange)
{
    struct bench_str pairs[MAX_SIGNED_HEADERS];
    size_t count = 0;
    struct bench_str rest = bench_buf_view(&exchange->request.target);
    rest = bench_str_cut(rest, exchange->request.path_len + 1, rest.len);
    while (rest.len > 0 && count < MAX_SIGNED_HEADERS) {
        size_t end = bench_str_find(rest, '&');
        pairs[count++] = bench_str_cut(rest, 0, end);
        rest = bench_str_cut(rest, end + 1, rest.len);
    }
    qsort(pairs, count, sizeof(pairs[0]), compare_pairs);
    for (size_t i = 0; i < count; i++) {
        bench_buf_str(out, i == 0 ? BENCH_STR("") : BENCH_STR("&"));
        bench_buf_str(out, pairs[i]);
        bool bare = bench_str_find(pairs[i], '=') == pairs[i].len;
        bench_buf_str(out, bare ? BENCH_STR("=") : BENCH_STR(""));
    }
}

static bool write_canonical(struct bench_buf *out, const struct mock_exchange *exchange,
                            const struct claim *claim)
{
    bench_buf_printf(out, "%s\n", exchange->request.method);
    write_escaped(out, mock_request_path(&exchange->request));
    BENCH_LIT(out, "\n");
    write_query(out, exchange);
    BENCH_LIT(out, "\n");
    if (!write_headers(out, exchange, claim->signed_headers)) {
        return false;
    }
    BENCH_LIT(out, "\n");
    bench_buf_str(out, claim->signed_headers);
    BENCH_LIT(out, "\n");
    write_sha256(out, bench_buf_view(&exchange->request.body));
    return true;
}

/* Computes the signature as it should be. Returns false when a signed header is not there. */
static bool write_signature(struct bench_buf *out, const struct mock_exchange *exchange,
                            const struct claim *claim, struct bench_str secret)
{
    struct bench_buf canonical = {0};
    struct bench_buf text = {0};
    struct bench_buf first = {0};
    unsigned char key[SHA256_DIGEST_LENGTH];
    bool complete = write_canonical(&canonical, exchange, claim);
    BENCH_LIT(&text, "AWS4-HMAC-SHA256\n");
    bench_buf_str(&text, mock_headers_find(&exchange->request.headers, BENCH_STR("x-amz-date")));
    bench_buf_printf(
        &text, "\n" BENCH_STR_FMT "/" BENCH_STR_FMT "/" BENCH_STR_FMT "/aws4_request\n",
        BENCH_STR_ARG(claim->date), BENCH_STR_ARG(claim->region), BENCH_STR_ARG(claim->service));
    write_sha256(&text, bench_buf_view(&canonical));
    BENCH_LIT(&first, "AWS4");
    bench_buf_str(&first, secret);
    hmac(first.ptr + first.head, first.len, claim->date, key);
    hmac(key, sizeof(key), claim->region, key);
    hmac(key, sizeof(key), claim->service, key);
    hmac(key, sizeof(key), BENCH_STR("aws4_request"), key);
    hmac(key, sizeof(key), bench_buf_view(&text), key);
    write_hex(out, key, sizeof(key));
    bench_buf_fini(&canonical);
    bench_buf_fini(&text);
    bench_buf_fini(&first);
    return complete;
}

/* Reads 20261121T101112Z; -1 when it is no time. */
static int64_t read_time(struct bench_str text)
{
    char copy[17] = {0};
    struct tm parts = {0};
    if (text.len != 16) {
        return -1;
    }
    memcpy(copy, text.ptr, text.len);
    const char *end = strptime(copy, "%Y%m%dT%H%M%SZ", &parts);
    return end == NULL || *end != '\0' ? -1 : (int64_t)timegm(&parts);
}

static bool lists(struct bench_str names, const char *wanted)
{
    while (names.len > 0) {
        size_t end = bench_str_find(names, ';');
        if (bench_str_eq(bench_str_cut(names, 0, end), bench_str_from(wanted))) {
            return true;
        }
        names = bench_str_cut(names, end + 1, names.len);
    }
    return false;
}

static bool check_claim(const struct mock_exchange *exchange, const struct claim *claim,
                        const char *service, struct mock_aws_refusal *refusal)
{
    const struct mock_headers *headers = &exchange->request.headers;
    bool has_token = mock_headers_find(headers, BENCH_STR("x-amz-security-token")).ptr != NULL;
    if (claim->id.len == 0 || claim->signature.len == 0 || claim->signed_headers.len == 0) {
        return refuse(refusal, "IncompleteSignatureException",
                      "Authorization header requires 'Credential', 'Signature' and "
                      "'SignedHeaders' parameters.");
    }
    if (!bench_str_eq(claim->service, bench_str_from(service))) {
        snprintf(refusal->message, sizeof(refusal->message),
                 "Credential should be scoped to correct service: '%s'. ", service);
        refusal->type = "InvalidSignatureException";
        return false;
    }
    if (!lists(claim->signed_headers, "host") || !lists(claim->signed_headers, "x-amz-date") ||
        (has_token && !lists(claim->signed_headers, "x-amz-security-token"))) {
        return refuse(refusal, "InvalidSignatureException",
                      "'host', 'x-amz-date' and 'x-amz-security-token' must be signed.");
    }
    return true;
}

static bool check_clock(const struct mock_exchange *exchange, const struct claim *claim,
                        struct mock_aws_refusal *refusal)
{
    struct bench_str date = mock_headers_find(&exchange->request.headers, BENCH_STR("x-amz-date"));
    int64_t at = read_time(date);
    int64_t now = mock_aws_now(exchange);
    if (at == -1 || !bench_str_starts(date, claim->date)) {
        return refuse(refusal, "InvalidSignatureException",
                      "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of "
                      "date from HTTP");
    }
    if (at >= now - AWS_MAX_SKEW && at <= now + AWS_MAX_SKEW) {
        return true;
    }
    struct bench_buf text = {0};
    bool late = at < now;
    bench_buf_str(&text, late ? BENCH_STR("Signature expired: ")
                              : BENCH_STR("Signature not yet current: "));
    bench_buf_str(&text, date);
    bench_buf_str(&text,
                  late ? BENCH_STR(" is now earlier than ") : BENCH_STR(" is still later than "));
    mock_aws_write_time(&text, late ? now - AWS_MAX_SKEW : now + AWS_MAX_SKEW, true);
    BENCH_LIT(&text, " (");
    mock_aws_write_time(&text, now, true);
    bench_buf_str(&text, late ? BENCH_STR(" - 5 min.)") : BENCH_STR(" + 5 min.)"));
    bench_buf_add(&text, "", 1);
    (void)refuse(refusal, "InvalidSignatureException", text.ptr + text.head);
    bench_buf_fini(&text);
    return false;
}

static void write_issued_secret(struct bench_buf *out, struct bench_str id)
{
    unsigned char bytes[SHA256_DIGEST_LENGTH];
    hmac(ISSUED, sizeof(ISSUED), id, bytes);
    write_hex(out, bytes, 20);
}

/* Credentials of the mock's own come with their token, which tells when they end. */
static bool check_issued(const struct mock_exchange *exchange, struct bench_str id,
                         struct mock_aws_refusal *refusal)
{
    struct bench_str token =
        mock_headers_find(&exchange->request.headers, BENCH_STR("x-amz-security-token"));
    size_t dot = bench_str_find(token, '.');
    uint64_t end = 0;
    struct bench_buf realm = {0};
    BENCH_LIT(&realm, "aws ");
    bench_buf_str(&realm, id);
    bool good = bench_str_u64(bench_str_cut(token, 0, dot), &end) &&
                mock_sign_check(bench_str_cut(token, dot + 1, token.len), bench_buf_view(&realm),
                                bench_str_cut(token, 0, dot));
    bench_buf_fini(&realm);
    if (!good) {
        return refuse(refusal, "UnrecognizedClientException",
                      "The security token included in the request is invalid.");
    }
    if ((int64_t)end <= mock_aws_now(exchange)) {
        return refuse(refusal, "ExpiredTokenException",
                      "The security token included in the request is expired");
    }
    return true;
}

void mock_aws_make_credentials(const struct mock_exchange *exchange, int64_t end,
                               struct bench_buf *id, struct bench_buf *secret,
                               struct bench_buf *token)
{
    struct bench_buf realm = {0};
    struct bench_buf text = {0};
    bench_buf_str(id, bench_str_from(ISSUED));
    for (int shift = 60; shift >= 0; shift -= 5) {
        bench_buf_add(id, &"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[(exchange->id >> shift) & 31], 1);
    }
    write_issued_secret(secret, bench_buf_view(id));
    BENCH_LIT(&realm, "aws ");
    bench_buf_str(&realm, bench_buf_view(id));
    bench_buf_u64(&text, end > 0 ? (uint64_t)end : 0);
    bench_buf_str(token, bench_buf_view(&text));
    BENCH_LIT(token, ".");
    mock_sign(token, bench_buf_view(&realm), bench_buf_view(&text));
    bench_buf_fini(&realm);
    bench_buf_fini(&text);
}

/* Finds the secret of |id| and checks what else it needs. */
static bool find_secret(const struct mock_exchange *exchange, struct bench_str id,
                        struct bench_buf *secret, struct mock_aws_refusal *refusal)
{
    if (bench_str_starts(id, bench_str_from(ISSUED))) {
        write_issued_secret(secret, id);
        return check_issued(exchange, id, refusal);
    }
    bench_buf_str(secret, exchange->worker->config->aws_secret);
    return true;
}

bool mock_aws_check(const struct mock_exchange *exchange, const char *service,
                    struct mock_aws_refusal *refusal)
{
    struct claim claim =
        read_claim(mock_headers_find(&exchange->request.headers, BENCH_STR("authorization")));
    struct bench_buf secret = {0};
    struct bench_buf wanted = {0};
    bool good = check_claim(exchange, &claim, service, refusal) &&
                check_clock(exchange, &claim, refusal) &&
                find_secret(exchange, claim.id, &secret, refusal);
    if (good && secret.len > 0) { /* without a secret only the shape can be checked */
        good = write_signature(&wanted, exchange, &claim, bench_buf_view(&secret)) &&
               bench_str_eq(bench_buf_view(&wanted), claim.signature);
        if (!good) {
            (void)refuse(refusal, "InvalidSignatureException",
                         "The request signature we calculated does not match the signature you "
                         "provided. Check your AWS Secret Access Key and signing method. Consult "
                         "the service documentation for details.");
        }
    }
    bench_buf_fini(&secret);
    bench_buf_fini(&wanted);
    return good;
}
