/* SPDX-License-Identifier: MIT */
/*
 * provider/gemini_patch - what a body in Gemini's own dialect still needs: the model's name, which
 * stands in the path and, for counting and embedding, in the body too (Google refuses two different
 * ones); and the deployment's limit on output.
 */
#include "provider/gemini_int.h"
#include "provider/vertex.h"
#include "json/scan.h"

#define MAX_PATH_BYTES                                                                             \
    8192 /* a Vertex model's resource name; its parts are the configuration's                      \
          */

struct patching {
    const struct gw_provider_input *in;
    struct gw_json_splice *splice;
    struct gw_str model; /* the value to put in, quotes included */
    uint64_t tokens;     /* the limit to put in */
    bool has_config;
    /* of a list of requests */
    struct gw_buf copy;
    const char *copied_to;
};

/* "models/m", or on Vertex "projects/p/locations/l/publishers/google/models/m", as JSON. */
static struct gw_str model_value(const struct gw_provider_input *in, bool is_vertex)
{
    struct gw_str name = gw_gemini_model_name(in->upstream_model);
    struct gw_buf out;
    gw_buf_init(&out, MAX_PATH_BYTES);
    (void)gw_buf_append_byte(&out, '"');
    if (is_vertex && in->deployment->cloud_project.len > 0) {
        (void)gw_buf_append(&out, GW_STR("projects/"));
        (void)gw_buf_append_json(&out, in->deployment->cloud_project);
        (void)gw_buf_append(&out, GW_STR("/locations/"));
        (void)gw_buf_append_json(&out, in->deployment->region.len > 0 ? in->deployment->region
                                                                      : GW_STR("global"));
        (void)gw_buf_append_byte(&out, '/');
    }
    if (is_vertex) {
        (void)gw_buf_append(&out, GW_STR("publishers/google/"));
    }
    (void)gw_buf_append(&out, GW_STR("models/"));
    (void)gw_buf_append_json(&out, name);
    (void)gw_buf_append_byte(&out, '"');
    struct gw_str value =
        out.err == GW_OK ? gw_arena_try_dup(in->arena, gw_buf_str(&out)) : gw_str(NULL, 0);
    gw_buf_fini(&out);
    return value;
}

/* ---- models ---- */

static enum gw_err on_nested(void *user, const struct gw_json_member *member)
{
    struct patching *p = user;
    if (!gw_json_key_is(member, GW_STR("model")) || gw_str_eq(member->value, p->model)) {
        return GW_OK;
    }
    return gw_json_splice_replace(p->splice, member->value, p->model);
}

static enum gw_err on_listed_member(void *user, const struct gw_json_member *member)
{
    struct patching *p = user;
    if (gw_json_key_is(member, GW_STR("model")) && !gw_str_eq(member->value, p->model)) {
        size_t kept = (size_t)(member->value.ptr - p->copied_to);
        (void)gw_buf_append(&p->copy, gw_str(p->copied_to, kept));
        (void)gw_buf_append(&p->copy, p->model);
        p->copied_to = member->value.ptr + member->value.len;
    }
    return p->copy.err;
}

static enum gw_err on_listed(void *user, const struct gw_json_member *element)
{
    enum gw_json_type type;
    return gw_json_scan(element->value, on_listed_member, user, &type, NULL);
}

/* A list may name the model more often than a splice has edits: it is replaced as one. */
static enum gw_err patch_list(struct patching *p, struct gw_str list)
{
    /* {"model":0} is 11 bytes: names cannot make the list longer than this. */
    gw_buf_init(&p->copy, list.len + (list.len / 8 + 1) * p->model.len);
    p->copied_to = list.ptr;
    enum gw_err err = gw_json_each(list, on_listed, p);
    if (err == GW_OK && p->copied_to != list.ptr) {
        size_t done = (size_t)(p->copied_to - list.ptr);
        err = gw_buf_append(&p->copy, gw_str_skip(list, done));
        struct gw_str text = gw_arena_try_dup(p->in->arena, gw_buf_str(&p->copy));
        if (err == GW_OK) {
            err = text.ptr == NULL ? GW_ERR_NOMEM : gw_json_splice_replace(p->splice, list, text);
        }
    }
    gw_buf_fini(&p->copy);
    return err;
}

static enum gw_err on_named(void *user, const struct gw_json_member *member)
{
    struct patching *p = user;
    enum gw_json_type type;
    if (member->type == GW_JSON_OBJECT &&
        (gw_json_key_is(member, GW_STR("generateContentRequest")) ||
         gw_json_key_is(member, GW_STR("generate_content_request")))) {
        return gw_json_scan(member->value, on_nested, p, &type, NULL);
    }
    if (member->type == GW_JSON_ARRAY && gw_json_key_is(member, GW_STR("requests"))) {
        return patch_list(p, member->value);
    }
    return on_nested(p, member);
}

/* ---- the limit on output ---- */

static enum gw_err on_limit(void *user, const struct gw_json_member *member)
{
    struct patching *p = user;
    if (!gw_json_key_is(member, GW_STR("maxOutputTokens")) &&
        !gw_json_key_is(member, GW_STR("max_output_tokens"))) {
        return GW_OK;
    }
    gw_notes_add(p->in->notes, GW_NOTE_CHANGED, GW_STR("generationConfig.maxOutputTokens"),
                 GW_STR("Lowered to the deployment's limit."));
    return gw_json_splice_replace(
        p->splice, member->value,
        gw_arena_printf(p->in->arena, "%llu", (unsigned long long)p->tokens));
}

static enum gw_err on_config(void *user, const struct gw_json_member *member)
{
    struct patching *p = user;
    enum gw_json_type type;
    if (member->type != GW_JSON_OBJECT || (!gw_json_key_is(member, GW_STR("generationConfig")) &&
                                           !gw_json_key_is(member, GW_STR("generation_config")))) {
        return GW_OK;
    }
    p->has_config = true;
    if (p->in->request->max_output_tokens > 0) {
        return gw_json_scan(member->value, on_limit, p, &type, NULL);
    }
    return gw_json_splice_add_member(
        p->splice, member->value,
        gw_arena_printf(p->in->arena, ",\"maxOutputTokens\":%llu", (unsigned long long)p->tokens));
}

static enum gw_err patch_tokens(struct patching *p, struct gw_str body)
{
    uint64_t limit = p->in->deployment->limit_max_tokens;
    uint64_t asked = p->in->request->max_output_tokens;
    enum gw_json_type type;
    p->tokens = asked > 0 ? asked : p->in->deployment->default_max_tokens;
    p->tokens = limit > 0 && (p->tokens == 0 || p->tokens > limit) ? limit : p->tokens;
    if (p->tokens == asked) { /* nothing to change; both may be none */
        return GW_OK;
    }
    enum gw_err err = gw_json_scan(body, on_config, p, &type, NULL);
    if (err == GW_OK && !p->has_config) {
        err = gw_json_splice_add_member(
            p->splice, body,
            gw_arena_printf(p->in->arena, ",\"generationConfig\":{\"maxOutputTokens\":%llu}",
                            (unsigned long long)p->tokens));
    }
    return err;
}

static enum gw_err patch_extra(struct patching *p, struct gw_str body)
{
    struct gw_str extra = p->in->deployment->extra_body;
    return extra.len == 0 ? GW_OK
                          : gw_json_splice_add_member(
                                p->splice, body,
                                gw_arena_printf(p->in->arena, "," GW_STR_FMT, GW_STR_ARG(extra)));
}

enum gw_err gw_gemini_patch_body(const struct gw_provider_input *in, bool is_vertex,
                                 struct gw_str body, struct gw_json_splice *splice)
{
    struct patching p = {.in = in, .splice = splice};
    enum gw_json_type type;
    gw_json_splice_init(splice, body);
    if (in->request->task == GW_TASK_CHAT) {
        enum gw_err err = patch_tokens(&p, body);
        return err == GW_OK ? patch_extra(&p, body) : err;
    }
    p.model = model_value(in, is_vertex);
    return p.model.ptr == NULL ? GW_ERR_NOMEM : gw_json_scan(body, on_named, &p, &type, NULL);
}
