/* SPDX-License-Identifier: MIT */
/* provider/api_for - which API serves a request: the vendor's, or by model where one vendor has
 * several. */
#include "base/assert.h"
#include "provider/api.h"
#include "provider/provider.h"

const struct gw_provider_api *gw_api_for(const struct gw_deployment *deployment,
                                         struct gw_str upstream_model,
                                         const struct gw_llm_request *request)
{
    (void)upstream_model;
    (void)request;
    switch (deployment->provider->kind) {
    case GW_PROVIDER_OPENAI:
        return &gw_api_openai;
    case GW_PROVIDER_BUILTIN:
        return NULL;
    }
    GW_UNREACHABLE("a provider has a kind");
}
