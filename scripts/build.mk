# SPDX-License-Identifier: ISC
#
# What ../Makefile runs for everything that is built.  config.mk says how the
# compiler is called, sources.mk is the list of files with a rule for each.
.POSIX:
.SUFFIXES:

Q = @

first: all

include $(B)/config.mk
include $(B)/where.mk

COMPILE = $(CC) -std=c11 $(DEFS) $(HAVES) -Iinclude -Isrc $(WARN) \
	$(HARD) $(PIC) $(CFLAGS) $(SANFLAGS)
LINK = $(CC) $(CFLAGS) $(SANFLAGS) $(HARD_LD) $(LDFLAGS)

L = $(B)/lib
ARCHIVES = $L/libbase.a $L/libcore.a $L/libsys.a $L/libplug.a $L/libsim.a \
	$L/libcmd.a $L/liborcm.a

# Programs of ours share the library's text; so do the applications.
SHARED_NEEDS = $L/libcmd.a $L/$(SO_LINK) $(B)/where.mk
LINK_SHARED = $(PIE) $L/libcmd.a -L$L -lorcm $(RPATH_MORE) $(LIBS)
# Many copies of orcm-wrap run: a static one has no relocations, so nearly
# all of its memory is shared between them.
STATIC_NEEDS = $L/libcmd.a $L/liborcm.a
LINK_STATIC = $(STATIC) $L/libcmd.a $L/liborcm.a $(LIBS)
# The simulator must not be able to reach the operating system.
SIM_NEEDS = $L/libsim.a $L/libplug.a $L/libcore.a $L/libbase.a
LINK_SIM = $(PIE) $(SIM_NEEDS) $(LIBS)
PURE_NEEDS = $L/libplug.a $L/libcore.a $L/libbase.a
LINK_PURE = $(PIE) $(PURE_NEEDS) $(LIBS)
TEST_NEEDS = $L/libsim.a $L/libcmd.a $L/liborcm.a
LINK_TEST = $(PIE) $(TEST_NEEDS) $(LIBS)

# After what its rules name: a make reads prerequisites as they come.
include $(B)/sources.mk

all: archives $L/$(SO_LINK) $(PROGRAMS) $(PLUGINS)
	@:
archives: $(ARCHIVES)
	@:
programs-for-tests: all $(TESTS) $(TEST_PLUGINS) $(HELPERS) $(REPLAYS)
	@:
unit: $(TESTS) $(TEST_PLUGINS)
	@:
fuzzers: $(FUZZERS)
	@:

$L/libbase.a: $(BASE_OBJ) $(B)/sources.mk
	@sh scripts/archive.sh $(AR) $@ $(BASE_OBJ)
$L/libcore.a: $(CORE_OBJ) $(B)/sources.mk
	@sh scripts/archive.sh $(AR) $@ $(CORE_OBJ)
$L/libsys.a: $(SYS_OBJ) $(B)/sources.mk
	@sh scripts/archive.sh $(AR) $@ $(SYS_OBJ)
$L/libplug.a: $(BUILTIN_OBJ) $(B)/sources.mk
	@sh scripts/archive.sh $(AR) $@ $(BUILTIN_OBJ)
$L/libsim.a: $(SIM_OBJ) $(B)/sources.mk
	@sh scripts/archive.sh $(AR) $@ $(SIM_OBJ)
$L/libcmd.a: $(CMD_OBJ) $(B)/sources.mk
	@sh scripts/archive.sh $(AR) $@ $(CMD_OBJ)

ORCM_OBJ = $(LIB_OBJ) $(BUILTIN_OBJ) $(SYS_OBJ) $(CORE_OBJ) $(BASE_OBJ)
$L/liborcm.a: $(ORCM_OBJ) $(B)/sources.mk
	@sh scripts/archive.sh $(AR) $@ $(ORCM_OBJ)
$L/$(SO): $(ORCM_OBJ) $(B)/sources.mk
	@echo so lib/$(SO)
	$(Q)$(LINK) $(PIC) $(SHARED) $(SO_FLAGS) -o $@ $(ORCM_OBJ) $(LIBS)
$L/$(SO_LINK): $L/$(SO)
	@rm -f $@ && ln -s $(SO) $@
