"""Part of 16-server-down.sh."""
import os
import time

import lab
import rpch_client
import wire

live = lab.tunnel(os.environ['T_plain']).open()
live.bind()

CAUSES = 'refused', 'silent', 'no such name'
for number, (transport, cause) in enumerate((t, c) for t in ('ncacn_ip_tcp', 'ncacn_http') for c in CAUSES):
    for order in ('A1 B1', 'B1 A1'):
        for tls in (False, True):
            text = f'{transport}, {cause}, {order}, {"TLS" if tls else "plain"}'
            lab.step(text)
            lines = lab.Lines()
            with lab.tunnel(f'test01:{7020 + number}', tls=tls, limit=7) as tunnel:
                start = time.monotonic()
                tunnel.request_in()
                tunnel.request_out()
                for what in order.split():
                    (tunnel.outward.send(tunnel.a1()) if what == 'A1' else tunnel.inward.send(tunnel.b1()))
                try:
                    answer = tunnel.outward.reply()
                    lab.same(str(answer), 'HTTP/1.0 503 RPC Error: 6ba', f'{text}: OUT')
                    lab.check(tunnel.outward.closed(4), f'{text}: OUT closed without RST')
                    lab.check(tunnel.inward.closed(10), f'{text}: IN closed without RST')
                except (rpch_client.Gone, rpch_client.Slow) as error:
                    lab.check(False, f'{text}: {error!r}')
                lab.check(time.monotonic() - start < 7, f'{text}: took {time.monotonic() - start:.1f} s')
                lab.check(lines.wait('reason='), f'{text}: no line with the reason')
live.echo()
live.close()

for target in os.environ['BOTH'].split():
    lab.step(f'{target}: a name with several addresses, one of which answers')
    with lab.tunnel(target).open() as tunnel:
        lab.same(tunnel.bind(), wire.BIND_ACK, 'bind')
        tunnel.echo()
lab.done()
