/* SPDX-License-Identifier: MIT */
/*
 * control/token_spec - what a token source needs to know to get its first token and all later ones.
 *
 * Source:   shared/providers: vertex.md section 2, azure.md section 2, bedrock.md section 6
 * Shape:    plain texts, filled in by the configuration from the file and the environment: the
 *           control thread itself reads no variable. Two specs with the same texts are the same
 *           source. An empty text is one that was not given.
 * Units:    none
 * Limits:   GW_TOKEN_SPEC_MAX_BYTES for all texts of one spec
 * Memory:   views; gw_token_book_acquire() copies them
 * Threads:  any (plain values)
 * Errors:   none
 */
#ifndef GW_CONTROL_TOKEN_SPEC_H
#define GW_CONTROL_TOKEN_SPEC_H

#include <stdbool.h>

#include "base/str.h"

/* A service account's key file has 2.5 KiB, a federated token some 8 KiB. */
#define GW_TOKEN_SPEC_MAX_BYTES (128u * 1024)

enum gw_token_kind {
    GW_TOKEN_STATIC, /* ACCESS, SECRET, SESSION as they are; never refreshed */
    GW_TOKEN_GOOGLE,
    GW_TOKEN_ENTRA,
    GW_TOKEN_AWS,
};

/*
 * XX(id). An address among them is asked only because it stands here: an empty METADATA_URL keeps
 * a source away from the metadata service.
 */
#define GW_TOKEN_FIELD_MAP(XX)                                                                     \
    /* keys that do not change (STATIC), or that AWS roles are assumed with (AWS) */               \
    XX(ACCESS)                                                                                     \
    XX(SECRET)                                                                                     \
    XX(SESSION)                                                                                    \
    /* Google: the JSON of a credentials file, or its path (read at every refresh) */              \
    XX(KEY_JSON)                                                                                   \
    XX(KEY_FILE)                                                                                   \
    XX(SCOPE)        /* Google and Entra */                                                        \
    XX(METADATA_URL) /* "http://169.254.169.254": ask the machine's metadata service */            \
    /* Entra */                                                                                    \
    XX(TENANT)                                                                                     \
    XX(CLIENT_ID)                                                                                  \
    XX(CLIENT_SECRET)                                                                              \
    XX(ASSERTION_FILE) /* a federated token instead of the secret */                               \
    XX(AUTHORITY)      /* "https://login.microsoftonline.com" */                                   \
    XX(IDENTITY_URL)   /* App Service's IDENTITY_ENDPOINT, with IDENTITY_HEADER */                 \
    XX(IDENTITY_HEADER)                                                                            \
    /* AWS */                                                                                      \
    XX(REGION)                                                                                     \
    XX(PROFILE)                                                                                    \
    XX(CREDENTIALS_FILE)                                                                           \
    XX(CONFIG_FILE)                                                                                \
    XX(ROLE)                                                                                       \
    XX(SESSION_NAME)                                                                               \
    XX(EXTERNAL_ID)                                                                                \
    XX(WEB_IDENTITY)      /* a token */                                                            \
    XX(WEB_IDENTITY_FILE) /* or the path of one */                                                 \
    XX(STS_URL)           /* "https://sts.eu-west-1.amazonaws.com" */                              \
    XX(CONTAINER_URL)     /* ECS and EKS */                                                        \
    XX(CONTAINER_TOKEN)                                                                            \
    XX(CONTAINER_TOKEN_FILE)                                                                       \
    /* How the vendor is reached, as upstream.* says */                                            \
    XX(PROXY) /* "off": none; empty: as the environment says */                                    \
    XX(CA_FILE)

enum gw_token_field {
#define XX(id) GW_TOKEN_FIELD_##id,
    GW_TOKEN_FIELD_MAP(XX)
#undef XX
        GW_TOKEN_FIELD_COUNT,
};

struct gw_token_spec {
    enum gw_token_kind kind;
    /* For logs, without secrets: "Google service account in /run/key.json". */
    struct gw_str label;
    bool is_insecure; /* certificates are not checked: upstream.insecure */
    struct gw_str fields[GW_TOKEN_FIELD_COUNT];
};

#endif
