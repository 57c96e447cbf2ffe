/* SPDX-License-Identifier: ISC */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>

/*
 * What each f_x.c defines: tries one input, aborts when something does not
 * hold, returns 0.  Called by a fuzzing engine or by replay.c.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
