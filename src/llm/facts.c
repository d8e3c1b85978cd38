/* SPDX-License-Identifier: MIT */
/* llm/facts - facts out of events. */
#include "llm/facts.h"

#include <stdio.h>

static void keep(char *out, size_t size, struct gw_str text)
{
    snprintf(out, size, GW_STR_FMT, GW_STR_ARG(text));
}

void gw_facts_note(struct gw_answer_facts *facts, const struct gw_event *event)
{
    facts->event_count++;
    switch (event->type) {
    case GW_EVENT_TEXT:
    case GW_EVENT_REASONING:
    case GW_EVENT_REFUSAL:
        facts->output_bytes += event->text.len;
        break;
    case GW_EVENT_TOOL_ARGUMENTS:
        facts->output_bytes += event->arguments.text.len;
        break;
    case GW_EVENT_FINISH:
        facts->is_finished = true;
        keep(facts->finish_reason, sizeof(facts->finish_reason),
             gw_finish_name(event->finish.reason));
        break;
    case GW_EVENT_USAGE:
        facts->usage = event->usage;
        break;
    case GW_EVENT_ERROR:
        facts->has_error = true;
        keep(facts->error_text, sizeof(facts->error_text), event->error->message);
        break;
    case GW_EVENT_END:
        facts->is_finished = true;
        facts->is_ended = true;
        break;
    default:
        break;
    }
}
