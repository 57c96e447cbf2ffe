# SPDX-License-Identifier: ISC
#
# Works with any POSIX make.  make [TARGET] [NAME=value ...]
#   all            libraries, programs and plug-ins in $(B)
#   check          all tests; the last line is "N passed, N failed"
#   demo           half a minute that shows what it is for
#   install        to PREFIX, below DESTDIR; uninstall takes it all away
#   lint           what compilers, linters and mandoc say beyond the tests
#   asan-check tsan-check   the tests under sanitizers
#   fuzz soak      parsers (FUZZ_SECONDS each), simulator (SOAK_SECONDS)
#   portability    other compilers, makes and word sizes, as far as present
#   dist distcheck release tarball
# scripts/config.sh says what else can be given (CC, CFLAGS, SAN, POSIX, ...).
.POSIX:
.NOTPARALLEL:

B = build
# GNU make alone reads that variable; it would name its directory each time.
AGAIN = GNUMAKEFLAGS=--no-print-directory $(MAKE)
BUILD = sh scripts/config.sh $(B) && sh scripts/sources.sh $(B) && \
	$(AGAIN) -f scripts/build.mk B=$(B)

all:
	@+$(BUILD) all
archives:
	@+$(BUILD) archives
programs-for-tests:
	@+$(BUILD) programs-for-tests
unit:
	@+$(BUILD) unit
fuzzers:
	@+$(BUILD) fuzzers

check:
	@+$(BUILD) programs-for-tests
	@B=$(B) sh scripts/check.sh
demo:
	@+$(BUILD) all
	@B=$(B) sh scripts/demo.sh
install:
	@+$(BUILD) all
	@DESTDIR='$(DESTDIR)' sh scripts/install.sh $(B)
uninstall:
	@sh scripts/config.sh $(B)
	@DESTDIR='$(DESTDIR)' sh scripts/install.sh -u $(B)

asan:
	@+$(AGAIN) B=$(B)-asan SAN=address,undefined all
asan-check:
	@+$(AGAIN) B=$(B)-asan SAN=address,undefined check
tsan:
	@+$(AGAIN) B=$(B)-tsan SAN=thread all
tsan-check:
	@+$(AGAIN) B=$(B)-tsan SAN=thread check

lint:
	@+$(BUILD) archives
	@B=$(B) sh scripts/lint.sh
fuzz:
	@MAKE='$(MAKE)' B=$(B) sh scripts/fuzz.sh
soak:
	@+$(BUILD) all
	@B=$(B) sh scripts/soak.sh
portability:
	@MAKE='$(MAKE)' B=$(B) sh scripts/portability.sh
dist:
	@B=$(B) sh scripts/dist.sh
distcheck:
	@B=$(B) sh scripts/dist.sh -c

clean:
	rm -rf $(B) $(B)-*
