/* SPDX-License-Identifier: MIT */
/* Decides what the model says. */
#include "mockllm/plan.h"

#include <openssl/sha.h>

#include "mockllm/exchange.h"
#include "mockllm/schema_gen.h"
#include "mockllm/text.h"

/* Bytes of a made up token. */
#define BYTES_PER_TOKEN 6u

/* Largest made up plain text: a plain answer is built in memory. */
#define MAX_TEXT_BYTES (256u * 1024u * 1024u)

/* Bytes of a made up reasoning chunk, and where in the endless text reasoning begins. */
#define REASONING_BYTES 6u
#define REASONING_FROM  100u

void mock_ask_tool(struct mock_plan_ask *ask, struct mock_tool tool)
{
    ask->tools = bench_realloc(ask->tools, (ask->tool_count + 1) * sizeof(*ask->tools));
    ask->tools[ask->tool_count++] = tool;
}

static const struct mock_tool *find_tool(const struct mock_plan_ask *ask, struct bench_str name)
{
    for (size_t i = 0; i < ask->tool_count; i++) {
        if (name.len > 0 && bench_str_eq(ask->tools[i].name, name)) {
            return &ask->tools[i];
        }
    }
    return NULL;
}

static void add_call(struct mock_plan *plan, const struct mock_tool *tool)
{
    struct mock_tool_call *call = &plan->calls[plan->call_count++];
    *call = (struct mock_tool_call){
        .name = tool->name, .name_space = tool->name_space, .custom = tool->custom};
    if (call->custom) {
        mock_text_range(&call->input, 0, 40);
    } else {
        mock_schema_instance(&call->input, tool->schema);
    }
}

/* Fills |plan| with calls. Returns whether there are any. */
static bool plan_tools(struct mock_plan *plan, const struct mock_exchange *exchange,
                       const struct mock_plan_ask *ask)
{
    bool wanted = exchange->knobs.tools > 0 && !ask->tool_answered;
    if (ask->no_call || ask->tool_count == 0 || (!ask->must_call && !wanted)) {
        return false;
    }
    const struct mock_tool *named = find_tool(ask, ask->named);
    if (named == NULL) {
        named = find_tool(ask, exchange->knobs.tool);
    }
    uint64_t count = exchange->knobs.tools > 0 ? exchange->knobs.tools : 1;
    if (ask->one_tool || count > PLAN_MAX_TOOL_CALLS) {
        count = ask->one_tool ? 1 : PLAN_MAX_TOOL_CALLS;
    }
    plan->calls = bench_alloc(count * sizeof(*plan->calls));
    for (size_t i = 0; i < count; i++) {
        add_call(plan, named != NULL ? named : &ask->tools[i % ask->tool_count]);
    }
    plan->kind = MOCK_PLAN_TOOLS;
    plan->finish = ask->named_stops ? BENCH_STR("stop") : BENCH_STR("tool_calls");
    return true;
}

/* What translation tends to break: scripts, marks, surrogate pairs, escapes, line ends. */
static const char UNICODE_TEXT[] =
    "Gr\xc3\xbc\xc3\x9f"
    "e, \xe4\xb8\x96\xe7\x95\x8c! "
    "\xd8\xb4\xd9\x83\xd8\xb1\xd8\xa7 e\xcc\x81 \xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x9a\x80 "
    "\"quoted\" back\\slash </script> \xe2\x80\xa8 tab\there\r\nnew line \x01 end";

/* A text that tells what came: its size and hash. */
static void write_digest(struct bench_buf *out, const struct mock_exchange *exchange)
{
    struct bench_str body = bench_buf_view(&exchange->request.body);
    unsigned char hash[SHA256_DIGEST_LENGTH];
    SHA256((const unsigned char *)body.ptr, body.len, hash);
    bench_buf_printf(out, "received %zu bytes, sha256 ", body.len);
    for (size_t i = 0; i < sizeof(hash); i++) {
        bench_buf_hex(out, hash[i], 2);
    }
}

/* Writes the text that knobs order instead of any other. Returns whether one does. */
static bool plan_ordered_text(struct mock_plan *plan, const struct mock_exchange *exchange)
{
    const struct mock_knobs *knobs = &exchange->knobs;
    if (knobs->text.len > 0) {
        bench_buf_str(&plan->text, knobs->text);
    } else if (knobs->unicode > 0) {
        bench_buf_str(&plan->text, BENCH_STR(UNICODE_TEXT));
    } else if (knobs->digest > 0) {
        write_digest(&plan->text, exchange);
    } else {
        return knobs->empty > 0;
    }
    return true;
}

/* Decides kind and text; false: a generated text. */
static bool plan_text(struct mock_plan *plan, const struct mock_exchange *exchange,
                      const struct mock_plan_ask *ask)
{
    plan->kind = MOCK_PLAN_FIXED;
    if (exchange->knobs.refusal > 0) {
        plan->kind = MOCK_PLAN_REFUSAL;
        BENCH_LIT(&plan->text, "I'm sorry, I cannot assist with that request.");
    } else if (plan_ordered_text(plan, exchange)) {
        return true;
    } else if (exchange->knobs.echo > 0 && ask->echo.len > 0) {
        bench_buf_str(&plan->text, ask->echo);
    } else if (ask->schema != NULL) {
        mock_schema_instance(&plan->text, ask->schema);
    } else if (ask->json) {
        BENCH_LIT(&plan->text, "{\"answer\":\"The quick gateway\",\"count\":3,\"ok\":true}");
    } else {
        plan->kind = MOCK_PLAN_GENERATED;
        return false;
    }
    return true;
}

static void plan_size(struct mock_plan *plan, const struct mock_exchange *exchange,
                      const struct mock_plan_ask *ask)
{
    uint64_t chunks = exchange->knobs.chunks > 0 ? exchange->knobs.chunks : 1;
    uint64_t bytes = exchange->knobs.size > 0 ? exchange->knobs.size : chunks * BYTES_PER_TOKEN;
    if (plan->kind != MOCK_PLAN_GENERATED) {
        bytes = plan->text.len;
    }
    chunks = chunks <= bytes || bytes == 0 ? chunks : bytes;
    if (ask->max_tokens > 0 && chunks > ask->max_tokens && plan->kind == MOCK_PLAN_GENERATED) {
        bytes = bytes * ask->max_tokens / chunks;
        chunks = ask->max_tokens;
        plan->finish = BENCH_STR("length");
    }
    plan->chunks = chunks;
    plan->text_bytes = bytes < MAX_TEXT_BYTES ? bytes : MAX_TEXT_BYTES;
}

static void plan_finish(struct mock_plan *plan, const struct mock_exchange *exchange,
                        const struct mock_plan_ask *ask)
{
    if (exchange->knobs.stop > 0 && plan->kind != MOCK_PLAN_TOOLS) {
        plan->finish = BENCH_STR("stop");
        plan->stopped = ask->stop_seq;
    }
    if (exchange->knobs.filter > 0) {
        plan->finish = BENCH_STR("content_filter");
    }
    if (exchange->knobs.finish.len > 0) {
        plan->finish = exchange->knobs.finish;
    }
}

void mock_plan_make(struct mock_plan *plan, const struct mock_exchange *exchange,
                    struct mock_plan_ask *ask)
{
    *plan = (struct mock_plan){.finish = BENCH_STR("stop"),
                               .reasoning_chunks = exchange->knobs.reasoning};
    uint64_t tokens = exchange->knobs.reasoning_tokens;
    if (plan_tools(plan, exchange, ask)) {
        for (size_t i = 0; i < plan->call_count; i++) {
            tokens += plan->calls[i].input.len / 4 + 1;
        }
        plan->chunks = exchange->knobs.chunks > 0 ? exchange->knobs.chunks : 1;
    } else {
        (void)plan_text(plan, exchange, ask);
        plan_size(plan, exchange, ask);
        tokens += exchange->knobs.size > 0 ? plan->text_bytes / 4 + 1 : plan->chunks;
    }
    plan_finish(plan, exchange, ask);
    plan->usage = mock_answer_usage(exchange, tokens);
    bench_free(ask->tools);
    ask->tools = NULL;
    ask->tool_count = 0;
}

void mock_plan_fini(struct mock_plan *plan)
{
    for (size_t i = 0; i < plan->call_count; i++) {
        bench_buf_fini(&plan->calls[i].input);
    }
    bench_free(plan->calls);
    bench_buf_fini(&plan->text);
}

void mock_plan_text(const struct mock_plan *plan, struct bench_buf *out)
{
    if (plan->kind == MOCK_PLAN_GENERATED) {
        mock_text_range(out, 0, plan->text_bytes);
    } else {
        bench_buf_str(out, bench_buf_view(&plan->text));
    }
}

static size_t character_start(struct bench_str text, size_t at)
{
    while (at < text.len && ((unsigned char)text.ptr[at] & 0xC0) == 0x80) {
        at++;
    }
    return at;
}

struct bench_str mock_plan_cut(struct bench_str text, uint64_t parts, uint64_t i)
{
    size_t from = character_start(text, (size_t)(text.len * i / parts));
    size_t to = character_start(text, (size_t)(text.len * (i + 1) / parts));
    return bench_str_cut(text, from, to - from);
}

struct bench_str mock_plan_chunk(const struct mock_plan *plan, uint64_t i)
{
    return mock_plan_cut(bench_buf_view(&plan->text), plan->chunks, i);
}

void mock_plan_write_chunk(const struct mock_plan *plan, struct bench_buf *out, uint64_t i)
{
    if (plan->kind != MOCK_PLAN_GENERATED) {
        bench_buf_json(out, mock_plan_chunk(plan, i));
        return;
    }
    BENCH_LIT(out, "\"");
    mock_text_chunk(out, plan->text_bytes, plan->chunks, i);
    BENCH_LIT(out, "\"");
}

void mock_plan_write_text(const struct mock_plan *plan, struct bench_buf *out)
{
    if (plan->kind != MOCK_PLAN_GENERATED) {
        bench_buf_json(out, bench_buf_view(&plan->text));
        return;
    }
    BENCH_LIT(out, "\"");
    mock_text_range(out, 0, plan->text_bytes);
    BENCH_LIT(out, "\"");
}

bool mock_plan_ends(const struct mock_plan *plan, const char *finish)
{
    return bench_str_eq(plan->finish, bench_str_from(finish));
}

void mock_plan_reasoning(const struct mock_plan *plan, struct bench_buf *out, uint64_t parts,
                         uint64_t i)
{
    uint64_t bytes = plan->reasoning_chunks * REASONING_BYTES;
    uint64_t from = bytes * i / parts;
    mock_text_range(out, REASONING_FROM + from, bytes * (i + 1) / parts - from);
}
