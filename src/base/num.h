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
/*
 * Decimal digits of v and a NUL at out[size]; returns the number of digits,
 * or 0 when the room is too small and nothing was written.  21 bytes are
 * always enough.
 */
size_t num_text(char *out, size_t size, uint64_t v);

#endif
