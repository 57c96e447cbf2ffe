/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/require.h"
#include "compat/peer.h"
#include "compat/socket.h"
#include "sys/sock.h"

/*
 * UNIX stream sockets and what rides on them.  Nothing is kept here, nothing
 * waits, and nobody is trusted by a name: a directory's mode says who may
 * reach a socket, and the kernel says who did.
 *
 * Descriptors travel as ancillary data.  Systems agree that a recvmsg(2)
 * hands out at most one sender's set, and that it comes not after the byte
 * that it was sent with; they differ in where that call starts and ends.
 * sock_fds_come_last() finds out.
 */

#define NAME_ROOM 3 /* of a temporary name: '~' and two characters */

_Static_assert(SOCK_PATH_MAX + NAME_ROOM <
    sizeof(((struct sockaddr_un *)0)->sun_path), "paths fit an address");

union control {
	struct cmsghdr align;
	char room[CMSG_SPACE(SOCK_FDS_MAX * sizeof(int))];
};

static void
close_keep_errno(int fd)
{
	int kept = errno;

	close(fd);
	errno = kept;
}

/* path and suffix as an address; -1 and ENAMETOOLONG. */
static int
address(struct sockaddr_un *a, const char *path, const char *suffix)
{
	size_t len = strlen(path);

	if (len > SOCK_PATH_MAX) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if (len == 0) {
		errno = ENOENT;
		return -1;
	}
	memset(a, 0, sizeof(*a));
	a->sun_family = AF_UNIX;
	snprintf(a->sun_path, sizeof(a->sun_path), "%s%s", path, suffix);
	return 0;
}

/* Two processes that start at once seldom get the same. */
static void
temporary_suffix(char out[NAME_ROOM + 1])
{
	static const char digits[] = "0123456789abcdefghijklmnopqrstuv"
	    "wxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	unsigned long x = (unsigned long)getpid();

	out[0] = '~';
	out[1] = digits[x % 62];
	out[2] = digits[x / 62 % 62];
	out[3] = '\0';
}

/* Nothing but a socket is ever replaced. */
static int
check_replaceable(const char *path)
{
	struct stat st;

	if (lstat(path, &st) == -1)
		return errno == ENOENT ? 0 : -1;
	if (S_ISSOCK(st.st_mode))
		return 0;
	errno = EEXIST;
	return -1;
}

int
sock_listen(const char *path, int backlog)
{
	struct sockaddr_un a;
	char suffix[NAME_ROOM + 1];
	int fd, kept;

	temporary_suffix(suffix);
	if (address(&a, path, suffix) == -1 || check_replaceable(path) == -1 ||
	    check_replaceable(a.sun_path) == -1)
		return -1;
	fd = socket_make(AF_UNIX, SOCK_STREAM);
	if (fd == -1)
		return -1;
	unlink(a.sun_path);
	if (bind(fd, (const struct sockaddr *)&a, sizeof(a)) == -1)
		goto close_it;
	/* Nobody gets in between: until listen(2) all are refused. */
	if (chmod(a.sun_path, 0600) == -1 || listen(fd, backlog) == -1 ||
	    rename(a.sun_path, path) == -1)
		goto unlink_it;
	return fd;
unlink_it:
	kept = errno;
	unlink(a.sun_path);
	errno = kept;
close_it:
	close_keep_errno(fd);
	return -1;
}

int
sock_connect(const char *path)
{
	struct sockaddr_un a;
	int fd;

	if (address(&a, path, "") == -1)
		return -1;
	fd = socket_make(AF_UNIX, SOCK_STREAM);
	if (fd == -1)
		return -1;
	if (connect(fd, (const struct sockaddr *)&a, sizeof(a)) == 0)
		return fd;
	if (errno == EINPROGRESS || errno == EINTR || errno == EWOULDBLOCK)
		errno = EAGAIN;
	close_keep_errno(fd);
	return -1;
}

int
sock_accept(int fd)
{
	int new;

	/* Who gave up before its turn is not worth a word. */
	do
		new = socket_accept(fd);
	while (new == -1 && (errno == EINTR || errno == ECONNABORTED ||
	    errno == EPROTO));
	if (new == -1 && errno == EWOULDBLOCK)
		errno = EAGAIN;
	return new;
}

int
sock_peer(int fd, struct sock_peer *peer)
{
	return peer_get(fd, &peer->uid, &peer->gid, &peer->pid);
}

int
sock_pair(int fd[2])
{
	return socket_make_pair(AF_UNIX, SOCK_STREAM, fd);
}

ssize_t
sock_send(int fd, const void *data, size_t size, const int *fds,
    size_t fds_len)
{
	struct iovec iov;
	struct msghdr msg;
	struct cmsghdr *h;
	union control c;
	ssize_t n;

	REQUIRE(fds_len <= SOCK_FDS_MAX && (fds_len == 0 || size > 0));
	memset(&msg, 0, sizeof(msg));
	memset(&iov, 0, sizeof(iov));
	/* sendmsg(2) takes the same struct as recvmsg(2): no const there. */
	memcpy(&iov.iov_base, &data, sizeof(data));
	iov.iov_len = size;
	msg.msg_iov = &iov;
	msg.msg_iovlen = 1;
	if (fds_len > 0) {
		memset(&c, 0, sizeof(c));
		msg.msg_control = c.room;
		msg.msg_controllen = CMSG_SPACE(fds_len * sizeof(int));
		h = CMSG_FIRSTHDR(&msg);
		h->cmsg_level = SOL_SOCKET;
		h->cmsg_type = SCM_RIGHTS;
		h->cmsg_len = CMSG_LEN(fds_len * sizeof(int));
		memcpy(CMSG_DATA(h), fds, fds_len * sizeof(int));
	}
	do
		n = sendmsg(fd, &msg, MSG_NOSIGNAL);
	while (n == -1 && errno == EINTR);
	return n;
}

/* Takes the descriptors out of a received message; too many are closed. */
static size_t
take_fds(struct msghdr *msg, int fds[SOCK_FDS_MAX])
{
	struct cmsghdr *h;
	size_t at, len = 0;
	int fd;

	for (h = CMSG_FIRSTHDR(msg); h != NULL; h = CMSG_NXTHDR(msg, h)) {
		if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS)
			continue;
		for (at = CMSG_LEN(0); at + sizeof(fd) <= h->cmsg_len;
		    at += sizeof(fd)) {
			memcpy(&fd, (char *)h + at, sizeof(fd));
			if (len < SOCK_FDS_MAX)
				fds[len++] = fd;
			else
				close(fd);
		}
	}
	return len;
}

ssize_t
sock_recv(int fd, void *data, size_t size, int *fds, size_t *fds_len)
{
	struct iovec iov = { .iov_base = data, .iov_len = size };
	struct msghdr msg;
	union control c;
	ssize_t n;

	*fds_len = 0;
	do {
		memset(&msg, 0, sizeof(msg));
		msg.msg_iov = &iov;
		msg.msg_iovlen = 1;
		msg.msg_control = c.room;
		msg.msg_controllen = sizeof(c.room);
		n = socket_recvmsg(fd, &msg);
	} while (n == -1 && errno == EINTR);
	if (n == -1)
		return -1;
	*fds_len = take_fds(&msg, fds);
	return n;
}

int
sock_fds_come_last(void)
{
	int pair[2], fds[SOCK_FDS_MAX], last = -1;
	char bytes[4];
	size_t fds_len, i;
	ssize_t n;

	if (sock_pair(pair) == -1)
		return -1;
	if (sock_send(pair[0], "a", 1, NULL, 0) == 1 &&
	    sock_send(pair[0], "b", 1, &pair[0], 1) == 1) {
		n = sock_recv(pair[1], bytes, sizeof(bytes), fds, &fds_len);
		if (n > 0)
			last = fds_len > 0;
		for (i = 0; n > 0 && i < fds_len; i++)
			close(fds[i]);
	}
	close_keep_errno(pair[0]);
	close_keep_errno(pair[1]);
	return last;
}
