from ipaddress import IPv4Address

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.news.guard import ForbiddenAddress, GuardedTransport, is_public

PUBLIC = "93.184.216.34"
PRIVATE = [
    "127.0.0.1",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",  # cloud metadata
    "100.64.0.1",  # shared by providers, RFC 6598
    "0.0.0.0",  # noqa: S104  # an address under test
    "224.0.0.1",
    "255.255.255.255",
    "::1",
    "::",
    "fe80::1",
    "fe80::1%eth0",
    "fd00::1",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
    "2001:0:7f00:1::",
    "fec0::1",  # site-local, RFC 3879
    "64:ff9b:1::7f00:1",  # translated locally, RFC 8215
    "::ffff:0:7f00:1",  # translated, RFC 2765
    "not an address",
]


class Wire(httpx.BaseTransport):
    """Writes down where connections go, and answers with what it was given."""

    def __init__(self, *answers: httpx.Response) -> None:
        self.requests: list[httpx.Request] = []
        self._answers = list(answers)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return self._answers.pop(0) if self._answers else httpx.Response(200)


def guarded(wire: Wire, names: dict[str, list[str]], *allow: str) -> httpx.Client:
    transport = GuardedTransport(wire, allow_hosts=allow, resolve=lambda name, _: names[name])
    return httpx.Client(transport=transport, follow_redirects=True)


@pytest.mark.parametrize("address", PRIVATE)
def test_no_private_address_is_public_however_it_is_written(address: str):
    assert not is_public(address)


@pytest.mark.parametrize("address", [PUBLIC, "2606:2800:220:1:248:1893:25c8:1946", "::ffff:93.184.216.34"])
def test_an_address_of_the_open_internet_is_public(address: str):
    assert is_public(address)


@given(st.ip_addresses(v=4))
def test_mapping_an_address_into_ipv6_never_makes_it_public(address: IPv4Address):
    assert is_public(f"::ffff:{address}") == is_public(str(address))


@pytest.mark.parametrize("address", ["127.0.0.1", "169.254.169.254", "fd00::1"])
def test_a_name_that_leads_inside_is_refused_before_any_connection(address: str):
    wire = Wire()

    with pytest.raises(ForbiddenAddress):
        guarded(wire, {"inside.example": [address]}).get("http://inside.example/")

    assert wire.requests == []


def test_one_private_address_among_public_ones_is_enough_to_refuse():
    with pytest.raises(ForbiddenAddress):
        guarded(Wire(), {"mixed.example": [PUBLIC, "10.0.0.1"]}).get("http://mixed.example/")


def test_the_connection_goes_to_the_address_that_was_judged_under_the_name_that_was_asked():
    wire = Wire()
    answers = iter([[PUBLIC], ["127.0.0.1"]])  # DNS rebinding: the second look-up would lead inside
    transport = GuardedTransport(wire, allow_hosts=(), resolve=lambda *_: next(answers))

    httpx.Client(transport=transport).get("https://news.example/feed")

    (request,) = wire.requests
    assert request.url.host == PUBLIC
    assert request.headers["Host"] == "news.example"
    assert request.extensions["sni_hostname"] == "news.example"
    assert next(answers) == ["127.0.0.1"]  # nobody asked a second time


def test_a_redirect_that_leads_inside_is_refused():
    wire = Wire(httpx.Response(302, headers={"Location": "http://inside.example/secret"}))
    client = guarded(wire, {"news.example": [PUBLIC], "inside.example": ["127.0.0.1"]})

    with pytest.raises(ForbiddenAddress):
        client.get("http://news.example/")

    assert len(wire.requests) == 1


@pytest.mark.parametrize("location", ["file:///etc/passwd", "ftp://news.example/", "gopher://news.example/"])
def test_only_the_web_is_fetched(location: str):
    wire = Wire(httpx.Response(302, headers={"Location": location}))

    with pytest.raises((ForbiddenAddress, httpx.UnsupportedProtocol)):
        guarded(wire, {"news.example": [PUBLIC]}).get("http://news.example/")

    assert len(wire.requests) == 1


def test_a_private_host_that_the_config_names_is_fetched():
    wire = Wire()

    guarded(wire, {"intranet.example": ["10.0.0.1"]}, "Intranet.example").get("http://intranet.example/")

    assert wire.requests[0].url.host == "10.0.0.1"
