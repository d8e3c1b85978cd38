/* SPDX-License-Identifier: MIT */
/* Images: generations (JSON), edits and variations (multipart); always the same tiny PNG. */
#include "mockllm/answer.h"
#include "mockllm/exchange.h"
#include "mockllm/multipart.h"
#include "mockllm/openai.h"

/* OpenAI's maximum of n. */
#define MAX_IMAGES 10u

/* One transparent pixel. */
static const char PIXEL[] =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6"
    "kgAAAABJRU5ErkJggg==";

static void write_usage(struct bench_buf *out)
{
    BENCH_LIT(out, ",\"usage\":{\"input_tokens\":10,\"input_tokens_details\":{\"text_tokens\":10,"
                   "\"image_tokens\":0},\"output_tokens\":100,\"total_tokens\":110}");
}

static void write_look(struct bench_buf *out)
{
    BENCH_LIT(out, ",\"size\":\"1024x1024\",\"quality\":\"low\",\"background\":\"opaque\","
                   "\"output_format\":\"png\"");
}

static void answer_images(struct mock_exchange *exchange, uint64_t n, bool url)
{
    struct bench_buf *out = mock_answer_json(exchange);
    BENCH_LIT(out, "{\"created\":");
    bench_buf_u64(out, mock_answer_created());
    BENCH_LIT(out, ",\"data\":[");
    for (uint64_t i = 0; i < n; i++) {
        bench_buf_str(out, i == 0 ? BENCH_STR("{") : BENCH_STR(",{"));
        if (url) {
            BENCH_LIT(out, "\"url\":\"https://example.com/image.png\"");
        } else {
            BENCH_LIT(out, "\"b64_json\":\"");
            bench_buf_add(out, PIXEL, sizeof(PIXEL) - 1);
            BENCH_LIT(out, "\"");
        }
        BENCH_LIT(out, "}");
    }
    BENCH_LIT(out, "]");
    write_look(out);
    write_usage(out);
    BENCH_LIT(out, "}\n");
    mock_answer_end(exchange);
}

static void add_event(struct mock_exchange *exchange, struct bench_str type, uint64_t index,
                      bool is_last)
{
    struct mock_answer *answer = &exchange->answer;
    struct bench_buf *out = &answer->script.bytes;
    mock_piece_begin(answer, is_last ? MOCK_PIECE_TAIL : MOCK_PIECE_CONTENT);
    BENCH_LIT(out, "event: ");
    bench_buf_str(out, type);
    BENCH_LIT(out, "\ndata: {\"type\":\"");
    bench_buf_str(out, type);
    BENCH_LIT(out, "\",\"b64_json\":\"");
    bench_buf_add(out, PIXEL, sizeof(PIXEL) - 1);
    BENCH_LIT(out, "\",\"created_at\":");
    bench_buf_u64(out, mock_answer_created());
    write_look(out);
    if (is_last) {
        write_usage(out);
    } else {
        BENCH_LIT(out, ",\"partial_image_index\":");
        bench_buf_u64(out, index);
    }
    BENCH_LIT(out, "}\n\n");
    mock_piece_end(answer, 1, 0);
}

void mock_openai_images(struct mock_exchange *exchange, const struct bench_str *ids)
{
    (void)ids;
    yyjson_val *root = mock_answer_root(exchange);
    if (mock_json_str(root, "prompt").ptr == NULL) {
        mock_answer_invalid(exchange, "prompt", "Missing required parameter: 'prompt'.");
        return;
    }
    if (mock_json_true(root, "stream")) {
        mock_answer_stream(exchange);
        for (uint64_t i = 0; i < mock_json_u64(root, "partial_images", 0) && i < 3; i++) {
            add_event(exchange, BENCH_STR("image_generation.partial_image"), i, false);
        }
        add_event(exchange, BENCH_STR("image_generation.completed"), 0, true);
        return;
    }
    uint64_t n = mock_json_u64(root, "n", 1);
    bool url = bench_str_eq(mock_json_str(root, "response_format"), BENCH_STR("url"));
    answer_images(exchange, n < MAX_IMAGES ? n : MAX_IMAGES, url);
}

void mock_openai_image_edits(struct mock_exchange *exchange, const struct bench_str *ids)
{
    (void)ids;
    struct mock_part image;
    const struct mock_request *request = &exchange->request;
    if (!mock_multipart_find(request, BENCH_STR("image"), &image) &&
        !mock_multipart_find(request, BENCH_STR("image[]"), &image)) {
        mock_answer_invalid(exchange, "image", "Missing required parameter: 'image'.");
        return;
    }
    uint64_t n = 1;
    (void)bench_str_u64(mock_multipart_field(request, BENCH_STR("n")), &n);
    answer_images(exchange, n < MAX_IMAGES ? n : MAX_IMAGES, false);
}
