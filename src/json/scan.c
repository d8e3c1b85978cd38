/* SPDX-License-Identifier: MIT */
/* json/scan - the top level: reports the members of one object, the elements of one array. */
#include "json/scan.h"

#include "json/scan_int.h"

static const struct gw_json_reason text_wanted = {"", "the text is empty"};
static const struct gw_json_reason byte_order_mark = {
    "a byte order mark must not stand before the text", ""};
static const struct gw_json_reason more_behind = {
    "expected the end of the text, something stands behind the value", ""};

static enum gw_json_type type_of(unsigned char first)
{
    switch (first) {
    case 'n':
        return GW_JSON_NULL;
    case 't':
    case 'f':
        return GW_JSON_BOOL;
    case '"':
        return GW_JSON_STRING;
    case '[':
        return GW_JSON_ARRAY;
    case '{':
        return GW_JSON_OBJECT;
    default:
        return GW_JSON_NUMBER;
    }
}

struct gw_json_scanner gw_json_scanner_of(struct gw_str text)
{
    const unsigned char *begin = (const unsigned char *)text.ptr;
    const unsigned char *end = text.len == 0 ? begin : begin + text.len;
    return (struct gw_json_scanner){.begin = begin, .end = end};
}

/*
 * Skips the object or array at |at| and reports what is in it. When the scanner failed NULL is
 * returned with scanner->err set; when the callback did, it is what |scanner->err| holds, with no
 * reason.
 */
static const unsigned char *report(struct gw_json_scanner *scanner, const unsigned char *at,
                                   gw_json_on_member_fn *on_member, void *user)
{
    bool is_object = *at == '{';
    bool closed = false;
    at = gw_json_enter(scanner, at, 0, &closed);
    while (at != NULL && !closed) {
        struct gw_json_member member = {.key = GW_STR("")};
        if (is_object) {
            at = gw_json_skip_key(scanner, at, &member.key, &member.key_has_escapes);
            if (at == NULL) {
                return NULL;
            }
        }
        const unsigned char *value = at;
        at = gw_json_skip_value(scanner, at, 1);
        if (at == NULL) {
            return NULL;
        }
        member.value = gw_str((const char *)value, (size_t)(at - value));
        member.type = type_of(*value);
        scanner->err = on_member(user, &member);
        if (scanner->err != GW_OK) {
            return NULL;
        }
        at = gw_json_skip_separator(scanner, at, is_object, &closed);
    }
    return at;
}

GW_COLD static void describe(const struct gw_json_scanner *scanner, struct gw_json_error *error)
{
    const unsigned char *line = scanner->begin;
    *error = (struct gw_json_error){.offset = (size_t)(scanner->wrong - scanner->begin), .line = 1};
    for (const unsigned char *at = scanner->begin; at < scanner->wrong; at++) {
        if (*at == '\n') {
            error->line++;
            line = at + 1;
        }
    }
    error->column = (unsigned)(scanner->wrong - line) + 1;
    bool at_end = scanner->wrong == scanner->end && scanner->reason->at_end[0] != '\0';
    error->what = at_end ? scanner->reason->at_end : scanner->reason->here;
}

/* Where the value of the text begins, or NULL. */
static const unsigned char *skip_front(struct gw_json_scanner *scanner)
{
    const unsigned char *at = gw_json_skip_blanks(scanner, scanner->begin);
    if (at == scanner->end) {
        return gw_json_fail(scanner, at, &text_wanted);
    }
    if (scanner->end - at >= 3 && at[0] == 0xef && at[1] == 0xbb && at[2] == 0xbf) {
        return gw_json_fail(scanner, at, &byte_order_mark);
    }
    return at;
}

enum gw_err gw_json_scan(struct gw_str text, gw_json_on_member_fn *on_member, void *user,
                         enum gw_json_type *type, struct gw_json_error *error)
{
    struct gw_json_scanner scanner = gw_json_scanner_of(text);
    const unsigned char *value = skip_front(&scanner);
    const unsigned char *at = value;
    if (at != NULL) {
        at = *at == '{' && on_member != NULL ? report(&scanner, at, on_member, user)
                                             : gw_json_skip_value(&scanner, at, 0);
    }
    if (at != NULL) {
        at = gw_json_skip_blanks(&scanner, at);
        if (at != scanner.end) {
            at = gw_json_fail(&scanner, at, &more_behind);
        }
    }
    if (at == NULL) {
        if (error != NULL && scanner.reason != NULL) {
            describe(&scanner, error);
        }
        return scanner.err;
    }
    if (type != NULL) {
        *type = type_of(*value);
    }
    return GW_OK;
}

bool gw_json_first_value(struct gw_str text, struct gw_str *value)
{
    struct gw_json_scanner scanner = gw_json_scanner_of(text);
    const unsigned char *begin = gw_json_skip_blanks(&scanner, scanner.begin);
    const unsigned char *end = gw_json_skip_value(&scanner, begin, 0);
    if (end == NULL) {
        return false;
    }
    *value = gw_str((const char *)begin, (size_t)(end - begin));
    return true;
}

enum gw_err gw_json_each(struct gw_str array, gw_json_on_member_fn *on_element, void *user)
{
    struct gw_json_scanner scanner = gw_json_scanner_of(array);
    const unsigned char *at = gw_json_skip_blanks(&scanner, scanner.begin);
    if (at == scanner.end || *at != '[') {
        return GW_ERR_INVALID;
    }
    return report(&scanner, at, on_element, user) == NULL ? scanner.err : GW_OK;
}

struct search {
    struct gw_str name;
    struct gw_json_member *found;
};

static gw_json_on_member_fn take_if_named;
static enum gw_err take_if_named(void *user, const struct gw_json_member *member)
{
    struct search *search = user;
    if (!gw_json_key_is(member, search->name)) {
        return GW_OK;
    }
    *search->found = *member;
    return GW_ERR_EXISTS; /* ends the scan */
}

bool gw_json_find(struct gw_str text, struct gw_str path, struct gw_json_member *member)
{
    struct gw_json_member found = {.value = text};
    struct gw_str name;
    while (gw_str_split(&path, '.', &name)) {
        struct gw_json_scanner scanner = gw_json_scanner_of(found.value);
        const unsigned char *at = gw_json_skip_blanks(&scanner, scanner.begin);
        if (at == scanner.end || *at != '{') {
            return false;
        }
        struct search search = {.name = name, .found = &found};
        if (report(&scanner, at, take_if_named, &search) != NULL || scanner.err != GW_ERR_EXISTS) {
            return false;
        }
    }
    if (found.key.ptr == NULL) {
        return false; /* an empty path names nothing */
    }
    *member = found;
    return true;
}
