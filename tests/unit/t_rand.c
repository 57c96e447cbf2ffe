/* SPDX-License-Identifier: ISC */
#include "base/rand.h"

#include "aborts.h"
#include "tap.h"

/*
 * The first outputs after rand_seed().  Computed apart from rand.c, with
 * arbitrary-precision integers from the published recurrences; the state
 * {1, 2, 3, 4} is the authors' own test.
 */
static const struct {
	uint64_t seed, out[6];
} vectors[] = {
	{ 0,
	    { UINT64_C(0x99ec5f36cb75f2b4), UINT64_C(0xbf6e1f784956452a),
		UINT64_C(0x1a5f849d4933e6e0), UINT64_C(0x6aa594f1262d2d2c),
		UINT64_C(0xbba5ad4a1f842e59), UINT64_C(0xffef8375d9ebcaca) } },
	{ 1,
	    { UINT64_C(0xb3f2af6d0fc710c5), UINT64_C(0x853b559647364cea),
		UINT64_C(0x92f89756082a4514), UINT64_C(0x642e1c7bc266a3a7),
		UINT64_C(0xb27a48e29a233673), UINT64_C(0x24c123126ffda722) } },
	{ 1234567,
	    { UINT64_C(0x30a3a1c363600467), UINT64_C(0x19405f0f579929ca),
		UINT64_C(0x115beaac046ddbd9), UINT64_C(0xeb17caf48f27d7f6),
		UINT64_C(0xa0c94fe1cce9d136), UINT64_C(0x70e3326578802da2) } },
	{ UINT64_MAX,
	    { UINT64_C(0x8f5520d52a7ead08), UINT64_C(0xc476a018caa1802d),
		UINT64_C(0x81de31c0d260469e), UINT64_C(0xbf658d7e065f3c2f),
		UINT64_C(0x913593fda1bca32a), UINT64_C(0xbb535e93941ba525) } },
};

static void
outputs_are_those_of_the_recurrence(void)
{
	struct rand r;
	size_t i, n;
	bool same;

	for (i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		rand_seed(&r, vectors[i].seed);
		same = true;
		for (n = 0; n < 6; n++)
			same = same && rand_u64(&r) == vectors[i].out[n];
		ok(same, "seed %" PRIu64, vectors[i].seed);
	}
}

static void
outputs_are_those_of_the_authors(void)
{
	static const uint64_t want[] = { 11520, 0, 1509978240,
		UINT64_C(1215971899390074240), UINT64_C(1216172134540287360),
		UINT64_C(607988272756665600), UINT64_C(16172922978634559625),
		UINT64_C(8476171486693032832), UINT64_C(10595114339597558777),
		UINT64_C(2904607092377533576) };
	struct rand r = { { 1, 2, 3, 4 } };
	size_t i;

	for (i = 0; i < sizeof(want) / sizeof(want[0]); i++)
		is_u64(rand_u64(&r), want[i], "output %zu of {1, 2, 3, 4}", i);
}

static void
seeding_is_splitmix64(void)
{
	struct rand r;

	rand_seed(&r, 1234567);
	is_u64(r.s[0], UINT64_C(6457827717110365317), "first of 1234567");
	is_u64(r.s[1], UINT64_C(3203168211198807973), "second");
	is_u64(r.s[2], UINT64_C(9817491932198370423), "third");
	is_u64(r.s[3], UINT64_C(4593380528125082431), "fourth");
}

/* Bounds close above 2^63 throw away half of the draws. */
static void
bounded_outputs_are_those_of_lemire(void)
{
	static const struct {
		uint64_t n, want;
	} draws[] = {
		{ 10, 0 },
		{ 1000, 0x17a },
		{ (UINT64_C(1) << 63) + 1, UINT64_C(0x7ef36e3ff1762f32) },
		{ 3 * (UINT64_C(1) << 62), UINT64_C(0x8a18ff6403cc6645) },
		{ 7, 5 },
		{ UINT64_MAX, UINT64_C(0xc2e96e726e97647d) },
		{ 1, 0 },
		{ (UINT64_C(1) << 63) + 1, UINT64_C(0x2534edcc39d7c4b2) },
		{ (UINT64_C(1) << 63) + 1, UINT64_C(0x6687f6d49803635b) },
		{ (UINT64_C(1) << 63) + 1, UINT64_C(0x705aad345cb33bfd) },
	};
	struct rand r;
	size_t i;

	rand_seed(&r, 42);
	for (i = 0; i < sizeof(draws) / sizeof(draws[0]); i++)
		is_u64(rand_below(&r, draws[i].n), draws[i].want,
		    "draw %zu below %" PRIu64, i, draws[i].n);
}

static void
each_number_comes_equally_often(void)
{
	unsigned seen[6] = { 0 };
	struct rand r;
	uint64_t v;
	size_t i;
	bool below = true, even = true;

	rand_seed(&r, 9);
	for (i = 0; i < 60000; i++) {
		v = rand_below(&r, 6);
		below = below && v < 6;
		if (v < 6)
			seen[v]++;
	}
	/* Expected 10000 with a deviation of 91: five of them either way. */
	for (i = 0; i < 6; i++)
		even = even && seen[i] > 9540 && seen[i] < 10460;
	ok(below, "60000 throws of a die are below 6");
	ok(even, "and even");
}

static void
draw_below_zero(void)
{
	struct rand r;

	rand_seed(&r, 0);
	(void)rand_below(&r, 0);
}

int
main(void)
{
	outputs_are_those_of_the_recurrence();
	outputs_are_those_of_the_authors();
	seeding_is_splitmix64();
	bounded_outputs_are_those_of_lemire();
	each_number_comes_equally_often();
	ok(aborts(draw_below_zero), "nothing is below 0");
	return done_testing();
}
