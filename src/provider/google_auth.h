/* SPDX-License-Identifier: MIT */
/*
 * provider/google_auth - how an access token of Google Cloud is asked for and read. No I/O: the
 * control thread sends the requests.
 *
 * Source:   shared/providers/vertex.md section 2; RFC 7515 (JWS), RFC 7523 (JWT bearer grant),
 *           RFC 6749 section 6 (refresh)
 * Shape:    a credential is made once of its JSON file. For each token:
 *             1. gw_google_write_token_request() makes the body of a POST to
 *                gw_google_token_uri(), Content-Type GW_GOOGLE_FORM_TYPE;
 *             2. gw_google_read_token() reads the answer, whatever its status;
 *             3. the token goes into a gw_token_slot until GW_GOOGLE_REFRESH_AHEAD_S before its
 *                expiry, when the next is asked for; the old one serves meanwhile.
 *           On Google's own machines there is no file: the token comes from a GET of
 *           http://{GW_GOOGLE_METADATA_HOST}{GW_GOOGLE_METADATA_PATH} with the field
 *           "Metadata-Flavor: Google", which the answer must carry too (else it is not from the
 *           metadata server); its body is read by gw_google_read_token() as well.
 * Units:    seconds since 1970 and seconds
 * Limits:   GW_GOOGLE_FILE_BYTES of a file, GW_GOOGLE_ANSWER_BYTES of an answer
 * Memory:   a credential owns its texts and its key; both are wiped when it is destroyed.
 * Threads:  immutable after create; any thread.
 * Errors:   see the functions. No text of an error holds any part of the key or a token.
 */
#ifndef GW_PROVIDER_GOOGLE_AUTH_H
#define GW_PROVIDER_GOOGLE_AUTH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/err.h"
#include "base/str.h"

#define GW_GOOGLE_FILE_BYTES      (64u * 1024) /* a key file has some 2.3 KiB */
#define GW_GOOGLE_ANSWER_BYTES    (64u * 1024) /* a token has some 1 KiB */
#define GW_GOOGLE_TOKEN_BYTES     (16u * 1024)
#define GW_GOOGLE_TOKEN_LIFE_S    3600u /* the longest that Google takes */
#define GW_GOOGLE_REFRESH_AHEAD_S 225u  /* as Google's own library: 3 m 45 s */
#define GW_GOOGLE_FORM_TYPE       "application/x-www-form-urlencoded"
#define GW_GOOGLE_SCOPE           "https://www.googleapis.com/auth/cloud-platform"
#define GW_GOOGLE_METADATA_HOST   "metadata.google.internal"
#define GW_GOOGLE_METADATA_PATH   "/computeMetadata/v1/instance/service-accounts/default/token"

struct gw_google_credential;

/*
 * Reads the JSON of a service account's key file, or of a user's application default credentials
 * ("authorized_user"). *out is the caller's; end it with gw_google_credential_destroy(). On failure
 * *why says what is wrong, static text.
 *
 * Errors: GW_ERR_INVALID (no such file), GW_ERR_UNSUPPORTED (another type: "external_account" and
 * others), GW_ERR_NOMEM.
 */
GW_MUST_USE enum gw_err gw_google_credential_create(struct gw_str json,
                                                    struct gw_google_credential **out,
                                                    const char **why);

/* Wipes and frees; NULL-safe, clears the pointer. */
void gw_google_credential_destroy(struct gw_google_credential **credential);

/* Where tokens are asked for: the file's token_uri, or Google's. */
struct gw_str gw_google_token_uri(const struct gw_google_credential *credential);

/* The project that the file names, for deployments that name none; or empty. */
struct gw_str gw_google_project(const struct gw_google_credential *credential);

/* Who the credential is, for logs: the service account's address, or empty. */
struct gw_str gw_google_account(const struct gw_google_credential *credential);

/*
 * Appends the assertion: a JWT signed by the service account's key (RS256), valid from |now_s| for
 * GW_GOOGLE_TOKEN_LIFE_S.
 *
 * Errors: GW_ERR_UNSUPPORTED (a user's credential signs nothing), GW_ERR_TLS (OpenSSL refused),
 * GW_ERR_NOMEM, GW_ERR_TOO_LARGE (|out|).
 */
GW_MUST_USE enum gw_err gw_google_write_assertion(const struct gw_google_credential *credential,
                                                  uint64_t now_s, struct gw_buf *out);

/*
 * Appends the form that asks for a token: with an assertion, or with a user's refresh token. It is
 * a secret as a whole.
 *
 * Errors: as gw_google_write_assertion(), without GW_ERR_UNSUPPORTED.
 */
GW_MUST_USE enum gw_err gw_google_write_token_request(const struct gw_google_credential *credential,
                                                      uint64_t now_s, struct gw_buf *out);

struct gw_google_token {
    char access[GW_GOOGLE_TOKEN_BYTES]; /* a secret: wipe it after use */
    size_t access_len;
    uint64_t expires_in_s;
};

/* Why there is no token. */
struct gw_google_refusal {
    bool is_retryable;  /* worth another try soon, by backing off */
    bool is_clock_skew; /* our clock seems wrong: Google does not take the assertion's times */
    char text[256];     /* for the log: what Google said, or what is wrong with its answer */
};

/*
 * Reads the answer of the token endpoint or of the metadata server.
 *
 * Errors: GW_ERR_REFUSED (|status| is not 200), GW_ERR_PROTOCOL (200 without a token); both with
 * *refusal filled in. *token is only written on success.
 */
GW_MUST_USE enum gw_err gw_google_read_token(unsigned status, struct gw_str body,
                                             struct gw_google_token *token,
                                             struct gw_google_refusal *refusal);

#endif
