/* SPDX-License-Identifier: MIT */
/*
 * core/core_int - what the files of the request's state machine share.
 *
 * Source:   DESIGN section 5
 * Shape:    private to core/
 * Units:    in the names
 * Limits:   beside each constant
 * Memory:   a request owns its arena, its body and its attempt; it is freed at the end of the
 *           callback that ended it.
 * Threads:  its worker's thread
 * Errors:   none
 */
#ifndef GW_CORE_CORE_INT_H
#define GW_CORE_CORE_INT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/list.h"
#include "core/conf.h"
#include "core/core.h"
#include "core/counters.h"
#include "core/record.h"
#include "core/recovery.h"
#include "core/routes.h"
#include "core/translate.h"
#include "dialect/dialect.h"
#include "downstream/downstream.h"
#include "llm/error.h"
#include "llm/request.h"
#include "loop/loop.h"
#include "policy/rate_headers.h"
#include "policy/retry.h"
#include "policy/router.h"
#include "provider/api.h"
#include "provider/demo.h"
#include "provider/openai_tee.h"
#include "provider/relay.h"
#include "upstream/upstream.h"

/* The arena's first bytes stand in the request itself: field lists, target and ids of an ordinary
 * request fit. */
#define GW_REQUEST_FIRST_BYTES 2048
#define GW_REQUEST_BLOCK_BYTES 8192
/* Decoded names, field lists and messages; bodies are not in here. 200 fields twice and 64 KiB of
 * values are below it. */
#define GW_REQUEST_ARENA_MAX (512u * 1024)
/* A pass-through body up to this is kept, so that it can be sent again on a fresh connection;
 * larger ones are streamed. */
#define GW_REQUEST_KEEP_BYTES (64u * 1024)
/* Of the beginning of an answer that is held back: a first event has some 300 bytes, a plain answer
 * some KiB; longer ones pass as they come. */
#define GW_REQUEST_HELD_BYTES (64u * 1024)
/* How long a stream's beginning at most: as long as a translated stream is silent before its first
 * ping. Clients wait for a sign of life, and models may think for minutes. */
#define GW_REQUEST_HELD_MS 10000
/* A translated stream that brings nothing for so long gets a sign of life: below the 15 s and more
 * after which clients and the proxies before them begin to wonder (inbound.md A5). */
#define GW_REQUEST_SILENCE_MS 10000
/* Of a path or a model's name in a message: the longest names in use have some 100 bytes, a path
 * may have 64 KiB. */
#define GW_QUOTED_BYTES   300
#define GW_REQUEST_ID_MAX 128 /* longer than any tracing system's ids */

struct gw_core {
    struct gw_loop *loop;
    struct gw_server *server;
    struct gw_upstream *upstream;
    struct gw_conf *conf;
    struct gw_counters *counters;
    struct gw_token_estimates *estimates;
    struct gw_response_store *responses; /* or NULL: none are kept */
    struct gw_deployment_registry *deployments;
    gw_on_settled_fn *on_settled;
    void (*on_connection_closed)(void *user);
    void *user;
    struct gw_list requests; /* in flight */
    struct gw_list mirrors;  /* likewise: copies that nobody waits for */
    size_t mirror_count;
    size_t mirror_bytes;   /* of their bodies */
    struct gw_list probes; /* likewise: core/prober's */
    size_t probe_count;
    struct gw_timer probe_timer; /* set where there is somebody to probe */
    uint64_t started_wall_ms;
    bool is_draining;
};

/*
 * The states of a request, in order. XX(IDENTIFIER, function): state_<function> runs when the state
 * is entered and says what is next.
 *
 *   AUTHENTICATE -> RECEIVE -> DECODE -> ROUTE -> EXCHANGE -> DELIVER -> SETTLE
 *        |            |          |       ^ |       ^ |           |         ^
 *        |            |          |       | |       +-+ once, when a pooled connection was dead
 *        |            |          |       +-+---------+-----------+ another attempt, as long as the
 *        |            |          |         |         |             client has not seen a byte
 *        +------------+----------+---------+---------+--- error or local answer
 */
#define GW_REQUEST_STATES(XX)                                                                      \
    XX(AUTHENTICATE, authenticate)                                                                 \
    XX(RECEIVE, receive)                                                                           \
    XX(DECODE, decode)                                                                             \
    XX(ROUTE, route)                                                                               \
    XX(EXCHANGE, exchange)                                                                         \
    XX(DELIVER, deliver)                                                                           \
    XX(SETTLE, settle)

enum gw_request_state {
#define XX(id, function) GW_REQUEST_##id,
    GW_REQUEST_STATES(XX)
#undef XX
};

/* How the provider's answer is dealt with. */
enum gw_delivery {
    GW_DELIVERY_NONE,       /* there is none yet */
    GW_DELIVERY_TEE,        /* verbatim, OpenAI's shapes */
    GW_DELIVERY_RELAY,      /* verbatim, other APIs */
    GW_DELIVERY_TRANSLATED, /* through the neutral model */
    GW_DELIVERY_WITHHELD,   /* an error: read first */
};

/* What a state's function wants next. */
enum gw_step {
    GW_STEP_GO,   /* run the state that was set */
    GW_STEP_WAIT, /* a callback will run the machine again */
    GW_STEP_OVER, /* the request is gone */
};

/* One exchange with one deployment, from the pick to the end. */
struct gw_attempt {
    struct gw_request *request;
    const struct gw_deployment *deployment; /* NULL: nothing was picked yet */
    struct gw_str upstream_model;
    const struct gw_provider_api *api; /* NULL: answered inside the process */
    size_t group;                      /* gw_model_group.index of the pick */
    struct gw_router_choice choice;
    bool is_picked; /* gw_attempt_end() is owed to the router */
    bool is_verbatim;
    bool was_stale; /* its pooled connection was dead: it was sent again */
    struct gw_exchange *exchange;
    struct gw_demo *demo;
    bool usage_injected;
    enum gw_delivery delivery;
    struct gw_translation *translation; /* the client's dialect is not the provider's; or NULL */
    unsigned upstream_status;
    struct gw_exchange_timings timings; /* as of the response's head */
    struct gw_rate_headers rate;        /* what the head said about limits */
};

/* What became of an attempt that failed, for the error that tells of all. */
struct gw_tried {
    struct gw_str deployment;
    struct gw_str why;
};

/* More are left out of the message: nobody reads them. */
#define GW_REQUEST_TRIED_MAX 8

/* What the request's timer is for. */
enum gw_request_wait {
    GW_REQUEST_WAIT_NONE,
    GW_REQUEST_WAIT_RETRY,   /* the pause before the next attempt */
    GW_REQUEST_WAIT_LINE,    /* for a deployment with room */
    GW_REQUEST_WAIT_HEDGE,   /* how long the provider may take until another is asked as well */
    GW_REQUEST_WAIT_HOLD,    /* how long the beginning of an answer is held back */
    GW_REQUEST_WAIT_SILENCE, /* how long a stream brings nothing before the client gets a ping */
};

struct gw_request {
    struct gw_core *core;
    struct gw_conf *conf;
    struct gw_downstream *pair; /* NULL once the pair has ended */
    struct gw_list node;        /* in core->requests */
    struct gw_deferred release;
    enum gw_request_state state;

    /* Who asked: copies, because the record is written when the pair is gone. */
    struct gw_str client;
    struct gw_str method;
    struct gw_str user_agent;
    enum gw_http_version version;
    bool is_tls;
    uint64_t begun_at_ns;
    uint64_t started_wall_ms;

    /* What was asked. */
    struct gw_str id;
    struct gw_str target;
    struct gw_str path; /* these two are views into target */
    struct gw_str query;
    struct gw_route route;
    struct gw_llm_request llm;
    struct gw_buf body;      /* freed when it cannot be needed again */
    uint64_t received_bytes; /* of the body */
    uint64_t history_bytes;  /* of the stored conversation that was put in front; 0: none */
    bool is_body_complete;
    bool is_dry_run;     /* core/dry_run: nothing is counted, taken or sent */
    bool is_streamed_up; /* the body goes upstream as it comes */

    const struct gw_dialect *dialect; /* what the client speaks, from the route on */

    /* The way to a provider. */
    const struct gw_model_group *group; /* the current one; NULL: routed without a model */
    const struct gw_model_group *asked_group;
    struct gw_str group_model; /* the name that led to |group|, and what its '*' matched */
    struct gw_str suffix;
    struct gw_router_ask ask;
    enum gw_priority priority;
    struct gw_queue_entry place;                /* in the line for a deployment with room */
    bool has_waited;                            /* once is enough */
    bool is_auto;                               /* the client left the choice of the model to us */
    const struct gw_retry_policy *retry_policy; /* the asked group's, or the request's own */
    struct gw_retry_state retry;
    struct gw_fallback_chain *chain; /* the groups that follow, once somebody asked; or NULL */
    struct gw_timer timer;
    enum gw_request_wait wait;
    struct gw_attempt *attempt; /* the one that is asked, or was last */
    struct gw_attempt *rival;   /* asked at the same time; or NULL */
    struct gw_attempt attempts[2];
    unsigned exchange_count;
    struct gw_tried tried[GW_REQUEST_TRIED_MAX];
    unsigned tried_count;

    /* The answer. */
    struct gw_openai_tee tee;
    struct gw_relay relay;
    struct gw_recovery *recovery; /* notes for an exchange that continues the answer; or NULL */
    struct gw_stored *stored;     /* its response is kept when it is complete; or NULL */
    struct gw_withheld *withheld; /* an error answer that is not passed on yet; or NULL */
    struct gw_answer_facts facts;
    struct gw_buf held; /* what came before there was an output: another attempt may still follow */
    bool has_begun;     /* status and fields are with the client's connection */
    unsigned status;
    uint64_t response_length; /* announced by the provider, or GW_LENGTH_UNKNOWN */
    const struct gw_header *response_fields;
    size_t response_field_count;
    uint64_t sent_bytes;
    struct gw_error error;

    struct gw_arena arena;
    char first_bytes[GW_REQUEST_FIRST_BYTES];
};

/* ---- request.c ---- */

/* The server's on_request: makes a request and runs it. */
void gw_request_begin(void *user, struct gw_downstream *pair);

/* The only place that changes the state. */
void gw_request_set_state(struct gw_request *request, enum gw_request_state state);

/* Runs states until one waits. The request may be gone afterwards. */
void gw_request_run(struct gw_request *request);

/* Sets the error; returns GW_STEP_GO with state SETTLE after the client was answered with it, or
 * cut when an answer had begun. |error|'s texts live in the arena. */
enum gw_step gw_request_fail(struct gw_request *request, const struct gw_error *error);

/* The gateway stops: ends the request without an answer. */
void gw_request_cancel(struct gw_request *request);

/* Is the answer text, whose stream is read and has a known end? Those of speech, images and
 * transcripts end with whatever their vendor thought of. */
static inline bool gw_request_makes_text(const struct gw_request *request)
{
    return request->llm.task == GW_TASK_CHAT || request->llm.task == GW_TASK_COMPLETION ||
           request->llm.task == GW_TASK_RESPONSE;
}

/* Does the provider keep the answer, so that asking twice would keep two? */
static inline bool gw_request_is_kept(const struct gw_request *request)
{
    return request->llm.task == GW_TASK_RESPONSE &&
           (request->llm.is_stored || request->llm.is_background);
}

/* ---- the states; each sets the next one and returns what to do ---- */
#define XX(id, function) enum gw_step gw_state_##function(struct gw_request *request);
GW_REQUEST_STATES(XX)
#undef XX

/* ---- receive.c: what the downstream pair tells ---- */
extern const struct gw_downstream_events gw_request_downstream_events;

/* ---- exchange.c ---- */

/* Where and within which times the current attempt, which was picked, is asked; what is sent
 * gw_plan_exchange() fills in. */
struct gw_exchange_request gw_exchange_prepare(const struct gw_request *request, bool is_fresh);

/* Begins the exchange of the current attempt, which was picked and has its API. Errors: those of
 * gw_plan_exchange(), then *is_planned is false and *error may say why; those of
 * gw_exchange_start(). */
GW_MUST_USE enum gw_err gw_exchange_begin(struct gw_request *request, bool is_fresh,
                                          struct gw_error *error, bool *is_planned);

/* Ends what is asked without an event. */
void gw_request_cancel_exchange(struct gw_request *request);

/* Stops or resumes the provider's answer. */
void gw_request_pause_exchange(struct gw_request *request, bool paused);

/* Frees the body: no further attempt can need it. */
void gw_request_release_body(struct gw_request *request);

/* ---- attempt.c: a deployment for the next exchange, and what its end tells the router ---- */

/* Asks the router for a deployment of request->group, which becomes the current attempt. Errors:
 * GW_ERR_NOT_FOUND (nobody can serve now), GW_ERR_TOO_LARGE (the model's name is longer than any),
 * GW_ERR_NOMEM; nothing is owed to the router then. */
GW_MUST_USE enum gw_err gw_attempt_pick(struct gw_request *request);

/* Could one of the group's deployments serve |ask| now? Takes nothing. */
bool gw_attempt_is_possible(const struct gw_request *request, const struct gw_router_ask *ask);

/* What the request will take, about: request->ask's tokens. */
void gw_attempt_estimate(struct gw_request *request);

/* Makes request->ask that of this moment: whoever explains or previews a pick at another time than
 * the pick itself wants that. */
void gw_attempt_ask_now(struct gw_request *request);

/* Makes |choice| of request->group the current attempt without taking anything. Errors: as
 * gw_attempt_pick(). */
GW_MUST_USE enum gw_err gw_attempt_assume(struct gw_request *request,
                                          const struct gw_router_choice *choice);

/* The attempt is over: |error|'s class NONE is success. Nothing happens when it was told before. */
void gw_attempt_end(struct gw_attempt *attempt, const struct gw_error *error);

/* The key that was chosen for it; NULL: none. */
static inline const struct gw_secret *gw_attempt_credential(const struct gw_attempt *attempt)
{
    return gw_deployment_secret(attempt->deployment, attempt->choice.credential);
}

/* Ends its exchange, if there is one, without an event. */
void gw_attempt_cancel(struct gw_attempt *attempt);

/* ---- hedge.c: a second exchange when the first takes unusually long ---- */

/* The first exchange has begun: is there to be another, later? */
void gw_hedge_plan(struct gw_request *request);

/* It takes long: asks another deployment as well. */
void gw_hedge_start(struct gw_request *request);

/* |attempt| was answered with |status|. False: it lost, and the request goes on with its rival. */
bool gw_hedge_on_response(struct gw_attempt *attempt, const struct gw_response_head *head);

/* |attempt| failed. True: the request goes on with its rival. */
bool gw_hedge_on_failure(struct gw_attempt *attempt, const struct gw_error *error);

/* ---- mirror.c: copies for another model ---- */

/* The first exchange has begun: sends a copy to the group's mirror, for the share that gets one. */
void gw_mirror_request(struct gw_request *request);

/* Ends all copies. */
void gw_mirror_cancel_all(struct gw_core *core);

/* ---- prober.c: asking deployments whether they live ---- */

/* Another configuration is in force: its deployments are probed from now on, no others. */
void gw_prober_follow(struct gw_core *core);

/* Sends no more probes, and ends those on their way, whose deployments learn nothing of it. */
void gw_prober_stop(struct gw_core *core);

/* ---- again.c: after a failure ---- */

/* |attempt| came to nothing: ended, and remembered for the next pick and for the error that tells
 * of all. */
void gw_attempt_failed(struct gw_attempt *attempt, const struct gw_error *error);

/* The attempt came to nothing, and the client has not seen a byte: another attempt, or the answer
 * that tells. |error|'s texts live in the arena. The request may be gone afterwards. */
void gw_request_attempt_failed(struct gw_request *request, const struct gw_error *error);

/* No deployment of the group could be picked: another group, a pause, or the answer that tells. */
enum gw_step gw_request_nobody(struct gw_request *request);

/* gw_request_attempt_failed() for states: says what is next. */
enum gw_step gw_request_again(struct gw_request *request, const struct gw_error *error);

/* Sets the request's timer; clears it. */
void gw_request_wait(struct gw_request *request, enum gw_request_wait wait, uint64_t delay_ms);
void gw_request_stop_waiting(struct gw_request *request);

/* ---- line.c: waiting for a deployment with room ---- */

/* Are others waiting whom this request must not overtake? */
bool gw_line_is_ahead(const struct gw_request *request);

/* Waits, or goes on waiting, in the group's line; |wait_ms| until there may be room, 0: unknown.
 * False when there is no line, it is full, or the wait is over. */
bool gw_line_enter(struct gw_request *request, uint64_t wait_ms);

/* The time |request| waited for has come: those before it are served first. It may be gone
 * afterwards. */
void gw_line_look(struct gw_request *request);

/* Waits no longer: it was served, or not. Nothing when it does not wait. */
void gw_line_leave(struct gw_request *request, bool is_served);

/* What a client that is sent away is told to wait. */
uint64_t gw_line_retry_after_ms(const struct gw_request *request, uint64_t wait_ms);

/* A deployment of |conf| may have room: those who wait are asked to try, after this callback. */
void gw_line_wake(struct gw_core *core, struct gw_conf *conf);

/* ---- steer.c: what in the request steers the choice ---- */

/* Does the configuration say which models stand for "auto"? */
bool gw_steer_has_auto(const struct gw_request *request);

/* Replaces the model "auto", or none, by the one for requests as hard as this one, where the
 * configuration names some. */
void gw_steer_auto(struct gw_request *request);

/* Reads what steers the pick in request->group. GW_STEP_GO with another state than ROUTE: the
 * request was refused. */
enum gw_step gw_steer(struct gw_request *request);

/* ---- continue.c: streams that break off behind their first byte ---- */

/* A stream's answer begins: takes notes of it from now on, where its group wants that. */
void gw_continue_watch(struct gw_request *request);

/* The client is about to get a sign of life before there is any output: notes are taken in any
 * case, since the answer can still begin anew at another deployment. */
void gw_continue_watch_beginning(struct gw_request *request);

/* Does another exchange continue what the client has? */
static inline bool gw_continue_is_on(const struct gw_request *request)
{
    return request->recovery != NULL && request->recovery->is_continuing;
}

/* Could the broken answer be continued, as far as is known before another deployment is chosen? */
bool gw_continue_can(struct gw_request *request, const struct gw_error *error);

/* The attempt, which has ended, broke off behind the client's first byte: another deployment goes
 * on, or the client gets the dialect's error event. Says what is next. */
enum gw_step gw_continue(struct gw_request *request, const struct gw_error *error);

/* Ends the stream of an answer that was continued with the dialect's error event; false when there
 * is none. */
bool gw_continue_tell(struct gw_request *request, const struct gw_error *error);

/* Could another deployment of the group go on with a stream that is only slow? Takes what that
 * costs out of the budget. */
bool gw_continue_can_move(struct gw_request *request);

/* ---- slow.c: streams that are too slow ---- */

/* Guards the stream whose notes are taken from now on, where its group wants that; until
 * gw_slow_stop(). */
void gw_slow_guard(struct gw_request *request);
void gw_slow_stop(struct gw_request *request);

/* ---- route.c ---- */

/* From the model's name to the group, and what steers the choice in it. GW_STEP_GO with another
 * state than ROUTE: the request was refused. */
enum gw_step gw_route_resolve(struct gw_request *request);

/* Deployments of request->group that the request must not go to, whatever happens. */
struct gw_router_set gw_route_left_out(const struct gw_request *request);

/* ---- chain.c: which groups follow ---- */

/* The groups behind the one that was asked for, resolved when the first is needed. Errors:
 * GW_ERR_NOMEM. */
GW_MUST_USE enum gw_err gw_chain_find(struct gw_request *request,
                                      const struct gw_fallbacks **fallbacks);

/* Makes the group that gw_chain_find() names by |number| the current one. */
void gw_chain_enter(struct gw_request *request, uint32_t number);

/* What people call it. */
struct gw_str gw_chain_name(const struct gw_request *request, uint32_t number);

/* ---- plan.c: what is sent ---- */

/* The client's request as dialects and APIs want it. */
struct gw_inbound gw_request_inbound(const struct gw_request *request);

/*
 * Fills in target, fields and body for the deployment that was chosen, verbatim or translated;
 * memory in the arena and the translation. Errors: GW_ERR_INVALID (*error is told), GW_ERR_NOMEM,
 * GW_ERR_NOT_FOUND (no token for the provider yet), GW_ERR_TOO_LARGE.
 */
GW_MUST_USE enum gw_err gw_plan_exchange(struct gw_request *request,
                                         struct gw_exchange_request *exchange,
                                         struct gw_error *error);

/* The attempt's translation, when it has none yet. Errors: GW_ERR_NOMEM. */
GW_MUST_USE enum gw_err gw_plan_make_translation(struct gw_request *request);

/* The same before the credential is on it: *call is at the beginning what the verbatim way may fill
 * in. What is changed on the verbatim way goes to |notes|. Errors: GW_ERR_INVALID (notes->error is
 * told), GW_ERR_NOMEM, GW_ERR_TOO_LARGE. */
GW_MUST_USE enum gw_err gw_plan_unsigned(struct gw_request *request,
                                         struct gw_exchange_request *exchange,
                                         struct gw_provider_call **call, struct gw_notes *notes);

/* The fields of |exchange|: the client's, the call's, the deployment's. Errors: GW_ERR_NOMEM. */
GW_MUST_USE enum gw_err gw_plan_fields(struct gw_request *request,
                                       const struct gw_provider_call *call,
                                       struct gw_exchange_request *exchange);

/* Only the translation for |api|: *call is what would be sent, without a credential. Errors: as
 * above. */
GW_MUST_USE enum gw_err gw_plan_translation(struct gw_request *request,
                                            const struct gw_provider_api *api,
                                            struct gw_provider_call **call, struct gw_error *error);

/* ---- deliver.c: the answer on its way ---- */

/* Forgets what an attempt before this one left. */
void gw_deliver_reset(struct gw_request *request);

/* The beginning of the answer has been held back for long enough: the client gets it. */
void gw_deliver_release(struct gw_request *request);

/* Do the provider's own bytes come as server-sent events? */
bool gw_deliver_is_event_stream(const struct gw_request *request);

/* It begins, goes on, is complete. */
void gw_deliver_on_response(struct gw_request *request, const struct gw_response_head *head);
void gw_deliver_on_body(struct gw_request *request, struct gw_str bytes);
void gw_deliver_on_end(struct gw_request *request);
/* The provider failed after its answer had begun to arrive. */
void gw_deliver_on_failure(struct gw_request *request, const struct gw_error *error);

/* ---- hold.c ---- */

/* The next bytes of a verbatim answer: to the client, or held back. Errors: GW_ERR_CANCELLED (the
 * stream begins with the provider's error, or the answer is empty: request->error), GW_ERR_NOMEM,
 * and those of gw_deliver_write(). */
GW_MUST_USE enum gw_err gw_hold_forward(struct gw_request *request, struct gw_str bytes);
/* Begins the answer with what was held back. */
GW_MUST_USE enum gw_err gw_hold_release(struct gw_request *request);
/* The answer ended before the client got any of it. Errors: GW_ERR_CANCELLED (it says nothing:
 * request->error), and those of gw_hold_release(). */
GW_MUST_USE enum gw_err gw_hold_end(struct gw_request *request);

/* ---- empty.c ---- */

/* Is |body|, the whole of a verbatim plain answer, none at all? Only where the answer is text. */
bool gw_answer_is_empty(const struct gw_request *request, struct gw_str body);

/* What that means; texts in the arena. */
struct gw_error gw_answer_explain_empty(struct gw_request *request, struct gw_str body);

/* ---- deliver.c again: to the client ---- */

/* Status and fields of the provider's answer go to the client. */
GW_MUST_USE enum gw_err gw_deliver_begin(struct gw_request *request);
/* Bytes go to the client, behind status and fields; pauses the provider when they pile up. */
GW_MUST_USE enum gw_err gw_deliver_write(struct gw_request *request, struct gw_str bytes);
/* The client has all; the request is settled. */
void gw_deliver_finish(struct gw_request *request);
/* The answer cannot go on: the client sees a cut, not a complete answer. */
void gw_deliver_cut(struct gw_request *request);
/* Forwarding itself failed. */
void gw_deliver_fail_here(struct gw_request *request, enum gw_err err);

/* ---- deliver_translated.c ---- */
void gw_deliver_translated_on_response(struct gw_request *request,
                                       const struct gw_response_head *head);
void gw_deliver_translated_on_body(struct gw_request *request, struct gw_str bytes);
void gw_deliver_translated_on_end(struct gw_request *request);
void gw_deliver_translated_on_failure(struct gw_request *request, const struct gw_error *error);
/* The stream has brought nothing for GW_REQUEST_SILENCE_MS: the client gets a ping, as far as its
 * dialect has one. */
void gw_deliver_translated_on_silence(struct gw_request *request);

/* ---- withhold.c: answers that are errors ---- */

/* Keeps head and body until the end, when they are explained. */
void gw_withhold_on_response(struct gw_request *request, const struct gw_response_head *head);
void gw_withhold_on_body(struct gw_request *request, struct gw_str bytes);
/* Complete, or as much as there will be. */
void gw_withhold_on_end(struct gw_request *request);
/* Passes what was kept on to the client; false when there is nothing to pass on or it is not in
 * the client's shape. The request is settled afterwards. */
bool gw_withhold_release(struct gw_request *request);
/* Frees; NULL-safe, clears the pointer. */
void gw_withheld_destroy(struct gw_withheld **withheld);

/* ---- stored.c: responses that are kept here ---- */

/*
 * Before a deployment is chosen, for a request with previous_response_id: when that response is
 * kept here, body and envelope become those of the whole conversation; else nothing changes.
 * Errors: GW_ERR_INVALID and GW_ERR_TOO_LARGE (*error is told), GW_ERR_NOMEM.
 */
GW_MUST_USE enum gw_err gw_stored_join(struct gw_request *request, struct gw_error *error);

/* Before a translation whose response the client may ask for again. Errors: GW_ERR_NOMEM,
 * GW_ERR_TOO_LARGE. */
GW_MUST_USE enum gw_err gw_stored_prepare(struct gw_request *request);

/* The request's id as the response's is made of it: a client may use its own id twice, and must not
 * replace its responses by that. */
struct gw_str gw_stored_id(struct gw_request *request);

/* Puts the response into the store when it is complete; only after gw_stored_prepare(). */
void gw_stored_keep(struct gw_request *request);

/* Answers a pass-through request about a response that is kept here, and says what is next; false
 * when it is about something else. */
bool gw_stored_answer(struct gw_request *request, enum gw_step *step);

/* Frees; NULL-safe, clears the pointer. */
void gw_stored_destroy(struct gw_stored **stored);

/* ---- respond.c: answers made here ---- */

/* Sends a complete JSON answer and ends the pair. |status| and |extra| as given. */
void gw_respond_json(struct gw_request *request, unsigned status, struct gw_str body,
                     const struct gw_header *extra, size_t extra_count);

/* Answers with request->error in the dialect's shape and ends the pair. */
void gw_respond_error(struct gw_request *request);

/* gw_request_fail() for a value of the client's that is wrong: 400, "invalid_value". */
enum gw_step gw_respond_invalid(struct gw_request *request, struct gw_str param,
                                struct gw_str message);

/* gw_request_fail() for want of memory. */
enum gw_step gw_respond_no_memory(struct gw_request *request);

/* Answers an OPTIONS request (CORS preflight) and ends the pair. */
void gw_respond_options(struct gw_request *request);

/* A name out of a request as messages quote it: nobody reads more than its beginning. */
static inline struct gw_str gw_quoted(struct gw_str text)
{
    return gw_str(text.ptr, text.len < GW_QUOTED_BYTES ? text.len : GW_QUOTED_BYTES);
}

/* ---- local.c ---- */

/* Answers /, /health, /ready, /live, and what models there are. */
enum gw_step gw_local_answer(struct gw_request *request);

/* ---- inspect.c: pages about routing ---- */

/* Answers a request for one of them; its body is complete. */
enum gw_step gw_inspect_answer(struct gw_request *request);

/* Appends an error in VelocityLLM's shape; failures stick in |out|. */
void gw_inspect_write_error(const struct gw_error *error, struct gw_buf *out);

/* ---- models.c: lists of models, each in the shape of the client's dialect ---- */

/* All models; failures stick in |out|. */
void gw_models_write_all(struct gw_request *request, struct gw_buf *out);
/* The model request->llm.model of request->group; failures stick in |out|. */
void gw_models_write_one(struct gw_request *request, struct gw_buf *out);

/* ---- fields.c ---- */

#define GW_COMMON_FIELDS 11

/* Fields that every answer carries (x-request-id, CORS, who answered); at most GW_COMMON_FIELDS;
 * returns how many. */
size_t gw_fields_common(struct gw_request *request, struct gw_header *fields);

/*
 * The provider's fields that go to the client, and ours. Errors: GW_ERR_NOMEM.
 */
GW_MUST_USE enum gw_err gw_fields_forward(struct gw_request *request,
                                          const struct gw_response_head *head,
                                          const struct gw_header **fields, size_t *count);

/* May a browser at |origin| use this gateway, by the configuration? */
bool gw_cors_allows(const struct gw_request *request, struct gw_str origin);

#endif
