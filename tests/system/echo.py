"""Part of 10-echo.sh."""
import os

import lab

ECHO = bytes.fromhex('0500140310000000140000000000000040000000')
TARGET = os.environ['T_plain']


def echo(channel, method, length, version='1.1', path='/rpc/rpcproxy.dll', body=b''):
    channel.request(method, TARGET, length, auth=lab.AUTH, version=version, path=path)
    channel.send(body)
    reply = channel.reply()
    label = f'echo {method} {path} HTTP/{version} length {length}'
    lab.same((reply.status, reply.reason), (200, 'Success'), label)
    lab.same(reply.body, ECHO, label + ' body')
    lab.same(reply.get('content-type'), 'application/rpc', label + ' type')
    lab.same((reply.get('connection') or 'keep-alive').lower(), 'keep-alive', label + ' connection')


for tls in (False, True):
    lab.step(f'raw: echoes on one connection, {"TLS" if tls else "plain"}')
    with lab.channel(tls) as channel:
        for method in ('RPC_IN_DATA', 'RPC_OUT_DATA'):
            for version in ('1.1', '1.0'):
                for length in (0, 4, 16):
                    echo(channel, method, length, version, body=bytes.fromhex('f8e81808' * 4)[:length])
            echo(channel, method, 0, path='/rpcwithcert/rpcproxy.dll')
            echo(channel, method, 0, path='/Rpc/RpcProxy.dll')
            echo(channel, method, None)

lab.step('raw: an echo whose body comes late and byte by byte')
with lab.channel() as channel:
    channel.request('RPC_IN_DATA', TARGET, 4, auth=lab.AUTH)
    for byte in b'\xf8\xe8\x18\x08':
        channel.send(bytes([byte]))
    lab.same(channel.reply().body, ECHO, 'late body')
    echo(channel, 'RPC_OUT_DATA', 0)

lab.step('raw: two requests in one write')
with lab.channel() as channel:
    head = channel.head('RPC_IN_DATA', TARGET, 4, auth=lab.AUTH) + b'abcd'
    channel.send(head + channel.head('RPC_OUT_DATA', TARGET, 0, auth=lab.AUTH))
    for _ in range(2):
        lab.same(channel.reply().body, ECHO, 'pipelined')

lab.step('raw: an echo, then a tunnel on the same connections')
tunnel = lab.tunnel(TARGET)
echo(tunnel.inward, 'RPC_IN_DATA', 0)
echo(tunnel.outward, 'RPC_OUT_DATA', 4, body=b'1234')
with tunnel.open():
    tunnel.bind()
    tunnel.echo()
lab.done()
