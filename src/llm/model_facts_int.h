/* SPDX-License-Identifier: MIT */
/*
 * llm/model_facts_int - the table that model_facts.py writes.
 *
 * Source:   model_facts.json
 * Shape:    rows in the file's order
 * Units:    as in model_facts.h
 * Limits:   none
 * Memory:   static
 * Threads:  any (immutable)
 * Errors:   none
 */
#ifndef GW_LLM_MODEL_FACTS_INT_H
#define GW_LLM_MODEL_FACTS_INT_H

#include <stddef.h>

#include "llm/model_facts.h"

struct gw_model_row {
    struct gw_str provider;
    struct gw_str model;
    bool has_premium; /* costs 10 % more outside the global endpoint */
    struct gw_model_facts facts;
};

enum gw_model_premium {
    GW_PREMIUM_NEVER,
    GW_PREMIUM_REGIONAL, /* where the region is not "global" */
    GW_PREMIUM_ALWAYS,
};

/* Where |provider| has no row: that of |use|, by the name without |strip|. */
struct gw_model_rule {
    struct gw_str provider;
    struct gw_str use;
    struct gw_str strip;
    enum gw_model_premium premium;
};

/* The models, as in the file. */
extern const struct gw_model_row gw_model_rows[];
/* How many. */
extern const size_t gw_model_row_count;
/* The rules, in the order they are tried. */
extern const struct gw_model_rule gw_model_rules[];
/* How many. */
extern const size_t gw_model_rule_count;

#endif
