#!/bin/sh
# SPDX-License-Identifier: ISC
#
# layers.sh: reads every #include line and says which one crosses a layer.
# core decides, sys does, cmd and lib introduce them; nothing else knows both.
set -eu
LC_ALL=C
export LC_ALL

find include src plugins -name '*.[ch]' -o -name '*.def' | sort |
	xargs awk '
# Which headers a layer may name: a list of patterns, blank separated.
BEGIN {
	pure = "<orcm/*> <stddef.h> <stdint.h> <stdbool.h> <limits.h>" \
	    " <string.h> <inttypes.h>"
	any = "<*>"
	may["public"] = pure
	may["compat"] = any " compat/*"
	may["base"] = pure " base/*"
	may["base/require.c"] = may["base"] " <unistd.h> <stdlib.h>"
	may["core"] = pure " base/* core/*"
	may["sys"] = any " compat/* base/* sys/*"
	may["lib"] = any " compat/* base/* core/* sys/* lib/*"
	may["sim"] = pure " <stdio.h> <stdlib.h> base/* core/* sim/*"
	may["cmd"] = any " base/* core/* sys/* lib/* cmd/* node/*"
	may["node"] = any " sys/* node/*"
	may["cmd/orcm-sim.c"] = any " base/* core/* sim/* cmd/*"
	may["strategy"] = pure
	may["driver"] = any
	may["builtin"] = "<orcm/*> <stddef.h>"
	bad = 0
}
FNR == 1 {
	layer = where(FILENAME)
	own = ""
	# The files of one program may include each other.
	if (layer == "cmd") {
		split(FILENAME, part, "/")
		own = part[2] == "cmd" ? part[3] : part[2]
		sub(/\.c$/, "", own)
		short = own
		sub(/^orcm-/, "", short)
		own = "cmd/" own "/* " own "/* " short "/*"
		if (short in may)
			own = ""
	}
}
function where(file,   p, n) {
	n = split(file, p, "/")
	if (p[1] == "include")
		return "public"
	if (p[1] == "plugins") {
		if (n == 2)
			return "builtin"
		if (p[2] ~ /^(sensor|transport|member)$/)
			return "driver"
		return "strategy"
	}
	if ((p[2] "/" p[3]) in may)
		return p[2] "/" p[3]
	if (p[2] in may)
		return p[2]
	# What is no layer is the directory of one program.
	return p[2] == "sim" ? "sim" : "cmd"
}
function allowed(name, list,   p, n, i, stem) {
	n = split(list, p, " ")
	for (i = 1; i <= n; i++) {
		stem = p[i]
		if (stem == name)
			return 1
		if (stem ~ /\*>?$/) {
			sub(/\*>?$/, "", stem)
			if (substr(name, 1, length(stem)) == stem)
				return 1
		}
	}
	return 0
}
/^[ \t]*#[ \t]*include/ {
	name = $0
	sub(/^[ \t]*#[ \t]*include[ \t]*/, "", name)
	if (name ~ /^"/) {
		sub(/^"/, "", name)
		sub(/".*/, "", name)
		if (name !~ /\//) {
			say("include \"" name "\" without its directory")
			next
		}
	} else
		sub(/>.*/, ">", name)
	if (name ~ /\.\./)
		say("include " name " climbs out of its directory")
	else if (!allowed(name, may[layer] " " own))
		say("layer " layer " must not include " name)
}
function say(text) {
	print FILENAME ":" FNR ": " text
	bad = 1
}
END { exit bad }
'
