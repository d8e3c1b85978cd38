/* SPDX-License-Identifier: MIT */
/* net/tls - contexts from files: what is refused, and with which words. */
#include "net/tls.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "cert_maker.h"
#include "net/tls_int.h"

static struct cert_maker maker;
static struct gw_arena arena;
static struct cert_files good;

static void assert_contains(struct gw_str text, const char *part)
{
    if (gw_str_find(text, gw_str_from_c(part)) == text.len) {
        fail_msg("\"%s\" is not in \"" GW_STR_FMT "\"", part, GW_STR_ARG(text));
    }
}

static void refuse_server(const char *cert, const char *key, enum gw_err expected, const char *part,
                          const char *file)
{
    struct gw_tls_server *tls = NULL;
    struct gw_str message = GW_STR("");
    const struct gw_tls_server_opts opts = {.cert_file = cert, .key_file = key};
    assert_int_equal(gw_tls_server_create(&opts, &arena, &tls, &message), expected);
    assert_null(tls);
    assert_contains(message, part);
    assert_contains(message, file);
}

static struct cert_files garbage(const char *name, const char *text)
{
    struct cert_files files;
    FILE *file = maker_open(&maker, name, ".pem", files.cert);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    (void)snprintf(files.key, sizeof(files.key), "%s", files.cert);
    return files;
}

static void loads_a_pair(void **state)
{
    (void)state;
    struct gw_tls_server *tls = NULL;
    struct gw_str message;
    const struct gw_tls_server_opts opts = {.cert_file = good.cert, .key_file = good.key};
    assert_int_equal(gw_tls_server_create(&opts, &arena, &tls, &message), GW_OK);
    struct gw_tls_server *second = gw_tls_server_acquire(tls);
    assert_ptr_equal(second, tls);
    gw_tls_server_release(&tls);
    assert_null(tls);
    assert_non_null(gw_tls_server_ctx(second)); /* lives with its last owner */
    gw_tls_server_release(&second);
    gw_tls_server_release(&second);
}

static void says_what_is_wrong_with_a_pair(void **state)
{
    (void)state;
    const struct cert_files other =
        maker_make(&maker, &(struct cert_wish){.name = "other", .cn = "other"});
    const struct cert_files locked =
        maker_make(&maker, &(struct cert_wish){.name = "locked", .cn = "x", .passphrase = "abc"});
    const struct cert_files empty = garbage("empty", "");
    const struct cert_files text = garbage("text", "this is no certificate\n");
    const struct cert_files half =
        garbage("half", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n");

    refuse_server("/nowhere/cert.pem", good.key, GW_ERR_NOT_FOUND, "no such file",
                  "/nowhere/cert.pem");
    refuse_server(good.cert, "/nowhere/key.pem", GW_ERR_NOT_FOUND, "no such file",
                  "/nowhere/key.pem");
    refuse_server(empty.cert, good.key, GW_ERR_INVALID, "not a PEM certificate", empty.cert);
    refuse_server(text.cert, good.key, GW_ERR_INVALID, "not a PEM certificate", text.cert);
    refuse_server(half.cert, good.key, GW_ERR_INVALID, "not a PEM certificate", half.cert);
    refuse_server(good.cert, text.key, GW_ERR_INVALID, "not an unencrypted PEM key", text.key);
    refuse_server(good.cert, good.cert, GW_ERR_INVALID, "not an unencrypted PEM key", good.cert);
    refuse_server(locked.cert, locked.key, GW_ERR_INVALID, "not an unencrypted PEM key",
                  locked.key);
    refuse_server(good.cert, other.key, GW_ERR_INVALID, "belong", other.key);
}

static void loads_authorities(void **state)
{
    (void)state;
    struct gw_tls_client *first = NULL;
    struct gw_tls_client *second = NULL;
    struct gw_str message;
    struct gw_tls_client_opts opts = {.ca_file = maker.ca_file};
    assert_int_equal(gw_tls_client_create(&opts, &arena, &first, &message), GW_OK);
    assert_false(gw_tls_client_is_insecure(first));
    opts = (struct gw_tls_client_opts){.insecure = true};
    assert_int_equal(gw_tls_client_create(&opts, &arena, &second, &message), GW_OK);
    assert_true(gw_tls_client_is_insecure(second));
    assert_int_not_equal(gw_tls_client_trust_id(first), gw_tls_client_trust_id(second));
    struct gw_tls_client *third = gw_tls_client_acquire(first);
    gw_tls_client_release(&first);
    gw_tls_client_release(&second);
    assert_non_null(gw_tls_client_ctx(third));
    gw_tls_client_release(&third);
    gw_tls_client_release(&third);
}

static void says_what_is_wrong_with_authorities(void **state)
{
    (void)state;
    const struct cert_files text = garbage("ca-text", "this is no certificate\n");
    struct gw_tls_client *tls = NULL;
    struct gw_str message = GW_STR("");
    struct gw_tls_client_opts opts = {.ca_file = "/nowhere/ca.pem"};
    assert_int_equal(gw_tls_client_create(&opts, &arena, &tls, &message), GW_ERR_NOT_FOUND);
    assert_contains(message, "/nowhere/ca.pem");
    opts.ca_file = text.cert;
    assert_int_equal(gw_tls_client_create(&opts, &arena, &tls, &message), GW_ERR_INVALID);
    assert_contains(message, text.cert);
    assert_contains(message, "no PEM certificate");
    assert_null(tls);
}

static size_t resident_bytes(void)
{
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%*u %lu", &pages), 1);
    assert_int_equal(fclose(file), 0);
    return (size_t)pages * (size_t)sysconf(_SC_PAGESIZE);
}

static void drop_all(struct gw_tls_client **tls, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        gw_tls_client_release(&tls[i]);
    }
}

/* The system's bundle is some 140 certificates; read whole it costs 0.8 MB and 10 ms. */
static void reads_the_system_store_lazily(void **state)
{
    (void)state;
    struct gw_str message;
    struct gw_tls_client *tls[16] = {NULL};
    const struct gw_tls_client_opts opts = {0};
    assert_int_equal(unsetenv("SSL_CERT_FILE"), 0);
    assert_int_equal(unsetenv("SSL_CERT_DIR"), 0);
    /* The first one also makes OpenSSL set itself up. */
    assert_int_equal(gw_tls_client_create(&opts, &arena, &tls[0], &message), GW_OK);
    size_t before = resident_bytes();
    for (size_t i = 1; i < GW_ARRAY_LEN(tls); i++) {
        assert_int_equal(gw_tls_client_create(&opts, &arena, &tls[i], &message), GW_OK);
    }
    size_t each = (resident_bytes() - before) / (GW_ARRAY_LEN(tls) - 1);
    print_message("a client context takes %zu KB\n", each / 1024);
    X509_STORE *store = SSL_CTX_get_cert_store(gw_tls_client_ctx(tls[0]));
    assert_int_equal(sk_X509_OBJECT_num(X509_STORE_get0_objects(store)), 0);
    drop_all(tls, GW_ARRAY_LEN(tls));
}

static void reads_a_bundle_once(void **state)
{
    (void)state;
    struct gw_str message;
    struct gw_tls_client *tls[2] = {NULL};
    const struct gw_tls_client_opts opts = {0};
    assert_int_equal(setenv("SSL_CERT_FILE", maker.ca_file, 1), 0);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(gw_tls_client_create(&opts, &arena, &tls[i], &message), GW_OK);
    }
    X509_STORE *first = SSL_CTX_get_cert_store(gw_tls_client_ctx(tls[0]));
    assert_ptr_equal(SSL_CTX_get_cert_store(gw_tls_client_ctx(tls[1])), first);
    assert_ptr_equal(SSL_CTX_get_cert_store(gw_tls_client_ctx(tls[0])), first);
    gw_tls_client_release(&tls[1]);
    /* The file is another now: who comes next gets the new one. */
    const struct cert_files other = maker_make(
        &maker, &(struct cert_wish){.name = "other-ca", .cn = "Other", .is_self_signed = true});
    assert_int_equal(rename(other.cert, maker.ca_file), 0);
    assert_int_equal(gw_tls_client_create(&opts, &arena, &tls[1], &message), GW_OK);
    assert_ptr_not_equal(SSL_CTX_get_cert_store(gw_tls_client_ctx(tls[1])), first);
    assert_ptr_equal(SSL_CTX_get_cert_store(gw_tls_client_ctx(tls[0])), first);
    drop_all(tls, 2);
    assert_int_equal(unsetenv("SSL_CERT_FILE"), 0);
}

static void honours_the_usual_environment(void **state)
{
    (void)state;
    struct gw_str message;
    struct gw_tls_client *tls = NULL;
    const struct gw_tls_client_opts opts = {0};
    assert_int_equal(setenv("SSL_CERT_FILE", maker.ca_file, 1), 0);
    assert_int_equal(gw_tls_client_create(&opts, &arena, &tls, &message), GW_OK);
    X509_STORE *store = SSL_CTX_get_cert_store(gw_tls_client_ctx(tls));
    assert_int_equal(sk_X509_OBJECT_num(X509_STORE_get0_objects(store)), 1);
    gw_tls_client_release(&tls);
    /* A wrong one is warned of, and does not keep the gateway from starting. */
    assert_int_equal(setenv("SSL_CERT_FILE", "/nowhere", 1), 0);
    assert_int_equal(gw_tls_client_create(&opts, &arena, &tls, &message), GW_OK);
    gw_tls_client_release(&tls);
    assert_int_equal(unsetenv("SSL_CERT_FILE"), 0);
}

static int set_up(void **state)
{
    (void)state;
    maker_init(&maker);
    gw_arena_init(&arena, NULL, 0, 4096, 65536);
    good = maker_make(&maker, &(struct cert_wish){.name = "good", .cn = "good"});
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    gw_arena_fini(&arena);
    maker_fini(&maker);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loads_a_pair),
        cmocka_unit_test(says_what_is_wrong_with_a_pair),
        cmocka_unit_test(loads_authorities),
        cmocka_unit_test(says_what_is_wrong_with_authorities),
        cmocka_unit_test(reads_the_system_store_lazily),
        cmocka_unit_test(honours_the_usual_environment),
        cmocka_unit_test(reads_a_bundle_once),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
