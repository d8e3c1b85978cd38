/* SPDX-License-Identifier: MIT */
/* base/clock - clock_gettime and two date formats. */
#include "base/clock.h"

#include <string.h>
#include <time.h>

uint64_t gw_clock_mono_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t gw_clock_wall_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}

static struct tm broken_down(uint64_t wall_ms)
{
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm parts;
    gmtime_r(&seconds, &parts);
    return parts;
}

/* Writes |value| as |width| digits; snprintf() costs ten times as much, and every log line has a
 * time. */
static char *put_digits(char *at, unsigned value, unsigned width)
{
    for (unsigned i = width; i > 0; i--) {
        at[i - 1] = (char)('0' + value % 10);
        value /= 10;
    }
    return at + width;
}

static char *put_text(char *at, const char *text, size_t len)
{
    memcpy(at, text, len);
    return at + len;
}

/* "05:30:00" */
static char *put_time_of_day(char *at, const struct tm *parts)
{
    at = put_digits(at, (unsigned)parts->tm_hour, 2);
    *at++ = ':';
    at = put_digits(at, (unsigned)parts->tm_min, 2);
    *at++ = ':';
    return put_digits(at, (unsigned)parts->tm_sec, 2);
}

void gw_clock_format_rfc3339(uint64_t wall_ms, char out[GW_CLOCK_RFC3339_BYTES])
{
    struct tm parts = broken_down(wall_ms);
    char *at = put_digits(out, (unsigned)(parts.tm_year + 1900), 4);
    *at++ = '-';
    at = put_digits(at, (unsigned)(parts.tm_mon + 1), 2);
    *at++ = '-';
    at = put_digits(at, (unsigned)parts.tm_mday, 2);
    *at++ = 'T';
    at = put_time_of_day(at, &parts);
    *at++ = '.';
    at = put_digits(at, (unsigned)(wall_ms % 1000), 3);
    (void)put_text(at, "Z", sizeof("Z"));
}

struct gw_str gw_clock_rfc3339(struct gw_clock_text *cache, uint64_t wall_ms)
{
    if (cache->text[0] == '\0' || cache->second != wall_ms / 1000) {
        gw_clock_format_rfc3339(wall_ms, cache->text);
        cache->second = wall_ms / 1000;
    }
    (void)put_digits(cache->text + GW_CLOCK_RFC3339_BYTES - sizeof("123Z"),
                     (unsigned)(wall_ms % 1000), 3);
    return gw_str(cache->text, GW_CLOCK_RFC3339_BYTES - 1);
}

void gw_clock_format_http_date(uint64_t wall_ms, char out[GW_CLOCK_HTTP_DATE_BYTES])
{
    /* strftime() would follow the locale; HTTP wants English. */
    static const char days[] = "SunMonTueWedThuFriSat";
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    struct tm parts = broken_down(wall_ms);
    char *at = put_text(out, days + (size_t)3 * (size_t)parts.tm_wday, 3);
    at = put_text(at, ", ", 2);
    at = put_digits(at, (unsigned)parts.tm_mday, 2);
    *at++ = ' ';
    at = put_text(at, months + (size_t)3 * (size_t)parts.tm_mon, 3);
    *at++ = ' ';
    at = put_digits(at, (unsigned)(parts.tm_year + 1900), 4);
    *at++ = ' ';
    at = put_time_of_day(at, &parts);
    (void)put_text(at, " GMT", sizeof(" GMT"));
}
