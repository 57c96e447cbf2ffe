/* SPDX-License-Identifier: ISC */
#ifndef NODE_NODE_H
#define NODE_NODE_H

/*
 * orcmd, orcm-pnpd and orcm-wrap are one file under three names.  Each node
 * runs one of the first two and a copy of the third for each replica: linked
 * statically into one file they share all of their code, which halves their
 * private memory, and they start without a dynamic loader.  They need no
 * plug-in.  A name may still be replaced by a file of its own, so one of
 * them can be upgraded alone.
 */
#define NODE_MAIN(name)                                                        \
	int name##_main(int argc, char **argv);                                \
	int name##_main(int argc, char **argv)

#endif
