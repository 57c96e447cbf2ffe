/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "base/text.h"
#include "core/conf.h"

#include "tap.h"
#include "conf_side.h"

static struct conf *a, *b;

/* All changes, one a line. */
static const char *
changes(const char *old, const char *new)
{
	static struct conf_diff d;
	static char out[2048];
	struct text t;

	text_init(&t, out, sizeof(out));
	if (!conf_of(a, old) || !conf_of(b, new))
		return "not good";
	conf_diff(&d, a, b);
	while (conf_diff_next(&d)) {
		text_add(&t, conf_what_name(d.what));
		text_char(&t, ' ');
		text_add(&t, conf_keyword_name(d.keyword));
		text_char(&t, ' ');
		text_add(&t, d.name);
		if (d.key != NULL) {
			text_char(&t, ' ');
			text_add(&t, d.key);
			text_char(&t, ' ');
			text_add(&t, d.old != NULL ? d.old : "-");
			text_add(&t, ">");
			text_add(&t, d.new != NULL ? d.new : "-");
		}
		text_char(&t, ' ');
		text_add(&t, conf_class_name(d.class));
		text_char(&t, '\n');
	}
	ok(!conf_diff_next(&d), "the end stays the end");
	return out;
}

static void
same_ones_have_no_changes(void)
{
	is_str(changes("dvm d\n", "# x\ndvm d port=7411\n"), "", "as usual");
	is_str(changes("dvm d\nnode a\napp p exec=/p env=A=1 env=B=2\n",
	    "app p env=B=2 exec=/p env=A=1\nnode a slots=16\ndvm d\n"), "",
	    "in another order");
}

static void
things_come_and_go(void)
{
	is_str(changes("dvm d\nnode b addr=10.0.0.2 id=1\n"
	    "node c addr=10.0.0.3 id=2\ngroup g nodes=b\n"
	    "app p exec=/p\nplugin leader lowest\n",
	    "dvm d\nnode a addr=10.0.0.1 id=3\nnode b addr=10.0.0.2 id=1\n"
	    "app q exec=/q\nplugin leader first\ngroup h nodes=b\n"),
	    "added node a live\n"
	    "changed node b groups g>h live\n"
	    "removed node c live\n"
	    "removed group g live\n"
	    "added group h live\n"
	    "removed app p live\n"
	    "added app q live\n"
	    "added plugin leader:first live\n"
	    "removed plugin leader:lowest live\n", "of each kind");
	is_str(changes("dvm d\nnode a\n", "dvm d\n"), "removed node a live\n",
	    "the last one");
}

static void
keys_tell_what_a_change_needs(void)
{
	is_str(changes("dvm d id=1 two-node=strict\n"
	    "node a id=1 addr=10.0.0.1 votes=1\napp p exec=/p replicas=1\n",
	    "dvm e id=2 profile=carrier\nnode a id=2 addr=10.0.0.2 votes=2\n"
	    "app p exec=\"/p -v\" replicas=1 restart=always cwd=/\n"),
	    "changed dvm e name d>e refused\n"
	    "changed dvm e id 1>2 refused\n"
	    "changed dvm e profile default>carrier live\n"
	    "changed dvm e two-node strict>takeover live\n"
	    "changed dvm e relocate-hold 2s>500ms live\n"
	    "changed dvm e adopt-hold 400ms>60ms live\n"
	    "changed node a id 1>2 refused\n"
	    "changed node a addr 10.0.0.1>10.0.0.2 refused\n"
	    "changed node a votes 1>2 live\n"
	    "changed app p exec /p>/p -v restart\n"
	    "changed app p cwd >/ restart\n"
	    "changed app p restart crash>always live\n", "keys");
}

static void
values_of_one_key_are_compared_each(void)
{
	is_str(changes("dvm d\napp p exec=/p env=A=1 env=B=2 env=C=3 "
	    "env=C1=x\n",
	    "dvm d\napp p exec=/p env=B=9 env=C=3 env=D=4 env=C1=y\n"),
	    "changed app p env A=1>- restart\n"
	    "changed app p env B=2>B=9 restart\n"
	    "changed app p env C1=x>C1=y restart\n"
	    "changed app p env ->D=4 restart\n", "by the variable's name");
	is_str(changes("dvm d\nplugin leader lowest a=1 b=2 b.c=5 c=3\n",
	    "dvm d\nplugin leader lowest b=3 c=3 d=4 b.c=6\n"),
	    "changed plugin leader:lowest a 1>- live\n"
	    "changed plugin leader:lowest b.c 5>6 live\n"
	    "changed plugin leader:lowest b 2>3 live\n"
	    "changed plugin leader:lowest d ->4 live\n",
	    "by the parameter's name");
}

static void
indexes_are_not_compared(void)
{
	is_str(changes("dvm d primary=n2\nnode n2 addr=10.0.0.2 id=2\n"
	    "node n3 addr=10.0.0.3 id=3\napp p exec=/p pin=0@n3 after=q\n"
	    "app q exec=/q\n",
	    "dvm d primary=n2\nnode n1 addr=10.0.0.1 id=1\n"
	    "node n2 addr=10.0.0.2 id=2\nnode n3 addr=10.0.0.3 id=3\n"
	    "app a exec=/a\napp p exec=/p pin=0@n3 after=q\napp q exec=/q\n"),
	    "added node n1 live\nadded app a live\n",
	    "what moved in its table is the same");
}

int
main(void)
{
	a = conf_new();
	b = conf_new();
	same_ones_have_no_changes();
	things_come_and_go();
	keys_tell_what_a_change_needs();
	values_of_one_key_are_compared_each();
	indexes_are_not_compared();
	return done_testing();
}
