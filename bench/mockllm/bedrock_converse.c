/* SPDX-License-Identifier: MIT */
/* POST /model/{id}/converse and /converse-stream: reads a request and writes the answer. */
#include "mockllm/bedrock.h"
#include "mockllm/exchange.h"
#include "mockllm/plan.h"
#include "mockllm/sign.h"

/* Parts a tool's input is streamed in. */
#define INPUT_PARTS 4u

/* Every chunk is a frame of its own in memory. */
#define MAX_CHUNKS 100000u

struct converse {
    struct mock_exchange *exchange;
    uint64_t frames; /* written so far, for the padding */
    uint64_t index;  /* of the content block */
    struct bench_buf payload;
    struct mock_plan plan;
};

static void read_tools(struct mock_plan_ask *ask, yyjson_val *root)
{
    yyjson_val *config = yyjson_obj_get(root, "toolConfig");
    yyjson_val *choice = yyjson_obj_get(config, "toolChoice");
    size_t i = 0;
    size_t count = 0;
    yyjson_val *tool = NULL;
    yyjson_arr_foreach(yyjson_obj_get(config, "tools"), i, count, tool)
    {
        yyjson_val *spec = yyjson_obj_get(tool, "toolSpec");
        if (spec != NULL) {
            mock_ask_tool(
                ask, (struct mock_tool){
                         .name = mock_json_str(spec, "name"),
                         .schema = yyjson_obj_get(yyjson_obj_get(spec, "inputSchema"), "json")});
        }
    }
    ask->named = mock_json_str(yyjson_obj_get(choice, "tool"), "name");
    ask->must_call = ask->named.ptr != NULL || yyjson_obj_get(choice, "any") != NULL;
}

static bool ends_with_result(yyjson_val *last)
{
    yyjson_val *first = yyjson_arr_get_first(yyjson_obj_get(last, "content"));
    return yyjson_obj_get(first, "toolResult") != NULL;
}

static struct bench_str first_text(yyjson_val *message)
{
    size_t i = 0;
    size_t count = 0;
    yyjson_val *block = NULL;
    yyjson_arr_foreach(yyjson_obj_get(message, "content"), i, count, block)
    {
        if (mock_json_str(block, "text").ptr != NULL) {
            return mock_json_str(block, "text");
        }
    }
    return (struct bench_str){0};
}

/* Makes the plan; the schema of the answer is JSON in a string. */
static void make_plan(struct converse *converse, yyjson_val *root)
{
    yyjson_val *inference = yyjson_obj_get(root, "inferenceConfig");
    yyjson_val *format = yyjson_obj_get(yyjson_obj_get(root, "outputConfig"), "textFormat");
    yyjson_val *wrapper = yyjson_obj_get(yyjson_obj_get(format, "structure"), "jsonSchema");
    struct bench_str text = mock_json_str(wrapper, "schema");
    yyjson_doc *schema = text.ptr == NULL ? NULL : yyjson_read(text.ptr, text.len, 0);
    yyjson_val *stop = yyjson_arr_get_first(yyjson_obj_get(inference, "stopSequences"));
    yyjson_val *last = yyjson_arr_get_last(yyjson_obj_get(root, "messages"));
    struct mock_plan_ask ask = {
        .schema = yyjson_doc_get_root(schema),
        .tool_answered = ends_with_result(last),
        .max_tokens = mock_json_u64(inference, "maxTokens", 0),
        .echo = first_text(last),
        .stop_seq = mock_json_text(stop),
    };
    read_tools(&ask, root);
    mock_plan_make(&converse->plan, converse->exchange, &ask);
    yyjson_doc_free(schema);
}

static void write_stop(const struct converse *converse, struct bench_buf *out)
{
    static const char *const reasons[][2] = {
        {"stop", "end_turn"},
        {"length", "max_tokens"},
        {"tool_calls", "tool_use"},
        {"content_filter", "content_filtered"},
    };
    struct bench_str reason = converse->plan.finish;
    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
        if (mock_plan_ends(&converse->plan, reasons[i][0])) {
            reason = bench_str_from(reasons[i][1]);
        }
    }
    if (converse->exchange->knobs.filter > 1) {
        reason = BENCH_STR("guardrail_intervened");
    } else if (converse->plan.stopped.ptr != NULL && mock_plan_ends(&converse->plan, "stop")) {
        reason = BENCH_STR("stop_sequence");
    }
    BENCH_LIT(out, "\"stopReason\":");
    bench_buf_json(out, reason);
}

static void write_usage(const struct converse *converse, struct bench_buf *out)
{
    const struct mock_usage *usage = &converse->plan.usage;
    uint64_t cache = usage->cached + usage->cache_write;
    bench_buf_printf(out,
                     "\"usage\":{\"inputTokens\":%llu,\"outputTokens\":%llu,\"totalTokens\":%llu,"
                     "\"cacheReadInputTokens\":%llu,\"cacheWriteInputTokens\":%llu},"
                     "\"metrics\":{\"latencyMs\":5}",
                     (unsigned long long)(usage->prompt > cache ? usage->prompt - cache : 0),
                     (unsigned long long)usage->completion,
                     (unsigned long long)(usage->prompt + usage->completion),
                     (unsigned long long)usage->cached, (unsigned long long)usage->cache_write);
}

static void write_redacted(struct bench_buf *out)
{
    mock_sign(out, BENCH_STR("bedrock redacted"), BENCH_STR(""));
}

static bool has_text(const struct mock_plan *plan)
{
    return plan->kind == MOCK_PLAN_GENERATED || plan->text.len > 0;
}

static void write_reasoning(const struct converse *converse, struct bench_buf *out)
{
    struct bench_buf text = {0};
    if (converse->plan.reasoning_chunks > 0) {
        mock_plan_reasoning(&converse->plan, &text, 1, 0);
        BENCH_LIT(out, "{\"reasoningContent\":{\"reasoningText\":{\"text\":");
        bench_buf_json(out, bench_buf_view(&text));
        BENCH_LIT(out, ",\"signature\":\"");
        mock_sign(out, BENCH_STR("bedrock"), bench_buf_view(&text));
        BENCH_LIT(out, "\"}}},");
    }
    if (converse->exchange->knobs.redacted > 0) {
        BENCH_LIT(out, "{\"reasoningContent\":{\"redactedContent\":\"");
        write_redacted(out);
        BENCH_LIT(out, "\"}},");
    }
    bench_buf_fini(&text);
}

static void write_call(const struct converse *converse, struct bench_buf *out, size_t i)
{
    BENCH_LIT(out, "{\"toolUse\":{\"toolUseId\":\"");
    mock_answer_id(out, converse->exchange, BENCH_STR("tooluse_"), (unsigned)i);
    BENCH_LIT(out, "\",\"name\":");
    bench_buf_json(out, converse->plan.calls[i].name);
}

static void answer_plain(const struct converse *converse)
{
    const struct mock_plan *plan = &converse->plan;
    struct bench_buf *out = mock_answer_json(converse->exchange);
    BENCH_LIT(out, "{\"output\":{\"message\":{\"role\":\"assistant\",\"content\":[");
    size_t before = out->len;
    write_reasoning(converse, out);
    for (size_t i = 0; i < plan->call_count; i++) {
        write_call(converse, out, i);
        BENCH_LIT(out, ",\"input\":");
        bench_buf_str(out, bench_buf_view(&plan->calls[i].input));
        BENCH_LIT(out, "}},");
    }
    if (plan->kind != MOCK_PLAN_TOOLS && has_text(plan)) {
        BENCH_LIT(out, "{\"text\":");
        mock_plan_write_text(plan, out);
        BENCH_LIT(out, "},");
    }
    out->len -= out->len > before; /* the last comma */
    BENCH_LIT(out, "]}},");
    write_stop(converse, out);
    BENCH_LIT(out, ",");
    write_usage(converse, out);
    BENCH_LIT(out, "}");
    mock_answer_end(converse->exchange);
}

/* Sends what converse->payload holds as an event; the object is closed here. */
static void add_event(struct converse *converse, enum mock_piece_kind kind, const char *name)
{
    struct mock_answer *answer = &converse->exchange->answer;
    mock_bedrock_pad(&converse->payload, converse->frames++);
    BENCH_LIT(&converse->payload, "}");
    mock_piece_begin(answer, kind);
    mock_bedrock_frame(&answer->script.bytes, name, false, bench_buf_view(&converse->payload));
    mock_piece_end(answer, 1, 0);
    bench_buf_clear(&converse->payload, SIZE_MAX);
}

static struct bench_buf *begin_delta(struct converse *converse)
{
    bench_buf_printf(&converse->payload, "{\"contentBlockIndex\":%llu,\"delta\":{",
                     (unsigned long long)converse->index);
    return &converse->payload;
}

static void end_delta(struct converse *converse)
{
    BENCH_LIT(&converse->payload, "}");
    add_event(converse, MOCK_PIECE_CONTENT, "contentBlockDelta");
}

static void close_block(struct converse *converse)
{
    bench_buf_printf(&converse->payload, "{\"contentBlockIndex\":%llu",
                     (unsigned long long)converse->index++);
    add_event(converse, MOCK_PIECE_TAIL, "contentBlockStop");
}

static void add_reasoning(struct converse *converse)
{
    struct bench_buf text = {0};
    uint64_t chunks = converse->plan.reasoning_chunks;
    chunks = chunks < MAX_CHUNKS ? chunks : MAX_CHUNKS;
    mock_plan_reasoning(&converse->plan, &text, 1, 0);
    for (uint64_t i = 0; i < chunks; i++) {
        struct bench_buf *out = begin_delta(converse);
        BENCH_LIT(out, "\"reasoningContent\":{\"text\":");
        bench_buf_json(out, mock_plan_cut(bench_buf_view(&text), chunks, i));
        BENCH_LIT(out, "}");
        end_delta(converse);
    }
    struct bench_buf *out = begin_delta(converse);
    BENCH_LIT(out, "\"reasoningContent\":{\"signature\":\"");
    mock_sign(out, BENCH_STR("bedrock"), bench_buf_view(&text));
    BENCH_LIT(out, "\"}");
    end_delta(converse);
    close_block(converse);
    bench_buf_fini(&text);
}

static void add_redacted(struct converse *converse)
{
    struct bench_buf *out = begin_delta(converse);
    BENCH_LIT(out, "\"reasoningContent\":{\"redactedContent\":\"");
    write_redacted(out);
    BENCH_LIT(out, "\"}");
    end_delta(converse);
    close_block(converse);
}

/* Only calls are opened; a tool without arguments streams nothing between. */
static void add_call(struct converse *converse, size_t i)
{
    struct bench_str input = bench_buf_view(&converse->plan.calls[i].input);
    bench_buf_printf(&converse->payload,
                     "{\"contentBlockIndex\":%llu,\"start\":", (unsigned long long)converse->index);
    write_call(converse, &converse->payload, i);
    BENCH_LIT(&converse->payload, "}}");
    add_event(converse, MOCK_PIECE_CONTENT, "contentBlockStart");
    for (uint64_t part = 0; part < INPUT_PARTS && input.len > 2; part++) {
        struct bench_buf *out = begin_delta(converse);
        BENCH_LIT(out, "\"toolUse\":{\"input\":");
        bench_buf_json(out, mock_plan_cut(input, INPUT_PARTS, part));
        BENCH_LIT(out, "}");
        end_delta(converse);
    }
    close_block(converse);
}

static void add_text(struct converse *converse)
{
    uint64_t chunks = converse->plan.chunks < MAX_CHUNKS ? converse->plan.chunks : MAX_CHUNKS;
    converse->plan.chunks = chunks;
    for (uint64_t i = 0; i < chunks; i++) {
        BENCH_LIT(begin_delta(converse), "\"text\":");
        mock_plan_write_chunk(&converse->plan, &converse->payload, i);
        end_delta(converse);
    }
    close_block(converse);
}

static void answer_stream(struct converse *converse)
{
    const struct mock_plan *plan = &converse->plan;
    mock_answer_stream_as(converse->exchange, BENCH_STR("application/vnd.amazon.eventstream"));
    BENCH_LIT(&converse->payload, "{\"role\":\"assistant\"");
    add_event(converse, MOCK_PIECE_HEAD, "messageStart");
    if (plan->reasoning_chunks > 0) {
        add_reasoning(converse);
    }
    if (converse->exchange->knobs.redacted > 0) {
        add_redacted(converse);
    }
    for (size_t i = 0; i < plan->call_count; i++) {
        add_call(converse, i);
    }
    if (plan->kind != MOCK_PLAN_TOOLS && has_text(plan)) {
        add_text(converse);
    }
    BENCH_LIT(&converse->payload, "{");
    write_stop(converse, &converse->payload);
    add_event(converse, MOCK_PIECE_TAIL, "messageStop");
    BENCH_LIT(&converse->payload, "{");
    write_usage(converse, &converse->payload);
    add_event(converse, MOCK_PIECE_TAIL, "metadata");
}

void mock_bedrock_converse(struct mock_exchange *exchange, const struct bench_str *ids)
{
    (void)ids;
    yyjson_val *root = mock_answer_root(exchange);
    struct converse converse = {.exchange = exchange};
    if (!mock_bedrock_check(exchange, root)) {
        return;
    }
    make_plan(&converse, root);
    if (bench_str_eq(exchange->path, BENCH_STR("/converse-stream"))) {
        answer_stream(&converse);
    } else {
        answer_plain(&converse);
    }
    mock_plan_fini(&converse.plan);
    bench_buf_fini(&converse.payload);
}
