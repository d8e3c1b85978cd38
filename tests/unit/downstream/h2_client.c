/* SPDX-License-Identifier: MIT */
/* tests/unit/downstream/h2_client - see the header. */
#include "h2_client.h"

struct gw_test *test;
struct h2_client *client;

/* ---- the client's session ---- */

struct client_stream *stream_at(int32_t id)
{
    assert_true(id >= 0 && (size_t)id < GW_ARRAY_LEN(client->streams));
    return &client->streams[id];
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
                     void *user)
{
    (void)session;
    (void)flags;
    (void)user;
    struct client_stream *stream = stream_at(frame->hd.stream_id);
    if (name_len == 7 && memcmp(name, ":status", 7) == 0) {
        uint64_t status = 0;
        assert_int_equal(gw_parse_u64(gw_str((const char *)value, value_len), &status), GW_OK);
        if (status < 200) {
            stream->interim++;
        } else {
            stream->status = (int)status;
        }
        return 0;
    }
    (void)gw_buf_appendf(&stream->fields, "%.*s: %.*s\n", (int)name_len, (const char *)name,
                         (int)value_len, (const char *)value);
    return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *bytes,
                   size_t len, void *user)
{
    (void)session;
    (void)flags;
    (void)user;
    (void)gw_buf_append(&stream_at(id)->body, gw_str((const char *)bytes, len));
    return 0;
}

static int on_close(nghttp2_session *session, int32_t id, uint32_t error_code, void *user)
{
    (void)session;
    (void)user;
    stream_at(id)->is_closed = true;
    stream_at(id)->error_code = error_code;
    return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    (void)session;
    (void)user;
    if (frame->hd.type == NGHTTP2_GOAWAY) {
        client->goaways++;
        client->goaway_error = frame->goaway.error_code;
        client->goaway_last = frame->goaway.last_stream_id;
    }
    return 0;
}

void flush(void)
{
    for (;;) {
        const uint8_t *bytes = NULL;
        ssize_t n = nghttp2_session_mem_send(client->session, &bytes);
        assert_true(n >= 0);
        if (n == 0) {
            return;
        }
        if (client->keeps_unsent) {
            (void)gw_buf_append(&client->unsent, gw_str((const char *)bytes, (size_t)n));
        } else {
            gw_test_send(client->link, gw_str((const char *)bytes, (size_t)n));
        }
    }
}

static void on_bytes(struct gw_test_client *link, struct gw_str bytes)
{
    (void)link;
    ssize_t n = nghttp2_session_mem_recv(client->session, (const uint8_t *)bytes.ptr, bytes.len);
    assert_true(n >= 0);
    if (!client->keeps_unsent) {
        flush();
    }
}

static ssize_t on_upload(nghttp2_session *session, int32_t id, uint8_t *buffer, size_t length,
                         uint32_t *flags, nghttp2_data_source *source, void *user)
{
    (void)session;
    (void)source;
    (void)user;
    struct client_stream *stream = stream_at(id);
    size_t part = stream->upload.len < length ? stream->upload.len : length;
    if (part == 0 && stream->is_upload_open) {
        return NGHTTP2_ERR_DEFERRED;
    }
    memcpy(buffer, stream->upload.ptr, part);
    stream->upload = gw_str_skip(stream->upload, part);
    if (stream->upload.len == 0 && !stream->is_upload_open) {
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    }
    return (ssize_t)part;
}

nghttp2_nv nv(const char *name, const char *value)
{
    return (nghttp2_nv){
        .name = (uint8_t *)(uintptr_t)name,
        .value = (uint8_t *)(uintptr_t)value,
        .namelen = strlen(name),
        .valuelen = strlen(value),
    };
}

int32_t submit(const char *method, const char *path, const char *const more[], struct gw_str upload,
               bool is_open)
{
    nghttp2_nv fields[16] = {nv(":method", method), nv(":scheme", "http"), nv(":path", path),
                             nv(":authority", "a")};
    size_t count = 4;
    for (size_t i = 0; more != NULL && more[i] != NULL; i += 2) {
        fields[count++] = nv(more[i], more[i + 1]);
    }
    const nghttp2_data_provider provider = {.read_callback = on_upload};
    bool has_body = upload.ptr != NULL || is_open;
    int32_t id = nghttp2_submit_request(client->session, NULL, fields, count,
                                        has_body ? &provider : NULL, NULL);
    assert_true(id > 0);
    struct client_stream *stream = stream_at(id);
    stream->upload = upload;
    stream->is_upload_open = is_open;
    return id;
}

int32_t get(const char *path)
{
    int32_t id = submit("GET", path, NULL, gw_str(NULL, 0), false);
    flush();
    return id;
}

int32_t post(const char *path, struct gw_str upload)
{
    int32_t id = submit("POST", path, NULL, upload, false);
    flush();
    return id;
}

static bool is_stream_closed(void *user)
{
    struct client_stream *stream = user;
    return stream->is_closed || test->client.saw_eof || test->client.saw_reset;
}

struct client_stream *wait_stream(int32_t id)
{
    gw_test_wait(test, is_stream_closed, stream_at(id));
    return stream_at(id);
}

int count_goaways(void)
{
    int count = 0;
    struct gw_str rest = gw_buf_str(&test->client.received);
    while (rest.len >= 9) {
        const uint8_t *head = (const uint8_t *)rest.ptr;
        size_t len = ((size_t)head[0] << 16) + ((size_t)head[1] << 8) + head[2];
        count += head[3] == NGHTTP2_GOAWAY ? 1 : 0;
        rest = gw_str_skip(rest, 9 + len);
    }
    return count;
}

bool has_body_bytes(void *user)
{
    struct client_stream *stream = user;
    return stream->body.len > 0;
}

void assert_body(const struct client_stream *stream, const char *text)
{
    assert_true(gw_str_eq(gw_buf_str(&stream->body), gw_str_from_c(text)));
}

bool has_field(const struct client_stream *stream, const char *line)
{
    struct gw_str all = gw_buf_str(&stream->fields);
    return all.len > 0 && gw_str_find(all, gw_str_from_c(line)) < all.len;
}

/* ---- set-up ---- */

static void open_client(void)
{
    client = gw_zalloc(sizeof(*client));
    client->link = &test->client;
    for (size_t i = 0; i < GW_ARRAY_LEN(client->streams); i++) {
        gw_buf_init(&client->streams[i].body, 8 * 1024 * 1024);
        gw_buf_init(&client->streams[i].fields, 65536);
    }
    gw_buf_init(&client->unsent, 1024 * 1024);
    test->client.on_bytes = on_bytes;
    nghttp2_session_callbacks *callbacks = NULL;
    nghttp2_option *option = NULL;
    assert_int_equal(nghttp2_session_callbacks_new(&callbacks), 0);
    assert_int_equal(nghttp2_option_new(&option), 0);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_option_set_no_http_messaging(option, 1); /* lets us send what is wrong */
    assert_int_equal(nghttp2_session_client_new2(&client->session, callbacks, client, option), 0);
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_option_del(option);
    assert_int_equal(nghttp2_submit_settings(client->session, NGHTTP2_FLAG_NONE, NULL, 0), 0);
}

static void close_client(void)
{
    nghttp2_session_del(client->session);
    for (size_t i = 0; i < GW_ARRAY_LEN(client->streams); i++) {
        gw_buf_fini(&client->streams[i].body);
        gw_buf_fini(&client->streams[i].fields);
    }
    gw_buf_fini(&client->unsent);
    gw_free(client);
    client = NULL;
}

static void setup_with(struct gw_server_limits limits)
{
    test = gw_alloc(sizeof(*test));
    gw_test_init(test, &limits);
    gw_test_connect(test);
    open_client();
}

int setup(void **state)
{
    (void)state;
    setup_with(gw_test_limits());
    return 0;
}

int teardown(void **state)
{
    (void)state;
    close_client();
    gw_test_fini(test);
    gw_free(test);
    test = NULL;
    return 0;
}

void restart(struct gw_server_limits limits)
{
    (void)teardown(NULL);
    setup_with(limits);
}
