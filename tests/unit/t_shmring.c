/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/rand.h"
#include "compat/shm.h"
#include "sys/shmring.h"
#include "tap.h"

/*
 * Record number n has a size and content that follow from n alone, so a
 * reader can tell a whole record from a torn one, and what is missing.
 */
#define RING 4096u
#define RECORD_MAX (RING / 4)
#define HEAD 4096u /* bytes before the data, as in shmring.c */

static uint8_t in[RECORD_MAX], got[RECORD_MAX];

static size_t
make_record(uint64_t n, uint8_t *out)
{
	struct rand r;
	uint64_t w;
	size_t size, i;

	rand_seed(&r, n);
	size = 8 + (size_t)rand_below(&r, RECORD_MAX - 8 + 1);
	memcpy(out, &n, 8);
	for (i = 8; i < size; i += 8) {
		w = rand_u64(&r);
		memcpy(out + i, &w, size - i < 8 ? size - i : 8);
	}
	return size;
}

/* What a reader has seen of the numbered records. */
struct tally {
	uint64_t next;	 /* number of the next record */
	uint64_t gap;	 /* bytes reported lost and not yet accounted for */
	uint64_t records, bad;
	bool begun;
};

/* One shmring_get(), checked. */
static enum shmring_result
get_checked(struct shmring_reader *r, struct tally *t)
{
	enum shmring_result result;
	uint64_t n, lost = 0;
	size_t size;

	result = shmring_get(r, got, sizeof(got), &size);
	if (result == SHMRING_GAP)
		t->gap += size;
	if (result != SHMRING_RECORD)
		return result;
	memcpy(&n, got, 8);
	if (size < 8 || size != make_record(n, in) ||
	    memcmp(got, in, size) != 0 || (t->begun && n < t->next)) {
		t->bad++;
		return result;
	}
	for (; t->begun && t->next < n; t->next++)
		lost += make_record(t->next, in);
	if (lost != t->gap)
		t->bad++;
	t->gap = 0;
	t->begun = true;
	t->next = n + 1;
	t->records++;
	return result;
}

static void
records_come_out_as_they_went_in(void)
{
	struct shmring w;
	struct shmring_reader r;
	struct tally t = { .begun = true };
	uint64_t n;
	unsigned none = 0;

	if (!ok(shmring_create(&w, RING) == 0 &&
	    shmring_open(&r, w.fd) == 0, "a ring and a reader"))
		return;
	is_u64(shmring_record_max(&w), RECORD_MAX, "a quarter of the ring");
	for (n = 0; n < 5000; n++) {
		if (shmring_put(&w, in, make_record(n, in)) != 0)
			t.bad++;
		if (get_checked(&r, &t) != SHMRING_RECORD)
			t.bad++;
		none += get_checked(&r, &t) == SHMRING_NONE;
	}
	is_u64(t.records, 5000, "all came");
	is_u64(t.bad, 0, "none was hurt or lost");
	is_u64(none, 5000, "nothing came twice");
	shmring_finish(&w);
	ok(get_checked(&r, &t) == SHMRING_END, "then it is the end");
	shmring_close(&r);
	shmring_free(&w);
}

static void
slow_reader_hears_what_it_lost(void)
{
	struct shmring w;
	struct shmring_reader r, late;
	struct tally t = { .begun = true }, u = { .begun = false };
	uint64_t n, gaps = 0;
	struct rand dice;
	enum shmring_result result;

	if (!ok(shmring_create(&w, RING) == 0 &&
	    shmring_open(&r, w.fd) == 0, "a ring and a reader"))
		return;
	rand_seed(&dice, 1);
	for (n = 0; n < 20000; n++) {
		shmring_put(&w, in, make_record(n, in));
		if (rand_below(&dice, 40) != 0)
			continue;
		while ((result = get_checked(&r, &t)) != SHMRING_NONE &&
		    result != SHMRING_END)
			gaps += result == SHMRING_GAP;
	}
	ok(gaps > 100, "it was overtaken often");
	is_u64(t.bad, 0, "every gap was told, to the byte");
	if (ok(shmring_open(&late, w.fd) == 0, "a late reader")) {
		while (get_checked(&late, &u) == SHMRING_RECORD)
			continue;
		is_u64(u.bad, 0, "gets the last ones");
		is_u64(u.next, 20000, "up to the end");
		shmring_close(&late);
	}
	shmring_finish(&w);
	while ((result = get_checked(&r, &t)) == SHMRING_RECORD ||
	    result == SHMRING_GAP)
		continue;
	ok(result == SHMRING_END, "the end comes behind them");
	shmring_close(&r);
	shmring_free(&w);
}

static void
every_size_fits_up_to_a_quarter(void)
{
	struct shmring w;
	struct shmring_reader r;
	size_t size, n, bad = 0;

	if (!ok(shmring_create(&w, RING) == 0 &&
	    shmring_open(&r, w.fd) == 0, "a ring and a reader"))
		return;
	memset(in, 0x5a, sizeof(in));
	for (n = 0; n <= RECORD_MAX; n++) {
		memset(got, 0, sizeof(got));
		if (shmring_put(&w, in, n) != 0 || shmring_get(&r, got,
		    sizeof(got), &size) != SHMRING_RECORD || size != n ||
		    memcmp(in, got, n) != 0 || (n < RECORD_MAX &&
		    got[n] != 0))
			bad++;
	}
	is_u64(bad, 0, "0 to %u bytes", RECORD_MAX);
	ok(shmring_put(&w, in, RECORD_MAX + 1) == -1 && errno == EMSGSIZE,
	    "one more: EMSGSIZE");
	shmring_close(&r);
	shmring_free(&w);
}

static void
sizes_are_checked(void)
{
	struct shmring w;

	ok(shmring_create(&w, 2048) == -1 && errno == EINVAL, "too small");
	ok(shmring_create(&w, 5000) == -1 && errno == EINVAL, "no power of 2");
	ok(shmring_create(&w, (size_t)1 << 31) == -1 && errno == EINVAL,
	    "too large");
}

static void
descriptor_is_for_reading_only(void)
{
	struct shmring w;
	void *map;

	if (!ok(shmring_create(&w, RING) == 0, "a ring"))
		return;
	map = mmap(NULL, HEAD, PROT_READ | PROT_WRITE, MAP_SHARED, w.fd, 0);
	ok(map == MAP_FAILED, "it cannot be mapped for writing");
	ok(write(w.fd, "x", 1) == -1, "nor written to");
	ok(ftruncate(w.fd, 0) == -1, "nor cut short");
	ok((fcntl(w.fd, F_GETFD) & FD_CLOEXEC) != 0, "close-on-exec");
	shmring_free(&w);
}

static void
what_is_no_ring_is_refused(void)
{
	struct shmring_reader r;
	uint64_t *map;
	int fd, null = open("/dev/null", O_RDONLY);

	ok(shmring_open(&r, null) == -1, "/dev/null");
	close(null);
	ok(shmring_open(&r, -1) == -1 && errno == EBADF, "no descriptor");
	map = shm_make(HEAD + RING, &fd);
	if (!ok(map != NULL, "memory of the right size"))
		return;
	ok(shmring_open(&r, fd) == -1 && errno == EPROTO, "without magic");
	map[0] = UINT64_C(0x4f52434d52494e47);
	map[1] = 1;
	map[2] = 2 * RING;
	ok(shmring_open(&r, fd) == -1 && errno == EPROTO, "larger than it is");
	map[2] = RING - 1;
	ok(shmring_open(&r, fd) == -1 && errno == EPROTO, "no power of 2");
	map[2] = 0;
	ok(shmring_open(&r, fd) == -1 && errno == EPROTO, "of no size");
	map[1] = 2;
	map[2] = RING;
	ok(shmring_open(&r, fd) == -1 && errno == EPROTO, "another layout");
	munmap(map, HEAD + RING);
	close(fd);
}

/* A writer gone mad, by seed; the reader must survive and stop. */
static uint64_t
mad_ring(uint64_t seed, uint64_t *map, int fd)
{
	struct shmring_reader r;
	struct rand dice;
	uint64_t calls = 0;
	size_t size, i;

	rand_seed(&dice, seed);
	for (i = 0; i < (HEAD + RING) / 8; i++) {
		map[i] = rand_u64(&dice);
		if (rand_below(&dice, 2) == 0)
			map[i] &= 0x00000001000001ff;
	}
	map[0] = UINT64_C(0x4f52434d52494e47);
	map[1] = 1;
	map[2] = RING;
	/* The words of the head stand 64 bytes from each other. */
	map[8] = rand_below(&dice, 4) ? rand_below(&dice, 3 * RING) : map[8];
	map[16] = rand_below(&dice, 4) ? rand_below(&dice, 2 * RING) : 0;
	map[24] = rand_below(&dice, 2) ? 0 : rand_below(&dice, RING);
	if (shmring_open(&r, fd) == -1)
		return 0;
	while (calls < 1000) {
		calls++;
		switch (shmring_get(&r, got, sizeof(got), &size)) {
		case SHMRING_NONE:
		case SHMRING_END:
			shmring_close(&r);
			return calls;
		case SHMRING_GAP:
		case SHMRING_RECORD:
			break;
		}
	}
	shmring_close(&r);
	return calls;
}

static void
mad_writer_harms_nobody(void)
{
	uint64_t *map, seed, calls, worst = 0, records = 0;
	int fd;

	map = shm_make(HEAD + RING, &fd);
	if (!ok(map != NULL, "a ring to be spoilt"))
		return;
	for (seed = 0; seed < 3000; seed++) {
		calls = mad_ring(seed, map, fd);
		records += calls;
		worst = calls > worst ? calls : worst;
	}
	ok(worst < 1000, "every ring came to an end");
	ok(records > 3000, "some went on for a while");
	munmap(map, HEAD + RING);
	close(fd);
}

/*
 * Kills a writer after about `after` records were seen and reads the rest.
 * *torn: it died while it was putting, as its counter in shared memory says.
 */
static void
kill_once(uint64_t after, struct tally *sum, unsigned *torn)
{
	struct tally t = { .begun = true }, u = { .begun = false };
	struct shmring w;
	struct shmring_reader r;
	volatile uint64_t *done;
	uint64_t n;
	size_t size;
	pid_t pid;
	int fd;

	done = shm_make(4096, &fd);
	if (done == NULL || shmring_create(&w, RING) == -1 ||
	    shmring_open(&r, w.fd) == -1)
		abort();
	pid = fork();
	if (pid == 0)
		for (n = 0;; n++) {
			size = make_record(n, in);
			done[0] = n + 1;
			shmring_put(&w, in, size);
			done[1] = n + 1;
		}
	/* done[1] moves even when every record is overwritten unseen. */
	while (t.next < after && done[1] < 50 * after)
		get_checked(&r, &t);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	*torn += done[0] != done[1];
	while (get_checked(&r, &t) != SHMRING_NONE)
		continue;
	/* What was put is there, but for what an unfinished put overwrote. */
	if (t.gap == 0 && t.next != done[0] && t.next != done[1])
		t.bad++;
	shmring_close(&r);
	if (shmring_open(&r, w.fd) == -1)
		abort();
	while (get_checked(&r, &u) == SHMRING_RECORD)
		continue;
	sum->records += t.records + u.records;
	sum->bad += t.bad + u.bad;
	shmring_close(&r);
	shmring_free(&w);
	munmap((void *)(uintptr_t)done, 4096);
	close(fd);
}

static void
killed_writer_leaves_no_torn_record(void)
{
	struct tally sum = { .records = 0 };
	struct rand dice;
	unsigned i, torn = 0;

	rand_seed(&dice, 7);
	for (i = 0; i < 100; i++)
		kill_once(1 + rand_below(&dice, 300), &sum, &torn);
	printf("# %" PRIu64 " records read, %u writers died in a put\n",
	    sum.records, torn);
	ok(sum.records > 100, "100 writers were killed, records were read");
	is_u64(sum.bad, 0, "none was torn, every gap was told to the byte");
}

int
main(void)
{
	records_come_out_as_they_went_in();
	slow_reader_hears_what_it_lost();
	every_size_fits_up_to_a_quarter();
	sizes_are_checked();
	descriptor_is_for_reading_only();
	what_is_no_ring_is_refused();
	mad_writer_harms_nobody();
	killed_writer_leaves_no_torn_record();
	return done_testing();
}
