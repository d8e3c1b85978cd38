/* SPDX-License-Identifier: MIT */
/*
 * provider/azure - Azure OpenAI and Microsoft Foundry: OpenAI's bodies under other paths.
 *
 * Source: shared/providers/azure.md. Two styles of URL: the classic one names the deployment in the
 * path and wants a dated api-version; v1 is OpenAI's own, under /openai/v1. A dated api-version in
 * the configuration chooses the classic one, unless the base URL says v1 itself.
 */
#include "base/secret.h"
#include "provider/openai_api_int.h"
#include "provider/openai_decoder.h"
#include "provider/openai_encode.h"
#include "provider/openai_error.h"

#define TARGET_MAX_BYTES (64u * 1024) /* the client's query is bounded with its head */

static bool is_v1(const struct gw_deployment *deployment)
{
    struct gw_str version = deployment->api_version;
    return gw_str_has_suffix(deployment->base_path, GW_STR("/v1")) || version.len == 0 ||
           version.ptr[0] < '0' || version.ptr[0] > '9';
}

/* The base URL may already name a deployment. */
static bool names_deployment(const struct gw_deployment *deployment)
{
    struct gw_str words = GW_STR("/openai/deployments/");
    return gw_str_find(deployment->base_path, words) < deployment->base_path.len;
}

/* Calls that the classic style keeps under a deployment. */
static bool is_deployment_call(struct gw_str path)
{
    static const struct gw_str begins[] = {GW_STR_INIT("/chat/completions"),
                                           GW_STR_INIT("/completions"), GW_STR_INIT("/embeddings"),
                                           GW_STR_INIT("/audio/"), GW_STR_INIT("/images/")};
    for (size_t i = 0; i < GW_ARRAY_LEN(begins); i++) {
        if (gw_str_has_prefix(path, begins[i])) {
            return true;
        }
    }
    return false;
}

static void append_escaped(struct gw_buf *out, struct gw_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        bool is_plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                        (c >= 'A' && c <= 'Z') || c == '-' || c == '_' || c == '.' || c == '~';
        if (is_plain) {
            (void)gw_buf_append_byte(out, (char)c);
        } else {
            (void)gw_buf_appendf(out, "%%%02X", c);
        }
    }
}

static void append_path(const struct gw_deployment *deployment, struct gw_str model,
                        struct gw_str path, struct gw_buf *out)
{
    struct gw_str base = deployment->base_path;
    (void)gw_buf_append(out, base);
    if (names_deployment(deployment)) {
        (void)gw_buf_append(out, path);
        return;
    }
    if (!gw_str_has_suffix(base, GW_STR("/v1")) && !gw_str_has_suffix(base, GW_STR("/openai"))) {
        (void)gw_buf_append(out, GW_STR("/openai"));
    }
    if (is_v1(deployment)) {
        (void)gw_buf_append(out,
                            gw_str_has_suffix(base, GW_STR("/v1")) ? GW_STR("") : GW_STR("/v1"));
    } else if (is_deployment_call(path)) {
        (void)gw_buf_append(out, GW_STR("/deployments/"));
        append_escaped(out, model);
    }
    (void)gw_buf_append(out, path);
}

/* The configured api-version goes before the client's. */
static void append_query(const struct gw_deployment *deployment, struct gw_str query,
                         struct gw_buf *out)
{
    char separator = '?';
    struct gw_str part;
    if (deployment->api_version.len > 0) {
        (void)gw_buf_append(out, GW_STR("?api-version="));
        append_escaped(out, deployment->api_version);
        separator = '&';
    }
    while (gw_str_split(&query, '&', &part)) {
        bool is_version = gw_str_has_prefix(part, GW_STR("api-version="));
        if (part.len > 0 && !is_version) {
            (void)gw_buf_append_byte(out, separator);
            (void)gw_buf_append(out, part);
            separator = '&';
        }
    }
}

static enum gw_err begin_call(const struct gw_provider_input *in, struct gw_str path,
                              struct gw_str query, struct gw_provider_call *call)
{
    struct gw_buf target;
    gw_buf_init(&target, TARGET_MAX_BYTES);
    append_path(in->deployment, in->upstream_model, path, &target);
    append_query(in->deployment, query, &target);
    enum gw_err err = target.err;
    call->method = GW_STR("POST");
    call->target =
        err == GW_OK ? gw_arena_try_dup(in->arena, gw_buf_str(&target)) : gw_str(NULL, 0);
    gw_buf_fini(&target);
    return err == GW_OK && call->target.ptr == NULL ? GW_ERR_NOMEM : err;
}

static bool speaks(const struct gw_deployment *deployment, enum gw_dialect_id dialect,
                   enum gw_task task, struct gw_str upstream_model)
{
    (void)deployment;
    (void)task;
    (void)upstream_model;
    return dialect == GW_DIALECT_OPENAI || dialect == GW_DIALECT_COMPLETIONS ||
           dialect == GW_DIALECT_RESPONSES;
}

static enum gw_err patch(const struct gw_provider_input *in, struct gw_str path,
                         struct gw_str query, struct gw_str body, struct gw_json_splice *splice,
                         struct gw_provider_call *call)
{
    enum gw_err err = begin_call(in, path, query, call);
    return err == GW_OK ? gw_openai_plan_patch(in, body, splice, call) : err;
}

/* The classic path names the model. */
static bool has_model(const struct gw_deployment *deployment)
{
    return is_v1(deployment) && !names_deployment(deployment);
}

static enum gw_err encode(const struct gw_provider_input *in, yyjson_val *chat,
                          struct gw_provider_call *call)
{
    enum gw_err err = begin_call(in, GW_STR("/chat/completions"), gw_str(NULL, 0), call);
    if (err == GW_OK) {
        err = gw_openai_add_fields(in, call);
    }
    return err == GW_OK ? gw_openai_encode_body(in, chat, has_model(in->deployment), call) : err;
}

static enum gw_err encode_embeddings(const struct gw_provider_input *in, yyjson_val *openai,
                                     struct gw_provider_call *call)
{
    enum gw_err err = begin_call(in, GW_STR("/embeddings"), gw_str(NULL, 0), call);
    if (err == GW_OK) {
        err = gw_openai_add_fields(in, call);
    }
    return err == GW_OK ? gw_openai_embeddings_body(in, openai, has_model(in->deployment), call)
                        : err;
}

/* A token of Entra's goes as Bearer, a key in a field of its own. */
static enum gw_err authorize(const struct gw_authorize_input *in, struct gw_provider_call *call)
{
    if (in->deployment->token != NULL || in->credential == NULL) {
        return gw_openai_add_bearer(in, call);
    }
    struct gw_str key = gw_arena_try_dup(in->arena, gw_secret_reveal(in->credential));
    if (key.ptr == NULL) {
        return GW_ERR_NOMEM;
    }
    return gw_provider_call_add(call, GW_HEADER_API_KEY, gw_header_name(GW_HEADER_API_KEY), key)
               ? GW_OK
               : GW_ERR_TOO_LARGE;
}

const struct gw_provider_api gw_api_azure = {
    .name = GW_STR_INIT("azure"),
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
