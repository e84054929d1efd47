#!/usr/bin/python3
"""Takes the PDUs out of a capture and writes another with nothing but them, a packet a PDU, all to or from port 6001.

    pdus_of.py CAPTURE NEW http PORT ...   PDUs in the bodies of HTTP messages
    pdus_of.py CAPTURE NEW rpc PORT ...    PDUs after the banner of an ncacn_http server, which makes tshark lose the stream

What is no row of whole PDUs ends it with an error."""
import re
import struct
import subprocess
import sys

import wire

CAPTURE, NEW, KIND, PORTS = *sys.argv[1:4], sys.argv[4:]
BANNER = b'ncacn_http/1.0'


def tshark(*words):
    return subprocess.run(['tshark', '-r', CAPTURE, *words], capture_output=True, text=True, check=True).stdout


def directions(streams):
    """The bytes of each TCP stream: from the client, to the client."""
    words = [word for stream in streams for word in ('-z', f'follow,tcp,raw,{stream}')]
    for text in re.findall(r'^Follow: .*?(?=^=====)', tshark('-q', *words), re.M | re.S):
        nodes = re.findall(r'^Node \d: .*:(\d+)$', text, re.M)
        both = [bytearray(), bytearray()]
        for line in text.splitlines():
            if re.fullmatch(r'\t?[0-9a-f]+', line):
                both[line.startswith('\t')] += bytes.fromhex(line.strip())
        yield both if nodes[1] in PORTS else both[::-1]


def bodies(data):
    """What follows the heads. Interim answers have no body."""
    while data:
        head, mark, rest = bytes(data).partition(b'\r\n\r\n')
        if not mark:
            sys.exit(f'no end of a head: {bytes(data[:60])}')
        size = int((re.search(rb'(?im)^content-length: *(\d+)', head) or [0, 0])[1])
        if b' 100 ' in head.split(b'\r\n')[0]:
            size = 0
        yield head, rest[:size]
        data = rest[size:]


def pdus(body, where):
    while body:
        length = wire.Header(body).length
        if len(body) < length:
            sys.exit(f'{where}: the stream ends inside a PDU of {length} bytes')
        yield body[:length]
        body = body[length:]


def parts(data):
    if KIND == 'http':
        return [body for _, body in bodies(data)]
    return [data[len(BANNER):] if data.startswith(BANNER) else data]


def packet(stream, to_server, sequence, payload):
    """IPv4 and TCP around one PDU; the packets of a stream make one conversation."""
    here, there = (b'\x0a\0\0\1', 40000 + stream), (b'\x0a\0\0\2', 6001)
    (source, source_port), (target, target_port) = (here, there) if to_server else (there, here)
    head = struct.pack('>HHIIBBHHH', source_port, target_port, sequence, 1, 0x50, 0x18, 65535, 0, 0)
    return struct.pack('>BBHHHBBH', 0x45, 0, 20 + len(head) + len(payload), 0, 0, 64, 6, 0) + source + target + head + payload


count = 0
wanted = ' || '.join(f'tcp.port=={port}' for port in PORTS)
streams = sorted(set(map(int, tshark('-Y', wanted, '-T', 'fields', '-e', 'tcp.stream').split())))
with open(NEW, 'wb') as capture:
    capture.write(struct.pack('<IHHIIII', 0xa1b2c3d4, 2, 4, 0, 0, 262144, 101))   # packets begin with the IP header
    for number, both in enumerate(directions(streams)):
        for to_server, data in zip((True, False), both):
            sequence = 1
            for part in parts(data):
                for pdu in pdus(bytes(part), f'stream {streams[number]} {"from" if to_server else "to"} the client'):
                    count += 1
                    whole = packet(number, to_server, sequence, pdu)
                    capture.write(struct.pack('<IIII', count, 0, len(whole), len(whole)) + whole)
                    sequence += len(pdu)
if count < 100:
    sys.exit(f'only {count} PDUs')
