/* SPDX-License-Identifier: MIT */
/* obs/access_log - the line's members in a fixed order; absent values are left out. */
#include "obs/access_log.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/clock.h"

#define BUFFER_MAX_BYTES                                                                           \
    (1024u * 1024) /* the lines of one loop turn: 1,024 events of at most 1 KiB in practice */
#define ERROR_TEXT_BYTES 512

struct gw_access_log {
    struct gw_log_sink *sink;
    struct gw_access_log_rest *rest;
    struct gw_buf lines;
    struct gw_clock_text time;
};

struct gw_access_log *gw_access_log_create(struct gw_log_sink *sink,
                                           struct gw_access_log_rest *rest)
{
    struct gw_access_log *log = gw_zalloc(sizeof(*log));
    log->sink = sink;
    log->rest = rest;
    gw_buf_init(&log->lines, BUFFER_MAX_BYTES);
    return log;
}

void gw_access_log_destroy(struct gw_access_log **log)
{
    if (*log != NULL) {
        gw_access_log_flush(*log);
        gw_buf_fini(&(*log)->lines);
        gw_free(*log);
        *log = NULL;
    }
}

void gw_access_log_flush(struct gw_access_log *log)
{
    if (log->lines.len > 0) {
        gw_log_sink_write(log->sink, gw_buf_str(&log->lines));
        gw_buf_reset(&log->lines);
        if (log->rest != NULL) {
            gw_access_log_rest_tell(log->rest);
        }
    }
}

/* ,"name": as one literal: a line has thirty of them. */
#define NAME(name) GW_STR(",\"" name "\":")

/* A name and its "value", left out when empty. */
static void text(struct gw_buf *out, struct gw_str name, struct gw_str value)
{
    if (value.len == 0) {
        return;
    }
    (void)gw_buf_append(out, name);
    (void)gw_buf_append(out, GW_STR("\""));
    (void)gw_buf_append_json(out, value);
    (void)gw_buf_append(out, GW_STR("\""));
}

static void number(struct gw_buf *out, struct gw_str name, uint64_t value)
{
    (void)gw_buf_append(out, name);
    (void)gw_buf_append_u64(out, value);
}

static void number_if_any(struct gw_buf *out, struct gw_str name, uint64_t value)
{
    if (value > 0) {
        number(out, name, value);
    }
}

static struct gw_str protocol(enum gw_http_version version)
{
    switch (version) {
    case GW_HTTP_1_0:
        return GW_STR("HTTP/1.0");
    case GW_HTTP_1_1:
        return GW_STR("HTTP/1.1");
    case GW_HTTP_2:
        return GW_STR("HTTP/2");
    }
    return GW_STR("");
}

static void write_request(struct gw_buf *out, struct gw_str time,
                          const struct gw_request_record *record)
{
    (void)gw_buf_append(out, GW_STR("{\"time\":\""));
    (void)gw_buf_append(out, time);
    (void)gw_buf_append(out, GW_STR("\""));
    text(out, NAME("request_id"), record->request_id);
    text(out, NAME("client"), record->client);
    text(out, NAME("protocol"), protocol(record->version));
    text(out, NAME("method"), record->method);
    text(out, NAME("path"), record->path);
    number(out, NAME("status"), record->status);
    number(out, NAME("duration_us"), record->duration_us);
    number(out, NAME("request_bytes"), record->request_bytes);
    number(out, NAME("response_bytes"), record->response_bytes);
    text(out, NAME("user_agent"), record->user_agent);
}

static void write_exchange(struct gw_buf *out, const struct gw_request_record *record)
{
    text(out, NAME("task"), gw_task_name(record->task));
    text(out, NAME("model"), record->model);
    text(out, NAME("model_group"), record->model_group);
    text(out, NAME("deployment"), record->deployment);
    text(out, NAME("provider"), record->provider);
    if (record->is_stream) {
        (void)gw_buf_append(out, GW_STR(",\"stream\":true"));
    }
    number_if_any(out, NAME("exchanges"), record->exchanges);
    number_if_any(out, NAME("recoveries"), record->recoveries);
    number_if_any(out, NAME("upstream_status"), record->upstream_status);
    number_if_any(out, NAME("upstream_connect_us"), record->upstream_connect_us);
    number_if_any(out, NAME("upstream_first_chunk_us"), record->upstream_first_chunk_us);
}

static void write_usage(struct gw_buf *out, const struct gw_usage *usage)
{
    if (!usage->is_known) {
        return;
    }
    number(out, NAME("input_tokens"), usage->input_tokens);
    number(out, NAME("output_tokens"), usage->output_tokens);
    number_if_any(out, NAME("cached_tokens"), usage->cached_tokens);
    number_if_any(out, NAME("reasoning_tokens"), usage->reasoning_tokens);
    if (usage->is_estimated) {
        (void)gw_buf_append(out, GW_STR(",\"usage_estimated\":true"));
    }
}

/* Appends a line; without effect when it does not fit. */
static bool add_line(struct gw_access_log *log, const struct gw_request_record *record)
{
    struct gw_buf *out = &log->lines;
    size_t before = out->len;
    write_request(out, gw_clock_rfc3339(&log->time, record->started_wall_ms), record);
    write_exchange(out, record);
    write_usage(out, &record->usage);
    text(out, NAME("finish_reason"), record->finish_reason);
    if (record->error.class != GW_ERROR_NONE) {
        struct gw_str message = record->error.message;
        message.len = message.len < ERROR_TEXT_BYTES ? message.len : ERROR_TEXT_BYTES;
        text(out, NAME("error_class"), gw_error_class_name(record->error.class));
        text(out, NAME("error"), message);
        text(out, NAME("error_detail"), record->error.detail); /* an excerpt of some 250 bytes */
    }
    (void)gw_buf_append(out, GW_STR("}\n"));
    bool fits = out->err == GW_OK;
    if (!fits) {
        out->len = before;
        out->err = GW_OK;
    }
    return fits;
}

void gw_access_log_add(struct gw_access_log *log, const struct gw_request_record *record)
{
    if (log->sink == NULL || add_line(log, record)) {
        return;
    }
    /* The turn has more than fits. A line alone always does: a path is its longest part. */
    gw_access_log_flush(log);
    (void)add_line(log, record);
}
