/* SPDX-License-Identifier: MIT */
/* core/conf - see the header. */
#include "core/conf.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "base/clock.h"
#include "llm/model_facts.h"

#define NANO_PER_MILLION_TO_PICO 1000 /* nano-USD per million tokens to pico-USD per token */

/* ---- the router ---- */

/* A price that nobody knows must not look like the best one. */
static uint64_t price_pusd(int64_t price)
{
    return price < 0 ? UINT64_MAX : (uint64_t)price / NANO_PER_MILLION_TO_PICO;
}

static void add_facts(const struct gw_conf *conf, const struct gw_deployment *deployment,
                      struct gw_router_member *member)
{
    struct gw_model_facts facts;
    bool is_known = gw_model_facts_of(deployment, deployment->upstream_model, &facts);
    if (!is_known) {
        gw_model_facts_clear(&facts);
    }
    const struct gw_model_prices *prices =
        gw_model_facts_prices(&facts, 0, gw_clock_wall_ms() / 1000);
    member->input_pusd = price_pusd(prices->input);
    member->output_pusd = price_pusd(prices->output);
    if (conf->snapshot->routing->checks_context) {
        member->max_input_tokens = facts.context_tokens;
    }
}

static void add_keys(struct gw_conf *conf, const struct gw_deployment *deployment,
                     struct gw_router_member *member)
{
    struct gw_credential_state **states = conf->credentials + conf->credential_count;
    for (size_t i = 0; i < deployment->key_count; i++) {
        states[i] = gw_credential_state_acquire(conf->registry, deployment->id,
                                                deployment->keys[i].fingerprint);
    }
    conf->credential_count += deployment->key_count;
    member->pool = (struct gw_credential_pool){.states = states,
                                               .count = deployment->key_count,
                                               .limits = deployment->routing->key_limits};
}

static struct gw_router_member make_member(struct gw_conf *conf,
                                           const struct gw_deployment *deployment,
                                           struct gw_deployment_state *state)
{
    const struct gw_deployment_routing *routing = deployment->routing;
    struct gw_router_member member = {
        .state = state,
        .limits = routing->limits,
        .breaker = &routing->breaker,
        .concurrency = routing->concurrency.is_on ? &routing->concurrency : NULL,
        .region = deployment->region,
        .tags = routing->tags,
        .weight = deployment->weight < UINT32_MAX ? (uint32_t)deployment->weight : UINT32_MAX,
        .priority = routing->priority,
        .quality = routing->quality,
    };
    add_facts(conf, deployment, &member);
    add_keys(conf, deployment, &member);
    return member;
}

/* Where |member| of |group| is probed, it knows so, and the prober does. */
static void add_probed(struct gw_conf *conf, const struct gw_model_group *group, size_t index,
                       struct gw_router_member *member)
{
    const struct gw_deployment *deployment = group->deployments[index];
    struct gw_str model = gw_routing_probe_model(group, deployment);
    if (model.len == 0) {
        return;
    }
    member->probe = &deployment->routing->probe;
    conf->probed[conf->probed_count] = (struct gw_probed){.deployment = deployment,
                                                          .state = member->state,
                                                          .keys = member->pool.states,
                                                          .model = model};
    conf->probed_count++;
}

static uint32_t strategy_word(const struct gw_conf *conf, const struct gw_model_group *group)
{
    return atomic_load_explicit(&conf->groups[group->index]->strategy, memory_order_relaxed);
}

static enum gw_strategy strategy_of(const struct gw_model_group *group, uint32_t word)
{
    return word > 0 ? (enum gw_strategy)(word - 1) : group->routing->strategy;
}

static void fill_group(struct gw_conf *conf, const struct gw_model_group *group,
                       struct gw_router_group *out)
{
    struct gw_router_member *members =
        gw_zalloc((group->deployment_count + 1) * sizeof(struct gw_router_member));
    struct gw_deployment_state **states =
        gw_zalloc((group->deployment_count + 1) * sizeof(struct gw_deployment_state *));
    gw_queue_init(&conf->queues[group->index], &group->routing->queue);
    conf->groups[group->index] = gw_group_state_acquire(conf->registry, group->name);
    conf->members[group->index] = states;
    for (size_t i = 0; i < group->deployment_count; i++) {
        states[i] = gw_deployment_state_acquire(conf->registry, group->deployments[i]->id);
        members[i] = make_member(conf, group->deployments[i], states[i]);
        add_probed(conf, group, i, &members[i]);
    }
    conf->strategies[group->index] = strategy_word(conf, group);
    *out = (struct gw_router_group){
        .members = members,
        .count = group->deployment_count,
        .strategy = strategy_of(group, conf->strategies[group->index]),
    };
}

static size_t count_keys(const struct gw_catalog *catalog)
{
    size_t count = 0;
    for (size_t i = 0; i < gw_catalog_group_count(catalog); i++) {
        const struct gw_model_group *group = gw_catalog_group(catalog, i);
        for (size_t j = 0; j < group->deployment_count; j++) {
            count += group->deployments[j]->key_count;
        }
    }
    return count;
}

static size_t count_probed(const struct gw_catalog *catalog)
{
    size_t count = 0;
    for (size_t i = 0; i < gw_catalog_group_count(catalog); i++) {
        const struct gw_model_group *group = gw_catalog_group(catalog, i);
        for (size_t j = 0; j < group->deployment_count; j++) {
            count += gw_routing_probe_model(group, group->deployments[j]).len > 0;
        }
    }
    return count;
}

static void make_router(struct gw_conf *conf)
{
    const struct gw_catalog *catalog = conf->snapshot->catalog;
    size_t count = gw_catalog_group_count(catalog);
    struct gw_router_group *groups = gw_zalloc((count + 1) * sizeof(*groups));
    conf->queues = gw_zalloc((count + 1) * sizeof(struct gw_queue));
    conf->groups = gw_zalloc((count + 1) * sizeof(struct gw_group_state *));
    conf->strategies = gw_zalloc((count + 1) * sizeof(*conf->strategies));
    conf->members = gw_zalloc((count + 1) * sizeof(struct gw_deployment_state **));
    size_t probed_count = count_probed(catalog);
    conf->probed = probed_count > 0 ? gw_zalloc(probed_count * sizeof(struct gw_probed)) : NULL;
    conf->credentials = gw_zalloc((count_keys(catalog) + 1) * sizeof(struct gw_credential_state *));
    for (size_t i = 0; i < count; i++) {
        fill_group(conf, gw_catalog_group(catalog, i), &groups[i]);
    }
    conf->router = gw_router_create(groups, count, 0);
    for (size_t i = 0; i < count; i++) {
        gw_free((void *)(uintptr_t)groups[i].members);
    }
    gw_free(groups);
}

static void release_states(struct gw_conf *conf)
{
    const struct gw_catalog *catalog = conf->snapshot->catalog;
    gw_router_destroy(&conf->router);
    for (size_t i = 0; i < gw_catalog_group_count(catalog); i++) {
        for (size_t j = 0; j < gw_catalog_group(catalog, i)->deployment_count; j++) {
            gw_deployment_state_release(conf->registry, &conf->members[i][j]);
        }
        gw_free(conf->members[i]);
        gw_group_state_release(conf->registry, &conf->groups[i]);
    }
    for (size_t i = 0; i < conf->credential_count; i++) {
        gw_credential_state_release(conf->registry, &conf->credentials[i]);
    }
    gw_free(conf->credentials);
    gw_free(conf->probed);
    gw_free(conf->members);
    gw_free(conf->strategies);
    gw_free(conf->groups);
    gw_free(conf->queues);
}

enum gw_strategy gw_conf_strategy(const struct gw_conf *conf, const struct gw_model_group *group)
{
    return strategy_of(group, strategy_word(conf, group));
}

void gw_conf_follow_strategy(struct gw_conf *conf, const struct gw_model_group *group)
{
    uint32_t word = strategy_word(conf, group);
    if (word != conf->strategies[group->index]) {
        conf->strategies[group->index] = word;
        gw_router_set_strategy(conf->router, group->index, strategy_of(group, word));
    }
}

/* ---- life ---- */

struct gw_conf *gw_conf_create(struct gw_snapshot *snapshot, struct gw_upstream *upstream,
                               struct gw_deployment_registry *registry)
{
    struct gw_conf *conf = gw_zalloc(sizeof(*conf));
    conf->snapshot = snapshot;
    conf->registry = registry;
    conf->refs = 1;
    conf->pool_count = snapshot->origin_count;
    conf->pools = gw_zalloc(conf->pool_count * sizeof(struct gw_pool *));
    for (size_t i = 0; i < conf->pool_count; i++) {
        conf->pools[i] = gw_upstream_pool(upstream, snapshot->origins[i]);
    }
    make_router(conf);
    return conf;
}

struct gw_conf *gw_conf_acquire(struct gw_conf *conf)
{
    conf->refs++;
    return conf;
}

void gw_conf_release(struct gw_conf **conf)
{
    struct gw_conf *old = *conf;
    *conf = NULL;
    if (old == NULL) {
        return;
    }
    GW_ASSERT(old->refs > 0);
    if (--old->refs > 0) {
        return;
    }
    if (old->wake.run != NULL) {
        gw_deferred_cancel(&old->wake);
    }
    release_states(old);
    for (size_t i = 0; i < old->pool_count; i++) {
        gw_pool_release(&old->pools[i]);
    }
    gw_snapshot_release(&old->snapshot);
    gw_free(old->pools);
    gw_free(old);
}
