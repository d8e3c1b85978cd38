/* SPDX-License-Identifier: MIT */
/* provider/gemini_config - "generationConfig": sampling, limits, answer format, modalities
 * (gemini.md section 2). */
#include "llm/chat.h"
#include "provider/gemini_int.h"
#include "json/value.h"
#include "json/write.h"

#define MAX_STOPS 5 /* gemini.md section 2 */

static void write_number(struct gw_gemini_encoding *e, const char *key, struct gw_str name)
{
    yyjson_val *value = gw_json_get(e->chat, key);
    if (yyjson_is_num(value)) {
        gw_json_write_key(name, e->out);
        gw_json_write(value, e->out);
    }
}

static void write_max_tokens(struct gw_gemini_encoding *e)
{
    const struct gw_deployment *deployment = e->in->deployment;
    uint64_t tokens = gw_chat_max_tokens(e->chat);
    if (tokens == 0) {
        tokens = deployment->default_max_tokens;
    }
    if (deployment->limit_max_tokens > 0 &&
        (tokens == 0 || tokens > deployment->limit_max_tokens)) {
        if (tokens > 0) {
            gw_notes_add(e->notes, GW_NOTE_CHANGED, GW_STR("max_tokens"),
                         GW_STR("Lowered to the deployment's limit."));
        }
        tokens = deployment->limit_max_tokens;
    }
    if (tokens > 0) {
        gw_json_write_count(GW_STR("maxOutputTokens"), tokens, e->out);
    }
}

static enum gw_err write_stops(struct gw_gemini_encoding *e)
{
    yyjson_val *stop = gw_json_get(e->chat, "stop");
    size_t count = yyjson_is_str(stop) ? 1 : yyjson_arr_size(stop);
    if (count == 0) {
        return GW_OK;
    }
    if (count > MAX_STOPS) {
        enum gw_err err = gw_notes_refuse(e->notes, GW_STR("stop"),
                                          GW_STR("Gemini takes at most 5 stop sequences."));
        if (err != GW_OK) {
            return err;
        }
        count = MAX_STOPS;
    }
    gw_json_write_key(GW_STR("stopSequences"), e->out);
    (void)gw_buf_append_byte(e->out, '[');
    for (size_t i = 0; i < count; i++) {
        gw_json_write_next(e->out);
        gw_json_write(yyjson_is_str(stop) ? stop : yyjson_arr_get(stop, i), e->out);
    }
    (void)gw_buf_append_byte(e->out, ']');
    return GW_OK;
}

/* One answer is all that the neutral events can carry. */
static enum gw_err check_choices(struct gw_gemini_encoding *e)
{
    if (gw_json_get_u64(e->chat, "n", 1) <= 1) {
        return GW_OK;
    }
    return gw_notes_refuse(e->notes, GW_STR("n"),
                           GW_STR("Only one choice can be asked of this provider."));
}

static void write_penalties(struct gw_gemini_encoding *e)
{
    static const struct {
        const char *key;
        struct gw_str name;
    } penalties[] = {{"presence_penalty", GW_STR_INIT("presencePenalty")},
                     {"frequency_penalty", GW_STR_INIT("frequencyPenalty")}};
    for (size_t i = 0; i < GW_ARRAY_LEN(penalties); i++) {
        if (e->model.version < GW_GEMINI_4) {
            write_number(e, penalties[i].key, penalties[i].name);
        } else if (gw_json_get(e->chat, penalties[i].key) != NULL) {
            gw_notes_add(e->notes, GW_NOTE_DROPPED, gw_str_from_c(penalties[i].key),
                         GW_STR("Gemini 4 knows no penalties."));
        }
    }
}

static enum gw_err write_format(struct gw_gemini_encoding *e)
{
    yyjson_val *format = gw_json_get(e->chat, "response_format");
    struct gw_str type = gw_json_get_text(format, "type");
    if (type.ptr == NULL || gw_str_eq(type, GW_STR("text"))) {
        return GW_OK;
    }
    bool has_tools = yyjson_arr_size(gw_json_get(e->chat, "tools")) > 0;
    if (has_tools && e->model.version > 0 && e->model.version < GW_GEMINI_3) {
        return gw_notes_refuse(
            e->notes, GW_STR("response_format"),
            GW_STR("Models before Gemini 3 cannot give JSON while they have tools."));
    }
    gw_json_write_member(GW_STR("responseMimeType"), GW_STR("application/json"), e->out);
    yyjson_val *schema = gw_json_get(gw_json_get(format, "json_schema"), "schema");
    if (yyjson_is_obj(schema)) {
        gw_json_write_key(GW_STR("responseJsonSchema"), e->out);
        gw_gemini_write_schema(e, schema);
    }
    return GW_OK;
}

static void write_upper(struct gw_str text, struct gw_buf *out)
{
    (void)gw_buf_append_byte(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        char byte = text.ptr[i];
        char upper = byte >= 'a' && byte <= 'z' ? (char)(byte - 'a' + 'A') : byte;
        (void)gw_buf_append_json(out, gw_str(&upper, 1));
    }
    (void)gw_buf_append_byte(out, '"');
}

static void write_voice(struct gw_gemini_encoding *e)
{
    struct gw_str voice = gw_json_get_text(gw_json_get(e->chat, "audio"), "voice");
    if (voice.len == 0) {
        return;
    }
    gw_json_write_raw(GW_STR("speechConfig"), GW_STR("{\"voiceConfig\":{\"prebuiltVoiceConfig\":{"),
                      e->out);
    gw_json_write_member(GW_STR("voiceName"), voice, e->out);
    (void)gw_buf_append(e->out, GW_STR("}}}"));
}

/* Only where something else than text is wanted: text is what models give by themselves. */
static void write_modalities(struct gw_gemini_encoding *e)
{
    yyjson_val *modalities = gw_json_get(e->chat, "modalities");
    size_t count = yyjson_arr_size(modalities);
    if (count == 0 ||
        (count == 1 && gw_json_is(yyjson_arr_get_first(modalities), GW_STR("text")))) {
        return;
    }
    gw_json_write_key(GW_STR("responseModalities"), e->out);
    (void)gw_buf_append_byte(e->out, '[');
    yyjson_arr_iter iter = yyjson_arr_iter_with(modalities);
    for (yyjson_val *item = yyjson_arr_iter_next(&iter); item != NULL;
         item = yyjson_arr_iter_next(&iter)) {
        gw_json_write_next(e->out);
        write_upper(gw_json_text(item), e->out);
    }
    (void)gw_buf_append_byte(e->out, ']');
    write_voice(e);
}

static void write_logprobs(struct gw_gemini_encoding *e)
{
    if (!gw_json_get_true(e->chat, "logprobs")) {
        return;
    }
    gw_json_write_raw(GW_STR("responseLogprobs"), GW_STR("true"), e->out);
    write_number(e, "top_logprobs", GW_STR("logprobs"));
}

enum gw_err gw_gemini_write_config(struct gw_gemini_encoding *e)
{
    gw_json_write_key(GW_STR("generationConfig"), e->out);
    size_t begin = e->out->len;
    (void)gw_buf_append_byte(e->out, '{');
    write_number(e, "temperature", GW_STR("temperature"));
    write_number(e, "top_p", GW_STR("topP"));
    write_number(e, "top_k", GW_STR("topK"));
    write_number(e, "seed", GW_STR("seed"));
    write_max_tokens(e);
    enum gw_err err = write_stops(e);
    err = err == GW_OK ? check_choices(e) : err;
    write_penalties(e);
    write_logprobs(e);
    err = err == GW_OK ? write_format(e) : err;
    write_modalities(e);
    gw_gemini_write_thinking(e);
    (void)gw_buf_append_byte(e->out, '}');
    if (e->out->err == GW_OK && e->out->len == begin + 2) {
        /* Nothing was asked for: the member goes as it came. */
        e->out->len = begin - (sizeof("\"generationConfig\":") - 1);
        e->out->len -= e->out->len > 0 && e->out->ptr[e->out->len - 1] == ',' ? 1 : 0;
    }
    return err;
}
