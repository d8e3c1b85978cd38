/* SPDX-License-Identifier: MIT */
/*
 * http/event_stream - incremental decoder of AWS's binary event streams
 * (application/vnd.amazon.eventstream). No I/O, no clock.
 *
 * Source:   shared/providers/bedrock.md section 4; smithy's amazon-eventstream specification.
 * Shape:    in: any split of the stream. out: one message per frame whose two checksums are right.
 *           The prelude's checksum is looked at before its lengths are believed; a stream with a
 *           wrong frame is not resynchronised.
 * Units:    bytes; integers on the wire are big-endian
 * Limits:   GW_EVENT_STREAM_MAX_HEADERS for a frame's headers, max_payload_bytes for what it
 *           carries.
 * Memory:   messages that lie whole in one feed are views into it; only an unfinished frame is
 *           kept, in one buffer that is given back when it is empty.
 * Threads:  not shared
 * Errors:   sticky; after an error every feed returns the same one.
 */
#ifndef GW_HTTP_EVENT_STREAM_H
#define GW_HTTP_EVENT_STREAM_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/err.h"
#include "base/str.h"

/* What the specification allows; AWS's own readers refuse more. */
#define GW_EVENT_STREAM_MAX_HEADERS (128u * 1024)
#define GW_EVENT_STREAM_MAX_PAYLOAD (24u * 1024 * 1024)

/* Lengths, their checksum, and the checksum of the whole. */
#define GW_EVENT_STREAM_PRELUDE  12u
#define GW_EVENT_STREAM_OVERHEAD 16u

/* Borrowed: valid only until the callback returns. Texts are empty where the frame has none. */
struct gw_event_stream_message {
    struct gw_str message_type;   /* ":message-type": "event", "exception", "error" */
    struct gw_str event_type;     /* ":event-type" */
    struct gw_str exception_type; /* ":exception-type" */
    struct gw_str error_code;     /* ":error-code" */
    struct gw_str error_message;  /* ":error-message" */
    struct gw_str content_type;   /* ":content-type" */
    struct gw_str headers;        /* the whole block, well-formed */
    struct gw_str payload;
};

/* Returns GW_OK to go on; any other value stops the feed and is what the feed returns. Must not
 * call back into the decoder. */
typedef enum gw_err gw_event_stream_on_message_fn(void *user,
                                                  const struct gw_event_stream_message *message);

/* Read-only for callers. */
struct gw_event_stream {
    struct gw_buf frame; /* bytes of the frame that is not complete yet */
    size_t max_payload_bytes;
    enum gw_err err;
};

/* Makes a decoder. |max_payload_bytes| is at most GW_EVENT_STREAM_MAX_PAYLOAD. */
void gw_event_stream_init(struct gw_event_stream *stream, size_t max_payload_bytes);

/* Frees its buffer. */
void gw_event_stream_fini(struct gw_event_stream *stream);

/*
 * Feeds bytes; all of them are consumed when GW_OK is returned.
 *
 * Errors: GW_ERR_PROTOCOL (a wrong checksum, lengths or headers that cannot be), GW_ERR_TOO_LARGE,
 * GW_ERR_NOMEM, or what on_message returned.
 */
GW_MUST_USE enum gw_err gw_event_stream_feed(struct gw_event_stream *stream, struct gw_str bytes,
                                             gw_event_stream_on_message_fn *on_message, void *user);

/*
 * The stream ended.
 *
 * Errors: GW_ERR_EOF (in the middle of a frame), or an earlier one.
 */
GW_MUST_USE enum gw_err gw_event_stream_finish(struct gw_event_stream *stream);

#endif
