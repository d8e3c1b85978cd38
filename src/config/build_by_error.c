/* SPDX-License-Identifier: MIT */
/*
 * config/build_by_error - numbers of retries, and of failures before a breaker opens, for kinds of
 * errors: by_error of ours, LiteLLM's retry_policy, model_group_retry_policy and
 * allowed_fails_policy. The nearest map counts, as a whole: LiteLLM does not mix them either.
 */
#include <stdio.h>

#include "config/routing_int.h"

#define NAME_BYTES  64 /* "ContentPolicyViolationErrorAllowedFails" is the longest */
#define RETRIES_MAX 100
/* LiteLLM's examples have 10,000 where they mean "never". */
#define FAILS_MAX 1000000

static const struct {
    const char *own;
    const char *theirs;
} kinds[] = {
#define XX(id, own, theirs) {own, theirs},
    GW_FAILURE_KIND_MAP(XX)
#undef XX
};

/* A map of numbers; the names in it are ours, or LiteLLM's, which end with |suffix|. */
struct numbers {
    yyjson_val *map;
    const char *suffix;
};

static bool take(struct numbers *numbers, yyjson_val *map, const char *suffix)
{
    if (numbers->map == NULL && yyjson_is_obj(map)) { /* the schema says what it should be */
        *numbers = (struct numbers){.map = map, .suffix = suffix};
    }
    return numbers->map != NULL;
}

/* The number for |name|; false when there is none, or a wrong one, which is reported. */
static bool read_number(struct gw_routing_scope *scope, const struct numbers *numbers,
                        const char *name, uint64_t min, uint64_t max, uint64_t *number)
{
    const struct gw_setting_row row = {.kind = GW_SETTING_KIND_COUNT, .min = min, .max = max};
    struct gw_setting_value value =
        gw_routing_read(scope, gw_config_member(numbers->map, name), &row);
    *number = value.number;
    return value.is_set;
}

/* The number for kind |kind|. */
static bool read_kind(struct gw_routing_scope *scope, const struct numbers *numbers, size_t kind,
                      uint64_t min, uint64_t max, uint64_t *number)
{
    char name[NAME_BYTES];
    if (numbers->suffix == NULL) {
        return read_number(scope, numbers, kinds[kind].own, min, max, number);
    }
    (void)snprintf(name, sizeof(name), "%s%s", kinds[kind].theirs, numbers->suffix);
    return read_number(scope, numbers, name, min, max, number);
}

void gw_build_retries_by_error(struct gw_routing_scope *scope, struct gw_str group,
                               struct gw_retry_policy *retry)
{
    const struct gw_config_document *document = scope->build->context.document;
    yyjson_val *groups = gw_config_get(document, "router_settings.model_group_retry_policy");
    yyjson_val *theirs = yyjson_obj_getn(groups, group.ptr == NULL ? "" : group.ptr, group.len);
    struct numbers numbers = {0};
    uint64_t number = 0;
    if (!take(&numbers, gw_setting_at(scope->maps[0], GW_STR("retry.by_error")), NULL) &&
        !take(&numbers, theirs, "Retries") &&
        !take(&numbers, gw_config_get(document, "router.retry.by_error"), NULL) &&
        !take(&numbers, gw_config_get(document, "router_settings.retry_policy"), "Retries")) {
        return;
    }
    for (size_t i = GW_FAILURE_OTHER + 1; i < GW_FAILURE_KIND_COUNT; i++) {
        if (read_kind(scope, &numbers, i, 0, RETRIES_MAX, &number)) {
            retry->retries_of[i] = (uint8_t)(number + 1);
        }
    }
    if (numbers.suffix != NULL &&
        read_number(scope, &numbers, "DefaultRetries", 0, RETRIES_MAX, &number)) {
        retry->max_retries = (unsigned)number;
    }
}

void gw_build_breaker_by_error(struct gw_routing_scope *scope, struct gw_breaker_options *breaker)
{
    const struct gw_config_document *document = scope->build->context.document;
    struct numbers numbers = {0};
    uint64_t number = 0;
    for (size_t i = 0; i < GW_ROUTING_SCOPE_MAPS; i++) {
        (void)take(&numbers, gw_setting_at(scope->maps[i], GW_STR("circuit_breaker.by_error")),
                   NULL);
    }
    if (!take(&numbers, gw_config_get(document, "router.circuit_breaker.by_error"), NULL) &&
        !take(&numbers, gw_config_get(document, "router_settings.allowed_fails_policy"),
              "AllowedFails")) {
        return;
    }
    /* LiteLLM counts those that are allowed, we the one that is too many. */
    unsigned more = numbers.suffix != NULL ? 1 : 0;
    for (size_t i = GW_FAILURE_OTHER + 1; i < GW_FAILURE_KIND_COUNT; i++) {
        if (read_kind(scope, &numbers, i, 1 - more, FAILS_MAX, &number)) {
            number += more;
            breaker->threshold_of[i] =
                (uint16_t)(number < GW_BREAKER_NEVER ? number : GW_BREAKER_NEVER);
        }
    }
}
