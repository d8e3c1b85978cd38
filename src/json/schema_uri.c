/* SPDX-License-Identifier: MIT */
/* json/schema_uri - the transformation of RFC 3986 5.2.2, step by step. */
#include "json/schema_uri.h"

#include "base/buf.h"
#include "json/scan_int.h"

#define URI_MAX_BYTES                                                                              \
    (64u * 1024) /* a $ref with a long JSON pointer; browsers stop at the same size */

static bool is_scheme(struct gw_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        bool is_other = (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
        if (!is_letter && (i == 0 || !is_other)) {
            return false;
        }
    }
    return text.len > 0;
}

/* Cuts the part behind |mark| off the end of *text; a NULL view when there is none. */
static struct gw_str cut_behind(struct gw_str *text, char mark)
{
    size_t at = gw_str_find_byte(*text, mark);
    if (at == text->len) {
        return gw_str(NULL, 0);
    }
    struct gw_str behind = gw_str(text->ptr + at + 1, text->len - at - 1);
    text->len = at;
    return behind;
}

struct gw_schema_uri gw_schema_uri_split(struct gw_str reference)
{
    struct gw_schema_uri uri = {.path = reference.ptr == NULL ? GW_STR("") : reference};
    uri.fragment = cut_behind(&uri.path, '#');
    uri.query = cut_behind(&uri.path, '?');
    size_t colon = gw_str_find_byte(uri.path, ':');
    if (colon < uri.path.len && is_scheme(gw_str(uri.path.ptr, colon))) {
        uri.scheme = gw_str(uri.path.ptr, colon);
        uri.path = gw_str(uri.path.ptr + colon + 1, uri.path.len - colon - 1);
    }
    if (gw_str_has_prefix(uri.path, GW_STR("//"))) {
        struct gw_str rest = gw_str(uri.path.ptr + 2, uri.path.len - 2);
        size_t slash = gw_str_find_byte(rest, '/');
        uri.authority = gw_str(rest.ptr, slash);
        uri.path = gw_str(rest.ptr + slash, rest.len - slash);
    }
    return uri;
}

/* Drops the last segment of what was written since |start|, with its slash. */
static void drop_segment(struct gw_buf *out, size_t start)
{
    while (out->len > start) {
        out->len--;
        if (out->ptr[out->len] == '/') {
            return;
        }
    }
}

/* Appends |path| without its "." and ".." segments. */
static void append_path(struct gw_buf *out, struct gw_str path)
{
    size_t start = out->len;
    bool is_first = true;
    struct gw_str segment;
    struct gw_str rest = path;
    while (gw_str_split(&rest, '/', &segment)) {
        bool is_last = rest.ptr == NULL;
        if (gw_str_eq(segment, GW_STR(".")) || gw_str_eq(segment, GW_STR(".."))) {
            if (segment.len == 2) {
                drop_segment(out, start);
            }
            if (is_last && !is_first) {
                gw_buf_append_byte(out, '/'); /* "a/.." names the folder */
            }
        } else {
            if (!is_first) {
                gw_buf_append_byte(out, '/');
            }
            gw_buf_append(out, segment);
            is_first = false;
        }
    }
}

/* |reference|'s path put in the place of the last segment of |base|'s (5.2.3). */
static void append_merged_path(struct gw_buf *out, const struct gw_schema_uri *base,
                               struct gw_str path)
{
    struct gw_buf merged;
    gw_buf_init(&merged, URI_MAX_BYTES);
    if (base->authority.ptr != NULL && base->path.len == 0) {
        gw_buf_append_byte(&merged, '/');
    } else {
        size_t len = base->path.len;
        while (len > 0 && base->path.ptr[len - 1] != '/') {
            len--;
        }
        gw_buf_append(&merged, gw_str(base->path.ptr, len));
    }
    gw_buf_append(&merged, path);
    if (merged.err != GW_OK) {
        out->err = merged.err;
    }
    append_path(out, merged.len > 0 ? gw_buf_str(&merged) : GW_STR(""));
    gw_buf_fini(&merged);
}

struct gw_str gw_schema_uri_resolve(struct gw_arena *arena, struct gw_str base_text,
                                    struct gw_str reference_text)
{
    struct gw_schema_uri base = gw_schema_uri_split(base_text);
    struct gw_schema_uri reference = gw_schema_uri_split(reference_text);
    bool has_scheme = reference.scheme.ptr != NULL;
    bool has_authority = has_scheme || reference.authority.ptr != NULL;
    bool keeps_path = !has_authority && reference.path.len == 0;
    struct gw_str scheme = has_scheme ? reference.scheme : base.scheme;
    struct gw_str authority = has_authority ? reference.authority : base.authority;
    struct gw_str query = keeps_path && reference.query.ptr == NULL ? base.query : reference.query;
    struct gw_buf out;
    gw_buf_init(&out, URI_MAX_BYTES);
    if (scheme.ptr != NULL) {
        gw_buf_append(&out, scheme);
        gw_buf_append_byte(&out, ':');
    }
    if (authority.ptr != NULL) {
        gw_buf_append(&out, GW_STR("//"));
        gw_buf_append(&out, authority);
    }
    if (keeps_path) {
        gw_buf_append(&out, base.path);
    } else if (has_authority || gw_str_has_prefix(reference.path, GW_STR("/"))) {
        append_path(&out, reference.path);
    } else {
        append_merged_path(&out, &base, reference.path);
    }
    if (query.ptr != NULL) {
        gw_buf_append_byte(&out, '?');
        gw_buf_append(&out, query);
    }
    struct gw_str result = gw_str(NULL, 0);
    if (out.err == GW_OK) {
        result = gw_arena_try_dup(arena, gw_buf_str(&out));
    }
    gw_buf_fini(&out);
    return result;
}

struct gw_str gw_schema_uri_unescape(struct gw_arena *arena, struct gw_str text)
{
    char *out = gw_arena_try_alloc(arena, text.len + 1);
    if (out == NULL) {
        return gw_str(NULL, 0);
    }
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        int high = text.len - i > 2 ? gw_json_hex_digit((unsigned char)text.ptr[i + 1]) : -1;
        int low = text.len - i > 2 ? gw_json_hex_digit((unsigned char)text.ptr[i + 2]) : -1;
        if (text.ptr[i] == '%' && high >= 0 && low >= 0) {
            out[len++] = (char)(high << 4 | low);
            i += 2;
        } else {
            out[len++] = text.ptr[i];
        }
    }
    out[len] = '\0';
    return gw_str(out, len);
}
