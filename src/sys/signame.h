/* SPDX-License-Identifier: ISC */
#ifndef SYS_SIGNAME_H
#define SYS_SIGNAME_H

/* The number of a signal given as TERM, SIGTERM or 15; 0 when unknown. */
int signame_number(const char *text);

#endif
