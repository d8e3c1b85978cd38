/* SPDX-License-Identifier: MIT */
/* provider/responses_encode - the neutral request as one of Responses. */
#include "llm/chat.h"
#include "provider/responses_int.h"

#include "json/scan.h"
#include "json/write.h"

#define MIN_TOKENS 16 /* OpenAI refuses fewer here */

static void note(struct gw_responses_encoding *encoding, enum gw_note_kind kind, const char *param,
                 struct gw_str text)
{
    gw_notes_add(encoding->notes, kind, gw_str_from_c(param), text);
}

/* ---- what the answer shall look like ---- */

static void write_schema(yyjson_val *format, struct gw_buf *out)
{
    static const char *const members[] = {"name", "description", "schema", "strict"};
    yyjson_val *schema = gw_json_get(format, "json_schema");
    (void)gw_buf_append(out, GW_STR("{\"type\":\"json_schema\""));
    for (size_t i = 0; i < GW_ARRAY_LEN(members); i++) {
        yyjson_val *value = gw_json_get(schema, members[i]);
        if (value != NULL) {
            gw_json_write_key(gw_str_from_c(members[i]), out);
            gw_json_write(value, out);
        }
    }
    (void)gw_buf_append_byte(out, '}');
}

static void write_text_options(struct gw_responses_encoding *encoding)
{
    struct gw_buf *out = encoding->out;
    yyjson_val *format = gw_json_get(encoding->chat, "response_format");
    struct gw_str verbosity = gw_json_get_text(encoding->chat, "verbosity");
    if (format == NULL && verbosity.len == 0) {
        return;
    }
    gw_json_write_key(GW_STR("text"), out);
    (void)gw_buf_append_byte(out, '{');
    if (format != NULL) {
        gw_json_write_key(GW_STR("format"), out);
        if (gw_json_get(format, "json_schema") != NULL) {
            write_schema(format, out);
        } else {
            gw_json_write(format, out);
        }
    }
    gw_json_write_optional(GW_STR("verbosity"), verbosity, out);
    (void)gw_buf_append_byte(out, '}');
}

/* ---- reasoning ---- */

/* Anthropic's budget of thinking tokens (inbound.md A4). */
static struct gw_str effort_of_thinking(yyjson_val *thinking)
{
    struct gw_str type = gw_json_get_text(thinking, "type");
    uint64_t budget = gw_json_get_u64(thinking, "budget_tokens", 0);
    if (gw_str_eq(type, GW_STR("disabled"))) {
        return GW_STR("none");
    }
    if (!gw_str_eq(type, GW_STR("enabled")) || budget == 0) {
        return gw_str(NULL, 0);
    }
    if (budget < 2048) {
        return GW_STR("low");
    }
    return budget < 8192 ? GW_STR("medium") : GW_STR("high");
}

/* The nearest effort that the model takes; "max" exists here, unlike in chat completions. */
static struct gw_str nearest_effort(const struct gw_openai_model *model, struct gw_str effort)
{
    if (gw_str_eq(effort, GW_STR("none")) && !model->has_none) {
        effort = GW_STR("minimal");
    }
    if (gw_str_eq(effort, GW_STR("minimal")) && !model->has_minimal) {
        return GW_STR("low");
    }
    bool is_most = gw_str_eq(effort, GW_STR("xhigh")) || gw_str_eq(effort, GW_STR("max"));
    return is_most && !model->has_xhigh ? GW_STR("high") : effort;
}

/* A client that sends Anthropic's "thinking" shows its text, if there is any. OpenAI gives
 * summaries only when asked, and only to verified organisations: so others are not asked for. */
static bool wants_summary(const struct gw_responses_encoding *encoding)
{
    struct gw_str type = gw_json_get_text(gw_json_get(encoding->chat, "thinking"), "type");
    return type.len > 0 && !gw_str_eq(type, GW_STR("disabled")) &&
           !encoding->in->request->hides_reasoning;
}

/* Returns whether the model will think. */
static bool write_reasoning(struct gw_responses_encoding *encoding)
{
    const struct gw_openai_model *model = &encoding->model;
    struct gw_buf *out = encoding->out;
    struct gw_str wanted = gw_json_get_text(encoding->chat, "reasoning_effort");
    wanted = wanted.len > 0 ? wanted : effort_of_thinking(gw_json_get(encoding->chat, "thinking"));
    if (!model->is_reasoning || model->has_fixed_effort) {
        if (wanted.len > 0) {
            note(encoding, GW_NOTE_DROPPED, "reasoning_effort",
                 GW_STR("not sent: this model takes none."));
        }
        return model->is_reasoning;
    }
    struct gw_str sent = wanted.len > 0 ? nearest_effort(model, wanted) : wanted;
    if (!gw_str_eq(sent, wanted)) {
        note(encoding, GW_NOTE_CHANGED, "reasoning_effort",
             GW_STR("changed to the nearest effort that this model takes."));
    }
    if (sent.len > 0 || wants_summary(encoding)) {
        gw_json_write_key(GW_STR("reasoning"), out);
        (void)gw_buf_append_byte(out, '{');
        gw_json_write_optional(GW_STR("effort"), sent, out);
        if (wants_summary(encoding)) {
            gw_json_write_member(GW_STR("summary"), GW_STR("auto"), out);
        }
        (void)gw_buf_append_byte(out, '}');
    }
    return sent.len > 0 ? !gw_str_eq(sent, GW_STR("none")) : !model->is_none_default;
}

/* ---- numbers and names ---- */

static void write_max_tokens(struct gw_responses_encoding *encoding)
{
    const struct gw_deployment *deployment = encoding->in->deployment;
    uint64_t wanted = gw_chat_max_tokens(encoding->chat);
    uint64_t tokens = wanted > 0 ? wanted : deployment->default_max_tokens;
    uint64_t limit = deployment->limit_max_tokens;
    if (limit > 0 && (tokens == 0 || tokens > limit)) {
        tokens = limit;
    }
    if (tokens == 0) {
        return;
    }
    tokens = tokens < MIN_TOKENS ? MIN_TOKENS : tokens;
    if (wanted > 0 && wanted != tokens) {
        note(encoding, GW_NOTE_CHANGED, "max_tokens",
             tokens < wanted
                 ? GW_STR("lowered to the most that is configured for this model.")
                 : GW_STR("raised to 16, the fewest that OpenAI's Responses API takes."));
    }
    gw_json_write_count(GW_STR("max_output_tokens"), tokens, encoding->out);
}

static void write_sampling(struct gw_responses_encoding *encoding, bool thinks)
{
    static const char *const members[] = {"temperature", "top_p", "top_logprobs"};
    for (size_t i = 0; i < GW_ARRAY_LEN(members); i++) {
        yyjson_val *value = gw_json_get(encoding->chat, members[i]);
        if (value != NULL && thinks) {
            note(encoding, GW_NOTE_DROPPED, members[i],
                 GW_STR("not sent: models that reason take none."));
        } else if (value != NULL) {
            gw_json_write_key(gw_str_from_c(members[i]), encoding->out);
            gw_json_write(value, encoding->out);
        }
    }
}

static void write_same(struct gw_responses_encoding *encoding)
{
    static const char *const members[] = {"metadata",
                                          "service_tier",
                                          "user",
                                          "safety_identifier",
                                          "prompt_cache_key",
                                          "prompt_cache_retention",
                                          "prompt_cache_options",
                                          "moderation"};
    for (size_t i = 0; i < GW_ARRAY_LEN(members); i++) {
        yyjson_val *value = gw_json_get(encoding->chat, members[i]);
        if (value != NULL) {
            gw_json_write_key(gw_str_from_c(members[i]), encoding->out);
            gw_json_write(value, encoding->out);
        }
    }
}

/* Encrypted reasoning comes back with the next turn, because nothing is stored. */
static void write_include(struct gw_responses_encoding *encoding, bool thinks)
{
    struct gw_buf *out = encoding->out;
    bool has_logprobs = gw_json_get_true(encoding->chat, "logprobs") && !thinks;
    if (!encoding->model.is_reasoning && !has_logprobs) {
        return;
    }
    gw_json_write_key(GW_STR("include"), out);
    (void)gw_buf_append_byte(out, '[');
    if (encoding->model.is_reasoning) {
        (void)gw_buf_append(out, GW_STR("\"reasoning.encrypted_content\""));
    }
    if (has_logprobs) {
        gw_json_write_next(out);
        (void)gw_buf_append(out, GW_STR("\"message.output_text.logprobs\""));
    }
    (void)gw_buf_append_byte(out, ']');
}

/* ---- what Responses does not have ---- */

static bool is_empty(yyjson_val *value)
{
    return value == NULL ||
           (yyjson_is_num(value) && !(yyjson_get_num(value) > 0) && !(yyjson_get_num(value) < 0)) ||
           (yyjson_is_ctn(value) && yyjson_get_len(value) == 0);
}

static enum gw_err refuse_members(struct gw_responses_encoding *encoding)
{
    static const char *const dropped[] = {"seed",
                                          "logit_bias",
                                          "presence_penalty",
                                          "prediction",
                                          "top_k",
                                          "frequency_penalty",
                                          "audio",
                                          "web_search_options"};
    for (size_t i = 0; i < GW_ARRAY_LEN(dropped); i++) {
        if (!is_empty(gw_json_get(encoding->chat, dropped[i]))) {
            note(encoding, GW_NOTE_DROPPED, dropped[i],
                 GW_STR("OpenAI's Responses API, which this model needs, has no such thing."));
        }
    }
    enum gw_err err = GW_OK;
    if (gw_json_get_u64(encoding->chat, "n", 1) > 1) {
        err =
            gw_notes_refuse(encoding->notes, GW_STR("n"), GW_STR("it gives one answer at a time."));
    }
    if (err == GW_OK && !is_empty(gw_json_get(encoding->chat, "stop"))) {
        err = gw_notes_refuse(encoding->notes, GW_STR("stop"),
                              GW_STR("it does not end at given words."));
    }
    return err;
}

/* ---- the whole ---- */

enum gw_err gw_responses_encode_body(const struct gw_provider_input *in, yyjson_val *chat,
                                     struct gw_buf *out)
{
    struct gw_responses_encoding encoding = {.in = in,
                                             .notes = in->notes,
                                             .model = gw_openai_model_of(in->upstream_model),
                                             .chat = chat,
                                             .out = out};
    enum gw_err err = refuse_members(&encoding);
    if (err != GW_OK) {
        return err;
    }
    (void)gw_buf_append_byte(out, '{');
    gw_json_write_member(GW_STR("model"), in->upstream_model, out);
    (void)gw_buf_append(out, GW_STR(",\"input\":["));
    err = gw_responses_encode_input(&encoding);
    if (err != GW_OK) {
        return err;
    }
    (void)gw_buf_append_byte(out, ']');
    gw_responses_encode_tools(&encoding);
    write_text_options(&encoding);
    bool thinks = write_reasoning(&encoding);
    write_max_tokens(&encoding);
    write_sampling(&encoding, thinks);
    write_same(&encoding);
    write_include(&encoding, thinks);
    gw_json_write_raw(GW_STR("store"),
                      gw_json_get_true(chat, "store") ? GW_STR("true") : GW_STR("false"), out);
    if (in->request->is_stream) {
        gw_json_write_raw(GW_STR("stream"), GW_STR("true"), out);
    }
    if (in->deployment->extra_body.len > 0) {
        (void)gw_buf_append_byte(out, ',');
        (void)gw_buf_append(out, in->deployment->extra_body);
    }
    (void)gw_buf_append_byte(out, '}');
    return out->err;
}
