/* SPDX-License-Identifier: MIT */
/* core/inspect_prompt - how hard a prompt is, and where that would lead. */
#include "base/clock.h"
#include "core/dry_run.h"
#include "core/inspect_int.h"
#include "llm/model_facts.h"

#define PICO_PER_NANO   1000
#define BODY_MAX_BYTES  (64u * 1024 * 1024)
#define PICO_DIGITS_USD 1000000000000ull

static enum gw_err read_prompt(struct gw_inspection *inspection, struct gw_str *prompt)
{
    *prompt = gw_json_get_text(inspection->body, "prompt");
    return prompt->ptr != NULL ? GW_OK
                               : gw_inspect_refuse(inspection, 400, GW_STR("prompt"),
                                                   GW_STR("The body must hold a text \"prompt\"."));
}

/* ---- analyze ---- */

static void write_rules(const struct gw_complexity_score *score, struct gw_buf *out)
{
    gw_json_write_key(GW_STR("points"), out);
    (void)gw_buf_append(out, GW_STR("{"));
    for (unsigned i = 0; i < GW_COMPLEXITY_RULE_COUNT; i++) {
        struct gw_str name = gw_str_from_c(gw_complexity_rule_name((enum gw_complexity_rule)i));
        gw_json_write_count(name, score->points[i], out);
    }
    (void)gw_buf_append(out, GW_STR("}"));
}

/* VelocityLLM's names of the tiers. */
static struct gw_str tier_of(enum gw_complexity complexity)
{
    static const struct gw_str names[] = {GW_STR_INIT("budget"), GW_STR_INIT("mid"),
                                          GW_STR_INIT("premium")};
    return names[complexity];
}

static void write_score(const struct gw_complexity_score *score, struct gw_buf *out)
{
    gw_json_write_member(GW_STR("complexity"), gw_str_from_c(gw_complexity_name(score->complexity)),
                         out);
    gw_json_write_count(GW_STR("score"), score->total, out);
    write_rules(score, out);
}

enum gw_err gw_inspect_analyze(struct gw_inspection *inspection, struct gw_buf *out)
{
    struct gw_str prompt;
    enum gw_err err = read_prompt(inspection, &prompt);
    if (err != GW_OK) {
        return err;
    }
    const struct gw_routing *routing = inspection->conf->snapshot->routing;
    struct gw_complexity_score score = gw_complexity_of_text(prompt);
    (void)gw_buf_append(out, GW_STR("{"));
    gw_json_write_member(GW_STR("prompt"), prompt, out);
    gw_json_write_count(GW_STR("token_count"), score.tokens, out);
    write_score(&score, out);
    gw_inspect_write_bool(GW_STR("has_code"), score.points[GW_COMPLEXITY_CODE] > 0, out);
    gw_inspect_write_bool(GW_STR("has_technical_terms"), score.points[GW_COMPLEXITY_TERMS] > 0,
                          out);
    gw_json_write_member(GW_STR("recommended_tier"), tier_of(score.complexity), out);
    gw_json_write_optional(GW_STR("recommended_model"), routing->tiers[score.complexity], out);
    (void)gw_buf_append(out, GW_STR("}"));
    return GW_OK;
}

/* ---- decision ---- */

/* The request to decide about: the body itself, or a chat of the prompt. */
static enum gw_err make_body(struct gw_inspection *inspection, struct gw_buf *body)
{
    yyjson_val *model = gw_json_get(inspection->body, "model");
    struct gw_str prompt;
    if (yyjson_is_arr(gw_json_get(inspection->body, "messages"))) {
        return gw_buf_append(body, gw_buf_str(&inspection->request->body));
    }
    enum gw_err err = read_prompt(inspection, &prompt);
    if (err != GW_OK) {
        return err;
    }
    (void)gw_buf_append(body, GW_STR("{\"model\":"));
    gw_json_write_text(yyjson_is_str(model) ? gw_json_text(model) : GW_STR("auto"), body);
    (void)gw_buf_append(body, GW_STR(",\"messages\":[{\"role\":\"user\",\"content\":"));
    gw_json_write_text(prompt, body);
    (void)gw_buf_append(body, GW_STR("}]}"));
    return body->err;
}

/* Of an input token, in USD; null when it is not known. */
static void write_token_cost(const struct gw_deployment *deployment, struct gw_str model,
                             struct gw_buf *out)
{
    struct gw_model_facts facts;
    (void)gw_model_facts_of(deployment, model, &facts);
    gw_json_write_key(GW_STR("cost_per_token"), out);
    if (facts.prices.input == GW_PRICE_UNKNOWN) {
        (void)gw_buf_append(out, GW_STR("null"));
        return;
    }
    unsigned long long pico = (unsigned long long)facts.prices.input / PICO_PER_NANO;
    (void)gw_buf_appendf(out, "%llu.%012llu", pico / PICO_DIGITS_USD, pico % PICO_DIGITS_USD);
}

static void write_selected(const struct gw_request *request, bool is_available, struct gw_buf *out)
{
    const struct gw_attempt *attempt = request->attempt;
    gw_json_write_key(GW_STR("selected_model"), out);
    (void)gw_buf_append(out, GW_STR("{"));
    gw_json_write_member(GW_STR("name"), request->group->name, out);
    gw_json_write_member(GW_STR("provider"), attempt->deployment->provider_name, out);
    gw_json_write_member(GW_STR("deployment"), attempt->deployment->id, out);
    gw_json_write_member(GW_STR("upstream_model"), attempt->upstream_model, out);
    write_token_cost(attempt->deployment, attempt->upstream_model, out);
    gw_inspect_write_bool(GW_STR("available"), is_available, out);
    (void)gw_buf_append(out, GW_STR("}"));
}

static enum gw_err write_decision(struct gw_request *request, struct gw_str prompt,
                                  struct gw_buf *out)
{
    enum gw_strategy strategy = gw_conf_strategy(request->conf, request->group);
    struct gw_complexity_score score = gw_complexity_of_text(prompt);
    struct gw_router_choice choice = {0};
    char now[GW_CLOCK_RFC3339_BYTES];
    gw_attempt_estimate(request);
    request->ask.now_ms = gw_loop_now_ms(request->core->loop);
    gw_conf_follow_strategy(request->conf, request->group);
    bool is_available = gw_router_preview(request->conf->router, request->group->index,
                                          &request->ask, &choice.member);
    enum gw_err err = gw_attempt_assume(request, &choice);
    if (err != GW_OK) {
        return err;
    }
    (void)gw_buf_append(out, GW_STR("{"));
    write_selected(request, is_available, out);
    gw_json_write_member(GW_STR("strategy"), gw_strategy_name(strategy), out);
    write_score(&score, out);
    gw_json_write_member(GW_STR("reason"),
                         gw_arena_printf(&request->arena, "%s; strategy " GW_STR_FMT,
                                         request->is_auto ? "the tier for requests that hard"
                                                          : "the model was named",
                                         GW_STR_ARG(gw_strategy_name(strategy))),
                         out);
    gw_clock_format_rfc3339(gw_clock_wall_ms(), now);
    gw_json_write_member(GW_STR("timestamp"), gw_str_from_c(now), out);
    (void)gw_buf_append(out, GW_STR("}"));
    return GW_OK;
}

/* The last message's text, for the points. */
static struct gw_str text_of(const struct gw_inspection *inspection)
{
    yyjson_val *last = yyjson_arr_get_last(gw_json_get(inspection->body, "messages"));
    struct gw_str text = gw_json_get_text(last, "content");
    return text.ptr != NULL ? text : gw_json_get_text(inspection->body, "prompt");
}

enum gw_err gw_inspect_decision(struct gw_inspection *inspection, struct gw_buf *out)
{
    struct gw_dry_ask ask = {.target = GW_STR("/v1/chat/completions")};
    struct gw_dry_run *run = NULL;
    struct gw_buf body;
    gw_buf_init(&body, BODY_MAX_BYTES);
    enum gw_err err = make_body(inspection, &body);
    if (err == GW_OK) {
        ask.body = gw_buf_str(&body);
        run = gw_dry_run_create(inspection->request, &ask);
        err = run != NULL ? GW_OK : GW_ERR_NOMEM;
    }
    if (err == GW_OK && gw_dry_run_request(run)->group == NULL) {
        const struct gw_error *error = &gw_dry_run_request(run)->error;
        err = gw_inspect_refuse(
            inspection, error->status, error->param,
            gw_arena_printf(&inspection->request->arena, GW_STR_FMT, GW_STR_ARG(error->message)));
    }
    if (err == GW_OK) {
        err = write_decision(gw_dry_run_request(run), text_of(inspection), out);
    }
    gw_dry_run_destroy(&run);
    gw_buf_fini(&body);
    return err;
}
