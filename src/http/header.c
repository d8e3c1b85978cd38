/* SPDX-License-Identifier: MIT */
/*
 * http/header - known names by length and comparison: a name has at most five candidates, and most
 * unknown names ("x-stainless-...") end at their length or their first compared word.
 */
#include "http/header.h"

#include "base/assert.h"
#include "http/chars_int.h"

struct known_name {
    struct gw_str name;
    unsigned flags;
};

static const struct known_name known[GW_HEADER_COUNT] = {
    [GW_HEADER_OTHER] = {GW_STR_INIT(""), GW_HEADER_NONE},
#define XX(id, text, bits) [GW_HEADER_##id] = {GW_STR_INIT(text), bits},
    GW_HEADER_MAP(XX)
#undef XX
};

/* The compiler turns a comparison of constant length into a few word loads. */
#define RETURN_IF(text, id)                                                                        \
    do {                                                                                           \
        if (memcmp(name, text, sizeof(text) - 1) == 0) {                                           \
            return GW_HEADER_##id;                                                                 \
        }                                                                                          \
    } while (0)

static enum gw_header_id lookup_short(const char *name, size_t len)
{
    switch (len) {
    case 2:
        RETURN_IF("te", TE);
        break;
    case 3:
        RETURN_IF("via", VIA);
        break;
    case 4:
        RETURN_IF("host", HOST);
        RETURN_IF("date", DATE);
        RETURN_IF("vary", VARY);
        break;
    case 6:
        RETURN_IF("accept", ACCEPT);
        RETURN_IF("server", SERVER);
        RETURN_IF("cookie", COOKIE);
        RETURN_IF("expect", EXPECT);
        RETURN_IF("origin", ORIGIN);
        break;
    case 7:
        RETURN_IF("api-key", API_KEY);
        RETURN_IF("trailer", TRAILER);
        RETURN_IF("upgrade", UPGRADE);
        break;
    case 9:
        RETURN_IF("x-api-key", X_API_KEY);
        RETURN_IF("forwarded", FORWARDED);
        break;
    case 10:
        RETURN_IF("connection", CONNECTION);
        RETURN_IF("user-agent", USER_AGENT);
        RETURN_IF("keep-alive", KEEP_ALIVE);
        RETURN_IF("set-cookie", SET_COOKIE);
        break;
    default:
        break;
    }
    return GW_HEADER_OTHER;
}

static enum gw_header_id lookup_long(const char *name, size_t len)
{
    switch (len) {
    case 11:
        RETURN_IF("retry-after", RETRY_AFTER);
        break;
    case 12:
        RETURN_IF("content-type", CONTENT_TYPE);
        RETURN_IF("x-request-id", X_REQUEST_ID);
        break;
    case 13:
        RETURN_IF("authorization", AUTHORIZATION);
        break;
    case 14:
        RETURN_IF("content-length", CONTENT_LENGTH);
        RETURN_IF("openai-project", OPENAI_PROJECT);
        RETURN_IF("x-goog-api-key", X_GOOG_API_KEY);
        RETURN_IF("http2-settings", HTTP2_SETTINGS);
        break;
    case 15:
        RETURN_IF("accept-encoding", ACCEPT_ENCODING);
        RETURN_IF("x-forwarded-for", X_FORWARDED_FOR);
        break;
    case 16:
        RETURN_IF("content-encoding", CONTENT_ENCODING);
        RETURN_IF("x-forwarded-host", X_FORWARDED_HOST);
        RETURN_IF("proxy-connection", PROXY_CONNECTION);
        break;
    case 17:
        RETURN_IF("transfer-encoding", TRANSFER_ENCODING);
        RETURN_IF("x-forwarded-proto", X_FORWARDED_PROTO);
        break;
    case 18:
        RETURN_IF("proxy-authenticate", PROXY_AUTHENTICATE);
        break;
    case 19:
        RETURN_IF("openai-organization", OPENAI_ORGANIZATION);
        RETURN_IF("proxy-authorization", PROXY_AUTHORIZATION);
        break;
    case 29:
        RETURN_IF("access-control-request-method", ACCESS_CONTROL_REQUEST_METHOD);
        break;
    case 30:
        RETURN_IF("access-control-request-headers", ACCESS_CONTROL_REQUEST_HEADERS);
        break;
    default:
        break;
    }
    return GW_HEADER_OTHER;
}

enum gw_header_id gw_header_lookup(struct gw_str lower_name)
{
    return lower_name.len <= 10 ? lookup_short(lower_name.ptr, lower_name.len)
                                : lookup_long(lower_name.ptr, lower_name.len);
}

struct gw_str gw_header_name(enum gw_header_id id)
{
    GW_ASSERT(id < GW_HEADER_COUNT);
    return known[id].name;
}

bool gw_header_is_hop_by_hop(enum gw_header_id id)
{
    GW_ASSERT(id < GW_HEADER_COUNT);
    return (known[id].flags & GW_HEADER_HOP) != 0;
}

bool gw_header_is_credential(enum gw_header_id id)
{
    GW_ASSERT(id < GW_HEADER_COUNT);
    return (known[id].flags & GW_HEADER_CRED) != 0;
}

struct gw_str gw_headers_get(const struct gw_header *headers, size_t count, enum gw_header_id id)
{
    for (size_t i = 0; i < count; i++) {
        if (headers[i].id == id) {
            return headers[i].value;
        }
    }
    return gw_str(NULL, 0);
}

bool gw_header_has_token(struct gw_str list, struct gw_str token)
{
    struct gw_str part;
    while (gw_str_split(&list, ',', &part)) {
        if (gw_str_eq_nocase(gw_str_trim(part), token)) {
            return true;
        }
    }
    return false;
}

static bool is_common_option(struct gw_str option)
{
    return option.len == 0 || gw_str_eq_nocase(option, GW_STR("keep-alive")) ||
           gw_str_eq_nocase(option, GW_STR("close"));
}

bool gw_headers_have_options(const struct gw_header *headers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct gw_str list = headers[i].value;
        struct gw_str option;
        while (headers[i].id == GW_HEADER_CONNECTION && gw_str_split(&list, ',', &option)) {
            if (!is_common_option(gw_str_trim(option))) {
                return true;
            }
        }
    }
    return false;
}

bool gw_headers_is_option(const struct gw_header *headers, size_t count, struct gw_str name)
{
    for (size_t i = 0; i < count; i++) {
        if (headers[i].id == GW_HEADER_CONNECTION && gw_header_has_token(headers[i].value, name)) {
            return true;
        }
    }
    return false;
}

/* Has the word a byte below 0x20, or 0x7f? (Bytes above 0x7f are fine in values, and may be told
 * wrongly: then the table decides.) */
static bool has_control_byte(uint64_t word)
{
    const uint64_t ones = 0x0101010101010101u;
    uint64_t low = word - ones * 0x20;
    uint64_t del = (word ^ ones * 0x7f) - ones;
    return ((low | del) & ~word & ones * 0x80) != 0;
}

bool gw_header_value_is_valid(struct gw_str value)
{
    /* Every field of every answer is looked at again before it goes out: eight bytes at a time,
     * most values are plain. */
    while (value.len >= sizeof(uint64_t)) {
        uint64_t word = 0;
        memcpy(&word, value.ptr, sizeof(word));
        if (has_control_byte(word) &&
            !gw_chars_are(gw_str(value.ptr, sizeof(word)), GW_CHAR_VALUE)) {
            return false;
        }
        value = gw_str_skip(value, sizeof(word));
    }
    return gw_chars_are(value, GW_CHAR_VALUE);
}

bool gw_header_name_is_valid(struct gw_str name)
{
    return name.len > 0 && gw_chars_are(name, GW_CHAR_TOKEN);
}
