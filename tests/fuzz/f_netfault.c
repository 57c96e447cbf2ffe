/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "base/require.h"
#include "sys/netfault.h"

#include "fuzz.h"

/* Rules as ORCM_FAULT has them: taken whole, or not at all and said why. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct netfault f;
	/* No byte more than the text, so that a read beyond it is seen. */
	char *text = malloc(size + 1), why[NETFAULT_WHY] = "";

	REQUIRE(text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	netfault_init(&f, 1);
	if (netfault_set(&f, text, why))
		REQUIRE(f.rules_len <= NETFAULT_RULES_MAX);
	else
		REQUIRE(f.rules_len == 0 && why[0] != '\0' &&
		    memchr(why, '\0', sizeof(why)) != NULL);
	netfault_clear(&f);
	free(text);
	return 0;
}
