#!/bin/sh
# SPDX-License-Identifier: ISC
#
# get-bats.sh BUILD: prints how bats is called; gets it first when it is not
# there: from the system's packages for root, else from npm into BUILD.
set -eu
b=$1
version=1.13.0
copy=$b/bats/node_modules/bats/bin/bats
for found in "$(command -v bats || :)" "$copy"; do
	if test -x "$found"; then
		echo "$found"
		exit 0
	fi
done
if test "$(id -u)" = 0 && command -v apt-get >/dev/null; then
	{ apt-get -qq update && DEBIAN_FRONTEND=noninteractive \
		apt-get -qq -y install bats; } >&2 || :
	if command -v bats; then
		exit 0
	fi
fi
if command -v npm >/dev/null; then
	mkdir -p "$b/bats"
	npm install --silent --no-audit --no-fund --prefix "$b/bats" \
		"bats@$version" >&2 || :
	if test -x "$copy"; then
		echo "$copy"
		exit 0
	fi
fi
echo "get-bats.sh: no bats here and no way to get it;" \
	"install bats-core $version (https://bats-core.readthedocs.io)" >&2
exit 1
