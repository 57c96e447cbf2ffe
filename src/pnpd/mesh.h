/* SPDX-License-Identifier: ISC */
#ifndef PNPD_MESH_H
#define PNPD_MESH_H

#include <orcm/types.h>

#include "base/wr.h"
#include "core/auth.h"
#include "sys/conn.h"
#include "sys/net.h"
#include "sys/netfault.h"

/*
 * The other nodes of the DVM and the ways to them: datagrams on each link,
 * and one TCP connection (a line) to each.  Between two nodes the one with
 * the higher number connects.
 */
#define NODES_MAX 128u
#define LINKS_MAX 4u
#define GUESTS_MAX 64u	/* lines whose other end has not proven itself */
#define GUESTS_OF_HOST 4u
#define LINES_MAX (NODES_MAX + GUESTS_MAX)
#define MEET_TIME (2 * ORCM_SECOND)
#define LINE_QUEUE (UINT32_C(4) << 20)

struct mesh;
struct line;

struct node {
	bool used;
	uint16_t number;
	bool forget; /* gone for good: its records shall go */
	char name[ORCM_NAME_MAX + 1];
	struct net_addr addrs[LINKS_MAX]; /* size 0: not on that link */
	struct line *line; /* the one that is up, or NULL */
	struct line *trial; /* we are connecting, or NULL */
};

struct line {
	struct mesh *m;
	bool used, up;
	struct node *node; /* NULL until a guest has proven who it is */
	struct net_addr from;
	struct conn conn;
	struct watch connecting;
	struct timer late; /* it must be up by then */
	struct auth_stream stream;
};

struct mesh_ops {
	/* A line to that node is up. */
	void (*up)(struct mesh *m, struct node *n);
	/* It has ended; epoch: the life that it was with. */
	void (*down)(struct mesh *m, struct node *n, uint64_t epoch);
	/* All that was queued there has left. */
	void (*idle)(struct mesh *m, struct node *n);
	/* A connection was tried and refused: the host is up. */
	void (*refused)(struct mesh *m, struct node *n);
	void (*frame)(struct mesh *m, struct node *n,
	    const struct wire_msg *msg);
};

struct mesh {
	struct loop *loop;
	const struct mesh_ops *ops;
	void *arg;
	struct auth *auth;
	const struct netfault *fault;
	struct node *nodes; /* NODES_MAX */
	struct line *lines; /* LINES_MAX */
	struct watch listen[LINKS_MAX];
	struct net_addr addrs[LINKS_MAX]; /* our own */
	struct timer again; /* accepts again when descriptors ran out */
	unsigned links;
	uint64_t refused; /* connections that did not prove themselves */
};

/* nodes[NODES_MAX] and lines[LINES_MAX] are the caller's, zeroed. */
void mesh_init(struct mesh *m, struct loop *l, const struct mesh_ops *ops,
    void *arg, struct auth *auth, const struct netfault *fault,
    struct node *nodes, struct line *lines);
/* Listens on each link's address.  -1 with errno; *bad is the one. */
int mesh_listen(struct mesh *m, unsigned *bad);
void mesh_end(struct mesh *m);

/* NULL: none of that number; for mesh_add(): there are NODES_MAX. */
struct node *mesh_node(struct mesh *m, uint16_t number);
struct node *mesh_add(struct mesh *m, uint16_t number, const char *name);
/* One attempt, unless there is a line or an attempt already. */
void mesh_connect(struct mesh *m, struct node *n);
/* Ends the line without a word to ops. */
void mesh_hang_up(struct node *n);
/*
 * Seals the frame in w and sends it.  False when there is no line, or it has
 * just ended.
 */
bool mesh_send(struct node *n, struct wr *w, uint8_t *frame, size_t room);
/* The same for a whole frame, which stays as it is. */
bool mesh_pass(struct node *n, const uint8_t *frame, size_t size);
/* Bytes that wait to be sent. */
size_t mesh_queued(const struct node *n);

#endif
