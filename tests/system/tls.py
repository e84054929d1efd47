"""Part of 14-tls.sh."""
import os
import socket
import ssl
import time

import lab

TARGET = os.environ['T_plain']


def raw():
    host, port = lab.TLS.rsplit(':', 1)
    return socket.create_connection((host, int(port)), 10)


live = lab.tunnel(TARGET, tls=True).open()
live.bind()

for name, data in {'one byte': b'\x16', 'nothing': b'', 'half a record': b'\x16\x03\x01\x02\0\1\0', 'plain HTTP': b'GET / HTTP/1.1\r\n\r\n',
                   'noise': os.urandom(300)}.items():
    lab.step(f'a client that sends {name} and waits')
    lines = lab.Lines()
    with raw() as one:
        start = time.monotonic()
        one.sendall(data)
        one.settimeout(12)
        try:
            while one.recv(4096):
                pass
        except ConnectionError:
            pass
        except TimeoutError:
            lab.check(False, f'{name}: not closed after 12 s')
        lab.check(lines.wait('127.0.0.1:%d' % one.getsockname()[1], limit=2), f'{name}: no line in the log')

for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
    lab.step(f'a tunnel over {version.name}')
    with lab.tunnel(TARGET, tls=version).open() as tunnel:
        lab.same(tunnel.inward.socket.version().replace('.', '_'), version.name, 'version')
        tunnel.bind()
        tunnel.echo(os.urandom(200000))

lab.step('200 handshakes that break off leave nothing behind')
before = lab.descriptors()
for _ in range(200):
    with raw() as one:
        one.sendall(b'\x16\x03\x01')
lab.check(lab.soon(lambda: lab.descriptors() <= before, limit=10), f'descriptors: {lab.descriptors()}, before {before}')
live.echo()
live.close()
lab.done()
