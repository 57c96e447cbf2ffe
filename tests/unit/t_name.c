/* SPDX-License-Identifier: ISC */
#include <orcm/types.h>

#include "base/name.h"

#include "aborts.h"
#include "tap.h"

#define TEN "0123456789"
#define SIXTY TEN TEN TEN TEN TEN TEN

static bool
named(const char *s)
{
	return name_ok(s, strlen(s));
}

static void
names_are_of_63_known_characters(void)
{
	int c;
	bool right = true;
	char s[1];

	for (c = 0; c < 256; c++) {
		s[0] = (char)c;
		right = right &&
		    name_ok(s, 1) == (c != 0 && c != '.' &&
			strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			       "abcdefghijklmnopqrstuvwxyz0123456789_@-",
			    c) != NULL);
	}
	ok(right, "each of 256 characters");
	ok(named("a.b_c@d-E9"), "all kinds of them");
	ok(named(SIXTY "abc"), "63 characters");
	ok(!named(SIXTY "abcd"), "not 64");
	ok(!name_ok("", 0), "not none");
	ok(!name_ok("ab\0c", 4), "no NUL");
	ok(!named("a b") && !named("a/b") && !named("a\n"), "no blank, slash");
	ok(!named("\303\244"), "no UTF-8");
	ok(!named(".") && !named(".."), "no directories");
	ok(named("...") && named(".a") && named("a.") && named("..a"),
	    "other dots are fine");
	ok(name_ok("..b", 1) == false && name_ok("ab!", 2),
	    "the size counts, not the NUL");
}

static void
any_text_becomes_a_name(void)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "", "_" },
		{ ".", "_" },
		{ "..", "_." },
		{ "...", "..." },
		{ "a b/c\n", "a_b_c_" },
		{ "\303\244", "__" },
		{ "good-1.0@x_", "good-1.0@x_" },
		{ SIXTY "abc", SIXTY "abc" },
		{ SIXTY "abcdef", SIXTY "abc" },
	};
	char out[ORCM_NAME_MAX + 1];
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memset(out, 'x', sizeof(out));
		name_from(out, cases[i].text);
		is_str(out, cases[i].want, "case %zu", i);
		ok(named(out), "is a name");
	}
}

static void
copies_are_ended(void)
{
	char out[4] = "xxx";

	ok(copy_str(out, 4, "ab"), "shorter");
	is_str(out, "ab", "all of it");
	ok(copy_str(out, 4, "abc"), "as long as there is room");
	is_str(out, "abc", "all of it");
	ok(!copy_str(out, 4, "abcd"), "longer");
	is_str(out, "abc", "cut");
	ok(!copy_str(out, 1, "a"), "no room but for the NUL");
	is_str(out, "", "nothing");
	ok(copy_str(out, 1, ""), "nothing fits there");
	is_str(out, "", "nothing");
}

static void
copy_into_nothing(void)
{
	char out[1];

	copy_str(out, 0, "");
}

int
main(void)
{
	names_are_of_63_known_characters();
	any_text_becomes_a_name();
	copies_are_ended();
	ok(aborts(copy_into_nothing), "a NUL needs room");
	return done_testing();
}
