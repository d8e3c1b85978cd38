/* SPDX-License-Identifier: MIT */
/* dialect/gemini_media - inlineData and fileData as parts of the neutral request (inbound.md B2).
 */
#include "dialect/gemini_int.h"
#include "json/value.h"
#include "json/write.h"

static bool is_of(struct gw_str mime_type, struct gw_str front)
{
    return gw_str_has_prefix_nocase(mime_type, front);
}

/* Google's own clients write base64 in the alphabet of URLs; nobody else reads that. */
static void write_base64(struct gw_str data, struct gw_buf *out)
{
    size_t begin = out->len;
    (void)gw_buf_append_json(out, data);
    for (size_t at = begin; at < out->len && out->err == GW_OK; at++) {
        if (out->ptr[at] == '-') {
            out->ptr[at] = '+';
        } else if (out->ptr[at] == '_') {
            out->ptr[at] = '/';
        }
    }
    if (data.len % 4 > 1) {
        (void)gw_buf_append(out, data.len % 4 == 2 ? GW_STR("==") : GW_STR("="));
    }
}

/* "data:image/png;base64,..." as the member |key|. */
static void write_data_url(struct gw_str key, struct gw_str mime_type, struct gw_str data,
                           struct gw_buf *out)
{
    gw_json_write_key(key, out);
    (void)gw_buf_append(out, GW_STR("\"data:"));
    (void)gw_buf_append_json(out, mime_type);
    (void)gw_buf_append(out, GW_STR(";base64,"));
    write_base64(data, out);
    (void)gw_buf_append_byte(out, '"');
}

static void write_inline(struct gw_str mime_type, struct gw_str data, struct gw_str name,
                         struct gw_buf *out)
{
    if (is_of(mime_type, GW_STR("image/"))) {
        (void)gw_buf_append(out, GW_STR("{\"type\":\"image_url\",\"image_url\":{"));
        write_data_url(GW_STR("url"), mime_type, data, out);
    } else if (is_of(mime_type, GW_STR("audio/"))) {
        struct gw_str format = gw_str_skip(mime_type, sizeof("audio/") - 1);
        if (gw_str_eq_nocase(format, GW_STR("mpeg"))) {
            format = GW_STR("mp3");
        } else if (gw_str_eq_nocase(format, GW_STR("x-wav"))) {
            format = GW_STR("wav");
        }
        (void)gw_buf_append(out, GW_STR("{\"type\":\"input_audio\",\"input_audio\":{"));
        gw_json_write_key(GW_STR("data"), out);
        (void)gw_buf_append_byte(out, '"');
        write_base64(data, out);
        (void)gw_buf_append_byte(out, '"');
        gw_json_write_member(GW_STR("format"), format, out);
    } else {
        (void)gw_buf_append(out, GW_STR("{\"type\":\"file\",\"file\":{"));
        gw_json_write_optional(GW_STR("filename"), name, out);
        write_data_url(GW_STR("file_data"), mime_type, data, out);
    }
    (void)gw_buf_append(out, GW_STR("}}"));
}

static void write_uri(struct gw_str mime_type, struct gw_str uri, struct gw_str name,
                      struct gw_buf *out)
{
    bool is_web =
        gw_str_has_prefix(uri, GW_STR("https://")) || gw_str_has_prefix(uri, GW_STR("http://"));
    if (is_web && is_of(mime_type, GW_STR("image/"))) {
        (void)gw_buf_append(out, GW_STR("{\"type\":\"image_url\",\"image_url\":{"));
        gw_json_write_member(GW_STR("url"), uri, out);
    } else {
        (void)gw_buf_append(out, GW_STR("{\"type\":\"file\",\"file\":{"));
        gw_json_write_optional(GW_STR("filename"), name, out);
        gw_json_write_member(GW_STR("file_url"), uri, out);
    }
    (void)gw_buf_append(out, GW_STR("}}"));
}

bool gw_from_gemini_media(struct gw_gemini_reading *r, yyjson_val *part)
{
    yyjson_val *data = gw_from_gemini_get(part, "inlineData");
    yyjson_val *file = gw_from_gemini_get(part, "fileData");
    yyjson_val *media = data != NULL ? data : file;
    if (media == NULL) {
        return false;
    }
    struct gw_str mime_type = gw_from_gemini_text(media, "mimeType");
    struct gw_str name = gw_from_gemini_text(media, "displayName");
    gw_json_write_next(r->out);
    if (data != NULL) {
        write_inline(mime_type, gw_json_get_text(data, "data"), name, r->out);
    } else {
        write_uri(mime_type, gw_from_gemini_text(file, "fileUri"), name, r->out);
    }
    return true;
}
