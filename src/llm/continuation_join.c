/* SPDX-License-Identifier: MIT */
/* llm/continuation_join - all repetitions that are still possible, narrowed down byte by byte. */
#include "llm/continuation_join.h"

#include "llm/continuation.h"

/* Fewer different bytes are a line of dashes or blanks, which goes on as often as it likes. */
#define DIFFERENT_MIN 5u

void gw_continuation_join_init(struct gw_continuation_join *join, struct gw_str delivered,
                               bool repeats)
{
    size_t len = gw_continuation_prefix(delivered).len;
    *join = (struct gw_continuation_join){
        .delivered = delivered, .prefix_len = len, .is_echo = len > 0, .repeats = repeats};
    size_t max = len < GW_CONTINUATION_OVERLAP_MAX ? len : GW_CONTINUATION_OVERLAP_MAX;
    for (size_t overlap = GW_CONTINUATION_OVERLAP_MIN; overlap <= max; overlap++) {
        join->overlaps[(overlap - 1) / 64] |= UINT64_C(1) << (overlap - 1) % 64;
    }
}

/* Are these words, or a line of one byte after the other? */
static bool is_telling(struct gw_str text)
{
    uint64_t seen[4] = {0};
    unsigned different = 0;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char byte = (unsigned char)text.ptr[i];
        different += (seen[byte / 64] >> byte % 64 & 1) == 0;
        seen[byte / 64] |= UINT64_C(1) << byte % 64;
    }
    return different >= DIFFERENT_MIN;
}

/* Is the whole prefix that came back a repetition, or an accident? */
static bool is_whole_echo(const struct gw_continuation_join *join)
{
    return join->is_echo && join->matched == join->prefix_len &&
           (join->repeats || (join->prefix_len >= GW_CONTINUATION_OVERLAP_MIN &&
                              is_telling(gw_str(join->delivered.ptr, join->prefix_len))));
}

/* Where in |delivered| the text that is held back can be read: all that is possible agrees. */
static const char *held_text(const struct gw_continuation_join *join, size_t overlap)
{
    return join->delivered.ptr + (join->is_echo ? 0 : join->prefix_len - overlap);
}

/* Narrows the possible overlaps down by the next |byte|; true when one is left. *length is one
 * that the bytes before agree with. */
static bool narrow(struct gw_continuation_join *join, char byte, size_t *length)
{
    bool is_any = false;
    for (size_t word = 0; word < GW_CONTINUATION_OVERLAP_MAX / 64; word++) {
        for (uint64_t bits = join->overlaps[word]; bits != 0; bits &= bits - 1) {
            unsigned bit = (unsigned)__builtin_ctzll(bits);
            size_t overlap = word * 64 + bit + 1;
            const char *at = join->delivered.ptr + join->prefix_len - overlap;
            *length = overlap;
            if (join->matched < overlap && at[join->matched] == byte) {
                is_any = true;
            } else {
                join->overlaps[word] &= ~(UINT64_C(1) << bit);
            }
        }
    }
    return is_any;
}

/* The overlap of exactly the bytes held back, if it is one. */
static void note_complete(struct gw_continuation_join *join)
{
    size_t length = join->matched;
    if (length < GW_CONTINUATION_OVERLAP_MIN || length > GW_CONTINUATION_OVERLAP_MAX ||
        (join->overlaps[(length - 1) / 64] >> (length - 1) % 64 & 1) == 0) {
        return;
    }
    if (is_telling(gw_str(join->delivered.ptr + join->prefix_len - length, length))) {
        join->overlap = length;
    }
}

/* White space that the prefix was sent without has been delivered; it may come again. */
static void begin_space(struct gw_continuation_join *join)
{
    join->is_space = true;
    join->matched = 0;
}

/* What was held back is no repetition beyond its first |drop| bytes. */
static void release(struct gw_continuation_join *join, const char *held, size_t drop,
                    struct gw_buf *out)
{
    size_t count = join->matched;
    if (drop < count) {
        (void)gw_buf_append(out, gw_str(held + drop, count - drop));
        join->passes = true;
    }
    begin_space(join);
}

/* One byte while a repetition is possible; false when it is not part of one. */
static bool take_byte(struct gw_continuation_join *join, char byte, struct gw_buf *out)
{
    size_t length = 0;
    bool was_echo = join->is_echo;
    bool had_overlap = narrow(join, byte, &length);
    join->is_echo =
        was_echo && join->matched < join->prefix_len && join->delivered.ptr[join->matched] == byte;
    if (had_overlap || join->is_echo) {
        join->matched++;
        note_complete(join);
        if (is_whole_echo(join)) {
            begin_space(join);
        }
        return true;
    }
    join->is_echo = was_echo;
    release(join, length > 0 || was_echo ? held_text(join, length) : NULL, join->overlap, out);
    return false;
}

static bool take_space(struct gw_continuation_join *join, char byte)
{
    size_t at = join->prefix_len + join->space;
    if (at < join->delivered.len && join->delivered.ptr[at] == byte) {
        join->space++;
        return true;
    }
    return false;
}

enum gw_err gw_continuation_join_feed(struct gw_continuation_join *join, struct gw_str text,
                                      struct gw_buf *out)
{
    size_t at = 0;
    while (at < text.len && !join->passes) {
        if (!join->is_space) {
            at += take_byte(join, text.ptr[at], out);
        } else if (take_space(join, text.ptr[at])) {
            at++;
        } else {
            join->passes = true;
        }
    }
    (void)gw_buf_append(out, gw_str_skip(text, at));
    return out->err;
}

enum gw_err gw_continuation_join_end(struct gw_continuation_join *join, struct gw_buf *out)
{
    if (!join->is_space && !join->passes && join->matched > join->overlap) {
        size_t length = 0;
        for (size_t i = 0; i < GW_CONTINUATION_OVERLAP_MAX && length == 0; i++) {
            length = (join->overlaps[i / 64] >> i % 64 & 1) != 0 ? i + 1 : 0;
        }
        release(join, held_text(join, length), join->overlap, out);
    }
    join->passes = true;
    return out->err;
}
