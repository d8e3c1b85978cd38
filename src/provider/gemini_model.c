/* SPDX-License-Identifier: MIT */
/* provider/gemini_model - what a model's name tells, and reasoning_effort in the words of each
 * family (gemini.md section 3). */
#include "provider/gemini_int.h"
#include "json/value.h"
#include "json/write.h"

struct gw_str gw_gemini_model_name(struct gw_str name)
{
    static const struct gw_str fronts[] = {GW_STR_INIT("models/"), GW_STR_INIT("google/")};
    for (size_t i = 0; i < GW_ARRAY_LEN(fronts); i++) {
        if (gw_str_has_prefix(name, fronts[i])) {
            name = gw_str_skip(name, fronts[i].len);
        }
    }
    return name;
}

static bool holds(struct gw_str text, struct gw_str word)
{
    return gw_str_find(text, word) < text.len;
}

/* "2.5-flash" is 205, "4-argon" is 400; one or two digits each, else 0. */
static unsigned read_version(struct gw_str text)
{
    unsigned parts[2] = {0, 0};
    size_t at = 0;
    for (size_t part = 0; part < 2; part++) {
        size_t digits = 0;
        while (at < text.len && text.ptr[at] >= '0' && text.ptr[at] <= '9') {
            parts[part] = parts[part] * 10 + (unsigned)(text.ptr[at] - '0');
            at++;
            digits++;
            if (digits > 2) {
                return 0;
            }
        }
        if (at == text.len || text.ptr[at] != '.') {
            break;
        }
        at++;
    }
    return at == text.len || text.ptr[at] == '-' ? parts[0] * 100 + parts[1] : 0;
}

static enum gw_gemini_line read_line(struct gw_str name)
{
    if (holds(name, GW_STR("flash"))) {
        return holds(name, GW_STR("lite")) ? GW_GEMINI_FLASH_LITE : GW_GEMINI_FLASH;
    }
    if (holds(name, GW_STR("neon")) || holds(name, GW_STR("hydrogen"))) {
        return GW_GEMINI_DEEP;
    }
    return holds(name, GW_STR("-pro")) ? GW_GEMINI_PRO : GW_GEMINI_OTHER;
}

struct gw_gemini_model gw_gemini_model_of(struct gw_str name)
{
    struct gw_gemini_model model = {0};
    const struct gw_str front = GW_STR("gemini-");
    name = gw_gemini_model_name(name);
    model.is_gemma = gw_str_has_prefix(name, GW_STR("gemma"));
    if (!gw_str_has_prefix(name, front)) {
        return model;
    }
    model.line = read_line(name);
    model.version = read_version(gw_str_skip(name, front.len));
    if (model.version == 0 && gw_str_has_suffix(name, GW_STR("-latest"))) {
        model.version = model.line == GW_GEMINI_PRO ? GW_GEMINI_3_1 : GW_GEMINI_3_7;
    }
    bool is_other_kind = holds(name, GW_STR("embedding")) || holds(name, GW_STR("-tts")) ||
                         (model.version < GW_GEMINI_3 && holds(name, GW_STR("-image")));
    model.can_think = model.version >= GW_GEMINI_2_5 && !is_other_kind;
    return model;
}

/* ---- thinking ---- */

enum effort {
    EFFORT_NONE,
    EFFORT_MINIMAL,
    EFFORT_LOW,
    EFFORT_MEDIUM,
    EFFORT_HIGH,
    EFFORT_XHIGH,
    EFFORT_MAX,
    EFFORT_COUNT,
};

#define BIT(effort) (1u << EFFORT_##effort)

static const struct gw_str effort_names[EFFORT_COUNT] = {
    [EFFORT_NONE] = GW_STR_INIT("none"), [EFFORT_MINIMAL] = GW_STR_INIT("minimal"),
    [EFFORT_LOW] = GW_STR_INIT("low"),   [EFFORT_MEDIUM] = GW_STR_INIT("medium"),
    [EFFORT_HIGH] = GW_STR_INIT("high"), [EFFORT_XHIGH] = GW_STR_INIT("xhigh"),
    [EFFORT_MAX] = GW_STR_INIT("max"),
};

/* Of 2.5, in tokens (gemini.md section 3). */
static const uint64_t effort_budgets[EFFORT_COUNT] = {0, 512, 1024, 8192, 24576, 24576, 24576};

#define BUDGET_MAX_FLASH 24576u
#define BUDGET_MIN_LITE  512u
#define BUDGET_MIN_PRO   128u
#define BUDGET_MAX_PRO   32768u

/* What the client asked for. */
struct wish {
    bool is_set;
    bool has_budget; /* in tokens, as Anthropic's clients say it */
    uint64_t budget;
    enum effort effort;
};

static bool find_effort(struct gw_str name, enum effort *effort)
{
    for (unsigned i = 0; i < EFFORT_COUNT; i++) {
        if (gw_str_eq(name, effort_names[i])) {
            *effort = (enum effort)i;
            return true;
        }
    }
    return false;
}

static enum effort effort_of_budget(uint64_t budget)
{
    if (budget <= 1024) {
        return budget == 0 ? EFFORT_NONE : EFFORT_LOW;
    }
    return budget <= 8192 ? EFFORT_MEDIUM : EFFORT_HIGH;
}

static struct wish read_wish(struct gw_gemini_encoding *e)
{
    struct wish wish = {.effort = EFFORT_MEDIUM};
    struct gw_str name = gw_json_get_text(e->chat, "reasoning_effort");
    yyjson_val *thinking = gw_json_get(e->chat, "thinking");
    struct gw_str type = gw_json_get_text(thinking, "type");
    uint64_t budget = gw_json_get_u64(thinking, "budget_tokens", 0);
    if (name.ptr != NULL) {
        wish.is_set = find_effort(name, &wish.effort);
        if (!wish.is_set) {
            gw_notes_add(e->notes, GW_NOTE_DROPPED, GW_STR("reasoning_effort"),
                         GW_STR("Gemini has no such level."));
        }
    } else if (gw_str_eq(type, GW_STR("disabled"))) {
        wish = (struct wish){.is_set = true, .effort = EFFORT_NONE};
    } else if (type.ptr != NULL) {
        wish.is_set = true;
    }
    if (budget > 0 && gw_str_eq(type, GW_STR("enabled"))) {
        wish.has_budget = true;
        wish.budget = budget;
        wish.effort = name.ptr != NULL ? wish.effort : effort_of_budget(budget);
    }
    return wish;
}

static unsigned levels_of(const struct gw_gemini_model *model)
{
    unsigned levels = BIT(LOW) | BIT(MEDIUM) | BIT(HIGH);
    if (model->version >= GW_GEMINI_4) {
        return model->line == GW_GEMINI_DEEP ? levels | BIT(XHIGH) : levels;
    }
    switch (model->line) {
    case GW_GEMINI_FLASH:
        return model->version < GW_GEMINI_3_7 ? levels | BIT(MINIMAL) : levels;
    case GW_GEMINI_FLASH_LITE:
        return levels | BIT(MINIMAL);
    case GW_GEMINI_PRO:
    case GW_GEMINI_OTHER:
    case GW_GEMINI_DEEP:
        break;
    }
    return model->version < GW_GEMINI_3_1 ? BIT(LOW) | BIT(HIGH) : levels;
}

/* The level itself, else the next above it, else the highest there is. */
static enum effort nearest_level(unsigned levels, enum effort wanted)
{
    unsigned found = EFFORT_COUNT;
    for (unsigned i = 0; i < EFFORT_COUNT; i++) {
        if ((levels & (1u << i)) != 0) {
            found = i;
            if (i >= wanted) {
                break;
            }
        }
    }
    return (enum effort)found;
}

static void write_level(struct gw_gemini_encoding *e, const struct wish *wish)
{
    enum effort level = nearest_level(levels_of(&e->model), wish->effort);
    gw_notes_add(e->notes, level == wish->effort ? GW_NOTE_MAPPED : GW_NOTE_CHANGED,
                 GW_STR("reasoning_effort"),
                 gw_arena_printf(e->in->arena, "Sent as thinkingLevel " GW_STR_FMT ".",
                                 GW_STR_ARG(effort_names[level])));
    gw_json_write_member(GW_STR("thinkingLevel"), effort_names[level], e->out);
}

static uint64_t clamp(uint64_t value, uint64_t low, uint64_t high)
{
    uint64_t raised = value < low ? low : value;
    return raised > high ? high : raised;
}

static uint64_t budget_of(const struct gw_gemini_model *model, const struct wish *wish)
{
    uint64_t budget = wish->has_budget ? wish->budget : effort_budgets[wish->effort];
    if (model->line == GW_GEMINI_PRO) {
        bool is_most = !wish->has_budget && wish->effort > EFFORT_HIGH;
        return is_most ? BUDGET_MAX_PRO : clamp(budget, BUDGET_MIN_PRO, BUDGET_MAX_PRO);
    }
    uint64_t least = model->line == GW_GEMINI_FLASH_LITE && budget > 0 ? BUDGET_MIN_LITE : 0;
    return clamp(budget, least, BUDGET_MAX_FLASH);
}

static void write_budget(struct gw_gemini_encoding *e, const struct wish *wish)
{
    uint64_t budget = budget_of(&e->model, wish);
    bool is_changed =
        wish->has_budget ? budget != wish->budget : wish->effort == EFFORT_NONE && budget > 0;
    gw_notes_add(e->notes, is_changed ? GW_NOTE_CHANGED : GW_NOTE_MAPPED,
                 wish->has_budget ? GW_STR("thinking.budget_tokens") : GW_STR("reasoning_effort"),
                 gw_arena_printf(e->in->arena, "Sent as a thinkingBudget of %llu tokens.",
                                 (unsigned long long)budget));
    gw_json_write_count(GW_STR("thinkingBudget"), budget, e->out);
}

void gw_gemini_write_thinking(struct gw_gemini_encoding *e)
{
    struct wish wish = read_wish(e);
    if (!wish.is_set) {
        return;
    }
    if (!e->model.can_think) {
        if (wish.effort != EFFORT_NONE) {
            gw_notes_add(e->notes, GW_NOTE_DROPPED, GW_STR("reasoning_effort"),
                         GW_STR("This model does not think."));
        }
        return;
    }
    gw_json_write_key(GW_STR("thinkingConfig"), e->out);
    (void)gw_buf_append_byte(e->out, '{');
    bool is_free = gw_json_get_text(e->chat, "reasoning_effort").ptr == NULL && !wish.has_budget &&
                   wish.effort != EFFORT_NONE;
    if (!is_free && e->model.version < GW_GEMINI_3) {
        write_budget(e, &wish);
    } else if (!is_free) {
        write_level(e, &wish);
    }
    if (wish.effort != EFFORT_NONE || wish.has_budget) {
        gw_json_write_raw(GW_STR("includeThoughts"), GW_STR("true"), e->out);
    }
    (void)gw_buf_append_byte(e->out, '}');
}
