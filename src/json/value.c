/* SPDX-License-Identifier: MIT */
/* json/value - reading with reused memory, typed members, compact writing. */
#include "json/value.h"

#include "base/alloc.h"
#include "json/scan.h"

/* Documents up to this are read into memory that is kept: a stream's events have some hundred
 * bytes, and 12 to 16 bytes of values are needed per byte of text at worst. */
#define POOLED_TEXT_BYTES 8192

static void *allocate(void *user, size_t size)
{
    (void)user;
    return gw_try_alloc(size);
}

static void *reallocate(void *user, void *ptr, size_t old_size, size_t size)
{
    (void)user;
    (void)old_size;
    return gw_try_realloc(ptr, size);
}

static void release(void *user, void *ptr)
{
    (void)user;
    gw_free(ptr);
}

const yyjson_alc gw_json_allocator = {.malloc = allocate, .realloc = reallocate, .free = release};

void gw_json_reader_init(struct gw_json_reader *reader, size_t max_bytes)
{
    *reader = (struct gw_json_reader){.max_bytes = max_bytes};
}

void gw_json_reader_fini(struct gw_json_reader *reader)
{
    yyjson_doc_free(reader->doc);
    gw_free(reader->pool);
    gw_json_reader_init(reader, reader->max_bytes);
}

/* Makes |alc| give memory for a text of |len| bytes; false when there is none. */
static bool choose_memory(struct gw_json_reader *reader, size_t len, yyjson_alc *alc)
{
    *alc = gw_json_allocator;
    if (len > POOLED_TEXT_BYTES) {
        return true;
    }
    if (reader->pool == NULL) {
        reader->pool_size = yyjson_read_max_memory_usage(POOLED_TEXT_BYTES, 0);
        reader->pool = gw_try_alloc(reader->pool_size);
    }
    return reader->pool != NULL && yyjson_alc_pool_init(alc, reader->pool, reader->pool_size);
}

bool gw_json_is_depth_below(yyjson_val *value, unsigned max_depth)
{
    if (!yyjson_is_ctn(value)) {
        return true;
    }
    if (max_depth == 0) {
        return unsafe_yyjson_get_len(value) == 0;
    }
    size_t idx;
    size_t max;
    yyjson_val *key;
    yyjson_val *child;
    if (yyjson_is_arr(value)) {
        yyjson_arr_foreach(value, idx, max, child)
        {
            if (!gw_json_is_depth_below(child, max_depth - 1)) {
                return false;
            }
        }
        return true;
    }
    yyjson_obj_foreach(value, idx, max, key, child)
    {
        if (!gw_json_is_depth_below(child, max_depth - 1)) {
            return false;
        }
    }
    return true;
}

enum gw_err gw_json_read(struct gw_json_reader *reader, struct gw_str text, yyjson_val **root)
{
    yyjson_alc alc;
    yyjson_read_err error = {0};
    yyjson_doc_free(reader->doc);
    reader->doc = NULL;
    *root = NULL;
    if (text.len > reader->max_bytes) {
        return GW_ERR_TOO_LARGE;
    }
    if (!choose_memory(reader, text.len, &alc)) {
        return GW_ERR_NOMEM;
    }
    /* Without the in-situ flag the text is copied and not written to, whatever the type says. */
    reader->doc = yyjson_read_opts((char *)(uintptr_t)text.ptr, text.len, 0, &alc, &error);
    if (reader->doc == NULL) {
        return error.code == YYJSON_READ_ERROR_MEMORY_ALLOCATION ? GW_ERR_NOMEM : GW_ERR_INVALID;
    }
    if (!gw_json_is_depth_below(yyjson_doc_get_root(reader->doc), GW_JSON_MAX_DEPTH)) {
        return GW_ERR_INVALID;
    }
    *root = yyjson_doc_get_root(reader->doc);
    return GW_OK;
}

yyjson_val *gw_json_get(yyjson_val *object, const char *key)
{
    yyjson_val *value = yyjson_obj_get(object, key);
    return yyjson_is_null(value) ? NULL : value;
}

uint64_t gw_json_get_u64(yyjson_val *object, const char *key, uint64_t otherwise)
{
    yyjson_val *value = gw_json_get(object, key);
    if (yyjson_is_uint(value)) {
        return yyjson_get_uint(value);
    }
    double real = yyjson_get_real(value);
    if (yyjson_is_real(value) && real >= 0 && real < 9007199254740992.0 &&
        (double)(uint64_t)real >= real) {
        return (uint64_t)real;
    }
    return otherwise;
}

bool gw_json_is(yyjson_val *value, struct gw_str text)
{
    return yyjson_equals_strn(value, text.ptr, text.len);
}

static void append_written(char *text, size_t len, struct gw_buf *out)
{
    if (text == NULL) {
        out->err = out->err != GW_OK ? out->err : GW_ERR_NOMEM;
        return;
    }
    (void)gw_buf_append(out, gw_str(text, len));
    gw_free(text);
}

void gw_json_write(yyjson_val *value, struct gw_buf *out)
{
    size_t len = 0;
    char *text = yyjson_val_write_opts(value, 0, &gw_json_allocator, &len, NULL);
    append_written(text, len, out);
}

void gw_json_write_mut(const yyjson_mut_doc *doc, struct gw_buf *out)
{
    size_t len = 0;
    char *text = yyjson_mut_write_opts(doc, 0, &gw_json_allocator, &len, NULL);
    append_written(text, len, out);
}

void gw_json_write_text(struct gw_str text, struct gw_buf *out)
{
    (void)gw_buf_append_byte(out, '"');
    (void)gw_buf_append_json(out, text);
    (void)gw_buf_append_byte(out, '"');
}

yyjson_mut_val *gw_json_make_text(yyjson_mut_doc *doc, struct gw_str text)
{
    return yyjson_mut_strncpy(doc, text.ptr != NULL ? text.ptr : "", text.len);
}

bool gw_json_add_text(yyjson_mut_doc *doc, yyjson_mut_val *object, const char *key,
                      struct gw_str text)
{
    return yyjson_mut_obj_add_val(doc, object, key, gw_json_make_text(doc, text));
}

bool gw_json_add_copy(yyjson_mut_doc *doc, yyjson_mut_val *object, const char *key,
                      yyjson_val *value)
{
    return value == NULL ||
           yyjson_mut_obj_add_val(doc, object, key, yyjson_val_mut_copy(doc, value));
}

static bool is_object(struct gw_str text)
{
    enum gw_json_type type;
    struct gw_json_error error;
    return gw_json_scan(text, NULL, NULL, &type, &error) == GW_OK && type == GW_JSON_OBJECT;
}

bool gw_json_add_object_text(yyjson_mut_doc *doc, yyjson_mut_val *object, const char *key,
                             struct gw_str text, bool *is_valid)
{
    bool valid = is_object(text);
    if (is_valid != NULL) {
        *is_valid = valid;
    }
    struct gw_str written = valid ? gw_str_trim(text) : GW_STR("{}");
    return yyjson_mut_obj_add_val(doc, object, key,
                                  yyjson_mut_rawncpy(doc, written.ptr, written.len));
}
