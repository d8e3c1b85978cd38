/* SPDX-License-Identifier: MIT */
/* control/source_google - an assertion or a refresh token, or the machine's own account. */
#include "control/token_source_int.h"
#include "provider/google_auth.h"

#define REQUEST_BYTES (64u * 1024) /* an assertion has 1 KiB */

/* The file is read each time: who rotates keys replaces it. */
static enum gw_err read_credential(struct gw_token_fetch *fetch,
                                   struct gw_google_credential **credential)
{
    struct gw_str json = gw_token_field_of(fetch, GW_TOKEN_FIELD_KEY_JSON);
    const char *why = NULL;
    enum gw_err err =
        json.len > 0
            ? GW_OK
            : gw_token_read_file(fetch, gw_token_field_of(fetch, GW_TOKEN_FIELD_KEY_FILE), &json);
    if (err != GW_OK) {
        return err;
    }
    err = gw_google_credential_create(json, credential, &why);
    return err == GW_OK ? GW_OK
                        : gw_token_fail(fetch, err, "the credentials cannot be used: %s",
                                        why != NULL ? why : gw_err_text(err));
}

static enum gw_err write_request(struct gw_token_fetch *fetch,
                                 const struct gw_google_credential *credential)
{
    struct gw_buf body;
    gw_buf_init(&body, REQUEST_BYTES);
    enum gw_err err = gw_google_write_token_request(credential, fetch->now_ms / 1000, &body);
    fetch->request.method = GW_STR("POST");
    fetch->request.url = gw_arena_try_dup(&fetch->arena, gw_google_token_uri(credential));
    if (err == GW_OK) {
        fetch->request.body = gw_arena_try_dup(&fetch->arena, gw_buf_str(&body));
        bool is_whole = fetch->request.body.ptr != NULL && fetch->request.url.ptr != NULL;
        err = is_whole ? GW_OK : GW_ERR_NOMEM;
    }
    if (body.ptr != NULL) {
        explicit_bzero(body.ptr, body.len);
    }
    gw_buf_fini(&body);
    gw_token_add_field(fetch, GW_STR("content-type"), GW_STR(GW_GOOGLE_FORM_TYPE));
    return err;
}

static enum gw_err ask_google(struct gw_token_fetch *fetch)
{
    struct gw_google_credential *credential = NULL;
    enum gw_err err = read_credential(fetch, &credential);
    err = err == GW_OK ? write_request(fetch, credential) : err;
    gw_google_credential_destroy(&credential);
    return err;
}

static enum gw_err ask_machine(struct gw_token_fetch *fetch)
{
    fetch->request.method = GW_STR("GET");
    fetch->request.is_inside = true;
    fetch->request.url = gw_arena_printf(
        &fetch->arena, GW_STR_FMT "%s",
        GW_STR_ARG(gw_token_field_of(fetch, GW_TOKEN_FIELD_METADATA_URL)), GW_GOOGLE_METADATA_PATH);
    gw_token_add_field(fetch, GW_STR("metadata-flavor"), GW_STR("Google"));
    return GW_OK;
}

static enum gw_err keep(struct gw_token_fetch *fetch, const struct gw_google_token *token)
{
    fetch->token = (struct gw_token){
        .access = gw_arena_try_dup(&fetch->arena, gw_str(token->access, token->access_len)),
        .expires_at_ms = fetch->now_ms + token->expires_in_s * 1000};
    return fetch->token.access.ptr == NULL ? GW_ERR_NOMEM : GW_OK;
}

enum gw_err gw_token_step_google(struct gw_token_fetch *fetch, const struct gw_token_answer *answer,
                                 enum gw_token_next *next)
{
    struct gw_google_token token;
    struct gw_google_refusal refusal = {0};
    bool is_machine = gw_token_has(fetch, GW_TOKEN_FIELD_METADATA_URL);
    *next = answer == NULL ? GW_TOKEN_SEND : GW_TOKEN_DONE;
    if (answer == NULL) {
        return is_machine ? ask_machine(fetch) : ask_google(fetch);
    }
    if (is_machine && !answer->is_google_metadata) {
        return gw_token_fail(fetch, GW_ERR_PROTOCOL,
                             "the answer is not Google's metadata server's");
    }
    enum gw_err err = gw_google_read_token(answer->status, answer->body, &token, &refusal);
    if (err != GW_OK) {
        return gw_token_fail(fetch, err, "%s%s", refusal.text,
                             refusal.is_clock_skew ? " (is this machine's clock right?)" : "");
    }
    err = keep(fetch, &token);
    explicit_bzero(&token, sizeof(token));
    return err;
}
