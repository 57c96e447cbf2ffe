/* SPDX-License-Identifier: ISC */
#ifndef LIB_CONFPLUG_H
#define LIB_CONFPLUG_H

#include "core/conf.h"

/*
 * Asks the plug-ins that a good configuration names whether they are there
 * and understand what they are told; what is wrong becomes an error of it.
 */
void confplug_check(struct conf *c);

#endif
