/* SPDX-License-Identifier: MIT */
/* llm/answer_replay - events out of a complete answer. */
#include "llm/answer.h"

struct replay {
    gw_on_event_fn *on_event;
    void *user;
    unsigned tool_count;
};

static enum gw_err give(const struct replay *replay, const struct gw_event *event)
{
    return replay->on_event(replay->user, event);
}

static enum gw_err give_text(const struct replay *replay, const struct gw_answer_part *part,
                             enum gw_event_type type)
{
    struct gw_event event = {.type = type, .text = gw_buf_str(&part->text)};
    if (part->logprobs.len == 0) {
        return give(replay, &event);
    }
    struct gw_buf array;
    gw_buf_init(&array, GW_ANSWER_MAX_BYTES + 2);
    (void)gw_buf_append_byte(&array, '[');
    (void)gw_buf_append(&array, gw_buf_str(&part->logprobs));
    (void)gw_buf_append_byte(&array, ']');
    event.logprobs = gw_buf_str(&array);
    enum gw_err err = array.err != GW_OK ? array.err : give(replay, &event);
    gw_buf_fini(&array);
    return err;
}

static enum gw_err give_reasoning(const struct replay *replay, const struct gw_answer_part *part)
{
    enum gw_err err = part->text.len > 0 ? give_text(replay, part, GW_EVENT_REASONING) : GW_OK;
    if (err != GW_OK || !part->is_closed) {
        return err;
    }
    struct gw_event event = {.type = GW_EVENT_REASONING_SIGNATURE,
                             .signature = {.value = gw_buf_str(&part->signature),
                                           .id = gw_buf_str(&part->id),
                                           .signer = part->signer}};
    return give(replay, &event);
}

static enum gw_err give_tool(struct replay *replay, const struct gw_answer_part *part)
{
    unsigned index = replay->tool_count++;
    struct gw_event begin = {.type = GW_EVENT_TOOL_BEGIN,
                             .tool = {.index = index,
                                      .id = gw_buf_str(&part->id),
                                      .name = gw_buf_str(&part->name),
                                      .is_custom = part->is_custom,
                                      .thought_signature = gw_buf_str(&part->signature)}};
    struct gw_event arguments = {.type = GW_EVENT_TOOL_ARGUMENTS,
                                 .arguments = {.index = index, .text = gw_buf_str(&part->text)}};
    struct gw_event end = {.type = GW_EVENT_TOOL_END, .index = index};
    enum gw_err err = give(replay, &begin);
    if (err == GW_OK && part->text.len > 0) {
        err = give(replay, &arguments);
    }
    return err == GW_OK ? give(replay, &end) : err;
}

static enum gw_err give_part(struct replay *replay, const struct gw_answer_part *part)
{
    switch (part->type) {
    case GW_PART_TEXT:
        return give_text(replay, part, GW_EVENT_TEXT);
    case GW_PART_REFUSAL:
        return give_text(replay, part, GW_EVENT_REFUSAL);
    case GW_PART_REASONING:
        return give_reasoning(replay, part);
    case GW_PART_TOOL:
        return give_tool(replay, part);
    case GW_PART_REDACTED:
        return give(replay, &(struct gw_event){.type = GW_EVENT_REASONING_REDACTED,
                                               .signature = {.value = gw_buf_str(&part->text),
                                                             .id = gw_buf_str(&part->id),
                                                             .signer = part->signer}});
    case GW_PART_MEDIA:
        return give(replay, &(struct gw_event){.type = GW_EVENT_MEDIA,
                                               .media = {.mime_type = gw_buf_str(&part->name),
                                                         .base64 = gw_buf_str(&part->text),
                                                         .transcript = gw_buf_str(&part->id)}});
    case GW_PART_ANNOTATION:
        break;
    }
    return give(replay, &(struct gw_event){.type = GW_EVENT_ANNOTATION,
                                           .annotation = gw_buf_str(&part->text)});
}

enum gw_err gw_answer_replay(const struct gw_answer *answer, gw_on_event_fn *on_event, void *user)
{
    struct replay replay = {.on_event = on_event, .user = user};
    struct gw_event start = {.type = GW_EVENT_START,
                             .start = {.id = gw_buf_str(&answer->id),
                                       .model = gw_buf_str(&answer->model),
                                       .created_s = answer->created_s}};
    struct gw_event finish = {
        .type = GW_EVENT_FINISH,
        .finish = {.reason = answer->finish, .stop_sequence = gw_buf_str(&answer->stop_sequence)}};
    enum gw_err err = give(&replay, &start);
    for (size_t i = 0; i < answer->part_count && err == GW_OK; i++) {
        err = give_part(&replay, &answer->parts[i]);
    }
    if (err == GW_OK) {
        err = give(&replay, &finish);
    }
    if (err == GW_OK && answer->usage.is_known) {
        err = give(&replay, &(struct gw_event){.type = GW_EVENT_USAGE, .usage = answer->usage});
    }
    return err == GW_OK ? give(&replay, &(struct gw_event){.type = GW_EVENT_END}) : err;
}
