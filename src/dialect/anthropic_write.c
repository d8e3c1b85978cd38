/* SPDX-License-Identifier: MIT */
/* dialect/anthropic_write - ids, usage, stop reasons, seals and errors: what streams and plain
 * answers have in common (inbound.md A5, A6). */
#include <stdio.h>

#include "base/crc32.h"
#include "dialect/anthropic_int.h"
#include "json/value.h"
#include "json/write.h"

#define ID_BYTES 128 /* longer ids of providers are cut; theirs have some 50 */
/* A citation's annotation; titles and URLs have some hundred bytes. */
#define CITATION_BYTES (64u * 1024)

/* ---- ids ---- */

static bool is_id_byte(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || byte == '_' || byte == '-';
}

static bool is_plain_id(struct gw_str id)
{
    for (size_t i = 0; i < id.len; i++) {
        if (!is_id_byte(id.ptr[i])) {
            return false;
        }
    }
    return id.len > 0 && id.len <= ID_BYTES;
}

static void append_replaced(struct gw_str id, struct gw_buf *out)
{
    for (size_t i = 0; i < id.len && i < ID_BYTES; i++) {
        (void)gw_buf_append_byte(out, is_id_byte(id.ptr[i]) ? id.ptr[i] : '_');
    }
}

void gw_messages_write_id(const struct gw_encoder_opts *opts, struct gw_str id, struct gw_buf *out)
{
    (void)gw_buf_append_byte(out, '"');
    if (gw_str_has_prefix(id, GW_STR("msg_")) && is_plain_id(id)) {
        (void)gw_buf_append(out, id);
    } else {
        (void)gw_buf_append(out, GW_STR("msg_"));
        append_replaced(opts->request_id, out);
    }
    (void)gw_buf_append_byte(out, '"');
}

/* A sum keeps ids different that only differ in what is replaced. */
void gw_messages_write_tool_id(const struct gw_encoder_opts *opts, struct gw_str id, unsigned index,
                               struct gw_buf *out)
{
    char text[16];
    (void)gw_buf_append_byte(out, '"');
    if (is_plain_id(id)) {
        (void)gw_buf_append(out, id);
    } else if (id.len > 0) {
        int len = snprintf(text, sizeof(text), "_%08x", (unsigned)gw_crc32(0, id));
        append_replaced(id, out);
        (void)gw_buf_append(out, gw_str(text, (size_t)len));
    } else {
        int len = snprintf(text, sizeof(text), "_%u", index);
        (void)gw_buf_append(out, GW_STR("toolu_"));
        append_replaced(opts->request_id, out);
        (void)gw_buf_append(out, gw_str(text, (size_t)len));
    }
    (void)gw_buf_append_byte(out, '"');
}

/* ---- usage and stop reasons ---- */

void gw_messages_write_usage(const struct gw_usage *usage, struct gw_buf *out)
{
    uint64_t cached = usage->cached_tokens + usage->cache_write_tokens;
    uint64_t fresh = usage->input_tokens > cached ? usage->input_tokens - cached : 0;
    (void)gw_buf_append_byte(out, '{');
    gw_json_write_count(GW_STR("input_tokens"), fresh, out);
    gw_json_write_count(GW_STR("cache_creation_input_tokens"), usage->cache_write_tokens, out);
    gw_json_write_count(GW_STR("cache_read_input_tokens"), usage->cached_tokens, out);
    gw_json_write_count(GW_STR("output_tokens"), usage->output_tokens, out);
    (void)gw_buf_append_byte(out, '}');
}

static struct gw_str stop_text(enum gw_finish finish, bool has_tools)
{
    switch (finish) {
    case GW_FINISH_UNKNOWN:
        return has_tools ? GW_STR("tool_use") : GW_STR("end_turn");
    case GW_FINISH_STOP:
        return GW_STR("end_turn");
    case GW_FINISH_LENGTH:
        return GW_STR("max_tokens");
    case GW_FINISH_TOOL_CALLS:
        return GW_STR("tool_use");
    case GW_FINISH_CONTENT_FILTER:
        return GW_STR("refusal");
    case GW_FINISH_COUNT:
        break;
    }
    return GW_STR("end_turn");
}

void gw_messages_write_stop(enum gw_finish finish, struct gw_str stop_sequence, bool has_tools,
                            struct gw_buf *out)
{
    bool is_sequence = finish == GW_FINISH_STOP && stop_sequence.len > 0;
    gw_json_write_member(GW_STR("stop_reason"),
                         is_sequence ? GW_STR("stop_sequence") : stop_text(finish, has_tools), out);
    if (is_sequence) {
        gw_json_write_member(GW_STR("stop_sequence"), stop_sequence, out);
    } else {
        gw_json_write_raw(GW_STR("stop_sequence"), GW_STR("null"), out);
    }
}

/* ---- seals ---- */

#define SEAL_OPENAI "gatewire.openai."
#define SEAL_GOOGLE "gatewire.google."

struct gw_messages_seal gw_messages_open_seal(struct gw_str text)
{
    static const struct gw_str openai = GW_STR_INIT(SEAL_OPENAI);
    static const struct gw_str google = GW_STR_INIT(SEAL_GOOGLE);
    if (text.len == 0) {
        return (struct gw_messages_seal){.signer = GW_SIGNER_NONE};
    }
    if (gw_str_has_prefix(text, google)) {
        return (struct gw_messages_seal){.signer = GW_SIGNER_GOOGLE,
                                         .value = gw_str_skip(text, google.len)};
    }
    if (gw_str_has_prefix(text, openai)) {
        struct gw_str rest = gw_str_skip(text, openai.len);
        size_t dot = gw_str_find_byte(rest, '.');
        return (struct gw_messages_seal){.signer = GW_SIGNER_OPENAI,
                                         .id = gw_str(rest.ptr, dot),
                                         .value = gw_str_skip(rest, dot + 1)};
    }
    return (struct gw_messages_seal){.signer = GW_SIGNER_ANTHROPIC, .value = text};
}

void gw_messages_write_seal(const struct gw_event_signature *signature, struct gw_buf *out)
{
    switch (signature->signer) {
    case GW_SIGNER_NONE:
        return; /* nobody can read it again */
    case GW_SIGNER_ANTHROPIC:
        break;
    case GW_SIGNER_GOOGLE:
        (void)gw_buf_append(out, GW_STR(SEAL_GOOGLE));
        break;
    case GW_SIGNER_OPENAI:
        (void)gw_buf_append(out, GW_STR(SEAL_OPENAI));
        append_replaced(signature->id, out);
        (void)gw_buf_append_byte(out, '.');
        break;
    }
    (void)gw_buf_append_json(out, signature->value);
}

/* ---- what this API has in another form ---- */

bool gw_messages_write_citation(struct gw_str annotation, struct gw_buf *out)
{
    struct gw_json_reader reader;
    yyjson_val *root = NULL;
    bool is_citation = false;
    gw_json_reader_init(&reader, CITATION_BYTES);
    if (gw_json_read(&reader, annotation, &root) == GW_OK) {
        yyjson_val *citation = gw_json_get(root, "url_citation");
        citation = citation != NULL ? citation : root;
        struct gw_str url = gw_json_get_text(citation, "url");
        is_citation = url.len > 0;
        if (is_citation) {
            (void)gw_buf_append(out, GW_STR("{\"type\":\"web_search_result_location\""));
            gw_json_write_member(GW_STR("url"), url, out);
            gw_json_write_member(GW_STR("title"), gw_json_get_text(citation, "title"), out);
            (void)gw_buf_append(out, GW_STR(",\"cited_text\":\"\",\"encrypted_index\":\"\"}"));
        }
    }
    gw_json_reader_fini(&reader);
    return is_citation;
}

void gw_messages_write_medium(struct gw_str mime_type, struct gw_str transcript, struct gw_buf *out)
{
    if (transcript.len > 0) {
        (void)gw_buf_append_json(out, transcript);
        return;
    }
    (void)gw_buf_append(out, GW_STR("[The model made something of type "));
    (void)gw_buf_append_json(out, mime_type);
    (void)gw_buf_append(out, GW_STR(", which this API cannot carry.]"));
}

/* ---- errors ---- */

static struct gw_str error_type(const struct gw_error *error)
{
    switch (gw_messages_error_status(error)) {
    case 401:
        return GW_STR("authentication_error");
    case 402:
        return GW_STR("billing_error");
    case 403:
        return GW_STR("permission_error");
    case 404:
        return GW_STR("not_found_error");
    case 409:
        return GW_STR("conflict_error");
    case 413:
        return GW_STR("request_too_large");
    case 429:
        return GW_STR("rate_limit_error");
    case 504:
        return GW_STR("timeout_error");
    case 529:
        return GW_STR("overloaded_error");
    default:
        return error->status >= 500 ? GW_STR("api_error") : GW_STR("invalid_request_error");
    }
}

/* The largest two numbers of a text such as "maximum context length is 8192 tokens. However, you
 * requested 9000 tokens". */
static void find_numbers(struct gw_str text, uint64_t *largest, uint64_t *second)
{
    *largest = 0;
    *second = 0;
    for (size_t i = 0; i < text.len; i++) {
        uint64_t number = 0;
        size_t from = i;
        while (i < text.len && text.ptr[i] >= '0' && text.ptr[i] <= '9' && i - from < 12) {
            number = number * 10 + (uint64_t)(text.ptr[i] - '0');
            i++;
        }
        if (number > *largest) {
            *second = *largest;
            *largest = number;
        } else if (number > *second && number < *largest) {
            *second = number;
        }
    }
}

/* Coding agents shorten their conversation when they read just these words. */
static void write_message(const struct gw_error *error, struct gw_buf *out)
{
    static const struct gw_str words = GW_STR_INIT("prompt is too long");
    uint64_t asked = 0;
    uint64_t limit = 0;
    bool is_context = gw_str_eq(error->code, GW_STR("context_length_exceeded"));
    if (!is_context || gw_str_has_prefix(error->message, words)) {
        (void)gw_buf_append_json(out, error->message);
        return;
    }
    find_numbers(error->message, &asked, &limit);
    (void)gw_buf_append(out, words);
    (void)gw_buf_append(out, GW_STR(": "));
    if (limit >= 1000) { /* smaller ones are no context window */
        (void)gw_buf_appendf(out, "%llu tokens > %llu maximum", (unsigned long long)asked,
                             (unsigned long long)limit);
    } else {
        (void)gw_buf_append_json(out, error->message);
    }
}

void gw_messages_write_error(const struct gw_error *error, struct gw_str request_id,
                             struct gw_buf *out)
{
    (void)gw_buf_append(out, GW_STR("{\"type\":\"error\",\"error\":{"));
    gw_json_write_member(GW_STR("type"), error_type(error), out);
    (void)gw_buf_append(out, GW_STR(",\"message\":\""));
    write_message(error, out);
    (void)gw_buf_append(out, GW_STR("\"}"));
    gw_json_write_optional(GW_STR("request_id"), request_id, out);
    (void)gw_buf_append_byte(out, '}');
}

void gw_messages_write_error_event(const struct gw_error *error, struct gw_str request_id,
                                   struct gw_buf *out)
{
    (void)gw_buf_append(out, GW_STR("event: error\ndata: "));
    gw_messages_write_error(error, request_id, out);
    (void)gw_buf_append(out, GW_STR("\n\n"));
}

unsigned gw_messages_error_status(const struct gw_error *error)
{
    return error->class == GW_ERROR_OVERLOADED ? 529 : error->status;
}
