/* SPDX-License-Identifier: ISC */
#include "base/rd.h"
#include "base/require.h"

/*
 * Takes numbers and bytes out of what a peer or a file sent.  No read goes
 * beyond the given size, nothing is copied, and numbers are put together
 * from bytes, so that data may lie at any address.  Called for every frame.
 *
 * A bad reader has left == 0: the fixed-size reads need one comparison only.
 */

static void
fail(struct rd *r)
{
	r->bad = true;
	r->left = 0;
}

void
rd_init(struct rd *r, const void *data, size_t size)
{
	REQUIRE(data != NULL || size == 0);
	/* NULL + 0 is undefined, and rd_bytes() says NULL for an error. */
	r->p = data != NULL ? data : (const void *)"";
	r->left = size;
	r->bad = false;
}

uint8_t
rd_u8(struct rd *r)
{
	if (r->left < 1) {
		fail(r);
		return 0;
	}
	r->left--;
	return *r->p++;
}

uint16_t
rd_u16(struct rd *r)
{
	const uint8_t *p = r->p;

	if (r->left < 2) {
		fail(r);
		return 0;
	}
	r->p += 2;
	r->left -= 2;
	return (uint16_t)(p[0] << 8 | p[1]);
}

uint32_t
rd_u32(struct rd *r)
{
	const uint8_t *p = r->p;

	if (r->left < 4) {
		fail(r);
		return 0;
	}
	r->p += 4;
	r->left -= 4;
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	    (uint32_t)p[2] << 8 | (uint32_t)p[3];
}

uint64_t
rd_u64(struct rd *r)
{
	const uint8_t *p = r->p;

	if (r->left < 8) {
		fail(r);
		return 0;
	}
	r->p += 8;
	r->left -= 8;
	return (uint64_t)p[0] << 56 | (uint64_t)p[1] << 48 |
	    (uint64_t)p[2] << 40 | (uint64_t)p[3] << 32 |
	    (uint64_t)p[4] << 24 | (uint64_t)p[5] << 16 |
	    (uint64_t)p[6] << 8 | (uint64_t)p[7];
}

const uint8_t *
rd_bytes(struct rd *r, size_t size)
{
	const uint8_t *p = r->p;

	if (r->bad || r->left < size) {
		fail(r);
		return NULL;
	}
	r->p += size;
	r->left -= size;
	return p;
}

const uint8_t *
rd_rest(struct rd *r, size_t *size)
{
	*size = r->left;
	return rd_bytes(r, r->left);
}

size_t
rd_left(const struct rd *r)
{
	return r->left;
}

bool
rd_bad(const struct rd *r)
{
	return r->bad;
}

bool
rd_done(const struct rd *r)
{
	return !r->bad && r->left == 0;
}
