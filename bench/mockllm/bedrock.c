/* SPDX-License-Identifier: MIT */
/* What all of Bedrock's answers share: headers, errors, credentials; and counting. */
#include "mockllm/bedrock.h"

#include <stdio.h>
#include <time.h>

#include "mockllm/answer.h"
#include "mockllm/aws_sign.h"
#include "mockllm/exchange.h"

static const struct error_kind {
    unsigned status;
    const char *type;
    const char *message;
} ERRORS[] = {
    {400, "ValidationException", "The provided model identifier is invalid."},
    {401, "UnrecognizedClientException", "The security token included in the request is invalid."},
    {403, "AccessDeniedException",
     "You don't have access to the model with the specified model ID."},
    {404, "ResourceNotFoundException", "Could not resolve the foundation model."},
    {408, "ModelTimeoutException", "Model has timed out in processing the request."},
    {409, "ConflictException", "The resource is in use."},
    {424, "ModelErrorException", "The model returned an error."},
    {429, "ThrottlingException", "Too many requests, please wait before trying again."},
    {500, "InternalServerException", "The system encountered an unexpected error."},
    {503, "ServiceUnavailableException", "Bedrock is unable to process your request."},
};

void mock_bedrock_headers(struct mock_exchange *exchange)
{
    char date[64];
    char id[48];
    time_t now = (time_t)mock_aws_now(exchange);
    struct tm parts;
    gmtime_r(&now, &parts);
    strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", &parts);
    snprintf(id, sizeof(id), "6f1d1b9e-8c3a-4e2b-%04x-%012llx", (unsigned)(exchange->id >> 48),
             (unsigned long long)(exchange->id & 0xFFFFFFFFFFFFu));
    mock_answer_header(exchange, BENCH_STR("date"), bench_str_from(date));
    mock_answer_header(exchange, BENCH_STR("x-amzn-requestid"), bench_str_from(id));
}

static void fail(struct mock_exchange *exchange, unsigned status, const char *type,
                 struct bench_str message)
{
    struct bench_buf header = {0};
    mock_answer_clear(&exchange->answer);
    struct bench_buf *out = mock_answer_begin(exchange, status, BENCH_STR("application/json"));
    BENCH_LIT(out, "{\"message\":");
    bench_buf_json(out, message);
    BENCH_LIT(out, "}");
    mock_answer_end(exchange);
    bench_buf_printf(&header, "%s:http://internal.amazon.com/coral/com.amazon.bedrock/", type);
    mock_answer_header(exchange, BENCH_STR("x-amzn-errortype"), bench_buf_view(&header));
    bench_buf_fini(&header);
}

void mock_bedrock_fail(struct mock_exchange *exchange, const struct mock_failure *failure)
{
    struct error_kind kind = {
        failure->status, failure->status < 500 ? "ValidationException" : "InternalServerException",
        "An error ordered from the mock."};
    struct bench_buf type = {0};
    for (size_t i = 0; i < sizeof(ERRORS) / sizeof(ERRORS[0]); i++) {
        if (ERRORS[i].status == failure->status) {
            kind = ERRORS[i];
        }
    }
    bench_buf_str(&type, failure->type.len > 0 ? failure->type : bench_str_from(kind.type));
    bench_buf_add(&type, "", 1);
    fail(exchange, failure->status, type.ptr + type.head,
         failure->message.len > 0 ? failure->message : bench_str_from(kind.message));
    bench_buf_fini(&type);
}

void mock_bedrock_mid_error(const struct mock_exchange *exchange, struct bench_buf *out)
{
    (void)exchange;
    mock_bedrock_frame(out, "modelStreamErrorException", true,
                       BENCH_STR("{\"message\":\"The model failed in mid-stream.\","
                                 "\"originalStatusCode\":500,"
                                 "\"originalMessage\":\"An error ordered from the mock.\"}"));
}

bool mock_bedrock_authorize(struct mock_exchange *exchange)
{
    struct bench_str header = mock_vendor_header(exchange, "authorization");
    struct bench_str key = mock_vendor_bearer(exchange);
    struct mock_aws_refusal refusal = {0};
    if (header.ptr == NULL) {
        fail(exchange, 403, "MissingAuthenticationTokenException",
             BENCH_STR("Missing Authentication Token"));
        return false;
    }
    if (key.ptr != NULL) {
        if (mock_vendor_key_fits(exchange, key)) {
            return true;
        }
        fail(exchange, 403, "AccessDeniedException",
             BENCH_STR("Authentication failed: Please make sure your API Key is valid."));
        return false;
    }
    if (mock_aws_check(exchange, "bedrock", &refusal)) {
        return true;
    }
    fail(exchange, 403, refusal.type, bench_str_from(refusal.message));
    return false;
}

void mock_bedrock_count(struct mock_exchange *exchange, const struct bench_str *ids)
{
    (void)ids;
    yyjson_val *input = yyjson_obj_get(mock_answer_root(exchange), "input");
    yyjson_val *converse = yyjson_obj_get(input, "converse");
    if (converse != NULL && !mock_bedrock_check(exchange, converse)) {
        return;
    }
    if (converse == NULL && yyjson_obj_get(input, "invokeModel") == NULL) {
        mock_vendor_fail(exchange, 400, "input: one of converse and invokeModel is required");
        return;
    }
    bench_buf_printf(mock_answer_json(exchange), "{\"inputTokens\":%llu}",
                     (unsigned long long)mock_answer_usage(exchange, 0).prompt);
    mock_answer_end(exchange);
}
