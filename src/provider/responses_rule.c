/* SPDX-License-Identifier: MIT */
/* provider/responses_rule - by the model's name, and by what is asked of it. */
#include "provider/responses_rule.h"

#include "provider/openai_quirks.h"

static bool has(struct gw_str model, struct gw_str word)
{
    return gw_str_find(model, word) < model.len;
}

static struct gw_str without_prefix(struct gw_str model)
{
    for (size_t at = gw_str_find_byte(model, '/'); at < model.len;
         at = gw_str_find_byte(model, '/')) {
        model = gw_str_skip(model, at + 1);
    }
    return model;
}

/* Models that chat completions do not have at all. */
static bool is_only_there(struct gw_str model)
{
    bool is_own =
        gw_str_has_prefix(model, GW_STR("gpt-5")) || gw_str_has_prefix(model, GW_STR("gpt-6")) ||
        gw_str_has_prefix(model, GW_STR("o1-")) || gw_str_has_prefix(model, GW_STR("o3-"));
    return gw_str_has_prefix(model, GW_STR("codex")) ||
           (is_own && (has(model, GW_STR("-pro")) || has(model, GW_STR("codex")) ||
                       has(model, GW_STR("deep-research"))));
}

/* Models whose chat completions refuse tools while they reason. */
static bool has_trap(struct gw_str model)
{
    static const struct gw_str fives[] = {GW_STR_INIT("gpt-5.4"), GW_STR_INIT("gpt-5.5"),
                                          GW_STR_INIT("gpt-5.6"), GW_STR_INIT("gpt-5.7"),
                                          GW_STR_INIT("gpt-5.8"), GW_STR_INIT("gpt-5.9")};
    for (size_t i = 0; i < GW_ARRAY_LEN(fives); i++) {
        if (gw_str_has_prefix(model, fives[i])) {
            return !has(model, GW_STR("-chat"));
        }
    }
    return gw_str_has_prefix(model, GW_STR("gpt-6"));
}

static bool is_chat_like(const struct gw_llm_request *request)
{
    return request->task == GW_TASK_CHAT ||
           (request->task == GW_TASK_RESPONSE && request->dialect != GW_DIALECT_RESPONSES);
}

bool gw_openai_needs_responses(struct gw_str model, const struct gw_llm_request *request)
{
    struct gw_str name = without_prefix(model);
    if (!is_chat_like(request)) {
        return false;
    }
    if (is_only_there(name)) {
        return true;
    }
    if (!has_trap(name)) {
        return false;
    }
    if (request->dialect != GW_DIALECT_OPENAI) {
        return true;
    }
    struct gw_str effort = request->reasoning_effort;
    bool is_unset = effort.ptr == NULL || gw_str_eq(effort, GW_STR("null"));
    bool thinks = is_unset ? !gw_openai_model_of(name).is_none_default
                           : !gw_str_eq(effort, GW_STR("\"none\""));
    return request->has_tools && thinks;
}
