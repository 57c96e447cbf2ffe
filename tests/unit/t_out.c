/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/out.h"
#include "tap.h"

static const struct out_column columns[] = {
	{ "name", OUT_TEXT },
	{ "rank", OUT_NUMBER },
	{ "ready", OUT_BOOL },
};

#define COLUMNS (sizeof(columns) / sizeof(columns[0]))

static char text[4096];

/* What out_header() and out_row() print, into text. */
static const char *
printed(const struct out *o, const char *const *values)
{
	int keep = dup(STDOUT_FILENO);
	FILE *f = tmpfile();
	size_t n = 0;

	fflush(stdout);
	if (f == NULL || keep == -1 || dup2(fileno(f), STDOUT_FILENO) == -1)
		abort();
	out_header(o);
	out_row(o, values);
	if (out_end() == 0) {
		rewind(f);
		n = fread(text, 1, sizeof(text) - 1, f);
	}
	text[n] = '\0';
	dup2(keep, STDOUT_FILENO);
	close(keep);
	fclose(f);
	return text;
}

static void
text_has_tabs_and_chosen_columns(void)
{
	const char *const row[] = { "a b", "7", "yes" };
	struct out o;

	ok(out_init(&o, columns, COLUMNS, NULL, true, false) == 0, "all");
	is_str(printed(&o, row), "name\trank\tready\na b\t7\tyes\n",
	    "a header and a record");
	ok(out_init(&o, columns, COLUMNS, "ready,name", false, false) == 0,
	    "two of them");
	is_str(printed(&o, row), "yes\ta b\n", "in the order chosen");
}

static void
wrong_choices_are_refused(void)
{
	static const char *const bad[] = { "", "nam", "names", "name,",
		",name", "name,,rank", "name,name", "Name" };
	struct out o;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		errno = 0;
		ok(out_init(&o, columns, COLUMNS, bad[i], false, false) ==
		    -1 && errno == EINVAL, "\"%s\" is refused", bad[i]);
	}
}

static void
unknown_is_a_dash_or_null(void)
{
	const char *const row[] = { NULL, "", NULL };
	struct out o;

	out_init(&o, columns, COLUMNS, NULL, false, false);
	is_str(printed(&o, row), "-\t-\t-\n", "text: a dash");
	out_init(&o, columns, COLUMNS, NULL, true, true);
	is_str(printed(&o, row),
	    "{\"name\":null,\"rank\":null,\"ready\":null}\n",
	    "JSON: null, and no header");
}

static void
values_keep_their_form(void)
{
	const char *const row[] = { "12", "-1.5e+3", "true" };
	const char *const odd[] = { "yes", "007", "maybe" };
	const char *const no[] = { "x", "0", "0" };
	struct out o;

	out_init(&o, columns, COLUMNS, NULL, false, true);
	is_str(printed(&o, row),
	    "{\"name\":\"12\",\"rank\":-1.5e+3,\"ready\":true}\n",
	    "text is quoted, numbers and booleans are not");
	is_str(printed(&o, odd),
	    "{\"name\":\"yes\",\"rank\":\"007\",\"ready\":\"maybe\"}\n",
	    "what is no number or boolean is a string");
	is_str(printed(&o, no),
	    "{\"name\":\"x\",\"rank\":0,\"ready\":false}\n", "zero and no");
	out_init(&o, columns, COLUMNS, "ready", false, false);
	is_str(printed(&o, row), "yes\n", "text: yes");
	is_str(printed(&o, no), "no\n", "text: no");
}

static void
only_numbers_are_numbers(void)
{
	static const char *const good[] = { "0", "-0", "10", "1.0", "1E5",
		"0.5e-7", "18446744073709551615" };
	static const char *const bad[] = { "-", "+1", "01", "1.", ".5", "1e",
		"1e+", "0x1", " 1", "1 ", "nan", "--1" };
	const char *row[] = { NULL, NULL, NULL };
	char want[64];
	struct out o;
	size_t i;

	out_init(&o, columns, COLUMNS, "rank", false, true);
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		row[1] = good[i];
		snprintf(want, sizeof(want), "{\"rank\":%s}\n", good[i]);
		is_str(printed(&o, row), want, "%s is one", good[i]);
	}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		row[1] = bad[i];
		snprintf(want, sizeof(want), "{\"rank\":\"%s\"}\n", bad[i]);
		is_str(printed(&o, row), want, "%s is none", bad[i]);
	}
}

static void
strings_are_escaped(void)
{
	const char *row[] = { "q\" b\\ /\n\t\r\b\001\177", NULL, NULL };
	struct out o;

	out_init(&o, columns, COLUMNS, "name", false, true);
	is_str(printed(&o, row), "{\"name\":\"q\\\" b\\\\ /\\n\\t\\r\\u0008"
	    "\\u0001\\u007f\"}\n", "JSON escapes");
	row[0] = "\303\244 \342\202\254 \360\237\230\200";
	is_str(printed(&o, row), "{\"name\":\"\303\244 \342\202\254 "
	    "\360\237\230\200\"}\n", "UTF-8 goes through");
	row[0] = "\303( \300\257 \355\240\200 \364\220\200\200 \377 \342\202";
	is_str(printed(&o, row), "{\"name\":\"\\ufffd( \\ufffd\\ufffd "
	    "\\ufffd\\ufffd\\ufffd \\ufffd\\ufffd\\ufffd\\ufffd \\ufffd "
	    "\\ufffd\\ufffd\"}\n", "bad UTF-8 does not");
	out_init(&o, columns, COLUMNS, "name", false, false);
	row[0] = "a\tb\nc\033d\303\244";
	is_str(printed(&o, row), "a?b?c?d\303\244\n",
	    "text: one line, no extra columns");
}

static void
failure_of_standard_output_is_told(void)
{
	const char *const row[] = { "a", "1", "yes" };
	struct out o;
	int status = 0;
	pid_t pid;

	out_init(&o, columns, COLUMNS, NULL, false, false);
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		close(STDOUT_FILENO);
		out_row(&o, row);
		_exit(out_end() == -1 && errno == EBADF ? 0 : 1);
	}
	waitpid(pid, &status, 0);
	ok(WIFEXITED(status) && WEXITSTATUS(status) == 0,
	    "-1 with its errno");
}

int
main(void)
{
	text_has_tabs_and_chosen_columns();
	wrong_choices_are_refused();
	unknown_is_a_dash_or_null();
	values_keep_their_form();
	only_numbers_are_numbers();
	strings_are_escaped();
	failure_of_standard_output_is_told();
	return done_testing();
}
