/* SPDX-License-Identifier: MIT */
/*
 * fuzz/fuzz_h1 - however a stream of requests or responses is split, the parser reports the same;
 * what it lets through is safe to act on and to forward.
 *
 * The first byte of the input chooses the kind and the sizes of the parts; the rest is the stream.
 */
#include "fuzz_target.h"
#include "http/url.h"
#include "tests/unit/http/h1_trace.h"

#define MAX_HEADER_BYTES 2048 /* small, so that the limit is met */

static void check_field(const struct gw_header *field)
{
    FUZZ_CHECK(gw_header_name_is_valid(field->name));
    FUZZ_CHECK(gw_header_value_is_valid(field->value));
    FUZZ_CHECK(field->id == gw_header_lookup(field->name));
    for (size_t i = 0; i < field->name.len; i++) {
        FUZZ_CHECK(field->name.ptr[i] < 'A' || field->name.ptr[i] > 'Z');
    }
    if (field->value.len > 0) {
        char first = field->value.ptr[0];
        char last = field->value.ptr[field->value.len - 1];
        FUZZ_CHECK(first != ' ' && first != '\t' && last != ' ' && last != '\t');
    }
}

/* Framing must have one meaning only: at most one field that speaks of it. */
static void check_fields(const struct gw_header *fields, size_t count, uint64_t length)
{
    unsigned framing = 0;
    FUZZ_CHECK(count <= GW_H1_MAX_HEADERS);
    for (size_t i = 0; i < count; i++) {
        check_field(&fields[i]);
        framing +=
            fields[i].id == GW_HEADER_CONTENT_LENGTH || fields[i].id == GW_HEADER_TRANSFER_ENCODING;
    }
    FUZZ_CHECK(framing <= 1);
    struct gw_str announced = gw_headers_get(fields, count, GW_HEADER_CONTENT_LENGTH);
    uint64_t number = 0;
    FUZZ_CHECK(announced.ptr == NULL ||
               (gw_parse_u64(announced, &number) == GW_OK && number == length));
}

static enum gw_err check_request(void *user, const struct gw_request_head *head)
{
    check_fields(head->headers, head->header_count, head->content_length);
    FUZZ_CHECK(head->method == gw_method_from_text(head->method_text));
    FUZZ_CHECK(head->has_body || head->content_length == 0);
    FUZZ_CHECK(head->authority.len == 0 || gw_url_authority_is_valid(head->authority));
    struct gw_str path;
    struct gw_str query;
    FUZZ_CHECK(head->method == GW_METHOD_CONNECT ||
               gw_url_split_target(head->target, &path, &query) == GW_OK);
    return trace_on_request(user, head);
}

static enum gw_err check_response(void *user, const struct gw_response_head *head)
{
    check_fields(head->headers, head->header_count, head->content_length);
    FUZZ_CHECK(head->status >= 200 && head->status <= 599);
    return trace_on_response(user, head);
}

static const struct gw_h1_events checking_events = {
    .on_request = check_request,
    .on_response = check_response,
    .on_body = trace_on_body,
    .on_complete = trace_on_complete,
};

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (size == 0) {
        return 0;
    }
    const struct h1_trace_opts opts = {
        .kind = (bytes[0] & 1) != 0 ? GW_H1_RESPONSES : GW_H1_REQUESTS,
        .expects_no_body = (bytes[0] & 3) == 3,
        .max_header_bytes = MAX_HEADER_BYTES,
        .events = &checking_events,
    };
    struct gw_str input = gw_str((const char *)bytes + 1, size - 1);
    struct h1_trace whole;
    struct h1_trace split;
    h1_trace_init(&whole);
    h1_trace_init(&split);
    h1_trace_run(&whole, &opts, input, 0, input.len);
    const size_t first = bytes[0] >> 2;
    const size_t steps[][2] = {{0, 1}, {first, input.len}, {0, first + 2}};
    for (size_t i = 0; i < GW_ARRAY_LEN(steps); i++) {
        h1_trace_run(&split, &opts, input, steps[i][0], steps[i][1]);
        FUZZ_CHECK(gw_str_eq(gw_buf_str(&whole.text), gw_buf_str(&split.text)));
    }
    h1_trace_fini(&whole);
    h1_trace_fini(&split);
    return 0;
}
