/* SPDX-License-Identifier: MIT */
/*
 * downstream/conn_h1_body - the request's body: straight from the read buffer to the handler while
 * it reads, held back (one read at most: reading stops then) while it does not.
 */
#include "base/assert.h"
#include "downstream/conn_h1_int.h"

/* The client waits for a word before it sends the body: give it, unless the answer began. */
static void send_continue(struct gw_h1_conn *h1)
{
    if (h1->continue_sent || h1->begun || !h1->pair.head->expects_continue ||
        h1->pair.head->version == GW_HTTP_1_0 || !gw_h1_body_is_missing(h1) || h1->body_bytes > 0) {
        return;
    }
    h1->continue_sent = true;
    if (gw_chunkq_append(&h1->conn->out, GW_STR("HTTP/1.1 100 Continue\r\n\r\n")) != GW_OK) {
        h1->conn->failed = GW_ERR_NOMEM;
    }
}

void gw_h1_read_body(struct gw_downstream *pair, bool on)
{
    struct gw_h1_conn *h1 = GW_CONTAINER_OF(pair, struct gw_h1_conn, pair);
    GW_ASSERT(h1->pair_open);
    if (h1->is_reading == on) {
        return;
    }
    h1->is_reading = on;
    if (on) {
        h1->body_progress_ms = gw_conn_now_ms(h1->conn);
        send_continue(h1);
    }
    gw_conn_wake(h1->conn);
}

enum gw_err gw_h1_take_body(struct gw_h1_conn *h1, struct gw_str bytes)
{
    h1->body_bytes += bytes.len;
    if (!h1->pair_open) {
        bool is_too_much = h1->body_bytes - h1->rest_from_bytes > GW_CONN_REST_BYTES;
        if (is_too_much && h1->conn->state == GW_CONN_REST) {
            gw_conn_close(h1->conn, GW_CONN_END_LINGER);
        }
    } else if (h1->is_reading && gw_chunkq_len(&h1->body) == 0) {
        h1->body_progress_ms = gw_conn_now_ms(h1->conn);
        h1->pair.events->on_body(h1->pair.user, bytes);
    } else if (gw_chunkq_append(&h1->body, bytes) != GW_OK) {
        return GW_ERR_NOMEM;
    }
    return h1->conn->state < GW_CONN_CLOSING ? GW_OK : GW_ERR_CANCELLED;
}

void gw_h1_deliver(struct gw_h1_conn *h1)
{
    while (h1->pair_open && h1->is_reading && gw_chunkq_len(&h1->body) > 0) {
        struct iovec head;
        (void)gw_chunkq_peek(&h1->body, &head, 1);
        h1->pair.events->on_body(h1->pair.user, gw_str(head.iov_base, head.iov_len));
        gw_chunkq_consume(&h1->body, head.iov_len);
    }
    if (h1->pair_open && h1->is_reading && h1->request_complete && !h1->end_told) {
        h1->end_told = true;
        h1->pair.events->on_body_end(h1->pair.user);
    }
}
