/* SPDX-License-Identifier: MIT */
/*
 * core/request - life and states of a request. The path:
 *
 *   downstream pair -> AUTHENTICATE -> RECEIVE -> DECODE -> ROUTE -> EXCHANGE -> DELIVER -> SETTLE
 *                      authenticate.c  receive.c  decode.c  route.c  exchange.c  deliver.c settle.c
 *
 * Nothing else than gw_request_run() calls a state, and nothing else than gw_request_set_state()
 * changes it.
 */
#include "base/alloc.h"
#include "base/assert.h"
#include "base/clock.h"
#include "core/core_int.h"

typedef enum gw_step state_fn(struct gw_request *request);

static state_fn *const state_functions[] = {
#define XX(id, function) [GW_REQUEST_##id] = gw_state_##function,
    GW_REQUEST_STATES(XX)
#undef XX
};

void gw_request_set_state(struct gw_request *request, enum gw_request_state state)
{
    /* Forward only, but for three ways back: EXCHANGE to EXCHANGE from a pooled connection that was
     * dead, to ROUTE for another attempt, and to EXCHANGE for one that continues an answer. */
    GW_ASSERT(
        state > request->state || (state == request->state && state == GW_REQUEST_EXCHANGE) ||
        (state == GW_REQUEST_EXCHANGE && request->has_begun && gw_continue_is_on(request)) ||
        (state == GW_REQUEST_ROUTE && !request->has_begun && request->state < GW_REQUEST_SETTLE));
    request->state = state;
}

void gw_request_run(struct gw_request *request)
{
    enum gw_step step = GW_STEP_GO;
    while (step == GW_STEP_GO) {
        step = state_functions[request->state](request);
    }
}

static void on_release(struct gw_deferred *release)
{
    struct gw_request *request = GW_CONTAINER_OF(release, struct gw_request, release);
    gw_openai_tee_fini(&request->tee);
    gw_relay_fini(&request->relay);
    for (size_t i = 0; i < GW_ARRAY_LEN(request->attempts); i++) {
        gw_translation_destroy(&request->attempts[i].translation);
    }
    gw_recovery_destroy(&request->recovery);
    gw_buf_fini(&request->held);
    gw_withheld_destroy(&request->withheld);
    gw_stored_destroy(&request->stored);
    gw_buf_fini(&request->body);
    gw_arena_fini(&request->arena);
    gw_conf_release(&request->conf);
    gw_free(request);
}

/* A client's own id is kept when it is short and plain: it goes into headers and logs. */
static bool is_usable_id(struct gw_str id)
{
    if (id.len == 0 || id.len > GW_REQUEST_ID_MAX) {
        return false;
    }
    for (size_t i = 0; i < id.len; i++) {
        unsigned char c = (unsigned char)id.ptr[i];
        bool is_alnum = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
        if (!is_alnum && c != '-' && c != '_' && c != '.' && c != ':' && c != '/') {
            return false;
        }
    }
    return true;
}

static struct gw_str make_id(struct gw_request *request)
{
    static const char digits[] = "0123456789abcdef";
    const struct gw_request_head *head = request->pair->head;
    struct gw_str given = gw_headers_get(head->headers, head->header_count, GW_HEADER_X_REQUEST_ID);
    if (is_usable_id(given)) {
        return gw_arena_try_dup(&request->arena, given);
    }
    char text[4 + 32] = "req_";
    struct gw_rng *rng = gw_loop_rng(request->core->loop);
    for (size_t i = 4; i < sizeof(text); i += 16) {
        uint64_t bits = gw_rng_next(rng);
        for (size_t j = i; j < i + 16; j++, bits >>= 4) {
            text[j] = digits[bits & 15];
        }
    }
    return gw_arena_try_dup(&request->arena, gw_str(text, sizeof(text)));
}

#define USER_AGENT_KEPT_BYTES 200 /* for the log; SDKs send about 30, browsers up to 150 */

static void remember_client(struct gw_request *request)
{
    const struct gw_downstream *pair = request->pair;
    const struct gw_request_head *head = pair->head;
    struct gw_str agent = gw_headers_get(head->headers, head->header_count, GW_HEADER_USER_AGENT);
    struct gw_str known_method = gw_method_text(head->method);
    char address[GW_ADDRESS_TEXT_BYTES];
    gw_address_format_host(pair->peer, address);
    agent.len = agent.len < USER_AGENT_KEPT_BYTES ? agent.len : USER_AGENT_KEPT_BYTES;
    request->client = gw_arena_try_dup(&request->arena, gw_str_from_c(address));
    request->method =
        known_method.len > 0 ? known_method : gw_arena_try_dup(&request->arena, head->method_text);
    request->user_agent = gw_arena_try_dup(&request->arena, agent);
    request->target = gw_arena_try_dup(&request->arena, head->target);
    request->version = head->version;
    request->is_tls = pair->is_tls;
    request->begun_at_ns = pair->begun_at_ns;
    request->started_wall_ms = gw_clock_wall_ms();
}

void gw_request_begin(void *user, struct gw_downstream *pair)
{
    struct gw_core *core = user;
    struct gw_request *request = gw_alloc(sizeof(*request));
    memset(request, 0, offsetof(struct gw_request, first_bytes));
    request->core = core;
    request->conf = gw_conf_acquire(core->conf);
    request->attempt = &request->attempts[0];
    request->attempt->request = request;
    request->pair = pair;
    gw_arena_init(&request->arena, request->first_bytes, sizeof(request->first_bytes),
                  GW_REQUEST_BLOCK_BYTES, GW_REQUEST_ARENA_MAX);
    gw_buf_init(&request->body, core->conf->snapshot->downstream.max_body_bytes);
    gw_buf_init(&request->held, GW_REQUEST_HELD_BYTES);
    gw_deferred_init(&request->release, on_release);
    gw_list_init(&request->node);
    gw_list_append(&core->requests, &request->node);
    gw_counter_add(&core->counters->in_flight, 1);
    request->response_length = GW_LENGTH_UNKNOWN;
    remember_client(request);
    request->id = make_id(request);
    pair->events = &gw_request_downstream_events;
    pair->user = request;
    gw_request_run(request);
}

enum gw_step gw_request_fail(struct gw_request *request, const struct gw_error *error)
{
    request->error = *error;
    gw_request_cancel_exchange(request);
    if (request->pair != NULL && request->has_begun) {
        /* An upload that goes wrong behind the provider's early answer: only a cut can tell. */
        if (!gw_continue_tell(request, error)) {
            gw_downstream_abort(request->pair);
        }
        request->pair = NULL;
    } else if (request->pair != NULL) {
        gw_respond_error(request);
    }
    gw_request_set_state(request, GW_REQUEST_SETTLE);
    return GW_STEP_GO;
}

void gw_request_cancel(struct gw_request *request)
{
    request->error =
        (struct gw_error){.class = GW_ERROR_CANCELLED,
                          .message = GW_STR("the gateway stopped before the answer was complete")};
    gw_request_cancel_exchange(request);
    if (request->pair != NULL) {
        gw_downstream_abort(request->pair);
        request->pair = NULL;
    }
    gw_request_set_state(request, GW_REQUEST_SETTLE);
    gw_request_run(request);
}
