/* SPDX-License-Identifier: MIT */
/*
 * fuzz/fuzz_event_stream - however a stream of frames is split, the messages are the same, and
 * frames that were made right are read right.
 *
 * The first byte of the input chooses the sizes of the parts; the rest is the stream. Since no
 * mutation meets a checksum, the stream is also wrapped: its first half as headers of a frame, the
 * rest as payload.
 */
#include "fuzz_target.h"
#include "tests/unit/http/event_stream_frame.h"

#define MAX_PAYLOAD_BYTES 512 /* small, so that the limit is met */

static void run(struct gw_str input, size_t first)
{
    struct frame_trace whole;
    struct frame_trace split;
    frame_trace_init(&whole);
    frame_trace_init(&split);
    enum gw_err err = frame_trace_run(&whole, MAX_PAYLOAD_BYTES, input, 0, input.len + 1);
    FUZZ_CHECK(err == GW_OK || err == GW_ERR_TOO_LARGE || err == GW_ERR_PROTOCOL ||
               err == GW_ERR_EOF);
    const size_t steps[][2] = {{0, 1}, {first, input.len + 1}, {0, first + 2}};
    for (size_t i = 0; i < GW_ARRAY_LEN(steps); i++) {
        enum gw_err got =
            frame_trace_run(&split, MAX_PAYLOAD_BYTES, input, steps[i][0], steps[i][1]);
        FUZZ_CHECK(got == err);
        FUZZ_CHECK(gw_str_eq(gw_buf_str(&whole.text), gw_buf_str(&split.text)));
    }
    gw_buf_fini(&whole.text);
    gw_buf_fini(&split.text);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (size == 0) {
        return 0;
    }
    struct gw_str input = gw_str((const char *)bytes + 1, size - 1);
    run(input, bytes[0]);
    struct gw_buf made;
    gw_buf_init(&made, FRAME_TRACE_BYTES);
    struct gw_str headers = gw_str(input.ptr, input.len / 2);
    frame_raw(&made, headers, gw_str_skip(input, headers.len));
    frame_add(&made, GW_STR(":event-type"), GW_STR("chunk"), headers);
    run(gw_buf_str(&made), bytes[0]);
    gw_buf_fini(&made);
    return 0;
}
