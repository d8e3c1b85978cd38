/* SPDX-License-Identifier: MIT */
/* provider/bedrock_fields - additionalModelRequestFields: what only one family of models knows,
 * above all how it is told to reason. */
#include "provider/bedrock_int.h"
#include "json/value.h"
#include "json/write.h"

#define MIN_BUDGET_TOKENS 1024 /* anthropic.md section 3 */

/* ---- reasoning ---- */

/* How much an effort is, from 0 for none. */
static unsigned effort_rank(struct gw_str effort)
{
    static const struct gw_str ranks[] = {
        GW_STR_INIT("none"), GW_STR_INIT("minimal"), GW_STR_INIT("low"), GW_STR_INIT("medium"),
        GW_STR_INIT("high"), GW_STR_INIT("xhigh"),   GW_STR_INIT("max"),
    };
    for (unsigned i = 0; i < GW_ARRAY_LEN(ranks); i++) {
        if (gw_str_eq(effort, ranks[i])) {
            return i;
        }
    }
    return 3; /* an effort we do not know yet is in the middle */
}

enum {
    EFFORT_NONE,
    EFFORT_MINIMAL,
    EFFORT_LOW,
    EFFORT_MEDIUM,
    EFFORT_HIGH,
    EFFORT_XHIGH,
    EFFORT_MAX,
};

static void write_budget(struct gw_bedrock_encoder *encoder, unsigned rank, struct gw_buf *fields)
{
    static const uint64_t budgets[] = {0, 1024, 2048, 10000, 16384, 32768, 32768};
    uint64_t budget = budgets[rank];
    if (encoder->max_tokens > 0 && budget >= encoder->max_tokens) {
        budget = encoder->max_tokens / 2 > MIN_BUDGET_TOKENS ? encoder->max_tokens / 2
                                                             : MIN_BUDGET_TOKENS;
    }
    if (encoder->max_tokens > 0 && budget >= encoder->max_tokens) {
        encoder->is_thinking = false;
        gw_bedrock_note(encoder, GW_NOTE_DROPPED, GW_STR("reasoning_effort"),
                        GW_STR("Reasoning needs more than 1024 output tokens."));
        return;
    }
    gw_json_write_raw(GW_STR("thinking"), GW_STR("{\"type\":\"enabled\""), fields);
    gw_json_write_count(GW_STR("budget_tokens"), budget, fields);
    (void)gw_buf_append_byte(fields, '}');
}

static void write_effort(struct gw_bedrock_encoder *encoder, unsigned rank, struct gw_buf *fields)
{
    static const struct gw_str efforts[] = {
        GW_STR_INIT("low"),  GW_STR_INIT("low"),   GW_STR_INIT("low"), GW_STR_INIT("medium"),
        GW_STR_INIT("high"), GW_STR_INIT("xhigh"), GW_STR_INIT("max"),
    };
    bool is_lowered = rank == EFFORT_XHIGH && !encoder->model.has_xhigh;
    gw_json_write_raw(GW_STR("output_config"), GW_STR("{"), fields);
    gw_json_write_member(GW_STR("effort"), efforts[is_lowered ? EFFORT_HIGH : rank], fields);
    (void)gw_buf_append_byte(fields, '}');
}

static void write_adaptive(struct gw_bedrock_encoder *encoder, unsigned rank, struct gw_buf *fields)
{
    bool shows = encoder->model.omits_thoughts && !encoder->in->request->hides_reasoning;
    gw_json_write_raw(GW_STR("thinking"),
                      shows ? GW_STR("{\"type\":\"adaptive\",\"display\":\"summarized\"}")
                            : GW_STR("{\"type\":\"adaptive\"}"),
                      fields);
    write_effort(encoder, rank, fields);
}

/* "none": told where the model thinks unless it is told not to. */
static void write_no_thinking(struct gw_bedrock_encoder *encoder, struct gw_buf *fields)
{
    const struct gw_bedrock_model *model = &encoder->model;
    if (model->thinks_always) {
        gw_json_write_raw(GW_STR("output_config"), GW_STR("{\"effort\":\"low\"}"), fields);
        gw_bedrock_note(encoder, GW_NOTE_CHANGED, GW_STR("reasoning_effort"),
                        GW_STR("Became 'low': the model always reasons."));
    } else if (model->stays_brief) {
        gw_json_write_raw(GW_STR("thinking"), GW_STR("{\"type\":\"between_tools\"}"), fields);
        gw_bedrock_note(encoder, GW_NOTE_CHANGED, GW_STR("reasoning_effort"),
                        GW_STR("The model reasons between tool calls at least."));
    } else if (model->thinks_by_default) {
        gw_json_write_raw(GW_STR("thinking"), GW_STR("{\"type\":\"disabled\"}"), fields);
    }
}

static void write_claude_thinking(struct gw_bedrock_encoder *encoder, struct gw_buf *fields)
{
    yyjson_val *thinking = gw_json_get(encoder->chat, "thinking");
    yyjson_val *effort = gw_json_get(encoder->chat, "reasoning_effort");
    const struct gw_bedrock_model *model = &encoder->model;
    if (thinking != NULL) {
        struct gw_str type = gw_json_get_text(thinking, "type");
        encoder->is_thinking = !gw_str_eq(type, GW_STR("disabled"));
        gw_json_write_key(GW_STR("thinking"), fields);
        gw_json_write(thinking, fields);
        if (effort != NULL && model->thinking == GW_BEDROCK_THINKS_ADAPTIVE) {
            write_effort(encoder, effort_rank(gw_json_text(effort)), fields);
        }
        return;
    }
    if (effort == NULL) {
        return;
    }
    unsigned rank = effort_rank(gw_json_text(effort));
    encoder->is_thinking = rank != EFFORT_NONE && model->thinking != GW_BEDROCK_THINKS_NOT;
    if (rank == EFFORT_NONE) {
        write_no_thinking(encoder, fields);
    } else if (model->thinking == GW_BEDROCK_THINKS_ADAPTIVE) {
        write_adaptive(encoder, rank, fields);
    } else if (model->thinking == GW_BEDROCK_THINKS_BUDGET) {
        write_budget(encoder, rank, fields);
    } else {
        gw_bedrock_note(encoder, GW_NOTE_DROPPED, GW_STR("reasoning_effort"),
                        GW_STR("The model does not reason."));
    }
}

/* low, medium or high for the other families that know an effort. */
static struct gw_str plain_effort(struct gw_bedrock_encoder *encoder, struct gw_str effort)
{
    unsigned rank = effort_rank(effort);
    bool is_same = rank >= EFFORT_LOW && rank <= EFFORT_HIGH;
    if (!is_same) {
        gw_bedrock_note(encoder, GW_NOTE_CHANGED, GW_STR("reasoning_effort"),
                        GW_STR("The model knows low, medium and high; the nearest was taken."));
    }
    return rank <= EFFORT_LOW      ? GW_STR("low")
           : rank == EFFORT_MEDIUM ? GW_STR("medium")
                                   : GW_STR("high");
}

void gw_bedrock_write_reasoning(struct gw_bedrock_encoder *encoder, struct gw_buf *fields)
{
    yyjson_val *effort = gw_json_get(encoder->chat, "reasoning_effort");
    if (encoder->model.family == GW_BEDROCK_CLAUDE) {
        write_claude_thinking(encoder, fields);
        return;
    }
    if (gw_json_get(encoder->chat, "thinking") != NULL) {
        gw_bedrock_note(encoder, GW_NOTE_DROPPED, GW_STR("thinking"),
                        GW_STR("Only Claude takes it; other models take reasoning_effort."));
    }
    if (effort == NULL) {
        return;
    }
    struct gw_str text = gw_json_text(effort);
    if (encoder->model.family == GW_BEDROCK_GPT_OSS) {
        gw_json_write_member(GW_STR("reasoning_effort"), plain_effort(encoder, text), fields);
    } else if (encoder->model.family == GW_BEDROCK_NOVA2 && effort_rank(text) == EFFORT_NONE) {
        gw_json_write_raw(GW_STR("reasoningConfig"), GW_STR("{\"type\":\"disabled\"}"), fields);
    } else if (encoder->model.family == GW_BEDROCK_NOVA2) {
        gw_json_write_raw(GW_STR("reasoningConfig"), GW_STR("{\"type\":\"enabled\""), fields);
        gw_json_write_member(GW_STR("maxReasoningEffort"), plain_effort(encoder, text), fields);
        (void)gw_buf_append_byte(fields, '}');
    } else {
        gw_bedrock_note(encoder, GW_NOTE_DROPPED, GW_STR("reasoning_effort"),
                        GW_STR("How much the model reasons cannot be chosen."));
    }
}

/* A tool must be called, and the model thinks unless it is told not to: it is told. */
static void stop_thinking_for_choice(struct gw_bedrock_encoder *encoder, struct gw_buf *fields)
{
    const struct gw_bedrock_model *model = &encoder->model;
    bool is_forced =
        encoder->choice == GW_BEDROCK_CHOICE_ANY || encoder->choice == GW_BEDROCK_CHOICE_ONE;
    bool is_told = gw_json_get(encoder->chat, "thinking") != NULL ||
                   gw_json_get(encoder->chat, "reasoning_effort") != NULL;
    if (is_forced && !is_told && model->thinks_by_default) {
        gw_json_write_raw(GW_STR("thinking"), GW_STR("{\"type\":\"disabled\"}"), fields);
        gw_bedrock_note(encoder, GW_NOTE_CHANGED, GW_STR("thinking"),
                        GW_STR("Turned off, because a tool must be called."));
    }
}

/* ---- what one family knows ---- */

/* anthropic-beta values that Bedrock knows; any other one makes it refuse the request. */
static bool is_known_beta(struct gw_str beta)
{
    static const struct gw_str known[] = {
        GW_STR_INIT("computer-use-"),         GW_STR_INIT("token-efficient-tools-"),
        GW_STR_INIT("interleaved-thinking-"), GW_STR_INIT("output-128k-"),
        GW_STR_INIT("dev-full-thinking-"),    GW_STR_INIT("context-1m-"),
        GW_STR_INIT("context-management-"),   GW_STR_INIT("effort-"),
        GW_STR_INIT("tool-search-tool-"),     GW_STR_INIT("tool-examples-"),
    };
    for (size_t i = 0; i < GW_ARRAY_LEN(known); i++) {
        if (gw_str_has_prefix(beta, known[i])) {
            return true;
        }
    }
    return false;
}

static void write_betas(struct gw_bedrock_encoder *encoder, struct gw_buf *fields)
{
    yyjson_val *betas = gw_json_get(encoder->chat, "anthropic_beta");
    bool is_claude = encoder->model.family == GW_BEDROCK_CLAUDE;
    bool is_begun = false;
    size_t i;
    size_t count;
    yyjson_val *beta;
    yyjson_arr_foreach(betas, i, count, beta)
    {
        struct gw_str text = gw_json_text(beta);
        if (!is_claude || text.ptr == NULL || !is_known_beta(text)) {
            gw_bedrock_note(encoder, GW_NOTE_DROPPED, GW_STR("anthropic_beta"),
                            GW_STR("Only what Bedrock knows is sent, and only to Claude."));
            continue;
        }
        if (!is_begun) {
            gw_json_write_raw(GW_STR("anthropic_beta"), GW_STR("["), fields);
            is_begun = true;
        }
        gw_json_write_next(fields);
        gw_json_write_text(text, fields);
    }
    (void)gw_buf_append(fields, is_begun ? GW_STR("]") : GW_STR(""));
}

static void write_user(struct gw_bedrock_encoder *encoder, struct gw_buf *fields)
{
    struct gw_str user = gw_json_get_text(encoder->chat, "safety_identifier");
    user = user.len > 0 ? user : gw_json_get_text(encoder->chat, "user");
    if (user.len == 0) {
        return;
    }
    if (encoder->model.family != GW_BEDROCK_CLAUDE) {
        gw_bedrock_note(encoder, GW_NOTE_DROPPED, GW_STR("user"),
                        GW_STR("Bedrock knows no user of this model."));
        return;
    }
    gw_json_write_raw(GW_STR("metadata"), GW_STR("{"), fields);
    gw_json_write_member(GW_STR("user_id"), user, fields);
    (void)gw_buf_append_byte(fields, '}');
}

static void write_top_k(struct gw_bedrock_encoder *encoder, struct gw_buf *fields)
{
    yyjson_val *top_k = gw_json_get(encoder->chat, "top_k");
    enum gw_bedrock_family family = encoder->model.family;
    if (top_k == NULL) {
        return;
    }
    if (family == GW_BEDROCK_CLAUDE && !encoder->model.refuses_sampling && !encoder->is_thinking) {
        gw_json_write_key(GW_STR("top_k"), fields);
        gw_json_write(top_k, fields);
    } else if (family == GW_BEDROCK_NOVA || family == GW_BEDROCK_NOVA2) {
        gw_json_write_raw(GW_STR("inferenceConfig"), GW_STR("{\"topK\":"), fields);
        gw_json_write(top_k, fields);
        (void)gw_buf_append_byte(fields, '}');
    } else {
        gw_bedrock_note(encoder, GW_NOTE_DROPPED, GW_STR("top_k"),
                        GW_STR("The model does not take it, or not while it thinks."));
    }
}

static void write_own_fields(struct gw_bedrock_encoder *encoder, struct gw_buf *fields)
{
    size_t i;
    size_t count;
    yyjson_val *key;
    yyjson_val *value;
    yyjson_val *own = gw_json_get(encoder->chat, "additionalModelRequestFields");
    if (!yyjson_is_obj(own)) {
        return;
    }
    yyjson_obj_foreach(own, i, count, key, value)
    {
        gw_json_write_next(fields);
        gw_json_write_text(gw_json_text(key), fields);
        (void)gw_buf_append_byte(fields, ':');
        gw_json_write(value, fields);
    }
}

void gw_bedrock_write_fields(struct gw_bedrock_encoder *encoder, struct gw_buf *fields)
{
    stop_thinking_for_choice(encoder, fields);
    write_betas(encoder, fields);
    write_user(encoder, fields);
    write_top_k(encoder, fields);
    write_own_fields(encoder, fields);
}
