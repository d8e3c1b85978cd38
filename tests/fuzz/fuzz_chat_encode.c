/* SPDX-License-Identifier: MIT */
/*
 * fuzz/fuzz_chat_encode - whatever an OpenAI client sends as a chat: every vendor's encoder refuses
 * it with a message or makes JSON of it, the same each time.
 *
 * The first byte of the input chooses the models and what the deployment drops; the rest is the
 * body.
 */
#include "chat_run.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (size > 0) {
        chat_run(&gw_dialect_openai, GW_TASK_CHAT, "/chat/completions", bytes[0],
                 gw_str((const char *)bytes + 1, size - 1));
    }
    return 0;
}
