/* SPDX-License-Identifier: ISC */
#ifndef TAP_H
#define TAP_H

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/*
 * The Test Anything Protocol, plan at the end: a program that dies half-way
 * prints none and has failed.  Each check takes a printf format last.
 */
static struct {
	unsigned run, failed;
	bool good;
} tap;

/* A failed check says where; all of them return whether they held. */
#define ok(cond, ...)                                                          \
	(tap_head(cond), (void)printf(__VA_ARGS__),                            \
	    tap_tail(__FILE__, __LINE__))
#define is_u64(got, want, ...)                                                 \
	(ok(tap_u64((got), (want)), __VA_ARGS__))
#define is_str(got, want, ...)                                                 \
	(ok(tap_str((got), (want)), __VA_ARGS__))

static inline void
tap_head(bool good)
{
	tap.good = good;
	printf("%sok %u - ", good ? "" : "not ", ++tap.run);
}

static inline bool
tap_tail(const char *file, int line)
{
	printf("\n");
	if (!tap.good) {
		tap.failed++;
		printf("# failed at %s:%d\n", file, line);
	}
	fflush(stdout);
	return tap.good;
}

static inline bool
tap_u64(uint64_t got, uint64_t want)
{
	if (got != want)
		printf("# got %" PRIu64 " (0x%" PRIx64 "), wanted %" PRIu64
		       " (0x%" PRIx64 ")\n", got, got, want, want);
	return got == want;
}

static inline bool
tap_str(const char *got, const char *want)
{
	if (strcmp(got, want) != 0)
		printf("# got \"%s\", wanted \"%s\"\n", got, want);
	return strcmp(got, want) == 0;
}

static inline int
done_testing(void)
{
	printf("1..%u\n", tap.run);
	return tap.failed > 0 || tap.run == 0;
}

#endif
