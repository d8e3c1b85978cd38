/* SPDX-License-Identifier: MIT */
/* core/stored - responses that the gateway keeps for providers that keep none: a conversation goes
 * on from them (previous_response_id), and clients read and delete them. */
#include "base/alloc.h"
#include "base/digest.h"
#include "base/log.h"
#include "core/access.h"
#include "core/core_int.h"
#include "dialect/responses.h"
#include "policy/response_store.h"
#include "json/value.h"

#define WRAPPED_BYTES 256 /* what makes a message of an input that is a string */

/* What of a request goes with its response into the store. */
struct gw_stored {
    struct gw_buf input; /* its own items */
    char tenant_bytes[GW_DIGEST_BYTES];
    struct gw_str tenant;
};

/* Who may read a response: whoever has the key that made it. The store holds no keys. False when
 * that cannot be told: then nothing is stored or found. */
static bool find_tenant(const struct gw_request *request, char *bytes, struct gw_str *tenant)
{
    struct gw_str key = gw_access_key(request->pair->head);
    *tenant = gw_str(NULL, 0);
    if (request->conf->snapshot->access.is_open) {
        return true;
    }
    *tenant = gw_str(bytes, GW_DIGEST_BYTES);
    return gw_digest(key, bytes) == GW_OK;
}

static uint64_t now_ms(const struct gw_request *request)
{
    return gw_loop_now_ms(request->core->loop);
}

void gw_stored_destroy(struct gw_stored **stored)
{
    if (*stored != NULL) {
        gw_buf_fini(&(*stored)->input);
        gw_free(*stored);
        *stored = NULL;
    }
}

/* ---- going on from a response ---- */

/* Decodes the envelope again, from the joined body. */
static enum gw_err decode_again(struct gw_request *request, struct gw_error *error)
{
    struct gw_str model = request->llm.model;
    struct gw_str previous = request->llm.previous_response_id;
    struct gw_inbound in = gw_request_inbound(request);
    enum gw_err err =
        request->dialect->decode(&in, GW_TASK_RESPONSE, &request->arena, &request->llm, error);
    request->llm.dialect = request->dialect->id;
    request->llm.previous_response_id = previous; /* the answer names it */
    if (request->route.path_model.len > 0) {
        request->llm.model = model;
    }
    return err;
}

/* Puts the conversation in front of the request's own items. */
static enum gw_err join(struct gw_request *request, struct gw_str items)
{
    struct gw_buf joined;
    gw_buf_init(&joined, request->body.max_bytes);
    enum gw_err err = gw_responses_join(gw_buf_str(&request->body), items, &joined);
    if (err != GW_OK) {
        gw_buf_fini(&joined);
        return err;
    }
    request->history_bytes = items.len;
    gw_buf_fini(&request->body);
    request->body = joined;
    return GW_OK;
}

static void explain(enum gw_err err, struct gw_error *error)
{
    if (err == GW_ERR_TOO_LARGE) {
        *error = (struct gw_error){
            .class = GW_ERROR_CLIENT,
            .status = 413,
            .code = GW_STR("request_too_large"),
            .param = GW_STR("previous_response_id"),
            .message = GW_STR("The conversation has become larger than the gateway sends "
                              "(server.max_body_size). Begin a new one with a summary.")};
    } else if (err == GW_ERR_INVALID && error->class == GW_ERROR_NONE) {
        *error = (struct gw_error){.class = GW_ERROR_CLIENT,
                                   .status = 400,
                                   .code = GW_STR("missing_required_parameter"),
                                   .param = GW_STR("input"),
                                   .message = GW_STR("You must provide an input.")};
    }
}

/* Remembers what the request adds to its conversation. */
static enum gw_err keep_input(struct gw_request *request)
{
    struct gw_stored *stored = gw_try_alloc(sizeof(*stored));
    if (stored == NULL) {
        return GW_ERR_NOMEM;
    }
    gw_buf_init(&stored->input, request->body.max_bytes + WRAPPED_BYTES);
    enum gw_err err = find_tenant(request, stored->tenant_bytes, &stored->tenant)
                          ? gw_responses_input(gw_buf_str(&request->body), &stored->input)
                          : GW_ERR_NOMEM;
    if (err != GW_OK) {
        gw_stored_destroy(&stored);
        return err;
    }
    request->stored = stored;
    return GW_OK;
}

static enum gw_err join_history(struct gw_request *request, struct gw_str items,
                                struct gw_error *error)
{
    enum gw_err err = request->llm.is_stored ? keep_input(request) : GW_OK;
    if (err == GW_OK) {
        err = join(request, items);
    }
    if (err == GW_OK) {
        err = decode_again(request, error);
    }
    return err;
}

enum gw_err gw_stored_join(struct gw_request *request, struct gw_error *error)
{
    struct gw_response_store *store = request->core->responses;
    char bytes[GW_DIGEST_BYTES];
    struct gw_str tenant;
    struct gw_buf items;
    if (store == NULL || !find_tenant(request, bytes, &tenant)) {
        return GW_OK; /* the provider may know it */
    }
    gw_buf_init(&items, request->body.max_bytes);
    enum gw_err err = gw_response_store_history(store, tenant, request->llm.previous_response_id,
                                                now_ms(request), &items);
    if (err == GW_OK) {
        err = join_history(request, gw_buf_str(&items), error);
    } else if (err == GW_ERR_NOT_FOUND) {
        err = GW_OK;
    }
    gw_buf_fini(&items);
    if (err != GW_OK) {
        explain(err, error);
    }
    return err;
}

/* ---- keeping a response ---- */

enum gw_err gw_stored_prepare(struct gw_request *request)
{
    if (request->stored != NULL || request->core->responses == NULL) {
        return GW_OK;
    }
    enum gw_err err = keep_input(request);
    return err == GW_ERR_INVALID ? GW_OK : err; /* the translation says what is wrong with it */
}

struct gw_str gw_stored_id(struct gw_request *request)
{
    const struct gw_request_head *head = request->pair->head;
    if (request->stored == NULL ||
        gw_headers_get(head->headers, head->header_count, GW_HEADER_X_REQUEST_ID).len == 0) {
        return request->id;
    }
    uint64_t bits = gw_rng_next(gw_loop_rng(request->core->loop));
    return gw_arena_printf(&request->arena, GW_STR_FMT "_%016llx", GW_STR_ARG(request->id),
                           (unsigned long long)bits);
}

static enum gw_err put(struct gw_request *request, struct gw_str response)
{
    struct gw_json_reader reader;
    yyjson_val *root = NULL;
    gw_json_reader_init(&reader, response.len);
    enum gw_err err = gw_json_read(&reader, response, &root);
    if (err == GW_OK) {
        struct gw_stored_response kept = {.id = gw_json_get_text(root, "id"),
                                          .input = gw_buf_str(&request->stored->input),
                                          .response = response};
        if (request->history_bytes > 0) {
            kept.previous_id = request->llm.previous_response_id;
        }
        err = gw_response_store_put(request->core->responses, request->stored->tenant, &kept,
                                    now_ms(request));
    }
    gw_json_reader_fini(&reader);
    return err;
}

void gw_stored_keep(struct gw_request *request)
{
    struct gw_str response;
    if (!gw_translation_response(request->attempt->translation, &response)) {
        return;
    }
    enum gw_err err = put(request, response);
    if (err != GW_OK) {
        gw_log_warn("core", "request " GW_STR_FMT ": its response is not kept for later: %s",
                    GW_STR_ARG(request->id), gw_err_text(err));
    }
    gw_stored_destroy(&request->stored);
}

/* ---- asking for a response ---- */

/* What is asked of a stored response. */
struct question {
    struct gw_str tenant;
    struct gw_str id;
    struct gw_str part; /* behind the id: "", "input_items", "cancel" */
    enum gw_http_method method;
};

static bool is_read(const struct question *question)
{
    return question->method == GW_METHOD_GET || question->method == GW_METHOD_HEAD;
}

static enum gw_err find(struct gw_request *request, const struct question *question,
                        struct gw_buf *out)
{
    struct gw_response_store *store = request->core->responses;
    if (question->method == GW_METHOD_DELETE && question->part.len == 0) {
        return gw_response_store_delete(store, question->tenant, question->id);
    }
    if (is_read(question) && gw_str_eq(question->part, GW_STR("input_items"))) {
        return gw_response_store_inputs(store, question->tenant, question->id, now_ms(request),
                                        out);
    }
    bool is_cancel =
        question->method == GW_METHOD_POST && gw_str_eq(question->part, GW_STR("cancel"));
    if (is_cancel || (is_read(question) && question->part.len == 0)) {
        return gw_response_store_get(store, question->tenant, question->id, now_ms(request), out);
    }
    return GW_ERR_NOT_FOUND;
}

static bool wants_stream(struct gw_str query)
{
    struct gw_str part;
    while (gw_str_split(&query, '&', &part)) {
        if (gw_str_eq(part, GW_STR("stream=true"))) {
            return true;
        }
    }
    return false;
}

static enum gw_step send_body(struct gw_request *request, const struct gw_buf *body)
{
    if (body->err != GW_OK) {
        return gw_respond_no_memory(request);
    }
    gw_respond_json(request, 200, gw_buf_str(body), NULL, 0);
    gw_request_set_state(request, GW_REQUEST_SETTLE);
    return GW_STEP_GO;
}

static enum gw_step send_items(struct gw_request *request, const struct question *question,
                               struct gw_str items)
{
    struct gw_buf page;
    gw_buf_init(&page, GW_PROVIDER_MAX_ANSWER_BYTES * 2u);
    enum gw_err err = gw_responses_write_items(items, question->id, request->query, &page);
    enum gw_step step =
        err == GW_ERR_INVALID
            ? gw_respond_invalid(request, GW_STR("limit"),
                                 GW_STR("'limit' must be 1 to 100, 'order' \"asc\" or \"desc\"."))
            : send_body(request, &page);
    gw_buf_fini(&page);
    return step;
}

static enum gw_step answer(struct gw_request *request, const struct question *question,
                           struct gw_buf *found)
{
    if (question->method == GW_METHOD_DELETE) {
        gw_responses_write_deleted(question->id, found);
        return send_body(request, found);
    }
    if (question->method == GW_METHOD_POST) {
        return gw_respond_invalid(
            request, GW_STR("response_id"),
            GW_STR("Only a response that runs in the background can be cancelled; this "
                   "one is complete."));
    }
    if (question->part.len > 0) {
        return send_items(request, question, gw_buf_str(found));
    }
    if (wants_stream(request->query)) {
        return gw_respond_invalid(
            request, GW_STR("stream"),
            GW_STR("Only a response that ran in the background can be read as a stream; "
                   "ask for it without 'stream'."));
    }
    return send_body(request, found);
}

bool gw_stored_answer(struct gw_request *request, enum gw_step *step)
{
    static const struct gw_str prefix = GW_STR_INIT("/responses/");
    struct question question = {.method = request->pair->head->method};
    char bytes[GW_DIGEST_BYTES];
    struct gw_buf found;
    if (request->core->responses == NULL || !gw_str_has_prefix(request->route.path, prefix) ||
        !find_tenant(request, bytes, &question.tenant)) {
        return false;
    }
    question.part = gw_str_skip(request->route.path, prefix.len);
    (void)gw_str_split(&question.part, '/', &question.id);
    gw_buf_init(&found, GW_PROVIDER_MAX_ANSWER_BYTES * 2u);
    enum gw_err err = find(request, &question, &found);
    if (err == GW_OK) {
        *step = answer(request, &question, &found);
    } else if (err != GW_ERR_NOT_FOUND) {
        *step = gw_respond_no_memory(request);
    }
    gw_buf_fini(&found);
    return err != GW_ERR_NOT_FOUND;
}
