/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "base/rand.h"
#include "core/conf.h"

#include "tap.h"
#include "conf_side.h"

/*
 * Random configurations: what is printed is read as the same, whatever the
 * order of lines was; and what is cut off or damaged never breaks anything.
 */
#define LINES_MAX 64u
#define ROUNDS 400

static struct conf *a, *b;
static struct conf_text one, two;
static struct rand rnd;
static char lines[LINES_MAX][2048];
static size_t lines_len;
static char all[LINES_MAX * 2048];

static unsigned
below(unsigned n)
{
	return (unsigned)rand_below(&rnd, n);
}

static char *
line(const char *head, unsigned i)
{
	char *l = lines[lines_len++];

	snprintf(l, sizeof(lines[0]), "%s%u", head, i);
	return l;
}

#define ADD(l, ...)                                                            \
	((void)snprintf((l) + strlen(l), sizeof(lines[0]) - strlen(l),         \
	    __VA_ARGS__))

/* HEAD0TAIL, HEAD1TAIL, ... of 0..len-1, each with a chance of one half. */
static void
add_list(char *l, const char *key, const char *head, const char *tail,
    unsigned len)
{
	bool first = true;
	unsigned i;

	for (i = 0; i < len; i++) {
		if (below(2) == 0)
			continue;
		if (first)
			ADD(l, " %s=", key);
		else
			ADD(l, ",");
		first = false;
		ADD(l, "%s%u%s", head, i, tail);
	}
}

/* Any characters that may stand in quotes. */
static void
add_quoted(char *l, const char *key, const char *head)
{
	static const char letters[] = "abz/.#=,$*\t '\303\251";
	unsigned len = below(20), i;

	ADD(l, " %s=\"%s", key, head);
	for (i = 0; i < len; i++)
		switch (below(8)) {
		case 0:
			ADD(l, "\\\"");
			break;
		case 1:
			ADD(l, "\\\\");
			break;
		default:
			ADD(l, "%c", letters[below(sizeof(letters) - 1)]);
		}
	ADD(l, "\"");
}

static void
add_app(unsigned i, unsigned apps, unsigned nodes, unsigned groups)
{
	char *l = line("app a", i);

	add_quoted(l, "cwd", "/");
	ADD(l, " exec=\"/bin/x '%u' \\\"%u\\\"\"", below(9), below(9));
	add_quoted(l, "env", "E=");
	add_quoted(l, "env", "F=");
	if (below(2) == 0)
		ADD(l, " replicas=%u", 1 + below(64));
	if (below(2) == 0)
		ADD(l, " mem=%uK cpu=0.%u", below(4000), below(1000));
	if (below(2) == 0)
		ADD(l, " local=%u/%us decay=%um", below(99), 1 + below(999),
		    1 + below(99));
	if (below(2) == 0)
		ADD(l, " backoff=0,%ums,%us", below(5000), below(600));
	if (nodes > 0 && below(2) == 0)
		ADD(l, " pin=all@n%u", below(nodes));
	add_list(l, "prefer", "x", "=7", nodes > 0 ? 1 : 0);
	add_list(l, "avoid", "g", "", groups / 4);
	if (below(2) == 0)
		ADD(l, " spread=node:soft%s", groups > 0 ? ",k0:strict" : "");
	if (i + 1 < apps)
		ADD(l, " after=a%u apart=a%u=%u", i + 1, i + 1, 1 + below(99));
}

static void
generate(void)
{
	unsigned nodes = below(12), groups = below(12), apps = below(12), i;
	char *l;

	lines_len = 0;
	l = line("dvm d", below(9));
	if (below(2) == 0)
		ADD(l, " boot-wait=%ums relocate-hold=%us seed=%u",
		    below(9999), below(99), below(9999));
	if (below(2) == 0)
		ADD(l, " profile=relaxed change-limit=%u%%", below(101));
	if (nodes > 0)
		add_list(l, "tiebreak", "n", "", nodes < 8 ? nodes : 8);
	for (i = 0; i < nodes; i++) {
		l = line("node n", i);
		ADD(l, " addr=10.0.0.%u:%u,[fe80::%x]:%u", i + 1,
		    1 + below(65535), i + 1, 7411 + below(2));
		ADD(l, " p=%u.%ue-%u slots=%u attr=x0", below(9), below(100),
		    1 + below(6), 1 + below(4096));
		add_list(l, "groups", "g", "", groups);
	}
	for (i = 0; i < groups; i++) {
		l = line("group g", i);
		ADD(l, " kind=k%u", i % 4);
		if (i % 4 < 3 && i + 1 < groups && below(2) == 0)
			ADD(l, " parent=g%u", i + 1);
		add_list(l, "nodes", "n", "", nodes);
	}
	for (i = 0; i < apps; i++)
		add_app(i, apps, nodes, groups);
}

static void
shuffle_into_text(void)
{
	char keep[sizeof(lines[0])];
	size_t i, k, len = 0;

	for (i = lines_len; i > 1; i--) {
		k = below((unsigned)i);
		memcpy(keep, lines[k], sizeof(keep));
		memcpy(lines[k], lines[i - 1], sizeof(keep));
		memcpy(lines[i - 1], keep, sizeof(keep));
	}
	for (i = 0; i < lines_len; i++)
		len += (size_t)snprintf(all + len, sizeof(all) - len, "%s\n",
		    lines[i]);
}

static void
what_is_printed_is_read_as_the_same(void)
{
	int i, good = 0;
	bool fixed = true, ordered = true;
	uint64_t hash;

	for (i = 0; i < ROUNDS; i++) {
		generate();
		shuffle_into_text();
		if (!conf_of(a, all))
			continue;
		good++;
		hash = a->hash;
		fixed = fixed && conf_text_of(a, &one) &&
		    conf_of(b, one.at) && conf_text_of(b, &two) &&
		    strcmp(one.at, two.at) == 0 && b->hash == hash;
		shuffle_into_text();
		ordered = ordered && conf_of(a, all) && a->hash == hash;
	}
	ok(good > ROUNDS / 2, "%d of %d are good", good, ROUNDS);
	ok(fixed, "printed, read, and printed again");
	ok(ordered, "their lines in another order");
}

static void
damage_is_an_error_or_harmless(void)
{
	size_t len, at;
	int i;
	bool fixed = true;

	for (i = 0; i < 4 * ROUNDS; i++) {
		if (i % 8 == 0) {
			generate();
			shuffle_into_text();
		}
		len = strlen(all);
		at = below((unsigned)len);
		all[at] = (char)(1 + below(255));
		if (!conf_of(a, all)) {
			fixed = fixed && a->errors_len > 0;
			continue;
		}
		fixed = fixed && conf_text_of(a, &one) && conf_of(b, one.at) &&
		    b->hash == a->hash;
	}
	ok(fixed, "%d damaged texts", 4 * ROUNDS);
}

static void
items_come_in_order(void)
{
	static struct conf_item item;
	uint32_t at = 0, row = 0, len = 0;
	bool rising = true;

	ok(conf_of(a, "dvm d\napp a exec=/a env=B=1 env=A=2\n"
	    "plugin leader lowest stall=100 pace=9\n"), "one app");
	while (conf_item(a, CONF_APP, 0, &at, &item)) {
		rising = rising && item.row >= row;
		row = item.row;
		if (strcmp(item.key, "env") == 0)
			is_str(item.value, len++ == 0 ? "A=2" : "B=1", "env");
	}
	ok(rising && len == 2, "rows rise, values of one follow each other");
	at = 0;
	ok(conf_item(a, CONF_PLUGIN, 0, &at, &item) &&
		strcmp(item.key, "pace") == 0 && strcmp(item.value, "9") == 0,
	    "a parameter");
	ok(conf_item(a, CONF_PLUGIN, 0, &at, &item) &&
		strcmp(item.key, "stall") == 0 &&
		!conf_item(a, CONF_PLUGIN, 0, &at, &item), "and the other");
}

int
main(void)
{
	a = conf_new();
	b = conf_new();
	rand_seed(&rnd, 11);
	what_is_printed_is_read_as_the_same();
	damage_is_an_error_or_harmless();
	items_come_in_order();
	return done_testing();
}
