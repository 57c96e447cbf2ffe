/* SPDX-License-Identifier: ISC */
/*
 * What is different between two configurations.  Both are sorted, things by
 * name and items by key, so one walk through both at once finds it: what is
 * lower on one side is missing on the other.  Values are compared as they are
 * printed; numbers of things in one table mean nothing in another.
 */
#include <string.h>

#include "base/require.h"
#include "core/conf_own.h"

const char *
conf_what_name(enum conf_what w)
{
	static const char *const names[] = {
		[CONF_ADDED] = "added",
		[CONF_REMOVED] = "removed",
		[CONF_CHANGED] = "changed",
	};

	return names[w];
}

void
conf_diff(struct conf_diff *d, const struct conf *old, const struct conf *new)
{
	memset(d, 0, sizeof(*d));
	d->a = old;
	d->b = new;
}

static void
next_a(struct conf_diff *d)
{
	d->a_has = conf_item(d->a, d->keyword, d->ai, &d->a_at, &d->a_item);
}

static void
next_b(struct conf_diff *d)
{
	d->b_has = conf_item(d->b, d->keyword, d->bi, &d->b_at, &d->b_item);
}

/* Both have it: their items are compared from now on. */
static void
enter(struct conf_diff *d)
{
	d->inside = true;
	d->a_at = d->b_at = 0;
	next_a(d);
	next_b(d);
}

static void
leave(struct conf_diff *d)
{
	d->inside = false;
	d->ai++;
	d->bi++;
}

/*
 * Parts are NAME=VALUE; values do not count.  The '=' does, as it did when
 * they were sorted.
 */
static int
part_order(const char *a, const char *b)
{
	size_t i;

	for (i = 0; a[i] == b[i]; i++)
		if (a[i] == '\0' || a[i] == '=')
			return 0;
	return (unsigned char)a[i] < (unsigned char)b[i] ? -1 : 1;
}

static int
item_order(const struct conf_diff *d)
{
	if (!d->a_has || !d->b_has)
		return d->a_has ? -1 : 1;
	if (d->a_item.row != d->b_item.row)
		return d->a_item.row < d->b_item.row ? -1 : 1;
	return part_order(d->a_item.part, d->b_item.part);
}

static void
tell(struct conf_diff *d, enum conf_what what, enum conf_class class,
    const char *name)
{
	d->what = what;
	d->class = class;
	d->name = name;
	d->key = d->old = d->new = NULL;
}

/*
 * The next item that differs.  The values stay in a_item and b_item until the
 * next call, which goes on behind them: *_spent.
 */
static bool
next_item(struct conf_diff *d)
{
	const struct conf_item *item;
	int by;

	for (;;) {
		if (d->a_spent)
			next_a(d);
		if (d->b_spent)
			next_b(d);
		d->a_spent = d->b_spent = false;
		if (!d->a_has && !d->b_has)
			return false;
		by = item_order(d);
		d->a_spent = by <= 0;
		d->b_spent = by >= 0;
		item = by <= 0 ? &d->a_item : &d->b_item;
		if (item->shown || (by == 0 &&
			strcmp(d->a_item.value, d->b_item.value) == 0))
			continue;
		tell(d, CONF_CHANGED, item->class,
		    conf_name(d->b, d->keyword, d->bi));
		d->key = item->key;
		d->old = by <= 0 ? d->a_item.value : NULL;
		d->new = by >= 0 ? d->b_item.value : NULL;
		return true;
	}
}

/* Another name of the DVM is a change; it is one thing on both sides. */
static bool
next_dvm(struct conf_diff *d)
{
	const char *old = d->a->dvm.name, *new = d->b->dvm.name;

	enter(d);
	if (strcmp(old, new) == 0)
		return false;
	tell(d, CONF_CHANGED, CONF_REFUSED, new);
	d->key = "name";
	d->old = old;
	d->new = new;
	return true;
}

/* Things of one keyword, until there are two to compare; false at the end. */
static bool
next_thing(struct conf_diff *d, bool *found)
{
	bool a = d->ai < conf_len(d->a, d->keyword);
	bool b = d->bi < conf_len(d->b, d->keyword);
	int by = a ? -1 : 1;

	*found = true;
	if (!a && !b)
		return false;
	if (d->keyword == CONF_DVM) {
		*found = next_dvm(d);
		return true;
	}
	if (a && b)
		by = strcmp(conf_name(d->a, d->keyword, d->ai),
		    conf_name(d->b, d->keyword, d->bi));
	if (by < 0) {
		tell(d, CONF_REMOVED, CONF_LIVE,
		    conf_name(d->a, d->keyword, d->ai++));
	} else if (by > 0) {
		tell(d, CONF_ADDED, CONF_LIVE,
		    conf_name(d->b, d->keyword, d->bi++));
	} else {
		enter(d);
		*found = false;
	}
	return true;
}

bool
conf_diff_next(struct conf_diff *d)
{
	bool found;

	while (d->keyword < CONF_KEYWORDS) {
		if (d->inside) {
			if (next_item(d))
				return true;
			leave(d);
		} else if (!next_thing(d, &found)) {
			d->keyword++;
			d->ai = d->bi = 0;
		} else if (found) {
			return true;
		}
	}
	return false;
}
