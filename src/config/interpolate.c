/* SPDX-License-Identifier: MIT */
/* config/interpolate - see the header. */
#include "config/interpolate_int.h"

#include "base/buf.h"

#define LITELLM_PREFIX "os.environ/"

struct run {
    gw_lookup_fn *lookup;
    void *user;
    struct gw_buf out;
    struct gw_str missing;
    bool changed;
};

static bool is_name_char(char c, bool is_first)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' ||
           (!is_first && c >= '0' && c <= '9');
}

static struct gw_str read_name(struct gw_str text)
{
    size_t len = 0;
    while (len < text.len && is_name_char(text.ptr[len], len == 0)) {
        len++;
    }
    return gw_str(text.ptr, len);
}

/* Length up to the '}' that closes what a "${" before |text| opened; text.len when none does. */
static size_t find_close(struct gw_str text)
{
    size_t depth = 1;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '$' && i + 1 < text.len && text.ptr[i + 1] == '{') {
            depth++;
            i++;
        } else if (text.ptr[i] == '}') {
            depth--;
            if (depth == 0) {
                return i;
            }
        }
    }
    return text.len;
}

static enum gw_err expand(struct run *run, struct gw_str text, unsigned depth);

static enum gw_err put_value(struct run *run, struct gw_str name, bool has_default,
                             struct gw_str fallback, unsigned depth)
{
    struct gw_str value = {0};
    bool is_set = run->lookup(run->user, name, &value);
    run->changed = true;
    if (is_set && (value.len > 0 || !has_default)) {
        return gw_buf_append(&run->out, value);
    }
    if (has_default) {
        return expand(run, fallback, depth + 1);
    }
    run->missing = name;
    return GW_ERR_NOT_FOUND;
}

/* |text| stands behind "${". *used gets how much of it the reference takes; 0: it is none. */
static enum gw_err expand_reference(struct run *run, struct gw_str text, unsigned depth,
                                    size_t *used)
{
    *used = 0;
    size_t close = find_close(text);
    struct gw_str inside = gw_str(text.ptr, close);
    struct gw_str name = read_name(inside);
    struct gw_str rest = gw_str_skip(inside, name.len);
    bool has_default = gw_str_has_prefix(rest, GW_STR(":-"));
    if (close == text.len || name.len == 0 || (rest.len > 0 && !has_default)) {
        return GW_OK;
    }
    *used = close + 1;
    return put_value(run, name, has_default, gw_str_skip(rest, 2), depth);
}

static enum gw_err expand(struct run *run, struct gw_str text, unsigned depth)
{
    if (depth > GW_INTERPOLATE_MAX_DEPTH) {
        return GW_ERR_TOO_DEEP;
    }
    enum gw_err err = GW_OK;
    while (text.len > 0 && err == GW_OK) {
        size_t plain = gw_str_find_byte(text, '$');
        err = gw_buf_append(&run->out, gw_str(text.ptr, plain));
        text = gw_str_skip(text, plain);
        if (text.len == 0 || err != GW_OK) {
            return err;
        }
        size_t used = 0;
        if (gw_str_has_prefix(text, GW_STR("$${"))) {
            run->changed = true;
            err = gw_buf_append(&run->out, GW_STR("${"));
            text = gw_str_skip(text, 3);
            continue;
        }
        if (gw_str_has_prefix(text, GW_STR("${"))) {
            err = expand_reference(run, gw_str_skip(text, 2), depth, &used);
        }
        if (used > 0) {
            text = gw_str_skip(text, used + 2);
        } else if (err == GW_OK) {
            err = gw_buf_append_byte(&run->out, '$');
            text = gw_str_skip(text, 1);
        }
    }
    return err;
}

static enum gw_err expand_all(struct run *run, struct gw_str text)
{
    struct gw_str prefix = GW_STR(LITELLM_PREFIX);
    struct gw_str name = gw_str_skip(text, prefix.len);
    if (gw_str_has_prefix(text, prefix) && name.len > 0 && read_name(name).len == name.len) {
        return put_value(run, name, false, gw_str(NULL, 0), 0);
    }
    return expand(run, text, 0);
}

enum gw_err gw_interpolate(struct gw_str text, gw_lookup_fn *lookup, void *user,
                           struct gw_arena *arena, struct gw_interpolation *result)
{
    *result = (struct gw_interpolation){.text = text};
    if (gw_str_find_byte(text, '$') == text.len &&
        !gw_str_has_prefix(text, GW_STR(LITELLM_PREFIX))) {
        return GW_OK;
    }
    struct run run = {.lookup = lookup, .user = user};
    gw_buf_init(&run.out, GW_INTERPOLATE_MAX_BYTES);
    enum gw_err err = expand_all(&run, text);
    result->missing = run.missing;
    if (err == GW_OK && run.changed) {
        result->changed = true;
        result->text = gw_arena_try_dup(arena, gw_buf_str(&run.out));
        err = result->text.ptr == NULL ? GW_ERR_NOMEM : GW_OK;
    }
    if (run.out.ptr != NULL) {
        explicit_bzero(run.out.ptr, run.out.len);
    }
    gw_buf_fini(&run.out);
    return err;
}
