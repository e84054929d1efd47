"""Part of 41-smuggling.sh."""
import os

import lab
import rpch_client

TARGET = os.environ['T_plain']
LINE = f'RPC_IN_DATA /rpc/rpcproxy.dll?{TARGET} HTTP/1.1'
AUTH = f'Authorization: {lab.AUTH}'
# What the bad head tries to smuggle in: an echo that would be answered with 200.
SECOND = f'RPC_OUT_DATA /rpc/rpcproxy.dll?{TARGET} HTTP/1.1\r\nHost: x\r\n{AUTH}\r\nContent-Length: 0\r\n\r\n'

HEADERS = {
    'two lengths': 'Content-Length: 0\r\nContent-Length: 5',
    'two equal lengths': 'Content-Length: 4\r\nContent-Length: 4',
    'a list of lengths': 'Content-Length: 4, 4',
    'length and chunked': 'Content-Length: 4\r\nTransfer-Encoding: chunked',
    'chunked and length': 'Transfer-Encoding: chunked\r\nContent-Length: 4',
    'chunked': 'Transfer-Encoding: chunked',
    'identity': 'Transfer-Encoding: identity\r\nContent-Length: 4',
    'xchunked': 'Transfer-Encoding: xchunked\r\nContent-Length: 4',
    'gzip, chunked': 'Transfer-Encoding: gzip, chunked',
    'chunked after a tab': 'Transfer-Encoding:\tchunked\r\nContent-Length: 4',
    'blank before the colon': 'Content-Length : 4',
    'tab before the colon': 'Content-Length\t: 4',
    'blank before the colon of chunked': 'Transfer-Encoding : chunked\r\nContent-Length: 4',
    'folded line': 'Content-Length:\r\n 4',
    'folded other line': 'X: a\r\n b\r\nContent-Length: 4',
    'first line folded': ' X: a\r\nContent-Length: 4',
    'length +4': 'Content-Length: +4',
    'length -1': 'Content-Length: -1',
    'length 0x4': 'Content-Length: 0x4',
    'length 4 4': 'Content-Length: 4 4',
    'length 4abc': 'Content-Length: 4abc',
    'blank behind the length': 'Content-Length: 4 ',
    'length empty': 'Content-Length:',
    'length 1e1': 'Content-Length: 1e1',
    'length of 2^64': 'Content-Length: 18446744073709551616',
    'length of 30 digits': 'Content-Length: ' + '9' * 30,
    'bare LF': 'X: a\nContent-Length: 4',
    'bare CR': 'X: a\rContent-Length: 4',
    'CR CR LF': 'X: a\r\r\nContent-Length: 4',
    'NUL in a value': 'X: a\0b\r\nContent-Length: 4',
    'NUL in a name': 'X\0: a\r\nContent-Length: 4',
    'no colon': 'Nonsense\r\nContent-Length: 4',
    'no name': ': x\r\nContent-Length: 4',
    'name in quotes': '"Content-Length": 4\r\nContent-Length: 4',
    'two Authorizations': f'{AUTH}\r\nContent-Length: 4',
}
LINES = {
    'HTTP/2.0': LINE.replace('1.1', '2.0'), 'HTTP/1.2': LINE.replace('1.1', '1.2'), 'HTTP/0.9': LINE.replace(' HTTP/1.1', ''),
    'http in small letters': LINE.replace('HTTP', 'http'), 'two blanks': LINE.replace(' /', '  /'), 'tab': LINE.replace(' /', '\t/'),
    'three digits': LINE.replace('1.1', '1.1.1'), 'blank at the end': LINE + ' ', 'blank in front': ' ' + LINE, 'method with colon': LINE.replace('RPC_IN', 'RPC:IN'), 'only a method': 'RPC_IN_DATA',
}


def refused(text, data):
    lines = lab.Lines()
    with lab.channel(limit=6) as channel:
        channel.send(data.encode('latin-1'))
        try:
            reply = channel.reply()
            lab.check(reply.status in (400, 403, 404, 405, 411, 413, 431, 501, 505), f'{text}: {reply}')
        except rpch_client.Gone:
            pass
        except rpch_client.Slow:
            lab.check(False, f'{text}: neither an answer nor a close')
            return
        try:
            lab.check(channel.closed(5), f'{text}: RST instead of a close')
            lab.same(bytes(channel.tail[:100]), b'', f'{text}: a second answer')
        except rpch_client.Slow:
            lab.check(False, f'{text}: the connection stays open')
        lab.check(lines.wait(channel.local, limit=2), f'{text}: no line in the log')


live = lab.tunnel(TARGET).open()
live.bind()
events = lab.Events()
for body, kind in (('1234' + SECOND, 'after 4 bytes'), (SECOND, 'at once'), ('4\r\n1234\r\n0\r\n\r\n' + SECOND, 'after chunks')):
    lab.step(f'{len(HEADERS)} heads, the second request {kind}')
    for name, header in HEADERS.items():
        refused(f'{name}, {kind}', f'{LINE}\r\nHost: x\r\n{AUTH}\r\n{header}\r\n\r\n{body}')
lab.step(f'{len(LINES)} request lines')
for name, line in LINES.items():
    refused(name, f'{line}\r\nHost: x\r\n{AUTH}\r\nContent-Length: 4\r\n\r\n1234{SECOND}')
lab.same(len(events.events('accept')), 0, 'connections to the server')
live.echo()
live.close()

lab.step('chunked is answered with 411')
with lab.channel() as channel:
    channel.send(f'{LINE}\r\nHost: x\r\n{AUTH}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'.encode())
    lab.same(channel.reply().status, 411, 'status')

lab.step('what must still pass: blanks around values, empty lines before the request')
with lab.channel() as channel:
    channel.send(f'\r\n{LINE}\r\nHost: x\r\n{AUTH}\r\nContent-Length:   4\r\nX-Blank:  a  \r\nX-Empty:\r\n\r\n1234{SECOND}'.encode())
    lab.same((channel.reply().status, channel.reply().status), (200, 200), 'two echoes')
lab.done()
