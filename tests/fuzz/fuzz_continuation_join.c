/* SPDX-License-Identifier: MIT */
/*
 * fuzz/fuzz_continuation_join - wherever a continuation is cut into pieces the same is delivered,
 * and nothing is left out but a beginning.
 *
 * The first byte says whether the server repeats the prefix, the second one the pieces' size; up to
 * the first NUL byte after them stands what was delivered, behind it the continuation.
 */
#include "fuzz_target.h"
#include "llm/continuation_join.h"

static void run(struct gw_str delivered, struct gw_str text, bool repeats, size_t step,
                struct gw_buf *out)
{
    struct gw_continuation_join join;
    gw_continuation_join_init(&join, delivered, repeats);
    for (size_t at = 0; at < text.len; at += step) {
        struct gw_str piece = gw_str(text.ptr + at, step < text.len - at ? step : text.len - at);
        FUZZ_CHECK(gw_continuation_join_feed(&join, piece, out) == GW_OK);
    }
    FUZZ_CHECK(gw_continuation_join_end(&join, out) == GW_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (size < 2) {
        return 0;
    }
    struct gw_str rest = gw_str((const char *)bytes + 2, size - 2);
    size_t end = gw_str_find_byte(rest, '\0');
    struct gw_str delivered = gw_str(rest.ptr, end);
    struct gw_str text = gw_str_skip(rest, end < rest.len ? end + 1 : end);
    struct gw_buf whole;
    struct gw_buf pieces;
    gw_buf_init(&whole, size);
    gw_buf_init(&pieces, size);
    run(delivered, text, (bytes[0] & 1) != 0, size, &whole);
    run(delivered, text, (bytes[0] & 1) != 0, (size_t)bytes[1] % 16 + 1, &pieces);
    FUZZ_CHECK(gw_str_eq(gw_buf_str(&whole), gw_buf_str(&pieces)));
    FUZZ_CHECK(gw_str_has_suffix(text, gw_buf_str(&whole)));
    gw_buf_fini(&whole);
    gw_buf_fini(&pieces);
    return 0;
}
