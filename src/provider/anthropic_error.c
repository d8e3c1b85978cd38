/* SPDX-License-Identifier: MIT */
/* provider/anthropic_error - what a refusal means (anthropic.md section 6, vertex.md sections 4 and
 * 6). */
#include "provider/anthropic_int.h"
#include "provider/gemini_int.h"
#include "json/value.h"

#define TEXT_BYTES 4096 /* of the vendor's text are passed on */

struct refusal {
    struct gw_str type; /* "overloaded_error", or Google's "RESOURCE_EXHAUSTED" */
    struct gw_str message;
    bool is_google; /* Google's front end, before Anthropic's layer */
};

static struct refusal read_refusal(yyjson_val *root)
{
    if (yyjson_is_arr(root)) { /* Google's streams wrap it so */
        root = yyjson_arr_get_first(root);
    }
    yyjson_val *error = gw_json_get(root, "error");
    struct gw_str status = gw_json_get_text(error, "status");
    return (struct refusal){.type = status.ptr != NULL ? status : gw_json_get_text(error, "type"),
                            .message = yyjson_is_str(error) ? gw_json_text(error)
                                                            : gw_json_get_text(error, "message"),
                            .is_google = status.ptr != NULL};
}

static bool holds(struct gw_str text, struct gw_str words)
{
    return gw_str_find(text, words) < text.len;
}

static void set(struct gw_error *error, enum gw_error_class class, bool is_retryable,
                bool can_fallback)
{
    error->class = class;
    error->is_retryable = is_retryable;
    error->can_fallback = can_fallback;
}

static void mean_overloaded(struct gw_error *error)
{
    set(error, GW_ERROR_OVERLOADED, true, true);
    error->status = 503; /* 529 is Anthropic's own; its dialect tells it again */
    error->code = GW_STR("overloaded");
}

/* What the gateway owes the vendor is not the client's fault. */
static bool is_billing(const struct refusal *refusal)
{
    return gw_str_eq(refusal->type, GW_STR("billing_error")) ||
           holds(refusal->message, GW_STR("credit balance")) ||
           holds(refusal->message, GW_STR("specified API usage limits"));
}

static bool is_context(const struct refusal *refusal)
{
    return holds(refusal->message, GW_STR("prompt is too long")) ||
           holds(refusal->message, GW_STR("exceed context limit"));
}

static void explain_400(const struct refusal *refusal, struct gw_error *error)
{
    if (is_context(refusal)) {
        set(error, GW_ERROR_CLIENT, false, true);
        error->code = GW_STR("context_length_exceeded");
    } else if (is_billing(refusal)) {
        set(error, GW_ERROR_UPSTREAM, false, true);
        error->status = 402;
        error->code = GW_STR("upstream_billing_error");
    } else {
        error->code = GW_STR("invalid_request_error");
    }
}

/* Corrects what the status alone says. */
static void explain(const struct refusal *refusal, bool has_hint, struct gw_error *error)
{
    switch (error->upstream_status) {
    case 400:
        explain_400(refusal, error);
        break;
    case 404:
        error->code = GW_STR("model_not_found");
        break;
    case 413:
        set(error, GW_ERROR_CLIENT, false, false);
        error->code = GW_STR("request_too_large");
        break;
    case 429:
        /* A month's cap has no hint: it will not pass by waiting. Google's quotas never have. */
        error->is_retryable =
            has_hint || refusal->is_google || !gw_str_eq(refusal->type, GW_STR("rate_limit_error"));
        break;
    case 499: /* Google: the call was cancelled on the way */
        set(error, GW_ERROR_UPSTREAM, true, true);
        error->status = 502;
        break;
    case 504:
        set(error, GW_ERROR_TIMEOUT, true, true);
        break;
    case 503:
    case 529:
        mean_overloaded(error);
        break;
    default:
        break;
    }
}

static void take_text(const struct refusal *refusal, struct gw_error *error)
{
    struct gw_str text = refusal->message;
    text.len = text.len < TEXT_BYTES ? text.len : TEXT_BYTES;
    if (error->upstream_status == 401 || error->upstream_status == 403) {
        error->detail = text; /* the client reads that it is not about its own key */
    } else if (text.len > 0) {
        error->message = text;
    }
}

static void keep(struct gw_arena *arena, struct gw_str *text)
{
    if (text->len > 0) {
        *text = gw_arena_try_dup(arena, *text);
    }
}

/* The vendor's own advice goes before the table. */
static bool find_advice(const struct gw_header *headers, size_t count, struct gw_error *error)
{
    bool has_hint = gw_headers_get(headers, count, GW_HEADER_RETRY_AFTER).ptr != NULL;
    for (size_t i = 0; i < count; i++) {
        if (gw_str_eq(headers[i].name, GW_STR("x-should-retry"))) {
            bool is_no = gw_str_eq(headers[i].value, GW_STR("false"));
            error->is_retryable =
                gw_str_eq(headers[i].value, GW_STR("true")) || (error->is_retryable && !is_no);
        }
        has_hint = has_hint || gw_str_eq(headers[i].name, GW_STR("retry-after-ms"));
    }
    return has_hint;
}

void gw_anthropic_read_error(unsigned status, const struct gw_header *headers, size_t header_count,
                             struct gw_str body, struct gw_arena *arena, struct gw_error *error)
{
    struct gw_json_reader reader;
    struct refusal refusal = {0};
    yyjson_val *root = NULL;
    gw_provider_explain_status(status, headers, header_count, error);
    gw_json_reader_init(&reader, GW_PROVIDER_ERROR_BYTES);
    if (gw_json_read(&reader, body, &root) == GW_OK) { /* Cloudflare's are HTML */
        refusal = read_refusal(root);
    }
    struct gw_error ignored = {0};
    explain(&refusal, find_advice(headers, header_count, &ignored), error);
    (void)find_advice(headers, header_count, error);
    if (refusal.is_google && error->retry_after_s == 0) {
        struct gw_error google = {.upstream_status = status};
        gw_gemini_explain_error(gw_gemini_find_error(root), status, &google);
        error->retry_after_s = google.retry_after_s;
    }
    take_text(&refusal, error);
    keep(arena, &error->message);
    keep(arena, &error->detail);
    gw_json_reader_fini(&reader);
}

static unsigned status_of_type(struct gw_str type)
{
    static const struct {
        struct gw_str type;
        unsigned status;
    } types[] = {
        {GW_STR_INIT("invalid_request_error"), 400}, {GW_STR_INIT("authentication_error"), 401},
        {GW_STR_INIT("billing_error"), 402},         {GW_STR_INIT("permission_error"), 403},
        {GW_STR_INIT("not_found_error"), 404},       {GW_STR_INIT("conflict_error"), 409},
        {GW_STR_INIT("request_too_large"), 413},     {GW_STR_INIT("rate_limit_error"), 429},
        {GW_STR_INIT("timeout_error"), 504},         {GW_STR_INIT("overloaded_error"), 529},
        {GW_STR_INIT("RESOURCE_EXHAUSTED"), 429},    {GW_STR_INIT("UNAVAILABLE"), 503},
        {GW_STR_INIT("INVALID_ARGUMENT"), 400},
    };
    for (size_t i = 0; i < GW_ARRAY_LEN(types); i++) {
        if (gw_str_eq(type, types[i].type)) {
            return types[i].status;
        }
    }
    return 500;
}

void gw_anthropic_explain_event(yyjson_val *root, struct gw_error *error)
{
    struct refusal refusal = read_refusal(root);
    unsigned status = status_of_type(refusal.type);
    gw_provider_explain_status(status, NULL, 0, error);
    explain(&refusal, true, error);
    take_text(&refusal, error);
    error->status = status == 500 ? 502 : error->status;
    error->upstream_status = 200; /* the answer had begun */
    if (error->message.len == 0) {
        error->message = GW_STR("The provider reported an error in the middle of its answer.");
    }
}
