#!/usr/bin/python3
"""Samba's own client library (python3-samba) as the client.

    samba_client.py BINDING USER PASSWORD CA STEP ...

BINDING is Samba's, such as ncacn_http:exch01[6001,RpcProxy=127.0.0.1:80,HttpUseTls=false,HttpAuthOption=basic]. Steps:
    mgmt=N     N times inq_if_ids and is_server_listening
    samr=N     N times 1000 names to identifiers and 1000 identifiers to names (some 60 KB up, 40 KB down each)
    calls=N    N small calls
    down=N     one connection that reads at least N KiB, and writes little
Each step prints one line. Exit code 0 = all answers are right.
"""
import sys
import time

from samba import credentials, param
from samba.dcerpc import lsa, mgmt, samr


def setup(user, password, ca):
    options = param.LoadParm()
    for key, value in {'workgroup': 'LAB', 'netbios name': 'LABCLIENT', 'tls verify peer': 'ca_only', 'tls cafile': ca,
                       'log level': '0'}.items():
        options.set(key, value)
    who = credentials.Credentials()
    who.guess(options)
    who.set_username(user)
    who.set_password(password)
    who.set_domain('LAB')
    who.set_kerberos_state(credentials.DONT_USE_KERBEROS)
    return options, who


def management(binding, options, who, count):
    call = mgmt.mgmt(binding, options, who)
    for _ in range(count):
        assert call.inq_if_ids().count >= 1
        status, listening = call.is_server_listening()
        assert status == 0 and listening == 1, (status, listening)
    return 2 * count


def open_domain(binding, options, who):
    call = samr.samr(binding, options, who)
    server = call.Connect2(None, 0x02000000)
    name = lsa.String()
    name.string = 'LABSRV'
    sid = call.LookupDomain(server, name)
    return call, server, call.OpenDomain(server, 0x02000000, sid), name


def names(binding, options, who, count, up=True):
    call, _, domain, _ = open_domain(binding, options, who)
    one = lsa.String()
    one.string = 'daemon'
    rid = call.LookupNames(domain, [one])[0].ids[0]
    for _ in range(count):
        if up:
            rids, _ = call.LookupNames(domain, [one] * 1000)
            assert rids.count == 1000 and rids.ids[999] == rid, rids.count
        found, _ = call.LookupRids(domain, [rid] * 1000)
        assert found.count == 1000 and found.names[999].string == 'daemon', found.count
    return 2 * count if up else count


def small(binding, options, who, count):
    call, server, _, name = open_domain(binding, options, who)
    for _ in range(count):
        call.LookupDomain(server, name)
    return count


def main():
    binding, user, password, ca = sys.argv[1:5]
    options, who = setup(user, password, ca)
    actions = {'mgmt': management, 'samr': names, 'calls': small,
               'down': lambda *where: names(*where[:3], where[3] // 30 + 1, up=False)}
    for step in sys.argv[5:]:
        action, _, count = step.partition('=')
        start = time.monotonic()
        calls = actions[action](binding, options, who, int(count or 1))
        print(f'{action} calls={calls} seconds={time.monotonic() - start:.2f}', flush=True)


if __name__ == '__main__':
    main()
