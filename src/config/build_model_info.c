/* SPDX-License-Identifier: MIT */
/*
 * config/build_model_info - what an entry of model_list says of its model: windows, abilities,
 * prices. LiteLLM's names, in model_info or among the parameters.
 */
#include "config/model_entry_int.h"
#include "llm/model_facts.h"

#define MAX_TOKENS 100000000 /* a hundred times the longest context there is */

struct info_reader {
    const struct gw_model_entry *entry;
    yyjson_val *map; /* model_info, or NULL */
    bool has_any;
};

static yyjson_val *find(struct info_reader *reader, const char *name)
{
    yyjson_val *value = gw_config_member(reader->map, name);
    return value != NULL ? value : gw_model_entry_find(reader->entry, name);
}

static enum gw_err read_tokens(struct info_reader *reader, const char *name, uint64_t *tokens)
{
    static const struct gw_setting_row row = {
        .kind = GW_SETTING_KIND_COUNT, .min = 1, .max = MAX_TOKENS};
    /* Among the parameters "max_tokens" is something else. */
    yyjson_val *found = gw_config_member(reader->map, name);
    struct gw_setting_value value = {0};
    if (found == NULL || *tokens > 0) {
        return GW_OK;
    }
    reader->has_any = true;
    enum gw_err err = gw_setting_read_value(&reader->entry->build->context, found, &row, &value);
    *tokens = value.number;
    return err;
}

/* The number as it was written; YAML's floats come back in their shortest form, which is it. */
static enum gw_err parse_price(yyjson_val *value, int64_t *price)
{
    char text[64];
    size_t len = 0;
    if (yyjson_is_str(value)) {
        return gw_price_parse_per_token(gw_str_trim(gw_config_text(value)), price);
    }
    char *written = yyjson_is_num(value)
                        ? yyjson_val_write_opts(value, 0, &gw_config_json_allocator, &len, NULL)
                        : NULL;
    if (written == NULL || len >= sizeof(text)) {
        gw_config_json_allocator.free(NULL, written);
        return GW_ERR_INVALID;
    }
    memcpy(text, written, len);
    gw_config_json_allocator.free(NULL, written);
    return gw_price_parse_per_token(gw_str(text, len), price);
}

static enum gw_err read_price(struct info_reader *reader, const char *name, int64_t *price)
{
    yyjson_val *value = find(reader, name);
    if (value == NULL) {
        return GW_OK;
    }
    reader->has_any = true;
    if (parse_price(value, price) == GW_OK) {
        return GW_OK;
    }
    gw_config_complain(&reader->entry->build->context, true, value,
                       "expected a price in USD per token, such as 0.000003");
    return GW_ERR_INVALID;
}

static enum gw_err read_prices(struct info_reader *reader, struct gw_model_prices *prices)
{
    const struct {
        const char *name;
        int64_t *price;
    } reads[] = {
        {"input_cost_per_token", &prices->input},
        {"output_cost_per_token", &prices->output},
        {"cache_read_input_token_cost", &prices->cached_input},
        {"cache_creation_input_token_cost", &prices->cache_write},
        {"cache_creation_input_token_cost_above_1hr", &prices->cache_write_1h},
    };
    enum gw_err err = GW_OK;
    for (size_t i = 0; i < GW_ARRAY_LEN(reads) && err == GW_OK; i++) {
        *reads[i].price = GW_PRICE_UNKNOWN;
        err = read_price(reader, reads[i].name, reads[i].price);
    }
    return err;
}

static enum gw_err read_abilities(struct info_reader *reader, struct gw_model_info *info)
{
    static const struct gw_setting_row row = {.kind = GW_SETTING_KIND_BOOL, .max = 1};
    static const struct {
        const char *name;
        enum gw_ability ability;
    } reads[] = {
        {"supports_vision", GW_ABILITY_IMAGE},
        {"supports_audio_input", GW_ABILITY_AUDIO},
        {"supports_video_input", GW_ABILITY_VIDEO},
        {"supports_pdf_input", GW_ABILITY_PDF},
        {"supports_function_calling", GW_ABILITY_TOOLS},
        {"supports_functions", GW_ABILITY_TOOLS},
        {"supports_reasoning", GW_ABILITY_REASONING},
        {"supports_prompt_caching", GW_ABILITY_CACHE},
    };
    for (size_t i = 0; i < GW_ARRAY_LEN(reads); i++) {
        yyjson_val *found = gw_config_member(reader->map, reads[i].name);
        struct gw_setting_value value = {0};
        if (found == NULL) {
            continue;
        }
        enum gw_err err =
            gw_setting_read_value(&reader->entry->build->context, found, &row, &value);
        if (err != GW_OK) {
            return err;
        }
        reader->has_any = true;
        *(value.number == 1 ? &info->abilities : &info->inabilities) |= 1u << reads[i].ability;
    }
    if (gw_str_eq(gw_config_text(gw_config_member(reader->map, "mode")), GW_STR("embedding"))) {
        reader->has_any = true;
        info->abilities |= 1u << GW_ABILITY_EMBEDDING;
        info->inabilities |= 1u << GW_ABILITY_TOOLS;
    }
    return GW_OK;
}

static enum gw_err read_base_model(struct info_reader *reader, struct gw_model_info *info)
{
    struct gw_str name = gw_config_text(find(reader, "base_model"));
    size_t slash = gw_str_find_byte(name, '/');
    /* "azure/gpt-4o" and "gpt-4o" are both written. */
    if (slash < name.len && gw_provider_find(gw_str(name.ptr, slash)) != NULL) {
        name = gw_str_skip(name, slash + 1);
    }
    reader->has_any = reader->has_any || name.len > 0;
    info->base_model = gw_arena_try_dup(gw_snapshot_arena(reader->entry->build->snapshot), name);
    return info->base_model.ptr == NULL ? GW_ERR_NOMEM : GW_OK;
}

enum gw_err gw_model_entry_info(const struct gw_model_entry *entry,
                                struct gw_deployment *deployment)
{
    yyjson_val *map = gw_config_member(entry->value, "model_info");
    struct info_reader reader = {.entry = entry, .map = yyjson_is_obj(map) ? map : NULL};
    struct gw_model_info *info =
        gw_arena_try_alloc(gw_snapshot_arena(entry->build->snapshot), sizeof(*info));
    if (info == NULL) {
        return GW_ERR_NOMEM;
    }
    *info = (struct gw_model_info){0};
    enum gw_err err = read_prices(&reader, &info->prices);
    err = err == GW_OK ? read_tokens(&reader, "max_input_tokens", &info->context_tokens) : err;
    err = err == GW_OK ? read_tokens(&reader, "max_output_tokens", &info->max_output_tokens) : err;
    err = err == GW_OK ? read_tokens(&reader, "max_tokens", &info->max_output_tokens) : err;
    err = err == GW_OK ? read_abilities(&reader, info) : err;
    err = err == GW_OK ? read_base_model(&reader, info) : err;
    deployment->model_info = err == GW_OK && reader.has_any ? info : NULL;
    return err;
}
