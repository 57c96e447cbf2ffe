/* SPDX-License-Identifier: ISC */
#ifndef BASE_RD_H
#define BASE_RD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Bounded big-endian reader with a sticky error.  A read beyond the end
 * returns 0 (or NULL) and marks the reader bad; every later read does the
 * same, so a caller reads all fields and asks rd_done() once.
 * Only rd.c touches the members.
 */
struct rd {
	const uint8_t *p;
	size_t left;
	bool bad;
};

void rd_init(struct rd *r, const void *data, size_t size);
uint8_t rd_u8(struct rd *r);
uint16_t rd_u16(struct rd *r);
uint32_t rd_u32(struct rd *r);
uint64_t rd_u64(struct rd *r);
/* size bytes in place, or NULL; valid as long as the data is. */
const uint8_t *rd_bytes(struct rd *r, size_t size);
/* Everything that is left (possibly 0 bytes) in place, its size in *size. */
const uint8_t *rd_rest(struct rd *r, size_t *size);
size_t rd_left(const struct rd *r);
bool rd_bad(const struct rd *r);
/* True when all went well and nothing is left over. */
bool rd_done(const struct rd *r);

#endif
