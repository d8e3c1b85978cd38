/* SPDX-License-Identifier: MIT */
/* json/schema_message - describes what a schema wants and what was found instead. */
#include "json/schema_message.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHOWN_VALUES      20  /* of an enum; more is no help */
#define SHOWN_NAMES       200 /* of members, for "did you mean" */
#define DESCRIBE_DEPTH    3   /* references and branches followed to say what is wanted */
#define DESCRIBE_BRANCHES 20  /* of one anyOf; with the depth this bounds the work */
#define GATHER_SCHEMAS    500 /* looked into for known names */

static void append_place(struct gw_buf *out, const struct gw_schema_place *place)
{
    if (place == NULL) {
        return;
    }
    append_place(out, place->up);
    gw_buf_append_byte(out, '/');
    if (place->name.ptr == NULL) {
        gw_buf_append_u64(out, place->index);
        return;
    }
    for (size_t i = 0; i < place->name.len; i++) {
        char c = place->name.ptr[i];
        if (c == '~' || c == '/') {
            gw_buf_append(out, c == '~' ? GW_STR("~0") : GW_STR("~1"));
        } else {
            gw_buf_append_byte(out, c);
        }
    }
}

/* The text in the arena; a short one where it does not fit. */
static struct gw_str keep(struct gw_schema_checking *check, const struct gw_buf *text)
{
    struct gw_str copy = gw_str(NULL, 0);
    if (text->err == GW_OK) {
        copy = gw_arena_try_dup(check->arena, gw_buf_str(text));
    }
    return copy.ptr != NULL ? copy : GW_STR("(no memory for the text)");
}

void gw_schema_add_error(struct gw_schema_checking *check, const struct gw_schema_frame *frame,
                         const char *keyword, struct gw_str message, struct gw_str expected)
{
    struct gw_schema_report *report = check->report;
    if (report == NULL) {
        return;
    }
    report->total_count++;
    if (report->count == GW_SCHEMA_MAX_ERRORS) {
        return;
    }
    struct gw_buf path;
    gw_buf_init(&path, GW_SCHEMA_MESSAGE_BYTES);
    append_place(&path, frame->place);
    report->errors[report->count++] = (struct gw_schema_error){
        .instance_path = path.len > 0 ? keep(check, &path) : GW_STR(""),
        .keyword = gw_str_from_c(keyword),
        .message = message,
        .expected = expected,
        .instance = frame->value,
    };
    gw_buf_fini(&path);
}

/* Is anybody listening? A probe only counts. */
static bool is_told(struct gw_schema_checking *check, const struct gw_schema_frame *frame,
                    const char *keyword)
{
    if (check->mode == GW_SCHEMA_PROBE) {
        struct gw_schema_probe *probe = check->probe;
        bool is_constant = strcmp(keyword, "const") == 0 || strcmp(keyword, "enum") == 0;
        bool is_kind = is_constant || strcmp(keyword, "type") == 0;
        /* A member that is constant in a form mostly says which form is meant. */
        probe->misfits += is_constant ? 10 : is_kind ? 3 : 1;
        probe->is_other_kind |= is_kind && frame->value == probe->value;
    }
    return check->mode == GW_SCHEMA_REPORT && !check->is_aborted;
}

bool gw_schema_tell(struct gw_schema_checking *check, const struct gw_schema_frame *frame,
                    const char *keyword, const char *format, ...)
{
    if (is_told(check, frame, keyword)) {
        char text[512];
        va_list args;
        va_start(args, format);
        vsnprintf(text, sizeof(text), format, args);
        va_end(args);
        gw_schema_add_error(check, frame, keyword, gw_arena_printf(check->arena, "%s", text),
                            GW_STR(""));
    }
    return false;
}

/* " between 1 and 65535", " of at least 1", " above 0". */
static void append_range(struct gw_buf *out, const struct gw_schema_node *node)
{
    if (node->minimum.is_set && node->maximum.is_set) {
        gw_buf_append(out, GW_STR(" between "));
        gw_schema_append_number(out, &node->minimum.value);
        gw_buf_append(out, GW_STR(" and "));
        gw_schema_append_number(out, &node->maximum.value);
    } else if (node->minimum.is_set) {
        gw_buf_append(out, GW_STR(" of at least "));
        gw_schema_append_number(out, &node->minimum.value);
    } else if (node->maximum.is_set) {
        gw_buf_append(out, GW_STR(" of at most "));
        gw_schema_append_number(out, &node->maximum.value);
    }
    if (node->exclusive_minimum.is_set) {
        gw_buf_append(out, GW_STR(" above "));
        gw_schema_append_number(out, &node->exclusive_minimum.value);
    }
    if (node->exclusive_maximum.is_set) {
        gw_buf_append(out,
                      node->exclusive_minimum.is_set ? GW_STR(" and below ") : GW_STR(" below "));
        gw_schema_append_number(out, &node->exclusive_maximum.value);
    }
    if (node->multiple_of.is_set) {
        gw_buf_append(out, GW_STR(" that is a multiple of "));
        gw_schema_append_number(out, &node->multiple_of.value);
    }
}

static void append_string_kind(struct gw_buf *out, const struct gw_schema_node *node)
{
    gw_buf_append(out, gw_str_from_c(node->format != NULL ? node->format->expected : "a string"));
    if (node->pattern != NULL) {
        gw_buf_append(out, GW_STR(" that matches "));
        gw_buf_append(out, node->pattern->text);
    }
}

static void append_values(struct gw_buf *out, yyjson_val *values)
{
    size_t index = 0;
    size_t max = 0;
    yyjson_val *value = NULL;
    if (yyjson_arr_size(values) > 1) {
        gw_buf_append(out, GW_STR("one of "));
    }
    yyjson_arr_foreach(values, index, max, value)
    {
        if (index == SHOWN_VALUES) {
            gw_buf_appendf(out, " and %zu others", max - index);
            break;
        }
        if (index > 0) {
            gw_buf_append(out, GW_STR(", "));
        }
        gw_schema_append_value(out, value);
    }
}

/* The types a schema allows; those it only implies by other keywords when "type" is not there. */
static unsigned described_types(const struct gw_schema_node *node)
{
    unsigned types = node->types;
    if (types == 0) {
        bool has_limit = node->minimum.is_set || node->maximum.is_set ||
                         node->exclusive_minimum.is_set || node->exclusive_maximum.is_set ||
                         node->multiple_of.is_set;
        types |= has_limit ? GW_SCHEMA_NUMBER : 0;
        types |= node->pattern != NULL || node->format != NULL ? GW_SCHEMA_STRING : 0;
    }
    return types;
}

static void append_types(struct gw_buf *out, const struct gw_schema_node *node, unsigned types)
{
    static const struct {
        unsigned bit;
        const char *words;
    } kinds[] = {
        {GW_SCHEMA_STRING, NULL},
        {GW_SCHEMA_NUMBER, "a number"},
        {GW_SCHEMA_INTEGER, "a whole number"},
        {GW_SCHEMA_BOOLEAN, "true or false"},
        {GW_SCHEMA_ARRAY, "a list"},
        {GW_SCHEMA_OBJECT, "an object"},
        {GW_SCHEMA_NULL, "null"},
    };
    if ((types & GW_SCHEMA_NUMBER) != 0) {
        types &= ~(unsigned)GW_SCHEMA_INTEGER;
    }
    size_t start = out->len;
    for (size_t i = 0; i < GW_ARRAY_LEN(kinds); i++) {
        if ((types & kinds[i].bit) == 0) {
            continue;
        }
        if (out->len > start) {
            gw_buf_append(out, GW_STR(" or "));
        }
        if (kinds[i].words == NULL) {
            append_string_kind(out, node);
        } else {
            gw_buf_append(out, gw_str_from_c(kinds[i].words));
        }
        if ((kinds[i].bit & (GW_SCHEMA_NUMBER | GW_SCHEMA_INTEGER)) != 0) {
            append_range(out, node);
        }
    }
}

static void append_branches(struct gw_buf *out, const struct gw_schema_nodes *branches,
                            unsigned depth);

/* What |node| wants; nothing when that cannot be said in a few words. */
static void append_description(struct gw_buf *out, const struct gw_schema_node *node,
                               unsigned depth)
{
    unsigned types = described_types(node);
    if (depth == DESCRIBE_DEPTH) {
        return;
    }
    if (node->expected.len > 0) {
        gw_buf_append(out, node->expected);
    } else if (node->const_value != NULL) {
        gw_schema_append_value(out, node->const_value);
    } else if (node->enum_values != NULL) {
        append_values(out, node->enum_values);
    } else if (types != 0) {
        append_types(out, node, types);
    } else if (node->ref != NULL) {
        append_description(out, node->ref, depth + 1);
    } else if (node->any_of.count > 0) {
        append_branches(out, &node->any_of, depth + 1);
    } else if (node->one_of.count > 0) {
        append_branches(out, &node->one_of, depth + 1);
    }
}

static void append_branches(struct gw_buf *out, const struct gw_schema_nodes *branches,
                            unsigned depth)
{
    size_t start = out->len;
    for (size_t i = 0; i < branches->count && i < DESCRIBE_BRANCHES; i++) {
        size_t before = out->len;
        if (before > start) {
            gw_buf_append(out, GW_STR(" or "));
        }
        size_t from = out->len;
        append_description(out, branches->items[i], depth);
        struct gw_str added = gw_str_skip(gw_buf_str(out), from);
        struct gw_str earlier = gw_str_skip(gw_str(out->ptr, before), start);
        if (added.len == 0 || gw_str_find(earlier, added) < earlier.len) {
            out->len = before; /* says nothing, or was said */
        }
    }
}

static void append_found(struct gw_buf *out, const struct gw_schema_frame *frame)
{
    static const char *const kinds[] = {
        [YYJSON_TYPE_NULL] = "null",    [YYJSON_TYPE_BOOL] = "true or false",
        [YYJSON_TYPE_NUM] = "a number", [YYJSON_TYPE_STR] = "a string",
        [YYJSON_TYPE_ARR] = "a list",   [YYJSON_TYPE_OBJ] = "an object",
    };
    yyjson_type type = yyjson_get_type(frame->value);
    if (!frame->hides_value) {
        gw_schema_append_value(out, frame->value);
    } else if (type < GW_ARRAY_LEN(kinds) && kinds[type] != NULL) {
        gw_buf_append(out, gw_str_from_c(kinds[type]));
    }
}

/* The strings of an enum, for "did you mean". */
static struct gw_str list_strings(struct gw_schema_checking *check, yyjson_val *values)
{
    struct gw_buf out;
    gw_buf_init(&out, GW_SCHEMA_MESSAGE_BYTES);
    size_t index = 0;
    size_t max = 0;
    yyjson_val *value = NULL;
    yyjson_arr_foreach(values, index, max, value)
    {
        if (yyjson_is_str(value)) {
            gw_buf_append(&out, out.len > 0 ? GW_STR(", ") : GW_STR(""));
            gw_buf_append(&out, gw_schema_text(value));
        }
    }
    struct gw_str list = out.len > 0 && out.err == GW_OK ? keep(check, &out) : GW_STR("");
    gw_buf_fini(&out);
    return list;
}

/* What the outermost schema applied to the same value says is expected: it knows best what the
 * value is for. */
static struct gw_str said_expectation(const struct gw_schema_frame *frame)
{
    struct gw_str said = gw_str(NULL, 0);
    for (const struct gw_schema_frame *at = frame; at != NULL && at->value == frame->value;
         at = at->up) {
        said = at->node->expected.len > 0 ? at->node->expected : said;
    }
    return said;
}

/* Adds "expected X, found Y"; |out| holds X. */
static void add_expectation(struct gw_schema_checking *check, const struct gw_schema_frame *frame,
                            const char *keyword, struct gw_buf *out, struct gw_str expected)
{
    gw_buf_append(out, GW_STR(", found "));
    append_found(out, frame);
    gw_schema_add_error(check, frame, keyword, keep(check, out), expected);
}

bool gw_schema_tell_expected(struct gw_schema_checking *check, const struct gw_schema_frame *frame,
                             const char *keyword)
{
    if (is_told(check, frame, keyword)) {
        struct gw_buf out;
        gw_buf_init(&out, GW_SCHEMA_MESSAGE_BYTES);
        struct gw_str said = said_expectation(frame);
        gw_buf_append(&out, GW_STR("expected "));
        gw_buf_append(&out, said);
        if (said.len == 0) {
            append_description(&out, frame->node, 0);
        }
        add_expectation(check, frame, keyword, &out, list_strings(check, frame->node->enum_values));
        gw_buf_fini(&out);
    }
    return false;
}

bool gw_schema_tell_branches(struct gw_schema_checking *check, const struct gw_schema_frame *frame,
                             const char *keyword, const struct gw_schema_nodes *branches)
{
    if (is_told(check, frame, keyword)) {
        struct gw_buf out;
        gw_buf_init(&out, GW_SCHEMA_MESSAGE_BYTES);
        gw_buf_append(&out, GW_STR("expected "));
        size_t before = out.len;
        struct gw_str said = said_expectation(frame);
        gw_buf_append(&out, said);
        if (said.len == 0) {
            append_branches(&out, branches, 0);
        }
        if (out.len == before) {
            gw_buf_appendf(&out, "one of %zu forms", branches->count);
        }
        add_expectation(check, frame, keyword, &out, GW_STR(""));
        gw_buf_fini(&out);
    }
    return false;
}

bool gw_schema_tell_name(struct gw_schema_checking *check, const struct gw_schema_frame *frame,
                         const struct gw_schema_place *place, yyjson_val *key)
{
    if (is_told(check, frame, "propertyNames")) {
        struct gw_schema_frame at = *frame;
        struct gw_buf out;
        gw_buf_init(&out, GW_SCHEMA_MESSAGE_BYTES);
        gw_buf_append(&out, GW_STR("the name "));
        gw_schema_append_value(&out, key);
        gw_buf_append(&out, GW_STR(" is not allowed here"));
        size_t before = out.len;
        gw_buf_append(&out, GW_STR(", expected "));
        size_t start = out.len;
        append_description(&out, frame->node->property_names, 0);
        if (out.len == start) {
            out.len = before;
        }
        at.place = place;
        at.value = key;
        gw_schema_add_error(check, &at, "propertyNames", keep(check, &out), GW_STR(""));
        gw_buf_fini(&out);
    }
    return false;
}

struct names {
    struct gw_str items[SHOWN_NAMES];
    size_t count;
    unsigned schemas; /* looked into so far */
};

/* Gathers the members that |node| knows; |depth| > 0 also those of the schemas applied to the same
 * value. */
static void gather_names(struct names *names, const struct gw_schema_node *node, unsigned depth)
{
    for (size_t i = 0; i < node->properties.count && names->count < SHOWN_NAMES; i++) {
        names->items[names->count++] = node->properties.items[i].name;
    }
    if (depth == 0 || ++names->schemas > GATHER_SCHEMAS) {
        return;
    }
    const struct gw_schema_node *single[] = {node->ref, node->dynamic_ref, node->if_schema,
                                             node->then_schema, node->else_schema};
    const struct gw_schema_nodes *lists[] = {&node->all_of, &node->any_of, &node->one_of};
    for (size_t i = 0; i < GW_ARRAY_LEN(single); i++) {
        if (single[i] != NULL) {
            gather_names(names, single[i], depth - 1);
        }
    }
    for (size_t i = 0; i < GW_ARRAY_LEN(lists); i++) {
        for (size_t k = 0; k < lists[i]->count && names->count < SHOWN_NAMES; k++) {
            gather_names(names, lists[i]->items[k], depth - 1);
        }
    }
}

static int compare_names(const void *a, const void *b)
{
    const struct gw_str *x = a;
    const struct gw_str *y = b;
    size_t len = x->len < y->len ? x->len : y->len;
    int order = memcmp(x->ptr, y->ptr, len);
    return order != 0 ? order : (x->len > y->len) - (x->len < y->len);
}

static struct gw_str list_names(struct gw_schema_checking *check, const struct gw_schema_node *node,
                                unsigned depth)
{
    struct names names = {.count = 0};
    struct gw_buf out;
    gather_names(&names, node, depth);
    if (names.count > 1) {
        qsort(names.items, names.count, sizeof(names.items[0]), compare_names);
    }
    gw_buf_init(&out, GW_SCHEMA_MESSAGE_BYTES);
    for (size_t i = 0; i < names.count; i++) {
        if (i == 0 || !gw_str_eq(names.items[i], names.items[i - 1])) {
            gw_buf_append(&out, i > 0 ? GW_STR(", ") : GW_STR(""));
            gw_buf_append(&out, names.items[i]);
        }
    }
    struct gw_str list = out.len > 0 && out.err == GW_OK ? keep(check, &out) : GW_STR("");
    gw_buf_fini(&out);
    return list;
}

bool gw_schema_tell_unknown(struct gw_schema_checking *check, const struct gw_schema_frame *frame,
                            const char *keyword, const struct gw_schema_place *place,
                            yyjson_val *value)
{
    if (is_told(check, frame, keyword)) {
        bool is_unevaluated = strcmp(keyword, "unevaluatedProperties") == 0;
        struct gw_schema_frame at = *frame;
        struct gw_buf out;
        gw_buf_init(&out, GW_SCHEMA_MESSAGE_BYTES);
        gw_buf_append(&out, GW_STR("unknown key \""));
        gw_buf_append_json(&out, place->name);
        gw_buf_append_byte(&out, '"');
        at.place = place;
        at.value = value;
        gw_schema_add_error(check, &at, keyword, keep(check, &out),
                            list_names(check, frame->node, is_unevaluated ? 4 : 0));
        gw_buf_fini(&out);
    }
    return false;
}
