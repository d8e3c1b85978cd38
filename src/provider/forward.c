/* SPDX-License-Identifier: MIT */
/* provider/forward - whose fields go, and in which order. */
#include "provider/forward.h"

/* Where a request came from is nobody's business upstream; what browsers send for CORS means
 * nothing there. */
static bool is_dropped_id(enum gw_header_id id)
{
    switch (id) {
    case GW_HEADER_HOST:
    case GW_HEADER_CONTENT_LENGTH:
    case GW_HEADER_EXPECT:
    case GW_HEADER_FORWARDED:
    case GW_HEADER_VIA:
    case GW_HEADER_X_FORWARDED_FOR:
    case GW_HEADER_X_FORWARDED_HOST:
    case GW_HEADER_X_FORWARDED_PROTO:
    case GW_HEADER_ORIGIN:
    case GW_HEADER_ACCESS_CONTROL_REQUEST_HEADERS:
    case GW_HEADER_ACCESS_CONTROL_REQUEST_METHOD:
    case GW_HEADER_X_REQUEST_ID:
        return true;
    default:
        return gw_header_is_hop_by_hop(id) || gw_header_is_credential(id);
    }
}

static bool is_ours(struct gw_str name)
{
    return name.ptr[0] == 'x' &&
           (gw_str_has_prefix(name, GW_STR("x-gatewire-")) ||
            gw_str_has_prefix(name, GW_STR("x-litellm-")) || gw_str_eq(name, GW_STR("x-real-ip")));
}

static bool is_forwarded(const struct gw_forward_opts *opts, const struct gw_header *field)
{
    if (is_dropped_id(field->id) ||
        (field->id == GW_HEADER_ACCEPT_ENCODING && opts->wants_identity)) {
        return false;
    }
    return field->name.len > 0 && !is_ours(field->name);
}

/* Is the client's field put by the API or the deployment instead? */
static bool is_replaced(const struct gw_header *field, const struct gw_deployment *deployment,
                        const struct gw_provider_call *call)
{
    for (size_t i = 0; i < call->field_count; i++) {
        if (gw_str_eq(field->name, call->fields[i].name)) {
            return true;
        }
    }
    for (size_t i = 0; i < deployment->extra_header_count; i++) {
        if (gw_str_eq(field->name, deployment->extra_headers[i].name)) {
            return true;
        }
    }
    return false;
}

static size_t copy_client_fields(const struct gw_forward_opts *opts, struct gw_header *fields)
{
    const struct gw_request_head *head = opts->client;
    /* Fields that a Connection field names belong to the connection as well. */
    bool has_options = gw_headers_have_options(head->headers, head->header_count);
    size_t count = 0;
    for (size_t i = 0; i < head->header_count; i++) {
        const struct gw_header *field = &head->headers[i];
        bool is_option =
            has_options && gw_headers_is_option(head->headers, head->header_count, field->name);
        if (!is_option && is_forwarded(opts, field) &&
            !is_replaced(field, opts->deployment, opts->call)) {
            fields[count++] = *field;
        }
    }
    return count;
}

enum gw_err gw_forward_fields(const struct gw_forward_opts *opts, struct gw_arena *arena,
                              const struct gw_header **headers, size_t *count)
{
    const struct gw_deployment *deployment = opts->deployment;
    size_t most = (opts->client != NULL ? opts->client->header_count : 0) +
                  opts->call->field_count + 1 + deployment->extra_header_count;
    struct gw_header *fields = gw_arena_try_alloc(arena, most * sizeof(*fields));
    if (fields == NULL) {
        return GW_ERR_NOMEM;
    }
    size_t n = opts->client != NULL ? copy_client_fields(opts, fields) : 0;
    for (size_t i = 0; i < opts->call->field_count; i++) {
        fields[n++] = opts->call->fields[i];
    }
    fields[n++] = (struct gw_header){.name = gw_header_name(GW_HEADER_X_REQUEST_ID),
                                     .value = opts->request_id,
                                     .id = GW_HEADER_X_REQUEST_ID};
    for (size_t i = 0; i < deployment->extra_header_count; i++) {
        fields[n++] = (struct gw_header){.name = deployment->extra_headers[i].name,
                                         .value = deployment->extra_headers[i].value};
    }
    *headers = fields;
    *count = n;
    return GW_OK;
}
