/* SPDX-License-Identifier: ISC */
#ifndef LIB_CHARGE_H
#define LIB_CHARGE_H

#include "sys/conn.h"
#include "sys/loop.h"
#include "sys/path.h"

/*
 * A charge is a process that orcmd keeps: a daemon, or the keeper of one
 * replica.  It holds a connection to RUN/orcmd.sock; each end knows by it at
 * once that the other has died.  A charge connects again for as long as it
 * lives, and says who it is each time, so a new orcmd adopts it.
 */
struct charge;

struct charge_ops {
	/* Connected: send CHARGE now, with charge_send(). */
	void (*up)(struct charge *c);
	void (*frame)(struct charge *c, const struct wire_msg *m);
	void (*down)(struct charge *c);
};

struct charge {
	struct loop *loop;
	const struct charge_ops *ops;
	void *arg;
	char path[PATH_ROOM];
	struct conn conn;
	struct timer retry;
	unsigned tries;
	bool started;
};

void charge_init(
    struct charge *c, struct loop *l, const struct charge_ops *ops, void *arg);
int charge_start(struct charge *c, const char *run);
void charge_stop(struct charge *c);
bool charge_up(const struct charge *c);
/* False when there is no connection. */
bool charge_send(struct charge *c, const void *frame, size_t size);

#endif
