/* SPDX-License-Identifier: MIT */
/* Batches: the whole work is done at once; who asks again finds it completed. */
#include "mockllm/answer.h"
#include "mockllm/exchange.h"
#include "mockllm/openai.h"
#include "mockllm/openai_objects.h"
#include "mockllm/text.h"

static const struct bench_str NO_PARENT = {.ptr = "", .len = 0};

/* OpenAI's limit of lines in a batch. */
#define MAX_LINES 50000u

struct batch {
    struct mock_exchange *exchange;
    struct bench_buf id;
    struct bench_buf output_id;
    struct bench_buf output; /* JSON lines */
    uint64_t lines;
    uint64_t failed;
};

static void write_line(struct batch *batch, struct bench_str custom_id, struct bench_str model)
{
    struct bench_buf *out = &batch->output;
    unsigned sub = (unsigned)batch->lines;
    BENCH_LIT(out, "{\"id\":\"");
    mock_answer_id(out, batch->exchange, BENCH_STR("batch_req_"), sub);
    BENCH_LIT(out, "\",\"custom_id\":");
    bench_buf_json(out, custom_id);
    BENCH_LIT(out, ",\"response\":{\"status_code\":200,\"request_id\":\"");
    mock_answer_id(out, batch->exchange, BENCH_STR("req_"), sub);
    BENCH_LIT(out, "\",\"body\":{\"id\":\"");
    mock_answer_id(out, batch->exchange, BENCH_STR("chatcmpl-"), sub);
    BENCH_LIT(out, "\",\"object\":\"chat.completion\",\"created\":");
    bench_buf_u64(out, mock_answer_created());
    BENCH_LIT(out, ",\"model\":");
    bench_buf_json(out, model);
    BENCH_LIT(out, ",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"");
    mock_text_range(out, 0, 48);
    BENCH_LIT(out, "\",\"refusal\":null},\"logprobs\":null,\"finish_reason\":\"stop\"}],"
                   "\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":8,\"total_tokens\":17}}},"
                   "\"error\":null}\n");
}

static void run_line(struct batch *batch, struct bench_str line)
{
    yyjson_doc *doc = yyjson_read(line.ptr, line.len, 0);
    yyjson_val *root = yyjson_doc_get_root(doc);
    struct bench_str custom_id = mock_json_str(root, "custom_id");
    struct bench_str model = mock_json_str(yyjson_obj_get(root, "body"), "model");
    batch->lines++;
    if (custom_id.ptr == NULL || model.ptr == NULL) {
        batch->failed++;
    } else {
        write_line(batch, custom_id, model);
    }
    yyjson_doc_free(doc);
}

static void run_lines(struct batch *batch, struct bench_str input)
{
    while (input.len > 0 && batch->lines < MAX_LINES) {
        size_t end = bench_str_find(input, '\n');
        struct bench_str line = bench_str_cut(input, 0, end);
        if (line.len > 1) {
            run_line(batch, line);
        }
        input = bench_str_cut(input, end + 1, input.len);
    }
}

static void store_output(struct batch *batch)
{
    struct bench_buf json = {0};
    struct bench_str id = bench_buf_view(&batch->output_id);
    BENCH_LIT(&json, "{\"id\":");
    bench_buf_json(&json, id);
    bench_buf_printf(&json,
                     ",\"object\":\"file\",\"bytes\":%zu,\"created_at\":%llu,\"filename\":"
                     "\"output.jsonl\",\"purpose\":\"batch_output\",\"status\":\"processed\"}",
                     batch->output.len, (unsigned long long)mock_answer_created());
    (void)mock_store_put(MOCK_STORE_FILE, id, NO_PARENT, bench_buf_view(&json),
                         bench_buf_view(&batch->output));
    bench_buf_fini(&json);
}

static void write_batch(const struct batch *batch, struct bench_buf *out, bool done)
{
    uint64_t now_s = mock_answer_created();
    BENCH_LIT(out, "{\"id\":");
    bench_buf_json(out, bench_buf_view(&batch->id));
    BENCH_LIT(out, ",\"object\":\"batch\",\"endpoint\":");
    mock_object_copy(out, batch->exchange, "endpoint", BENCH_STR("\"/v1/chat/completions\""));
    BENCH_LIT(out, ",\"input_file_id\":");
    mock_object_copy(out, batch->exchange, "input_file_id", BENCH_STR("\"\""));
    BENCH_LIT(out, ",\"completion_window\":");
    mock_object_copy(out, batch->exchange, "completion_window", BENCH_STR("\"24h\""));
    bench_buf_str(out, done ? BENCH_STR(",\"status\":\"completed\"")
                            : BENCH_STR(",\"status\":\"validating\""));
    bench_buf_printf(out, ",\"created_at\":%llu,\"expires_at\":%llu", (unsigned long long)now_s,
                     (unsigned long long)now_s + 86400);
    if (done) {
        bench_buf_printf(out, ",\"in_progress_at\":%llu,\"completed_at\":%llu,\"output_file_id\":",
                         (unsigned long long)now_s, (unsigned long long)now_s);
        bench_buf_json(out, bench_buf_view(&batch->output_id));
    }
    bench_buf_printf(out, ",\"request_counts\":{\"total\":%llu,\"completed\":%llu,\"failed\":%llu}",
                     (unsigned long long)batch->lines,
                     (unsigned long long)(done ? batch->lines - batch->failed : 0),
                     (unsigned long long)(done ? batch->failed : 0));
    BENCH_LIT(out, ",\"metadata\":");
    mock_object_copy(out, batch->exchange, "metadata", BENCH_STR("null"));
    BENCH_LIT(out, "}");
}

void mock_openai_batch_create(struct mock_exchange *exchange, const struct bench_str *ids)
{
    (void)ids;
    struct bench_buf input = {0};
    struct bench_str file = mock_json_str(mock_answer_root(exchange), "input_file_id");
    if (file.ptr == NULL || !mock_store_content(MOCK_STORE_FILE, file, &input)) {
        mock_answer_invalid(exchange, "input_file_id", "Invalid input_file_id: no such file.");
        return;
    }
    struct batch batch = {.exchange = exchange};
    struct bench_buf done = {0};
    mock_answer_id(&batch.id, exchange, BENCH_STR("batch_"), 0);
    mock_answer_id(&batch.output_id, exchange, BENCH_STR("file-"), 1);
    run_lines(&batch, bench_buf_view(&input));
    store_output(&batch);
    write_batch(&batch, &done, true);
    (void)mock_store_put(MOCK_STORE_BATCH, bench_buf_view(&batch.id), NO_PARENT,
                         bench_buf_view(&done), BENCH_STR(""));
    write_batch(&batch, mock_answer_json(exchange), false);
    mock_answer_end(exchange);
    bench_buf_fini(&input);
    bench_buf_fini(&done);
    bench_buf_fini(&batch.id);
    bench_buf_fini(&batch.output_id);
    bench_buf_fini(&batch.output);
}

void mock_openai_batch_list(struct mock_exchange *exchange, const struct bench_str *ids)
{
    (void)ids;
    mock_object_list(exchange, MOCK_STORE_BATCH, NO_PARENT);
}

void mock_openai_batch_get(struct mock_exchange *exchange, const struct bench_str *ids)
{
    mock_object_answer(exchange, MOCK_STORE_BATCH, ids[0]);
}

void mock_openai_batch_cancel(struct mock_exchange *exchange, const struct bench_str *ids)
{
    mock_object_set_status(exchange, MOCK_STORE_BATCH, ids[0], BENCH_STR("cancelled"));
}
