/* SPDX-License-Identifier: MIT */
/* provider/cohere_embed - embeddings: a list of texts, and what they are for. */
#include "provider/cohere_int.h"
#include "json/value.h"
#include "json/write.h"

/* Errors: GW_ERR_INVALID. */
static enum gw_err write_texts(const struct gw_provider_input *in, yyjson_val *input,
                               struct gw_buf *out)
{
    size_t i;
    size_t count;
    yyjson_val *text;
    bool is_list = yyjson_arr_size(input) > 0;
    gw_json_write_raw(GW_STR("texts"), GW_STR("["), out);
    if (yyjson_is_str(input)) {
        gw_json_write_text(gw_json_text(input), out);
    }
    yyjson_arr_foreach(input, i, count, text)
    {
        is_list = is_list && yyjson_is_str(text);
        gw_json_write_next(out);
        gw_json_write_text(gw_json_text(text), out);
    }
    (void)gw_buf_append_byte(out, ']');
    return yyjson_is_str(input) || is_list
               ? GW_OK
               : gw_notes_invalid(in->notes, GW_STR("input"),
                                  GW_STR("Cohere embeds a text or a list of texts, not tokens."));
}

enum gw_err gw_cohere_encode_embeddings(const struct gw_provider_input *in, yyjson_val *openai,
                                        struct gw_provider_call *call)
{
    struct gw_buf *out = &call->body;
    struct gw_str type = gw_json_get_text(openai, "input_type");
    struct gw_str cut = gw_json_get_text(openai, "truncate");
    uint64_t dimensions = gw_json_get_u64(openai, "dimensions", 0);
    (void)gw_buf_append_byte(out, '{');
    gw_json_write_member(GW_STR("model"), in->upstream_model, out);
    enum gw_err err = write_texts(in, gw_json_get(openai, "input"), out);
    if (err != GW_OK) {
        return err;
    }
    if (type.len == 0) {
        gw_notes_add(in->notes, GW_NOTE_MAPPED, GW_STR("input_type"),
                     GW_STR("Cohere wants to know what the embeddings are for: search_document, "
                            "unless the request says another."));
    }
    gw_json_write_member(GW_STR("input_type"), type.len > 0 ? type : GW_STR("search_document"),
                         out);
    gw_json_write_raw(GW_STR("embedding_types"), GW_STR("[\"float\"]"), out);
    if (dimensions > 0) {
        gw_json_write_count(GW_STR("output_dimension"), dimensions, out);
    }
    gw_json_write_optional(GW_STR("truncate"), cut, out);
    (void)gw_buf_append_byte(out, '}');
    return out->err != GW_OK
               ? out->err
               : gw_cohere_finish_call(in, GW_STR("/v2/embed"), GW_STR("application/json"), call);
}

static void write_answer(yyjson_val *root, yyjson_val *lists, struct gw_str model,
                         struct gw_usage *usage, struct gw_buf *out)
{
    size_t i;
    size_t count;
    yyjson_val *numbers;
    (void)gw_buf_append(out, GW_STR("{\"object\":\"list\",\"data\":["));
    yyjson_arr_foreach(lists, i, count, numbers)
    {
        gw_json_write_next(out);
        (void)gw_buf_append(out, GW_STR("{\"object\":\"embedding\""));
        gw_json_write_count(GW_STR("index"), i, out);
        gw_json_write_key(GW_STR("embedding"), out);
        gw_json_write(numbers, out);
        (void)gw_buf_append_byte(out, '}');
    }
    yyjson_val *billed = gw_json_get(gw_json_get(root, "meta"), "billed_units");
    uint64_t tokens = gw_json_get_u64(billed, "input_tokens", 0);
    *usage = (struct gw_usage){.input_tokens = tokens, .is_known = billed != NULL};
    (void)gw_buf_append_byte(out, ']');
    gw_json_write_member(GW_STR("model"), model, out);
    gw_json_write_raw(GW_STR("usage"), GW_STR("{"), out);
    gw_json_write_count(GW_STR("prompt_tokens"), tokens, out);
    gw_json_write_count(GW_STR("total_tokens"), tokens, out);
    (void)gw_buf_append(out, GW_STR("}}"));
}

enum gw_err gw_cohere_decode_embeddings(struct gw_str body, struct gw_str model,
                                        struct gw_usage *usage, struct gw_buf *openai)
{
    struct gw_json_reader reader;
    yyjson_val *root = NULL;
    gw_json_reader_init(&reader, GW_PROVIDER_MAX_ANSWER_BYTES);
    enum gw_err err = gw_json_read(&reader, body, &root);
    yyjson_val *lists = gw_json_get(gw_json_get(root, "embeddings"), "float");
    if (err == GW_ERR_INVALID || (err == GW_OK && !yyjson_is_arr(lists))) {
        err = GW_ERR_PROTOCOL;
    }
    if (err == GW_OK) {
        write_answer(root, lists, model, usage, openai);
        err = openai->err;
    }
    gw_json_reader_fini(&reader);
    return err;
}
