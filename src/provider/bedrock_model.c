/* SPDX-License-Identifier: MIT */
/* provider/bedrock_model - families by what the name holds; Claude's abilities by its version. */
#include "provider/bedrock_model.h"

struct claude {
    unsigned version;
    bool is_opus;
    bool is_sonnet;
    bool is_haiku;
    bool is_top; /* Fable, Mythos */
};

static bool holds(struct gw_str name, struct gw_str part)
{
    return gw_str_find(name, part) < name.len;
}

/* "claude-3-5-sonnet-20241022-v2" is 35, "claude-opus-4-20250514" 40, "claude-sonnet-5-5" 55; 0
 * when no number stands there. */
static unsigned read_version(struct gw_str claude)
{
    struct gw_str rest = claude;
    struct gw_str part;
    unsigned major = 0;
    while (gw_str_split(&rest, '-', &part)) {
        uint64_t number = 0;
        /* Longer numbers are dates; "v1:0" and "v2" count the revisions of the model. */
        bool is_number = part.len <= 2 && gw_parse_u64(part, &number) == GW_OK;
        if (major > 0) {
            return 10 * major + (is_number && number < 10 ? (unsigned)number : 0);
        }
        major = is_number ? (unsigned)number : 0;
    }
    return 10 * major;
}

static void read_claude(struct gw_bedrock_model *model, struct gw_str name)
{
    struct gw_str text = gw_str_skip(name, gw_str_find(name, GW_STR("claude-")) + 7);
    struct claude claude = {
        .version = read_version(text),
        .is_opus = holds(text, GW_STR("opus")),
        .is_sonnet = holds(text, GW_STR("sonnet")),
        .is_haiku = holds(text, GW_STR("haiku")),
        .is_top = holds(text, GW_STR("fable")) || holds(text, GW_STR("mythos")),
    };
    bool is_newest = claude.version >= 55 && !claude.is_haiku;
    model->thinking = claude.version >= 46   ? GW_BEDROCK_THINKS_ADAPTIVE
                      : claude.version >= 37 ? GW_BEDROCK_THINKS_BUDGET
                                             : GW_BEDROCK_THINKS_NOT;
    model->schema = claude.version >= 45 ? GW_BEDROCK_SCHEMA_NATIVE : GW_BEDROCK_SCHEMA_TOOL;
    model->thinks_always = claude.is_top || (is_newest && claude.is_opus);
    model->thinks_by_default = claude.version >= 50;
    model->stays_brief = is_newest && claude.is_sonnet;
    model->has_xhigh = claude.version >= 47;
    model->omits_thoughts = claude.version >= 47;
    model->refuses_sampling = claude.version >= 47;
    model->takes_one_sampling = claude.version == 45 || claude.version == 46;
    model->refuses_forced = claude.is_top || is_newest;
    model->caches = claude.version >= 35;
    model->caches_tools = model->caches;
    model->has_result_status = true;
}

/* The id itself: without "converse/", or a region in front as LiteLLM's users write it. */
static struct gw_str read_id(struct gw_str name)
{
    if (gw_str_has_prefix(name, GW_STR("converse/"))) {
        name = gw_str_skip(name, 9);
    }
    struct gw_str rest = name;
    struct gw_str first;
    bool has_region = !gw_str_has_prefix(name, GW_STR("arn:")) &&
                      gw_str_split(&rest, '/', &first) && rest.len > 0 &&
                      gw_str_find_byte(first, '-') < first.len &&
                      gw_str_find_byte(first, '.') == first.len;
    return has_region ? rest : name;
}

struct gw_bedrock_model gw_bedrock_model_of(struct gw_str name)
{
    static const struct {
        struct gw_str part;
        enum gw_bedrock_family family;
        enum gw_bedrock_schema schema;
    } families[] = {
        {GW_STR_INIT("claude-"), GW_BEDROCK_CLAUDE, GW_BEDROCK_SCHEMA_TOOL},
        {GW_STR_INIT("amazon.nova-2"), GW_BEDROCK_NOVA2, GW_BEDROCK_SCHEMA_TOOL},
        {GW_STR_INIT("amazon.nova"), GW_BEDROCK_NOVA, GW_BEDROCK_SCHEMA_TOOL},
        {GW_STR_INIT("gpt-oss"), GW_BEDROCK_GPT_OSS, GW_BEDROCK_SCHEMA_NATIVE},
        {GW_STR_INIT("meta.llama"), GW_BEDROCK_LLAMA, GW_BEDROCK_SCHEMA_PROMPT},
        {GW_STR_INIT("mistral.mistral-large-24"), GW_BEDROCK_MISTRAL, GW_BEDROCK_SCHEMA_TOOL},
        {GW_STR_INIT("mistral.mistral-7b"), GW_BEDROCK_MISTRAL, GW_BEDROCK_SCHEMA_PROMPT},
        {GW_STR_INIT("mistral.mixtral"), GW_BEDROCK_MISTRAL, GW_BEDROCK_SCHEMA_PROMPT},
        {GW_STR_INIT("mistral.pixtral"), GW_BEDROCK_MISTRAL, GW_BEDROCK_SCHEMA_TOOL},
        {GW_STR_INIT("mistral."), GW_BEDROCK_MISTRAL, GW_BEDROCK_SCHEMA_NATIVE},
        {GW_STR_INIT("cohere."), GW_BEDROCK_COHERE, GW_BEDROCK_SCHEMA_PROMPT},
        {GW_STR_INIT("amazon.titan"), GW_BEDROCK_TITAN, GW_BEDROCK_SCHEMA_PROMPT},
        {GW_STR_INIT("deepseek.r1"), GW_BEDROCK_DEEPSEEK_R1, GW_BEDROCK_SCHEMA_PROMPT},
    };
    struct gw_bedrock_model model = {.id = read_id(name)};
    for (size_t i = 0; i < GW_ARRAY_LEN(families); i++) {
        if (holds(model.id, families[i].part)) {
            model.family = families[i].family;
            model.schema = families[i].schema;
            break;
        }
    }
    bool is_nova = model.family == GW_BEDROCK_NOVA || model.family == GW_BEDROCK_NOVA2;
    model.caches = is_nova;
    model.has_result_status = is_nova;
    if (model.family == GW_BEDROCK_CLAUDE) {
        read_claude(&model, model.id);
    }
    return model;
}
