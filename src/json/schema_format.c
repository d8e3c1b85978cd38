/* SPDX-License-Identifier: MIT */
/* json/schema_format - the table, and the formats that are one loop each. */
#include "json/schema_format.h"

#include "json/scan_int.h"
#include "json/schema_regex.h"

/* RFC 9562 section 4. */
static bool is_uuid(struct gw_str text)
{
    if (text.len != 36) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (is_dash ? text.ptr[i] != '-' : gw_json_hex_digit((unsigned char)text.ptr[i]) < 0) {
            return false;
        }
    }
    return true;
}

/* RFC 6901 section 3. */
static bool is_json_pointer(struct gw_str text)
{
    if (text.len > 0 && text.ptr[0] != '/') {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '~' &&
            (i + 1 == text.len || (text.ptr[i + 1] != '0' && text.ptr[i + 1] != '1'))) {
            return false;
        }
    }
    return true;
}

/* draft-bhutton-relative-json-pointer-00 section 3. */
static bool is_relative_json_pointer(struct gw_str text)
{
    size_t digits = 0;
    while (digits < text.len && text.ptr[digits] >= '0' && text.ptr[digits] <= '9') {
        digits++;
    }
    if (digits == 0 || (digits > 1 && text.ptr[0] == '0')) {
        return false;
    }
    struct gw_str rest = gw_str_skip(text, digits);
    return gw_str_eq(rest, GW_STR("#")) || is_json_pointer(rest);
}

static const struct gw_schema_format formats[] = {
    {GW_STR_INIT("date-time"), gw_schema_is_date_time, "a date and time like 2026-11-21T05:30:00Z"},
    {GW_STR_INIT("date"), gw_schema_is_date, "a date like 2026-11-21"},
    {GW_STR_INIT("time"), gw_schema_is_time, "a time like 05:30:00Z"},
    {GW_STR_INIT("duration"), gw_schema_is_duration, "a duration like P1DT12H"},
    {GW_STR_INIT("email"), gw_schema_is_email, "an e-mail address"},
    {GW_STR_INIT("hostname"), gw_schema_is_hostname, "a host name"},
    {GW_STR_INIT("ipv4"), gw_schema_is_ipv4, "an IPv4 address"},
    {GW_STR_INIT("ipv6"), gw_schema_is_ipv6, "an IPv6 address"},
    {GW_STR_INIT("uri"), gw_schema_is_uri, "a URI like https://example.com/path"},
    {GW_STR_INIT("uri-reference"), gw_schema_is_uri_reference, "a URI or a relative reference"},
    {GW_STR_INIT("uuid"), is_uuid, "a UUID"},
    {GW_STR_INIT("json-pointer"), is_json_pointer, "a JSON Pointer like /a/0"},
    {GW_STR_INIT("relative-json-pointer"), is_relative_json_pointer,
     "a relative JSON Pointer like 1/a"},
    {GW_STR_INIT("regex"), gw_schema_regex_is_valid, "a regular expression"},
};

const struct gw_schema_format *gw_schema_format_find(struct gw_str name)
{
    for (size_t i = 0; i < GW_ARRAY_LEN(formats); i++) {
        if (gw_str_eq(formats[i].name, name)) {
            return &formats[i];
        }
    }
    return NULL;
}
