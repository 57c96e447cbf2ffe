/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "base/require.h"
#include "lib/spec.h"

#include "fuzz.h"

/* SPEC frames one after the other, as a keeper gets them. */
static void
use(struct spec *s)
{
	size_t i, n = 0;

	REQUIRE(s->argv[s->argc] == NULL);
	REQUIRE(s->envp[s->envs_len] == NULL);
	REQUIRE(s->limits_len <= SPEC_LIMITS_MAX);
	for (i = 0; i < s->argc; i++)
		n += strlen(s->argv[i]) + 1;
	for (i = 0; i < s->envs_len; i++)
		n += strlen(s->envp[i]) + 1;
	REQUIRE(n == s->text_size);
	/* As for each life: two of ours, set again and again. */
	for (i = 0; i < 3; i++) {
		REQUIRE(spec_env(s, "ORCM_RANK", i == 1 ? "10" : "0") == 0);
		REQUIRE(spec_env(s, "ORCM_INCARNATION", "7") == 0);
	}
	for (i = 0, n = 0; s->envp[i] != NULL; i++)
		n += strncmp(s->envp[i], "ORCM_RANK=", 10) == 0;
	REQUIRE(n >= 1 && i == s->envs_len);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct wire_msg m;
	enum spec_verdict v = SPEC_MORE;
	struct spec s;
	uint32_t frame;

	spec_init(&s);
	while (v == SPEC_MORE &&
	    wire_frame_size(data, size, WIRE_FRAME_MAX, &frame) == WIRE_OK &&
	    frame <= size &&
	    wire_parse(&m, data, frame, WIRE_BY_RUN) == WIRE_OK &&
	    m.h.type == WIRE_SPEC) {
		v = spec_take(&s, &m, NULL, 0);
		data += frame;
		size -= frame;
	}
	if (v == SPEC_WHOLE)
		use(&s);
	spec_free(&s);
	return 0;
}
