/* SPDX-License-Identifier: MIT */
/* provider/openai_tee - see the header. Everything read here is advisory: what cannot be read is
 * still forwarded. */
#include "provider/openai_tee.h"
#include "base/assert.h"
#include "json/keys.h"
#include "json/scan.h"

void gw_openai_tee_init(struct gw_openai_tee *tee, enum gw_tee_mode mode, bool hides_usage,
                        struct gw_answer_facts *facts, gw_tee_forward_fn *forward, void *user)
{
    *tee = (struct gw_openai_tee){
        .mode = mode, .hides_usage = hides_usage, .facts = facts, .forward = forward, .user = user};
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
        tee->facts->usage = usage;
    }
}

/* ---- one document: an event's data, or the plain answer ---- */

struct reading {
    struct gw_openai_tee *tee;
    bool has_choices; /* the member is there and not empty */
    bool has_empty_choices;
    bool has_usage;
};

/* The inside of a string value, cut to |size|, escapes as written: for the log. */
static void keep_text(struct gw_str value, char *out, size_t size)
{
    size_t len = value.len - 2 < size ? value.len - 2 : size - 1;
    memcpy(out, value.ptr + 1, len);
    out[len] = '\0';
}

static void on_usage(struct reading *reading, struct gw_str value)
{
    struct gw_str object;
    if (value.ptr[0] == '{' && gw_json_first_value(value, &object)) {
        reading->has_usage = true;
        read_usage(reading->tee, object);
    }
}

static void on_error(struct reading *reading, struct gw_str value)
{
    struct gw_str object;
    struct gw_json_member found;
    if (value.ptr[0] != '{' || !gw_json_first_value(value, &object)) {
        return;
    }
    reading->tee->facts->has_error = true;
    if (gw_json_find(object, GW_STR("message"), &found) && found.type == GW_JSON_STRING) {
        keep_text(found.value, reading->tee->facts->error_text,
                  sizeof(reading->tee->facts->error_text));
    }
}

static void on_choices(struct reading *reading, struct gw_str value)
{
    if (value.ptr[0] == '[') {
        struct gw_str inside = gw_str_skip(value, 1);
        while (inside.len > 0 && memchr(" \t\r\n", inside.ptr[0], 4) != NULL) {
            inside = gw_str_skip(inside, 1);
        }
        bool is_empty = inside.len > 0 && inside.ptr[0] == ']';
        reading->has_empty_choices = reading->has_empty_choices || is_empty;
        reading->has_choices = reading->has_choices || !is_empty;
    }
}

static void on_finish_reason(struct reading *reading, struct gw_str value)
{
    if (value.ptr[0] == '"') {
        keep_text(value, reading->tee->facts->finish_reason,
                  sizeof(reading->tee->facts->finish_reason));
        reading->tee->facts->is_finished = true;
    }
}

/* Streams without [DONE] tell their last event by its type: Responses, transcriptions, speech,
 * images. */
static void on_type(struct reading *reading, struct gw_str value)
{
    static const struct {
        struct gw_str type;
        struct gw_str reason;
    } last[] = {
        {GW_STR_INIT("\"response.completed\""), GW_STR_INIT("\"completed\"")},
        {GW_STR_INIT("\"response.incomplete\""), GW_STR_INIT("\"incomplete\"")},
        {GW_STR_INIT("\"response.failed\""), GW_STR_INIT("\"failed\"")},
        {GW_STR_INIT("\"transcript.text.done\""), GW_STR_INIT("\"done\"")},
        {GW_STR_INIT("\"speech.audio.done\""), GW_STR_INIT("\"done\"")},
        {GW_STR_INIT("\"image_generation.completed\""), GW_STR_INIT("\"completed\"")},
        {GW_STR_INIT("\"image_edit.completed\""), GW_STR_INIT("\"completed\"")},
    };
    for (size_t i = 0; i < GW_ARRAY_LEN(last); i++) {
        if (gw_str_eq(value, last[i].type)) {
            reading->tee->facts->is_finished = true;
            keep_text(last[i].reason, reading->tee->facts->finish_reason,
                      sizeof(reading->tee->facts->finish_reason));
        }
    }
}

static void on_text(struct reading *reading, struct gw_str value)
{
    if (value.ptr[0] == '"') {
        reading->tee->facts->output_bytes += value.len - 2;
    }
}

/* Most of an event's names are none of these: length and first byte tell before any comparison. */
static void on_key(void *user, struct gw_str key, struct gw_str value)
{
    static const struct {
        struct gw_str key;
        void (*read)(struct reading *reading, struct gw_str value);
    } wanted[] = {
        {GW_STR_INIT("content"), on_text},
        {GW_STR_INIT("choices"), on_choices},
        {GW_STR_INIT("finish_reason"), on_finish_reason},
        {GW_STR_INIT("usage"), on_usage},
        {GW_STR_INIT("error"), on_error},
        {GW_STR_INIT("delta"), on_text}, /* Responses: the text itself */
        {GW_STR_INIT("text"), on_text},
        {GW_STR_INIT("type"), on_type},
        {GW_STR_INIT("arguments"), on_text},
        {GW_STR_INIT("reasoning"), on_text},
        {GW_STR_INIT("reasoning_content"), on_text},
    };
    /* Bit n: a wanted name has n bytes (4, 5, 7, 9, 13, 17). */
    const uint32_t lengths = 1u << 4 | 1u << 5 | 1u << 7 | 1u << 9 | 1u << 13 | 1u << 17;
    if (key.len > 17 || (lengths >> key.len & 1) == 0) {
        return;
    }
    for (size_t i = 0; i < GW_ARRAY_LEN(wanted); i++) {
        if (key.len == wanted[i].key.len && key.ptr[0] == wanted[i].key.ptr[0] &&
            gw_str_eq(key, wanted[i].key)) {
            wanted[i].read(user, value);
            return;
        }
    }
}

/* Reads one document; returns whether it is an event that carries usage and no choice. */
static bool read_document(struct gw_openai_tee *tee, struct gw_str text)
{
    struct reading reading = {.tee = tee};
    gw_json_keys(text, on_key, &reading);
    return reading.has_usage && reading.has_empty_choices && !reading.has_choices;
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

/* What a usage event has at its top, once each, and nothing that a client waits for. */
struct usage_event {
    unsigned empty_choices;
    unsigned usages;
};

static enum gw_err on_usage_event_member(void *user, const struct gw_json_member *member)
{
    struct usage_event *seen = user;
    if (gw_json_key_is(member, GW_STR("choices"))) {
        bool is_empty = member->type == GW_JSON_ARRAY &&
                        gw_str_trim(gw_str(member->value.ptr + 1, member->value.len - 2)).len == 0;
        seen->empty_choices += is_empty ? 1 : 2;
    } else if (gw_json_key_is(member, GW_STR("usage"))) {
        seen->usages += member->type == GW_JSON_OBJECT ? 1 : 2;
    }
    return GW_OK;
}

/* Dropping bytes wants more than a look in passing: the event must be one valid document, and the
 * members must be its own, not those of something inside it. */
static bool is_usage_event(struct gw_str data)
{
    struct usage_event seen = {0};
    enum gw_json_type type = GW_JSON_NULL;
    return gw_json_scan(data, on_usage_event_member, &seen, &type, NULL) == GW_OK &&
           type == GW_JSON_OBJECT && seen.empty_choices == 1 && seen.usages == 1;
}

/* What came before an error goes on without it, so that whoever forwards can keep the error back.
 */
static enum gw_err flush_before_error(struct gw_openai_tee *tee, bool had_error)
{
    if (had_error || !tee->facts->has_error) {
        return GW_OK;
    }
    tee->facts->has_error = false;
    enum gw_err err = flush_pending(tee);
    tee->facts->has_error = true;
    return err;
}

static enum gw_err on_event(void *user, const struct gw_sse_event *event)
{
    struct gw_openai_tee *tee = user;
    bool is_usage_only = false;
    bool had_error = tee->facts->has_error;
    if (event->data.ptr != NULL) {
        tee->facts->event_count++;
        if (gw_str_has_prefix(event->data, GW_STR("[DONE]"))) {
            tee->facts->is_finished = true;
            tee->facts->is_ended = true;
        } else {
            is_usage_only = read_document(tee, event->data);
        }
    } else if (event->other.len > 0 && event->other.ptr[0] == '{') {
        (void)read_document(tee, event->other); /* Ollama writes an error as a bare JSON line */
    } else if (gw_str_has_prefix(event->other, GW_STR("error:"))) {
        (void)read_document(tee,
                            gw_str_skip(event->other, sizeof("error:") - 1)); /* older llama.cpp */
        tee->facts->has_error = true;
    }
    if (is_usage_only && tee->hides_usage && is_usage_event(event->data)) {
        return GW_OK;
    }
    /* What is left of a stream that broke off is half an event, or one that nobody will read: its
     * blank line is missing, and what the gateway says about the break must stand alone. */
    if (tee->is_at_end && !tee->facts->is_finished && !tee->facts->has_error) {
        return GW_OK;
    }
    enum gw_err err = flush_before_error(tee, had_error);
    err = err == GW_OK ? forward_event(tee, event->raw) : err;
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
    tee->is_at_end = true;
    enum gw_err err = gw_sse_finish(&tee->sse, on_event, tee);
    if (err != GW_OK) {
        return err;
    }
    return tee->facts->is_finished || tee->facts->has_error ? GW_OK : GW_ERR_EOF;
}
