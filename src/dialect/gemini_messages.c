/* SPDX-License-Identifier: MIT */
/*
 * dialect/gemini_messages - systemInstruction and contents as messages (inbound.md B2).
 *
 * A content of the user's becomes a tool message for each result in it and one user message for
 * the rest; a content of the model's becomes one assistant message. Results find their calls by id,
 * else by name in order.
 */
#include "base/alloc.h"
#include "dialect/gemini_int.h"
#include "json/value.h"
#include "json/write.h"

/* Results search their call among those of the turn; a request that makes us search longer than
 * this is not a conversation. */
#define MAX_LOOKUPS 1000000u

/* A call of the model's latest content. */
struct call {
    struct gw_str id; /* empty: Gemini gave none; it is call_{turn}_{index} */
    struct gw_str name;
    bool is_answered;
};

struct conversation {
    struct gw_gemini_reading *r;
    unsigned turn; /* of the content at hand, from 0 */
    struct call *calls;
    size_t call_count;
    size_t call_capacity;
    unsigned call_turn;
    unsigned lookups;
};

static enum gw_err refuse(struct conversation *c, struct gw_str text)
{
    return gw_notes_refuse(c->r->notes, GW_STR("contents[].parts[]"), text);
}

static bool is_thought(yyjson_val *part)
{
    return gw_json_get_true(part, "thought");
}

/* The text that other vendors' models can read of Google's code tool. */
static void append_code(yyjson_val *part, struct gw_buf *text)
{
    yyjson_val *code = gw_from_gemini_get(part, "executableCode");
    yyjson_val *result = gw_from_gemini_get(part, "codeExecutionResult");
    if (code != NULL || result != NULL) {
        (void)gw_buf_append(text, GW_STR("\n```\n"));
        (void)gw_buf_append(text, code != NULL ? gw_json_get_text(code, "code")
                                               : gw_json_get_text(result, "output"));
        (void)gw_buf_append(text, GW_STR("\n```\n"));
    }
}

static void begin_message(struct conversation *c, struct gw_str role)
{
    gw_json_write_next(c->r->out);
    (void)gw_buf_append_byte(c->r->out, '{');
    gw_json_write_member(GW_STR("role"), role, c->r->out);
}

/* ---- the system's instruction ---- */

static void write_text_element(struct gw_str text, struct gw_buf *out)
{
    gw_json_write_next(out);
    (void)gw_buf_append(out, GW_STR("{\"type\":\"text\""));
    gw_json_write_member(GW_STR("text"), text, out);
    (void)gw_buf_append_byte(out, '}');
}

static void write_system(struct conversation *c, yyjson_val *content)
{
    yyjson_val *parts = yyjson_is_obj(content) ? gw_json_get(content, "parts") : content;
    struct gw_buf *out = c->r->out;
    if (yyjson_is_obj(parts)) {
        parts = gw_json_get(parts, "text");
    }
    if (yyjson_is_str(parts) || yyjson_arr_size(parts) == 1) {
        yyjson_val *only = yyjson_is_str(parts) ? parts : yyjson_arr_get_first(parts);
        begin_message(c, GW_STR("system"));
        gw_json_write_member(
            GW_STR("content"),
            yyjson_is_str(only) ? gw_json_text(only) : gw_json_get_text(only, "text"), out);
        (void)gw_buf_append_byte(out, '}');
    } else if (yyjson_arr_size(parts) > 1) {
        begin_message(c, GW_STR("system"));
        gw_json_write_raw(GW_STR("content"), GW_STR("["), out);
        yyjson_arr_iter iter = yyjson_arr_iter_with(parts);
        for (yyjson_val *part = yyjson_arr_iter_next(&iter); part != NULL;
             part = yyjson_arr_iter_next(&iter)) {
            write_text_element(
                yyjson_is_str(part) ? gw_json_text(part) : gw_json_get_text(part, "text"), out);
        }
        (void)gw_buf_append(out, GW_STR("]}"));
    }
}

/* ---- calls ---- */

static enum gw_err add_call(struct conversation *c, yyjson_val *call)
{
    if (c->call_count == c->call_capacity) {
        size_t capacity = c->call_capacity == 0 ? 8 : c->call_capacity * 2;
        struct call *calls = gw_try_realloc(c->calls, capacity * sizeof(*calls));
        if (calls == NULL) {
            return GW_ERR_NOMEM;
        }
        c->calls = calls;
        c->call_capacity = capacity;
    }
    c->calls[c->call_count++] =
        (struct call){.id = gw_json_get_text(call, "id"), .name = gw_json_get_text(call, "name")};
    return GW_OK;
}

static void write_call_id(struct conversation *c, size_t index, struct gw_buf *out)
{
    if (c->calls[index].id.len > 0) {
        gw_json_write_text(c->calls[index].id, out);
    } else {
        (void)gw_buf_appendf(out, "\"call_%u_%zu\"", c->call_turn, index);
    }
}

static void write_signature(struct gw_str signature, struct gw_buf *out)
{
    if (signature.len > 0) {
        gw_json_write_raw(GW_STR("extra_content"), GW_STR("{\"google\":{"), out);
        gw_json_write_member(GW_STR("thought_signature"), signature, out);
        (void)gw_buf_append(out, GW_STR("}}"));
    }
}

/* |args| as the text of a string. */
static enum gw_err write_arguments(struct conversation *c, yyjson_val *args)
{
    struct gw_buf text;
    gw_buf_init(&text, c->r->out->max_bytes);
    if (yyjson_is_obj(args)) {
        gw_json_write(args, &text);
    } else {
        (void)gw_buf_append(&text, GW_STR("{}"));
    }
    gw_json_write_member(GW_STR("arguments"), gw_buf_str(&text), c->r->out);
    enum gw_err err = text.err;
    gw_buf_fini(&text);
    return err;
}

static enum gw_err write_call(struct conversation *c, yyjson_val *part, yyjson_val *call)
{
    struct gw_buf *out = c->r->out;
    enum gw_err err = add_call(c, call);
    if (err != GW_OK) {
        return err;
    }
    gw_json_write_next(out);
    (void)gw_buf_append(out, GW_STR("{\"id\":"));
    write_call_id(c, c->call_count - 1, out);
    gw_json_write_raw(GW_STR("type"), GW_STR("\"function\",\"function\":{"), out);
    gw_json_write_member(GW_STR("name"), gw_json_get_text(call, "name"), out);
    err = write_arguments(c, gw_json_get(call, "args"));
    (void)gw_buf_append_byte(out, '}');
    write_signature(gw_from_gemini_text(part, "thoughtSignature"), out);
    (void)gw_buf_append_byte(out, '}');
    return err;
}

/* ---- the model ---- */

/* What a content of the model's says, apart from its calls. */
struct said {
    struct gw_buf text;
    struct gw_buf thoughts;
    struct gw_str signature; /* of its text; the last one counts */
    size_t call_count;
};

static void gather(struct conversation *c, yyjson_val *parts, struct said *said)
{
    yyjson_arr_iter iter = yyjson_arr_iter_with(parts);
    for (yyjson_val *part = yyjson_arr_iter_next(&iter); part != NULL;
         part = yyjson_arr_iter_next(&iter)) {
        struct gw_str signature = gw_from_gemini_text(part, "thoughtSignature");
        if (gw_from_gemini_get(part, "functionCall") != NULL) {
            said->call_count++;
            continue;
        }
        (void)gw_buf_append(is_thought(part) ? &said->thoughts : &said->text,
                            gw_json_get_text(part, "text"));
        append_code(part, &said->text);
        said->signature = signature.len > 0 ? signature : said->signature;
        if (gw_from_gemini_get(part, "inlineData") != NULL ||
            gw_from_gemini_get(part, "fileData") != NULL) {
            gw_notes_add(c->r->notes, GW_NOTE_DROPPED, GW_STR("contents[].parts[].inlineData"),
                         GW_STR("Of the model's earlier answers only text and calls are sent."));
        }
    }
}

static enum gw_err write_calls(struct conversation *c, yyjson_val *parts)
{
    enum gw_err err = GW_OK;
    gw_json_write_raw(GW_STR("tool_calls"), GW_STR("["), c->r->out);
    yyjson_arr_iter iter = yyjson_arr_iter_with(parts);
    for (yyjson_val *part = yyjson_arr_iter_next(&iter); part != NULL && err == GW_OK;
         part = yyjson_arr_iter_next(&iter)) {
        yyjson_val *call = gw_from_gemini_get(part, "functionCall");
        if (call != NULL) {
            err = write_call(c, part, call);
        }
    }
    (void)gw_buf_append_byte(c->r->out, ']');
    return err;
}

static enum gw_err write_said(struct conversation *c, yyjson_val *parts, const struct said *said)
{
    struct gw_buf *out = c->r->out;
    enum gw_err err = GW_OK;
    begin_message(c, GW_STR("assistant"));
    if (said->text.len > 0 || said->call_count == 0) {
        gw_json_write_member(GW_STR("content"), gw_buf_str(&said->text), out);
    } else {
        gw_json_write_raw(GW_STR("content"), GW_STR("null"), out);
    }
    gw_json_write_optional(GW_STR("reasoning_content"), gw_buf_str(&said->thoughts), out);
    write_signature(said->signature, out);
    if (said->call_count > 0) {
        c->call_count = 0;
        c->call_turn = c->turn;
        err = write_calls(c, parts);
    }
    (void)gw_buf_append_byte(out, '}');
    return err;
}

static enum gw_err write_model(struct conversation *c, yyjson_val *parts)
{
    struct said said = {0};
    gw_buf_init(&said.text, c->r->out->max_bytes);
    gw_buf_init(&said.thoughts, c->r->out->max_bytes);
    gather(c, parts, &said);
    enum gw_err err = said.text.err != GW_OK ? said.text.err : said.thoughts.err;
    if (err == GW_OK && (said.text.len > 0 || said.thoughts.len > 0 || said.call_count > 0)) {
        err = write_said(c, parts, &said);
    }
    gw_buf_fini(&said.text);
    gw_buf_fini(&said.thoughts);
    return err;
}

/* ---- the user ---- */

/* The call that |response| answers, or call_count. */
static size_t find_call(struct conversation *c, yyjson_val *response)
{
    struct gw_str id = gw_json_get_text(response, "id");
    struct gw_str name = gw_json_get_text(response, "name");
    for (size_t i = 0; i < c->call_count && id.len > 0 && c->lookups < MAX_LOOKUPS; i++) {
        c->lookups++;
        if (gw_str_eq(c->calls[i].id, id)) {
            return i;
        }
    }
    for (size_t i = 0; i < c->call_count && c->lookups < MAX_LOOKUPS; i++) {
        c->lookups++;
        if (!c->calls[i].is_answered && gw_str_eq(c->calls[i].name, name)) {
            return i;
        }
    }
    return c->call_count;
}

static enum gw_err write_result_content(struct conversation *c, yyjson_val *response)
{
    yyjson_val *value = gw_json_get(response, "response");
    yyjson_val *parts = gw_json_get(response, "parts"); /* images beside it, since Gemini 3 */
    struct gw_buf *out = c->r->out;
    struct gw_buf text;
    gw_buf_init(&text, out->max_bytes);
    if (value != NULL) {
        gw_json_write(value, &text);
    } else {
        (void)gw_buf_append(&text, GW_STR("{}"));
    }
    enum gw_err err = text.err;
    if (yyjson_arr_size(parts) == 0) {
        gw_json_write_member(GW_STR("content"), gw_buf_str(&text), out);
    } else {
        gw_json_write_raw(GW_STR("content"), GW_STR("["), out);
        write_text_element(gw_buf_str(&text), out);
        yyjson_arr_iter iter = yyjson_arr_iter_with(parts);
        for (yyjson_val *part = yyjson_arr_iter_next(&iter); part != NULL && err == GW_OK;
             part = yyjson_arr_iter_next(&iter)) {
            err = gw_from_gemini_media(c->r, part)
                      ? GW_OK
                      : refuse(c, GW_STR("A function's result can hold data and images only."));
        }
        (void)gw_buf_append_byte(out, ']');
    }
    gw_buf_fini(&text);
    return err;
}

static bool is_failure(yyjson_val *response)
{
    yyjson_val *value = gw_json_get(response, "response");
    return yyjson_obj_size(value) == 1 && gw_json_get(value, "error") != NULL;
}

static enum gw_err write_result(struct conversation *c, yyjson_val *response)
{
    size_t index = find_call(c, response);
    if (index == c->call_count) {
        return gw_notes_invalid(c->r->notes, GW_STR("contents[].parts[].functionResponse"),
                                GW_STR("A functionResponse has no functionCall before it."));
    }
    c->calls[index].is_answered = true;
    begin_message(c, GW_STR("tool"));
    gw_json_write_key(GW_STR("tool_call_id"), c->r->out);
    write_call_id(c, index, c->r->out);
    gw_json_write_optional(GW_STR("name"), gw_json_get_text(response, "name"), c->r->out);
    if (is_failure(response)) {
        gw_json_write_raw(GW_STR("is_error"), GW_STR("true"), c->r->out);
    }
    enum gw_err err = write_result_content(c, response);
    (void)gw_buf_append_byte(c->r->out, '}');
    return err;
}

/* How many parts are the user's own, and the text when that is all there is. */
static size_t count_own(yyjson_val *parts, struct gw_str *only_text)
{
    size_t count = 0;
    yyjson_arr_iter iter = yyjson_arr_iter_with(parts);
    *only_text = gw_str(NULL, 0);
    for (yyjson_val *part = yyjson_arr_iter_next(&iter); part != NULL;
         part = yyjson_arr_iter_next(&iter)) {
        if (gw_from_gemini_get(part, "functionResponse") == NULL && !is_thought(part)) {
            count++;
            *only_text = yyjson_is_str(part) ? gw_json_text(part) : gw_json_get_text(part, "text");
        }
    }
    if (count != 1) {
        *only_text = gw_str(NULL, 0);
    }
    return count;
}

static enum gw_err write_own_part(struct conversation *c, yyjson_val *part)
{
    struct gw_str text = yyjson_is_str(part) ? gw_json_text(part) : gw_json_get_text(part, "text");
    if (text.ptr != NULL) {
        write_text_element(text, c->r->out);
        return GW_OK;
    }
    if (gw_from_gemini_media(c->r, part)) {
        return GW_OK;
    }
    return refuse(c, GW_STR("Parts of this kind are known to Gemini only."));
}

static enum gw_err write_own(struct conversation *c, yyjson_val *parts)
{
    struct gw_str only_text;
    enum gw_err err = GW_OK;
    if (count_own(parts, &only_text) == 0) {
        return GW_OK;
    }
    begin_message(c, GW_STR("user"));
    if (only_text.ptr != NULL) {
        gw_json_write_member(GW_STR("content"), only_text, c->r->out);
    } else {
        gw_json_write_raw(GW_STR("content"), GW_STR("["), c->r->out);
        yyjson_arr_iter iter = yyjson_arr_iter_with(parts);
        for (yyjson_val *part = yyjson_arr_iter_next(&iter); part != NULL && err == GW_OK;
             part = yyjson_arr_iter_next(&iter)) {
            if (gw_from_gemini_get(part, "functionResponse") == NULL && !is_thought(part)) {
                err = write_own_part(c, part);
            }
        }
        (void)gw_buf_append_byte(c->r->out, ']');
    }
    (void)gw_buf_append_byte(c->r->out, '}');
    return err;
}

static enum gw_err write_user(struct conversation *c, yyjson_val *parts)
{
    enum gw_err err = GW_OK;
    yyjson_arr_iter iter = yyjson_arr_iter_with(parts);
    for (yyjson_val *part = yyjson_arr_iter_next(&iter); part != NULL && err == GW_OK;
         part = yyjson_arr_iter_next(&iter)) {
        yyjson_val *response = gw_from_gemini_get(part, "functionResponse");
        if (response != NULL) {
            err = write_result(c, response);
        }
    }
    return err == GW_OK ? write_own(c, parts) : err;
}

/* ---- contents ---- */

static void write_user_text(struct conversation *c, struct gw_str text)
{
    begin_message(c, GW_STR("user"));
    gw_json_write_member(GW_STR("content"), text, c->r->out);
    (void)gw_buf_append_byte(c->r->out, '}');
}

static enum gw_err write_content(struct conversation *c, yyjson_val *content)
{
    struct gw_str role = gw_json_get_text(content, "role");
    yyjson_val *parts = gw_json_get(content, "parts");
    if (yyjson_is_str(content)) {
        write_user_text(c, gw_json_text(content));
        return GW_OK;
    }
    if (!yyjson_is_arr(parts) && parts != NULL) {
        return gw_notes_invalid(c->r->notes, GW_STR("contents[].parts"),
                                GW_STR("'parts' must be an array."));
    }
    if (gw_str_eq_nocase(role, GW_STR("model")) || gw_str_eq_nocase(role, GW_STR("assistant"))) {
        return write_model(c, parts);
    }
    if (gw_str_eq_nocase(role, GW_STR("system"))) {
        write_system(c, content);
        return GW_OK;
    }
    return write_user(c, parts);
}

enum gw_err gw_from_gemini_messages(struct gw_gemini_reading *r, yyjson_val *root)
{
    struct conversation c = {.r = r};
    yyjson_val *contents = gw_json_get(root, "contents");
    enum gw_err err = GW_OK;
    if (yyjson_arr_size(contents) == 0 && !yyjson_is_obj(contents) && !yyjson_is_str(contents)) {
        return gw_notes_invalid(r->notes, GW_STR("contents"),
                                GW_STR("'contents' must hold at least one content."));
    }
    gw_json_write_raw(GW_STR("messages"), GW_STR("["), r->out);
    write_system(&c, gw_from_gemini_get(root, "systemInstruction"));
    if (!yyjson_is_arr(contents)) {
        err = write_content(&c, contents);
    }
    yyjson_arr_iter iter = yyjson_arr_iter_with(contents);
    for (yyjson_val *content = yyjson_arr_iter_next(&iter); content != NULL && err == GW_OK;
         content = yyjson_arr_iter_next(&iter)) {
        err = write_content(&c, content);
        c.turn++;
    }
    (void)gw_buf_append_byte(r->out, ']');
    gw_free(c.calls);
    return err;
}
