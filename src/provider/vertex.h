/* SPDX-License-Identifier: MIT */
/*
 * provider/vertex - where Vertex AI's models are, whoever made them.
 *
 * Source:   shared/providers/vertex.md section 1
 * Shape:    pure functions
 * Units:    bytes
 * Limits:   GW_VERTEX_URL_BYTES
 * Memory:   results in the caller's buffer
 * Threads:  any
 * Errors:   see the functions.
 */
#ifndef GW_PROVIDER_VERTEX_H
#define GW_PROVIDER_VERTEX_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "llm/catalog.h"
#include "provider/api.h"

#define GW_VERTEX_URL_BYTES 256 /* a location is some 30 bytes */

/*
 * The base URL of |location| ("global", a region, "us" or "eu"; empty is global), version included:
 * "https://us-east5-aiplatform.googleapis.com/v1". False when |location| is no such name or |size|
 * is too small.
 */
bool gw_vertex_base_url(struct gw_str location, char *buf, size_t size, struct gw_str *url);

/*
 * Appends base path, project, location, publisher and model, as far as the ':' of the method:
 * "/v1/projects/p/locations/global/publishers/anthropic/models/m". Without a project it is the
 * path of express mode, which goes with an API key. |publisher| is ours, the rest is escaped.
 * Failures stick in |out|.
 */
void gw_vertex_append_path(const struct gw_deployment *deployment, struct gw_str publisher,
                           struct gw_str model, struct gw_buf *out);

/*
 * The credential of Vertex: the access token of deployment->token; else the chosen key, as
 * an API key in express mode (no project) and as an access token otherwise.
 *
 * Errors: GW_ERR_NOMEM, GW_ERR_NOT_FOUND (no token yet).
 */
GW_MUST_USE enum gw_err gw_vertex_authorize(const struct gw_authorize_input *in,
                                            struct gw_provider_call *call);

#endif
