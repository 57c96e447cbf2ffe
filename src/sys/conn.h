/* SPDX-License-Identifier: ISC */
#ifndef SYS_CONN_H
#define SYS_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/wire.h"
#include "sys/loop.h"
#include "sys/sock.h"

/*
 * A framed stream over a UNIX or TCP socket, in a loop.  Whole frames are
 * parsed against the wire table and handed to a callback; a bad or denied frame
 * ends the connection.  What is sent is queued up to queue_max bytes; a
 * connection that would exceed it is ended (reason CONN_SLOW), so nothing
 * grows.  Buffers exist only while they are needed.
 */
enum conn_end {
	CONN_EOF,    /* the other side closed */
	CONN_ERROR,  /* errno says what */
	CONN_GARBAGE, /* no frame of ours */
	CONN_DENIED, /* a frame that this peer may not send */
	CONN_SLOW    /* its queue was full */
};

struct conn;

struct conn_ops {
	/*
	 * One whole frame.  fds that came with it are in fds[0..fds_len-1];
	 * the callback owns them (sets taken ones to -1; the rest is closed).
	 */
	void (*frame)(struct conn *c, const struct wire_msg *m, int *fds,
	    size_t fds_len);
	/* The connection has ended and is closed; c may be reused. */
	void (*end)(struct conn *c, enum conn_end why);
	/* All that was queued has left.  Must not free c.  May be NULL. */
	void (*idle)(struct conn *c);
	/*
	 * Is the frame what its sender sealed?  tail: the tail_size bytes
	 * behind it.  Asked before anything in the frame is looked at; false
	 * ends the connection (CONN_DENIED).  NULL where nothing is sealed.
	 */
	bool (*check)(struct conn *c, const uint8_t *frame, size_t size,
	    const uint8_t *tail);
};

struct conn {
	struct loop *loop;
	struct watch watch;
	const struct conn_ops *ops;
	void *arg;
	unsigned senders; /* what the peer may be: enum wire_sender */
	size_t frame_max, queue_max;
	size_t tail_size; /* behind each frame; the callback may set it */
	uint8_t *in, *out;
	size_t in_size, in_used, out_size, out_at, out_used;
	uint64_t sent; /* the turn in which something was sent at once */
	int fds[SOCK_FDS_MAX]; /* came with the byte in[fds_at] */
	size_t fds_len, fds_at;
	bool open;
	bool dead;  /* ends in the loop, for `why` */
	bool deaf;  /* takes nothing more; what it still said is read */
	bool *gone; /* while a callback runs: whether it closed us */
	enum conn_end why;
	int error; /* errno of CONN_ERROR */
	struct {
		size_t at, end; /* the frame's place in out */
		int fds[SOCK_FDS_MAX];
		size_t len;
	} pass; /* descriptors to go out with the byte at `at` */
};

/* Once, before the first use. */
void conn_init(struct conn *c, struct loop *l, const struct conn_ops *ops,
    void *arg);
/*
 * Takes over a connected, non-blocking socket.  frame_max and queue_max in
 * bytes.  -1 with errno (loop full, no memory); the socket is then closed.
 */
int conn_open(struct conn *c, int fd, unsigned senders, size_t frame_max,
    size_t queue_max);
/*
 * Ends it without a callback; what is queued gets one last try.  No-op when
 * it is not open.  Any callback may call it, and may then free c.
 */
void conn_close(struct conn *c);
/* Would conn_send() take a frame? */
bool conn_is_open(const struct conn *c);
/*
 * Queues (or sends at once) a whole frame: the first of a turn goes at once,
 * those behind it together.  -1 when the connection is not open or has just
 * ended for this; the end callback then comes from the loop, after the frames
 * that the peer had sent before it went away.
 */
int conn_send(struct conn *c, const void *frame, size_t size);
/*
 * The same with descriptors that ride on the frame's first byte; they are
 * closed here once sent, or with the connection.  On -1 they stay the
 * caller's.  Only one such frame may be queued at a time: another one is -1
 * with EBUSY, and the connection goes on.
 */
int conn_send_fds(struct conn *c, const void *frame, size_t size,
    const int *fds, size_t fds_len);
/* Bytes queued and not sent yet. */
size_t conn_queued(const struct conn *c);

#endif
