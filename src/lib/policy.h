/* SPDX-License-Identifier: ISC */
#ifndef LIB_POLICY_H
#define LIB_POLICY_H

#include <orcm/leader.h>

#include "sys/plug.h"

/*
 * A leader policy as users write it: NAME[:ARGUMENT][,key=value...], e.g.
 * "lowest", "fixed:2", "lowest,stall=200".
 */
struct policy {
	char name[ORCM_NAME_MAX + 1];
	uint32_t argument; /* or ORCM_RANK_NONE */
	uint64_t stall;    /* ns without a move that make a replica stalled */
	const struct orcm_leader_ops *ops;
	char error[PLUG_ERROR_MAX]; /* when policy_load() failed */
};

#define POLICY_STALL_MS 500u /* of a plug-in that does not list it */

/* Parses the text, loads the plug-in, asks it about the argument.  0 or -1. */
int policy_load(struct policy *p, const char *text, uint32_t ranks_len);

#endif
