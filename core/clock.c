/* SPDX-License-Identifier: Apache-2.0 */
/* The two clocks: monotonic for schedules and deadlines, wall for the stamps of samples. */
#include <time.h>

#include "omnivigil.h"

static int64_t clock_read(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t ov_clock_ns(void)
{
    return clock_read(CLOCK_MONOTONIC);
}

int64_t ov_clock_ms(void)
{
    return clock_read(CLOCK_MONOTONIC) / 1000000;
}

int64_t ov_wall_ns(void)
{
    return clock_read(CLOCK_REALTIME);
}
