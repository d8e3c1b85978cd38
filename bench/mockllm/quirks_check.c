/* SPDX-License-Identifier: MIT */
/* What Mistral, DeepSeek and xAI refuse and OpenAI takes. */
#include <string.h>

#include "mockllm/answer.h"
#include "mockllm/exchange.h"
#include "mockllm/quirks.h"

static bool str_is(struct bench_str s, const char *text)
{
    return bench_str_eq(s, bench_str_from(text));
}

static bool fail_with(struct mock_exchange *exchange, unsigned status, const char *code,
                      const char *type, const char *message)
{
    const struct mock_failure failure = {.status = status,
                                         .code = bench_str_from(code),
                                         .type = bench_str_from(type),
                                         .message = bench_str_from(message)};
    mock_vendor_of(exchange)->fail(exchange, &failure);
    return false;
}

static bool is_mistral_id(struct bench_str id)
{
    for (size_t i = 0; i < id.len; i++) {
        char c = id.ptr[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))) {
            return false;
        }
    }
    return id.len == 9;
}

static bool check_members(struct mock_exchange *exchange, yyjson_val *root)
{
    static const char *const known[] = {
        "model",
        "messages",
        "temperature",
        "top_p",
        "max_tokens",
        "stream",
        "stop",
        "random_seed",
        "metadata",
        "response_format",
        "tools",
        "tool_choice",
        "presence_penalty",
        "frequency_penalty",
        "n",
        "prediction",
        "parallel_tool_calls",
        "prompt_mode",
        "reasoning_effort",
        "safe_prompt",
        "guardrails",
        "prompt_cache_key",
    };
    size_t i = 0;
    size_t count = 0;
    yyjson_val *name = NULL;
    yyjson_val *member = NULL;
    yyjson_obj_foreach(root, i, count, name, member)
    {
        bool found = false;
        for (size_t k = 0; k < sizeof(known) / sizeof(known[0]); k++) {
            found = found || yyjson_equals_str(name, known[k]);
        }
        if (!found) {
            mock_vendor_failf(exchange, 422, "Extra inputs are not permitted: %s",
                              yyjson_get_str(name));
            return false;
        }
    }
    return true;
}

static bool check_mistral_message(struct mock_exchange *exchange, yyjson_val *message,
                                  struct bench_str before)
{
    struct bench_str role = mock_json_str(message, "role");
    size_t i = 0;
    size_t count = 0;
    yyjson_val *call = NULL;
    bool good = !str_is(role, "tool") || is_mistral_id(mock_json_str(message, "tool_call_id"));
    yyjson_arr_foreach(yyjson_obj_get(message, "tool_calls"), i, count, call)
    {
        good = good && is_mistral_id(mock_json_str(call, "id"));
    }
    if (!good) {
        return fail_with(exchange, 400, "3280", "invalid_request_error",
                         "Tool call id has to be a-z, A-Z, 0-9, with a length of 9.");
    }
    if (str_is(before, "tool") && !str_is(role, "tool") && !str_is(role, "assistant")) {
        return fail_with(exchange, 400, "3230", "invalid_request_message_order",
                         "Unexpected role after role 'tool'");
    }
    if (str_is(role, "developer")) {
        mock_vendor_fail(exchange, 422, "Input tag 'developer' does not match the expected tags");
        return false;
    }
    return true;
}

static bool check_mistral(struct mock_exchange *exchange, yyjson_val *root)
{
    yyjson_val *messages = yyjson_obj_get(root, "messages");
    yyjson_val *effort = yyjson_obj_get(root, "reasoning_effort");
    struct bench_str before = {0};
    size_t i = 0;
    size_t count = 0;
    yyjson_val *message = NULL;
    if (!check_members(exchange, root)) {
        return false;
    }
    if (effort != NULL && !yyjson_equals_str(effort, "high") &&
        !yyjson_equals_str(effort, "none")) {
        mock_vendor_fail(exchange, 422, "reasoning_effort: Input should be 'high' or 'none'");
        return false;
    }
    yyjson_arr_foreach(messages, i, count, message)
    {
        if (!check_mistral_message(exchange, message, before)) {
            return false;
        }
        before = mock_json_str(message, "role");
    }
    if (str_is(before, "assistant") && !mock_json_true(yyjson_arr_get_last(messages), "prefix")) {
        return fail_with(exchange, 400, "3230", "invalid_request_message_order",
                         "Expected last role User or Tool for serving but got assistant");
    }
    return true;
}

/* A turn that used tools while thinking must bring its reasoning back. */
static bool check_deepseek(struct mock_exchange *exchange, yyjson_val *root)
{
    yyjson_val *thinking = yyjson_obj_get(root, "thinking");
    bool thinks = !str_is(mock_json_str(thinking, "type"), "disabled");
    yyjson_val *format = yyjson_obj_get(root, "response_format");
    size_t i = 0;
    size_t count = 0;
    yyjson_val *message = NULL;
    yyjson_arr_foreach(yyjson_obj_get(root, "messages"), i, count, message)
    {
        struct bench_str role = mock_json_str(message, "role");
        bool calls = yyjson_arr_size(yyjson_obj_get(message, "tool_calls")) > 0;
        if (str_is(role, "developer")) {
            mock_vendor_fail(exchange, 422, "unknown variant `developer`");
            return false;
        }
        if (calls && thinks && mock_json_str(message, "reasoning_content").ptr == NULL) {
            mock_vendor_fail(exchange, 400,
                             "Missing `reasoning_content` field in the assistant message");
            return false;
        }
    }
    if (str_is(mock_json_str(format, "type"), "json_schema")) {
        mock_vendor_fail(exchange, 400, "This response_format type is unavailable now");
        return false;
    }
    return true;
}

static bool check_xai(struct mock_exchange *exchange, yyjson_val *root)
{
    struct bench_str model = bench_buf_view(&exchange->model);
    bool reasons = memmem(model.ptr, model.len, "non-reasoning", 13) == NULL;
    static const char *const refused[] = {"presence_penalty", "frequency_penalty", "stop"};
    for (size_t i = 0; reasons && i < sizeof(refused) / sizeof(refused[0]); i++) {
        yyjson_val *member = yyjson_obj_get(root, refused[i]);
        if (member != NULL && !yyjson_is_null(member)) {
            mock_vendor_failf(exchange, 400, "Argument not supported on this model: %s",
                              refused[i]);
            return false;
        }
    }
    if (!reasons && yyjson_obj_get(root, "reasoning_effort") != NULL) {
        mock_vendor_fail(exchange, 400, "Model does not support parameter reasoningEffort");
        return false;
    }
    return true;
}

bool mock_quirks_check(struct mock_exchange *exchange, yyjson_val *root)
{
    switch (exchange->vendor) {
    case MOCK_VENDOR_MISTRAL:
        return check_mistral(exchange, root);
    case MOCK_VENDOR_DEEPSEEK:
        return check_deepseek(exchange, root);
    case MOCK_VENDOR_XAI:
        return check_xai(exchange, root);
    default:
        return true;
    }
}
