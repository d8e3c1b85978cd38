/* SPDX-License-Identifier: MIT */
/*
 * fuzz/fuzz_bedrock_decode - answers of Bedrock, plain and streamed, at several splits.
 *
 * The first byte of the input chooses the size of the first part, the second one plain answer,
 * frames as they are, or lines "type payload" that are made frames, so that mutations are not all
 * stopped by a checksum.
 */
#include "decoder_run.h"
#include "provider/bedrock_int.h"
#include "tests/unit/http/event_stream_frame.h"

static void run_lines(struct gw_decoder_opts opts, struct gw_str input, size_t first)
{
    struct gw_buf stream;
    struct gw_str rest = input;
    struct gw_str line;
    gw_buf_init(&stream, FRAME_TRACE_BYTES);
    while (gw_str_split(&rest, '\n', &line)) {
        bool is_exception = line.len > 0 && line.ptr[0] == '!';
        line = gw_str_skip(line, is_exception ? 1 : 0);
        size_t blank = gw_str_find_byte(line, ' ');
        struct gw_str type = gw_str(line.ptr, blank < 1000 ? blank : 1000);
        frame_add(&stream, is_exception ? GW_STR(":exception-type") : GW_STR(":event-type"), type,
                  gw_str_skip(line, blank + 1));
    }
    decoder_run(&gw_api_bedrock, opts, gw_buf_str(&stream), first);
    gw_buf_fini(&stream);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (size < 2) {
        return 0;
    }
    struct gw_tool_name names[] = {
        {.client = GW_STR("ns.f"), .sent = GW_STR("f")},
        {.client = GW_STR("patch"), .sent = GW_STR("patch"), .is_custom = true}};
    const struct gw_bedrock_memory memory = {.names = {.entries = names, .count = 2},
                                             .schema_tool = GW_STR("structured_answer"),
                                             .is_claude = true};
    struct gw_decoder_opts opts = {.mode = bytes[1] % 3 == 0 ? GW_DECODE_PLAIN : GW_DECODE_STREAM,
                                   .memory = bytes[1] >= 128 ? NULL : &memory};
    struct gw_str input = gw_str((const char *)bytes + 2, size - 2);
    if (bytes[1] % 3 == 2) {
        run_lines(opts, input, bytes[0]);
    } else {
        decoder_run(&gw_api_bedrock, opts, input, bytes[0]);
    }
    return 0;
}
