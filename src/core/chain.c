/* SPDX-License-Identifier: MIT */
/* core/chain - the model groups that follow the one a client asked for: the configuration's, or
 * what is usual between vendors. Looked up when the first is needed. */
#include "base/assert.h"
#include "core/core_int.h"
#include "json/value.h"

/* A group that follows: which, and as which model. */
struct link {
    struct gw_str model;
    struct gw_str suffix;
    const struct gw_model_group *group;
    uint32_t number; /* what the lists and policy/retry know it by */
};

struct gw_fallback_chain {
    struct gw_fallbacks fallbacks;
    struct link links[3 * GW_ROUTING_NAMES_MAX];
    size_t link_count;
    uint32_t groups[3 * GW_ROUTING_NAMES_MAX]; /* what the lists of |fallbacks| point into */
};

static bool is_local(const struct gw_model_group *group)
{
    return group->deployment_count > 0 && group->deployments[0]->routing->is_local;
}

/* The number of |group| for the model behind |suffix|: a group that stands for many models, by a
 * '*' in its name, is another one for each. What follows may be in the group that failed. */
static uint32_t number_of(const struct gw_request *request, const struct gw_model_group *group,
                          struct gw_str suffix, size_t link_count)
{
    const struct link *links = request->chain->links;
    if (suffix.len == 0 || (group == request->asked_group && gw_str_eq(suffix, request->suffix))) {
        return (uint32_t)group->index;
    }
    size_t at = 0;
    while (at < link_count && (links[at].group != group || !gw_str_eq(links[at].suffix, suffix))) {
        at++;
    }
    return at < link_count
               ? links[at].number
               : (uint32_t)(gw_catalog_group_count(request->conf->snapshot->catalog) + at);
}

static struct gw_fallback_list add_list(struct gw_request *request, const struct gw_str *names,
                                        size_t count)
{
    struct gw_fallback_chain *chain = request->chain;
    const struct gw_snapshot *snapshot = request->conf->snapshot;
    enum gw_failover_mode mode = snapshot->routing->failover_mode;
    struct gw_fallback_list list = {.groups = chain->groups + chain->link_count};
    bool locals[GW_ROUTING_NAMES_MAX];
    struct link *links = chain->links + chain->link_count;
    for (size_t i = 0; i < count && list.count < GW_ROUTING_NAMES_MAX; i++) {
        struct gw_str suffix = {0};
        const struct gw_model_group *group = gw_catalog_find(snapshot->catalog, names[i], &suffix);
        if (group == NULL || group->deployment_count == 0 ||
            !gw_failover_mode_allows(mode, is_local(group))) {
            continue;
        }
        uint32_t number = number_of(request, group, suffix, chain->link_count + list.count);
        size_t at = list.count++;
        while (at > 0 && gw_failover_mode_prefers(mode, is_local(group), locals[at - 1])) {
            links[at] = links[at - 1];
            locals[at] = locals[at - 1];
            at--;
        }
        links[at] =
            (struct link){.model = names[i], .suffix = suffix, .group = group, .number = number};
        locals[at] = is_local(group);
    }
    for (size_t i = 0; i < list.count; i++) {
        chain->groups[chain->link_count + i] = links[i].number;
    }
    chain->link_count += list.count;
    return list;
}

/* The client's own list: names, or objects with a model, as LiteLLM takes them. What is none of
 * them is passed over. */
static enum gw_err read_own(struct gw_request *request, struct gw_name_list *list)
{
    struct gw_str *names =
        gw_arena_try_alloc(&request->arena, GW_ROUTING_NAMES_MAX * sizeof(*names));
    struct gw_json_reader reader;
    yyjson_val *root = NULL;
    yyjson_val *item = NULL;
    yyjson_arr_iter iter;
    *list = (struct gw_name_list){.names = names};
    if (names == NULL) {
        return GW_ERR_NOMEM;
    }
    gw_json_reader_init(&reader, request->llm.fallbacks.len);
    enum gw_err err = gw_json_read(&reader, request->llm.fallbacks, &root);
    if (err == GW_OK && yyjson_arr_iter_init(root, &iter)) {
        while ((item = yyjson_arr_iter_next(&iter)) != NULL && list->count < GW_ROUTING_NAMES_MAX) {
            struct gw_str name =
                yyjson_is_obj(item) ? gw_json_get_text(item, "model") : gw_json_text(item);
            if (name.len > 0 && name.len <= GW_MODEL_NAME_MAX) {
                names[list->count++] = gw_arena_try_dup(&request->arena, name);
            }
        }
    }
    gw_json_reader_fini(&reader);
    return err == GW_ERR_NOMEM ? err : GW_OK;
}

static enum gw_err make_chain(struct gw_request *request)
{
    const struct gw_group_routing *routing = request->asked_group->routing;
    struct gw_str presets[GW_FALLBACK_CHAIN_MAX];
    struct gw_name_list general = routing->fallbacks;
    enum gw_err err = GW_OK;
    request->chain = gw_arena_try_alloc(&request->arena, sizeof(*request->chain));
    if (request->chain == NULL) {
        return GW_ERR_NOMEM;
    }
    *request->chain = (struct gw_fallback_chain){0};
    if (request->llm.fallbacks.ptr != NULL) {
        err = read_own(request, &general);
    } else if (general.count == 0 && routing->uses_presets) {
        general.count = gw_fallback_preset(request->llm.model, presets);
        general.names = presets;
    }
    struct gw_fallbacks *lists = &request->chain->fallbacks;
    lists->general = add_list(request, general.names, general.count);
    lists->context_window = add_list(request, routing->context_window_fallbacks.names,
                                     routing->context_window_fallbacks.count);
    lists->content_policy = add_list(request, routing->content_policy_fallbacks.names,
                                     routing->content_policy_fallbacks.count);
    return err;
}

enum gw_err gw_chain_find(struct gw_request *request, const struct gw_fallbacks **fallbacks)
{
    enum gw_err err = request->chain == NULL ? make_chain(request) : GW_OK;
    *fallbacks = err == GW_OK ? &request->chain->fallbacks : NULL;
    return err;
}

static const struct link *find_link(const struct gw_request *request, uint32_t number)
{
    const struct gw_fallback_chain *chain = request->chain;
    size_t at = 0;
    while (at < chain->link_count && chain->links[at].number != number) {
        at++;
    }
    GW_ASSERT(at < chain->link_count);
    return &chain->links[at];
}

void gw_chain_enter(struct gw_request *request, uint32_t number)
{
    const struct link *link = find_link(request, number);
    request->group_model = link->model;
    request->suffix = link->suffix;
    request->group = link->group;
    request->ask.tried = (struct gw_router_set){0};
}

struct gw_str gw_chain_name(const struct gw_request *request, uint32_t number)
{
    const struct link *link = find_link(request, number);
    return link->suffix.len > 0 ? link->model : link->group->name;
}
