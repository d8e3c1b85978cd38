/* SPDX-License-Identifier: MIT */
/* provider/openai_effort - how much a model shall think, in its vendor's words. */
#include "provider/openai_encode.h"
#include "json/value.h"

enum effort {
    EFFORT_UNSET,
    EFFORT_NONE,
    EFFORT_MINIMAL,
    EFFORT_LOW,
    EFFORT_MEDIUM,
    EFFORT_HIGH,
    EFFORT_XHIGH,
    EFFORT_MAX,
    EFFORT_COUNT,
};

static const struct gw_str texts[EFFORT_COUNT] = {
    [EFFORT_UNSET] = GW_STR_INIT(""),          [EFFORT_NONE] = GW_STR_INIT("none"),
    [EFFORT_MINIMAL] = GW_STR_INIT("minimal"), [EFFORT_LOW] = GW_STR_INIT("low"),
    [EFFORT_MEDIUM] = GW_STR_INIT("medium"),   [EFFORT_HIGH] = GW_STR_INIT("high"),
    [EFFORT_XHIGH] = GW_STR_INIT("xhigh"),     [EFFORT_MAX] = GW_STR_INIT("max"),
};

/* Anthropic's budget of thinking tokens (inbound.md A4). */
static enum effort of_thinking(yyjson_val *thinking)
{
    struct gw_str type = gw_json_get_text(thinking, "type");
    if (gw_str_eq(type, GW_STR("disabled"))) {
        return EFFORT_NONE;
    }
    uint64_t budget = gw_json_get_u64(thinking, "budget_tokens", 0);
    if (!gw_str_eq(type, GW_STR("enabled")) || budget == 0) {
        return EFFORT_UNSET;
    }
    if (budget < 2048) {
        return EFFORT_LOW;
    }
    return budget < 8192 ? EFFORT_MEDIUM : EFFORT_HIGH;
}

static enum effort read_effort(yyjson_val *chat)
{
    struct gw_str text = gw_json_get_text(chat, "reasoning_effort");
    for (unsigned i = EFFORT_NONE; i < EFFORT_COUNT; i++) {
        if (gw_str_eq(text, texts[i])) {
            return (enum effort)i;
        }
    }
    return of_thinking(gw_json_get(chat, "thinking"));
}

static void note(struct gw_openai_encoding *encoding, enum gw_note_kind kind, struct gw_str text)
{
    gw_notes_add(encoding->in->notes, kind, GW_STR("reasoning_effort"), text);
}

static void write(struct gw_openai_encoding *encoding, enum effort wanted, struct gw_str text)
{
    if (!gw_str_eq(texts[wanted], text)) {
        note(encoding, GW_NOTE_CHANGED,
             GW_STR("changed to the nearest effort that this model takes."));
    }
    (void)gw_buf_append(encoding->out, GW_STR(",\"reasoning_effort\":\""));
    (void)gw_buf_append(encoding->out, text);
    (void)gw_buf_append(encoding->out, GW_STR("\""));
}

static void drop(struct gw_openai_encoding *encoding)
{
    note(encoding, GW_NOTE_DROPPED, GW_STR("not sent: this model takes none."));
}

static struct gw_str of_three(enum effort effort)
{
    if (effort <= EFFORT_LOW) {
        return GW_STR("low");
    }
    return effort == EFFORT_MEDIUM ? GW_STR("medium") : GW_STR("high");
}

static bool write_by_model(struct gw_openai_encoding *encoding, enum effort effort)
{
    const struct gw_openai_model *model = &encoding->model;
    if (effort == EFFORT_UNSET) {
        return model->is_reasoning && !model->is_none_default;
    }
    if (!model->is_reasoning || model->has_fixed_effort) {
        drop(encoding);
        return model->is_reasoning;
    }
    enum effort sent = effort;
    if (sent == EFFORT_NONE && !model->has_none) {
        sent = EFFORT_MINIMAL;
    }
    if (sent == EFFORT_MINIMAL && !model->has_minimal) {
        sent = EFFORT_LOW;
    }
    if (sent == EFFORT_MAX) { /* Chat Completions ends at xhigh */
        sent = EFFORT_XHIGH;
    }
    if (sent == EFFORT_XHIGH && !model->has_xhigh) {
        sent = EFFORT_HIGH;
    }
    write(encoding, effort, texts[sent]);
    return sent != EFFORT_NONE;
}

static bool write_deepseek(struct gw_openai_encoding *encoding, enum effort effort)
{
    if (effort == EFFORT_NONE) {
        (void)gw_buf_append(encoding->out, GW_STR(",\"thinking\":{\"type\":\"disabled\"}"));
        return false;
    }
    if (effort != EFFORT_UNSET) {
        (void)gw_buf_append(encoding->out, GW_STR(",\"thinking\":{\"type\":\"enabled\"}"));
        struct gw_str text = effort <= EFFORT_LOW ? GW_STR("low") : GW_STR("high");
        write(encoding, effort, effort == EFFORT_MAX ? GW_STR("max") : text);
    }
    return true;
}

static bool write_groq(struct gw_openai_encoding *encoding, enum effort effort)
{
    struct gw_str model = encoding->in->upstream_model;
    if (effort == EFFORT_UNSET) {
        return false;
    }
    if (gw_str_find(model, GW_STR("gpt-oss")) < model.len) {
        write(encoding, effort, of_three(effort));
        return true;
    }
    if (gw_str_find(model, GW_STR("qwen3")) < model.len) {
        write(encoding, effort, effort == EFFORT_NONE ? GW_STR("none") : GW_STR("default"));
        return true;
    }
    drop(encoding);
    return false;
}

static bool write_xai(struct gw_openai_encoding *encoding, enum effort effort)
{
    struct gw_str model = encoding->in->upstream_model;
    bool is_quiet = gw_str_find(model, GW_STR("non-reasoning")) < model.len;
    bool is_fixed = is_quiet || gw_str_find(model, GW_STR("-reasoning")) < model.len ||
                    gw_str_find(model, GW_STR("grok-build")) < model.len;
    if (effort == EFFORT_UNSET) {
        return !is_quiet;
    }
    if (is_fixed) {
        drop(encoding);
        return !is_quiet;
    }
    bool has_none = gw_str_find(model, GW_STR("grok-4.3")) < model.len;
    write(encoding, effort, effort == EFFORT_NONE && has_none ? GW_STR("none") : of_three(effort));
    return true;
}

static bool write_ollama(struct gw_openai_encoding *encoding, enum effort effort)
{
    if (effort != EFFORT_UNSET) {
        enum effort sent = effort == EFFORT_MINIMAL ? EFFORT_LOW : effort;
        write(encoding, effort, texts[sent == EFFORT_XHIGH ? EFFORT_MAX : sent]);
    }
    return effort > EFFORT_NONE;
}

bool gw_openai_encode_effort(struct gw_openai_encoding *encoding)
{
    enum effort effort = read_effort(encoding->chat);
    switch (encoding->quirks->effort) {
    case GW_EFFORT_BY_MODEL:
        return write_by_model(encoding, effort);
    case GW_EFFORT_DEEPSEEK:
        return write_deepseek(encoding, effort);
    case GW_EFFORT_GROQ:
        return write_groq(encoding, effort);
    case GW_EFFORT_XAI:
        return write_xai(encoding, effort);
    case GW_EFFORT_OLLAMA:
        return write_ollama(encoding, effort);
    case GW_EFFORT_MISTRAL:
        if (effort != EFFORT_UNSET) {
            write(encoding, effort, effort == EFFORT_NONE ? GW_STR("none") : GW_STR("high"));
        }
        break;
    case GW_EFFORT_THREE:
        if (effort == EFFORT_NONE) {
            drop(encoding); /* servers without the word refuse it */
        } else if (effort != EFFORT_UNSET) {
            write(encoding, effort, of_three(effort));
        }
        break;
    case GW_EFFORT_PASS:
        if (effort != EFFORT_UNSET) {
            write(encoding, effort, texts[effort]);
        }
        break;
    }
    return effort > EFFORT_NONE;
}
