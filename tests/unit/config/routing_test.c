/* SPDX-License-Identifier: MIT */
/* config/build_group, build_limits, build_auto: each setting of the router, and each complaint. */
#include "policy/routing.h"

#include "load_fixture.h"

#include <stdlib.h>

static const char *const keys[] = {"OPENAI_API_KEY=sk-env", NULL};

#define TWO_MODELS                                                                                 \
    "model_list:\n"                                                                                \
    "- {model_name: a, litellm_params: {model: gatewire/demo}}\n"                                  \
    "- {model_name: b, litellm_params: {model: gatewire/demo}}\n"

static const struct gw_model_group *group_of(const char *model)
{
    struct gw_str suffix = {0};
    const struct gw_model_group *group =
        gw_catalog_find(snapshot->catalog, gw_str_from_c(model), &suffix);
    assert_non_null(group);
    assert_non_null(group->routing);
    return group;
}

static const struct gw_group_routing *routing_of(const char *model)
{
    return group_of(model)->routing;
}

static const struct gw_deployment_routing *of_deployment(const char *model, size_t index)
{
    return deployment_of(model, index)->routing;
}

static void assert_same_retry(const struct gw_retry_policy *a, const struct gw_retry_policy *b)
{
    assert_int_equal(a->max_retries, b->max_retries);
    assert_int_equal(a->max_fallbacks, b->max_fallbacks);
    assert_int_equal(a->base_ms, b->base_ms);
    assert_int_equal(a->cap_ms, b->cap_ms);
    assert_int_equal(a->factor_pct, b->factor_pct);
    assert_int_equal(a->deadline_ms, b->deadline_ms);
    assert_int_equal(a->budget_pct, b->budget_pct);
    assert_int_equal(a->patience_ms, b->patience_ms);
}

static void assert_same_breaker(const struct gw_breaker_options *a,
                                const struct gw_breaker_options *b)
{
    assert_int_equal(a->is_off, b->is_off);
    assert_int_equal(a->failure_threshold, b->failure_threshold);
    assert_int_equal(a->failure_rate_pct, b->failure_rate_pct);
    assert_int_equal(a->rate_min_calls, b->rate_min_calls);
    assert_int_equal(a->window_ms, b->window_ms);
    assert_int_equal(a->cooldown_ms, b->cooldown_ms);
    assert_int_equal(a->cooldown_max_ms, b->cooldown_max_ms);
    assert_int_equal(a->probes, b->probes);
    assert_int_equal(a->successes, b->successes);
    assert_int_equal(a->slow_ms, b->slow_ms);
    assert_int_equal(a->slow_threshold, b->slow_threshold);
}

static void defaults_are_those_of_the_policies(void **state)
{
    (void)state;
    assert_good(TWO_MODELS, NULL, 0);
    const struct gw_group_routing *routing = routing_of("a");
    struct gw_retry_policy retry = {0};
    gw_retry_policy_bound(&retry);
    assert_int_equal(routing->strategy, GW_STRATEGY_PRIORITY);
    assert_same_retry(&routing->retry, &retry);
    assert_false(routing->hedge.is_on);
    assert_int_equal(routing->affinity, GW_AFFINITY_NONE);
    assert_int_equal(routing->queue.max_waiting, 0);
    assert_int_equal(routing->mirror.model.len, 0);
    assert_int_equal(routing->slow_stream.floor_tokens_per_s, 0);
    assert_false(routing->recovers_streams);
    assert_true(routing->uses_presets);
    struct gw_breaker_options breaker = {0};
    gw_breaker_options_bound(&breaker);
    const struct gw_deployment_routing *deployment = of_deployment("a", 0);
    assert_same_breaker(&deployment->breaker, &breaker);
    struct gw_concurrency_options concurrency = {0};
    gw_concurrency_options_bound(&concurrency);
    assert_false(deployment->concurrency.is_on);
    assert_int_equal(deployment->concurrency.initial, concurrency.initial);
    assert_int_equal(deployment->concurrency.min, concurrency.min);
    assert_int_equal(deployment->concurrency.max, concurrency.max);
    assert_int_equal(deployment->concurrency.tolerance_pct, concurrency.tolerance_pct);
    assert_int_equal(deployment->limits.rpm + deployment->limits.tpm, 0);
    assert_int_equal(deployment->limits.max_parallel, 0);
    assert_int_equal(snapshot->routing->failover_mode, GW_FAILOVER_CLOUD_FIRST);
    assert_int_equal(snapshot->routing->tags.count, 0);
    assert_false(snapshot->routing->checks_context);
}

static const char everything[] =
    "router:\n"
    "  strategy: Least-Busy\n"
    "  max_retries: 7\n"
    "  retry: {delay: 100ms, max_delay: 5s, factor: 1.5, deadline: 1m, budget: 10%, patience: 1s}\n"
    "  max_fallbacks: 2\n"
    "  hedge: {delay: 200ms, max_delay: 1s, budget: 3}\n"
    "  queue: {max_waiting: 50, timeout: 3s}\n"
    "  mirror: {model: b, percent: 2.5}\n"
    "  affinity: prefix\n"
    "  slow_stream: {min_tokens_per_second: 5, grace: 2s, max_delivered_tokens: 20}\n"
    "  recover_streams: true\n"
    "  circuit_breaker: {threshold: 9, timeout: 20s, max_cooldown: 1m, failure_rate: 50%,\n"
    "    min_calls: 10, window: 10s, probes: 4, successes: 3, slow_call: 2s, slow_calls: 5}\n"
    "  adaptive_concurrency: {initial: 30, min: 2, max: 90, tolerance: 2}\n"
    "  default_max_parallel_requests: 40\n"
    "  enable_pre_call_checks: true\n"
    "  failover_mode: local-first\n"
    "  preset_fallbacks: false\n";

static void the_router_sets_all_groups(void **state)
{
    (void)state;
    char yaml[2048];
    (void)snprintf(yaml, sizeof(yaml), "%s%s", everything, TWO_MODELS);
    assert_good(yaml, NULL, 0);
    const struct gw_group_routing *routing = routing_of("a");
    assert_int_equal(routing->strategy, GW_STRATEGY_LEAST_BUSY);
    assert_int_equal(routing->retry.max_retries, 7);
    assert_int_equal(routing->retry.base_ms, 100);
    assert_int_equal(routing->retry.cap_ms, 5000);
    assert_int_equal(routing->retry.factor_pct, 150);
    assert_int_equal(routing->retry.deadline_ms, 60000);
    assert_int_equal(routing->retry.budget_pct, 10);
    assert_int_equal(routing->retry.patience_ms, 1000);
    assert_int_equal(routing->retry.max_fallbacks, 2);
    assert_true(routing->hedge.is_on); /* the map is there */
    assert_int_equal(routing->hedge.delay_ms, 200);
    assert_int_equal(routing->hedge.max_delay_ms, 1000);
    assert_int_equal(routing->hedge.budget_pct, 3);
    assert_int_equal(routing->queue.max_waiting, 50);
    assert_int_equal(routing->queue.timeout_ms, 3000);
    assert_text(routing->mirror.model, "b");
    assert_int_equal(routing->mirror.permille, 25);
    assert_int_equal(routing_of("b")->mirror.model.len, 0); /* not its own */
    assert_int_equal(routing->affinity, GW_AFFINITY_PREFIX);
    assert_int_equal(routing->slow_stream.floor_tokens_per_s, 5);
    assert_int_equal(routing->slow_stream.grace_ms, 2000);
    assert_int_equal(routing->slow_stream.max_delivered_tokens, 20);
    assert_true(routing->recovers_streams);
    assert_false(routing->uses_presets);
    const struct gw_deployment_routing *deployment = of_deployment("b", 0);
    assert_int_equal(deployment->breaker.failure_threshold, 9);
    assert_int_equal(deployment->breaker.cooldown_ms, 20000);
    assert_int_equal(deployment->breaker.cooldown_max_ms, 60000);
    assert_int_equal(deployment->breaker.failure_rate_pct, 50);
    assert_int_equal(deployment->breaker.rate_min_calls, 10);
    assert_int_equal(deployment->breaker.window_ms, 10000);
    assert_int_equal(deployment->breaker.probes, 4);
    assert_int_equal(deployment->breaker.successes, 3);
    assert_int_equal(deployment->breaker.slow_ms, 2000);
    assert_int_equal(deployment->breaker.slow_threshold, 5);
    assert_true(deployment->concurrency.is_on);
    assert_int_equal(deployment->concurrency.initial, 30);
    assert_int_equal(deployment->concurrency.min, 2);
    assert_int_equal(deployment->concurrency.max, 90);
    assert_int_equal(deployment->concurrency.tolerance_pct, 200);
    assert_int_equal(deployment->limits.max_parallel, 40);
    assert_true(snapshot->routing->checks_context);
    assert_int_equal(snapshot->routing->failover_mode, GW_FAILOVER_LOCAL_FIRST);
}

static void a_group_sets_its_own(void **state)
{
    (void)state;
    assert_good("router: {strategy: random, max_retries: 5, hedge: true, affinity: user,\n"
                "  mirror: b, circuit_breaker: off}\n"
                "model_groups:\n"
                "  a: {strategy: weighted, num_retries: 0, hedge: off, affinity: off,\n"
                "    retry: {delay: 0}, mirror: {percent: 10}, failover: off,\n"
                "    circuit_breaker: {enabled: true, cooldown: 1s}, adaptive_concurrency: yes}\n"
                "  b: {hedge: {delay: 1s}, queue: {max_waiting: 3}}\n" TWO_MODELS,
                NULL, 0);
    const struct gw_group_routing *a = routing_of("a");
    const struct gw_group_routing *b = routing_of("b");
    assert_int_equal(a->strategy, GW_STRATEGY_WEIGHTED);
    assert_int_equal(b->strategy, GW_STRATEGY_RANDOM);
    assert_int_equal(a->retry.max_retries, 0);
    assert_int_equal(b->retry.max_retries, 5);
    assert_int_equal(a->retry.base_ms, 1); /* as short as a pause can be */
    assert_false(a->hedge.is_on);
    assert_true(b->hedge.is_on);
    assert_int_equal(b->hedge.delay_ms, 1000);
    assert_int_equal(a->affinity, GW_AFFINITY_NONE);
    assert_int_equal(b->affinity, GW_AFFINITY_USER);
    assert_text(a->mirror.model, "b");
    assert_int_equal(a->mirror.permille, 100);
    assert_false(a->uses_presets);
    assert_true(b->uses_presets);
    assert_int_equal(b->queue.max_waiting, 3);
    assert_int_equal(b->queue.timeout_ms, 10000);
    assert_false(of_deployment("a", 0)->breaker.is_off);
    assert_int_equal(of_deployment("a", 0)->breaker.cooldown_ms, 1000);
    assert_true(of_deployment("a", 0)->concurrency.is_on);
    assert_true(of_deployment("b", 0)->breaker.is_off);
    assert_false(of_deployment("b", 0)->concurrency.is_on);
}

static void other_gateways_names_are_known(void **state)
{
    (void)state;
    assert_good("router_settings: {routing_strategy: latency-based-routing, num_retries: 2,\n"
                "  retry_after: 5, allowed_fails: 3, cooldown_time: 45, max_fallbacks: 4,\n"
                "  default_max_parallel_requests: 9, enable_pre_call_checks: true}\n" TWO_MODELS,
                NULL, 0);
    assert_int_equal(routing_of("a")->strategy, GW_STRATEGY_LATENCY_BASED);
    assert_int_equal(routing_of("a")->retry.max_retries, 2);
    assert_int_equal(routing_of("a")->retry.base_ms, 5000);
    assert_int_equal(routing_of("a")->retry.max_fallbacks, 4);
    assert_int_equal(of_deployment("a", 0)->breaker.failure_threshold, 4); /* one more */
    assert_int_equal(of_deployment("a", 0)->breaker.cooldown_ms, 45000);
    assert_int_equal(of_deployment("a", 0)->limits.max_parallel, 9);
    assert_true(snapshot->routing->checks_context);
    assert_good("router_settings: {optional_pre_call_checks: [x, prompt_caching]}\n"
                "model_groups: {b: {affinity: off}}\n" TWO_MODELS,
                NULL, 0);
    assert_int_equal(routing_of("a")->affinity, GW_AFFINITY_PREFIX);
    assert_int_equal(routing_of("b")->affinity, GW_AFFINITY_NONE);
    assert_good("router_settings: {optional_pre_call_checks: [deployment_affinity]}\n" TWO_MODELS,
                NULL, 0);
    assert_int_equal(routing_of("a")->affinity, GW_AFFINITY_KEY);
    assert_good("litellm_settings: {num_retries: 1, allowed_fails: 0}\n"
                "router_settings: {disable_cooldowns: true}\n" TWO_MODELS,
                NULL, 0);
    assert_int_equal(routing_of("a")->retry.max_retries, 1);
    assert_int_equal(of_deployment("a", 0)->breaker.failure_threshold, 1);
    assert_true(of_deployment("a", 0)->breaker.is_off);
    assert_good("router: {routing_strategy: least-latency, instance_retry_attempts: 4,\n"
                "  circuit_breaker_enabled: true, circuit_breaker_threshold: 6,\n"
                "  circuit_breaker_cooldown: 7s, enable_failover: false}\n" TWO_MODELS,
                NULL, 0);
    assert_int_equal(routing_of("a")->strategy, GW_STRATEGY_LATENCY_BASED);
    assert_int_equal(routing_of("a")->retry.max_retries, 4);
    assert_int_equal(of_deployment("a", 0)->breaker.failure_threshold, 6);
    assert_int_equal(of_deployment("a", 0)->breaker.cooldown_ms, 7000);
    assert_false(routing_of("a")->uses_presets);
}

static void assert_retries(const char *model, enum gw_failure_kind kind, int expected)
{
    assert_int_equal((int)routing_of(model)->retry.retries_of[kind] - 1, expected);
}

/* Nearer maps count as a whole; LiteLLM's count what is allowed. */
static void kinds_of_errors_have_numbers(void **state)
{
    (void)state;
    assert_good(
        "router_settings:\n"
        "  retry_policy: {BadRequestErrorRetries: 0, AuthenticationErrorRetries: 1,\n"
        "    TimeoutErrorRetries: '2', RateLimitErrorRetries: 3,\n"
        "    ContentPolicyViolationErrorRetries: 4, InternalServerErrorRetries: 5,\n"
        "    ServiceUnavailableErrorRetries: 6, NotFoundErrorRetries: 7, DefaultRetries: 8}\n"
        "  model_group_retry_policy: {b: {TimeoutErrorRetries: 9}}\n"
        "  allowed_fails_policy: {BadRequestErrorAllowedFails: 1000,\n"
        "    AuthenticationErrorAllowedFails: 10, TimeoutErrorAllowedFails: 0,\n"
        "    RateLimitErrorAllowedFails: 10000, ContentPolicyViolationErrorAllowedFails: 254,\n"
        "    InternalServerErrorAllowedFails: 255}\n" TWO_MODELS,
        NULL, 0);
    assert_int_equal(routing_of("a")->retry.max_retries, 8);
    assert_retries("a", GW_FAILURE_OTHER, -1);
    assert_retries("a", GW_FAILURE_BAD_REQUEST, 0);
    assert_retries("a", GW_FAILURE_AUTHENTICATION, 1);
    assert_retries("a", GW_FAILURE_TIMEOUT, 2);
    assert_retries("a", GW_FAILURE_RATE_LIMIT, 3);
    assert_retries("a", GW_FAILURE_CONTENT_POLICY, 4);
    assert_retries("a", GW_FAILURE_SERVER, 5);
    assert_retries("a", GW_FAILURE_UNAVAILABLE, 6);
    assert_retries("a", GW_FAILURE_NOT_FOUND, 7);
    assert_int_equal(routing_of("b")->retry.max_retries, 3);
    assert_retries("b", GW_FAILURE_TIMEOUT, 9);
    assert_retries("b", GW_FAILURE_RATE_LIMIT, -1);
    static const uint16_t thresholds[GW_FAILURE_KIND_COUNT] = {
        [GW_FAILURE_BAD_REQUEST] = GW_BREAKER_NEVER,
        [GW_FAILURE_AUTHENTICATION] = 11,
        [GW_FAILURE_TIMEOUT] = 1,
        [GW_FAILURE_RATE_LIMIT] = GW_BREAKER_NEVER,
        [GW_FAILURE_CONTENT_POLICY] = 255,
        [GW_FAILURE_SERVER] = GW_BREAKER_NEVER};
    assert_memory_equal(of_deployment("a", 0)->breaker.threshold_of, thresholds,
                        sizeof(thresholds));
    assert_int_equal(of_deployment("a", 0)->breaker.failure_threshold, 5);
    assert_good(
        "router_settings: {retry_policy: {TimeoutErrorRetries: 1},\n"
        "  allowed_fails_policy: {TimeoutErrorAllowedFails: 1},\n"
        "  model_group_retry_policy: {b: {TimeoutErrorRetries: 5}}}\n"
        "router: {retry: {by_error: {server: 2}}, circuit_breaker: {by_error: {server: 9}}}\n"
        "model_groups: {b: {retry: {by_error: {not_found: 1}},\n"
        "  circuit_breaker: {by_error: {unavailable: 7}}}}\n" TWO_MODELS
        "- {model_name: b, litellm_params: {model: gatewire/demo,\n"
        "    circuit_breaker: {by_error: {rate_limit: 3}}}}\n",
        NULL, 0);
    assert_retries("a", GW_FAILURE_SERVER, 2);
    assert_retries("a", GW_FAILURE_TIMEOUT, -1);
    assert_retries("b", GW_FAILURE_NOT_FOUND, 1);
    assert_retries("b", GW_FAILURE_TIMEOUT, -1);
    assert_int_equal(of_deployment("a", 0)->breaker.threshold_of[GW_FAILURE_SERVER], 9);
    assert_int_equal(of_deployment("a", 0)->breaker.threshold_of[GW_FAILURE_TIMEOUT], 0);
    assert_int_equal(of_deployment("b", 0)->breaker.threshold_of[GW_FAILURE_UNAVAILABLE], 7);
    assert_int_equal(of_deployment("b", 1)->breaker.threshold_of[GW_FAILURE_RATE_LIMIT], 3);
    assert_int_equal(of_deployment("b", 1)->breaker.threshold_of[GW_FAILURE_UNAVAILABLE], 0);
}

static void retries_for_nobody_are_told(void **state)
{
    (void)state;
    assert_good("router_settings:\n"
                "  model_group_retry_policy:\n"
                "    a: {TimeoutErrorRetries: 1}\n"
                "    zz: {TimeoutErrorRetries: 2}\n"
                "    p-1: {TimeoutErrorRetries: 3}\n" TWO_MODELS
                "- {model_name: p-*, litellm_params: {model: openai/*}}\n",
                keys, 1);
    assert_finding(false, 4, "router_settings.model_group_retry_policy.zz", "for nobody");
    assert_retries("a", GW_FAILURE_TIMEOUT, 1);
    assert_retries("p-1", GW_FAILURE_TIMEOUT, 3); /* a group of its own */
    assert_retries("p-2", GW_FAILURE_TIMEOUT, -1);
}

static void the_environment_sets_all_groups(void **state)
{
    (void)state;
    static const char *const go[] = {"MAX_RETRIES=8",
                                     "CB_FAILURE_THRESHOLD=2",
                                     "CB_COOLDOWN=1m30s",
                                     "FAILOVER_MODE=Cloud_First",
                                     "RETRY_DELAY=1.0",
                                     "RETRY_BACKOFF_FACTOR=1.5",
                                     NULL};
    static const char *const python[] = {"CIRCUIT_BREAKER_FAILURE_THRESHOLD=3",
                                         "CIRCUIT_BREAKER_RECOVERY_TIME=12.5",
                                         "FAILOVER_MODE=local_only", NULL};
    assert_good("router: {max_retries: 1}\nmodel_groups: {b: {max_retries: 2}}\n" TWO_MODELS, go,
                0);
    assert_int_equal(routing_of("a")->retry.max_retries, 8);
    assert_int_equal(routing_of("b")->retry.max_retries, 2); /* nearer */
    assert_int_equal(routing_of("a")->retry.base_ms, 1000);
    assert_int_equal(routing_of("a")->retry.factor_pct, 150);
    assert_int_equal(of_deployment("a", 0)->breaker.failure_threshold, 2);
    assert_int_equal(of_deployment("a", 0)->breaker.cooldown_ms, 90000);
    assert_int_equal(load(TWO_MODELS, python), GW_OK);
    assert_int_equal(of_deployment("a", 0)->breaker.failure_threshold, 3);
    assert_int_equal(of_deployment("a", 0)->breaker.cooldown_ms, 12500);
    assert_int_equal(snapshot->routing->failover_mode, GW_FAILOVER_LOCAL_ONLY);
    assert_finding(false, 0, "FAILOVER_MODE", "runs on machines of your own");
}

static const char deployments[] =
    "router_settings: {enable_tag_filtering: true}\n"
    "model_list:\n"
    "- model_name: m\n"
    "  litellm_params:\n"
    "    model: openai/gpt-4o\n"
    "    api_keys: [k1, k2]\n"
    "    rpm: 60\n"
    "    tpm: '90000'\n"
    "    max_parallel_requests: 5\n"
    "    order: 2\n"
    "    tags: [eu, paid]\n"
    "    quality: 85.5\n"
    "    cooldown_time: 11\n"
    "    allowed_fails: 1\n"
    "    key_limits: {rpm: 10, tpm: 1000, max_parallel_requests: 2}\n"
    "- model_name: m\n"
    "  params: {model: openai/gpt-4o, api_keys: 'k3, k4,k5'}\n"
    "  priority: -3\n"
    "  tags: [paid]\n"
    "  circuit_breaker: {threshold: 1}\n"
    "  adaptive_concurrency: true\n"
    "- model_name: m\n"
    "  litellm_params: {model: openai/gpt-4o, api_base: 'http://vllm:8000/v1', api_key: x}\n"
    "  model_info: {quality: 40%, tags: 'eu, free'}\n";

static void a_deployment_sets_its_own(void **state)
{
    (void)state;
    assert_good(deployments, keys, 0);
    const struct gw_deployment_routing *first = of_deployment("m", 0);
    assert_int_equal(deployment_of("m", 0)->key_count, 2);
    assert_true(gw_secret_eq(deployment_of("m", 0)->keys[1].secret, GW_STR("k2")));
    assert_int_equal(first->limits.rpm, 60);
    assert_int_equal(first->limits.tpm, 90000);
    assert_int_equal(first->limits.max_parallel, 5);
    assert_int_equal(first->key_limits.rpm, 10);
    assert_int_equal(first->key_limits.tpm, 1000);
    assert_int_equal(first->key_limits.max_parallel, 2);
    assert_int_equal(first->quality, 855);
    assert_int_equal(first->tags, 3);
    assert_int_equal(first->breaker.cooldown_ms, 11000);
    assert_int_equal(first->breaker.failure_threshold, 2);
    assert_false(first->is_local);
    const struct gw_deployment_routing *second = of_deployment("m", 1);
    assert_int_equal(deployment_of("m", 1)->key_count, 3);
    assert_true(gw_secret_eq(deployment_of("m", 1)->keys[2].secret, GW_STR("k5")));
    assert_int_equal(second->priority, -3);
    assert_true(first->priority > 0); /* whoever has an order is before those without */
    assert_int_equal(second->tags, 2);
    assert_int_equal(second->breaker.failure_threshold, 1);
    assert_true(second->concurrency.is_on);
    const struct gw_deployment_routing *third = of_deployment("m", 2);
    assert_true(third->is_local);
    assert_int_equal(third->quality, 400);
    assert_int_equal(third->tags, 5);
    assert_int_equal(third->priority, 0);
    assert_int_equal(snapshot->routing->tags.count, 3);
    assert_text(snapshot->routing->tags.names[0], "eu");
    assert_text(snapshot->routing->tags.names[2], "free");
}

static void lower_orders_come_first(void **state)
{
    (void)state;
    static const char yaml[] =
        "router_settings: {routing_strategy: simple-shuffle}\n"
        "model_list:\n"
        "- {model_name: m, litellm_params: {model: gatewire/demo, order: 1}}\n"
        "- {model_name: m, litellm_params: {model: gatewire/demo, order: 2}}\n"
        "- {model_name: m, litellm_params: {model: gatewire/demo}}\n";
    assert_good(yaml, NULL, 0);
    assert_true(of_deployment("m", 0)->priority > of_deployment("m", 1)->priority);
    assert_true(of_deployment("m", 1)->priority > of_deployment("m", 2)->priority);
    assert_int_equal(routing_of("m")->strategy, GW_STRATEGY_PRIORITY); /* as LiteLLM does it */
    assert_int_equal(load("router: {strategy: least_busy}\n"
                          "model_list:\n"
                          "- {model_name: m, model: gatewire/demo, priority: 1}\n"
                          "- {model_name: m, model: gatewire/demo}\n",
                          NULL),
                     GW_OK);
    assert_finding(false, 1, "router.strategy", "does not look at the priority");
}

static void limits_may_be_weights_only(void **state)
{
    (void)state;
    assert_good("router_settings: {enforce_model_rate_limits: false}\n"
                "model_list:\n"
                "- {model_name: m, litellm_params: {model: gatewire/demo, rpm: 100, tpm: 5}}\n"
                "- {model_name: m, litellm_params: {model: gatewire/demo, rpm: 300}}\n",
                NULL, 0);
    assert_int_equal(of_deployment("m", 0)->limits.rpm, 0);
    assert_int_equal(of_deployment("m", 0)->limits.tpm, 0);
    assert_int_equal(deployment_of("m", 0)->weight, 100);
    assert_int_equal(deployment_of("m", 1)->weight, 300);
}

/* With fractions elsewhere weights are in thousandths: more than the router's 32 bits. */
static void large_weights_keep_their_proportions(void **state)
{
    (void)state;
    assert_good("model_list:\n"
                "- {model_name: x, model: gatewire/demo, weight: 0.5}\n"
                "- {model_name: m, model: gatewire/demo, tpm: 900000000}\n"
                "- {model_name: m, model: gatewire/demo, tpm: 300000000}\n",
                NULL, 0);
    uint64_t large = deployment_of("m", 0)->weight;
    uint64_t small = deployment_of("m", 1)->weight;
    assert_true(large <= UINT32_MAX);
    assert_in_range(large, 3 * small - 3, 3 * small + 3);
}

static void entries_speak_for_their_group(void **state)
{
    (void)state;
    assert_good("model_groups: {b: {max_retries: 1}}\n"
                "model_list:\n"
                "- {model_name: a, litellm_params: {model: gatewire/demo, num_retries: 2,\n"
                "    silent_model: b}}\n"
                "- {model_name: a, litellm_params: {model: gatewire/demo, max_retries: 6}}\n"
                "- {model_name: b, litellm_params: {model: gatewire/demo, max_retries: 6}}\n",
                NULL, 0);
    assert_int_equal(routing_of("a")->retry.max_retries, 6);
    assert_int_equal(routing_of("b")->retry.max_retries, 1);
    assert_text(routing_of("a")->mirror.model, "b");
    assert_int_equal(routing_of("a")->mirror.permille, 1000);
    assert_int_equal(routing_of("b")->mirror.model.len, 0);
}

static void addresses_tell_what_is_local(void **state)
{
    (void)state;
    static const struct {
        const char *base;
        bool is_local;
    } cases[] = {
        {"http://127.0.0.1:1/v1", true},
        {"http://localhost:8000/v1", true},
        {"http://10.1.2.3/v1", true},
        {"http://172.31.0.1/v1", true},
        {"http://172.32.0.1/v1", false},
        {"http://192.168.1.1/v1", true},
        {"http://100.64.0.1/v1", true},
        {"http://100.128.0.1/v1", false},
        {"http://8.8.8.8/v1", false},
        {"http://[::1]:80/v1", true},
        {"http://[fd00::1]/v1", true},
        {"http://[fe80::1]/v1", true},
        {"http://[2001:db8::1]/v1", false},
        {"http://[::ffff:10.0.0.1]/v1", true},
        {"http://vllm:8000/v1", true},
        {"http://gpu.lan/v1", true},
        {"http://llm.corp.internal/v1", true},
        {"http://x.svc.cluster.LOCAL/v1", true},
        {"https://api.example.com/v1", false},
        {"unix:/run/x.sock:/v1", true},
        {"https://local/v1", true},
        {"https://mylocal.com/v1", false},
    };
    for (size_t i = 0; i < GW_ARRAY_LEN(cases); i++) {
        char yaml[256];
        (void)snprintf(yaml, sizeof(yaml),
                       "model_list:\n- {model_name: m, litellm_params: {model: vllm/x, "
                       "api_base: '%s'}}\n",
                       cases[i].base);
        assert_good(yaml, NULL, 0);
        if (of_deployment("m", 0)->is_local != cases[i].is_local) {
            fail_msg("%s", cases[i].base);
        }
    }
    assert_good("model_list:\n- {model_name: m, litellm_params: {model: openai/x, api_key: k,\n"
                "  is_local: true}}\n",
                NULL, 0);
    assert_true(of_deployment("m", 0)->is_local);
}

static void auto_has_three_models_and_rules(void **state)
{
    (void)state;
    assert_good("router:\n"
                "  auto:\n"
                "    low: a\n"
                "    medium: b\n"
                "    high: gatewire/demo\n"
                "    rules:\n"
                "    - {contains: 'Prove THAT', tier: high}\n"
                "    - {contains: hello, tier: low}\n" TWO_MODELS,
                NULL, 0);
    const struct gw_routing *routing = snapshot->routing;
    assert_text(routing->tiers[GW_COMPLEXITY_LOW], "a");
    assert_text(routing->tiers[GW_COMPLEXITY_MEDIUM], "b");
    assert_text(routing->tiers[GW_COMPLEXITY_HIGH], "gatewire/demo");
    assert_int_equal(routing->override_count, 2);
    assert_text(routing->overrides[0].contains, "prove that");
    assert_int_equal(routing->overrides[0].complexity, GW_COMPLEXITY_HIGH);
    assert_int_equal(routing->overrides[1].complexity, GW_COMPLEXITY_LOW);
}

/* ---- complaints ---- */

static void wrong_settings_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *yaml;
        unsigned line;
        const char *path;
        const char *words;
    } cases[] = {
        {"router:\n  strategy: lest_busy\n", 2, "router.strategy", "did you mean \"least_busy\""},
        {"router:\n  strategy: fastest-first\n", 2, "router.strategy", "there are priority"},
        {"model_groups:\n  a:\n    strategy: wieghted\n", 3, "model_groups.a.strategy",
         "did you mean \"weighted\""},
        {"model_groups:\n  zz: {}\n", 2, "model_groups.zz", "no model \"zz\" is configured"},
        {"model_groups:\n  a: fast\n", 2, "model_groups.a", "a map of the group's settings"},
        {"model_groups:\n  a: {max_retries: -1}\n", 2, "model_groups.a.max_retries", "0 to 100"},
        {"router:\n  retry: {budget: 120%}\n", 2, "router.retry.budget",
         "a whole percentage from 1 to 100"},
        {"router:\n  retry: {budget: 1.5}\n", 2, "router.retry.budget", "a whole percentage"},
        {"router:\n  retry: {factor: 0.5}\n", 2, "router.retry.factor", "from 1 to 100"},
        {"router:\n  retry: 5\n", 2, "router.retry", "a map of retry settings"},
        {"router:\n  retry: {by_error: {timout: 1}}\n", 2, "router.retry.by_error.timout",
         "unknown key; did you mean \"timeout\""},
        {"router:\n  retry:\n    by_error: {server: 101}\n", 3, "router.retry.by_error.server",
         "0 to 100"},
        {"router:\n  circuit_breaker:\n    by_error: {server: 0}\n", 3,
         "router.circuit_breaker.by_error.server", "1 to"},
        {"model_groups:\n  a: {circuit_breaker: {by_error: {servers: 1}}}\n", 2,
         "model_groups.a.circuit_breaker.by_error.servers", "did you mean \"server\""},
        {"router_settings:\n  retry_policy:\n    TimeoutErrorRetry: 1\n", 3,
         "router_settings.retry_policy.TimeoutErrorRetry", "unknown key"},
        {"router_settings:\n  retry_policy:\n    TimeoutErrorRetries: many\n", 3,
         "router_settings.retry_policy.TimeoutErrorRetries", "0 to 100"},
        {"router_settings:\n  retry_policy: 3\n", 2, "router_settings.retry_policy", "a map of"},
        {"router_settings:\n  allowed_fails_policy:\n    TimeoutAllowedFails: 1\n", 3,
         "router_settings.allowed_fails_policy.TimeoutAllowedFails", "unknown key"},
        {"router_settings:\n  model_group_retry_policy:\n    a: {TimeoutErorRetries: 1}\n", 3,
         "router_settings.model_group_retry_policy.a.TimeoutErorRetries",
         "did you mean \"TimeoutErrorRetries\""},
        {"router:\n  hedge: {budget: 101}\n", 2, "router.hedge.budget", "1 to 100"},
        {"router:\n  hedge: {delay: 2s, max_delay: 1s}\n", 2, "router.hedge.delay",
         "longer than hedge.max_delay"},
        {"router:\n  mirror: {model: b, percent: 100.5}\n", 2, "router.mirror.percent",
         "from 0 to 100"},
        {"router:\n  mirror: nobody\n", 2, "router.mirror", "no model \"nobody\""},
        {"model_groups:\n  a: {mirror: a}\n", 2, "model_groups.a.mirror", "its own mirror"},
        {"router:\n  affinity: session\n", 2, "router.affinity", "user, key, prefix or none"},
        {"router:\n  failover_mode: clouds\n", 2, "router.failover_mode", "local_only"},
        {"router:\n  circuit_breaker: {failure_rate: 200}\n", 2,
         "router.circuit_breaker.failure_rate", "0 to 100"},
        {"router:\n  circuit_breaker: {probes: 2, successes: 3}\n", 2,
         "router.circuit_breaker.successes", "more successes than probes"},
        {"router:\n  adaptive_concurrency: {min: 9, max: 8}\n", 2,
         "router.adaptive_concurrency.min", "min is above max"},
        {"router:\n  max_fallbacks: 8\n", 2, "router.max_fallbacks", "1 to 7"},
        {"router:\n  auto: {low: a, high: b}\n", 2, "router.auto", "a model for medium requests"},
        {"router:\n  auto: {low: a, medium: zz, high: b}\n", 2, "router.auto.medium",
         "no model \"zz\""},
        {"router:\n  auto: {low: a, medium: a, high: b, rules: [{contains: x, tier: hard}]}\n", 2,
         "router.auto.rules[0].tier", "low, medium or high"},
        {"router:\n  auto: {low: a, medium: a, high: b, rules: [{tier: low}]}\n", 2,
         "router.auto.rules[0]", "a rule needs contains"},
    };
    for (size_t i = 0; i < GW_ARRAY_LEN(cases); i++) {
        char yaml[1024];
        (void)snprintf(yaml, sizeof(yaml), "%s%s", cases[i].yaml, TWO_MODELS);
        assert_bad(yaml, NULL, cases[i].line, cases[i].path, cases[i].words);
    }
}

static void wrong_deployments_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *params;
        const char *path;
        const char *words;
    } cases[] = {
        {"weight: 0", "weight", "above 0"},
        {"weight: -1", "weight", "above 0"},
        {"rpm: 0", "rpm", "above 0"},
        {"weight: 1, tpm: 0", "tpm", "from 1 to"},
        {"max_parallel_requests: 0", "max_parallel_requests", "from 1 to"},
        {"order: -1", "order", "from 0 to 1000000"},
        {"priority: high", "priority", "from -1000000 to 1000000"},
        {"priority: 2000000", "priority", "from -1000000 to 1000000"},
        {"priority: 1, order: 2", "order", "not both"},
        {"quality: 101", "quality", "from 0.1 to 100"},
        {"circuit_breaker: {threshold: 0}", "circuit_breaker.threshold", "from 1 to 255"},
        {"key_limits: {rpm: none}", "key_limits.rpm", "from 1 to"},
        {"key_limits: 5", "key_limits", "a map with rpm"},
        {"silent_model: nobody", "silent_model", "no model \"nobody\""},
        {"silent_model: m", "silent_model", "its own mirror"},
    };
    for (size_t i = 0; i < GW_ARRAY_LEN(cases); i++) {
        char yaml[512];
        char path[128];
        (void)snprintf(yaml, sizeof(yaml),
                       "model_list:\n- model_name: m\n  litellm_params:\n"
                       "    {model: openai/x, api_key: k, %s}\n",
                       cases[i].params);
        (void)snprintf(path, sizeof(path), "model_list[0].litellm_params.%s", cases[i].path);
        assert_bad(yaml, NULL, 4, path, cases[i].words);
    }
}

static void keys_of_a_deployment_are_checked(void **state)
{
    (void)state;
    assert_bad("model_list:\n- {model_name: m, model: openai/x, api_key: k, api_keys: [l]}\n", NULL,
               2, "model_list[0].api_keys", "not both");
    assert_bad("model_list:\n- {model_name: m, model: openai/x, api_keys: [l, '']}\n", NULL, 2,
               "model_list[0].api_keys[1]", "expected a key");
    assert_good("model_list:\n- {model_name: m, model: openai/x, api_keys: [l, l]}\n", NULL, 1);
    assert_finding(false, 2, "model_list[0].api_keys[1]", "there already");
    char yaml[1024] = "model_list:\n- model_name: m\n  model: openai/x\n  api_keys:\n";
    for (int i = 0; i < 65; i++) {
        size_t len = strlen(yaml);
        (void)snprintf(yaml + len, sizeof(yaml) - len, "  - k%d\n", i);
    }
    assert_bad(yaml, NULL, 69, "model_list[0].api_keys[64]", "more than 64 keys");
    char list[512] = "OPENAI_API_KEYS=";
    for (int i = 0; i < 65; i++) {
        size_t len = strlen(list);
        (void)snprintf(list + len, sizeof(list) - len, "k%d,", i);
    }
    const char *const many[] = {list, NULL};
    assert_bad("model_list:\n- {model_name: m, model: openai/x}\n", many, 0, "OPENAI_API_KEYS",
               "more than 64 keys");
}

/* |count| entries "m", then |end|. */
static char *many_entries(int count, const char *end)
{
    size_t size = (size_t)count * 64 + 256;
    char *yaml = malloc(size);
    assert_non_null(yaml);
    size_t len = (size_t)snprintf(yaml, size, "model_list:\n");
    for (int i = 0; i < count; i++) {
        len += (size_t)snprintf(yaml + len, size - len,
                                "- {model_name: m, model: gatewire/demo, tags: [t%d]}\n", i % 70);
    }
    (void)snprintf(yaml + len, size - len, "%s", end);
    return yaml;
}

static void the_routers_limits_are_told(void **state)
{
    (void)state;
    char *yaml = many_entries(64, "");
    assert_good(yaml, NULL, 0);
    free(yaml);
    yaml = many_entries(65, "");
    assert_bad(yaml, NULL, 66, "model_list[64].tags[0]", "more than 64 different tags");
    free(yaml);
    yaml = many_entries(258, "");
    assert_int_equal(load(yaml, NULL), GW_ERR_INVALID);
    assert_finding(true, 258, "model_list[256]", "more than 256 deployments");
    free(yaml);
}

/* All at once, each once, however many models there are. */
static void all_mistakes_are_told_once(void **state)
{
    (void)state;
    assert_int_equal(load("router:\n"
                          "  strategy: wrong\n"
                          "  affinity: wrong\n"
                          "  mirror: nobody\n"
                          "  circuit_breaker: {probes: 1, successes: 2}\n"
                          "  default_fallbacks: [nowhere]\n"
                          "  hedge: {delay: 9s, max_delay: 1s}\n"
                          "failover: maybe\n" TWO_MODELS,
                          NULL),
                     GW_ERR_INVALID);
    if (report.count != 7) {
        print_report();
        fail_msg("expected 7 errors");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(defaults_are_those_of_the_policies, fixture_teardown),
        cmocka_unit_test_teardown(the_router_sets_all_groups, fixture_teardown),
        cmocka_unit_test_teardown(a_group_sets_its_own, fixture_teardown),
        cmocka_unit_test_teardown(other_gateways_names_are_known, fixture_teardown),
        cmocka_unit_test_teardown(kinds_of_errors_have_numbers, fixture_teardown),
        cmocka_unit_test_teardown(retries_for_nobody_are_told, fixture_teardown),
        cmocka_unit_test_teardown(the_environment_sets_all_groups, fixture_teardown),
        cmocka_unit_test_teardown(a_deployment_sets_its_own, fixture_teardown),
        cmocka_unit_test_teardown(lower_orders_come_first, fixture_teardown),
        cmocka_unit_test_teardown(limits_may_be_weights_only, fixture_teardown),
        cmocka_unit_test_teardown(large_weights_keep_their_proportions, fixture_teardown),
        cmocka_unit_test_teardown(entries_speak_for_their_group, fixture_teardown),
        cmocka_unit_test_teardown(addresses_tell_what_is_local, fixture_teardown),
        cmocka_unit_test_teardown(auto_has_three_models_and_rules, fixture_teardown),
        cmocka_unit_test_teardown(wrong_settings_are_named, fixture_teardown),
        cmocka_unit_test_teardown(wrong_deployments_are_named, fixture_teardown),
        cmocka_unit_test_teardown(keys_of_a_deployment_are_checked, fixture_teardown),
        cmocka_unit_test_teardown(the_routers_limits_are_told, fixture_teardown),
        cmocka_unit_test_teardown(all_mistakes_are_told_once, fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
