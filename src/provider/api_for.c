/* SPDX-License-Identifier: MIT */
/* provider/api_for - which API serves a request: the vendor's, or by model where one vendor has
 * several. */
#include "base/assert.h"
#include "provider/api.h"
#include "provider/provider.h"
#include "provider/responses_rule.h"

const struct gw_provider_api *gw_api_for(const struct gw_deployment *deployment,
                                         struct gw_str upstream_model,
                                         const struct gw_llm_request *request)
{
    switch (deployment->provider->kind) {
    case GW_PROVIDER_OPENAI:
        return gw_str_eq(deployment->provider_name, GW_STR("openai")) &&
                       gw_openai_needs_responses(upstream_model, request)
                   ? &gw_api_responses
                   : &gw_api_openai;
    case GW_PROVIDER_AZURE:
        return &gw_api_azure;
    case GW_PROVIDER_COHERE:
        return &gw_api_cohere;
    case GW_PROVIDER_ANTHROPIC:
        return &gw_api_anthropic;
    case GW_PROVIDER_GEMINI:
        return &gw_api_gemini;
    case GW_PROVIDER_VERTEX:
        return gw_str_has_prefix(upstream_model, GW_STR("claude-")) ? &gw_api_vertex_claude
                                                                    : &gw_api_vertex_gemini;
    case GW_PROVIDER_BEDROCK:
        return &gw_api_bedrock;
    case GW_PROVIDER_BUILTIN:
        return NULL;
    }
    GW_UNREACHABLE("a provider has a kind");
}
