"""Asking the DNS."""

from collections.abc import Iterable, Mapping

import dns.exception
import dns.resolver

from mailer.dns.answers import Answer

_PATIENCE = 10.0  # seconds for one name


def texts_of(names: Iterable[str], server: tuple[str, int] | None = None) -> Mapping[str, Answer]:
    """Return the TXT records of each name: none there is (), no answer to be had is None.

    server  (address, port) to ask instead of this machine's own
    """
    resolver = dns.resolver.Resolver(configure=server is None)
    if server is not None:
        resolver.nameservers, resolver.port = [server[0]], server[1]
    return {name: _texts(resolver, name) for name in names}


def _texts(resolver: dns.resolver.Resolver, name: str) -> Answer:
    try:
        found = resolver.resolve(f"{name}.", "TXT", lifetime=_PATIENCE)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return ()
    except dns.exception.DNSException:
        return None
    return tuple(b"".join(record.strings).decode("utf-8", "replace") for record in found)
