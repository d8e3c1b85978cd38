/* SPDX-License-Identifier: MIT */
/* llm/request - names of the tasks. */
#include "llm/request.h"

#include "base/assert.h"

struct gw_str gw_task_name(enum gw_task task)
{
    static const struct gw_str names[] = {
#define XX(id, name) [GW_TASK_##id] = GW_STR_INIT(name),
        GW_TASK_MAP(XX)
#undef XX
    };
    GW_ASSERT((unsigned)task < GW_TASK_COUNT);
    return names[task];
}
