/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/require.h"
#include "sys/conn.h"

/*
 * Frames over a stream socket, UNIX or TCP.  An idle one owns no memory but
 * its struct: a buffer is made when bytes wait in it and freed when it is
 * empty.  Input grows with the bytes that came, not with the size that a
 * header claims.  Nothing here ever waits.
 *
 * One call from the loop reads at most TURN_BYTES_MAX or TURN_FRAMES_MAX
 * frames; whole frames that are left are taken up in the next turn.
 *
 * The frame callback may close, reopen or free its connection.  Therefore
 * the dispatcher keeps the input buffer and the frame's descriptors in its
 * own hands while the callback runs, and looks at a flag on its own stack
 * before it touches the connection again.
 *
 * A connection ends in one place, finish(), and only from the loop.  Sending
 * finds two reasons to end: a full queue (dead: nothing more is read) and a
 * peer that has gone (deaf: what it had said before is read first).
 */

#define BUFFER_MIN 4096u
#define TURN_FRAMES_MAX 16
#define TURN_BYTES_MAX 65536u
#define FLUSH_SIZE 32768u /* queued bytes that are worth a call of their own */

_Static_assert(BUFFER_MIN >= WIRE_HEADER, "a header fits the first buffer");

enum progress {
	PROGRESS_GOES_ON,
	PROGRESS_WAITS, /* nothing more is to be had now */
	PROGRESS_GONE	/* c is not ours any more */
};

static void
close_fds(const int *fds, size_t len)
{
	size_t i;
	int kept = errno;

	for (i = 0; i < len; i++)
		if (fds[i] != -1)
			close(fds[i]);
	errno = kept;
}

void
conn_init(struct conn *c, struct loop *l, const struct conn_ops *ops,
    void *arg)
{
	memset(c, 0, sizeof(*c));
	c->loop = l;
	c->ops = ops;
	c->arg = arg;
	watch_init(&c->watch, NULL, c);
}

/* What a burst took in whole pages goes back whole, and leaves no hole. */
static void
give_back(void *buffer, size_t size)
{
	if (size > BUFFER_MIN)
		(void)munmap(buffer, size);
	else
		free(buffer);
}

static void
drop_output(struct conn *c)
{
	close_fds(c->pass.fds, c->pass.len);
	c->pass.len = 0;
	give_back(c->out, c->out_size);
	c->out = NULL;
	c->out_size = c->out_at = c->out_used = 0;
}

/* Gives everything back; the struct can be used again or freed. */
static void
release(struct conn *c)
{
	c->open = false;
	c->dead = false;
	c->deaf = false;
	loop_unwatch(c->loop, &c->watch);
	close_fds(&c->watch.fd, 1);
	c->watch.fd = -1;
	drop_output(c);
	close_fds(c->fds, c->fds_len);
	c->fds_len = 0;
	/* While a callback runs, the buffer is the dispatcher's. */
	if (c->gone != NULL)
		*c->gone = true;
	else
		free(c->in);
	c->gone = NULL;
	c->in = NULL;
	c->in_size = c->in_used = 0;
}

static enum progress
finish(struct conn *c, enum conn_end why, int error)
{
	release(c);
	errno = error;
	c->ops->end(c, why);
	return PROGRESS_GONE;
}

/*
 * Sends from the queue what the socket takes.  A frame with descriptors goes
 * in a call of its own, so that its receiver can tell whose they are.  -1
 * with errno when the socket takes nothing any more; waiting is no error.
 */
static int
flush(struct conn *c)
{
	const int *fds;
	size_t fds_len, end;
	ssize_t n;

	while (c->out_at < c->out_used) {
		fds = NULL;
		fds_len = 0;
		end = c->out_used;
		if (c->pass.len > 0 && c->out_at < c->pass.at)
			end = c->pass.at;
		else if (c->pass.len > 0) {
			end = c->pass.end;
			fds = c->pass.fds;
			fds_len = c->pass.len;
		}
		n = sock_send(c->watch.fd, c->out + c->out_at,
		    end - c->out_at, fds, fds_len);
		if (n == -1)
			return errno == EAGAIN || errno == EWOULDBLOCK ? 0 :
			    -1;
		if (fds_len > 0) {
			close_fds(c->pass.fds, c->pass.len);
			c->pass.len = 0;
		}
		c->out_at += (size_t)n;
	}
	drop_output(c);
	return 0;
}

static void
want_events(struct conn *c)
{
	short events = POLLIN;

	if (c->out_at < c->out_used)
		events |= POLLOUT;
	if (events != c->watch.events)
		loop_watch_events(c->loop, &c->watch, events);
}

/* The peer takes nothing more; what it has said still counts. */
static void
turn_deaf(struct conn *c, int error)
{
	c->deaf = true;
	c->error = error;
	drop_output(c);
	want_events(c);
	loop_watch_again(c->loop, &c->watch);
}

static void
turn_dead(struct conn *c, enum conn_end why, int error)
{
	c->dead = true;
	c->why = why;
	c->error = error;
	drop_output(c);
	want_events(c);
	loop_watch_again(c->loop, &c->watch);
}

/*
 * Hands over the frame at in[at..at+size-1], whose descriptors, if any came,
 * are c->fds.
 */
static enum progress
dispatch(struct conn *c, size_t at, size_t size)
{
	struct wire_msg m;
	enum wire_verdict v;
	int fds[SOCK_FDS_MAX];
	size_t fds_len = 0;
	uint8_t *in = c->in;
	bool gone = false;

	if (c->tail_size > 0 &&
	    !c->ops->check(c, in + at, size, in + at + size))
		return finish(c, CONN_DENIED, EPROTO);
	v = wire_parse(&m, in + at, size, c->senders);
	if (v != WIRE_OK)
		return finish(c, v == WIRE_DENIED ? CONN_DENIED :
		    CONN_GARBAGE, EPROTO);
	if (c->fds_len > 0 && c->fds_at < at + size) {
		fds_len = c->fds_len;
		memcpy(fds, c->fds, sizeof(fds));
		c->fds_len = 0;
	}
	c->gone = &gone;
	c->ops->frame(c, &m, fds, fds_len);
	close_fds(fds, fds_len);
	if (gone) {
		free(in);
		return PROGRESS_GONE;
	}
	c->gone = NULL;
	if (c->dead)
		return finish(c, c->why, c->error);
	return PROGRESS_GOES_ON;
}

/* Takes n bytes off the front of the input; no byte needs no buffer. */
static void
drop_input(struct conn *c, size_t n)
{
	c->in_used -= n;
	if (c->fds_len > 0)
		c->fds_at -= n;
	if (c->in_used == 0) {
		free(c->in);
		c->in = NULL;
		c->in_size = 0;
	} else if (n > 0)
		memmove(c->in, c->in + n, c->in_used);
}

/*
 * Hands over whole frames while *frames is below its limit.  Waits: all that
 * is left is a part of a frame, whose size is in *need (0: not known yet).
 */
static enum progress
take_frames(struct conn *c, unsigned *frames, size_t *need)
{
	enum progress p = PROGRESS_GOES_ON;
	enum wire_verdict v;
	uint32_t size;
	size_t at = 0, whole;

	*need = 0;
	while (p == PROGRESS_GOES_ON && *frames < TURN_FRAMES_MAX) {
		size = 0;
		v = wire_frame_size(c->in + at, c->in_used - at, c->frame_max,
		    &size);
		if (v != WIRE_OK && v != WIRE_SHORT)
			return finish(c, CONN_GARBAGE, EPROTO);
		whole = size + c->tail_size;
		if (v == WIRE_SHORT || whole > c->in_used - at) {
			*need = v == WIRE_SHORT ? 0 : whole;
			p = PROGRESS_WAITS;
			break;
		}
		p = dispatch(c, at, size);
		at += whole;
		++*frames;
		if (p == PROGRESS_GOES_ON && at == c->in_used)
			p = PROGRESS_WAITS;
	}
	if (p != PROGRESS_GONE)
		drop_input(c, at);
	return p;
}

/*
 * Makes room for what is to be read next and tells how much that is: the
 * rest of a frame that needs a larger buffer, else whatever comes.  Once
 * descriptors are here, not beyond the frame that they belong to.  0 and
 * errno when there is no memory.
 */
static size_t
input_room(struct conn *c, size_t need)
{
	size_t size = c->in_size, want;
	uint8_t *in;

	if (size == 0)
		size = BUFFER_MIN;
	else if (c->in_used == size)
		size = need < 2 * size ? need : 2 * size;
	if (size != c->in_size) {
		in = realloc(c->in, size);
		if (in == NULL)
			return 0;
		c->in = in;
		c->in_size = size;
	}
	want = size;
	if (need > BUFFER_MIN && need < want)
		want = need;
	if (c->fds_len > 0) {
		if (need == 0)
			need = WIRE_HEADER;
		if (need < want)
			want = need;
	}
	return want - c->in_used;
}

/* Finds the byte that n newly read ones brought the descriptors with. */
static int
place_fds(struct conn *c, size_t n)
{
	enum wire_verdict v;
	uint32_t size = 0;
	int last;

	c->fds_at = c->in_used;
	if (c->in_used == 0) {
		v = wire_frame_size(c->in, n, c->frame_max, &size);
		if (v != WIRE_OK || size >= n)
			return 0;
	}
	/* Several frames are here, and systems differ in whose they are. */
	last = c->in_used > 0 ? 1 : sock_fds_come_last();
	if (last == 1)
		c->fds_at += n - 1;
	return last == -1 ? -1 : 0;
}

/* One recvmsg(2); *bytes counts what came. */
static enum progress
read_once(struct conn *c, size_t need, size_t *bytes)
{
	int fds[SOCK_FDS_MAX];
	size_t room, fds_len;
	ssize_t n;

	room = input_room(c, need);
	if (room == 0)
		return finish(c, CONN_ERROR, errno);
	if (room > TURN_BYTES_MAX - *bytes)
		room = TURN_BYTES_MAX - *bytes;
	n = sock_recv(c->watch.fd, c->in + c->in_used, room, fds, &fds_len);
	if (n == -1) {
		if (errno != EAGAIN && errno != EWOULDBLOCK)
			return finish(c, errno == ECONNRESET ? CONN_EOF :
			    CONN_ERROR, errno);
		if (c->deaf)
			return finish(c, CONN_ERROR, c->error);
		drop_input(c, 0);
		return PROGRESS_WAITS;
	}
	if (fds_len > 0 && (n == 0 || c->fds_len > 0)) {
		close_fds(fds, fds_len);
		return finish(c, CONN_GARBAGE, EPROTO);
	}
	if (n == 0)
		return finish(c, CONN_EOF, 0);
	if (fds_len > 0) {
		memcpy(c->fds, fds, sizeof(fds));
		c->fds_len = fds_len;
		if (place_fds(c, (size_t)n) == -1)
			return finish(c, CONN_ERROR, errno);
	}
	c->in_used += (size_t)n;
	*bytes += (size_t)n;
	return PROGRESS_GOES_ON;
}

static void
read_turn(struct conn *c)
{
	enum progress p = PROGRESS_WAITS;
	unsigned frames = 0;
	size_t bytes = 0, need = 0;

	if (c->in_used > 0)
		p = take_frames(c, &frames, &need);
	while (p == PROGRESS_WAITS && bytes < TURN_BYTES_MAX &&
	    frames < TURN_FRAMES_MAX) {
		p = read_once(c, need, &bytes);
		if (p == PROGRESS_WAITS)
			return;
		if (p == PROGRESS_GOES_ON)
			p = take_frames(c, &frames, &need);
	}
	/* Whole frames may be left, or the socket may be asked once more. */
	if (p == PROGRESS_GOES_ON || (p == PROGRESS_WAITS && c->deaf))
		loop_watch_again(c->loop, &c->watch);
}

static void
conn_ready(struct watch *w, short revents)
{
	struct conn *c = w->arg;

	(void)revents;
	if (c->dead) {
		finish(c, c->why, c->error);
		return;
	}
	if (conn_queued(c) > 0) {
		if (flush(c) == -1)
			turn_deaf(c, errno);
		else
			want_events(c);
		if (c->ops->idle != NULL && !c->deaf && conn_queued(c) == 0)
			c->ops->idle(c);
	}
	if (c->open)
		read_turn(c);
}

int
conn_open(struct conn *c, int fd, unsigned senders, size_t frame_max,
    size_t queue_max)
{
	REQUIRE(!c->open);
	c->watch.fd = fd;
	c->watch.call = conn_ready;
	if (loop_watch(c->loop, &c->watch, POLLIN) == -1) {
		close_fds(&fd, 1);
		c->watch.fd = -1;
		return -1;
	}
	c->senders = senders;
	c->frame_max = frame_max;
	c->queue_max = queue_max;
	c->tail_size = 0;
	c->sent = 0;
	c->error = 0;
	c->open = true;
	return 0;
}

void
conn_close(struct conn *c)
{
	if (!c->open)
		return;
	if (!c->dead && !c->deaf)
		(void)flush(c);
	release(c);
}

bool
conn_is_open(const struct conn *c)
{
	return c->open && !c->dead && !c->deaf;
}

size_t
conn_queued(const struct conn *c)
{
	return c->out_used - c->out_at;
}

/* Puts bytes at the end of the queue.  -1 with errno. */
static int
enqueue(struct conn *c, const uint8_t *p, size_t size)
{
	size_t queued = conn_queued(c), room = c->out_size;
	uint8_t *out;

	if (size > c->queue_max || queued > c->queue_max - size) {
		errno = ENOBUFS;
		return -1;
	}
	/* Moving costs no more than sending what is gone has cost. */
	if (c->out_at > 0 && c->out_at >= queued &&
	    c->out_used + size > c->out_size) {
		memmove(c->out, c->out + c->out_at, queued);
		c->pass.at -= c->pass.len > 0 ? c->out_at : 0;
		c->pass.end -= c->pass.len > 0 ? c->out_at : 0;
		c->out_used = queued;
		c->out_at = 0;
	}
	if (room < BUFFER_MIN)
		room = BUFFER_MIN;
	while (room < c->out_used + size)
		room *= 2;
	if (room != c->out_size) {
		out = room == BUFFER_MIN ? malloc(room) :
		    mmap(NULL, room, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (out == NULL || out == MAP_FAILED)
			return -1;
		if (c->out_used > 0)
			memcpy(out, c->out, c->out_used);
		give_back(c->out, c->out_size);
		c->out = out;
		c->out_size = room;
	}
	memcpy(c->out + c->out_used, p, size);
	c->out_used += size;
	return 0;
}

/*
 * Sends the first frame of a turn without a detour through the queue, and one
 * that no queue would take.  Bytes that went, or -1 with errno.
 */
static ssize_t
send_now(struct conn *c, const void *frame, size_t size, const int *fds,
    size_t fds_len)
{
	ssize_t n;

	if (conn_queued(c) > 0)
		return 0;
	if (fds_len == 0 && size <= c->queue_max &&
	    c->sent == loop_now(c->loop))
		return 0;
	c->sent = loop_now(c->loop);
	n = sock_send(c->watch.fd, frame, size, fds, fds_len);
	if (n == -1 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return 0;
	return n;
}

/* Tries to send what is queued, before it is too much.  -1 with errno. */
static int
flush_if_full(struct conn *c, size_t size, size_t fds_len)
{
	size_t queued = conn_queued(c);

	if (queued == 0)
		return 0;
	if ((fds_len > 0 && c->pass.len > 0) || size > c->queue_max ||
	    queued > c->queue_max - size ||
	    (queued < FLUSH_SIZE && queued + size >= FLUSH_SIZE))
		return flush(c);
	return 0;
}

/* Sends or queues; all of it or nothing but a dying connection. */
static int
send_frame(struct conn *c, const uint8_t *p, size_t size, const int *fds,
    size_t fds_len)
{
	ssize_t n;

	n = send_now(c, p, size, fds, fds_len);
	if (n == -1) {
		turn_deaf(c, errno);
		return -1;
	}
	if ((size_t)n < size && enqueue(c, p + n, size - (size_t)n) == -1) {
		turn_dead(c, errno == ENOBUFS ? CONN_SLOW : CONN_ERROR,
		    errno);
		return -1;
	}
	if (n > 0) {
		close_fds(fds, fds_len);
	} else if (fds_len > 0) {
		c->pass.at = c->out_used - size;
		c->pass.end = c->out_used;
		c->pass.len = fds_len;
		memcpy(c->pass.fds, fds, fds_len * sizeof(*fds));
	}
	want_events(c);
	return 0;
}

int
conn_send_fds(struct conn *c, const void *frame, size_t size, const int *fds,
    size_t fds_len)
{
	REQUIRE(size > 0 && fds_len <= SOCK_FDS_MAX);
	if (!conn_is_open(c)) {
		errno = ENOTCONN;
		return -1;
	}
	if (flush_if_full(c, size, fds_len) == -1) {
		turn_deaf(c, errno);
		errno = c->error;
		return -1;
	}
	if (fds_len > 0 && c->pass.len > 0) {
		errno = EBUSY;
		return -1;
	}
	if (send_frame(c, frame, size, fds, fds_len) == 0)
		return 0;
	errno = c->error;
	return -1;
}

int
conn_send(struct conn *c, const void *frame, size_t size)
{
	return conn_send_fds(c, frame, size, NULL, 0);
}
