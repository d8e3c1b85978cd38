/* SPDX-License-Identifier: MIT */
/*
 * fuzz/fuzz_openai_decoder - however an answer is split, the decoder gives the same events, in the
 * order that llm/event.h promises, and what OpenAI's encoder makes of them is read back the same.
 *
 * The first byte of the input chooses the mode, the second a split; the rest is the answer.
 */
#include <string.h>
#include <yyjson.h>

#include "base/buf.h"
#include "dialect/dialect.h"
#include "fuzz_target.h"
#include "provider/api.h"

struct outcome {
    struct gw_buf events; /* types and texts, one after the other */
    struct gw_encoder *encoder;
    struct gw_buf encoded;
    enum gw_err err;
    bool is_started;
    bool is_over; /* ERROR or END */
    bool is_ended;
    unsigned call_count;
};

static void check_order(struct outcome *outcome, const struct gw_event *event)
{
    FUZZ_CHECK(!outcome->is_ended);
    FUZZ_CHECK(!outcome->is_over || event->type == GW_EVENT_END);
    switch (event->type) {
    case GW_EVENT_START:
        FUZZ_CHECK(!outcome->is_started);
        outcome->is_started = true;
        break;
    case GW_EVENT_TOOL_BEGIN:
        FUZZ_CHECK(event->tool.index == outcome->call_count);
        outcome->call_count++;
        break;
    case GW_EVENT_TOOL_ARGUMENTS:
        FUZZ_CHECK(event->arguments.index < outcome->call_count);
        break;
    case GW_EVENT_ERROR:
        outcome->is_over = true;
        FUZZ_CHECK(event->error->status >= 400 && event->error->message.len > 0);
        break;
    case GW_EVENT_END:
        outcome->is_ended = true;
        break;
    default:
        break;
    }
    FUZZ_CHECK(outcome->is_started || event->type == GW_EVENT_ERROR || event->type == GW_EVENT_END);
}

static gw_on_event_fn keep;
static enum gw_err keep(void *user, const struct gw_event *event)
{
    struct outcome *outcome = user;
    check_order(outcome, event);
    (void)gw_buf_append_byte(&outcome->events, (char)('a' + event->type));
    if (event->type == GW_EVENT_TEXT || event->type == GW_EVENT_REASONING) {
        (void)gw_buf_append(&outcome->events, event->text);
    } else if (event->type == GW_EVENT_TOOL_ARGUMENTS) {
        (void)gw_buf_append(&outcome->events, event->arguments.text);
    }
    gw_dialect_openai.encode(outcome->encoder, event, &outcome->encoded);
    return GW_OK;
}

/* Each part in a block of its own, which is gone when the next one comes. */
static void run(struct outcome *outcome, enum gw_decoder_mode mode, struct gw_str input,
                size_t first, size_t step)
{
    memset(outcome, 0, sizeof(*outcome));
    gw_buf_init(&outcome->events, 64u << 20);
    gw_buf_init(&outcome->encoded, 64u << 20);
    outcome->encoder =
        gw_dialect_openai.encoder_create(&(struct gw_encoder_opts){.request_id = GW_STR("r")});
    struct gw_decoder *decoder = gw_api_openai.decoder_create(
        &(struct gw_decoder_opts){.mode = mode, .on_event = keep, .user = outcome});
    FUZZ_CHECK(decoder != NULL && outcome->encoder != NULL);
    size_t part = first;
    while (input.len > 0 && outcome->err == GW_OK) {
        part = part > 0 && part < input.len ? part : input.len;
        char *block = malloc(part);
        FUZZ_CHECK(block != NULL);
        memcpy(block, input.ptr, part);
        outcome->err = gw_api_openai.feed(decoder, gw_str(block, part));
        free(block);
        input = gw_str_skip(input, part);
        part = step;
    }
    if (outcome->err == GW_OK) {
        outcome->err = gw_api_openai.end(decoder);
    }
    FUZZ_CHECK(outcome->err != GW_OK || outcome->is_ended);
    FUZZ_CHECK(outcome->events.err == GW_OK && outcome->encoded.err == GW_OK);
    gw_api_openai.decoder_destroy(decoder);
    gw_dialect_openai.encoder_destroy(outcome->encoder);
}

static void finish(struct outcome *outcome)
{
    gw_buf_fini(&outcome->events);
    gw_buf_fini(&outcome->encoded);
}

static gw_on_event_fn ignore;
static enum gw_err ignore(void *user, const struct gw_event *event)
{
    (void)user;
    (void)event;
    return GW_OK;
}

/* What we write ourselves is a stream that we can read. */
static void check_readable(struct gw_str encoded)
{
    struct gw_decoder *decoder = gw_api_openai.decoder_create(
        &(struct gw_decoder_opts){.mode = GW_DECODE_STREAM, .on_event = ignore});
    FUZZ_CHECK(decoder != NULL);
    FUZZ_CHECK(gw_api_openai.feed(decoder, encoded) == GW_OK);
    FUZZ_CHECK(gw_api_openai.end(decoder) == GW_OK);
    gw_api_openai.decoder_destroy(decoder);
}

static void check_error_text(struct gw_str body)
{
    struct gw_arena arena;
    struct gw_error error = {0};
    gw_arena_init(&arena, NULL, 0, 4096, 1u << 20);
    gw_api_openai.read_error(400, NULL, 0, body, &arena, &error);
    FUZZ_CHECK(error.status >= 400 && error.status < 600);
    gw_arena_fini(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (size < 2) {
        return 0;
    }
    enum gw_decoder_mode mode = (bytes[0] & 3) == 3 ? GW_DECODE_PLAIN : GW_DECODE_STREAM;
    struct gw_str input = gw_str((const char *)bytes + 2, size - 2);
    struct outcome whole;
    run(&whole, mode, input, 0, 0);
    if (whole.is_ended) {
        check_readable(gw_buf_str(&whole.encoded));
    }
    check_error_text(input);
    const size_t steps[][2] = {{1, 1}, {bytes[1], 0}, {1, (size_t)bytes[1] + 1}};
    for (size_t i = 0; i < GW_ARRAY_LEN(steps); i++) {
        struct outcome split;
        run(&split, mode, input, steps[i][0], steps[i][1]);
        FUZZ_CHECK(whole.err == split.err);
        FUZZ_CHECK(gw_str_eq(gw_buf_str(&whole.events), gw_buf_str(&split.events)));
        FUZZ_CHECK(gw_str_eq(gw_buf_str(&whole.encoded), gw_buf_str(&split.encoded)));
        finish(&split);
    }
    finish(&whole);
    return 0;
}
