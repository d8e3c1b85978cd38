/* SPDX-License-Identifier: MIT */
/* Requests, answers and the pieces they are made of. */
#include "mockllm/message.h"

#include "common/loop.h"
#include "mockllm/text.h"

/* What stays allocated between two requests of a connection: a usual request, a usual answer. */
#define KEEP_BYTES (16u * 1024u)

bool mock_headers_add(struct mock_headers *headers, struct bench_str name, struct bench_str value)
{
    if (headers->count >= MOCK_MAX_HEADERS ||
        headers->bytes.len + name.len + value.len > MOCK_MAX_HEAD_BYTES) {
        return false;
    }
    if (headers->count == headers->cap) {
        headers->cap = headers->cap == 0 ? 16 : headers->cap * 2;
        headers->items = bench_realloc(headers->items, headers->cap * sizeof(*headers->items));
    }
    headers->items[headers->count++] = (struct mock_header_at){
        .name_at = (uint32_t)headers->bytes.len,
        .name_len = (uint32_t)name.len,
        .value_at = (uint32_t)(headers->bytes.len + name.len),
        .value_len = (uint32_t)value.len,
    };
    bench_buf_str(&headers->bytes, name);
    bench_buf_str(&headers->bytes, value);
    return true;
}

struct bench_str mock_headers_name(const struct mock_headers *headers, size_t i)
{
    return bench_str_cut(bench_buf_view(&headers->bytes), headers->items[i].name_at,
                         headers->items[i].name_len);
}

struct bench_str mock_headers_value(const struct mock_headers *headers, size_t i)
{
    return bench_str_cut(bench_buf_view(&headers->bytes), headers->items[i].value_at,
                         headers->items[i].value_len);
}

struct bench_str mock_headers_find(const struct mock_headers *headers, struct bench_str name)
{
    for (size_t i = 0; i < headers->count; i++) {
        if (bench_str_ieq(mock_headers_name(headers, i), name)) {
            return mock_headers_value(headers, i);
        }
    }
    return (struct bench_str){.ptr = NULL, .len = 0};
}

static void headers_clear(struct mock_headers *headers)
{
    headers->count = 0;
    bench_buf_clear(&headers->bytes, KEEP_BYTES);
}

static void headers_fini(struct mock_headers *headers)
{
    bench_buf_fini(&headers->bytes);
    bench_free(headers->items);
    *headers = (struct mock_headers){0};
}

void mock_request_clear(struct mock_request *request)
{
    request->method[0] = '\0';
    request->path_len = 0;
    request->version = 0;
    bench_buf_clear(&request->target, KEEP_BYTES);
    bench_buf_clear(&request->body, KEEP_BYTES);
    headers_clear(&request->headers);
}

void mock_request_fini(struct mock_request *request)
{
    bench_buf_fini(&request->target);
    bench_buf_fini(&request->body);
    headers_fini(&request->headers);
}

struct bench_str mock_request_path(const struct mock_request *request)
{
    return bench_str_cut(bench_buf_view(&request->target), 0, request->path_len);
}

void mock_answer_clear(struct mock_answer *answer)
{
    headers_clear(&answer->headers);
    answer->script.count = 0;
    bench_buf_clear(&answer->script.bytes, KEEP_BYTES);
    answer->status = 0;
    answer->streamed = false;
    answer->text_bytes = 0;
    answer->text_chunks = 0;
    answer->stamp = false;
}

void mock_answer_fini(struct mock_answer *answer)
{
    headers_fini(&answer->headers);
    bench_buf_fini(&answer->script.bytes);
    bench_free(answer->script.pieces);
    *answer = (struct mock_answer){0};
}

void mock_piece_begin(struct mock_answer *answer, enum mock_piece_kind kind)
{
    struct mock_script *script = &answer->script;
    if (script->count == script->cap) {
        script->cap = script->cap == 0 ? 4 : script->cap * 2;
        script->pieces = bench_realloc(script->pieces, script->cap * sizeof(*script->pieces));
    }
    script->pieces[script->count++] =
        (struct mock_piece){.at = script->bytes.len, .kind = kind, .repeat = 1};
}

static struct mock_piece *open_piece(struct mock_answer *answer)
{
    return &answer->script.pieces[answer->script.count - 1];
}

void mock_piece_slot(struct mock_answer *answer, enum mock_slot_kind kind)
{
    struct mock_piece *piece = open_piece(answer);
    piece->slots[piece->slot_count].at = answer->script.bytes.len - piece->at;
    piece->slots[piece->slot_count].kind = kind;
    piece->slots[piece->slot_count].plus = 0;
    piece->slot_count++;
}

void mock_piece_slot_plus(struct mock_answer *answer, uint64_t plus)
{
    mock_piece_slot(answer, MOCK_SLOT_SEQ);
    struct mock_piece *piece = open_piece(answer);
    piece->slots[piece->slot_count - 1].plus = plus;
}

void mock_piece_end(struct mock_answer *answer, uint64_t repeat, uint64_t seq)
{
    struct mock_piece *piece = open_piece(answer);
    piece->len = answer->script.bytes.len - piece->at;
    piece->repeat = repeat;
    piece->seq = seq;
}

static void write_stamp(struct bench_buf *out)
{
    uint64_t now_us = bench_now_us();
    char *room = bench_buf_room(out, 18);
    room[0] = '@';
    for (size_t i = 16; i > 0; i--) {
        room[i] = (char)('0' + now_us % 10);
        now_us /= 10;
    }
    room[17] = '@';
    bench_buf_grow(out, 18);
}

void mock_piece_write(const struct mock_answer *answer, const struct mock_piece *piece,
                      uint64_t round, struct bench_buf *out)
{
    const char *bytes = answer->script.bytes.ptr + answer->script.bytes.head + piece->at;
    size_t from = 0;
    for (unsigned i = 0; i < piece->slot_count; i++) {
        bench_buf_add(out, bytes + from, piece->slots[i].at - from);
        from = piece->slots[i].at;
        if (piece->slots[i].kind == MOCK_SLOT_SEQ) {
            bench_buf_u64(out, piece->seq + piece->slots[i].plus + round);
            continue;
        }
        if (answer->stamp) {
            write_stamp(out);
        }
        mock_text_chunk(out, answer->text_bytes, answer->text_chunks, round);
    }
    bench_buf_add(out, bytes + from, piece->len - from);
}

uint64_t mock_answer_bytes(const struct mock_answer *answer)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < answer->script.count; i++) {
        sum += answer->script.pieces[i].len * answer->script.pieces[i].repeat;
    }
    return sum;
}
