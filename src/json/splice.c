/* SPDX-License-Identifier: MIT */
/* json/splice - a sorted list of edits, and the runs between them. */
#include "json/splice.h"

#include <stdbool.h>
#include <stdint.h>

#include "base/assert.h"

void gw_json_splice_init(struct gw_json_splice *splice, struct gw_str original)
{
    *splice = (struct gw_json_splice){.original = original};
}

/* Where |span| begins in the original; false when it is no part of it. */
static bool locate(const struct gw_json_splice *splice, struct gw_str span, size_t *offset)
{
    uintptr_t begin = (uintptr_t)splice->original.ptr;
    uintptr_t at = (uintptr_t)span.ptr;
    if (at < begin || at - begin > splice->original.len ||
        span.len > splice->original.len - (at - begin)) {
        return false;
    }
    *offset = at - begin;
    return true;
}

/*
 * Puts |edit| where it belongs: by offset; at one offset insertions stand before the removal, in
 * the order they came.
 */
static enum gw_err insert_edit(struct gw_json_splice *splice, struct gw_json_edit edit)
{
    size_t at = 0;
    for (; at < splice->count; at++) {
        const struct gw_json_edit *other = &splice->edits[at];
        if (other->offset > edit.offset) {
            break;
        }
        if (other->offset == edit.offset && other->removed > 0) {
            break;
        }
    }
    bool hits_before =
        at > 0 && splice->edits[at - 1].offset + splice->edits[at - 1].removed > edit.offset;
    bool hits_behind = at < splice->count && edit.offset + edit.removed > splice->edits[at].offset;
    if (hits_before || hits_behind) {
        return GW_ERR_INVALID;
    }
    if (splice->count == GW_JSON_MAX_EDITS) {
        return GW_ERR_TOO_LARGE;
    }
    for (size_t i = splice->count; i > at; i--) {
        splice->edits[i] = splice->edits[i - 1];
    }
    splice->edits[at] = edit;
    splice->count++;
    return GW_OK;
}

enum gw_err gw_json_splice_replace(struct gw_json_splice *splice, struct gw_str span,
                                   struct gw_str replacement)
{
    struct gw_json_edit edit = {.removed = span.len, .replacement = replacement};
    if (!locate(splice, span, &edit.offset)) {
        return GW_ERR_INVALID;
    }
    return insert_edit(splice, edit);
}

static bool has_insertion_at(const struct gw_json_splice *splice, size_t offset)
{
    for (size_t i = 0; i < splice->count; i++) {
        if (splice->edits[i].offset == offset && splice->edits[i].removed == 0) {
            return true;
        }
    }
    return false;
}

enum gw_err gw_json_splice_add_member(struct gw_json_splice *splice, struct gw_str object,
                                      struct gw_str comma_member)
{
    GW_ASSERT(comma_member.len > 1 && comma_member.ptr[0] == ',');
    object = gw_str_trim(object);
    if (object.len < 2 || object.ptr[0] != '{' || object.ptr[object.len - 1] != '}') {
        return GW_ERR_INVALID;
    }
    struct gw_str upto_last = gw_str_trim(gw_str(object.ptr, object.len - 1));
    bool is_empty = upto_last.len == 1;
    struct gw_json_edit edit = {.replacement = comma_member};
    if (!locate(splice, gw_str(upto_last.ptr + upto_last.len, 0), &edit.offset)) {
        return GW_ERR_INVALID;
    }
    if (is_empty && !has_insertion_at(splice, edit.offset)) {
        edit.replacement = gw_str_skip(comma_member, 1);
    }
    return insert_edit(splice, edit);
}

size_t gw_json_splice_runs(const struct gw_json_splice *splice,
                           struct gw_str runs[GW_JSON_MAX_RUNS])
{
    size_t count = 0;
    size_t at = 0;
    for (size_t i = 0; i < splice->count; i++) {
        const struct gw_json_edit *edit = &splice->edits[i];
        if (edit->offset > at) {
            runs[count++] = gw_str(splice->original.ptr + at, edit->offset - at);
        }
        if (edit->replacement.len > 0) {
            runs[count++] = edit->replacement;
        }
        at = edit->offset + edit->removed;
    }
    if (at < splice->original.len) {
        runs[count++] = gw_str_skip(splice->original, at);
    }
    return count;
}

size_t gw_json_splice_len(const struct gw_json_splice *splice)
{
    size_t len = splice->original.len;
    for (size_t i = 0; i < splice->count; i++) {
        len = len - splice->edits[i].removed + splice->edits[i].replacement.len;
    }
    return len;
}
