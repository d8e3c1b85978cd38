/* SPDX-License-Identifier: MIT */
/*
 * control/source_aws - AWS's chain: keys at hand, a web identity, a profile, the container, the
 * machine; and a role that is assumed with what was found.
 */
#include <string.h>

#include "control/token_source_int.h"

/* What the answer that comes next is. */
enum state {
    START,
    STS,          /* keys of a role */
    CONTAINER,    /* keys */
    IMDS_SESSION, /* a token for the next two */
    IMDS_ROLE,    /* the name of the machine's role */
    IMDS_KEYS,    /* keys */
};

static enum gw_err send(struct gw_token_fetch *fetch, enum gw_err made,
                        const struct gw_aws_request *request, enum state state,
                        enum gw_token_next *next)
{
    if (made != GW_OK) {
        return made;
    }
    fetch->request = (struct gw_token_request){.method = request->method,
                                               .url = request->url,
                                               .body = request->body,
                                               .field_count = request->field_count,
                                               .is_inside = state != STS};
    memcpy(fetch->request.fields, request->fields, sizeof(fetch->request.fields));
    fetch->state = state;
    *next = GW_TOKEN_SEND;
    return GW_OK;
}

static struct gw_aws_role role_of(const struct gw_token_fetch *fetch)
{
    return (struct gw_aws_role){
        .region = gw_token_field_of(fetch, GW_TOKEN_FIELD_REGION),
        .endpoint = gw_token_field_of(fetch, GW_TOKEN_FIELD_STS_URL),
        .role_arn = gw_token_field_of(fetch, GW_TOKEN_FIELD_ROLE),
        .session_name = gw_token_field_of(fetch, GW_TOKEN_FIELD_SESSION_NAME),
        .external_id = gw_token_field_of(fetch, GW_TOKEN_FIELD_EXTERNAL_ID),
    };
}

/* Keys were found: they are the token, or what the role is assumed with. */
static enum gw_err use_keys(struct gw_token_fetch *fetch, const struct gw_aws_keys *keys,
                            enum gw_token_next *next)
{
    struct gw_aws_request request = {0};
    if (fetch->role.role_arn.len > 0) {
        return send(
            fetch,
            gw_aws_assume_role_request(&fetch->role, keys, fetch->now_ms, &fetch->arena, &request),
            &request, STS, next);
    }
    fetch->token = (struct gw_token){.access = keys->access,
                                     .secret = keys->secret,
                                     .session = keys->session,
                                     .expires_at_ms = keys->expires_at_ms};
    *next = GW_TOKEN_DONE;
    return GW_OK;
}

static enum gw_err ask_web_identity(struct gw_token_fetch *fetch, struct gw_str file,
                                    enum gw_token_next *next)
{
    struct gw_aws_request request = {0};
    struct gw_str token = gw_token_field_of(fetch, GW_TOKEN_FIELD_WEB_IDENTITY);
    enum gw_err err = token.len > 0 ? GW_OK : gw_token_read_file(fetch, file, &token);
    if (err != GW_OK) {
        return err;
    }
    if (fetch->role.role_arn.len == 0) {
        return gw_token_fail(fetch, GW_ERR_INVALID, "a web identity needs the ARN of a role");
    }
    return send(fetch, gw_aws_web_identity_request(&fetch->role, token, &fetch->arena, &request),
                &request, STS, next);
}

static enum gw_err ask_container(struct gw_token_fetch *fetch, enum gw_token_next *next)
{
    struct gw_aws_request request = {0};
    struct gw_str token = gw_token_field_of(fetch, GW_TOKEN_FIELD_CONTAINER_TOKEN);
    enum gw_err err = GW_OK;
    if (gw_token_has(fetch, GW_TOKEN_FIELD_CONTAINER_TOKEN_FILE)) {
        err = gw_token_read_file(
            fetch, gw_token_field_of(fetch, GW_TOKEN_FIELD_CONTAINER_TOKEN_FILE), &token);
    }
    if (err != GW_OK) {
        return err;
    }
    err = gw_aws_container_request(gw_str(NULL, 0),
                                   gw_token_field_of(fetch, GW_TOKEN_FIELD_CONTAINER_URL), token,
                                   &fetch->arena, &request);
    if (err == GW_ERR_INVALID) {
        return gw_token_fail(fetch, err,
                             "the container's address is neither https nor on this machine");
    }
    return send(fetch, err, &request, CONTAINER, next);
}

/* Keys that the machine or its container has. */
static enum gw_err ask_around(struct gw_token_fetch *fetch, enum gw_token_next *next)
{
    struct gw_aws_request request = {0};
    if (gw_token_has(fetch, GW_TOKEN_FIELD_CONTAINER_URL)) {
        return ask_container(fetch, next);
    }
    if (!gw_token_has(fetch, GW_TOKEN_FIELD_METADATA_URL)) {
        return gw_token_fail(fetch, GW_ERR_NOT_FOUND, "no AWS credentials were found");
    }
    return send(fetch,
                gw_aws_imds_token_request(gw_token_field_of(fetch, GW_TOKEN_FIELD_METADATA_URL),
                                          &fetch->arena, &request),
                &request, IMDS_SESSION, next);
}

/* GW_ERR_NOT_FOUND: neither file has the profile. */
static enum gw_err read_profile(struct gw_token_fetch *fetch, struct gw_str name,
                                struct gw_aws_profile *profile)
{
    static const enum gw_token_field files[] = {GW_TOKEN_FIELD_CREDENTIALS_FILE,
                                                GW_TOKEN_FIELD_CONFIG_FILE};
    bool is_found = false;
    for (size_t i = 0; i < GW_ARRAY_LEN(files); i++) {
        struct gw_str text = {0};
        if (!gw_token_has(fetch, files[i])) {
            continue;
        }
        enum gw_err err = gw_token_read_file(fetch, gw_token_field_of(fetch, files[i]), &text);
        if (err == GW_OK) {
            err = gw_aws_read_profile(text, name, files[i] == GW_TOKEN_FIELD_CONFIG_FILE, profile);
        }
        if (err != GW_OK && err != GW_ERR_NOT_FOUND) {
            return err;
        }
        is_found = is_found || err == GW_OK;
    }
    return is_found ? GW_OK
                    : gw_token_fail(fetch, GW_ERR_NOT_FOUND,
                                    "there is no AWS profile \"" GW_STR_FMT "\"", GW_STR_ARG(name));
}

/* The profile's own role, unless the configuration named one. */
static void take_role(struct gw_token_fetch *fetch, const struct gw_aws_profile *profile)
{
    if (fetch->role.role_arn.len > 0 || profile->role_arn.len == 0) {
        return;
    }
    fetch->role.role_arn = profile->role_arn;
    if (profile->external_id.len > 0) {
        fetch->role.external_id = profile->external_id;
    }
    if (profile->role_session_name.len > 0) {
        fetch->role.session_name = profile->role_session_name;
    }
}

static enum gw_err use_profile(struct gw_token_fetch *fetch, const struct gw_aws_profile *profile,
                               enum gw_token_next *next)
{
    take_role(fetch, profile);
    if (profile->web_identity_token_file.len > 0) {
        struct gw_str path = gw_arena_try_dup(&fetch->arena, profile->web_identity_token_file);
        return path.ptr == NULL ? GW_ERR_NOMEM : ask_web_identity(fetch, path, next);
    }
    if (profile->source_profile.len > 0) {
        struct gw_aws_profile source = {0};
        enum gw_err err = read_profile(fetch, profile->source_profile, &source);
        if (err == GW_OK && source.keys.access.len == 0) {
            err = gw_token_fail(fetch, GW_ERR_UNSUPPORTED,
                                "the source profile \"" GW_STR_FMT "\" has no keys of its own",
                                GW_STR_ARG(profile->source_profile));
        }
        return err == GW_OK ? use_keys(fetch, &source.keys, next) : err;
    }
    return profile->keys.access.len > 0 ? use_keys(fetch, &profile->keys, next)
                                        : ask_around(fetch, next);
}

static enum gw_err start(struct gw_token_fetch *fetch, enum gw_token_next *next)
{
    fetch->role = role_of(fetch);
    if (gw_token_has(fetch, GW_TOKEN_FIELD_ACCESS)) {
        const struct gw_aws_keys keys = {.access = gw_token_field_of(fetch, GW_TOKEN_FIELD_ACCESS),
                                         .secret = gw_token_field_of(fetch, GW_TOKEN_FIELD_SECRET),
                                         .session =
                                             gw_token_field_of(fetch, GW_TOKEN_FIELD_SESSION)};
        return use_keys(fetch, &keys, next);
    }
    if (gw_token_has(fetch, GW_TOKEN_FIELD_WEB_IDENTITY) ||
        gw_token_has(fetch, GW_TOKEN_FIELD_WEB_IDENTITY_FILE)) {
        return ask_web_identity(fetch, gw_token_field_of(fetch, GW_TOKEN_FIELD_WEB_IDENTITY_FILE),
                                next);
    }
    struct gw_aws_profile profile = {0};
    struct gw_str named = gw_token_field_of(fetch, GW_TOKEN_FIELD_PROFILE);
    enum gw_err err = read_profile(fetch, named.len > 0 ? named : GW_STR("default"), &profile);
    if (err == GW_ERR_NOT_FOUND && named.len == 0) {
        return ask_around(fetch, next); /* nobody asked for a profile */
    }
    return err == GW_OK ? use_profile(fetch, &profile, next) : err;
}

static enum gw_err read_sts(struct gw_token_fetch *fetch, const struct gw_token_answer *answer,
                            enum gw_token_next *next)
{
    struct gw_aws_keys keys = {0};
    if (answer->status != 200) {
        struct gw_str said = gw_aws_sts_error(answer->body, &fetch->arena);
        return gw_token_fail(fetch, GW_ERR_REFUSED, "STS answered %u%s" GW_STR_FMT, answer->status,
                             said.len > 0 ? ": " : "", GW_STR_ARG(said));
    }
    enum gw_err err = gw_aws_read_sts(answer->body, &fetch->arena, &keys);
    if (err != GW_OK) {
        return gw_token_fail(fetch, err, "the answer of STS has no keys");
    }
    fetch->role = (struct gw_aws_role){0}; /* these are its keys */
    return use_keys(fetch, &keys, next);
}

static enum gw_err read_keys(struct gw_token_fetch *fetch, const struct gw_token_answer *answer,
                             enum gw_token_next *next)
{
    struct gw_aws_keys keys = {0};
    enum gw_err err = gw_aws_read_keys(answer->body, &fetch->arena, &keys);
    return err == GW_OK ? use_keys(fetch, &keys, next)
                        : gw_token_fail(fetch, err, "the answer has no keys");
}

static enum gw_err read_imds(struct gw_token_fetch *fetch, const struct gw_token_answer *answer,
                             enum gw_token_next *next)
{
    struct gw_aws_request request = {0};
    struct gw_str base = gw_token_field_of(fetch, GW_TOKEN_FIELD_METADATA_URL);
    if (fetch->state == IMDS_SESSION) {
        fetch->memory = gw_arena_try_dup(&fetch->arena, gw_str_trim(answer->body));
        return send(fetch, gw_aws_imds_role_request(base, fetch->memory, &fetch->arena, &request),
                    &request, IMDS_ROLE, next);
    }
    return send(
        fetch, gw_aws_imds_keys_request(base, fetch->memory, answer->body, &fetch->arena, &request),
        &request, IMDS_KEYS, next);
}

enum gw_err gw_token_step_aws(struct gw_token_fetch *fetch, const struct gw_token_answer *answer,
                              enum gw_token_next *next)
{
    enum state state = (enum state)fetch->state;
    if (answer == NULL) {
        return start(fetch, next);
    }
    if (state != STS && answer->status != 200) {
        return gw_token_fail(fetch, GW_ERR_REFUSED, "the %s answered %u",
                             state == CONTAINER ? "container's credential service"
                                                : "machine's metadata service",
                             answer->status);
    }
    switch (state) {
    case STS:
        return read_sts(fetch, answer, next);
    case CONTAINER:
    case IMDS_KEYS:
        return read_keys(fetch, answer, next);
    case IMDS_SESSION:
    case IMDS_ROLE:
        return read_imds(fetch, answer, next);
    case START:
        break;
    }
    return gw_token_fail(fetch, GW_ERR_PROTOCOL, "an answer that nobody asked for");
}
