/* SPDX-License-Identifier: ISC */
#include <time.h>

#include "base/require.h"
#include "sys/clock.h"

uint64_t
clock_now(void)
{
	struct timespec t;

	REQUIRE(clock_gettime(CLOCK_MONOTONIC, &t) == 0);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint64_t
clock_wall_ms(void)
{
	struct timespec t;

	REQUIRE(clock_gettime(CLOCK_REALTIME, &t) == 0);
	return (uint64_t)t.tv_sec * 1000u + (uint64_t)t.tv_nsec / 1000000u;
}
