/* SPDX-License-Identifier: MIT */
/* net/tls_session - a short row of sessions, oldest first. */
#include "net/tls_session.h"

#include <openssl/ssl.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "net/tls_int.h"

struct kept_session {
    SSL_SESSION *session;
    uint64_t trust_id;
};

struct gw_tls_session_store {
    struct kept_session kept[GW_TLS_SESSIONS_MAX];
    size_t count;
};

struct gw_tls_session_store *gw_tls_session_store_create(void)
{
    return gw_zalloc(sizeof(struct gw_tls_session_store));
}

void gw_tls_session_store_destroy(struct gw_tls_session_store **store)
{
    struct gw_tls_session_store *old = *store;
    if (old == NULL) {
        return;
    }
    for (size_t i = 0; i < old->count; i++) {
        SSL_SESSION_free(old->kept[i].session);
    }
    gw_free(old);
    *store = NULL;
}

static void forget(struct gw_tls_session_store *store, size_t at)
{
    store->count--;
    memmove(&store->kept[at], &store->kept[at + 1],
            (store->count - at) * sizeof(struct kept_session));
}

int gw_tls_on_new_session(SSL *ssl, SSL_SESSION *session)
{
    const struct gw_tls_peer *peer = SSL_get_app_data(ssl);
    struct gw_tls_session_store *store = peer->sessions;
    if (store == NULL) {
        return 0;
    }
    if (store->count == GW_TLS_SESSIONS_MAX) {
        SSL_SESSION_free(store->kept[0].session);
        forget(store, 0);
    }
    store->kept[store->count++] =
        (struct kept_session){.session = session, .trust_id = peer->trust_id};
    return 1; /* the reference is ours now */
}

static bool is_usable(SSL_SESSION *session)
{
    /* A clock that was set back makes a session look younger, and the server refuses it then. */
    long age_s = (long)(gw_clock_wall_ms() / 1000) - SSL_SESSION_get_time(session);
    return SSL_SESSION_is_resumable(session) == 1 && age_s < SSL_SESSION_get_timeout(session);
}

SSL_SESSION *gw_tls_session_store_take(struct gw_tls_session_store *store, uint64_t trust_id)
{
    for (size_t i = store->count; i > 0; i--) {
        const struct kept_session *kept = &store->kept[i - 1];
        SSL_SESSION *session = kept->session;
        if (kept->trust_id != trust_id) {
            continue;
        }
        if (!is_usable(session)) {
            forget(store, i - 1);
            SSL_SESSION_free(session);
            continue;
        }
        /* A TLS 1.3 ticket that is used twice links the two connections for who listens. */
        if (SSL_SESSION_get_protocol_version(session) >= TLS1_3_VERSION) {
            forget(store, i - 1);
        } else {
            SSL_SESSION_up_ref(session);
        }
        return session;
    }
    return NULL;
}
