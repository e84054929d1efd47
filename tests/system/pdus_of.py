#!/usr/bin/python3
"""Takes the PDUs out of a capture and writes another with nothing but them, a packet a PDU, all to or from port 6001, in the
order in which their last bytes were captured. Of a connection everything stays but the server's port.

    pdus_of.py CAPTURE NEW http SERVER ...   PDUs in the bodies of HTTP messages
    pdus_of.py CAPTURE NEW rpc SERVER ...    PDUs after the banner of an ncacn_http server, which makes tshark lose the stream,
                                             and after the PROXY header that a node sends

SERVER is address:port; a capture has no two with the same address.

What is no row of whole PDUs ends it with an error."""
import bisect
import re
import socket
import struct
import subprocess
import sys

import wire

CAPTURE, NEW, KIND, SERVERS = *sys.argv[1:4], [tuple(server.rsplit(':', 1)) for server in sys.argv[4:]]
BANNER = b'ncacn_http/1.0'
PROXY = b'\r\n\r\n\0\r\nQUIT\n'   # version 2: 16 bytes, the last two of them the length of the rest


def tshark(*words):
    return subprocess.run(['tshark', '-r', CAPTURE, *words], capture_output=True, text=True, check=True).stdout


class Half:
    """One direction of a TCP stream: its bytes, and in which frame each of them was first seen."""

    def __init__(self):
        self.data, self.ends, self.frames = bytearray(), [], []

    def add(self, frame, sequence, payload):
        begin = len(self.data)
        if sequence - 1 > begin:
            sys.exit(f'frame {frame}: bytes {begin} to {sequence - 1} of the stream were not captured')
        self.data += payload[begin - (sequence - 1):]
        self.ends.append(len(self.data))
        self.frames.append(frame)

    def frame(self, end):
        return self.frames[bisect.bisect_left(self.ends, end)]


def streams():
    """The TCP streams to the servers: (client, server) as (address, port): from the client, to the client."""
    wanted = ' || '.join(f'(ip.addr=={address} && tcp.port=={port})' for address, port in SERVERS)
    fields = [word for name in ('frame.number', 'tcp.stream', 'ip.src', 'tcp.srcport', 'ip.dst', 'tcp.dstport', 'tcp.seq', 'tcp.payload')
              for word in ('-e', name)]
    found = {}
    for line in tshark('-Y', f'tcp.len > 0 && ({wanted})', '-T', 'fields', *fields).splitlines():
        frame, stream, *ends, sequence, payload = line.split('\t')
        source, target = tuple(ends[:2]), tuple(ends[2:])
        to_server = target in SERVERS
        ends = (source, target) if to_server else (target, source)
        halves = found.setdefault(stream, (ends, (Half(), Half())))[1]
        halves[not to_server].add(int(frame), int(sequence), bytes.fromhex(payload.replace(':', '')))
    return found.values()


def bodies(data):
    """Where the bodies are: (begin, end) of what follows each head. Interim answers have no body."""
    at = 0
    while at < len(data):
        end = data.find(b'\r\n\r\n', at)
        if end < 0:
            sys.exit(f'no end of a head: {bytes(data[at:at + 60])}')
        head, at = bytes(data[at:end]), end + 4
        size = int((re.search(rb'(?im)^content-length: *(\d+)', head) or [0, 0])[1])
        if b' 100 ' in head.split(b'\r\n')[0]:
            size = 0
        yield at, min(at + size, len(data))
        at += size


def pdus(data, begin, end, where):
    """(end, PDU) of each."""
    while begin < end:
        length = wire.Header(data[begin:begin + 16]).length
        if begin + length > end:
            sys.exit(f'{where}: the stream ends inside a PDU of {length} bytes')
        yield begin + length, bytes(data[begin:begin + length])
        begin += length


def parts(data):
    if KIND == 'http':
        return bodies(data)
    begin = len(BANNER) if data.startswith(BANNER) else 0
    if data.startswith(PROXY):
        begin = 16 + struct.unpack_from('>H', data, 14)[0]
    return [(begin, len(data))]


def packet(ends, to_server, sequence, payload):
    """IPv4 and TCP around one PDU; the packets of a stream make one conversation."""
    here, there = ends[0], (ends[1][0], 6001)
    (source, source_port), (target, target_port) = (here, there) if to_server else (there, here)
    head = struct.pack('>HHIIBBHHH', int(source_port), int(target_port), sequence, 1, 0x50, 0x18, 65535, 0, 0)
    return (struct.pack('>BBHHHBBH', 0x45, 0, 20 + len(head) + len(payload), 0, 0, 64, 6, 0)
            + socket.inet_aton(source) + socket.inet_aton(target) + head + payload)


found = []
for number, (ends, halves) in enumerate(streams()):
    for to_server, half in zip((True, False), halves):
        where = f'stream {"to" if to_server else "from"} {":".join(ends[1])} of {":".join(ends[0])}'
        for begin, end in parts(half.data):
            found += [(half.frame(last), number, to_server, ends, pdu) for last, pdu in pdus(half.data, begin, end, where)]
found.sort(key=lambda one: one[0])
count = len(found)
sequences = {}
with open(NEW, 'wb') as capture:
    capture.write(struct.pack('<IHHIIII', 0xa1b2c3d4, 2, 4, 0, 0, 262144, 101))   # packets begin with the IP header
    for frame, number, to_server, ends, pdu in found:
        sequence = sequences.get((number, to_server), 1)
        sequences[number, to_server] = sequence + len(pdu)
        whole = packet(ends, to_server, sequence, pdu)
        capture.write(struct.pack('<IIII', frame, 0, len(whole), len(whole)) + whole)
if count < 10:
    sys.exit(f'only {count} PDUs')
