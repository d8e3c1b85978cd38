/* SPDX-License-Identifier: MIT */
/* provider/aws_requests - aws_credentials.h, the requests that get keys. */
#include <string.h>

#include "base/buf.h"
#include "http/url.h"
#include "provider/aws_credentials.h"
#include "provider/sigv4.h"

#define MAX_BODY_BYTES (64u * 1024) /* a web identity token has some KiB */

static void add_field(struct gw_aws_request *request, struct gw_str name, struct gw_str value)
{
    request->fields[request->field_count++] =
        (struct gw_header){.name = name, .value = value, .id = gw_header_lookup(name)};
}

/* |base| and |path| as one URL; ptr is NULL when there is no memory. */
static struct gw_str join(struct gw_str base, struct gw_str path, struct gw_arena *arena)
{
    struct gw_buf url;
    gw_buf_init(&url, MAX_BODY_BYTES);
    if (gw_str_has_suffix(base, GW_STR("/"))) {
        base.len--;
    }
    (void)gw_buf_append(&url, base);
    (void)gw_buf_append(&url, path);
    struct gw_str kept = gw_str(NULL, 0);
    if (url.err == GW_OK) {
        kept = gw_arena_try_dup(arena, gw_buf_str(&url));
    }
    gw_buf_fini(&url);
    return kept;
}

/* ---- containers ---- */

/* May keys be asked for there? Over TLS anywhere, in clear only inside the machine or its host. */
static bool is_trusted(const struct gw_url *url)
{
    static const struct gw_str hosts[] = {
        GW_STR_INIT("localhost"),      GW_STR_INIT("::1"),          GW_STR_INIT("169.254.170.2"),
        GW_STR_INIT("169.254.170.23"), GW_STR_INIT("fd00:ec2::23"),
    };
    if (url->is_unix) {
        return false;
    }
    for (size_t i = 0; i < GW_ARRAY_LEN(hosts); i++) {
        if (gw_str_eq_nocase(url->host, hosts[i])) {
            return true;
        }
    }
    bool is_loopback = gw_str_has_prefix(url->host, GW_STR("127."));
    for (size_t i = 0; i < url->host.len; i++) {
        char byte = url->host.ptr[i]; /* "127.evil.example" is none */
        is_loopback = is_loopback && (byte == '.' || (byte >= '0' && byte <= '9'));
    }
    return is_loopback || url->is_tls;
}

enum gw_err gw_aws_container_request(struct gw_str relative_uri, struct gw_str full_uri,
                                     struct gw_str token, struct gw_arena *arena,
                                     struct gw_aws_request *out)
{
    struct gw_url url;
    const char *why = NULL;
    *out = (struct gw_aws_request){.method = GW_STR("GET")};
    token = gw_str_trim(token);
    out->url = relative_uri.len > 0 ? join(GW_STR("http://169.254.170.2"), relative_uri, arena)
                                    : gw_arena_try_dup(arena, full_uri);
    if (out->url.ptr == NULL) {
        return GW_ERR_NOMEM;
    }
    bool is_path = relative_uri.len == 0 || relative_uri.ptr[0] == '/';
    if (!is_path || gw_url_parse(out->url, &url, &why) != GW_OK || !is_trusted(&url) ||
        !gw_header_value_is_valid(token)) {
        return GW_ERR_INVALID;
    }
    add_field(out, GW_STR("accept"), GW_STR("application/json"));
    if (token.len > 0) {
        add_field(out, GW_STR("authorization"), token);
    }
    return GW_OK;
}

/* ---- instance metadata ---- */

enum gw_err gw_aws_imds_token_request(struct gw_str base, struct gw_arena *arena,
                                      struct gw_aws_request *out)
{
    *out = (struct gw_aws_request){.method = GW_STR("PUT"),
                                   .url = join(base, GW_STR("/latest/api/token"), arena)};
    add_field(out, GW_STR("x-aws-ec2-metadata-token-ttl-seconds"), GW_STR("21600"));
    return out->url.ptr != NULL ? GW_OK : GW_ERR_NOMEM;
}

#define ROLE_PATH "/latest/meta-data/iam/security-credentials/"

static enum gw_err imds_request(struct gw_str url, struct gw_str token, struct gw_aws_request *out)
{
    *out = (struct gw_aws_request){.method = GW_STR("GET"), .url = url};
    if (token.len == 0 || !gw_header_value_is_valid(token)) {
        return GW_ERR_INVALID;
    }
    add_field(out, GW_STR("x-aws-ec2-metadata-token"), token);
    return url.ptr != NULL ? GW_OK : GW_ERR_NOMEM;
}

enum gw_err gw_aws_imds_role_request(struct gw_str base, struct gw_str token,
                                     struct gw_arena *arena, struct gw_aws_request *out)
{
    return imds_request(join(base, GW_STR(ROLE_PATH), arena), token, out);
}

enum gw_err gw_aws_imds_keys_request(struct gw_str base, struct gw_str token, struct gw_str answer,
                                     struct gw_arena *arena, struct gw_aws_request *out)
{
    struct gw_str rest = answer;
    struct gw_str role = {0};
    (void)gw_str_split(&rest, '\n', &role);
    role = gw_str_trim(role);
    bool is_name = role.len > 0 && role.len <= 128; /* IAM: 64 today */
    for (size_t i = 0; i < role.len; i++) {
        /* IAM's characters, none of which needs escaping in a path. */
        char byte = role.ptr[i];
        is_name = is_name && ((byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                              (byte >= '0' && byte <= '9') ||
                              (byte != '\0' && strchr("+=,.@_-", byte) != NULL));
    }
    if (!is_name) {
        return GW_ERR_INVALID;
    }
    struct gw_str path = gw_arena_printf(arena, ROLE_PATH GW_STR_FMT, GW_STR_ARG(role));
    return imds_request(join(base, path, arena), token, out);
}

/* ---- STS ---- */

static void append_escaped(struct gw_buf *out, struct gw_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        char byte = text.ptr[i];
        bool is_plain = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                        (byte >= '0' && byte <= '9') || byte == '-' || byte == '.' || byte == '_' ||
                        byte == '~';
        if (is_plain) {
            (void)gw_buf_append_byte(out, byte);
        } else {
            (void)gw_buf_appendf(out, "%%%02X", (unsigned)(unsigned char)byte);
        }
    }
}

static void append_member(struct gw_buf *out, struct gw_str name, struct gw_str value)
{
    if (value.len > 0) {
        (void)gw_buf_append_byte(out, '&');
        (void)gw_buf_append(out, name);
        (void)gw_buf_append_byte(out, '=');
        append_escaped(out, value);
    }
}

/* "https://sts.us-east-1.amazonaws.com"; ptr is NULL when there is no memory. */
static struct gw_str sts_endpoint(const struct gw_aws_role *role, struct gw_str region,
                                  struct gw_arena *arena)
{
    bool is_china = gw_str_has_prefix(region, GW_STR("cn-"));
    if (role->endpoint.len > 0) {
        return join(role->endpoint, GW_STR(""), arena);
    }
    return gw_arena_printf(arena, "https://sts." GW_STR_FMT ".amazonaws.com%s", GW_STR_ARG(region),
                           is_china ? ".cn" : "");
}

static struct gw_str region_of(const struct gw_aws_role *role)
{
    return role->region.len > 0 ? role->region : GW_STR("us-east-1");
}

/* What both actions have. Errors: GW_ERR_NOMEM, GW_ERR_INVALID, GW_ERR_TOO_LARGE. */
static enum gw_err make_sts_request(const struct gw_aws_role *role, struct gw_str action,
                                    struct gw_str extra_name, struct gw_str extra,
                                    struct gw_arena *arena, struct gw_aws_request *out)
{
    struct gw_buf body;
    struct gw_str session = role->session_name;
    if (role->role_arn.len == 0) {
        return GW_ERR_INVALID;
    }
    gw_buf_init(&body, MAX_BODY_BYTES);
    (void)gw_buf_append(&body, GW_STR("Version=2011-06-15"));
    append_member(&body, GW_STR("Action"), action);
    append_member(&body, GW_STR("RoleArn"), role->role_arn);
    append_member(&body, GW_STR("RoleSessionName"), session.len > 0 ? session : GW_STR("gatewire"));
    append_member(&body, extra_name, extra);
    enum gw_err err = body.err;
    *out = (struct gw_aws_request){
        .method = GW_STR("POST"),
        .url = join(sts_endpoint(role, region_of(role), arena), GW_STR("/"), arena),
    };
    if (err == GW_OK) {
        out->body = gw_arena_try_dup(arena, gw_buf_str(&body));
        err = out->body.ptr != NULL && out->url.ptr != NULL ? GW_OK : GW_ERR_NOMEM;
    }
    gw_buf_fini(&body);
    add_field(out, GW_STR("accept"), GW_STR("text/xml"));
    add_field(out, GW_STR("content-type"),
              GW_STR("application/x-www-form-urlencoded; charset=utf-8"));
    return err;
}

enum gw_err gw_aws_web_identity_request(const struct gw_aws_role *role, struct gw_str token,
                                        struct gw_arena *arena, struct gw_aws_request *out)
{
    token = gw_str_trim(token);
    if (token.len == 0) {
        return GW_ERR_INVALID;
    }
    return make_sts_request(role, GW_STR("AssumeRoleWithWebIdentity"), GW_STR("WebIdentityToken"),
                            token, arena, out);
}

/* The host of an URL as the Host field has it: with a port that is not the scheme's own. */
static struct gw_str authority_of(struct gw_str url)
{
    struct gw_str rest = gw_str_skip(url, gw_str_find(url, GW_STR("://")) + 3);
    struct gw_str authority = gw_str(rest.ptr, gw_str_find_byte(rest, '/'));
    bool is_tls = gw_str_has_prefix(url, GW_STR("https:"));
    struct gw_str usual = is_tls ? GW_STR(":443") : GW_STR(":80");
    authority.len -= gw_str_has_suffix(authority, usual) ? usual.len : 0;
    return authority;
}

/* What stands behind the host. */
static struct gw_str path_of(struct gw_str url)
{
    struct gw_str rest = gw_str_skip(url, gw_str_find(url, GW_STR("://")) + 3);
    return gw_str_skip(rest, gw_str_find_byte(rest, '/'));
}

enum gw_err gw_aws_assume_role_request(const struct gw_aws_role *role,
                                       const struct gw_aws_keys *keys, uint64_t now_ms,
                                       struct gw_arena *arena, struct gw_aws_request *out)
{
    if (keys->access.len == 0 || keys->secret.len == 0) {
        return GW_ERR_INVALID;
    }
    enum gw_err err = make_sts_request(role, GW_STR("AssumeRole"), GW_STR("ExternalId"),
                                       role->external_id, arena, out);
    if (err != GW_OK) {
        return err;
    }
    struct gw_str authority = authority_of(out->url);
    const struct gw_sigv4_request request = {
        .access_key = keys->access,
        .secret_key = keys->secret,
        .session_token = keys->session,
        .region = region_of(role),
        .service = GW_STR("sts"),
        .method = out->method,
        .target = path_of(out->url),
        .host = authority,
        .fields = out->fields,
        .field_count = out->field_count,
        .body_runs = &out->body,
        .body_run_count = 1,
        .now_ms = now_ms,
    };
    struct gw_sigv4_fields fields;
    err = gw_sigv4_sign(&request, arena, &fields);
    if (err != GW_OK) {
        return err;
    }
    add_field(out, GW_STR("x-amz-date"), fields.date);
    add_field(out, GW_STR("authorization"), fields.authorization);
    if (keys->session.len > 0) {
        add_field(out, GW_STR("x-amz-security-token"), keys->session);
    }
    return GW_OK;
}
