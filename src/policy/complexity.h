/* SPDX-License-Identifier: MIT */
/*
 * policy/complexity - how hard a request is: low, medium or high, with the reasons.
 *
 * Source:   reference/compat.md 1.2, "Routing algorithm facts": the first five rules and the
 *           thresholds are those; the others are ours and count only for what those cannot see.
 * Shape:    one walk over the last user message's text for the words, sums over the chat for the
 *           rest. Points add up: at most 2 is low, at most 4 is medium.
 *
 *   length      tokens (bytes / 4): below 20: 0, below 100: 1, else 2; above 4,000: 3
 *   terms       1 for a technical word, 2 for more than two different ones
 *   code        1 for a fence, or two kinds of operators and brackets, or a keyword with a bracket
 *   depth       1 for "step by step", "in detail", "compare", "analyze", ...
 *   questions   1 for more than one question mark
 *   maths       1 for "prove", "integral", \frac, a formula
 *   constraints 1 for three or more of "must", "exactly", "at least", ...
 *   tools       1 for tools; turns: 1 for more than eight messages
 *   languages   1 for two or more scripts
 *
 * Units:    points
 * Limits:   the first GW_COMPLEXITY_TEXT_BYTES of a message decide: a long one is hard already
 * Memory:   none
 * Threads:  any: no state
 * Errors:   none
 */
#ifndef GW_POLICY_COMPLEXITY_H
#define GW_POLICY_COMPLEXITY_H

#include <stddef.h>
#include <stdint.h>
#include <yyjson.h>

#include "base/str.h"
#include "policy/strategy.h"

#define GW_COMPLEXITY_TEXT_BYTES (16u * 1024)

/* XX(IDENTIFIER, name) */
#define GW_COMPLEXITY_RULE_MAP(XX)                                                                 \
    XX(LENGTH, "length")                                                                           \
    XX(TERMS, "technical_terms")                                                                   \
    XX(CODE, "code")                                                                               \
    XX(DEPTH, "reasoning")                                                                         \
    XX(QUESTIONS, "questions")                                                                     \
    XX(MATHS, "maths")                                                                             \
    XX(CONSTRAINTS, "constraints")                                                                 \
    XX(TOOLS, "tools")                                                                             \
    XX(TURNS, "turns")                                                                             \
    XX(LANGUAGES, "languages")

enum gw_complexity_rule {
#define XX(id, name) GW_COMPLEXITY_##id,
    GW_COMPLEXITY_RULE_MAP(XX)
#undef XX
        GW_COMPLEXITY_RULE_COUNT
};

struct gw_complexity_score {
    enum gw_complexity complexity;
    unsigned total;
    unsigned points[GW_COMPLEXITY_RULE_COUNT];
    uint64_t tokens; /* of the text, about */
};

/* A rule of the configuration: the first whose text occurs (A-Z and a-z alike) decides. */
struct gw_complexity_override {
    struct gw_str contains; /* lower case */
    enum gw_complexity complexity;
};

/* Of a plain text: a prompt. */
struct gw_complexity_score gw_complexity_of_text(struct gw_str text);

/* Of a chat: the words of its last user message, the length of all, tools and turns. |overrides|
 * may be NULL. */
struct gw_complexity_score gw_complexity_of_chat(yyjson_val *chat,
                                                 const struct gw_complexity_override *overrides,
                                                 size_t override_count);

/* "low", "medium", "high". */
const char *gw_complexity_name(enum gw_complexity complexity);

/* The rule's name; static. */
const char *gw_complexity_rule_name(enum gw_complexity_rule rule);

#endif
