/* SPDX-License-Identifier: ISC */
#ifndef BASE_ADDR_H
#define BASE_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Internet addresses as text and as bytes, without asking a resolver.  IPv4
 * is four decimal numbers without leading zeros; IPv6 is RFC 4291 section
 * 2.2, written as RFC 5952 recommends.  No zones ("%eth0").
 */
enum addr_family { ADDR_NONE, ADDR_V4, ADDR_V6 };

#define ADDR_TEXT_MAX 56u /* bytes for any of these texts, NUL included */

struct addr {
	enum addr_family family;
	uint8_t prefix;  /* of a network: leading bits that count */
	uint16_t port;   /* 0: none was given */
	uint8_t ip[16];  /* network order; IPv4 in the first four */
};

/* "10.0.0.1", "fe80::1". */
bool addr_read(const char *s, struct addr *out);
/* With an optional port: "10.0.0.1:7411", "[fe80::1]:7411". */
bool addr_read_port(const char *s, struct addr *out);
/* "10.0.0.0/24": bits behind the prefix must be 0. */
bool addr_read_net(const char *s, struct addr *out);
/* The address, with its port unless that is 0. */
void addr_text(const struct addr *a, char out[ADDR_TEXT_MAX]);
/* The network with its prefix. */
void addr_text_net(const struct addr *a, char out[ADDR_TEXT_MAX]);
/* The same family and bytes; the port is not looked at. */
bool addr_same(const struct addr *a, const struct addr *b);
bool addr_in(const struct addr *a, const struct addr *net);
/* 224.0.0.0/4 or ff00::/8. */
bool addr_is_multicast(const struct addr *a);
/* 0.0.0.0 or :: */
bool addr_is_any(const struct addr *a);

#endif
