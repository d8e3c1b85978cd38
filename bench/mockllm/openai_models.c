/* SPDX-License-Identifier: MIT */
/* GET /v1/models and /v1/models/{id}. */
#include "mockllm/answer.h"
#include "mockllm/exchange.h"
#include "mockllm/openai.h"
#include "mockllm/worker.h"

static void write_model(struct bench_buf *out, struct bench_str id)
{
    BENCH_LIT(out, "{\"id\":");
    bench_buf_json(out, id);
    BENCH_LIT(out, ",\"object\":\"model\",\"created\":1686935002,\"owned_by\":\"mock\"}");
}

void mock_openai_models(struct mock_exchange *exchange, const struct bench_str *ids)
{
    (void)ids;
    const struct mock_config *config = exchange->worker->config;
    struct bench_buf *out = mock_answer_json(exchange);
    BENCH_LIT(out, "{\"object\":\"list\",\"data\":[");
    for (size_t i = 0; i < config->model_count; i++) {
        bench_buf_str(out, i == 0 ? BENCH_STR("") : BENCH_STR(","));
        write_model(out, bench_str_from(config->models[i]));
    }
    BENCH_LIT(out, "]}\n");
    mock_answer_end(exchange);
}

void mock_openai_model(struct mock_exchange *exchange, const struct bench_str *ids)
{
    const struct mock_config *config = exchange->worker->config;
    bool known = bench_str_starts(ids[0], BENCH_STR("mock-"));
    for (size_t i = 0; i < config->model_count; i++) {
        known = known || bench_str_eq(ids[0], bench_str_from(config->models[i]));
    }
    if (!known) {
        struct bench_buf text = {0};
        BENCH_LIT(&text, "The model '");
        bench_buf_str(&text, ids[0]);
        BENCH_LIT(&text, "' does not exist");
        mock_answer_error(exchange, 404, BENCH_STR("invalid_request_error"),
                          BENCH_STR("model_not_found"), BENCH_STR("model"), bench_buf_view(&text));
        bench_buf_fini(&text);
        return;
    }
    struct bench_buf *out = mock_answer_json(exchange);
    write_model(out, ids[0]);
    mock_answer_end(exchange);
}
