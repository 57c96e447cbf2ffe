/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "core/conf.h"
#include "base/hash.h"

#include "tap.h"
#include "conf_side.h"

static struct conf *c;
static char text[3 * CONF_TEXT_MAX];
static size_t text_len;

static void
clear(void)
{
	text_len = 0;
	text[0] = '\0';
}

#define ADD(...)                                                               \
	(text_len += (size_t)snprintf(text + text_len,                         \
	     sizeof(text) - text_len, __VA_ARGS__))

static bool
reads(void)
{
	return conf_of(c, text);
}

static bool
has_error(const char *part)
{
	uint32_t i;

	for (i = 0; i < c->errors_len; i++)
		if (strstr(c->errors[i].text, part) != NULL)
			return true;
	for (i = 0; i < c->errors_len; i++)
		printf("# %s:%u: %s\n", c->errors[i].place.file,
		    (unsigned)c->errors[i].place.line, c->errors[i].text);
	return false;
}

static void
dvm_and_nodes_say_what_was_said(void)
{
	const struct conf_dvm *d;
	const struct conf_node *n;

	clear();
	ADD("node n2 addr=10.0.0.2,10.1.0.2:99 votes=2 p=1e-4 drain=yes\n"
	    "dvm d profile=carrier port=7000 links=10.0.0.0/24,eth1 "
	    "primary=n2 tiebreak=n2,n1 change-limit=7%% storm=slotted:5\n"
	    "node n1 addr=10.0.0.1,10.1.0.1 id=9 mem=1K cpu=1.5 attr=b,a\n");
	ok(reads(), "a DVM and two nodes");
	d = &c->dvm;
	is_str(d->name, "d", "its name");
	ok(d->profile == CONF_PROFILE_CARRIER && d->port == 7000, "numbers");
	ok(d->links_len == 2 && d->links[0].net.prefix == 24 &&
		d->links[1].net.family == ADDR_NONE, "two links");
	is_str(d->links[1].name, "eth1", "one is an interface");
	ok(d->primary == 1 && d->ties_len == 2 && d->ties[0] == 1 &&
		d->ties[1] == 0, "nodes by index, as they are sorted");
	ok(d->relocate_hold == 500 * ORCM_MS && d->adopt_hold == 60 * ORCM_MS,
	    "times of the profile");
	ok(d->change_limit == 70 && d->storm == CONF_SLOTTED &&
		d->storm_k == 5, "permille, responders");
	is_str(d->map, "resilient", "a policy that nobody gave");
	is_u64(d->id, hash_of("d", 1) % 4294967295 + 1, "an id by its name");
	n = c->nodes;
	ok(c->nodes_len == 2 && strcmp(n[0].name, "n1") == 0, "sorted");
	ok(n[0].id == 9 && n[1].id == hash_of("n2", 2) % 65534 + 1,
	    "a number given, a number made of the name");
	ok(n[0].addr_len == 2 && n[0].addr[1].port == 7000 &&
		n[1].addr[1].port == 99, "the DVM's port, or its own");
	ok(n[0].mem == 1024 && n[0].cpu == 1500 && n[0].attrs == 3, "room");
	is_str(c->attrs[0], "a", "attributes are sorted");
	ok(n[1].mem == CONF_NO_LIMIT && n[1].votes == 2 && n[1].p == 100000 &&
		n[1].drain == 1 && n[1].slots == 16, "and the other");
	ok(n[0].place.line == 3 && n[1].place.line == 1, "lines are known");
}

static void
groups_hold_those_below_them(void)
{
	const struct conf_group *g;
	const struct conf_app *a;

	clear();
	ADD("dvm d\nnode a addr=10.0.0.1 groups=low1\nnode b addr=10.0.0.2\n"
	    "node e addr=10.0.0.3\n"
	    "group low1 kind=shelf parent=mid p=0.5\n"
	    "group low2 kind=shelf parent=mid nodes=b\n"
	    "group mid kind=rack parent=top\ngroup top kind=hall\n"
	    "group psu kind=psu nodes=b,e\n"
	    "app x exec=/x avoid=mid spread=rack:strict\n");
	ok(reads(), "groups in groups");
	g = c->groups;
	is_str(g[2].name, "mid", "sorted by name");
	ok(g[2].nodes.bits[0] == 3 && g[4].nodes.bits[0] == 3, "both above");
	ok(g[0].nodes.bits[0] == 1 && g[1].nodes.bits[0] == 2, "each below");
	ok(c->nodes[0].groups.bits[0] == 1, "as it was put");
	ok(c->nodes[0].member.bits[0] == (1 | 4 | 16), "and by way of others");
	is_u64(c->kinds_len, 4, "four kinds");
	is_str(c->kinds[0], "psu", "first those with nothing below");
	is_str(c->kinds[1], "shelf", "by name");
	is_str(c->kinds[2], "rack", "then what lies above them");
	is_str(c->kinds[3], "hall", "and so on");
	ok(g[0].kind_index == 1 && g[4].kind_index == 3 && g[0].p == 500000000,
	    "groups know their kinds");
	a = &c->apps[0];
	ok(a->forbid.bits[0] == 3 && a->avoid_groups.bits[0] == 4 &&
		a->avoid.bits[0] == 0, "a group avoided is its nodes avoided");
	ok(conf_spread(c, a, 0) == CONF_SPREAD_FIRM &&
		conf_spread(c, a, 1) == CONF_SPREAD_FIRM, "low ones: firm");
	ok(conf_spread(c, a, 2) == CONF_SPREAD_STRICT, "as it was said");
	ok(conf_spread(c, a, 3) == CONF_SPREAD_SOFT, "high ones: soft");
}

static void
apps_say_what_was_said(void)
{
	const struct conf_app *a;
	uint32_t i;

	clear();
	ADD("dvm d\nnode n1 addr=10.0.0.1 attr=x,y\nnode n2 addr=10.0.0.2\n"
	    "app b:1 exec=\"/b -f 'a b'\" env=Z=1 env=A=2 replicas=2 "
	    "pin=1@n2,0@n1,0@n2 prefer=y=3,x=4 apart=a=5 after=a "
	    "local=7/90s backoff=0,1s cpu=0.25 mem=3M leader=fixed:1\n"
	    "app a exec=/a\n");
	ok(reads(), "two apps");
	a = &c->apps[1];
	is_str(a->name, "b:1", "a name with a version");
	is_u64(a->id, hash_of("b:1", 3) & ~UINT64_C(0xffff), "its id");
	ok(a->exec.len == 3 && a->exec.word[3] == NULL, "an argv");
	is_str(a->exec.word[2], "a b", "with a blank");
	ok(a->env.len == 2 && a->env.word[2] == NULL, "an envp");
	is_str(a->env.word[0], "A=2", "sorted");
	ok(a->pins_len == 3 && a->pins[0].rank == 0 && a->pins[0].node == 0 &&
		a->pins[1].node == 1 && a->pins[2].rank == 1, "pins, sorted");
	ok(a->prefer_len == 2 && a->prefer[0].what == 0 &&
		a->prefer[0].weight == 4 && a->prefer[1].weight == 3,
	    "preferences");
	ok(a->apart_len == 1 && a->apart[0].what == 0 &&
		a->apart[0].weight == 5 && a->after_len == 1 &&
		a->after[0] == 0, "other apps by index");
	ok(a->local.count == 7 && a->local.window == 90 * ORCM_SECOND,
	    "a rate");
	ok(a->backoff_len == 2 && a->backoff[1] == ORCM_SECOND, "back-off");
	ok(a->cpu == 250 && a->mem == 3 << 20, "needs");
	is_str(a->leader, "fixed:1", "a policy");
	ok(a->spread_node == CONF_SPREAD_STRICT && a->cwd[0] == '\0' &&
		a->restart == CONF_RESTART_CRASH && a->priority == 50,
	    "and what is usual");
	i = conf_find(c, CONF_APP, "b");
	ok(i == 1 && conf_find(c, CONF_APP, "b:1") == 1, "found by both");
	ok(conf_find(c, CONF_APP, "b:") == CONF_NONE &&
		conf_find(c, CONF_APP, "") == CONF_NONE, "not by less");
	ok(conf_where(c, CONF_APP, 1, "leader").line == 4 &&
		conf_where(c, CONF_APP, 1, "no").line == 4, "places");
}

static void
program_is_split_like_this(void)
{
	static const struct {
		const char *value;
		const char *want[4];
	} rows[] = {
		{ "/a  b\tc", { "/a", "b", "c", NULL } },
		{ " /a ", { "/a", NULL } },
		{ "/a '' \\\"\\\"", { "/a", "", "", NULL } },
		{ "/a x'y z'w", { "/a", "xy zw", NULL } },
		{ "/a \\\\' '\\\\'", { "/a", "'", "\\", NULL } },
		{ "/a '\\\"' \\\"'\\\"", { "/a", "\"", "'", NULL } },
		{ "/a \\\"\\\\x\\\\\\\"\\\\\\\\\\\"", { "/a", "\\x\"\\",
							  NULL } },
		{ "/a \\\\\\\\ $H*", { "/a", "\\", "$H*", NULL } },
	};
	const struct conf_words *w;
	size_t i, k;
	bool same;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		clear();
		ADD("dvm d\napp a exec=\"%s\"\n", rows[i].value);
		if (!ok(reads(), "%s", rows[i].value)) {
			(void)has_error("");
			continue;
		}
		w = &c->apps[0].exec;
		for (k = 0, same = true; same && rows[i].want[k] != NULL; k++)
			same = k < w->len &&
			    strcmp(w->word[k], rows[i].want[k]) == 0;
		ok(same && w->len == k, "is %zu arguments", k);
	}
}

static void
limits_are_reached_and_not_passed(void)
{
	int i;

	clear();
	ADD("dvm d\n");
	for (i = 0; i < 128; i++)
		ADD("node n%d id=%d addr=10.0.0.%d\n", i, i + 1, i + 1);
	for (i = 0; i < 128; i++)
		ADD("group g%d nodes=n%d\n", i, i);
	for (i = 0; i < 256; i++)
		ADD("app a%d exec=/a\n", i);
	for (i = 0; i < 64; i++)
		ADD("plugin leader p%d\n", i);
	ok(reads(), "as much as there may be");
	ok(c->nodes_len == 128 && c->groups_len == 128 && c->apps_len == 256 &&
		c->plugins_len == 64, "all of it");
	ADD("node n128\ngroup g128\napp a256 exec=/a\nplugin leader p64\n");
	ok(!reads(), "one more of each");
	is_u64(c->errors_len, 4, "four errors");
	ok(has_error("node n128: there are 128 before it") &&
		has_error("app a256: there are 256 before it"), "that say it");
	clear();
	ADD("dvm d\nnode n1 attr=");
	for (i = 0; i < 64; i++)
		ADD("%sx%d", i > 0 ? "," : "", i);
	ADD("\n");
	ok(reads(), "64 attributes");
	ADD("node n2 attr=y\n");
	ok(!reads() && has_error("there are 64 different"), "not 65");
}

static void
lists_of_all_apps_have_a_limit(void)
{
	int i, k;

	clear();
	ADD("dvm d\n");
	for (i = 0; i < 64; i++)
		ADD("node n%d id=%d addr=10.0.0.%d attr=x%d\n", i, i + 1,
		    i + 1, i);
	for (k = 0; k < 16; k++) {
		ADD("app a%d exec=/a pin=all@n0", k);
		for (i = 1; i < 64; i++)
			ADD(",all@n%d", i);
		ADD(" prefer=x0=1");
		for (i = 1; i < 64; i++)
			ADD(",x%d=1", i);
		ADD("\n");
	}
	ok(reads(), "1024 pins and 1024 wishes");
	ADD("app b exec=/b pin=0@n1 apart=a1=1\n");
	ok(!reads() && has_error("1024 pins") && has_error("1024 items"),
	    "one more of each");
}

static void
text_has_a_limit(void)
{
	size_t i;

	clear();
	ADD("dvm d\n");
	while (text_len < CONF_TEXT_MAX - 1)
		ADD("#");
	ADD("\n");
	ok(text_len == CONF_TEXT_MAX && reads(), "65536 bytes");
	text[text_len - 1] = '#';
	ADD("\n");
	ok(!reads() && has_error("more than 65536 bytes"), "not 65537");
	is_u64(c->errors_len, 1, "which is said once");
	clear();
	ADD("dvm d\n");
	while (text_len < 2 * CONF_TEXT_MAX)
		ADD("x y\n");
	ok(!reads() && c->bad, "twice as much");
	/* The longest program there can be, and one whose print is longer. */
	clear();
	ADD("dvm d\napp a exec=\"/a");
	for (i = 0; i < CONF_VALUE_MAX - 3; i++)
		ADD("b");
	ADD("\"\n");
	ok(reads(), "8191 bytes of a value");
	text_len -= 2;
	ADD("b\"\n");
	ok(!reads() && has_error("longer than 8191"), "not 8192");
	clear();
	ADD("dvm d\napp a exec=\"/a");
	for (i = 0; i < 3000; i++)
		ADD(" \\\\'");
	ADD("\"\n");
	ok(!reads() && has_error("longer than 8191"), "nor printed");
}

static void
canonical_text_has_that_limit_too(void)
{
	int i, k;

	clear();
	ADD("dvm d\n");
	for (i = 0; i < 128; i++)
		ADD("node n%d id=%d addr=10.0.0.%d\n", i, i + 1, i + 1);
	for (k = 0; k < 40; k++) {
		ADD("group a-name-that-is-written-again-for-each-node-%d "
		    "nodes=n0", k);
		for (i = 1; i < 128; i++)
			ADD(",n%d", i);
		ADD("\n");
	}
	ok(text_len < CONF_TEXT_MAX && !reads() &&
		has_error("more than 65536 bytes when it is printed"),
	    "a text that would grow too long");
}

static void
errors_are_sorted_and_bounded(void)
{
	uint32_t i;
	bool sorted = true;

	clear();
	ADD("app z exec=/z bad=1\nnode n0 slots=x\ndvm d port=0\nbad\n");
	ok(!reads(), "four mistakes");
	is_u64(c->errors_len, 4, "four errors");
	for (i = 0; i < c->errors_len; i++)
		sorted = sorted && c->errors[i].place.line == i + 1;
	ok(sorted, "by line, whatever was read first");
	clear();
	ADD("dvm d\n");
	for (i = 0; i < 30; i++)
		ADD("node n%u slots=0\n", (unsigned)i);
	ok(!reads(), "thirty mistakes");
	is_u64(c->errors_len, CONF_ERRORS_MAX, "twenty are kept");
	is_u64(c->errors_lost, 10, "ten are counted");
	clear();
	ADD("dvm d\n");
	for (i = 0; i < 30; i++)
		ADD("group g%u\n", (unsigned)i);
	ok(reads() && c->errors_len == 20 && c->errors_lost == 10 &&
		c->errors[0].warning, "thirty warnings are no error");
	conf_complain(c, conf_where(c, CONF_DVM, 0, ""), "not so");
	ok(c->bad && c->errors_len == 20 && !c->errors[0].warning,
	    "and make way for one");
	is_str(c->errors[0].text, "not so", "which comes first");
}

static void
files_follow_each_other(void)
{
	static const char a[] = "dvm d\nnode n1 \\", b[] = "slots=4\nnode\n";
	char name[16];
	int i;

	conf_clear(c);
	conf_read(c, a, sizeof(a) - 1, "a");
	conf_read(c, b, sizeof(b) - 1, "b");
	ok(!conf_end(c) && c->errors_len == 3, "two files");
	is_str(c->errors[0].place.file, "a", "the first file");
	ok(c->errors[0].place.line == 2, "does not go on in the second");
	is_str(c->errors[2].place.file, "b", "the second");
	ok(c->errors[2].place.line == 2, "begins with line 1");
	conf_clear(c);
	conf_read(c, "dvm d\n", 6, "0");
	for (i = 1; i < 64; i++) {
		snprintf(name, sizeof(name), "%d", i);
		conf_read(c, "\n", 1, name);
	}
	ok(!c->bad, "64 files");
	conf_read(c, "\n", 1, "65");
	ok(c->bad && has_error("more than 64 files"), "not 65");
	conf_clear(c);
	conf_complain_file(c, "x", "cannot be read");
	ok(c->bad && c->errors[0].place.line == 0, "a file as a whole");
	is_str(c->errors[0].place.file, "x", "by name");
}

static void
generations_count_changes(void)
{
	uint64_t hash, other;

	ok(conf_of(c, "dvm d\nnode a id=1\n"), "one");
	hash = c->hash;
	is_u64(c->generation, 1, "the first");
	ok(conf_of(c, "# the same\nnode a  id=1 votes=1\n\ndvm d"), "alike");
	is_u64(c->hash, hash, "the same hash");
	conf_follow(c, 5, hash);
	is_u64(c->generation, 5, "and the same generation");
	ok(conf_of(c, "dvm d\nnode a id=2\n"), "another");
	other = c->hash;
	conf_follow(c, 5, hash);
	ok(other != hash && c->generation == 6, "is the next one");
}

static void
nothing_is_left_of_what_was(void)
{
	static struct conf *fresh;
	uint64_t hash;

	ok(conf_of(c, "dvm d\nnode a groups=g attr=x slots=3\ngroup g\n"
	    "app p exec=/p env=A=b pin=0@a replicas=1 spread=node:soft\n"
	    "plugin leader lowest stall=100\n"), "much");
	ok(conf_of(c, "dvm e\nnode b\ngroup h\napp q exec=/q\n"
	    "plugin leader first\n"), "then less");
	hash = c->hash;
	fresh = conf_new();
	ok(conf_of(fresh, "dvm e\nnode b\ngroup h\napp q exec=/q\n"
	    "plugin leader first\n") && fresh->hash == hash,
	    "is as it is alone");
}

int
main(void)
{
	c = conf_new();
	dvm_and_nodes_say_what_was_said();
	groups_hold_those_below_them();
	apps_say_what_was_said();
	program_is_split_like_this();
	limits_are_reached_and_not_passed();
	lists_of_all_apps_have_a_limit();
	text_has_a_limit();
	canonical_text_has_that_limit_too();
	errors_are_sorted_and_bounded();
	files_follow_each_other();
	generations_count_changes();
	nothing_is_left_of_what_was();
	return done_testing();
}
