/* SPDX-License-Identifier: MIT */
/* multipart/form-data, as SDKs send it. */
#include "mockllm/multipart.h"

#include <string.h>

#include "mockllm/message.h"

static const struct bench_str NO_STR = {.ptr = NULL, .len = 0};

static size_t find(struct bench_str in, struct bench_str what)
{
    bool possible = in.len > 0 && what.len > 0 && what.ptr != NULL;
    const char *hit = possible ? memmem(in.ptr, in.len, what.ptr, what.len) : NULL;
    return hit == NULL ? in.len : (size_t)(hit - in.ptr);
}

/* Returns the value of |name|= in a header value, quoted or not. */
static struct bench_str parameter(struct bench_str header, struct bench_str name)
{
    size_t at = find(header, name);
    if (at == header.len) {
        return NO_STR;
    }
    struct bench_str rest = bench_str_cut(header, at + name.len, header.len);
    if (rest.len > 0 && rest.ptr[0] == '"') {
        rest = bench_str_cut(rest, 1, rest.len);
        return bench_str_cut(rest, 0, bench_str_find(rest, '"'));
    }
    return bench_str_cut(rest, 0, bench_str_find(rest, ';'));
}

static struct bench_str boundary_of(const struct mock_request *request)
{
    struct bench_str type = mock_headers_find(&request->headers, BENCH_STR("content-type"));
    return parameter(type, BENCH_STR("boundary="));
}

bool mock_multipart_is(const struct mock_request *request)
{
    struct bench_str type = mock_headers_find(&request->headers, BENCH_STR("content-type"));
    const struct bench_str wanted = BENCH_STR("multipart/form-data");
    return bench_str_ieq(bench_str_cut(type, 0, wanted.len), wanted) &&
           boundary_of(request).len > 0;
}

/* Reads the part that begins at |bytes|, just behind a boundary line. */
static bool read_part(struct bench_str bytes, struct bench_str boundary, struct mock_part *out)
{
    struct bench_buf end = {0};
    size_t head_len = find(bytes, BENCH_STR("\r\n\r\n"));
    if (head_len == bytes.len) {
        return false;
    }
    struct bench_str head = bench_str_cut(bytes, 0, head_len);
    struct bench_str body = bench_str_cut(bytes, head_len + 4, bytes.len);
    BENCH_LIT(&end, "\r\n--");
    bench_buf_str(&end, boundary);
    size_t body_len = find(body, bench_buf_view(&end));
    bench_buf_fini(&end);
    if (body_len == body.len) {
        return false;
    }
    out->name = parameter(head, BENCH_STR(" name="));
    out->filename = parameter(head, BENCH_STR("filename="));
    out->body = bench_str_cut(body, 0, body_len);
    return true;
}

bool mock_multipart_find(const struct mock_request *request, struct bench_str name,
                         struct mock_part *out)
{
    struct bench_str rest = bench_buf_view(&request->body);
    struct bench_str boundary = boundary_of(request);
    if (!mock_multipart_is(request)) {
        return false;
    }
    for (;;) {
        size_t at = find(rest, boundary);
        struct mock_part part;
        if (at == rest.len) {
            return false;
        }
        rest = bench_str_cut(rest, at + boundary.len, rest.len);
        if (!read_part(rest, boundary, &part)) {
            return false;
        }
        if (bench_str_eq(part.name, name)) {
            *out = part;
            return true;
        }
        size_t used = (size_t)(part.body.ptr - rest.ptr) + part.body.len;
        rest = bench_str_cut(rest, used, rest.len);
    }
}

struct bench_str mock_multipart_field(const struct mock_request *request, struct bench_str name)
{
    struct mock_part part;
    return mock_multipart_find(request, name, &part) ? part.body : NO_STR;
}
