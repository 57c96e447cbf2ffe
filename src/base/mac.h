/* SPDX-License-Identifier: ISC */
#ifndef BASE_MAC_H
#define BASE_MAC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/blake2s.h"

/* What every user of secrets needs: keys from keys, comparing, wiping. */
#define MAC_KEY 32u /* bytes of any key */
#define MAC_TAG 16u /* bytes of a tag: BLAKE2s-128 */

/* One byte of each derivation: a key is good for one thing only. */
enum mac_purpose {
	MAC_UNICAST = 1,
	MAC_MULTICAST = 2,
	MAC_HANDSHAKE = 3,
	MAC_STREAM = 4
};

/* Whose key it is.  DVMs with the same key by mistake have other keys here. */
struct mac_who {
	uint32_t dvm;
	uint16_t node;
	uint64_t epoch;
	enum mac_purpose purpose;
};

/* A DVM's key, ready for derivations.  As secret as the key itself. */
struct mac_root {
	struct blake2s_keyed keyed;
};

void mac_root_init(struct mac_root *r, const uint8_t key[MAC_KEY]);
/*
 * BLAKE2s-256(key, "orcm1" || dvm || node || epoch || purpose || more), all
 * numbers big-endian.  more is what only this use knows, as a transcript;
 * NULL and 0 without.
 */
void mac_derive(const struct mac_root *r, const struct mac_who *who,
    const void *more, size_t more_size, uint8_t out[MAC_KEY]);
/* The same, as the start of tags under the derived key. */
void mac_derive_tags(const struct mac_root *r, const struct mac_who *who,
    const void *more, size_t more_size, struct blake2s_keyed *out);

/* Are they the same?  Takes as long wherever they differ. */
bool mac_same(const void *a, const void *b, size_t size);
/* Zeroes memory that nobody reads again; no compiler takes that away. */
void mac_wipe(void *p, size_t size);

#endif
