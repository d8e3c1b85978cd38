/* SPDX-License-Identifier: MIT */
/* The plain form of a chat answer. */
#include "mockllm/azure.h"
#include "mockllm/exchange.h"
#include "mockllm/openai_chat.h"
#include "mockllm/text.h"

static void write_tool_calls(const struct mock_chat *chat, struct bench_buf *out, unsigned choice)
{
    BENCH_LIT(out, ",\"tool_calls\":[");
    for (size_t i = 0; i < chat->plan.call_count; i++) {
        const struct mock_tool_call *call = &chat->plan.calls[i];
        bench_buf_str(out, i == 0 ? BENCH_STR("{\"id\":\"") : BENCH_STR(",{\"id\":\""));
        mock_answer_id(out, chat->exchange, BENCH_STR("call_"),
                       choice * PLAN_MAX_TOOL_CALLS + (unsigned)i);
        bench_buf_str(out, call->custom
                               ? BENCH_STR("\",\"type\":\"custom\",\"custom\":{\"name\":")
                               : BENCH_STR("\",\"type\":\"function\",\"function\":{\"name\":"));
        bench_buf_json(out, call->name);
        bench_buf_str(out, call->custom ? BENCH_STR(",\"input\":") : BENCH_STR(",\"arguments\":"));
        bench_buf_json(out, bench_buf_view(&call->input));
        BENCH_LIT(out, "}}");
    }
    BENCH_LIT(out, "]");
}

static void write_content(const struct mock_chat *chat, struct bench_buf *out)
{
    const struct mock_plan *plan = &chat->plan;
    switch (plan->kind) {
    case MOCK_PLAN_GENERATED: /* needs no escaping */
        BENCH_LIT(out, "\"content\":\"");
        mock_text_range(out, 0, plan->text_bytes);
        BENCH_LIT(out, "\",\"refusal\":null");
        return;
    case MOCK_PLAN_FIXED:
        BENCH_LIT(out, "\"content\":");
        bench_buf_json(out, bench_buf_view(&plan->text));
        BENCH_LIT(out, ",\"refusal\":null");
        return;
    case MOCK_PLAN_REFUSAL:
        BENCH_LIT(out, "\"content\":null,\"refusal\":");
        bench_buf_json(out, bench_buf_view(&plan->text));
        return;
    case MOCK_PLAN_TOOLS:
        BENCH_LIT(out, "\"content\":null,\"refusal\":null");
        return;
    }
}

static void write_logprobs(const struct mock_chat *chat, struct bench_buf *out)
{
    struct bench_buf text = {0};
    if (!chat->logprobs || chat->plan.kind == MOCK_PLAN_TOOLS) {
        BENCH_LIT(out, "null");
        return;
    }
    mock_plan_text(&chat->plan, &text);
    bool refused = chat->plan.kind == MOCK_PLAN_REFUSAL;
    bench_buf_str(out, refused ? BENCH_STR("{\"content\":null,\"refusal\":[")
                               : BENCH_STR("{\"content\":["));
    for (uint64_t i = 0; i < chat->plan.chunks; i++) {
        bench_buf_str(out, i == 0 ? BENCH_STR("") : BENCH_STR(","));
        mock_chat_write_logprob(chat, out,
                                mock_plan_cut(bench_buf_view(&text), chat->plan.chunks, i));
    }
    bench_buf_str(out, refused ? BENCH_STR("]}") : BENCH_STR("],\"refusal\":null}"));
    bench_buf_fini(&text);
}

static void write_choice(const struct mock_chat *chat, struct bench_buf *out, unsigned index)
{
    const struct mock_exchange *exchange = chat->exchange;
    BENCH_LIT(out, "{\"index\":");
    bench_buf_u64(out, index);
    BENCH_LIT(out, ",\"message\":{\"role\":\"assistant\",");
    write_content(chat, out);
    if (exchange->knobs.reasoning > 0) {
        BENCH_LIT(out, ",\"reasoning_content\":\"");
        mock_text_range(out, 100, exchange->knobs.reasoning * 6);
        BENCH_LIT(out, "\"");
    }
    if (chat->plan.kind == MOCK_PLAN_TOOLS) {
        write_tool_calls(chat, out, index);
    }
    BENCH_LIT(out, ",\"annotations\":[]},\"logprobs\":");
    write_logprobs(chat, out);
    BENCH_LIT(out, ",\"finish_reason\":");
    bench_buf_json(out, chat->plan.finish);
    if (exchange->vendor == MOCK_VENDOR_AZURE) {
        BENCH_LIT(out, ",");
        mock_azure_write_results(out, mock_plan_ends(&chat->plan, "content_filter"));
    }
    BENCH_LIT(out, "}");
}

void mock_chat_plain(struct mock_chat *chat)
{
    struct bench_buf *out = mock_answer_json(chat->exchange);
    BENCH_LIT(out, "{\"id\":\"");
    mock_answer_id(out, chat->exchange, BENCH_STR("chatcmpl-"), 0);
    BENCH_LIT(out, "\",\"object\":\"chat.completion\",\"created\":");
    bench_buf_u64(out, chat->created);
    BENCH_LIT(out, ",\"model\":");
    bench_buf_json(out, chat->model);
    BENCH_LIT(out, ",\"choices\":[");
    for (unsigned i = 0; i < chat->n; i++) {
        bench_buf_str(out, i == 0 ? BENCH_STR("") : BENCH_STR(","));
        write_choice(chat, out, i);
    }
    BENCH_LIT(out, "]");
    if (chat->exchange->vendor == MOCK_VENDOR_AZURE) {
        BENCH_LIT(out, ",");
        mock_azure_write_prompt_results(out);
    }
    if (chat->exchange->knobs.usage > 0) {
        BENCH_LIT(out, ",\"usage\":");
        mock_plan_write_usage(&chat->plan, out);
    }
    BENCH_LIT(out, ",\"service_tier\":\"default\",\"system_fingerprint\":\"fp_mock000001\"}\n");
    mock_answer_end(chat->exchange);
}
