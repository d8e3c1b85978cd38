/* SPDX-License-Identifier: MIT */
/* The streamed form of a chat answer: role, content, finish, usage when asked for, [DONE]. */
#include "mockllm/azure.h"
#include "mockllm/exchange.h"
#include "mockllm/openai_chat.h"
#include "mockllm/text.h"

/* Parts a tool call's arguments are streamed in. */
#define ARGUMENT_PARTS 4u

/* Pieces one by one in memory: beyond that many chunks a stream with logprobs or n is cut. */
#define MAX_SINGLE_CHUNKS 100000u

static void write_chunk_head(const struct mock_chat *chat, struct bench_buf *out)
{
    BENCH_LIT(out, "data: {\"id\":\"");
    mock_answer_id(out, chat->exchange, BENCH_STR("chatcmpl-"), 0);
    BENCH_LIT(out, "\",\"object\":\"chat.completion.chunk\",\"created\":");
    bench_buf_u64(out, chat->created);
    BENCH_LIT(out, ",\"model\":");
    bench_buf_json(out, chat->model);
    BENCH_LIT(out, ",\"service_tier\":\"default\",\"system_fingerprint\":\"fp_mock000001\","
                   "\"choices\":[");
}

/* Ends a chunk; |padding| stands for the random string that hides a token's length. */
static void write_chunk_tail(const struct mock_chat *chat, struct bench_buf *out,
                             struct bench_str padding)
{
    bench_buf_str(out, chat->include_usage ? BENCH_STR("],\"usage\":null") : BENCH_STR("]"));
    if (chat->obfuscate) {
        BENCH_LIT(out, ",\"obfuscation\":");
        bench_buf_json(out, padding);
    }
    BENCH_LIT(out, "}\n\n");
}

static void write_choice_head(const struct mock_chat *chat, struct bench_buf *out, uint64_t index)
{
    BENCH_LIT(out, "{\"index\":");
    bench_buf_u64(out, index);
    if (chat->exchange->vendor == MOCK_VENDOR_AZURE) {
        BENCH_LIT(out, ",\"content_filter_results\":{}");
    }
    BENCH_LIT(out, ",\"delta\":{");
}

static void write_choice_tail(struct bench_buf *out)
{
    BENCH_LIT(out, "},\"logprobs\":null,\"finish_reason\":null}");
}

static struct bench_buf *begin(const struct mock_chat *chat, enum mock_piece_kind kind,
                               uint64_t choice)
{
    struct mock_answer *answer = &chat->exchange->answer;
    mock_piece_begin(answer, kind);
    write_chunk_head(chat, &answer->script.bytes);
    write_choice_head(chat, &answer->script.bytes, choice);
    return &answer->script.bytes;
}

static void end(const struct mock_chat *chat, uint64_t repeat)
{
    struct mock_answer *answer = &chat->exchange->answer;
    write_chunk_tail(chat, &answer->script.bytes, BENCH_STR("Qx1p9vT"));
    mock_piece_end(answer, repeat, 0);
}

static void add_roles(const struct mock_chat *chat)
{
    for (uint64_t i = 0; i < chat->n; i++) {
        struct bench_buf *out = begin(chat, MOCK_PIECE_HEAD, i);
        BENCH_LIT(out, "\"role\":\"assistant\",\"content\":\"\",\"refusal\":null");
        write_choice_tail(out);
        end(chat, 1);
    }
}

static void add_reasoning(const struct mock_chat *chat)
{
    for (uint64_t i = 0; i < chat->exchange->knobs.reasoning && i < MAX_SINGLE_CHUNKS; i++) {
        struct bench_buf *out = begin(chat, MOCK_PIECE_CONTENT, 0);
        BENCH_LIT(out, "\"reasoning_content\":\"");
        mock_text_range(out, 100 + i * 6, 6);
        BENCH_LIT(out, "\"");
        write_choice_tail(out);
        end(chat, 1);
    }
}

/* The fast case: one template for the whole text. */
static void add_generated(const struct mock_chat *chat)
{
    struct mock_answer *answer = &chat->exchange->answer;
    answer->text_bytes = chat->plan.text_bytes;
    answer->text_chunks = chat->plan.chunks;
    struct bench_buf *out = begin(chat, MOCK_PIECE_CONTENT, 0);
    BENCH_LIT(out, "\"content\":\"");
    mock_piece_slot(answer, MOCK_SLOT_TEXT);
    BENCH_LIT(out, "\"");
    write_choice_tail(out);
    end(chat, chat->plan.chunks);
}

static void add_text_chunk(const struct mock_chat *chat, uint64_t choice, struct bench_str token)
{
    bool refused = chat->plan.kind == MOCK_PLAN_REFUSAL;
    struct bench_buf *out = begin(chat, MOCK_PIECE_CONTENT, choice);
    bench_buf_str(out, refused ? BENCH_STR("\"refusal\":") : BENCH_STR("\"content\":"));
    bench_buf_json(out, token);
    if (!chat->logprobs) {
        write_choice_tail(out);
        end(chat, 1);
        return;
    }
    bench_buf_str(out, refused ? BENCH_STR("},\"logprobs\":{\"content\":null,\"refusal\":[")
                               : BENCH_STR("},\"logprobs\":{\"content\":["));
    mock_chat_write_logprob(chat, out, token);
    bench_buf_str(out, refused ? BENCH_STR("]}") : BENCH_STR("],\"refusal\":null}"));
    BENCH_LIT(out, ",\"finish_reason\":null}");
    end(chat, 1);
}

/* The general case: every chunk apart, those of several choices in turn. */
static void add_single_chunks(const struct mock_chat *chat)
{
    struct bench_buf text = {0};
    uint64_t chunks = chat->plan.chunks < MAX_SINGLE_CHUNKS ? chat->plan.chunks : MAX_SINGLE_CHUNKS;
    mock_plan_text(&chat->plan, &text);
    for (uint64_t i = 0; i < chunks; i++) {
        for (uint64_t choice = 0; choice < chat->n; choice++) {
            add_text_chunk(chat, choice, mock_plan_cut(bench_buf_view(&text), chunks, i));
        }
    }
    bench_buf_fini(&text);
}

static void add_call_open(const struct mock_chat *chat, uint64_t choice, size_t i)
{
    const struct mock_tool_call *call = &chat->plan.calls[i];
    struct bench_buf *out = begin(chat, MOCK_PIECE_CONTENT, choice);
    if (i == 0) {
        BENCH_LIT(out, "\"role\":\"assistant\",\"content\":null,");
    }
    BENCH_LIT(out, "\"tool_calls\":[{\"index\":");
    bench_buf_u64(out, i);
    BENCH_LIT(out, ",\"id\":\"");
    mock_answer_id(out, chat->exchange, BENCH_STR("call_"),
                   (unsigned)(choice * PLAN_MAX_TOOL_CALLS + i));
    bench_buf_str(out, call->custom
                           ? BENCH_STR("\",\"type\":\"custom\",\"custom\":{\"name\":")
                           : BENCH_STR("\",\"type\":\"function\",\"function\":{\"name\":"));
    bench_buf_json(out, call->name);
    bench_buf_str(out, call->custom ? BENCH_STR(",\"input\":\"\"}}]")
                                    : BENCH_STR(",\"arguments\":\"\"}}]"));
    bench_buf_str(out, i == 0 ? BENCH_STR(",\"refusal\":null") : BENCH_STR(""));
    write_choice_tail(out);
    end(chat, 1);
}

static void add_call_part(const struct mock_chat *chat, uint64_t choice, size_t i, uint64_t part)
{
    const struct mock_tool_call *call = &chat->plan.calls[i];
    struct bench_str text = mock_plan_cut(bench_buf_view(&call->input), ARGUMENT_PARTS, part);
    if (text.len == 0) {
        return;
    }
    struct bench_buf *out = begin(chat, MOCK_PIECE_CONTENT, choice);
    BENCH_LIT(out, "\"tool_calls\":[{\"index\":");
    bench_buf_u64(out, i);
    bench_buf_str(out, call->custom ? BENCH_STR(",\"custom\":{\"input\":")
                                    : BENCH_STR(",\"function\":{\"arguments\":"));
    bench_buf_json(out, text);
    BENCH_LIT(out, "}}]");
    write_choice_tail(out);
    end(chat, 1);
}

static void add_tool_calls(const struct mock_chat *chat)
{
    for (uint64_t choice = 0; choice < chat->n; choice++) {
        for (size_t i = 0; i < chat->plan.call_count; i++) {
            add_call_open(chat, choice, i);
            for (uint64_t part = 0; part < ARGUMENT_PARTS; part++) {
                add_call_part(chat, choice, i, part);
            }
        }
    }
}

static void add_finish(const struct mock_chat *chat)
{
    for (uint64_t i = 0; i < chat->n; i++) {
        struct bench_buf *out = begin(chat, MOCK_PIECE_TAIL, i);
        BENCH_LIT(out, "},\"logprobs\":null,\"finish_reason\":");
        bench_buf_json(out, chat->plan.finish);
        BENCH_LIT(out, "}");
        end(chat, 1);
    }
}

static void add_usage(const struct mock_chat *chat)
{
    struct mock_answer *answer = &chat->exchange->answer;
    struct bench_buf *out = &answer->script.bytes;
    mock_piece_begin(answer, MOCK_PIECE_TAIL);
    write_chunk_head(chat, out);
    BENCH_LIT(out, "],\"usage\":");
    mock_plan_write_usage(&chat->plan, out);
    bench_buf_str(out,
                  chat->obfuscate ? BENCH_STR(",\"obfuscation\":\"\"}\n\n") : BENCH_STR("}\n\n"));
    mock_piece_end(answer, 1, 0);
}

/* Azure begins with the verdict on the prompt, in a chunk that is hardly one. */
static void add_prompt_results(const struct mock_chat *chat)
{
    struct mock_answer *answer = &chat->exchange->answer;
    mock_piece_begin(answer, MOCK_PIECE_HEAD);
    BENCH_LIT(&answer->script.bytes,
              "data: {\"choices\":[],\"created\":0,\"id\":\"\",\"model\":\"\","
              "\"object\":\"\",");
    mock_azure_write_prompt_results(&answer->script.bytes);
    BENCH_LIT(&answer->script.bytes, "}\n\n");
    mock_piece_end(answer, 1, 0);
}

void mock_chat_stream(struct mock_chat *chat)
{
    struct mock_answer *answer = &chat->exchange->answer;
    mock_answer_stream(chat->exchange);
    if (chat->exchange->vendor == MOCK_VENDOR_AZURE) {
        add_prompt_results(chat);
    }
    if (chat->plan.kind == MOCK_PLAN_TOOLS) {
        add_reasoning(chat);
        add_tool_calls(chat);
    } else {
        add_roles(chat);
        add_reasoning(chat);
        if (chat->plan.kind == MOCK_PLAN_GENERATED && chat->n == 1 && !chat->logprobs) {
            add_generated(chat);
        } else {
            add_single_chunks(chat);
        }
    }
    add_finish(chat);
    if (chat->include_usage) {
        add_usage(chat);
    }
    mock_piece_begin(answer, MOCK_PIECE_TAIL);
    BENCH_LIT(&answer->script.bytes, "data: [DONE]\n\n");
    mock_piece_end(answer, 1, 0);
}
