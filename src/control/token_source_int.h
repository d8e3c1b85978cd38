/* SPDX-License-Identifier: MIT */
/*
 * control/token_source_int - what the sources share.
 *
 * Source:   none
 * Shape:    the step functions of token_source.h by kind, and helpers for them
 * Units:    as in token_source.h
 * Limits:   as in token_source.h
 * Memory:   as in token_source.h
 * Threads:  as in token_source.h
 * Errors:   as in token_source.h
 */
#ifndef GW_CONTROL_TOKEN_SOURCE_INT_H
#define GW_CONTROL_TOKEN_SOURCE_INT_H

#include "control/token_source.h"

/* One kind's gw_token_step(). */
typedef enum gw_err gw_token_step_fn(struct gw_token_fetch *fetch,
                                     const struct gw_token_answer *answer,
                                     enum gw_token_next *next);

/* The kinds' own. */
gw_token_step_fn gw_token_step_google;
gw_token_step_fn gw_token_step_entra;
gw_token_step_fn gw_token_step_aws;

/* The text of a field of the spec. */
static inline struct gw_str gw_token_field_of(const struct gw_token_fetch *fetch,
                                              enum gw_token_field field)
{
    return fetch->spec->fields[field];
}

/* Was the field given? */
static inline bool gw_token_has(const struct gw_token_fetch *fetch, enum gw_token_field field)
{
    return fetch->spec->fields[field].len > 0;
}

/* Says why and returns |err|. */
GW_PRINTF(3, 4)
enum gw_err gw_token_fail(struct gw_token_fetch *fetch, enum gw_err err, const char *format, ...);

/*
 * Reads the file at |path| (NUL behind it) into the fetch's block; blanks at the end are left out.
 *
 * Errors: GW_ERR_NOT_FOUND, GW_ERR_IO, GW_ERR_TOO_LARGE, GW_ERR_NOMEM; with |why|.
 */
GW_MUST_USE enum gw_err gw_token_read_file(struct gw_token_fetch *fetch, struct gw_str path,
                                           struct gw_str *text);

/* Adds a field to the fetch's request; there is room for GW_AWS_MAX_FIELDS. */
void gw_token_add_field(struct gw_token_fetch *fetch, struct gw_str name, struct gw_str value);

#endif
