/* SPDX-License-Identifier: ISC */
/*
 * orcm-dump: captured frames as text, one line for each value, and the table
 * that they are read by.  It knows no message by itself: names and forms come
 * from base/wire.def, so what is added there is shown here.
 *
 * The frames of a capture stand behind each other as they do in a stream.
 * What the reader of such a stream would refuse ends the listing with the
 * offset of the frame that is wrong.
 */
#include <stdio.h>
#include <unistd.h>

#include <orcm/version.h>

#include "base/rd.h"
#include "base/wire.h"
#include "lib/tool.h"
#include "sys/log.h"

#define SENDERS 6

static const struct {
	unsigned bit;
	const char *name;
} senders[SENDERS] = {
	{ WIRE_BY_CLIENT, "client" },
	{ WIRE_BY_PNPD, "pnpd" },
	{ WIRE_BY_ORCMD, "orcmd" },
	{ WIRE_BY_CHARGE, "charge" },
	{ WIRE_BY_RUN, "run" },
	{ WIRE_BY_NODE, "node" },
};

static const char *const forms[] = {
	[WIRE_U8] = "u8",
	[WIRE_U16] = "u16",
	[WIRE_U32] = "u32",
	[WIRE_U64] = "u64",
	[WIRE_STR] = "text",
	[WIRE_NAME_FORM] = "name",
	[WIRE_BYTES] = "bytes",
	[WIRE_TLVS] = "tlvs",
};

static struct dump {
	uint64_t number; /* of the frame, from 1 on */
	uint64_t offset; /* where it begins */
	uint8_t frame[WIRE_FRAME_MAX];
} d;

static _Noreturn void
broken(const char *what)
{
	tool_flush();
	die(EXIT_NO, "offset %llu: frame %llu: %s",
	    (unsigned long long)d.offset, (unsigned long long)d.number, what);
}

static void
print_hex(const uint8_t *p, size_t size)
{
	size_t i;

	if (size == 0)
		putchar('-');
	for (i = 0; i < size; i++)
		printf("%02x", p[i]);
}

/* What precedes a value in each line. */
static void
print_start(const char *message, const char *prefix, const char *name)
{
	printf("%llu\t%s\t%s%s\t", (unsigned long long)d.number, message,
	    prefix, name);
}

/* A field of the header; TLVs have names like these. */
static void
print_number(const char *message, const char *name, uint64_t v)
{
	print_start(message, "header.", name);
	printf("%llu\n", (unsigned long long)v);
}

static void
print_header(const char *message, const struct wire_header *h)
{
	print_number(message, "version", ORCM_WIRE_VERSION);
	print_number(message, "type", h->type);
	print_number(message, "flags", h->flags);
	print_number(message, "key", h->key);
	print_number(message, "size", h->size);
	print_number(message, "tlv-size", h->tlv_size);
	print_number(message, "dvm", h->dvm);
	print_number(message, "sender", h->sender);
	print_number(message, "epoch", h->epoch);
	print_number(message, "counter", h->counter);
}

static void print_tlvs(const char *message, const char *prefix,
    const uint8_t *p, size_t size);

static void
print_value(const char *message, const char *prefix, unsigned number,
    const uint8_t *p, size_t size)
{
	const struct wire_tlv_row *row = wire_tlv_row(number);
	struct wire_msg nested;
	uint64_t v = 0;
	char name[24];
	size_t i;

	if (row == NULL) {
		(void)snprintf(name, sizeof(name), "tlv-%u", number);
		print_start(message, prefix, name);
		print_hex(p, size);
		putchar('\n');
		return;
	}
	if (row->form == WIRE_TLVS) {
		if (prefix[0] != '\0')
			broken("a value inside of a value");
		if (wire_parse_value(&nested, p, size) != WIRE_OK)
			broken("a TLV inside of the value does not fit");
		print_tlvs(message, "value.", p, size);
		return;
	}
	print_start(message, prefix, row->name);
	if (row->form <= WIRE_U64) {
		for (i = 0; i < size; i++)
			v = v << 8 | p[i];
		printf("%llu", (unsigned long long)v);
	} else if (row->form == WIRE_BYTES) {
		print_hex(p, size);
	} else if (size == 0) {
		putchar('-');
	} else {
		fwrite(p, 1, size, stdout);
	}
	putchar('\n');
}

/* In the order in which they were sent; they are checked already. */
static void
print_tlvs(const char *message, const char *prefix, const uint8_t *p,
    size_t size)
{
	unsigned number;
	uint16_t value_size;
	struct rd r;

	rd_init(&r, p, size);
	while (rd_left(&r) > 0) {
		number = rd_u16(&r) & ~WIRE_CRITICAL;
		value_size = rd_u16(&r);
		p = rd_bytes(&r, value_size);
		if (rd_bad(&r))
			broken("a TLV does not end");
		print_value(message, prefix, number, p, value_size);
	}
}

static void
print_frame(size_t size)
{
	struct wire_msg m;
	const char *name;

	if (wire_parse(&m, d.frame, size, WIRE_BY_ANY) != WIRE_OK)
		broken("its message is not known, or a TLV in it is missing, "
		    "twice, of the wrong size or of another message");
	name = wire_msg_row(m.h.type)->name;
	print_header(name, &m.h);
	print_tlvs(name, "", d.frame + WIRE_HEADER, m.h.tlv_size);
	if (m.payload_size > 0) {
		print_start(name, "", "payload");
		print_hex(m.payload, m.payload_size);
		putchar('\n');
	}
}

/* Reads size bytes unless the input ends before; how many. */
static size_t
take(uint8_t *p, size_t size)
{
	size_t n = fread(p, 1, size, stdin);

	if (n < size && ferror(stdin))
		die_sys(EXIT_TEMP, "standard input");
	return n;
}

static void
dump_frames(void)
{
	uint32_t size;
	size_t n;

	for (;; d.offset += size) {
		d.number++;
		n = take(d.frame, WIRE_HEADER);
		if (n == 0)
			return;
		switch (wire_frame_size(d.frame, n, WIRE_FRAME_MAX, &size)) {
		case WIRE_OK:
			break;
		case WIRE_SHORT:
			broken("the input ends in its header");
		default:
			broken("no header: magic, version or sizes are wrong");
		}
		if (take(d.frame + WIRE_HEADER, size - WIRE_HEADER) <
		    size - WIRE_HEADER)
			broken("the input ends before it does");
		print_frame(size);
	}
}

static void
print_set(uint64_t tlvs)
{
	const char *comma = "";
	unsigned i;

	if (tlvs == 0)
		putchar('-');
	for (i = 0; i < WIRE_TLV_MAX; i++)
		if ((tlvs >> i & 1) != 0) {
			printf("%s%s", comma, wire_tlv_row(i)->name);
			comma = ",";
		}
}

static void
print_message(unsigned number, const struct wire_msg_row *row)
{
	const char *comma = "";
	size_t i;

	printf("message\t%u\t%s\t", number, row->name);
	if (row->senders == WIRE_BY_ANY)
		fputs("any", stdout);
	for (i = 0; i < SENDERS && row->senders != WIRE_BY_ANY; i++)
		if ((row->senders & senders[i].bit) != 0) {
			printf("%s%s", comma, senders[i].name);
			comma = ",";
		}
	putchar('\t');
	print_set(row->needs);
	putchar('\t');
	print_set(row->may);
	putchar('\n');
}

static void
print_table(void)
{
	const struct wire_msg_row *msg;
	const struct wire_tlv_row *tlv;
	unsigned i;

	for (i = 0; i < 256; i++) {
		msg = wire_msg_row(i);
		if (msg != NULL)
			print_message(i, msg);
	}
	for (i = 0; i < WIRE_TLV_MAX; i++) {
		tlv = wire_tlv_row(i);
		if (tlv != NULL)
			printf("tlv\t%u\t%s\t%s\t%u\t%u\n", i, tlv->name,
			    forms[tlv->form], tlv->min, tlv->max);
	}
}

/* libFuzzer and AFL: name="bytes", here the start of each message and TLV. */
static void
print_dictionary(void)
{
	const struct wire_tlv_row *tlv;
	const struct wire_msg_row *msg;
	unsigned i;

	printf("magic=\"\\x%02x\\x%02x\\x%02x\"\n", WIRE_MAGIC >> 8,
	    WIRE_MAGIC & 0xff, ORCM_WIRE_VERSION);
	for (i = 0; i < 256; i++) {
		msg = wire_msg_row(i);
		if (msg != NULL)
			printf("message_%s=\"\\x%02x\\x%02x\\x%02x\\x%02x\"\n",
			    msg->name, WIRE_MAGIC >> 8, WIRE_MAGIC & 0xff,
			    ORCM_WIRE_VERSION, i);
	}
	for (i = 0; i < WIRE_TLV_MAX; i++) {
		tlv = wire_tlv_row(i);
		if (tlv == NULL)
			continue;
		printf("tlv_%u_min=\"\\x00\\x%02x\\x%02x\\x%02x\"\n", i, i,
		    tlv->min >> 8, tlv->min & 0xff);
		if (tlv->max != tlv->min)
			printf("tlv_%u_max=\"\\x00\\x%02x\\x%02x\\x%02x\"\n",
			    i, i, tlv->max >> 8, tlv->max & 0xff);
	}
}

int
main(int argc, char **argv)
{
	bool table = false, dictionary = false;
	struct tool t;
	int c;

	tool_init(&t, "orcm-dump", "[-V] [-d | -t]");
	while ((c = getopt(argc, argv, "+Vdt")) != -1)
		if (c == 't')
			table = true;
		else if (c == 'd')
			dictionary = true;
		else
			tool_option(&t, c);
	if (optind != argc || (table && dictionary))
		tool_usage(&t);
	if (table)
		print_table();
	else if (dictionary)
		print_dictionary();
	else
		dump_frames();
	tool_flush();
	return EXIT_YES;
}
