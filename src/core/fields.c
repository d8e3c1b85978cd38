/* SPDX-License-Identifier: MIT */
/* core/fields - which header fields go to the client. */
#include "core/core_int.h"

/* Exposed, so that a page's script may read them. */
#define CORS_EXPOSED                                                                               \
    "x-request-id, retry-after, x-ratelimit-limit-requests, x-ratelimit-remaining-requests, "      \
    "x-gatewire-warning, x-gatewire-deployment, x-gatewire-attempts, x-gatewire-fallback-from, "   \
    "x-provider, x-failover, x-original-provider"

bool gw_cors_allows(const struct gw_request *request, struct gw_str origin)
{
    struct gw_str list = request->conf->snapshot->downstream.cors_allowed_origins;
    struct gw_str allowed;
    if (gw_str_eq(list, GW_STR("*"))) {
        return true;
    }
    while (gw_str_split(&list, ',', &allowed)) {
        if (gw_str_eq_nocase(gw_str_trim(allowed), origin) && origin.len > 0) {
            return true;
        }
    }
    return false;
}

/* Anthropic's SDKs show "request-id"; the provider's own, where it has one, is the better one. */
static bool needs_request_id(const struct gw_request *request, const struct gw_response_head *head)
{
    if (request->route.dialect != GW_DIALECT_ANTHROPIC) {
        return false;
    }
    for (size_t i = 0; head != NULL && i < head->header_count; i++) {
        if (gw_str_eq(head->headers[i].name, GW_STR("request-id"))) {
            return false;
        }
    }
    return true;
}

static void add(struct gw_header *fields, size_t *count, struct gw_str name, struct gw_str value)
{
    fields[(*count)++] = (struct gw_header){.name = name, .value = value};
}

/* Who answered, and instead of whom. */
static size_t add_route(struct gw_request *request, struct gw_header *fields)
{
    const struct gw_deployment *deployment = request->attempt->deployment;
    size_t count = 0;
    if (deployment == NULL || deployment->provider == NULL) {
        return 0;
    }
    add(fields, &count, GW_STR("x-provider"), deployment->provider_name);
    add(fields, &count, GW_STR("x-gatewire-deployment"), deployment->id);
    if (request->exchange_count > 1) {
        add(fields, &count, GW_STR("x-gatewire-attempts"),
            gw_arena_printf(&request->arena, "%u", request->exchange_count));
    }
    bool is_other = request->group != request->asked_group ||
                    request->group_model.ptr != request->llm.model.ptr;
    if (is_other) {
        const struct gw_deployment *asked = request->asked_group->deployments[0];
        add(fields, &count, GW_STR("x-failover"), GW_STR("true"));
        add(fields, &count, GW_STR("x-original-provider"), asked->provider_name);
        add(fields, &count, GW_STR("x-gatewire-fallback-from"), request->llm.model);
    }
    return count;
}

/* As gw_fields_common(), for an answer of ours (|theirs| NULL) or a provider's. */
static size_t add_common(struct gw_request *request, const struct gw_response_head *theirs,
                         struct gw_header *fields)
{
    size_t count = 0;
    fields[count++] = (struct gw_header){.name = gw_header_name(GW_HEADER_X_REQUEST_ID),
                                         .value = request->id,
                                         .id = GW_HEADER_X_REQUEST_ID};
    if (needs_request_id(request, theirs)) {
        fields[count++] = (struct gw_header){.name = GW_STR("request-id"), .value = request->id};
    }
    count += add_route(request, fields + count);
    const struct gw_request_head *head = request->pair->head;
    struct gw_str origin = gw_headers_get(head->headers, head->header_count, GW_HEADER_ORIGIN);
    if (origin.len == 0 || !gw_cors_allows(request, origin)) {
        return count;
    }
    fields[count++] =
        (struct gw_header){.name = GW_STR("access-control-allow-origin"), .value = origin};
    fields[count++] = (struct gw_header){.name = GW_STR("access-control-expose-headers"),
                                         .value = GW_STR(CORS_EXPOSED)};
    fields[count++] = (struct gw_header){
        .name = gw_header_name(GW_HEADER_VARY), .value = GW_STR("origin"), .id = GW_HEADER_VARY};
    return count;
}

size_t gw_fields_common(struct gw_request *request, struct gw_header *fields)
{
    return add_common(request, NULL, fields);
}

/* Says it who answered, as add_route() does? A provider that is a gateway itself says so of its own
 * deployments, and the client must not get both. Its warnings are for the client. */
static bool tells_route(struct gw_str name)
{
    return name.len > 0 && name.ptr[0] == 'x' &&
           ((gw_str_has_prefix(name, GW_STR("x-gatewire-")) &&
             !gw_str_eq(name, GW_STR("x-gatewire-warning"))) ||
            gw_str_eq(name, GW_STR("x-provider")) || gw_str_eq(name, GW_STR("x-failover")) ||
            gw_str_eq(name, GW_STR("x-original-provider")));
}

/* The provider's cookies are for its own site; its CORS fields speak of its own clients; framing
 * and date are made anew. */
static bool is_forwarded(const struct gw_header *field)
{
    switch (field->id) {
    case GW_HEADER_CONTENT_LENGTH:
    case GW_HEADER_DATE:
    case GW_HEADER_SERVER:
    case GW_HEADER_X_REQUEST_ID:
        return false;
    default:
        break;
    }
    return !gw_header_is_hop_by_hop(field->id) && !gw_header_is_credential(field->id) &&
           !gw_str_has_prefix(field->name, GW_STR("access-control-")) &&
           !tells_route(field->name) && !gw_str_eq(field->name, GW_STR("alt-svc")) &&
           !gw_str_eq(field->name, GW_STR("strict-transport-security"));
}

enum gw_err gw_fields_forward(struct gw_request *request, const struct gw_response_head *head,
                              const struct gw_header **fields, size_t *count)
{
    bool has_options = gw_headers_have_options(head->headers, head->header_count);
    struct gw_header *list = gw_arena_try_alloc(
        &request->arena, (head->header_count + GW_COMMON_FIELDS + 1) * sizeof(*list));
    if (list == NULL) {
        return GW_ERR_NOMEM;
    }
    size_t n = add_common(request, head, list);
    for (size_t i = 0; i < head->header_count; i++) {
        const struct gw_header *field = &head->headers[i];
        bool is_their_id = field->id == GW_HEADER_X_REQUEST_ID;
        if (!is_their_id && !is_forwarded(field)) {
            continue;
        }
        if (has_options && gw_headers_is_option(head->headers, head->header_count, field->name)) {
            continue;
        }
        /* The head ends with this callback; a stream's begin comes with its first event. */
        struct gw_header *copy = &list[n++];
        copy->id = is_their_id ? GW_HEADER_OTHER : field->id;
        copy->name = is_their_id ? GW_STR("x-upstream-request-id")
                                 : gw_arena_try_dup(&request->arena, field->name);
        copy->value = gw_arena_try_dup(&request->arena, field->value);
        if (copy->name.ptr == NULL || copy->value.ptr == NULL) {
            return GW_ERR_NOMEM;
        }
    }
    *fields = list;
    *count = n;
    return GW_OK;
}
