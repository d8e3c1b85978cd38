/* SPDX-License-Identifier: MIT */
/* Made up words: long enough that two neighbouring chunks never look alike. */
#include "mockllm/text.h"

static const char WORDS[] =
    "The quick gateway carries every request from here to there and back again, counting each "
    "token as it goes. A mock has no opinion; it answers at once, or slowly, or badly, exactly as "
    "it was told. Measure first, then believe. Streams arrive in small pieces, and each piece is "
    "forwarded when it comes: no timer, no batch, no wait. When the far side fails, another one "
    "answers, and nobody downstream needs to know. Numbers are whole, limits have reasons, and a "
    "promise that is not tested is only a hope. Rivers run, loops turn, buffers fill and drain; "
    "what was opened is closed, what was borrowed is returned. One, two, three, four, five, six, "
    "seven, eight, nine, ten: so we see at a glance when something is missing or comes twice. ";

void mock_text_range(struct bench_buf *out, uint64_t from, uint64_t len)
{
    const uint64_t period = sizeof(WORDS) - 1;
    while (len > 0) {
        uint64_t at = from % period;
        uint64_t n = period - at < len ? period - at : len;
        bench_buf_add(out, WORDS + at, n);
        from += n;
        len -= n;
    }
}

void mock_text_chunk(struct bench_buf *out, uint64_t bytes, uint64_t chunks, uint64_t i)
{
    uint64_t part = bytes / chunks;
    uint64_t rest = bytes % chunks; /* the first |rest| parts are one byte longer */
    uint64_t from = i * part + (i < rest ? i : rest);
    mock_text_range(out, from, part + (i < rest ? 1 : 0));
}
