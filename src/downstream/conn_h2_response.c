/* SPDX-License-Identifier: MIT */
/*
 * downstream/conn_h2_response - the answer on an HTTP/2 stream.
 *
 *   write -> |out| -> (windows allow) nghttp2 pulls -> the connection's queue
 */
#include "base/assert.h"
#include "downstream/conn_h2_int.h"

#define ERROR_BODY_MAX_BYTES 16384

/* ---- the answer's head ---- */

#define OWN_FIELDS 4 /* :status, date, server, content-length */

static nghttp2_nv make_nv(struct gw_str name, struct gw_str value, uint8_t flags)
{
    return (nghttp2_nv){
        .name = (uint8_t *)(uintptr_t)name.ptr,
        .value = (uint8_t *)(uintptr_t)value.ptr,
        .namelen = name.len,
        .valuelen = value.len,
        .flags = flags,
    };
}

static bool has_digit(struct gw_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] >= '0' && text.ptr[i] <= '9') {
            return true;
        }
    }
    return false;
}

/*
 * What differs in each answer, or is secret, stays out of HPACK's table: it would push useful
 * fields out, and each look-up would walk past all earlier values of that name. Of fields that we
 * do not know, the ones with digits are identifiers, counters and durations.
 */
static uint8_t index_flag(const struct gw_header *field)
{
    bool is_changing = field->id == GW_HEADER_X_REQUEST_ID || gw_header_is_credential(field->id) ||
                       (field->id == GW_HEADER_OTHER && has_digit(field->value));
    return is_changing ? NGHTTP2_NV_FLAG_NO_INDEX : NGHTTP2_NV_FLAG_NONE;
}

/* Fills |nv| but for :status and Content-Length; returns the count. */
static size_t fill_fields(struct gw_server *server, const struct gw_downstream_response *response,
                          nghttp2_nv *nv)
{
    size_t count = 0;
    bool has_date = false;
    bool has_server = false;
    for (size_t i = 0; i < response->header_count; i++) {
        const struct gw_header *field = &response->headers[i];
        if (!gw_server_field_is_sendable(server, field)) {
            continue;
        }
        has_date = has_date || field->id == GW_HEADER_DATE;
        has_server = has_server || field->id == GW_HEADER_SERVER;
        nv[count++] = make_nv(field->name, field->value, index_flag(field));
    }
    if (!has_date) {
        nv[count++] = make_nv(GW_STR("date"), gw_server_date(server), NGHTTP2_NV_FLAG_NONE);
    }
    if (!has_server) {
        nv[count++] = make_nv(GW_STR("server"), GW_STR("gatewire"), NGHTTP2_NV_FLAG_NONE);
    }
    return count;
}

/* nghttp2 asks for the next DATA frame; the bytes themselves go by conn_h2.c's on_send_data(). */
static ssize_t on_read_data(nghttp2_session *session, int32_t id, uint8_t *buffer, size_t length,
                            uint32_t *flags, nghttp2_data_source *source, void *user)
{
    (void)session;
    (void)id;
    (void)buffer;
    (void)user;
    struct gw_h2_stream *stream = source->ptr;
    size_t waiting = gw_chunkq_len(&stream->out);
    if (waiting == 0 && stream->aborted) {
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE; /* RST_STREAM with INTERNAL_ERROR */
    }
    if (waiting == 0 && !stream->ended) {
        stream->is_deferred = true;
        return NGHTTP2_ERR_DEFERRED;
    }
    *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    if (waiting > length) {
        return (ssize_t)length;
    }
    if (stream->ended && !stream->aborted) {
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    }
    return (ssize_t)waiting;
}

static enum gw_err submit(struct gw_h2_stream *stream, const nghttp2_nv *nv, size_t count)
{
    const nghttp2_data_provider provider = {
        .source = {.ptr = stream},
        .read_callback = on_read_data,
    };
    if (stream->is_closed || gw_h2_is_conn_closed(stream)) {
        return GW_OK; /* reset by the client in this very callback; on_abort comes */
    }
    int result = nghttp2_submit_response(stream->h2->session, stream->id, nv, count,
                                         stream->is_bodiless ? NULL : &provider);
    return result == 0 ? GW_OK : GW_ERR_NOMEM;
}

static struct gw_str format_u64(uint64_t value, char out[24])
{
    char *end = out + 24;
    char *at = end;
    do {
        *--at = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    return gw_str(at, (size_t)(end - at));
}

static enum gw_err begin(struct gw_h2_stream *stream, const struct gw_downstream_response *response)
{
    struct gw_server *server = stream->h2->conn->server;
    struct gw_buf *scratch = &server->scratch;
    enum gw_err err =
        gw_buf_reserve(scratch, (response->header_count + OWN_FIELDS) * sizeof(nghttp2_nv));
    if (err != GW_OK) {
        gw_server_reset_scratch(server);
        return err;
    }
    nghttp2_nv *nv = (nghttp2_nv *)(void *)scratch->ptr;
    char status[24];
    char length[24];
    nv[0] = make_nv(GW_STR(":status"), format_u64(response->status, status), NGHTTP2_NV_FLAG_NONE);
    size_t count = 1 + fill_fields(server, response, nv + 1);
    bool is_silent = response->status == 204 || response->status == 304;
    if (!is_silent && response->content_length != GW_LENGTH_UNKNOWN) {
        nv[count++] = make_nv(GW_STR("content-length"),
                              format_u64(response->content_length, length), NGHTTP2_NV_FLAG_NONE);
    }
    stream->is_drop = is_silent || stream->head.method == GW_METHOD_HEAD;
    stream->is_bodiless = stream->is_drop || response->content_length == 0;
    stream->announced_bytes = response->content_length;
    stream->begun = true;
    err = submit(stream, nv, count);
    gw_server_reset_scratch(server);
    gw_conn_wake(stream->h2->conn);
    return err;
}

static enum gw_err h2_begin(struct gw_downstream *pair,
                            const struct gw_downstream_response *response)
{
    struct gw_h2_stream *stream = gw_h2_stream_of(pair);
    GW_ASSERT(!stream->begun && response->status >= 200);
    return begin(stream, response);
}

/* ---- the answer's body ---- */

/* Joins or leaves the list of those whose client has to take bytes; behind the others. */
static void wait_for_window(struct gw_h2_stream *stream)
{
    gw_list_unlink(&stream->out_node);
    if (gw_chunkq_len(&stream->out) > 0 && !stream->is_closed) {
        stream->out_progress_ms = gw_conn_now_ms(stream->h2->conn);
        gw_list_append(&stream->h2->write_waits, &stream->out_node);
    }
}

static void resume(struct gw_h2_stream *stream)
{
    if (stream->is_deferred && !stream->is_closed && !gw_h2_is_conn_closed(stream)) {
        stream->is_deferred = false;
        if (nghttp2_session_resume_data(stream->h2->session, stream->id) == NGHTTP2_ERR_NOMEM) {
            stream->h2->conn->failed = GW_ERR_NOMEM;
        }
    }
    gw_conn_wake(stream->h2->conn);
}

static enum gw_err write_body(struct gw_h2_stream *stream, struct gw_str bytes)
{
    if (bytes.len == 0 || stream->is_drop) {
        return GW_OK;
    }
    stream->written_bytes += bytes.len;
    GW_ASSERT(stream->written_bytes <= stream->announced_bytes);
    if (stream->is_closed) {
        return GW_OK;
    }
    bool was_empty = gw_chunkq_len(&stream->out) == 0;
    enum gw_err err = gw_chunkq_append(&stream->out, bytes);
    if (err == GW_OK && was_empty) {
        wait_for_window(stream);
    }
    resume(stream);
    return err;
}

static enum gw_err h2_write(struct gw_downstream *pair, struct gw_str bytes)
{
    struct gw_h2_stream *stream = gw_h2_stream_of(pair);
    GW_ASSERT(stream->begun);
    return write_body(stream, bytes);
}

static bool h2_can_write(struct gw_downstream *pair)
{
    struct gw_h2_stream *stream = gw_h2_stream_of(pair);
    if (gw_chunkq_len(&stream->out) >= GW_DOWNSTREAM_HIGH_WATER) {
        stream->was_full = true;
    }
    return !stream->was_full;
}

void gw_h2_stream_sent(struct gw_h2_stream *stream)
{
    wait_for_window(stream);
    if (stream->was_full && gw_chunkq_len(&stream->out) < GW_DOWNSTREAM_LOW_WATER) {
        stream->h2->writable_due = true;
    }
}

/* ---- the end ---- */

/* RST_STREAM, behind what waits. */
static void abort_answer(struct gw_h2_stream *stream)
{
    stream->aborted = true;
    if (!stream->begun || stream->is_bodiless || gw_chunkq_len(&stream->out) == 0) {
        gw_h2_stream_reset(stream, NGHTTP2_INTERNAL_ERROR);
    }
}

static void h2_end(struct gw_downstream *pair)
{
    struct gw_h2_stream *stream = gw_h2_stream_of(pair);
    GW_ASSERT(stream->begun);
    bool is_short = !stream->is_drop && stream->announced_bytes != GW_LENGTH_UNKNOWN &&
                    stream->written_bytes < stream->announced_bytes;
    if (is_short) {
        abort_answer(stream);
    } else {
        stream->ended = true;
        resume(stream);
    }
    gw_h2_stream_leave_pair(stream);
}

static void h2_abort(struct gw_downstream *pair)
{
    struct gw_h2_stream *stream = gw_h2_stream_of(pair);
    abort_answer(stream);
    gw_h2_stream_leave_pair(stream);
}

const struct gw_downstream_ops gw_h2_pair_ops = {
    .read_body = gw_h2_stream_read_body,
    .begin = h2_begin,
    .write = h2_write,
    .can_write = h2_can_write,
    .end = h2_end,
    .abort = h2_abort,
};

/* ---- our own answers ---- */

void gw_h2_stream_answer_error(struct gw_h2_stream *stream, unsigned status, const char *what)
{
    GW_ASSERT(!stream->begun && !stream->pair_open);
    struct gw_server *server = stream->h2->conn->server;
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
    };
    stream->ended = true;
    if (begin(stream, &response) != GW_OK || write_body(stream, gw_buf_str(&body)) != GW_OK) {
        stream->h2->conn->failed = GW_ERR_NOMEM;
    }
    gw_buf_fini(&body);
    gw_h2_stream_leave_pair(stream);
}

void gw_h2_stream_expire(struct gw_h2_stream *stream, unsigned status, const char *what)
{
    bool had_pair = stream->pair_open;
    stream->pair_open = false;
    if (!stream->begun) {
        gw_h2_stream_answer_error(stream, status, what);
    } else {
        stream->aborted = true;
        gw_h2_stream_reset(stream, NGHTTP2_CANCEL);
        gw_h2_stream_leave_pair(stream);
    }
    if (had_pair) {
        stream->pair.events->on_abort(stream->pair.user, GW_ERR_TIMEOUT);
    }
}
