/* SPDX-License-Identifier: MIT */
/*
 * dialect/translated_test - what the tests of translating dialects share: a body to the neutral
 * request, events to a stream and to an answer.
 *
 * Source:   dialect/dialect.h
 * Shape:    asserts on exact bytes
 * Units:    none
 * Limits:   texts of a MiB
 * Memory:   freed before each function returns
 * Threads:  the test's
 * Errors:   assertions
 */
#ifndef GW_TEST_DIALECT_TRANSLATED_TEST_H
#define GW_TEST_DIALECT_TRANSLATED_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "dialect/dialect.h"
#include "json/value.h"

#define REQUEST_ID GW_STR("req_9")
#define CREATED_S  1795255872

/* |warning| is part of what the client is warned of; "" for nothing. NULL |chat|: refused. */
static inline void check_chat(const struct gw_dialect *dialect, const char *path, const char *body,
                              const char *chat, const char *warning)
{
    struct gw_arena arena;
    struct gw_error error = {0};
    struct gw_notes notes;
    struct gw_llm_request request = {0};
    struct gw_inbound in = {.path = gw_str_from_c(path), .body = gw_str_from_c(body)};
    yyjson_doc *doc = NULL;
    struct gw_buf out;
    gw_arena_init(&arena, NULL, 0, 4096, 1 << 20);
    gw_notes_init(&notes, &arena, false, &error);
    gw_buf_init(&out, 1 << 20);
    assert_int_equal(dialect->decode(&in, GW_TASK_CHAT, &arena, &request, &error), GW_OK);
    assert_int_equal(request.dialect, dialect->id);
    enum gw_err err = dialect->to_chat(&in, &request, &notes, &doc);
    assert_int_equal(err, chat != NULL ? GW_OK : GW_ERR_INVALID);
    if (chat != NULL) {
        gw_json_write(yyjson_doc_get_root(doc), &out);
        (void)gw_buf_append_byte(&out, '\0');
        assert_string_equal(out.ptr, chat);
    } else {
        assert_int_equal(error.status, 400);
    }
    struct gw_str told = gw_notes_warning(&notes);
    char text[2048];
    (void)snprintf(text, sizeof(text), GW_STR_FMT, GW_STR_ARG(told));
    if (strstr(text, warning) == NULL || (warning[0] == '\0' && text[0] != '\0')) {
        fail_msg("warned: %s", text);
    }
    yyjson_doc_free(doc);
    gw_buf_fini(&out);
    gw_arena_fini(&arena);
}

static inline void check_events(const struct gw_dialect *dialect, enum gw_task task,
                                const struct gw_event *events, size_t count, const char *stream,
                                const char *plain)
{
    struct gw_llm_request request = {.task = task, .is_stream = true};
    struct gw_encoder_opts opts = {.model = GW_STR("m"),
                                   .request_id = REQUEST_ID,
                                   .created_s = CREATED_S,
                                   .request = &request};
    struct gw_buf out;
    gw_buf_init(&out, 1 << 20);
    struct gw_encoder *encoder = dialect->encoder_create(&opts);
    assert_non_null(encoder);
    for (size_t i = 0; i < count; i++) {
        dialect->encode(encoder, &events[i], &out);
    }
    dialect->encoder_destroy(encoder);
    (void)gw_buf_append_byte(&out, '\0');
    assert_int_equal(out.err, GW_OK);
    assert_string_equal(out.ptr, stream);
    gw_buf_fini(&out);
    if (plain == NULL) {
        return;
    }
    struct gw_answer answer;
    gw_answer_init(&answer);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(gw_answer_add(&answer, &events[i]), GW_OK);
    }
    dialect->write_answer(&opts, &answer, &out);
    (void)gw_buf_append_byte(&out, '\0');
    assert_string_equal(out.ptr, plain);
    gw_answer_fini(&answer);
    gw_buf_fini(&out);
}

#endif
