/* SPDX-License-Identifier: MIT */
/* provider/anthropic_api - the tables of Anthropic's API and of Claude on Vertex AI: targets,
 * fields, credentials, and the patches of a body that travels verbatim (anthropic.md section 1,
 * vertex.md section 4). */
#include "llm/token_slot.h"
#include "provider/anthropic_int.h"
#include "provider/vertex.h"
#include "json/scan.h"
#include "json/value.h"

#define VERSION      "2023-06-01"
#define CHAT_PATH    "/v1/messages"
#define OAUTH_PREFIX "sk-ant-oat"

static const struct gw_str version_name = GW_STR_INIT("anthropic-version");
static const struct gw_str beta_name = GW_STR_INIT("anthropic-beta");

static bool speaks(const struct gw_deployment *deployment, enum gw_dialect_id dialect,
                   enum gw_task task, struct gw_str upstream_model)
{
    (void)deployment;
    (void)upstream_model;
    return dialect == GW_DIALECT_ANTHROPIC && (task == GW_TASK_CHAT || task == GW_TASK_TOKEN_COUNT);
}

/* ---- fields ---- */

static struct gw_str find_field(const struct gw_provider_input *in, struct gw_str name)
{
    for (size_t i = 0; i < in->client_field_count; i++) {
        if (gw_str_eq(in->client_fields[i].name, name)) {
            return in->client_fields[i].value;
        }
    }
    return gw_str(NULL, 0);
}

/* A list of the request's own goes before the client's field, from which it was made. */
static enum gw_err add_betas(const struct gw_provider_input *in, yyjson_val *chat,
                             struct gw_provider_call *call)
{
    struct gw_buf list;
    size_t index = 0;
    size_t max = 0;
    yyjson_val *beta = NULL;
    struct gw_str value = find_field(in, beta_name);
    gw_buf_init(&list, GW_PROVIDER_ERROR_BYTES); /* fields are bounded by the listener */
    yyjson_arr_foreach(gw_json_get(chat, "anthropic_beta"), index, max, beta)
    {
        struct gw_str text = gw_json_text(beta);
        for (size_t i = 0; i < text.len; i++) { /* it comes from a body, and goes into a head */
            text.len = text.ptr[i] <= ' ' || text.ptr[i] >= 0x7f ? 0 : text.len;
        }
        if (text.len > 0) {
            (void)gw_buf_append(&list, list.len > 0 ? GW_STR(",") : GW_STR(""));
            (void)gw_buf_append(&list, text);
        }
    }
    enum gw_err err = list.err;
    if (err == GW_OK && list.len > 0) {
        value = gw_arena_try_dup(in->arena, gw_buf_str(&list));
        err = value.ptr == NULL ? GW_ERR_NOMEM : GW_OK;
    }
    gw_buf_fini(&list);
    if (err == GW_OK && value.len > 0 &&
        !gw_provider_call_add(call, GW_HEADER_OTHER, beta_name, value)) {
        return GW_ERR_NOMEM;
    }
    return err;
}

static enum gw_err add_fields(const struct gw_provider_input *in, bool is_vertex,
                              struct gw_provider_call *call)
{
    struct gw_str version = find_field(in, version_name);
    bool is_added =
        gw_provider_call_add(call, GW_HEADER_CONTENT_TYPE, gw_header_name(GW_HEADER_CONTENT_TYPE),
                             GW_STR("application/json"));
    if (is_added && !is_vertex) {
        is_added = gw_provider_call_add(call, GW_HEADER_OTHER, version_name,
                                        version.len > 0 ? version : GW_STR(VERSION));
    }
    return is_added ? GW_OK : GW_ERR_NOMEM;
}

/* ---- targets ---- */

/* Whether the configured base ends with the version or not. */
static struct gw_str target_of(const struct gw_provider_input *in, struct gw_str path,
                               struct gw_str query)
{
    struct gw_str base = in->deployment->base_path;
    if (gw_str_has_suffix(base, GW_STR("/v1")) && gw_str_has_prefix(path, GW_STR("/v1/"))) {
        path = gw_str_skip(path, 3);
    }
    size_t len = base.len + path.len + (query.len > 0 ? query.len + 1 : 0);
    char *target = gw_arena_try_alloc(in->arena, len);
    if (target == NULL) {
        return gw_str(NULL, 0);
    }
    struct gw_str pieces[] = {base, path, query.len > 0 ? GW_STR("?") : GW_STR(""), query};
    size_t at = 0;
    for (size_t i = 0; i < GW_ARRAY_LEN(pieces); i++) {
        if (pieces[i].len > 0) {
            memcpy(target + at, pieces[i].ptr, pieces[i].len);
            at += pieces[i].len;
        }
    }
    return gw_str(target, len);
}

static bool is_count(const struct gw_provider_input *in)
{
    return in->request->task == GW_TASK_TOKEN_COUNT;
}

static struct gw_str vertex_target_of(const struct gw_provider_input *in)
{
    struct gw_buf out;
    struct gw_str model = is_count(in) ? GW_STR("count-tokens") : in->upstream_model;
    bool is_stream = in->request->is_stream && !is_count(in);
    gw_buf_init(&out, GW_PROVIDER_ERROR_BYTES); /* names and paths are bounded far below */
    gw_vertex_append_path(in->deployment, GW_STR("anthropic"), model, &out);
    (void)gw_buf_append(&out, is_stream ? GW_STR(":streamRawPredict") : GW_STR(":rawPredict"));
    struct gw_str target =
        out.err == GW_OK ? gw_arena_try_dup(in->arena, gw_buf_str(&out)) : gw_str(NULL, 0);
    gw_buf_fini(&out);
    return target;
}

static enum gw_err begin_call(const struct gw_provider_input *in, bool is_vertex,
                              struct gw_str path, struct gw_str query,
                              struct gw_provider_call *call)
{
    call->method = GW_STR("POST");
    call->target = is_vertex ? vertex_target_of(in) : target_of(in, path, query);
    return call->target.ptr == NULL ? GW_ERR_NOMEM : add_fields(in, is_vertex, call);
}

/* ---- the verbatim way ---- */

static enum gw_err patch_model(const struct gw_provider_input *in, struct gw_json_splice *splice)
{
    struct gw_str written = in->request->model_value;
    struct gw_str model = in->upstream_model;
    if (written.ptr == NULL || model.len == 0 ||
        gw_str_eq(gw_str(written.ptr + 1, written.len - 2), model)) {
        return GW_OK;
    }
    struct gw_buf text;
    gw_buf_init(&text, 8 * GW_MODEL_NAME_MAX);
    gw_json_write_text(model, &text);
    struct gw_str replacement = gw_arena_try_dup(in->arena, gw_buf_str(&text));
    enum gw_err err = text.err != GW_OK || replacement.ptr == NULL ? GW_ERR_NOMEM : GW_OK;
    gw_buf_fini(&text);
    return err != GW_OK ? err : gw_json_splice_replace(splice, written, replacement);
}

static enum gw_err set_max_tokens(const struct gw_provider_input *in, struct gw_str body,
                                  struct gw_str written, uint64_t tokens,
                                  struct gw_json_splice *splice)
{
    struct gw_str value =
        gw_arena_printf(in->arena, "%s%llu",
                        written.ptr != NULL ? "" : ",\"max_tokens\":", (unsigned long long)tokens);
    return written.ptr != NULL ? gw_json_splice_replace(splice, written, value)
                               : gw_json_splice_add_member(splice, body, value);
}

static enum gw_err patch_max_tokens(const struct gw_provider_input *in, struct gw_str body,
                                    struct gw_json_splice *splice)
{
    struct gw_json_member member = {0};
    uint64_t limit = in->deployment->limit_max_tokens;
    uint64_t otherwise = in->deployment->default_max_tokens;
    if (is_count(in) || (limit == 0 && otherwise == 0)) {
        return GW_OK;
    }
    bool has_member = gw_json_find(body, GW_STR("max_tokens"), &member);
    uint64_t wanted = in->request->max_output_tokens;
    uint64_t tokens = wanted > 0 ? wanted : otherwise;
    tokens = limit > 0 && (tokens == 0 || tokens > limit) ? limit : tokens;
    if (tokens == wanted) {
        return GW_OK;
    }
    if (wanted > 0) {
        gw_notes_add(in->notes, GW_NOTE_CHANGED, GW_STR("max_tokens"),
                     GW_STR("the gateway allows fewer"));
    }
    return set_max_tokens(in, body, has_member ? member.value : gw_str(NULL, 0), tokens, splice);
}

/* The configured members; counting takes none but a message's own. */
static enum gw_err patch_extra(const struct gw_provider_input *in, struct gw_str body,
                               struct gw_json_splice *splice)
{
    struct gw_str extra = in->deployment->extra_body;
    if (is_count(in) || extra.len == 0) {
        return GW_OK;
    }
    return gw_json_splice_add_member(splice, body,
                                     gw_arena_printf(in->arena, "," GW_STR_FMT, GW_STR_ARG(extra)));
}

/* From the member's key to its value's end. The key ends before the colon and holds no quote: its
 * escapes were found to mean a plain name. */
static struct gw_str member_span(struct gw_str body, struct gw_str value)
{
    const char *at = value.ptr;
    while (at > body.ptr && *--at != ':') {
    }
    while (at > body.ptr && *--at != '"') {
    }
    while (at > body.ptr && *--at != '"') {
    }
    return gw_str(at, (size_t)(value.ptr - at) + value.len);
}

/* The span with the comma behind it, or with the one before it where it is the last member. */
static struct gw_str with_comma(struct gw_str body, struct gw_str span)
{
    const char *end = span.ptr + span.len;
    const char *from = span.ptr;
    while (end < body.ptr + body.len && *end != ',' && *end != '}') {
        end++;
    }
    if (end < body.ptr + body.len && *end == ',') {
        return gw_str(from, (size_t)(end + 1 - from));
    }
    while (from > body.ptr && *from != ',' && *from != '{') {
        from--;
    }
    from += *from == '{';
    return gw_str(from, (size_t)(span.ptr + span.len - from));
}

/* "model" goes into the path; the version takes its place in the body. */
static enum gw_err patch_vertex(const struct gw_provider_input *in, struct gw_str body,
                                struct gw_json_splice *splice)
{
    static const struct gw_str value = GW_STR_INIT("\"" GW_VERTEX_CLAUDE_VERSION "\"");
    static const struct gw_str member =
        GW_STR_INIT("\"anthropic_version\":\"" GW_VERTEX_CLAUDE_VERSION "\"");
    static const struct gw_str added =
        GW_STR_INIT(",\"anthropic_version\":\"" GW_VERTEX_CLAUDE_VERSION "\"");
    struct gw_json_member version = {0};
    struct gw_str model = in->request->model_value;
    bool has_version = gw_json_find(body, GW_STR("anthropic_version"), &version);
    bool keeps_model = is_count(in) || model.ptr == NULL;
    enum gw_err err = is_count(in) ? patch_model(in, splice) : GW_OK;
    if (err == GW_OK && has_version) {
        err = gw_json_splice_replace(splice, version.value, value);
    } else if (err == GW_OK && keeps_model) {
        err = gw_json_splice_add_member(splice, body, added);
    }
    if (err != GW_OK || keeps_model) {
        return err;
    }
    struct gw_str span = member_span(body, model);
    return has_version ? gw_json_splice_replace(splice, with_comma(body, span), GW_STR(""))
                       : gw_json_splice_replace(splice, span, member);
}

/* What both APIs change in a body. */
static enum gw_err patch_body(const struct gw_provider_input *in, struct gw_str body,
                              struct gw_json_splice *splice)
{
    enum gw_err err = patch_max_tokens(in, body, splice);
    err = err == GW_OK ? gw_anthropic_drop_foreign(in, body, splice) : err;
    return err == GW_OK ? patch_extra(in, body, splice) : err;
}

static enum gw_err patch(const struct gw_provider_input *in, struct gw_str path,
                         struct gw_str query, struct gw_str body, struct gw_json_splice *splice,
                         struct gw_provider_call *call)
{
    gw_json_splice_init(splice, body);
    enum gw_err err = begin_call(in, false, path, query, call);
    err = err == GW_OK ? patch_model(in, splice) : err;
    return err == GW_OK ? patch_body(in, body, splice) : err;
}

static enum gw_err vertex_patch(const struct gw_provider_input *in, struct gw_str path,
                                struct gw_str query, struct gw_str body,
                                struct gw_json_splice *splice, struct gw_provider_call *call)
{
    gw_json_splice_init(splice, body);
    enum gw_err err = begin_call(in, true, path, query, call);
    err = err == GW_OK ? patch_vertex(in, body, splice) : err;
    return err == GW_OK ? patch_body(in, body, splice) : err;
}

/* ---- the translated way ---- */

static enum gw_err encode(const struct gw_provider_input *in, yyjson_val *chat,
                          struct gw_provider_call *call)
{
    enum gw_err err = begin_call(in, false, GW_STR(CHAT_PATH), GW_STR(""), call);
    err = err == GW_OK ? add_betas(in, chat, call) : err;
    return err == GW_OK ? gw_anthropic_encode(in, chat, false, call) : err;
}

static enum gw_err vertex_encode(const struct gw_provider_input *in, yyjson_val *chat,
                                 struct gw_provider_call *call)
{
    enum gw_err err = begin_call(in, true, GW_STR(CHAT_PATH), GW_STR(""), call);
    err = err == GW_OK ? add_betas(in, chat, call) : err;
    return err == GW_OK ? gw_anthropic_encode(in, chat, true, call) : err;
}

/* ---- credentials ---- */

static enum gw_err add_bearer(const struct gw_authorize_input *in, struct gw_str token,
                              struct gw_provider_call *call)
{
    static const struct gw_str scheme = GW_STR_INIT("Bearer ");
    char *value = gw_arena_try_alloc(in->arena, scheme.len + token.len);
    if (value == NULL) {
        return GW_ERR_NOMEM;
    }
    memcpy(value, scheme.ptr, scheme.len);
    if (token.len > 0) {
        memcpy(value + scheme.len, token.ptr, token.len);
    }
    bool is_added =
        gw_provider_call_add(call, GW_HEADER_AUTHORIZATION, gw_header_name(GW_HEADER_AUTHORIZATION),
                             gw_str(value, scheme.len + token.len));
    return is_added ? GW_OK : GW_ERR_NOMEM;
}

static enum gw_err authorize(const struct gw_authorize_input *in, struct gw_provider_call *call)
{
    struct gw_token token;
    if (in->deployment->token != NULL) {
        return gw_token_slot_get(in->deployment->token, &token) ? add_bearer(in, token.access, call)
                                                                : GW_ERR_NOT_FOUND;
    }
    if (in->credential == NULL) {
        return GW_OK;
    }
    struct gw_str key = gw_secret_reveal(in->credential);
    if (gw_str_has_prefix(key, GW_STR(OAUTH_PREFIX))) {
        return add_bearer(in, key, call);
    }
    key = gw_arena_try_dup(in->arena, key);
    if (key.ptr == NULL) {
        return GW_ERR_NOMEM;
    }
    return gw_provider_call_add(call, GW_HEADER_X_API_KEY, gw_header_name(GW_HEADER_X_API_KEY), key)
               ? GW_OK
               : GW_ERR_NOMEM;
}

const struct gw_provider_api gw_api_anthropic = {
    .name = GW_STR_INIT("anthropic"),
    .speaks = speaks,
    .patch = patch,
    .encode = encode,
    .authorize = authorize,
    .decoder_create = gw_anthropic_decoder_create,
    .feed = gw_anthropic_feed,
    .end = gw_anthropic_end,
    .decoder_destroy = gw_anthropic_decoder_destroy,
    .read_error = gw_anthropic_read_error,
};

const struct gw_provider_api gw_api_vertex_claude = {
    .name = GW_STR_INIT("vertex-claude"),
    .speaks = speaks,
    .patch = vertex_patch,
    .encode = vertex_encode,
    .authorize = gw_vertex_authorize,
    .decoder_create = gw_anthropic_decoder_create,
    .feed = gw_anthropic_feed,
    .end = gw_anthropic_end,
    .decoder_destroy = gw_anthropic_decoder_destroy,
    .read_error = gw_anthropic_read_error,
};
