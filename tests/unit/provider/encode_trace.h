/* SPDX-License-Identifier: MIT */
/*
 * provider/encode_trace - what an API makes of a neutral request, for golden tests.
 *
 * Source:   provider/api.h
 * Shape:    JSON in the tests is written with ' in the place of ", which bodies do not need.
 * Units:    none
 * Limits:   ENCODED_BYTES
 * Memory:   encoded_fini()
 * Threads:  the test's
 * Errors:   kept in the result
 */
#ifndef GW_TEST_PROVIDER_ENCODE_TRACE_H
#define GW_TEST_PROVIDER_ENCODE_TRACE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "provider/api.h"
#include "json/value.h"

#define ENCODED_BYTES (1u << 20)

struct encoded {
    struct gw_arena arena;
    struct gw_notes notes;
    struct gw_error error;
    struct gw_provider_call call;
    struct gw_llm_request request;
    enum gw_err err;
};

/* |text| with every ' made a ". */
static inline void encoded_quote(const char *text, struct gw_buf *out)
{
    gw_buf_init(out, ENCODED_BYTES);
    for (size_t i = 0; text[i] != '\0'; i++) {
        (void)gw_buf_append_byte(out, (char)(text[i] == '\'' ? '"' : text[i]));
    }
}

/* Encodes |chat| for |deployment|. */
static inline void encoded_run(struct encoded *encoded, const struct gw_provider_api *api,
                               const struct gw_deployment *deployment, const char *model,
                               const char *chat, bool is_stream)
{
    struct gw_buf text;
    struct gw_json_reader reader;
    yyjson_val *root = NULL;
    *encoded = (struct encoded){.request = {.is_stream = is_stream}};
    encoded_quote(chat, &text);
    gw_arena_init(&encoded->arena, NULL, 0, 4096, ENCODED_BYTES);
    gw_notes_init(&encoded->notes, &encoded->arena, deployment->drops_params, &encoded->error);
    gw_buf_init(&encoded->call.body, ENCODED_BYTES);
    gw_json_reader_init(&reader, ENCODED_BYTES);
    assert_int_equal(gw_json_read(&reader, gw_buf_str(&text), &root), GW_OK);
    const struct gw_provider_input in = {
        .deployment = deployment,
        .upstream_model = gw_str_from_c(model),
        .request = &encoded->request,
        .arena = &encoded->arena,
        .notes = &encoded->notes,
    };
    encoded->err = api->encode(&in, root, &encoded->call);
    /* What the call keeps must not live in the document. */
    gw_json_reader_fini(&reader);
    gw_buf_fini(&text);
}

static inline void encoded_fini(struct encoded *encoded)
{
    gw_buf_fini(&encoded->call.body);
    gw_arena_fini(&encoded->arena);
}

static inline void encoded_check_text(const char *what, struct gw_str got, const char *want)
{
    struct gw_buf quoted;
    encoded_quote(want, &quoted);
    if (!gw_str_eq(got, gw_buf_str(&quoted))) {
        fail_msg("%s:\n got " GW_STR_FMT "\nwant " GW_STR_FMT, what, GW_STR_ARG(got),
                 GW_STR_ARG(gw_buf_str(&quoted)));
    }
    gw_buf_fini(&quoted);
}

/* The body of |chat| is |body|, and the warnings are |warning|, literally. */
static inline void encoded_check(const struct gw_provider_api *api,
                                 const struct gw_deployment *deployment, const char *model,
                                 const char *chat, const char *body, const char *warning)
{
    struct encoded encoded;
    encoded_run(&encoded, api, deployment, model, chat, false);
    if (encoded.err != GW_OK) {
        fail_msg("%s: " GW_STR_FMT, gw_err_name(encoded.err), GW_STR_ARG(encoded.error.message));
    }
    encoded_check_text("body", gw_buf_str(&encoded.call.body), body);
    struct gw_str warned = gw_notes_warning(&encoded.notes);
    if (!gw_str_eq(warned, gw_str_from_c(warning))) {
        fail_msg("warning:\n got " GW_STR_FMT "\nwant %s", GW_STR_ARG(warned), warning);
    }
    encoded_fini(&encoded);
}

/* |chat| is refused because of |param|. */
static inline void encoded_check_refused(const struct gw_provider_api *api,
                                         const struct gw_deployment *deployment, const char *model,
                                         const char *chat, const char *param)
{
    struct encoded encoded;
    encoded_run(&encoded, api, deployment, model, chat, false);
    assert_int_equal(encoded.err, GW_ERR_INVALID);
    assert_int_equal(encoded.error.status, 400);
    encoded_check_text("param", encoded.error.param, param);
    encoded_fini(&encoded);
}

#endif
