/* SPDX-License-Identifier: MIT */
/*
 * bench/mockllm/scene - what the last user message orders: [[tools:2]], [[status:429]], ...
 *
 * Source:   none; bench/README.md has the table.
 * Shape:    the text of a message is all that passes every translation between APIs unchanged, so
 *           a test can order the same scene through any client dialect at any vendor. The last
 *           user message that holds text counts, in whatever API's spelling.
 * Units:    those of the knobs.
 * Limits:   SCENE_MAX_BYTES of orders in one message.
 * Memory:   the orders are copied into exchange->scene, which the knobs then borrow.
 * Threads:  none.
 * Errors:   none; what is no order is text.
 */
#ifndef MOCKLLM_SCENE_H
#define MOCKLLM_SCENE_H

/* More than anybody writes into a prompt. */
#define SCENE_MAX_BYTES 4096u

struct mock_exchange;

/* Reads the orders in exchange->doc into exchange->knobs. */
void mock_scene_read(struct mock_exchange *exchange);

#endif
