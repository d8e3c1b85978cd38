/* SPDX-License-Identifier: MIT */
/* core/models - the models that are served, as OpenAI's, Anthropic's, Google's and Ollama's clients
 * list them. */
#include "base/clock.h"
#include "core/core_int.h"
#include "core/model_names.h"
#include "dialect/ollama.h"
#include "llm/model_facts.h"
#include "provider/provider.h"
#include "json/value.h"

#define NANO_USD_PER_MILLION 1000000000000000 /* a dollar per token, as prices are counted */

/* A model as it is listed. */
struct entry {
    const struct gw_model_group *group;
    struct gw_str name;
    /* What holds whichever of the group's deployments answers. */
    struct gw_model_facts facts;
    struct gw_model_prices prices; /* those of today */
};

/* Appends one model; failures stick in |out|. */
typedef void write_fn(const struct entry *entry, struct gw_buf *out);

static uint64_t smaller(uint64_t a, uint64_t b)
{
    return a == 0 || (b > 0 && b < a) ? b : a;
}

static int64_t higher(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* GW_PRICE_UNKNOWN is less than any price. */
static void raise_prices(struct gw_model_prices *prices, const struct gw_model_prices *others)
{
    prices->input = higher(prices->input, others->input);
    prices->output = higher(prices->output, others->output);
    prices->cached_input = higher(prices->cached_input, others->cached_input);
    prices->cache_write = higher(prices->cache_write, others->cache_write);
}

/* A client that believes the list must fare well at each deployment: the smallest limits, the
 * abilities that all have, the highest prices. */
static void merge(struct entry *entry, const struct gw_model_facts *facts)
{
    struct gw_model_facts *all = &entry->facts;
    all->context_tokens = smaller(all->context_tokens, facts->context_tokens);
    all->max_output_tokens = smaller(all->max_output_tokens, facts->max_output_tokens);
    all->abilities &= facts->abilities;
    raise_prices(&entry->prices, gw_model_facts_prices(facts, 0, gw_clock_wall_ms() / 1000));
}

static struct entry make_entry(const struct gw_catalog *catalog, struct gw_str name,
                               const struct gw_model_group *group)
{
    struct entry entry = {.group = group, .name = name};
    char room[2 * GW_MODEL_NAME_MAX];
    struct gw_str suffix;
    bool is_known = false;
    gw_model_facts_clear(&entry.facts);
    entry.prices = entry.facts.prices;
    entry.facts.abilities = ~0u;
    bool is_found = gw_catalog_find(catalog, name, &suffix) == group;
    for (size_t i = 0; i < group->deployment_count && is_found; i++) {
        struct gw_str model;
        struct gw_model_facts facts;
        const struct gw_deployment *deployment = group->deployments[i];
        if (gw_deployment_model(deployment, suffix, room, sizeof(room), &model) == GW_OK &&
            gw_model_facts_of(deployment, model, &facts)) {
            merge(&entry, &facts);
            is_known = true;
        }
    }
    entry.facts.abilities = is_known ? entry.facts.abilities : 0;
    return entry;
}

static bool has_ability(const struct entry *entry, enum gw_ability ability)
{
    return (entry->facts.abilities & 1u << ability) != 0;
}

static void write_limit(const char *member, uint64_t tokens, struct gw_buf *out)
{
    if (tokens > 0) {
        (void)gw_buf_appendf(out, ",\"%s\":%llu", member, (unsigned long long)tokens);
    }
}

/* "0.000002": USD per token, as a text because a double does not hold it. */
static void write_price(struct gw_str member, int64_t price, bool is_first, struct gw_buf *out)
{
    char text[40];
    int len =
        snprintf(text, sizeof(text), "%lld.%015lld", (long long)(price / NANO_USD_PER_MILLION),
                 (long long)(price % NANO_USD_PER_MILLION));
    while (len > 0 && text[len - 1] == '0') {
        len--;
    }
    len -= len > 0 && text[len - 1] == '.' ? 1 : 0;
    (void)gw_buf_appendf(out, "%s\"" GW_STR_FMT "\":\"%.*s\"", is_first ? "" : ",",
                         GW_STR_ARG(member), len, text);
}

/* OpenRouter's names, which clients read. */
static void write_prices(const struct gw_model_prices *prices, struct gw_buf *out)
{
    const struct {
        struct gw_str member;
        int64_t price;
    } all[] = {
        {GW_STR("prompt"), prices->input},
        {GW_STR("completion"), prices->output},
        {GW_STR("input_cache_read"), prices->cached_input},
        {GW_STR("input_cache_write"), prices->cache_write},
    };
    bool is_first = true;
    for (size_t i = 0; i < GW_ARRAY_LEN(all); i++) {
        if (all[i].price != GW_PRICE_UNKNOWN) {
            (void)gw_buf_append(out, is_first ? GW_STR(",\"pricing\":{") : GW_STR(""));
            write_price(all[i].member, all[i].price, is_first, out);
            is_first = false;
        }
    }
    (void)gw_buf_append(out, is_first ? GW_STR("") : GW_STR("}"));
}

/* The kinds of input as OpenRouter calls them, and all that is known as we do. */
static void write_abilities(const struct entry *entry, struct gw_buf *out)
{
    static const struct {
        enum gw_ability ability;
        const char *modality;
    } inputs[] = {{GW_ABILITY_IMAGE, "image"},
                  {GW_ABILITY_AUDIO, "audio"},
                  {GW_ABILITY_VIDEO, "video"},
                  {GW_ABILITY_PDF, "file"}};
    if (entry->facts.abilities == 0) {
        return;
    }
    (void)gw_buf_append(out, GW_STR(",\"architecture\":{\"input_modalities\":[\"text\""));
    for (size_t i = 0; i < GW_ARRAY_LEN(inputs); i++) {
        if (has_ability(entry, inputs[i].ability)) {
            (void)gw_buf_appendf(out, ",\"%s\"", inputs[i].modality);
        }
    }
    (void)gw_buf_appendf(out, "],\"output_modalities\":[\"%s\"]},\"capabilities\":",
                         has_ability(entry, GW_ABILITY_EMBEDDING) ? "embeddings" : "text");
    char separator = '[';
    for (unsigned i = 0; i < GW_ABILITY_COUNT; i++) {
        if (has_ability(entry, (enum gw_ability)i)) {
            (void)gw_buf_appendf(out, "%c\"%s\"", separator, gw_ability_name((enum gw_ability)i));
            separator = ',';
        }
    }
    (void)gw_buf_append(out, GW_STR("]"));
}

/* OpenAI's four members, and behind them what OpenRouter (context_length, architecture, pricing),
 * Groq (context_window) and LiteLLM (max_output_tokens) tell of models. */
static void write_openai(const struct entry *entry, struct gw_buf *out)
{
    const struct gw_provider *provider =
        entry->group->deployment_count > 0 ? entry->group->deployments[0]->provider : NULL;
    struct gw_str owner = provider != NULL ? provider->name : GW_STR("gatewire");
    (void)gw_buf_append(out, GW_STR("{\"id\":"));
    gw_json_write_text(entry->name, out);
    (void)gw_buf_appendf(out, ",\"object\":\"model\",\"created\":%llu,\"owned_by\":",
                         (unsigned long long)entry->group->created_at_s);
    gw_json_write_text(owner, out);
    (void)gw_buf_append(out, GW_STR(",\"provider\":"));
    gw_json_write_text(owner, out);
    write_limit("context_length", entry->facts.context_tokens, out);
    write_limit("context_window", entry->facts.context_tokens, out);
    write_limit("max_output_tokens", entry->facts.max_output_tokens, out);
    write_abilities(entry, out);
    write_prices(&entry->prices, out);
    (void)gw_buf_append(out, GW_STR("}"));
}

static void write_anthropic(const struct entry *entry, struct gw_buf *out)
{
    (void)gw_buf_append(out, GW_STR("{\"type\":\"model\",\"id\":"));
    gw_json_write_text(entry->name, out);
    (void)gw_buf_append(out, GW_STR(",\"display_name\":"));
    gw_json_write_text(entry->name, out);
    (void)gw_buf_append(out, GW_STR(",\"created_at\":"));
    gw_ollama_write_time(entry->group->created_at_s, out);
    (void)gw_buf_append(out, GW_STR(",\"lifecycle\":\"active\""));
    write_limit("max_input_tokens", entry->facts.context_tokens, out);
    write_limit("max_tokens", entry->facts.max_output_tokens, out);
    (void)gw_buf_append(out, GW_STR("}"));
}

static void write_gemini(const struct entry *entry, struct gw_buf *out)
{
    (void)gw_buf_append(out, GW_STR("{\"name\":\"models/"));
    (void)gw_buf_append_json(out, entry->name);
    (void)gw_buf_append(out, GW_STR("\",\"displayName\":"));
    gw_json_write_text(entry->name, out);
    write_limit("inputTokenLimit", entry->facts.context_tokens, out);
    write_limit("outputTokenLimit", entry->facts.max_output_tokens, out);
    (void)gw_buf_append(out, has_ability(entry, GW_ABILITY_REASONING) ? GW_STR(",\"thinking\":true")
                                                                      : GW_STR(""));
    (void)gw_buf_append(out, has_ability(entry, GW_ABILITY_EMBEDDING)
                                 ? GW_STR(",\"supportedGenerationMethods\":[\"embedContent\","
                                          "\"batchEmbedContents\"]}")
                                 : GW_STR(",\"supportedGenerationMethods\":[\"generateContent\","
                                          "\"streamGenerateContent\",\"countTokens\"]}"));
}

static void write_ollama_show(const struct entry *entry, struct gw_buf *out)
{
    struct gw_ollama_model model = {.name = entry->name,
                                    .context_length = entry->facts.context_tokens,
                                    .is_embedding = has_ability(entry, GW_ABILITY_EMBEDDING),
                                    .has_tools = has_ability(entry, GW_ABILITY_TOOLS),
                                    .has_vision = has_ability(entry, GW_ABILITY_IMAGE),
                                    .has_thinking = has_ability(entry, GW_ABILITY_REASONING)};
    gw_ollama_write_show(&model, entry->group->created_at_s, out);
}

static void write_ollama(const struct entry *entry, struct gw_buf *out)
{
    gw_ollama_write_tag(entry->name, entry->group->created_at_s, out);
}

static void write_each(struct gw_request *request, write_fn *write, struct gw_buf *out)
{
    const struct gw_catalog *catalog = request->conf->snapshot->catalog;
    const struct gw_model_group *group = NULL;
    struct gw_model_names names;
    struct gw_str name;
    bool is_first = true;
    gw_model_names_init(&names, catalog);
    while (gw_model_names_next(&names, &name, &group)) {
        struct entry entry = make_entry(catalog, name, group);
        (void)gw_buf_append(out, is_first ? GW_STR("") : GW_STR(","));
        write(&entry, out);
        is_first = false;
    }
}

/* "first_id" and "last_id", or null. */
static void write_ends(const struct gw_catalog *catalog, struct gw_buf *out)
{
    const struct gw_model_group *group = NULL;
    struct gw_model_names names;
    struct gw_str name;
    char last[GW_MODEL_NAME_MAX];
    size_t len = 0;
    gw_model_names_init(&names, catalog);
    (void)gw_buf_append(out, GW_STR(",\"first_id\":"));
    while (gw_model_names_next(&names, &name, &group)) {
        if (len == 0) {
            gw_json_write_text(name, out);
        }
        len = name.len < sizeof(last) ? name.len : sizeof(last);
        memcpy(last, name.ptr, len);
    }
    (void)gw_buf_append(out, len == 0 ? GW_STR("null,\"last_id\":null") : GW_STR(",\"last_id\":"));
    if (len > 0) {
        gw_json_write_text(gw_str(last, len), out);
    }
}

/* All on one page: has_more is false whatever |limit| the client asks for. */
static void write_anthropic_list(struct gw_request *request, struct gw_buf *out)
{
    (void)gw_buf_append(out, GW_STR("{\"data\":["));
    write_each(request, write_anthropic, out);
    (void)gw_buf_append(out, GW_STR("],\"has_more\":false"));
    write_ends(request->conf->snapshot->catalog, out);
    (void)gw_buf_append(out, GW_STR("}"));
}

void gw_models_write_all(struct gw_request *request, struct gw_buf *out)
{
    switch (request->route.dialect) {
    case GW_DIALECT_ANTHROPIC:
        write_anthropic_list(request, out);
        return;
    case GW_DIALECT_GEMINI:
        (void)gw_buf_append(out, GW_STR("{\"models\":["));
        write_each(request, write_gemini, out);
        (void)gw_buf_append(out, GW_STR("]}"));
        return;
    case GW_DIALECT_OLLAMA:
        (void)gw_buf_append(out, GW_STR("{\"models\":["));
        write_each(request, write_ollama, out);
        (void)gw_buf_append(out, GW_STR("]}"));
        return;
    default:
        (void)gw_buf_append(out, GW_STR("{\"object\":\"list\",\"data\":["));
        write_each(request, write_openai, out);
        (void)gw_buf_append(out, GW_STR("]}"));
        return;
    }
}

void gw_models_write_one(struct gw_request *request, struct gw_buf *out)
{
    struct entry entry =
        make_entry(request->conf->snapshot->catalog, request->llm.model, request->group);
    switch (request->route.dialect) {
    case GW_DIALECT_ANTHROPIC:
        write_anthropic(&entry, out);
        return;
    case GW_DIALECT_GEMINI:
        write_gemini(&entry, out);
        return;
    case GW_DIALECT_OLLAMA:
        write_ollama_show(&entry, out);
        return;
    default:
        write_openai(&entry, out);
        return;
    }
}
