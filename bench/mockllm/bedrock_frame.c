/* SPDX-License-Identifier: MIT */
/*
 * A frame of application/vnd.amazon.eventstream, all numbers big-endian:
 *
 *   total length, headers length, CRC of these eight bytes | headers | payload | CRC of all before
 */
#include "mockllm/bedrock.h"

static uint32_t crc32_of(const char *bytes, size_t len)
{
    uint32_t crc = 0xFFFFFFFFu;
    for (size_t i = 0; i < len; i++) {
        crc ^= (unsigned char)bytes[i];
        for (int bit = 0; bit < 8; bit++) {
            crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xEDB88320u : 0);
        }
    }
    return ~crc;
}

static void write_u32(struct bench_buf *out, uint32_t n)
{
    const unsigned char bytes[] = {(unsigned char)(n >> 24), (unsigned char)(n >> 16),
                                   (unsigned char)(n >> 8), (unsigned char)n};
    bench_buf_add(out, bytes, sizeof(bytes));
}

/* A header of type 7, the only one Bedrock uses: a string. */
static void write_header(struct bench_buf *out, const char *name, const char *value)
{
    struct bench_str key = bench_str_from(name);
    struct bench_str text = bench_str_from(value);
    const unsigned char middle[] = {7, (unsigned char)(text.len >> 8), (unsigned char)text.len};
    const unsigned char len = (unsigned char)key.len;
    bench_buf_add(out, &len, 1);
    bench_buf_str(out, key);
    bench_buf_add(out, middle, sizeof(middle));
    bench_buf_str(out, text);
}

void mock_bedrock_frame(struct bench_buf *out, const char *name, bool exception,
                        struct bench_str payload)
{
    struct bench_buf headers = {0};
    struct bench_buf frame = {0};
    write_header(&headers, exception ? ":exception-type" : ":event-type", name);
    write_header(&headers, ":content-type", "application/json");
    write_header(&headers, ":message-type", exception ? "exception" : "event");
    write_u32(&frame, (uint32_t)(16 + headers.len + payload.len));
    write_u32(&frame, (uint32_t)headers.len);
    write_u32(&frame, crc32_of(frame.ptr + frame.head, 8));
    bench_buf_str(&frame, bench_buf_view(&headers));
    bench_buf_str(&frame, payload);
    write_u32(&frame, crc32_of(frame.ptr + frame.head, frame.len));
    bench_buf_str(out, bench_buf_view(&frame));
    bench_buf_fini(&headers);
    bench_buf_fini(&frame);
}

void mock_bedrock_pad(struct bench_buf *out, uint64_t n)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    BENCH_LIT(out, ",\"p\":\"");
    bench_buf_add(out, letters, 2 + n * 7 % 40);
    BENCH_LIT(out, "\"");
}
