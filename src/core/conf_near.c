/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "core/conf_own.h"

/*
 * Levenshtein's distance of two names, for "did you mean".  Two letters that
 * changed places count as two.  Nobody means a name of which half the letters
 * are others.
 */

static unsigned
least(unsigned a, unsigned b, unsigned c)
{
	if (b < a)
		a = b;
	return c < a ? c : a;
}

static unsigned
distance(const char *a, const char *b)
{
	unsigned row[ORCM_NAME_MAX + 1], corner, above;
	size_t a_len = strlen(a), b_len = strlen(b), i, k;

	for (k = 0; k <= b_len; k++)
		row[k] = (unsigned)k;
	for (i = 1; i <= a_len; i++) {
		corner = row[0];
		row[0] = (unsigned)i;
		for (k = 1; k <= b_len; k++) {
			above = row[k];
			row[k] = least(above + 1, row[k - 1] + 1,
			    corner + (a[i - 1] != b[k - 1]));
			corner = above;
		}
	}
	return row[b_len];
}

unsigned
conf_distance(const char *name, const char *meant)
{
	size_t len = strlen(name);
	unsigned far;

	if (len > ORCM_NAME_MAX || strlen(meant) > ORCM_NAME_MAX)
		return CONF_FAR;
	far = distance(name, meant);
	return far < CONF_FAR && 2 * far <= len ? far : CONF_FAR;
}
