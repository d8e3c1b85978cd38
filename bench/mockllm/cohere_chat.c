/* SPDX-License-Identifier: MIT */
/* POST /v2/chat: checks, reads and answers. */
#include <string.h>

#include "mockllm/cohere.h"
#include "mockllm/exchange.h"
#include "mockllm/plan.h"

/* Parts a tool call's arguments are streamed in. */
#define ARGUMENT_PARTS 4u

/* Reasoning is sent in at most that many pieces. */
#define MAX_THINKING_CHUNKS 10000u

struct chat {
    struct mock_exchange *exchange;
    uint64_t index; /* of the content or call that streams */
    struct mock_plan plan;
};

static bool str_is(struct bench_str s, const char *text)
{
    return bench_str_eq(s, bench_str_from(text));
}

static bool is_tool_name(struct bench_str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!letter && (i == 0 || c < '0' || c > '9')) {
            return false;
        }
    }
    return name.len > 0;
}

/* The first member the API does not know, NULL when it knows all. */
static const char *unknown_member(yyjson_val *root)
{
    static const char *const known[] = {
        "model",
        "messages",
        "stream",
        "tools",
        "documents",
        "citation_options",
        "response_format",
        "safety_mode",
        "max_tokens",
        "stop_sequences",
        "temperature",
        "seed",
        "frequency_penalty",
        "presence_penalty",
        "k",
        "p",
        "logprobs",
        "tool_choice",
        "strict_tools",
        "thinking",
        "priority",
        "raw_prompting",
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
            return yyjson_get_str(name);
        }
    }
    return NULL;
}

/* Tells whether the assistant message before |index| made the call |id|. */
static bool has_call(yyjson_val *messages, size_t index, struct bench_str id)
{
    for (; index > 0; index--) {
        yyjson_val *message = yyjson_arr_get(messages, index - 1);
        size_t i = 0;
        size_t count = 0;
        yyjson_val *call = NULL;
        if (!str_is(mock_json_str(message, "role"), "assistant")) {
            continue;
        }
        yyjson_arr_foreach(yyjson_obj_get(message, "tool_calls"), i, count, call)
        {
            if (bench_str_eq(mock_json_str(call, "id"), id)) {
                return true;
            }
        }
        return false;
    }
    return false;
}

static const char *message_fault(yyjson_val *messages, size_t index)
{
    yyjson_val *message = yyjson_arr_get(messages, index);
    struct bench_str role = mock_json_str(message, "role");
    yyjson_val *content = yyjson_obj_get(message, "content");
    bool has_content = yyjson_get_len(content) > 0 || yyjson_arr_size(content) > 0;
    if (str_is(role, "tool")) {
        return !has_content ? "invalid request: tool message content is required"
               : has_call(messages, index, mock_json_str(message, "tool_call_id"))
                   ? NULL
                   : "invalid request: tool call id not found in previous tool calls";
    }
    if (str_is(role, "assistant")) {
        bool any = has_content || yyjson_arr_size(yyjson_obj_get(message, "tool_calls")) > 0;
        return any ? NULL : "invalid request: assistant message must have content or tool_calls";
    }
    if (!str_is(role, "user") && !str_is(role, "system")) {
        return "invalid request: message role must be one of user, assistant, system, tool";
    }
    return has_content ? NULL : "invalid request: message content must not be empty";
}

static const char *tool_fault(yyjson_val *root)
{
    size_t i = 0;
    size_t count = 0;
    yyjson_val *tool = NULL;
    yyjson_val *choice = yyjson_obj_get(root, "tool_choice");
    yyjson_val *format = yyjson_obj_get(root, "response_format");
    yyjson_arr_foreach(yyjson_obj_get(root, "tools"), i, count, tool)
    {
        yyjson_val *function = yyjson_obj_get(tool, "function");
        if (!str_is(mock_json_str(tool, "type"), "function") ||
            !is_tool_name(mock_json_str(function, "name"))) {
            return "invalid request: tool names can only contain certain characters (A-Za-z0-9_) "
                   "and can't begin with a digit";
        }
    }
    if (choice != NULL && !yyjson_equals_str(choice, "REQUIRED") &&
        !yyjson_equals_str(choice, "NONE")) {
        return "invalid request: tool_choice must be REQUIRED or NONE";
    }
    if (choice != NULL && count == 0) {
        return "invalid request: tool_choice needs tools";
    }
    if (count > 0 && str_is(mock_json_str(format, "type"), "json_object")) {
        return "invalid request: response_format is not supported with tools";
    }
    return NULL;
}

static bool is_outside(yyjson_val *root, const char *name, double least, double most)
{
    yyjson_val *member = yyjson_obj_get(root, name);
    return member != NULL && (yyjson_get_num(member) < least || yyjson_get_num(member) > most);
}

static const char *number_fault(yyjson_val *root)
{
    struct bench_str format = mock_json_str(yyjson_obj_get(root, "response_format"), "type");
    if (is_outside(root, "temperature", 0, 1)) {
        return "invalid request: temperature must be between 0 and 1.0 inclusive.";
    }
    if (is_outside(root, "p", 0.01, 0.99)) {
        return "invalid request: p must be between 0.01 and 0.99 inclusive.";
    }
    if (is_outside(root, "k", 0, 500)) {
        return "invalid request: k must be between 0 and 500 inclusive.";
    }
    if (is_outside(root, "presence_penalty", 0, 1) || is_outside(root, "frequency_penalty", 0, 1)) {
        return "invalid request: penalties must be between 0 and 1.0 inclusive.";
    }
    if (yyjson_arr_size(yyjson_obj_get(root, "stop_sequences")) > 5) {
        return "invalid request: at most 5 stop_sequences";
    }
    if (format.ptr != NULL && !str_is(format, "text") && !str_is(format, "json_object")) {
        return "invalid request: response_format.type must be text or json_object";
    }
    return NULL;
}

static bool check(struct mock_exchange *exchange, yyjson_val *root)
{
    yyjson_val *messages = yyjson_obj_get(root, "messages");
    if (root == NULL || exchange->model.len == 0 || yyjson_arr_size(messages) == 0) {
        mock_vendor_fail(exchange, 400, "invalid request: model and messages are required");
        return false;
    }
    const char *name = unknown_member(root);
    if (name != NULL) {
        mock_vendor_failf(exchange, 422, "unknown field: parameter '%s' is not a valid field",
                          name);
        return false;
    }
    const char *fault = tool_fault(root);
    fault = fault != NULL ? fault : number_fault(root);
    for (size_t i = 0; fault == NULL && i < yyjson_arr_size(messages); i++) {
        fault = message_fault(messages, i);
    }
    if (fault != NULL) {
        mock_vendor_fail(exchange, 400, fault);
    }
    return fault == NULL;
}

static struct bench_str text_of(yyjson_val *content)
{
    if (yyjson_is_str(content)) {
        return mock_json_text(content);
    }
    return mock_json_str(yyjson_arr_get_first(content), "text");
}

static struct mock_plan_ask read_ask(yyjson_val *root)
{
    yyjson_val *last = yyjson_arr_get_last(yyjson_obj_get(root, "messages"));
    yyjson_val *format = yyjson_obj_get(root, "response_format");
    yyjson_val *stop = yyjson_arr_get_first(yyjson_obj_get(root, "stop_sequences"));
    yyjson_val *choice = yyjson_obj_get(root, "tool_choice");
    struct mock_plan_ask ask = {
        .schema = yyjson_obj_get(format, "json_schema"),
        .json = str_is(mock_json_str(format, "type"), "json_object"),
        .tool_answered = str_is(mock_json_str(last, "role"), "tool"),
        .max_tokens = mock_json_u64(root, "max_tokens", 0),
        .echo = text_of(yyjson_obj_get(last, "content")),
        .stop_seq = mock_json_text(stop),
        .must_call = yyjson_equals_str(choice, "REQUIRED"),
        .no_call = yyjson_equals_str(choice, "NONE"),
    };
    size_t i = 0;
    size_t count = 0;
    yyjson_val *tool = NULL;
    yyjson_arr_foreach(yyjson_obj_get(root, "tools"), i, count, tool)
    {
        yyjson_val *function = yyjson_obj_get(tool, "function");
        mock_ask_tool(&ask, (struct mock_tool){.name = mock_json_str(function, "name"),
                                               .schema = yyjson_obj_get(function, "parameters")});
    }
    return ask;
}

static void write_end(const struct chat *chat, struct bench_buf *out)
{
    static const char *const reasons[][2] = {
        {"stop", "COMPLETE"},
        {"length", "MAX_TOKENS"},
        {"tool_calls", "TOOL_CALL"},
        {"content_filter", "ERROR"},
    };
    const struct mock_usage *usage = &chat->plan.usage;
    struct bench_str reason = chat->plan.finish;
    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
        if (mock_plan_ends(&chat->plan, reasons[i][0])) {
            reason = bench_str_from(reasons[i][1]);
        }
    }
    if (chat->plan.stopped.ptr != NULL && mock_plan_ends(&chat->plan, "stop")) {
        reason = BENCH_STR("STOP_SEQUENCE");
    }
    BENCH_LIT(out, "\"finish_reason\":");
    bench_buf_json(out, reason);
    bench_buf_printf(out,
                     ",\"usage\":{\"billed_units\":{\"input_tokens\":%llu,\"output_tokens\":%llu},"
                     "\"tokens\":{\"input_tokens\":%llu,\"output_tokens\":%llu},"
                     "\"cached_tokens\":%llu}",
                     (unsigned long long)(usage->prompt - usage->cached),
                     (unsigned long long)usage->completion, (unsigned long long)usage->prompt,
                     (unsigned long long)usage->completion, (unsigned long long)usage->cached);
}

static bool has_text(const struct mock_plan *plan)
{
    return plan->kind == MOCK_PLAN_GENERATED || plan->text.len > 0;
}

/* Opens a call up to its arguments. */
static void write_call(const struct chat *chat, struct bench_buf *out, size_t i)
{
    const struct mock_tool_call *call = &chat->plan.calls[i];
    BENCH_LIT(out, "{\"id\":\"");
    bench_buf_str(out, call->name);
    mock_answer_id(out, chat->exchange, BENCH_STR("_"), (unsigned)i);
    BENCH_LIT(out, "\",\"type\":\"function\",\"function\":{\"name\":");
    bench_buf_json(out, call->name);
    BENCH_LIT(out, ",\"arguments\":");
}

static void write_thinking(const struct chat *chat, struct bench_buf *out)
{
    BENCH_LIT(out, "{\"type\":\"thinking\",\"thinking\":\"");
    mock_plan_reasoning(&chat->plan, out, 1, 0);
    BENCH_LIT(out, "\"}");
}

static void answer_plain(const struct chat *chat)
{
    const struct mock_plan *plan = &chat->plan;
    bool thinks = plan->reasoning_chunks > 0;
    bool text = plan->kind != MOCK_PLAN_TOOLS && has_text(plan);
    struct bench_buf *out = mock_answer_json(chat->exchange);
    BENCH_LIT(out, "{\"id\":\"");
    mock_answer_id(out, chat->exchange, BENCH_STR(""), 0);
    BENCH_LIT(out, "\",\"message\":{\"role\":\"assistant\"");
    if (plan->call_count > 0) {
        BENCH_LIT(out, ",\"tool_plan\":\"I will use a tool.\",\"tool_calls\":[");
        for (size_t i = 0; i < plan->call_count; i++) {
            bench_buf_str(out, i == 0 ? BENCH_STR("") : BENCH_STR(","));
            write_call(chat, out, i);
            bench_buf_json(out, bench_buf_view(&plan->calls[i].input));
            BENCH_LIT(out, "}}");
        }
        BENCH_LIT(out, "]");
    }
    if (thinks || text) {
        BENCH_LIT(out, ",\"content\":[");
        if (thinks) {
            write_thinking(chat, out);
        }
        bench_buf_str(out, thinks && text ? BENCH_STR(",") : BENCH_STR(""));
        if (text) {
            BENCH_LIT(out, "{\"type\":\"text\",\"text\":");
            mock_plan_write_text(plan, out);
            BENCH_LIT(out, "}");
        }
        BENCH_LIT(out, "]");
    }
    BENCH_LIT(out, "},");
    write_end(chat, out);
    BENCH_LIT(out, "}");
    mock_answer_end(chat->exchange);
}

static struct bench_buf *begin(const struct chat *chat, enum mock_piece_kind kind, const char *name)
{
    struct mock_answer *answer = &chat->exchange->answer;
    mock_piece_begin(answer, kind);
    bench_buf_printf(&answer->script.bytes, "event: %s\ndata: {\"type\":\"%s\"", name, name);
    return &answer->script.bytes;
}

static struct bench_buf *begin_part(const struct chat *chat, enum mock_piece_kind kind,
                                    const char *name)
{
    struct bench_buf *out = begin(chat, kind, name);
    bench_buf_printf(out, ",\"index\":%llu", (unsigned long long)chat->index);
    return out;
}

static void end(const struct chat *chat, uint64_t repeat)
{
    struct mock_answer *answer = &chat->exchange->answer;
    BENCH_LIT(&answer->script.bytes, "}\n\n");
    mock_piece_end(answer, repeat, 0);
}

static void add_thinking(struct chat *chat)
{
    uint64_t chunks = chat->plan.reasoning_chunks;
    chunks = chunks < MAX_THINKING_CHUNKS ? chunks : MAX_THINKING_CHUNKS;
    struct bench_buf *out = begin_part(chat, MOCK_PIECE_HEAD, "content-start");
    BENCH_LIT(out,
              ",\"delta\":{\"message\":{\"content\":{\"type\":\"thinking\",\"thinking\":\"\"}}}");
    end(chat, 1);
    for (uint64_t i = 0; i < chunks; i++) {
        out = begin_part(chat, MOCK_PIECE_CONTENT, "content-delta");
        BENCH_LIT(out, ",\"delta\":{\"message\":{\"content\":{\"thinking\":\"");
        mock_plan_reasoning(&chat->plan, out, chunks, i);
        BENCH_LIT(out, "\"}}}");
        end(chat, 1);
    }
    begin_part(chat, MOCK_PIECE_TAIL, "content-end");
    end(chat, 1);
    chat->index++;
}

static void add_text(struct chat *chat)
{
    const struct mock_plan *plan = &chat->plan;
    struct bench_buf *out = begin_part(chat, MOCK_PIECE_HEAD, "content-start");
    BENCH_LIT(out, ",\"delta\":{\"message\":{\"content\":{\"type\":\"text\",\"text\":\"\"}}}");
    end(chat, 1);
    if (plan->kind == MOCK_PLAN_GENERATED) {
        chat->exchange->answer.text_bytes = plan->text_bytes;
        chat->exchange->answer.text_chunks = plan->chunks;
        out = begin_part(chat, MOCK_PIECE_CONTENT, "content-delta");
        BENCH_LIT(out, ",\"delta\":{\"message\":{\"content\":{\"text\":\"");
        mock_piece_slot(&chat->exchange->answer, MOCK_SLOT_TEXT);
        BENCH_LIT(out, "\"}}}");
        end(chat, plan->chunks);
    }
    for (uint64_t i = 0; plan->kind != MOCK_PLAN_GENERATED && i < plan->chunks; i++) {
        out = begin_part(chat, MOCK_PIECE_CONTENT, "content-delta");
        BENCH_LIT(out, ",\"delta\":{\"message\":{\"content\":{\"text\":");
        mock_plan_write_chunk(plan, out, i);
        BENCH_LIT(out, "}}}");
        end(chat, 1);
    }
    begin_part(chat, MOCK_PIECE_TAIL, "content-end");
    end(chat, 1);
}

static void add_call(struct chat *chat, size_t i)
{
    struct bench_str input = bench_buf_view(&chat->plan.calls[i].input);
    chat->index = i;
    struct bench_buf *out = begin_part(chat, MOCK_PIECE_CONTENT, "tool-call-start");
    BENCH_LIT(out, ",\"delta\":{\"message\":{\"tool_calls\":");
    write_call(chat, out, i);
    BENCH_LIT(out, "\"\"}}}}");
    end(chat, 1);
    for (uint64_t part = 0; part < ARGUMENT_PARTS && input.len > 2; part++) {
        out = begin_part(chat, MOCK_PIECE_CONTENT, "tool-call-delta");
        BENCH_LIT(out, ",\"delta\":{\"message\":{\"tool_calls\":{\"function\":{\"arguments\":");
        bench_buf_json(out, mock_plan_cut(input, ARGUMENT_PARTS, part));
        BENCH_LIT(out, "}}}}");
        end(chat, 1);
    }
    begin_part(chat, MOCK_PIECE_TAIL, "tool-call-end");
    end(chat, 1);
}

static void answer_stream(struct chat *chat)
{
    const struct mock_plan *plan = &chat->plan;
    mock_answer_stream(chat->exchange);
    struct bench_buf *out = begin(chat, MOCK_PIECE_HEAD, "message-start");
    BENCH_LIT(out, ",\"id\":\"");
    mock_answer_id(out, chat->exchange, BENCH_STR(""), 0);
    BENCH_LIT(out, "\",\"delta\":{\"message\":{\"role\":\"assistant\",\"content\":[],"
                   "\"tool_plan\":\"\",\"tool_calls\":[],\"citations\":[]}}");
    end(chat, 1);
    if (plan->reasoning_chunks > 0) {
        add_thinking(chat);
    }
    if (plan->call_count > 0) {
        out = begin(chat, MOCK_PIECE_CONTENT, "tool-plan-delta");
        BENCH_LIT(out, ",\"delta\":{\"message\":{\"tool_plan\":\"I will use a tool.\"}}");
        end(chat, 1);
    }
    for (size_t i = 0; i < plan->call_count; i++) {
        add_call(chat, i);
    }
    if (plan->kind != MOCK_PLAN_TOOLS && has_text(plan)) {
        add_text(chat);
    }
    out = begin(chat, MOCK_PIECE_TAIL, "message-end");
    BENCH_LIT(out, ",\"delta\":{");
    write_end(chat, out);
    BENCH_LIT(out, "}");
    end(chat, 1);
}

void mock_cohere_chat(struct mock_exchange *exchange, const struct bench_str *ids)
{
    (void)ids;
    yyjson_val *root = mock_answer_root(exchange);
    if (!check(exchange, root)) {
        return;
    }
    if (exchange->knobs.filter > 1) {
        mock_vendor_fail(exchange, 498, "");
        return;
    }
    struct chat chat = {.exchange = exchange};
    struct mock_plan_ask ask = read_ask(root);
    mock_plan_make(&chat.plan, exchange, &ask);
    if (mock_json_true(root, "stream")) {
        answer_stream(&chat);
    } else {
        answer_plain(&chat);
    }
    mock_plan_fini(&chat.plan);
}
