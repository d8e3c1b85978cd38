/* SPDX-License-Identifier: MIT */
/* policy/rate_headers - a table of names, and one reader of waits in every notation. */
#include "policy/rate_headers.h"

#include <time.h>

/* Numbers above are times since 1970: in seconds that was 2001, in milliseconds 1970-04. */
#define EPOCH_S_MIN  UINT64_C(1000000000)
#define EPOCH_MS_MIN UINT64_C(1000000000000)
#define DATE_BYTES   40 /* longest of the dates is 35 */

/* ---- waits ---- */

static uint64_t bounded(uint64_t ms)
{
    return ms < GW_RATE_HEADERS_MAX_MS ? ms : GW_RATE_HEADERS_MAX_MS;
}

static uint64_t until(uint64_t at_ms, uint64_t wall_ms)
{
    return at_ms > wall_ms ? bounded(at_ms - wall_ms) : 0;
}

/* |text| as seconds since 1970 by strptime(3)'s |format|; what follows goes to *rest. */
static bool parse_date(struct gw_str text, const char *format, uint64_t *seconds,
                       struct gw_str *rest)
{
    char copy[DATE_BYTES + 1];
    struct tm parts = {0};
    if (text.len > DATE_BYTES) {
        return false;
    }
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    const char *end = strptime(copy, format, &parts);
    if (end == NULL) {
        return false;
    }
    time_t at = timegm(&parts);
    *seconds = at > 0 ? (uint64_t)at : 0;
    *rest = gw_str_skip(text, (size_t)(end - copy));
    return true;
}

/* Behind an RFC 3339 time's seconds: a fraction, then Z or an offset. *seconds is corrected. */
static bool apply_zone(struct gw_str rest, uint64_t *seconds)
{
    size_t at = 0;
    if (rest.len > 0 && rest.ptr[0] == '.') {
        for (at = 1; at < rest.len && rest.ptr[at] >= '0' && rest.ptr[at] <= '9'; at++) {
        }
    }
    rest = gw_str_skip(rest, at);
    if (gw_str_eq_nocase(rest, GW_STR("z"))) {
        return true;
    }
    uint64_t hours = 0;
    uint64_t minutes = 0;
    if (rest.len != 6 || (rest.ptr[0] != '+' && rest.ptr[0] != '-') || rest.ptr[3] != ':' ||
        gw_parse_u64(gw_str(rest.ptr + 1, 2), &hours) != GW_OK ||
        gw_parse_u64(gw_str(rest.ptr + 4, 2), &minutes) != GW_OK) {
        return false;
    }
    uint64_t offset = hours * 3600 + minutes * 60;
    if (rest.ptr[0] == '-') {
        *seconds += offset;
    } else {
        *seconds = *seconds > offset ? *seconds - offset : 0;
    }
    return true;
}

static uint64_t parse_number(struct gw_str text, uint64_t wall_ms)
{
    uint64_t number = 0;
    enum gw_err err = gw_parse_u64(text, &number);
    if (err == GW_ERR_OVERFLOW) {
        return GW_RATE_HEADERS_MAX_MS;
    }
    if (err != GW_OK) {
        return 0;
    }
    if (number >= EPOCH_MS_MIN) {
        return until(number, wall_ms);
    }
    if (number >= EPOCH_S_MIN) {
        return until(number * 1000, wall_ms);
    }
    return bounded(number * 1000);
}

static bool is_digits(struct gw_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9') {
            return false;
        }
    }
    return text.len > 0;
}

static uint64_t parse_duration(struct gw_str text)
{
    uint64_t ms = 0;
    /* Go writes what is below a millisecond as "850µs" or "12ns"; that is over when we know it. */
    char unit = text.len > 2 && text.ptr[text.len - 1] == 's' ? text.ptr[text.len - 2] : 'm';
    if (unit == '\xb5' || unit == 'u' || unit == 'n') {
        return 1;
    }
    enum gw_err err = gw_parse_duration_ms(text, &ms);
    return err == GW_ERR_OVERFLOW ? GW_RATE_HEADERS_MAX_MS : err == GW_OK ? bounded(ms) : 0;
}

uint64_t gw_rate_headers_parse_wait(struct gw_str text, uint64_t wall_ms)
{
    uint64_t seconds = 0;
    struct gw_str rest = {0};
    text = gw_str_trim(text);
    if (text.len == 0 || text.ptr[0] == '-') {
        return 0;
    }
    if (is_digits(text)) {
        return parse_number(text, wall_ms);
    }
    if (text.ptr[0] >= '0' && text.ptr[0] <= '9') {
        if (text.len > 10 && text.ptr[4] == '-') {
            bool is_date = parse_date(text, "%Y-%m-%dT%H:%M:%S", &seconds, &rest) &&
                           apply_zone(rest, &seconds);
            return is_date ? until(seconds * 1000, wall_ms) : 0;
        }
        return parse_duration(text);
    }
    if (parse_date(text, "%a, %d %b %Y %H:%M:%S GMT", &seconds, &rest) && rest.len == 0) {
        return until(seconds * 1000, wall_ms);
    }
    return 0;
}

/* ---- fields ---- */

enum kind { REQUESTS, TOKENS };
enum part { LIMIT, REMAINING, RESET };

static const struct {
    struct gw_str name;
    enum kind kind;
    enum part part;
} rows[] = {
    {GW_STR_INIT("x-ratelimit-limit-requests"), REQUESTS, LIMIT},
    {GW_STR_INIT("x-ratelimit-limit-tokens"), TOKENS, LIMIT},
    {GW_STR_INIT("x-ratelimit-remaining-requests"), REQUESTS, REMAINING},
    {GW_STR_INIT("x-ratelimit-remaining-tokens"), TOKENS, REMAINING},
    {GW_STR_INIT("x-ratelimit-reset-requests"), REQUESTS, RESET},
    {GW_STR_INIT("x-ratelimit-reset-tokens"), TOKENS, RESET},
    {GW_STR_INIT("x-rate-limit-reset-tokens"), TOKENS, RESET}, /* Azure, earlier */
    {GW_STR_INIT("x-ratelimit-limit"), REQUESTS, LIMIT},       /* Cohere, Mistral, xAI */
    {GW_STR_INIT("x-ratelimit-remaining"), REQUESTS, REMAINING},
    {GW_STR_INIT("x-ratelimit-reset"), REQUESTS, RESET},
    {GW_STR_INIT("x-ratelimitbysize-limit-minute"), TOKENS, LIMIT}, /* Mistral */
    {GW_STR_INIT("x-ratelimitbysize-remaining-minute"), TOKENS, REMAINING},
    {GW_STR_INIT("anthropic-ratelimit-requests-limit"), REQUESTS, LIMIT},
    {GW_STR_INIT("anthropic-ratelimit-requests-remaining"), REQUESTS, REMAINING},
    {GW_STR_INIT("anthropic-ratelimit-requests-reset"), REQUESTS, RESET},
    {GW_STR_INIT("anthropic-ratelimit-tokens-limit"), TOKENS, LIMIT},
    {GW_STR_INIT("anthropic-ratelimit-tokens-remaining"), TOKENS, REMAINING},
    {GW_STR_INIT("anthropic-ratelimit-tokens-reset"), TOKENS, RESET},
    {GW_STR_INIT("anthropic-ratelimit-input-tokens-limit"), TOKENS, LIMIT},
    {GW_STR_INIT("anthropic-ratelimit-input-tokens-remaining"), TOKENS, REMAINING},
    {GW_STR_INIT("anthropic-ratelimit-input-tokens-reset"), TOKENS, RESET},
    {GW_STR_INIT("anthropic-ratelimit-output-tokens-limit"), TOKENS, LIMIT},
    {GW_STR_INIT("anthropic-ratelimit-output-tokens-remaining"), TOKENS, REMAINING},
    {GW_STR_INIT("anthropic-ratelimit-output-tokens-reset"), TOKENS, RESET},
    {GW_STR_INIT("ratelimit-limit"), REQUESTS, LIMIT},
    {GW_STR_INIT("ratelimit-remaining"), REQUESTS, REMAINING},
    {GW_STR_INIT("ratelimit-reset"), REQUESTS, RESET},
};

static void apply(struct gw_rate_headers *headers, enum kind kind, enum part part,
                  struct gw_str value)
{
    struct gw_rate_report *report = kind == REQUESTS ? &headers->requests : &headers->tokens;
    uint64_t number = 0;
    if (part == RESET) {
        uint64_t wait = gw_rate_headers_parse_wait(value, headers->wall_ms);
        report->reset_ms = wait > report->reset_ms ? wait : report->reset_ms;
        return;
    }
    enum gw_err err = gw_parse_u64(gw_str_trim(value), &number);
    if (err != GW_OK && err != GW_ERR_OVERFLOW) {
        return;
    }
    number = err == GW_OK ? number : UINT64_MAX;
    if (part == LIMIT) {
        report->limit = report->limit == 0 || number < report->limit ? number : report->limit;
    } else {
        report->remaining =
            !report->has_remaining || number < report->remaining ? number : report->remaining;
        report->has_remaining = true;
    }
}

static void add_wait(struct gw_rate_headers *headers, struct gw_str name, struct gw_str value)
{
    uint64_t number = 0;
    if (gw_str_eq(name, GW_STR("retry-after-ms"))) {
        struct gw_str text = gw_str_trim(value);
        struct gw_str whole = gw_str(text.ptr, gw_str_find_byte(text, '.'));
        if (gw_parse_u64(whole, &number) == GW_OK && number > 0) {
            headers->retry_after_ms = bounded(number); /* finer than retry-after: it wins */
        }
    } else if (gw_str_eq(name, GW_STR("retry-after")) && headers->retry_after_ms == 0) {
        headers->retry_after_ms = gw_rate_headers_parse_wait(value, headers->wall_ms);
    }
}

void gw_rate_headers_start(struct gw_rate_headers *headers, uint64_t wall_ms)
{
    *headers = (struct gw_rate_headers){.wall_ms = wall_ms};
}

/* Every field of every answer comes by here: foreign ones are passed over at a look. */
static bool may_be_ours(struct gw_str name)
{
    return gw_str_has_prefix(name, GW_STR("x-rate")) || gw_str_has_prefix(name, GW_STR("rate")) ||
           gw_str_has_prefix(name, GW_STR("anthropic-rate")) ||
           gw_str_has_prefix(name, GW_STR("retry")) || gw_str_has_prefix(name, GW_STR("x-should"));
}

void gw_rate_headers_add(struct gw_rate_headers *headers, struct gw_str name, struct gw_str value)
{
    if (!may_be_ours(name)) {
        return;
    }
    for (size_t i = 0; i < GW_ARRAY_LEN(rows); i++) {
        if (gw_str_eq(name, rows[i].name)) {
            apply(headers, rows[i].kind, rows[i].part, value);
            return;
        }
    }
    if (gw_str_eq(name, GW_STR("x-should-retry"))) {
        headers->must_not_retry = gw_str_eq_nocase(gw_str_trim(value), GW_STR("false"));
        return;
    }
    add_wait(headers, name, value);
}
