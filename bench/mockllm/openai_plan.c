/* SPDX-License-Identifier: MIT */
/* Tools as OpenAI's APIs spell them, and the usage object of chat. */
#include "mockllm/openai_plan.h"

/* A tool is {"type":"function","function":{...}} in chat and flat in responses. */
static yyjson_val *tool_body(yyjson_val *tool)
{
    yyjson_val *nested = yyjson_obj_get(tool, "function");
    if (nested == NULL) {
        nested = yyjson_obj_get(tool, "custom");
    }
    return nested != NULL ? nested : tool;
}

static void read_tool(struct mock_plan_ask *ask, yyjson_val *one, struct bench_str name_space)
{
    struct mock_tool tool = {
        .name = mock_json_str(tool_body(one), "name"),
        .name_space = name_space,
        .schema = yyjson_obj_get(tool_body(one), "parameters"),
        .custom = bench_str_eq(mock_json_str(one, "type"), BENCH_STR("custom")),
    };
    if (tool.name.len > 0) { /* built-in tools of responses have none */
        mock_ask_tool(ask, tool);
    }
}

static void read_list(struct mock_plan_ask *ask, yyjson_val *tools)
{
    size_t i = 0;
    size_t k = 0;
    size_t count = 0;
    size_t inner_count = 0;
    yyjson_val *one = NULL;
    yyjson_val *inner = NULL;
    yyjson_arr_foreach(tools, i, count, one)
    {
        if (!bench_str_eq(mock_json_str(one, "type"), BENCH_STR("namespace"))) {
            read_tool(ask, one, (struct bench_str){0});
            continue;
        }
        yyjson_arr_foreach(yyjson_obj_get(one, "tools"), k, inner_count, inner)
        {
            read_tool(ask, inner, mock_json_str(one, "name"));
        }
    }
}

/* Responses may bring tools in the conversation as well. */
static void read_items(struct mock_plan_ask *ask, yyjson_val *input)
{
    size_t i = 0;
    size_t count = 0;
    yyjson_val *item = NULL;
    yyjson_arr_foreach(input, i, count, item)
    {
        if (bench_str_eq(mock_json_str(item, "type"), BENCH_STR("additional_tools"))) {
            read_list(ask, yyjson_obj_get(item, "tools"));
        }
    }
}

void mock_openai_read_tools(struct mock_plan_ask *ask, yyjson_val *root)
{
    read_list(ask, yyjson_obj_get(root, "tools"));
    read_items(ask, yyjson_obj_get(root, "input"));
    yyjson_val *choice = yyjson_obj_get(root, "tool_choice");
    bool is_object = yyjson_is_obj(choice);
    ask->no_call = yyjson_equals_str(choice, "none");
    ask->must_call = is_object || yyjson_equals_str(choice, "required");
    ask->named = is_object ? mock_json_str(tool_body(choice), "name") : (struct bench_str){0};
    ask->named_stops = is_object && yyjson_obj_get(choice, "mode") == NULL &&
                       yyjson_obj_get(choice, "allowed_tools") == NULL;
    ask->one_tool = yyjson_is_false(yyjson_obj_get(root, "parallel_tool_calls"));
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
    if (plan->usage.cache_write > 0) {
        BENCH_LIT(out, ",\"cache_write_tokens\":");
        bench_buf_u64(out, plan->usage.cache_write);
    }
    BENCH_LIT(out, ",\"audio_tokens\":0},\"completion_tokens_details\":{\"reasoning_tokens\":");
    bench_buf_u64(out, plan->usage.reasoning);
    BENCH_LIT(out, ",\"audio_tokens\":0,\"accepted_prediction_tokens\":0,"
                   "\"rejected_prediction_tokens\":0}}");
}
