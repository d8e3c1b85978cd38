/* SPDX-License-Identifier: MIT */
/*
 * unit/provider/gemini_fixture - encodes one request and decodes one answer, as texts.
 *
 * Source:   none
 * Shape:    a fixture is made, used once or more, and ended.
 * Units:    none
 * Limits:   a megabyte each
 * Memory:   texts are valid until the fixture's next use or its end.
 * Threads:  one
 * Errors:   failures of memory end the test.
 */
#ifndef GW_UNIT_PROVIDER_GEMINI_FIXTURE_H
#define GW_UNIT_PROVIDER_GEMINI_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "llm/event.h"
#include "provider/api.h"
#include "json/value.h"

#define FIXTURE_BYTES (1u << 20)

struct gemini_fixture {
    const struct gw_provider_api *api;
    struct gw_arena arena;
    struct gw_error error;
    struct gw_notes notes;
    struct gw_deployment deployment;
    struct gw_llm_request request;
    struct gw_provider_call call;
    struct gw_buf trace;
};

static inline void fixture_init(struct gemini_fixture *f, const struct gw_provider_api *api)
{
    memset(f, 0, sizeof(*f));
    f->api = api;
    gw_arena_init(&f->arena, NULL, 0, 4096, FIXTURE_BYTES);
    f->deployment.base_path = GW_STR("/v1beta");
    f->request.task = GW_TASK_CHAT;
    gw_buf_init(&f->call.body, FIXTURE_BYTES);
    gw_buf_init(&f->trace, FIXTURE_BYTES);
}

static inline void fixture_fini(struct gemini_fixture *f)
{
    gw_buf_fini(&f->call.body);
    gw_buf_fini(&f->trace);
    gw_arena_fini(&f->arena);
}

static inline struct gw_provider_input fixture_input(struct gemini_fixture *f, const char *model)
{
    return (struct gw_provider_input){.deployment = &f->deployment,
                                      .upstream_model = gw_str_from_c(model),
                                      .request = &f->request,
                                      .arena = &f->arena,
                                      .notes = &f->notes};
}

/* Encodes; the body is f->call.body, the notes f->notes. */
static inline enum gw_err fixture_encode(struct gemini_fixture *f, const char *model,
                                         const char *chat)
{
    struct gw_provider_input in = fixture_input(f, model);
    struct gw_json_reader reader;
    yyjson_val *root = NULL;
    gw_buf_reset(&f->call.body);
    f->call.field_count = 0;
    gw_notes_init(&f->notes, &f->arena, f->deployment.drops_params, &f->error);
    gw_json_reader_init(&reader, FIXTURE_BYTES);
    assert_int_equal(gw_json_read(&reader, gw_str_from_c(chat), &root), GW_OK);
    enum gw_err err = f->request.task == GW_TASK_EMBEDDING
                          ? f->api->encode_embeddings(&in, root, &f->call)
                          : f->api->encode(&in, root, &f->call);
    gw_json_reader_fini(&reader);
    return err;
}

/* The value of the first note on |param|, or an empty text. */
static inline struct gw_str fixture_note(const struct gemini_fixture *f, const char *param,
                                         enum gw_note_kind kind)
{
    for (size_t i = 0; i < f->notes.count; i++) {
        const struct gw_note *note = &f->notes.entries[i];
        if (note->kind == kind && gw_str_eq(note->param, gw_str_from_c(param))) {
            return note->text;
        }
    }
    return gw_str("", 0);
}

static inline const char *fixture_text(struct gw_buf *buf)
{
    assert_int_equal(gw_buf_append_byte(buf, '\0'), GW_OK);
    buf->len--;
    return buf->ptr;
}

#define ENCODES(f, model, chat, expected)                                                          \
    do {                                                                                           \
        assert_int_equal(fixture_encode((f), (model), (chat)), GW_OK);                             \
        assert_string_equal(fixture_text(&(f)->call.body), (expected));                            \
    } while (0)

/* ---- events as lines ---- */

static inline void trace_str(struct gw_buf *out, struct gw_str text)
{
    (void)gw_buf_append_byte(out, ' ');
    (void)gw_buf_append_json(out, text);
}

static inline void trace_output(struct gw_buf *out, const struct gw_event *event)
{
    switch (event->type) {
    case GW_EVENT_TEXT:
    case GW_EVENT_REASONING:
    case GW_EVENT_REFUSAL:
        trace_str(out, event->text);
        if (event->logprobs.len > 0) {
            trace_str(out, event->logprobs);
        }
        break;
    case GW_EVENT_ANNOTATION:
        trace_str(out, event->annotation);
        break;
    case GW_EVENT_MEDIA:
        trace_str(out, event->media.mime_type);
        trace_str(out, event->media.base64);
        break;
    case GW_EVENT_REASONING_SIGNATURE:
    case GW_EVENT_REASONING_REDACTED:
        trace_str(out, event->signature.value);
        break;
    case GW_EVENT_TOOL_BEGIN:
        (void)gw_buf_appendf(out, " %u%s", event->tool.index, event->tool.is_custom ? "c" : "");
        trace_str(out, event->tool.id);
        trace_str(out, event->tool.name);
        trace_str(out, event->tool.thought_signature);
        break;
    case GW_EVENT_TOOL_ARGUMENTS:
        (void)gw_buf_appendf(out, " %u", event->arguments.index);
        trace_str(out, event->arguments.text);
        break;
    default:
        break;
    }
}

static inline void trace_frame(struct gw_buf *out, const struct gw_event *event)
{
    switch (event->type) {
    case GW_EVENT_START:
        trace_str(out, event->start.id);
        trace_str(out, event->start.model);
        break;
    case GW_EVENT_TOOL_END:
        (void)gw_buf_appendf(out, " %u", event->index);
        break;
    case GW_EVENT_FINISH:
        trace_str(out, gw_finish_name(event->finish.reason));
        break;
    case GW_EVENT_USAGE:
        (void)gw_buf_appendf(out, " in %llu cached %llu out %llu reasoning %llu",
                             (unsigned long long)event->usage.input_tokens,
                             (unsigned long long)event->usage.cached_tokens,
                             (unsigned long long)event->usage.output_tokens,
                             (unsigned long long)event->usage.reasoning_tokens);
        break;
    case GW_EVENT_ERROR:
        (void)gw_buf_appendf(out, " %u/%u%s%s retry %llu", event->error->status,
                             event->error->upstream_status,
                             event->error->is_retryable ? " retryable" : "",
                             event->error->can_fallback ? " fallback" : "",
                             (unsigned long long)event->error->retry_after_s);
        trace_str(out, event->error->code);
        trace_str(out, event->error->message);
        break;
    default:
        trace_output(out, event);
        break;
    }
}

static const char *const trace_names[GW_EVENT_TYPE_COUNT] = {
#define XX(id, name) name,
    GW_EVENT_MAP(XX)
#undef XX
};

static inline enum gw_err trace_event(void *user, const struct gw_event *event)
{
    struct gw_buf *out = user;
    (void)gw_buf_append(out, gw_str_from_c(trace_names[event->type]));
    trace_frame(out, event);
    return gw_buf_append_byte(out, '\n');
}

/* Runs an answer through a decoder, cut at |first| and then every |step| bytes (0: not cut);
 * f->trace gets the events, one a line, and the result when it is no success. */
static inline enum gw_err fixture_decode(struct gemini_fixture *f, enum gw_decoder_mode mode,
                                         struct gw_str text, size_t first, size_t step)
{
    struct gw_decoder_opts opts = {.mode = mode,
                                   .upstream_model = GW_STR("gemini-3.8-flash"),
                                   .memory = f->call.memory,
                                   .on_event = trace_event,
                                   .user = &f->trace};
    struct gw_decoder *decoder = f->api->decoder_create(&opts);
    enum gw_err err = GW_OK;
    size_t part = first;
    assert_non_null(decoder);
    gw_buf_reset(&f->trace);
    while (text.len > 0 && err == GW_OK) {
        part = part > 0 && part < text.len ? part : text.len;
        err = f->api->feed(decoder, gw_str(text.ptr, part));
        text = gw_str_skip(text, part);
        part = step;
    }
    if (err == GW_OK) {
        err = f->api->end(decoder);
    }
    f->api->decoder_destroy(decoder);
    if (err != GW_OK) {
        (void)gw_buf_appendf(&f->trace, "%s\n", gw_err_name(err));
    }
    return err;
}

/* The same events whole, byte by byte and at every two-part split. */
static inline void check_decode(const struct gw_provider_api *api, enum gw_decoder_mode mode,
                                const char *text, const char *expected, void *memory)
{
    struct gemini_fixture f;
    struct gw_str answer = gw_str_from_c(text);
    fixture_init(&f, api);
    f.call.memory = memory;
    (void)fixture_decode(&f, mode, answer, 0, 0);
    assert_string_equal(fixture_text(&f.trace), expected);
    (void)fixture_decode(&f, mode, answer, 1, 1);
    assert_string_equal(fixture_text(&f.trace), expected);
    for (size_t i = 1; i < answer.len; i++) {
        (void)fixture_decode(&f, mode, answer, i, 0);
        assert_string_equal(fixture_text(&f.trace), expected);
    }
    fixture_fini(&f);
}

#endif
