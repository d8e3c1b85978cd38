/* SPDX-License-Identifier: MIT */
/* provider/bedrock_error - why Bedrock refused: by the exception's name, which says more than the
 * status. */
#include "provider/bedrock_int.h"
#include "json/value.h"

enum kind {
    KIND_BAD_REQUEST,
    KIND_QUOTA,
    KIND_DENIED,
    KIND_CREDENTIAL,
    KIND_SIGNATURE,
    KIND_NO_MODEL,
    KIND_TIMEOUT,
    KIND_MODEL_FAILED,
    KIND_THROTTLED,
    KIND_FAILED,
};

/* bedrock.md section 7. In streams the names begin with a small letter. */
static const struct {
    struct gw_str name;
    enum kind kind;
    unsigned status;
} exceptions[] = {
    {GW_STR_INIT("ValidationException"), KIND_BAD_REQUEST, 400},
    {GW_STR_INIT("SerializationException"), KIND_BAD_REQUEST, 400},
    {GW_STR_INIT("ConflictException"), KIND_BAD_REQUEST, 400},
    {GW_STR_INIT("ServiceQuotaExceededException"), KIND_QUOTA, 400},
    {GW_STR_INIT("AccessDeniedException"), KIND_DENIED, 403},
    {GW_STR_INIT("UnrecognizedClientException"), KIND_CREDENTIAL, 403},
    {GW_STR_INIT("ExpiredTokenException"), KIND_CREDENTIAL, 403},
    {GW_STR_INIT("MissingAuthenticationTokenException"), KIND_CREDENTIAL, 403},
    {GW_STR_INIT("IncompleteSignatureException"), KIND_CREDENTIAL, 403},
    {GW_STR_INIT("InvalidSignatureException"), KIND_SIGNATURE, 403},
    {GW_STR_INIT("ResourceNotFoundException"), KIND_NO_MODEL, 404},
    {GW_STR_INIT("ModelTimeoutException"), KIND_TIMEOUT, 408},
    {GW_STR_INIT("ModelErrorException"), KIND_MODEL_FAILED, 424},
    {GW_STR_INIT("ModelStreamErrorException"), KIND_MODEL_FAILED, 424},
    {GW_STR_INIT("ThrottlingException"), KIND_THROTTLED, 429},
    {GW_STR_INIT("ModelNotReadyException"), KIND_THROTTLED, 429},
    {GW_STR_INIT("InternalServerException"), KIND_FAILED, 500},
    {GW_STR_INIT("ServiceUnavailableException"), KIND_FAILED, 503},
};

static bool find_kind(struct gw_str name, enum kind *kind, unsigned *status)
{
    for (size_t i = 0; i < GW_ARRAY_LEN(exceptions); i++) {
        if (gw_str_eq_nocase(name, exceptions[i].name)) {
            *kind = exceptions[i].kind;
            *status = exceptions[i].status;
            return true;
        }
    }
    return false;
}

static void explain_signature(struct gw_str vendor, struct gw_error *error)
{
    bool is_skew = gw_str_find(vendor, GW_STR("Signature expired")) < vendor.len ||
                   gw_str_find(vendor, GW_STR("Signature not yet current")) < vendor.len;
    error->is_credential = !is_skew; /* another credential would be refused as well */
    error->code = is_skew ? GW_STR("upstream_clock_skew") : GW_STR("upstream_credential_refused");
    error->message =
        is_skew ? GW_STR("The clock of the gateway's host differs from AWS's by more than five "
                         "minutes, so AWS refuses its signatures. Whoever runs the gateway must "
                         "set the clock (NTP).")
                : GW_STR("AWS refused the gateway's signature: its secret key is wrong, or the "
                         "clock of its host is. This is not about your own key; tell who runs the "
                         "gateway.");
}

static void explain_credential(struct gw_str vendor, struct gw_error *error)
{
    error->class = GW_ERROR_UPSTREAM;
    error->status = 502;
    error->is_retryable = false;
    error->can_fallback = true;
    error->is_credential = true;
    error->detail = vendor;
    error->code = GW_STR("upstream_credential_refused");
    error->message = GW_STR("AWS refused the gateway's credential. This is not about your own key; "
                            "tell who runs the gateway.");
}

/* What went wrong with the request itself, as clients know it from OpenAI. */
static void explain_request(struct gw_str vendor, struct gw_error *error)
{
    error->class = GW_ERROR_CLIENT;
    error->status = 400;
    error->is_retryable = false;
    error->can_fallback = false;
    if (gw_str_find(vendor, GW_STR("too long")) < vendor.len ||
        gw_str_find(vendor, GW_STR("context window")) < vendor.len) {
        error->code = GW_STR("context_length_exceeded");
        error->can_fallback = true; /* another model may have a larger window */
    } else if (gw_str_find(vendor, GW_STR("model identifier is invalid")) < vendor.len ||
               gw_str_find(vendor, GW_STR("on-demand throughput")) < vendor.len) {
        error->code = GW_STR("model_not_found");
        error->can_fallback = true;
    } else {
        error->code = GW_STR("invalid_request_error");
    }
}

static void set(struct gw_error *error, enum gw_error_class class, bool is_retryable,
                bool can_fallback)
{
    error->class = class;
    error->is_retryable = is_retryable;
    error->can_fallback = can_fallback;
}

/* |vendor| is its message, or empty. */
static void explain_kind(enum kind kind, struct gw_str vendor, struct gw_error *error)
{
    switch (kind) {
    case KIND_BAD_REQUEST:
        explain_request(vendor, error);
        break;
    case KIND_QUOTA:
        set(error, GW_ERROR_LIMIT, false, true);
        break;
    case KIND_DENIED:
    case KIND_CREDENTIAL:
        explain_credential(vendor, error);
        if (kind == KIND_DENIED) {
            error->message = GW_STR("AWS does not let the gateway's credential use this model. "
                                    "This is not about your own key; tell who runs the gateway.");
        }
        break;
    case KIND_SIGNATURE:
        explain_credential(vendor, error);
        explain_signature(vendor, error);
        break;
    case KIND_NO_MODEL:
        set(error, GW_ERROR_UPSTREAM, false, true);
        error->code = GW_STR("model_not_found");
        break;
    case KIND_TIMEOUT:
        set(error, GW_ERROR_TIMEOUT, true, true);
        break;
    case KIND_MODEL_FAILED:
        set(error, GW_ERROR_UPSTREAM, true, true);
        error->status = 502; /* 424 tells a client nothing */
        break;
    case KIND_THROTTLED:
        set(error, GW_ERROR_LIMIT, true, true);
        error->code = GW_STR("rate_limit_exceeded");
        break;
    case KIND_FAILED:
        set(error, error->status == 503 ? GW_ERROR_OVERLOADED : GW_ERROR_UPSTREAM, true, true);
        break;
    }
}

void gw_bedrock_explain_exception(struct gw_str type, struct gw_str message, struct gw_error *error)
{
    enum kind kind = KIND_FAILED;
    unsigned status = 500;
    (void)find_kind(type, &kind, &status);
    *error = (struct gw_error){.status = status, .upstream_status = status, .code = type};
    error->message =
        message.len > 0 ? message : GW_STR("The model stopped with an error in mid-answer.");
    explain_kind(kind, message, error);
}

/* "ThrottlingException" of "ThrottlingException:http://..." or "com.amazon#ThrottlingException". */
static struct gw_str short_type(struct gw_str type)
{
    struct gw_str name = gw_str(type.ptr, gw_str_find_byte(type, ':'));
    return gw_str_skip(
        name, gw_str_find_byte(name, '#') < name.len ? gw_str_find_byte(name, '#') + 1 : 0);
}

static struct gw_str find_type(const struct gw_header *headers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (gw_str_eq(headers[i].name, GW_STR("x-amzn-errortype"))) {
            return headers[i].value;
        }
    }
    return gw_str(NULL, 0);
}

void gw_bedrock_read_error(unsigned status, const struct gw_header *headers, size_t header_count,
                           struct gw_str body, struct gw_arena *arena, struct gw_error *error)
{
    struct gw_json_reader reader;
    yyjson_val *root = NULL;
    enum kind kind;
    unsigned usual_status;
    gw_provider_explain_status(status, headers, header_count, error);
    gw_json_reader_init(&reader, GW_PROVIDER_ERROR_BYTES);
    gw_err_ignore(gw_json_read(&reader, body, &root)); /* then the status must do */
    struct gw_str vendor = gw_json_get_text(root, "message");
    vendor = vendor.ptr != NULL ? vendor : gw_json_get_text(root, "Message");
    struct gw_str type = find_type(headers, header_count);
    type = short_type(type.ptr != NULL ? type : gw_json_get_text(root, "__type"));
    vendor = vendor.len > 0 ? gw_arena_try_dup(arena, vendor) : vendor;
    if (vendor.len > 0 && error->status != 502) {
        error->message = vendor;
    } else {
        error->detail = vendor;
    }
    if (find_kind(type, &kind, &usual_status)) {
        explain_kind(kind, vendor, error);
    }
    gw_json_reader_fini(&reader);
}
