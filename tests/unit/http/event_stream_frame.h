/* SPDX-License-Identifier: MIT */
/*
 * tests/unit/http/event_stream_frame - makes frames of AWS's event streams, and writes down what a
 * decoder gives of a stream. Shared by the unit tests and the fuzzers.
 *
 * Source:   shared/providers/bedrock.md section 4; the checksum is its own, bit by bit, so that a
 *           mistake in ours is seen.
 * Shape:    "[event type|payload]" per message; "!" stands in front of what is no event.
 * Units:    none
 * Limits:   FRAME_TRACE_BYTES
 * Memory:   the caller's buffers
 * Threads:  not shared
 * Errors:   what the decoder returned
 */
#ifndef GW_TESTS_EVENT_STREAM_FRAME_H
#define GW_TESTS_EVENT_STREAM_FRAME_H

#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "http/event_stream.h"

#define FRAME_TRACE_BYTES (32u * 1024 * 1024)

static inline uint32_t frame_crc(struct gw_str bytes)
{
    uint32_t state = 0xffffffff;
    for (size_t i = 0; i < bytes.len; i++) {
        state ^= (unsigned char)bytes.ptr[i];
        for (unsigned bit = 0; bit < 8; bit++) {
            state = (state & 1) != 0 ? (state >> 1) ^ 0xedb88320 : state >> 1;
        }
    }
    return ~state;
}

static inline void frame_u32(struct gw_buf *out, size_t value)
{
    for (unsigned shift = 32; shift > 0; shift -= 8) {
        (void)gw_buf_append_byte(out, (char)(value >> (shift - 8) & 0xff));
    }
}

/* Appends a header of type string. */
static inline void frame_header(struct gw_buf *out, struct gw_str name, struct gw_str value)
{
    (void)gw_buf_append_byte(out, (char)name.len);
    (void)gw_buf_append(out, name);
    (void)gw_buf_append_byte(out, 7);
    (void)gw_buf_append_byte(out, (char)(value.len >> 8));
    (void)gw_buf_append_byte(out, (char)(value.len & 0xff));
    (void)gw_buf_append(out, value);
}

/* Appends a frame around a block of headers and a payload. */
static inline void frame_raw(struct gw_buf *out, struct gw_str headers, struct gw_str payload)
{
    size_t begin = out->len;
    frame_u32(out, GW_EVENT_STREAM_OVERHEAD + headers.len + payload.len);
    frame_u32(out, headers.len);
    frame_u32(out, frame_crc(gw_str(out->ptr + begin, 8)));
    (void)gw_buf_append(out, headers);
    (void)gw_buf_append(out, payload);
    frame_u32(out, frame_crc(gw_str(out->ptr + begin, out->len - begin)));
}

/* Appends an event, or with |kind| ":exception-type" an exception, as Bedrock sends it. */
static inline void frame_add(struct gw_buf *out, struct gw_str kind, struct gw_str type,
                             struct gw_str payload)
{
    struct gw_buf headers;
    gw_buf_init(&headers, 1u << 20);
    frame_header(&headers, kind, type);
    frame_header(&headers, GW_STR(":content-type"), GW_STR("application/json"));
    bool is_event = gw_str_eq(kind, GW_STR(":event-type"));
    frame_header(&headers, GW_STR(":message-type"),
                 is_event ? GW_STR("event") : GW_STR("exception"));
    frame_raw(out, gw_buf_str(&headers), payload);
    gw_buf_fini(&headers);
}

struct frame_trace {
    struct gw_buf text;
    enum gw_err answer; /* of the callback */
    const char *payload;
};

static inline void frame_trace_init(struct frame_trace *trace)
{
    *trace = (struct frame_trace){0};
    gw_buf_init(&trace->text, FRAME_TRACE_BYTES);
}

static inline enum gw_err frame_trace_message(void *user,
                                              const struct gw_event_stream_message *message)
{
    struct frame_trace *trace = user;
    trace->payload = message->payload.ptr;
    bool is_event = gw_str_eq(message->message_type, GW_STR("event"));
    (void)gw_buf_append(&trace->text, is_event ? GW_STR("[") : GW_STR("!["));
    (void)gw_buf_append(&trace->text, message->event_type);
    (void)gw_buf_append(&trace->text, message->exception_type);
    (void)gw_buf_append(&trace->text, message->error_code);
    (void)gw_buf_append(&trace->text, message->error_message);
    (void)gw_buf_append_byte(&trace->text, '|');
    (void)gw_buf_append(&trace->text, message->payload);
    (void)gw_buf_append_byte(&trace->text, ']');
    return trace->answer;
}

/* Feeds a whole stream in parts of |step| bytes, the first of them |first| bytes long (0: |step|),
 * each from a block of its own so that views that are kept too long are found. */
static inline enum gw_err frame_trace_run(struct frame_trace *trace, size_t max_payload_bytes,
                                          struct gw_str input, size_t first, size_t step)
{
    struct gw_event_stream stream;
    gw_event_stream_init(&stream, max_payload_bytes);
    gw_buf_reset(&trace->text);
    enum gw_err err = GW_OK;
    size_t part = first > 0 ? first : step;
    for (size_t at = 0; err == GW_OK && at < input.len; part = step) {
        part = part < input.len - at ? part : input.len - at;
        char *block = gw_alloc(part);
        memcpy(block, input.ptr + at, part);
        err = gw_event_stream_feed(&stream, gw_str(block, part), frame_trace_message, trace);
        gw_free(block);
        at += part;
    }
    if (err == GW_OK) {
        err = gw_event_stream_finish(&stream);
    }
    gw_event_stream_fini(&stream);
    return err;
}

#endif
