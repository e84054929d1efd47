"""The recycling half of the test server's virtual connection: MS-RPCH 3.2.1.5.3.2 to .5, the server's columns.

Written from the specification, without a look at the project: it asks for a new OUT channel when it nears the lifetime that
A2 announced (or when a client calls RECYCLE), takes R1 and R2 as they come, and is strict about cookies and states. What it
does not accept is a violation in its log: of a newcomer, that newcomer is closed; of a leg, the virtual connection.
"""
import struct

import wire

RESERVE = 8192     # Windows asks for a new OUT channel with this much left
LAST_WORDS = 512   # kept free for the PDUs of the recycling itself


def numbers(pdu):
    return [struct.unpack('<I', value)[0] if len(value) == 4 else value for _, value in wire.commands(pdu)]


class Recycling:
    """Mixed into VirtualConnection. `in_leg` and `out_leg` are the default legs; the others are here."""

    def __init__(self):
        self.in_state, self.out_state = 'Opened', 'Opened'
        self.in_other = self.in_other_cookie = None             # successor of IN
        self.out_other = self.out_other_cookie = None           # successor of OUT, later its predecessor
        self.former_out_cookie = None                           # OUT_R2: acknowledgements may still name it
        self.out_lifetime, self.out_base, self.ping_bytes = 1 << 32, 0, 0
        self.next_out = None                                    # (window, lifetime) of OUT_R1/A4

    # --- newcomers: IN_R1/A2, OUT_R1/A4 ---------------------------------

    async def newcomer(self, leg, name, pdu):
        _, _, predecessor, successor, *rest = numbers(pdu)
        if name == 'IN_R1/A2':
            leg.role = 'in'
            if not self.opened.is_set() or self.in_state != 'Opened' or predecessor != self.in_cookie:
                raise wire.Broken('IN_R1/A2 with a wrong predecessor or in a wrong state')
            self.in_other, self.in_other_cookie, self.in_state = leg, successor, 'A6W'
            self.proxy_window, self.proxy_timeout = rest
            await self.out_leg.write(wire.in_r1_a3(self.proxy_window, self.proxy_timeout))
        else:
            leg.role = 'out'
            if self.out_state != 'Opened_A4W' or predecessor != self.out_cookie:
                raise wire.Broken('OUT_R1/A4 with a wrong predecessor or in a wrong state')
            lifetime, window, timeout = rest
            self.out_other, self.out_other_cookie, self.next_out = leg, successor, (window, lifetime)
            self.out_state = 'Opened_A8W'
            await self.out_leg.write(wire.out_r1_a5(timeout))

    # --- IN legs ----------------------------------------------------------

    async def recycle_in(self, leg, pdu):
        """An RTS PDU on an IN leg that is neither an acknowledgement nor for somebody else."""
        name = wire.name(pdu)
        values = numbers(pdu)
        if name == 'IN_R1/A5' and self.in_state == 'Opened' and leg is self.in_leg:
            self.in_cookie, = values   # IN_R2/A2
            await self.out_leg.write(wire.in_r2_a3())
        elif name == 'IN_R1/A5' and self.in_state == 'A6W' and leg is self.in_leg and values[0] == self.in_other_cookie:
            self.in_state = 'Opened_B1W'
        elif name == 'IN_R1/B1' and self.in_state == 'Opened_B1W' and leg is self.in_leg:
            predecessor, self.in_leg, self.in_cookie = self.in_leg, self.in_other, self.in_other_cookie
            self.in_other, self.in_state = None, 'Opened'
            self.in_received, self.in_advertised = 0, self.in_window
            await self.in_leg.write(wire.in_r1_b2(self.in_window))
            predecessor.close('recycled')
        elif name == 'OUT_R1/A7' and self.out_state == 'Opened_A8W' and values[1] == self.out_other_cookie:
            await self.switch_out()
        elif name in ('OUT_R2/A7', 'OUT_R1/A7') and self.out_state == 'Opened_R2A8W':
            if values[1] != self.out_other_cookie:
                await self.out_leg.write(wire.refused())
                raise wire.Broken('OUT_R2/A8 with a wrong successor')
            self.former_out_cookie, self.out_cookie = self.out_cookie, self.out_other_cookie
            self.out_state, self.out_base, self.ping_bytes = 'Opened', self.out_leg.bytes_out, 0
            await self.out_leg.write(wire.established())
            self.room.set()
        else:
            raise wire.Broken(f'{name} on the IN leg, IN {self.in_state}, OUT {self.out_state}')

    # --- OUT legs ---------------------------------------------------------

    def out_used(self):
        return self.out_leg.bytes_out - self.out_base + self.ping_bytes

    async def recycle_out(self):
        """The server wants a new OUT channel. False: one is on its way."""
        if self.out_state != 'Opened':
            return False
        self.out_state = 'Opened_A4W'
        await self.out_leg.write(wire.out_a1())
        return True

    def lifetime_admits(self, size):
        return self.out_used() + size + LAST_WORDS <= self.out_lifetime

    async def recycle_when_due(self, size):
        if self.out_used() + size > self.out_lifetime - RESERVE:
            await self.recycle_out()

    async def switch_out(self):
        """OUT_R1/A8: the successor is the default from here on."""
        self.out_leg, self.out_other = self.out_other, self.out_leg
        self.out_cookie, self.out_other_cookie = self.out_other_cookie, self.out_cookie
        self.out_window, self.out_lifetime = self.next_out
        self.out_available, self.out_sent = self.out_window, 0
        self.out_base, self.ping_bytes, self.out_state = self.out_leg.bytes_out, 0, 'Opened'
        await self.out_other.write(wire.established())
        self.room.set()

    async def recycle_out_pdu(self, leg, pdu):
        """An RTS PDU on an OUT leg that is neither an acknowledgement nor for somebody else."""
        name = wire.name(pdu)
        values = numbers(pdu)
        if name == 'PingTrafficSentNotify':
            self.ping_bytes += values[0]
        elif name == 'IN_R1/A5' and self.out_state == 'Opened_A4W' and leg is self.out_leg:
            self.out_other_cookie, self.out_state = values[0], 'Opened_R2A8W'   # OUT_R2/A4
            await self.out_leg.write(wire.out_r2_a5())
        else:
            raise wire.Broken(f'{name} on the OUT leg, OUT {self.out_state}')

    def out_leg_of(self, ack):
        """Where an acknowledgement belongs: that for a predecessor of the OUT channel goes to it."""
        return self.out_other if self.out_other and self.out_state == 'Opened' and ack[8:] == self.out_other_cookie else self.out_leg

    # --- the end of a leg -------------------------------------------------

    def outlives(self, leg):
        """Whether the virtual connection goes on without this leg."""
        if leg in (self.in_leg, self.out_leg):
            return False
        if leg is self.in_other:
            self.in_other, self.in_state = None, 'Opened'
        elif leg is self.out_other:
            self.out_other = None
            if self.out_state == 'Opened_A8W':
                self.out_state = 'Opened'
        return True
