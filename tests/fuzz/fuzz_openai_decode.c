/* SPDX-License-Identifier: MIT */
/*
 * fuzz/fuzz_openai_decode - what is decoded lies inside the body; the patched body is the same
 * document but for the members that were patched; errors are valid JSON.
 *
 * The first byte of the input chooses the task and the upstream model's name; the rest is the body.
 */
#include <string.h>
#include <yyjson.h>

#include "base/buf.h"
#include "dialect/openai.h"
#include "fuzz_target.h"
#include "provider/openai_request.h"

#define ARENA_MAX_BYTES (1u << 20)

static bool is_inside(struct gw_str span, struct gw_str body)
{
    return span.ptr == NULL || (span.ptr >= body.ptr && span.ptr + span.len <= body.ptr + body.len);
}

static void check_spans(const struct gw_llm_request *request, struct gw_str body)
{
    FUZZ_CHECK(is_inside(request->model_value, body));
    FUZZ_CHECK(is_inside(request->stream_options, body));
    FUZZ_CHECK(is_inside(request->include_usage, body));
    FUZZ_CHECK(request->include_usage.ptr == NULL ||
               is_inside(request->include_usage, request->stream_options));
    FUZZ_CHECK(request->model_form_value.ptr == NULL);
    FUZZ_CHECK((request->model_value.ptr == NULL) <= (request->model.len == 0));
}

static void check_error(const struct gw_error *error)
{
    struct gw_buf text;
    gw_buf_init(&text, ARENA_MAX_BYTES);
    gw_openai_write_error(error, &text);
    FUZZ_CHECK(error->status == 400 && error->message.len > 0 && text.err == GW_OK);
    yyjson_doc *doc = yyjson_read(text.ptr, text.len, 0);
    FUZZ_CHECK(doc != NULL);
    yyjson_doc_free(doc);
    gw_buf_fini(&text);
}

/* Lone surrogates in escapes are the one thing that we let pass and yyjson does not. */
static yyjson_doc *read_document(struct gw_str text)
{
    return yyjson_read(text.ptr, text.len, YYJSON_READ_NUMBER_AS_RAW);
}

static void check_same(yyjson_val *a, yyjson_val *b)
{
    size_t a_len = 0;
    size_t b_len = 0;
    char *a_text = yyjson_val_write(a, 0, &a_len);
    char *b_text = yyjson_val_write(b, 0, &b_len);
    FUZZ_CHECK(a_text != NULL && b_text != NULL);
    FUZZ_CHECK(a_len == b_len && memcmp(a_text, b_text, a_len) == 0);
    free(a_text);
    free(b_text);
}

/* stream_options after the patch: include_usage is true, what else was there is there. */
static void check_options(yyjson_val *before, yyjson_val *after)
{
    size_t added = 1;
    yyjson_obj_iter at = yyjson_obj_iter_with(before);
    yyjson_obj_iter patched = yyjson_obj_iter_with(after);
    FUZZ_CHECK(yyjson_is_obj(after));
    FUZZ_CHECK(yyjson_is_true(yyjson_obj_get(after, "include_usage")));
    for (yyjson_val *key = yyjson_obj_iter_next(&at); key != NULL;
         key = yyjson_obj_iter_next(&at)) {
        yyjson_val *same = yyjson_obj_iter_next(&patched);
        check_same(key, same);
        if (yyjson_equals_str(key, "include_usage")) {
            added = 0;
        } else {
            check_same(yyjson_obj_iter_get_val(key), yyjson_obj_iter_get_val(same));
        }
    }
    FUZZ_CHECK(yyjson_obj_size(after) == (before == NULL ? 0 : yyjson_obj_size(before)) + added);
}

static void check_member(const struct gw_llm_request *request, struct gw_str model, bool injected,
                         yyjson_val *key, yyjson_val *patched_key)
{
    yyjson_val *before = yyjson_obj_iter_get_val(key);
    yyjson_val *after = yyjson_obj_iter_get_val(patched_key);
    check_same(key, patched_key);
    if (yyjson_equals_str(key, "model") && request->model_value.ptr != NULL) {
        FUZZ_CHECK(yyjson_equals_strn(after, model.ptr, model.len));
    } else if (yyjson_equals_str(key, "stream_options") && injected) {
        check_options(yyjson_is_obj(before) ? before : NULL, after);
    } else {
        check_same(before, after);
    }
}

static void compare(const struct gw_llm_request *request, struct gw_str model, bool injected,
                    struct gw_str body, struct gw_str patched)
{
    yyjson_doc *before = read_document(body);
    yyjson_doc *after = read_document(patched);
    FUZZ_CHECK((before == NULL) == (after == NULL));
    if (before != NULL) {
        yyjson_obj_iter at = yyjson_obj_iter_with(yyjson_doc_get_root(before));
        yyjson_obj_iter patched_at = yyjson_obj_iter_with(yyjson_doc_get_root(after));
        for (yyjson_val *key = yyjson_obj_iter_next(&at); key != NULL;
             key = yyjson_obj_iter_next(&at)) {
            check_member(request, model, injected, key, yyjson_obj_iter_next(&patched_at));
        }
        yyjson_val *more = yyjson_obj_iter_next(&patched_at);
        FUZZ_CHECK((more != NULL) == (injected && request->stream_options.ptr == NULL));
        if (more != NULL) {
            FUZZ_CHECK(yyjson_equals_str(more, "stream_options"));
            check_options(NULL, yyjson_obj_iter_get_val(more));
            FUZZ_CHECK(yyjson_obj_iter_next(&patched_at) == NULL);
        }
    }
    yyjson_doc_free(before);
    yyjson_doc_free(after);
}

static void patch(const struct gw_llm_request *request, struct gw_str model, struct gw_str body,
                  struct gw_arena *arena)
{
    struct gw_json_splice splice;
    bool injected = false;
    FUZZ_CHECK(gw_openai_patch(request, body, model, arena, &splice, &injected) == GW_OK);
    struct gw_str runs[GW_JSON_MAX_RUNS];
    size_t count = gw_json_splice_runs(&splice, runs);
    struct gw_buf patched;
    gw_buf_init(&patched, body.len + 4096);
    for (size_t i = 0; i < count; i++) {
        FUZZ_CHECK(gw_buf_append(&patched, runs[i]) == GW_OK);
    }
    FUZZ_CHECK(patched.len == gw_json_splice_len(&splice));
    compare(request, model, injected, body, gw_buf_str(&patched));
    gw_buf_fini(&patched);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const enum gw_task tasks[] = {GW_TASK_CHAT, GW_TASK_COMPLETION, GW_TASK_RESPONSE,
                                         GW_TASK_EMBEDDING};
    static const struct gw_str models[] = {GW_STR_INIT("vendor/model"), GW_STR_INIT("a\"b\\c\n")};
    if (size == 0) {
        return 0;
    }
    enum gw_task task = tasks[bytes[0] & 3];
    struct gw_str model = models[bytes[0] >> 2 & 1];
    struct gw_str body = gw_str((const char *)bytes + 1, size - 1);
    struct gw_arena arena;
    struct gw_llm_request request;
    struct gw_error error;
    gw_arena_init(&arena, NULL, 0, 4096, ARENA_MAX_BYTES);
    if (gw_openai_decode(body, task, &arena, &request, &error) == GW_OK) {
        check_spans(&request, body);
        patch(&request, model, body, &arena);
    } else {
        check_error(&error);
    }
    gw_arena_fini(&arena);
    return 0;
}
