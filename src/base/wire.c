/* SPDX-License-Identifier: ISC */
#include <string.h>

#include <orcm/version.h>

#include "base/name.h"
#include "base/rd.h"
#include "base/require.h"
#include "base/wire.h"

/*
 * Frames in and out, by the table in wire.def.  Every byte that comes from a
 * peer passes wire_frame_size() (how much to wait for) and wire_parse() (is
 * it a message that this peer may send), and behind them nobody checks a
 * size, a form or the presence of a needed TLV again.  Meaning is not looked
 * at here: a rank beyond the job's size is a matter of whoever knows the job.
 *
 * A parsed message points into the frame; nothing is copied or kept, and no
 * byte outside of the given size is read.  What is refused leaves an empty
 * message behind.
 */

/* The words in the table's type column. */
#define FORM_U8 WIRE_U8
#define FORM_U16 WIRE_U16
#define FORM_U32 WIRE_U32
#define FORM_U64 WIRE_U64
#define FORM_STR WIRE_STR
#define FORM_NAME WIRE_NAME_FORM
#define FORM_BYTES WIRE_BYTES
#define FORM_TLVS WIRE_TLVS

static const struct wire_tlv_row tlv_rows[WIRE_TLV_MAX] = {
#define WIRE_TLV(number, NAME, text, type, min_size, max_size)                 \
	[number] = {                                                           \
		.name = text,                                                  \
		.form = FORM_##type,                                           \
		.min = min_size,                                               \
		.max = max_size,                                               \
	},
#include "base/wire.def"
};

#define WIRE_TLV(number, NAME, text, type, min, max)                           \
	_Static_assert(number > 0 && number < WIRE_TLV_MAX,                    \
	    "a TLV's number is a bit of a uint64_t");                          \
	_Static_assert(min <= max && max <= WIRE_CONTROL_MAX - WIRE_HEADER,    \
	    "a TLV fits into a frame");
#include "base/wire.def"

#define T(X) (UINT64_C(1) << TLV_##X)
static const struct wire_msg_row msg_rows[] = {
#define WIRE_MSG(number, NAME, text, by, must, can)                            \
	[number] = {                                                           \
		.name = text,                                                  \
		.senders = by,                                                 \
		.needs = must,                                                 \
		.may = can,                                                    \
	},
#include "base/wire.def"
};
#undef T

#define MSGS_LEN (sizeof(msg_rows) / sizeof(msg_rows[0]))

_Static_assert(MSGS_LEN <= 256, "a message's number is one byte");

/* Where the sizes stand that wire_end() fills in. */
#define AT_SIZE 8
#define AT_TLV_SIZE 12

const struct wire_msg_row *
wire_msg_row(unsigned number)
{
	if (number >= MSGS_LEN || msg_rows[number].name == NULL)
		return NULL;
	return &msg_rows[number];
}

const struct wire_tlv_row *
wire_tlv_row(unsigned number)
{
	if (number >= WIRE_TLV_MAX || tlv_rows[number].name == NULL)
		return NULL;
	return &tlv_rows[number];
}

static uint64_t
bit(unsigned number)
{
	return UINT64_C(1) << number;
}

/* Do the sizes fit each other and the frame's type? */
static bool
sizes_ok(const struct wire_header *h)
{
	if (h->size < WIRE_HEADER || h->size > WIRE_FRAME_MAX)
		return false;
	if (h->tlv_size > WIRE_CONTROL_MAX - WIRE_HEADER)
		return false;
	if (h->tlv_size > h->size - WIRE_HEADER)
		return false;
	return h->type == WIRE_SPEC || h->size == WIRE_HEADER + h->tlv_size;
}

/* p has at least WIRE_HEADER bytes. */
static bool
read_header(struct wire_header *h, const uint8_t *p)
{
	struct rd r;
	uint16_t magic;
	uint8_t version;

	rd_init(&r, p, WIRE_HEADER);
	magic = rd_u16(&r);
	version = rd_u8(&r);
	h->type = rd_u8(&r);
	h->flags = rd_u16(&r);
	h->key = rd_u16(&r);
	h->size = rd_u32(&r);
	h->tlv_size = rd_u32(&r);
	h->dvm = rd_u32(&r);
	h->sender = rd_u32(&r);
	h->epoch = rd_u64(&r);
	h->counter = rd_u64(&r);
	REQUIRE(rd_done(&r));
	return magic == WIRE_MAGIC && version == ORCM_WIRE_VERSION &&
	    sizes_ok(h);
}

enum wire_verdict
wire_frame_size(const uint8_t *p, size_t size, size_t max, uint32_t *frame)
{
	static const uint8_t start[] = {
		WIRE_MAGIC >> 8,
		WIRE_MAGIC & 0xff,
		ORCM_WIRE_VERSION,
	};
	struct wire_header h;
	size_t i;

	/* Who speaks another language may never send a header's worth. */
	for (i = 0; i < sizeof(start) && i < size; i++)
		if (p[i] != start[i])
			return WIRE_BAD;
	if (max < WIRE_HEADER)
		return WIRE_BAD;
	if (size < WIRE_HEADER)
		return WIRE_SHORT;
	if (!read_header(&h, p) || h.size > max)
		return WIRE_BAD;
	*frame = h.size;
	return WIRE_OK;
}

/* One line of text; bytes from 0x80 on belong to UTF-8. */
static bool
text_ok(const uint8_t *p, size_t size)
{
	size_t i;

	for (i = 0; i < size; i++)
		if (p[i] < 0x20 || p[i] == 0x7f)
			return false;
	return true;
}

static bool
form_ok(const struct wire_tlv_row *row, const uint8_t *p, size_t size)
{
	if (size < row->min || size > row->max)
		return false;
	switch (row->form) {
	case WIRE_STR:
		return text_ok(p, size);
	case WIRE_NAME_FORM:
		return name_ok((const char *)p, size);
	case WIRE_U8:
	case WIRE_U16:
	case WIRE_U32:
	case WIRE_U64:
	case WIRE_BYTES:
	case WIRE_TLVS: /* checked when it is opened: wire_parse_value() */
		break;
	}
	return true;
}

/* Reads TLVs up to the end; listed: which of those we know may be there. */
static bool
read_tlvs(struct wire_msg *m, const uint8_t *p, size_t size, uint64_t listed)
{
	const struct wire_tlv_row *row;
	struct rd r;
	unsigned type, number;
	uint16_t value_size;

	rd_init(&r, p, size);
	while (rd_left(&r) > 0) {
		type = rd_u16(&r);
		value_size = rd_u16(&r);
		p = rd_bytes(&r, value_size);
		if (rd_bad(&r))
			return false;
		number = type & ~WIRE_CRITICAL;
		row = wire_tlv_row(number);
		if (row == NULL) {
			if ((type & WIRE_CRITICAL) != 0)
				return false;
			continue;
		}
		if ((listed & bit(number)) == 0 || !form_ok(row, p, value_size))
			return false;
		listed &= ~bit(number); /* a second one is refused */
		m->has |= bit(number);
		m->tlv[number].p = p;
		m->tlv[number].size = value_size;
	}
	return rd_done(&r);
}

static enum wire_verdict
parse(struct wire_msg *m, const uint8_t *p, size_t size, unsigned senders)
{
	const struct wire_msg_row *row;

	if (size < WIRE_HEADER || !read_header(&m->h, p) || m->h.size != size)
		return WIRE_BAD;
	row = wire_msg_row(m->h.type);
	if (row == NULL)
		return WIRE_BAD;
	p += WIRE_HEADER;
	if (!read_tlvs(m, p, m->h.tlv_size, row->needs | row->may))
		return WIRE_BAD;
	if ((m->has & row->needs) != row->needs)
		return WIRE_BAD;
	m->payload = p + m->h.tlv_size;
	m->payload_size = size - WIRE_HEADER - m->h.tlv_size;
	return (row->senders & senders) != 0 ? WIRE_OK : WIRE_DENIED;
}

enum wire_verdict
wire_parse(struct wire_msg *m, const uint8_t *p, size_t size, unsigned senders)
{
	enum wire_verdict v;

	memset(m, 0, sizeof(*m));
	v = parse(m, p, size, senders);
	if (v == WIRE_BAD)
		memset(m, 0, sizeof(*m));
	return v;
}

enum wire_verdict
wire_parse_value(struct wire_msg *m, const uint8_t *p, size_t size)
{
	memset(m, 0, sizeof(*m));
	if (read_tlvs(m, p, size, UINT64_MAX))
		return WIRE_OK;
	memset(m, 0, sizeof(*m));
	return WIRE_BAD;
}

bool
wire_has(const struct wire_msg *m, enum wire_tlv t)
{
	return (m->has & bit(t)) != 0;
}

uint64_t
wire_num(const struct wire_msg *m, enum wire_tlv t)
{
	const struct wire_tlv_row *row = wire_tlv_row(t);
	uint64_t v = 0;
	size_t i;

	REQUIRE(row != NULL && row->form <= WIRE_U64);
	if (!wire_has(m, t))
		return 0;
	for (i = 0; i < m->tlv[t].size; i++)
		v = v << 8 | m->tlv[t].p[i];
	return v;
}

void
wire_str(const struct wire_msg *m, enum wire_tlv t, char *out, size_t size)
{
	const struct wire_tlv_row *row = wire_tlv_row(t);
	size_t len = 0;

	REQUIRE(row != NULL);
	REQUIRE(row->form == WIRE_STR || row->form == WIRE_NAME_FORM);
	REQUIRE(size > row->max);
	if (wire_has(m, t)) {
		len = m->tlv[t].size;
		memcpy(out, m->tlv[t].p, len);
	}
	out[len] = '\0';
}

void
wire_begin(struct wr *w, void *out, size_t size, const struct wire_header *h)
{
	wr_init(w, out, size);
	wr_u16(w, WIRE_MAGIC);
	wr_u8(w, ORCM_WIRE_VERSION);
	wr_u8(w, h->type);
	wr_u16(w, h->flags);
	wr_u16(w, h->key);
	wr_u32(w, 0); /* both sizes: wire_end() */
	wr_u32(w, 0);
	wr_u32(w, h->dvm);
	wr_u32(w, h->sender);
	wr_u64(w, h->epoch);
	wr_u64(w, h->counter);
}

size_t
wire_end(struct wr *w, size_t payload_size)
{
	size_t size = wr_size(w);

	if (wr_bad(w) || size > WIRE_CONTROL_MAX ||
	    payload_size > WIRE_FRAME_MAX - size)
		return 0;
	wr_patch_u32(w, AT_SIZE, (uint32_t)(size + payload_size));
	wr_patch_u32(w, AT_TLV_SIZE, (uint32_t)(size - WIRE_HEADER));
	return size + payload_size;
}
