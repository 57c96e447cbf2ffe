/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sys/log.h"

/*
 * Lines for people on standard error.  Keeps the program's name and the level
 * that is shown; nothing else.  Every line is built in one buffer on the
 * stack and leaves with one write(2), so it works when memory is short, and
 * lines of several programs on one standard error do not mix.  It never
 * blocks a program for longer than that write, never takes a lock, never
 * formats a time.  Called by src/cmd; everything below returns errors.
 */

#define LOG_LINE_MAX 1000 /* bytes of one line, newline included */
#define LOG_ERRNO_MAX 128 /* bytes of ": strerror(errno)", NUL included */

_Static_assert(LOG_ERRNO_MAX < LOG_LINE_MAX / 2, "room for the text");

/* A program has one standard error, so it has one of these. */
static struct {
	const char *name;
	enum log_level level;
} log_state = { "orcm", LOG_INFO };

static const char *const level_text[] = {
	[LOG_FATAL] = "fatal",
	[LOG_ERROR] = "error",
	[LOG_WARN] = "warning",
	[LOG_INFO] = "info",
	[LOG_TRACE] = "trace",
};

/* What vsnprintf(3) answered, as bytes that are really in room. */
static size_t
fitted(int n, size_t room)
{
	if (n < 0)
		return 0;
	return (size_t)n < room ? (size_t)n : room - 1;
}

/*
 * What cannot be written is lost: a program must not stop because its reader
 * did.
 */
__attribute__((format(printf, 3, 0))) static void
emit(enum log_level level, const char *tail, const char *fmt, va_list ap)
{
	char line[LOG_LINE_MAX];
	size_t tail_size = strlen(tail), room, size, i;

	/* The tail tells the reason, so the text before it is cut first. */
	room = sizeof(line) - tail_size;
	size = fitted(snprintf(line, room, "%s: %s: ", log_state.name,
	    level_text[level]), room);
	size += fitted(vsnprintf(line + size, room - size, fmt, ap),
	    room - size);
	memcpy(line + size, tail, tail_size);
	size += tail_size;
	for (i = 0; i < size; i++)
		if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
			line[i] = '?';
	line[size++] = '\n';
	while (write(STDERR_FILENO, line, size) == -1 && errno == EINTR)
		continue;
}

/* ": " and the text of an error number, in tail[LOG_ERRNO_MAX]. */
static void
errno_tail(int error, char *tail)
{
	tail[0] = ':';
	tail[1] = ' ';
	tail[2] = '\0';
	if (strerror_r(error, tail + 2, LOG_ERRNO_MAX - 2) != 0 &&
	    tail[2] == '\0')
		snprintf(tail + 2, LOG_ERRNO_MAX - 2, "error %d", error);
}

void
log_init(const char *name, enum log_level level)
{
	log_state.name = name;
	log_state.level = level;
}

void
log_line(enum log_level level, const char *fmt, ...)
{
	int kept = errno;
	va_list ap;

	if (level > log_state.level)
		return;
	va_start(ap, fmt);
	emit(level, "", fmt, ap);
	va_end(ap);
	errno = kept;
}

void
log_sys(enum log_level level, const char *fmt, ...)
{
	char tail[LOG_ERRNO_MAX];
	int kept = errno;
	va_list ap;

	if (level > log_state.level)
		return;
	errno_tail(kept, tail);
	va_start(ap, fmt);
	emit(level, tail, fmt, ap);
	va_end(ap);
	errno = kept;
}

void
die(int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	emit(LOG_FATAL, "", fmt, ap);
	va_end(ap);
	exit(code);
}

void
die_sys(int code, const char *fmt, ...)
{
	char tail[LOG_ERRNO_MAX];
	va_list ap;

	errno_tail(errno, tail);
	va_start(ap, fmt);
	emit(LOG_FATAL, tail, fmt, ap);
	va_end(ap);
	exit(code);
}
