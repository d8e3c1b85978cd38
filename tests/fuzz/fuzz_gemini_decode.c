/* SPDX-License-Identifier: MIT */
/*
 * fuzz/fuzz_gemini_decode - however an answer of generateContent is split, the events and the
 * result are the same.
 *
 * The first byte of the input chooses the mode, the second a split; the rest is the answer.
 */
#include <string.h>

#include "base/buf.h"
#include "fuzz_target.h"
#include "provider/api.h"

#define TRACE_BYTES (1u << 20)

struct outcome {
    struct gw_buf trace;
    enum gw_err err;
    bool is_over;
};

static void keep(struct gw_buf *trace, struct gw_str text)
{
    (void)gw_buf_append_u64(trace, text.len);
    (void)gw_buf_append_byte(trace, ' ');
    (void)gw_buf_append(trace, text);
}

static gw_on_event_fn on_event;
static enum gw_err on_event(void *user, const struct gw_event *event)
{
    struct outcome *outcome = user;
    struct gw_buf *trace = &outcome->trace;
    FUZZ_CHECK(!outcome->is_over); /* nothing comes behind the end or an error */
    outcome->is_over = event->type == GW_EVENT_END || event->type == GW_EVENT_ERROR;
    (void)gw_buf_append_u64(trace, event->type);
    switch (event->type) {
    case GW_EVENT_TEXT:
    case GW_EVENT_REASONING:
        keep(trace, event->text);
        keep(trace, event->logprobs);
        break;
    case GW_EVENT_TOOL_BEGIN:
        keep(trace, event->tool.id);
        keep(trace, event->tool.name);
        keep(trace, event->tool.thought_signature);
        break;
    case GW_EVENT_TOOL_ARGUMENTS:
        keep(trace, event->arguments.text);
        break;
    case GW_EVENT_ANNOTATION:
        keep(trace, event->annotation);
        break;
    case GW_EVENT_MEDIA:
        keep(trace, event->media.base64);
        break;
    case GW_EVENT_ERROR:
        FUZZ_CHECK(event->error->status >= 400 && event->error->status <= 599);
        keep(trace, event->error->message);
        break;
    case GW_EVENT_USAGE:
        (void)gw_buf_append_u64(trace, event->usage.output_tokens);
        break;
    default:
        break;
    }
    return GW_OK; /* a trace that is full is full in every run */
}

/* Each part in a block of its own, which is gone when the next one comes. */
static void run(struct outcome *outcome, enum gw_decoder_mode mode, struct gw_str input,
                size_t first, size_t step)
{
    memset(outcome, 0, sizeof(*outcome));
    gw_buf_init(&outcome->trace, TRACE_BYTES);
    struct gw_decoder_opts opts = {.mode = mode, .on_event = on_event, .user = outcome};
    struct gw_decoder *decoder = gw_api_gemini.decoder_create(&opts);
    FUZZ_CHECK(decoder != NULL);
    size_t part = first;
    while (input.len > 0 && outcome->err == GW_OK) {
        part = part > 0 && part < input.len ? part : input.len;
        char *block = malloc(part);
        FUZZ_CHECK(block != NULL);
        memcpy(block, input.ptr, part);
        outcome->err = gw_api_gemini.feed(decoder, gw_str(block, part));
        free(block);
        input = gw_str_skip(input, part);
        part = step;
    }
    if (outcome->err == GW_OK) {
        outcome->err = gw_api_gemini.end(decoder);
    }
    gw_api_gemini.decoder_destroy(decoder);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (size < 2) {
        return 0;
    }
    enum gw_decoder_mode mode = (bytes[0] & 1) != 0 ? GW_DECODE_PLAIN : GW_DECODE_STREAM;
    struct gw_str input = gw_str((const char *)bytes + 2, size - 2);
    struct outcome whole;
    run(&whole, mode, input, 0, 0);
    FUZZ_CHECK(whole.err != GW_OK || whole.is_over);
    const size_t steps[][2] = {{1, 1}, {bytes[1], 0}, {1, (size_t)bytes[1] + 1}};
    for (size_t i = 0; i < GW_ARRAY_LEN(steps); i++) {
        struct outcome split;
        run(&split, mode, input, steps[i][0], steps[i][1]);
        FUZZ_CHECK(split.err == whole.err);
        FUZZ_CHECK(gw_str_eq(gw_buf_str(&split.trace), gw_buf_str(&whole.trace)));
        gw_buf_fini(&split.trace);
    }
    gw_buf_fini(&whole.trace);
    return 0;
}
