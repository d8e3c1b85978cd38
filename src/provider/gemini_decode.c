/* SPDX-License-Identifier: MIT */
/*
 * provider/gemini_decode - answers of generateContent as neutral events (gemini.md sections 5, 6).
 *
 *   bytes -> plain: one document                     \
 *         -> SSE: "data:" documents, and bare errors  > respond() -> events; the end -> FINISH,
 *         -> a JSON array piece by piece             /               USAGE, END
 *
 * Which of the two stream forms it is shows in the first byte that is no blank: a client that
 * speaks Gemini's dialect itself chooses it.
 */
#include "base/alloc.h"
#include "base/assert.h"
#include "http/sse.h"
#include "provider/gemini_int.h"
#include "json/value.h"
#include "json/write.h"

enum form {
    FORM_UNKNOWN,
    FORM_PLAIN,
    FORM_SSE,
    FORM_ARRAY,
};

struct gw_decoder {
    struct gw_decoder_opts opts;
    enum form form;
    enum gw_err err; /* sticky */
    struct gw_json_reader reader;
    struct gw_sse sse;
    struct gw_gemini_split split;
    struct gw_buf body;  /* FORM_PLAIN */
    struct gw_buf stray; /* FORM_SSE: lines that are no fields: an error, pretty-printed */
    struct gw_buf text;  /* one event's: arguments, logprobs, annotations */
    bool is_started;
    bool has_output;
    bool is_ending;
    bool is_failed; /* ERROR was given */
    bool has_finish;
    enum gw_finish finish;
    unsigned tool_count;
    size_t citation_count;
    struct gw_usage usage;
    char message[96];
};

static enum gw_err emit(struct gw_decoder *d, const struct gw_event *event)
{
    d->has_output = d->has_output || gw_event_is_output(event);
    return d->opts.on_event(d->opts.user, event);
}

/* ---- parts ---- */

static bool is_custom(const struct gw_decoder *d, struct gw_str name)
{
    const struct gw_gemini_memory *memory = d->opts.memory;
    for (size_t i = 0; memory != NULL && i < memory->custom_tool_count; i++) {
        if (gw_str_eq(name, memory->custom_tools[i])) {
            return true;
        }
    }
    return false;
}

/* The arguments' JSON text, or a custom tool's input. */
static struct gw_str read_arguments(struct gw_decoder *d, yyjson_val *args, bool is_text)
{
    struct gw_str input = gw_json_get_text(args, "input");
    if (is_text && input.ptr != NULL) {
        return input;
    }
    if (!yyjson_is_obj(args)) {
        return GW_STR("{}");
    }
    gw_buf_reset(&d->text);
    gw_json_write(args, &d->text);
    return gw_buf_str(&d->text);
}

/* Calls come whole. On Vertex a client may ask for pieces ("partialArgs"): then it speaks Gemini's
 * dialect itself, and only the first piece, which has the name, is told. */
static enum gw_err give_call(struct gw_decoder *d, yyjson_val *part, yyjson_val *call)
{
    struct gw_str name = gw_json_get_text(call, "name");
    if (name.len == 0) {
        return GW_OK;
    }
    unsigned index = d->tool_count++;
    bool is_text = is_custom(d, name);
    struct gw_event begin = {
        .type = GW_EVENT_TOOL_BEGIN,
        .tool = {.index = index,
                 .id = gw_json_get_text(call, "id"),
                 .name = name,
                 .is_custom = is_text,
                 .thought_signature = gw_json_get_text(part, "thoughtSignature")}};
    struct gw_event arguments = {.type = GW_EVENT_TOOL_ARGUMENTS, .arguments = {.index = index}};
    struct gw_event end = {.type = GW_EVENT_TOOL_END, .index = index};
    arguments.arguments.text = read_arguments(d, gw_json_get(call, "args"), is_text);
    enum gw_err err = d->text.err;
    err = err == GW_OK ? emit(d, &begin) : err;
    err = err == GW_OK ? emit(d, &arguments) : err;
    return err == GW_OK ? emit(d, &end) : err;
}

static enum gw_err give_text(struct gw_decoder *d, enum gw_event_type type, struct gw_str text,
                             yyjson_val *logprobs)
{
    struct gw_event event = {.type = type, .text = text};
    if (logprobs != NULL) {
        gw_buf_reset(&d->text);
        gw_gemini_write_logprobs(logprobs, &d->text);
        event.logprobs = gw_buf_str(&d->text);
        if (d->text.err != GW_OK) {
            return d->text.err;
        }
    }
    return text.len > 0 || logprobs != NULL ? emit(d, &event) : GW_OK;
}

static enum gw_err give_media(struct gw_decoder *d, yyjson_val *media)
{
    struct gw_event event = {.type = GW_EVENT_MEDIA,
                             .media = {.mime_type = gw_json_get_text(media, "mimeType"),
                                       .base64 = gw_json_get_text(media, "data")}};
    return event.media.base64.len > 0 ? emit(d, &event) : GW_OK;
}

/* What Google's own code tool ran and what came of it: text for everybody else. */
static enum gw_err give_code(struct gw_decoder *d, struct gw_str text, struct gw_str language)
{
    struct gw_event event = {.type = GW_EVENT_TEXT};
    gw_buf_reset(&d->text);
    (void)gw_buf_append(&d->text, GW_STR("\n```"));
    (void)gw_buf_append(&d->text, language);
    (void)gw_buf_append(&d->text, GW_STR("\n"));
    (void)gw_buf_append(&d->text, text);
    (void)gw_buf_append(&d->text, GW_STR("\n```\n"));
    event.text = gw_buf_str(&d->text);
    return d->text.err == GW_OK ? emit(d, &event) : d->text.err;
}

/* Google's signature of a part that is no call, an empty text often. */
static enum gw_err give_signature(struct gw_decoder *d, yyjson_val *part)
{
    struct gw_event event = {.type = GW_EVENT_REASONING_SIGNATURE,
                             .signature = {.value = gw_json_get_text(part, "thoughtSignature"),
                                           .signer = GW_SIGNER_GOOGLE}};
    return event.signature.value.len > 0 ? emit(d, &event) : GW_OK;
}

static enum gw_err give_text_part(struct gw_decoder *d, yyjson_val *part, yyjson_val **logprobs)
{
    struct gw_str text = gw_json_get_text(part, "text");
    enum gw_err err;
    if (gw_json_get_true(part, "thought")) {
        err = give_text(d, GW_EVENT_REASONING, text, NULL);
    } else {
        err = give_text(d, GW_EVENT_TEXT, text, *logprobs);
        *logprobs = NULL; /* they are of the candidate's chunk: once */
    }
    return err == GW_OK ? give_signature(d, part) : err;
}

static enum gw_err give_part(struct gw_decoder *d, yyjson_val *part, yyjson_val **logprobs)
{
    yyjson_val *call = gw_json_get(part, "functionCall");
    yyjson_val *media = gw_json_get(part, "inlineData");
    yyjson_val *code = gw_json_get(part, "executableCode");
    yyjson_val *result = gw_json_get(part, "codeExecutionResult");
    if (gw_json_get(part, "text") != NULL) {
        return give_text_part(d, part, logprobs);
    }
    if (yyjson_is_obj(call)) {
        return give_call(d, part, call);
    }
    if (media != NULL) {
        return give_media(d, media);
    }
    if (code != NULL) {
        return give_code(d, gw_json_get_text(code, "code"), GW_STR("python"));
    }
    return result != NULL ? give_code(d, gw_json_get_text(result, "output"), GW_STR("")) : GW_OK;
}

/* ---- a candidate ---- */

/* Sources of grounding as OpenAI's citations. Google tells positions in bytes of the whole text,
 * which is not at hand: they are left at 0. Later chunks repeat the list, longer. */
static enum gw_err give_citations(struct gw_decoder *d, yyjson_val *metadata)
{
    yyjson_arr_iter iter = yyjson_arr_iter_with(gw_json_get(metadata, "groundingChunks"));
    size_t index = 0;
    enum gw_err err = GW_OK;
    for (yyjson_val *chunk = yyjson_arr_iter_next(&iter); chunk != NULL && err == GW_OK;
         chunk = yyjson_arr_iter_next(&iter)) {
        yyjson_val *web = gw_json_get(chunk, "web");
        if (index++ < d->citation_count || web == NULL) {
            continue;
        }
        struct gw_buf *out = &d->text;
        gw_buf_reset(out);
        (void)gw_buf_append(out,
                            GW_STR("{\"type\":\"url_citation\",\"url_citation\":{\"start_index\":0,"
                                   "\"end_index\":0"));
        gw_json_write_member(GW_STR("url"), gw_json_get_text(web, "uri"), out);
        gw_json_write_member(GW_STR("title"), gw_json_get_text(web, "title"), out);
        (void)gw_buf_append(out, GW_STR("}}"));
        struct gw_event event = {.type = GW_EVENT_ANNOTATION, .annotation = gw_buf_str(out)};
        err = out->err == GW_OK ? emit(d, &event) : out->err;
    }
    d->citation_count = index > d->citation_count ? index : d->citation_count;
    return err;
}

static bool is_filter(struct gw_str reason)
{
    static const struct gw_str reasons[] = {
        GW_STR_INIT("SAFETY"),
        GW_STR_INIT("RECITATION"),
        GW_STR_INIT("BLOCKLIST"),
        GW_STR_INIT("PROHIBITED_CONTENT"),
        GW_STR_INIT("SPII"),
        GW_STR_INIT("LANGUAGE"),
        GW_STR_INIT("IMAGE_SAFETY"),
        GW_STR_INIT("IMAGE_PROHIBITED_CONTENT"),
        GW_STR_INIT("IMAGE_RECITATION"),
        GW_STR_INIT("IMAGE_OTHER"),
        GW_STR_INIT("MODEL_ARMOR"),
    };
    for (size_t i = 0; i < GW_ARRAY_LEN(reasons); i++) {
        if (gw_str_eq(reason, reasons[i])) {
            return true;
        }
    }
    return false;
}

/* Clients made from Google's protocol buffers ask for enums as numbers
 * ("$alt=json;enum-encoding=int"), and such an answer passes through here as well. */
static struct gw_str finish_reason(yyjson_val *reason)
{
    static const struct gw_str names[] = {GW_STR_INIT("FINISH_REASON_UNSPECIFIED"),
                                          GW_STR_INIT("STOP"),
                                          GW_STR_INIT("MAX_TOKENS"),
                                          GW_STR_INIT("SAFETY"),
                                          GW_STR_INIT("RECITATION"),
                                          GW_STR_INIT("OTHER"),
                                          GW_STR_INIT("LANGUAGE"),
                                          GW_STR_INIT("BLOCKLIST"),
                                          GW_STR_INIT("PROHIBITED_CONTENT"),
                                          GW_STR_INIT("SPII"),
                                          GW_STR_INIT("MALFORMED_FUNCTION_CALL"),
                                          GW_STR_INIT("IMAGE_SAFETY"),
                                          GW_STR_INIT("UNEXPECTED_TOOL_CALL"),
                                          GW_STR_INIT("TOO_MANY_TOOL_CALLS"),
                                          GW_STR_INIT("IMAGE_PROHIBITED_CONTENT"),
                                          GW_STR_INIT("IMAGE_OTHER"),
                                          GW_STR_INIT("NO_IMAGE"),
                                          GW_STR_INIT("IMAGE_RECITATION")};
    uint64_t number = yyjson_get_uint(reason);
    if (!yyjson_is_uint(reason)) {
        return gw_json_text(reason);
    }
    return number < GW_ARRAY_LEN(names) ? names[number] : GW_STR("a new reason");
}

static void finish_with(struct gw_decoder *d, enum gw_finish finish)
{
    d->has_finish = true;
    d->finish = finish;
}

static enum gw_err fail(struct gw_decoder *d, const struct gw_error *error)
{
    struct gw_event event = {.type = GW_EVENT_ERROR, .error = error};
    d->is_failed = true;
    return emit(d, &event);
}

/* A malformed call, no image, and what is not known yet: nothing the client could use, and worth
 * another try while it has got nothing. */
static enum gw_err finish_odd(struct gw_decoder *d, struct gw_str reason)
{
    if (d->has_output) {
        finish_with(d, GW_FINISH_STOP);
        return GW_OK;
    }
    reason.len = reason.len < 48 ? reason.len : 48;
    int len = snprintf(d->message, sizeof(d->message), "The model gave no answer (" GW_STR_FMT ").",
                       GW_STR_ARG(reason));
    struct gw_error error = {.class = GW_ERROR_UPSTREAM,
                             .status = 502,
                             .is_retryable = true,
                             .can_fallback = true,
                             .code = GW_STR("empty_answer"),
                             .message = gw_str(d->message, len > 0 ? (size_t)len : 0)};
    return fail(d, &error);
}

static enum gw_err read_finish(struct gw_decoder *d, struct gw_str reason)
{
    if (reason.len == 0 || gw_str_eq(reason, GW_STR("FINISH_REASON_UNSPECIFIED"))) {
        return GW_OK;
    }
    if (gw_str_eq(reason, GW_STR("STOP"))) { /* of calls too */
        finish_with(d, d->tool_count > 0 ? GW_FINISH_TOOL_CALLS : GW_FINISH_STOP);
    } else if (gw_str_eq(reason, GW_STR("MAX_TOKENS"))) {
        finish_with(d, GW_FINISH_LENGTH);
    } else if (is_filter(reason)) {
        finish_with(d, GW_FINISH_CONTENT_FILTER);
    } else {
        return finish_odd(d, reason);
    }
    return GW_OK;
}

static enum gw_err read_candidate(struct gw_decoder *d, yyjson_val *candidate)
{
    yyjson_val *logprobs = gw_json_get(candidate, "logprobsResult");
    yyjson_arr_iter iter =
        yyjson_arr_iter_with(gw_json_get(gw_json_get(candidate, "content"), "parts"));
    enum gw_err err = GW_OK;
    for (yyjson_val *part = yyjson_arr_iter_next(&iter); part != NULL && err == GW_OK;
         part = yyjson_arr_iter_next(&iter)) {
        err = give_part(d, part, &logprobs);
    }
    if (err == GW_OK) {
        err = give_citations(d, gw_json_get(candidate, "groundingMetadata"));
    }
    return err == GW_OK ? read_finish(d, finish_reason(gw_json_get(candidate, "finishReason")))
                        : err;
}

/* ---- one response ---- */

static enum gw_err begin(struct gw_decoder *d, yyjson_val *root)
{
    if (d->is_started) {
        return GW_OK;
    }
    struct gw_event event = {.type = GW_EVENT_START,
                             .start = {.id = gw_json_get_text(root, "responseId"),
                                       .model = gw_json_get_text(root, "modelVersion")}};
    d->is_started = true;
    return emit(d, &event);
}

static enum gw_err read_failure(struct gw_decoder *d, yyjson_val *value)
{
    struct gw_error error = {0};
    uint64_t status = gw_json_get_u64(value, "code", 500);
    if (status < 400 || status > 599) {
        status = 500;
    }
    gw_provider_explain_status((unsigned)status, NULL, 0, &error);
    gw_gemini_explain_error(value, (unsigned)status, &error);
    if (error.message.len == 0) {
        error.message = GW_STR("The provider ended its answer with an error.");
    }
    return fail(d, &error);
}

static enum gw_err read_candidates(struct gw_decoder *d, yyjson_val *root)
{
    yyjson_val *candidates = gw_json_get(root, "candidates");
    yyjson_val *total = gw_json_get(root, "totalTokens");
    yyjson_arr_iter iter = yyjson_arr_iter_with(candidates);
    enum gw_err err = GW_OK;
    for (yyjson_val *candidate = yyjson_arr_iter_next(&iter); candidate != NULL && err == GW_OK;
         candidate = yyjson_arr_iter_next(&iter)) {
        if (gw_json_get_u64(candidate, "index", 0) == 0) {
            err = read_candidate(d, candidate);
        }
    }
    if (yyjson_arr_size(candidates) == 0 &&
        gw_json_get(gw_json_get(root, "promptFeedback"), "blockReason") != NULL) {
        finish_with(d, GW_FINISH_CONTENT_FILTER);
    }
    if (yyjson_is_uint(total)) { /* of countTokens */
        d->usage = (struct gw_usage){.input_tokens = yyjson_get_uint(total), .is_known = true};
        finish_with(d, GW_FINISH_STOP);
    }
    return err;
}

static enum gw_err respond(struct gw_decoder *d, yyjson_val *root)
{
    yyjson_val *failure = gw_gemini_find_error(root);
    if (d->is_failed) {
        return GW_OK;
    }
    if (failure != NULL) {
        return read_failure(d, failure);
    }
    if (!yyjson_is_obj(root)) {
        return GW_ERR_PROTOCOL;
    }
    enum gw_err err = begin(d, root);
    yyjson_val *usage = gw_json_get(root, "usageMetadata");
    if (usage != NULL) {
        gw_gemini_read_usage(usage, &d->usage);
    }
    return err == GW_OK ? read_candidates(d, root) : err;
}

static enum gw_err take_document(void *user, struct gw_str json)
{
    struct gw_decoder *d = user;
    yyjson_val *root = NULL;
    enum gw_err err = gw_json_read(&d->reader, json, &root);
    if (err == GW_OK) {
        return respond(d, root);
    }
    if (err != GW_ERR_INVALID) {
        return err;
    }
    return d->is_ending ? GW_ERR_EOF : GW_ERR_PROTOCOL;
}

/* ---- streams ---- */

/* Errors in the middle of a stream come without "data:", over several lines; blank lines between
 * them are events' ends to the parser. */
static enum gw_err take_stray(struct gw_decoder *d, const struct gw_sse_event *event)
{
    yyjson_val *root = NULL;
    bool begins =
        event->other.len > 0 && (event->other.ptr[0] == '{' || event->other.ptr[0] == '[');
    if (d->stray.len == 0 && !begins) {
        return GW_OK;
    }
    size_t at = d->stray.len == 0 ? (size_t)(event->other.ptr - event->raw.ptr) : 0;
    enum gw_err err = gw_buf_append(&d->stray, gw_str_skip(event->raw, at));
    if (err != GW_OK) {
        return err;
    }
    err = gw_json_read(&d->reader, gw_str_trim(gw_buf_str(&d->stray)), &root);
    if (err != GW_OK) {
        return err == GW_ERR_INVALID ? GW_OK : err;
    }
    gw_buf_reset(&d->stray);
    return respond(d, root);
}

static enum gw_err on_sse_event(void *user, const struct gw_sse_event *event)
{
    struct gw_decoder *d = user;
    enum gw_err err = GW_OK;
    if (event->data.ptr != NULL) {
        gw_buf_reset(&d->stray);
        err = take_document(d, event->data);
    }
    return err == GW_OK && (event->data.ptr == NULL || event->other.ptr != NULL)
               ? take_stray(d, event)
               : err;
}

/* Blanks in front are dropped in any case, so that the split does not decide what they mean. */
static struct gw_str choose_form(struct gw_decoder *d, struct gw_str rest)
{
    while (rest.len > 0 && (rest.ptr[0] == ' ' || rest.ptr[0] == '\t' || rest.ptr[0] == '\r' ||
                            rest.ptr[0] == '\n')) {
        rest = gw_str_skip(rest, 1);
    }
    if (rest.len > 0) {
        d->form = rest.ptr[0] == '[' || rest.ptr[0] == '{' ? FORM_ARRAY : FORM_SSE;
    }
    return rest;
}

static enum gw_err feed(struct gw_decoder *d, struct gw_str bytes)
{
    if (d->form == FORM_UNKNOWN) {
        bytes = choose_form(d, bytes);
    }
    switch (d->form) {
    case FORM_UNKNOWN:
        return GW_OK; /* blanks only */
    case FORM_PLAIN:
        return gw_buf_append(&d->body, bytes);
    case FORM_SSE:
        return gw_sse_feed(&d->sse, bytes, on_sse_event, d);
    case FORM_ARRAY:
        return gw_gemini_split_feed(&d->split, bytes, take_document, d);
    }
    GW_UNREACHABLE("form");
}

static enum gw_err finish(struct gw_decoder *d)
{
    struct gw_event finish = {.type = GW_EVENT_FINISH, .finish = {.reason = d->finish}};
    struct gw_event usage = {.type = GW_EVENT_USAGE, .usage = d->usage};
    struct gw_event end = {.type = GW_EVENT_END};
    enum gw_err err = GW_OK;
    if (d->is_failed) {
        return GW_OK;
    }
    if (!d->has_finish) {
        return d->form == FORM_PLAIN ? GW_ERR_PROTOCOL : GW_ERR_EOF;
    }
    err = emit(d, &finish);
    if (err == GW_OK && d->usage.is_known) {
        err = emit(d, &usage);
    }
    return err == GW_OK ? emit(d, &end) : err;
}

/* ---- the interface ---- */

struct gw_decoder *gw_gemini_decoder_create(const struct gw_decoder_opts *opts)
{
    struct gw_decoder *d = gw_try_alloc(sizeof(*d));
    if (d == NULL) {
        return NULL;
    }
    bool is_plain = opts->mode == GW_DECODE_PLAIN;
    size_t max_bytes = is_plain ? GW_PROVIDER_MAX_ANSWER_BYTES : GW_PROVIDER_MAX_EVENT_BYTES;
    *d = (struct gw_decoder){.opts = *opts, .form = is_plain ? FORM_PLAIN : FORM_UNKNOWN};
    gw_json_reader_init(&d->reader, max_bytes);
    gw_sse_init(&d->sse, max_bytes);
    gw_gemini_split_init(&d->split, max_bytes);
    gw_buf_init(&d->body, max_bytes);
    gw_buf_init(&d->stray, GW_PROVIDER_ERROR_BYTES);
    /* What is written again may grow: a byte becomes six ("\u0000") at most. */
    gw_buf_init(&d->text, 6 * max_bytes);
    return d;
}

enum gw_err gw_gemini_feed(struct gw_decoder *d, struct gw_str bytes)
{
    if (d->err == GW_OK) {
        d->err = feed(d, bytes);
    }
    return d->err;
}

enum gw_err gw_gemini_end(struct gw_decoder *d)
{
    enum gw_err err = d->err;
    d->is_ending = true;
    if (err == GW_OK && d->form == FORM_PLAIN) {
        err = take_document(d, gw_buf_str(&d->body));
        err = err == GW_ERR_EOF ? GW_ERR_PROTOCOL : err;
    } else if (err == GW_OK && d->form == FORM_SSE) {
        err = gw_sse_finish(&d->sse, on_sse_event, d);
    }
    d->err = err == GW_OK ? finish(d) : err;
    return d->err;
}

void gw_gemini_decoder_destroy(struct gw_decoder *d)
{
    if (d == NULL) {
        return;
    }
    gw_json_reader_fini(&d->reader);
    gw_sse_fini(&d->sse);
    gw_gemini_split_fini(&d->split);
    gw_buf_fini(&d->body);
    gw_buf_fini(&d->stray);
    gw_buf_fini(&d->text);
    gw_free(d);
}
