/* SPDX-License-Identifier: ISC */
#ifndef SYS_CLOCK_H
#define SYS_CLOCK_H

#include <stdint.h>

/* Monotonic time in ns; the only clock that decides anything. */
uint64_t clock_now(void);
/* Milliseconds since 1970, for people's eyes only. */
uint64_t clock_wall_ms(void);

#endif
