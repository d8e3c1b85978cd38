/* SPDX-License-Identifier: MIT */
/* core/empty - plain answers that say nothing: no body, or a document without what each answer in
 * its API has. Their provider has failed, whatever its status says. */
#include "core/core_int.h"
#include "core/redact.h"

/* A look at the bytes is enough: a document that has the member has its name somewhere, mostly
 * within the first hundred bytes. */
static bool has_name(struct gw_str body, struct gw_str name)
{
    return gw_str_find(body, name) < body.len;
}

/* What each plain answer in the dialect has at its top; where a vendor has two, the other one. */
static const struct {
    struct gw_str name;
    struct gw_str other;
} members[GW_DIALECT_COUNT] = {
    [GW_DIALECT_OPENAI] = {GW_STR_INIT("\"choices\""), {0}},
    [GW_DIALECT_COMPLETIONS] = {GW_STR_INIT("\"choices\""), {0}},
    [GW_DIALECT_RESPONSES] = {GW_STR_INIT("\"output\""), {0}},
    [GW_DIALECT_ANTHROPIC] = {GW_STR_INIT("\"content\""), {0}},
    /* A prompt that is blocked has no candidates. */
    [GW_DIALECT_GEMINI] = {GW_STR_INIT("\"candidates\""), GW_STR_INIT("\"promptFeedback\"")},
};

/* Is the body one that nobody here reads? */
static bool is_unread(const struct gw_request *request)
{
    return request->attempt->delivery == GW_DELIVERY_TEE && request->tee.mode == GW_TEE_RAW;
}

bool gw_answer_is_empty(const struct gw_request *request, struct gw_str body)
{
    if (request->route.kind != GW_ROUTE_JSON || !gw_request_makes_text(request) ||
        request->attempt->upstream_status / 100 != 2) {
        return false;
    }
    struct gw_str name = members[request->llm.dialect].name;
    struct gw_str other = members[request->llm.dialect].other;
    return body.len == 0 || (!is_unread(request) && name.len > 0 && !has_name(body, name) &&
                             (other.len == 0 || !has_name(body, other)));
}

/* Some gateways answer 200 with an error in the body. */
static struct gw_str words_of(struct gw_request *request, struct gw_str body)
{
    struct gw_error told = {0};
    const struct gw_attempt *attempt = request->attempt;
    if (attempt->api != NULL && body.len > 0) {
        attempt->api->read_error(502, NULL, 0, body, &request->arena, &told);
    }
    return gw_redact(&request->arena, told.message, false, gw_attempt_credential(attempt));
}

struct gw_error gw_answer_explain_empty(struct gw_request *request, struct gw_str body)
{
    struct gw_str words = words_of(request, body);
    struct gw_str name = members[request->llm.dialect].name;
    unsigned status = request->attempt->upstream_status;
    struct gw_error error = {.class = GW_ERROR_UPSTREAM,
                             .status = 502,
                             .upstream_status = status,
                             .is_retryable = true,
                             .can_fallback = true,
                             .code = GW_STR("upstream_error"),
                             .message = words};
    if (words.len == 0 && body.len > 0) {
        error.message = gw_arena_printf(
            &request->arena, "The provider answered %u with a body that has no " GW_STR_FMT ".",
            status, GW_STR_ARG(name));
    } else if (words.len == 0) {
        error.message = gw_arena_printf(&request->arena,
                                        "The provider answered %u with an empty body.", status);
    }
    return error;
}
