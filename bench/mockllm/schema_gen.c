/* SPDX-License-Identifier: MIT */
/* Writes the smallest sensible instance a schema allows. */
#include "mockllm/schema_gen.h"

#include <string.h>
#include <strings.h>

#include "mockllm/text.h"

/* Deeper instances come from schemas that refer to themselves without an end. */
#define GEN_MAX_DEPTH 64

/* From here on optional parts are left out, which ends every schema that can end. */
#define GEN_LEAN_DEPTH 5

/* Steps of one instance: a schema that requires itself twice doubles them with each level. */
#define GEN_MAX_STEPS 100000u

/* Longest string made to satisfy minLength; a larger one is a mistake or an attack. */
#define GEN_MAX_STRING 65536u

struct gen {
    struct bench_buf *out;
    yyjson_val *root;
    unsigned depth;
    unsigned steps; /* schemas looked at */
};

/* Tells whether to write no more: too deep, or too much. */
static bool is_too_much(const struct gen *gen)
{
    return gen->depth > GEN_MAX_DEPTH || gen->steps > GEN_MAX_STEPS;
}

static void write_value(struct gen *gen, yyjson_val *schema);

static void write_json(struct bench_buf *out, const yyjson_val *value)
{
    size_t len = 0;
    char *text = yyjson_val_write(value, YYJSON_WRITE_NOFLAG, &len);
    bench_buf_add(out, text == NULL ? "null" : text, text == NULL ? 4 : len);
    bench_free(text);
}

static yyjson_val *resolve(struct gen *gen, yyjson_val *schema)
{
    for (int hops = 0; hops < 32; hops++) { /* a chain of references that long is a circle */
        yyjson_val *ref = yyjson_obj_get(schema, "$ref");
        const char *path = yyjson_get_str(ref);
        if (path == NULL || path[0] != '#') {
            return schema;
        }
        schema = path[1] == '\0' ? gen->root : yyjson_ptr_get(gen->root, path + 1);
    }
    return NULL;
}

/* Returns the name of the type to write: the first that is not null, or a guess. */
static const char *type_of(yyjson_val *schema)
{
    /* By the numbers that clients made from Google's protocol buffers send. */
    static const char *const by_number[] = {"null",    "string", "number", "integer",
                                            "boolean", "array",  "object"};
    yyjson_val *type = yyjson_obj_get(schema, "type");
    if (yyjson_is_str(type)) {
        return yyjson_get_str(type);
    }
    if (yyjson_is_uint(type) && yyjson_get_uint(type) < sizeof(by_number) / sizeof(*by_number)) {
        return by_number[yyjson_get_uint(type)];
    }
    size_t i = 0;
    size_t count = 0;
    yyjson_val *item = NULL;
    yyjson_arr_foreach(type, i, count, item)
    {
        const char *name = yyjson_get_str(item);
        if (name != NULL && strcmp(name, "null") != 0) {
            return name;
        }
    }
    if (yyjson_obj_get(schema, "properties") != NULL) {
        return "object";
    }
    if (yyjson_obj_get(schema, "items") != NULL) {
        return "array";
    }
    return type != NULL ? "null" : "string";
}

static bool is_required(yyjson_val *schema, const char *name)
{
    size_t i = 0;
    size_t count = 0;
    yyjson_val *item = NULL;
    yyjson_arr_foreach(yyjson_obj_get(schema, "required"), i, count, item)
    {
        if (yyjson_equals_str(item, name)) {
            return true;
        }
    }
    return false;
}

static void write_properties(struct gen *gen, yyjson_val *schema, bool *is_first)
{
    size_t i = 0;
    size_t count = 0;
    yyjson_val *name = NULL;
    yyjson_val *member = NULL;
    yyjson_val *properties = yyjson_obj_get(schema, "properties");
    if (properties == NULL) { /* which yyjson_obj_foreach() does not take */
        return;
    }
    yyjson_obj_foreach(properties, i, count, name, member)
    {
        if (gen->depth > GEN_LEAN_DEPTH && !is_required(schema, yyjson_get_str(name))) {
            continue;
        }
        bench_buf_str(gen->out, *is_first ? BENCH_STR("") : BENCH_STR(","));
        *is_first = false;
        write_json(gen->out, name);
        BENCH_LIT(gen->out, ":");
        write_value(gen, member);
    }
}

/* Writes the members of a schema and of all it is combined from. */
static void write_members(struct gen *gen, yyjson_val *schema, bool *is_first)
{
    size_t i = 0;
    size_t count = 0;
    yyjson_val *part = NULL;
    gen->depth++;
    schema = resolve(gen, schema);
    write_properties(gen, schema, is_first);
    gen->steps++;
    if (!is_too_much(gen)) { /* an allOf may refer to itself */
        yyjson_arr_foreach(yyjson_obj_get(schema, "allOf"), i, count, part)
        {
            write_members(gen, part, is_first);
        }
    }
    gen->depth--;
}

static void write_object(struct gen *gen, yyjson_val *schema)
{
    bool is_first = true;
    BENCH_LIT(gen->out, "{");
    write_members(gen, schema, &is_first);
    BENCH_LIT(gen->out, "}");
}

static void write_array(struct gen *gen, yyjson_val *schema)
{
    yyjson_val *prefix = yyjson_obj_get(schema, "prefixItems");
    yyjson_val *items = yyjson_obj_get(schema, "items");
    uint64_t wanted = yyjson_get_uint(yyjson_obj_get(schema, "minItems"));
    if (wanted == 0 && gen->depth <= GEN_LEAN_DEPTH) {
        wanted = 1;
    }
    yyjson_val *most = yyjson_obj_get(schema, "maxItems");
    if (most != NULL && yyjson_get_uint(most) < wanted) {
        wanted = yyjson_get_uint(most);
    }
    wanted = wanted < 1000 ? wanted : 1000; /* a tool call, not a memory test */
    if (yyjson_arr_size(prefix) > wanted) {
        wanted = yyjson_arr_size(prefix);
    }
    BENCH_LIT(gen->out, "[");
    for (uint64_t i = 0; i < wanted; i++) {
        yyjson_val *item = yyjson_arr_get(prefix, i);
        bench_buf_str(gen->out, i == 0 ? BENCH_STR("") : BENCH_STR(","));
        write_value(gen, item != NULL ? item : items);
    }
    BENCH_LIT(gen->out, "]");
}

static const char *format_example(const char *format)
{
    static const char *const examples[][2] = {
        {"date-time", "2026-11-21T05:30:00Z"},
        {"date", "2026-11-21"},
        {"time", "05:30:00Z"},
        {"duration", "PT5M"},
        {"email", "mock@example.com"},
        {"hostname", "example.com"},
        {"ipv4", "127.0.0.1"},
        {"ipv6", "::1"},
        {"uuid", "6f1d1b9e-8c3a-4e2b-9d57-0a1b2c3d4e5f"},
        {"uri", "https://example.com/"},
    };
    for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
        if (strcmp(examples[i][0], format) == 0) {
            return examples[i][1];
        }
    }
    return NULL;
}

static void write_string(struct gen *gen, yyjson_val *schema)
{
    const char *format = yyjson_get_str(yyjson_obj_get(schema, "format"));
    const char *example = format == NULL ? NULL : format_example(format);
    if (example != NULL) {
        bench_buf_json(gen->out, bench_str_from(example));
        return;
    }
    uint64_t len = 9;
    yyjson_val *least = yyjson_obj_get(schema, "minLength");
    yyjson_val *most = yyjson_obj_get(schema, "maxLength");
    if (least != NULL && yyjson_get_uint(least) > len) {
        len = yyjson_get_uint(least);
    }
    if (most != NULL && yyjson_get_uint(most) < len) {
        len = yyjson_get_uint(most);
    }
    BENCH_LIT(gen->out, "\"");
    mock_text_range(gen->out, 0, len < GEN_MAX_STRING ? len : GEN_MAX_STRING);
    BENCH_LIT(gen->out, "\"");
}

static void write_number(struct gen *gen, yyjson_val *schema, bool whole)
{
    yyjson_val *least = yyjson_obj_get(schema, "minimum");
    yyjson_val *above = yyjson_obj_get(schema, "exclusiveMinimum");
    yyjson_val *most = yyjson_obj_get(schema, "maximum");
    yyjson_val *below = yyjson_obj_get(schema, "exclusiveMaximum");
    yyjson_val *step = yyjson_obj_get(schema, "multipleOf");
    double n = whole ? 7 : 7.5;
    double step_size = step == NULL ? 0 : yyjson_get_num(step);
    if (step_size > 0) {
        n = step_size;
    }
    if (most != NULL && n > yyjson_get_num(most)) {
        n = yyjson_get_num(most);
    }
    if (below != NULL && n >= yyjson_get_num(below)) {
        n = yyjson_get_num(below) - (whole ? 1 : 0.5);
    }
    if (least != NULL && n < yyjson_get_num(least)) {
        n = yyjson_get_num(least);
    }
    if (above != NULL && n <= yyjson_get_num(above)) {
        n = yyjson_get_num(above) + (whole ? 1 : 0.5);
    }
    if (step_size > 0) {
        double steps = n / step_size;
        long long count = (long long)steps;
        n = step_size * (double)((double)count < steps ? count + 1 : count);
    }
    if (whole) {
        bench_buf_printf(gen->out, "%lld", (long long)n);
    } else {
        bench_buf_printf(gen->out, "%.17g", n);
    }
}

/* Google writes types in capitals. */
static void write_typed(struct gen *gen, yyjson_val *schema)
{
    const char *type = type_of(schema);
    if (strcasecmp(type, "object") == 0 || yyjson_obj_get(schema, "allOf") != NULL) {
        write_object(gen, schema);
    } else if (strcasecmp(type, "array") == 0) {
        write_array(gen, schema);
    } else if (strcasecmp(type, "string") == 0) {
        write_string(gen, schema);
    } else if (strcasecmp(type, "integer") == 0) {
        write_number(gen, schema, true);
    } else if (strcasecmp(type, "number") == 0) {
        write_number(gen, schema, false);
    } else if (strcasecmp(type, "boolean") == 0) {
        BENCH_LIT(gen->out, "true");
    } else {
        BENCH_LIT(gen->out, "null");
    }
}

/* Picks a branch: the first, or below the lean depth the last, which tends to be the null. */
static yyjson_val *pick_branch(const struct gen *gen, yyjson_val *branches)
{
    if (yyjson_arr_size(branches) == 0) {
        return NULL;
    }
    return gen->depth > GEN_LEAN_DEPTH ? yyjson_arr_get_last(branches)
                                       : yyjson_arr_get_first(branches);
}

static void write_value(struct gen *gen, yyjson_val *schema)
{
    schema = resolve(gen, schema);
    yyjson_val *fixed = yyjson_obj_get(schema, "const");
    if (fixed == NULL) {
        fixed = yyjson_arr_get_first(yyjson_obj_get(schema, "enum"));
    }
    yyjson_val *branch = pick_branch(gen, yyjson_obj_get(schema, "anyOf"));
    if (branch == NULL) {
        branch = pick_branch(gen, yyjson_obj_get(schema, "oneOf"));
    }
    gen->depth++;
    gen->steps++;
    if (is_too_much(gen)) {
        BENCH_LIT(gen->out, "null");
    } else if (fixed != NULL) {
        write_json(gen->out, fixed);
    } else if (branch != NULL) {
        write_value(gen, branch);
    } else {
        write_typed(gen, schema);
    }
    gen->depth--;
}

void mock_schema_instance(struct bench_buf *out, yyjson_val *schema)
{
    struct gen gen = {.out = out, .root = schema};
    if (schema == NULL) {
        BENCH_LIT(out, "{}");
        return;
    }
    write_value(&gen, schema);
}
