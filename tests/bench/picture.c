/* SPDX-License-Identifier: ISC */
/*
 * picture [OWNERS [RECORDS [ROUNDS]]]: a node that has nothing meets all the
 * others at once, each with its own records, and pulls them.  Prints how long
 * the newcomer works until its picture is complete, how long an answer to
 * "all records of each kind" takes then, and the memory that was touched.
 * After make:
 *   cc -O2 -D_POSIX_C_SOURCE=200809L -Isrc -Iinclude -o picture \
 *       tests/bench/picture.c build/lib/libcore.a build/lib/libbase.a
 */
#include "bench.h"

#include "core/sync.h"

#define OWNERS 128
#define WINDOW 64u

static struct node {
	struct picture picture;
	struct sync sync;
	uint8_t *memory;
	size_t size;
} nodes[OWNERS];
static int owners = 64, records = 256;

static void
begin(struct node *n, int number)
{
	struct picture_conf conf = {
		.records_max = (uint32_t)(owners * records * 5 / 4),
		.owners_max = (uint32_t)owners,
		.node = (uint16_t)number,
		.epoch = 1,
	};
	struct sync_conf sync_conf = { .peers_max = (uint32_t)owners,
		.window = WINDOW, .patience = 100 * ORCM_MS };
	uint8_t value[48] = { 0 };
	struct arena a;
	uint32_t at;
	int i;

	n->size = picture_memory(&conf) + sync_memory(&sync_conf, &conf);
	n->memory = calloc(1, n->size);
	if (n->memory == NULL)
		fail("calloc");
	arena_init(&a, n->memory, n->size);
	picture_init(&n->picture, &a, &conf);
	sync_init(&n->sync, &a, &n->picture, &sync_conf);
	for (i = 0; number > 0 && i < records; i++) {
		memcpy(value, &i, sizeof(i));
		(void)picture_put(&n->picture, 2, RECORD_PROC,
		    (uint64_t)number << 32 | (uint64_t)i, value, sizeof(value),
		    &at);
	}
}

/* One frame from one to the other; ns that the newcomer took for it. */
static int64_t
pass(int from, int to, const struct sync_out *out)
{
	static const enum sync_event events[] = {
		[SYNC_SEND_HAVE] = SYNC_IN_HAVE,
		[SYNC_SEND_PULL] = SYNC_IN_PULL,
		[SYNC_SEND_RECORD] = SYNC_IN_RECORD,
		[SYNC_SEND_WHOLE] = SYNC_IN_WHOLE,
	};
	struct sync_in in = { .event = events[out->verb],
		.peer = (uint32_t)from, .owner = out->owner,
		.epoch = out->epoch, .seq = out->seq, .flags = out->flags,
		.last = out->last, .ask = out->ask, .rows = out->rows,
		.rows_len = out->rows_len, .record = out->record };
	int64_t t = to == 0 ? now() : 0;

	sync_feed(&nodes[to].sync, 0, &in);
	return to == 0 ? now() - t : 0;
}

/* The newcomer's effects go out; its time. */
static int64_t
newcomer(void)
{
	struct sync_out out;
	int64_t t = 0, start = now();

	while (sync_take(&nodes[0].sync, &out)) {
		t += now() - start;
				if (out.verb >= SYNC_SEND_HAVE)
			(void)pass(0, (int)out.peer, &out);
		start = now();
	}
	return t + (now() - start);
}

static int64_t
pull_all(void)
{
	struct sync_in in = { .event = SYNC_IN_PEER_UP };
	struct sync_out out;
	int64_t t = 0, start;
	int i;

	for (i = 1; i < owners; i++) {
		in.peer = (uint32_t)i;
		in.owner = (uint16_t)i;
		start = now();
		sync_feed(&nodes[0].sync, 0, &in);
		t += now() - start;
		in.peer = in.owner = 0;
		sync_feed(&nodes[i].sync, 0, &in);
	}
	t += newcomer();
	while (!sync_complete(&nodes[0].sync))
		for (i = 1; i < owners; i++) {
			while (sync_take(&nodes[i].sync, &out)) {
				t += pass(i, 0, &out);
				t += newcomer();
			}
			in.event = SYNC_IN_SENT;
			sync_feed(&nodes[i].sync, 0, &in);
		}
	return t;
}

int
main(int argc, char **argv)
{
	int rounds = 5, i;
	int64_t t, walk;
	uint32_t place, found, kind;
	size_t at, touched;

	owners = argc > 1 ? number(argv[1]) : owners;
	records = argc > 2 ? number(argv[2]) : records;
	rounds = argc > 3 ? number(argv[3]) : rounds;
	if (owners < 2 || owners > OWNERS || records < 1)
		fail("usage: picture [owners [records [rounds]]]");
	for (; rounds > 0; rounds--) {
		for (i = 0; i < owners; i++)
			begin(&nodes[i], i);
		t = pull_all();
		walk = now();
		for (found = 0, kind = 1; kind <= RECORD_DOC; kind++)
			for (place = 0; picture_next(&nodes[0].picture,
			    RECORD_BIT(kind), &place) != NULL;)
				found++;
		walk = now() - walk;
		for (at = touched = 0; at < nodes[0].size; at += 64)
			touched += nodes[0].memory[at] != 0 ||
			    memcmp(nodes[0].memory + at,
				nodes[0].memory + at + 1, 63) != 0;
		printf("records %u pull_us %ld read_us %ld kib %zu\n", found,
		    (long)(t / 1000), (long)(walk / 1000), touched / 16);
		for (i = 0; i < owners; i++)
			free(nodes[i].memory);
	}
	return 0;
}
