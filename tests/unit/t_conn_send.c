/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>

#include "conn_side.h"
#include "tap.h"

static void
large_frame_goes_through(void)
{
	struct side a, b;
	struct conn ca, cb;
	size_t size = make_big(1, PAYLOAD);
	unsigned n;

	open_two(&a, &ca, &b, &cb);
	ca.queue_max = sizeof(big);
	ok(conn_send(&ca, big, size) == 0, "sent");
	for (n = 0; n < 100 && b.frames == 0; n++)
		turn();
	ok(b.frames == 1 && b.payload == PAYLOAD, "arrived as it was");
	turn();
	ok(ca.out == NULL && cb.in == NULL, "no memory while idle");
	ok(n >= 4, "in several turns (%u)", n);
	conn_close(&ca);
	conn_close(&cb);
	loop_free(&loop);
}

static void
frame_larger_than_the_queue_may_not_fit(void)
{
	struct side s;
	struct conn c;
	int peer = open_one(&s, &c), room = 16384;
	size_t size = make_big(1, PAYLOAD);

	setsockopt(c.watch.fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	ok(conn_send(&c, big, size) == -1 && errno == ENOBUFS, "refused");
	turn();
	ok(s.ends == 1 && s.why == CONN_SLOW, "and the connection has ended");
	close(peer);
	loop_free(&loop);
}

/* Reads whole frames from a bare descriptor; how many, in order from 1. */
static unsigned
drain(int fd, unsigned *next)
{
	static uint8_t bytes[1 << 18];
	int fds[SOCK_FDS_MAX];
	size_t used = 0, at, fds_len;
	struct wire_msg m;
	ssize_t n;
	unsigned wrong = 0;

	while ((n = sock_recv(fd, bytes + used, sizeof(bytes) - used, fds,
	    &fds_len)) > 0)
		used += (size_t)n;
	for (at = 0; at + WIRE_HEADER <= used; at += WIRE_HEADER) {
		if (wire_parse(&m, bytes + at, WIRE_HEADER, WIRE_BY_ANY) !=
		    WIRE_OK || m.h.counter != ++*next)
			wrong++;
	}
	return wrong + (at != used);
}

static void
first_goes_at_once_others_together(void)
{
	struct side s;
	struct conn c;
	int peer = open_one(&s, &c);
	uint8_t frame[WIRE_HEADER];
	unsigned i, got = 0, wrong;

	turn();
	for (i = 1; i <= 5; i++)
		conn_send(&c, frame, make_frame(frame, sizeof(frame), i));
	wrong = drain(peer, &got);
	ok(wrong == 0 && got == 1, "one is there before the turn ends");
	is_u64(conn_queued(&c), 4 * sizeof(frame), "the others are queued");
	turn();
	wrong = drain(peer, &got);
	ok(wrong == 0 && got == 5, "all are there after it");
	ok(conn_queued(&c) == 0 && c.out == NULL, "no memory while idle");
	is_u64(s.idle, 1, "and that is told once");
	conn_send(&c, frame, make_frame(frame, sizeof(frame), 6));
	conn_send(&c, frame, make_frame(frame, sizeof(frame), 7));
	conn_close(&c);
	wrong = drain(peer, &got);
	ok(wrong == 0 && got == 7, "close sends what it can");
	close(peer);
	loop_free(&loop);
}

/* Sends until nothing more goes out; how many frames. */
static unsigned
fill_queue(struct conn *c)
{
	uint8_t frame[WIRE_HEADER];
	unsigned sent = 0;

	while (conn_queued(c) < QUEUE_MAX / 2 && sent < 1000000) {
		sent++;
		conn_send(c, frame, make_frame(frame, sizeof(frame), sent));
		if (sent % 100 == 0)
			turn();
	}
	turns(3);
	return sent;
}

static void
queue_waits_for_its_reader(void)
{
	struct side s;
	struct conn c;
	int peer = open_one(&s, &c);
	uint8_t frame[WIRE_HEADER];
	unsigned i, got = 0, wrong = 0, sent = fill_queue(&c), idle;

	ok(conn_queued(&c) > 0, "the socket is full after %u", sent);
	idle = s.idle;
	turn();
	is_u64(s.idle, idle, "not idle");
	for (i = 0; i < 1000 && got < sent; i++) {
		wrong += drain(peer, &got);
		if (sent % 3 == 0)
			conn_send(&c, frame,
			    make_frame(frame, sizeof(frame), ++sent));
		turn();
	}
	ok(wrong == 0 && got == sent, "all came, in order");
	ok(conn_queued(&c) == 0 && c.out == NULL && c.out_size == 0,
	    "no memory while idle");
	ok(s.idle > idle, "and that is told");
	conn_close(&c);
	close(peer);
	loop_free(&loop);
}

static void
slow_reader_is_ended_from_the_loop(void)
{
	struct side s;
	struct conn c;
	int peer = open_one(&s, &c);
	uint8_t frame[WIRE_HEADER];
	size_t size = make_frame(frame, sizeof(frame), 1);
	unsigned sent = 0;

	put(peer, 1, 3);
	while (conn_send(&c, frame, size) == 0 && sent < 1000000)
		sent++;
	ok(errno == ENOBUFS && sent * size >= QUEUE_MAX,
	    "refused after %u frames", sent);
	ok(s.ends == 0 && !conn_is_open(&c), "not open, no callback yet");
	ok(conn_send(&c, frame, size) == -1 && errno == ENOTCONN, "nor now");
	turn();
	ok(s.ends == 1 && s.why == CONN_SLOW && s.frames == 0,
	    "the end comes from the loop");
	close(peer);
	loop_free(&loop);
}

static void
send_five(struct side *s)
{
	uint8_t frame[WIRE_HEADER];
	unsigned i;

	for (i = 0; i < 5; i++)
		conn_send(s->c, frame, make_frame(frame, sizeof(frame), 1));
}

static void
last_words_are_heard(void)
{
	struct side s;
	struct conn c;
	int peer = open_one(&s, &c);
	uint8_t frame[WIRE_HEADER];
	size_t size = make_frame(frame, sizeof(frame), 1);

	turn();
	put(peer, 1, 20);
	close(peer);
	ok(conn_send(&c, frame, size) == -1 && errno == EPIPE,
	    "the peer has gone");
	ok(!conn_is_open(&c) && s.ends == 0, "not open, no callback yet");
	turns(4);
	ok(s.frames == 20 && s.in_order && s.ends == 1 && s.why == CONN_EOF,
	    "what it had said is heard first");
	loop_free(&loop);

	peer = open_one(&s, &c);
	s.then = send_five;
	put(peer, 1, 20);
	close(peer);
	turns(4);
	ok(s.frames == 20 && s.ends == 1, "also when the answers fail");
	loop_free(&loop);

	peer = open_one(&s, &c);
	turn();
	shutdown(peer, SHUT_RD);
	ok(conn_send(&c, frame, size) == -1, "a peer that only talks");
	turns(2);
	ok(s.ends == 1 && s.why == CONN_ERROR && s.error == EPIPE,
	    "is ended too");
	close(peer);
	loop_free(&loop);
}

/* A pipe whose write end is passed; a byte in it proves that it came. */
static int
probe(int fd[2])
{
	if (pipe(fd) == -1)
		abort();
	fcntl(fd[0], F_SETFL, O_NONBLOCK);
	return fd[1];
}

static bool
probed(int fd)
{
	char byte;
	bool good = read(fd, &byte, 1) == 1 && read(fd, &byte, 1) == 0;

	close(fd);
	return good;
}

static void
descriptors_come_with_their_frame(void)
{
	struct side a, b;
	struct conn ca, cb;
	uint8_t frame[WIRE_HEADER];
	int fd[2], fds[3];
	uint64_t i, with;
	unsigned wrong = 0;
	bool large;

	for (with = 1; with <= 40; with++) {
		open_two(&a, &ca, &b, &cb);
		ca.queue_max = sizeof(big) + 4000;
		large = with % 4 == 0;
		for (i = 1; i <= 40; i++) {
			size_t size = make_frame(frame, sizeof(frame), i);

			if (i != with) {
				wrong += conn_send(&ca, frame, size) != 0;
				continue;
			}
			fds[0] = probe(fd);
			fds[1] = dup(fd[1]);
			fds[2] = dup(fd[1]);
			if (large)
				size = make_big(i, PAYLOAD);
			wrong += conn_send_fds(&ca, large ? big : frame, size,
			    fds, 3) != 0;
		}
		for (i = 0; i < 100 && b.frames < 40; i++)
			turn();
		wrong += b.frames != 40 || !b.in_order || b.fds_len != 3 ||
		    b.fds_frame != with;
		conn_close(&ca);
		conn_close(&cb);
		wrong += !probed(fd[0]);
		loop_free(&loop);
	}
	is_u64(wrong, 0, "wrong frames or descriptors");
}

static void
only_one_frame_with_descriptors_is_queued(void)
{
	struct side s;
	struct conn c;
	int peer = open_one(&s, &c), fd[2], again[2], end;
	uint8_t frame[WIRE_HEADER];
	size_t size = make_frame(frame, sizeof(frame), 1);

	fill_queue(&c);
	end = probe(fd);
	ok(conn_send_fds(&c, frame, size, &end, 1) == 0, "the first");
	end = probe(again);
	ok(conn_send_fds(&c, frame, size, &end, 1) == -1 && errno == EBUSY,
	    "the second is EBUSY");
	ok(conn_is_open(&c), "the connection goes on");
	close(end);
	conn_close(&c);
	close(peer);
	end = (int)read(fd[0], frame, 1);
	is_u64((uint64_t)end, 0, "closed with the connection");
	close(fd[0]);
	close(again[0]);
	loop_free(&loop);
}

int
main(void)
{
	int before = lowest_free();

	alarm(120);
	large_frame_goes_through();
	frame_larger_than_the_queue_may_not_fit();
	first_goes_at_once_others_together();
	queue_waits_for_its_reader();
	slow_reader_is_ended_from_the_loop();
	last_words_are_heard();
	descriptors_come_with_their_frame();
	only_one_frame_with_descriptors_is_queued();
	is_u64((uint64_t)lowest_free(), (uint64_t)before, "no descriptor lost");
	return done_testing();
}
