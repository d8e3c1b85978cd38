/* SPDX-License-Identifier: MIT */
/* dialect/completions - a prompt to a chat, events to text_completion objects. */
#include "translated_test.h"

static void test_to_chat(void **state)
{
    (void)state;
    const struct gw_dialect *dialect = &gw_dialect_completions;
    check_chat(dialect, "/completions",
               "{\"model\":\"m\",\"prompt\":\"Say\",\"max_tokens\":5,\"stop\":[\"x\"],"
               "\"stream\":true,\"top_p\":0.5}",
               "{\"messages\":[{\"role\":\"user\",\"content\":\"Say\"}],\"model\":\"m\","
               "\"max_tokens\":5,\"top_p\":0.5,\"stop\":[\"x\"]}",
               "prompt: changed");
    check_chat(dialect, "/completions", "{\"prompt\":[\"One\"],\"logprobs\":3,\"best_of\":2}",
               "{\"messages\":[{\"role\":\"user\",\"content\":\"One\"}]}", "logprobs: dropped");
    check_chat(dialect, "/completions", "{\"prompt\":[\"One\",\"Two\"]}", NULL, "");
    check_chat(dialect, "/completions", "{\"prompt\":[1,2]}", NULL, "");
    check_chat(dialect, "/completions", "{}", NULL, "");
    check_chat(dialect, "/completions", "{\"prompt\":\"a\",\"suffix\":\"b\"}", NULL, "");
    check_chat(dialect, "/completions", "{\"prompt\":\"a\",\"echo\":true}", NULL, "");
}

#define HEAD "{\"id\":\"x1\",\"object\":\"text_completion\",\"created\":1795255872,\"model\":\"m\","
#define CHUNK(text, finish)                                                                        \
    "data: " HEAD "\"choices\":[{\"text\":\"" text                                                 \
    "\",\"index\":0,\"logprobs\":null,\"finish_reason\":" finish "}]}\n\n"

static void test_answers(void **state)
{
    (void)state;
    const struct gw_event events[] = {
        {.type = GW_EVENT_START, .start = {.id = GW_STR("x1")}},
        {.type = GW_EVENT_REASONING, .text = GW_STR("hm")},
        {.type = GW_EVENT_TEXT, .text = GW_STR("Hi")},
        {.type = GW_EVENT_TEXT, .text = GW_STR("!\"")},
        {.type = GW_EVENT_FINISH, .finish = {.reason = GW_FINISH_LENGTH}},
        {.type = GW_EVENT_USAGE,
         .usage = {.input_tokens = 3, .output_tokens = 2, .is_known = true}},
        {.type = GW_EVENT_END}};
    check_events(&gw_dialect_completions, GW_TASK_COMPLETION, events, GW_ARRAY_LEN(events),
                 CHUNK("Hi", "null") CHUNK("!\\\"", "null")
                     CHUNK("", "\"length\"") "data: [DONE]\n\n",
                 HEAD "\"choices\":[{\"text\":\"Hi!\\\"\",\"index\":0,\"logprobs\":null,"
                      "\"finish_reason\":\"length\"}],\"usage\":{\"prompt_tokens\":3,"
                      "\"completion_tokens\":2,\"total_tokens\":5,\"prompt_tokens_details\":{"
                      "\"cached_tokens\":0,\"audio_tokens\":0,\"cache_write_tokens\":0},"
                      "\"completion_tokens_details\":{\"reasoning_tokens\":0,\"audio_tokens\":0,"
                      "\"accepted_prediction_tokens\":0,\"rejected_prediction_tokens\":0}}}");
}

static void test_error(void **state)
{
    (void)state;
    const struct gw_error error = {.status = 400, .message = GW_STR("no")};
    const struct gw_event events[] = {{.type = GW_EVENT_ERROR, .error = &error},
                                      {.type = GW_EVENT_END}};
    check_events(
        &gw_dialect_completions, GW_TASK_COMPLETION, events, GW_ARRAY_LEN(events),
        "data: {\"error\":{\"message\":\"no\",\"type\":\"invalid_request_error\",\"param\":"
        "null,\"code\":null}}\n\n",
        NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_to_chat),
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
