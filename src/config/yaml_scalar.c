/* SPDX-License-Identifier: MIT */
/*
 * config/yaml_scalar - what a plain scalar means. PyYAML's rules (YAML 1.1) with two exceptions
 * that nobody misses: base-60 numbers stay text ("22:22" is no 1342), and "1e-5" is a number as
 * YAML 1.2 and every reader of a price list expect.
 */
#include "config/yaml_int.h"

#include <float.h>
#include <stdlib.h>

#define NUMBER_BYTES 64 /* longer runs of digits are no number anybody configures */

static const struct {
    struct gw_str text;
    struct gw_yaml_scalar value;
} words[] = {
    {GW_STR_INIT(""), {.kind = GW_YAML_IS_NULL}},
    {GW_STR_INIT("~"), {.kind = GW_YAML_IS_NULL}},
    {GW_STR_INIT("null"), {.kind = GW_YAML_IS_NULL}},
    {GW_STR_INIT("true"), {.kind = GW_YAML_IS_BOOL, .boolean = true}},
    {GW_STR_INIT("yes"), {.kind = GW_YAML_IS_BOOL, .boolean = true}},
    {GW_STR_INIT("on"), {.kind = GW_YAML_IS_BOOL, .boolean = true}},
    {GW_STR_INIT("false"), {.kind = GW_YAML_IS_BOOL}},
    {GW_STR_INIT("no"), {.kind = GW_YAML_IS_BOOL}},
    {GW_STR_INIT("off"), {.kind = GW_YAML_IS_BOOL}},
};

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

/* YAML 1.1 knows "yes", "Yes" and "YES", not "yEs". */
static bool is_word_case(struct gw_str text)
{
    size_t upper = 0;
    for (size_t i = 0; i < text.len; i++) {
        upper += is_upper(text.ptr[i]) ? 1 : 0;
    }
    return upper == 0 || upper == text.len || (upper == 1 && is_upper(text.ptr[0]));
}

static unsigned digit_value(char c)
{
    if (c >= '0' && c <= '9') {
        return (unsigned)(c - '0');
    }
    char lower = (char)(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? (unsigned)(lower - 'a') + 10 : 99;
}

/* Digits of |base| with '_' between them; false when there is anything else, or too much. */
static bool parse_digits(struct gw_str text, unsigned base, uint64_t *value)
{
    uint64_t sum = 0;
    size_t digits = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '_' && i > 0) {
            continue;
        }
        unsigned digit = digit_value(text.ptr[i]);
        if (digit >= base || __builtin_mul_overflow(sum, (uint64_t)base, &sum) ||
            __builtin_add_overflow(sum, (uint64_t)digit, &sum)) {
            return false;
        }
        digits++;
    }
    *value = sum;
    return digits > 0;
}

static bool parse_integer(struct gw_str text, uint64_t *value)
{
    static const struct {
        struct gw_str prefix;
        unsigned base;
    } forms[] = {
        {GW_STR_INIT("0x"), 16},
        {GW_STR_INIT("0b"), 2},
        {GW_STR_INIT("0o"), 8},
        {GW_STR_INIT("0"), 8},
    };
    for (size_t i = 0; i < GW_ARRAY_LEN(forms) && text.len > 1; i++) {
        if (gw_str_has_prefix(text, forms[i].prefix)) {
            return parse_digits(gw_str_skip(text, forms[i].prefix.len), forms[i].base, value);
        }
    }
    return parse_digits(text, 10, value);
}

/* Only digits, '_', one '.', an exponent: what both YAML versions call a float, and integers that
 * do not fit in 64 bits. */
static bool is_float_form(struct gw_str text)
{
    size_t digits = 0;
    size_t dots = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c >= '0' && c <= '9') {
            digits++;
        } else if (c == '.') {
            dots++;
        } else if ((c == 'e' || c == 'E') && digits > 0) {
            struct gw_str rest = gw_str_skip(text, i + 1);
            bool has_sign = rest.len > 0 && (rest.ptr[0] == '+' || rest.ptr[0] == '-');
            uint64_t exponent = 0;
            return dots <= 1 &&
                   gw_parse_u64(gw_str_skip(rest, has_sign ? 1 : 0), &exponent) == GW_OK;
        } else if (c != '_' || i == 0) {
            return false;
        }
    }
    /* Without '.' and exponent it is an integer too large for 64 bits, or like "08" text. */
    return digits > 0 && dots <= 1 && (dots == 1 || text.ptr[0] != '0');
}

static bool parse_real(struct gw_str text, double *value)
{
    char number[NUMBER_BYTES];
    size_t len = 0;
    if (!is_float_form(text) || text.len >= sizeof(number)) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] != '_') {
            number[len++] = text.ptr[i];
        }
    }
    number[len] = '\0';
    char *end = NULL;
    /* check-style: allow banned: the only correctly rounding reader of fractions there is */
    *value = strtod(number, &end); /* the program never calls setlocale(): '.' is the point */
    return end == number + len && *value <= DBL_MAX;
}

struct gw_yaml_scalar gw_yaml_resolve(struct gw_str text)
{
    for (size_t i = 0; i < GW_ARRAY_LEN(words); i++) {
        if (gw_str_eq_nocase(words[i].text, text) && is_word_case(text)) {
            return words[i].value;
        }
    }
    bool negative = text.ptr[0] == '-';
    struct gw_str digits = gw_str_skip(text, negative || text.ptr[0] == '+' ? 1 : 0);
    struct gw_yaml_scalar scalar = {.kind = GW_YAML_IS_TEXT};
    uint64_t magnitude = 0;
    if (digits.len > 0 && parse_integer(digits, &magnitude) &&
        (!negative || magnitude <= INT64_MAX)) {
        scalar.kind = negative ? GW_YAML_IS_SINT : GW_YAML_IS_UINT;
        scalar.uint = magnitude;
        scalar.sint = negative ? -(int64_t)magnitude : 0;
    } else if (parse_real(digits, &scalar.real)) {
        scalar.kind = GW_YAML_IS_REAL;
        scalar.real = negative ? -scalar.real : scalar.real;
    }
    return scalar;
}
