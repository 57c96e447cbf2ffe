/* SPDX-License-Identifier: ISC */
#include "base/text.h"

#include "tap.h"

static void
pieces_make_a_text(void)
{
	char out[64];
	struct text t;

	text_init(&t, out, sizeof(out));
	is_str(out, "", "nothing at first");
	text_add(&t, "port ");
	text_num(&t, 7411);
	text_char(&t, ';');
	text_bytes(&t, " more than that", 5);
	is_str(out, "port 7411; more", "four kinds of pieces");
	ok(t.len == strlen(out) && !t.cut, "whole");
}

static void
what_does_not_fit_is_cut(void)
{
	char out[8];
	struct text t;

	text_init(&t, out, sizeof(out));
	text_add(&t, "1234567");
	ok(!t.cut, "seven bytes and the NUL fit");
	text_add(&t, "");
	ok(!t.cut, "so does nothing");
	text_char(&t, '8');
	ok(t.cut, "the eighth does not");
	is_str(out, "1234567", "and is not there");
	text_init(&t, out, sizeof(out));
	text_num(&t, UINT64_MAX);
	ok(t.cut, "a long number");
	is_str(out, "1844674", "is cut");
	text_init(&t, out, 1);
	text_char(&t, 'x');
	ok(t.cut && out[0] == '\0', "room for the NUL alone");
}

int
main(void)
{
	pieces_make_a_text();
	what_does_not_fit_is_cut();
	return done_testing();
}
