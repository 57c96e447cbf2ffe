/* SPDX-License-Identifier: ISC */
#include "core/param.h"
#include "tap.h"

static const struct orcm_param two[] = {
	{ "here", "3", "" },
	{ "moves", "5", "" },
	{ NULL, NULL, NULL },
};
static const struct orcm_param odd[] = {
	{ "here", "often", "" },
	{ NULL, NULL, NULL },
};
static const struct orcm_param many[] = {
	{ "a", "1", "" }, { "b", "1", "" }, { "c", "1", "" }, { "d", "1", "" },
	{ "e", "1", "" }, { "f", "1", "" }, { "g", "1", "" }, { "h", "1", "" },
	{ "i", "1", "" }, { NULL, NULL, NULL },
};

static struct orcm_plugin plugin = { .kind = "map", .name = "x",
	.params = two };
static uint32_t args[PARAMS_MAX];

static void
values_and_defaults(void)
{
	ok(param_parse("x", &plugin, args) == PARAM_GOOD && args[0] == 3 &&
	    args[1] == 5 && args[2] == 0, "defaults");
	ok(param_parse("x,moves=0", &plugin, args) == PARAM_GOOD &&
	    args[0] == 3 && args[1] == 0, "one is set");
	ok(param_parse("x,moves=7,here=1,moves=8", &plugin, args) ==
	    PARAM_GOOD && args[0] == 1 && args[1] == 8, "the last one counts");
	plugin.params = NULL;
	ok(param_parse("x", &plugin, args) == PARAM_GOOD, "none at all");
	is_u64(param_parse("x,here=1", &plugin, args), PARAM_KEY,
	    "then none can be set");
	plugin.params = two;
}

static void
wrong_texts(void)
{
	static const struct {
		const char *text;
		enum param_verdict want;
	} rows[] = {
		{ "", PARAM_NAME }, { ",here=1", PARAM_NAME },
		{ "y", PARAM_NAME }, { "x:2", PARAM_NAME },
		{ "x/y", PARAM_NAME }, { "x,", PARAM_FORM },
		{ "x,here", PARAM_FORM }, { "x,here=1,", PARAM_FORM },
		{ "x,her=1", PARAM_KEY }, { "x,heree=1", PARAM_KEY },
		{ "x,=1", PARAM_KEY }, { "x,here=", PARAM_VALUE },
		{ "x,here=-1", PARAM_VALUE }, { "x,here=1000001", PARAM_VALUE },
		{ "x,here=1=2", PARAM_VALUE },
		{ "x,here=00000000000000000001", PARAM_VALUE },
	};
	uint32_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		is_u64(param_parse(rows[i].text, &plugin, args), rows[i].want,
		    "\"%s\": %s", rows[i].text, param_text(rows[i].want));
	plugin.params = odd;
	is_u64(param_parse("x", &plugin, args), PARAM_PLUGIN,
	    "a default that is no number");
	plugin.params = many;
	is_u64(param_parse("x", &plugin, args), PARAM_PLUGIN, "nine of them");
	plugin.params = two;
}

static void
names(void)
{
	char name[ORCM_NAME_MAX + 1];

	ok(param_name("resilient,load=2", name) &&
	    strcmp(name, "resilient") == 0, "what is in front");
	ok(param_name("pack", name) && strcmp(name, "pack") == 0, "alone");
	ok(!param_name(",x", name) && !param_name("a b", name), "no name");
}

int
main(void)
{
	values_and_defaults();
	wrong_texts();
	names();
	return done_testing();
}
