/* SPDX-License-Identifier: MIT */
/* json/schema_check - frames, marks and limits. */
#include "json/schema_check.h"

#include <string.h>

#include "base/alloc.h"
#include "json/schema_message.h"

#define WORD_BITS        64
#define HARD_MATCH_STEPS 20000 /* of the allowance: a hard match costs milliseconds */

bool gw_schema_abort(struct gw_schema_checking *check, const struct gw_schema_frame *frame,
                     const char *why)
{
    if (!check->is_aborted) {
        check->is_aborted = true;
        gw_schema_add_error(check, frame, "", gw_str_from_c(why), GW_STR(""));
    }
    return false;
}

bool gw_schema_work(struct gw_schema_checking *check, const struct gw_schema_frame *frame,
                    size_t steps)
{
    if (check->is_aborted) {
        return false;
    }
    return gw_schema_charge(&check->allowance, steps) ||
           gw_schema_abort(check, frame, "takes too much work to check");
}

bool gw_schema_matches(struct gw_schema_checking *check, const struct gw_schema_frame *frame,
                       const struct gw_schema_pattern *pattern, struct gw_str text)
{
    if (!gw_schema_work(check, frame, 1 + text.len / WORD_BITS)) {
        return false;
    }
    enum gw_schema_match match =
        gw_schema_regex_match(pattern->regex, text, GW_SCHEMA_EASY, &check->matcher);
    if (match == GW_SCHEMA_MATCH_TOO_HARD) {
        if (!gw_schema_work(check, frame, HARD_MATCH_STEPS)) {
            return false;
        }
        match = gw_schema_regex_match(pattern->regex, text, GW_SCHEMA_HARD, &check->matcher);
    }
    if (match != GW_SCHEMA_MATCH_TOO_HARD) {
        return match == GW_SCHEMA_MATCH_YES;
    }
    return gw_schema_abort(check, frame, "takes too long to compare with a pattern of the schema");
}

static size_t words_for(size_t count)
{
    return (count + WORD_BITS - 1) / WORD_BITS;
}

bool gw_schema_marks_begin(struct gw_schema_checking *check, const struct gw_schema_frame *frame,
                           size_t count, struct gw_schema_marks *marks)
{
    size_t words = words_for(count);
    if (!gw_schema_work(check, frame, words)) {
        return false;
    }
    if (words > GW_SCHEMA_MAX_SCRATCH_WORDS - check->words_used) {
        return gw_schema_abort(check, frame, "is too large to check");
    }
    size_t need = check->words_used + words;
    if (need > check->words_capacity) {
        size_t capacity = need * 2 + 64;
        uint64_t *block = gw_try_realloc(check->words, capacity * sizeof(uint64_t));
        if (block == NULL) {
            return gw_schema_abort(check, frame, "cannot be checked: out of memory");
        }
        check->words = block;
        check->words_capacity = capacity;
    }
    *marks = (struct gw_schema_marks){.from = check->words_used, .count = count};
    if (words > 0) {
        memset(check->words + marks->from, 0, words * sizeof(uint64_t));
    }
    check->words_used = need;
    return true;
}

void gw_schema_marks_end(struct gw_schema_checking *check, const struct gw_schema_marks *marks)
{
    check->words_used = marks->from;
}

void gw_schema_mark(struct gw_schema_checking *check, const struct gw_schema_marks *marks,
                    size_t index)
{
    if (marks != NULL && index < marks->count) {
        check->words[marks->from + index / WORD_BITS] |= (uint64_t)1 << index % WORD_BITS;
    }
}

bool gw_schema_is_marked(const struct gw_schema_checking *check,
                         const struct gw_schema_marks *marks, size_t index)
{
    return (check->words[marks->from + index / WORD_BITS] >> index % WORD_BITS & 1) != 0;
}

void gw_schema_marks_merge(struct gw_schema_checking *check, const struct gw_schema_marks *to,
                           const struct gw_schema_marks *from)
{
    size_t words = to != NULL ? words_for(to->count) : 0;
    for (size_t i = 0; i < words; i++) {
        check->words[to->from + i] |= check->words[from->from + i];
    }
}

static bool check_groups(struct gw_schema_checking *check, const struct gw_schema_frame *frame)
{
    static gw_schema_check_fn *const groups[] = {
        gw_schema_check_number, gw_schema_check_string,   gw_schema_check_array,
        gw_schema_check_object, gw_schema_check_in_place, gw_schema_check_unevaluated,
    };
    /* A value of another kind is told once; what else is wrong with it would only repeat that. */
    if (!gw_schema_check_kind(check, frame)) {
        return false;
    }
    bool is_valid = true;
    for (size_t i = 0; i < GW_ARRAY_LEN(groups); i++) {
        if (!groups[i](check, frame)) {
            is_valid = false;
            if (gw_schema_stops(check)) {
                break;
            }
        }
    }
    return is_valid && !check->is_aborted;
}

/* A schema with unevaluated keywords sees what is evaluated inside itself only, so its marks are
 * fresh. */
static bool check_with_own_marks(struct gw_schema_checking *check,
                                 const struct gw_schema_frame *frame)
{
    struct gw_schema_marks marks;
    struct gw_schema_frame inner = *frame;
    if (!gw_schema_marks_begin(check, frame, gw_schema_child_count(frame->value), &marks)) {
        return false;
    }
    inner.marks = &marks;
    bool is_valid = check_groups(check, &inner);
    gw_schema_marks_merge(check, frame->marks, &marks);
    gw_schema_marks_end(check, &marks);
    return is_valid;
}

bool gw_schema_apply(struct gw_schema_checking *check, const struct gw_schema_frame *up,
                     const struct gw_schema_node *node, yyjson_val *value,
                     const struct gw_schema_place *place, struct gw_schema_marks *marks)
{
    struct gw_schema_frame frame = {
        .up = up,
        .node = node,
        .value = value,
        .place = place,
        .marks = marks,
        .depth = up == NULL ? 1 : up->depth + 1,
        .hides_value = node->hides_value || (up != NULL && up->hides_value),
    };
    if (!gw_schema_work(check, &frame, 1)) {
        return false;
    }
    if (frame.depth > GW_SCHEMA_MAX_FRAMES) {
        return gw_schema_abort(check, &frame, "cannot be checked: the schema refers to itself");
    }
    switch (node->kind) {
    case GW_SCHEMA_ANYTHING:
        return true;
    case GW_SCHEMA_NOTHING:
        return gw_schema_tell(check, &frame, "false", "is not allowed here");
    case GW_SCHEMA_KEYWORDS:
        break;
    }
    return node->has_unevaluated && yyjson_is_ctn(value) ? check_with_own_marks(check, &frame)
                                                         : check_groups(check, &frame);
}

bool gw_schema_apply_here(struct gw_schema_checking *check, const struct gw_schema_frame *frame,
                          const struct gw_schema_node *node, struct gw_schema_marks *marks)
{
    return gw_schema_apply(check, frame, node, frame->value, frame->place, marks);
}

bool gw_schema_agrees(struct gw_schema_checking *check, const struct gw_schema_frame *up,
                      const struct gw_schema_node *node, yyjson_val *value,
                      const struct gw_schema_place *place, struct gw_schema_marks *marks)
{
    enum gw_schema_mode mode = check->mode;
    check->mode = GW_SCHEMA_VERDICT;
    bool is_valid = gw_schema_apply(check, up, node, value, place, marks);
    check->mode = mode;
    return is_valid;
}
