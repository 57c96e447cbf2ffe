/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "base/num.h"

/*
 * What strtoull(3) cannot be asked for: it takes signs and blanks, sets
 * errno, and depends on the locale.  Called for configuration, options and
 * the environment, so a text may be anything.  *out is written on success
 * only.
 */

struct unit {
	const char *text;
	uint64_t times;
};

static const struct unit size_units[] = {
	{ "", 1 },
	{ "K", UINT64_C(1) << 10 },
	{ "M", UINT64_C(1) << 20 },
	{ "G", UINT64_C(1) << 30 },
	{ "T", UINT64_C(1) << 40 },
};

static const struct unit ms_units[] = {
	{ "", 1 },
	{ "ms", 1 },
	{ "s", 1000 },
	{ "m", 60 * 1000 },
	{ "h", 60 * 60 * 1000 },
};

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

/* Returns what stands behind the digits, or NULL: no digit, or too many. */
static const char *
digits(const char *s, uint64_t *out)
{
	uint64_t v = 0;
	unsigned digit;

	if (*s < '0' || *s > '9')
		return NULL;
	for (; *s >= '0' && *s <= '9'; s++) {
		digit = (unsigned)(*s - '0');
		if (v > (UINT64_MAX - digit) / 10)
			return NULL;
		v = v * 10 + digit;
	}
	*out = v;
	return s;
}

static bool
with_unit(const char *s, const struct unit *units, size_t len, uint64_t *out)
{
	uint64_t v;
	size_t i;

	s = digits(s, &v);
	if (s == NULL)
		return false;
	for (i = 0; i < len; i++)
		if (strcmp(s, units[i].text) == 0)
			break;
	if (i == len || v > UINT64_MAX / units[i].times)
		return false;
	*out = v * units[i].times;
	return true;
}

bool
num_u64(const char *s, uint64_t min, uint64_t max, uint64_t *out)
{
	uint64_t v;

	s = digits(s, &v);
	if (s == NULL || *s != '\0' || v < min || v > max)
		return false;
	*out = v;
	return true;
}

bool
num_u32(const char *s, uint32_t min, uint32_t max, uint32_t *out)
{
	uint64_t v;

	if (!num_u64(s, min, max, &v))
		return false;
	*out = (uint32_t)v;
	return true;
}

bool
num_size(const char *s, uint64_t *out)
{
	return with_unit(s, size_units, LEN(size_units), out);
}

bool
num_ms(const char *s, uint64_t *out)
{
	return with_unit(s, ms_units, LEN(ms_units), out);
}

size_t
num_text(char *out, size_t size, uint64_t v)
{
	uint64_t left = v;
	size_t len = 0, i;

	do {
		len++;
		left /= 10;
	} while (left > 0);
	if (size <= len)
		return 0;
	out[len] = '\0';
	for (i = len; i > 0; i--) {
		out[i - 1] = (char)('0' + v % 10);
		v /= 10;
	}
	return len;
}
