/* SPDX-License-Identifier: MIT */
/*
 * policy/fallback - which models follow when a group fails: preset chains between vendors, and the
 * order that FAILOVER_MODE asks for.
 *
 * Source:   reference/compat.md 5.2 (chains), 5.3 (FAILOVER_MODE), 6.14.
 * Shape:    names in, names out; the configuration resolves them to groups when it is loaded and
 *           leaves out those that do not exist or have no key.
 * Units:    none
 * Limits:   GW_FALLBACK_CHAIN_MAX names in a chain
 * Memory:   static names
 * Threads:  any: no state
 * Errors:   GW_ERR_NOT_FOUND for an unknown mode
 */
#ifndef GW_POLICY_FALLBACK_H
#define GW_POLICY_FALLBACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/err.h"
#include "base/str.h"

#define GW_FALLBACK_CHAIN_MAX 4

/* Zero is the default. */
enum gw_failover_mode {
    GW_FAILOVER_CLOUD_FIRST,
    GW_FAILOVER_LOCAL_FIRST,
    GW_FAILOVER_LOCAL_ONLY,
    GW_FAILOVER_CLOUD_ONLY,
};

/* FAILOVER_MODE's value; '-' and '_' and capitals alike. Errors: GW_ERR_NOT_FOUND. */
GW_MUST_USE enum gw_err gw_failover_mode_parse(struct gw_str text, enum gw_failover_mode *mode);

/* May a deployment be used under |mode|? |is_local|: it runs on the gateway's own machines. */
bool gw_failover_mode_allows(enum gw_failover_mode mode, bool is_local);

/* Does |a_is_local| go before |b_is_local| under |mode|? For a stable sort of a chain. */
bool gw_failover_mode_prefers(enum gw_failover_mode mode, bool a_is_local, bool b_is_local);

/*
 * The models that follow |model| when nothing is configured, best first; returns how many. A name
 * with a date or a provider in front ("openai/gpt-4o-2024-08-06") is recognised by its family.
 */
size_t gw_fallback_preset(struct gw_str model, struct gw_str chain[GW_FALLBACK_CHAIN_MAX]);

/*
 * Walks lists of fallbacks from |group|: lists[g] has the groups behind group g. True when a group
 * is its own fallback over any number of steps; *back_to is then one of the circle. The loop guard
 * of policy/retry makes a circle harmless; the configuration warns of it.
 */
bool gw_fallback_has_circle(const uint32_t *const *lists, const size_t *counts, size_t group_count,
                            uint32_t *back_to);

#endif
