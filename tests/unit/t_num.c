/* SPDX-License-Identifier: ISC */
#include "base/num.h"
#include "base/rand.h"

#include "tap.h"

#define UNTOUCHED UINT64_C(0x5555)

static void
takes_u64(const char *s, uint64_t want)
{
	uint64_t v = UNTOUCHED;

	ok(num_u64(s, 0, UINT64_MAX, &v) && v == want, "u64 \"%s\"", s);
}

static void
junk_is_refused(void)
{
	static const char *const junk[] = { "", " ", " 1", "1 ", "+1", "-1",
		"-0", "0x10", "1.0", "1e3", "a", "1a", "1\n", "\t1", "1,000",
		"18446744073709551616", "18446744073709551620",
		"99999999999999999999", "100000000000000000000000000000000",
		"\331\241" };
	uint64_t v = UNTOUCHED;
	uint32_t v32 = 7;
	size_t i;

	for (i = 0; i < sizeof(junk) / sizeof(junk[0]); i++) {
		ok(!num_u64(junk[i], 0, UINT64_MAX, &v) &&
			!num_u32(junk[i], 0, UINT32_MAX, &v32) &&
			!num_size(junk[i], &v) && !num_ms(junk[i], &v),
		    "junk %zu", i);
	}
	ok(v == UNTOUCHED && v32 == 7, "and nothing was written");
}

static void
limits_are_kept(void)
{
	uint64_t v = UNTOUCHED;
	uint32_t v32 = 7;

	takes_u64("0", 0);
	takes_u64("007", 7);
	takes_u64("18446744073709551615", UINT64_MAX);
	takes_u64("00000000000000000000000000000000000001", 1);
	ok(!num_u64("4", 5, 9, &v) && !num_u64("10", 5, 9, &v), "outside");
	is_u64(v, UNTOUCHED, "nothing written");
	ok(num_u64("5", 5, 9, &v) && v == 5, "the minimum is inside");
	ok(num_u64("9", 5, 9, &v) && v == 9, "the maximum is inside");
	ok(num_u32("4294967295", 0, UINT32_MAX, &v32) && v32 == UINT32_MAX,
	    "the largest u32");
	v32 = 7;
	ok(!num_u32("4294967296", 0, UINT32_MAX, &v32) && v32 == 7,
	    "is followed by nothing");
	ok(!num_u32("1", 2, 3, &v32) && !num_u32("4", 2, 3, &v32), "outside");
}

static void
sizes_have_units(void)
{
	static const char *const bad[] = { "K", "1k", "1KB", "1KiB", "1 K",
		"1KK", "1P", "16777216T", "18014398509481984K", "1.5M" };
	uint64_t v = 0;
	size_t i;

	ok(num_size("0", &v) && v == 0, "0");
	ok(num_size("17", &v) && v == 17, "17");
	ok(num_size("1K", &v) && v == 1024, "1K");
	ok(num_size("64M", &v) && v == UINT64_C(64) << 20, "64M");
	ok(num_size("3G", &v) && v == UINT64_C(3) << 30, "3G");
	ok(num_size("16777215T", &v) && v == UINT64_C(16777215) << 40,
	    "16777215T");
	ok(num_size("18446744073709551615", &v) && v == UINT64_MAX, "2^64-1");
	v = UNTOUCHED;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ok(!num_size(bad[i], &v) && v == UNTOUCHED, "not %s", bad[i]);
}

static void
times_have_units(void)
{
	static const char *const bad[] = { "ms", "1S", "1us", "1 s", "1d",
		"1sm", "1mss", "1h30m", "18446744073709552s",
		"307445734561827m", "5124095576031h" };
	uint64_t v = 0;
	size_t i;

	ok(num_ms("500", &v) && v == 500, "500");
	ok(num_ms("500ms", &v) && v == 500, "500ms");
	ok(num_ms("5s", &v) && v == 5000, "5s");
	ok(num_ms("2m", &v) && v == 120000, "2m");
	ok(num_ms("1h", &v) && v == 3600000, "1h");
	ok(num_ms("0h", &v) && v == 0, "0h");
	ok(num_ms("5124095576030h", &v) &&
		v == UINT64_C(5124095576030) * 3600000,
	    "the most hours");
	v = UNTOUCHED;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ok(!num_ms(bad[i], &v) && v == UNTOUCHED, "not %s", bad[i]);
}

static void
numbers_become_text(void)
{
	char out[21];

	is_u64(num_text(out, sizeof(out), 0), 1, "one digit");
	is_str(out, "0", "0");
	is_u64(num_text(out, sizeof(out), UINT64_MAX), 20, "twenty digits");
	is_str(out, "18446744073709551615", "2^64-1");
	is_u64(num_text(out, 3, 99), 2, "room for two and the NUL");
	is_str(out, "99", "99");
	is_u64(num_text(out, 3, 100), 0, "three digits do not fit there");
	is_str(out, "99", "and nothing was written");
	is_u64(num_text(out, 0, 1), 0, "nor one in nothing");
}

static void
text_and_back_is_the_same(void)
{
	char out[21];
	struct rand rand;
	uint64_t v, back;
	int i;
	bool same = true;

	rand_seed(&rand, 2);
	for (i = 0; i < 20000; i++) {
		v = rand_u64(&rand) >> rand_below(&rand, 64);
		back = ~v;
		same = same && num_text(out, sizeof(out), v) == strlen(out) &&
		    num_u64(out, v, v, &back) && back == v;
	}
	ok(same, "20000 numbers of all sizes");
}

int
main(void)
{
	junk_is_refused();
	limits_are_kept();
	sizes_have_units();
	times_have_units();
	numbers_become_text();
	text_and_back_is_the_same();
	return done_testing();
}
