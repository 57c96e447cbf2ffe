/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "core/conf_own.h"

#include "tap.h"
#include "conf_side.h"

/*
 * Promises of the table of keys: each row's texts are as they must be, and
 * its range is what errors and the manual say.
 */
static struct conf *c;

/* A configuration in which each key's example means something. */
static bool
reads_with(const struct conf_key *k, const char *value)
{
	static const char *const heads[CONF_KEYWORDS] = {
		[CONF_DVM] = "dvm d",
		[CONF_NODE] = "node n1 addr=10.0.0.1,10.1.0.1",
		[CONF_GROUP] = "group g",
		[CONF_APP] = "app a replicas=1 exec=/a",
		[CONF_PLUGIN] = "",
	};
	struct text t;
	const char *more;
	char all[2048], head[80];
	enum conf_keyword w;
	size_t cut;

	text_init(&t, all, sizeof(all));
	for (w = 0; w < CONF_KEYWORDS; w++) {
		snprintf(head, sizeof(head), "%s", heads[w]);
		more = "";
		if (w == k->keyword) {
			/* Not twice the key that is tried. */
			if (strcmp(k->name, "addr") == 0 ||
			    strcmp(k->name, "exec") == 0 ||
			    strcmp(k->name, "replicas") == 0) {
				cut = strcspn(head, " ");
				cut += 1 + strcspn(head + cut + 1, " ");
				head[cut] = '\0';
			}
			if (strcmp(k->name, "replicas") == 0)
				more = " exec=/a";
		}
		text_add(&t, head);
		text_add(&t, more);
		if (w == k->keyword) {
			text_char(&t, ' ');
			text_add(&t, k->name);
			text_char(&t, '=');
			text_add(&t, value);
			if (strcmp(k->name, "witness") == 0 &&
			    value[0] != '\0')
				text_add(&t, " two-node=witness");
		}
		text_char(&t, '\n');
	}
	text_add(&t, "node n2 addr=10.0.0.2,10.1.0.2 attr=fast,disk cpu=4096 "
	    "slots=4096\ngroup psu1 kind=psu\n"
	    "group shelf1 kind=shelf\ngroup rack1 kind=rack\napp db exec=/d\n"
	    "app ospf exec=/o\n");
	return conf_of(c, all);
}

static void
examples_are_good(void)
{
	const struct conf_key *k;
	uint32_t row;

	for (row = 0; (k = conf_key(row)) != NULL; row++) {
		if (!ok(reads_with(k, k->example), "%s %s=%s",
			conf_keyword_name(k->keyword), k->name, k->example))
			printf("# %s\n", c->errors[0].text);
	}
	ok(row < CONF_KEYS_LEN, "%u keys", (unsigned)row);
}

/* Said or not, it is the same, and is printed like that. */
static void
usual_texts_are_canonical(void)
{
	static struct conf_item item;
	const struct conf_key *k;
	uint32_t row, at, i;
	uint64_t hash;
	bool found;

	for (row = 0; (k = conf_key(row)) != NULL; row++) {
		/* One of two nodes must have an address. */
		if (k->usual == NULL || strcmp(k->name, "addr") == 0)
			continue;
		ok(reads_with(k, k->usual), "%s %s=%s",
		    conf_keyword_name(k->keyword), k->name, k->usual);
		hash = c->hash;
		i = conf_find(c, k->keyword,
		    k->keyword == CONF_APP ? "a" :
		    k->keyword == CONF_NODE ? "n1" :
		    k->keyword == CONF_GROUP ? "g" : "d");
		for (at = 0, found = k->several; !found &&
		    conf_item(c, k->keyword, i, &at, &item);)
			found = strcmp(item.key, k->name) == 0 && item.usual &&
			    strcmp(item.value, k->usual) == 0;
		ok(found && c->hash == hash, "is usual");
	}
}

static void
ranges_end_where_they_say(void)
{
	const struct conf_key *k;
	char value[24];
	uint32_t row;

	for (row = 0; (k = conf_key(row)) != NULL; row++) {
		if (k->type != &conf_number)
			continue;
		snprintf(value, sizeof(value), "%llu",
		    (unsigned long long)k->min);
		ok(strstr(k->expect, value) != NULL && reads_with(k, value),
		    "%s from %s", k->name, value);
		snprintf(value, sizeof(value), "%llu",
		    (unsigned long long)k->max);
		ok(strstr(k->expect, value) != NULL, "%s to %s", k->name,
		    value);
		ok(reads_with(k, value) || c->errors[0].place.line == 0 ||
			strstr(c->errors[0].text, "is not") == NULL,
		    "is a value");
		snprintf(value, sizeof(value), "%llu",
		    (unsigned long long)k->max + 1);
		ok(!reads_with(k, value) &&
			strstr(c->errors[0].text, k->expect) != NULL,
		    "%s is none", value);
		if (k->min == 0)
			continue;
		snprintf(value, sizeof(value), "%llu",
		    (unsigned long long)k->min - 1);
		ok(!reads_with(k, value), "nor is %s", value);
	}
}

static void
words_are_those_of_the_errors(void)
{
	const struct conf_key *k;
	uint32_t row, i;

	for (row = 0; (k = conf_key(row)) != NULL; row++) {
		for (i = 0; k->type == &conf_word && k->words[i] != NULL; i++) {
			ok(strstr(k->expect, k->words[i]) != NULL, "%s=%s",
			    k->name, k->words[i]);
			/* A witness is asked for, no other word is wrong. */
			ok(reads_with(k, k->words[i]) ||
				strcmp(k->words[i], "witness") == 0, "is good");
		}
		ok(k->type != &conf_word || !reads_with(k, "no-such-word"),
		    "%s takes no other word", k->name);
	}
}

static void
keys_are_found(void)
{
	const struct conf_key *k;
	uint32_t row;
	bool found = true;

	for (row = 0; (k = conf_key(row)) != NULL; row++)
		found = found && conf_key_find(k->keyword, k->name) == k &&
		    conf_key_row(k) == row;
	ok(found, "each by its name");
	ok(conf_key_find(CONF_APP, "votes") == NULL &&
		conf_key_find(CONF_NODE, "") == NULL, "no others");
	is_str(conf_class_name(CONF_LIVE), "live", "live");
	is_str(conf_class_name(CONF_AGAIN), "restart", "restart");
	is_str(conf_class_name(CONF_REFUSED), "refused", "refused");
}

int
main(void)
{
	c = conf_new();
	examples_are_good();
	usual_texts_are_canonical();
	ranges_end_where_they_say();
	words_are_those_of_the_errors();
	keys_are_found();
	return done_testing();
}
