/* SPDX-License-Identifier: MIT */
/*
 * provider/entra - requests for access tokens of Microsoft Entra ID, and their answers; who sends
 * them is the control thread's business.
 *
 * Source:   shared/providers/azure.md section 2
 * Shape:    pure functions
 * Units:    milliseconds since 1970
 * Limits:   tokens of at most GW_TOKEN_MAX_BYTES
 * Memory:   in the arena that is given, which holds secrets and should be wiped
 * Threads:  any
 * Errors:   see the functions
 */
#ifndef GW_PROVIDER_ENTRA_H
#define GW_PROVIDER_ENTRA_H

#include <stdint.h>

#include "base/arena.h"
#include "base/compiler.h"
#include "base/err.h"
#include "base/str.h"
#include "llm/token_slot.h"

#define GW_ENTRA_AUTHORITY "https://login.microsoftonline.com"
#define GW_ENTRA_SCOPE     "https://cognitiveservices.azure.com/.default"
#define GW_ENTRA_IMDS      "http://169.254.169.254"

enum gw_entra_kind {
    GW_ENTRA_SECRET,    /* client credentials with a secret */
    GW_ENTRA_ASSERTION, /* the same with a federated token: workload identity */
    GW_ENTRA_MACHINE,   /* managed identity of a virtual machine */
    GW_ENTRA_APP,       /* managed identity of an App Service */
};

struct gw_entra_opts {
    enum gw_entra_kind kind;
    struct gw_str authority;       /* empty: GW_ENTRA_AUTHORITY */
    struct gw_str tenant;          /* SECRET, ASSERTION */
    struct gw_str client_id;       /* managed identities: of a user-assigned one, or empty */
    struct gw_str client_secret;   /* SECRET */
    struct gw_str assertion;       /* ASSERTION: the content of $AZURE_FEDERATED_TOKEN_FILE */
    struct gw_str scope;           /* empty: GW_ENTRA_SCOPE */
    struct gw_str endpoint;        /* APP: $IDENTITY_ENDPOINT; MACHINE: empty is GW_ENTRA_IMDS */
    struct gw_str identity_header; /* APP: $IDENTITY_HEADER */
};

struct gw_entra_request {
    struct gw_str method;
    struct gw_str url;          /* the whole of it */
    struct gw_str content_type; /* empty: no body */
    struct gw_str body;
    struct gw_str field_name; /* one more field, lower case; or empty */
    struct gw_str field_value;
};

/*
 * Makes the request for a token.
 *
 * Errors: GW_ERR_NOMEM, GW_ERR_INVALID (a member that |opts|->kind needs is empty).
 */
GW_MUST_USE enum gw_err gw_entra_make_request(const struct gw_entra_opts *opts,
                                              struct gw_arena *arena, struct gw_entra_request *out);

/*
 * Reads the answer. On failure *why says in words what the server said; it holds no secret.
 *
 * Errors: GW_ERR_REFUSED (the server refuses), GW_ERR_PROTOCOL (no answer of its kind),
 * GW_ERR_NOMEM.
 */
GW_MUST_USE enum gw_err gw_entra_read_token(unsigned status, struct gw_str body, uint64_t now_ms,
                                            struct gw_arena *arena, struct gw_token *token,
                                            struct gw_str *why);

#endif
