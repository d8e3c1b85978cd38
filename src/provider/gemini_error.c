/* SPDX-License-Identifier: MIT */
/* provider/gemini_error - what Google's errors mean (gemini.md section 7, vertex.md section 6). */
#include "provider/gemini_int.h"
#include "json/value.h"

#define DAY_QUOTA_RETRY_S 3600u /* a quota of the day: nothing to be had by trying at once */

static bool holds(struct gw_str text, struct gw_str word)
{
    return text.len > 0 && gw_str_find(text, word) < text.len;
}

yyjson_val *gw_gemini_find_error(yyjson_val *root)
{
    yyjson_val *object = yyjson_is_arr(root) ? yyjson_arr_get_first(root) : root;
    yyjson_val *error = gw_json_get(object, "error");
    return yyjson_is_obj(error) ? error : NULL;
}

/* Detail of type google.rpc.|name|, or NULL. */
static yyjson_val *find_detail(yyjson_val *value, struct gw_str name)
{
    yyjson_arr_iter iter = yyjson_arr_iter_with(gw_json_get(value, "details"));
    for (yyjson_val *detail = yyjson_arr_iter_next(&iter); detail != NULL;
         detail = yyjson_arr_iter_next(&iter)) {
        if (gw_str_has_suffix(gw_json_get_text(detail, "@type"), name)) {
            return detail;
        }
    }
    return NULL;
}

/* "40s" and "40.02s" are 40 and 41 seconds; 0 when |text| does not begin so. */
static uint64_t read_delay_s(struct gw_str text)
{
    size_t digits = 0;
    uint64_t seconds = 0;
    bool has_fraction = false;
    while (digits < text.len && digits < 9 && text.ptr[digits] >= '0' && text.ptr[digits] <= '9') {
        seconds = seconds * 10 + (uint64_t)(text.ptr[digits] - '0');
        digits++;
    }
    size_t end = digits;
    if (end < text.len && text.ptr[end] == '.') {
        end++;
        while (end < text.len && text.ptr[end] >= '0' && text.ptr[end] <= '9') {
            has_fraction = has_fraction || text.ptr[end] != '0';
            end++;
        }
    }
    if (digits == 0 || end == text.len || text.ptr[end] != 's') {
        return 0;
    }
    return seconds + (has_fraction ? 1 : 0);
}

static uint64_t retry_after_s(yyjson_val *value, struct gw_str message)
{
    const struct gw_str words = GW_STR("retry in ");
    yyjson_val *info = find_detail(value, GW_STR("google.rpc.RetryInfo"));
    uint64_t delay = read_delay_s(gw_json_get_text(info, "retryDelay"));
    if (delay == 0 && holds(message, words)) {
        delay = read_delay_s(gw_str_skip(message, gw_str_find(message, words) + words.len));
    }
    return delay;
}

/* "limit: 0", which is no "limit: 05": the plan has none of it at all. */
static bool has_no_limit(struct gw_str message)
{
    const struct gw_str zero = GW_STR("limit: 0");
    if (!holds(message, zero)) {
        return false;
    }
    struct gw_str behind = gw_str_skip(message, gw_str_find(message, zero) + zero.len);
    return behind.len == 0 || behind.ptr[0] < '0' || behind.ptr[0] > '9';
}

static bool is_day_quota(yyjson_val *value, struct gw_str message)
{
    yyjson_val *failure = find_detail(value, GW_STR("google.rpc.QuotaFailure"));
    yyjson_arr_iter iter = yyjson_arr_iter_with(gw_json_get(failure, "violations"));
    for (yyjson_val *violation = yyjson_arr_iter_next(&iter); violation != NULL;
         violation = yyjson_arr_iter_next(&iter)) {
        struct gw_str id = gw_json_get_text(violation, "quotaId");
        if (holds(id, GW_STR("PerDay")) || holds(id, GW_STR("Daily"))) {
            return true;
        }
    }
    return has_no_limit(message);
}

static bool is_bad_key(yyjson_val *value, struct gw_str message)
{
    struct gw_str reason =
        gw_json_get_text(find_detail(value, GW_STR("google.rpc.ErrorInfo")), "reason");
    return holds(message, GW_STR("API key not valid")) ||
           holds(message, GW_STR("API key expired")) ||
           holds(message, GW_STR("API Key not found")) ||
           gw_str_has_prefix(reason, GW_STR("API_KEY_"));
}

static bool is_context(struct gw_str message)
{
    return holds(message, GW_STR("token count")) && holds(message, GW_STR("exceeds the maximum"));
}

/* The gateway's account, not the request, is what is wrong; the client's developer can do nothing,
 * another group may. Google's text may name the key: it stays here. */
static void set_account(struct gw_error *error, struct gw_str code, struct gw_str message)
{
    error->class = GW_ERROR_UPSTREAM;
    error->status = 502;
    error->is_retryable = false;
    error->can_fallback = true;
    error->code = code;
    error->message = message;
}

static void explain_limit(yyjson_val *value, struct gw_error *error)
{
    uint64_t delay = retry_after_s(value, error->message);
    error->code = GW_STR("rate_limit_exceeded");
    error->retry_after_s = delay > 0 ? delay : error->retry_after_s;
    if (is_day_quota(value, error->message)) {
        error->is_retryable = false;
        error->can_fallback = true;
        error->code = GW_STR("insufficient_quota");
        error->retry_after_s =
            error->retry_after_s > DAY_QUOTA_RETRY_S ? error->retry_after_s : DAY_QUOTA_RETRY_S;
    }
}

static void explain_invalid(yyjson_val *value, struct gw_error *error)
{
    struct gw_str name = gw_json_get_text(value, "status");
    if (is_context(error->message)) {
        error->code = GW_STR("context_length_exceeded");
        error->can_fallback = true; /* to a model with a longer context */
    } else if (gw_str_eq(name, GW_STR("FAILED_PRECONDITION"))) {
        set_account(error, GW_STR("provider_precondition"),
                    GW_STR("Google does not serve the gateway's account: its region or billing "
                           "stands against it."));
    }
}

void gw_gemini_explain_error(yyjson_val *value, unsigned status, struct gw_error *error)
{
    struct gw_str message = gw_json_get_text(value, "message");
    if (is_bad_key(value, message)) {
        gw_provider_explain_status(401, NULL, 0, error);
        error->upstream_status = status;
    }
    error->detail = message; /* the core takes secrets out of what it logs */
    if (error->is_credential) {
        return; /* Google's text may name the key: it is not for clients */
    }
    if (status == 402) {
        set_account(error, GW_STR("upstream_billing_error"),
                    GW_STR("The credit of the gateway's Google account is used up."));
        return;
    }
    if (message.len > 0 && !holds(message, GW_STR("api_key:"))) {
        error->message = message;
    }
    if (status == 400) {
        explain_invalid(value, error);
    } else if (status == 404) {
        error->code = GW_STR("model_not_found");
    } else if (status == 429) {
        explain_limit(value, error);
    } else if (status == 499) {
        error->is_retryable = true;
        error->can_fallback = true;
    }
}

void gw_gemini_read_error(unsigned status, const struct gw_header *headers, size_t header_count,
                          struct gw_str body, struct gw_arena *arena, struct gw_error *error)
{
    struct gw_json_reader reader;
    yyjson_val *root = NULL;
    gw_provider_explain_status(status, headers, header_count, error);
    gw_json_reader_init(&reader, GW_PROVIDER_ERROR_BYTES);
    if (gw_json_read(&reader, body, &root) == GW_OK) {
        yyjson_val *value = gw_gemini_find_error(root);
        if (value != NULL) {
            gw_gemini_explain_error(value, status, error);
            error->message = gw_arena_try_dup(arena, error->message);
            error->detail = gw_arena_try_dup(arena, error->detail);
        }
    }
    gw_json_reader_fini(&reader);
}
