/* SPDX-License-Identifier: MIT */
/*
 * upstream/request_head - the head of a request: Host, the caller's fields, the framing, in HTTP/1
 * form. HTTP/2 reads the same text line by line (h2_head.c), so there is one form to keep
 * while a connection is being made whose protocol is not known.
 */
#include "base/assert.h"
#include "upstream/upstream_int.h"

/* Fields of the caller that this client writes itself or that end here: nothing waits for 100
 * (Continue). */
static bool is_ours(enum gw_header_id id)
{
    return id == GW_HEADER_HOST || id == GW_HEADER_CONTENT_LENGTH || id == GW_HEADER_EXPECT ||
           gw_header_is_hop_by_hop(id);
}

/* The announced length; GW_LENGTH_UNKNOWN for a chunked body. */
static uint64_t body_length(const struct gw_exchange_request *request)
{
    if (request->is_streamed) {
        return request->content_length;
    }
    uint64_t total = 0;
    for (size_t i = 0; i < request->body_run_count; i++) {
        total += request->body_runs[i].len;
    }
    return total;
}

/* RFC 9110 section 8.6: these announce an empty body too. */
static bool method_has_body(struct gw_str method)
{
    return gw_str_eq(method, GW_STR("POST")) || gw_str_eq(method, GW_STR("PUT")) ||
           gw_str_eq(method, GW_STR("PATCH"));
}

/* Returns the number of lines written. */
static size_t write_framing(struct gw_buf *out, const struct gw_exchange_request *request)
{
    uint64_t length = body_length(request);
    if (length == GW_LENGTH_UNKNOWN) {
        gw_h1_write_field(out, GW_STR("transfer-encoding"), GW_STR("chunked"));
        return 1;
    }
    if (length == 0 && !method_has_body(request->method)) {
        return 0;
    }
    (void)gw_buf_append(out, GW_STR("content-length: "));
    (void)gw_buf_append_u64(out, length);
    (void)gw_buf_append(out, GW_STR("\r\n"));
    return 1;
}

static size_t count_byte(struct gw_str text, char byte)
{
    size_t count = 0;
    for (;;) {
        size_t at = gw_str_find_byte(text, byte);
        if (at == text.len) {
            return count;
        }
        count++;
        text = gw_str_skip(text, at + 1);
    }
}

enum gw_err gw_request_head_write(struct gw_buf *out, const struct gw_exchange_request *request)
{
    gw_buf_reset(out);
    gw_h1_write_request(out, request->method, request->target);
    gw_h1_write_field(out, GW_STR("host"), request->pool->origin.host_header);
    size_t lines = 3; /* with the blank one */
    for (size_t i = 0; i < request->header_count; i++) {
        const struct gw_header *header = &request->headers[i];
        if (!is_ours(header->id)) {
            gw_h1_write_field(out, header->name, header->value);
            lines++;
        }
    }
    lines += write_framing(out, request);
    gw_h1_write_end_of_head(out);
    if (out->err != GW_OK) {
        return out->err;
    }
    if (lines > GW_REQUEST_MAX_LINES) {
        return GW_ERR_TOO_LARGE;
    }
    /* The last door before the wire: a line break inside a value would be a field, or a request, of
     * somebody else's making. */
    struct gw_str head = gw_buf_str(out);
    if (count_byte(head, '\n') != lines || count_byte(head, '\r') != lines ||
        gw_str_find_byte(head, '\0') < head.len) {
        return GW_ERR_INVALID;
    }
    return GW_OK;
}
