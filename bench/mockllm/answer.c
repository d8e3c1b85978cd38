/* SPDX-License-Identifier: MIT */
/* Heads, errors, ids and usage of all answers. */
#include "mockllm/answer.h"

#include <string.h>
#include <time.h>

#include "mockllm/exchange.h"
#include "mockllm/openai.h"

static const struct bench_str NO_STR = {.ptr = NULL, .len = 0};

void mock_answer_header(struct mock_exchange *exchange, struct bench_str name,
                        struct bench_str value)
{
    (void)mock_headers_add(&exchange->answer.headers, name, value);
}

void mock_answer_number_header(struct mock_exchange *exchange, struct bench_str name, uint64_t n)
{
    struct bench_buf digits = {0};
    bench_buf_u64(&digits, n);
    mock_answer_header(exchange, name, bench_buf_view(&digits));
    bench_buf_fini(&digits);
}

/* Fills the head with |bytes| of headers, in lines of at most 4 KB: parsers limit single lines. */
static void add_filler(struct mock_exchange *exchange, uint64_t bytes)
{
    char line[4096];
    memset(line, 'h', sizeof(line));
    const struct bench_str name = BENCH_STR("x-mock-filler");
    while (bytes > name.len) {
        uint64_t n = bytes - name.len < sizeof(line) ? bytes - name.len : sizeof(line);
        mock_answer_header(exchange, name, (struct bench_str){.ptr = line, .len = n});
        bytes -= n + name.len;
    }
}

void mock_openai_headers(struct mock_exchange *exchange)
{
    mock_answer_id_header(exchange, BENCH_STR("x-request-id"));
    mock_answer_header(exchange, BENCH_STR("openai-organization"), BENCH_STR("mock"));
    mock_answer_header(exchange, BENCH_STR("openai-version"), BENCH_STR("2020-10-01"));
    mock_answer_header(exchange, BENCH_STR("x-ratelimit-limit-requests"), BENCH_STR("10000"));
    mock_answer_header(exchange, BENCH_STR("x-ratelimit-remaining-requests"), BENCH_STR("9999"));
    mock_answer_header(exchange, BENCH_STR("x-ratelimit-reset-requests"), BENCH_STR("6ms"));
}

void mock_answer_id_header(struct mock_exchange *exchange, struct bench_str name)
{
    char id[20] = "req_";
    for (size_t i = 0; i < 16; i++) {
        id[4 + i] = "0123456789abcdef"[(exchange->id >> (60 - 4 * i)) & 15];
    }
    mock_answer_header(exchange, name, (struct bench_str){.ptr = id, .len = sizeof(id)});
}

static void add_common_headers(struct mock_exchange *exchange, struct bench_str content_type)
{
    mock_answer_header(exchange, BENCH_STR("content-type"), content_type);
    mock_vendor_of(exchange)->headers(exchange);
    if (exchange->knobs.headers > 0) {
        add_filler(exchange, exchange->knobs.headers);
    }
}

struct bench_buf *mock_answer_begin(struct mock_exchange *exchange, unsigned status,
                                    struct bench_str content_type)
{
    exchange->answer.status = status;
    exchange->answer.streamed = false;
    add_common_headers(exchange, content_type);
    mock_piece_begin(&exchange->answer, MOCK_PIECE_HEAD);
    return &exchange->answer.script.bytes;
}

struct bench_buf *mock_answer_json(struct mock_exchange *exchange)
{
    return mock_answer_begin(exchange, 200, BENCH_STR("application/json"));
}

void mock_answer_end(struct mock_exchange *exchange)
{
    mock_piece_end(&exchange->answer, 1, 0);
}

struct bench_buf *mock_answer_stream(struct mock_exchange *exchange)
{
    return mock_answer_stream_as(exchange, BENCH_STR("text/event-stream; charset=utf-8"));
}

struct bench_buf *mock_answer_stream_as(struct mock_exchange *exchange,
                                        struct bench_str content_type)
{
    exchange->answer.status = 200;
    exchange->answer.streamed = true;
    exchange->answer.stamp = exchange->knobs.stamp > 0;
    add_common_headers(exchange, content_type);
    mock_answer_header(exchange, BENCH_STR("cache-control"), BENCH_STR("no-cache"));
    return &exchange->answer.script.bytes;
}

static void write_str_or_null(struct bench_buf *out, struct bench_str s)
{
    if (s.ptr == NULL) {
        BENCH_LIT(out, "null");
    } else {
        bench_buf_json(out, s);
    }
}

void mock_answer_error(struct mock_exchange *exchange, unsigned status, struct bench_str type,
                       struct bench_str code, struct bench_str param, struct bench_str message)
{
    mock_answer_clear(&exchange->answer);
    struct bench_buf *out = mock_answer_begin(exchange, status, BENCH_STR("application/json"));
    BENCH_LIT(out, "{\n    \"error\": {\n        \"message\": ");
    bench_buf_json(out, message);
    BENCH_LIT(out, ",\n        \"type\": ");
    bench_buf_json(out, type);
    BENCH_LIT(out, ",\n        \"param\": ");
    write_str_or_null(out, param);
    BENCH_LIT(out, ",\n        \"code\": ");
    write_str_or_null(out, code);
    BENCH_LIT(out, "\n    }\n}");
    mock_answer_end(exchange);
}

void mock_answer_invalid(struct mock_exchange *exchange, const char *param, const char *message)
{
    mock_answer_error(exchange, 400, BENCH_STR("invalid_request_error"), NO_STR,
                      param == NULL ? NO_STR : bench_str_from(param), bench_str_from(message));
}

static const struct status_text {
    unsigned status;
    const char *type;
    const char *code; /* NULL: null */
    const char *message;
} STATUS_TEXTS[] = {
    {400, "invalid_request_error", NULL, "Invalid request (ordered from the mock)."},
    {401, "invalid_request_error", "invalid_api_key", "Incorrect API key provided: mock-key."},
    {403, "invalid_request_error", "unsupported_country_region_territory",
     "Country, region, or territory not supported"},
    {404, "invalid_request_error", "model_not_found", "The model does not exist."},
    {408, "server_error", NULL, "Request timed out."},
    {409, "conflict_error", NULL, "The resource was updated by another process."},
    {413, "invalid_request_error", NULL, "Request entity too large."},
    {429, "requests", "rate_limit_exceeded", "Rate limit reached for requests."},
    {500, "server_error", NULL, "The server had an error while processing your request."},
    {502, "server_error", NULL, "Bad gateway."},
    {503, "server_error", "server_overloaded", "The engine is currently overloaded."},
    {504, "server_error", NULL, "Gateway timeout."},
};

void mock_openai_fail(struct mock_exchange *exchange, const struct mock_failure *failure)
{
    unsigned status = failure->status;
    struct status_text text = {status, status < 500 ? "invalid_request_error" : "server_error",
                               NULL, "An error ordered from the mock."};
    for (size_t i = 0; i < sizeof(STATUS_TEXTS) / sizeof(STATUS_TEXTS[0]); i++) {
        if (STATUS_TEXTS[i].status == status) {
            text = STATUS_TEXTS[i];
        }
    }
    struct bench_str code = text.code == NULL ? NO_STR : bench_str_from(text.code);
    mock_answer_error(exchange, status,
                      failure->type.len > 0 ? failure->type : bench_str_from(text.type),
                      failure->code.len > 0 ? failure->code : code, NO_STR,
                      failure->message.len > 0 ? failure->message : bench_str_from(text.message));
    if (failure->retry_after > 0 || (status == 429 && exchange->knobs.bare == 0)) {
        mock_answer_number_header(exchange, BENCH_STR("retry-after"),
                                  failure->retry_after > 0 ? failure->retry_after : 1);
    }
}

void mock_openai_mid_error(const struct mock_exchange *exchange, struct bench_buf *out)
{
    (void)exchange;
    BENCH_LIT(out, "data: {\"error\":{\"message\":\"The server had an error while processing your "
                   "request. Sorry about that!\",\"type\":\"server_error\",\"param\":null,"
                   "\"code\":null}}\n\n");
}

void mock_answer_status(struct mock_exchange *exchange)
{
    const struct mock_knobs *knobs = &exchange->knobs;
    const struct mock_failure failure = {
        .status = knobs->status >= 200 && knobs->status <= 599 ? (unsigned)knobs->status : 500,
        .type = knobs->error_type,
        .code = knobs->error_code,
        .message = knobs->error_message,
        .retry_after = knobs->retry_after,
    };
    mock_vendor_of(exchange)->fail(exchange, &failure);
}

struct mock_usage mock_answer_usage(const struct mock_exchange *exchange, uint64_t completion)
{
    const struct mock_knobs *knobs = &exchange->knobs;
    uint64_t prompt = exchange->request.body.len / 4;
    struct mock_usage usage = {
        .prompt = knobs->prompt_tokens > 0 ? knobs->prompt_tokens : prompt + 1,
        .completion = knobs->completion_tokens > 0 ? knobs->completion_tokens : completion,
        .cached = knobs->cached_tokens,
        .cache_write = knobs->cache_write_tokens,
        .reasoning = knobs->reasoning_tokens,
    };
    return usage;
}

uint64_t mock_answer_created(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME_COARSE, &now);
    return (uint64_t)now.tv_sec;
}

void mock_answer_id(struct bench_buf *out, const struct mock_exchange *exchange,
                    struct bench_str prefix, unsigned sub)
{
    bench_buf_str(out, prefix);
    bench_buf_hex(out, exchange->id, 16);
    bench_buf_hex(out, sub, 8);
}

yyjson_val *mock_answer_root(const struct mock_exchange *exchange)
{
    yyjson_val *root = yyjson_doc_get_root(exchange->doc);
    return yyjson_is_obj(root) ? root : NULL;
}

struct bench_str mock_json_text(yyjson_val *value)
{
    if (!yyjson_is_str(value)) { /* lists and objects have a length, too */
        return NO_STR;
    }
    return (struct bench_str){.ptr = yyjson_get_str(value), .len = yyjson_get_len(value)};
}

struct bench_str mock_json_str(yyjson_val *object, const char *name)
{
    yyjson_val *member = yyjson_obj_get(object, name);
    return mock_json_text(member);
}

uint64_t mock_json_u64(yyjson_val *object, const char *name, uint64_t missing)
{
    yyjson_val *member = yyjson_obj_get(object, name);
    return yyjson_is_uint(member) ? yyjson_get_uint(member) : missing;
}

bool mock_json_true(yyjson_val *object, const char *name)
{
    return yyjson_is_true(yyjson_obj_get(object, name));
}
