/* SPDX-License-Identifier: MIT */
/* provider/anthropic_encode - the Messages request out of the neutral one (anthropic.md sections 2,
 * 3 and 8): all members but the messages first. */
#include "provider/anthropic_int.h"
#include "json/value.h"
#include "json/write.h"

#define UNKNOWN_MAX_TOKENS 8192 /* where neither client, deployment nor model's name tells */

static void note(struct gw_anthropic_encoding *e, enum gw_note_kind kind, struct gw_str param,
                 struct gw_str text)
{
    gw_notes_add(e->notes, kind, param, text);
}

/* ---- limits ---- */

static void write_max_tokens(struct gw_anthropic_encoding *e)
{
    const struct gw_deployment *deployment = e->in->deployment;
    uint64_t most = e->model->max_output_tokens;
    uint64_t wanted = gw_chat_max_tokens(e->chat);
    uint64_t tokens = wanted > 0 ? wanted : deployment->default_max_tokens;
    tokens = tokens > 0 ? tokens : most;
    tokens = tokens > 0 ? tokens : UNKNOWN_MAX_TOKENS;
    if (most > 0 && tokens > most) {
        tokens = most;
    }
    if (deployment->limit_max_tokens > 0 && tokens > deployment->limit_max_tokens) {
        tokens = deployment->limit_max_tokens;
    }
    if (wanted > tokens) {
        note(e, GW_NOTE_CHANGED, GW_STR("max_tokens"),
             GW_STR("the model or the gateway allows fewer"));
    }
    e->max_tokens = tokens;
    gw_json_write_count(GW_STR("max_tokens"), tokens, e->out);
}

/* ---- sampling ---- */

static void write_value(struct gw_anthropic_encoding *e, const char *name)
{
    yyjson_val *value = gw_json_get(e->chat, name);
    if (value != NULL) {
        gw_json_write_key(gw_str_from_c(name), e->out);
        gw_json_write(value, e->out);
    }
}

/* Is it set to what the model does anyway? */
static bool is_default(yyjson_val *value)
{
    double number = yyjson_get_num(value);
    return yyjson_is_num(value) && number >= 1.0 && number <= 1.0;
}

/* The version as it will be sent, or empty: the deployment's own goes before the client's. */
static struct gw_str sent_version(const struct gw_provider_input *in)
{
    static const struct gw_str name = GW_STR_INIT("anthropic-version");
    for (size_t i = 0; i < in->deployment->extra_header_count; i++) {
        if (gw_str_eq(in->deployment->extra_headers[i].name, name)) {
            return in->deployment->extra_headers[i].value;
        }
    }
    for (size_t i = 0; i < in->client_field_count; i++) {
        if (gw_str_eq(in->client_fields[i].name, name)) {
            return in->client_fields[i].value;
        }
    }
    return gw_str(NULL, 0);
}

/* The versions after those of 2023 (2026-10-21 is the first) know no sampling, for any model. */
static bool is_without_sampling(struct gw_anthropic_encoding *e)
{
    struct gw_str version = sent_version(e->in);
    return !e->is_vertex && version.len > 0 && !gw_str_has_prefix(version, GW_STR("2023-"));
}

static bool drops_sampling(struct gw_anthropic_encoding *e, const char *name)
{
    yyjson_val *value = gw_json_get(e->chat, name);
    double number = yyjson_get_num(value);
    bool is_top_p = strcmp(name, "top_p") == 0;
    if (value == NULL) {
        return true;
    }
    if (is_without_sampling(e)) {
        note(e, GW_NOTE_DROPPED, gw_str_from_c(name),
             GW_STR("the API has no such thing in the version that is asked for"));
        return true;
    }
    bool fits_thinking = is_top_p && number >= 0.95 && number <= 1.0;
    if (e->model->samples && (!e->is_thinking || fits_thinking)) {
        return false;
    }
    if (!is_default(value) || strcmp(name, "top_k") == 0) {
        note(e, GW_NOTE_DROPPED, gw_str_from_c(name),
             e->model->samples ? GW_STR("the model does not take it while it thinks")
                               : GW_STR("this model does not take it"));
    }
    return true;
}

static void write_sampling(struct gw_anthropic_encoding *e)
{
    yyjson_val *temperature = gw_json_get(e->chat, "temperature");
    bool has_temperature = !drops_sampling(e, "temperature");
    if (has_temperature && yyjson_get_num(temperature) > 1.0) {
        gw_json_write_raw(GW_STR("temperature"), GW_STR("1"), e->out);
        note(e, GW_NOTE_CHANGED, GW_STR("temperature"), GW_STR("1 is the highest here"));
    } else if (has_temperature) {
        write_value(e, "temperature");
    }
    if (!drops_sampling(e, "top_p")) {
        if (has_temperature && !e->model->samples_both) {
            note(e, GW_NOTE_DROPPED, GW_STR("top_p"),
                 GW_STR("this model does not take it together with temperature"));
        } else {
            write_value(e, "top_p");
        }
    }
    if (!drops_sampling(e, "top_k")) {
        write_value(e, "top_k");
    }
}

static void write_stop(struct gw_anthropic_encoding *e)
{
    struct gw_chat_parts parts = gw_chat_parts_of(gw_json_get(e->chat, "stop"));
    struct gw_chat_part part;
    bool is_open = false;
    while (gw_chat_parts_next(&parts, &part)) {
        if (gw_str_trim(part.text).len == 0) {
            note(e, GW_NOTE_DROPPED, GW_STR("stop"),
                 GW_STR("a sequence of blanks alone is refused"));
            continue;
        }
        if (!is_open) {
            gw_json_write_raw(GW_STR("stop_sequences"), GW_STR("["), e->out);
            is_open = true;
        }
        gw_json_write_next(e->out);
        gw_json_write_text(part.text, e->out);
    }
    if (is_open) {
        (void)gw_buf_append_byte(e->out, ']');
    }
}

/* ---- the rest ---- */

static void write_user(struct gw_anthropic_encoding *e)
{
    static const char *const names[] = {"safety_identifier", "user"};
    struct gw_str user = gw_json_get_text(gw_json_get(e->chat, "metadata"), "user_id");
    for (size_t i = 0; i < GW_ARRAY_LEN(names) && user.len == 0; i++) {
        user = gw_json_get_text(e->chat, names[i]);
    }
    if (user.len > 0) {
        gw_json_write_raw(GW_STR("metadata"), GW_STR("{"), e->out);
        gw_json_write_member(GW_STR("user_id"), user, e->out);
        (void)gw_buf_append_byte(e->out, '}');
    }
}

static void write_service_tier(struct gw_anthropic_encoding *e)
{
    struct gw_str tier = gw_json_get_text(e->chat, "service_tier");
    if (tier.len == 0 || e->is_vertex) {
        return;
    }
    if (gw_str_eq(tier, GW_STR("default")) || gw_str_eq(tier, GW_STR("standard_only"))) {
        gw_json_write_member(GW_STR("service_tier"), GW_STR("standard_only"), e->out);
    } else if (gw_str_eq(tier, GW_STR("auto"))) {
        gw_json_write_member(GW_STR("service_tier"), tier, e->out);
    } else {
        note(e, GW_NOTE_DROPPED, GW_STR("service_tier"), GW_STR("it is no tier of this API"));
    }
}

/* Whose loss changes the meaning of the request. */
static enum gw_err refuse_members(struct gw_anthropic_encoding *e)
{
    enum gw_err err = GW_OK;
    yyjson_val *modalities = gw_json_get(e->chat, "modalities");
    if (gw_json_get_u64(e->chat, "n", 1) > 1) {
        err = gw_notes_refuse(e->notes, GW_STR("n"), GW_STR("there is one answer per request."));
    }
    if (err == GW_OK && gw_json_get_true(e->chat, "logprobs")) {
        err = gw_notes_refuse(e->notes, GW_STR("logprobs"),
                              GW_STR("Anthropic's models tell no log probabilities."));
    }
    bool wants_audio = gw_json_get(e->chat, "audio") != NULL ||
                       gw_json_is(yyjson_arr_get_last(modalities), GW_STR("audio"));
    if (err == GW_OK && wants_audio) {
        err = gw_notes_refuse(e->notes, GW_STR("audio"),
                              GW_STR("Anthropic's models answer with text only."));
    }
    return err;
}

static void note_dropped(struct gw_anthropic_encoding *e)
{
    static const char *const names[] = {
        "seed",       "logit_bias",    "frequency_penalty", "presence_penalty",
        "prediction", "store",         "verbosity",         "web_search_options",
        "functions",  "function_call", "safety_settings"};
    for (size_t i = 0; i < GW_ARRAY_LEN(names); i++) {
        yyjson_val *value = gw_json_get(e->chat, names[i]);
        double number = yyjson_get_num(value);
        bool is_zero = yyjson_is_num(value) && number >= 0 && number <= 0;
        bool is_nothing = value == NULL || yyjson_is_false(value) || is_zero;
        if (!is_nothing) {
            note(e, GW_NOTE_DROPPED, gw_str_from_c(names[i]),
                 GW_STR("Anthropic has no such thing"));
        }
    }
}

static enum gw_err write_body(struct gw_anthropic_encoding *e)
{
    enum gw_err err = refuse_members(e);
    if (err != GW_OK) {
        return err;
    }
    (void)gw_buf_append_byte(e->out, '{');
    if (e->is_vertex) {
        gw_json_write_member(GW_STR("anthropic_version"), GW_STR(GW_VERTEX_CLAUDE_VERSION), e->out);
    } else {
        gw_json_write_member(GW_STR("model"), e->in->upstream_model, e->out);
    }
    write_max_tokens(e);
    err = gw_anthropic_write_thinking(e);
    if (err == GW_OK) {
        err = gw_anthropic_write_tools(e);
    }
    if (err != GW_OK) {
        return err;
    }
    gw_anthropic_write_system(e);
    write_sampling(e);
    write_stop(e);
    write_user(e);
    write_service_tier(e);
    note_dropped(e);
    if (e->in->request->is_stream) {
        gw_json_write_raw(GW_STR("stream"), GW_STR("true"), e->out);
    }
    struct gw_str extra = e->in->deployment->extra_body;
    if (extra.len > 0) { /* in front of what grows with the conversation */
        gw_json_write_next(e->out);
        (void)gw_buf_append(e->out, extra);
    }
    err = gw_anthropic_write_messages(e);
    (void)gw_buf_append_byte(e->out, '}');
    return err;
}

enum gw_err gw_anthropic_encode(const struct gw_provider_input *in, yyjson_val *chat,
                                bool is_vertex, struct gw_provider_call *call)
{
    struct gw_anthropic_memory *memory = NULL;
    struct gw_anthropic_encoding e = {.in = in,
                                      .chat = chat,
                                      .model = gw_anthropic_model_of(in->upstream_model),
                                      .is_vertex = is_vertex,
                                      .notes = in->notes,
                                      .out = &call->body};
    enum gw_err err = gw_anthropic_remember(&e, &memory);
    if (err == GW_OK) {
        err = write_body(&e);
    }
    call->memory = memory;
    return err != GW_OK ? err : call->body.err;
}
