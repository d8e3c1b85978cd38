/* SPDX-License-Identifier: MIT */
/*
 * provider/openai_api_int - what gw_api_openai and gw_api_azure share. Only provider/ includes
 * this.
 *
 * Source:   provider/api.h; shared/providers/openai.md, azure.md
 * Shape:    pieces of patch(), encode() and authorize()
 * Units:    tokens
 * Limits:   none of their own
 * Memory:   in the arena that is given
 * Threads:  any
 * Errors:   see the functions
 */
#ifndef GW_PROVIDER_OPENAI_API_INT_H
#define GW_PROVIDER_OPENAI_API_INT_H

#include "provider/api.h"

/*
 * Plans the patches of a verbatim body: model, usage in the stream, limits of tokens, the
 * deployment's own members. Errors: GW_ERR_NOMEM, GW_ERR_TOO_LARGE, GW_ERR_INVALID.
 */
GW_MUST_USE enum gw_err gw_openai_plan_patch(const struct gw_provider_input *in, struct gw_str body,
                                             struct gw_json_splice *splice,
                                             struct gw_provider_call *call);

/* Adds Content-Type and Accept for a translated request. Errors: GW_ERR_TOO_LARGE. */
GW_MUST_USE enum gw_err gw_openai_add_fields(const struct gw_provider_input *in,
                                             struct gw_provider_call *call);

/*
 * Adds "Authorization: Bearer ..." with the deployment's token or key, nothing when it has neither.
 *
 * Errors: GW_ERR_NOMEM, GW_ERR_NOT_FOUND (no token yet), GW_ERR_TOO_LARGE.
 */
GW_MUST_USE enum gw_err gw_openai_add_bearer(const struct gw_authorize_input *in,
                                             struct gw_provider_call *call);

/* As provider/api.h wants decode_embeddings(). */
GW_MUST_USE enum gw_err gw_openai_decode_embeddings(struct gw_str body, struct gw_str model,
                                                    struct gw_usage *usage, struct gw_buf *openai);

/* Writes the body of an embeddings request; |has_model| as gw_openai_encode_body(). */
GW_MUST_USE enum gw_err gw_openai_embeddings_body(const struct gw_provider_input *in,
                                                  yyjson_val *openai, bool has_model,
                                                  struct gw_provider_call *call);

#endif
