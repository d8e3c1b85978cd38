/* SPDX-License-Identifier: MIT */
/* core/dry_run - see the header. */
#include "core/dry_run.h"

#include "base/alloc.h"
#include "base/clock.h"

struct gw_dry_run {
    struct gw_request request;
    struct gw_downstream pair;
    struct gw_request_head head;
    struct gw_header fields[GW_DRY_RUN_FIELDS];
};

/* ---- a client that is not there ---- */

static void read_nothing(struct gw_downstream *pair, bool on)
{
    (void)pair;
    (void)on;
}

static enum gw_err begin_nothing(struct gw_downstream *pair,
                                 const struct gw_downstream_response *response)
{
    (void)pair;
    (void)response;
    return GW_OK;
}

static enum gw_err write_nothing(struct gw_downstream *pair, struct gw_str bytes)
{
    (void)pair;
    (void)bytes;
    return GW_OK;
}

static bool can_write_nothing(struct gw_downstream *pair)
{
    (void)pair;
    return true;
}

static void end_nothing(struct gw_downstream *pair)
{
    (void)pair;
}

static const struct gw_downstream_ops nobody = {
    .read_body = read_nothing,
    .begin = begin_nothing,
    .write = write_nothing,
    .can_write = can_write_nothing,
    .end = end_nothing,
    .abort = end_nothing,
};

/* ---- the request ---- */

/* The asker's own credential stands where the request to run has none. */
static void copy_fields(struct gw_dry_run *run, const struct gw_request *asker,
                        const struct gw_dry_ask *ask)
{
    const struct gw_request_head *head = asker->pair->head;
    bool has_credential = false;
    size_t count = 0;
    for (size_t i = 0; i < ask->field_count && count < GW_DRY_RUN_FIELDS; i++) {
        run->fields[count++] = ask->fields[i];
        has_credential = has_credential || gw_header_is_credential(ask->fields[i].id);
    }
    for (size_t i = 0; i < head->header_count && count < GW_DRY_RUN_FIELDS; i++) {
        if (!has_credential && gw_header_is_credential(head->headers[i].id)) {
            run->fields[count++] = head->headers[i];
        }
    }
    run->head = (struct gw_request_head){.version = head->version,
                                         .method = GW_METHOD_POST,
                                         .method_text = GW_STR("POST"),
                                         .target = ask->target,
                                         .authority = head->authority,
                                         .headers = run->fields,
                                         .header_count = count,
                                         .has_body = true,
                                         .content_length = ask->body.len};
}

static void begin(struct gw_dry_run *run, const struct gw_request *asker,
                  const struct gw_dry_ask *ask)
{
    struct gw_request *request = &run->request;
    run->pair = *asker->pair;
    run->pair.ops = &nobody;
    run->pair.head = &run->head;
    request->core = asker->core;
    request->conf = gw_conf_acquire(asker->conf);
    request->attempt = &request->attempts[0];
    request->attempt->request = request;
    request->pair = &run->pair;
    request->is_dry_run = true;
    gw_arena_init(&request->arena, request->first_bytes, sizeof(request->first_bytes),
                  GW_REQUEST_BLOCK_BYTES, GW_REQUEST_ARENA_MAX);
    gw_buf_init(&request->body, request->conf->snapshot->downstream.max_body_bytes);
    gw_buf_init(&request->held, GW_REQUEST_HELD_BYTES);
    gw_list_init(&request->node);
    request->response_length = GW_LENGTH_UNKNOWN;
    request->id = asker->id;
    request->client = asker->client;
    request->target = ask->target;
    request->version = asker->version;
    request->begun_at_ns = asker->begun_at_ns;
    request->started_wall_ms = gw_clock_wall_ms();
}

/* Only what has a body of JSON goes on: the rest is answered here, or streamed. */
static bool can_go_on(const struct gw_request *request)
{
    return request->state == GW_REQUEST_RECEIVE && request->route.kind == GW_ROUTE_JSON &&
           request->route.local == GW_LOCAL_NONE;
}

static void refuse_route(struct gw_request *request)
{
    struct gw_error error = {
        .class = GW_ERROR_CLIENT,
        .status = 400,
        .code = GW_STR("invalid_value"),
        .param = GW_STR("path"),
        .message = GW_STR("Only requests with a JSON body that names a model can be explained.")};
    (void)gw_request_fail(request, &error);
}

static enum gw_err go(struct gw_request *request, struct gw_str body)
{
    (void)gw_state_authenticate(request);
    if (request->state == GW_REQUEST_SETTLE) {
        return GW_OK;
    }
    if (!can_go_on(request)) {
        refuse_route(request);
        return GW_OK;
    }
    enum gw_err err = gw_buf_append(&request->body, body);
    if (err != GW_OK) {
        return err;
    }
    request->received_bytes = body.len;
    request->is_body_complete = true;
    gw_request_set_state(request, GW_REQUEST_DECODE);
    (void)gw_state_decode(request);
    if (request->state == GW_REQUEST_ROUTE) {
        (void)gw_route_resolve(request);
    }
    if (request->state != GW_REQUEST_ROUTE) {
        request->group = NULL;
    }
    return GW_OK;
}

struct gw_dry_run *gw_dry_run_create(const struct gw_request *asker, const struct gw_dry_ask *ask)
{
    struct gw_dry_run *run = gw_try_alloc(sizeof(*run));
    if (run == NULL) {
        return NULL;
    }
    memset(run, 0, sizeof(*run));
    copy_fields(run, asker, ask);
    begin(run, asker, ask);
    if (go(&run->request, ask->body) != GW_OK) {
        gw_dry_run_destroy(&run);
    }
    return run;
}

void gw_dry_run_destroy(struct gw_dry_run **run)
{
    struct gw_dry_run *old = *run;
    *run = NULL;
    if (old == NULL) {
        return;
    }
    struct gw_request *request = &old->request;
    gw_translation_destroy(&request->attempt->translation);
    gw_recovery_destroy(&request->recovery);
    gw_buf_fini(&request->held);
    gw_stored_destroy(&request->stored);
    gw_buf_fini(&request->body);
    gw_arena_fini(&request->arena);
    gw_conf_release(&request->conf);
    gw_free(old);
}

struct gw_request *gw_dry_run_request(struct gw_dry_run *run)
{
    return &run->request;
}
