/* SPDX-License-Identifier: MIT */
/* Decides what the model says. */
#include "mockllm/openai_plan.h"

#include <string.h>

#include "mockllm/exchange.h"
#include "mockllm/schema_gen.h"
#include "mockllm/text.h"

/* Bytes of a made up token. */
#define BYTES_PER_TOKEN 6u

/* Largest made up plain text: a plain answer is built in memory. */
#define MAX_TEXT_BYTES (256u * 1024u * 1024u)

/* A tool is {"type":"function","function":{...}} in chat and flat in responses. */
static yyjson_val *tool_body(yyjson_val *tool)
{
    yyjson_val *nested = yyjson_obj_get(tool, "function");
    if (nested == NULL) {
        nested = yyjson_obj_get(tool, "custom");
    }
    return nested != NULL ? nested : tool;
}

static struct bench_str tool_name(yyjson_val *tool)
{
    return mock_json_str(tool_body(tool), "name");
}

static yyjson_val *find_tool(yyjson_val *tools, struct bench_str name)
{
    size_t i = 0;
    size_t count = 0;
    yyjson_val *tool = NULL;
    yyjson_arr_foreach(tools, i, count, tool)
    {
        if (name.len > 0 && bench_str_eq(tool_name(tool), name)) {
            return tool;
        }
    }
    return NULL;
}

static void add_call(struct mock_plan *plan, yyjson_val *tool)
{
    struct mock_tool_call *call = &plan->calls[plan->call_count++];
    *call = (struct mock_tool_call){.name = tool_name(tool)};
    if (bench_str_eq(mock_json_str(tool, "type"), BENCH_STR("custom"))) {
        call->custom = true;
        mock_text_range(&call->input, 0, 40);
    } else {
        mock_schema_instance(&call->input, yyjson_obj_get(tool_body(tool), "parameters"));
    }
}

/* Fills |plan| with calls of the tools that have names. Returns whether there are any. */
static bool plan_tools(struct mock_plan *plan, const struct mock_exchange *exchange,
                       const struct mock_plan_ask *ask)
{
    struct bench_str choice = {.ptr = yyjson_get_str(ask->tool_choice)};
    choice.len = choice.ptr == NULL ? 0 : yyjson_get_len(ask->tool_choice);
    yyjson_val *named = find_tool(ask->tools, tool_name(ask->tool_choice));
    bool must = bench_str_eq(choice, BENCH_STR("required")) || yyjson_is_obj(ask->tool_choice);
    bool wanted = exchange->knobs.tools > 0 && !ask->tool_answered;
    if (bench_str_eq(choice, BENCH_STR("none")) || (!must && !wanted)) {
        return false;
    }
    if (named == NULL) {
        named = find_tool(ask->tools, exchange->knobs.tool);
    }
    uint64_t count = exchange->knobs.tools > 0 ? exchange->knobs.tools : 1;
    if (ask->one_tool || count > PLAN_MAX_TOOL_CALLS) {
        count = ask->one_tool ? 1 : PLAN_MAX_TOOL_CALLS;
    }
    size_t tools = yyjson_arr_size(ask->tools);
    plan->calls = bench_alloc(count * sizeof(*plan->calls));
    for (size_t i = 0, tried = 0; i < count && tried < count + tools && tools > 0; tried++) {
        yyjson_val *tool = named != NULL ? named : yyjson_arr_get(ask->tools, tried % tools);
        if (tool_name(tool).len > 0) { /* built-in tools of responses have none */
            add_call(plan, tool);
            i++;
        }
    }
    bool by_name = yyjson_is_obj(ask->tool_choice) &&
                   yyjson_obj_get(ask->tool_choice, "mode") == NULL &&
                   yyjson_obj_get(ask->tool_choice, "allowed_tools") == NULL;
    plan->kind = MOCK_PLAN_TOOLS;
    plan->finish = by_name ? BENCH_STR("stop") : BENCH_STR("tool_calls");
    return plan->call_count > 0;
}

/* Decides kind and text; false: a generated text. */
static bool plan_text(struct mock_plan *plan, const struct mock_exchange *exchange,
                      const struct mock_plan_ask *ask)
{
    plan->kind = MOCK_PLAN_FIXED;
    if (exchange->knobs.refusal > 0) {
        plan->kind = MOCK_PLAN_REFUSAL;
        BENCH_LIT(&plan->text, "I'm sorry, I cannot assist with that request.");
    } else if (exchange->knobs.text.len > 0) {
        bench_buf_str(&plan->text, exchange->knobs.text);
    } else if (exchange->knobs.echo > 0 && ask->echo.len > 0) {
        bench_buf_str(&plan->text, ask->echo);
    } else if (ask->schema != NULL) {
        mock_schema_instance(&plan->text, ask->schema);
    } else if (ask->json) {
        BENCH_LIT(&plan->text, "{\"answer\":\"The quick gateway\",\"count\":3,\"ok\":true}");
    } else {
        plan->kind = MOCK_PLAN_GENERATED;
        return false;
    }
    return true;
}

static void plan_size(struct mock_plan *plan, const struct mock_exchange *exchange,
                      const struct mock_plan_ask *ask)
{
    uint64_t chunks = exchange->knobs.chunks > 0 ? exchange->knobs.chunks : 1;
    uint64_t bytes = exchange->knobs.size > 0 ? exchange->knobs.size : chunks * BYTES_PER_TOKEN;
    if (plan->kind != MOCK_PLAN_GENERATED) {
        bytes = plan->text.len;
    }
    chunks = chunks <= bytes || bytes == 0 ? chunks : bytes;
    if (ask->max_tokens > 0 && chunks > ask->max_tokens && plan->kind == MOCK_PLAN_GENERATED) {
        bytes = bytes * ask->max_tokens / chunks;
        chunks = ask->max_tokens;
        plan->finish = BENCH_STR("length");
    }
    plan->chunks = chunks;
    plan->text_bytes = bytes < MAX_TEXT_BYTES ? bytes : MAX_TEXT_BYTES;
}

void mock_plan_make(struct mock_plan *plan, const struct mock_exchange *exchange,
                    const struct mock_plan_ask *ask)
{
    *plan = (struct mock_plan){.finish = BENCH_STR("stop")};
    uint64_t tokens = 0;
    if (plan_tools(plan, exchange, ask)) {
        for (size_t i = 0; i < plan->call_count; i++) {
            tokens += plan->calls[i].input.len / 4 + 1;
        }
        plan->chunks = exchange->knobs.chunks > 0 ? exchange->knobs.chunks : 1;
    } else {
        plan->finish = BENCH_STR("stop");
        (void)plan_text(plan, exchange, ask);
        plan_size(plan, exchange, ask);
        tokens = exchange->knobs.size > 0 ? plan->text_bytes / 4 + 1 : plan->chunks;
    }
    if (exchange->knobs.finish.len > 0) {
        plan->finish = exchange->knobs.finish;
    }
    plan->usage = mock_answer_usage(exchange, tokens);
}

void mock_plan_fini(struct mock_plan *plan)
{
    for (size_t i = 0; i < plan->call_count; i++) {
        bench_buf_fini(&plan->calls[i].input);
    }
    bench_free(plan->calls);
    bench_buf_fini(&plan->text);
}

void mock_plan_text(const struct mock_plan *plan, struct bench_buf *out)
{
    if (plan->kind == MOCK_PLAN_GENERATED) {
        mock_text_range(out, 0, plan->text_bytes);
    } else {
        bench_buf_str(out, bench_buf_view(&plan->text));
    }
}

static size_t character_start(struct bench_str text, size_t at)
{
    while (at < text.len && ((unsigned char)text.ptr[at] & 0xC0) == 0x80) {
        at++;
    }
    return at;
}

struct bench_str mock_plan_cut(struct bench_str text, uint64_t parts, uint64_t i)
{
    size_t from = character_start(text, (size_t)(text.len * i / parts));
    size_t to = character_start(text, (size_t)(text.len * (i + 1) / parts));
    return bench_str_cut(text, from, to - from);
}

struct bench_str mock_plan_chunk(const struct mock_plan *plan, uint64_t i)
{
    return mock_plan_cut(bench_buf_view(&plan->text), plan->chunks, i);
}

void mock_plan_write_usage(const struct mock_plan *plan, struct bench_buf *out)
{
    BENCH_LIT(out, "{\"prompt_tokens\":");
    bench_buf_u64(out, plan->usage.prompt);
    BENCH_LIT(out, ",\"completion_tokens\":");
    bench_buf_u64(out, plan->usage.completion);
    BENCH_LIT(out, ",\"total_tokens\":");
    bench_buf_u64(out, plan->usage.prompt + plan->usage.completion);
    BENCH_LIT(out, ",\"prompt_tokens_details\":{\"cached_tokens\":");
    bench_buf_u64(out, plan->usage.cached);
    BENCH_LIT(out, ",\"audio_tokens\":0},\"completion_tokens_details\":{\"reasoning_tokens\":");
    bench_buf_u64(out, plan->usage.reasoning);
    BENCH_LIT(out, ",\"audio_tokens\":0,\"accepted_prediction_tokens\":0,"
                   "\"rejected_prediction_tokens\":0}}");
}
