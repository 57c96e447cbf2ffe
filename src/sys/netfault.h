/* SPDX-License-Identifier: ISC */
#ifndef SYS_NETFAULT_H
#define SYS_NETFAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/heap.h"
#include "base/rand.h"
#include "sys/net.h"

/*
 * Faults of a network, made on purpose between a daemon and sys/net.  A text
 * of rules, separated by ';', says which:
 *
 *	peer=ADDR|*	the other host; must be given
 *	dir=in|out|both	from it, to it; both if not given
 *	drop=N		of 1000 datagrams so many are lost
 *	dup=N		so many come twice
 *	corrupt=N	so many have one bit turned
 *	reorder=N	so many are overtaken by the next one, or wait a second
 *	delay=MIN-MAX	each takes so many ms longer
 *	cut=yes		all datagrams are lost, and there is no connection
 *	seed=N		alone between two ';': another course of chance
 *
 * Of a datagram all rules that match are applied.  Of a TCP connection only a
 * cut is: the system would repair all others, so they would show nothing.
 */
#define NETFAULT_RULES_MAX 32u
#define NETFAULT_HELD_MAX 256u /* beyond it: lost, and counted as full */
#define NETFAULT_DELAY_MAX 60000u /* ms */
#define NETFAULT_WHY 160u

enum netfault_way { NETFAULT_IN, NETFAULT_OUT, NETFAULT_WAYS };

struct netfault_rule {
	struct net_addr peer;
	bool any, cut, ways[NETFAULT_WAYS];
	uint16_t drop, dup, corrupt, reorder;
	uint32_t delay_min, delay_max; /* ms */
};

struct netfault_held {
	struct heap_node node; /* first member */
	enum netfault_way way;
	bool waits; /* to be overtaken */
	int fd;
	struct net_addr peer;
	size_t size;
	uint8_t data[NET_DATAGRAM];
};

struct netfault_counts {
	uint64_t seen, dropped, doubled, corrupted, reordered, delayed;
	uint64_t full; /* lost because too many were held */
};

struct netfault {
	uint32_t rules_len, waiting;
	struct netfault_rule rules[NETFAULT_RULES_MAX];
	struct rand rand;
	struct netfault_counts counts;
	struct heap due[NETFAULT_WAYS];
	struct heap_node *nodes[NETFAULT_WAYS][NETFAULT_HELD_MAX];
	uint16_t free[NETFAULT_HELD_MAX]; /* of held[0 .. high - 1] */
	uint32_t free_len, high;
	struct netfault_held held[NETFAULT_HELD_MAX];
};

/* No rule.  f must be zeroed: what is not used is not touched. */
void netfault_init(struct netfault *f, uint64_t seed);
/*
 * These rules in the place of all others.  False when the text is wrong: why
 * says where and what is meant, and the rules are as before.
 */
bool netfault_set(struct netfault *f, const char *text,
    char why[NETFAULT_WHY]);
/* No rule any more; what is held is lost. */
void netfault_clear(struct netfault *f);

/*
 * net_send(), which has sent, too, what was lost on purpose.  While there is
 * a rule, size is at most NET_DATAGRAM.
 */
ssize_t netfault_send(struct netfault *f, int fd, const struct net_addr *to,
    const void *data, size_t size, uint64_t now);
/* Has that datagram come?  If so, data may have been damaged. */
bool netfault_in(struct netfault *f, const struct net_addr *from, void *data,
    size_t size, uint64_t now);
/*
 * A datagram that netfault_in() kept, and that comes now: its size, or 0 when
 * there is none.
 */
size_t netfault_take(struct netfault *f, struct net_addr *from,
    uint8_t data[NET_DATAGRAM], uint64_t now);
/* When netfault_turn() is to be called, or ORCM_NEVER. */
uint64_t netfault_due(const struct netfault *f);
/* Sends what was held and goes now. */
void netfault_turn(struct netfault *f, uint64_t now);

/*
 * Is there to be no connection with that host?  It needs both ways, so it is
 * enough that one of them is cut.
 */
bool netfault_cut(const struct netfault *f, const struct net_addr *peer);

#endif
