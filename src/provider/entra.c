/* SPDX-License-Identifier: MIT */
/* provider/entra - four ways to ask, one answer. */
#include "provider/entra.h"

#include "base/buf.h"
#include "json/value.h"

#define REQUEST_MAX_BYTES (64u * 1024) /* a federated token has some KiB */
#define ANSWER_MAX_BYTES  (64u * 1024)
#define WHY_MAX_BYTES     500 /* AADSTS texts end with trace numbers */

/* name=value with everything escaped that is not unreserved; '&' before all but the first. */
static void add_pair(struct gw_buf *out, struct gw_str name, struct gw_str value)
{
    static const char digits[] = "0123456789ABCDEF";
    char last = out->len > 0 ? out->ptr[out->len - 1] : '?';
    (void)gw_buf_append(out, last == '?' ? GW_STR("") : GW_STR("&"));
    (void)gw_buf_append(out, name);
    (void)gw_buf_append_byte(out, '=');
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.ptr[i];
        bool is_plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                        (c >= 'A' && c <= 'Z') || c == '-' || c == '_' || c == '.' || c == '~';
        if (is_plain) {
            (void)gw_buf_append_byte(out, (char)c);
        } else {
            (void)gw_buf_append_byte(out, '%');
            (void)gw_buf_append_byte(out, digits[c >> 4]);
            (void)gw_buf_append_byte(out, digits[c & 15]);
        }
    }
}

/* Moves what was built into the arena. */
static enum gw_err settle(struct gw_buf *text, struct gw_arena *arena, struct gw_str *out)
{
    enum gw_err err = text->err;
    if (err == GW_OK) {
        *out = gw_arena_try_dup(arena, gw_buf_str(text));
        err = out->ptr == NULL ? GW_ERR_NOMEM : GW_OK;
    }
    gw_buf_fini(text);
    return err;
}

static struct gw_str scope_of(const struct gw_entra_opts *opts)
{
    return opts->scope.len > 0 ? opts->scope : GW_STR(GW_ENTRA_SCOPE);
}

/* Managed identities want the resource, which is the scope without its end. */
static struct gw_str resource_of(const struct gw_entra_opts *opts)
{
    struct gw_str scope = scope_of(opts);
    struct gw_str end = GW_STR("/.default");
    return gw_str_has_suffix(scope, end) ? gw_str(scope.ptr, scope.len - end.len) : scope;
}

static enum gw_err make_grant(const struct gw_entra_opts *opts, struct gw_arena *arena,
                              struct gw_entra_request *out)
{
    bool has_secret = opts->kind == GW_ENTRA_SECRET;
    struct gw_str proof = has_secret ? opts->client_secret : opts->assertion;
    if (opts->tenant.len == 0 || opts->client_id.len == 0 || proof.len == 0) {
        return GW_ERR_INVALID;
    }
    struct gw_str authority =
        opts->authority.len > 0 ? opts->authority : GW_STR(GW_ENTRA_AUTHORITY);
    struct gw_buf body;
    gw_buf_init(&body, REQUEST_MAX_BYTES);
    add_pair(&body, GW_STR("grant_type"), GW_STR("client_credentials"));
    add_pair(&body, GW_STR("client_id"), opts->client_id);
    if (has_secret) {
        add_pair(&body, GW_STR("client_secret"), proof);
    } else {
        add_pair(&body, GW_STR("client_assertion_type"),
                 GW_STR("urn:ietf:params:oauth:client-assertion-type:jwt-bearer"));
        add_pair(&body, GW_STR("client_assertion"), gw_str_trim(proof));
    }
    add_pair(&body, GW_STR("scope"), scope_of(opts));
    *out = (struct gw_entra_request){
        .method = GW_STR("POST"),
        .url = gw_arena_printf(arena, GW_STR_FMT "/" GW_STR_FMT "/oauth2/v2.0/token",
                               GW_STR_ARG(authority), GW_STR_ARG(opts->tenant)),
        .content_type = GW_STR("application/x-www-form-urlencoded")};
    return settle(&body, arena, &out->body);
}

static enum gw_err make_get(const struct gw_entra_opts *opts, struct gw_str begin,
                            struct gw_str version, struct gw_arena *arena,
                            struct gw_entra_request *out)
{
    struct gw_buf url;
    gw_buf_init(&url, REQUEST_MAX_BYTES);
    (void)gw_buf_append(&url, begin);
    (void)gw_buf_append(&url, GW_STR("?"));
    add_pair(&url, GW_STR("api-version"), version);
    add_pair(&url, GW_STR("resource"), resource_of(opts));
    if (opts->client_id.len > 0) {
        add_pair(&url, GW_STR("client_id"), opts->client_id);
    }
    out->method = GW_STR("GET");
    return settle(&url, arena, &out->url);
}

static enum gw_err make_machine(const struct gw_entra_opts *opts, struct gw_arena *arena,
                                struct gw_entra_request *out)
{
    struct gw_str host = opts->endpoint.len > 0 ? opts->endpoint : GW_STR(GW_ENTRA_IMDS);
    *out =
        (struct gw_entra_request){.field_name = GW_STR("metadata"), .field_value = GW_STR("true")};
    return make_get(
        opts,
        gw_arena_printf(arena, GW_STR_FMT "/metadata/identity/oauth2/token", GW_STR_ARG(host)),
        GW_STR("2018-02-01"), arena, out);
}

static enum gw_err make_app(const struct gw_entra_opts *opts, struct gw_arena *arena,
                            struct gw_entra_request *out)
{
    if (opts->endpoint.len == 0 || opts->identity_header.len == 0) {
        return GW_ERR_INVALID;
    }
    *out = (struct gw_entra_request){.field_name = GW_STR("x-identity-header"),
                                     .field_value = opts->identity_header};
    return make_get(opts, opts->endpoint, GW_STR("2019-08-01"), arena, out);
}

enum gw_err gw_entra_make_request(const struct gw_entra_opts *opts, struct gw_arena *arena,
                                  struct gw_entra_request *out)
{
    struct gw_entra_request made = {0};
    enum gw_err err = GW_ERR_INVALID;
    switch (opts->kind) {
    case GW_ENTRA_SECRET:
    case GW_ENTRA_ASSERTION:
        err = make_grant(opts, arena, &made);
        break;
    case GW_ENTRA_MACHINE:
        err = make_machine(opts, arena, &made);
        break;
    case GW_ENTRA_APP:
        err = make_app(opts, arena, &made);
        break;
    }
    if (err == GW_OK) {
        *out = made;
    }
    return err;
}

/* ---- the answer ---- */

/* A number, or (managed identities) a text of digits. */
static bool read_count(yyjson_val *root, const char *key, uint64_t *count)
{
    yyjson_val *value = gw_json_get(root, key);
    if (yyjson_is_str(value)) {
        return gw_parse_u64(gw_json_text(value), count) == GW_OK;
    }
    *count = gw_json_get_u64(root, key, 0);
    return *count > 0;
}

/* Without an expiry it is asked for again after five minutes. */
static uint64_t read_expiry(yyjson_val *root, uint64_t now_ms)
{
    uint64_t seconds = 0;
    if (read_count(root, "expires_in", &seconds) && seconds < 366u * 24 * 3600) {
        return now_ms + seconds * 1000;
    }
    if (read_count(root, "expires_on", &seconds) && seconds < UINT32_MAX * UINT64_C(2)) {
        return seconds * 1000;
    }
    return now_ms + UINT64_C(300000);
}

static struct gw_str read_why(yyjson_val *root, unsigned status, struct gw_arena *arena)
{
    struct gw_str text = gw_json_get_text(root, "error_description");
    if (text.len == 0) {
        text = gw_json_get_text(root, "error");
    }
    text.len = gw_str_find_byte(text, '\r') < text.len ? gw_str_find_byte(text, '\r') : text.len;
    text.len = text.len < WHY_MAX_BYTES ? text.len : WHY_MAX_BYTES;
    return gw_arena_printf(arena, "the token server answered %u" GW_STR_FMT GW_STR_FMT, status,
                           GW_STR_ARG(text.len > 0 ? GW_STR(": ") : GW_STR("")), GW_STR_ARG(text));
}

static enum gw_err take_token(yyjson_val *root, uint64_t now_ms, struct gw_arena *arena,
                              struct gw_token *token)
{
    struct gw_str access = gw_json_get_text(root, "access_token");
    if (access.len == 0 || access.len > GW_TOKEN_MAX_BYTES) {
        return GW_ERR_PROTOCOL;
    }
    struct gw_str copy = gw_arena_try_dup(arena, access);
    if (copy.ptr == NULL) {
        return GW_ERR_NOMEM;
    }
    *token = (struct gw_token){.access = copy, .expires_at_ms = read_expiry(root, now_ms)};
    return GW_OK;
}

enum gw_err gw_entra_read_token(unsigned status, struct gw_str body, uint64_t now_ms,
                                struct gw_arena *arena, struct gw_token *token, struct gw_str *why)
{
    struct gw_json_reader reader;
    yyjson_val *root = NULL;
    gw_json_reader_init(&reader, ANSWER_MAX_BYTES);
    enum gw_err err = gw_json_read(&reader, body, &root);
    if (err != GW_ERR_NOMEM) {
        bool is_good = err == GW_OK && status == 200;
        err = is_good ? take_token(root, now_ms, arena, token) : GW_ERR_PROTOCOL;
        if (!is_good && status >= 400) {
            err = GW_ERR_REFUSED;
        }
    }
    if (err != GW_OK) {
        *why = err == GW_ERR_PROTOCOL && status == 200
                   ? GW_STR("the token server's answer has no access_token")
                   : read_why(root, status, arena);
    }
    gw_json_reader_fini(&reader);
    return err;
}
