/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "base/blake2s.h"
#include "tap.h"

/* The hash as text, as the documents print it. */
static const char *
text_of(const uint8_t *p, size_t size)
{
	static const char digits[] = "0123456789abcdef";
	static char text[2 * BLAKE2S_OUT_MAX + 1];
	size_t i;

	for (i = 0; i < size; i++) {
		text[2 * i] = digits[p[i] >> 4];
		text[2 * i + 1] = digits[p[i] & 15];
	}
	text[2 * size] = '\0';
	return text;
}

static void
hash(uint8_t *out, size_t out_size, const void *key, size_t key_size,
    const void *data, size_t size)
{
	struct blake2s b;

	blake2s_init_key(&b, out_size, key, key_size);
	blake2s_add(&b, data, size);
	blake2s_final(&b, out);
}

static void
count_up(uint8_t *p, size_t size)
{
	size_t i;

	for (i = 0; i < size; i++)
		p[i] = (uint8_t)i;
}

static void
rfc_7693_appendix_b(void)
{
	uint8_t out[32];

	hash(out, 32, NULL, 0, "abc", 3);
	is_str(text_of(out, 32), "508c5e8c327c14e2e1a72ba34eeb452f"
	    "37458b209ed63a294d999b4c86675982", "BLAKE2s-256 of abc");
}

/* RFC 7693, appendix E: the bytes that it hashes. */
static void
fibonacci(uint8_t *out, size_t size, uint32_t seed)
{
	uint32_t a = 0xdead4badu * seed, b = 1, t;
	size_t i;

	for (i = 0; i < size; i++) {
		t = a + b;
		a = b;
		b = t;
		out[i] = (uint8_t)(t >> 24);
	}
}

/* The hash of all hashes of some sizes, with and without a key. */
static void
rfc_7693_appendix_e(void)
{
	static const size_t outs[] = { 16, 20, 28, 32 };
	static const size_t ins[] = { 0, 3, 64, 65, 255, 1024 };
	uint8_t in[1024], key[32], out[32];
	struct blake2s all;
	size_t i, j;

	blake2s_init(&all, 32);
	for (i = 0; i < sizeof(outs) / sizeof(outs[0]); i++) {
		for (j = 0; j < sizeof(ins) / sizeof(ins[0]); j++) {
			fibonacci(in, ins[j], (uint32_t)ins[j]);
			hash(out, outs[i], NULL, 0, in, ins[j]);
			blake2s_add(&all, out, outs[i]);
			fibonacci(key, outs[i], (uint32_t)outs[i]);
			hash(out, outs[i], key, outs[i], in, ins[j]);
			blake2s_add(&all, out, outs[i]);
		}
	}
	blake2s_final(&all, out);
	is_str(text_of(out, 32), "6a411f08ce25adcdfb02aba641451cec"
	    "53c598b24f4fc787fbdc88797f4c1dfe", "the self-test's hash");
}

/* The authors' file of known answers: key 00..1f, input 00, 01, ... */
static void
known_answers_with_a_key(void)
{
	static const struct {
		size_t size;
		const char *text;
	} rows[] = {
		/* clang-format off */
		{ 0, "48a8997da407876b3d79c0d92325ad3b"
			"89cbb754d86ab71aee047ad345fd2c49" },
		{ 1, "40d15fee7c328830166ac3f918650f80"
			"7e7e01e177258cdc0a39b11f598066f1" },
		{ 2, "6bb71300644cd3991b26ccd4d274acd1"
			"adeab8b1d7914546c1198bbe9fc9d803" },
		{ 63, "c65382513f07460da39833cb666c5ed8"
			"2e61b9e998f4b0c4287cee56c3cc9bcd" },
		{ 64, "8975b0577fd35566d750b362b0897a26"
			"c399136df07bababbde6203ff2954ed4" },
		{ 65, "21fe0ceb0052be7fb0f004187cacd7de"
			"67fa6eb0938d927677f2398c132317a8" },
		{ 255, "3fb735061abc519dfe979e54c1ee5bfa"
			"d0a9d858b3315bad34bde999efd724dd" },
		/* clang-format on */
	};
	uint8_t in[255], key[32], out[32];
	size_t i;

	count_up(in, sizeof(in));
	count_up(key, sizeof(key));
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		hash(out, 32, key, 32, in, rows[i].size);
		is_str(text_of(out, 32), rows[i].text, "%zu bytes",
		    rows[i].size);
	}
}

static void
pieces_make_no_difference(void)
{
	uint8_t in[300], key[32], whole[32], out[32];
	struct blake2s b, copy;
	size_t first, bad = 0, bad_copy = 0;

	count_up(in, sizeof(in));
	count_up(key, sizeof(key));
	hash(whole, 32, key, 32, in, sizeof(in));
	for (first = 0; first <= sizeof(in); first++) {
		blake2s_init_key(&b, 32, key, 32);
		blake2s_add(&b, in, first);
		copy = b;
		blake2s_add(&b, in + first, (sizeof(in) - first) / 2);
		blake2s_add(&b, in + first + (sizeof(in) - first) / 2,
		    sizeof(in) - first - (sizeof(in) - first) / 2);
		blake2s_final(&b, out);
		bad += memcmp(out, whole, 32) != 0;
		blake2s_add(&copy, in + first, sizeof(in) - first);
		blake2s_final(&copy, out);
		bad_copy += memcmp(out, whole, 32) != 0;
	}
	is_u64(bad, 0, "in three pieces, cut anywhere");
	is_u64(bad_copy, 0, "a copy goes on like the original");
}

static void
a_kept_key_is_the_key(void)
{
	uint8_t in[200], key[32], want[32], out[33];
	struct blake2s_keyed kept;
	struct blake2s b;
	size_t size, out_size, key_size, bad = 0;

	count_up(in, sizeof(in));
	count_up(key, sizeof(key));
	for (out_size = 1; out_size <= 32; out_size++) {
		for (key_size = 1; key_size <= 32; key_size++) {
			blake2s_keyed_init(&kept, out_size, key, key_size);
			size = 1 + (out_size * 7 + key_size * 5) % 199;
			hash(want, out_size, key, key_size, in, size);
			out[out_size] = 0xa5;
			blake2s_keyed_start(&b, &kept);
			blake2s_add(&b, in, size);
			blake2s_final(&b, out);
			bad += memcmp(out, want, out_size) != 0 ||
			    out[out_size] != 0xa5;
		}
	}
	is_u64(bad, 0, "all sizes of key and output");
}

int
main(void)
{
	rfc_7693_appendix_b();
	rfc_7693_appendix_e();
	known_answers_with_a_key();
	pieces_make_no_difference();
	a_kept_key_is_the_key();
	return done_testing();
}
