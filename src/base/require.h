/* SPDX-License-Identifier: ISC */
#ifndef BASE_REQUIRE_H
#define BASE_REQUIRE_H

/*
 * An assertion for our own mistakes; on in production.  Says where on
 * standard error and aborts.  Bad input is never a REQUIRE.
 */
#define REQUIRE(cond)                                                          \
	((cond) ? (void)0 : require_failed(__FILE__, __LINE__, #cond))

_Noreturn void require_failed(const char *file, int line, const char *what);

#endif
