/* SPDX-License-Identifier: ISC */
#ifndef BASE_SIPHASH_H
#define BASE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

/*
 * SipHash-2-4 (Aumasson, Bernstein 2012): a keyed hash for short input.  The
 * 64-bit one is for tables whose keys come from others; the 128-bit one (the
 * authors' reference code, not in the paper) for bulk data.
 */
#define SIPHASH_KEY 16u

uint64_t siphash64(const uint8_t key[SIPHASH_KEY], const void *data,
    size_t size);
void siphash128(const uint8_t key[SIPHASH_KEY], const void *data, size_t size,
    uint8_t out[16]);

#endif
