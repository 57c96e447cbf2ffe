/* SPDX-License-Identifier: ISC */
/*
 * orcm-sim: one node and one job in virtual time, with faults, one run for a
 * seed.  Each run is made twice and must come out the same.  It stops at the
 * first invariant that does not hold and prints the seed and what led to it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <orcm/version.h>

#include "base/num.h"
#include "sim/sim.h"

enum { EXIT_GOOD, EXIT_FAILED, EXIT_WRONG_USE = 100, EXIT_NO_MEMORY = 111 };

static void
usage(void)
{
	fprintf(stderr, "usage: orcm-sim [-Vcv] [-n replicas] [-P program] "
	    "[-r runs] [-s seed] [-t ms]\n");
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
	printf("ok %" PRIu64 " seeds\n", runs);
	return fflush(stdout) == 0 ? EXIT_GOOD : EXIT_NO_MEMORY;
}

int
main(int argc, char **argv)
{
	static struct sim *s; /* lives as long as the program */
	uint64_t seed = 1, runs = 1;
	int c;

	s = sim_new();
	if (s == NULL) {
		fprintf(stderr, "orcm-sim: out of memory\n");
		return EXIT_NO_MEMORY;
	}
	while ((c = getopt(argc, argv, "P:Vcn:r:s:t:v")) != -1)
		switch (c) {
		case 'P':
			s->kind = kind_of(optarg);
			break;
		case 'V':
			printf("orcm-sim %s\n", ORCM_VERSION);
			return fflush(stdout) == 0 ? EXIT_GOOD : EXIT_NO_MEMORY;
		case 'c':
			s->broken = true;
			break;
		case 'n':
			s->ranks = (uint32_t)number(c, 1, SIM_RANKS);
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
	if (optind != argc)
		usage();
	return run_all(s, seed, runs);
}
