/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "base/require.h"
#include "base/wr.h"

/*
 * Writes numbers, bytes and TLVs for wire.c and for whoever stores records.
 * A TLV is written whole or not at all.  Nothing is ever written behind the
 * first thing that did not fit: a bad writer has left == 0.
 */

/* Takes size bytes of the room, or marks the writer bad and returns NULL. */
static uint8_t *
take(struct wr *w, size_t size)
{
	uint8_t *p = w->p;

	if (w->left < size) {
		w->bad = true;
		w->left = 0;
		return NULL;
	}
	w->p += size;
	w->left -= size;
	return p;
}

static void
put_u16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void
put_u32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 24);
	p[1] = (uint8_t)(v >> 16);
	p[2] = (uint8_t)(v >> 8);
	p[3] = (uint8_t)v;
}

static void
put_u64(uint8_t *p, uint64_t v)
{
	p[0] = (uint8_t)(v >> 56);
	p[1] = (uint8_t)(v >> 48);
	p[2] = (uint8_t)(v >> 40);
	p[3] = (uint8_t)(v >> 32);
	p[4] = (uint8_t)(v >> 24);
	p[5] = (uint8_t)(v >> 16);
	p[6] = (uint8_t)(v >> 8);
	p[7] = (uint8_t)v;
}

/* Room for a TLV with its header written; the value is the caller's part. */
static uint8_t *
take_tlv(struct wr *w, uint16_t type, uint16_t size)
{
	uint8_t *p;

	p = take(w, (size_t)4 + size);
	if (p == NULL)
		return NULL;
	put_u16(p, type);
	put_u16(p + 2, size);
	return p + 4;
}

void
wr_init(struct wr *w, void *data, size_t size)
{
	REQUIRE(data != NULL);
	w->start = data;
	w->p = data;
	w->left = size;
	w->bad = false;
}

void
wr_u8(struct wr *w, uint8_t v)
{
	uint8_t *p;

	p = take(w, 1);
	if (p != NULL)
		*p = v;
}

void
wr_u16(struct wr *w, uint16_t v)
{
	uint8_t *p;

	p = take(w, 2);
	if (p != NULL)
		put_u16(p, v);
}

void
wr_u32(struct wr *w, uint32_t v)
{
	uint8_t *p;

	p = take(w, 4);
	if (p != NULL)
		put_u32(p, v);
}

void
wr_u64(struct wr *w, uint64_t v)
{
	uint8_t *p;

	p = take(w, 8);
	if (p != NULL)
		put_u64(p, v);
}

void
wr_bytes(struct wr *w, const void *data, size_t size)
{
	uint8_t *p;

	p = take(w, size);
	if (p != NULL && size > 0)
		memcpy(p, data, size);
}

void
wr_tlv(struct wr *w, uint16_t type, const void *value, size_t size)
{
	uint8_t *p;

	if (size > UINT16_MAX) {
		w->bad = true;
		w->left = 0;
		return;
	}
	p = take_tlv(w, type, (uint16_t)size);
	if (p != NULL && size > 0)
		memcpy(p, value, size);
}

void
wr_tlv_u8(struct wr *w, uint16_t type, uint8_t v)
{
	uint8_t *p;

	p = take_tlv(w, type, 1);
	if (p != NULL)
		*p = v;
}

void
wr_tlv_u16(struct wr *w, uint16_t type, uint16_t v)
{
	uint8_t *p;

	p = take_tlv(w, type, 2);
	if (p != NULL)
		put_u16(p, v);
}

void
wr_tlv_u32(struct wr *w, uint16_t type, uint32_t v)
{
	uint8_t *p;

	p = take_tlv(w, type, 4);
	if (p != NULL)
		put_u32(p, v);
}

void
wr_tlv_u64(struct wr *w, uint16_t type, uint64_t v)
{
	uint8_t *p;

	p = take_tlv(w, type, 8);
	if (p != NULL)
		put_u64(p, v);
}

void
wr_tlv_str(struct wr *w, uint16_t type, const char *s)
{
	wr_tlv(w, type, s, strlen(s));
}

size_t
wr_size(const struct wr *w)
{
	return (size_t)(w->p - w->start);
}

bool
wr_bad(const struct wr *w)
{
	return w->bad;
}

void
wr_patch_u32(struct wr *w, size_t at, uint32_t v)
{
	if (w->bad)
		return; /* the place may be part of what did not fit */
	REQUIRE(at <= wr_size(w) && wr_size(w) - at >= 4);
	put_u32(w->start + at, v);
}
