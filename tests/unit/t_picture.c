/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "aborts.h"
#include "base/rand.h"
#include "core/picture.h"
#include "tap.h"

#define MAX 64u

static struct picture p;
static struct picture_conf conf = {
	.records_max = MAX,
	.node = 1,
	.epoch = 9,
};
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

static enum picture_verdict
put(uint32_t writer, uint8_t kind, uint64_t id, const char *value)
{
	uint32_t at = 0;

	return picture_put(&p, writer, kind, id, (const uint8_t *)value,
	    strlen(value), &at);
}

static enum picture_verdict
del(uint32_t writer, uint8_t kind, uint64_t id)
{
	uint32_t at;

	return picture_del(&p, writer, kind, id, &at);
}

static const struct picture_record *
get(uint8_t kind, uint64_t id)
{
	const struct picture_record *r;
	uint32_t place = 0;

	while ((r = picture_next(&p, RECORD_BIT(kind), &place)) != NULL)
		if (r->id == id)
			return r;
	return NULL;
}

static uint32_t
count(uint32_t kinds)
{
	uint32_t place = 0, n = 0;

	while (picture_next(&p, kinds, &place) != NULL)
		n++;
	return n;
}

static void
records_are_put_changed_and_deleted(void)
{
	uint32_t at = 99;

	begin();
	is_u64(picture_put(&p, 5, RECORD_JOB, 7, (const uint8_t *)"abc", 3,
	    &at), PICTURE_CHANGED, "a new one");
	ok(picture_at(&p, at)->id == 7 && picture_at(&p, at)->epoch == 9 &&
	    picture_at(&p, at)->seq == 1 && picture_at(&p, at)->owner == 1,
	    "with its version");
	is_u64(put(5, RECORD_JOB, 7, "abc"), PICTURE_SAME, "the same again");
	is_u64(put(5, RECORD_JOB, 7, "abcd"), PICTURE_CHANGED, "another value");
	is_u64(get(RECORD_JOB, 7)->seq, 2, "another version");
	is_u64(put(6, RECORD_JOB, 7, "x"), PICTURE_DENIED, "another writer");
	is_u64(put(6, RECORD_FLOW, 7, "x"), PICTURE_CHANGED, "another kind");
	is_u64(del(6, RECORD_JOB, 7), PICTURE_DENIED, "not its to delete");
	is_u64(del(5, RECORD_JOB, 7), PICTURE_CHANGED, "deleted");
	is_u64(del(5, RECORD_JOB, 7), PICTURE_SAME, "once");
	is_u64(del(5, RECORD_JOB, 8), PICTURE_SAME, "never was there");
	ok(get(RECORD_JOB, 7) == NULL && get(RECORD_FLOW, 7) != NULL,
	    "not among the living");
	is_u64(put(6, RECORD_JOB, 7, "abcd"), PICTURE_CHANGED,
	    "a dead one may be anybody's");
	is_u64(put(6, RECORD_JOB, 8, ""), PICTURE_CHANGED, "an empty value");
	is_u64(count(RECORD_KINDS_ALL), 3, "three live");
	is_u64(count(RECORD_BIT(RECORD_JOB)), 2, "two of one kind");
	is_u64(count(0), 0, "none of none");
}

static void
writer_that_came_back_settles(void)
{
	uint32_t at, n = 0;

	begin();
	put(2, RECORD_PROC, 1, "a");
	put(2, RECORD_PROC, 2, "b");
	put(2, RECORD_PROC, 3, "c");
	put(3, RECORD_LEAD, 1, "d");
	picture_returned(&p, 2);
	is_u64(count(RECORD_KINDS_ALL), 4, "all is still there");
	is_u64(put(2, RECORD_PROC, 1, "a"), PICTURE_SAME, "one as it was");
	is_u64(put(2, RECORD_PROC, 2, "B"), PICTURE_CHANGED, "one anew");
	while (picture_settled(&p, 2, &at)) {
		n++;
		ok(picture_at(&p, at)->dead && picture_at(&p, at)->id == 3,
		    "the one that it did not put again");
	}
	is_u64(n, 1, "is deleted");
	is_u64(count(RECORD_KINDS_ALL), 3, "others' stay");
	ok(!picture_settled(&p, 2, &at), "settled");
}

static void
writer_that_left_is_forgotten(void)
{
	uint32_t at, n = 0;

	begin();
	put(20, RECORD_JOB, 1, "a");
	put(20, RECORD_FLOW, 1, "b");
	put(21, RECORD_JOB, 2, "c");
	while (picture_forget(&p, 20, &at))
		n++;
	is_u64(n, 2, "two of its");
	ok(get(RECORD_JOB, 2) != NULL && count(RECORD_KINDS_ALL) == 1,
	    "the other's stays");
}

static void
full_of_living_records(void)
{
	uint64_t i;
	uint32_t bad = 0;

	begin();
	for (i = 0; i < MAX; i++)
		bad += put(5, RECORD_FLOW, i, "x") != PICTURE_CHANGED;
	is_u64(bad, 0, "as many as there may be");
	is_u64(put(5, RECORD_FLOW, i, "x"), PICTURE_FULL, "one more does not");
	is_u64(put(5, RECORD_FLOW, 3, "y"), PICTURE_CHANGED, "changes do");
	(void)del(5, RECORD_FLOW, 9);
	is_u64(put(5, RECORD_FLOW, i, "x"), PICTURE_CHANGED,
	    "a tombstone makes room");
	ok(get(RECORD_FLOW, 9) == NULL && get(RECORD_FLOW, i) != NULL,
	    "the right one went");
}

static void
oldest_tombstones_go_first(void)
{
	const struct picture_record *r;
	uint64_t i;
	uint32_t k, dead = 0;

	begin();
	for (i = 0; i < 1000; i++) {
		(void)put(5, RECORD_JOB, i, "x");
		(void)del(5, RECORD_JOB, i);
	}
	for (k = 0; k < p.high; k++) {
		r = &p.records[k];
		dead += r->used && r->dead && r->id >= 1000 - MAX / 2;
	}
	is_u64(dead, MAX / 2, "the last ones are remembered");
	is_u64(p.used, MAX / 2, "and no more than those");
}

/* A plain array is asked the same. */
static void
random_against_an_array(void)
{
	static struct {
		bool alive;
		uint32_t writer, value;
	} model[40];
	const struct picture_record *r;
	struct rand rand;
	uint32_t i, at, id, writer, value, bad = 0, alive;
	uint64_t seq = 0;

	begin();
	rand_seed(&rand, 3);
	for (i = 0; i < 200000 && bad == 0; i++) {
		id = (uint32_t)rand_below(&rand, 40);
		writer = 5 + (uint32_t)rand_below(&rand, 2);
		value = (uint32_t)rand_below(&rand, 3);
		if (rand_below(&rand, 3) == 0) {
			bool mine = model[id].alive &&
			    model[id].writer == writer;

			bad += picture_del(&p, writer, RECORD_PROC, id, &at) !=
			    (mine ? PICTURE_CHANGED :
				    model[id].alive ? PICTURE_DENIED :
						      PICTURE_SAME);
			if (mine)
				model[id].alive = false;
		} else {
			enum picture_verdict want = PICTURE_CHANGED;

			if (model[id].alive && model[id].writer != writer)
				want = PICTURE_DENIED;
			else if (model[id].alive && model[id].value == value)
				want = PICTURE_SAME;
			bad += picture_put(&p, writer, RECORD_PROC, id,
			    (const uint8_t *)&value, sizeof(value), &at) !=
			    want;
			if (want == PICTURE_CHANGED) {
				model[id].alive = true;
				model[id].writer = writer;
				model[id].value = value;
				bad += p.records[at].seq <= seq;
				seq = p.records[at].seq;
			}
		}
		for (id = 0, alive = 0; i % 64 == 0 && id < 40; id++) {
			r = get(RECORD_PROC, id);
			alive += model[id].alive;
			bad += (r != NULL) != model[id].alive;
			bad += r != NULL &&
			    memcmp(r->value, &model[id].value, 4) != 0;
		}
		bad += i % 64 == 0 && alive != count(RECORD_KINDS_ALL);
	}
	is_u64(bad, 0, "%u steps", i);
}

static void
too_long_a_value(void)
{
	static const uint8_t value[RECORD_VALUE_MAX + 1];
	uint32_t at;

	begin();
	(void)picture_put(&p, 5, RECORD_JOB, 1, value, sizeof(value), &at);
}

/* Several share a bucket; one that goes takes none of them along. */
static void
all_are_found_again_when_others_go(void)
{
	uint64_t id;
	uint32_t same = 0, other = 0;

	begin();
	for (id = 0; id < MAX; id++)
		(void)put(5, RECORD_PROC, id, "abcd");
	/* More than half: tombstones are dropped, and not the newest ones. */
	for (id = 0; id < MAX; id++)
		if (id % 4 != 0)
			(void)del(5, RECORD_PROC, id);
	for (id = 0; id < MAX; id += 4)
		same += put(5, RECORD_PROC, id, "abcd") == PICTURE_SAME;
	is_u64(same, MAX / 4, "each is the one that it was");
	for (id = 0; id < MAX; id += 4)
		other += put(5, RECORD_PROC, id, "abce") == PICTURE_CHANGED;
	is_u64(other, MAX / 4, "until its last byte is another");
	is_u64(count(RECORD_BIT(RECORD_PROC)), MAX / 4, "and none is double");
}

int
main(void)
{
	records_are_put_changed_and_deleted();
	writer_that_came_back_settles();
	writer_that_left_is_forgotten();
	full_of_living_records();
	oldest_tombstones_go_first();
	random_against_an_array();
	all_are_found_again_when_others_go();
	ok(aborts(too_long_a_value), "a value that no record can have");
	free(memory);
	return done_testing();
}
