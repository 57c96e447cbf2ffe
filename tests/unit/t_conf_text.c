/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "core/conf_own.h"

#include "tap.h"
#include "conf_side.h"

static struct conf *c;

/* All words, each with its line, and '|' before each record. */
static const char *
words_of(const char *text, size_t size)
{
	static char out[1024];
	const struct conf_token *t;
	struct text o;
	uint32_t i;

	conf_clear(c);
	conf_read(c, text, size, "t");
	conf_text_end(c);
	text_init(&o, out, sizeof(out));
	for (i = 0; i < c->work->tokens_len; i++) {
		t = &c->work->tokens[i];
		text_add(&o, t->first ? "|" : " ");
		text_num(&o, t->line);
		text_char(&o, ':');
		text_add(&o, c->work->text + t->at);
	}
	for (i = 0; i < c->errors_len; i++) {
		text_add(&o, " !");
		text_num(&o, c->errors[i].place.line);
	}
	return out;
}

static void
lines_become_words(void)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "", "" },
		{ "\n\n", "" },
		{ "a b=c", "|1:a 1:b=c" },
		{ "a\nb\n", "|1:a|2:b" },
		{ " \t a\t\tb \n", "|1:a 1:b" },
		{ "# a\n  # b\na #c d\ne", "|3:a|4:e" },
		{ "a#b c=#d", "|1:a#b 1:c=#d" },
		{ "a \\\n b\\\n\tc\nd", "|1:a 2:b 3:c|4:d" },
		{ "\\\na\\\n\\\nb", "|2:a 4:b" },
		{ "a \\\n\nb", "|1:a|3:b" },
		{ "a \\\n# x\nb", "|1:a|3:b" },
		{ "a # x \\\nb", "|1:a|2:b" },
		{ "a=\"b c\" \"\" x\"y \"z", "|1:a=b c 1: 1:xy z" },
		{ "a=\"\\\"\\\\\"", "|1:a=\"\\" },
		{ "a=\"\tb\"", "|1:a=\tb" },
		{ "a=\"#\" b", "|1:a=# 1:b" },
		{ "\303\251=\377", "|1:\303\251=\377" },
		/* A mistake ends its line, and lines that belong to it. */
		{ "a b\"c\nd", "|1:a|2:d !1" },
		{ "a \"\\n\" c \\\n d\ne", "|1:a|3:e !1" },
		{ "a b\\c\nd", "|1:a|2:d !1" },
		{ "a \\ b\nd", "|1:a|2:d !1" },
		{ "a\rb\nd", "|2:d !1" },
		{ "a \"\r\"\nd", "|1:a|2:d !1" },
		{ "a \\\nb \001 \\\nc\\\nd\ne", "|1:a 2:b|5:e !2" },
		{ "a \\", "|1:a !1" },
		{ "a \\\n", "|1:a !1" },
		{ "a\n\\", "|1:a !2" },
		{ "a \"b\\", "|1:a !1" },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		is_str(words_of(rows[i].text, strlen(rows[i].text)),
		    rows[i].want, "row %zu", i);
	is_str(words_of("a b\0c\nd", 7), "|1:a|2:d !1", "a NUL is a mistake");
}

static void
lines_may_come_one_by_one(void)
{
	conf_clear(c);
	conf_file(c, "f");
	conf_feed_line(c, "dvm d \\\n", 8);
	conf_feed_line(c, "port=99", 7);
	conf_feed_line(c, "", 0);
	conf_feed_line(c, "node n1\n", 8);
	ok(conf_end(c) && c->dvm.port == 99 && c->nodes_len == 1,
	    "with their newline or without");
	ok(c->nodes[0].place.line == 4, "each counts");
}

static void
values_know_their_first_equals(void)
{
	const struct conf_token *t = c->work->tokens;

	(void)words_of("a b=c=d \"e f=\"g =h", 17);
	ok(t[0].equals == CONF_NO_EQUALS && t[1].equals == 1 &&
		t[2].equals == 3 && t[3].equals == 0, "in quotes too");
}

static void
lists_are_cut_at_commas(void)
{
	char out[8];
	size_t at = 0;

	ok(conf_next("ab,,c", &at, out, sizeof(out)) &&
		strcmp(out, "ab") == 0, "ab");
	ok(conf_next("ab,,c", &at, out, sizeof(out)) && out[0] == '\0',
	    "nothing");
	ok(conf_next("ab,,c", &at, out, sizeof(out)) &&
		strcmp(out, "c") == 0, "c");
	ok(!conf_next("ab,,c", &at, out, sizeof(out)), "the end");
	at = 0;
	ok(conf_next("x,", &at, out, sizeof(out)) &&
		conf_next("x,", &at, out, sizeof(out)) && out[0] == '\0' &&
		!conf_next("x,", &at, out, sizeof(out)), "a comma at the end");
	at = 0;
	ok(conf_next("0123456789,x", &at, out, sizeof(out)) &&
		strcmp(out, "0123456") == 0, "what is too long is cut");
}

static void
names_are_near_or_far(void)
{
	is_u64(conf_distance("slots", "slots"), 0, "the same");
	is_u64(conf_distance("slot", "slots"), 1, "one is missing");
	is_u64(conf_distance("slost", "slots"), 2, "two changed places");
	is_u64(conf_distance("colour", "votes"), CONF_FAR, "another word");
	is_u64(conf_distance("a", "b"), CONF_FAR, "half of it differs");
	is_u64(conf_distance("n9", "n1"), 1, "but not here");
	is_u64(conf_distance("", "dvm"), CONF_FAR, "nothing means nothing");
}

int
main(void)
{
	c = conf_new();
	lines_become_words();
	lines_may_come_one_by_one();
	values_know_their_first_equals();
	lists_are_cut_at_commas();
	names_are_near_or_far();
	return done_testing();
}
