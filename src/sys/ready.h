/* SPDX-License-Identifier: ISC */
#ifndef SYS_READY_H
#define SYS_READY_H

/*
 * Says "able to serve" in both tongues: a newline on descriptor fd, which is
 * then closed (fd -1: none), and READY=1 to $NOTIFY_SOCKET.  The variable is
 * taken out of the environment, so children do not answer for us.
 */
void ready_tell(int fd);

#endif
