/* SPDX-License-Identifier: ISC */
#ifndef SYS_LOG_H
#define SYS_LOG_H

#include <stdarg.h>
#include <stdbool.h>

/*
 * Lines on standard error, "program: level: text", one write(2) each, cut at
 * 1000 bytes, control bytes shown as '?'.  No timestamps: the reader of
 * stderr (multilog, journald) has them.  errno is kept.
 */
enum log_level { LOG_FATAL, LOG_ERROR, LOG_WARN, LOG_INFO, LOG_TRACE };

/* name is kept, not copied. level: the most talkative that is shown. */
void log_init(const char *name, enum log_level level);
void log_line(enum log_level level, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* The same with ": strerror(errno)" behind it. */
void log_sys(enum log_level level, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Print at LOG_FATAL and exit(code). */
_Noreturn void die(int code, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
_Noreturn void die_sys(int code, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Exit codes of every program but those that relay another's: orcm(7). */
enum {
	EXIT_YES = 0,
	EXIT_NO = 1,
	EXIT_TIMEOUT = 99,
	EXIT_USAGE = 100,
	EXIT_BUG = 101,
	EXIT_NODAEMON = 102,
	EXIT_TEMP = 111
};

#endif
