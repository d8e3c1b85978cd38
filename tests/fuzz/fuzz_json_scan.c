/* SPDX-License-Identifier: MIT */
/*
 * fuzz/fuzz_json_scan - the scanner agrees with yyjson about what is JSON and what its members are;
 * a splice changes what was edited and nothing else.
 */
#include <string.h>
#include <yyjson.h>

#include "base/buf.h"
#include "fuzz_target.h"
#include "json/scan.h"
#include "json/splice.h"

#define MAX_MEMBERS 256

struct members {
    struct gw_json_member at[MAX_MEMBERS];
    size_t count;
};

static gw_json_on_member_fn collect;
static enum gw_err collect(void *user, const struct gw_json_member *member)
{
    struct members *members = user;
    if (members->count < MAX_MEMBERS) {
        members->at[members->count++] = *member;
    }
    return GW_OK;
}

/* Escaped surrogates are the one thing about which the two differ: we let lone ones pass. */
static bool has_escaped_surrogate(struct gw_str text)
{
    return gw_str_find(text, GW_STR("\\ud")) < text.len ||
           gw_str_find(text, GW_STR("\\uD")) < text.len;
}

static yyjson_doc *read_strictly(struct gw_str text)
{
    return yyjson_read(text.ptr, text.len, YYJSON_READ_NUMBER_AS_RAW);
}

static void check_error(struct gw_str text, const struct gw_json_error *error)
{
    FUZZ_CHECK(error->offset <= text.len);
    FUZZ_CHECK(error->what != NULL && error->what[0] != '\0');
    FUZZ_CHECK(error->line >= 1 && error->column >= 1 && error->column <= error->offset + 1);
}

static void check_number(struct gw_str span)
{
    uint64_t number = 0;
    enum gw_err err = gw_json_decode_u64(span, &number);
    uint64_t expected = 0;
    if (gw_parse_u64(span, &expected) == GW_OK) {
        FUZZ_CHECK(err == GW_OK && number == expected);
    }
    if (err == GW_OK) {
        /* Back to a double: what yyjson reads is the same number up to its precision. */
        yyjson_doc *doc = yyjson_read(span.ptr, span.len, 0);
        FUZZ_CHECK(doc != NULL);
        double difference = yyjson_get_num(yyjson_doc_get_root(doc)) - (double)number;
        FUZZ_CHECK(difference <= (double)number * 1e-15 && -difference <= (double)number * 1e-15);
        yyjson_doc_free(doc);
    }
}

static void check_string(struct gw_str span, yyjson_val *value)
{
    char *out = malloc(span.len);
    size_t len = 0;
    FUZZ_CHECK(out != NULL);
    FUZZ_CHECK(gw_json_decode_string(span, out, span.len, &len) == GW_OK);
    FUZZ_CHECK(gw_str_eq(gw_str(out, len), gw_str(yyjson_get_str(value), yyjson_get_len(value))));
    free(out);
}

static void check_value(struct gw_str span, yyjson_val *value)
{
    yyjson_doc *doc = read_strictly(span);
    FUZZ_CHECK(doc != NULL);
    FUZZ_CHECK(yyjson_equals(yyjson_doc_get_root(doc), value));
    yyjson_doc_free(doc);
    if (yyjson_is_str(value)) {
        check_string(span, value);
    } else if (yyjson_is_raw(value)) {
        check_number(span);
    }
}

static void check_members(struct gw_str text, const struct members *members, yyjson_val *root)
{
    size_t i = 0;
    size_t max = 0;
    yyjson_val *key = NULL;
    yyjson_val *value = NULL;
    yyjson_obj_foreach(root, i, max, key, value)
    {
        if (i >= members->count) {
            break;
        }
        const struct gw_json_member *member = &members->at[i];
        struct gw_str name = gw_str(yyjson_get_str(key), yyjson_get_len(key));
        FUZZ_CHECK(gw_json_key_is(member, name));
        check_value(member->value, value);
        struct gw_json_member found;
        if (gw_str_find_byte(name, '.') == name.len) {
            FUZZ_CHECK(gw_json_find(text, name, &found));
            FUZZ_CHECK(found.value.ptr <= member->value.ptr);
        }
    }
    FUZZ_CHECK(members->count == MAX_MEMBERS || members->count == max);
}

static void join(const struct gw_json_splice *splice, struct gw_buf *out)
{
    struct gw_str runs[GW_JSON_MAX_RUNS];
    size_t count = gw_json_splice_runs(splice, runs);
    for (size_t i = 0; i < count; i++) {
        FUZZ_CHECK(gw_buf_append(out, runs[i]) == GW_OK);
    }
    FUZZ_CHECK(gw_json_splice_len(splice) == out->len);
}

/* Replaces one member's value and adds one: the result has these changes and no other. */
static void check_splice(struct gw_str text, const struct members *members, size_t which)
{
    struct gw_json_splice splice;
    gw_json_splice_init(&splice, text);
    FUZZ_CHECK(gw_json_splice_add_member(&splice, text, GW_STR(",\"added\":[true]")) == GW_OK);
    if (members->count > 0) {
        which %= members->count;
        FUZZ_CHECK(gw_json_splice_replace(&splice, members->at[which].value,
                                          GW_STR("\"replaced\"")) == GW_OK);
    }
    struct gw_buf out;
    gw_buf_init(&out, text.len + 64);
    join(&splice, &out);
    struct members after = {.count = 0};
    FUZZ_CHECK(gw_json_scan(gw_buf_str(&out), collect, &after, NULL, NULL) == GW_OK);
    size_t expected = members->count < MAX_MEMBERS ? members->count + 1 : MAX_MEMBERS;
    FUZZ_CHECK(after.count == expected);
    for (size_t i = 0; i < members->count; i++) {
        FUZZ_CHECK(gw_str_eq(after.at[i].key, members->at[i].key));
        FUZZ_CHECK(gw_str_eq(after.at[i].value,
                             i == which ? GW_STR("\"replaced\"") : members->at[i].value));
    }
    if (members->count < MAX_MEMBERS) {
        FUZZ_CHECK(gw_str_eq(after.at[members->count].key, GW_STR("added")));
        FUZZ_CHECK(gw_str_eq(after.at[members->count].value, GW_STR("[true]")));
    }
    gw_buf_fini(&out);
}

static gw_json_on_member_fn count_element;
static enum gw_err count_element(void *user, const struct gw_json_member *element)
{
    size_t *count = user;
    (*count)++;
    FUZZ_CHECK(element->key.len == 0 && element->value.len > 0);
    return GW_OK;
}

static void check_valid(struct gw_str text, const struct members *members, enum gw_json_type type,
                        yyjson_doc *doc)
{
    if (doc != NULL) {
        yyjson_val *root = yyjson_doc_get_root(doc);
        FUZZ_CHECK((type == GW_JSON_OBJECT) == yyjson_is_obj(root));
        if (type == GW_JSON_OBJECT) {
            check_members(text, members, root);
        }
        if (type == GW_JSON_ARRAY) {
            size_t count = 0;
            FUZZ_CHECK(gw_json_each(text, count_element, &count) == GW_OK);
            FUZZ_CHECK(count == yyjson_arr_size(root));
        }
    }
    if (type == GW_JSON_OBJECT) {
        check_splice(text, members, text.len);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static struct members members;
    members.count = 0;
    struct gw_str text = gw_str((const char *)bytes, size);
    struct gw_json_error error = {0};
    enum gw_json_type type = GW_JSON_NULL;
    enum gw_err err = gw_json_scan(text, collect, &members, &type, &error);
    FUZZ_CHECK(err == gw_json_scan(text, NULL, NULL, NULL, NULL));
    yyjson_doc *doc = read_strictly(text);
    if (err == GW_OK) {
        FUZZ_CHECK(doc != NULL || has_escaped_surrogate(text));
        check_valid(text, &members, type, doc);
    } else {
        FUZZ_CHECK(err == GW_ERR_TOO_DEEP || (err == GW_ERR_INVALID && doc == NULL));
        check_error(text, &error);
    }
    yyjson_doc_free(doc);
    return 0;
}
