/* SPDX-License-Identifier: ISC */
/*
 * orcm-sim: one node and one job in virtual time, or with -N many nodes and
 * their membership; with faults, one run for a seed.  Each run is made twice
 * and must come out the same.  It stops at the first invariant that does not
 * hold and prints the seed and what led to it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <orcm/version.h>

#include "base/num.h"
#include "sim/mesh.h"
#include "sim/sim.h"

enum { EXIT_GOOD, EXIT_FAILED, EXIT_WRONG_USE = 100, EXIT_NO_MEMORY = 111 };

static void
usage(void)
{
	fprintf(stderr, "usage: orcm-sim [-Vcv] [-n replicas] [-P program] "
	    "[-r runs] [-s seed] [-t ms]\n"
	    "       orcm-sim -N nodes [-cv] [-r runs] [-s seed] [-t ms]\n");
	exit(EXIT_WRONG_USE);
}

static uint32_t
kind_of(const char *name)
{
	uint32_t kind;

	for (kind = 0; kind < SIM_KINDS; kind++)
		if (strcmp(sim_kind_name(kind), name) == 0)
			return kind;
	fprintf(stderr, "orcm-sim: -P %s: one of", name);
	for (kind = 0; kind < SIM_KINDS; kind++)
		fprintf(stderr, " %s", sim_kind_name(kind));
	fprintf(stderr, "\n");
	exit(EXIT_WRONG_USE);
}

static uint64_t
number(int option, uint64_t least, uint64_t most)
{
	uint64_t v;

	if (num_u64(optarg, least, most, &v))
		return v;
	fprintf(stderr, "orcm-sim: -%c %s: a number from %" PRIu64 " to %"
		PRIu64 "\n", option, optarg, least, most);
	exit(EXIT_WRONG_USE);
}

/* The same seed once more, silently: has everything come out alike? */
static bool
runs_alike(struct sim *s, uint64_t seed)
{
	uint64_t hash = sim_hash(s);
	bool verbose = s->verbose;

	s->verbose = false;
	(void)sim_run(s, seed);
	s->verbose = verbose;
	return sim_hash(s) == hash;
}

/* How the same is seen once more, from its beginning. */
static void
print_again(const struct sim *s)
{
	printf("again: orcm-sim -%sv", s->broken ? "c" : "");
	if (s->ranks != 0)
		printf(" -n %" PRIu32, s->ranks);
	if (s->kind < SIM_KINDS)
		printf(" -P %s", sim_kind_name(s->kind));
	if (s->virtual != 0)
		printf(" -t %" PRIu64, s->virtual / ORCM_MS);
	printf(" -s %" PRIu64 "\n", s->seed);
}

static int
good(uint64_t runs)
{
	printf("ok %" PRIu64 " seeds\n", runs);
	return fflush(stdout) == 0 ? EXIT_GOOD : EXIT_NO_MEMORY;
}

static int
run_all(struct sim *s, uint64_t seed, uint64_t runs)
{
	uint64_t i;

	for (i = 0; i < runs; i++) {
		if (!sim_run(s, seed + i)) {
			sim_print_failure(s);
			print_again(s);
			return EXIT_FAILED;
		}
		if (!runs_alike(s, seed + i)) {
			printf("FAIL determinism seed=%" PRIu64 "\n",
			    seed + i);
			print_again(s);
			return EXIT_FAILED;
		}
	}
	return good(runs);
}

static bool
mesh_runs_alike(struct mesh *w, uint64_t seed)
{
	uint64_t hash = mesh_hash(w);
	bool verbose = w->verbose;

	w->verbose = false;
	(void)mesh_run(w, seed);
	w->verbose = verbose;
	return mesh_hash(w) == hash;
}

static void
mesh_print_again(const struct mesh *w)
{
	printf("again: orcm-sim -%sv -N %" PRIu32, w->broken ? "c" : "",
	    w->want_nodes);
	if (w->virtual != 0)
		printf(" -t %" PRIu64, w->virtual / ORCM_MS);
	printf(" -s %" PRIu64 "\n", w->seed);
}

static int
mesh_run_all(struct mesh *w, uint64_t seed, uint64_t runs)
{
	uint64_t i;

	for (i = 0; i < runs; i++) {
		if (!mesh_run(w, seed + i))
			mesh_print_failure(w);
		else if (!mesh_runs_alike(w, seed + i))
			printf("FAIL determinism seed=%" PRIu64 "\n",
			    seed + i);
		else
			continue;
		mesh_print_again(w);
		return EXIT_FAILED;
	}
	return good(runs);
}

/* Many nodes instead of one job. */
static int
mesh_main(const struct sim *options, uint32_t nodes, uint64_t seed,
    uint64_t runs)
{
	struct mesh *w = mesh_new();
	int status;

	if (w == NULL) {
		fprintf(stderr, "orcm-sim: out of memory\n");
		return EXIT_NO_MEMORY;
	}
	w->want_nodes = nodes;
	w->virtual = options->virtual;
	w->verbose = options->verbose;
	w->broken = options->broken;
	status = mesh_run_all(w, seed, runs);
	mesh_free(w);
	return status;
}

int
main(int argc, char **argv)
{
	static struct sim *s; /* lives as long as the program */
	uint64_t seed = 1, runs = 1;
	bool mesh = false, job = false;
	uint32_t nodes = 0;
	int c;

	s = sim_new();
	if (s == NULL) {
		fprintf(stderr, "orcm-sim: out of memory\n");
		return EXIT_NO_MEMORY;
	}
	while ((c = getopt(argc, argv, "N:P:Vcn:r:s:t:v")) != -1)
		switch (c) {
		case 'N':
			nodes = (uint32_t)number(c, 0, MESH_NODES);
			mesh = true;
			break;
		case 'P':
			s->kind = kind_of(optarg);
			job = true;
			break;
		case 'V':
			printf("orcm-sim %s\n", ORCM_VERSION);
			return fflush(stdout) == 0 ? EXIT_GOOD : EXIT_NO_MEMORY;
		case 'c':
			s->broken = true;
			break;
		case 'n':
			s->ranks = (uint32_t)number(c, 1, SIM_RANKS);
			job = true;
			break;
		case 'r':
			runs = number(c, 1, 1000000000);
			break;
		case 's':
			seed = number(c, 0, UINT64_MAX >> 1);
			break;
		case 't':
			s->virtual = number(c, 1, 3600000) * ORCM_MS;
			break;
		case 'v':
			s->verbose = true;
			break;
		default:
			usage();
		}
	if (optind != argc || (mesh && job))
		usage();
	if (mesh)
		return mesh_main(s, nodes, seed, runs);
	return run_all(s, seed, runs);
}
