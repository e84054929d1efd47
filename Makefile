# rpctunnel.  ./configure writes config.mk; all else about the build is here.
#
#   make            configure if needed, and build the three programs, in obj/
#   make demo       on a fresh machine: installs what is missing, builds, shows the main job
#   make check      on a fresh machine: installs what is missing, builds, runs every test
#   make bench      side by side with haproxy on this machine, as ratios
#   make install    honours prefix and DESTDIR; never overwrites a configuration
#   make dist       the source archive;  make distcheck proves it whole

srcdir = .
include config.mk

MAKEFLAGS += --no-builtin-rules
.DELETE_ON_ERROR:
.PHONY: all check check-unit demo install uninstall dist distcheck clean distclean

OBJ = obj

# --- Sources, lowest layer first -------------------------------------------
# A layer includes its own headers and those of the lines above; layers on one
# line do not see each other (scripts/check-layers.sh).

LAYERS = base rpch access directory net tunnel http

base_SRC = src/base/cursor.cc src/base/text.cc src/base/base64.cc src/base/fifo.cc src/base/log.cc \
           src/base/workers.cc
rpch_SRC = src/rpch/guid.cc src/rpch/cookie.cc src/rpch/pdu.cc src/rpch/framer.cc src/rpch/rts.cc \
           src/rpch/rts_table.cc src/rpch/rts_recognise.cc src/rpch/rts_fields.cc src/rpch/rts_builder.cc
access_SRC = src/access/account.cc src/access/password.cc src/access/policy.cc src/access/cache.cc \
             src/access/scheme.cc src/access/basic.cc src/access/authenticator.cc
directory_SRC =
net_SRC =
tunnel_SRC =
http_SRC =

base_TEST = tests/unit/base/cursor_test.cc tests/unit/base/text_test.cc tests/unit/base/fifo_test.cc
rpch_TEST = tests/unit/rpch/guid_test.cc tests/unit/rpch/cookie_test.cc tests/unit/rpch/pdu_test.cc \
            tests/unit/rpch/framer_test.cc tests/unit/rpch/rts_test.cc tests/unit/rpch/rts_table_test.cc \
            tests/unit/rpch/rts_vectors_test.cc
access_TEST = tests/unit/access/account_test.cc tests/unit/access/password_test.cc tests/unit/access/cache_test.cc \
              tests/unit/access/basic_test.cc tests/unit/access/authenticator_test.cc
directory_TEST =
net_TEST =
tunnel_TEST =
http_TEST =

LIB_SRC    = $(foreach layer,$(LAYERS),$($(layer)_SRC))
DAEMON_SRC =
CTL_SRC    =
PING_SRC   =
TEST_SRC   = tests/unit/main.cc $(foreach layer,$(LAYERS),$($(layer)_TEST))

PROGRAMS = $(OBJ)/rpctunneld $(OBJ)/rpctunnelctl $(OBJ)/rpctunnel-ping

all: $(PROGRAMS)

# --- Programs --------------------------------------------------------------

objects = $(patsubst %.cc,$(OBJ)/%.o,$(1))

OUR_CPPFLAGS = -I$(srcdir)/include -DVERSION='"$(VERSION)"' $(DEP_CFLAGS)
OUR_CXXFLAGS = -std=c++20 -Wall -Wextra -Wshadow -pthread

$(OBJ)/librpctunnel.a: $(call objects,$(LIB_SRC))
	rm -f $@
	$(AR) rc $@ $^
	$(RANLIB) $@

$(OBJ)/rpctunneld:     $(call objects,$(DAEMON_SRC)) $(OBJ)/librpctunnel.a
$(OBJ)/rpctunnelctl:   $(call objects,$(CTL_SRC))    $(OBJ)/librpctunnel.a
$(OBJ)/rpctunnel-ping: $(call objects,$(PING_SRC))   $(OBJ)/librpctunnel.a
$(OBJ)/unit-tests:     $(call objects,$(TEST_SRC))   $(OBJ)/librpctunnel.a

$(OBJ)/unit-tests: DEP_LIBS += $(CPPUTEST_LIBS)
$(call objects,$(TEST_SRC)): DEP_CFLAGS += $(CPPUTEST_CFLAGS)

$(PROGRAMS) $(OBJ)/unit-tests:
	$(CXX) $(CXXFLAGS) $(LDFLAGS) -pthread -o $@ $^ $(DEP_LIBS) $(LIBS)

$(OBJ)/%.o: $(srcdir)/%.cc config.mk
	@$(MKDIR_P) $(@D)
	$(CXX) $(OUR_CPPFLAGS) $(CPPFLAGS) $(OUR_CXXFLAGS) $(CXXFLAGS) -MMD -MP -c -o $@ $<

-include $(patsubst %.cc,$(OBJ)/%.d,$(LIB_SRC) $(DAEMON_SRC) $(CTL_SRC) $(PING_SRC) $(TEST_SRC))

check-unit: $(OBJ)/unit-tests
	cd $(srcdir) && $(abspath $(OBJ)/unit-tests)

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
