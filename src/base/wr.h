/* SPDX-License-Identifier: ISC */
#ifndef BASE_WR_H
#define BASE_WR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Bounded big-endian writer with a sticky error: what does not fit sets bad
 * and writes nothing more.  Only wr.c touches the members.
 */
struct wr {
	uint8_t *start, *p;
	size_t left;
	bool bad;
};

void wr_init(struct wr *w, void *data, size_t size);
void wr_u8(struct wr *w, uint8_t v);
void wr_u16(struct wr *w, uint16_t v);
void wr_u32(struct wr *w, uint32_t v);
void wr_u64(struct wr *w, uint64_t v);
void wr_bytes(struct wr *w, const void *data, size_t size);
/* One TLV: type (u16), size (u16), value.  size > 65535 sets bad. */
void wr_tlv(struct wr *w, uint16_t type, const void *value, size_t size);
void wr_tlv_u8(struct wr *w, uint16_t type, uint8_t v);
void wr_tlv_u16(struct wr *w, uint16_t type, uint16_t v);
void wr_tlv_u32(struct wr *w, uint16_t type, uint32_t v);
void wr_tlv_u64(struct wr *w, uint16_t type, uint64_t v);
void wr_tlv_str(struct wr *w, uint16_t type, const char *s); /* without NUL */
/* Bytes written so far. */
size_t wr_size(const struct wr *w);
bool wr_bad(const struct wr *w);
/* Overwrites 4 bytes that were written before at offset at. */
void wr_patch_u32(struct wr *w, size_t at, uint32_t v);

#endif
