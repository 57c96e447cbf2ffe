/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/lock.h"
#include "tap.h"

static char dir[] = "/tmp/t_lock.XXXXXX", path[64];

/* A child that holds the lock once this returns; 0 when it failed. */
static pid_t
start_holder(void)
{
	int fd[2];
	char c;
	pid_t pid, other;

	if (pipe(fd) == -1)
		return 0;
	pid = fork();
	if (pid == 0) {
		if (lock_take(path, &other) != -1 && write(fd[1], "", 1) == 1)
			pause();
		_exit(1);
	}
	close(fd[1]);
	if (read(fd[0], &c, 1) != 1)
		pid = 0;
	close(fd[0]);
	return pid;
}

static void
stop_holder(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void
lock_is_taken_once(void)
{
	pid_t pid, holder = -1;
	int fd;

	is_u64((uint64_t)lock_holder(path), 0, "no file, no holder");
	pid = start_holder();
	if (!ok(pid > 0, "another process takes it"))
		return;
	fd = lock_take(path, &holder);
	ok(fd == -1 && errno == EAGAIN, "it cannot be taken again");
	is_u64((uint64_t)holder, (uint64_t)pid, "the holder is named");
	is_u64((uint64_t)lock_holder(path), (uint64_t)pid, "to others too");
	stop_holder(pid);
	is_u64((uint64_t)lock_holder(path), 0, "kill -9 gives it up");
	fd = lock_take(path, &holder);
	ok(fd != -1, "then it can be taken");
	ok((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0, "close-on-exec");
	close(fd);
}

static void
removed_file_is_no_lock(void)
{
	pid_t pid, holder;
	struct stat st;
	int fd;

	pid = start_holder();
	if (!ok(pid > 0, "another process takes it"))
		return;
	unlink(path);
	fd = lock_take(path, &holder);
	ok(fd != -1, "the name is free after a removal");
	ok(lock_valid(fd, path), "the file of that name is ours");
	ok(lstat(path, &st) == 0 && (st.st_mode & 0777) == 0600,
	    "a new file of mode 0600");
	unlink(path);
	ok(!lock_valid(fd, path), "it is not when the name is gone");
	close(open(path, O_RDWR | O_CREAT, 0600));
	ok(!lock_valid(fd, path), "nor when it is another file's");
	close(fd);
	stop_holder(pid);
}

static void
links_and_missing_directories_are_errors(void)
{
	char link[80], none[80];
	pid_t holder;

	snprintf(link, sizeof(link), "%s/link", dir);
	snprintf(none, sizeof(none), "%s/none/lock", dir);
	ok(symlink(path, link) == 0 && lock_take(link, &holder) == -1 &&
	    errno != EAGAIN, "a link is not followed");
	ok(lock_holder(link) == -1, "nor asked");
	ok(lock_take(none, &holder) == -1 && errno == ENOENT,
	    "no directory: ENOENT");
	unlink(link);
}

int
main(void)
{
	if (mkdtemp(dir) == NULL)
		return 111;
	snprintf(path, sizeof(path), "%s/lock", dir);
	lock_is_taken_once();
	removed_file_is_no_lock();
	links_and_missing_directories_are_errors();
	unlink(path);
	rmdir(dir);
	return done_testing();
}
