/* SPDX-License-Identifier: MIT */
/*
 * tests/unit/http/sse_trace - writes down the events of a stream, as text that two runs can be
 * compared by. Shared by the unit tests and the fuzzer.
 *
 * Source:   none
 * Shape:    "(9 type=x data=a|b other=c)" per event: its size, and what it has; lines of data are
 *           parted by "|", NUL is "?". What was left at the end stands in braces.
 * Units:    none
 * Limits:   SSE_TRACE_BYTES
 * Memory:   the trace owns its buffers; sse_trace_fini() frees them.
 * Threads:  not shared
 * Errors:   what the parser returned
 */
#ifndef GW_TESTS_SSE_TRACE_H
#define GW_TESTS_SSE_TRACE_H

#include <stdbool.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "http/sse.h"

#define SSE_TRACE_BYTES (16u * 1024 * 1024)

struct sse_trace {
    struct gw_buf text;
    struct gw_buf raw; /* all raw bytes, in order */
    unsigned count;
    bool is_last; /* gw_sse_finish() is at work */
};

static inline void sse_trace_init(struct sse_trace *trace)
{
    *trace = (struct sse_trace){0};
    gw_buf_init(&trace->text, SSE_TRACE_BYTES);
    gw_buf_init(&trace->raw, SSE_TRACE_BYTES);
}

static inline void sse_trace_fini(struct sse_trace *trace)
{
    gw_buf_fini(&trace->text);
    gw_buf_fini(&trace->raw);
}

static inline void sse_trace_part(struct sse_trace *trace, const char *label, struct gw_str part)
{
    if (part.ptr == NULL) {
        return;
    }
    (void)gw_buf_appendf(&trace->text, " %s=", label);
    for (size_t i = 0; i < part.len; i++) {
        char c = part.ptr[i];
        (void)gw_buf_append_byte(&trace->text, (char)(c == '\n' ? '|' : c == '\0' ? '?' : c));
    }
}

static inline enum gw_err sse_trace_event(void *user, const struct gw_sse_event *event)
{
    struct sse_trace *trace = user;
    trace->count++;
    (void)gw_buf_append(&trace->raw, event->raw);
    (void)gw_buf_append_byte(&trace->text, trace->is_last ? '{' : '(');
    (void)gw_buf_append_u64(&trace->text, event->raw.len);
    sse_trace_part(trace, "type", event->type);
    sse_trace_part(trace, "data", event->data);
    sse_trace_part(trace, "other", event->other);
    (void)gw_buf_append_byte(&trace->text, trace->is_last ? '}' : ')');
    return GW_OK;
}

/* Feeds a whole stream in parts of |step| bytes, the first of them |first| bytes long (0: |step|),
 * each from a block of its own so that views that are kept too long are found. */
static inline enum gw_err sse_trace_run(struct sse_trace *trace, size_t max_event_bytes,
                                        struct gw_str input, size_t first, size_t step)
{
    gw_buf_reset(&trace->text);
    gw_buf_reset(&trace->raw);
    trace->count = 0;
    trace->is_last = false;
    struct gw_sse sse;
    gw_sse_init(&sse, max_event_bytes);
    enum gw_err err = GW_OK;
    size_t part = first > 0 ? first : step;
    size_t at = 0;
    while (err == GW_OK && at < input.len) {
        part = part < input.len - at ? part : input.len - at;
        char *block = gw_alloc(part);
        memcpy(block, input.ptr + at, part);
        err = gw_sse_feed(&sse, gw_str(block, part), sse_trace_event, trace);
        gw_free(block);
        at += part;
        part = step;
    }
    if (err == GW_OK) {
        /* A blank line that only waited for its LF is no torn event. */
        trace->is_last = !sse.waits_cr_lf;
        err = gw_sse_finish(&sse, sse_trace_event, trace);
    }
    gw_sse_fini(&sse);
    return err;
}

#endif
