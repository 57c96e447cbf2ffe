/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/require.h"
#include "compat/shm.h"
#include "sys/shmring.h"

/*
 * One writer, any number of readers, no lock.  Positions count bytes of ring
 * space since the beginning and never wrap; position % size is the place.
 * The records between trail and committed can be read.
 *
 * To put: move trail past what will be overwritten, fence, copy the record
 * above committed, store committed (release).  A writer that dies anywhere
 * in there has published nothing, and what it overwrote is below trail.
 * To get: read trail and committed, copy, fence, read trail again; when it
 * has passed the record the copy is worthless and is never shown.  The two
 * fences are the seqlock's (Boehm, MSPC 2012): a reader that saw a word of a
 * newer record also sees the trail that was moved before it.  Words race, so
 * they are relaxed atomics; a plain memcpy would be undefined.
 *
 * Each record carries how many payload bytes were put before it.  That is
 * how a reader that was overtaken knows exactly what it has lost, and how it
 * knows that it has lost nothing.
 *
 * It never waits, never wakes (the caller's socket does), and holds nothing
 * that a death could keep.  A reader believes nothing: a ring that
 * contradicts itself has ended.
 */

#define RING_MAGIC UINT64_C(0x4f52434d52494e47) /* "ORCMRING" */
#define RING_LAYOUT 1u
#define RING_MIN 4096u
#define RING_MAX (UINT32_C(1) << 30)
#define HEAD_SIZE 4096u
#define TRIES_MAX 16 /* being overtaken in one shmring_get() */
#define TRIES_OLDEST 2 /* of them at the oldest record, then at the newest */
#define SEEN_UNKNOWN UINT64_MAX

typedef _Atomic uint64_t shm_word;

struct shmring_head {
	uint64_t magic, layout, size; /* constant once it is made */
	_Alignas(64) shm_word committed;
	_Alignas(64) shm_word trail;
	_Alignas(64) shm_word total;  /* payload bytes up to committed */
	_Alignas(64) shm_word newest; /* where the last record begins */
	_Alignas(64) shm_word finished;
};

/* What stands before each record, as two words. */
struct record {
	uint32_t size, pad; /* of the payload; pad: skip to the ring's begin */
	uint64_t before;    /* payload bytes put before it */
};

#define RECORD_HEAD sizeof(struct record)

_Static_assert(sizeof(struct shmring_head) <= HEAD_SIZE, "fits its page");
_Static_assert(sizeof(struct record) == 16, "two words");
_Static_assert(sizeof(shm_word) == 8 && ATOMIC_LLONG_LOCK_FREE == 2,
    "64-bit words are atomic without a lock");

static shm_word *
word_at(const struct shmring *r, uint64_t at)
{
	return (shm_word *)(void *)(r->data + (at & (r->size - 1)));
}

/*
 * Ring space that a payload of that size takes: whole record heads, so that
 * the rest of the ring before its end always has room for one.
 */
static uint64_t
space_of(size_t size)
{
	return RECORD_HEAD + (((uint64_t)size + RECORD_HEAD - 1) &
	    ~(uint64_t)(RECORD_HEAD - 1));
}

static void
copy_in(const struct shmring *r, uint64_t at, const void *data, size_t size)
{
	const uint8_t *p = data;
	shm_word *to = word_at(r, at);
	uint64_t w;

	for (; size >= 8; size -= 8, p += 8) {
		memcpy(&w, p, 8);
		atomic_store_explicit(to++, w, memory_order_relaxed);
	}
	if (size > 0) {
		w = 0;
		memcpy(&w, p, size);
		atomic_store_explicit(to, w, memory_order_relaxed);
	}
}

static void
copy_out(const struct shmring *r, uint64_t at, void *data, size_t size)
{
	uint8_t *p = data;
	shm_word *from = word_at(r, at);
	uint64_t w;

	for (; size >= 8; size -= 8, p += 8) {
		w = atomic_load_explicit(from++, memory_order_relaxed);
		memcpy(p, &w, 8);
	}
	if (size > 0) {
		w = atomic_load_explicit(from, memory_order_relaxed);
		memcpy(p, &w, size);
	}
}

int
shmring_create(struct shmring *r, size_t size)
{
	uint8_t *map;
	int fd;

	if (size < RING_MIN || size > RING_MAX || (size & (size - 1)) != 0) {
		errno = EINVAL;
		return -1;
	}
	map = shm_make(HEAD_SIZE + size, &fd);
	if (map == NULL)
		return -1;
	r->head = (struct shmring_head *)(void *)map;
	r->data = map + HEAD_SIZE;
	r->size = size;
	r->fd = fd;
	/* The rest is zero, and nobody has the descriptor yet. */
	r->head->magic = RING_MAGIC;
	r->head->layout = RING_LAYOUT;
	r->head->size = size;
	return 0;
}

void
shmring_free(struct shmring *r)
{
	munmap(r->head, HEAD_SIZE + r->size);
	r->head = NULL;
	r->data = NULL;
	if (r->fd != -1)
		close(r->fd);
	r->fd = -1;
}

size_t
shmring_record_max(const struct shmring *r)
{
	return r->size / 4;
}

/* Writes a record's two words. */
static void
put_head(struct shmring *r, uint64_t at, size_t size, bool pad, uint64_t before)
{
	struct record h = { (uint32_t)size, pad, before };

	copy_in(r, at, &h, sizeof(h));
}

/* Makes room up to end: the oldest records stop to exist. */
static void
move_trail(struct shmring *r, uint64_t end)
{
	uint64_t trail;
	struct record h;

	trail = atomic_load_explicit(&r->head->trail, memory_order_relaxed);
	if (end - trail <= r->size)
		return;
	while (end - trail > r->size) {
		copy_out(r, trail, &h, sizeof(h));
		trail += space_of(h.size);
	}
	atomic_store_explicit(&r->head->trail, trail, memory_order_relaxed);
	/* Before any word of the new record: see the head of this file. */
	atomic_thread_fence(memory_order_release);
}

int
shmring_put(struct shmring *r, const void *data, size_t size)
{
	uint64_t at, left, total, pad = 0;

	if (size > shmring_record_max(r)) {
		errno = EMSGSIZE;
		return -1;
	}
	at = atomic_load_explicit(&r->head->committed, memory_order_relaxed);
	total = atomic_load_explicit(&r->head->total, memory_order_relaxed);
	left = r->size - (at & (r->size - 1));
	if (left < space_of(size))
		pad = left;
	move_trail(r, at + pad + space_of(size));
	if (pad > 0)
		put_head(r, at, (size_t)(pad - RECORD_HEAD), true, total);
	at += pad;
	put_head(r, at, size, false, total);
	copy_in(r, at + RECORD_HEAD, data, size);
	atomic_store_explicit(&r->head->committed, at + space_of(size),
	    memory_order_release);
	/* Both may lag behind committed for ever, if we die just here. */
	atomic_store_explicit(&r->head->newest, at, memory_order_release);
	atomic_store_explicit(&r->head->total, total + size,
	    memory_order_release);
	return 0;
}

void
shmring_finish(struct shmring *r)
{
	atomic_store_explicit(&r->head->finished, 1, memory_order_release);
}

/* Maps size bytes of fd read-only. */
static void *
map_shared(int fd, size_t size)
{
	void *map = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);

	return map == MAP_FAILED ? NULL : map;
}

/* Has the writer kept its hands off everything from at on, up to now? */
static bool
untouched(const struct shmring *r, uint64_t at)
{
	atomic_thread_fence(memory_order_acquire);
	return atomic_load_explicit(&r->head->trail, memory_order_relaxed) <=
	    at;
}

/* A record head there is a whole number of words, inside the ring. */
static bool
aligned(uint64_t at)
{
	return at % RECORD_HEAD == 0;
}

/*
 * Puts a new reader at the oldest record and finds out how much was put
 * before it, so that whatever is overwritten from now on is a gap.  Leaves
 * r->seen unknown when the writer was faster.
 */
static void
start_at_oldest(struct shmring_reader *r)
{
	struct shmring_head *head = r->ring.head;
	uint64_t committed, total;
	struct record h;

	r->at = atomic_load_explicit(&head->trail, memory_order_acquire);
	committed = atomic_load_explicit(&head->committed,
	    memory_order_acquire);
	if (r->at < committed && aligned(r->at)) {
		copy_out(&r->ring, r->at, &h, sizeof(h));
		if (untouched(&r->ring, r->at))
			r->seen = h.before;
		return;
	}
	total = atomic_load_explicit(&head->total, memory_order_acquire);
	if (atomic_load_explicit(&head->committed, memory_order_acquire) ==
	    committed)
		r->seen = total;
}

int
shmring_open(struct shmring_reader *r, int fd)
{
	struct shmring_head *head;
	struct stat st;
	uint64_t size;
	uint8_t *map;
	bool good;
	int tries;

	if (fstat(fd, &st) == -1)
		return -1;
	if (st.st_size < (off_t)(HEAD_SIZE + RING_MIN)) {
		errno = EPROTO;
		return -1;
	}
	head = map_shared(fd, HEAD_SIZE);
	if (head == NULL)
		return -1;
	size = head->size;
	good = head->magic == RING_MAGIC && head->layout == RING_LAYOUT &&
	    size >= RING_MIN && size <= RING_MAX && (size & (size - 1)) == 0 &&
	    st.st_size >= (off_t)(HEAD_SIZE + size);
	munmap(head, HEAD_SIZE);
	if (!good) {
		errno = EPROTO;
		return -1;
	}
	map = map_shared(fd, HEAD_SIZE + (size_t)size);
	if (map == NULL)
		return -1;
	r->ring.head = (struct shmring_head *)(void *)map;
	r->ring.data = map + HEAD_SIZE;
	r->ring.size = (size_t)size;
	r->ring.fd = -1;
	r->seen = SEEN_UNKNOWN;
	for (tries = 0; tries < TRIES_MAX && r->seen == SEEN_UNKNOWN; tries++)
		start_at_oldest(r);
	return 0;
}

void
shmring_close(struct shmring_reader *r)
{
	shmring_free(&r->ring);
}

/* Can a record of that head stand at at, when committed is the end? */
static bool
head_ok(const struct shmring *r, uint64_t at, const struct record *h,
    uint64_t committed)
{
	uint64_t place = at & (r->size - 1);

	if (h->pad > 1 || h->size > r->size)
		return false;
	if (h->pad == 0 && h->size > shmring_record_max(r))
		return false;
	return space_of(h->size) <= r->size - place &&
	    space_of(h->size) <= committed - at;
}

/*
 * Nothing is left at r->at, which is the end.  Says what was lost on the way
 * here, if something was; *again when the writer has gone on meanwhile.
 */
static enum shmring_result
at_end(struct shmring_reader *r, bool finished, size_t *size, bool *again)
{
	struct shmring_head *head = r->ring.head;
	uint64_t total;

	total = atomic_load_explicit(&head->total, memory_order_acquire);
	/*
	 * total is stored behind committed.  It may lag there only when we
	 * have read that last record, and then its smaller value says nothing:
	 * a trail that stands at committed was moved by a later put.
	 */
	*again = atomic_load_explicit(&head->committed,
	    memory_order_acquire) != r->at;
	if (*again)
		return SHMRING_NONE;
	if (r->seen != SEEN_UNKNOWN && total > r->seen) {
		*size = (size_t)(total - r->seen);
		r->seen = total;
		return SHMRING_GAP;
	}
	return finished ? SHMRING_END : SHMRING_NONE;
}

/* What try_get() found, when it was no result. */
enum attempt {
	ATTEMPT_DONE,	  /* *result holds */
	ATTEMPT_AGAIN,	  /* went on by a pad, or the writer was faster */
	ATTEMPT_OVERTAKEN /* the record was overwritten under us */
};

static enum attempt
try_get(struct shmring_reader *r, void *out, size_t *size,
    enum shmring_result *result)
{
	struct shmring *ring = &r->ring;
	uint64_t trail, committed;
	struct record h;
	bool finished, again;

	/* Each is read before what it is compared with can grow. */
	finished = atomic_load_explicit(&ring->head->finished,
	    memory_order_acquire) != 0;
	trail = atomic_load_explicit(&ring->head->trail, memory_order_acquire);
	committed = atomic_load_explicit(&ring->head->committed,
	    memory_order_acquire);
	*result = SHMRING_END;
	if (r->at < trail)
		r->at = trail;
	if (r->at > committed || !aligned(r->at))
		return ATTEMPT_DONE;
	if (r->at == committed) {
		*result = at_end(r, finished, size, &again);
		return again ? ATTEMPT_AGAIN : ATTEMPT_DONE;
	}
	copy_out(ring, r->at, &h, sizeof(h));
	if (!untouched(ring, r->at))
		return ATTEMPT_OVERTAKEN;
	if (!head_ok(ring, r->at, &h, committed))
		return ATTEMPT_DONE;
	if (h.pad == 1) {
		r->at += space_of(h.size);
		return ATTEMPT_AGAIN;
	}
	if (r->seen == SEEN_UNKNOWN)
		r->seen = h.before;
	if (h.before < r->seen)
		return ATTEMPT_DONE;
	if (h.before > r->seen) {
		*size = (size_t)(h.before - r->seen);
		r->seen = h.before;
		*result = SHMRING_GAP;
		return ATTEMPT_DONE;
	}
	copy_out(ring, r->at + RECORD_HEAD, out, h.size);
	if (!untouched(ring, r->at))
		return ATTEMPT_OVERTAKEN;
	r->at += space_of(h.size);
	r->seen += h.size;
	*size = h.size;
	*result = SHMRING_RECORD;
	return ATTEMPT_DONE;
}

/*
 * The oldest record is also the next to be overwritten, so a slow reader
 * would lose every race for it: it goes on with the newest.
 */
static void
skip_to_newest(struct shmring_reader *r)
{
	uint64_t newest = atomic_load_explicit(&r->ring.head->newest,
	    memory_order_acquire);

	if (newest > r->at)
		r->at = newest;
}

enum shmring_result
shmring_get(struct shmring_reader *r, void *out, size_t max, size_t *size)
{
	enum shmring_result result;
	int tries;

	REQUIRE(max >= shmring_record_max(&r->ring));
	*size = 0;
	for (tries = 0; tries < TRIES_MAX; tries++) {
		switch (try_get(r, out, size, &result)) {
		case ATTEMPT_DONE:
			return result;
		case ATTEMPT_AGAIN:
			break;
		case ATTEMPT_OVERTAKEN:
			if (tries + 1 >= TRIES_OLDEST)
				skip_to_newest(r);
			break;
		}
	}
	/* How much is lost will be known when it is slower: ask again. */
	return SHMRING_GAP;
}
