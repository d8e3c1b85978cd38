/* SPDX-License-Identifier: MIT */
/* /v1/fine_tuning/jobs: jobs are queued and stay so until they are cancelled. */
#include "mockllm/answer.h"
#include "mockllm/exchange.h"
#include "mockllm/openai.h"
#include "mockllm/openai_objects.h"

static const struct bench_str NO_PARENT = {.ptr = "", .len = 0};

void mock_openai_tuning_create(struct mock_exchange *exchange, const struct bench_str *ids)
{
    (void)ids;
    struct bench_buf id = {0};
    struct bench_buf json = {0};
    yyjson_val *root = mock_answer_root(exchange);
    if (exchange->model.len == 0 || mock_json_str(root, "training_file").ptr == NULL) {
        mock_answer_invalid(exchange, "training_file", "'model' and 'training_file' are required.");
        return;
    }
    mock_answer_id(&id, exchange, BENCH_STR("ftjob-"), 0);
    BENCH_LIT(&json, "{\"object\":\"fine_tuning.job\",\"id\":");
    bench_buf_json(&json, bench_buf_view(&id));
    BENCH_LIT(&json, ",\"created_at\":");
    bench_buf_u64(&json, mock_answer_created());
    BENCH_LIT(&json, ",\"status\":\"queued\",\"model\":");
    bench_buf_json(&json, bench_buf_view(&exchange->model));
    BENCH_LIT(&json, ",\"training_file\":");
    mock_object_copy(&json, exchange, "training_file", BENCH_STR("\"\""));
    BENCH_LIT(&json, ",\"validation_file\":");
    mock_object_copy(&json, exchange, "validation_file", BENCH_STR("null"));
    BENCH_LIT(&json, ",\"seed\":");
    mock_object_copy(&json, exchange, "seed", BENCH_STR("42"));
    BENCH_LIT(&json, ",\"metadata\":");
    mock_object_copy(&json, exchange, "metadata", BENCH_STR("null"));
    BENCH_LIT(&json, ",\"organization_id\":\"org-mock\",\"error\":null,\"fine_tuned_model\":null,"
                     "\"finished_at\":null,\"trained_tokens\":null,\"result_files\":[],"
                     "\"hyperparameters\":{\"n_epochs\":\"auto\"}}");
    mock_object_create(exchange, MOCK_STORE_TUNING_JOB, bench_buf_view(&id), NO_PARENT,
                       bench_buf_view(&json));
    bench_buf_fini(&id);
    bench_buf_fini(&json);
}

void mock_openai_tuning_list(struct mock_exchange *exchange, const struct bench_str *ids)
{
    (void)ids;
    mock_object_list(exchange, MOCK_STORE_TUNING_JOB, NO_PARENT);
}

void mock_openai_tuning_get(struct mock_exchange *exchange, const struct bench_str *ids)
{
    mock_object_answer(exchange, MOCK_STORE_TUNING_JOB, ids[0]);
}

void mock_openai_tuning_cancel(struct mock_exchange *exchange, const struct bench_str *ids)
{
    mock_object_set_status(exchange, MOCK_STORE_TUNING_JOB, ids[0], BENCH_STR("cancelled"));
}

void mock_openai_tuning_events(struct mock_exchange *exchange, const struct bench_str *ids)
{
    struct bench_buf job = {0};
    if (!mock_store_get(MOCK_STORE_TUNING_JOB, ids[0], &job)) {
        mock_object_not_found(exchange, ids[0]);
        return;
    }
    bench_buf_fini(&job);
    struct bench_buf *out = mock_answer_json(exchange);
    BENCH_LIT(out,
              "{\"object\":\"list\",\"data\":[{\"object\":\"fine_tuning.job.event\",\"id\":\"");
    mock_answer_id(out, exchange, BENCH_STR("ftevent-"), 0);
    BENCH_LIT(out, "\",\"created_at\":");
    bench_buf_u64(out, mock_answer_created());
    BENCH_LIT(out, ",\"level\":\"info\",\"message\":\"Created fine-tuning job\",\"type\":"
                   "\"message\",\"data\":{}}],\"has_more\":false}\n");
    mock_answer_end(exchange);
}
