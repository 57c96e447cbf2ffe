/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "base/mac.h"
#include "tap.h"

static const struct mac_who who = {
	.dvm = 0x01020304,
	.node = 0x0506,
	.epoch = UINT64_C(0x0708090a0b0c0d0e),
	.purpose = MAC_MULTICAST,
};

static struct mac_root root;

static const char *
text_of(const uint8_t *p, size_t size)
{
	static char text[2 * MAC_KEY + 1];
	size_t i;

	for (i = 0; i < size; i++)
		snprintf(text + 2 * i, 3, "%02x", p[i]);
	return text;
}

/* The answers are those of another implementation of BLAKE2s. */
static void
keys_are_derived(void)
{
	struct mac_who other = who;
	struct blake2s_keyed tags;
	struct blake2s b;
	uint8_t out[MAC_KEY];

	mac_derive(&root, &who, NULL, 0, out);
	is_str(text_of(out, MAC_KEY), "edeb0458450ce00a7f2dae6500fac4e3"
	    "7fb4355f648bea2d712d64acedfdefce", "of a node and its epoch");
	other.purpose = MAC_STREAM;
	mac_derive(&root, &other, "more", 4, out);
	is_str(text_of(out, MAC_KEY), "e20e266ed3d6d1b2282e0cd119a484fd"
	    "e8a6652f9afafd235946185c071acf4b", "with more");
	mac_derive_tags(&root, &who, NULL, 0, &tags);
	blake2s_keyed_start(&b, &tags);
	blake2s_add(&b, "abc", 3);
	blake2s_final(&b, out);
	is_str(text_of(out, MAC_TAG), "b5d494c3fd39bf940f21673b3e0a8102",
	    "a tag under it");
}

static void
each_part_matters(void)
{
	struct mac_who others[4] = { who, who, who, who };
	uint8_t key[MAC_KEY], out[6][MAC_KEY];
	struct mac_root another;
	unsigned i, j, bad = 0;

	others[0].dvm++;
	others[1].node++;
	others[2].epoch++;
	others[3].purpose = MAC_UNICAST;
	for (i = 0; i < 4; i++)
		mac_derive(&root, &others[i], NULL, 0, out[i]);
	mac_derive(&root, &who, NULL, 0, out[4]);
	memset(key, 7, sizeof(key));
	mac_root_init(&another, key);
	mac_derive(&another, &who, NULL, 0, out[5]);
	for (i = 0; i < 6; i++)
		for (j = 0; j < i; j++)
			bad += memcmp(out[i], out[j], MAC_KEY) == 0;
	is_u64(bad, 0, "dvm, node, epoch, purpose and key: all keys differ");
}

static void
comparing_sees_each_bit(void)
{
	uint8_t a[MAC_TAG], b[MAC_TAG];
	unsigned bit, bad = 0;

	memset(a, 0x5a, sizeof(a));
	memcpy(b, a, sizeof(b));
	ok(mac_same(a, b, sizeof(a)), "the same");
	ok(mac_same(a, "x", 0), "nothing is the same as nothing");
	for (bit = 0; bit < 8 * MAC_TAG; bit++) {
		b[bit / 8] ^= (uint8_t)(1u << bit % 8);
		bad += mac_same(a, b, sizeof(a));
		b[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	is_u64(bad, 0, "one bit, anywhere, is another");
}

static void
wiping_stays_within(void)
{
	uint8_t p[40];
	unsigned i, bad = 0;

	memset(p, 0xff, sizeof(p));
	mac_wipe(p + 4, 32);
	for (i = 0; i < sizeof(p); i++)
		bad += p[i] != (i >= 4 && i < 36 ? 0 : 0xff);
	is_u64(bad, 0, "32 bytes are zero, no others");
}

int
main(void)
{
	uint8_t key[MAC_KEY];
	unsigned i;

	for (i = 0; i < sizeof(key); i++)
		key[i] = (uint8_t)i;
	mac_root_init(&root, key);
	keys_are_derived();
	each_part_matters();
	comparing_sees_each_bit();
	wiping_stays_within();
	return done_testing();
}
