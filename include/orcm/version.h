/* SPDX-License-Identifier: ISC */
#ifndef ORCM_VERSION_H
#define ORCM_VERSION_H

/* Four numbers that change for four different reasons. */
#define ORCM_VERSION "0.1.0" /* release */
#define ORCM_WIRE_VERSION 1  /* frames and TLVs: orcm-wire(7) */
#define ORCM_PLUGIN_MAJOR 1  /* plug-in ABI: another major never loads */
#define ORCM_PLUGIN_MINOR 0  /* structs grew at their end */
#define ORCM_SONAME 0	     /* liborcm.so.N */

#endif
