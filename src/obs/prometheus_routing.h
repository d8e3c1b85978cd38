/* SPDX-License-Identifier: MIT */
/*
 * obs/prometheus_routing - metrics of deployments and model groups as Prometheus text.
 *
 * Source:   Prometheus text exposition format 0.0.4; reference/compat.md 6.10
 *           (circuit_breaker_state)
 * Shape:    one call writes all of them, from the states that the workers share.
 * Units:    seconds, as Prometheus names want them
 * Limits:   ten lines for each deployment and group of the configuration
 * Memory:   the caller's buffer
 * Threads:  any: takes the registry's lock for each state, reads relaxed atomics
 * Errors:   stick in the buffer
 */
#ifndef GW_OBS_PROMETHEUS_ROUTING_H
#define GW_OBS_PROMETHEUS_ROUTING_H

#include <stdint.h>

#include "base/buf.h"
#include "llm/catalog.h"
#include "policy/deployment_state.h"

/* Appends the metrics of all deployments and groups of |catalog|. */
void gw_prometheus_write_routing(const struct gw_catalog *catalog,
                                 struct gw_deployment_registry *registry, uint64_t now_ms,
                                 struct gw_buf *out);

#endif
