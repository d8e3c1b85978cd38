/* SPDX-License-Identifier: MIT */
/* provider/relay - bytes to the client, events to the facts. */
#include "provider/relay.h"

static enum gw_err on_decoded(void *user, const struct gw_event *event)
{
    struct gw_relay *relay = user;
    gw_facts_note(relay->facts, event);
    return GW_OK;
}

void gw_relay_init(struct gw_relay *relay, const struct gw_relay_opts *opts)
{
    struct gw_str type = opts->content_type;
    *relay = (struct gw_relay){
        .api = opts->api,
        .is_stream = opts->mode == GW_DECODE_STREAM,
        .is_events = gw_str_has_prefix_nocase(type, GW_STR("text/event-stream")),
        .facts = opts->facts,
        .forward = opts->forward,
        .user = opts->user,
    };
    struct gw_decoder_opts decoder = {.mode = opts->mode,
                                      .content_type = type,
                                      .upstream_model = opts->upstream_model,
                                      .on_event = on_decoded,
                                      .user = relay};
    relay->decoder = opts->api->decoder_create(&decoder);
    gw_sse_init(&relay->sse, GW_PROVIDER_MAX_EVENT_BYTES);
}

static void stop_reading(struct gw_relay *relay)
{
    if (relay->decoder != NULL) {
        relay->api->decoder_destroy(relay->decoder);
        relay->decoder = NULL;
    }
}

void gw_relay_fini(struct gw_relay *relay)
{
    stop_reading(relay);
    gw_sse_fini(&relay->sse);
}

static void read_along(struct gw_relay *relay, struct gw_str bytes)
{
    if (relay->decoder != NULL && relay->api->feed(relay->decoder, bytes) != GW_OK) {
        stop_reading(relay);
    }
}

static void end_reading(struct gw_relay *relay)
{
    enum gw_err err = relay->decoder != NULL ? relay->api->end(relay->decoder) : GW_OK;
    (void)err; /* the facts tell what it found */
    stop_reading(relay);
}

static enum gw_err on_sse_event(void *user, const struct gw_sse_event *event)
{
    struct gw_relay *relay = user;
    read_along(relay, event->raw);
    if (relay->is_at_end) {
        end_reading(relay); /* Google's errors in mid-stream are bare JSON: known only now */
    }
    /* Half an event: what the gateway says about the break must stand alone. */
    if (relay->is_at_end && !relay->facts->is_finished && !relay->facts->has_error) {
        return GW_OK;
    }
    return relay->forward(relay->user, event->raw);
}

enum gw_err gw_relay_feed(struct gw_relay *relay, struct gw_str bytes)
{
    if (relay->is_events) {
        return gw_sse_feed(&relay->sse, bytes, on_sse_event, relay);
    }
    read_along(relay, bytes);
    return relay->forward(relay->user, bytes);
}

enum gw_err gw_relay_end(struct gw_relay *relay)
{
    bool is_read = relay->decoder != NULL;
    relay->is_at_end = true;
    enum gw_err err = relay->is_events ? gw_sse_finish(&relay->sse, on_sse_event, relay) : GW_OK;
    end_reading(relay);
    if (err != GW_OK || !relay->is_stream || !is_read) {
        return err;
    }
    return relay->facts->is_finished || relay->facts->has_error ? GW_OK : GW_ERR_EOF;
}
