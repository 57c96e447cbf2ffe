/* SPDX-License-Identifier: ISC */
#ifndef CORE_CONF_H
#define CORE_CONF_H

#include <orcm/types.h>

#include "base/addr.h"
#include "base/arena.h"

/*
 * The configuration of a DVM: its text (orcm.conf(5)) and what it says.  It
 * is read whole, then checked whole; nothing of a configuration with an error
 * may be used.  Tables are sorted by name when it is read, so the order of
 * lines makes no difference, and all numbers of nodes, groups and apps below
 * are indexes into these tables.
 */
#define CONF_NODES_MAX 128u
#define CONF_GROUPS_MAX 128u
#define CONF_APPS_MAX 256u
#define CONF_PLUGINS_MAX 64u
#define CONF_FILES_MAX 64u
#define CONF_ATTRS_MAX 64u    /* different ones, of all nodes */
#define CONF_KINDS_MAX 4u     /* kinds of groups */
#define CONF_LINKS_MAX 4u
#define CONF_TIES_MAX 8u
#define CONF_WITNESSES_MAX 8u
#define CONF_BACKOFF_MAX 8u
#define CONF_REPLICAS_MAX 64u
#define CONF_LISTS_MAX 1024u  /* pins of all apps; and so many wishes */
#define CONF_APP_MAX 191u     /* characters of name:version:release */
#define CONF_POLICY_MAX 127u  /* characters of a policy */
#define CONF_TEXT_MAX (UINT32_C(64) << 10) /* bytes, of all files */
#define CONF_VALUE_MAX 8192u  /* bytes of one value, NUL included */
#define CONF_ERRORS_MAX 20u   /* that are kept; more are counted */
#define CONF_NONE 0xffffu     /* no node, no group, no app */
#define CONF_NO_LIMIT UINT64_MAX /* mem, cpu: "none" was said */
#define CONF_RANK_ALL ORCM_RANK_NONE /* a pin of each rank */

/* Nodes or groups, one bit for each index. */
struct conf_set {
	uint64_t bits[2];
};
_Static_assert(CONF_NODES_MAX <= 128 && CONF_GROUPS_MAX <= 128, "bits");

static inline bool
conf_in(const struct conf_set *s, uint32_t i)
{
	return (s->bits[i / 64] >> i % 64 & 1) != 0;
}

/* Where something was said. */
struct conf_place {
	const char *file;
	uint32_t line;
};

/* Orders of these words: as in orcm.conf(5). */
enum conf_profile {
	CONF_PROFILE_CARRIER,
	CONF_PROFILE_DEFAULT,
	CONF_PROFILE_RELAXED,
	CONF_PROFILE_AUTO
};
enum conf_two_node { CONF_TAKEOVER, CONF_STRICT, CONF_WITNESS };
enum conf_storm { CONF_FLOOD, CONF_SLOTTED };
enum conf_mode { CONF_ORDERS, CONF_SHARES };
enum conf_reconcile {
	CONF_LEADER_FIRST,
	CONF_KEEP_ORIGINAL,
	CONF_KEEP_REPLACEMENT,
	CONF_LONGEST_RUNNING,
	CONF_BEST_PLACEMENT
};
/* How replicas of an app are spread over the groups of one kind. */
enum conf_spread {
	CONF_SPREAD_USUAL, /* FIRM if no kind lies below it, else SOFT */
	CONF_SPREAD_NONE,
	CONF_SPREAD_SOFT,  /* relaxed first */
	CONF_SPREAD_FIRM,  /* relaxed when there is no other way */
	CONF_SPREAD_STRICT /* never relaxed */
};
enum conf_restart {
	CONF_RESTART_CRASH,
	CONF_RESTART_FAILURE,
	CONF_RESTART_ALWAYS,
	CONF_RESTART_NEVER
};
enum conf_poison { CONF_POISON_HOLD, CONF_POISON_IGNORE };
enum conf_minority { CONF_MINORITY_KEEP, CONF_MINORITY_DROP };
enum conf_start { CONF_START_AUTO, CONF_START_MANUAL };

/* A network, or (net.family ADDR_NONE) an interface. */
struct conf_link {
	struct addr net;
	char name[16];
};

/* Times are ns. */
struct conf_dvm {
	char name[ORCM_NAME_MAX + 1];
	uint32_t id;
	uint32_t profile; /* enum conf_profile; so the others below */
	uint32_t port;
	struct conf_link links[CONF_LINKS_MAX];
	uint32_t links_len; /* 0: as many as the nodes have addresses */
	struct addr multicast; /* ADDR_NONE: unicast */
	uint32_t two_node;
	struct addr witness[CONF_WITNESSES_MAX];
	uint32_t witness_len;
	uint32_t primary; /* node or CONF_NONE: the one with the lower id */
	uint16_t ties[CONF_TIES_MAX];
	uint32_t ties_len;
	uint64_t boot_wait, lone_boot;
	uint64_t relocate_hold, adopt_hold; /* usual: of the profile */
	uint64_t seed;
	uint32_t storm, storm_k; /* k: responders, of CONF_SLOTTED */
	uint32_t mode;
	const char *map, *errmgr; /* policies */
	uint64_t dup_hold;
	uint32_t reconcile;
	uint32_t change_limit; /* permille */
	uint32_t rate;	       /* orders per second */
	uint32_t rebalance;    /* moves for balance per minute */
	struct conf_place place;
};

struct conf_node {
	char name[ORCM_NAME_MAX + 1];
	uint32_t id;
	struct addr addr[CONF_LINKS_MAX]; /* by link, port always there */
	uint32_t addr_len;
	struct conf_set groups; /* that it was put into */
	struct conf_set member; /* those and all above them */
	uint64_t attrs;		/* bits: indexes into conf.attrs */
	uint32_t slots;
	uint64_t mem;	/* bytes, or CONF_NO_LIMIT */
	uint64_t cpu;	/* thousandths of one, or CONF_NO_LIMIT */
	uint32_t p;	/* to fail within one hour, parts of 10^9 */
	uint32_t votes;
	uint32_t drain; /* 0 or 1 */
	struct conf_place place;
};

struct conf_group {
	char name[ORCM_NAME_MAX + 1];
	char kind[ORCM_NAME_MAX + 1];
	uint32_t kind_index; /* into conf.kinds; a parent's is higher */
	uint32_t parent;     /* or CONF_NONE */
	uint32_t p;	     /* as of a node */
	struct conf_set nodes; /* in it, or in a group below it */
	struct conf_place place;
};

struct conf_rate {
	uint32_t count;
	uint64_t window;
};

/* That rank only on these nodes: several pins of a rank are a choice. */
struct conf_pin {
	uint16_t rank; /* or CONF_RANK_ALL */
	uint16_t node;
};

/* With that weight: on a node with attribute `what`; away from app `what`. */
struct conf_wish {
	uint16_t what;
	uint16_t weight;
};

/* A list that ends with NULL, as execve(2) likes it. */
struct conf_words {
	const char *const *word;
	uint32_t len;
};

struct conf_app {
	char name[CONF_APP_MAX + 1]; /* NAME[:VERSION[:RELEASE]] */
	uint64_t id; /* of the name; low 16 bits 0, as jobs have them */
	struct conf_words exec; /* program and arguments */
	struct conf_words env;	/* NAME=VALUE, sorted */
	const char *cwd;	/* or "": the run directory */
	char user[ORCM_NAME_MAX + 1]; /* or "": the daemon's */
	uint32_t replicas;
	uint32_t spread[CONF_KINDS_MAX]; /* enum conf_spread, by kind */
	uint32_t spread_node; /* STRICT: one on each node; SOFT */
	const struct conf_pin *pins;
	uint32_t pins_len;
	struct conf_set avoid, avoid_groups; /* as given */
	struct conf_set forbid; /* nodes: those, and the groups' ones */
	const struct conf_wish *prefer; /* attributes */
	uint32_t prefer_len;
	const struct conf_wish *apart; /* apps */
	uint32_t apart_len;
	uint32_t slots; /* that one replica takes */
	uint64_t mem, cpu; /* that one replica needs, as of a node; or 0 */
	uint32_t priority;
	const char *leader; /* policy, as in orcm-run -l */
	uint32_t restart;
	struct conf_rate local, relocate;
	uint64_t decay;
	uint64_t backoff[CONF_BACKOFF_MAX];
	uint32_t backoff_len;
	uint32_t poison;
	uint32_t minority;
	uint32_t start;
	const uint16_t *after; /* apps */
	uint32_t after_len;
	struct conf_place place;
};

struct conf_plugin {
	char name[2 * ORCM_NAME_MAX + 2]; /* KIND:NAME */
	char kind[ORCM_NAME_MAX + 1];
	const char *plugin;	  /* NAME, within `name` */
	struct conf_words params; /* KEY=VALUE, sorted */
	struct conf_place place;
};

struct conf_error {
	struct conf_place place; /* line 0: of the file as a whole */
	bool warning;		 /* the configuration may be used */
	char text[512];		 /* KEYWORD NAME: what; remedy */
};

struct conf_work; /* the text while it is read, and lists */

struct conf {
	struct conf_dvm dvm;
	struct conf_node *nodes;
	struct conf_group *groups;
	struct conf_app *apps;
	struct conf_plugin *plugins;
	uint32_t nodes_len, groups_len, apps_len, plugins_len;
	char (*attrs)[ORCM_NAME_MAX + 1]; /* sorted */
	uint32_t attrs_len;
	char kinds[CONF_KINDS_MAX][ORCM_NAME_MAX + 1]; /* lower ones first */
	uint32_t kinds_len;
	uint32_t kinds_above; /* bits: those with another kind below them */
	uint64_t hash;	     /* of the canonical text */
	uint64_t generation; /* 1, or what conf_follow() made it */
	struct conf_error *errors; /* by file, then line */
	uint32_t errors_len;
	uint32_t errors_lost; /* more that were found */
	bool bad;	      /* there is an error, not only warnings */
	struct conf_work *work;
};

size_t conf_memory(void);
void conf_init(struct conf *c, struct arena *a);
/* Forgets all, to be read again. */
void conf_clear(struct conf *c);
/* Lines that follow are of that file, from line 1 on. */
void conf_file(struct conf *c, const char *name);
/* One line, with or without its newline. */
void conf_feed_line(struct conf *c, const char *line, size_t size);
/* conf_file() and all lines of a file. */
void conf_read(struct conf *c, const char *text, size_t size,
    const char *name);
/*
 * After the last line: reads and checks it all.  True when it is good; else
 * errors[] says why, and nothing but that may be used.
 */
bool conf_end(struct conf *c);
/* How that app is spread over groups of that kind; never USUAL. */
enum conf_spread conf_spread(const struct conf *c, const struct conf_app *a,
    uint32_t kind);
/* It comes after an old one: a generation more, unless both are the same. */
void conf_follow(struct conf *c, uint64_t old_generation, uint64_t old_hash);

enum conf_keyword {
	CONF_DVM,
	CONF_NODE,
	CONF_GROUP,
	CONF_APP,
	CONF_PLUGIN,
	CONF_KEYWORDS
};
const char *conf_keyword_name(enum conf_keyword k);
/* How many there are; of CONF_DVM one. */
uint32_t conf_len(const struct conf *c, enum conf_keyword k);
const char *conf_name(const struct conf *c, enum conf_keyword k, uint32_t i);
/*
 * The index of that name, or CONF_NONE.  An app may be named without its
 * version or release where only one fits.
 */
uint32_t conf_find(const struct conf *c, enum conf_keyword k,
    const char *name);

/*
 * For who checks more than can be checked here, e.g. what a plug-in says:
 * where that key was said, else where the thing it belongs to was; and an
 * error more.  They are told before anything of a configuration is used.
 */
struct conf_place conf_where(const struct conf *c, enum conf_keyword k,
    uint32_t i, const char *key);
void conf_complain(struct conf *c, struct conf_place place, const char *text);
/* About a file as a whole: it cannot be read. */
void conf_complain_file(struct conf *c, const char *file, const char *text);

/* What a change of a key needs. */
enum conf_class {
	CONF_LIVE,   /* nothing: it holds from now on */
	CONF_AGAIN,  /* the replicas of that app are started anew */
	CONF_REFUSED /* the whole DVM is started anew */
};
const char *conf_class_name(enum conf_class c);

/* One value of one thing; of `env` there may be several, of others one. */
struct conf_item {
	char key[ORCM_NAME_MAX + 1];
	enum conf_class class;
	bool usual; /* it is as if nothing had been said */
	bool shown; /* follows from others: not part of the text */
	uint32_t row;	 /* items are in the order of row, then part */
	bool cut;	 /* it is longer than that; not of a good one */
	const char *part; /* NAME=VALUE where there are several, or "" */
	char value[CONF_VALUE_MAX]; /* without quotes */
};

/* All items one by one: start with *at 0; false at the end. */
bool conf_item(const struct conf *c, enum conf_keyword k, uint32_t i,
    uint32_t *at, struct conf_item *out);

/*
 * The canonical text, in pieces: what is as usual is left out.  Reading it
 * gives an equal configuration.  False when a value was cut; not of a good
 * one.
 */
bool conf_print(const struct conf *c,
    void (*put)(void *arg, const char *text, size_t size), void *arg);

enum conf_what { CONF_ADDED, CONF_REMOVED, CONF_CHANGED };
const char *conf_what_name(enum conf_what w);

/*
 * What is different between two good ones, change by change: by keyword, then
 * name.  For what was added or removed no keys are told; else old or new is
 * NULL where only one side has that key.  Texts are good until the next call.
 */
struct conf_diff {
	/* the change */
	enum conf_keyword keyword;
	enum conf_what what;
	const char *name, *key, *old, *new;
	enum conf_class class;
	/* how far it is */
	const struct conf *a, *b;
	uint32_t ai, bi; /* things in hand, or the next ones */
	bool inside;	 /* their items are being compared */
	uint32_t a_at, b_at;
	bool a_has, b_has, a_spent, b_spent;
	struct conf_item a_item, b_item;
};
void conf_diff(struct conf_diff *d, const struct conf *old,
    const struct conf *new);
/* False when there is no more. */
bool conf_diff_next(struct conf_diff *d);

#endif
