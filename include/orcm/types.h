/* SPDX-License-Identifier: ISC */
#ifndef ORCM_TYPES_H
#define ORCM_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Words and limits that applications, plug-ins and programs share.
 * Times are unsigned nanoseconds of a monotonic clock; sizes are bytes.
 */
#define ORCM_RANKS_MAX 256u	 /* replicas of one job: ranks 0..255 */
#define ORCM_RANK_NONE 0xffffu	 /* no replica */
#define ORCM_NAME_MAX 63u	 /* characters in a name, without the NUL */
#define ORCM_NEVER UINT64_MAX	 /* a time that does not come */
#define ORCM_MS UINT64_C(1000000) /* one millisecond in nanoseconds */
#define ORCM_SECOND (1000 * ORCM_MS)

#endif
