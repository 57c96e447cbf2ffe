/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/wire.h"

#include "../unit/frame.h"

/*
 * Writes one valid frame for each message of the table to the directory
 * given as its argument, named like the message, with all the TLVs that it
 * may have.  The seeds of f_wire.c; the same bytes at each run.
 */

static int
store(const char *dir, const char *name, const uint8_t *p, size_t size)
{
	char path[1024];
	FILE *f;
	size_t n;

	n = (size_t)snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (n >= sizeof(path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	f = fopen(path, "wb");
	if (f == NULL)
		return -1;
	n = fwrite(p, 1, size, f);
	return fclose(f) == 0 && n == size ? 0 : -1;
}

/* A SPEC with the two arguments and the environment as its payload. */
static size_t
add_payload(uint8_t *p, size_t size)
{
	static const char payload[] = "/bin/cat\0-u\0PATH=/usr/bin:/bin";

	memcpy(p + size, payload, sizeof(payload));
	set_u32(p + 8, size + sizeof(payload));
	return size + sizeof(payload);
}

int
main(int argc, char **argv)
{
	uint8_t p[WIRE_CONTROL_MAX + 64];
	const struct wire_msg_row *row;
	unsigned t;
	size_t size;

	if (argc != 2) {
		fprintf(stderr, "usage: %s directory\n", argv[0]);
		return 100;
	}
	for (t = 0; t < FRAME_TYPES; t++) {
		row = wire_msg_row(t);
		if (row == NULL)
			continue;
		size = frame_build(p, t, all_tlvs(t), FRAME_TYPICAL);
		if (t == WIRE_SPEC)
			size = add_payload(p, size);
		if (verdict(p, size) != WIRE_OK)
			return 101;
		if (store(argv[1], row->name, p, size) == -1) {
			fprintf(stderr, "%s: %s: %s\n", argv[1], row->name,
			    strerror(errno));
			return 111;
		}
	}
	return 0;
}
