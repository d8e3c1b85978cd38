/* SPDX-License-Identifier: MIT */
/* POST /v1/chat/completions: reads and checks the request. */
#include "mockllm/openai_chat.h"

#include "mockllm/azure.h"
#include "mockllm/exchange.h"
#include "mockllm/openai.h"
#include "mockllm/quirks.h"

/* Returns the text of a message: its string, or the first text part. */
static struct bench_str message_text(yyjson_val *message)
{
    yyjson_val *content = yyjson_obj_get(message, "content");
    if (yyjson_is_str(content)) {
        return mock_json_text(content);
    }
    size_t i = 0;
    size_t count = 0;
    yyjson_val *part = NULL;
    yyjson_arr_foreach(content, i, count, part)
    {
        struct bench_str text = mock_json_str(part, "text");
        if (text.ptr != NULL) {
            return text;
        }
    }
    return (struct bench_str){0};
}

static struct bench_str last_user_text(yyjson_val *messages)
{
    for (size_t i = yyjson_arr_size(messages); i > 0; i--) {
        yyjson_val *message = yyjson_arr_get(messages, i - 1);
        if (bench_str_eq(mock_json_str(message, "role"), BENCH_STR("user"))) {
            return message_text(message);
        }
    }
    return (struct bench_str){0};
}

/* The checks OpenAI makes that a gateway might break. Returns false after answering. */
static bool is_valid(struct mock_exchange *exchange, yyjson_val *root)
{
    yyjson_val *messages = yyjson_obj_get(root, "messages");
    if (root == NULL) {
        mock_answer_invalid(exchange, NULL,
                            "We could not parse the JSON body of your request. (HINT: This likely "
                            "means you aren't using your HTTP library correctly.)");
    } else if (exchange->model.len == 0) {
        mock_answer_invalid(exchange, "model", "you must provide a model parameter");
    } else if (!yyjson_is_arr(messages)) {
        mock_answer_invalid(exchange, "messages", "Missing required parameter: 'messages'.");
    } else if (yyjson_arr_size(messages) == 0) {
        mock_answer_invalid(exchange, "messages", "Invalid 'messages': empty array.");
    } else if (yyjson_obj_get(root, "stream_options") != NULL &&
               !yyjson_is_null(yyjson_obj_get(root, "stream_options")) &&
               !mock_json_true(root, "stream")) {
        mock_answer_invalid(exchange, "stream_options",
                            "The 'stream_options' parameter is only allowed when 'stream' is "
                            "enabled.");
    } else if (yyjson_obj_get(root, "tool_choice") != NULL &&
               yyjson_arr_size(yyjson_obj_get(root, "tools")) == 0) {
        mock_answer_invalid(exchange, "tool_choice",
                            "Invalid value for 'tool_choice': 'tool_choice' is only allowed when "
                            "'tools' are specified.");
    } else {
        return true;
    }
    return false;
}

static struct bench_str first_stop(yyjson_val *stop)
{
    yyjson_val *first = yyjson_is_arr(stop) ? yyjson_arr_get_first(stop) : stop;
    return mock_json_text(first);
}

static struct mock_plan_ask read_ask(yyjson_val *root)
{
    yyjson_val *messages = yyjson_obj_get(root, "messages");
    yyjson_val *format = yyjson_obj_get(root, "response_format");
    struct bench_str format_type = mock_json_str(format, "type");
    yyjson_val *last = yyjson_arr_get_last(messages);
    struct mock_plan_ask ask = {
        .schema = yyjson_obj_get(yyjson_obj_get(format, "json_schema"), "schema"),
        .json = bench_str_starts(format_type, BENCH_STR("json")),
        .tool_answered = bench_str_eq(mock_json_str(last, "role"), BENCH_STR("tool")),
        .max_tokens =
            mock_json_u64(root, "max_completion_tokens", mock_json_u64(root, "max_tokens", 0)),
        .echo = last_user_text(messages),
        .stop_seq = first_stop(yyjson_obj_get(root, "stop")),
    };
    mock_openai_read_tools(&ask, root);
    return ask;
}

/* The prompt is refused as a whole. */
static void answer_blocked(struct mock_exchange *exchange)
{
    if (mock_quirks_has(exchange)) {
        mock_vendor_fail(exchange, 400, "The prompt was flagged by the content filter.");
        return;
    }
    if (exchange->vendor == MOCK_VENDOR_AZURE) {
        mock_azure_blocked(exchange);
        return;
    }
    mock_answer_error(exchange, 400, BENCH_STR("invalid_request_error"),
                      BENCH_STR("invalid_prompt"), BENCH_STR("messages"),
                      BENCH_STR("Invalid prompt: your prompt was flagged as potentially violating "
                                "our usage policy."));
}

void mock_openai_chat(struct mock_exchange *exchange, const struct bench_str *ids)
{
    (void)ids;
    yyjson_val *root = mock_answer_root(exchange);
    if (!is_valid(exchange, root)) {
        return;
    }
    if (!mock_quirks_check(exchange, root)) {
        return;
    }
    if (exchange->knobs.filter > 1) {
        answer_blocked(exchange);
        return;
    }
    yyjson_val *stream_options = yyjson_obj_get(root, "stream_options");
    yyjson_val *obfuscation = yyjson_obj_get(stream_options, "include_obfuscation");
    uint64_t n = mock_json_u64(root, "n", 1);
    struct mock_chat chat = {
        .exchange = exchange,
        /* Azure names the model behind the deployment. */
        .model = exchange->vendor == MOCK_VENDOR_AZURE ? BENCH_STR("gpt-mock-2026-01-01")
                                                       : bench_buf_view(&exchange->model),
        .created = mock_answer_created(),
        .n = n < 1            ? 1
             : n > CHAT_MAX_N ? CHAT_MAX_N
                              : n,
        .logprobs = mock_json_true(root, "logprobs"),
        .top_logprobs = mock_json_u64(root, "top_logprobs", 0),
        .include_usage =
            mock_json_true(stream_options, "include_usage") && exchange->knobs.usage > 0,
        .obfuscate = !yyjson_is_false(obfuscation),
    };
    struct mock_plan_ask ask = read_ask(root);
    mock_plan_make(&chat.plan, exchange, &ask);
    if (mock_quirks_has(exchange)) {
        mock_quirks_answer(exchange, &chat.plan, mock_json_true(root, "stream"));
    } else if (mock_json_true(root, "stream")) {
        mock_chat_stream(&chat);
    } else {
        mock_chat_plain(&chat);
    }
    mock_plan_fini(&chat.plan);
}

static void write_token(struct bench_buf *out, struct bench_str token, unsigned rank)
{
    BENCH_LIT(out, "{\"token\":");
    bench_buf_json(out, token);
    bench_buf_printf(out, ",\"logprob\":-%u.%02u,\"bytes\":[", rank, rank * 7 % 100 + 1);
    for (size_t i = 0; i < token.len; i++) {
        bench_buf_str(out, i == 0 ? BENCH_STR("") : BENCH_STR(","));
        bench_buf_u64(out, (unsigned char)token.ptr[i]);
    }
    BENCH_LIT(out, "]");
}

void mock_chat_write_logprob(const struct mock_chat *chat, struct bench_buf *out,
                             struct bench_str token)
{
    write_token(out, token, 0);
    BENCH_LIT(out, ",\"top_logprobs\":[");
    for (unsigned i = 0; i < chat->top_logprobs && i < 20; i++) { /* OpenAI's maximum */
        bench_buf_str(out, i == 0 ? BENCH_STR("") : BENCH_STR(","));
        write_token(out, token, i);
        BENCH_LIT(out, "}");
    }
    BENCH_LIT(out, "]}");
}
