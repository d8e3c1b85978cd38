/* SPDX-License-Identifier: MIT */
/*
 * fuzz/decoder_run - runs a provider's decoder over one input at several splits, and writes down
 * its events.
 *
 * Source:   llm/event.h
 * Shape:    the events of every split are the same, and in the order that llm/event.h promises.
 * Units:    bytes
 * Limits:   traces of 16 MiB
 * Memory:   freed at the end of the run
 * Threads:  one
 * Errors:   a broken promise aborts.
 */
#ifndef GW_FUZZ_DECODER_RUN_H
#define GW_FUZZ_DECODER_RUN_H

#include <string.h>

#include "fuzz_target.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "provider/api.h"

struct decoder_trace {
    struct gw_buf text;
    unsigned tool_count;
    bool is_started;
    bool is_finished;
    bool has_failed;
    bool is_ended;
};

static inline void decoder_note(struct decoder_trace *trace, struct gw_str text)
{
    (void)gw_buf_append_u64(&trace->text, text.len);
    (void)gw_buf_append_byte(&trace->text, ':');
    (void)gw_buf_append(&trace->text, text);
}

static inline void decoder_check_order(struct decoder_trace *trace, const struct gw_event *event)
{
    FUZZ_CHECK(!trace->is_ended);
    FUZZ_CHECK(!trace->has_failed || event->type == GW_EVENT_END);
    FUZZ_CHECK(trace->is_started || event->type == GW_EVENT_START ||
               event->type == GW_EVENT_ERROR || event->type == GW_EVENT_PING || trace->has_failed);
    FUZZ_CHECK(event->type != GW_EVENT_START || !trace->is_started);
    FUZZ_CHECK(!gw_event_is_output(event) || !trace->is_finished || event->type == GW_EVENT_ERROR);
    trace->is_started = trace->is_started || event->type == GW_EVENT_START;
    trace->is_finished = trace->is_finished || event->type == GW_EVENT_FINISH;
    trace->has_failed = trace->has_failed || event->type == GW_EVENT_ERROR;
    trace->is_ended = event->type == GW_EVENT_END;
}

static inline enum gw_err decoder_on_event(void *user, const struct gw_event *event)
{
    struct decoder_trace *trace = user;
    decoder_check_order(trace, event);
    (void)gw_buf_appendf(&trace->text, "[%d ", (int)event->type);
    switch (event->type) {
    case GW_EVENT_START:
        decoder_note(trace, event->start.id);
        break;
    case GW_EVENT_TEXT:
    case GW_EVENT_REASONING:
    case GW_EVENT_REFUSAL:
        decoder_note(trace, event->text);
        break;
    case GW_EVENT_REASONING_SIGNATURE:
    case GW_EVENT_REASONING_REDACTED:
        decoder_note(trace, event->signature.value);
        break;
    case GW_EVENT_MEDIA:
        decoder_note(trace, event->media.base64);
        break;
    case GW_EVENT_ANNOTATION:
        decoder_note(trace, event->annotation);
        break;
    case GW_EVENT_TOOL_BEGIN:
        FUZZ_CHECK(event->tool.index == trace->tool_count);
        trace->tool_count++;
        decoder_note(trace, event->tool.id);
        decoder_note(trace, event->tool.name);
        break;
    case GW_EVENT_TOOL_ARGUMENTS:
        FUZZ_CHECK(event->arguments.index < trace->tool_count);
        decoder_note(trace, event->arguments.text);
        break;
    case GW_EVENT_TOOL_END:
        FUZZ_CHECK(event->index < trace->tool_count);
        break;
    case GW_EVENT_ERROR:
        FUZZ_CHECK(event->error->message.len > 0 && event->error->status >= 400);
        decoder_note(trace, event->error->message);
        break;
    case GW_EVENT_FINISH:
    case GW_EVENT_USAGE:
    case GW_EVENT_PING:
    case GW_EVENT_END:
    case GW_EVENT_TYPE_COUNT:
        break;
    }
    return gw_buf_append_byte(&trace->text, ']');
}

/* Feeds |input| in parts of |step| bytes, the first of them |first| bytes long (0: |step|). */
static inline enum gw_err decoder_feed(const struct gw_provider_api *api,
                                       struct gw_decoder_opts opts, struct gw_str input,
                                       size_t first, size_t step, struct decoder_trace *trace)
{
    *trace = (struct decoder_trace){0};
    gw_buf_init(&trace->text, 16u << 20);
    opts.on_event = decoder_on_event;
    opts.user = trace;
    struct gw_decoder *decoder = api->decoder_create(&opts);
    FUZZ_CHECK(decoder != NULL);
    enum gw_err err = GW_OK;
    size_t part = first > 0 ? first : step;
    for (size_t at = 0; err == GW_OK && at < input.len; part = step) {
        part = part < input.len - at ? part : input.len - at;
        char *block = gw_alloc(part);
        memcpy(block, input.ptr + at, part);
        err = api->feed(decoder, gw_str(block, part));
        gw_free(block);
        at += part;
    }
    err = err == GW_OK ? api->end(decoder) : err;
    api->decoder_destroy(decoder);
    FUZZ_CHECK((err == GW_OK) == trace->is_ended);
    return err;
}

/* The same events however |input| is split. */
static inline void decoder_run(const struct gw_provider_api *api, struct gw_decoder_opts opts,
                               struct gw_str input, size_t first)
{
    const size_t steps[][2] = {{0, 1}, {first, input.len + 1}, {0, first + 2}};
    struct decoder_trace whole;
    enum gw_err err = decoder_feed(api, opts, input, 0, input.len + 1, &whole);
    for (size_t i = 0; i < GW_ARRAY_LEN(steps); i++) {
        struct decoder_trace split;
        FUZZ_CHECK(decoder_feed(api, opts, input, steps[i][0], steps[i][1], &split) == err);
        FUZZ_CHECK(gw_str_eq(gw_buf_str(&whole.text), gw_buf_str(&split.text)));
        gw_buf_fini(&split.text);
    }
    gw_buf_fini(&whole.text);
}

#endif
