/* SPDX-License-Identifier: MIT */
/* provider/cohere_request - a request to /v2/chat: the messages first, then tools and options. */
#include "provider/cohere_int.h"
#include "json/value.h"
#include "json/write.h"

#define MAX_STOPS 5
#define MAX_TOP_K 500

/* ---- members that are taken, and those that are not ---- */

static const struct {
    struct gw_str name;
    bool is_taken; /* otherwise only its default (false, 0) is left out without a word */
} members[] = {
    {GW_STR_INIT("model"), true},
    {GW_STR_INIT("messages"), true},
    {GW_STR_INIT("stream"), true},
    {GW_STR_INIT("stream_options"), true},
    {GW_STR_INIT("tools"), true},
    {GW_STR_INIT("tool_choice"), true},
    {GW_STR_INIT("response_format"), true},
    {GW_STR_INIT("max_tokens"), true},
    {GW_STR_INIT("max_completion_tokens"), true},
    {GW_STR_INIT("temperature"), true},
    {GW_STR_INIT("top_p"), true},
    {GW_STR_INIT("top_k"), true},
    {GW_STR_INIT("stop"), true},
    {GW_STR_INIT("seed"), true},
    {GW_STR_INIT("n"), true},
    {GW_STR_INIT("presence_penalty"), true},
    {GW_STR_INIT("frequency_penalty"), true},
    {GW_STR_INIT("reasoning_effort"), true},
    {GW_STR_INIT("thinking"), true},
    {GW_STR_INIT("modalities"), true},
    {GW_STR_INIT("documents"), true},
    {GW_STR_INIT("citation_options"), true},
    {GW_STR_INIT("safety_mode"), true},
    {GW_STR_INIT("priority"), true},
    {GW_STR_INIT("logprobs"), false},
    {GW_STR_INIT("store"), false},
};

static bool is_taken(yyjson_val *key, yyjson_val *value)
{
    for (size_t i = 0; i < GW_ARRAY_LEN(members); i++) {
        if (gw_json_is(key, members[i].name)) {
            return members[i].is_taken || yyjson_is_false(value);
        }
    }
    if (gw_str_has_prefix(gw_json_text(key), GW_STR("_"))) {
        return true; /* what a dialect keeps for its answer */
    }
    /* Calls in parallel are what Cohere does anyway. */
    return gw_json_is(key, GW_STR("parallel_tool_calls")) && yyjson_is_true(value);
}

static void note_dropped(struct gw_cohere_encoder *encoder)
{
    size_t i;
    size_t count;
    yyjson_val *key;
    yyjson_val *value;
    yyjson_obj_foreach(encoder->chat, i, count, key, value)
    {
        if (!yyjson_is_null(value) && !is_taken(key, value)) {
            gw_cohere_note(encoder, GW_NOTE_DROPPED,
                           gw_arena_try_dup(encoder->in->arena, gw_json_text(key)),
                           GW_STR("Cohere has nothing like it."));
        }
    }
}

/* ---- tools ---- */

struct tool_plan {
    struct gw_str only; /* the one tool that is sent; ptr NULL: all */
    yyjson_val *allowed;
    struct gw_str choice; /* Cohere's word, or empty */
    unsigned sent;
    unsigned strict;
};

static struct tool_plan plan_tools(yyjson_val *chat)
{
    yyjson_val *choice = gw_json_get(chat, "tool_choice");
    yyjson_val *allowed = gw_json_get(choice, "allowed_tools");
    struct gw_str mode = gw_json_text(choice);
    struct tool_plan plan = {0};
    bool is_custom;
    if (yyjson_is_obj(choice)) {
        plan.only = gw_json_get_text(gw_tool_function(choice, &is_custom), "name");
        plan.allowed = gw_json_get(allowed, "tools");
        mode = gw_json_get_text(allowed, "mode");
    }
    if (plan.only.ptr != NULL || gw_str_eq(mode, GW_STR("required"))) {
        plan.choice = GW_STR("REQUIRED");
    } else if (gw_str_eq(mode, GW_STR("none"))) {
        plan.choice = GW_STR("NONE");
    }
    return plan;
}

static bool is_sent(const struct tool_plan *plan, struct gw_str name)
{
    size_t i;
    size_t count;
    yyjson_val *tool;
    bool is_custom;
    if (plan->only.ptr != NULL) {
        return gw_str_eq(plan->only, name);
    }
    yyjson_arr_foreach(plan->allowed, i, count, tool)
    {
        if (gw_str_eq(gw_json_get_text(gw_tool_function(tool, &is_custom), "name"), name)) {
            return true;
        }
    }
    return plan->allowed == NULL;
}

static void write_tool(struct gw_cohere_encoder *encoder, yyjson_val *tool, struct tool_plan *plan)
{
    struct gw_buf *out = encoder->out;
    bool is_custom = false;
    yyjson_val *function = gw_tool_function(tool, &is_custom);
    yyjson_val *parameters = gw_json_get(function, "parameters");
    struct gw_str name = gw_json_get_text(function, "name");
    if (name.ptr == NULL) {
        gw_cohere_note(encoder, GW_NOTE_DROPPED, GW_STR("tools[].type"),
                       GW_STR("Tools that run at their vendor are not at Cohere."));
        return;
    }
    if (!is_sent(plan, name)) {
        return;
    }
    plan->sent++;
    plan->strict += gw_json_get_true(function, "strict") ? 1 : 0;
    gw_json_write_next(out);
    (void)gw_buf_append(out, GW_STR("{\"type\":\"function\",\"function\":{"));
    gw_json_write_member(GW_STR("name"), gw_tool_names_sent(&encoder->names, name), out);
    gw_json_write_optional(GW_STR("description"), gw_json_get_text(function, "description"), out);
    gw_json_write_key(GW_STR("parameters"), out);
    if (is_custom) {
        (void)gw_buf_append(out, GW_STR("{\"type\":\"object\",\"properties\":{\"input\":{\"type\":"
                                        "\"string\"}},\"required\":[\"input\"]}"));
    } else if (yyjson_is_obj(parameters)) {
        gw_json_write(parameters, out);
    } else {
        (void)gw_buf_append(out, GW_STR("{\"type\":\"object\",\"properties\":{}}"));
    }
    (void)gw_buf_append(out, GW_STR("}}"));
}

/* Returns whether any tool is sent. */
static bool write_tools(struct gw_cohere_encoder *encoder)
{
    struct gw_buf *out = encoder->out;
    struct tool_plan plan = plan_tools(encoder->chat);
    size_t begin = out->len;
    size_t i;
    size_t count;
    yyjson_val *tool;
    gw_json_write_raw(GW_STR("tools"), GW_STR("["), out);
    yyjson_arr_foreach(gw_json_get(encoder->chat, "tools"), i, count, tool)
    {
        write_tool(encoder, tool, &plan);
    }
    (void)gw_buf_append_byte(out, ']');
    if (plan.sent == 0) {
        out->len = begin;
        return false;
    }
    gw_json_write_optional(GW_STR("tool_choice"), plan.choice, out);
    if (plan.strict == plan.sent) {
        gw_json_write_raw(GW_STR("strict_tools"), GW_STR("true"), out);
    } else if (plan.strict > 0) {
        gw_cohere_note(encoder, GW_NOTE_DROPPED, GW_STR("tools[].function.strict"),
                       GW_STR("Cohere is strict about all tools or none."));
    }
    return true;
}

/* ---- options ---- */

static void write_format(struct gw_cohere_encoder *encoder, bool has_tools)
{
    struct gw_buf *out = encoder->out;
    yyjson_val *format = gw_json_get(encoder->chat, "response_format");
    struct gw_str type = gw_json_get_text(format, "type");
    yyjson_val *schema = gw_json_get(gw_json_get(format, "json_schema"), "schema");
    if (type.ptr == NULL || gw_str_eq(type, GW_STR("text"))) {
        return;
    }
    if (has_tools || gw_json_get(encoder->chat, "documents") != NULL) {
        gw_cohere_note(encoder, GW_NOTE_DROPPED, GW_STR("response_format"),
                       GW_STR("Cohere takes no format together with tools or documents."));
        return;
    }
    gw_json_write_raw(GW_STR("response_format"), GW_STR("{\"type\":\"json_object\""), out);
    if (schema != NULL) {
        gw_json_write_key(GW_STR("json_schema"), out);
        gw_json_write(schema, out);
    }
    (void)gw_buf_append_byte(out, '}');
}

struct number {
    const char *param;
    struct gw_str name;
    double low;
    double high;
    struct gw_str low_text;
    struct gw_str high_text;
};

/* A number within its limits, or the limit that is nearest. */
static void write_number(struct gw_cohere_encoder *encoder, const struct number *number)
{
    struct gw_buf *out = encoder->out;
    yyjson_val *value = gw_json_get(encoder->chat, number->param);
    if (!yyjson_is_num(value)) {
        return;
    }
    double wanted = yyjson_get_num(value);
    gw_json_write_key(number->name, out);
    if (wanted < number->low || wanted > number->high) {
        (void)gw_buf_append(out, wanted < number->low ? number->low_text : number->high_text);
        gw_cohere_note(encoder, GW_NOTE_CHANGED, gw_str_from_c(number->param),
                       GW_STR("Set to the nearest that Cohere takes."));
        return;
    }
    gw_json_write(value, out);
}

static void write_penalties(struct gw_cohere_encoder *encoder)
{
    static const struct number penalties[] = {
        {"frequency_penalty", GW_STR_INIT("frequency_penalty"), 0, 1, GW_STR_INIT("0"),
         GW_STR_INIT("1")},
        {"presence_penalty", GW_STR_INIT("presence_penalty"), 0, 1, GW_STR_INIT("0"),
         GW_STR_INIT("1")},
    };
    bool is_written = false;
    for (size_t i = 0; i < GW_ARRAY_LEN(penalties); i++) {
        double wanted = yyjson_get_num(gw_json_get(encoder->chat, penalties[i].param));
        if (wanted > 0 && !is_written) {
            write_number(encoder, &penalties[i]);
            is_written = true;
        } else if (wanted > 0 || wanted < 0) {
            gw_cohere_note(encoder, GW_NOTE_DROPPED, gw_str_from_c(penalties[i].param),
                           GW_STR("Cohere takes one penalty, from 0 to 1."));
        }
    }
}

static void write_sampling(struct gw_cohere_encoder *encoder)
{
    static const struct number temperature = {
        "temperature", GW_STR_INIT("temperature"), 0, 1, GW_STR_INIT("0"), GW_STR_INIT("1")};
    static const struct number top_p = {"top_p", GW_STR_INIT("p"),    0.01,
                                        0.99,    GW_STR_INIT("0.01"), GW_STR_INIT("0.99")};
    static const struct number top_k = {"top_k",   GW_STR_INIT("k"), 0,
                                        MAX_TOP_K, GW_STR_INIT("0"), GW_STR_INIT("500")};
    write_number(encoder, &temperature);
    double share = yyjson_get_num(gw_json_get(encoder->chat, "top_p"));
    if (share < 1) { /* 1 is no limit, and so is leaving it out */
        write_number(encoder, &top_p);
    }
    write_number(encoder, &top_k);
    write_penalties(encoder);
    yyjson_val *seed = gw_json_get(encoder->chat, "seed");
    if (seed != NULL) {
        gw_json_write_key(GW_STR("seed"), encoder->out);
        gw_json_write(seed, encoder->out);
    }
}

static void write_stops(struct gw_cohere_encoder *encoder)
{
    struct gw_buf *out = encoder->out;
    yyjson_val *stop = gw_json_get(encoder->chat, "stop");
    if (yyjson_is_str(stop)) {
        gw_json_write_raw(GW_STR("stop_sequences"), GW_STR("["), out);
        gw_json_write_text(gw_json_text(stop), out);
        (void)gw_buf_append_byte(out, ']');
    }
    if (yyjson_arr_size(stop) == 0) {
        return;
    }
    size_t i;
    size_t count;
    yyjson_val *text;
    gw_json_write_raw(GW_STR("stop_sequences"), GW_STR("["), out);
    yyjson_arr_foreach(stop, i, count, text)
    {
        if (i >= MAX_STOPS) {
            gw_cohere_note(encoder, GW_NOTE_CHANGED, GW_STR("stop"),
                           GW_STR("Cohere takes five stop sequences; the first were taken."));
            break;
        }
        gw_json_write_next(out);
        gw_json_write(text, out);
    }
    (void)gw_buf_append_byte(out, ']');
}

static void write_max_tokens(struct gw_cohere_encoder *encoder)
{
    const struct gw_deployment *deployment = encoder->in->deployment;
    uint64_t most = gw_chat_max_tokens(encoder->chat);
    uint64_t limit = deployment->limit_max_tokens;
    most = most > 0 ? most : deployment->default_max_tokens;
    if (limit > 0 && most > limit) {
        gw_cohere_note(encoder, GW_NOTE_CHANGED, GW_STR("max_tokens"),
                       GW_STR("Lowered to what the deployment allows."));
    }
    most = limit > 0 && (most == 0 || most > limit) ? limit : most;
    if (most > 0) {
        gw_json_write_count(GW_STR("max_tokens"), most, encoder->out);
    }
}

/* Tokens to think for an effort; 0 for "none". */
static uint64_t budget_of(struct gw_str effort)
{
    static const struct {
        struct gw_str effort;
        uint64_t tokens;
    } budgets[] = {
        {GW_STR_INIT("none"), 0},     {GW_STR_INIT("minimal"), 1024},
        {GW_STR_INIT("low"), 2048},   {GW_STR_INIT("medium"), 10000},
        {GW_STR_INIT("high"), 16384}, {GW_STR_INIT("xhigh"), 32768},
        {GW_STR_INIT("max"), 32768},
    };
    for (size_t i = 0; i < GW_ARRAY_LEN(budgets); i++) {
        if (gw_str_eq(effort, budgets[i].effort)) {
            return budgets[i].tokens;
        }
    }
    return 10000; /* an effort we do not know yet is in the middle */
}

static void write_thinking(struct gw_cohere_encoder *encoder)
{
    struct gw_buf *out = encoder->out;
    yyjson_val *thinking = gw_json_get(encoder->chat, "thinking");
    struct gw_str effort = gw_json_get_text(encoder->chat, "reasoning_effort");
    bool is_off = gw_json_is(gw_json_get(thinking, "type"), GW_STR("disabled"));
    uint64_t budget = gw_json_get_u64(thinking, "budget_tokens", 0);
    if (thinking == NULL && effort.ptr == NULL) {
        return;
    }
    if (!encoder->can_reason) {
        gw_cohere_note(encoder, GW_NOTE_DROPPED,
                       thinking != NULL ? GW_STR("thinking") : GW_STR("reasoning_effort"),
                       GW_STR("The model does not reason."));
        return;
    }
    if (thinking == NULL) {
        budget = budget_of(effort);
        is_off = budget == 0;
    }
    gw_json_write_raw(GW_STR("thinking"),
                      is_off ? GW_STR("{\"type\":\"disabled\"") : GW_STR("{\"type\":\"enabled\""),
                      out);
    if (!is_off && budget > 0) {
        gw_json_write_count(GW_STR("token_budget"), budget, out);
    }
    (void)gw_buf_append_byte(out, '}');
}

/* Cohere's own members, for clients that know them. */
static void write_own(struct gw_cohere_encoder *encoder)
{
    static const char *const own[] = {"documents", "citation_options", "safety_mode", "priority"};
    for (size_t i = 0; i < GW_ARRAY_LEN(own); i++) {
        yyjson_val *value = gw_json_get(encoder->chat, own[i]);
        if (value != NULL) {
            gw_json_write_key(gw_str_from_c(own[i]), encoder->out);
            gw_json_write(value, encoder->out);
        }
    }
    if (encoder->in->deployment->extra_body.len > 0) {
        gw_json_write_next(encoder->out);
        (void)gw_buf_append(encoder->out, encoder->in->deployment->extra_body);
    }
}

/* ---- all of it ---- */

/* Models that came before reasoning; what is not known yet is asked. */
static bool can_reason(struct gw_str model)
{
    static const struct gw_str older[] = {
        GW_STR_INIT("command-r"),
        GW_STR_INIT("command-a-03"),
        GW_STR_INIT("command-a-vision"),
        GW_STR_INIT("command-a-translate"),
        GW_STR_INIT("command-light"),
        GW_STR_INIT("command-nightly"),
        GW_STR_INIT("c4ai-"),
    };
    for (size_t i = 0; i < GW_ARRAY_LEN(older); i++) {
        if (gw_str_has_prefix(model, older[i])) {
            return false;
        }
    }
    return true;
}

enum gw_err gw_cohere_finish_call(const struct gw_provider_input *in, struct gw_str path,
                                  struct gw_str accept, struct gw_provider_call *call)
{
    struct gw_str base = in->deployment->base_path;
    /* Bases of other gateways and older SDKs name the version. */
    if (gw_str_has_suffix(base, GW_STR("/v1")) || gw_str_has_suffix(base, GW_STR("/v2"))) {
        base.len -= 3;
    }
    call->method = GW_STR("POST");
    call->target =
        gw_arena_printf(in->arena, GW_STR_FMT GW_STR_FMT, GW_STR_ARG(base), GW_STR_ARG(path));
    bool is_fine = gw_provider_call_add(call, GW_HEADER_CONTENT_TYPE, GW_STR("content-type"),
                                        GW_STR("application/json")) &&
                   gw_provider_call_add(call, GW_HEADER_ACCEPT, GW_STR("accept"), accept);
    return is_fine ? GW_OK : GW_ERR_NOMEM;
}

/* Errors: GW_ERR_INVALID, GW_ERR_NOMEM, GW_ERR_TOO_LARGE. */
static enum gw_err write_body(struct gw_cohere_encoder *encoder)
{
    struct gw_buf *out = encoder->out;
    (void)gw_buf_append_byte(out, '{');
    gw_json_write_member(GW_STR("model"), encoder->in->upstream_model, out);
    enum gw_err err = gw_cohere_write_messages(encoder);
    if (err != GW_OK) {
        return err;
    }
    if (encoder->in->request->is_stream) {
        gw_json_write_raw(GW_STR("stream"), GW_STR("true"), out);
    }
    bool has_tools = write_tools(encoder);
    write_format(encoder, has_tools);
    write_max_tokens(encoder);
    write_sampling(encoder);
    write_stops(encoder);
    write_thinking(encoder);
    write_own(encoder);
    (void)gw_buf_append_byte(out, '}');
    note_dropped(encoder);
    return out->err;
}

enum gw_err gw_cohere_encode(const struct gw_provider_input *in, yyjson_val *chat,
                             struct gw_provider_call *call)
{
    static const struct gw_tool_rule rule = {.max_bytes = 64};
    struct gw_cohere_encoder encoder = {
        .in = in, .chat = chat, .out = &call->body, .can_reason = can_reason(in->upstream_model)};
    enum gw_err err = GW_OK;
    if (gw_json_get_u64(chat, "n", 1) > 1) {
        err = gw_notes_refuse(in->notes, GW_STR("n"),
                              GW_STR("Cohere gives one answer to a request."));
    }
    if (err == GW_OK) {
        err = gw_tool_names_read(&encoder.names, chat, &rule, in->notes);
    }
    if (err == GW_OK) {
        err = write_body(&encoder);
    }
    struct gw_tool_names *memory = gw_arena_try_alloc(in->arena, sizeof(*memory));
    if (err != GW_OK || memory == NULL) {
        return err != GW_OK ? err : GW_ERR_NOMEM;
    }
    err = gw_tool_names_keep(&encoder.names, in->arena);
    *memory = encoder.names;
    call->memory = memory;
    return err != GW_OK ? err
                        : gw_cohere_finish_call(in, GW_STR("/v2/chat"),
                                                in->request->is_stream ? GW_STR("text/event-stream")
                                                                       : GW_STR("application/json"),
                                                call);
}
