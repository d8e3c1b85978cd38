/* SPDX-License-Identifier: MIT */
/*
 * fuzz/fuzz_url - what is let through has the parts it must have, put together again they are the
 * text, and nothing in them can break a request line or a field.
 */
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "fuzz_target.h"
#include "http/url.h"

static bool is_plain(struct gw_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] <= ' ' || text.ptr[i] == 0x7f || text.ptr[i] == '#') {
            return false; /* bytes above 0x7f are negative, or large: both are caught */
        }
    }
    return true;
}

/* Writes the parts as the text may have been; a port is written only when the text had one. */
static void join(struct gw_buf *out, const struct gw_url *url, struct gw_str text)
{
    size_t scheme = gw_str_find_byte(text, ':') + (url->is_unix ? 1u : 3u);
    (void)gw_buf_append(out, gw_str(text.ptr, scheme));
    if (url->is_unix) {
        (void)gw_buf_append(out, url->unix_path);
        (void)gw_buf_append(out, out->len < text.len && text.ptr[out->len] == ':' ? GW_STR(":")
                                                                                  : GW_STR(""));
    } else {
        (void)gw_buf_append(out, url->user_info);
        (void)gw_buf_append(out, url->user_info.ptr != NULL ? GW_STR("@") : GW_STR(""));
        bool in_brackets = out->len < text.len && text.ptr[out->len] == '[';
        (void)gw_buf_append(out, in_brackets ? GW_STR("[") : GW_STR(""));
        (void)gw_buf_append(out, url->host);
        (void)gw_buf_append(out, in_brackets ? GW_STR("]") : GW_STR(""));
        if (out->len < text.len && text.ptr[out->len] == ':') {
            (void)gw_buf_append(out, GW_STR(":"));
            while (out->len < text.len && text.ptr[out->len] == '0') {
                (void)gw_buf_append(out, GW_STR("0"));
            }
            (void)gw_buf_append_u64(out, url->port);
        }
    }
    (void)gw_buf_append(out, url->path);
    (void)gw_buf_append(out, url->query.ptr != NULL ? GW_STR("?") : GW_STR(""));
    (void)gw_buf_append(out, url->query);
}

static void check_url(struct gw_str text)
{
    struct gw_url url;
    const char *why = NULL;
    if (gw_url_parse(text, &url, &why) != GW_OK) {
        FUZZ_CHECK(why != NULL && why[0] != '\0');
        return;
    }
    FUZZ_CHECK(is_plain(text));
    FUZZ_CHECK(url.is_unix ? url.unix_path.len > 1 : url.host.len > 0 && url.port > 0);
    FUZZ_CHECK(url.path.len == 0 || url.path.ptr[0] == '/');
    struct gw_buf joined;
    gw_buf_init(&joined, text.len + 16);
    join(&joined, &url, text);
    FUZZ_CHECK(gw_str_eq(gw_buf_str(&joined), text));
    gw_buf_fini(&joined);
}

static void check_target(struct gw_str text)
{
    struct gw_str path;
    struct gw_str query;
    if (gw_url_split_target(text, &path, &query) != GW_OK) {
        return;
    }
    FUZZ_CHECK(is_plain(text) && is_plain(path) && is_plain(query));
    FUZZ_CHECK(path.len > 0 && (path.ptr[0] == '/' || gw_str_eq(text, GW_STR("*"))));
    FUZZ_CHECK(gw_str_find_byte(path, '?') == path.len);
    struct gw_str authority = gw_url_target_authority(text);
    FUZZ_CHECK(authority.ptr == NULL || gw_url_authority_is_valid(authority));
    char *decoded = gw_alloc(path.len);
    size_t len = 0;
    enum gw_err err = gw_url_decode(path, decoded, path.len, &len);
    /* The escapes of a path were checked; only a NUL can be wrong with them. */
    FUZZ_CHECK(err == GW_OK ? len <= path.len : gw_str_find(path, GW_STR("%00")) < path.len);
    gw_free(decoded);
    struct gw_str value;
    if (gw_url_query_get(query, GW_STR("a"), &value)) {
        FUZZ_CHECK(value.ptr >= query.ptr && value.ptr + value.len <= query.ptr + query.len);
        FUZZ_CHECK(gw_str_find_byte(value, '&') == value.len);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct gw_str text = gw_str((const char *)bytes, size);
    check_url(text);
    check_target(text);
    return 0;
}
