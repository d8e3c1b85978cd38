/* SPDX-License-Identifier: MIT */
/*
 * fuzz/fuzz_cohere_decode - answers of Cohere, plain and streamed, at several splits.
 *
 * The first byte of the input chooses the size of the first part, the second one plain or streamed.
 */
#include "decoder_run.h"
#include "provider/tool_names.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (size < 2) {
        return 0;
    }
    struct gw_tool_name entries[] = {
        {.client = GW_STR("get-f"), .sent = GW_STR("get_f")},
        {.client = GW_STR("patch"), .sent = GW_STR("patch"), .is_custom = true}};
    const struct gw_tool_names names = {.entries = entries, .count = 2};
    const struct gw_decoder_opts opts = {.mode =
                                             bytes[1] % 2 == 0 ? GW_DECODE_PLAIN : GW_DECODE_STREAM,
                                         .memory = bytes[1] >= 128 ? NULL : &names};
    decoder_run(&gw_api_cohere, opts, gw_str((const char *)bytes + 2, size - 2), bytes[0]);
    return 0;
}
