/* SPDX-License-Identifier: ISC */
/*
 * orcm-conf: checks a configuration, prints it in its canonical form,
 * compares two, and asks one for a value.  It needs no DVM.  Problems go to
 * standard error as "file:line: what; remedy", the way compilers write them,
 * so that editors find the place; standard output has records alone.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/num.h"
#include "lib/confload.h"
#include "lib/confplug.h"
#include "lib/tool.h"
#include "sys/log.h"

static const struct out_column check_columns[] = {
	{ "dvm", OUT_TEXT },	 { "hash", OUT_TEXT },
	{ "nodes", OUT_NUMBER }, { "groups", OUT_NUMBER },
	{ "apps", OUT_NUMBER },	 { "replicas", OUT_NUMBER },
	{ "plugins", OUT_NUMBER }, { "warnings", OUT_NUMBER },
};

static const struct out_column diff_columns[] = {
	{ "what", OUT_TEXT }, { "keyword", OUT_TEXT }, { "name", OUT_TEXT },
	{ "key", OUT_TEXT },  { "old", OUT_TEXT },     { "new", OUT_TEXT },
	{ "class", OUT_TEXT },
};

static const struct out_column name_columns[] = {
	{ "name", OUT_TEXT },
};

static const struct out_column key_columns[] = {
	{ "key", OUT_TEXT },	{ "value", OUT_TEXT },
	{ "usual", OUT_BOOL }, { "class", OUT_TEXT },
};

static const struct out_column value_columns[] = {
	{ "value", OUT_TEXT },
};

#define LEN(a) (sizeof(a) / sizeof((a)[0]))
#define COLUMNS(t, o, columns) tool_columns(t, o, columns, LEN(columns))

/* What was found wrong, each with its place. */
static void
print_errors(const struct conf *c)
{
	const struct conf_error *e;
	uint32_t i;

	for (i = 0; i < c->errors_len; i++) {
		e = &c->errors[i];
		fprintf(stderr, "%s:", e->place.file);
		if (e->place.line > 0)
			fprintf(stderr, "%lu:", (unsigned long)e->place.line);
		fprintf(stderr, " %s%s\n", e->warning ? "warning: " : "",
		    e->text);
	}
	if (c->errors_lost > 0)
		fprintf(stderr, "%lu more\n", (unsigned long)c->errors_lost);
}

/* The one in use when source is NULL.  Exits with 100 when it is not good. */
static struct conf *
load(const char *source, bool trusted)
{
	struct conf *c = confload_new();
	char path[PATH_ROOM];
	bool good;

	if (c == NULL)
		die_sys(EXIT_TEMP, "memory for the configuration");
	if (source == NULL) {
		trusted = true;
		source = path;
		if (path_conf(path) == -1)
			die_sys(EXIT_USAGE, "where the configuration is; "
			    "name it with -c");
	}
	good = confload(c, source, trusted);
	if (good)
		confplug_check(c);
	if (!good || c->bad) {
		print_errors(c);
		exit(EXIT_USAGE);
	}
	return c;
}

/* A number as text, for a row. */
struct number {
	char text[NUM_TEXT_MAX];
};

static const char *
number(struct number *n, uint64_t v)
{
	(void)num_text(n->text, sizeof(n->text), v);
	return n->text;
}

static int
check(struct tool *t, const char *source, bool trusted)
{
	struct number n[6];
	struct out out;
	struct conf *c;
	char hash[20];
	uint32_t i;
	uint64_t replicas = 0;

	COLUMNS(t, &out, check_columns);
	c = load(source, trusted);
	print_errors(c);
	for (i = 0; i < c->apps_len; i++)
		replicas += c->apps[i].replicas;
	(void)snprintf(hash, sizeof(hash), "%016llx",
	    (unsigned long long)c->hash);
	{
		const char *values[] = {
			c->dvm.name,
			hash,
			number(&n[0], c->nodes_len),
			number(&n[1], c->groups_len),
			number(&n[2], c->apps_len),
			number(&n[3], replicas),
			number(&n[4], c->plugins_len),
			number(&n[5], c->errors_len + c->errors_lost),
		};

		out_header(&out);
		out_row(&out, values);
	}
	confload_free(c);
	return EXIT_YES;
}

static void
put(void *arg, const char *text, size_t size)
{
	(void)fwrite(text, 1, size, arg);
}

static int
print(const char *source, bool trusted)
{
	struct conf *c = load(source, trusted);

	(void)conf_print(c, put, stdout);
	confload_free(c);
	return EXIT_YES;
}

static int
diff(struct tool *t, const char *old_source, const char *new_source)
{
	static struct conf_diff d;
	struct conf *old, *new;
	struct out out;
	bool differ = false;

	COLUMNS(t, &out, diff_columns);
	old = load(old_source, false);
	new = load(new_source, false);
	conf_diff(&d, old, new);
	out_header(&out);
	while (conf_diff_next(&d)) {
		const char *values[] = {
			conf_what_name(d.what),
			conf_keyword_name(d.keyword),
			d.name,
			d.key,
			d.old,
			d.new,
			conf_class_name(d.class),
		};

		out_row(&out, values);
		differ = true;
	}
	confload_free(old);
	confload_free(new);
	return differ ? EXIT_NO : EXIT_YES;
}

/* get KEYWORD */
static int
get_names(struct tool *t, const struct conf *c, enum conf_keyword k)
{
	const char *values[1];
	struct out out;
	uint32_t i;

	COLUMNS(t, &out, name_columns);
	out_header(&out);
	for (i = 0; i < conf_len(c, k); i++) {
		values[0] = conf_name(c, k, i);
		out_row(&out, values);
	}
	return EXIT_YES;
}

/* get KEYWORD NAME */
static int
get_keys(struct tool *t, const struct conf *c, enum conf_keyword k, uint32_t i)
{
	static struct conf_item item;
	struct out out;
	uint32_t at = 0;

	COLUMNS(t, &out, key_columns);
	out_header(&out);
	while (conf_item(c, k, i, &at, &item)) {
		const char *values[] = {
			item.key,
			item.value,
			item.usual ? "yes" : "no",
			conf_class_name(item.class),
		};

		out_row(&out, values);
	}
	return EXIT_YES;
}

/* get KEYWORD NAME KEY: each of its values. */
static int
get_value(struct tool *t, const struct conf *c, enum conf_keyword k,
    uint32_t i, const char *key)
{
	static struct conf_item item;
	const char *values[] = { item.value };
	struct out out;
	uint32_t at = 0;
	int code = EXIT_NO;

	COLUMNS(t, &out, value_columns);
	out_header(&out);
	while (conf_item(c, k, i, &at, &item))
		if (strcmp(item.key, key) == 0) {
			out_row(&out, values);
			code = EXIT_YES;
		}
	return code;
}

static int
get(struct tool *t, const char *source, int len, char **words)
{
	enum conf_keyword k = 0;
	struct conf *c;
	uint32_t i;
	int code = EXIT_NO;

	while (k < CONF_KEYWORDS && strcmp(conf_keyword_name(k), words[0]) != 0)
		k++;
	if (k == CONF_KEYWORDS)
		die(EXIT_USAGE, "get %s: ask for dvm, node, group, app or "
		    "plugin", words[0]);
	c = load(source, true);
	if (len == 1) {
		code = get_names(t, c, k);
	} else {
		i = conf_find(c, k, words[1]);
		if (i != CONF_NONE)
			code = len == 2 ? get_keys(t, c, k, i) :
					  get_value(t, c, k, i, words[2]);
	}
	confload_free(c);
	return code;
}

static int
run(struct tool *t, const char *source, int len, char **words)
{
	const char *act = len > 0 ? words[0] : "";
	const char *from = len > 1 ? words[1] : source;

	if (strcmp(act, "check") == 0 && len <= 2)
		return check(t, from, len == 1);
	if (strcmp(act, "print") == 0 && len <= 2)
		return print(from, len == 1);
	if (strcmp(act, "diff") == 0 && len == 3)
		return diff(t, words[1], words[2]);
	if (strcmp(act, "get") == 0 && len >= 2 && len <= 4)
		return get(t, source, len - 1, words + 1);
	tool_usage(t);
}

int
main(int argc, char **argv)
{
	const char *source = NULL;
	struct tool t;
	int c;

	tool_init(&t, "orcm-conf", "[-JVh] [-c source] [-o columns] "
	    "check [source] | print [source] | diff old new | "
	    "get keyword [name [key]]");
	while ((c = getopt(argc, argv, "+JVc:ho:")) != -1)
		if (c == 'c')
			source = optarg;
		else
			tool_option(&t, c);
	c = run(&t, source, argc - optind, argv + optind);
	tool_flush();
	return c;
}
