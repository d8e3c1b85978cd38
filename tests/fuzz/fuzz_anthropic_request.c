/* SPDX-License-Identifier: MIT */
/*
 * fuzz/fuzz_anthropic_request - whatever a client sends as a Messages request: it is refused with
 * an error, or the neutral request and what goes to Anthropic and Vertex AI are valid JSON, the
 * verbatim way too.
 *
 * The first byte of the input chooses the model and what the deployment drops; the rest is the
 * body.
 */
#include <string.h>
#include <yyjson.h>

#include "dialect/dialect.h"
#include "fuzz_target.h"
#include "provider/api.h"
#include "json/scan.h"

#define BYTES (64u << 20)

struct attempt {
    struct gw_arena arena;
    struct gw_error error;
    struct gw_notes notes;
    struct gw_llm_request request;
    struct gw_deployment deployment;
    struct gw_provider_input in;
};

static void begin(struct attempt *attempt, uint8_t choice)
{
    static const struct gw_str models[] = {
        GW_STR_INIT("claude-sonnet-4-5"), GW_STR_INIT("claude-opus-4-6"),
        GW_STR_INIT("claude-opus-5-5"),   GW_STR_INIT("claude-sonnet-5-5"),
        GW_STR_INIT("claude-haiku-5-5"),  GW_STR_INIT("claude-opus-4-8"),
        GW_STR_INIT("claude-3-haiku"),    GW_STR_INIT("another")};
    memset(attempt, 0, sizeof(*attempt));
    gw_arena_init(&attempt->arena, NULL, 0, 4096, BYTES);
    gw_notes_init(&attempt->notes, &attempt->arena, (choice & 8) != 0, &attempt->error);
    attempt->deployment.limit_max_tokens = (choice & 16) != 0 ? 100 : 0;
    attempt->in = (struct gw_provider_input){.deployment = &attempt->deployment,
                                             .upstream_model = models[choice & 7],
                                             .request = &attempt->request,
                                             .arena = &attempt->arena,
                                             .notes = &attempt->notes};
}

static void check_json(struct gw_str text)
{
    enum gw_json_type type = GW_JSON_NULL;
    FUZZ_CHECK(gw_json_scan(text, NULL, NULL, &type, NULL) == GW_OK);
    FUZZ_CHECK(type == GW_JSON_OBJECT);
}

static void encode(struct attempt *attempt, const struct gw_provider_api *api, yyjson_val *chat)
{
    struct gw_provider_call call = {0};
    gw_buf_init(&call.body, BYTES);
    enum gw_err err = api->encode(&attempt->in, chat, &call);
    FUZZ_CHECK(err == GW_OK || (err == GW_ERR_INVALID && attempt->error.status == 400));
    if (err == GW_OK) {
        check_json(gw_buf_str(&call.body));
    }
    gw_buf_fini(&call.body);
}

static void patch(struct attempt *attempt, const struct gw_provider_api *api, struct gw_str body)
{
    struct gw_provider_call call = {0};
    struct gw_json_splice splice;
    struct gw_str runs[GW_JSON_MAX_RUNS];
    struct gw_buf sent;
    gw_buf_init(&call.body, BYTES);
    FUZZ_CHECK(api->patch(&attempt->in, GW_STR("/v1/messages"), GW_STR(""), body, &splice, &call) ==
               GW_OK);
    size_t count = gw_json_splice_runs(&splice, runs);
    gw_buf_init(&sent, BYTES);
    for (size_t i = 0; i < count; i++) {
        FUZZ_CHECK(gw_buf_append(&sent, runs[i]) == GW_OK);
    }
    check_json(gw_buf_str(&sent));
    gw_buf_fini(&sent);
    gw_buf_fini(&call.body);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (size < 1) {
        return 0;
    }
    struct attempt attempt;
    yyjson_doc *chat = NULL;
    struct gw_inbound in = {.path = GW_STR("/v1/messages"),
                            .body = gw_str((const char *)bytes + 1, size - 1)};
    begin(&attempt, bytes[0]);
    enum gw_err err = gw_dialect_anthropic.decode(&in, GW_TASK_CHAT, &attempt.arena,
                                                  &attempt.request, &attempt.error);
    if (err == GW_OK) {
        patch(&attempt, &gw_api_anthropic, in.body);
        patch(&attempt, &gw_api_vertex_claude, in.body);
        err = gw_dialect_anthropic.to_chat(&in, &attempt.request, &attempt.notes, &chat);
    }
    FUZZ_CHECK(err == GW_OK || (err == GW_ERR_INVALID && attempt.error.status == 400));
    if (err == GW_OK) {
        encode(&attempt, &gw_api_anthropic, yyjson_doc_get_root(chat));
        encode(&attempt, &gw_api_vertex_claude, yyjson_doc_get_root(chat));
        yyjson_doc_free(chat);
    }
    gw_arena_fini(&attempt.arena);
    return 0;
}
