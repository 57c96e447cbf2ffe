#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
#
# orcm-conf: what a configuration says, and what is wrong with it.

load ../lib
setup() {
	orcm_setup
	unset ORCM_CONF XDG_CONFIG_HOME
	umask 022
	cat >c.conf <<-END
		dvm lab
		group psu nodes=n1
		node n1 addr=10.0.0.1,10.1.0.1 slots=4
		node n2 addr=10.0.0.2,10.1.0.2
		app bgp:1.0 exec="/opt/bgp -f 'a b'" replicas=2 env=A=1 env="B=2 3"
		plugin leader lowest stall=100
	END
}
teardown() { orcm_teardown; }

@test "orcm-conf: wrong use is 100, -V tells the version" {
	run -0 orcm-conf -V
	[[ $output == "orcm-conf 0."* ]]
	for words in '' 'chekc' 'check a b' 'print a b' 'diff a' 'diff a b c' \
		'get' 'get dvm a b c' '-x'; do
		# shellcheck disable=SC2086
		run -100 orcm-conf $words
		[[ $output == *"usage: orcm-conf"* ]]
	done
	run -100 orcm-conf -c c.conf get apps
	[[ $output == *"ask for dvm, node, group, app or plugin"* ]]
	run -100 orcm-conf -o no check c.conf
}

@test "orcm-conf: each mistake is told once, with file, line and remedy" {
	cd "$TOP/tests/conf/bad"
	number=0
	for file in *.conf; do
		want=$(head -n 1 "$file" | sed 's/^# //')
		# Without a line it is about the file as a whole.
		case $want in
		[0-9]*) want=$file:$want ;;
		*) want=$file:\ ${want# } ;;
		esac
		code=0
		orcm-conf check "$file" >"$T/out" 2>"$T/err" || code=$?
		if test "$code" != 100 || test -s "$T/out" ||
			test "$want" != "$(cat "$T/err")"; then
			echo "$file: $code, wanted: $want"
			cat "$T/out" "$T/err"
			return 1
		fi
		case $want in
		*\;*) ;;
		*) echo "$file: no remedy" && return 1 ;;
		esac
		number=$((number + 1))
	done
	echo "$number mistakes"
	test "$number" -ge 100
}

@test "orcm-conf: what is printed is good, and printed again the same" {
	for file in "$TOP"/tests/conf/good/*.conf; do
		orcm-conf check "$file" >said
		orcm-conf print "$file" >print
		orcm-conf check print >again
		cmp said again
		orcm-conf print print | cmp - print
		orcm-conf diff "$file" print >changes
		test ! -s changes
	done
}

@test "orcm-conf: the order of lines makes no difference" {
	cd "$TOP/tests/conf/good"
	orcm-conf print backwards.conf | cmp - sorted.conf
	run -0 orcm-conf diff backwards.conf sorted.conf
}

@test "orcm-conf: what is as usual is not printed" {
	run -0 orcm-conf print "$TOP/tests/conf/good/as-usual.conf"
	test "$output" = "dvm d
group g
node n1 groups=g
app a exec=/bin/a"
}

@test "orcm-conf: all mistakes are told at once" {
	cat >bad.conf <<-END
		dvm d port=0
		node n1 slot=3
		nod n2
		app a
	END
	run -100 --separate-stderr orcm-conf check bad.conf
	test -z "$output"
	test "$(echo "$stderr" | cut -d : -f 1,2)" = "bad.conf:1
bad.conf:2
bad.conf:3
bad.conf:4"
	{
		echo 'dvm d'
		for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22; do
			echo "node n$i slots=0"
		done
	} >many.conf
	run -100 --separate-stderr orcm-conf check many.conf
	test "$(echo "$stderr" | wc -l)" = 21
	[[ $stderr == *"2 more" ]]
}

@test "orcm-conf: a warning is told and harms nothing" {
	cat >warn.conf <<-END
		dvm d
		node n1
		app a exec=/bin/a replicas=2
	END
	run -0 --separate-stderr orcm-conf -o warnings check warn.conf
	test "$output" = 1
	[[ $stderr == "warn.conf:3: warning: app a: 2 replicas, but"*"; lower"* ]]
}

@test "orcm-conf: check says what it has seen" {
	run -0 orcm-conf -h check c.conf
	[[ ${lines[0]} == "dvm	hash	nodes	groups	apps	replicas	plugins	warnings" ]]
	[[ ${lines[1]} == "lab	"????????????????"	2	1	1	2	1	0" ]]
	hash=$(orcm-conf -o hash check c.conf)
	sed 's/slots=4/slots=5/' c.conf >d.conf
	test "$hash" != "$(orcm-conf -o hash check d.conf)"
	sed '1i # a comment' c.conf >d.conf
	test "$hash" = "$(orcm-conf -o hash check d.conf)"
}

@test "orcm-conf: standard input and pipes are sources too" {
	orcm-conf print - <c.conf >print
	orcm-conf print print | orcm-conf print - | cmp - print
	run -0 orcm-conf diff <(cat c.conf) - <print
	run -100 orcm-conf check - </dev/null
	[[ $output == "-: there is no line dvm; begin with: dvm NAME" ]]
}

@test "orcm-conf: get" {
	c() { orcm-conf -c c.conf "$@"; }
	test "$(c get node)" = "n1
n2"
	test "$(c get app)" = bgp:1.0
	test "$(c get dvm)" = lab
	test "$(c get plugin)" = leader:lowest
	test "$(c get node n1 slots)" = 4
	test "$(c get node n2 slots)" = 16
	test "$(c get group psu nodes)" = n1
	test "$(c get app bgp replicas)" = 2
	test "$(c get app bgp exec)" = "/opt/bgp -f 'a b'"
	test "$(c get app bgp env)" = "A=1
B=2 3"
	test "$(c get plugin leader:lowest stall)" = 100
	test "$(c get app bgp cwd)" = -
	c get dvm lab | grep -qx 'port	7411	yes	refused'
	c -h get dvm lab | head -n 1 | grep -qx 'key	value	usual	class'
	run -1 c get node n3
	test -z "$output"
	run -1 c get node n1 colour
	run -1 c get app bgp:2
	run -1 c get plugin leader:lowest speed
}

@test "orcm-conf: diff tells what changed and what that needs" {
	sed -e 's/slots=4/slots=5/' -e 's/n2 addr.*/n2 addr=10.0.0.9,10.1.0.9/' \
		-e 's/A=1/A=2/' -e 's/^group.*/group rack/' \
		-e '$d' c.conf >d.conf
	run -1 --separate-stderr orcm-conf diff c.conf d.conf
	test "$output" = "changed	node	n1	groups	psu	-	live
changed	node	n1	slots	4	5	live
changed	node	n2	addr	10.0.0.2,10.1.0.2	10.0.0.9,10.1.0.9	refused
removed	group	psu	-	-	-	live
added	group	rack	-	-	-	live
changed	app	bgp:1.0	env	A=1	A=2	restart
removed	plugin	leader:lowest	-	-	-	live"
	run -0 orcm-conf diff c.conf c.conf
	test -z "$output"
	run -100 orcm-conf diff c.conf none.conf
	[[ $output == "none.conf: cannot be opened: "* ]]
}

@test "orcm-conf: -J is one object a line" {
	need jq
	orcm-conf -J check c.conf | jq -es 'length == 1 and .[0].nodes == 2'
	orcm-conf -Jc c.conf get app bgp | jq -es 'length > 20 and
		(map(select(.key == "cwd")) | .[0].value == null and .[0].usual)'
	sed 's/slots=4/slots=5/' c.conf >d.conf
	run -1 orcm-conf -J diff c.conf d.conf
	echo "$output" | jq -e '.what == "changed" and .old == "4"'
}

@test "orcm-conf: dir:PATH is all *.conf there, by name" {
	mkdir d
	echo 'dvm d' >d/10-dvm.conf
	echo 'app a exec=/bin/a \' >d/20-apps.conf
	echo 'replicas=2' >>d/20-apps.conf
	echo 'app b bad=1' >d/30-no.conf.off
	echo 'app b bad=1' >d/.hidden.conf
	run -0 orcm-conf -o apps,replicas check dir:d
	test "$output" = "1	2"
	run -0 orcm-conf -o apps check d
	echo 'dvm e' >d/05-e.conf
	run -100 orcm-conf check d
	[[ $output == "d/10-dvm.conf:1: dvm d: a configuration has one dvm, and there is one at d/05-e.conf:1; "* ]]
	mkdir empty
	run -100 orcm-conf check dir:empty
	[[ $output == "empty: no file of a configuration is there; "* ]]
	run -100 orcm-conf check file:d
	run -100 orcm-conf check dir:c.conf
	[[ $output == "c.conf: cannot be opened: "* ]]
	mkdir d/x.conf
	run -100 orcm-conf check d
	[[ $output == *"d/x.conf: cannot be read: "* ]]
}

@test "orcm-conf: sources that are none" {
	run -100 orcm-conf check none
	[[ $output == "none: cannot be opened: "* ]]
	run -100 orcm-conf check web:c.conf
	[[ $output == "web:c.conf: config/web: no such plug-in; "* ]]
	run -100 orcm-conf check file:
	[[ $output == "file:: neither PLUGIN:PATH nor a path; "* ]]
	run -100 orcm-conf check :c.conf
	cp c.conf a:b
	run -100 orcm-conf check a:b
	run -0 orcm-conf check ./a:b
	run -0 orcm-conf check file:a:b
	head -c 70000 /dev/zero | tr '\0' '#' >large
	run -100 orcm-conf check large
	[[ $output == "large:1: more than 65536 bytes"* ]]
	run -100 orcm-conf check /dev/zero
}

@test "orcm-conf: where the configuration is" {
	export HOME=$T/home XDG_CONFIG_HOME=
	mkdir -p home/.config/orcm xdg/orcm
	sed 's/lab/home/' c.conf >home/.config/orcm/orcm.conf
	sed 's/lab/xdg/' c.conf >xdg/orcm/orcm.conf
	sed 's/lab/env/' c.conf >env.conf
	test "$(ORCM_CONF=env.conf orcm-conf get dvm)" = env
	test "$(ORCM_CONF=file:env.conf orcm-conf -o dvm check)" = env
	test "$(ORCM_CONF=env.conf orcm-conf -c c.conf get dvm)" = lab
	test "$(ORCM_CONF=env.conf orcm-conf -o dvm check c.conf)" = lab
	test "$(ORCM_CONF=env.conf orcm-conf print | head -n 1)" = "dvm env"
	if test "$(id -u)" = 0; then
		need setpriv
		chmod -R a+rX "$T"
		as() { setpriv --reuid 65534 --regid 65534 --clear-groups "$@"; }
		chown -R 65534:65534 home xdg
		as test -x "$BIN/orcm-conf" || skip 'the build is not readable'
		run -100 orcm-conf get dvm
		test -e /etc/orcm/orcm.conf ||
			[[ $output == "/etc/orcm/orcm.conf: cannot be opened: "* ]]
	else
		as() { "$@"; }
	fi
	test "$(as orcm-conf get dvm)" = home
	test "$(XDG_CONFIG_HOME=$T/xdg as orcm-conf get dvm)" = xdg
	unset HOME
	run -100 as env -u HOME orcm-conf get dvm
	[[ $output == *"name it with -c"* ]]
}

@test "orcm-conf: what others can write decides nothing" {
	run -0 orcm-conf -c c.conf check
	chmod g+w c.conf
	run -100 orcm-conf -c c.conf check
	[[ $output == "c.conf: others may write to it, "*"; chmod go-w" ]]
	run -0 orcm-conf check c.conf
	chmod 644 c.conf
	mkdir -m 777 d
	chmod 777 d
	cp c.conf d
	run -100 orcm-conf -c d print
	[[ $output == "d: others may write to it, "* ]]
	chmod 755 d
	run -0 orcm-conf -c d print
	mkfifo fifo
	run -100 orcm-conf -c fifo print
	[[ $output == "fifo: not a regular file; "* ]]
	run -100 orcm-conf -c - print <c.conf
	test "$(id -u)" != 0 || {
		chown 65534 c.conf
		run -100 orcm-conf -c c.conf get dvm
		[[ $output == "c.conf: belongs to user 65534, "*"; chown it" ]]
	}
}

@test "orcm-conf: every key is on its page, and the example there is good" {
	page=$TOP/man/orcm.conf.5
	orcm-conf -c "$TOP/tests/conf/good/every-key.conf" get dvm lab >keys
	for words in 'node n1' 'group psuA' 'app ospf'; do
		# shellcheck disable=SC2086
		orcm-conf -c "$TOP/tests/conf/good/every-key.conf" get $words
	done >>keys
	cut -f 1 keys >names
	# Repeated, so it is shown only where it is given.
	echo env >>names
	while read -r key; do
		grep -q "^\\.It Cm $key Ns =" "$page" ||
			{ echo "no $key in orcm.conf(5)" && return 1; }
	done <names
	# And the page has no key that there is not.
	sed -n 's/^\.It Cm \([a-z-]*\) Ns =.*/\1/p' "$page" | while read -r key; do
		grep -qx "$key" names ||
			{ echo "$key is only in orcm.conf(5)" && exit 1; }
	done
	sed -n '/^# A chassis/,/^\.Ed/p' "$page" | sed '/^\.Ed/d' |
		sed 's/\\e/\\/g' >page.conf
	run -0 --separate-stderr orcm-conf check page.conf
	test -z "$stderr"
}

@test "orcm-conf: usual values on the page are those of the program" {
	page=$TOP/man/orcm.conf.5
	for words in 'dvm d' 'group g' 'node n1' 'app a'; do
		# shellcheck disable=SC2086
		orcm-conf -c "$TOP/tests/conf/good/as-usual.conf" \
			-o key,value get $words |
			sed "s/^/${words%% *} /"
	done >usual
	awk '
	FILENAME != ARGV[2] {
		split($0, f, "\t")
		value[f[1]] = f[2]
		next
	}
	/^\.Ss / { thing = $2 }
	/^\.It Cm [a-z-]* Ns =/ { key = thing " " $3 }
	/^Usual: / {
		text = $0
		sub(/^Usual: /, "", text)
		sub(/\.$/, "", text)
		if (text != value[key] && !(key in told)) {
			print key ": page " text ", program " value[key]
			bad = 1
		}
		told[key] = 1
		n++
	}
	END { exit bad || n < 30 }' usual "$page"
}
