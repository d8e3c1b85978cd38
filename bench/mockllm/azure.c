/* SPDX-License-Identifier: MIT */
/* Azure's address, credentials, errors and content filter. */
#include "mockllm/azure.h"

#include "mockllm/answer.h"
#include "mockllm/exchange.h"
#include "mockllm/tokens.h"

static const struct error_kind {
    unsigned status;
    const char *code;
    const char *message;
} ERRORS[] = {
    {401, "401",
     "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a "
     "valid key for an active subscription and use a correct regional API endpoint for your "
     "resource."},
    {403, "PublicNetworkAccessDisabled",
     "Public access is disabled. Please configure private endpoint."},
    {404, "DeploymentNotFound",
     "The API deployment for this resource does not exist. If you created the deployment within "
     "the "
     "last 5 minutes, please wait a moment and try again."},
    {408, "Timeout", "The operation was timeout."},
    {429, "429",
     "Requests to the ChatCompletions_Create Operation under Azure OpenAI API have exceeded token "
     "rate limit of your current OpenAI S0 pricing tier. Please retry after 1 seconds."},
    {500, "InternalServerError", "Backend returned unexpected response."},
    {503, "ServiceUnavailable", "The service is temporarily unable to process your request."},
};

void mock_azure_headers(struct mock_exchange *exchange)
{
    mock_answer_id_header(exchange, BENCH_STR("apim-request-id"));
    mock_answer_header(exchange, BENCH_STR("x-ms-region"), BENCH_STR("Mock Central"));
    mock_answer_header(exchange, BENCH_STR("x-ratelimit-remaining-requests"), BENCH_STR("99"));
    mock_answer_header(exchange, BENCH_STR("x-ratelimit-remaining-tokens"), BENCH_STR("99000"));
    mock_answer_header(exchange, BENCH_STR("x-ratelimit-reset-requests"), BENCH_STR("1"));
}

void mock_azure_fail(struct mock_exchange *exchange, const struct mock_failure *failure)
{
    struct error_kind kind = {failure->status, "BadRequest", "An error ordered from the mock."};
    uint64_t retry_after = failure->retry_after > 0 ? failure->retry_after : 1;
    for (size_t i = 0; i < sizeof(ERRORS) / sizeof(ERRORS[0]); i++) {
        if (ERRORS[i].status == failure->status) {
            kind = ERRORS[i];
        }
    }
    mock_answer_clear(&exchange->answer);
    struct bench_buf *out =
        mock_answer_begin(exchange, failure->status, BENCH_STR("application/json"));
    BENCH_LIT(out, "{\"error\":{\"code\":");
    bench_buf_json(out, failure->code.len > 0 ? failure->code : bench_str_from(kind.code));
    BENCH_LIT(out, ",\"message\":");
    bench_buf_json(out, failure->message.len > 0 ? failure->message : bench_str_from(kind.message));
    BENCH_LIT(out, "}}");
    mock_answer_end(exchange);
    if (failure->retry_after > 0 || failure->status == 429) {
        mock_answer_number_header(exchange, BENCH_STR("retry-after"), retry_after);
        mock_answer_number_header(exchange, BENCH_STR("retry-after-ms"), retry_after * 1000);
    }
}

/* 2024-10-21 or 2025-04-01-preview. */
static bool is_version(struct bench_str version)
{
    static const char form[] = "dddd-dd-dd";
    for (size_t i = 0; i < sizeof(form) - 1; i++) {
        bool digit = i < version.len && version.ptr[i] >= '0' && version.ptr[i] <= '9';
        if (form[i] == 'd' ? !digit : (i >= version.len || version.ptr[i] != '-')) {
            return false;
        }
    }
    struct bench_str rest = bench_str_cut(version, sizeof(form) - 1, version.len);
    return rest.len == 0 || bench_str_eq(rest, BENCH_STR("-preview"));
}

bool mock_azure_authorize(struct mock_exchange *exchange)
{
    struct bench_str key = mock_vendor_header(exchange, "api-key");
    bool is_v1 = bench_str_starts(exchange->path, BENCH_STR("/openai/v1/"));
    struct mock_failure failure = {.status = 401};
    bool is_token = key.ptr == NULL;
    key = is_token ? mock_vendor_bearer(exchange) : key;
    if (!mock_vendor_key_fits(exchange, key) ||
        (is_token && !mock_tokens_check(exchange, "entra", key))) {
        mock_azure_fail(exchange, &failure);
        return false;
    }
    if (is_v1 || is_version(mock_vendor_query(exchange, "api-version"))) {
        return true;
    }
    failure = (struct mock_failure){
        .status = 404, .code = BENCH_STR("404"), .message = BENCH_STR("Resource not found")};
    mock_azure_fail(exchange, &failure);
    return false;
}

struct bench_str mock_azure_deployment(struct bench_str path)
{
    const struct bench_str prefix = BENCH_STR("/openai/deployments/");
    if (!bench_str_starts(path, prefix)) {
        return (struct bench_str){0};
    }
    struct bench_str rest = bench_str_cut(path, prefix.len, path.len);
    return bench_str_cut(rest, 0, bench_str_find(rest, '/'));
}

void mock_azure_blocked(struct mock_exchange *exchange)
{
    struct bench_buf *out = mock_answer_begin(exchange, 400, BENCH_STR("application/json"));
    BENCH_LIT(out,
              "{\"error\":{\"message\":\"The response was filtered due to the prompt triggering "
              "Azure OpenAI's content management policy. Please modify your prompt and "
              "retry.\",\"type\":null,\"param\":\"prompt\",\"code\":\"content_filter\","
              "\"status\":400,\"innererror\":{\"code\":\"ResponsibleAIPolicyViolation\","
              "\"content_filter_result\":{\"jailbreak\":{\"filtered\":true,\"detected\":true},"
              "\"violence\":{\"filtered\":false,\"severity\":\"safe\"}}}}}");
    mock_answer_end(exchange);
}

void mock_azure_write_results(struct bench_buf *out, bool filtered)
{
    BENCH_LIT(out,
              "\"content_filter_results\":{\"hate\":{\"filtered\":false,\"severity\":\"safe\"},"
              "\"self_harm\":{\"filtered\":false,\"severity\":\"safe\"},"
              "\"sexual\":{\"filtered\":false,\"severity\":\"safe\"},\"violence\":");
    bench_buf_str(out, filtered ? BENCH_STR("{\"filtered\":true,\"severity\":\"high\"}}")
                                : BENCH_STR("{\"filtered\":false,\"severity\":\"safe\"}}"));
}

void mock_azure_write_prompt_results(struct bench_buf *out)
{
    BENCH_LIT(out, "\"prompt_filter_results\":[{\"prompt_index\":0,");
    mock_azure_write_results(out, false);
    BENCH_LIT(out, "}]");
}
