/* SPDX-License-Identifier: MIT */
/*
 * fuzz/fuzz_sse - however a stream of events is split, the events are the same, and their raw bytes
 * are the stream.
 *
 * The first byte of the input chooses the sizes of the parts; the rest is the stream.
 */
#include "fuzz_target.h"
#include "tests/unit/http/sse_trace.h"

#define MAX_EVENT_BYTES 512 /* small, so that the limit is met */

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (size == 0) {
        return 0;
    }
    struct gw_str input = gw_str((const char *)bytes + 1, size - 1);
    struct sse_trace whole;
    struct sse_trace split;
    sse_trace_init(&whole);
    sse_trace_init(&split);
    enum gw_err err = sse_trace_run(&whole, MAX_EVENT_BYTES, input, 0, input.len);
    FUZZ_CHECK(err == GW_OK || err == GW_ERR_TOO_LARGE);
    struct gw_str raw = gw_buf_str(&whole.raw);
    FUZZ_CHECK(gw_str_has_prefix(input, raw));
    FUZZ_CHECK(err != GW_OK || raw.len == input.len);
    const size_t first = bytes[0];
    const size_t steps[][2] = {{0, 1}, {first, input.len}, {0, first + 2}};
    for (size_t i = 0; i < GW_ARRAY_LEN(steps); i++) {
        FUZZ_CHECK(sse_trace_run(&split, MAX_EVENT_BYTES, input, steps[i][0], steps[i][1]) == err);
        FUZZ_CHECK(gw_str_eq(gw_buf_str(&whole.text), gw_buf_str(&split.text)));
        FUZZ_CHECK(gw_str_eq(raw, gw_buf_str(&split.raw)));
    }
    sse_trace_fini(&whole);
    sse_trace_fini(&split);
    return 0;
}
