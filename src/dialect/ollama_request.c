/* SPDX-License-Identifier: MIT */
/* dialect/ollama_request - /api/chat, /api/generate, /api/embed and /api/embeddings. */
#include "dialect/ollama_int.h"
#include "dialect/openai.h"
#include "dialect/openai_int.h"
#include "json/scan.h"
#include "json/value.h"

static bool is_generate(const struct gw_inbound *in)
{
    return gw_str_has_suffix(in->path, GW_STR("/generate"));
}

enum gw_err gw_ollama_decode(const struct gw_inbound *in, enum gw_task task, struct gw_arena *arena,
                             struct gw_llm_request *request, struct gw_error *error)
{
    enum gw_err err = gw_openai_decode(in->body, task, arena, request, error);
    struct gw_json_member found;
    request->dialect = GW_DIALECT_OLLAMA;
    request->task = is_generate(in) ? GW_TASK_COMPLETION : task;
    if (err != GW_OK) {
        return err;
    }
    bool is_told = gw_json_find(in->body, GW_STR("stream"), &found);
    bool is_refused = is_told && gw_str_eq(found.value, GW_STR("false"));
    request->is_stream = task != GW_TASK_EMBEDDING && !is_refused;
    request->wants_usage = true; /* the last line always has the counts */
    if (gw_json_find(in->body, GW_STR("options.num_predict"), &found)) {
        uint64_t tokens = 0;
        request->max_output_tokens =
            gw_json_decode_u64(found.value, &tokens) == GW_OK ? tokens : 0; /* -1: no limit */
    }
    return GW_OK;
}

/* ---- members ---- */

/* Ollama's options that other models have too, and how they call them. */
static const struct {
    const char *option;
    const char *member;
} options[] = {
    {"temperature", "temperature"},
    {"top_p", "top_p"},
    {"top_k", "top_k"},
    {"seed", "seed"},
    {"stop", "stop"},
    {"presence_penalty", "presence_penalty"},
    {"frequency_penalty", "frequency_penalty"},
};

static bool is_known_option(struct gw_str name)
{
    for (size_t i = 0; i < GW_ARRAY_LEN(options); i++) {
        if (gw_str_eq(name, gw_str_from_c(options[i].option))) {
            return true;
        }
    }
    return gw_str_eq(name, GW_STR("num_predict"));
}

static bool add_options(yyjson_mut_doc *doc, yyjson_mut_val *chat, yyjson_val *given,
                        struct gw_notes *notes)
{
    bool is_made = true;
    if (!yyjson_is_obj(given)) {
        return true;
    }
    for (size_t i = 0; i < GW_ARRAY_LEN(options); i++) {
        is_made = is_made && gw_json_add_copy(doc, chat, options[i].member,
                                              gw_json_get(given, options[i].option));
    }
    uint64_t tokens = gw_json_get_u64(given, "num_predict", 0);
    if (tokens > 0) {
        is_made = is_made && yyjson_mut_obj_add_uint(doc, chat, "max_tokens", tokens);
    }
    size_t index = 0;
    size_t max = 0;
    yyjson_val *key = NULL;
    yyjson_val *value = NULL;
    yyjson_obj_foreach(given, index, max, key, value)
    {
        struct gw_str name = gw_json_text(key);
        if (!is_known_option(name) && !yyjson_is_null(value) && name.len < 64) {
            gw_notes_add(notes, GW_NOTE_DROPPED,
                         gw_arena_printf(notes->arena, "options." GW_STR_FMT, GW_STR_ARG(name)),
                         GW_STR("not sent: only Ollama itself has this option."));
        }
    }
    return is_made;
}

/* "json" or a schema. */
static bool add_format(yyjson_mut_doc *doc, yyjson_mut_val *chat, yyjson_val *format)
{
    if (gw_json_is(format, GW_STR("json"))) {
        yyjson_mut_val *made = yyjson_mut_obj(doc);
        return yyjson_mut_obj_add_str(doc, made, "type", "json_object") &&
               yyjson_mut_obj_add_val(doc, chat, "response_format", made);
    }
    if (!yyjson_is_obj(format)) {
        return true;
    }
    yyjson_mut_val *made = yyjson_mut_obj(doc);
    yyjson_mut_val *schema = yyjson_mut_obj(doc);
    return yyjson_mut_obj_add_str(doc, made, "type", "json_schema") &&
           yyjson_mut_obj_add_val(doc, made, "json_schema", schema) &&
           yyjson_mut_obj_add_str(doc, schema, "name", "answer") &&
           gw_json_add_copy(doc, schema, "schema", format) &&
           yyjson_mut_obj_add_val(doc, chat, "response_format", made);
}

/* true, false, or a level's name. */
static bool add_think(yyjson_mut_doc *doc, yyjson_mut_val *chat, yyjson_val *think)
{
    if (yyjson_is_bool(think)) {
        return yyjson_mut_obj_add_str(doc, chat, "reasoning_effort",
                                      yyjson_is_true(think) ? "medium" : "none");
    }
    return !yyjson_is_str(think) || gw_json_add_copy(doc, chat, "reasoning_effort", think);
}

static bool add_members(yyjson_mut_doc *doc, yyjson_mut_val *chat, yyjson_val *root,
                        struct gw_notes *notes)
{
    return gw_json_add_copy(doc, chat, "tools", gw_json_get(root, "tools")) &&
           add_format(doc, chat, gw_json_get(root, "format")) &&
           add_options(doc, chat, gw_json_get(root, "options"), notes) &&
           add_think(doc, chat, gw_json_get(root, "think")) &&
           gw_json_add_copy(doc, chat, "logprobs", gw_json_get(root, "logprobs")) &&
           gw_json_add_copy(doc, chat, "top_logprobs", gw_json_get(root, "top_logprobs"));
}

/* ---- /api/generate ---- */

static enum gw_err check_generate(yyjson_val *root, struct gw_notes *notes)
{
    static const char *const dropped[] = {"context", "template", "raw"};
    for (size_t i = 0; i < GW_ARRAY_LEN(dropped); i++) {
        yyjson_val *value = gw_json_get(root, dropped[i]);
        if (value != NULL && !yyjson_is_false(value)) {
            gw_notes_add(notes, GW_NOTE_DROPPED, gw_str_from_c(dropped[i]),
                         GW_STR("not sent: this model chats; send the conversation to /api/chat."));
        }
    }
    if (gw_json_get_text(root, "suffix").len > 0) {
        return gw_notes_refuse(notes, GW_STR("suffix"),
                               GW_STR("This model chats; it cannot write what stands before a "
                                      "suffix."));
    }
    return GW_OK;
}

static enum gw_err add_prompt(yyjson_mut_doc *doc, yyjson_mut_val *messages, yyjson_val *root,
                              struct gw_notes *notes)
{
    struct gw_str prompt = gw_json_get_text(root, "prompt");
    struct gw_str system = gw_json_get_text(root, "system");
    if (prompt.len == 0) {
        return gw_notes_invalid(notes, GW_STR("prompt"), GW_STR("'prompt' must be a text."));
    }
    enum gw_err err = check_generate(root, notes);
    if (err != GW_OK) {
        return err;
    }
    if (system.len > 0) {
        yyjson_mut_val *message = yyjson_mut_arr_add_obj(doc, messages);
        if (!yyjson_mut_obj_add_str(doc, message, "role", "system") ||
            !gw_json_add_text(doc, message, "content", system)) {
            return GW_ERR_NOMEM;
        }
    }
    yyjson_mut_val *message = yyjson_mut_arr_add_obj(doc, messages);
    if (!yyjson_mut_obj_add_str(doc, message, "role", "user")) {
        return GW_ERR_NOMEM;
    }
    return gw_ollama_set_content(doc, message, prompt, gw_json_get(root, "images"));
}

/* ---- both ---- */

static enum gw_err make_chat(const struct gw_inbound *in, yyjson_val *root, yyjson_mut_doc *doc,
                             struct gw_notes *notes)
{
    yyjson_mut_val *chat = yyjson_mut_obj(doc);
    yyjson_mut_val *messages = yyjson_mut_arr(doc);
    yyjson_mut_doc_set_root(doc, chat);
    if (!yyjson_mut_obj_add_val(doc, chat, "messages", messages)) {
        return GW_ERR_NOMEM;
    }
    enum gw_err err = is_generate(in) ? add_prompt(doc, messages, root, notes)
                                      : gw_ollama_add_messages(doc, messages, root, notes);
    if (err == GW_OK && !add_members(doc, chat, root, notes)) {
        err = GW_ERR_NOMEM;
    }
    return err;
}

/* Makes an immutable document of |doc|, which is freed. */
static enum gw_err settle(yyjson_mut_doc *doc, enum gw_err err, yyjson_doc **out)
{
    yyjson_doc *made = err == GW_OK ? yyjson_mut_doc_imut_copy(doc, &gw_json_allocator) : NULL;
    yyjson_mut_doc_free(doc);
    if (err != GW_OK) {
        return err;
    }
    if (made == NULL) {
        return GW_ERR_NOMEM;
    }
    *out = made;
    return GW_OK;
}

enum gw_err gw_ollama_to_chat(const struct gw_inbound *in, const struct gw_llm_request *request,
                              struct gw_notes *notes, yyjson_doc **chat)
{
    (void)request;
    yyjson_doc *body = NULL;
    enum gw_err err = gw_openai_read_body(in->body, notes, &body);
    if (err != GW_OK) {
        return err;
    }
    yyjson_mut_doc *doc = yyjson_mut_doc_new(&gw_json_allocator);
    err = doc == NULL ? GW_ERR_NOMEM : make_chat(in, yyjson_doc_get_root(body), doc, notes);
    err = settle(doc, err, chat);
    yyjson_doc_free(body);
    return err;
}

static enum gw_err make_embeddings(yyjson_val *root, yyjson_mut_doc *doc, struct gw_notes *notes)
{
    yyjson_mut_val *made = yyjson_mut_obj(doc);
    yyjson_val *input = gw_json_get(root, "input");
    if (input == NULL) {
        input = gw_json_get(root, "prompt"); /* /api/embeddings */
    }
    if (input == NULL) {
        return gw_notes_invalid(notes, GW_STR("input"), GW_STR("'input' is missing."));
    }
    yyjson_mut_doc_set_root(doc, made);
    bool is_made = gw_json_add_copy(doc, made, "input", input) &&
                   gw_json_add_copy(doc, made, "dimensions", gw_json_get(root, "dimensions")) &&
                   yyjson_mut_obj_add_str(doc, made, "encoding_format", "float");
    return is_made ? GW_OK : GW_ERR_NOMEM;
}

enum gw_err gw_ollama_to_embeddings(const struct gw_inbound *in,
                                    const struct gw_llm_request *request, struct gw_notes *notes,
                                    yyjson_doc **openai)
{
    (void)request;
    yyjson_doc *body = NULL;
    enum gw_err err = gw_openai_read_body(in->body, notes, &body);
    if (err != GW_OK) {
        return err;
    }
    yyjson_mut_doc *doc = yyjson_mut_doc_new(&gw_json_allocator);
    err = doc == NULL ? GW_ERR_NOMEM : make_embeddings(yyjson_doc_get_root(body), doc, notes);
    err = settle(doc, err, openai);
    yyjson_doc_free(body);
    return err;
}
