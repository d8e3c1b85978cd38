/* SPDX-License-Identifier: MIT */
/* provider/openai_parts - see the header. */
#include "provider/openai_parts_int.h"
#include "json/value.h"

static void text(struct gw_openai_encoding *encoding, struct gw_str piece)
{
    (void)gw_buf_append(encoding->out, piece);
}

static enum gw_err refuse(struct gw_openai_encoding *encoding, struct gw_str why)
{
    return gw_notes_refuse(encoding->in->notes, GW_STR("messages[].content[]"), why);
}

/* ---- text ---- */

static bool is_all_text(yyjson_val *content)
{
    struct gw_chat_parts parts = gw_chat_parts_of(content);
    struct gw_chat_part part;
    while (gw_chat_parts_next(&parts, &part)) {
        if (part.text.ptr == NULL) {
            return false;
        }
    }
    return true;
}

static void write_joined(struct gw_openai_encoding *encoding, yyjson_val *content)
{
    struct gw_chat_parts parts = gw_chat_parts_of(content);
    struct gw_chat_part part;
    bool is_first = true;
    while (gw_chat_parts_next(&parts, &part)) {
        if (part.text.ptr != NULL) {
            text(encoding, is_first ? GW_STR("") : GW_STR("\\n\\n"));
            (void)gw_buf_append_json(encoding->out, part.text);
            is_first = false;
        }
    }
}

/* ---- parts ---- */

static void write_text_part(struct gw_openai_encoding *encoding, struct gw_str value)
{
    text(encoding, GW_STR("{\"type\":\"text\",\"text\":"));
    gw_json_write_text(value, encoding->out);
    text(encoding, GW_STR("}"));
}

/* Servers that read local files on a client's word are not to be asked for them (local.md 7). */
static bool is_fetchable(struct gw_str url)
{
    return gw_str_has_prefix(url, GW_STR("https://")) || gw_str_has_prefix(url, GW_STR("http://"));
}

static enum gw_err write_image(struct gw_openai_encoding *encoding, yyjson_val *part)
{
    struct gw_str url = gw_chat_image_url(part);
    struct gw_str detail = gw_json_get_text(gw_json_get(part, "image_url"), "detail");
    struct gw_data_url split;
    bool is_data = gw_data_url_split(url, &split);
    if (!is_data && encoding->quirks->has_no_remote_image) {
        return refuse(encoding, GW_STR("This provider takes images as data URLs only."));
    }
    if (!is_data && !is_fetchable(url)) {
        return gw_notes_invalid(encoding->in->notes, GW_STR("messages[].content[].image_url"),
                                GW_STR("An image's URL must begin with https://, http:// or "
                                       "data:, the last with base64."));
    }
    text(encoding, GW_STR("{\"type\":\"image_url\",\"image_url\":{\"url\":"));
    gw_json_write_text(url, encoding->out);
    if (detail.len > 0) {
        text(encoding, GW_STR(",\"detail\":"));
        gw_json_write_text(detail, encoding->out);
    }
    text(encoding, GW_STR("}}"));
    return GW_OK;
}

static enum gw_err write_audio(struct gw_openai_encoding *encoding, yyjson_val *part)
{
    yyjson_val *audio = gw_json_get(part, "input_audio");
    if (encoding->quirks->has_no_audio) {
        return refuse(encoding, GW_STR("This provider takes no audio."));
    }
    text(encoding, GW_STR("{\"type\":\"input_audio\",\"input_audio\":"));
    if (encoding->quirks->is_mistral) {
        gw_json_write_text(gw_json_get_text(audio, "data"), encoding->out);
    } else {
        gw_json_write(audio, encoding->out);
    }
    text(encoding, GW_STR("}"));
    return GW_OK;
}

/* Mistral reads documents by URL, data URLs too. */
static void write_document(struct gw_openai_encoding *encoding, struct gw_str url)
{
    text(encoding, GW_STR("{\"type\":\"document_url\",\"document_url\":"));
    gw_json_write_text(url, encoding->out);
    text(encoding, GW_STR("}"));
}

static enum gw_err write_file(struct gw_openai_encoding *encoding, yyjson_val *part)
{
    yyjson_val *file = gw_json_get(part, "file");
    struct gw_str inside = gw_json_get_text(file, "file_data");
    struct gw_str url = gw_json_get_text(file, "file_url");
    struct gw_data_url split;
    if (gw_data_url_split(inside, &split) && gw_str_has_prefix(split.mime_type, GW_STR("image/"))) {
        text(encoding, GW_STR("{\"type\":\"image_url\",\"image_url\":{\"url\":"));
        gw_json_write_text(inside, encoding->out);
        text(encoding, GW_STR("}}"));
        return GW_OK;
    }
    if (!encoding->quirks->has_files) {
        return refuse(encoding, GW_STR("This provider takes no files."));
    }
    if (encoding->quirks->is_mistral && (inside.len > 0 || url.len > 0)) {
        write_document(encoding, inside.len > 0 ? inside : url);
        return GW_OK;
    }
    if (url.len > 0) {
        return refuse(encoding, GW_STR("This provider takes files inside the request only, not by "
                                       "URL."));
    }
    text(encoding, GW_STR("{\"type\":\"file\",\"file\":"));
    gw_json_write(file, encoding->out);
    text(encoding, GW_STR("}"));
    return GW_OK;
}

/* One part with the comma before it. A part that was dropped leaves nothing. */
static enum gw_err write_part(struct gw_openai_encoding *encoding, const struct gw_chat_part *part,
                              bool *is_first)
{
    size_t begin = encoding->out->len;
    text(encoding, *is_first ? GW_STR("") : GW_STR(","));
    size_t behind_comma = encoding->out->len;
    enum gw_err err = GW_OK;
    if (part->text.ptr != NULL) {
        write_text_part(encoding, part->text);
    } else if (gw_str_eq(part->type, GW_STR("image_url"))) {
        err = write_image(encoding, part->value);
    } else if (gw_str_eq(part->type, GW_STR("input_audio"))) {
        err = write_audio(encoding, part->value);
    } else if (gw_str_eq(part->type, GW_STR("file"))) {
        err = write_file(encoding, part->value);
    } else if (gw_str_eq(part->type, GW_STR("refusal"))) {
        write_text_part(encoding, gw_json_get_text(part->value, "refusal"));
    } else if (gw_str_eq(part->type, GW_STR("video_url")) &&
               gw_str_eq(encoding->quirks->provider, GW_STR("vllm"))) {
        gw_json_write(part->value, encoding->out);
    } else {
        err = refuse(encoding, GW_STR("This provider cannot take a part of this type."));
    }
    if (encoding->out->len == behind_comma) {
        encoding->out->len = begin;
    } else {
        *is_first = false;
    }
    return err;
}

enum gw_err gw_openai_write_content(struct gw_openai_encoding *encoding, yyjson_val *content,
                                    enum gw_role role)
{
    bool keeps_parts = encoding->quirks->has_developer && role != GW_ROLE_ASSISTANT;
    if (!yyjson_is_arr(content) || (is_all_text(content) && !keeps_parts)) {
        text(encoding, GW_STR("\""));
        write_joined(encoding, content);
        text(encoding, GW_STR("\""));
        return GW_OK;
    }
    struct gw_chat_parts parts = gw_chat_parts_of(content);
    struct gw_chat_part part;
    bool is_first = true;
    text(encoding, GW_STR("["));
    while (gw_chat_parts_next(&parts, &part)) {
        enum gw_err err = write_part(encoding, &part, &is_first);
        if (err != GW_OK) {
            return err;
        }
    }
    text(encoding, GW_STR("]"));
    return GW_OK;
}

/* ---- tool results ---- */

void gw_openai_write_result(struct gw_openai_encoding *encoding, yyjson_val *content, bool is_error)
{
    text(encoding, is_error ? GW_STR("\"Error: ") : GW_STR("\""));
    write_joined(encoding, content);
    text(encoding, GW_STR("\""));
}

enum gw_err gw_openai_write_result_images(struct gw_openai_encoding *encoding, yyjson_val *content,
                                          unsigned *count)
{
    struct gw_chat_parts parts = gw_chat_parts_of(content);
    struct gw_chat_part part;
    while (gw_chat_parts_next(&parts, &part)) {
        if (part.text.ptr != NULL) {
            continue;
        }
        if (encoding->quirks->is_mistral) { /* no user may speak here */
            enum gw_err err =
                refuse(encoding, GW_STR("This provider takes tool results as text only."));
            if (err != GW_OK) {
                return err;
            }
            continue;
        }
        if (*count == 0) {
            text(encoding, GW_STR(",{\"role\":\"user\",\"content\":["));
            write_text_part(encoding, GW_STR("Content of the tool results above:"));
            gw_notes_add(encoding->in->notes, GW_NOTE_CHANGED, GW_STR("messages[].content[]"),
                         GW_STR("what a tool returned beside text follows as a user's message."));
        }
        bool is_first = false;
        enum gw_err err = write_part(encoding, &part, &is_first);
        if (err != GW_OK) {
            return err;
        }
        (*count)++;
    }
    return GW_OK;
}
