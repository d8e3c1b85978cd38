/* SPDX-License-Identifier: MIT */
/* provider/openai_encode - the request's own members; messages and tools have files of their own.
 */
#include "provider/openai_encode.h"

#include "llm/chat.h"
#include "json/value.h"

static void text(struct gw_openai_encoding *encoding, struct gw_str piece)
{
    (void)gw_buf_append(encoding->out, piece);
}

static void begin_member(struct gw_openai_encoding *encoding, struct gw_str name)
{
    text(encoding, GW_STR(",\""));
    text(encoding, name);
    text(encoding, GW_STR("\":"));
}

static void note(struct gw_openai_encoding *encoding, enum gw_note_kind kind, struct gw_str param,
                 struct gw_str what)
{
    gw_notes_add(encoding->in->notes, kind, param, what);
}

/* ---- members that are copied ---- */

#define M(member) (UINT64_C(1) << GW_OPENAI_##member)

/* What a model that thinks refuses (openai.md section 3, xAI's page C2). */
static uint64_t refused_by_thinking(const struct gw_openai_encoding *encoding)
{
    if (encoding->quirks->effort == GW_EFFORT_XAI) {
        return M(PRESENCE_PENALTY) | M(FREQUENCY_PENALTY) | M(STOP);
    }
    if (encoding->quirks->effort == GW_EFFORT_BY_MODEL) {
        return M(TEMPERATURE) | M(TOP_P) | M(PRESENCE_PENALTY) | M(FREQUENCY_PENALTY) |
               M(LOGPROBS) | M(TOP_LOGPROBS) | M(LOGIT_BIAS) | M(STOP);
    }
    return 0;
}

static struct gw_str sent_name(const struct gw_openai_encoding *encoding,
                               enum gw_openai_member member)
{
    if (member == GW_OPENAI_SEED && encoding->quirks->seed.len > 0) {
        return encoding->quirks->seed;
    }
    if (member == GW_OPENAI_USER && encoding->quirks->user.len > 0) {
        return encoding->quirks->user;
    }
    return gw_openai_member_name(member);
}

/* Groq has other words for OpenAI's tiers. */
static void write_tier(struct gw_openai_encoding *encoding, yyjson_val *value)
{
    struct gw_str tier = gw_json_text(value);
    if (gw_str_eq(encoding->quirks->provider, GW_STR("groq"))) {
        tier = gw_str_eq(tier, GW_STR("default"))    ? GW_STR("on_demand")
               : gw_str_eq(tier, GW_STR("priority")) ? GW_STR("performance")
                                                     : tier;
    }
    begin_member(encoding, GW_STR("service_tier"));
    gw_json_write_text(tier, encoding->out);
}

/* Mistral's scale ends at 1.5, OpenAI's at 2. */
static void write_temperature(struct gw_openai_encoding *encoding, yyjson_val *value)
{
    begin_member(encoding, GW_STR("temperature"));
    if (encoding->quirks->is_mistral && yyjson_get_num(value) > 1.5) {
        text(encoding, GW_STR("1.5"));
        note(encoding, GW_NOTE_CHANGED, GW_STR("temperature"),
             GW_STR("lowered to 1.5, which is this provider's highest."));
        return;
    }
    gw_json_write(value, encoding->out);
}

static void write_members(struct gw_openai_encoding *encoding, bool is_thinking)
{
    uint64_t refused = is_thinking ? refused_by_thinking(encoding) : 0;
    for (unsigned i = 0; i < GW_OPENAI_MEMBER_COUNT; i++) {
        struct gw_str name = gw_openai_member_name((enum gw_openai_member)i);
        yyjson_val *value = gw_json_get(encoding->chat, name.ptr);
        if (value == NULL) {
            continue;
        }
        if ((encoding->quirks->drops >> i & 1) != 0) {
            note(encoding, GW_NOTE_DROPPED, name,
                 GW_STR("not sent: this provider has no such "
                        "parameter."));
        } else if ((refused >> i & 1) != 0) {
            note(encoding, GW_NOTE_DROPPED, name,
                 GW_STR("not sent: this model does not take it while it reasons."));
        } else if (i == GW_OPENAI_SERVICE_TIER) {
            write_tier(encoding, value);
        } else if (i == GW_OPENAI_TEMPERATURE) {
            write_temperature(encoding, value);
        } else {
            begin_member(encoding, sent_name(encoding, (enum gw_openai_member)i));
            gw_json_write(value, encoding->out);
        }
    }
}

/* ---- members with rules of their own ---- */

static void write_max_tokens(struct gw_openai_encoding *encoding)
{
    const struct gw_deployment *deployment = encoding->in->deployment;
    uint64_t tokens = gw_chat_max_tokens(encoding->chat);
    if (tokens == 0) {
        tokens = deployment->default_max_tokens;
    }
    if (deployment->limit_max_tokens > 0 &&
        (tokens == 0 || tokens > deployment->limit_max_tokens)) {
        if (tokens > 0) {
            note(encoding, GW_NOTE_CHANGED, GW_STR("max_tokens"),
                 GW_STR("lowered to the most that is configured for this model."));
        }
        tokens = deployment->limit_max_tokens;
    }
    if (tokens > 0) {
        begin_member(encoding, encoding->quirks->max_tokens);
        (void)gw_buf_append_u64(encoding->out, tokens);
    }
}

static void write_format(struct gw_openai_encoding *encoding)
{
    yyjson_val *format = gw_json_get(encoding->chat, "response_format");
    bool has_schema = gw_json_get(format, "json_schema") != NULL;
    if (format == NULL || gw_json_is(gw_json_get(format, "type"), GW_STR("text"))) {
        return;
    }
    begin_member(encoding, GW_STR("response_format"));
    if (has_schema && encoding->quirks->has_no_schema) {
        text(encoding, GW_STR("{\"type\":\"json_object\"}"));
    } else {
        gw_json_write(format, encoding->out);
    }
}

static void write_stream(struct gw_openai_encoding *encoding)
{
    if (!encoding->in->request->is_stream) {
        return;
    }
    text(encoding, GW_STR(",\"stream\":true"));
    if (!encoding->quirks->has_no_stream_usage) {
        text(encoding, GW_STR(",\"stream_options\":{\"include_usage\":true}"));
    }
}

/* Members that the neutral request may have and this API has not. */
static enum gw_err check_others(struct gw_openai_encoding *encoding)
{
    static const struct gw_str foreign[] = {GW_STR_INIT("safety_settings"),
                                            GW_STR_INIT("anthropic_beta")};
    for (size_t i = 0; i < GW_ARRAY_LEN(foreign); i++) {
        if (gw_json_get(encoding->chat, foreign[i].ptr) != NULL) {
            note(encoding, GW_NOTE_DROPPED, foreign[i],
                 GW_STR("not sent: this provider has no such parameter."));
        }
    }
    if (gw_json_get_u64(encoding->chat, "n", 1) > 1) {
        return gw_notes_refuse(encoding->in->notes, GW_STR("n"),
                               GW_STR("More than one answer at once is not translated between "
                                      "APIs; send the request several times."));
    }
    return GW_OK;
}

/* vLLM renders the conversation without an end, so that its last message goes on. */
static void write_prefix_flags(struct gw_openai_encoding *encoding)
{
    yyjson_val *last = yyjson_arr_get_last(gw_json_get(encoding->chat, "messages"));
    if (encoding->quirks->prefix == GW_PREFIX_FLAGS && gw_json_get_true(last, "prefix")) {
        text(encoding, GW_STR(",\"add_generation_prompt\":false,\"continue_final_message\":true"));
    }
}

static void write_extra(struct gw_openai_encoding *encoding)
{
    if (encoding->in->deployment->extra_body.len > 0) {
        text(encoding, GW_STR(","));
        text(encoding, encoding->in->deployment->extra_body);
    }
}

static struct gw_str audio_type(yyjson_val *chat, struct gw_arena *arena)
{
    struct gw_str format = gw_json_get_text(gw_json_get(chat, "audio"), "format");
    return format.len == 0 ? format
                           : gw_arena_printf(arena, "audio/" GW_STR_FMT, GW_STR_ARG(format));
}

static enum gw_err keep_memory(const struct gw_openai_encoding *encoding,
                               struct gw_provider_call *call)
{
    struct gw_openai_memory *memory = gw_arena_try_alloc(encoding->in->arena, sizeof(*memory));
    if (memory == NULL) {
        return GW_ERR_NOMEM;
    }
    *memory = (struct gw_openai_memory){
        .custom_tools = encoding->custom_tools,
        .custom_tool_count = encoding->custom_tool_count,
        .audio_type = audio_type(encoding->chat, encoding->in->arena),
    };
    call->memory = memory;
    return GW_OK;
}

enum gw_err gw_openai_encode_body(const struct gw_provider_input *in, yyjson_val *chat,
                                  bool has_model, struct gw_provider_call *call)
{
    struct gw_openai_encoding encoding = {
        .in = in,
        .quirks = gw_openai_quirks_of(in->deployment->provider_name),
        .model = gw_openai_model_of(in->upstream_model),
        .chat = chat,
        .out = &call->body,
    };
    enum gw_err err = check_others(&encoding);
    if (err != GW_OK) {
        return err;
    }
    text(&encoding, GW_STR("{"));
    if (has_model) {
        text(&encoding, GW_STR("\"model\":"));
        gw_json_write_text(in->upstream_model, encoding.out);
        text(&encoding, GW_STR(","));
    }
    err = gw_openai_encode_messages(&encoding);
    if (err == GW_OK) {
        err = gw_openai_encode_tools(&encoding);
    }
    if (err != GW_OK) {
        return err;
    }
    write_format(&encoding);
    write_max_tokens(&encoding);
    write_members(&encoding, gw_openai_encode_effort(&encoding));
    write_stream(&encoding);
    write_prefix_flags(&encoding);
    write_extra(&encoding);
    text(&encoding, GW_STR("}"));
    return encoding.out->err != GW_OK ? encoding.out->err : keep_memory(&encoding, call);
}
