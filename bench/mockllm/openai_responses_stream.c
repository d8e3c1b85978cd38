/* SPDX-License-Identifier: MIT */
/*
 * The events of a streamed response:
 *
 *   created  in_progress
 *   for each item: output_item.added  (parts and deltas of its kind)  output_item.done
 *   completed, or incomplete
 */
#include "mockllm/exchange.h"
#include "mockllm/openai_responses.h"
#include "mockllm/text.h"

/* Parts a tool call's arguments are streamed in. */
#define ARGUMENT_PARTS 4u

#define REASONING_BYTES 6u

struct writer {
    const struct mock_response *response;
    struct mock_answer *answer;
    struct bench_buf *out;
    uint64_t seq;
    size_t item;
};

static void begin(struct writer *writer, enum mock_piece_kind kind, struct bench_str type)
{
    mock_piece_begin(writer->answer, kind);
    BENCH_LIT(writer->out, "event: ");
    bench_buf_str(writer->out, type);
    BENCH_LIT(writer->out, "\ndata: {\"type\":\"");
    bench_buf_str(writer->out, type);
    BENCH_LIT(writer->out, "\"");
}

static void end(struct writer *writer)
{
    BENCH_LIT(writer->out, ",\"sequence_number\":");
    bench_buf_u64(writer->out, writer->seq++);
    BENCH_LIT(writer->out, "}\n\n");
    mock_piece_end(writer->answer, 1, 0);
}

/* The members that say where a delta belongs. */
static void write_place(struct writer *writer, struct bench_str index_name)
{
    BENCH_LIT(writer->out, ",\"item_id\":");
    mock_response_write_item_id(writer->response, writer->out, writer->item);
    BENCH_LIT(writer->out, ",\"output_index\":");
    bench_buf_u64(writer->out, writer->item);
    if (index_name.len > 0) {
        bench_buf_str(writer->out, index_name);
    }
}

static void add_response(struct writer *writer, enum mock_piece_kind kind, struct bench_str type,
                         enum mock_response_state state)
{
    begin(writer, kind, type);
    BENCH_LIT(writer->out, ",\"response\":");
    mock_response_write(writer->response, writer->out, state);
    end(writer);
}

static void add_item_event(struct writer *writer, enum mock_piece_kind kind, struct bench_str type,
                           enum mock_response_state state)
{
    begin(writer, kind, type);
    BENCH_LIT(writer->out, ",\"output_index\":");
    bench_buf_u64(writer->out, writer->item);
    BENCH_LIT(writer->out, ",\"item\":");
    mock_response_write_item(writer->response, writer->out, writer->item, state);
    end(writer);
}

static const struct bench_str CONTENT_INDEX = {.ptr = ",\"content_index\":0", .len = 18};
static const struct bench_str SUMMARY_INDEX = {.ptr = ",\"summary_index\":0", .len = 18};
static const struct bench_str NO_INDEX = {.ptr = "", .len = 0};

static void add_part_event(struct writer *writer, enum mock_piece_kind kind, struct bench_str type,
                           enum mock_response_state state)
{
    begin(writer, kind, type);
    write_place(writer, CONTENT_INDEX);
    BENCH_LIT(writer->out, ",\"part\":");
    mock_response_write_part(writer->response, writer->out, state);
    end(writer);
}

/* The fast case: one template for all deltas of a made up text. */
static void add_generated(struct writer *writer)
{
    const struct mock_plan *plan = &writer->response->plan;
    writer->answer->text_bytes = plan->text_bytes;
    writer->answer->text_chunks = plan->chunks;
    begin(writer, MOCK_PIECE_CONTENT, BENCH_STR("response.output_text.delta"));
    write_place(writer, CONTENT_INDEX);
    BENCH_LIT(writer->out, ",\"delta\":\"");
    mock_piece_slot(writer->answer, MOCK_SLOT_TEXT);
    BENCH_LIT(writer->out, "\",\"logprobs\":[],\"obfuscation\":\"Qx1p9vT\",\"sequence_number\":");
    mock_piece_slot(writer->answer, MOCK_SLOT_SEQ);
    BENCH_LIT(writer->out, "}\n\n");
    mock_piece_end(writer->answer, plan->chunks, writer->seq);
    writer->seq += plan->chunks;
}

static void add_fixed(struct writer *writer)
{
    const struct mock_plan *plan = &writer->response->plan;
    bool refused = plan->kind == MOCK_PLAN_REFUSAL;
    for (uint64_t i = 0; i < plan->chunks; i++) {
        begin(writer, MOCK_PIECE_CONTENT,
              refused ? BENCH_STR("response.refusal.delta")
                      : BENCH_STR("response.output_text.delta"));
        write_place(writer, CONTENT_INDEX);
        BENCH_LIT(writer->out, ",\"delta\":");
        bench_buf_json(writer->out, mock_plan_chunk(plan, i));
        bench_buf_str(writer->out, refused ? NO_INDEX : BENCH_STR(",\"logprobs\":[]"));
        end(writer);
    }
}

static void add_message(struct writer *writer)
{
    const struct mock_plan *plan = &writer->response->plan;
    bool refused = plan->kind == MOCK_PLAN_REFUSAL;
    add_part_event(writer, MOCK_PIECE_HEAD, BENCH_STR("response.content_part.added"),
                   MOCK_RESPONSE_IN_PROGRESS);
    if (plan->kind == MOCK_PLAN_GENERATED) {
        add_generated(writer);
    } else {
        add_fixed(writer);
    }
    begin(writer, MOCK_PIECE_TAIL,
          refused ? BENCH_STR("response.refusal.done") : BENCH_STR("response.output_text.done"));
    write_place(writer, CONTENT_INDEX);
    bench_buf_str(writer->out,
                  refused ? BENCH_STR(",\"refusal\":") : BENCH_STR(",\"logprobs\":[],\"text\":"));
    mock_response_write_text(writer->response, writer->out);
    end(writer);
    add_part_event(writer, MOCK_PIECE_TAIL, BENCH_STR("response.content_part.done"),
                   MOCK_RESPONSE_DONE);
}

static void add_call(struct writer *writer)
{
    const struct mock_tool_call *call = mock_response_call(writer->response, writer->item);
    struct bench_str input = bench_buf_view(&call->input);
    for (uint64_t i = 0; i < ARGUMENT_PARTS; i++) {
        struct bench_str part = mock_plan_cut(input, ARGUMENT_PARTS, i);
        if (part.len > 0) {
            begin(writer, MOCK_PIECE_CONTENT,
                  call->custom ? BENCH_STR("response.custom_tool_call_input.delta")
                               : BENCH_STR("response.function_call_arguments.delta"));
            write_place(writer, NO_INDEX);
            BENCH_LIT(writer->out, ",\"delta\":");
            bench_buf_json(writer->out, part);
            end(writer);
        }
    }
    begin(writer, MOCK_PIECE_HEAD,
          call->custom ? BENCH_STR("response.custom_tool_call_input.done")
                       : BENCH_STR("response.function_call_arguments.done"));
    write_place(writer, NO_INDEX);
    if (call->custom) {
        BENCH_LIT(writer->out, ",\"input\":");
    } else {
        BENCH_LIT(writer->out, ",\"name\":");
        bench_buf_json(writer->out, call->name);
        BENCH_LIT(writer->out, ",\"arguments\":");
    }
    bench_buf_json(writer->out, input);
    end(writer);
}

static void add_summary_event(struct writer *writer, struct bench_str type, struct bench_str name,
                              uint64_t from, uint64_t len)
{
    bool is_part = bench_str_eq(name, BENCH_STR("part"));
    begin(writer, MOCK_PIECE_CONTENT, type);
    write_place(writer, SUMMARY_INDEX);
    BENCH_LIT(writer->out, ",\"");
    bench_buf_str(writer->out, name);
    bench_buf_str(writer->out, is_part ? BENCH_STR("\":{\"type\":\"summary_text\",\"text\":\"")
                                       : BENCH_STR("\":\""));
    mock_text_range(writer->out, from, len);
    bench_buf_str(writer->out, is_part ? BENCH_STR("\"}") : BENCH_STR("\""));
    end(writer);
}

static void add_reasoning(struct writer *writer)
{
    uint64_t chunks = writer->response->exchange->knobs.reasoning;
    chunks = chunks < 10000 ? chunks : 10000; /* one piece each: enough for any test */
    uint64_t all = chunks * REASONING_BYTES;
    add_summary_event(writer, BENCH_STR("response.reasoning_summary_part.added"), BENCH_STR("part"),
                      0, 0);
    for (uint64_t i = 0; i < chunks; i++) {
        add_summary_event(writer, BENCH_STR("response.reasoning_summary_text.delta"),
                          BENCH_STR("delta"), i * REASONING_BYTES, REASONING_BYTES);
    }
    add_summary_event(writer, BENCH_STR("response.reasoning_summary_text.done"), BENCH_STR("text"),
                      0, all);
    add_summary_event(writer, BENCH_STR("response.reasoning_summary_part.done"), BENCH_STR("part"),
                      0, all);
}

void mock_response_stream(struct mock_response *response)
{
    struct mock_answer *answer = &response->exchange->answer;
    struct writer writer = {
        .response = response,
        .answer = answer,
        .out = mock_answer_stream(response->exchange),
    };
    size_t items = mock_response_items(response);
    bool cut = bench_str_eq(response->plan.finish, BENCH_STR("length")) ||
               bench_str_eq(response->plan.finish, BENCH_STR("content_filter"));
    add_response(&writer, MOCK_PIECE_HEAD, BENCH_STR("response.created"),
                 MOCK_RESPONSE_IN_PROGRESS);
    add_response(&writer, MOCK_PIECE_HEAD, BENCH_STR("response.in_progress"),
                 MOCK_RESPONSE_IN_PROGRESS);
    for (writer.item = 0; writer.item < items; writer.item++) {
        bool last = writer.item + 1 == items;
        add_item_event(&writer, MOCK_PIECE_HEAD, BENCH_STR("response.output_item.added"),
                       MOCK_RESPONSE_IN_PROGRESS);
        if (mock_response_is_reasoning(response, writer.item)) {
            add_reasoning(&writer);
        } else if (response->plan.kind == MOCK_PLAN_TOOLS) {
            add_call(&writer);
        } else {
            add_message(&writer);
        }
        add_item_event(&writer, last ? MOCK_PIECE_TAIL : MOCK_PIECE_HEAD,
                       BENCH_STR("response.output_item.done"), MOCK_RESPONSE_DONE);
    }
    add_response(&writer, MOCK_PIECE_TAIL,
                 cut ? BENCH_STR("response.incomplete") : BENCH_STR("response.completed"),
                 MOCK_RESPONSE_DONE);
}
