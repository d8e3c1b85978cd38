/* SPDX-License-Identifier: MIT */
/*
 * provider/gemini_contents - the conversation as "systemInstruction" and "contents" (gemini.md
 * sections 2 and 4).
 *
 * Messages become contents of two roles; neighbours of the same role are one content. A content is
 * opened by its first part, so that empty messages leave nothing behind.
 */
#include "llm/chat.h"
#include "provider/gemini_int.h"
#include "json/scan.h"
#include "json/value.h"
#include "json/write.h"

/* Gemini 3 wants a signature on the first call of a step; this one is documented for calls that
 * it did not make itself, or whose signature the client could not keep (gemini.md section 4). */
#define NO_SIGNATURE "skip_thought_signature_validator"

/* Searching a call's name costs a walk over earlier messages; a request that makes us walk more
 * than this is not a conversation. */
#define MAX_LOOKUPS 100000u

enum side {
    SIDE_NONE,
    SIDE_USER,
    SIDE_MODEL,
};

struct walk {
    struct gw_gemini_encoding *e;
    yyjson_val *messages;
    enum side open;
    size_t open_at;    /* where the open content begins, its comma included */
    yyjson_val *calls; /* of the latest assistant message that has some */
    unsigned lookups;
    bool has_contents;
};

/* A content whose only parts were dropped goes as it came: the API refuses empty ones. */
static void close_content(struct walk *walk)
{
    struct gw_buf *out = walk->e->out;
    if (walk->open == SIDE_NONE || out->err != GW_OK) {
        return;
    }
    if (out->ptr[out->len - 1] == '[') {
        out->len = walk->open_at;
    } else {
        (void)gw_buf_append(out, GW_STR("]}"));
        walk->has_contents = true;
    }
    walk->open = SIDE_NONE;
}

static struct gw_buf *begin_part(struct walk *walk, enum side side)
{
    struct gw_buf *out = walk->e->out;
    if (walk->open != side) {
        close_content(walk);
        walk->open_at = out->len;
        gw_json_write_next(out);
        (void)gw_buf_append(out, side == SIDE_USER ? GW_STR("{\"role\":\"user\",\"parts\":[")
                                                   : GW_STR("{\"role\":\"model\",\"parts\":["));
        walk->open = side;
    }
    return out;
}

void gw_gemini_write_text_part(struct gw_str text, struct gw_buf *out)
{
    gw_json_write_next(out);
    (void)gw_buf_append_byte(out, '{');
    gw_json_write_member(GW_STR("text"), text, out);
    (void)gw_buf_append_byte(out, '}');
}

static void write_text(struct walk *walk, enum side side, struct gw_str text)
{
    if (text.len > 0) { /* the API refuses empty parts */
        gw_gemini_write_text_part(text, begin_part(walk, side));
    }
}

/* The signature of an answer's text goes back in a part of its own, as it mostly came (gemini.md
 * section 4). */
static void write_text_signature(struct walk *walk, yyjson_val *message)
{
    yyjson_val *google = gw_json_get(gw_json_get(message, "extra_content"), "google");
    struct gw_str signature = gw_json_get_text(google, "thought_signature");
    if (signature.len > 0) {
        struct gw_buf *out = begin_part(walk, SIDE_MODEL);
        gw_json_write_next(out);
        (void)gw_buf_append(out, GW_STR("{\"text\":\"\""));
        gw_json_write_member(GW_STR("thoughtSignature"), signature, out);
        (void)gw_buf_append_byte(out, '}');
    }
}

/* ---- system ---- */

static bool is_system(yyjson_val *message)
{
    return gw_chat_role(message) == GW_ROLE_SYSTEM;
}

/* Are there other messages than system's? An API call without contents is refused. */
static bool has_conversation(yyjson_val *messages)
{
    yyjson_arr_iter iter = yyjson_arr_iter_with(messages);
    for (yyjson_val *message = yyjson_arr_iter_next(&iter); message != NULL;
         message = yyjson_arr_iter_next(&iter)) {
        if (!is_system(message)) {
            return true;
        }
    }
    return false;
}

void gw_gemini_write_system(struct gw_gemini_encoding *e)
{
    yyjson_val *messages = gw_json_get(e->chat, "messages");
    if (e->model.is_gemma || !has_conversation(messages)) {
        return;
    }
    yyjson_arr_iter iter = yyjson_arr_iter_with(messages);
    bool is_open = false;
    for (yyjson_val *message = yyjson_arr_iter_next(&iter); message != NULL && is_system(message);
         message = yyjson_arr_iter_next(&iter)) {
        struct gw_chat_parts parts = gw_chat_parts_of(gw_json_get(message, "content"));
        struct gw_chat_part part;
        while (gw_chat_parts_next(&parts, &part)) {
            if (part.text.len == 0) {
                continue;
            }
            if (!is_open) {
                gw_json_write_raw(GW_STR("systemInstruction"), GW_STR("{\"parts\":["), e->out);
                is_open = true;
            }
            gw_gemini_write_text_part(part.text, e->out);
        }
    }
    if (is_open) {
        (void)gw_buf_append(e->out, GW_STR("]}"));
    }
}

static void write_inline_system(struct walk *walk, yyjson_val *message)
{
    struct gw_chat_parts parts = gw_chat_parts_of(gw_json_get(message, "content"));
    struct gw_chat_part part;
    gw_notes_add(walk->e->notes, GW_NOTE_CHANGED, GW_STR("messages[].role"),
                 GW_STR("A system message was sent as the user's."));
    while (gw_chat_parts_next(&parts, &part)) {
        write_text(walk, SIDE_USER, part.text);
    }
}

/* ---- tool calls and their results ---- */

static struct gw_str call_name(yyjson_val *call)
{
    struct gw_str name = gw_json_get_text(gw_json_get(call, "function"), "name");
    return name.ptr != NULL ? name : gw_json_get_text(gw_json_get(call, "custom"), "name");
}

static void write_arguments(struct walk *walk, yyjson_val *call)
{
    struct gw_buf *out = walk->e->out;
    yyjson_val *custom = gw_json_get(call, "custom");
    yyjson_val *function = gw_json_get(call, "function");
    struct gw_str text = gw_json_get_text(function != NULL ? function : call, "arguments");
    enum gw_json_type type = GW_JSON_NULL;
    gw_json_write_key(GW_STR("args"), out);
    if (yyjson_is_obj(custom)) {
        (void)gw_buf_append_byte(out, '{');
        gw_json_write_member(GW_STR("input"), gw_json_get_text(custom, "input"), out);
        (void)gw_buf_append_byte(out, '}');
        return;
    }
    text = gw_str_trim(text);
    if (text.len > 0 && gw_json_scan(text, NULL, NULL, &type, NULL) == GW_OK &&
        type == GW_JSON_OBJECT) {
        (void)gw_buf_append(out, text);
        return;
    }
    if (text.len > 0) {
        gw_notes_add(walk->e->notes, GW_NOTE_CHANGED,
                     GW_STR("messages[].tool_calls[].function.arguments"),
                     GW_STR("What is no JSON object was sent as an empty one."));
    }
    (void)gw_buf_append(out, GW_STR("{}"));
}

static void write_signature(struct walk *walk, yyjson_val *call, bool is_first)
{
    yyjson_val *google = gw_json_get(gw_json_get(call, "extra_content"), "google");
    struct gw_str signature = gw_json_get_text(google, "thought_signature");
    if (signature.len == 0 && is_first && walk->e->model.version >= GW_GEMINI_3) {
        signature = GW_STR(NO_SIGNATURE);
        gw_notes_add(walk->e->notes, GW_NOTE_MAPPED, GW_STR("messages[].tool_calls[]"),
                     GW_STR("A call without its thought signature was sent with the sentinel."));
    }
    gw_json_write_optional(GW_STR("thoughtSignature"), signature, walk->e->out);
}

static void write_call(struct walk *walk, yyjson_val *call, struct gw_str name, bool is_first)
{
    struct gw_buf *out = begin_part(walk, SIDE_MODEL);
    gw_json_write_next(out);
    (void)gw_buf_append(out, GW_STR("{\"functionCall\":{"));
    if (!walk->e->is_vertex) {
        gw_json_write_optional(GW_STR("id"), gw_json_get_text(call, "id"), out);
    }
    gw_json_write_member(GW_STR("name"), name, out);
    write_arguments(walk, call);
    (void)gw_buf_append_byte(out, '}');
    write_signature(walk, call, is_first);
    (void)gw_buf_append_byte(out, '}');
}

static yyjson_val *find_call(struct walk *walk, yyjson_val *calls, struct gw_str id)
{
    yyjson_arr_iter iter = yyjson_arr_iter_with(calls);
    for (yyjson_val *call = yyjson_arr_iter_next(&iter);
         call != NULL && walk->lookups < MAX_LOOKUPS; call = yyjson_arr_iter_next(&iter)) {
        walk->lookups++;
        if (gw_json_is(gw_json_get(call, "id"), id)) {
            return call;
        }
    }
    return NULL;
}

/* The function that a result belongs to: of the latest calls, else of any earlier ones. */
static struct gw_str result_name(struct walk *walk, yyjson_val *message)
{
    struct gw_str id = gw_json_get_text(message, "tool_call_id");
    yyjson_val *call = id.len > 0 ? find_call(walk, walk->calls, id) : NULL;
    yyjson_arr_iter iter = yyjson_arr_iter_with(walk->messages);
    for (yyjson_val *earlier = yyjson_arr_iter_next(&iter);
         call == NULL && id.len > 0 && earlier != NULL && earlier != message;
         earlier = yyjson_arr_iter_next(&iter)) {
        walk->lookups++;
        if (walk->lookups >= MAX_LOOKUPS) {
            break;
        }
        call = find_call(walk, gw_json_get(earlier, "tool_calls"), id);
    }
    return call != NULL ? call_name(call) : gw_json_get_text(message, "name");
}

/* The text of a result: one string, or its parts joined. */
static void join_text(yyjson_val *content, struct gw_buf *joined)
{
    struct gw_chat_parts parts = gw_chat_parts_of(content);
    struct gw_chat_part part;
    while (gw_chat_parts_next(&parts, &part)) {
        (void)gw_buf_append(joined, part.text);
    }
}

static enum gw_err write_response(struct walk *walk, yyjson_val *message)
{
    struct gw_buf *out = walk->e->out;
    enum gw_json_type type = GW_JSON_NULL;
    struct gw_buf joined;
    gw_buf_init(&joined, out->max_bytes);
    join_text(gw_json_get(message, "content"), &joined);
    struct gw_str text = gw_str_trim(gw_buf_str(&joined));
    enum gw_err err = joined.err;
    gw_json_write_key(GW_STR("response"), out);
    bool is_error = gw_json_get_true(message, "is_error");
    if (!is_error && text.len > 0 && text.ptr[0] == '{' &&
        gw_json_scan(text, NULL, NULL, &type, NULL) == GW_OK && type == GW_JSON_OBJECT) {
        (void)gw_buf_append(out, text);
    } else {
        (void)gw_buf_append_byte(out, '{');
        gw_json_write_member(is_error ? GW_STR("error") : GW_STR("output"), gw_buf_str(&joined),
                             out);
        (void)gw_buf_append_byte(out, '}');
    }
    gw_buf_fini(&joined);
    return err;
}

static enum gw_err write_media_parts(struct walk *walk, enum side side, yyjson_val *content)
{
    struct gw_chat_parts parts = gw_chat_parts_of(content);
    struct gw_chat_part part;
    enum gw_err err = GW_OK;
    while (err == GW_OK && gw_chat_parts_next(&parts, &part)) {
        if (part.text.ptr == NULL) {
            (void)begin_part(walk, side);
            err = gw_gemini_write_media(walk->e, part.value);
        }
    }
    return err;
}

static enum gw_err write_result(struct walk *walk, yyjson_val *message)
{
    struct gw_str name = result_name(walk, message);
    if (name.len == 0) {
        return gw_notes_invalid(walk->e->notes, GW_STR("messages[].tool_call_id"),
                                GW_STR("No earlier tool call has this id."));
    }
    struct gw_buf *out = begin_part(walk, SIDE_USER);
    gw_json_write_next(out);
    (void)gw_buf_append(out, GW_STR("{\"functionResponse\":{"));
    if (!walk->e->is_vertex) {
        gw_json_write_optional(GW_STR("id"), gw_json_get_text(message, "tool_call_id"), out);
    }
    gw_json_write_member(GW_STR("name"), name, out);
    enum gw_err err = write_response(walk, message);
    (void)gw_buf_append(out, GW_STR("}}"));
    return err;
}

/* ---- the results of one turn, in the order of the calls ---- */

struct run {
    yyjson_val **messages;
    size_t count;
};

/* Takes the tool messages that begin with |first|; *iter stands behind them then. */
static enum gw_err take_run(struct walk *walk, yyjson_val *first, yyjson_arr_iter *iter,
                            struct run *run)
{
    yyjson_arr_iter ahead = *iter;
    size_t count = 1;
    for (yyjson_val *next = yyjson_arr_iter_next(&ahead);
         next != NULL && gw_chat_role(next) == GW_ROLE_TOOL; next = yyjson_arr_iter_next(&ahead)) {
        count++;
    }
    run->messages = gw_arena_try_alloc(walk->e->in->arena, count * sizeof(*run->messages));
    run->count = count;
    if (run->messages == NULL) {
        return GW_ERR_NOMEM;
    }
    run->messages[0] = first;
    for (size_t i = 1; i < count; i++) {
        run->messages[i] = yyjson_arr_iter_next(iter);
    }
    return GW_OK;
}

/* Moves the message that answers |id| to place |at|; the others keep their order. */
static bool pull_forward(struct walk *walk, struct run *run, size_t at, struct gw_str id)
{
    for (size_t i = at; i < run->count && walk->lookups < MAX_LOOKUPS; i++) {
        yyjson_val *message = run->messages[i];
        walk->lookups++;
        if (gw_json_is(gw_json_get(message, "tool_call_id"), id)) {
            memmove(&run->messages[at + 1], &run->messages[at], (i - at) * sizeof(message));
            run->messages[at] = message;
            return true;
        }
    }
    return false;
}

static void sort_run(struct walk *walk, struct run *run)
{
    size_t sorted = 0;
    yyjson_arr_iter iter = yyjson_arr_iter_with(walk->calls);
    for (yyjson_val *call = yyjson_arr_iter_next(&iter); call != NULL;
         call = yyjson_arr_iter_next(&iter)) {
        struct gw_str id = gw_json_get_text(call, "id");
        sorted += id.len > 0 && pull_forward(walk, run, sorted, id) ? 1 : 0;
    }
}

static enum gw_err write_results(struct walk *walk, yyjson_val *first, yyjson_arr_iter *iter)
{
    struct run run;
    enum gw_err err = take_run(walk, first, iter, &run);
    if (err == GW_OK) {
        sort_run(walk, &run);
    }
    for (size_t i = 0; i < run.count && err == GW_OK; i++) {
        err = write_result(walk, run.messages[i]);
    }
    /* Images behind all results: those must stand together. */
    for (size_t i = 0; i < run.count && err == GW_OK; i++) {
        err = write_media_parts(walk, SIDE_USER, gw_json_get(run.messages[i], "content"));
    }
    return err;
}

/* ---- users and the model ---- */

static enum gw_err write_user(struct walk *walk, yyjson_val *message)
{
    struct gw_chat_parts parts = gw_chat_parts_of(gw_json_get(message, "content"));
    struct gw_chat_part part;
    enum gw_err err = GW_OK;
    while (err == GW_OK && gw_chat_parts_next(&parts, &part)) {
        if (part.text.ptr != NULL) {
            write_text(walk, SIDE_USER, part.text);
        } else {
            (void)begin_part(walk, SIDE_USER);
            err = gw_gemini_write_media(walk->e, part.value);
        }
    }
    return err;
}

static void write_said(struct walk *walk, yyjson_val *message)
{
    struct gw_chat_parts parts = gw_chat_parts_of(gw_json_get(message, "content"));
    struct gw_chat_part part;
    while (gw_chat_parts_next(&parts, &part)) {
        if (gw_str_eq(part.type, GW_STR("refusal"))) {
            write_text(walk, SIDE_MODEL, gw_json_get_text(part.value, "refusal"));
        } else if (part.text.ptr != NULL) {
            write_text(walk, SIDE_MODEL, part.text);
        } else {
            gw_notes_add(walk->e->notes, GW_NOTE_DROPPED, GW_STR("messages[].content[]"),
                         GW_STR("Of the assistant's earlier answers only text is sent."));
        }
    }
    write_text(walk, SIDE_MODEL, gw_json_get_text(message, "refusal"));
    write_text_signature(walk, message);
    if (gw_json_get(message, "reasoning_content") != NULL ||
        gw_json_get(message, "thinking_blocks") != NULL) {
        gw_notes_add(walk->e->notes, GW_NOTE_MAPPED, GW_STR("messages[].reasoning_content"),
                     GW_STR("Gemini takes no reasoning back, only its own signatures."));
    }
    if (gw_json_get(message, "audio") != NULL) {
        gw_notes_add(walk->e->notes, GW_NOTE_DROPPED, GW_STR("messages[].audio"),
                     GW_STR("Gemini cannot be told of earlier audio by id."));
    }
}

static void write_assistant(struct walk *walk, yyjson_val *message)
{
    yyjson_val *calls = gw_json_get(message, "tool_calls");
    yyjson_val *legacy = gw_json_get(message, "function_call");
    write_said(walk, message);
    bool is_first = true;
    yyjson_arr_iter iter = yyjson_arr_iter_with(calls);
    for (yyjson_val *call = yyjson_arr_iter_next(&iter); call != NULL;
         call = yyjson_arr_iter_next(&iter)) {
        write_call(walk, call, call_name(call), is_first);
        is_first = false;
    }
    if (yyjson_arr_size(calls) > 0) {
        walk->calls = calls;
    } else if (yyjson_is_obj(legacy)) {
        write_call(walk, legacy, gw_json_get_text(legacy, "name"), true);
    }
}

enum gw_err gw_gemini_write_contents(struct gw_gemini_encoding *e)
{
    struct walk walk = {.e = e, .messages = gw_json_get(e->chat, "messages")};
    bool was_hoisted = !e->model.is_gemma && has_conversation(walk.messages);
    bool is_leading = true;
    enum gw_err err = GW_OK;
    gw_json_write_raw(GW_STR("contents"), GW_STR("["), e->out);
    yyjson_arr_iter iter = yyjson_arr_iter_with(walk.messages);
    for (yyjson_val *message = yyjson_arr_iter_next(&iter); message != NULL && err == GW_OK;
         message = yyjson_arr_iter_next(&iter)) {
        enum gw_role role = gw_chat_role(message);
        if (role == GW_ROLE_SYSTEM) {
            if (!is_leading || !was_hoisted) {
                write_inline_system(&walk, message);
            }
            continue;
        }
        is_leading = false;
        if (role == GW_ROLE_TOOL) {
            err = write_results(&walk, message, &iter);
        } else if (role == GW_ROLE_ASSISTANT) {
            write_assistant(&walk, message);
        } else {
            err = write_user(&walk, message);
        }
    }
    close_content(&walk);
    (void)gw_buf_append_byte(e->out, ']');
    if (err == GW_OK && !walk.has_contents && e->out->err == GW_OK) {
        err = gw_notes_invalid(
            e->notes, GW_STR("messages"),
            GW_STR("'messages' holds nothing to send: no text and no other part."));
    }
    return err;
}
