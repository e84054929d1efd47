"""Part of 64-kerberos.sh:  kerberos.py tickets | service | silence | stopped | binding POLICY BINDING."""
import base64
import os
import subprocess
import sys
import time

import gssapi
import gssapi.raw

import lab
import wire

TARGETS = os.environ['T_plain'], os.environ['T_http']
FOLDER = os.environ['LAB_DIR']
SPNEGO, KERBEROS = gssapi.OID.from_int_seq('1.3.6.1.5.5.2'), gssapi.MechType.kerberos


class Client:
    """One login with the tickets of `user`."""

    def __init__(self, user='alice', mech=SPNEGO, service='HTTP@proxy.lab.example', binding=None, mutual=True, cache=None):
        store = {'ccache': f'FILE:{cache or f"{FOLDER}/tickets-{user}"}'}
        credentials = gssapi.Credentials(usage='initiate', store=store, mechs=[KERBEROS, SPNEGO])
        flags = [gssapi.RequirementFlag.mutual_authentication] if mutual else []
        bindings = gssapi.raw.ChannelBindings(application_data=binding) if binding else None
        self.context = gssapi.SecurityContext(name=gssapi.Name(service, gssapi.NameType.hostbased_service), creds=credentials,
                                              mech=mech, flags=flags, channel_bindings=bindings, usage='initiate')

    def first(self):
        return header(self.context.step())

    def finish(self, reply):
        """The server proves itself in its answer."""
        token = next((value.split()[1] for value in reply.all('www-authenticate') if value.startswith('Negotiate ')), None)
        if not lab.check(token, 'no last token'):
            return
        self.context.step(base64.b64decode(token))
        lab.check(self.context.complete, 'the server has not proved itself')


def header(token):
    return 'Negotiate ' + base64.b64encode(token).decode()


def ask(auth, channel=None, method='RPC_IN_DATA', target=TARGETS[0], tls=False):
    with channel or lab.channel(tls=tls) as one:
        one.request(method, target, 0, auth=auth)
        return one.reply()


def denied(auth, *words):
    lines = lab.Lines()
    lab.same(ask(auth).status, 401, words)
    lab.check(lines.wait('refused', *words), f'the log does not say {words}: {lines.holding("refused")}')


def basic(user, password=lab.PASSWORD, target=TARGETS[0]):
    """Status and seconds."""
    began = time.monotonic()
    status = ask('Basic ' + base64.b64encode(f'{user}:{password}'.encode()).decode(), target=target).status
    return status, time.monotonic() - began


def tickets():
    for mech in SPNEGO, KERBEROS:
        name = 'SPNEGO' if mech == SPNEGO else 'raw'
        lab.step(f'{name}: one login for a connection, once for a token, as one principal')
        with lab.channel() as channel:
            client = Client(mech=mech)
            auth = client.first()
            channel.request('RPC_IN_DATA', TARGETS[0], 0, auth=auth)
            reply = channel.reply()
            lab.same(reply.status, 200, 'the ticket')
            client.finish(reply)
            channel.request('RPC_IN_DATA', TARGETS[0], 0)
            lab.same(channel.reply().status, 200, 'without Authorization')
            channel.request('RPC_IN_DATA', TARGETS[0], 0, auth=auth)
            lab.same(channel.reply().status, 401, 'the token again')
            channel.request('RPC_IN_DATA', TARGETS[0], 0, auth=Client(lab.USER).first())
            lab.same(channel.reply().status, 401, 'another principal')
        denied(auth, 'the ticket is refused', 'replay')
        lab.same(ask(Client(mech=mech, mutual=False).first()).status, 200, 'without mutual authentication')

        for target in TARGETS:
            lab.step(f'{name}: a tunnel to {target}')
            cookies = [os.urandom(16) for _ in range(4)]
            with lab.channel() as out, lab.channel() as channel_in:
                client = Client(mech=mech)
                out.request('RPC_OUT_DATA', target, 76, auth=client.first())
                out.send(wire.conn_a1(cookies[0], cookies[1], 65536))
                channel_in.request('RPC_IN_DATA', target, 1 << 30, auth=Client(mech=mech).first())
                channel_in.send(wire.conn_b1(cookies[0], cookies[2], cookies[3]))
                reply = out.reply(body=False)
                lab.same((reply.status, reply.reason), (200, 'Success'), 'the OUT channel')
                client.finish(reply)

    lab.step('the account of the principal')
    lines = lab.Lines()
    with lab.channel() as channel:
        channel.request('RPC_IN_DATA', TARGETS[0], 1 << 30, auth=Client(lab.USER).first())
        lab.check(lines.wait('channel', f'user={lab.USER} '), f'the local account has another name: {lines.all()}')
    with lab.channel() as channel:
        channel.request('RPC_IN_DATA', TARGETS[0], 1 << 30, auth=Client().first())
        lab.check(lines.wait('channel', 'user=alice@lab.example'), f'who has no account: {lines.all()}')

    lab.step('tickets that are refused')
    denied(Client('gone').first(), 'account disabled: gone@LAB.EXAMPLE')
    denied(Client(service='host@proxy.lab.example').first(), 'the ticket is refused')
    denied(Client(service='HTTP@other.lab.example').first(), 'the ticket is refused')
    short = f'{FOLDER}/tickets-short'
    kinit = ['kinit', '-l', '1s', '-c', f'FILE:{short}', 'alice@LAB.EXAMPLE']
    subprocess.run(kinit, input=lab.PASSWORD + '\n', text=True, check=True, stdout=subprocess.DEVNULL)
    expiring = Client(cache=short).first()
    with open(f'{FOLDER}/krb5.conf') as file:
        text = file.read()
    try:    # the library reads its configuration for each context
        with open(f'{FOLDER}/krb5.conf', 'w') as file:
            file.write(text.replace('[libdefaults]', '[libdefaults]\n    clockskew = 1'))
        time.sleep(3)
        denied(expiring, 'the ticket is refused')
    finally:
        with open(f'{FOLDER}/krb5.conf', 'w') as file:
            file.write(text)

    lab.step('tokens that are none')
    good = base64.b64decode(Client().first().split()[1])
    for token in b'\x60', good[:100], good[:-1], good + b'x', b'\x60\x82\xff\xff' + good, bytes([good[0]]) + os.urandom(len(good)), \
            b'\xa1\x03\x30\x01\x00':
        denied(header(token), 'reason=')
    for place in range(0, len(good), 7):
        bad = bytearray(good)
        bad[place] ^= 0x55
        ask(header(bytes(bad)))     # some of its bytes mean nothing
    lab.same(ask(Client().first()).status, 200, 'and all is well')


def service():
    command = [os.path.join(os.environ['OBJ'], 'ntlm-peer'), 'ticket', f'keytab={FOLDER}/node.keytab', 'principal=alice@LAB.EXAMPLE',
               'host=proxy.lab.example']
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as peer:
        def say(token=''):
            peer.stdin.write(token + '\n')
            peer.stdin.flush()
            return peer.stdout.readline().split()
        word, token = say()
        lab.same(word, 'TT', token)
        reply = ask('Negotiate ' + token)
        lab.same(reply.status, 200, 'its ticket')
        lab.same(say(reply.all('www-authenticate')[0].split()[1])[0], 'AF', 'the proxy proves itself')


def silence():
    """The KDC of HANGING.EXAMPLE takes what it is asked and says nothing."""
    lab.step('a KDC that is silent delays neither other logins nor the KDC of another realm')
    held = [lab.channel() for _ in range(3)]    # of four threads
    for number, channel in enumerate(held):
        user = base64.b64encode(f'nobody{number}@hanging.example:x'.encode()).decode()
        channel.request('RPC_IN_DATA', TARGETS[0], 0, auth=f'Basic {user}')
    time.sleep(0.3)
    for user, password in (lab.USER, lab.PASSWORD), ('alice@lab.example', lab.PASSWORD):
        status, took = basic(user, password)
        lab.same(status, 200, user)
        lab.check(took < 3, f'{user} has waited {took:.1f} s')
    lab.same(ask(Client().first()).status, 200, 'a ticket')
    for channel in held:
        channel.close()


def stopped():
    lab.step('a KDC that is not there is no wrong password, and tickets that exist are good')
    lines = lab.Lines()
    lab.same(basic('labuser@lab.example', 'another')[0], 401, 'a local password is not the KDC\'s')
    lab.same(str(ask('Basic ' + base64.b64encode(b'alice@lab.example:another').decode())), 'HTTP/1.0 503 RPC Error: 6bb', 'a password')
    lab.check(lines.wait('refused', 'the password cannot be checked', 'alice@lab.example'), f'the log: {lines.all()}')
    lab.same(ask(Client().first()).status, 200, 'a ticket')


def binding(policy, right):
    lab.step(f'channel bindings, {policy}')
    right = base64.b64decode(right)
    for mech in SPNEGO, KERBEROS:
        for data, good in (right, True), (right[:-1] + b'x', policy == 'off'), (None, policy != 'require'):
            lab.same(ask(Client(mech=mech, binding=data).first(), tls=True).status, 200 if good else 401, f'{data}')


{'tickets': tickets, 'service': service, 'silence': silence, 'stopped': stopped, 'binding': binding}[sys.argv[1]](*sys.argv[2:])
lab.done()
