/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "core/conf.h"

#include "tap.h"
#include "conf_side.h"

/*
 * Warnings: a configuration that may be used, but hardly means what it says.
 * What is an error stands in tests/conf/bad.
 */
static struct conf *c;

static void
warns(const char *text, uint32_t line, const char *part)
{
	uint32_t i;

	if (!ok(conf_of(c, text) && c->errors_len == 1, "one warning")) {
		for (i = 0; i < c->errors_len; i++)
			printf("# %s\n", c->errors[i].text);
		return;
	}
	ok(c->errors[0].warning && strstr(c->errors[0].text, part) != NULL &&
		strchr(c->errors[0].text, ';') != NULL, "%s", part);
	is_u64(c->errors[0].place.line, line, "line %u", (unsigned)line);
}

static void
silent(const char *text)
{
	if (!ok(conf_of(c, text) && c->errors_len == 0, "no warning"))
		printf("# %s\n", c->errors[0].text);
}

#define TWO "node a addr=10.0.0.1\nnode b addr=10.0.0.2\n"
#define TWO_LINKS                                                              \
	"node a addr=10.0.0.1,10.1.0.1\nnode b addr=10.0.0.2,10.1.0.2\n"

static void
two_nodes_need_two_links(void)
{
	warns("dvm d\n" TWO, 1, "two nodes with one link");
	silent("dvm d\n" TWO_LINKS);
	silent("dvm d two-node=strict\n" TWO);
	silent("dvm d two-node=witness witness=10.0.0.9\n" TWO);
	silent("dvm d\nnode a addr=10.0.0.1\n");
	silent("dvm d\n" TWO "node c addr=10.0.0.3\n");
}

static void
replicas_need_nodes(void)
{
	warns("dvm d\n" TWO_LINKS "app x exec=/x replicas=3\n", 4,
	    "3 replicas, but only 2 nodes");
	warns("dvm d\n" TWO_LINKS "app x exec=/x avoid=a \\\n replicas=2\n", 5,
	    "2 replicas, but only 1 node");
	silent("dvm d\n" TWO_LINKS
	    "app x exec=/x replicas=3 spread=node:soft\n");
	silent("dvm d\napp x exec=/x replicas=3\n");
	warns("dvm d\nnode a slots=2\napp x exec=/x replicas=3 "
	    "spread=node:soft\n", 1, "more slots than all nodes");
	silent("dvm d\nnode a slots=2\napp x exec=/x replicas=3 "
	    "spread=node:soft start=manual\n");
}

static void
others(void)
{
	warns("dvm d\ngroup g\n", 2, "no node is in it");
	warns("dvm d\napp x exec=/x after=y\napp y exec=/y start=manual\n", 2,
	    "started by hand");
	silent("dvm d\napp x exec=/x after=y start=manual\n"
	    "app y exec=/y start=manual\n");
}

static void
carrier_is_for_small_ones(void)
{
	static char text[8192];
	size_t at;
	int i, nodes;

	for (nodes = 16; nodes <= 17; nodes++) {
		at = (size_t)snprintf(text, sizeof(text),
		    "dvm d profile=carrier\n");
		for (i = 1; i <= nodes; i++)
			at += (size_t)snprintf(text + at, sizeof(text) - at,
			    "node n%d id=%d addr=10.0.0.%d\n", i, i, i);
		if (nodes == 16)
			silent(text);
		else
			warns(text, 1, "made for 16 nodes, not for 17");
	}
	memcpy(text, "dvm d multicast=239.1.1.1 profile=carrier\n#", 43);
	silent(text);
}

static void
errors_silence_warnings(void)
{
	ok(!conf_of(c, "dvm d\ngroup g\nnode a slots=0\n") &&
		c->errors_len == 1 && !c->errors[0].warning,
	    "first what is wrong, then what is odd");
}

int
main(void)
{
	c = conf_new();
	two_nodes_need_two_links();
	replicas_need_nodes();
	others();
	carrier_is_for_small_ones();
	errors_silence_warnings();
	return done_testing();
}
