/* SPDX-License-Identifier: MIT */
/*
 * What Google's API refuses (providers/gemini.md sections 2 to 4). The texts are close to its own,
 * so that what a gateway makes of them can be tested.
 */
#include <string.h>

#include "mockllm/answer.h"
#include "mockllm/exchange.h"
#include "mockllm/gemini.h"
#include "mockllm/sign.h"

/* Members that are one member and its snake_case form. */
#define NAMES(...) ((const char *const[]){__VA_ARGS__, NULL})

/* What clients put where a signature was lost. */
static const char SENTINEL[] = "skip_thought_signature_validator";

struct check {
    struct mock_exchange *exchange;
    yyjson_val *calls; /* the parts of the model's content before, when it calls functions */
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

/* Returns a string member in either spelling. */
static struct bench_str get_str(yyjson_val *object, const char *name)
{
    yyjson_val *member = mock_gemini_get(object, name);
    return mock_json_text(member);
}

/* Protobuf's JSON reader knows all members, in both spellings. */
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
            found = mock_gemini_get(object, known[k]) == member;
        }
        if (!found && !check->failed) {
            FAIL(check,
                 "Invalid JSON payload received. Unknown name \"%s\"%s%s%s: Cannot find field.",
                 yyjson_get_str(name), where[0] == '\0' ? "" : " at '", where,
                 where[0] == '\0' ? "" : "'");
        }
    }
}

/* Schema: the part of OpenAPI that "parameters" and "responseSchema" take. */
static void check_schema(struct check *check, yyjson_val *schema, const char *where)
{
    size_t i = 0;
    size_t count = 0;
    yyjson_val *name = NULL;
    yyjson_val *member = NULL;
    if (!yyjson_is_obj(schema) || check->failed) {
        return;
    }
    check_names(check, schema, where,
                NAMES("type", "format", "title", "description", "nullable", "enum", "maxItems",
                      "minItems", "properties", "required", "minProperties", "maxProperties",
                      "minLength", "maxLength", "pattern", "example", "anyOf", "propertyOrdering",
                      "default", "items", "minimum", "maximum"));
    yyjson_val *properties = yyjson_obj_get(schema, "properties");
    if (!check->failed && properties != NULL && yyjson_obj_size(properties) == 0) {
        FAIL(check, "* GenerateContentRequest.%s.properties: should be non-empty for OBJECT type",
             where);
    }
    if (yyjson_is_obj(properties)) {
        yyjson_obj_foreach(properties, i, count, name, member)
        {
            check_schema(check, member, where);
        }
    }
    check_schema(check, yyjson_obj_get(schema, "items"), where);
    yyjson_val *any = mock_gemini_get(schema, "anyOf");
    yyjson_arr_foreach(any, i, count, member)
    {
        check_schema(check, member, where);
    }
}

static bool is_function_name(struct bench_str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        bool other = (c >= '0' && c <= '9') || c == '.' || c == '-' || c == ':';
        if (!letter && (i == 0 || !other)) {
            return false;
        }
    }
    return name.len > 0 && name.len <= 64;
}

static void check_declaration(struct check *check, yyjson_val *declaration)
{
    yyjson_val *parameters = mock_gemini_get(declaration, "parameters");
    yyjson_val *json = mock_gemini_get(declaration, "parametersJsonSchema");
    check_names(check, declaration, "tools[0].function_declarations[0]",
                NAMES("name", "description", "parameters", "parametersJsonSchema", "response",
                      "responseJsonSchema", "behavior"));
    if (check->failed) {
        return;
    }
    if (!is_function_name(mock_json_str(declaration, "name"))) {
        FAIL(check, "* GenerateContentRequest.tools[0].function_declarations[0].name: Invalid "
                    "function name. Must start with a letter or an underscore.");
    } else if (parameters != NULL && json != NULL) {
        FAIL(check, "* GenerateContentRequest.tools[0].function_declarations[0]: only one of "
                    "parameters and parameters_json_schema may be set");
    } else {
        check_schema(check, parameters, "tools[0].function_declarations[0].parameters");
    }
}

static yyjson_val *find_declaration(yyjson_val *root, struct bench_str name)
{
    size_t i = 0;
    size_t k = 0;
    size_t tools = 0;
    size_t count = 0;
    yyjson_val *tool = NULL;
    yyjson_val *declaration = NULL;
    yyjson_arr_foreach(yyjson_obj_get(root, "tools"), i, tools, tool)
    {
        yyjson_val *list = mock_gemini_get(tool, "functionDeclarations");
        yyjson_arr_foreach(list, k, count, declaration)
        {
            if (bench_str_eq(mock_json_str(declaration, "name"), name)) {
                return declaration;
            }
        }
    }
    return NULL;
}

static void check_tool_config(struct check *check, yyjson_val *root)
{
    yyjson_val *config =
        mock_gemini_get(mock_gemini_get(root, "toolConfig"), "functionCallingConfig");
    struct bench_str mode = mock_gemini_mode(config);
    yyjson_val *allowed = mock_gemini_get(config, "allowedFunctionNames");
    bool any = str_is(mode, "ANY") || str_is(mode, "VALIDATED");
    size_t i = 0;
    size_t count = 0;
    yyjson_val *name = NULL;
    if (mode.ptr != NULL && !any && !str_is(mode, "AUTO") && !str_is(mode, "NONE")) {
        FAIL(check,
             "Invalid value at 'tool_config.function_calling_config.mode': \"" BENCH_STR_FMT "\"",
             BENCH_STR_ARG(mode));
        return;
    }
    if (yyjson_arr_size(allowed) > 0 && !any) {
        FAIL(check,
             "Allowed function names should be set only when function calling mode is ANY or "
             "VALIDATED.");
        return;
    }
    yyjson_arr_foreach(allowed, i, count, name)
    {
        const struct bench_str one = mock_json_text(name);
        if (!check->failed && find_declaration(root, one) == NULL) {
            FAIL(check, "Allowed function name '" BENCH_STR_FMT "' is not declared.",
                 BENCH_STR_ARG(one));
        }
    }
}

static void check_tools(struct check *check, yyjson_val *root)
{
    size_t i = 0;
    size_t k = 0;
    size_t tools = 0;
    size_t count = 0;
    yyjson_val *tool = NULL;
    yyjson_val *declaration = NULL;
    yyjson_arr_foreach(yyjson_obj_get(root, "tools"), i, tools, tool)
    {
        check_names(check, tool, "tools[0]",
                    NAMES("functionDeclarations", "googleSearch", "googleSearchRetrieval",
                          "codeExecution", "urlContext", "computerUse", "fileSearch", "googleMaps",
                          "retrieval", "enterpriseWebSearch"));
        yyjson_val *list = mock_gemini_get(tool, "functionDeclarations");
        yyjson_arr_foreach(list, k, count, declaration)
        {
            if (!check->failed) {
                check_declaration(check, declaration);
            }
        }
    }
    if (!check->failed) {
        check_tool_config(check, root);
    }
}

static size_t count_parts(yyjson_val *parts, const char *kind)
{
    size_t found = 0;
    size_t i = 0;
    size_t count = 0;
    yyjson_val *part = NULL;
    yyjson_arr_foreach(parts, i, count, part)
    {
        found += mock_gemini_get(part, kind) != NULL;
    }
    return found;
}

/* The names of calls and of responses must be the same, in any order. */
static void check_responses(struct check *check, yyjson_val *parts)
{
    size_t i = 0;
    size_t count = 0;
    yyjson_val *part = NULL;
    size_t responses = count_parts(parts, "functionResponse");
    if (responses == 0 && check->calls == NULL) {
        return;
    }
    if (check->calls == NULL) {
        FAIL(check, "Please ensure that function response turn comes immediately after a function "
                    "call turn.");
        return;
    }
    if (responses != count_parts(check->calls, "functionCall")) {
        FAIL(check, "Please ensure that the number of function response parts is equal to the "
                    "number of function call parts of the function call turn.");
        return;
    }
    yyjson_arr_foreach(parts, i, count, part)
    {
        yyjson_val *response = mock_gemini_get(part, "functionResponse");
        struct bench_str name = mock_json_str(response, "name");
        bool known = response == NULL;
        size_t k = 0;
        size_t calls = 0;
        yyjson_val *call = NULL;
        yyjson_arr_foreach(check->calls, k, calls, call)
        {
            known =
                known ||
                bench_str_eq(mock_json_str(mock_gemini_get(call, "functionCall"), "name"), name);
        }
        if (!known && !check->failed) {
            FAIL(check, "Function response '" BENCH_STR_FMT "' has no function call of that name.",
                 BENCH_STR_ARG(name));
        }
    }
}

static void check_part(struct check *check, yyjson_val *part, size_t content)
{
    static const char *const kinds[] = {
        "text",           "inlineData",         "fileData", "functionCall", "functionResponse",
        "executableCode", "codeExecutionResult"};
    size_t data = 0;
    check_names(check, part, "contents[0].parts[0]",
                NAMES("text", "inlineData", "fileData", "functionCall", "functionResponse",
                      "executableCode", "codeExecutionResult", "thought", "thoughtSignature",
                      "videoMetadata", "mediaResolution", "partMetadata"));
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        data += mock_gemini_get(part, kinds[i]) != NULL;
    }
    yyjson_val *call = mock_gemini_get(part, "functionCall");
    yyjson_val *response = mock_gemini_get(part, "functionResponse");
    yyjson_val *blob = mock_gemini_get(part, "inlineData");
    yyjson_val *args = yyjson_obj_get(call, "args");
    if (check->failed) {
        return;
    }
    if (data != 1) {
        FAIL(check,
             "* GenerateContentRequest.contents[%zu].parts[0].data: required oneof field "
             "'data' must have one initialized field",
             content);
    } else if (call != NULL &&
               (mock_json_str(call, "name").len == 0 || (args != NULL && !yyjson_is_obj(args)))) {
        FAIL(check,
             "* GenerateContentRequest.contents[%zu].parts[0].function_call: Name cannot be "
             "empty and args must be an object.",
             content);
    } else if (response != NULL && (mock_json_str(response, "name").len == 0 ||
                                    !yyjson_is_obj(yyjson_obj_get(response, "response")))) {
        FAIL(check,
             "* GenerateContentRequest.contents[%zu].parts[0].function_response: Name cannot "
             "be empty and response must be an object.",
             content);
    } else if (blob != NULL &&
               (get_str(blob, "mimeType").len == 0 || get_str(blob, "data").len == 0)) {
        FAIL(check,
             "* GenerateContentRequest.contents[%zu].parts[0].inline_data: mime_type and data "
             "are required",
             content);
    }
}

/* From Gemini 3 on the first call of each step of this turn must bring its signature. */
static void check_signature(struct check *check, yyjson_val *parts, size_t content)
{
    size_t i = 0;
    size_t count = 0;
    yyjson_val *part = NULL;
    yyjson_arr_foreach(parts, i, count, part)
    {
        yyjson_val *call = mock_gemini_get(part, "functionCall");
        if (call == NULL) {
            continue;
        }
        struct bench_str name = mock_json_str(call, "name");
        struct bench_str signature = get_str(part, "thoughtSignature");
        if (signature.len == 0) {
            FAIL(check,
                 "Function call is missing a thought_signature in functionCall parts. This "
                 "is required for tools to work correctly, and missing thought_signature may "
                 "lead to degraded model performance. Additional data, function call "
                 "`default_api:" BENCH_STR_FMT "`, position %zu.",
                 BENCH_STR_ARG(name), content);
        } else if (!str_is(signature, SENTINEL) &&
                   !mock_sign_check_bytes(signature, BENCH_STR("gemini"), name)) {
            FAIL(check, "Corrupted thought signature.");
        }
        return;
    }
}

static void check_content(struct check *check, yyjson_val *content, size_t index, bool this_turn)
{
    struct bench_str role = mock_json_str(content, "role");
    yyjson_val *parts = yyjson_obj_get(content, "parts");
    bool is_model = str_is(role, "model");
    size_t i = 0;
    size_t count = 0;
    yyjson_val *part = NULL;
    if (role.ptr != NULL && !is_model && !str_is(role, "user") && !str_is(role, "function")) {
        FAIL(check, "Please use a valid role: user, model.");
        return;
    }
    if (yyjson_arr_size(parts) == 0) {
        FAIL(check,
             "* GenerateContentRequest.contents[%zu].parts: contents.parts must not be empty.",
             index);
        return;
    }
    yyjson_arr_foreach(parts, i, count, part)
    {
        if (!check->failed) {
            check_part(check, part, index);
        }
    }
    if (!check->failed) {
        check_responses(check, parts);
    }
    bool calls = count_parts(parts, "functionCall") > 0;
    if (!check->failed && calls && (!is_model || index == 0)) {
        FAIL(check, "Please ensure that function call turn comes immediately after a user turn or "
                    "after a function response turn.");
    }
    if (!check->failed && calls && this_turn && mock_gemini_is(check->exchange, 3)) {
        check_signature(check, parts, index);
    }
    check->calls = calls ? parts : NULL;
}

/* The index of the last content in which the user speaks: there the current turn begins. */
static size_t turn_begins(yyjson_val *contents)
{
    for (size_t i = yyjson_arr_size(contents); i > 0; i--) {
        yyjson_val *content = yyjson_arr_get(contents, i - 1);
        if (!str_is(mock_json_str(content, "role"), "model") &&
            count_parts(yyjson_obj_get(content, "parts"), "text") > 0) {
            return i - 1;
        }
    }
    return 0;
}

static void check_contents(struct check *check, yyjson_val *contents)
{
    size_t i = 0;
    size_t count = 0;
    yyjson_val *content = NULL;
    if (yyjson_arr_size(contents) == 0) {
        FAIL(check, "* GenerateContentRequest.contents: contents is not specified");
        return;
    }
    size_t begin = turn_begins(contents);
    yyjson_arr_foreach(contents, i, count, content)
    {
        if (!check->failed) {
            check_content(check, content, i, i >= begin);
        }
    }
    yyjson_val *last = yyjson_arr_get_last(contents);
    if (!check->failed && check->calls != NULL) {
        FAIL(check, "Please ensure that the number of function response parts is equal to the "
                    "number of function call parts of the function call turn.");
    } else if (!check->failed && mock_gemini_is(check->exchange, 4) &&
               str_is(mock_json_str(last, "role"), "model")) {
        FAIL(check, "The last content must be of role user.");
    }
}

static void check_thinking(struct check *check, yyjson_val *thinking)
{
    yyjson_val *budget = mock_gemini_get(thinking, "thinkingBudget");
    struct bench_str level = get_str(thinking, "thinkingLevel");
    check_names(check, thinking, "generation_config.thinking_config",
                NAMES("includeThoughts", "thinkingBudget", "thinkingLevel"));
    if (check->failed) {
        return;
    }
    if (budget != NULL && level.ptr != NULL) {
        FAIL(check, "You can only set only one of thinking budget and thinking level.");
    } else if (budget != NULL && mock_gemini_is(check->exchange, 4)) {
        FAIL(check, "thinking_budget is not supported for this model.");
    } else if (level.ptr != NULL && !mock_gemini_is(check->exchange, 3) &&
               memmem(check->exchange->model.ptr, check->exchange->model.len, "gemini-", 7) !=
                   NULL) {
        FAIL(check, "Thinking level is not supported for this model.");
    } else if (level.len == 7 && (level.ptr[0] | 32) == 'm' && mock_gemini_is(check->exchange, 4)) {
        FAIL(check, "Thinking level MINIMAL is not supported for this model.");
    }
}

static void check_format(struct check *check, yyjson_val *root, yyjson_val *config)
{
    yyjson_val *schema = mock_gemini_get(config, "responseSchema");
    yyjson_val *json = mock_gemini_get(config, "responseJsonSchema");
    struct bench_str type = get_str(config, "responseMimeType");
    bool is_json = str_is(type, "application/json");
    check_schema(check, schema, "generation_config.response_schema");
    if (check->failed) {
        return;
    }
    if ((schema != NULL || json != NULL) && !is_json && !str_is(type, "text/x.enum")) {
        FAIL(check, "* GenerateContentRequest.generation_config.response_schema: only allowed for "
                    "response_mime_type application/json.");
    } else if (schema != NULL && json != NULL) {
        FAIL(check, "Only one of response_schema and response_json_schema may be set.");
    } else if (is_json && yyjson_arr_size(yyjson_obj_get(root, "tools")) > 0 &&
               mock_gemini_is(check->exchange, 1) && !mock_gemini_is(check->exchange, 3)) {
        FAIL(check,
             "Function calling with a response mime type: 'application/json' is unsupported");
    }
}

static void check_numbers(struct check *check, yyjson_val *config)
{
    yyjson_val *temperature = yyjson_obj_get(config, "temperature");
    yyjson_val *tokens = mock_gemini_get(config, "maxOutputTokens");
    yyjson_val *candidates = mock_gemini_get(config, "candidateCount");
    bool penalties = mock_gemini_get(config, "presencePenalty") != NULL ||
                     mock_gemini_get(config, "frequencyPenalty") != NULL;
    if (temperature != NULL &&
        (yyjson_get_num(temperature) < 0 || yyjson_get_num(temperature) > 2)) {
        FAIL(check,
             "* GenerateContentRequest.generation_config.temperature: temperature must be in "
             "the range [0.0, 2.0].");
    } else if (tokens != NULL && (!yyjson_is_uint(tokens) || yyjson_get_uint(tokens) == 0)) {
        FAIL(check, "* GenerateContentRequest.generation_config.max_output_tokens: "
                    "max_output_tokens must be positive.");
    } else if (candidates != NULL && (yyjson_get_uint(candidates) < 1 ||
                                      yyjson_get_uint(candidates) > GEMINI_MAX_CANDIDATES)) {
        FAIL(check, "* GenerateContentRequest.generation_config.candidate_count: must be from 1 to "
                    "8.");
    } else if (yyjson_get_uint(candidates) > 1 && mock_gemini_is(check->exchange, 3)) {
        FAIL(check, "Multiple candidates is not enabled for this model");
    } else if (penalties && mock_gemini_is(check->exchange, 4)) {
        FAIL(check, "Penalty is not enabled for this model");
    } else if (yyjson_arr_size(mock_gemini_get(config, "stopSequences")) > 5) {
        FAIL(check, "The number of stop_sequences must be at most 5.");
    }
}

static void check_config(struct check *check, yyjson_val *root)
{
    yyjson_val *config = mock_gemini_get(root, "generationConfig");
    check_names(check, config, "generation_config",
                NAMES("candidateCount", "stopSequences", "maxOutputTokens", "temperature", "topP",
                      "topK", "seed", "responseMimeType", "responseSchema", "responseJsonSchema",
                      "presencePenalty", "frequencyPenalty", "responseLogprobs", "logprobs",
                      "enableEnhancedCivicAnswers", "responseModalities", "speechConfig",
                      "thinkingConfig", "imageConfig", "mediaResolution", "audioTimestamp",
                      "routingConfig"));
    if (!check->failed) {
        check_numbers(check, config);
    }
    if (!check->failed) {
        check_thinking(check, mock_gemini_get(config, "thinkingConfig"));
    }
    if (!check->failed) {
        check_format(check, root, config);
    }
}

bool mock_gemini_check(struct mock_exchange *exchange, yyjson_val *root)
{
    struct check check = {.exchange = exchange};
    bool is_vertex = exchange->vendor == MOCK_VENDOR_VERTEX;
    if (root == NULL) {
        FAIL(&check, "Invalid JSON payload received. Unexpected end of string.");
        return false;
    }
    check_names(&check, root, "",
                is_vertex ? NAMES("model", "contents", "systemInstruction", "tools", "toolConfig",
                                  "safetySettings", "generationConfig", "cachedContent", "labels",
                                  "modelArmorConfig")
                          : NAMES("model", "contents", "systemInstruction", "tools", "toolConfig",
                                  "safetySettings", "generationConfig", "cachedContent",
                                  "serviceTier", "store"));
    if (!check.failed) {
        check_tools(&check, root);
    }
    if (!check.failed) {
        check_config(&check, root);
    }
    yyjson_val *system = mock_gemini_get(root, "systemInstruction");
    if (!check.failed && system != NULL && yyjson_arr_size(yyjson_obj_get(system, "parts")) == 0) {
        FAIL(&check, "* GenerateContentRequest.system_instruction.parts: must not be empty.");
    }
    if (!check.failed) {
        check_contents(&check, yyjson_obj_get(root, "contents"));
    }
    return !check.failed;
}
