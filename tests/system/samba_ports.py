#!/usr/bin/python3
"""Waits until a Samba RPC server is up, and prints the ports of its helpers: samba_ports.py ADDRESS PID [TEXT]."""
import os
import sys
import time

from impacket.dcerpc.v5 import epm, mgmt, rrp, samr, srvs, transport

ADDRESS, SERVER = sys.argv[1], int(sys.argv[2])
WANTED = {'samr': samr.MSRPC_UUID_SAMR, 'winreg': rrp.MSRPC_UUID_RRP, 'other': srvs.MSRPC_UUID_SRVS}


def ask(interface):
    binding = epm.hept_map(ADDRESS, interface, protocol='ncacn_ip_tcp')
    port = int(binding.split('[')[1].rstrip(']'))
    call = transport.DCERPCTransportFactory(f'ncacn_ip_tcp:{ADDRESS}[{port}]').get_dce_rpc()
    call.connect()
    call.bind(mgmt.MSRPC_UUID_MGMT)
    mgmt.his_server_listening(call)
    call.disconnect()
    return port


deadline = time.monotonic() + 20
while True:
    try:
        ports = {name: ask(interface) for name, interface in WANTED.items()}
        break
    except Exception as error:  # refused, not registered yet, helper still starting: ask again
        if time.monotonic() > deadline or not os.path.exists(f'/proc/{SERVER}'):
            sys.exit(f'{ADDRESS}: {error}')
        time.sleep(0.05)
print('ready', *(f'{name}={port}' for name, port in ports.items()), *sys.argv[3:], flush=True)
