/* SPDX-License-Identifier: MIT */
/* provider/openai_tee - what is read from answers, and that they pass unchanged however they are
 * cut. */
#include "provider/openai_tee.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define CHUNK(content)                                                                             \
    "data: {\"choices\":[{\"index\":0,\"delta\":{" content                                         \
    "},\"finish_reason\":null}],\"usage\":null}\n\n"
#define FINISH "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"
#define USAGE                                                                                      \
    "data: "                                                                                       \
    "{\"choices\":[],\"usage\":{\"prompt_tokens\":11,\"completion_tokens\":7,\"total_tokens\":18," \
    "\"prompt_tokens_details\":{\"cached_tokens\":5,\"cache_write_tokens\":2},"                    \
    "\"completion_tokens_details\":{\"reasoning_tokens\":3}}}\n\n"
#define DONE "data: [DONE]\n\n"

struct outcome {
    struct gw_openai_tee tee;
    struct gw_answer_facts facts;
    struct gw_buf forwarded;
    enum gw_err err;
};

static enum gw_err on_forward(void *user, struct gw_str bytes)
{
    struct outcome *outcome = user;
    return gw_buf_append(&outcome->forwarded, bytes);
}

/* Runs a whole answer through a tee, cut at |first| and then every |step| bytes. */
static void run(struct outcome *outcome, enum gw_tee_mode mode, bool hides, const char *text,
                size_t first, size_t step)
{
    *outcome = (struct outcome){0};
    gw_buf_init(&outcome->forwarded, 1 << 20);
    gw_openai_tee_init(&outcome->tee, mode, hides, &outcome->facts, on_forward, outcome);
    struct gw_str rest = gw_str_from_c(text);
    size_t part = first;
    while (rest.len > 0 && outcome->err == GW_OK) {
        part = part < rest.len && part > 0 ? part : rest.len;
        outcome->err = gw_openai_tee_feed(&outcome->tee, gw_str(rest.ptr, part));
        rest = gw_str_skip(rest, part);
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

static void assert_forwarded(const struct outcome *outcome, const char *expected)
{
    assert_int_equal(outcome->forwarded.len, strlen(expected));
    assert_memory_equal(outcome->forwarded.ptr, expected, outcome->forwarded.len);
}

typedef void check_fn(const struct outcome *outcome);

/* The same outcome whole, byte by byte, and at every two-part split. */
static void run_all_splits(enum gw_tee_mode mode, bool hides, const char *text, check_fn *check)
{
    struct outcome outcome;
    run(&outcome, mode, hides, text, 0, 0);
    check(&outcome);
    finish(&outcome);
    run(&outcome, mode, hides, text, 1, 1);
    check(&outcome);
    finish(&outcome);
    for (size_t at = 1; at < strlen(text); at++) {
        run(&outcome, mode, hides, text, at, 0);
        check(&outcome);
        finish(&outcome);
    }
}

#define STREAM_HEAD                                                                                \
    CHUNK("\"role\":\"assistant\",\"content\":\"\"")                                               \
    CHUNK("\"content\":\"Hel\"") CHUNK("\"content\":\"lo\"") FINISH

static void check_usage(const struct outcome *outcome)
{
    assert_int_equal(outcome->err, GW_OK);
    assert_true(outcome->facts.usage.is_known);
    assert_int_equal(outcome->facts.usage.input_tokens, 11);
    assert_int_equal(outcome->facts.usage.output_tokens, 7);
    assert_int_equal(outcome->facts.usage.cached_tokens, 5);
    assert_int_equal(outcome->facts.usage.cache_write_tokens, 2);
    assert_int_equal(outcome->facts.usage.reasoning_tokens, 3);
    assert_string_equal(outcome->facts.finish_reason, "stop");
}

static void check_hidden(const struct outcome *outcome)
{
    check_usage(outcome);
    assert_int_equal(outcome->facts.output_bytes, 5);
    assert_forwarded(outcome, STREAM_HEAD DONE);
}

static void check_shown(const struct outcome *outcome)
{
    check_usage(outcome);
    assert_forwarded(outcome, STREAM_HEAD USAGE DONE);
}

static void test_stream_hides_the_usage_event(void **state)
{
    (void)state;
    run_all_splits(GW_TEE_STREAM, true, STREAM_HEAD USAGE DONE, check_hidden);
}

static void test_stream_shows_the_usage_event(void **state)
{
    (void)state;
    run_all_splits(GW_TEE_STREAM, false, STREAM_HEAD USAGE DONE, check_shown);
}

static void check_odd_lines(const struct outcome *outcome)
{
    assert_int_equal(outcome->err, GW_OK);
    assert_forwarded(outcome,
                     ": ping\r\n\r\n\n\nevent: x\rdata: not json\r\r" FINISH "data: [DONE] \n\n");
}

static void test_what_cannot_be_read_passes(void **state)
{
    (void)state;
    run_all_splits(GW_TEE_STREAM, true,
                   ": ping\r\n\r\n\n\nevent: x\rdata: not json\r\r" FINISH "data: [DONE] \n\n",
                   check_odd_lines);
}

static void check_truncated(const struct outcome *outcome)
{
    assert_int_equal(outcome->err, GW_ERR_EOF);
    assert_false(outcome->facts.is_finished);
}

static void test_a_stream_without_its_end_is_told(void **state)
{
    (void)state;
    run_all_splits(GW_TEE_STREAM, true, CHUNK("\"content\":\"a\""), check_truncated);
    run_all_splits(GW_TEE_STREAM, true, CHUNK("\"content\":\"a\"") "data: {\"cho", check_truncated);
    struct outcome outcome;
    run(&outcome, GW_TEE_STREAM, true, "", 0, 0);
    check_truncated(&outcome);
    finish(&outcome);
}

static void check_missing_blank_line(const struct outcome *outcome)
{
    assert_int_equal(outcome->err, GW_OK);
    assert_true(outcome->facts.is_finished);
}

static void test_a_last_event_without_blank_line_counts(void **state)
{
    (void)state;
    run_all_splits(GW_TEE_STREAM, true, FINISH "data: [DONE]", check_missing_blank_line);
    run_all_splits(GW_TEE_STREAM, true, FINISH "data: [DONE]\n", check_missing_blank_line);
}

static void check_error(const struct outcome *outcome)
{
    assert_int_equal(outcome->err, GW_OK);
    assert_true(outcome->facts.has_error);
    assert_string_equal(outcome->facts.error_text, "overloaded");
}

static void test_errors_in_streams(void **state)
{
    (void)state;
    run_all_splits(
        GW_TEE_STREAM, true,
        CHUNK(
            "\"content\":\"a\"") "data: {\"error\":{\"message\":\"overloaded\",\"code\":503}}\n\n",
        check_error);
    /* Ollama: a bare JSON line; older llama.cpp: a field of its own. */
    run_all_splits(GW_TEE_STREAM, true,
                   CHUNK("\"content\":\"a\"") "{\"error\":{\"message\":\"overloaded\"}}\n\n",
                   check_error);
    run_all_splits(GW_TEE_STREAM, true,
                   CHUNK("\"content\":\"a\"") "error: {\"error\":{\"message\":\"overloaded\"}}\n\n",
                   check_error);
}

static void check_responses(const struct outcome *outcome)
{
    assert_int_equal(outcome->err, GW_OK);
    assert_true(outcome->facts.usage.is_known);
    assert_int_equal(outcome->facts.usage.input_tokens, 4);
    assert_int_equal(outcome->facts.usage.output_tokens, 2);
    assert_int_equal(outcome->facts.usage.cached_tokens, 1);
    assert_int_equal(outcome->facts.output_bytes, 5);
}

static void test_responses_stream(void **state)
{
    (void)state;
    run_all_splits(
        GW_TEE_STREAM, false,
        "event: response.output_text.delta\n"
        "data: {\"type\":\"response.output_text.delta\",\"delta\":\"Hello\"}\n\n"
        "event: response.completed\n"
        "data: "
        "{\"type\":\"response.completed\",\"response\":{\"id\":\"r\",\"usage\":{\"input_tokens\":4,"
        "\"input_tokens_details\":{\"cached_tokens\":1},\"output_tokens\":2,\"total_tokens\":6}}}"
        "\n\n",
        check_responses);
}

static void check_finished(const struct outcome *outcome)
{
    assert_int_equal(outcome->err, GW_OK);
    assert_true(outcome->facts.is_finished);
}

static void test_streams_that_end_by_their_last_event(void **state)
{
    (void)state;
#define TRANSCRIPT                                                                                 \
    "data: {\"type\":\"transcript.text.delta\",\"delta\":\"a\"}\n\n"                               \
    "data: {\"type\":\"transcript.text.done\",\"text\":\"a\"}\n\n"
    static const char *const streams[] = {
        TRANSCRIPT,
        "data: {\"type\":\"speech.audio.done\"}\n\n",
        "data: {\"type\":\"image_generation.completed\",\"b64_json\":\"x\"}\n\n",
    };
    for (size_t i = 0; i < GW_ARRAY_LEN(streams); i++) {
        run_all_splits(GW_TEE_STREAM, false, streams[i], check_finished);
    }
}

#define PLAIN                                                                                      \
    " {\"id\":\"x\",\"choices\":[{\"message\":{\"content\":\"Hello\"},\"finish_reason\":\"stop\"}" \
    "],"                                                                                           \
    "\"usage\":{\"prompt_tokens\":11,\"completion_tokens\":7,\"total_tokens\":18,"                 \
    "\"prompt_tokens_details\":{\"cached_tokens\":5,\"cache_write_tokens\":2},"                    \
    "\"completion_tokens_details\":{\"reasoning_tokens\":3}}} \n"

static void check_plain(const struct outcome *outcome)
{
    check_usage(outcome);
    assert_forwarded(outcome, PLAIN);
}

static void test_plain_answer(void **state)
{
    (void)state;
    run_all_splits(GW_TEE_PLAIN, true, PLAIN, check_plain);
}

static void check_garbage(const struct outcome *outcome)
{
    assert_int_equal(outcome->err, GW_OK);
    assert_false(outcome->facts.usage.is_known);
    assert_forwarded(outcome, "<html>bad gateway</html>");
}

static void test_plain_garbage_passes(void **state)
{
    (void)state;
    run_all_splits(GW_TEE_PLAIN, true, "<html>bad gateway</html>", check_garbage);
    run_all_splits(GW_TEE_RAW, true, "<html>bad gateway</html>", check_garbage);
}

static void test_absurd_usage_is_not_believed(void **state)
{
    (void)state;
    struct outcome outcome;
    run(&outcome, GW_TEE_PLAIN, true,
        "{\"usage\":{\"prompt_tokens\":-5,\"completion_tokens\":1e99}}", 0, 0);
    assert_int_equal(outcome.err, GW_OK);
    assert_false(outcome.facts.usage.is_known);
    finish(&outcome);
}

static void test_an_endless_event_is_an_error(void **state)
{
    (void)state;
    struct outcome outcome = {0};
    char block[65536];
    memset(block, 'x', sizeof(block));
    gw_buf_init(&outcome.forwarded, 1 << 20);
    gw_openai_tee_init(&outcome.tee, GW_TEE_STREAM, true, &outcome.facts, on_forward, &outcome);
    enum gw_err err = GW_OK;
    for (size_t fed = 0; fed <= GW_TEE_MAX_EVENT_BYTES && err == GW_OK; fed += sizeof(block)) {
        err = gw_openai_tee_feed(&outcome.tee, gw_str(block, sizeof(block)));
    }
    assert_int_equal(err, GW_ERR_TOO_LARGE);
    assert_int_equal(outcome.forwarded.len, 0);
    finish(&outcome);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stream_hides_the_usage_event),
        cmocka_unit_test(test_stream_shows_the_usage_event),
        cmocka_unit_test(test_what_cannot_be_read_passes),
        cmocka_unit_test(test_a_stream_without_its_end_is_told),
        cmocka_unit_test(test_a_last_event_without_blank_line_counts),
        cmocka_unit_test(test_errors_in_streams),
        cmocka_unit_test(test_responses_stream),
        cmocka_unit_test(test_streams_that_end_by_their_last_event),
        cmocka_unit_test(test_plain_answer),
        cmocka_unit_test(test_plain_garbage_passes),
        cmocka_unit_test(test_absurd_usage_is_not_believed),
        cmocka_unit_test(test_an_endless_event_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
