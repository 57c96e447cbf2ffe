/* SPDX-License-Identifier: ISC */
#ifndef LIB_CLIENT_H
#define LIB_CLIENT_H

#include <orcm/types.h>
#include <orcm/version.h>

#include "base/wire.h"
#include "sys/conn.h"
#include "sys/loop.h"
#include "sys/path.h"

/*
 * The one client of orcm-pnpd that all our programs share: publishes own
 * records, hears others', sends and gets orders and events.  It connects
 * again whenever the connection is lost, and everything that must not be
 * lost is said again then: publish() puts all own records, and the last
 * events are repeated (receivers drop what they have).
 */
#define CLIENT_EVENTS     32u /* the last ones are kept to be repeated */
#define CLIENT_EVENT_TEXT 160u
#define CLIENT_SUB_EVENTS UINT32_C(1) /* beside RECORD_BIT(kind) */

struct client;

/* A record of the picture, as it was told to us. */
struct client_record {
	uint8_t kind;
	uint64_t id, epoch, seq;
	uint16_t owner;
	bool dead;
	const uint8_t *value;
	size_t value_size;
};

/* Something that happened.  (pid, seq) tells repeats apart. */
struct client_event {
	uint64_t time_ms, seq;
	uint32_t pid;
	uint32_t rank; /* or ORCM_RANK_NONE */
	char role[ORCM_NAME_MAX + 1];
	char name[ORCM_NAME_MAX + 1]; /* start, exit, leader, ... */
	char job[ORCM_NAME_MAX + 1];  /* or "" */
	char text[CLIENT_EVENT_TEXT]; /* values, blank between them; or "" */
};

enum client_verb { ORDER_STOP = 1, ORDER_SHUTDOWN = 2 };

struct client_order {
	uint64_t id;
	char to[ORCM_NAME_MAX + 1]; /* a role, or "owner" of the job */
	enum client_verb verb;
	char job[ORCM_NAME_MAX + 1]; /* or "" */
	uint32_t signal;
};

/* Any of these may be NULL. */
struct client_ops {
	void (*up)(struct client *c); /* connected, node is known */
	void (*record)(struct client *c, const struct client_record *r);
	void (*synced)(struct client *c);  /* all that there was is told */
	void (*publish)(struct client *c); /* next: put all own records */
	void (*event)(struct client *c, const struct client_event *e);
	void (*order)(struct client *c, const struct client_order *o);
	void (*reply)(
	    struct client *c, uint64_t id, uint32_t code, const char *text);
	void (*down)(struct client *c); /* lost; it tries again by itself */
	void (*refused)(struct client *c, const char *text);
};

struct client {
	struct loop *loop;
	const struct client_ops *ops;
	void *arg;
	char path[PATH_ROOM];
	const char *role, *name;
	char node[ORCM_NAME_MAX + 1]; /* of the daemon; "" until up */
	uint16_t number; /* of that node: the owner of what it writes */
	uint64_t node_epoch;
	uint32_t pnpd_pid;
	uint32_t kinds; /* what is subscribed */
	struct conn conn;
	struct timer retry;
	unsigned tries;
	bool up, started;
	bool speaks;  /* all is heard: what is put from now on is sent */
	bool settled; /* what we have has been told */
	uint64_t event_seq;
	uint32_t events_len, events_at;
	struct client_event *events; /* CLIENT_EVENTS, NULL: sends none */
};

/*
 * role and name stay the caller's.  events: room for CLIENT_EVENTS, or NULL
 * for a client that reports none.
 */
void client_init(struct client *c, struct loop *l, const struct client_ops *ops,
    void *arg, const char *role, const char *name, struct client_event *events);
/* Begins to connect to RUN/pnpd.sock, and goes on until client_stop(). */
int client_start(struct client *c, const char *run, uint32_t kinds);
void client_stop(struct client *c);
bool client_up(const struct client *c);
/* One attempt now instead of at the next retry. */
void client_hurry(struct client *c);

/* While it is down these say nothing: publish() will. */
void client_put(struct client *c, uint8_t kind, uint64_t id,
    const uint8_t *value, size_t size);
void client_del(struct client *c, uint8_t kind, uint64_t id);
/* Reported now, or as soon as there is a connection.  job may be NULL. */
void client_say(struct client *c, const char *name, const char *job,
    uint32_t rank, const char *fmt, ...) __attribute__((format(printf, 5, 6)));
/* False when it could not be sent. */
bool client_order(struct client *c, const struct client_order *o);
void
client_reply(struct client *c, uint64_t id, uint32_t code, const char *text);

#endif
