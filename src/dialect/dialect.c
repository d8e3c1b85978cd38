/* SPDX-License-Identifier: MIT */
/* dialect/dialect - the tables by id. */
#include "dialect/dialect.h"

const struct gw_dialect *gw_dialect_of(enum gw_dialect_id id)
{
    static const struct gw_dialect *const dialects[GW_DIALECT_COUNT] = {
        [GW_DIALECT_OPENAI] = &gw_dialect_openai,
        [GW_DIALECT_COMPLETIONS] = &gw_dialect_completions,
        [GW_DIALECT_RESPONSES] = &gw_dialect_responses,
        [GW_DIALECT_ANTHROPIC] = &gw_dialect_anthropic,
        [GW_DIALECT_GEMINI] = &gw_dialect_gemini,
        [GW_DIALECT_OLLAMA] = &gw_dialect_ollama,
    };
    return dialects[id];
}
