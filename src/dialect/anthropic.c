/* SPDX-License-Identifier: MIT */
/* dialect/anthropic - the table of Anthropic's Messages dialect, and the envelope of its requests:
 * one scan of the body, one table of the members we act on. */
#include "dialect/anthropic_int.h"

#include "llm/catalog.h"
#include "json/scan.h"

#define TYPE(a) (1u << GW_JSON_##a)

enum member {
    MEMBER_MODEL,
    MEMBER_MESSAGES,
    MEMBER_MAX_TOKENS,
    MEMBER_STREAM,
    MEMBER_THINKING,
    MEMBER_COUNT,
};

static const struct {
    struct gw_str key;
    unsigned types; /* bit per enum gw_json_type that is allowed */
    const char *expected;
} rules[MEMBER_COUNT] = {
    [MEMBER_MODEL] = {GW_STR_INIT("model"), TYPE(STRING), "a string"},
    [MEMBER_MESSAGES] = {GW_STR_INIT("messages"), TYPE(ARRAY), "an array"},
    [MEMBER_MAX_TOKENS] = {GW_STR_INIT("max_tokens"), TYPE(NUMBER) | TYPE(NULL), "an integer"},
    [MEMBER_STREAM] = {GW_STR_INIT("stream"), TYPE(BOOL) | TYPE(NULL), "a boolean"},
    [MEMBER_THINKING] = {GW_STR_INIT("thinking"), TYPE(OBJECT) | TYPE(NULL), "an object"},
};

struct decoding {
    struct gw_arena *arena;
    struct gw_error *error;
    struct gw_str values[MEMBER_COUNT]; /* as written; ptr NULL when absent */
};

static enum gw_err refuse(struct gw_error *error, struct gw_str param, struct gw_str message)
{
    *error = (struct gw_error){.class = GW_ERROR_CLIENT,
                               .status = 400,
                               .code = GW_STR("invalid_request_error"),
                               .param = param,
                               .message = message};
    return GW_ERR_INVALID;
}

static enum gw_err on_member(void *user, const struct gw_json_member *found)
{
    struct decoding *d = user;
    unsigned id = 0;
    while (id < MEMBER_COUNT && !gw_json_key_is(found, rules[id].key)) {
        id++;
    }
    if (id == MEMBER_COUNT) {
        return GW_OK;
    }
    struct gw_str key = rules[id].key;
    if (d->values[id].ptr != NULL) {
        return refuse(d->error, key,
                      gw_arena_printf(d->arena,
                                      GW_STR_FMT ": stands twice in the request body; send it once",
                                      GW_STR_ARG(key)));
    }
    if ((rules[id].types & (1u << found->type)) == 0) {
        return refuse(d->error, key,
                      gw_arena_printf(d->arena, GW_STR_FMT ": Input should be %s", GW_STR_ARG(key),
                                      rules[id].expected));
    }
    d->values[id] = found->value;
    return GW_OK;
}

static enum gw_err decode_model(struct decoding *d, struct gw_llm_request *request)
{
    struct gw_str value = d->values[MEMBER_MODEL];
    if (value.ptr == NULL) {
        return GW_OK;
    }
    char *name = gw_arena_try_alloc(d->arena, value.len);
    size_t len = 0;
    if (value.len > GW_MODEL_NAME_MAX || name == NULL ||
        gw_json_decode_string(value, name, value.len, &len) != GW_OK) {
        return refuse(d->error, GW_STR("model"),
                      gw_arena_printf(d->arena, "model: must be a name of at most %d bytes",
                                      GW_MODEL_NAME_MAX));
    }
    request->model = gw_str(name, len);
    request->model_value = value;
    return GW_OK;
}

static bool has_text(struct gw_str object, struct gw_str path, struct gw_str quoted)
{
    struct gw_json_member member = {0};
    return gw_json_find(object, path, &member) && gw_str_eq(member.value, quoted);
}

static void decode_rest(struct decoding *d, struct gw_llm_request *request)
{
    struct gw_str stream = d->values[MEMBER_STREAM];
    struct gw_str tokens = d->values[MEMBER_MAX_TOKENS];
    struct gw_str thinking = d->values[MEMBER_THINKING];
    uint64_t value = 0;
    request->is_stream = request->task == GW_TASK_CHAT && gw_str_eq(stream, GW_STR("true"));
    if (tokens.ptr != NULL && gw_json_decode_u64(tokens, &value) == GW_OK) {
        request->max_output_tokens = value;
    }
    if (thinking.ptr != NULL) {
        request->hides_reasoning = has_text(thinking, GW_STR("type"), GW_STR("\"disabled\"")) ||
                                   has_text(thinking, GW_STR("display"), GW_STR("\"omitted\""));
    }
}

static enum gw_err refuse_syntax(struct decoding *d, struct gw_str body, enum gw_err err,
                                 const struct gw_json_error *at)
{
    if (gw_str_trim(body).len == 0) {
        return refuse(d->error, GW_STR(""),
                      GW_STR("The request body is empty; expected a JSON object."));
    }
    if (err == GW_ERR_TOO_DEEP) {
        return refuse(d->error, GW_STR(""),
                      gw_arena_printf(d->arena,
                                      "The request body nests more than %d levels at byte %zu.",
                                      GW_JSON_MAX_DEPTH, at->offset));
    }
    return refuse(
        d->error, GW_STR(""),
        gw_arena_printf(d->arena,
                        "The request body is not valid JSON: %s at byte %zu (line %u, column %u).",
                        at->what, at->offset, at->line, at->column));
}

static enum gw_err decode(const struct gw_inbound *in, enum gw_task task, struct gw_arena *arena,
                          struct gw_llm_request *request, struct gw_error *error)
{
    struct decoding d = {.arena = arena, .error = error};
    struct gw_json_error at = {0};
    enum gw_json_type type = GW_JSON_NULL;
    *request =
        (struct gw_llm_request){.dialect = GW_DIALECT_ANTHROPIC, .task = task, .wants_usage = true};
    *error = (struct gw_error){0};
    enum gw_err err = gw_json_scan(in->body, on_member, &d, &type, &at);
    if (err != GW_OK) {
        return error->status != 0 ? GW_ERR_INVALID : refuse_syntax(&d, in->body, err, &at);
    }
    if (type != GW_JSON_OBJECT) {
        return refuse(error, GW_STR(""), GW_STR("The request body must be a JSON object."));
    }
    decode_rest(&d, request);
    return decode_model(&d, request);
}

static void write_token_count(uint64_t input_tokens, struct gw_buf *out)
{
    (void)gw_buf_append(out, GW_STR("{\"input_tokens\":"));
    (void)gw_buf_append_u64(out, input_tokens);
    (void)gw_buf_append_byte(out, '}');
}

const struct gw_dialect gw_dialect_anthropic = {
    .id = GW_DIALECT_ANTHROPIC,
    .name = GW_STR_INIT("anthropic"),
    .decode = decode,
    .to_chat = gw_messages_to_chat,
    .stream_type = GW_STR_INIT("text/event-stream; charset=utf-8"),
    .encoder_create = gw_messages_encoder_create,
    .encode = gw_messages_encode,
    .encoder_destroy = gw_messages_encoder_destroy,
    .write_answer = gw_messages_write_answer,
    .write_token_count = write_token_count,
    .write_error = gw_messages_write_error,
    .write_error_event = gw_messages_write_error_event,
    .error_status = gw_messages_error_status,
};
