/* SPDX-License-Identifier: MIT */
/*
 * provider/event_trace - events as lines of text, and a run of a decoder at any split.
 *
 * Source:   llm/event.h
 * Shape:    "start id=.. model=.. created=..", "text abc", ... one line per event
 * Units:    bytes
 * Limits:   traces of a MiB
 * Memory:   trace_fini()
 * Threads:  the test's
 * Errors:   kept in the trace
 */
#ifndef GW_TEST_PROVIDER_EVENT_TRACE_H
#define GW_TEST_PROVIDER_EVENT_TRACE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "llm/event.h"
#include "provider/api.h"

struct trace {
    struct gw_buf text;
    enum gw_err err;
};

/* " name=value", or nothing when it is empty. */
static inline void trace_field(struct gw_buf *out, const char *name, struct gw_str value)
{
    if (value.len > 0) {
        (void)gw_buf_appendf(out, " %s=", name);
        (void)gw_buf_append_json(out, value);
    }
}

static inline void trace_usage(struct gw_buf *out, const struct gw_usage *usage)
{
    (void)gw_buf_appendf(out, " in=%u cached=%u written=%u out=%u reasoning=%u",
                         (unsigned)usage->input_tokens, (unsigned)usage->cached_tokens,
                         (unsigned)usage->cache_write_tokens, (unsigned)usage->output_tokens,
                         (unsigned)usage->reasoning_tokens);
}

static inline void trace_error(struct gw_buf *out, const struct gw_error *error)
{
    (void)gw_buf_appendf(out, " %s %u retry=%d fallback=%d", gw_error_class_name(error->class).ptr,
                         error->status, error->is_retryable, error->can_fallback);
    trace_field(out, "code", error->code);
    trace_field(out, "param", error->param);
    trace_field(out, "message", error->message);
}

static inline void trace_body(struct gw_buf *out, const struct gw_event *event)
{
    switch (event->type) {
    case GW_EVENT_START:
        trace_field(out, "id", event->start.id);
        trace_field(out, "model", event->start.model);
        (void)gw_buf_appendf(out, " created=%u", (unsigned)event->start.created_s);
        break;
    case GW_EVENT_TEXT:
    case GW_EVENT_REASONING:
    case GW_EVENT_REFUSAL:
        trace_field(out, "text", event->text);
        trace_field(out, "logprobs", event->logprobs);
        break;
    case GW_EVENT_REASONING_SIGNATURE:
    case GW_EVENT_REASONING_REDACTED:
        (void)gw_buf_appendf(out, " signer=%d", (int)event->signature.signer);
        trace_field(out, "value", event->signature.value);
        trace_field(out, "id", event->signature.id);
        break;
    case GW_EVENT_MEDIA:
        trace_field(out, "type", event->media.mime_type);
        trace_field(out, "base64", event->media.base64);
        trace_field(out, "transcript", event->media.transcript);
        break;
    case GW_EVENT_ANNOTATION:
        trace_field(out, "json", event->annotation);
        break;
    case GW_EVENT_TOOL_BEGIN:
        (void)gw_buf_appendf(out, " %u", event->tool.index);
        trace_field(out, "id", event->tool.id);
        trace_field(out, "name", event->tool.name);
        trace_field(out, "signature", event->tool.thought_signature);
        (void)gw_buf_appendf(out, "%s", event->tool.is_custom ? " custom" : "");
        break;
    case GW_EVENT_TOOL_ARGUMENTS:
        (void)gw_buf_appendf(out, " %u", event->arguments.index);
        trace_field(out, "text", event->arguments.text);
        break;
    case GW_EVENT_TOOL_END:
        (void)gw_buf_appendf(out, " %u", event->index);
        break;
    case GW_EVENT_FINISH:
        (void)gw_buf_appendf(out, " %s", gw_finish_name(event->finish.reason).ptr);
        trace_field(out, "sequence", event->finish.stop_sequence);
        break;
    case GW_EVENT_USAGE:
        trace_usage(out, &event->usage);
        break;
    case GW_EVENT_ERROR:
        trace_error(out, event->error);
        break;
    case GW_EVENT_PING:
    case GW_EVENT_END:
    case GW_EVENT_TYPE_COUNT:
        break;
    }
}

static inline enum gw_err trace_event(void *user, const struct gw_event *event)
{
    static const char *const names[] = {
#define XX(id, name) name,
        GW_EVENT_MAP(XX)
#undef XX
    };
    struct trace *trace = user;
    (void)gw_buf_appendf(&trace->text, "%s", names[event->type]);
    trace_body(&trace->text, event);
    return gw_buf_append(&trace->text, GW_STR("\n"));
}

static inline void trace_fini(struct trace *trace)
{
    gw_buf_fini(&trace->text);
}

/* Runs a decoder over |text|, cut at |first| and then every |step| bytes; each part is a block of
 * its own that is gone when the next one comes. */
static inline void trace_run(struct trace *trace, const struct gw_provider_api *api,
                             struct gw_decoder_opts opts, struct gw_str text, size_t first,
                             size_t step)
{
    *trace = (struct trace){0};
    gw_buf_init(&trace->text, 1 << 20);
    opts.on_event = trace_event;
    opts.user = trace;
    struct gw_decoder *decoder = api->decoder_create(&opts);
    assert_non_null(decoder);
    size_t part = first;
    while (text.len > 0 && trace->err == GW_OK) {
        part = part < text.len && part > 0 ? part : text.len;
        char *block = malloc(part);
        assert_non_null(block);
        memcpy(block, text.ptr, part);
        trace->err = api->feed(decoder, gw_str(block, part));
        free(block);
        text = gw_str_skip(text, part);
        part = step;
    }
    if (trace->err == GW_OK) {
        trace->err = api->end(decoder);
    }
    api->decoder_destroy(decoder);
    (void)gw_buf_append_byte(&trace->text, '\0');
}

static inline void trace_check(const struct trace *trace, enum gw_err err, const char *expected)
{
    assert_string_equal(trace->text.ptr, expected);
    assert_int_equal(trace->err, err);
}

/* The same trace whole, byte by byte, and at every two-part split. */
static inline void trace_all_bytes(const struct gw_provider_api *api, struct gw_decoder_opts opts,
                                   struct gw_str whole, enum gw_err err, const char *expected)
{
    struct trace trace;
    trace_run(&trace, api, opts, whole, 0, 0);
    trace_check(&trace, err, expected);
    trace_fini(&trace);
    trace_run(&trace, api, opts, whole, 1, 1);
    trace_check(&trace, err, expected);
    trace_fini(&trace);
    for (size_t at = 1; at < whole.len; at++) {
        trace_run(&trace, api, opts, whole, at, 0);
        trace_check(&trace, err, expected);
        trace_fini(&trace);
    }
}

static inline void trace_all(const struct gw_provider_api *api, struct gw_decoder_opts opts,
                             const char *text, enum gw_err err, const char *expected)
{
    trace_all_bytes(api, opts, gw_str_from_c(text), err, expected);
}

#endif
