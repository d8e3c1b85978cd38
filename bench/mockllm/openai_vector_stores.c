/* SPDX-License-Identifier: MIT */
/* /v1/vector_stores: stores, their files, and a search that always finds the same. */
#include "mockllm/answer.h"
#include "mockllm/exchange.h"
#include "mockllm/openai.h"
#include "mockllm/openai_objects.h"

static const struct bench_str NO_PARENT = {.ptr = "", .len = 0};

void mock_openai_vector_create(struct mock_exchange *exchange, const struct bench_str *ids)
{
    (void)ids;
    struct bench_buf id = {0};
    struct bench_buf json = {0};
    uint64_t now_s = mock_answer_created();
    mock_answer_id(&id, exchange, BENCH_STR("vs_"), 0);
    BENCH_LIT(&json, "{\"id\":");
    bench_buf_json(&json, bench_buf_view(&id));
    bench_buf_printf(&json,
                     ",\"object\":\"vector_store\",\"created_at\":%llu,\"last_active_at\":%llu,"
                     "\"status\":\"completed\",\"usage_bytes\":0,\"file_counts\":{\"in_progress\":"
                     "0,\"completed\":0,\"failed\":0,\"cancelled\":0,\"total\":0},\"name\":",
                     (unsigned long long)now_s, (unsigned long long)now_s);
    mock_object_copy(&json, exchange, "name", BENCH_STR("\"\""));
    BENCH_LIT(&json, ",\"metadata\":");
    mock_object_copy(&json, exchange, "metadata", BENCH_STR("{}"));
    BENCH_LIT(&json, "}");
    mock_object_create(exchange, MOCK_STORE_VECTOR_STORE, bench_buf_view(&id), NO_PARENT,
                       bench_buf_view(&json));
    bench_buf_fini(&id);
    bench_buf_fini(&json);
}

void mock_openai_vector_list(struct mock_exchange *exchange, const struct bench_str *ids)
{
    (void)ids;
    mock_object_list(exchange, MOCK_STORE_VECTOR_STORE, NO_PARENT);
}

void mock_openai_vector_get(struct mock_exchange *exchange, const struct bench_str *ids)
{
    mock_object_answer(exchange, MOCK_STORE_VECTOR_STORE, ids[0]);
}

void mock_openai_vector_modify(struct mock_exchange *exchange, const struct bench_str *ids)
{
    mock_object_modify(exchange, MOCK_STORE_VECTOR_STORE, ids[0]);
}

void mock_openai_vector_delete(struct mock_exchange *exchange, const struct bench_str *ids)
{
    mock_object_delete(exchange, MOCK_STORE_VECTOR_STORE, ids[0],
                       BENCH_STR("vector_store.deleted"));
}

void mock_openai_vector_search(struct mock_exchange *exchange, const struct bench_str *ids)
{
    struct bench_buf store = {0};
    if (!mock_store_get(MOCK_STORE_VECTOR_STORE, ids[0], &store)) {
        mock_object_not_found(exchange, ids[0]);
        return;
    }
    bench_buf_fini(&store);
    struct bench_str query = mock_json_str(mock_answer_root(exchange), "query");
    struct bench_buf *out = mock_answer_json(exchange);
    BENCH_LIT(out, "{\"object\":\"vector_store.search_results.page\",\"search_query\":[");
    bench_buf_json(out, query.ptr == NULL ? BENCH_STR("") : query);
    BENCH_LIT(out,
              "],\"data\":[{\"file_id\":\"file-mock\",\"filename\":\"rivers.txt\",\"score\":"
              "0.9,\"attributes\":{},\"content\":[{\"type\":\"text\",\"text\":\"Rivers run.\"}]"
              "}],\"has_more\":false,\"next_page\":null}\n");
    mock_answer_end(exchange);
}

void mock_openai_vector_file_create(struct mock_exchange *exchange, const struct bench_str *ids)
{
    struct bench_str file = mock_json_str(mock_answer_root(exchange), "file_id");
    struct bench_buf json = {0};
    if (file.ptr == NULL) {
        mock_answer_invalid(exchange, "file_id", "Missing required parameter: 'file_id'.");
        return;
    }
    BENCH_LIT(&json, "{\"id\":");
    bench_buf_json(&json, file);
    BENCH_LIT(&json, ",\"object\":\"vector_store.file\",\"created_at\":");
    bench_buf_u64(&json, mock_answer_created());
    BENCH_LIT(&json, ",\"vector_store_id\":");
    bench_buf_json(&json, ids[0]);
    BENCH_LIT(&json, ",\"status\":\"completed\",\"usage_bytes\":0,\"last_error\":null}");
    mock_object_create(exchange, MOCK_STORE_VECTOR_FILE, file, ids[0], bench_buf_view(&json));
    bench_buf_fini(&json);
}

void mock_openai_vector_file_list(struct mock_exchange *exchange, const struct bench_str *ids)
{
    mock_object_list(exchange, MOCK_STORE_VECTOR_FILE, ids[0]);
}

void mock_openai_vector_file_get(struct mock_exchange *exchange, const struct bench_str *ids)
{
    mock_object_answer(exchange, MOCK_STORE_VECTOR_FILE, ids[1]);
}

void mock_openai_vector_file_delete(struct mock_exchange *exchange, const struct bench_str *ids)
{
    mock_object_delete(exchange, MOCK_STORE_VECTOR_FILE, ids[1],
                       BENCH_STR("vector_store.file.deleted"));
}
