/* SPDX-License-Identifier: ISC */
/*
 * fresh COMMAND [ARG...]: executes it with every signal as a program finds it
 * that was started in the foreground.  A shell that is no terminal's ignores
 * INT and QUIT in what it starts with "&".
 */
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
	sigset_t none;
	int sig;

	if (argc < 2)
		return 99;
	for (sig = 1; sig < 32; sig++)
		if (sig != SIGKILL && sig != SIGSTOP)
			(void)signal(sig, SIG_DFL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	execvp(argv[1], argv + 1);
	perror(argv[1]);
	return 99;
}
