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

# --- Sources, lowest layer first -------------------------------------------
# A layer includes its own headers and those of the lines above; layers on one
# line do not see each other (scripts/check-layers.sh).

LAYERS = base rpch ntlm spnego directory net access tunnel http

base_SRC = src/base/cursor.cc src/base/text.cc src/base/base64.cc src/base/fifo.cc \
           src/base/line_queue.cc src/base/line_queues.cc src/base/line_sink.cc src/base/line_writer.cc \
           src/base/line_rescue.cc src/base/log.cc src/base/lane.cc src/base/retry.cc src/base/shortage.cc src/base/pasted.cc
rpch_SRC = src/rpch/guid.cc src/rpch/cookie.cc src/rpch/pdu.cc src/rpch/framer.cc src/rpch/rts.cc \
           src/rpch/rts_table.cc src/rpch/rts_recognise.cc src/rpch/rts_fields.cc src/rpch/rts_builder.cc \
           src/rpch/acknowledgement.cc src/rpch/held_pdus.cc \
           src/rpch/inbound_proxy.cc src/rpch/inbound_proxy_recycle.cc \
           src/rpch/outbound_proxy.cc src/rpch/outbound_proxy_recycle.cc \
           src/rpch/server.cc src/rpch/server_recycle.cc src/rpch/client.cc src/rpch/client_recycle.cc \
           src/rpch/rpc.cc src/rpch/mgmt.cc
ntlm_SRC = src/ntlm/text.cc src/ntlm/av_pairs.cc src/ntlm/message.cc src/ntlm/keys.cc src/ntlm/acceptor.cc \
           src/ntlm/initiator.cc
spnego_SRC = src/spnego/token.cc src/spnego/acceptor.cc src/spnego/initiator.cc
access_SRC = src/access/account.cc src/access/seal.cc src/access/password.cc src/access/password_check.cc \
             src/access/policy.cc src/access/cache.cc \
             src/access/scheme.cc src/access/basic.cc src/access/authenticator.cc
directory_SRC = src/directory/statement.cc src/directory/database.cc src/directory/schema.cc \
                src/directory/connections.cc src/directory/target.cc src/directory/transport.cc \
                src/directory/port_list.cc src/directory/valid_ports.cc src/directory/port_store.cc \
                src/directory/policy.cc src/directory/decision_cache.cc src/directory/fold.cc src/directory/accounts.cc \
                src/directory/servers.cc src/directory/mailboxes.cc
net_SRC = src/net/socket_options.cc src/net/socket_pair.cc src/net/address.cc src/net/wheel.cc src/net/loop.cc src/net/tls_context.cc src/net/tls_session.cc \
          src/net/tls_info.cc src/net/stream.cc src/net/listener.cc src/net/connector.cc src/net/proxy_header.cc \
          src/net/name_query.cc src/net/resolver.cc src/net/local_datagram.cc src/net/sources.cc
tunnel_SRC = src/tunnel/reply.cc src/tunnel/failure.cc src/tunnel/first_pdu.cc src/tunnel/grant.cc src/tunnel/newcomer.cc \
             src/tunnel/banner.cc src/tunnel/outlet.cc \
             src/tunnel/leg.cc src/tunnel/dialer.cc src/tunnel/ncacn_http_hop.cc src/tunnel/mixed_proxy.cc \
             src/tunnel/virtual_server.cc src/tunnel/virtual_server_legs.cc src/tunnel/local_hop.cc \
             src/tunnel/nodes.cc src/tunnel/spread.cc \
             src/tunnel/node_hop.cc src/tunnel/joiner.cc src/tunnel/paired_leg.cc src/tunnel/pairing.cc \
             src/tunnel/inbound_channel.cc src/tunnel/inbound_channel_recycle.cc \
             src/tunnel/outbound_channel.cc src/tunnel/outbound_channel_recycle.cc \
             src/tunnel/farewell.cc src/tunnel/hub.cc \
             src/tunnel/hub_closing.cc
http_SRC = src/http/head.cc src/http/request.cc src/http/reply.cc src/http/engine.cc src/http/gate.cc \
           src/http/front.cc src/http/connection.cc src/http/connection_request.cc src/http/connection_reply.cc

base_TEST = tests/unit/base/cursor_test.cc tests/unit/base/text_test.cc tests/unit/base/fifo_test.cc \
            tests/unit/base/line_queue_test.cc tests/unit/base/line_sink_test.cc tests/unit/base/line_writer_test.cc \
            tests/unit/base/log_test.cc tests/unit/base/shortage_test.cc tests/unit/base/lane_test.cc \
            tests/unit/base/retry_test.cc tests/unit/base/pasted_test.cc
rpch_TEST = tests/unit/rpch/guid_test.cc tests/unit/rpch/cookie_test.cc tests/unit/rpch/pdu_test.cc \
            tests/unit/rpch/framer_test.cc tests/unit/rpch/rts_test.cc tests/unit/rpch/rts_table_test.cc \
            tests/unit/rpch/rts_vectors_test.cc tests/unit/rpch/flow_test.cc tests/unit/rpch/lifetime_test.cc \
            tests/unit/rpch/held_pdus_test.cc tests/unit/rpch/inbound_proxy_test.cc \
            tests/unit/rpch/outbound_proxy_test.cc tests/unit/rpch/server_test.cc \
            tests/unit/rpch/client_test.cc tests/unit/rpch/rpc_test.cc tests/unit/rpch/mgmt_test.cc \
            tests/unit/rpch/simulator.cc tests/unit/rpch/simulator_party.cc tests/unit/rpch/simulator_ends.cc \
            tests/unit/rpch/in_recycling_test.cc tests/unit/rpch/out_recycling1_test.cc \
            tests/unit/rpch/out_recycling2_test.cc tests/unit/rpch/reasons_test.cc \
            tests/unit/rpch/automaton_test.cc tests/unit/rpch/recycling_model_test.cc
ntlm_TEST = tests/unit/ntlm/text_test.cc tests/unit/ntlm/keys_test.cc tests/unit/ntlm/message_test.cc \
            tests/unit/ntlm/windows_client.cc tests/unit/ntlm/challenge_test.cc tests/unit/ntlm/acceptor_test.cc \
            tests/unit/ntlm/initiator_test.cc tests/unit/ntlm/mutation_test.cc
spnego_TEST = tests/unit/spnego/token_test.cc tests/unit/spnego/acceptor_test.cc tests/unit/spnego/initiator_test.cc \
              tests/unit/spnego/mutation_test.cc
access_TEST = tests/unit/access/account_test.cc tests/unit/access/password_test.cc tests/unit/access/cache_test.cc \
              tests/unit/access/password_check_test.cc tests/unit/access/basic_test.cc tests/unit/access/authenticator_test.cc \
              tests/unit/access/policy_test.cc
directory_TEST = tests/unit/directory/target_test.cc tests/unit/directory/valid_ports_test.cc \
                 tests/unit/directory/schema_test.cc tests/unit/directory/stores_test.cc \
                 tests/unit/directory/accounts_test.cc tests/unit/directory/policy_test.cc \
                 tests/unit/directory/decision_cache_test.cc tests/unit/directory/connections_test.cc
net_TEST = tests/unit/net/address_test.cc tests/unit/net/wheel_test.cc tests/unit/net/loop_test.cc \
           tests/unit/net/watch_test.cc tests/unit/net/ask_test.cc \
           tests/unit/net/test_certificate.cc tests/unit/net/tls_test.cc tests/unit/net/stream_test.cc \
           tests/unit/net/listener_test.cc tests/unit/net/connector_test.cc tests/unit/net/proxy_header_test.cc \
           tests/unit/net/resolver_test.cc tests/unit/net/sources_test.cc
tunnel_TEST = tests/unit/tunnel/grant_test.cc tests/unit/tunnel/banner_test.cc tests/unit/tunnel/outlet_test.cc \
              tests/unit/tunnel/nodes_test.cc \
              tests/unit/tunnel/spread_test.cc tests/unit/tunnel/farewell_test.cc tests/unit/tunnel/first_pdu_test.cc \
              tests/unit/tunnel/joiner_test.cc tests/unit/tunnel/leg_test.cc tests/unit/tunnel/ends_test.cc \
              tests/unit/tunnel/gone_test.cc \
              tests/unit/tunnel/hub_test.cc tests/unit/tunnel/hub_flow_test.cc tests/unit/tunnel/hub_recycling_test.cc \
              tests/unit/tunnel/hub_shards_test.cc tests/unit/tunnel/hub_silence_test.cc tests/unit/tunnel/hub_closing_test.cc \
              tests/unit/tunnel/hub_end_test.cc tests/unit/tunnel/virtual_server_test.cc tests/unit/tunnel/dialer_test.cc \
              tests/unit/tunnel/pairing_test.cc tests/unit/tunnel/pairing_refusal_test.cc \
              tests/unit/tunnel/pairing_end_test.cc tests/unit/tunnel/pairing_flow_test.cc \
              tests/unit/tunnel/pairing_in_recycling_test.cc tests/unit/tunnel/pairing_out_recycling_test.cc \
              tests/unit/tunnel/local_hop_test.cc tests/unit/tunnel/node_hop_test.cc tests/unit/tunnel/mixed_proxy_test.cc
http_TEST = tests/unit/http/head_test.cc tests/unit/http/request_test.cc tests/unit/http/front_fixture.cc \
            tests/unit/http/front_test.cc tests/unit/http/front_login_test.cc tests/unit/http/front_channel_test.cc \
            tests/unit/http/front_limits_test.cc tests/unit/http/front_tls_test.cc tests/unit/http/front_connect_test.cc \
            tests/unit/http/front_body_test.cc tests/unit/http/front_heads_test.cc tests/unit/http/front_health_test.cc \
            tests/unit/http/front_ends_test.cc

# The parts of the daemon that unit tests link.
DAEMON_PARTS = src/daemon/value.cc src/daemon/option_table.cc src/daemon/config.cc src/daemon/paths.cc \
               src/daemon/command_line.cc src/daemon/descriptors.cc src/daemon/process.cc src/daemon/privileges.cc src/daemon/background.cc \
               src/daemon/shard.cc src/daemon/instance.cc
daemon_TEST  = tests/unit/daemon/value_test.cc tests/unit/daemon/config_test.cc tests/unit/daemon/command_line_test.cc \
               tests/unit/daemon/process_test.cc tests/unit/daemon/descriptors_test.cc \
               tests/unit/daemon/instance_test.cc

# The parts of rpctunnel-ping that unit tests link.
PING_PARTS = src/tools/ping_arguments.cc src/tools/ping_options.cc src/tools/ping_http.cc src/tools/ping_explain.cc
ping_TEST  = tests/unit/tools/ping_options_test.cc tests/unit/tools/ping_http_test.cc

LIB_SRC    = $(foreach layer,$(LAYERS),$($(layer)_SRC))
DAEMON_SRC = $(DAEMON_PARTS) src/daemon/main.cc
CTL_SRC    = src/tools/ctl_main.cc src/tools/ctl_commands.cc src/tools/ctl_arguments.cc src/tools/ctl_json.cc \
             src/tools/ctl_report.cc src/tools/ctl_paths.cc src/tools/ctl_users.cc src/tools/ctl_servers.cc \
             src/tools/ctl_mailboxes.cc src/tools/ctl_ports.cc src/tools/ask_password.cc
PING_SRC   = $(PING_PARTS) src/tools/ping_report.cc src/tools/ask_password.cc src/tools/ping_wire.cc \
             src/tools/ping_proxy.cc src/tools/ping_echo.cc src/tools/ping_caller.cc \
             src/tools/ping_tunnel.cc src/tools/ping_plain.cc src/tools/ping_main.cc
NTLM_SRC   = tests/system/ntlm_peer.cc
BENCH_SRC  = tests/bench/pattern.cc tests/bench/channel.cc tests/bench/hold.cc tests/bench/request.cc \
             tests/bench/tunnel.cc tests/bench/tunnel_work.cc tests/bench/fleet.cc tests/bench/pacer.cc \
             tests/bench/server_end.cc tests/bench/connection.cc tests/bench/session.cc tests/bench/backend.cc \
             tests/bench/meter.cc tests/bench/report.cc tests/bench/steps.cc tests/bench/load.cc tests/bench/main.cc
TEST_SRC   = tests/unit/main.cc $(foreach layer,$(LAYERS),$($(layer)_TEST)) \
             $(if $(filter http,$(LAYERS)),$(daemon_TEST) $(DAEMON_PARTS) $(ping_TEST) $(PING_PARTS))

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
$(call objects,$(TEST_SRC)): DEP_CFLAGS += -I$(srcdir)/tests $(CPPUTEST_CFLAGS)
$(call objects,$(BENCH_SRC)): DEP_CFLAGS += -I$(srcdir)/tests

# Installed paths are known to these objects alone.
confdir  = $(sysconfdir)/$(PACKAGE)
statedir = $(localstatedir)/lib/$(PACKAGE)
rundir   = $(runstatedir)/$(PACKAGE)
$(OBJ)/src/daemon/paths.o: OUR_CPPFLAGS += -DCONFDIR='"$(confdir)"'
$(OBJ)/src/tools/ctl_paths.o: OUR_CPPFLAGS += -DSTATEDIR='"$(statedir)"'

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
