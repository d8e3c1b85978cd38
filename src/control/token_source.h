/* SPDX-License-Identifier: MIT */
/*
 * control/token_source - how each kind of source gets a token: which requests, in which order, and
 * what their answers mean. Reads files, sends nothing.
 *
 * Source:   provider/google_auth.h, provider/entra.h, provider/aws_credentials.h
 * Shape:    a step function per kind: first without an answer, then with the answer to the request
 *           it asked for, until it has a token or fails.
 * Units:    milliseconds since 1970
 * Limits:   GW_TOKEN_MAX_STEPS requests; files and answers of GW_TOKEN_FILE_BYTES and
 *           GW_TOKEN_ANSWER_BYTES; GW_TOKEN_ARENA_BYTES for all texts of one fetch
 * Memory:   everything is in the fetch's block, which is wiped at its end.
 * Threads:  one per fetch
 * Errors:   see gw_token_step(); |why| of the fetch tells more, without secrets.
 */
#ifndef GW_CONTROL_TOKEN_SOURCE_H
#define GW_CONTROL_TOKEN_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/compiler.h"
#include "base/err.h"
#include "base/str.h"
#include "control/token_spec.h"
#include "http/header.h"
#include "llm/token_slot.h"
#include "provider/aws_credentials.h"

#define GW_TOKEN_FILE_BYTES   (256u * 1024) /* AWS's files with hundreds of profiles */
#define GW_TOKEN_ANSWER_BYTES (256u * 1024)
#define GW_TOKEN_ARENA_BYTES  (1024u * 1024) /* two files, two answers, and what is made of them */
#define GW_TOKEN_MAX_STEPS    8              /* instance metadata and a role: four requests */
#define GW_TOKEN_WHY_BYTES    512

struct gw_token_request {
    struct gw_str method;
    struct gw_str url;
    struct gw_str body; /* or empty */
    struct gw_header fields[GW_AWS_MAX_FIELDS];
    size_t field_count;
    /* To the machine or what is beside it: by no proxy, plain http is fine, link-local addresses
     * too. */
    bool is_inside;
};

struct gw_token_answer {
    unsigned status;
    struct gw_str body;
    bool is_google_metadata; /* has the field that only Google's metadata server sets */
};

enum gw_token_next {
    GW_TOKEN_SEND, /* |request| is to be sent */
    GW_TOKEN_DONE, /* |token| is there */
};

struct gw_token_fetch {
    const struct gw_token_spec *spec;
    struct gw_arena arena; /* over |block| */
    char *block;
    uint64_t now_ms; /* of the current step */
    unsigned step_count;
    /* what the step function gives */
    struct gw_token_request request;
    struct gw_token token;
    char why[GW_TOKEN_WHY_BYTES];
    /* the source's own between steps */
    unsigned state;
    struct gw_str memory;
    struct gw_aws_role role;
};

/* Begins a fetch for |spec|, which must outlive it. Errors: GW_ERR_NOMEM. */
GW_MUST_USE enum gw_err gw_token_fetch_init(struct gw_token_fetch *fetch,
                                            const struct gw_token_spec *spec);

/* Wipes and frees what the fetch has. */
void gw_token_fetch_fini(struct gw_token_fetch *fetch);

/*
 * The next step: |answer| is NULL at first, then what came back for |request|.
 *
 * Errors: GW_ERR_REFUSED (the vendor said no), GW_ERR_PROTOCOL (no answer of its kind),
 * GW_ERR_NOT_FOUND (no file, or no credentials anywhere), GW_ERR_INVALID (a file or setting is
 * wrong), GW_ERR_UNSUPPORTED, GW_ERR_TOO_LARGE, GW_ERR_NOMEM; all with |why|.
 */
GW_MUST_USE enum gw_err gw_token_step(struct gw_token_fetch *fetch,
                                      const struct gw_token_answer *answer,
                                      enum gw_token_next *next);

#endif
