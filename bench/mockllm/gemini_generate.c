/* SPDX-License-Identifier: MIT */
/* :generateContent and :streamGenerateContent: reads a request and writes the answer. */
#include "mockllm/exchange.h"
#include "mockllm/gemini.h"
#include "mockllm/plan.h"
#include "mockllm/sign.h"

/* Reasoning is sent in at most that many pieces. */
#define MAX_THOUGHT_CHUNKS 10000u

struct generate {
    struct mock_exchange *exchange;
    uint64_t candidates;
    bool is_array;
    bool thoughts; /* are shown */
    struct mock_plan plan;
};

static void read_tools(struct mock_plan_ask *ask, yyjson_val *root)
{
    size_t i = 0;
    size_t k = 0;
    size_t tools = 0;
    size_t count = 0;
    yyjson_val *tool = NULL;
    yyjson_val *one = NULL;
    yyjson_arr_foreach(yyjson_obj_get(root, "tools"), i, tools, tool)
    {
        yyjson_val *list = mock_gemini_get(tool, "functionDeclarations");
        yyjson_arr_foreach(list, k, count, one)
        {
            yyjson_val *schema = mock_gemini_get(one, "parametersJsonSchema");
            schema = schema != NULL ? schema : yyjson_obj_get(one, "parameters");
            mock_ask_tool(ask,
                          (struct mock_tool){.name = mock_json_str(one, "name"), .schema = schema});
        }
    }
    yyjson_val *config =
        mock_gemini_get(mock_gemini_get(root, "toolConfig"), "functionCallingConfig");
    yyjson_val *allowed = yyjson_arr_get_first(mock_gemini_get(config, "allowedFunctionNames"));
    struct bench_str mode = mock_gemini_mode(config);
    ask->no_call = bench_str_eq(mode, BENCH_STR("NONE"));
    ask->must_call = bench_str_eq(mode, BENCH_STR("ANY"));
    ask->named = mock_json_text(allowed);
}

static bool ends_with_response(yyjson_val *contents)
{
    yyjson_val *parts = yyjson_obj_get(yyjson_arr_get_last(contents), "parts");
    return mock_gemini_get(yyjson_arr_get_first(parts), "functionResponse") != NULL;
}

static struct bench_str last_text(yyjson_val *contents)
{
    for (size_t i = yyjson_arr_size(contents); i > 0; i--) {
        yyjson_val *content = yyjson_arr_get(contents, i - 1);
        struct bench_str text =
            mock_json_str(yyjson_arr_get_first(yyjson_obj_get(content, "parts")), "text");
        if (text.ptr != NULL && !bench_str_eq(mock_json_str(content, "role"), BENCH_STR("model"))) {
            return text;
        }
    }
    return (struct bench_str){0};
}

static struct mock_plan_ask read_ask(yyjson_val *root)
{
    yyjson_val *contents = yyjson_obj_get(root, "contents");
    yyjson_val *config = mock_gemini_get(root, "generationConfig");
    yyjson_val *schema = mock_gemini_get(config, "responseJsonSchema");
    yyjson_val *type = mock_gemini_get(config, "responseMimeType");
    yyjson_val *stop = yyjson_arr_get_first(mock_gemini_get(config, "stopSequences"));
    struct mock_plan_ask ask = {
        .schema = schema != NULL ? schema : mock_gemini_get(config, "responseSchema"),
        .json = yyjson_equals_str(type, "application/json"),
        .tool_answered = ends_with_response(contents),
        .max_tokens = yyjson_get_uint(mock_gemini_get(config, "maxOutputTokens")),
        .echo = last_text(contents),
        .stop_seq = mock_json_text(stop),
    };
    read_tools(&ask, root);
    return ask;
}

/* Vertex' first version of calls has no ids; Google's own API gives them from Gemini 3 on. */
static bool has_ids(const struct mock_exchange *exchange)
{
    return exchange->vendor == MOCK_VENDOR_GEMINI && mock_gemini_is(exchange, 3);
}

static bool signs(const struct generate *generate)
{
    return mock_gemini_is(generate->exchange, 3) || generate->plan.reasoning_chunks > 0;
}

static void write_call(const struct generate *generate, struct bench_buf *out, size_t i)
{
    const struct mock_tool_call *call = &generate->plan.calls[i];
    BENCH_LIT(out, "{\"functionCall\":{\"name\":");
    bench_buf_json(out, call->name);
    BENCH_LIT(out, ",\"args\":");
    bench_buf_str(out, bench_buf_view(&call->input));
    if (has_ids(generate->exchange)) {
        BENCH_LIT(out, ",\"id\":\"");
        mock_answer_id(out, generate->exchange, BENCH_STR(""), (unsigned)i);
        BENCH_LIT(out, "\"");
    }
    BENCH_LIT(out, "}");
    if (i == 0 && signs(generate)) { /* of parallel calls only the first has one */
        BENCH_LIT(out, ",\"thoughtSignature\":\"");
        mock_sign(out, BENCH_STR("gemini"), call->name);
        BENCH_LIT(out, "\"");
    }
    BENCH_LIT(out, "}");
}

static void write_thought(const struct generate *generate, struct bench_buf *out, uint64_t parts,
                          uint64_t i)
{
    BENCH_LIT(out, "{\"text\":\"");
    mock_plan_reasoning(&generate->plan, out, parts, i);
    BENCH_LIT(out, "\",\"thought\":true}");
}

static void write_finish(const struct generate *generate, struct bench_buf *out)
{
    static const struct {
        const char *ordered;
        const char *name;
        uint64_t number;
    } reasons[] = {
        {"stop", "STOP", 1},
        {"tool_calls", "STOP", 1},
        {"length", "MAX_TOKENS", 2},
        {"content_filter", "SAFETY", 3},
    };
    struct bench_str reason = generate->plan.finish;
    uint64_t number = 5;
    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
        if (mock_plan_ends(&generate->plan, reasons[i].ordered)) {
            reason = bench_str_from(reasons[i].name);
            number = reasons[i].number;
        }
    }
    BENCH_LIT(out, ",\"finishReason\":");
    if (mock_gemini_wants_numbers(generate->exchange)) {
        bench_buf_u64(out, number);
    } else {
        bench_buf_json(out, reason);
    }
    if (mock_plan_ends(&generate->plan, "content_filter")) {
        BENCH_LIT(out, ",\"safetyRatings\":[{\"category\":\"HARM_CATEGORY_DANGEROUS_CONTENT\","
                       "\"probability\":\"HIGH\",\"blocked\":true}]");
    }
}

/* Appends the end of a response, from its usage on; |candidates| is what the usage tells. */
static void write_usage(const struct generate *generate, struct bench_buf *out, uint64_t completion)
{
    const struct mock_usage *usage = &generate->plan.usage;
    bench_buf_printf(out, ",\"usageMetadata\":{\"promptTokenCount\":%llu",
                     (unsigned long long)usage->prompt);
    if (completion > 0) {
        bench_buf_printf(out, ",\"candidatesTokenCount\":%llu", (unsigned long long)completion);
    }
    if (usage->cached > 0) {
        bench_buf_printf(out, ",\"cachedContentTokenCount\":%llu",
                         (unsigned long long)usage->cached);
    }
    if (usage->reasoning > 0) {
        bench_buf_printf(out, ",\"thoughtsTokenCount\":%llu", (unsigned long long)usage->reasoning);
    }
    bench_buf_printf(out,
                     ",\"totalTokenCount\":%llu,\"promptTokensDetails\":[{\"modality\":\"TEXT\","
                     "\"tokenCount\":%llu}]}",
                     (unsigned long long)(usage->prompt + completion + usage->reasoning),
                     (unsigned long long)usage->prompt);
}

static void write_tail(const struct generate *generate, struct bench_buf *out)
{
    BENCH_LIT(out, ",\"modelVersion\":");
    bench_buf_json(out, bench_buf_view(&generate->exchange->model));
    BENCH_LIT(out, ",\"responseId\":\"");
    mock_answer_id(out, generate->exchange, BENCH_STR(""), 0);
    BENCH_LIT(out, "\"}");
}

static uint64_t visible_tokens(const struct generate *generate)
{
    const struct mock_usage *usage = &generate->plan.usage;
    return usage->completion > usage->reasoning ? usage->completion - usage->reasoning : 0;
}

static bool has_text(const struct mock_plan *plan)
{
    return plan->kind == MOCK_PLAN_GENERATED || plan->text.len > 0;
}

/* Writes the content of a candidate; cut off without any text it has no parts at all. */
static void write_content(const struct generate *generate, struct bench_buf *out)
{
    const struct mock_plan *plan = &generate->plan;
    bool any = generate->thoughts || plan->call_count > 0 || has_text(plan);
    if (!any && mock_plan_ends(plan, "length")) {
        BENCH_LIT(out, "\"content\":{\"role\":\"model\"}");
        return;
    }
    BENCH_LIT(out, "\"content\":{\"parts\":[");
    if (generate->thoughts) {
        write_thought(generate, out, 1, 0);
        BENCH_LIT(out, ",");
    }
    for (size_t i = 0; i < plan->call_count; i++) {
        write_call(generate, out, i);
        bench_buf_str(out, i + 1 < plan->call_count ? BENCH_STR(",") : BENCH_STR(""));
    }
    if (plan->kind != MOCK_PLAN_TOOLS) {
        BENCH_LIT(out, "{\"text\":");
        mock_plan_write_text(plan, out);
        if (signs(generate)) {
            BENCH_LIT(out, ",\"thoughtSignature\":\"");
            mock_sign(out, BENCH_STR("gemini"), BENCH_STR("text"));
            BENCH_LIT(out, "\"");
        }
        BENCH_LIT(out, "}");
    }
    BENCH_LIT(out, "],\"role\":\"model\"}");
}

static void answer_plain(const struct generate *generate)
{
    struct bench_buf *out =
        mock_answer_begin(generate->exchange, 200, BENCH_STR("application/json; charset=UTF-8"));
    BENCH_LIT(out, "{\"candidates\":[");
    for (uint64_t i = 0; i < generate->candidates; i++) {
        bench_buf_str(out, i == 0 ? BENCH_STR("{") : BENCH_STR(",{"));
        write_content(generate, out);
        write_finish(generate, out);
        BENCH_LIT(out, ",\"index\":");
        bench_buf_u64(out, i);
        BENCH_LIT(out, "}");
    }
    BENCH_LIT(out, "]");
    write_usage(generate, out, visible_tokens(generate));
    write_tail(generate, out);
    mock_answer_end(generate->exchange);
}

static struct bench_buf *begin_chunk(const struct generate *generate, enum mock_piece_kind kind)
{
    struct mock_answer *answer = &generate->exchange->answer;
    mock_piece_begin(answer, kind);
    bench_buf_str(&answer->script.bytes, generate->is_array ? BENCH_STR("") : BENCH_STR("data: "));
    BENCH_LIT(&answer->script.bytes, "{\"candidates\":[{\"content\":{\"parts\":[");
    return &answer->script.bytes;
}

static void end_chunk(const struct generate *generate, uint64_t repeat, uint64_t seq, bool last)
{
    struct mock_answer *answer = &generate->exchange->answer;
    write_tail(generate, &answer->script.bytes);
    if (generate->is_array) {
        bench_buf_str(&answer->script.bytes, last ? BENCH_STR("]") : BENCH_STR("\n,\r\n"));
    } else {
        BENCH_LIT(&answer->script.bytes, "\r\n\r\n");
    }
    mock_piece_end(answer, repeat, seq);
}

static void add_thoughts(const struct generate *generate)
{
    uint64_t chunks = generate->plan.reasoning_chunks;
    chunks = chunks < MAX_THOUGHT_CHUNKS ? chunks : MAX_THOUGHT_CHUNKS;
    for (uint64_t i = 0; i < chunks; i++) {
        struct bench_buf *out = begin_chunk(generate, MOCK_PIECE_CONTENT);
        write_thought(generate, out, chunks, i);
        BENCH_LIT(out, "],\"role\":\"model\"},\"index\":0}]");
        write_usage(generate, out, 0);
        end_chunk(generate, 1, 0, false);
    }
}

/* One template for the whole text; the count of tokens grows with the chunks. */
static void add_generated(const struct generate *generate)
{
    const struct mock_usage *usage = &generate->plan.usage;
    struct mock_answer *answer = &generate->exchange->answer;
    answer->text_bytes = generate->plan.text_bytes;
    answer->text_chunks = generate->plan.chunks;
    struct bench_buf *out = begin_chunk(generate, MOCK_PIECE_CONTENT);
    BENCH_LIT(out, "{\"text\":\"");
    mock_piece_slot(answer, MOCK_SLOT_TEXT);
    BENCH_LIT(out,
              "\"}],\"role\":\"model\"},\"index\":0}],\"usageMetadata\":{\"promptTokenCount\":");
    bench_buf_u64(out, usage->prompt);
    BENCH_LIT(out, ",\"candidatesTokenCount\":");
    mock_piece_slot_plus(answer, 0);
    BENCH_LIT(out, ",\"totalTokenCount\":");
    mock_piece_slot_plus(answer, usage->prompt);
    BENCH_LIT(out, "}");
    end_chunk(generate, generate->plan.chunks, 1, false);
}

static void add_fixed(const struct generate *generate)
{
    for (uint64_t i = 0; i < generate->plan.chunks && has_text(&generate->plan); i++) {
        struct bench_buf *out = begin_chunk(generate, MOCK_PIECE_CONTENT);
        BENCH_LIT(out, "{\"text\":");
        mock_plan_write_chunk(&generate->plan, out, i);
        BENCH_LIT(out, "}],\"role\":\"model\"},\"index\":0}]");
        write_usage(generate, out, i + 1);
        end_chunk(generate, 1, 0, false);
    }
}

static void add_calls(const struct generate *generate)
{
    for (size_t i = 0; i < generate->plan.call_count; i++) {
        struct bench_buf *out = begin_chunk(generate, MOCK_PIECE_CONTENT);
        write_call(generate, out, i);
        BENCH_LIT(out, "],\"role\":\"model\"},\"index\":0}]");
        write_usage(generate, out, i + 1);
        end_chunk(generate, 1, 0, false);
    }
}

/* The reason comes with an empty text, which may carry the signature. */
static void add_finish(const struct generate *generate)
{
    struct bench_buf *out = begin_chunk(generate, MOCK_PIECE_TAIL);
    BENCH_LIT(out, "{\"text\":\"\"");
    if (signs(generate) && generate->plan.kind != MOCK_PLAN_TOOLS) {
        BENCH_LIT(out, ",\"thoughtSignature\":\"");
        mock_sign(out, BENCH_STR("gemini"), BENCH_STR("text"));
        BENCH_LIT(out, "\"");
    }
    BENCH_LIT(out, "}],\"role\":\"model\"}");
    write_finish(generate, out);
    BENCH_LIT(out, ",\"index\":0}]");
    write_usage(generate, out, visible_tokens(generate));
    end_chunk(generate, 1, 0, true);
}

static void begin_stream(const struct generate *generate)
{
    struct mock_answer *answer = &generate->exchange->answer;
    mock_answer_stream_as(generate->exchange, generate->is_array
                                                  ? BENCH_STR("application/json; charset=UTF-8")
                                                  : BENCH_STR("text/event-stream"));
    if (generate->is_array) {
        mock_piece_begin(answer, MOCK_PIECE_HEAD);
        BENCH_LIT(&answer->script.bytes, "[");
        mock_piece_end(answer, 1, 0);
    }
}

static void answer_stream(const struct generate *generate)
{
    begin_stream(generate);
    if (generate->thoughts) {
        add_thoughts(generate);
    }
    if (generate->plan.kind == MOCK_PLAN_GENERATED) {
        add_generated(generate);
    } else if (generate->plan.kind != MOCK_PLAN_TOOLS) {
        add_fixed(generate);
    }
    add_calls(generate);
    add_finish(generate);
}

static void write_blocked(const struct generate *generate, struct bench_buf *out)
{
    BENCH_LIT(out, "{\"promptFeedback\":{\"blockReason\":\"PROHIBITED_CONTENT\"}");
    write_usage(generate, out, 0);
    write_tail(generate, out);
}

/* A blocked prompt has no candidates; a stream of it is one chunk. */
static void answer_blocked(const struct generate *generate, bool streamed)
{
    struct mock_answer *answer = &generate->exchange->answer;
    if (!streamed) {
        write_blocked(generate, mock_answer_json(generate->exchange));
        mock_answer_end(generate->exchange);
        return;
    }
    begin_stream(generate);
    mock_piece_begin(answer, MOCK_PIECE_TAIL);
    bench_buf_str(&answer->script.bytes, generate->is_array ? BENCH_STR("") : BENCH_STR("data: "));
    write_blocked(generate, &answer->script.bytes);
    bench_buf_str(&answer->script.bytes,
                  generate->is_array ? BENCH_STR("]") : BENCH_STR("\r\n\r\n"));
    mock_piece_end(answer, 1, 0);
}

static void answer(struct mock_exchange *exchange, bool streamed)
{
    yyjson_val *root = mock_answer_root(exchange);
    if (!mock_gemini_check(exchange, root)) {
        return;
    }
    yyjson_val *config = mock_gemini_get(root, "generationConfig");
    yyjson_val *show =
        mock_gemini_get(mock_gemini_get(config, "thinkingConfig"), "includeThoughts");
    yyjson_val *candidates = mock_gemini_get(config, "candidateCount");
    struct mock_plan_ask ask = read_ask(root);
    struct generate generate = {
        .exchange = exchange,
        .candidates = candidates == NULL ? 1 : yyjson_get_uint(candidates),
        .is_array = mock_gemini_is_array(exchange),
        .thoughts = exchange->knobs.reasoning > 0 && !yyjson_is_false(show),
    };
    mock_plan_make(&generate.plan, exchange, &ask);
    if (exchange->knobs.filter > 1) {
        answer_blocked(&generate, streamed);
    } else if (streamed) {
        answer_stream(&generate);
    } else {
        answer_plain(&generate);
    }
    mock_plan_fini(&generate.plan);
}

void mock_gemini_generate(struct mock_exchange *exchange, const struct bench_str *ids)
{
    (void)ids;
    answer(exchange, false);
}

void mock_gemini_stream(struct mock_exchange *exchange, const struct bench_str *ids)
{
    (void)ids;
    answer(exchange, true);
}
