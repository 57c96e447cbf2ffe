/* SPDX-License-Identifier: ISC */
#ifndef SIM_SIM_H
#define SIM_SIM_H

#include <orcm/leader.h>
#include <orcm/types.h>

#include "base/arena.h"
#include "base/hash.h"
#include "base/heap.h"
#include "base/rand.h"
#include "base/ring.h"
#include "core/job.h"
#include "core/keep.h"
#include "core/lead.h"
#include "core/picture.h"

/*
 * One node with one job in virtual time, out of one seed: the cores of the
 * programs inside, everything that would be the operating system made up.
 * The parts, one file each: sim (time, events, trace), net (connections,
 * timers, deaths), client, pnpd, orcmd, leaderd, keeper, prog (programs and
 * pipes), owner and flow (orcm-run's two halves), fault, plan (what a seed
 * draws), check (what must always hold), prompt (what must happen soon).
 */
#define SIM_RANKS 5u
#define SIM_KEEPERS 24u
#define SIM_CONNS 96u
#define SIM_EVENTS 8192u
#define SIM_QUEUE 512u /* messages on their way in one direction */
#define SIM_PIPES 192u /* a sleeping owner lets those of many lives wait */
#define SIM_PIPE 65536u
#define SIM_TRACE 50u
#define SIM_TIMERS 3u
#define SIM_NOTHING UINT32_MAX
#define SIM_STRAY_STATUS 3u /* of a program that fails now and then */
#define SIM_JOB UINT64_C(0x4a0b0000)

enum sim_actor_id {
	SIM_PNPD,
	SIM_ORCMD,
	SIM_LEADERD,
	SIM_OWNER,
	SIM_FIRST_KEEPER,
	SIM_ACTORS = SIM_FIRST_KEEPER + SIM_KEEPERS
};

enum sim_type {
	SIM_HELLO, /* value: what is subscribed */
	SIM_WELCOME,
	SIM_RECORD,
	SIM_SYNCED,
	SIM_PUT,
	SIM_DEL,
	SIM_SETTLED,
	SIM_CHARGE, /* id, incarnation, pid, state, value: status */
	SIM_RUN,
	SIM_SIGNAL, /* value */
	SIM_END,
	SIM_STARTED, /* incarnation, pid, value: pipes */
	SIM_FAILED,  /* incarnation, value: why it cannot run */
	SIM_ENDED,   /* incarnation, value: status */
	SIM_ATTACH,  /* id, incarnation */
	SIM_SPEC,
	SIM_TYPES
};

struct sim_msg {
	enum sim_type type;
	uint8_t kind;
	bool dead;
	uint64_t id;
	uint32_t incarnation, pid, state, value, keeper;
	uint16_t size;
	uint8_t bytes[RECORD_VALUE_MAX];
};

enum sim_event_type {
	SIM_EV_MSG,   /* a: connection, b: end, c: serial */
	SIM_EV_EOF,   /* likewise: the other end is closed */
	SIM_EV_TIMER, /* a: actor, b: timer */
	SIM_EV_MAIN,  /* a: actor, c: life: it begins */
	SIM_EV_CHILD, /* a: actor, b: pid, c: life, value: status */
	SIM_EV_PROG,  /* a: actor, c: serial of the program */
	SIM_EV_OWNER, /* something about a pipe */
	SIM_EV_INPUT, /* the producer writes */
	SIM_EV_SINK,  /* the reader reads */
	SIM_EV_FAULT  /* a: kind */
};

struct sim_event {
	struct heap_node node; /* first: a node is its event */
	enum sim_event_type type;
	uint32_t a, b, value;
	uint64_t c;
	struct sim_msg msg;
	uint32_t next; /* in the free list */
};

struct sim_end {
	uint32_t actor;
	bool open;
	uint64_t last;	 /* when what was sent to it last arrives */
	uint32_t queued; /* on its way to it */
};

struct sim_conn {
	bool used;
	uint64_t serial;
	struct sim_end end[2];
};

struct sim_actor {
	bool alive;
	uint64_t life; /* grows at each birth */
	uint64_t asleep; /* until then nothing reaches it */
	uint32_t pid;
	struct sim_event *timers[SIM_TIMERS]; /* NULL: not set */
};

struct sim_client {
	uint32_t actor, conn, kinds;
	bool up, speaks;
	unsigned tries;
};

/* orcm-pnpd */
struct sim_peer {
	bool used;
	uint32_t conn, kinds, writer;
};

struct sim_pnpd {
	struct picture picture;
	void *memory;
	size_t memory_size;
	uint64_t epoch; /* kept on disk */
	uint32_t next_writer;
	struct sim_peer peers[8];
};

/* orcmd */
struct sim_orcmd {
	struct keep keep;
	void *memory;
	size_t memory_size;
	struct sim_client client;
	struct {
		bool used;
		uint32_t conn, pid;
		uint64_t id;
	} charges[SIM_KEEPERS * 2];
	bool feeding;
};

struct sim_leaderd {
	struct lead lead;
	void *memory;
	size_t memory_size;
	struct sim_client client;
};

struct sim_pipe {
	bool used, read_open, write_open;
	struct ring ring;
	uint8_t buf[SIM_PIPE];
};

enum sim_kind {
	SIM_CAT,      /* a byte for a byte */
	SIM_FILTER,   /* more bytes than it reads */
	SIM_LAST,     /* writes only at the end of its input */
	SIM_SOURCE,   /* reads nothing */
	SIM_BYTES,    /* a byte at a time */
	SIM_STRANGER, /* as cat, but one rank writes another text */
	SIM_HASTY,    /* ends before it has read everything */
	SIM_KINDS
};

struct sim_prog {
	bool alive, waking, eof;
	bool stopped; /* by our signal */
	bool hung;    /* by somebody else */
	uint64_t serial;
	uint32_t pid, in, out; /* pipes */
	uint64_t in_pos, out_pos;
};

enum sim_keeper_state { SIM_WAITS, SIM_RUNS, SIM_ENDED_STATE };

struct sim_keeper {
	uint32_t rank, incarnation, status, error;
	enum sim_keeper_state state;
	uint32_t owner, charge; /* connections */
	unsigned tries;
	uint64_t parent; /* life of the orcmd that spawned it */
	struct sim_prog prog;
};

struct sim_rep {
	uint32_t conn, in, out; /* connection and pipes */
	uint32_t keeper;
};

struct sim_owner {
	struct feed feed;
	struct splice splices[SIM_RANKS];
	struct job job;
	struct sim_client client;
	struct sim_rep reps[SIM_RANKS];
	void *memory;
	bool published, over, waking, read_eof;
	uint32_t code;
	enum job_want want;
	uint32_t signal;
	enum job_restart restart;
	uint64_t input; /* bytes that the producer has written */
	bool input_eof;
	uint64_t sink; /* bytes in the pipe of our stdout */
	bool sink_closed;
};

enum sim_fault {
	SIM_KILL_PROG,
	SIM_KILL_KEEPER,
	SIM_EXIT_PROG, /* it ends by itself, with another status */
	SIM_KILL_ALL,
	SIM_STOP_PROG,
	SIM_HANG, /* the leader's program stops, for good */
	SIM_KILL_PNPD,
	SIM_KILL_ORCMD,
	SIM_KILL_LEADERD,
	SIM_KILL_DAEMONS, /* the three at once */
	SIM_KILL_NODE,	  /* and all keepers with them */
	SIM_SLEEP, /* a daemon, a keeper or the owner gets no processor */
	SIM_CANNOT_RUN,
	SIM_KILL_OWNER,
	SIM_JITTER, /* a message is late now and then */
	SIM_SLOW_SINK,
	SIM_USER_STOP,
	SIM_USER_PAUSE,
	SIM_READER_GOES,
	SIM_FAULTS
};

/* What the seed has drawn for this run. */
struct sim_plan {
	uint32_t ranks;
	enum sim_kind kind;
	const char *policy;
	const struct orcm_leader_ops *ops;
	uint32_t argument;
	uint64_t input_size, output_size;
	uint64_t window, keep;
	uint64_t history, mark; /* of the splice; 0: as in orcm-run */
	uint64_t input_every, input_piece; /* mean ns, most bytes */
	uint64_t sink_every, sink_piece, sink_cap;
	uint64_t sink_slow; /* so many times slower while there are faults */
	uint64_t step_every, chunk; /* of a program */
	uint64_t pipe;
	uint32_t status; /* that a program ends with */
	uint32_t budget;
	bool strict, deaf; /* deaf: SIGTERM is ignored */
	bool leader_only;
	bool daemons_only; /* no fault but those of daemons, none early */
	enum job_restart restart;
	enum job_rule rule;
	uint64_t limit; /* ns that the job may take, or ORCM_NEVER */
	uint32_t stranger;
	uint64_t wrong; /* where the stranger's text differs */
	uint64_t every[SIM_FAULTS]; /* mean ns between two; 0: never */
	uint64_t faults_end;
};

/* What was seen, for the checks. */
struct sim_seen {
	bool started[SIM_RANKS];
	uint32_t incarnation[SIM_RANKS], deaths[SIM_RANKS];
	uint64_t delivered[SIM_RANKS]; /* one stream, or one a rank */
	uint64_t epoch;
	struct record_lead claim;
	bool failed[SIM_RANKS]; /* it could not be run */
	uint32_t reports, counts[SIM_FAULTS];
	/* Since when, or 0: nothing disturbs; the leader cannot go on. */
	uint64_t calm, headless, stuck, missing[SIM_RANKS];
	bool stop_asked, owner_killed;
	uint64_t over_at;
};

struct sim_trace {
	uint64_t t, a, b, c;
	const char *what;
};

struct sim {
	/* As the caller wants it. */
	uint64_t seed;
	uint32_t ranks;	  /* 0: drawn */
	uint32_t kind;	  /* SIM_KINDS: drawn */
	uint64_t virtual; /* ns with faults; 0: drawn */
	bool verbose, broken; /* broken: a check that must fail */
	/* Time. */
	struct rand rand;
	uint64_t now;
	struct heap heap;
	struct heap_node *nodes[SIM_EVENTS];
	struct sim_event *events; /* SIM_EVENTS */
	uint32_t events_free, events_len;
	uint64_t steps;
	struct hash hash;
	struct sim_trace trace[SIM_TRACE];
	uint32_t trace_len;
	const char *failed; /* the invariant that does not hold, or NULL */
	/* The world. */
	uint64_t serial;
	uint32_t next_pid;
	struct sim_conn conns[SIM_CONNS];
	struct sim_actor actors[SIM_ACTORS];
	struct sim_pnpd pnpd;
	struct sim_orcmd orcmd;
	struct sim_leaderd leaderd;
	struct sim_keeper keepers[SIM_KEEPERS];
	struct sim_owner owner;
	struct sim_pipe *pipes; /* SIM_PIPES */
	struct sim_plan plan;
	struct sim_seen seen;
	bool faults; /* they still happen */
};

/* sim.c */
struct sim *sim_new(void);
/* One run of one seed.  False when an invariant does not hold. */
bool sim_run(struct sim *s, uint64_t seed);
uint64_t sim_hash(const struct sim *s);
/* The invariant and the last lines of the trace, on stdout. */
void sim_print_failure(const struct sim *s);
const char *sim_kind_name(uint32_t kind);

void sim_note(struct sim *s, const char *what, uint64_t a, uint64_t b,
    uint64_t c);
void sim_fail(struct sim *s, const char *invariant);
struct sim_event *sim_event(struct sim *s, enum sim_event_type type,
    uint64_t due);
/* It will not happen, or has happened: its place is free. */
void sim_event_free(struct sim *s, struct sim_event *e);
/* Uniform in 0..most; exponential with that mean. */
uint64_t sim_upto(struct sim *s, uint64_t most);
uint64_t sim_mean(struct sim *s, uint64_t mean);
bool sim_chance(struct sim *s, uint32_t percent);
/* How long a message or a wake-up takes now. */
uint64_t sim_delay(struct sim *s);

/* net.c */
uint32_t sim_connect(struct sim *s, uint32_t from, uint32_t to);
void sim_send(struct sim *s, uint32_t conn, uint32_t actor,
    const struct sim_msg *m);
void sim_close(struct sim *s, uint32_t conn, uint32_t actor);
void sim_arrive(struct sim *s, const struct sim_event *e);
void sim_timer(struct sim *s, uint32_t actor, uint32_t timer, uint64_t due);
void sim_born(struct sim *s, uint32_t actor);
/* It gets no processor before then. */
void sim_sleep(struct sim *s, uint32_t actor, uint64_t until);
/* Who would have to run for this to happen, or SIM_NOTHING. */
uint32_t sim_runs(const struct sim *s, const struct sim_event *e);
/* It is gone at once; what it had sent still arrives. */
void sim_die(struct sim *s, uint32_t actor);

/* client.c: timer 0 of its actor is the client's */
void sim_client_start(struct sim *s, struct sim_client *c, uint32_t actor,
    uint32_t kinds);
void sim_client_timer(struct sim *s, struct sim_client *c);
void sim_client_msg(struct sim *s, struct sim_client *c,
    const struct sim_msg *m);
void sim_client_eof(struct sim *s, struct sim_client *c);
void sim_client_put(struct sim *s, struct sim_client *c, uint8_t kind,
    uint64_t id, const uint8_t *value, size_t size);
void sim_client_del(struct sim *s, struct sim_client *c, uint8_t kind,
    uint64_t id);

/* The programs: born, told, left by a peer, late. */
void sim_pnpd_main(struct sim *s);
void sim_pnpd_msg(struct sim *s, uint32_t conn, const struct sim_msg *m);
void sim_pnpd_eof(struct sim *s, uint32_t conn);

void sim_orcmd_main(struct sim *s);
void sim_orcmd_msg(struct sim *s, uint32_t conn, const struct sim_msg *m);
void sim_orcmd_eof(struct sim *s, uint32_t conn);
void sim_orcmd_timer(struct sim *s, uint32_t timer);
void sim_orcmd_child(struct sim *s, uint32_t pid, uint32_t status);
void sim_orcmd_record(struct sim *s, const struct sim_msg *m);
void sim_orcmd_synced(struct sim *s);
void sim_orcmd_publish(struct sim *s);
void sim_orcmd_down(struct sim *s);

void sim_leaderd_main(struct sim *s);
void sim_leaderd_record(struct sim *s, const struct sim_msg *m);
void sim_leaderd_synced(struct sim *s);
void sim_leaderd_publish(struct sim *s);
void sim_leaderd_down(struct sim *s);

void sim_keeper_spawn(struct sim *s, uint64_t id, uint32_t incarnation);
void sim_keeper_main(struct sim *s, uint32_t actor);
void sim_keeper_msg(struct sim *s, uint32_t actor, uint32_t conn,
    const struct sim_msg *m);
void sim_keeper_eof(struct sim *s, uint32_t actor, uint32_t conn);
void sim_keeper_timer(struct sim *s, uint32_t actor, uint32_t timer);
void sim_keeper_child(struct sim *s, uint32_t actor, uint32_t status);
/* KILL from outside, or status: how it exits by itself. */
void sim_keeper_exit(struct sim *s, uint32_t actor, uint32_t status);

struct sim_keeper *sim_keeper(struct sim *s, uint32_t actor);

/* prog.c */
uint32_t sim_pipe_new(struct sim *s);
void sim_pipe_close(struct sim *s, uint32_t pipe, bool read_end);
void sim_prog_start(struct sim *s, uint32_t actor);
/* It dies; what it wrote stays in its pipe. */
void sim_prog_end(struct sim *s, uint32_t actor, uint32_t status);
void sim_prog_signal(struct sim *s, uint32_t actor, uint32_t sig);
void sim_prog_wake(struct sim *s, uint32_t actor);
void sim_prog_step(struct sim *s, const struct sim_event *e);
/* Who has this pipe as an end of his? */
void sim_pipe_wake_prog(struct sim *s, uint32_t pipe);
uint8_t sim_input_byte(const struct sim *s, uint64_t at);
uint8_t sim_text_byte(const struct sim *s, uint32_t rank, uint64_t at);

/* owner.c */
void sim_owner_main(struct sim *s);
void sim_owner_end(struct sim *s);
void sim_owner_killed(struct sim *s);
void sim_owner_msg(struct sim *s, uint32_t conn, const struct sim_msg *m);
void sim_owner_eof(struct sim *s, uint32_t conn);
void sim_owner_timer(struct sim *s, uint32_t timer);
void sim_owner_record(struct sim *s, const struct sim_msg *m);
void sim_owner_publish(struct sim *s);
void sim_owner_feed(struct sim *s, const struct job_in *in);
void sim_owner_rank(struct sim *s, enum job_event event, uint32_t rank,
    uint32_t incarnation, uint32_t value);
/* The end of a turn of its loop. */
void sim_owner_turn(struct sim *s);
void sim_owner_signal(struct sim *s, uint32_t rank, uint32_t sig);

/* flow.c */
void sim_flow_wake(struct sim *s);
void sim_flow_io(struct sim *s);
void sim_flow_pump(struct sim *s);
void sim_flow_produce(struct sim *s);
void sim_flow_consume(struct sim *s);
void sim_flow_close_in(struct sim *s, uint32_t rank);
void sim_flow_close_out(struct sim *s, uint32_t rank);
void sim_flow_drop_out(struct sim *s, uint32_t rank);

/* fault.c */
void sim_fault_begin(struct sim *s);
void sim_fault_hit(struct sim *s, uint32_t kind);

/* plan.c */
void sim_plan_draw(struct sim *s);

/* prompt.c */
void sim_prompt_look(struct sim *s);

/* check.c */
void sim_check_started(struct sim *s, uint32_t rank, uint32_t incarnation);
void sim_check_claim(struct sim *s, const struct record_lead *r);
void sim_check_delivered(struct sim *s, uint32_t stream, const uint8_t *p,
    uint64_t from, size_t n);
void sim_check_report(struct sim *s, const struct splice_out *o);
void sim_check_event(struct sim *s);
void sim_check_exit(struct sim *s);
bool sim_check_clean(const struct sim *s);

#endif
