"""A DNS server for the tests, over UDP and TCP: answers from a table, and fails as it is told to.

dns_server.py ADDRESS TABLE LOG

A line of TABLE is `name type value`; type is A or AAAA. `name silent` gets no answer, `name broken` gets SERVFAIL, each for
all names that end in it; `. silent` is for all names. What is too long for UDP is truncated, and complete over TCP. The
table is read anew for each query. LOG gets a line for each query: `udp exch01.corp.example A`.
"""
import ipaddress
import socket
import struct
import sys
import threading

A, AAAA = 1, 28
SERVFAIL, NXDOMAIN = 2, 3
UDP_LIMIT = 512


def within(name, domain):
    return domain == '.' or name == domain or name.endswith('.' + domain)


def answer(query, table, log, protocol):
    """The response to a query, or nothing."""
    labels, position = [], 12
    while query[position]:
        labels.append(query[position + 1:position + 1 + query[position]].decode('latin-1').lower())
        position += 1 + query[position]
    name, (kind, _) = '.'.join(labels), struct.unpack_from('>HH', query, position + 1)
    question = query[12:position + 5]
    with open(log, 'a') as lines:
        lines.write('%s %s %s\n' % (protocol, name, {A: 'A', AAAA: 'AAAA'}.get(kind, kind)))
    with open(table) as lines:
        rows = [line.split() for line in lines if line.strip()]
    if any(row[1] == 'silent' and within(name, row[0]) for row in rows):
        return None
    rcode, records = NXDOMAIN, []
    if any(row[1] == 'broken' and within(name, row[0]) for row in rows):
        rcode = SERVFAIL
    for row in rows:
        if row[0] == name and row[1] in ('A', 'AAAA'):
            rcode = 0
            if kind == {'A': A, 'AAAA': AAAA}[row[1]]:
                data = ipaddress.ip_address(row[2]).packed
                records.append(struct.pack('>HHHIH', 0xc00c, kind, 1, 60, len(data)) + data)
    flags = 0x8180 | rcode
    response = struct.pack('>2sHHHHH', query[:2], flags, 1, len(records), 0, 0) + question + b''.join(records)
    if protocol == 'udp' and len(response) > UDP_LIMIT:
        return struct.pack('>2sHHHHH', query[:2], flags | 0x0200, 1, 0, 0, 0) + question
    return response


def serve_udp(udp, table, log):
    while True:
        query, peer = udp.recvfrom(4096)
        response = answer(query, table, log, 'udp')
        if response:
            udp.sendto(response, peer)


def serve_tcp(tcp, table, log):
    while True:
        connection, _ = tcp.accept()
        with connection, connection.makefile('rb') as stream:
            while size := stream.read(2):
                response = answer(stream.read(struct.unpack('>H', size)[0]), table, log, 'tcp')
                if response:
                    connection.sendall(struct.pack('>H', len(response)) + response)


def main():
    address, table, log = sys.argv[1:]
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    udp.bind((address, 53))
    tcp = socket.create_server((address, 53))
    threading.Thread(target=serve_tcp, args=(tcp, table, log), daemon=True).start()
    print('ready', flush=True)
    serve_udp(udp, table, log)


if __name__ == '__main__':
    main()
