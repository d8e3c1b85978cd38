/* SPDX-License-Identifier: MIT */
/* provider/openai_quirks - the rows. */
#include "provider/openai_quirks.h"

#include "base/compiler.h"

#define M(member) (UINT64_C(1) << GW_OPENAI_##member)

/* What only OpenAI itself has, and who copies all of it. */
#define OPENAI_ONLY                                                                                \
    (M(METADATA) | M(STORE) | M(SERVICE_TIER) | M(PREDICTION) | M(MODALITIES) | M(AUDIO) |         \
     M(VERBOSITY) | M(WEB_SEARCH_OPTIONS) | M(SAFETY_IDENTIFIER) | M(MODERATION) |                 \
     M(PROMPT_CACHE_KEY) | M(PROMPT_CACHE_RETENTION) | M(PROMPT_CACHE_OPTIONS))
#define PENALTIES    (M(PRESENCE_PENALTY) | M(FREQUENCY_PENALTY))
#define ALL_LOGPROBS (M(LOGPROBS) | M(TOP_LOGPROBS))

#define NEW_MAX_TOKENS GW_STR_INIT("max_completion_tokens")
#define OLD_MAX_TOKENS GW_STR_INIT("max_tokens")

static const struct gw_openai_quirks rows[] = {
    {
        /* The most careful one; also openai_like. */
        .provider = GW_STR_INIT("openai_like"),
        .drops = OPENAI_ONLY | M(TOP_K),
        .max_tokens = OLD_MAX_TOKENS,
        .effort = GW_EFFORT_THREE,
        .has_completions = true,
    },
    {
        .provider = GW_STR_INIT("openai"),
        .drops = M(TOP_K),
        .max_tokens = NEW_MAX_TOKENS,
        .effort = GW_EFFORT_BY_MODEL,
        .has_developer = true,
        .has_custom_tools = true,
        .has_files = true,
        .has_responses = true,
        .has_completions = true,
    },
    {
        .provider = GW_STR_INIT("azure"),
        .drops = M(TOP_K) | M(MODERATION),
        .max_tokens = NEW_MAX_TOKENS,
        .effort = GW_EFFORT_BY_MODEL,
        .has_developer = true,
        .has_custom_tools = true,
        .has_responses = true,
        .has_completions = true,
    },
    {
        .provider = GW_STR_INIT("mistral"),
        .drops = (OPENAI_ONLY & ~(M(METADATA) | M(PREDICTION) | M(PROMPT_CACHE_KEY))) | M(TOP_K) |
                 ALL_LOGPROBS | M(LOGIT_BIAS) | M(USER),
        .max_tokens = OLD_MAX_TOKENS,
        .seed = GW_STR_INIT("random_seed"),
        .effort = GW_EFFORT_MISTRAL,
        .prefix = GW_PREFIX_MARK,
        .has_no_stream_usage = true,
        .has_files = true,
        .is_mistral = true,
    },
    {
        .provider = GW_STR_INIT("deepseek"),
        .drops = OPENAI_ONLY | M(TOP_K) | M(SEED) | M(LOGIT_BIAS),
        .max_tokens = OLD_MAX_TOKENS,
        .reasoning = GW_STR_INIT("reasoning_content"),
        .wants_reasoning = true,
        .user = GW_STR_INIT("user_id"),
        .effort = GW_EFFORT_DEEPSEEK,
        .prefix = GW_PREFIX_MARK,
        .has_no_schema = true,
        .has_no_audio = true,
        .has_responses = true,
    },
    {
        .provider = GW_STR_INIT("xai"),
        .drops = (OPENAI_ONLY & ~M(SERVICE_TIER)) | M(TOP_K) | M(LOGIT_BIAS),
        .max_tokens = NEW_MAX_TOKENS,
        .effort = GW_EFFORT_XAI,
        .wants_open_schemas = true,
        .has_no_audio = true,
        .has_responses = true,
    },
    {
        .provider = GW_STR_INIT("groq"),
        .drops =
            (OPENAI_ONLY & ~M(SERVICE_TIER)) | M(TOP_K) | M(LOGIT_BIAS) | ALL_LOGPROBS | PENALTIES,
        .max_tokens = NEW_MAX_TOKENS,
        .reasoning = GW_STR_INIT("reasoning"),
        .effort = GW_EFFORT_GROQ,
        .has_no_audio = true,
        .has_responses = true,
    },
    {
        .provider = GW_STR_INIT("openrouter"),
        .drops = M(STORE) | M(MODERATION) | M(SAFETY_IDENTIFIER),
        .max_tokens = OLD_MAX_TOKENS,
        .reasoning = GW_STR_INIT("reasoning"),
        .effort = GW_EFFORT_PASS,
        .has_files = true,
        .has_completions = true,
    },
    {
        .provider = GW_STR_INIT("together"),
        .drops = OPENAI_ONLY | ALL_LOGPROBS,
        .max_tokens = OLD_MAX_TOKENS,
        .effort = GW_EFFORT_THREE,
        .has_no_audio = true,
        .has_completions = true,
    },
    {
        .provider = GW_STR_INIT("fireworks"),
        .drops = OPENAI_ONLY,
        .max_tokens = OLD_MAX_TOKENS,
        .reasoning = GW_STR_INIT("reasoning_content"),
        .effort = GW_EFFORT_THREE,
        .has_no_audio = true,
        .has_completions = true,
    },
    {
        .provider = GW_STR_INIT("perplexity"),
        .drops = (OPENAI_ONLY & ~M(WEB_SEARCH_OPTIONS)) | M(SEED) | M(USER) | M(LOGIT_BIAS) |
                 ALL_LOGPROBS | M(STOP),
        .max_tokens = OLD_MAX_TOKENS,
        .effort = GW_EFFORT_THREE,
        .has_no_tools = true,
        .has_no_stream_usage = true,
        .has_no_audio = true,
    },
    {
        .provider = GW_STR_INIT("ollama"),
        .drops = OPENAI_ONLY | M(TOP_K) | M(LOGIT_BIAS) | M(USER),
        .max_tokens = OLD_MAX_TOKENS,
        .reasoning = GW_STR_INIT("reasoning"),
        .effort = GW_EFFORT_OLLAMA,
        .has_no_tool_choice = true,
        .has_no_remote_image = true,
        .has_responses = true,
        .has_completions = true,
    },
    {
        .provider = GW_STR_INIT("vllm"),
        .drops = OPENAI_ONLY,
        .max_tokens = OLD_MAX_TOKENS,
        .reasoning = GW_STR_INIT("reasoning"),
        .effort = GW_EFFORT_PASS,
        .prefix = GW_PREFIX_FLAGS,
        .has_responses = true,
        .has_completions = true,
    },
    {
        .provider = GW_STR_INIT("llamacpp"),
        .drops = OPENAI_ONLY | M(USER),
        .max_tokens = OLD_MAX_TOKENS,
        .reasoning = GW_STR_INIT("reasoning_content"),
        .effort = GW_EFFORT_PASS,
        .prefix = GW_PREFIX_LAST,
        .has_responses = true,
        .has_completions = true,
    },
};

static const struct gw_str member_names[GW_OPENAI_MEMBER_COUNT] = {
#define XX(id, name) [GW_OPENAI_##id] = GW_STR_INIT(name),
    GW_OPENAI_MEMBER_MAP(XX)
#undef XX
};

struct gw_str gw_openai_member_name(enum gw_openai_member member)
{
    return member_names[member];
}

const struct gw_openai_quirks *gw_openai_quirks_of(struct gw_str provider)
{
    for (size_t i = 0; i < GW_ARRAY_LEN(rows); i++) {
        if (gw_str_eq(rows[i].provider, provider)) {
            return &rows[i];
        }
    }
    return &rows[0];
}

/* ---- OpenAI's models ---- */

static bool has(struct gw_str model, struct gw_str word)
{
    return gw_str_find(model, word) < model.len;
}

/* The minor version of "gpt-5.6-sol"; 0 for "gpt-5-mini". */
static unsigned minor_version(struct gw_str rest)
{
    return rest.len >= 2 && rest.ptr[0] == '.' && rest.ptr[1] >= '0' && rest.ptr[1] <= '9'
               ? (unsigned)(rest.ptr[1] - '0')
               : 0;
}

static struct gw_openai_model gpt5(struct gw_str model, struct gw_str rest)
{
    unsigned minor = minor_version(rest);
    if (has(model, GW_STR("-chat"))) {
        /* gpt-5-chat does not think at all, later ones as much as they like. */
        return (struct gw_openai_model){.is_reasoning = minor > 0, .has_fixed_effort = true};
    }
    bool is_own = has(model, GW_STR("-pro")) || (has(model, GW_STR("-codex")) && minor < 3);
    return (struct gw_openai_model){.is_reasoning = true,
                                    .has_none = minor >= 1 && !is_own,
                                    .has_minimal = minor == 0 && !is_own,
                                    .has_xhigh = minor >= 2,
                                    .is_none_default = minor >= 1 && minor <= 4 && !is_own};
}

static struct gw_openai_model gpt6(struct gw_str model, struct gw_str rest)
{
    unsigned minor = minor_version(rest);
    bool has_none = (minor == 0 && !has(model, GW_STR("-astra"))) ||
                    (minor == 1 && !has(model, GW_STR("-sol")));
    return (struct gw_openai_model){.is_reasoning = true, .has_none = has_none, .has_xhigh = true};
}

struct gw_openai_model gw_openai_model_of(struct gw_str model)
{
    for (size_t at = gw_str_find_byte(model, '/'); at < model.len;
         at = gw_str_find_byte(model, '/')) {
        model = gw_str_skip(model, at + 1);
    }
    size_t family = sizeof("gpt-5") - 1;
    if (gw_str_has_prefix(model, GW_STR("gpt-5"))) {
        return gpt5(model, gw_str_skip(model, family));
    }
    if (gw_str_has_prefix(model, GW_STR("gpt-6"))) {
        return gpt6(model, gw_str_skip(model, family));
    }
    bool is_o = gw_str_has_prefix(model, GW_STR("o1")) || gw_str_has_prefix(model, GW_STR("o3")) ||
                gw_str_has_prefix(model, GW_STR("o4"));
    return (struct gw_openai_model){.is_reasoning = is_o};
}
