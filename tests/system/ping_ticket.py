"""Part of 65-ping-ticket.sh."""
import base64
import hashlib
import os
import re
import ssl
import time

import gssapi
import lab
import wire
from gssapi.raw import ChannelBindings
from pinging import Listener, expect, ping

DIR = os.environ['LAB_DIR']
CHANNEL_BOUND = 0x800
ECHO = wire.rts(wire.ECHO)
seen = []


def answer(status, token=None):
    body = ECHO if status == 200 else b''
    more = b' ' + token if token else b''
    return b'HTTP/1.1 %d x\r\nWWW-Authenticate: Negotiate%s\r\nContent-Length: %d\r\n\r\n' % (status, more, len(body)) + body


class Acceptor(Listener):
    """A proxy that answers pings whose connection has logged in with a ticket."""

    def __init__(self, tls=False, keytab='keytab', last=None):
        self.credential = gssapi.Credentials(usage='accept', store={'keytab': f'{DIR}/{keytab}'})
        self.last, self.binding, context = last, None, None
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(f'{DIR}/cert.pem', f'{DIR}/key.pem')
            with open(f'{DIR}/cert.pem', encoding='ascii') as file:
                digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(file.read())).digest()
            self.binding = ChannelBindings(application_data=b'tls-server-end-point:' + digest)
        super().__init__(self.connection, context)
        self.address = self.address.replace('127.0.0.1', 'localhost')

    def connection(self, conn):
        data, held = b'', False
        while True:
            while b'\r\n\r\n' not in data:
                more = conn.recv(65536)
                if not more:
                    return
                data += more
            head, _, data = data.partition(b'\r\n\r\n')
            while len(data) < int(re.search(rb'Content-Length: (\d+)', head)[1]):
                data += conn.recv(65536)
            data = b''
            token = re.search(rb'Authorization: Negotiate (\S+)', head)
            if not token:
                conn.sendall(answer(200 if held else 401))
                continue
            context = gssapi.SecurityContext(creds=self.credential, usage='accept', channel_bindings=self.binding)
            try:
                last = context.step(base64.b64decode(token[1]))
                held = context.complete   # raises what step() has kept back
            except gssapi.exceptions.GSSError as error:
                seen.append(str(error))
                conn.sendall(answer(401))
                continue
            seen.append((str(context.initiator_name), bool(int(context.actual_flags) & CHANNEL_BOUND)))
            conn.sendall(answer(200, self.last or base64.b64encode(last)))


def go(acceptor, *more, **environment):
    seen.clear()
    tls = ['-F1', '--ca-file', f'{DIR}/cert.pem'] if acceptor.binding else []
    return ping('-o', f'RpcProxy={acceptor.address}', *tls, '-E', '-H', 'Negotiate', '--timeout=5', *more, env={**os.environ, **environment})


OWNER = 'a Kerberos ticket of anna@LAB.EXAMPLE inside SPNEGO'
plain, tls = Acceptor(), Acceptor(tls=True)
lab.step('a ticket, plain and TLS')
expect('plain', go(plain), 0, 'SUCCESS', 'offers Negotiate; Negotiate is used', OWNER, 'not bound: extended protection needs TLS')
lab.same(seen, [('anna@LAB.EXAMPLE', False)] * 2, 'what the acceptor saw')
expect('TLS', go(tls), 0, 'SUCCESS', OWNER, ', bound to the TLS channel')
lab.same(seen, [('anna@LAB.EXAMPLE', True)] * 2, 'what the acceptor saw')
expect('not bound', go(tls, '--no-channel-binding'), 0, 'SUCCESS', 'because of --no-channel-binding')
lab.same(seen, [('anna@LAB.EXAMPLE', False)] * 2, 'what the acceptor saw')

lab.step('what can be wrong')
time.sleep(2.5)
for text, more, words in (
        ('no ticket', {'KRB5CCNAME': f'FILE:{DIR}/none'}, ['Get a ticket with kinit']),
        ('expired', {'KRB5CCNAME': f'FILE:{DIR}/expired'}, ['new ticket with kinit']),
        ('no KDC', {'KRB5_CONFIG': f'{DIR}/gone.conf', 'KRB5CCNAME': f'FILE:{DIR}/fresh'}, ['port 88'])):
    if text == 'no KDC':
        os.system(f'echo "{lab.PASSWORD}" | kinit -c FILE:{DIR}/fresh anna >/dev/null')
    expect(text, go(plain, **more), 4, 'IN  ticket               FAILED', 'cannot go on', *words)
plain.address = plain.address.replace('localhost', '127.0.0.1')
expect('unknown service', go(plain), 4, 'setspn -S HTTP/127.0.0.1')
expect('another key', go(Acceptor(keytab='other.keytab')), 4, 'refuses the Kerberos ticket', 'keytab for HTTP/localhost')
for text, last in (('noise', base64.b64encode(os.urandom(40))), ('not base64', b'*')):
    expect(f'last token: {text}', go(Acceptor(last=last)), 4, "the proxy's last message is wrong")
lab.done()
