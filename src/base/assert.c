/* SPDX-License-Identifier: MIT */
/* base/assert - the end of a process whose state is broken. */
#include "base/assert.h"

#include <execinfo.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define BACKTRACE_FRAMES                                                                           \
    32 /* deeper than any stack of ours: loop, stream, codec, core is about 20 */

void gw_assert_fail(const char *what, const char *file, int line)
{
    void *frames[BACKTRACE_FRAMES];
    fprintf(stderr, "gatewire: assertion failed at %s:%d: %s\n", file, line, what);
    int count = backtrace(frames, BACKTRACE_FRAMES);
    backtrace_symbols_fd(frames, count, STDERR_FILENO);
    abort();
}
