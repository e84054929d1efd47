"""A client that takes each step of a recycling when it is told to, and can take any wrong one instead (MS-RPCH 3.2.1.5.3.2
to .5, the client's column). recycle_in() and recycle_out() take all steps in order, with calls before, during and after."""
import os
import struct
from collections import deque

import lab
import rpch_client
import wire

STEPS = {'IN_R1/A3', 'IN_R2/A3', 'OUT_R1/A1', 'OUT_R1/A5', 'OUT_R1/A9', 'OUT_R2/A5', 'OUT_R2/B3'}   # as wire.name() calls them

LAST_WORDS = {'OUT_R1/A9', 'OUT_R2/B3'}   # a predecessor of the OUT channel ends behind these


class Recycler(rpch_client.Tunnel):
    def __init__(self, target, address=None, **more):
        self.address = address or lab.PLAIN
        more.setdefault('auth', lab.AUTH)
        super().__init__(self.address, target, **more)
        self.noted = deque()       # steps the server has taken and nobody has looked at
        self.former = []           # cookies of IN channels that were replaced
        self.next_in = self.next_out = None
        self.links = {'in0': self.inward.ends, 'out0': self.outward.ends}

    def sort(self, pdu):
        if pdu[2] == wire.RTS:
            name = wire.name(pdu)
            if name in STEPS:
                return self.noted.append((name, pdu))
            if name == 'FlowControlAckWithDestination' and wire.commands(pdu)[1][1][8:] in self.former:
                return None   # for a channel that has just been replaced: normal, 3.2.1.5.1.2
        return super().sort(pdu)

    def pump(self):
        try:
            super().pump()
        except rpch_client.Gone:
            if not self.noted or self.noted[-1][0] not in LAST_WORDS:
                raise

    def step(self, *names):
        """Waits for the server's next step with this direction, which must be one of these. The other direction has its own
        order; answers keep coming meanwhile."""
        direction = names[0].split('_')[0]
        while not any(name.startswith(direction) for name, _ in self.noted):
            self.sort(self.out_pdu())
        name, self.noted_pdu = next(one for one in self.noted if one[0].startswith(direction))
        self.noted.remove((name, self.noted_pdu))
        if name not in names:
            raise wire.Broken(f'{name} where {" or ".join(names)} is due')
        return name

    def link(self, kind, channel):
        self.links[f'{kind}{sum(name.rstrip("0123456789") == kind for name in self.links)}'] = channel.ends

    # --- IN ----------------------------------------------------------------

    def bring_in(self, address=None, vc=None, predecessor=None, successor=None, auth=None, target=None):
        """A new IN channel and IN_Rx/A1."""
        self.next_in, self.next_in_cookie = rpch_client.Channel(address or self.address, limit=self.limit), successor or os.urandom(16)
        self.next_in.request('RPC_IN_DATA', target or self.target, self.in_length, auth=auth or self.auth)
        self.next_in.send(wire.in_a1(vc or self.vc, predecessor or self.in_cookie, self.next_in_cookie))
        return self.next_in

    def switch_in(self):
        """IN_Rx/A5: the successor is the default channel."""
        self.inward.send(wire.successor(self.next_in_cookie))
        self.former.append(self.in_cookie)
        self.old_in, self.inward, self.in_cookie, self.next_in = self.inward, self.next_in, self.next_in_cookie, None
        self.sent, self.last_ack = 0, None

    def recycle_in(self, address=None, calls=True):
        """The whole sequence; which one it was. `calls`: make some meanwhile."""
        self.link('in', self.bring_in(address))
        begun = []

        def begin(stub):
            if calls:
                begun.append((self.start(wire.ECHO_CALL, stub), stub))

        if calls:
            self.echo(b'before A4')
        name = self.step('IN_R1/A3', 'IN_R2/A3')
        if name == 'IN_R1/A3':
            self.in_window, = struct.unpack('<I', wire.commands(self.noted_pdu)[2][1])
        if calls:
            self.echo(b'between A4 and A5')
        begin(b'right before A5')
        self.switch_in()
        begin(b'right behind A5')
        for call, stub in begun:
            lab.same(self.finish(call), stub, f'the call {stub.decode()}')
        lab.check(self.old_in.closed(5), 'the predecessor of the IN channel ends with RST')
        lab.same(bytes(self.old_in.tail), b'', 'bytes on the predecessor of the IN channel')
        self.old_in.close()
        if calls:
            self.echo(b'after')
        self.address = address or self.address
        return name[:5]

    # --- OUT ---------------------------------------------------------------

    def ask(self):
        """Has the server want a new OUT channel, and waits for OUT_Rx/A2."""
        self.call(wire.RECYCLE_CALL)
        self.step('OUT_R1/A1')

    def bring_out(self, address=None, vc=None, predecessor=None, successor=None, auth=None, target=None):
        """A new OUT channel and OUT_Rx/A3."""
        self.next_out, self.next_out_cookie = rpch_client.Channel(address or self.address, limit=self.limit), successor or os.urandom(16)
        self.next_out.request('RPC_OUT_DATA', target or self.target, 120, auth=auth or self.auth)
        self.next_out.send(wire.out_a3(vc or self.vc, predecessor or self.out_cookie, self.next_out_cookie, self.window))
        return self.next_out

    def switch_out(self):
        """The predecessor has said its last word: nothing may follow it, and the successor begins with its 200."""
        lab.check(self.outward.closed(5), 'the predecessor of the OUT channel ends with RST')
        lab.same(bytes(self.outward.tail), b'', 'bytes behind the last PDU of the predecessor')
        self.outward.close()
        self.outward, self.out_cookie, self.next_out = self.next_out, self.next_out_cookie, None
        answer = self.outward.reply(body=False)
        lab.same(str(answer), 'HTTP/1.1 200 Success', 'the successor of the OUT channel')
        self.received, self.advertised = 0, self.window
        return answer

    def recycle_out(self, address=None, c1_first=False, calls=True):
        """The whole sequence once the server has asked; which one it was. `calls`: make some meanwhile."""
        self.link('out', self.bring_out(address))
        begun = []

        def begin(stub):
            if calls:
                begun.append((self.start(wire.ECHO_CALL, stub), stub))

        if calls:
            self.echo(b'before A6')
        kind = self.step('OUT_R1/A5', 'OUT_R2/A5')[:6]
        if calls:
            self.echo(b'between A6 and A7')
        begin(b'right before A7')
        if kind == 'OUT_R1':
            self.inward.send(wire.out_r1_a7(self.next_out_cookie))
            begin(b'right behind A7')
            self.step('OUT_R1/A9')   # A10
            self.next_out.send(wire.established())
        else:
            if c1_first:
                self.next_out.send(wire.out_r2_c1())
            self.inward.send(wire.out_r2_a7(self.next_out_cookie))
            begin(b'right behind A7')
            self.step('OUT_R2/B3')
            if not c1_first:
                self.next_out.send(wire.out_r2_c1())
        self.switch_out()
        for call, stub in begun:
            lab.same(self.finish(call), stub, f'the call {stub.decode()}')
        if calls:
            self.echo(b'after')
        return kind
