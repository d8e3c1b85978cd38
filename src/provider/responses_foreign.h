/* SPDX-License-Identifier: MIT */
/*
 * provider/responses_foreign - reasoning of other vendors in a verbatim body of Responses.
 *
 * Source:   dialect/responses_items.c, which seals it
 * Shape:    one edit of the splice, where there is such reasoning at all
 * Units:    none
 * Limits:   those of the splice
 * Memory:   in the arena
 * Threads:  any
 * Errors:   see the function
 */
#ifndef GW_PROVIDER_RESPONSES_FOREIGN_H
#define GW_PROVIDER_RESPONSES_FOREIGN_H

#include "base/arena.h"
#include "base/compiler.h"
#include "base/err.h"
#include "base/str.h"
#include "json/splice.h"

/*
 * Takes reasoning that only other vendors can read out of a verbatim body: what a translated answer
 * of this gateway carried in "encrypted_content" ("gatewire."), OpenAI would refuse. Plans nothing
 * where there is none. Errors: GW_ERR_NOMEM, GW_ERR_TOO_LARGE.
 */
GW_MUST_USE enum gw_err gw_responses_drop_foreign(struct gw_arena *arena, struct gw_str body,
                                                  struct gw_json_splice *splice);

#endif
