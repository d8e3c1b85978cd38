/* SPDX-License-Identifier: MIT */
/*
 * config/build_limits - what is known about routing to one deployment: limits, breaker, order,
 * tags, quality, and whether it is ours.
 */
#include "config/routing_int.h"
#include "net/address.h"

#define MAX_PER_MINUTE 1000000000 /* nobody's quota */
#define MAX_PARALLEL   1000000
#define PRIORITY_MAX   1000000
/* LiteLLM's order: lower ones first, and whoever has none last. */
#define ORDER_FIRST PRIORITY_MAX

static const struct gw_setting_row per_minute = {
    .kind = GW_SETTING_KIND_COUNT, .min = 1, .max = MAX_PER_MINUTE};
static const struct gw_setting_row parallel = {
    .kind = GW_SETTING_KIND_COUNT, .min = 1, .max = MAX_PARALLEL};

static bool is_private_v4(uint32_t address)
{
    return address >> 24 == 127 || address >> 24 == 10 || address >> 20 == 0xac1 ||
           address >> 16 == 0xc0a8 || address >> 16 == 0xa9fe || address >> 22 == 0x191;
}

static bool is_private_v6(const struct in6_addr *address)
{
    const uint8_t *bytes = address->s6_addr;
    return IN6_IS_ADDR_LOOPBACK(address) || (bytes[0] & 0xfe) == 0xfc ||
           (bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80);
}

static bool is_local_name(struct gw_str host)
{
    static const struct gw_str suffixes[] = {
        GW_STR_INIT(".local"), GW_STR_INIT(".localhost"), GW_STR_INIT(".internal"),
        GW_STR_INIT(".lan"),   GW_STR_INIT(".home.arpa"),
    };
    for (size_t i = 0; i < GW_ARRAY_LEN(suffixes); i++) {
        struct gw_str suffix = suffixes[i];
        if (host.len > suffix.len &&
            gw_str_eq_nocase(gw_str_skip(host, host.len - suffix.len), suffix)) {
            return true;
        }
    }
    return gw_str_find_byte(host, '.') == host.len; /* of this network, or of a container's */
}

bool gw_is_local_deployment(const struct gw_deployment *deployment)
{
    struct gw_address address;
    const struct gw_origin *origin = deployment->origin;
    if (origin == NULL || origin->unix_path.len > 0) {
        return true; /* answers in the process, or on this machine */
    }
    if (gw_address_from_literal(origin->host, origin->port, &address) != GW_OK) {
        return is_local_name(origin->host);
    }
    gw_address_unmap(&address);
    return address.u.any.sa_family == AF_INET6 ? is_private_v6(&address.u.v6.sin6_addr)
                                               : is_private_v4(ntohl(address.u.v4.sin_addr.s_addr));
}

void gw_build_breaker(struct gw_routing_scope *scope, struct gw_breaker_options *breaker)
{
    struct gw_setting_value threshold = gw_routing_value(scope, GW_SETTING_BREAKER_THRESHOLD);
    struct gw_setting_value allowed = gw_routing_value(scope, GW_SETTING_ALLOWED_FAILS);
    struct gw_setting_value cooldown = gw_routing_value(scope, GW_SETTING_BREAKER_COOLDOWN);
    bool is_on = gw_routing_number(scope, GW_SETTING_BREAKER) == 1 &&
                 gw_routing_number(scope, GW_SETTING_DISABLE_COOLDOWNS) == 0 && cooldown.number > 0;
    *breaker = (struct gw_breaker_options){
        .is_off = !is_on,
        /* LiteLLM counts those that are allowed, the others the one that is too many. */
        .failure_threshold =
            (unsigned)(!threshold.is_set && allowed.is_set ? allowed.number + 1 : threshold.number),
        .failure_rate_pct = (unsigned)gw_routing_number(scope, GW_SETTING_BREAKER_RATE),
        .rate_min_calls = (unsigned)gw_routing_number(scope, GW_SETTING_BREAKER_MIN_CALLS),
        .window_ms = gw_routing_number(scope, GW_SETTING_BREAKER_WINDOW),
        .cooldown_ms = cooldown.number,
        .cooldown_max_ms = gw_routing_number(scope, GW_SETTING_BREAKER_MAX_COOLDOWN),
        .probes = (unsigned)gw_routing_number(scope, GW_SETTING_BREAKER_PROBES),
        .successes = (unsigned)gw_routing_number(scope, GW_SETTING_BREAKER_SUCCESSES),
        .slow_ms = gw_routing_number(scope, GW_SETTING_BREAKER_SLOW),
        .slow_threshold = (unsigned)gw_routing_number(scope, GW_SETTING_BREAKER_SLOW_CALLS),
    };
    struct gw_setting_value successes = gw_routing_value(scope, GW_SETTING_BREAKER_SUCCESSES);
    if (successes.is_set && successes.number > breaker->probes &&
        gw_routing_tells(scope, GW_SETTING_BREAKER_SUCCESSES, &successes)) {
        gw_config_complain_setting(&scope->build->context, true, &successes,
                                   "more successes than probes (%u): it would never close",
                                   breaker->probes);
    }
    gw_build_breaker_by_error(scope, breaker);
    gw_breaker_options_bound(breaker);
}

void gw_build_concurrency(struct gw_routing_scope *scope,
                          struct gw_concurrency_options *concurrency)
{
    struct gw_setting_value min = gw_routing_value(scope, GW_SETTING_CONCURRENCY_MIN);
    struct gw_setting_value max = gw_routing_value(scope, GW_SETTING_CONCURRENCY_MAX);
    *concurrency = (struct gw_concurrency_options){
        .is_on = gw_routing_is_on(scope, "adaptive_concurrency", GW_SETTING_CONCURRENCY),
        .initial = (uint32_t)gw_routing_number(scope, GW_SETTING_CONCURRENCY_INITIAL),
        .min = (uint32_t)min.number,
        .max = (uint32_t)max.number,
        .tolerance_pct = (uint32_t)gw_routing_number(scope, GW_SETTING_CONCURRENCY_TOLERANCE),
    };
    if (min.number > max.number && (gw_routing_tells(scope, GW_SETTING_CONCURRENCY_MIN, &min) ||
                                    gw_routing_tells(scope, GW_SETTING_CONCURRENCY_MAX, &max))) {
        gw_config_complain_setting(&scope->build->context, true, min.is_set ? &min : &max,
                                   "min is above max: %llu, %llu", (unsigned long long)min.number,
                                   (unsigned long long)max.number);
    }
    gw_concurrency_options_bound(concurrency);
}

/* ---- an entry's own ---- */

static uint64_t read_count(const struct gw_model_entry *entry, const char *names,
                           const struct gw_setting_row *row, enum gw_err *err)
{
    struct gw_setting_value value = {0};
    enum gw_err one = gw_model_entry_read(entry, names, row, &value);
    *err = one == GW_ERR_NOMEM ? one : *err;
    return one == GW_OK ? value.number : 0;
}

static void read_key_limits(const struct gw_model_entry *entry, struct gw_limit_options *limits,
                            enum gw_err *err)
{
    struct gw_model_entry own = {.build = entry->build, .value = entry->value};
    own.maps[0] = gw_model_entry_find(entry, "key_limits");
    if (own.maps[0] == NULL || !yyjson_is_obj(own.maps[0])) {
        return; /* the schema says what it should be */
    }
    limits->rpm = read_count(&own, "rpm", &per_minute, err);
    limits->tpm = read_count(&own, "tpm", &per_minute, err);
    limits->max_parallel = (uint32_t)read_count(&own, "max_parallel_requests", &parallel, err);
}

static void read_limits(const struct gw_model_entry *entry, struct gw_deployment_routing *routing,
                        enum gw_err *err)
{
    uint64_t rpm = read_count(entry, "rpm", &per_minute, err);
    uint64_t tpm = read_count(entry, "tpm", &per_minute, err);
    uint64_t own = read_count(entry, "max_parallel_requests", &parallel, err);
    bool is_enforced = gw_build_setting(entry->build, GW_SETTING_ENFORCE_LIMITS)->number == 1;
    routing->limits.rpm = is_enforced ? rpm : 0;
    routing->limits.tpm = is_enforced ? tpm : 0;
    routing->limits.max_parallel = own > 0 ? (uint32_t)own : routing->limits.max_parallel;
    read_key_limits(entry, &routing->key_limits, err);
}

/* A whole number that may be below 0, from a number or a text. */
static bool parse_signed(yyjson_val *value, int64_t *number)
{
    struct gw_str text = gw_str_trim(gw_config_text(value));
    bool is_negative = text.len > 0 && text.ptr[0] == '-';
    uint64_t magnitude = 0;
    if (yyjson_is_int(value)) {
        *number = yyjson_get_sint(value);
        return yyjson_is_sint(value) || yyjson_get_uint(value) <= PRIORITY_MAX;
    }
    bool is_number = gw_parse_u64(gw_str_skip(text, is_negative ? 1 : 0), &magnitude) == GW_OK &&
                     magnitude <= PRIORITY_MAX;
    *number = is_negative ? -(int64_t)magnitude : (int64_t)magnitude;
    return is_number;
}

static void read_priority(const struct gw_model_entry *entry, struct gw_deployment_routing *routing)
{
    const struct gw_config_context *context = &entry->build->context;
    yyjson_val *priority = gw_model_entry_find(entry, "priority");
    yyjson_val *order = gw_model_entry_find(entry, "order");
    yyjson_val *value = priority != NULL ? priority : order;
    int64_t number = 0;
    if (value == NULL) {
        return;
    }
    if (!parse_signed(value, &number) || number > PRIORITY_MAX ||
        number < (value == order ? 0 : -PRIORITY_MAX)) {
        struct gw_str found = gw_config_describe(context, value);
        gw_config_complain(context, true, value,
                           "expected a whole number from %d to %d, found " GW_STR_FMT,
                           value == order ? 0 : -PRIORITY_MAX, PRIORITY_MAX, GW_STR_ARG(found));
        return;
    }
    if (priority != NULL && order != NULL) {
        gw_config_complain(context, true, order,
                           "set order (lower first) or priority (higher first), not both");
        return;
    }
    routing->priority = (int32_t)(value == order ? ORDER_FIRST - number : number);
}

static void read_tag_list(const struct gw_model_entry *entry, yyjson_val *list, uint64_t *tags,
                          enum gw_err *err)
{
    struct gw_str rest = gw_config_text(list);
    struct gw_str part = {0};
    size_t index = 0;
    size_t max = 0;
    yyjson_val *item = NULL;
    while (gw_str_split(&rest, ',', &part)) {
        *tags |= gw_routing_tag(entry->build, list, gw_str_trim(part), err);
    }
    yyjson_arr_foreach(list, index, max, item)
    {
        *tags |= gw_routing_tag(entry->build, item, gw_str_trim(gw_config_text(item)), err);
    }
}

/* Also in model_info, where what is known of a model stands. */
static yyjson_val *find_known(const struct gw_model_entry *entry, const char *name)
{
    yyjson_val *own = gw_config_member(gw_config_member(entry->value, "model_info"), name);
    return own != NULL ? own : gw_model_entry_find(entry, name);
}

static void read_facts(const struct gw_model_entry *entry, struct gw_deployment_routing *routing,
                       enum gw_err *err)
{
    static const struct gw_setting_row score = {
        .kind = GW_SETTING_KIND_TENTHS, .min = 1, .max = 1000};
    static const struct gw_setting_row flag = {.kind = GW_SETTING_KIND_BOOL, .max = 1};
    const struct gw_config_context *context = &entry->build->context;
    struct gw_setting_value value = {0};
    yyjson_val *quality = find_known(entry, "quality");
    enum gw_err one =
        quality == NULL ? GW_OK : gw_setting_read_value(context, quality, &score, &value);
    routing->quality = one == GW_OK ? (uint32_t)value.number : 0;
    *err = one == GW_ERR_NOMEM ? one : *err;
    one = gw_model_entry_read(entry, "is_local", &flag, &value);
    *err = one == GW_ERR_NOMEM ? one : *err;
    if (one == GW_OK && value.is_set) {
        routing->is_local = value.number == 1;
    }
    read_tag_list(entry, find_known(entry, "tags"), &routing->tags, err);
}

enum gw_err gw_build_deployment_routing(struct gw_config_build *build, struct gw_str group,
                                        const struct gw_model_entry *entry,
                                        struct gw_deployment *deployment)
{
    struct gw_routing_scope scope = gw_routing_group_scope(build, group);
    struct gw_deployment_routing *routing =
        gw_arena_try_alloc(gw_snapshot_arena(build->snapshot), sizeof(*routing));
    if (routing == NULL) {
        return GW_ERR_NOMEM;
    }
    scope.maps[GW_MODEL_ENTRY_MAPS] = scope.maps[0]; /* behind the entry's own */
    scope.maps[0] = NULL;
    scope.tells_all = !build->has_deployment;
    build->has_deployment = true;
    for (size_t i = 0; entry != NULL && i < GW_MODEL_ENTRY_MAPS; i++) {
        scope.maps[i] = entry->maps[i];
    }
    *routing = (struct gw_deployment_routing){
        .is_local = gw_is_local_deployment(deployment),
        .limits = {.max_parallel = (uint32_t)gw_routing_number(&scope, GW_SETTING_MAX_PARALLEL)},
    };
    gw_build_breaker(&scope, &routing->breaker);
    gw_build_concurrency(&scope, &routing->concurrency);
    gw_build_probe(&scope, group, entry, deployment, routing);
    if (entry != NULL) {
        read_limits(entry, routing, &scope.err);
        read_priority(entry, routing);
        read_facts(entry, routing, &scope.err);
    }
    deployment->routing = routing;
    return scope.err;
}
