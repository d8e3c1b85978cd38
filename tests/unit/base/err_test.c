/* SPDX-License-Identifier: MIT */
/* Names, texts and the translation of errno. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <errno.h>

#include <cmocka.h>

#include "base/err.h"

static void test_every_code_has_name_and_text(void **state)
{
    (void)state;
    assert_string_equal(gw_err_name(GW_OK), "OK");
    assert_string_equal(gw_err_text(GW_OK), "ok");
#define XX(name, value, text)                                                                      \
    assert_int_equal(GW_ERR_##name, (value));                                                      \
    assert_true(GW_ERR_##name < 0);                                                                \
    assert_string_equal(gw_err_name(GW_ERR_##name), #name);                                        \
    assert_string_equal(gw_err_text(GW_ERR_##name), (text));
    GW_ERR_MAP(XX)
#undef XX
}

static void test_values_are_unique(void **state)
{
    (void)state;
    static const int values[] = {
#define XX(name, value, text) (value),
        GW_ERR_MAP(XX)
#undef XX
    };
    for (size_t i = 0; i < GW_ARRAY_LEN(values); i++) {
        for (size_t k = i + 1; k < GW_ARRAY_LEN(values); k++) {
            assert_int_not_equal(values[i], values[k]);
        }
    }
}

static void test_unknown_codes_have_texts_too(void **state)
{
    (void)state;
    int unknown = -10000;
    assert_string_equal(gw_err_text((enum gw_err)unknown), "unknown error");
    assert_string_equal(gw_err_name((enum gw_err)unknown), "UNKNOWN");
}

static void test_from_errno(void **state)
{
    (void)state;
    assert_int_equal(gw_err_from_errno(0), GW_OK);
    assert_int_equal(gw_err_from_errno(EAGAIN), GW_ERR_AGAIN);
    assert_int_equal(gw_err_from_errno(EINTR), GW_ERR_AGAIN);
    assert_int_equal(gw_err_from_errno(ECONNREFUSED), GW_ERR_REFUSED);
    assert_int_equal(gw_err_from_errno(EPIPE), GW_ERR_RESET);
    assert_int_equal(gw_err_from_errno(ETIMEDOUT), GW_ERR_TIMEOUT);
    assert_int_equal(gw_err_from_errno(ENETUNREACH), GW_ERR_UNREACHABLE);
    assert_int_equal(gw_err_from_errno(ENOMEM), GW_ERR_NOMEM);
    assert_int_equal(gw_err_from_errno(EADDRINUSE), GW_ERR_EXISTS);
    assert_int_equal(gw_err_from_errno(EBADF), GW_ERR_IO);
    assert_int_equal(gw_err_from_errno(-1), GW_ERR_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_code_has_name_and_text),
        cmocka_unit_test(test_values_are_unique),
        cmocka_unit_test(test_unknown_codes_have_texts_too),
        cmocka_unit_test(test_from_errno),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
