/* SPDX-License-Identifier: MIT */
/* provider/openai_tee - see the header. Everything read here is advisory: what cannot be read is
 * still forwarded. */
#include "provider/openai_tee.h"

#include <stdio.h>

#include "base/assert.h"
#include "json/scan.h"

void gw_openai_tee_init(struct gw_openai_tee *tee, enum gw_tee_mode mode, bool hides_usage,
                        gw_tee_forward_fn *forward, void *user)
{
    *tee = (struct gw_openai_tee){
        .mode = mode, .hides_usage = hides_usage, .forward = forward, .user = user};
    gw_sse_init(&tee->sse, GW_TEE_MAX_EVENT_BYTES);
    gw_buf_init(&tee->body, GW_TEE_MAX_BODY_BYTES);
}

void gw_openai_tee_fini(struct gw_openai_tee *tee)
{
    gw_sse_fini(&tee->sse);
    gw_buf_fini(&tee->body);
}

/* ---- usage ---- */

static void read_number(struct gw_str object, struct gw_str path, uint64_t *out)
{
    struct gw_json_member found;
    uint64_t value = 0;
    if (gw_json_find(object, path, &found) && gw_json_decode_u64(found.value, &value) == GW_OK) {
        *out = value;
    }
}

static enum gw_err on_usage_member(void *user, const struct gw_json_member *member)
{
    struct gw_usage *usage = user;
    struct gw_str key = member->key;
    /* Chat and completions say prompt/completion, Responses and transcriptions say input/output. */
    if (gw_str_eq(key, GW_STR("prompt_tokens")) || gw_str_eq(key, GW_STR("input_tokens"))) {
        usage->is_known =
            gw_json_decode_u64(member->value, &usage->input_tokens) == GW_OK || usage->is_known;
    } else if (gw_str_eq(key, GW_STR("completion_tokens")) ||
               gw_str_eq(key, GW_STR("output_tokens"))) {
        usage->is_known =
            gw_json_decode_u64(member->value, &usage->output_tokens) == GW_OK || usage->is_known;
    } else if (member->type == GW_JSON_OBJECT && (gw_str_eq(key, GW_STR("prompt_tokens_details")) ||
                                                  gw_str_eq(key, GW_STR("input_tokens_details")))) {
        read_number(member->value, GW_STR("cached_tokens"), &usage->cached_tokens);
        read_number(member->value, GW_STR("cache_write_tokens"), &usage->cache_write_tokens);
    } else if (member->type == GW_JSON_OBJECT &&
               (gw_str_eq(key, GW_STR("completion_tokens_details")) ||
                gw_str_eq(key, GW_STR("output_tokens_details")))) {
        read_number(member->value, GW_STR("reasoning_tokens"), &usage->reasoning_tokens);
    }
    return GW_OK;
}

static void read_usage(struct gw_openai_tee *tee, struct gw_str object)
{
    struct gw_usage usage = {0};
    enum gw_json_type type = GW_JSON_NULL;
    if (gw_json_scan(object, on_usage_member, &usage, &type, NULL) == GW_OK && usage.is_known) {
        tee->usage = usage;
    }
}

/* ---- one document: an event's data, or the plain answer ---- */

struct document {
    struct gw_str choices; /* each ptr NULL when absent */
    struct gw_str usage;
    struct gw_str error;
    struct gw_str response;
    struct gw_str type;
    struct gw_str delta;
    struct gw_str output;
};

static enum gw_err on_document_member(void *user, const struct gw_json_member *member)
{
    struct document *doc = user;
    static const struct {
        struct gw_str key;
        enum gw_json_type type;
        size_t offset;
    } wanted[] = {
        {GW_STR_INIT("choices"), GW_JSON_ARRAY, offsetof(struct document, choices)},
        {GW_STR_INIT("usage"), GW_JSON_OBJECT, offsetof(struct document, usage)},
        {GW_STR_INIT("error"), GW_JSON_OBJECT, offsetof(struct document, error)},
        {GW_STR_INIT("response"), GW_JSON_OBJECT, offsetof(struct document, response)},
        {GW_STR_INIT("type"), GW_JSON_STRING, offsetof(struct document, type)},
        {GW_STR_INIT("delta"), GW_JSON_STRING, offsetof(struct document, delta)},
        {GW_STR_INIT("output"), GW_JSON_ARRAY, offsetof(struct document, output)},
    };
    for (size_t i = 0; i < GW_ARRAY_LEN(wanted); i++) {
        if (member->type == wanted[i].type && gw_str_eq(member->key, wanted[i].key)) {
            *(struct gw_str *)(void *)((char *)doc + wanted[i].offset) = member->value;
            return GW_OK;
        }
    }
    return GW_OK;
}

/* The inside of a string value, cut to |size|, escapes as written: for the log. */
static void keep_text(struct gw_str value, char *out, size_t size)
{
    snprintf(out, size, GW_STR_FMT, (int)(value.len - 2), value.ptr + 1);
}

static void count_text(struct gw_openai_tee *tee, struct gw_str object, struct gw_str key)
{
    struct gw_json_member found;
    if (gw_json_find(object, key, &found) && found.type == GW_JSON_STRING) {
        tee->output_bytes += found.value.len - 2;
    }
}

static enum gw_err on_choice_member(void *user, const struct gw_json_member *member)
{
    struct gw_openai_tee *tee = user;
    if (member->type == GW_JSON_STRING && gw_str_eq(member->key, GW_STR("finish_reason"))) {
        keep_text(member->value, tee->finish_reason, sizeof(tee->finish_reason));
        tee->is_finished = true;
    } else if (member->type == GW_JSON_OBJECT && (gw_str_eq(member->key, GW_STR("delta")) ||
                                                  gw_str_eq(member->key, GW_STR("message")))) {
        count_text(tee, member->value, GW_STR("content"));
    } else if (member->type == GW_JSON_STRING && gw_str_eq(member->key, GW_STR("text"))) {
        tee->output_bytes += member->value.len - 2;
    }
    return GW_OK;
}

static enum gw_err on_choice(void *user, const struct gw_json_member *choice)
{
    enum gw_json_type type = GW_JSON_NULL;
    return gw_json_scan(choice->value, on_choice_member, user, &type, NULL);
}

static void read_error(struct gw_openai_tee *tee, struct gw_str object)
{
    struct gw_json_member found;
    tee->has_error = true;
    if (gw_json_find(object, GW_STR("message"), &found) && found.type == GW_JSON_STRING) {
        keep_text(found.value, tee->error_text, sizeof(tee->error_text));
    }
}

/* The last event of a Responses stream carries the whole response with its usage. */
static void read_response_event(struct gw_openai_tee *tee, const struct document *doc)
{
    struct gw_json_member found;
    if (gw_str_eq(doc->type, GW_STR("\"response.completed\"")) ||
        gw_str_eq(doc->type, GW_STR("\"response.incomplete\"")) ||
        gw_str_eq(doc->type, GW_STR("\"response.failed\""))) {
        tee->is_finished = true;
        keep_text(gw_str_skip(doc->type, sizeof("response.") - 1), tee->finish_reason,
                  sizeof(tee->finish_reason));
    }
    if (doc->response.ptr != NULL && gw_json_find(doc->response, GW_STR("usage"), &found) &&
        found.type == GW_JSON_OBJECT) {
        read_usage(tee, found.value);
    }
}

/* Reads one document; returns whether it is an event that carries usage and nothing else. */
static bool read_document(struct gw_openai_tee *tee, struct gw_str text)
{
    struct document doc = {0};
    enum gw_json_type type = GW_JSON_NULL;
    if (gw_json_scan(text, on_document_member, &doc, &type, NULL) != GW_OK) {
        return false;
    }
    bool has_choices = false;
    if (doc.choices.ptr != NULL) {
        has_choices = gw_str_trim(gw_str(doc.choices.ptr + 1, doc.choices.len - 2)).len > 0;
        gw_err_ignore(gw_json_each(doc.choices, on_choice,
                                   tee)); /* the text is valid, and on_choice only reads */
    }
    if (doc.usage.ptr != NULL) {
        read_usage(tee, doc.usage);
    }
    if (doc.error.ptr != NULL) {
        read_error(tee, doc.error);
    }
    if (doc.type.ptr != NULL) {
        read_response_event(tee, &doc);
    }
    if (doc.delta.ptr != NULL) {
        tee->output_bytes += doc.delta.len - 2;
    }
    return doc.choices.ptr != NULL && !has_choices && doc.usage.ptr != NULL;
}

/* ---- streams ---- */

static enum gw_err flush_pending(struct gw_openai_tee *tee)
{
    struct gw_str run = tee->pending;
    tee->pending = gw_str(NULL, 0);
    return run.len > 0 ? tee->forward(tee->user, run) : GW_OK;
}

/* Events that lie behind each other in the read buffer go on as one write. */
static enum gw_err forward_event(struct gw_openai_tee *tee, struct gw_str raw)
{
    if (tee->pending.len > 0 && tee->pending.ptr + tee->pending.len == raw.ptr) {
        tee->pending.len += raw.len;
        return GW_OK;
    }
    enum gw_err err = flush_pending(tee);
    tee->pending = raw;
    return err;
}

static enum gw_err on_event(void *user, const struct gw_sse_event *event)
{
    struct gw_openai_tee *tee = user;
    bool is_usage_only = false;
    if (event->data.ptr != NULL) {
        tee->event_count++;
        if (gw_str_has_prefix(event->data, GW_STR("[DONE]"))) {
            tee->is_finished = true;
        } else {
            is_usage_only = read_document(tee, event->data);
        }
    } else if (event->other.len > 0 && event->other.ptr[0] == '{') {
        (void)read_document(tee, event->other); /* Ollama writes an error as a bare JSON line */
    } else if (gw_str_has_prefix(event->other, GW_STR("error:"))) {
        (void)read_document(tee,
                            gw_str_skip(event->other, sizeof("error:") - 1)); /* older llama.cpp */
        tee->has_error = true;
    }
    if (is_usage_only && tee->hides_usage) {
        return GW_OK;
    }
    enum gw_err err = forward_event(tee, event->raw);
    /* An event out of the parser's own tail buffer is only lent until this callback returns. */
    if (err == GW_OK && tee->sse.tail.len > 0) {
        err = flush_pending(tee);
    }
    return err;
}

static enum gw_err feed_stream(struct gw_openai_tee *tee, struct gw_str bytes)
{
    enum gw_err err = gw_sse_feed(&tee->sse, bytes, on_event, tee);
    enum gw_err flushed = flush_pending(tee);
    return err != GW_OK ? err : flushed;
}

/* ---- plain answers ---- */

static enum gw_err feed_plain(struct gw_openai_tee *tee, struct gw_str bytes)
{
    if (gw_buf_append(&tee->body, bytes) != GW_OK) { /* too long to be read; it still passes */
        gw_buf_fini(&tee->body);
        tee->mode = GW_TEE_RAW;
    }
    return tee->forward(tee->user, bytes);
}

enum gw_err gw_openai_tee_feed(struct gw_openai_tee *tee, struct gw_str bytes)
{
    switch (tee->mode) {
    case GW_TEE_RAW:
        return tee->forward(tee->user, bytes);
    case GW_TEE_PLAIN:
        return feed_plain(tee, bytes);
    case GW_TEE_STREAM:
        return feed_stream(tee, bytes);
    }
    GW_UNREACHABLE("tee mode");
}

enum gw_err gw_openai_tee_end(struct gw_openai_tee *tee)
{
    if (tee->mode == GW_TEE_PLAIN) {
        (void)read_document(tee, gw_buf_str(&tee->body));
        return GW_OK;
    }
    if (tee->mode == GW_TEE_RAW) {
        return GW_OK;
    }
    if (gw_sse_rest(&tee->sse).len > 0) {
        enum gw_err err = feed_stream(tee, GW_STR("\n\n"));
        if (err != GW_OK) {
            return err;
        }
    }
    return tee->is_finished || tee->has_error ? GW_OK : GW_ERR_EOF;
}
