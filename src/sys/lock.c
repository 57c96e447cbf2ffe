/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/lock.h"

#define LOCK_TRIES_MAX 16 /* until somebody else's removals are over */

/* A write lock on the whole file. */
static struct flock
whole_file(void)
{
	struct flock l;

	memset(&l, 0, sizeof(l));
	l.l_type = F_WRLCK;
	l.l_whence = SEEK_SET;
	return l;
}

bool
lock_valid(int fd, const char *path)
{
	struct stat a, b;

	return fstat(fd, &a) == 0 && lstat(path, &b) == 0 &&
	    a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

static void
close_keep_errno(int fd)
{
	int kept = errno;

	close(fd);
	errno = kept;
}

int
lock_take(const char *path, pid_t *holder)
{
	struct flock l;
	int fd, tries;

	*holder = 0;
	for (tries = 0; tries < LOCK_TRIES_MAX; tries++) {
		fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
		    0600);
		if (fd == -1)
			return -1;
		l = whole_file();
		if (fcntl(fd, F_SETLK, &l) == 0) {
			if (lock_valid(fd, path))
				return fd;
			/* Its last owner removed it after our open(2). */
			close(fd);
			continue;
		}
		if (errno != EAGAIN && errno != EACCES) {
			close_keep_errno(fd);
			return -1;
		}
		l = whole_file();
		if (fcntl(fd, F_GETLK, &l) == 0 && l.l_type != F_UNLCK) {
			*holder = l.l_pid;
			close(fd);
			break;
		}
		/* It ended between the two calls: try again. */
		close(fd);
	}
	errno = EAGAIN;
	return -1;
}

pid_t
lock_holder(const char *path)
{
	struct flock l = whole_file();
	int fd;

	fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (fd == -1)
		return errno == ENOENT ? 0 : -1;
	if (fcntl(fd, F_GETLK, &l) == -1) {
		close_keep_errno(fd);
		return -1;
	}
	close(fd);
	return l.l_type == F_UNLCK ? 0 : l.l_pid;
}
