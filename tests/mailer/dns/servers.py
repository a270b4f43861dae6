"""A name server on loopback that knows a few TXT and MX records."""

import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

SILENT = "silent.example.org"  # no answer comes for this one, or for anything below it


@contextmanager
def a_name_server(zone: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, int]]:
    """Serve `zone` until the block ends; yield where.

    zone  name -> presentation form of each TXT record, "MX name" -> of each MX record
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        thread = threading.Thread(target=_serve, args=(server, zone))
        thread.start()
        try:
            yield server.getsockname()
        finally:
            server.sendto(b"", server.getsockname())
            thread.join()


def _serve(server: socket.socket, zone: Mapping[str, Sequence[str]]) -> None:
    while True:
        octets, client = server.recvfrom(4096)
        if not octets:
            return
        query = dns.message.from_wire(octets)
        name = str(query.question[0].name).rstrip(".")
        kind = dns.rdatatype.to_text(query.question[0].rdtype)
        reply = dns.message.make_response(query)
        if name.endswith(SILENT):
            reply.set_rcode(dns.rcode.SERVFAIL)
        elif records := zone.get(f"MX {name}" if kind == "MX" else name):
            reply.answer.append(dns.rrset.from_text(f"{name}.", 60, "IN", kind, *records))
        elif not any(f".{known}".endswith((f".{name}", f" {name}")) for known in zone):
            reply.set_rcode(dns.rcode.NXDOMAIN)
        server.sendto(reply.to_wire(), client)
