/* SPDX-License-Identifier: MIT */
/* base/secret - see the header. */
#include "base/secret.h"

#include <string.h>

#include "base/alloc.h"

struct gw_secret {
    size_t len;
    char bytes[];
};

struct gw_secret *gw_secret_create(struct gw_str bytes)
{
    struct gw_secret *secret = gw_alloc(sizeof(*secret) + bytes.len);
    secret->len = bytes.len;
    if (bytes.len > 0) {
        memcpy(secret->bytes, bytes.ptr, bytes.len);
    }
    return secret;
}

void gw_secret_destroy(struct gw_secret **secret)
{
    if (*secret == NULL) {
        return;
    }
    explicit_bzero((*secret)->bytes, (*secret)->len);
    gw_free(*secret);
    *secret = NULL;
}

struct gw_str gw_secret_reveal(const struct gw_secret *secret)
{
    return secret == NULL ? gw_str(NULL, 0) : gw_str(secret->bytes, secret->len);
}

bool gw_secret_eq(const struct gw_secret *secret, struct gw_str candidate)
{
    if (secret == NULL) {
        return false;
    }
    /* The loop runs over the candidate, so its time tells the attacker only the length of what he
     * sent himself. */
    unsigned char differs = secret->len != candidate.len;
    for (size_t i = 0; i < candidate.len; i++) {
        unsigned char own = secret->len > 0 ? (unsigned char)secret->bytes[i % secret->len] : 0;
        differs = (unsigned char)(differs | (own ^ (unsigned char)candidate.ptr[i]));
    }
    return differs == 0;
}
