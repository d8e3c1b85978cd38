/* SPDX-License-Identifier: MIT */
/* dialect/gemini_answer - the pieces of a GenerateContentResponse, and the whole of one that is not
 * streamed (inbound.md B3). */
#include "dialect/gemini_int.h"
#include "json/scan.h"
#include "json/value.h"
#include "json/write.h"

/* ---- parts ---- */

void gw_to_gemini_text(struct gw_str text, bool is_thought, struct gw_buf *out)
{
    (void)gw_buf_append(out, GW_STR("{\"text\":\""));
    (void)gw_buf_append_json(out, text);
    (void)gw_buf_append(out, is_thought ? GW_STR("\",\"thought\":true}") : GW_STR("\"}"));
}

void gw_to_gemini_signature(struct gw_str signature, struct gw_buf *out)
{
    (void)gw_buf_append(out, GW_STR("{\"text\":\"\""));
    gw_json_write_member(GW_STR("thoughtSignature"), signature, out);
    (void)gw_buf_append_byte(out, '}');
}

static void write_args(const struct gw_gemini_call *call, struct gw_buf *out)
{
    struct gw_str text = gw_str_trim(call->arguments);
    enum gw_json_type type = GW_JSON_NULL;
    gw_json_write_key(GW_STR("args"), out);
    if (call->is_custom) {
        (void)gw_buf_append_byte(out, '{');
        gw_json_write_member(GW_STR("input"), call->arguments, out);
        (void)gw_buf_append_byte(out, '}');
    } else if (text.len > 0 && gw_json_scan(text, NULL, NULL, &type, NULL) == GW_OK &&
               type == GW_JSON_OBJECT) {
        (void)gw_buf_append(out, text);
    } else {
        (void)gw_buf_append(out, GW_STR("{}"));
    }
}

void gw_to_gemini_call(const struct gw_gemini_call *call, struct gw_buf *out)
{
    (void)gw_buf_append(out, GW_STR("{\"functionCall\":{"));
    gw_json_write_optional(GW_STR("id"), call->id, out);
    gw_json_write_member(GW_STR("name"), call->name, out);
    write_args(call, out);
    (void)gw_buf_append_byte(out, '}');
    gw_json_write_optional(GW_STR("thoughtSignature"), call->signature, out);
    (void)gw_buf_append_byte(out, '}');
}

void gw_to_gemini_media(struct gw_str mime_type, struct gw_str base64, struct gw_buf *out)
{
    (void)gw_buf_append(out, GW_STR("{\"inlineData\":{"));
    gw_json_write_member(GW_STR("mimeType"), mime_type, out);
    gw_json_write_member(GW_STR("data"), base64, out);
    (void)gw_buf_append(out, GW_STR("}}"));
}

/* ---- what stands beside the parts ---- */

void gw_to_gemini_citation(struct gw_str annotation, struct gw_buf *out)
{
    struct gw_json_member url;
    struct gw_json_member title;
    if (!gw_json_find(annotation, GW_STR("url_citation.url"), &url) || url.type != GW_JSON_STRING) {
        return;
    }
    gw_json_write_next(out);
    (void)gw_buf_append(out, GW_STR("{\"web\":{"));
    gw_json_write_raw(GW_STR("uri"), url.value, out);
    if (gw_json_find(annotation, GW_STR("url_citation.title"), &title) &&
        title.type == GW_JSON_STRING) {
        gw_json_write_raw(GW_STR("title"), title.value, out);
    }
    (void)gw_buf_append(out, GW_STR("}}"));
}

static void write_candidate(yyjson_val *token, struct gw_buf *out)
{
    yyjson_val *logprob = gw_json_get(token, "logprob");
    gw_json_write_next(out);
    (void)gw_buf_append_byte(out, '{');
    gw_json_write_member(GW_STR("token"), gw_json_get_text(token, "token"), out);
    if (yyjson_is_num(logprob)) {
        gw_json_write_key(GW_STR("logProbability"), out);
        gw_json_write(logprob, out);
    }
    (void)gw_buf_append_byte(out, '}');
}

static void write_candidates(yyjson_val *tokens, struct gw_buf *out)
{
    yyjson_arr_iter iter = yyjson_arr_iter_with(tokens);
    for (yyjson_val *token = yyjson_arr_iter_next(&iter); token != NULL;
         token = yyjson_arr_iter_next(&iter)) {
        write_candidate(token, out);
    }
}

static void write_logprobs(yyjson_val *tokens, struct gw_buf *out)
{
    gw_json_write_raw(GW_STR("logprobsResult"), GW_STR("{\"chosenCandidates\":["), out);
    write_candidates(tokens, out);
    (void)gw_buf_append(out, GW_STR("],\"topCandidates\":["));
    yyjson_arr_iter iter = yyjson_arr_iter_with(tokens);
    for (yyjson_val *token = yyjson_arr_iter_next(&iter); token != NULL;
         token = yyjson_arr_iter_next(&iter)) {
        gw_json_write_next(out);
        (void)gw_buf_append(out, GW_STR("{\"candidates\":["));
        write_candidates(gw_json_get(token, "top_logprobs"), out);
        (void)gw_buf_append(out, GW_STR("]}"));
    }
    (void)gw_buf_append(out, GW_STR("]}"));
}

void gw_to_gemini_logprobs(struct gw_str content, struct gw_buf *out)
{
    struct gw_json_reader reader;
    yyjson_val *tokens = NULL;
    if (content.len == 0) {
        return;
    }
    gw_json_reader_init(&reader, content.len + 1);
    if (gw_json_read(&reader, content, &tokens) == GW_OK && yyjson_is_arr(tokens)) {
        write_logprobs(tokens, out);
    }
    gw_json_reader_fini(&reader);
}

struct gw_str gw_to_gemini_finish(enum gw_finish finish)
{
    switch (finish) {
    case GW_FINISH_LENGTH:
        return GW_STR("MAX_TOKENS");
    case GW_FINISH_CONTENT_FILTER:
        return GW_STR("SAFETY");
    case GW_FINISH_UNKNOWN:
    case GW_FINISH_STOP:
    case GW_FINISH_TOOL_CALLS:
    case GW_FINISH_COUNT:
        break;
    }
    return GW_STR("STOP");
}

void gw_to_gemini_usage(const struct gw_usage *usage, struct gw_buf *out)
{
    uint64_t thoughts = usage->reasoning_tokens;
    if (!usage->is_known) {
        return;
    }
    if (thoughts > usage->output_tokens) {
        thoughts = usage->output_tokens;
    }
    gw_json_write_raw(GW_STR("usageMetadata"), GW_STR("{"), out);
    gw_json_write_count(GW_STR("promptTokenCount"), usage->input_tokens, out);
    gw_json_write_count(GW_STR("candidatesTokenCount"), usage->output_tokens - thoughts, out);
    if (thoughts > 0) {
        gw_json_write_count(GW_STR("thoughtsTokenCount"), thoughts, out);
    }
    if (usage->cached_tokens > 0) {
        gw_json_write_count(GW_STR("cachedContentTokenCount"), usage->cached_tokens, out);
    }
    gw_json_write_count(GW_STR("totalTokenCount"), usage->input_tokens + usage->output_tokens, out);
    (void)gw_buf_append_byte(out, '}');
}

/* ---- a whole answer ---- */

static bool hides_reasoning(const struct gw_encoder_opts *opts)
{
    return opts->request != NULL && opts->request->hides_reasoning;
}

static void write_tool(const struct gw_answer_part *part, struct gw_buf *out)
{
    struct gw_gemini_call call = {.id = gw_buf_str(&part->id),
                                  .name = gw_buf_str(&part->name),
                                  .arguments = gw_buf_str(&part->text),
                                  .signature = gw_buf_str(&part->signature),
                                  .is_custom = part->is_custom};
    gw_json_write_next(out);
    gw_to_gemini_call(&call, out);
}

static void write_reasoning(const struct gw_encoder_opts *opts, const struct gw_answer_part *part,
                            struct gw_buf *out)
{
    if (part->text.len > 0 && !hides_reasoning(opts)) {
        gw_json_write_next(out);
        gw_to_gemini_text(gw_buf_str(&part->text), true, out);
    }
    if (part->signature.len > 0 && part->signer == GW_SIGNER_GOOGLE) {
        gw_json_write_next(out);
        gw_to_gemini_signature(gw_buf_str(&part->signature), out);
    }
}

static void write_part(const struct gw_encoder_opts *opts, const struct gw_answer_part *part,
                       struct gw_buf *out)
{
    switch (part->type) {
    case GW_PART_TEXT:
    case GW_PART_REFUSAL:
        gw_json_write_next(out);
        gw_to_gemini_text(gw_buf_str(&part->text), false, out);
        break;
    case GW_PART_REASONING:
        write_reasoning(opts, part, out);
        break;
    case GW_PART_MEDIA:
        gw_json_write_next(out);
        gw_to_gemini_media(gw_buf_str(&part->name), gw_buf_str(&part->text), out);
        break;
    case GW_PART_TOOL:
        write_tool(part, out);
        break;
    case GW_PART_REDACTED:   /* its vendor's only */
    case GW_PART_ANNOTATION: /* behind the parts */
        break;
    }
}

static void write_citations(const struct gw_answer *answer, struct gw_buf *out)
{
    size_t begin = out->len;
    gw_json_write_raw(GW_STR("groundingMetadata"), GW_STR("{\"groundingChunks\":["), out);
    size_t empty = out->len;
    for (size_t i = 0; i < answer->part_count; i++) {
        if (answer->parts[i].type == GW_PART_ANNOTATION) {
            gw_to_gemini_citation(gw_buf_str(&answer->parts[i].text), out);
        }
    }
    if (out->err == GW_OK && out->len == empty) {
        out->len = begin;
        return;
    }
    (void)gw_buf_append(out, GW_STR("]}"));
}

static void write_all_logprobs(const struct gw_answer *answer, struct gw_buf *out)
{
    struct gw_buf list;
    gw_buf_init(&list, GW_ANSWER_MAX_BYTES);
    for (size_t i = 0; i < answer->part_count; i++) {
        const struct gw_buf *logprobs = &answer->parts[i].logprobs;
        if (answer->parts[i].type == GW_PART_TEXT && logprobs->len > 0) {
            (void)gw_buf_append(&list, list.len == 0 ? GW_STR("[") : GW_STR(","));
            (void)gw_buf_append(&list, gw_buf_str(logprobs));
        }
    }
    if (list.len > 0) {
        (void)gw_buf_append_byte(&list, ']');
        gw_to_gemini_logprobs(gw_buf_str(&list), out);
    }
    gw_buf_fini(&list);
}

void gw_to_gemini_answer(const struct gw_encoder_opts *opts, const struct gw_answer *answer,
                         struct gw_buf *out)
{
    struct gw_str id = gw_buf_str(&answer->id);
    (void)gw_buf_append(out, GW_STR("{\"candidates\":[{\"content\":{\"parts\":["));
    for (size_t i = 0; i < answer->part_count; i++) {
        write_part(opts, &answer->parts[i], out);
    }
    (void)gw_buf_append(out, GW_STR("],\"role\":\"model\"}"));
    gw_json_write_member(GW_STR("finishReason"), gw_to_gemini_finish(answer->finish), out);
    (void)gw_buf_append(out, GW_STR(",\"index\":0"));
    write_all_logprobs(answer, out);
    write_citations(answer, out);
    (void)gw_buf_append(out, GW_STR("}]"));
    gw_to_gemini_usage(&answer->usage, out);
    gw_json_write_member(GW_STR("modelVersion"), opts->model, out);
    gw_json_write_member(GW_STR("responseId"), id.len > 0 ? id : opts->request_id, out);
    (void)gw_buf_append_byte(out, '}');
}
