/* SPDX-License-Identifier: ISC */
/*
 * Values that are one thing: numbers, words, times, names.  Each type is a
 * reader and a printer; what a key allows (range, words, where its field is)
 * stands in its row of conf_key.c.  What a printer writes, its reader reads
 * as the same value, and of all texts for a value it is the one that is
 * printed.  No reader sees an empty text.
 */
#include <string.h>

#include "base/name.h"
#include "base/num.h"
#include "core/conf_own.h"

void *
conf_field(const void *object, const struct conf_key *k)
{
	return (void *)((uintptr_t)object + k->offset);
}

static uint32_t
field32(const void *object, const struct conf_key *k)
{
	return *(const uint32_t *)conf_field(object, k);
}

static uint64_t
field64(const void *object, const struct conf_key *k)
{
	return *(const uint64_t *)conf_field(object, k);
}

/* Keeps a value that is in the range of its key. */
static enum conf_verdict
keep64(struct conf_use *u, bool good, uint64_t v)
{
	if (!good || v < u->key->min || v > u->key->max)
		return CONF_BAD;
	*(uint64_t *)conf_field(u->object, u->key) = v;
	return CONF_GOOD;
}

static enum conf_verdict
keep32(struct conf_use *u, bool good, uint32_t v)
{
	if (!good || v < u->key->min || v > u->key->max)
		return CONF_BAD;
	*(uint32_t *)conf_field(u->object, u->key) = v;
	return CONF_GOOD;
}

/* Numbers of 32 and of 64 bits. */

static enum conf_verdict
read_number(struct conf_use *u, const char *value)
{
	uint32_t v = 0;
	bool good = num_u32(value, 0, UINT32_MAX, &v);

	return keep32(u, good, v);
}

static void
print_number(const struct conf *c, const struct conf_key *k,
    const void *object, uint32_t n, struct text *out)
{
	(void)c, (void)n;
	text_num(out, field32(object, k));
}

const struct conf_type conf_number = { read_number, print_number };

static enum conf_verdict
read_big(struct conf_use *u, const char *value)
{
	uint64_t v = 0;
	bool good = num_u64(value, 0, UINT64_MAX, &v);

	return keep64(u, good, v);
}

static void
print_big(const struct conf *c, const struct conf_key *k, const void *object,
    uint32_t n, struct text *out)
{
	(void)c, (void)n;
	text_num(out, field64(object, k));
}

const struct conf_type conf_big = { read_big, print_big };

/* One of the words of the key. */

static enum conf_verdict
read_word(struct conf_use *u, const char *value)
{
	uint32_t i;

	for (i = 0; u->key->words[i] != NULL; i++)
		if (strcmp(value, u->key->words[i]) == 0)
			break;
	return keep32(u, u->key->words[i] != NULL, i);
}

static void
print_word(const struct conf *c, const struct conf_key *k, const void *object,
    uint32_t n, struct text *out)
{
	(void)c, (void)n;
	text_add(out, k->words[field32(object, k)]);
}

const struct conf_type conf_word = { read_word, print_word };

/* Times, in ns. */

static enum conf_verdict
read_time(struct conf_use *u, const char *value)
{
	uint64_t v = 0;
	bool good = num_time(value, &v);

	return keep64(u, good, v);
}

static void
print_time(const struct conf *c, const struct conf_key *k, const void *object,
    uint32_t n, struct text *out)
{
	char text[NUM_TEXT_MAX];

	(void)c, (void)n;
	num_time_text(text, field64(object, k));
	text_add(out, text);
}

const struct conf_type conf_time = { read_time, print_time };

/*
 * Bytes, and thousandths.  Where there may be no limit, the key's max is
 * CONF_NO_LIMIT; no text of a number is one that large.
 */

static bool
is_none(const struct conf_use *u, const char *value)
{
	return u->key->max == CONF_NO_LIMIT && strcmp(value, "none") == 0;
}

static enum conf_verdict
read_size(struct conf_use *u, const char *value)
{
	uint64_t v = 0;
	bool good = num_size(value, &v) && v != CONF_NO_LIMIT;

	if (is_none(u, value))
		return keep64(u, true, CONF_NO_LIMIT);
	return keep64(u, good, v);
}

static void
print_size(const struct conf *c, const struct conf_key *k, const void *object,
    uint32_t n, struct text *out)
{
	char text[NUM_TEXT_MAX] = "none";

	(void)c, (void)n;
	if (field64(object, k) != CONF_NO_LIMIT)
		num_size_text(text, field64(object, k));
	text_add(out, text);
}

const struct conf_type conf_size = { read_size, print_size };

static enum conf_verdict
read_milli(struct conf_use *u, const char *value)
{
	uint64_t v = 0;
	bool good = num_milli(value, &v) && v != CONF_NO_LIMIT;

	if (is_none(u, value))
		return keep64(u, true, CONF_NO_LIMIT);
	return keep64(u, good, v);
}

static void
print_milli(const struct conf *c, const struct conf_key *k,
    const void *object, uint32_t n, struct text *out)
{
	char text[NUM_TEXT_MAX] = "none";

	(void)c, (void)n;
	if (field64(object, k) != CONF_NO_LIMIT)
		num_milli_text(text, field64(object, k));
	text_add(out, text);
}

const struct conf_type conf_milli = { read_milli, print_milli };

/* Probabilities, in parts of 10^9. */

static enum conf_verdict
read_prob(struct conf_use *u, const char *value)
{
	uint32_t v = 0;
	bool good = num_prob(value, &v);

	return keep32(u, good, v);
}

static void
print_prob(const struct conf *c, const struct conf_key *k, const void *object,
    uint32_t n, struct text *out)
{
	char text[NUM_TEXT_MAX];

	(void)c, (void)n;
	num_prob_text(text, field32(object, k));
	text_add(out, text);
}

const struct conf_type conf_prob = { read_prob, print_prob };

/* "50%", kept as permille. */

static enum conf_verdict
read_percent(struct conf_use *u, const char *value)
{
	char digits[8];
	size_t len = strlen(value);
	uint32_t v = 0;
	bool good;

	if (len < 2 || len > sizeof(digits) || value[len - 1] != '%')
		return CONF_BAD;
	memcpy(digits, value, len - 1);
	digits[len - 1] = '\0';
	good = num_u32(digits, 0, 100, &v);
	return keep32(u, good, v * 10);
}

static void
print_percent(const struct conf *c, const struct conf_key *k,
    const void *object, uint32_t n, struct text *out)
{
	(void)c, (void)n;
	text_num(out, field32(object, k) / 10);
	text_char(out, '%');
}

const struct conf_type conf_percent = { read_percent, print_percent };

/* "3/60s"; the key's range is that of the count. */

#define WINDOW_MIN ORCM_SECOND
#define WINDOW_MAX (24 * 3600 * ORCM_SECOND)

static enum conf_verdict
read_rate(struct conf_use *u, const char *value)
{
	struct conf_rate r;
	const char *slash = strchr(value, '/');
	char count[NUM_TEXT_MAX];

	if (slash == NULL || (size_t)(slash - value) >= sizeof(count))
		return CONF_BAD;
	memcpy(count, value, (size_t)(slash - value));
	count[slash - value] = '\0';
	if (!num_u32(count, (uint32_t)u->key->min, (uint32_t)u->key->max,
		&r.count) ||
	    !num_time(slash + 1, &r.window) || r.window < WINDOW_MIN ||
	    r.window > WINDOW_MAX)
		return CONF_BAD;
	*(struct conf_rate *)conf_field(u->object, u->key) = r;
	return CONF_GOOD;
}

static void
print_rate(const struct conf *c, const struct conf_key *k, const void *object,
    uint32_t n, struct text *out)
{
	const struct conf_rate *r = conf_field(object, k);
	char text[NUM_TEXT_MAX];

	(void)c, (void)n;
	text_num(out, r->count);
	text_char(out, '/');
	num_time_text(text, r->window);
	text_add(out, text);
}

const struct conf_type conf_rate = { read_rate, print_rate };

/*
 * NAME[:ARGUMENT][,key=value...].  What the plug-in makes of it, only who can
 * load it knows.
 */

static bool
policy_ok(const char *value)
{
	char item[CONF_POLICY_MAX + 1], *sign;
	size_t at = 0;
	bool name = true;

	if (strlen(value) > CONF_POLICY_MAX)
		return false;
	for (; conf_next(value, &at, item, sizeof(item)); name = false) {
		sign = strchr(item, name ? ':' : '=');
		if (sign == NULL) {
			if (!name || !name_ok(item, strlen(item)))
				return false;
		} else if (sign[1] == '\0' ||
		    !name_ok(item, (size_t)(sign - item))) {
			return false;
		}
	}
	return true;
}

static enum conf_verdict
read_policy(struct conf_use *u, const char *value)
{
	if (!policy_ok(value))
		return CONF_BAD;
	*(const char **)conf_field(u->object, u->key) = value;
	return CONF_GOOD;
}

static void
print_text(const struct conf *c, const struct conf_key *k, const void *object,
    uint32_t n, struct text *out)
{
	(void)c, (void)n;
	text_add(out, *(const char *const *)conf_field(object, k));
}

const struct conf_type conf_policy = { read_policy, print_text };

/* An absolute path of a directory. */

static enum conf_verdict
read_path(struct conf_use *u, const char *value)
{
	if (value[0] != '/')
		return CONF_BAD;
	*(const char **)conf_field(u->object, u->key) = value;
	return CONF_GOOD;
}

const struct conf_type conf_path = { read_path, print_text };

/* A name that names nothing of ours; a kind "node" would be ambiguous. */

static enum conf_verdict
read_label(struct conf_use *u, const char *value)
{
	if (!name_ok(value, strlen(value)) ||
	    (u->key->keyword == CONF_GROUP && strcmp(value, "node") == 0))
		return CONF_BAD;
	(void)copy_str(conf_field(u->object, u->key), ORCM_NAME_MAX + 1,
	    value);
	return CONF_GOOD;
}

static void
print_label(const struct conf *c, const struct conf_key *k,
    const void *object, uint32_t n, struct text *out)
{
	(void)c, (void)n;
	text_add(out, conf_field(object, k));
}

const struct conf_type conf_label = { read_label, print_label };

/* References to a node, to a group. */

void
conf_say_unknown(struct conf_use *u, enum conf_keyword k, const char *name)
{
	const char *what = conf_keyword_name(k), *near = NULL;
	unsigned far, best = CONF_FAR;
	size_t len = strlen(name);
	uint32_t i;

	for (i = 0; i < conf_len(u->c, k); i++) {
		if (k == CONF_APP &&
		    strncmp(conf_name(u->c, k, i), name, len) == 0 &&
		    conf_name(u->c, k, i)[len] == ':') {
			CONF_VALUE_ERROR(u, ": several apps are ", name,
			    "; give the version, as in ",
			    conf_name(u->c, k, i));
			return;
		}
		far = conf_distance(name, conf_name(u->c, k, i));
		if (far < best) {
			best = far;
			near = conf_name(u->c, k, i);
		}
	}
	if (near != NULL)
		CONF_VALUE_ERROR(u, ": there is no ", what, " ", name,
		    "; did you mean ", near, "?");
	else
		CONF_VALUE_ERROR(u, ": there is no ", what, " ", name,
		    "; add a line that begins with ", what, " ", name);
}

static enum conf_verdict
read_ref(struct conf_use *u, enum conf_keyword k, const char *value)
{
	uint32_t i = conf_find(u->c, k, value);

	if (i == CONF_NONE) {
		conf_say_unknown(u, k, value);
		return CONF_SAID;
	}
	*(uint32_t *)conf_field(u->object, u->key) = i;
	return CONF_GOOD;
}

static enum conf_verdict
read_node(struct conf_use *u, const char *value)
{
	return read_ref(u, CONF_NODE, value);
}

static void
print_node(const struct conf *c, const struct conf_key *k, const void *object,
    uint32_t n, struct text *out)
{
	(void)n;
	if (field32(object, k) != CONF_NONE)
		text_add(out, c->nodes[field32(object, k)].name);
}

const struct conf_type conf_node_ref = { read_node, print_node };

static enum conf_verdict
read_group(struct conf_use *u, const char *value)
{
	return read_ref(u, CONF_GROUP, value);
}

static void
print_group(const struct conf *c, const struct conf_key *k,
    const void *object, uint32_t n, struct text *out)
{
	(void)n;
	if (field32(object, k) != CONF_NONE)
		text_add(out, c->groups[field32(object, k)].name);
}

const struct conf_type conf_group_ref = { read_group, print_group };

/* "flood" or "slotted:k". */

static enum conf_verdict
read_storm(struct conf_use *u, const char *value)
{
	struct conf_dvm *d = u->object;

	if (strcmp(value, "flood") == 0) {
		d->storm = CONF_FLOOD;
		d->storm_k = 0;
		return CONF_GOOD;
	}
	if (strncmp(value, "slotted", 7) != 0)
		return CONF_BAD;
	d->storm = CONF_SLOTTED;
	d->storm_k = 3;
	return value[7] == '\0' ||
		(value[7] == ':' &&
		    num_u32(value + 8, (uint32_t)u->key->min,
			(uint32_t)u->key->max, &d->storm_k)) ?
	    CONF_GOOD : CONF_BAD;
}

static void
print_storm(const struct conf *c, const struct conf_key *k,
    const void *object, uint32_t n, struct text *out)
{
	const struct conf_dvm *d = object;

	(void)c, (void)k, (void)n;
	if (d->storm == CONF_FLOOD) {
		text_add(out, "flood");
		return;
	}
	text_add(out, "slotted:");
	text_num(out, d->storm_k);
}

const struct conf_type conf_storm_type = { read_storm, print_storm };

/* One address that many listen to. */

static enum conf_verdict
read_multicast(struct conf_use *u, const char *value)
{
	struct addr *a = conf_field(u->object, u->key);

	return addr_read(value, a) && addr_is_multicast(a) ? CONF_GOOD :
							     CONF_BAD;
}

static void
print_multicast(const struct conf *c, const struct conf_key *k,
    const void *object, uint32_t n, struct text *out)
{
	char text[ADDR_TEXT_MAX];

	(void)c, (void)n;
	addr_text(conf_field(object, k), text);
	text_add(out, text);
}

const struct conf_type conf_multicast = { read_multicast, print_multicast };
