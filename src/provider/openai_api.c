/* SPDX-License-Identifier: MIT */
/* provider/openai_api - the table of OpenAI's API and of all that are like it. */
#include "provider/openai_api_int.h"
#include "provider/openai_decoder.h"
#include "provider/openai_encode.h"
#include "provider/openai_error.h"
#include "provider/openai_quirks.h"
#include "provider/openai_request.h"
#include "json/value.h"

static bool speaks(const struct gw_deployment *deployment, enum gw_dialect_id dialect,
                   enum gw_task task, struct gw_str upstream_model)
{
    const struct gw_openai_quirks *quirks = gw_openai_quirks_of(deployment->provider_name);
    (void)upstream_model;
    switch (dialect) {
    case GW_DIALECT_OPENAI:
        return task != GW_TASK_RESPONSE || quirks->has_responses;
    case GW_DIALECT_COMPLETIONS:
        return quirks->has_completions;
    case GW_DIALECT_RESPONSES:
        return quirks->has_responses;
    case GW_DIALECT_ANTHROPIC:
    case GW_DIALECT_GEMINI:
    case GW_DIALECT_OLLAMA:
    case GW_DIALECT_COUNT:
        break;
    }
    return false;
}

static enum gw_err patch(const struct gw_provider_input *in, struct gw_str path,
                         struct gw_str query, struct gw_str body, struct gw_json_splice *splice,
                         struct gw_provider_call *call)
{
    call->method = GW_STR("POST");
    call->target = gw_openai_target(in->deployment, path, query, in->arena);
    return call->target.ptr == NULL ? GW_ERR_NOMEM : gw_openai_plan_patch(in, body, splice, call);
}

/* xAI finds its cache by a field of the head. */
static enum gw_err add_cache_key(const struct gw_provider_input *in, yyjson_val *chat,
                                 struct gw_provider_call *call)
{
    struct gw_str key = gw_json_get_text(chat, "prompt_cache_key");
    if (key.len == 0 || !gw_str_eq(in->deployment->provider_name, GW_STR("xai")) ||
        !gw_header_value_is_valid(key)) {
        return GW_OK;
    }
    key = gw_arena_try_dup(in->arena, key);
    if (key.ptr == NULL) {
        return GW_ERR_NOMEM;
    }
    return gw_provider_call_add(call, GW_HEADER_OTHER, GW_STR("x-grok-conv-id"), key)
               ? GW_OK
               : GW_ERR_TOO_LARGE;
}

/* Where the call goes, and its fields. */
static enum gw_err begin_call(const struct gw_provider_input *in, struct gw_str path,
                              struct gw_provider_call *call)
{
    call->method = GW_STR("POST");
    call->target = gw_openai_target(in->deployment, path, gw_str(NULL, 0), in->arena);
    return call->target.ptr == NULL ? GW_ERR_NOMEM : gw_openai_add_fields(in, call);
}

static enum gw_err encode(const struct gw_provider_input *in, yyjson_val *chat,
                          struct gw_provider_call *call)
{
    enum gw_err err = begin_call(in, GW_STR("/chat/completions"), call);
    if (err == GW_OK) {
        err = add_cache_key(in, chat, call);
    }
    return err == GW_OK ? gw_openai_encode_body(in, chat, true, call) : err;
}

static enum gw_err encode_embeddings(const struct gw_provider_input *in, yyjson_val *openai,
                                     struct gw_provider_call *call)
{
    enum gw_err err = begin_call(in, GW_STR("/embeddings"), call);
    return err == GW_OK ? gw_openai_embeddings_body(in, openai, true, call) : err;
}

static enum gw_err authorize(const struct gw_authorize_input *in, struct gw_provider_call *call)
{
    const struct gw_deployment *deployment = in->deployment;
    enum gw_err err = gw_openai_add_bearer(in, call);
    bool has_room = true;
    if (err == GW_OK && deployment->organization.len > 0) {
        has_room = gw_provider_call_add(call, GW_HEADER_OPENAI_ORGANIZATION,
                                        gw_header_name(GW_HEADER_OPENAI_ORGANIZATION),
                                        deployment->organization);
    }
    if (err == GW_OK && has_room && deployment->project.len > 0) {
        has_room =
            gw_provider_call_add(call, GW_HEADER_OPENAI_PROJECT,
                                 gw_header_name(GW_HEADER_OPENAI_PROJECT), deployment->project);
    }
    return has_room ? err : GW_ERR_TOO_LARGE;
}

const struct gw_provider_api gw_api_openai = {
    .name = GW_STR_INIT("openai"),
    .speaks = speaks,
    .patch = patch,
    .encode = encode,
    .encode_embeddings = encode_embeddings,
    .decode_embeddings = gw_openai_decode_embeddings,
    .authorize = authorize,
    .decoder_create = gw_openai_decoder_create,
    .feed = gw_openai_decoder_feed,
    .end = gw_openai_decoder_end,
    .decoder_destroy = gw_openai_decoder_destroy,
    .read_error = gw_openai_read_error,
};
