/* SPDX-License-Identifier: MIT */
/*
 * fuzz/fuzz_responses_stream - however an answer of Responses is split, the same events come of it;
 * whatever they are, the stream that is written of them is JSON in each event, numbered from 0, and
 * a plain answer of them equals the stream's last object.
 *
 * The first byte of the input chooses the mode, the second a split; the rest is the answer.
 */
#include <string.h>

#include "base/buf.h"
#include "dialect/responses.h"
#include "fuzz_target.h"
#include "http/sse.h"
#include "provider/api.h"
#include "json/value.h"

#define MAX_BYTES (64u << 20)

struct outcome {
    struct gw_encoder *encoder;
    struct gw_buf out;
    struct gw_answer answer;
    bool has_error;
    enum gw_err err;
};

static const struct gw_encoder_opts encoder_opts = {
    .model = GW_STR_INIT("m"), .request_id = GW_STR_INIT("req_1"), .created_s = 1};

static gw_on_event_fn on_event;
static enum gw_err on_event(void *user, const struct gw_event *event)
{
    struct outcome *outcome = user;
    gw_dialect_responses.encode(outcome->encoder, event, &outcome->out);
    outcome->has_error = outcome->has_error || event->type == GW_EVENT_ERROR;
    enum gw_err err = outcome->has_error ? GW_OK : gw_answer_add(&outcome->answer, event);
    return outcome->out.err != GW_OK ? outcome->out.err : err;
}

/* Each part in a block of its own, which is gone when the next one comes. */
static void run(struct outcome *outcome, enum gw_decoder_mode mode, struct gw_str input,
                size_t first, size_t step)
{
    struct gw_decoder_opts opts = {.mode = mode, .on_event = on_event, .user = outcome};
    struct gw_decoder *decoder = gw_api_responses.decoder_create(&opts);
    FUZZ_CHECK(decoder != NULL);
    *outcome = (struct outcome){.encoder = gw_dialect_responses.encoder_create(&encoder_opts)};
    FUZZ_CHECK(outcome->encoder != NULL);
    gw_buf_init(&outcome->out, MAX_BYTES);
    gw_answer_init(&outcome->answer);
    size_t part = first;
    while (input.len > 0 && outcome->err == GW_OK) {
        part = part > 0 && part < input.len ? part : input.len;
        char *block = malloc(part);
        FUZZ_CHECK(block != NULL);
        memcpy(block, input.ptr, part);
        outcome->err = gw_api_responses.feed(decoder, gw_str(block, part));
        free(block);
        input = gw_str_skip(input, part);
        part = step;
    }
    if (outcome->err == GW_OK) {
        outcome->err = gw_api_responses.end(decoder);
    }
    gw_api_responses.decoder_destroy(decoder);
}

static void finish(struct outcome *outcome)
{
    gw_dialect_responses.encoder_destroy(outcome->encoder);
    gw_answer_fini(&outcome->answer);
    gw_buf_fini(&outcome->out);
}

struct judge {
    struct gw_json_reader reader;
    uint64_t sequence;
};

static gw_sse_on_event_fn judge_event;
static enum gw_err judge_event(void *user, const struct gw_sse_event *event)
{
    struct judge *judge = user;
    yyjson_val *root = NULL;
    FUZZ_CHECK(gw_json_read(&judge->reader, event->data, &root) == GW_OK);
    FUZZ_CHECK(gw_json_is(gw_json_get(root, "type"), event->type));
    FUZZ_CHECK(gw_json_get_u64(root, "sequence_number", UINT64_MAX) == judge->sequence++);
    return GW_OK;
}

static void check_stream(const struct outcome *outcome)
{
    struct judge judge = {.sequence = 0};
    struct gw_sse sse;
    gw_json_reader_init(&judge.reader, MAX_BYTES);
    gw_sse_init(&sse, MAX_BYTES);
    FUZZ_CHECK(gw_sse_feed(&sse, gw_buf_str(&outcome->out), judge_event, &judge) == GW_OK);
    gw_sse_fini(&sse);
    gw_json_reader_fini(&judge.reader);
}

static void check_plain(const struct outcome *outcome)
{
    struct gw_buf plain;
    struct gw_str result;
    if (outcome->err != GW_OK || outcome->has_error) {
        return;
    }
    gw_buf_init(&plain, MAX_BYTES);
    FUZZ_CHECK(gw_responses_result(outcome->encoder, &result));
    gw_dialect_responses.write_answer(&encoder_opts, &outcome->answer, &plain);
    FUZZ_CHECK(plain.err == GW_OK);
    gw_buf_fini(&plain);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct outcome whole;
    struct outcome parts;
    if (size < 2) {
        return 0;
    }
    enum gw_decoder_mode mode = (bytes[0] & 1) != 0 ? GW_DECODE_PLAIN : GW_DECODE_STREAM;
    struct gw_str input = gw_str((const char *)bytes + 2, size - 2);
    run(&whole, mode, input, 0, 0);
    run(&parts, mode, input, bytes[1], (bytes[0] & 2) != 0 ? 1 : 0);
    FUZZ_CHECK(whole.err == parts.err);
    FUZZ_CHECK(whole.out.len == parts.out.len &&
               (whole.out.len == 0 || memcmp(whole.out.ptr, parts.out.ptr, whole.out.len) == 0));
    check_stream(&whole);
    check_plain(&whole);
    finish(&whole);
    finish(&parts);
    return 0;
}
