/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/sock.h"

#include "tap.h"

static char dir[] = "/tmp/t_sock.XXXXXX";
static char path[64];

static bool
is_ours(int fd)
{
	return (fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0 &&
	    (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0;
}

/* rmdir(2) is the one to ask. */
static bool
dir_is_empty(void)
{
	if (rmdir(dir) == -1)
		return false;
	return mkdir(dir, 0700) == 0;
}

static void
listener_is_private_and_replaces_a_stale_one(void)
{
	struct stat st;
	int first, second, fd, peer;

	first = sock_listen(path, 4);
	ok(first != -1 && is_ours(first), "listens");
	ok(lstat(path, &st) == 0 && S_ISSOCK(st.st_mode) &&
	    (st.st_mode & 0777) == 0600, "mode 0600");
	ok(sock_accept(first) == -1 && errno == EAGAIN, "nobody waits");
	second = sock_listen(path, 4);
	ok(second != -1, "a second one takes the name");
	fd = sock_connect(path);
	ok(fd != -1 && is_ours(fd), "connects");
	ok(sock_accept(first) == -1 && errno == EAGAIN, "not to the first");
	peer = sock_accept(second);
	ok(peer != -1 && is_ours(peer), "but to the second");
	close(peer);
	close(fd);
	close(first);
	close(second);
	ok(sock_connect(path) == -1 && errno == ECONNREFUSED, "stale");
	unlink(path);
	ok(sock_connect(path) == -1 && errno == ENOENT, "absent");
	ok(dir_is_empty(), "no temporary name is left");
}

static void
listener_replaces_nothing_but_sockets(void)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	close(fd);
	ok(sock_listen(path, 4) == -1 && errno == EEXIST, "a file stays");
	unlink(path);
	ok(dir_is_empty(), "nothing is left behind");
}

static void
path_has_a_limit(void)
{
	char longest[SOCK_PATH_MAX + 2];
	size_t len = strlen(dir);
	int fd, peer;

	memset(longest, 'x', sizeof(longest));
	memcpy(longest, dir, len);
	longest[len] = '/';
	longest[SOCK_PATH_MAX + 1] = '\0';
	ok(sock_listen(longest, 1) == -1 && errno == ENAMETOOLONG &&
	    sock_connect(longest) == -1 && errno == ENAMETOOLONG,
	    "one byte too long");
	longest[SOCK_PATH_MAX] = '\0';
	fd = sock_listen(longest, 1);
	peer = sock_connect(longest);
	ok(fd != -1 && peer != -1, "the longest path is usable");
	close(fd);
	close(peer);
	unlink(longest);
	ok(sock_listen("", 1) == -1 && errno == ENOENT, "no path");
	ok(sock_listen("/nowhere/at/all", 1) == -1 && errno == ENOENT,
	    "no directory");
}

static void
full_backlog_is_told(void)
{
	int listener = sock_listen(path, 1), fds[64];
	size_t len = 0, i;

	while (len < 64 && (fds[len] = sock_connect(path)) != -1)
		len++;
	ok(len < 64 && (errno == EAGAIN || errno == ECONNREFUSED),
	    "refused after %zu", len);
	for (i = 0; i < len; i++)
		close(fds[i]);
	close(listener);
	unlink(path);
}

static void
peer_is_known(void)
{
	struct sock_peer p;
	int fd[2], listener, caller, peer;

	if (sock_pair(fd) == -1)
		abort();
	ok(is_ours(fd[0]) && is_ours(fd[1]), "a pair");
	if (sock_peer(fd[0], &p) == -1) {
		ok(errno == ENOSYS, "the system knows no peers");
	} else {
		ok(p.uid == geteuid() && p.gid == getegid(), "of a pair");
		listener = sock_listen(path, 4);
		caller = sock_connect(path);
		peer = sock_accept(listener);
		memset(&p, 0xff, sizeof(p));
		ok(sock_peer(peer, &p) == 0 && p.uid == geteuid() &&
		    (p.pid == -1 || p.pid == getpid()), "of a client");
		memset(&p, 0xff, sizeof(p));
		ok(sock_peer(caller, &p) == 0 && p.uid == geteuid() &&
		    (p.pid == -1 || p.pid == getpid()), "of a server");
		close(caller);
		close(peer);
		close(listener);
		unlink(path);
	}
	close(fd[0]);
	close(fd[1]);
	ok(sock_peer(fd[0], &p) == -1, "of no socket");
}

static void
bytes_come_and_end(void)
{
	int fd[2], fds[SOCK_FDS_MAX];
	size_t len = 7;
	char got[8] = "";

	if (sock_pair(fd) == -1)
		abort();
	ok(sock_recv(fd[1], got, 4, fds, &len) == -1 &&
	    (errno == EAGAIN || errno == EWOULDBLOCK) && len == 0,
	    "nothing there");
	ok(sock_send(fd[0], "abc", 3, NULL, 0) == 3, "three bytes");
	ok(sock_recv(fd[1], got, 7, fds, &len) == 3 && len == 0, "arrive");
	is_str(got, "abc", "as they were");
	close(fd[0]);
	is_u64((uint64_t)sock_recv(fd[1], got, 4, fds, &len), 0, "the end");
	ok(sock_send(fd[1], "x", 1, NULL, 0) == -1 && errno == EPIPE,
	    "EPIPE, no signal");
	close(fd[1]);
}

static void
descriptors_ride_along(void)
{
	int fd[2], pipes[2], sent[SOCK_FDS_MAX], fds[SOCK_FDS_MAX];
	size_t len, i;
	char got[8] = "";

	if (sock_pair(fd) == -1 || pipe(pipes) == -1)
		abort();
	for (i = 0; i < SOCK_FDS_MAX; i++)
		sent[i] = pipes[1];
	for (i = 1; i <= SOCK_FDS_MAX; i++) {
		ok(sock_send(fd[0], "x", 1, sent, i) == 1, "%zu sent", i);
		ok(sock_recv(fd[1], got, 7, fds, &len) == 1 && len == i,
		    "%zu came", i);
		ok((fcntl(fds[i - 1], F_GETFD) & FD_CLOEXEC) != 0,
		    "close-on-exec");
		ok(write(fds[i - 1], "y", 1) == 1 &&
		    read(pipes[0], got, 7) == 1 && got[0] == 'y',
		    "the same pipe");
		while (len > 0)
			close(fds[--len]);
	}
	for (i = 0; i < 2; i++) {
		close(pipes[i]);
		close(fd[i]);
	}
}

/* The lowest free number, to see whether descriptors leak. */
static int
lowest_free(void)
{
	int fd = dup(0);

	close(fd);
	return fd;
}

static void
cut_of_a_read_is_known(void)
{
	int before = lowest_free(), last = sock_fds_come_last();

	ok(last == 0 || last == 1, "last %d", last);
	is_u64((uint64_t)lowest_free(), (uint64_t)before, "nothing is left");
}

int
main(void)
{
	alarm(60);
	if (mkdtemp(dir) == NULL)
		abort();
	snprintf(path, sizeof(path), "%s/s", dir);
	listener_is_private_and_replaces_a_stale_one();
	listener_replaces_nothing_but_sockets();
	path_has_a_limit();
	full_backlog_is_told();
	peer_is_known();
	bytes_come_and_end();
	descriptors_ride_along();
	cut_of_a_read_is_known();
	ok(rmdir(dir) == 0, "the directory is empty");
	return done_testing();
}
