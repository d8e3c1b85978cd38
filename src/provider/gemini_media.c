/* SPDX-License-Identifier: MIT */
/* provider/gemini_media - images, audio, files and video as inlineData and fileData (gemini.md
 * section 2, vertex.md section 3). */
#include <stdio.h>

#include "llm/chat.h"
#include "provider/gemini_int.h"
#include "json/value.h"
#include "json/write.h"

#define AUDIO_TYPE_BYTES 48 /* formats are "wav" and "mp3"; longer ones than 32 are none */

static const struct {
    struct gw_str suffix;
    struct gw_str mime_type;
} mime_types[] = {
    {GW_STR_INIT(".png"), GW_STR_INIT("image/png")},
    {GW_STR_INIT(".jpg"), GW_STR_INIT("image/jpeg")},
    {GW_STR_INIT(".jpeg"), GW_STR_INIT("image/jpeg")},
    {GW_STR_INIT(".webp"), GW_STR_INIT("image/webp")},
    {GW_STR_INIT(".gif"), GW_STR_INIT("image/gif")},
    {GW_STR_INIT(".heic"), GW_STR_INIT("image/heic")},
    {GW_STR_INIT(".pdf"), GW_STR_INIT("application/pdf")},
    {GW_STR_INIT(".txt"), GW_STR_INIT("text/plain")},
    {GW_STR_INIT(".csv"), GW_STR_INIT("text/csv")},
    {GW_STR_INIT(".html"), GW_STR_INIT("text/html")},
    {GW_STR_INIT(".mp4"), GW_STR_INIT("video/mp4")},
    {GW_STR_INIT(".mov"), GW_STR_INIT("video/quicktime")},
    {GW_STR_INIT(".webm"), GW_STR_INIT("video/webm")},
    {GW_STR_INIT(".mp3"), GW_STR_INIT("audio/mp3")},
    {GW_STR_INIT(".wav"), GW_STR_INIT("audio/wav")},
};

/* By the ending of a name or URL, whose query does not count; |otherwise| when it tells nothing. */
static struct gw_str guess_type(struct gw_str name, struct gw_str otherwise)
{
    name = gw_str(name.ptr, gw_str_find_byte(name, '?'));
    name = gw_str(name.ptr, gw_str_find_byte(name, '#'));
    for (size_t i = 0; i < GW_ARRAY_LEN(mime_types); i++) {
        struct gw_str suffix = mime_types[i].suffix;
        if (name.len >= suffix.len &&
            gw_str_eq_nocase(gw_str_skip(name, name.len - suffix.len), suffix)) {
            return mime_types[i].mime_type;
        }
    }
    return otherwise;
}

static void write_inline(struct gw_buf *out, struct gw_str mime_type, struct gw_str base64)
{
    gw_json_write_next(out);
    (void)gw_buf_append(out, GW_STR("{\"inlineData\":{"));
    gw_json_write_member(GW_STR("mimeType"), mime_type, out);
    gw_json_write_member(GW_STR("data"), base64, out);
    (void)gw_buf_append(out, GW_STR("}}"));
}

static void write_uri(struct gw_buf *out, struct gw_str mime_type, struct gw_str uri)
{
    gw_json_write_next(out);
    (void)gw_buf_append(out, GW_STR("{\"fileData\":{"));
    gw_json_write_optional(GW_STR("mimeType"), mime_type, out);
    gw_json_write_member(GW_STR("fileUri"), uri, out);
    (void)gw_buf_append(out, GW_STR("}}"));
}

static enum gw_err refuse(struct gw_gemini_encoding *e, struct gw_str text)
{
    return gw_notes_refuse(e->notes, GW_STR("messages[].content[]"), text);
}

static bool is_uri(struct gw_str text)
{
    return gw_str_has_prefix(text, GW_STR("https://")) ||
           gw_str_has_prefix(text, GW_STR("http://")) || gw_str_has_prefix(text, GW_STR("gs://"));
}

/* A data URL goes along, another is for Google to fetch. */
static enum gw_err write_url(struct gw_gemini_encoding *e, struct gw_str url,
                             struct gw_str mime_type)
{
    struct gw_data_url data;
    if (gw_data_url_split(url, &data)) {
        write_inline(e->out, data.mime_type.len > 0 ? data.mime_type : mime_type, data.base64);
        return GW_OK;
    }
    if (!is_uri(url)) {
        return refuse(e, GW_STR("Neither a data URL nor an address that Google can fetch."));
    }
    gw_notes_add(e->notes, GW_NOTE_MAPPED, GW_STR("messages[].content[]"),
                 GW_STR("An address is sent as fileData, which Google fetches."));
    write_uri(e->out, guess_type(url, mime_type), url);
    return GW_OK;
}

static enum gw_err write_image(struct gw_gemini_encoding *e, yyjson_val *part)
{
    struct gw_str detail = gw_json_get_text(gw_json_get(part, "image_url"), "detail");
    if (detail.len > 0 && !gw_str_eq(detail, GW_STR("auto"))) {
        gw_notes_add(e->notes, GW_NOTE_DROPPED, GW_STR("messages[].content[].image_url.detail"),
                     GW_STR("Gemini chooses an image's resolution itself."));
    }
    return write_url(e, gw_chat_image_url(part), GW_STR("image/jpeg"));
}

static enum gw_err write_audio(struct gw_gemini_encoding *e, yyjson_val *part)
{
    yyjson_val *audio = gw_json_get(part, "input_audio");
    struct gw_str format = gw_json_get_text(audio, "format");
    struct gw_str data = gw_json_get_text(audio, "data");
    if (data.len == 0) {
        return refuse(e, GW_STR("Audio without data."));
    }
    char mime_type[AUDIO_TYPE_BYTES];
    int len = snprintf(mime_type, sizeof(mime_type), "audio/" GW_STR_FMT,
                       (int)(format.len < 32 ? format.len : 0), format.len > 0 ? format.ptr : "");
    write_inline(e->out, gw_str(mime_type, len > 0 ? (size_t)len : 0), data);
    return GW_OK;
}

static enum gw_err write_file(struct gw_gemini_encoding *e, yyjson_val *part)
{
    yyjson_val *file = gw_json_get(part, "file");
    struct gw_str data = gw_json_get_text(file, "file_data");
    struct gw_str url = gw_json_get_text(file, "file_url");
    struct gw_str id = gw_json_get_text(file, "file_id");
    struct gw_str type = gw_json_get_text(file, "format"); /* LiteLLM's clients name it */
    if (type.len == 0) {
        type = guess_type(gw_json_get_text(file, "filename"), GW_STR("application/pdf"));
    }
    if (url.len > 0 || is_uri(id)) {
        return write_url(e, url.len > 0 ? url : id, type);
    }
    if (data.len > 0) {
        struct gw_data_url split;
        bool is_url = gw_data_url_split(data, &split);
        write_inline(e->out, is_url && split.mime_type.len > 0 ? split.mime_type : type,
                     is_url ? split.base64 : data);
        return GW_OK;
    }
    return refuse(e, GW_STR("Gemini cannot read other vendors' file ids; send the data."));
}

enum gw_err gw_gemini_write_media(struct gw_gemini_encoding *e, yyjson_val *part)
{
    struct gw_str type = gw_json_get_text(part, "type");
    if (gw_str_eq(type, GW_STR("image_url"))) {
        return write_image(e, part);
    }
    if (gw_str_eq(type, GW_STR("input_audio"))) {
        return write_audio(e, part);
    }
    if (gw_str_eq(type, GW_STR("file"))) {
        return write_file(e, part);
    }
    if (gw_str_eq(type, GW_STR("video_url"))) {
        return write_url(e, gw_json_get_text(gw_json_get(part, "video_url"), "url"),
                         GW_STR("video/mp4"));
    }
    return refuse(e, GW_STR("Gemini takes no parts of this type."));
}
