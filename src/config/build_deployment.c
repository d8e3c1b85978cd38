/* SPDX-License-Identifier: MIT */
/* config/build_deployment - the parts that deployments are made of, whoever asks for them. */
#include "config/build_int.h"
#include "policy/credentials.h"

struct gw_upstream_timeouts gw_build_timeouts(const struct gw_config_build *build)
{
    uint64_t first_byte_ms = gw_build_setting(build, GW_SETTING_FIRST_BYTE_TIMEOUT)->number;
    uint64_t stream_ms = gw_build_setting(build, GW_SETTING_STREAM_FIRST_BYTE)->number;
    return (struct gw_upstream_timeouts){
        .connect_ms = gw_build_setting(build, GW_SETTING_CONNECT_TIMEOUT)->number,
        .tls_ms = gw_build_setting(build, GW_SETTING_TLS_TIMEOUT)->number,
        .first_byte_ms = first_byte_ms,
        .stream_first_byte_ms = stream_ms > 0 ? stream_ms : first_byte_ms,
        .idle_ms = gw_build_setting(build, GW_SETTING_CHUNK_TIMEOUT)->number,
        .total_ms = gw_build_setting(build, GW_SETTING_REQUEST_TIMEOUT)->number,
        .stream_total_ms = gw_build_setting(build, GW_SETTING_STREAM_TOTAL)->number,
    };
}

struct gw_deployment *gw_build_deployment(struct gw_config_build *build, struct gw_str group,
                                          size_t ordinal)
{
    struct gw_arena *arena = gw_snapshot_arena(build->snapshot);
    struct gw_deployment *deployment = gw_arena_try_alloc(arena, sizeof(*deployment));
    struct gw_str id = gw_arena_try_printf(arena, GW_STR_FMT "#%zu", GW_STR_ARG(group), ordinal);
    if (deployment == NULL || id.ptr == NULL) {
        return NULL;
    }
    *deployment = (struct gw_deployment){
        .id = id,
        .timeouts = gw_build_timeouts(build),
        .weight = 1,
        .drops_params = gw_build_setting(build, GW_SETTING_DROP_PARAMS)->number == 1,
    };
    return deployment;
}

/* "OPENAI_API_BASE" is what LiteLLM calls OPENAI_BASE_URL. */
static bool read_base_url(const struct gw_config_build *build, const struct gw_provider *provider,
                          struct gw_str *source, struct gw_str *text)
{
    struct gw_str variable = provider->base_url_env;
    const char *aliases = provider->base_url_env_aliases;
    struct gw_str stem = gw_str(variable.ptr, variable.len - (sizeof("_BASE_URL") - 1));
    struct gw_str names =
        gw_arena_printf(build->context.scratch, GW_STR_FMT " " GW_STR_FMT "_API_BASE %s",
                        GW_STR_ARG(variable), GW_STR_ARG(stem), aliases == NULL ? "" : aliases);
    return gw_environment_get_first(build->context.env, names.ptr, source, text);
}

struct gw_str gw_build_base_url(const struct gw_config_build *build,
                                const struct gw_provider *provider, struct gw_str *source)
{
    struct gw_str text = {0};
    *source = gw_str(NULL, 0);
    if (provider->base_url_env.len > 0 && read_base_url(build, provider, source, &text)) {
        return text;
    }
    return provider->default_base_url;
}

static struct gw_str without_slashes(struct gw_str path)
{
    while (path.len > 0 && path.ptr[path.len - 1] == '/') {
        path.len--;
    }
    return path;
}

/* What the codec writes itself must not be there twice. */
static struct gw_str without_own_path(struct gw_str path, const struct gw_provider *provider)
{
    struct gw_str openai = GW_STR("/openai");
    if (provider->own_path.len > 0 && gw_str_has_suffix(path, provider->own_path)) {
        path.len -= provider->own_path.len;
    }
    if (provider->kind == GW_PROVIDER_AZURE && gw_str_has_suffix(path, openai)) {
        path.len -= openai.len;
    }
    return without_slashes(path);
}

/* The path that |provider|'s usual address ends with. */
static struct gw_str usual_path(const struct gw_provider *provider)
{
    struct gw_url usual = {0};
    const char *why = NULL;
    return gw_url_parse(provider->default_base_url, &usual, &why) == GW_OK ? usual.path
                                                                           : gw_str(NULL, 0);
}

enum gw_err gw_build_endpoint(struct gw_config_build *build, struct gw_str text,
                              const struct gw_provider *provider, struct gw_origin_wish *wish,
                              struct gw_str *base_path)
{
    struct gw_arena *arena = gw_snapshot_arena(build->snapshot);
    const struct gw_setting_value place = {.value = wish->value, .source = wish->source};
    struct gw_str own = gw_arena_try_dup(arena, gw_str_trim(text));
    const char *why = NULL;
    if (own.ptr == NULL) {
        return GW_ERR_NOMEM;
    }
    if (gw_url_parse(own, &wish->url, &why) != GW_OK) {
        gw_config_complain_setting(&build->context, true, &place,
                                   "expected an address such as https://host/v1: %s", why);
        return GW_ERR_INVALID;
    }
    if (wish->url.user_info.len > 0 || wish->url.query.len > 0) {
        gw_config_complain_setting(&build->context, true, &place, "an address of an API has no %s",
                                   wish->url.query.len > 0 ? "query (\"?...\")"
                                                           : "user; use api_key");
        return GW_ERR_INVALID;
    }
    *base_path = without_own_path(without_slashes(wish->url.path), provider);
    /* LiteLLM speaks Ollama's own API at the bare address; the one we speak is below /v1. Google's
     * SDKs are given Gemini's address without the version. */
    if (base_path->len == 0 &&
        (provider->local_port != 0 || provider->kind == GW_PROVIDER_GEMINI)) {
        *base_path = usual_path(provider);
    }
    return GW_OK;
}

bool gw_is_header_value(struct gw_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if ((c < ' ' && c != '\t') || c == 0x7f) {
            return false;
        }
    }
    return true;
}

struct pool_builder {
    const struct gw_config_build *build;
    struct gw_key_pool *pool;
    size_t capacity;
};

static bool has_key(const struct gw_key_pool *pool, struct gw_str key)
{
    for (size_t i = 0; i < pool->count; i++) {
        if (gw_str_eq(pool->items[i].value, key)) {
            return true;
        }
    }
    return false;
}

static enum gw_err add_key(struct pool_builder *builder, struct gw_str name, struct gw_str text)
{
    struct gw_key_pool *pool = builder->pool;
    struct gw_str key = gw_str_trim(text);
    if (key.len == 0 || has_key(pool, key)) {
        return GW_OK;
    }
    for (size_t i = 0; i < key.len; i++) {
        if (key.ptr[i] <= ' ' || key.ptr[i] == 0x7f) {
            gw_config_complain_env(
                &builder->build->context, false, name,
                "has a blank or control character inside and cannot be a key; it "
                "is not used");
            return GW_OK;
        }
    }
    if (pool->count == GW_CREDENTIALS_MAX) {
        gw_config_complain_env(&builder->build->context, true, name,
                               "more than %d keys of one provider", GW_CREDENTIALS_MAX);
        return GW_OK;
    }
    struct gw_variable *items = gw_arena_grow(builder->build->context.scratch, pool->items,
                                              pool->count, &builder->capacity, sizeof(*items));
    if (items == NULL) {
        return GW_ERR_NOMEM;
    }
    items[pool->count] = (struct gw_variable){.name = name, .value = key};
    pool->items = items;
    pool->count++;
    return GW_OK;
}

static enum gw_err add_variable(struct pool_builder *builder, struct gw_str name)
{
    struct gw_str value = {0};
    return gw_environment_get(builder->build->context.env, name, &value)
               ? add_key(builder, name, value)
               : GW_OK;
}

static enum gw_err add_list_variable(struct pool_builder *builder, struct gw_str name)
{
    struct gw_str rest = {0};
    struct gw_str part = {0};
    enum gw_err err = GW_OK;
    if (!gw_environment_get(builder->build->context.env, name, &rest)) {
        return GW_OK;
    }
    while (err == GW_OK && gw_str_split(&rest, ',', &part)) {
        err = add_key(builder, name, part);
    }
    return err;
}

static enum gw_err add_numbered(struct pool_builder *builder, struct gw_str prefix)
{
    struct gw_arena *scratch = builder->build->context.scratch;
    struct gw_variable_list list = {0};
    enum gw_err err =
        gw_environment_with_prefix(builder->build->context.env, prefix, scratch, &list);
    for (size_t i = 0; i < list.count && err == GW_OK; i++) {
        err = add_key(builder, list.items[i].name, list.items[i].value);
    }
    return err;
}

static enum gw_err add_name(struct pool_builder *builder, struct gw_str name)
{
    struct gw_arena *scratch = builder->build->context.scratch;
    struct gw_str plural = gw_arena_try_printf(scratch, GW_STR_FMT "S", GW_STR_ARG(name));
    struct gw_str prefix = gw_arena_try_printf(scratch, GW_STR_FMT "_", GW_STR_ARG(name));
    if (plural.ptr == NULL || prefix.ptr == NULL) {
        return GW_ERR_NOMEM;
    }
    enum gw_err err = add_variable(builder, name);
    err = err == GW_OK ? add_list_variable(builder, plural) : err;
    return err == GW_OK ? add_numbered(builder, prefix) : err;
}

enum gw_err gw_build_key_pool(const struct gw_config_build *build,
                              const struct gw_provider *provider, struct gw_key_pool *pool)
{
    *pool = (struct gw_key_pool){0};
    struct pool_builder builder = {.build = build, .pool = pool};
    enum gw_err err = provider->key_env.len > 0 ? add_name(&builder, provider->key_env) : GW_OK;
    if (err == GW_OK && provider->key_env_alias.len > 0) {
        err = add_name(&builder, provider->key_env_alias);
    }
    return err;
}

enum gw_err gw_build_keys(struct gw_config_build *build, const struct gw_key_pool *pool,
                          struct gw_deployment *deployment)
{
    struct gw_deployment_key *keys =
        gw_arena_try_alloc(gw_snapshot_arena(build->snapshot), (pool->count + 1) * sizeof(*keys));
    if (keys == NULL) {
        return GW_ERR_NOMEM;
    }
    for (size_t i = 0; i < pool->count; i++) {
        struct gw_str key = pool->items[i].value;
        keys[i] = (struct gw_deployment_key){.secret = gw_snapshot_add_secret(build->snapshot, key),
                                             .fingerprint = gw_str_hash(key)};
        if (keys[i].secret == NULL) {
            return GW_ERR_NOMEM;
        }
    }
    deployment->keys = keys;
    deployment->key_count = pool->count;
    return GW_OK;
}
