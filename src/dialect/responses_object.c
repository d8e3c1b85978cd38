/* SPDX-License-Identifier: MIT */
/* dialect/responses_object - the response object: what it repeats of its request, its items, its
 * end. */
#include "dialect/responses_int.h"

#include "json/value.h"
#include "json/write.h"

/* What a response repeats, with what it says where the client said nothing. An empty default: the
 * member is left out. */
static const struct {
    const char *name;
    struct gw_str otherwise;
} echoed[] = {
    {"instructions", GW_STR_INIT("null")},
    {"max_output_tokens", GW_STR_INIT("null")},
    {"max_tool_calls", GW_STR_INIT("null")},
    {"parallel_tool_calls", GW_STR_INIT("true")},
    {"previous_response_id", GW_STR_INIT("null")},
    {"prompt_cache_key", GW_STR_INIT("null")},
    {"prompt_cache_options", GW_STR_INIT("")},
    {"reasoning", GW_STR_INIT("{\"effort\":null,\"summary\":null}")},
    {"safety_identifier", GW_STR_INIT("null")},
    {"service_tier", GW_STR_INIT("")},
    {"store", GW_STR_INIT("true")},
    {"temperature", GW_STR_INIT("1.0")},
    {"tool_choice", GW_STR_INIT("\"auto\"")},
    {"top_logprobs", GW_STR_INIT("0")},
    {"top_p", GW_STR_INIT("1.0")},
    {"truncation", GW_STR_INIT("\"disabled\"")},
    {"user", GW_STR_INIT("")},
    {"metadata", GW_STR_INIT("{}")},
};

/* OpenAI names these two of a function always. */
static void write_tool(yyjson_val *tool, struct gw_buf *out)
{
    size_t index = 0;
    size_t max = 0;
    yyjson_val *key = NULL;
    yyjson_val *value = NULL;
    (void)gw_buf_append_byte(out, '{');
    yyjson_obj_foreach(tool, index, max, key, value)
    {
        gw_json_write_next(out);
        gw_json_write_text(gw_json_text(key), out);
        (void)gw_buf_append_byte(out, ':');
        gw_json_write(value, out);
    }
    if (gw_json_is(gw_json_get(tool, "type"), GW_STR("function"))) {
        if (yyjson_obj_get(tool, "strict") == NULL) {
            gw_json_write_raw(GW_STR("strict"), GW_STR("false"), out);
        }
        if (yyjson_obj_get(tool, "parameters") == NULL) {
            gw_json_write_raw(GW_STR("parameters"), GW_STR("null"), out);
        }
    }
    (void)gw_buf_append_byte(out, '}');
}

static void write_tools(yyjson_val *tools, struct gw_buf *out)
{
    size_t index = 0;
    size_t max = 0;
    yyjson_val *tool = NULL;
    gw_json_write_key(GW_STR("tools"), out);
    (void)gw_buf_append_byte(out, '[');
    yyjson_arr_foreach(tools, index, max, tool)
    {
        gw_json_write_next(out);
        write_tool(tool, out);
    }
    (void)gw_buf_append_byte(out, ']');
}

static void write_text_options(yyjson_val *text, struct gw_buf *out)
{
    yyjson_val *format = gw_json_get(text, "format");
    gw_json_write_key(GW_STR("text"), out);
    (void)gw_buf_append_byte(out, '{');
    gw_json_write_key(GW_STR("format"), out);
    if (format != NULL) {
        gw_json_write(format, out);
    } else {
        (void)gw_buf_append(out, GW_STR("{\"type\":\"text\"}"));
    }
    gw_json_write_optional(GW_STR("verbosity"), gw_json_get_text(text, "verbosity"), out);
    (void)gw_buf_append_byte(out, '}');
}

static void write_id(const struct gw_encoder *encoder, struct gw_buf *out)
{
    struct gw_str id = encoder->opts.request_id;
    id = gw_str_has_prefix(id, GW_STR("req_")) ? gw_str_skip(id, 4) : id;
    gw_json_write_key(GW_STR("id"), out);
    (void)gw_buf_append(out, GW_STR("\"resp_"));
    (void)gw_buf_append_json(out, id);
    (void)gw_buf_append(out, GW_STR("\",\"object\":\"response\""));
}

/* The stored conversation was put in front of the request, whose body does not name it any more. */
static bool write_previous(const struct gw_encoder *encoder, const char *name, struct gw_buf *out)
{
    const struct gw_llm_request *request = encoder->opts.request;
    if (request == NULL || request->previous_response_id.len == 0 ||
        strcmp(name, "previous_response_id") != 0) {
        return false;
    }
    gw_json_write_text(request->previous_response_id, out);
    return true;
}

void gw_responses_make_object(struct gw_encoder *encoder, uint64_t created_s)
{
    yyjson_val *echo = gw_json_get(encoder->opts.chat, "_echo");
    struct gw_buf *out = &encoder->echo;
    write_id(encoder, &encoder->head);
    gw_json_write_count(GW_STR("created_at"), created_s, &encoder->head);
    gw_json_write_member(GW_STR("model"), encoder->opts.model, out);
    for (size_t i = 0; i < GW_ARRAY_LEN(echoed); i++) {
        yyjson_val *value = gw_json_get(echo, echoed[i].name);
        if (value == NULL && echoed[i].otherwise.len == 0) {
            continue;
        }
        gw_json_write_key(gw_str_from_c(echoed[i].name), out);
        if (value != NULL) {
            gw_json_write(value, out);
        } else if (!write_previous(encoder, echoed[i].name, out)) {
            (void)gw_buf_append(out, echoed[i].otherwise);
        }
    }
    write_text_options(gw_json_get(echo, "text"), out);
    write_tools(gw_json_get(echo, "tools"), out);
}

static void write_usage(const struct gw_usage *usage, struct gw_buf *out)
{
    gw_json_write_key(GW_STR("usage"), out);
    (void)gw_buf_append_byte(out, '{');
    gw_json_write_count(GW_STR("input_tokens"), usage->input_tokens, out);
    (void)gw_buf_append(out, GW_STR(",\"input_tokens_details\":{"));
    gw_json_write_count(GW_STR("cached_tokens"), usage->cached_tokens, out);
    gw_json_write_count(GW_STR("cache_write_tokens"), usage->cache_write_tokens, out);
    (void)gw_buf_append_byte(out, '}');
    gw_json_write_count(GW_STR("output_tokens"), usage->output_tokens, out);
    (void)gw_buf_append(out, GW_STR(",\"output_tokens_details\":{"));
    gw_json_write_count(GW_STR("reasoning_tokens"), usage->reasoning_tokens, out);
    (void)gw_buf_append_byte(out, '}');
    gw_json_write_count(GW_STR("total_tokens"), usage->input_tokens + usage->output_tokens, out);
    (void)gw_buf_append_byte(out, '}');
}

static struct gw_str status_text(enum gw_responses_status status)
{
    switch (status) {
    case GW_RESPONSE_IN_PROGRESS:
        return GW_STR("in_progress");
    case GW_RESPONSE_COMPLETED:
        return GW_STR("completed");
    case GW_RESPONSE_INCOMPLETE:
        return GW_STR("incomplete");
    case GW_RESPONSE_FAILED:
        break;
    }
    return GW_STR("failed");
}

static struct gw_str failure_code(const struct gw_error *error)
{
    if (error->code.len > 0) {
        return error->code;
    }
    switch (error->class) {
    case GW_ERROR_LIMIT:
    case GW_ERROR_BUDGET:
        return GW_STR("rate_limit_exceeded");
    case GW_ERROR_OVERLOADED:
        return GW_STR("server_is_overloaded");
    case GW_ERROR_CLIENT:
        return GW_STR("invalid_prompt");
    default:
        return GW_STR("server_error");
    }
}

void gw_responses_write_failure(const struct gw_error *error, struct gw_buf *out)
{
    (void)gw_buf_append_byte(out, '{');
    gw_json_write_member(GW_STR("code"), failure_code(error), out);
    (void)gw_buf_append(out, GW_STR(",\"message\":\""));
    (void)gw_buf_append_json(out, error->message);
    /* Codex reads the delay from these words. */
    if (error->retry_after_s > 0 &&
        gw_str_find(error->message, GW_STR("try again in")) == error->message.len) {
        (void)gw_buf_appendf(out, " Please try again in %llus.",
                             (unsigned long long)error->retry_after_s);
    }
    (void)gw_buf_append(out, GW_STR("\"}"));
}

static void write_items(const struct gw_encoder *encoder, struct gw_buf *out)
{
    (void)gw_buf_append(out, GW_STR(",\"output\":["));
    for (size_t i = 0; i < encoder->item_count; i++) {
        if (encoder->items[i].done.len > 0) {
            gw_json_write_next(out);
            (void)gw_buf_append(out, gw_buf_str(&encoder->items[i].done));
        }
    }
    (void)gw_buf_append_byte(out, ']');
}

void gw_responses_write_object(const struct gw_encoder *encoder, enum gw_responses_status status,
                               const struct gw_error *error, struct gw_buf *out)
{
    bool is_filtered = encoder->finish == GW_FINISH_CONTENT_FILTER;
    (void)gw_buf_append_byte(out, '{');
    (void)gw_buf_append(out, gw_buf_str(&encoder->head));
    gw_json_write_member(GW_STR("status"), status_text(status), out);
    gw_json_write_raw(GW_STR("background"), GW_STR("false"), out);
    gw_json_write_key(GW_STR("error"), out);
    if (error != NULL) {
        gw_responses_write_failure(error, out);
    } else {
        (void)gw_buf_append(out, GW_STR("null"));
    }
    gw_json_write_raw(GW_STR("incomplete_details"),
                      status != GW_RESPONSE_INCOMPLETE ? GW_STR("null")
                      : is_filtered                    ? GW_STR("{\"reason\":\"content_filter\"}")
                                    : GW_STR("{\"reason\":\"max_output_tokens\"}"),
                      out);
    write_items(encoder, out);
    (void)gw_buf_append_byte(out, ',');
    (void)gw_buf_append(out, gw_buf_str(&encoder->echo));
    if (status != GW_RESPONSE_IN_PROGRESS && encoder->usage.is_known) {
        write_usage(&encoder->usage, out);
    }
    (void)gw_buf_append_byte(out, '}');
}
