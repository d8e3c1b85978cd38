/* SPDX-License-Identifier: MIT */
/* json/keys - from quote to quote: a string that a colon follows is a name. */
#include "json/keys.h"

#include <stdbool.h>

/* Is the quote at |at| escaped, that is, behind an odd number of backslashes? |begin| is the
 * string's first byte. */
static bool is_escaped(const char *begin, const char *at)
{
    size_t backslashes = 0;
    while (at > begin && at[-1] == '\\') {
        backslashes++;
        at--;
    }
    return backslashes % 2 == 1;
}

/* The closing quote of the string whose first byte is |begin|, or NULL. */
static const char *find_close(const char *begin, const char *end)
{
    const char *at = begin;
    while (at < end) {
        at = memchr(at, '"', (size_t)(end - at));
        if (at == NULL || !is_escaped(begin, at)) {
            return at;
        }
        at++;
    }
    return NULL;
}

static const char *skip_blanks(const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t')) {
        at++;
    }
    return at;
}

void gw_json_keys(struct gw_str text, gw_json_on_key_fn *on_key, void *user)
{
    const char *at = text.ptr;
    const char *end = text.len > 0 ? text.ptr + text.len : text.ptr;
    while (at < end) {
        const char *open = memchr(at, '"', (size_t)(end - at));
        const char *close = open == NULL ? NULL : find_close(open + 1, end);
        if (close == NULL) {
            return;
        }
        at = skip_blanks(close + 1, end);
        if (at == end || *at != ':') {
            continue;
        }
        struct gw_str key = gw_str(open + 1, (size_t)(close - open - 1));
        const char *value = skip_blanks(at + 1, end);
        at = value;
        if (value < end && *value == '"') {
            close = find_close(value + 1, end);
            if (close == NULL) {
                return;
            }
            at = close + 1;
            on_key(user, key, gw_str(value, (size_t)(at - value)));
        } else if (value < end) {
            on_key(user, key, gw_str(value, (size_t)(end - value)));
        }
    }
}
