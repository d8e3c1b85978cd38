/* SPDX-License-Identifier: MIT */
/* config/settings - reads values of any kind from the file or the environment, by the table. */
#include "config/settings_int.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/buf.h"

#define SHOWN_BYTES 60 /* of a wrong value, in a message */

static const struct gw_setting_row rows[] = {
#define XX(id, kind_, names_, env_, min_, max_, fallback_)                                         \
    [GW_SETTING_##id] = {.names = (names_),                                                        \
                         .env = (env_),                                                            \
                         .kind = GW_SETTING_KIND_##kind_,                                          \
                         .min = (min_),                                                            \
                         .max = (max_),                                                            \
                         .fallback = (fallback_)},
    GW_SETTING_MAP(XX)
#undef XX
};

/* One value to be read, wherever it comes from. */
struct raw {
    yyjson_val *value; /* NULL: from the environment */
    struct gw_str text;
    bool is_text;
};

typedef bool parse_fn(const struct raw *raw, struct gw_setting_value *out);

struct word {
    struct gw_str text;
    bool is_on;
};

static const struct word words[] = {
    {GW_STR_INIT("true"), true},      {GW_STR_INIT("yes"), true},    {GW_STR_INIT("on"), true},
    {GW_STR_INIT("1"), true},         {GW_STR_INIT("false"), false}, {GW_STR_INIT("no"), false},
    {GW_STR_INIT("off"), false},      {GW_STR_INIT("0"), false},     {GW_STR_INIT("none"), false},
    {GW_STR_INIT("disabled"), false},
};

static const struct word *find_word(struct gw_str text)
{
    for (size_t i = 0; i < GW_ARRAY_LEN(words); i++) {
        if (gw_str_eq_nocase(words[i].text, text)) {
            return &words[i];
        }
    }
    return NULL;
}

static bool parse_count(const struct raw *raw, struct gw_setting_value *out)
{
    if (raw->is_text) {
        return gw_parse_u64(gw_str_trim(raw->text), &out->number) == GW_OK;
    }
    out->number = yyjson_get_uint(raw->value);
    return yyjson_is_uint(raw->value);
}

static bool parse_auto_count(const struct raw *raw, struct gw_setting_value *out)
{
    if (raw->is_text && gw_str_eq_nocase(raw->text, GW_STR("auto"))) {
        out->number = 0;
        return true;
    }
    return parse_count(raw, out);
}

static bool is_off(const struct raw *raw)
{
    const struct word *word = raw->is_text ? find_word(raw->text) : NULL;
    bool is_digit = raw->is_text && raw->text.len == 1;
    return yyjson_is_false(raw->value) || (word != NULL && !word->is_on && !is_digit);
}

static bool parse_port_or_off(const struct raw *raw, struct gw_setting_value *out)
{
    out->is_off = is_off(raw);
    return out->is_off || parse_count(raw, out);
}

static bool parse_size(const struct raw *raw, struct gw_setting_value *out)
{
    return raw->is_text ? gw_parse_size(gw_str_trim(raw->text), &out->number) == GW_OK
                        : parse_count(raw, out);
}

static bool parse_duration(const struct raw *raw, struct gw_setting_value *out)
{
    if (raw->is_text) {
        return gw_parse_duration_ms(gw_str_trim(raw->text), &out->number) == GW_OK;
    }
    if (yyjson_is_real(raw->value)) {
        double seconds = yyjson_get_real(raw->value);
        bool fits = seconds >= 0 && seconds <= 1e9; /* 30 years; the range is checked later */
        out->number = fits ? (uint64_t)(seconds * (double)GW_SECOND_MS + 0.5) : 0;
        return fits;
    }
    return parse_count(raw, out) &&
           !__builtin_mul_overflow(out->number, GW_SECOND_MS, &out->number);
}

/* A number with |decimals| decimals, a '%' behind it or not, times ten to the |decimals|. */
static bool parse_decimal(const struct raw *raw, unsigned scale, bool may_have_sign,
                          struct gw_setting_value *out)
{
    struct gw_str text = gw_str_trim(raw->text);
    if (!raw->is_text) {
        double scaled = yyjson_get_num(raw->value) * scale;
        bool fits = yyjson_is_num(raw->value) && scaled >= 0 && scaled <= 1e9;
        out->number = fits ? (uint64_t)(scaled + 0.5) : 0;
        double rest = scaled - (double)out->number;
        return fits && rest < 1e-6 && rest > -1e-6; /* no more decimals than those */
    }
    if (may_have_sign && text.len > 0 && text.ptr[text.len - 1] == '%') {
        text = gw_str_trim(gw_str(text.ptr, text.len - 1));
    }
    size_t dot = gw_str_find_byte(text, '.');
    struct gw_str decimals = gw_str_skip(text, dot + 1);
    uint64_t part = 0;
    if (gw_parse_u64(gw_str(text.ptr, dot), &out->number) != GW_OK || out->number > 1000000000 ||
        (dot < text.len && gw_parse_u64(decimals, &part) != GW_OK)) {
        return false;
    }
    out->number *= scale;
    uint64_t unit = scale;
    for (size_t i = 0; i < decimals.len && dot < text.len; i++) {
        unit /= 10;
        out->number += unit * (uint64_t)(decimals.ptr[i] - '0');
        if (unit == 0 && decimals.ptr[i] != '0') {
            return false;
        }
    }
    return true;
}

static bool parse_percent(const struct raw *raw, struct gw_setting_value *out)
{
    return parse_decimal(raw, 1, true, out);
}

static bool parse_tenths(const struct raw *raw, struct gw_setting_value *out)
{
    return parse_decimal(raw, 10, true, out);
}

static bool parse_factor(const struct raw *raw, struct gw_setting_value *out)
{
    return parse_decimal(raw, 100, false, out);
}

static bool parse_bool(const struct raw *raw, struct gw_setting_value *out)
{
    if (!raw->is_text) {
        out->number = yyjson_is_true(raw->value) ? 1 : 0;
        return yyjson_is_bool(raw->value) || parse_count(raw, out);
    }
    const struct word *word = find_word(gw_str_trim(raw->text));
    out->number = word != NULL && word->is_on ? 1 : 0;
    return word != NULL;
}

static bool parse_text(const struct raw *raw, struct gw_setting_value *out)
{
    out->text = raw->text;
    return raw->is_text;
}

/* true is "on, and as you like": no text. */
static bool parse_text_or_off(const struct raw *raw, struct gw_setting_value *out)
{
    out->is_off = is_off(raw);
    const struct word *word = raw->is_text ? find_word(raw->text) : NULL;
    bool is_on = yyjson_is_true(raw->value) || (word != NULL && word->is_on);
    return out->is_off || is_on || parse_text(raw, out);
}

static bool parse_text_list(const struct raw *raw, struct gw_setting_value *out)
{
    return yyjson_is_arr(raw->value) || parse_text(raw, out);
}

static const struct {
    parse_fn *parse;
    const char *expected;
} kinds[] = {
    [GW_SETTING_KIND_COUNT] = {parse_count, "a whole number"},
    [GW_SETTING_KIND_AUTO_COUNT] = {parse_auto_count, "a whole number or auto"},
    [GW_SETTING_KIND_PORT] = {parse_count, "a port number"},
    [GW_SETTING_KIND_PORT_OR_OFF] = {parse_port_or_off, "a port number or off"},
    [GW_SETTING_KIND_SIZE] = {parse_size, "a size such as 64k or 100mb, or a number of bytes,"},
    [GW_SETTING_KIND_DURATION] = {parse_duration,
                                  "a duration such as 30s or 500ms, or a number of seconds,"},
    [GW_SETTING_KIND_PERCENT] = {parse_percent, "a whole percentage"},
    [GW_SETTING_KIND_TENTHS] = {parse_tenths, "a percentage with at most one decimal"},
    [GW_SETTING_KIND_FACTOR] = {parse_factor, "a number with at most two decimals"},
    [GW_SETTING_KIND_BOOL] = {parse_bool, "true or false"},
    [GW_SETTING_KIND_TEXT] = {parse_text, "a text"},
    [GW_SETTING_KIND_TEXT_OR_OFF] = {parse_text_or_off, "a text, or off"},
    [GW_SETTING_KIND_TEXT_LIST] = {parse_text_list, "a text or a list of texts"},
    [GW_SETTING_KIND_SECRET] = {parse_text, "a text"},
    [GW_SETTING_KIND_SECRET_OR_OFF] = {parse_text_or_off, "a text, or off"},
};

const struct gw_setting_row *gw_setting_row_at(size_t index)
{
    return index < GW_ARRAY_LEN(rows) ? &rows[index] : NULL;
}

static bool is_secret_key(struct gw_str path)
{
    static const char *const marks[] = {"key",   "secret", "password",  "token",
                                        "proxy", "header", "credential"};
    for (size_t i = 0; i < GW_ARRAY_LEN(marks); i++) {
        if (gw_str_find(path, gw_str_from_c(marks[i])) < path.len) {
            return true;
        }
    }
    return false;
}

struct gw_str gw_config_describe(const struct gw_config_context *context, yyjson_val *value)
{
    struct gw_arena *arena = context->scratch;
    if (yyjson_is_obj(value) || yyjson_is_arr(value) || yyjson_is_null(value)) {
        return yyjson_is_obj(value)   ? GW_STR("a map")
               : yyjson_is_arr(value) ? GW_STR("a list")
                                      : GW_STR("nothing");
    }
    size_t index = gw_config_index(context->document, value);
    if (context->document->positions[index].is_interpolated) {
        return GW_STR("something else in the variable");
    }
    if (is_secret_key(gw_config_place_of(context->document, value, arena).key_path)) {
        return GW_STR("something else");
    }
    if (yyjson_is_str(value)) {
        struct gw_str text = gw_config_text(value);
        bool is_long = text.len > SHOWN_BYTES;
        return gw_arena_printf(arena, "\"%.*s%s\"", (int)(is_long ? SHOWN_BYTES : text.len),
                               text.ptr, is_long ? "..." : "");
    }
    if (yyjson_is_bool(value)) {
        return yyjson_is_true(value) ? GW_STR("true") : GW_STR("false");
    }
    if (yyjson_is_real(value)) {
        return gw_arena_printf(arena, "%g", yyjson_get_real(value));
    }
    return yyjson_is_sint(value)
               ? gw_arena_printf(arena, "%lld", (long long)yyjson_get_sint(value))
               : gw_arena_printf(arena, "%llu", (unsigned long long)yyjson_get_uint(value));
}

void gw_config_complain(const struct gw_config_context *context, bool is_error, yyjson_val *value,
                        const char *format, ...)
{
    if (!is_error && gw_report_is_full(context->report)) {
        return; /* the place costs a search through the document */
    }
    char text[1024];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    struct gw_config_place place = gw_config_place_of(context->document, value, context->scratch);
    gw_report_add(context->report, is_error, &place, "%s", text);
}

void gw_config_complain_unresolved(const struct gw_config_context *context, yyjson_val *value,
                                   const struct gw_config_unresolved *unresolved)
{
    if (unresolved->name.len == 0) {
        gw_config_complain(context, true, value, "the reference cannot be resolved: %s",
                           unresolved->problem);
        return;
    }
    gw_config_complain(context, true, value,
                       "the environment variable " GW_STR_FMT
                       " is not set; set it, or write ${" GW_STR_FMT ":-default}",
                       GW_STR_ARG(unresolved->name), GW_STR_ARG(unresolved->name));
}

void gw_config_complain_env(const struct gw_config_context *context, bool is_error,
                            struct gw_str name, const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    struct gw_config_place place = {.key_path = name};
    gw_report_add(context->report, is_error, &place, "environment variable " GW_STR_FMT ": %s",
                  GW_STR_ARG(name), text);
}

void gw_config_complain_setting(const struct gw_config_context *context, bool is_error,
                                const struct gw_setting_value *setting, const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (setting->value != NULL) {
        gw_config_complain(context, is_error, setting->value, "%s", text);
    } else if (setting->source.len == 0) {
        gw_report_add(context->report, is_error, &(struct gw_config_place){0}, "%s", text);
    } else {
        gw_config_complain_env(context, is_error, setting->source, "%s", text);
    }
}

/* " from 1s to 1h", in the words that the setting is written in. */
static struct gw_str range_text(const struct gw_setting_row *row, struct gw_arena *arena)
{
    unsigned long long min = row->min;
    unsigned long long max = row->max;
    switch (row->kind) {
    case GW_SETTING_KIND_COUNT:
    case GW_SETTING_KIND_AUTO_COUNT:
    case GW_SETTING_KIND_PORT:
    case GW_SETTING_KIND_PORT_OR_OFF:
        return gw_arena_printf(arena, " from %llu to %llu", min, max);
    case GW_SETTING_KIND_SIZE:
        return gw_arena_printf(arena, " from %llu bytes to %llum", min, max >> 20);
    case GW_SETTING_KIND_DURATION:
        return gw_arena_printf(arena, " from %llums to %llus", min, max / GW_SECOND_MS);
    case GW_SETTING_KIND_PERCENT:
        return gw_arena_printf(arena, " from %llu to %llu", min, max);
    case GW_SETTING_KIND_TENTHS:
        return gw_arena_printf(arena, " from %g to %g", (double)min / 10, (double)max / 10);
    case GW_SETTING_KIND_FACTOR:
        return gw_arena_printf(arena, " from %g to %g", (double)min / 100, (double)max / 100);
    case GW_SETTING_KIND_BOOL:
    case GW_SETTING_KIND_TEXT:
    case GW_SETTING_KIND_TEXT_OR_OFF:
    case GW_SETTING_KIND_TEXT_LIST:
    case GW_SETTING_KIND_SECRET:
    case GW_SETTING_KIND_SECRET_OR_OFF:
        break;
    }
    return gw_str("", 0);
}

static bool is_in_range(const struct gw_setting_row *row, const struct gw_setting_value *value)
{
    return value->is_off || row->max == 0 ||
           (value->number >= row->min && value->number <= row->max);
}

static enum gw_err join_list(const struct gw_config_context *context, struct gw_setting_value *out)
{
    struct gw_buf joined;
    gw_buf_init(&joined, 64u << 10); /* as much as a header field can carry anyway */
    size_t index = 0;
    size_t max = 0;
    yyjson_val *item = NULL;
    yyjson_arr_foreach(out->value, index, max, item)
    {
        if (!yyjson_is_str(item)) {
            struct gw_str found = gw_config_describe(context, item);
            gw_config_complain(context, true, item, "expected a text, found " GW_STR_FMT,
                               GW_STR_ARG(found));
            gw_buf_fini(&joined);
            return GW_ERR_INVALID;
        }
        (void)gw_buf_appendf(&joined, "%s%s", index > 0 ? ", " : "", yyjson_get_str(item));
    }
    enum gw_err err = joined.err;
    out->text = gw_arena_try_dup(context->scratch, gw_buf_str(&joined));
    gw_buf_fini(&joined);
    return err == GW_OK && out->text.ptr == NULL ? GW_ERR_NOMEM : err;
}

enum gw_err gw_setting_read_value(const struct gw_config_context *context, yyjson_val *value,
                                  const struct gw_setting_row *row, struct gw_setting_value *out)
{
    struct raw raw = {
        .value = value, .text = gw_config_text(value), .is_text = yyjson_is_str(value)};
    struct gw_setting_value read = {.is_set = true, .value = value};
    const struct gw_config_unresolved *unresolved =
        gw_config_find_unresolved(context->document, value);
    if (unresolved != NULL) {
        gw_config_complain_unresolved(context, value, unresolved);
        return GW_ERR_INVALID;
    }
    if (!kinds[row->kind].parse(&raw, &read) || !is_in_range(row, &read)) {
        struct gw_str range = range_text(row, context->scratch);
        struct gw_str found = gw_config_describe(context, value);
        gw_config_complain(context, true, value, "expected %s" GW_STR_FMT ", found " GW_STR_FMT,
                           kinds[row->kind].expected, GW_STR_ARG(range), GW_STR_ARG(found));
        return GW_ERR_INVALID;
    }
    if (yyjson_is_arr(value)) {
        enum gw_err err = join_list(context, &read);
        if (err != GW_OK) {
            return err;
        }
    }
    *out = read;
    return GW_OK;
}

/* True when a variable decides; a wrong value is reported and leaves the default. */
static bool read_env(const struct gw_config_context *context, const struct gw_setting_row *row,
                     struct gw_setting_value *out)
{
    struct gw_str name = {0};
    struct raw raw = {.is_text = true};
    if (!gw_environment_get_first(context->env, row->env, &name, &raw.text)) {
        return false;
    }
    struct gw_setting_value read = {.is_set = true, .source = name};
    if (kinds[row->kind].parse(&raw, &read) && is_in_range(row, &read)) {
        *out = read;
        return true;
    }
    struct gw_str range = range_text(row, context->scratch);
    size_t shown = raw.text.len < SHOWN_BYTES ? raw.text.len : SHOWN_BYTES;
    gw_config_complain_env(context, true, name, "expected %s" GW_STR_FMT ", found \"%.*s\"",
                           kinds[row->kind].expected, GW_STR_ARG(range), (int)shown, raw.text.ptr);
    return true;
}

yyjson_val *gw_setting_at(yyjson_val *map, struct gw_str path)
{
    struct gw_str rest = path;
    struct gw_str name = {0};
    while (gw_str_split(&rest, '.', &name)) {
        bool is_last = rest.ptr == NULL || rest.len == 0;
        bool is_main = gw_str_eq(name, GW_STR("enabled")) || gw_str_eq(name, GW_STR("model"));
        if (is_last && is_main && !yyjson_is_ctn(map) && name.len < path.len) {
            return map; /* the section written as one value */
        }
        map = yyjson_obj_getn(map, name.ptr, name.len);
        map = yyjson_is_null(map) ? NULL : map;
    }
    return map;
}

static yyjson_val *find_value(const struct gw_config_context *context, const char *names)
{
    yyjson_val *root = yyjson_doc_get_root(context->document->json);
    struct gw_str rest = gw_str_from_c(names);
    struct gw_str name = {0};
    yyjson_val *value = NULL;
    while (value == NULL && gw_str_split(&rest, ' ', &name)) {
        value = gw_setting_at(root, name);
    }
    return value;
}

enum gw_err gw_settings_read(const struct gw_config_context *context, struct gw_settings *settings)
{
    for (size_t i = 0; i < GW_ARRAY_LEN(rows); i++) {
        struct gw_setting_value *out = &settings->values[i];
        *out = (struct gw_setting_value){.number = rows[i].fallback};
        yyjson_val *value = find_value(context, rows[i].names);
        struct gw_setting_value from_file = *out;
        /* Also read when the environment decides: what is wrong with it is to be known. */
        enum gw_err err =
            value == NULL ? GW_OK : gw_setting_read_value(context, value, &rows[i], &from_file);
        if (err != GW_OK && err != GW_ERR_INVALID) {
            return err;
        }
        if (!read_env(context, &rows[i], out)) {
            *out = from_file;
        }
    }
    return GW_OK;
}
