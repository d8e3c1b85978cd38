/* SPDX-License-Identifier: MIT */
/* The table of vendors, and how a request finds its own. */
#include "mockllm/vendor.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "mockllm/answer.h"
#include "mockllm/anthropic.h"
#include "mockllm/azure.h"
#include "mockllm/bedrock.h"
#include "mockllm/cohere.h"
#include "mockllm/exchange.h"
#include "mockllm/faults.h"
#include "mockllm/gemini.h"
#include "mockllm/openai.h"
#include "mockllm/quirks.h"
#include "mockllm/tokens.h"
#include "mockllm/worker.h"

/* Longest message made by mock_vendor_failf(). */
#define MAX_MESSAGE 1024

static const struct mock_vendor_api APIS[MOCK_VENDOR_COUNT] = {
    [MOCK_VENDOR_OPENAI] = {NULL, MOCK_VENDOR_OPENAI, mock_openai_headers, mock_openai_fail,
                            mock_openai_mid_error, mock_openai_authorize},
    [MOCK_VENDOR_ANTHROPIC] = {"/anthropic", MOCK_VENDOR_ANTHROPIC, mock_anthropic_headers,
                               mock_anthropic_fail, mock_anthropic_mid_error,
                               mock_anthropic_authorize},
    [MOCK_VENDOR_GEMINI] = {"/gemini", MOCK_VENDOR_GEMINI, mock_gemini_headers, mock_gemini_fail,
                            mock_gemini_mid_error, mock_gemini_authorize},
    [MOCK_VENDOR_VERTEX] = {"/vertex", MOCK_VENDOR_GEMINI, mock_gemini_headers, mock_gemini_fail,
                            mock_gemini_mid_error, mock_vertex_authorize},
    [MOCK_VENDOR_VERTEX_CLAUDE] = {NULL, MOCK_VENDOR_VERTEX_CLAUDE, mock_anthropic_headers,
                                   mock_vertex_claude_fail, mock_anthropic_mid_error,
                                   mock_vertex_authorize},
    [MOCK_VENDOR_BEDROCK] = {"/bedrock", MOCK_VENDOR_BEDROCK, mock_bedrock_headers,
                             mock_bedrock_fail, mock_bedrock_mid_error, mock_bedrock_authorize},
    [MOCK_VENDOR_AZURE] = {"/azure", MOCK_VENDOR_OPENAI, mock_azure_headers, mock_azure_fail,
                           mock_openai_mid_error, mock_azure_authorize},
    [MOCK_VENDOR_COHERE] = {"/cohere", MOCK_VENDOR_COHERE, mock_cohere_headers, mock_cohere_fail,
                            mock_cohere_mid_error, mock_cohere_authorize},
    [MOCK_VENDOR_MISTRAL] = {"/mistral", MOCK_VENDOR_OPENAI, mock_quirks_headers, mock_mistral_fail,
                             mock_openai_mid_error, mock_quirks_authorize},
    [MOCK_VENDOR_DEEPSEEK] = {"/deepseek", MOCK_VENDOR_OPENAI, mock_quirks_headers,
                              mock_deepseek_fail, mock_openai_mid_error, mock_quirks_authorize},
    [MOCK_VENDOR_XAI] = {"/xai", MOCK_VENDOR_OPENAI, mock_quirks_headers, mock_xai_fail,
                         mock_openai_mid_error, mock_quirks_authorize},
    [MOCK_VENDOR_TOKENS] = {"/credentials", MOCK_VENDOR_TOKENS, mock_tokens_headers,
                            mock_tokens_fail, mock_openai_mid_error, mock_tokens_authorize},
};

const struct mock_vendor_api *mock_vendor_of(const struct mock_exchange *exchange)
{
    return &APIS[exchange->vendor];
}

struct bench_str mock_vendor_header(const struct mock_exchange *exchange, const char *name)
{
    return mock_headers_find(&exchange->request.headers, bench_str_from(name));
}

struct bench_str mock_vendor_bearer(const struct mock_exchange *exchange)
{
    struct bench_str value = mock_vendor_header(exchange, "authorization");
    if (value.len > 7 && bench_str_ieq(bench_str_cut(value, 0, 7), BENCH_STR("bearer "))) {
        return bench_str_cut(value, 7, value.len);
    }
    return (struct bench_str){0};
}

bool mock_vendor_key_fits(const struct mock_exchange *exchange, struct bench_str key)
{
    struct bench_str wanted = exchange->worker->config->api_key;
    return key.len > 0 && (wanted.len == 0 || bench_str_eq(key, wanted));
}

struct bench_str mock_vendor_query(const struct mock_exchange *exchange, const char *name)
{
    struct bench_str rest = bench_buf_view(&exchange->request.target);
    rest = bench_str_cut(rest, exchange->request.path_len + 1, rest.len);
    while (rest.len > 0) {
        size_t end = bench_str_find(rest, '&');
        struct bench_str pair = bench_str_cut(rest, 0, end);
        size_t equals = bench_str_find(pair, '=');
        if (bench_str_eq(bench_str_cut(pair, 0, equals), bench_str_from(name))) {
            return equals == pair.len ? BENCH_STR("") : bench_str_cut(pair, equals + 1, pair.len);
        }
        rest = bench_str_cut(rest, end + 1, rest.len);
    }
    return (struct bench_str){0};
}

void mock_vendor_fail(struct mock_exchange *exchange, unsigned status, const char *message)
{
    const struct mock_failure failure = {.status = status, .message = bench_str_from(message)};
    mock_vendor_of(exchange)->fail(exchange, &failure);
}

void mock_vendor_failf(struct mock_exchange *exchange, unsigned status, const char *fmt, ...)
{
    char message[MAX_MESSAGE];
    va_list args;
    va_start(args, fmt);
    vsnprintf(message, sizeof(message), fmt, args);
    va_end(args);
    mock_vendor_fail(exchange, status, message);
}

/* Tells whether |path| begins with the whole parts of |prefix|. */
static bool is_under(struct bench_str path, const char *prefix)
{
    size_t len = strlen(prefix);
    return bench_str_starts(path, bench_str_from(prefix)) &&
           (path.len == len || path.ptr[len] == '/' || path.ptr[len] == '?');
}

static void cut_prefix(struct mock_exchange *exchange, const char *prefix)
{
    if (is_under(exchange->path, prefix)) {
        exchange->path = bench_str_cut(exchange->path, strlen(prefix), exchange->path.len);
    }
}

/* Returns the vendor that the first part of the path names, and takes the part off the path. */
static enum mock_vendor named_vendor(struct mock_exchange *exchange)
{
    for (size_t i = 0; i < MOCK_VENDOR_COUNT; i++) {
        if (APIS[i].prefix != NULL && is_under(exchange->path, APIS[i].prefix)) {
            cut_prefix(exchange, APIS[i].prefix);
            return (enum mock_vendor)i;
        }
    }
    return MOCK_VENDOR_COUNT;
}

static bool holds(struct bench_str s, const char *text)
{
    return memmem(s.ptr, s.len, text, strlen(text)) != NULL;
}

static enum mock_vendor guess_vendor(const struct mock_exchange *exchange)
{
    struct bench_str path = exchange->path;
    bool is_claude = mock_vendor_header(exchange, "anthropic-version").ptr != NULL;
    if (is_under(path, "/v1/messages") || (is_claude && is_under(path, "/v1/models"))) {
        return MOCK_VENDOR_ANTHROPIC;
    }
    if (is_under(path, "/model")) {
        return MOCK_VENDOR_BEDROCK;
    }
    if (mock_tokens_is(exchange, path)) {
        return MOCK_VENDOR_TOKENS;
    }
    if (is_under(path, "/v2")) {
        return MOCK_VENDOR_COHERE;
    }
    bool is_azure = mock_vendor_header(exchange, "api-key").ptr != NULL;
    if (is_under(path, "/openai") && (is_azure || !is_under(path, "/openai/v1"))) {
        return MOCK_VENDOR_AZURE;
    }
    if (holds(path, "/publishers/")) {
        return MOCK_VENDOR_VERTEX;
    }
    bool is_google = mock_vendor_header(exchange, "x-goog-api-key").ptr != NULL;
    if (is_under(path, "/v1beta") || (is_google && is_under(path, "/v1/models")) ||
        (holds(path, "/models/") && holds(path, ":"))) {
        return MOCK_VENDOR_GEMINI;
    }
    return MOCK_VENDOR_OPENAI;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c = (char)(c | 32);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Appends |text| with its percent-escapes resolved; |form|: '+' is a space. */
static void unescape(struct bench_buf *out, struct bench_str text, bool form)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = form && text.ptr[i] == '+' ? ' ' : text.ptr[i];
        if (c == '%' && i + 2 < text.len && hex_digit(text.ptr[i + 1]) >= 0 &&
            hex_digit(text.ptr[i + 2]) >= 0) {
            c = (char)(hex_digit(text.ptr[i + 1]) * 16 + hex_digit(text.ptr[i + 2]));
            i += 2;
        }
        bench_buf_add(out, &c, 1);
    }
}

static void take_model(struct mock_exchange *exchange, struct bench_str name)
{
    unescape(&exchange->model, name, false);
}

void mock_vendor_form(struct bench_str form, const char *name, struct bench_buf *out)
{
    while (form.len > 0) {
        size_t end = bench_str_find(form, '&');
        struct bench_str pair = bench_str_cut(form, 0, end);
        size_t equals = bench_str_find(pair, '=');
        if (bench_str_eq(bench_str_cut(pair, 0, equals), bench_str_from(name))) {
            unescape(out, bench_str_cut(pair, equals + 1, pair.len), true);
            return;
        }
        form = bench_str_cut(form, end + 1, form.len);
    }
}

/* Google's paths: .../models/{model}:{method}, of which ":{method}" stays; or .../models[/{model}].
 */
static void read_google_path(struct mock_exchange *exchange)
{
    static const char mark[] = "/models";
    struct bench_str path = exchange->path;
    if (holds(path, "/publishers/anthropic/")) {
        exchange->vendor = MOCK_VENDOR_VERTEX_CLAUDE;
    }
    const char *found = memmem(path.ptr, path.len, mark, sizeof(mark) - 1);
    if (found == NULL) {
        return;
    }
    path = bench_str_cut(path, (size_t)(found - path.ptr), path.len);
    size_t colon = path.len;
    while (colon > 0 && path.ptr[colon - 1] != ':') {
        colon--;
    }
    if (colon > sizeof(mark)) {
        take_model(exchange, bench_str_cut(path, sizeof(mark), colon - 1 - sizeof(mark)));
        path = bench_str_cut(path, colon - 1, path.len);
    }
    exchange->path = path;
}

/* /model/{id}/{operation}: the id may hold slashes of an ARN, escaped or not. */
static void read_bedrock_path(struct mock_exchange *exchange)
{
    struct bench_str path = exchange->path;
    size_t slash = path.len;
    while (slash > 0 && path.ptr[slash - 1] != '/') {
        slash--;
    }
    if (bench_str_starts(path, BENCH_STR("/model/")) && slash > sizeof("/model/")) {
        size_t from = sizeof("/model/") - 1;
        take_model(exchange, bench_str_cut(path, from, slash - 1 - from));
        exchange->path = bench_str_cut(path, slash - 1, path.len);
    }
}

void mock_vendor_detect(struct mock_exchange *exchange)
{
    exchange->path = mock_request_path(&exchange->request);
    exchange->vendor = named_vendor(exchange);
    if (exchange->vendor == MOCK_VENDOR_COUNT) {
        exchange->vendor = guess_vendor(exchange);
    }
    switch (exchange->vendor) {
    case MOCK_VENDOR_ANTHROPIC:
        cut_prefix(exchange, "/v1");
        return;
    case MOCK_VENDOR_GEMINI:
    case MOCK_VENDOR_VERTEX:
    case MOCK_VENDOR_VERTEX_CLAUDE:
        read_google_path(exchange);
        return;
    case MOCK_VENDOR_BEDROCK:
        read_bedrock_path(exchange);
        return;
    case MOCK_VENDOR_AZURE:
        take_model(exchange, mock_azure_deployment(exchange->path));
        return;
    case MOCK_VENDOR_OPENAI:
    case MOCK_VENDOR_COHERE:
    case MOCK_VENDOR_MISTRAL:
    case MOCK_VENDOR_DEEPSEEK:
    case MOCK_VENDOR_XAI:
    case MOCK_VENDOR_TOKENS:
    case MOCK_VENDOR_COUNT:
        return;
    }
}
