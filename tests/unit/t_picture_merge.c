/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "aborts.h"
#include "core/picture.h"
#include "tap.h"

/* Node 1's picture, and what it hears of node 2. */
static struct picture p;
static struct picture_conf conf;
static void *memory;

static void
begin(void)
{
	struct arena a;

	free(memory);
	memory = calloc(1, picture_memory(&conf));
	if (memory == NULL)
		abort();
	arena_init(&a, memory, picture_memory(&conf));
	picture_init(&p, &a, &conf);
}

static void
begin_plain(void)
{
	conf = (struct picture_conf){ .records_max = 64, .node = 1,
		.epoch = 9, .owners_max = 4 };
	begin();
}

static enum picture_merged
hear(uint16_t owner, uint64_t id, uint64_t epoch, uint64_t seq,
    const char *value)
{
	struct picture_record r = { .owner = owner, .kind = RECORD_PROC,
		.id = id, .epoch = epoch, .seq = seq,
		.dead = value == NULL,
		.value = (const uint8_t *)(value != NULL ? value : ""),
		.value_size = (uint16_t)(value != NULL ? strlen(value) : 0) };
	uint32_t at;

	return picture_merge(&p, &r, &at);
}

static void
own_put(uint64_t id, const char *value)
{
	uint32_t at;

	(void)picture_put(&p, 5, RECORD_PROC, id, (const uint8_t *)value,
	    strlen(value), &at);
}

static bool
shows(uint16_t owner, uint64_t id, const char *value)
{
	const struct picture_record *r =
	    picture_get(&p, owner, RECORD_PROC, id);

	if (r == NULL || value == NULL)
		return r == NULL && value == NULL;
	return r->value_size == strlen(value) &&
	    memcmp(r->value, value, r->value_size) == 0;
}

static uint32_t
drop(uint16_t owner, enum picture_drop what)
{
	struct picture_record gone;
	uint32_t place = 0, n = 0;

	while (picture_drop(&p, owner, what, &place, &gone))
		n += gone.dead && gone.value_size == 0 && gone.owner == owner;
	return n;
}

static void
higher_version_wins(void)
{
	begin_plain();
	is_u64(hear(2, 7, 4, 3, "a"), PICTURE_NEWS, "a new one");
	is_u64(hear(2, 7, 4, 3, "a"), PICTURE_KNOWN, "the same again");
	is_u64(hear(2, 7, 4, 2, "b"), PICTURE_OLD, "an older one");
	ok(shows(2, 7, "a"), "stays away");
	is_u64(hear(2, 7, 4, 5, "c"), PICTURE_NEWS, "a newer one");
	is_u64(hear(2, 7, 5, 1, "d"), PICTURE_NEWS, "of a later life");
	is_u64(hear(2, 7, 4, 9, "e"), PICTURE_OLD, "one of the former life");
	ok(shows(2, 7, "d"), "the highest is there");
	is_u64(hear(3, 7, 1, 1, "f"), PICTURE_NEWS, "another owner's");
	ok(shows(2, 7, "d") && shows(3, 7, "f"), "is another record");
}

static void
deletions_come_as_tombstones(void)
{
	begin_plain();
	(void)hear(2, 7, 4, 1, "a");
	is_u64(hear(2, 7, 4, 2, NULL), PICTURE_NEWS, "deleted");
	ok(shows(2, 7, NULL), "it is gone");
	is_u64(hear(2, 7, 4, 2, NULL), PICTURE_KNOWN, "deleted again");
	is_u64(hear(2, 7, 4, 1, "a"), PICTURE_OLD, "it does not rise");
	is_u64(hear(2, 8, 4, 3, NULL), PICTURE_KNOWN,
	    "what nobody knew is nothing to tell");
	is_u64(hear(2, 8, 4, 2, "x"), PICTURE_OLD, "but it is remembered");
	is_u64(p.dead, 2, "two tombstones");
	picture_bury_all(&p);
	is_u64(p.dead, 0, "nobody needs them any more");
	is_u64(hear(2, 7, 4, 1, "a"), PICTURE_OLD, "it still does not rise");
	is_u64(hear(2, 7, 4, 4, "b"), PICTURE_NEWS, "a new one may come");
}

static void
own_records_come_from_nobody(void)
{
	begin_plain();
	own_put(1, "a");
	is_u64(hear(1, 1, 9, 1, "b"), PICTURE_OURS, "ours");
	is_u64(hear(1, 2, 8, 70, "b"), PICTURE_OURS, "of a former life");
	is_u64(hear(1, 2, 9, 2, "b"), PICTURE_AHEAD, "we have not said that");
	is_u64(hear(1, 2, 10, 1, "b"), PICTURE_AHEAD, "nor had that life");
	ok(shows(1, 1, "a") && shows(1, 2, NULL), "nothing was taken");
	picture_own_rise(&p, 11);
	is_u64(picture_get(&p, 1, RECORD_PROC, 1)->epoch, 11,
	    "ours have the new epoch");
	is_u64(hear(1, 2, 10, 1, "b"), PICTURE_OURS, "which is higher");
}

static void
impossible_records_are_bad(void)
{
	struct picture_record r = { .owner = 2, .kind = 32, .id = 1,
		.epoch = 1, .seq = 1, .value = (const uint8_t *)"" };
	uint32_t at;

	begin_plain();
	is_u64(picture_merge(&p, &r, &at), PICTURE_BAD, "kind 32");
	r.kind = 0;
	is_u64(picture_merge(&p, &r, &at), PICTURE_BAD, "kind 0");
	is_u64(hear(2, 1, 0, 1, "a"), PICTURE_BAD, "no epoch");
	is_u64(hear(2, 1, 1, 0, "a"), PICTURE_BAD, "no sequence");
	is_u64(hear(2, 1, PICTURE_EPOCH_MAX + 1, 1, "a"), PICTURE_BAD,
	    "an epoch that has none above");
	r.kind = 1;
	r.value_size = RECORD_VALUE_MAX + 1;
	is_u64(picture_merge(&p, &r, &at), PICTURE_BAD, "too long a value");
	ok(picture_owner(&p, 2) == NULL, "nothing of it is known");
}

static uint64_t
seq_of(uint16_t owner)
{
	const struct picture_owner *o = picture_owner(&p, owner);

	return o == NULL ? UINT64_MAX : o->seq;
}

static void
completeness_is_counted(void)
{
	begin_plain();
	(void)hear(2, 1, 4, 1, "a");
	(void)hear(2, 2, 4, 2, "a");
	is_u64(seq_of(2), 2, "one after the other");
	(void)hear(2, 3, 4, 4, "a");
	is_u64(seq_of(2), 2, "one is missing");
	ok(picture_told(&p, 2, 4, 5, false, false), "that was all up to 5");
	is_u64(seq_of(2), 5, "so it is complete");
	(void)hear(2, 1, 4, 6, NULL);
	is_u64(seq_of(2), 6, "a deletion counts too");
	ok(picture_told(&p, 2, 4, 3, false, false), "an old word");
	is_u64(seq_of(2), 6, "takes nothing back");
	ok(!picture_told(&p, 2, 3, 99, false, false), "of a former life");
	is_u64(seq_of(2), 6, "does not count");
	(void)hear(2, 1, 5, 3, "b");
	is_u64(seq_of(2), 0, "a new life begins anew");
	picture_distrust(&p, 3);
	ok(picture_owner(&p, 3) == NULL, "an unknown one stays unknown");
}

static void
a_restart_deletes_nothing(void)
{
	begin_plain();
	(void)hear(2, 1, 4, 1, "a");
	(void)hear(2, 2, 4, 2, "b");
	(void)hear(2, 3, 4, 3, "c");
	is_u64(hear(2, 1, 5, 1, "a"), PICTURE_NEWS, "the same of a new life");
	ok(shows(2, 2, "b") && shows(2, 3, "c"), "the others stay");
	is_u64(drop(2, PICTURE_UNTOLD), 0, "none is untold");
	is_u64(hear(2, 2, 4, 9, NULL), PICTURE_OLD,
	    "the former life says no more");
	(void)picture_told(&p, 2, 5, 1, true, false);
	is_u64(drop(2, PICTURE_UNTOLD), 0, "it has not told all yet");
	(void)hear(2, 2, 5, 2, "b");
	(void)picture_told(&p, 2, 5, 3, false, true);
	is_u64(drop(2, PICTURE_FORMER), 1, "now it has: one goes");
	ok(shows(2, 1, "a") && shows(2, 2, "b") && shows(2, 3, NULL),
	    "which was not told again");
	is_u64(hear(2, 3, 4, 10, "c"), PICTURE_OLD, "and does not come back");
}

static void
untold_records_go(void)
{
	begin_plain();
	(void)hear(2, 1, 4, 1, "a");
	(void)hear(2, 2, 4, 2, "b");
	(void)hear(2, 3, 4, 3, "c");
	(void)hear(2, 4, 4, 9, "d");
	picture_await(&p, 2);
	is_u64(hear(2, 1, 4, 1, "a"), PICTURE_KNOWN, "one is told");
	is_u64(hear(2, 3, 4, 5, "C"), PICTURE_NEWS, "one anew");
	(void)picture_told(&p, 2, 4, 6, true, false);
	is_u64(drop(2, PICTURE_UNTOLD), 1, "one is not");
	ok(shows(2, 1, "a") && shows(2, 2, NULL) && shows(2, 3, "C"),
	    "and goes");
	ok(shows(2, 4, "d"), "of later changes that says nothing");
	is_u64(p.dead, 0, "no tombstone is left");
}

static void
who_is_dead_is_forgotten(void)
{
	uint64_t digest, other;

	begin_plain();
	digest = picture_digest(&p);
	(void)hear(3, 1, 1, 1, "x");
	other = picture_digest(&p);
	(void)hear(2, 1, 4, 1, "a");
	(void)hear(2, 2, 4, 2, NULL);
	picture_gone(&p, 2);
	is_u64(drop(2, PICTURE_ALL), 1, "its record goes");
	ok(picture_owner(&p, 2) == NULL && p.dead == 0, "and all of it");
	is_u64(picture_digest(&p), other, "also from the digest");
	is_u64(hear(2, 1, 4, 3, "b"), PICTURE_OLD, "that life is over");
	ok(!picture_told(&p, 2, 4, 3, true, true), "whatever is said");
	is_u64(picture_owner_gone(&p, 2), 4, "it is known which one");
	is_u64(hear(2, 1, 5, 1, "c"), PICTURE_NEWS, "another may come");
	is_u64(picture_owner_gone(&p, 2), 0, "then it is back");
	picture_gone(&p, 3);
	is_u64(drop(3, PICTURE_ALL), 1, "another one goes");
	ok(picture_digest(&p) != digest && picture_owner(&p, 2) != NULL,
	    "this one stays");
}

static void
owners_are_bounded(void)
{
	begin_plain();
	is_u64(hear(2, 1, 1, 1, "a"), PICTURE_NEWS, "the second");
	is_u64(hear(30, 1, 1, 1, "a"), PICTURE_NEWS, "the third");
	is_u64(hear(4, 1, 1, 1, "a"), PICTURE_NEWS, "the fourth");
	is_u64(hear(5, 1, 1, 1, "a"), PICTURE_NO_ROOM, "one too many");
	picture_gone(&p, 30);
	(void)drop(30, PICTURE_ALL);
	is_u64(hear(5, 1, 1, 1, "a"), PICTURE_NEWS,
	    "the place of one who has gone");
	is_u64(picture_owner_next(&p, 0)->node, 1, "in their order: 1");
	is_u64(picture_owner_next(&p, 2)->node, 2, "2");
	is_u64(picture_owner_next(&p, 3)->node, 4, "4");
	is_u64(picture_owner_next(&p, 5)->node, 5, "5");
	ok(picture_owner_next(&p, 6) == NULL, "and no more");
}

static void
records_and_values_are_bounded(void)
{
	char text[400];
	uint64_t i;

	begin_plain();
	conf.records_max = 8;
	conf.values_size = 2 * POOL_BLOCK;
	begin();
	for (i = 1; i <= 6; i++)
		(void)hear(2, i, 1, i, "short");
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	is_u64(hear(2, 7, 1, 7, text), PICTURE_NEWS, "a long one");
	is_u64(hear(2, 8, 1, 8, text), PICTURE_NO_ROOM, "no second one");
	is_u64(hear(2, 1, 1, 9, text), PICTURE_NO_ROOM, "nor by a change");
	ok(shows(2, 1, "short") && shows(2, 8, NULL), "nothing has changed");
	is_u64(seq_of(2), 7, "what had no room does not count");
	own_put(1, text);
	ok(shows(1, 1, NULL), "not for us either");
	is_u64(hear(2, 8, 1, 8, "short"), PICTURE_NEWS, "a short one fits");
	is_u64(hear(2, 9, 1, 9, "short"), PICTURE_NO_ROOM, "the ninth");
	is_u64(hear(2, 8, 1, 9, NULL), PICTURE_NEWS, "one goes");
	is_u64(hear(2, 9, 1, 10, "short"), PICTURE_NEWS, "another comes");
}

static uint64_t
digest_after(const unsigned *order, size_t len, bool deletions)
{
	static const struct {
		uint16_t owner;
		uint64_t id, seq;
		const char *value;
	} news[] = { { 2, 1, 1, "a" }, { 2, 2, 2, "b" }, { 3, 1, 1, "c" },
		{ 2, 1, 3, "A" }, { 2, 2, 4, NULL }, { 3, 2, 2, "d" } };
	size_t i;

	begin_plain();
	for (i = 0; i < len; i++)
		if (deletions || news[order[i]].value != NULL)
			(void)hear(news[order[i]].owner, news[order[i]].id,
			    1, news[order[i]].seq, news[order[i]].value);
	(void)picture_told(&p, 2, 1, 4, false, false);
	(void)picture_told(&p, 3, 1, 2, false, false);
	return picture_digest(&p);
}

static void
digest_tells_what_is_there(void)
{
	static const unsigned forth[] = { 0, 1, 2, 3, 4, 5 };
	static const unsigned back[] = { 5, 4, 3, 2 };
	uint64_t digest = digest_after(forth, 6, true);

	is_u64(digest_after(back, 4, true), digest,
	    "in any order, and without what was replaced");
	picture_bury_all(&p);
	is_u64(picture_digest(&p), digest, "and without its tombstones");
	ok(digest_after(forth, 6, false) != digest,
	    "but not with what was deleted");
	ok(digest_after(forth, 5, true) != digest, "nor with one less");
	(void)hear(2, 1, 1, 5, "A");
	ok(picture_digest(&p) != digest, "nor with another version");
}

static void
tombstones_grow_old(void)
{
	const uint64_t time = PICTURE_TOMBSTONE_TIME;

	begin_plain();
	is_u64(picture_due(&p), ORCM_NEVER, "there are none");
	picture_tick(&p, 5 * time);
	(void)hear(2, 1, 1, 1, NULL);
	ok(picture_due(&p) != ORCM_NEVER, "there is one");
	picture_tick(&p, 5 * time + 1);
	is_u64(p.dead, 1, "it is young");
	is_u64(picture_due(&p), 6 * time + 1, "and will be looked at");
	(void)hear(2, 2, 1, 2, NULL);
	picture_tick(&p, 6 * time);
	is_u64(p.dead, 2, "not before");
	picture_tick(&p, 6 * time + 1);
	is_u64(p.dead, 1, "the old one has gone");
	is_u64(picture_owner(&p, 2)->floor, 1, "that is remembered");
	picture_tick(&p, 7 * time + 1);
	is_u64(p.dead, 0, "and so does the other in its time");
}

static void
tombstones_of_the_greatest_go_first(void)
{
	uint64_t i;

	begin_plain();
	conf.tombstones_max = 6;
	begin();
	(void)hear(2, 1, 1, 1, NULL);
	(void)hear(3, 1, 1, 1, NULL);
	for (i = 1; i <= 20; i++)
		(void)hear(4, i, 1, i, NULL);
	is_u64(p.dead, 6, "no more than may be");
	ok(picture_owner(&p, 2)->floor == 0 &&
	    picture_owner(&p, 3)->floor == 0, "who has few keeps them");
	is_u64(picture_owner(&p, 4)->floor, 16, "who has many pays");
}

static uint32_t
walk_all(struct picture_walk *w, uint64_t *seq)
{
	const struct picture_record *r;
	uint32_t n = 0;

	while ((r = picture_walk(&p, w)) != NULL && r->seq > *seq) {
		*seq = r->seq;
		n++;
	}
	return r == NULL ? n : 99;
}

static void
walk_is_in_the_order_of_versions(void)
{
	struct picture_walk w = { .owner = 1, .epoch = 9 };
	uint64_t seq = 0;
	uint32_t at;

	begin_plain();
	own_put(1, "a");
	own_put(2, "b");
	own_put(3, "c");
	own_put(1, "A");
	(void)picture_del(&p, 5, RECORD_PROC, 2, &at);
	is_u64(walk_all(&w, &seq), 3, "each once, as it is now");
	is_u64(seq, 5, "to the end");
	w = (struct picture_walk){ .owner = 1, .epoch = 9, .seq = 3 };
	is_u64(picture_walk(&p, &w)->seq, 4, "from anywhere");
	own_put(1, "again");
	is_u64(picture_walk(&p, &w)->seq, 5, "where one stands may move");
	(void)picture_del(&p, 5, RECORD_PROC, 3, &at);
	picture_bury_all(&p);
	is_u64(picture_walk(&p, &w)->seq, 6, "or go");
	ok(picture_walk(&p, &w) == NULL, "the end");
	own_put(4, "d");
	is_u64(picture_walk(&p, &w)->id, 4, "until there is more");
	w.owner = 77;
	ok(picture_walk(&p, &w) == NULL, "of nobody there is nothing");
}

static void
own_life_is_told_whole(void)
{
	const struct picture_owner *own;

	begin_plain();
	own_put(1, "a");
	own = picture_owner(&p, 1);
	picture_own_whole(&p);
	picture_own_whole(&p);
	ok(own->whole && own->seq == 2, "that is a change of its own");
	picture_own_rise(&p, 12);
	ok(own->whole && own->seq == 2 && own->epoch == 12,
	    "and stays true when the epoch rises");
}

static void
kinds_are_found(void)
{
	uint32_t place = 0, n = 0;

	begin_plain();
	(void)hear(2, 1, 1, 1, "a");
	(void)hear(3, 1, 1, 1, "a");
	(void)hear(2, 2, 1, 2, NULL);
	own_put(1, "b");
	while (picture_next(&p, RECORD_BIT(RECORD_PROC), &place) != NULL)
		n++;
	is_u64(n, 3, "of all owners, but no tombstones");
	place = 0;
	ok(picture_next(&p, RECORD_BIT(RECORD_JOB), &place) == NULL,
	    "no other kinds");
}

static void
memory_is_small(void)
{
	struct picture_conf c = { .records_max = 16384, .node = 1,
		.epoch = 1, .owners_max = 64, .values_size = 16384 * 64 };
	size_t size = picture_memory(&c) / c.records_max;

	ok(size <= 128, "%zu bytes for a record with 48 bytes", size);
}

static void
other_owners_are_awaited(void)
{
	begin_plain();
	picture_await(&p, 1);
}

int
main(void)
{
	higher_version_wins();
	deletions_come_as_tombstones();
	own_records_come_from_nobody();
	impossible_records_are_bad();
	completeness_is_counted();
	a_restart_deletes_nothing();
	untold_records_go();
	who_is_dead_is_forgotten();
	owners_are_bounded();
	records_and_values_are_bounded();
	digest_tells_what_is_there();
	tombstones_grow_old();
	tombstones_of_the_greatest_go_first();
	walk_is_in_the_order_of_versions();
	own_life_is_told_whole();
	kinds_are_found();
	memory_is_small();
	ok(aborts(other_owners_are_awaited), "nobody awaits its own records");
	free(memory);
	return done_testing();
}
