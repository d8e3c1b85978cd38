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

/*
 * Does the part with these fields carry the text field |name|?
 *
 * Errors: GW_ERR_INVALID (a folded line, which readers take in different ways).
 */
static enum gw_err is_wanted(struct gw_str fields, struct gw_str name, bool *wanted)
{
    struct gw_str label = GW_STR("content-disposition:");
    struct gw_str line;
    bool is_told = false;
    *wanted = false;
    while (gw_str_split(&fields, '\n', &line)) {
        if (line.len > 0 && (line.ptr[0] == ' ' || line.ptr[0] == '\t')) {
            return GW_ERR_INVALID;
        }
        line = gw_str_trim(line);
        if (is_told || line.len < label.len ||
            !gw_str_eq_nocase(gw_str(line.ptr, label.len), label)) {
            continue;
        }
        struct gw_str found;
        struct gw_str ignored;
        is_told = true;
        *wanted = find_parameter(line, GW_STR("name"), &found) && gw_str_eq(found, name) &&
                  !find_parameter(line, GW_STR("filename"), &ignored);
    }
    return GW_OK;
}

/* Finds the one part in |rest|, which begins behind the first delimiter. */
static enum gw_err find_part(struct gw_str rest, struct gw_str delimiter, struct gw_str name,
                             struct gw_str *value)
{
    struct gw_str found = {0};
    for (unsigned parts = 0; parts <= GW_MULTIPART_MAX_PARTS; parts++) {
        if (gw_str_has_prefix(rest, GW_STR("--"))) {
            if (found.ptr == NULL) {
                return GW_ERR_NOT_FOUND;
            }
            *value = found;
            return GW_OK;
        }
        size_t end = gw_str_find(rest, delimiter);
        size_t blank = gw_str_find(rest, GW_STR("\r\n\r\n"));
        bool wanted = false;
        if (end == rest.len || blank + 4 > end || /* the two may share their line break */
            is_wanted(gw_str_skip(gw_str(rest.ptr, blank), 2), name, &wanted) != GW_OK) {
            return GW_ERR_INVALID;
        }
        if (wanted && found.ptr != NULL) {
            return GW_ERR_INVALID; /* whoever reads this next might take the other one */
        }
        if (wanted) {
            found = gw_str(rest.ptr + blank + 4, end - blank - 4);
        }
        rest = gw_str_skip(rest, end + delimiter.len);
    }
    return GW_ERR_INVALID;
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
    if (first == body.len) {
        return GW_ERR_INVALID;
    }
    return find_part(gw_str_skip(body, first + delimiter.len - 2), delimiter, name, value);
}
