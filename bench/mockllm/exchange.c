/* SPDX-License-Identifier: MIT */
/*
 * The life of an answer:
 *
 *   begin -- knobs, route --> LATENCY -- head --> BODY -- pieces, paced --> end
 *                                |                  |
 *                                +--- a fault ------+--> STALLED (and on) or ABORT (and gone)
 */
#include "mockllm/exchange.h"

#include "mockllm/control.h"
#include "mockllm/faults.h"
#include "mockllm/multipart.h"
#include "mockllm/router.h"
#include "mockllm/scene.h"
#include "mockllm/stats.h"
#include "mockllm/tokens.h"
#include "mockllm/worker.h"

#define US_PER_MS 1000u
#define US_PER_S  1000000u

static bench_on_timer_fn on_timer;
static void start(struct mock_exchange *exchange);
static void run(struct mock_exchange *exchange);

void mock_exchange_init(struct mock_exchange *exchange, struct mock_worker *worker,
                        const struct mock_sink *sink)
{
    *exchange = (struct mock_exchange){.worker = worker, .sink = sink};
    exchange->timer.on_timer = on_timer;
}

void mock_exchange_fini(struct mock_exchange *exchange)
{
    bench_timer_disarm(&exchange->worker->loop, &exchange->timer);
    mock_request_fini(&exchange->request);
    mock_answer_fini(&exchange->answer);
    bench_buf_fini(&exchange->model);
    bench_buf_fini(&exchange->scene);
}

void mock_exchange_clear(struct mock_exchange *exchange)
{
    bench_timer_disarm(&exchange->worker->loop, &exchange->timer);
    mock_request_clear(&exchange->request);
    mock_answer_clear(&exchange->answer);
    bench_buf_clear(&exchange->model, 1024);
    bench_buf_clear(&exchange->scene, 1024);
    exchange->stage = MOCK_STAGE_IDLE;
    exchange->piece = 0;
    exchange->round = 0;
    exchange->sent_chunks = 0;
    exchange->fault_done = false;
}

void mock_exchange_gone(struct mock_exchange *exchange)
{
    if (exchange->stage != MOCK_STAGE_IDLE && exchange->stage != MOCK_STAGE_ABORT) {
        mock_stats_abort(exchange->worker->stats, exchange);
    }
    exchange->stage = MOCK_STAGE_IDLE;
    bench_timer_disarm(&exchange->worker->loop, &exchange->timer);
}

static uint64_t now_us(const struct mock_exchange *exchange)
{
    return exchange->worker->loop.now_us;
}

static void wait_for(struct mock_exchange *exchange, uint64_t at_us)
{
    bench_timer_arm(&exchange->worker->loop, &exchange->timer, at_us);
}

/* Pushes what there is, then breaks off after the gap that lets the peer see it first. */
static void abort_after_gap(struct mock_exchange *exchange, bool reset)
{
    exchange->stage = MOCK_STAGE_ABORT;
    exchange->abort_resets = reset;
    wait_for(exchange, now_us(exchange) + exchange->knobs.gap * US_PER_MS);
    exchange->sink->flush(exchange);
}

static void stall(struct mock_exchange *exchange)
{
    exchange->stage = MOCK_STAGE_STALLED;
    exchange->fault_done = true;
    if (exchange->knobs.stall > 0) {
        wait_for(exchange, now_us(exchange) + exchange->knobs.stall * US_PER_MS);
    }
    exchange->sink->flush(exchange);
}

static void finish(struct mock_exchange *exchange)
{
    exchange->stage = MOCK_STAGE_IDLE;
    exchange->sink->end(exchange);
}

static bool fault_is(const struct mock_exchange *exchange, enum mock_fault fault)
{
    return exchange->knobs.fault == fault && !exchange->fault_done;
}

/* Carries out the faults that come instead of a response head. Returns true when one did. */
static bool fail_before_head(struct mock_exchange *exchange)
{
    if (fault_is(exchange, MOCK_FAULT_RESET)) {
        exchange->stage = MOCK_STAGE_ABORT;
        exchange->sink->abort(exchange, true);
        return true;
    }
    if (fault_is(exchange, MOCK_FAULT_STALL)) {
        stall(exchange);
        return true;
    }
    if (fault_is(exchange, MOCK_FAULT_GARBAGE)) {
        exchange->sink->raw(exchange, mock_fault_garbage());
        abort_after_gap(exchange, false);
        return true;
    }
    return false;
}

static void send_head(struct mock_exchange *exchange)
{
    const struct mock_answer *answer = &exchange->answer;
    uint64_t length = answer->streamed ? 0 : mock_answer_bytes(answer);
    struct mock_head head = {
        .framing = answer->streamed ? MOCK_FRAMING_CHUNKED : MOCK_FRAMING_LENGTH,
        .length = length,
        .close = exchange->knobs.close > 0,
    };
    if (fault_is(exchange, MOCK_FAULT_SHORT_LENGTH)) {
        head.length = length > 10 ? length - 10 : 0;
    } else if (fault_is(exchange, MOCK_FAULT_CLOSE_DELIMITED)) {
        head.framing = MOCK_FRAMING_NONE;
        head.close = true;
    } else if (fault_is(exchange, MOCK_FAULT_TWO_LENGTHS)) {
        head.framing = MOCK_FRAMING_BOTH;
    } else if (fault_is(exchange, MOCK_FAULT_EMPTY_STREAM)) {
        head.length = 0;
    } else if (fault_is(exchange, MOCK_FAULT_BAD_CHUNK)) {
        head.framing = MOCK_FRAMING_CHUNKED;
    }
    exchange->sink->head(exchange, &head);
}

static void start(struct mock_exchange *exchange)
{
    for (uint64_t i = 0; i < exchange->knobs.interim; i++) {
        exchange->sink->interim(exchange, 100);
    }
    for (uint64_t i = 0; i < exchange->knobs.hints; i++) {
        exchange->sink->interim(exchange, 103);
    }
    if (fail_before_head(exchange)) {
        return;
    }
    send_head(exchange);
    if (fault_is(exchange, MOCK_FAULT_RESET_AFTER_HEADERS)) {
        abort_after_gap(exchange, true);
        return;
    }
    if (fault_is(exchange, MOCK_FAULT_EMPTY_STREAM)) {
        finish(exchange);
        return;
    }
    exchange->stage = MOCK_STAGE_BODY;
    exchange->body_us = now_us(exchange) + exchange->knobs.first * US_PER_MS;
    if (exchange->knobs.first > 0) {
        wait_for(exchange, exchange->body_us);
        exchange->sink->flush(exchange);
        return;
    }
    run(exchange);
}

/* Announces more than it sends: half of |piece|. */
static void send_torn(struct mock_exchange *exchange, const struct mock_piece *piece)
{
    struct bench_buf *bytes = &exchange->worker->piece;
    bench_buf_clear(bytes, SIZE_MAX);
    mock_piece_write(&exchange->answer, piece, exchange->round, bytes);
    struct bench_str whole = bench_buf_view(bytes);
    exchange->sink->torn(exchange, bench_str_cut(whole, 0, whole.len / 2), whole.len);
    if (bench_str_eq(exchange->knobs.then, BENCH_STR("stall"))) {
        exchange->stage = MOCK_STAGE_STALLED; /* for ever: nothing sensible can follow */
        exchange->sink->flush(exchange);
    } else {
        abort_after_gap(exchange, bench_str_eq(exchange->knobs.then, BENCH_STR("reset")));
    }
}

/* Sends the first half of a plain body, so that the fault falls into its middle. */
static void send_first_half(struct mock_exchange *exchange)
{
    struct mock_piece *piece = &exchange->answer.script.pieces[0];
    size_t half = piece->len / 2;
    struct bench_str bytes = bench_buf_view(&exchange->answer.script.bytes);
    exchange->sink->body(exchange, bench_str_cut(bytes, piece->at, half));
    piece->at += half;
    piece->len -= half;
}

static void send_mid_error(struct mock_exchange *exchange)
{
    struct bench_buf *bytes = &exchange->worker->piece;
    bench_buf_clear(bytes, SIZE_MAX);
    mock_vendor_of(exchange)->mid_error(exchange, bytes);
    exchange->sink->body(exchange, bench_buf_view(bytes));
}

/*
 * Carries out the fault that is due in mid-body before |piece|.
 * Returns true when the exchange is not to go on now.
 */
static bool fail_in_body(struct mock_exchange *exchange, const struct mock_piece *piece)
{
    bool streamed = exchange->answer.streamed;
    switch (exchange->knobs.fault) {
    case MOCK_FAULT_HALF_CHUNK:
        send_torn(exchange, piece);
        return true;
    case MOCK_FAULT_BAD_CHUNK:
        exchange->sink->raw(exchange, mock_fault_bad_chunk());
        abort_after_gap(exchange, false);
        return true;
    case MOCK_FAULT_GARBAGE_SSE:
        exchange->fault_done = true;
        if (streamed) {
            exchange->sink->body(exchange, mock_fault_garbage_sse());
        }
        return false;
    case MOCK_FAULT_ERROR_MID:
        exchange->fault_done = true;
        if (streamed) {
            send_mid_error(exchange);
            finish(exchange);
        }
        return streamed;
    default:
        break;
    }
    if (!streamed) {
        send_first_half(exchange);
    }
    if (exchange->knobs.fault == MOCK_FAULT_STALL_MID) {
        exchange->body_us += exchange->knobs.stall * US_PER_MS;
        stall(exchange);
    } else {
        abort_after_gap(exchange, exchange->knobs.fault == MOCK_FAULT_RESET_AFTER_CHUNKS);
    }
    return true;
}

static bool mid_fault_is_due(const struct mock_exchange *exchange, const struct mock_piece *piece)
{
    if (exchange->fault_done || !mock_fault_is_mid(exchange->knobs.fault)) {
        return false;
    }
    if (!exchange->answer.streamed || piece->kind == MOCK_PIECE_TAIL) {
        return true;
    }
    return piece->kind == MOCK_PIECE_CONTENT && exchange->sent_chunks >= exchange->knobs.after;
}

/* Returns when the next content chunk may leave. */
static uint64_t chunk_due_us(const struct mock_exchange *exchange)
{
    if (exchange->knobs.tps == 0) {
        return exchange->body_us;
    }
    return exchange->body_us + exchange->sent_chunks * US_PER_S / exchange->knobs.tps;
}

static void send_piece(struct mock_exchange *exchange, const struct mock_piece *piece)
{
    if (piece->slot_count == 0) {
        struct bench_str bytes = bench_buf_view(&exchange->answer.script.bytes);
        exchange->sink->body(exchange, bench_str_cut(bytes, piece->at, piece->len));
    } else {
        struct bench_buf *bytes = &exchange->worker->piece;
        bench_buf_clear(bytes, SIZE_MAX);
        mock_piece_write(&exchange->answer, piece, exchange->round, bytes);
        exchange->sink->body(exchange, bench_buf_view(bytes));
    }
    exchange->sent_chunks += piece->kind == MOCK_PIECE_CONTENT;
    exchange->round++;
    if (exchange->round >= piece->repeat) {
        exchange->round = 0;
        exchange->piece++;
    }
}

/* Makes room in the sink. Returns false when the exchange has to wait or is gone. */
static bool make_room(struct mock_exchange *exchange)
{
    if (!exchange->sink->is_full(exchange)) {
        return true;
    }
    exchange->sink->flush(exchange);
    return exchange->stage == MOCK_STAGE_BODY && !exchange->sink->is_full(exchange);
}

/* Sends what is due. Returns true when the whole body is sent. */
static bool send_due_pieces(struct mock_exchange *exchange)
{
    const struct mock_script *script = &exchange->answer.script;
    while (exchange->piece < script->count) {
        const struct mock_piece *piece = &script->pieces[exchange->piece];
        if (!make_room(exchange)) {
            return false;
        }
        if (piece->kind == MOCK_PIECE_CONTENT && chunk_due_us(exchange) > now_us(exchange)) {
            wait_for(exchange, chunk_due_us(exchange));
            exchange->sink->flush(exchange);
            return false;
        }
        if (mid_fault_is_due(exchange, piece) && fail_in_body(exchange, piece)) {
            return false;
        }
        if (piece->kind == MOCK_PIECE_TAIL && fault_is(exchange, MOCK_FAULT_NO_DONE) &&
            exchange->piece + 1 == script->count) {
            break;
        }
        send_piece(exchange, piece);
    }
    return true;
}

static void run(struct mock_exchange *exchange)
{
    exchange->running = true;
    bool complete = send_due_pieces(exchange);
    exchange->running = false;
    if (complete) {
        finish(exchange);
    }
}

void mock_exchange_resume(struct mock_exchange *exchange)
{
    if (exchange->stage == MOCK_STAGE_BODY && !exchange->running && exchange->timer.slot == 0) {
        run(exchange);
    }
}

static void on_timer(struct bench_timer *timer)
{
    struct mock_exchange *exchange = BENCH_CONTAINER_OF(timer, struct mock_exchange, timer);
    switch (exchange->stage) {
    case MOCK_STAGE_IDLE:
        return;
    case MOCK_STAGE_LATENCY:
        start(exchange);
        return;
    case MOCK_STAGE_BODY:
        run(exchange);
        return;
    case MOCK_STAGE_ABORT:
        exchange->sink->abort(exchange, exchange->abort_resets);
        return;
    case MOCK_STAGE_STALLED:
        if (fault_is(exchange, MOCK_FAULT_STALL) || exchange->body_us == 0) {
            start(exchange);
        } else {
            exchange->stage = MOCK_STAGE_BODY;
            run(exchange);
        }
        return;
    }
}

static void apply_headers(const struct mock_exchange *exchange, struct mock_knobs *knobs)
{
    const struct mock_headers *headers = &exchange->request.headers;
    const struct bench_str prefix = BENCH_STR("x-mock-");
    for (size_t i = 0; i < headers->count; i++) {
        struct bench_str name = mock_headers_name(headers, i);
        if (name.len <= prefix.len || !bench_str_ieq(bench_str_cut(name, 0, prefix.len), prefix)) {
            continue;
        }
        /* Unknown keys are a client's business: other x-mock-* headers may mean something to it. */
        (void)mock_knobs_set(knobs, bench_str_cut(name, prefix.len, name.len),
                             mock_headers_value(headers, i));
    }
}

struct mock_knobs mock_exchange_early_knobs(const struct mock_exchange *exchange)
{
    struct mock_knobs knobs = mock_control_knobs(&exchange->worker->config->knobs);
    apply_headers(exchange, &knobs);
    return knobs;
}

static void read_body(struct mock_exchange *exchange)
{
    struct bench_str body = bench_buf_view(&exchange->request.body);
    size_t first = 0;
    while (first < body.len && (unsigned char)body.ptr[first] <= ' ') {
        first++;
    }
    if (first == body.len || body.ptr[first] != '{') {
        if (exchange->model.len == 0) {
            bench_buf_str(&exchange->model,
                          mock_multipart_field(&exchange->request, BENCH_STR("model")));
        }
        return; /* multipart, nothing, or nonsense: the route decides */
    }
    yyjson_alc pool;
    bool small = yyjson_read_max_memory_usage(body.len, 0) < MOCK_JSON_POOL_BYTES - 1024 &&
                 yyjson_alc_pool_init(&pool, exchange->worker->json_pool, MOCK_JSON_POOL_BYTES);
    union {
        const char *in;
        char *out;
    } text = {.in = body.ptr}; /* not written to without YYJSON_READ_INSITU */
    exchange->doc = yyjson_read_opts(text.out, body.len, 0, small ? &pool : NULL, NULL);
    yyjson_val *model = yyjson_obj_get(yyjson_doc_get_root(exchange->doc), "model");
    if (yyjson_is_str(model) && exchange->model.len == 0) {
        bench_buf_add(&exchange->model, yyjson_get_str(model), yyjson_get_len(model));
    }
}

void mock_exchange_begin(struct mock_exchange *exchange)
{
    exchange->id = mock_worker_id(exchange->worker);
    exchange->began_us = now_us(exchange);
    exchange->body_us = 0;
    mock_vendor_detect(exchange);
    read_body(exchange);
    exchange->knobs = mock_control_knobs(&exchange->worker->config->knobs);
    bool known = mock_knobs_from_model(&exchange->knobs, bench_buf_view(&exchange->model));
    apply_headers(exchange, &exchange->knobs);
    mock_scene_read(exchange);
    if (exchange->vendor == MOCK_VENDOR_TOKENS) {
        mock_tokens_read_query(exchange);
    }
    mock_faults_gate(&exchange->knobs, bench_buf_view(&exchange->model));
    mock_router_route(exchange, known);
    yyjson_doc_free(exchange->doc);
    exchange->doc = NULL;
    exchange->stage = MOCK_STAGE_LATENCY;
    if (exchange->knobs.latency > 0) {
        wait_for(exchange, exchange->began_us + exchange->knobs.latency * US_PER_MS);
        exchange->sink->flush(exchange);
        return;
    }
    start(exchange);
}
