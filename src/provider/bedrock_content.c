/* SPDX-License-Identifier: MIT */
/* provider/bedrock_content - the blocks of messages and tool results. */
#include "provider/bedrock_int.h"
#include "json/value.h"
#include "json/write.h"

#define MAX_DOCUMENT_NAME 150 /* Bedrock takes 200; a number is added */

struct format {
    struct gw_str mime_type;
    struct gw_str extension;
    struct gw_str format;
};

static const struct format image_formats[] = {
    {GW_STR_INIT("image/png"), GW_STR_INIT(".png"), GW_STR_INIT("png")},
    {GW_STR_INIT("image/jpeg"), GW_STR_INIT(".jpeg"), GW_STR_INIT("jpeg")},
    {GW_STR_INIT("image/jpg"), GW_STR_INIT(".jpg"), GW_STR_INIT("jpeg")},
    {GW_STR_INIT("image/gif"), GW_STR_INIT(".gif"), GW_STR_INIT("gif")},
    {GW_STR_INIT("image/webp"), GW_STR_INIT(".webp"), GW_STR_INIT("webp")},
};

static const struct format document_formats[] = {
    {GW_STR_INIT("application/pdf"), GW_STR_INIT(".pdf"), GW_STR_INIT("pdf")},
    {GW_STR_INIT("text/csv"), GW_STR_INIT(".csv"), GW_STR_INIT("csv")},
    {GW_STR_INIT("application/msword"), GW_STR_INIT(".doc"), GW_STR_INIT("doc")},
    {GW_STR_INIT("application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
     GW_STR_INIT(".docx"), GW_STR_INIT("docx")},
    {GW_STR_INIT("application/vnd.ms-excel"), GW_STR_INIT(".xls"), GW_STR_INIT("xls")},
    {GW_STR_INIT("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
     GW_STR_INIT(".xlsx"), GW_STR_INIT("xlsx")},
    {GW_STR_INIT("text/html"), GW_STR_INIT(".html"), GW_STR_INIT("html")},
    {GW_STR_INIT("text/markdown"), GW_STR_INIT(".md"), GW_STR_INIT("md")},
    {GW_STR_INIT("text/plain"), GW_STR_INIT(".txt"), GW_STR_INIT("txt")},
};

/* The format of a MIME type, else of a file name; ptr is NULL when neither is known. */
static struct gw_str find_format(const struct format *formats, size_t count,
                                 struct gw_str mime_type, struct gw_str name)
{
    for (size_t i = 0; i < count; i++) {
        if (gw_str_eq_nocase(mime_type, formats[i].mime_type)) {
            return formats[i].format;
        }
    }
    for (size_t i = 0; i < count; i++) {
        if (gw_str_has_suffix(name, formats[i].extension)) {
            return formats[i].format;
        }
    }
    return gw_str(NULL, 0);
}

bool gw_bedrock_has_text(struct gw_str text)
{
    return gw_str_trim(text).len > 0;
}

void gw_bedrock_write_cache_point(struct gw_bedrock_encoder *encoder, yyjson_val *owner,
                                  bool is_tool)
{
    yyjson_val *control = gw_json_get(owner, "cache_control");
    if (control == NULL) {
        return;
    }
    bool is_possible = is_tool ? encoder->model.caches_tools : encoder->model.caches;
    if (!is_possible || encoder->cache_point_count == GW_BEDROCK_MAX_CACHE_POINTS) {
        gw_bedrock_note(encoder, GW_NOTE_DROPPED, GW_STR("cache_control"),
                        is_possible ? GW_STR("Bedrock takes four cache points.")
                                    : GW_STR("The model has no cache points there."));
        return;
    }
    encoder->cache_point_count++;
    gw_json_write_next(encoder->out);
    (void)gw_buf_append(encoder->out, GW_STR("{\"cachePoint\":{\"type\":\"default\""));
    if (encoder->model.family == GW_BEDROCK_CLAUDE) {
        gw_json_write_optional(GW_STR("ttl"), gw_json_get_text(control, "ttl"), encoder->out);
    }
    (void)gw_buf_append(encoder->out, GW_STR("}}"));
}

/* {"image":{"format":"png","source":{"bytes":"..."}}} and its like, around base64. */
static void write_bytes(struct gw_buf *out, struct gw_str kind, struct gw_str format,
                        struct gw_str name, struct gw_str base64)
{
    gw_json_write_next(out);
    (void)gw_buf_append_byte(out, '{');
    gw_json_write_raw(kind, GW_STR("{"), out);
    gw_json_write_member(GW_STR("format"), format, out);
    gw_json_write_optional(GW_STR("name"), name, out);
    gw_json_write_raw(GW_STR("source"), GW_STR("{"), out);
    gw_json_write_member(GW_STR("bytes"), base64, out);
    (void)gw_buf_append(out, GW_STR("}}}"));
}

/* Errors: GW_ERR_INVALID. */
static enum gw_err write_image(struct gw_bedrock_encoder *encoder, yyjson_val *part,
                               bool *is_written)
{
    struct gw_data_url url;
    if (!gw_data_url_split(gw_chat_image_url(part), &url)) {
        return gw_notes_refuse(encoder->in->notes, GW_STR("messages[].content[].image_url"),
                               GW_STR("Bedrock takes images only as base64 data URLs."));
    }
    struct gw_str format =
        find_format(image_formats, GW_ARRAY_LEN(image_formats), url.mime_type, gw_str(NULL, 0));
    if (format.ptr == NULL) {
        return gw_notes_refuse(encoder->in->notes, GW_STR("messages[].content[].image_url"),
                               GW_STR("Bedrock takes PNG, JPEG, GIF and WebP images."));
    }
    write_bytes(encoder->out, GW_STR("image"), format, gw_str(NULL, 0), url.base64);
    *is_written = true;
    return GW_OK;
}

/* A name of what Bedrock takes: letters, digits, single spaces, "-()[]"; numbered, because two
 * documents of a request must not share one. ptr is NULL when there is no memory. */
static struct gw_str document_name(struct gw_bedrock_encoder *encoder, struct gw_str name)
{
    static const char others[] = " -()[]";
    char text[MAX_DOCUMENT_NAME];
    size_t len = 0;
    size_t dot = name.len;
    while (dot > 0 && name.ptr[dot - 1] != '.') {
        dot--;
    }
    size_t end = dot > 1 ? dot - 1 : name.len;
    for (size_t i = 0; i < end && len < sizeof(text); i++) {
        char byte = name.ptr[i];
        bool is_plain = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                        (byte >= '0' && byte <= '9') ||
                        (byte != '\0' && strchr(others, byte) != NULL);
        byte = (char)(is_plain ? byte : '-');
        if (byte != ' ' || (len > 0 && text[len - 1] != ' ')) {
            text[len++] = byte;
        }
    }
    struct gw_str plain = gw_str_trim(gw_str(text, len));
    encoder->document_count++;
    return gw_arena_printf(encoder->in->arena, GW_STR_FMT " %u",
                           GW_STR_ARG(plain.len > 0 ? plain : GW_STR("document")),
                           encoder->document_count);
}

/* Errors: GW_ERR_INVALID. */
static enum gw_err write_document(struct gw_bedrock_encoder *encoder, yyjson_val *part,
                                  bool *is_written)
{
    yyjson_val *file = gw_json_get(part, "file");
    struct gw_str file_data = gw_json_get_text(file, "file_data");
    struct gw_str name = gw_json_get_text(file, "filename");
    /* Some clients send the base64 alone. */
    struct gw_data_url url = {.base64 = file_data};
    bool is_url = gw_data_url_split(file_data, &url);
    if (file_data.len == 0 || (!is_url && gw_str_find_byte(file_data, ':') < file_data.len)) {
        return gw_notes_refuse(encoder->in->notes, GW_STR("messages[].content[].file"),
                               GW_STR("Bedrock takes files only with their content (file_data)."));
    }
    struct gw_str format =
        find_format(image_formats, GW_ARRAY_LEN(image_formats), url.mime_type, gw_str(NULL, 0));
    if (format.ptr != NULL) {
        write_bytes(encoder->out, GW_STR("image"), format, gw_str(NULL, 0), url.base64);
        *is_written = true;
        return GW_OK;
    }
    format = find_format(document_formats, GW_ARRAY_LEN(document_formats), url.mime_type, name);
    if (format.ptr == NULL) {
        return gw_notes_refuse(encoder->in->notes, GW_STR("messages[].content[].file"),
                               GW_STR("Bedrock takes pdf, csv, doc, docx, xls, xlsx, html, txt and "
                                      "md documents."));
    }
    write_bytes(encoder->out, GW_STR("document"), format, document_name(encoder, name), url.base64);
    encoder->open_has_document = true;
    *is_written = true;
    return GW_OK;
}

/* Errors: GW_ERR_INVALID. */
static enum gw_err write_audio(struct gw_bedrock_encoder *encoder, yyjson_val *part,
                               bool *is_written)
{
    yyjson_val *audio = gw_json_get(part, "input_audio");
    struct gw_str format = gw_json_get_text(audio, "format");
    struct gw_str base64 = gw_json_get_text(audio, "data");
    if (format.len == 0 || base64.len == 0) {
        return gw_notes_invalid(encoder->in->notes, GW_STR("messages[].content[].input_audio"),
                                GW_STR("An input_audio part needs 'format' and 'data'."));
    }
    write_bytes(encoder->out, GW_STR("audio"), format, gw_str(NULL, 0), base64);
    *is_written = true;
    return GW_OK;
}

static void write_text(struct gw_bedrock_encoder *encoder, struct gw_str text)
{
    gw_json_write_next(encoder->out);
    (void)gw_buf_append_byte(encoder->out, '{');
    gw_json_write_member(GW_STR("text"), text, encoder->out);
    (void)gw_buf_append_byte(encoder->out, '}');
}

enum gw_err gw_bedrock_write_part(struct gw_bedrock_encoder *encoder,
                                  const struct gw_chat_part *part, bool in_result, bool *is_written)
{
    struct gw_str text = part->text;
    *is_written = false;
    if (gw_str_eq(part->type, GW_STR("refusal"))) {
        text = gw_json_get_text(part->value, "refusal");
    }
    if (text.ptr != NULL) {
        if (gw_bedrock_has_text(text)) {
            write_text(encoder, text);
            encoder->open_has_text = encoder->open_has_text || !in_result;
            *is_written = true;
        }
        return GW_OK;
    }
    if (gw_str_eq(part->type, GW_STR("image_url"))) {
        return write_image(encoder, part->value, is_written);
    }
    if (gw_str_eq(part->type, GW_STR("file"))) {
        return write_document(encoder, part->value, is_written);
    }
    if (gw_str_eq(part->type, GW_STR("input_audio")) && !in_result) {
        return write_audio(encoder, part->value, is_written);
    }
    return gw_notes_refuse(encoder->in->notes, GW_STR("messages[].content[].type"),
                           GW_STR("Bedrock takes text, images, documents and audio."));
}
