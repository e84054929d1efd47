"""Tunnels that run calls in threads of their own while something else is being abused. They recycle: their OUT channel whenever
the server asks, on the daemons in turn, and their IN channel now and then."""
import itertools
import os
import threading
import time

import lab
import wire
from recycling_client import Recycler


class Bystander:
    def __init__(self, text, target, addresses):
        self.text, self.calls, self.recycled, self.error, self.stop = text, 0, 0, None, False
        self.tunnel = Recycler(target, addresses[0]).open()
        self.addresses = itertools.cycle(addresses)
        self.tunnel.bind()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        try:
            while not self.stop:
                self.call(os.urandom(1 + self.calls % 700))
                self.calls += 1
                time.sleep(0.0005)   # the others need the processor too
                if self.calls % 200 == 0:
                    self.tunnel.recycle_in(next(self.addresses), calls=False)
        except Exception as error:   # whatever it is, the scenario must hear of it
            self.error = error

    def call(self, stub):
        call = self.tunnel.start(wire.ECHO_CALL, stub)
        while not self.tunnel.pdus:
            if any(name == 'OUT_R1/A1' for name, _ in self.tunnel.noted):   # the answer may be held until the channel has been replaced
                self.tunnel.step('OUT_R1/A1')
                self.tunnel.recycle_out(next(self.addresses), calls=False)
                self.recycled += 1
            else:
                self.tunnel.sort(self.tunnel.out_pdu())
        if self.tunnel.finish(call) != stub:
            raise wire.Broken('an echo came back changed')

    def unharmed(self, text):
        """It has noticed nothing and is still being answered."""
        before = self.calls
        lab.soon(lambda: self.error or self.calls > before + 1)
        if not lab.check(not self.error and self.calls > before, f'{text}: the tunnel {self.text} was harmed: {self.error!r}'):
            lab.done()

    def end(self):
        self.stop = True
        self.thread.join(10)
        lab.check(not self.error and self.recycled, f'the tunnel {self.text}: {self.calls} calls, {self.recycled} OUT channels, {self.error!r}')
        lab.step(f'   the tunnel {self.text} beside it: {self.calls} calls, {self.recycled} OUT channels replaced')
        self.tunnel.close()
