/* SPDX-License-Identifier: MIT */
/*
 * config/zero_config - a gateway without a model_list: every provider that the environment has a
 * key for, and the model servers of this machine.
 */
#include "base/buf.h"
#include "config/login_int.h"
#include "config/routing_int.h"

#define PROBE_MS    5 /* loopback answers in microseconds; more would delay every start */
#define MAX_PORTS   16
#define FOUND_BYTES 512

/* A provider that is to be offered. */
struct offer {
    const struct gw_provider *provider;
    struct gw_str base_url;
    struct gw_str source; /* variable that gave the address, or empty */
    struct gw_key_pool keys;
    struct gw_cloud cloud;
    struct gw_token_slot *token; /* without a key */
};

/* What all deployments of an offer have in common. */
struct place {
    const struct gw_origin *origin;
    size_t origin_index;
    struct gw_str base_path;
};

static enum gw_err find_place(struct gw_config_build *build, const struct offer *offer,
                              struct place *place)
{
    struct gw_origin_wish wish = gw_build_origin_defaults(build);
    wish.source = offer->source;
    enum gw_err err =
        gw_build_endpoint(build, offer->base_url, offer->provider, &wish, &place->base_path);
    return err == GW_OK ? gw_build_origin(build, &wish, &place->origin, &place->origin_index) : err;
}

static enum gw_err read_account(struct gw_config_build *build, const char *variables,
                                struct gw_str *out)
{
    struct gw_str name = {0};
    struct gw_str value = {0};
    if (!gw_environment_get_first(build->context.env, variables, &name, &value)) {
        return GW_OK;
    }
    if (!gw_is_header_value(value)) {
        gw_config_complain_env(&build->context, true, name, "has a control character inside");
        return GW_OK;
    }
    *out = gw_arena_try_dup(gw_snapshot_arena(build->snapshot), gw_str_trim(value));
    return out->ptr == NULL ? GW_ERR_NOMEM : GW_OK;
}

/* OpenAI's SDK reads these; they belong to OpenAI's own keys. */
static enum gw_err set_account(struct gw_config_build *build, const struct offer *offer,
                               struct gw_deployment *deployment)
{
    if (!gw_str_eq(offer->provider->name, GW_STR("openai"))) {
        return GW_OK;
    }
    enum gw_err err =
        read_account(build, "OPENAI_ORG_ID OPENAI_ORGANIZATION", &deployment->organization);
    return err == GW_OK
               ? read_account(build, "OPENAI_PROJECT_ID OPENAI_PROJECT", &deployment->project)
               : err;
}

/* The offer's deployment under |group|. */
static enum gw_err add_group(struct gw_config_build *build, const struct offer *offer,
                             const struct place *place, struct gw_str group, struct gw_str model)
{
    struct gw_deployment *deployment = gw_build_deployment(build, group, 1);
    if (deployment == NULL) {
        return GW_ERR_NOMEM;
    }
    deployment->provider = offer->provider;
    deployment->provider_name = offer->provider->name;
    deployment->upstream_model = model;
    deployment->origin = place->origin;
    deployment->origin_index = place->origin_index;
    deployment->base_path = place->base_path;
    deployment->token = offer->token;
    deployment->region = offer->cloud.region;
    deployment->cloud_project = offer->cloud.project;
    deployment->api_version = offer->cloud.api_version;
    enum gw_err err = gw_build_keys(build, &offer->keys, deployment);
    err = err == GW_OK ? set_account(build, offer, deployment) : err;
    err = err == GW_OK ? gw_build_deployment_routing(build, group, NULL, deployment) : err;
    return err == GW_OK ? gw_catalog_add(build->snapshot->catalog, group, deployment) : err;
}

/* Where it is, for those without a key. */
static struct gw_str offer_place(const struct offer *offer)
{
    const struct gw_cloud *cloud = &offer->cloud;
    return cloud->project.len > 0  ? cloud->project
           : cloud->region.len > 0 ? cloud->region
                                   : offer->base_url;
}

/* The provider's pattern, and in brackets the variables that have its keys, or its address. */
static enum gw_err report_found(struct gw_config_build *build, const struct offer *offer)
{
    const struct gw_key_pool *keys = &offer->keys;
    struct gw_str name = offer->provider->name;
    struct gw_buf line;
    gw_buf_init(&line, FOUND_BYTES);
    (void)gw_buf_appendf(&line, GW_STR_FMT "/* (", GW_STR_ARG(name));
    if (keys->count > 1) {
        (void)gw_buf_appendf(&line, "%zu keys: ", keys->count);
    }
    for (size_t i = 0; i < keys->count; i++) {
        bool is_same = i > 0 && gw_str_eq(keys->items[i].name, keys->items[i - 1].name);
        if (!is_same) {
            (void)gw_buf_appendf(&line, "%s" GW_STR_FMT, i > 0 ? ", " : "",
                                 GW_STR_ARG(keys->items[i].name));
        }
    }
    (void)gw_buf_append(&line, keys->count == 0 ? offer_place(offer) : GW_STR(""));
    (void)gw_buf_append(&line, GW_STR(")"));
    enum gw_err err = gw_snapshot_add_found(build->snapshot, gw_buf_str(&line));
    gw_buf_fini(&line);
    return err;
}

static enum gw_err add_prefixes(struct gw_config_build *build, const struct offer *offer,
                                const struct place *place, const char *const *prefix, bool only_new)
{
    enum gw_err err = GW_OK;
    for (; err == GW_OK && prefix != NULL && *prefix != NULL; prefix++) {
        struct gw_str suffix = {0};
        struct gw_str pattern =
            gw_arena_try_printf(gw_snapshot_arena(build->snapshot), "%s*", *prefix);
        if (pattern.ptr == NULL) {
            return GW_ERR_NOMEM;
        }
        bool is_taken = gw_catalog_find(build->snapshot->catalog, pattern, &suffix) != NULL;
        err = only_new && is_taken ? GW_OK : add_group(build, offer, place, pattern, pattern);
    }
    return err;
}

/* A wrong address in the environment is reported and turns the one provider off. */
static enum gw_err add_offer(struct gw_config_build *build, struct offer *offer)
{
    struct gw_arena *arena = gw_snapshot_arena(build->snapshot);
    struct place place = {0};
    enum gw_err err = find_place(build, offer, &place);
    if (err != GW_OK) {
        return err == GW_ERR_INVALID ? GW_OK : err;
    }
    struct gw_str group =
        gw_arena_try_printf(arena, GW_STR_FMT "/*", GW_STR_ARG(offer->provider->name));
    err = group.ptr == NULL ? GW_ERR_NOMEM : add_group(build, offer, &place, group, gw_str("", 0));
    err = err == GW_OK ? add_prefixes(build, offer, &place, offer->provider->model_prefixes, false)
                       : err;
    err = err == GW_OK ? add_prefixes(build, offer, &place, offer->provider->shared_prefixes, true)
                       : err;
    return err == GW_OK ? report_found(build, offer) : err;
}

/* Is one of the variables set? */
static bool has_variable(const struct gw_config_build *build, const char *names)
{
    struct gw_str name = {0};
    struct gw_str value = {0};
    return gw_environment_get_first(build->context.env, names, &name, &value);
}

/* Clouds are turned on by what says that their models are meant; that the machine has an account
 * is no sign. */
static bool is_cloud_meant(const struct gw_config_build *build, const struct offer *offer)
{
    switch (offer->provider->kind) {
    case GW_PROVIDER_AZURE:
        return true; /* its address is asked for below */
    case GW_PROVIDER_BEDROCK:
        return has_variable(build, "AWS_REGION_NAME AWS_REGION AWS_DEFAULT_REGION") &&
               has_variable(build, "AWS_ACCESS_KEY_ID AWS_PROFILE AWS_WEB_IDENTITY_TOKEN_FILE "
                                   "AWS_CONTAINER_CREDENTIALS_FULL_URI "
                                   "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    case GW_PROVIDER_VERTEX:
        return has_variable(build, "VERTEXAI_PROJECT VERTEX_PROJECT GOOGLE_GENAI_USE_VERTEXAI "
                                   "ANTHROPIC_VERTEX_PROJECT_ID VERTEXAI_CREDENTIALS "
                                   "VERTEX_CREDENTIALS GOOGLE_APPLICATION_CREDENTIALS") &&
               offer->cloud.project.len > 0;
    case GW_PROVIDER_OPENAI:
    case GW_PROVIDER_ANTHROPIC:
    case GW_PROVIDER_GEMINI:
    case GW_PROVIDER_COHERE:
    case GW_PROVIDER_BUILTIN:
        break;
    }
    return false;
}

/* Where a cloud's API is, and the login for those without a key. */
static enum gw_err ask_cloud(struct gw_config_build *build, struct offer *offer)
{
    const struct gw_login_ask ask = {.build = build, .provider = offer->provider};
    struct gw_str model = {0};
    enum gw_err err = gw_build_cloud(&ask, &model, &offer->cloud);
    gw_cloud_use_base(&offer->cloud, offer->provider, offer->base_url);
    if (offer->base_url.len == 0) {
        offer->base_url = offer->cloud.base_url;
    }
    bool has_place = offer->base_url.len > 0;
    bool has_project = offer->cloud.project.len > 0;
    if (err == GW_OK && has_place && is_cloud_meant(build, offer) &&
        (offer->keys.count == 0 || has_project)) {
        err = gw_build_token(&ask, &offer->cloud, GW_LOGIN_ENVIRONMENT, &offer->token);
        offer->keys.count = offer->token != NULL ? 0 : offer->keys.count;
    }
    return err == GW_ERR_INVALID ? GW_OK : err; /* reported */
}

/* A key whose vendor cannot be found with it. */
static enum gw_err report_placeless(struct gw_config_build *build, const struct offer *offer)
{
    struct gw_str line = gw_arena_printf(
        build->context.scratch,
        GW_STR_FMT ": not used, " GW_STR_FMT " is set, but its address is not (AZURE_API_BASE)",
        GW_STR_ARG(offer->provider->name), GW_STR_ARG(offer->keys.items[0].name));
    return gw_snapshot_add_found(build->snapshot, line);
}

/* True when the environment says that |offer|'s provider is to be used. */
static enum gw_err ask_environment(struct gw_config_build *build, struct offer *offer,
                                   bool *is_wanted)
{
    const struct gw_provider *provider = offer->provider;
    *is_wanted = false;
    if (provider->kind == GW_PROVIDER_BUILTIN) {
        return GW_OK;
    }
    enum gw_err err = gw_build_key_pool(build, provider, &offer->keys);
    offer->base_url = gw_build_base_url(build, provider, &offer->source);
    err = err == GW_OK ? ask_cloud(build, offer) : err;
    bool has_login = offer->keys.count > 0 || offer->token != NULL;
    if (err == GW_OK && offer->base_url.len == 0 && offer->keys.count > 0 && provider->needs_key) {
        return report_placeless(build, offer);
    }
    /* A key alone is no sign of a local server; its address is, with or without a key. */
    *is_wanted = provider->needs_key ? has_login : offer->source.len > 0;
    return err;
}

static bool is_own_port(const struct gw_snapshot *snapshot, uint16_t port)
{
    const struct gw_listen_settings *listen = &snapshot->listen;
    return port == listen->api_port || port == listen->admin_port || port == listen->metrics_port ||
           port == listen->grpc_port;
}

/* Local servers that nobody told us of. */
struct search {
    const struct gw_provider *providers[MAX_PORTS];
    uint16_t ports[MAX_PORTS];
    bool is_open[MAX_PORTS];
    size_t count;
};

static void search_port(const struct gw_config_build *build, struct search *search,
                        const struct gw_provider *provider, uint16_t port)
{
    if (port != 0 && search->count < MAX_PORTS && !is_own_port(build->snapshot, port)) {
        search->providers[search->count] = provider;
        search->ports[search->count] = port;
        search->count++;
    }
}

static enum gw_err offer_local(struct gw_config_build *build, struct search *search)
{
    gw_probe_local_ports(search->ports, search->is_open, search->count, PROBE_MS);
    enum gw_err err = GW_OK;
    const struct gw_provider *last = NULL;
    for (size_t i = 0; i < search->count && err == GW_OK; i++) {
        struct offer offer = {.provider = search->providers[i]};
        if (!search->is_open[i] || offer.provider == last) {
            continue;
        }
        last = offer.provider;
        offer.base_url =
            gw_arena_printf(build->context.scratch, "http://127.0.0.1:%u/v1", search->ports[i]);
        err = gw_build_key_pool(build, offer.provider, &offer.keys);
        err = err == GW_OK ? add_offer(build, &offer) : err;
    }
    return err;
}

enum gw_err gw_build_zero_config(struct gw_config_build *build)
{
    struct search search = {0};
    enum gw_err err = GW_OK;
    for (size_t i = 0; err == GW_OK && gw_provider_at(i) != NULL; i++) {
        const struct gw_provider *provider = gw_provider_at(i);
        struct offer offer = {.provider = provider};
        bool is_wanted = false;
        err = ask_environment(build, &offer, &is_wanted);
        if (err == GW_OK && is_wanted) {
            err = add_offer(build, &offer);
        } else {
            search_port(build, &search, provider, provider->local_port);
            search_port(build, &search, provider, provider->local_port_alias);
        }
    }
    if (err == GW_OK && build->probe_local) {
        err = offer_local(build, &search);
    }
    return err;
}
