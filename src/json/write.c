/* SPDX-License-Identifier: MIT */
/* json/write - commas, keys, and members of the simple kinds. */
#include "json/write.h"

#include "json/value.h"

void gw_json_write_next(struct gw_buf *out)
{
    char last = out->err == GW_OK && out->len > 0 ? out->ptr[out->len - 1] : '[';
    if (last != '[' && last != '{') {
        (void)gw_buf_append_byte(out, ',');
    }
}

void gw_json_write_key(struct gw_str key, struct gw_buf *out)
{
    gw_json_write_next(out);
    (void)gw_buf_append_byte(out, '"');
    (void)gw_buf_append(out, key);
    (void)gw_buf_append(out, GW_STR("\":"));
}

void gw_json_write_member(struct gw_str key, struct gw_str text, struct gw_buf *out)
{
    gw_json_write_key(key, out);
    gw_json_write_text(text, out);
}

void gw_json_write_optional(struct gw_str key, struct gw_str text, struct gw_buf *out)
{
    if (text.len > 0) {
        gw_json_write_member(key, text, out);
    }
}

void gw_json_write_raw(struct gw_str key, struct gw_str json, struct gw_buf *out)
{
    gw_json_write_key(key, out);
    (void)gw_buf_append(out, json);
}

void gw_json_write_count(struct gw_str key, uint64_t value, struct gw_buf *out)
{
    gw_json_write_key(key, out);
    (void)gw_buf_append_u64(out, value);
}
