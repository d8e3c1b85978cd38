/* SPDX-License-Identifier: MIT */
/* core/recovery - see the header. */
#include "core/recovery.h"

#include "base/alloc.h"
#include "json/value.h"

struct gw_recovery *gw_recovery_create(bool is_wanted)
{
    struct gw_recovery *recovery = gw_try_alloc(sizeof(*recovery));
    if (recovery == NULL) {
        return NULL;
    }
    *recovery = (struct gw_recovery){.is_wanted = is_wanted};
    gw_buf_init(&recovery->text, GW_RECOVERY_TEXT_BYTES);
    gw_buf_init(&recovery->id, GW_RECOVERY_NAME_BYTES);
    gw_buf_init(&recovery->model, GW_RECOVERY_NAME_BYTES);
    gw_buf_init(&recovery->before, GW_RECOVERY_TEXT_BYTES);
    gw_buf_init(&recovery->joined, GW_PROVIDER_MAX_ANSWER_BYTES);
    return recovery;
}

static void stop_reading(struct gw_recovery *recovery)
{
    if (recovery->decoder != NULL) {
        recovery->api->decoder_destroy(recovery->decoder);
        recovery->decoder = NULL;
    }
}

void gw_recovery_destroy(struct gw_recovery **recovery)
{
    struct gw_recovery *old = *recovery;
    if (old == NULL) {
        return;
    }
    stop_reading(old);
    gw_buf_fini(&old->before);
    gw_buf_fini(&old->joined);
    gw_buf_fini(&old->text);
    gw_buf_fini(&old->id);
    gw_buf_fini(&old->model);
    gw_free(old);
    *recovery = NULL;
}

void gw_recovery_forget(struct gw_recovery *recovery)
{
    stop_reading(recovery);
    gw_buf_reset(&recovery->text);
    gw_buf_reset(&recovery->id);
    gw_buf_reset(&recovery->model);
    recovery->created_s = 0;
    recovery->has_start = false;
    recovery->is_off = false;
    recovery->is_reasoning = false;
    recovery->has_output = false;
}

/* ---- taking notes ---- */

static void note_start(struct gw_recovery *recovery, const struct gw_event_start *start)
{
    gw_buf_reset(&recovery->id);
    gw_buf_reset(&recovery->model);
    (void)gw_buf_append(&recovery->id, start->id); /* one that does not fit is replaced by ours */
    (void)gw_buf_append(&recovery->model, start->model);
    recovery->created_s = start->created_s;
    recovery->has_start = true;
}

/* Text alone can be handed to another model to go on with. */
static void note(struct gw_recovery *recovery, const struct gw_event *event)
{
    recovery->has_output = recovery->has_output || gw_event_is_output(event);
    if (recovery->is_guarded &&
        (event->type == GW_EVENT_TEXT || event->type == GW_EVENT_REASONING)) {
        gw_slow_stream_feed_bytes(&recovery->slow, event->text.len);
    }
    switch (event->type) {
    case GW_EVENT_START:
        note_start(recovery, &event->start);
        break;
    case GW_EVENT_TEXT:
        recovery->is_reasoning = recovery->is_reasoning && event->text.len == 0;
        recovery->is_off = recovery->is_off || event->logprobs.len > 0;
        if (recovery->is_wanted) {
            (void)gw_buf_append(&recovery->text, event->text); /* sticky */
        }
        break;
    case GW_EVENT_REASONING:
    case GW_EVENT_REASONING_SIGNATURE:
    case GW_EVENT_REASONING_REDACTED:
        recovery->is_reasoning = true;
        break;
    case GW_EVENT_REFUSAL:
    case GW_EVENT_MEDIA:
    case GW_EVENT_ANNOTATION:
    case GW_EVENT_TOOL_BEGIN:
    case GW_EVENT_TOOL_ARGUMENTS:
    case GW_EVENT_TOOL_END:
    case GW_EVENT_FINISH:
        recovery->is_off = true;
        break;
    case GW_EVENT_USAGE:
    case GW_EVENT_ERROR:
    case GW_EVENT_PING:
    case GW_EVENT_END:
    case GW_EVENT_TYPE_COUNT:
        break;
    }
}

/* ---- the answer goes on ---- */

static enum gw_err pass(struct gw_recovery *recovery, const struct gw_event *event,
                        gw_on_event_fn *emit, void *user)
{
    note(recovery, event);
    return emit(user, event);
}

/* What came out of the seam. */
static enum gw_err pass_joined(struct gw_recovery *recovery, gw_on_event_fn *emit, void *user)
{
    struct gw_event event = {.type = GW_EVENT_TEXT, .text = gw_buf_str(&recovery->joined)};
    return event.text.len > 0 ? pass(recovery, &event, emit, user) : GW_OK;
}

static enum gw_err join_text(struct gw_recovery *recovery, struct gw_str text, gw_on_event_fn *emit,
                             void *user)
{
    gw_buf_reset(&recovery->joined);
    enum gw_err err = gw_continuation_join_feed(&recovery->join, text, &recovery->joined);
    return err == GW_OK ? pass_joined(recovery, emit, user) : err;
}

static enum gw_err end_join(struct gw_recovery *recovery, gw_on_event_fn *emit, void *user)
{
    gw_buf_reset(&recovery->joined);
    enum gw_err err = gw_continuation_join_end(&recovery->join, &recovery->joined);
    return err == GW_OK ? pass_joined(recovery, emit, user) : err;
}

/* Has the client no use for it? It has a beginning, and behind text it expects no reasoning. */
static bool is_left_out(const struct gw_recovery *recovery, const struct gw_event *event)
{
    switch (event->type) {
    case GW_EVENT_START:
        return recovery->has_start;
    case GW_EVENT_REASONING:
    case GW_EVENT_REASONING_SIGNATURE:
    case GW_EVENT_REASONING_REDACTED:
        return recovery->text.len > 0;
    default:
        return false;
    }
}

static enum gw_err join(struct gw_recovery *recovery, const struct gw_event *event,
                        gw_on_event_fn *emit, void *user)
{
    struct gw_event changed = *event;
    enum gw_err err = GW_OK;
    if (is_left_out(recovery, event)) {
        return GW_OK;
    }
    switch (event->type) {
    case GW_EVENT_TEXT:
        return join_text(recovery, event->text, emit, user);
    case GW_EVENT_USAGE:
        changed.usage = gw_recovery_sum(&recovery->spent, &event->usage);
        break;
    case GW_EVENT_START:
    case GW_EVENT_PING:
        break;
    default: /* what is held back comes before anything else */
        err = end_join(recovery, emit, user);
        break;
    }
    return err == GW_OK ? pass(recovery, &changed, emit, user) : err;
}

enum gw_err gw_recovery_pass(struct gw_recovery *recovery, const struct gw_event *event,
                             gw_on_event_fn *emit, void *user)
{
    return recovery->is_continuing ? join(recovery, event, emit, user)
                                   : pass(recovery, event, emit, user);
}

/* ---- a verbatim answer ---- */

static enum gw_err on_event(void *user, const struct gw_event *event)
{
    note(user, event);
    return GW_OK;
}

void gw_recovery_read_along(struct gw_recovery *recovery, const struct gw_provider_api *api,
                            const struct gw_decoder_opts *opts)
{
    struct gw_decoder_opts own = *opts;
    own.on_event = on_event;
    own.user = recovery;
    stop_reading(recovery);
    recovery->api = api;
    recovery->decoder = api->decoder_create(&own);
    recovery->is_off = recovery->decoder == NULL;
}

void gw_recovery_read(struct gw_recovery *recovery, struct gw_str bytes)
{
    if (recovery->decoder != NULL && recovery->api->feed(recovery->decoder, bytes) != GW_OK) {
        recovery->is_off = true; /* what the client has of it is not known */
        stop_reading(recovery);
    }
}

/* ---- may it go on? ---- */

bool gw_recovery_is_possible(const struct gw_recovery *recovery)
{
    bool has_text = recovery->is_wanted && recovery->text.len > 0 && recovery->text.err == GW_OK;
    return !recovery->is_off && !recovery->is_reasoning && recovery->count < GW_RECOVERY_MAX &&
           (has_text || !recovery->has_output);
}

static bool is_plain_text(yyjson_val *format)
{
    return format == NULL || gw_json_is(gw_json_get(format, "type"), GW_STR("text"));
}

bool gw_recovery_allows(yyjson_val *chat)
{
    return gw_json_get_u64(chat, "n", 1) == 1 && !gw_json_get_true(chat, "logprobs") &&
           gw_json_get(chat, "audio") == NULL &&
           is_plain_text(gw_json_get(chat, "response_format"));
}

void gw_recovery_continue(struct gw_recovery *recovery, const struct gw_usage *usage, bool repeats)
{
    stop_reading(recovery);
    recovery->spent = gw_recovery_sum(&recovery->spent, usage);
    recovery->is_continuing = true;
    recovery->is_moved = false;
    recovery->count++;
    gw_buf_reset(&recovery->before);
    (void)gw_buf_append(&recovery->before, gw_buf_str(&recovery->text)); /* of the same size */
    gw_continuation_join_init(&recovery->join, gw_buf_str(&recovery->before), repeats);
}

struct gw_usage gw_recovery_sum(const struct gw_usage *a, const struct gw_usage *b)
{
    return (struct gw_usage){
        .input_tokens = a->input_tokens + b->input_tokens,
        .cached_tokens = a->cached_tokens + b->cached_tokens,
        .cache_write_tokens = a->cache_write_tokens + b->cache_write_tokens,
        .output_tokens = a->output_tokens + b->output_tokens,
        .reasoning_tokens = a->reasoning_tokens + b->reasoning_tokens,
        .is_known = a->is_known || b->is_known,
        .is_estimated = a->is_estimated || b->is_estimated,
    };
}
