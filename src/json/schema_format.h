/* SPDX-License-Identifier: MIT */
/*
 * json/schema_format - the formats that "format" may assert. Only json/ includes this.
 *
 * Source:   JSON Schema validation 2020-12 section 7.3, and the RFC named at each check.
 * Shape:    a table of names and predicates.
 * Units:    none
 * Limits:   none
 * Memory:   allocates nothing but what a regular expression needs while it is checked.
 * Threads:  any
 * Errors:   none
 *
 * Not asserted, so annotations only: idn-email, idn-hostname, iri, iri-reference, uri-template, and
 * names unknown here.
 */
#ifndef GW_JSON_SCHEMA_FORMAT_H
#define GW_JSON_SCHEMA_FORMAT_H

#include <stdbool.h>

#include "base/str.h"

struct gw_schema_format {
    struct gw_str name;
    bool (*is_valid)(struct gw_str text);
    const char *expected; /* for messages: "an IPv4 address" */
};

/* The format of that name, or NULL when it is not asserted. */
const struct gw_schema_format *gw_schema_format_find(struct gw_str name);

/* RFC 3339 "date-time": 2026-11-21T05:30:00Z. */
bool gw_schema_is_date_time(struct gw_str text);

/* RFC 3339 "full-date": 2026-11-21. */
bool gw_schema_is_date(struct gw_str text);

/* RFC 3339 "full-time": 05:30:00+01:00. */
bool gw_schema_is_time(struct gw_str text);

/* RFC 3339 appendix A "duration": P1DT12H. */
bool gw_schema_is_duration(struct gw_str text);

/* RFC 1123 section 2.1; labels of an internationalised name as RFC 3492 writes them. */
bool gw_schema_is_hostname(struct gw_str text);

/* RFC 2673 section 3.2: four decimal numbers. */
bool gw_schema_is_ipv4(struct gw_str text);

/* RFC 4291 section 2.2. */
bool gw_schema_is_ipv6(struct gw_str text);

/* RFC 5321 section 4.1.2 "Mailbox". */
bool gw_schema_is_email(struct gw_str text);

/* RFC 3986 "URI": with a scheme. */
bool gw_schema_is_uri(struct gw_str text);

/* RFC 3986 "URI-reference". */
bool gw_schema_is_uri_reference(struct gw_str text);

#endif
