/* SPDX-License-Identifier: MIT */
/*
 * fuzz/fuzz_completions - whatever a client of the legacy completions sends: it is refused with a
 * message, or becomes a chat that every vendor's encoder takes or refuses with a message.
 *
 * The first byte of the input chooses the models and what the deployment drops; the rest is the
 * body.
 */
#include "chat_run.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (size > 0) {
        chat_run(&gw_dialect_completions, GW_TASK_COMPLETION, "/completions", bytes[0],
                 gw_str((const char *)bytes + 1, size - 1));
    }
    return 0;
}
