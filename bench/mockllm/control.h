/* SPDX-License-Identifier: MIT */
/*
 * bench/mockllm/control - keys that are changed while the mock runs.
 *
 * Source:   none.
 * Shape:    POST /mock/knobs?status=503&latency=200 sets keys over the flags, for requests that
 *           begin from then on; without a query the flags alone are in force again.
 * Units:    those of the keys.
 * Limits:   none: whoever asks is a test.
 * Memory:   each set of keys lives as long as the process, as answers under way borrow its texts.
 * Threads:  any; a change is one atomic store.
 * Errors:   false: a key is not known or its value is not of its kind; nothing changes then.
 */
#ifndef MOCKLLM_CONTROL_H
#define MOCKLLM_CONTROL_H

#include <stdbool.h>

#include "common/mem.h"
#include "mockllm/knobs.h"

/* Sets the keys of |query| (a=1&b=2) over |flags|. */
bool mock_control_change(const struct mock_knobs *flags, struct bench_str query);

/* Returns the keys that requests begin with: the last change, else |flags|. */
struct mock_knobs mock_control_knobs(const struct mock_knobs *flags);

#endif
