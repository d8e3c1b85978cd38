/* SPDX-License-Identifier: MIT */
/* Assistants, threads, messages and runs: enough for an SDK to go through one conversation. */
#include "mockllm/answer.h"
#include "mockllm/exchange.h"
#include "mockllm/openai.h"
#include "mockllm/openai_objects.h"
#include "mockllm/text.h"

static const struct bench_str NO_PARENT = {.ptr = "", .len = 0};

/* An object under construction. */
struct object {
    struct mock_exchange *exchange;
    struct bench_buf id;
    struct bench_buf json;
};

static struct object begin(struct mock_exchange *exchange, struct bench_str prefix,
                           const char *type, unsigned sub)
{
    struct object object = {.exchange = exchange};
    mock_answer_id(&object.id, exchange, prefix, sub);
    BENCH_LIT(&object.json, "{\"id\":");
    bench_buf_json(&object.json, bench_buf_view(&object.id));
    bench_buf_printf(&object.json, ",\"object\":\"%s\",\"created_at\":%llu", type,
                     (unsigned long long)mock_answer_created());
    return object;
}

static void copy(struct object *object, const char *name, const char *missing)
{
    bench_buf_printf(&object->json, ",\"%s\":", name);
    mock_object_copy(&object->json, object->exchange, name, bench_str_from(missing));
}

static void finish(struct object *object)
{
    bench_buf_fini(&object->id);
    bench_buf_fini(&object->json);
}

/* Stores the object and answers with it. */
static void end(struct object *object, enum mock_store_kind kind, struct bench_str parent)
{
    BENCH_LIT(&object->json, "}");
    mock_object_create(object->exchange, kind, bench_buf_view(&object->id), parent,
                       bench_buf_view(&object->json));
    finish(object);
}

void mock_openai_assistant_create(struct mock_exchange *exchange, const struct bench_str *ids)
{
    (void)ids;
    struct object object = begin(exchange, BENCH_STR("asst_"), "assistant", 0);
    copy(&object, "name", "null");
    copy(&object, "description", "null");
    copy(&object, "model", "\"mock-small\"");
    copy(&object, "instructions", "null");
    copy(&object, "tools", "[]");
    copy(&object, "metadata", "{}");
    copy(&object, "temperature", "1.0");
    copy(&object, "top_p", "1.0");
    copy(&object, "response_format", "\"auto\"");
    end(&object, MOCK_STORE_ASSISTANT, NO_PARENT);
}

void mock_openai_assistant_list(struct mock_exchange *exchange, const struct bench_str *ids)
{
    (void)ids;
    mock_object_list(exchange, MOCK_STORE_ASSISTANT, NO_PARENT);
}

void mock_openai_assistant_get(struct mock_exchange *exchange, const struct bench_str *ids)
{
    mock_object_answer(exchange, MOCK_STORE_ASSISTANT, ids[0]);
}

void mock_openai_assistant_modify(struct mock_exchange *exchange, const struct bench_str *ids)
{
    mock_object_modify(exchange, MOCK_STORE_ASSISTANT, ids[0]);
}

void mock_openai_assistant_delete(struct mock_exchange *exchange, const struct bench_str *ids)
{
    mock_object_delete(exchange, MOCK_STORE_ASSISTANT, ids[0], BENCH_STR("assistant.deleted"));
}

void mock_openai_thread_create(struct mock_exchange *exchange, const struct bench_str *ids)
{
    (void)ids;
    struct object object = begin(exchange, BENCH_STR("thread_"), "thread", 0);
    copy(&object, "tool_resources", "null");
    copy(&object, "metadata", "{}");
    end(&object, MOCK_STORE_THREAD, NO_PARENT);
}

void mock_openai_thread_get(struct mock_exchange *exchange, const struct bench_str *ids)
{
    mock_object_answer(exchange, MOCK_STORE_THREAD, ids[0]);
}

void mock_openai_thread_modify(struct mock_exchange *exchange, const struct bench_str *ids)
{
    mock_object_modify(exchange, MOCK_STORE_THREAD, ids[0]);
}

void mock_openai_thread_delete(struct mock_exchange *exchange, const struct bench_str *ids)
{
    mock_object_delete(exchange, MOCK_STORE_THREAD, ids[0], BENCH_STR("thread.deleted"));
}

/* Writes the members all messages have; |text| is plain ASCII or taken from the request. */
static void write_message(struct object *object, struct bench_str thread, struct bench_str role,
                          struct bench_str text)
{
    struct bench_buf *out = &object->json;
    BENCH_LIT(out, ",\"thread_id\":");
    bench_buf_json(out, thread);
    BENCH_LIT(out, ",\"role\":");
    bench_buf_json(out, role);
    BENCH_LIT(out, ",\"content\":[{\"type\":\"text\",\"text\":{\"value\":");
    bench_buf_json(out, text);
    BENCH_LIT(out, ",\"annotations\":[]}}],\"status\":\"completed\",\"incomplete_details\":null,"
                   "\"completed_at\":null,\"incomplete_at\":null,\"assistant_id\":null,"
                   "\"run_id\":null,\"attachments\":[]");
}

void mock_openai_message_create(struct mock_exchange *exchange, const struct bench_str *ids)
{
    yyjson_val *root = mock_answer_root(exchange);
    struct bench_str role = mock_json_str(root, "role");
    struct bench_str text = mock_json_str(root, "content");
    if (role.ptr == NULL || yyjson_obj_get(root, "content") == NULL) {
        mock_answer_invalid(exchange, "role", "'role' and 'content' are required.");
        return;
    }
    struct object object = begin(exchange, BENCH_STR("msg_"), "thread.message", 0);
    write_message(&object, ids[0], role, text.ptr == NULL ? BENCH_STR("(parts)") : text);
    copy(&object, "metadata", "{}");
    end(&object, MOCK_STORE_MESSAGE, ids[0]);
}

void mock_openai_message_list(struct mock_exchange *exchange, const struct bench_str *ids)
{
    mock_object_list(exchange, MOCK_STORE_MESSAGE, ids[0]);
}

void mock_openai_message_get(struct mock_exchange *exchange, const struct bench_str *ids)
{
    mock_object_answer(exchange, MOCK_STORE_MESSAGE, ids[1]);
}

/* The run's result: a message of the assistant in its thread. */
static void add_reply(struct mock_exchange *exchange, struct bench_str thread)
{
    struct object object = begin(exchange, BENCH_STR("msg_"), "thread.message", 1);
    write_message(&object, thread, BENCH_STR("assistant"), BENCH_STR("The quick gateway."));
    BENCH_LIT(&object.json, ",\"metadata\":{}}");
    (void)mock_store_put(MOCK_STORE_MESSAGE, bench_buf_view(&object.id), thread,
                         bench_buf_view(&object.json), BENCH_STR(""));
    finish(&object);
}

void mock_openai_run_create(struct mock_exchange *exchange, const struct bench_str *ids)
{
    uint64_t now_s = mock_answer_created();
    struct object object = begin(exchange, BENCH_STR("run_"), "thread.run", 0);
    BENCH_LIT(&object.json, ",\"thread_id\":");
    bench_buf_json(&object.json, ids[0]);
    copy(&object, "assistant_id", "\"asst_mock\"");
    copy(&object, "model", "\"mock-small\"");
    copy(&object, "instructions", "\"\"");
    copy(&object, "tools", "[]");
    copy(&object, "metadata", "{}");
    copy(&object, "tool_choice", "\"auto\"");
    copy(&object, "response_format", "\"auto\"");
    bench_buf_printf(&object.json,
                     ",\"status\":\"completed\",\"started_at\":%llu,\"completed_at\":%llu,"
                     "\"expires_at\":null,\"cancelled_at\":null,\"failed_at\":null,"
                     "\"required_action\":null,\"last_error\":null,\"incomplete_details\":null,"
                     "\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":3,\"total_tokens\":12},"
                     "\"max_prompt_tokens\":null,\"max_completion_tokens\":null,"
                     "\"truncation_strategy\":{\"type\":\"auto\",\"last_messages\":null},"
                     "\"parallel_tool_calls\":true",
                     (unsigned long long)now_s, (unsigned long long)now_s);
    add_reply(exchange, ids[0]);
    end(&object, MOCK_STORE_RUN, ids[0]);
}

void mock_openai_run_list(struct mock_exchange *exchange, const struct bench_str *ids)
{
    mock_object_list(exchange, MOCK_STORE_RUN, ids[0]);
}

void mock_openai_run_get(struct mock_exchange *exchange, const struct bench_str *ids)
{
    mock_object_answer(exchange, MOCK_STORE_RUN, ids[1]);
}
