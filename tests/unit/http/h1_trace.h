/* SPDX-License-Identifier: MIT */
/*
 * tests/unit/http/h1_trace - writes down what a parser of HTTP/1 reports, as text that two runs can
 * be compared by. Shared by the unit tests and the fuzzer.
 *
 * Source:   none
 * Shape:    a line per head and field, the bytes of a body in one piece, a line per end. A stream
 *           of messages ends with "eof", "cut" (in a message), "error <status>" or "large
 *           <status>".
 * Units:    none
 * Limits:   GW_TRACE_BYTES
 * Memory:   the trace owns its buffer; h1_trace_fini() frees it.
 * Threads:  not shared
 * Errors:   none
 */
#ifndef GW_TESTS_H1_TRACE_H
#define GW_TESTS_H1_TRACE_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "http/h1.h"

#define GW_TRACE_BYTES (4u * 1024 * 1024)

struct h1_trace {
    struct gw_buf text;
    bool in_body;
};

static inline void trace_text(struct h1_trace *trace, struct gw_str text)
{
    (void)gw_buf_append(&trace->text, text);
}

static inline void trace_number(struct h1_trace *trace, const char *label, uint64_t number)
{
    (void)gw_buf_appendf(&trace->text, " %s", label);
    if (number == GW_LENGTH_UNKNOWN) {
        trace_text(trace, GW_STR("?"));
    } else {
        (void)gw_buf_append_u64(&trace->text, number);
    }
}

static inline void trace_fields(struct h1_trace *trace, const struct gw_header *fields,
                                size_t count)
{
    trace_text(trace, GW_STR("\n"));
    for (size_t i = 0; i < count; i++) {
        trace_text(trace, fields[i].name);
        trace_text(trace, GW_STR("="));
        trace_text(trace, fields[i].value);
        trace_text(trace, GW_STR(";\n"));
    }
}

static inline enum gw_err trace_on_request(void *user, const struct gw_request_head *head)
{
    struct h1_trace *trace = user;
    trace_text(trace, head->method_text);
    trace_text(trace, GW_STR(" "));
    trace_text(trace, head->target);
    trace_text(trace, GW_STR(" at "));
    trace_text(trace, head->authority);
    trace_number(trace, "1.", head->version == GW_HTTP_1_1 ? 1 : 0);
    trace_number(trace, head->has_body ? "body " : "none ", head->content_length);
    trace_text(trace, head->expects_continue ? GW_STR(" expect") : GW_STR(""));
    trace_text(trace, head->keep_alive ? GW_STR(" keep") : GW_STR(" close"));
    trace_fields(trace, head->headers, head->header_count);
    return GW_OK;
}

static inline enum gw_err trace_on_response(void *user, const struct gw_response_head *head)
{
    struct h1_trace *trace = user;
    trace_number(trace, "", head->status);
    trace_number(trace, "1.", head->version == GW_HTTP_1_1 ? 1 : 0);
    trace_number(trace, "length ", head->content_length);
    trace_text(trace, head->keep_alive ? GW_STR(" keep") : GW_STR(" close"));
    trace_fields(trace, head->headers, head->header_count);
    return GW_OK;
}

static inline enum gw_err trace_on_body(void *user, struct gw_str bytes)
{
    struct h1_trace *trace = user;
    if (bytes.len == 0) {
        trace_text(trace, GW_STR("[an empty run]"));
    }
    trace_text(trace, trace->in_body ? GW_STR("") : GW_STR("["));
    trace->in_body = true;
    trace_text(trace, bytes);
    return GW_OK;
}

static inline void trace_close_body(struct h1_trace *trace)
{
    trace_text(trace, trace->in_body ? GW_STR("]\n") : GW_STR(""));
    trace->in_body = false;
}

static inline enum gw_err trace_on_complete(void *user)
{
    struct h1_trace *trace = user;
    trace_close_body(trace);
    trace_text(trace, GW_STR("end\n"));
    return GW_OK;
}

static const struct gw_h1_events h1_trace_events = {
    .on_request = trace_on_request,
    .on_response = trace_on_response,
    .on_body = trace_on_body,
    .on_complete = trace_on_complete,
};

struct h1_trace_opts {
    enum gw_h1_kind kind;
    size_t max_header_bytes;           /* 0: 64 KiB */
    bool expects_no_body;              /* of every response */
    const struct gw_h1_events *events; /* NULL: h1_trace_events */
};

/* Feeds a part of a stream, from a block of its own so that views that are kept too long are found;
 * returns GW_OK to go on. */
static inline enum gw_err trace_feed(const struct h1_trace_opts *opts, struct gw_h1_parser *parser,
                                     struct gw_str part)
{
    char *block = gw_strndup(part.ptr, part.len);
    char *exact = gw_realloc(block, part.len);
    size_t at = 0;
    enum gw_err err = GW_OK;
    while (err == GW_OK && at < part.len) {
        if (opts->expects_no_body) {
            gw_h1_parser_expect_no_body(parser);
        }
        size_t used = 0;
        err = gw_h1_parser_feed(parser, gw_str(exact + at, part.len - at), &used);
        at += used;
        if (err == GW_OK && at < part.len) {
            gw_h1_parser_next(parser);
        }
    }
    gw_free(exact);
    return err;
}

static inline void trace_end(struct h1_trace *trace, struct gw_h1_parser *parser, enum gw_err err)
{
    if (err == GW_OK) {
        err = gw_h1_parser_finish(parser);
        trace_close_body(trace);
        trace_text(trace, err == GW_OK ? GW_STR("eof") : GW_STR("cut"));
        return;
    }
    struct gw_h1_failure failure = gw_h1_parser_failure(parser);
    trace_close_body(trace);
    trace_text(trace, err == GW_ERR_TOO_LARGE ? GW_STR("large") : GW_STR("error"));
    trace_number(trace, "", failure.status);
}

/* Feeds a whole stream in parts of |step| bytes, the first of them |first| bytes long (0: |step|),
 * and writes the trace. */
static inline void h1_trace_run(struct h1_trace *trace, const struct h1_trace_opts *opts,
                                struct gw_str input, size_t first, size_t step)
{
    gw_buf_reset(&trace->text);
    trace->in_body = false;
    size_t limit = opts->max_header_bytes > 0 ? opts->max_header_bytes : 64u * 1024;
    struct gw_h1_parser *parser = gw_h1_parser_create(&(struct gw_h1_opts){
        .kind = opts->kind,
        .max_header_bytes = limit,
        .events = opts->events != NULL ? opts->events : &h1_trace_events,
        .user = trace,
    });
    enum gw_err err = GW_OK;
    size_t part = first > 0 ? first : step;
    size_t at = 0;
    while (err == GW_OK && at < input.len) {
        part = part < input.len - at ? part : input.len - at;
        err = trace_feed(opts, parser, gw_str(input.ptr + at, part));
        at += part;
        part = step;
    }
    trace_end(trace, parser, err);
    gw_h1_parser_destroy(&parser);
}

static inline void h1_trace_init(struct h1_trace *trace)
{
    *trace = (struct h1_trace){0};
    gw_buf_init(&trace->text, GW_TRACE_BYTES);
}

static inline void h1_trace_fini(struct h1_trace *trace)
{
    gw_buf_fini(&trace->text);
}

#endif
