/* SPDX-License-Identifier: ISC */
/*
 * orcm-info: the plug-ins that there are and the parameters that they take.
 * It asks the loader as a daemon of this user would, so what is active here
 * is what a job of this user gets.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/num.h"
#include "lib/tool.h"
#include "sys/log.h"
#include "sys/plug.h"

#define FILES_MAX 256u

static const struct out_column plugins[] = {
	{ "kind", OUT_TEXT },	  { "name", OUT_TEXT },
	{ "version", OUT_TEXT },  { "path", OUT_TEXT },
	{ "priority", OUT_NUMBER }, { "active", OUT_BOOL },
};

static const struct out_column parameters[] = {
	{ "kind", OUT_TEXT },	 { "name", OUT_TEXT },
	{ "parameter", OUT_TEXT }, { "default", OUT_TEXT },
	{ "text", OUT_TEXT },
};

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

static void
say(void *arg, const char *text)
{
	(void)arg;
	log_line(LOG_WARN, "%s", text);
}

static int
order(const void *a, const void *b)
{
	const struct plug_file *x = a, *y = b;
	int by = strcmp(x->plugin->kind, y->plugin->kind);

	if (by == 0)
		by = strcmp(x->plugin->name, y->plugin->name);
	if (by == 0)
		by = x->priority - y->priority;
	return by != 0 ? by : strcmp(x->path, y->path);
}

static void
print_plugin(const struct out *o, const struct plug_file *f)
{
	char priority[24];
	const char *values[] = {
		f->plugin->kind,
		f->plugin->name,
		f->plugin->version,
		f->path[0] != '\0' ? f->path : "builtin",
		priority,
		f->active ? "yes" : "no",
	};

	(void)num_text(priority, sizeof(priority), (uint64_t)f->priority);
	out_row(o, values);
}

static void
print_parameter(const struct out *o, const struct plug_file *f,
    const struct orcm_param *p)
{
	const char *values[] = {
		f->plugin->kind,
		f->plugin->name,
		p->name,
		p->value,
		p->text,
	};

	out_row(o, values);
}

static void
print_parameters(const struct out *o, const struct plug_file *f)
{
	const struct orcm_param *p = f->plugin->params;

	if (!f->active)
		return;
	for (; p != NULL && p->name != NULL; p++)
		print_parameter(o, f, p);
}

int
main(int argc, char **argv)
{
	static struct plug_file files[FILES_MAX];
	struct tool t;
	struct out out;
	bool params = false;
	size_t len, i;
	int c;

	tool_init(&t, "orcm-info", "[-JVhp] [-o columns]");
	while ((c = getopt(argc, argv, "+JVho:p")) != -1)
		if (c == 'p')
			params = true;
		else
			tool_option(&t, c);
	if (optind != argc)
		tool_usage(&t);
	tool_columns(&t, &out, params ? parameters : plugins,
	    params ? LEN(parameters) : LEN(plugins));
	len = plug_list(files, FILES_MAX, say, NULL);
	if (len == FILES_MAX)
		log_line(LOG_WARN, "only the first %u are shown", FILES_MAX);
	qsort(files, len, sizeof(files[0]), order);
	out_header(&out);
	for (i = 0; i < len; i++)
		if (params)
			print_parameters(&out, &files[i]);
		else
			print_plugin(&out, &files[i]);
	tool_flush();
	return EXIT_YES;
}
