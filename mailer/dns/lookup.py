"""Asking the DNS."""

from collections.abc import Iterable, Mapping
from typing import Any

import dns.exception
import dns.resolver

from mailer.dns.answers import Answer

_PATIENCE = 10.0  # seconds for one name


def texts_of(names: Iterable[str], server: tuple[str, int] | None = None) -> Mapping[str, Answer]:
    """Return the TXT records of each name: none there is (), no answer to be had is None.

    server  (address, port) to ask instead of this machine's own
    """
    resolver = _resolver(server)
    return {name: _texts(resolver, name) for name in names}


def mail_servers_of(domain: str, server: tuple[str, int] | None = None) -> Answer:
    """Return the names of a domain's MX records, the preferred one first; "" is its null MX (RFC 7505)."""
    found = _records(_resolver(server), domain, "MX")
    if found is None:
        return None
    ordered = sorted(found, key=lambda record: int(record.preference))
    return tuple(record.exchange.to_text(omit_final_dot=True).removesuffix(".") for record in ordered)


def _resolver(server: tuple[str, int] | None) -> dns.resolver.Resolver:
    resolver = dns.resolver.Resolver(configure=server is None)
    if server is not None:
        resolver.nameservers, resolver.port = [server[0]], server[1]
    return resolver


def _texts(resolver: dns.resolver.Resolver, name: str) -> Answer:
    found = _records(resolver, name, "TXT")
    return None if found is None else tuple(b"".join(record.strings).decode("utf-8", "replace") for record in found)


def _records(resolver: dns.resolver.Resolver, name: str, kind: str) -> list[Any] | None:
    """Return the records of a name: none there is [], no answer to be had is None."""
    try:
        return list(resolver.resolve(f"{name}.", kind, lifetime=_PATIENCE))
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return []
    except dns.exception.DNSException:
        return None
