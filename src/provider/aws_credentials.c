/* SPDX-License-Identifier: MIT */
/* provider/aws_credentials - reading: profiles, the JSON of metadata services, STS's XML, times. */
#include "provider/aws_credentials.h"

#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "json/value.h"

/* ---- profiles ---- */

/* The value of a line behind '=': without blanks around it, and without a comment behind it. */
static struct gw_str clean_value(struct gw_str value)
{
    struct gw_str text = gw_str_trim(value);
    for (size_t i = 1; i < text.len; i++) {
        bool is_comment = text.ptr[i] == '#' || text.ptr[i] == ';';
        if (is_comment && (text.ptr[i - 1] == ' ' || text.ptr[i - 1] == '\t')) {
            return gw_str_trim(gw_str(text.ptr, i));
        }
    }
    return text;
}

static struct gw_str unquote(struct gw_str name)
{
    struct gw_str text = gw_str_trim(name);
    bool is_quoted = text.len >= 2 && (text.ptr[0] == '"' || text.ptr[0] == '\'') &&
                     text.ptr[text.len - 1] == text.ptr[0];
    return is_quoted ? gw_str(text.ptr + 1, text.len - 2) : text;
}

/* Is "[...]" the section of |profile|? */
static bool is_section(struct gw_str line, struct gw_str profile, bool is_config)
{
    size_t end = gw_str_find_byte(line, ']');
    struct gw_str name = gw_str_trim(gw_str(line.ptr + 1, end > 0 ? end - 1 : 0));
    static const struct gw_str word = GW_STR_INIT("profile");
    bool has_word = gw_str_has_prefix(name, word) && name.len > word.len &&
                    (name.ptr[word.len] == ' ' || name.ptr[word.len] == '\t');
    if (is_config && has_word) {
        return gw_str_eq(unquote(gw_str_skip(name, word.len)), profile);
    }
    /* In the config file only the default profile goes without the word. */
    bool may_be_bare = !is_config || gw_str_eq(profile, GW_STR("default"));
    return may_be_bare && gw_str_eq(unquote(name), profile);
}

static void keep_setting(struct gw_aws_profile *out, struct gw_str name, struct gw_str value)
{
    struct {
        struct gw_str name;
        struct gw_str *place;
    } settings[] = {
        {GW_STR("aws_access_key_id"), &out->keys.access},
        {GW_STR("aws_secret_access_key"), &out->keys.secret},
        {GW_STR("aws_session_token"), &out->keys.session},
        {GW_STR("region"), &out->region},
        {GW_STR("role_arn"), &out->role_arn},
        {GW_STR("source_profile"), &out->source_profile},
        {GW_STR("credential_source"), &out->credential_source},
        {GW_STR("external_id"), &out->external_id},
        {GW_STR("role_session_name"), &out->role_session_name},
        {GW_STR("web_identity_token_file"), &out->web_identity_token_file},
    };
    for (size_t i = 0; i < GW_ARRAY_LEN(settings); i++) {
        if (gw_str_eq_nocase(name, settings[i].name) && settings[i].place->len == 0) {
            *settings[i].place = value;
        }
    }
}

enum gw_err gw_aws_read_profile(struct gw_str text, struct gw_str profile, bool is_config,
                                struct gw_aws_profile *out)
{
    struct gw_aws_profile found = *out;
    bool has_keys = out->keys.access.len > 0;
    bool is_found = false;
    bool is_inside = false;
    struct gw_str rest = text;
    struct gw_str line;
    if (text.len > GW_AWS_MAX_TEXT_BYTES) {
        return GW_ERR_TOO_LARGE;
    }
    while (gw_str_split(&rest, '\n', &line)) {
        bool is_nested = line.len > 0 && (line.ptr[0] == ' ' || line.ptr[0] == '\t');
        line = gw_str_trim(line);
        if (line.len == 0 || line.ptr[0] == '#' || line.ptr[0] == ';') {
            continue;
        }
        if (line.ptr[0] == '[') {
            is_inside = is_section(line, profile, is_config);
            is_found = is_found || is_inside;
            continue;
        }
        size_t equals = gw_str_find_byte(line, '=');
        if (is_inside && !is_nested && equals < line.len) {
            keep_setting(&found, gw_str_trim(gw_str(line.ptr, equals)),
                         clean_value(gw_str_skip(line, equals + 1)));
        }
    }
    if (has_keys) {
        found.keys = out->keys; /* a secret of one file never goes with a key of another */
    }
    *out = found;
    return is_found ? GW_OK : GW_ERR_NOT_FOUND;
}

/* ---- times ---- */

/* The number that |count| digits at |at| make; false when they are none. */
static bool read_digits(struct gw_str text, size_t at, size_t count, int *value)
{
    uint64_t number = 0;
    if (at + count > text.len || gw_parse_u64(gw_str(text.ptr + at, count), &number) != GW_OK) {
        return false;
    }
    *value = (int)number;
    return true;
}

enum gw_err gw_aws_parse_time(struct gw_str text, uint64_t *ms)
{
    static const char form[] = "0000-00-00T00:00:00";
    struct tm parts = {0};
    bool is_fine =
        text.len > sizeof(form) - 1 && text.ptr[text.len - 1] == 'Z' && text.ptr[4] == '-' &&
        text.ptr[7] == '-' && text.ptr[10] == 'T' && text.ptr[13] == ':' && text.ptr[16] == ':' &&
        read_digits(text, 0, 4, &parts.tm_year) && read_digits(text, 5, 2, &parts.tm_mon) &&
        read_digits(text, 8, 2, &parts.tm_mday) && read_digits(text, 11, 2, &parts.tm_hour) &&
        read_digits(text, 14, 2, &parts.tm_min) && read_digits(text, 17, 2, &parts.tm_sec);
    if (!is_fine || parts.tm_year < 1970 || parts.tm_mon < 1 || parts.tm_mon > 12 ||
        parts.tm_mday < 1 || parts.tm_mday > 31 || parts.tm_hour > 23 || parts.tm_min > 59 ||
        parts.tm_sec > 60) {
        return GW_ERR_INVALID;
    }
    parts.tm_year -= 1900;
    parts.tm_mon -= 1;
    *ms = (uint64_t)timegm(&parts) * 1000;
    return GW_OK;
}

/* ---- answers ---- */

/* Copies to the arena what lives in an answer; with an expiry of |expires|, if it has one. Errors:
 * GW_ERR_PROTOCOL, GW_ERR_NOMEM. */
static enum gw_err keep_keys(const struct gw_aws_keys *keys, struct gw_str expires,
                             struct gw_arena *arena, struct gw_aws_keys *out)
{
    uint64_t expires_at_ms = 0;
    if (keys->access.len == 0 || keys->secret.len == 0 ||
        (expires.len > 0 && gw_aws_parse_time(expires, &expires_at_ms) != GW_OK)) {
        return GW_ERR_PROTOCOL;
    }
    const struct gw_aws_keys kept = {
        .access = gw_arena_try_dup(arena, keys->access),
        .secret = gw_arena_try_dup(arena, keys->secret),
        .session = gw_arena_try_dup(arena, keys->session),
        .expires_at_ms = expires_at_ms,
    };
    if (kept.access.ptr == NULL || kept.secret.ptr == NULL || kept.session.ptr == NULL) {
        return GW_ERR_NOMEM;
    }
    *out = kept;
    return GW_OK;
}

enum gw_err gw_aws_read_keys(struct gw_str body, struct gw_arena *arena, struct gw_aws_keys *out)
{
    struct gw_json_reader reader;
    yyjson_val *root = NULL;
    gw_json_reader_init(&reader, GW_AWS_MAX_TEXT_BYTES);
    enum gw_err err = gw_json_read(&reader, body, &root);
    err = err == GW_ERR_INVALID ? GW_ERR_PROTOCOL : err;
    if (err == GW_OK) {
        const struct gw_aws_keys keys = {
            .access = gw_json_get_text(root, "AccessKeyId"),
            .secret = gw_json_get_text(root, "SecretAccessKey"),
            .session = gw_json_get_text(root, "Token"),
        };
        err = keep_keys(&keys, gw_json_get_text(root, "Expiration"), arena, out);
    }
    gw_json_reader_fini(&reader);
    return err;
}

/* What stands between <name> and </name> in |xml|; empty when it is not there. STS writes no
 * attributes on these. */
static struct gw_str find_element(struct gw_str xml, struct gw_str open, struct gw_str close)
{
    size_t at = gw_str_find(xml, open);
    struct gw_str rest = gw_str_skip(xml, at + open.len);
    size_t end = gw_str_find(rest, close);
    bool is_there = at < xml.len && end < rest.len;
    return is_there ? gw_str_trim(gw_str(rest.ptr, end)) : gw_str(NULL, 0);
}

#define ELEMENT(xml, name) find_element(xml, GW_STR("<" name ">"), GW_STR("</" name ">"))

enum gw_err gw_aws_read_sts(struct gw_str body, struct gw_arena *arena, struct gw_aws_keys *out)
{
    if (body.len > GW_AWS_MAX_TEXT_BYTES) {
        return GW_ERR_TOO_LARGE;
    }
    struct gw_str credentials = ELEMENT(body, "Credentials");
    const struct gw_aws_keys keys = {
        .access = ELEMENT(credentials, "AccessKeyId"),
        .secret = ELEMENT(credentials, "SecretAccessKey"),
        .session = ELEMENT(credentials, "SessionToken"),
    };
    const struct gw_str parts[] = {keys.access, keys.secret, keys.session};
    for (size_t i = 0; i < GW_ARRAY_LEN(parts); i++) {
        /* Keys are base64: a markup inside means that this is something else. */
        if (gw_str_find_byte(parts[i], '<') < parts[i].len ||
            gw_str_find_byte(parts[i], '&') < parts[i].len) {
            return GW_ERR_PROTOCOL;
        }
    }
    return keep_keys(&keys, ELEMENT(credentials, "Expiration"), arena, out);
}

struct gw_str gw_aws_sts_error(struct gw_str body, struct gw_arena *arena)
{
    enum {
        MAX_MESSAGE_BYTES = 1000, /* a line of the log */
    };
    if (body.len > GW_AWS_MAX_TEXT_BYTES) {
        return gw_str(NULL, 0);
    }
    struct gw_str error = ELEMENT(body, "Error");
    struct gw_str code = ELEMENT(error, "Code");
    struct gw_str message = ELEMENT(error, "Message");
    message.len = message.len < MAX_MESSAGE_BYTES ? message.len : MAX_MESSAGE_BYTES;
    code.len = code.len < MAX_MESSAGE_BYTES ? code.len : MAX_MESSAGE_BYTES;
    return code.len > 0 ? gw_arena_printf(arena, GW_STR_FMT ": " GW_STR_FMT, GW_STR_ARG(code),
                                          GW_STR_ARG(message))
                        : gw_str(NULL, 0);
}
