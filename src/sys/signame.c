/* SPDX-License-Identifier: ISC */
#include "sys/signame.h"

#include <signal.h>
#include <stddef.h>
#include <string.h>

#include "base/num.h"

/* The signals of POSIX that can be sent to a program to some purpose. */
static const struct {
	const char *name;
	int number;
} signals[] = {
	{ "ABRT", SIGABRT },
	{ "ALRM", SIGALRM },
	{ "CONT", SIGCONT },
	{ "HUP", SIGHUP },
	{ "INT", SIGINT },
	{ "KILL", SIGKILL },
	{ "PIPE", SIGPIPE },
	{ "QUIT", SIGQUIT },
	{ "STOP", SIGSTOP },
	{ "TERM", SIGTERM },
	{ "TSTP", SIGTSTP },
	{ "USR1", SIGUSR1 },
	{ "USR2", SIGUSR2 },
	{ "WINCH", SIGWINCH },
};

int
signame_number(const char *text)
{
	uint32_t number;
	size_t i;

	if (num_u32(text, 1, 127, &number))
		return (int)number;
	if (strncmp(text, "SIG", 3) == 0)
		text += 3;
	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		if (strcmp(text, signals[i].name) == 0)
			return signals[i].number;
	return 0;
}
