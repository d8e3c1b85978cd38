/* SPDX-License-Identifier: MIT */
/* json/schema_value - exact decimal numbers, deep equality, and values in messages. */
#include "json/schema_value.h"

#include <stdio.h>

#define SHOWN_TEXT_BYTES 40 /* of a string in a message: enough to recognise it */

__extension__ typedef unsigned __int128 wide; /* two 20-digit numbers multiplied still fit */

static struct gw_schema_number normalised(uint64_t digits, int exponent, bool is_negative)
{
    if (digits == 0) {
        return (struct gw_schema_number){0};
    }
    while (digits % 10 == 0) {
        digits /= 10;
        exponent++;
    }
    return (struct gw_schema_number){
        .digits = digits, .exponent = exponent, .is_negative = is_negative};
}

/* Reads what snprintf("%.*e") wrote: d.ddde+XX. */
static struct gw_schema_number from_scientific(const char *text)
{
    uint64_t digits = 0;
    int exponent = 0;
    bool is_negative = *text == '-';
    bool in_fraction = false;
    for (text += is_negative ? 1 : 0; *text != 'e'; text++) {
        if (*text >= '0' && *text <= '9') {
            digits = digits * 10 + (uint64_t)(*text - '0');
            exponent -= in_fraction ? 1 : 0;
        } else {
            in_fraction = true;
        }
    }
    bool exponent_is_negative = text[1] == '-';
    int written = 0;
    for (text += 2; *text != '\0'; text++) {
        written = written * 10 + (*text - '0');
    }
    return normalised(digits, exponent + (exponent_is_negative ? -written : written), is_negative);
}

/* The shortest decimal that reads back as |real|: what was written, if it had at most 15 digits. */
static bool from_real(double real, struct gw_schema_number *number)
{
    if (!(real - real <= 0)) { /* infinite or not a number */
        return false;
    }
    if (real >= -9007199254740992.0 && real <= 9007199254740992.0) {
        int64_t whole = (int64_t)real;
        if (!(real < (double)whole) && !(real > (double)whole)) {
            *number = normalised((uint64_t)(whole < 0 ? -whole : whole), 0, whole < 0);
            return true;
        }
    }
    char text[40];
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof(text), "%.*e", digits - 1, real);
        yyjson_val back;
        if (yyjson_read_number(text, &back, 0, NULL, NULL) == NULL) {
            continue;
        }
        double again = yyjson_get_num(&back);
        if (!(again < real) && !(again > real)) {
            break;
        }
    }
    *number = from_scientific(text);
    return true;
}

bool gw_schema_number_of(yyjson_val *value, struct gw_schema_number *number)
{
    if (yyjson_is_uint(value)) {
        *number = normalised(yyjson_get_uint(value), 0, false);
        return true;
    }
    if (yyjson_is_sint(value)) {
        int64_t sint = yyjson_get_sint(value);
        *number = normalised(sint < 0 ? 0 - (uint64_t)sint : (uint64_t)sint, 0, sint < 0);
        return true;
    }
    return yyjson_is_real(value) && from_real(yyjson_get_real(value), number);
}

static int digit_count(uint64_t digits)
{
    int count = 0;
    for (; digits > 0; digits /= 10) {
        count++;
    }
    return count;
}

static wide power_of_ten(int exponent)
{
    wide power = 1;
    for (int i = 0; i < exponent; i++) {
        power *= 10;
    }
    return power;
}

/* Compares without the signs. */
static int compare_magnitude(const struct gw_schema_number *a, const struct gw_schema_number *b)
{
    if (a->digits == 0 || b->digits == 0) {
        return (a->digits > 0) - (b->digits > 0);
    }
    int a_top = digit_count(a->digits) + a->exponent;
    int b_top = digit_count(b->digits) + b->exponent;
    if (a_top != b_top) {
        return a_top < b_top ? -1 : 1;
    }
    /* The same place of the first digit: the exponents differ by 19 at most. */
    int shift = a->exponent - b->exponent;
    wide left = (wide)a->digits * power_of_ten(shift > 0 ? shift : 0);
    wide right = (wide)b->digits * power_of_ten(shift < 0 ? -shift : 0);
    return (left > right) - (left < right);
}

int gw_schema_number_compare(const struct gw_schema_number *a, const struct gw_schema_number *b)
{
    if (a->is_negative != b->is_negative) {
        return a->is_negative ? -1 : 1;
    }
    int magnitude = compare_magnitude(a, b);
    return a->is_negative ? -magnitude : magnitude;
}

static uint64_t multiply_modulo(uint64_t a, uint64_t b, uint64_t modulus)
{
    return (uint64_t)((wide)a * b % modulus);
}

static uint64_t power_of_ten_modulo(unsigned exponent, uint64_t modulus)
{
    uint64_t result = 1 % modulus;
    uint64_t base = 10 % modulus;
    for (; exponent > 0; exponent >>= 1) {
        if ((exponent & 1) != 0) {
            result = multiply_modulo(result, base, modulus);
        }
        base = multiply_modulo(base, base, modulus);
    }
    return result;
}

bool gw_schema_number_is_multiple(const struct gw_schema_number *a,
                                  const struct gw_schema_number *b)
{
    if (a->digits == 0) {
        return true;
    }
    if (b->digits == 0 || a->exponent < b->exponent) {
        /* a / b = a.digits / (b.digits * 10^k) with k > 0, and a.digits does not end in 0. */
        return false;
    }
    uint64_t power = power_of_ten_modulo((unsigned)(a->exponent - b->exponent), b->digits);
    return multiply_modulo(a->digits % b->digits, power, b->digits) == 0;
}

bool gw_schema_number_is_whole(const struct gw_schema_number *number)
{
    return number->exponent >= 0;
}

/* Appends |digits| with a point before the last |fraction| of them. */
static void append_with_point(struct gw_buf *out, const char *digits, int len, int fraction)
{
    if (len > fraction) {
        gw_buf_append(out, gw_str(digits, (size_t)(len - fraction)));
    } else {
        gw_buf_append_byte(out, '0');
    }
    gw_buf_append_byte(out, '.');
    for (int i = len; i < fraction; i++) {
        gw_buf_append_byte(out, '0');
    }
    int from = len > fraction ? len - fraction : 0;
    gw_buf_append(out, gw_str(digits + from, (size_t)(len - from)));
}

void gw_schema_append_number(struct gw_buf *out, const struct gw_schema_number *number)
{
    char digits[24];
    int len = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)number->digits);
    if (number->is_negative) {
        gw_buf_append_byte(out, '-');
    }
    if (number->exponent < -20 || number->exponent + len > 21) {
        gw_buf_append(out, gw_str(digits, (size_t)len));
        gw_buf_appendf(out, "e%d", number->exponent);
    } else if (number->exponent < 0) {
        append_with_point(out, digits, len, -number->exponent);
    } else {
        gw_buf_append(out, gw_str(digits, (size_t)len));
        for (int i = 0; i < number->exponent; i++) {
            gw_buf_append_byte(out, '0');
        }
    }
}

bool gw_schema_is_too_deep(yyjson_val *value, unsigned levels_left)
{
    if (!yyjson_is_ctn(value)) {
        return false;
    }
    if (levels_left == 0) {
        return true;
    }
    size_t index = 0;
    size_t max = 0;
    yyjson_val *key = NULL;
    yyjson_val *child = NULL;
    if (yyjson_is_arr(value)) {
        yyjson_arr_foreach(value, index, max, child)
        {
            if (gw_schema_is_too_deep(child, levels_left - 1)) {
                return true;
            }
        }
        return false;
    }
    yyjson_obj_foreach(value, index, max, key, child)
    {
        if (gw_schema_is_too_deep(child, levels_left - 1)) {
            return true;
        }
    }
    return false;
}

static bool equal_numbers(yyjson_val *a, yyjson_val *b)
{
    struct gw_schema_number x;
    struct gw_schema_number y;
    return gw_schema_number_of(a, &x) && gw_schema_number_of(b, &y) &&
           gw_schema_number_compare(&x, &y) == 0;
}

static bool equal_arrays(yyjson_val *a, yyjson_val *b, struct gw_schema_allowance *allowance)
{
    if (yyjson_arr_size(a) != yyjson_arr_size(b)) {
        return false;
    }
    yyjson_val *other = yyjson_arr_get_first(b);
    size_t index = 0;
    size_t max = 0;
    yyjson_val *element = NULL;
    yyjson_arr_foreach(a, index, max, element)
    {
        if (!gw_schema_equal(element, other, allowance)) {
            return false;
        }
        other = unsafe_yyjson_get_next(other);
    }
    return true;
}

static bool equal_objects(yyjson_val *a, yyjson_val *b, struct gw_schema_allowance *allowance)
{
    if (yyjson_obj_size(a) != yyjson_obj_size(b)) {
        return false;
    }
    /* Members mostly stand in the same order, and the iterator looks at the next one first. */
    yyjson_obj_iter others = yyjson_obj_iter_with(b);
    size_t index = 0;
    size_t max = 0;
    yyjson_val *key = NULL;
    yyjson_val *value = NULL;
    yyjson_obj_foreach(a, index, max, key, value)
    {
        size_t before = others.idx;
        yyjson_val *other = yyjson_obj_iter_getn(&others, yyjson_get_str(key), yyjson_get_len(key));
        size_t passed = other != NULL && others.idx > before ? others.idx - before : max;
        if (!gw_schema_charge(allowance, passed)) {
            return false;
        }
        if (other == NULL || !gw_schema_equal(value, other, allowance)) {
            return false;
        }
    }
    return true;
}

bool gw_schema_equal(yyjson_val *a, yyjson_val *b, struct gw_schema_allowance *allowance)
{
    if (!gw_schema_charge(allowance, 1) || yyjson_get_type(a) != yyjson_get_type(b)) {
        return false;
    }
    switch (yyjson_get_type(a)) {
    case YYJSON_TYPE_NUM:
        return equal_numbers(a, b);
    case YYJSON_TYPE_STR:
        return gw_str_eq(gw_schema_text(a), gw_schema_text(b));
    case YYJSON_TYPE_BOOL:
        return yyjson_get_bool(a) == yyjson_get_bool(b);
    case YYJSON_TYPE_ARR:
        return equal_arrays(a, b, allowance);
    case YYJSON_TYPE_OBJ:
        return equal_objects(a, b, allowance);
    default:
        return true;
    }
}

static uint64_t mix(uint64_t hash, uint64_t more)
{
    hash = (hash ^ more) * 0x9e3779b97f4a7c15u;
    return hash ^ (hash >> 32);
}

static uint64_t hash_array(yyjson_val *array, struct gw_schema_allowance *allowance)
{
    uint64_t hash = 11;
    size_t index = 0;
    size_t max = 0;
    yyjson_val *element = NULL;
    yyjson_arr_foreach(array, index, max, element)
    {
        hash = mix(hash, gw_schema_hash(element, allowance));
    }
    return hash;
}

static uint64_t hash_object(yyjson_val *object, struct gw_schema_allowance *allowance)
{
    uint64_t hash = 13;
    size_t index = 0;
    size_t max = 0;
    yyjson_val *key = NULL;
    yyjson_val *value = NULL;
    yyjson_obj_foreach(object, index, max, key, value)
    {
        /* A sum, because the order of members does not matter. */
        hash += mix(gw_str_hash(gw_schema_text(key)), gw_schema_hash(value, allowance));
    }
    return hash;
}

uint64_t gw_schema_hash(yyjson_val *value, struct gw_schema_allowance *allowance)
{
    if (!gw_schema_charge(allowance, 1)) {
        return 0;
    }
    struct gw_schema_number number = {0};
    switch (yyjson_get_type(value)) {
    case YYJSON_TYPE_NUM:
        (void)gw_schema_number_of(value, &number);
        return mix(mix(number.is_negative ? 3 : 2, number.digits), (uint64_t)number.exponent);
    case YYJSON_TYPE_STR:
        return gw_str_hash(gw_schema_text(value));
    case YYJSON_TYPE_BOOL:
        return yyjson_get_bool(value) ? 5 : 6;
    case YYJSON_TYPE_ARR:
        return hash_array(value, allowance);
    case YYJSON_TYPE_OBJ:
        return hash_object(value, allowance);
    default:
        return 7;
    }
}

static void append_text(struct gw_buf *out, struct gw_str text)
{
    bool is_cut = text.len > SHOWN_TEXT_BYTES;
    if (is_cut) {
        text.len = SHOWN_TEXT_BYTES;
        while (text.len > 0 && ((unsigned char)text.ptr[text.len] & 0xc0) == 0x80) {
            text.len--; /* not in the middle of a character */
        }
    }
    gw_buf_append_byte(out, '"');
    gw_buf_append_json(out, text);
    gw_buf_append(out, is_cut ? GW_STR("...\"") : GW_STR("\""));
}

void gw_schema_append_value(struct gw_buf *out, yyjson_val *value)
{
    struct gw_schema_number number;
    switch (yyjson_get_type(value)) {
    case YYJSON_TYPE_NUM:
        if (gw_schema_number_of(value, &number)) {
            gw_schema_append_number(out, &number);
        } else {
            gw_buf_append(out, GW_STR("an infinite number"));
        }
        break;
    case YYJSON_TYPE_STR:
        append_text(out, gw_schema_text(value));
        break;
    case YYJSON_TYPE_BOOL:
        gw_buf_append(out, yyjson_get_bool(value) ? GW_STR("true") : GW_STR("false"));
        break;
    case YYJSON_TYPE_ARR:
        gw_buf_append(out,
                      yyjson_arr_size(value) == 0 ? GW_STR("an empty list") : GW_STR("a list"));
        break;
    case YYJSON_TYPE_OBJ:
        gw_buf_append(out, yyjson_obj_size(value) == 0 ? GW_STR("an empty object")
                                                       : GW_STR("an object"));
        break;
    default:
        gw_buf_append(out, GW_STR("null"));
        break;
    }
}
