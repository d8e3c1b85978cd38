/* SPDX-License-Identifier: MIT */
/*
 * config/login_aws - AWS's logins: keys, profiles, roles, and what containers and machines have.
 * The variables are those of AWS's SDKs.
 */
#include "config/login_int.h"

#define AWS_METADATA  "http://169.254.169.254"
#define AWS_CONTAINER "http://169.254.170.2" /* what the RELATIVE_URI is relative to */
#define SESSION_NAME  "gatewire"

struct field {
    enum gw_token_field id;
    const char *names;
    const char *env;
};

static const struct field keys[] = {
    {GW_TOKEN_FIELD_ACCESS, "aws_access_key_id", "AWS_ACCESS_KEY_ID"},
    {GW_TOKEN_FIELD_SECRET, "aws_secret_access_key api_secret", "AWS_SECRET_ACCESS_KEY"},
    {GW_TOKEN_FIELD_SESSION, "aws_session_token", "AWS_SESSION_TOKEN"},
};

static const struct field roles[] = {
    {GW_TOKEN_FIELD_PROFILE, "aws_profile_name",
     "AWS_PROFILE AWS_DEFAULT_PROFILE AWS_PROFILE_NAME"},
    {GW_TOKEN_FIELD_ROLE, "aws_role_name", "AWS_ROLE_ARN AWS_ROLE_NAME"},
    {GW_TOKEN_FIELD_WEB_IDENTITY, "aws_web_identity_token", "AWS_WEB_IDENTITY_TOKEN"},
    {GW_TOKEN_FIELD_WEB_IDENTITY_FILE, "aws_web_identity_token_file",
     "AWS_WEB_IDENTITY_TOKEN_FILE"},
};

/* Not a login in themselves. */
static const struct field details[] = {
    {GW_TOKEN_FIELD_SESSION_NAME, "aws_session_name", "AWS_ROLE_SESSION_NAME AWS_SESSION_NAME"},
    {GW_TOKEN_FIELD_EXTERNAL_ID, "aws_external_id", "AWS_EXTERNAL_ID"},
    {GW_TOKEN_FIELD_STS_URL, "aws_sts_endpoint", "AWS_STS_ENDPOINT AWS_ENDPOINT_URL_STS"},
    {GW_TOKEN_FIELD_CREDENTIALS_FILE, "", "AWS_SHARED_CREDENTIALS_FILE"},
    {GW_TOKEN_FIELD_CONFIG_FILE, "", "AWS_CONFIG_FILE"},
};

static enum gw_err read_fields(const struct gw_login_ask *ask, const struct field *fields,
                               size_t count, bool with_env, struct gw_token_spec *spec)
{
    enum gw_err err = GW_OK;
    for (size_t i = 0; i < count && err == GW_OK; i++) {
        struct gw_login_text value;
        err = gw_login_read(ask, fields[i].names, with_env ? fields[i].env : "", &value);
        spec->fields[fields[i].id] = value.text;
    }
    return err;
}

static bool has(const struct gw_token_spec *spec, enum gw_token_field field)
{
    return spec->fields[field].len > 0;
}

/* A token that is a path: LiteLLM has one parameter for both. */
static void sort_web_identity(struct gw_token_spec *spec)
{
    struct gw_str *token = &spec->fields[GW_TOKEN_FIELD_WEB_IDENTITY];
    if (gw_str_has_prefix(*token, GW_STR("/"))) {
        spec->fields[GW_TOKEN_FIELD_WEB_IDENTITY_FILE] = *token;
        *token = gw_str(NULL, 0);
    }
}

static enum gw_err put_home(const struct gw_login_ask *ask, const char *below, struct gw_str *path)
{
    struct gw_str name = {0};
    struct gw_str home = {0};
    if (path->len > 0 || !gw_environment_get_first(ask->build->context.env, "HOME", &name, &home)) {
        return GW_OK;
    }
    *path = gw_arena_try_printf(ask->build->context.scratch, GW_STR_FMT "/.aws/%s",
                                GW_STR_ARG(home), below);
    return path->ptr == NULL ? GW_ERR_NOMEM : GW_OK;
}

static enum gw_err read_details(const struct gw_login_ask *ask, const struct gw_cloud *cloud,
                                struct gw_token_spec *spec)
{
    enum gw_err err = read_fields(ask, details, GW_ARRAY_LEN(details), true, spec);
    err = err == GW_OK
              ? put_home(ask, "credentials", &spec->fields[GW_TOKEN_FIELD_CREDENTIALS_FILE])
              : err;
    err = err == GW_OK ? put_home(ask, "config", &spec->fields[GW_TOKEN_FIELD_CONFIG_FILE]) : err;
    spec->fields[GW_TOKEN_FIELD_REGION] = cloud->region;
    if (!has(spec, GW_TOKEN_FIELD_SESSION_NAME)) {
        spec->fields[GW_TOKEN_FIELD_SESSION_NAME] = GW_STR(SESSION_NAME);
    }
    return err;
}

static enum gw_err read_container(const struct gw_login_ask *ask, struct gw_token_spec *spec)
{
    static const struct field fields[] = {
        {GW_TOKEN_FIELD_CONTAINER_URL, "", "AWS_CONTAINER_CREDENTIALS_FULL_URI"},
        {GW_TOKEN_FIELD_CONTAINER_TOKEN, "", "AWS_CONTAINER_AUTHORIZATION_TOKEN"},
        {GW_TOKEN_FIELD_CONTAINER_TOKEN_FILE, "", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"},
    };
    struct gw_login_text relative;
    enum gw_err err = read_fields(ask, fields, GW_ARRAY_LEN(fields), true, spec);
    err = err == GW_OK ? gw_login_read(ask, "", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", &relative)
                       : err;
    if (err == GW_OK && relative.text.len > 0) {
        spec->fields[GW_TOKEN_FIELD_CONTAINER_URL] = gw_arena_printf(
            ask->build->context.scratch, AWS_CONTAINER GW_STR_FMT, GW_STR_ARG(relative.text));
    }
    return err;
}

/* The machine is asked last, and only where nobody forbids it. */
static enum gw_err read_machine(const struct gw_login_ask *ask, struct gw_token_spec *spec)
{
    struct gw_login_text disabled;
    struct gw_login_text endpoint;
    enum gw_err err = gw_login_read(ask, "", "AWS_EC2_METADATA_DISABLED", &disabled);
    err =
        err == GW_OK ? gw_login_read(ask, "", "AWS_EC2_METADATA_SERVICE_ENDPOINT", &endpoint) : err;
    if (err == GW_OK && !gw_str_eq_nocase(disabled.text, GW_STR("true"))) {
        spec->fields[GW_TOKEN_FIELD_METADATA_URL] =
            endpoint.text.len > 0 ? endpoint.text : GW_STR(AWS_METADATA);
    }
    return err;
}

static struct gw_str label_of(const struct gw_login_ask *ask, const struct gw_token_spec *spec)
{
    static const struct {
        enum gw_token_field field;
        const char *what;
    } parts[] = {
        {GW_TOKEN_FIELD_ROLE, "AWS role "},
        {GW_TOKEN_FIELD_PROFILE, "AWS profile "},
        {GW_TOKEN_FIELD_ACCESS, "AWS access key "},
        {GW_TOKEN_FIELD_CONTAINER_URL, "AWS container credentials at "},
    };
    for (size_t i = 0; i < GW_ARRAY_LEN(parts); i++) {
        if (has(spec, parts[i].field)) {
            return gw_arena_printf(ask->build->context.scratch, "%s" GW_STR_FMT, parts[i].what,
                                   GW_STR_ARG(spec->fields[parts[i].field]));
        }
    }
    return GW_STR("AWS credentials of this machine");
}

/* Half a pair of keys is a mistake that would end in another account. */
static enum gw_err check_pair(const struct gw_login_ask *ask, const struct gw_token_spec *spec)
{
    if (has(spec, GW_TOKEN_FIELD_ACCESS) == has(spec, GW_TOKEN_FIELD_SECRET)) {
        return GW_OK;
    }
    gw_config_complain(&ask->build->context, true, ask->entry == NULL ? NULL : ask->entry->value,
                       "aws_access_key_id and aws_secret_access_key belong together; one of them "
                       "is not set");
    return GW_ERR_INVALID;
}

static bool is_login(const struct gw_token_spec *spec)
{
    return has(spec, GW_TOKEN_FIELD_ACCESS) || has(spec, GW_TOKEN_FIELD_PROFILE) ||
           has(spec, GW_TOKEN_FIELD_ROLE) || has(spec, GW_TOKEN_FIELD_WEB_IDENTITY) ||
           has(spec, GW_TOKEN_FIELD_WEB_IDENTITY_FILE);
}

static enum gw_err read_login(const struct gw_login_ask *ask, const struct gw_cloud *cloud,
                              bool with_env, struct gw_token_spec *spec)
{
    enum gw_err err = read_fields(ask, keys, GW_ARRAY_LEN(keys), with_env, spec);
    err = err == GW_OK ? read_fields(ask, roles, GW_ARRAY_LEN(roles), with_env, spec) : err;
    err = err == GW_OK ? check_pair(ask, spec) : err;
    sort_web_identity(spec);
    bool is_plain = has(spec, GW_TOKEN_FIELD_ACCESS) && !has(spec, GW_TOKEN_FIELD_ROLE);
    if (err == GW_OK && is_plain) {
        /* Keys win over a profile, as with AWS's own tools. */
        spec->kind = GW_TOKEN_STATIC;
        spec->fields[GW_TOKEN_FIELD_PROFILE] = gw_str(NULL, 0);
        return GW_OK;
    }
    return err == GW_OK ? read_details(ask, cloud, spec) : err;
}

enum gw_err gw_login_aws(const struct gw_login_ask *ask, const struct gw_cloud *cloud,
                         enum gw_login_origin origin, struct gw_token_slot **slot)
{
    struct gw_token_spec spec = {.kind = GW_TOKEN_AWS};
    bool is_own = origin == GW_LOGIN_OWN;
    enum gw_err err = read_login(ask, cloud, !is_own, &spec);
    if (err != GW_OK || (is_own && !is_login(&spec))) {
        return err;
    }
    /* A role without keys of its own is assumed with what the surroundings have. */
    bool needs_more = spec.kind == GW_TOKEN_AWS && !has(&spec, GW_TOKEN_FIELD_ACCESS) &&
                      !has(&spec, GW_TOKEN_FIELD_WEB_IDENTITY) &&
                      !has(&spec, GW_TOKEN_FIELD_WEB_IDENTITY_FILE);
    if (needs_more && is_own && !has(&spec, GW_TOKEN_FIELD_PROFILE)) {
        err = read_fields(ask, keys, GW_ARRAY_LEN(keys), true, &spec);
    }
    if (needs_more) {
        err = err == GW_OK ? read_container(ask, &spec) : err;
        err = err == GW_OK ? read_machine(ask, &spec) : err;
    }
    spec.label = label_of(ask, &spec);
    return err == GW_OK ? gw_login_acquire(ask, &spec, slot) : err;
}
