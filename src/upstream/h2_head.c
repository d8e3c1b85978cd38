/* SPDX-License-Identifier: MIT */
/* upstream/h2_head - heads of HTTP/2: ours on their way out, the peer's on their way in. */
#include "base/assert.h"
#include "upstream/h2_int.h"

/* ---- requests ---- */

static nghttp2_nv make_field(struct gw_str name, struct gw_str value)
{
    return (nghttp2_nv){
        .name = (uint8_t *)(uintptr_t)name.ptr, /* nghttp2 copies both */
        .namelen = name.len,
        .value = (uint8_t *)(uintptr_t)value.ptr,
        .valuelen = value.len,
        /* A secret in the compressor's table could be guessed by whoever sends on the same
         * connection (RFC 7541 section 7.1). */
        .flags = gw_header_is_credential(gw_header_lookup(name)) ? NGHTTP2_NV_FLAG_NO_INDEX
                                                                 : NGHTTP2_NV_FLAG_NONE,
    };
}

/* Cuts the first line, which ends with CR LF, off *text. */
static struct gw_str take_line(struct gw_str *text)
{
    size_t end = gw_str_find_byte(*text, '\r');
    struct gw_str line = gw_str(text->ptr, end);
    *text = gw_str_skip(*text, end + 2);
    return line;
}

size_t gw_uph2_request_fields(struct gw_str text, bool is_tls,
                              nghttp2_nv fields[GW_H2_MAX_REQUEST_FIELDS])
{
    const struct gw_str version = GW_STR(" HTTP/1.1");
    struct gw_str line = take_line(&text);
    size_t space = gw_str_find_byte(line, ' ');
    struct gw_str method = gw_str(line.ptr, space);
    struct gw_str target = gw_str_skip(line, space + 1);
    target.len -= version.len;
    size_t count = 0;
    fields[count++] = make_field(GW_STR(":method"), method);
    fields[count++] = make_field(GW_STR(":scheme"), is_tls ? GW_STR("https") : GW_STR("http"));
    for (line = take_line(&text); line.len > 0; line = take_line(&text)) {
        size_t colon = gw_str_find_byte(line, ':');
        struct gw_str name = gw_str(line.ptr, colon);
        struct gw_str value = gw_str_skip(line, colon + 2);
        if (gw_str_eq(name, GW_STR("host"))) {
            fields[count++] = make_field(GW_STR(":authority"), value);
            fields[count++] = make_field(GW_STR(":path"), target);
        } else if (!gw_str_eq(name, GW_STR("transfer-encoding"))) {
            GW_ASSERT(count < GW_H2_MAX_REQUEST_FIELDS);
            fields[count++] = make_field(name, value);
        }
    }
    return count;
}

/* ---- responses ---- */

/* A vendor's head is 1 to 3 KiB: one block. */
#define ARENA_BLOCK_BYTES 4096
/* Above what the limit on |bytes| lets through, with alignment and the tables outgrown. */
#define ARENA_MAX_BYTES (4 * GW_UPSTREAM_MAX_HEADER_BYTES)
#define FIRST_CAPACITY  32
#define FIELD_OVERHEAD  32

void gw_uph2_head_init(struct gw_uph2_head *head)
{
    *head = (struct gw_uph2_head){.content_length = GW_LENGTH_UNKNOWN};
    gw_arena_init(&head->arena, NULL, 0, ARENA_BLOCK_BYTES, ARENA_MAX_BYTES);
}

void gw_uph2_head_fini(struct gw_uph2_head *head)
{
    gw_arena_fini(&head->arena);
    gw_uph2_head_init(head);
}

static enum gw_err make_room(struct gw_uph2_head *head)
{
    if (head->count < head->capacity) {
        return GW_OK;
    }
    size_t capacity = head->capacity > 0 ? 2 * head->capacity : FIRST_CAPACITY;
    struct gw_header *headers = gw_arena_try_alloc(&head->arena, capacity * sizeof(*head->headers));
    if (headers == NULL) {
        return GW_ERR_NOMEM;
    }
    if (head->count > 0) {
        memcpy(headers, head->headers, head->count * sizeof(*headers));
    }
    head->headers = headers;
    head->capacity = capacity;
    return GW_OK;
}

/* nghttp2 has checked that it is three digits. */
static unsigned parse_status(struct gw_str value)
{
    uint64_t status = 0;
    return gw_parse_u64(value, &status) == GW_OK && status <= 999 ? (unsigned)status : 0;
}

enum gw_err gw_uph2_head_add(struct gw_uph2_head *head, struct gw_str name, struct gw_str value)
{
    head->bytes += name.len + value.len + FIELD_OVERHEAD;
    if (head->bytes > GW_UPSTREAM_MAX_HEADER_BYTES || head->count >= GW_H1_MAX_HEADERS) {
        return GW_ERR_TOO_LARGE;
    }
    if (name.len > 0 && name.ptr[0] == ':') {
        if (gw_str_eq(name, GW_STR(":status"))) {
            head->status = parse_status(value);
        }
        return GW_OK;
    }
    enum gw_err err = make_room(head);
    if (err != GW_OK) {
        return err;
    }
    struct gw_str name_copy = gw_arena_try_dup(&head->arena, name);
    struct gw_str value_copy = gw_arena_try_dup(&head->arena, value);
    if (name_copy.ptr == NULL || value_copy.ptr == NULL) {
        return GW_ERR_NOMEM;
    }
    enum gw_header_id id = gw_header_lookup(name_copy);
    head->headers[head->count++] =
        (struct gw_header){.name = name_copy, .value = value_copy, .id = id};
    if (id == GW_HEADER_CONTENT_LENGTH &&
        gw_parse_u64(value_copy, &head->content_length) != GW_OK) {
        head->content_length = GW_LENGTH_UNKNOWN;
    }
    return GW_OK;
}

struct gw_response_head gw_uph2_head_response(const struct gw_uph2_head *head)
{
    return (struct gw_response_head){
        .version = GW_HTTP_2,
        .status = head->status,
        .headers = head->headers,
        .header_count = head->count,
        .content_length = head->content_length,
        .keep_alive = true,
    };
}
