/* SPDX-License-Identifier: MIT */
/* provider/openai_request - target and patches. */
#include "provider/openai_request.h"

#include "base/buf.h"

#define MODEL_MEMBER          ",\"model\":\""
#define INCLUDE_USAGE_MEMBER  ",\"include_usage\":true"
#define STREAM_OPTIONS_VALUE  "{\"include_usage\":true}"
#define STREAM_OPTIONS_MEMBER ",\"stream_options\":" STREAM_OPTIONS_VALUE

/* Appends the query's parts but api-version to |out|, with the '?'. */
static size_t write_query(char *out, struct gw_str query)
{
    size_t len = 0;
    struct gw_str part;
    while (gw_str_split(&query, '&', &part)) {
        if (part.len == 0 || gw_str_has_prefix(part, GW_STR("api-version="))) {
            continue;
        }
        out[len] = len == 0 ? '?' : '&';
        len++;
        memcpy(out + len, part.ptr, part.len);
        len += part.len;
    }
    return len;
}

struct gw_str gw_openai_target(const struct gw_deployment *deployment, struct gw_str path,
                               struct gw_str query, struct gw_arena *arena)
{
    struct gw_str base = deployment->base_path;
    char *target = gw_arena_try_alloc(arena, base.len + path.len + query.len + 1);
    if (target == NULL) {
        return gw_str(NULL, 0);
    }
    if (base.len > 0) {
        memcpy(target, base.ptr, base.len);
    }
    memcpy(target + base.len, path.ptr, path.len);
    size_t len = base.len + path.len;
    return gw_str(target, len + write_query(target + len, query));
}

/* A model that was in the path, or that the gateway chose, is not in the body yet. */
static enum gw_err patch_model(const struct gw_llm_request *request, struct gw_str body,
                               struct gw_str upstream_model, struct gw_arena *arena,
                               struct gw_json_splice *splice)
{
    struct gw_str written = request->model_value;
    bool is_text = written.ptr != NULL && written.ptr[0] == '"';
    bool is_named = request->model.len > 0 && request->model_form_value.ptr == NULL;
    if (upstream_model.len == 0 || (written.ptr == NULL && !is_named) ||
        (is_text && gw_str_eq(gw_str(written.ptr + 1, written.len - 2), upstream_model))) {
        return GW_OK;
    }
    struct gw_buf text;
    gw_buf_init(&text, 8 * GW_MODEL_NAME_MAX);
    (void)gw_buf_append(&text, written.ptr == NULL ? GW_STR(MODEL_MEMBER) : GW_STR("\""));
    (void)gw_buf_append_json(&text, upstream_model);
    (void)gw_buf_append(&text, GW_STR("\""));
    struct gw_str replacement = gw_arena_try_dup(arena, gw_buf_str(&text));
    enum gw_err err = text.err != GW_OK || replacement.ptr == NULL ? GW_ERR_NOMEM : GW_OK;
    gw_buf_fini(&text);
    if (err != GW_OK) {
        return err;
    }
    return written.ptr == NULL ? gw_json_splice_add_member(splice, body, replacement)
                               : gw_json_splice_replace(splice, written, replacement);
}

static enum gw_err patch_stream_options(const struct gw_llm_request *request, struct gw_str body,
                                        struct gw_json_splice *splice)
{
    struct gw_str options = request->stream_options;
    if (options.ptr == NULL) {
        return gw_json_splice_add_member(splice, body, GW_STR(STREAM_OPTIONS_MEMBER));
    }
    if (options.ptr[0] != '{') { /* null */
        return gw_json_splice_replace(splice, options, GW_STR(STREAM_OPTIONS_VALUE));
    }
    if (request->include_usage.ptr != NULL) {
        return gw_json_splice_replace(splice, request->include_usage, GW_STR("true"));
    }
    return gw_json_splice_add_member(splice, options, GW_STR(INCLUDE_USAGE_MEMBER));
}

enum gw_err gw_openai_patch(const struct gw_llm_request *request, struct gw_str body,
                            struct gw_str upstream_model, struct gw_arena *arena,
                            struct gw_json_splice *splice, bool *usage_injected)
{
    gw_json_splice_init(splice, body);
    *usage_injected = false;
    enum gw_err err = patch_model(request, body, upstream_model, arena, splice);
    bool has_option = request->task == GW_TASK_CHAT || request->task == GW_TASK_COMPLETION;
    if (err == GW_OK && has_option && request->is_stream && !request->wants_usage) {
        err = patch_stream_options(request, body, splice);
        *usage_injected = err == GW_OK;
    }
    return err;
}

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

/* The offset behind the last byte before |at| that is no blank. */
static size_t skip_blanks_back(struct gw_str body, size_t at)
{
    while (at > 0 && is_blank(body.ptr[at - 1])) {
        at--;
    }
    return at;
}

/* The offset of the quote that begins the key of the value at |at|. The key holds no quote. */
static size_t find_key(struct gw_str body, size_t at)
{
    at = skip_blanks_back(body, at);                   /* behind ':' */
    at = skip_blanks_back(body, at > 0 ? at - 1 : at); /* behind the closing quote */
    at = at > 0 ? at - 1 : at;
    while (at > 0 && body.ptr[at - 1] != '"') {
        at--;
    }
    return at > 0 ? at - 1 : at;
}

/* Has an edit taken the byte at |at| out? */
static bool is_taken(const struct gw_json_splice *splice, size_t at)
{
    for (size_t i = 0; i < splice->count; i++) {
        const struct gw_json_edit *edit = &splice->edits[i];
        if (at >= edit->offset && at < edit->offset + edit->removed) {
            return true;
        }
    }
    return false;
}

enum gw_err gw_openai_drop_member(struct gw_str value, struct gw_json_splice *splice)
{
    struct gw_str body = splice->original;
    if (value.ptr == NULL) {
        return GW_OK;
    }
    size_t begin = find_key(body, (size_t)(value.ptr - body.ptr));
    size_t end = (size_t)(value.ptr - body.ptr) + value.len;
    size_t before = skip_blanks_back(body, begin);
    size_t after = end;
    while (after < body.len && is_blank(body.ptr[after])) {
        after++;
    }
    if (before > 0 && body.ptr[before - 1] == ',' && !is_taken(splice, before - 1)) {
        begin = before - 1;
    } else if (after < body.len && body.ptr[after] == ',' && !is_taken(splice, after)) {
        end = after + 1;
    }
    return gw_json_splice_replace(splice, gw_str(body.ptr + begin, end - begin), gw_str(NULL, 0));
}
