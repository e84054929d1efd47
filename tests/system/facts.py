"""Part of 15-facts.sh."""
import os
import struct
import time

import lab
import rpch_client
import wire

TARGETS = os.environ['T_plain'], os.environ['T_http']


def quiet(channel, seconds, text):
    try:
        channel.fill(seconds)
        lab.check(False, f'{text}: {bytes(channel.buffer[:60])}')
    except rpch_client.Slow:
        pass
    except rpch_client.Gone as gone:
        lab.check(False, f'{text}: closed, {gone}')


for target in TARGETS:
    for tls in (False, True):
        where = f'{target} {"TLS" if tls else "plain"}'
        lab.step(f'{where}: 100 Continue on both channels, 200 after A1 only')
        with lab.tunnel(target, tls=tls, expect=True) as tunnel:
            tunnel.request_in()
            tunnel.request_out()
            quiet(tunnel.outward, 0.3, 'a byte on OUT before A1')
            tunnel.outward.send(tunnel.a1())
            tunnel.inward.send(tunnel.b1())
            tunnel.read_a3()
            tunnel.read_c2()
            answer = tunnel.answer
            lab.same(str(answer), 'HTTP/1.1 200 Success', 'status line')
            lab.same(answer.get('content-type'), 'application/rpc', 'Content-Type')
            lab.same(answer.get('content-length'), '1073741824', 'Content-Length')
            lab.same(answer.get('transfer-encoding'), None, 'Transfer-Encoding')
            lab.same(tunnel.in_window, 65536, 'window in C2')
            for name, value in (('A3', tunnel.a3_timeout), ('C2', tunnel.c2_timeout)):
                lab.check(120000 <= value <= 14400000, f'connection timeout in {name}: {value}')
            tunnel.bind()
            tunnel.echo()
            quiet(tunnel.inward, 0.05, 'a byte on IN')

for target in TARGETS:
    lab.step(f'{target}: orders and pauses')
    for order in ('in out A1 B1', 'in out B1 A1', 'out A1 in B1', 'in B1 out A1', 'in B1 - out A1', 'out A1 - in B1', 'in out - B1 - A1'):
        with lab.tunnel(target) as tunnel:
            for what in order.split():
                if what == '-':
                    time.sleep(1.2)
                elif what == 'in':
                    tunnel.request_in()
                elif what == 'out':
                    tunnel.request_out()
                elif what == 'A1':
                    tunnel.outward.send(tunnel.a1())
                else:
                    tunnel.inward.send(tunnel.b1())
            try:
                tunnel.read_a3()
                tunnel.read_c2()
                tunnel.bind()
                tunnel.echo()
            except (rpch_client.Gone, rpch_client.Slow, wire.Broken) as error:
                lab.check(False, f'{order}: {error}')

    lab.step(f'{target}: head and first PDU byte by byte; head and PDU in one write')
    with lab.tunnel(target) as tunnel:
        for channel, head, pdu in ((tunnel.inward, tunnel.inward.head('RPC_IN_DATA', target, 1 << 30, auth=lab.AUTH), tunnel.b1()),
                                   (tunnel.outward, tunnel.outward.head('RPC_OUT_DATA', target, 76, auth=lab.AUTH), tunnel.a1())):
            for byte in head + pdu:
                channel.send(bytes([byte]))
        tunnel.read_a3()
        tunnel.read_c2()
        tunnel.bind()
        for part in wire.request(7, wire.ECHO_CALL, bytes(range(256)) * 3):
            for byte in part:
                tunnel.send_unasked(bytes([byte]))
        lab.same(tunnel.finish(7), bytes(range(256)) * 3, 'echo')
    with lab.tunnel(target) as tunnel:
        tunnel.inward.send(tunnel.inward.head('RPC_IN_DATA', target, 1 << 30, auth=lab.AUTH) + tunnel.b1())
        tunnel.outward.send(tunnel.outward.head('RPC_OUT_DATA', target, 76, auth=lab.AUTH) + tunnel.a1())
        tunnel.read_a3()
        tunnel.read_c2()
        tunnel.bind()
        tunnel.echo()

    lab.step(f'{target}: bare heads, strange heads')
    for lines in ([], ['Host: other:81', 'Accept: */*', 'User-Agent: curl/7'], ['host:x', 'CONTENT-TYPE: a/b', 'X-Long: ' + 'y' * 3000],
                  ['Pragma: ResourceTypeUuid=44e265dd-7daf-42cd-8560-3cdb6e7a2729, SessionId=11111111-2222-3333-4444-555555555555']):
        with lab.tunnel(target) as tunnel:
            for channel, method, length in ((tunnel.inward, 'RPC_IN_DATA', 1 << 30), (tunnel.outward, 'RPC_OUT_DATA', 76)):
                head = [f'{method} /rpc/rpcproxy.dll?{target} HTTP/1.0', f'Authorization: {lab.AUTH}', f'Content-Length: {length}'] + lines
                channel.send(('\r\n'.join(head) + '\r\n\r\n').encode())
            tunnel.outward.send(tunnel.a1())
            tunnel.inward.send(tunnel.b1())
            tunnel.read_a3()
            tunnel.read_c2()
            tunnel.bind()
            tunnel.echo()

    lab.step(f'{target}: PDUs pass unchanged: signatures, odd flags, big-endian')
    with lab.tunnel(target).open() as tunnel:
        tunnel.bind()
        events = lab.Events()
        sent = []
        for order, flags, auth, size in (('<', 3, 0, 0), ('<', 3, 16, 100), ('>', 3, 24, 5000), ('<', 0x37, 0, 17), ('>', 3, 0, 60000)):
            body = os.urandom(size)
            pdu = bytearray(wire.rpc(wire.AUTH3, 99, body, flags, order))
            pdu[10:12] = struct.pack(order + 'H', auth)
            sent.append(bytes(pdu).hex())
            tunnel.send(bytes(pdu))
        tunnel.echo()
        lab.same([one['hex'] for one in events.events('other')], sent, 'what the server got')
late = os.environ['T_late']
lab.step(f'{late}: PDUs that overtake C2 are held until the server has opened')
with lab.tunnel(late) as tunnel:
    tunnel.request_in()
    tunnel.request_out()
    tunnel.inward.send(tunnel.b1())
    tunnel.outward.send(tunnel.a1())
    tunnel.read_a3()
    time.sleep(0.2)
    tunnel.in_window = 65536
    call = tunnel.start(wire.ECHO_CALL, b'early', send=lambda pdu: tunnel.send_unasked(wire.bind(1, wire.ECHO_INTERFACE) + pdu))
    tunnel.read_c2()
    lab.same(wire.Header(tunnel.next()).type, wire.BIND_ACK, 'bind_ack')
    lab.same(tunnel.finish(call), b'early', 'the call behind it')
lab.done()
