/* SPDX-License-Identifier: MIT */
/* core/steer - what in a request steers the choice of its deployment: header fields, tags, what
 * sticks, and how hard it is. Read once, before the first pick. */
#include "core/access.h"
#include "core/core_int.h"
#include "llm/notes.h"
#include "policy/affinity.h"
#include "json/value.h"

#define NUMBER_DIGITS_MAX 4
#define AUTO_MODEL        "auto"

/* ---- header fields ---- */

/* Whoever asks for a tag must not get just any deployment; why there is none is not told by the
 * tag when nobody looks at tags. */
static enum gw_step refuse_tag(struct gw_request *request, const struct gw_header *field,
                               struct gw_str tag)
{
    if (!request->conf->snapshot->routing->filters_tags) {
        return gw_respond_invalid(
            request, field->name,
            GW_STR("This gateway does not choose deployments by tags. Whoever "
                   "runs it can set router.enable_tag_filtering to true and "
                   "give deployments tags."));
    }
    return gw_respond_invalid(request, field->name,
                              gw_arena_printf(&request->arena,
                                              "No deployment has the tag '" GW_STR_FMT "'.",
                                              GW_STR_ARG(gw_quoted(tag))));
}

static enum gw_step read_tags(struct gw_request *request, const struct gw_header *field)
{
    const struct gw_name_list *known = &request->conf->snapshot->routing->tags;
    bool is_ours = gw_str_eq(field->name, GW_STR("x-gatewire-tags"));
    if (known->count == 0 && !is_ours) { /* LiteLLM's clients send theirs for the bill as well */
        return GW_STEP_GO;
    }
    struct gw_str rest = field->value;
    struct gw_str tag;
    while (gw_str_split(&rest, ',', &tag)) {
        tag = gw_str_trim(tag);
        size_t bit = 0;
        while (bit < known->count && !gw_str_eq(known->names[bit], tag)) {
            bit++;
        }
        if (tag.len > 0 && bit == known->count) {
            return refuse_tag(request, field, tag);
        }
        request->ask.tags |= tag.len > 0 ? UINT64_C(1) << bit : 0;
    }
    return GW_STEP_GO;
}

static enum gw_step read_retries(struct gw_request *request, const struct gw_header *field)
{
    struct gw_str text = gw_str_trim(field->value);
    unsigned number = 0;
    bool is_number = text.len > 0 && text.len <= NUMBER_DIGITS_MAX;
    for (size_t i = 0; i < text.len && is_number; i++) {
        is_number = text.ptr[i] >= '0' && text.ptr[i] <= '9';
        number = number * 10 + (unsigned)(text.ptr[i] - '0');
    }
    struct gw_retry_policy *own = gw_arena_try_alloc(&request->arena, sizeof(*own));
    if (!is_number) {
        return gw_respond_invalid(request, field->name,
                                  gw_arena_printf(&request->arena,
                                                  "'" GW_STR_FMT "' must be a number below 10000.",
                                                  GW_STR_ARG(field->name)));
    }
    if (own == NULL) {
        return gw_respond_no_memory(request);
    }
    /* Fewer than the operator allows, never more. */
    *own = *request->retry_policy;
    own->max_retries = number < own->max_retries ? number : own->max_retries;
    for (size_t i = 0; i < GW_FAILURE_KIND_COUNT; i++) {
        own->retries_of[i] =
            (uint8_t)(own->retries_of[i] > number ? number + 1 : own->retries_of[i]);
    }
    request->retry_policy = own;
    return GW_STEP_GO;
}

static enum gw_step read_fallback(struct gw_request *request, const struct gw_header *field)
{
    struct gw_str value = gw_str_trim(field->value);
    request->retry.is_fallback_off = gw_str_eq_nocase(value, GW_STR("off")) ||
                                     gw_str_eq_nocase(value, GW_STR("false")) ||
                                     request->retry.is_fallback_off;
    return GW_STEP_GO;
}

static enum gw_step read_region(struct gw_request *request, const struct gw_header *field)
{
    request->ask.region = gw_arena_try_dup(&request->arena, gw_str_trim(field->value));
    return GW_STEP_GO;
}

static enum gw_step read_session(struct gw_request *request, const struct gw_header *field)
{
    request->ask.affinity = gw_affinity_key(gw_str_trim(field->value));
    return GW_STEP_GO;
}

static enum gw_step read_priority(struct gw_request *request, const struct gw_header *field)
{
    if (gw_priority_parse(gw_str_trim(field->value), &request->priority) != GW_OK) {
        return gw_respond_invalid(request, field->name,
                                  GW_STR("A priority is high, normal or low."));
    }
    return GW_STEP_GO;
}

/* Ours, LiteLLM's, and one that compat.md 1.2 names. */
static const struct {
    struct gw_str name;
    enum gw_step (*read)(struct gw_request *request, const struct gw_header *field);
} controls[] = {
    {GW_STR_INIT("x-gatewire-fallback"), read_fallback},
    {GW_STR_INIT("x-gatewire-retries"), read_retries},
    {GW_STR_INIT("x-gatewire-tags"), read_tags},
    {GW_STR_INIT("x-gatewire-region"), read_region},
    {GW_STR_INIT("x-gatewire-session"), read_session},
    {GW_STR_INIT("x-gatewire-priority"), read_priority},
    {GW_STR_INIT("x-litellm-num-retries"), read_retries},
    {GW_STR_INIT("x-litellm-tags"), read_tags},
    {GW_STR_INIT("x-litellm-trace-id"), read_session},
    {GW_STR_INIT("x-request-priority"), read_priority},
};

static enum gw_step read_fields(struct gw_request *request)
{
    const struct gw_request_head *head = request->pair->head;
    for (size_t i = 0; i < head->header_count; i++) {
        const struct gw_header *field = &head->headers[i];
        bool is_candidate =
            field->id == GW_HEADER_OTHER && gw_str_has_prefix(field->name, GW_STR("x-"));
        for (size_t c = 0; c < GW_ARRAY_LEN(controls) && is_candidate; c++) {
            if (!gw_str_eq(field->name, controls[c].name)) {
                continue;
            }
            enum gw_step step = controls[c].read(request, field);
            if (request->state == GW_REQUEST_SETTLE) {
                return step;
            }
        }
    }
    return GW_STEP_GO;
}

/* ---- the neutral request, for what has to read it ---- */

/* NULL when it has none; what is wrong with it the translation or the provider tells. */
static yyjson_doc *read_chat(struct gw_request *request)
{
    bool is_chat = request->route.kind == GW_ROUTE_JSON && gw_request_makes_text(request);
    struct gw_inbound in = gw_request_inbound(request);
    struct gw_error error = {0};
    struct gw_notes notes;
    yyjson_doc *chat = NULL;
    gw_notes_init(&notes, &request->arena, false, &error);
    if (is_chat && request->dialect->to_chat(&in, &request->llm, &notes, &chat) != GW_OK) {
        yyjson_doc_free(chat);
        chat = NULL;
    }
    return chat;
}

static enum gw_complexity complexity_of(const struct gw_request *request, yyjson_doc *chat)
{
    const struct gw_routing *routing = request->conf->snapshot->routing;
    return gw_complexity_of_chat(yyjson_doc_get_root(chat), routing->overrides,
                                 routing->override_count)
        .complexity;
}

static uint64_t affinity_of(const struct gw_request *request, yyjson_doc *chat)
{
    switch (request->group->routing->affinity) {
    case GW_AFFINITY_NONE:
        return 0;
    case GW_AFFINITY_PREFIX:
        return gw_affinity_chat_key(yyjson_doc_get_root(chat));
    case GW_AFFINITY_USER:
        if (request->llm.user.len > 0) {
            return gw_affinity_key(request->llm.user);
        }
        break;
    case GW_AFFINITY_KEY:
        break;
    }
    struct gw_str key = gw_access_key(request->pair->head);
    return gw_affinity_key(key.len > 0 ? key : request->client);
}

/* ---- the model "auto" ---- */

bool gw_steer_has_auto(const struct gw_request *request)
{
    return request->conf->snapshot->routing->tiers[GW_COMPLEXITY_LOW].len > 0;
}

void gw_steer_auto(struct gw_request *request)
{
    const struct gw_routing *routing = request->conf->snapshot->routing;
    struct gw_str name = request->llm.model;
    if (!gw_steer_has_auto(request) || (name.len > 0 && !gw_str_eq(name, GW_STR(AUTO_MODEL)))) {
        return;
    }
    yyjson_doc *chat = read_chat(request);
    request->ask.complexity = complexity_of(request, chat);
    yyjson_doc_free(chat);
    request->is_auto = true;
    request->llm.model = routing->tiers[request->ask.complexity];
}

enum gw_step gw_steer(struct gw_request *request)
{
    bool wants_complexity =
        gw_conf_strategy(request->conf, request->group) == GW_STRATEGY_SMART && !request->is_auto;
    bool wants_prefix = request->group->routing->affinity == GW_AFFINITY_PREFIX;
    yyjson_doc *chat = wants_complexity || wants_prefix ? read_chat(request) : NULL;
    if (wants_complexity) {
        request->ask.complexity = complexity_of(request, chat);
    }
    request->ask.affinity = affinity_of(request, chat);
    yyjson_doc_free(chat);
    request->priority = GW_PRIORITY_NORMAL;
    return read_fields(request);
}
