/* SPDX-License-Identifier: MIT */
/* provider/openai_calls - tool calls: pieces by index, whole ones, and those of vendors that give
 * every call the same index. */
#include "base/alloc.h"
#include "provider/openai_decoder_int.h"

#define CALL_ID_BYTES (64u * 1024) /* ids have some 40 bytes; Gemini's carry a signature */

static uint64_t hash_id(struct gw_str id)
{
    uint64_t hash = gw_str_hash(id);
    return hash != 0 ? hash : 1;
}

static struct gw_openai_call *last_call(struct gw_decoder *decoder)
{
    return decoder->call_count > 0 ? &decoder->calls[decoder->call_count - 1] : NULL;
}

static enum gw_err grow(struct gw_decoder *decoder)
{
    if (decoder->call_count < decoder->call_capacity) {
        return GW_OK;
    }
    if (decoder->call_count >= GW_OPENAI_MAX_CALLS) {
        return GW_ERR_TOO_LARGE;
    }
    size_t capacity = decoder->call_capacity == 0 ? 4 : 2 * decoder->call_capacity;
    struct gw_openai_call *calls = gw_try_realloc(decoder->calls, capacity * sizeof(*calls));
    if (calls == NULL) {
        return GW_ERR_NOMEM;
    }
    decoder->calls = calls;
    decoder->call_capacity = capacity;
    return GW_OK;
}

static enum gw_err add_call(struct gw_decoder *decoder, uint64_t wire_index,
                            struct gw_openai_call **out)
{
    enum gw_err err = grow(decoder);
    if (err == GW_OK) {
        struct gw_openai_call *call = &decoder->calls[decoder->call_count++];
        *call = (struct gw_openai_call){.wire_index = wire_index};
        gw_buf_init(&call->arguments, GW_PROVIDER_MAX_ANSWER_BYTES);
        gw_buf_init(&call->id, CALL_ID_BYTES);
        *out = call;
    }
    return err;
}

/* The newest call with that index, or NULL. */
static struct gw_openai_call *find_call(struct gw_decoder *decoder, uint64_t wire_index)
{
    for (size_t i = decoder->call_count; i > 0; i--) {
        if (decoder->calls[i - 1].wire_index == wire_index) {
            return &decoder->calls[i - 1];
        }
    }
    return NULL;
}

/*
 * The call that |item| belongs to. An id that the call of this index does not have begins another
 * one: some vendors number all parallel calls 0. Some repeat the head of a call, id and name
 * included.
 */
static enum gw_err choose_call(struct gw_decoder *decoder, yyjson_val *item, struct gw_str id,
                               struct gw_str name, struct gw_openai_call **out)
{
    yyjson_val *index = gw_json_get(item, "index");
    struct gw_openai_call *call = NULL;
    uint64_t wire_index = decoder->call_count;
    if (index != NULL) {
        wire_index = gw_json_get_u64(item, "index", 0);
        call = find_call(decoder, wire_index);
    } else if (id.len == 0 && name.len == 0) {
        call = last_call(decoder);
    }
    bool is_other = call != NULL && id.len > 0 && name.len > 0 && call->id_hash != 0 &&
                    call->id_hash != hash_id(id);
    if (call == NULL || is_other) {
        return add_call(decoder, wire_index, out);
    }
    *out = call;
    return GW_OK;
}

static bool is_wrapped(const struct gw_decoder *decoder, struct gw_str name)
{
    const struct gw_openai_memory *memory = decoder->opts.memory;
    for (size_t i = 0; memory != NULL && i < memory->custom_tool_count; i++) {
        if (gw_str_eq(memory->custom_tools[i], name)) {
            return true;
        }
    }
    return false;
}

static enum gw_err begin_call(struct gw_decoder *decoder, struct gw_openai_call *call,
                              struct gw_str name, bool is_custom, yyjson_val *item)
{
    yyjson_val *google = gw_json_get(gw_json_get(item, "extra_content"), "google");
    call->is_begun = true;
    call->index = decoder->begun_count++;
    call->is_wrapped = !is_custom && is_wrapped(decoder, name);
    struct gw_event event = {
        .type = GW_EVENT_TOOL_BEGIN,
        .tool = {.index = call->index,
                 .id = gw_buf_str(&call->id),
                 .name = name,
                 .is_custom = is_custom || call->is_wrapped,
                 .thought_signature = gw_json_get_text(google, "thought_signature")}};
    return gw_openai_give(decoder, &event);
}

/* Arguments are a text, or (Mistral, Ollama) the object itself. */
static enum gw_err give_arguments(struct gw_decoder *decoder, struct gw_openai_call *call,
                                  yyjson_val *arguments)
{
    struct gw_str text = gw_json_text(arguments);
    if (yyjson_is_ctn(arguments)) {
        gw_buf_reset(&decoder->scratch);
        gw_json_write(arguments, &decoder->scratch);
        if (decoder->scratch.err != GW_OK) {
            return decoder->scratch.err;
        }
        text = gw_buf_str(&decoder->scratch);
    }
    if (text.len == 0) {
        return GW_OK;
    }
    if (call->is_wrapped) {
        return gw_buf_append(&call->arguments, text);
    }
    struct gw_event event = {.type = GW_EVENT_TOOL_ARGUMENTS,
                             .arguments = {.index = call->index, .text = text}};
    return gw_openai_give(decoder, &event);
}

static enum gw_err read_piece(struct gw_decoder *decoder, yyjson_val *item, yyjson_val *function,
                              yyjson_val *arguments, bool is_custom)
{
    struct gw_openai_call *call = NULL;
    struct gw_str id = gw_json_get_text(item, "id");
    struct gw_str name = gw_json_get_text(function, "name");
    enum gw_err err = choose_call(decoder, item, id, name, &call);
    if (err != GW_OK) {
        return err;
    }
    if (id.len > 0 && call->id_hash == 0) {
        call->id_hash = hash_id(id);
        err = gw_buf_append(&call->id, id);
    }
    bool has_arguments = yyjson_is_ctn(arguments) || yyjson_get_len(arguments) > 0;
    if (err == GW_OK && !call->is_begun && (name.len > 0 || has_arguments)) {
        err = begin_call(decoder, call, name, is_custom, item);
    }
    return err == GW_OK ? give_arguments(decoder, call, arguments) : err;
}

enum gw_err gw_openai_read_calls(struct gw_decoder *decoder, yyjson_val *list)
{
    enum gw_err err = GW_OK;
    size_t index = 0;
    size_t max = 0;
    yyjson_val *item = NULL;
    yyjson_arr_foreach(list, index, max, item)
    {
        yyjson_val *custom = gw_json_get(item, "custom");
        yyjson_val *function = custom != NULL ? custom : gw_json_get(item, "function");
        yyjson_val *arguments = gw_json_get(function, custom != NULL ? "input" : "arguments");
        err = read_piece(decoder, item, function, arguments, custom != NULL);
        if (err != GW_OK) {
            break;
        }
    }
    return err;
}

enum gw_err gw_openai_read_function_call(struct gw_decoder *decoder, yyjson_val *function)
{
    struct gw_openai_call *call = last_call(decoder);
    enum gw_err err = call == NULL ? add_call(decoder, 0, &call) : GW_OK;
    if (err == GW_OK && !call->is_begun) {
        err = begin_call(decoder, call, gw_json_get_text(function, "name"), false, NULL);
    }
    return err == GW_OK ? give_arguments(decoder, call, gw_json_get(function, "arguments")) : err;
}

/* The input of a custom tool out of {"input":"..."}; what is no such object is the input itself. */
static enum gw_err unwrap(struct gw_decoder *decoder, struct gw_openai_call *call)
{
    struct gw_json_reader reader;
    yyjson_val *root = NULL;
    struct gw_str text = gw_buf_str(&call->arguments);
    gw_json_reader_init(&reader, GW_PROVIDER_MAX_ANSWER_BYTES);
    enum gw_err err = text.len > 0 ? gw_json_read(&reader, text, &root) : GW_OK;
    struct gw_str input = gw_json_get_text(root, "input");
    if (err == GW_OK || err == GW_ERR_INVALID) {
        struct gw_event event = {
            .type = GW_EVENT_TOOL_ARGUMENTS,
            .arguments = {.index = call->index, .text = input.ptr != NULL ? input : text}};
        err = event.arguments.text.len > 0 ? gw_openai_give(decoder, &event) : GW_OK;
    }
    gw_json_reader_fini(&reader);
    return err;
}

enum gw_err gw_openai_end_calls(struct gw_decoder *decoder)
{
    enum gw_err err = GW_OK;
    for (size_t i = 0; i < decoder->call_count && err == GW_OK; i++) {
        struct gw_openai_call *call = &decoder->calls[i];
        if (!call->is_begun) {
            err = begin_call(decoder, call, gw_str(NULL, 0), false, NULL);
        }
        if (err == GW_OK && call->is_wrapped) {
            err = unwrap(decoder, call);
        }
        struct gw_event event = {.type = GW_EVENT_TOOL_END, .index = call->index};
        err = err == GW_OK ? gw_openai_give(decoder, &event) : err;
    }
    return err;
}

void gw_openai_free_calls(struct gw_decoder *decoder)
{
    for (size_t i = 0; i < decoder->call_count; i++) {
        gw_buf_fini(&decoder->calls[i].arguments);
        gw_buf_fini(&decoder->calls[i].id);
    }
    gw_free(decoder->calls);
}
