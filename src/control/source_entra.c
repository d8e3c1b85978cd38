/* SPDX-License-Identifier: MIT */
/* control/source_entra - one request, whichever way the gateway proves who it is. */
#include "control/token_source_int.h"
#include "provider/entra.h"

static enum gw_err choose(struct gw_token_fetch *fetch, struct gw_entra_opts *opts)
{
    opts->kind = GW_ENTRA_SECRET;
    if (gw_token_has(fetch, GW_TOKEN_FIELD_METADATA_URL)) {
        opts->kind = GW_ENTRA_MACHINE;
        opts->endpoint = gw_token_field_of(fetch, GW_TOKEN_FIELD_METADATA_URL);
    } else if (gw_token_has(fetch, GW_TOKEN_FIELD_IDENTITY_URL)) {
        opts->kind = GW_ENTRA_APP;
        opts->endpoint = gw_token_field_of(fetch, GW_TOKEN_FIELD_IDENTITY_URL);
    } else if (!gw_token_has(fetch, GW_TOKEN_FIELD_CLIENT_SECRET)) {
        opts->kind = GW_ENTRA_ASSERTION;
        return gw_token_read_file(fetch, gw_token_field_of(fetch, GW_TOKEN_FIELD_ASSERTION_FILE),
                                  &opts->assertion);
    }
    return GW_OK;
}

static enum gw_err ask(struct gw_token_fetch *fetch, enum gw_token_next *next)
{
    struct gw_entra_opts opts = {
        .authority = gw_token_field_of(fetch, GW_TOKEN_FIELD_AUTHORITY),
        .tenant = gw_token_field_of(fetch, GW_TOKEN_FIELD_TENANT),
        .client_id = gw_token_field_of(fetch, GW_TOKEN_FIELD_CLIENT_ID),
        .client_secret = gw_token_field_of(fetch, GW_TOKEN_FIELD_CLIENT_SECRET),
        .scope = gw_token_field_of(fetch, GW_TOKEN_FIELD_SCOPE),
        .identity_header = gw_token_field_of(fetch, GW_TOKEN_FIELD_IDENTITY_HEADER),
    };
    struct gw_entra_request made = {0};
    enum gw_err err = choose(fetch, &opts);
    err = err == GW_OK ? gw_entra_make_request(&opts, &fetch->arena, &made) : err;
    if (err != GW_OK) {
        return err;
    }
    fetch->request = (struct gw_token_request){.method = made.method,
                                               .url = made.url,
                                               .body = made.body,
                                               .is_inside = opts.kind == GW_ENTRA_MACHINE ||
                                                            opts.kind == GW_ENTRA_APP};
    if (made.content_type.len > 0) {
        gw_token_add_field(fetch, GW_STR("content-type"), made.content_type);
    }
    if (made.field_name.len > 0) {
        gw_token_add_field(fetch, made.field_name, made.field_value);
    }
    *next = GW_TOKEN_SEND;
    return GW_OK;
}

enum gw_err gw_token_step_entra(struct gw_token_fetch *fetch, const struct gw_token_answer *answer,
                                enum gw_token_next *next)
{
    if (answer == NULL) {
        return ask(fetch, next);
    }
    struct gw_str why = {0};
    enum gw_err err = gw_entra_read_token(answer->status, answer->body, fetch->now_ms,
                                          &fetch->arena, &fetch->token, &why);
    if (err != GW_OK) {
        return gw_token_fail(fetch, err, GW_STR_FMT, GW_STR_ARG(why));
    }
    *next = GW_TOKEN_DONE;
    return GW_OK;
}
