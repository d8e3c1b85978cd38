/* SPDX-License-Identifier: MIT */
/*
 * dialect/gemini_chat - a generateContent request as the neutral request: the members at the top
 * and generationConfig (inbound.md B2).
 *
 * The neutral request is written as text, in a fixed order with the messages last, and read again:
 * one place decides the order of members, and failures of memory need one check.
 */
#include "dialect/gemini_int.h"
#include "json/value.h"
#include "json/write.h"

#define NAME_BYTES 64 /* Google's longest member has some 30 */

yyjson_val *gw_from_gemini_get(yyjson_val *object, const char *camel)
{
    yyjson_val *value = gw_json_get(object, camel);
    char snake[NAME_BYTES];
    size_t len = 0;
    if (value != NULL || !yyjson_is_obj(object)) {
        return value;
    }
    for (const char *at = camel; *at != '\0' && len + 2 < sizeof(snake); at++) {
        if (*at >= 'A' && *at <= 'Z') {
            snake[len++] = '_';
            snake[len++] = (char)(*at - 'A' + 'a');
        } else {
            snake[len++] = *at;
        }
    }
    snake[len] = '\0';
    return gw_json_get(object, snake);
}

struct gw_str gw_from_gemini_text(yyjson_val *object, const char *camel)
{
    return gw_json_text(gw_from_gemini_get(object, camel));
}

struct gw_str gw_from_gemini_enum(yyjson_val *value, const struct gw_str *names, size_t count)
{
    uint64_t number = yyjson_get_uint(value);
    if (yyjson_is_uint(value)) {
        return number < count ? names[number] : gw_str(NULL, 0);
    }
    return gw_json_text(value);
}

/* Is |key| the member |camel|, in either spelling? */
static bool is_member(struct gw_str key, const char *camel)
{
    size_t at = 0;
    for (; *camel != '\0' && at < key.len; camel++) {
        bool is_upper = *camel >= 'A' && *camel <= 'Z';
        if (is_upper && key.ptr[at] == '_') {
            at++;
            if (at == key.len || key.ptr[at] != *camel - 'A' + 'a') {
                return false;
            }
        } else if (key.ptr[at] != *camel) {
            return false;
        }
        at++;
    }
    return *camel == '\0' && at == key.len;
}

static struct gw_str dup_name(struct gw_gemini_reading *r, const char *front, struct gw_str name)
{
    return gw_arena_printf(r->notes->arena, "%s" GW_STR_FMT, front,
                           (int)(name.len < NAME_BYTES ? name.len : NAME_BYTES), name.ptr);
}

/* Notes what stands in |object| and in no row of |known|. */
static void note_others(struct gw_gemini_reading *r, yyjson_val *object, const char *front,
                        const char *const *known, size_t count)
{
    yyjson_obj_iter iter = yyjson_obj_iter_with(object);
    for (yyjson_val *key = yyjson_obj_iter_next(&iter); key != NULL;
         key = yyjson_obj_iter_next(&iter)) {
        struct gw_str name = gw_json_text(key);
        bool is_known = yyjson_is_null(yyjson_obj_iter_get_val(key));
        for (size_t i = 0; i < count && !is_known; i++) {
            is_known = is_member(name, known[i]);
        }
        if (!is_known) {
            gw_notes_add(r->notes, GW_NOTE_DROPPED, dup_name(r, front, name),
                         GW_STR("Only Gemini has this."));
        }
    }
}

/* ---- generationConfig ---- */

static const struct {
    const char *camel;
    struct gw_str name;
} numbers[] = {
    {"temperature", GW_STR_INIT("temperature")},
    {"topP", GW_STR_INIT("top_p")},
    {"topK", GW_STR_INIT("top_k")},
    {"maxOutputTokens", GW_STR_INIT("max_completion_tokens")},
    {"seed", GW_STR_INIT("seed")},
    {"candidateCount", GW_STR_INIT("n")},
    {"presencePenalty", GW_STR_INIT("presence_penalty")},
    {"frequencyPenalty", GW_STR_INIT("frequency_penalty")},
    {"logprobs", GW_STR_INIT("top_logprobs")},
};

static const char *const config_members[] = {
    "temperature",
    "topP",
    "topK",
    "maxOutputTokens",
    "seed",
    "candidateCount",
    "logprobs",
    "presencePenalty",
    "frequencyPenalty",
    "stopSequences",
    "thinkingConfig",
    "responseLogprobs",
    "responseMimeType",
    "responseSchema",
    "responseJsonSchema",
    "_responseJsonSchema",
    "responseModalities",
};

static void write_numbers(struct gw_gemini_reading *r, yyjson_val *config)
{
    for (size_t i = 0; i < GW_ARRAY_LEN(numbers); i++) {
        yyjson_val *value = gw_from_gemini_get(config, numbers[i].camel);
        bool is_one = gw_str_eq(numbers[i].name, GW_STR("n")) && yyjson_get_uint(value) == 1;
        if (yyjson_is_num(value) && !is_one) {
            gw_json_write_key(numbers[i].name, r->out);
            gw_json_write(value, r->out);
        }
    }
    if (yyjson_is_true(gw_from_gemini_get(config, "responseLogprobs"))) {
        gw_json_write_raw(GW_STR("logprobs"), GW_STR("true"), r->out);
    }
    yyjson_val *stops = gw_from_gemini_get(config, "stopSequences");
    if (yyjson_arr_size(stops) > 0) {
        gw_json_write_key(GW_STR("stop"), r->out);
        gw_json_write(stops, r->out);
    }
}

static enum gw_err write_format(struct gw_gemini_reading *r, yyjson_val *config)
{
    struct gw_str type = gw_from_gemini_text(config, "responseMimeType");
    yyjson_val *open_api = gw_from_gemini_get(config, "responseSchema");
    yyjson_val *schema = gw_from_gemini_get(config, "responseJsonSchema");
    if (schema == NULL) {
        schema = gw_json_get(config, "_responseJsonSchema");
    }
    if (type.len > 0 && !gw_str_eq_nocase(type, GW_STR("text/plain")) &&
        !gw_str_eq_nocase(type, GW_STR("application/json"))) {
        return gw_notes_refuse(r->notes, GW_STR("generationConfig.responseMimeType"),
                               GW_STR("Only text and JSON can be asked of this model."));
    }
    if (schema != NULL || open_api != NULL) {
        gw_json_write_raw(GW_STR("response_format"),
                          GW_STR("{\"type\":\"json_schema\",\"json_schema\":{\"name\":"
                                 "\"response\",\"schema\":"),
                          r->out);
        if (schema != NULL) {
            gw_json_write(schema, r->out);
        } else {
            gw_from_gemini_schema(open_api, r->out);
        }
        (void)gw_buf_append(r->out, GW_STR("}}"));
    } else if (gw_str_eq_nocase(type, GW_STR("application/json"))) {
        gw_json_write_raw(GW_STR("response_format"), GW_STR("{\"type\":\"json_object\"}"), r->out);
    }
    return GW_OK;
}

static struct gw_str lower(struct gw_str text, char *buf, size_t size)
{
    size_t len = text.len < size ? text.len : size;
    for (size_t i = 0; i < len; i++) {
        char byte = text.ptr[i];
        buf[i] = byte >= 'A' && byte <= 'Z' ? (char)(byte - 'A' + 'a') : byte;
    }
    return gw_str(buf, len);
}

/* Thresholds of inbound.md B2; -1 leaves it to the model. */
static struct gw_str effort_of_budget(yyjson_val *budget)
{
    if (!yyjson_is_uint(budget)) {
        return gw_str(NULL, 0);
    }
    uint64_t tokens = yyjson_get_uint(budget);
    if (tokens <= 1024) {
        return tokens == 0 ? GW_STR("none") : GW_STR("low");
    }
    return tokens <= 8192 ? GW_STR("medium") : GW_STR("high");
}

static void write_thinking(struct gw_gemini_reading *r, yyjson_val *config)
{
    yyjson_val *thinking = gw_from_gemini_get(config, "thinkingConfig");
    struct gw_str level = gw_from_gemini_text(thinking, "thinkingLevel");
    char buf[NAME_BYTES];
    if (level.len > 0 && !gw_str_eq_nocase(level, GW_STR("THINKING_LEVEL_UNSPECIFIED"))) {
        gw_json_write_member(GW_STR("reasoning_effort"), lower(level, buf, sizeof(buf)), r->out);
        return;
    }
    gw_json_write_optional(GW_STR("reasoning_effort"),
                           effort_of_budget(gw_from_gemini_get(thinking, "thinkingBudget")),
                           r->out);
}

static void write_modalities(struct gw_gemini_reading *r, yyjson_val *config)
{
    static const struct gw_str names[] = {GW_STR_INIT("text"), GW_STR_INIT("text"),
                                          GW_STR_INIT("image"), GW_STR_INIT("audio")};
    yyjson_val *modalities = gw_from_gemini_get(config, "responseModalities");
    char buf[NAME_BYTES];
    if (yyjson_arr_size(modalities) == 0) {
        return;
    }
    gw_json_write_raw(GW_STR("modalities"), GW_STR("["), r->out);
    yyjson_arr_iter iter = yyjson_arr_iter_with(modalities);
    for (yyjson_val *item = yyjson_arr_iter_next(&iter); item != NULL;
         item = yyjson_arr_iter_next(&iter)) {
        gw_json_write_next(r->out);
        struct gw_str name = gw_from_gemini_enum(item, names, GW_ARRAY_LEN(names));
        gw_json_write_text(lower(name, buf, sizeof(buf)), r->out);
    }
    (void)gw_buf_append_byte(r->out, ']');
}

enum gw_err gw_from_gemini_config(struct gw_gemini_reading *r, yyjson_val *config)
{
    write_numbers(r, config);
    enum gw_err err = write_format(r, config);
    write_thinking(r, config);
    write_modalities(r, config);
    note_others(r, config, "generationConfig.", config_members, GW_ARRAY_LEN(config_members));
    return err;
}

/* ---- the top ---- */

static const char *const top_members[] = {
    "contents",
    "systemInstruction",
    "tools",
    "toolConfig",
    "safetySettings",
    "generationConfig",
    "cachedContent",
    "model",
    "generateContentRequest",
};

static enum gw_err write_top(struct gw_gemini_reading *r, yyjson_val *root)
{
    yyjson_val *safety = gw_from_gemini_get(root, "safetySettings");
    enum gw_err err = GW_OK;
    gw_json_write_member(GW_STR("model"), r->request->model, r->out);
    if (r->request->is_stream) {
        gw_json_write_raw(GW_STR("stream"), GW_STR("true"), r->out);
    }
    err = gw_from_gemini_config(r, gw_from_gemini_get(root, "generationConfig"));
    if (yyjson_is_arr(safety)) {
        gw_json_write_key(GW_STR("safety_settings"), r->out);
        gw_json_write(safety, r->out);
    }
    if (err == GW_OK && gw_from_gemini_text(root, "cachedContent").len > 0) {
        err = gw_notes_refuse(r->notes, GW_STR("cachedContent"),
                              GW_STR("What Google has cached is not there for other models."));
    }
    gw_from_gemini_tools(r, root);
    note_others(r, root, "", top_members, GW_ARRAY_LEN(top_members));
    return err;
}

static enum gw_err write_chat(struct gw_gemini_reading *r, yyjson_val *root)
{
    yyjson_val *inner = gw_from_gemini_get(root, "generateContentRequest");
    if (yyjson_is_obj(inner)) { /* counting tokens */
        root = inner;
    }
    (void)gw_buf_append_byte(r->out, '{');
    enum gw_err err = write_top(r, root);
    if (err == GW_OK) {
        err = gw_from_gemini_messages(r, root);
    }
    (void)gw_buf_append_byte(r->out, '}');
    return err;
}

enum gw_err gw_from_gemini_finish(const struct gw_buf *text, yyjson_doc **doc)
{
    if (text->err != GW_OK) {
        return text->err;
    }
    /* Only memory can be wanting: the text is ours. */
    yyjson_doc *made = yyjson_read_opts(text->ptr, text->len, 0, &gw_json_allocator, NULL);
    if (made == NULL) {
        return GW_ERR_NOMEM;
    }
    *doc = made;
    return GW_OK;
}

enum gw_err gw_from_gemini_chat(const struct gw_inbound *in, const struct gw_llm_request *request,
                                struct gw_notes *notes, yyjson_doc **chat)
{
    struct gw_json_reader reader;
    struct gw_buf out;
    yyjson_val *root = NULL;
    struct gw_gemini_reading r = {.request = request, .notes = notes, .out = &out};
    /* A byte becomes six at most, and twice so inside arguments; a part brings some names. */
    gw_buf_init(&out, 16 * in->body.len + 65536);
    gw_json_reader_init(&reader, in->body.len + 1);
    enum gw_err err = gw_json_read(&reader, in->body, &root);
    if (err == GW_OK) {
        err = write_chat(&r, root);
        err = err == GW_OK ? gw_from_gemini_finish(&out, chat) : err;
    } else if (err == GW_ERR_INVALID) {
        err =
            gw_notes_invalid(notes, GW_STR("body"), GW_STR("The request body is not valid JSON."));
    }
    gw_json_reader_fini(&reader);
    gw_buf_fini(&out);
    return err;
}
