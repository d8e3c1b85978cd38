/* SPDX-License-Identifier: MIT */
/* dialect/openai - one scan of the body, one table of the members we act on. */
#include "dialect/openai.h"

#include "llm/catalog.h"
#include "json/scan.h"

#define TYPES(a)         (1u << GW_JSON_##a)
#define TYPES_OR_NULL(a) (TYPES(a) | TYPES(NULL))
#define TYPES_ANY        (~0u)

/* Theirs have some 60 bytes, ours fewer. */
#define RESPONSE_ID_MAX 256

enum member {
    MEMBER_MODEL,
    MEMBER_STREAM,
    MEMBER_STREAM_OPTIONS,
    MEMBER_MESSAGES,
    MEMBER_INPUT,
    MEMBER_MAX_TOKENS,
    MEMBER_MAX_COMPLETION_TOKENS,
    MEMBER_MAX_OUTPUT_TOKENS,
    MEMBER_TOOLS,
    MEMBER_TEMPERATURE,
    MEMBER_REASONING_EFFORT,
    MEMBER_PREVIOUS_RESPONSE_ID,
    MEMBER_STORE,
    MEMBER_BACKGROUND,
    MEMBER_USER,
    MEMBER_FALLBACKS,
    MEMBER_COUNT,
};

struct rule {
    struct gw_str key;
    unsigned types;       /* bit per enum gw_json_type that is allowed */
    const char *expected; /* for the message */
};

/* Only members whose type every OpenAI-compatible provider agrees on; what else is wrong the
 * provider tells better. */
static const struct rule rules[MEMBER_COUNT] = {
    [MEMBER_MODEL] = {GW_STR_INIT("model"), TYPES_OR_NULL(STRING), "a string"},
    [MEMBER_STREAM] = {GW_STR_INIT("stream"), TYPES_OR_NULL(BOOL), "a boolean"},
    [MEMBER_STREAM_OPTIONS] = {GW_STR_INIT("stream_options"), TYPES_OR_NULL(OBJECT), "an object"},
    [MEMBER_MESSAGES] = {GW_STR_INIT("messages"), TYPES(ARRAY), "an array"},
    [MEMBER_INPUT] = {GW_STR_INIT("input"), TYPES_ANY, ""},
    [MEMBER_MAX_TOKENS] = {GW_STR_INIT("max_tokens"), TYPES_OR_NULL(NUMBER), "an integer"},
    [MEMBER_MAX_COMPLETION_TOKENS] = {GW_STR_INIT("max_completion_tokens"), TYPES_OR_NULL(NUMBER),
                                      "an integer"},
    [MEMBER_MAX_OUTPUT_TOKENS] = {GW_STR_INIT("max_output_tokens"), TYPES_OR_NULL(NUMBER),
                                  "an integer"},
    [MEMBER_TOOLS] = {GW_STR_INIT("tools"), TYPES_OR_NULL(ARRAY), "an array"},
    [MEMBER_TEMPERATURE] = {GW_STR_INIT("temperature"), TYPES_OR_NULL(NUMBER), "a number"},
    [MEMBER_REASONING_EFFORT] = {GW_STR_INIT("reasoning_effort"), TYPES_ANY, ""},
    [MEMBER_PREVIOUS_RESPONSE_ID] = {GW_STR_INIT("previous_response_id"), TYPES_OR_NULL(STRING),
                                     "a string"},
    [MEMBER_STORE] = {GW_STR_INIT("store"), TYPES_OR_NULL(BOOL), "a boolean"},
    [MEMBER_BACKGROUND] = {GW_STR_INIT("background"), TYPES_OR_NULL(BOOL), "a boolean"},
    [MEMBER_USER] = {GW_STR_INIT("user"), TYPES_ANY, ""},
    [MEMBER_FALLBACKS] = {GW_STR_INIT("fallbacks"), TYPES_OR_NULL(ARRAY), "an array"},
};

struct decoding {
    struct gw_arena *arena;
    struct gw_llm_request *request;
    struct gw_error *error;
    struct gw_str values[MEMBER_COUNT]; /* as written; ptr NULL when absent */
    enum gw_json_type types[MEMBER_COUNT];
};

static enum gw_err refuse(struct gw_error *error, struct gw_str param, struct gw_str code,
                          struct gw_str message)
{
    *error = (struct gw_error){
        .class = GW_ERROR_CLIENT, .status = 400, .code = code, .param = param, .message = message};
    return GW_ERR_INVALID;
}

static const char *type_text(enum gw_json_type type)
{
    switch (type) {
    case GW_JSON_NULL:
        return "null";
    case GW_JSON_BOOL:
        return "a boolean";
    case GW_JSON_NUMBER:
        return "a number";
    case GW_JSON_STRING:
        return "a string";
    case GW_JSON_ARRAY:
        return "an array";
    case GW_JSON_OBJECT:
        return "an object";
    }
    return "something else";
}

/* The member that is named, also with escapes ("mod\u0065l"), which providers decode too; or
 * MEMBER_COUNT. */
static enum member find_member(const struct gw_json_member *found)
{
    for (unsigned i = 0; i < MEMBER_COUNT; i++) {
        if (gw_json_key_is(found, rules[i].key)) {
            return (enum member)i;
        }
    }
    return MEMBER_COUNT;
}

static enum gw_err on_member(void *user, const struct gw_json_member *found)
{
    struct decoding *d = user;
    enum member id = find_member(found);
    if (id == MEMBER_COUNT) {
        return GW_OK;
    }
    const struct rule *rule = &rules[id];
    if (d->values[id].ptr != NULL) {
        return refuse(d->error, rule->key, GW_STR("duplicate_parameter"),
                      gw_arena_printf(d->arena,
                                      "'" GW_STR_FMT
                                      "' stands twice in the request body; send it once.",
                                      GW_STR_ARG(rule->key)));
    }
    if ((rule->types & (1u << found->type)) == 0) {
        return refuse(
            d->error, rule->key, GW_STR("invalid_type"),
            gw_arena_printf(d->arena,
                            "Invalid type for '" GW_STR_FMT "': expected %s, but got %s instead.",
                            GW_STR_ARG(rule->key), rule->expected, type_text(found->type)));
    }
    d->values[id] = found->value;
    d->types[id] = found->type;
    return GW_OK;
}

static enum gw_err decode_model(struct decoding *d)
{
    struct gw_str value = d->values[MEMBER_MODEL];
    if (value.ptr == NULL || d->types[MEMBER_MODEL] != GW_JSON_STRING) {
        d->request->model_value = value; /* null */
        return GW_OK;
    }
    char *name = gw_arena_try_alloc(d->arena, value.len);
    size_t len = 0;
    if (value.len > GW_MODEL_NAME_MAX || name == NULL ||
        gw_json_decode_string(value, name, value.len, &len) != GW_OK) {
        return refuse(d->error, GW_STR("model"), GW_STR("invalid_value"),
                      gw_arena_printf(d->arena, "'model' must be a name of at most %d bytes.",
                                      GW_MODEL_NAME_MAX));
    }
    d->request->model = gw_str(name, len);
    d->request->model_value = value;
    return GW_OK;
}

static enum gw_err on_stream_option(void *user, const struct gw_json_member *found)
{
    struct decoding *d = user;
    if (!gw_json_key_is(found, GW_STR("include_usage"))) {
        return GW_OK;
    }
    if (d->request->include_usage.ptr != NULL ||
        (found->type != GW_JSON_BOOL && found->type != GW_JSON_NULL)) {
        return refuse(d->error, GW_STR("stream_options.include_usage"), GW_STR("invalid_type"),
                      GW_STR("'stream_options.include_usage' must be one boolean."));
    }
    d->request->include_usage = found->value;
    d->request->wants_usage = gw_str_eq(found->value, GW_STR("true"));
    return GW_OK;
}

static enum gw_err decode_stream(struct decoding *d)
{
    d->request->is_stream =
        d->values[MEMBER_STREAM].ptr != NULL && gw_str_eq(d->values[MEMBER_STREAM], GW_STR("true"));
    struct gw_str options = d->values[MEMBER_STREAM_OPTIONS];
    d->request->stream_options = options;
    if (options.ptr == NULL || d->types[MEMBER_STREAM_OPTIONS] != GW_JSON_OBJECT) {
        return GW_OK;
    }
    enum gw_json_type type = GW_JSON_NULL;
    return gw_json_scan(options, on_stream_option, d, &type, NULL);
}

static void decode_max_tokens(struct decoding *d)
{
    static const enum member names[] = {MEMBER_MAX_COMPLETION_TOKENS, MEMBER_MAX_TOKENS,
                                        MEMBER_MAX_OUTPUT_TOKENS};
    for (size_t i = 0; i < GW_ARRAY_LEN(names); i++) {
        uint64_t value = 0;
        if (d->values[names[i]].ptr != NULL &&
            gw_json_decode_u64(d->values[names[i]], &value) == GW_OK) {
            d->request->max_output_tokens = value;
            return;
        }
    }
}

static void decode_plain(struct decoding *d)
{
    struct gw_str tools = d->values[MEMBER_TOOLS];
    bool is_array = tools.ptr != NULL && d->types[MEMBER_TOOLS] == GW_JSON_ARRAY;
    d->request->has_tools = is_array && gw_str_trim(gw_str(tools.ptr + 1, tools.len - 2)).len > 0;
    d->request->reasoning_effort = d->values[MEMBER_REASONING_EFFORT];
    d->request->user = d->values[MEMBER_USER];
    d->request->fallbacks = d->values[MEMBER_FALLBACKS];
}

/* What only Responses has. */
static enum gw_err decode_state(struct decoding *d)
{
    struct gw_str value = d->values[MEMBER_PREVIOUS_RESPONSE_ID];
    d->request->is_stored =
        d->values[MEMBER_STORE].ptr == NULL || !gw_str_eq(d->values[MEMBER_STORE], GW_STR("false"));
    d->request->is_background = d->values[MEMBER_BACKGROUND].ptr != NULL &&
                                gw_str_eq(d->values[MEMBER_BACKGROUND], GW_STR("true"));
    if (value.ptr == NULL || d->types[MEMBER_PREVIOUS_RESPONSE_ID] != GW_JSON_STRING) {
        return GW_OK;
    }
    char *id = value.len <= RESPONSE_ID_MAX ? gw_arena_try_alloc(d->arena, value.len) : NULL;
    size_t len = 0;
    if (id == NULL || gw_json_decode_string(value, id, value.len, &len) != GW_OK) {
        return refuse(d->error, GW_STR("previous_response_id"), GW_STR("invalid_value"),
                      gw_arena_printf(d->arena,
                                      "'previous_response_id' must be an id of at most %d bytes.",
                                      RESPONSE_ID_MAX));
    }
    d->request->previous_response_id = gw_str(id, len);
    return GW_OK;
}

static enum gw_err refuse_syntax(struct decoding *d, struct gw_str body, enum gw_err err,
                                 const struct gw_json_error *at)
{
    if (gw_str_trim(body).len == 0) {
        return refuse(d->error, GW_STR(""), GW_STR(""),
                      GW_STR("The request body is empty; expected a JSON object."));
    }
    if (err == GW_ERR_TOO_DEEP) {
        return refuse(
            d->error, GW_STR(""), GW_STR("nesting_too_deep"),
            gw_arena_printf(
                d->arena,
                "The request body nests more than %d levels at byte %zu (line %u, column %u).",
                GW_JSON_MAX_DEPTH, at->offset, at->line, at->column));
    }
    return refuse(
        d->error, GW_STR(""), GW_STR("invalid_json"),
        gw_arena_printf(d->arena,
                        "The request body is not valid JSON: %s at byte %zu (line %u, column %u).",
                        at->what, at->offset, at->line, at->column));
}

enum gw_err gw_openai_decode(struct gw_str body, enum gw_task task, struct gw_arena *arena,
                             struct gw_llm_request *request, struct gw_error *error)
{
    struct decoding d = {.arena = arena, .request = request, .error = error};
    struct gw_json_error at = {0};
    enum gw_json_type type = GW_JSON_NULL;
    *request = (struct gw_llm_request){.task = task};
    *error = (struct gw_error){0};
    enum gw_err err = gw_json_scan(body, on_member, &d, &type, &at);
    if (err != GW_OK) {
        return error->status != 0 ? GW_ERR_INVALID : refuse_syntax(&d, body, err, &at);
    }
    if (type != GW_JSON_OBJECT) {
        return refuse(error, GW_STR(""), GW_STR("invalid_type"),
                      gw_arena_printf(arena,
                                      "The request body must be a JSON object, but it is %s.",
                                      type_text(type)));
    }
    err = decode_model(&d);
    if (err == GW_OK) {
        err = decode_stream(&d);
    }
    decode_max_tokens(&d);
    decode_plain(&d);
    if (task == GW_TASK_CHAT && d.values[MEMBER_INPUT].ptr != NULL &&
        d.values[MEMBER_MESSAGES].ptr == NULL) {
        request->task = GW_TASK_RESPONSE;
    }
    if (err == GW_OK && request->task == GW_TASK_RESPONSE) {
        err = decode_state(&d);
    }
    return err;
}

static struct gw_str error_type(const struct gw_error *error)
{
    switch (error->status) {
    case 401:
        return GW_STR("authentication_error");
    case 403:
        return GW_STR("permission_error");
    case 429:
        return GW_STR("rate_limit_error");
    default:
        return error->status >= 500 ? GW_STR("server_error") : GW_STR("invalid_request_error");
    }
}

/* ,"name":"text", or ,"name":null when |text| is empty */
static void write_optional(struct gw_buf *out, struct gw_str name, struct gw_str text)
{
    (void)gw_buf_append(out, GW_STR(",\""));
    (void)gw_buf_append(out, name);
    if (text.len == 0) {
        (void)gw_buf_append(out, GW_STR("\":null"));
        return;
    }
    (void)gw_buf_append(out, GW_STR("\":\""));
    (void)gw_buf_append_json(out, text);
    (void)gw_buf_append(out, GW_STR("\""));
}

void gw_openai_write_error(const struct gw_error *error, struct gw_buf *out)
{
    (void)gw_buf_append(out, GW_STR("{\"error\":{\"message\":\""));
    (void)gw_buf_append_json(out, error->message);
    (void)gw_buf_append(out, GW_STR("\""));
    write_optional(out, GW_STR("type"), error_type(error));
    write_optional(out, GW_STR("param"), error->param);
    write_optional(out, GW_STR("code"), error->code);
    (void)gw_buf_append(out, GW_STR("}}"));
}

void gw_openai_write_error_event(const struct gw_error *error, struct gw_buf *out)
{
    (void)gw_buf_append(out, GW_STR("data: "));
    gw_openai_write_error(error, out);
    (void)gw_buf_append(out, GW_STR("\n\n"));
}
