/* SPDX-License-Identifier: MIT */
/*
 * json/schema_value - numbers, equality and short texts of JSON values, as JSON Schema means them.
 * Only json/ includes this.
 *
 * Source:   JSON Schema core 2020-12, 4.2.2 "Instance Equality"; validation 6.2.
 * Shape:    a number is digits times a power of ten, exactly as it was written.
 * Units:    none
 * Limits:   gw_schema_equal() and gw_schema_hash() are charged per value they visit.
 * Memory:   allocates nothing.
 * Threads:  any
 * Errors:   none
 */
#ifndef GW_JSON_SCHEMA_VALUE_H
#define GW_JSON_SCHEMA_VALUE_H

#include <stdbool.h>
#include <stdint.h>
#include <yyjson.h>

#include "base/buf.h"
#include "base/str.h"

/* (-1)^is_negative * digits * 10^exponent; digits does not end in 0, and zero is all zero. */
struct gw_schema_number {
    uint64_t digits;
    int exponent;
    bool is_negative;
};

/* What is left of the work that one check may do; negative once it was used up. */
struct gw_schema_allowance {
    int64_t steps;
};

/* Takes |steps| off; returns false when nothing is left. */
static inline bool gw_schema_charge(struct gw_schema_allowance *allowance, size_t steps)
{
    allowance->steps -= (int64_t)(steps < INT32_MAX ? steps : INT32_MAX);
    if (allowance->steps < 0) {
        allowance->steps = -1;
        return false;
    }
    return true;
}

/* Reads a number value; false when it is none (also for infinities, which JSON cannot write). */
bool gw_schema_number_of(yyjson_val *value, struct gw_schema_number *number);

/* Less than, equal to or greater than 0 as |a| is less than, equal to or greater than |b|. */
int gw_schema_number_compare(const struct gw_schema_number *a, const struct gw_schema_number *b);

/* Is |a| a whole multiple of |b|, which is not zero? */
bool gw_schema_number_is_multiple(const struct gw_schema_number *a,
                                  const struct gw_schema_number *b);

/* Has it no fraction? */
bool gw_schema_number_is_whole(const struct gw_schema_number *number);

/* Appends a number as people write it: 0.01, 65535, 1e+300. */
void gw_schema_append_number(struct gw_buf *out, const struct gw_schema_number *number);

/* Do objects and lists nest in more than |levels_left| levels? */
bool gw_schema_is_too_deep(yyjson_val *value, unsigned levels_left);

/* Same value? 1 and 1.0 are, whatever the order of members is. False too when the allowance is used
 * up. */
bool gw_schema_equal(yyjson_val *a, yyjson_val *b, struct gw_schema_allowance *allowance);

/* Equal values have equal hashes. */
uint64_t gw_schema_hash(yyjson_val *value, struct gw_schema_allowance *allowance);

/* Appends a value for a message: scalars as JSON, long text cut, "a list", "an object". */
void gw_schema_append_value(struct gw_buf *out, yyjson_val *value);

/* A string value's text. */
static inline struct gw_str gw_schema_text(yyjson_val *string)
{
    return gw_str(yyjson_get_str(string), yyjson_get_len(string));
}

#endif
