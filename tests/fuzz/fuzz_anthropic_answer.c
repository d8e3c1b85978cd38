/* SPDX-License-Identifier: MIT */
/*
 * fuzz/fuzz_anthropic_answer - however an answer of Anthropic's is split, the events are the same;
 * and what the dialect's encoder makes of them is read again as a stream that is whole.
 *
 * The first byte of the input chooses the mode, the second a split; the rest is the answer.
 */
#include <string.h>

#include "base/buf.h"
#include "dialect/dialect.h"
#include "fuzz_target.h"
#include "provider/api.h"

#define OUT_BYTES (64u << 20)

struct outcome {
    struct gw_buf events;
    struct gw_buf encoded;
    struct gw_encoder *encoder;
    bool is_ended;
    enum gw_err err;
};

static void keep(struct gw_buf *out, struct gw_str text)
{
    (void)gw_buf_append_u64(out, text.len);
    (void)gw_buf_append_byte(out, ':');
    (void)gw_buf_append(out, text);
}

static enum gw_err on_event(void *user, const struct gw_event *event)
{
    struct outcome *outcome = user;
    struct gw_buf *out = &outcome->events;
    FUZZ_CHECK(!outcome->is_ended);
    (void)gw_buf_append_u64(out, event->type);
    switch (event->type) {
    case GW_EVENT_START:
        keep(out, event->start.id);
        keep(out, event->start.model);
        break;
    case GW_EVENT_TEXT:
    case GW_EVENT_REASONING:
    case GW_EVENT_REFUSAL:
        keep(out, event->text);
        break;
    case GW_EVENT_REASONING_SIGNATURE:
    case GW_EVENT_REASONING_REDACTED:
        keep(out, event->signature.value);
        break;
    case GW_EVENT_ANNOTATION:
        keep(out, event->annotation);
        break;
    case GW_EVENT_TOOL_BEGIN:
        keep(out, event->tool.id);
        keep(out, event->tool.name);
        break;
    case GW_EVENT_TOOL_ARGUMENTS:
        keep(out, event->arguments.text);
        break;
    case GW_EVENT_ERROR:
        keep(out, event->error->message);
        break;
    case GW_EVENT_FINISH:
        keep(out, event->finish.stop_sequence);
        break;
    case GW_EVENT_USAGE:
        (void)gw_buf_append_u64(out, event->usage.input_tokens);
        (void)gw_buf_append_u64(out, event->usage.output_tokens);
        break;
    case GW_EVENT_END:
        outcome->is_ended = true;
        break;
    case GW_EVENT_MEDIA:
    case GW_EVENT_TOOL_END:
    case GW_EVENT_PING:
    case GW_EVENT_TYPE_COUNT:
        break;
    }
    if (outcome->encoder != NULL) {
        gw_dialect_anthropic.encode(outcome->encoder, event, &outcome->encoded);
    }
    return out->err;
}

/* Each part in a block of its own, which is gone when the next one comes. */
static void run(struct outcome *outcome, enum gw_decoder_mode mode, struct gw_str input,
                size_t first, size_t step)
{
    struct gw_decoder_opts opts = {.mode = mode, .on_event = on_event, .user = outcome};
    struct gw_decoder *decoder = gw_api_anthropic.decoder_create(&opts);
    FUZZ_CHECK(decoder != NULL);
    gw_buf_init(&outcome->events, OUT_BYTES);
    size_t part = first;
    while (input.len > 0 && outcome->err == GW_OK) {
        part = part > 0 && part < input.len ? part : input.len;
        char *block = malloc(part);
        FUZZ_CHECK(block != NULL);
        memcpy(block, input.ptr, part);
        outcome->err = gw_api_anthropic.feed(decoder, gw_str(block, part));
        free(block);
        input = gw_str_skip(input, part);
        part = step;
    }
    if (outcome->err == GW_OK) {
        outcome->err = gw_api_anthropic.end(decoder);
    }
    FUZZ_CHECK(outcome->err != GW_OK || outcome->is_ended);
    gw_api_anthropic.decoder_destroy(decoder);
}

/* The stream that the encoder wrote is one that the decoder takes. */
static void check_encoded(const struct outcome *outcome)
{
    struct outcome again = {0};
    FUZZ_CHECK(outcome->encoded.err == GW_OK);
    run(&again, GW_DECODE_STREAM, gw_buf_str(&outcome->encoded), 0, 0);
    FUZZ_CHECK(again.err == GW_OK && again.is_ended);
    gw_buf_fini(&again.events);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (size < 2) {
        return 0;
    }
    static const struct gw_llm_request request = {.dialect = GW_DIALECT_ANTHROPIC};
    static const struct gw_encoder_opts opts = {.request_id = GW_STR_INIT("r"),
                                                .request = &request};
    enum gw_decoder_mode mode = (bytes[0] & 3) == 3 ? GW_DECODE_PLAIN : GW_DECODE_STREAM;
    struct gw_str input = gw_str((const char *)bytes + 2, size - 2);
    struct outcome whole = {.encoder = gw_dialect_anthropic.encoder_create(&opts)};
    gw_buf_init(&whole.encoded, OUT_BYTES);
    run(&whole, mode, input, 0, 0);
    if (whole.err == GW_OK) {
        check_encoded(&whole);
    }
    const size_t steps[][2] = {{1, 1}, {bytes[1], 0}, {1, (size_t)bytes[1] + 1}};
    for (size_t i = 0; i < GW_ARRAY_LEN(steps); i++) {
        struct outcome split = {0};
        run(&split, mode, input, steps[i][0], steps[i][1]);
        FUZZ_CHECK(split.err == whole.err);
        FUZZ_CHECK(gw_str_eq(gw_buf_str(&split.events), gw_buf_str(&whole.events)));
        gw_buf_fini(&split.events);
    }
    gw_dialect_anthropic.encoder_destroy(whole.encoder);
    gw_buf_fini(&whole.encoded);
    gw_buf_fini(&whole.events);
    return 0;
}
