/* SPDX-License-Identifier: MIT */
/* llm/price - decimal texts to whole nano-USD, digit by digit. */
#include "llm/model_facts.h"

/* USD per token to nano-USD per million tokens. */
#define SCALE_POWER 15
/* 10^18 is the last power of ten that fits; a dollar per token is 10^15. */
#define MAX_PRICE ((uint64_t)1000000000000000)

struct decimal {
    uint64_t digits; /* the significant ones */
    int power;       /* of ten, to be multiplied by */
    bool has_digit;
    bool is_cut; /* digits behind the 18th were left out, of which the first was */
    unsigned next_digit;
};

/* One more digit; those behind the point lower the power. */
static void add_digit(struct decimal *number, unsigned digit, bool is_fraction)
{
    number->has_digit = true;
    if (!number->is_cut && number->digits < MAX_PRICE * 100) {
        number->digits = number->digits * 10 + digit;
        number->power -= is_fraction ? 1 : 0;
        return;
    }
    number->next_digit = number->is_cut ? number->next_digit : digit;
    number->is_cut = true;
    number->power += is_fraction ? 0 : 1;
}

static size_t read_digits(struct gw_str text, struct decimal *number)
{
    bool is_fraction = false;
    size_t i = 0;
    for (; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '.' && !is_fraction) {
            is_fraction = true;
        } else if (c >= '0' && c <= '9') {
            add_digit(number, (unsigned)(c - '0'), is_fraction);
        } else {
            break;
        }
    }
    return i;
}

/* "e-06"; false when it is something else. */
static bool read_exponent(struct gw_str text, struct decimal *number)
{
    if (text.len == 0) {
        return true;
    }
    if (text.ptr[0] != 'e' && text.ptr[0] != 'E') {
        return false;
    }
    text = gw_str_skip(text, 1);
    bool is_negative = gw_str_has_prefix(text, GW_STR("-"));
    text = gw_str_skip(text, is_negative || gw_str_has_prefix(text, GW_STR("+")) ? 1 : 0);
    uint64_t exponent = 0;
    if (gw_parse_u64(text, &exponent) != GW_OK || exponent > 1000) {
        return false;
    }
    number->power += is_negative ? -(int)exponent : (int)exponent;
    return true;
}

enum gw_err gw_price_parse_per_token(struct gw_str text, int64_t *price)
{
    struct decimal number = {0};
    if (text.len > 64) { /* a double's shortest form has 24 characters */
        return GW_ERR_INVALID;
    }
    size_t used = read_digits(text, &number);
    if (!number.has_digit || !read_exponent(gw_str_skip(text, used), &number)) {
        return GW_ERR_INVALID;
    }
    uint64_t value = number.digits;
    unsigned last = number.is_cut ? number.next_digit : 0; /* the first digit that was dropped */
    int power = number.power + SCALE_POWER;
    for (; power < 0 && (value > 0 || last > 0); power++) {
        last = (unsigned)(value % 10);
        value /= 10;
    }
    for (; power > 0 && value > 0; power--) {
        if (value >= MAX_PRICE) {
            return GW_ERR_TOO_LARGE;
        }
        value *= 10;
    }
    value += last >= 5 ? 1 : 0;
    if (value >= MAX_PRICE) {
        return GW_ERR_TOO_LARGE;
    }
    *price = (int64_t)value;
    return GW_OK;
}
