/* SPDX-License-Identifier: ISC */
#include "base/mac.h"
#include "base/require.h"
#include "base/wr.h"

#define LABEL "orcm1"
#define WHO_SIZE (sizeof(LABEL) - 1 + 4 + 2 + 8 + 1)

void
mac_root_init(struct mac_root *r, const uint8_t key[MAC_KEY])
{
	blake2s_keyed_init(&r->keyed, MAC_KEY, key, MAC_KEY);
}

void
mac_derive(const struct mac_root *r, const struct mac_who *who,
    const void *more, size_t more_size, uint8_t out[MAC_KEY])
{
	uint8_t text[WHO_SIZE];
	struct blake2s b;
	struct wr w;

	wr_init(&w, text, sizeof(text));
	wr_bytes(&w, LABEL, sizeof(LABEL) - 1);
	wr_u32(&w, who->dvm);
	wr_u16(&w, who->node);
	wr_u64(&w, who->epoch);
	wr_u8(&w, (uint8_t)who->purpose);
	REQUIRE(!wr_bad(&w) && wr_size(&w) == sizeof(text));
	blake2s_keyed_start(&b, &r->keyed);
	blake2s_add(&b, text, sizeof(text));
	blake2s_add(&b, more, more_size);
	blake2s_final(&b, out);
}

void
mac_derive_tags(const struct mac_root *r, const struct mac_who *who,
    const void *more, size_t more_size, struct blake2s_keyed *out)
{
	uint8_t key[MAC_KEY];

	mac_derive(r, who, more, more_size, key);
	blake2s_keyed_init(out, MAC_TAG, key, sizeof(key));
	mac_wipe(key, sizeof(key));
}

bool
mac_same(const void *a, const void *b, size_t size)
{
	const volatile uint8_t *p = a, *q = b;
	volatile uint8_t differ = 0;
	size_t i;

	for (i = 0; i < size; i++)
		differ = (uint8_t)(differ | (p[i] ^ q[i]));
	return differ == 0;
}

void
mac_wipe(void *p, size_t size)
{
	volatile uint8_t *q = p;

	while (size-- > 0)
		*q++ = 0;
}
