/* SPDX-License-Identifier: MIT */
/*
 * provider/aws_credentials - where AWS keys come from: what the files say, which requests to send
 * to get temporary ones, and what the answers mean. All of it pure; who uses it reads the files and
 * sends the requests.
 *
 * Source:   shared/providers/bedrock.md section 6; AWS SDKs and Tools reference: "Shared config and
 *           credentials files", "Container credential provider", "IMDS credential provider"; AWS
 *           STS API reference (AssumeRole, AssumeRoleWithWebIdentity).
 * Shape:    the order that AWS's own tools have, each step with what to use here:
 *
 *           1. AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN: nothing to do.
 *           2. AWS_ROLE_ARN with AWS_WEB_IDENTITY_TOKEN_FILE (EKS), or the same in the profile:
 *              gw_aws_web_identity_request(), send, gw_aws_read_sts().
 *           3. the profile (AWS_PROFILE, else "default"): gw_aws_read_profile() over
 *              ~/.aws/credentials and then ~/.aws/config. With keys: done. With role_arn and
 *              source_profile: the keys of that profile, then gw_aws_assume_role_request(), send,
 *              gw_aws_read_sts().
 *           4. AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or _FULL_URI (ECS, EKS Pod Identity):
 *              gw_aws_container_request(), send, gw_aws_read_keys().
 *           5. instance metadata, version 2: gw_aws_imds_token_request(), then
 *              gw_aws_imds_role_request(), then gw_aws_imds_keys_request() with the role's name
 *              from the answer's first line, then gw_aws_read_keys().
 *
 *           Temporary keys are to be renewed GW_AWS_RENEW_MS before they expire.
 * Units:    milliseconds since 1970
 * Limits:   GW_AWS_MAX_TEXT_BYTES for files and answers; the profile's chain is the caller's to
 *           bound.
 * Memory:   results are views into the text that was read, or live in |arena|. Both hold secrets:
 *           the caller wipes them.
 * Threads:  any
 * Errors:   see the functions
 */
#ifndef GW_PROVIDER_AWS_CREDENTIALS_H
#define GW_PROVIDER_AWS_CREDENTIALS_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/compiler.h"
#include "base/err.h"
#include "base/str.h"
#include "http/header.h"

/* A file with hundreds of profiles, or an answer. */
#define GW_AWS_MAX_TEXT_BYTES (256u * 1024)
#define GW_AWS_RENEW_MS       (5u * 60 * 1000)
#define GW_AWS_MAX_FIELDS     6

/* Keys, temporary ones with session and expiry. */
struct gw_aws_keys {
    struct gw_str access;
    struct gw_str secret;
    struct gw_str session;  /* empty: they are lasting */
    uint64_t expires_at_ms; /* 0: never */
};

/* What one profile says; texts that are not there are empty. */
struct gw_aws_profile {
    struct gw_aws_keys keys;
    struct gw_str region;
    struct gw_str role_arn;
    struct gw_str source_profile;
    struct gw_str credential_source; /* "Environment", "Ec2InstanceMetadata", "EcsContainer" */
    struct gw_str external_id;
    struct gw_str role_session_name;
    struct gw_str web_identity_token_file;
};

/* A request to be sent. */
struct gw_aws_request {
    struct gw_str method;
    struct gw_str url; /* absolute; its scheme is http for metadata inside the machine or cluster */
    struct gw_header fields[GW_AWS_MAX_FIELDS];
    size_t field_count;
    struct gw_str body; /* or empty */
};

/*
 * Adds what |text| (a credentials or config file) says about |profile|; what *out has already
 * stays, so read the credentials file first. |is_config|: sections are named "profile x", but
 * "default".
 *
 * Errors: GW_ERR_NOT_FOUND (no such section), GW_ERR_TOO_LARGE.
 */
GW_MUST_USE enum gw_err gw_aws_read_profile(struct gw_str text, struct gw_str profile,
                                            bool is_config, struct gw_aws_profile *out);

/*
 * The container's credentials. |relative_uri| and |full_uri| are the environment's, one of them not
 * empty; |token| is AWS_CONTAINER_AUTHORIZATION_TOKEN or what stands in the file of that name, or
 * empty. A full URI must be https, or name the machine itself or the two fixed addresses of ECS and
 * EKS: keys are not asked for over an open network.
 *
 * Errors: GW_ERR_INVALID (not such an address), GW_ERR_NOMEM.
 */
GW_MUST_USE enum gw_err gw_aws_container_request(struct gw_str relative_uri, struct gw_str full_uri,
                                                 struct gw_str token, struct gw_arena *arena,
                                                 struct gw_aws_request *out);

/* Instance metadata: a token for the next two requests. |base| is "http://169.254.169.254" or
 * AWS_EC2_METADATA_SERVICE_ENDPOINT. Errors: GW_ERR_NOMEM. */
GW_MUST_USE enum gw_err gw_aws_imds_token_request(struct gw_str base, struct gw_arena *arena,
                                                  struct gw_aws_request *out);

/* Instance metadata: the role's name. Errors: GW_ERR_NOMEM, GW_ERR_INVALID (no token). */
GW_MUST_USE enum gw_err gw_aws_imds_role_request(struct gw_str base, struct gw_str token,
                                                 struct gw_arena *arena,
                                                 struct gw_aws_request *out);

/* Instance metadata: the role's keys; |answer| is the whole answer to the request before. Errors:
 * GW_ERR_NOMEM, GW_ERR_INVALID (no token, or no name of a role). */
GW_MUST_USE enum gw_err gw_aws_imds_keys_request(struct gw_str base, struct gw_str token,
                                                 struct gw_str answer, struct gw_arena *arena,
                                                 struct gw_aws_request *out);

/* Reads the JSON that containers and instances answer. Errors: GW_ERR_PROTOCOL (no keys in it),
 * GW_ERR_TOO_LARGE, GW_ERR_NOMEM. */
GW_MUST_USE enum gw_err gw_aws_read_keys(struct gw_str body, struct gw_arena *arena,
                                         struct gw_aws_keys *out);

/* What STS is asked for. |region| empty: the global endpoint's region, us-east-1. */
struct gw_aws_role {
    struct gw_str region;
    struct gw_str endpoint; /* instead of AWS's own, "https://sts.example"; or empty */
    struct gw_str role_arn;
    struct gw_str session_name; /* empty: "gatewire" */
    struct gw_str external_id;  /* AssumeRole only; or empty */
};

/* AssumeRoleWithWebIdentity, which is not signed: |token| (what stands in the file) is the proof.
 * Errors: GW_ERR_NOMEM, GW_ERR_INVALID (no role or no token). */
GW_MUST_USE enum gw_err gw_aws_web_identity_request(const struct gw_aws_role *role,
                                                    struct gw_str token, struct gw_arena *arena,
                                                    struct gw_aws_request *out);

/* AssumeRole, signed with |keys| at |now_ms|. Errors: GW_ERR_NOMEM, GW_ERR_INVALID (no role or no
 * keys), GW_ERR_TOO_LARGE. */
GW_MUST_USE enum gw_err gw_aws_assume_role_request(const struct gw_aws_role *role,
                                                   const struct gw_aws_keys *keys, uint64_t now_ms,
                                                   struct gw_arena *arena,
                                                   struct gw_aws_request *out);

/*
 * Reads STS's XML answer to either. For an answer with another status than 200 ask
 * gw_aws_sts_error().
 *
 * Errors: GW_ERR_PROTOCOL (no keys in it), GW_ERR_TOO_LARGE, GW_ERR_NOMEM.
 */
GW_MUST_USE enum gw_err gw_aws_read_sts(struct gw_str body, struct gw_arena *arena,
                                        struct gw_aws_keys *out);

/* "AccessDenied: User ... is not authorized ..." of an error answer, for the log; empty when it has
 * none. Lives in the arena. */
struct gw_str gw_aws_sts_error(struct gw_str body, struct gw_arena *arena);

/* The time of "2026-11-21T10:11:12Z" (a fraction of a second is cut). Errors: GW_ERR_INVALID. */
GW_MUST_USE enum gw_err gw_aws_parse_time(struct gw_str text, uint64_t *ms);

#endif
