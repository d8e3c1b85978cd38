/* SPDX-License-Identifier: MIT */
/* provider/google_auth - key files, signed assertions, and what the token endpoint answers. */
#include "provider/google_auth.h"

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>

#include "base/alloc.h"
#include "json/value.h"
#include "json/write.h"

#define DEFAULT_TOKEN_URI "https://oauth2.googleapis.com/token"
/* The audience is this constant, whatever token_uri is (vertex.md section 2). */
#define AUDIENCE         DEFAULT_TOKEN_URI
#define GRANT_JWT        "urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer"
#define MAX_SIGNATURE    1024  /* an RSA key of 8192 bits */
#define ASSERTION_BYTES  16384 /* the file's texts, base64, and a signature */
#define MIN_TOKEN_LIFE_S 1u

enum kind {
    KIND_SERVICE_ACCOUNT,
    KIND_USER,
};

struct gw_google_credential {
    enum kind kind;
    struct gw_buf token_uri;
    struct gw_buf project;
    struct gw_buf account; /* client_email, or a user's client_id */
    struct gw_buf key_id;
    struct gw_buf secret;  /* a user's client_secret */
    struct gw_buf refresh; /* a user's refresh_token */
    EVP_PKEY *key;
};

/* ---- the file ---- */

static void wipe(struct gw_buf *buf)
{
    if (buf->ptr != NULL) {
        OPENSSL_cleanse(buf->ptr, buf->capacity);
    }
    gw_buf_fini(buf);
}

void gw_google_credential_destroy(struct gw_google_credential **credential)
{
    struct gw_google_credential *c = *credential;
    if (c != NULL) {
        wipe(&c->token_uri);
        wipe(&c->project);
        wipe(&c->account);
        wipe(&c->key_id);
        wipe(&c->secret);
        wipe(&c->refresh);
        EVP_PKEY_free(c->key);
        gw_free(c);
    }
    *credential = NULL;
}

static bool take(struct gw_buf *buf, yyjson_val *root, const char *key)
{
    struct gw_str text = gw_json_get_text(root, key);
    (void)gw_buf_append(buf, text);
    return text.len > 0;
}

/* The key file never has a passphrase; asking for one on a terminal must not happen. */
static int no_passphrase(char *buf, int size, int is_writing, void *user)
{
    (void)buf;
    (void)size;
    (void)is_writing;
    (void)user;
    return -1;
}

static EVP_PKEY *read_key(struct gw_str pem)
{
    if (pem.len == 0 || pem.len > GW_GOOGLE_FILE_BYTES) {
        return NULL;
    }
    BIO *bio = BIO_new_mem_buf(pem.ptr, (int)pem.len);
    EVP_PKEY *key = NULL;
    if (bio != NULL) {
        key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
        BIO_free(bio);
    }
    if (key != NULL &&
        (EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA || EVP_PKEY_get_size(key) > MAX_SIGNATURE)) {
        EVP_PKEY_free(key);
        key = NULL;
    }
    ERR_clear_error();
    return key;
}

static enum gw_err read_account(struct gw_google_credential *c, yyjson_val *root, const char **why)
{
    c->kind = KIND_SERVICE_ACCOUNT;
    if (!take(&c->account, root, "client_email")) {
        *why = "the key file has no client_email";
        return GW_ERR_INVALID;
    }
    (void)take(&c->key_id, root, "private_key_id");
    c->key = read_key(gw_json_get_text(root, "private_key"));
    if (c->key == NULL) {
        *why = "the key file's private_key is no RSA key in PEM";
        return GW_ERR_INVALID;
    }
    return GW_OK;
}

static enum gw_err read_user(struct gw_google_credential *c, yyjson_val *root, const char **why)
{
    c->kind = KIND_USER;
    if (!take(&c->account, root, "client_id") || !take(&c->secret, root, "client_secret") ||
        !take(&c->refresh, root, "refresh_token")) {
        *why = "the credential has no client_id, client_secret or refresh_token";
        return GW_ERR_INVALID;
    }
    return GW_OK;
}

static enum gw_err read_file(struct gw_google_credential *c, yyjson_val *root, const char **why)
{
    struct gw_str type = gw_json_get_text(root, "type");
    if (!yyjson_is_obj(root)) {
        *why = "the credential is no JSON object";
        return GW_ERR_INVALID;
    }
    if (!take(&c->token_uri, root, "token_uri")) {
        (void)gw_buf_append(&c->token_uri, GW_STR(DEFAULT_TOKEN_URI));
    }
    if (!take(&c->project, root, "project_id")) {
        (void)take(&c->project, root, "quota_project_id");
    }
    if (gw_str_eq(type, GW_STR("service_account"))) {
        return read_account(c, root, why);
    }
    if (gw_str_eq(type, GW_STR("authorized_user"))) {
        return read_user(c, root, why);
    }
    *why = "the credential's type is neither service_account nor authorized_user";
    return type.len > 0 ? GW_ERR_UNSUPPORTED : GW_ERR_INVALID;
}

static bool has_memory(const struct gw_google_credential *c)
{
    return c->token_uri.err == GW_OK && c->project.err == GW_OK && c->account.err == GW_OK &&
           c->key_id.err == GW_OK && c->secret.err == GW_OK && c->refresh.err == GW_OK;
}

static struct gw_google_credential *make_empty(void)
{
    struct gw_google_credential *c = gw_try_alloc(sizeof(*c));
    if (c != NULL) {
        *c = (struct gw_google_credential){0};
        gw_buf_init(&c->token_uri, GW_GOOGLE_FILE_BYTES);
        gw_buf_init(&c->project, GW_GOOGLE_FILE_BYTES);
        gw_buf_init(&c->account, GW_GOOGLE_FILE_BYTES);
        gw_buf_init(&c->key_id, GW_GOOGLE_FILE_BYTES);
        gw_buf_init(&c->secret, GW_GOOGLE_FILE_BYTES);
        gw_buf_init(&c->refresh, GW_GOOGLE_FILE_BYTES);
    }
    return c;
}

enum gw_err gw_google_credential_create(struct gw_str json, struct gw_google_credential **out,
                                        const char **why)
{
    struct gw_google_credential *c = make_empty();
    yyjson_doc *doc = NULL;
    enum gw_err err = GW_ERR_NOMEM;
    *out = NULL;
    *why = "there is no memory";
    if (c == NULL) {
        return err;
    }
    if (json.len > 0 && json.len <= GW_GOOGLE_FILE_BYTES) {
        doc = yyjson_read(json.ptr, json.len, 0);
    }
    err = GW_ERR_INVALID;
    *why = "the credential is not JSON, or larger than 64 KiB";
    if (doc != NULL) {
        err = read_file(c, yyjson_doc_get_root(doc), why);
        yyjson_doc_free(doc);
    }
    if (err == GW_OK && !has_memory(c)) {
        err = GW_ERR_NOMEM;
    }
    if (err != GW_OK) {
        gw_google_credential_destroy(&c);
    }
    *out = c;
    return err;
}

struct gw_str gw_google_token_uri(const struct gw_google_credential *credential)
{
    return gw_buf_str(&credential->token_uri);
}

struct gw_str gw_google_project(const struct gw_google_credential *credential)
{
    return gw_buf_str(&credential->project);
}

struct gw_str gw_google_account(const struct gw_google_credential *credential)
{
    return credential->kind == KIND_SERVICE_ACCOUNT ? gw_buf_str(&credential->account)
                                                    : gw_str(NULL, 0);
}

/* ---- the assertion ---- */

/* RFC 4648 section 5, without padding. */
static void append_base64url(const unsigned char *bytes, size_t len, struct gw_buf *out)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    for (size_t at = 0; at < len; at += 3) {
        size_t left = len - at;
        unsigned group = (unsigned)bytes[at] << 16;
        group |= left > 1 ? (unsigned)bytes[at + 1] << 8 : 0;
        group |= left > 2 ? (unsigned)bytes[at + 2] : 0;
        const char text[] = {digits[group >> 18], digits[(group >> 12) & 63],
                             digits[(group >> 6) & 63], digits[group & 63]};
        (void)gw_buf_append(out, gw_str(text, left > 2 ? 4 : left + 1));
    }
}

static void append_encoded(const struct gw_buf *json, struct gw_buf *out)
{
    append_base64url((const unsigned char *)json->ptr, json->len, out);
}

static void write_header(const struct gw_google_credential *c, struct gw_buf *json)
{
    (void)gw_buf_append(json, GW_STR("{\"alg\":\"RS256\",\"typ\":\"JWT\""));
    gw_json_write_optional(GW_STR("kid"), gw_buf_str(&c->key_id), json);
    (void)gw_buf_append_byte(json, '}');
}

static void write_claims(const struct gw_google_credential *c, uint64_t now_s, struct gw_buf *json)
{
    gw_buf_reset(json);
    (void)gw_buf_append_byte(json, '{');
    gw_json_write_member(GW_STR("iss"), gw_buf_str(&c->account), json);
    gw_json_write_raw(GW_STR("scope"), GW_STR("\"" GW_GOOGLE_SCOPE "\""), json);
    gw_json_write_raw(GW_STR("aud"), GW_STR("\"" AUDIENCE "\""), json);
    gw_json_write_count(GW_STR("iat"), now_s, json);
    gw_json_write_count(GW_STR("exp"), now_s + GW_GOOGLE_TOKEN_LIFE_S, json);
    (void)gw_buf_append_byte(json, '}');
}

/* RSASSA-PKCS1-v1_5 with SHA-256, which is OpenSSL's default for RSA keys. */
static enum gw_err append_signature(EVP_PKEY *key, struct gw_str input, struct gw_buf *out)
{
    unsigned char signature[MAX_SIGNATURE];
    size_t len = sizeof(signature);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (context == NULL) {
        return GW_ERR_NOMEM;
    }
    bool is_signed =
        EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key) == 1 &&
        EVP_DigestSign(context, signature, &len, (const unsigned char *)input.ptr, input.len) == 1;
    EVP_MD_CTX_free(context);
    ERR_clear_error();
    if (is_signed) {
        append_base64url(signature, len, out);
    }
    return is_signed ? out->err : GW_ERR_TLS;
}

enum gw_err gw_google_write_assertion(const struct gw_google_credential *credential, uint64_t now_s,
                                      struct gw_buf *out)
{
    struct gw_buf json;
    struct gw_buf jwt;
    if (credential->kind != KIND_SERVICE_ACCOUNT) {
        return GW_ERR_UNSUPPORTED;
    }
    gw_buf_init(&json, ASSERTION_BYTES);
    gw_buf_init(&jwt, 2 * ASSERTION_BYTES);
    write_header(credential, &json);
    append_encoded(&json, &jwt);
    write_claims(credential, now_s, &json);
    (void)gw_buf_append_byte(&jwt, '.');
    append_encoded(&json, &jwt);
    enum gw_err err = json.err != GW_OK ? json.err : jwt.err;
    if (err == GW_OK) {
        struct gw_buf signature;
        gw_buf_init(&signature, 2 * MAX_SIGNATURE);
        err = append_signature(credential->key, gw_buf_str(&jwt), &signature);
        (void)gw_buf_append(out, gw_buf_str(&jwt));
        (void)gw_buf_append_byte(out, '.');
        (void)gw_buf_append(out, gw_buf_str(&signature));
        wipe(&signature);
    }
    wipe(&json);
    wipe(&jwt);
    return err == GW_OK ? out->err : err;
}

/* ---- the form ---- */

static void append_form_value(struct gw_str text, struct gw_buf *out)
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < text.len; i++) {
        unsigned char byte = (unsigned char)text.ptr[i];
        bool is_plain = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                        (byte >= '0' && byte <= '9') || byte == '-' || byte == '.' || byte == '_';
        const char escape[] = {'%', digits[byte >> 4], digits[byte & 15]};
        if (is_plain) {
            (void)gw_buf_append_byte(out, (char)byte);
        } else {
            (void)gw_buf_append(out, gw_str(escape, sizeof(escape)));
        }
    }
}

enum gw_err gw_google_write_token_request(const struct gw_google_credential *credential,
                                          uint64_t now_s, struct gw_buf *out)
{
    if (credential->kind == KIND_SERVICE_ACCOUNT) {
        (void)gw_buf_append(out, GW_STR("grant_type=" GRANT_JWT "&assertion="));
        return gw_google_write_assertion(credential, now_s, out);
    }
    (void)gw_buf_append(out, GW_STR("grant_type=refresh_token&client_id="));
    append_form_value(gw_buf_str(&credential->account), out);
    (void)gw_buf_append(out, GW_STR("&client_secret="));
    append_form_value(gw_buf_str(&credential->secret), out);
    (void)gw_buf_append(out, GW_STR("&refresh_token="));
    append_form_value(gw_buf_str(&credential->refresh), out);
    return out->err;
}

/* ---- the answer ---- */

static bool is_passing(unsigned status, struct gw_str error)
{
    return status == 408 || status == 429 || (status >= 500 && status != 501) ||
           gw_str_eq(error, GW_STR("internal_failure")) ||
           gw_str_eq(error, GW_STR("server_error")) ||
           gw_str_eq(error, GW_STR("temporarily_unavailable"));
}

/* Printable ASCII only: it goes into a log line. */
static void set_text(struct gw_google_refusal *refusal, unsigned status, struct gw_str error,
                     struct gw_str description)
{
    struct gw_str shown_error = gw_str(error.ptr, error.len < 64 ? error.len : 64);
    struct gw_str shown = gw_str(description.ptr, description.len < 160 ? description.len : 160);
    int len =
        snprintf(refusal->text, sizeof(refusal->text), "status %u%s" GW_STR_FMT "%s" GW_STR_FMT,
                 status, shown_error.len > 0 ? ", " : "", (int)shown_error.len,
                 shown_error.len > 0 ? shown_error.ptr : "", shown.len > 0 ? ": " : "",
                 (int)shown.len, shown.len > 0 ? shown.ptr : "");
    for (int i = 0; i < len && (size_t)i < sizeof(refusal->text) - 1; i++) {
        unsigned char byte = (unsigned char)refusal->text[i];
        refusal->text[i] = byte >= ' ' && byte < 0x7f ? refusal->text[i] : '?';
    }
}

static enum gw_err read_refusal(unsigned status, yyjson_val *root,
                                struct gw_google_refusal *refusal)
{
    struct gw_str error = gw_json_get_text(root, "error");
    struct gw_str description = gw_json_get_text(root, "error_description");
    const struct gw_str skew = GW_STR("reasonable timeframe");
    refusal->is_retryable = is_passing(status, error);
    refusal->is_clock_skew =
        description.len > 0 && gw_str_find(description, skew) < description.len;
    set_text(refusal, status, error, description);
    return GW_ERR_REFUSED;
}

static enum gw_err take_token(yyjson_val *root, struct gw_google_token *token,
                              struct gw_google_refusal *refusal)
{
    struct gw_str access = gw_json_get_text(root, "access_token");
    uint64_t life = gw_json_get_u64(root, "expires_in", GW_GOOGLE_TOKEN_LIFE_S);
    if (access.len == 0 || access.len > sizeof(token->access)) {
        refusal->is_retryable = true;
        set_text(refusal, 200, GW_STR("the answer holds no access_token"), gw_str(NULL, 0));
        return GW_ERR_PROTOCOL;
    }
    /* A token goes into a field of the head. */
    for (size_t i = 0; i < access.len; i++) {
        if (access.ptr[i] <= ' ' || access.ptr[i] > '~') {
            set_text(refusal, 200, GW_STR("the access_token has forbidden bytes"), gw_str(NULL, 0));
            return GW_ERR_PROTOCOL;
        }
    }
    memcpy(token->access, access.ptr, access.len);
    token->access_len = access.len;
    token->expires_in_s = life > MIN_TOKEN_LIFE_S ? life : MIN_TOKEN_LIFE_S;
    return GW_OK;
}

enum gw_err gw_google_read_token(unsigned status, struct gw_str body, struct gw_google_token *token,
                                 struct gw_google_refusal *refusal)
{
    yyjson_doc *doc = NULL;
    *refusal = (struct gw_google_refusal){0};
    if (body.len > 0 && body.len <= GW_GOOGLE_ANSWER_BYTES) {
        doc = yyjson_read(body.ptr, body.len, 0);
    }
    yyjson_val *root = yyjson_doc_get_root(doc);
    enum gw_err err =
        status == 200 ? take_token(root, token, refusal) : read_refusal(status, root, refusal);
    yyjson_doc_free(doc);
    return err;
}
