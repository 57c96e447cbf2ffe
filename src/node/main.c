/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "node/node.h"
#include "sys/log.h"

int orcm_pnpd_main(int argc, char **argv);
int orcm_wrap_main(int argc, char **argv);
int orcmd_main(int argc, char **argv);

int
main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*main)(int argc, char **argv);
	} programs[] = {
		{ "orcm-pnpd", orcm_pnpd_main },
		{ "orcm-wrap", orcm_wrap_main },
		{ "orcmd", orcmd_main },
	};
	const char *name = argc > 0 ? strrchr(argv[0], '/') : NULL;
	size_t i;

	name = name != NULL ? name + 1 : argc > 0 ? argv[0] : "";
	for (i = 0; i < sizeof(programs) / sizeof(programs[0]); i++)
		if (strcmp(name, programs[i].name) == 0)
			return programs[i].main(argc, argv);
	log_init("orcm-node", LOG_WARN);
	die(EXIT_USAGE,
	    "called as \"%s\": it is orcmd, orcm-pnpd or orcm-wrap "
	    "by its name",
	    name);
}
