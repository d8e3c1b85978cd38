/* SPDX-License-Identifier: MIT */
/*
 * provider/bedrock_request - a Converse request: the messages first, then everything that may
 * change from turn to turn. What is a matter of one model family goes to
 * additionalModelRequestFields.
 */
#include "provider/bedrock_int.h"
#include "json/value.h"
#include "json/write.h"

#define MAX_EXTRA_FIELDS_BYTES (1u << 20)

/* ---- members that are taken, and those that are not ---- */

enum treatment {
    TAKEN,       /* written below, or of no meaning here */
    FALSE_TAKEN, /* only its default asks for nothing */
    DROPPED,
};

static const struct {
    struct gw_str name;
    enum treatment treatment;
} members[] = {
    {GW_STR_INIT("model"), TAKEN},
    {GW_STR_INIT("messages"), TAKEN},
    {GW_STR_INIT("stream"), TAKEN},
    {GW_STR_INIT("stream_options"), TAKEN},
    {GW_STR_INIT("tools"), TAKEN},
    {GW_STR_INIT("tool_choice"), TAKEN},
    {GW_STR_INIT("response_format"), TAKEN},
    {GW_STR_INIT("max_tokens"), TAKEN},
    {GW_STR_INIT("max_completion_tokens"), TAKEN},
    {GW_STR_INIT("temperature"), TAKEN},
    {GW_STR_INIT("top_p"), TAKEN},
    {GW_STR_INIT("top_k"), TAKEN},
    {GW_STR_INIT("stop"), TAKEN},
    {GW_STR_INIT("n"), TAKEN},
    {GW_STR_INIT("reasoning_effort"), TAKEN},
    {GW_STR_INIT("thinking"), TAKEN},
    {GW_STR_INIT("anthropic_beta"), TAKEN},
    {GW_STR_INIT("metadata"), TAKEN},
    {GW_STR_INIT("user"), TAKEN},
    {GW_STR_INIT("safety_identifier"), TAKEN},
    {GW_STR_INIT("service_tier"), TAKEN},
    {GW_STR_INIT("modalities"), TAKEN},
    {GW_STR_INIT("parallel_tool_calls"), TAKEN},
    {GW_STR_INIT("performanceConfig"), TAKEN},
    {GW_STR_INIT("guardrailConfig"), TAKEN},
    {GW_STR_INIT("additionalModelRequestFields"), TAKEN},
    {GW_STR_INIT("store"), FALSE_TAKEN},
    {GW_STR_INIT("logprobs"), FALSE_TAKEN},
    {GW_STR_INIT("frequency_penalty"), FALSE_TAKEN},
    {GW_STR_INIT("presence_penalty"), FALSE_TAKEN},
};

static enum treatment treatment_of(yyjson_val *key, yyjson_val *value)
{
    for (size_t i = 0; i < GW_ARRAY_LEN(members); i++) {
        if (gw_json_is(key, members[i].name)) {
            bool is_default =
                yyjson_is_false(value) || (yyjson_is_num(value) && !(yyjson_get_num(value) > 0) &&
                                           !(yyjson_get_num(value) < 0));
            return members[i].treatment == FALSE_TAKEN && !is_default ? DROPPED
                                                                      : members[i].treatment;
        }
    }
    /* "_" begins what a dialect keeps for its answer. */
    return gw_str_has_prefix(gw_json_text(key), GW_STR("_")) ? TAKEN : DROPPED;
}

static void note_dropped(struct gw_bedrock_encoder *encoder)
{
    size_t i;
    size_t count;
    yyjson_val *key;
    yyjson_val *value;
    yyjson_obj_foreach(encoder->chat, i, count, key, value)
    {
        if (!yyjson_is_null(value) && treatment_of(key, value) == DROPPED) {
            gw_bedrock_note(encoder, GW_NOTE_DROPPED,
                            gw_arena_try_dup(encoder->in->arena, gw_json_text(key)),
                            GW_STR("Bedrock has nothing like it."));
        }
    }
    if (yyjson_is_false(yyjson_obj_get(encoder->chat, "parallel_tool_calls"))) {
        gw_bedrock_note(encoder, GW_NOTE_DROPPED, GW_STR("parallel_tool_calls"),
                        GW_STR("Bedrock cannot hold a model to one call at a time."));
    }
}

/* ---- common options ---- */

/* A number from 0 to 1; a larger or smaller one is clamped. */
static void write_share(struct gw_bedrock_encoder *encoder, struct gw_str name, struct gw_str param,
                        yyjson_val *value)
{
    double number = yyjson_get_num(value);
    gw_json_write_key(name, encoder->out);
    if (number > 1 || number < 0) {
        (void)gw_buf_append_byte(encoder->out, number > 1 ? '1' : '0');
        gw_bedrock_note(encoder, GW_NOTE_CHANGED, param, GW_STR("Bedrock takes 0 to 1."));
        return;
    }
    gw_json_write(value, encoder->out);
}

static void write_sampling(struct gw_bedrock_encoder *encoder)
{
    const struct gw_bedrock_model *model = &encoder->model;
    yyjson_val *temperature = gw_json_get(encoder->chat, "temperature");
    yyjson_val *top_p = gw_json_get(encoder->chat, "top_p");
    bool is_claude = model->family == GW_BEDROCK_CLAUDE;
    bool takes_none = model->refuses_sampling || (is_claude && encoder->is_thinking);
    if (takes_none && (temperature != NULL || top_p != NULL)) {
        gw_bedrock_note(encoder, GW_NOTE_DROPPED,
                        temperature != NULL ? GW_STR("temperature") : GW_STR("top_p"),
                        model->refuses_sampling
                            ? GW_STR("The model takes no sampling parameters.")
                            : GW_STR("The model takes no sampling parameters while it thinks."));
        return;
    }
    if (yyjson_is_num(temperature)) {
        write_share(encoder, GW_STR("temperature"), GW_STR("temperature"), temperature);
    }
    if (yyjson_is_num(top_p) && temperature != NULL && model->takes_one_sampling) {
        gw_bedrock_note(encoder, GW_NOTE_DROPPED, GW_STR("top_p"),
                        GW_STR("The model takes temperature or top_p, not both."));
    } else if (yyjson_is_num(top_p)) {
        write_share(encoder, GW_STR("topP"), GW_STR("top_p"), top_p);
    }
}

/* Adds |text| to the list of stop sequences, unless it is blank, which is refused. */
static void write_stop(struct gw_bedrock_encoder *encoder, yyjson_val *text, bool *is_begun)
{
    struct gw_str stop = gw_json_text(text);
    if (!gw_bedrock_has_text(stop)) {
        gw_bedrock_note(encoder, GW_NOTE_DROPPED, GW_STR("stop"),
                        GW_STR("Stop sequences of blanks are refused."));
        return;
    }
    if (!*is_begun) {
        gw_json_write_raw(GW_STR("stopSequences"), GW_STR("["), encoder->out);
        *is_begun = true;
    }
    gw_json_write_next(encoder->out);
    gw_json_write_text(stop, encoder->out);
}

static void write_stops(struct gw_bedrock_encoder *encoder)
{
    yyjson_val *stop = gw_json_get(encoder->chat, "stop");
    bool is_begun = false;
    if (yyjson_is_str(stop)) {
        write_stop(encoder, stop, &is_begun);
    }
    size_t i;
    size_t count;
    yyjson_val *text;
    yyjson_arr_foreach(stop, i, count, text)
    {
        write_stop(encoder, text, &is_begun);
    }
    (void)gw_buf_append(encoder->out, is_begun ? GW_STR("]") : GW_STR(""));
}

static void write_inference(struct gw_bedrock_encoder *encoder)
{
    struct gw_buf *out = encoder->out;
    size_t begin = out->len;
    gw_json_write_raw(GW_STR("inferenceConfig"), GW_STR("{"), out);
    size_t empty_len = out->len;
    if (encoder->max_tokens > 0) {
        gw_json_write_count(GW_STR("maxTokens"), encoder->max_tokens, out);
    }
    write_sampling(encoder);
    write_stops(encoder);
    if (out->len == empty_len) {
        out->len = begin;
        return;
    }
    (void)gw_buf_append_byte(out, '}');
}

/* outputConfig: Bedrock takes the schema as a text with JSON in it. */
static void write_schema(struct gw_bedrock_encoder *encoder)
{
    struct gw_buf *out = encoder->out;
    if (encoder->schema == NULL || encoder->model.schema != GW_BEDROCK_SCHEMA_NATIVE) {
        return;
    }
    yyjson_val *format = gw_bedrock_json_schema(encoder->chat);
    struct gw_buf schema;
    gw_buf_init(&schema, MAX_EXTRA_FIELDS_BYTES);
    gw_json_write(encoder->schema, &schema);
    (void)gw_buf_append(out, GW_STR(",\"outputConfig\":{\"textFormat\":{\"type\":\"json_schema\","
                                    "\"structure\":{\"jsonSchema\":{"));
    gw_json_write_member(GW_STR("schema"), gw_buf_str(&schema), out);
    gw_json_write_optional(GW_STR("name"), gw_json_get_text(format, "name"), out);
    gw_json_write_optional(GW_STR("description"), gw_json_get_text(format, "description"), out);
    (void)gw_buf_append(out, GW_STR("}}}}"));
    out->err = out->err != GW_OK ? out->err : schema.err;
    gw_buf_fini(&schema);
}

static void write_metadata(struct gw_bedrock_encoder *encoder)
{
    enum {
        MAX_ENTRIES = 16,
        MAX_BYTES = 256,
    };
    struct gw_buf *out = encoder->out;
    unsigned written = 0;
    size_t i;
    size_t count;
    yyjson_val *key;
    yyjson_val *value;
    yyjson_val *metadata = gw_json_get(encoder->chat, "metadata");
    if (!yyjson_is_obj(metadata)) {
        return;
    }
    yyjson_obj_foreach(metadata, i, count, key, value)
    {
        struct gw_str name = gw_json_text(key);
        struct gw_str text = gw_json_text(value);
        if (written == MAX_ENTRIES || name.len == 0 || name.len > MAX_BYTES || text.ptr == NULL ||
            text.len > MAX_BYTES) {
            gw_bedrock_note(encoder, GW_NOTE_DROPPED, GW_STR("metadata"),
                            GW_STR("Bedrock takes 16 texts of up to 256 characters."));
            continue;
        }
        if (written++ == 0) {
            gw_json_write_raw(GW_STR("requestMetadata"), GW_STR("{"), out);
        }
        gw_json_write_next(out);
        gw_json_write_text(name, out);
        (void)gw_buf_append_byte(out, ':');
        gw_json_write_text(text, out);
    }
    (void)gw_buf_append(out, written > 0 ? GW_STR("}") : GW_STR(""));
}

static void write_service(struct gw_bedrock_encoder *encoder)
{
    static const struct gw_str tiers[] = {GW_STR_INIT("priority"), GW_STR_INIT("default"),
                                          GW_STR_INIT("flex"), GW_STR_INIT("reserved")};
    struct gw_buf *out = encoder->out;
    struct gw_str tier = gw_json_get_text(encoder->chat, "service_tier");
    bool is_known = tier.len == 0 || gw_str_eq(tier, GW_STR("auto"));
    for (size_t i = 0; i < GW_ARRAY_LEN(tiers); i++) {
        if (gw_str_eq(tier, tiers[i])) {
            gw_json_write_raw(GW_STR("serviceTier"), GW_STR("{"), out);
            gw_json_write_member(GW_STR("type"), tier, out);
            (void)gw_buf_append_byte(out, '}');
            is_known = true;
        }
    }
    if (!is_known) {
        gw_bedrock_note(encoder, GW_NOTE_DROPPED, GW_STR("service_tier"),
                        GW_STR("Bedrock knows priority, default, flex and reserved."));
    }
    static const char *const passed[] = {"performanceConfig", "guardrailConfig"};
    for (size_t i = 0; i < GW_ARRAY_LEN(passed); i++) {
        yyjson_val *value = gw_json_get(encoder->chat, passed[i]);
        if (value != NULL) {
            gw_json_write_key(gw_str_from_c(passed[i]), out);
            gw_json_write(value, out);
        }
    }
}

/* ---- all of it ---- */

static void plan_max_tokens(struct gw_bedrock_encoder *encoder)
{
    const struct gw_deployment *deployment = encoder->in->deployment;
    uint64_t most = gw_chat_max_tokens(encoder->chat);
    most = most > 0 ? most : deployment->default_max_tokens;
    if (deployment->limit_max_tokens > 0 && (most == 0 || most > deployment->limit_max_tokens)) {
        if (most > 0) {
            gw_bedrock_note(encoder, GW_NOTE_CHANGED, GW_STR("max_tokens"),
                            GW_STR("Lowered to what the deployment allows."));
        }
        most = deployment->limit_max_tokens;
    }
    encoder->max_tokens = most;
}

/* The body, when all is planned. Errors: GW_ERR_INVALID, GW_ERR_NOMEM, GW_ERR_TOO_LARGE. */
static enum gw_err write_body(struct gw_bedrock_encoder *encoder, struct gw_buf *fields)
{
    struct gw_buf *out = encoder->out;
    (void)gw_buf_append_byte(out, '{');
    enum gw_err err = gw_bedrock_write_messages(encoder);
    if (err != GW_OK) {
        return err;
    }
    write_inference(encoder);
    gw_bedrock_write_tools(encoder);
    write_schema(encoder);
    write_metadata(encoder);
    write_service(encoder);
    gw_bedrock_write_fields(encoder, fields);
    if (fields->len > 1) {
        gw_json_write_raw(GW_STR("additionalModelRequestFields"), gw_buf_str(fields), out);
        (void)gw_buf_append_byte(out, '}');
    }
    if (encoder->in->deployment->extra_body.len > 0) {
        gw_json_write_next(out);
        (void)gw_buf_append(out, encoder->in->deployment->extra_body);
    }
    (void)gw_buf_append_byte(out, '}');
    note_dropped(encoder);
    return out->err != GW_OK ? out->err : fields->err;
}

struct gw_str gw_bedrock_target(const struct gw_provider_input *in, struct gw_str model_id,
                                struct gw_str operation)
{
    static const char digits[] = "0123456789ABCDEF";
    static const char plain[] = "-._~";
    struct gw_str base = in->deployment->base_path;
    char *escaped = gw_arena_try_alloc(in->arena, 3 * model_id.len + 1);
    size_t len = 0;
    if (escaped == NULL) {
        return gw_str(NULL, 0);
    }
    for (size_t i = 0; i < model_id.len; i++) {
        char byte = model_id.ptr[i];
        if ((byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
            (byte >= '0' && byte <= '9') || (byte != '\0' && strchr(plain, byte) != NULL)) {
            escaped[len++] = byte;
        } else {
            escaped[len++] = '%';
            escaped[len++] = digits[(unsigned char)byte >> 4];
            escaped[len++] = digits[(unsigned char)byte & 15];
        }
    }
    return gw_arena_printf(in->arena, GW_STR_FMT "/model/" GW_STR_FMT "/" GW_STR_FMT,
                           GW_STR_ARG(base), GW_STR_ARG(gw_str(escaped, len)),
                           GW_STR_ARG(operation));
}

/* Errors: GW_ERR_NOMEM. */
static enum gw_err finish_call(struct gw_bedrock_encoder *encoder, struct gw_provider_call *call)
{
    const struct gw_provider_input *in = encoder->in;
    bool is_stream = in->request->is_stream;
    struct gw_bedrock_memory *memory = gw_arena_try_alloc(in->arena, sizeof(*memory));
    if (memory == NULL || gw_tool_names_keep(&encoder->names, in->arena) != GW_OK) {
        return GW_ERR_NOMEM;
    }
    *memory = (struct gw_bedrock_memory){
        .names = encoder->names,
        .schema_tool = encoder->uses_schema_tool ? gw_bedrock_schema_tool() : gw_str(NULL, 0),
        .is_claude = encoder->model.family == GW_BEDROCK_CLAUDE,
    };
    call->memory = memory;
    call->method = GW_STR("POST");
    call->target = gw_bedrock_target(in, encoder->model.id,
                                     is_stream ? GW_STR("converse-stream") : GW_STR("converse"));
    if (!gw_provider_call_add(call, GW_HEADER_CONTENT_TYPE, GW_STR("content-type"),
                              GW_STR("application/json")) ||
        !gw_provider_call_add(call, GW_HEADER_ACCEPT, GW_STR("accept"),
                              is_stream ? GW_STR("application/vnd.amazon.eventstream")
                                        : GW_STR("application/json"))) {
        return GW_ERR_TOO_LARGE;
    }
    return call->target.ptr != NULL ? GW_OK : GW_ERR_NOMEM;
}

enum gw_err gw_bedrock_encode(const struct gw_provider_input *in, yyjson_val *chat,
                              struct gw_provider_call *call)
{
    struct gw_bedrock_encoder encoder = {
        .in = in,
        .chat = chat,
        .out = &call->body,
        .model = gw_bedrock_model_of(in->upstream_model),
        .open_role = GW_ROLE_OTHER,
    };
    if (gw_json_get_u64(chat, "n", 1) > 1) {
        enum gw_err refused = gw_notes_refuse(in->notes, GW_STR("n"),
                                              GW_STR("Bedrock gives one answer to a request."));
        if (refused != GW_OK) {
            return refused;
        }
    }
    struct gw_buf fields;
    gw_buf_init(&fields, MAX_EXTRA_FIELDS_BYTES);
    (void)gw_buf_append_byte(&fields, '{');
    plan_max_tokens(&encoder);
    gw_bedrock_write_reasoning(&encoder, &fields);
    enum gw_err err = gw_bedrock_plan_tools(&encoder);
    if (err == GW_OK) {
        err = write_body(&encoder, &fields);
    }
    if (err == GW_OK) {
        err = finish_call(&encoder, call);
    }
    gw_buf_fini(&fields);
    return err;
}
