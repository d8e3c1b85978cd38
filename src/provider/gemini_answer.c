/* SPDX-License-Identifier: MIT */
/* provider/gemini_answer - usage and logprobs of an answer in neutral words (gemini.md section
 * 5). */
#include "provider/gemini_int.h"
#include "json/value.h"
#include "json/write.h"

/* The prompt includes what was cached; candidates do not include thoughts. */
void gw_gemini_read_usage(yyjson_val *metadata, struct gw_usage *usage)
{
    uint64_t thoughts = gw_json_get_u64(metadata, "thoughtsTokenCount", 0);
    *usage = (struct gw_usage){
        .input_tokens = gw_json_get_u64(metadata, "promptTokenCount", 0) +
                        gw_json_get_u64(metadata, "toolUsePromptTokenCount", 0),
        .cached_tokens = gw_json_get_u64(metadata, "cachedContentTokenCount", 0),
        .output_tokens = gw_json_get_u64(metadata, "candidatesTokenCount", 0) + thoughts,
        .reasoning_tokens = thoughts,
        .is_known = true,
    };
}

static void write_bytes(struct gw_str token, struct gw_buf *out)
{
    gw_json_write_raw(GW_STR("bytes"), GW_STR("["), out);
    for (size_t i = 0; i < token.len; i++) {
        gw_json_write_next(out);
        (void)gw_buf_append_u64(out, (unsigned char)token.ptr[i]);
    }
    (void)gw_buf_append_byte(out, ']');
}

/* The members of one token, without the braces. */
static void write_token(yyjson_val *candidate, struct gw_buf *out)
{
    struct gw_str token = gw_json_get_text(candidate, "token");
    yyjson_val *logprob = gw_json_get(candidate, "logProbability");
    gw_json_write_member(GW_STR("token"), token, out);
    gw_json_write_key(GW_STR("logprob"), out);
    if (yyjson_is_num(logprob)) {
        gw_json_write(logprob, out);
    } else {
        (void)gw_buf_append_byte(out, '0'); /* proto3 leaves zeros out */
    }
    write_bytes(token, out);
}

static void write_top(yyjson_val *candidates, struct gw_buf *out)
{
    gw_json_write_raw(GW_STR("top_logprobs"), GW_STR("["), out);
    yyjson_arr_iter iter = yyjson_arr_iter_with(candidates);
    for (yyjson_val *candidate = yyjson_arr_iter_next(&iter); candidate != NULL;
         candidate = yyjson_arr_iter_next(&iter)) {
        gw_json_write_next(out);
        (void)gw_buf_append_byte(out, '{');
        write_token(candidate, out);
        (void)gw_buf_append_byte(out, '}');
    }
    (void)gw_buf_append_byte(out, ']');
}

void gw_gemini_write_logprobs(yyjson_val *result, struct gw_buf *out)
{
    yyjson_arr_iter chosen = yyjson_arr_iter_with(gw_json_get(result, "chosenCandidates"));
    yyjson_arr_iter top = yyjson_arr_iter_with(gw_json_get(result, "topCandidates"));
    (void)gw_buf_append_byte(out, '[');
    for (yyjson_val *token = yyjson_arr_iter_next(&chosen); token != NULL;
         token = yyjson_arr_iter_next(&chosen)) {
        gw_json_write_next(out);
        (void)gw_buf_append_byte(out, '{');
        write_token(token, out);
        write_top(gw_json_get(yyjson_arr_iter_next(&top), "candidates"), out);
        (void)gw_buf_append_byte(out, '}');
    }
    (void)gw_buf_append_byte(out, ']');
}
