"""Part of 11-auth.sh."""
import base64
import os

import lab
import rpch_client
import wire
from rpch_client import basic

TARGET = os.environ['T_plain']
WRONG = basic(lab.USER, 'wrong')

lab.step('401 keeps the connection when the body is short; the next request on it works')
for version in ('1.1', '1.0'):
    for method in ('RPC_IN_DATA', 'RPC_OUT_DATA'):
        with lab.channel() as channel:
            for auth in (None, WRONG, basic('nobody', 'x'), 'Basic !!!', 'Basic ' + 'QQ==', 'Unknown abc'):
                channel.request(method, TARGET, 0, auth=auth, version=version)
                reply = channel.reply()
                lab.same(reply.status, 401, f'{method} HTTP/{version} {auth}')
                lab.check(any(value.lower().startswith('basic ') for value in reply.all('www-authenticate')), 'Basic is offered')
                lab.check(reply.get('content-length') is not None, '401 has a Content-Length')
            channel.request(method, TARGET, 4, auth=lab.AUTH, version=version)
            channel.send(b'1234')
            lab.same(channel.reply().status, 200, f'{method} HTTP/{version} after the 401s')

lab.step('a client may wait for the 401 before it sends its first PDU, on a connection that lives on')
for tls in False, True:
    with lab.channel(tls=tls) as channel:
        for auth in None, WRONG:
            channel.request('RPC_OUT_DATA', TARGET, 76, auth=auth)
            lab.same(channel.reply(limit=5).status, 401, f'at once, TLS {tls}, {auth}')
            channel.send(wire.conn_a1(os.urandom(16), os.urandom(16), 65536))
        channel.request('RPC_OUT_DATA', TARGET, 0, auth=lab.AUTH)
        lab.same(channel.reply().status, 200, f'the echo behind that, TLS {tls}')

lab.step('401 to a channel request of 1 GiB ends the connection, and nothing reaches the server')
events = lab.Events()
for auth in (None, WRONG):
    for method, length in (('RPC_IN_DATA', 1 << 30), ('RPC_OUT_DATA', 76)):
        with lab.channel() as channel:
            channel.request(method, TARGET, length, auth=auth)
            if length == 76:
                channel.send(wire.conn_a1(os.urandom(16), os.urandom(16), 65536))
            lab.same(channel.reply().status, 401, f'{method} {auth}')
            if length > 76:
                lab.check(channel.closed(), 'closed without RST')
lab.same(len(events.events('accept')), 0, 'connections to the server')

lab.step('an unauthenticated caller learns nothing of the list or of mailboxes')
answers = set()
for target in (TARGET, 'nowhere.example:1', 'localhost:1', '11111111-2222-3333-4444-555555555555@x.example:6001', 'bad', None):
    with lab.channel() as channel:
        channel.request('RPC_IN_DATA', target, 0)
        answers.add(channel.reply().status)
lab.same(answers, {401}, 'answers without credentials')

lab.step('a domain the account was not given')
for name in ('OTHER\\' + lab.USER, lab.USER + '@other.example', '\\' + lab.USER, lab.USER + '@'):
    with lab.channel() as channel:
        channel.request('RPC_IN_DATA', TARGET, 0, auth=basic(name, lab.PASSWORD))
        lab.same(channel.reply().status, 401, name)

lab.step('user, DOMAIN\\user, user@domain, any case')
for name in (lab.USER, 'LAB\\' + lab.USER, lab.USER.upper(), 'lab\\' + lab.USER.upper(), lab.USER + '@lab.example'):
    with lab.channel() as channel:
        channel.request('RPC_IN_DATA', TARGET, 0, auth=basic(name, lab.PASSWORD))
        lab.same(channel.reply().status, 200, name)

lab.step('a default domain is none, and .\\user is one of this machine')
for name in ('other', 'CORP\\other', 'Other@Corp.Example', '.\\other'):
    with lab.channel() as channel:
        channel.request('RPC_IN_DATA', TARGET, 0, auth=basic(name, lab.PASSWORD))
        lab.same(channel.reply().status, 200, name)

lab.step('UTF-8, or else Windows-1252')
for credentials, status in (('jörg:Grüße1'.encode(), 200), ('jörg:Grüße1'.encode('cp1252'), 200), ('CORP\\JÖRG:Grüße1'.encode('cp1252'), 200),
                            ('jörg:grüße1'.encode('cp1252'), 401), (b'j\xf6rg:\x81', 401)):
    with lab.channel() as channel:
        channel.request('RPC_IN_DATA', TARGET, 0, auth='Basic ' + base64.b64encode(credentials).decode())
        lab.same(channel.reply().status, status, credentials)

for target in (TARGET, os.environ['T_http']):
    lab.step(f'{target}: OUT of one principal, IN of another: never joined')
    lines = lab.Lines()
    tunnel = lab.tunnel(target, out_auth=lab.OTHER_AUTH, limit=5)
    try:
        tunnel.open()
        lab.check(False, 'the two channels were joined')
    except (rpch_client.Gone, rpch_client.Slow, wire.Broken) as error:
        lab.check(not isinstance(error, rpch_client.Slow), f'closed in time: {error}')
    lab.check(lines.wait('another user'), 'one line gives the reason')
    tunnel.close()
    with lab.tunnel(target, auth=lab.OTHER_AUTH).open() as good:
        good.bind()
        good.echo()
lab.done()
