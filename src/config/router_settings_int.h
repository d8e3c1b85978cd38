/* SPDX-License-Identifier: MIT */
/*
 * config/router_settings_int - the settings of router.* that are one value each; a part of
 * GW_SETTING_MAP.
 *
 * Source:   shared/reference/compat.md 1.2, 2.2, 3.2, 4.2, 5.3, 6.10 to 6.14 and section 9 for the
 *           names that users of other gateways have; policy/routing.h for what they become.
 * Shape:    a table. What a name has behind "router." is also the name in model_groups.<name>, and
 *           in an entry of model_list where the setting is one of deployments.
 * Units:    milliseconds; percentages as such, or in tenths (TENTHS); factors in hundredths
 * Limits:   the ranges are those that policy/ has, so that nothing is bounded silently there.
 * Memory:   none
 * Threads:  any
 * Errors:   none
 */
#ifndef GW_CONFIG_ROUTER_SETTINGS_INT_H
#define GW_CONFIG_ROUTER_SETTINGS_INT_H

/* As GW_SETTING_MAP. */
#define GW_ROUTER_SETTING_MAP(XX)                                                                  \
    XX(STRATEGY, TEXT, "router.strategy router.routing_strategy router_settings.routing_strategy", \
       "", 0, 0, 0)                                                                                \
    XX(MAX_RETRIES, COUNT,                                                                         \
       "router.max_retries router.num_retries router.instance_retry_attempts "                     \
       "router_settings.num_retries router_settings.max_retries litellm_settings.num_retries",     \
       "MAX_RETRIES", 0, 100, 3)                                                                   \
    XX(RETRY_DELAY, DURATION, "router.retry.delay router_settings.retry_after", "RETRY_DELAY", 0,  \
       GW_HOUR_MS, 500)                                                                            \
    XX(RETRY_MAX_DELAY, DURATION, "router.retry.max_delay", "", 1, GW_HOUR_MS, 30 * GW_SECOND_MS)  \
    XX(RETRY_FACTOR, FACTOR, "router.retry.factor", "RETRY_BACKOFF_FACTOR", 100, 10000, 200)       \
    XX(RETRY_DEADLINE, DURATION, "router.retry.deadline", "", 0, GW_DAY_MS, 0)                     \
    XX(RETRY_BUDGET, PERCENT, "router.retry.budget", "", 1, 100, 20)                               \
    XX(RETRY_PATIENCE, DURATION, "router.retry.patience", "", 1, GW_HOUR_MS, 2 * GW_SECOND_MS)     \
    /* a request visits at most GW_RETRY_GROUPS_MAX groups */                                      \
    XX(MAX_FALLBACKS, COUNT, "router.max_fallbacks router_settings.max_fallbacks", "", 1, 7, 5)    \
    XX(FAILOVER, BOOL,                                                                             \
       "router.failover router.enable_failover router.enable_model_fallback failover", "", 0, 1,   \
       1)                                                                                          \
    XX(FAILOVER_MODE, TEXT, "router.failover_mode", "FAILOVER_MODE", 0, 0, 0)                      \
    XX(PRESET_FALLBACKS, BOOL, "router.preset_fallbacks", "", 0, 1, 1)                             \
    XX(BREAKER, BOOL, "router.circuit_breaker.enabled router.circuit_breaker_enabled", "", 0, 1,   \
       1)                                                                                          \
    XX(BREAKER_THRESHOLD, COUNT,                                                                   \
       "router.circuit_breaker.threshold router.circuit_breaker.failure_threshold "                \
       "router.circuit_breaker_threshold",                                                         \
       "CB_FAILURE_THRESHOLD CIRCUIT_BREAKER_FAILURE_THRESHOLD", 1, 255, 5)                        \
    XX(ALLOWED_FAILS, COUNT,                                                                       \
       "router.allowed_failures router.allowed_fails router_settings.allowed_fails "               \
       "litellm_settings.allowed_fails",                                                           \
       "", 0, 254, 4)                                                                              \
    XX(BREAKER_COOLDOWN, DURATION,                                                                 \
       "router.circuit_breaker.cooldown router.circuit_breaker.timeout "                           \
       "router.circuit_breaker.recovery_time router.circuit_breaker_cooldown "                     \
       "router.cooldown_time router_settings.cooldown_time",                                       \
       "CB_COOLDOWN CIRCUIT_BREAKER_RECOVERY_TIME", 0, GW_DAY_MS, 30 * GW_SECOND_MS)               \
    XX(DISABLE_COOLDOWNS, BOOL, "router_settings.disable_cooldowns", "", 0, 1, 0)                  \
    XX(BREAKER_MAX_COOLDOWN, DURATION, "router.circuit_breaker.max_cooldown", "", 1, GW_DAY_MS,    \
       300 * GW_SECOND_MS)                                                                         \
    XX(BREAKER_RATE, PERCENT, "router.circuit_breaker.failure_rate", "", 0, 100, 0)                \
    XX(BREAKER_MIN_CALLS, COUNT, "router.circuit_breaker.min_calls", "", 1, 65536, 20)             \
    XX(BREAKER_WINDOW, DURATION, "router.circuit_breaker.window", "", 1, GW_DAY_MS,                \
       30 * GW_SECOND_MS)                                                                          \
    XX(BREAKER_PROBES, COUNT, "router.circuit_breaker.probes", "", 1, 15, 3)                       \
    XX(BREAKER_SUCCESSES, COUNT, "router.circuit_breaker.successes", "", 1, 15, 2)                 \
    XX(BREAKER_SLOW, DURATION, "router.circuit_breaker.slow_call", "", 0, GW_DAY_MS, 0)            \
    XX(BREAKER_SLOW_CALLS, COUNT, "router.circuit_breaker.slow_calls", "", 1, 65536, 3)            \
    XX(ENFORCE_LIMITS, BOOL, "router.enforce_limits router_settings.enforce_model_rate_limits",    \
       "", 0, 1, 1)                                                                                \
    XX(MAX_PARALLEL, COUNT,                                                                        \
       "router.default_max_parallel_requests router_settings.default_max_parallel_requests", "",   \
       0, 1000000, 0)                                                                              \
    XX(CONCURRENCY, BOOL, "router.adaptive_concurrency.enabled", "", 0, 1, 0)                      \
    XX(CONCURRENCY_INITIAL, COUNT, "router.adaptive_concurrency.initial", "", 1, 100000, 20)       \
    XX(CONCURRENCY_MIN, COUNT, "router.adaptive_concurrency.min", "", 1, 100000, 4)                \
    XX(CONCURRENCY_MAX, COUNT, "router.adaptive_concurrency.max", "", 1, 100000, 1000)             \
    XX(CONCURRENCY_TOLERANCE, FACTOR, "router.adaptive_concurrency.tolerance", "", 100, 10000,     \
       150)                                                                                        \
    XX(HEDGE, BOOL, "router.hedge.enabled", "", 0, 1, 0)                                           \
    XX(HEDGE_DELAY, DURATION, "router.hedge.delay", "", 0, GW_HOUR_MS, 0)                          \
    XX(HEDGE_MAX_DELAY, DURATION, "router.hedge.max_delay", "", 0, GW_HOUR_MS, 0)                  \
    XX(HEDGE_BUDGET, PERCENT, "router.hedge.budget", "", 1, 100, 5)                                \
    XX(QUEUE_MAX, COUNT, "router.queue.max_waiting", "", 0, 1000000, 0)                            \
    XX(QUEUE_TIMEOUT, DURATION, "router.queue.timeout", "", 1, GW_HOUR_MS, 10 * GW_SECOND_MS)      \
    XX(MIRROR_MODEL, TEXT, "router.mirror.model", "", 0, 0, 0)                                     \
    XX(MIRROR_PERCENT, TENTHS, "router.mirror.percent", "", 0, 1000, 1000)                         \
    XX(AFFINITY, TEXT_OR_OFF, "router.affinity", "", 0, 0, 0)                                      \
    XX(SLOW_FLOOR, COUNT, "router.slow_stream.min_tokens_per_second", "", 0, 100000, 0)            \
    XX(SLOW_GRACE, DURATION, "router.slow_stream.grace", "", 0, GW_HOUR_MS, 5 * GW_SECOND_MS)      \
    XX(SLOW_MAX_DELIVERED, COUNT, "router.slow_stream.max_delivered_tokens", "", 0, 1000000, 50)   \
    XX(RECOVER_STREAMS, BOOL, "router.recover_streams", "", 0, 1, 0)                               \
    XX(PROBE, BOOL, "router.health_check.enabled general_settings.background_health_checks", "",   \
       0, 1, 0)                                                                                    \
    XX(PROBE_INTERVAL, DURATION,                                                                   \
       "router.health_check.interval router.health_check_interval "                                \
       "general_settings.health_check_interval",                                                   \
       "", GW_SECOND_MS, GW_DAY_MS, 30 * GW_SECOND_MS)                                             \
    XX(PROBE_TIMEOUT, DURATION, "router.health_check.timeout", "", 1, GW_DAY_MS, 5 * GW_SECOND_MS) \
    XX(PROBE_FAILURES, COUNT, "router.health_check.failures", "", 1, 63, 3)                        \
    XX(PROBE_SUCCESSES, COUNT, "router.health_check.successes", "", 1, 63, 2)                      \
    XX(PRE_CALL_CHECKS, BOOL,                                                                      \
       "router.enable_pre_call_checks router_settings.enable_pre_call_checks", "", 0, 1, 0)        \
    XX(TAG_FILTERING, BOOL, "router.enable_tag_filtering router_settings.enable_tag_filtering",    \
       "", 0, 1, 0)

#endif
