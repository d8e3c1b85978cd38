/* SPDX-License-Identifier: MIT */
/* policy/slow_stream - two marks, a grace period apart. */
#include "policy/slow_stream.h"

#define MS_PER_S 1000u

static uint64_t add(uint64_t a, uint64_t b)
{
    return a <= UINT64_MAX - b ? a + b : UINT64_MAX;
}

static uint64_t grace_ms(const struct gw_slow_stream_policy *policy)
{
    return policy->grace_ms > GW_SLOW_STREAM_GRACE_MIN_MS ? policy->grace_ms
                                                          : GW_SLOW_STREAM_GRACE_MIN_MS;
}

void gw_slow_stream_begin(struct gw_slow_stream *stream, uint64_t now_ms)
{
    *stream = (struct gw_slow_stream){.before_ms = now_ms, .since_ms = now_ms};
}

void gw_slow_stream_feed(struct gw_slow_stream *stream, uint64_t tokens)
{
    stream->tokens = add(stream->tokens, tokens);
}

void gw_slow_stream_feed_bytes(struct gw_slow_stream *stream, uint64_t bytes)
{
    stream->bytes = add(stream->bytes, bytes);
    gw_slow_stream_feed(stream, stream->bytes / GW_SLOW_STREAM_BYTES_PER_TOKEN);
    stream->bytes %= GW_SLOW_STREAM_BYTES_PER_TOKEN;
}

void gw_slow_stream_resume(struct gw_slow_stream *stream, uint64_t now_ms)
{
    stream->before_ms = now_ms;
    stream->before_tokens = stream->tokens;
    stream->since_ms = now_ms;
    stream->since_tokens = stream->tokens;
}

/* Nothing to guard, or too late: the client has seen so much that it stays. */
static bool is_over(const struct gw_slow_stream *stream, const struct gw_slow_stream_policy *policy)
{
    return policy->floor_tokens_per_s == 0 || stream->tokens > policy->max_delivered_tokens;
}

uint64_t gw_slow_stream_look_at_ms(const struct gw_slow_stream *stream,
                                   const struct gw_slow_stream_policy *policy)
{
    return is_over(stream, policy) ? UINT64_MAX : add(stream->since_ms, grace_ms(policy));
}

bool gw_slow_stream_is_slow(struct gw_slow_stream *stream,
                            const struct gw_slow_stream_policy *policy, uint64_t now_ms)
{
    uint64_t grace = grace_ms(policy);
    if (is_over(stream, policy)) {
        return false;
    }
    if (now_ms < stream->since_ms || now_ms - stream->since_ms > add(grace, grace)) {
        gw_slow_stream_resume(stream, now_ms);
        return false;
    }
    if (now_ms - stream->since_ms < grace) {
        return false;
    }
    uint64_t elapsed_ms = now_ms - stream->before_ms;
    uint64_t tokens = stream->tokens - stream->before_tokens;
    stream->before_ms = stream->since_ms;
    stream->before_tokens = stream->since_tokens;
    stream->since_ms = now_ms;
    stream->since_tokens = stream->tokens;
    __extension__ unsigned __int128 wanted =
        (unsigned __int128)policy->floor_tokens_per_s * elapsed_ms;
    __extension__ unsigned __int128 got = (unsigned __int128)tokens * MS_PER_S;
    return got < wanted;
}
