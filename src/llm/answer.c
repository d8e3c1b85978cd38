/* SPDX-License-Identifier: MIT */
/* llm/answer - parts out of events, and events out of parts. */
#include "llm/answer.h"

#include "base/alloc.h"

#define SMALL_TEXT_BYTES                                                                           \
    (64u * 1024) /* ids and names; vendors' stay below 1 KiB, signatures do not */

void gw_answer_init(struct gw_answer *answer)
{
    *answer = (struct gw_answer){0};
    gw_buf_init(&answer->id, SMALL_TEXT_BYTES);
    gw_buf_init(&answer->model, SMALL_TEXT_BYTES);
    gw_buf_init(&answer->stop_sequence, SMALL_TEXT_BYTES);
}

void gw_answer_fini(struct gw_answer *answer)
{
    for (size_t i = 0; i < answer->part_count; i++) {
        struct gw_answer_part *part = &answer->parts[i];
        gw_buf_fini(&part->text);
        gw_buf_fini(&part->logprobs);
        gw_buf_fini(&part->signature);
        gw_buf_fini(&part->id);
        gw_buf_fini(&part->name);
    }
    gw_free(answer->parts);
    gw_buf_fini(&answer->id);
    gw_buf_fini(&answer->model);
    gw_buf_fini(&answer->stop_sequence);
    gw_answer_init(answer);
}

/* Room for one more part. */
static enum gw_err grow(struct gw_answer *answer)
{
    if (answer->part_count < answer->part_capacity) {
        return GW_OK;
    }
    if (answer->part_count >= GW_ANSWER_MAX_PARTS) {
        return GW_ERR_TOO_LARGE;
    }
    size_t capacity = answer->part_capacity == 0 ? 4 : answer->part_capacity * 2;
    struct gw_answer_part *parts = gw_try_realloc(answer->parts, capacity * sizeof(*parts));
    if (parts == NULL) {
        return GW_ERR_NOMEM;
    }
    answer->parts = parts;
    answer->part_capacity = capacity;
    return GW_OK;
}

static enum gw_err new_part(struct gw_answer *answer, enum gw_answer_part_type type,
                            struct gw_answer_part **out)
{
    enum gw_err err = grow(answer);
    if (err != GW_OK) {
        return err;
    }
    struct gw_answer_part *part = &answer->parts[answer->part_count++];
    *part = (struct gw_answer_part){.type = type};
    gw_buf_init(&part->text, GW_ANSWER_MAX_BYTES);
    gw_buf_init(&part->logprobs, GW_ANSWER_MAX_BYTES);
    gw_buf_init(&part->signature, GW_ANSWER_MAX_BYTES);
    gw_buf_init(&part->id, SMALL_TEXT_BYTES);
    gw_buf_init(&part->name, SMALL_TEXT_BYTES);
    *out = part;
    return GW_OK;
}

/* The last part when it is of that type and open, else a new one. */
static enum gw_err open_part(struct gw_answer *answer, enum gw_answer_part_type type,
                             struct gw_answer_part **out)
{
    if (answer->part_count > 0) {
        struct gw_answer_part *last = &answer->parts[answer->part_count - 1];
        if (last->type == type && !last->is_closed) {
            *out = last;
            return GW_OK;
        }
    }
    return new_part(answer, type, out);
}

/* Appends and counts against the limit of the whole answer. */
static enum gw_err append(struct gw_answer *answer, struct gw_buf *buf, struct gw_str text)
{
    if (text.len > GW_ANSWER_MAX_BYTES - answer->byte_count) {
        return GW_ERR_TOO_LARGE;
    }
    answer->byte_count += text.len;
    return gw_buf_append(buf, text);
}

static enum gw_err add_text(struct gw_answer *answer, enum gw_answer_part_type type,
                            const struct gw_event *event)
{
    struct gw_answer_part *part;
    if (event->text.len == 0 && event->logprobs.len == 0) {
        return GW_OK;
    }
    enum gw_err err = open_part(answer, type, &part);
    if (err == GW_OK) {
        err = append(answer, &part->text, event->text);
    }
    struct gw_str probs = event->logprobs;
    if (err != GW_OK || probs.len <= 2) {
        return err;
    }
    if (part->logprobs.len > 0) {
        (void)gw_buf_append_byte(&part->logprobs, ',');
    }
    return append(answer, &part->logprobs, gw_str(probs.ptr + 1, probs.len - 2));
}

static enum gw_err add_signature(struct gw_answer *answer, const struct gw_event_signature *sign)
{
    struct gw_answer_part *part;
    enum gw_err err = open_part(answer, GW_PART_REASONING, &part);
    if (err == GW_OK) {
        part->signer = sign->signer;
        part->is_closed = true;
        err = append(answer, &part->signature, sign->value);
    }
    return err == GW_OK ? append(answer, &part->id, sign->id) : err;
}

static enum gw_err add_redacted(struct gw_answer *answer, const struct gw_event_signature *block)
{
    struct gw_answer_part *part;
    enum gw_err err = new_part(answer, GW_PART_REDACTED, &part);
    if (err == GW_OK) {
        part->signer = block->signer;
        part->is_closed = true;
        err = append(answer, &part->text, block->value);
    }
    return err == GW_OK ? append(answer, &part->id, block->id) : err;
}

/* Pieces of one medium have the same type. */
static enum gw_err add_media(struct gw_answer *answer, const struct gw_event_media *media)
{
    struct gw_answer_part *part;
    enum gw_err err = open_part(answer, GW_PART_MEDIA, &part);
    if (err == GW_OK && part->name.len > 0 &&
        !gw_str_eq(gw_buf_str(&part->name), media->mime_type)) {
        err = new_part(answer, GW_PART_MEDIA, &part);
    }
    if (err == GW_OK && part->name.len == 0) {
        err = append(answer, &part->name, media->mime_type);
    }
    if (err == GW_OK) {
        err = append(answer, &part->text, media->base64);
    }
    return err == GW_OK ? append(answer, &part->id, media->transcript) : err;
}

static enum gw_err add_annotation(struct gw_answer *answer, struct gw_str annotation)
{
    struct gw_answer_part *part;
    enum gw_err err = new_part(answer, GW_PART_ANNOTATION, &part);
    if (err == GW_OK) {
        part->is_closed = true;
        err = append(answer, &part->text, annotation);
    }
    return err;
}

static enum gw_err begin_tool(struct gw_answer *answer, const struct gw_event_tool *tool)
{
    struct gw_answer_part *part;
    enum gw_err err = new_part(answer, GW_PART_TOOL, &part);
    if (err != GW_OK) {
        return err;
    }
    part->is_custom = tool->is_custom;
    part->signer = tool->thought_signature.len > 0 ? GW_SIGNER_GOOGLE : GW_SIGNER_NONE;
    err = append(answer, &part->id, tool->id);
    if (err == GW_OK) {
        err = append(answer, &part->name, tool->name);
    }
    return err == GW_OK ? append(answer, &part->signature, tool->thought_signature) : err;
}

static struct gw_answer_part *find_tool(const struct gw_answer *answer, unsigned index)
{
    unsigned at = 0;
    for (size_t i = 0; i < answer->part_count; i++) {
        if (answer->parts[i].type == GW_PART_TOOL && at++ == index) {
            return &answer->parts[i];
        }
    }
    return NULL;
}

static enum gw_err add_arguments(struct gw_answer *answer, const struct gw_event_arguments *more)
{
    struct gw_answer_part *part = find_tool(answer, more->index);
    return part != NULL ? append(answer, &part->text, more->text) : GW_ERR_INVALID;
}

static enum gw_err add_start(struct gw_answer *answer, const struct gw_event_start *start)
{
    gw_buf_reset(&answer->id);
    gw_buf_reset(&answer->model);
    answer->created_s = start->created_s;
    enum gw_err err = gw_buf_append(&answer->id, start->id);
    return err == GW_OK ? gw_buf_append(&answer->model, start->model) : err;
}

static enum gw_err add_finish(struct gw_answer *answer, const struct gw_event_finish *finish)
{
    answer->finish = finish->reason;
    gw_buf_reset(&answer->stop_sequence);
    return gw_buf_append(&answer->stop_sequence, finish->stop_sequence);
}

enum gw_err gw_answer_add(struct gw_answer *answer, const struct gw_event *event)
{
    if (answer->is_ended) {
        return GW_ERR_INVALID;
    }
    switch (event->type) {
    case GW_EVENT_START:
        return add_start(answer, &event->start);
    case GW_EVENT_TEXT:
        return add_text(answer, GW_PART_TEXT, event);
    case GW_EVENT_REASONING:
        return add_text(answer, GW_PART_REASONING, event);
    case GW_EVENT_REFUSAL:
        return add_text(answer, GW_PART_REFUSAL, event);
    case GW_EVENT_REASONING_SIGNATURE:
        return add_signature(answer, &event->signature);
    case GW_EVENT_REASONING_REDACTED:
        return add_redacted(answer, &event->signature);
    case GW_EVENT_MEDIA:
        return add_media(answer, &event->media);
    case GW_EVENT_ANNOTATION:
        return add_annotation(answer, event->annotation);
    case GW_EVENT_TOOL_BEGIN:
        return begin_tool(answer, &event->tool);
    case GW_EVENT_TOOL_ARGUMENTS:
        return add_arguments(answer, &event->arguments);
    case GW_EVENT_TOOL_END:
        return find_tool(answer, event->index) != NULL ? GW_OK : GW_ERR_INVALID;
    case GW_EVENT_FINISH:
        return add_finish(answer, &event->finish);
    case GW_EVENT_USAGE:
        answer->usage = event->usage;
        return GW_OK;
    case GW_EVENT_PING:
        return GW_OK;
    case GW_EVENT_END:
        answer->is_ended = true;
        return GW_OK;
    case GW_EVENT_ERROR:
    case GW_EVENT_TYPE_COUNT:
        break;
    }
    return GW_ERR_INVALID;
}
