/* SPDX-License-Identifier: MIT */
/* POST /v1/responses and what belongs to it: reads the request, writes the response object. */
#include "mockllm/openai_responses.h"

#include "mockllm/exchange.h"
#include "mockllm/openai.h"
#include "mockllm/openai_objects.h"
#include "mockllm/text.h"

/* Bytes of one made up reasoning chunk. */
#define REASONING_BYTES 6u

static bool has_reasoning(const struct mock_response *response)
{
    return response->exchange->knobs.reasoning > 0;
}

size_t mock_response_items(const struct mock_response *response)
{
    size_t items = response->plan.kind == MOCK_PLAN_TOOLS ? response->plan.call_count : 1;
    return items + has_reasoning(response);
}

bool mock_response_is_reasoning(const struct mock_response *response, size_t index)
{
    return has_reasoning(response) && index == 0;
}

const struct mock_tool_call *mock_response_call(const struct mock_response *response, size_t index)
{
    return &response->plan.calls[index - has_reasoning(response)];
}

void mock_response_write_item_id(const struct mock_response *response, struct bench_buf *out,
                                 size_t index)
{
    struct bench_str prefix = BENCH_STR("\"msg_");
    if (mock_response_is_reasoning(response, index)) {
        prefix = BENCH_STR("\"rs_");
    } else if (response->plan.kind == MOCK_PLAN_TOOLS) {
        prefix =
            mock_response_call(response, index)->custom ? BENCH_STR("\"ctc_") : BENCH_STR("\"fc_");
    }
    mock_answer_id(out, response->exchange, prefix, (unsigned)index);
    BENCH_LIT(out, "\"");
}

void mock_response_write_text(const struct mock_response *response, struct bench_buf *out)
{
    struct bench_buf text = {0};
    mock_plan_text(&response->plan, &text);
    bench_buf_json(out, bench_buf_view(&text));
    bench_buf_fini(&text);
}

void mock_response_write_part(const struct mock_response *response, struct bench_buf *out,
                              enum mock_response_state state)
{
    bool refused = response->plan.kind == MOCK_PLAN_REFUSAL;
    bench_buf_str(out, refused ? BENCH_STR("{\"type\":\"refusal\",\"refusal\":")
                               : BENCH_STR("{\"type\":\"output_text\",\"annotations\":[],"
                                           "\"logprobs\":[],\"text\":"));
    if (state == MOCK_RESPONSE_DONE) {
        mock_response_write_text(response, out);
    } else {
        BENCH_LIT(out, "\"\"");
    }
    BENCH_LIT(out, "}");
}

static void write_call(const struct mock_response *response, struct bench_buf *out, size_t index,
                       enum mock_response_state state)
{
    const struct mock_tool_call *call = mock_response_call(response, index);
    bool done = state == MOCK_RESPONSE_DONE;
    bench_buf_str(out, call->custom ? BENCH_STR("\"type\":\"custom_tool_call\",\"call_id\":\"")
                                    : BENCH_STR("\"type\":\"function_call\",\"call_id\":\""));
    mock_answer_id(out, response->exchange, BENCH_STR("call_"), (unsigned)index);
    BENCH_LIT(out, "\",\"name\":");
    bench_buf_json(out, call->name);
    if (call->name_space.len > 0) {
        BENCH_LIT(out, ",\"namespace\":");
        bench_buf_json(out, call->name_space);
    }
    bench_buf_str(out, call->custom ? BENCH_STR(",\"input\":") : BENCH_STR(",\"arguments\":"));
    bench_buf_json(out, done ? bench_buf_view(&call->input) : BENCH_STR(""));
    bench_buf_str(out, done ? BENCH_STR(",\"status\":\"completed\"}")
                            : BENCH_STR(",\"status\":\"in_progress\"}"));
}

static void write_reasoning(const struct mock_response *response, struct bench_buf *out,
                            enum mock_response_state state)
{
    BENCH_LIT(out, "\"type\":\"reasoning\",\"summary\":[");
    if (state == MOCK_RESPONSE_DONE) {
        BENCH_LIT(out, "{\"type\":\"summary_text\",\"text\":\"");
        mock_text_range(out, 0, response->exchange->knobs.reasoning * REASONING_BYTES);
        BENCH_LIT(out, "\"}");
    }
    BENCH_LIT(out, "]}");
}

void mock_response_write_item(const struct mock_response *response, struct bench_buf *out,
                              size_t index, enum mock_response_state state)
{
    BENCH_LIT(out, "{\"id\":");
    mock_response_write_item_id(response, out, index);
    BENCH_LIT(out, ",");
    if (mock_response_is_reasoning(response, index)) {
        write_reasoning(response, out, state);
        return;
    }
    if (response->plan.kind == MOCK_PLAN_TOOLS) {
        write_call(response, out, index, state);
        return;
    }
    BENCH_LIT(out, "\"type\":\"message\",\"role\":\"assistant\",\"content\":[");
    if (state == MOCK_RESPONSE_DONE) {
        mock_response_write_part(response, out, state);
        BENCH_LIT(out, "],\"status\":\"completed\"}");
    } else {
        BENCH_LIT(out, "],\"status\":\"in_progress\"}");
    }
}

static void write_usage(const struct mock_response *response, struct bench_buf *out)
{
    const struct mock_usage *usage = &response->plan.usage;
    const unsigned long long total = usage->prompt + usage->completion;
    bench_buf_printf(out,
                     "{\"input_tokens\":%llu,\"input_tokens_details\":{\"cached_tokens\":%llu,"
                     "\"cache_write_tokens\":%llu},\"output_tokens\":%llu,"
                     "\"output_tokens_details\":{\"reasoning_tokens\":%llu},\"total_tokens\":%llu}",
                     (unsigned long long)usage->prompt, (unsigned long long)usage->cached,
                     (unsigned long long)usage->cache_write, (unsigned long long)usage->completion,
                     (unsigned long long)usage->reasoning, total);
}

static bool is_incomplete(const struct mock_response *response)
{
    return bench_str_eq(response->plan.finish, BENCH_STR("length")) ||
           bench_str_eq(response->plan.finish, BENCH_STR("content_filter"));
}

static void write_status(const struct mock_response *response, struct bench_buf *out,
                         enum mock_response_state state)
{
    if (state == MOCK_RESPONSE_IN_PROGRESS) {
        BENCH_LIT(out, ",\"status\":\"in_progress\",\"completed_at\":null,"
                       "\"incomplete_details\":null");
        return;
    }
    if (!is_incomplete(response)) {
        BENCH_LIT(out, ",\"status\":\"completed\",\"completed_at\":");
        bench_buf_u64(out, response->created);
        BENCH_LIT(out, ",\"incomplete_details\":null");
        return;
    }
    bool too_long = bench_str_eq(response->plan.finish, BENCH_STR("length"));
    BENCH_LIT(out, ",\"status\":\"incomplete\",\"completed_at\":null,\"incomplete_details\":");
    bench_buf_str(out, too_long ? BENCH_STR("{\"reason\":\"max_output_tokens\"}")
                                : BENCH_STR("{\"reason\":\"content_filter\"}"));
}

static void write_output(const struct mock_response *response, struct bench_buf *out,
                         enum mock_response_state state)
{
    BENCH_LIT(out, ",\"output\":[");
    for (size_t i = 0; state == MOCK_RESPONSE_DONE && i < mock_response_items(response); i++) {
        bench_buf_str(out, i == 0 ? BENCH_STR("") : BENCH_STR(","));
        mock_response_write_item(response, out, i, state);
    }
    BENCH_LIT(out, "],\"usage\":");
    if (state == MOCK_RESPONSE_DONE && response->exchange->knobs.usage > 0) {
        write_usage(response, out);
    } else {
        BENCH_LIT(out, "null");
    }
}

/* The request's parameters, which the response repeats. */
static void write_echo(const struct mock_response *response, struct bench_buf *out)
{
    static const struct {
        const char *name;
        const char *missing;
    } members[] = {
        {"instructions", "null"},
        {"max_output_tokens", "null"},
        {"max_tool_calls", "null"},
        {"metadata", "{}"},
        {"parallel_tool_calls", "true"},
        {"previous_response_id", "null"},
        {"reasoning", "{\"effort\":null,\"summary\":null}"},
        {"safety_identifier", "null"},
        {"store", "true"},
        {"temperature", "1.0"},
        {"text", "{\"format\":{\"type\":\"text\"},\"verbosity\":\"medium\"}"},
        {"tool_choice", "\"auto\""},
        {"tools", "[]"},
        {"top_logprobs", "0"},
        {"top_p", "1.0"},
        {"truncation", "\"disabled\""},
    };
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        bench_buf_printf(out, ",\"%s\":", members[i].name);
        mock_object_copy(out, response->exchange, members[i].name,
                         bench_str_from(members[i].missing));
    }
}

static void write_id(const struct mock_response *response, struct bench_buf *out)
{
    mock_answer_id(out, response->exchange, BENCH_STR("resp_"), 0);
}

void mock_response_write(const struct mock_response *response, struct bench_buf *out,
                         enum mock_response_state state)
{
    BENCH_LIT(out, "{\"id\":\"");
    write_id(response, out);
    BENCH_LIT(out, "\",\"object\":\"response\",\"created_at\":");
    bench_buf_u64(out, response->created);
    write_status(response, out, state);
    BENCH_LIT(out, ",\"background\":false,\"error\":null,\"model\":");
    bench_buf_json(out, bench_buf_view(&response->exchange->model));
    write_output(response, out, state);
    write_echo(response, out);
    BENCH_LIT(out, ",\"service_tier\":\"default\"}");
}

/* ---- the request ---- */

/* Returns the text of an input item: a string, or its first text part. */
static struct bench_str item_text(yyjson_val *item)
{
    struct bench_str text = mock_json_str(item, "content");
    if (text.ptr != NULL) {
        return text;
    }
    yyjson_val *part = yyjson_arr_get_first(yyjson_obj_get(item, "content"));
    return mock_json_str(part, "text");
}

static struct bench_str last_user_text(yyjson_val *input)
{
    if (yyjson_is_str(input)) {
        return mock_json_text(input);
    }
    for (size_t i = yyjson_arr_size(input); i > 0; i--) {
        yyjson_val *item = yyjson_arr_get(input, i - 1);
        if (bench_str_eq(mock_json_str(item, "role"), BENCH_STR("user"))) {
            return item_text(item);
        }
    }
    return (struct bench_str){0};
}

static bool ends_with_output(yyjson_val *input)
{
    struct bench_str type = mock_json_str(yyjson_arr_get_last(input), "type");
    return bench_str_eq(type, BENCH_STR("function_call_output")) ||
           bench_str_eq(type, BENCH_STR("custom_tool_call_output"));
}

static struct mock_plan_ask read_ask(yyjson_val *root)
{
    yyjson_val *input = yyjson_obj_get(root, "input");
    yyjson_val *format = yyjson_obj_get(yyjson_obj_get(root, "text"), "format");
    struct mock_plan_ask ask = {
        .schema = yyjson_obj_get(format, "schema"),
        .json = bench_str_starts(mock_json_str(format, "type"), BENCH_STR("json")),
        .tool_answered = ends_with_output(input),
        .max_tokens = mock_json_u64(root, "max_output_tokens", 0),
        .echo = last_user_text(input),
    };
    mock_openai_read_tools(&ask, root);
    return ask;
}

static bool is_valid(struct mock_exchange *exchange, yyjson_val *root)
{
    if (root == NULL) {
        mock_answer_invalid(exchange, NULL, "We could not parse the JSON body of your request.");
    } else if (exchange->model.len == 0) {
        mock_answer_invalid(exchange, "model", "Missing required parameter: 'model'.");
    } else if (yyjson_obj_get(root, "input") == NULL && yyjson_obj_get(root, "prompt") == NULL &&
               yyjson_obj_get(root, "previous_response_id") == NULL) {
        mock_answer_invalid(exchange, "input", "Missing required parameter: 'input'.");
    } else if (yyjson_obj_get(root, "messages") != NULL) {
        mock_answer_invalid(exchange, "messages",
                            "Unsupported parameter: 'messages'. In the "
                            "Responses API, this parameter has moved to "
                            "'input'.");
    } else {
        return true;
    }
    return false;
}

static void store(const struct mock_response *response)
{
    struct bench_buf id = {0};
    struct bench_buf json = {0};
    write_id(response, &id);
    mock_response_write(response, &json, MOCK_RESPONSE_DONE);
    (void)mock_store_put(MOCK_STORE_RESPONSE, bench_buf_view(&id), BENCH_STR(""),
                         bench_buf_view(&json), BENCH_STR(""));
    bench_buf_fini(&id);
    bench_buf_fini(&json);
}

void mock_openai_responses(struct mock_exchange *exchange, const struct bench_str *ids)
{
    (void)ids;
    yyjson_val *root = mock_answer_root(exchange);
    if (!is_valid(exchange, root)) {
        return;
    }
    struct mock_response response = {
        .exchange = exchange, .root = root, .created = mock_answer_created()};
    struct mock_plan_ask ask = read_ask(root);
    mock_plan_make(&response.plan, exchange, &ask);
    if (mock_json_true(root, "stream")) {
        mock_response_stream(&response);
    } else {
        mock_response_write(&response, mock_answer_json(exchange), MOCK_RESPONSE_DONE);
        mock_answer_end(exchange);
    }
    if (!yyjson_is_false(yyjson_obj_get(root, "store"))) {
        store(&response);
    }
    mock_plan_fini(&response.plan);
}

void mock_openai_response_get(struct mock_exchange *exchange, const struct bench_str *ids)
{
    mock_object_answer(exchange, MOCK_STORE_RESPONSE, ids[0]);
}

void mock_openai_response_delete(struct mock_exchange *exchange, const struct bench_str *ids)
{
    mock_object_delete(exchange, MOCK_STORE_RESPONSE, ids[0], BENCH_STR("response"));
}

void mock_openai_response_cancel(struct mock_exchange *exchange, const struct bench_str *ids)
{
    mock_object_set_status(exchange, MOCK_STORE_RESPONSE, ids[0], BENCH_STR("cancelled"));
}

void mock_openai_response_items(struct mock_exchange *exchange, const struct bench_str *ids)
{
    struct bench_buf json = {0};
    if (!mock_store_get(MOCK_STORE_RESPONSE, ids[0], &json)) {
        mock_object_not_found(exchange, ids[0]);
        return;
    }
    bench_buf_fini(&json);
    struct bench_buf *out = mock_answer_json(exchange);
    BENCH_LIT(out, "{\"object\":\"list\",\"data\":[{\"id\":\"msg_input\",\"type\":\"message\","
                   "\"role\":\"user\",\"status\":\"completed\",\"content\":[{\"type\":"
                   "\"input_text\",\"text\":\"The mock does not keep inputs.\"}]}],"
                   "\"first_id\":\"msg_input\",\"last_id\":\"msg_input\",\"has_more\":false}\n");
    mock_answer_end(exchange);
}

void mock_openai_response_tokens(struct mock_exchange *exchange, const struct bench_str *ids)
{
    (void)ids;
    struct mock_usage usage = mock_answer_usage(exchange, 0);
    struct bench_buf *out = mock_answer_json(exchange);
    BENCH_LIT(out, "{\"object\":\"response.input_tokens\",\"input_tokens\":");
    bench_buf_u64(out, usage.prompt);
    BENCH_LIT(out, "}\n");
    mock_answer_end(exchange);
}
