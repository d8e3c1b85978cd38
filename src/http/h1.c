/* SPDX-License-Identifier: MIT */
/*
 * http/h1 - the parser's states, bodies and events. Heads are h1_head.c's affair; llhttp decodes
 * chunked bodies, the other two kinds need only counting.
 *
 *     HEAD --> LENGTH ----.
 *      |  \--> CHUNKED ----+--> COMPLETE --gw_h1_parser_next()--> HEAD
 *      |  \--> UNTIL_EOF --'  ^
 *      '--- no body ----------'
 */
#include "http/h1.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "http/h1_int.h"

static struct gw_h1_parser *parser_of(llhttp_t *llhttp)
{
    return GW_CONTAINER_OF(llhttp, struct gw_h1_parser, llhttp);
}

/* ---- chunked bodies: llhttp's callbacks ---- */

/* Counts the bytes between runs of body up to |at|; their number does not depend on how the
 * message was split. */
static enum gw_err count_framing(struct gw_h1_parser *parser, const char *at)
{
    parser->framing_bytes += (uint32_t)(at - parser->run_end);
    parser->run_end = at;
    if (parser->framing_bytes > GW_H1_MAX_FRAMING_BYTES) {
        return gw_h1_refuse(parser, 400, "a chunk's head or the trailers are too long");
    }
    return GW_OK;
}

static int on_body(llhttp_t *llhttp, const char *at, size_t len)
{
    struct gw_h1_parser *parser = parser_of(llhttp);
    if (len == 0) {
        return 0;
    }
    parser->err = count_framing(parser, at);
    if (parser->err == GW_OK) {
        parser->framing_bytes = 0;
        parser->run_end = at + len;
        parser->err = parser->events->on_body(parser->user, gw_str(at, len));
    }
    return parser->err == GW_OK ? 0 : HPE_USER;
}

/* Collects a trailer's name; one that is longer than the buffer is none we look for. */
static int on_trailer_name(struct gw_h1_parser *parser, const char *at, size_t len)
{
    for (size_t i = 0; i < len && parser->trailer_name_len < GW_H1_TRAILER_NAME_BYTES; i++) {
        char c = at[i];
        parser->trailer_name[parser->trailer_name_len++] =
            (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
    }
    return 0;
}

/* RFC 9110 section 6.5.1: what frames or routes a message has no place behind it. */
static bool is_forbidden_trailer(enum gw_header_id id)
{
    return id == GW_HEADER_CONTENT_LENGTH || id == GW_HEADER_HOST || id == GW_HEADER_EXPECT ||
           gw_header_is_hop_by_hop(id) || gw_header_is_credential(id);
}

static int on_header_name(llhttp_t *llhttp, const char *at, size_t len)
{
    struct gw_h1_parser *parser = parser_of(llhttp);
    return parser->state == GW_H1_HEAD ? gw_h1_head_on_name(parser, at, len)
                                       : on_trailer_name(parser, at, len);
}

static int on_header_name_complete(llhttp_t *llhttp)
{
    struct gw_h1_parser *parser = parser_of(llhttp);
    if (parser->state == GW_H1_HEAD) {
        return 0;
    }
    struct gw_str name = gw_str(parser->trailer_name, parser->trailer_name_len);
    parser->trailer_name_len = 0;
    if (is_forbidden_trailer(gw_header_lookup(name))) {
        parser->err = gw_h1_refuse(parser, 400, "a trailer that must stand in the header");
        return HPE_USER;
    }
    return 0;
}

static int on_header_value(llhttp_t *llhttp, const char *at, size_t len)
{
    struct gw_h1_parser *parser = parser_of(llhttp);
    return parser->state == GW_H1_HEAD ? gw_h1_head_on_value(parser, at, len) : 0;
}

static int pause_parser(llhttp_t *llhttp)
{
    (void)llhttp;
    return HPE_PAUSED;
}

static const llhttp_settings_t settings = {
    .on_header_field = on_header_name,
    .on_header_field_complete = on_header_name_complete,
    .on_header_value = on_header_value,
    .on_headers_complete = pause_parser,
    .on_body = on_body,
    .on_message_complete = pause_parser,
};

/* ---- states ---- */

static enum gw_err complete(struct gw_h1_parser *parser)
{
    parser->state = GW_H1_COMPLETE;
    return parser->events->on_complete(parser->user);
}

static enum gw_err report_head(struct gw_h1_parser *parser)
{
    return parser->kind == GW_H1_REQUESTS
               ? parser->events->on_request(parser->user, &parser->parsed->head.request)
               : parser->events->on_response(parser->user, &parser->parsed->head.response);
}

static enum gw_err feed_head(struct gw_h1_parser *parser, struct gw_str bytes, size_t *used)
{
    bool is_whole;
    enum gw_err err = gw_h1_head_take(parser, bytes, used, &is_whole);
    if (err != GW_OK || !is_whole) {
        return err;
    }
    struct gw_h1_framing framing;
    err = gw_h1_head_parse(parser, &framing);
    if (err != GW_OK) {
        return err;
    }
    if (framing.is_interim) {
        gw_h1_head_drop(parser);
        llhttp_reset(&parser->llhttp);
        return GW_OK;
    }
    parser->state = (uint8_t)framing.state;
    parser->body_left = framing.length;
    parser->framing_bytes = 0;
    if (framing.state == GW_H1_CHUNKED) {
        llhttp_resume(&parser->llhttp);
    }
    err = report_head(parser);
    return err == GW_OK && framing.state == GW_H1_COMPLETE ? complete(parser) : err;
}

static enum gw_err feed_length(struct gw_h1_parser *parser, struct gw_str bytes, size_t *used)
{
    size_t len = bytes.len < parser->body_left ? bytes.len : (size_t)parser->body_left;
    *used = len;
    parser->body_left -= len;
    enum gw_err err = parser->events->on_body(parser->user, gw_str(bytes.ptr, len));
    return err == GW_OK && parser->body_left == 0 ? complete(parser) : err;
}

static enum gw_err feed_chunked(struct gw_h1_parser *parser, struct gw_str bytes, size_t *used)
{
    parser->run_end = bytes.ptr;
    llhttp_errno_t result = llhttp_execute(&parser->llhttp, bytes.ptr, bytes.len);
    if (parser->err != GW_OK) {
        return parser->err;
    }
    if (result != HPE_OK && result != HPE_PAUSED) {
        return gw_h1_refuse_llhttp(parser, result);
    }
    bool is_end = result == HPE_PAUSED; /* on_message_complete pauses */
    const char *end = is_end ? llhttp_get_error_pos(&parser->llhttp) : bytes.ptr + bytes.len;
    *used = (size_t)(end - bytes.ptr);
    enum gw_err err = count_framing(parser, end);
    return err == GW_OK && is_end ? complete(parser) : err;
}

static enum gw_err feed_until_eof(struct gw_h1_parser *parser, struct gw_str bytes, size_t *used)
{
    *used = bytes.len;
    return parser->events->on_body(parser->user, bytes);
}

static enum gw_err step(struct gw_h1_parser *parser, struct gw_str bytes, size_t *used)
{
    switch ((enum gw_h1_state)parser->state) {
    case GW_H1_HEAD:
        return feed_head(parser, bytes, used);
    case GW_H1_LENGTH:
        return feed_length(parser, bytes, used);
    case GW_H1_CHUNKED:
        return feed_chunked(parser, bytes, used);
    case GW_H1_UNTIL_EOF:
        return feed_until_eof(parser, bytes, used);
    case GW_H1_COMPLETE:
        break;
    }
    GW_UNREACHABLE("a complete message takes no bytes");
}

/* ---- the interface ---- */

struct gw_h1_parser *gw_h1_parser_create(const struct gw_h1_opts *opts)
{
    GW_ASSERT(opts->max_header_bytes > 0);
    struct gw_h1_parser *parser = gw_zalloc(sizeof(*parser));
    parser->events = opts->events;
    parser->user = opts->user;
    parser->kind = (uint8_t)opts->kind;
    parser->max_header_bytes = opts->max_header_bytes < GW_H1_HEAD_CEILING
                                   ? (uint32_t)opts->max_header_bytes
                                   : GW_H1_HEAD_CEILING;
    llhttp_init(&parser->llhttp, opts->kind == GW_H1_REQUESTS ? HTTP_REQUEST : HTTP_RESPONSE,
                &settings);
    return parser;
}

void gw_h1_parser_destroy(struct gw_h1_parser **parser)
{
    if (*parser != NULL) {
        gw_free((*parser)->block);
        gw_free(*parser);
        *parser = NULL;
    }
}

enum gw_err gw_h1_parser_feed(struct gw_h1_parser *parser, struct gw_str bytes, size_t *used)
{
    *used = 0;
    while (parser->err == GW_OK && parser->state != GW_H1_COMPLETE && *used < bytes.len) {
        size_t taken = 0;
        parser->err = step(parser, gw_str_skip(bytes, *used), &taken);
        *used += taken;
    }
    return parser->err;
}

enum gw_err gw_h1_parser_finish(struct gw_h1_parser *parser)
{
    if (parser->err == GW_OK && parser->state == GW_H1_UNTIL_EOF) {
        parser->err = complete(parser);
    } else if (parser->err == GW_OK && gw_h1_parser_is_mid_message(parser)) {
        parser->err = GW_ERR_EOF;
    }
    return parser->err;
}

void gw_h1_parser_expect_no_body(struct gw_h1_parser *parser)
{
    GW_ASSERT(parser->kind == GW_H1_RESPONSES);
    parser->expects_no_body = true;
}

void gw_h1_parser_release_head(struct gw_h1_parser *parser)
{
    GW_ASSERT(parser->state != GW_H1_HEAD || parser->head_len == 0);
    gw_h1_head_drop(parser);
}

void gw_h1_parser_next(struct gw_h1_parser *parser)
{
    GW_ASSERT(!gw_h1_parser_is_mid_message(parser));
    gw_h1_head_drop(parser);
    llhttp_reset(&parser->llhttp);
    parser->state = GW_H1_HEAD;
    parser->interim_count = 0;
    parser->expects_no_body = false;
}

bool gw_h1_parser_is_mid_message(const struct gw_h1_parser *parser)
{
    return parser->state == GW_H1_HEAD ? parser->head_len > 0 : parser->state != GW_H1_COMPLETE;
}

struct gw_h1_failure gw_h1_parser_failure(const struct gw_h1_parser *parser)
{
    return parser->failure;
}
