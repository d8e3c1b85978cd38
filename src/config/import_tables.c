/* SPDX-License-Identifier: MIT */
/* config/import_tables - what LiteLLM's keys are called here, and which mean something else. */
#include "config/import_int.h"

/* Lists of fallbacks under litellm_settings stay there: they are read behind those of the router,
 * as LiteLLM does. */
const struct gw_import_move gw_import_moves[] = {
    {"general_settings.master_key", "auth", "master_key"},
    {"router_settings.timeout", "upstream", "request_timeout"},
    {"litellm_settings.request_timeout", "upstream", "request_timeout"},
    {"router_settings.stream_timeout", "upstream", "stream_first_byte_timeout"},
    {"router_settings.model_group_alias", "model_aliases", NULL},
    {"router_settings.routing_strategy", "router", "strategy"},
    {"router_settings.num_retries", "router", "max_retries"},
    {"router_settings.max_retries", "router", "max_retries"},
    {"litellm_settings.num_retries", "router", "max_retries"},
    {"router_settings.max_fallbacks", "router", "max_fallbacks"},
    {"router_settings.fallbacks", "router", "fallbacks"},
    {"router_settings.default_fallbacks", "router", "default_fallbacks"},
    {"router_settings.context_window_fallbacks", "router", "context_window_fallbacks"},
    {"router_settings.content_policy_fallbacks", "router", "content_policy_fallbacks"},
    {"router_settings.allowed_fails", "router", "allowed_fails"},
    {"litellm_settings.allowed_fails", "router", "allowed_fails"},
    {"router_settings.cooldown_time", "router", "cooldown_time"},
    {"router_settings.enable_pre_call_checks", "router", "enable_pre_call_checks"},
    {"router_settings.enable_tag_filtering", "router", "enable_tag_filtering"},
    {"router_settings.default_max_parallel_requests", "router", "default_max_parallel_requests"},
    {"router_settings.enforce_model_rate_limits", "router", "enforce_limits"},
};
const size_t gw_import_move_count = GW_ARRAY_LEN(gw_import_moves);

/* By the end of the place. */
static const struct {
    struct gw_str key;
    const char *note;
} notes[] = {
    {GW_STR_INIT("router_settings.allowed_fails"), "counts failures in a row, not in a minute"},
    {GW_STR_INIT("litellm_settings.allowed_fails"), "counts failures in a row, not in a minute"},
    {GW_STR_INIT("litellm_params.allowed_fails"), "counts failures in a row, not in a minute"},
    {GW_STR_INIT("router_settings.cooldown_time"), "doubles with each repeat, up to 5 minutes"},
    {GW_STR_INIT("litellm_params.cooldown_time"), "doubles with each repeat, up to 5 minutes"},
    {GW_STR_INIT("router_settings.retry_after"),
     "the longest first pause; pauses are random and double each time"},
    {GW_STR_INIT("AuthenticationErrorRetries"),
     "other keys and deployments are asked; a key that was refused is not asked again"},
    {GW_STR_INIT("AuthenticationErrorAllowedFails"),
     "counts failures in a row, not in a minute; a key that was refused rests all the same"},
    {GW_STR_INIT("RateLimitErrorAllowedFails"),
     "counts failures in a row, not in a minute; the key rests after a 429 all the same"},
    {GW_STR_INIT("ErrorAllowedFails"), "counts failures in a row, not in a minute"},
    {GW_STR_INIT("router_settings.enable_tag_filtering"),
     "a deployment needs all tags that a request has, not one of them"},
    {GW_STR_INIT("general_settings.background_health_checks"),
     "asks only deployments without traffic, every 30s unless health_check_interval says"},
    {GW_STR_INIT("litellm_params.max_retries"), "counts for all deployments of the model"},
    {GW_STR_INIT("litellm_params.num_retries"), "counts for all deployments of the model"},
};

static bool is_limit(struct gw_str place)
{
    return gw_str_has_suffix(place, GW_STR("litellm_params.rpm")) ||
           gw_str_has_suffix(place, GW_STR("litellm_params.tpm"));
}

const char *gw_import_note(const struct gw_config_document *document, struct gw_str place)
{
    for (size_t i = 0; i < GW_ARRAY_LEN(notes); i++) {
        if (gw_str_has_suffix(place, notes[i].key)) {
            return notes[i].note;
        }
    }
    if (gw_str_find(place, GW_STR("optional_pre_call_checks[")) < place.len) {
        return "prompt_caching and deployment_affinity set router.affinity; others do nothing";
    }
    if (is_limit(place) &&
        gw_config_get(document, "router_settings.enforce_model_rate_limits") == NULL) {
        return "is a limit here, too; with router.enforce_limits: false a weight only";
    }
    return "";
}
