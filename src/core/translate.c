/* SPDX-License-Identifier: MIT */
/* core/translate - the neutral model between a dialect and an API. */
#include "core/translate.h"

#include "base/alloc.h"
#include "core/recovery.h"
#include "dialect/responses.h"
#include "llm/continuation.h"
#include "json/value.h"

/* About, in most languages and vocabularies: for the rest of a limit that the client set. */
#define BYTES_PER_TOKEN 4

struct gw_translation {
    struct gw_translation_opts opts;
    yyjson_doc *neutral; /* chat, or embeddings in OpenAI's shape */
    struct gw_notes inbound_notes;
    struct gw_notes notes; /* of the current attempt, the inbound ones included */
    const struct gw_provider_api *api;
    struct gw_str upstream_model;
    struct gw_provider_call call;
    struct gw_decoder *decoder;
    struct gw_encoder *encoder;
    struct gw_answer answer;
    struct gw_buf embeddings; /* the provider's whole answer */
    struct gw_buf out;
    bool has_start;
    bool has_output; /* an event that the client must see came */
    struct gw_error error;
};

struct gw_translation *gw_translation_create(const struct gw_translation_opts *opts)
{
    struct gw_translation *translation = gw_try_alloc(sizeof(*translation));
    if (translation == NULL) {
        return NULL;
    }
    *translation = (struct gw_translation){.opts = *opts};
    translation->opts.encoder.request = opts->request;
    gw_answer_init(&translation->answer);
    gw_buf_init(&translation->call.body, GW_PROVIDER_MAX_ANSWER_BYTES * 4u);
    gw_buf_init(&translation->embeddings, GW_PROVIDER_MAX_ANSWER_BYTES);
    gw_buf_init(&translation->out, GW_PROVIDER_MAX_ANSWER_BYTES * 2u);
    return translation;
}

static void end_decoder(struct gw_translation *translation)
{
    if (translation->decoder != NULL) {
        translation->api->decoder_destroy(translation->decoder);
        translation->decoder = NULL;
    }
}

static void end_encoder(struct gw_translation *translation)
{
    translation->opts.dialect->encoder_destroy(translation->encoder);
    translation->encoder = NULL;
}

/* Does the client have the beginning of this answer from another exchange? */
static bool is_continuing(const struct gw_translation *translation)
{
    const struct gw_recovery *recovery =
        translation->opts.recovery != NULL ? *translation->opts.recovery : NULL;
    return recovery != NULL && recovery->is_continuing;
}

void gw_translation_destroy(struct gw_translation **translation)
{
    struct gw_translation *old = *translation;
    if (old == NULL) {
        return;
    }
    end_decoder(old);
    end_encoder(old);
    yyjson_doc_free(old->neutral);
    gw_answer_fini(&old->answer);
    gw_buf_fini(&old->call.body);
    gw_buf_fini(&old->embeddings);
    gw_buf_fini(&old->out);
    gw_free(old);
    *translation = NULL;
}

static bool is_embedding(const struct gw_translation *translation)
{
    return translation->opts.request->task == GW_TASK_EMBEDDING;
}

/* What one side has no function for. */
static enum gw_err refuse_task(struct gw_translation *translation, struct gw_error *error)
{
    *error = (struct gw_error){
        .class = GW_ERROR_CLIENT,
        .status = 400,
        .can_fallback = true,
        .code = GW_STR("unsupported_operation"),
        .message = gw_arena_printf(translation->opts.arena,
                                   "The model '" GW_STR_FMT
                                   "' is served by a provider that cannot do this (" GW_STR_FMT
                                   " by the API '" GW_STR_FMT "').",
                                   GW_STR_ARG(translation->opts.encoder.model),
                                   GW_STR_ARG(gw_task_name(translation->opts.request->task)),
                                   GW_STR_ARG(translation->api->name))};
    return GW_ERR_INVALID;
}

/* The neutral request, once. */
static enum gw_err make_neutral(struct gw_translation *translation, const struct gw_inbound *in,
                                struct gw_error *error)
{
    const struct gw_dialect *dialect = translation->opts.dialect;
    const struct gw_llm_request *request = translation->opts.request;
    if (translation->neutral != NULL) {
        return GW_OK;
    }
    if (is_embedding(translation) && dialect->to_embeddings == NULL) {
        return refuse_task(translation, error);
    }
    gw_notes_init(&translation->inbound_notes, translation->opts.arena, false, error);
    enum gw_err err =
        is_embedding(translation)
            ? dialect->to_embeddings(in, request, &translation->inbound_notes,
                                     &translation->neutral)
            : dialect->to_chat(in, request, &translation->inbound_notes, &translation->neutral);
    translation->opts.encoder.chat = yyjson_doc_get_root(translation->neutral);
    return err;
}

/* Of an answer whose beginning the client has: the provider is asked to go on behind it. */
static enum gw_err encode_rest(struct gw_translation *translation,
                               const struct gw_provider_input *input)
{
    struct gw_str delivered = gw_buf_str(&(*translation->opts.recovery)->text);
    yyjson_val *neutral = yyjson_doc_get_root(translation->neutral);
    if (delivered.len == 0) {
        return translation->api->encode(input, neutral, &translation->call);
    }
    yyjson_doc *rest = NULL;
    enum gw_err err =
        gw_continuation_make(neutral, delivered, delivered.len / BYTES_PER_TOKEN, &rest);
    if (err != GW_OK) {
        return err;
    }
    err = translation->api->encode(input, yyjson_doc_get_root(rest), &translation->call);
    yyjson_doc_free(rest);
    return err;
}

enum gw_err gw_translation_encode(struct gw_translation *translation,
                                  const struct gw_provider_api *api,
                                  const struct gw_deployment *deployment,
                                  struct gw_str upstream_model, const struct gw_inbound *in,
                                  struct gw_error *error)
{
    end_decoder(translation);
    if (!is_continuing(translation)) {
        end_encoder(translation);
    }
    translation->api = api;
    translation->upstream_model = upstream_model;
    enum gw_err err = make_neutral(translation, in, error);
    if (err != GW_OK) {
        return err;
    }
    translation->notes = translation->inbound_notes;
    translation->notes.drops_params = deployment->drops_params;
    translation->notes.error = error;
    gw_buf_reset(&translation->call.body);
    translation->call = (struct gw_provider_call){.body = translation->call.body};
    struct gw_provider_input input = {.deployment = deployment,
                                      .upstream_model = upstream_model,
                                      .request = translation->opts.request,
                                      .client_fields = in->headers,
                                      .client_field_count = in->header_count,
                                      .arena = translation->opts.arena,
                                      .notes = &translation->notes};
    yyjson_val *neutral = yyjson_doc_get_root(translation->neutral);
    if (is_embedding(translation)) {
        return api->encode_embeddings != NULL
                   ? api->encode_embeddings(&input, neutral, &translation->call)
                   : refuse_task(translation, error);
    }
    err = is_continuing(translation) ? encode_rest(translation, &input)
                                     : api->encode(&input, neutral, &translation->call);
    return err == GW_OK ? translation->call.body.err : err;
}

enum gw_err gw_translation_chat(struct gw_translation *translation, const struct gw_inbound *in,
                                yyjson_val **chat, struct gw_error *error)
{
    enum gw_err err = make_neutral(translation, in, error);
    *chat = yyjson_doc_get_root(translation->neutral);
    return err;
}

/* The encoder sees what the client has of the answer, so that it knows where it stands. */
enum gw_err gw_translation_resume(struct gw_translation *translation)
{
    const struct gw_recovery *recovery = *translation->opts.recovery;
    const struct gw_dialect *dialect = translation->opts.dialect;
    struct gw_event start = {.type = GW_EVENT_START,
                             .start = {.id = gw_buf_str(&recovery->id),
                                       .model = gw_buf_str(&recovery->model),
                                       .created_s = recovery->created_s}};
    struct gw_event text = {.type = GW_EVENT_TEXT, .text = gw_buf_str(&recovery->text)};
    if (recovery->model.len > 0) { /* it said so in every event so far */
        translation->opts.encoder.model = start.start.model;
    }
    translation->encoder = dialect->encoder_create(&translation->opts.encoder);
    if (translation->encoder == NULL) {
        return GW_ERR_NOMEM;
    }
    if (recovery->has_start) {
        dialect->encode(translation->encoder, &start, &translation->out);
    }
    if (text.text.len > 0) {
        dialect->encode(translation->encoder, &text, &translation->out);
    }
    enum gw_err err = translation->out.err;
    gw_buf_reset(&translation->out);
    translation->has_output = true;
    return err;
}

bool gw_translation_has_start(const struct gw_translation *translation)
{
    return translation->has_start;
}

bool gw_translation_has_stream(const struct gw_translation *translation)
{
    return translation->encoder != NULL;
}

struct gw_provider_call *gw_translation_call(struct gw_translation *translation)
{
    return &translation->call;
}

struct gw_str gw_translation_warning(const struct gw_translation *translation)
{
    return gw_notes_warning(&translation->notes);
}

const struct gw_notes *gw_translation_notes(const struct gw_translation *translation)
{
    return &translation->notes;
}

bool gw_translation_is_stream(const struct gw_translation *translation)
{
    return translation->opts.request->is_stream && !is_embedding(translation);
}

/* The decoder only lends its texts. */
static void keep_error(struct gw_translation *translation, const struct gw_error *error)
{
    struct gw_arena *arena = translation->opts.arena;
    translation->error = *error;
    translation->error.message = gw_arena_try_dup(arena, error->message);
    translation->error.code = gw_arena_try_dup(arena, error->code);
    translation->error.param = gw_arena_try_dup(arena, error->param);
}

/* What goes on to the client. */
static enum gw_err pass(void *user, const struct gw_event *event)
{
    struct gw_translation *translation = user;
    translation->has_output = translation->has_output || gw_event_is_output(event);
    if (translation->encoder == NULL) {
        return gw_answer_add(&translation->answer, event);
    }
    /* Before there is an answer there is nothing to keep alive either. */
    if (event->type != GW_EVENT_PING || translation->has_output) {
        translation->opts.dialect->encode(translation->encoder, event, &translation->out);
    }
    return translation->out.err;
}

static enum gw_err on_event(void *user, const struct gw_event *event)
{
    struct gw_translation *translation = user;
    struct gw_recovery *recovery = *translation->opts.recovery;
    gw_facts_note(translation->opts.facts, event);
    if (event->type == GW_EVENT_ERROR) {
        keep_error(translation, event->error);
        return GW_ERR_CANCELLED;
    }
    translation->has_start = translation->has_start || event->type == GW_EVENT_START;
    return recovery != NULL ? gw_recovery_pass(recovery, event, pass, translation)
                            : pass(translation, event);
}

enum gw_err gw_translation_begin(struct gw_translation *translation, struct gw_str content_type,
                                 struct gw_str upstream_request_id)
{
    if (is_embedding(translation)) {
        return GW_OK;
    }
    bool is_json = gw_str_has_prefix_nocase(content_type, GW_STR("application/json"));
    /* A provider may answer a request for a stream with one document; the reverse does not
     * happen, and what was not asked for as a stream is not read as one. */
    bool is_stream = translation->opts.request->is_stream && !is_json;
    struct gw_decoder_opts decoder = {.mode = is_stream ? GW_DECODE_STREAM : GW_DECODE_PLAIN,
                                      .content_type = content_type,
                                      .upstream_request_id = upstream_request_id,
                                      .upstream_model = translation->upstream_model,
                                      .memory = translation->call.memory,
                                      .on_event = on_event,
                                      .user = translation};
    translation->decoder = translation->api->decoder_create(&decoder);
    if (translation->decoder == NULL) {
        return GW_ERR_NOMEM;
    }
    if (translation->encoder != NULL) {
        return GW_OK;
    }
    if (gw_translation_is_stream(translation)) {
        translation->encoder =
            translation->opts.dialect->encoder_create(&translation->opts.encoder);
        return translation->encoder != NULL ? GW_OK : GW_ERR_NOMEM;
    }
    gw_answer_fini(&translation->answer);
    return GW_OK;
}

enum gw_err gw_translation_feed(struct gw_translation *translation, struct gw_str bytes)
{
    if (is_embedding(translation)) {
        return gw_buf_append(&translation->embeddings, bytes);
    }
    return translation->api->feed(translation->decoder, bytes);
}

static enum gw_err end_embeddings(struct gw_translation *translation)
{
    struct gw_buf openai;
    struct gw_json_reader reader;
    yyjson_val *root = NULL;
    gw_buf_init(&openai, GW_PROVIDER_MAX_ANSWER_BYTES * 2u);
    gw_json_reader_init(&reader, openai.max_bytes);
    enum gw_err err = translation->api->decode_embeddings(gw_buf_str(&translation->embeddings),
                                                          translation->opts.encoder.model,
                                                          &translation->opts.facts->usage, &openai);
    err = err == GW_OK ? openai.err : err;
    if (err == GW_OK) {
        err = gw_json_read(&reader, gw_buf_str(&openai), &root);
    }
    if (err == GW_OK) {
        translation->opts.dialect->write_embeddings(&translation->opts.encoder, root,
                                                    &translation->out);
        err = translation->out.err;
    }
    gw_json_reader_fini(&reader);
    gw_buf_fini(&openai);
    return err;
}

enum gw_err gw_translation_end(struct gw_translation *translation)
{
    if (is_embedding(translation)) {
        translation->has_output = true;
        return end_embeddings(translation);
    }
    enum gw_err err = translation->api->end(translation->decoder);
    if (err != GW_OK || translation->encoder != NULL) {
        return err;
    }
    translation->has_output = true;
    translation->opts.dialect->write_answer(&translation->opts.encoder, &translation->answer,
                                            &translation->out);
    return translation->out.err;
}

struct gw_str gw_translation_output(const struct gw_translation *translation)
{
    return translation->has_output ? gw_buf_str(&translation->out) : gw_str(NULL, 0);
}

bool gw_translation_response(const struct gw_translation *translation, struct gw_str *response)
{
    if (translation->encoder != NULL) {
        return gw_responses_result(translation->encoder, response);
    }
    *response = gw_translation_output(translation);
    return response->len > 0;
}

void gw_translation_ping(struct gw_translation *translation)
{
    struct gw_event event = {.type = GW_EVENT_PING};
    size_t before = translation->out.len;
    if (translation->encoder != NULL) {
        translation->opts.dialect->encode(translation->encoder, &event, &translation->out);
        translation->has_output = translation->has_output || translation->out.len > before;
    }
}

void gw_translation_taken(struct gw_translation *translation)
{
    gw_buf_reset(&translation->out);
}

const struct gw_error *gw_translation_error(const struct gw_translation *translation)
{
    return &translation->error;
}

void gw_translation_fail(struct gw_translation *translation, const struct gw_error *error)
{
    struct gw_event event = {.type = GW_EVENT_ERROR, .error = error};
    if (translation->encoder != NULL) {
        translation->opts.dialect->encode(translation->encoder, &event, &translation->out);
    }
}
