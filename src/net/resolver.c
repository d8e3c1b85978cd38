/* SPDX-License-Identifier: MIT */
/*
 * net/resolver - a small table of names, each with its answer, its running look-up and who waits
 * for it.
 *
 * A name lives in the table until it is pushed out; its memory is also the look-up's, so a name
 * with a look-up under way is only detached when the resolver goes, and freed when the look-up
 * ends.
 */
#include "net/resolver.h"

#include <netdb.h>
#include <string.h>
#include <uv.h>

#include "base/alloc.h"
#include "base/list.h"
#include "base/log.h"
#include "net/resolver_int.h"

#define MAX_NAME_BYTES 253 /* of a DNS name (RFC 1035 section 2.3.4) */
/*
 * After a first look-up failed, requests for the name fail at once this long: a dead name server
 * makes each look-up block one of libuv's few threads for seconds.
 */
#define FAILURE_KEPT_MS 1000

struct name {
    struct gw_list node;          /* in the resolver's names, least recently used first */
    struct gw_resolver *resolver; /* NULL: the resolver is gone, the end of the look-up frees */
    struct gw_loop *loop;
    struct gw_list queries;       /* who waits */
    struct gw_address *addresses; /* the last good answer */
    size_t address_count;
    uint64_t checked_at_ms; /* when the last look-up ended; 0: never */
    int failure;            /* libuv's code when the last look-up failed; else 0 */
    bool is_looking_up;
    unsigned answering; /* callbacks under way, which may look up and destroy */
    const struct gw_resolver_system *system; /* of the look-up under way */
    uv_getaddrinfo_t request;
    uint64_t hash;
    char host[MAX_NAME_BYTES + 1];
};

struct gw_resolver {
    struct gw_loop *loop;
    uint64_t refresh_ms;
    const struct gw_resolver_system *system;
    struct gw_list names;
    size_t name_count;
};

struct gw_resolver_query {
    struct gw_list node; /* in its name's queries */
    gw_resolver_on_answer_fn *on_answer;
    void *user;
    uint16_t port;
};

static const struct gw_resolver_system libuv_system = {
    .start = uv_getaddrinfo,
    .free_answer = uv_freeaddrinfo,
};

/* ---- names ---- */

static void free_name(struct name *name)
{
    gw_list_unlink(&name->node);
    gw_free(name->addresses);
    gw_free(name);
}

static struct name *find_name(struct gw_resolver *resolver, struct gw_str host, uint64_t hash)
{
    GW_LIST_FOREACH(&resolver->names, node)
    {
        struct name *name = GW_CONTAINER_OF(node, struct name, node);
        if (name->hash == hash && gw_str_eq(gw_str_from_c(name->host), host)) {
            return name;
        }
    }
    return NULL;
}

/* Makes room for one more; false when every name is busy. */
static bool push_out_oldest(struct gw_resolver *resolver)
{
    GW_LIST_FOREACH(&resolver->names, node)
    {
        struct name *name = GW_CONTAINER_OF(node, struct name, node);
        if (!name->is_looking_up && name->answering == 0) {
            free_name(name);
            resolver->name_count--;
            return true;
        }
    }
    return false;
}

static struct name *add_name(struct gw_resolver *resolver, struct gw_str host, uint64_t hash)
{
    if (resolver->name_count >= GW_RESOLVER_MAX_NAMES && !push_out_oldest(resolver)) {
        return NULL;
    }
    struct name *name = gw_try_alloc(sizeof(*name));
    if (name == NULL) {
        return NULL;
    }
    *name = (struct name){.resolver = resolver, .loop = resolver->loop, .hash = hash};
    memcpy(name->host, host.ptr, host.len);
    gw_list_init(&name->queries);
    gw_list_append(&resolver->names, &name->node);
    resolver->name_count++;
    return name;
}

/* ---- answers ---- */

/* Gives what is known of |name|; the callback may do anything, but |name| stays. */
static void answer(const struct name *name, uint16_t port, gw_resolver_on_answer_fn *on_answer,
                   void *user)
{
    if (name->address_count == 0) {
        on_answer(user, GW_ERR_DNS, NULL, 0, gw_str_from_c(uv_strerror(name->failure)));
        return;
    }
    struct gw_address addresses[GW_RESOLVER_MAX_ADDRESSES];
    for (size_t i = 0; i < name->address_count; i++) {
        addresses[i] = name->addresses[i];
        gw_address_set_port(&addresses[i], port);
    }
    on_answer(user, GW_OK, addresses, name->address_count, gw_str(NULL, 0));
}

/* Callbacks ran: what they may have detached ends here, unless its look-up still runs. */
static void finish_answering(struct name *name)
{
    name->answering--;
    if (name->resolver == NULL && name->answering == 0 && !name->is_looking_up) {
        free_name(name);
    }
}

static void answer_waiting(struct name *name)
{
    struct gw_resolver_query *query = NULL;
    name->answering++;
    while ((query = GW_LIST_FIRST(&name->queries, struct gw_resolver_query, node)) != NULL) {
        struct gw_resolver_query due = *query;
        gw_list_unlink(&query->node);
        gw_free(query);
        answer(name, due.port, due.on_answer, due.user);
    }
    finish_answering(name);
}

/* ---- look-ups ---- */

static void keep_answer(struct name *name, const struct addrinfo *list)
{
    struct gw_address found[GW_RESOLVER_MAX_ADDRESSES];
    size_t count = 0;
    for (; list != NULL && count < GW_RESOLVER_MAX_ADDRESSES; list = list->ai_next) {
        if ((list->ai_family == AF_INET || list->ai_family == AF_INET6) &&
            list->ai_addrlen <= sizeof(found[0].u)) {
            found[count] = (struct gw_address){.len = list->ai_addrlen};
            memcpy(&found[count].u, list->ai_addr, list->ai_addrlen);
            count++;
        }
    }
    if (count == 0) {
        name->failure = UV_EAI_NODATA;
        return;
    }
    gw_free(name->addresses);
    name->addresses = gw_alloc(count * sizeof(found[0]));
    memcpy(name->addresses, found, count * sizeof(found[0]));
    name->address_count = count;
    name->failure = 0;
}

static void end_lookup(struct name *name, int status, const struct addrinfo *list)
{
    name->is_looking_up = false;
    name->checked_at_ms = gw_loop_now_ms(name->loop);
    if (status == 0) {
        keep_answer(name, list);
    } else {
        name->failure = status;
    }
    if (name->failure != 0 && name->address_count > 0 && name->resolver != NULL) {
        gw_log_warn("resolver", "cannot refresh the addresses of %s: %s; using the last ones",
                    name->host, uv_strerror(name->failure));
    }
}

static void on_looked_up(uv_getaddrinfo_t *request, int status, struct addrinfo *list)
{
    struct name *name = GW_CONTAINER_OF(request, struct name, request);
    struct gw_loop *loop = name->loop;
    end_lookup(name, status, list);
    name->system->free_answer(list);
    answer_waiting(name);
    gw_loop_run_deferred(loop);
}

static void start_lookup(struct name *name)
{
    const struct gw_resolver *resolver = name->resolver;
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    name->system = resolver->system;
    name->is_looking_up = true;
    int status = name->system->start(gw_loop_uv(resolver->loop), &name->request, on_looked_up,
                                     name->host, NULL, &hints);
    if (status != 0) {
        end_lookup(name, status, NULL); /* not a name, or no memory */
    }
}

/* Is there something to say without waiting? */
static bool is_known(const struct gw_resolver *resolver, const struct name *name)
{
    uint64_t age_ms = gw_loop_now_ms(resolver->loop) - name->checked_at_ms;
    return name->address_count > 0 || (name->failure != 0 && age_ms < FAILURE_KEPT_MS);
}

static bool is_due(const struct gw_resolver *resolver, const struct name *name)
{
    uint64_t age_ms = gw_loop_now_ms(resolver->loop) - name->checked_at_ms;
    return !name->is_looking_up &&
           (name->address_count > 0 ? age_ms >= resolver->refresh_ms : !is_known(resolver, name));
}

static enum gw_err answer_literal(struct gw_str host, uint16_t port,
                                  gw_resolver_on_answer_fn *on_answer, void *user)
{
    struct gw_address literal;
    enum gw_err err = gw_address_from_literal(host, port, &literal);
    if (err == GW_OK) {
        on_answer(user, GW_OK, &literal, 1, gw_str(NULL, 0));
    }
    return err;
}

enum gw_err gw_resolver_lookup(struct gw_resolver *resolver, struct gw_str host, uint16_t port,
                               gw_resolver_on_answer_fn *on_answer, void *user,
                               struct gw_resolver_query **query)
{
    *query = NULL;
    if (host.len > MAX_NAME_BYTES) {
        return GW_ERR_TOO_LARGE;
    }
    if (host.len == 0 || memchr(host.ptr, '\0', host.len) != NULL) {
        return GW_ERR_INVALID;
    }
    if (answer_literal(host, port, on_answer, user) == GW_OK) {
        return GW_OK;
    }
    uint64_t hash = gw_str_hash(host);
    struct name *name = find_name(resolver, host, hash);
    if (name == NULL) {
        name = add_name(resolver, host, hash);
    }
    if (name == NULL) {
        return GW_ERR_NOMEM;
    }
    gw_list_unlink(&name->node);
    gw_list_append(&resolver->names, &name->node);
    if (is_due(resolver, name)) {
        start_lookup(name);
    }
    if (is_known(resolver, name)) {
        name->answering++;
        answer(name, port, on_answer, user);
        finish_answering(name);
        return GW_OK;
    }
    struct gw_resolver_query *waiting = gw_try_alloc(sizeof(*waiting));
    if (waiting == NULL) {
        return GW_ERR_NOMEM;
    }
    *waiting = (struct gw_resolver_query){.on_answer = on_answer, .user = user, .port = port};
    gw_list_append(&name->queries, &waiting->node);
    *query = waiting;
    return GW_OK;
}

void gw_resolver_cancel(struct gw_resolver_query **query)
{
    struct gw_resolver_query *old = *query;
    if (old != NULL) {
        *query = NULL;
        gw_list_unlink(&old->node);
        gw_free(old);
    }
}

/* ---- life ---- */

struct gw_resolver *gw_resolver_create(struct gw_loop *loop, uint64_t refresh_ms)
{
    struct gw_resolver *resolver = gw_alloc(sizeof(*resolver));
    *resolver = (struct gw_resolver){
        .loop = loop,
        .refresh_ms = refresh_ms,
        .system = &libuv_system,
    };
    gw_list_init(&resolver->names);
    return resolver;
}

void gw_resolver_set_system(struct gw_resolver *resolver, const struct gw_resolver_system *system)
{
    resolver->system = system;
}

static void drop_queries(struct name *name)
{
    struct gw_resolver_query *query = NULL;
    while ((query = GW_LIST_FIRST(&name->queries, struct gw_resolver_query, node)) != NULL) {
        gw_resolver_cancel(&query);
    }
}

void gw_resolver_destroy(struct gw_resolver **resolver)
{
    struct gw_resolver *old = *resolver;
    if (old == NULL) {
        return;
    }
    *resolver = NULL;
    struct name *name = NULL;
    while ((name = GW_LIST_FIRST(&old->names, struct name, node)) != NULL) {
        gw_list_unlink(&name->node);
        name->resolver = NULL;
        drop_queries(name);
        if (name->is_looking_up) {
            (void)uv_cancel((uv_req_t *)&name->request); /* works as long as it waits in a queue */
        } else if (name->answering == 0) {
            free_name(name);
        }
    }
    gw_free(old);
}
