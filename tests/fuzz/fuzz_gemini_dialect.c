/* SPDX-License-Identifier: MIT */
/*
 * fuzz/fuzz_gemini_dialect - whatever a Gemini client sends becomes a neutral request that the
 * Gemini API's encoder turns into JSON again, or is refused with a message.
 *
 * The first byte of the input chooses the method; the rest is the body.
 */
#include "base/arena.h"
#include "base/buf.h"
#include "dialect/dialect.h"
#include "fuzz_target.h"
#include "provider/api.h"
#include "json/scan.h"
#include "json/value.h"

#define ARENA_BYTES (16u << 20)
#define BODY_BYTES  (64u << 20)

struct translation {
    struct gw_arena arena;
    struct gw_error error;
    struct gw_notes notes;
    struct gw_llm_request request;
};

static void encode(struct translation *t, yyjson_val *root)
{
    struct gw_deployment deployment = {.base_path = GW_STR("/v1beta")};
    struct gw_provider_input in = {.deployment = &deployment,
                                   .upstream_model = GW_STR("gemini-3.8-flash"),
                                   .request = &t->request,
                                   .arena = &t->arena,
                                   .notes = &t->notes};
    struct gw_provider_call call = {0};
    enum gw_json_type type = GW_JSON_NULL;
    gw_buf_init(&call.body, BODY_BYTES);
    gw_notes_init(&t->notes, &t->arena, true, &t->error);
    enum gw_err err = t->request.task == GW_TASK_EMBEDDING
                          ? gw_api_gemini.encode_embeddings(&in, root, &call)
                          : gw_api_gemini.encode(&in, root, &call);
    if (err == GW_OK) {
        struct gw_str body = gw_buf_str(&call.body);
        err = gw_json_scan(body, NULL, NULL, &type, NULL);
        /* Our own levels come on top of the client's. */
        FUZZ_CHECK(err == GW_ERR_TOO_DEEP || (err == GW_OK && type == GW_JSON_OBJECT));
    } else {
        FUZZ_CHECK(err != GW_ERR_INVALID || t->error.message.len > 0);
    }
    gw_buf_fini(&call.body);
}

static void translate(struct translation *t, const struct gw_inbound *in)
{
    yyjson_doc *doc = NULL;
    enum gw_err err;
    if (gw_dialect_gemini.decode(in, GW_TASK_CHAT, &t->arena, &t->request, &t->error) != GW_OK) {
        FUZZ_CHECK(t->error.status == 400 && t->error.message.len > 0);
        return;
    }
    err = t->request.task == GW_TASK_EMBEDDING
              ? gw_dialect_gemini.to_embeddings(in, &t->request, &t->notes, &doc)
              : gw_dialect_gemini.to_chat(in, &t->request, &t->notes, &doc);
    if (err == GW_OK) {
        FUZZ_CHECK(yyjson_is_obj(yyjson_doc_get_root(doc)));
        encode(t, yyjson_doc_get_root(doc));
    } else {
        FUZZ_CHECK(doc == NULL && (err != GW_ERR_INVALID || t->error.message.len > 0));
    }
    yyjson_doc_free(doc);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const char *const paths[] = {
        "/v1beta/models/m:generateContent", "/v1beta/models/m:streamGenerateContent",
        "/v1beta/models/m:countTokens", "/v1beta/models/m:embedContent",
        "/v1beta/models/m:batchEmbedContents"};
    struct translation t = {0};
    if (size == 0) {
        return 0;
    }
    struct gw_inbound in = {.path = gw_str_from_c(paths[bytes[0] % GW_ARRAY_LEN(paths)]),
                            .body = gw_str((const char *)bytes + 1, size - 1)};
    gw_arena_init(&t.arena, NULL, 0, 4096, ARENA_BYTES);
    gw_notes_init(&t.notes, &t.arena, (bytes[0] & 0x80) != 0, &t.error);
    translate(&t, &in);
    gw_arena_fini(&t.arena);
    return 0;
}
