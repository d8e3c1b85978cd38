/* SPDX-License-Identifier: MIT */
/* core/models - the models that are served, as OpenAI's, Anthropic's, Google's and Ollama's clients
 * list them. */
#include "base/alloc.h"
#include "core/core_int.h"
#include "dialect/ollama.h"
#include "llm/model_facts.h"
#include "provider/provider.h"
#include "json/value.h"

/* A model as it is listed. */
struct entry {
    const struct gw_model_group *group;
    struct gw_str name;
    struct gw_model_facts facts;
};

/* Appends one model; failures stick in |out|. */
typedef void write_fn(const struct entry *entry, struct gw_buf *out);

static struct entry make_entry(const struct gw_catalog *catalog, struct gw_str name,
                               const struct gw_model_group *group)
{
    struct entry entry = {.group = group, .name = name};
    char room[2 * GW_MODEL_NAME_MAX];
    struct gw_str suffix;
    struct gw_str model;
    gw_model_facts_clear(&entry.facts);
    if (group->deployment_count == 0 || gw_catalog_find(catalog, name, &suffix) != group) {
        return entry;
    }
    const struct gw_deployment *first = group->deployments[0];
    if (gw_deployment_model(first, suffix, room, sizeof(room), &model) == GW_OK) {
        (void)gw_model_facts_of(first, model, &entry.facts);
    }
    return entry;
}

static bool has_ability(const struct entry *entry, enum gw_ability ability)
{
    return (entry->facts.abilities & 1u << ability) != 0;
}

static void write_openai(const struct entry *entry, struct gw_buf *out)
{
    const struct gw_provider *provider =
        entry->group->deployment_count > 0 ? entry->group->deployments[0]->provider : NULL;
    (void)gw_buf_append(out, GW_STR("{\"id\":"));
    gw_json_write_text(entry->name, out);
    (void)gw_buf_appendf(out, ",\"object\":\"model\",\"created\":%llu,\"owned_by\":",
                         (unsigned long long)entry->group->created_at_s);
    gw_json_write_text(provider != NULL ? provider->name : GW_STR("gatewire"), out);
    (void)gw_buf_append(out, GW_STR("}"));
}

static void write_limit(const char *member, uint64_t tokens, struct gw_buf *out)
{
    if (tokens > 0) {
        (void)gw_buf_appendf(out, ",\"%s\":%llu", member, (unsigned long long)tokens);
    }
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
                                    .has_tools = has_ability(entry, GW_ABILITY_TOOLS),
                                    .has_vision = has_ability(entry, GW_ABILITY_IMAGE),
                                    .has_thinking = has_ability(entry, GW_ABILITY_REASONING)};
    gw_ollama_write_show(&model, entry->group->created_at_s, out);
}

static void write_each(struct gw_request *request, write_fn *write, struct gw_buf *out)
{
    const struct gw_catalog *catalog = request->conf->snapshot->catalog;
    for (size_t i = 0; i < gw_catalog_group_count(catalog); i++) {
        const struct gw_model_group *group = gw_catalog_group(catalog, i);
        struct entry entry = make_entry(catalog, group->name, group);
        (void)gw_buf_append(out, i > 0 ? GW_STR(",") : GW_STR(""));
        write(&entry, out);
    }
}

/* All on one page: has_more is false whatever |limit| the client asks for. */
static void write_anthropic_list(struct gw_request *request, struct gw_buf *out)
{
    const struct gw_catalog *catalog = request->conf->snapshot->catalog;
    size_t count = gw_catalog_group_count(catalog);
    (void)gw_buf_append(out, GW_STR("{\"data\":["));
    write_each(request, write_anthropic, out);
    (void)gw_buf_append(out, GW_STR("],\"has_more\":false,\"first_id\":"));
    if (count == 0) {
        (void)gw_buf_append(out, GW_STR("null,\"last_id\":null}"));
        return;
    }
    gw_json_write_text(gw_catalog_group(catalog, 0)->name, out);
    (void)gw_buf_append(out, GW_STR(",\"last_id\":"));
    gw_json_write_text(gw_catalog_group(catalog, count - 1)->name, out);
    (void)gw_buf_append(out, GW_STR("}"));
}

static void write_ollama_list(struct gw_request *request, struct gw_buf *out)
{
    const struct gw_catalog *catalog = request->conf->snapshot->catalog;
    size_t count = gw_catalog_group_count(catalog);
    if (count == 0) {
        gw_ollama_write_tags(NULL, 0, 0, out);
        return;
    }
    uint64_t modified_s = gw_catalog_group(catalog, 0)->created_at_s;
    struct gw_str *names = gw_try_alloc(count * sizeof(*names));
    if (names == NULL) {
        out->err = GW_ERR_NOMEM;
        return;
    }
    for (size_t i = 0; i < count; i++) {
        names[i] = gw_catalog_group(catalog, i)->name;
    }
    gw_ollama_write_tags(names, count, modified_s, out);
    gw_free(names);
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
        write_ollama_list(request, out);
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
