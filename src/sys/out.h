/* SPDX-License-Identifier: ISC */
#ifndef SYS_OUT_H
#define SYS_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Records on standard output for shells: one line each, TAB between columns,
 * in the order that -o chose; or with -J one JSON object a line (RFC 8259).
 */
#define OUT_COLUMNS_MAX 24

enum out_form { OUT_TEXT, OUT_NUMBER, OUT_BOOL };

struct out_column {
	const char *name;
	enum out_form form;
};

struct out {
	const struct out_column *columns;
	size_t len;
	size_t order[OUT_COLUMNS_MAX], order_len;
	bool header, json;
};

/*
 * columns[0..len-1] are all there are.  chosen: "a,b,c" or NULL for all.
 * -1 when a name is unknown or named twice (errno EINVAL).
 */
int out_init(struct out *o, const struct out_column *columns, size_t len,
    const char *chosen, bool header, bool json);
/* The header line, if it is wanted; never with JSON. */
void out_header(const struct out *o);
/*
 * One record: values[i] belongs to columns[i]; NULL or "" is unknown ("-",
 * JSON null).  Control bytes are shown as '?', in JSON they are escaped, and
 * bytes that are no UTF-8 become U+FFFD there.  An OUT_BOOL value is "yes" or
 * "no" ("true", "false", "1", "0" are taken too).  A value that is not of its
 * column's form is shown as text, in JSON as a string.
 */
void out_row(const struct out *o, const char *const *values);
/*
 * Flushes; -1 with errno when standard output failed, now or earlier.  May be
 * called after any row.
 */
int out_end(void);

#endif
