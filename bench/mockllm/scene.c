/* SPDX-License-Identifier: MIT */
/* Finds the last user text in any API's request, and the orders in it. */
#include "mockllm/scene.h"

#include <string.h>

#include <yyjson.h>

#include "mockllm/answer.h"
#include "mockllm/exchange.h"

/* Chunks of reasoning when an order names no number. */
#define REASONING_CHUNKS 4u

/* What [[cache]] reports. */
#define CACHE_PROMPT 200u
#define CACHE_READ   128u
#define CACHE_WRITE  32u

/* Copies the orders of |text|, brackets included. */
static void copy_orders(struct bench_buf *out, struct bench_str text)
{
    size_t at = 0;
    while (at + 1 < text.len) {
        const char *open = memmem(text.ptr + at, text.len - at, "[[", 2);
        if (open == NULL) {
            return;
        }
        size_t from = (size_t)(open - text.ptr);
        size_t room = text.len - from < SCENE_MAX_BYTES ? text.len - from : SCENE_MAX_BYTES;
        const char *close = memmem(open, room, "]]", 2);
        if (close == NULL) {
            return;
        }
        size_t len = (size_t)(close - open) + 2;
        if (out->len + len > SCENE_MAX_BYTES) {
            return;
        }
        bench_buf_add(out, open, len);
        at = from + len;
    }
}

/* Looks through a text, or a list of texts and of parts with a text. Returns whether it has any. */
static bool read_content(struct bench_buf *out, yyjson_val *content)
{
    if (yyjson_is_str(content)) {
        copy_orders(out, mock_json_text(content));
        return true;
    }
    bool any = false;
    size_t i = 0;
    size_t count = 0;
    yyjson_val *part = NULL;
    yyjson_arr_foreach(content, i, count, part)
    {
        yyjson_val *text = yyjson_is_str(part) ? part : yyjson_obj_get(part, "text");
        any = (yyjson_is_str(text) && read_content(out, text)) || any;
    }
    return any;
}

static bool is_user(yyjson_val *message)
{
    yyjson_val *role = yyjson_obj_get(message, "role");
    return role == NULL ? yyjson_obj_get(message, "parts") != NULL
                        : yyjson_equals_str(role, "user");
}

static bool read_messages(struct bench_buf *out, yyjson_val *messages)
{
    for (size_t i = yyjson_arr_size(messages); i > 0; i--) {
        yyjson_val *message = yyjson_arr_get(messages, i - 1);
        yyjson_val *content = yyjson_obj_get(message, "content");
        content = content != NULL ? content : yyjson_obj_get(message, "parts");
        if (is_user(message) && read_content(out, content)) {
            return true;
        }
    }
    return false;
}

static void find_orders(struct bench_buf *out, yyjson_val *root)
{
    static const char *const lists[] = {"messages", "contents", "input"};
    static const char *const texts[] = {"input", "prompt", "texts"};
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        if (read_messages(out, yyjson_obj_get(root, lists[i]))) {
            return;
        }
    }
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (read_content(out, yyjson_obj_get(root, texts[i]))) {
            return;
        }
    }
    (void)read_content(out, yyjson_obj_get(yyjson_obj_get(root, "content"), "parts"));
}

static bool name_is(struct bench_str name, const char *text)
{
    return bench_str_eq(name, bench_str_from(text));
}

/* Orders that set more than the knob of their name. Returns whether |name| is one. */
static bool apply_compound(struct mock_knobs *knobs, struct bench_str name, struct bench_str value)
{
    uint64_t number = 0;
    bool has_number = bench_str_u64(value, &number);
    if (name_is(name, "tool")) {
        knobs->tools = knobs->tools > 0 ? knobs->tools : 1;
        knobs->tool = value;
    } else if (name_is(name, "reasoning")) {
        knobs->reasoning = has_number ? number : REASONING_CHUNKS;
        knobs->reasoning_tokens = knobs->reasoning;
    } else if (name_is(name, "long")) {
        knobs->size = has_number ? number : 65536;
    } else if (name_is(name, "length")) {
        knobs->finish = BENCH_STR("length");
    } else if (name_is(name, "cache")) {
        knobs->prompt_tokens = CACHE_PROMPT;
        knobs->cached_tokens = CACHE_READ;
        knobs->cache_write_tokens = CACHE_WRITE;
    } else if (name_is(name, "filter")) {
        knobs->filter = name_is(value, "prompt") ? 2 : 1;
    } else {
        return false;
    }
    return true;
}

static void apply_order(struct mock_knobs *knobs, struct bench_str order)
{
    size_t colon = bench_str_find(order, ':');
    struct bench_str name = bench_str_cut(order, 0, colon);
    struct bench_str value = bench_str_cut(order, colon + 1, order.len);
    if (apply_compound(knobs, name, value)) {
        return;
    }
    if (colon == order.len) {
        if (!mock_knobs_set(knobs, BENCH_STR("fault"), name)) {
            (void)mock_knobs_set(knobs, name, BENCH_STR("1"));
        }
        return;
    }
    (void)mock_knobs_set(knobs, name, value);
}

void mock_scene_read(struct mock_exchange *exchange)
{
    find_orders(&exchange->scene, yyjson_doc_get_root(exchange->doc));
    struct bench_str rest = bench_buf_view(&exchange->scene);
    while (rest.len > 4) { /* each is [[...]], nothing between them */
        const char *close = memmem(rest.ptr, rest.len, "]]", 2);
        size_t len = close == NULL ? rest.len : (size_t)(close - rest.ptr);
        apply_order(&exchange->knobs, bench_str_cut(rest, 2, len - 2));
        rest = bench_str_cut(rest, len + 2, rest.len);
    }
}
