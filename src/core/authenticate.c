/* SPDX-License-Identifier: MIT */
/* core/authenticate - what is asked for, and whether the client may: decided on the head alone,
 * before a body is read. */
#include "core/access.h"
#include "core/core_int.h"
#include "http/url.h"

static enum gw_step refuse_key(struct gw_request *request, struct gw_str key)
{
    struct gw_error error = {
        .class = GW_ERROR_AUTH, .status = 401, .code = GW_STR("invalid_api_key")};
    error.message =
        key.len == 0
            ? GW_STR("No API key was sent. Send it as 'Authorization: Bearer KEY', 'x-api-key: "
                     "KEY' or "
                     "'api-key: KEY'.")
            : GW_STR("This API key is not known to the gateway. Ask its operator for one.");
    return gw_request_fail(request, &error);
}

/* Is |origin| a page served from this machine? */
static bool is_loopback_origin(struct gw_str origin)
{
    struct gw_url url;
    const char *why = NULL;
    struct gw_address address;
    if (gw_url_parse(origin, &url, &why) != GW_OK) {
        return false;
    }
    return gw_str_eq(url.host, GW_STR("localhost")) ||
           (gw_address_from_literal(url.host, 0, &address) == GW_OK &&
            gw_address_is_loopback(&address));
}

/*
 * Without keys any web page that a person on this machine opens could spend the provider's money
 * through his browser, so in open mode pages from elsewhere are refused unless the configuration
 * names them.
 */
static bool is_foreign_page(const struct gw_request *request)
{
    const struct gw_request_head *head = request->pair->head;
    struct gw_str origin = gw_headers_get(head->headers, head->header_count, GW_HEADER_ORIGIN);
    return request->conf->snapshot->access.is_open && origin.len > 0 &&
           !is_loopback_origin(origin) && !gw_cors_allows(request, origin);
}

static enum gw_step refuse_page(struct gw_request *request)
{
    struct gw_error error = {.class = GW_ERROR_AUTH,
                             .status = 403,
                             .code = GW_STR("origin_not_allowed"),
                             .message = GW_STR("The gateway runs without a key and does not serve "
                                               "web pages of other sites. Set API_KEY, or "
                                               "name the site in cors.allowed_origins.")};
    return gw_request_fail(request, &error);
}

static enum gw_step refuse_host(struct gw_request *request)
{
    struct gw_error error = {.class = GW_ERROR_AUTH,
                             .status = 403,
                             .code = GW_STR("host_not_allowed"),
                             .message = GW_STR(GW_ACCESS_HOST_REFUSED)};
    return gw_request_fail(request, &error);
}

static enum gw_step refuse_route(struct gw_request *request)
{
    struct gw_str method = request->pair->head->method_text;
    struct gw_error error = {.class = GW_ERROR_CLIENT};
    if (request->route.kind == GW_ROUTE_WRONG_METHOD) {
        error.status = 405;
        error.code = GW_STR("method_not_allowed");
        error.message = gw_arena_printf(&request->arena,
                                        GW_STR_FMT " is not allowed for " GW_STR_FMT
                                                   "; allowed: " GW_STR_FMT ".",
                                        GW_STR_ARG(method), GW_STR_ARG(gw_quoted(request->path)),
                                        GW_STR_ARG(request->route.allow));
    } else {
        error.status = 404;
        error.code = GW_STR("unknown_url");
        error.message = gw_arena_printf(&request->arena,
                                        "Unknown request URL: " GW_STR_FMT " " GW_STR_FMT
                                        ". GET / lists what is served here.",
                                        GW_STR_ARG(method), GW_STR_ARG(gw_quoted(request->path)));
    }
    return gw_request_fail(request, &error);
}

#define NOT_ONLY_DOTS 3u /* more than make a dot segment */

/* The byte of |path| at *at, decoded, and *at moved behind it. */
static char next_byte(struct gw_str path, size_t *at)
{
    char c = path.ptr[*at];
    size_t len = 0;
    if (c == '%' && gw_url_decode(gw_str(path.ptr + *at, 3), &c, 1, &len) == GW_OK) {
        *at += 2;
    }
    *at += 1;
    return c;
}

/*
 * "/files/../models" would leave the part of the provider's API that the route stands for. Servers
 * behind the provider's front may decode before they resolve, take a backslash for a slash, or drop
 * what follows ';', so each of these ends a segment, however it is written.
 */
static bool has_dot_segment(struct gw_str path)
{
    size_t at = 0;
    size_t dots = NOT_ONLY_DOTS; /* of the segment, as long as there is nothing else in it */
    if (gw_str_find_byte(path, '.') == path.len && gw_str_find_byte(path, '%') == path.len) {
        return false;
    }
    while (at < path.len) {
        char c = next_byte(path, &at);
        if (c != '/' && c != '\\' && c != ';') {
            dots = c == '.' ? dots + 1 : NOT_ONLY_DOTS;
            continue;
        }
        if (dots == 1 || dots == 2) {
            return true;
        }
        dots = c == ';' ? NOT_ONLY_DOTS : 0; /* parameters are no segment */
    }
    return dots == 1 || dots == 2;
}

static enum gw_step refuse_target(struct gw_request *request)
{
    struct gw_error error = {.class = GW_ERROR_CLIENT,
                             .status = 400,
                             .code = GW_STR("invalid_url"),
                             .message = GW_STR("The request target is not a valid URL path.")};
    return gw_request_fail(request, &error);
}

/* Google's clients may name their key in the query. */
static struct gw_str client_key(struct gw_request *request)
{
    struct gw_str key = gw_access_key(request->pair->head);
    struct gw_str query = request->query;
    struct gw_str part;
    if (key.len > 0 || request->route.dialect != GW_DIALECT_GEMINI) {
        return key;
    }
    while (gw_str_split(&query, '&', &part)) {
        if (gw_str_has_prefix(part, GW_STR("key="))) {
            return gw_str_skip(part, sizeof("key=") - 1);
        }
    }
    return key;
}

/* Anthropic's SDKs and Google's ask for models where OpenAI's do, and want them in another shape.
 */
static void find_models_dialect(struct gw_request *request)
{
    const struct gw_request_head *head = request->pair->head;
    if (request->route.dialect != GW_DIALECT_OPENAI ||
        (request->route.local != GW_LOCAL_MODELS && request->route.local != GW_LOCAL_MODEL)) {
        return;
    }
    for (size_t i = 0; i < head->header_count; i++) {
        if (gw_str_eq(head->headers[i].name, GW_STR("anthropic-version"))) {
            request->route.dialect = GW_DIALECT_ANTHROPIC;
        } else if (head->headers[i].id == GW_HEADER_X_GOOG_API_KEY) {
            request->route.dialect = GW_DIALECT_GEMINI;
        }
    }
}

enum gw_step gw_state_authenticate(struct gw_request *request)
{
    const struct gw_request_head *head = request->pair->head;
    const struct gw_access_settings *access = &request->conf->snapshot->access;
    if (request->target.ptr == NULL || request->id.ptr == NULL ||
        gw_url_split_target(request->target, &request->path, &request->query) != GW_OK ||
        has_dot_segment(request->path)) {
        return refuse_target(request);
    }
    if (head->method == GW_METHOD_OPTIONS) {
        gw_respond_options(request);
        gw_request_set_state(request, GW_REQUEST_SETTLE);
        return GW_STEP_GO;
    }
    request->route = gw_route_find(head->method, request->path);
    find_models_dialect(request);
    request->llm.task = request->route.task;
    request->llm.dialect = request->route.dialect;
    request->dialect = gw_dialect_of(request->route.dialect);
    struct gw_str key = client_key(request);
    if (!request->route.is_open && !gw_access_is_granted(access, key)) {
        return refuse_key(request, key);
    }
    if (!gw_access_serves_host(access, head->authority)) {
        return refuse_host(request);
    }
    if (is_foreign_page(request)) {
        return refuse_page(request);
    }
    if (request->route.kind == GW_ROUTE_UNKNOWN || request->route.kind == GW_ROUTE_WRONG_METHOD) {
        return refuse_route(request);
    }
    if (request->route.kind == GW_ROUTE_LOCAL) {
        return gw_local_answer(request);
    }
    gw_request_set_state(request, GW_REQUEST_RECEIVE);
    return GW_STEP_GO;
}
