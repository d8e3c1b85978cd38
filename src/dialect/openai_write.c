/* SPDX-License-Identifier: MIT */
/* dialect/openai_write - the pieces that streams and plain answers have in common. */
#include "dialect/openai_int.h"

#include "json/value.h"

/* "text" with its quotes; shorter to read than three appends. */
static void write_text(struct gw_str text, struct gw_buf *out)
{
    (void)gw_buf_append(out, GW_STR("\""));
    (void)gw_buf_append_json(out, text);
    (void)gw_buf_append(out, GW_STR("\""));
}

void gw_openai_write_identity(const struct gw_encoder_opts *opts,
                              const struct gw_openai_identity *identity, struct gw_buf *out)
{
    (void)gw_buf_append(out, GW_STR("\"id\":\""));
    if (identity->id.len > 0 && identity->id.len <= GW_OPENAI_ID_BYTES) {
        (void)gw_buf_append_json(out, identity->id);
    } else {
        (void)gw_buf_append(out, identity->prefix);
        (void)gw_buf_append_json(out, opts->request_id);
    }
    (void)gw_buf_append(out, GW_STR("\",\"object\":\""));
    (void)gw_buf_append(out, identity->object);
    (void)gw_buf_append(out, GW_STR("\",\"created\":"));
    (void)gw_buf_append_u64(out, identity->created_s != 0 ? identity->created_s : opts->created_s);
    (void)gw_buf_append(out, GW_STR(",\"model\":"));
    write_text(opts->model.len > 0 ? opts->model : identity->model, out);
}

static void write_number(struct gw_buf *out, struct gw_str before, uint64_t value)
{
    (void)gw_buf_append(out, before);
    (void)gw_buf_append_u64(out, value);
}

void gw_openai_write_usage(const struct gw_usage *usage, struct gw_buf *out)
{
    uint64_t total = usage->input_tokens + usage->output_tokens;
    write_number(out, GW_STR(",\"usage\":{\"prompt_tokens\":"), usage->input_tokens);
    write_number(out, GW_STR(",\"completion_tokens\":"), usage->output_tokens);
    write_number(out, GW_STR(",\"total_tokens\":"), total);
    write_number(out, GW_STR(",\"prompt_tokens_details\":{\"cached_tokens\":"),
                 usage->cached_tokens);
    write_number(out, GW_STR(",\"audio_tokens\":0,\"cache_write_tokens\":"),
                 usage->cache_write_tokens);
    write_number(out, GW_STR("},\"completion_tokens_details\":{\"reasoning_tokens\":"),
                 usage->reasoning_tokens);
    (void)gw_buf_append(out, GW_STR(",\"audio_tokens\":0,\"accepted_prediction_tokens\":0,"
                                    "\"rejected_prediction_tokens\":0}}"));
}

void gw_openai_write_tool_id(const struct gw_encoder_opts *opts, struct gw_str id, unsigned index,
                             struct gw_buf *out)
{
    (void)gw_buf_append(out, GW_STR("\""));
    if (id.len > 0) {
        (void)gw_buf_append_json(out, id);
    } else {
        (void)gw_buf_append(out, GW_STR("call_"));
        (void)gw_buf_append_json(out, opts->request_id);
        (void)gw_buf_append(out, GW_STR("_"));
        (void)gw_buf_append_u64(out, index);
    }
    (void)gw_buf_append(out, GW_STR("\""));
}

void gw_openai_write_google_signature(struct gw_str signature, struct gw_buf *out)
{
    if (signature.len > 0) {
        (void)gw_buf_append(out, GW_STR(",\"extra_content\":{\"google\":{\"thought_signature\":"));
        write_text(signature, out);
        (void)gw_buf_append(out, GW_STR("}}"));
    }
}

void gw_openai_write_thinking(struct gw_str text, struct gw_str signature, struct gw_buf *out)
{
    (void)gw_buf_append(out, GW_STR("{\"type\":\"thinking\",\"thinking\":"));
    write_text(text, out);
    (void)gw_buf_append(out, GW_STR(",\"signature\":"));
    write_text(signature, out);
    (void)gw_buf_append(out, GW_STR("}"));
}

void gw_openai_write_redacted(struct gw_str opaque, struct gw_buf *out)
{
    (void)gw_buf_append(out, GW_STR("{\"type\":\"redacted_thinking\",\"data\":"));
    write_text(opaque, out);
    (void)gw_buf_append(out, GW_STR("}"));
}

void gw_openai_write_reasoning_item(struct gw_str id, struct gw_str text, struct gw_str encrypted,
                                    struct gw_buf *out)
{
    (void)gw_buf_append(out, GW_STR("{\"type\":\"reasoning\""));
    if (id.len > 0) {
        (void)gw_buf_append(out, GW_STR(",\"id\":"));
        write_text(id, out);
    }
    (void)gw_buf_append(out, GW_STR(",\"summary\":["));
    if (text.len > 0) {
        (void)gw_buf_append(out, GW_STR("{\"type\":\"summary_text\",\"text\":"));
        write_text(text, out);
        (void)gw_buf_append(out, GW_STR("}"));
    }
    (void)gw_buf_append(out, GW_STR("],\"encrypted_content\":"));
    write_text(encrypted, out);
    (void)gw_buf_append(out, GW_STR("}"));
}

void gw_openai_write_image(struct gw_str mime_type, struct gw_str base64, unsigned index,
                           struct gw_buf *out)
{
    (void)gw_buf_append(out, GW_STR("{\"type\":\"image_url\",\"index\":"));
    (void)gw_buf_append_u64(out, index);
    (void)gw_buf_append(out, GW_STR(",\"image_url\":{\"url\":\"data:"));
    (void)gw_buf_append_json(out, mime_type);
    (void)gw_buf_append(out, GW_STR(";base64,"));
    (void)gw_buf_append_json(out, base64);
    (void)gw_buf_append(out, GW_STR("\"}}"));
}

bool gw_openai_is_audio(struct gw_str mime_type)
{
    return gw_str_has_prefix(mime_type, GW_STR("audio/"));
}

struct gw_str gw_openai_finish_text(enum gw_finish finish, bool has_tools)
{
    if (finish == GW_FINISH_UNKNOWN) {
        return has_tools ? GW_STR("tool_calls") : GW_STR("stop");
    }
    return gw_finish_name(finish);
}

enum gw_err gw_openai_read_body(struct gw_str body, struct gw_notes *notes, yyjson_doc **doc)
{
    yyjson_read_err why = {0};
    /* yyjson wants a mutable pointer but does not write without YYJSON_READ_INSITU. */
    union {
        const char *given;
        char *wanted;
    } text = {.given = body.ptr};
    yyjson_doc *read = yyjson_read_opts(text.wanted, body.len, 0, &gw_json_allocator, &why);
    if (read == NULL) {
        return why.code == YYJSON_READ_ERROR_MEMORY_ALLOCATION
                   ? GW_ERR_NOMEM
                   : gw_notes_invalid(
                         notes, GW_STR(""),
                         GW_STR("The request body cannot be translated: it is not valid JSON, or "
                                "a text in it has half a surrogate pair."));
    }
    if (!yyjson_is_obj(yyjson_doc_get_root(read))) {
        yyjson_doc_free(read);
        return gw_notes_invalid(notes, GW_STR(""),
                                GW_STR("The request body must be a JSON object."));
    }
    *doc = read;
    return GW_OK;
}
