/* SPDX-License-Identifier: MIT */
/*
 * fuzz/fuzz_multipart - a value that is found lies inside the body between a blank line and a
 * delimiter, and when it is replaced, as the gateway does, the new value is what is found.
 *
 * The first line of the input is the Content-Type; the rest is the body.
 */
#include <string.h>

#include "base/buf.h"
#include "fuzz_target.h"
#include "http/multipart.h"

static const struct gw_str name = GW_STR_INIT("model");
static const struct gw_str other = GW_STR_INIT("vendor/model");

static void check_replaced(struct gw_str type, struct gw_str body, struct gw_str value)
{
    struct gw_buf patched;
    size_t before = (size_t)(value.ptr - body.ptr);
    struct gw_str found;
    gw_buf_init(&patched, body.len + other.len);
    FUZZ_CHECK(gw_buf_append(&patched, gw_str(body.ptr, before)) == GW_OK);
    FUZZ_CHECK(gw_buf_append(&patched, other) == GW_OK);
    FUZZ_CHECK(gw_buf_append(&patched, gw_str_skip(body, before + value.len)) == GW_OK);
    FUZZ_CHECK(gw_multipart_find(type, gw_buf_str(&patched), name, &found) == GW_OK);
    FUZZ_CHECK(gw_str_eq(found, other));
    gw_buf_fini(&patched);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct gw_str input = gw_str((const char *)bytes, size);
    size_t line = gw_str_find_byte(input, '\n');
    struct gw_str type = gw_str(input.ptr, line);
    struct gw_str body = gw_str_skip(input, line + 1);
    struct gw_str value = {0};
    enum gw_err err = gw_multipart_find(type, body, name, &value);
    FUZZ_CHECK(err == GW_OK || err == GW_ERR_NOT_FOUND || err == GW_ERR_INVALID);
    if (err != GW_OK) {
        FUZZ_CHECK(value.ptr == NULL);
        return 0;
    }
    FUZZ_CHECK(value.ptr >= body.ptr + 4 && value.ptr + value.len + 4 <= body.ptr + body.len);
    FUZZ_CHECK(memcmp(value.ptr - 4, "\r\n\r\n", 4) == 0);
    FUZZ_CHECK(memcmp(value.ptr + value.len, "\r\n--", 4) == 0);
    check_replaced(type, body, value);
    return 0;
}
