/* SPDX-License-Identifier: MIT */
/*
 * core/inspect_explain - what would happen to a request: who asks, which deployment would be
 * chosen and why, who follows, what it would cost, and what would be sent.
 */
#include "base/clock.h"
#include "core/dry_run.h"
#include "core/inspect_int.h"
#include "llm/model_facts.h"
#include "upstream/origin.h"

#define NANO_PER_USD    1000000000u
#define TOKENS_PER_UNIT 1000000u /* prices are per million */
#define HIDDEN          "***"
#define BODY_MAX_BYTES  (64u * 1024 * 1024)

/* ---- what is asked ---- */

/* Reads the wrapper's header fields into |fields|. */
static enum gw_err read_fields(struct gw_inspection *inspection, yyjson_val *object,
                               struct gw_header *fields, size_t *count)
{
    yyjson_obj_iter iter = yyjson_obj_iter_with(object);
    yyjson_val *key = NULL;
    while ((key = yyjson_obj_iter_next(&iter)) != NULL) {
        struct gw_str value = gw_json_text(yyjson_obj_iter_get_val(key));
        struct gw_str name = gw_arena_try_dup(&inspection->request->arena, gw_json_text(key));
        for (size_t i = 0; i < name.len; i++) {
            char *at = (char *)(uintptr_t)name.ptr + i;
            *at = *at >= 'A' && *at <= 'Z' ? (char)(*at | 0x20) : *at;
        }
        if (*count == GW_DRY_RUN_FIELDS || value.ptr == NULL || !gw_header_name_is_valid(name) ||
            !gw_header_value_is_valid(value)) {
            return gw_inspect_refuse(
                inspection, 400, GW_STR("headers"),
                GW_STR("\"headers\" must hold at most 64 fields with text values."));
        }
        fields[(*count)++] =
            (struct gw_header){.name = name, .value = value, .id = gw_header_lookup(name)};
    }
    return GW_OK;
}

/* {"path", "headers", "body"}, or the body of a chat completion itself. */
static enum gw_err read_ask(struct gw_inspection *inspection, struct gw_header *fields,
                            struct gw_buf *body, struct gw_dry_ask *ask)
{
    yyjson_val *wrapped = gw_json_get(inspection->body, "body");
    struct gw_str path = gw_json_get_text(inspection->body, "path");
    *ask = (struct gw_dry_ask){.target = GW_STR("/v1/chat/completions"), .fields = fields};
    if (inspection->body == NULL) {
        return gw_inspect_refuse(inspection, 400, gw_str(NULL, 0),
                                 GW_STR("Send the request to explain as the body."));
    }
    if (!yyjson_is_obj(wrapped)) {
        ask->body = gw_buf_str(&inspection->request->body);
        return GW_OK;
    }
    if (path.len > 0) {
        ask->target = path;
    }
    gw_json_write(wrapped, body);
    ask->body = gw_buf_str(body);
    return body->err != GW_OK ? body->err
                              : read_fields(inspection, gw_json_get(inspection->body, "headers"),
                                            fields, &ask->field_count);
}

/* ---- small parts ---- */

static void write_usd(struct gw_str key, uint64_t nusd, struct gw_buf *out)
{
    gw_json_write_key(key, out);
    (void)gw_buf_appendf(out, "\"%llu.%09u\"", (unsigned long long)(nusd / NANO_PER_USD),
                         (unsigned)(nusd % NANO_PER_USD));
}

static uint64_t cost_nusd(int64_t price, uint64_t tokens)
{
    uint64_t product = 0;
    if (price <= 0 || __builtin_mul_overflow((uint64_t)price, tokens, &product)) {
        return 0;
    }
    return product / TOKENS_PER_UNIT;
}

/* What the request would cost at |deployment|; null where its prices are not known. */
static void write_cost(const struct gw_request *request, const struct gw_deployment *deployment,
                       struct gw_str model, struct gw_buf *out)
{
    struct gw_model_facts facts;
    (void)gw_model_facts_of(deployment, model, &facts);
    const struct gw_model_prices *prices =
        gw_model_facts_prices(&facts, request->ask.input_tokens, gw_clock_wall_ms() / 1000);
    gw_json_write_key(GW_STR("cost_usd"), out);
    if (prices->input == GW_PRICE_UNKNOWN || prices->output == GW_PRICE_UNKNOWN) {
        (void)gw_buf_append(out, GW_STR("null"));
        return;
    }
    uint64_t input = cost_nusd(prices->input, request->ask.input_tokens);
    uint64_t output = cost_nusd(prices->output, request->ask.output_tokens);
    (void)gw_buf_append(out, GW_STR("{"));
    write_usd(GW_STR("input"), input, out);
    write_usd(GW_STR("output"), output, out);
    write_usd(GW_STR("total"), input + output, out);
    (void)gw_buf_append(out, GW_STR("}"));
}

static void write_request(const struct gw_request *request, struct gw_buf *out)
{
    bool is_open = request->conf->snapshot->access.is_open;
    gw_json_write_key(GW_STR("auth"), out);
    (void)gw_buf_appendf(out, "{\"mode\":\"%s\",\"granted\":%s}", is_open ? "open" : "key",
                         request->error.class == GW_ERROR_AUTH ? "false" : "true");
    gw_json_write_member(GW_STR("cache"), GW_STR("not configured"), out);
    gw_json_write_key(GW_STR("request"), out);
    (void)gw_buf_append(out, GW_STR("{"));
    gw_json_write_member(GW_STR("path"), request->path, out);
    gw_json_write_member(GW_STR("dialect"), gw_dialect_of(request->route.dialect)->name, out);
    gw_json_write_member(GW_STR("task"), gw_task_name(request->llm.task), out);
    gw_json_write_member(GW_STR("model"), request->llm.model, out);
    gw_inspect_write_bool(GW_STR("stream"), request->llm.is_stream, out);
    (void)gw_buf_append(out, GW_STR("}"));
}

static void write_refusal(const struct gw_error *error, struct gw_buf *out)
{
    gw_json_write_key(GW_STR("refusal"), out);
    (void)gw_buf_appendf(out, "{\"status\":%u", error->status);
    gw_json_write_member(GW_STR("class"), gw_error_class_name(error->class), out);
    gw_json_write_optional(GW_STR("code"), error->code, out);
    gw_json_write_member(GW_STR("message"), error->message, out);
    (void)gw_buf_append(out, GW_STR("}"));
}

/* ---- the choice ---- */

static struct gw_str why(enum gw_strategy strategy)
{
    static const struct gw_str texts[GW_STRATEGY_COUNT] = {
        [GW_STRATEGY_PRIORITY] =
            GW_STR_INIT("the highest priority of those that can serve; equal ones share by weight"),
        [GW_STRATEGY_ROUND_ROBIN] = GW_STR_INIT("it is its turn"),
        [GW_STRATEGY_LEAST_BUSY] = GW_STR_INIT("the fewest requests in flight for its weight"),
        [GW_STRATEGY_WEIGHTED] = GW_STR_INIT("it is its turn, by weight"),
        [GW_STRATEGY_LATENCY_BASED] = GW_STR_INIT(
            "the shortest average time to the first byte, or not measured yet, or explored"),
        [GW_STRATEGY_USAGE_BASED] = GW_STR_INIT("the most of its rpm and tpm left"),
        [GW_STRATEGY_RANDOM] = GW_STR_INIT("by chance, by weight"),
        [GW_STRATEGY_LEAST_COST] = GW_STR_INIT("the cheapest for this request"),
        [GW_STRATEGY_BEST_QUALITY] = GW_STR_INIT("the highest quality"),
        [GW_STRATEGY_SMART] = GW_STR_INIT(
            "the best of cost, latency and quality, weighed by how hard the request is"),
    };
    return texts[strategy];
}

static void write_case(const struct gw_request *request, const struct gw_inspect_deployment *found,
                       size_t member, struct gw_buf *out)
{
    struct gw_router_reason reason =
        gw_router_explain(request->conf->router, request->group->index, member, &request->ask);
    char room[2 * GW_MODEL_NAME_MAX];
    struct gw_str model = request->group_model;
    if (gw_deployment_model(found->deployment, request->suffix, room, sizeof(room), &model) !=
            GW_OK ||
        model.len == 0) {
        model = request->group_model;
    }
    (void)gw_buf_append(out, GW_STR("{"));
    gw_json_write_member(GW_STR("id"), found->deployment->id, out);
    gw_json_write_member(GW_STR("model"), model, out);
    gw_inspect_write_bool(GW_STR("can_serve"), reason.skip == GW_ROUTER_SKIP_NONE, out);
    gw_json_write_member(GW_STR("reason"), gw_str_from_c(gw_router_reason_text(&reason)), out);
    if (reason.wait_ms > 0) {
        gw_json_write_count(GW_STR("wait_ms"), reason.wait_ms, out);
    }
    write_cost(request, found->deployment, model, out);
    gw_json_write_key(GW_STR("now"), out);
    gw_inspect_write_deployment(found, request->ask.now_ms, out);
    (void)gw_buf_append(out, GW_STR("}"));
}

static void write_cases(const struct gw_request *request, struct gw_buf *out)
{
    struct gw_inspect_walk walk = {.conf = request->conf, .now_ms = request->ask.now_ms};
    struct gw_inspect_deployment found;
    gw_json_write_key(GW_STR("deployments"), out);
    (void)gw_buf_append(out, GW_STR("["));
    while (gw_inspect_next(&walk, &found)) {
        if (found.group == request->group) {
            gw_json_write_next(out);
            write_case(request, &found, walk.member - 1, out);
        }
    }
    (void)gw_buf_append(out, GW_STR("]"));
}

/* Who would be asked one after the other if each failed. */
static void write_order(struct gw_request *request, struct gw_buf *out)
{
    struct gw_router_ask ask = request->ask;
    size_t member = 0;
    gw_json_write_key(GW_STR("order"), out);
    (void)gw_buf_append(out, GW_STR("["));
    while (gw_router_preview(request->conf->router, request->group->index, &ask, &member)) {
        gw_json_write_next(out);
        gw_json_write_text(request->group->deployments[member]->id, out);
        gw_router_set_add(&ask.tried, member);
    }
    (void)gw_buf_append(out, GW_STR("]"));
}

static void write_groups(const struct gw_request *request, struct gw_str key,
                         const struct gw_fallback_list *list, struct gw_buf *out)
{
    gw_json_write_key(key, out);
    (void)gw_buf_append(out, GW_STR("["));
    for (size_t i = 0; i < list->count; i++) {
        gw_json_write_next(out);
        gw_json_write_text(gw_chain_name(request, list->groups[i]), out);
    }
    (void)gw_buf_append(out, GW_STR("]"));
}

static enum gw_err write_fallbacks(struct gw_request *request, struct gw_buf *out)
{
    const struct gw_fallbacks *fallbacks = NULL;
    enum gw_err err = gw_chain_find(request, &fallbacks);
    if (err != GW_OK || fallbacks == NULL) {
        return err;
    }
    gw_json_write_key(GW_STR("fallbacks"), out);
    (void)gw_buf_append(out, GW_STR("{"));
    gw_inspect_write_bool(GW_STR("enabled"),
                          !request->retry.is_fallback_off && !request->retry.is_off, out);
    write_groups(request, GW_STR("general"), &fallbacks->general, out);
    write_groups(request, GW_STR("context_window"), &fallbacks->context_window, out);
    write_groups(request, GW_STR("content_policy"), &fallbacks->content_policy, out);
    (void)gw_buf_append(out, GW_STR("}"));
    return GW_OK;
}

/* ---- what would be sent ---- */

/* The configuration's own fields may be secrets; their names are not. */
static bool is_hidden(const struct gw_deployment *deployment, const struct gw_header *field)
{
    for (size_t i = 0; i < deployment->extra_header_count; i++) {
        if (gw_str_eq(deployment->extra_headers[i].name, field->name)) {
            return true;
        }
    }
    return gw_header_is_credential(field->id);
}

static void write_upstream_fields(const struct gw_exchange_request *exchange,
                                  const struct gw_deployment *deployment, struct gw_buf *out)
{
    gw_json_write_key(GW_STR("headers"), out);
    (void)gw_buf_append(out, GW_STR("["));
    for (size_t i = 0; i < exchange->header_count; i++) {
        const struct gw_header *field = &exchange->headers[i];
        gw_json_write_next(out);
        (void)gw_buf_append(out, GW_STR("{"));
        gw_json_write_member(GW_STR("name"), field->name, out);
        gw_json_write_member(GW_STR("value"),
                             is_hidden(deployment, field) ? GW_STR(HIDDEN) : field->value, out);
        (void)gw_buf_append(out, GW_STR("}"));
    }
    (void)gw_buf_append(out, GW_STR("]"));
}

static void write_upstream_body(const struct gw_exchange_request *exchange, struct gw_buf *out)
{
    struct gw_buf body;
    struct gw_json_reader reader;
    yyjson_val *root = NULL;
    gw_buf_init(&body, BODY_MAX_BYTES);
    for (size_t i = 0; i < exchange->body_run_count; i++) {
        (void)gw_buf_append(&body, exchange->body_runs[i]);
    }
    gw_json_reader_init(&reader, body.len);
    if (body.err == GW_OK && gw_json_read(&reader, gw_buf_str(&body), &root) == GW_OK) {
        gw_json_write_raw(GW_STR("body"), gw_buf_str(&body), out);
    } else {
        gw_json_write_member(GW_STR("body"), gw_buf_str(&body), out);
    }
    gw_json_reader_fini(&reader);
    gw_buf_fini(&body);
}

static void write_notes(const struct gw_notes *notes, struct gw_buf *out)
{
    gw_json_write_key(GW_STR("notes"), out);
    (void)gw_buf_append(out, GW_STR("["));
    for (size_t i = 0; i < notes->count; i++) {
        const struct gw_note *note = &notes->entries[i];
        gw_json_write_next(out);
        (void)gw_buf_append(out, GW_STR("{"));
        gw_json_write_member(GW_STR("kind"), gw_str_from_c(gw_note_kind_name(note->kind)), out);
        gw_json_write_member(GW_STR("param"), note->param, out);
        gw_json_write_member(GW_STR("text"), note->text, out);
        (void)gw_buf_append(out, GW_STR("}"));
    }
    (void)gw_buf_append(out, GW_STR("]"));
}

static void write_call(const struct gw_request *request, const struct gw_exchange_request *exchange,
                       const struct gw_provider_call *call, struct gw_buf *out)
{
    const struct gw_attempt *attempt = request->attempt;
    struct gw_str method = exchange->method.len > 0 ? exchange->method : GW_STR("POST");
    gw_json_write_key(GW_STR("upstream"), out);
    (void)gw_buf_append(out, GW_STR("{"));
    gw_json_write_member(GW_STR("api"), attempt->api->name, out);
    gw_inspect_write_bool(GW_STR("verbatim"), attempt->is_verbatim, out);
    gw_json_write_member(GW_STR("method"), method, out);
    gw_json_write_member(GW_STR("host"), attempt->deployment->origin->host_header, out);
    gw_json_write_member(GW_STR("target"), call->target, out);
    write_upstream_fields(exchange, attempt->deployment, out);
    write_upstream_body(exchange, out);
    (void)gw_buf_append(out, GW_STR("}"));
}

/* Target, fields and body, before the credential is put on. */
static enum gw_err write_upstream(struct gw_request *request, struct gw_buf *out)
{
    struct gw_attempt *attempt = request->attempt;
    struct gw_exchange_request exchange = {0};
    struct gw_provider_call verbatim = {.method = GW_STR("")};
    struct gw_provider_call *call = &verbatim;
    struct gw_error error = {0};
    struct gw_notes notes;
    attempt->api = gw_api_for(attempt->deployment, attempt->upstream_model, &request->llm);
    if (attempt->api == NULL) { /* answered inside the process */
        gw_json_write_raw(GW_STR("upstream"), GW_STR("null"), out);
        return GW_OK;
    }
    gw_notes_init(&notes, &request->arena, attempt->deployment->drops_params, &error);
    enum gw_err err = gw_plan_unsigned(request, &exchange, &call, &notes);
    if (err == GW_ERR_INVALID) {
        write_refusal(&error, out);
        return GW_OK;
    }
    err = err == GW_OK ? gw_plan_fields(request, call, &exchange) : err;
    if (err == GW_OK) {
        write_call(request, &exchange, call, out);
        write_notes(attempt->is_verbatim ? &notes : gw_translation_notes(attempt->translation),
                    out);
    }
    return err;
}

static enum gw_err write_chosen(struct gw_request *request, struct gw_buf *out)
{
    enum gw_strategy strategy = gw_conf_strategy(request->conf, request->group);
    struct gw_router_choice choice = {0};
    if (!gw_router_preview(request->conf->router, request->group->index, &request->ask,
                           &choice.member)) {
        gw_json_write_raw(GW_STR("chosen"), GW_STR("null"), out);
        return GW_OK;
    }
    enum gw_err err = gw_attempt_assume(request, &choice);
    if (err != GW_OK) {
        return err;
    }
    const struct gw_deployment *deployment = request->attempt->deployment;
    gw_json_write_key(GW_STR("chosen"), out);
    (void)gw_buf_append(out, GW_STR("{"));
    gw_json_write_member(GW_STR("deployment"), deployment->id, out);
    gw_json_write_member(GW_STR("provider"), deployment->provider_name, out);
    gw_json_write_member(GW_STR("model"), request->attempt->upstream_model, out);
    gw_json_write_member(GW_STR("why"),
                         request->ask.affinity != 0
                             ? GW_STR("its affinity leads there, unless it is busier than others")
                             : why(strategy),
                         out);
    write_cost(request, deployment, request->attempt->upstream_model, out);
    (void)gw_buf_append(out, GW_STR("}"));
    return write_upstream(request, out);
}

/* ---- all of it ---- */

static enum gw_err write_routing(struct gw_request *request, struct gw_buf *out)
{
    gw_attempt_estimate(request);
    request->ask.now_ms = gw_loop_now_ms(request->core->loop);
    gw_conf_follow_strategy(request->conf, request->group);
    gw_json_write_member(GW_STR("group"), request->group->name, out);
    gw_json_write_member(GW_STR("strategy"),
                         gw_strategy_name(gw_conf_strategy(request->conf, request->group)), out);
    gw_json_write_member(GW_STR("complexity"),
                         gw_str_from_c(gw_complexity_name(request->ask.complexity)), out);
    gw_json_write_key(GW_STR("tokens"), out);
    (void)gw_buf_appendf(out, "{\"input\":%llu,\"output\":%llu,\"estimated\":true}",
                         (unsigned long long)request->ask.input_tokens,
                         (unsigned long long)request->ask.output_tokens);
    write_cases(request, out);
    write_order(request, out);
    enum gw_err err = write_fallbacks(request, out);
    return err == GW_OK ? write_chosen(request, out) : err;
}

enum gw_err gw_inspect_explain(struct gw_inspection *inspection, struct gw_buf *out)
{
    struct gw_header fields[GW_DRY_RUN_FIELDS];
    struct gw_dry_ask ask;
    struct gw_dry_run *run = NULL;
    struct gw_buf body;
    gw_buf_init(&body, BODY_MAX_BYTES);
    enum gw_err err = read_ask(inspection, fields, &body, &ask);
    if (err == GW_OK) {
        run = gw_dry_run_create(inspection->request, &ask);
        err = run != NULL ? GW_OK : GW_ERR_NOMEM;
    }
    if (err == GW_OK) {
        struct gw_request *request = gw_dry_run_request(run);
        (void)gw_buf_append(out, GW_STR("{\"object\":\"explanation\""));
        gw_inspect_write_bool(GW_STR("accepted"), request->group != NULL, out);
        write_request(request, out);
        if (request->group != NULL) {
            err = write_routing(request, out);
        } else {
            write_refusal(&request->error, out);
        }
        (void)gw_buf_append(out, GW_STR("}"));
    }
    gw_dry_run_destroy(&run);
    gw_buf_fini(&body);
    return err;
}
