/* SPDX-License-Identifier: MIT */
/* http/h1 - the writing half: start lines, fields, chunk heads. */
#include <string.h>

#include "base/assert.h"
#include "http/h1.h"

/* Copies |text| to |at| and returns the place behind it. */
static char *put(char *at, struct gw_str text)
{
    if (text.len > 0) {
        memcpy(at, text.ptr, text.len);
    }
    return at + text.len;
}

void gw_h1_write_status(struct gw_buf *out, unsigned status)
{
    GW_ASSERT(status >= 100 && status <= 999);
    struct gw_str reason = gw_status_reason(status);
    size_t len = sizeof("HTTP/1.1 200 \r\n") - 1 + reason.len;
    if (gw_buf_reserve(out, len) != GW_OK) {
        return;
    }
    const char digits[4] = {(char)('0' + status / 100), (char)('0' + status / 10 % 10),
                            (char)('0' + status % 10), ' '};
    char *at = put(gw_buf_tail(out), GW_STR("HTTP/1.1 "));
    at = put(at, gw_str(digits, sizeof(digits)));
    at = put(at, reason);
    put(at, GW_STR("\r\n"));
    gw_buf_commit(out, len);
}

void gw_h1_write_request(struct gw_buf *out, struct gw_str method, struct gw_str target)
{
    size_t len = method.len + 1 + target.len + sizeof(" HTTP/1.1\r\n") - 1;
    if (gw_buf_reserve(out, len) != GW_OK) {
        return;
    }
    char *at = put(gw_buf_tail(out), method);
    *at++ = ' ';
    at = put(at, target);
    put(at, GW_STR(" HTTP/1.1\r\n"));
    gw_buf_commit(out, len);
}

void gw_h1_write_field(struct gw_buf *out, struct gw_str name, struct gw_str value)
{
    size_t len = name.len + 2 + value.len + 2;
    if (gw_buf_reserve(out, len) != GW_OK) {
        return;
    }
    char *at = put(gw_buf_tail(out), name);
    at = put(at, GW_STR(": "));
    at = put(at, value);
    put(at, GW_STR("\r\n"));
    gw_buf_commit(out, len);
}

void gw_h1_write_end_of_head(struct gw_buf *out)
{
    (void)gw_buf_append(out, GW_STR("\r\n"));
}

size_t gw_h1_format_chunk_head(uint64_t size, char out[GW_H1_CHUNK_HEAD_BYTES])
{
    GW_ASSERT(size > 0);
    size_t digits = (size_t)(64 - __builtin_clzll(size) + 3) / 4;
    for (size_t i = digits; i > 0; i--) {
        out[i - 1] = "0123456789abcdef"[size & 15];
        size >>= 4;
    }
    out[digits] = '\r';
    out[digits + 1] = '\n';
    return digits + 2;
}
