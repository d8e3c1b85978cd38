/* SPDX-License-Identifier: MIT */
/* dialect/gemini_embed - embedContent and batchEmbedContents in OpenAI's words, and the answer
 * back (gemini.md section 1). */
#include "dialect/gemini_int.h"
#include "json/value.h"
#include "json/write.h"

/* Texts of a content, joined: one embedding. */
static enum gw_err write_input(struct gw_gemini_reading *r, yyjson_val *request)
{
    yyjson_val *content = gw_json_get(request, "content");
    yyjson_arr_iter iter = yyjson_arr_iter_with(gw_json_get(content, "parts"));
    enum gw_err err = GW_OK;
    gw_json_write_next(r->out);
    (void)gw_buf_append_byte(r->out, '"');
    if (yyjson_is_str(content)) {
        (void)gw_buf_append_json(r->out, gw_json_text(content));
    }
    for (yyjson_val *part = yyjson_arr_iter_next(&iter); part != NULL && err == GW_OK;
         part = yyjson_arr_iter_next(&iter)) {
        yyjson_val *text = gw_json_get(part, "text");
        (void)gw_buf_append_json(r->out, gw_json_text(text));
        if (!yyjson_is_str(text)) {
            err = gw_notes_refuse(r->notes, GW_STR("content.parts[]"),
                                  GW_STR("Only text can be embedded by this model."));
        }
    }
    (void)gw_buf_append_byte(r->out, '"');
    return err;
}

static void note_members(struct gw_gemini_reading *r, yyjson_val *request)
{
    static const char *const members[] = {"taskType", "title", "autoTruncate"};
    for (size_t i = 0; i < GW_ARRAY_LEN(members); i++) {
        if (gw_from_gemini_get(request, members[i]) != NULL) {
            gw_notes_add(r->notes, GW_NOTE_DROPPED, gw_str_from_c(members[i]),
                         GW_STR("Only Gemini has this."));
        }
    }
}

static enum gw_err write_inputs(struct gw_gemini_reading *r, yyjson_val *root)
{
    yyjson_val *requests = gw_json_get(root, "requests");
    yyjson_val *first = r->request->is_batch ? yyjson_arr_get_first(requests) : root;
    enum gw_err err = GW_OK;
    if (gw_json_get(first, "content") == NULL) {
        return gw_notes_invalid(r->notes, GW_STR("content"), GW_STR("'content' is missing."));
    }
    gw_json_write_key(GW_STR("input"), r->out);
    if (!r->request->is_batch) {
        size_t begin = r->out->len;
        (void)gw_buf_append_byte(r->out, '['); /* so that no comma comes */
        err = write_input(r, root);
        if (r->out->err == GW_OK) {
            memmove(r->out->ptr + begin, r->out->ptr + begin + 1, r->out->len - begin - 1);
            r->out->len--;
        }
    } else {
        yyjson_arr_iter iter = yyjson_arr_iter_with(requests);
        (void)gw_buf_append_byte(r->out, '[');
        for (yyjson_val *one = yyjson_arr_iter_next(&iter); one != NULL && err == GW_OK;
             one = yyjson_arr_iter_next(&iter)) {
            err = write_input(r, one);
        }
        (void)gw_buf_append_byte(r->out, ']');
    }
    uint64_t dimensions = gw_json_get_u64(first, "outputDimensionality",
                                          gw_json_get_u64(first, "output_dimensionality", 0));
    if (dimensions > 0) {
        gw_json_write_count(GW_STR("dimensions"), dimensions, r->out);
    }
    note_members(r, first);
    return err;
}

enum gw_err gw_from_gemini_embeddings(const struct gw_inbound *in,
                                      const struct gw_llm_request *request, struct gw_notes *notes,
                                      yyjson_doc **openai)
{
    struct gw_json_reader reader;
    struct gw_buf out;
    yyjson_val *root = NULL;
    struct gw_gemini_reading r = {.request = request, .notes = notes, .out = &out};
    gw_buf_init(&out, 6 * in->body.len + 65536);
    gw_json_reader_init(&reader, in->body.len + 1);
    enum gw_err err = gw_json_read(&reader, in->body, &root);
    if (err == GW_OK) {
        (void)gw_buf_append_byte(&out, '{');
        gw_json_write_member(GW_STR("model"), request->model, &out);
        err = write_inputs(&r, root);
        (void)gw_buf_append_byte(&out, '}');
        err = err == GW_OK ? gw_from_gemini_finish(&out, openai) : err;
    } else if (err == GW_ERR_INVALID) {
        err =
            gw_notes_invalid(notes, GW_STR("body"), GW_STR("The request body is not valid JSON."));
    }
    gw_json_reader_fini(&reader);
    gw_buf_fini(&out);
    return err;
}

static void write_values(yyjson_val *item, struct gw_buf *out)
{
    (void)gw_buf_append(out, GW_STR("{\"values\":"));
    yyjson_val *values = gw_json_get(item, "embedding");
    if (yyjson_is_arr(values)) {
        gw_json_write(values, out);
    } else {
        (void)gw_buf_append(out, GW_STR("[]"));
    }
    (void)gw_buf_append_byte(out, '}');
}

void gw_to_gemini_embeddings(const struct gw_encoder_opts *opts, yyjson_val *openai,
                             struct gw_buf *out)
{
    yyjson_val *data = gw_json_get(openai, "data");
    if (opts->request == NULL || !opts->request->is_batch) {
        (void)gw_buf_append(out, GW_STR("{\"embedding\":"));
        write_values(yyjson_arr_get_first(data), out);
        (void)gw_buf_append_byte(out, '}');
        return;
    }
    (void)gw_buf_append(out, GW_STR("{\"embeddings\":["));
    yyjson_arr_iter iter = yyjson_arr_iter_with(data);
    for (yyjson_val *item = yyjson_arr_iter_next(&iter); item != NULL;
         item = yyjson_arr_iter_next(&iter)) {
        gw_json_write_next(out);
        write_values(item, out);
    }
    (void)gw_buf_append(out, GW_STR("]}"));
}
