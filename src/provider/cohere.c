/* SPDX-License-Identifier: MIT */
/* provider/cohere - the table of Cohere's API, its credential, and its errors, which have a message
 * and nothing else. */
#include "llm/token_slot.h"
#include "provider/cohere_int.h"
#include "json/value.h"

/* Cohere's own API is nobody's dialect. */
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
                            GW_STR("Cohere speaks no dialect that could travel unchanged."));
}

static enum gw_err authorize(const struct gw_authorize_input *in, struct gw_provider_call *call)
{
    struct gw_str key = gw_secret_reveal(in->credential);
    struct gw_token token = {0};
    if (in->deployment->token != NULL) {
        if (!gw_token_slot_get(in->deployment->token, &token)) {
            return GW_ERR_NOT_FOUND;
        }
        key = token.access;
    }
    if (key.len == 0) {
        return GW_OK; /* a server of one's own may want none */
    }
    static const struct gw_str scheme = GW_STR_INIT("Bearer ");
    char *value = gw_arena_try_alloc(in->arena, scheme.len + key.len);
    if (value == NULL) {
        return GW_ERR_NOMEM;
    }
    memcpy(value, scheme.ptr, scheme.len);
    memcpy(value + scheme.len, key.ptr, key.len);
    return gw_provider_call_add(call, GW_HEADER_AUTHORIZATION, GW_STR("authorization"),
                                gw_str(value, scheme.len + key.len))
               ? GW_OK
               : GW_ERR_TOO_LARGE;
}

static bool holds(struct gw_str text, struct gw_str part)
{
    return gw_str_find(text, part) < text.len;
}

static void read_error(unsigned status, const struct gw_header *headers, size_t header_count,
                       struct gw_str body, struct gw_arena *arena, struct gw_error *error)
{
    struct gw_json_reader reader;
    yyjson_val *root = NULL;
    gw_provider_explain_status(status, headers, header_count, error);
    gw_json_reader_init(&reader, GW_PROVIDER_ERROR_BYTES);
    gw_err_ignore(gw_json_read(&reader, body, &root)); /* then the status must do */
    struct gw_str vendor = gw_json_get_text(root, "message");
    vendor = vendor.len > 0 ? gw_arena_try_dup(arena, vendor) : vendor;
    gw_json_reader_fini(&reader);
    if (vendor.len > 0 && error->status != 502) {
        error->message = vendor;
    } else {
        error->detail = vendor;
    }
    if (status == 498) { /* no status of HTTP: the input was refused */
        error->status = 400;
        error->code = GW_STR("content_filter");
    } else if (status == 400 && holds(vendor, GW_STR("too many tokens"))) {
        error->code = GW_STR("context_length_exceeded");
        error->can_fallback = true;
    } else if (status == 404) {
        error->code = GW_STR("model_not_found");
    } else if (status == 429 && holds(vendor, GW_STR("month"))) {
        error->is_retryable = false; /* a trial key's calls of the month are used up */
    } else if (status == 501) {
        error->is_retryable = false;
    }
}

const struct gw_provider_api gw_api_cohere = {
    .name = GW_STR_INIT("cohere"),
    .speaks = speaks,
    .patch = patch,
    .encode = gw_cohere_encode,
    .encode_embeddings = gw_cohere_encode_embeddings,
    .decode_embeddings = gw_cohere_decode_embeddings,
    .authorize = authorize,
    .decoder_create = gw_cohere_decoder_create,
    .feed = gw_cohere_feed,
    .end = gw_cohere_end,
    .decoder_destroy = gw_cohere_decoder_destroy,
    .read_error = read_error,
};
