/* SPDX-License-Identifier: MIT */
/* http/multipart - a walk over the parts of a form. */
#include "http/multipart.h"

#include <stdbool.h>

#define BOUNDARY_MAX_BYTES 70 /* RFC 2046 section 5.1.1 */

/* Value of a parameter of a header field ("boundary" of a Content-Type), quotes removed. */
static bool find_parameter(struct gw_str field, struct gw_str name, struct gw_str *value)
{
    struct gw_str part;
    struct gw_str rest = field;
    (void)gw_str_split(&rest, ';', &part); /* the type itself */
    while (gw_str_split(&rest, ';', &part)) {
        part = gw_str_trim(part);
        size_t equals = gw_str_find_byte(part, '=');
        if (equals == part.len || !gw_str_eq_nocase(gw_str(part.ptr, equals), name)) {
            continue;
        }
        struct gw_str text = gw_str_skip(part, equals + 1);
        if (text.len >= 2 && text.ptr[0] == '"' && text.ptr[text.len - 1] == '"') {
            text = gw_str(text.ptr + 1, text.len - 2);
        }
        *value = text;
        return true;
    }
    return false;
}

/* Does the part with these fields carry the text field |name|? */
static bool is_wanted(struct gw_str fields, struct gw_str name)
{
    struct gw_str line;
    while (gw_str_split(&fields, '\n', &line)) {
        line = gw_str_trim(line);
        struct gw_str label = GW_STR("content-disposition:");
        struct gw_str found;
        if (line.len < label.len || !gw_str_eq_nocase(gw_str(line.ptr, label.len), label)) {
            continue;
        }
        struct gw_str ignored;
        return find_parameter(line, GW_STR("name"), &found) && gw_str_eq(found, name) &&
               !find_parameter(line, GW_STR("filename"), &ignored);
    }
    return false;
}

enum gw_err gw_multipart_find(struct gw_str content_type, struct gw_str body, struct gw_str name,
                              struct gw_str *value)
{
    struct gw_str boundary;
    struct gw_str form = GW_STR("multipart/form-data");
    if (content_type.len < form.len ||
        !gw_str_eq_nocase(gw_str(content_type.ptr, form.len), form) ||
        !find_parameter(content_type, GW_STR("boundary"), &boundary) || boundary.len == 0 ||
        boundary.len > BOUNDARY_MAX_BYTES) {
        return GW_ERR_INVALID;
    }
    char delimiter_text[2 + 2 + BOUNDARY_MAX_BYTES] = "\r\n--";
    memcpy(delimiter_text + 4, boundary.ptr, boundary.len);
    struct gw_str delimiter = gw_str(delimiter_text, 4 + boundary.len);
    /* The first delimiter has no line break before it. */
    size_t first = gw_str_find(body, gw_str_skip(delimiter, 2));
    struct gw_str rest = gw_str_skip(body, first == body.len ? first : first + delimiter.len - 2);
    for (unsigned parts = 0; parts < GW_MULTIPART_MAX_PARTS && rest.len > 0; parts++) {
        if (gw_str_has_prefix(rest, GW_STR("--"))) {
            return GW_ERR_NOT_FOUND;
        }
        size_t end = gw_str_find(rest, delimiter);
        size_t blank = gw_str_find(rest, GW_STR("\r\n\r\n"));
        if (end == rest.len || blank >= end) {
            return GW_ERR_INVALID;
        }
        if (is_wanted(gw_str(rest.ptr, blank), name)) {
            *value = gw_str(rest.ptr + blank + 4, end - blank - 4);
            return GW_OK;
        }
        rest = gw_str_skip(rest, end + delimiter.len);
    }
    return rest.len > 0 ? GW_ERR_NOT_FOUND : GW_ERR_INVALID;
}
