/* SPDX-License-Identifier: ISC */
#include <errno.h>

#include "conn_side.h"
#include "tap.h"

static void
frames_arrive_and_leave_no_buffer(void)
{
	struct side s;
	struct conn c;
	int peer = open_one(&s, &c);

	put(peer, 1, 3);
	turn();
	ok(s.frames == 3 && s.in_order, "three frames in order");
	turn();
	ok(c.in == NULL && c.out == NULL, "no memory while idle");
	ok(conn_is_open(&c) && conn_queued(&c) == 0, "open, nothing queued");
	close(peer);
	turn();
	ok(s.ends == 1 && s.why == CONN_EOF && !conn_is_open(&c), "the end");
	conn_close(&c);
	ok(conn_send(&c, s.frame, sizeof(s.frame)) == -1 && errno == ENOTCONN,
	    "nothing can be sent to it");
	loop_free(&loop);
}

static void
frame_arrives_byte_by_byte(void)
{
	struct side s;
	struct conn c;
	int peer = open_one(&s, &c);
	uint8_t frame[WIRE_HEADER];
	size_t i, early = 0, size = make_frame(frame, sizeof(frame), 1);

	for (i = 0; i < size; i++) {
		early += s.frames;
		sock_send(peer, frame + i, 1, NULL, 0);
		turn();
	}
	ok(early == 0 && s.frames == 1 && s.in_order, "once it is whole");
	sock_send(peer, frame, 10, NULL, 0);
	close(peer);
	turns(2);
	ok(s.frames == 1 && s.why == CONN_EOF, "half a frame is none");
	loop_free(&loop);
}

/* A frame with a tail of 16 bytes; the number of bytes. */
static size_t
make_sealed(uint8_t *out, uint64_t counter)
{
	size_t size = make_frame(out, WIRE_HEADER, counter);

	memset(out + size, (uint8_t)(counter + 1), 16);
	return size + 16;
}

static void
seal_now(struct side *s)
{
	s->c->tail_size = 16;
}

static void
sealed_frames_are_checked(void)
{
	struct side s;
	struct conn c;
	int peer = open_one(&s, &c);
	uint8_t bytes[8 * (WIRE_HEADER + 16)];
	size_t i, size = make_frame(bytes, sizeof(bytes), 1);

	s.then = seal_now;
	for (i = 2; i <= 4; i++)
		size += make_sealed(bytes + size, i);
	sock_send(peer, bytes, size - 1, NULL, 0);
	turns(2);
	ok(s.frames == 3 && s.in_order, "from the frame on that says so");
	sock_send(peer, bytes + size - 1, 1, NULL, 0);
	turn();
	ok(s.frames == 4 && s.in_order, "a frame comes with its whole seal");
	size = make_sealed(bytes, 5);
	size += make_sealed(bytes + size, 6);
	bytes[size - 1] ^= 1;
	size += make_sealed(bytes + size, 7);
	sock_send(peer, bytes, size, NULL, 0);
	turns(2);
	ok(s.frames == 5 && s.in_order, "nothing from a broken seal on");
	ok(s.ends == 1 && s.why == CONN_DENIED && c.in == NULL, "the end");
	close(peer);
	loop_free(&loop);
}

static void
one_turn_has_a_limit(void)
{
	struct side s;
	struct conn c;
	int peer = open_one(&s, &c);

	put(peer, 1, 40);
	turn();
	is_u64(s.frames, 16, "frames in the first turn");
	turn();
	is_u64(s.frames, 32, "and the second");
	turn();
	ok(s.frames == 40 && s.in_order, "and the third");
	put(peer, 41, 60);
	close(peer);
	turns(3);
	ok(s.frames == 60 && s.in_order && s.ends == 1,
	    "all of them before the end");
	loop_free(&loop);
}

static void
memory_grows_with_bytes_not_claims(void)
{
	struct side s;
	struct conn c;
	int peer = open_one(&s, &c);

	make_big(1, PAYLOAD);
	sock_send(peer, big, 5000, NULL, 0);
	turns(3);
	ok(c.in_used == 5000 && c.in_size < 10000, "%zu bytes for 5000",
	    c.in_size);
	close(peer);
	turns(2);
	ok(s.ends == 1 && c.in == NULL, "given back at the end");
	loop_free(&loop);
}

/* What ends a connection, and why, by the bytes that its peer sends. */
static void
ends_for(const uint8_t *bytes, size_t size, enum conn_end why,
    const char *what)
{
	struct side s;
	struct conn c;
	int peer = open_one(&s, &c);

	c.frame_max = 1000;
	put(peer, 1, 1);
	sock_send(peer, bytes, size, NULL, 0);
	turns(2);
	ok(s.frames == 1 && s.ends == 1 && s.why == why, "%s", what);
	close(peer);
	loop_free(&loop);
}

static void
bad_frames_end_it(void)
{
	uint8_t frame[128];
	struct wire_header h;
	struct wr w;
	size_t size;

	ends_for((const uint8_t *)"GET / HTTP/1.0\r\n\r\n", 18, CONN_GARBAGE,
	    "another protocol");
	size = make_frame(frame, sizeof(frame), 2);
	frame[15] = 1; /* TLVs that are not there */
	ends_for(frame, size, CONN_GARBAGE, "a wrong frame");
	memset(&h, 0, sizeof(h));
	h.type = WIRE_SYNCED;
	wire_begin(&w, frame, sizeof(frame), &h);
	wr_tlv_u32(&w, TLV_KINDS, 1);
	size = wire_end(&w, 0);
	ends_for(frame, size, CONN_DENIED, "one that the peer may not send");
	make_big(2, 2000);
	ends_for(big, 100, CONN_GARBAGE, "one that is too large");
}

static void
close_me(struct side *s)
{
	conn_close(s->c);
	conn_close(s->c);
}

static void
free_me(struct side *s)
{
	conn_close(s->c);
	memset(s->c, 0x5a, sizeof(*s->c));
	free(s->c);
	s->c = NULL;
}

static void
reopen_me(struct side *s)
{
	int fd[2];

	s->then = NULL;
	conn_close(s->c);
	if (sock_pair(fd) == -1)
		abort();
	put(fd[1], s->last + 1, s->last + 1);
	conn_open(s->c, fd[0], WIRE_BY_CLIENT, WIRE_FRAME_MAX, QUEUE_MAX);
	close(fd[1]);
}

static void
close_other(struct side *s)
{
	conn_close(s->other->c);
}

static void
callback_may_close(void)
{
	struct side s, other;
	struct conn c, oc;
	struct conn *own = malloc(sizeof(*own));
	int peer, fd[2];

	peer = open_one(&s, &c);
	s.then = close_me;
	put(peer, 1, 5);
	turns(2);
	ok(s.frames == 1 && s.ends == 0, "closed: no frame, no end any more");
	close(peer);
	loop_free(&loop);

	peer = open_one(&s, own);
	s.then = free_me;
	put(peer, 1, 5);
	turns(2);
	ok(s.frames == 1 && s.ends == 0, "closed and freed");
	close(peer);
	loop_free(&loop);

	peer = open_one(&s, &c);
	s.then = reopen_me;
	put(peer, 1, 5);
	turns(4);
	ok(s.frames == 2 && s.last == 2 && s.ends == 1,
	    "closed and reopened: the new one's frames");
	close(peer);
	loop_free(&loop);

	/* Both are ready; whoever comes first closes the other. */
	peer = open_one(&s, &c);
	if (sock_pair(fd) == -1)
		abort();
	side_open(&other, &oc, fd[0]);
	s.then = other.then = close_other;
	s.other = &other;
	other.other = &s;
	put(peer, 1, 1);
	put(fd[1], 1, 1);
	turns(2);
	ok(s.frames + other.frames == 1 && s.ends + other.ends == 0,
	    "one closes the other");
	conn_close(&c);
	conn_close(&oc);
	close(fd[1]);
	close(peer);
	loop_free(&loop);
}

static void
full_loop_closes_the_socket(void)
{
	struct side s, t;
	struct conn c, d;
	int fd[2], more[2], bytes;

	if (loop_init(&loop, 1, 1) == -1 || sock_pair(fd) == -1 ||
	    sock_pair(more) == -1)
		abort();
	side_open(&s, &c, fd[0]);
	side_init(&t, &d);
	ok(conn_open(&d, more[0], WIRE_BY_ANY, 1000, 1000) == -1 &&
	    errno == ENOBUFS, "no place in the loop");
	ok(read(more[1], &bytes, 1) == 0, "the socket is closed");
	ok(!conn_is_open(&d), "it is not open");
	conn_close(&d);
	conn_close(&c);
	close(fd[1]);
	close(more[1]);
	loop_free(&loop);
}

int
main(void)
{
	int before = lowest_free();

	alarm(120);
	frames_arrive_and_leave_no_buffer();
	frame_arrives_byte_by_byte();
	sealed_frames_are_checked();
	one_turn_has_a_limit();
	memory_grows_with_bytes_not_claims();
	bad_frames_end_it();
	callback_may_close();
	full_loop_closes_the_socket();
	is_u64((uint64_t)lowest_free(), (uint64_t)before, "no descriptor lost");
	return done_testing();
}
