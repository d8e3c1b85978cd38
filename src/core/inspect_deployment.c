/* SPDX-License-Identifier: MIT */
/* core/inspect_deployment - how one deployment stands: health, breaker, load, limits, keys. */
#include "base/assert.h"
#include "core/inspect_int.h"
#include "upstream/origin.h"

#define RELAXED         memory_order_relaxed
#define POINTS_PER_UNIT (GW_HEALTH_FULL / 100)
#define HEALTHY_FROM    80 /* less: one exchange in five failed of late, or all were slow */

struct gw_str gw_inspect_status_name(enum gw_inspect_status status)
{
    static const struct gw_str names[] = {GW_STR_INIT("healthy"), GW_STR_INIT("degraded"),
                                          GW_STR_INIT("unhealthy")};
    GW_ASSERT((unsigned)status < GW_ARRAY_LEN(names));
    return names[status];
}

static void count_keys(struct gw_inspect_deployment *found, uint64_t now_ms)
{
    for (size_t i = 0; i < found->deployment->key_count; i++) {
        bool is_out = gw_credential_rest_ms(found->keys[i], now_ms) > 0;
        bool is_refused = gw_credential_is_refused(found->keys[i]);
        found->resting += is_out && !is_refused;
        found->refused += is_refused;
    }
}

static enum gw_inspect_status judge(const struct gw_inspect_deployment *found)
{
    size_t keys = found->deployment->key_count;
    if (found->phase == GW_BREAKER_OPEN || found->is_down || (keys > 0 && found->refused == keys)) {
        return GW_INSPECT_UNHEALTHY;
    }
    bool is_degraded = found->phase == GW_BREAKER_HALF_OPEN || found->health < HEALTHY_FROM ||
                       found->refused > 0 || (keys > 0 && found->resting + found->refused == keys);
    return is_degraded ? GW_INSPECT_DEGRADED : GW_INSPECT_HEALTHY;
}

static void look_at(struct gw_inspect_deployment *found, uint64_t now_ms)
{
    const struct gw_breaker_options *breaker = &found->deployment->routing->breaker;
    const struct gw_deployment_state *state = found->state;
    found->is_probed = gw_routing_probe_model(found->group, found->deployment).len > 0;
    found->is_down =
        found->is_probed && gw_probe_is_down(&state->probe, &found->deployment->routing->probe);
    found->phase = gw_breaker_phase(&state->breaker, breaker, now_ms);
    found->breaker_wait_ms = gw_breaker_wait_ms(&state->breaker, breaker, now_ms);
    found->in_flight = atomic_load_explicit(&state->limits.in_flight, RELAXED);
    found->health = gw_health_points(&state->health) / POINTS_PER_UNIT;
    found->score = gw_health_score(&state->health, found->in_flight, now_ms) / POINTS_PER_UNIT;
    found->latency_us = gw_health_latency_us(&state->health, now_ms);
    count_keys(found, now_ms);
    found->status = judge(found);
}

bool gw_inspect_next(struct gw_inspect_walk *walk, struct gw_inspect_deployment *found)
{
    const struct gw_conf *conf = walk->conf;
    const struct gw_catalog *catalog = conf->snapshot->catalog;
    while (walk->group < gw_catalog_group_count(catalog)) {
        const struct gw_model_group *group = gw_catalog_group(catalog, walk->group);
        if (walk->member == group->deployment_count) {
            walk->group++;
            walk->member = 0;
            continue;
        }
        *found = (struct gw_inspect_deployment){
            .deployment = group->deployments[walk->member],
            .group = group,
            .state = conf->members[walk->group][walk->member],
            .keys = conf->credentials + walk->key,
        };
        walk->member++;
        walk->key += found->deployment->key_count;
        look_at(found, walk->now_ms);
        return true;
    }
    return false;
}

/* ---- as JSON ---- */

static void write_limit(struct gw_str key, uint64_t limit, uint64_t left, struct gw_buf *out)
{
    if (limit > 0) {
        gw_json_write_key(key, out);
        (void)gw_buf_appendf(out, "{\"limit\":%llu,\"left\":%llu}", (unsigned long long)limit,
                             (unsigned long long)left);
    }
}

static void write_learned(struct gw_str key, uint64_t left, struct gw_buf *out)
{
    if (left != UINT64_MAX) {
        gw_json_write_count(key, left, out);
    }
}

static void write_limits(const struct gw_inspect_deployment *found, uint64_t now_ms,
                         struct gw_buf *out)
{
    const struct gw_deployment_routing *routing = found->deployment->routing;
    struct gw_limits_left left = gw_limits_left(&found->state->limits, &routing->limits, now_ms);
    gw_json_write_key(GW_STR("limits"), out);
    (void)gw_buf_append(out, GW_STR("{"));
    write_limit(GW_STR("rpm"), routing->limits.rpm, left.requests, out);
    write_limit(GW_STR("tpm"), routing->limits.tpm, left.tokens, out);
    write_limit(GW_STR("parallel"), routing->limits.max_parallel, left.parallel, out);
    if (routing->concurrency.is_on) {
        uint32_t limit = gw_concurrency_limit(&found->state->concurrency, &routing->concurrency);
        write_limit(GW_STR("adaptive_parallel"), limit,
                    limit > found->in_flight ? limit - found->in_flight : 0, out);
    }
    write_learned(GW_STR("provider_requests_left"), left.learned_requests, out);
    write_learned(GW_STR("provider_tokens_left"), left.learned_tokens, out);
    (void)gw_buf_append(out, GW_STR("}"));
}

/* How many, never which. */
static void write_keys(const struct gw_inspect_deployment *found, uint64_t now_ms,
                       struct gw_buf *out)
{
    size_t count = found->deployment->key_count;
    uint64_t soonest = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t rest_ms = gw_credential_rest_ms(found->keys[i], now_ms);
        soonest = rest_ms > 0 && (soonest == 0 || rest_ms < soonest) ? rest_ms : soonest;
    }
    gw_json_write_key(GW_STR("keys"), out);
    (void)gw_buf_appendf(out, "{\"count\":%zu,\"resting\":%zu,\"refused\":%zu", count,
                         found->resting, found->refused);
    if (soonest > 0) {
        gw_json_write_count(GW_STR("next_try_in_ms"), soonest, out);
    }
    (void)gw_buf_append(out, GW_STR("}"));
}

static void write_breaker(const struct gw_inspect_deployment *found, struct gw_buf *out)
{
    const struct gw_breaker *breaker = &found->state->breaker;
    struct gw_breaker_view view =
        gw_breaker_word_view(atomic_load_explicit(&breaker->word, RELAXED));
    gw_json_write_key(GW_STR("breaker"), out);
    (void)gw_buf_appendf(out, "{\"state\":\"%s\",\"failures\":%u,\"openings\":%u",
                         gw_breaker_phase_name(found->phase), view.failures,
                         atomic_load_explicit(&breaker->openings_total, RELAXED));
    if (found->breaker_wait_ms > 0) {
        gw_json_write_count(GW_STR("next_try_in_ms"), found->breaker_wait_ms, out);
    }
    (void)gw_buf_append(out, GW_STR("}"));
}

void gw_inspect_write_probe(const struct gw_inspect_deployment *found, uint64_t now_ms,
                            struct gw_buf *out)
{
    uint64_t ago_ms = 0;
    const struct gw_probe *probe = &found->state->probe;
    enum gw_probe_outcome last = gw_probe_last(probe, now_ms, &ago_ms);
    gw_inspect_write_bool(GW_STR("down"), found->is_down, out);
    gw_json_write_member(GW_STR("last"), gw_probe_outcome_name(last), out);
    if (last != GW_PROBE_NONE) {
        gw_json_write_count(GW_STR("last_ago_ms"), ago_ms, out);
    }
    gw_json_write_count(GW_STR("next_in_ms"),
                        gw_probe_due_in_ms(probe, &found->deployment->routing->probe, now_ms), out);
}

void gw_inspect_write_latency(struct gw_str key, uint64_t us, struct gw_buf *out)
{
    gw_json_write_key(key, out);
    if (us == 0) {
        (void)gw_buf_append(out, GW_STR("null"));
        return;
    }
    (void)gw_buf_appendf(out, "%llu.%03u", (unsigned long long)(us / 1000), (unsigned)(us % 1000));
}

static void write_place(const struct gw_inspect_deployment *found, struct gw_buf *out)
{
    const struct gw_deployment *deployment = found->deployment;
    gw_json_write_member(GW_STR("id"), deployment->id, out);
    gw_json_write_member(GW_STR("group"), found->group->name, out);
    gw_json_write_member(GW_STR("provider"), deployment->provider_name, out);
    gw_json_write_member(
        GW_STR("model"),
        deployment->upstream_model.len > 0 ? deployment->upstream_model : found->group->name, out);
    if (deployment->origin != NULL) {
        gw_json_write_member(GW_STR("host"), deployment->origin->host_header, out);
    }
    gw_json_write_optional(GW_STR("region"), deployment->region, out);
    gw_json_write_count(GW_STR("weight"), deployment->weight, out);
    gw_json_write_key(GW_STR("priority"), out);
    (void)gw_buf_appendf(out, "%d", (int)deployment->routing->priority);
}

void gw_inspect_write_deployment(const struct gw_inspect_deployment *found, uint64_t now_ms,
                                 struct gw_buf *out)
{
    const struct gw_deployment_state *state = found->state;
    (void)gw_buf_append(out, GW_STR("{"));
    write_place(found, out);
    gw_json_write_member(GW_STR("status"), gw_inspect_status_name(found->status), out);
    gw_json_write_count(GW_STR("health"), found->health, out);
    gw_json_write_count(GW_STR("score"), found->score, out);
    write_breaker(found, out);
    gw_json_write_count(GW_STR("in_flight"), found->in_flight, out);
    gw_inspect_write_latency(GW_STR("latency_ms"), found->latency_us, out);
    gw_inspect_write_latency(GW_STR("p95_ms"), gw_quantile_p95_us(&state->first_byte), out);
    gw_json_write_count(GW_STR("exchanges"), atomic_load_explicit(&state->exchanges_total, RELAXED),
                        out);
    gw_json_write_count(GW_STR("failures"), atomic_load_explicit(&state->failures_total, RELAXED),
                        out);
    gw_json_write_count(GW_STR("timeouts"), atomic_load_explicit(&state->timeouts_total, RELAXED),
                        out);
    write_limits(found, now_ms, out);
    write_keys(found, now_ms, out);
    if (found->is_probed) {
        gw_json_write_key(GW_STR("probe"), out);
        (void)gw_buf_append(out, GW_STR("{"));
        gw_inspect_write_probe(found, now_ms, out);
        (void)gw_buf_append(out, GW_STR("}"));
    }
    (void)gw_buf_append(out, GW_STR("}"));
}
