#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
#
# orcm-dump reads frames as the daemons do and shows all that is in them.

load ../run
setup() { run_setup; }
teardown() { orcm_teardown; }

# hex STRING: bytes from hexadecimal digits
hex() {
	local digits=$1
	while test -n "$digits"; do
		# shellcheck disable=SC2059
		printf "\\x${digits:0:2}"
		digits=${digits:2}
	done
}
# The header of a frame: type, size of the frame, size of its TLVs (hex).
header() {
	hex "4f4301${1}00000000$2${3}0000000000010000"
	hex 00000000000000070000000000000000
}
# A PUT of a process record's rank and incarnation.
put() {
	header 03 0000004b 00000023
	hex 0006000104
	hex 000700080000000000010002
	hex 000a000e
	hex 001000020002
	hex 0011000400000003
}

@test "orcm-dump: -V tells the version, wrong use is 100" {
	run -0 orcm-dump -V
	[[ $output == "orcm-dump 0."* ]]
	run -100 orcm-dump file
	[[ $output == *"usage: orcm-dump"* ]]
	run -100 orcm-dump -d -t
}

@test "orcm-dump: no input is no output" {
	run -0 orcm-dump </dev/null
	test -z "$output"
}

@test "orcm-dump: header, values, and values inside of a value" {
	put >frame
	orcm-dump <frame >have
	cat >want <<-'END'
		1	put	header.version	1
		1	put	header.type	3
		1	put	header.flags	0
		1	put	header.key	0
		1	put	header.size	75
		1	put	header.tlv-size	35
		1	put	header.dvm	0
		1	put	header.sender	65536
		1	put	header.epoch	7
		1	put	header.counter	0
		1	put	kind	4
		1	put	id	65538
		1	put	value.rank	2
		1	put	value.incarnation	3
	END
	diff want have
	cat frame frame | orcm-dump | tail -n 14 | sed 's/^2/1/' >again
	diff want again
}

@test "orcm-dump: what it does not know is shown in hexadecimal" {
	{
		header 05 0000002e 00000006
		hex 0fff0002beef
	} >frame
	orcm-dump <frame | tail -n 1 >have
	printf '1\tsettled\ttlv-4095\tbeef\n' >want
	diff want have
}

@test "orcm-dump: broken input is told with its offset, 1" {
	{
		put
		hex deadbeef
	} >bad
	run -1 --separate-stderr orcm-dump <bad
	[[ $output == *"value.incarnation"* ]]
	[[ $stderr == *"offset 75: frame 2: "* ]]
	{
		put
		put | head -c 50
	} >bad
	run -1 --separate-stderr orcm-dump <bad
	[[ $stderr == *"offset 75: frame 2: the input ends"* ]]
	put | head -c 30 >bad
	run -1 --separate-stderr orcm-dump <bad
	[[ $stderr == *"offset 0: frame 1: "*"header"* ]]
	header 63 00000028 00000000 >bad
	run -1 --separate-stderr orcm-dump <bad
	[[ $stderr == *"offset 0: "* ]]
}

@test "orcm-dump: reads every frame that the fuzzers begin with" {
	for f in "$TOP"/tests/fuzz/corpus/wire/*; do
		test -n "$(orcm-dump <"$f")"
	done
}

@test "orcm-dump: -t is the whole table" {
	orcm-dump -t >table
	grep -c '^WIRE_TLV(' "$TOP/src/base/wire.def" >want
	grep -c '^tlv	' table >have
	diff want have
	grep -c '^WIRE_MSG(' "$TOP/src/base/wire.def" >want
	grep -c '^message	' table >have
	diff want have
	grep -qx 'message	4	del	client	kind,id	-' table
	grep -qx 'tlv	3	pid	u32	4	4' table
}

@test "orcm-dump: -d is a dictionary that libFuzzer takes" {
	orcm-dump -d >dict
	! grep -Evx '[a-z][a-z0-9_-]*="(\\x[0-9a-f]{2})+"' dict
	grep -qx 'message_hello="\\x4f\\x43\\x01\\x01"' dict
}

# The page's tables are rows of .It macros with Ta between the columns.
@test "orcm-wire(7) shows the same table as orcm-dump -t" {
	orcm-dump -t | tr '\t' ' ' >want
	awk '/^\.\\" table message/ { kind = "message" }
	/^\.\\" table tlv/ { kind = "tlv" }
	/^\.\\" table end/ { kind = "" }
	kind != "" && /^\.It [0-9]/ {
		sub(/^\.It /, "")
		gsub(/ Ta /, " ")
		print kind, $0
	}' "$TOP/man/orcm-wire.7" >have
	diff want have
}
