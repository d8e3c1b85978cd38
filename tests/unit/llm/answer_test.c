/* SPDX-License-Identifier: MIT */
/* llm/answer: events in, parts; parts out, events; limits and order. */
#include "llm/answer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/alloc.h"

#define TEXT_EVENT(kind, value)                                                                    \
    {                                                                                              \
        .type = GW_EVENT_##kind, .text = GW_STR_INIT(value)                                        \
    }

/* One answer with everything in it. */
static const struct gw_event script[] = {
    {.type = GW_EVENT_START,
     .start = {.id = GW_STR_INIT("id1"), .model = GW_STR_INIT("m"), .created_s = 7}},
    TEXT_EVENT(REASONING, "let me "),
    {.type = GW_EVENT_PING},
    TEXT_EVENT(REASONING, "think"),
    {.type = GW_EVENT_REASONING_SIGNATURE,
     .signature = {.value = GW_STR_INIT("sig"), .signer = GW_SIGNER_ANTHROPIC}},
    {.type = GW_EVENT_REASONING_REDACTED,
     .signature = {.value = GW_STR_INIT("opaque"), .signer = GW_SIGNER_ANTHROPIC}},
    {.type = GW_EVENT_TEXT, .text = GW_STR_INIT("Hel"), .logprobs = GW_STR_INIT("[{\"a\":1}]")},
    {.type = GW_EVENT_TEXT, .text = GW_STR_INIT("lo"), .logprobs = GW_STR_INIT("[{\"b\":2}]")},
    {.type = GW_EVENT_ANNOTATION, .annotation = GW_STR_INIT("{\"type\":\"url_citation\"}")},
    {.type = GW_EVENT_TOOL_BEGIN,
     .tool = {.index = 0, .id = GW_STR_INIT("c1"), .name = GW_STR_INIT("f")}},
    {.type = GW_EVENT_TOOL_BEGIN,
     .tool = {.index = 1,
              .id = GW_STR_INIT("c2"),
              .name = GW_STR_INIT("g"),
              .is_custom = true,
              .thought_signature = GW_STR_INIT("ts")}},
    {.type = GW_EVENT_TOOL_ARGUMENTS, .arguments = {.index = 1, .text = GW_STR_INIT("raw")}},
    {.type = GW_EVENT_TOOL_ARGUMENTS, .arguments = {.index = 0, .text = GW_STR_INIT("{\"x\"")}},
    {.type = GW_EVENT_TOOL_ARGUMENTS, .arguments = {.index = 0, .text = GW_STR_INIT(":1}")}},
    {.type = GW_EVENT_TOOL_END, .index = 0},
    {.type = GW_EVENT_TOOL_END, .index = 1},
    {.type = GW_EVENT_MEDIA,
     .media = {.mime_type = GW_STR_INIT("image/png"), .base64 = GW_STR_INIT("AA")}},
    {.type = GW_EVENT_MEDIA,
     .media = {.mime_type = GW_STR_INIT("image/png"), .base64 = GW_STR_INIT("BB")}},
    TEXT_EVENT(REFUSAL, "no"),
    {.type = GW_EVENT_USAGE, .usage = {.input_tokens = 1, .is_known = true}},
    {.type = GW_EVENT_FINISH,
     .finish = {.reason = GW_FINISH_TOOL_CALLS, .stop_sequence = GW_STR_INIT("END")}},
    {.type = GW_EVENT_USAGE, .usage = {.input_tokens = 3, .output_tokens = 5, .is_known = true}},
    {.type = GW_EVENT_END},
};

static void fill(struct gw_answer *answer)
{
    gw_answer_init(answer);
    for (size_t i = 0; i < GW_ARRAY_LEN(script); i++) {
        assert_int_equal(gw_answer_add(answer, &script[i]), GW_OK);
    }
}

static void assert_text(const struct gw_buf *buf, const char *expected)
{
    assert_int_equal(buf->len, strlen(expected));
    assert_memory_equal(buf->ptr, expected, buf->len);
}

static void test_parts_keep_their_order(void **state)
{
    (void)state;
    static const enum gw_answer_part_type types[] = {
        GW_PART_REASONING, GW_PART_REDACTED, GW_PART_TEXT,  GW_PART_ANNOTATION,
        GW_PART_TOOL,      GW_PART_TOOL,     GW_PART_MEDIA, GW_PART_REFUSAL,
    };
    struct gw_answer answer;
    fill(&answer);
    assert_int_equal(answer.part_count, GW_ARRAY_LEN(types));
    for (size_t i = 0; i < GW_ARRAY_LEN(types); i++) {
        assert_int_equal(answer.parts[i].type, types[i]);
    }
    assert_text(&answer.id, "id1");
    assert_text(&answer.parts[0].text, "let me think");
    assert_text(&answer.parts[0].signature, "sig");
    assert_text(&answer.parts[1].text, "opaque");
    assert_text(&answer.parts[2].text, "Hello");
    assert_text(&answer.parts[2].logprobs, "{\"a\":1},{\"b\":2}");
    assert_text(&answer.parts[4].text, "{\"x\":1}");
    assert_text(&answer.parts[5].text, "raw");
    assert_true(answer.parts[5].is_custom);
    assert_text(&answer.parts[5].signature, "ts");
    assert_text(&answer.parts[6].text, "AABB");
    assert_int_equal(answer.finish, GW_FINISH_TOOL_CALLS);
    assert_int_equal(answer.usage.input_tokens, 3);
    assert_true(answer.is_ended);
    gw_answer_fini(&answer);
}

static enum gw_err add_again(void *user, const struct gw_event *event)
{
    return gw_answer_add(user, event);
}

static void test_a_replay_makes_the_same_answer(void **state)
{
    (void)state;
    struct gw_answer answer;
    struct gw_answer copy;
    fill(&answer);
    gw_answer_init(&copy);
    assert_int_equal(gw_answer_replay(&answer, add_again, &copy), GW_OK);
    assert_int_equal(copy.part_count, answer.part_count);
    for (size_t i = 0; i < answer.part_count; i++) {
        const struct gw_answer_part *a = &answer.parts[i];
        const struct gw_answer_part *b = &copy.parts[i];
        assert_int_equal(a->type, b->type);
        assert_true(gw_str_eq(gw_buf_str(&a->text), gw_buf_str(&b->text)));
        assert_true(gw_str_eq(gw_buf_str(&a->logprobs), gw_buf_str(&b->logprobs)));
        assert_true(gw_str_eq(gw_buf_str(&a->signature), gw_buf_str(&b->signature)));
        assert_true(gw_str_eq(gw_buf_str(&a->id), gw_buf_str(&b->id)));
        assert_true(gw_str_eq(gw_buf_str(&a->name), gw_buf_str(&b->name)));
        assert_int_equal(a->signer, b->signer);
    }
    assert_int_equal(copy.finish, answer.finish);
    assert_int_equal(copy.usage.output_tokens, 5);
    assert_int_equal(copy.created_s, 7);
    assert_true(copy.is_ended);
    gw_answer_fini(&answer);
    gw_answer_fini(&copy);
}

static void test_events_out_of_order_are_refused(void **state)
{
    (void)state;
    struct gw_answer answer;
    struct gw_error error = {.status = 500};
    struct gw_event lost = {.type = GW_EVENT_TOOL_ARGUMENTS, .arguments = {.index = 2}};
    struct gw_event unknown = {.type = GW_EVENT_TOOL_END, .index = 0};
    struct gw_event failure = {.type = GW_EVENT_ERROR, .error = &error};
    struct gw_event end = {.type = GW_EVENT_END};
    gw_answer_init(&answer);
    assert_int_equal(gw_answer_add(&answer, &lost), GW_ERR_INVALID);
    assert_int_equal(gw_answer_add(&answer, &unknown), GW_ERR_INVALID);
    assert_int_equal(gw_answer_add(&answer, &failure), GW_ERR_INVALID);
    assert_int_equal(gw_answer_add(&answer, &end), GW_OK);
    assert_int_equal(gw_answer_add(&answer, &end), GW_ERR_INVALID);
    gw_answer_fini(&answer);
}

static void test_the_number_of_parts_is_bounded(void **state)
{
    (void)state;
    struct gw_answer answer;
    struct gw_event event = {.type = GW_EVENT_ANNOTATION, .annotation = GW_STR("{}")};
    gw_answer_init(&answer);
    for (size_t i = 0; i < GW_ANSWER_MAX_PARTS; i++) {
        assert_int_equal(gw_answer_add(&answer, &event), GW_OK);
    }
    assert_int_equal(gw_answer_add(&answer, &event), GW_ERR_TOO_LARGE);
    gw_answer_fini(&answer);
}

static void test_the_size_is_bounded(void **state)
{
    (void)state;
    size_t size = 1u << 20;
    char *block = gw_alloc(size);
    struct gw_answer answer;
    memset(block, 'x', size);
    struct gw_event event = {.type = GW_EVENT_TEXT, .text = gw_str(block, size)};
    gw_answer_init(&answer);
    for (size_t i = 0; i < GW_ANSWER_MAX_BYTES / size; i++) {
        assert_int_equal(gw_answer_add(&answer, &event), GW_OK);
    }
    assert_int_equal(gw_answer_add(&answer, &event), GW_ERR_TOO_LARGE);
    gw_answer_fini(&answer);
    gw_free(block);
}

static void test_every_allocation_may_fail(void **state)
{
    (void)state;
    for (uint64_t nth = 1; nth < 100; nth++) {
        struct gw_answer answer;
        enum gw_err err = GW_OK;
        gw_answer_init(&answer);
        gw_alloc_fail_at(nth);
        for (size_t i = 0; i < GW_ARRAY_LEN(script) && err == GW_OK; i++) {
            err = gw_answer_add(&answer, &script[i]);
        }
        gw_alloc_fail_at(0);
        gw_answer_fini(&answer);
        if (err == GW_OK) {
            assert_true(nth > 10);
            return;
        }
        assert_int_equal(err, GW_ERR_NOMEM);
    }
    fail_msg("the allocations never end");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts_keep_their_order),
        cmocka_unit_test(test_a_replay_makes_the_same_answer),
        cmocka_unit_test(test_events_out_of_order_are_refused),
        cmocka_unit_test(test_the_number_of_parts_is_bounded),
        cmocka_unit_test(test_the_size_is_bounded),
        cmocka_unit_test(test_every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
