"""No fetch reaches into the house: every connection goes to an address that was judged first.

The name is resolved once and the connection goes to the very address that was judged, so an answer that changes
between look-up and connection (DNS rebinding) gains nothing. Redirects come through here too, hop by hop.
"""

import ipaddress
import socket
from collections.abc import Callable, Collection, Sequence

import httpx

from mailer.errors import Mistake

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], Sequence[str]]

_NAT64 = ipaddress.ip_network("64:ff9b::/96")  # RFC 6052: an IPv4 address in the last four bytes
_UNICAST = ipaddress.ip_network("2000::/3")  # all of IPv6 that is given out to the internet (RFC 4291 §2.4, IANA)
_V4_COMPATIBLE = ipaddress.ip_network("::/96")  # RFC 4291 §2.5.5.1, deprecated, still routed by some stacks


class ForbiddenAddress(Mistake):
    """The address lies inside a private network, or is no web address at all."""


def is_public(text: str) -> bool:
    """Tell whether an IP address is one of the open internet, also where it hides an IPv4 address."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    hidden = _hidden(address)
    if isinstance(address, ipaddress.IPv6Address) and address not in _UNICAST and not hidden:
        return False  # among the rest are site-local and translated addresses that Python calls global
    return all(part.is_global and not part.is_multicast for part in (address, *hidden))


def _hidden(address: IPAddress) -> list[IPAddress]:
    """Find the IPv4 addresses inside an IPv6 one: mapped, 6to4, Teredo, NAT64."""
    if isinstance(address, ipaddress.IPv4Address):
        return []
    found: list[IPAddress] = [part for part in (address.ipv4_mapped, address.sixtofour) if part]
    found.extend(address.teredo or ())
    if address in _NAT64 or address in _V4_COMPATIBLE:
        found.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return found


def resolve(host: str, port: int) -> list[str]:
    """Ask the system's resolver. raises OSError when the name has no address."""
    answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(answer[4][0]) for answer in answers))


class GuardedTransport(httpx.BaseTransport):
    """Resolves, judges, and connects to what was judged. `allow_hosts` are names that may be private.

    inner    does the talking; the request it gets has an IP address in its URL, and the name in Host and SNI,
             so certificates are checked against the name
    """

    def __init__(self, inner: httpx.BaseTransport, *, allow_hosts: Collection[str], resolve: Resolve = resolve) -> None:
        self._inner = inner
        self._allowed = {host.lower().rstrip(".") for host in allow_hosts}
        self._resolve = resolve

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """raises ForbiddenAddress before any connection is made, httpx.ConnectError when the name is unknown."""
        url = request.url
        if url.scheme not in {"http", "https"} or not url.host:
            raise ForbiddenAddress("Only http and https addresses can be fetched.")
        address = self._judged_address(url.raw_host.decode("ascii"), url.port or {"http": 80, "https": 443}[url.scheme])
        pinned = httpx.Request(
            method=request.method,
            url=url.copy_with(host=address),
            headers=request.headers,  # Host was set from the name when the request was built
            stream=request.stream,
            extensions={**request.extensions, "sni_hostname": url.raw_host.decode("ascii").strip("[]")},
        )
        return self._inner.handle_request(pinned)

    def _judged_address(self, host: str, port: int) -> str:
        name = host.strip("[]")
        try:
            addresses = self._resolve(name, port)
        except (OSError, UnicodeError) as error:
            raise httpx.ConnectError(f"the name {name} has no address") from error
        if not addresses:
            raise httpx.ConnectError(f"the name {name} has no address")
        if name.lower().rstrip(".") not in self._allowed and not all(is_public(address) for address in addresses):
            raise ForbiddenAddress(
                "{host} lies in a private network and is not fetched; if that is right, name it in"
                " [news] allow_hosts of the config.",
                host=name,
            )
        return addresses[0]

    def close(self) -> None:
        self._inner.close()
