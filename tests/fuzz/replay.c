/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

/*
 * Runs the files given as arguments through the fuzz target that it is
 * linked with, without a fuzzing engine, and prints TAP.  An input that fails
 * aborts: the last comment names it.  No files are a plan of 0 tests.
 */

#define INPUT_MAX ((size_t)4 << 20)

/* The file in memory of exactly its size, for the address sanitizer. */
static uint8_t *
load(const char *path, size_t *size)
{
	static uint8_t buf[INPUT_MAX];
	uint8_t *data;
	FILE *f;
	int error;

	f = fopen(path, "rb");
	if (f == NULL)
		return NULL;
	errno = EFBIG; /* when it is neither read badly nor to its end */
	*size = fread(buf, 1, sizeof(buf), f);
	if (ferror(f) || !feof(f)) {
		error = errno;
		(void)fclose(f);
		errno = error;
		return NULL;
	}
	(void)fclose(f);
	data = malloc(*size > 0 ? *size : 1);
	if (data != NULL)
		memcpy(data, buf, *size);
	return data;
}

int
main(int argc, char **argv)
{
	uint8_t *data;
	size_t size = 0;
	int i, failed = 0;

	printf("1..%d\n", argc - 1);
	for (i = 1; i < argc; i++) {
		printf("# %s\n", argv[i]);
		fflush(stdout);
		data = load(argv[i], &size);
		if (data == NULL) {
			printf("not ok %d - %s: %s\n", i, argv[i],
			    strerror(errno));
			failed = 1;
			continue;
		}
		(void)LLVMFuzzerTestOneInput(data, size);
		free(data);
		printf("ok %d - %s\n", i, argv[i]);
	}
	return failed;
}
