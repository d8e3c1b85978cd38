/* SPDX-License-Identifier: MIT */
/*
 * config/build_origin - where exchanges go. Deployments that reach the same place in the same way
 * share one origin, and with it the pools of connections.
 */
#include <arpa/inet.h>
#include <openssl/evp.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/buf.h"
#include "config/build_int.h"

#define PROXY_USER_BYTES 512 /* user and password together */

static const struct {
    struct gw_str word;
    enum gw_http2_mode mode;
} http2_modes[] = {
    {GW_STR_INIT("auto"), GW_HTTP2_AUTO},
    {GW_STR_INIT("off"), GW_HTTP2_OFF},
    {GW_STR_INIT("prior"), GW_HTTP2_PRIOR},
};

bool gw_http2_mode_parse(const struct gw_setting_value *value, enum gw_http2_mode *mode)
{
    if (value->is_off || value->text.len == 0) {
        *mode = value->is_off ? GW_HTTP2_OFF : GW_HTTP2_AUTO;
        return true;
    }
    for (size_t i = 0; i < GW_ARRAY_LEN(http2_modes); i++) {
        if (gw_str_eq_nocase(http2_modes[i].word, value->text)) {
            *mode = http2_modes[i].mode;
            return true;
        }
    }
    return false;
}

static bool is_loopback_host(struct gw_str host)
{
    char text[INET6_ADDRSTRLEN];
    struct in_addr v4;
    struct in6_addr v6;
    if (gw_str_eq_nocase(host, GW_STR("localhost")) ||
        gw_str_has_suffix(host, GW_STR(".localhost"))) {
        return true;
    }
    if (host.len >= sizeof(text)) {
        return false;
    }
    memcpy(text, host.ptr, host.len);
    text[host.len] = '\0';
    if (inet_pton(AF_INET, text, &v4) == 1) {
        return ntohl(v4.s_addr) >> 24 == 127;
    }
    return inet_pton(AF_INET6, text, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

static bool has_suffix_nocase(struct gw_str text, struct gw_str suffix)
{
    return text.len >= suffix.len &&
           gw_str_eq_nocase(gw_str_skip(text, text.len - suffix.len), suffix);
}

/* One entry of NO_PROXY: "*", "host", "domain", ".domain", "*.domain", each also with ":port". */
static bool entry_matches(struct gw_str entry, struct gw_str host, uint16_t port)
{
    size_t colon = gw_str_find_byte(entry, ':');
    uint64_t entry_port = 0;
    if (colon < entry.len && gw_parse_u64(gw_str_skip(entry, colon + 1), &entry_port) == GW_OK) {
        if (entry_port != port) {
            return false;
        }
        entry = gw_str(entry.ptr, colon);
    }
    if (gw_str_eq(entry, GW_STR("*"))) {
        return true;
    }
    entry = gw_str_skip(entry, gw_str_has_prefix(entry, GW_STR("*.")) ? 2 : 0);
    entry = gw_str_skip(entry, gw_str_has_prefix(entry, GW_STR(".")) ? 1 : 0);
    if (entry.len == 0 || !has_suffix_nocase(host, entry)) {
        return false;
    }
    return host.len == entry.len || host.ptr[host.len - entry.len - 1] == '.';
}

bool gw_proxy_is_bypassed(struct gw_str no_proxy, struct gw_str host, uint16_t port)
{
    if (is_loopback_host(host)) {
        return true;
    }
    struct gw_str entry = {0};
    while (gw_str_split(&no_proxy, ',', &entry)) {
        if (entry_matches(gw_str_trim(entry), host, port)) {
            return true;
        }
    }
    return false;
}

struct gw_str gw_proxy_text(const struct gw_setting_value *value)
{
    return value->is_off ? GW_STR("off") : value->text;
}

struct gw_origin_wish gw_build_origin_defaults(const struct gw_config_build *build)
{
    const struct gw_setting_value *verify = gw_build_setting(build, GW_SETTING_SSL_VERIFY);
    const struct gw_setting_value *insecure = gw_build_setting(build, GW_SETTING_INSECURE);
    const struct gw_setting_value *ca_file = gw_build_setting(build, GW_SETTING_CA_FILE);
    struct gw_origin_wish wish = {
        .ca_file = ca_file->is_set ? ca_file->text : verify->text,
        .insecure = insecure->is_set ? insecure->number == 1 : verify->is_off,
        .proxy = gw_proxy_text(gw_build_setting(build, GW_SETTING_PROXY)),
    };
    const struct gw_setting_value *http2 = gw_build_setting(build, GW_SETTING_HTTP2);
    if (!gw_http2_mode_parse(http2, &wish.http2)) {
        gw_config_complain_setting(&build->context, true, http2, "expected auto, off or prior");
    }
    return wish;
}

GW_PRINTF(3, 4)
static enum gw_err refuse(const struct gw_config_build *build, const struct gw_origin_wish *wish,
                          const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    const struct gw_setting_value place = {.value = wish->value, .source = wish->source};
    gw_config_complain_setting(&build->context, true, &place, "%s", text);
    return GW_ERR_INVALID;
}

/* The proxy for |wish|: its own, or the environment's for that scheme; empty: none. */
static struct gw_str find_proxy(const struct gw_config_build *build,
                                const struct gw_origin_wish *wish, struct gw_str *source)
{
    static const char *const variables[] = {"HTTP_PROXY http_proxy", "HTTPS_PROXY https_proxy"};
    struct gw_str ignored = {0};
    struct gw_str no_proxy = {0};
    struct gw_str proxy = wish->proxy;
    if (wish->url.is_unix || gw_str_eq_nocase(proxy, GW_STR("off"))) {
        return gw_str(NULL, 0);
    }
    if (proxy.len > 0) {
        return is_loopback_host(wish->url.host) ? gw_str(NULL, 0) : proxy;
    }
    (void)gw_environment_get_first(build->context.env, "NO_PROXY no_proxy", &ignored, &no_proxy);
    if (gw_proxy_is_bypassed(no_proxy, wish->url.host, wish->url.port) ||
        !gw_environment_get_first(build->context.env, variables[wish->url.is_tls ? 1 : 0], source,
                                  &proxy)) {
        return gw_str(NULL, 0);
    }
    return proxy;
}

/* "user:password" of a proxy's URL as a header field. */
static enum gw_err authorize_proxy(struct gw_config_build *build, struct gw_str user_info,
                                   struct gw_str *authorization)
{
    if (user_info.len == 0) {
        return GW_OK;
    }
    char plain[PROXY_USER_BYTES];
    size_t len = 0;
    enum gw_err err = gw_url_decode(user_info, plain, sizeof(plain), &len);
    if (err != GW_OK) {
        return GW_ERR_INVALID;
    }
    static const char scheme[] = "Basic ";
    size_t size = sizeof(scheme) - 1 + (len + 2) / 3 * 4;
    char *text = gw_arena_try_alloc(gw_snapshot_arena(build->snapshot), size + 1);
    if (text != NULL) {
        memcpy(text, scheme, sizeof(scheme) - 1);
        EVP_EncodeBlock((unsigned char *)text + sizeof(scheme) - 1, (const unsigned char *)plain,
                        (int)len);
        *authorization = gw_str(text, size);
    }
    explicit_bzero(plain, sizeof(plain));
    return text == NULL ? GW_ERR_NOMEM : GW_OK;
}

static enum gw_err set_proxy(struct gw_config_build *build, const struct gw_origin_wish *wish,
                             struct gw_origin *origin)
{
    struct gw_str source = {0};
    struct gw_str proxy = find_proxy(build, wish, &source);
    if (proxy.len == 0) {
        return GW_OK;
    }
    struct gw_arena *arena = gw_snapshot_arena(build->snapshot);
    const struct gw_setting_value *setting = gw_build_setting(build, GW_SETTING_PROXY);
    struct gw_origin_wish place = *wish;
    place.source = source;
    if (source.len > 0 || proxy.ptr == setting->text.ptr) {
        place.value = source.len > 0 ? NULL : setting->value;
    }
    bool has_scheme = gw_str_find(proxy, GW_STR("://")) < proxy.len;
    struct gw_str text = has_scheme
                             ? gw_arena_try_dup(arena, proxy)
                             : gw_arena_try_printf(arena, "http://" GW_STR_FMT, GW_STR_ARG(proxy));
    struct gw_url url = {0};
    const char *why = NULL;
    if (text.ptr == NULL) {
        return GW_ERR_NOMEM;
    }
    if (gw_url_parse(text, &url, &why) != GW_OK || url.is_unix || url.is_tls) {
        return refuse(build, &place, "the proxy is not usable: %s",
                      why != NULL ? why : "only http:// proxies are spoken to");
    }
    enum gw_err err = authorize_proxy(build, url.user_info, &origin->proxy_authorization);
    if (err == GW_ERR_INVALID) {
        return refuse(build, &place,
                      "user and password of the proxy are not usable: bad escapes, or "
                      "too long");
    }
    origin->proxy_host = url.host;
    origin->proxy_port = url.port;
    return err;
}

static struct gw_str host_header(struct gw_config_build *build, const struct gw_origin *origin)
{
    struct gw_arena *arena = gw_snapshot_arena(build->snapshot);
    if (origin->unix_path.len > 0) {
        return GW_STR("localhost");
    }
    bool is_v6 = gw_str_find_byte(origin->host, ':') < origin->host.len;
    bool is_usual = origin->port == (origin->is_tls ? 443 : 80);
    struct gw_str host =
        is_v6 ? gw_arena_try_printf(arena, "[" GW_STR_FMT "]", GW_STR_ARG(origin->host))
              : origin->host;
    return is_usual ? host
                    : gw_arena_try_printf(arena, GW_STR_FMT ":%u", GW_STR_ARG(host), origin->port);
}

/* Everything that makes two connections interchangeable. Proxy credentials go in as a hash that is
 * good for this process only: the key may be logged. */
static struct gw_str write_key(struct gw_config_build *build, const struct gw_origin_wish *wish,
                               const struct gw_origin *origin)
{
    static const char *const http2[] = {
        [GW_HTTP2_AUTO] = "auto", [GW_HTTP2_OFF] = "off", [GW_HTTP2_PRIOR] = "prior"};
    unsigned long long authorization =
        origin->proxy_authorization.len > 0
            ? (unsigned long long)gw_str_hash(origin->proxy_authorization)
            : 0;
    return gw_arena_try_printf(
        gw_snapshot_arena(build->snapshot),
        "%s://" GW_STR_FMT ":%u unix=" GW_STR_FMT " http2=%s insecure=%d ca=" GW_STR_FMT
        " proxy=" GW_STR_FMT ":%u/%llx",
        origin->is_tls ? "https" : "http", GW_STR_ARG(origin->host), origin->port,
        GW_STR_ARG(origin->unix_path), http2[origin->http2], wish->insecure && origin->is_tls,
        GW_STR_ARG(origin->is_tls ? wish->ca_file : GW_STR("")), GW_STR_ARG(origin->proxy_host),
        origin->proxy_port, authorization);
}

static struct gw_str lower(struct gw_arena *arena, struct gw_str text)
{
    char *copy = gw_arena_try_alloc(arena, text.len + 1);
    for (size_t i = 0; copy != NULL && i < text.len; i++) {
        char c = text.ptr[i];
        copy[i] = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
    }
    if (copy != NULL) {
        copy[text.len] = '\0';
    }
    return gw_str(copy, text.len);
}

static enum gw_err fill(struct gw_config_build *build, const struct gw_origin_wish *wish,
                        struct gw_origin *origin)
{
    struct gw_arena *arena = gw_snapshot_arena(build->snapshot);
    *origin = (struct gw_origin){
        .is_tls = wish->url.is_tls,
        .host = lower(arena, wish->url.host),
        .port = wish->url.port,
        .unix_path = gw_arena_try_dup(arena, wish->url.unix_path),
        .http2 = wish->http2,
    };
    if (origin->host.ptr == NULL || origin->unix_path.ptr == NULL) {
        return GW_ERR_NOMEM;
    }
    enum gw_err err = set_proxy(build, wish, origin);
    if (err == GW_OK) {
        origin->host_header = host_header(build, origin);
        origin->key = write_key(build, wish, origin);
        err = origin->host_header.ptr == NULL || origin->key.ptr == NULL ? GW_ERR_NOMEM : GW_OK;
    }
    return err;
}

static enum gw_err set_trust(struct gw_config_build *build, const struct gw_origin_wish *wish,
                             struct gw_origin *origin)
{
    if (!origin->is_tls) {
        return GW_OK;
    }
    struct gw_str message = {0};
    enum gw_err err =
        gw_snapshot_trust(build->snapshot, wish->insecure ? gw_str("", 0) : wish->ca_file,
                          wish->insecure, &origin->tls, &message);
    return err == GW_OK || err == GW_ERR_NOMEM
               ? err
               : refuse(build, wish, GW_STR_FMT, GW_STR_ARG(message));
}

static enum gw_err append(struct gw_config_build *build, const struct gw_origin *origin)
{
    struct gw_snapshot *snapshot = build->snapshot;
    const struct gw_origin **origins =
        gw_arena_grow(gw_snapshot_arena(snapshot), snapshot->origins, snapshot->origin_count,
                      &snapshot->priv->origin_capacity, sizeof(*origins));
    if (origins == NULL) {
        return GW_ERR_NOMEM;
    }
    origins[snapshot->origin_count] = origin;
    snapshot->origins = origins;
    snapshot->origin_count++;
    return GW_OK;
}

/* The copy that is not used stays in the arena: without its password. */
static void forget(struct gw_origin *origin)
{
    union {
        const char *from;
        char *to;
    } bytes = {.from = origin->proxy_authorization.ptr};
    if (origin->proxy_authorization.len > 0) {
        explicit_bzero(bytes.to, origin->proxy_authorization.len);
    }
}

enum gw_err gw_build_origin(struct gw_config_build *build, const struct gw_origin_wish *wish,
                            const struct gw_origin **origin, size_t *index)
{
    struct gw_snapshot *snapshot = build->snapshot;
    struct gw_origin *candidate =
        gw_arena_try_alloc(gw_snapshot_arena(snapshot), sizeof(*candidate));
    enum gw_err err = candidate == NULL ? GW_ERR_NOMEM : fill(build, wish, candidate);
    if (err != GW_OK) {
        return err;
    }
    for (size_t i = 0; i < snapshot->origin_count; i++) {
        if (gw_str_eq(snapshot->origins[i]->key, candidate->key)) {
            forget(candidate);
            *origin = snapshot->origins[i];
            *index = i;
            return GW_OK;
        }
    }
    if (snapshot->origin_count == GW_CONFIG_MAX_ORIGINS) {
        return refuse(build, wish, "more than %d different endpoints", GW_CONFIG_MAX_ORIGINS);
    }
    err = set_trust(build, wish, candidate);
    if (err == GW_OK) {
        err = append(build, candidate);
    }
    if (err == GW_OK) {
        *origin = candidate;
        *index = snapshot->origin_count - 1;
    }
    return err;
}
