/* SPDX-License-Identifier: MIT */
/*
 * http/sse - two passes over each event, both by memchr(): the first finds its blank line and keeps
 * its place between feeds, the second takes the finished event apart. An event that lies whole in a
 * feed is not copied; one that straddles feeds is copied once.
 */
#include "http/sse.h"

#include "base/assert.h"

/* ---- lines ---- */

/*
 * Walks the line ends of a text. The place of the next LF is kept: with lines that end with CR it
 * would otherwise be searched anew for each of them, over all that follows.
 */
struct line_walk {
    struct gw_str text;
    size_t at; /* where the next line begins */
    size_t lf; /* the first LF at or behind |at|, or text.len */
};

static struct line_walk walk_from(struct gw_str text, size_t at)
{
    struct gw_str rest = gw_str_skip(text, at);
    return (struct line_walk){.text = text, .at = at, .lf = at + gw_str_find_byte(rest, '\n')};
}

/* Where the current line ends: at its CR or LF, or at text.len when it does not end here. */
static size_t line_end(const struct line_walk *walk)
{
    size_t len = walk->lf - walk->at;
    return walk->at + gw_str_find_byte(gw_str(walk->text.ptr + walk->at, len), '\r');
}

/* Moves behind the line end at |end|, which is before text.len; CR and LF are one end. */
static void walk_behind(struct line_walk *walk, size_t end)
{
    walk->at = end + 1;
    if (walk->text.ptr[end] == '\r' && walk->lf == walk->at && walk->lf < walk->text.len) {
        walk->at++;
    }
    if (walk->lf < walk->at) {
        struct gw_str rest = gw_str_skip(walk->text, walk->at);
        walk->lf = walk->at + gw_str_find_byte(rest, '\n');
    }
}

/*
 * How many of |bytes| belong to the current event; *is_whole tells that its blank line is among
 * them.
 */
static size_t find_event_end(struct gw_sse *sse, struct gw_str bytes, bool *is_whole)
{
    size_t begin = (sse->after_cr || sse->waits_cr_lf) && bytes.ptr[0] == '\n' ? 1 : 0;
    *is_whole = sse->waits_cr_lf;
    sse->after_cr = false;
    sse->waits_cr_lf = false;
    if (*is_whole) {
        return begin;
    }
    struct line_walk walk = walk_from(bytes, begin);
    for (;;) {
        size_t end = line_end(&walk);
        if (end == bytes.len) {
            sse->in_line = sse->in_line || end > walk.at;
            return end;
        }
        bool is_blank = end == walk.at && !sse->in_line;
        bool lf_may_follow = bytes.ptr[end] == '\r' && end + 1 == bytes.len;
        walk_behind(&walk, end);
        sse->in_line = false;
        if (lf_may_follow) {
            sse->waits_cr_lf = is_blank;
            sse->after_cr = !is_blank;
            return bytes.len;
        }
        if (is_blank) {
            *is_whole = true;
            return walk.at;
        }
    }
}

/* ---- fields ---- */

/* The value of a line that is the field |name|: "name: value", "name:value" or "name". */
static bool field_value(struct gw_str line, struct gw_str name, struct gw_str *value)
{
    if (!gw_str_has_prefix(line, name)) {
        return false;
    }
    size_t skip = name.len;
    if (line.len > skip) {
        if (line.ptr[skip] != ':') {
            return false;
        }
        skip++;
        if (line.len > skip && line.ptr[skip] == ' ') {
            skip++;
        }
    }
    *value = gw_str(line.ptr + skip, line.len - skip);
    return true;
}

static void add_data(struct gw_sse *sse, struct gw_sse_event *event, struct gw_str value)
{
    if (event->data.ptr == NULL) {
        event->data = value;
        return;
    }
    if (sse->joined.len == 0) {
        (void)gw_buf_append(&sse->joined, event->data);
    }
    (void)gw_buf_append_byte(&sse->joined, '\n');
    (void)gw_buf_append(&sse->joined, value);
    event->data = gw_buf_str(&sse->joined);
}

static void add_line(struct gw_sse *sse, struct gw_sse_event *event, struct gw_str line)
{
    struct gw_str value;
    if (line.len == 0 || line.ptr[0] == ':') {
        return;
    }
    if (field_value(line, GW_STR("data"), &value)) {
        add_data(sse, event, value);
    } else if (field_value(line, GW_STR("event"), &value)) {
        event->type = value;
    } else if (event->other.ptr == NULL && !field_value(line, GW_STR("id"), &value) &&
               !field_value(line, GW_STR("retry"), &value)) {
        event->other = line;
    }
}

/* Takes an event apart and reports it. */
static enum gw_err report(struct gw_sse *sse, struct gw_str raw, gw_sse_on_event_fn *on_event,
                          void *user)
{
    struct gw_sse_event event = {.raw = raw};
    const struct gw_str mark = GW_STR("\xef\xbb\xbf");
    bool has_mark = !sse->is_begun && gw_str_has_prefix(raw, mark);
    struct line_walk walk = walk_from(raw, has_mark ? mark.len : 0);
    sse->is_begun = true;
    while (walk.at < raw.len) {
        size_t end = line_end(&walk);
        add_line(sse, &event, gw_str(raw.ptr + walk.at, end - walk.at));
        if (end == raw.len) {
            break; /* only at the end of a stream */
        }
        walk_behind(&walk, end);
    }
    if (sse->joined.len == 0 && sse->joined.err == GW_OK) {
        return on_event(user, &event);
    }
    enum gw_err err = sse->joined.err == GW_OK ? on_event(user, &event) : sse->joined.err;
    gw_buf_fini(&sse->joined);
    return err;
}

/* ---- the interface ---- */

void gw_sse_init(struct gw_sse *sse, size_t max_event_bytes)
{
    GW_ASSERT(max_event_bytes > 0);
    *sse = (struct gw_sse){.max_event_bytes = max_event_bytes};
    gw_buf_init(&sse->tail, max_event_bytes);
    gw_buf_init(&sse->joined, max_event_bytes);
}

void gw_sse_fini(struct gw_sse *sse)
{
    gw_buf_fini(&sse->tail);
    gw_buf_fini(&sse->joined);
}

/* Reports the kept tail and gives its buffer back. */
static enum gw_err report_tail(struct gw_sse *sse, gw_sse_on_event_fn *on_event, void *user)
{
    enum gw_err err = report(sse, gw_buf_str(&sse->tail), on_event, user);
    gw_buf_fini(&sse->tail);
    return err;
}

static enum gw_err feed_event(struct gw_sse *sse, struct gw_str bytes, size_t *used,
                              gw_sse_on_event_fn *on_event, void *user)
{
    bool is_whole;
    *used = find_event_end(sse, bytes, &is_whole);
    struct gw_str part = gw_str(bytes.ptr, *used);
    if (part.len > sse->max_event_bytes - sse->tail.len) {
        return GW_ERR_TOO_LARGE;
    }
    if (is_whole && sse->tail.len == 0) {
        return report(sse, part, on_event, user);
    }
    enum gw_err err = gw_buf_append(&sse->tail, part);
    return err == GW_OK && is_whole ? report_tail(sse, on_event, user) : err;
}

enum gw_err gw_sse_feed(struct gw_sse *sse, struct gw_str bytes, gw_sse_on_event_fn *on_event,
                        void *user)
{
    size_t at = 0;
    while (sse->err == GW_OK && at < bytes.len) {
        size_t used = 0;
        sse->err = feed_event(sse, gw_str_skip(bytes, at), &used, on_event, user);
        at += used;
    }
    return sse->err;
}

enum gw_err gw_sse_finish(struct gw_sse *sse, gw_sse_on_event_fn *on_event, void *user)
{
    if (sse->err == GW_OK && sse->tail.len > 0) {
        sse->err = report_tail(sse, on_event, user);
    }
    sse->in_line = false;
    sse->after_cr = false;
    sse->waits_cr_lf = false;
    return sse->err;
}

struct gw_str gw_sse_rest(const struct gw_sse *sse)
{
    return gw_buf_str(&sse->tail);
}
