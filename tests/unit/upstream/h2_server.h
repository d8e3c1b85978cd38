/* SPDX-License-Identifier: MIT */
/*
 * h2_server - an HTTP/2 server for the tests, by nghttp2, on the peers of upstream_fixture.h.
 */
#ifndef GW_TESTS_H2_SERVER_H
#define GW_TESTS_H2_SERVER_H

#include <nghttp2/nghttp2.h>

#include "upstream_fixture.h"

#define H2_MAX_STREAMS 256

struct h2_server;

struct h2_stream {
    struct h2_server *server;
    int32_t id;
    struct gw_buf head; /* "name: value" lines */
    struct gw_buf body;
    /* what is sent */
    const char *answer;
    size_t answer_len;
    size_t answer_sent;
    bool hold_end; /* the body goes on later */
    bool is_closed;
    uint32_t close_code;
};

struct h2_server {
    struct peer *peer;
    nghttp2_session *session;
    struct h2_stream *streams[H2_MAX_STREAMS]; /* in the order they came */
    unsigned stream_count;
    unsigned open_count;
    unsigned most_open;
    unsigned pings;
    bool is_feeding;
};

/* What the test wants of its servers. */
struct h2_script {
    uint32_t max_streams;                      /* announced; 0: nothing is */
    uint32_t window;                           /* announced initial window; 0: nothing is */
    bool no_settings;                          /* says nothing at all */
    bool no_window_updates;                    /* takes no more than the first window */
    void (*on_head)(struct h2_stream *stream); /* may be NULL */
    void (*on_request)(struct h2_stream *stream);
};

static struct h2_script h2_script;

static inline void h2_flush(struct h2_server *server)
{
    if (server->is_feeding || server->peer->stream == NULL) {
        return;
    }
    for (;;) {
        const uint8_t *bytes = NULL;
        ssize_t len = nghttp2_session_mem_send(server->session, &bytes);
        assert_true(len >= 0);
        if (len == 0) {
            return;
        }
        peer_send_bytes(server->peer, gw_str((const char *)bytes, (size_t)len));
    }
}

static inline ssize_t h2_read_answer(nghttp2_session *session, int32_t id, uint8_t *buf,
                                     size_t size, uint32_t *flags, nghttp2_data_source *source,
                                     void *user)
{
    (void)session;
    (void)id;
    (void)user;
    struct h2_stream *stream = source->ptr;
    size_t left = stream->answer_len - stream->answer_sent;
    size_t part = left < size ? left : size;
    if (part > 0) {
        memcpy(buf, stream->answer + stream->answer_sent, part);
    }
    stream->answer_sent += part;
    if (stream->answer_sent < stream->answer_len) {
        return (ssize_t)part;
    }
    if (!stream->hold_end) {
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    } else if (part == 0) {
        return NGHTTP2_ERR_DEFERRED;
    }
    return (ssize_t)part;
}

static inline nghttp2_nv h2_field(const char *name, const char *value)
{
    return (nghttp2_nv){
        .name = (uint8_t *)(uintptr_t)name,
        .namelen = strlen(name),
        .value = (uint8_t *)(uintptr_t)value,
        .valuelen = strlen(value),
    };
}

/* Answers with |body|, which must live on. */
static inline void h2_answer(struct h2_stream *stream, const char *status, const char *body,
                             size_t len)
{
    stream->answer = body;
    stream->answer_len = len;
    const nghttp2_nv fields[] = {h2_field(":status", status), h2_field("x-by", "h2")};
    const nghttp2_data_provider provider = {.source = {.ptr = stream},
                                            .read_callback = h2_read_answer};
    assert_int_equal(nghttp2_submit_response(stream->server->session, stream->id, fields, 2,
                                             len > 0 || stream->hold_end ? &provider : NULL),
                     0);
    h2_flush(stream->server);
}

static inline void h2_answer_ok(struct h2_stream *stream)
{
    h2_answer(stream, "200", "hello", 5);
}

static inline void h2_reset(struct h2_stream *stream, uint32_t code)
{
    (void)nghttp2_submit_rst_stream(stream->server->session, NGHTTP2_FLAG_NONE, stream->id, code);
    h2_flush(stream->server);
}

static inline struct h2_stream *h2_find(nghttp2_session *session, int32_t id)
{
    return nghttp2_session_get_stream_user_data(session, id);
}

static inline int h2_on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame,
                                      void *user)
{
    struct h2_server *server = user;
    if (frame->headers.cat != NGHTTP2_HCAT_REQUEST) {
        return 0;
    }
    assert_true(server->stream_count < H2_MAX_STREAMS);
    struct h2_stream *stream = calloc(1, sizeof(*stream));
    stream->server = server;
    stream->id = frame->hd.stream_id;
    gw_buf_init(&stream->head, MAX_BODY);
    gw_buf_init(&stream->body, MAX_BODY);
    server->streams[server->stream_count++] = stream;
    server->open_count++;
    server->most_open =
        server->open_count > server->most_open ? server->open_count : server->most_open;
    return nghttp2_session_set_stream_user_data(session, stream->id, stream);
}

static inline int h2_on_header(nghttp2_session *session, const nghttp2_frame *frame,
                               const uint8_t *name, size_t name_len, const uint8_t *value,
                               size_t value_len, uint8_t flags, void *user)
{
    (void)flags;
    (void)user;
    struct h2_stream *stream = h2_find(session, frame->hd.stream_id);
    (void)gw_buf_appendf(&stream->head, "%.*s: %.*s\n", (int)name_len, (const char *)name,
                         (int)value_len, (const char *)value);
    return 0;
}

static inline int h2_on_data(nghttp2_session *session, uint8_t flags, int32_t id,
                             const uint8_t *data, size_t len, void *user)
{
    (void)flags;
    (void)user;
    struct h2_stream *stream = h2_find(session, id);
    if (gw_buf_append(&stream->body, gw_str((const char *)data, len)) != GW_OK) {
        assert_true(stream->server->peer->world->forgives);
    }
    if (!h2_script.no_window_updates) {
        (void)nghttp2_session_consume(session, id, len);
    }
    return 0;
}

static inline int h2_on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    struct h2_server *server = user;
    if (frame->hd.type == NGHTTP2_PING && (frame->hd.flags & NGHTTP2_FLAG_ACK) == 0) {
        server->pings++;
    }
    struct h2_stream *stream =
        frame->hd.stream_id > 0 ? h2_find(session, frame->hd.stream_id) : NULL;
    if (stream == NULL) {
        return 0;
    }
    if (frame->hd.type == NGHTTP2_HEADERS && h2_script.on_head != NULL) {
        h2_script.on_head(stream);
    }
    if ((frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA) &&
        (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0 && h2_script.on_request != NULL) {
        server->peer->requests++;
        server->peer->world->requests++;
        h2_script.on_request(stream);
    }
    return 0;
}

static inline int h2_on_close(nghttp2_session *session, int32_t id, uint32_t code, void *user)
{
    struct h2_server *server = user;
    struct h2_stream *stream = h2_find(session, id);
    if (stream != NULL) {
        stream->is_closed = true;
        stream->close_code = code;
        server->open_count--;
    }
    return 0;
}

/* at_accept */
static inline void h2_begin(struct peer *peer)
{
    struct h2_server *server = calloc(1, sizeof(*server));
    server->peer = peer;
    peer->own = server;
    nghttp2_session_callbacks *callbacks = NULL;
    nghttp2_option *option = NULL;
    assert_int_equal(nghttp2_session_callbacks_new(&callbacks), 0);
    assert_int_equal(nghttp2_option_new(&option), 0);
    nghttp2_option_set_no_auto_window_update(option, 1);
    nghttp2_option_set_max_send_header_block_length(option, 1024 * 1024);
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, h2_on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, h2_on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, h2_on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, h2_on_frame);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, h2_on_close);
    assert_int_equal(nghttp2_session_server_new2(&server->session, callbacks, server, option), 0);
    nghttp2_option_del(option);
    nghttp2_session_callbacks_del(callbacks);
    if (h2_script.no_settings) {
        return;
    }
    nghttp2_settings_entry settings[2];
    size_t count = 0;
    if (h2_script.max_streams > 0) {
        settings[count++] = (nghttp2_settings_entry){NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS,
                                                     h2_script.max_streams};
    }
    if (h2_script.window > 0) {
        settings[count++] =
            (nghttp2_settings_entry){NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, h2_script.window};
    }
    assert_int_equal(nghttp2_submit_settings(server->session, NGHTTP2_FLAG_NONE, settings, count),
                     0);
    h2_flush(server);
}

/* at_read */
static inline void h2_read(struct peer *peer)
{
    struct h2_server *server = peer->own;
    server->is_feeding = true;
    ssize_t used =
        nghttp2_session_mem_recv(server->session, (const uint8_t *)peer->in.ptr, peer->in.len);
    server->is_feeding = false;
    assert_int_equal(used, peer->in.len);
    gw_buf_reset(&peer->in);
    if (!h2_script.no_settings) {
        h2_flush(server);
    }
}

static inline void h2_world_init(struct world *world, const struct gw_upstream_opts *opts)
{
    h2_script = (struct h2_script){.on_request = h2_answer_ok};
    world_init_with(world, opts);
    world->at_accept = h2_begin;
    world->at_read = h2_read;
    world->origin.http2 = GW_HTTP2_PRIOR;
    world->origin.key = GW_STR("h2");
    world_make_pool(world);
}

static inline struct h2_server *h2_server(const struct world *world, unsigned index)
{
    assert_true(index < world->peer_count);
    return world->peers[index].own;
}

static inline void h2_world_fini(struct world *world)
{
    struct peer *const peers = world->peers;
    unsigned count = world->peer_count;
    world_fini(world);
    for (unsigned i = 0; i < count; i++) {
        struct h2_server *server = peers[i].own;
        if (server == NULL) {
            continue;
        }
        nghttp2_session_del(server->session);
        for (unsigned k = 0; k < server->stream_count; k++) {
            gw_buf_fini(&server->streams[k]->head);
            gw_buf_fini(&server->streams[k]->body);
            free(server->streams[k]);
        }
        free(server);
    }
}

/* |count| exchanges at once; all end well. */
static inline void run_many(struct world *world, unsigned count)
{
    struct client *clients = calloc(count, sizeof(*clients));
    for (unsigned i = 0; i < count; i++) {
        client_init(&clients[i], world);
        client_start(&clients[i]);
    }
    for (unsigned i = 0; i < count; i++) {
        client_run(&clients[i]);
        assert_ended(&clients[i], 200, "hello");
        client_fini(&clients[i]);
    }
    world_run(world, all_idle, NULL);
    free(clients);
}

/* on_request: no answer for now. */
static inline void hold(struct h2_stream *stream)
{
    (void)stream;
}

/* Have as many requests come as |arg| points at? */
static inline bool has_requests(struct world *world, void *arg)
{
    return world->requests >= *(unsigned *)arg;
}

/* |len| bytes; free() them. */
static inline char *make_pattern(size_t len)
{
    char *text = malloc(len);
    for (size_t i = 0; i < len; i++) {
        text[i] = (char)('A' + i % 26);
    }
    return text;
}

#define BIG (5u * 1024 * 1024 + 17)
static char *big GW_UNUSED;

/* on_request: a body of BIG bytes. */
static inline void answer_big(struct h2_stream *stream)
{
    h2_answer(stream, "200", big, BIG);
}

#endif
