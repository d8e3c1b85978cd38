/* SPDX-License-Identifier: MIT */
/* POST /v1/completions, the legacy form: one object shape, plain and streamed. */
#include "mockllm/exchange.h"
#include "mockllm/openai.h"
#include "mockllm/openai_plan.h"
#include "mockllm/text.h"

/* Choices of one request; OpenAI's maximum of n, with several prompts more. */
#define MAX_CHOICES 2048u

struct completion {
    struct mock_exchange *exchange;
    uint64_t created;
    uint64_t choices;
    bool include_usage;
    struct mock_plan plan;
};

static void write_head(const struct completion *completion, struct bench_buf *out)
{
    BENCH_LIT(out, "{\"id\":\"");
    mock_answer_id(out, completion->exchange, BENCH_STR("cmpl-"), 0);
    BENCH_LIT(out, "\",\"object\":\"text_completion\",\"created\":");
    bench_buf_u64(out, completion->created);
    BENCH_LIT(out, ",\"model\":");
    bench_buf_json(out, bench_buf_view(&completion->exchange->model));
    BENCH_LIT(out, ",\"choices\":[");
}

static void write_text(const struct completion *completion, struct bench_buf *out)
{
    struct bench_buf text = {0};
    mock_plan_text(&completion->plan, &text);
    bench_buf_json(out, bench_buf_view(&text));
    bench_buf_fini(&text);
}

static void answer_plain(const struct completion *completion)
{
    struct bench_buf *out = mock_answer_json(completion->exchange);
    write_head(completion, out);
    for (uint64_t i = 0; i < completion->choices; i++) {
        bench_buf_str(out, i == 0 ? BENCH_STR("{\"text\":") : BENCH_STR(",{\"text\":"));
        write_text(completion, out);
        BENCH_LIT(out, ",\"index\":");
        bench_buf_u64(out, i);
        BENCH_LIT(out, ",\"logprobs\":null,\"finish_reason\":");
        bench_buf_json(out, completion->plan.finish);
        BENCH_LIT(out, "}");
    }
    BENCH_LIT(out, "]");
    if (completion->exchange->knobs.usage > 0) {
        BENCH_LIT(out, ",\"usage\":");
        mock_plan_write_usage(&completion->plan, out);
    }
    BENCH_LIT(out, "}\n");
    mock_answer_end(completion->exchange);
}

static void end_chunk(const struct completion *completion, uint64_t repeat)
{
    struct mock_answer *answer = &completion->exchange->answer;
    bench_buf_str(&answer->script.bytes, completion->include_usage
                                             ? BENCH_STR("],\"usage\":null}\n\n")
                                             : BENCH_STR("]}\n\n"));
    mock_piece_end(answer, repeat, 0);
}

static struct bench_buf *begin_chunk(const struct completion *completion, enum mock_piece_kind kind)
{
    struct mock_answer *answer = &completion->exchange->answer;
    mock_piece_begin(answer, kind);
    BENCH_LIT(&answer->script.bytes, "data: ");
    write_head(completion, &answer->script.bytes);
    return &answer->script.bytes;
}

static void add_generated(const struct completion *completion)
{
    struct mock_answer *answer = &completion->exchange->answer;
    answer->text_bytes = completion->plan.text_bytes;
    answer->text_chunks = completion->plan.chunks;
    struct bench_buf *out = begin_chunk(completion, MOCK_PIECE_CONTENT);
    BENCH_LIT(out, "{\"text\":\"");
    mock_piece_slot(answer, MOCK_SLOT_TEXT);
    BENCH_LIT(out, "\",\"index\":0,\"logprobs\":null,\"finish_reason\":null}");
    end_chunk(completion, completion->plan.chunks);
}

static void add_fixed(const struct completion *completion)
{
    for (uint64_t i = 0; i < completion->plan.chunks; i++) {
        struct bench_buf *out = begin_chunk(completion, MOCK_PIECE_CONTENT);
        BENCH_LIT(out, "{\"text\":");
        bench_buf_json(out, mock_plan_chunk(&completion->plan, i));
        BENCH_LIT(out, ",\"index\":0,\"logprobs\":null,\"finish_reason\":null}");
        end_chunk(completion, 1);
    }
}

static void answer_stream(const struct completion *completion)
{
    struct mock_answer *answer = &completion->exchange->answer;
    struct bench_buf *out = mock_answer_stream(completion->exchange);
    if (completion->plan.kind == MOCK_PLAN_GENERATED) {
        add_generated(completion);
    } else {
        add_fixed(completion);
    }
    begin_chunk(completion, MOCK_PIECE_TAIL);
    BENCH_LIT(out, "{\"text\":\"\",\"index\":0,\"logprobs\":null,\"finish_reason\":");
    bench_buf_json(out, completion->plan.finish);
    BENCH_LIT(out, "}");
    end_chunk(completion, 1);
    if (completion->include_usage) {
        begin_chunk(completion, MOCK_PIECE_TAIL);
        BENCH_LIT(out, "],\"usage\":");
        mock_plan_write_usage(&completion->plan, out);
        BENCH_LIT(out, "}\n\n");
        mock_piece_end(answer, 1, 0);
    }
    mock_piece_begin(answer, MOCK_PIECE_TAIL);
    BENCH_LIT(out, "data: [DONE]\n\n");
    mock_piece_end(answer, 1, 0);
}

void mock_openai_completions(struct mock_exchange *exchange, const struct bench_str *ids)
{
    (void)ids;
    yyjson_val *root = mock_answer_root(exchange);
    if (root == NULL) {
        mock_answer_invalid(exchange, NULL, "We could not parse the JSON body of your request.");
        return;
    }
    if (exchange->model.len == 0) {
        mock_answer_invalid(exchange, "model", "you must provide a model parameter");
        return;
    }
    yyjson_val *prompt = yyjson_obj_get(root, "prompt");
    bool many = yyjson_is_arr(prompt) && yyjson_is_str(yyjson_arr_get_first(prompt));
    uint64_t n = mock_json_u64(root, "n", 1);
    uint64_t choices = (n < 128 ? n : 128) * (many ? yyjson_arr_size(prompt) : 1);
    struct completion completion = {
        .exchange = exchange,
        .created = mock_answer_created(),
        .choices = choices < MAX_CHOICES ? choices : MAX_CHOICES,
        .include_usage = mock_json_true(yyjson_obj_get(root, "stream_options"), "include_usage") &&
                         exchange->knobs.usage > 0,
    };
    struct mock_plan_ask ask = {
        .max_tokens = mock_json_u64(root, "max_tokens", 0),
        .echo = mock_json_str(root, "prompt"),
    };
    mock_plan_make(&completion.plan, exchange, &ask);
    if (mock_json_true(root, "stream")) {
        answer_stream(&completion);
    } else {
        answer_plain(&completion);
    }
    mock_plan_fini(&completion.plan);
}
