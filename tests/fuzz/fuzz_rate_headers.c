/* SPDX-License-Identifier: MIT */
/*
 * fuzz/fuzz_rate_headers - whatever fields a provider answers with: no wait is longer than the
 * header promises, and the order of lines that say nothing about limits does not matter.
 *
 * The input is lines of "name: value".
 */
#include <string.h>

#include "fuzz_target.h"
#include "policy/rate_headers.h"

#define WALL_MS UINT64_C(1795255200000) /* 2026-11-21T10:00:00Z */

static void check_report(const struct gw_rate_report *report)
{
    FUZZ_CHECK(report->reset_ms <= GW_RATE_HEADERS_MAX_MS);
    FUZZ_CHECK(report->has_remaining || report->remaining == 0);
}

static void add_lines(struct gw_rate_headers *headers, struct gw_str text)
{
    struct gw_str line;
    while (gw_str_split(&text, '\n', &line)) {
        size_t colon = gw_str_find_byte(line, ':');
        struct gw_str value = gw_str_skip(line, colon < line.len ? colon + 1 : line.len);
        gw_rate_headers_add(headers, gw_str(line.ptr, colon), gw_str_trim(value));
        FUZZ_CHECK(gw_rate_headers_parse_wait(value, WALL_MS) <= GW_RATE_HEADERS_MAX_MS);
        /* A clock that stands at zero must not make a date wrap around. */
        FUZZ_CHECK(gw_rate_headers_parse_wait(value, 0) <= GW_RATE_HEADERS_MAX_MS);
        FUZZ_CHECK(gw_rate_headers_parse_wait(value, UINT64_MAX) <= GW_RATE_HEADERS_MAX_MS);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct gw_rate_headers once;
    struct gw_rate_headers twice;
    struct gw_str text = gw_str((const char *)bytes, size);
    gw_rate_headers_start(&once, WALL_MS);
    add_lines(&once, text);
    check_report(&once.requests);
    check_report(&once.tokens);
    FUZZ_CHECK(once.retry_after_ms <= GW_RATE_HEADERS_MAX_MS);
    gw_rate_headers_start(&twice, WALL_MS);
    add_lines(&twice, text);
    gw_rate_headers_add(&twice, gw_str("x-none", 6), gw_str("1", 1));
    FUZZ_CHECK(once.retry_after_ms == twice.retry_after_ms &&
               once.requests.reset_ms == twice.requests.reset_ms &&
               once.tokens.remaining == twice.tokens.remaining);
    return 0;
}
