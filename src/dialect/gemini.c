/* SPDX-License-Identifier: MIT */
/* dialect/gemini - the table of Gemini's dialect, the envelope of its requests, and its errors
 * (inbound.md B1, B3). */
#include "dialect/gemini_int.h"
#include "http/url.h"
#include "llm/catalog.h"
#include "json/scan.h"
#include "json/write.h"

/* ---- the envelope ---- */

static enum gw_err refuse(struct gw_error *error, unsigned status, struct gw_str code,
                          struct gw_str message)
{
    *error = (struct gw_error){
        .class = GW_ERROR_CLIENT, .status = status, .code = code, .message = message};
    return GW_ERR_INVALID;
}

/* ".../models/{model}:{method}", on Vertex behind ".../publishers/google"; a model's name may hold
 * '/' itself. */
static bool split_path(struct gw_str path, struct gw_str *model, struct gw_str *method)
{
    const struct gw_str publishers = GW_STR("/publishers/");
    const struct gw_str models = GW_STR("/models/");
    size_t at = gw_str_find(path, publishers);
    if (at < path.len) {
        path = gw_str_skip(path, at + publishers.len);
    }
    at = gw_str_find(path, models);
    if (at == path.len) {
        return false;
    }
    path = gw_str_skip(path, at + models.len);
    size_t colon = path.len;
    while (colon > 0 && path.ptr[colon - 1] != ':') {
        colon--;
    }
    if (colon < 2) {
        return false;
    }
    *model = gw_str(path.ptr, colon - 1);
    *method = gw_str_skip(path, colon);
    return true;
}

static const struct {
    struct gw_str name;
    enum gw_task task;
    bool is_stream;
    bool is_batch;
} methods[] = {
    {GW_STR_INIT("generateContent"), GW_TASK_CHAT, false, false},
    {GW_STR_INIT("streamGenerateContent"), GW_TASK_CHAT, true, false},
    {GW_STR_INIT("countTokens"), GW_TASK_TOKEN_COUNT, false, false},
    {GW_STR_INIT("embedContent"), GW_TASK_EMBEDDING, false, false},
    {GW_STR_INIT("batchEmbedContents"), GW_TASK_EMBEDDING, false, true},
};

static enum gw_err read_path(const struct gw_inbound *in, struct gw_arena *arena,
                             struct gw_llm_request *request, struct gw_error *error)
{
    struct gw_str model;
    struct gw_str method;
    struct gw_str alt = gw_str(NULL, 0);
    if (!split_path(in->path, &model, &method)) {
        return refuse(error, 404, GW_STR(""),
                      GW_STR("The path names no model and method; expected "
                             "/v1beta/models/{model}:{method}."));
    }
    size_t len = 0;
    char *name = gw_arena_try_alloc(arena, model.len);
    if (model.len > 3 * GW_MODEL_NAME_MAX || name == NULL ||
        gw_url_decode(model, name, model.len, &len) != GW_OK || len > GW_MODEL_NAME_MAX) {
        return refuse(error, 400, GW_STR("invalid_value"),
                      gw_arena_printf(arena, "The model's name must have at most %d bytes.",
                                      GW_MODEL_NAME_MAX));
    }
    request->model = gw_str(name, len);
    (void)gw_url_query_get(in->query, GW_STR("alt"), &alt);
    for (size_t i = 0; i < GW_ARRAY_LEN(methods); i++) {
        if (gw_str_eq(method, methods[i].name)) {
            request->task = methods[i].task;
            request->is_stream = methods[i].is_stream;
            request->is_batch = methods[i].is_batch;
            request->is_json_array = request->is_stream && !gw_str_eq(alt, GW_STR("sse"));
            return GW_OK;
        }
    }
    return refuse(error, 404, GW_STR("unknown_method"),
                  GW_STR("There is no such method; the gateway serves generateContent, "
                         "streamGenerateContent, countTokens, embedContent and "
                         "batchEmbedContents."));
}

struct envelope {
    struct gw_llm_request *request;
    bool has_config;
};

static bool is_true(struct gw_str object, struct gw_str path)
{
    struct gw_json_member member;
    return gw_json_find(object, path, &member) && gw_str_eq(member.value, GW_STR("true"));
}

static void read_config(struct gw_llm_request *request, struct gw_str config)
{
    static const struct gw_str limits[] = {GW_STR_INIT("maxOutputTokens"),
                                           GW_STR_INIT("max_output_tokens")};
    static const struct gw_str thoughts[] = {GW_STR_INIT("thinkingConfig.includeThoughts"),
                                             GW_STR_INIT("thinking_config.include_thoughts"),
                                             GW_STR_INIT("thinkingConfig.include_thoughts"),
                                             GW_STR_INIT("thinking_config.includeThoughts")};
    struct gw_json_member member;
    uint64_t value = 0;
    for (size_t i = 0; i < GW_ARRAY_LEN(limits); i++) {
        if (gw_json_find(config, limits[i], &member) &&
            gw_json_decode_u64(member.value, &value) == GW_OK) {
            request->max_output_tokens = value;
        }
    }
    for (size_t i = 0; i < GW_ARRAY_LEN(thoughts); i++) {
        request->hides_reasoning = request->hides_reasoning && !is_true(config, thoughts[i]);
    }
}

/* A second generationConfig would let a client say one thing to us and another to the provider. */
static enum gw_err on_member(void *user, const struct gw_json_member *member)
{
    struct envelope *envelope = user;
    if (!gw_json_key_is(member, GW_STR("generationConfig")) &&
        !gw_json_key_is(member, GW_STR("generation_config"))) {
        return GW_OK;
    }
    if (envelope->has_config) {
        return GW_ERR_EXISTS;
    }
    envelope->has_config = true;
    if (member->type == GW_JSON_OBJECT) {
        read_config(envelope->request, member->value);
    }
    return GW_OK;
}

static enum gw_err read_body(struct gw_str body, struct gw_arena *arena,
                             struct gw_llm_request *request, struct gw_error *error)
{
    struct envelope envelope = {.request = request};
    struct gw_json_error at = {0};
    enum gw_json_type type = GW_JSON_NULL;
    enum gw_err err = gw_json_scan(body, on_member, &envelope, &type, &at);
    if (gw_str_trim(body).len == 0) {
        return refuse(error, 400, GW_STR(""),
                      GW_STR("The request body is empty; expected a JSON object."));
    }
    if (err == GW_ERR_EXISTS) {
        return refuse(error, 400, GW_STR("duplicate_parameter"),
                      GW_STR("'generationConfig' stands twice in the request body."));
    }
    if (err != GW_OK) {
        return refuse(error, 400, GW_STR("invalid_json"),
                      gw_arena_printf(arena,
                                      "The request body is not valid JSON: %s at byte %zu (line "
                                      "%u, column %u).",
                                      at.what != NULL ? at.what : "nested too deeply", at.offset,
                                      at.line, at.column));
    }
    if (type != GW_JSON_OBJECT) {
        return refuse(error, 400, GW_STR("invalid_type"),
                      GW_STR("The request body must be a JSON object."));
    }
    return GW_OK;
}

static enum gw_err decode(const struct gw_inbound *in, enum gw_task task, struct gw_arena *arena,
                          struct gw_llm_request *request, struct gw_error *error)
{
    *request = (struct gw_llm_request){.dialect = GW_DIALECT_GEMINI,
                                       .task = task,
                                       .wants_usage = true, /* every answer tells it */
                                       .hides_reasoning = true};
    *error = (struct gw_error){0};
    enum gw_err err = read_path(in, arena, request, error);
    return err == GW_OK ? read_body(in->body, arena, request, error) : err;
}

/* ---- errors ---- */

/* Names of google.rpc.Code by status (inbound.md B3, gemini.md section 7). */
static struct gw_str status_name(unsigned status)
{
    switch (status) {
    case 401:
        return GW_STR("UNAUTHENTICATED");
    case 403:
        return GW_STR("PERMISSION_DENIED");
    case 404:
        return GW_STR("NOT_FOUND");
    case 402:
    case 429:
        return GW_STR("RESOURCE_EXHAUSTED");
    case 408:
    case 504:
        return GW_STR("DEADLINE_EXCEEDED");
    case 409:
        return GW_STR("ABORTED");
    case 499:
        return GW_STR("CANCELLED");
    case 501:
        return GW_STR("UNIMPLEMENTED");
    case 502:
    case 503:
    case 529:
        return GW_STR("UNAVAILABLE");
    default:
        return status >= 500 ? GW_STR("INTERNAL") : GW_STR("INVALID_ARGUMENT");
    }
}

static void begin_detail(struct gw_str type, struct gw_buf *out)
{
    gw_json_write_next(out);
    (void)gw_buf_append(out, GW_STR("{\"@type\":\"type.googleapis.com/google.rpc."));
    (void)gw_buf_append(out, type);
    (void)gw_buf_append_byte(out, '"');
}

static void write_details(const struct gw_error *error, struct gw_buf *out)
{
    if (error->code.len > 0) {
        begin_detail(GW_STR("ErrorInfo"), out);
        gw_json_write_member(GW_STR("reason"), error->code, out);
        (void)gw_buf_append(out, GW_STR(",\"domain\":\"gatewire\"}"));
    }
    if (error->param.len > 0) {
        begin_detail(GW_STR("BadRequest"), out);
        gw_json_write_raw(GW_STR("fieldViolations"), GW_STR("[{"), out);
        gw_json_write_member(GW_STR("field"), error->param, out);
        gw_json_write_member(GW_STR("description"), error->message, out);
        (void)gw_buf_append(out, GW_STR("}]}"));
    }
    if (error->retry_after_s > 0) {
        begin_detail(GW_STR("RetryInfo"), out);
        (void)gw_buf_appendf(out, ",\"retryDelay\":\"%llus\"}",
                             (unsigned long long)error->retry_after_s);
    }
}

void gw_to_gemini_error(const struct gw_error *error, struct gw_buf *out)
{
    (void)gw_buf_append(out, GW_STR("{\"error\":{"));
    gw_json_write_count(GW_STR("code"), error->status, out);
    gw_json_write_member(GW_STR("message"), error->message, out);
    gw_json_write_member(GW_STR("status"), status_name(error->status), out);
    if (error->code.len > 0 || error->param.len > 0 || error->retry_after_s > 0) {
        gw_json_write_raw(GW_STR("details"), GW_STR("["), out);
        write_details(error, out);
        (void)gw_buf_append_byte(out, ']');
    }
    (void)gw_buf_append(out, GW_STR("}}"));
}

static void write_error(const struct gw_error *error, struct gw_str request_id, struct gw_buf *out)
{
    (void)request_id; /* it is in a field of the head */
    gw_to_gemini_error(error, out);
}

static void write_error_event(const struct gw_error *error, struct gw_str request_id,
                              struct gw_buf *out)
{
    (void)request_id;
    (void)gw_buf_append(out, GW_STR("data: "));
    gw_to_gemini_error(error, out);
    (void)gw_buf_append(out, GW_STR("\r\n\r\n"));
}

static void write_token_count(uint64_t input_tokens, struct gw_buf *out)
{
    (void)gw_buf_append_byte(out, '{');
    gw_json_write_count(GW_STR("totalTokens"), input_tokens, out);
    (void)gw_buf_append_byte(out, '}');
}

const struct gw_dialect gw_dialect_gemini = {
    .id = GW_DIALECT_GEMINI,
    .name = GW_STR_INIT("gemini"),
    .decode = decode,
    .to_chat = gw_from_gemini_chat,
    .to_embeddings = gw_from_gemini_embeddings,
    .write_embeddings = gw_to_gemini_embeddings,
    .stream_type = GW_STR_INIT("text/event-stream"),
    .encoder_create = gw_to_gemini_encoder_create,
    .encode = gw_to_gemini_encode,
    .encoder_destroy = gw_to_gemini_encoder_destroy,
    .write_answer = gw_to_gemini_answer,
    .write_token_count = write_token_count,
    .write_error = write_error,
    .write_error_event = write_error_event,
};
