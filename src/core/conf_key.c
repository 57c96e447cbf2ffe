/* SPDX-License-Identifier: ISC */
/*
 * Every key that there is, in the order in which they are printed.  A row
 * says what a value may be, what it is when nobody says, and whether a change
 * needs a new start.  orcm.conf(5) says the same in words; a test compares
 * them.
 *
 * What is usual is written as it would be printed.  Three rows have no such
 * text because it follows from other things: conf_usual() makes it.
 */
#include <string.h>

#include "base/hash.h"
#include "base/num.h"
#include "core/conf_own.h"

#define SECOND ORCM_SECOND
#define MINUTE (60 * ORCM_SECOND)
#define HOUR (3600 * ORCM_SECOND)
#define DAY (24 * HOUR)
#define SLOTS_MAX 4096u
#define SIZE_MAX_ (UINT64_C(1) << 60)
#define CPU_MAX UINT64_C(4096000)

static const char *const profiles[] = {
	[CONF_PROFILE_CARRIER] = "carrier",
	[CONF_PROFILE_DEFAULT] = "default",
	[CONF_PROFILE_RELAXED] = "relaxed",
	[CONF_PROFILE_AUTO] = "auto",
	NULL,
};
static const char *const two_nodes[] = {
	[CONF_TAKEOVER] = "takeover",
	[CONF_STRICT] = "strict",
	[CONF_WITNESS] = "witness",
	NULL,
};
static const char *const modes[] = {
	[CONF_ORDERS] = "orders",
	[CONF_SHARES] = "shares",
	NULL,
};
static const char *const reconciles[] = {
	[CONF_LEADER_FIRST] = "leader-first",
	[CONF_KEEP_ORIGINAL] = "keep-original",
	[CONF_KEEP_REPLACEMENT] = "keep-replacement",
	[CONF_LONGEST_RUNNING] = "longest-running",
	[CONF_BEST_PLACEMENT] = "best-placement",
	NULL,
};
static const char *const restarts[] = {
	[CONF_RESTART_CRASH] = "crash",
	[CONF_RESTART_FAILURE] = "failure",
	[CONF_RESTART_ALWAYS] = "always",
	[CONF_RESTART_NEVER] = "never",
	NULL,
};
static const char *const poisons[] = {
	[CONF_POISON_HOLD] = "hold",
	[CONF_POISON_IGNORE] = "ignore",
	NULL,
};
static const char *const minorities[] = {
	[CONF_MINORITY_KEEP] = "keep",
	[CONF_MINORITY_DROP] = "drop",
	NULL,
};
static const char *const starts[] = {
	[CONF_START_AUTO] = "auto",
	[CONF_START_MANUAL] = "manual",
	NULL,
};
static const char *const no_yes[] = { "no", "yes", NULL };

/* For errors: what is expected, and an example of it. */
#define TIME_UP_TO(what) "a time of at most " what " with ms, s, m or h"
#define ONE_OF(words) "one of " words

#define KEY(keyword_, name_, type_, offset_, usual_, class_, expect_,          \
    example_)                                                                  \
	.keyword = keyword_, .name = name_, .type = type_, .offset = offset_, \
	.usual = usual_, .class = class_, .expect = expect_, \
	.example = example_
#define FIELD(thing, field) offsetof(struct conf_##thing, field)
/* clang-format off */
static const struct conf_key keys[] = {
	{ KEY(CONF_DVM, "id", &conf_number, FIELD(dvm, id), NULL, CONF_REFUSED,
	  "a number from 1 to 4294967295", "7"),
	  .min = 1, .max = UINT32_MAX },
	{ KEY(CONF_DVM, "profile", &conf_word, FIELD(dvm, profile), "default",
	  CONF_LIVE, ONE_OF("carrier, default, relaxed, auto"), "default"),
	  .max = UINT32_MAX, .words = profiles },
	{ KEY(CONF_DVM, "port", &conf_number, FIELD(dvm, port), "7411",
	  CONF_REFUSED, "a number from 1 to 65535", "7411"),
	  .min = 1, .max = 65535 },
	{ KEY(CONF_DVM, "links", &conf_links, 0, "", CONF_REFUSED,
	  "a list of networks ADDRESS/PREFIX or interfaces",
	  "10.0.0.0/24,10.1.0.0/24") },
	{ KEY(CONF_DVM, "multicast", &conf_multicast, FIELD(dvm, multicast), "",
	  CONF_REFUSED, "an address of 224.0.0.0/4 or ff00::/8",
	  "239.192.74.11") },
	{ KEY(CONF_DVM, "two-node", &conf_word, FIELD(dvm, two_node),
	  "takeover",
	  CONF_LIVE, ONE_OF("takeover, strict, witness"), "takeover"),
	  .max = UINT32_MAX, .words = two_nodes },
	{ KEY(CONF_DVM, "witness", &conf_witnesses, 0, "", CONF_LIVE,
	  "a list of addresses", "10.0.0.254") },
	{ KEY(CONF_DVM, "primary", &conf_node_ref, FIELD(dvm, primary), "",
	  CONF_LIVE, "a node", "n1") },
	{ KEY(CONF_DVM, "tiebreak", &conf_ties, 0, "", CONF_LIVE,
	  "a list of nodes", "n1,n2") },
	{ KEY(CONF_DVM, "boot-wait", &conf_time, FIELD(dvm, boot_wait), "2s",
	  CONF_LIVE, TIME_UP_TO("1h"), "2s"),
	  .max = HOUR },
	{ KEY(CONF_DVM, "lone-boot", &conf_time, FIELD(dvm, lone_boot), "10s",
	  CONF_LIVE, TIME_UP_TO("1h"), "10s"),
	  .max = HOUR },
	{ KEY(CONF_DVM, "relocate-hold", &conf_time, FIELD(dvm, relocate_hold),
	  NULL, CONF_LIVE, TIME_UP_TO("1h"), "2s"),
	  .max = HOUR },
	{ KEY(CONF_DVM, "adopt-hold", &conf_time, FIELD(dvm, adopt_hold), NULL,
	  CONF_LIVE, TIME_UP_TO("1h"), "400ms"),
	  .max = HOUR },
	{ KEY(CONF_DVM, "dup-hold", &conf_time, FIELD(dvm, dup_hold), "5s",
	  CONF_LIVE, TIME_UP_TO("1h"), "5s"),
	  .max = HOUR },
	{ KEY(CONF_DVM, "seed", &conf_big, FIELD(dvm, seed), "0", CONF_LIVE,
	  "a number from 0 to 2^64-1", "42"),
	  .max = UINT64_MAX },
	{ KEY(CONF_DVM, "storm", &conf_storm_type, 0, "slotted:3", CONF_LIVE,
	  "flood, or slotted:K with K from 1 to 16", "slotted:3"),
	  .min = 1, .max = 16 },
	{ KEY(CONF_DVM, "mode", &conf_word, FIELD(dvm, mode), "orders",
	  CONF_REFUSED, ONE_OF("orders, shares"), "orders"),
	  .max = UINT32_MAX, .words = modes },
	{ KEY(CONF_DVM, "map", &conf_policy, FIELD(dvm, map), "resilient",
	  CONF_LIVE, "a policy NAME[,key=value...]", "resilient") },
	{ KEY(CONF_DVM, "errmgr", &conf_policy, FIELD(dvm, errmgr), "default",
	  CONF_LIVE, "a policy NAME[,key=value...]", "default") },
	{ KEY(CONF_DVM, "reconcile", &conf_word, FIELD(dvm, reconcile),
	  "leader-first", CONF_LIVE,
	  ONE_OF("leader-first, keep-original, keep-replacement, "
		 "longest-running, best-placement"), "leader-first"),
	  .max = UINT32_MAX, .words = reconciles },
	{ KEY(CONF_DVM, "change-limit", &conf_percent, FIELD(dvm, change_limit),
	  "50%", CONF_LIVE, "a part from 0% to 100%", "50%"),
	  .max = 1000 },
	{ KEY(CONF_DVM, "rate", &conf_number, FIELD(dvm, rate), "100",
	  CONF_LIVE, "a number from 1 to 10000", "100"),
	  .min = 1, .max = 10000 },
	{ KEY(CONF_DVM, "rebalance", &conf_number, FIELD(dvm, rebalance), "0",
	  CONF_LIVE, "a number from 0 to 64", "0"),
	  .max = 64 },

	{ KEY(CONF_GROUP, "kind", &conf_label, FIELD(group, kind), "group",
	  CONF_LIVE, "a name that a kind may have, which is any but node",
	  "psu") },
	{ KEY(CONF_GROUP, "parent", &conf_group_ref, FIELD(group, parent), "",
	  CONF_LIVE, "a group", "rack1") },
	{ KEY(CONF_GROUP, "p", &conf_prob, FIELD(group, p), "1e-6", CONF_LIVE,
	  "a probability from 0 to 1, in steps of 1e-9", "1e-6"),
	  .max = UINT32_MAX },
	{ KEY(CONF_GROUP, "nodes", &conf_nodes_of, 0, "", CONF_LIVE,
	  "a list of nodes", "n1,n2"),
	  .shown = true },

	{ KEY(CONF_NODE, "id", &conf_number, FIELD(node, id), NULL,
	  CONF_REFUSED, "a number from 1 to 65534", "1"),
	  .min = 1, .max = 65534 },
	{ KEY(CONF_NODE, "addr", &conf_addrs, 0, "", CONF_REFUSED,
	  "a list of addresses of hosts, with or without :PORT",
	  "10.0.0.1,10.1.0.1") },
	{ KEY(CONF_NODE, "groups", &conf_groups_of, 0, "", CONF_LIVE,
	  "a list of groups", "psu1,shelf1") },
	{ KEY(CONF_NODE, "attr", &conf_attrs_of, 0, "", CONF_LIVE,
	  "a list of names", "fast,disk") },
	{ KEY(CONF_NODE, "slots", &conf_number, FIELD(node, slots), "16",
	  CONF_LIVE, "a number from 1 to 4096", "16"),
	  .min = 1, .max = SLOTS_MAX },
	{ KEY(CONF_NODE, "mem", &conf_size, FIELD(node, mem), "none", CONF_LIVE,
	  "a size with or without K, M, G or T, or none", "8G"),
	  .min = 1, .max = CONF_NO_LIMIT },
	{ KEY(CONF_NODE, "cpu", &conf_milli, FIELD(node, cpu), "none",
	  CONF_LIVE,
	  "a number from 0.001 with at most three decimals, or none", "4"),
	  .min = 1, .max = CONF_NO_LIMIT },
	{ KEY(CONF_NODE, "p", &conf_prob, FIELD(node, p), "1e-5", CONF_LIVE,
	  "a probability from 0 to 1, in steps of 1e-9", "1e-5"),
	  .max = UINT32_MAX },
	{ KEY(CONF_NODE, "votes", &conf_number, FIELD(node, votes), "1",
	  CONF_LIVE, "a number from 0 to 255", "1"),
	  .max = 255 },
	{ KEY(CONF_NODE, "drain", &conf_word, FIELD(node, drain), "no",
	  CONF_LIVE, "yes or no", "yes"),
	  .max = UINT32_MAX, .words = no_yes },

	{ KEY(CONF_APP, "exec", &conf_exec, 0, NULL, CONF_AGAIN,
	  "a program and its arguments", "\"/usr/bin/bgpd -f\""),
	  .required = true },
	{ KEY(CONF_APP, "env", &conf_env, 0, "", CONF_AGAIN,
	  "NAME=VALUE with a name of letters, digits and _", "LANG=C"),
	  .several = true },
	{ KEY(CONF_APP, "cwd", &conf_path, FIELD(app, cwd), "", CONF_AGAIN,
	  "a path that begins with /", "/var/empty") },
	{ KEY(CONF_APP, "user", &conf_label, FIELD(app, user), "", CONF_AGAIN,
	  "the name of a user", "nobody") },
	{ KEY(CONF_APP, "replicas", &conf_number, FIELD(app, replicas), "1",
	  CONF_LIVE, "a number from 1 to 64", "3"),
	  .min = 1, .max = CONF_REPLICAS_MAX },
	{ KEY(CONF_APP, "spread", &conf_spreads, 0, "", CONF_LIVE,
	  "a list of KIND[:usual|none|soft|firm|strict] and node:strict|soft",
	  "psu:strict,node:soft") },
	{ KEY(CONF_APP, "pin", &conf_pins, 0, "", CONF_LIVE,
	  "a list of RANK@NODE with a rank from 0 to 63 or all", "0@n1") },
	{ KEY(CONF_APP, "avoid", &conf_avoid, 0, "", CONF_LIVE,
	  "a list of nodes and groups", "n1") },
	{ KEY(CONF_APP, "prefer", &conf_prefer, 0, "", CONF_LIVE,
	  "a list of ATTR=WEIGHT with a weight from 1 to 1000", "fast=20"),
	  .min = 1, .max = 1000 },
	{ KEY(CONF_APP, "apart", &conf_apart, 0, "", CONF_LIVE,
	  "a list of APP=WEIGHT with a weight from 1 to 1000", "ospf=10"),
	  .min = 1, .max = 1000 },
	{ KEY(CONF_APP, "slots", &conf_number, FIELD(app, slots), "1",
	  CONF_LIVE, "a number from 0 to 4096", "1"),
	  .max = SLOTS_MAX },
	{ KEY(CONF_APP, "mem", &conf_size, FIELD(app, mem), "0", CONF_LIVE,
	  "a size of at most 1048576T with or without K, M, G or T", "300M"),
	  .max = SIZE_MAX_ },
	{ KEY(CONF_APP, "cpu", &conf_milli, FIELD(app, cpu), "0", CONF_LIVE,
	  "a number from 0 to 4096 with at most three decimals", "0.5"),
	  .max = CPU_MAX },
	{ KEY(CONF_APP, "priority", &conf_number, FIELD(app, priority), "50",
	  CONF_LIVE, "a number from 0 to 100", "90"),
	  .max = 100 },
	{ KEY(CONF_APP, "leader", &conf_policy, FIELD(app, leader), "lowest",
	  CONF_LIVE, "a policy NAME[:RANK][,key=value...]", "lowest") },
	{ KEY(CONF_APP, "restart", &conf_word, FIELD(app, restart), "crash",
	  CONF_LIVE, ONE_OF("crash, failure, always, never"), "crash"),
	  .max = UINT32_MAX, .words = restarts },
	{ KEY(CONF_APP, "local", &conf_rate, FIELD(app, local), "3/1m",
	  CONF_LIVE, "COUNT/TIME with a count of at most 1000 and 1s to 24h",
	  "3/60s"),
	  .max = 1000 },
	{ KEY(CONF_APP, "relocate", &conf_rate, FIELD(app, relocate), "5/10m",
	  CONF_LIVE, "COUNT/TIME with a count of at most 1000 and 1s to 24h",
	  "5/10m"),
	  .max = 1000 },
	{ KEY(CONF_APP, "decay", &conf_time, FIELD(app, decay), "10m",
	  CONF_LIVE, "a time from 1s to 24h", "10m"),
	  .min = SECOND, .max = DAY },
	{ KEY(CONF_APP, "backoff", &conf_times, 0, "0,50ms,250ms,1s,4s",
	  CONF_LIVE, "a list of times of at most 10m with ms, s or m",
	  "0,50ms,250ms,1s,4s"),
	  .max = 10 * MINUTE },
	{ KEY(CONF_APP, "on-poison", &conf_word, FIELD(app, poison), "hold",
	  CONF_LIVE, ONE_OF("hold, ignore"), "hold"),
	  .max = UINT32_MAX, .words = poisons },
	{ KEY(CONF_APP, "minority", &conf_word, FIELD(app, minority), "keep",
	  CONF_LIVE, ONE_OF("keep, drop"), "drop"),
	  .max = UINT32_MAX, .words = minorities },
	{ KEY(CONF_APP, "start", &conf_word, FIELD(app, start), "auto",
	  CONF_LIVE, ONE_OF("auto, manual"), "manual"),
	  .max = UINT32_MAX, .words = starts },
	{ KEY(CONF_APP, "after", &conf_after, 0, "", CONF_LIVE,
	  "a list of apps", "db") },
};
/* clang-format on */
#define KEYS_LEN (sizeof(keys) / sizeof(keys[0]))
_Static_assert(KEYS_LEN <= CONF_KEYS_LEN, "a bit for each");

const struct conf_key *
conf_key(uint32_t row)
{
	return row < KEYS_LEN ? &keys[row] : NULL;
}

uint32_t
conf_key_row(const struct conf_key *k)
{
	return (uint32_t)(k - keys);
}

const struct conf_key *
conf_key_find(enum conf_keyword k, const char *name)
{
	size_t i;

	for (i = 0; i < KEYS_LEN; i++)
		if (keys[i].keyword == k && strcmp(keys[i].name, name) == 0)
			return &keys[i];
	return NULL;
}

const char *
conf_class_name(enum conf_class c)
{
	static const char *const names[] = {
		[CONF_LIVE] = "live",
		[CONF_AGAIN] = "restart",
		[CONF_REFUSED] = "refused",
	};

	return names[c];
}

/* 1..max, of the name alone: the same wherever it is read. */
static uint64_t
number_of(const char *name, uint64_t max)
{
	return hash_of(name, strlen(name)) % max + 1;
}

static uint64_t
profile_hold(enum conf_profile profile, bool adopt)
{
	/* Twice the time until a silent node is suspected. */
	static const uint64_t adopts[] = {
		[CONF_PROFILE_CARRIER] = 60 * ORCM_MS,
		[CONF_PROFILE_DEFAULT] = 400 * ORCM_MS,
		[CONF_PROFILE_RELAXED] = 2 * SECOND,
		[CONF_PROFILE_AUTO] = 400 * ORCM_MS,
	};
	static const uint64_t relocates[] = {
		[CONF_PROFILE_CARRIER] = 500 * ORCM_MS,
		[CONF_PROFILE_DEFAULT] = 2 * SECOND,
		[CONF_PROFILE_RELAXED] = 10 * SECOND,
		[CONF_PROFILE_AUTO] = 2 * SECOND,
	};

	return adopt ? adopts[profile] : relocates[profile];
}

void
conf_usual(const struct conf *c, const struct conf_key *k, const void *object,
    struct text *out)
{
	char text[NUM_TEXT_MAX];

	if (k->usual != NULL) {
		text_add(out, k->usual);
	} else if (k->keyword == CONF_NODE) {
		text_num(out, number_of(object, k->max));
	} else if (k->type == &conf_number) {
		text_num(out, number_of(object, k->max));
	} else if (k->type == &conf_time) {
		num_time_text(text, profile_hold(c->dvm.profile,
			k->offset == FIELD(dvm, adopt_hold)));
		text_add(out, text);
	}
}
