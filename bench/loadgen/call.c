/* SPDX-License-Identifier: MIT */
/* Checks answers. Whatever is not exactly as expected is an error. */
#include "loadgen/load.h"

#include <string.h>

static const char CONTENT_MARK[] = "\"content\":\"";

/* Length of a stamp: @, 16 digits of microseconds, @. */
#define STAMP_LEN 18u

void load_call_begin(struct load_call *call, struct load_run *run)
{
    call->run = run;
    call->open = true;
    call->began_us = bench_now_us();
    call->last_us = 0;
    call->chunks = 0;
    call->body_bytes = 0;
    call->hash = 0;
    call->status = 0;
    call->done_seen = false;
    call->bad_event = false;
    bench_buf_clear(&call->event, 4096);
    run->open_calls++;
    run->most_open = run->open_calls > run->most_open ? run->open_calls : run->most_open;
}

static void close_call(struct load_call *call)
{
    call->open = false;
    call->run->open_calls--;
}

void load_count_error(struct load_run *run, enum load_error error)
{
    run->totals.errors[error]++;
}

void load_call_fail(struct load_call *call, enum load_error error)
{
    if (call->open) {
        load_count_error(call->run, error);
        close_call(call);
    }
}

void load_call_withdraw(struct load_call *call)
{
    if (call->open) {
        close_call(call);
    }
}

static void count_stamp(struct load_call *call, const char *digits, uint64_t now_us)
{
    uint64_t sent_us = 0;
    if (bench_str_u64((struct bench_str){.ptr = digits, .len = STAMP_LEN - 2}, &sent_us)) {
        load_hist_add(&call->run->totals.transit, now_us > sent_us ? now_us - sent_us : 0);
    }
}

/* Takes the text of one content chunk, which ends at the next quote. */
static void take_content(struct load_call *call, struct bench_str text, uint64_t now_us)
{
    struct load_totals *totals = &call->run->totals;
    if (text.len >= STAMP_LEN && text.ptr[0] == '@' && text.ptr[STAMP_LEN - 1] == '@') {
        count_stamp(call, text.ptr + 1, now_us);
        text = bench_str_cut(text, STAMP_LEN, text.len);
    }
    size_t len = bench_str_find(text, '"');
    for (size_t i = 0; i < len; i++) {
        call->hash = call->hash * 31 + (unsigned char)text.ptr[i];
    }
    if (len == 0) {
        return; /* the role chunk */
    }
    if (call->chunks == 0) {
        load_hist_add(&totals->first, now_us - call->began_us);
    } else {
        load_hist_add(&totals->gap, now_us - call->last_us);
    }
    call->last_us = now_us;
    call->chunks++;
    totals->chunks++;
}

static void take_event(struct load_call *call, struct bench_str event, uint64_t now_us)
{
    if (!bench_str_starts(event, BENCH_STR("data: "))) {
        call->bad_event = true;
        return;
    }
    if (call->done_seen) {
        call->bad_event = true; /* something behind the end */
        return;
    }
    if (bench_str_eq(event, BENCH_STR("data: [DONE]"))) {
        call->done_seen = true;
        return;
    }
    const char *mark = memmem(event.ptr, event.len, CONTENT_MARK, sizeof(CONTENT_MARK) - 1);
    if (mark != NULL) {
        size_t at = (size_t)(mark - event.ptr) + sizeof(CONTENT_MARK) - 1;
        take_content(call, bench_str_cut(event, at, event.len), now_us);
    }
}

/* Takes complete events off the front of |bytes| and returns what is left. */
static struct bench_str take_events(struct load_call *call, struct bench_str bytes)
{
    uint64_t now_us = bench_now_us();
    for (;;) {
        const char *end = bytes.len == 0 ? NULL : memmem(bytes.ptr, bytes.len, "\n\n", 2);
        if (end == NULL) {
            return bytes;
        }
        size_t len = (size_t)(end - bytes.ptr);
        take_event(call, bench_str_cut(bytes, 0, len), now_us);
        bytes = bench_str_cut(bytes, len + 2, bytes.len);
    }
}

void load_call_body(struct load_call *call, struct bench_str bytes)
{
    call->body_bytes += bytes.len;
    if (!call->run->config.streamed || call->status != 200) {
        return;
    }
    if (call->event.len > 0) {
        bench_buf_str(&call->event, bytes);
        struct bench_str rest = take_events(call, bench_buf_view(&call->event));
        bench_buf_drop(&call->event, call->event.len - rest.len);
    } else {
        bench_buf_str(&call->event, take_events(call, bytes));
    }
    call->bad_event = call->bad_event || call->event.len > LOAD_MAX_EVENT;
}

/* Returns what is wrong with a complete stream, or LOAD_ERROR_COUNT. */
static enum load_error check_stream(struct load_call *call)
{
    struct load_run *run = call->run;
    if (call->bad_event || call->event.len > 0) {
        return LOAD_ERROR_PROTOCOL;
    }
    if (!call->done_seen) {
        return LOAD_ERROR_NO_DONE;
    }
    if (run->config.expect_chunks > 0 && call->chunks != run->config.expect_chunks) {
        return LOAD_ERROR_CHUNKS;
    }
    if (run->seen_hash == 0) {
        run->seen_hash = call->hash;
    }
    return call->hash == run->seen_hash ? LOAD_ERROR_COUNT : LOAD_ERROR_CONTENT;
}

static enum load_error check_plain(struct load_call *call)
{
    struct load_run *run = call->run;
    uint64_t expected = run->config.expect_bytes;
    if (expected == 0) {
        run->seen_bytes = run->seen_bytes == 0 ? call->body_bytes : run->seen_bytes;
        expected = run->seen_bytes;
    }
    return call->body_bytes == expected ? LOAD_ERROR_COUNT : LOAD_ERROR_LENGTH;
}

void load_call_end(struct load_call *call)
{
    if (!call->open) {
        return;
    }
    struct load_run *run = call->run;
    enum load_error error = LOAD_ERROR_STATUS;
    if (call->status == 200) {
        error = run->config.streamed ? check_stream(call) : check_plain(call);
    }
    if (error != LOAD_ERROR_COUNT) {
        load_call_fail(call, error);
        return;
    }
    close_call(call);
    run->totals.all_calls++;
    if (run->measuring) {
        run->totals.calls++;
        load_hist_add(&run->totals.latency, bench_now_us() - call->began_us);
    }
}
