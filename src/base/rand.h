/* SPDX-License-Identifier: ISC */
#ifndef BASE_RAND_H
#define BASE_RAND_H

#include <stdint.h>

/* xoshiro256** (Blackman, Vigna 2018) seeded by splitmix64; not for secrets. */
struct rand {
	uint64_t s[4];
};

void rand_seed(struct rand *r, uint64_t seed);
uint64_t rand_u64(struct rand *r);
/* Uniform in [0, n), n > 0, without bias (Lemire 2019). */
uint64_t rand_below(struct rand *r, uint64_t n);

#endif
