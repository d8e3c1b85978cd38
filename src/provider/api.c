/* SPDX-License-Identifier: MIT */
/* provider/api - what all APIs share: adding fields, and what a status alone says. */
#include "provider/api.h"

#include <string.h>
#include <time.h>

/* Longer waits are no rate limit but a quota; the core bounds what it waits itself. */
#define RETRY_AFTER_MAX_S (7u * 24 * 3600)

bool gw_provider_call_add(struct gw_provider_call *call, enum gw_header_id id, struct gw_str name,
                          struct gw_str value)
{
    if (call->field_count == GW_PROVIDER_MAX_FIELDS) {
        return false;
    }
    call->fields[call->field_count++] = (struct gw_header){.id = id, .name = name, .value = value};
    return true;
}

static struct gw_str find_field(const struct gw_header *headers, size_t count, struct gw_str name)
{
    for (size_t i = 0; i < count; i++) {
        if (gw_str_eq(headers[i].name, name)) {
            return headers[i].value;
        }
    }
    return gw_str(NULL, 0);
}

/* "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 section 5.6.7) as seconds since 1970. */
static bool parse_date(struct gw_str text, uint64_t *seconds)
{
    char copy[40];
    struct tm parts = {0};
    if (text.len == 0 || text.len >= sizeof(copy)) {
        return false;
    }
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    const char *end = strptime(copy, "%a, %d %b %Y %H:%M:%S GMT", &parts);
    if (end == NULL || *end != '\0') {
        return false;
    }
    *seconds = (uint64_t)timegm(&parts);
    return true;
}

/* Whole seconds, rounded up, of a decimal number whose unit is 1/|per_second| of a second. */
static bool parse_seconds(struct gw_str text, uint64_t per_second, uint64_t *seconds)
{
    size_t point = gw_str_find_byte(text, '.');
    struct gw_str fraction = gw_str_skip(text, point < text.len ? point + 1 : text.len);
    uint64_t whole = 0;
    uint64_t rest = 0;
    if (gw_parse_u64(gw_str(text.ptr, point), &whole) != GW_OK ||
        (fraction.len > 0 && gw_parse_u64(fraction, &rest) != GW_OK)) {
        return false;
    }
    if (whole / per_second >= RETRY_AFTER_MAX_S) {
        *seconds = RETRY_AFTER_MAX_S;
    } else {
        *seconds = whole / per_second + (whole % per_second > 0 || rest > 0);
    }
    return true;
}

static uint64_t read_retry_after(const struct gw_header *headers, size_t count)
{
    uint64_t seconds = 0;
    uint64_t sent_at = 0;
    if (parse_seconds(find_field(headers, count, GW_STR("retry-after-ms")), 1000, &seconds)) {
        return seconds;
    }
    struct gw_str after = gw_headers_get(headers, count, GW_HEADER_RETRY_AFTER);
    if (parse_seconds(after, 1, &seconds)) {
        return seconds;
    }
    /* A date counts from the answer's own date: clocks differ. */
    if (after.len > 0 && parse_date(after, &seconds) &&
        parse_date(gw_headers_get(headers, count, GW_HEADER_DATE), &sent_at) && seconds > sent_at) {
        return seconds - sent_at < RETRY_AFTER_MAX_S ? seconds - sent_at : RETRY_AFTER_MAX_S;
    }
    return 0;
}

/* Clients hold a key of the gateway's, and would take a 401 for a word about that one. The core
 * words the message: it knows the deployment. */
static void explain_credential(struct gw_error *error)
{
    error->status = 502;
    error->is_credential = true;
    error->can_fallback = true;
    error->code = GW_STR("upstream_credential_refused");
}

void gw_provider_explain_status(unsigned status, const struct gw_header *headers,
                                size_t header_count, struct gw_error *error)
{
    *error = (struct gw_error){.class = GW_ERROR_UPSTREAM,
                               .status = status,
                               .upstream_status = status,
                               .retry_after_s = read_retry_after(headers, header_count)};
    switch (status) {
    case 401:
    case 403:
        explain_credential(error);
        break;
    case 402:
        error->can_fallback = true;
        error->code = GW_STR("upstream_billing_error");
        break;
    case 404:
        error->can_fallback = true;
        break;
    case 408:
    case 409:
        error->is_retryable = true;
        error->can_fallback = true;
        break;
    case 429:
        error->class = GW_ERROR_LIMIT;
        error->is_retryable = true;
        error->can_fallback = true;
        error->code = GW_STR("rate_limit_exceeded");
        break;
    default:
        error->is_retryable = status >= 500;
        error->can_fallback = status >= 500;
        error->class = status >= 400 && status < 500 ? GW_ERROR_CLIENT : GW_ERROR_UPSTREAM;
        break;
    }
    /* An answer that is no error at all was not expected here. */
    error->status = status < 400 ? 502 : error->status;
}
