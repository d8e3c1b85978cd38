/* SPDX-License-Identifier: MIT */
/*
 * json/schema_check - what the files that check an instance share. Only json/ includes this.
 *
 * Source:   JSON Schema 2020-12 core, sections 7, 10 and 11; validation, section 6.
 * Shape:    a frame is one schema applied to one value; frames are linked from the innermost
 *           outwards, which is the dynamic scope of $dynamicRef. Each group of keywords is one
 *           function over a frame.
 * Units:    none
 * Limits:   GW_SCHEMA_MAX_FRAMES frames in each other, GW_SCHEMA_MAX_STEPS of work; beyond them the
 *           check ends as failed.
 * Memory:   frames and places live on the C stack; marks in the scratch stack of the check; texts
 *           in the caller's arena.
 * Threads:  not shared
 * Errors:   a false verdict; what is wrong goes into the report when one is asked for.
 */
#ifndef GW_JSON_SCHEMA_CHECK_H
#define GW_JSON_SCHEMA_CHECK_H

#include "base/compiler.h"
#include "json/schema.h"
#include "json/schema_node.h"

/* Real schemas stay below 100; some 600 bytes of stack each keep this below 1 MiB. */
#define GW_SCHEMA_MAX_FRAMES 1000
/* A quarter of a second, or some hundred hard patterns. A configuration of 1 MB takes 3 ms. */
#define GW_SCHEMA_MAX_STEPS 5000000
/* 8 MiB: one bit per member or element, once per level that has unevaluated keywords. */
#define GW_SCHEMA_MAX_SCRATCH_WORDS (1024u * 1024)

/* Where a value stands in the instance. */
struct gw_schema_place {
    const struct gw_schema_place *up;
    struct gw_str name; /* of a member; NULL for an element */
    size_t index;
};

/* Which members or elements of one value were evaluated: bits in the scratch stack of the check. */
struct gw_schema_marks {
    size_t from; /* in words */
    size_t count;
};

enum gw_schema_mode {
    GW_SCHEMA_VERDICT, /* stop at the first failure, tell nothing */
    GW_SCHEMA_PROBE,   /* go on and count, to see how far off a value is */
    GW_SCHEMA_REPORT,  /* go on and tell */
};

/* What a probe of a branch found. */
struct gw_schema_probe {
    const yyjson_val *value; /* the one the branch was applied to */
    unsigned misfits;        /* weighted number of failures */
    bool is_other_kind;      /* the value itself has another type, or is none of the constants */
};

struct gw_schema_checking {
    struct gw_schema_report *report;
    struct gw_arena *arena;
    enum gw_schema_mode mode;
    struct gw_schema_probe *probe;
    struct gw_schema_allowance allowance;
    bool is_aborted; /* a limit was reached: everything fails from here on */
    struct gw_schema_matcher *matcher;
    uint64_t *words;
    size_t words_used;
    size_t words_capacity;
};

struct gw_schema_frame {
    const struct gw_schema_frame *up;
    const struct gw_schema_node *node;
    yyjson_val *value;
    const struct gw_schema_place *place;
    struct gw_schema_marks *marks; /* NULL: nobody asks what was evaluated */
    unsigned depth;
    bool hides_value;
};

/* A group of keywords. Returns whether the value agrees with them; in verdict mode the first
 * failure ends it. */
typedef bool gw_schema_check_fn(struct gw_schema_checking *check,
                                const struct gw_schema_frame *frame);

/* "type", "enum", "const". */
gw_schema_check_fn gw_schema_check_kind;
/* "minimum" and the other limits, "multipleOf". */
gw_schema_check_fn gw_schema_check_number;
/* "minLength", "maxLength", "pattern", "format". */
gw_schema_check_fn gw_schema_check_string;
/* "prefixItems", "items", "contains" and the sizes. */
gw_schema_check_fn gw_schema_check_array;
/* "properties" and its kin, "dependentSchemas" and the sizes. */
gw_schema_check_fn gw_schema_check_object;
/* "minItems", "maxItems", "uniqueItems"; the value is an array. */
gw_schema_check_fn gw_schema_check_array_size;
/* "minProperties", "maxProperties", "required", "dependentRequired"; the value is an object. */
gw_schema_check_fn gw_schema_check_object_size;
/* "$ref", "$dynamicRef", "allOf", "anyOf", "oneOf", "not", "if". */
gw_schema_check_fn gw_schema_check_in_place;
/* "unevaluatedItems", "unevaluatedProperties"; after all others. */
gw_schema_check_fn gw_schema_check_unevaluated;

/*
 * Applies |node| to |value| at |place|, inside |up| (NULL at the root). |marks|, which may be NULL,
 * are those of |value|: they get the members and elements evaluated here.
 */
bool gw_schema_apply(struct gw_schema_checking *check, const struct gw_schema_frame *up,
                     const struct gw_schema_node *node, yyjson_val *value,
                     const struct gw_schema_place *place, struct gw_schema_marks *marks);

/* The same, to the value of |frame| itself. */
bool gw_schema_apply_here(struct gw_schema_checking *check, const struct gw_schema_frame *frame,
                          const struct gw_schema_node *node, struct gw_schema_marks *marks);

/* The same with nothing told; whatever the mode is. */
bool gw_schema_agrees(struct gw_schema_checking *check, const struct gw_schema_frame *up,
                      const struct gw_schema_node *node, yyjson_val *value,
                      const struct gw_schema_place *place, struct gw_schema_marks *marks);

/* Must the check stop after a failure? */
static inline bool gw_schema_stops(const struct gw_schema_checking *check)
{
    return check->mode == GW_SCHEMA_VERDICT || check->is_aborted;
}

/* Ends the whole check as failed: |why| is told once. Returns false. */
bool gw_schema_abort(struct gw_schema_checking *check, const struct gw_schema_frame *frame,
                     const char *why);

/* Takes work off the allowance; false, with the check aborted, when nothing is left. */
bool gw_schema_work(struct gw_schema_checking *check, const struct gw_schema_frame *frame,
                    size_t steps);

/* Does |text| match? A pattern that is too hard for the text aborts the check. */
bool gw_schema_matches(struct gw_schema_checking *check, const struct gw_schema_frame *frame,
                       const struct gw_schema_pattern *pattern, struct gw_str text);

/* Begins fresh marks for |count| members or elements; false, with the check aborted, when there is
 * no memory. */
bool gw_schema_marks_begin(struct gw_schema_checking *check, const struct gw_schema_frame *frame,
                           size_t count, struct gw_schema_marks *marks);

/* Ends the marks begun last. */
void gw_schema_marks_end(struct gw_schema_checking *check, const struct gw_schema_marks *marks);

/* Marks one member or element; |marks| may be NULL. */
void gw_schema_mark(struct gw_schema_checking *check, const struct gw_schema_marks *marks,
                    size_t index);

/* Is it marked? */
bool gw_schema_is_marked(const struct gw_schema_checking *check,
                         const struct gw_schema_marks *marks, size_t index);

/* Adds the marks of |from| to |to|, which may be NULL. */
void gw_schema_marks_merge(struct gw_schema_checking *check, const struct gw_schema_marks *to,
                           const struct gw_schema_marks *from);

/* How many members or elements |value| has; 0 for scalars. */
static inline size_t gw_schema_child_count(yyjson_val *value)
{
    return yyjson_is_ctn(value) ? unsafe_yyjson_get_len(value) : 0;
}

#endif
