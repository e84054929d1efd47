"""Part of 12-valid-ports.sh."""
import os

import lab
import rpch_client

events = lab.Events()
lab.step('allowed, in any case')
for target in ('exch09:6001', 'EXCH09:6002', 'exch09:6004', 'Exch09.Lab.Example:6001', 'exch09.lab.example:6004', 'test01:7001'):
    with lab.tunnel(target).open() as tunnel:
        lab.same(tunnel.bind(), rpch_client.wire.BIND_ACK, f'{target}: bind')
        tunnel.echo()

accepted = len(events.events('accept'))
lab.step('refused: no connection, no name looked up')
lines = lab.Lines()
for target in ('exch09:6003', 'exch09:593', 'exch09:6000', 'xexch09:6001', 'exch09x:6001', 'nowhere.invalid:6001',
               'localhost:22', os.environ['REAL'], os.environ['SERVER_DIRECT'], 'out01:6001', 'out01.lab.example:6001',
               'wil:7001', 'xwild:7001', '[::1]:6001', '127.0.0.1:6001'):
    mark = lab.Lines()
    with lab.channel() as channel:
        channel.request('RPC_IN_DATA', target, 1 << 30, auth=lab.AUTH)
        lab.same(str(channel.reply()), 'HTTP/1.0 503 RPC Error: 6ba', f'IN {target}')
        lab.check(channel.closed(), f'IN {target}: closed without RST')
    with lab.channel() as channel:
        channel.request('RPC_OUT_DATA', target, 76, auth=lab.AUTH)
        channel.send(rpch_client.wire.conn_a1(os.urandom(16), os.urandom(16), 65536))
        lab.same(str(channel.reply()), 'HTTP/1.0 503 RPC Error: 6ba', f'OUT {target}')
        lab.check(channel.closed(), f'OUT {target}: closed without RST')
    lab.check(mark.wait(target, 'reason='), f'{target}: a line with the reason')
lab.same(len(events.events('accept')), accepted, 'connections to the server')
lab.done()
