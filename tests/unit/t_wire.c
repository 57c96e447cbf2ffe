/* SPDX-License-Identifier: ISC */
#include <orcm/version.h>

#include "base/wire.h"

#include "aborts.h"
#include "frame.h"
#include "tap.h"

/*
 * The contract of wire.h, field by field.  Every test that is about all
 * messages takes them from the table.  Damaged frames: t_wire_damage.c.
 */

/* The verdict on a STARTED frame with one more TLV behind its own. */
static enum wire_verdict
verdict_with(uint16_t type, const void *value, size_t value_size)
{
	uint8_t p[WIRE_CONTROL_MAX];
	struct wr w;
	size_t size;

	size = frame_build(p, WIRE_STARTED, all_tlvs(WIRE_STARTED),
	    FRAME_TYPICAL);
	wr_init(&w, p + size, sizeof(p) - size);
	wr_tlv(&w, type, value, value_size);
	set_sizes(p, size + wr_size(&w));
	return verdict(p, size + wr_size(&w));
}

static void
the_table_is_sound(void)
{
	const struct wire_msg_row *row;
	unsigned t, n, other, msgs = 0;
	uint64_t known = 0;
	size_t largest;
	bool apart = true, disjoint = true, small = true, listed = true;
	bool sent = true;

	for (n = 0; n < WIRE_TLV_MAX; n++)
		if (wire_tlv_row(n) != NULL)
			known |= tlv_bit(n);
	for (t = 0; t < 300; t++) {
		row = wire_msg_row(t);
		if (row == NULL)
			continue;
		msgs++;
		sent = sent && (row->senders & ~(unsigned)WIRE_BY_ANY) == 0 &&
		    row->senders != 0 && t < FRAME_TYPES;
		disjoint = disjoint && (row->needs & row->may) == 0;
		listed = listed && (all_tlvs(t) & ~known) == 0;
		largest = WIRE_HEADER;
		for (n = 0; n < WIRE_TLV_MAX; n++)
			if ((all_tlvs(t) & tlv_bit(n)) != 0)
				largest += 4u + wire_tlv_row(n)->max;
		small = small && largest <= WIRE_CONTROL_MAX;
		for (other = 0; other < t; other++)
			apart = apart && (wire_msg_row(other) == NULL ||
			    strcmp(wire_msg_row(other)->name, row->name) != 0);
	}
	is_u64(msgs, 32, "32 messages");
	ok(apart, "with different names");
	ok(sent, "and somebody who may send them");
	ok(disjoint, "what is needed is not optional too");
	ok(listed, "and has a row");
	ok(small, "every message fits into WIRE_CONTROL_MAX");
}

static void
tlv_rows_are_sound(void)
{
	const struct wire_tlv_row *row, *old;
	unsigned n, other;
	bool apart = true, sizes = true;

	for (n = 0; n < WIRE_TLV_MAX; n++) {
		row = wire_tlv_row(n);
		if (row == NULL)
			continue;
		if (row->form <= WIRE_U64)
			sizes = sizes && row->min == 1u << row->form &&
			    row->max == row->min;
		for (other = 0; other < n; other++) {
			old = wire_tlv_row(other);
			apart = apart && (old == NULL ||
			    strcmp(old->name, row->name) != 0);
		}
	}
	ok(sizes, "numbers have the size of their form");
	ok(apart, "TLVs have different names");
	ok(wire_tlv_row(0) == NULL && wire_tlv_row(63) == NULL &&
		wire_tlv_row(64) == NULL && wire_tlv_row(UINT32_MAX) == NULL,
	    "other numbers have no row");
	ok(wire_msg_row(0) == NULL && wire_msg_row(13) == NULL &&
		wire_msg_row(40) == NULL && wire_msg_row(UINT32_MAX) == NULL,
	    "nor have other messages");
	is_str(wire_msg_row(WIRE_HELLO)->name, "hello", "a message's name");
	is_str(wire_tlv_row(TLV_TIME)->name, "time-ms", "a TLV's name");
}

static bool
same_header(const struct wire_header *a, unsigned type, size_t size)
{
	const struct wire_header *b = &frame_header;

	return a->type == type && a->size == size &&
	    a->tlv_size == size - WIRE_HEADER && a->flags == b->flags &&
	    a->key == b->key && a->dvm == b->dvm && a->sender == b->sender &&
	    a->epoch == b->epoch && a->counter == b->counter;
}

/* What frame_build() wrote, seen from the parsed message. */
static bool
same_tlvs(const struct wire_msg *m, uint64_t tlvs, enum frame_length length)
{
	uint8_t value[WIRE_CONTROL_MAX];
	size_t size;
	unsigned n;

	if (m->has != tlvs)
		return false;
	for (n = 0; n < WIRE_TLV_MAX; n++) {
		if ((tlvs & tlv_bit(n)) == 0)
			continue;
		size = frame_value_size(n, length);
		frame_value(value, size, n);
		if (m->tlv[n].size != size ||
		    memcmp(m->tlv[n].p, value, size) != 0)
			return false;
	}
	return true;
}

static bool
comes_back(unsigned type, uint64_t tlvs, enum frame_length length)
{
	uint8_t p[WIRE_CONTROL_MAX];
	struct wire_msg m;
	uint32_t frame = 0;
	size_t size;
	unsigned by;

	size = frame_build(p, type, tlvs, length);
	if (size == 0 || wire_frame_size(p, size, size, &frame) != WIRE_OK ||
	    frame != size)
		return false;
	for (by = 0; by <= WIRE_BY_ANY; by++)
		if (wire_parse(&m, p, size, by) !=
			((wire_msg_row(type)->senders & by) != 0 ? WIRE_OK :
			    WIRE_DENIED) ||
		    !frame_holds(&m, p, size, WIRE_OK))
			return false;
	return same_header(&m.h, type, size) && same_tlvs(&m, tlvs, length);
}

static void
what_is_encoded_is_parsed(void)
{
	const struct wire_msg_row *row;
	unsigned t;
	int length;
	bool all;

	for (t = 0; t < FRAME_TYPES; t++) {
		row = wire_msg_row(t);
		if (row == NULL)
			continue;
		all = true;
		for (length = FRAME_SHORTEST; length <= FRAME_LONGEST; length++)
			all = all &&
			    comes_back(t, row->needs,
				(enum frame_length)length) &&
			    comes_back(t, all_tlvs(t),
				(enum frame_length)length);
		ok(all, "%s, from each sender", row->name);
	}
}

static void
each_needed_tlv_is_needed(void)
{
	uint8_t p[WIRE_CONTROL_MAX];
	unsigned t, n;
	size_t size;
	bool all = true;

	for (t = 0; t < FRAME_TYPES; t++)
		for (n = 0; wire_msg_row(t) != NULL && n < WIRE_TLV_MAX; n++) {
			size = frame_build(p, t, all_tlvs(t) & ~tlv_bit(n),
			    FRAME_TYPICAL);
			all = all && (verdict(p, size) == WIRE_BAD) ==
				((wire_msg_row(t)->needs & tlv_bit(n)) != 0);
		}
	ok(all, "without one of them a frame is bad");
}

static void
other_tlvs_are_refused(void)
{
	uint8_t p[WIRE_CONTROL_MAX];
	unsigned t, n;
	size_t size;
	bool all = true;

	for (t = 0; t < FRAME_TYPES; t++)
		for (n = 0; wire_msg_row(t) != NULL && n < WIRE_TLV_MAX; n++) {
			if (wire_tlv_row(n) == NULL)
				continue;
			size = frame_build(p, t,
			    wire_msg_row(t)->needs | tlv_bit(n),
			    FRAME_SHORTEST);
			all = all && (verdict(p, size) == WIRE_OK) ==
				((all_tlvs(t) & tlv_bit(n)) != 0);
		}
	ok(all, "a TLV that the message does not list is bad");
}

static void
unknown_tlvs_are_skipped_unless_critical(void)
{
	static const uint16_t unknown[] = { 0, 62, 63, 64, 65, 255, 256, 0x1000,
		0x7fff };
	uint8_t pid[4] = { 0 };
	size_t i;

	for (i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
		ok(verdict_with(unknown[i], "x", 1) == WIRE_OK, "%u is skipped",
		    unknown[i]);
		ok(verdict_with(unknown[i] | WIRE_CRITICAL, "x", 1) == WIRE_BAD,
		    "%u is critical", unknown[i]);
	}
	ok(verdict_with(TLV_PID, pid, 4) == WIRE_BAD, "a second one is bad");
	ok(verdict_with(TLV_PID | WIRE_CRITICAL, pid, 4) == WIRE_BAD,
	    "so is a second one that is critical");
}

static void
a_known_tlv_may_be_critical(void)
{
	uint8_t p[WIRE_CONTROL_MAX];
	struct wire_msg m;
	size_t size;

	size = frame_build(p, WIRE_RUN, tlv_bit(TLV_INCARNATION), 0);
	p[WIRE_HEADER] |= WIRE_CRITICAL >> 8;
	ok(wire_parse(&m, p, size, WIRE_BY_ORCMD) == WIRE_OK, "it is known");
	ok(wire_has(&m, TLV_INCARNATION), "and there");
}

/* A frame that is good with the TLV's value, and the verdict on it. */
static enum wire_verdict
verdict_on(unsigned number, const void *value, size_t value_size)
{
	uint8_t p[2 * WIRE_CONTROL_MAX];
	struct wire_header h = { .type = 0 };
	struct wire_msg m;
	struct wr w;
	unsigned t = 0;
	size_t size;

	while (wire_msg_row(t) == NULL || (all_tlvs(t) & tlv_bit(number)) == 0)
		if (++t == FRAME_TYPES) { /* in values only */
			wr_init(&w, p, sizeof(p));
			wr_tlv(&w, (uint16_t)number, value, value_size);
			return wire_parse_value(&m, p, wr_size(&w));
		}
	h.type = (uint8_t)t;
	wire_begin(&w, p, sizeof(p), &h);
	wr_tlv(&w, (uint16_t)number, value, value_size);
	size = frame_build(p + wr_size(&w), t,
	    wire_msg_row(t)->needs & ~tlv_bit(number), FRAME_SHORTEST);
	/* The rest of the needs, without the header before them. */
	memmove(p + wr_size(&w), p + wr_size(&w) + WIRE_HEADER,
	    size - WIRE_HEADER);
	size += wr_size(&w) - WIRE_HEADER;
	set_sizes(p, size);
	return verdict(p, size);
}

static void
sizes_beyond_the_row_are_refused(void)
{
	const struct wire_tlv_row *row;
	uint8_t value[WIRE_CONTROL_MAX];
	unsigned n;
	size_t size;
	bool all = true;

	for (n = 0; n < WIRE_TLV_MAX; n++) {
		row = wire_tlv_row(n);
		if (row == NULL)
			continue;
		memset(value, 'n', sizeof(value));
		for (size = 0; size <= row->max + 2u; size++)
			all = all &&
			    (verdict_on(n, value, size) == WIRE_OK) ==
				(size >= row->min && size <= row->max);
	}
	ok(all, "of all TLVs");
}

static void
texts_are_one_line(void)
{
	uint8_t s[3] = { 'a', 0, 'b' };
	unsigned c;
	bool text = true, name = true;

	for (c = 0; c < 256; c++) {
		s[1] = (uint8_t)c;
		text = text && (verdict_on(TLV_TEXT, s, 3) == WIRE_OK) ==
			(c >= 0x20 && c != 0x7f);
		name = name && (verdict_on(TLV_JOB, s, 3) == WIRE_OK) ==
			name_ok((const char *)s, 3);
	}
	ok(text, "no control bytes in a text");
	ok(name, "only a name is a name");
	ok(verdict_on(TLV_JOB, "..", 2) == WIRE_BAD, "a directory is none");
	ok(verdict_on(TLV_TEXT, NULL, 0) == WIRE_OK, "a text may be empty");
}

static void
the_header_is_checked(void)
{
	uint8_t p[WIRE_CONTROL_MAX + 8] = { 0 };
	struct wire_msg m;
	uint32_t frame = 77;
	unsigned i;
	size_t size;

	size = frame_build(p, WIRE_HELLO, all_tlvs(WIRE_HELLO), FRAME_TYPICAL);
	for (i = 0; i < 3; i++) {
		p[i] ^= 1;
		ok(verdict(p, size) == WIRE_BAD, "byte %u", i);
		ok(wire_frame_size(p, i + 1, size, &frame) == WIRE_BAD,
		    "and as soon as it is there");
		ok(i == 0 || wire_frame_size(p, i, size, &frame) == WIRE_SHORT,
		    "but not before");
		p[i] ^= 1;
	}
	p[3] = 29;
	ok(verdict(p, size) == WIRE_BAD, "an unknown message");
	p[3] = WIRE_HELLO;
	ok(verdict(p, size + 1) == WIRE_BAD, "a byte too many");
	ok(wire_frame_size(p, size, size - 1, &frame) == WIRE_BAD,
	    "larger than the reader takes");
	ok(wire_frame_size(p, 0, WIRE_HEADER - 1, &frame) == WIRE_BAD,
	    "a reader that takes no header takes nothing");
	set_u32(p + 12, size - WIRE_HEADER - 1);
	ok(verdict(p, size) == WIRE_BAD, "TLVs that end too early");
	set_u32(p + 12, size - WIRE_HEADER + 1);
	ok(verdict(p, size) == WIRE_BAD, "TLVs larger than the frame");
	set_u32(p + 12, UINT32_MAX);
	ok(verdict(p, size) == WIRE_BAD, "much larger");
	ok(wire_frame_size(p, size, WIRE_FRAME_MAX, &frame) == WIRE_BAD,
	    "seen before the frame is there");
	set_u32(p + 8, WIRE_HEADER - 1);
	set_u32(p + 12, 0);
	ok(wire_frame_size(p, size, WIRE_FRAME_MAX, &frame) == WIRE_BAD,
	    "a frame smaller than its header");
	is_u64(frame, 77, "no size was written");
	set_sizes(p, WIRE_CONTROL_MAX + 4);
	ok(verdict(p, WIRE_CONTROL_MAX + 4) == WIRE_BAD, "too many TLVs");
	ok(wire_parse(&m, NULL, 0, WIRE_BY_ANY) == WIRE_BAD, "nothing at all");
}

static void
only_a_spec_has_a_payload(void)
{
	static uint8_t p[WIRE_FRAME_MAX];
	struct wire_header h = { .type = WIRE_SPEC };
	struct wire_msg m;
	struct wr w;
	uint32_t frame;
	size_t head, size;

	wire_begin(&w, p, WIRE_CONTROL_MAX, &h);
	wr_tlv_u32(&w, TLV_ARGC, 2);
	head = wr_size(&w);
	is_u64(wire_end(&w, WIRE_FRAME_MAX - head + 1), 0, "no byte too many");
	size = wire_end(&w, WIRE_FRAME_MAX - head);
	is_u64(size, WIRE_FRAME_MAX, "the largest frame");
	ok(wire_frame_size(p, head, WIRE_FRAME_MAX, &frame) == WIRE_OK &&
		frame == size,
	    "its size is known from its head");
	ok(wire_parse(&m, p, size, WIRE_BY_RUN) == WIRE_OK, "is good");
	ok(m.payload == p + head && m.payload_size == size - head,
	    "its payload is behind the TLVs");
	ok(wire_frame_size(p, head, WIRE_FRAME_MAX - 1, &frame) == WIRE_BAD,
	    "a reader may take less");
	set_u32(p + 8, WIRE_FRAME_MAX + 1);
	ok(wire_frame_size(p, head, SIZE_MAX, &frame) == WIRE_BAD,
	    "but none may take more than WIRE_FRAME_MAX");
	is_u64(wire_end(&w, 3), head + 3, "three bytes");
	ok(verdict(p, head + 3) == WIRE_OK, "are good in a spec");
	p[3] = WIRE_SUB;
	ok(verdict(p, head + 3) == WIRE_BAD, "and in nothing else");
	ok(wire_frame_size(p, head, WIRE_FRAME_MAX, &frame) == WIRE_BAD,
	    "nor are they waited for");
}

static void
a_value_holds_any_tlv_once(void)
{
	uint8_t p[65536];
	struct wire_msg m;
	struct wr w;
	uint64_t all = 0;
	unsigned n;
	size_t size;

	wr_init(&w, p, sizeof(p));
	for (n = 0; n < WIRE_TLV_MAX; n++)
		if (wire_tlv_row(n) != NULL) {
			size = frame_value_size(n, FRAME_TYPICAL);
			frame_value(p + wr_size(&w) + 4, size, n);
			wr_tlv(&w, (uint16_t)n, p + wr_size(&w) + 4, size);
			all |= tlv_bit(n);
		}
	ok(wire_parse_value(&m, p, wr_size(&w)) == WIRE_OK, "all of them");
	ok(m.has == all && frame_values_hold(p, wr_size(&w)), "are there");
	wr_tlv_u8(&w, TLV_STATE, 1);
	ok(wire_parse_value(&m, p, wr_size(&w)) == WIRE_BAD && m.has == 0,
	    "none is there twice");
	ok(wire_parse_value(&m, NULL, 0) == WIRE_OK && m.has == 0, "nor one");
	ok(wire_parse_value(&m, (const uint8_t *)"\0\6\0", 3) == WIRE_BAD,
	    "half a TLV is bad");
	ok(wire_parse_value(&m, (const uint8_t *)"\200\77\0", 4) == WIRE_BAD,
	    "so is an unknown critical one");
}

static void
fields_are_read_by_name(void)
{
	uint8_t p[WIRE_CONTROL_MAX];
	struct wire_header h = { .type = WIRE_EVENT };
	struct wire_msg m;
	struct wr w;
	char text[256] = "x";
	size_t size;

	wire_begin(&w, p, sizeof(p), &h);
	wr_tlv_u64(&w, TLV_TIME, UINT64_MAX - 1);
	wr_tlv_u64(&w, TLV_SEQ, 1);
	wr_tlv_str(&w, TLV_ROLE, "pnpd");
	wr_tlv_u32(&w, TLV_PID, 0x80000001);
	wr_tlv_str(&w, TLV_NAME, "n");
	wr_tlv_u16(&w, TLV_RANK, 0xfffe);
	size = wire_end(&w, 0);
	ok(wire_parse(&m, p, size, WIRE_BY_PNPD) == WIRE_OK, "an event");
	is_u64(wire_num(&m, TLV_TIME), UINT64_MAX - 1, "u64");
	is_u64(wire_num(&m, TLV_PID), 0x80000001, "u32");
	is_u64(wire_num(&m, TLV_RANK), 0xfffe, "u16");
	is_u64(wire_num(&m, TLV_STATE), 0, "0 when it is not there");
	ok(!wire_has(&m, TLV_TEXT) && wire_has(&m, TLV_RANK), "has");
	wire_str(&m, TLV_TEXT, text, sizeof(text));
	is_str(text, "", "\"\" when it is not there");
	wire_str(&m, TLV_ROLE, text, 64);
	is_str(text, "pnpd", "a name");
}

static void
a_frame_that_does_not_fit_has_no_size(void)
{
	static const uint8_t zeros[WIRE_CONTROL_MAX];
	uint8_t p[WIRE_CONTROL_MAX + 100];
	struct wire_header h = { .type = WIRE_END };
	struct wr w;
	size_t room;
	bool none = true;

	for (room = 0; room < WIRE_HEADER; room++) {
		wire_begin(&w, p, room, &h);
		none = none && wire_end(&w, 0) == 0;
	}
	ok(none, "a header in too little room");
	wire_begin(&w, p, WIRE_HEADER, &h);
	is_u64(wire_end(&w, 0), WIRE_HEADER, "in just enough");
	wr_u8(&w, 1);
	is_u64(wire_end(&w, 0), 0, "and a byte more");
	wire_begin(&w, p, sizeof(p), &h);
	wr_bytes(&w, zeros, WIRE_CONTROL_MAX - WIRE_HEADER);
	is_u64(wire_end(&w, 0), WIRE_CONTROL_MAX, "WIRE_CONTROL_MAX");
	wr_u8(&w, 1);
	is_u64(wire_end(&w, 0), 0, "and a byte more");
	wire_begin(&w, p, sizeof(p), &h);
	is_u64(wire_end(&w, SIZE_MAX), 0, "an absurd payload");
}

static void
a_frame_has_its_documented_bytes(void)
{
	static const uint8_t want[] = { 0x4f, 0x43, ORCM_WIRE_VERSION, 22, 0,
		1, 0, 2, 0, 0, 0, 45, 0, 0, 0, 5, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0,
		0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 6, 0, 20, 0, 1, 15 };
	struct wire_header h = { .type = WIRE_SIGNAL, .flags = 1, .key = 2,
		.dvm = 3, .sender = 4, .epoch = 5, .counter = 6 };
	uint8_t p[64];
	struct wr w;

	wire_begin(&w, p, sizeof(p), &h);
	wr_tlv_u8(&w, TLV_SIGNAL, 15);
	is_u64(wire_end(&w, 0), sizeof(want), "a signal is 45 bytes");
	ok(memcmp(p, want, sizeof(want)) == 0, "these");
}

static void
read_a_name_as_a_number(void)
{
	static struct wire_msg m;

	(void)wire_num(&m, TLV_NAME);
}

static void
read_a_text_into_too_little(void)
{
	static struct wire_msg m;
	char out[63];

	wire_str(&m, TLV_NAME, out, sizeof(out));
}

int
main(void)
{
	the_table_is_sound();
	tlv_rows_are_sound();
	what_is_encoded_is_parsed();
	each_needed_tlv_is_needed();
	other_tlvs_are_refused();
	unknown_tlvs_are_skipped_unless_critical();
	a_known_tlv_may_be_critical();
	sizes_beyond_the_row_are_refused();
	texts_are_one_line();
	the_header_is_checked();
	only_a_spec_has_a_payload();
	a_value_holds_any_tlv_once();
	fields_are_read_by_name();
	a_frame_that_does_not_fit_has_no_size();
	a_frame_has_its_documented_bytes();
	ok(aborts(read_a_name_as_a_number), "a name is no number");
	ok(aborts(read_a_text_into_too_little), "nor does 63 hold its NUL");
	return done_testing();
}
