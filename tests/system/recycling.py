"""Channels are replaced under load. A client that recycles, written from MS-RPCH 3.2.1.5.3.3 and .5."""
import os
import struct
import time

import lab
import rpch_client
import wire

PLAIN = 'test01:7001'
LIFETIME = 128 * 1024


class Recycler(rpch_client.Tunnel):
    """Brings a new OUT channel when it is asked, and a new IN channel when it is told to."""

    def __init__(self, *words, **more):
        self.address, self.tls = words[0], more.get('tls', False)
        super().__init__(*words, **more)
        self.out_recycled = self.in_recycled = 0
        self.out_body = 72
        self.next_out = self.next_in = None
        self.former = []   # cookies of IN channels that were replaced

    def channel(self):
        return rpch_client.Channel(self.address, self.tls, self.limit)

    def sort(self, pdu):
        self.out_body += len(pdu)
        if self.out_body > LIFETIME:
            raise wire.Broken(f'{self.out_body} bytes on an OUT channel of {LIFETIME}')
        if pdu[2] != wire.RTS:
            return super().sort(pdu)
        flags, = struct.unpack_from('<H', pdu, 16)
        kinds = [kind for kind, _ in wire.commands(pdu)]
        if flags == wire.RECYCLE and kinds == [wire.DESTINATION]:
            return self.begin_out()
        if flags == 0 and kinds == [wire.DESTINATION, wire.ANCE]:
            return self.commit_out()
        if flags == wire.EOF and kinds == [wire.ANCE]:
            return self.switch_out()
        if flags == 0 and kinds == [wire.DESTINATION]:
            return self.switch_in()
        if kinds == [wire.DESTINATION, wire.ACK] and wire.commands(pdu)[1][1][8:] in self.former:
            return None   # for a channel that has just been replaced: normal, 3.2.1.5.1.2
        super().sort(pdu)

    def begin_out(self):
        self.next_out, self.next_out_cookie = self.channel(), os.urandom(16)
        self.next_out.request('RPC_OUT_DATA', self.target, 120, auth=self.auth)
        self.next_out.send(wire.rts(wire.RECYCLE, wire.version(), wire.cookie(self.vc), wire.cookie(self.out_cookie),
                                    wire.cookie(self.next_out_cookie), wire.window(self.window)))

    def commit_out(self):
        a7 = wire.rts(wire.OUT_CHANNEL, wire.destination(wire.TO_SERVER), wire.cookie(self.next_out_cookie), wire.version())
        c1 = wire.rts(wire.PING, wire.u32(wire.EMPTY))
        # Both orders occur: FreeRDP sends C1 first, the specification A7.
        first_c1 = self.out_recycled % 2
        if first_c1:
            self.next_out.send(c1)
        self.inward.send(a7)
        if not first_c1:
            time.sleep(0.01)
            self.next_out.send(c1)

    def switch_out(self):
        if self.outward.buffer:
            raise wire.Broken(f'bytes behind OUT_R2/B3: {bytes(self.outward.buffer[:20]).hex()}')
        answer = self.next_out.reply(body=False)
        if answer.status != 200 or int(answer.get('content-length')) != LIFETIME:
            raise wire.Broken(f'the successor was answered {answer}')
        self.outward.close()
        self.outward, self.out_cookie = self.next_out, self.next_out_cookie
        self.received, self.advertised, self.out_body = 0, self.window, 0
        self.out_recycled += 1
        self.next_out = None

    def recycle_in(self):
        """IN_R2/A1; the rest follows when A4 comes."""
        self.next_in, self.next_in_cookie = self.channel(), os.urandom(16)
        self.next_in.request('RPC_IN_DATA', self.target, self.in_length, auth=self.auth)
        self.next_in.send(wire.rts(wire.RECYCLE, wire.version(), wire.cookie(self.vc), wire.cookie(self.in_cookie),
                                   wire.cookie(self.next_in_cookie)))

    def switch_in(self):
        self.inward.send(wire.rts(0, wire.cookie(self.next_in_cookie)))
        self.former.append(self.in_cookie)
        self.old_in, self.inward, self.in_cookie = self.inward, self.next_in, self.next_in_cookie
        self.sent, self.last_ack, self.next_in = 0, None, None
        self.in_recycled += 1
        lab.check(self.old_in.closed(4), 'the predecessor of an IN channel is closed with RST')
        self.old_in.close()


def recycler(**more):
    more.setdefault('auth', lab.AUTH)
    return Recycler(lab.TLS if more.get('tls') else lab.PLAIN, PLAIN, **more).open()


def load(text, calls, size, every, **more):
    lab.step(text)
    with recycler(**more) as tunnel:
        tunnel.bind()
        for number in range(calls):
            if every and number % every == every - 1 and not tunnel.next_in:
                tunnel.recycle_in()
            stub = struct.pack('<I', number) + os.urandom(size - 4)
            answer = tunnel.call(wire.ECHO_CALL, stub)
            if not lab.check(answer == stub, f'{text}: call {number} came back changed'):
                break
        total = calls * size
        lab.check(tunnel.out_recycled >= total // LIFETIME, f'{text}: {tunnel.out_recycled} OUT channels for {total} bytes')
        lab.check(not every or tunnel.in_recycled >= calls // every // 2, f'{text}: {tunnel.in_recycled} IN channels')
        lab.step(f'   {total >> 10} KiB each way, {tunnel.out_recycled} OUT and {tunnel.in_recycled} IN channels replaced')


load('OUT channels, small calls', 6000, 300, 0)
load('OUT channels, calls of 60 KiB', 60, 60 * 1024, 0)
load('IN and OUT channels at once', 3000, 1000, 7)
load('IN and OUT channels at once, TLS', 600, 5000, 5, tls=True)

lab.step('forged successors: refused alone')
with recycler() as victim:
    victim.bind()
    victim.echo()
    rows = {
        'another user': dict(auth=lab.OTHER_AUTH),
        'another target': dict(target='test01:7002'),
        'a wrong predecessor': dict(predecessor=os.urandom(16)),
        'the same cookie': dict(successor=victim.in_cookie),
        'a cookie of zeros': dict(successor=bytes(16)),
    }
    for name, row in rows.items():
        lines = lab.Lines()
        with lab.channel() as channel:
            channel.request('RPC_IN_DATA', row.get('target', PLAIN), 1 << 30, auth=row.get('auth', lab.AUTH))
            channel.send(wire.rts(wire.RECYCLE, wire.version(), wire.cookie(victim.vc), wire.cookie(row.get('predecessor', victim.in_cookie)),
                                  wire.cookie(row.get('successor', os.urandom(16)))))
            lab.check(channel.closed(4), f'{name}: RST')
            lab.check(lines.wait('refused', channel.local), f'{name}: no line with the reason')
        victim.echo()

    lab.step('a successor that never completes: dropped after setup_timeout, the channel goes on')
    victim.recycle_in()
    victim.next_in_cookie = None   # A4 is not answered
    victim.switch_in = lambda: None
    for _ in range(5):
        victim.echo()
    lab.check(victim.next_in.closed(5), 'the successor is closed with RST')
    victim.echo()
lab.done()
