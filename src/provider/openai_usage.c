/* SPDX-License-Identifier: MIT */
/* provider/openai_usage - one meaning for what vendors count differently. */
#include "provider/openai_decoder.h"
#include "json/value.h"

/* The first of two names that is there. */
static uint64_t either(yyjson_val *object, const char *name, const char *other)
{
    return gw_json_get_u64(object, name, gw_json_get_u64(object, other, 0));
}

static yyjson_val *details(yyjson_val *object, const char *name, const char *other)
{
    yyjson_val *found = gw_json_get(object, name);
    return found != NULL ? found : gw_json_get(object, other);
}

/*
 * xAI counts reasoning beside the completion, which its total shows, and may count cached tokens
 * beside the prompt.
 */
static void repair(struct gw_usage *usage, uint64_t total)
{
    if (usage->reasoning_tokens > 0 &&
        total == usage->input_tokens + usage->output_tokens + usage->reasoning_tokens) {
        usage->output_tokens += usage->reasoning_tokens;
    }
    if (usage->cached_tokens > usage->input_tokens) {
        usage->input_tokens += usage->cached_tokens;
    }
}

struct gw_usage gw_openai_read_usage(yyjson_val *object)
{
    struct gw_usage usage = {0};
    yyjson_val *input = details(object, "prompt_tokens_details", "input_tokens_details");
    yyjson_val *output = details(object, "completion_tokens_details", "output_tokens_details");
    usage.is_known = gw_json_get(object, "prompt_tokens") != NULL ||
                     gw_json_get(object, "input_tokens") != NULL ||
                     gw_json_get(object, "completion_tokens") != NULL ||
                     gw_json_get(object, "output_tokens") != NULL;
    usage.input_tokens = either(object, "prompt_tokens", "input_tokens");
    usage.output_tokens = either(object, "completion_tokens", "output_tokens");
    /* DeepSeek's name, then Moonshot's. */
    usage.cached_tokens = gw_json_get_u64(
        input, "cached_tokens", either(object, "prompt_cache_hit_tokens", "cached_tokens"));
    usage.cache_write_tokens = gw_json_get_u64(input, "cache_write_tokens", 0);
    usage.reasoning_tokens =
        gw_json_get_u64(output, "reasoning_tokens", gw_json_get_u64(object, "reasoning_tokens", 0));
    repair(&usage, gw_json_get_u64(object, "total_tokens", 0));
    return usage;
}
