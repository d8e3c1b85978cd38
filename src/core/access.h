/* SPDX-License-Identifier: MIT */
/*
 * core/access - who may ask: the key a request carries, and the host it was sent to. Shared by the
 * API and the admin pages, so that both take the same keys.
 *
 * Source:   RFC 6750 section 2.1, RFC 9110 section 11.1 (the scheme's case does not matter);
 *           shared/providers/openai.md and compat.md for the other fields that carry keys.
 * Shape:    decisions about one request's head.
 * Units:    none
 * Limits:   the head's own
 * Memory:   views into the head; allocates nothing
 * Threads:  any
 * Errors:   none
 */
#ifndef GW_CORE_ACCESS_H
#define GW_CORE_ACCESS_H

#include <stdbool.h>

#include "base/str.h"
#include "config/snapshot.h"
#include "http/message.h"

/* What a refused host is told; the only text for it. */
#define GW_ACCESS_HOST_REFUSED                                                                     \
    "The gateway runs without a key and does not answer under this host name, because a web page " \
    "could have made it up (DNS rebinding). Set API_KEY, or name the host in "                     \
    "server.allowed_hosts, or use the IP address or localhost."

/* The key in |head|: of Authorization with the scheme Bearer, else of x-api-key, api-key or
 * x-goog-api-key; empty without one. */
struct gw_str gw_access_key(const struct gw_request_head *head);

/* Does |key| open the gateway? Takes the same time for all keys that do not; in open mode every
 * key does, and none. */
bool gw_access_is_granted(const struct gw_access_settings *access, struct gw_str key);

/*
 * Is a request for |authority| ("host:port" of Host or :authority) answered? Always when a key
 * exists. In open mode only for names that no web site can have: IP addresses, localhost, names
 * without a dot and under .internal, and those of access->allowed_hosts. Browsers always name a
 * host, so none at all (HTTP/1.0) is fine.
 */
bool gw_access_serves_host(const struct gw_access_settings *access, struct gw_str authority);

#endif
