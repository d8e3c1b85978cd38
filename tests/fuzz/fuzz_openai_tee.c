/* SPDX-License-Identifier: MIT */
/*
 * fuzz/fuzz_openai_tee - however an answer is split, the same bytes go on and the same is read;
 * what goes on is what came, but for usage events that only the gateway asked for and for what is
 * left of a stream that broke off.
 *
 * The first byte of the input chooses mode and hiding, the second a split; the rest is the answer.
 */
#include <string.h>
#include <yyjson.h>

#include "base/buf.h"
#include "fuzz_target.h"
#include "http/sse.h"
#include "provider/openai_tee.h"

struct outcome {
    struct gw_openai_tee tee;
    struct gw_answer_facts facts;
    struct gw_buf forwarded;
    enum gw_err err;
};

static gw_tee_forward_fn keep;
static enum gw_err keep(void *user, struct gw_str bytes)
{
    struct outcome *outcome = user;
    FUZZ_CHECK(bytes.len > 0);
    return gw_buf_append(&outcome->forwarded, bytes);
}

/* Each part in a block of its own, which is gone when the next one comes. */
static void run(struct outcome *outcome, enum gw_tee_mode mode, bool hides, struct gw_str input,
                size_t first, size_t step)
{
    memset(outcome, 0, sizeof(*outcome));
    gw_buf_init(&outcome->forwarded, input.len + 1);
    gw_openai_tee_init(&outcome->tee, mode, hides, &outcome->facts, keep, outcome);
    size_t part = first;
    while (input.len > 0 && outcome->err == GW_OK) {
        part = part > 0 && part < input.len ? part : input.len;
        char *block = malloc(part);
        FUZZ_CHECK(block != NULL);
        memcpy(block, input.ptr, part);
        outcome->err = gw_openai_tee_feed(&outcome->tee, gw_str(block, part));
        free(block);
        input = gw_str_skip(input, part);
        part = step;
    }
    if (outcome->err == GW_OK) {
        outcome->err = gw_openai_tee_end(&outcome->tee);
    }
}

static void finish(struct outcome *outcome)
{
    gw_openai_tee_fini(&outcome->tee);
    gw_buf_fini(&outcome->forwarded);
}

static void check_same(const struct outcome *a, const struct outcome *b)
{
    FUZZ_CHECK(a->err == b->err);
    FUZZ_CHECK(gw_str_eq(gw_buf_str(&a->forwarded), gw_buf_str(&b->forwarded)));
    FUZZ_CHECK(memcmp(&a->facts.usage, &b->facts.usage, sizeof(a->facts.usage)) == 0);
    FUZZ_CHECK(a->facts.output_bytes == b->facts.output_bytes);
    FUZZ_CHECK(a->facts.event_count == b->facts.event_count);
    FUZZ_CHECK(a->facts.is_finished == b->facts.is_finished &&
               a->facts.is_ended == b->facts.is_ended);
    FUZZ_CHECK(a->facts.has_error == b->facts.has_error);
    FUZZ_CHECK(strcmp(a->facts.finish_reason, b->facts.finish_reason) == 0);
    FUZZ_CHECK(strcmp(a->facts.error_text, b->facts.error_text) == 0);
}

/* By another reader: one document whose "choices" is an empty array and whose "usage" an object. */
static bool may_be_hidden(struct gw_str data)
{
    yyjson_doc *doc = data.ptr == NULL ? NULL : yyjson_read(data.ptr, data.len, 0);
    yyjson_val *root = yyjson_doc_get_root(doc);
    yyjson_val *choices = yyjson_obj_get(root, "choices");
    bool may = yyjson_is_arr(choices) && yyjson_arr_size(choices) == 0 &&
               yyjson_is_obj(yyjson_obj_get(root, "usage"));
    yyjson_doc_free(doc);
    return may;
}

/* Walks the events of the input along what was forwarded. */
struct walk {
    struct gw_str forwarded;
    size_t at;
    bool hides;
    bool is_last; /* the event has no blank line */
    bool is_broken;
};

static gw_sse_on_event_fn follow;
static enum gw_err follow(void *user, const struct gw_sse_event *event)
{
    struct walk *walk = user;
    if (walk->is_last && walk->is_broken) {
        return GW_OK;
    }
    if (gw_str_has_prefix(gw_str_skip(walk->forwarded, walk->at), event->raw)) {
        walk->at += event->raw.len;
    } else {
        FUZZ_CHECK(walk->hides && may_be_hidden(event->data));
    }
    return GW_OK;
}

static void check_stream(const struct outcome *outcome, bool hides, struct gw_str input)
{
    struct gw_sse sse;
    struct walk walk = {.forwarded = gw_buf_str(&outcome->forwarded),
                        .hides = hides,
                        .is_broken = outcome->err == GW_ERR_EOF};
    FUZZ_CHECK(outcome->err == GW_OK || outcome->err == GW_ERR_EOF);
    gw_sse_init(&sse, GW_TEE_MAX_EVENT_BYTES);
    FUZZ_CHECK(gw_sse_feed(&sse, input, follow, &walk) == GW_OK);
    walk.is_last = true;
    FUZZ_CHECK(gw_sse_finish(&sse, follow, &walk) == GW_OK);
    gw_sse_fini(&sse);
    FUZZ_CHECK(walk.at == walk.forwarded.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (size < 2) {
        return 0;
    }
    static const enum gw_tee_mode modes[] = {GW_TEE_STREAM, GW_TEE_STREAM, GW_TEE_STREAM,
                                             GW_TEE_PLAIN};
    enum gw_tee_mode mode = modes[bytes[0] & 3];
    bool hides = (bytes[0] & 4) != 0;
    struct gw_str input = gw_str((const char *)bytes + 2, size - 2);
    struct outcome whole;
    run(&whole, mode, hides, input, 0, 0);
    if (mode == GW_TEE_PLAIN) {
        FUZZ_CHECK(whole.err == GW_OK && gw_str_eq(gw_buf_str(&whole.forwarded), input));
    } else {
        check_stream(&whole, hides, input);
    }
    const size_t steps[][2] = {{1, 1}, {bytes[1], 0}, {1, (size_t)bytes[1] + 1}};
    for (size_t i = 0; i < GW_ARRAY_LEN(steps); i++) {
        struct outcome split;
        run(&split, mode, hides, input, steps[i][0], steps[i][1]);
        check_same(&whole, &split);
        finish(&split);
    }
    finish(&whole);
    return 0;
}
