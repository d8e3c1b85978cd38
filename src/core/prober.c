/* SPDX-License-Identifier: MIT */
/*
 * core/prober - asks deployments whether they live, where the configuration wants that: with the
 * smallest request that their API has, whose answer nobody reads. All workers share one schedule
 * (policy/probe); who finds a probe due takes it.
 */
#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "core/core_int.h"
#include "llm/model_facts.h"
#include "llm/notes.h"
#include "provider/forward.h"
#include "json/value.h"
#include "json/write.h"

#define PROBES_MAX 64u /* of a worker at once; more wait for the next look */
/* Between two looks at the schedule: exact enough for intervals of a second and more. */
#define LOOK_MS    100u
#define BODY_BYTES (64u * 1024) /* of the request: its model's name, and what extra_body adds */

struct probe {
    struct gw_list node; /* in core->probes */
    struct gw_core *core;
    struct gw_conf *conf; /* what |target| belongs to */
    const struct gw_probed *target;
    struct gw_exchange *exchange;
    struct gw_provider_call call;
    struct gw_str run; /* the call's body */
    unsigned status;
    uint64_t begun_at_ms;
    struct gw_deferred release;
    struct gw_arena arena;
    char first_bytes[GW_REQUEST_FIRST_BYTES];
};

static const struct gw_probe_options *options_of(const struct gw_probed *target)
{
    return &target->deployment->routing->probe;
}

/* ---- the end ---- */

static void on_release(struct gw_deferred *release)
{
    struct probe *probe = GW_CONTAINER_OF(release, struct probe, release);
    gw_buf_fini(&probe->call.body);
    gw_arena_fini(&probe->arena);
    gw_conf_release(&probe->conf);
    gw_free(probe);
}

/* Says nothing about the deployment. */
static void give_up(struct probe *probe)
{
    probe->core->probe_count--;
    gw_list_unlink(&probe->node);
    gw_loop_defer(probe->core->loop, &probe->release);
}

static void note_health(struct gw_health *health, enum gw_probe_outcome outcome, uint64_t took_ms)
{
    if (outcome == GW_PROBE_OK) {
        gw_health_note(health, took_ms > GW_HEALTH_SLOW_MS ? GW_HEALTH_SLOW : GW_HEALTH_FAST);
    } else if (outcome == GW_PROBE_TIMED_OUT) {
        gw_health_note(health, GW_HEALTH_TIMEOUT);
    } else if (!gw_probe_is_alive(outcome)) {
        gw_health_note(health, GW_HEALTH_FAILURE);
    }
}

static void tell(const struct probe *probe, enum gw_probe_outcome outcome, enum gw_probe_news news)
{
    struct gw_str id = probe->target->deployment->id;
    struct gw_str how = gw_probe_outcome_name(outcome);
    if (news == GW_PROBE_WENT_DOWN) {
        gw_log_warn("core",
                    "deployment '" GW_STR_FMT "': %u probes in a row failed (" GW_STR_FMT
                    "); it is asked only where nobody else can serve",
                    GW_STR_ARG(id), options_of(probe->target)->failures, GW_STR_ARG(how));
    } else if (news == GW_PROBE_CAME_UP) {
        gw_log_info("core", "deployment '" GW_STR_FMT "': answers probes again", GW_STR_ARG(id));
    } else {
        gw_log_debug("core", "deployment '" GW_STR_FMT "': probe: " GW_STR_FMT, GW_STR_ARG(id),
                     GW_STR_ARG(how));
    }
}

static void finish(struct probe *probe, enum gw_probe_outcome outcome)
{
    struct gw_deployment_state *state = probe->target->state;
    uint64_t now_ms = gw_loop_now_ms(probe->core->loop);
    enum gw_probe_news news =
        gw_probe_end(&state->probe, options_of(probe->target), outcome, now_ms);
    note_health(&state->health, outcome, now_ms - probe->begun_at_ms);
    tell(probe, outcome, news);
    give_up(probe);
}

static void on_response(void *user, const struct gw_response_head *head)
{
    struct probe *probe = user;
    probe->status = head->status;
}

static void on_body(void *user, struct gw_str bytes)
{
    (void)user;
    (void)bytes;
}

static void on_end(void *user)
{
    struct probe *probe = user;
    finish(probe, gw_probe_outcome_of(probe->status));
}

static void on_error(void *user, const struct gw_exchange_failure *failure)
{
    struct probe *probe = user;
    if (probe->status >= 400) { /* an error before it broke off */
        finish(probe, gw_probe_outcome_of(probe->status));
    } else if (failure->err == GW_ERR_NOMEM) {
        give_up(probe);
    } else {
        finish(probe, failure->err == GW_ERR_TIMEOUT ? GW_PROBE_TIMED_OUT : GW_PROBE_BROKEN);
    }
}

static const struct gw_exchange_events probe_events = {
    .on_response = on_response, .on_body = on_body, .on_end = on_end, .on_error = on_error};

/* ---- the request ---- */

static bool gives_vectors(const struct gw_probed *target)
{
    struct gw_model_facts facts;
    return gw_model_facts_of(target->deployment, target->model, &facts) &&
           (facts.abilities & 1u << GW_ABILITY_EMBEDDING) != 0;
}

/* The smallest question there is, as the neutral model has it. */
static enum gw_err write_question(const struct gw_llm_request *asked, struct gw_buf *out)
{
    (void)gw_buf_append(out, GW_STR("{"));
    gw_json_write_member(GW_STR("model"), asked->model, out);
    if (asked->task == GW_TASK_EMBEDDING) {
        gw_json_write_member(GW_STR("input"), GW_STR("ping"), out);
    } else {
        gw_json_write_raw(GW_STR("messages"), GW_STR("[{\"role\":\"user\",\"content\":\"ping\"}]"),
                          out);
        gw_json_write_count(GW_STR("max_tokens"), asked->max_output_tokens, out);
    }
    return gw_buf_append(out, GW_STR("}"));
}

static enum gw_err encode_value(struct probe *probe, const struct gw_provider_api *api,
                                const struct gw_llm_request *asked, yyjson_val *question)
{
    struct gw_error error = {0};
    struct gw_notes notes;
    struct gw_provider_input input = {.deployment = probe->target->deployment,
                                      .upstream_model = asked->model,
                                      .request = asked,
                                      .arena = &probe->arena,
                                      .notes = &notes};
    gw_notes_init(&notes, &probe->arena, true, &error);
    if (asked->task != GW_TASK_EMBEDDING) {
        return api->encode(&input, question, &probe->call);
    }
    return api->encode_embeddings != NULL ? api->encode_embeddings(&input, question, &probe->call)
                                          : GW_ERR_INVALID;
}

static enum gw_err encode(struct probe *probe, const struct gw_provider_api *api,
                          const struct gw_llm_request *asked)
{
    struct gw_buf text;
    struct gw_json_reader reader;
    yyjson_val *question = NULL;
    gw_buf_init(&text, BODY_BYTES);
    gw_json_reader_init(&reader, BODY_BYTES);
    enum gw_err err = write_question(asked, &text);
    err = err == GW_OK ? gw_json_read(&reader, gw_buf_str(&text), &question) : err;
    err = err == GW_OK ? encode_value(probe, api, asked, question) : err;
    gw_json_reader_fini(&reader);
    gw_buf_fini(&text);
    return err;
}

/* With a key that may be used now: one that rests is not to be asked. */
static enum gw_err authorize(struct probe *probe, const struct gw_provider_api *api)
{
    const struct gw_probed *target = probe->target;
    const struct gw_deployment *deployment = target->deployment;
    struct gw_authorize_input input = {.deployment = deployment,
                                       .host = deployment->origin->host_header,
                                       .body_runs = &probe->run,
                                       .body_run_count = 1,
                                       .now_ms = gw_clock_wall_ms(),
                                       .arena = &probe->arena};
    struct gw_credential_pool pool = {.states = target->keys,
                                      .count = deployment->key_count,
                                      .limits = deployment->routing->key_limits};
    size_t key = 0;
    uint64_t turn = gw_rng_next(gw_loop_rng(probe->core->loop));
    if (gw_credentials_pick(&pool, 0, turn, 1, probe->begun_at_ms, &key, NULL) !=
        GW_CREDENTIAL_FOUND) {
        return GW_ERR_NOT_FOUND;
    }
    input.credential = gw_deployment_secret(deployment, key);
    return api->authorize(&input, &probe->call);
}

static struct gw_str make_id(struct probe *probe)
{
    uint64_t bits = gw_rng_next(gw_loop_rng(probe->core->loop));
    return gw_arena_printf(&probe->arena, "probe_%016llx", (unsigned long long)bits);
}

static enum gw_err send_probe(struct probe *probe)
{
    const struct gw_probed *target = probe->target;
    const struct gw_deployment *deployment = target->deployment;
    struct gw_llm_request asked = {.dialect = GW_DIALECT_OPENAI,
                                   .task = gives_vectors(target) ? GW_TASK_EMBEDDING : GW_TASK_CHAT,
                                   .model = target->model,
                                   .max_output_tokens = 1};
    const struct gw_provider_api *api = gw_api_for(deployment, target->model, &asked);
    struct gw_exchange_request exchange = {
        .pool = probe->conf->pools[deployment->origin_index],
        .body_runs = &probe->run,
        .body_run_count = 1,
        .timeouts = deployment->timeouts,
        .fresh_connection = true, /* can one be made? And none of the pool can be dead. */
    };
    struct gw_forward_opts fields = {.deployment = deployment,
                                     .call = &probe->call,
                                     .request_id = make_id(probe),
                                     .wants_identity = true};
    exchange.timeouts.total_ms = options_of(target)->timeout_ms;
    enum gw_err err = api != NULL ? encode(probe, api, &asked) : GW_ERR_INVALID;
    probe->run = gw_buf_str(&probe->call.body);
    err = err == GW_OK ? authorize(probe, api) : err;
    err = err == GW_OK
              ? gw_forward_fields(&fields, &probe->arena, &exchange.headers, &exchange.header_count)
              : err;
    exchange.method = probe->call.method;
    exchange.target = probe->call.target;
    return err == GW_OK ? gw_exchange_start(&exchange, &probe_events, probe, &probe->exchange)
                        : err;
}

static void start(struct gw_core *core, const struct gw_probed *target)
{
    struct probe *probe = gw_try_alloc(sizeof(*probe));
    if (probe == NULL) {
        return;
    }
    memset(probe, 0, offsetof(struct probe, first_bytes));
    probe->core = core;
    probe->conf = gw_conf_acquire(core->conf);
    probe->target = target;
    probe->begun_at_ms = gw_loop_now_ms(core->loop);
    gw_buf_init(&probe->call.body, BODY_BYTES);
    gw_arena_init(&probe->arena, probe->first_bytes, sizeof(probe->first_bytes),
                  GW_REQUEST_BLOCK_BYTES, GW_REQUEST_ARENA_MAX);
    gw_deferred_init(&probe->release, on_release);
    gw_list_init(&probe->node);
    gw_list_append(&core->probes, &probe->node);
    core->probe_count++;
    enum gw_err err = send_probe(probe);
    if (err != GW_OK) { /* no key or token at the moment, or no such request in its API */
        gw_log_debug("core", "deployment '" GW_STR_FMT "' is not probed: %s",
                     GW_STR_ARG(target->deployment->id), gw_err_text(err));
        give_up(probe);
    }
}

/* ---- the schedule ---- */

static void on_look(struct gw_timer *timer)
{
    struct gw_core *core = GW_CONTAINER_OF(timer, struct gw_core, probe_timer);
    const struct gw_conf *conf = core->conf;
    uint64_t now_ms = gw_loop_now_ms(core->loop);
    uint64_t soonest_ms = UINT64_MAX;
    for (size_t i = 0; i < conf->probed_count; i++) {
        const struct gw_probed *target = &conf->probed[i];
        const struct gw_probe_options *options = options_of(target);
        struct gw_probe *schedule = &target->state->probe;
        uint64_t due_ms = gw_probe_due_in_ms(schedule, options, now_ms);
        if (due_ms == 0 && core->probe_count < PROBES_MAX &&
            gw_probe_try_begin(schedule, options, now_ms, gw_rng_next(gw_loop_rng(core->loop)))) {
            start(core, target);
        }
        due_ms = gw_probe_due_in_ms(schedule, options, now_ms);
        soonest_ms = due_ms < soonest_ms ? due_ms : soonest_ms;
    }
    gw_timer_set_at(timer, now_ms + (soonest_ms > LOOK_MS ? soonest_ms : LOOK_MS));
}

void gw_prober_stop(struct gw_core *core)
{
    gw_timer_clear(&core->probe_timer);
    GW_LIST_FOREACH(&core->probes, node)
    {
        struct probe *probe = GW_CONTAINER_OF(node, struct probe, node);
        gw_exchange_cancel(&probe->exchange);
        give_up(probe);
    }
}

void gw_prober_follow(struct gw_core *core)
{
    if (core->probe_timer.on_expire == NULL) {
        gw_timer_init(&core->probe_timer, core->loop, on_look);
    }
    gw_prober_stop(core);
    if (core->conf->probed_count > 0 && !core->is_draining) {
        gw_timer_set_at(&core->probe_timer, gw_loop_now_ms(core->loop));
    }
}
