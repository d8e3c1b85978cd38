/* SPDX-License-Identifier: MIT */
/*
 * http/h1_head - collects the bytes of a head, has llhttp split them, and judges the result.
 *
 * llhttp sees a head in one piece, from the parser's own block: so its outcome cannot depend on how
 * the bytes arrived, fields are views without a copy of their own, and names become lower case in
 * place. A head that arrives in one read costs one allocation of the exact size. What frames a body
 * is decided here from the fields, not taken from llhttp, which would let some of it through.
 *
 *     block: | head text, as received | padding | struct gw_h1_parsed: head, fields[] |
 */
#include <stdalign.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "http/chars_int.h"
#include "http/h1_int.h"
#include "http/url.h"

/* Room for a head that comes in parts: most fit, and a peer that sends one byte holds no more. */
#define FIRST_CAPACITY 1024
/* The core multiplies and compares lengths; no body is near this. */
#define MAX_LENGTH ((uint64_t)INT64_MAX)

enum gw_err gw_h1_refuse(struct gw_h1_parser *parser, unsigned status, const char *what)
{
    parser->failure.status = parser->kind == GW_H1_RESPONSES ? 502 : status;
    parser->failure.what = what;
    return status == 431 ? GW_ERR_TOO_LARGE : GW_ERR_PROTOCOL;
}

enum gw_err gw_h1_refuse_llhttp(struct gw_h1_parser *parser, llhttp_errno_t reason)
{
    switch (reason) {
    case HPE_INVALID_METHOD:
        return gw_h1_refuse(parser, 501, "the method is not known");
    case HPE_INVALID_TRANSFER_ENCODING:
        if ((parser->llhttp.flags & F_CONTENT_LENGTH) != 0) {
            return gw_h1_refuse(parser, 400, "Content-Length together with Transfer-Encoding");
        }
        return gw_h1_refuse(parser, 501, "Transfer-Encoding is not just \"chunked\"");
    case HPE_INVALID_HEADER_TOKEN:
        return gw_h1_refuse(parser, 400, "a field has a character that is not allowed there");
    case HPE_INVALID_CHUNK_SIZE:
        return gw_h1_refuse(parser, 400, "a chunk size is not valid");
    default:
        break;
    }
    const char *what = llhttp_get_error_reason(&parser->llhttp); /* static texts */
    return gw_h1_refuse(parser, 400, what != NULL ? what : "the message is malformed");
}

/* ---- start lines ---- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Reads "HTTP/1.1"; |text| has 8 bytes. */
static enum gw_err parse_version(struct gw_h1_parser *parser, const char *text)
{
    if (memcmp(text, "HTTP/1.1", 8) == 0) {
        parser->version = GW_HTTP_1_1;
        return GW_OK;
    }
    if (memcmp(text, "HTTP/1.0", 8) == 0) {
        parser->version = GW_HTTP_1_0;
        return GW_OK;
    }
    if (memcmp(text, "HTTP/", 5) == 0 && is_digit(text[5]) && text[6] == '.' && is_digit(text[7])) {
        return gw_h1_refuse(parser, 505, "the version is neither HTTP/1.1 nor HTTP/1.0");
    }
    return gw_h1_refuse(parser, 400, "the start line does not name an HTTP version");
}

/* Each form of target belongs to certain methods (RFC 9112 section 3.2). */
static enum gw_err check_target(struct gw_h1_parser *parser, struct gw_str method,
                                struct gw_str target)
{
    bool is_valid;
    if (gw_str_eq(method, GW_STR("CONNECT"))) {
        is_valid = gw_url_authority_is_valid(target);
    } else if (gw_str_eq(target, GW_STR("*"))) {
        is_valid = gw_str_eq(method, GW_STR("OPTIONS"));
    } else {
        struct gw_str path;
        struct gw_str query;
        is_valid = gw_url_split_target(target, &path, &query) == GW_OK;
    }
    return is_valid ? GW_OK : gw_h1_refuse(parser, 400, "the request target is not valid");
}

/* "POST /v1/chat/completions HTTP/1.1": one space each, nothing else. */
static enum gw_err parse_request_line(struct gw_h1_parser *parser, struct gw_str line)
{
    struct gw_str method = gw_str(line.ptr, gw_str_find_byte(line, ' '));
    if (!gw_header_name_is_valid(method)) {
        return gw_h1_refuse(parser, 400, "the request line does not begin with a method");
    }
    const size_t around = 1 + 1 + 8; /* two spaces and the version */
    if (line.len <= method.len + around || line.ptr[line.len - 9] != ' ') {
        return gw_h1_refuse(parser, 400, "the request line is not complete");
    }
    enum gw_err err = parse_version(parser, line.ptr + line.len - 8);
    if (err != GW_OK) {
        return err;
    }
    struct gw_str target = gw_str(line.ptr + method.len + 1, line.len - method.len - around);
    parser->method_len = (uint32_t)method.len;
    parser->target_len = (uint32_t)target.len;
    return check_target(parser, method, target);
}

/* "HTTP/1.1 200 OK"; several servers leave the reason out, some its space too. */
static enum gw_err parse_status_line(struct gw_h1_parser *parser, struct gw_str line)
{
    if (line.len < 8) {
        return gw_h1_refuse(parser, 400, "the status line does not name an HTTP version");
    }
    enum gw_err err = parse_version(parser, line.ptr);
    if (err != GW_OK) {
        return err;
    }
    const char *p = line.ptr;
    if (line.len < 12 || p[8] != ' ' || !is_digit(p[9]) || !is_digit(p[10]) || !is_digit(p[11]) ||
        (line.len > 12 && p[12] != ' ')) {
        return gw_h1_refuse(parser, 400, "the status line has no status of three digits");
    }
    if (!gw_header_value_is_valid(gw_str_skip(line, 12))) {
        return gw_h1_refuse(parser, 400, "the status line has a control character");
    }
    parser->status = (uint16_t)((p[9] - '0') * 100 + (p[10] - '0') * 10 + (p[11] - '0'));
    if (parser->status < 100 || parser->status > 599) {
        return gw_h1_refuse(parser, 400, "the status is not one of HTTP's");
    }
    return GW_OK;
}

/* ---- collecting ---- */

/*
 * Looks for the head's end in its first |len| bytes; *end is 0 when it is not there. The start line
 * is judged as soon as it is whole: what is not HTTP at all need not wait for a blank line.
 */
static enum gw_err scan_lines(struct gw_h1_parser *parser, const char *text, size_t len,
                              size_t *end)
{
    *end = 0;
    size_t from = parser->scanned;
    while (from < len) {
        const char *hit = memchr(text + from, '\n', len - from);
        if (hit == NULL) {
            break;
        }
        size_t at = (size_t)(hit - text);
        if (at == 0 || hit[-1] != '\r') {
            return gw_h1_refuse(parser, 400, "a line ends without CR");
        }
        size_t line_len = at - 1 - parser->line_at;
        if (parser->line_count == 0) {
            struct gw_str line = gw_str(text, line_len);
            enum gw_err err = parser->kind == GW_H1_REQUESTS ? parse_request_line(parser, line)
                                                             : parse_status_line(parser, line);
            if (err != GW_OK) {
                return err;
            }
        } else if (line_len == 0) {
            *end = at + 1;
            return GW_OK;
        }
        if (parser->line_count == GW_H1_MAX_HEADERS + 1) {
            return gw_h1_refuse(parser, 431, "too many header fields");
        }
        parser->line_count++;
        parser->line_at = (uint32_t)at + 1;
        from = at + 1;
    }
    parser->scanned = (uint32_t)len;
    return GW_OK;
}

static size_t parsed_offset(size_t head_len)
{
    const size_t align = alignof(struct gw_h1_parsed);
    return (head_len + align - 1) / align * align;
}

/* Gives the block its final size, the one parse() needs. */
static enum gw_err make_parsed(struct gw_h1_parser *parser, size_t head_len)
{
    size_t at = parsed_offset(head_len);
    size_t fields = (parser->line_count - 1) * sizeof(struct gw_header);
    char *block = gw_try_realloc(parser->block, at + sizeof(struct gw_h1_parsed) + fields);
    if (block == NULL) {
        return GW_ERR_NOMEM;
    }
    parser->block = block;
    parser->parsed = (struct gw_h1_parsed *)(void *)(block + at);
    parser->head_len = (uint32_t)head_len;
    return GW_OK;
}

/* Keeps a part of a head; the caller saw to it that max_header_bytes is not exceeded. */
static enum gw_err append(struct gw_h1_parser *parser, struct gw_str bytes)
{
    size_t want = parser->head_len + bytes.len;
    if (want > parser->head_capacity) {
        size_t capacity = parser->head_capacity * (size_t)2;
        capacity = capacity < FIRST_CAPACITY ? FIRST_CAPACITY : capacity;
        capacity = capacity > parser->max_header_bytes ? parser->max_header_bytes : capacity;
        capacity = capacity < want ? want : capacity;
        char *block = gw_try_realloc(parser->block, capacity);
        if (block == NULL) {
            return GW_ERR_NOMEM;
        }
        parser->block = block;
        parser->head_capacity = (uint32_t)capacity;
    }
    memcpy(parser->block + parser->head_len, bytes.ptr, bytes.len);
    parser->head_len = (uint32_t)want;
    return GW_OK;
}

/* Skips empty lines before a request. */
static enum gw_err skip_blank(struct gw_h1_parser *parser, struct gw_str bytes, size_t *used)
{
    while (*used < bytes.len) {
        bool wants_lf = (parser->blank_bytes & 1u) != 0;
        char c = bytes.ptr[*used];
        if (c != (wants_lf ? '\n' : '\r')) {
            return wants_lf ? gw_h1_refuse(parser, 400, "a line ends without LF") : GW_OK;
        }
        if (parser->blank_bytes == GW_H1_MAX_BLANK_BYTES) {
            return gw_h1_refuse(parser, 400, "too many empty lines before the request");
        }
        parser->blank_bytes++;
        (*used)++;
    }
    return GW_OK;
}

/* A head begins with a method or with "HTTP/"; what does not (a TLS handshake, say) is told at
 * once. */
static enum gw_err check_first_byte(struct gw_h1_parser *parser, char c)
{
    if (parser->kind == GW_H1_RESPONSES) {
        return c == 'H' ? GW_OK : gw_h1_refuse(parser, 400, "this is not an HTTP/1 response");
    }
    return gw_char_is(c, GW_CHAR_TOKEN) ? GW_OK : gw_h1_refuse(parser, 400, "this is not HTTP/1");
}

/* The first bytes of a head, which often are all of it: no copy but the final one. */
static enum gw_err take_first(struct gw_h1_parser *parser, struct gw_str window, size_t *end)
{
    enum gw_err err = check_first_byte(parser, window.ptr[0]);
    if (err == GW_OK) {
        err = scan_lines(parser, window.ptr, window.len, end);
    }
    if (err != GW_OK || *end == 0) {
        return err != GW_OK ? err : append(parser, window);
    }
    err = make_parsed(parser, *end);
    if (err == GW_OK) {
        memcpy(parser->block, window.ptr, *end);
    }
    return err;
}

static enum gw_err take_more(struct gw_h1_parser *parser, struct gw_str window, size_t *end)
{
    enum gw_err err = append(parser, window);
    if (err == GW_OK) {
        err = scan_lines(parser, parser->block, parser->head_len, end);
    }
    return err != GW_OK || *end == 0 ? err : make_parsed(parser, *end);
}

enum gw_err gw_h1_head_take(struct gw_h1_parser *parser, struct gw_str bytes, size_t *used,
                            bool *complete)
{
    *used = 0;
    *complete = false;
    if (parser->head_len == 0 && parser->kind == GW_H1_REQUESTS) {
        enum gw_err err = skip_blank(parser, bytes, used);
        if (err != GW_OK || *used == bytes.len) {
            return err;
        }
        bytes = gw_str_skip(bytes, *used);
    }
    size_t before = parser->head_len;
    size_t room = parser->max_header_bytes - before;
    struct gw_str window = gw_str(bytes.ptr, bytes.len < room ? bytes.len : room);
    if (window.len == 0) {
        return gw_h1_refuse(parser, 431, "the header is too large");
    }
    size_t end = 0;
    enum gw_err err =
        before == 0 ? take_first(parser, window, &end) : take_more(parser, window, &end);
    if (err != GW_OK) {
        return err;
    }
    *complete = end > 0;
    *used += end > 0 ? end - before : window.len;
    return GW_OK;
}

void gw_h1_head_drop(struct gw_h1_parser *parser)
{
    gw_free(parser->block);
    parser->block = NULL;
    parser->parsed = NULL;
    parser->head_len = 0;
    parser->head_capacity = 0;
    parser->scanned = 0;
    parser->line_at = 0;
    parser->line_count = 0;
    parser->field_count = 0;
    parser->blank_bytes = 0;
}

/* ---- fields ---- */

/* Eight bytes at a time: those between 'A' and 'Z' get the bit that makes them lower case. */
static uint64_t lower_word(uint64_t word)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t low = word & (ones * 0x7f);
    uint64_t from_a = low + ones * (0x80 - 'A');
    uint64_t over_z = low + ones * (0x80 - 'Z' - 1);
    uint64_t is_upper = (from_a ^ over_z) & ~word & (ones * 0x80);
    return word | is_upper >> 2;
}

static void make_lower_at(char *text)
{
    uint64_t word;
    memcpy(&word, text, sizeof(word));
    word = lower_word(word);
    memcpy(text, &word, sizeof(word));
}

static void make_lower(char *text, size_t len)
{
    const size_t step = sizeof(uint64_t);
    if (len >= step) {
        for (size_t i = 0; i + step < len; i += step) {
            make_lower_at(text + i);
        }
        make_lower_at(text + len - step); /* what overlaps is lower case already */
        return;
    }
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        text[i] = (char)(c | (c >= 'A' && c <= 'Z') << 5);
    }
}

int gw_h1_head_on_name(struct gw_h1_parser *parser, const char *at, size_t len)
{
    GW_ASSERT(parser->field_count + 1u < parser->line_count); /* a field is a line */
    struct gw_header *field = &parser->parsed->fields[parser->field_count++];
    char *name = parser->block + (at - parser->block); /* ours, so it may be written to */
    make_lower(name, len);
    field->name = gw_str(name, len);
    field->value = gw_str(name + len, 0);
    field->id = gw_header_lookup(field->name);
    return 0;
}

int gw_h1_head_on_value(struct gw_h1_parser *parser, const char *at, size_t len)
{
    while (len > 0 && (at[len - 1] == ' ' || at[len - 1] == '\t')) {
        len--;
    }
    parser->parsed->fields[parser->field_count - 1].value = gw_str(at, len);
    return 0;
}

/* ---- judging ---- */

/* What the fields say about framing and connection. */
struct summary {
    unsigned length_count;
    unsigned coding_count;
    unsigned host_count;
    uint64_t length;
    struct gw_str host;
    bool is_chunked;
    bool says_close;
    bool says_keep_alive;
    bool says_expect;
};

static enum gw_err note_length(struct gw_h1_parser *parser, struct summary *sum,
                               struct gw_str value)
{
    if (++sum->length_count > 1) {
        return gw_h1_refuse(parser, 400, "Content-Length stands there twice");
    }
    if (gw_parse_u64(value, &sum->length) != GW_OK || sum->length > MAX_LENGTH) {
        return gw_h1_refuse(parser, 400, "Content-Length is not a number we can take");
    }
    return GW_OK;
}

static enum gw_err note_coding(struct gw_h1_parser *parser, struct summary *sum,
                               struct gw_str value)
{
    if (++sum->coding_count > 1) {
        return gw_h1_refuse(parser, 400, "Transfer-Encoding stands there twice");
    }
    if (!gw_str_eq_nocase(value, GW_STR("chunked"))) {
        return gw_h1_refuse(parser, 501, "Transfer-Encoding is not just \"chunked\"");
    }
    sum->is_chunked = true;
    return GW_OK;
}

static enum gw_err note_host(struct gw_h1_parser *parser, struct summary *sum, struct gw_str value)
{
    if (parser->kind == GW_H1_RESPONSES) {
        return GW_OK;
    }
    if (++sum->host_count > 1) {
        return gw_h1_refuse(parser, 400, "Host stands there twice");
    }
    /* Empty is what a client without an authority must send (RFC 9110 section 7.2). */
    if (value.len > 0 && !gw_url_authority_is_valid(value)) {
        return gw_h1_refuse(parser, 400, "Host is not a host with an optional port");
    }
    sum->host = value;
    return GW_OK;
}

static enum gw_err note_field(struct gw_h1_parser *parser, struct summary *sum,
                              const struct gw_header *field)
{
    switch ((unsigned)field->id) {
    case GW_HEADER_CONTENT_LENGTH:
        return note_length(parser, sum, field->value);
    case GW_HEADER_TRANSFER_ENCODING:
        return note_coding(parser, sum, field->value);
    case GW_HEADER_HOST:
        return note_host(parser, sum, field->value);
    case GW_HEADER_CONNECTION:
        sum->says_close |= gw_header_has_token(field->value, GW_STR("close"));
        sum->says_keep_alive |= gw_header_has_token(field->value, GW_STR("keep-alive"));
        return GW_OK;
    case GW_HEADER_EXPECT:
        sum->says_expect |= gw_header_has_token(field->value, GW_STR("100-continue"));
        return GW_OK;
    default:
        return GW_OK;
    }
}

static enum gw_err summarize(struct gw_h1_parser *parser, struct summary *sum)
{
    for (size_t i = 0; i < parser->field_count; i++) {
        enum gw_err err = note_field(parser, sum, &parser->parsed->fields[i]);
        if (err != GW_OK) {
            return err;
        }
    }
    if (sum->is_chunked && sum->length_count > 0) {
        return gw_h1_refuse(parser, 400, "Content-Length together with Transfer-Encoding");
    }
    if (sum->is_chunked && parser->version == GW_HTTP_1_0) {
        return gw_h1_refuse(parser, 400, "Transfer-Encoding in HTTP/1.0");
    }
    return GW_OK;
}

static bool stays_open(const struct gw_h1_parser *parser, const struct summary *sum)
{
    return !sum->says_close && (parser->version == GW_HTTP_1_1 || sum->says_keep_alive);
}

static enum gw_err judge_request(struct gw_h1_parser *parser, const struct summary *sum,
                                 struct gw_h1_framing *framing)
{
    if (sum->host_count == 0 && parser->version == GW_HTTP_1_1) {
        return gw_h1_refuse(parser, 400, "Host is missing");
    }
    struct gw_request_head *head = &parser->parsed->head.request;
    struct gw_str method = gw_str(parser->block, parser->method_len);
    struct gw_str target = gw_str(parser->block + parser->method_len + 1, parser->target_len);
    struct gw_str authority = gw_url_target_authority(target);
    *head = (struct gw_request_head){
        .version = (enum gw_http_version)parser->version,
        .method = gw_method_from_text(method),
        .method_text = method,
        .target = target,
        /* RFC 9112 section 3.2.2: an absolute target makes Host void. */
        .authority = authority.ptr != NULL ? authority : sum->host,
        .headers = parser->parsed->fields,
        .header_count = parser->field_count,
        .has_body = sum->is_chunked || sum->length > 0,
        .content_length = sum->is_chunked ? GW_LENGTH_UNKNOWN : sum->length,
        .keep_alive = stays_open(parser, sum),
    };
    head->expects_continue = sum->says_expect && head->has_body && parser->version == GW_HTTP_1_1;
    if (head->method == GW_METHOD_CONNECT) {
        if (head->has_body) {
            return gw_h1_refuse(parser, 400, "CONNECT with a body");
        }
        head->authority = target;
        head->keep_alive = false;
    }
    framing->length = sum->length;
    framing->state = sum->is_chunked  ? GW_H1_CHUNKED
                     : head->has_body ? GW_H1_LENGTH
                                      : GW_H1_COMPLETE;
    return GW_OK;
}

/* RFC 9112 section 6.3. */
static enum gw_h1_state response_state(const struct gw_h1_parser *parser, const struct summary *sum)
{
    if (parser->expects_no_body || parser->status == 204 || parser->status == 304) {
        return GW_H1_COMPLETE;
    }
    if (sum->is_chunked) {
        return GW_H1_CHUNKED;
    }
    if (sum->length_count == 0) {
        return GW_H1_UNTIL_EOF;
    }
    return sum->length > 0 ? GW_H1_LENGTH : GW_H1_COMPLETE;
}

static enum gw_err judge_response(struct gw_h1_parser *parser, const struct summary *sum,
                                  struct gw_h1_framing *framing)
{
    if (parser->status == 101) {
        return gw_h1_refuse(parser, 400, "101 (Switching Protocols) was not asked for");
    }
    bool announces_body = sum->length > 0 || sum->is_chunked;
    if (parser->status < 200) {
        if (announces_body) {
            return gw_h1_refuse(parser, 400, "an interim response with a body");
        }
        if (++parser->interim_count > GW_H1_MAX_INTERIM) {
            return gw_h1_refuse(parser, 400, "too many interim responses");
        }
        framing->is_interim = true;
        return GW_OK;
    }
    framing->state = response_state(parser, sum);
    framing->length = sum->length;
    parser->parsed->head.response = (struct gw_response_head){
        .version = (enum gw_http_version)parser->version,
        .status = parser->status,
        .headers = parser->parsed->fields,
        .header_count = parser->field_count,
        .content_length = sum->length_count > 0 ? sum->length : GW_LENGTH_UNKNOWN,
        /* After a 204 that announces a body it is anyone's guess where the next one begins. */
        .keep_alive = stays_open(parser, sum) && framing->state != GW_H1_UNTIL_EOF &&
                      !(parser->status == 204 && announces_body),
    };
    return GW_OK;
}

enum gw_err gw_h1_head_parse(struct gw_h1_parser *parser, struct gw_h1_framing *framing)
{
    *framing = (struct gw_h1_framing){.state = GW_H1_COMPLETE};
    llhttp_errno_t result = llhttp_execute(&parser->llhttp, parser->block, parser->head_len);
    if (result != HPE_PAUSED) { /* on_headers_complete pauses */
        return gw_h1_refuse_llhttp(parser, result);
    }
    if (llhttp_get_error_pos(&parser->llhttp) != parser->block + parser->head_len) {
        return gw_h1_refuse(parser, 400, "the header is malformed");
    }
    struct summary sum = {0};
    enum gw_err err = summarize(parser, &sum);
    if (err != GW_OK) {
        return err;
    }
    return parser->kind == GW_H1_REQUESTS ? judge_request(parser, &sum, framing)
                                          : judge_response(parser, &sum, framing);
}
