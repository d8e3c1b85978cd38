/* SPDX-License-Identifier: MIT */
/*
 * cert_maker - an authority of the test's own and certificates of every kind, as PEM files in a
 * directory that goes with the test.
 */
#ifndef GW_TESTS_CERT_MAKER_H
#define GW_TESTS_CERT_MAKER_H

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CERT_PATH_BYTES 128
#define CERT_FILES_MAX  64

struct cert_maker {
    char dir[64];
    char files[CERT_FILES_MAX][CERT_PATH_BYTES];
    size_t file_count;
    EVP_PKEY *ca_key;
    X509 *ca;
    long serial;
    char ca_file[CERT_PATH_BYTES];
};

struct cert_wish {
    const char *name; /* of the files */
    const char *cn;
    const char *san; /* as openssl.cnf writes it; NULL: none */
    long begins_s;   /* from now; 0: a day ago */
    long ends_s;     /* from now; 0: in a day */
    bool is_self_signed;
    bool is_ca;
    const char *passphrase; /* of the key; NULL: none */
};

struct cert_files {
    char cert[CERT_PATH_BYTES];
    char key[CERT_PATH_BYTES];
};

static inline FILE *maker_open(struct cert_maker *maker, const char *name, const char *suffix,
                               char path[CERT_PATH_BYTES])
{
    assert_true(maker->file_count < CERT_FILES_MAX);
    (void)snprintf(path, CERT_PATH_BYTES, "%s/%s%s", maker->dir, name, suffix);
    (void)snprintf(maker->files[maker->file_count++], CERT_PATH_BYTES, "%s", path);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    return file;
}

static inline void maker_add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509V3_set_ctx_nodb(&ctx);
    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    assert_non_null(extension);
    assert_int_equal(X509_add_ext(cert, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

static inline X509 *maker_sign(struct cert_maker *maker, const struct cert_wish *wish,
                               EVP_PKEY *key)
{
    X509 *cert = X509_new();
    assert_non_null(cert);
    X509_set_version(cert, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), ++maker->serial);
    X509_gmtime_adj(X509_getm_notBefore(cert), wish->begins_s != 0 ? wish->begins_s : -86400);
    X509_gmtime_adj(X509_getm_notAfter(cert), wish->ends_s != 0 ? wish->ends_s : 86400);
    X509_set_pubkey(cert, key);
    X509_NAME *subject = X509_get_subject_name(cert);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const unsigned char *)wish->cn, -1,
                               -1, 0);
    bool own = wish->is_self_signed || maker->ca == NULL;
    X509_set_issuer_name(cert, own ? subject : X509_get_subject_name(maker->ca));
    X509 *issuer = own ? cert : maker->ca;
    if (wish->is_ca) {
        maker_add_extension(cert, issuer, NID_basic_constraints, "critical,CA:TRUE");
        maker_add_extension(cert, issuer, NID_key_usage, "critical,keyCertSign,cRLSign");
    }
    if (wish->san != NULL) {
        maker_add_extension(cert, issuer, NID_subject_alt_name, wish->san);
    }
    assert_true(X509_sign(cert, own ? key : maker->ca_key, EVP_sha256()) > 0);
    return cert;
}

/* Makes key and certificate and writes both. */
static inline struct cert_files maker_make(struct cert_maker *maker, const struct cert_wish *wish)
{
    struct cert_files files;
    EVP_PKEY *key = EVP_EC_gen("P-256");
    assert_non_null(key);
    X509 *cert = maker_sign(maker, wish, key);
    FILE *file = maker_open(maker, wish->name, ".pem", files.cert);
    assert_int_equal(PEM_write_X509(file, cert), 1);
    assert_int_equal(fclose(file), 0);
    file = maker_open(maker, wish->name, ".key", files.key);
    const unsigned char *pass = (const unsigned char *)wish->passphrase;
    assert_int_equal(PEM_write_PrivateKey(file, key, pass == NULL ? NULL : EVP_aes_128_cbc(), pass,
                                          pass == NULL ? 0 : (int)strlen(wish->passphrase), NULL,
                                          NULL),
                     1);
    assert_int_equal(fclose(file), 0);
    if (wish->is_ca) {
        maker->ca = cert;
        maker->ca_key = key;
        (void)snprintf(maker->ca_file, sizeof(maker->ca_file), "%s", files.cert);
    } else {
        X509_free(cert);
        EVP_PKEY_free(key);
    }
    return files;
}

static inline void maker_init(struct cert_maker *maker)
{
    *maker = (struct cert_maker){.dir = "/tmp/gw-certs-XXXXXX"};
    assert_non_null(mkdtemp(maker->dir));
    (void)maker_make(maker, &(struct cert_wish){.name = "ca", .cn = "Test CA", .is_ca = true});
}

static inline void maker_fini(struct cert_maker *maker)
{
    for (size_t i = 0; i < maker->file_count; i++) {
        (void)unlink(maker->files[i]);
    }
    (void)rmdir(maker->dir);
    X509_free(maker->ca);
    EVP_PKEY_free(maker->ca_key);
}

#endif
