/* SPDX-License-Identifier: MIT */
/*
 * What Anthropic's API refuses (providers/anthropic.md sections 2, 3 and 7). The texts are close to
 * its own, so that what a gateway makes of them can be tested.
 */
#include <string.h>

#include "mockllm/anthropic.h"
#include "mockllm/exchange.h"

/* Breakpoints the API caches at. */
#define MAX_CACHE_CONTROLS 4

/* Names of tools. */
#define MAX_NAME 128

/* What a model does not take; names that are not Claude's have no limits. */
struct traits {
    bool no_sampling;     /* temperature, top_p and top_k */
    bool no_forced_tools; /* any and tool */
    bool no_prefill;
    bool system_messages;
    bool no_adaptive;
    bool no_budget;
    bool no_disabled; /* thinking cannot be switched off */
};

struct check {
    struct mock_exchange *exchange;
    struct traits traits;
    yyjson_val *pending; /* the assistant message whose calls wait for results */
    unsigned cache_controls;
    bool failed;
    bool is_2026; /* anthropic-version 2026-10-21 */
};

#define FAIL(check, ...)                                                                           \
    do {                                                                                           \
        (check)->failed = true;                                                                    \
        mock_vendor_failf((check)->exchange, 400, __VA_ARGS__);                                    \
    } while (0)

static bool str_is(struct bench_str s, const char *text)
{
    return bench_str_eq(s, bench_str_from(text));
}

static bool has_text(struct bench_str model, const char *part)
{
    return memmem(model.ptr, model.len, part, strlen(part)) != NULL;
}

/* Reads the version out of claude-opus-5-5, claude-haiku-4-5-20251001 and the like, times ten. */
static unsigned version_of(struct bench_str model)
{
    unsigned digits[2] = {0};
    size_t found = 0;
    for (size_t i = 1; i < model.len && found < 2; i++) {
        bool ends = i + 1 == model.len || model.ptr[i + 1] < '0' || model.ptr[i + 1] > '9';
        if (model.ptr[i - 1] == '-' && model.ptr[i] >= '0' && model.ptr[i] <= '9' && ends) {
            digits[found++] = (unsigned)(model.ptr[i] - '0');
        }
    }
    return digits[0] * 10 + digits[1];
}

static struct traits traits_of(struct bench_str model)
{
    if (!has_text(model, "claude-")) {
        return (struct traits){.system_messages = true};
    }
    unsigned version = version_of(model);
    bool fable = has_text(model, "fable") || has_text(model, "mythos");
    bool haiku = has_text(model, "haiku");
    bool opus = has_text(model, "opus");
    return (struct traits){
        .no_sampling = fable || version >= 47,
        .no_forced_tools = fable || (version >= 55 && !haiku),
        .no_prefill = fable || version >= 46,
        .system_messages = fable || (opus && version >= 48) || (!haiku && version >= 55),
        .no_adaptive = !fable && version <= 45,
        .no_budget = fable || version >= 47,
        .no_disabled = fable || (version >= 55 && !haiku),
    };
}

static bool is_id(struct bench_str id)
{
    for (size_t i = 0; i < id.len; i++) {
        char c = id.ptr[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '_' || c == '-')) {
            return false;
        }
    }
    return id.len > 0;
}

static void count_cache_control(struct check *check, yyjson_val *holder)
{
    yyjson_val *control = yyjson_obj_get(holder, "cache_control");
    if (control == NULL || yyjson_is_null(control) || check->failed) {
        return;
    }
    struct bench_str ttl = mock_json_str(control, "ttl");
    if (!str_is(mock_json_str(control, "type"), "ephemeral")) {
        FAIL(check, "cache_control.type: Input should be 'ephemeral'");
    } else if (ttl.ptr != NULL && !str_is(ttl, "5m") && !str_is(ttl, "1h")) {
        FAIL(check, "cache_control.ephemeral.ttl: Input should be '5m' or '1h'");
    } else {
        check->cache_controls++;
    }
}

/* Tells whether |message| holds a block of |type| whose |member| is |id|. */
static bool has_block(yyjson_val *message, const char *type, const char *member,
                      struct bench_str id)
{
    size_t i = 0;
    size_t count = 0;
    yyjson_val *block = NULL;
    yyjson_arr_foreach(yyjson_obj_get(message, "content"), i, count, block)
    {
        if (str_is(mock_json_str(block, "type"), type) &&
            bench_str_eq(mock_json_str(block, member), id)) {
            return true;
        }
    }
    return false;
}

static void check_text(struct check *check, yyjson_val *block)
{
    struct bench_str text = mock_json_str(block, "text");
    if (text.ptr == NULL) {
        FAIL(check, "messages: text: Field required");
        return;
    }
    for (size_t i = 0; i < text.len; i++) {
        if ((unsigned char)text.ptr[i] > ' ') {
            return;
        }
    }
    FAIL(check, text.len == 0 ? "messages: text content blocks must be non-empty"
                              : "messages: text content blocks must contain non-whitespace text");
}

static void check_tool_use(struct check *check, yyjson_val *block, size_t message)
{
    struct bench_str id = mock_json_str(block, "id");
    if (!is_id(id)) {
        FAIL(check,
             "messages.%zu.content: tool_use.id: String should match pattern "
             "'^[a-zA-Z0-9_-]+$'",
             message);
    } else if (!is_id(mock_json_str(block, "name"))) {
        FAIL(check, "messages.%zu.content: tool_use.name: Field required", message);
    } else if (!yyjson_is_obj(yyjson_obj_get(block, "input"))) {
        FAIL(check, "messages.%zu.content: tool_use.input: Input should be a valid dictionary",
             message);
    }
}

static void check_tool_result(struct check *check, yyjson_val *block, size_t message)
{
    struct bench_str id = mock_json_str(block, "tool_use_id");
    if (!is_id(id)) {
        FAIL(check,
             "messages.%zu.content: tool_result.tool_use_id: String should match pattern "
             "'^[a-zA-Z0-9_-]+$'",
             message);
    } else if (!has_block(check->pending, "tool_use", "id", id)) {
        FAIL(check,
             "messages.%zu.content: unexpected `tool_use_id` found in `tool_result` "
             "blocks: " BENCH_STR_FMT
             ". Each `tool_result` block must have a corresponding `tool_use` "
             "block in the previous message.",
             message, BENCH_STR_ARG(id));
    }
}

static void check_thinking_block(struct check *check, yyjson_val *block, size_t message)
{
    struct bench_str signature = mock_json_str(block, "signature");
    struct bench_str text = mock_json_str(block, "thinking");
    if (signature.ptr == NULL || text.ptr == NULL) {
        FAIL(check, "messages.%zu.content: thinking.%s: Field required", message,
             text.ptr == NULL ? "thinking" : "signature");
    } else if (!mock_anthropic_signed(check->exchange, signature, BENCH_STR("thinking"), text)) {
        FAIL(check, "messages.%zu.content: Invalid `signature` in `thinking` block", message);
    }
}

static void check_source(struct check *check, yyjson_val *block, const char *type)
{
    yyjson_val *source = yyjson_obj_get(block, "source");
    struct bench_str kind = mock_json_str(source, "type");
    bool no_urls = check->exchange->vendor != MOCK_VENDOR_ANTHROPIC;
    if (str_is(kind, "base64") &&
        (mock_json_str(source, "media_type").len == 0 || mock_json_str(source, "data").len == 0)) {
        FAIL(check, "messages: %s.source.base64.data: Field required", type);
    } else if (str_is(kind, "url") && no_urls) {
        FAIL(check, "messages: %s.source: URL sources are not supported", type);
    } else if (str_is(kind, "url") && mock_json_str(source, "url").len == 0) {
        FAIL(check, "messages: %s.source.url.url: Field required", type);
    } else if (kind.ptr == NULL) {
        FAIL(check, "messages: %s.source: Field required", type);
    }
}

/* What a block may be in a message of either role. */
static void check_block(struct check *check, yyjson_val *block, size_t message, bool is_user)
{
    struct bench_str type = mock_json_str(block, "type");
    count_cache_control(check, block);
    if (check->failed) {
        return;
    }
    if (check->is_2026 && is_user && yyjson_arr_size(yyjson_obj_get(block, "citations")) > 0) {
        FAIL(check, "messages.%zu.content: citations: Extra inputs are not permitted", message);
    } else if (str_is(type, "text")) {
        check_text(check, block);
    } else if (str_is(type, "tool_use") && !is_user) {
        check_tool_use(check, block, message);
    } else if (str_is(type, "tool_result") && is_user) {
        check_tool_result(check, block, message);
    } else if (str_is(type, "thinking") && !is_user) {
        check_thinking_block(check, block, message);
    } else if (str_is(type, "redacted_thinking") && !is_user) {
        if (!mock_anthropic_signed(check->exchange, mock_json_str(block, "data"),
                                   BENCH_STR("redacted"), BENCH_STR(""))) {
            FAIL(check, "messages.%zu.content: Invalid `data` in `redacted_thinking` block",
                 message);
        }
    } else if (str_is(type, "image") && is_user) {
        check_source(check, block, "image");
    } else if (str_is(type, "document") && is_user) {
        check_source(check, block, "document");
    } else if (!str_is(type, "search_result") && !str_is(type, "server_tool_use") &&
               !str_is(type, "web_search_tool_result") && !str_is(type, "compaction")) {
        FAIL(check,
             "messages.%zu.content: Input tag '" BENCH_STR_FMT "' found using 'type' does "
             "not match any of the expected tags",
             message, BENCH_STR_ARG(type));
    }
}

static void check_content(struct check *check, yyjson_val *content, size_t message, bool is_user)
{
    size_t i = 0;
    size_t count = 0;
    yyjson_val *block = NULL;
    bool other = false;
    if (yyjson_is_str(content)) {
        if (yyjson_get_len(content) == 0) {
            FAIL(check,
                 "messages.%zu: all messages must have non-empty content except for the "
                 "optional final assistant message",
                 message);
        }
        return;
    }
    if (!yyjson_is_arr(content) || yyjson_arr_size(content) == 0) {
        FAIL(check,
             content == NULL ? "messages.%zu.content: Field required"
                             : "messages.%zu: all messages must have non-empty content",
             message);
        return;
    }
    yyjson_arr_foreach(content, i, count, block)
    {
        bool is_result = str_is(mock_json_str(block, "type"), "tool_result");
        if (is_result && other && check->pending != NULL) {
            FAIL(check,
                 "messages.%zu: `tool_result` blocks must come first in the content of a "
                 "message",
                 message);
        }
        other = other || !is_result;
        if (!check->failed) {
            check_block(check, block, message, is_user);
        }
    }
}

/* Every call of the assistant message before must have its result in |message|. */
static void check_answered(struct check *check, yyjson_val *message, size_t index)
{
    size_t i = 0;
    size_t count = 0;
    yyjson_val *block = NULL;
    yyjson_arr_foreach(yyjson_obj_get(check->pending, "content"), i, count, block)
    {
        struct bench_str id = mock_json_str(block, "id");
        if (str_is(mock_json_str(block, "type"), "tool_use") && !check->failed &&
            !has_block(message, "tool_result", "tool_use_id", id)) {
            FAIL(check,
                 "messages.%zu: `tool_use` ids were found without `tool_result` blocks "
                 "immediately after: " BENCH_STR_FMT ". Each `tool_use` block must have a "
                 "corresponding `tool_result` block in the next message.",
                 index - 1, BENCH_STR_ARG(id));
        }
    }
}

static void check_message(struct check *check, yyjson_val *message, size_t index)
{
    struct bench_str role = mock_json_str(message, "role");
    bool is_user = str_is(role, "user");
    if (str_is(role, "system")) {
        if (!check->traits.system_messages || index == 0) {
            FAIL(check,
                 "messages: Unexpected role \"system\". The Messages API accepts a top-level "
                 "`system` parameter, not \"system\" as an input message role.");
        }
        return;
    }
    if (!is_user && !str_is(role, "assistant")) {
        FAIL(check, "messages.%zu.role: Input should be 'user' or 'assistant'", index);
        return;
    }
    if (index == 0 && !is_user) {
        FAIL(check, "messages: first message must use the \"user\" role");
        return;
    }
    check_answered(check, message, index);
    if (!check->failed) {
        check_content(check, yyjson_obj_get(message, "content"), index, is_user);
    }
    check->pending = is_user ? NULL : message;
}

/* The last message: no open calls, no prefill where none is taken, no white space at its end. */
static void check_last(struct check *check, yyjson_val *last, size_t count)
{
    if (!str_is(mock_json_str(last, "role"), "assistant")) {
        return;
    }
    yyjson_val *content = yyjson_obj_get(last, "content");
    yyjson_val *block = yyjson_arr_get_last(content);
    yyjson_val *text = yyjson_is_str(content) ? content : yyjson_obj_get(block, "text");
    size_t len = yyjson_get_len(text);
    check_answered(check, NULL, count);
    if (check->failed) {
        return;
    }
    if (check->traits.no_prefill) {
        FAIL(check, "This model does not support assistant message prefill. The conversation must "
                    "end with a user message.");
    } else if (yyjson_is_str(text) && len > 0 &&
               (unsigned char)yyjson_get_str(text)[len - 1] <= ' ') {
        FAIL(check, "messages: final assistant content cannot end with trailing whitespace");
    }
}

static void check_messages(struct check *check, yyjson_val *messages)
{
    size_t i = 0;
    size_t count = 0;
    yyjson_val *message = NULL;
    if (!yyjson_is_arr(messages)) {
        FAIL(check, "messages: Field required");
        return;
    }
    if (yyjson_arr_size(messages) == 0) {
        FAIL(check, "messages: at least one message is required");
        return;
    }
    yyjson_arr_foreach(messages, i, count, message)
    {
        if (!check->failed) {
            check_message(check, message, i);
        }
    }
    if (!check->failed) {
        check_last(check, yyjson_arr_get_last(messages), count);
    }
}

static void check_system(struct check *check, yyjson_val *system)
{
    size_t i = 0;
    size_t count = 0;
    yyjson_val *block = NULL;
    if (system != NULL && !yyjson_is_str(system) && !yyjson_is_arr(system)) {
        FAIL(check, "system: Input should be a valid string or list");
        return;
    }
    yyjson_arr_foreach(system, i, count, block)
    {
        count_cache_control(check, block);
        if (!check->failed && mock_json_str(block, "text").len == 0) {
            FAIL(check, "system: text content blocks must be non-empty");
        }
    }
}

static void check_tool(struct check *check, yyjson_val *tool, size_t index)
{
    struct bench_str name = mock_json_str(tool, "name");
    struct bench_str type = mock_json_str(tool, "type");
    yyjson_val *schema = yyjson_obj_get(tool, "input_schema");
    count_cache_control(check, tool);
    if (check->failed || (type.ptr != NULL && !str_is(type, "custom"))) {
        return; /* a server tool */
    }
    if (!is_id(name) || name.len > MAX_NAME) {
        FAIL(check, "tools.%zu.custom.name: String should match pattern '^[a-zA-Z0-9_-]{1,128}$'",
             index);
    } else if (!yyjson_is_obj(schema)) {
        FAIL(check, "tools.%zu.custom.input_schema: Field required", index);
    } else if (!str_is(mock_json_str(schema, "type"), "object")) {
        FAIL(check, "tools.%zu.custom.input_schema.type: Input should be 'object'", index);
    } else if (yyjson_obj_get(tool, "parameters") != NULL ||
               yyjson_obj_get(tool, "function") != NULL) {
        FAIL(check, "tools.%zu.custom: Extra inputs are not permitted", index);
    }
}

static bool has_tool(yyjson_val *tools, struct bench_str name)
{
    size_t i = 0;
    size_t count = 0;
    yyjson_val *tool = NULL;
    yyjson_arr_foreach(tools, i, count, tool)
    {
        if (bench_str_eq(mock_json_str(tool, "name"), name)) {
            return true;
        }
    }
    return false;
}

static void check_tool_choice(struct check *check, yyjson_val *root)
{
    yyjson_val *choice = yyjson_obj_get(root, "tool_choice");
    yyjson_val *tools = yyjson_obj_get(root, "tools");
    struct bench_str type = mock_json_str(choice, "type");
    struct bench_str thinking = mock_json_str(yyjson_obj_get(root, "thinking"), "type");
    bool forced = str_is(type, "any") || str_is(type, "tool");
    bool thinks = str_is(thinking, "enabled") || str_is(thinking, "adaptive");
    if (choice == NULL) {
        return;
    }
    if (!forced && !str_is(type, "auto") && !str_is(type, "none")) {
        FAIL(check,
             "tool_choice: Input tag does not match any of the expected tags: 'auto', 'any', "
             "'tool', 'none'");
    } else if (yyjson_arr_size(tools) == 0) {
        FAIL(check, "tool_choice: tool_choice may only be specified while providing tools");
    } else if (str_is(type, "tool") && !has_tool(tools, mock_json_str(choice, "name"))) {
        FAIL(check, "tool_choice: Tool '" BENCH_STR_FMT "' not found in provided tools",
             BENCH_STR_ARG(mock_json_str(choice, "name")));
    } else if (forced && thinks) {
        FAIL(check, "Thinking may not be enabled when tool_choice forces tool use.");
    } else if (forced && check->traits.no_forced_tools) {
        FAIL(check, "tool_choice: forced tool use is not supported for this model");
    }
}

static void check_tools(struct check *check, yyjson_val *root)
{
    size_t i = 0;
    size_t count = 0;
    yyjson_val *tool = NULL;
    yyjson_arr_foreach(yyjson_obj_get(root, "tools"), i, count, tool)
    {
        if (!check->failed) {
            check_tool(check, tool, i);
        }
    }
    if (!check->failed) {
        check_tool_choice(check, root);
    }
}

static void check_thinking(struct check *check, yyjson_val *root)
{
    yyjson_val *thinking = yyjson_obj_get(root, "thinking");
    struct bench_str type = mock_json_str(thinking, "type");
    uint64_t budget = mock_json_u64(thinking, "budget_tokens", 0);
    if (thinking == NULL) {
        return;
    }
    if (str_is(type, "enabled")) {
        if (check->traits.no_budget) {
            FAIL(check, "\"thinking.type.enabled\" is not supported for this model. Use "
                        "\"thinking.type.adaptive\" and \"output_config.effort\" to control "
                        "thinking behavior.");
        } else if (budget < 1024) {
            FAIL(check, "thinking.enabled.budget_tokens: Input should be greater than or equal to "
                        "1024");
        } else if (budget >= mock_json_u64(root, "max_tokens", UINT64_MAX)) {
            FAIL(check, "`max_tokens` must be greater than `thinking.budget_tokens`.");
        }
    } else if (str_is(type, "adaptive") && check->traits.no_adaptive) {
        FAIL(check, "adaptive thinking is not supported on this model");
    } else if (str_is(type, "disabled") && check->traits.no_disabled) {
        FAIL(check, "\"thinking.type.disabled\" is not supported for this model. Use "
                    "\"thinking.type.adaptive\" and \"output_config.effort\" to control thinking "
                    "behavior.");
    } else if (!str_is(type, "adaptive") && !str_is(type, "disabled") &&
               !str_is(type, "between_tools")) {
        FAIL(check, "thinking: Input tag does not match any of the expected tags");
    }
}

static void check_sampling(struct check *check, yyjson_val *root)
{
    yyjson_val *temperature = yyjson_obj_get(root, "temperature");
    yyjson_val *top_p = yyjson_obj_get(root, "top_p");
    bool any = temperature != NULL || top_p != NULL || yyjson_obj_get(root, "top_k") != NULL;
    struct bench_str thinking = mock_json_str(yyjson_obj_get(root, "thinking"), "type");
    if (temperature != NULL &&
        (yyjson_get_num(temperature) < 0 || yyjson_get_num(temperature) > 1)) {
        FAIL(check, "temperature: range: 0..1");
    } else if (any && check->traits.no_sampling) {
        FAIL(check, "`temperature`, `top_p` and `top_k` are not supported for this model");
    } else if (temperature != NULL && str_is(thinking, "enabled") &&
               yyjson_get_num(temperature) < 1) {
        FAIL(check, "`temperature` may only be set to 1 when thinking is enabled.");
    } else if (temperature != NULL && top_p != NULL &&
               version_of(bench_buf_view(&check->exchange->model)) == 45) {
        FAIL(check, "`temperature` and `top_p` cannot both be specified for this model.");
    }
}

/* Objects of an output schema must be closed. */
static void check_schema(struct check *check, yyjson_val *schema)
{
    yyjson_val *name = NULL;
    yyjson_val *member = NULL;
    size_t i = 0;
    size_t count = 0;
    if (check->failed || schema == NULL) {
        return;
    }
    if (yyjson_is_arr(schema)) {
        yyjson_arr_foreach(schema, i, count, member)
        {
            check_schema(check, member);
        }
        return;
    }
    if (!yyjson_is_obj(schema)) {
        return;
    }
    if (str_is(mock_json_str(schema, "type"), "object") &&
        !yyjson_is_false(yyjson_obj_get(schema, "additionalProperties"))) {
        FAIL(check,
             "output_config.format.schema: For 'object' type, 'additionalProperties' must be "
             "explicitly set to false");
        return;
    }
    yyjson_obj_foreach(schema, i, count, name, member)
    {
        check_schema(check, member);
    }
}

static void check_stops(struct check *check, yyjson_val *stops)
{
    size_t i = 0;
    size_t count = 0;
    yyjson_val *stop = NULL;
    yyjson_arr_foreach(stops, i, count, stop)
    {
        bool blank = true;
        struct bench_str text = mock_json_text(stop);
        for (size_t at = 0; at < text.len; at++) {
            blank = blank && (unsigned char)text.ptr[at] <= ' ';
        }
        if (blank && !check->failed) {
            FAIL(check, "stop_sequences: each stop sequence must contain non-whitespace");
        }
    }
}

/* What API version 2026-10-21 took away. */
static bool is_sampling(yyjson_val *name)
{
    return yyjson_equals_str(name, "temperature") || yyjson_equals_str(name, "top_p") ||
           yyjson_equals_str(name, "top_k");
}

/* The API knows all its members; a member of another API is a mistake it reports. */
static void check_members(struct check *check, yyjson_val *root)
{
    static const char *const known[] = {
        "model",          "messages",      "max_tokens",    "metadata",
        "stop_sequences", "stream",        "system",        "temperature",
        "thinking",       "tool_choice",   "tools",         "top_k",
        "top_p",          "service_tier",  "container",     "context_management",
        "mcp_servers",    "output_config", "output_format", "cache_control",
        "diagnostics",    "inference_geo", "speed",         "anthropic_version",
        "anthropic_beta",
    };
    bool direct = check->exchange->vendor == MOCK_VENDOR_ANTHROPIC;
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
        found = found && !(check->is_2026 && is_sampling(name));
        found = found && !(direct && has_text(bench_str_from(yyjson_get_str(name)), "anthropic_"));
        if (!found && !check->failed) {
            FAIL(check, "%s: Extra inputs are not permitted", yyjson_get_str(name));
        }
    }
}

/* Members that must be there, with their type. */
static void check_required(struct check *check, yyjson_val *root, bool counting)
{
    yyjson_val *max_tokens = yyjson_obj_get(root, "max_tokens");
    if (root == NULL) {
        FAIL(check, "The request body is not valid JSON");
    } else if (check->exchange->model.len == 0) {
        FAIL(check, "model: Field required");
    } else if (counting) {
        return;
    } else if (max_tokens == NULL) {
        FAIL(check, "max_tokens: Field required");
    } else if (!yyjson_is_uint(max_tokens) || yyjson_get_uint(max_tokens) == 0) {
        FAIL(check, "max_tokens: Input should be greater than or equal to 1");
    }
}

bool mock_anthropic_check(struct mock_exchange *exchange, yyjson_val *root, bool counting)
{
    struct check check = {.exchange = exchange,
                          .traits = traits_of(bench_buf_view(&exchange->model))};
    yyjson_val *format = yyjson_obj_get(yyjson_obj_get(root, "output_config"), "format");
    struct bench_str version = mock_vendor_header(exchange, "anthropic-version");
    check.is_2026 = str_is(version, "2026-10-21") ||
                    str_is(mock_json_str(root, "anthropic_version"), "2026-10-21");
    check_required(&check, root, counting);
    if (!check.failed) {
        check_members(&check, root);
    }
    if (!check.failed) {
        check_system(&check, yyjson_obj_get(root, "system"));
    }
    if (!check.failed) {
        check_tools(&check, root);
    }
    if (!check.failed) {
        check_messages(&check, yyjson_obj_get(root, "messages"));
    }
    if (!check.failed) {
        check_thinking(&check, root);
    }
    if (!check.failed) {
        check_sampling(&check, root);
    }
    if (!check.failed) {
        check_schema(&check, yyjson_obj_get(format, "schema"));
    }
    if (!check.failed) {
        check_stops(&check, yyjson_obj_get(root, "stop_sequences"));
    }
    if (!check.failed && check.cache_controls > MAX_CACHE_CONTROLS) {
        FAIL(&check, "A maximum of 4 blocks with cache_control may be provided. Found %u.",
             check.cache_controls);
    }
    return !check.failed;
}
