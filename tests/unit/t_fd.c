/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/clock.h"
#include "sys/fd.h"
#include "tap.h"

static bool
is_open(int fd)
{
	return fcntl(fd, F_GETFD) != -1;
}

static bool
is_cloexec(int fd)
{
	return (fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0;
}

static bool
is_nonblock(int fd)
{
	return (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0;
}

static void
make_pipe(int fd[2])
{
	if (fd_pipe(fd) == -1)
		abort();
}

static void
close_pipe(int fd[2])
{
	close(fd[0]);
	close(fd[1]);
}

static void
pipe_is_closed_on_exec_and_blocks(void)
{
	int fd[2];

	make_pipe(fd);
	ok(is_cloexec(fd[0]) && is_cloexec(fd[1]), "both ends close-on-exec");
	ok(!is_nonblock(fd[0]) && !is_nonblock(fd[1]), "both ends block");
	ok(fd_nonblock(fd[0], true) == 0 && is_nonblock(fd[0]), "nonblock on");
	ok(fd_nonblock(fd[0], false) == 0 && !is_nonblock(fd[0]), "and off");
	ok(fd_cloexec(fd[0], false) == 0 && !is_cloexec(fd[0]), "cloexec off");
	ok(fd_cloexec(fd[0], true) == 0 && is_cloexec(fd[0]), "and on");
	ok(fd_nonblock(-1, true) == -1 && errno == EBADF, "nonblock of none");
	ok(fd_cloexec(-1, true) == -1 && errno == EBADF, "cloexec of none");
	close_pipe(fd);
}

/* Runs f in a process of its own, so that it may close what it likes. */
static int
status_of(int (*f)(void))
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0)
		_exit(f());
	if (pid == -1 || waitpid(pid, &status, 0) == -1 || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

static int
close_two_and_open(void)
{
	int closed;

	close(0);
	close(2);
	closed = fd_std_open();
	if (closed != (1 | 4) || !is_open(0) || !is_open(2))
		return 1;
	if (fd_std_open() != 0)
		return 2;
	return write(2, "x", 1) == 1 && read(0, &closed, 1) == 0 ? 0 : 3;
}

static int
close_all_but_some(void)
{
	int keep[] = { 20, 7, 9, 7, 1000 }, fd, wrong = 0;

	for (fd = 3; fd < 30; fd++)
		if (dup2(0, fd) == -1)
			return 1;
	if (dup2(0, 400) == -1 || dup2(0, 401) == -1)
		return 1;
	fd_close_from(5, keep, 5);
	for (fd = 0; fd < 500; fd++)
		wrong += is_open(fd) != (fd < 5 || fd == 7 || fd == 9 ||
		    fd == 20);
	return wrong;
}

static int
close_all(void)
{
	int fd, wrong = 0;

	if (dup2(0, 300) == -1)
		return 1;
	fd_close_from(3, NULL, 0);
	for (fd = 0; fd < 500; fd++)
		wrong += is_open(fd) != (fd < 3);
	return wrong;
}

static void
closed_standard_descriptors_are_filled(void)
{
	is_u64((uint64_t)status_of(close_two_and_open), 0,
	    "0 and 2 become /dev/null");
}

static void
only_the_kept_stay_open(void)
{
	is_u64((uint64_t)status_of(close_all_but_some), 0, "kept ones stay");
	is_u64((uint64_t)status_of(close_all), 0, "none to keep");
}

/* Fills a non-blocking pipe; bytes that it took. */
static size_t
fill(int fd)
{
	static const char block[4096];
	size_t size = 0;
	ssize_t n;

	fd_nonblock(fd, true);
	while ((n = write(fd, block, sizeof(block))) > 0)
		size += (size_t)n;
	fd_nonblock(fd, false);
	return size;
}

static void
pipe_size_is_true(void)
{
	int fd[2];
	size_t size;

	make_pipe(fd);
	size = fd_pipe_size(fd[0], 262144);
	ok(size == 65536 || size == 262144, "65536 or what was wanted");
	ok(fill(fd[1]) == size, "and that much fits");
	ok(fd_pipe_size(fd[0], 1) == size, "never smaller");
	ok(fd_pipe_size(-1, 1) == 65536, "nothing is known of no pipe");
	close_pipe(fd);
}

static void
reopened_end_blocks_on_its_own(void)
{
	int fd[2], again, null;

	make_pipe(fd);
	again = fd_reopen_nonblock(fd[1], O_WRONLY);
	if (again == -1) {
		ok(errno == ENOSYS, "the system cannot reopen a pipe");
	} else {
		ok(is_nonblock(again) && !is_nonblock(fd[1]),
		    "only the new one does not block");
		ok(is_cloexec(again), "it is close-on-exec");
		close(again);
	}
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	ok(fd_reopen_nonblock(null, O_RDWR) == -1 && errno == EINVAL,
	    "no pipe, no terminal");
	ok(fd_reopen_nonblock(-1, O_RDWR) == -1 && errno == EBADF, "none");
	close(null);
	close_pipe(fd);
}

static void
tee_leaves_the_bytes_in_place(void)
{
	int from[2], to[2];
	char a[8] = "", b[8] = "";
	ssize_t n;

	make_pipe(from);
	make_pipe(to);
	ok(write(from[1], "hello", 5) == 5, "five bytes in a pipe");
	n = fd_tee(from[0], to[1], 100);
	if (n == -1) {
		ok(errno == ENOSYS, "the system has no tee");
	} else {
		is_u64((uint64_t)n, 5, "all are copied");
		ok(read(from[0], a, 7) == 5 && read(to[0], b, 7) == 5,
		    "and can be read twice");
		is_str(a, b, "the same bytes");
		ok(fd_tee(from[0], to[1], 100) == 0, "nothing to copy: 0");
		ok(write(from[1], "x", 1) == 1 && fill(to[1]) > 0, "full");
		ok(fd_tee(from[0], to[1], 100) == 0, "no room: 0");
	}
	close_pipe(from);
	close_pipe(to);
}

static void
file_goes_into_a_pipe(void)
{
	char name[] = "/tmp/t_fd.XXXXXX", got[8] = "";
	int to[2], file;
	ssize_t n;

	file = mkstemp(name);
	if (file == -1 || write(file, "0123456789", 10) != 10)
		abort();
	unlink(name);
	make_pipe(to);
	n = fd_splice_file(file, 4, to[1], 3);
	if (n == -1) {
		ok(errno == ENOSYS, "the system has no splice");
	} else {
		ok(n == 3 && read(to[0], got, 7) == 3, "three bytes moved");
		is_str(got, "456", "from the place that was asked for");
		ok(fd_splice_file(file, 10, to[1], 3) == 0, "end of file: 0");
		fill(to[1]);
		ok(fd_splice_file(file, 0, to[1], 3) == 0, "no room: 0");
	}
	close(file);
	close_pipe(to);
}

static void
write_all_gives_up_in_time(void)
{
	static char block[200000];
	int fd[2], blocking;
	uint64_t start;

	for (blocking = 0; blocking <= 1; blocking++) {
		make_pipe(fd);
		fd_nonblock(fd[1], blocking == 0);
		start = clock_now();
		ok(fd_write_all(fd[1], block, sizeof(block), 20) == -1 &&
		    errno == ETIMEDOUT, "nobody reads: ETIMEDOUT");
		ok(clock_now() - start >= 20 * UINT64_C(1000000),
		    "not before its time");
		close_pipe(fd);
	}
}

static void
write_all_writes_all(void)
{
	static char block[300000], got[300000];
	int fd[2], nonblock;
	size_t at, i;
	ssize_t n;
	pid_t pid;

	for (i = 0; i < sizeof(block); i++)
		block[i] = (char)(i * 7 >> 3);
	for (nonblock = 0; nonblock <= 1; nonblock++) {
		make_pipe(fd);
		fd_nonblock(fd[1], nonblock == 1);
		pid = fork();
		if (pid == 0)
			_exit(fd_write_all(fd[1], block, sizeof(block),
			    10000) == 0 ? 0 : 1);
		close(fd[1]);
		for (at = 0; at < sizeof(got); at += (size_t)n) {
			n = read(fd[0], got + at, sizeof(got) - at);
			if (n <= 0)
				break;
		}
		ok(at == sizeof(got) && memcmp(got, block, at) == 0,
		    "every byte arrived");
		waitpid(pid, NULL, 0);
		close(fd[0]);
	}
}

static void
write_all_tells_of_a_gone_reader(void)
{
	int fd[2];

	signal(SIGPIPE, SIG_IGN);
	make_pipe(fd);
	close(fd[0]);
	ok(fd_write_all(fd[1], "x", 1, 1000) == -1 && errno == EPIPE, "EPIPE");
	close(fd[1]);
	ok(fd_write_all(-1, "x", 1, 1000) == -1 && errno == EBADF, "EBADF");
}

int
main(void)
{
	alarm(60);
	ok(clock_wall_ms() > UINT64_C(1600000000000), "the wall clock is set");
	pipe_is_closed_on_exec_and_blocks();
	closed_standard_descriptors_are_filled();
	only_the_kept_stay_open();
	pipe_size_is_true();
	reopened_end_blocks_on_its_own();
	tee_leaves_the_bytes_in_place();
	file_goes_into_a_pipe();
	write_all_gives_up_in_time();
	write_all_writes_all();
	write_all_tells_of_a_gone_reader();
	return done_testing();
}
