/* SPDX-License-Identifier: MIT */
/*
 * config/report_int - collects findings while a configuration is read.
 *
 * Source:   none
 * Shape:    findings are added in any order and sorted by file and line at the end.
 * Units:    none
 * Limits:   GW_CONFIG_MAX_ISSUES findings are kept, errors are counted beyond that.
 * Memory:   texts are copied into the report's arena.
 * Threads:  not shared
 * Errors:   none; without memory a finding is only counted.
 */
#ifndef GW_CONFIG_REPORT_INT_H
#define GW_CONFIG_REPORT_INT_H

#include "config/config.h"

/* More than a person reads; bounds the memory of a report on a hostile file. */
#define GW_CONFIG_MAX_ISSUES 500

/* Where a finding belongs. */
struct gw_config_place {
    struct gw_str file; /* empty: no file is to blame */
    unsigned line;
    struct gw_str key_path;
};

/* Makes an empty report. */
void gw_report_init(struct gw_config_report *report);

/* Adds one finding; a second error about the same place is dropped, the first one says it best. */
GW_PRINTF(4, 5)
void gw_report_add(struct gw_config_report *report, bool is_error,
                   const struct gw_config_place *place, const char *format, ...);

/* Would another warning be dropped? For callers whose warnings are costly to word. */
static inline bool gw_report_is_full(const struct gw_config_report *report)
{
    return report->count == GW_CONFIG_MAX_ISSUES;
}

/* Sorts the findings by file and line. */
void gw_report_finish(struct gw_config_report *report);

#endif
