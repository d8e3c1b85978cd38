/* SPDX-License-Identifier: MIT */
/* provider/openai_error - shapes first, then one table of what codes and words mean. */
#include "provider/openai_error.h"

#include "provider/api.h"
#include "json/value.h"

/* What a refusal says, whatever its shape. */
struct refusal {
    struct gw_str message;
    struct gw_str code; /* a name; numbers only repeat the status */
    struct gw_str type;
    struct gw_str param;
    uint64_t status; /* told inside the body, or 0 */
};

enum meaning {
    MEANS_NOTHING,
    MEANS_CONTEXT,
    MEANS_SAFETY,
    MEANS_CREDENTIAL,
    MEANS_NO_MODEL,
    MEANS_BILLING,
    MEANS_MODEL_FAILED, /* the model wrote what its server cannot read: not the client's fault */
    MEANS_RATE,
    MEANS_OVERLOADED,
    MEANS_SERVER,
};

static const struct {
    struct gw_str code;
    enum meaning meaning;
} codes[] = {
    {GW_STR_INIT("context_length_exceeded"), MEANS_CONTEXT},
    {GW_STR_INIT("exceed_context_size_error"), MEANS_CONTEXT},
    {GW_STR_INIT("content_policy_violation"), MEANS_SAFETY},
    {GW_STR_INIT("content_filter"), MEANS_SAFETY},
    {GW_STR_INIT("ResponsibleAIPolicyViolation"), MEANS_SAFETY},
    {GW_STR_INIT("invalid_api_key"), MEANS_CREDENTIAL},
    {GW_STR_INIT("authentication_error"), MEANS_CREDENTIAL},
    {GW_STR_INIT("permission_error"), MEANS_CREDENTIAL},
    {GW_STR_INIT("model_not_found"), MEANS_NO_MODEL},
    {GW_STR_INIT("model_decommissioned"), MEANS_NO_MODEL},
    {GW_STR_INIT("DeploymentNotFound"), MEANS_NO_MODEL},
    {GW_STR_INIT("NotFoundError"), MEANS_NO_MODEL},
    {GW_STR_INIT("not_found_error"), MEANS_NO_MODEL},
    {GW_STR_INIT("insufficient_quota"), MEANS_BILLING},
    {GW_STR_INIT("billing_hard_limit_reached"), MEANS_BILLING},
    {GW_STR_INIT("tool_use_failed"), MEANS_MODEL_FAILED},
    {GW_STR_INIT("json_validate_failed"), MEANS_MODEL_FAILED},
    {GW_STR_INIT("rate_limit_exceeded"), MEANS_RATE},
    {GW_STR_INIT("rate_limit_error"), MEANS_RATE},
    {GW_STR_INIT("capacity_exceeded"), MEANS_OVERLOADED},
    {GW_STR_INIT("server_is_overloaded"), MEANS_OVERLOADED},
    {GW_STR_INIT("slow_down"), MEANS_OVERLOADED},
    {GW_STR_INIT("overloaded_error"), MEANS_OVERLOADED},
    {GW_STR_INIT("unavailable_error"), MEANS_OVERLOADED},
    {GW_STR_INIT("server_error"), MEANS_SERVER},
    {GW_STR_INIT("InternalServerError"), MEANS_SERVER},
    {GW_STR_INIT("api_error"), MEANS_SERVER},
};

/* Words of vendors that have no code for it. */
static const struct {
    struct gw_str words;
    enum meaning meaning;
} wordings[] = {
    {GW_STR_INIT("maximum context length"), MEANS_CONTEXT},
    {GW_STR_INIT("context length exceeded"), MEANS_CONTEXT},
    {GW_STR_INIT("exceeds the available context size"), MEANS_CONTEXT},
    {GW_STR_INIT("maximum prompt length"), MEANS_CONTEXT},
    {GW_STR_INIT("prompt is too long"), MEANS_CONTEXT},
    {GW_STR_INIT("too large for model with"), MEANS_CONTEXT}, /* Mistral: "... maximum context" */
    {GW_STR_INIT("Incorrect API key"), MEANS_CREDENTIAL},     /* xAI, with status 400 */
    {GW_STR_INIT("usage guidelines"), MEANS_SAFETY},          /* xAI, with status 403 */
    {GW_STR_INIT("content management policy"), MEANS_SAFETY}, /* Azure */
};

/* ---- shapes ---- */

static bool is_name(struct gw_str code)
{
    return code.len > 0 && (code.ptr[0] < '0' || code.ptr[0] > '9');
}

static uint64_t read_status(yyjson_val *object, const char *key)
{
    uint64_t status = gw_json_get_u64(object, key, 0);
    struct gw_str text = gw_json_get_text(object, key);
    if (text.len > 0 && gw_parse_u64(text, &status) != GW_OK) {
        status = 0;
    }
    return status >= 400 && status <= 599 ? status : 0;
}

/* {"detail":"text"} and {"detail":[{"msg":"text"}]}, FastAPI's. */
static struct gw_str read_detail(yyjson_val *object)
{
    yyjson_val *detail = gw_json_get(object, "detail");
    return yyjson_is_arr(detail) ? gw_json_get_text(yyjson_arr_get_first(detail), "msg")
                                 : gw_json_text(detail);
}

static void read_object(yyjson_val *object, struct refusal *refusal)
{
    yyjson_val *message = gw_json_get(object, "message");
    struct gw_str code = gw_json_get_text(object, "code");
    refusal->message = yyjson_is_obj(message) ? read_detail(message) : gw_json_text(message);
    if (refusal->message.len == 0) {
        refusal->message = read_detail(object);
    }
    refusal->code = is_name(code) ? code : gw_str(NULL, 0);
    refusal->type = gw_json_get_text(object, "type");
    refusal->param = gw_json_get_text(object, "param");
    static const char *const places[] = {"status", "status_code", "statusCode", "raw_status_code",
                                         "code"};
    for (size_t i = 0; i < GW_ARRAY_LEN(places) && refusal->status == 0; i++) {
        refusal->status = read_status(object, places[i]);
    }
}

static struct refusal read_refusal(yyjson_val *root)
{
    struct refusal refusal = {0};
    if (yyjson_is_arr(root)) { /* Google's compatibility layer */
        root = yyjson_arr_get_first(root);
    }
    yyjson_val *error = gw_json_get(root, "error");
    if (yyjson_is_obj(error)) {
        read_object(error, &refusal);
        return refusal;
    }
    read_object(root, &refusal);
    if (yyjson_is_str(error)) { /* xAI, Ollama */
        refusal.message = gw_json_text(error);
    }
    return refusal;
}

/* ---- meanings ---- */

static enum meaning find_meaning(const struct refusal *refusal)
{
    for (size_t i = 0; i < GW_ARRAY_LEN(codes); i++) {
        if (gw_str_eq(refusal->code, codes[i].code)) {
            return codes[i].meaning;
        }
    }
    for (size_t i = 0; i < GW_ARRAY_LEN(wordings); i++) {
        if (gw_str_find(refusal->message, wordings[i].words) < refusal->message.len) {
            return wordings[i].meaning;
        }
    }
    for (size_t i = 0; i < GW_ARRAY_LEN(codes); i++) {
        if (gw_str_eq(refusal->type, codes[i].code)) {
            return codes[i].meaning;
        }
    }
    return MEANS_NOTHING;
}

static void set(struct gw_error *error, enum gw_error_class class, bool is_retryable,
                bool can_fallback)
{
    error->class = class;
    error->is_retryable = is_retryable;
    error->can_fallback = can_fallback;
}

/* A wrong key that comes as 400. */
static void mean_credential(struct gw_error *error)
{
    if (error->upstream_status != 401 && error->upstream_status != 403) {
        unsigned status = error->upstream_status;
        gw_provider_explain_status(401, NULL, 0, error);
        error->upstream_status = status;
    }
}

static void apply(enum meaning meaning, struct gw_error *error)
{
    if (meaning != MEANS_NOTHING && meaning != MEANS_CREDENTIAL) {
        error->is_credential = false;
    }
    switch (meaning) {
    case MEANS_NOTHING:
        break;
    case MEANS_CONTEXT:
        set(error, GW_ERROR_CLIENT, false, true);
        error->status = 400;
        error->code = GW_STR("context_length_exceeded");
        break;
    case MEANS_SAFETY:
        set(error, GW_ERROR_CLIENT, false, false);
        error->status = 400;
        error->code = GW_STR("content_filter");
        break;
    case MEANS_CREDENTIAL:
        mean_credential(error);
        break;
    case MEANS_NO_MODEL:
        set(error, GW_ERROR_UPSTREAM, false, true);
        error->status = 404;
        error->code = GW_STR("model_not_found");
        break;
    case MEANS_BILLING:
        set(error, GW_ERROR_UPSTREAM, false, true);
        error->code = GW_STR("insufficient_quota");
        break;
    case MEANS_MODEL_FAILED:
        set(error, GW_ERROR_UPSTREAM, true, true);
        break;
    case MEANS_RATE:
        set(error, GW_ERROR_LIMIT, true, true);
        error->status = 429;
        error->code = GW_STR("rate_limit_exceeded");
        break;
    case MEANS_OVERLOADED:
        set(error, GW_ERROR_OVERLOADED, true, true);
        error->status = 503;
        break;
    case MEANS_SERVER:
        set(error, GW_ERROR_UPSTREAM, true, true);
        break;
    }
}

/* What the status alone does not tell right for this family. */
static void correct_status(struct gw_error *error)
{
    switch (error->upstream_status) {
    case 413: /* Groq: one request is more than a minute's tokens */
        error->can_fallback = true;
        break;
    case 424: /* Azure: a part behind it failed */
        set(error, GW_ERROR_UPSTREAM, true, true);
        error->status = 502;
        break;
    case 498: /* Groq's flex tier is full; no other client knows this status */
        set(error, GW_ERROR_OVERLOADED, true, true);
        error->status = 503;
        break;
    case 503:
    case 529:
        set(error, GW_ERROR_OVERLOADED, true, true);
        break;
    default:
        break;
    }
}

/* Does the meaning fit the status? A code of a proxy must not make a 500 the client's fault. */
static bool is_trusted(enum meaning meaning, unsigned status)
{
    bool is_client = meaning == MEANS_CONTEXT || meaning == MEANS_SAFETY ||
                     meaning == MEANS_NO_MODEL || meaning == MEANS_MODEL_FAILED;
    if (meaning == MEANS_SERVER || meaning == MEANS_OVERLOADED) {
        return status >= 500 || status == 498 || status == 429;
    }
    /* Groq's one request above a minute's tokens: waiting does not help. */
    bool is_hopeless = meaning == MEANS_RATE && status == 413;
    return is_client ? status < 500 : !is_hopeless;
}

static void explain(const struct refusal *refusal, struct gw_error *error)
{
    enum meaning meaning = find_meaning(refusal);
    if (is_trusted(meaning, error->upstream_status)) {
        apply(meaning, error);
    }
    struct gw_str text = refusal->message;
    text.len = text.len < GW_OPENAI_ERROR_TEXT_BYTES ? text.len : GW_OPENAI_ERROR_TEXT_BYTES;
    if (error->is_credential) {
        error->detail = text; /* the client reads that it is not about its own key */
        return;
    }
    if (text.len > 0) {
        error->message = text;
    }
    error->param = refusal->param;
    if (error->code.len == 0) {
        error->code = refusal->code;
    }
}

/* "Please retry after 33 seconds.", where no field says it. */
static uint64_t wait_in_words(struct gw_str message)
{
    struct gw_str words = GW_STR("retry after ");
    size_t at = gw_str_find(message, words);
    struct gw_str rest = gw_str_skip(message, at + words.len);
    uint64_t seconds = 0;
    if (at == message.len) {
        return 0;
    }
    for (size_t i = 0; i < rest.len && i < 6 && rest.ptr[i] >= '0' && rest.ptr[i] <= '9'; i++) {
        seconds = seconds * 10 + (uint64_t)(rest.ptr[i] - '0');
    }
    return seconds;
}

/* The vendor's own advice goes before the table. */
static void obey_advice(const struct gw_header *headers, size_t count, struct gw_error *error)
{
    for (size_t i = 0; i < count; i++) {
        if (gw_str_eq(headers[i].name, GW_STR("x-should-retry"))) {
            error->is_retryable =
                gw_str_eq(headers[i].value, GW_STR("true")) ||
                (error->is_retryable && !gw_str_eq(headers[i].value, GW_STR("false")));
        }
    }
}

/* Texts that outlive the body's document. */
static void keep(struct gw_arena *arena, struct gw_str *text)
{
    if (text->len > 0) {
        *text = gw_arena_try_dup(arena, *text);
    }
}

void gw_openai_read_error(unsigned status, const struct gw_header *headers, size_t header_count,
                          struct gw_str body, struct gw_arena *arena, struct gw_error *error)
{
    struct gw_json_reader reader;
    yyjson_val *root = NULL;
    gw_provider_explain_status(status, headers, header_count, error);
    correct_status(error);
    gw_json_reader_init(&reader, GW_PROVIDER_ERROR_BYTES);
    if (gw_json_read(&reader, body, &root) == GW_OK) {
        struct refusal refusal = read_refusal(root);
        explain(&refusal, error);
        if (error->retry_after_s == 0 && status == 429) {
            error->retry_after_s = wait_in_words(refusal.message);
        }
    }
    obey_advice(headers, header_count, error);
    keep(arena, &error->message);
    keep(arena, &error->detail);
    keep(arena, &error->code);
    keep(arena, &error->param);
    gw_json_reader_fini(&reader);
}

void gw_openai_explain_event(yyjson_val *root, struct gw_error *error)
{
    struct refusal refusal = read_refusal(root);
    enum meaning meaning = find_meaning(&refusal);
    unsigned status = (unsigned)refusal.status;
    if (status == 0) {
        status = meaning == MEANS_NOTHING || meaning == MEANS_SERVER ? 502 : 400;
    }
    if (refusal.status == 0 && (meaning == MEANS_OVERLOADED || meaning == MEANS_RATE)) {
        status = meaning == MEANS_RATE ? 429 : 503;
    }
    gw_provider_explain_status(status, NULL, 0, error);
    correct_status(error);
    explain(&refusal, error);
    error->upstream_status = 200; /* the answer had begun */
    if (error->message.len == 0) {
        error->message = GW_STR("The provider reported an error in the middle of its answer.");
    }
}
