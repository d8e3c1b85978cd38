/* SPDX-License-Identifier: MIT */
/* downstream/conn_h1_response - the answer: head, framing of the body, and how it ends. */
#include "base/assert.h"
#include "downstream/conn_h1_int.h"

/* From this size on a system call is cheaper than copying the bytes twice (see the figures in
 * docs/internals/downstream.md). */
#define WRITE_THROUGH_BYTES 16384

/* What on_error_body may write: a message and its JSON, or an HTML page. */
#define ERROR_BODY_MAX_BYTES 16384

static struct gw_h1_conn *h1_of(struct gw_downstream *pair)
{
    struct gw_h1_conn *h1 = GW_CONTAINER_OF(pair, struct gw_h1_conn, pair);
    GW_ASSERT(h1->pair_open);
    return h1;
}

/* ---- the head ---- */

static bool is_bodiless_status(unsigned status)
{
    return status == 204 || status == 304;
}

/* A head that could not be parsed leaves no version and no method. */
static bool is_http_1_0(const struct gw_h1_conn *h1)
{
    return h1->pair.head != NULL && h1->pair.head->version == GW_HTTP_1_0;
}

static enum gw_h1_answer_framing choose_framing(const struct gw_h1_conn *h1,
                                                const struct gw_downstream_response *response)
{
    bool is_head = h1->pair.head != NULL && h1->pair.head->method == GW_METHOD_HEAD;
    if (is_head || is_bodiless_status(response->status)) {
        return GW_H1_FRAMING_NONE;
    }
    if (response->content_length != GW_LENGTH_UNKNOWN) {
        return GW_H1_FRAMING_LENGTH;
    }
    return is_http_1_0(h1) ? GW_H1_FRAMING_UNTIL_CLOSE : GW_H1_FRAMING_CHUNKED;
}

/* Will the connection serve another request? */
static bool choose_keep_alive(const struct gw_h1_conn *h1,
                              const struct gw_downstream_response *response)
{
    const struct gw_request_head *head = h1->pair.head;
    if (head == NULL || !head->keep_alive || response->close || h1->conn->server->is_draining ||
        h1->framing == GW_H1_FRAMING_UNTIL_CLOSE) {
        return false;
    }
    if (!gw_h1_body_is_missing(h1)) {
        return true;
    }
    if (head->expects_continue && !h1->continue_sent && h1->body_bytes == 0) {
        return false; /* it may now leave the body out, or send it: no telling where the next
                         request would begin */
    }
    return head->content_length == GW_LENGTH_UNKNOWN ||
           head->content_length - h1->body_bytes <= GW_CONN_REST_BYTES;
}

static void write_framing(const struct gw_h1_conn *h1,
                          const struct gw_downstream_response *response, struct gw_buf *out)
{
    if (is_bodiless_status(response->status)) {
        return; /* RFC 9110 section 8.6: neither says anything about a body */
    }
    if (response->content_length != GW_LENGTH_UNKNOWN) {
        (void)gw_buf_append(out, GW_STR("content-length: "));
        (void)gw_buf_append_u64(out, response->content_length);
        (void)gw_buf_append(out, GW_STR("\r\n"));
    } else if (!is_http_1_0(h1)) {
        (void)gw_buf_append(out, GW_STR("transfer-encoding: chunked\r\n"));
    }
}

static void write_fields(struct gw_h1_conn *h1, const struct gw_downstream_response *response,
                         struct gw_buf *out)
{
    bool has_date = false;
    bool has_server = false;
    for (size_t i = 0; i < response->header_count; i++) {
        const struct gw_header *field = &response->headers[i];
        if (!gw_server_field_is_sendable(h1->conn->server, field)) {
            continue;
        }
        has_date = has_date || field->id == GW_HEADER_DATE;
        has_server = has_server || field->id == GW_HEADER_SERVER;
        gw_h1_write_field(out, field->name, field->value);
    }
    if (!has_date) {
        gw_h1_write_field(out, GW_STR("date"), gw_server_date(h1->conn->server));
    }
    if (!has_server) {
        (void)gw_buf_append(out, GW_STR("server: gatewire\r\n"));
    }
    write_framing(h1, response, out);
    if (!h1->keep_alive) {
        (void)gw_buf_append(out, GW_STR("connection: close\r\n"));
    } else if (is_http_1_0(h1)) {
        (void)gw_buf_append(out, GW_STR("connection: keep-alive\r\n"));
    }
}

static enum gw_err queue_head(struct gw_h1_conn *h1, const struct gw_downstream_response *response)
{
    struct gw_buf *out = &h1->conn->server->scratch;
    h1->framing = choose_framing(h1, response);
    h1->keep_alive = choose_keep_alive(h1, response);
    h1->announced_bytes = response->content_length;
    gw_h1_write_status(out, response->status);
    write_fields(h1, response, out);
    gw_h1_write_end_of_head(out);
    enum gw_err err = out->err;
    if (err == GW_OK) {
        err = gw_chunkq_append(&h1->conn->out, gw_buf_str(out));
    }
    gw_server_reset_scratch(h1->conn->server);
    h1->begun = err == GW_OK;
    gw_conn_wake(h1->conn);
    return err;
}

static enum gw_err h1_begin(struct gw_downstream *pair,
                            const struct gw_downstream_response *response)
{
    struct gw_h1_conn *h1 = h1_of(pair);
    GW_ASSERT(!h1->begun && response->status >= 200);
    return queue_head(h1, response);
}

/* ---- the body ---- */

static enum gw_err queue_pieces(struct gw_conn *conn, const struct iovec *iov, int count)
{
    for (int i = 0; i < count; i++) {
        if (gw_chunkq_append(&conn->out, gw_str(iov[i].iov_base, iov[i].iov_len)) != GW_OK) {
            return GW_ERR_NOMEM;
        }
    }
    return GW_OK;
}

static enum gw_err h1_write(struct gw_downstream *pair, struct gw_str bytes)
{
    struct gw_h1_conn *h1 = h1_of(pair);
    GW_ASSERT(h1->begun);
    if (bytes.len == 0 || h1->framing == GW_H1_FRAMING_NONE) {
        return GW_OK;
    }
    h1->written_bytes += bytes.len;
    GW_ASSERT(h1->framing != GW_H1_FRAMING_LENGTH || h1->written_bytes <= h1->announced_bytes);
    char head[GW_H1_CHUNK_HEAD_BYTES];
    char tail[] = "\r\n";
    struct iovec iov[3];
    int count = 0;
    bool is_chunked = h1->framing == GW_H1_FRAMING_CHUNKED;
    if (is_chunked) {
        size_t head_bytes = gw_h1_format_chunk_head(bytes.len, head);
        iov[count++] = (struct iovec){.iov_base = head, .iov_len = head_bytes};
    }
    iov[count++] = gw_iovec(bytes);
    if (is_chunked) {
        iov[count++] = (struct iovec){.iov_base = tail, .iov_len = 2};
    }
    gw_conn_wake(h1->conn);
    return bytes.len >= WRITE_THROUGH_BYTES ? gw_conn_write_through(h1->conn, iov, count)
                                            : queue_pieces(h1->conn, iov, count);
}

static bool h1_can_write(struct gw_downstream *pair)
{
    struct gw_h1_conn *h1 = h1_of(pair);
    if (gw_chunkq_len(&h1->conn->out) >= GW_DOWNSTREAM_HIGH_WATER) {
        h1->was_full = true;
    }
    return !h1->was_full;
}

/* ---- the end ---- */

/* The answer stays as incomplete as it is, and the client must be able to see that. */
static void close_incomplete(struct gw_h1_conn *h1)
{
    if (h1->begun && h1->framing == GW_H1_FRAMING_UNTIL_CLOSE) {
        gw_conn_close(h1->conn, GW_CONN_END_RESET);
    } else {
        gw_conn_close(h1->conn, gw_h1_body_is_missing(h1) ? GW_CONN_END_LINGER : GW_CONN_END_CLOSE);
    }
}

static void h1_end(struct gw_downstream *pair)
{
    struct gw_h1_conn *h1 = h1_of(pair);
    GW_ASSERT(h1->begun);
    h1->pair_open = false;
    bool is_short = h1->framing == GW_H1_FRAMING_LENGTH && h1->written_bytes < h1->announced_bytes;
    if (h1->framing == GW_H1_FRAMING_CHUNKED &&
        gw_chunkq_append(&h1->conn->out, GW_STR("0\r\n\r\n")) != GW_OK) {
        is_short = true;
    }
    if (is_short) {
        close_incomplete(h1);
        return;
    }
    h1->rest_from_bytes = h1->body_bytes;
    gw_conn_set_state(h1->conn, GW_CONN_REST);
    gw_conn_wake(h1->conn);
}

static void h1_abort(struct gw_downstream *pair)
{
    struct gw_h1_conn *h1 = h1_of(pair);
    h1->pair_open = false;
    close_incomplete(h1);
}

const struct gw_downstream_ops gw_h1_pair_ops = {
    .read_body = gw_h1_read_body,
    .begin = h1_begin,
    .write = h1_write,
    .can_write = h1_can_write,
    .end = h1_end,
    .abort = h1_abort,
};

/* ---- our own answers ---- */

void gw_h1_answer_error(struct gw_h1_conn *h1, unsigned status, const char *what)
{
    GW_ASSERT(!h1->begun);
    struct gw_server *server = h1->conn->server;
    struct gw_buf body;
    gw_buf_init(&body, ERROR_BODY_MAX_BYTES);
    server->opts.on_error_body(server->opts.user, status, what, &body);
    const struct gw_header type = {.name = GW_STR("content-type"),
                                   .value = GW_STR("application/json"),
                                   .id = GW_HEADER_CONTENT_TYPE};
    const struct gw_downstream_response response = {
        .status = status,
        .headers = &type,
        .header_count = 1,
        .content_length = body.len,
        .close = true,
    };
    enum gw_err err = queue_head(h1, &response);
    if (err == GW_OK && h1->framing == GW_H1_FRAMING_LENGTH) {
        err = gw_chunkq_append(&h1->conn->out, gw_buf_str(&body));
    }
    gw_buf_fini(&body);
    if (err != GW_OK) {
        h1->conn->failed = err;
        return;
    }
    gw_conn_close(h1->conn, GW_CONN_END_LINGER);
}

void gw_h1_give_up(struct gw_h1_conn *h1, unsigned status, const char *what, enum gw_err err)
{
    bool had_pair = h1->pair_open;
    h1->pair_open = false;
    if (!h1->begun) {
        gw_h1_answer_error(h1, status, what);
    } else if (had_pair) {
        close_incomplete(h1);
    } else {
        gw_conn_close(h1->conn, GW_CONN_END_LINGER);
    }
    if (had_pair) {
        h1->pair.events->on_abort(h1->pair.user, err);
    }
}
