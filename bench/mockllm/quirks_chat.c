/* SPDX-License-Identifier: MIT */
/*
 * Chat as Mistral, DeepSeek and xAI answer it:
 *
 *   Mistral    content as a list when it thinks, a call whole in one chunk, usage beside the finish
 *   DeepSeek   empty lines or comments before the answer, nulls in deltas, usage beside the finish
 *   xAI        reasoning not counted in completion_tokens, usage in a chunk nobody asked for
 */
#include "mockllm/exchange.h"
#include "mockllm/quirks.h"

/* Every chunk is a piece of its own in memory. */
#define MAX_CHUNKS 100000u

struct quirk {
    struct mock_exchange *exchange;
    const struct mock_plan *plan;
    enum mock_vendor vendor;
    uint64_t created;
};

/* Mistral takes back only ids of nine letters and digits. */
static void write_call_id(const struct quirk *quirk, struct bench_buf *out, size_t i)
{
    if (quirk->vendor != MOCK_VENDOR_MISTRAL) {
        mock_answer_id(out, quirk->exchange, BENCH_STR("call_"), (unsigned)i);
        return;
    }
    uint64_t n = quirk->exchange->id * PLAN_MAX_TOOL_CALLS + i;
    for (int digit = 0; digit < 9; digit++) {
        bench_buf_add(out,
                      &"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"[n % 62], 1);
        n /= 62;
    }
}

static void write_usage(const struct quirk *quirk, struct bench_buf *out)
{
    const struct mock_usage *usage = &quirk->plan->usage;
    unsigned long long prompt = usage->prompt;
    unsigned long long completion = usage->completion;
    unsigned long long total = prompt + completion;
    if (quirk->vendor == MOCK_VENDOR_XAI) {
        completion -= usage->reasoning < completion ? usage->reasoning : completion;
    }
    bench_buf_printf(out,
                     "\"usage\":{\"prompt_tokens\":%llu,\"completion_tokens\":%llu,"
                     "\"total_tokens\":%llu",
                     prompt, completion, total);
    if (quirk->vendor == MOCK_VENDOR_DEEPSEEK) {
        bench_buf_printf(out, ",\"prompt_cache_hit_tokens\":%llu,\"prompt_cache_miss_tokens\":%llu",
                         (unsigned long long)usage->cached,
                         (unsigned long long)(usage->prompt - usage->cached));
    } else if (usage->cached > 0) {
        bench_buf_printf(out, ",\"prompt_tokens_details\":{\"cached_tokens\":%llu}",
                         (unsigned long long)usage->cached);
    }
    if (quirk->vendor != MOCK_VENDOR_MISTRAL) {
        bench_buf_printf(out, ",\"completion_tokens_details\":{\"reasoning_tokens\":%llu}",
                         (unsigned long long)usage->reasoning);
    }
    bench_buf_str(out, quirk->vendor == MOCK_VENDOR_XAI
                           ? BENCH_STR(",\"num_sources_used\":0,\"cost_in_usd_ticks\":4200}")
                           : BENCH_STR("}"));
}

static void write_head(const struct quirk *quirk, struct bench_buf *out, const char *object)
{
    BENCH_LIT(out, "{\"id\":\"");
    mock_answer_id(out, quirk->exchange, BENCH_STR(""), 0);
    bench_buf_printf(out, "\",\"object\":\"%s\",\"created\":%llu,\"model\":", object,
                     (unsigned long long)quirk->created);
    bench_buf_json(out, bench_buf_view(&quirk->exchange->model));
    BENCH_LIT(out, ",\"choices\":[");
}

static void write_calls(const struct quirk *quirk, struct bench_buf *out, bool streamed)
{
    BENCH_LIT(out, "\"tool_calls\":[");
    for (size_t i = 0; i < quirk->plan->call_count; i++) {
        const struct mock_tool_call *call = &quirk->plan->calls[i];
        bench_buf_str(out, i == 0 ? BENCH_STR("{") : BENCH_STR(",{"));
        if (streamed || quirk->vendor == MOCK_VENDOR_MISTRAL) {
            bench_buf_printf(out, "\"index\":%zu,", i);
        }
        BENCH_LIT(out, "\"id\":\"");
        write_call_id(quirk, out, i);
        bench_buf_str(out, quirk->vendor == MOCK_VENDOR_MISTRAL /* which leaves the type out */
                               ? BENCH_STR("\",\"function\":{\"name\":")
                               : BENCH_STR("\",\"type\":\"function\",\"function\":{\"name\":"));
        bench_buf_json(out, call->name);
        BENCH_LIT(out, ",\"arguments\":");
        bench_buf_json(out, bench_buf_view(&call->input));
        BENCH_LIT(out, "}}");
    }
    BENCH_LIT(out, "]");
}

/* Mistral's list of thinking and text. */
static void write_thinking_part(const struct quirk *quirk, struct bench_buf *out, uint64_t parts,
                                uint64_t i)
{
    BENCH_LIT(out, "{\"type\":\"thinking\",\"thinking\":[{\"type\":\"text\",\"text\":\"");
    mock_plan_reasoning(quirk->plan, out, parts, i);
    BENCH_LIT(out, "\"}]}");
}

static void write_message(const struct quirk *quirk, struct bench_buf *out)
{
    const struct mock_plan *plan = quirk->plan;
    bool thinks = plan->reasoning_chunks > 0;
    BENCH_LIT(out, "{\"role\":\"assistant\",\"content\":");
    if (thinks && quirk->vendor == MOCK_VENDOR_MISTRAL) {
        BENCH_LIT(out, "[");
        write_thinking_part(quirk, out, 1, 0);
        if (plan->kind != MOCK_PLAN_TOOLS) {
            BENCH_LIT(out, ",{\"type\":\"text\",\"text\":");
            mock_plan_write_text(plan, out);
            BENCH_LIT(out, "}");
        }
        BENCH_LIT(out, "]");
    } else if (plan->kind == MOCK_PLAN_TOOLS) {
        BENCH_LIT(out, "\"\"");
    } else {
        mock_plan_write_text(plan, out);
    }
    if (thinks && quirk->vendor != MOCK_VENDOR_MISTRAL) {
        BENCH_LIT(out, ",\"reasoning_content\":\"");
        mock_plan_reasoning(plan, out, 1, 0);
        BENCH_LIT(out, "\"");
    }
    if (plan->call_count > 0) {
        BENCH_LIT(out, ",");
        write_calls(quirk, out, false);
    }
    BENCH_LIT(out, "}");
}

static void answer_plain(const struct quirk *quirk)
{
    struct bench_buf *out = mock_answer_json(quirk->exchange);
    if (quirk->vendor == MOCK_VENDOR_DEEPSEEK) {
        BENCH_LIT(out, "\n\n\n"); /* keeps the connection alive while it waits */
    }
    write_head(quirk, out, "chat.completion");
    BENCH_LIT(out, "{\"index\":0,\"message\":");
    write_message(quirk, out);
    BENCH_LIT(out, ",\"finish_reason\":");
    bench_buf_json(out, quirk->plan->finish);
    BENCH_LIT(out, "}],");
    write_usage(quirk, out);
    BENCH_LIT(out, "}");
    mock_answer_end(quirk->exchange);
}

static struct bench_buf *begin(const struct quirk *quirk, enum mock_piece_kind kind)
{
    struct mock_answer *answer = &quirk->exchange->answer;
    mock_piece_begin(answer, kind);
    BENCH_LIT(&answer->script.bytes, "data: ");
    write_head(quirk, &answer->script.bytes, "chat.completion.chunk");
    BENCH_LIT(&answer->script.bytes, "{\"index\":0,\"delta\":{");
    return &answer->script.bytes;
}

/* xAI leaves the reason out until there is one. */
static void end(const struct quirk *quirk)
{
    struct mock_answer *answer = &quirk->exchange->answer;
    bench_buf_str(&answer->script.bytes, quirk->vendor == MOCK_VENDOR_XAI
                                             ? BENCH_STR("}}]}\n\n")
                                             : BENCH_STR("},\"finish_reason\":null}]}\n\n"));
    mock_piece_end(answer, 1, 0);
}

static void add_reasoning(const struct quirk *quirk)
{
    uint64_t chunks = quirk->plan->reasoning_chunks;
    chunks = chunks < MAX_CHUNKS ? chunks : MAX_CHUNKS;
    for (uint64_t i = 0; i < chunks; i++) {
        struct bench_buf *out = begin(quirk, MOCK_PIECE_CONTENT);
        if (quirk->vendor == MOCK_VENDOR_MISTRAL) {
            BENCH_LIT(out, "\"content\":[");
            write_thinking_part(quirk, out, chunks, i);
            BENCH_LIT(out, "]");
        } else {
            bench_buf_str(out, quirk->vendor == MOCK_VENDOR_DEEPSEEK
                                   ? BENCH_STR("\"content\":null,\"reasoning_content\":\"")
                                   : BENCH_STR("\"reasoning_content\":\""));
            mock_plan_reasoning(quirk->plan, out, chunks, i);
            BENCH_LIT(out, "\"");
        }
        end(quirk);
    }
}

static void add_text(const struct quirk *quirk)
{
    uint64_t chunks = quirk->plan->chunks < MAX_CHUNKS ? quirk->plan->chunks : MAX_CHUNKS;
    for (uint64_t i = 0; i < chunks; i++) {
        struct bench_buf *out = begin(quirk, MOCK_PIECE_CONTENT);
        BENCH_LIT(out, "\"content\":");
        mock_plan_write_chunk(quirk->plan, out, i);
        bench_buf_str(out, quirk->vendor == MOCK_VENDOR_DEEPSEEK
                               ? BENCH_STR(",\"reasoning_content\":null")
                               : BENCH_STR(""));
        end(quirk);
    }
}

static void add_end(const struct quirk *quirk)
{
    struct mock_answer *answer = &quirk->exchange->answer;
    struct bench_buf *out = begin(quirk, MOCK_PIECE_TAIL);
    bool apart = quirk->vendor == MOCK_VENDOR_XAI;
    BENCH_LIT(out, "\"content\":\"\"},\"finish_reason\":");
    bench_buf_json(out, quirk->plan->finish);
    BENCH_LIT(out, "}]");
    if (!apart) {
        BENCH_LIT(out, ",");
        write_usage(quirk, out);
    }
    BENCH_LIT(out, "}\n\n");
    mock_piece_end(answer, 1, 0);
    if (apart) {
        mock_piece_begin(answer, MOCK_PIECE_TAIL);
        BENCH_LIT(out, "data: ");
        write_head(quirk, out, "chat.completion.chunk");
        BENCH_LIT(out, "],");
        write_usage(quirk, out);
        BENCH_LIT(out, "}\n\n");
        mock_piece_end(answer, 1, 0);
    }
    mock_piece_begin(answer, MOCK_PIECE_TAIL);
    BENCH_LIT(out, "data: [DONE]\n\n");
    mock_piece_end(answer, 1, 0);
}

static void answer_stream(const struct quirk *quirk)
{
    struct mock_answer *answer = &quirk->exchange->answer;
    mock_answer_stream(quirk->exchange);
    if (quirk->vendor == MOCK_VENDOR_DEEPSEEK) {
        mock_piece_begin(answer, MOCK_PIECE_HEAD);
        BENCH_LIT(&answer->script.bytes, ": keep-alive\n\n: keep-alive\n\n");
        mock_piece_end(answer, 1, 0);
    }
    struct bench_buf *out = begin(quirk, MOCK_PIECE_HEAD);
    BENCH_LIT(out, "\"role\":\"assistant\",\"content\":\"\"");
    end(quirk);
    add_reasoning(quirk);
    if (quirk->plan->kind == MOCK_PLAN_TOOLS) {
        out = begin(quirk, MOCK_PIECE_CONTENT);
        write_calls(quirk, out, true);
        end(quirk);
    } else {
        add_text(quirk);
    }
    add_end(quirk);
}

void mock_quirks_answer(struct mock_exchange *exchange, const struct mock_plan *plan, bool streamed)
{
    const struct quirk quirk = {.exchange = exchange,
                                .plan = plan,
                                .vendor = exchange->vendor,
                                .created = mock_answer_created()};
    if (streamed) {
        answer_stream(&quirk);
    } else {
        answer_plain(&quirk);
    }
}
