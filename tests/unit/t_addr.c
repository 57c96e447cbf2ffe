/* SPDX-License-Identifier: ISC */
#include "base/addr.h"
#include "base/rand.h"

#include "tap.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

struct pair {
	const char *text, *want;
};

static void
v6_is_read_and_written_as_the_rfcs_say(void)
{
	static const struct pair rows[] = {
		/* RFC 4291, section 2.2 */
		{ "ABCD:EF01:2345:6789:ABCD:EF01:2345:6789",
		    "abcd:ef01:2345:6789:abcd:ef01:2345:6789" },
		{ "2001:DB8:0:0:8:800:200C:417A", "2001:db8::8:800:200c:417a" },
		{ "FF01:0:0:0:0:0:0:101", "ff01::101" },
		{ "0:0:0:0:0:0:0:1", "::1" },
		{ "0:0:0:0:0:0:0:0", "::" },
		{ "0:0:0:0:0:0:13.1.68.3", "::d01:4403" },
		{ "::FFFF:129.144.52.38", "::ffff:129.144.52.38" },
		/* RFC 5952, sections 2.1, 2.2 and 4 */
		{ "2001:0db8::0001", "2001:db8::1" },
		{ "2001:db8:aaaa:bbbb:cccc:dddd::1",
		    "2001:db8:aaaa:bbbb:cccc:dddd:0:1" },
		{ "2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1" },
		{ "2001:0:0:1:0:0:0:1", "2001:0:0:1::1" },
		{ "2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1" },
		{ "1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0" },
		{ "::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8" },
		{ "1::", "1::" },
	};
	char out[ADDR_TEXT_MAX];
	struct addr a;
	size_t i;

	for (i = 0; i < LEN(rows); i++) {
		if (!ok(addr_read(rows[i].text, &a), "%s", rows[i].text))
			continue;
		addr_text(&a, out);
		is_str(out, rows[i].want, "is %s", rows[i].want);
	}
}

static void
junk_is_refused(void)
{
	static const char *const bad[] = {
		"", "10", "10.1", "10.0.0.", "10.0.0.256", "10.0.0.1.1",
		"010.0.0.1", "10.0.0.01", " 1.2.3.4", "1.2.3.4 ",
		"1.2.3.4/8", "0x1.2.3.4", "1..2.3", "-1.2.3.4", ":", ":::",
		"1:2", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9",
		"1:2:3:4:5:6:7:8:", ":1:2:3:4:5:6:7:8", "1::2::3", "12345::",
		"g::", "1:2:3:4:5:6:7::8", "::1:2:3:4:5:6:7:8",
		"fe80::1%eth0", "1:2:3:4:5:6:7:1.2.3.4", "::1.2.3",
		"::1.2.3.4:5", "1.2.3.4::", "[::1]", "localhost",
		"1000.1.1.1", "1.2.3.99999999999"
	};
	struct addr a = { .port = 7 };
	size_t i;

	for (i = 0; i < LEN(bad); i++)
		ok(!addr_read(bad[i], &a), "no: \"%s\"", bad[i]);
	ok(a.port == 7, "and nothing was written");
}

static void
ports_are_kept(void)
{
	static const struct pair good[] = { { "10.0.0.1", "10.0.0.1" },
		{ "10.0.0.1:7411", "10.0.0.1:7411" },
		{ "[::1]:65535", "[::1]:65535" }, { "[::1]", "::1" },
		{ "fe80::1", "fe80::1" } };
	static const char *const bad[] = { "10.0.0.1:", "10.0.0.1:0",
		"10.0.0.1:65536", "10.0.0.1:1:1", ":1", "[10.0.0.1]:1", "[::1",
		"[::1]1", "[::1]:", "[]:1", "::1]:1",
		"[0000000000000000000000000000000000000000000000000000000]:1" };
	char out[ADDR_TEXT_MAX];
	struct addr a;
	size_t i;

	for (i = 0; i < LEN(good); i++) {
		if (!ok(addr_read_port(good[i].text, &a), "%s", good[i].text))
			continue;
		addr_text(&a, out);
		is_str(out, good[i].want, "is %s", good[i].want);
	}
	for (i = 0; i < LEN(bad); i++)
		ok(!addr_read_port(bad[i], &a), "no: \"%s\"", bad[i]);
}

static void
networks_hold_addresses(void)
{
	static const char *const bad[] = { "10.0.0.0", "10.0.0.0/",
		"10.0.0.0/33", "10.0.0.1/24", "10.0.0.0/24/1", "/24",
		"fe80::1/64", "::/129", "10.0.0.0/-1", "10.128.0.0/8" };
	char out[ADDR_TEXT_MAX];
	struct addr net, a;
	size_t i;

	for (i = 0; i < LEN(bad); i++)
		ok(!addr_read_net(bad[i], &net), "no: \"%s\"", bad[i]);
	ok(addr_read_net("10.1.128.0/17", &net), "a network");
	addr_text_net(&net, out);
	is_str(out, "10.1.128.0/17", "and its text");
	ok(addr_read("10.1.255.1", &a) && addr_in(&a, &net), "in it");
	ok(addr_read("10.1.127.255", &a) && !addr_in(&a, &net), "not in it");
	ok(addr_read("::1", &a) && !addr_in(&a, &net), "another family");
	ok(addr_read_net("0.0.0.0/0", &net) && addr_read("9.9.9.9", &a) &&
		addr_in(&a, &net), "all are in /0");
	ok(addr_read_net("2001:db8::/32", &net) &&
		addr_read("2001:db8:1::1", &a) && addr_in(&a, &net), "IPv6");
	ok(addr_read_net("10.0.0.7/32", &net) && addr_read("10.0.0.7", &a) &&
		addr_in(&a, &net), "one alone");
}

static void
kinds_of_addresses(void)
{
	struct addr a, b;

	ok(addr_read("224.0.0.1", &a) && addr_is_multicast(&a), "224/4");
	ok(addr_read("239.255.1.1", &a) && addr_is_multicast(&a), "239");
	ok(addr_read("223.9.9.9", &a) && !addr_is_multicast(&a), "223");
	ok(addr_read("240.0.0.1", &a) && !addr_is_multicast(&a), "240");
	ok(addr_read("ff02::1", &a) && addr_is_multicast(&a), "ff02::1");
	ok(addr_read("fe02::1", &a) && !addr_is_multicast(&a), "fe02::1");
	ok(addr_read("0.0.0.0", &a) && addr_is_any(&a), "0.0.0.0");
	ok(addr_read("::", &b) && addr_is_any(&b), "::");
	ok(!addr_same(&a, &b), "which are not the same");
	ok(addr_read_port("1.2.3.4:5", &a) && addr_read("1.2.3.4", &b) &&
		addr_same(&a, &b), "ports are not looked at");
	ok(!addr_is_any(&a), "1.2.3.4");
}

static void
text_and_back_is_the_same(void)
{
	char out[ADDR_TEXT_MAX];
	struct addr a, back;
	struct rand rand;
	int i, k;
	bool same = true;

	rand_seed(&rand, 4);
	for (i = 0; i < 20000; i++) {
		memset(&a, 0, sizeof(a));
		a.family = i % 2 == 0 ? ADDR_V4 : ADDR_V6;
		a.port = (uint16_t)rand_below(&rand, 65536);
		for (k = 0; k < (i % 2 == 0 ? 4 : 16); k++)
			if (rand_below(&rand, 2) == 0)
				a.ip[k] = (uint8_t)rand_below(&rand, 256);
		addr_text(&a, out);
		same = same && addr_read_port(out, &back) &&
		    addr_same(&a, &back) && a.port == back.port;
	}
	ok(same, "20000 addresses");
}

int
main(void)
{
	v6_is_read_and_written_as_the_rfcs_say();
	junk_is_refused();
	ports_are_kept();
	networks_hold_addresses();
	kinds_of_addresses();
	text_and_back_is_the_same();
	return done_testing();
}
