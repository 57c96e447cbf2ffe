/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "base/num.h"
#include "base/require.h"

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

#define MS_NS UINT64_C(1000000)
#define PROB_DIGITS 9u /* behind the point */
#define PROB_ONE UINT32_C(1000000000)

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

bool
num_time(const char *s, uint64_t *out)
{
	uint64_t ms, plain;

	if (!num_ms(s, &ms) || ms > UINT64_MAX / MS_NS)
		return false;
	if (ms > 0 && num_u64(s, 0, UINT64_MAX, &plain))
		return false;
	*out = ms * MS_NS;
	return true;
}

/*
 * Digits with a point among them, as a whole number of 10^-*decimals.
 * Returns what stands behind it, or NULL.
 */
static const char *
decimal(const char *s, uint64_t *out, unsigned *decimals)
{
	uint64_t v = 0;
	unsigned digit, behind = 0;
	bool point = false;

	if (*s < '0' || *s > '9')
		return NULL;
	for (; (*s >= '0' && *s <= '9') || (*s == '.' && !point); s++) {
		if (*s == '.') {
			point = true;
			continue;
		}
		digit = (unsigned)(*s - '0');
		if (v > (UINT64_MAX - digit) / 10)
			return NULL;
		v = v * 10 + digit;
		behind += point;
	}
	if (point && behind == 0)
		return NULL;
	*out = v;
	*decimals = behind;
	return s;
}

/* v of 10^-have as a number of 10^-want; false when it is none. */
static bool
rescale(uint64_t *v, unsigned have, unsigned want)
{
	for (; have < want && *v > 0; have++) {
		if (*v > UINT64_MAX / 10)
			return false;
		*v *= 10;
	}
	for (; have > want && *v > 0; have--) {
		if (*v % 10 != 0)
			return false;
		*v /= 10;
	}
	return true;
}

bool
num_milli(const char *s, uint64_t *out)
{
	uint64_t v;
	unsigned decimals;

	s = decimal(s, &v, &decimals);
	if (s == NULL || *s != '\0' || decimals > 3 ||
	    !rescale(&v, decimals, 3))
		return false;
	*out = v;
	return true;
}

bool
num_prob(const char *s, uint32_t *out)
{
	uint64_t v, exponent = 0;
	unsigned decimals;

	s = decimal(s, &v, &decimals);
	if (s == NULL)
		return false;
	if (s[0] == 'e' && s[1] == '-') {
		s = digits(s + 2, &exponent);
		if (s == NULL || exponent > 18)
			return false;
	}
	if (*s != '\0' ||
	    !rescale(&v, decimals + (unsigned)exponent, PROB_DIGITS) ||
	    v > PROB_ONE)
		return false;
	*out = (uint32_t)v;
	return true;
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

static void
text_unit(char *out, uint64_t v, const struct unit *units, size_t len)
{
	size_t i = len - 1, at;

	while (i > 0 && (v == 0 || v % units[i].times != 0))
		i--;
	at = num_text(out, NUM_TEXT_MAX, v / units[i].times);
	REQUIRE(at + strlen(units[i].text) < NUM_TEXT_MAX);
	memcpy(out + at, units[i].text, strlen(units[i].text) + 1);
}

void
num_size_text(char out[NUM_TEXT_MAX], uint64_t bytes)
{
	text_unit(out, bytes, size_units, LEN(size_units));
}

/* Without the row that has no unit, except for 0. */
void
num_time_text(char out[NUM_TEXT_MAX], uint64_t ns)
{
	uint64_t ms = ns / MS_NS;

	if (ms == 0)
		text_unit(out, 0, ms_units, 1);
	else
		text_unit(out, ms, ms_units + 1, LEN(ms_units) - 1);
}

/* v of 10^-digits_len behind the point, without zeros at its end. */
static void
fraction(char *out, uint64_t v, unsigned digits_len)
{
	uint64_t one = 1;
	unsigned i;

	if (v == 0) {
		out[0] = '\0';
		return;
	}
	for (i = 1; i < digits_len; i++)
		one *= 10;
	*out++ = '.';
	for (; v > 0; v %= one, one /= 10) {
		*out++ = (char)('0' + v / one);
		if (one == 1)
			break;
	}
	*out = '\0';
}

void
num_milli_text(char out[NUM_TEXT_MAX], uint64_t thousandths)
{
	size_t at = num_text(out, NUM_TEXT_MAX, thousandths / 1000);

	fraction(out + at, thousandths % 1000, 3);
}

void
num_prob_text(char out[NUM_TEXT_MAX], uint32_t parts)
{
	uint32_t one = PROB_ONE;
	unsigned exponent = 0;
	size_t at;

	while (parts > 0 && parts < one) {
		one /= 10;
		exponent++;
	}
	at = num_text(out, NUM_TEXT_MAX, parts / one);
	fraction(out + at, parts % one, PROB_DIGITS - exponent);
	if (exponent == 0)
		return;
	at = strlen(out);
	out[at++] = 'e';
	out[at++] = '-';
	(void)num_text(out + at, NUM_TEXT_MAX - at, exponent);
}
