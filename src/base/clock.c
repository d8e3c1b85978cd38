/* SPDX-License-Identifier: MIT */
/* base/clock - clock_gettime and two date formats. */
#include "base/clock.h"

#include <stdio.h>
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

void gw_clock_format_rfc3339(uint64_t wall_ms, char out[GW_CLOCK_RFC3339_BYTES])
{
    struct tm parts = broken_down(wall_ms);
    /* The modulos only tell the compiler the widths that the calendar already guarantees. */
    snprintf(out, GW_CLOCK_RFC3339_BYTES, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ",
             (unsigned)(parts.tm_year + 1900) % 10000u, (unsigned)(parts.tm_mon + 1) % 100u,
             (unsigned)parts.tm_mday % 100u, (unsigned)parts.tm_hour % 100u,
             (unsigned)parts.tm_min % 100u, (unsigned)parts.tm_sec % 100u,
             (unsigned)(wall_ms % 1000));
}

void gw_clock_format_http_date(uint64_t wall_ms, char out[GW_CLOCK_HTTP_DATE_BYTES])
{
    /* strftime() would follow the locale; HTTP wants English. */
    static const char days[] = "SunMonTueWedThuFriSat";
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    struct tm parts = broken_down(wall_ms);
    snprintf(out, GW_CLOCK_HTTP_DATE_BYTES, "%.3s, %02u %.3s %04u %02u:%02u:%02u GMT",
             days + 3 * parts.tm_wday, (unsigned)parts.tm_mday % 100u, months + 3 * parts.tm_mon,
             (unsigned)(parts.tm_year + 1900) % 10000u, (unsigned)parts.tm_hour % 100u,
             (unsigned)parts.tm_min % 100u, (unsigned)parts.tm_sec % 100u);
}
