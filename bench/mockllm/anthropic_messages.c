/* SPDX-License-Identifier: MIT */
/* POST /v1/messages: reads a request, plans the message, writes its plain form. */
#include "mockllm/anthropic.h"
#include "mockllm/exchange.h"

static bool has_result(yyjson_val *message)
{
    yyjson_val *first = yyjson_arr_get_first(yyjson_obj_get(message, "content"));
    return bench_str_eq(mock_json_str(first, "type"), BENCH_STR("tool_result"));
}

static struct bench_str text_of(yyjson_val *content)
{
    if (yyjson_is_str(content)) {
        return mock_json_text(content);
    }
    size_t i = 0;
    size_t count = 0;
    yyjson_val *block = NULL;
    yyjson_arr_foreach(content, i, count, block)
    {
        if (mock_json_str(block, "text").ptr != NULL) {
            return mock_json_str(block, "text");
        }
    }
    return (struct bench_str){0};
}

static void read_tools(struct mock_plan_ask *ask, yyjson_val *root)
{
    size_t i = 0;
    size_t count = 0;
    yyjson_val *tool = NULL;
    yyjson_arr_foreach(yyjson_obj_get(root, "tools"), i, count, tool)
    {
        if (yyjson_obj_get(tool, "input_schema") != NULL) { /* server tools have none */
            mock_ask_tool(ask, (struct mock_tool){.name = mock_json_str(tool, "name"),
                                                  .schema = yyjson_obj_get(tool, "input_schema")});
        }
    }
    yyjson_val *choice = yyjson_obj_get(root, "tool_choice");
    struct bench_str type = mock_json_str(choice, "type");
    ask->no_call = bench_str_eq(type, BENCH_STR("none"));
    ask->must_call = bench_str_eq(type, BENCH_STR("any")) || bench_str_eq(type, BENCH_STR("tool"));
    ask->named = mock_json_str(choice, "name");
    ask->one_tool = mock_json_true(choice, "disable_parallel_tool_use");
}

static struct mock_plan_ask read_ask(yyjson_val *root)
{
    yyjson_val *messages = yyjson_obj_get(root, "messages");
    yyjson_val *last = yyjson_arr_get_last(messages);
    yyjson_val *format = yyjson_obj_get(yyjson_obj_get(root, "output_config"), "format");
    format = format != NULL ? format : yyjson_obj_get(root, "output_format");
    yyjson_val *stop = yyjson_arr_get_first(yyjson_obj_get(root, "stop_sequences"));
    struct mock_plan_ask ask = {
        .schema = yyjson_obj_get(format, "schema"),
        .tool_answered = has_result(last),
        .max_tokens = mock_json_u64(root, "max_tokens", 0),
        .echo = text_of(yyjson_obj_get(last, "content")),
        .stop_seq = mock_json_text(stop),
    };
    read_tools(&ask, root);
    return ask;
}

static enum mock_thinking read_thinking(const struct mock_exchange *exchange, yyjson_val *root)
{
    yyjson_val *thinking = yyjson_obj_get(root, "thinking");
    if (exchange->knobs.reasoning == 0 ||
        bench_str_eq(mock_json_str(thinking, "type"), BENCH_STR("disabled"))) {
        return MOCK_THINKING_OFF;
    }
    return bench_str_eq(mock_json_str(thinking, "display"), BENCH_STR("omitted"))
               ? MOCK_THINKING_OMITTED
               : MOCK_THINKING_SHOWN;
}

void mock_anthropic_thinking_text(const struct mock_message *message, struct bench_buf *out)
{
    if (message->thinking == MOCK_THINKING_SHOWN) {
        mock_plan_reasoning(&message->plan, out, 1, 0);
    }
}

void mock_anthropic_write_redacted(const struct mock_message *message, struct bench_buf *out)
{
    mock_anthropic_sign(message->exchange, out, BENCH_STR("redacted"), BENCH_STR(""));
}

void mock_anthropic_write_stop(const struct mock_message *message, struct bench_buf *out)
{
    static const char *const reasons[][2] = {
        {"stop", "end_turn"},
        {"length", "max_tokens"},
        {"tool_calls", "tool_use"},
        {"content_filter", "refusal"},
    };
    struct bench_str reason = message->plan.finish;
    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
        if (mock_plan_ends(&message->plan, reasons[i][0])) {
            reason = bench_str_from(reasons[i][1]);
        }
    }
    bool stopped = message->plan.stopped.ptr != NULL && mock_plan_ends(&message->plan, "stop");
    BENCH_LIT(out, "\"stop_reason\":");
    bench_buf_json(out, stopped ? BENCH_STR("stop_sequence")
                                : (message->refused ? BENCH_STR("refusal") : reason));
    BENCH_LIT(out, ",\"stop_sequence\":");
    if (stopped) {
        bench_buf_json(out, message->plan.stopped);
    } else {
        BENCH_LIT(out, "null");
    }
    if (message->refused) {
        BENCH_LIT(out, ",\"stop_details\":{\"type\":\"refusal\",\"category\":\"cyber\","
                       "\"explanation\":\"A refusal ordered from the mock.\"}");
    }
}

void mock_anthropic_write_usage(const struct mock_message *message, struct bench_buf *out,
                                uint64_t output)
{
    const struct mock_usage *usage = &message->plan.usage;
    uint64_t cache = usage->cached + usage->cache_write;
    bench_buf_printf(out,
                     "{\"input_tokens\":%llu,\"cache_creation_input_tokens\":%llu,"
                     "\"cache_read_input_tokens\":%llu,\"cache_creation\":{"
                     "\"ephemeral_5m_input_tokens\":%llu,\"ephemeral_1h_input_tokens\":0},"
                     "\"output_tokens\":%llu,\"service_tier\":\"standard\"",
                     (unsigned long long)(usage->prompt > cache ? usage->prompt - cache : 0),
                     (unsigned long long)usage->cache_write, (unsigned long long)usage->cached,
                     (unsigned long long)usage->cache_write, (unsigned long long)output);
    if (usage->reasoning > 0) {
        bench_buf_printf(out, ",\"output_tokens_details\":{\"thinking_tokens\":%llu}",
                         (unsigned long long)usage->reasoning);
    }
    BENCH_LIT(out, "}");
}

static void write_thinking(const struct mock_message *message, struct bench_buf *out)
{
    struct bench_buf text = {0};
    if (message->thinking != MOCK_THINKING_OFF) {
        mock_anthropic_thinking_text(message, &text);
        BENCH_LIT(out, "{\"type\":\"thinking\",\"thinking\":");
        bench_buf_json(out, bench_buf_view(&text));
        BENCH_LIT(out, ",\"signature\":\"");
        mock_anthropic_sign(message->exchange, out, BENCH_STR("thinking"), bench_buf_view(&text));
        BENCH_LIT(out, "\"},");
    }
    if (message->redacted) {
        BENCH_LIT(out, "{\"type\":\"redacted_thinking\",\"data\":\"");
        mock_anthropic_write_redacted(message, out);
        BENCH_LIT(out, "\"},");
    }
    bench_buf_fini(&text);
}

static void write_content(const struct mock_message *message, struct bench_buf *out)
{
    const struct mock_plan *plan = &message->plan;
    size_t before = out->len;
    write_thinking(message, out);
    for (size_t i = 0; i < plan->call_count; i++) {
        BENCH_LIT(out, "{\"type\":\"tool_use\",\"id\":\"");
        mock_answer_id(out, message->exchange, BENCH_STR("toolu_"), (unsigned)i);
        BENCH_LIT(out, "\",\"name\":");
        bench_buf_json(out, plan->calls[i].name);
        BENCH_LIT(out, ",\"input\":");
        bench_buf_str(out, bench_buf_view(&plan->calls[i].input));
        BENCH_LIT(out, "},");
    }
    bool has_text = plan->kind == MOCK_PLAN_GENERATED || plan->text.len > 0;
    if (plan->kind != MOCK_PLAN_TOOLS && has_text) {
        BENCH_LIT(out, "{\"type\":\"text\",\"text\":");
        mock_plan_write_text(plan, out);
        BENCH_LIT(out, "},");
    }
    if (out->len > before) {
        out->len--; /* the last comma */
    }
}

void mock_anthropic_write_message(const struct mock_message *message, struct bench_buf *out,
                                  bool started)
{
    BENCH_LIT(out, "{\"id\":\"");
    mock_answer_id(out, message->exchange, BENCH_STR("msg_"), 0);
    BENCH_LIT(out, "\",\"type\":\"message\",\"role\":\"assistant\",\"model\":");
    bench_buf_json(out, bench_buf_view(&message->exchange->model));
    BENCH_LIT(out, ",\"content\":[");
    if (started) {
        BENCH_LIT(out, "],\"stop_reason\":null,\"stop_sequence\":null,\"usage\":");
        mock_anthropic_write_usage(message, out, 1);
    } else {
        write_content(message, out);
        BENCH_LIT(out, "],");
        mock_anthropic_write_stop(message, out);
        BENCH_LIT(out, ",\"usage\":");
        mock_anthropic_write_usage(message, out, message->plan.usage.completion);
    }
    BENCH_LIT(out, "}");
}

void mock_anthropic_answer(struct mock_exchange *exchange, yyjson_val *root, bool streamed)
{
    struct mock_plan_ask ask = read_ask(root);
    struct mock_message message = {
        .exchange = exchange,
        .thinking = read_thinking(exchange, root),
        .redacted = exchange->knobs.redacted > 0,
        .refused = exchange->knobs.refusal > 0 || exchange->knobs.filter > 0,
    };
    if (exchange->knobs.filter > 1) { /* a refused prompt: a message without content */
        exchange->knobs.empty = 1;
        message.thinking = MOCK_THINKING_OFF;
    }
    mock_plan_make(&message.plan, exchange, &ask);
    if (streamed) {
        mock_anthropic_stream(&message);
    } else {
        mock_anthropic_write_message(&message, mock_answer_json(exchange), false);
        mock_answer_end(exchange);
    }
    mock_plan_fini(&message.plan);
}

void mock_anthropic_messages(struct mock_exchange *exchange, const struct bench_str *ids)
{
    (void)ids;
    yyjson_val *root = mock_answer_root(exchange);
    if (mock_anthropic_check(exchange, root, false)) {
        mock_anthropic_answer(exchange, root, mock_json_true(root, "stream"));
    }
}

void mock_anthropic_count(struct mock_exchange *exchange, const struct bench_str *ids)
{
    (void)ids;
    if (!mock_anthropic_check(exchange, mock_answer_root(exchange), true)) {
        return;
    }
    struct bench_buf *out = mock_answer_json(exchange);
    BENCH_LIT(out, "{\"input_tokens\":");
    bench_buf_u64(out, mock_answer_usage(exchange, 0).prompt);
    BENCH_LIT(out, "}");
    mock_answer_end(exchange);
}
