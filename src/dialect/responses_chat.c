/* SPDX-License-Identifier: MIT */
/*
 * dialect/responses_chat - a Responses request as the neutral one. It is written as text in a fixed
 * order, messages first, and read once: so the same conversation gives the same bytes turn after
 * turn.
 */
#include "dialect/responses_chat.h"

#include "dialect/openai_int.h"
#include "dialect/responses_int.h"
#include "json/value.h"
#include "json/write.h"

/* Every string comes once in the conversation and once, if at all, in the echo; escaping makes six
 * bytes of one at worst. */
#define GROWTH       16
#define ROOM_MINIMUM (64u * 1024)

static void init(struct gw_responses_chat *chat, struct gw_notes *notes, size_t max_bytes)
{
    struct gw_responses_assistant *assistant = &chat->assistant;
    struct gw_buf *bufs[] = {&chat->messages,       &chat->tools,       &chat->namespaces,
                             &chat->seen,           &assistant->parts,  &assistant->text,
                             &assistant->refusal,   &assistant->items,  &assistant->reasoning,
                             &assistant->signature, &assistant->blocks, &assistant->calls};
    *chat = (struct gw_responses_chat){.notes = notes};
    for (size_t i = 0; i < GW_ARRAY_LEN(bufs); i++) {
        gw_buf_init(bufs[i], max_bytes);
    }
}

static void fini(struct gw_responses_chat *chat)
{
    struct gw_responses_assistant *assistant = &chat->assistant;
    struct gw_buf *bufs[] = {&chat->messages,       &chat->tools,       &chat->namespaces,
                             &chat->seen,           &assistant->parts,  &assistant->text,
                             &assistant->refusal,   &assistant->items,  &assistant->reasoning,
                             &assistant->signature, &assistant->blocks, &assistant->calls};
    for (size_t i = 0; i < GW_ARRAY_LEN(bufs); i++) {
        gw_buf_fini(bufs[i]);
    }
}

/* ---- members ---- */

/* What becomes a member of the neutral request by itself, under another name or the same. */
static const struct {
    const char *from;
    struct gw_str to;
} renamed[] = {
    {"max_output_tokens", GW_STR_INIT("max_completion_tokens")},
    {"temperature", GW_STR_INIT("temperature")},
    {"top_p", GW_STR_INIT("top_p")},
    {"top_logprobs", GW_STR_INIT("top_logprobs")},
    {"metadata", GW_STR_INIT("metadata")},
    {"service_tier", GW_STR_INIT("service_tier")},
    {"user", GW_STR_INIT("user")},
    {"safety_identifier", GW_STR_INIT("safety_identifier")},
    {"prompt_cache_key", GW_STR_INIT("prompt_cache_key")},
    {"prompt_cache_retention", GW_STR_INIT("prompt_cache_retention")},
    {"prompt_cache_options", GW_STR_INIT("prompt_cache_options")},
    {"stop", GW_STR_INIT("stop")}, /* not OpenAI's, but clients of other servers send them */
    {"seed", GW_STR_INIT("seed")},
    {"top_k", GW_STR_INIT("top_k")},
};

static void write_renamed(yyjson_val *root, struct gw_buf *out)
{
    for (size_t i = 0; i < GW_ARRAY_LEN(renamed); i++) {
        yyjson_val *value = gw_json_get(root, renamed[i].from);
        if (value != NULL) {
            gw_json_write_key(renamed[i].to, out);
            gw_json_write(value, out);
        }
    }
}

/* {"type","name",...} flat becomes {"type","json_schema":{"name",...}}. */
static void write_format(yyjson_val *text, struct gw_buf *out)
{
    static const char *const members[] = {"name", "description", "schema", "strict"};
    yyjson_val *format = gw_json_get(text, "format");
    struct gw_str type = gw_json_get_text(format, "type");
    if (format == NULL || gw_str_eq(type, GW_STR("text"))) {
        return;
    }
    gw_json_write_key(GW_STR("response_format"), out);
    if (!gw_str_eq(type, GW_STR("json_schema"))) {
        gw_json_write(format, out);
        return;
    }
    (void)gw_buf_append(out, GW_STR("{\"type\":\"json_schema\",\"json_schema\":{"));
    for (size_t i = 0; i < GW_ARRAY_LEN(members); i++) {
        yyjson_val *value = gw_json_get(format, members[i]);
        if (value != NULL) {
            gw_json_write_key(gw_str_from_c(members[i]), out);
            gw_json_write(value, out);
        }
    }
    (void)gw_buf_append(out, GW_STR("}}"));
}

static void write_text_options(yyjson_val *root, struct gw_buf *out)
{
    yyjson_val *text = gw_json_get(root, "text");
    write_format(text, out);
    gw_json_write_optional(GW_STR("verbosity"), gw_json_get_text(text, "verbosity"), out);
    yyjson_val *reasoning = gw_json_get(root, "reasoning");
    gw_json_write_optional(GW_STR("reasoning_effort"), gw_json_get_text(reasoning, "effort"), out);
}

static void write_include(struct gw_responses_chat *chat, yyjson_val *root, struct gw_buf *out)
{
    size_t index = 0;
    size_t max = 0;
    yyjson_val *element = NULL;
    bool wants_logprobs = gw_json_get_u64(root, "top_logprobs", 0) > 0;
    yyjson_arr_foreach(gw_json_get(root, "include"), index, max, element)
    {
        if (gw_json_is(element, GW_STR("message.output_text.logprobs"))) {
            wants_logprobs = true;
        } else if (!gw_json_is(element, GW_STR("reasoning.encrypted_content"))) {
            gw_notes_add(chat->notes, GW_NOTE_DROPPED, GW_STR("include"),
                         GW_STR("the model has none of the tools whose output this asks for."));
        }
    }
    if (wants_logprobs) {
        gw_json_write_raw(GW_STR("logprobs"), GW_STR("true"), out);
    }
}

/* ---- what cannot be ---- */

static const struct {
    const char *member;
    struct gw_str text;
} dropped[] = {
    {"max_tool_calls", GW_STR_INIT("only OpenAI's own tools count against it.")},
    {"context_management", GW_STR_INIT("the model's provider has no such thing.")},
    {"moderation", GW_STR_INIT("the model's provider has no such thing.")},
};

static enum gw_err refuse_state(struct gw_responses_chat *chat, yyjson_val *root)
{
    if (gw_json_get(root, "previous_response_id") != NULL) {
        return gw_notes_invalid(
            chat->notes, GW_STR("previous_response_id"),
            GW_STR("'previous_response_id' is not known here; send the whole conversation."));
    }
    if (gw_json_get(root, "conversation") != NULL) {
        return gw_notes_refuse(chat->notes, GW_STR("conversation"),
                               GW_STR("conversations live at OpenAI; send the items themselves."));
    }
    if (gw_json_get(root, "prompt") != NULL) {
        return gw_notes_refuse(chat->notes, GW_STR("prompt"),
                               GW_STR("prompt templates live at OpenAI; send the text itself."));
    }
    return gw_json_get_true(root, "background")
               ? gw_notes_refuse(chat->notes, GW_STR("background"),
                                 GW_STR("answers are made while the client waits."))
               : GW_OK;
}

static enum gw_err note_rest(struct gw_responses_chat *chat, yyjson_val *root)
{
    for (size_t i = 0; i < GW_ARRAY_LEN(dropped); i++) {
        if (gw_json_get(root, dropped[i].member) != NULL) {
            gw_notes_add(chat->notes, GW_NOTE_DROPPED, gw_str_from_c(dropped[i].member),
                         dropped[i].text);
        }
    }
    if (gw_json_is(gw_json_get(root, "truncation"), GW_STR("auto"))) {
        gw_notes_add(chat->notes, GW_NOTE_DROPPED, GW_STR("truncation"),
                     GW_STR("a conversation that is too long is an error."));
    }
    return refuse_state(chat, root);
}

/* ---- the whole ---- */

/* What a response repeats of its request. "tools" may be large and is repeated as it came. */
static void write_echo(yyjson_val *root, struct gw_buf *out)
{
    static const char *const members[] = {"instructions",
                                          "max_output_tokens",
                                          "max_tool_calls",
                                          "parallel_tool_calls",
                                          "previous_response_id",
                                          "prompt_cache_key",
                                          "prompt_cache_options",
                                          "reasoning",
                                          "safety_identifier",
                                          "service_tier",
                                          "store",
                                          "temperature",
                                          "text",
                                          "tool_choice",
                                          "tools",
                                          "top_logprobs",
                                          "top_p",
                                          "truncation",
                                          "user",
                                          "metadata"};
    gw_json_write_key(GW_STR("_echo"), out);
    (void)gw_buf_append_byte(out, '{');
    for (size_t i = 0; i < GW_ARRAY_LEN(members); i++) {
        yyjson_val *value = gw_json_get(root, members[i]);
        if (value != NULL) {
            gw_json_write_key(gw_str_from_c(members[i]), out);
            gw_json_write(value, out);
        }
    }
    (void)gw_buf_append_byte(out, '}');
}

static void write_chat(struct gw_responses_chat *chat, yyjson_val *root,
                       const struct gw_llm_request *request, struct gw_buf *out)
{
    (void)gw_buf_append_byte(out, '{');
    gw_json_write_member(GW_STR("model"), request->model, out);
    (void)gw_buf_append(out, GW_STR(",\"messages\":["));
    (void)gw_buf_append(out, gw_buf_str(&chat->messages));
    (void)gw_buf_append_byte(out, ']');
    gw_responses_write_tools(chat, root, out);
    write_text_options(root, out);
    write_renamed(root, out);
    write_include(chat, root, out);
    if (request->is_stream) {
        gw_json_write_raw(GW_STR("stream"), GW_STR("true"), out);
    }
    write_echo(root, out);
    if (chat->namespaces.len > 0) {
        (void)gw_buf_append(out, GW_STR(",\"_namespaces\":{"));
        (void)gw_buf_append(out, gw_buf_str(&chat->namespaces));
        (void)gw_buf_append_byte(out, '}');
    }
    (void)gw_buf_append_byte(out, '}');
}

static enum gw_err first_failure(const struct gw_responses_chat *chat, const struct gw_buf *out)
{
    const struct gw_responses_assistant *assistant = &chat->assistant;
    const struct gw_buf *bufs[] = {out,
                                   &chat->messages,
                                   &chat->tools,
                                   &chat->namespaces,
                                   &chat->seen,
                                   &assistant->parts,
                                   &assistant->text,
                                   &assistant->refusal,
                                   &assistant->reasoning,
                                   &assistant->items,
                                   &assistant->blocks,
                                   &assistant->calls,
                                   &assistant->signature};
    for (size_t i = 0; i < GW_ARRAY_LEN(bufs); i++) {
        if (bufs[i]->err != GW_OK) {
            return GW_ERR_NOMEM;
        }
    }
    return GW_OK;
}

static enum gw_err read_back(const struct gw_buf *text, yyjson_doc **doc)
{
    /* Without the in-situ flag the text is copied and not written to, whatever the type says. */
    *doc = yyjson_read_opts(text->ptr, text->len, 0, &gw_json_allocator, NULL);
    return *doc != NULL ? GW_OK : GW_ERR_NOMEM;
}

enum gw_err gw_responses_to_chat(const struct gw_inbound *in, const struct gw_llm_request *request,
                                 struct gw_notes *notes, yyjson_doc **neutral)
{
    yyjson_doc *body = NULL;
    enum gw_err err = gw_openai_read_body(in->body, notes, &body);
    if (err != GW_OK) {
        return err;
    }
    yyjson_val *root = yyjson_doc_get_root(body);
    struct gw_responses_chat chat;
    struct gw_buf out;
    size_t max_bytes = ROOM_MINIMUM + GROWTH * in->body.len;
    init(&chat, notes, max_bytes);
    gw_buf_init(&out, max_bytes);
    err = note_rest(&chat, root);
    if (err == GW_OK) {
        err = gw_responses_add_tools(&chat, gw_json_get(root, "tools"));
    }
    if (err == GW_OK) {
        err = gw_responses_write_messages(&chat, root);
    }
    if (err == GW_OK) {
        write_chat(&chat, root, request, &out);
        err = first_failure(&chat, &out);
    }
    if (err == GW_OK) {
        err = read_back(&out, neutral);
    }
    fini(&chat);
    gw_buf_fini(&out);
    yyjson_doc_free(body);
    return err;
}
