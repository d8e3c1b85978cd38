/* SPDX-License-Identifier: MIT */
/* http/multipart - which value of a form is found, and which forms are no answer to trust. */
#include "http/multipart.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"

#define FORM        "multipart/form-data; boundary=b"
#define FIELD(name) "Content-Disposition: form-data; name=\"" name "\"\r\n\r\n"
#define PART(n, v)  "--b\r\n" FIELD(n) v "\r\n"
#define FILE_PART                                                                                  \
    "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nxx\r\n"
#define MODEL PART("model", "whisper-1")
#define END   "--b--\r\n"

static enum gw_err find(const char *type, const char *body, struct gw_str *value)
{
    return gw_multipart_find(gw_str_from_c(type), gw_str_from_c(body), GW_STR("model"), value);
}

static void test_found(void **state)
{
    (void)state;
    static const struct {
        const char *type;
        const char *body;
    } rows[] = {
        {FORM, MODEL END},
        {FORM, FILE_PART MODEL END},
        {FORM, MODEL FILE_PART END},
        {FORM, PART("models", "x") PART("mode", "y") MODEL END},
        {FORM, "preamble\r\n" MODEL END "epilogue"},
        {FORM, "--b\r\ncontent-disposition: FORM-DATA; name=model\r\n\r\nwhisper-1\r\n" END},
        {FORM, "--b\r\nContent-Type: text/plain\r\n" FIELD("model") "whisper-1\r\n" END},
        {FORM, "--b \t\r\n" FIELD("model") "whisper-1\r\n" END},
        {"Multipart/Form-Data;charset=utf-8; Boundary=\"b\"", MODEL END},
        {"multipart/form-data; boundary=b ; x=y", MODEL END},
    };
    for (size_t i = 0; i < GW_ARRAY_LEN(rows); i++) {
        struct gw_str value = {0};
        assert_int_equal(find(rows[i].type, rows[i].body, &value), GW_OK);
        assert_true(gw_str_eq(value, GW_STR("whisper-1")));
        assert_true(value.ptr > rows[i].body &&
                    value.ptr + value.len <= rows[i].body + strlen(rows[i].body));
    }
}

static void test_value_is_kept_as_it_is(void **state)
{
    (void)state;
    struct gw_str value = {0};
    assert_int_equal(find(FORM, PART("model", "") END, &value), GW_OK);
    assert_int_equal(value.len, 0);
    assert_int_equal(find(FORM, PART("model", " a\r\n--\r\nb ") END, &value), GW_OK);
    assert_true(gw_str_eq(value, GW_STR(" a\r\n--\r\nb ")));
}

static void test_not_there(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "--b--\r\n",
        FILE_PART END,
        PART("MODEL", "x") END,
        "--b\r\nContent-Disposition: form-data; name=\"model\"; filename=\"x\"\r\n\r\ny\r\n" END,
        "--b\r\nContent-Disposition: form-data; filename=\"; name=model; \"\r\n\r\ny\r\n" END,
        "--b\r\nContent-Type: text/plain; name=\"model\"\r\n\r\ny\r\n" END,
        FILE_PART END MODEL END, /* behind the end there is nothing */
    };
    for (size_t i = 0; i < GW_ARRAY_LEN(bodies); i++) {
        struct gw_str value = {0};
        assert_int_equal(find(FORM, bodies[i], &value), GW_ERR_NOT_FOUND);
        assert_null(value.ptr);
    }
}

static void test_not_well_formed(void **state)
{
    (void)state;
    static const struct {
        const char *type;
        const char *body;
    } rows[] = {
        {"application/json", MODEL END},
        {"multipart/form-data", MODEL END},
        {"multipart/form-data; boundary=", MODEL END},
        {"multipart/form-data; boundary=\"\"", MODEL END},
        {"multipart/form-data; boundary="
         "0123456789012345678901234567890123456789012345678901234567890123456789x",
         MODEL END},
        {FORM, ""},
        {FORM, "no delimiter"},
        {FORM, "--b"},
        {FORM, "--b\r\n"},
        {FORM, MODEL},                                       /* no end */
        {FORM, "--b\r\n" FIELD("model") "whisper-1"},        /* no delimiter behind it */
        {FORM, "--b\r\nContent-Disposition: form-data\r\n"}, /* no end of the fields */
        {FORM, "--b\r\n--b--\r\n"},
        /* The delimiter's line break is the second half of the blank line: no content at all. */
        {FORM, "--b\r\nContent-Disposition: form-data; name=model\r\n\r\n--b--\r\n"},
        {FORM, MODEL MODEL END},
        {FORM, MODEL FILE_PART PART("model", "other") END},
        {FORM, "--b\r\nContent-Disposition: form-data;\r\n name=\"model\"\r\n\r\nx\r\n" END},
    };
    for (size_t i = 0; i < GW_ARRAY_LEN(rows); i++) {
        struct gw_str value = {0};
        assert_int_equal(find(rows[i].type, rows[i].body, &value), GW_ERR_INVALID);
        assert_null(value.ptr);
    }
}

static enum gw_err find_behind(size_t others, struct gw_str *value)
{
    static char text[GW_MULTIPART_MAX_PARTS * 80];
    struct gw_buf body;
    gw_buf_init(&body, sizeof(text));
    for (size_t i = 0; i < others; i++) {
        assert_int_equal(gw_buf_append(&body, GW_STR(PART("a", "b"))), GW_OK);
    }
    assert_int_equal(gw_buf_append(&body, GW_STR(MODEL END)), GW_OK);
    memcpy(text, body.ptr, body.len);
    struct gw_str all = gw_str(text, body.len);
    gw_buf_fini(&body);
    return gw_multipart_find(GW_STR(FORM), all, GW_STR("model"), value);
}

static void test_parts_are_bounded(void **state)
{
    (void)state;
    struct gw_str value = {0};
    assert_int_equal(find_behind(GW_MULTIPART_MAX_PARTS - 1, &value), GW_OK);
    assert_int_equal(find_behind(GW_MULTIPART_MAX_PARTS, &value), GW_ERR_INVALID);
}

/* Cut anywhere, a form is no form; its last byte, the line end behind the end, may be missing. */
static void test_cut_anywhere(void **state)
{
    (void)state;
    struct gw_str whole = GW_STR(FILE_PART MODEL "--b--");
    for (size_t len = 0; len < whole.len; len++) {
        struct gw_str value = {0};
        char *copy = test_malloc(len + 1); /* so that sanitizers see a read beyond */
        memcpy(copy, whole.ptr, len);
        assert_int_equal(
            gw_multipart_find(GW_STR(FORM), gw_str(copy, len), GW_STR("model"), &value),
            GW_ERR_INVALID);
        test_free(copy);
    }
    struct gw_str value = {0};
    assert_int_equal(gw_multipart_find(GW_STR(FORM), whole, GW_STR("model"), &value), GW_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_found),
        cmocka_unit_test(test_value_is_kept_as_it_is),
        cmocka_unit_test(test_not_there),
        cmocka_unit_test(test_not_well_formed),
        cmocka_unit_test(test_parts_are_bounded),
        cmocka_unit_test(test_cut_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
