/* SPDX-License-Identifier: MIT */
/*
 * control/token_http - requests for tokens, by libcurl; several at a time on one thread.
 *
 * Source:   libcurl's multi interface
 * Shape:    start requests, wait, take what is done. Redirects are not followed: a token is given
 *           where it is asked for.
 * Units:    milliseconds
 * Limits:   GW_TOKEN_ANSWER_BYTES per answer; GW_TOKEN_HTTP_* times
 * Memory:   an answer lives until gw_token_call_destroy(), which wipes it.
 * Threads:  one thread; gw_token_http_wait() also looks at one descriptor that others wake it by.
 * Errors:   see the functions.
 *
 * Only requests that say so reach link-local addresses, where clouds keep their credentials; all
 * others go by https, but to this machine itself.
 */
#ifndef GW_CONTROL_TOKEN_HTTP_H
#define GW_CONTROL_TOKEN_HTTP_H

#include "control/token_source.h"

#define GW_TOKEN_HTTP_TIMEOUT_MS 20000 /* Entra may take some seconds */
#define GW_TOKEN_HTTP_INSIDE_TIMEOUT_MS                                                            \
    5000 /* a machine without a metadata service never answers */

struct gw_token_http;
struct gw_token_call;

/* NULL when libcurl cannot be used. */
struct gw_token_http *gw_token_http_create(void);

/* Ends the client; all calls are destroyed already; NULL-safe, clears the pointer. */
void gw_token_http_destroy(struct gw_token_http **http);

/*
 * Starts |request|, reached as |spec| says (proxy, CA). |user| comes back with the call.
 *
 * Errors: GW_ERR_INVALID (an address that may not be asked), GW_ERR_NOMEM.
 */
GW_MUST_USE enum gw_err gw_token_call_create(struct gw_token_http *http,
                                             const struct gw_token_request *request,
                                             const struct gw_token_spec *spec, void *user,
                                             struct gw_token_call **out);

/* Ends a call, also one under way; NULL-safe, clears the pointer. */
void gw_token_call_destroy(struct gw_token_call **call);

/* Waits until something happens, |wake_fd| is readable, or |timeout_ms| are over. */
void gw_token_http_wait(struct gw_token_http *http, int wake_fd, int timeout_ms);

/* A call that is over, or NULL; |user| of gw_token_call_create() in *user. Each is given once. */
struct gw_token_call *gw_token_http_next_done(struct gw_token_http *http, void **user);

/*
 * What came back.
 *
 * Errors: GW_ERR_TIMEOUT, GW_ERR_DNS, GW_ERR_REFUSED, GW_ERR_TLS, GW_ERR_TOO_LARGE, GW_ERR_IO; then
 * *why is a text for the log.
 */
GW_MUST_USE enum gw_err gw_token_call_answer(const struct gw_token_call *call,
                                             struct gw_token_answer *answer, const char **why);

#endif
