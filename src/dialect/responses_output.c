/* SPDX-License-Identifier: MIT */
/*
 * dialect/responses_output - output items: announced, filled piece by piece, closed.
 *
 * One is open at a time, as clients know it from OpenAI. Only calls whose arguments the provider
 * interleaves are open beside each other: each event names its item, so nothing is held back.
 */
#include "dialect/responses_int.h"

#include "base/alloc.h"
#include "llm/answer.h"
#include "llm/custom_tools.h"
#include "json/scan.h"
#include "json/value.h"
#include "json/write.h"

#define ITEM_MAX_BYTES (2u * GW_ANSWER_MAX_BYTES)
#define ID_MAX_BYTES   4096

/* ---- events ---- */

bool gw_responses_begin_event(struct gw_encoder *encoder, struct gw_str type, struct gw_buf *out)
{
    if (encoder->is_plain) {
        return false;
    }
    (void)gw_buf_append(out, GW_STR("event: "));
    (void)gw_buf_append(out, type);
    (void)gw_buf_append(out, GW_STR("\ndata: {\"type\":\""));
    (void)gw_buf_append(out, type);
    (void)gw_buf_append_byte(out, '"');
    return true;
}

void gw_responses_end_event(struct gw_encoder *encoder, struct gw_buf *out)
{
    (void)gw_buf_append(out, GW_STR(",\"sequence_number\":"));
    (void)gw_buf_append_u64(out, encoder->sequence++);
    (void)gw_buf_append(out, GW_STR("}\n\n"));
}

bool gw_responses_begin_item_event(struct gw_encoder *encoder, const struct gw_responses_item *item,
                                   struct gw_str type, struct gw_buf *out)
{
    if (!gw_responses_begin_event(encoder, type, out)) {
        return false;
    }
    (void)gw_buf_append(out, GW_STR(",\"item_id\":\""));
    (void)gw_buf_append(out, gw_buf_str(&item->id));
    (void)gw_buf_append(out, GW_STR("\",\"output_index\":"));
    (void)gw_buf_append_u64(out, (uint64_t)(item - encoder->items));
    return true;
}

static bool begin_part_event(struct gw_encoder *encoder, const struct gw_responses_item *item,
                             struct gw_str type, struct gw_buf *out)
{
    if (!gw_responses_begin_item_event(encoder, item, type, out)) {
        return false;
    }
    bool is_reasoning = item->type == GW_ITEM_REASONING;
    (void)gw_buf_append(out, is_reasoning ? GW_STR(",\"summary_index\":")
                                          : GW_STR(",\"content_index\":"));
    (void)gw_buf_append_u64(out, item->part_count - 1);
    return true;
}

/* ---- new items ---- */

static bool grow(struct gw_encoder *encoder)
{
    if (encoder->item_count < encoder->item_capacity) {
        return true;
    }
    size_t capacity = encoder->item_capacity == 0 ? 4 : encoder->item_capacity * 2;
    struct gw_responses_item *items =
        capacity <= GW_ANSWER_MAX_PARTS ? gw_try_realloc(encoder->items, capacity * sizeof(*items))
                                        : NULL;
    if (items == NULL) {
        encoder->err = GW_ERR_NOMEM;
        return false;
    }
    encoder->items = items;
    encoder->item_capacity = capacity;
    return true;
}

static void make_id(struct gw_encoder *encoder, struct gw_responses_item *item)
{
    static const struct gw_str prefixes[] = {
        [GW_ITEM_REASONING] = GW_STR_INIT("rs_"), [GW_ITEM_MESSAGE] = GW_STR_INIT("msg_"),
        [GW_ITEM_FUNCTION] = GW_STR_INIT("fc_"),  [GW_ITEM_CUSTOM] = GW_STR_INIT("ctc_"),
        [GW_ITEM_IMAGE] = GW_STR_INIT("ig_"),
    };
    struct gw_str id = encoder->opts.request_id;
    id = gw_str_has_prefix(id, GW_STR("req_")) ? gw_str_skip(id, 4) : id;
    (void)gw_buf_append(&item->id, prefixes[item->type]);
    (void)gw_buf_append_json(&item->id, id);
    (void)gw_buf_append_byte(&item->id, '_');
    (void)gw_buf_append_u64(&item->id, encoder->item_count - 1);
}

struct gw_responses_item *gw_responses_new_item(struct gw_encoder *encoder,
                                                enum gw_responses_item_type type)
{
    if (!grow(encoder)) {
        return NULL;
    }
    struct gw_responses_item *item = &encoder->items[encoder->item_count++];
    *item = (struct gw_responses_item){.type = type};
    gw_buf_init(&item->id, ID_MAX_BYTES);
    gw_buf_init(&item->text, ITEM_MAX_BYTES);
    gw_buf_init(&item->parts, ITEM_MAX_BYTES);
    gw_buf_init(&item->notes, ITEM_MAX_BYTES);
    gw_buf_init(&item->logprobs, ITEM_MAX_BYTES);
    gw_buf_init(&item->call_id, ITEM_MAX_BYTES);
    gw_buf_init(&item->name, ITEM_MAX_BYTES);
    gw_buf_init(&item->name_space, ITEM_MAX_BYTES);
    gw_buf_init(&item->done, ITEM_MAX_BYTES);
    make_id(encoder, item);
    return item;
}

/* The item's JSON: as it is announced, or as it ends. */
static void write_item(const struct gw_responses_item *item, struct gw_str status,
                       struct gw_str encrypted, struct gw_buf *out);

void gw_responses_announce(struct gw_encoder *encoder, const struct gw_responses_item *item,
                           struct gw_buf *out)
{
    if (gw_responses_begin_event(encoder, GW_STR("response.output_item.added"), out)) {
        gw_json_write_count(GW_STR("output_index"), (uint64_t)(item - encoder->items), out);
        gw_json_write_key(GW_STR("item"), out);
        write_item(item, GW_STR("in_progress"), gw_str(NULL, 0), out);
        gw_responses_end_event(encoder, out);
    }
}

/* May it be closed because something else begins? A call only when its arguments are complete. */
static bool is_closable(const struct gw_responses_item *item)
{
    if (item->type != GW_ITEM_FUNCTION && !item->is_wrapped) {
        return true;
    }
    return gw_json_scan(gw_buf_str(&item->text), NULL, NULL, NULL, NULL) == GW_OK;
}

struct gw_responses_item *gw_responses_open(struct gw_encoder *encoder,
                                            enum gw_responses_item_type type, struct gw_buf *out)
{
    struct gw_responses_item *last =
        encoder->item_count > 0 ? &encoder->items[encoder->item_count - 1] : NULL;
    bool is_call = type == GW_ITEM_FUNCTION || type == GW_ITEM_CUSTOM;
    if (last != NULL && !last->is_done && last->type == type && !is_call) {
        return last;
    }
    for (size_t i = 0; i < encoder->item_count; i++) {
        if (!encoder->items[i].is_done && is_closable(&encoder->items[i])) {
            gw_responses_close(encoder, &encoder->items[i], gw_str(NULL, 0), out);
        }
    }
    struct gw_responses_item *item = gw_responses_new_item(encoder, type);
    if (item != NULL && !is_call && type != GW_ITEM_IMAGE) {
        gw_responses_announce(encoder, item, out);
    }
    return item;
}

/* ---- parts ---- */

static void write_list(struct gw_str key, const struct gw_buf *elements, struct gw_buf *out)
{
    gw_json_write_key(key, out);
    (void)gw_buf_append_byte(out, '[');
    (void)gw_buf_append(out, gw_buf_str(elements));
    (void)gw_buf_append_byte(out, ']');
}

/* The open part with what it holds so far. */
static void write_part(const struct gw_responses_item *item, struct gw_buf *out)
{
    struct gw_str text = gw_buf_str(&item->text);
    if (item->type == GW_ITEM_REASONING) {
        (void)gw_buf_append(out, GW_STR("{\"type\":\"summary_text\""));
        gw_json_write_member(GW_STR("text"), text, out);
    } else if (item->part == GW_ITEM_PART_REFUSAL) {
        (void)gw_buf_append(out, GW_STR("{\"type\":\"refusal\""));
        gw_json_write_member(GW_STR("refusal"), text, out);
    } else {
        (void)gw_buf_append(out, GW_STR("{\"type\":\"output_text\""));
        gw_json_write_member(GW_STR("text"), text, out);
        write_list(GW_STR("annotations"), &item->notes, out);
        write_list(GW_STR("logprobs"), &item->logprobs, out);
    }
    (void)gw_buf_append_byte(out, '}');
}

static void write_part_event(struct gw_encoder *encoder, const struct gw_responses_item *item,
                             struct gw_str type, struct gw_buf *out)
{
    if (begin_part_event(encoder, item, type, out)) {
        gw_json_write_key(GW_STR("part"), out);
        write_part(item, out);
        gw_responses_end_event(encoder, out);
    }
}

static void close_part(struct gw_encoder *encoder, struct gw_responses_item *item,
                       struct gw_buf *out)
{
    bool is_reasoning = item->type == GW_ITEM_REASONING;
    bool is_refusal = item->part == GW_ITEM_PART_REFUSAL;
    if (item->part == GW_ITEM_PART_NONE) {
        return;
    }
    struct gw_str type = is_reasoning ? GW_STR("response.reasoning_summary_text.done")
                         : is_refusal ? GW_STR("response.refusal.done")
                                      : GW_STR("response.output_text.done");
    if (begin_part_event(encoder, item, type, out)) {
        gw_json_write_member(is_refusal ? GW_STR("refusal") : GW_STR("text"),
                             gw_buf_str(&item->text), out);
        if (!is_reasoning && !is_refusal) {
            write_list(GW_STR("logprobs"), &item->logprobs, out);
        }
        gw_responses_end_event(encoder, out);
    }
    write_part_event(encoder, item,
                     is_reasoning ? GW_STR("response.reasoning_summary_part.done")
                                  : GW_STR("response.content_part.done"),
                     out);
    gw_json_write_next(&item->parts);
    write_part(item, &item->parts);
    item->part = GW_ITEM_PART_NONE;
    item->text.len = 0; /* not reset: a failure must stay */
    item->notes.len = 0;
    item->note_count = 0;
    item->logprobs.len = 0;
}

void gw_responses_open_part(struct gw_encoder *encoder, struct gw_responses_item *item,
                            enum gw_responses_part part, struct gw_buf *out)
{
    if (item->part == part) {
        return;
    }
    close_part(encoder, item, out);
    item->part = part;
    item->part_count++;
    write_part_event(encoder, item,
                     item->type == GW_ITEM_REASONING
                         ? GW_STR("response.reasoning_summary_part.added")
                         : GW_STR("response.content_part.added"),
                     out);
}

/* ---- pieces ---- */

static struct gw_str delta_type(const struct gw_responses_item *item)
{
    switch (item->type) {
    case GW_ITEM_REASONING:
        return GW_STR("response.reasoning_summary_text.delta");
    case GW_ITEM_FUNCTION:
        return GW_STR("response.function_call_arguments.delta");
    case GW_ITEM_CUSTOM:
        return GW_STR("response.custom_tool_call_input.delta");
    case GW_ITEM_MESSAGE:
    case GW_ITEM_IMAGE:
        break;
    }
    return item->part == GW_ITEM_PART_REFUSAL ? GW_STR("response.refusal.delta")
                                              : GW_STR("response.output_text.delta");
}

static void write_delta(struct gw_encoder *encoder, const struct gw_responses_item *item,
                        struct gw_str text, struct gw_str logprobs, struct gw_buf *out)
{
    bool is_call = item->type == GW_ITEM_FUNCTION || item->type == GW_ITEM_CUSTOM;
    bool is_begun = is_call ? gw_responses_begin_item_event(encoder, item, delta_type(item), out)
                            : begin_part_event(encoder, item, delta_type(item), out);
    if (!is_begun) {
        return;
    }
    (void)gw_buf_append(out, GW_STR(",\"delta\":\""));
    (void)gw_buf_append_json(out, text);
    (void)gw_buf_append_byte(out, '"');
    if (item->type == GW_ITEM_MESSAGE && item->part == GW_ITEM_PART_TEXT) {
        gw_json_write_raw(GW_STR("logprobs"), logprobs.len > 0 ? logprobs : GW_STR("[]"), out);
    }
    gw_responses_end_event(encoder, out);
}

void gw_responses_delta(struct gw_encoder *encoder, struct gw_responses_item *item,
                        struct gw_str text, struct gw_str logprobs, struct gw_buf *out)
{
    (void)gw_buf_append(&item->text, text);
    if (logprobs.len > 2) {
        gw_json_write_next(&item->logprobs);
        (void)gw_buf_append(&item->logprobs, gw_str(logprobs.ptr + 1, logprobs.len - 2));
    }
    if (!item->is_wrapped) {
        write_delta(encoder, item, text, logprobs, out);
    }
}

/* ---- the end of an item ---- */

static void write_call(const struct gw_responses_item *item, struct gw_str status,
                       struct gw_buf *out)
{
    bool is_custom = item->type == GW_ITEM_CUSTOM;
    bool is_ended = !gw_str_eq(status, GW_STR("in_progress"));
    struct gw_str text = is_ended ? gw_buf_str(&item->text) : gw_str(NULL, 0);
    gw_json_write_member(GW_STR("type"),
                         is_custom ? GW_STR("custom_tool_call") : GW_STR("function_call"), out);
    gw_json_write_member(GW_STR("status"), status, out);
    gw_json_write_member(GW_STR("call_id"), gw_buf_str(&item->call_id), out);
    gw_json_write_member(GW_STR("name"), gw_buf_str(&item->name), out);
    gw_json_write_optional(GW_STR("namespace"), gw_buf_str(&item->name_space), out);
    gw_json_write_member(is_custom ? GW_STR("input") : GW_STR("arguments"), text, out);
}

static void write_item(const struct gw_responses_item *item, struct gw_str status,
                       struct gw_str encrypted, struct gw_buf *out)
{
    bool is_ended = !gw_str_eq(status, GW_STR("in_progress"));
    (void)gw_buf_append_byte(out, '{');
    gw_json_write_member(GW_STR("id"), gw_buf_str(&item->id), out);
    switch (item->type) {
    case GW_ITEM_REASONING:
        gw_json_write_member(GW_STR("type"), GW_STR("reasoning"), out);
        write_list(GW_STR("summary"), &item->parts, out);
        if (is_ended && encrypted.len > 0) {
            gw_json_write_member(GW_STR("encrypted_content"), encrypted, out);
        } else if (is_ended) {
            gw_json_write_raw(GW_STR("encrypted_content"), GW_STR("null"), out);
        }
        break;
    case GW_ITEM_MESSAGE:
        gw_json_write_member(GW_STR("type"), GW_STR("message"), out);
        gw_json_write_member(GW_STR("status"), status, out);
        gw_json_write_member(GW_STR("role"), GW_STR("assistant"), out);
        write_list(GW_STR("content"), &item->parts, out);
        break;
    case GW_ITEM_FUNCTION:
    case GW_ITEM_CUSTOM:
        write_call(item, status, out);
        break;
    case GW_ITEM_IMAGE:
        gw_json_write_member(GW_STR("type"), GW_STR("image_generation_call"), out);
        gw_json_write_member(GW_STR("status"), status, out);
        if (is_ended) {
            gw_json_write_member(GW_STR("result"), gw_buf_str(&item->text), out);
        } else {
            gw_json_write_raw(GW_STR("result"), GW_STR("null"), out);
        }
        break;
    }
    (void)gw_buf_append_byte(out, '}');
}

/* The custom tool's input out of {"input":...}, told in one piece. */
static void unwrap(struct gw_encoder *encoder, struct gw_responses_item *item, struct gw_buf *out)
{
    struct gw_buf input;
    gw_buf_init(&input, ITEM_MAX_BYTES);
    gw_custom_tool_input(gw_buf_str(&item->text), &input);
    encoder->err = encoder->err != GW_OK ? encoder->err : input.err;
    item->text.len = 0;
    item->is_wrapped = false;
    gw_responses_delta(encoder, item, gw_buf_str(&input), gw_str(NULL, 0), out);
    gw_buf_fini(&input);
}

static void close_call(struct gw_encoder *encoder, struct gw_responses_item *item,
                       struct gw_buf *out)
{
    bool is_custom = item->type == GW_ITEM_CUSTOM;
    if (item->is_wrapped) {
        unwrap(encoder, item, out);
    }
    /* Clients parse a function's arguments, and an empty text is no JSON. */
    if (!is_custom && item->text.len == 0) {
        gw_responses_delta(encoder, item, GW_STR("{}"), gw_str(NULL, 0), out);
    }
    struct gw_str type = is_custom ? GW_STR("response.custom_tool_call_input.done")
                                   : GW_STR("response.function_call_arguments.done");
    if (!gw_responses_begin_item_event(encoder, item, type, out)) {
        return;
    }
    if (!is_custom) {
        gw_json_write_member(GW_STR("name"), gw_buf_str(&item->name), out);
    }
    gw_json_write_member(is_custom ? GW_STR("input") : GW_STR("arguments"), gw_buf_str(&item->text),
                         out);
    gw_responses_end_event(encoder, out);
}

static void keep_failure(struct gw_encoder *encoder, const struct gw_responses_item *item)
{
    const struct gw_buf *bufs[] = {&item->id,   &item->text,       &item->parts,
                                   &item->name, &item->notes,      &item->logprobs,
                                   &item->done, &item->name_space, &item->call_id};
    for (size_t i = 0; i < GW_ARRAY_LEN(bufs) && encoder->err == GW_OK; i++) {
        encoder->err = bufs[i]->err;
    }
}

void gw_responses_close(struct gw_encoder *encoder, struct gw_responses_item *item,
                        struct gw_str encrypted, struct gw_buf *out)
{
    bool is_cut =
        encoder->finish == GW_FINISH_LENGTH || encoder->finish == GW_FINISH_CONTENT_FILTER;
    if (item->type == GW_ITEM_FUNCTION || item->type == GW_ITEM_CUSTOM) {
        close_call(encoder, item, out);
    } else if (item->type != GW_ITEM_IMAGE) {
        close_part(encoder, item, out);
    }
    write_item(item, is_cut ? GW_STR("incomplete") : GW_STR("completed"), encrypted, &item->done);
    if (gw_responses_begin_event(encoder, GW_STR("response.output_item.done"), out)) {
        gw_json_write_count(GW_STR("output_index"), (uint64_t)(item - encoder->items), out);
        gw_json_write_raw(GW_STR("item"), gw_buf_str(&item->done), out);
        gw_responses_end_event(encoder, out);
    }
    item->is_done = true;
    keep_failure(encoder, item);
    gw_buf_fini(&item->text);
    gw_buf_fini(&item->parts);
}
