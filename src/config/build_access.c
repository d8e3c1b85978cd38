/* SPDX-License-Identifier: MIT */
/*
 * config/build_access - who may ask. The first key that exists anywhere closes the gateway; all
 * that are set are accepted, so that a key can be changed without a moment in which nobody gets in.
 */
#include "config/build_int.h"

static const char *const key_paths[] = {"general_settings.master_key", "auth.master_key"};
static const char *const key_variables[] = {"API_KEY", "GATEWIRE_MASTER_KEY", "LITELLM_MASTER_KEY",
                                            "PLLM_MASTER_KEY", "MASTER_KEY"};

#define MAX_KEYS (GW_ARRAY_LEN(key_paths) + GW_ARRAY_LEN(key_variables))

/* Keys are sent as header fields and in URLs; what cannot be sent there can be no key. */
static bool is_sendable(struct gw_str key)
{
    for (size_t i = 0; i < key.len; i++) {
        if (key.ptr[i] <= ' ' || key.ptr[i] == 0x7f) {
            return false;
        }
    }
    return true;
}

/* "'sk-1'" in a .env that is given to a container as it is: the quotes are not meant. */
static struct gw_str without_quotes(struct gw_str text)
{
    bool is_quoted = text.len >= 2 && text.ptr[0] == text.ptr[text.len - 1] &&
                     (text.ptr[0] == '"' || text.ptr[0] == '\'');
    return is_quoted ? gw_str(text.ptr + 1, text.len - 2) : text;
}

static bool is_known(const struct gw_access_settings *access, struct gw_str key)
{
    for (size_t i = 0; i < access->key_count; i++) {
        if (gw_secret_eq(access->keys[i], key)) {
            return true;
        }
    }
    return false;
}

static enum gw_err add_key(struct gw_config_build *build, const struct gw_secret **keys,
                           const struct gw_setting_value *setting)
{
    struct gw_access_settings *access = &build->snapshot->access;
    struct gw_str key = without_quotes(gw_str_trim(setting->text));
    if (!is_sendable(key)) {
        gw_config_complain_setting(
            &build->context, true, setting,
            "the key has a blank or control character inside; no client could "
            "send it");
        return GW_OK;
    }
    if (key.len == 0) {
        gw_config_complain_setting(&build->context, false, setting,
                                   "the key is empty, so it closes nothing");
        return GW_OK;
    }
    if (is_known(access, key)) {
        return GW_OK;
    }
    const struct gw_secret *secret = gw_snapshot_add_secret(build->snapshot, key);
    if (secret == NULL) {
        return GW_ERR_NOMEM;
    }
    keys[access->key_count] = secret;
    access->key_count++;
    return GW_OK;
}

static enum gw_err add_key_of_file(struct gw_config_build *build, const struct gw_secret **keys,
                                   const char *path)
{
    static const struct gw_setting_row row = {.kind = GW_SETTING_KIND_SECRET};
    yyjson_val *value = gw_config_get(build->context.document, path);
    if (value == NULL) {
        return GW_OK;
    }
    struct gw_setting_value setting;
    enum gw_err err = gw_setting_read_value(&build->context, value, &row, &setting);
    if (err == GW_ERR_INVALID) {
        return GW_OK; /* reported */
    }
    return err == GW_OK ? add_key(build, keys, &setting) : err;
}

enum gw_err gw_build_access(struct gw_config_build *build)
{
    struct gw_access_settings *access = &build->snapshot->access;
    const struct gw_secret **keys =
        gw_arena_try_alloc(gw_snapshot_arena(build->snapshot), MAX_KEYS * sizeof(*keys));
    enum gw_err err = keys == NULL ? GW_ERR_NOMEM : GW_OK;
    access->keys = keys;
    for (size_t i = 0; i < GW_ARRAY_LEN(key_paths) && err == GW_OK; i++) {
        err = add_key_of_file(build, keys, key_paths[i]);
    }
    for (size_t i = 0; i < GW_ARRAY_LEN(key_variables) && err == GW_OK; i++) {
        struct gw_setting_value setting = {0};
        if (gw_environment_get_first(build->context.env, key_variables[i], &setting.source,
                                     &setting.text)) {
            err = add_key(build, keys, &setting);
        }
    }
    access->is_open = access->key_count == 0;
    const struct gw_setting_value *require = gw_build_setting(build, GW_SETTING_REQUIRE_AUTH);
    if (access->is_open && require->is_set && require->number == 1) {
        gw_config_complain_setting(&build->context, true, require,
                                   "keys are required and none is set, so nobody could get in; set "
                                   "API_KEY or general_settings.master_key");
    }
    return err;
}
