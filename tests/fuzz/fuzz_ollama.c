/* SPDX-License-Identifier: MIT */
/*
 * fuzz/fuzz_ollama - whatever an Ollama client sends: it is refused with a message, or becomes a
 * chat that every vendor's encoder takes or refuses with a message.
 *
 * The first byte of the input chooses the path, the models and what the deployment drops; the rest
 * is the body.
 */
#include "chat_run.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const char *const paths[] = {"/api/chat", "/api/generate"};
    if (size > 0) {
        chat_run(&gw_dialect_ollama, GW_TASK_CHAT, paths[(bytes[0] >> 2) & 1], bytes[0],
                 gw_str((const char *)bytes + 1, size - 1));
    }
    return 0;
}
