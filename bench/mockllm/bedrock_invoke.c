/* SPDX-License-Identifier: MIT */
/* POST /model/{id}/invoke[-with-response-stream]: Claude's own bodies, its events in frames. */
#include <string.h>

#include "mockllm/anthropic.h"
#include "mockllm/bedrock.h"
#include "mockllm/exchange.h"

/* Appends the frame of one event; the last one carries the measures. */
static void write_chunk(struct bench_buf *out, struct bench_str json, uint64_t n, bool last)
{
    struct bench_buf event = {0};
    struct bench_buf payload = {0};
    bench_buf_str(&event, json);
    if (last) {
        event.len--; /* the closing brace */
        BENCH_LIT(&event, ",\"amazon-bedrock-invocationMetrics\":{\"inputTokenCount\":9,"
                          "\"outputTokenCount\":8,\"invocationLatency\":5,"
                          "\"firstByteLatency\":2}}");
    }
    BENCH_LIT(&payload, "{\"bytes\":\"");
    bench_buf_base64(&payload, event.ptr + event.head, event.len);
    BENCH_LIT(&payload, "\"");
    mock_bedrock_pad(&payload, n);
    BENCH_LIT(&payload, "}");
    mock_bedrock_frame(out, "chunk", false, bench_buf_view(&payload));
    bench_buf_fini(&event);
    bench_buf_fini(&payload);
}

/* Returns the object in "event: ...\ndata: {...}\n\n". */
static struct bench_str data_of(struct bench_str event)
{
    const char *found = memmem(event.ptr, event.len, "data: ", 6);
    if (found == NULL) {
        return (struct bench_str){0};
    }
    struct bench_str data = bench_str_cut(event, (size_t)(found - event.ptr) + 6, event.len);
    while (data.len > 0 && data.ptr[data.len - 1] != '}') {
        data.len--;
    }
    return data;
}

/* Puts every event of the script that Anthropic's API would send into a frame. */
static void wrap(struct mock_answer *answer)
{
    struct mock_answer plain = *answer;
    struct bench_buf event = {0};
    uint64_t frames = 0;
    answer->script = (struct mock_script){0};
    for (size_t i = 0; i < plain.script.count; i++) {
        const struct mock_piece *piece = &plain.script.pieces[i];
        for (uint64_t round = 0; round < piece->repeat; round++) {
            bench_buf_clear(&event, SIZE_MAX);
            mock_piece_write(&plain, piece, round, &event);
            struct bench_str data = data_of(bench_buf_view(&event));
            mock_piece_begin(answer, piece->kind);
            write_chunk(&answer->script.bytes, data, frames++, i + 1 == plain.script.count);
            mock_piece_end(answer, 1, 0);
        }
    }
    bench_buf_fini(&event);
    bench_buf_fini(&plain.script.bytes);
    bench_free(plain.script.pieces);
}

static bool is_version(struct bench_str version)
{
    return bench_str_eq(version, BENCH_STR("bedrock-2023-05-31")) ||
           bench_str_eq(version, BENCH_STR("2026-10-21"));
}

void mock_bedrock_invoke(struct mock_exchange *exchange, const struct bench_str *ids)
{
    (void)ids;
    yyjson_val *root = mock_answer_root(exchange);
    bool streamed = bench_str_eq(exchange->path, BENCH_STR("/invoke-with-response-stream"));
    if (!is_version(mock_json_str(root, "anthropic_version"))) {
        mock_vendor_fail(exchange, 400,
                         "Malformed input request: #: required key [anthropic_version] not found, "
                         "please reformat your input and try again.");
        return;
    }
    if (yyjson_obj_get(root, "model") != NULL || yyjson_obj_get(root, "stream") != NULL) {
        mock_vendor_fail(exchange, 400,
                         "Malformed input request: #: extraneous key [model] or [stream] is not "
                         "permitted, please reformat your input and try again.");
        return;
    }
    if (!mock_anthropic_check(exchange, root, false)) {
        return;
    }
    mock_anthropic_answer(exchange, root, streamed);
    if (streamed) {
        mock_answer_header(exchange, BENCH_STR("x-amzn-bedrock-content-type"),
                           BENCH_STR("application/json"));
        wrap(&exchange->answer);
        return;
    }
    mock_answer_header(exchange, BENCH_STR("x-amzn-bedrock-input-token-count"), BENCH_STR("9"));
    mock_answer_header(exchange, BENCH_STR("x-amzn-bedrock-output-token-count"), BENCH_STR("8"));
    mock_answer_header(exchange, BENCH_STR("x-amzn-bedrock-invocation-latency"), BENCH_STR("5"));
}
