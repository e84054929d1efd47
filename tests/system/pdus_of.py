#!/usr/bin/python3
"""Takes the PDUs out of a capture and writes another with nothing but them, a packet a PDU, all to or from port 6001, in the
order in which their last bytes were captured. Of a connection the client's port stays; the address of the server is 10.1.X.Y
for its port X * 256 + Y.

    pdus_of.py CAPTURE NEW http PORT ...   PDUs in the bodies of HTTP messages
    pdus_of.py CAPTURE NEW rpc PORT ...    PDUs after the banner of an ncacn_http server, which makes tshark lose the stream

What is no row of whole PDUs ends it with an error."""
import bisect
import re
import struct
import subprocess
import sys

import wire

CAPTURE, NEW, KIND, PORTS = *sys.argv[1:4], sys.argv[4:]
BANNER = b'ncacn_http/1.0'


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
    """The TCP streams of the ports: (client's port, server's port): from the client, to the client."""
    wanted = ' || '.join(f'tcp.port=={port}' for port in PORTS)
    fields = [word for name in ('frame.number', 'tcp.stream', 'tcp.srcport', 'tcp.dstport', 'tcp.seq', 'tcp.payload') for word in ('-e', name)]
    found = {}
    for line in tshark('-Y', f'tcp.len > 0 && ({wanted})', '-T', 'fields', *fields).splitlines():
        frame, stream, source, target, sequence, payload = line.split('\t')
        to_server = target in PORTS
        ends = (int(source), int(target)) if to_server else (int(target), int(source))
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
    return [(len(BANNER) if data.startswith(BANNER) else 0, len(data))]


def packet(ends, to_server, sequence, payload):
    """IPv4 and TCP around one PDU; the packets of a stream make one conversation."""
    here, there = (b'\x0a\0\0\1', ends[0]), (b'\x0a\1' + struct.pack('>H', ends[1]), 6001)
    (source, source_port), (target, target_port) = (here, there) if to_server else (there, here)
    head = struct.pack('>HHIIBBHHH', source_port, target_port, sequence, 1, 0x50, 0x18, 65535, 0, 0)
    return struct.pack('>BBHHHBBH', 0x45, 0, 20 + len(head) + len(payload), 0, 0, 64, 6, 0) + source + target + head + payload


found = []
for number, (ends, halves) in enumerate(streams()):
    for to_server, half in zip((True, False), halves):
        where = f'stream of {ends[0]} {"from" if to_server else "to"} the client'
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
if count < 100:
    sys.exit(f'only {count} PDUs')
