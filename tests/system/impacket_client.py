#!/usr/bin/python3
"""impacket as the client.

    impacket_client.py URL TARGET USER PASSWORD STEP ...

URL is that of the proxy, http or https, or tcp:ADDRESS:PORT to ask the server without any proxy, or the word
direct: the target is asked over ncacn_http without a proxy. Steps:
    mgmt[=N]   bind to the management interface, then N times inq_if_ids and is_server_listening
    samr=N     authenticated bind to samr, then N times 1000 names to identifiers, and 1000 identifiers to names
    calls=N    authenticated bind to samr, then N small calls
Each step prints one line: its name, calls, bytes of RPC each way. Exit code 0 = all answers are right.
PROXY_AUTH=ntlm in the environment: NTLM for the proxy in place of Basic.
"""
import os
import sys
import time

from impacket.dcerpc.v5 import mgmt, rpcrt, samr, transport
from impacket.http import AUTH_BASIC, AUTH_NTLM


class Counter:
    """Counts the RPC bytes of one connection, under whatever impacket does above."""

    def __init__(self, carrier):
        self.up = self.down = 0
        self.real_send, self.real_recv = carrier.send, carrier.recv
        carrier.send, carrier.recv = self.send, self.recv

    def send(self, data, *more, **named):
        self.up += len(data)
        return self.real_send(data, *more, **named)

    def recv(self, *more, **named):
        data = self.real_recv(*more, **named)
        self.down += len(data)
        return data


def connect(url, target, user, password, rpc_auth):
    host, port = target.rsplit(':', 1)
    if url.startswith('tcp:'):
        _, host, port = url.split(':')
        carrier = transport.DCERPCTransportFactory(f'ncacn_ip_tcp:{host}[{port}]')
    else:
        carrier = transport.DCERPCTransportFactory(f'ncacn_http:{host}[{port}]')
        if url != 'direct':
            carrier.set_rpc_proxy_url(f'{url}/rpc/rpcproxy.dll?{target}')
            carrier.set_auth_type(AUTH_NTLM if os.environ.get('PROXY_AUTH') == 'ntlm' else AUTH_BASIC)
    carrier.set_credentials(user, password)
    counter = Counter(carrier)
    call = carrier.get_dce_rpc()
    if rpc_auth:
        call.set_auth_level(rpcrt.RPC_C_AUTHN_LEVEL_PKT_PRIVACY)
    call.connect()
    return call, counter


def management(count, *where):
    call, counter = connect(*where, False)
    call.bind(mgmt.MSRPC_UUID_MGMT)
    for _ in range(count):
        known = mgmt.hinq_if_ids(call)['if_id_vector']['count']
        assert known >= 1, 'no interface'
        listening = mgmt.his_server_listening(call)
        assert listening['status'] == 0, listening.dump()
    call.disconnect()
    return 2 * count, counter


def account_domain(call):
    call.bind(samr.MSRPC_UUID_SAMR)
    server = samr.hSamrConnect5(call)['ServerHandle']
    domain = samr.hSamrLookupDomainInSamServer(call, server, 'LABSRV')['DomainId']
    return server, samr.hSamrOpenDomain(call, server, domainId=domain)['DomainHandle']


def names(count, *where):
    """Half a megabyte a round: up with the names, down with the answers."""
    call, counter = connect(*where, True)
    _, domain = account_domain(call)
    for number in range(count):
        asked = ['daemon'] * 999 + [f'nobody-{number}']
        request = samr.SamrLookupNamesInDomain()
        request['DomainHandle'] = domain
        request['Count'] = len(asked)
        for name in asked:
            entry = samr.RPC_UNICODE_STRING()
            entry['Data'] = name
            request['Names'].append(entry)
        request.fields['Names'].fields['MaximumCount'] = 1000
        try:
            answer = call.request(request)
        except samr.DCERPCSessionError as error:
            if error.get_error_code() != 0x107:  # STATUS_SOME_NOT_MAPPED
                raise
            answer = error.get_packet()
        rids = [entry['Data'] for entry in answer['RelativeIds']['Element']]
        assert len(rids) == 1000 and rids[0] == rids[998] != 0, rids[:3]
        found = samr.hSamrLookupIdsInDomain(call, domain, [rids[0]] * 1000)['Names']['Element']
        assert len(found) == 1000 and found[0]['Data'] == found[999]['Data'] == 'daemon', found[0]['Data']
    call.disconnect()
    return 2 * count, counter


def small(count, *where):
    call, counter = connect(*where, True)
    server, _ = account_domain(call)
    for _ in range(count):
        samr.hSamrLookupDomainInSamServer(call, server, 'LABSRV')
    call.disconnect()
    return count, counter


def main():
    where, wanted = sys.argv[1:5], sys.argv[5:]
    actions = {'mgmt': management, 'samr': names, 'calls': small}
    for step in wanted:
        action, _, count = step.partition('=')
        start = time.monotonic()
        calls, counter = actions[action](int(count or 1), *where)
        print(f'{action} calls={calls} up={counter.up} down={counter.down} seconds={time.monotonic() - start:.2f}', flush=True)


if __name__ == '__main__':
    main()
