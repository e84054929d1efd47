"""Part of 33-ping.sh."""
import os
import time

import lab
import wire

TARGETS = os.environ['T_plain'], os.environ['T_http']
ACK = 'FlowControlAckWithDestination'   # a second after the last PDU: what is open of the window, once
idle, used = {}, {}
for target in TARGETS:
    idle[target] = lab.tunnel(target).open()
    idle[target].bind()
    used[target] = lab.tunnel(target).open()
    used[target].bind()

lab.step('Pings and Keep-Alives from the client')
for target in TARGETS:
    events = lab.Events()
    with lab.tunnel(target).open() as tunnel:
        tunnel.inward.send(wire.ping() * 60)
        tunnel.bind()
        for value in (0, 1, 60000, 300000, 4294967295):
            tunnel.inward.send(wire.rts(wire.OTHER, wire.keepalive(value)))
            tunnel.inward.send(wire.ping())
        tunnel.echo()
        lab.same(events.events('rts', name='Ping') + events.events('rts', name='Keep-Alive'), [], f'{target}: passed on to the server')
        lab.same(tunnel.rts, [], f'{target}: answered')

lab.step('65 s of silence on one tunnel, some traffic on the other')
end = time.monotonic() + 65
while time.monotonic() < end:
    time.sleep(5)
    for target in TARGETS:
        used[target].echo()
for target in TARGETS:
    idle[target].pump()
    lab.same(idle[target].rts, [ACK, 'Ping'], f'{target}: RTS PDUs on the idle tunnel')
    lab.same(set(used[target].rts), {ACK}, f'{target}: RTS PDUs on the used tunnel')
    idle[target].echo()
    idle[target].close()
    used[target].close()
lab.done()
