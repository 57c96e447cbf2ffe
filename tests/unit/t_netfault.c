/* SPDX-License-Identifier: ISC */
/*
 * Two sockets on this host, and faults between them.  Datagrams over the
 * loopback are there as soon as they are sent, so nothing is waited for.
 */
#include <errno.h>
#include <unistd.h>

#include <orcm/types.h>

#include "base/text.h"
#include "sys/netfault.h"

#include "tap.h"

#define MANY 2000u

static struct netfault f, g;
static struct net_addr here, there, other;
static int out, in;

static void
address(struct net_addr *a, const char *text)
{
	struct addr addr;

	ok(addr_read(text, &addr) && net_from(a, &addr), "%s", text);
}

static void
set(struct netfault *n, const char *text)
{
	char why[NETFAULT_WHY] = "";

	memset(n, 0, sizeof(*n));
	netfault_init(n, 1);
	ok(netfault_set(n, text, why), "%s%s", text, why);
}

static void
send_one(uint8_t number, uint64_t now)
{
	uint8_t data[4] = { number, 0, 0, 0 };

	if (netfault_send(&f, out, &there, data, sizeof(data), now) !=
	    sizeof(data))
		ok(false, "sent");
}

/* The numbers of the datagrams that are there, as text. */
static const char *
got(void)
{
	static char text[64];
	uint8_t data[NET_DATAGRAM];
	struct net_addr from;
	size_t len = 0;

	while (len < sizeof(text) - 1 &&
	       net_recv(in, &from, data, sizeof(data)) == 4)
		text[len++] = (char)('0' + data[0]);
	text[len] = '\0';
	return text;
}

static bool
comes(uint8_t number, uint64_t now)
{
	uint8_t data[1] = { number };

	return netfault_in(&f, &there, data, sizeof(data), now);
}

static const char *
taken(uint64_t now)
{
	static char text[64];
	uint8_t data[NET_DATAGRAM];
	struct net_addr from;
	size_t len = 0;

	while (len < sizeof(text) - 1 &&
	       netfault_take(&f, &from, data, now) == 1 &&
	       net_same_host(&from, &there))
		text[len++] = (char)('0' + data[0]);
	text[len] = '\0';
	return text;
}

static void
without_rules_all_passes(void)
{
	memset(&f, 0, sizeof(f));
	netfault_init(&f, 1);
	send_one(1, 0);
	is_str(got(), "1", "sent");
	ok(comes(1, 0), "came");
	is_str(taken(ORCM_SECOND), "", "nothing is kept");
	ok(!netfault_cut(&f, &there), "no cut");
	is_u64(netfault_due(&f), ORCM_NEVER, "nothing is due");
	is_u64(f.counts.seen, 0, "nothing was looked at");
}

static void
the_share_that_is_lost_is_the_share_that_was_told(void)
{
	unsigned i, lost = 0;

	set(&f, "peer=* dir=in drop=200");
	for (i = 0; i < MANY; i++)
		lost += !comes(1, 0);
	ok(lost > MANY * 17 / 100 && lost < MANY * 23 / 100, "%u of %u lost",
	    lost, MANY);
	is_u64(f.counts.dropped, lost, "counted");
	is_u64(f.counts.seen, MANY, "of all");
	send_one(1, 0);
	is_str(got(), "1", "nothing is lost the other way");
}

static void
the_same_seed_gives_the_same_faults(void)
{
	static const char *const rules[] = { "peer=* drop=500; seed=7",
		"seed=8;peer=* drop=500" };
	struct netfault *n[] = { &f, &g };
	uint8_t data = 0;
	unsigned i, k, same;

	for (k = 0; k < 2; k++) {
		set(&f, rules[0]);
		set(&g, rules[k]);
		for (i = same = 0; i < MANY; i++)
			same += netfault_in(n[0], &there, &data, 1, 0) ==
				netfault_in(n[1], &there, &data, 1, 0);
		ok(k == 0 ? same == MANY : same < MANY * 3 / 5,
		    "%u of %u alike", same, MANY);
	}
}

static void
a_cut_is_of_one_peer_and_way(void)
{
	uint8_t data = 0;

	set(&f, "peer=127.0.0.2 dir=out cut=yes");
	send_one(1, 0);
	is_str(got(), "", "cut");
	ok(comes(1, 0), "not the other way");
	ok(netfault_cut(&f, &there), "but no connection");
	ok(!netfault_cut(&f, &other), "others connect");
	ok(netfault_in(&f, &other, &data, 1, 0), "and are heard");
	set(&f, "peer=127.0.0.2 dir=in cut=yes");
	send_one(2, 0);
	is_str(got(), "2", "the way out is open");
	ok(!comes(1, 0), "the way in is cut");
	set(&f, "peer=* drop=1000");
	ok(!netfault_cut(&f, &there), "a loss is no cut");
	ok(!comes(1, 0), "even of all");
}

static void
delayed_ones_go_in_their_time(void)
{
	set(&f, "peer=* delay=10-10");
	send_one(1, 0);
	send_one(2, 5 * ORCM_MS);
	is_u64(netfault_due(&f), 10 * ORCM_MS, "the first is due");
	netfault_turn(&f, 10 * ORCM_MS - 1);
	is_str(got(), "", "not earlier");
	netfault_turn(&f, 10 * ORCM_MS);
	is_str(got(), "1", "then");
	is_u64(netfault_due(&f), 15 * ORCM_MS, "the second is due");
	netfault_turn(&f, ORCM_SECOND);
	is_str(got(), "2", "late");
	ok(!comes(3, 0) && !comes(4, 1), "kept");
	is_u64(netfault_due(&f), ORCM_NEVER, "nothing is to be sent");
	is_str(taken(10 * ORCM_MS), "3", "taken when it is time");
	is_str(taken(10 * ORCM_MS + 1), "4", "and the next");
	is_u64(f.counts.delayed, 4, "counted");
}

static void
delays_lie_between_both_ends(void)
{
	uint64_t due, least = UINT64_MAX, most = 0;
	unsigned i;

	set(&f, "peer=* delay=3-6");
	for (i = 0; i < 200; i++) {
		send_one(1, 0);
		due = netfault_due(&f);
		least = due < least ? due : least;
		most = due > most ? due : most;
		netfault_turn(&f, due);
		(void)got();
	}
	is_u64(least, 3 * ORCM_MS, "the least");
	is_u64(most, 6 * ORCM_MS, "the most");
}

static void
doubled_ones_come_twice(void)
{
	set(&f, "peer=* dup=1000");
	send_one(1, 5);
	is_str(got(), "1", "once");
	netfault_turn(&f, netfault_due(&f));
	is_str(got(), "1", "and again");
	ok(comes(2, 5), "once");
	is_str(taken(5), "2", "and again");
	is_u64(f.counts.doubled, 2, "counted");
}

static void
overtaken_ones_come_after_the_next(void)
{
	uint8_t data = 9;

	set(&f, "peer=127.0.0.2 dir=in reorder=1000");
	ok(!comes(1, 0), "kept");
	ok(netfault_in(&f, &other, &data, 1, 1), "another peer's");
	is_str(taken(1), "", "does not overtake it");
	is_str(taken(ORCM_SECOND), "1", "nothing follows: after a second");
	ok(!comes(2, 0), "kept");
	f.rules[0].reorder = 0;
	ok(comes(3, 1), "the next one comes");
	is_str(taken(1), "2", "then the first");
	is_u64(f.waiting, 0, "nobody waits any more");
	set(&f, "peer=* dir=out reorder=1000");
	send_one(1, 0);
	f.rules[0].reorder = 0;
	send_one(2, 1);
	is_u64(netfault_due(&f), 1, "overtaken");
	netfault_turn(&f, 1);
	is_str(got(), "21", "in the other order");
	is_u64(f.counts.reordered, 1, "counted");
}

static void
damaged_ones_differ_in_a_bit(void)
{
	uint8_t data[16];
	unsigned i, bits, wrong = 0;
	size_t k;

	set(&f, "peer=* corrupt=1000");
	for (i = 0; i < 200; i++) {
		memset(data, 0, sizeof(data));
		if (!netfault_in(&f, &there, data, sizeof(data), 0))
			wrong++;
		for (k = bits = 0; k < sizeof(data) * 8; k++)
			bits += data[k / 8] >> k % 8 & 1;
		wrong += bits != 1;
	}
	is_u64(wrong, 0, "one bit of each");
	ok(netfault_in(&f, &there, data, 0, 0), "an empty one has none");
	memset(data, 0, sizeof(data));
	ok(netfault_send(&f, out, &there, data, 4, 0) == 4, "sent");
	for (k = 0; k < 4; k++)
		wrong += data[k];
	is_u64(wrong, 0, "the sender's own stays whole");
	(void)got();
}

static void
all_rules_that_match_count(void)
{
	set(&f, "peer=* delay=5-5; peer=127.0.0.2 delay=7-7;"
		"peer=127.0.0.3 drop=1000");
	send_one(1, 0);
	is_u64(netfault_due(&f), 12 * ORCM_MS, "both delays");
	netfault_clear(&f);
	is_u64(netfault_due(&f), ORCM_NEVER, "cleared");
	netfault_turn(&f, ORCM_SECOND);
	is_str(got(), "", "what was held is lost");
	send_one(2, 0);
	is_str(got(), "2", "and all passes");
}

static void
what_finds_no_room_is_lost(void)
{
	unsigned i, n = 0;
	uint8_t data[NET_DATAGRAM];
	struct net_addr from;

	set(&f, "peer=* delay=1-1");
	for (i = 0; i < NETFAULT_HELD_MAX + 10; i++)
		(void)comes(1, 0);
	send_one(1, 0);
	is_u64(f.counts.full, 11, "counted");
	while (netfault_take(&f, &from, data, ORCM_SECOND) > 0)
		n++;
	is_u64(n, NETFAULT_HELD_MAX, "the others come");
	send_one(2, 0);
	netfault_turn(&f, ORCM_SECOND);
	is_str(got(), "2", "and there is room again");
}

static void
wrong_rules_are_told_and_change_nothing(void)
{
	static const struct {
		const char *text, *why;
	} bad[] = {
		{ "drop=1", "rule 1: give peer=" },
		{ "peer=* dir=in", "rule 1: it does nothing" },
		{ "peer=* drop=1001", "rule 1: \"drop=1001\": give a number" },
		{ "peer=* drop=-1", "\"drop=-1\"" },
		{ "peer=* dup=", "\"dup=\"" },
		{ "peer=* reorder=x", "\"reorder=x\"" },
		{ "peer=* corrupt=1.5", "\"corrupt=1.5\"" },
		{ "peer=1.2.3 drop=1", "give an address" },
		{ "peer=1.2.3.4:5 drop=1", "without a port" },
		{ "peer=* drop=1; ;peer=* dir=up", "rule 3: \"dir=up\"" },
		{ "peer=* delay=5", "MIN-MAX" },
		{ "peer=* delay=6-5", "MIN-MAX" },
		{ "peer=* delay=-", "MIN-MAX" },
		{ "peer=* delay=1-60001", "60000" },
		{ "peer=* cut=no", "give yes" },
		{ "peer=* lose=1", "\"lose=1\": give peer=" },
		{ "peer", "\"peer\": give peer=" },
		{ "=1", "\"=1\": give peer=" },
		{ "peer=* drop=1 drop=2", "give it once" },
		{ "peer=* seed=1 drop=1", "\"seed=1\"" },
		{ "seed=1 drop=1", "give seed= alone" },
		{ "seed=", "give a number" },
		{ "peer=01234567890123456789012345678901234567890123456789"
		  "012345678901234567890123456789 drop=1", "too long" },
	};
	char text[NETFAULT_RULES_MAX * 16 + 32], why[NETFAULT_WHY];
	struct text t;
	size_t i;

	set(&f, "peer=* delay=1-1");
	(void)comes(1, 0);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ok(!netfault_set(&f, bad[i].text, why), "%s", bad[i].text);
		ok(strstr(why, bad[i].why) != NULL, "%s", why);
	}
	text_init(&t, text, sizeof(text));
	for (i = 0; i <= NETFAULT_RULES_MAX; i++)
		text_add(&t, "peer=* drop=1;");
	ok(!netfault_set(&f, text, why), "one rule too many");
	ok(strstr(why, "rule 33: there is room for 32") != NULL, "%s", why);
	is_str(taken(ORCM_MS), "1", "nothing has changed");
	text[NETFAULT_RULES_MAX * strlen("peer=* drop=1;")] = '\0';
	ok(netfault_set(&f, text, why), "as many as there is room for");
	is_u64(f.rules_len, NETFAULT_RULES_MAX, "all of them");
	ok(netfault_set(&f, " ; ", why), "none");
	is_u64(f.rules_len, 0, "no rule");
	set(&f, "\tpeer=::1  dir=both\ncut=yes ; ");
	is_u64(f.rules_len, 1, "blanks do not matter");
}

int
main(void)
{
	address(&here, "127.0.0.1");
	address(&there, "127.0.0.2");
	address(&other, "127.0.0.3");
	out = net_udp(&here);
	in = net_udp(&there);
	there.size = sizeof(there.ss);
	ok(out != -1 && in != -1 &&
		getsockname(in, (struct sockaddr *)&there.ss, &there.size) == 0,
	    "sockets");
	without_rules_all_passes();
	the_share_that_is_lost_is_the_share_that_was_told();
	the_same_seed_gives_the_same_faults();
	a_cut_is_of_one_peer_and_way();
	delayed_ones_go_in_their_time();
	delays_lie_between_both_ends();
	doubled_ones_come_twice();
	overtaken_ones_come_after_the_next();
	damaged_ones_differ_in_a_bit();
	all_rules_that_match_count();
	what_finds_no_room_is_lost();
	wrong_rules_are_told_and_change_nothing();
	close(in);
	close(out);
	return done_testing();
}
