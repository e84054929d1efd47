"""Runs rpctunnel-ping and looks at what it says; servers for it."""
import os
import socket
import subprocess
import threading
import time

import lab

PING = os.environ['OBJ'] + '/rpctunnel-ping'


def ping(*arguments, stdin=subprocess.DEVNULL, limit=20, **more):
    begin = time.monotonic()
    done = subprocess.run([PING, *arguments], stdin=stdin, capture_output=True, timeout=limit, **more)
    done.text = (done.stdout + done.stderr).decode('latin-1')
    done.seconds = time.monotonic() - begin
    return done


def expect(text, done, code, *words):
    lab.same(done.returncode, code, f'{text}: exit code\n{done.text}')
    for word in words:
        lab.check(word in done.text, f'{text}: says nothing of {word!r}\n{done.text}')
    lab.check('\x1b' not in done.text and lab.PASSWORD not in done.text, f'{text}: unsafe output\n{done.text!r}')


class Listener:
    """Serves each connection in a thread of its own."""

    def __init__(self, serve, tls=None):
        self.serve, self.tls = serve, tls
        self.listener = socket.create_server(('127.0.0.1', 0))
        self.address = '127.0.0.1:%d' % self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            threading.Thread(target=self.one, args=[self.listener.accept()[0]], daemon=True).start()

    def one(self, conn):
        try:
            with self.tls.wrap_socket(conn, server_side=True) if self.tls else conn as conn:
                self.serve(conn)
        except OSError:
            pass
