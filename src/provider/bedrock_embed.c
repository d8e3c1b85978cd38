/* SPDX-License-Identifier: MIT */
/*
 * provider/bedrock_embed - embeddings by InvokeModel, whose bodies are each model's own: Titan
 * takes one text a call, Cohere a list.
 */
#include "provider/bedrock_int.h"
#include "json/value.h"
#include "json/write.h"

static const struct gw_str titan = GW_STR_INIT("titan-embed");

/* Errors: GW_ERR_INVALID. */
static enum gw_err write_titan(const struct gw_provider_input *in, yyjson_val *openai,
                               struct gw_buf *out)
{
    yyjson_val *input = gw_json_get(openai, "input");
    yyjson_val *text = yyjson_arr_size(input) == 1 ? yyjson_arr_get_first(input) : input;
    uint64_t dimensions = gw_json_get_u64(openai, "dimensions", 0);
    if (!yyjson_is_str(text)) {
        return gw_notes_invalid(in->notes, GW_STR("input"),
                                GW_STR("Titan embeds one text a request; send one."));
    }
    (void)gw_buf_append_byte(out, '{');
    gw_json_write_member(GW_STR("inputText"), gw_json_text(text), out);
    if (dimensions > 0) {
        gw_json_write_count(GW_STR("dimensions"), dimensions, out);
    }
    (void)gw_buf_append_byte(out, '}');
    return out->err;
}

/* Errors: GW_ERR_INVALID. */
static enum gw_err write_cohere(const struct gw_provider_input *in, yyjson_val *openai,
                                struct gw_buf *out)
{
    yyjson_val *input = gw_json_get(openai, "input");
    struct gw_str type = gw_json_get_text(openai, "input_type");
    uint64_t dimensions = gw_json_get_u64(openai, "dimensions", 0);
    size_t i;
    size_t count;
    yyjson_val *text;
    (void)gw_buf_append_byte(out, '{');
    gw_json_write_raw(GW_STR("texts"), GW_STR("["), out);
    if (yyjson_is_str(input)) {
        gw_json_write_text(gw_json_text(input), out);
    }
    yyjson_arr_foreach(input, i, count, text)
    {
        if (!yyjson_is_str(text)) {
            return gw_notes_invalid(in->notes, GW_STR("input"),
                                    GW_STR("The model embeds texts, not tokens."));
        }
        gw_json_write_next(out);
        gw_json_write_text(gw_json_text(text), out);
    }
    (void)gw_buf_append_byte(out, ']');
    gw_json_write_member(GW_STR("input_type"), type.len > 0 ? type : GW_STR("search_document"),
                         out);
    gw_json_write_raw(GW_STR("embedding_types"), GW_STR("[\"float\"]"), out);
    if (dimensions > 0) {
        gw_json_write_count(GW_STR("output_dimension"), dimensions, out);
    }
    (void)gw_buf_append_byte(out, '}');
    return out->err;
}

enum gw_err gw_bedrock_encode_embeddings(const struct gw_provider_input *in, yyjson_val *openai,
                                         struct gw_provider_call *call)
{
    struct gw_str id = gw_bedrock_model_of(in->upstream_model).id;
    enum gw_err err = gw_str_find(id, titan) < id.len ? write_titan(in, openai, &call->body)
                                                      : write_cohere(in, openai, &call->body);
    if (err != GW_OK) {
        return err;
    }
    call->method = GW_STR("POST");
    call->target = gw_bedrock_target(in, id, GW_STR("invoke"));
    bool is_fine =
        call->target.ptr != NULL &&
        gw_provider_call_add(call, GW_HEADER_CONTENT_TYPE, GW_STR("content-type"),
                             GW_STR("application/json")) &&
        gw_provider_call_add(call, GW_HEADER_ACCEPT, GW_STR("accept"), GW_STR("application/json"));
    return is_fine ? GW_OK : GW_ERR_NOMEM;
}

static void write_embedding(yyjson_val *numbers, size_t index, struct gw_buf *out)
{
    gw_json_write_next(out);
    (void)gw_buf_append(out, GW_STR("{\"object\":\"embedding\""));
    gw_json_write_count(GW_STR("index"), index, out);
    gw_json_write_key(GW_STR("embedding"), out);
    gw_json_write(numbers, out);
    (void)gw_buf_append_byte(out, '}');
}

/* Errors: GW_ERR_PROTOCOL. */
static enum gw_err write_data(yyjson_val *root, struct gw_buf *out)
{
    yyjson_val *one = gw_json_get(root, "embedding");
    yyjson_val *all = gw_json_get(root, "embeddings");
    all = yyjson_is_obj(all) ? gw_json_get(all, "float") : all;
    if (yyjson_is_arr(one)) {
        write_embedding(one, 0, out);
        return GW_OK;
    }
    size_t i;
    size_t count;
    yyjson_val *numbers;
    yyjson_arr_foreach(all, i, count, numbers)
    {
        write_embedding(numbers, i, out);
    }
    return yyjson_is_arr(all) ? GW_OK : GW_ERR_PROTOCOL;
}

enum gw_err gw_bedrock_decode_embeddings(struct gw_str body, struct gw_str model,
                                         struct gw_usage *usage, struct gw_buf *openai)
{
    struct gw_json_reader reader;
    yyjson_val *root = NULL;
    gw_json_reader_init(&reader, GW_PROVIDER_MAX_ANSWER_BYTES);
    enum gw_err err = gw_json_read(&reader, body, &root);
    err = err == GW_ERR_INVALID ? GW_ERR_PROTOCOL : err;
    if (err == GW_OK) {
        (void)gw_buf_append(openai, GW_STR("{\"object\":\"list\",\"data\":["));
        err = write_data(root, openai);
    }
    if (err == GW_OK) {
        /* Titan counts in the body, Cohere only in fields that are not seen here. */
        uint64_t tokens = gw_json_get_u64(root, "inputTextTokenCount", 0);
        *usage = (struct gw_usage){.input_tokens = tokens, .is_known = tokens > 0};
        (void)gw_buf_append_byte(openai, ']');
        gw_json_write_member(GW_STR("model"), model, openai);
        gw_json_write_raw(GW_STR("usage"), GW_STR("{"), openai);
        gw_json_write_count(GW_STR("prompt_tokens"), tokens, openai);
        gw_json_write_count(GW_STR("total_tokens"), tokens, openai);
        (void)gw_buf_append(openai, GW_STR("}}"));
        err = openai->err;
    }
    gw_json_reader_fini(&reader);
    return err;
}
