/* SPDX-License-Identifier: MIT */
/* config/report - see the header. */
#include "config/report_int.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define MAX_BYTES     (4u << 20)
#define MESSAGE_BYTES 2048 /* a finding is a sentence or two */

void gw_report_init(struct gw_config_report *report)
{
    *report = (struct gw_config_report){0};
    gw_arena_init(&report->arena, NULL, 0, 4096, MAX_BYTES);
}

void gw_config_report_fini(struct gw_config_report *report)
{
    gw_arena_fini(&report->arena);
    report->issues = NULL;
    report->count = 0;
    report->error_count = 0;
}

static bool has_error_at(const struct gw_config_report *report, const struct gw_config_place *place)
{
    for (size_t i = 0; i < report->count; i++) {
        const struct gw_config_issue *issue = &report->issues[i];
        if (issue->is_error && issue->line == place->line && place->key_path.len > 0 &&
            gw_str_eq(issue->key_path, place->key_path) && gw_str_eq(issue->file, place->file)) {
            return true;
        }
    }
    return false;
}

void gw_report_add(struct gw_config_report *report, bool is_error,
                   const struct gw_config_place *place, const char *format, ...)
{
    if (is_error && has_error_at(report, place)) {
        return;
    }
    report->error_count += is_error ? 1 : 0;
    if (report->issues == NULL) {
        report->issues = gw_arena_try_alloc(&report->arena,
                                            (GW_CONFIG_MAX_ISSUES + 1) * sizeof(*report->issues));
    }
    if (report->issues == NULL || report->count == GW_CONFIG_MAX_ISSUES) {
        return;
    }
    char text[MESSAGE_BYTES];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    size_t kept = len < 0 ? 0 : (size_t)len;
    kept = kept < sizeof(text) ? kept : sizeof(text) - 1;
    report->issues[report->count] = (struct gw_config_issue){
        .is_error = is_error,
        .line = place->line,
        .file = gw_arena_try_dup(&report->arena, place->file),
        .key_path = gw_arena_try_dup(&report->arena, place->key_path),
        .message = gw_arena_try_dup(&report->arena, gw_str(text, kept)),
    };
    report->count++;
}

static int by_place(const void *left, const void *right)
{
    const struct gw_config_issue *a = left;
    const struct gw_config_issue *b = right;
    size_t common = a->file.len < b->file.len ? a->file.len : b->file.len;
    int order = common == 0 ? 0 : memcmp(a->file.ptr, b->file.ptr, common);
    if (order != 0) {
        return order;
    }
    if (a->file.len != b->file.len) {
        return a->file.len < b->file.len ? -1 : 1;
    }
    if (a->line != b->line) {
        return a->line < b->line ? -1 : 1;
    }
    /* Equal places keep the order in which they were found. */
    return a->order < b->order ? -1 : 1;
}

void gw_report_finish(struct gw_config_report *report)
{
    if (report->count == 0) {
        return;
    }
    for (size_t i = 0; i < report->count; i++) {
        report->issues[i].order = i;
    }
    qsort(report->issues, report->count, sizeof(*report->issues), by_place);
    if (report->count == GW_CONFIG_MAX_ISSUES) {
        report->issues[report->count] = (struct gw_config_issue){
            .message = GW_STR("there is more to say than these findings"), .order = report->count};
        report->count++;
    }
}
