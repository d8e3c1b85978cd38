/* SPDX-License-Identifier: MIT */
/* http/url - splits from the left: scheme, authority, path, query. */
#include "http/url.h"

#include "http/chars_int.h"

static enum gw_err refuse(const char **why, const char *text)
{
    *why = text;
    return GW_ERR_INVALID;
}

/* Cuts |scheme| (any case) off the front of *text. */
static bool cut_scheme(struct gw_str *text, struct gw_str scheme)
{
    if (text->len < scheme.len || !gw_str_eq_nocase(gw_str(text->ptr, scheme.len), scheme)) {
        return false;
    }
    *text = gw_str_skip(*text, scheme.len);
    return true;
}

static enum gw_err parse_port(struct gw_str text, struct gw_url *url, const char **why)
{
    uint64_t port = 0;
    if (gw_parse_u64(text, &port) != GW_OK || port == 0 || port > UINT16_MAX) {
        return refuse(why, "the port is not a number from 1 to 65535");
    }
    url->port = (uint16_t)port;
    return GW_OK;
}

/* "[::1]" and what follows; *rest begins behind the bracket. */
static enum gw_err parse_literal(struct gw_str text, struct gw_url *url, struct gw_str *rest,
                                 const char **why)
{
    size_t close = gw_str_find_byte(text, ']');
    if (close == text.len) {
        return refuse(why, "the address has no closing bracket");
    }
    url->host = gw_str(text.ptr + 1, close - 1);
    *rest = gw_str_skip(text, close + 1);
    bool has_colon = false;
    for (size_t i = 0; i < url->host.len; i++) {
        char c = url->host.ptr[i];
        has_colon = has_colon || c == ':';
        if (!gw_char_is(c, GW_CHAR_HEX) && c != ':' && c != '.') {
            return refuse(why, "what stands in brackets is not an IPv6 address");
        }
    }
    return has_colon ? GW_OK : refuse(why, "what stands in brackets is not an IPv6 address");
}

static bool is_host_name(struct gw_str host)
{
    for (size_t i = 0; i < host.len; i++) {
        char c = host.ptr[i];
        if (!gw_char_is(c, GW_CHAR_HOST) || c == '[' || c == ']' || c == ':' || c == '%') {
            return false;
        }
    }
    return true;
}

/* Host and port; user information is cut off already. */
static enum gw_err parse_host(struct gw_str text, struct gw_url *url, const char **why)
{
    if (text.len == 0) {
        return refuse(why, "the host is missing");
    }
    struct gw_str rest;
    if (text.ptr[0] == '[') {
        enum gw_err err = parse_literal(text, url, &rest, why);
        if (err != GW_OK) {
            return err;
        }
    } else {
        size_t colon = gw_str_find_byte(text, ':');
        url->host = gw_str(text.ptr, colon);
        rest = gw_str_skip(text, colon);
        if (url->host.len == 0) {
            return refuse(why, "the host is missing");
        }
        if (!is_host_name(url->host)) {
            return refuse(why, "the host has a character that no host name has");
        }
    }
    if (rest.len == 0) {
        return GW_OK;
    }
    if (rest.ptr[0] != ':') {
        return refuse(why, "only a port may follow the address in brackets");
    }
    return parse_port(gw_str_skip(rest, 1), url, why);
}

static enum gw_err parse_authority(struct gw_str text, struct gw_url *url, const char **why)
{
    const char *at = text.len > 0 ? memrchr(text.ptr, '@', text.len) : NULL;
    if (at != NULL) {
        url->user_info = gw_str(text.ptr, (size_t)(at - text.ptr));
        text = gw_str_skip(text, url->user_info.len + 1);
        if (!gw_chars_are(url->user_info, GW_CHAR_USER)) {
            return refuse(why, "user and password must be percent-encoded");
        }
    }
    return parse_host(text, url, why);
}

/* "unix:/run/x.sock" or "unix:/run/x.sock:/v1". */
static enum gw_err parse_unix(struct gw_str text, struct gw_url *url, const char **why)
{
    size_t colon = gw_str_find_byte(text, ':');
    url->is_unix = true;
    url->unix_path = gw_str(text.ptr, colon);
    url->path = gw_str_skip(text, colon < text.len ? colon + 1 : colon);
    if (url->unix_path.len < 2 || url->unix_path.ptr[0] != '/') {
        return refuse(why, "the path of the socket must be absolute, as in unix:/run/x.sock");
    }
    if (url->path.len > 0 && url->path.ptr[0] != '/') {
        return refuse(why, "the path behind the socket must begin with '/'");
    }
    return GW_OK;
}

static enum gw_err check_bytes(struct gw_str text, const char **why)
{
    for (size_t i = 0; i < text.len; i++) {
        if (!gw_char_is(text.ptr[i], GW_CHAR_QUERY)) {
            return refuse(why, text.ptr[i] == '#' ? "a fragment ('#') has no meaning here"
                                                  : "it has a character that must be "
                                                    "percent-encoded");
        }
    }
    return GW_OK;
}

/* Moves a query from *path to *query, which is the empty view with ptr NULL when there is none. */
static void cut_query(struct gw_str *path, struct gw_str *query)
{
    size_t mark = gw_str_find_byte(*path, '?');
    *query =
        mark < path->len ? gw_str(path->ptr + mark + 1, path->len - mark - 1) : gw_str(NULL, 0);
    path->len = mark;
}

/* Where the authority at the front of |text| ends. */
static size_t authority_len(struct gw_str text)
{
    size_t len = 0;
    while (len < text.len && text.ptr[len] != '/' && text.ptr[len] != '?') {
        len++;
    }
    return len;
}

static enum gw_err parse_into(struct gw_str text, struct gw_url *url, const char **why)
{
    if (cut_scheme(&text, GW_STR("https://"))) {
        url->is_tls = true;
        url->port = 443;
    } else if (cut_scheme(&text, GW_STR("http://"))) {
        url->port = 80;
    } else if (!cut_scheme(&text, GW_STR("unix:"))) {
        return refuse(why, "it must begin with http://, https:// or unix:");
    } else {
        url->is_unix = true;
    }
    enum gw_err err = check_bytes(text, why);
    if (err != GW_OK) {
        return err;
    }
    if (url->is_unix) {
        err = parse_unix(text, url, why);
    } else {
        size_t len = authority_len(text);
        err = parse_authority(gw_str(text.ptr, len), url, why);
        url->path = gw_str_skip(text, len);
    }
    cut_query(&url->path, &url->query);
    return err;
}

enum gw_err gw_url_parse(struct gw_str text, struct gw_url *url, const char **why)
{
    struct gw_url parsed = {0};
    enum gw_err err = parse_into(text, &parsed, why);
    if (err == GW_OK) {
        *url = parsed;
    }
    return err;
}

bool gw_url_authority_is_valid(struct gw_str authority)
{
    struct gw_url url = {0};
    const char *why = NULL;
    /* RFC 3986 section 3.2.3 allows a port without digits. */
    bool has_empty_port = gw_str_has_suffix(authority, GW_STR(":"));
    if (has_empty_port) {
        authority.len--;
    }
    return parse_host(authority, &url, &why) == GW_OK && !(has_empty_port && url.port > 0);
}

/* Escapes in a path must be whole: what one side reads as '%' another may read as an escape. */
static bool escapes_are_whole(struct gw_str path)
{
    size_t at = gw_str_find_byte(path, '%');
    while (at < path.len) {
        if (path.len - at < 3 || !gw_char_is(path.ptr[at + 1], GW_CHAR_HEX) ||
            !gw_char_is(path.ptr[at + 2], GW_CHAR_HEX)) {
            return false;
        }
        at += 3;
        at += gw_str_find_byte(gw_str_skip(path, at), '%');
    }
    return true;
}

/* Cuts scheme and authority off the front of a target in absolute form; false for other forms. */
static bool cut_origin(struct gw_str *target, struct gw_str *authority)
{
    if (!cut_scheme(target, GW_STR("http://")) && !cut_scheme(target, GW_STR("https://"))) {
        return false;
    }
    *authority = gw_str(target->ptr, authority_len(*target));
    *target = gw_str_skip(*target, authority->len);
    return true;
}

struct gw_str gw_url_target_authority(struct gw_str target)
{
    struct gw_str authority;
    return cut_origin(&target, &authority) ? authority : gw_str(NULL, 0);
}

enum gw_err gw_url_split_target(struct gw_str target, struct gw_str *path, struct gw_str *query)
{
    if (gw_str_eq(target, GW_STR("*"))) {
        *path = target;
        *query = gw_str(NULL, 0);
        return GW_OK;
    }
    if (!gw_chars_are(target, GW_CHAR_QUERY)) {
        return GW_ERR_INVALID;
    }
    struct gw_str authority;
    if (cut_origin(&target, &authority)) {
        if (!gw_url_authority_is_valid(authority)) {
            return GW_ERR_INVALID;
        }
    } else if (target.len == 0 || target.ptr[0] != '/') {
        return GW_ERR_INVALID;
    }
    struct gw_str parts[2] = {target, {NULL, 0}};
    cut_query(&parts[0], &parts[1]);
    if (!escapes_are_whole(parts[0])) {
        return GW_ERR_INVALID;
    }
    /* "http://host" and "http://host?x=1" ask for "/" (RFC 9110 section 4.2.3). */
    *path = parts[0].len > 0 ? parts[0] : GW_STR("/");
    *query = parts[1];
    return GW_OK;
}

bool gw_url_query_get(struct gw_str query, struct gw_str name, struct gw_str *value)
{
    struct gw_str pair;
    while (gw_str_split(&query, '&', &pair)) {
        size_t equals = gw_str_find_byte(pair, '=');
        if (gw_str_eq(gw_str(pair.ptr, equals), name)) {
            *value = gw_str_skip(pair, equals < pair.len ? equals + 1 : equals);
            return true;
        }
    }
    return false;
}

static unsigned hex_value(char c)
{
    return c <= '9' ? (unsigned)(c - '0') : ((unsigned)c & 0xdfu) - 'A' + 10;
}

enum gw_err gw_url_decode(struct gw_str text, char *out, size_t size, size_t *len)
{
    size_t used = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '%') {
            if (text.len - i < 3 || !gw_char_is(text.ptr[i + 1], GW_CHAR_HEX) ||
                !gw_char_is(text.ptr[i + 2], GW_CHAR_HEX)) {
                return GW_ERR_INVALID;
            }
            c = (char)(hex_value(text.ptr[i + 1]) << 4 | hex_value(text.ptr[i + 2]));
            i += 2;
        }
        if (c == '\0') {
            return GW_ERR_INVALID;
        }
        if (used == size) {
            return GW_ERR_TOO_LARGE;
        }
        out[used++] = c;
    }
    *len = used;
    return GW_OK;
}
