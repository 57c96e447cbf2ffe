/* SPDX-License-Identifier: ISC */
#include "base/hash.h"
#include "base/rand.h"

#include "tap.h"

static void
known_texts_have_known_hashes(void)
{
	/* Confirmed by xxhsum 0.8.1. */
	static const struct {
		const char *text;
		uint64_t want;
	} vectors[] = {
		{ "", UINT64_C(0xef46db3751d8e999) },
		{ "a", UINT64_C(0xd24ec4f1a98c6e5b) },
		{ "abc", UINT64_C(0x44bc2cf5ad770999) },
		{ "message digest", UINT64_C(0x066ed728fceeb3be) },
		{ "abcdefghijklmnopqrstuvwxyz", UINT64_C(0xcfe1f278fa89835c) },
		{ "1234567890123456789012345678901234567890"
		  "1234567890123456789012345678901234567890",
		    UINT64_C(0xe04a477f19ee145d) },
	};
	size_t i;

	for (i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++)
		is_u64(hash_of(vectors[i].text, strlen(vectors[i].text)),
		    vectors[i].want, "\"%s\"", vectors[i].text);
	is_u64(hash_of(NULL, 0), UINT64_C(0xef46db3751d8e999), "NULL");
}

/* The buffer of xxHash's own sanity check. */
static void
sanity_buffer(uint8_t *out, size_t size)
{
	uint64_t g = 2654435761u;
	size_t i;

	for (i = 0; i < size; i++) {
		out[i] = (uint8_t)(g >> 56);
		g *= UINT64_C(11400714785074694797);
	}
}

static void
every_path_has_a_vector(void)
{
	/* Confirmed by xxhsum 0.8.1 on the first bytes of the buffer. */
	static const struct {
		size_t size;
		uint64_t want;
	} vectors[] = {
		{ 0, UINT64_C(0xef46db3751d8e999) },
		{ 1, UINT64_C(0xe934a84adb052768) },
		{ 3, UINT64_C(0xff7e1959cb50794a) },
		{ 4, UINT64_C(0x9136a0dca57457ee) },
		{ 7, UINT64_C(0x6c83909a9f01ed25) },
		{ 8, UINT64_C(0xcdbcf538e71d1348) },
		{ 14, UINT64_C(0x8282dcc4994e35c8) },
		{ 31, UINT64_C(0x299b39a290e6d783) },
		{ 32, UINT64_C(0x18b216492bb44b70) },
		{ 33, UINT64_C(0x55c8dc3e578f5b59) },
		{ 63, UINT64_C(0xa9efbe0fa0f3f4e7) },
		{ 64, UINT64_C(0xef558f8acac2b5cd) },
		{ 65, UINT64_C(0xde0f20dc2631af7a) },
		{ 222, UINT64_C(0xb641ae8cb691c174) },
		{ 2367, UINT64_C(0xa82418ddec0ea581) },
	};
	uint8_t data[2368];
	size_t i;

	sanity_buffer(data, sizeof(data) - 1);
	for (i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++)
		is_u64(hash_of(data, vectors[i].size), vectors[i].want,
		    "%zu bytes", vectors[i].size);
	memmove(data + 1, data, sizeof(data) - 1);
	is_u64(hash_of(data + 1, 2367), UINT64_C(0xa82418ddec0ea581),
	    "the address does not matter");
}

static void
pieces_do_not_matter(void)
{
	uint8_t data[500];
	struct rand rand;
	struct hash h, snapshot;
	size_t at, n, turn;
	bool same = true, kept = true;

	rand_seed(&rand, 5);
	sanity_buffer(data, sizeof(data));
	for (turn = 0; turn < 2000; turn++) {
		hash_init(&h);
		for (at = 0; at < sizeof(data); at += n) {
			n = rand_below(&rand, turn % 2 ? 10 : 200);
			if (n > sizeof(data) - at)
				n = sizeof(data) - at;
			snapshot = h;
			hash_add(&h, data + at, n);
			same = same && hash_value(&h) == hash_of(data, at + n);
			kept = kept &&
			    hash_value(&snapshot) == hash_of(data, at);
		}
	}
	ok(same, "at every cut the hash is that of the whole so far");
	ok(kept, "and a copy is a snapshot");
}

static void
one_bit_changes_the_hash(void)
{
	uint8_t data[100];
	uint64_t before;
	size_t i;
	bool differs = true;

	sanity_buffer(data, sizeof(data));
	before = hash_of(data, sizeof(data));
	for (i = 0; i < sizeof(data) * 8; i++) {
		data[i / 8] ^= (uint8_t)(1u << i % 8);
		differs = differs && hash_of(data, sizeof(data)) != before;
		data[i / 8] ^= (uint8_t)(1u << i % 8);
	}
	ok(differs, "each of 800 bits");
	ok(hash_of("\0", 1) != hash_of("\0\0", 2), "so does one more zero");
}

int
main(void)
{
	known_texts_have_known_hashes();
	every_path_has_a_vector();
	pieces_do_not_matter();
	one_bit_changes_the_hash();
	return done_testing();
}
