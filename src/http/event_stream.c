/* SPDX-License-Identifier: MIT */
/*
 * http/event_stream - a frame is judged in three steps: its prelude as soon as it is there, its
 * checksum when it is complete, its headers last. A frame that lies whole in a feed is not copied.
 *
 *   0      4         8         12            12+H             total-4   total
 *   total  headers   crc 0..7  headers (H)   payload          crc 0..total-5
 */
#include "http/event_stream.h"

#include "base/assert.h"
#include "base/crc32.h"

/* Bytes of values whose type alone tells their size; types 6 and 7 carry a length of two bytes. */
static const uint8_t fixed_value_bytes[] = {0, 0, 1, 2, 4, 8, 0, 0, 8, 16};

enum {
    VALUE_BYTES = 6,
    VALUE_STRING = 7,
};

/* The integer at |at|, which has four bytes. */
static uint32_t read_u32(const char *at)
{
    const unsigned char *p = (const unsigned char *)at;
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* ---- headers ---- */

/* Cuts the first |count| bytes off *rest; false when it has fewer. */
static bool take(struct gw_str *rest, size_t count, struct gw_str *part)
{
    if (rest->len < count) {
        return false;
    }
    *part = gw_str(rest->ptr, count);
    *rest = gw_str_skip(*rest, count);
    return true;
}

/* Cuts a value of |type| off; *value is its content. */
static bool take_value(struct gw_str *rest, unsigned type, struct gw_str *value)
{
    size_t size = type < sizeof(fixed_value_bytes) ? fixed_value_bytes[type] : 0;
    if (type == VALUE_BYTES || type == VALUE_STRING) {
        struct gw_str len;
        if (!take(rest, 2, &len)) {
            return false;
        }
        size = (size_t)((unsigned char)len.ptr[0] << 8 | (unsigned char)len.ptr[1]);
    } else if (type >= sizeof(fixed_value_bytes)) {
        return false;
    }
    return take(rest, size, value);
}

static void keep_header(struct gw_event_stream_message *message, struct gw_str name,
                        struct gw_str value)
{
    struct {
        struct gw_str name;
        struct gw_str *place;
    } known[] = {
        {GW_STR(":event-type"), &message->event_type},
        {GW_STR(":content-type"), &message->content_type},
        {GW_STR(":message-type"), &message->message_type},
        {GW_STR(":exception-type"), &message->exception_type},
        {GW_STR(":error-code"), &message->error_code},
        {GW_STR(":error-message"), &message->error_message},
    };
    for (size_t i = 0; i < GW_ARRAY_LEN(known); i++) {
        if (gw_str_eq(name, known[i].name)) {
            *known[i].place = value;
        }
    }
}

static bool read_headers(struct gw_event_stream_message *message)
{
    struct gw_str rest = message->headers;
    while (rest.len > 0) {
        struct gw_str byte;
        struct gw_str name;
        struct gw_str value;
        if (!take(&rest, 1, &byte) || byte.ptr[0] == '\0' ||
            !take(&rest, (unsigned char)byte.ptr[0], &name) || !take(&rest, 1, &byte)) {
            return false;
        }
        unsigned type = (unsigned char)byte.ptr[0];
        if (!take_value(&rest, type, &value)) {
            return false;
        }
        if (type == VALUE_STRING) {
            keep_header(message, name, value);
        }
    }
    return true;
}

/* ---- frames ---- */

/* Judges a prelude; *total becomes the frame's length. */
static enum gw_err read_prelude(const struct gw_event_stream *stream, const char *prelude,
                                size_t *total)
{
    if (gw_crc32(0, gw_str(prelude, 8)) != read_u32(prelude + 8)) {
        return GW_ERR_PROTOCOL;
    }
    size_t frame_bytes = read_u32(prelude);
    size_t header_bytes = read_u32(prelude + 4);
    if (frame_bytes < GW_EVENT_STREAM_OVERHEAD ||
        header_bytes > frame_bytes - GW_EVENT_STREAM_OVERHEAD) {
        return GW_ERR_PROTOCOL;
    }
    if (header_bytes > GW_EVENT_STREAM_MAX_HEADERS ||
        frame_bytes - GW_EVENT_STREAM_OVERHEAD - header_bytes > stream->max_payload_bytes) {
        return GW_ERR_TOO_LARGE;
    }
    *total = frame_bytes;
    return GW_OK;
}

static enum gw_err report(struct gw_str frame, gw_event_stream_on_message_fn *on_message,
                          void *user)
{
    size_t checked = frame.len - 4;
    if (gw_crc32(0, gw_str(frame.ptr, checked)) != read_u32(frame.ptr + checked)) {
        return GW_ERR_PROTOCOL;
    }
    size_t header_bytes = read_u32(frame.ptr + 4);
    const char *payload = frame.ptr + GW_EVENT_STREAM_PRELUDE + header_bytes;
    struct gw_event_stream_message message = {
        .headers = gw_str(frame.ptr + GW_EVENT_STREAM_PRELUDE, header_bytes),
        .payload = gw_str(payload, frame.len - GW_EVENT_STREAM_OVERHEAD - header_bytes),
    };
    return read_headers(&message) ? on_message(user, &message) : GW_ERR_PROTOCOL;
}

/* Moves as many of |bytes| to the kept frame as it lacks of |want|; *used counts them. */
static enum gw_err keep(struct gw_event_stream *stream, struct gw_str bytes, size_t want,
                        size_t *used)
{
    struct gw_str rest = gw_str_skip(bytes, *used);
    size_t lacks = want - stream->frame.len;
    size_t count = lacks < rest.len ? lacks : rest.len;
    *used += count;
    return gw_buf_append(&stream->frame, gw_str(rest.ptr, count));
}

/* Goes on with the kept frame. */
static enum gw_err feed_kept(struct gw_event_stream *stream, struct gw_str bytes, size_t *used,
                             gw_event_stream_on_message_fn *on_message, void *user)
{
    struct gw_buf *frame = &stream->frame;
    enum gw_err err = GW_OK;
    if (frame->len < GW_EVENT_STREAM_PRELUDE) {
        err = keep(stream, bytes, GW_EVENT_STREAM_PRELUDE, used);
        if (err != GW_OK || frame->len < GW_EVENT_STREAM_PRELUDE) {
            return err;
        }
    }
    size_t total = 0;
    err = read_prelude(stream, frame->ptr, &total);
    if (err == GW_OK) {
        err = keep(stream, bytes, total, used);
    }
    if (err == GW_OK && frame->len == total) {
        err = report(gw_buf_str(frame), on_message, user);
        gw_buf_fini(frame);
    }
    return err;
}

/* A frame begins with |bytes|: reports it when it is whole, keeps what is there otherwise. */
static enum gw_err feed_fresh(struct gw_event_stream *stream, struct gw_str bytes, size_t *used,
                              gw_event_stream_on_message_fn *on_message, void *user)
{
    size_t total = SIZE_MAX;
    if (bytes.len >= GW_EVENT_STREAM_PRELUDE) {
        enum gw_err err = read_prelude(stream, bytes.ptr, &total);
        if (err != GW_OK) {
            return err;
        }
    }
    if (total <= bytes.len) {
        *used = total;
        return report(gw_str(bytes.ptr, total), on_message, user);
    }
    *used = bytes.len;
    return gw_buf_append(&stream->frame, bytes);
}

/* ---- the interface ---- */

void gw_event_stream_init(struct gw_event_stream *stream, size_t max_payload_bytes)
{
    GW_ASSERT(max_payload_bytes <= GW_EVENT_STREAM_MAX_PAYLOAD);
    *stream = (struct gw_event_stream){.max_payload_bytes = max_payload_bytes};
    gw_buf_init(&stream->frame,
                GW_EVENT_STREAM_OVERHEAD + GW_EVENT_STREAM_MAX_HEADERS + max_payload_bytes);
}

void gw_event_stream_fini(struct gw_event_stream *stream)
{
    gw_buf_fini(&stream->frame);
}

enum gw_err gw_event_stream_feed(struct gw_event_stream *stream, struct gw_str bytes,
                                 gw_event_stream_on_message_fn *on_message, void *user)
{
    size_t at = 0;
    while (stream->err == GW_OK && at < bytes.len) {
        struct gw_str rest = gw_str_skip(bytes, at);
        size_t used = 0;
        stream->err = stream->frame.len > 0 ? feed_kept(stream, rest, &used, on_message, user)
                                            : feed_fresh(stream, rest, &used, on_message, user);
        at += used;
    }
    return stream->err;
}

enum gw_err gw_event_stream_finish(struct gw_event_stream *stream)
{
    if (stream->err == GW_OK && stream->frame.len > 0) {
        stream->err = GW_ERR_EOF;
    }
    return stream->err;
}
