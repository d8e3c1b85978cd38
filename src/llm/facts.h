/* SPDX-License-Identifier: MIT */
/*
 * llm/facts - what the gateway itself wants to know of an answer that passes through it: for the
 * record, the estimate and the decision whether it is complete.
 *
 * Source:   none
 * Shape:    filled in by whoever reads the answer: the tee of the verbatim way, or events.
 * Units:    bytes, tokens
 * Limits:   texts are cut
 * Memory:   none of its own
 * Threads:  its exchange's thread only
 * Errors:   none
 */
#ifndef GW_LLM_FACTS_H
#define GW_LLM_FACTS_H

#include <stdbool.h>
#include <stdint.h>

#include "llm/event.h"
#include "llm/usage.h"

#define GW_FACTS_REASON_BYTES 24  /* "content_filter" is the longest */
#define GW_FACTS_ERROR_BYTES  256 /* for the log; the client gets the whole */

struct gw_answer_facts {
    struct gw_usage usage;
    uint64_t output_bytes; /* text delivered, for the estimate where no usage is reported */
    uint64_t event_count;  /* of a stream */
    bool is_finished;      /* its end, a finish reason or a final event was seen */
    bool is_ended;         /* its last event was seen: nothing that matters can follow */
    bool has_error;        /* an error object was seen in the stream */
    char finish_reason[GW_FACTS_REASON_BYTES];
    char error_text[GW_FACTS_ERROR_BYTES];
};

/* Takes what |event| tells. */
void gw_facts_note(struct gw_answer_facts *facts, const struct gw_event *event);

#endif
