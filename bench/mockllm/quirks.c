/* SPDX-License-Identifier: MIT */
/* Headers, errors and credentials of Mistral, DeepSeek and xAI. */
#include "mockllm/quirks.h"

#include "mockllm/answer.h"
#include "mockllm/exchange.h"

void mock_quirks_headers(struct mock_exchange *exchange)
{
    mock_answer_id_header(exchange, exchange->vendor == MOCK_VENDOR_MISTRAL
                                        ? BENCH_STR("mistral-correlation-id")
                                        : BENCH_STR("x-request-id"));
}

bool mock_quirks_has(const struct mock_exchange *exchange)
{
    return exchange->vendor == MOCK_VENDOR_MISTRAL || exchange->vendor == MOCK_VENDOR_DEEPSEEK ||
           exchange->vendor == MOCK_VENDOR_XAI;
}

static struct bench_buf *begin(struct mock_exchange *exchange, unsigned status)
{
    mock_answer_clear(&exchange->answer);
    return mock_answer_begin(exchange, status, BENCH_STR("application/json"));
}

static struct bench_str message_of(const struct mock_failure *failure)
{
    return failure->message.len > 0 ? failure->message
                                    : BENCH_STR("An error ordered from the mock.");
}

static void end(struct mock_exchange *exchange, const struct mock_failure *failure)
{
    mock_answer_end(exchange);
    if (failure->retry_after > 0) {
        mock_answer_number_header(exchange, BENCH_STR("retry-after"), failure->retry_after);
    }
}

void mock_mistral_fail(struct mock_exchange *exchange, const struct mock_failure *failure)
{
    struct bench_buf *out = begin(exchange, failure->status);
    switch (failure->status) {
    case 401:
        BENCH_LIT(out, "{\"detail\":\"Unauthorized\"}");
        break;
    case 422:
        BENCH_LIT(out, "{\"detail\":[{\"type\":\"extra_forbidden\",\"loc\":[\"body\"],\"msg\":");
        bench_buf_json(out, message_of(failure));
        BENCH_LIT(out, "}]}");
        break;
    case 429:
        BENCH_LIT(out, "{\"message\":\"Requests rate limit exceeded\"}");
        break;
    default:
        BENCH_LIT(out, "{\"object\":\"error\",\"message\":");
        bench_buf_json(out, message_of(failure));
        BENCH_LIT(out, ",\"type\":");
        bench_buf_json(out,
                       failure->type.len > 0 ? failure->type : BENCH_STR("invalid_request_error"));
        BENCH_LIT(out, ",\"param\":null,\"code\":");
        if (failure->code.len > 0) {
            bench_buf_json(out, failure->code);
        } else {
            BENCH_LIT(out, "null");
        }
        bench_buf_printf(out, ",\"raw_status_code\":%u}", failure->status);
        break;
    }
    end(exchange, failure);
}

void mock_deepseek_fail(struct mock_exchange *exchange, const struct mock_failure *failure)
{
    const char *type = "invalid_request_error";
    if (failure->status == 401) {
        type = "authentication_error";
    } else if (failure->status == 402) {
        type = "unknown_error";
    }
    struct bench_buf *out = begin(exchange, failure->status);
    BENCH_LIT(out, "{\"error\":{\"message\":");
    bench_buf_json(out, failure->status == 402 ? BENCH_STR("Insufficient Balance")
                                               : message_of(failure));
    BENCH_LIT(out, ",\"type\":");
    bench_buf_json(out, failure->type.len > 0 ? failure->type : bench_str_from(type));
    BENCH_LIT(out, ",\"param\":null,\"code\":\"invalid_request_error\"}}");
    end(exchange, failure);
}

void mock_xai_fail(struct mock_exchange *exchange, const struct mock_failure *failure)
{
    struct bench_buf *out = begin(exchange, failure->status);
    if (failure->status < 500) {
        BENCH_LIT(out, "{\"code\":");
        bench_buf_json(out, failure->code.len > 0 ? failure->code : BENCH_STR("invalid-argument"));
        BENCH_LIT(out, ",\"error\":");
    } else {
        BENCH_LIT(out, "{\"error\":");
    }
    bench_buf_json(out, message_of(failure));
    BENCH_LIT(out, "}");
    end(exchange, failure);
}

bool mock_quirks_authorize(struct mock_exchange *exchange)
{
    struct bench_str key = mock_vendor_bearer(exchange);
    if (mock_vendor_key_fits(exchange, key)) {
        return true;
    }
    bool is_xai = exchange->vendor == MOCK_VENDOR_XAI && key.ptr != NULL;
    mock_vendor_fail(exchange, is_xai ? 400 : 401, "Incorrect API key provided.");
    return false;
}
