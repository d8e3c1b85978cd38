/* SPDX-License-Identifier: MIT */
/* json/schema_pattern - one function per construct of the syntax; nothing is passed on that was not
 * understood. */
#include "json/schema_pattern.h"

#include <stdbool.h>
#include <string.h>

#include "json/scan_int.h"

#define MAX_CODE_POINT 0x10ffffu
#define NO_CODE        UINT32_MAX

/* WhiteSpace and LineTerminator of ECMA-262, for the inside of a class. */
#define BLANKS "\\x{9}-\\x{d}\\x{20}\\x{a0}\\x{feff}\\p{Zs}\\x{2028}\\x{2029}"

struct translator {
    struct gw_str rest;
    struct gw_buf *out;
    const char *why;
    bool can_repeat; /* a quantifier may stand here */
};

static bool refuse(struct translator *t, const char *why)
{
    t->why = why;
    return false;
}

static int peek(const struct translator *t, size_t ahead)
{
    return ahead < t->rest.len ? (unsigned char)t->rest.ptr[ahead] : -1;
}

static void skip(struct translator *t, size_t count)
{
    t->rest = gw_str_skip(t->rest, count);
}

static bool skip_if(struct translator *t, struct gw_str text)
{
    if (!gw_str_has_prefix(t->rest, text)) {
        return false;
    }
    skip(t, text.len);
    return true;
}

static bool is_digit(int c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(int c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static void append_code(struct translator *t, uint32_t code)
{
    gw_buf_appendf(t->out, "\\x{%x}", code);
}

/* Reads exactly |count| hexadecimal digits. */
static uint32_t take_hex(struct translator *t, size_t count)
{
    uint32_t value = 0;
    for (size_t i = 0; i < count; i++) {
        int c = peek(t, i);
        int digit = c < 0 ? -1 : gw_json_hex_digit((unsigned char)c);
        if (digit < 0) {
            return NO_CODE;
        }
        value = value << 4 | (uint32_t)digit;
    }
    skip(t, count);
    return value;
}

/* Behind "\u{": digits and the closing brace. */
static uint32_t take_braced_hex(struct translator *t)
{
    uint32_t value = 0;
    size_t len = gw_str_find_byte(t->rest, '}');
    if (len == 0 || len == t->rest.len) {
        return NO_CODE;
    }
    for (size_t i = 0; i < len; i++) {
        int digit = gw_json_hex_digit((unsigned char)t->rest.ptr[i]);
        if (digit < 0) {
            return NO_CODE;
        }
        value = value << 4 | (uint32_t)digit;
        if (value > MAX_CODE_POINT) {
            return NO_CODE;
        }
    }
    skip(t, len + 1);
    return value;
}

/* Behind "\u". */
static bool unicode_escape(struct translator *t)
{
    uint32_t code = skip_if(t, GW_STR("{")) ? take_braced_hex(t) : take_hex(t, 4);
    if (code >= 0xd800 && code <= 0xdbff && skip_if(t, GW_STR("\\u"))) {
        uint32_t low = take_hex(t, 4);
        code = low >= 0xdc00 && low <= 0xdfff ? 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00)
                                              : NO_CODE;
    }
    if (code == NO_CODE || (code >= 0xd800 && code <= 0xdfff)) {
        return refuse(t, "\\u is not followed by a code point");
    }
    append_code(t, code);
    return true;
}

struct alias {
    struct gw_str name;
    const char *pcre2;
};

/* General categories have long names that PCRE2 does not know; PropertyValueAliases.txt of Unicode.
 */
static const struct alias categories[] = {
    {GW_STR_INIT("Cased_Letter"), "L&"},
    {GW_STR_INIT("Close_Punctuation"), "Pe"},
    {GW_STR_INIT("Connector_Punctuation"), "Pc"},
    {GW_STR_INIT("Control"), "Cc"},
    {GW_STR_INIT("cntrl"), "Cc"},
    {GW_STR_INIT("Currency_Symbol"), "Sc"},
    {GW_STR_INIT("Dash_Punctuation"), "Pd"},
    {GW_STR_INIT("Decimal_Number"), "Nd"},
    {GW_STR_INIT("digit"), "Nd"},
    {GW_STR_INIT("Enclosing_Mark"), "Me"},
    {GW_STR_INIT("Final_Punctuation"), "Pf"},
    {GW_STR_INIT("Format"), "Cf"},
    {GW_STR_INIT("Initial_Punctuation"), "Pi"},
    {GW_STR_INIT("LC"), "L&"},
    {GW_STR_INIT("Letter"), "L"},
    {GW_STR_INIT("Letter_Number"), "Nl"},
    {GW_STR_INIT("Line_Separator"), "Zl"},
    {GW_STR_INIT("Lowercase_Letter"), "Ll"},
    {GW_STR_INIT("Mark"), "M"},
    {GW_STR_INIT("Combining_Mark"), "M"},
    {GW_STR_INIT("Math_Symbol"), "Sm"},
    {GW_STR_INIT("Modifier_Letter"), "Lm"},
    {GW_STR_INIT("Modifier_Symbol"), "Sk"},
    {GW_STR_INIT("Nonspacing_Mark"), "Mn"},
    {GW_STR_INIT("Number"), "N"},
    {GW_STR_INIT("Open_Punctuation"), "Ps"},
    {GW_STR_INIT("Other"), "C"},
    {GW_STR_INIT("Other_Letter"), "Lo"},
    {GW_STR_INIT("Other_Number"), "No"},
    {GW_STR_INIT("Other_Punctuation"), "Po"},
    {GW_STR_INIT("Other_Symbol"), "So"},
    {GW_STR_INIT("Paragraph_Separator"), "Zp"},
    {GW_STR_INIT("Private_Use"), "Co"},
    {GW_STR_INIT("Punctuation"), "P"},
    {GW_STR_INIT("punct"), "P"},
    {GW_STR_INIT("Separator"), "Z"},
    {GW_STR_INIT("Space_Separator"), "Zs"},
    {GW_STR_INIT("Spacing_Mark"), "Mc"},
    {GW_STR_INIT("Surrogate"), "Cs"},
    {GW_STR_INIT("Symbol"), "S"},
    {GW_STR_INIT("Titlecase_Letter"), "Lt"},
    {GW_STR_INIT("Unassigned"), "Cn"},
    {GW_STR_INIT("Uppercase_Letter"), "Lu"},
};

/* Appends PCRE2's name of a general category; |name| itself where it is the same or a script or
 * another property. */
static void append_property(struct translator *t, struct gw_str name)
{
    for (size_t i = 0; i < GW_ARRAY_LEN(categories); i++) {
        if (gw_str_eq(name, categories[i].name)) {
            gw_buf_append(t->out, gw_str_from_c(categories[i].pcre2));
            return;
        }
    }
    gw_buf_append(t->out, name);
}

/* Behind "\p" or "\P": {Name} or {Key=Name}. */
static bool property_escape(struct translator *t, char letter)
{
    size_t len = gw_str_find_byte(t->rest, '}');
    if (!skip_if(t, GW_STR("{")) || len >= t->rest.len + 1) {
        return refuse(t, "\\p is not followed by a property in braces");
    }
    struct gw_str name = gw_str(t->rest.ptr, len - 1);
    skip(t, len);
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        if (!is_letter(c) && !is_digit(c) && c != '_' && c != '=') {
            return refuse(t, "\\p names no property");
        }
    }
    struct gw_str key = gw_str(name.ptr, gw_str_find_byte(name, '='));
    gw_buf_appendf(t->out, "\\%c{", letter);
    if (key.len < name.len) {
        name = gw_str_skip(name, key.len + 1);
        if (gw_str_eq(key, GW_STR("Script")) || gw_str_eq(key, GW_STR("sc"))) {
            gw_buf_append(t->out, GW_STR("sc:"));
        } else if (gw_str_eq(key, GW_STR("Script_Extensions")) || gw_str_eq(key, GW_STR("scx"))) {
            gw_buf_append(t->out, GW_STR("scx:"));
        } else if (!gw_str_eq(key, GW_STR("General_Category")) && !gw_str_eq(key, GW_STR("gc"))) {
            return refuse(t, "\\p names no property");
        }
    }
    append_property(t, name);
    gw_buf_append_byte(t->out, '}');
    return true;
}

/* A blank: an ASCII \s of PCRE2 would miss those beyond. */
static void blank_escape(struct translator *t, bool in_class, bool is_negated)
{
    if (!in_class) {
        gw_buf_append(t->out, is_negated ? GW_STR("[^" BLANKS "]") : GW_STR("[" BLANKS "]"));
    } else {
        gw_buf_append(t->out, is_negated ? GW_STR("\\S") : GW_STR(BLANKS));
    }
}

/* The escapes that stand for one character, alike in and out of a class; false when |letter| begins
 * none. */
static bool character_escape(struct translator *t, int letter, bool *is_ok)
{
    *is_ok = true;
    switch (letter) {
    case 't':
        append_code(t, 0x09);
        return true;
    case 'n':
        append_code(t, 0x0a);
        return true;
    case 'v':
        append_code(t, 0x0b);
        return true;
    case 'f':
        append_code(t, 0x0c);
        return true;
    case 'r':
        append_code(t, 0x0d);
        return true;
    case '0':
        append_code(t, 0);
        *is_ok = !is_digit(peek(t, 0)) || refuse(t, "octal escapes do not exist");
        return true;
    case 'c':
        *is_ok = is_letter(peek(t, 0)) || refuse(t, "\\c is not followed by a letter");
        if (*is_ok) {
            append_code(t, (uint32_t)peek(t, 0) & 0x1f);
            skip(t, 1);
        }
        return true;
    case 'x': {
        uint32_t code = take_hex(t, 2);
        *is_ok = code != NO_CODE || refuse(t, "\\x is not followed by two hexadecimal digits");
        append_code(t, code);
        return true;
    }
    case 'u':
        *is_ok = unicode_escape(t);
        return true;
    default:
        return false;
    }
}

/* The escapes that stand for a set of characters; false when |letter| begins none. */
static bool set_escape(struct translator *t, int letter, bool in_class, bool *is_ok)
{
    *is_ok = true;
    switch (letter) {
    case 'd':
    case 'D':
    case 'w':
    case 'W':
        gw_buf_appendf(t->out, "\\%c", letter);
        return true;
    case 's':
    case 'S':
        blank_escape(t, in_class, letter == 'S');
        return true;
    case 'p':
    case 'P':
        *is_ok = property_escape(t, (char)letter);
        return true;
    default:
        return false;
    }
}

/* A reference to a group, "\1" or "\k<name>", behind its first character. */
static bool group_reference(struct translator *t, int first)
{
    if (first == 'k') {
        size_t len = gw_str_find_byte(t->rest, '>');
        if (peek(t, 0) != '<' || len == t->rest.len || len < 2) {
            return refuse(t, "\\k is not followed by a name");
        }
        gw_buf_append(t->out, GW_STR("\\k"));
        gw_buf_append(t->out, gw_str(t->rest.ptr, len + 1));
        skip(t, len + 1);
        return true;
    }
    gw_buf_appendf(t->out, "\\g{%c", first);
    while (is_digit(peek(t, 0))) {
        gw_buf_append_byte(t->out, (char)peek(t, 0));
        skip(t, 1);
    }
    gw_buf_append_byte(t->out, '}');
    return true;
}

/* Behind a backslash. */
static bool escape(struct translator *t, bool in_class)
{
    int letter = peek(t, 0);
    if (letter < 0) {
        return refuse(t, "it ends with a backslash");
    }
    skip(t, 1);
    bool is_ok = true;
    if (character_escape(t, letter, &is_ok) || set_escape(t, letter, in_class, &is_ok)) {
        return is_ok;
    }
    if (letter == 'b' && in_class) {
        append_code(t, 0x08);
        return true;
    }
    if (!in_class && (letter == 'b' || letter == 'B')) {
        gw_buf_appendf(t->out, "\\%c", letter);
        t->can_repeat = false;
        return true;
    }
    if (!in_class && (letter == 'k' || is_digit(letter))) {
        return group_reference(t, letter);
    }
    if (is_letter(letter) || is_digit(letter)) {
        return refuse(t, "it has an escape that does not exist");
    }
    if (letter < 0x80) {
        gw_buf_append_byte(t->out, '\\');
    }
    gw_buf_append_byte(t->out, (char)letter);
    return true;
}

/* Does an escape for a set of characters stand at the front? */
static bool is_set_escape(const struct translator *t)
{
    return peek(t, 0) == '\\' && peek(t, 1) > 0 && strchr("dDwWsSpP", peek(t, 1)) != NULL;
}

/* Behind '['. */
static bool class(struct translator *t)
{
    gw_buf_append_byte(t->out, '[');
    if (skip_if(t, GW_STR("^"))) {
        gw_buf_append_byte(t->out, '^');
    }
    bool is_behind_set = false;
    while (peek(t, 0) != ']') {
        int c = peek(t, 0);
        if (c < 0) {
            return refuse(t, "a '[' is not closed");
        }
        bool is_set = is_set_escape(t);
        skip(t, 1);
        if (c == '\\') {
            if (!escape(t, true)) {
                return false;
            }
        } else {
            /* "[\w-.]": no range can begin or end with a set. And PCRE2 would read "[:" as a POSIX
             * class. */
            bool is_literal_hyphen = c == '-' && (is_behind_set || is_set_escape(t));
            if (c == '[' || is_literal_hyphen) {
                gw_buf_append_byte(t->out, '\\');
            }
            gw_buf_append_byte(t->out, (char)c);
        }
        is_behind_set = is_set;
    }
    skip(t, 1);
    gw_buf_append_byte(t->out, ']');
    t->can_repeat = true;
    return true;
}

/* Length of "{n}", "{n,}" or "{n,m}" at the front, or 0. */
static size_t counted_len(const struct translator *t)
{
    size_t at = 1;
    if (!is_digit(peek(t, at))) {
        return 0;
    }
    while (is_digit(peek(t, at))) {
        at++;
    }
    if (peek(t, at) == ',') {
        at++;
        while (is_digit(peek(t, at))) {
            at++;
        }
    }
    return peek(t, at) == '}' ? at + 1 : 0;
}

static bool quantifier(struct translator *t, size_t len)
{
    if (!t->can_repeat) {
        return refuse(t, "there is nothing that could be repeated");
    }
    gw_buf_append(t->out, gw_str(t->rest.ptr, len));
    skip(t, len);
    if (skip_if(t, GW_STR("?"))) {
        gw_buf_append_byte(t->out, '?');
    }
    t->can_repeat = false;
    return true;
}

/* At '('. */
static bool open_group(struct translator *t)
{
    static const struct gw_str known[] = {GW_STR_INIT("(?:"), GW_STR_INIT("(?="),
                                          GW_STR_INIT("(?!"), GW_STR_INIT("(?<="),
                                          GW_STR_INIT("(?<!")};
    t->can_repeat = false;
    for (size_t i = 0; i < GW_ARRAY_LEN(known); i++) {
        if (skip_if(t, known[i])) {
            gw_buf_append(t->out, known[i]);
            return true;
        }
    }
    if (skip_if(t, GW_STR("(?<"))) {
        size_t len = gw_str_find_byte(t->rest, '>');
        if (len == 0 || len == t->rest.len) {
            return refuse(t, "a group has no name");
        }
        gw_buf_append(t->out, GW_STR("(?<"));
        gw_buf_append(t->out, gw_str(t->rest.ptr, len + 1));
        skip(t, len + 1);
        return true;
    }
    if (peek(t, 1) == '?' || peek(t, 1) == '*') {
        return refuse(t, "it has a kind of group that does not exist");
    }
    skip(t, 1);
    gw_buf_append_byte(t->out, '(');
    return true;
}

/* One construct outside of a class. */
static bool construct(struct translator *t)
{
    int c = peek(t, 0);
    switch (c) {
    case '\\':
        skip(t, 1);
        t->can_repeat = true;
        return escape(t, false);
    case '[':
        skip(t, 1);
        return class(t);
    case '(':
        return open_group(t);
    case '*':
    case '+':
    case '?':
        return quantifier(t, 1);
    case '{':
        if (counted_len(t) > 0) {
            return quantifier(t, counted_len(t));
        }
        gw_buf_append_byte(t->out, '\\');
        break;
    case '.':
        skip(t, 1);
        gw_buf_append(t->out, GW_STR("[^\\x{a}\\x{d}\\x{2028}\\x{2029}]"));
        t->can_repeat = true;
        return true;
    default:
        break;
    }
    gw_buf_append_byte(t->out, (char)c);
    skip(t, 1);
    t->can_repeat = c != '^' && c != '$' && c != '|';
    return true;
}

enum gw_err gw_schema_pattern_translate(struct gw_str pattern, struct gw_buf *out, const char **why)
{
    struct translator translator = {.rest = pattern, .out = out};
    while (translator.rest.len > 0) {
        if (!construct(&translator)) {
            *why = translator.why;
            return GW_ERR_INVALID;
        }
    }
    return out->err;
}
