# rpctunnel.  ./configure writes config.mk; all else about the build is here.
#
#   make            configure if needed, and build the three programs, in obj/; V=1 shows the commands
#   make demo       on a fresh machine: installs what is missing, builds, shows the main job
#   make check      on a fresh machine: installs what is missing, builds, runs every test
#   make bench      side by side with haproxy on this machine, as ratios, twenty minutes;  make bench-quick in two
#   make soak       the long tests, ten minutes at most: gigabytes over thousands of short-lived channels,
#                   then check-threads
#   make check-threads   the tests that run threads, under the thread sanitizer; part of make soak
#   make mutants    what no unit test notices: one small fault in the sources after the other, an hour at most;
#                   MUTANTS='--files src/tunnel/hub.cc --every 1' and the like say which (tests/mutate/run --help)
#   make install    honours prefix and DESTDIR; never overwrites a configuration
#   make dist       the source archive;  make distcheck proves it whole

srcdir = .

# These goals work on a machine on which nothing was installed before.
needs = $(strip $(if $(filter check check-% distcheck soak,$(MAKECMDGOALS)),check) \
                $(if $(filter bench bench-quick,$(MAKECMDGOALS)),bench) $(if $(filter demo,$(MAKECMDGOALS)),demo) \
                $(if $(filter mutants,$(MAKECMDGOALS)),mutants))
ifneq ($(needs),)
  here := $(dir $(realpath $(lastword $(MAKEFILE_LIST))))
  ifneq ($(shell $(here)scripts/install-deps $(needs) >&2 && echo done),done)
    $(error the packages above could not be installed)
  endif
  # CppUTest can have come after ./configure.
  ifeq ($(if $(filter check mutants,$(needs)),check)$(shell sed -n 's/^have_cpputest *= *//p' config.mk 2>/dev/null),checkno)
    $(shell ./config.status --recheck >&2; rm -f config.mk)
  endif
  # Whoever types one of them wants it soon.
  ifeq ($(MAKELEVEL),0)
    MAKEFLAGS += -j$(shell nproc 2>/dev/null || echo 1)
  endif
endif

include config.mk

MAKEFLAGS += --no-builtin-rules --no-print-directory
.DELETE_ON_ERROR:
.PHONY: all check check-documents check-unit check-system check-threads soak mutants demo bench bench-quick \
        install uninstall dist distcheck clean distclean

OBJ = obj

# --- Sources ----------------------------------------------------------------
# A room is a folder of src, of include and of tests/unit; who may include whom
# says scripts/check-layers.sh.

ROOMS = base rpch ntlm spnego $(if $(KERBEROS_LIBS),kerberos) directory net web access leg pairing hop tunnel http

# The sources of the folders $(1).
sources = $(patsubst $(srcdir)/%,%,$(sort $(wildcard $(addprefix $(srcdir)/,$(addsuffix /*.cc,$(1))))))

LIB_SRC    = $(call sources,$(addprefix src/,$(ROOMS)))
DAEMON_SRC = $(call sources,src/daemon)
CTL_SRC    = $(call sources,src/ctl)
PING_SRC   = $(call sources,src/ping)
BENCH_SRC  = $(call sources,tests/bench)
NTLM_SRC   = tests/system/ntlm_peer.cc src/ping/ntlm_login.cc
TEST_SRC   = $(call sources,tests/unit tests/unit/*) $(filter-out %/main.cc,$(DAEMON_SRC) $(PING_SRC))

PROGRAMS = $(OBJ)/rpctunneld $(OBJ)/rpctunnelctl $(OBJ)/rpctunnel-ping

MANUALS  = $(OBJ)/man/rpctunneld.8 $(OBJ)/man/rpctunneld.conf.5 $(OBJ)/man/rpctunnelctl.8 $(OBJ)/man/rpctunnel-ping.1
CONFIGS  = $(OBJ)/etc/rpctunneld.conf $(OBJ)/etc/rpctunneld.service

all: $(PROGRAMS) $(MANUALS) $(CONFIGS)

# --- Programs --------------------------------------------------------------

# A line a file, so that a warning is seen.
say = $(if $(V),,@printf '  %-4s %s\n' $(1) $@ &&)

objects = $(patsubst %.cc,$(OBJ)/%.o,$(1))

OUR_CPPFLAGS = -I$(srcdir)/include -DVERSION='"$(VERSION)"' $(DEP_CFLAGS)
OUR_CXXFLAGS = -std=c++20 -Wall -Wextra -Wshadow -pthread

$(OBJ)/librpctunnel.a: $(call objects,$(LIB_SRC))
	@rm -f $@
	$(call say,AR) $(AR) rc $@ $^ && $(RANLIB) $@

$(OBJ)/rpctunneld:     $(call objects,$(DAEMON_SRC)) $(OBJ)/librpctunnel.a
$(OBJ)/rpctunnelctl:   $(call objects,$(CTL_SRC))    $(OBJ)/librpctunnel.a
$(OBJ)/rpctunnel-ping: $(call objects,$(PING_SRC))   $(OBJ)/librpctunnel.a
$(OBJ)/unit-tests:     $(call objects,$(TEST_SRC))   $(OBJ)/librpctunnel.a
$(OBJ)/bench-load:     $(call objects,$(BENCH_SRC))  $(OBJ)/librpctunnel.a
$(OBJ)/ntlm-peer:      $(call objects,$(NTLM_SRC))   $(OBJ)/librpctunnel.a

$(OBJ)/unit-tests: DEP_LIBS += $(CPPUTEST_LIBS)
$(OBJ)/rpctunnel-ping $(OBJ)/unit-tests: DEP_LIBS += $(LIBNTLM_LIBS)
$(call objects,$(PING_SRC)): DEP_CFLAGS += $(LIBNTLM_CFLAGS) $(KERBEROS_CFLAGS)
$(call objects,$(call sources,src/kerberos)): DEP_CFLAGS += $(KERBEROS_CFLAGS)
$(PROGRAMS) $(OBJ)/unit-tests $(OBJ)/bench-load: DEP_LIBS += $(KERBEROS_LIBS)
$(call objects,$(TEST_SRC)): DEP_CFLAGS += -I$(srcdir)/tests $(CPPUTEST_CFLAGS)
$(call objects,$(BENCH_SRC)): DEP_CFLAGS += -I$(srcdir)/tests

# Installed paths are known to these objects alone.
confdir  = $(sysconfdir)/$(PACKAGE)
statedir = $(localstatedir)/lib/$(PACKAGE)
rundir   = $(runstatedir)/$(PACKAGE)
$(OBJ)/src/daemon/paths.o: OUR_CPPFLAGS += -DCONFDIR='"$(confdir)"'
$(OBJ)/src/ctl/paths.o: OUR_CPPFLAGS += -DSTATEDIR='"$(statedir)"'

$(PROGRAMS) $(OBJ)/unit-tests $(OBJ)/bench-load $(OBJ)/ntlm-peer:
	$(call say,LINK) $(CXX) $(CXXFLAGS) $(LDFLAGS) -pthread -o $@ $^ $(DEP_LIBS) $(LIBS)

# The module of SPNEGO, as libtasn1 takes it.
$(OBJ)/spnego/spnego_module.inc: $(srcdir)/src/spnego/spnego.asn config.mk
	@$(MKDIR_P) $(@D)
	$(call say,ASN1) $(ASN1PARSER) -o $@ -n spnego_module $< 2>$@.log || { cat $@.log; exit 1; }
$(OBJ)/src/spnego/token.o: $(OBJ)/spnego/spnego_module.inc
$(OBJ)/src/spnego/token.o: OUR_CPPFLAGS += -I$(OBJ)/spnego

$(OBJ)/%.o: $(srcdir)/%.cc config.mk
	@$(MKDIR_P) $(@D)
	$(call say,CXX) $(CXX) $(OUR_CPPFLAGS) $(CPPFLAGS) $(OUR_CXXFLAGS) $(CXXFLAGS) -MMD -MP -c -o $@ $<

-include $(patsubst %.cc,$(OBJ)/%.d,$(LIB_SRC) $(DAEMON_SRC) $(CTL_SRC) $(PING_SRC) $(TEST_SRC) $(BENCH_SRC) $(NTLM_SRC))

# --- Manuals and configuration, with the configured paths written in --------

EDIT = sed -e 's,@confdir@,$(confdir),g' -e 's,@statedir@,$(statedir),g' -e 's,@rundir@,$(rundir),g' \
           -e 's,@sbindir@,$(sbindir),g' -e 's,@version@,$(VERSION),g'

$(OBJ)/man/%: $(srcdir)/man/% config.mk
	@$(MKDIR_P) $(@D)
	$(call say,EDIT) $(EDIT) $< > $@

$(OBJ)/etc/%: $(srcdir)/etc/% config.mk
	@$(MKDIR_P) $(@D)
	$(call say,EDIT) $(EDIT) $< > $@

# --- Tests -----------------------------------------------------------------
# The programs are built as they are installed, by the compiler that configure
# found; the tests run on a second build, by clang with the address and
# undefined-behaviour sanitizers. Neither may warn. The check of virtual tables
# needs a pipe of its own and sees faults that are none where a test leaves no
# descriptors.

SANITIZED = CXX=clang++ OBJ=$(OBJ)/sanitized \
            CXXFLAGS='-O1 -g1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize=vptr -fno-sanitize-recover=undefined -Werror' \
            CPPFLAGS='-DCPPUTEST_MEM_LEAK_DETECTION_DISABLED'

check: check-documents
	$(MAKE) $(SANITIZED) check-unit
	$(MAKE) $(SANITIZED) check-system
	OBJ=$(abspath $(OBJ)) $(srcdir)/tests/system/run 10 20

# The scenarios with the most threads; those that the clock leads, or that count memory, say nothing at a tenth of the speed.
THREADED  = CXX=clang++ OBJ=$(OBJ)/threads CXXFLAGS='-O1 -g1 -fsanitize=thread -Werror' \
            LDFLAGS='-Wl,--allow-multiple-definition' \
            CPPFLAGS='-DCPPUTEST_MEM_LEAK_DETECTION_DISABLED'
THREADED_SCENARIOS = 10 13 16 17 30 35 38 42 48

check-threads:
	$(MAKE) $(THREADED) check-unit
	$(MAKE) $(THREADED) check-system SCENARIOS='$(THREADED_SCENARIOS)'

check-documents: CXXFLAGS += -Werror
check-documents: all
	$(srcdir)/scripts/check-layers.sh
	$(srcdir)/scripts/check-docs.sh $(OBJ)

check-unit: $(OBJ)/unit-tests
	cd $(srcdir) && $(abspath $(OBJ)/unit-tests)

check-system: $(PROGRAMS) $(OBJ)/bench-load $(OBJ)/ntlm-peer
	OBJ=$(abspath $(OBJ)) $(srcdir)/tests/system/run $(SCENARIOS)

soak: $(PROGRAMS) $(OBJ)/bench-load $(OBJ)/unit-tests
	OBJ=$(abspath $(OBJ)) $(srcdir)/tests/soak/run
	$(MAKE) check-threads

mutants: config.mk
	OBJ=$(abspath $(OBJ)) $(srcdir)/tests/mutate/run $(MUTANTS)

demo: all
	OBJ=$(abspath $(OBJ)) $(srcdir)/scripts/demo

bench bench-quick: all $(OBJ)/bench-load
	OBJ=$(abspath $(OBJ)) $(srcdir)/tests/bench/run $(if $(filter bench-quick,$@),--quick)

# --- Install ---------------------------------------------------------------

unitdir = $(prefix)/lib/systemd/system

install: all
	$(MKDIR_P) $(DESTDIR)$(sbindir) $(DESTDIR)$(bindir) $(DESTDIR)$(confdir) $(DESTDIR)$(unitdir)
	$(MKDIR_P) $(DESTDIR)$(mandir)/man1 $(DESTDIR)$(mandir)/man5 $(DESTDIR)$(mandir)/man8
	$(INSTALL_PROGRAM) $(OBJ)/rpctunneld $(OBJ)/rpctunnelctl $(DESTDIR)$(sbindir)
	$(INSTALL_PROGRAM) $(OBJ)/rpctunnel-ping $(DESTDIR)$(bindir)
	$(INSTALL_DATA) $(OBJ)/man/rpctunnel-ping.1 $(DESTDIR)$(mandir)/man1
	$(INSTALL_DATA) $(OBJ)/man/rpctunneld.conf.5 $(DESTDIR)$(mandir)/man5
	$(INSTALL_DATA) $(OBJ)/man/rpctunneld.8 $(OBJ)/man/rpctunnelctl.8 $(DESTDIR)$(mandir)/man8
	$(INSTALL_DATA) $(OBJ)/etc/rpctunneld.service $(DESTDIR)$(unitdir)
	test -f $(DESTDIR)$(confdir)/rpctunneld.conf || \
		$(INSTALL_DATA) $(OBJ)/etc/rpctunneld.conf $(DESTDIR)$(confdir)/rpctunneld.conf

# The configuration is the administrator's once installed: it stays if edited.
uninstall:
	rm -f $(DESTDIR)$(sbindir)/rpctunneld $(DESTDIR)$(sbindir)/rpctunnelctl $(DESTDIR)$(bindir)/rpctunnel-ping
	rm -f $(DESTDIR)$(mandir)/man1/rpctunnel-ping.1 $(DESTDIR)$(mandir)/man5/rpctunneld.conf.5
	rm -f $(DESTDIR)$(mandir)/man8/rpctunneld.8 $(DESTDIR)$(mandir)/man8/rpctunnelctl.8
	rm -f $(DESTDIR)$(unitdir)/rpctunneld.service
	! cmp -s $(OBJ)/etc/rpctunneld.conf $(DESTDIR)$(confdir)/rpctunneld.conf || \
		rm -f $(DESTDIR)$(confdir)/rpctunneld.conf

# --- Source archive --------------------------------------------------------

DISTDIR   = $(PACKAGE)-$(VERSION)
DISTFILES = COPYING Makefile README configure configure.ac etc include man scripts src tests

dist: $(srcdir)/configure
	tar -C $(srcdir) --exclude='*~' --exclude='.*.sw?' --exclude=__pycache__ --transform='s,^,$(DISTDIR)/,' \
		--owner=0 --group=0 --sort=name -czf $(DISTDIR).tar.gz $(DISTFILES)

# What automake's distcheck proves: a read-only unpacked archive configures and
# builds elsewhere, passes its tests, installs, uninstalls and cleans up whole.
distcheck: dist
	test ! -d obj/distcheck || chmod -R u+w obj/distcheck
	rm -rf obj/distcheck
	$(MKDIR_P) obj/distcheck/build
	tar -C obj/distcheck -xzf $(DISTDIR).tar.gz
	chmod -R a-w obj/distcheck/$(DISTDIR)
	cd obj/distcheck/build && \
		../$(DISTDIR)/configure --prefix=/usr --sysconfdir=/etc $(DISTCHECK_CONFIGURE_FLAGS) && \
		$(MAKE) all && $(MAKE) check && \
		$(MAKE) install DESTDIR=$(CURDIR)/obj/distcheck/root && \
		$(MAKE) uninstall DESTDIR=$(CURDIR)/obj/distcheck/root && \
		$(MAKE) dist && rm -f $(DISTDIR).tar.gz && \
		$(MAKE) distclean
	test -z "$$(find obj/distcheck/root -type f)" || { echo "uninstall left files"; exit 1; }
	test -z "$$(find obj/distcheck/build -type f)" || { echo "distclean left files"; exit 1; }
	chmod -R u+w obj/distcheck && rm -rf obj/distcheck
	@echo "$(DISTDIR).tar.gz is ready to publish"

clean:
	rm -rf obj

distclean: clean
	rm -f config.mk config.log config.status
	test ! -L Makefile || rm -f Makefile

# --- The build's own inputs ------------------------------------------------

$(srcdir)/configure: $(srcdir)/configure.ac
	cd $(srcdir) && autoreconf --install --force

config.status: $(srcdir)/configure
	if test -x ./config.status; then ./config.status --recheck; else $(srcdir)/configure; fi

config.mk: $(srcdir)/scripts/config.mk.in config.status
	./config.status --file=config.mk:$(srcdir)/scripts/config.mk.in
