/* SPDX-License-Identifier: MIT */
/*
 * fuzz/chat_run - takes one request of a dialect through its translation and every vendor's
 * encoder.
 *
 * Source:   dialect/dialect.h, provider/api.h
 * Shape:    the request is refused with a message, or it becomes the same neutral request twice,
 *           and each encoder refuses that with a message or writes the same JSON object twice.
 * Units:    bytes
 * Limits:   bodies of 64 MiB
 * Memory:   freed at the end of the run
 * Threads:  one
 * Errors:   a broken promise aborts.
 */
#ifndef GW_FUZZ_CHAT_RUN_H
#define GW_FUZZ_CHAT_RUN_H

#include <string.h>
#include <yyjson.h>

#include "fuzz_target.h"

#include "base/compiler.h"
#include "dialect/dialect.h"
#include "provider/api.h"
#include "json/scan.h"
#include "json/value.h"
#include "json/write.h"

#define CHAT_RUN_ARENA_BYTES (32u << 20)
#define CHAT_RUN_BODY_BYTES  (64u << 20)

struct chat_run {
    struct gw_arena arena;
    struct gw_error error;
    struct gw_notes notes;
    struct gw_llm_request request;
    bool drops; /* what a deployment cannot do is dropped instead of refused */
};

static inline void chat_run_check_json(struct gw_str text)
{
    enum gw_json_type type = GW_JSON_NULL;
    enum gw_err err = gw_json_scan(text, NULL, NULL, &type, NULL);
    /* Levels of our own come on top of the client's. */
    FUZZ_CHECK(err == GW_ERR_TOO_DEEP || (err == GW_OK && type == GW_JSON_OBJECT));
}

static inline void chat_run_notes(struct chat_run *run)
{
    memset(&run->error, 0, sizeof(run->error));
    gw_notes_init(&run->notes, &run->arena, run->drops, &run->error);
}

static inline bool chat_run_encode(struct chat_run *run, const struct gw_provider_api *api,
                                   struct gw_str model, yyjson_val *chat, struct gw_buf *body)
{
    struct gw_deployment deployment = {.provider_name = GW_STR("openai"),
                                       .base_path = GW_STR("/v1"),
                                       .region = GW_STR("us-east-1"),
                                       .cloud_project = GW_STR("p")};
    struct gw_provider_input in = {.deployment = &deployment,
                                   .upstream_model = model,
                                   .request = &run->request,
                                   .arena = &run->arena,
                                   .notes = &run->notes};
    struct gw_provider_call call = {0};
    chat_run_notes(run);
    gw_buf_init(&call.body, CHAT_RUN_BODY_BYTES);
    enum gw_err err = api->encode(&in, chat, &call);
    FUZZ_CHECK(err != GW_ERR_INVALID || (run->error.status == 400 && run->error.message.len > 0));
    if (err == GW_OK) {
        FUZZ_CHECK(call.body.err == GW_OK && call.target.len > 0);
        chat_run_check_json(gw_buf_str(&call.body));
    }
    *body = call.body;
    return err == GW_OK;
}

static inline void chat_run_encode_twice(struct chat_run *run, const struct gw_provider_api *api,
                                         struct gw_str model, yyjson_val *chat)
{
    struct gw_buf bodies[2];
    bool is_first = chat_run_encode(run, api, model, chat, &bodies[0]);
    bool is_second = chat_run_encode(run, api, model, chat, &bodies[1]);
    FUZZ_CHECK(is_first == is_second);
    FUZZ_CHECK(!is_first || (bodies[0].len == bodies[1].len &&
                             memcmp(bodies[0].ptr, bodies[1].ptr, bodies[0].len) == 0));
    gw_buf_fini(&bodies[0]);
    gw_buf_fini(&bodies[1]);
}

/* |choice| takes one of each vendor's models. */
static inline void chat_run_encode_all(struct chat_run *run, uint8_t choice, yyjson_val *chat)
{
    static const struct {
        const struct gw_provider_api *api;
        struct gw_str models[2];
    } rows[] = {
        {&gw_api_openai, {GW_STR_INIT("gpt-4.1"), GW_STR_INIT("o3-mini")}},
        {&gw_api_responses, {GW_STR_INIT("gpt-5.6-sol"), GW_STR_INIT("gpt-4.1")}},
        {&gw_api_azure, {GW_STR_INIT("gpt-4.1"), GW_STR_INIT("gpt-5")}},
        {&gw_api_anthropic, {GW_STR_INIT("claude-sonnet-4-5"), GW_STR_INIT("claude-opus-5-5")}},
        {&gw_api_vertex_claude,
         {GW_STR_INIT("claude-sonnet-5-5"), GW_STR_INIT("claude-3-haiku@20240307")}},
        {&gw_api_gemini, {GW_STR_INIT("gemini-3.8-flash"), GW_STR_INIT("gemini-2.5-flash")}},
        {&gw_api_vertex_gemini, {GW_STR_INIT("gemini-3-pro"), GW_STR_INIT("gemini-2.5-pro")}},
        {&gw_api_bedrock,
         {GW_STR_INIT("anthropic.claude-sonnet-4-5-20250929-v1:0"),
          GW_STR_INIT("amazon.nova-pro-v1:0")}},
        {&gw_api_cohere, {GW_STR_INIT("command-a-03-2025"), GW_STR_INIT("command-r7b-12-2024")}},
    };
    for (size_t i = 0; i < GW_ARRAY_LEN(rows); i++) {
        chat_run_encode_twice(run, rows[i].api, rows[i].models[choice & 1], chat);
    }
}

static inline void chat_run_translate(struct chat_run *run, const struct gw_dialect *dialect,
                                      const struct gw_inbound *in, uint8_t choice)
{
    struct gw_buf texts[2];
    for (unsigned i = 0; i < 2; i++) {
        yyjson_doc *chat = NULL;
        gw_buf_init(&texts[i], CHAT_RUN_BODY_BYTES);
        chat_run_notes(run);
        enum gw_err err = dialect->to_chat(in, &run->request, &run->notes, &chat);
        FUZZ_CHECK(err != GW_ERR_INVALID ||
                   (run->error.status == 400 && run->error.message.len > 0));
        FUZZ_CHECK((err == GW_OK) == (chat != NULL));
        if (err == GW_OK) {
            FUZZ_CHECK(yyjson_is_obj(yyjson_doc_get_root(chat)));
            gw_json_write(yyjson_doc_get_root(chat), &texts[i]);
            if (i == 0) {
                chat_run_encode_all(run, choice, yyjson_doc_get_root(chat));
            }
        }
        yyjson_doc_free(chat);
    }
    FUZZ_CHECK(texts[0].len == texts[1].len &&
               (texts[0].len == 0 || memcmp(texts[0].ptr, texts[1].ptr, texts[0].len) == 0));
    gw_buf_fini(&texts[0]);
    gw_buf_fini(&texts[1]);
}

/* The whole way of one request; the lowest bits of |choice| take models and what is dropped. */
static inline void chat_run(const struct gw_dialect *dialect, enum gw_task task, const char *path,
                            uint8_t choice, struct gw_str body)
{
    struct chat_run run = {.drops = (choice & 2) != 0};
    struct gw_inbound in = {.path = gw_str_from_c(path), .body = body};
    gw_arena_init(&run.arena, NULL, 0, 4096, CHAT_RUN_ARENA_BYTES);
    if (dialect->decode(&in, task, &run.arena, &run.request, &run.error) != GW_OK) {
        FUZZ_CHECK(run.error.status == 400 && run.error.message.len > 0);
    } else if (run.request.task != GW_TASK_EMBEDDING) {
        chat_run_translate(&run, dialect, &in, choice);
    }
    gw_arena_fini(&run.arena);
}

#endif
