/* SPDX-License-Identifier: MIT */
/*
 * downstream/conn_h2_head - from a header block to a stream object.
 *
 * A connection receives one block at a time, so the fields are collected in one place and copied to
 * a block of the exact size when the last one is here. nghttp2 has checked the pseudo-header fields
 * (which, how often, where), names and values, "te", the connection-specific fields and
 * Content-Length by then.
 */
#include "base/alloc.h"
#include "base/assert.h"
#include "downstream/conn_h2_int.h"

/* RFC 9113 section 6.5.2: what a field counts beyond its bytes. */
#define FIELD_OVERHEAD_BYTES 32

struct span {
    uint32_t at;
    uint32_t len;
};

struct field {
    struct span name;
    struct span value;
    enum gw_header_id id;
};

struct gw_h2_head {
    struct gw_buf text;
    size_t list_bytes; /* as SETTINGS_MAX_HEADER_LIST_SIZE counts */
    uint64_t begun_at_ns;
    struct span method;
    struct span path;
    struct span authority;
    size_t cookie_count; /* of the fields */
    size_t field_count;
    bool is_too_large;
    struct field fields[GW_H2_MAX_FIELDS];
};

void gw_h2_head_begin(struct gw_h2_conn *h2)
{
    struct gw_server *server = h2->conn->server;
    gw_h2_head_drop(h2);
    struct gw_h2_head *head = server->h2_spare_head;
    server->h2_spare_head = NULL;
    if (head == NULL) {
        head = gw_alloc(sizeof(*head));
        gw_buf_init(&head->text, 0);
    }
    gw_buf_reset(&head->text);
    head->text.max_bytes = server->limits.max_header_bytes;
    head->list_bytes = 0;
    head->begun_at_ns = gw_clock_mono_ns();
    head->method = (struct span){0};
    head->path = (struct span){0};
    head->authority = (struct span){0};
    head->cookie_count = 0;
    head->field_count = 0;
    head->is_too_large = false;
    h2->head = head;
}

void gw_h2_head_drop(struct gw_h2_conn *h2)
{
    struct gw_server *server = h2->conn->server;
    if (h2->head != NULL && server->h2_spare_head == NULL &&
        h2->head->text.capacity <= GW_SERVER_HEAD_KEEP_BYTES) {
        server->h2_spare_head = h2->head;
        h2->head = NULL;
    }
    gw_h2_head_destroy(&h2->head);
}

void gw_h2_head_destroy(struct gw_h2_head **head)
{
    if (*head != NULL) {
        gw_buf_fini(&(*head)->text);
        gw_free(*head);
        *head = NULL;
    }
}

/* Copies |text| behind the others. */
static enum gw_err add_text(struct gw_h2_head *head, struct gw_str text, struct span *span)
{
    *span = (struct span){.at = (uint32_t)head->text.len, .len = (uint32_t)text.len};
    return gw_buf_append(&head->text, text);
}

static enum gw_err add_pseudo(struct gw_h2_head *head, struct gw_str name, struct gw_str value)
{
    if (gw_str_eq(name, GW_STR(":method"))) {
        return add_text(head, value, &head->method);
    }
    if (gw_str_eq(name, GW_STR(":path"))) {
        return add_text(head, value, &head->path);
    }
    if (gw_str_eq(name, GW_STR(":authority"))) {
        return add_text(head, value, &head->authority);
    }
    return GW_OK; /* :scheme, which says nothing that we do not know */
}

static enum gw_err add_field(struct gw_h2_head *head, struct gw_str name, struct gw_str value)
{
    if (head->field_count == GW_H2_MAX_FIELDS) {
        return GW_ERR_TOO_LARGE;
    }
    struct field *field = &head->fields[head->field_count++];
    field->id = gw_header_lookup(name);
    field->name = (struct span){0};
    if (field->id == GW_HEADER_COOKIE) {
        head->cookie_count++;
    }
    if (field->id == GW_HEADER_OTHER) { /* known names need no copy */
        enum gw_err err = add_text(head, name, &field->name);
        if (err != GW_OK) {
            return err;
        }
    }
    return add_text(head, value, &field->value);
}

enum gw_err gw_h2_head_add(struct gw_h2_conn *h2, struct gw_str name, struct gw_str value)
{
    struct gw_h2_head *head = h2->head;
    head->list_bytes += name.len + value.len + FIELD_OVERHEAD_BYTES;
    if (head->is_too_large || head->list_bytes > h2->conn->server->limits.max_header_bytes) {
        head->is_too_large = true; /* the rest is only decoded, to keep HPACK's state */
        return GW_OK;
    }
    enum gw_err err = name.len > 0 && name.ptr[0] == ':' ? add_pseudo(head, name, value)
                                                         : add_field(head, name, value);
    if (err == GW_ERR_TOO_LARGE) {
        head->is_too_large = true;
        err = GW_OK;
    }
    return err;
}

/* ---- the stream ---- */

static struct gw_str str_at(const char *text, struct span span)
{
    return gw_str(text + span.at, span.len);
}

/* RFC 9113 section 8.2.3: crumbs of one cookie become one field, which HTTP/1 servers expect. */
static size_t join_cookies(const struct gw_h2_head *head, const char *text, char *out)
{
    char *at = out;
    for (size_t i = 0; i < head->field_count; i++) {
        if (head->fields[i].id != GW_HEADER_COOKIE) {
            continue;
        }
        if (at != out) {
            *at++ = ';';
            *at++ = ' ';
        }
        struct gw_str crumb = str_at(text, head->fields[i].value);
        memcpy(at, crumb.ptr, crumb.len);
        at += crumb.len;
    }
    return (size_t)(at - out);
}

/* Fills the stream's table of fields; |text| is the stream's copy, |cookies| room for the joined
 * ones. */
static void place_fields(const struct gw_h2_head *head, struct gw_h2_stream *stream,
                         const char *text, char *cookies)
{
    size_t count = 0;
    bool has_cookie = false;
    for (size_t i = 0; i < head->field_count; i++) {
        const struct field *field = &head->fields[i];
        struct gw_header *to = &stream->fields[count];
        to->id = field->id;
        to->name =
            field->id == GW_HEADER_OTHER ? str_at(text, field->name) : gw_header_name(field->id);
        to->value = str_at(text, field->value);
        if (field->id == GW_HEADER_COOKIE && head->cookie_count > 1) {
            if (has_cookie) {
                continue;
            }
            has_cookie = true;
            to->value = gw_str(cookies, join_cookies(head, text, cookies));
        }
        count++;
    }
    stream->head.headers = stream->fields;
    stream->head.header_count = count;
}

/* Sets what follows from the fields, and judges. */
static enum gw_h2_verdict judge(struct gw_request_head *request)
{
    struct gw_str host = gw_headers_get(request->headers, request->header_count, GW_HEADER_HOST);
    if (request->authority.len == 0) {
        request->authority = host;
    } else if (host.len > 0 && !gw_str_eq_nocase(host, request->authority)) {
        return GW_H2_HEAD_MALFORMED; /* RFC 9113 section 8.3.1 */
    }
    struct gw_str length =
        gw_headers_get(request->headers, request->header_count, GW_HEADER_CONTENT_LENGTH);
    if (length.ptr != NULL && gw_parse_u64(length, &request->content_length) != GW_OK) {
        return GW_H2_HEAD_MALFORMED;
    }
    struct gw_str expect =
        gw_headers_get(request->headers, request->header_count, GW_HEADER_EXPECT);
    if (expect.ptr != NULL && !gw_str_eq_nocase(expect, GW_STR("100-continue"))) {
        return GW_H2_HEAD_BAD_EXPECTATION;
    }
    request->expects_continue = expect.ptr != NULL && request->has_body;
    return GW_H2_HEAD_GOOD;
}

enum gw_err gw_h2_head_finish(struct gw_h2_conn *h2, bool has_body, struct gw_h2_stream **out,
                              enum gw_h2_verdict *verdict)
{
    const struct gw_h2_head *head = h2->head;
    struct gw_str text = gw_buf_str(&head->text);
    size_t table_bytes = head->field_count * sizeof(struct gw_header);
    /* Joined cookies are at most all text once more and two bytes a crumb. */
    size_t cookie_bytes = head->cookie_count > 1 ? text.len + 2 * head->cookie_count : 0;
    struct gw_h2_stream *stream =
        gw_try_alloc(sizeof(*stream) + table_bytes + text.len + cookie_bytes);
    if (stream == NULL) {
        return GW_ERR_NOMEM;
    }
    *stream = (struct gw_h2_stream){.h2 = h2};
    char *copy = (char *)stream + sizeof(*stream) + table_bytes;
    if (text.len > 0) {
        memcpy(copy, text.ptr, text.len);
    }
    struct gw_request_head *request = &stream->head;
    request->version = GW_HTTP_2;
    request->method_text = str_at(copy, head->method);
    request->method = gw_method_from_text(request->method_text);
    request->target =
        str_at(copy, request->method == GW_METHOD_CONNECT ? head->authority : head->path);
    request->authority = str_at(copy, head->authority);
    request->has_body = has_body;
    request->content_length = has_body ? GW_LENGTH_UNKNOWN : 0;
    request->keep_alive = true;
    place_fields(head, stream, copy, copy + text.len);
    stream->pair.begun_at_ns = head->begun_at_ns;
    *verdict = head->is_too_large ? GW_H2_HEAD_TOO_LARGE : judge(request);
    *out = stream;
    return GW_OK;
}
