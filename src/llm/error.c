/* SPDX-License-Identifier: MIT */
/* llm/error - names of the classes. */
#include "llm/error.h"

#include "base/assert.h"

struct gw_str gw_error_class_name(enum gw_error_class class)
{
    static const struct gw_str names[] = {
#define XX(id, name) [GW_ERROR_##id] = GW_STR_INIT(name),
        GW_ERROR_CLASS_MAP(XX)
#undef XX
    };
    GW_ASSERT((unsigned)class < GW_ERROR_CLASS_COUNT);
    return names[class];
}
