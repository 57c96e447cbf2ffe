/* SPDX-License-Identifier: ISC */
/* holder FILE...: the pid of each one's lock, a line each, 0 for none. */
#include "bench.h"

int
main(int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++)
		printf("%ld\n", (long)holder(argv[i]));
	return 0;
}
