/* SPDX-License-Identifier: ISC */
#ifndef BASE_NUM_H
#define BASE_NUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Text to numbers and back without a locale or errno.  All refuse an empty
 * text, a sign, blanks and anything behind the number.
 */
bool num_u64(const char *s, uint64_t min, uint64_t max, uint64_t *out);
bool num_u32(const char *s, uint32_t min, uint32_t max, uint32_t *out);
/* Bytes with an optional K, M, G or T (powers of 1024): "64M". */
bool num_size(const char *s, uint64_t *out);
/* Milliseconds, or with a unit: "500", "500ms", "5s", "2m", "1h"; in ms. */
bool num_ms(const char *s, uint64_t *out);
/* A time in ns: "0", or with a unit: "50ms", "2s", "10m", "1h". */
bool num_time(const char *s, uint64_t *out);
/* With at most three decimals, in thousandths: "0.5" is 500. */
bool num_milli(const char *s, uint64_t *out);
/*
 * A probability from 0 to 1 in parts of 10^9: "1e-5", "2.5e-4", "0.01".  What
 * is finer than that is refused.
 */
bool num_prob(const char *s, uint32_t *out);
/*
 * Decimal digits of v and a NUL at out[size]; returns the number of digits,
 * or 0 when the room is too small and nothing was written.  21 bytes are
 * always enough.
 */
size_t num_text(char *out, size_t size, uint64_t v);
/*
 * The shortest text that the functions above read as v, NUL ended.  A time
 * is cut to whole milliseconds.
 */
#define NUM_TEXT_MAX 24u
void num_size_text(char out[NUM_TEXT_MAX], uint64_t bytes);
void num_time_text(char out[NUM_TEXT_MAX], uint64_t ns);
void num_milli_text(char out[NUM_TEXT_MAX], uint64_t thousandths);
void num_prob_text(char out[NUM_TEXT_MAX], uint32_t parts);

#endif
