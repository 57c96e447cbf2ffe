/* SPDX-License-Identifier: ISC */
/*
 * datagram SOCKET: makes a UNIX datagram socket there, prints an empty line
 * when it is ready, then each datagram that comes as one line, until it is
 * killed.  It stands for an init system's NOTIFY_SOCKET.
 */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
	struct sockaddr_un a;
	char text[512];
	ssize_t n;
	int fd;

	if (argc != 2)
		return 99;
	memset(&a, 0, sizeof(a));
	a.sun_family = AF_UNIX;
	(void)snprintf(a.sun_path, sizeof(a.sun_path), "%s", argv[1]);
	fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	if (fd == -1 || bind(fd, (struct sockaddr *)&a, sizeof(a)) == -1) {
		perror(argv[1]);
		return 99;
	}
	do {
		printf("\n");
		if (fflush(stdout) != 0)
			return 99;
		n = recv(fd, text, sizeof(text) - 1, 0);
		text[n > 0 ? n : 0] = '\0';
		printf("%s", text);
	} while (n >= 0);
	return 0;
}
