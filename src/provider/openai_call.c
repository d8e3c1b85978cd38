/* SPDX-License-Identifier: MIT */
/* provider/openai_call - fields, credential and patches, shared with Azure. */
#include "base/secret.h"
#include "llm/token_slot.h"
#include "provider/openai_api_int.h"
#include "provider/openai_decoder.h"
#include "provider/openai_quirks.h"
#include "provider/openai_request.h"
#include "provider/responses_foreign.h"
#include "json/scan.h"
#include "json/value.h"

enum gw_err gw_openai_add_fields(const struct gw_provider_input *in, struct gw_provider_call *call)
{
    struct gw_str accept =
        in->request->is_stream ? GW_STR("text/event-stream") : GW_STR("application/json");
    bool has_room =
        gw_provider_call_add(call, GW_HEADER_CONTENT_TYPE, gw_header_name(GW_HEADER_CONTENT_TYPE),
                             GW_STR("application/json")) &&
        gw_provider_call_add(call, GW_HEADER_ACCEPT, gw_header_name(GW_HEADER_ACCEPT), accept);
    return has_room ? GW_OK : GW_ERR_TOO_LARGE;
}

enum gw_err gw_openai_add_bearer(const struct gw_authorize_input *in, struct gw_provider_call *call)
{
    const struct gw_deployment *deployment = in->deployment;
    struct gw_token token = {0};
    if (deployment->token != NULL && !gw_token_slot_get(deployment->token, &token)) {
        return GW_ERR_NOT_FOUND;
    }
    if (deployment->token == NULL && in->credential == NULL) {
        return GW_OK;
    }
    struct gw_str key = deployment->token != NULL ? token.access : gw_secret_reveal(in->credential);
    struct gw_str scheme = GW_STR("Bearer ");
    char *value = gw_arena_try_alloc(in->arena, scheme.len + key.len);
    if (value == NULL) {
        return GW_ERR_NOMEM;
    }
    memcpy(value, scheme.ptr, scheme.len);
    if (key.len > 0) {
        memcpy(value + scheme.len, key.ptr, key.len);
    }
    return gw_provider_call_add(call, GW_HEADER_AUTHORIZATION,
                                gw_header_name(GW_HEADER_AUTHORIZATION),
                                gw_str(value, scheme.len + key.len))
               ? GW_OK
               : GW_ERR_TOO_LARGE;
}

/* ---- patches ---- */

/* ,"name":tokens in the arena. */
static struct gw_str token_member(const struct gw_provider_input *in, struct gw_str name,
                                  uint64_t tokens)
{
    return gw_arena_printf(in->arena, ",\"" GW_STR_FMT "\":%llu", GW_STR_ARG(name),
                           (unsigned long long)tokens);
}

/* Lowers the client's own number where it stands. */
static enum gw_err lower_tokens(const struct gw_provider_input *in, struct gw_str body,
                                uint64_t limit, struct gw_json_splice *splice)
{
    static const struct gw_str names[] = {GW_STR_INIT("max_completion_tokens"),
                                          GW_STR_INIT("max_tokens"),
                                          GW_STR_INIT("max_output_tokens")};
    enum gw_err err = GW_OK;
    for (size_t i = 0; i < GW_ARRAY_LEN(names) && err == GW_OK; i++) {
        struct gw_json_member found;
        uint64_t tokens = 0;
        if (gw_json_find(body, names[i], &found) &&
            gw_json_decode_u64(found.value, &tokens) == GW_OK && tokens > limit) {
            err = gw_json_splice_replace(
                splice, found.value, gw_arena_printf(in->arena, "%llu", (unsigned long long)limit));
            gw_notes_add(in->notes, GW_NOTE_CHANGED, names[i],
                         GW_STR("lowered to the most that is configured for this model."));
        }
    }
    return err;
}

static enum gw_err patch_tokens(const struct gw_provider_input *in, struct gw_str body,
                                struct gw_json_splice *splice)
{
    const struct gw_deployment *deployment = in->deployment;
    const struct gw_llm_request *request = in->request;
    bool is_response = request->task == GW_TASK_RESPONSE;
    if (!is_response && request->task != GW_TASK_CHAT && request->task != GW_TASK_COMPLETION) {
        return GW_OK;
    }
    uint64_t limit = deployment->limit_max_tokens;
    if (request->max_output_tokens > 0) {
        return limit > 0 && request->max_output_tokens > limit
                   ? lower_tokens(in, body, limit, splice)
                   : GW_OK;
    }
    uint64_t tokens = deployment->default_max_tokens;
    tokens = limit > 0 && (tokens == 0 || tokens > limit) ? limit : tokens;
    if (tokens == 0) {
        return GW_OK;
    }
    struct gw_str name = request->task == GW_TASK_COMPLETION
                             ? GW_STR("max_tokens")
                             : gw_openai_quirks_of(deployment->provider_name)->max_tokens;
    name = is_response ? GW_STR("max_output_tokens") : name;
    return gw_json_splice_add_member(splice, body, token_member(in, name, tokens));
}

static enum gw_err patch_extra(const struct gw_provider_input *in, struct gw_str body,
                               struct gw_json_splice *splice)
{
    struct gw_str extra = in->deployment->extra_body;
    return extra.len == 0
               ? GW_OK
               : gw_json_splice_add_member(
                     splice, body, gw_arena_printf(in->arena, "," GW_STR_FMT, GW_STR_ARG(extra)));
}

/* The model's name, and how usage is asked for; not at all where the vendor refuses to be asked. */
static enum gw_err patch_usage(const struct gw_provider_input *in, struct gw_str body,
                               struct gw_json_splice *splice, bool *injected)
{
    struct gw_llm_request request = *in->request;
    bool is_refused = gw_openai_quirks_of(in->deployment->provider_name)->has_no_stream_usage;
    request.wants_usage = request.wants_usage || is_refused;
    return gw_openai_patch(&request, body, in->upstream_model, in->arena, splice, injected);
}

/* What the vendor refuses, and what is meant for us; in the order of the body, so that each finds
 * its comma. */
static enum gw_err drop_members(const struct gw_provider_input *in, struct gw_json_splice *splice)
{
    bool is_refused = gw_openai_quirks_of(in->deployment->provider_name)->has_no_stream_usage;
    struct gw_str first = in->request->fallbacks;
    struct gw_str second = is_refused ? in->request->stream_options : gw_str(NULL, 0);
    if (first.ptr != NULL && second.ptr != NULL && second.ptr < first.ptr) {
        struct gw_str swap = first;
        first = second;
        second = swap;
    }
    enum gw_err err = gw_openai_drop_member(first, splice);
    return err == GW_OK ? gw_openai_drop_member(second, splice) : err;
}

enum gw_err gw_openai_plan_patch(const struct gw_provider_input *in, struct gw_str body,
                                 struct gw_json_splice *splice, struct gw_provider_call *call)
{
    const struct gw_llm_request *request = in->request;
    struct gw_str form_model = request->model_form_value;
    bool injected = false;
    if (form_model.ptr != NULL || gw_str_trim(body).len == 0) {
        gw_json_splice_init(splice, body);
        return form_model.ptr == NULL || gw_str_eq(form_model, in->upstream_model)
                   ? GW_OK
                   : gw_json_splice_replace(splice, form_model, in->upstream_model);
    }
    enum gw_err err = patch_usage(in, body, splice, &injected);
    err = err == GW_OK ? drop_members(in, splice) : err;
    if (err == GW_OK && request->task == GW_TASK_RESPONSE) {
        err = gw_responses_drop_foreign(in->arena, body, splice);
    }
    if (err == GW_OK && request->task != GW_TASK_PASS) {
        err = patch_tokens(in, body, splice);
    }
    call->usage_injected = injected;
    return err == GW_OK && request->task != GW_TASK_PASS ? patch_extra(in, body, splice) : err;
}

/* ---- embeddings ---- */

enum gw_err gw_openai_embeddings_body(const struct gw_provider_input *in, yyjson_val *openai,
                                      bool has_model, struct gw_provider_call *call)
{
    struct gw_buf *out = &call->body;
    size_t index = 0;
    size_t max = 0;
    yyjson_val *key = NULL;
    yyjson_val *value = NULL;
    (void)gw_buf_append(out, GW_STR("{"));
    if (has_model) {
        (void)gw_buf_append(out, GW_STR("\"model\":"));
        gw_json_write_text(in->upstream_model, out);
    }
    bool is_first = !has_model;
    yyjson_obj_foreach(openai, index, max, key, value)
    {
        if (gw_json_is(key, GW_STR("model"))) {
            continue;
        }
        (void)gw_buf_append(out, is_first ? GW_STR("") : GW_STR(","));
        is_first = false;
        gw_json_write_text(gw_json_text(key), out);
        (void)gw_buf_append(out, GW_STR(":"));
        gw_json_write(value, out);
    }
    if (in->deployment->extra_body.len > 0) {
        (void)gw_buf_append(out, GW_STR(","));
        (void)gw_buf_append(out, in->deployment->extra_body);
    }
    (void)gw_buf_append(out, GW_STR("}"));
    return out->err;
}

enum gw_err gw_openai_decode_embeddings(struct gw_str body, struct gw_str model,
                                        struct gw_usage *usage, struct gw_buf *openai)
{
    struct gw_json_reader reader;
    yyjson_val *root = NULL;
    (void)model;
    gw_json_reader_init(&reader, GW_PROVIDER_MAX_ANSWER_BYTES);
    enum gw_err err = gw_json_read(&reader, body, &root);
    if (err == GW_OK && !yyjson_is_arr(gw_json_get(root, "data"))) {
        err = GW_ERR_PROTOCOL;
    }
    if (err == GW_OK) {
        *usage = gw_openai_read_usage(gw_json_get(root, "usage"));
        err = gw_buf_append(openai, gw_str_trim(body));
    }
    gw_json_reader_fini(&reader);
    return err == GW_ERR_INVALID ? GW_ERR_PROTOCOL : err;
}
