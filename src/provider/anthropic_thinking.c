/* SPDX-License-Identifier: MIT */
/* provider/anthropic_thinking - "thinking" and "output_config" out of reasoning_effort or of
 * Anthropic's own "thinking", in the words of each model (anthropic.md section 3). */
#include "provider/anthropic_int.h"
#include "json/value.h"
#include "json/write.h"

#define MIN_BUDGET_TOKENS 1024 /* the API refuses less */

/* What is to be sent. */
struct plan {
    struct gw_str type; /* of "thinking"; empty: none is sent */
    uint64_t budget_tokens;
    struct gw_str display;
    enum gw_anthropic_effort effort;
};

static const struct {
    struct gw_str name;
    struct gw_str sent; /* empty: is no level of the API */
    uint64_t budget_tokens;
} levels[] = {
    [GW_ANTHROPIC_EFFORT_UNSET] = {GW_STR_INIT(""), GW_STR_INIT(""), 10000},
    [GW_ANTHROPIC_EFFORT_NONE] = {GW_STR_INIT("none"), GW_STR_INIT("low"), MIN_BUDGET_TOKENS},
    [GW_ANTHROPIC_EFFORT_LOW] = {GW_STR_INIT("low"), GW_STR_INIT("low"), 2048},
    [GW_ANTHROPIC_EFFORT_MEDIUM] = {GW_STR_INIT("medium"), GW_STR_INIT("medium"), 10000},
    [GW_ANTHROPIC_EFFORT_HIGH] = {GW_STR_INIT("high"), GW_STR_INIT("high"), 16384},
    [GW_ANTHROPIC_EFFORT_XHIGH] = {GW_STR_INIT("xhigh"), GW_STR_INIT("xhigh"), 32768},
    [GW_ANTHROPIC_EFFORT_MAX] = {GW_STR_INIT("max"), GW_STR_INIT("max"), 32768},
};

static void note(struct gw_anthropic_encoding *e, enum gw_note_kind kind, struct gw_str param,
                 struct gw_str text)
{
    gw_notes_add(e->notes, kind, param, text);
}

static enum gw_anthropic_effort read_effort(struct gw_anthropic_encoding *e)
{
    struct gw_str name = gw_json_get_text(e->chat, "reasoning_effort");
    if (name.len == 0) {
        return GW_ANTHROPIC_EFFORT_UNSET;
    }
    if (gw_str_eq(name, GW_STR("minimal"))) {
        return GW_ANTHROPIC_EFFORT_LOW;
    }
    for (unsigned i = GW_ANTHROPIC_EFFORT_NONE; i < GW_ARRAY_LEN(levels); i++) {
        if (gw_str_eq(name, levels[i].name)) {
            return (enum gw_anthropic_effort)i;
        }
    }
    note(e, GW_NOTE_DROPPED, GW_STR("reasoning_effort"), GW_STR("it is no level of this API"));
    return GW_ANTHROPIC_EFFORT_UNSET;
}

static bool is_always_on(const struct gw_anthropic_model *model)
{
    return model->thinking == GW_ANTHROPIC_THINKS_ALWAYS ||
           model->thinking == GW_ANTHROPIC_THINKS_BETWEEN;
}

static bool is_on_unasked(const struct gw_anthropic_model *model)
{
    return is_always_on(model) || model->thinking == GW_ANTHROPIC_THINKS_ADAPTIVE;
}

static void plan_off(struct gw_anthropic_encoding *e, struct plan *plan)
{
    plan->effort = GW_ANTHROPIC_EFFORT_UNSET;
    if (e->model->thinking == GW_ANTHROPIC_THINKS_BETWEEN) {
        plan->type = GW_STR("between_tools");
    } else if (is_always_on(e->model)) {
        plan->type = GW_STR("");
        plan->effort = GW_ANTHROPIC_EFFORT_LOW;
        note(e, GW_NOTE_CHANGED, GW_STR("reasoning_effort"),
             GW_STR("this model always thinks, so the lowest effort was asked for"));
    } else {
        plan->type = is_on_unasked(e->model) ? GW_STR("disabled") : GW_STR("");
    }
}

/* A budget below max_tokens, or no thinking where there is no room for it. */
static void plan_budget(struct gw_anthropic_encoding *e, uint64_t budget, struct plan *plan)
{
    if (budget >= e->max_tokens) {
        budget = e->max_tokens / 2;
        note(e, GW_NOTE_CHANGED, GW_STR("reasoning_effort"),
             GW_STR("the limit on output leaves less room for thinking"));
    }
    budget = budget < MIN_BUDGET_TOKENS ? MIN_BUDGET_TOKENS : budget;
    if (budget >= e->max_tokens) {
        note(e, GW_NOTE_DROPPED, GW_STR("reasoning_effort"),
             GW_STR("the limit on output leaves no room for thinking"));
        return;
    }
    plan->type = GW_STR("enabled");
    plan->budget_tokens = budget;
}

static void plan_on(struct gw_anthropic_encoding *e, uint64_t budget, struct plan *plan)
{
    switch (e->model->thinking) {
    case GW_ANTHROPIC_THINKS_NEVER:
        note(e, GW_NOTE_DROPPED, GW_STR("reasoning_effort"), GW_STR("this model cannot think"));
        break;
    case GW_ANTHROPIC_THINKS_BY_BUDGET:
        plan_budget(e, budget > 0 ? budget : levels[plan->effort].budget_tokens, plan);
        break;
    case GW_ANTHROPIC_THINKS_EITHER:
    case GW_ANTHROPIC_THINKS_ON_DEMAND:
    case GW_ANTHROPIC_THINKS_ADAPTIVE:
    case GW_ANTHROPIC_THINKS_BETWEEN:
    case GW_ANTHROPIC_THINKS_ALWAYS:
        plan->type = GW_STR("adaptive");
        if (budget > 0 && plan->effort == GW_ANTHROPIC_EFFORT_UNSET) {
            plan->effort = budget < 2048   ? GW_ANTHROPIC_EFFORT_LOW
                           : budget < 8192 ? GW_ANTHROPIC_EFFORT_MEDIUM
                                           : GW_ANTHROPIC_EFFORT_HIGH;
        }
        break;
    }
}

/* Only what the model has not already by itself is changed in a client's own "thinking". */
static void plan_native(struct gw_anthropic_encoding *e, yyjson_val *thinking, struct plan *plan)
{
    struct gw_str type = gw_json_get_text(thinking, "type");
    uint64_t budget = gw_json_get_u64(thinking, "budget_tokens", 0);
    plan->display = gw_json_get_text(thinking, "display");
    if (gw_str_eq(type, GW_STR("disabled"))) {
        enum gw_anthropic_effort effort = plan->effort;
        plan_off(e, plan);
        plan->effort =
            plan->effort == GW_ANTHROPIC_EFFORT_UNSET && effort != GW_ANTHROPIC_EFFORT_NONE
                ? effort
                : plan->effort;
    } else if (gw_str_eq(type, GW_STR("enabled")) &&
               e->model->thinking == GW_ANTHROPIC_THINKS_EITHER && budget > 0) {
        plan_budget(e, budget, plan);
    } else if (gw_str_eq(type, GW_STR("between_tools")) &&
               e->model->thinking == GW_ANTHROPIC_THINKS_BETWEEN) {
        plan->type = type;
    } else {
        plan_on(e, budget, plan);
        if (!gw_str_eq(plan->type, type)) {
            note(e, GW_NOTE_CHANGED, GW_STR("thinking"),
                 GW_STR("this model takes another form of it"));
        }
    }
}

static bool can_effort(const struct gw_anthropic_model *model, enum gw_anthropic_effort effort)
{
    return (model->efforts & (1u << effort)) != 0;
}

/* The nearest level the model has; UNSET when it has none. */
static enum gw_anthropic_effort fit_effort(struct gw_anthropic_encoding *e,
                                           enum gw_anthropic_effort effort)
{
    if (effort <= GW_ANTHROPIC_EFFORT_NONE || e->model->efforts == 0) {
        return GW_ANTHROPIC_EFFORT_UNSET;
    }
    enum gw_anthropic_effort fit = effort;
    while (fit > GW_ANTHROPIC_EFFORT_LOW && !can_effort(e->model, fit)) {
        fit = fit - 1;
    }
    if (fit != effort) {
        note(e, GW_NOTE_CHANGED, GW_STR("reasoning_effort"),
             GW_STR("this model has no level that high"));
    }
    return fit;
}

/* These pairs are refused by the models (anthropic.md section 3). */
static void settle_pairs(struct gw_anthropic_encoding *e, struct plan *plan)
{
    bool is_low_only =
        gw_str_eq(plan->type, GW_STR("between_tools")) || gw_str_eq(plan->type, GW_STR("disabled"));
    if (is_low_only && plan->effort > GW_ANTHROPIC_EFFORT_HIGH) {
        plan->effort = GW_ANTHROPIC_EFFORT_HIGH;
        note(e, GW_NOTE_CHANGED, GW_STR("reasoning_effort"),
             GW_STR("without thinking this model goes no higher than high"));
    }
}

static void write_plan(struct gw_anthropic_encoding *e, const struct plan *plan)
{
    if (plan->type.len == 0) {
        return;
    }
    gw_json_write_raw(GW_STR("thinking"), GW_STR("{"), e->out);
    gw_json_write_member(GW_STR("type"), plan->type, e->out);
    if (plan->budget_tokens > 0) {
        gw_json_write_count(GW_STR("budget_tokens"), plan->budget_tokens, e->out);
    }
    gw_json_write_optional(GW_STR("display"), plan->display, e->out);
    (void)gw_buf_append_byte(e->out, '}');
}

/* ---- the answer's form ---- */

static void write_format(struct gw_anthropic_encoding *e)
{
    yyjson_val *format = gw_json_get(e->chat, "response_format");
    yyjson_val *schema = gw_json_get(gw_json_get(format, "json_schema"), "schema");
    if (!e->model->has_schemas || !yyjson_is_obj(schema)) {
        return; /* else told in words: see gw_anthropic_write_system() */
    }
    gw_json_write_raw(GW_STR("format"), GW_STR("{\"type\":\"json_schema\",\"schema\":"), e->out);
    gw_anthropic_write_schema(e, schema);
    (void)gw_buf_append_byte(e->out, '}');
}

static void write_output_config(struct gw_anthropic_encoding *e, enum gw_anthropic_effort effort)
{
    size_t before = e->out->len;
    gw_json_write_raw(GW_STR("output_config"), GW_STR("{"), e->out);
    size_t empty = e->out->len;
    if (effort != GW_ANTHROPIC_EFFORT_UNSET) {
        gw_json_write_member(GW_STR("effort"), levels[effort].sent, e->out);
    }
    write_format(e);
    if (e->out->err == GW_OK && e->out->len == empty) {
        e->out->len = before;
        return;
    }
    (void)gw_buf_append_byte(e->out, '}');
}

enum gw_err gw_anthropic_write_thinking(struct gw_anthropic_encoding *e)
{
    struct plan plan = {.effort = read_effort(e)};
    yyjson_val *native = gw_json_get(e->chat, "thinking");
    if (yyjson_is_obj(native)) {
        plan_native(e, native, &plan);
    } else if (plan.effort == GW_ANTHROPIC_EFFORT_NONE) {
        plan_off(e, &plan);
    } else if (plan.effort != GW_ANTHROPIC_EFFORT_UNSET) {
        plan_on(e, 0, &plan);
        if (plan.type.len > 0 && e->model->hides_thinking && !e->in->request->hides_reasoning) {
            plan.display = GW_STR("summarized");
        }
    }
    plan.effort = fit_effort(e, plan.effort);
    settle_pairs(e, &plan);
    write_plan(e, &plan);
    write_output_config(e, plan.effort);
    e->is_thinking =
        plan.type.len > 0 ? !gw_str_eq(plan.type, GW_STR("disabled")) : is_on_unasked(e->model);
    return GW_OK;
}
