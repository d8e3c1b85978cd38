/* SPDX-License-Identifier: MIT */
/* provider/demo - one timer that says a word per tick. */
#include "provider/demo.h"

#include <yyjson.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/clock.h"

#define WORD_MS         25 /* quick to read along, slow enough to be seen streaming */
#define TEXT_MAX_BYTES  2048
#define EVENT_MAX_BYTES 4096
#define BYTES_PER_TOKEN 4
/* A document of small values takes some ten times its size when it is read: no request of somebody
 * who tries the demo is larger than this. */
#define READ_MAX_BYTES (256u * 1024)

struct gw_demo {
    struct gw_loop *loop;
    const struct gw_exchange_events *events;
    void *user;
    struct gw_timer timer;
    struct gw_deferred release; /* an event may cancel: the object outlives the callback */
    bool is_over;
    struct gw_buf text; /* the whole answer */
    size_t said;        /* bytes of it streamed so far */
    uint64_t input_tokens;
    uint64_t created_s;
    uint64_t serial; /* random; part of the answer's id */
    bool is_stream;
    bool is_begun;
    bool is_paused;
    enum { SAY_WORDS, SAY_FINISH, SAY_USAGE, SAY_DONE } next;
};

/* Text of the last user message: a string, or the text parts of an array. */
static void write_question(struct gw_str body, struct gw_buf *out)
{
    yyjson_doc *doc = body.len <= READ_MAX_BYTES ? yyjson_read(body.ptr, body.len, 0) : NULL;
    yyjson_val *messages = yyjson_obj_get(yyjson_doc_get_root(doc), "messages");
    yyjson_val *last = yyjson_arr_get_last(messages);
    yyjson_val *content = yyjson_obj_get(last, "content");
    if (yyjson_is_arr(content)) {
        content = yyjson_obj_get(yyjson_arr_get_first(content), "text");
    }
    if (yyjson_is_str(content)) {
        size_t len = yyjson_get_len(content);
        bool is_cut = len > GW_DEMO_ECHO_BYTES;
        (void)gw_buf_append(out,
                            gw_str(yyjson_get_str(content), is_cut ? GW_DEMO_ECHO_BYTES : len));
        (void)gw_buf_append(out, is_cut ? GW_STR("...") : GW_STR(""));
    }
    yyjson_doc_free(doc);
}

static void write_text(struct gw_demo *demo, struct gw_str body)
{
    struct gw_buf *out = &demo->text;
    (void)gw_buf_append(
        out,
        GW_STR("Hello from gatewire! This is the built-in demo model: no account is needed and "
               "nothing left this machine. You said: \""));
    write_question(body, out);
    (void)gw_buf_append(
        out, GW_STR("\". Set OPENAI_API_KEY (or write a model_list) and ask for a real model; "
                    "nothing else changes."));
}

static uint64_t output_tokens(const struct gw_demo *demo)
{
    return demo->text.len / BYTES_PER_TOKEN + 1;
}

static void write_usage(const struct gw_demo *demo, struct gw_buf *out)
{
    (void)gw_buf_appendf(
        out, "\"usage\":{\"prompt_tokens\":%llu,\"completion_tokens\":%llu,\"total_tokens\":%llu}",
        (unsigned long long)demo->input_tokens, (unsigned long long)output_tokens(demo),
        (unsigned long long)(demo->input_tokens + output_tokens(demo)));
}

static void write_envelope(const struct gw_demo *demo, const char *object, struct gw_buf *out)
{
    (void)gw_buf_appendf(out,
                         "{\"id\":\"chatcmpl-demo%016llx\",\"object\":\"%s\",\"created\":%llu,"
                         "\"model\":\"gatewire/demo\",",
                         (unsigned long long)demo->serial, object,
                         (unsigned long long)demo->created_s);
}

static void begin(struct gw_demo *demo, struct gw_str content_type, uint64_t length)
{
    struct gw_header type = {.name = gw_header_name(GW_HEADER_CONTENT_TYPE),
                             .value = content_type,
                             .id = GW_HEADER_CONTENT_TYPE};
    struct gw_response_head head = {.version = GW_HTTP_1_1,
                                    .status = 200,
                                    .headers = &type,
                                    .header_count = 1,
                                    .content_length = length};
    demo->is_begun = true;
    demo->events->on_response(demo->user, &head);
}

static void on_release(struct gw_deferred *release)
{
    struct gw_demo *demo = GW_CONTAINER_OF(release, struct gw_demo, release);
    gw_buf_fini(&demo->text);
    gw_free(demo);
}

static void finish(struct gw_demo *demo)
{
    demo->is_over = true;
    gw_timer_clear(&demo->timer);
    gw_loop_defer(demo->loop, &demo->release);
}

static void end(struct gw_demo *demo)
{
    if (!demo->is_over) {
        finish(demo);
        demo->events->on_end(demo->user);
    }
}

static void answer_plain(struct gw_demo *demo)
{
    struct gw_buf out;
    gw_buf_init(&out, 8 * TEXT_MAX_BYTES);
    write_envelope(demo, "chat.completion", &out);
    (void)gw_buf_append(
        &out,
        GW_STR("\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\""));
    (void)gw_buf_append_json(&out, gw_buf_str(&demo->text));
    (void)gw_buf_append(
        &out, GW_STR("\",\"refusal\":null},\"logprobs\":null,\"finish_reason\":\"stop\"}],"));
    write_usage(demo, &out);
    (void)gw_buf_append(&out, GW_STR("}"));
    begin(demo, GW_STR("application/json"), out.len);
    if (!demo->is_over) {
        demo->events->on_body(demo->user, gw_buf_str(&out));
    }
    gw_buf_fini(&out);
    end(demo);
}

/* The next word with the blank behind it. */
static struct gw_str next_word(struct gw_demo *demo)
{
    struct gw_str rest = gw_str_skip(gw_buf_str(&demo->text), demo->said);
    size_t blank = gw_str_find_byte(rest, ' ');
    size_t len = blank < rest.len ? blank + 1 : rest.len;
    demo->said += len;
    return gw_str(rest.ptr, len);
}

static void write_event(struct gw_demo *demo, struct gw_buf *out)
{
    (void)gw_buf_append(out, GW_STR("data: "));
    write_envelope(demo, "chat.completion.chunk", out);
    switch (demo->next) {
    case SAY_WORDS:
        (void)gw_buf_append(out, GW_STR("\"choices\":[{\"index\":0,\"delta\":{"));
        (void)gw_buf_append(out, demo->said == 0 ? GW_STR("\"role\":\"assistant\",") : GW_STR(""));
        (void)gw_buf_append(out, GW_STR("\"content\":\""));
        (void)gw_buf_append_json(out, next_word(demo));
        (void)gw_buf_append(out, GW_STR("\"},\"logprobs\":null,\"finish_reason\":null}]}\n\n"));
        demo->next = demo->said < demo->text.len ? SAY_WORDS : SAY_FINISH;
        return;
    case SAY_FINISH:
        (void)gw_buf_append(
            out,
            GW_STR("\"choices\":[{\"index\":0,\"delta\":{},\"logprobs\":null,\"finish_reason\":"
                   "\"stop\"}]}\n\n"));
        demo->next = SAY_USAGE;
        return;
    case SAY_USAGE:
        (void)gw_buf_append(out, GW_STR("\"choices\":[],"));
        write_usage(demo, out);
        (void)gw_buf_append(out, GW_STR("}\n\ndata: [DONE]\n\n"));
        demo->next = SAY_DONE;
        return;
    case SAY_DONE:
        return;
    }
}

static void on_tick(struct gw_timer *timer)
{
    struct gw_demo *demo = GW_CONTAINER_OF(timer, struct gw_demo, timer);
    if (!demo->is_stream) {
        answer_plain(demo);
        return;
    }
    if (demo->next == SAY_DONE) {
        end(demo);
        return;
    }
    struct gw_buf out;
    gw_buf_init(&out, EVENT_MAX_BYTES);
    write_event(demo, &out);
    uint64_t wait_ms = demo->next == SAY_WORDS ? WORD_MS : 0;
    if (!demo->is_paused) {
        gw_timer_set_at(timer, gw_loop_now_ms(demo->loop) + wait_ms);
    }
    if (!demo->is_begun) {
        begin(demo, GW_STR("text/event-stream"), GW_LENGTH_UNKNOWN);
    }
    if (!demo->is_over) {
        demo->events->on_body(demo->user, gw_buf_str(&out));
    }
    gw_buf_fini(&out);
}

enum gw_err gw_demo_start(struct gw_loop *loop, const struct gw_llm_request *request,
                          struct gw_str body, const struct gw_exchange_events *events, void *user,
                          struct gw_demo **out)
{
    if (request->task != GW_TASK_CHAT) {
        return GW_ERR_INVALID;
    }
    struct gw_demo *demo = gw_zalloc(sizeof(*demo));
    demo->loop = loop;
    demo->events = events;
    demo->user = user;
    demo->is_stream = request->is_stream;
    demo->created_s = gw_clock_wall_ms() / 1000;
    demo->serial = gw_rng_next(gw_loop_rng(loop));
    demo->input_tokens = body.len / BYTES_PER_TOKEN + 1;
    gw_buf_init(&demo->text, TEXT_MAX_BYTES);
    write_text(demo, body);
    gw_deferred_init(&demo->release, on_release);
    gw_timer_init(&demo->timer, loop, on_tick);
    gw_timer_set_at(&demo->timer, gw_loop_now_ms(loop));
    *out = demo;
    return GW_OK;
}

void gw_demo_pause(struct gw_demo *demo, bool paused)
{
    if (demo->is_paused && !paused) {
        gw_timer_set_at(&demo->timer, gw_loop_now_ms(demo->loop));
    } else if (paused) {
        gw_timer_clear(&demo->timer);
    }
    demo->is_paused = paused;
}

void gw_demo_cancel(struct gw_demo **demo)
{
    if (*demo != NULL) {
        finish(*demo);
        *demo = NULL;
    }
}
