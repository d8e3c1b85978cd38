/* SPDX-License-Identifier: MIT */
/* provider/gemini - the two tables, and the request's frame: targets, credentials, the members at
 * the top (gemini.md sections 1 and 2, vertex.md sections 1 to 3). */
#include "base/secret.h"
#include "llm/token_slot.h"
#include "provider/gemini_int.h"
#include "provider/vertex.h"
#include "json/value.h"
#include "json/write.h"

static struct gw_str json_type(void)
{
    return GW_STR("application/json");
}

/* ---- verbatim ---- */

static bool gemini_speaks(const struct gw_deployment *deployment, enum gw_dialect_id dialect,
                          enum gw_task task, struct gw_str upstream_model)
{
    (void)deployment;
    (void)upstream_model;
    return dialect == GW_DIALECT_GEMINI &&
           (task == GW_TASK_CHAT || task == GW_TASK_TOKEN_COUNT || task == GW_TASK_EMBEDDING);
}

/* Vertex embeds by another method, with another body. */
static bool vertex_speaks(const struct gw_deployment *deployment, enum gw_dialect_id dialect,
                          enum gw_task task, struct gw_str upstream_model)
{
    return task != GW_TASK_EMBEDDING && gemini_speaks(deployment, dialect, task, upstream_model);
}

static struct gw_str method_of(const struct gw_llm_request *request)
{
    if (request->task == GW_TASK_TOKEN_COUNT) {
        return GW_STR("countTokens");
    }
    if (request->task == GW_TASK_EMBEDDING) {
        return request->is_batch ? GW_STR("batchEmbedContents") : GW_STR("embedContent");
    }
    return request->is_stream ? GW_STR("streamGenerateContent") : GW_STR("generateContent");
}

static enum gw_err patch(const struct gw_provider_input *in, bool is_vertex, struct gw_str query,
                         struct gw_str body, struct gw_json_splice *splice,
                         struct gw_provider_call *call)
{
    enum gw_err err = gw_gemini_begin_call(in, is_vertex, method_of(in->request), query, call);
    return err == GW_OK ? gw_gemini_patch_body(in, is_vertex, body, splice) : err;
}

static enum gw_err gemini_patch(const struct gw_provider_input *in, struct gw_str path,
                                struct gw_str query, struct gw_str body,
                                struct gw_json_splice *splice, struct gw_provider_call *call)
{
    (void)path; /* task and stream flag were read from it */
    return patch(in, false, query, body, splice, call);
}

static enum gw_err vertex_patch(const struct gw_provider_input *in, struct gw_str path,
                                struct gw_str query, struct gw_str body,
                                struct gw_json_splice *splice, struct gw_provider_call *call)
{
    (void)path;
    return patch(in, true, query, body, splice, call);
}

/* ---- translated ---- */

/* Members of the neutral request that are read somewhere here, or mean nothing upstream. */
static const char *const known_members[] = {
    "model",
    "messages",
    "stream",
    "stream_options",
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "web_search_options",
    "response_format",
    "temperature",
    "top_p",
    "top_k",
    "seed",
    "max_tokens",
    "max_completion_tokens",
    "stop",
    "n",
    "presence_penalty",
    "frequency_penalty",
    "logprobs",
    "top_logprobs",
    "modalities",
    "audio",
    "reasoning_effort",
    "thinking",
    "safety_settings",
    "cached_content",
    "metadata",
    "anthropic_beta",
};

static bool is_known(struct gw_str name)
{
    for (size_t i = 0; i < GW_ARRAY_LEN(known_members); i++) {
        if (gw_str_eq(name, gw_str_from_c(known_members[i]))) {
            return true;
        }
    }
    return false;
}

static void note_unknown(struct gw_gemini_encoding *e)
{
    yyjson_obj_iter iter = yyjson_obj_iter_with(e->chat);
    for (yyjson_val *key = yyjson_obj_iter_next(&iter); key != NULL;
         key = yyjson_obj_iter_next(&iter)) {
        struct gw_str name = gw_json_text(key);
        /* "_" begins what a dialect keeps for its answer. */
        bool is_sent = !gw_str_has_prefix(name, GW_STR("_"));
        if (is_sent && !is_known(name) && !yyjson_is_null(yyjson_obj_iter_get_val(key))) {
            gw_notes_add(e->notes, GW_NOTE_DROPPED, gw_arena_try_dup(e->in->arena, name),
                         GW_STR("Gemini has nothing like it."));
        }
    }
}

#define MAX_LABEL_BYTES 63u /* vertex.md section 3 */

static bool is_label(struct gw_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        char byte = text.ptr[i];
        bool is_allowed = (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') ||
                          byte == '_' || byte == '-';
        if (!is_allowed) {
            return false;
        }
    }
    return text.len <= MAX_LABEL_BYTES;
}

static void write_labels(struct gw_gemini_encoding *e, yyjson_val *metadata)
{
    gw_json_write_raw(GW_STR("labels"), GW_STR("{"), e->out);
    yyjson_obj_iter iter = yyjson_obj_iter_with(metadata);
    for (yyjson_val *key = yyjson_obj_iter_next(&iter); key != NULL;
         key = yyjson_obj_iter_next(&iter)) {
        struct gw_str name = gw_json_text(key);
        struct gw_str value = gw_json_text(yyjson_obj_iter_get_val(key));
        if (name.len > 0 && is_label(name) && value.ptr != NULL && is_label(value)) {
            gw_json_write_member(name, value, e->out);
        } else {
            gw_notes_add(e->notes, GW_NOTE_DROPPED, GW_STR("metadata"),
                         GW_STR("Entries that are no Google Cloud labels were left out."));
        }
    }
    (void)gw_buf_append_byte(e->out, '}');
}

static void write_extensions(struct gw_gemini_encoding *e)
{
    yyjson_val *safety = gw_json_get(e->chat, "safety_settings");
    yyjson_val *metadata = gw_json_get(e->chat, "metadata");
    if (yyjson_is_arr(safety)) {
        gw_json_write_key(GW_STR("safetySettings"), e->out);
        gw_json_write(safety, e->out);
    }
    gw_json_write_optional(GW_STR("cachedContent"), gw_json_get_text(e->chat, "cached_content"),
                           e->out);
    if (yyjson_obj_size(metadata) > 0 && e->is_vertex) {
        write_labels(e, metadata);
    } else if (yyjson_obj_size(metadata) > 0) {
        gw_notes_add(e->notes, GW_NOTE_DROPPED, GW_STR("metadata"),
                     GW_STR("Gemini has nothing like it."));
    }
}

/* Counting takes the whole request, on Google AI inside a member of its own. */
static bool is_wrapped(const struct gw_gemini_encoding *e)
{
    return e->in->request->task == GW_TASK_TOKEN_COUNT && !e->is_vertex;
}

static void write_wrapping(struct gw_gemini_encoding *e)
{
    gw_json_write_raw(GW_STR("generateContentRequest"), GW_STR("{"), e->out);
    gw_json_write_member(GW_STR("model"),
                         gw_arena_printf(e->in->arena, "models/" GW_STR_FMT,
                                         GW_STR_ARG(gw_gemini_model_name(e->in->upstream_model))),
                         e->out);
}

static enum gw_err write_body(struct gw_gemini_encoding *e)
{
    (void)gw_buf_append_byte(e->out, '{');
    if (is_wrapped(e)) {
        write_wrapping(e);
    }
    gw_gemini_write_system(e);
    enum gw_err err = gw_gemini_write_tools(e);
    write_extensions(e);
    if (e->in->deployment->extra_body.len > 0) {
        gw_json_write_next(e->out);
        (void)gw_buf_append(e->out, e->in->deployment->extra_body);
    }
    err = err == GW_OK ? gw_gemini_write_config(e) : err;
    /* Last, so that the next turn's body begins with this one's bytes. */
    err = err == GW_OK ? gw_gemini_write_contents(e) : err;
    (void)gw_buf_append(e->out, is_wrapped(e) ? GW_STR("}}") : GW_STR("}"));
    note_unknown(e);
    return err == GW_OK ? e->out->err : err;
}

static enum gw_err encode(const struct gw_provider_input *in, bool is_vertex, yyjson_val *chat,
                          struct gw_provider_call *call)
{
    struct gw_gemini_encoding e = {.in = in,
                                   .chat = chat,
                                   .model = gw_gemini_model_of(in->upstream_model),
                                   .is_vertex = is_vertex,
                                   .notes = in->notes,
                                   .out = &call->body};
    bool is_stream = in->request->is_stream && in->request->task != GW_TASK_TOKEN_COUNT;
    struct gw_str query = is_stream ? GW_STR("alt=sse") : GW_STR("");
    enum gw_err err = gw_gemini_begin_call(in, is_vertex, method_of(in->request), query, call);
    if (err != GW_OK) {
        return err;
    }
    call->memory = gw_gemini_remember(&e);
    if (call->memory == NULL ||
        !gw_provider_call_add(call, GW_HEADER_CONTENT_TYPE, gw_header_name(GW_HEADER_CONTENT_TYPE),
                              json_type())) {
        return GW_ERR_NOMEM;
    }
    return write_body(&e);
}

static enum gw_err gemini_encode(const struct gw_provider_input *in, yyjson_val *chat,
                                 struct gw_provider_call *call)
{
    return encode(in, false, chat, call);
}

static enum gw_err vertex_encode(const struct gw_provider_input *in, yyjson_val *chat,
                                 struct gw_provider_call *call)
{
    return encode(in, true, chat, call);
}

/* ---- credentials ---- */

static enum gw_err add_field(struct gw_provider_call *call, enum gw_header_id id,
                             struct gw_str value)
{
    return gw_provider_call_add(call, id, gw_header_name(id), value) ? GW_OK : GW_ERR_NOMEM;
}

static enum gw_err add_bearer(const struct gw_authorize_input *in, struct gw_str token,
                              struct gw_provider_call *call)
{
    const struct gw_str scheme = GW_STR("Bearer ");
    char *value = gw_arena_try_alloc(in->arena, scheme.len + token.len);
    if (value == NULL) {
        return GW_ERR_NOMEM;
    }
    memcpy(value, scheme.ptr, scheme.len);
    if (token.len > 0) {
        memcpy(value + scheme.len, token.ptr, token.len);
    }
    return add_field(call, GW_HEADER_AUTHORIZATION, gw_str(value, scheme.len + token.len));
}

static enum gw_err add_token(const struct gw_authorize_input *in, struct gw_provider_call *call)
{
    struct gw_token token;
    if (!gw_token_slot_get(in->deployment->token, &token)) {
        return GW_ERR_NOT_FOUND;
    }
    return add_bearer(in, token.access, call);
}

static enum gw_err gemini_authorize(const struct gw_authorize_input *in,
                                    struct gw_provider_call *call)
{
    if (in->deployment->token != NULL) {
        return add_token(in, call);
    }
    if (in->credential == NULL) {
        return GW_OK;
    }
    return add_field(call, GW_HEADER_X_GOOG_API_KEY, gw_secret_reveal(in->credential));
}

enum gw_err gw_vertex_authorize(const struct gw_authorize_input *in, struct gw_provider_call *call)
{
    const struct gw_deployment *deployment = in->deployment;
    if (deployment->token == NULL && in->credential != NULL && deployment->cloud_project.len > 0) {
        return add_bearer(in, gw_secret_reveal(in->credential), call);
    }
    return gemini_authorize(in, call);
}

/* ---- the tables ---- */

const struct gw_provider_api gw_api_gemini = {
    .name = GW_STR_INIT("gemini"),
    .speaks = gemini_speaks,
    .patch = gemini_patch,
    .encode = gemini_encode,
    .encode_embeddings = gw_gemini_encode_embeddings,
    .decode_embeddings = gw_gemini_decode_embeddings,
    .authorize = gemini_authorize,
    .decoder_create = gw_gemini_decoder_create,
    .feed = gw_gemini_feed,
    .end = gw_gemini_end,
    .decoder_destroy = gw_gemini_decoder_destroy,
    .read_error = gw_gemini_read_error,
};

const struct gw_provider_api gw_api_vertex_gemini = {
    .name = GW_STR_INIT("vertex-gemini"),
    .speaks = vertex_speaks,
    .patch = vertex_patch,
    .encode = vertex_encode,
    .encode_embeddings = gw_vertex_encode_embeddings,
    .decode_embeddings = gw_gemini_decode_embeddings,
    .authorize = gw_vertex_authorize,
    .decoder_create = gw_gemini_decoder_create,
    .feed = gw_gemini_feed,
    .end = gw_gemini_end,
    .decoder_destroy = gw_gemini_decoder_destroy,
    .read_error = gw_gemini_read_error,
};
