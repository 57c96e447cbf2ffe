/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "base/hash.h"
#include "base/rand.h"
#include "core/doc.h"
#include "tap.h"

/*
 * Nodes that see each other's records at once, or when they are told to:
 * number n of the nodes is n + 1.
 */
#define NODES 6u

static struct node {
	struct picture picture;
	struct doc doc;
	void *memory;
	char text[DOC_SIZE_MAX + 1];
	size_t size;
	uint32_t applied, puts, dels;
	bool alone; /* hears nothing and is not heard */
} nodes[NODES];
static uint32_t nodes_len;

static void
begin(uint32_t len)
{
	struct picture_conf conf = { .records_max = 2000, .epoch = 1,
		.owners_max = NODES };
	size_t size = picture_memory(&conf) + doc_memory();
	struct arena a;
	uint32_t i, k;

	nodes_len = len;
	for (i = 0; i < NODES; i++) {
		free(nodes[i].memory);
		memset(&nodes[i], 0, sizeof(nodes[i]));
	}
	for (i = 0; i < len; i++) {
		nodes[i].memory = calloc(1, size);
		if (nodes[i].memory == NULL)
			abort();
		arena_init(&a, nodes[i].memory, size);
		conf.node = (uint16_t)(i + 1);
		picture_init(&nodes[i].picture, &a, &conf);
		doc_init(&nodes[i].doc, &a, &nodes[i].picture);
		for (k = 0; k < len; k++)
			if (k != i)
				(void)picture_told(&nodes[i].picture,
				    (uint16_t)(k + 1), 1, 0, false, false);
	}
}

static void
spread(uint32_t n, uint32_t at)
{
	struct doc_in in = { .event = DOC_IN_RECORD };
	struct picture_record r = *picture_at(&nodes[n].picture, at);
	uint32_t i, place;

	if (nodes[n].alone)
		return;
	in.record = &r;
	for (i = 0; i < nodes_len; i++) {
		if (i == n || nodes[i].alone)
			continue;
		if (picture_merge(&nodes[i].picture, &r, &place) ==
		    PICTURE_NEWS)
			(void)doc_feed(&nodes[i].doc, 0, &in);
	}
}

static void
run(uint32_t n)
{
	struct node *me = &nodes[n];
	struct doc_out out;
	uint32_t at;

	while (doc_take(&me->doc, &out)) {
		if (out.verb == DOC_APPLY) {
			me->applied++;
			memcpy(me->text, out.bytes, out.size);
			me->text[out.size] = '\0';
			me->size = out.size;
			continue;
		}
		at = UINT32_MAX;
		if (out.verb == DOC_PUT) {
			me->puts++;
			(void)picture_put(&me->picture, 1, RECORD_DOC, out.id,
			    out.bytes, out.size, &at);
		} else {
			me->dels++;
			(void)picture_del(&me->picture, 1, RECORD_DOC, out.id,
			    &at);
		}
		if (at != UINT32_MAX)
			spread(n, at);
	}
}

static void
settle(void)
{
	uint32_t i, k;

	for (k = 0; k < 4; k++)
		for (i = 0; i < nodes_len; i++)
			run(i);
}

static bool
write_ranked(uint32_t n, bool quorate, uint64_t term, uint64_t version,
    const char *text, size_t size)
{
	struct doc_in in = { .event = DOC_IN_WRITE, .name = DOC_CONFIG,
		.rank = { .quorate = quorate, .term = term,
		    .version = version },
		.bytes = (const uint8_t *)text, .size = size };

	return doc_feed(&nodes[n].doc, 0, &in);
}

static bool
write_text(uint32_t n, uint64_t version, const char *text)
{
	return write_ranked(n, true, 1, version, text, strlen(text));
}

static uint32_t
have(const char *text)
{
	uint32_t i, n = 0;

	for (i = 0; i < nodes_len; i++)
		n += nodes[i].applied > 0 && strcmp(nodes[i].text, text) == 0;
	return n;
}

/* Records of documents that node n owns. */
static uint32_t
owned(uint32_t n)
{
	const struct picture_record *r;
	uint32_t place = 0, len = 0;

	while ((r = picture_next(&nodes[n].picture, RECORD_BIT(RECORD_DOC),
	    &place)) != NULL)
		len += r->owner == n + 1;
	return len;
}

static void
forget(uint32_t n, uint32_t other)
{
	struct picture_record gone;
	struct doc_in in = { .event = DOC_IN_RECORD, .record = &gone };
	uint32_t place = 0;

	picture_gone(&nodes[n].picture, (uint16_t)(other + 1));
	while (picture_drop(&nodes[n].picture, (uint16_t)(other + 1),
	    PICTURE_ALL, &place, &gone))
		(void)doc_feed(&nodes[n].doc, 0, &in);
	in.event = DOC_IN_OWNERS;
	(void)doc_feed(&nodes[n].doc, 0, &in);
}

/* All records of one node that another has not got. */
static void
meet(uint32_t from, uint32_t to)
{
	struct picture_walk w = { .owner = (uint16_t)(from + 1) };
	struct doc_in in = { .event = DOC_IN_RECORD };
	const struct picture_record *r;
	uint32_t at;

	while ((r = picture_walk(&nodes[from].picture, &w)) != NULL) {
		in.record = r;
		if (picture_merge(&nodes[to].picture, r, &at) == PICTURE_NEWS)
			(void)doc_feed(&nodes[to].doc, 0, &in);
	}
}

static void
written_document_is_applied_everywhere(void)
{
	begin(4);
	ok(write_text(3, 1, "one"), "written");
	settle();
	is_u64(have("one"), 4, "all have it");
	ok(write_text(2, 2, "two"), "another writer, a higher version");
	settle();
	is_u64(have("two"), 4, "all have that");
	is_u64(nodes[0].applied, 2, "each was applied once");
	ok(write_text(2, 2, "two"), "the same again");
	settle();
	is_u64(nodes[0].applied + nodes[2].applied, 4, "is nothing new");
	ok(write_ranked(1, true, 1, 3, "", 0), "an empty one");
	settle();
	is_u64(have(""), 4, "is one too");
}

static void
lower_ones_are_refused(void)
{
	begin(2);
	ok(write_ranked(0, true, 5, 7, "a", 1), "term 5, version 7");
	ok(!write_ranked(0, true, 5, 7, "b", 1), "another of that rank");
	ok(!write_ranked(0, true, 5, 6, "b", 1), "a lower version");
	ok(!write_ranked(0, true, 4, 9, "b", 1), "a lower term");
	ok(!write_ranked(0, false, 9, 9, "b", 1), "without a quorum");
	settle();
	ok(!write_ranked(1, true, 4, 9, "b", 1), "on another node as well");
	ok(write_ranked(1, true, 6, 1, "b", 1), "a higher term");
	settle();
	is_u64(have("b"), 2, "is accepted");
}

static void
impossible_ones_are_refused(void)
{
	static char text[DOC_SIZE_MAX + 1];
	struct doc_in in = { .event = DOC_IN_WRITE, .name = DOC_NAMES };

	begin(1);
	ok(!write_ranked(0, true, 1, 1, text, DOC_SIZE_MAX + 1), "too long");
	ok(!doc_feed(&nodes[0].doc, 0, &in), "without such a name");
	is_u64(doc_due(&nodes[0].doc), ORCM_NEVER, "it waits for nothing");
}

static void
longest_one_comes_whole(void)
{
	static char text[DOC_SIZE_MAX + 1];
	struct rand rnd;
	size_t i;

	rand_seed(&rnd, 1);
	for (i = 0; i < DOC_SIZE_MAX; i++)
		text[i] = (char)('a' + rand_below(&rnd, 26));
	begin(3);
	ok(write_ranked(2, true, 1, 1, text, DOC_SIZE_MAX), "64 KiB");
	settle();
	is_u64(have(text), 3, "all have all of it");
	is_u64(owned(0), DOC_CHUNKS_MAX + 1, "as chunks and a head");
	ok(write_text(2, 2, "short"), "then a short one");
	settle();
	is_u64(have("short"), 3, "all have that");
	is_u64(owned(0), 2, "and nothing of the other is left");
}

static void
few_nodes_keep_copies(void)
{
	begin(6);
	ok(write_text(5, 1, "text"), "written by the last");
	settle();
	is_u64(have("text"), 6, "all have it");
	ok(owned(0) == 2 && owned(1) == 2, "the first two keep it");
	ok(owned(2) == 0 && owned(3) == 0 && owned(4) == 0,
	    "others do not, but in memory");
	is_u64(owned(5), 0, "nor its writer any more");
	is_u64(nodes[2].puts + nodes[3].puts + nodes[4].puts, 0,
	    "they never began to");
}

static void
document_survives_its_keepers(void)
{
	uint32_t i;

	begin(6);
	ok(write_text(5, 1, "text"), "written");
	settle();
	for (i = 2; i < 6; i++)
		forget(i, 0);
	settle();
	is_u64(owned(2), 2, "one keeper is dead: the next is one");
	nodes[0].alone = nodes[1].alone = nodes[2].alone = true;
	for (i = 3; i < 6; i++) {
		forget(i, 1);
		forget(i, 2);
	}
	settle();
	ok(owned(3) == 2 && owned(4) == 2, "all are dead: others still are");
	is_u64(owned(5), 0, "and no more than needed");
}

static void
only_holder_offers_it(void)
{
	begin(4);
	/* The writer reaches node 3 alone, and dies. */
	nodes[0].alone = nodes[1].alone = true;
	ok(write_text(2, 1, "text"), "written");
	settle();
	is_u64(have("text"), 2, "two have it");
	is_u64(owned(3), 0, "one of them sees that the other shows it");
	nodes[0].alone = nodes[1].alone = false;
	nodes[2].alone = true;
	forget(0, 2);
	forget(1, 2);
	forget(3, 2);
	settle();
	ok(strcmp(nodes[0].text, "text") == 0 &&
	    strcmp(nodes[1].text, "text") == 0, "it passes it on");
	ok(owned(0) == 2 && owned(1) == 2 && owned(3) == 0,
	    "and leaves it to the keepers");
}

static void
half_a_document_is_nothing(void)
{
	static char text[3 * DOC_CHUNK + 1];
	struct picture_walk w = { .owner = 1 };
	struct doc_in in = { .event = DOC_IN_RECORD };
	struct picture_record chunk;
	const struct picture_record *r;
	uint8_t value[RECORD_VALUE_MAX];
	uint32_t at;

	memset(text, 'x', sizeof(text) - 1);
	begin(2);
	nodes[1].alone = true;
	ok(write_text(0, 1, text), "of three chunks");
	settle();
	/* The second chunk comes last. */
	while ((r = picture_walk(&nodes[0].picture, &w)) != NULL) {
		if ((uint32_t)r->id == 2) {
			chunk = *r;
			memcpy(value, r->value, r->value_size);
			chunk.value = value;
			continue;
		}
		in.record = r;
		(void)picture_merge(&nodes[1].picture, r, &at);
		(void)doc_feed(&nodes[1].doc, 0, &in);
	}
	run(1);
	is_u64(nodes[1].applied, 0, "one is missing");
	value[20] ^= 1;
	in.record = &chunk;
	(void)picture_merge(&nodes[1].picture, &chunk, &at);
	(void)doc_feed(&nodes[1].doc, 0, &in);
	run(1);
	is_u64(nodes[1].applied, 0, "it is damaged");
	value[20] ^= 1;
	chunk.seq += 10;
	(void)picture_merge(&nodes[1].picture, &chunk, &at);
	(void)doc_feed(&nodes[1].doc, 0, &in);
	run(1);
	ok(nodes[1].applied == 1 && strcmp(nodes[1].text, text) == 0,
	    "it is whole");
}

static void
quorate_side_wins_after_a_division(void)
{
	uint32_t i;

	begin(4);
	ok(write_text(0, 1, "base"), "all have one");
	settle();
	nodes[3].alone = true;
	ok(write_ranked(1, true, 2, 1, "many", 4), "the many write");
	ok(!write_ranked(3, false, 9, 9, "few", 3), "the one may not");
	settle();
	nodes[3].alone = false;
	for (i = 0; i < 3; i++) {
		meet(i, 3);
		meet(3, i);
	}
	settle();
	is_u64(have("many"), 4, "theirs is everybody's");

	begin(3);
	nodes[2].alone = true;
	ok(write_ranked(2, false, 9, 9, "few", 3), "the one had none before");
	ok(write_ranked(0, true, 1, 1, "many", 4), "nor had the many");
	settle();
	nodes[2].alone = false;
	for (i = 0; i < 2; i++) {
		meet(i, 2);
		meet(2, i);
	}
	settle();
	is_u64(have("many"), 3, "the quorum counts more than any term");
}

static void
equal_ranks_end_alike(void)
{
	uint32_t i;

	begin(2);
	nodes[0].alone = nodes[1].alone = true;
	ok(write_text(0, 1, "here") && write_text(1, 1, "there"),
	    "two writers that should not be");
	settle();
	nodes[0].alone = nodes[1].alone = false;
	for (i = 0; i < 2; i++) {
		meet(0, 1);
		meet(1, 0);
		settle();
	}
	ok(strcmp(nodes[0].text, nodes[1].text) == 0, "both have one of them");
}

static void
bad_records_are_nothing(void)
{
	struct rand rnd;
	struct picture_record r = { .owner = 2, .kind = RECORD_DOC,
		.epoch = 1 };
	struct doc_in in = { .event = DOC_IN_RECORD, .record = &r };
	uint8_t value[64];
	uint32_t i, k, at;

	begin(2);
	rand_seed(&rnd, 9);
	for (i = 1; i < 20000; i++) {
		for (k = 0; k < sizeof(value); k++)
			value[k] = (uint8_t)rand_below(&rnd, 4);
		r.id = rand_below(&rnd, 5) << 32 | rand_below(&rnd, 3);
		r.seq = i;
		r.value = value;
		r.value_size = (uint16_t)rand_below(&rnd, sizeof(value));
		(void)picture_merge(&nodes[0].picture, &r, &at);
		(void)doc_feed(&nodes[0].doc, 0, &in);
		run(0);
	}
	is_u64(nodes[0].applied, 0, "noise is no document");
}

int
main(void)
{
	uint32_t i;

	written_document_is_applied_everywhere();
	lower_ones_are_refused();
	impossible_ones_are_refused();
	longest_one_comes_whole();
	few_nodes_keep_copies();
	document_survives_its_keepers();
	only_holder_offers_it();
	half_a_document_is_nothing();
	quorate_side_wins_after_a_division();
	equal_ranks_end_alike();
	bad_records_are_nothing();
	for (i = 0; i < NODES; i++)
		free(nodes[i].memory);
	return done_testing();
}
