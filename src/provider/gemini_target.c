/* SPDX-License-Identifier: MIT */
/* provider/gemini_target - paths of both APIs, and the client's query without what is a credential
 * (gemini.md section 1, vertex.md section 1). */
#include <stdio.h>

#include "http/url.h"
#include "provider/gemini_int.h"
#include "provider/vertex.h"

#define MAX_PARAMETER_NAME 64 /* Google's longest is "access_token" */

/* In a path segment; ':' and '/' too are escaped, so that no model's name can name another
 * method. */
static void append_escaped(struct gw_str text, struct gw_buf *out)
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < text.len; i++) {
        unsigned char byte = (unsigned char)text.ptr[i];
        bool is_plain = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                        (byte >= '0' && byte <= '9') || byte == '-' || byte == '.' || byte == '_' ||
                        byte == '~' || byte == '@';
        if (is_plain) {
            (void)gw_buf_append_byte(out, (char)byte);
        } else {
            const char escape[] = {'%', digits[byte >> 4], digits[byte & 15]};
            (void)gw_buf_append(out, gw_str(escape, sizeof(escape)));
        }
    }
}

/* Google takes these in the query; none of them is for the provider. */
static bool is_credential(struct gw_str pair)
{
    static const struct gw_str names[] = {GW_STR_INIT("key"), GW_STR_INIT("access_token"),
                                          GW_STR_INIT("oauth_token")};
    char name[MAX_PARAMETER_NAME];
    size_t len = 0;
    struct gw_str written = gw_str(pair.ptr, gw_str_find_byte(pair, '='));
    if (gw_url_decode(written, name, sizeof(name), &len) != GW_OK) {
        return written.len < sizeof(name); /* what cannot be read is not passed on */
    }
    for (size_t i = 0; i < GW_ARRAY_LEN(names); i++) {
        if (gw_str_eq(gw_str(name, len), names[i])) {
            return true;
        }
    }
    return false;
}

static void append_query(struct gw_str query, struct gw_buf *out)
{
    char separator = '?';
    struct gw_str pair;
    while (gw_str_split(&query, '&', &pair)) {
        if (pair.len > 0 && !is_credential(pair)) {
            (void)gw_buf_append_byte(out, separator);
            (void)gw_buf_append(out, pair);
            separator = '&';
        }
    }
}

void gw_vertex_append_path(const struct gw_deployment *deployment, struct gw_str publisher,
                           struct gw_str model, struct gw_buf *out)
{
    struct gw_str base = deployment->base_path;
    (void)gw_buf_append(out, base.len > 0 ? base : GW_STR("/v1"));
    if (deployment->cloud_project.len > 0) {
        (void)gw_buf_append(out, GW_STR("/projects/"));
        append_escaped(deployment->cloud_project, out);
        (void)gw_buf_append(out, GW_STR("/locations/"));
        append_escaped(deployment->region.len > 0 ? deployment->region : GW_STR("global"), out);
    }
    (void)gw_buf_append(out, GW_STR("/publishers/"));
    (void)gw_buf_append(out, publisher);
    (void)gw_buf_append(out, GW_STR("/models/"));
    append_escaped(model, out);
}

struct gw_str gw_gemini_target(const struct gw_provider_input *in, bool is_vertex,
                               struct gw_str method, struct gw_str query)
{
    struct gw_str model = gw_gemini_model_name(in->upstream_model);
    struct gw_buf out;
    /* A name's byte becomes three at most; the client's query is bounded by its listener. */
    gw_buf_init(&out, 16384 + 3 * in->upstream_model.len + query.len);
    if (is_vertex) {
        gw_vertex_append_path(in->deployment, GW_STR("google"), model, &out);
    } else {
        (void)gw_buf_append(&out, in->deployment->base_path);
        (void)gw_buf_append(&out, GW_STR("/models/"));
        append_escaped(model, &out);
    }
    (void)gw_buf_append_byte(&out, ':');
    (void)gw_buf_append(&out, method);
    append_query(query, &out);
    struct gw_str target = gw_str(NULL, 0);
    if (out.err == GW_OK) {
        target = gw_arena_try_dup(in->arena, gw_buf_str(&out));
    }
    gw_buf_fini(&out);
    return target;
}

enum gw_err gw_gemini_begin_call(const struct gw_provider_input *in, bool is_vertex,
                                 struct gw_str method, struct gw_str query,
                                 struct gw_provider_call *call)
{
    call->method = GW_STR("POST");
    call->target = gw_gemini_target(in, is_vertex, method, query);
    return call->target.ptr == NULL ? GW_ERR_NOMEM : GW_OK;
}

bool gw_vertex_base_url(struct gw_str location, char *buf, size_t size, struct gw_str *url)
{
    int len;
    for (size_t i = 0; i < location.len; i++) {
        char byte = location.ptr[i];
        bool is_plain = (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte == '-';
        if (!is_plain) {
            return false;
        }
    }
    if (location.len == 0 || gw_str_eq(location, GW_STR("global"))) {
        len = snprintf(buf, size, "https://aiplatform.googleapis.com/v1");
    } else if (gw_str_eq(location, GW_STR("us")) || gw_str_eq(location, GW_STR("eu"))) {
        len = snprintf(buf, size, "https://aiplatform." GW_STR_FMT ".rep.googleapis.com/v1",
                       GW_STR_ARG(location));
    } else {
        len = snprintf(buf, size, "https://" GW_STR_FMT "-aiplatform.googleapis.com/v1",
                       GW_STR_ARG(location));
    }
    if (len < 0 || (size_t)len >= size) {
        return false;
    }
    *url = gw_str(buf, (size_t)len);
    return true;
}
