/* SPDX-License-Identifier: MIT */
/* provider/gemini_split - finds where each object of a streamed JSON array ends, by its braces. */
#include "provider/gemini_int.h"

void gw_gemini_split_init(struct gw_gemini_split *split, size_t max_bytes)
{
    *split = (struct gw_gemini_split){.state = GW_GEMINI_SPLIT_BEFORE};
    gw_buf_init(&split->part, max_bytes);
}

void gw_gemini_split_fini(struct gw_gemini_split *split)
{
    gw_buf_fini(&split->part);
}

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

/* A byte outside the objects. */
static enum gw_err take_frame(struct gw_gemini_split *split, char byte)
{
    bool may_open =
        split->state == GW_GEMINI_SPLIT_BEFORE || split->state == GW_GEMINI_SPLIT_BETWEEN;
    if (is_blank(byte)) {
        return GW_OK;
    }
    if (byte == '{' && may_open) {
        split->state = GW_GEMINI_SPLIT_INSIDE;
        split->depth = 0;
        return GW_OK;
    }
    if (byte == '[' && split->state == GW_GEMINI_SPLIT_BEFORE) {
        split->is_array = true;
        split->state = GW_GEMINI_SPLIT_BETWEEN;
        return GW_OK;
    }
    if (split->state == GW_GEMINI_SPLIT_BETWEEN && (byte == ',' || byte == ']')) {
        split->state = byte == ',' ? GW_GEMINI_SPLIT_BETWEEN : GW_GEMINI_SPLIT_DONE;
        return GW_OK;
    }
    return GW_ERR_PROTOCOL;
}

/* Does this byte, inside an object, end it? */
static bool is_last(struct gw_gemini_split *split, char byte)
{
    if (split->in_string) {
        bool is_escaped = split->after_escape;
        split->after_escape = byte == '\\' && !is_escaped;
        split->in_string = byte != '"' || is_escaped;
        return false;
    }
    if (byte == '"') {
        split->in_string = true;
    } else if (byte == '{' || byte == '[') {
        split->depth++;
    } else if ((byte == '}' || byte == ']') && split->depth > 0) {
        split->depth--;
        return split->depth == 0;
    }
    return false;
}

/* How many of |bytes| belong to the object that is open. */
static size_t object_len(struct gw_gemini_split *split, struct gw_str bytes, bool *is_whole)
{
    for (size_t i = 0; i < bytes.len; i++) {
        if (is_last(split, bytes.ptr[i])) {
            *is_whole = true;
            return i + 1;
        }
    }
    *is_whole = false;
    return bytes.len;
}

static enum gw_err take_object(struct gw_gemini_split *split, struct gw_str bytes, size_t *used,
                               gw_gemini_on_object_fn *on_object, void *user)
{
    bool is_whole;
    *used = object_len(split, bytes, &is_whole);
    struct gw_str object = gw_str(bytes.ptr, *used);
    if (object.len > split->part.max_bytes - split->part.len) {
        return GW_ERR_TOO_LARGE;
    }
    if (!is_whole || split->part.len > 0) {
        enum gw_err err = gw_buf_append(&split->part, object);
        if (err != GW_OK || !is_whole) {
            return err;
        }
        object = gw_buf_str(&split->part);
    }
    split->state = split->is_array ? GW_GEMINI_SPLIT_BETWEEN : GW_GEMINI_SPLIT_DONE;
    enum gw_err err = on_object(user, object);
    gw_buf_reset(&split->part);
    return err;
}

enum gw_err gw_gemini_split_feed(struct gw_gemini_split *split, struct gw_str bytes,
                                 gw_gemini_on_object_fn *on_object, void *user)
{
    enum gw_err err = GW_OK;
    while (bytes.len > 0 && err == GW_OK) {
        if (split->state != GW_GEMINI_SPLIT_INSIDE) {
            err = take_frame(split, bytes.ptr[0]);
            if (split->state != GW_GEMINI_SPLIT_INSIDE) {
                bytes = gw_str_skip(bytes, 1);
                continue;
            }
        }
        size_t used = 0;
        if (err == GW_OK) {
            err = take_object(split, bytes, &used, on_object, user);
        }
        bytes = gw_str_skip(bytes, used);
    }
    return err;
}
