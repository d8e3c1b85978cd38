/* SPDX-License-Identifier: MIT */
/* provider/bedrock - the table of Bedrock's Converse API, and its credential: a signature, or a
 * Bedrock API key as bearer token. */
#include "llm/token_slot.h"
#include "provider/bedrock_int.h"
#include "provider/sigv4.h"

/* Converse is nobody's dialect. */
static bool speaks(const struct gw_deployment *deployment, enum gw_dialect_id dialect,
                   enum gw_task task, struct gw_str upstream_model)
{
    (void)deployment;
    (void)dialect;
    (void)task;
    (void)upstream_model;
    return false;
}

static enum gw_err patch(const struct gw_provider_input *in, struct gw_str path,
                         struct gw_str query, struct gw_str body, struct gw_json_splice *splice,
                         struct gw_provider_call *call)
{
    (void)path;
    (void)query;
    (void)body;
    (void)splice;
    (void)call;
    return gw_notes_invalid(in->notes, GW_STR("model"),
                            GW_STR("Bedrock speaks no dialect that could travel unchanged."));
}

/* The region of "bedrock-runtime.us-east-1.amazonaws.com"; ptr is NULL for other hosts. */
static struct gw_str region_of_host(struct gw_str host)
{
    struct gw_str rest = host;
    struct gw_str part;
    if (!gw_str_has_prefix(host, GW_STR("bedrock")) || !gw_str_split(&rest, '.', &part) ||
        !gw_str_split(&rest, '.', &part)) {
        return gw_str(NULL, 0);
    }
    return part;
}

static enum gw_err add_bearer(const struct gw_authorize_input *in, struct gw_str token,
                              struct gw_provider_call *call)
{
    struct gw_buf value;
    gw_buf_init(&value, GW_TOKEN_MAX_BYTES + 16);
    (void)gw_buf_append(&value, GW_STR("Bearer "));
    (void)gw_buf_append(&value, token);
    struct gw_str kept = gw_str(NULL, 0);
    if (value.err == GW_OK) {
        kept = gw_arena_try_dup(in->arena, gw_buf_str(&value));
    }
    gw_buf_fini(&value);
    return kept.ptr != NULL && gw_provider_call_add(call, GW_HEADER_AUTHORIZATION,
                                                    GW_STR("authorization"), kept)
               ? GW_OK
               : GW_ERR_NOMEM;
}

static enum gw_err add_signature(const struct gw_authorize_input *in, const struct gw_token *token,
                                 struct gw_provider_call *call)
{
    struct gw_str region = in->deployment->region;
    region = region.len > 0 ? region : region_of_host(in->host);
    const struct gw_sigv4_request request = {
        .access_key = token->access,
        .secret_key = token->secret,
        .session_token = token->session,
        .region = region.len > 0 ? region : GW_STR("us-east-1"),
        .service = GW_STR("bedrock"),
        .method = call->method,
        .target = call->target,
        .host = in->host,
        .fields = call->fields,
        .field_count = call->field_count,
        .body_runs = in->body_runs,
        .body_run_count = in->body_run_count,
        .now_ms = in->now_ms,
    };
    struct gw_sigv4_fields fields;
    enum gw_err err = gw_sigv4_sign(&request, in->arena, &fields);
    if (err != GW_OK) {
        return err;
    }
    bool is_fine = gw_provider_call_add(call, GW_HEADER_OTHER, GW_STR("x-amz-date"), fields.date) &&
                   gw_provider_call_add(call, GW_HEADER_AUTHORIZATION, GW_STR("authorization"),
                                        fields.authorization);
    if (token->session.len > 0) {
        /* The slot may be written anew before the call is sent. */
        struct gw_str session = gw_arena_try_dup(in->arena, token->session);
        is_fine =
            is_fine && session.ptr != NULL &&
            gw_provider_call_add(call, GW_HEADER_OTHER, GW_STR("x-amz-security-token"), session);
    }
    return is_fine ? GW_OK : GW_ERR_NOMEM;
}

static enum gw_err authorize(const struct gw_authorize_input *in, struct gw_provider_call *call)
{
    const struct gw_deployment *deployment = in->deployment;
    struct gw_token token = {0};
    if (deployment->token != NULL) {
        if (!gw_token_slot_get(deployment->token, &token)) {
            return GW_ERR_NOT_FOUND;
        }
        return token.secret.len > 0 ? add_signature(in, &token, call)
                                    : add_bearer(in, token.access, call);
    }
    struct gw_str key = gw_secret_reveal(in->credential);
    return key.len > 0 ? add_bearer(in, key, call) : GW_ERR_NOT_FOUND;
}

const struct gw_provider_api gw_api_bedrock = {
    .name = GW_STR_INIT("bedrock-converse"),
    .speaks = speaks,
    .patch = patch,
    .encode = gw_bedrock_encode,
    .encode_embeddings = gw_bedrock_encode_embeddings,
    .decode_embeddings = gw_bedrock_decode_embeddings,
    .authorize = authorize,
    .decoder_create = gw_bedrock_decoder_create,
    .feed = gw_bedrock_feed,
    .end = gw_bedrock_end,
    .decoder_destroy = gw_bedrock_decoder_destroy,
    .read_error = gw_bedrock_read_error,
};
