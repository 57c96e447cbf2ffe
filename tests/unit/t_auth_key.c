/* SPDX-License-Identifier: ISC */
#include "auth_side.h"
#include "tap.h"

static struct side a, b; /* nodes 1 and 2, who believe each other */
static uint64_t now;

static void
begin(void)
{
	now = 100 * ORCM_SECOND;
	side_begin(&a, 1, 10);
	side_begin(&b, 2, 20);
	REQUIRE(side_trust(&b, &a, now) && side_trust(&a, &b, now));
}

static void
end(void)
{
	side_end(&a);
	side_end(&b);
}

static void
keyring_keeps_its_rules(void)
{
	uint8_t key[MAC_KEY] = { 1 };
	uint64_t opened;
	struct side s;

	side_begin_in(&s, SIDE_DVM, 1, 10);
	ok(!auth_key_add(&s.a, 0, key), "id 0 is none");
	ok(auth_key_sending(&s.a) == NULL && auth_key_at(&s.a, 0, &opened) ==
	    NULL, "none is there");
	ok(auth_key_add(&s.a, 5, key) && auth_key_sending(&s.a)->id == 5,
	    "the first sends");
	ok(!auth_key_add(&s.a, 5, key), "an id is there once");
	ok(auth_key_add(&s.a, 6, key) && auth_key_add(&s.a, 65535, key),
	    "two more");
	ok(auth_key_sending(&s.a)->id == 5, "the first still sends");
	ok(!auth_key_add(&s.a, 7, key), "that is all");
	ok(!auth_key_use(&s.a, 7) && !auth_key_remove(&s.a, 7),
	    "what is not there is neither used nor removed");
	ok(!auth_key_remove(&s.a, 5), "who sends stays");
	ok(auth_key_use(&s.a, 6) && auth_key_sending(&s.a)->id == 6,
	    "another sends");
	ok(auth_key_find(&s.a, 5)->state == AUTH_KEY_RECEIVE &&
	    auth_key_find(&s.a, 65535)->state == AUTH_KEY_RECEIVE,
	    "that one alone");
	ok(auth_key_use(&s.a, 6) && auth_key_sending(&s.a)->id == 6,
	    "used twice is used");
	ok(auth_key_remove(&s.a, 5) && auth_key_find(&s.a, 5) == NULL,
	    "the first may go now");
	ok(auth_key_add(&s.a, 7, key), "that makes room");
	ok(auth_key_at(&s.a, 3, &opened) == NULL, "there are three places");
	side_end(&s);
}

static void
removed_key_leaves_nothing(void)
{
	uint8_t zeros[sizeof(struct auth_key)] = { 0 };
	struct mac_root root;
	struct parcel d;
	uint8_t key[MAC_KEY];
	size_t i, left = 0;

	begin();
	side_key(key, 1);
	mac_root_init(&root, key);
	side_send(&a, 2, &d);
	ok(side_get(&b, now, &d) == AUTH_OK, "key 1 is in use");
	side_add(&b, 2);
	ok(auth_key_use(&b.a, 2) && auth_key_remove(&b.a, 1), "and removed");
	ok(memcmp(&b.a.keys[0], zeros, sizeof(zeros)) == 0, "wiped");
	for (i = 0; i + sizeof(root) <= sizeof(b.a); i++)
		left += memcmp((uint8_t *)&b.a + i, &root, 32) == 0;
	for (i = 0; i < SIDE_NODES; i++) {
		left += b.a.senders[i].windows[0].serial != 0;
		left += memcmp(&b.a.senders[i].windows[0].tags, zeros,
		    sizeof(struct blake2s_keyed)) != 0;
	}
	is_u64(left, 0, "no copy, and nothing that was derived from it");
	ok(side_get(&b, now, &d) == AUTH_KEY, "its frames are not opened");
	end();
}

/* Frames of both keys on the wire, both ways, at each moment of a change. */
static void
key_is_changed_under_traffic(void)
{
	struct parcel d[8], to_a[8];
	unsigned n = 0, i, bad = 0;
	uint64_t opened = 0;

	begin();
#define BOTH_SEND()                                                            \
	do {                                                                   \
		side_send(&a, n % 2 == 0 ? 2 : 0, &d[n]);                      \
		side_send(&b, n % 2 == 0 ? 0 : 1, &to_a[n]);                   \
		n++;                                                           \
	} while (0)
	BOTH_SEND();
	side_add(&a, 2);
	BOTH_SEND();
	side_add(&b, 2);
	BOTH_SEND();
	ok(auth_key_use(&b.a, 2), "b uses the new one");
	BOTH_SEND();
	BOTH_SEND();
	ok(auth_key_use(&a.a, 2), "a does, too");
	BOTH_SEND();
	BOTH_SEND();
#undef BOTH_SEND
	/* In the order of sending, and the first ones last. */
	for (i = 0; i < n; i++) {
		bad += side_get(&b, now, &d[(i + 3) % n]) != AUTH_OK;
		bad += side_get(&a, now, &to_a[(i + 3) % n]) != AUTH_OK;
	}
	is_u64(bad, 0, "all %u are opened, both ways", n);
	for (i = 0; i < n; i++) {
		bad += side_get(&b, now, &d[i]) != AUTH_REPLAY;
		bad += side_get(&a, now, &to_a[i]) != AUTH_REPLAY;
	}
	is_u64(bad, 0, "and none a second time");
	ok(auth_key_at(&b.a, 0, &opened)->id == 1 && opened == 5,
	    "5 by the old key");
	ok(auth_key_at(&b.a, 1, &opened)->id == 2 && opened == 2,
	    "2 by the new one");
	side_send(&a, 2, &d[0]);
	ok(side_get(&b, now, &d[0]) == AUTH_OK &&
	    (auth_key_at(&b.a, 0, &opened), opened == 5),
	    "the old one's count stands still");
	ok(auth_key_remove(&b.a, 1) && auth_key_remove(&a.a, 1), "removed");
	side_send(&a, 2, &d[0]);
	side_send(&b, 0, &to_a[0]);
	ok(side_get(&b, now, &d[0]) == AUTH_OK &&
	    side_get(&a, now, &to_a[0]) == AUTH_OK, "nobody has noticed");
	end();
}

static void
same_id_again_is_another_key(void)
{
	uint8_t other[MAC_KEY] = { 9 };
	struct parcel old, d;

	begin();
	side_send(&a, 2, &d);
	ok(side_get(&b, now, &d) == AUTH_OK, "key 1");
	side_send(&a, 2, &old);
	side_add(&b, 2);
	ok(auth_key_use(&b.a, 2) && auth_key_remove(&b.a, 1) &&
	    auth_key_add(&b.a, 1, other), "key 1 is another now");
	ok(side_get(&b, now, &old) == AUTH_MAC, "what the first sealed is bad");
	side_add(&a, 2);
	ok(auth_key_use(&a.a, 2) && auth_key_remove(&a.a, 1) &&
	    auth_key_add(&a.a, 1, other) && auth_key_use(&a.a, 1),
	    "the same there");
	side_send(&a, 2, &d);
	ok(side_get(&b, now, &d) == AUTH_OK, "what the second seals is good");
	end();
}

int
main(void)
{
	keyring_keeps_its_rules();
	removed_key_leaves_nothing();
	key_is_changed_under_traffic();
	same_id_again_is_another_key();
	return done_testing();
}
