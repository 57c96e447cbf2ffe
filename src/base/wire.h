/* SPDX-License-Identifier: ISC */
#ifndef BASE_WIRE_H
#define BASE_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/wr.h"

/*
 * The frame that UDP, TCP and UNIX sockets share: a 40-byte header, TLVs,
 * and a payload (only SPEC has one).  All numbers are big-endian.
 *
 *	 0  2  magic 0x4F43		16  4  dvm id
 *	 2  1  wire version		20  4  sender: node id << 16 | client
 *	 3  1  message type		24  8  epoch of the sending daemon
 *	 4  2  flags			32  8  counter, or sequence in a stream
 *	 6  2  key id (0: UNIX socket, no MAC)
 *	 8  4  size of the frame, header and payload included
 *	12  4  size of the TLVs
 *
 * A TLV is type (u16), size (u16), value.  Bit 15 of the type marks it as
 * critical: a reader that does not know it refuses the frame; others are
 * skipped.  A TLV that a message does not list is refused.
 */
#define WIRE_MAGIC 0x4F43u
#define WIRE_HEADER 40u
#define WIRE_FRAME_MAX (UINT32_C(1) << 20) /* on streams */
#define WIRE_CONTROL_MAX 2048u /* frames without payload */
#define WIRE_CRITICAL 0x8000u
#define WIRE_TLV_MAX 64 /* numbers are below */

#define WIRE_FLAG_MORE 0x0001u /* another SPEC or HAVE frame follows */
#define WIRE_FLAG_DEAD 0x0002u /* RECORD: a tombstone */
#define WIRE_FLAG_ASK 0x0004u  /* HAVE: tell what you have, too */

enum wire_type {
#define WIRE_MSG(number, NAME, text, senders, needs, may)                      \
	WIRE_##NAME = number,
#include "base/wire.def"
};

enum wire_tlv {
#define WIRE_TLV(number, NAME, text, type, min, max) TLV_##NAME = number,
#include "base/wire.def"
};

enum wire_form {
	WIRE_U8,
	WIRE_U16,
	WIRE_U32,
	WIRE_U64,
	WIRE_STR,
	WIRE_NAME_FORM,
	WIRE_BYTES,
	WIRE_TLVS
};

enum wire_sender {
	WIRE_BY_CLIENT = 1, /* a client of orcm-pnpd */
	WIRE_BY_PNPD = 2,
	WIRE_BY_ORCMD = 4,
	WIRE_BY_CHARGE = 8, /* a process that orcmd keeps */
	WIRE_BY_RUN = 16,   /* the owner of a job */
	WIRE_BY_NODE = 32,  /* orcm-pnpd of another node */
	WIRE_BY_ANY = 63
};

struct wire_tlv_row {
	const char *name;
	enum wire_form form;
	uint16_t min, max;
};

struct wire_msg_row {
	const char *name;
	unsigned senders;
	uint64_t needs, may; /* bit n: TLV n */
};

struct wire_header {
	uint8_t type;
	uint16_t flags, key;
	uint32_t size, tlv_size, dvm, sender;
	uint64_t epoch, counter;
};

/* A checked message; pointers lead into the frame. */
struct wire_msg {
	struct wire_header h;
	uint64_t has; /* bit n: TLV n is there */
	struct {
		const uint8_t *p;
		uint16_t size;
	} tlv[WIRE_TLV_MAX];
	const uint8_t *payload;
	size_t payload_size;
};

enum wire_verdict {
	WIRE_OK,
	WIRE_SHORT, /* not all there yet: only from wire_frame_size() */
	WIRE_BAD,   /* magic, version, sizes, TLV forms: nothing may be used */
	WIRE_DENIED /* well formed, but this peer may not send it */
};

/* NULL for a number that is not in the table. */
const struct wire_msg_row *wire_msg_row(unsigned number);
const struct wire_tlv_row *wire_tlv_row(unsigned number);

/*
 * Looks at the first size bytes of a stream: WIRE_OK and the frame's whole
 * size in *frame, WIRE_SHORT when the header is not complete, WIRE_BAD when
 * no frame of at most max bytes can begin like this.
 */
enum wire_verdict wire_frame_size(const uint8_t *p, size_t size, size_t max,
    uint32_t *frame);
/* Checks one whole frame against the table; senders: what the peer may be. */
enum wire_verdict wire_parse(struct wire_msg *m, const uint8_t *p, size_t size,
    unsigned senders);
/* The value inside a VALUE TLV, indexed like a message's TLVs. */
enum wire_verdict wire_parse_value(struct wire_msg *m, const uint8_t *p,
    size_t size);

bool wire_has(const struct wire_msg *m, enum wire_tlv t);
/* 0 when it is not there. */
uint64_t wire_num(const struct wire_msg *m, enum wire_tlv t);
/*
 * Copies text into out[size], NUL ended; "" when it is not there.  size must
 * be larger than the TLV's maximum.
 */
void wire_str(const struct wire_msg *m, enum wire_tlv t, char *out,
    size_t size);

/*
 * Begins a frame in out[size] and leaves w behind the header; wire_end()
 * closes it and returns its whole size, or 0 when it did not fit.
 * payload_size bytes are counted but have to be sent by the caller.
 */
void wire_begin(struct wr *w, void *out, size_t size,
    const struct wire_header *h);
size_t wire_end(struct wr *w, size_t payload_size);

#endif
