/* SPDX-License-Identifier: MIT */
/* What Bedrock's Converse refuses (providers/bedrock.md section 2). */
#include <string.h>

#include "mockllm/answer.h"
#include "mockllm/bedrock.h"
#include "mockllm/exchange.h"
#include "mockllm/sign.h"

#define NAMES(...) ((const char *const[]){__VA_ARGS__, NULL})

/* Bedrock's limits of one request. */
#define MAX_CACHE_POINTS 4
#define MAX_NAME         64

struct check {
    struct mock_exchange *exchange;
    yyjson_val *calls; /* the content of the assistant message before */
    unsigned cache_points;
    bool uses_tools;
    bool failed;
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

static bool is_blank(struct bench_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if ((unsigned char)text.ptr[i] > ' ') {
            return false;
        }
    }
    return true;
}

static bool is_name(struct bench_str name, const char *more)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              strchr(more, c) != NULL)) {
            return false;
        }
    }
    return name.len > 0 && name.len <= MAX_NAME;
}

static void check_names(struct check *check, yyjson_val *object, const char *where,
                        const char *const *known)
{
    size_t i = 0;
    size_t count = 0;
    yyjson_val *name = NULL;
    yyjson_val *member = NULL;
    if (!yyjson_is_obj(object) || check->failed) {
        return;
    }
    yyjson_obj_foreach(object, i, count, name, member)
    {
        bool found = false;
        for (size_t k = 0; known[k] != NULL && !found; k++) {
            found = yyjson_equals_str(name, known[k]);
        }
        if (!found && !check->failed) {
            FAIL(check, "Malformed input request: %s: extraneous key [%s] is not permitted", where,
                 yyjson_get_str(name));
        }
    }
}

static void check_media(struct check *check, yyjson_val *media, const char *kind,
                        const char *const *formats)
{
    struct bench_str format = mock_json_str(media, "format");
    yyjson_val *source = yyjson_obj_get(media, "source");
    bool known = false;
    for (size_t i = 0; formats[i] != NULL; i++) {
        known = known || str_is(format, formats[i]);
    }
    if (!known) {
        FAIL(check,
             "Value at '%s.format' failed to satisfy constraint: Member must satisfy enum "
             "value set",
             kind);
    } else if (mock_json_str(source, "bytes").len == 0 &&
               yyjson_obj_get(source, "s3Location") == NULL &&
               yyjson_obj_get(source, "text") == NULL) {
        FAIL(check, "The %s.source needs bytes", kind);
    }
}

static void check_document(struct check *check, yyjson_val *document, yyjson_val *content)
{
    struct bench_str name = mock_json_str(document, "name");
    bool has_text = false;
    size_t i = 0;
    size_t count = 0;
    yyjson_val *block = NULL;
    yyjson_arr_foreach(content, i, count, block)
    {
        has_text = has_text || yyjson_obj_get(block, "text") != NULL;
    }
    check_media(check, document, "document",
                NAMES("pdf", "csv", "doc", "docx", "xls", "xlsx", "html", "txt", "md"));
    if (check->failed) {
        return;
    }
    if (!is_name(bench_str_cut(name, 0, MAX_NAME), " -()[]") ||
        memmem(name.ptr, name.len, "  ", 2) != NULL) {
        FAIL(check, "The document file name can only contain alphanumeric characters, whitespace "
                    "characters, hyphens, parentheses, and square brackets. The name can't contain "
                    "more than one consecutive whitespace character.");
    } else if (!has_text) {
        FAIL(check, "The messages with a document block must contain a text block.");
    }
}

static void check_tool_use(struct check *check, yyjson_val *use)
{
    check->uses_tools = true;
    if (!is_name(mock_json_str(use, "toolUseId"), "_.:-")) {
        FAIL(check,
             "Value at 'toolUse.toolUseId' failed to satisfy constraint: Member must satisfy "
             "regular expression pattern: [a-zA-Z0-9_.:-]+");
    } else if (!is_name(mock_json_str(use, "name"), "_-")) {
        FAIL(check, "Value at 'toolUse.name' failed to satisfy constraint: Member must satisfy "
                    "regular expression pattern: [a-zA-Z0-9_-]+");
    } else if (!yyjson_is_obj(yyjson_obj_get(use, "input"))) {
        FAIL(check,
             "The format of the value at toolUse.input is invalid. Provide a json object for "
             "the field and try again.");
    }
}

static void check_tool_result(struct check *check, yyjson_val *result)
{
    struct bench_str status = mock_json_str(result, "status");
    yyjson_val *content = yyjson_obj_get(result, "content");
    size_t i = 0;
    size_t count = 0;
    yyjson_val *block = NULL;
    check->uses_tools = true;
    if (!yyjson_is_arr(content)) {
        FAIL(check, "toolResult.content must be a list of blocks");
    } else if (status.ptr != NULL && !str_is(status, "success") && !str_is(status, "error")) {
        FAIL(check,
             "Value at 'toolResult.status' failed to satisfy constraint: Member must satisfy "
             "enum value set: [success, error]");
    }
    yyjson_arr_foreach(content, i, count, block)
    {
        yyjson_val *json = yyjson_obj_get(block, "json");
        if (!check->failed &&
            (yyjson_obj_size(block) != 1 || (json != NULL && !yyjson_is_obj(json)))) {
            FAIL(check, "toolResult.content: a block has one member, and json is an object");
        }
    }
}

static void check_reasoning(struct check *check, yyjson_val *reasoning)
{
    yyjson_val *text = yyjson_obj_get(reasoning, "reasoningText");
    struct bench_str redacted = mock_json_str(reasoning, "redactedContent");
    if (text != NULL && !mock_sign_check(mock_json_str(text, "signature"), BENCH_STR("bedrock"),
                                         mock_json_str(text, "text"))) {
        FAIL(check, "The signature of reasoningText is invalid: Invalid `signature` in `thinking` "
                    "block");
    } else if (text == NULL &&
               !mock_sign_check(redacted, BENCH_STR("bedrock redacted"), BENCH_STR(""))) {
        FAIL(check, "Invalid `data` in `redacted_thinking` block");
    }
}

static void check_block(struct check *check, yyjson_val *content, yyjson_val *block, bool is_user)
{
    check_names(check, block, "messages.content",
                NAMES("text", "image", "document", "video", "audio", "toolUse", "toolResult",
                      "guardContent", "cachePoint", "reasoningContent", "citationsContent",
                      "searchResult"));
    if (check->failed) {
        return;
    }
    yyjson_val *text = yyjson_obj_get(block, "text");
    yyjson_val *image = yyjson_obj_get(block, "image");
    yyjson_val *document = yyjson_obj_get(block, "document");
    yyjson_val *use = yyjson_obj_get(block, "toolUse");
    yyjson_val *result = yyjson_obj_get(block, "toolResult");
    yyjson_val *reasoning = yyjson_obj_get(block, "reasoningContent");
    check->cache_points += yyjson_obj_get(block, "cachePoint") != NULL;
    if (yyjson_obj_size(block) != 1) {
        FAIL(check, "The ContentBlock object must set exactly one member");
    } else if (text != NULL && is_blank(mock_json_str(block, "text"))) {
        FAIL(check,
             "The text field in the ContentBlock object is blank. Add text to the text field, "
             "and try again.");
    } else if ((use != NULL || reasoning != NULL) && is_user) {
        FAIL(check, "User messages cannot contain toolUse or reasoningContent blocks.");
    } else if (result != NULL && !is_user) {
        FAIL(check, "Assistant messages cannot contain toolResult blocks.");
    } else if (image != NULL) {
        check_media(check, image, "image", NAMES("png", "jpeg", "gif", "webp"));
    } else if (document != NULL) {
        check_document(check, document, content);
    } else if (use != NULL) {
        check_tool_use(check, use);
    } else if (result != NULL) {
        check_tool_result(check, result);
    } else if (reasoning != NULL) {
        check_reasoning(check, reasoning);
    }
}

/* Tells whether |content| has a block |kind| with |id|. */
static bool has_id(yyjson_val *content, const char *kind, struct bench_str id)
{
    size_t i = 0;
    size_t count = 0;
    yyjson_val *block = NULL;
    yyjson_arr_foreach(content, i, count, block)
    {
        yyjson_val *found = yyjson_obj_get(block, kind);
        if (found != NULL && bench_str_eq(mock_json_str(found, "toolUseId"), id)) {
            return true;
        }
    }
    return false;
}

/* Calls of the message before and results of this one must be the same. */
static void check_pairs(struct check *check, yyjson_val *content, size_t index)
{
    size_t i = 0;
    size_t count = 0;
    yyjson_val *block = NULL;
    yyjson_arr_foreach(check->calls, i, count, block)
    {
        struct bench_str id = mock_json_str(yyjson_obj_get(block, "toolUse"), "toolUseId");
        if (id.ptr != NULL && !check->failed && !has_id(content, "toolResult", id)) {
            FAIL(check,
                 "Expected toolResult blocks at messages.%zu.content for the following "
                 "Ids: " BENCH_STR_FMT,
                 index, BENCH_STR_ARG(id));
        }
    }
    yyjson_arr_foreach(content, i, count, block)
    {
        struct bench_str id = mock_json_str(yyjson_obj_get(block, "toolResult"), "toolUseId");
        if (id.ptr != NULL && !check->failed && !has_id(check->calls, "toolUse", id)) {
            FAIL(check,
                 "The number of toolResult blocks at messages.%zu.content exceeds the number "
                 "of toolUse blocks of previous turn.",
                 index);
        }
    }
}

static void check_message(struct check *check, yyjson_val *message, size_t index)
{
    struct bench_str role = mock_json_str(message, "role");
    yyjson_val *content = yyjson_obj_get(message, "content");
    bool is_user = str_is(role, "user");
    size_t i = 0;
    size_t count = 0;
    yyjson_val *block = NULL;
    if (!is_user && !str_is(role, "assistant")) {
        FAIL(check,
             "Value at 'messages.%zu.role' failed to satisfy constraint: Member must satisfy "
             "enum value set: [user, assistant]",
             index);
        return;
    }
    if (is_user != (index % 2 == 0)) {
        FAIL(check,
             index == 0
                 ? "A conversation must start with a user message. Try again with a "
                   "conversation that starts with a user message."
                 : "A conversation must alternate between user and assistant roles. Make sure "
                   "the conversation alternates between user and assistant roles and try "
                   "again.");
        return;
    }
    if (!yyjson_is_arr(content) || yyjson_arr_size(content) == 0) {
        FAIL(check,
             "The content field in the Message object at messages.%zu is empty. Add a "
             "ContentBlock object to the content field and try again.",
             index);
        return;
    }
    yyjson_arr_foreach(content, i, count, block)
    {
        if (!check->failed) {
            check_block(check, content, block, is_user);
        }
    }
    if (!check->failed) {
        check_pairs(check, content, index);
    }
    check->calls = is_user ? NULL : content;
}

static void check_messages(struct check *check, yyjson_val *messages)
{
    size_t i = 0;
    size_t count = 0;
    yyjson_val *message = NULL;
    if (yyjson_arr_size(messages) == 0) {
        FAIL(check, "The messages field is required.");
        return;
    }
    yyjson_arr_foreach(messages, i, count, message)
    {
        if (!check->failed) {
            check_message(check, message, i);
        }
    }
    if (!check->failed) {
        check_pairs(check, NULL, count);
    }
}

static void check_system(struct check *check, yyjson_val *system)
{
    size_t i = 0;
    size_t count = 0;
    yyjson_val *block = NULL;
    if (system != NULL && !yyjson_is_arr(system)) {
        FAIL(check, "system must be a list of blocks");
    }
    yyjson_arr_foreach(system, i, count, block)
    {
        check->cache_points += yyjson_obj_get(block, "cachePoint") != NULL;
        if (!check->failed && yyjson_obj_get(block, "text") != NULL &&
            is_blank(mock_json_str(block, "text"))) {
            FAIL(check, "The text field in the SystemContentBlock object is blank.");
        }
    }
}

static void check_tool(struct check *check, yyjson_val *tool)
{
    yyjson_val *spec = yyjson_obj_get(tool, "toolSpec");
    yyjson_val *description = yyjson_obj_get(spec, "description");
    check->cache_points += yyjson_obj_get(tool, "cachePoint") != NULL;
    if (spec == NULL) {
        check_names(check, tool, "toolConfig.tools", NAMES("systemTool", "cachePoint"));
        return;
    }
    check_names(check, spec, "toolSpec", NAMES("name", "description", "inputSchema", "strict"));
    if (check->failed) {
        return;
    }
    if (!is_name(mock_json_str(spec, "name"), "_-")) {
        FAIL(check,
             "Value at 'toolConfig.tools.toolSpec.name' failed to satisfy constraint: Member "
             "must satisfy regular expression pattern: [a-zA-Z0-9_-]+");
    } else if (description != NULL && yyjson_get_len(description) == 0) {
        FAIL(check,
             "Value at 'toolConfig.tools.toolSpec.description' failed to satisfy constraint: "
             "Member must have length greater than or equal to 1");
    } else if (!str_is(mock_json_str(yyjson_obj_get(yyjson_obj_get(spec, "inputSchema"), "json"),
                                     "type"),
                       "object")) {
        FAIL(check,
             "The value at toolConfig.tools.toolSpec.inputSchema.json.type must be one of the "
             "following: object.");
    }
}

static bool has_tool(yyjson_val *tools, struct bench_str name)
{
    size_t i = 0;
    size_t count = 0;
    yyjson_val *tool = NULL;
    yyjson_arr_foreach(tools, i, count, tool)
    {
        if (bench_str_eq(mock_json_str(yyjson_obj_get(tool, "toolSpec"), "name"), name)) {
            return true;
        }
    }
    return false;
}

static void check_tool_config(struct check *check, yyjson_val *root)
{
    yyjson_val *config = yyjson_obj_get(root, "toolConfig");
    yyjson_val *tools = yyjson_obj_get(config, "tools");
    yyjson_val *choice = yyjson_obj_get(config, "toolChoice");
    yyjson_val *named = yyjson_obj_get(choice, "tool");
    yyjson_val *fields = yyjson_obj_get(root, "additionalModelRequestFields");
    struct bench_str thinking = mock_json_str(yyjson_obj_get(fields, "thinking"), "type");
    bool thinks = str_is(thinking, "enabled") || str_is(thinking, "adaptive");
    size_t i = 0;
    size_t count = 0;
    yyjson_val *tool = NULL;
    if (config == NULL) {
        return;
    }
    check_names(check, choice, "toolConfig.toolChoice", NAMES("auto", "any", "tool"));
    yyjson_arr_foreach(tools, i, count, tool)
    {
        if (!check->failed) {
            check_tool(check, tool);
        }
    }
    if (check->failed) {
        return;
    }
    if (yyjson_arr_size(tools) == 0) {
        FAIL(check, "Value at 'toolConfig.tools' failed to satisfy constraint: Member must have "
                    "length greater than or equal to 1");
    } else if (choice != NULL && yyjson_obj_size(choice) != 1) {
        FAIL(check, "toolConfig.toolChoice must set exactly one of auto, any and tool");
    } else if (named != NULL && !has_tool(tools, mock_json_str(named, "name"))) {
        FAIL(check, "The tool named in toolConfig.toolChoice is not in toolConfig.tools.");
    } else if (thinks && (named != NULL || yyjson_obj_get(choice, "any") != NULL)) {
        FAIL(check, "Thinking may not be enabled when tool_choice forces tool use.");
    }
}

static void check_inference(struct check *check, yyjson_val *config)
{
    yyjson_val *tokens = yyjson_obj_get(config, "maxTokens");
    yyjson_val *temperature = yyjson_obj_get(config, "temperature");
    yyjson_val *top_p = yyjson_obj_get(config, "topP");
    check_names(check, config, "inferenceConfig",
                NAMES("maxTokens", "temperature", "topP", "stopSequences"));
    if (check->failed) {
        return;
    }
    if (tokens != NULL && (!yyjson_is_uint(tokens) || yyjson_get_uint(tokens) == 0)) {
        FAIL(check,
             "Value at 'inferenceConfig.maxTokens' failed to satisfy constraint: Member must "
             "have value greater than or equal to 1");
    } else if (temperature != NULL &&
               (yyjson_get_num(temperature) < 0 || yyjson_get_num(temperature) > 1)) {
        FAIL(check, "Value at 'inferenceConfig.temperature' failed to satisfy constraint: Member "
                    "must have value less than or equal to 1");
    } else if (top_p != NULL && (yyjson_get_num(top_p) < 0 || yyjson_get_num(top_p) > 1)) {
        FAIL(check,
             "Value at 'inferenceConfig.topP' failed to satisfy constraint: Member must have "
             "value less than or equal to 1");
    }
}

bool mock_bedrock_check(struct mock_exchange *exchange, yyjson_val *root)
{
    struct check check = {.exchange = exchange};
    if (root == NULL) {
        FAIL(&check, "The request body is not a JSON object.");
        return false;
    }
    check_names(&check, root, "#",
                NAMES("messages", "system", "inferenceConfig", "toolConfig", "guardrailConfig",
                      "additionalModelRequestFields", "promptVariables",
                      "additionalModelResponseFieldPaths", "requestMetadata", "performanceConfig",
                      "serviceTier", "outputConfig"));
    if (!check.failed) {
        check_system(&check, yyjson_obj_get(root, "system"));
    }
    if (!check.failed) {
        check_messages(&check, yyjson_obj_get(root, "messages"));
    }
    if (!check.failed) {
        check_tool_config(&check, root);
    }
    if (!check.failed) {
        check_inference(&check, yyjson_obj_get(root, "inferenceConfig"));
    }
    if (!check.failed && check.uses_tools && yyjson_obj_get(root, "toolConfig") == NULL) {
        FAIL(&check,
             "The toolConfig field must be defined when using toolUse and toolResult content "
             "blocks.");
    }
    if (!check.failed && check.cache_points > MAX_CACHE_POINTS) {
        FAIL(&check, "A maximum of 4 blocks with cache_control may be provided.");
    }
    return !check.failed;
}
