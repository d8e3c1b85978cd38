/* SPDX-License-Identifier: MIT */
/* dialect/anthropic_answer - a complete answer as a message (anthropic.md section 4 read backwards,
 * inbound.md A5). */
#include "dialect/anthropic_int.h"
#include "json/scan.h"
#include "json/value.h"
#include "json/write.h"

static void begin_block(struct gw_str type, struct gw_buf *out)
{
    gw_json_write_next(out);
    (void)gw_buf_append_byte(out, '{');
    gw_json_write_member(GW_STR("type"), type, out);
}

static void end_block(struct gw_buf *out)
{
    (void)gw_buf_append_byte(out, '}');
}

/* ---- text ---- */

static bool is_text(const struct gw_answer_part *part)
{
    return part->type == GW_PART_TEXT || part->type == GW_PART_REFUSAL;
}

/* The annotations right behind text |at|, as its citations. */
static void write_citations(const struct gw_answer *answer, size_t at, struct gw_buf *out)
{
    bool is_open = false;
    for (size_t i = at + 1; i < answer->part_count && answer->parts[i].type == GW_PART_ANNOTATION;
         i++) {
        struct gw_buf citation;
        gw_buf_init(&citation, GW_ANSWER_MAX_BYTES);
        if (gw_messages_write_citation(gw_buf_str(&answer->parts[i].text), &citation)) {
            if (!is_open) {
                gw_json_write_raw(GW_STR("citations"), GW_STR("["), out);
                is_open = true;
            }
            gw_json_write_next(out);
            (void)gw_buf_append(out, gw_buf_str(&citation));
            out->err = out->err != GW_OK ? out->err : citation.err;
        }
        gw_buf_fini(&citation);
    }
    if (is_open) {
        (void)gw_buf_append_byte(out, ']');
    }
}

static void write_text(const struct gw_answer *answer, size_t at, struct gw_buf *out)
{
    begin_block(GW_STR("text"), out);
    gw_json_write_member(GW_STR("text"), gw_buf_str(&answer->parts[at].text), out);
    write_citations(answer, at, out);
    end_block(out);
}

static void write_media(const struct gw_answer_part *part, struct gw_buf *out)
{
    begin_block(GW_STR("text"), out);
    gw_json_write_key(GW_STR("text"), out);
    (void)gw_buf_append_byte(out, '"');
    gw_messages_write_medium(gw_buf_str(&part->name), gw_buf_str(&part->id), out);
    (void)gw_buf_append_byte(out, '"');
    end_block(out);
}

/* ---- thinking ---- */

static void write_seal(struct gw_str key, const struct gw_event_signature *signature,
                       struct gw_buf *out)
{
    gw_json_write_key(key, out);
    (void)gw_buf_append_byte(out, '"');
    gw_messages_write_seal(signature, out);
    (void)gw_buf_append_byte(out, '"');
}

static void write_thinking(const struct gw_encoder_opts *opts, const struct gw_answer_part *part,
                           struct gw_buf *out)
{
    bool is_hidden = opts->request != NULL && opts->request->hides_reasoning;
    struct gw_event_signature signature = {
        .value = gw_buf_str(&part->signature), .id = gw_buf_str(&part->id), .signer = part->signer};
    if (is_hidden && !part->is_closed) {
        return; /* nothing is left of it */
    }
    begin_block(GW_STR("thinking"), out);
    gw_json_write_member(GW_STR("thinking"), is_hidden ? GW_STR("") : gw_buf_str(&part->text), out);
    write_seal(GW_STR("signature"), &signature, out);
    end_block(out);
}

static void write_redacted(const struct gw_event_signature *signature, struct gw_buf *out)
{
    begin_block(GW_STR("redacted_thinking"), out);
    write_seal(GW_STR("data"), signature, out);
    end_block(out);
}

/* ---- tools ---- */

/* Arguments that are no object are kept as Anthropic's pages advise. */
static void write_input(struct gw_str arguments, struct gw_buf *out)
{
    enum gw_json_type type = GW_JSON_NULL;
    arguments = gw_str_trim(arguments);
    gw_json_write_key(GW_STR("input"), out);
    if (arguments.len == 0) {
        (void)gw_buf_append(out, GW_STR("{}"));
    } else if (gw_json_scan(arguments, NULL, NULL, &type, NULL) == GW_OK &&
               type == GW_JSON_OBJECT) {
        (void)gw_buf_append(out, arguments);
    } else {
        (void)gw_buf_append_byte(out, '{');
        gw_json_write_member(GW_STR("INVALID_JSON"), arguments, out);
        (void)gw_buf_append_byte(out, '}');
    }
}

static void write_tool(const struct gw_encoder_opts *opts, const struct gw_answer_part *part,
                       unsigned index, struct gw_buf *out)
{
    if (part->signature.len > 0) { /* Google's; goes before its call, and comes back so */
        write_redacted(&(struct gw_event_signature){.value = gw_buf_str(&part->signature),
                                                    .signer = GW_SIGNER_GOOGLE},
                       out);
    }
    begin_block(GW_STR("tool_use"), out);
    gw_json_write_key(GW_STR("id"), out);
    gw_messages_write_tool_id(opts, gw_buf_str(&part->id), index, out);
    gw_json_write_member(GW_STR("name"), gw_buf_str(&part->name), out);
    write_input(gw_buf_str(&part->text), out);
    end_block(out);
}

/* ---- the message ---- */

/* Returns how many tool calls there are. */
static unsigned write_content(const struct gw_encoder_opts *opts, const struct gw_answer *answer,
                              struct gw_buf *out)
{
    unsigned tools = 0;
    for (size_t i = 0; i < answer->part_count; i++) {
        const struct gw_answer_part *part = &answer->parts[i];
        if (is_text(part)) {
            write_text(answer, i, out);
        } else if (part->type == GW_PART_REASONING) {
            write_thinking(opts, part, out);
        } else if (part->type == GW_PART_REDACTED) {
            write_redacted(&(struct gw_event_signature){.value = gw_buf_str(&part->text),
                                                        .id = gw_buf_str(&part->id),
                                                        .signer = part->signer},
                           out);
        } else if (part->type == GW_PART_TOOL) {
            write_tool(opts, part, tools++, out);
        } else if (part->type == GW_PART_MEDIA) {
            write_media(part, out);
        }
    }
    return tools;
}

void gw_messages_write_answer(const struct gw_encoder_opts *opts, const struct gw_answer *answer,
                              struct gw_buf *out)
{
    struct gw_str model = opts->model.len > 0 ? opts->model : gw_buf_str(&answer->model);
    (void)gw_buf_append(out, GW_STR("{\"id\":"));
    gw_messages_write_id(opts, gw_buf_str(&answer->id), out);
    (void)gw_buf_append(out, GW_STR(",\"type\":\"message\",\"role\":\"assistant\""));
    gw_json_write_member(GW_STR("model"), model, out);
    gw_json_write_raw(GW_STR("content"), GW_STR("["), out);
    unsigned tools = write_content(opts, answer, out);
    (void)gw_buf_append_byte(out, ']');
    gw_messages_write_stop(answer->finish, gw_buf_str(&answer->stop_sequence), tools > 0, out);
    gw_json_write_key(GW_STR("usage"), out);
    gw_messages_write_usage(&answer->usage, out);
    (void)gw_buf_append_byte(out, '}');
}
