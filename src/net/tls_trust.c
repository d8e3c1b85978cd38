/* SPDX-License-Identifier: MIT */
/*
 * net/tls_trust - the system's certificates of authorities, one store for all contexts.
 *
 * A hashed directory is read certificate by certificate, as they are needed; a bundle
 * (SSL_CERT_FILE, or a system without hashed directory) is read whole, which costs some 800 KB and
 * 10 ms. So it is read when the first connection needs it, and once.
 */
#include <ctype.h>
#include <dirent.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "net/tls_int.h"

/* Where the certificates come from; a path is NULL when there is none of that kind. */
struct source {
    const char *file;
    const char *dir;
    struct stat file_stat;
    struct stat dir_stat;
};

static pthread_mutex_t store_lock = PTHREAD_MUTEX_INITIALIZER;
static X509_STORE *store;
static struct source store_source;

/* Is |name| of the form that OpenSSL looks certificates up by: 8 hexadecimal digits and ".0"? */
static bool is_hash_name(const char *name)
{
    for (size_t i = 0; i < 8; i++) {
        if (isxdigit((unsigned char)name[i]) == 0) {
            return false;
        }
    }
    return strcmp(name + 8, ".0") == 0;
}

static bool is_hashed_dir(const char *path)
{
    DIR *dir = opendir(path);
    if (dir == NULL) {
        return false;
    }
    bool found = false;
    for (const struct dirent *entry = readdir(dir); entry != NULL && !found; entry = readdir(dir)) {
        found = is_hash_name(entry->d_name);
    }
    (void)closedir(dir);
    return found;
}

/* The bundle of a system that has no hashed directory, or NULL. */
static const char *find_bundle(void)
{
    const char *bundles[] = {
        X509_get_default_cert_file(),
        "/etc/ssl/certs/ca-certificates.crt", /* Debian, Arch, Alpine */
        "/etc/pki/tls/certs/ca-bundle.crt",   /* Fedora, Red Hat */
        "/etc/ssl/ca-bundle.pem",             /* SUSE */
        "/etc/ssl/cert.pem",                  /* Alpine, BSD */
    };
    for (size_t i = 0; i < GW_ARRAY_LEN(bundles); i++) {
        struct stat st;
        if (stat(bundles[i], &st) == 0 && S_ISREG(st.st_mode)) {
            return bundles[i];
        }
    }
    return NULL;
}

/* What the operator set for every OpenSSL program counts, else the system's own place. */
static struct source find_source(void)
{
    struct source source = {
        .file = secure_getenv(X509_get_default_cert_file_env()),
        .dir = secure_getenv(X509_get_default_cert_dir_env()),
    };
    if (source.file == NULL && source.dir == NULL) {
        const char *dir = X509_get_default_cert_dir();
        if (is_hashed_dir(dir)) {
            source.dir = dir;
        } else {
            source.file = find_bundle();
        }
    }
    if (source.file != NULL) {
        (void)stat(source.file, &source.file_stat);
    }
    if (source.dir != NULL) {
        (void)stat(source.dir, &source.dir_stat);
    }
    return source;
}

static bool is_same_stat(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static X509_STORE *read_store(const struct source *source)
{
    bool loaded = false;
    X509_STORE *fresh = X509_STORE_new();
    if (fresh == NULL) {
        return NULL;
    }
    if (source->file != NULL) {
        loaded = X509_STORE_load_file(fresh, source->file) == 1;
    }
    if (source->dir != NULL) {
        loaded = X509_STORE_load_path(fresh, source->dir) == 1 || loaded;
    }
    if (!loaded) {
        gw_log_warn("tls", "no certificates of authorities found on this system: no provider's "
                           "certificate will be trusted (install ca-certificates, or set ca_file)");
    }
    ERR_clear_error();
    return fresh;
}

X509_STORE *gw_tls_system_store(void)
{
    struct source source = find_source();
    (void)pthread_mutex_lock(&store_lock);
    /* After an update of the system's certificates, a reload of the configuration reads them. */
    if (store == NULL || !is_same_stat(&source.file_stat, &store_source.file_stat) ||
        !is_same_stat(&source.dir_stat, &store_source.dir_stat)) {
        X509_STORE_free(store);
        store = read_store(&source);
        store_source = source;
    }
    X509_STORE *shared = store;
    if (shared != NULL) {
        X509_STORE_up_ref(shared);
    }
    (void)pthread_mutex_unlock(&store_lock);
    return shared;
}
