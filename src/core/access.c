/* SPDX-License-Identifier: MIT */
/* core/access - see the header. */
#include "core/access.h"

#include "base/secret.h"
#include "net/address.h"

struct gw_str gw_access_key(const struct gw_request_head *head)
{
    struct gw_str bearer = GW_STR("Bearer ");
    struct gw_str field =
        gw_headers_get(head->headers, head->header_count, GW_HEADER_AUTHORIZATION);
    if (field.len > bearer.len && gw_str_eq_nocase(gw_str(field.ptr, bearer.len), bearer)) {
        return gw_str_trim(gw_str_skip(field, bearer.len));
    }
    static const enum gw_header_id others[] = {GW_HEADER_X_API_KEY, GW_HEADER_API_KEY,
                                               GW_HEADER_X_GOOG_API_KEY};
    for (size_t i = 0; i < GW_ARRAY_LEN(others); i++) {
        field = gw_headers_get(head->headers, head->header_count, others[i]);
        if (field.ptr != NULL) {
            return field;
        }
    }
    return gw_str(NULL, 0);
}

bool gw_access_is_granted(const struct gw_access_settings *access, struct gw_str key)
{
    bool granted = access->is_open;
    /* All keys are compared, so that the time does not tell which one came close. */
    for (size_t i = 0; i < access->key_count; i++) {
        granted = gw_secret_eq(access->keys[i], key) || granted;
    }
    return granted;
}

/* The host of "host:port", without brackets and without the dot that may end a name. */
static struct gw_str host_of(struct gw_str authority)
{
    if (gw_str_has_prefix(authority, GW_STR("["))) {
        authority = gw_str_skip(authority, 1);
        return gw_str(authority.ptr, gw_str_find_byte(authority, ']'));
    }
    struct gw_str host = gw_str(authority.ptr, gw_str_find_byte(authority, ':'));
    if (gw_str_has_suffix(host, GW_STR("."))) {
        host.len--;
    }
    return host;
}

static bool is_under(struct gw_str host, struct gw_str domain)
{
    return host.len > domain.len &&
           gw_str_eq_nocase(gw_str_skip(host, host.len - domain.len), domain);
}

/*
 * A page can make up a name only under a domain that its owner has in public DNS, which needs a
 * dot. .localhost (RFC 6761) and .internal (reserved by ICANN; host.docker.internal) are given to
 * nobody.
 */
static bool is_no_site(struct gw_str host)
{
    struct gw_address address;
    return gw_str_find_byte(host, '.') == host.len || is_under(host, GW_STR(".localhost")) ||
           is_under(host, GW_STR(".internal")) ||
           gw_address_from_literal(host, 0, &address) == GW_OK;
}

static bool is_listed(struct gw_str list, struct gw_str host)
{
    struct gw_str name;
    while (gw_str_split(&list, ',', &name)) {
        name = gw_str_trim(name);
        if (gw_str_eq(name, GW_STR("*")) || gw_str_eq_nocase(name, host)) {
            return true;
        }
    }
    return false;
}

bool gw_access_serves_host(const struct gw_access_settings *access, struct gw_str authority)
{
    struct gw_str host = host_of(authority);
    return !access->is_open || is_no_site(host) || is_listed(access->allowed_hosts, host);
}
