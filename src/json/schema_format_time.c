/* SPDX-License-Identifier: MIT */
/* json/schema_format_time - dates, times and durations of RFC 3339. */
#include "json/schema_format.h"

#define MINUTES_PER_DAY 1440

/* Takes |count| digits off the front; -1 when there are fewer. */
static int take_number(struct gw_str *text, size_t count)
{
    int value = 0;
    if (text->len < count) {
        return -1;
    }
    for (size_t i = 0; i < count; i++) {
        char c = text->ptr[i];
        if (c < '0' || c > '9') {
            return -1;
        }
        value = value * 10 + (c - '0');
    }
    *text = gw_str_skip(*text, count);
    return value;
}

static bool take_byte(struct gw_str *text, char byte)
{
    if (text->len == 0 || text->ptr[0] != byte) {
        return false;
    }
    *text = gw_str_skip(*text, 1);
    return true;
}

static int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && is_leap ? 29 : days[month - 1];
}

static bool take_date(struct gw_str *text)
{
    int year = take_number(text, 4);
    if (year < 0 || !take_byte(text, '-')) {
        return false;
    }
    int month = take_number(text, 2);
    if (month < 1 || month > 12 || !take_byte(text, '-')) {
        return false;
    }
    int day = take_number(text, 2);
    return day >= 1 && day <= days_in_month(year, month);
}

/* Takes "Z" or "+hh:mm"; *minutes gets how far the clock is before UTC. */
static bool take_offset(struct gw_str *text, int *minutes)
{
    *minutes = 0;
    if (take_byte(text, 'Z') || take_byte(text, 'z')) {
        return true;
    }
    bool is_west = take_byte(text, '-');
    if (!is_west && !take_byte(text, '+')) {
        return false;
    }
    int hour = take_number(text, 2);
    if (hour < 0 || hour > 23 || !take_byte(text, ':')) {
        return false;
    }
    int minute = take_number(text, 2);
    if (minute < 0 || minute > 59) {
        return false;
    }
    *minutes = is_west ? -(hour * 60 + minute) : hour * 60 + minute;
    return true;
}

static bool take_time(struct gw_str *text)
{
    int hour = take_number(text, 2);
    if (hour < 0 || hour > 23 || !take_byte(text, ':')) {
        return false;
    }
    int minute = take_number(text, 2);
    if (minute < 0 || minute > 59 || !take_byte(text, ':')) {
        return false;
    }
    int second = take_number(text, 2);
    if (second < 0 || second > 60) {
        return false;
    }
    if (take_byte(text, '.')) {
        size_t before = text->len;
        while (text->len > 0 && text->ptr[0] >= '0' && text->ptr[0] <= '9') {
            *text = gw_str_skip(*text, 1);
        }
        if (text->len == before) {
            return false;
        }
    }
    int offset = 0;
    if (!take_offset(text, &offset)) {
        return false;
    }
    /* A leap second is the last one of a day in UTC. */
    int utc = (hour * 60 + minute - offset + MINUTES_PER_DAY) % MINUTES_PER_DAY;
    return second < 60 || utc == MINUTES_PER_DAY - 1;
}

bool gw_schema_is_date(struct gw_str text)
{
    return take_date(&text) && text.len == 0;
}

bool gw_schema_is_time(struct gw_str text)
{
    return take_time(&text) && text.len == 0;
}

bool gw_schema_is_date_time(struct gw_str text)
{
    return take_date(&text) && (take_byte(&text, 'T') || take_byte(&text, 't')) &&
           take_time(&text) && text.len == 0;
}

/*
 * Takes elements like 12Y3M off the front: their units follow each other in |units| without a gap.
 * Returns how many there were, or -1 when a number has no unit.
 */
static int take_elements(struct gw_str *text, const char *units)
{
    int count = 0;
    while (text->len > 0 && text->ptr[0] >= '0' && text->ptr[0] <= '9') {
        while (text->len > 0 && text->ptr[0] >= '0' && text->ptr[0] <= '9') {
            *text = gw_str_skip(*text, 1);
        }
        /* The first element may be any; each other one is the next smaller. */
        while (count == 0 && *units != '\0' && (text->len == 0 || text->ptr[0] != *units)) {
            units++;
        }
        if (*units == '\0' || !take_byte(text, *units)) {
            return -1;
        }
        units++;
        count++;
    }
    return count;
}

bool gw_schema_is_duration(struct gw_str text)
{
    if (!take_byte(&text, 'P')) {
        return false;
    }
    struct gw_str weeks = text;
    if (take_elements(&weeks, "W") == 1 && weeks.len == 0) {
        return true;
    }
    int dates = take_elements(&text, "YMD");
    int times = 0;
    if (dates >= 0 && take_byte(&text, 'T')) {
        times = take_elements(&text, "HMS");
        if (times <= 0) {
            return false;
        }
    }
    return dates >= 0 && dates + times > 0 && text.len == 0;
}
