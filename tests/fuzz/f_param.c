/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "base/require.h"
#include "core/param.h"

#include "fuzz.h"

extern const struct orcm_plugin *const orcm_builtin[];

/* The text of a policy, read for each strategy that is linked in. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* No byte more than the text, so that a read beyond it is seen. */
	char *text = malloc(size + 1), name[ORCM_NAME_MAX + 1];
	uint32_t args[PARAMS_MAX];
	size_t i, k;

	REQUIRE(text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	for (i = 0; orcm_builtin[i] != NULL; i++) {
		/* Leader policies have a grammar of their own: lib/policy.h. */
		if (strcmp(orcm_builtin[i]->kind, "leader") == 0)
			continue;
		if (param_parse(text, orcm_builtin[i], args) != PARAM_GOOD)
			continue;
		REQUIRE(param_name(text, name));
		REQUIRE(strcmp(name, orcm_builtin[i]->name) == 0);
		for (k = 0; k < PARAMS_MAX; k++)
			REQUIRE(args[k] <= PARAM_VALUE_MAX);
	}
	free(text);
	return 0;
}
