/* SPDX-License-Identifier: MIT */
/*
 * config/build_params - what an entry of model_list says about its requests: time-outs, weight,
 * header fields, members of the body, limits.
 */
#include "config/model_entry_int.h"
#include "json/value.h"

#define WEIGHT_SCALE     1000        /* weights may be fractions: 0.7 and 0.3; as in model_list */
#define EXTRA_BODY_BYTES (64u << 10) /* is part of every request */
#define MAX_TOKENS       100000000   /* a hundred times the longest context there is */

static enum gw_err read_timeouts(const struct gw_model_entry *entry,
                                 struct gw_deployment *deployment)
{
    struct gw_upstream_timeouts *timeouts = &deployment->timeouts;
    static const struct gw_setting_row row = {
        .kind = GW_SETTING_KIND_DURATION, .min = 1, .max = GW_DAY_MS};
    static const struct gw_setting_row row_or_none = {
        .kind = GW_SETTING_KIND_DURATION, .min = 0, .max = GW_DAY_MS};
    const struct {
        const char *names;
        const struct gw_setting_row *row;
        uint64_t *ms;
    } reads[] = {
        {"connect_timeout", &row, &timeouts->connect_ms},
        {"tls_timeout", &row, &timeouts->tls_ms},
        {"first_byte_timeout", &row, &timeouts->first_byte_ms},
        {"first_byte_timeout", &row, &timeouts->stream_first_byte_ms},
        {"stream_timeout", &row, &timeouts->stream_first_byte_ms},
        {"idle_timeout", &row, &timeouts->idle_ms},
        {"timeout request_timeout", &row_or_none, &timeouts->total_ms},
        {"stream_request_timeout", &row_or_none, &timeouts->stream_total_ms},
    };
    for (size_t i = 0; i < GW_ARRAY_LEN(reads); i++) {
        struct gw_setting_value value;
        enum gw_err err = gw_model_entry_read(entry, reads[i].names, reads[i].row, &value);
        if (err != GW_OK) {
            return err;
        }
        *reads[i].ms = value.is_set ? value.number : *reads[i].ms;
    }
    return GW_OK;
}

/* LiteLLM's order: weight, else rpm, else tpm. Scaled, because fractions are allowed. */
static enum gw_err read_weight(const struct gw_model_entry *entry, struct gw_deployment *deployment)
{
    uint64_t *weight = &deployment->weight;
    static const char *const names[] = {"weight", "rpm", "tpm"};
    *weight = WEIGHT_SCALE;
    for (size_t i = 0; i < GW_ARRAY_LEN(names); i++) {
        yyjson_val *value = gw_model_entry_find(entry, names[i]);
        if (value == NULL) {
            continue;
        }
        uint64_t whole = 0;
        double number = yyjson_get_num(value);
        if (yyjson_is_str(value) && gw_parse_u64(gw_config_text(value), &whole) == GW_OK) {
            number = (double)whole;
        } else if (!yyjson_is_num(value)) {
            number = -1;
        }
        if (!(number > 0) || number > 1e9) { /* tokens per minute of nobody's quota */
            gw_config_complain(&entry->build->context, true, value,
                               "expected a number above 0, at most 1000000000; enabled: false "
                               "leaves a deployment out");
            return GW_ERR_INVALID;
        }
        uint64_t scaled = (uint64_t)(number * WEIGHT_SCALE);
        *weight = scaled > 0 ? scaled : 1;
        return GW_OK;
    }
    return GW_OK;
}

static bool is_token(struct gw_str text)
{
    static const char marks[] = "!#$%&'*+-.^_`|~";
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool is_word = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!is_word && (c == '\0' || strchr(marks, c) == NULL)) {
            return false;
        }
    }
    return text.len > 0;
}

/* Fields that frame the message or belong to the gateway. */
static bool is_own_header(struct gw_str name)
{
    static const struct gw_str own[] = {
        GW_STR_INIT("host"),       GW_STR_INIT("content-length"), GW_STR_INIT("transfer-encoding"),
        GW_STR_INIT("connection"), GW_STR_INIT("upgrade"),        GW_STR_INIT("te"),
        GW_STR_INIT("trailer"),    GW_STR_INIT("keep-alive"),     GW_STR_INIT("expect"),
    };
    for (size_t i = 0; i < GW_ARRAY_LEN(own); i++) {
        if (gw_str_eq(own[i], name)) {
            return true;
        }
    }
    return false;
}

static enum gw_err copy_header(const struct gw_model_entry *entry, yyjson_val *key,
                               yyjson_val *value, struct gw_extra_header *header)
{
    struct gw_arena *arena = gw_snapshot_arena(entry->build->snapshot);
    char *name = gw_arena_try_alloc(arena, yyjson_get_len(key) + 1);
    struct gw_str text = gw_arena_try_dup(arena, gw_str_trim(gw_config_text(value)));
    if (name == NULL || text.ptr == NULL) {
        return GW_ERR_NOMEM;
    }
    struct gw_str written = gw_config_text(key);
    for (size_t i = 0; i < written.len; i++) {
        char c = written.ptr[i];
        name[i] = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
    }
    *header = (struct gw_extra_header){.name = gw_str(name, written.len), .value = text};
    if (is_token(header->name) && !is_own_header(header->name) && gw_is_header_value(text)) {
        return GW_OK;
    }
    gw_config_complain(&entry->build->context, true, value, "cannot be sent as a header field: %s",
                       !is_token(header->name)       ? "the name has other characters than words"
                       : is_own_header(header->name) ? "the gateway writes this field itself"
                                                     : "the value has a control character inside");
    return GW_ERR_INVALID;
}

static enum gw_err read_headers(const struct gw_model_entry *entry,
                                struct gw_deployment *deployment)
{
    yyjson_val *map = gw_model_entry_find(entry, "extra_headers headers");
    size_t count = yyjson_obj_size(map);
    if (map == NULL) {
        return GW_OK;
    }
    if (!yyjson_is_obj(map)) {
        gw_config_complain(&entry->build->context, true, map,
                           "expected a map of header fields, \"name: value\"");
        return GW_ERR_INVALID;
    }
    struct gw_extra_header *headers = gw_arena_try_alloc(gw_snapshot_arena(entry->build->snapshot),
                                                         (count + 1) * sizeof(*headers));
    enum gw_err err = headers == NULL ? GW_ERR_NOMEM : GW_OK;
    size_t index = 0;
    size_t max = 0;
    yyjson_val *key = NULL;
    yyjson_val *value = NULL;
    yyjson_obj_foreach(map, index, max, key, value)
    {
        if (err == GW_OK && !yyjson_is_str(value)) {
            gw_config_complain(&entry->build->context, true, value,
                               "expected a text; put quotes around it");
            err = GW_ERR_INVALID;
        }
        err = err == GW_OK ? copy_header(entry, key, value, &headers[index]) : err;
    }
    deployment->extra_headers = headers;
    deployment->extra_header_count = count;
    return err;
}

static enum gw_err read_account(const struct gw_model_entry *entry,
                                struct gw_deployment *deployment)
{
    const struct {
        const char *names;
        struct gw_str *text;
    } reads[] = {
        {"organization org_id", &deployment->organization},
        {"project project_id", &deployment->project},
    };
    for (size_t i = 0; i < GW_ARRAY_LEN(reads); i++) {
        struct gw_str text = {0};
        enum gw_err err = gw_model_entry_text(entry, reads[i].names, &text);
        if (err != GW_OK) {
            return err;
        }
        if (!gw_is_header_value(text)) {
            gw_config_complain(&entry->build->context, true,
                               gw_model_entry_find(entry, reads[i].names),
                               "has a control character inside");
            return GW_ERR_INVALID;
        }
        *reads[i].text = gw_arena_try_dup(gw_snapshot_arena(entry->build->snapshot), text);
        if (reads[i].text->ptr == NULL) {
            return GW_ERR_NOMEM;
        }
    }
    return GW_OK;
}

static bool is_gateways_member(yyjson_val *key)
{
    return yyjson_equals_str(key, "model") || yyjson_equals_str(key, "messages") ||
           yyjson_equals_str(key, "stream");
}

/* The members of extra_body as text, without braces. */
static enum gw_err read_extra_body(const struct gw_model_entry *entry,
                                   struct gw_deployment *deployment)
{
    yyjson_val *map = gw_model_entry_find(entry, "extra_body");
    struct gw_buf json;
    size_t index = 0;
    size_t max = 0;
    yyjson_val *key = NULL;
    yyjson_val *value = NULL;
    if (map == NULL) {
        return GW_OK;
    }
    if (!yyjson_is_obj(map)) {
        gw_config_complain(&entry->build->context, true, map, "expected a map");
        return GW_ERR_INVALID;
    }
    yyjson_obj_foreach(map, index, max, key, value)
    {
        if (is_gateways_member(key)) {
            gw_config_complain(&entry->build->context, true, value,
                               "the gateway writes this member itself");
            return GW_ERR_INVALID;
        }
    }
    gw_buf_init(&json, EXTRA_BODY_BYTES);
    gw_json_write(map, &json);
    struct gw_str text = gw_buf_str(&json);
    enum gw_err err = json.err;
    if (err == GW_ERR_TOO_LARGE) {
        gw_config_complain(&entry->build->context, true, map, "expected at most %u bytes of JSON",
                           EXTRA_BODY_BYTES);
        err = GW_ERR_INVALID;
    } else if (err == GW_OK) {
        deployment->extra_body = gw_arena_try_dup(gw_snapshot_arena(entry->build->snapshot),
                                                  gw_str(text.ptr + 1, text.len - 2));
        err = deployment->extra_body.ptr == NULL ? GW_ERR_NOMEM : GW_OK;
    }
    gw_buf_fini(&json);
    return err;
}

static enum gw_err read_token_limits(const struct gw_model_entry *entry,
                                     struct gw_deployment *deployment)
{
    static const struct gw_setting_row row = {
        .kind = GW_SETTING_KIND_COUNT, .min = 1, .max = MAX_TOKENS};
    const struct {
        const char *names;
        uint64_t *tokens;
    } reads[] = {
        {"max_completion_tokens max_tokens", &deployment->default_max_tokens},
        {"max_tokens_limit", &deployment->limit_max_tokens},
    };
    for (size_t i = 0; i < GW_ARRAY_LEN(reads); i++) {
        struct gw_setting_value value;
        enum gw_err err = gw_model_entry_read(entry, reads[i].names, &row, &value);
        if (err != GW_OK) {
            return err;
        }
        *reads[i].tokens = value.is_set ? value.number : *reads[i].tokens;
    }
    return GW_OK;
}

static enum gw_err read_drop_params(const struct gw_model_entry *entry,
                                    struct gw_deployment *deployment)
{
    static const struct gw_setting_row row = {.kind = GW_SETTING_KIND_BOOL, .max = 1};
    struct gw_setting_value value;
    enum gw_err err = gw_model_entry_read(entry, "drop_params", &row, &value);
    if (err == GW_OK && value.is_set) {
        deployment->drops_params = value.number == 1;
    }
    return err;
}

enum gw_err gw_model_entry_params(const struct gw_model_entry *entry,
                                  struct gw_deployment *deployment)
{
    static enum gw_err (*const reads[])(const struct gw_model_entry *entry,
                                        struct gw_deployment *deployment) = {
        read_timeouts,   read_weight,       read_headers,     read_account,
        read_extra_body, read_token_limits, read_drop_params, gw_model_entry_info,
    };
    enum gw_err err = GW_OK;
    for (size_t i = 0; i < GW_ARRAY_LEN(reads) && err == GW_OK; i++) {
        err = reads[i](entry, deployment);
    }
    return err;
}
