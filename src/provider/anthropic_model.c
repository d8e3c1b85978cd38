/* SPDX-License-Identifier: MIT */
/* provider/anthropic_model - what a model's name tells of its abilities (anthropic.md sections 3
 * and 7). */
#include "provider/anthropic_int.h"

#define BIT(level)      (1u << GW_ANTHROPIC_EFFORT_##level)
#define EFFORTS_TO_HIGH (BIT(LOW) | BIT(MEDIUM) | BIT(HIGH))
#define EFFORTS_TO_MAX  (EFFORTS_TO_HIGH | BIT(MAX))
#define EFFORTS_ALL     (EFFORTS_TO_MAX | BIT(XHIGH))

struct row {
    struct gw_str family;
    unsigned version; /* from this on: major times 100 plus minor */
    struct gw_anthropic_model model;
};

/* Newest first within a family. Haiku 5.5's forced tools and Sonnet 5's tables are as the page has
 * them; what is older than the page speaks of takes what 3.x took. */
static const struct row rows[] = {
    {GW_STR_INIT("fable"),
     0,
     {GW_ANTHROPIC_THINKS_ALWAYS, GW_ANTHROPIC_FORCES_NEVER, EFFORTS_ALL, false, false, true, true,
      true, 128000}},
    {GW_STR_INIT("mythos"),
     0,
     {GW_ANTHROPIC_THINKS_ALWAYS, GW_ANTHROPIC_FORCES_NEVER, EFFORTS_ALL, false, false, true, true,
      true, 128000}},
    {GW_STR_INIT("opus"),
     505,
     {GW_ANTHROPIC_THINKS_ALWAYS, GW_ANTHROPIC_FORCES_NEVER, EFFORTS_ALL, false, false, true, true,
      true, 128000}},
    {GW_STR_INIT("opus"),
     500,
     {GW_ANTHROPIC_THINKS_ADAPTIVE, GW_ANTHROPIC_FORCES_UNTHINKING, EFFORTS_ALL, false, false, true,
      true, true, 128000}},
    {GW_STR_INIT("opus"),
     408,
     {GW_ANTHROPIC_THINKS_ON_DEMAND, GW_ANTHROPIC_FORCES_UNTHINKING, EFFORTS_ALL, false, false,
      true, true, true, 128000}},
    {GW_STR_INIT("opus"),
     407,
     {GW_ANTHROPIC_THINKS_ON_DEMAND, GW_ANTHROPIC_FORCES_UNTHINKING, EFFORTS_ALL, false, false,
      true, false, true, 128000}},
    {GW_STR_INIT("opus"),
     406,
     {GW_ANTHROPIC_THINKS_EITHER, GW_ANTHROPIC_FORCES_UNTHINKING, EFFORTS_TO_MAX, true, false, true,
      false, false, 128000}},
    {GW_STR_INIT("opus"),
     405,
     {GW_ANTHROPIC_THINKS_BY_BUDGET, GW_ANTHROPIC_FORCES_UNTHINKING, EFFORTS_TO_HIGH, true, false,
      true, false, false, 64000}},
    {GW_STR_INIT("opus"),
     400,
     {GW_ANTHROPIC_THINKS_BY_BUDGET, GW_ANTHROPIC_FORCES_UNTHINKING, 0, true, true, false, false,
      false, 32000}},
    {GW_STR_INIT("sonnet"),
     505,
     {GW_ANTHROPIC_THINKS_BETWEEN, GW_ANTHROPIC_FORCES_NEVER, EFFORTS_ALL, false, false, true, true,
      true, 128000}},
    {GW_STR_INIT("sonnet"),
     500,
     {GW_ANTHROPIC_THINKS_ADAPTIVE, GW_ANTHROPIC_FORCES_UNTHINKING, EFFORTS_ALL, false, false, true,
      false, true, 128000}},
    {GW_STR_INIT("sonnet"),
     406,
     {GW_ANTHROPIC_THINKS_EITHER, GW_ANTHROPIC_FORCES_UNTHINKING, EFFORTS_TO_MAX, true, false, true,
      false, false, 128000}},
    {GW_STR_INIT("sonnet"),
     405,
     {GW_ANTHROPIC_THINKS_BY_BUDGET, GW_ANTHROPIC_FORCES_UNTHINKING, 0, true, false, true, false,
      false, 64000}},
    {GW_STR_INIT("sonnet"),
     307,
     {GW_ANTHROPIC_THINKS_BY_BUDGET, GW_ANTHROPIC_FORCES_UNTHINKING, 0, true, true, false, false,
      false, 64000}},
    {GW_STR_INIT("haiku"),
     500,
     {GW_ANTHROPIC_THINKS_ADAPTIVE, GW_ANTHROPIC_FORCES_ALWAYS, EFFORTS_ALL, false, false, true,
      false, true, 128000}},
    {GW_STR_INIT("haiku"),
     405,
     {GW_ANTHROPIC_THINKS_BY_BUDGET, GW_ANTHROPIC_FORCES_UNTHINKING, 0, true, false, true, false,
      false, 64000}},
};

static const struct gw_anthropic_model old_model = {.thinking = GW_ANTHROPIC_THINKS_NEVER,
                                                    .forcing = GW_ANTHROPIC_FORCES_ALWAYS,
                                                    .samples = true,
                                                    .samples_both = true,
                                                    .max_output_tokens = 8192};

/* Nothing is taken away from a request that a model we do not know may serve. */
static const struct gw_anthropic_model unknown_model = {.thinking = GW_ANTHROPIC_THINKS_EITHER,
                                                        .forcing = GW_ANTHROPIC_FORCES_UNTHINKING,
                                                        .efforts = EFFORTS_ALL,
                                                        .samples = true,
                                                        .samples_both = true,
                                                        .has_schemas = true};

static bool is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

/* The number at the front of *text, cut off; 0 when there is none or when it is a date. */
static unsigned cut_number(struct gw_str *text)
{
    unsigned number = 0;
    size_t len = 0;
    while (len < text->len && is_digit(text->ptr[len])) {
        number = len < 3 ? number * 10 + (unsigned)(text->ptr[len] - '0') : number;
        len++;
    }
    *text = gw_str_skip(*text, len);
    return len <= 2 ? number : 0;
}

/* "-4-5-20251101" and ".5" are version numbers; 405 here. */
static unsigned read_version(struct gw_str text)
{
    if (text.len == 0 || text.ptr[0] != '-') {
        return 0;
    }
    text = gw_str_skip(text, 1);
    unsigned major = cut_number(&text);
    if (major == 0 || text.len < 2 || (text.ptr[0] != '-' && text.ptr[0] != '.')) {
        return major * 100;
    }
    text = gw_str_skip(text, 1);
    return major * 100 + cut_number(&text);
}

const struct gw_anthropic_model *gw_anthropic_model_of(struct gw_str name)
{
    static const struct gw_str claude = GW_STR_INIT("claude");
    size_t at = gw_str_find(name, claude);
    if (at == name.len) {
        return &unknown_model;
    }
    struct gw_str rest = gw_str_skip(name, at + claude.len);
    unsigned before = read_version(rest); /* claude-3-7-sonnet */
    for (size_t i = 0; i < GW_ARRAY_LEN(rows); i++) {
        size_t family = gw_str_find(rest, rows[i].family);
        if (family == rest.len) {
            continue;
        }
        unsigned version = read_version(gw_str_skip(rest, family + rows[i].family.len));
        version = version != 0 ? version : before;
        if (version == 0 || version >= rows[i].version) { /* no number: the newest */
            return &rows[i].model;
        }
    }
    return before != 0 && before < 400 ? &old_model : &unknown_model;
}
