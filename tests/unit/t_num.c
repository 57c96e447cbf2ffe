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
times_in_ns_must_have_units(void)
{
	static const char *const bad[] = { "", "1", "00001", "500", "ms", "1us",
		"18446744073710ms", "5124095577h", "1.5s" };
	uint64_t v = UNTOUCHED;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ok(!num_time(bad[i], &v) && v == UNTOUCHED, "no: %s", bad[i]);
	ok(num_time("0", &v) && v == 0, "only 0 needs none");
	ok(num_time("50ms", &v) && v == 50000000, "50ms");
	ok(num_time("2h", &v) && v == UINT64_C(7200000000000), "2h");
	ok(num_time("18446744073709ms", &v) &&
		v == UINT64_C(18446744073709000000), "the longest");
}

static void
parts_of_a_thousand(void)
{
	static const char *const bad[] = { "", ".", ".5", "1.", "1.2345",
		"1.2.3", "1e3", "-1", "18446744073709551.616",
		"18446744073709552" };
	uint64_t v = UNTOUCHED;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ok(!num_milli(bad[i], &v) && v == UNTOUCHED, "no: %s", bad[i]);
	ok(num_milli("0", &v) && v == 0, "0");
	ok(num_milli("0.5", &v) && v == 500, "0.5");
	ok(num_milli("2", &v) && v == 2000, "2");
	ok(num_milli("1.250", &v) && v == 1250, "1.250");
	ok(num_milli("18446744073709551.615", &v) && v == UINT64_MAX, "most");
}

static void
probabilities(void)
{
	static const char *const bad[] = { "", "e-5", "1e5", "1e", "1e-",
		"1e-x", "1.1", "2", "1.000000001", "1e-10", "1.5e-9",
		"0.0000000001", "1e-99", "-1e-5", "1e-5/h", ".1" };
	uint32_t v = 7;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ok(!num_prob(bad[i], &v) && v == 7, "no: %s", bad[i]);
	ok(num_prob("0", &v) && v == 0, "0");
	ok(num_prob("1", &v) && v == 1000000000, "1");
	ok(num_prob("1.00", &v) && v == 1000000000, "1.00");
	ok(num_prob("1e-5", &v) && v == 10000, "1e-5");
	ok(num_prob("2.5e-4", &v) && v == 250000, "2.5e-4");
	ok(num_prob("0.01", &v) && v == 10000000, "0.01");
	ok(num_prob("1e-9", &v) && v == 1, "1e-9");
	ok(num_prob("100e-3", &v) && v == 100000000, "100e-3");
	ok(num_prob("0e-18", &v) && v == 0, "0e-18");
}

static void
is_text(void (*text)(char *, uint64_t), uint64_t v, const char *want)
{
	char out[NUM_TEXT_MAX];

	text(out, v);
	is_str(out, want, "%s", want);
}

static void
prob_text(char *out, uint64_t v)
{
	num_prob_text(out, (uint32_t)v);
}

static void
units_become_text(void)
{
	is_text(num_size_text, 0, "0");
	is_text(num_size_text, 1023, "1023");
	is_text(num_size_text, UINT64_C(8) << 30, "8G");
	is_text(num_size_text, UINT64_C(1536) << 20, "1536M");
	is_text(num_size_text, UINT64_MAX, "18446744073709551615");
	is_text(num_time_text, 0, "0");
	is_text(num_time_text, 999999, "0");
	is_text(num_time_text, 50000000, "50ms");
	is_text(num_time_text, UINT64_C(60000000000), "1m");
	is_text(num_time_text, UINT64_C(90000000000), "90s");
	is_text(num_time_text, UINT64_C(7200000000000), "2h");
	is_text(num_time_text, UINT64_MAX, "18446744073709ms");
	is_text(num_milli_text, 500, "0.5");
	is_text(num_milli_text, 1005, "1.005");
	is_text(num_milli_text, 2000, "2");
	is_text(num_milli_text, UINT64_MAX, "18446744073709551.615");
	is_text(prob_text, 0, "0");
	is_text(prob_text, 1000000000, "1");
	is_text(prob_text, 1, "1e-9");
	is_text(prob_text, 10000, "1e-5");
	is_text(prob_text, 15000, "1.5e-5");
	is_text(prob_text, 999999999, "9.99999999e-1");
	is_text(prob_text, 100000001, "1.00000001e-1");
}

static void
units_and_back_are_the_same(void)
{
	char out[NUM_TEXT_MAX];
	struct rand rand;
	uint64_t v, back;
	uint32_t prob;
	int i;
	bool same = true;

	rand_seed(&rand, 3);
	for (i = 0; i < 20000; i++) {
		v = rand_u64(&rand) >> rand_below(&rand, 64);
		num_size_text(out, v);
		same = same && num_size(out, &back) && back == v;
		num_milli_text(out, v);
		same = same && num_milli(out, &back) && back == v;
		num_time_text(out, v);
		same = same && num_time(out, &back) &&
		    back == v - v % 1000000;
		v %= 1000000001;
		num_prob_text(out, (uint32_t)v);
		same = same && num_prob(out, &prob) && prob == v;
	}
	ok(same, "20000 values with units");
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
	times_in_ns_must_have_units();
	parts_of_a_thousand();
	probabilities();
	units_become_text();
	units_and_back_are_the_same();
	numbers_become_text();
	text_and_back_is_the_same();
	return done_testing();
}
