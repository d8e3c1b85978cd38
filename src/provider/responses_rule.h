/* SPDX-License-Identifier: MIT */
/*
 * provider/responses_rule - which of OpenAI's models must be spoken to through Responses.
 *
 * Source:   shared/providers/openai.md section 3 ("TRAP"): function tools together with reasoning
 *           are refused in chat completions from gpt-5.4 on; -pro and -codex models exist in
 *           Responses only.
 * Shape:    gw_api_for() asks for chat-like tasks of OpenAI's own deployments (and Azure's, which
 *           serve the same models), and takes gw_api_responses where the answer is yes.
 * Units:    none
 * Limits:   none
 * Memory:   none
 * Threads:  any
 * Errors:   none
 */
#ifndef GW_PROVIDER_RESPONSES_RULE_H
#define GW_PROVIDER_RESPONSES_RULE_H

#include <stdbool.h>

#include "base/str.h"
#include "llm/request.h"

/*
 * Must |request| go through Responses to reach |model|? A client of chat completions stays on the
 * verbatim way as long as the model can answer there: without tools, or with effort "none". Who is
 * translated anyway loses nothing and gains reasoning that lasts over tool calls, so for other
 * dialects every model with the trap is answered yes.
 */
bool gw_openai_needs_responses(struct gw_str model, const struct gw_llm_request *request);

#endif
