/* SPDX-License-Identifier: MIT */
/* dialect/openai_answer - one walk over the parts for each member that gathers some of them. */
#include "dialect/openai_answer.h"

#include "dialect/openai_int.h"
#include "json/value.h"

#define BASE64_FLOATS 192 /* encoded at a time; 768 bytes are 1,024 digits without padding */

static bool has_part(const struct gw_answer *answer, enum gw_answer_part_type type)
{
    for (size_t i = 0; i < answer->part_count; i++) {
        if (answer->parts[i].type == type) {
            return true;
        }
    }
    return false;
}

/* The parts of one type as one JSON string with its quotes. */
static void write_joined(const struct gw_answer *answer, enum gw_answer_part_type type,
                         struct gw_buf *out)
{
    (void)gw_buf_append(out, GW_STR("\""));
    for (size_t i = 0; i < answer->part_count; i++) {
        if (answer->parts[i].type == type) {
            (void)gw_buf_append_json(out, gw_buf_str(&answer->parts[i].text));
        }
    }
    (void)gw_buf_append(out, GW_STR("\""));
}

/* An array that appears with its first element. */
struct list {
    struct gw_str name; /* ,"name":[ */
    unsigned count;
};

static void list_next(struct list *list, struct gw_buf *out)
{
    (void)gw_buf_append(out, list->count == 0 ? list->name : GW_STR(","));
    list->count++;
}

static void list_end(const struct list *list, struct gw_buf *out)
{
    if (list->count > 0) {
        (void)gw_buf_append(out, GW_STR("]"));
    }
}

static bool is_openai_item(const struct gw_answer_part *part)
{
    return part->signer == GW_SIGNER_OPENAI;
}

static void write_thinking_blocks(const struct gw_answer *answer, struct gw_buf *out)
{
    struct list list = {.name = GW_STR(",\"thinking_blocks\":[")};
    for (size_t i = 0; i < answer->part_count; i++) {
        const struct gw_answer_part *part = &answer->parts[i];
        bool is_signed = part->type == GW_PART_REASONING && part->signature.len > 0 &&
                         part->signer != GW_SIGNER_GOOGLE;
        if (is_openai_item(part) || (!is_signed && part->type != GW_PART_REDACTED)) {
            continue;
        }
        list_next(&list, out);
        if (is_signed) {
            gw_openai_write_thinking(gw_buf_str(&part->text), gw_buf_str(&part->signature), out);
        } else {
            gw_openai_write_redacted(gw_buf_str(&part->text), out);
        }
    }
    list_end(&list, out);
}

static void write_reasoning_items(const struct gw_answer *answer, struct gw_buf *out)
{
    struct list list = {.name = GW_STR(",\"reasoning_items\":[")};
    for (size_t i = 0; i < answer->part_count; i++) {
        const struct gw_answer_part *part = &answer->parts[i];
        if (!is_openai_item(part)) {
            continue;
        }
        list_next(&list, out);
        bool is_redacted = part->type == GW_PART_REDACTED;
        gw_openai_write_reasoning_item(
            gw_buf_str(&part->id), is_redacted ? gw_str(NULL, 0) : gw_buf_str(&part->text),
            is_redacted ? gw_buf_str(&part->text) : gw_buf_str(&part->signature), out);
    }
    list_end(&list, out);
}

/* Google binds a signature to text too; the last one stands for the message. */
static void write_google_signature(const struct gw_answer *answer, struct gw_buf *out)
{
    for (size_t i = answer->part_count; i > 0; i--) {
        const struct gw_answer_part *part = &answer->parts[i - 1];
        if (part->type == GW_PART_REASONING && part->signer == GW_SIGNER_GOOGLE &&
            part->signature.len > 0) {
            gw_openai_write_google_signature(gw_buf_str(&part->signature), out);
            return;
        }
    }
}

static void write_annotations(const struct gw_answer *answer, struct gw_buf *out)
{
    (void)gw_buf_append(out, GW_STR(",\"annotations\":["));
    bool is_first = true;
    for (size_t i = 0; i < answer->part_count; i++) {
        if (answer->parts[i].type == GW_PART_ANNOTATION) {
            (void)gw_buf_append(out, is_first ? GW_STR("") : GW_STR(","));
            (void)gw_buf_append(out, gw_buf_str(&answer->parts[i].text));
            is_first = false;
        }
    }
    (void)gw_buf_append(out, GW_STR("]"));
}

static void write_audio(const struct gw_encoder_opts *opts, const struct gw_answer_part *part,
                        struct gw_buf *out)
{
    (void)gw_buf_append(out, GW_STR(",\"audio\":{\"id\":\"audio_"));
    (void)gw_buf_append_json(out, opts->request_id);
    /* Nobody keeps it: it has expired when it is read. */
    (void)gw_buf_append(out, GW_STR("\",\"expires_at\":"));
    (void)gw_buf_append_u64(out, opts->created_s);
    (void)gw_buf_append(out, GW_STR(",\"data\":\""));
    (void)gw_buf_append_json(out, gw_buf_str(&part->text));
    (void)gw_buf_append(out, GW_STR("\",\"transcript\":\""));
    (void)gw_buf_append_json(out, gw_buf_str(&part->id));
    (void)gw_buf_append(out, GW_STR("\"}"));
}

static void write_media(const struct gw_encoder_opts *opts, const struct gw_answer *answer,
                        struct gw_buf *out)
{
    struct list images = {.name = GW_STR(",\"images\":[")};
    const struct gw_answer_part *audio = NULL;
    for (size_t i = 0; i < answer->part_count; i++) {
        const struct gw_answer_part *part = &answer->parts[i];
        if (part->type != GW_PART_MEDIA) {
            continue;
        }
        if (gw_openai_is_audio(gw_buf_str(&part->name))) {
            audio = part;
            continue;
        }
        unsigned index = images.count;
        list_next(&images, out);
        gw_openai_write_image(gw_buf_str(&part->name), gw_buf_str(&part->text), index, out);
    }
    list_end(&images, out);
    if (audio != NULL) {
        write_audio(opts, audio, out);
    }
}

static void write_tool(const struct gw_encoder_opts *opts, const struct gw_answer_part *part,
                       unsigned index, struct gw_buf *out)
{
    (void)gw_buf_append(out, GW_STR("{\"id\":"));
    gw_openai_write_tool_id(opts, gw_buf_str(&part->id), index, out);
    (void)gw_buf_append(out, part->is_custom
                                 ? GW_STR(",\"type\":\"custom\",\"custom\":{\"name\":\"")
                                 : GW_STR(",\"type\":\"function\",\"function\":{\"name\":\""));
    (void)gw_buf_append_json(out, gw_buf_str(&part->name));
    (void)gw_buf_append(out, part->is_custom ? GW_STR("\",\"input\":\"")
                                             : GW_STR("\",\"arguments\":\""));
    struct gw_str arguments = gw_buf_str(&part->text);
    (void)gw_buf_append_json(out,
                             arguments.len == 0 && !part->is_custom ? GW_STR("{}") : arguments);
    (void)gw_buf_append(out, GW_STR("\"}"));
    gw_openai_write_google_signature(gw_buf_str(&part->signature), out);
    (void)gw_buf_append(out, GW_STR("}"));
}

static void write_tools(const struct gw_encoder_opts *opts, const struct gw_answer *answer,
                        struct gw_buf *out)
{
    struct list list = {.name = GW_STR(",\"tool_calls\":[")};
    for (size_t i = 0; i < answer->part_count; i++) {
        if (answer->parts[i].type == GW_PART_TOOL) {
            unsigned index = list.count;
            list_next(&list, out);
            write_tool(opts, &answer->parts[i], index, out);
        }
    }
    list_end(&list, out);
}

static void write_message(const struct gw_encoder_opts *opts, const struct gw_answer *answer,
                          struct gw_buf *out)
{
    bool has_other = has_part(answer, GW_PART_TOOL) || has_part(answer, GW_PART_REFUSAL) ||
                     has_part(answer, GW_PART_MEDIA);
    (void)gw_buf_append(out, GW_STR("{\"role\":\"assistant\",\"content\":"));
    if (has_other && !has_part(answer, GW_PART_TEXT)) {
        (void)gw_buf_append(out, GW_STR("null"));
    } else {
        write_joined(answer, GW_PART_TEXT, out);
    }
    (void)gw_buf_append(out, GW_STR(",\"refusal\":"));
    if (has_part(answer, GW_PART_REFUSAL)) {
        write_joined(answer, GW_PART_REFUSAL, out);
    } else {
        (void)gw_buf_append(out, GW_STR("null"));
    }
    if (has_part(answer, GW_PART_REASONING)) {
        (void)gw_buf_append(out, GW_STR(",\"reasoning_content\":"));
        write_joined(answer, GW_PART_REASONING, out);
    }
    write_thinking_blocks(answer, out);
    write_reasoning_items(answer, out);
    write_google_signature(answer, out);
    write_annotations(answer, out);
    write_media(opts, answer, out);
    write_tools(opts, answer, out);
    (void)gw_buf_append(out, GW_STR("}"));
}

static void write_logprobs(const struct gw_answer *answer, struct gw_buf *out)
{
    struct list list = {.name = GW_STR("{\"content\":[")};
    for (size_t i = 0; i < answer->part_count; i++) {
        if (answer->parts[i].type == GW_PART_TEXT && answer->parts[i].logprobs.len > 0) {
            list_next(&list, out);
            (void)gw_buf_append(out, gw_buf_str(&answer->parts[i].logprobs));
        }
    }
    (void)gw_buf_append(out, list.count > 0 ? GW_STR("],\"refusal\":null}") : GW_STR("null"));
}

void gw_openai_write_answer(const struct gw_encoder_opts *opts, const struct gw_answer *answer,
                            struct gw_buf *out)
{
    struct gw_openai_identity identity = {.prefix = GW_STR("chatcmpl-"),
                                          .object = GW_STR("chat.completion"),
                                          .id = gw_buf_str(&answer->id),
                                          .model = gw_buf_str(&answer->model),
                                          .created_s = answer->created_s};
    (void)gw_buf_append(out, GW_STR("{"));
    gw_openai_write_identity(opts, &identity, out);
    (void)gw_buf_append(out, GW_STR(",\"choices\":[{\"index\":0,\"message\":"));
    write_message(opts, answer, out);
    (void)gw_buf_append(out, GW_STR(",\"logprobs\":"));
    write_logprobs(answer, out);
    (void)gw_buf_append(out, GW_STR(",\"finish_reason\":\""));
    (void)gw_buf_append(out, gw_openai_finish_text(answer->finish, has_part(answer, GW_PART_TOOL)));
    (void)gw_buf_append(out, GW_STR("\"}]"));
    if (answer->usage.is_known) {
        gw_openai_write_usage(&answer->usage, out);
    }
    (void)gw_buf_append(out, GW_STR("}"));
}

/* ---- embeddings ---- */

/* Little-endian whatever the machine is. */
static void put_float(unsigned char *at, double number)
{
    float value = (float)number;
    uint32_t bits = 0;
    memcpy(&bits, &value, sizeof(bits));
    for (unsigned i = 0; i < 4; i++) {
        at[i] = (unsigned char)(bits >> (8 * i));
    }
}

/* RFC 4648 section 4; |raw| holds |len| bytes, not all of a group of three only at the end. */
static void append_base64(const unsigned char *raw, size_t len, struct gw_buf *out)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char text[BASE64_FLOATS * 16 / 3 + 4];
    size_t at = 0;
    for (size_t i = 0; i < len; i += 3) {
        size_t left = len - i;
        unsigned group = (unsigned)raw[i] << 16;
        group |= left > 1 ? (unsigned)raw[i + 1] << 8 : 0;
        group |= left > 2 ? (unsigned)raw[i + 2] : 0;
        text[at++] = digits[group >> 18];
        text[at++] = digits[group >> 12 & 63];
        text[at++] = left > 1 ? digits[group >> 6 & 63] : '=';
        text[at++] = left > 2 ? digits[group & 63] : '=';
    }
    (void)gw_buf_append(out, gw_str(text, at));
}

static void write_base64(yyjson_val *numbers, struct gw_buf *out)
{
    unsigned char raw[BASE64_FLOATS * 4];
    size_t count = 0;
    size_t index = 0;
    size_t max = 0;
    yyjson_val *number = NULL;
    (void)gw_buf_append(out, GW_STR("\""));
    yyjson_arr_foreach(numbers, index, max, number)
    {
        put_float(raw + 4 * count, yyjson_get_num(number));
        count++;
        if (count == BASE64_FLOATS || index + 1 == max) {
            append_base64(raw, 4 * count, out);
            count = 0;
        }
    }
    (void)gw_buf_append(out, GW_STR("\""));
}

/* One element of "data" with its numbers as base64. */
static void write_embedding(yyjson_val *element, struct gw_buf *out)
{
    size_t index = 0;
    size_t max = 0;
    yyjson_val *key = NULL;
    yyjson_val *value = NULL;
    (void)gw_buf_append(out, GW_STR("{"));
    yyjson_obj_foreach(element, index, max, key, value)
    {
        (void)gw_buf_append(out, index > 0 ? GW_STR(",") : GW_STR(""));
        gw_json_write_text(gw_json_text(key), out);
        (void)gw_buf_append(out, GW_STR(":"));
        if (gw_json_is(key, GW_STR("embedding")) && yyjson_is_arr(value)) {
            write_base64(value, out);
        } else {
            gw_json_write(value, out);
        }
    }
    (void)gw_buf_append(out, GW_STR("}"));
}

static void write_data(yyjson_val *data, struct gw_buf *out)
{
    size_t index = 0;
    size_t max = 0;
    yyjson_val *element = NULL;
    (void)gw_buf_append(out, GW_STR("["));
    yyjson_arr_foreach(data, index, max, element)
    {
        (void)gw_buf_append(out, index > 0 ? GW_STR(",") : GW_STR(""));
        write_embedding(element, out);
    }
    (void)gw_buf_append(out, GW_STR("]"));
}

void gw_openai_write_embeddings(const struct gw_encoder_opts *opts, yyjson_val *openai,
                                struct gw_buf *out)
{
    if (!gw_json_is(gw_json_get(opts->chat, "encoding_format"), GW_STR("base64"))) {
        gw_json_write(openai, out);
        return;
    }
    size_t index = 0;
    size_t max = 0;
    yyjson_val *key = NULL;
    yyjson_val *value = NULL;
    (void)gw_buf_append(out, GW_STR("{"));
    yyjson_obj_foreach(openai, index, max, key, value)
    {
        (void)gw_buf_append(out, index > 0 ? GW_STR(",") : GW_STR(""));
        gw_json_write_text(gw_json_text(key), out);
        (void)gw_buf_append(out, GW_STR(":"));
        if (gw_json_is(key, GW_STR("data")) && yyjson_is_arr(value)) {
            write_data(value, out);
        } else {
            gw_json_write(value, out);
        }
    }
    (void)gw_buf_append(out, GW_STR("}"));
}
