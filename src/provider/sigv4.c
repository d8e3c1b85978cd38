/* SPDX-License-Identifier: MIT */
/*
 * provider/sigv4 - in three steps: the canonical request (all that is signed, in one fixed form),
 * the string to sign (its hash with time and scope), and the signature under a key that is derived
 * from the secret for this day, region and service.
 */
#include "provider/sigv4.h"

#include <stdlib.h>
#include <time.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include "base/buf.h"

#define HASH_BYTES SHA256_DIGEST_LENGTH
#define HEX_BYTES  ((size_t)2 * HASH_BYTES)

/* "AWS4" and the secret key: 40 bytes as AWS issues them; others are refused when longer. */
#define MAX_SECRET_BYTES 512

struct hash {
    unsigned char bytes[HASH_BYTES];
};

struct signing {
    const struct gw_sigv4_request *request;
    char date[17]; /* "20261121T101112Z" and the NUL; its first eight are the day */
    struct gw_header fields[GW_SIGV4_MAX_FIELDS];
    size_t field_count;
    struct gw_buf text;  /* the canonical request, then the string to sign */
    struct gw_buf names; /* "content-type;host;x-amz-date" */
};

/* ---- hashes ---- */

static void append_hex(struct gw_buf *out, const struct hash *hash)
{
    static const char digits[] = "0123456789abcdef";
    char text[HEX_BYTES];
    for (size_t i = 0; i < HASH_BYTES; i++) {
        text[2 * i] = digits[hash->bytes[i] >> 4];
        text[2 * i + 1] = digits[hash->bytes[i] & 15];
    }
    (void)gw_buf_append(out, gw_str(text, sizeof(text)));
}

/* Hashes several runs as one. Errors: GW_ERR_NOMEM. */
static enum gw_err hash_runs(const struct gw_str *runs, size_t count, struct hash *out)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool is_fine = context != NULL && EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1;
    for (size_t i = 0; i < count && is_fine; i++) {
        is_fine = EVP_DigestUpdate(context, runs[i].ptr, runs[i].len) == 1;
    }
    is_fine = is_fine && EVP_DigestFinal_ex(context, out->bytes, NULL) == 1;
    EVP_MD_CTX_free(context);
    return is_fine ? GW_OK : GW_ERR_NOMEM;
}

/* Replaces *key by the HMAC of |text| under it; false when there is no memory. */
static bool chain(struct hash *key, struct gw_str text)
{
    struct hash next;
    unsigned len = 0;
    if (HMAC(EVP_sha256(), key->bytes, HASH_BYTES, (const unsigned char *)text.ptr, text.len,
             next.bytes, &len) == NULL) {
        return false;
    }
    *key = next;
    OPENSSL_cleanse(&next, sizeof(next));
    return true;
}

/* ---- path and query ---- */

static bool is_unreserved(char byte)
{
    return (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') ||
           (byte >= '0' && byte <= '9') || byte == '-' || byte == '.' || byte == '_' || byte == '~';
}

static void append_escaped(struct gw_buf *out, struct gw_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (is_unreserved(text.ptr[i])) {
            (void)gw_buf_append_byte(out, text.ptr[i]);
        } else {
            (void)gw_buf_appendf(out, "%%%02X", (unsigned)(unsigned char)text.ptr[i]);
        }
    }
}

/* Takes the last segment of a path off again; |begin| is where the path stands. */
static void drop_segment(struct gw_buf *out, size_t begin)
{
    while (out->len > begin && out->ptr[out->len - 1] != '/') {
        out->len--;
    }
    out->len -= out->len > begin ? 1 : 0;
}

/* The path in canonical form: no empty and no dot segments, and what is escaped already is escaped
 * once more. */
static void append_path(struct gw_buf *out, struct gw_str path)
{
    size_t begin = out->len;
    struct gw_str rest = path;
    struct gw_str segment;
    while (gw_str_split(&rest, '/', &segment)) {
        if (gw_str_eq(segment, GW_STR(".."))) {
            drop_segment(out, begin);
        } else if (segment.len > 0 && !gw_str_eq(segment, GW_STR("."))) {
            (void)gw_buf_append_byte(out, '/');
            append_escaped(out, segment);
        }
    }
    if (out->len == begin || gw_str_has_suffix(path, GW_STR("/"))) {
        (void)gw_buf_append_byte(out, '/');
    }
}

struct query_part {
    struct gw_str name;
    struct gw_str value;
};

static int compare_text(struct gw_str a, struct gw_str b)
{
    size_t common = a.len < b.len ? a.len : b.len;
    int order = common > 0 ? memcmp(a.ptr, b.ptr, common) : 0;
    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

static int compare_parts(const void *a, const void *b)
{
    const struct query_part *left = a;
    const struct query_part *right = b;
    int order = compare_text(left->name, right->name);
    return order != 0 ? order : compare_text(left->value, right->value);
}

/* The query in canonical form: sorted. It is escaped already. Errors: GW_ERR_TOO_LARGE. */
static enum gw_err append_query(struct gw_buf *out, struct gw_str query)
{
    struct query_part parts[GW_SIGV4_MAX_QUERY_PARTS];
    size_t count = 0;
    struct gw_str rest = query;
    struct gw_str part;
    while (query.len > 0 && gw_str_split(&rest, '&', &part)) {
        if (count == GW_SIGV4_MAX_QUERY_PARTS) {
            return GW_ERR_TOO_LARGE;
        }
        size_t at = gw_str_find_byte(part, '=');
        parts[count++] =
            (struct query_part){.name = gw_str(part.ptr, at), .value = gw_str_skip(part, at + 1)};
    }
    qsort(parts, count, sizeof(parts[0]), compare_parts);
    for (size_t i = 0; i < count; i++) {
        (void)gw_buf_append(out, i > 0 ? GW_STR("&") : GW_STR(""));
        (void)gw_buf_append(out, parts[i].name);
        (void)gw_buf_append_byte(out, '=');
        (void)gw_buf_append(out, parts[i].value);
    }
    return GW_OK;
}

/* ---- fields ---- */

static bool is_signed(struct gw_str name)
{
    return gw_str_eq(name, GW_STR("content-type")) || gw_str_has_prefix(name, GW_STR("x-amz-"));
}

static int compare_fields(const void *a, const void *b)
{
    const struct gw_header *left = a;
    const struct gw_header *right = b;
    return compare_text(left->name, right->name);
}

static bool add_field(struct signing *signing, struct gw_str name, struct gw_str value)
{
    if (signing->field_count == GW_SIGV4_MAX_FIELDS) {
        return false;
    }
    signing->fields[signing->field_count++] = (struct gw_header){.name = name, .value = value};
    return true;
}

/* Errors: GW_ERR_TOO_LARGE. */
static enum gw_err choose_fields(struct signing *signing)
{
    const struct gw_sigv4_request *request = signing->request;
    bool is_fine = add_field(signing, GW_STR("host"), request->host) &&
                   add_field(signing, GW_STR("x-amz-date"), gw_str_from_c(signing->date));
    if (request->session_token.len > 0) {
        is_fine =
            is_fine && add_field(signing, GW_STR("x-amz-security-token"), request->session_token);
    }
    for (size_t i = 0; i < request->field_count; i++) {
        const struct gw_header *field = &request->fields[i];
        is_fine =
            is_fine && (!is_signed(field->name) || add_field(signing, field->name, field->value));
    }
    qsort(signing->fields, signing->field_count, sizeof(signing->fields[0]), compare_fields);
    return is_fine ? GW_OK : GW_ERR_TOO_LARGE;
}

static bool is_blank(char byte)
{
    return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

/* The value without blanks around it, and with one space where several blanks stand. */
static void append_value(struct gw_buf *out, struct gw_str value)
{
    bool is_gap = false;
    bool is_begun = false;
    for (size_t i = 0; i < value.len; i++) {
        if (is_blank(value.ptr[i])) {
            is_gap = true;
            continue;
        }
        if (is_gap && is_begun) {
            (void)gw_buf_append_byte(out, ' ');
        }
        (void)gw_buf_append_byte(out, value.ptr[i]);
        is_gap = false;
        is_begun = true;
    }
}

/* ---- the three steps ---- */

/* Errors: GW_ERR_TOO_LARGE, GW_ERR_NOMEM. */
static enum gw_err write_canonical(struct signing *signing)
{
    const struct gw_sigv4_request *request = signing->request;
    struct gw_buf *out = &signing->text;
    size_t path_len = gw_str_find_byte(request->target, '?');
    (void)gw_buf_append(out, request->method);
    (void)gw_buf_append_byte(out, '\n');
    append_path(out, gw_str(request->target.ptr, path_len));
    (void)gw_buf_append_byte(out, '\n');
    bool has_query = path_len + 1 < request->target.len;
    enum gw_err err =
        append_query(out, has_query ? gw_str_skip(request->target, path_len + 1) : gw_str(NULL, 0));
    for (size_t i = 0; i < signing->field_count; i++) {
        (void)gw_buf_append(&signing->names, i > 0 ? GW_STR(";") : GW_STR(""));
        (void)gw_buf_append(&signing->names, signing->fields[i].name);
        (void)gw_buf_append_byte(out, '\n');
        (void)gw_buf_append(out, signing->fields[i].name);
        (void)gw_buf_append_byte(out, ':');
        append_value(out, signing->fields[i].value);
    }
    (void)gw_buf_append(out, GW_STR("\n\n"));
    (void)gw_buf_append(out, gw_buf_str(&signing->names));
    (void)gw_buf_append_byte(out, '\n');
    struct hash body;
    enum gw_err hashed = hash_runs(request->body_runs, request->body_run_count, &body);
    append_hex(out, &body);
    err = err != GW_OK ? err : hashed;
    return err != GW_OK ? err : out->err;
}

/* "20261121/us-east-1/bedrock/aws4_request" */
static void append_scope(struct gw_buf *out, const struct signing *signing)
{
    (void)gw_buf_append(out, gw_str(signing->date, 8));
    (void)gw_buf_append_byte(out, '/');
    (void)gw_buf_append(out, signing->request->region);
    (void)gw_buf_append_byte(out, '/');
    (void)gw_buf_append(out, signing->request->service);
    (void)gw_buf_append(out, GW_STR("/aws4_request"));
}

/* Turns the canonical request into the string to sign. Errors: GW_ERR_NOMEM. */
static enum gw_err write_string_to_sign(struct signing *signing)
{
    struct hash canonical;
    struct gw_str text = gw_buf_str(&signing->text);
    enum gw_err err = hash_runs(&text, 1, &canonical);
    if (err != GW_OK) {
        return err;
    }
    gw_buf_reset(&signing->text);
    (void)gw_buf_append(&signing->text, GW_STR("AWS4-HMAC-SHA256\n"));
    (void)gw_buf_append(&signing->text, gw_str(signing->date, 16));
    (void)gw_buf_append_byte(&signing->text, '\n');
    append_scope(&signing->text, signing);
    (void)gw_buf_append_byte(&signing->text, '\n');
    append_hex(&signing->text, &canonical);
    return signing->text.err;
}

/* Signs the string to sign. Errors: GW_ERR_TOO_LARGE, GW_ERR_NOMEM. */
static enum gw_err compute_signature(const struct signing *signing, struct hash *signature)
{
    const struct gw_sigv4_request *request = signing->request;
    unsigned char first[4 + MAX_SECRET_BYTES] = {'A', 'W', 'S', '4'};
    if (request->secret_key.len > MAX_SECRET_BYTES) {
        return GW_ERR_TOO_LARGE;
    }
    if (request->secret_key.len > 0) {
        memcpy(first + 4, request->secret_key.ptr, request->secret_key.len);
    }
    unsigned len = 0;
    bool is_fine = HMAC(EVP_sha256(), first, (int)(4 + request->secret_key.len),
                        (const unsigned char *)signing->date, 8, signature->bytes, &len) != NULL;
    OPENSSL_cleanse(first, sizeof(first));
    is_fine = is_fine && chain(signature, request->region) && chain(signature, request->service) &&
              chain(signature, GW_STR("aws4_request")) &&
              chain(signature, gw_buf_str(&signing->text));
    return is_fine ? GW_OK : GW_ERR_NOMEM;
}

/* Errors: GW_ERR_TOO_LARGE, GW_ERR_NOMEM. */
static enum gw_err write_authorization(struct signing *signing, const struct hash *signature,
                                       struct gw_arena *arena, struct gw_sigv4_fields *fields)
{
    struct gw_buf *out = &signing->text;
    gw_buf_reset(out);
    (void)gw_buf_append(out, GW_STR("AWS4-HMAC-SHA256 Credential="));
    (void)gw_buf_append(out, signing->request->access_key);
    (void)gw_buf_append_byte(out, '/');
    append_scope(out, signing);
    (void)gw_buf_append(out, GW_STR(", SignedHeaders="));
    (void)gw_buf_append(out, gw_buf_str(&signing->names));
    (void)gw_buf_append(out, GW_STR(", Signature="));
    append_hex(out, signature);
    if (out->err != GW_OK) {
        return out->err;
    }
    fields->authorization = gw_arena_try_dup(arena, gw_buf_str(out));
    fields->date = gw_arena_try_dup(arena, gw_str(signing->date, 16));
    return fields->authorization.ptr != NULL && fields->date.ptr != NULL ? GW_OK : GW_ERR_NOMEM;
}

enum gw_err gw_sigv4_sign(const struct gw_sigv4_request *request, struct gw_arena *arena,
                          struct gw_sigv4_fields *fields)
{
    struct signing signing = {.request = request};
    struct hash signature = {0};
    struct tm parts;
    time_t seconds = (time_t)(request->now_ms / 1000);
    gw_buf_init(&signing.text, GW_SIGV4_MAX_BYTES);
    gw_buf_init(&signing.names, GW_SIGV4_MAX_BYTES);
    if (gmtime_r(&seconds, &parts) == NULL ||
        strftime(signing.date, sizeof(signing.date), "%Y%m%dT%H%M%SZ", &parts) != 16) {
        return GW_ERR_TOO_LARGE; /* a year beyond 9999 */
    }
    enum gw_err err = choose_fields(&signing);
    if (err == GW_OK) {
        err = write_canonical(&signing);
    }
    if (err == GW_OK) {
        err = write_string_to_sign(&signing);
    }
    if (err == GW_OK) {
        err = compute_signature(&signing, &signature);
    }
    if (err == GW_OK) {
        err = write_authorization(&signing, &signature, arena, fields);
    }
    gw_buf_fini(&signing.text);
    gw_buf_fini(&signing.names);
    return err;
}
