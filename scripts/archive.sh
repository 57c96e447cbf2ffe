#!/bin/sh
# SPDX-License-Identifier: ISC
#
# archive.sh AR ARCHIVE [OBJECT...]: makes the archive anew, so that an object
# whose source is gone does not stay in it.  A part that has no file yet
# becomes an empty archive, written by hand: not every ar makes one.
set -eu
ar=$1
archive=$2
shift 2
rm -f "$archive"
if test $# = 0; then
	printf '!<arch>\n' >"$archive"
else
	echo "ar lib/${archive##*/}"
	"$ar" rcs "$archive" "$@"
fi
