/* SPDX-License-Identifier: MIT */
/* Files and uploads: /v1/files, /v1/uploads. */
#include "mockllm/answer.h"
#include "mockllm/exchange.h"
#include "mockllm/multipart.h"
#include "mockllm/openai.h"
#include "mockllm/openai_objects.h"

static const struct bench_str NO_PARENT = {.ptr = "", .len = 0};

static void write_file(struct bench_buf *out, struct bench_str id, size_t bytes,
                       struct bench_str filename, struct bench_str purpose)
{
    BENCH_LIT(out, "{\"id\":");
    bench_buf_json(out, id);
    BENCH_LIT(out, ",\"object\":\"file\",\"bytes\":");
    bench_buf_u64(out, bytes);
    BENCH_LIT(out, ",\"created_at\":");
    bench_buf_u64(out, mock_answer_created());
    BENCH_LIT(out, ",\"filename\":");
    bench_buf_json(out, filename);
    BENCH_LIT(out, ",\"purpose\":");
    bench_buf_json(out, purpose);
    BENCH_LIT(out, ",\"status\":\"processed\"}");
}

void mock_openai_file_create(struct mock_exchange *exchange, const struct bench_str *ids)
{
    (void)ids;
    struct mock_part file;
    struct bench_str purpose = mock_multipart_field(&exchange->request, BENCH_STR("purpose"));
    if (!mock_multipart_find(&exchange->request, BENCH_STR("file"), &file) ||
        file.filename.ptr == NULL) {
        mock_answer_invalid(exchange, "file", "'file' is a required property");
        return;
    }
    if (purpose.len == 0) {
        mock_answer_invalid(exchange, "purpose", "'purpose' is a required property");
        return;
    }
    struct bench_buf id = {0};
    struct bench_buf json = {0};
    mock_answer_id(&id, exchange, BENCH_STR("file-"), 0);
    write_file(&json, bench_buf_view(&id), file.body.len, file.filename, purpose);
    if (mock_store_put(MOCK_STORE_FILE, bench_buf_view(&id), NO_PARENT, bench_buf_view(&json),
                       file.body)) {
        bench_buf_str(mock_answer_json(exchange), bench_buf_view(&json));
        mock_answer_end(exchange);
    } else {
        mock_answer_error(exchange, 413, BENCH_STR("invalid_request_error"), (struct bench_str){0},
                          BENCH_STR("file"),
                          BENCH_STR("The file is larger than the mock's store."));
    }
    bench_buf_fini(&id);
    bench_buf_fini(&json);
}

void mock_openai_file_list(struct mock_exchange *exchange, const struct bench_str *ids)
{
    (void)ids;
    mock_object_list(exchange, MOCK_STORE_FILE, NO_PARENT);
}

void mock_openai_file_get(struct mock_exchange *exchange, const struct bench_str *ids)
{
    mock_object_answer(exchange, MOCK_STORE_FILE, ids[0]);
}

void mock_openai_file_delete(struct mock_exchange *exchange, const struct bench_str *ids)
{
    mock_object_delete(exchange, MOCK_STORE_FILE, ids[0], BENCH_STR("file"));
}

void mock_openai_file_content(struct mock_exchange *exchange, const struct bench_str *ids)
{
    struct bench_buf *out = mock_answer_begin(exchange, 200, BENCH_STR("application/octet-stream"));
    if (mock_store_content(MOCK_STORE_FILE, ids[0], out)) {
        mock_answer_end(exchange);
    } else {
        mock_object_not_found(exchange, ids[0]);
    }
}

/* ---- uploads: parts are taken in and forgotten, the completed file is as long as announced ----
 */

void mock_openai_upload_create(struct mock_exchange *exchange, const struct bench_str *ids)
{
    (void)ids;
    struct bench_buf id = {0};
    struct bench_buf json = {0};
    mock_answer_id(&id, exchange, BENCH_STR("upload_"), 0);
    BENCH_LIT(&json, "{\"id\":");
    bench_buf_json(&json, bench_buf_view(&id));
    bench_buf_printf(&json, ",\"object\":\"upload\",\"created_at\":%llu,\"expires_at\":%llu",
                     (unsigned long long)mock_answer_created(),
                     (unsigned long long)mock_answer_created() + 3600);
    BENCH_LIT(&json, ",\"status\":\"pending\",\"filename\":");
    mock_object_copy(&json, exchange, "filename", BENCH_STR("\"upload\""));
    BENCH_LIT(&json, ",\"bytes\":");
    mock_object_copy(&json, exchange, "bytes", BENCH_STR("0"));
    BENCH_LIT(&json, ",\"purpose\":");
    mock_object_copy(&json, exchange, "purpose", BENCH_STR("\"batch\""));
    BENCH_LIT(&json, "}");
    mock_object_create(exchange, MOCK_STORE_UPLOAD, bench_buf_view(&id), NO_PARENT,
                       bench_buf_view(&json));
    bench_buf_fini(&id);
    bench_buf_fini(&json);
}

void mock_openai_upload_part(struct mock_exchange *exchange, const struct bench_str *ids)
{
    struct mock_part part;
    if (!mock_multipart_find(&exchange->request, BENCH_STR("data"), &part)) {
        mock_answer_invalid(exchange, "data", "'data' is a required property");
        return;
    }
    struct bench_buf *out = mock_answer_json(exchange);
    BENCH_LIT(out, "{\"id\":\"");
    mock_answer_id(out, exchange, BENCH_STR("part_"), 0);
    BENCH_LIT(out, "\",\"object\":\"upload.part\",\"created_at\":");
    bench_buf_u64(out, mock_answer_created());
    BENCH_LIT(out, ",\"upload_id\":");
    bench_buf_json(out, ids[0]);
    BENCH_LIT(out, "}");
    mock_answer_end(exchange);
}

void mock_openai_upload_complete(struct mock_exchange *exchange, const struct bench_str *ids)
{
    mock_object_set_status(exchange, MOCK_STORE_UPLOAD, ids[0], BENCH_STR("completed"));
}

void mock_openai_upload_cancel(struct mock_exchange *exchange, const struct bench_str *ids)
{
    mock_object_set_status(exchange, MOCK_STORE_UPLOAD, ids[0], BENCH_STR("cancelled"));
}
