/* SPDX-License-Identifier: ISC */
/*
 * Addresses from text and back.  inet_pton(3) is a system's and takes what it
 * likes (some take "10.1"); the configuration must mean the same everywhere.
 * Called for configuration only, so a text may be anything; *out is written
 * on success only.
 */
#include <string.h>

#include "base/addr.h"
#include "base/num.h"
#include "base/text.h"

#define V6_GROUPS 8u

/* Copies s[0..size-1] to out[ADDR_TEXT_MAX]; false when it is too long. */
static bool
part(char *out, const char *s, size_t size)
{
	if (size >= ADDR_TEXT_MAX)
		return false;
	memcpy(out, s, size);
	out[size] = '\0';
	return true;
}

/* A decimal number without leading zeros; what follows it, or NULL. */
static const char *
octet(const char *s, uint8_t *out)
{
	unsigned v = 0, len;

	for (len = 0; len < 4 && s[len] >= '0' && s[len] <= '9'; len++)
		v = v * 10 + (unsigned)(s[len] - '0');
	if (len == 0 || v > 255 || (len > 1 && s[0] == '0'))
		return NULL;
	*out = (uint8_t)v;
	return s + len;
}

static bool
read_v4(const char *s, uint8_t ip[4])
{
	int i;

	for (i = 0; i < 4; i++) {
		s = octet(s, &ip[i]);
		if (s == NULL || *s != (i < 3 ? '.' : '\0'))
			return false;
		s++;
	}
	return true;
}

static int
hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* One group of up to four hexadecimal digits; what follows it, or NULL. */
static const char *
group(const char *s, uint8_t ip[2])
{
	unsigned v = 0, len;

	for (len = 0; len < 5 && hex(s[len]) >= 0; len++)
		v = v << 4 | (unsigned)hex(s[len]);
	if (len == 0 || len > 4)
		return NULL;
	ip[0] = (uint8_t)(v >> 8);
	ip[1] = (uint8_t)v;
	return s + len;
}

/*
 * Groups into ip[] from *at on, until the text or "::" ends them.  The last
 * two groups may be an IPv4 address (RFC 4291, 2.2.3).
 */
static const char *
groups(const char *s, uint8_t ip[16], size_t *at)
{
	const char *next;

	while (*at < 16) {
		next = group(s, ip + *at);
		if (next != NULL && *next == '.') {
			if (*at > 12 || !read_v4(s, ip + *at))
				return NULL;
			*at += 4;
			return s + strlen(s);
		}
		if (next == NULL)
			return NULL;
		*at += 2;
		if (*next == '\0' || (next[0] == ':' && next[1] == ':'))
			return next;
		if (*next != ':')
			return NULL;
		s = next + 1;
	}
	return NULL;
}

static bool
read_v6(const char *s, uint8_t ip[16])
{
	uint8_t tail[16];
	size_t head_size = 0, tail_size = 0;

	memset(ip, 0, 16);
	if (s[0] != ':' || s[1] != ':') {
		s = groups(s, ip, &head_size);
		if (s == NULL)
			return false;
		if (*s == '\0')
			return head_size == 16;
	}
	s += 2;
	if (*s != '\0') {
		s = groups(s, tail, &tail_size);
		if (s == NULL || *s != '\0')
			return false;
	}
	/* "::" stands for one group at least. */
	if (head_size + tail_size > 14)
		return false;
	memcpy(ip + 16 - tail_size, tail, tail_size);
	return true;
}

bool
addr_read(const char *s, struct addr *out)
{
	struct addr a;

	memset(&a, 0, sizeof(a));
	if (read_v4(s, a.ip)) {
		a.family = ADDR_V4;
		a.prefix = 32;
	} else {
		memset(a.ip, 0, sizeof(a.ip));
		if (!read_v6(s, a.ip))
			return false;
		a.family = ADDR_V6;
		a.prefix = 128;
	}
	*out = a;
	return true;
}

bool
addr_read_port(const char *s, struct addr *out)
{
	char ip[ADDR_TEXT_MAX];
	const char *end, *port = NULL;
	struct addr a;
	uint32_t number = 0;

	if (s[0] == '[') {
		end = strchr(s, ']');
		if (end == NULL || !part(ip, s + 1, (size_t)(end - s - 1)) ||
		    (end[1] != '\0' && end[1] != ':'))
			return false;
		if (end[1] == ':')
			port = end + 2;
		if (!addr_read(ip, &a) || a.family != ADDR_V6)
			return false;
	} else {
		end = strchr(s, ':');
		/* More colons than one are an IPv6 address, which has none. */
		if (end != NULL && strchr(end + 1, ':') == NULL)
			port = end + 1;
		else
			end = s + strlen(s);
		if (!part(ip, s, (size_t)(end - s)) || !addr_read(ip, &a))
			return false;
	}
	if (port != NULL && !num_u32(port, 1, 65535, &number))
		return false;
	a.port = (uint16_t)number;
	*out = a;
	return true;
}

static bool
same_bits(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	uint8_t mask = (uint8_t)(0xff00u >> bits % 8);

	return memcmp(a, b, bits / 8) == 0 &&
	    (bits % 8 == 0 ||
		(a[bits / 8] & mask) == (b[bits / 8] & mask));
}

bool
addr_read_net(const char *s, struct addr *out)
{
	const char *slash = strchr(s, '/');
	char ip[ADDR_TEXT_MAX];
	struct addr a;
	uint32_t prefix, i;

	if (slash == NULL || !part(ip, s, (size_t)(slash - s)) ||
	    !addr_read(ip, &a) || !num_u32(slash + 1, 0, a.prefix, &prefix))
		return false;
	for (i = prefix; i < a.prefix; i++)
		if ((a.ip[i / 8] >> (7 - i % 8) & 1) != 0)
			return false;
	a.prefix = (uint8_t)prefix;
	*out = a;
	return true;
}

static unsigned
word(const struct addr *a, unsigned i)
{
	return (unsigned)a->ip[2 * i] << 8 | a->ip[2 * i + 1];
}

/* The longest run of two or more zero groups, the first of equals. */
static void
zeros(const struct addr *a, unsigned *first, unsigned *len)
{
	unsigned i, run = 0;

	*first = V6_GROUPS;
	*len = 1;
	for (i = 0; i < V6_GROUPS; i++) {
		run = word(a, i) == 0 ? run + 1 : 0;
		if (run > *len) {
			*len = run;
			*first = i + 1 - run;
		}
	}
}

static void
add_hex(struct text *t, unsigned v)
{
	int shift;

	for (shift = 12; shift > 0 && v >> shift == 0; shift -= 4)
		;
	for (; shift >= 0; shift -= 4)
		text_char(t, "0123456789abcdef"[v >> shift & 15]);
}

/* RFC 5952 section 4; and 5 for the one prefix that shows IPv4: ::ffff:0:0. */
static void
add_v6(struct text *t, const struct addr *a)
{
	static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff,
		0xff };
	unsigned first, len, i, groups_len = V6_GROUPS;
	bool v4 = memcmp(a->ip, mapped, sizeof(mapped)) == 0;

	if (v4)
		groups_len = 6;
	zeros(a, &first, &len);
	for (i = 0; i < groups_len; i++) {
		if (i == first) {
			text_add(t, "::");
			i += len - 1;
			continue;
		}
		if (i > 0 && i != first + len)
			text_char(t, ':');
		add_hex(t, word(a, i));
	}
	for (i = 12; v4 && i < 16; i++) {
		text_char(t, i == 12 ? ':' : '.');
		text_num(t, a->ip[i]);
	}
}

static void
add_ip(struct text *t, const struct addr *a)
{
	int i;

	if (a->family == ADDR_V6) {
		add_v6(t, a);
		return;
	}
	for (i = 0; a->family == ADDR_V4 && i < 4; i++) {
		if (i > 0)
			text_char(t, '.');
		text_num(t, a->ip[i]);
	}
}

void
addr_text(const struct addr *a, char out[ADDR_TEXT_MAX])
{
	bool brackets = a->family == ADDR_V6 && a->port != 0;
	struct text t;

	text_init(&t, out, ADDR_TEXT_MAX);
	if (brackets)
		text_char(&t, '[');
	add_ip(&t, a);
	if (brackets)
		text_char(&t, ']');
	if (a->port != 0) {
		text_char(&t, ':');
		text_num(&t, a->port);
	}
}

void
addr_text_net(const struct addr *a, char out[ADDR_TEXT_MAX])
{
	struct text t;

	text_init(&t, out, ADDR_TEXT_MAX);
	add_ip(&t, a);
	text_char(&t, '/');
	text_num(&t, a->prefix);
}

bool
addr_same(const struct addr *a, const struct addr *b)
{
	return a->family == b->family &&
	    memcmp(a->ip, b->ip, sizeof(a->ip)) == 0;
}

bool
addr_in(const struct addr *a, const struct addr *net)
{
	return a->family == net->family &&
	    same_bits(a->ip, net->ip, net->prefix);
}

bool
addr_is_multicast(const struct addr *a)
{
	if (a->family == ADDR_V4)
		return a->ip[0] >> 4 == 14;
	return a->family == ADDR_V6 && a->ip[0] == 0xff;
}

bool
addr_is_any(const struct addr *a)
{
	static const uint8_t none[16];

	return memcmp(a->ip, none, sizeof(none)) == 0;
}
