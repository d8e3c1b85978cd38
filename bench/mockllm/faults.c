/* SPDX-License-Identifier: MIT */
/* Counters that decide which requests fail, and the bytes of failures. */
#include "mockllm/faults.h"

#include <pthread.h>
#include <string.h>

struct counter {
    uint64_t hash; /* 0: free */
    uint64_t seen;
};

static pthread_mutex_t counters_lock = PTHREAD_MUTEX_INITIALIZER;
static struct counter counters[MOCK_FAULT_COUNTERS];

static uint64_t hash_bytes(uint64_t hash, struct bench_str s)
{
    for (size_t i = 0; i < s.len; i++) { /* FNV-1a */
        hash = (hash ^ (unsigned char)s.ptr[i]) * 0x100000001b3u;
    }
    return hash;
}

/* Returns how many requests of this hash came before. */
static uint64_t count_one(uint64_t hash)
{
    uint64_t seen = 0;
    pthread_mutex_lock(&counters_lock);
    for (size_t i = 0; i < MOCK_FAULT_COUNTERS; i++) {
        struct counter *counter = &counters[(hash + i) % MOCK_FAULT_COUNTERS];
        if (counter->hash == 0 || counter->hash == hash) {
            counter->hash = hash;
            seen = counter->seen++;
            break;
        }
    }
    pthread_mutex_unlock(&counters_lock);
    return seen;
}

void mock_faults_gate(struct mock_knobs *knobs, struct bench_str model)
{
    if (knobs->times == 0 && knobs->every == 0) {
        return;
    }
    uint64_t hash = hash_bytes(0xcbf29ce484222325u, model);
    hash = hash_bytes(hash, BENCH_STR("\n"));
    uint64_t seen = count_one(hash_bytes(hash, knobs->key) | 1);
    bool applies = knobs->times == 0 || seen < knobs->times;
    if (knobs->every > 0 && (seen + 1) % knobs->every != 0) {
        applies = false;
    }
    if (!applies) {
        knobs->fault = MOCK_FAULT_NONE;
        knobs->status = 0;
    }
}

void mock_faults_reset(void)
{
    pthread_mutex_lock(&counters_lock);
    memset(counters, 0, sizeof(counters));
    pthread_mutex_unlock(&counters_lock);
}

bool mock_fault_is_mid(enum mock_fault fault)
{
    switch (fault) {
    case MOCK_FAULT_RESET_AFTER_CHUNKS:
    case MOCK_FAULT_CLOSE_EARLY:
    case MOCK_FAULT_STALL_MID:
    case MOCK_FAULT_HALF_CHUNK:
    case MOCK_FAULT_GARBAGE_SSE:
    case MOCK_FAULT_ERROR_MID:
    case MOCK_FAULT_BAD_CHUNK:
        return true;
    case MOCK_FAULT_NONE:
    case MOCK_FAULT_RESET:
    case MOCK_FAULT_RESET_AFTER_HEADERS:
    case MOCK_FAULT_STALL:
    case MOCK_FAULT_GARBAGE:
    case MOCK_FAULT_SHORT_LENGTH:
    case MOCK_FAULT_EMPTY_STREAM:
    case MOCK_FAULT_NO_DONE:
    case MOCK_FAULT_CLOSE_DELIMITED:
    case MOCK_FAULT_TWO_LENGTHS:
    case MOCK_FAULT_NO_READ:
        return false;
    }
    return false;
}

struct bench_str mock_fault_garbage(void)
{
    return BENCH_STR("\x16\x03\x01 this is not HTTP \xff\xfe\x00\x01\r\n\r\nneither is this\n");
}

struct bench_str mock_fault_garbage_sse(void)
{
    return BENCH_STR(
        "data: {\"id\":\"chatcmpl-broken\",\"choices\":[{\"delta\":{\"content\":\xff\n\n"
        "\x00\x01 no field at all\n\n");
}

struct bench_str mock_fault_bad_chunk(void)
{
    return BENCH_STR("zz;no=number\r\ndata: {}\n\n\r\n");
}
