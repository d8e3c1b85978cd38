/* SPDX-License-Identifier: MIT */
/* admin/admin - one table of pages for both listeners. */
#include "admin/admin.h"

#include <unistd.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "core/access.h"
#include "dialect/openai.h"
#include "downstream/server.h"
#include "gw_version.h"
#include "http/url.h"
#include "net/listener.h"

/* The metrics page: about 20 KiB, and 2 KiB for each of some 10,000 deployments. */
#define PAGE_MAX_BYTES (32u * 1024 * 1024)

enum site {
    SITE_ADMIN,
    SITE_METRICS,
    SITE_COUNT,
};

/* One listener with its server. */
struct site_server {
    struct gw_admin *admin;
    enum site site;
    struct gw_server *server;
    struct gw_listener *listener;
};

struct gw_admin {
    struct gw_admin_opts opts;
    struct site_server sites[SITE_COUNT];
};

struct page {
    struct gw_str path;
    unsigned sites; /* bit per enum site */
    enum gw_http_method method;
    bool needs_key; /* when the gateway is closed */
    /* Writes the body and returns the status. */
    unsigned (*write)(struct gw_admin *admin, struct gw_buf *out);
    struct gw_str content_type;
};

static unsigned write_index(struct gw_admin *admin, struct gw_buf *out)
{
    (void)admin;
    (void)gw_buf_append(
        out, GW_STR("{\"name\":\"gatewire admin\",\"version\":\"" GW_VERSION "\",\"endpoints\":{"
                    "\"health\":\"/health\",\"ready\":\"/ready\",\"metrics\":\"/metrics\","
                    "\"status\":\"/api/v1/status\",\"reload\":\"POST /api/v1/reload\"}}"));
    return 200;
}

static unsigned write_live(struct gw_admin *admin, struct gw_buf *out)
{
    (void)admin;
    (void)gw_buf_append(out, GW_STR("{\"status\":\"ok\"}"));
    return 200;
}

static unsigned write_ready(struct gw_admin *admin, struct gw_buf *out)
{
    bool is_ready = admin->opts.is_ready(admin->opts.user);
    (void)gw_buf_append(
        out, is_ready ? GW_STR("{\"status\":\"ready\"}")
                      : GW_STR("{\"status\":\"not_ready\",\"error\":\"the gateway is draining\"}"));
    return is_ready ? 200 : 503;
}

static unsigned write_metrics(struct gw_admin *admin, struct gw_buf *out)
{
    admin->opts.write_metrics(admin->opts.user, out);
    return 200;
}

static unsigned write_status(struct gw_admin *admin, struct gw_buf *out)
{
    admin->opts.write_status(admin->opts.user, out);
    return 200;
}

static unsigned write_reload(struct gw_admin *admin, struct gw_buf *out)
{
    return admin->opts.reload(admin->opts.user, out) ? 200 : 422;
}

#define ADMIN      (1u << SITE_ADMIN)
#define METRICS    (1u << SITE_METRICS)
#define JSON       GW_STR_INIT("application/json")
#define PROMETHEUS GW_STR_INIT("text/plain; version=0.0.4; charset=utf-8")

static const struct page pages[] = {
    {GW_STR_INIT("/"), ADMIN, GW_METHOD_GET, false, write_index, JSON},
    {GW_STR_INIT("/health"), ADMIN | METRICS, GW_METHOD_GET, false, write_live, JSON},
    {GW_STR_INIT("/healthz"), ADMIN | METRICS, GW_METHOD_GET, false, write_live, JSON},
    {GW_STR_INIT("/live"), ADMIN | METRICS, GW_METHOD_GET, false, write_live, JSON},
    {GW_STR_INIT("/ready"), ADMIN | METRICS, GW_METHOD_GET, false, write_ready, JSON},
    {GW_STR_INIT("/metrics"), ADMIN | METRICS, GW_METHOD_GET, false, write_metrics, PROMETHEUS},
    {GW_STR_INIT("/api/v1/status"), ADMIN, GW_METHOD_GET, true, write_status, JSON},
    {GW_STR_INIT("/api/v1/reload"), ADMIN, GW_METHOD_POST, true, write_reload, JSON},
};

/* |allow|: value of the Allow field, or empty. */
static void send_body(struct gw_downstream *pair, unsigned status, struct gw_str type,
                      struct gw_str allow, struct gw_str body)
{
    const struct gw_header fields[] = {
        {.name = gw_header_name(GW_HEADER_CONTENT_TYPE),
         .value = type,
         .id = GW_HEADER_CONTENT_TYPE},
        {.name = GW_STR("allow"), .value = allow},
    };
    struct gw_downstream_response response = {.status = status,
                                              .headers = fields,
                                              .header_count = allow.len > 0 ? 2 : 1,
                                              .content_length = body.len};
    enum gw_err err = gw_downstream_begin(pair, &response);
    if (err == GW_OK) {
        err = gw_downstream_write(pair, body);
    }
    if (err == GW_OK) {
        gw_downstream_end(pair);
    } else {
        gw_downstream_abort(pair);
    }
}

static void send_refusal(struct gw_downstream *pair, unsigned status, struct gw_str allow,
                         struct gw_str message)
{
    struct gw_error error = {.class = GW_ERROR_CLIENT, .status = status, .message = message};
    struct gw_buf body;
    gw_buf_init(&body, PAGE_MAX_BYTES);
    gw_openai_write_error(&error, &body);
    send_body(pair, status, GW_STR("application/json"), allow, gw_buf_str(&body));
    gw_buf_fini(&body);
}

static void send_error(struct gw_downstream *pair, unsigned status, struct gw_str message)
{
    send_refusal(pair, status, GW_STR(""), message);
}

static bool has_key(const struct gw_admin *admin, const struct gw_request_head *head)
{
    const struct gw_access_settings *access = &admin->opts.snapshot(admin->opts.user)->access;
    return gw_access_is_granted(access, gw_access_key(head));
}

static void serve(struct gw_admin *admin, struct gw_downstream *pair, const struct page *page)
{
    const struct gw_request_head *head = pair->head;
    bool is_head_of_get = page->method == GW_METHOD_GET && head->method == GW_METHOD_HEAD;
    if (head->method != page->method && !is_head_of_get) {
        send_refusal(pair, 405,
                     page->method == GW_METHOD_GET ? GW_STR("GET, HEAD") : GW_STR("POST"),
                     GW_STR("This page wants another method; GET / lists the pages."));
        return;
    }
    /* A page of another site must not make a browser change things here. */
    if (page->method == GW_METHOD_POST &&
        gw_headers_get(head->headers, head->header_count, GW_HEADER_ORIGIN).len > 0) {
        send_error(pair, 403, GW_STR("Browsers of other sites may not call this page."));
        return;
    }
    if (page->needs_key && !has_key(admin, head)) {
        send_error(
            pair, 401,
            GW_STR("Send the gateway's key as 'Authorization: Bearer KEY', 'x-api-key: KEY' or "
                   "'api-key: KEY'."));
        return;
    }
    struct gw_buf body;
    gw_buf_init(&body, PAGE_MAX_BYTES);
    unsigned status = page->write(admin, &body);
    send_body(pair, status, page->content_type, GW_STR(""), gw_buf_str(&body));
    gw_buf_fini(&body);
}

/* The pages answer at once, so nothing of a pair outlives on_request. */
static void on_body(void *user, struct gw_str bytes)
{
    (void)user;
    (void)bytes;
}

static void on_nothing(void *user)
{
    (void)user;
}

static void on_abort(void *user, enum gw_err err)
{
    (void)user;
    (void)err;
}

static const struct gw_downstream_events no_events = {
    .on_body = on_body, .on_body_end = on_nothing, .on_writable = on_nothing, .on_abort = on_abort};

static void on_request(void *user, struct gw_downstream *pair)
{
    struct site_server *site = user;
    struct gw_str path;
    struct gw_str query;
    pair->events = &no_events;
    pair->user = site;
    const struct gw_snapshot *snapshot = site->admin->opts.snapshot(site->admin->opts.user);
    if (!gw_access_serves_host(&snapshot->access, pair->head->authority)) {
        send_error(pair, 403, GW_STR(GW_ACCESS_HOST_REFUSED));
        return;
    }
    if (gw_url_split_target(pair->head->target, &path, &query) != GW_OK) {
        send_error(pair, 400, GW_STR("The request target is not a valid URL path."));
        return;
    }
    for (size_t i = 0; i < GW_ARRAY_LEN(pages); i++) {
        if ((pages[i].sites & 1u << site->site) != 0 && gw_str_eq(path, pages[i].path)) {
            serve(site->admin, pair, &pages[i]);
            return;
        }
    }
    send_error(pair, 404, GW_STR("No such page here; GET / on the admin port lists the pages."));
}

static void on_error_body(void *user, unsigned status, const char *what, struct gw_buf *body)
{
    (void)user;
    struct gw_error error = {
        .class = GW_ERROR_CLIENT, .status = status, .message = gw_str_from_c(what)};
    gw_openai_write_error(&error, body);
}

static void on_accept(void *user, int fd, const struct gw_address *peer)
{
    struct site_server *site = user;
    gw_server_accept(site->server, fd, peer, NULL);
}

static enum gw_err open_site(struct gw_admin *admin, enum site which, int fd)
{
    /* People and scrapers: few connections, small requests. */
    static const struct gw_server_limits limits = {
        .max_header_bytes = 16384,
        .max_connections = 256,
        .header_timeout_ms = 10000,
        .body_timeout_ms = 10000,
        .write_timeout_ms = 10000,
        .idle_timeout_ms = 60000,
    };
    struct site_server *site = &admin->sites[which];
    site->admin = admin;
    site->site = which;
    if (fd == -1) {
        return GW_OK;
    }
    struct gw_server_opts opts = {.loop = admin->opts.loop,
                                  .limits = limits,
                                  .on_request = on_request,
                                  .on_error_body = on_error_body,
                                  .user = site};
    site->server = gw_server_create(&opts);
    return gw_listener_create(admin->opts.loop, fd, on_accept, site, &site->listener);
}

enum gw_err gw_admin_create(const struct gw_admin_opts *opts, struct gw_admin **out)
{
    struct gw_admin *admin = gw_zalloc(sizeof(*admin));
    admin->opts = *opts;
    enum gw_err err = open_site(admin, SITE_ADMIN, opts->admin_fd);
    if (err == GW_OK) {
        err = open_site(admin, SITE_METRICS, opts->metrics_fd);
    } else if (opts->metrics_fd != -1) {
        close(opts->metrics_fd);
    }
    if (err != GW_OK) {
        gw_admin_destroy(&admin);
        return err;
    }
    *out = admin;
    return GW_OK;
}

void gw_admin_destroy(struct gw_admin **admin)
{
    struct gw_admin *old = *admin;
    if (old == NULL) {
        return;
    }
    for (unsigned i = 0; i < SITE_COUNT; i++) {
        gw_listener_destroy(&old->sites[i].listener);
        gw_server_destroy(&old->sites[i].server);
    }
    gw_free(old);
    *admin = NULL;
}
