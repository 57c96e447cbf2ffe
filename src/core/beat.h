/* SPDX-License-Identifier: ISC */
#ifndef CORE_BEAT_H
#define CORE_BEAT_H

#include "base/wire.h"
#include "core/memb.h"

/*
 * Beats as frames.  Who sent it and in which life stands in the header, and
 * its count is the header's counter: the core "auth" sees to all three.
 */
/* The frame's size in out[size], or 0 when it does not fit. */
size_t beat_put(const struct memb_beat *b, uint8_t *out, size_t size);
/* From a BEAT frame that was opened and parsed; false: a list of odd bytes. */
bool beat_get(struct memb_beat *b, const struct wire_msg *m);

#endif
