"""Part of 66-ping-login.sh:  ping_login.py [POLICY], of extended protection."""
import base64
import email.utils
import os
import re
import select
import socket
import ssl
import struct
import sys
import time

import lab
import wire
from impacket import ntlm as impacket_ntlm
from pinging import Listener, expect, ping

DIR = os.environ['LAB_DIR']
POLICY = sys.argv[1] if len(sys.argv) > 1 else 'off'
TARGETS = os.environ['T_plain'], os.environ['T_http']
TRUST = ['--ca-file', f'{DIR}/cert.pem']
NAMES = ['Negotiate', 'NTLM', 'Basic']
ECHOED = b'HTTP/1.1 200 Success\r\nContent-Length: 20\r\n%s\r\n' + wire.rts(wire.ECHO)


def me(user=lab.USER, password=lab.PASSWORD):
    return ['-P', f'{user},,{password}']


def at(address, tls, target=None):
    words = ['-o', f'RpcProxy={address}', *(['-F1', *TRUST] if tls else [])]
    if not target:
        return [*words, '-E']
    server, port = target.rsplit(':', 1)
    return [*words, '-s', server, '-e', port]


def head_of(conn, data=b''):
    """A request's head, and what has come behind it. Nothing at the end of the stream."""
    while b'\r\n\r\n' not in data:
        more = conn.recv(65536)
        if not more:
            raise ConnectionError
        data += more
    head, _, rest = data.partition(b'\r\n\r\n')
    return head + b'\r\n\r\n', rest


def both(conn, server):
    """Relays until one of them ends; in one thread, because a TLS connection is not for two."""
    other = {conn: server, server: conn}
    while True:
        ready = [one for one in other if isinstance(one, ssl.SSLSocket) and one.pending()] or select.select(list(other), [], [])[0]
        for one in ready:
            data = one.recv(65536)
            if not data:
                return server.close()
            other[one].sendall(data)


def to(address):
    host, port = address.rsplit(':', 1)
    return socket.create_connection((host, int(port)), 10)


def server_tls(name, demand=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f'{DIR}/{name}.crt', f'{DIR}/{name}.key')
    if demand:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(f'{DIR}/{demand}.crt')
    return context


def ends_tls(conn):
    """A front with a certificate of its own: TLS on both sides."""
    context = ssl._create_unverified_context()
    with context.wrap_socket(to(lab.TLS)) as server:
        both(conn, server)


def new_connection_each_time(conn):
    """A front that uses another connection to the proxy for each request."""
    data = b''
    while True:
        head, data = head_of(conn, data)
        server = to(lab.PLAIN)
        server.sendall(head)
        if b'Content-Length: 0' not in head:
            server.sendall(data)
            return both(conn, server)
        answer, rest = head_of(server)
        length = int(re.search(rb'Content-Length: (\d+)', answer)[1])
        while len(rest) < length:
            rest += server.recv(65536)
        conn.sendall(answer + rest)
        server.close()


if POLICY != 'off':
    lab.step(f'extended protection, {POLICY}')
    front = Listener(ends_tls, server_tls('front'))
    for scheme in 'NTLM', 'Negotiate':
        for target in None, TARGETS[0]:
            words = [*me(), '-H', scheme, '--timeout=5']
            expect('bound', ping(*at(lab.TLS, True, target), *words), 0, 'SUCCESS', ', bound to the TLS channel')
            loose = ping(*at(lab.TLS, True, target), *words, '--no-channel-binding')
            through = ['-o', f'RpcProxy={front.address}', '-F1', '--ca-file', f'{DIR}/front.crt', *at('', False, target)[2:], *words]
            if POLICY == 'allow':
                expect('not bound', loose, 0, 'SUCCESS', 'because of --no-channel-binding')
            else:
                expect('not bound', loose, 4, 'may demand extended protection')
            expect('bound to the certificate of a front', ping(*through), 4, 'extended protection refuses', '--no-channel-binding shows')
            expect('behind a front, not bound', ping(*through, '--no-channel-binding'), 0 if POLICY == 'allow' else 4)
    lab.done()

lab.step('each scheme, plain and TLS, alone and through the whole tunnel, asked and at once')
for tls, address in ((False, lab.PLAIN), (True, lab.TLS)):
    for words, used in (([], 'Negotiate'), (['-H', 'NTLM'], 'NTLM'), (['-H2'], 'NTLM'), (['--http-auth=negotiate'], 'Negotiate'),
                        (['-H', '1'], 'Basic'), (['-H', 'basic,NTLM'], 'NTLM')):
        for target in (None, *TARGETS):
            done = ping(*at(address, tls, target), *me(), *words)
            expect(f'{words} {target}', done, 0, 'SUCCESS', f'offers Negotiate, NTLM, Basic; {used} is used')
            bound = ', bound to the TLS channel' if tls else ', not bound: extended protection needs TLS'
            lab.same(done.text.count(f'{used} with '), 0 if used == 'Basic' else 2, f'a login of each channel\n{done.text}')
            lab.same(bound in done.text, used != 'Basic', f'what is said of extended protection\n{done.text}')
            lab.same('readable' in done.text, used == 'Basic' and not tls, 'the warning')
    for scheme in NAMES:
        words = ['-o', f'RpcProxy={address}', *TRUST, '-F3'] if tls else ['-o', f'RpcProxy={address}', '-F2']
        expect('at once', ping(*words, '-E', '-i3', *me(), '-H', scheme, '-v3'), 0, 'SUCCESS', f'Authorization: {scheme} (hidden)')

lab.step('names: DOMAIN and UPN')
for user in f'{lab.USER},LAB', f'{lab.USER}@lab.example,', f'{lab.USER.upper()},lab':
    expect(user, ping(*at(lab.TLS, True), '-P', f'{user},{lab.PASSWORD}', '-HNTLM'), 0, 'SUCCESS')

lab.step('what the daemon refuses')
for target in (None, TARGETS[0]):
    for scheme in 'NTLM', 'Negotiate':
        for user, password in ((lab.USER, 'wrong'), ('nobody', lab.PASSWORD), ('other', lab.PASSWORD)):
            expect(f'{user}, {scheme}', ping(*at(lab.TLS, True, target), *me(user, password), '-H', scheme), 4,
                   f'refuses the {scheme} login of {user}.', 'NT hash', '-H Basic with the same password', '5 (0x5)')
    expect('without a hash', ping(*at(lab.TLS, True, target), *me('other'), '-H1'), 0, 'SUCCESS')

lab.step('a front that uses another connection for each request; one that ends TLS while nobody minds')
front = Listener(new_connection_each_time)
for scheme in 'NTLM', 'Negotiate':
    expect(scheme, ping(*at(front.address, False, TARGETS[0]), *me(), '-H', scheme, '--timeout=5'), 4, f'refuses the {scheme} login',
           'keep a connection for each client')
expect('Basic', ping(*at(front.address, False, TARGETS[0]), *me(), '-H1', '--timeout=5'), 0, 'SUCCESS')
front = Listener(ends_tls, server_tls('front'))
expect('TLS twice', ping('-o', f'RpcProxy={front.address}', '-F1', '--ca-file', f'{DIR}/front.crt', '-E', *me(), '-HNTLM'), 0, 'SUCCESS')


# --- Proxies that are none of ours

def unauthorized(*challenges, more=b''):
    lines = b''.join(b'WWW-Authenticate: %s\r\n' % one for one in challenges)
    return b'HTTP/1.1 401 Unauthorized\r\n' + lines + b'Content-Length: 0\r\n' + more + b'\r\n'


def type2(flags=0xe28a8215, info=bytes(4)):
    return b'NTLMSSP\0' + struct.pack('<IHHIIQQHHI', 2, 0, 0, 48, flags, 0x1122334455667788, 0, len(info), len(info), 48) + info


def said(scheme, token):
    return scheme + b' ' + base64.b64encode(token)


def spnego(text):
    return said(b'Negotiate', bytes.fromhex(text))


REJECT, EMPTY, COMPLETED = 'a1073005a0030a0102', 'a1073005a0030a0101', 'a1073005a0030a0100'
NTLM, NEGOTIATE = [b'NTLM'], [b'Negotiate']
CHALLENGE = unauthorized(said(b'NTLM', type2()))
HOUR = b'Date: %s\r\n' % email.utils.formatdate(time.time() - 3600, usegmt=True).encode()


class Script:
    """Answers the requests of one connection with these, one after the other; a None ends the connection."""

    def __init__(self, *answers):
        self.answers = answers

    def __call__(self, conn):
        data = b''
        for answer in self.answers:
            head, data = head_of(conn, data)
            if answer is None:
                return
            conn.sendall(answer)
            if b'Connection: close' in answer:
                return
        time.sleep(5)


rows = [
    # what                            -H          the answers to Type 1, Type 3 and so on                        exit, words
    ('no challenge',                  'NTLM',      [unauthorized(*NTLM)],                                          4, ['has no challenge']),
    ('not offered after all',         'NTLM',      [unauthorized(b'Basic realm="x"')],                             4, ['does not offer NTLM here; it offers Basic']),
    ('nothing offered',               'NTLM',      [unauthorized()],                                               4, ['offers no scheme at all']),
    ('not base64',                    'NTLM',      [unauthorized(b'NTLM *')],                                      4, ['not base64']),
    ('noise',                         'NTLM',      [unauthorized(said(b'NTLM', os.urandom(200)))],                 4, ['challenge is malformed']),
    ('a challenge without Unicode',   'NTLM',      [unauthorized(said(b'NTLM', type2(0x2)))],                      4, ['challenge is malformed']),
    ('names behind the end',          'NTLM',      [unauthorized(said(b'NTLM', type2(info=b'\1\0\xff\xff')))],     4, ['challenge is malformed']),
    ('Type 1 comes back',             'NTLM',      [unauthorized(said(b'NTLM', b'NTLMSSP\0\1\0\0\0' + bytes(24)))], 4, ['challenge is malformed']),
    ('closed behind the challenge',   'NTLM',      [unauthorized(said(b'NTLM', type2()), more=b'Connection: close\r\n')], 4, ['middle of the NTLM login', 'keep it open']),
    ('closed without a word',         'NTLM',      [CHALLENGE, None],                                              4, ['middle of the NTLM login', 'keep it open']),
    ('closed at Type 1',              'NTLM',      [None],                                                         4, ['middle of the NTLM login']),
    ('silent at Type 1',              'NTLM',      [b''],                                                          4, ['does not answer a message of the NTLM login']),
    ('a fresh challenge for Type 3',  'NTLM',      [CHALLENGE, CHALLENGE],                                         4, ['has forgotten its challenge', 'one connection']),
    ('refused, no integrity code',    'NTLM',      [CHALLENGE, unauthorized(*NTLM)],                               4, ['without an integrity code', 'refuses the NTLM login']),
    ('refused, an hour late',         'NTLM',      [CHALLENGE, unauthorized(*NTLM, more=HOUR)],                    4, ['is 60 minutes ahead of the proxy']),
    ('refused, by way of a front',    'NTLM',      [CHALLENGE, unauthorized(*NTLM, more=b'Via: 1.1 f\x1b\r\n')],   4, ['(Via: 1.1 f\\x1b)']),
    ('forgotten at once',             'NTLM',      [CHALLENGE, ECHOED % b'', unauthorized(*NTLM)],                 4, ['login does not last', 'one connection']),
    ('closed after the login',        'NTLM',      [CHALLENGE, ECHOED % b'', None],                                8, ['does not answer the echo request']),
    ('forbidden',                     'NTLM',      [CHALLENGE, b'HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n'],   4, ['forbids']),
    ('a gateway answers Type 1',      'NTLM',      [b'HTTP/1.1 502 x\r\nContent-Length: 0\r\n\r\n'],               6, ['gateway']),
    ('nobody is asked',               'NTLM',      [ECHOED % b''] * 3,                                             0, ['demands no authentication', 'SUCCESS']),
    ('good, no integrity code',       'NTLM',      [CHALLENGE] + [ECHOED % b''] * 2,                               0, ['without an integrity code', 'SUCCESS']),
    ('a good raw one',                'Negotiate', [unauthorized(said(b'Negotiate', type2()))],                    4, ['malformed']),
    ('rejected',                      'Negotiate', [unauthorized(spnego(REJECT))],                                 4, ['cannot go on', 'Kerberos tickets alone']),
    ('let in too early',              'Negotiate', [unauthorized(spnego(COMPLETED))],                              4, ['cannot go on']),
    ('without end',                   'Negotiate', [unauthorized(spnego(EMPTY))] * 9,                              4, ['it has no end']),
]
lab.step(f'{len(rows)} proxies that break a login')
for text, scheme, answers, code, words in rows:
    done = ping(*at(Listener(Script(*answers)).address, False), '-F2', *me(), '-H', scheme, '--timeout=1')
    expect(text, done, code, *words)
    lab.check(done.seconds < 4, f'{text}: took {done.seconds:.1f} s')

lab.step('the last token of SPNEGO is looked at')


def last_token(token):
    """Between rpctunnel-ping and the daemon: another last token in the place of the daemon's."""
    def serve(conn):
        server, data = to(lab.PLAIN), b''
        while True:
            head, data = head_of(conn, data)
            server.sendall(head)
            answer, rest = head_of(server)
            while len(rest) < int(re.search(rb'Content-Length: (\d+)', answer)[1]):
                rest += server.recv(65536)
            if answer.startswith(b'HTTP/1.1 200'):
                answer = re.sub(rb'Negotiate \S+', b'Negotiate ' + token, answer)
            conn.sendall(answer + rest)
    return Listener(serve).address


for text, token, words in (('noise', base64.b64encode(os.urandom(30)), 'last message is wrong'), ('not base64', b'*', 'not base64'),
                           ('without a signature', base64.b64encode(bytes.fromhex(COMPLETED)), 'last message is wrong')):
    expect(text, ping(*at(last_token(token), False), *me(), '-F2', '-HNegotiate', '--timeout=2'), 4, words)

lab.step('NTLM version 1')


def takes_version_1(modern):
    """A server that verifies responses of version 1; `modern`: and takes any of version 2."""
    nonce = struct.pack('<Q', 0x1122334455667788)
    right = impacket_ntlm.ntlmssp_DES_encrypt(impacket_ntlm.compute_nthash(lab.PASSWORD), nonce)

    def serve(conn):
        data = b''
        while True:
            head, data = head_of(conn, data)
            token = re.search(rb'Authorization: NTLM (\S+)', head)
            message = base64.b64decode(token[1]) if token else b''
            if message[8:9] == b'\1':
                conn.sendall(CHALLENGE)
            elif message[8:9] == b'\3':
                length, _, start = struct.unpack_from('<HHI', message, 20)
                response = message[start:start + length]
                good = response == right if length == 24 else modern
                conn.sendall(ECHOED % b'' if good else unauthorized(*NTLM))
            else:
                conn.sendall(unauthorized(*NTLM))
    return Listener(serve).address


prove = ['--ntlm-v1', '--timeout=2']
for tls, address in ((False, lab.PLAIN), (True, lab.TLS)):
    expect('refused', ping(*at(address, tls)[:-1], *me(), *prove), 0, 'refused, as it should', 'SUCCESS', 'takes version 2 with the same password')
expect('proves nothing', ping('-o', f'RpcProxy={lab.PLAIN}', *me(password='wrong'), *prove), 4, 'Nothing is proven')
for modern in True, False:
    expect('accepted', ping('-o', f'RpcProxy={takes_version_1(modern)}', *me(), *prove), 9, 'UNSAFE', 'LAN Manager authentication level', 'Exit code 9')
expect('accepted, but not this password', ping('-o', f'RpcProxy={takes_version_1(False)}', *me(password='other'), *prove), 4, 'Nothing is proven')
expect('no NTLM', ping('-o', f'RpcProxy={Listener(Script(unauthorized(b"Basic realm=x"))).address}', *me(), *prove), 0, 'offers neither NTLM nor Negotiate')
expect('no authentication', ping('-o', f'RpcProxy={Listener(Script(ECHOED % b"")).address}', *me(), *prove), 4, 'demands no authentication')

lab.step('a client certificate')
paths = []


def certified(conn):
    data = b''
    while True:
        head, data = head_of(conn, data)
        while len(data) < int(re.search(rb'Content-Length: (\d+)', head)[1]):
            data += conn.recv(65536)
        data = b''
        paths.append(head.split()[1])
        conn.sendall(ECHOED % b'')


for version in ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3:
    context = server_tls('front', demand='anna')
    context.minimum_version = context.maximum_version = version
    where = ['-o', f'RpcProxy={Listener(certified, context).address}', '-F1', '--ca-file', f'{DIR}/front.crt', '-E', '--timeout=3']
    own, strange = (['--cert', f'{DIR}/{name}.crt', '--key', f'{DIR}/{name}.key'] for name in ('anna', 'stranger'))
    expect(f'{version.name}: shown', ping(*where, *own, '-H', 'Certificate'), 0, 'SUCCESS', 'has asked for the client certificate')
    expect(f'{version.name}: none', ping(*where), 3, 'demands a client certificate', '--cert and --key')
    expect(f'{version.name}: none, and a password', ping(*where, *me(), '-H1'), 3, 'demands a client certificate')
    expect(f'{version.name}: a stranger', ping(*where, *strange), 3, 'does not take the client certificate', 'stranger.crt')
lab.same(set(paths), {b'/rpcwithcert/rpcproxy.dll'}, 'paths')
expect('key of another', ping(*where, '--cert', f'{DIR}/anna.crt', '--key', f'{DIR}/stranger.key'), 1, 'does not belong to')
expect('no such file', ping(*where, '--cert', '/nonexistent', '--key', '/nonexistent'), 1, '/nonexistent: No such file')
expect('the daemon asks for none', ping(*at(lab.TLS, True), *own, '-H', 'Certificate'), 4, 'does not take the client certificate for a login')
lab.done()
