/* SPDX-License-Identifier: MIT */
/* llm/event - names, and which events are output. */
#include "llm/event.h"

#include "base/assert.h"

struct gw_str gw_finish_name(enum gw_finish finish)
{
    static const struct gw_str names[] = {
#define XX(id, name) GW_STR_INIT(name),
        GW_FINISH_MAP(XX)
#undef XX
    };
    return names[finish];
}

bool gw_event_is_output(const struct gw_event *event)
{
    switch (event->type) {
    case GW_EVENT_TEXT:
    case GW_EVENT_REASONING:
    case GW_EVENT_REFUSAL:
        return event->text.len > 0;
    case GW_EVENT_REASONING_SIGNATURE:
    case GW_EVENT_REASONING_REDACTED:
    case GW_EVENT_MEDIA:
    case GW_EVENT_ANNOTATION:
    case GW_EVENT_TOOL_BEGIN:
    case GW_EVENT_TOOL_ARGUMENTS:
    case GW_EVENT_TOOL_END:
    case GW_EVENT_FINISH:
        return true;
    case GW_EVENT_START:
    case GW_EVENT_USAGE:
    case GW_EVENT_ERROR:
    case GW_EVENT_PING:
    case GW_EVENT_END:
        return false;
    case GW_EVENT_TYPE_COUNT:
        break;
    }
    GW_UNREACHABLE("no event");
}
