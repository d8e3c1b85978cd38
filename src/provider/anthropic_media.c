/* SPDX-License-Identifier: MIT */
/* provider/anthropic_media - images and documents (anthropic.md section 2). */
#include <openssl/evp.h>

#include "base/alloc.h"
#include "provider/anthropic_int.h"
#include "json/value.h"
#include "json/write.h"

static bool is_image(struct gw_str mime)
{
    static const struct gw_str types[] = {GW_STR_INIT("image/jpeg"), GW_STR_INIT("image/jpg"),
                                          GW_STR_INIT("image/png"), GW_STR_INIT("image/gif"),
                                          GW_STR_INIT("image/webp")};
    for (size_t i = 0; i < GW_ARRAY_LEN(types); i++) {
        if (gw_str_eq_nocase(mime, types[i])) {
            return true;
        }
    }
    return false;
}

static bool is_text(struct gw_str mime)
{
    static const struct gw_str types[] = {
        GW_STR_INIT("application/json"), GW_STR_INIT("application/xml"),
        GW_STR_INIT("application/javascript"), GW_STR_INIT("application/x-yaml")};
    for (size_t i = 0; i < GW_ARRAY_LEN(types); i++) {
        if (gw_str_eq_nocase(mime, types[i])) {
            return true;
        }
    }
    return gw_str_has_prefix(mime, GW_STR("text/"));
}

static bool is_web_url(struct gw_str url)
{
    return gw_str_has_prefix(url, GW_STR("https://")) || gw_str_has_prefix(url, GW_STR("http://"));
}

static enum gw_anthropic_media kind_of_url(struct gw_str url, enum gw_anthropic_media when_web,
                                           bool is_vertex)
{
    struct gw_data_url data;
    if (is_web_url(url)) {
        return is_vertex ? GW_ANTHROPIC_MEDIA_NONE : when_web;
    }
    if (!gw_data_url_split(url, &data)) {
        return GW_ANTHROPIC_MEDIA_NONE;
    }
    if (is_image(data.mime_type)) {
        return GW_ANTHROPIC_MEDIA_IMAGE;
    }
    if (gw_str_eq_nocase(data.mime_type, GW_STR("application/pdf"))) {
        return GW_ANTHROPIC_MEDIA_PDF;
    }
    return is_text(data.mime_type) ? GW_ANTHROPIC_MEDIA_TEXT : GW_ANTHROPIC_MEDIA_NONE;
}

static enum gw_anthropic_media kind_of_file(yyjson_val *file, bool is_vertex)
{
    struct gw_str id = gw_json_get_text(file, "file_id");
    struct gw_str url = gw_json_get_text(file, "file_url");
    if (url.len > 0) {
        return kind_of_url(url, GW_ANTHROPIC_MEDIA_FILE_URL, is_vertex);
    }
    if (id.len > 0) { /* "file_011C..."; OpenAI's are "file-..." */
        bool is_own = gw_str_has_prefix(id, GW_STR("file_")) && !is_vertex;
        return is_own ? GW_ANTHROPIC_MEDIA_FILE_ID : GW_ANTHROPIC_MEDIA_NONE;
    }
    return kind_of_url(gw_json_get_text(file, "file_data"), GW_ANTHROPIC_MEDIA_FILE_URL, is_vertex);
}

static bool is_native(const struct gw_chat_part *part)
{
    static const struct gw_str types[] = {GW_STR_INIT("image"), GW_STR_INIT("document"),
                                          GW_STR_INIT("search_result"),
                                          GW_STR_INIT("container_upload")};
    for (size_t i = 0; i < GW_ARRAY_LEN(types); i++) {
        if (gw_str_eq(part->type, types[i])) {
            return true;
        }
    }
    return false;
}

static struct gw_str refusal_of(const struct gw_chat_part *part, bool is_vertex)
{
    if (gw_str_eq(part->type, GW_STR("input_audio"))) {
        return GW_STR("Anthropic's models take no audio.");
    }
    if (gw_str_eq(part->type, GW_STR("image_url"))) {
        return is_vertex && is_web_url(gw_chat_image_url(part->value))
                   ? GW_STR("Vertex AI takes no URLs of images; send the image as a data URL.")
                   : GW_STR("an image must be a data URL of a JPEG, PNG, GIF or WebP, or an "
                            "https URL.");
    }
    if (gw_str_eq(part->type, GW_STR("file"))) {
        return GW_STR("a file must be a PDF, a text or an image as a data URL, or a file that was "
                      "uploaded to Anthropic.");
    }
    return GW_STR("Anthropic's models take texts, images and documents only.");
}

enum gw_err gw_anthropic_check_media(struct gw_anthropic_encoding *e,
                                     const struct gw_chat_part *part,
                                     enum gw_anthropic_media *media)
{
    *media = GW_ANTHROPIC_MEDIA_NONE;
    if (gw_str_eq(part->type, GW_STR("image_url"))) {
        *media =
            kind_of_url(gw_chat_image_url(part->value), GW_ANTHROPIC_MEDIA_IMAGE_URL, e->is_vertex);
    } else if (gw_str_eq(part->type, GW_STR("file"))) {
        *media = kind_of_file(gw_json_get(part->value, "file"), e->is_vertex);
    } else if (is_native(part)) {
        *media = GW_ANTHROPIC_MEDIA_NATIVE;
    }
    return *media != GW_ANTHROPIC_MEDIA_NONE
               ? GW_OK
               : gw_notes_refuse(e->notes, GW_STR("messages[].content[]"),
                                 refusal_of(part, e->is_vertex));
}

/* ---- writing ---- */

static void write_source(struct gw_str type, struct gw_str mime, struct gw_str name,
                         struct gw_str value, struct gw_buf *out)
{
    gw_json_write_raw(GW_STR("source"), GW_STR("{"), out);
    gw_json_write_member(GW_STR("type"), type, out);
    gw_json_write_optional(GW_STR("media_type"), mime, out);
    gw_json_write_member(name, value, out);
    (void)gw_buf_append_byte(out, '}');
}

/* Base64 of a text file; what is no base64 is sent as it stands. */
static void write_text_source(struct gw_str base64, struct gw_buf *out)
{
    struct gw_str trimmed = gw_str_trim(base64);
    size_t padding = 0;
    while (padding < 2 && padding < trimmed.len && trimmed.ptr[trimmed.len - 1 - padding] == '=') {
        padding++;
    }
    unsigned char *bytes = gw_try_alloc(trimmed.len / 4 * 3 + 4);
    if (bytes == NULL || trimmed.len > INT32_MAX) {
        out->err = out->err != GW_OK ? out->err : GW_ERR_NOMEM;
        gw_free(bytes);
        return;
    }
    int len = EVP_DecodeBlock(bytes, (const unsigned char *)trimmed.ptr, (int)trimmed.len);
    struct gw_str text =
        len < (int)padding ? base64 : gw_str((const char *)bytes, (size_t)len - padding);
    write_source(GW_STR("text"), GW_STR("text/plain"), GW_STR("data"), text, out);
    gw_free(bytes);
}

static void write_image(struct gw_str url, struct gw_buf *out)
{
    struct gw_data_url data = {0};
    (void)gw_data_url_split(url, &data);
    bool is_jpg = gw_str_eq_nocase(data.mime_type, GW_STR("image/jpg")); /* no registered type */
    write_source(GW_STR("base64"), is_jpg ? GW_STR("image/jpeg") : data.mime_type, GW_STR("data"),
                 data.base64, out);
}

/* What the part's URL, id or data is. */
static struct gw_str value_of(const struct gw_chat_part *part)
{
    static const char *const names[] = {"file_url", "file_id", "file_data"};
    if (gw_str_eq(part->type, GW_STR("image_url"))) {
        return gw_chat_image_url(part->value);
    }
    for (size_t i = 0; i < GW_ARRAY_LEN(names); i++) {
        struct gw_str value = gw_json_get_text(gw_json_get(part->value, "file"), names[i]);
        if (value.len > 0) {
            return value;
        }
    }
    return gw_str(NULL, 0);
}

/* The API's own block without its last brace and its cache_control, which the caller writes. */
static void write_native(yyjson_val *block, struct gw_buf *out)
{
    size_t index = 0;
    size_t max = 0;
    yyjson_val *key = NULL;
    yyjson_val *value = NULL;
    (void)gw_buf_append_byte(out, '{');
    yyjson_obj_foreach(block, index, max, key, value)
    {
        if (gw_json_is(key, GW_STR("cache_control"))) {
            continue;
        }
        gw_json_write_next(out);
        gw_json_write_text(gw_json_text(key), out);
        (void)gw_buf_append_byte(out, ':');
        gw_json_write(value, out);
    }
}

static void write_document(const struct gw_chat_part *part, enum gw_anthropic_media media,
                           struct gw_buf *out)
{
    struct gw_str value = value_of(part);
    struct gw_data_url data = {0};
    (void)gw_buf_append(out, GW_STR("{\"type\":\"document\""));
    if (media == GW_ANTHROPIC_MEDIA_FILE_URL) {
        write_source(GW_STR("url"), GW_STR(""), GW_STR("url"), value, out);
    } else if (media == GW_ANTHROPIC_MEDIA_FILE_ID) {
        write_source(GW_STR("file"), GW_STR(""), GW_STR("file_id"), value, out);
    } else {
        (void)gw_data_url_split(value, &data);
        if (media == GW_ANTHROPIC_MEDIA_TEXT) {
            write_text_source(data.base64, out);
        } else {
            write_source(GW_STR("base64"), data.mime_type, GW_STR("data"), data.base64, out);
        }
    }
    gw_json_write_optional(GW_STR("title"),
                           gw_json_get_text(gw_json_get(part->value, "file"), "filename"), out);
}

void gw_anthropic_write_media(struct gw_anthropic_encoding *e, const struct gw_chat_part *part,
                              enum gw_anthropic_media media)
{
    struct gw_buf *out = e->out;
    switch (media) {
    case GW_ANTHROPIC_MEDIA_NONE:
        break;
    case GW_ANTHROPIC_MEDIA_IMAGE:
        (void)gw_buf_append(out, GW_STR("{\"type\":\"image\""));
        write_image(value_of(part), out);
        break;
    case GW_ANTHROPIC_MEDIA_IMAGE_URL:
        (void)gw_buf_append(out, GW_STR("{\"type\":\"image\""));
        write_source(GW_STR("url"), GW_STR(""), GW_STR("url"), value_of(part), out);
        break;
    case GW_ANTHROPIC_MEDIA_PDF:
    case GW_ANTHROPIC_MEDIA_TEXT:
    case GW_ANTHROPIC_MEDIA_FILE_URL:
    case GW_ANTHROPIC_MEDIA_FILE_ID:
        write_document(part, media, out);
        break;
    case GW_ANTHROPIC_MEDIA_NATIVE:
        write_native(part->value, out);
        break;
    }
}
