/* SPDX-License-Identifier: ISC */
#ifndef CORE_DOC_H
#define CORE_DOC_H

#include <orcm/types.h>

#include "base/arena.h"
#include "core/picture.h"

/*
 * Documents: what the whole system has one of.  Each has one writer at a
 * time; the highest (quorate, term, version) wins everywhere and a lower one
 * is refused.  A document lies in the picture as records of kind RECORD_DOC:
 * a head and numbered chunks, owned by whoever keeps a copy of it.
 */
enum doc_name {
	DOC_CONFIG = 1, /* what shall run */
	DOC_PLAN,	/* where it shall run */
	DOC_LEADERS,	/* an operator's choices */
	DOC_NAMES
};
#define DOC_SIZE_MAX 65536u
#define DOC_CHUNK 400u /* bytes in each but the last */
#define DOC_CHUNKS_MAX ((DOC_SIZE_MAX + DOC_CHUNK - 1) / DOC_CHUNK)
#define DOC_KEEPERS 2u /* nodes that keep a copy, besides its writer */

struct doc_rank {
	uint64_t term, version;
	bool quorate; /* of the writer, when it wrote; counts most */
};

enum doc_event {
	DOC_IN_WRITE,  /* name, rank, bytes, size: from a local program */
	DOC_IN_RECORD, /* record: kind RECORD_DOC has been told (SYNC_TELL) */
	DOC_IN_OWNERS  /* nodes have come or were forgotten */
};

struct doc_in {
	enum doc_event event;
	enum doc_name name;
	struct doc_rank rank;
	const uint8_t *bytes;
	size_t size;
	const struct picture_record *record;
};

enum doc_verb {
	DOC_APPLY, /* name, rank, bytes, size: this one is valid now */
	DOC_PUT,   /* id, bytes, size: an own record of kind RECORD_DOC */
	DOC_DEL	   /* id */
};

/* bytes are valid until the next call. */
struct doc_out {
	enum doc_verb verb;
	enum doc_name name;
	struct doc_rank rank;
	uint64_t id;
	const uint8_t *bytes;
	size_t size;
};

struct doc_copy {
	bool here, apply; /* apply: is to be told */
	struct doc_rank rank;
	uint64_t hash;
	uint8_t *bytes; /* DOC_SIZE_MAX */
	uint32_t size;
	/* Our own records of it: */
	bool offered;	 /* they shall be there */
	bool head;	 /* there is one, perhaps of a former document */
	bool current;	 /* and it is of this one */
	uint32_t chunks; /* that are there, from 1 on */
	uint32_t next;	 /* chunk to be put */
};

struct doc {
	const struct picture *picture;
	struct doc_copy copies[DOC_NAMES];
	uint8_t *spare; /* DOC_SIZE_MAX */
	uint8_t value[RECORD_VALUE_MAX];
};

size_t doc_memory(void);
void doc_init(struct doc *d, struct arena *a, const struct picture *p);
/* False when what is written is refused: too large, or not higher. */
bool doc_feed(struct doc *d, uint64_t now, const struct doc_in *in);
/*
 * Effects; false when there is none left.  A PUT or DEL is carried out before
 * the next call.  Take all before the next feed.
 */
bool doc_take(struct doc *d, struct doc_out *out);
/* It waits for nothing but events. */
uint64_t doc_due(const struct doc *d);

#endif
