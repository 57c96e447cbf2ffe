/* SPDX-License-Identifier: ISC */
#ifndef PNPD_PNPD_H
#define PNPD_PNPD_H

#include <orcm/types.h>

#include "base/arena.h"
#include "base/ring.h"
#include "base/wr.h"
#include "core/picture.h"
#include "lib/client.h"
#include "lib/daemon.h"
#include "pnpd/dvm.h"

/* What the files of orcm-pnpd share. */
#define CLIENTS_MAX    320u
#define RECORDS_MAX    8192u
#define TOMBSTONES_MAX 8u
#define HISTORY_SIZE   16384u /* bytes of events kept for orcm-events */
#define EVENT_MAX      512u   /* the longest EVENT frame */
#define QUEUE_MAX      (UINT32_C(1) << 20)
#define HELLO_TIME     (2 * ORCM_SECOND)
#define KEEPS_MAX      16u /* roles that records can outlive */

enum { WRITER_SELF = 1, WRITER_ORCMD, WRITER_LEADERD, WRITER_CLIENT = 16 };

struct pnpd;

struct peer {
	struct pnpd *p;
	struct conn conn;
	struct timer late; /* HELLO must have come by then */
	bool used, hello, synced, settled;
	uint32_t kinds, writer;
	pid_t pid;
	char role[ORCM_NAME_MAX + 1], name[ORCM_NAME_MAX + 1];
};

struct pnpd {
	struct daemon d;
	struct arena arena;
	struct picture picture;
	struct dvm dvm;
	struct peer *peers;
	struct ring past; /* events: size (u16, host order), frame; repeated */
	uint32_t past_len;
	struct watch listen;
	struct timer again; /* accepts again when descriptors ran out */
	struct timer end;
	uint64_t epoch;
	uint32_t next_writer;
	uint64_t event_seq; /* of our own events */
	uint64_t end_by; /* leave then, come what may */
};

/* orcm-pnpd.c */
/* The next life is one beyond that epoch.  -1, and it is logged. */
int pnpd_keep_epoch(struct pnpd *p, uint64_t epoch);

/* events.c: what happened, kept for a while */
/* Of a client of ours (n NULL) or of another node's. */
void pnpd_event(struct pnpd *p, const struct node *n, const struct wire_msg *m);
/* An event of our own, for this node's clients. */
void pnpd_say(struct pnpd *p, const char *name, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* The events that are kept, to a new subscriber. */
void pnpd_history(struct pnpd *p, struct peer *c);
/* Those of our clients, to a node. */
void pnpd_history_to(struct pnpd *p, struct node *n);

/* orders.c: orders and their replies, to clients and nodes */
/* It came from a client (c) or from a node (n). */
void pnpd_order(struct pnpd *p, struct peer *c, struct node *n,
    const struct wire_msg *m);
void pnpd_reply(struct pnpd *p, const struct wire_msg *m);

/* records.c: the picture and who hears of it. */
void pnpd_begin(const struct pnpd *p, struct wr *w, uint8_t *frame,
    enum wire_type type, uint16_t flags);
void pnpd_send(struct peer *c, struct wr *w, uint8_t *frame);
void pnpd_refuse(struct peer *c, uint32_t code, const char *text);
/* Begins a RECORD frame in frame[WIRE_CONTROL_MAX]. */
void pnpd_record(const struct pnpd *p, const struct picture_record *r,
    struct wr *w, uint8_t *frame);
/* Every client that wants its kind hears of it. */
void pnpd_tell_record(struct pnpd *p, const struct picture_record *r);
/* A record of ours has changed: all clients and nodes hear of it. */
void pnpd_tell(struct pnpd *p, uint32_t at);
void pnpd_del_own(struct pnpd *p, uint8_t kind, uint64_t id);
void pnpd_put_own(struct pnpd *p, uint8_t kind, uint64_t id,
    const uint8_t *value, size_t size);
void pnpd_put(struct pnpd *p, struct peer *c, const struct wire_msg *m);
void pnpd_sub(struct pnpd *p, struct peer *c, const struct wire_msg *m);

#endif
