/* SPDX-License-Identifier: MIT */
/*
 * http/sse - incremental splitter and decoder of Server-Sent Events. No I/O, no clock.
 *
 * Source:   WHATWG HTML 9.2.5 "Parsing an event stream", 9.2.6 "Interpreting an event stream".
 * Shape:    in: any split of the stream. out: one gw_sse_event per blank line, with the exact bytes
 *           it came from, so that a proxy can forward or leave out whole events; the same events
 *           whatever the split. Lines may end with LF, CRLF or CR. A blank line that ends with CR
 *           waits for one byte more, which may be its LF.
 * Units:    bytes
 * Limits:   the bytes of one event never exceed max_event_bytes.
 * Memory:   events that lie whole in one feed are views into it; only the unfinished tail is kept,
 *           in one buffer that is given back when it is empty.
 * Threads:  not shared
 * Errors:   sticky; after an error every feed returns the same one.
 */
#ifndef GW_HTTP_SSE_H
#define GW_HTTP_SSE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/err.h"
#include "base/str.h"

/* Borrowed: valid only until the callback returns. */
struct gw_sse_event {
    struct gw_str raw;  /* the bytes as they came, blank line included; events' raw bytes, in order,
                           are the whole stream */
    struct gw_str type; /* of the last "event:" line; empty when there was none */
    struct gw_str
        data; /* "data:" lines joined by LF; ptr is NULL when there was none (comments, pings) */
    struct gw_str other; /* the first line that is neither comment nor known field, whole: some
                            servers write a bare JSON error there */
};

/* Returns GW_OK to go on; any other value stops the feed and is what the feed returns. Must not
 * call back into the parser. */
typedef enum gw_err gw_sse_on_event_fn(void *user, const struct gw_sse_event *event);

/* Read-only for callers. */
struct gw_sse {
    struct gw_buf tail;   /* bytes of the event that is not complete yet */
    struct gw_buf joined; /* data of an event with several data lines, while it is reported */
    size_t max_event_bytes;
    enum gw_err err;
    bool is_begun;    /* an event was reported: no byte order mark can follow */
    bool in_line;     /* the unfinished line has bytes */
    bool after_cr;    /* a line ended with CR as the last byte seen; an LF would belong to it */
    bool waits_cr_lf; /* the same of the blank line: the event is complete but for that LF */
};

/* Makes a parser. |max_event_bytes| bounds one event. */
void gw_sse_init(struct gw_sse *sse, size_t max_event_bytes);

/* Frees its buffers. */
void gw_sse_fini(struct gw_sse *sse);

/*
 * Feeds bytes; all of them are consumed when GW_OK is returned.
 *
 * Errors: GW_ERR_TOO_LARGE, GW_ERR_NOMEM, or what on_event returned.
 */
GW_MUST_USE enum gw_err gw_sse_feed(struct gw_sse *sse, struct gw_str bytes,
                                    gw_sse_on_event_fn *on_event, void *user);

/*
 * The stream ended: what is left, if anything, is reported as a last event although its blank line
 * is missing. The standard drops it; some servers end "data: [DONE]" with one LF or none. A proxy
 * must forward its bytes in any case.
 *
 * Errors: as gw_sse_feed().
 */
GW_MUST_USE enum gw_err gw_sse_finish(struct gw_sse *sse, gw_sse_on_event_fn *on_event, void *user);

/* Bytes of an event that is not complete: what would be lost when the stream ended here. Valid
 * until the next call. */
struct gw_str gw_sse_rest(const struct gw_sse *sse);

#endif
