/* SPDX-License-Identifier: MIT */
/*
 * config/build_models - the catalog from model_list, in LiteLLM's form (litellm_params) and in
 * others' (params, provider). Settings of a model are looked for in the entry's parameter maps,
 * then in the named credential, then in the entry itself.
 *
 * An entry that cannot be served (a variable that is not set, a provider that this version does not
 * speak to) is left out with a warning; the others work. Mistakes are errors.
 */
#include "config/login_int.h"
#include "config/routing_int.h"
#include "policy/credentials.h"

/* What an entry says about the place of its model. */
struct target {
    const struct gw_provider *provider;
    struct gw_str upstream_model;
    const struct gw_origin *origin;
    size_t origin_index;
    struct gw_str base_path;
    struct gw_cloud cloud;
    struct gw_token_slot *token;
};

/* Where an address may stand: PLLM's and LiteLLM's names for some vendors', too. */
static const char base_names[] = "api_base base_url azure_endpoint aws_bedrock_runtime_endpoint";

static enum gw_err leave_out(const struct gw_model_entry *entry, const char *why,
                             struct gw_str detail)
{
    gw_config_complain(&entry->build->context, false, entry->value,
                       "model \"" GW_STR_FMT "\" is left out: %s" GW_STR_FMT,
                       GW_STR_ARG(entry->group), why, GW_STR_ARG(detail));
    return GW_ERR_NOT_FOUND;
}

/* The provider by its name: none is no error, a newer configuration may know it. */
static enum gw_err find_provider(const struct gw_model_entry *entry, struct gw_str name,
                                 const struct gw_provider **provider)
{
    *provider = gw_provider_find(name);
    if (*provider != NULL) {
        return GW_OK;
    }
    struct gw_str detail = gw_arena_printf(
        entry->build->context.scratch,
        "provider \"" GW_STR_FMT "\" is not served by this version (for a server that speaks "
        "OpenAI's API write openai_like/<model> and api_base)",
        GW_STR_ARG(name));
    return leave_out(entry, "", detail);
}

/* "provider/model", or the parts of it that other keys give. */
static enum gw_err split_model(const struct gw_model_entry *entry, struct gw_str model,
                               struct target *target)
{
    struct gw_str named = {0};
    enum gw_err err = gw_model_entry_text(entry, "custom_llm_provider type provider", &named);
    if (err != GW_OK) {
        return err;
    }
    size_t slash = gw_str_find_byte(model, '/');
    struct gw_str prefix = slash < model.len ? gw_str(model.ptr, slash) : gw_str(NULL, 0);
    target->upstream_model = model;
    if (named.len > 0) {
        err = find_provider(entry, named, &target->provider);
        if (err == GW_OK && gw_provider_find(prefix) == target->provider) {
            target->upstream_model = gw_str_skip(model, slash + 1);
        }
        return err;
    }
    if (prefix.len > 0 && gw_provider_find(prefix) != NULL) {
        target->provider = gw_provider_find(prefix);
        target->upstream_model = gw_str_skip(model, slash + 1);
        return GW_OK;
    }
    target->provider = gw_provider_of_model(model);
    if (target->provider != NULL) {
        return GW_OK;
    }
    if (prefix.len > 0) {
        return find_provider(entry, prefix, &target->provider);
    }
    if (gw_model_entry_find(entry, base_names) != NULL) {
        return find_provider(entry, GW_STR("openai_like"), &target->provider);
    }
    return leave_out(entry, "no provider is known for it; write model: provider/name", GW_STR(""));
}

/* A '*' is only understood at the end of the name that clients ask for, and then once in the
 * upstream's. */
static enum gw_err check_stars(const struct gw_model_entry *entry, struct target *target)
{
    struct gw_str group = entry->group;
    size_t star = gw_str_find_byte(group, '*');
    struct gw_str model = target->upstream_model;
    size_t model_star = gw_str_find_byte(model, '*');
    if (star + 1 < group.len) {
        return leave_out(entry, "a '*' is understood only at the end of model_name", GW_STR(""));
    }
    bool has_star = model_star < model.len;
    bool has_second =
        has_star &&
        gw_str_find_byte(gw_str_skip(model, model_star + 1), '*') + model_star + 1 < model.len;
    if ((has_star && star == group.len) || has_second) {
        gw_config_complain(&entry->build->context, true, entry->value,
                           "the '*' in model \"" GW_STR_FMT
                           "\" stands for what the one at the end of model_name matches; %s",
                           GW_STR_ARG(model),
                           has_second ? "there can be one" : "model_name has none");
        return GW_ERR_INVALID;
    }
    if (gw_str_eq(model, GW_STR("*"))) {
        target->upstream_model = GW_STR(""); /* what '*' matched, and nothing else */
    }
    return GW_OK;
}

static enum gw_err resolve_model(const struct gw_model_entry *entry, struct target *target)
{
    struct gw_str model = {0};
    enum gw_err err = gw_model_entry_text(entry, "model", &model);
    if (err != GW_OK) {
        return err;
    }
    if (model.len == 0) {
        err = gw_model_entry_text(entry, "azure_deployment", &model);
    }
    model = model.len > 0 ? model : entry->group; /* a name that both sides use */
    if (model.len > GW_MODEL_NAME_MAX) {
        gw_config_complain(&entry->build->context, true, entry->value,
                           "a model's name is at most %d bytes long", GW_MODEL_NAME_MAX);
        return GW_ERR_INVALID;
    }
    err = err == GW_OK ? split_model(entry, model, target) : err;
    if (err == GW_OK) {
        const struct gw_login_ask ask = {
            .build = entry->build, .provider = target->provider, .entry = entry};
        err = gw_build_cloud(&ask, &target->upstream_model, &target->cloud);
    }
    err = err == GW_OK ? check_stars(entry, target) : err;
    if (err != GW_OK) {
        return err;
    }
    target->upstream_model =
        gw_arena_try_dup(gw_snapshot_arena(entry->build->snapshot), target->upstream_model);
    return target->upstream_model.ptr == NULL ? GW_ERR_NOMEM : GW_OK;
}

static enum gw_err read_trust(const struct gw_model_entry *entry, struct gw_origin_wish *wish)
{
    static const struct gw_setting_row text = {.kind = GW_SETTING_KIND_TEXT};
    static const struct gw_setting_row text_or_off = {.kind = GW_SETTING_KIND_TEXT_OR_OFF};
    static const struct gw_setting_row yes_or_no = {.kind = GW_SETTING_KIND_BOOL};
    static const struct gw_setting_row secret = {.kind = GW_SETTING_KIND_SECRET_OR_OFF};
    struct gw_setting_value ca_file;
    struct gw_setting_value verify;
    struct gw_setting_value insecure;
    struct gw_setting_value http2;
    struct gw_setting_value proxy;
    const struct {
        const char *names;
        const struct gw_setting_row *row;
        struct gw_setting_value *value;
    } reads[] = {
        {"ca_file", &text, &ca_file},        {"ssl_verify", &text_or_off, &verify},
        {"insecure", &yes_or_no, &insecure}, {"http2", &text_or_off, &http2},
        {"proxy", &secret, &proxy},
    };
    for (size_t i = 0; i < GW_ARRAY_LEN(reads); i++) {
        enum gw_err err = gw_model_entry_read(entry, reads[i].names, reads[i].row, reads[i].value);
        if (err != GW_OK) {
            return err;
        }
    }
    if (verify.is_set) {
        wish->insecure = verify.is_off;
        wish->ca_file = verify.text.len > 0 ? verify.text : wish->ca_file;
    }
    wish->ca_file = ca_file.is_set ? ca_file.text : wish->ca_file;
    wish->insecure = insecure.is_set ? insecure.number == 1 : wish->insecure;
    wish->proxy = proxy.is_set ? gw_proxy_text(&proxy) : wish->proxy;
    if (http2.is_set && !gw_http2_mode_parse(&http2, &wish->http2)) {
        gw_config_complain(&entry->build->context, true, http2.value,
                           "expected auto, off or prior");
        return GW_ERR_INVALID;
    }
    return GW_OK;
}

static enum gw_err resolve_place(const struct gw_model_entry *entry, struct target *target)
{
    if (target->provider->kind == GW_PROVIDER_BUILTIN) {
        return GW_OK;
    }
    struct gw_config_build *build = entry->build;
    struct gw_origin_wish wish = gw_build_origin_defaults(build);
    struct gw_str address = {0};
    enum gw_err err = gw_model_entry_text(entry, base_names, &address);
    err = err == GW_OK ? read_trust(entry, &wish) : err;
    if (err != GW_OK) {
        return err;
    }
    wish.value = gw_model_entry_find(entry, base_names);
    if (address.len == 0) {
        address = gw_build_base_url(build, target->provider, &wish.source);
        address = address.len == 0 ? target->cloud.base_url : address;
        wish.value = wish.source.len == 0 ? entry->value : NULL;
    }
    if (address.len == 0) {
        gw_config_complain(&build->context, true, entry->value,
                           "provider \"" GW_STR_FMT "\" needs api_base: the address of the API",
                           GW_STR_ARG(target->provider->name));
        return GW_ERR_INVALID;
    }
    gw_cloud_use_base(&target->cloud, target->provider, address);
    err = gw_build_endpoint(build, address, target->provider, &wish, &target->base_path);
    return err == GW_OK ? gw_build_origin(build, &wish, &target->origin, &target->origin_index)
                        : err;
}

static bool is_host_of(struct gw_str host, struct gw_str address)
{
    struct gw_url url = {0};
    const char *why = NULL;
    if (gw_url_parse(address, &url, &why) != GW_OK || !gw_str_has_suffix(host, url.host)) {
        return false;
    }
    return host.len == url.host.len || host.ptr[host.len - url.host.len - 1] == '.';
}

/* Is the place the vendor's own, a regional host of it, or one that only the operator can know? */
static bool may_have_vendor_key(const struct gw_model_entry *entry, const struct target *target)
{
    const struct gw_provider *provider = target->provider;
    struct gw_str host = target->origin->host;
    struct gw_str source = {0};
    if (gw_model_entry_find(entry, base_names) == NULL || !provider->needs_key) {
        return true;
    }
    /* The environment that has the key names this address, too. */
    struct gw_str of_env = gw_build_base_url(entry->build, provider, &source);
    if (source.len > 0 && is_host_of(host, of_env)) {
        return true;
    }
    bool is_own = target->origin->is_tls && is_host_of(host, provider->default_base_url);
    const char *const *suffix = provider->own_hosts;
    for (; target->origin->is_tls && suffix != NULL && *suffix != NULL && !is_own; suffix++) {
        is_own = gw_str_has_suffix(host, gw_str_from_c(*suffix));
    }
    return is_own;
}

static enum gw_err find_token(const struct gw_model_entry *entry, struct target *target,
                              enum gw_login_origin origin)
{
    const struct gw_login_ask ask = {
        .build = entry->build, .provider = target->provider, .entry = entry};
    return target->token != NULL ? GW_OK
                                 : gw_build_token(&ask, &target->cloud, origin, &target->token);
}

/* Another address than the vendor's may be anybody's. */
static void withhold_keys(const struct gw_model_entry *entry, const struct target *target,
                          struct gw_key_pool *pool)
{
    if (pool->count > 0) {
        pool->count = 0;
        gw_config_complain(&entry->build->context, false, entry->value,
                           GW_STR_FMT " is not sent to another host than the vendor's; no key is "
                                      "sent. Set api_key if the host wants one",
                           GW_STR_ARG(target->provider->key_env));
    }
}

static enum gw_err find_vendor_keys(const struct gw_model_entry *entry, struct target *target,
                                    struct gw_key_pool *pool)
{
    bool is_ours = may_have_vendor_key(entry, target);
    enum gw_err err = gw_build_key_pool(entry->build, target->provider, pool);
    if (err != GW_OK || !target->provider->needs_key) {
        return err;
    }
    if (!is_ours) {
        withhold_keys(entry, target, pool);
        return GW_OK;
    }
    /* A project's models are called in its name; a key is for those without a project. */
    bool has_project = target->cloud.project.len > 0;
    if (pool->count == 0 || has_project) {
        err = find_token(entry, target, GW_LOGIN_ENVIRONMENT);
        pool->count = target->token != NULL ? 0 : pool->count;
    }
    if (err == GW_OK && pool->count == 0 && target->token == NULL) {
        return leave_out(entry,
                         target->provider->kind == GW_PROVIDER_VERTEX
                             ? "it has no vertex_project and the environment has no "
                             : "it has no api_key and the environment has no ",
                         target->provider->kind == GW_PROVIDER_VERTEX ? GW_STR("VERTEXAI_PROJECT")
                                                                      : target->provider->key_env);
    }
    return err;
}

/* One of the entry's own keys; |value| is blamed. */
static enum gw_err add_key(const struct gw_model_entry *entry, yyjson_val *value,
                           struct gw_str text, struct gw_key_pool *pool)
{
    const struct gw_config_context *context = &entry->build->context;
    struct gw_str key = gw_str_trim(text);
    if (key.len == 0 || !gw_is_header_value(key)) {
        gw_config_complain(context, true, value, "expected a key%s",
                           key.len == 0 ? "" : "; it has a control character inside");
        return GW_ERR_INVALID;
    }
    for (size_t i = 0; i < pool->count; i++) {
        if (gw_str_eq(pool->items[i].value, key)) {
            gw_config_complain(context, false, value, "the same key is there already");
            return GW_OK;
        }
    }
    if (pool->count == GW_CREDENTIALS_MAX) {
        gw_config_complain(context, true, value, "more than %d keys of one deployment",
                           GW_CREDENTIALS_MAX);
        return GW_ERR_INVALID;
    }
    pool->items[pool->count] = (struct gw_variable){.value = key};
    pool->count++;
    return GW_OK;
}

/* api_keys: a list, or a text with commas. */
static enum gw_err use_keys(const struct gw_model_entry *entry, yyjson_val *list,
                            struct gw_key_pool *pool)
{
    struct gw_str rest = gw_config_text(list);
    struct gw_str part = {0};
    size_t index = 0;
    size_t max = 0;
    yyjson_val *item = NULL;
    pool->items = gw_arena_try_alloc(entry->build->context.scratch,
                                     GW_CREDENTIALS_MAX * sizeof(*pool->items));
    enum gw_err err = pool->items == NULL ? GW_ERR_NOMEM : GW_OK;
    while (err == GW_OK && gw_str_split(&rest, ',', &part)) {
        err = add_key(entry, list, part, pool);
    }
    yyjson_arr_foreach(list, index, max, item)
    {
        err = err == GW_OK ? add_key(entry, item, gw_config_text(item), pool) : err;
    }
    return err;
}

/* The entry's own key. */
static enum gw_err use_key(const struct gw_model_entry *entry, struct gw_str key,
                           struct gw_key_pool *pool)
{
    pool->items = gw_arena_try_alloc(entry->build->context.scratch, sizeof(*pool->items));
    if (pool->items == NULL) {
        return GW_ERR_NOMEM;
    }
    pool->items[0] = (struct gw_variable){.value = key};
    pool->count = 1;
    if (!gw_is_header_value(key)) {
        gw_config_complain(&entry->build->context, true, gw_model_entry_find(entry, "api_key"),
                           "the key has a control character inside");
        return GW_ERR_INVALID;
    }
    return GW_OK;
}

/* The entry's own key or login, or all that the environment has for its provider. */
static enum gw_err find_keys(const struct gw_model_entry *entry, struct target *target,
                             struct gw_key_pool *pool)
{
    struct gw_str key = {0};
    enum gw_err err = gw_model_entry_text(entry, "api_key", &key);
    key = gw_str_trim(key);
    if (err != GW_OK || target->provider->kind == GW_PROVIDER_BUILTIN) {
        return err;
    }
    yyjson_val *keys = gw_model_entry_find(entry, "api_keys");
    if (key.len > 0 && keys != NULL) {
        gw_config_complain(&entry->build->context, true, keys, "set api_key or api_keys, not both");
        return GW_ERR_INVALID;
    }
    if (keys != NULL) {
        return use_keys(entry, keys, pool);
    }
    if (key.len > 0) {
        return use_key(entry, key, pool);
    }
    err = find_token(entry, target, GW_LOGIN_OWN);
    return err != GW_OK || target->token != NULL ? err : find_vendor_keys(entry, target, pool);
}

static enum gw_err add_deployment(const struct gw_model_entry *entry, const struct target *target,
                                  const struct gw_key_pool *pool)
{
    struct gw_config_build *build = entry->build;
    struct gw_deployment *deployment = gw_build_deployment(build, entry->group, entry->ordinal);
    if (deployment == NULL) {
        return GW_ERR_NOMEM;
    }
    deployment->provider = target->provider;
    deployment->provider_name = target->provider->name;
    deployment->upstream_model = target->upstream_model;
    deployment->origin = target->origin;
    deployment->origin_index = target->origin_index;
    deployment->base_path = target->base_path;
    deployment->region = target->cloud.region;
    deployment->cloud_project = target->cloud.project;
    deployment->api_version = target->cloud.api_version;
    deployment->token = target->token;
    enum gw_err err = gw_model_entry_params(entry, deployment);
    if (err == GW_OK) {
        err = gw_build_deployment_routing(build, entry->group, entry, deployment);
    }
    err = err == GW_OK ? gw_routing_note_entry(entry) : err;
    err = err == GW_OK ? gw_build_keys(build, pool, deployment) : err;
    return err == GW_OK ? gw_model_entry_add(entry, deployment) : err;
}

enum gw_err gw_build_model(const struct gw_model_entry *entry)
{
    struct target target = {0};
    struct gw_key_pool pool = {0};
    enum gw_err err = resolve_model(entry, &target);
    err = err == GW_OK ? resolve_place(entry, &target) : err;
    err = err == GW_OK ? find_keys(entry, &target, &pool) : err;
    err = err == GW_OK ? add_deployment(entry, &target, &pool) : err;
    return err == GW_ERR_NOMEM ? err : GW_OK;
}
