/* SPDX-License-Identifier: MIT */
/* core/conf - see the header. */
#include "core/conf.h"

#include "base/alloc.h"
#include "base/assert.h"

struct gw_conf *gw_conf_create(struct gw_snapshot *snapshot, struct gw_upstream *upstream)
{
    struct gw_conf *conf = gw_zalloc(sizeof(*conf));
    conf->snapshot = snapshot;
    conf->refs = 1;
    conf->pool_count = snapshot->origin_count;
    conf->pools = gw_zalloc(conf->pool_count * sizeof(struct gw_pool *));
    for (size_t i = 0; i < conf->pool_count; i++) {
        conf->pools[i] = gw_upstream_pool(upstream, snapshot->origins[i]);
    }
    return conf;
}

struct gw_conf *gw_conf_acquire(struct gw_conf *conf)
{
    conf->refs++;
    return conf;
}

void gw_conf_release(struct gw_conf **conf)
{
    struct gw_conf *old = *conf;
    *conf = NULL;
    if (old == NULL) {
        return;
    }
    GW_ASSERT(old->refs > 0);
    if (--old->refs > 0) {
        return;
    }
    for (size_t i = 0; i < old->pool_count; i++) {
        gw_pool_release(&old->pools[i]);
    }
    gw_free(old->pools);
    gw_snapshot_release(&old->snapshot);
    gw_free(old);
}
