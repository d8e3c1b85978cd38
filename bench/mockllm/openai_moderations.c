/* SPDX-License-Identifier: MIT */
/* POST /v1/moderations: flags what holds the word "violence". */
#include <string.h>

#include "mockllm/answer.h"
#include "mockllm/exchange.h"
#include "mockllm/openai.h"

static const char *const CATEGORIES[] = {
    "hate",
    "hate/threatening",
    "harassment",
    "harassment/threatening",
    "illicit",
    "illicit/violent",
    "self-harm",
    "self-harm/intent",
    "self-harm/instructions",
    "sexual",
    "sexual/minors",
    "violence",
    "violence/graphic",
};

#define CATEGORY_COUNT (sizeof(CATEGORIES) / sizeof(CATEGORIES[0]))

/* Writes one map over all categories; |flagged| decides about "violence". */
static void write_map(struct bench_buf *out, const char *name, const char *off, const char *on,
                      bool flagged)
{
    bench_buf_printf(out, ",\"%s\":{", name);
    for (size_t i = 0; i < CATEGORY_COUNT; i++) {
        bool hit = flagged && strcmp(CATEGORIES[i], "violence") == 0;
        bench_buf_printf(out, "%s\"%s\":%s", i == 0 ? "" : ",", CATEGORIES[i], hit ? on : off);
    }
    BENCH_LIT(out, "}");
}

static void write_result(struct bench_buf *out, yyjson_val *input)
{
    size_t len = 0;
    char *text = yyjson_val_write(input, YYJSON_WRITE_NOFLAG, &len);
    bool flagged = text != NULL && memmem(text, len, "violence", 8) != NULL;
    bench_free(text);
    bench_buf_str(out, flagged ? BENCH_STR("{\"flagged\":true") : BENCH_STR("{\"flagged\":false"));
    write_map(out, "categories", "false", "true", flagged);
    write_map(out, "category_scores", "0.0001", "0.98", flagged);
    write_map(out, "category_applied_input_types", "[]", "[\"text\"]", flagged);
    BENCH_LIT(out, "}");
}

void mock_openai_moderations(struct mock_exchange *exchange, const struct bench_str *ids)
{
    (void)ids;
    yyjson_val *root = mock_answer_root(exchange);
    yyjson_val *input = yyjson_obj_get(root, "input");
    if (input == NULL) {
        mock_answer_invalid(exchange, "input", "Missing required parameter: 'input'.");
        return;
    }
    struct bench_buf *out = mock_answer_json(exchange);
    BENCH_LIT(out, "{\"id\":\"");
    mock_answer_id(out, exchange, BENCH_STR("modr-"), 0);
    BENCH_LIT(out, "\",\"model\":");
    bench_buf_json(out, exchange->model.len > 0 ? bench_buf_view(&exchange->model)
                                                : BENCH_STR("omni-moderation-latest"));
    BENCH_LIT(out, ",\"results\":[");
    /* A list of strings gets a result each; a list of typed parts is one input. */
    if (yyjson_is_str(yyjson_arr_get_first(input))) {
        size_t i = 0;
        size_t count = 0;
        yyjson_val *one = NULL;
        yyjson_arr_foreach(input, i, count, one)
        {
            bench_buf_str(out, i == 0 ? BENCH_STR("") : BENCH_STR(","));
            write_result(out, one);
        }
    } else {
        write_result(out, input);
    }
    BENCH_LIT(out, "]}\n");
    mock_answer_end(exchange);
}
