/* SPDX-License-Identifier: MIT */
/* One pointer to the keys in force; sets are never changed and never freed. */
#include "mockllm/control.h"

#include <stdatomic.h>

struct change {
    struct mock_knobs knobs;
    struct bench_buf query; /* the texts of |knobs| borrow from it */
};

static _Atomic(const struct change *) in_force;

bool mock_control_change(const struct mock_knobs *flags, struct bench_str query)
{
    struct change *change = bench_alloc(sizeof(*change));
    change->knobs = *flags;
    bench_buf_str(&change->query, query);
    if (!mock_knobs_from_query(&change->knobs, bench_buf_view(&change->query))) {
        bench_buf_fini(&change->query);
        bench_free(change);
        return false;
    }
    atomic_store(&in_force, change);
    return true;
}

struct mock_knobs mock_control_knobs(const struct mock_knobs *flags)
{
    const struct change *change = atomic_load(&in_force);
    return change != NULL ? change->knobs : *flags;
}
