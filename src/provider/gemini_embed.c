/* SPDX-License-Identifier: MIT */
/* provider/gemini_embed - embeddings: OpenAI's request to batchEmbedContents or Vertex's predict,
 * and their answers back (gemini.md section 1, vertex.md section 1). */
#include "provider/gemini_int.h"
#include "json/value.h"
#include "json/write.h"

/* Models that Vertex serves by :embedContent, which takes one input, and not by :predict. */
#define VERTEX_NEW_EMBEDDING "gemini-embedding-2"

struct embedding {
    const struct gw_provider_input *in;
    yyjson_val *openai;
    struct gw_buf *out;
    struct gw_str model;
};

static enum gw_err check_input(const struct embedding *e, yyjson_val *input)
{
    yyjson_val *first = yyjson_is_arr(input) ? yyjson_arr_get_first(input) : input;
    yyjson_arr_iter iter = yyjson_arr_iter_with(input);
    for (yyjson_val *item = yyjson_arr_iter_next(&iter); item != NULL;
         item = yyjson_arr_iter_next(&iter)) {
        first = yyjson_is_str(item) ? first : NULL;
    }
    if (yyjson_is_str(first)) {
        return GW_OK;
    }
    return gw_notes_invalid(e->in->notes, GW_STR("input"),
                            GW_STR("This provider takes texts only, no tokens."));
}

static void note_members(const struct embedding *e)
{
    yyjson_obj_iter iter = yyjson_obj_iter_with(e->openai);
    for (yyjson_val *key = yyjson_obj_iter_next(&iter); key != NULL;
         key = yyjson_obj_iter_next(&iter)) {
        static const char *const known[] = {"model", "input", "dimensions", "encoding_format",
                                            "task_type"};
        struct gw_str name = gw_json_text(key);
        bool is_known = false;
        for (size_t i = 0; i < GW_ARRAY_LEN(known); i++) {
            is_known = is_known || gw_str_eq(name, gw_str_from_c(known[i]));
        }
        if (!is_known) {
            gw_notes_add(e->in->notes, GW_NOTE_DROPPED, gw_arena_try_dup(e->in->arena, name),
                         GW_STR("Google's embeddings have nothing like it."));
        }
    }
}

static void write_dimensions(const struct embedding *e)
{
    uint64_t dimensions = gw_json_get_u64(e->openai, "dimensions", 0);
    if (dimensions > 0) {
        gw_json_write_count(GW_STR("outputDimensionality"), dimensions, e->out);
    }
}

/* One input as embedContent has it; the batch wants the model in each. */
static void write_content(const struct embedding *e, yyjson_val *text, bool is_batch)
{
    gw_json_write_next(e->out);
    (void)gw_buf_append_byte(e->out, '{');
    if (is_batch) {
        gw_json_write_key(GW_STR("model"), e->out);
        (void)gw_buf_append(e->out, GW_STR("\"models/"));
        (void)gw_buf_append_json(e->out, e->model);
        (void)gw_buf_append_byte(e->out, '"');
    }
    gw_json_write_raw(GW_STR("content"), GW_STR("{\"parts\":["), e->out);
    gw_gemini_write_text_part(gw_json_text(text), e->out);
    (void)gw_buf_append(e->out, GW_STR("]}"));
    gw_json_write_optional(GW_STR("taskType"), gw_json_get_text(e->openai, "task_type"), e->out);
    write_dimensions(e);
    (void)gw_buf_append_byte(e->out, '}');
}

static void write_instance(const struct embedding *e, yyjson_val *text, bool is_batch)
{
    (void)is_batch;
    gw_json_write_next(e->out);
    (void)gw_buf_append_byte(e->out, '{');
    gw_json_write_member(GW_STR("content"), gw_json_text(text), e->out);
    gw_json_write_optional(GW_STR("task_type"), gw_json_get_text(e->openai, "task_type"), e->out);
    (void)gw_buf_append_byte(e->out, '}');
}

typedef void write_one_fn(const struct embedding *e, yyjson_val *text, bool is_batch);

static void write_all(const struct embedding *e, yyjson_val *input, write_one_fn *write_one)
{
    if (yyjson_is_str(input)) {
        write_one(e, input, true);
    }
    yyjson_arr_iter iter = yyjson_arr_iter_with(input);
    for (yyjson_val *item = yyjson_arr_iter_next(&iter); item != NULL;
         item = yyjson_arr_iter_next(&iter)) {
        write_one(e, item, true);
    }
}

static enum gw_err begin_embeddings(const struct embedding *e, bool is_vertex, struct gw_str method,
                                    struct gw_provider_call *call)
{
    enum gw_err err = check_input(e, gw_json_get(e->openai, "input"));
    if (err == GW_OK) {
        err = gw_gemini_begin_call(e->in, is_vertex, method, GW_STR(""), call);
    }
    if (err == GW_OK &&
        !gw_provider_call_add(call, GW_HEADER_CONTENT_TYPE, gw_header_name(GW_HEADER_CONTENT_TYPE),
                              GW_STR("application/json"))) {
        err = GW_ERR_NOMEM;
    }
    note_members(e);
    return err;
}

static struct embedding embedding_of(const struct gw_provider_input *in, yyjson_val *openai,
                                     struct gw_provider_call *call)
{
    return (struct embedding){.in = in,
                              .openai = openai,
                              .out = &call->body,
                              .model = gw_gemini_model_name(in->upstream_model)};
}

enum gw_err gw_gemini_encode_embeddings(const struct gw_provider_input *in, yyjson_val *openai,
                                        struct gw_provider_call *call)
{
    struct embedding e = embedding_of(in, openai, call);
    enum gw_err err = begin_embeddings(&e, false, GW_STR("batchEmbedContents"), call);
    if (err == GW_OK) {
        (void)gw_buf_append(e.out, GW_STR("{\"requests\":["));
        write_all(&e, gw_json_get(openai, "input"), write_content);
        (void)gw_buf_append(e.out, GW_STR("]}"));
    }
    return err == GW_OK ? e.out->err : err;
}

static enum gw_err encode_single(struct embedding *e, struct gw_provider_call *call)
{
    yyjson_val *input = gw_json_get(e->openai, "input");
    if (yyjson_arr_size(input) > 1) {
        return gw_notes_invalid(e->in->notes, GW_STR("input"),
                                GW_STR("This model takes one input in a request."));
    }
    enum gw_err err = begin_embeddings(e, true, GW_STR("embedContent"), call);
    if (err == GW_OK) {
        write_content(e, yyjson_is_arr(input) ? yyjson_arr_get_first(input) : input, false);
    }
    return err == GW_OK ? e->out->err : err;
}

enum gw_err gw_vertex_encode_embeddings(const struct gw_provider_input *in, yyjson_val *openai,
                                        struct gw_provider_call *call)
{
    struct embedding e = embedding_of(in, openai, call);
    if (gw_str_has_prefix(e.model, GW_STR(VERTEX_NEW_EMBEDDING))) {
        return encode_single(&e, call);
    }
    enum gw_err err = begin_embeddings(&e, true, GW_STR("predict"), call);
    if (err == GW_OK) {
        (void)gw_buf_append(e.out, GW_STR("{\"instances\":["));
        write_all(&e, gw_json_get(openai, "input"), write_instance);
        (void)gw_buf_append_byte(e.out, ']');
        if (gw_json_get_u64(openai, "dimensions", 0) > 0) {
            gw_json_write_raw(GW_STR("parameters"), GW_STR("{"), e.out);
            write_dimensions(&e);
            (void)gw_buf_append_byte(e.out, '}');
        }
        (void)gw_buf_append_byte(e.out, '}');
    }
    return err == GW_OK ? e.out->err : err;
}

/* ---- answers ---- */

static bool write_vector(yyjson_val *holder, size_t index, struct gw_buf *out)
{
    yyjson_val *values = gw_json_get(holder, "values");
    if (!yyjson_is_arr(values)) {
        return false;
    }
    gw_json_write_next(out);
    (void)gw_buf_append(out, GW_STR("{\"object\":\"embedding\""));
    gw_json_write_count(GW_STR("index"), index, out);
    gw_json_write_key(GW_STR("embedding"), out);
    gw_json_write(values, out);
    (void)gw_buf_append_byte(out, '}');
    return true;
}

/* {"embeddings":[...]}, {"embedding":{...}}, or {"predictions":[{"embeddings":{...}}]}. */
static bool write_vectors(yyjson_val *root, struct gw_usage *usage, struct gw_buf *out)
{
    yyjson_val *predictions = gw_json_get(root, "predictions");
    yyjson_val *list = predictions != NULL ? predictions : gw_json_get(root, "embeddings");
    if (list == NULL) {
        return write_vector(gw_json_get(root, "embedding"), 0, out);
    }
    size_t index = 0;
    bool is_right = yyjson_is_arr(list);
    yyjson_arr_iter iter = yyjson_arr_iter_with(list);
    for (yyjson_val *item = yyjson_arr_iter_next(&iter); item != NULL && is_right;
         item = yyjson_arr_iter_next(&iter)) {
        yyjson_val *holder = predictions != NULL ? gw_json_get(item, "embeddings") : item;
        yyjson_val *statistics = gw_json_get(holder, "statistics");
        is_right = write_vector(holder, index++, out);
        if (statistics != NULL) {
            usage->input_tokens += gw_json_get_u64(statistics, "token_count", 0);
            usage->is_known = true;
        }
    }
    return is_right;
}

enum gw_err gw_gemini_decode_embeddings(struct gw_str body, struct gw_str model,
                                        struct gw_usage *usage, struct gw_buf *openai)
{
    struct gw_json_reader reader;
    yyjson_val *root = NULL;
    *usage = (struct gw_usage){0};
    gw_json_reader_init(&reader, GW_PROVIDER_MAX_ANSWER_BYTES);
    enum gw_err err = gw_json_read(&reader, body, &root);
    if (err == GW_OK) {
        (void)gw_buf_append(openai, GW_STR("{\"object\":\"list\",\"data\":["));
        err = write_vectors(root, usage, openai) ? GW_OK : GW_ERR_PROTOCOL;
        yyjson_val *metadata = gw_json_get(root, "usageMetadata");
        if (metadata != NULL) {
            gw_gemini_read_usage(metadata, usage);
        }
        (void)gw_buf_append_byte(openai, ']');
        gw_json_write_member(GW_STR("model"), model, openai);
        gw_json_write_raw(GW_STR("usage"), GW_STR("{"), openai);
        gw_json_write_count(GW_STR("prompt_tokens"), usage->input_tokens, openai);
        gw_json_write_count(GW_STR("total_tokens"), usage->input_tokens, openai);
        (void)gw_buf_append(openai, GW_STR("}}"));
    }
    gw_json_reader_fini(&reader);
    if (err == GW_ERR_INVALID) {
        err = GW_ERR_PROTOCOL;
    }
    return err == GW_OK ? openai->err : err;
}
