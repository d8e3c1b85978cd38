/* SPDX-License-Identifier: MIT */
/* json/schema_in_place - the keywords that apply other schemas to the same value. */
#include "json/schema_check.h"
#include "json/schema_message.h"

/* Where a $dynamicRef leads: the outermost resource of the dynamic scope that has such an anchor
 * decides. */
static const struct gw_schema_node *dynamic_target(const struct gw_schema_frame *frame)
{
    const struct gw_schema_node *target = frame->node->dynamic_ref;
    const struct gw_schema_resource *last = NULL;
    if (frame->node->dynamic_name.ptr == NULL) {
        return target;
    }
    for (const struct gw_schema_frame *at = frame; at != NULL; at = at->up) {
        const struct gw_schema_resource *resource = at->node->resource;
        if (resource == last) {
            continue;
        }
        last = resource;
        const struct gw_schema_dynamic_anchor *anchor = resource->dynamic_anchors;
        while (anchor != NULL && !gw_str_eq(anchor->name, frame->node->dynamic_name)) {
            anchor = anchor->next;
        }
        target = anchor != NULL ? anchor->node : target;
    }
    return target;
}

static bool check_references(struct gw_schema_checking *check, const struct gw_schema_frame *frame)
{
    const struct gw_schema_node *node = frame->node;
    bool is_valid = true;
    if (node->ref != NULL) {
        is_valid = gw_schema_apply_here(check, frame, node->ref, frame->marks);
    }
    if (node->dynamic_ref != NULL && (is_valid || !gw_schema_stops(check))) {
        if (!gw_schema_work(check, frame, frame->depth)) {
            return false;
        }
        is_valid &= gw_schema_apply_here(check, frame, dynamic_target(frame), frame->marks);
    }
    return is_valid;
}

static bool check_all_of(struct gw_schema_checking *check, const struct gw_schema_frame *frame)
{
    bool is_valid = true;
    for (size_t i = 0; i < frame->node->all_of.count; i++) {
        is_valid &= gw_schema_apply_here(check, frame, frame->node->all_of.items[i], frame->marks);
        if (!is_valid && gw_schema_stops(check)) {
            break;
        }
    }
    return is_valid;
}

/* Does |branch| agree? Only then what it evaluated counts. */
static bool try_branch(struct gw_schema_checking *check, const struct gw_schema_frame *frame,
                       const struct gw_schema_node *branch)
{
    struct gw_schema_marks marks;
    if (frame->marks == NULL) {
        return gw_schema_agrees(check, frame, branch, frame->value, frame->place, NULL);
    }
    if (!gw_schema_marks_begin(check, frame, frame->marks->count, &marks)) {
        return false;
    }
    bool is_valid = gw_schema_agrees(check, frame, branch, frame->value, frame->place, &marks);
    if (is_valid) {
        gw_schema_marks_merge(check, frame->marks, &marks);
    }
    gw_schema_marks_end(check, &marks);
    return is_valid;
}

/* How far the value is from |branch|. */
static struct gw_schema_probe probe_branch(struct gw_schema_checking *check,
                                           const struct gw_schema_frame *frame,
                                           const struct gw_schema_node *branch)
{
    struct gw_schema_probe probe = {.value = frame->value};
    check->mode = GW_SCHEMA_PROBE;
    check->probe = &probe;
    (void)gw_schema_apply_here(check, frame, branch, NULL);
    check->probe = NULL;
    check->mode = GW_SCHEMA_REPORT;
    return probe;
}

/*
 * No branch agrees. When one of them is what the author most likely meant, its failures are told;
 * else what the branches describe.
 */
static bool tell_no_branch(struct gw_schema_checking *check, const struct gw_schema_frame *frame,
                           const char *keyword, const struct gw_schema_nodes *branches)
{
    const struct gw_schema_node *best = NULL;
    unsigned best_misfits = 0;
    bool is_clear = false;
    if (check->mode != GW_SCHEMA_REPORT) {
        return gw_schema_tell(check, frame, keyword, "fits no form");
    }
    for (size_t i = 0; i < branches->count && !check->is_aborted; i++) {
        struct gw_schema_probe probe = probe_branch(check, frame, branches->items[i]);
        if (probe.is_other_kind) {
            continue;
        }
        if (best == NULL || probe.misfits < best_misfits) {
            best = branches->items[i];
            best_misfits = probe.misfits;
            is_clear = true;
        } else if (probe.misfits == best_misfits) {
            is_clear = false;
        }
    }
    if (check->is_aborted) {
        return false;
    }
    return is_clear ? gw_schema_apply_here(check, frame, best, NULL)
                    : gw_schema_tell_branches(check, frame, keyword, branches);
}

static bool check_any_of(struct gw_schema_checking *check, const struct gw_schema_frame *frame)
{
    const struct gw_schema_nodes *branches = &frame->node->any_of;
    bool is_valid = branches->count == 0;
    for (size_t i = 0; i < branches->count && !check->is_aborted; i++) {
        if (try_branch(check, frame, branches->items[i])) {
            is_valid = true;
            if (frame->marks == NULL) {
                break; /* nobody asks what the others would evaluate */
            }
        }
    }
    if (check->is_aborted) {
        return false;
    }
    return is_valid || tell_no_branch(check, frame, "anyOf", branches);
}

static bool check_one_of(struct gw_schema_checking *check, const struct gw_schema_frame *frame)
{
    const struct gw_schema_nodes *branches = &frame->node->one_of;
    size_t agreeing = 0;
    for (size_t i = 0; i < branches->count && !check->is_aborted; i++) {
        agreeing += try_branch(check, frame, branches->items[i]);
    }
    if (check->is_aborted) {
        return false;
    }
    if (branches->count > 0 && agreeing == 0) {
        return tell_no_branch(check, frame, "oneOf", branches);
    }
    return agreeing <= 1 ||
           gw_schema_tell(check, frame, "oneOf",
                          "fits %zu of the allowed forms, must fit exactly one", agreeing);
}

static bool check_not(struct gw_schema_checking *check, const struct gw_schema_frame *frame)
{
    const struct gw_schema_node *schema = frame->node->not_schema;
    if (schema == NULL) {
        return true;
    }
    bool agrees = gw_schema_agrees(check, frame, schema, frame->value, frame->place, NULL);
    if (check->is_aborted) {
        return false;
    }
    return !agrees || gw_schema_tell(check, frame, "not", "has a form that is not allowed here");
}

static bool check_if(struct gw_schema_checking *check, const struct gw_schema_frame *frame)
{
    const struct gw_schema_node *node = frame->node;
    bool matters = frame->marks != NULL || node->then_schema != NULL || node->else_schema != NULL;
    if (node->if_schema == NULL || !matters) {
        return true;
    }
    bool holds = try_branch(check, frame, node->if_schema);
    if (check->is_aborted) {
        return false;
    }
    const struct gw_schema_node *next = holds ? node->then_schema : node->else_schema;
    return next == NULL || gw_schema_apply_here(check, frame, next, frame->marks);
}

bool gw_schema_check_in_place(struct gw_schema_checking *check, const struct gw_schema_frame *frame)
{
    static gw_schema_check_fn *const keywords[] = {check_references, check_all_of, check_any_of,
                                                   check_one_of,     check_not,    check_if};
    bool is_valid = true;
    for (size_t i = 0; i < GW_ARRAY_LEN(keywords); i++) {
        is_valid &= keywords[i](check, frame);
        if (!is_valid && gw_schema_stops(check)) {
            break;
        }
    }
    return is_valid;
}
