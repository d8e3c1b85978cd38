/* SPDX-License-Identifier: MIT */
/*
 * The streamed form of a message:
 *
 *   message_start  { content_block_start  [ping after the first]  deltas  content_block_stop }
 *   message_delta (stop reason, usage)  message_stop
 */
#include "mockllm/anthropic.h"
#include "mockllm/exchange.h"

/* Parts a tool's input is streamed in, behind the empty one that the API begins with. */
#define INPUT_PARTS 4u

/* Reasoning is sent in at most that many pieces. */
#define MAX_THINKING_CHUNKS 10000u

struct writer {
    const struct mock_message *message;
    struct mock_answer *answer;
    struct bench_buf *out;
    uint64_t index; /* of the content block */
};

static void begin(struct writer *writer, enum mock_piece_kind kind, struct bench_str name)
{
    mock_piece_begin(writer->answer, kind);
    BENCH_LIT(writer->out, "event: ");
    bench_buf_str(writer->out, name);
    BENCH_LIT(writer->out, "\ndata: {\"type\":\"");
    bench_buf_str(writer->out, name);
    BENCH_LIT(writer->out, "\"");
}

static void end(struct writer *writer, uint64_t repeat)
{
    BENCH_LIT(writer->out, "}\n\n");
    mock_piece_end(writer->answer, repeat, 0);
}

static void begin_block(struct writer *writer)
{
    begin(writer, MOCK_PIECE_CONTENT, BENCH_STR("content_block_start"));
    bench_buf_printf(writer->out,
                     ",\"index\":%llu,\"content_block\":", (unsigned long long)writer->index);
}

/* The API pings once behind the first start of a block. */
static void open_block(struct writer *writer)
{
    /* Spaces behind the object are what the API pads with. */
    BENCH_LIT(writer->out, "}   \n\n");
    mock_piece_end(writer->answer, 1, 0);
    if (writer->index == 0) {
        mock_piece_begin(writer->answer, MOCK_PIECE_HEAD);
        BENCH_LIT(writer->out, "event: ping\ndata: {\"type\": \"ping\"}\n\n");
        mock_piece_end(writer->answer, 1, 0);
    }
}

static void begin_delta(struct writer *writer)
{
    begin(writer, MOCK_PIECE_CONTENT, BENCH_STR("content_block_delta"));
    bench_buf_printf(writer->out, ",\"index\":%llu,\"delta\":", (unsigned long long)writer->index);
}

static void close_block(struct writer *writer)
{
    begin(writer, MOCK_PIECE_TAIL, BENCH_STR("content_block_stop"));
    bench_buf_printf(writer->out, ",\"index\":%llu", (unsigned long long)writer->index++);
    end(writer, 1);
}

static void add_thinking(struct writer *writer)
{
    const struct mock_message *message = writer->message;
    struct bench_buf text = {0};
    uint64_t chunks = message->plan.reasoning_chunks;
    chunks = chunks < MAX_THINKING_CHUNKS ? chunks : MAX_THINKING_CHUNKS;
    mock_anthropic_thinking_text(message, &text);
    begin_block(writer);
    BENCH_LIT(writer->out, "{\"type\":\"thinking\",\"thinking\":\"\",\"signature\":\"\"}");
    open_block(writer);
    for (uint64_t i = 0; i < chunks && text.len > 0; i++) {
        begin_delta(writer);
        BENCH_LIT(writer->out, "{\"type\":\"thinking_delta\",\"thinking\":");
        bench_buf_json(writer->out, mock_plan_cut(bench_buf_view(&text), chunks, i));
        BENCH_LIT(writer->out, "}");
        end(writer, 1);
    }
    begin_delta(writer);
    BENCH_LIT(writer->out, "{\"type\":\"signature_delta\",\"signature\":\"");
    mock_anthropic_sign(message->exchange, writer->out, BENCH_STR("thinking"),
                        bench_buf_view(&text));
    BENCH_LIT(writer->out, "\"}");
    end(writer, 1);
    close_block(writer);
    bench_buf_fini(&text);
}

static void add_redacted(struct writer *writer)
{
    begin_block(writer);
    BENCH_LIT(writer->out, "{\"type\":\"redacted_thinking\",\"data\":\"");
    mock_anthropic_write_redacted(writer->message, writer->out);
    BENCH_LIT(writer->out, "\"}");
    open_block(writer);
    close_block(writer);
}

static void add_input_part(struct writer *writer, struct bench_str part)
{
    begin_delta(writer);
    BENCH_LIT(writer->out, "{\"type\":\"input_json_delta\",\"partial_json\":");
    bench_buf_json(writer->out, part);
    BENCH_LIT(writer->out, "}");
    end(writer, 1);
}

static void add_call(struct writer *writer, size_t i)
{
    const struct mock_tool_call *call = &writer->message->plan.calls[i];
    struct bench_str input = bench_buf_view(&call->input);
    begin_block(writer);
    BENCH_LIT(writer->out, "{\"type\":\"tool_use\",\"id\":\"");
    mock_answer_id(writer->out, writer->message->exchange, BENCH_STR("toolu_"), (unsigned)i);
    BENCH_LIT(writer->out, "\",\"name\":");
    bench_buf_json(writer->out, call->name);
    BENCH_LIT(writer->out, ",\"input\":{}}");
    open_block(writer);
    add_input_part(writer, BENCH_STR(""));
    /* A tool without arguments streams nothing more. */
    for (uint64_t part = 0; part < INPUT_PARTS && input.len > 2; part++) {
        add_input_part(writer, mock_plan_cut(input, INPUT_PARTS, part));
    }
    close_block(writer);
}

static void begin_text_delta(struct writer *writer)
{
    begin_delta(writer);
    BENCH_LIT(writer->out, "{\"type\":\"text_delta\",\"text\":");
}

static void add_text(struct writer *writer)
{
    const struct mock_plan *plan = &writer->message->plan;
    if (plan->kind != MOCK_PLAN_GENERATED && plan->text.len == 0) {
        return;
    }
    begin_block(writer);
    BENCH_LIT(writer->out, "{\"type\":\"text\",\"text\":\"\"}");
    open_block(writer);
    if (plan->kind == MOCK_PLAN_GENERATED) { /* one template for the whole text */
        writer->answer->text_bytes = plan->text_bytes;
        writer->answer->text_chunks = plan->chunks;
        begin_text_delta(writer);
        BENCH_LIT(writer->out, "\"");
        mock_piece_slot(writer->answer, MOCK_SLOT_TEXT);
        BENCH_LIT(writer->out, "\"}");
        end(writer, plan->chunks);
    }
    for (uint64_t i = 0; plan->kind != MOCK_PLAN_GENERATED && i < plan->chunks; i++) {
        begin_text_delta(writer);
        mock_plan_write_chunk(plan, writer->out, i);
        BENCH_LIT(writer->out, "}");
        end(writer, 1);
    }
    close_block(writer);
}

static void add_end(struct writer *writer)
{
    begin(writer, MOCK_PIECE_TAIL, BENCH_STR("message_delta"));
    BENCH_LIT(writer->out, ",\"delta\":{");
    mock_anthropic_write_stop(writer->message, writer->out);
    BENCH_LIT(writer->out, "},\"usage\":");
    mock_anthropic_write_usage(writer->message, writer->out,
                               writer->message->plan.usage.completion);
    end(writer, 1);
    begin(writer, MOCK_PIECE_TAIL, BENCH_STR("message_stop"));
    end(writer, 1);
}

/* Bedrock sends the same events, but wraps them (bedrock_invoke.c). */
static struct bench_buf *begin_stream(struct mock_exchange *exchange)
{
    return exchange->vendor == MOCK_VENDOR_BEDROCK
               ? mock_answer_stream_as(exchange, BENCH_STR("application/vnd.amazon.eventstream"))
               : mock_answer_stream(exchange);
}

void mock_anthropic_stream(struct mock_message *message)
{
    struct writer writer = {.message = message,
                            .answer = &message->exchange->answer,
                            .out = begin_stream(message->exchange)};
    begin(&writer, MOCK_PIECE_HEAD, BENCH_STR("message_start"));
    BENCH_LIT(writer.out, ",\"message\":");
    mock_anthropic_write_message(message, writer.out, true);
    end(&writer, 1);
    if (message->thinking != MOCK_THINKING_OFF) {
        add_thinking(&writer);
    }
    if (message->redacted) {
        add_redacted(&writer);
    }
    for (size_t i = 0; i < message->plan.call_count; i++) {
        add_call(&writer, i);
    }
    if (message->plan.kind != MOCK_PLAN_TOOLS) {
        add_text(&writer);
    }
    add_end(&writer);
}
