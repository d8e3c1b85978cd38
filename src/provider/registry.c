/* SPDX-License-Identifier: MIT */
/*
 * provider/registry - the rows. A vendor that speaks OpenAI's dialect is one row here and nothing
 * else. Sources, where shared/providers has no page:
 * docs.together.ai/docs/openai-api-compatibility, docs.fireworks.ai (OpenAI compatibility),
 * openrouter.ai/docs/quickstart, docs.perplexity.ai; read 2026-11.
 */
#include "provider/provider.h"

#include "base/compiler.h"

/* Prefixes of bare names; a name belongs to the first row that has a prefix of it. */
static const char *const openai_models[] = {
    "gpt-",
    "chatgpt-",
    "o1",
    "o3",
    "o4",
    "text-embedding-",
    "tts-",
    "whisper-",
    "dall-e-",
    "sora-",
    "text-moderation-",
    "omni-moderation-",
    "codex-",
    "computer-use-",
    "davinci-",
    "babbage-",
    NULL,
};
static const char *const mistral_models[] = {
    "mistral-", "ministral-",    "magistral-",    "codestral-", "devstral-",
    "pixtral-", "open-mistral-", "open-mixtral-", "voxtral-",   NULL,
};
static const char *const deepseek_models[] = {"deepseek-", NULL};
static const char *const xai_models[] = {"grok-", NULL};
static const char *const perplexity_models[] = {"sonar", NULL};
/* Groq's and OpenRouter's own models carry the vendor's name as part of theirs. */
static const char *const groq_models[] = {"groq/compound", NULL};
static const char *const openrouter_models[] = {"openrouter/auto", NULL};

static const char *const anthropic_models[] = {"claude-", NULL};
static const char *const gemini_models[] = {"gemini-", "learnlm-", NULL};
static const char *const cohere_models[] = {"command-", "c4ai-aya-", "embed-", NULL};
/* Bedrock's ids begin with the maker, or with where an inference profile runs. */
static const char *const bedrock_models[] = {
    "anthropic.", "amazon.", "meta.", "mistral.",  "cohere.",
    "ai21.",      "openai.", "qwen.", "deepseek.", "us.",
    "us-gov.",    "eu.",     "apac.", "global.",   "arn:aws:bedrock:",
    NULL,
};

/* The sovereign clouds' hosts are among them. */
static const char *const azure_hosts[] = {
    ".openai.azure.com",
    ".services.ai.azure.com",
    ".cognitiveservices.azure.com",
    ".openai.azure.us",
    ".cognitiveservices.azure.us",
    ".openai.azure.cn",
    NULL,
};
static const char *const aws_hosts[] = {".amazonaws.com", ".amazonaws.com.cn", ".api.aws", NULL};
static const char *const google_hosts[] = {".googleapis.com", NULL};

static const struct gw_provider rows[] = {
    {
        .name = GW_STR_INIT("openai"), /* openai.md section 1 */
        .kind = GW_PROVIDER_OPENAI,
        .default_base_url = GW_STR_INIT("https://api.openai.com/v1"),
        .key_env = GW_STR_INIT("OPENAI_API_KEY"),
        .base_url_env = GW_STR_INIT("OPENAI_BASE_URL"),
        .needs_key = true,
        .model_prefixes = openai_models,
    },
    {
        .name = GW_STR_INIT("anthropic"), /* anthropic.md section 1 */
        .kind = GW_PROVIDER_ANTHROPIC,
        .default_base_url = GW_STR_INIT("https://api.anthropic.com"),
        .key_env = GW_STR_INIT("ANTHROPIC_API_KEY"),
        .base_url_env = GW_STR_INIT("ANTHROPIC_BASE_URL"),
        .own_path = GW_STR_INIT("/v1"),
        .needs_key = true,
        .model_prefixes = anthropic_models,
    },
    {
        .name = GW_STR_INIT("gemini"), /* gemini.md section 1; GOOGLE_API_KEY: compat 6.6 */
        .kind = GW_PROVIDER_GEMINI,
        .default_base_url = GW_STR_INIT("https://generativelanguage.googleapis.com/v1beta"),
        .key_env = GW_STR_INIT("GEMINI_API_KEY"),
        .key_env_alias = GW_STR_INIT("GOOGLE_API_KEY"),
        .base_url_env = GW_STR_INIT("GEMINI_BASE_URL"),
        .base_url_env_aliases = "GOOGLE_GEMINI_BASE_URL",
        .needs_key = true,
        .model_prefixes = gemini_models,
    },
    {
        .name = GW_STR_INIT("azure"), /* azure.md sections 1 and 2 */
        .kind = GW_PROVIDER_AZURE,
        .key_env = GW_STR_INIT("AZURE_API_KEY"),
        .key_env_alias = GW_STR_INIT("AZURE_OPENAI_API_KEY"),
        .base_url_env = GW_STR_INIT("AZURE_BASE_URL"),
        .base_url_env_aliases = "AZURE_OPENAI_ENDPOINT AZURE_OPENAI_BASE_URL AZURE_AI_API_BASE",
        .own_path = GW_STR_INIT("/v1"),
        .own_hosts = azure_hosts,
        .needs_key = true,
    },
    {
        .name = GW_STR_INIT("bedrock"), /* bedrock.md section 1 */
        .kind = GW_PROVIDER_BEDROCK,
        .key_env = GW_STR_INIT("AWS_BEARER_TOKEN_BEDROCK"),
        .base_url_env = GW_STR_INIT("BEDROCK_BASE_URL"),
        .base_url_env_aliases = "AWS_BEDROCK_RUNTIME_ENDPOINT AWS_ENDPOINT_URL_BEDROCK_RUNTIME",
        .own_hosts = aws_hosts,
        .needs_key = true,
        .model_prefixes = bedrock_models,
    },
    {
        .name = GW_STR_INIT("cohere"), /* cohere.md section 1; CO_API_*: Cohere's SDK */
        .kind = GW_PROVIDER_COHERE,
        .default_base_url = GW_STR_INIT("https://api.cohere.com"),
        .key_env = GW_STR_INIT("COHERE_API_KEY"),
        .key_env_alias = GW_STR_INIT("CO_API_KEY"),
        .base_url_env = GW_STR_INIT("COHERE_BASE_URL"),
        .base_url_env_aliases = "CO_API_URL",
        .own_path = GW_STR_INIT("/v2"),
        .needs_key = true,
        .model_prefixes = cohere_models,
    },
    {
        .name = GW_STR_INIT("groq"), /* groq.md section 1 */
        .kind = GW_PROVIDER_OPENAI,
        .default_base_url = GW_STR_INIT("https://api.groq.com/openai/v1"),
        .key_env = GW_STR_INIT("GROQ_API_KEY"),
        .base_url_env = GW_STR_INIT("GROQ_BASE_URL"),
        .needs_key = true,
        .model_prefixes = groq_models,
    },
    {
        .name = GW_STR_INIT("mistral"), /* mistral-deepseek-xai.md A1 */
        .kind = GW_PROVIDER_OPENAI,
        .default_base_url = GW_STR_INIT("https://api.mistral.ai/v1"),
        .key_env = GW_STR_INIT("MISTRAL_API_KEY"),
        .base_url_env = GW_STR_INIT("MISTRAL_BASE_URL"),
        .needs_key = true,
        .model_prefixes = mistral_models,
    },
    {
        .name = GW_STR_INIT("deepseek"), /* mistral-deepseek-xai.md B1 */
        .kind = GW_PROVIDER_OPENAI,
        .default_base_url = GW_STR_INIT("https://api.deepseek.com"),
        .key_env = GW_STR_INIT("DEEPSEEK_API_KEY"),
        .base_url_env = GW_STR_INIT("DEEPSEEK_BASE_URL"),
        .needs_key = true,
        .model_prefixes = deepseek_models,
    },
    {
        .name = GW_STR_INIT("xai"), /* mistral-deepseek-xai.md C1; GROK_API_KEY: compat 6.6 */
        .kind = GW_PROVIDER_OPENAI,
        .default_base_url = GW_STR_INIT("https://api.x.ai/v1"),
        .key_env = GW_STR_INIT("XAI_API_KEY"),
        .key_env_alias = GW_STR_INIT("GROK_API_KEY"),
        .base_url_env = GW_STR_INIT("XAI_BASE_URL"),
        .needs_key = true,
        .model_prefixes = xai_models,
    },
    {
        .name = GW_STR_INIT("vertex_ai"), /* vertex.md sections 1 and 2; a key: express mode */
        .kind = GW_PROVIDER_VERTEX,
        .key_env = GW_STR_INIT("VERTEXAI_API_KEY"),
        .key_env_alias = GW_STR_INIT("VERTEX_API_KEY"),
        .base_url_env = GW_STR_INIT("VERTEXAI_BASE_URL"),
        .base_url_env_aliases = "VERTEX_BASE_URL VERTEX_API_BASE GOOGLE_VERTEX_BASE_URL",
        .own_hosts = google_hosts,
        .needs_key = true,
        .shared_prefixes = gemini_models,
    },
    {
        .name = GW_STR_INIT("openrouter"),
        .kind = GW_PROVIDER_OPENAI,
        .default_base_url = GW_STR_INIT("https://openrouter.ai/api/v1"),
        .key_env = GW_STR_INIT("OPENROUTER_API_KEY"),
        .base_url_env = GW_STR_INIT("OPENROUTER_BASE_URL"),
        .needs_key = true,
        .model_prefixes = openrouter_models,
    },
    {
        .name = GW_STR_INIT("together"),
        .kind = GW_PROVIDER_OPENAI,
        .default_base_url = GW_STR_INIT("https://api.together.xyz/v1"),
        .key_env = GW_STR_INIT("TOGETHER_API_KEY"),
        .key_env_alias = GW_STR_INIT("TOGETHERAI_API_KEY"),
        .base_url_env = GW_STR_INIT("TOGETHER_BASE_URL"),
        .needs_key = true,
    },
    {
        .name = GW_STR_INIT("fireworks"),
        .kind = GW_PROVIDER_OPENAI,
        .default_base_url = GW_STR_INIT("https://api.fireworks.ai/inference/v1"),
        .key_env = GW_STR_INIT("FIREWORKS_API_KEY"),
        .key_env_alias = GW_STR_INIT("FIREWORKS_AI_API_KEY"),
        .base_url_env = GW_STR_INIT("FIREWORKS_BASE_URL"),
        .needs_key = true,
    },
    {
        .name = GW_STR_INIT("perplexity"),
        .kind = GW_PROVIDER_OPENAI,
        .default_base_url = GW_STR_INIT("https://api.perplexity.ai"),
        .key_env = GW_STR_INIT("PERPLEXITY_API_KEY"),
        .key_env_alias = GW_STR_INIT("PERPLEXITYAI_API_KEY"),
        .base_url_env = GW_STR_INIT("PERPLEXITY_BASE_URL"),
        .needs_key = true,
        .model_prefixes = perplexity_models,
    },
    {
        .name = GW_STR_INIT("ollama"), /* local.md section 1, here and below */
        .kind = GW_PROVIDER_OPENAI,
        .default_base_url = GW_STR_INIT("http://127.0.0.1:11434/v1"),
        .key_env = GW_STR_INIT("OLLAMA_API_KEY"),
        .base_url_env = GW_STR_INIT("OLLAMA_BASE_URL"),
        .local_port = 11434,
    },
    {
        .name = GW_STR_INIT("vllm"),
        .kind = GW_PROVIDER_OPENAI,
        .default_base_url = GW_STR_INIT("http://127.0.0.1:8000/v1"),
        .key_env = GW_STR_INIT("VLLM_API_KEY"),
        .key_env_alias = GW_STR_INIT("HOSTED_VLLM_API_KEY"),
        .base_url_env = GW_STR_INIT("VLLM_BASE_URL"),
        .local_port = 8000,
    },
    {
        .name = GW_STR_INIT("llamacpp"),
        .kind = GW_PROVIDER_OPENAI,
        .default_base_url = GW_STR_INIT("http://127.0.0.1:8080/v1"),
        .key_env = GW_STR_INIT("LLAMA_API_KEY"),
        .base_url_env = GW_STR_INIT("LLAMACPP_BASE_URL"),
        .local_port = 8080,
        .local_port_alias = 9931,
    },
    {
        /* Any other server that speaks OpenAI's API: api_base says where. */
        .name = GW_STR_INIT("openai_like"),
        .kind = GW_PROVIDER_OPENAI,
        .key_env = GW_STR_INIT("OPENAI_LIKE_API_KEY"),
        .base_url_env = GW_STR_INIT("OPENAI_LIKE_BASE_URL"),
    },
    {
        .name = GW_STR_INIT("gatewire"),
        .kind = GW_PROVIDER_BUILTIN,
    },
};

/* What LiteLLM and others call a row. */
static const struct {
    struct gw_str alias;
    struct gw_str name;
} aliases[] = {
    {GW_STR_INIT("google"), GW_STR_INIT("gemini")},
    {GW_STR_INIT("google_genai"), GW_STR_INIT("gemini")},
    {GW_STR_INIT("azure_ai"), GW_STR_INIT("azure")},
    {GW_STR_INIT("azure_openai"), GW_STR_INIT("azure")},
    {GW_STR_INIT("azure_text"), GW_STR_INIT("azure")},
    {GW_STR_INIT("vertex"), GW_STR_INIT("vertex_ai")},
    {GW_STR_INIT("vertex_ai_beta"), GW_STR_INIT("vertex_ai")},
    {GW_STR_INIT("google_vertex"), GW_STR_INIT("vertex_ai")},
    {GW_STR_INIT("aws"), GW_STR_INIT("bedrock")},
    {GW_STR_INIT("amazon_bedrock"), GW_STR_INIT("bedrock")},
    {GW_STR_INIT("bedrock_converse"), GW_STR_INIT("bedrock")},
    {GW_STR_INIT("cohere_chat"), GW_STR_INIT("cohere")},
    {GW_STR_INIT("together_ai"), GW_STR_INIT("together")},
    {GW_STR_INIT("fireworks_ai"), GW_STR_INIT("fireworks")},
    {GW_STR_INIT("mistralai"), GW_STR_INIT("mistral")},
    {GW_STR_INIT("grok"), GW_STR_INIT("xai")},
    {GW_STR_INIT("ollama_chat"), GW_STR_INIT("ollama")},
    {GW_STR_INIT("hosted_vllm"), GW_STR_INIT("vllm")},
    {GW_STR_INIT("llama_cpp"), GW_STR_INIT("llamacpp")},
    {GW_STR_INIT("llama.cpp"), GW_STR_INIT("llamacpp")},
    {GW_STR_INIT("custom_openai"), GW_STR_INIT("openai_like")},
    {GW_STR_INIT("openai_compatible"), GW_STR_INIT("openai_like")},
    {GW_STR_INIT("text-completion-openai"), GW_STR_INIT("openai")},
};

static const struct gw_provider *find_row(struct gw_str name)
{
    for (size_t i = 0; i < GW_ARRAY_LEN(rows); i++) {
        if (gw_str_eq(rows[i].name, name)) {
            return &rows[i];
        }
    }
    return NULL;
}

const struct gw_provider *gw_provider_find(struct gw_str name)
{
    for (size_t i = 0; i < GW_ARRAY_LEN(aliases); i++) {
        if (gw_str_eq(aliases[i].alias, name)) {
            return find_row(aliases[i].name);
        }
    }
    return find_row(name);
}

const struct gw_provider *gw_provider_at(size_t index)
{
    return index < GW_ARRAY_LEN(rows) ? &rows[index] : NULL;
}

static bool has_known_prefix(const struct gw_provider *row, struct gw_str model)
{
    for (const char *const *prefix = row->model_prefixes; prefix != NULL && *prefix != NULL;
         prefix++) {
        if (gw_str_has_prefix(model, gw_str_from_c(*prefix))) {
            return true;
        }
    }
    return false;
}

const struct gw_provider *gw_provider_of_model(struct gw_str model)
{
    for (size_t i = 0; i < GW_ARRAY_LEN(rows); i++) {
        if (has_known_prefix(&rows[i], model)) {
            return &rows[i];
        }
    }
    return NULL;
}
