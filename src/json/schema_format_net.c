/* SPDX-License-Identifier: MIT */
/* json/schema_format_net - names, addresses and URIs. */
#include <arpa/inet.h>
#include <string.h>

#include "json/scan_int.h"
#include "json/schema_format.h"
#include "json/schema_uri.h"

#define HOSTNAME_MAX_BYTES 253 /* RFC 1035: 255 on the wire, with the lengths of the labels */
#define LABEL_MAX_BYTES    63  /* RFC 1035 section 2.3.4 */
#define LOCAL_MAX_BYTES    64  /* RFC 5321 section 4.5.3.1.1 */

static bool is_alnum(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_one_of(char c, const char *set)
{
    return c != '\0' && strchr(set, c) != NULL;
}

/* RFC 3492 section 6.1. */
static uint32_t adapt_bias(uint32_t delta, uint32_t points, bool is_first)
{
    uint32_t k = 0;
    delta = is_first ? delta / 700 : delta / 2;
    delta += delta / points;
    for (; delta > 455; k += 36) {
        delta /= 35;
    }
    return k + 36 * delta / (delta + 38);
}

/* Does |encoded|, what follows "xn--", decode (RFC 3492 section 6.2)? What it decodes to is not
 * looked at. */
static bool is_punycode(struct gw_str encoded)
{
    size_t basic = encoded.len;
    while (basic > 0 && encoded.ptr[basic - 1] != '-') {
        basic--;
    }
    uint32_t points = basic > 0 ? (uint32_t)basic - 1 : 0;
    uint32_t code = 128;
    uint32_t bias = 72;
    uint32_t i = 0;
    for (size_t at = basic; at < encoded.len;) {
        uint32_t before = i;
        uint32_t weight = 1;
        for (uint32_t k = 36;; k += 36) {
            if (at == encoded.len) {
                return false;
            }
            char c = encoded.ptr[at++];
            uint32_t digit =
                c >= '0' && c <= '9' ? (uint32_t)(c - '0') + 26 : (uint32_t)((c | 0x20) - 'a');
            uint32_t step = 0;
            if (digit > 35 || __builtin_mul_overflow(digit, weight, &step) ||
                __builtin_add_overflow(i, step, &i)) {
                return false;
            }
            uint32_t threshold = k <= bias ? 1 : k >= bias + 26 ? 26 : k - bias;
            if (digit < threshold) {
                break;
            }
            if (__builtin_mul_overflow(weight, 36 - threshold, &weight)) {
                return false;
            }
        }
        points++;
        bias = adapt_bias(i - before, points, before == 0);
        code += i / points;
        i = i % points + 1;
        if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) {
            return false;
        }
    }
    return basic < encoded.len; /* a label of ASCII alone is not written this way */
}

static bool is_label(struct gw_str label)
{
    if (label.len == 0 || label.len > LABEL_MAX_BYTES || !is_alnum(label.ptr[0]) ||
        !is_alnum(label.ptr[label.len - 1])) {
        return false;
    }
    for (size_t i = 0; i < label.len; i++) {
        if (!is_alnum(label.ptr[i]) && label.ptr[i] != '-') {
            return false;
        }
    }
    bool is_a_label = label.len > 4 && gw_str_eq_nocase(gw_str(label.ptr, 4), GW_STR("xn--"));
    return !is_a_label || is_punycode(gw_str_skip(label, 4));
}

bool gw_schema_is_hostname(struct gw_str text)
{
    struct gw_str label;
    if (text.len == 0 || text.len > HOSTNAME_MAX_BYTES) {
        return false;
    }
    while (gw_str_split(&text, '.', &label)) {
        if (!is_label(label)) {
            return false;
        }
    }
    return true;
}

static bool is_address(int family, struct gw_str text)
{
    char copy[INET6_ADDRSTRLEN];
    unsigned char address[sizeof(struct in6_addr)];
    if (text.len == 0 || text.len >= sizeof(copy) || memchr(text.ptr, '\0', text.len) != NULL) {
        return false;
    }
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    return inet_pton(family, copy, address) == 1;
}

bool gw_schema_is_ipv4(struct gw_str text)
{
    return is_address(AF_INET, text);
}

bool gw_schema_is_ipv6(struct gw_str text)
{
    return is_address(AF_INET6, text);
}

static bool is_quoted_local(struct gw_str local)
{
    if (local.len < 2 || local.ptr[0] != '"' || local.ptr[local.len - 1] != '"') {
        return false;
    }
    for (size_t i = 1; i < local.len - 1; i++) {
        unsigned char c = (unsigned char)local.ptr[i];
        if (c == '\\') {
            i++;
            c = (unsigned char)local.ptr[i];
            if (i == local.len - 1) {
                return false;
            }
        } else if (c == '"') {
            return false;
        }
        if (c < 0x20 || c > 0x7e) {
            return false;
        }
    }
    return true;
}

static bool is_dotted_local(struct gw_str local)
{
    struct gw_str atom;
    while (gw_str_split(&local, '.', &atom)) {
        if (atom.len == 0) {
            return false;
        }
        for (size_t i = 0; i < atom.len; i++) {
            if (!is_alnum(atom.ptr[i]) && !is_one_of(atom.ptr[i], "!#$%&'*+-/=?^_`{|}~")) {
                return false;
            }
        }
    }
    return true;
}

bool gw_schema_is_email(struct gw_str text)
{
    size_t at = text.len;
    while (at > 0 && text.ptr[at - 1] != '@') {
        at--;
    }
    if (at < 2 || at - 1 > LOCAL_MAX_BYTES) {
        return false;
    }
    struct gw_str local = gw_str(text.ptr, at - 1);
    struct gw_str domain = gw_str_skip(text, at);
    if (!is_quoted_local(local) && !is_dotted_local(local)) {
        return false;
    }
    if (domain.len > 2 && domain.ptr[0] == '[' && domain.ptr[domain.len - 1] == ']') {
        struct gw_str literal = gw_str(domain.ptr + 1, domain.len - 2);
        return gw_str_has_prefix(literal, GW_STR("IPv6:"))
                   ? gw_schema_is_ipv6(gw_str_skip(literal, 5))
                   : gw_schema_is_ipv4(literal);
    }
    return gw_schema_is_hostname(domain);
}

/* Only unreserved, sub-delims, escapes, and what stands in |more|? */
static bool is_made_of(struct gw_str text, const char *more)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '%') {
            if (text.len - i < 3 || gw_json_hex_digit((unsigned char)text.ptr[i + 1]) < 0 ||
                gw_json_hex_digit((unsigned char)text.ptr[i + 2]) < 0) {
                return false;
            }
            i += 2;
        } else if (!is_alnum(c) && !is_one_of(c, "-._~!$&'()*+,;=") && !is_one_of(c, more)) {
            return false;
        }
    }
    return true;
}

/* The inside of the brackets: an IPv6 address, or "v1.anything" of the future. */
static bool is_ip_literal(struct gw_str text)
{
    if (text.len == 0 || (text.ptr[0] != 'v' && text.ptr[0] != 'V')) {
        return gw_schema_is_ipv6(text);
    }
    size_t dot = gw_str_find_byte(text, '.');
    for (size_t i = 1; i < dot; i++) {
        if (gw_json_hex_digit((unsigned char)text.ptr[i]) < 0) {
            return false;
        }
    }
    struct gw_str rest = gw_str_skip(text, dot + 1);
    return dot > 1 && rest.len > 0 && gw_str_find_byte(rest, '%') == rest.len &&
           is_made_of(rest, ":");
}

static bool is_authority(struct gw_str text)
{
    size_t at = gw_str_find_byte(text, '@');
    if (at < text.len) {
        if (!is_made_of(gw_str(text.ptr, at), ":")) {
            return false;
        }
        text = gw_str_skip(text, at + 1);
    }
    struct gw_str port = gw_str(NULL, 0);
    if (text.len > 0 && text.ptr[0] == '[') {
        size_t close = gw_str_find_byte(text, ']');
        if (close == text.len || !is_ip_literal(gw_str(text.ptr + 1, close - 1))) {
            return false;
        }
        port = gw_str_skip(text, close + 1);
    } else {
        size_t colon = gw_str_find_byte(text, ':');
        if (!is_made_of(gw_str(text.ptr, colon), "")) {
            return false;
        }
        port = gw_str_skip(text, colon);
    }
    if (port.len > 0 && port.ptr[0] != ':') {
        return false;
    }
    for (size_t i = 1; i < port.len; i++) {
        if (port.ptr[i] < '0' || port.ptr[i] > '9') {
            return false;
        }
    }
    return true;
}

static bool is_well_formed(const struct gw_schema_uri *uri)
{
    if (uri->authority.ptr != NULL && !is_authority(uri->authority)) {
        return false;
    }
    if (uri->scheme.ptr == NULL && uri->authority.ptr == NULL) {
        /* What stands before a colon in the first segment would be a scheme. */
        struct gw_str first = gw_str(uri->path.ptr, gw_str_find_byte(uri->path, '/'));
        if (gw_str_find_byte(first, ':') < first.len) {
            return false;
        }
    }
    return is_made_of(uri->path, "/:@") && is_made_of(uri->query, "/:@?") &&
           is_made_of(uri->fragment, "/:@?");
}

bool gw_schema_is_uri(struct gw_str text)
{
    struct gw_schema_uri uri = gw_schema_uri_split(text);
    return uri.scheme.ptr != NULL && is_well_formed(&uri);
}

bool gw_schema_is_uri_reference(struct gw_str text)
{
    struct gw_schema_uri uri = gw_schema_uri_split(text);
    return is_well_formed(&uri);
}
