/* SPDX-License-Identifier: MIT */
/* Create, read, list, change and delete stored objects. */
#include "mockllm/openai_objects.h"

#include "mockllm/answer.h"
#include "mockllm/exchange.h"

void mock_object_create(struct mock_exchange *exchange, enum mock_store_kind kind,
                        struct bench_str id, struct bench_str parent, struct bench_str json)
{
    (void)mock_store_put(kind, id, parent, json, BENCH_STR(""));
    bench_buf_str(mock_answer_json(exchange), json);
    mock_answer_end(exchange);
}

void mock_object_not_found(struct mock_exchange *exchange, struct bench_str id)
{
    struct bench_buf text = {0};
    BENCH_LIT(&text, "No such object: ");
    bench_buf_str(&text, id);
    mock_answer_error(exchange, 404, BENCH_STR("invalid_request_error"), (struct bench_str){0},
                      BENCH_STR("id"), bench_buf_view(&text));
    bench_buf_fini(&text);
}

void mock_object_answer(struct mock_exchange *exchange, enum mock_store_kind kind,
                        struct bench_str id)
{
    if (mock_store_get(kind, id, mock_answer_json(exchange))) {
        mock_answer_end(exchange);
    } else {
        mock_object_not_found(exchange, id);
    }
}

void mock_object_list(struct mock_exchange *exchange, enum mock_store_kind kind,
                      struct bench_str parent)
{
    mock_store_list(kind, parent, mock_answer_json(exchange));
    mock_answer_end(exchange);
}

void mock_object_delete(struct mock_exchange *exchange, enum mock_store_kind kind,
                        struct bench_str id, struct bench_str type)
{
    if (!mock_store_delete(kind, id)) {
        mock_object_not_found(exchange, id);
        return;
    }
    struct bench_buf *out = mock_answer_json(exchange);
    BENCH_LIT(out, "{\"id\":");
    bench_buf_json(out, id);
    BENCH_LIT(out, ",\"object\":");
    bench_buf_json(out, type);
    BENCH_LIT(out, ",\"deleted\":true}\n");
    mock_answer_end(exchange);
}

void mock_object_set_status(struct mock_exchange *exchange, enum mock_store_kind kind,
                            struct bench_str id, struct bench_str status)
{
    (void)mock_store_set_status(kind, id, status);
    mock_object_answer(exchange, kind, id);
}

void mock_object_modify(struct mock_exchange *exchange, enum mock_store_kind kind,
                        struct bench_str id)
{
    (void)mock_store_merge(kind, id, mock_answer_root(exchange));
    mock_object_answer(exchange, kind, id);
}

void mock_object_copy(struct bench_buf *out, const struct mock_exchange *exchange, const char *name,
                      struct bench_str missing)
{
    yyjson_val *member = yyjson_obj_get(mock_answer_root(exchange), name);
    size_t len = 0;
    char *text = member == NULL ? NULL : yyjson_val_write(member, YYJSON_WRITE_NOFLAG, &len);
    if (text == NULL) {
        bench_buf_str(out, missing);
    } else {
        bench_buf_add(out, text, len);
    }
    bench_free(text);
}
