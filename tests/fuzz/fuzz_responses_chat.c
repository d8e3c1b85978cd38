/* SPDX-License-Identifier: MIT */
/*
 * fuzz/fuzz_responses_chat - a Responses request becomes the same neutral request each time, or is
 * refused with a reason; what is made of it for OpenAI, and without custom tools, is JSON again.
 *
 * The whole input is the body.
 */
#include <string.h>

#include "dialect/dialect.h"
#include "dialect/responses.h"
#include "fuzz_target.h"
#include "llm/custom_tools.h"
#include "provider/api.h"
#include "json/value.h"

#define MAX_BYTES (64u << 20)

static void check_json(const struct gw_buf *text)
{
    struct gw_json_reader reader;
    yyjson_val *root = NULL;
    gw_json_reader_init(&reader, MAX_BYTES);
    FUZZ_CHECK(text->err == GW_OK);
    FUZZ_CHECK(gw_json_read(&reader, gw_buf_str(text), &root) == GW_OK);
    gw_json_reader_fini(&reader);
}

static void check_lowered(yyjson_val *chat)
{
    yyjson_doc *lowered = NULL;
    FUZZ_CHECK(gw_custom_tools_lower(chat, &lowered) == GW_OK);
    FUZZ_CHECK(!gw_has_custom_tools(yyjson_doc_get_root(lowered)));
    yyjson_doc_free(lowered);
}

static void check_encoded(yyjson_val *chat, const struct gw_llm_request *request,
                          struct gw_arena *arena)
{
    struct gw_deployment deployment = {.provider_name = GW_STR("openai")};
    struct gw_error error = {0};
    struct gw_notes notes;
    struct gw_provider_call call = {0};
    struct gw_provider_input in = {.deployment = &deployment,
                                   .upstream_model = GW_STR("gpt-5.6-sol"),
                                   .request = request,
                                   .arena = arena,
                                   .notes = &notes};
    gw_notes_init(&notes, arena, true, &error);
    gw_buf_init(&call.body, MAX_BYTES);
    if (gw_api_responses.encode(&in, chat, &call) == GW_OK) {
        check_json(&call.body);
    }
    gw_buf_fini(&call.body);
}

static void check_chat(const struct gw_inbound *in, const struct gw_llm_request *request,
                       struct gw_arena *arena)
{
    struct gw_buf texts[2];
    struct gw_error error = {0};
    struct gw_notes notes;
    for (unsigned i = 0; i < 2; i++) {
        yyjson_doc *chat = NULL;
        gw_buf_init(&texts[i], MAX_BYTES);
        gw_notes_init(&notes, arena, i == 1, &error);
        enum gw_err err = gw_dialect_responses.to_chat(in, request, &notes, &chat);
        FUZZ_CHECK(err == GW_OK || (err == GW_ERR_INVALID && error.status == 400));
        if (err == GW_OK) {
            gw_json_write(yyjson_doc_get_root(chat), &texts[i]);
            check_json(&texts[i]);
            check_lowered(yyjson_doc_get_root(chat));
            check_encoded(yyjson_doc_get_root(chat), request, arena);
        }
        yyjson_doc_free(chat);
    }
    FUZZ_CHECK(texts[0].len == 0 || (texts[0].len == texts[1].len &&
                                     memcmp(texts[0].ptr, texts[1].ptr, texts[0].len) == 0));
    gw_buf_fini(&texts[0]);
    gw_buf_fini(&texts[1]);
}

static void check_join(struct gw_str body)
{
    struct gw_buf out;
    gw_buf_init(&out, MAX_BYTES);
    if (gw_responses_join(body, GW_STR("{\"role\":\"user\",\"content\":\"x\"}"), &out) == GW_OK) {
        struct gw_json_reader reader;
        yyjson_val *root = NULL;
        gw_json_reader_init(&reader, MAX_BYTES);
        /* yyjson does not take lone surrogates; the client's own bytes may hold some. */
        if (gw_json_read(&reader, gw_buf_str(&out), &root) == GW_OK) {
            FUZZ_CHECK(yyjson_is_arr(gw_json_get(root, "input")));
            FUZZ_CHECK(gw_json_get(root, "previous_response_id") == NULL);
        }
        gw_json_reader_fini(&reader);
    }
    gw_buf_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct gw_arena arena;
    struct gw_llm_request request;
    struct gw_error error;
    struct gw_inbound in = {.body = gw_str((const char *)bytes, size)};
    gw_arena_init(&arena, NULL, 0, 4096, 1u << 24);
    if (gw_dialect_responses.decode(&in, GW_TASK_RESPONSE, &arena, &request, &error) == GW_OK) {
        check_chat(&in, &request, &arena);
        check_join(in.body);
    } else {
        FUZZ_CHECK(error.status == 400);
    }
    gw_arena_fini(&arena);
    return 0;
}
