/* SPDX-License-Identifier: MIT */
/* policy/failure_kind - by the error's class, and by the provider's status where that says more. */
#include "policy/failure_kind.h"

static bool is_content_policy(const struct gw_error *error)
{
    return gw_str_eq(error->code, GW_STR("content_policy_violation")) ||
           gw_str_eq(error->code, GW_STR("content_filter"));
}

/* Of a provider that failed: what it will not be better at is none of these. */
static enum gw_failure_kind kind_of_upstream(const struct gw_error *error)
{
    if (!error->is_retryable) {
        return GW_FAILURE_OTHER;
    }
    switch (error->upstream_status) {
    case 408:
        return GW_FAILURE_TIMEOUT;
    case 503:
    case 529:
        return GW_FAILURE_UNAVAILABLE;
    default:
        return GW_FAILURE_SERVER;
    }
}

enum gw_failure_kind gw_failure_kind_of(const struct gw_error *error)
{
    if (error->class == GW_ERROR_NONE) {
        return GW_FAILURE_OTHER;
    }
    if (error->is_credential) {
        return GW_FAILURE_AUTHENTICATION;
    }
    if (is_content_policy(error)) {
        return GW_FAILURE_CONTENT_POLICY;
    }
    if (error->upstream_status == 404) {
        return GW_FAILURE_NOT_FOUND;
    }
    switch (error->class) {
    case GW_ERROR_CLIENT: /* our own refusals have no status of a provider */
        return error->upstream_status != 0 ? GW_FAILURE_BAD_REQUEST : GW_FAILURE_OTHER;
    case GW_ERROR_LIMIT:
    case GW_ERROR_BUDGET:
        return GW_FAILURE_RATE_LIMIT;
    case GW_ERROR_TIMEOUT:
        return GW_FAILURE_TIMEOUT;
    case GW_ERROR_UPSTREAM:
        return kind_of_upstream(error);
    case GW_ERROR_OVERLOADED:
        return error->upstream_status != 0 ? GW_FAILURE_UNAVAILABLE : GW_FAILURE_OTHER;
    case GW_ERROR_NONE:
    case GW_ERROR_AUTH:
    case GW_ERROR_POLICY:
    case GW_ERROR_INTERNAL:
    case GW_ERROR_CANCELLED:
    case GW_ERROR_CLASS_COUNT:
        break;
    }
    return GW_FAILURE_OTHER;
}
