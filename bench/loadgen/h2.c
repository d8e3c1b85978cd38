/* SPDX-License-Identifier: MIT */
/* HTTP/2 client: config.calls_per_connection streams at a time on each connection. */
#include <nghttp2/nghttp2.h>

#include <string.h>

#include "loadgen/conn.h"

/* Receive windows: never what limits a measured server. */
#define STREAM_WINDOW     (1 << 20)
#define CONNECTION_WINDOW (64 << 20)

/* Bytes taken from nghttp2 before they are written. */
#define OUT_HIGH (64u * 1024u)

struct slot {
    struct load_call call;
    int32_t stream_id;
    size_t body_sent;
};

struct h2 {
    struct load_conn *conn;
    nghttp2_session *session;
    struct slot *slots;
    uint64_t slot_count;
    uint64_t idle_slots;
    bool has_served; /* a call was answered */
};

static void make_call(struct h2 *h2, struct slot *slot);

static ssize_t give_body(nghttp2_session *session, int32_t id, uint8_t *to, size_t cap,
                         uint32_t *flags, nghttp2_data_source *source, void *user)
{
    (void)session;
    (void)id;
    struct h2 *h2 = user;
    struct slot *slot = source->ptr;
    struct bench_str rest =
        bench_str_cut(h2->conn->run->config.body, slot->body_sent, h2->conn->run->config.body.len);
    size_t n = rest.len < cap ? rest.len : cap;
    memcpy(to, rest.ptr, n);
    slot->body_sent += n;
    if (n == rest.len) {
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    }
    return (ssize_t)n;
}

static nghttp2_nv make_nv(struct bench_str name, struct bench_str value)
{
    union {
        const char *in;
        uint8_t *out;
    } n = {.in = name.ptr}, v = {.in = value.ptr}; /* nghttp2 copies, its type is not const */
    return (nghttp2_nv){
        .name = n.out, .value = v.out, .namelen = name.len, .valuelen = value.len, .flags = 0};
}

/* Appends the extra headers, which are kept in HTTP/1 form. */
static size_t add_extra(const struct load_config *config, nghttp2_nv *nv, size_t count, size_t cap)
{
    struct bench_str lines = bench_buf_view(&config->headers);
    while (lines.len > 0 && count < cap) {
        size_t end = bench_str_find(lines, '\r');
        struct bench_str line = bench_str_cut(lines, 0, end);
        size_t colon = bench_str_find(line, ':');
        nv[count++] =
            make_nv(bench_str_cut(line, 0, colon), bench_str_cut(line, colon + 2, line.len));
        lines = bench_str_cut(lines, end + 2, lines.len);
    }
    return count;
}

static uint64_t oldest_us(struct load_conn *conn)
{
    const struct h2 *h2 = conn->session;
    uint64_t oldest = 0;
    for (uint64_t i = 0; i < h2->slot_count; i++) {
        const struct load_call *call = &h2->slots[i].call;
        if (call->open && (oldest == 0 || call->began_us < oldest)) {
            oldest = call->began_us;
        }
    }
    return oldest;
}

static void make_call(struct h2 *h2, struct slot *slot)
{
    const struct load_config *config = &h2->conn->run->config;
    char digits[24];
    struct bench_buf length = {0};
    if (nghttp2_session_check_request_allowed(h2->session) == 0) {
        /* After GOAWAY nghttp2 would take the call only to close it: for ever, from inside here. */
        if (oldest_us(h2->conn) == 0) {
            load_conn_renew(h2->conn);
        }
        return;
    }
    if (!load_conn_take_call(h2->conn)) {
        h2->idle_slots++;
        if (h2->idle_slots == h2->slot_count) {
            load_conn_finish(h2->conn);
        }
        return;
    }
    bench_buf_u64(&length, config->body.len);
    struct bench_str number = {.ptr = digits, .len = length.len};
    memcpy(digits, length.ptr, length.len);
    bench_buf_fini(&length);
    nghttp2_nv nv[32];
    size_t count = 0;
    nv[count++] = make_nv(BENCH_STR(":method"), BENCH_STR("POST"));
    nv[count++] =
        make_nv(BENCH_STR(":scheme"), config->tls != NULL ? BENCH_STR("https") : BENCH_STR("http"));
    nv[count++] = make_nv(BENCH_STR(":authority"), config->authority);
    nv[count++] = make_nv(BENCH_STR(":path"), config->path);
    nv[count++] = make_nv(BENCH_STR("content-type"), BENCH_STR("application/json"));
    nv[count++] = make_nv(BENCH_STR("content-length"), number);
    count = add_extra(config, nv, count, 32);
    nghttp2_data_provider provider = {.source.ptr = slot, .read_callback = give_body};
    slot->body_sent = 0;
    load_call_begin(&slot->call, h2->conn->run);
    slot->stream_id = nghttp2_submit_request(h2->session, NULL, nv, count, &provider, slot);
    if (slot->stream_id < 0) {
        load_call_fail(&slot->call, LOAD_ERROR_PROTOCOL);
        h2->idle_slots++;
    }
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
                     void *user)
{
    (void)flags;
    (void)user;
    struct slot *slot = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
    struct bench_str n = {.ptr = (const char *)name, .len = name_len};
    uint64_t status = 0;
    if (slot != NULL && bench_str_eq(n, BENCH_STR(":status")) &&
        bench_str_u64((struct bench_str){.ptr = (const char *)value, .len = value_len}, &status)) {
        slot->call.status = (unsigned)status;
    }
    return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *bytes,
                   size_t len, void *user)
{
    (void)flags;
    (void)user;
    struct slot *slot = nghttp2_session_get_stream_user_data(session, id);
    if (slot != NULL) {
        load_call_body(&slot->call, (struct bench_str){.ptr = (const char *)bytes, .len = len});
    }
    return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t id, uint32_t error, void *user)
{
    struct h2 *h2 = user;
    struct slot *slot = nghttp2_session_get_stream_user_data(session, id);
    if (slot == NULL) {
        return 0;
    }
    if (error == NGHTTP2_NO_ERROR) {
        h2->has_served = true;
        load_call_end(&slot->call);
    } else if (error == NGHTTP2_REFUSED_STREAM && h2->has_served &&
               nghttp2_session_check_request_allowed(session) == 0) {
        /* It crossed with GOAWAY. A server that has served nothing gets no such credit: the run
         * would go on without a call or an error. */
        load_call_withdraw(&slot->call);
        load_conn_give_back_call(h2->conn);
    } else {
        load_call_fail(&slot->call, LOAD_ERROR_CLOSED);
    }
    make_call(h2, slot);
    return 0;
}

static nghttp2_session *make_session(struct h2 *h2)
{
    nghttp2_session_callbacks *callbacks = NULL;
    nghttp2_session *session = NULL;
    if (nghttp2_session_callbacks_new(&callbacks) != 0) {
        return NULL;
    }
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
    if (nghttp2_session_client_new(&session, callbacks, h2) != 0) {
        session = NULL;
    }
    nghttp2_session_callbacks_del(callbacks);
    return session;
}

static void start(struct load_conn *conn)
{
    struct h2 *h2 = bench_alloc(sizeof(*h2));
    h2->conn = conn;
    h2->session = make_session(h2);
    h2->slot_count = conn->run->config.calls_per_connection;
    h2->slots = bench_alloc(h2->slot_count * sizeof(*h2->slots));
    conn->session = h2;
    nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, STREAM_WINDOW},
    };
    (void)nghttp2_submit_settings(h2->session, NGHTTP2_FLAG_NONE, settings, 2);
    (void)nghttp2_session_set_local_window_size(h2->session, NGHTTP2_FLAG_NONE, 0,
                                                CONNECTION_WINDOW);
    for (uint64_t i = 0; i < h2->slot_count; i++) {
        make_call(h2, &h2->slots[i]);
    }
}

static void fill(struct load_conn *conn)
{
    struct h2 *h2 = conn->session;
    while (conn->out.len < OUT_HIGH) {
        const uint8_t *bytes = NULL;
        ssize_t n = nghttp2_session_mem_send(h2->session, &bytes);
        if (n <= 0) {
            return;
        }
        bench_buf_add(&conn->out, bytes, (size_t)n);
    }
}

static bool on_bytes(struct load_conn *conn, struct bench_str bytes)
{
    struct h2 *h2 = conn->session;
    ssize_t n = nghttp2_session_mem_recv(h2->session, (const uint8_t *)bytes.ptr, bytes.len);
    if (n < 0 || (!nghttp2_session_want_read(h2->session) &&
                  !nghttp2_session_want_write(h2->session) && !conn->finished)) {
        return false;
    }
    load_conn_flush(conn);
    return true;
}

static void stop(struct load_conn *conn, enum load_error error)
{
    struct h2 *h2 = conn->session;
    for (uint64_t i = 0; i < h2->slot_count; i++) {
        load_call_fail(&h2->slots[i].call, error);
        bench_buf_fini(&h2->slots[i].call.event);
    }
    nghttp2_session_del(h2->session);
    bench_free(h2->slots);
    bench_free(h2);
}

const struct load_proto load_h2 = {
    .start = start,
    .on_bytes = on_bytes,
    .stop = stop,
    .oldest_us = oldest_us,
    .fill = fill,
};
