"""Who is asked to wait, and who never is."""

import ipaddress

import pytest

from mailer.web.limits import Act, Limits, network_of
from tests.mailer.web.conftest import ANNA, Site

TRUSTED = [ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("10.0.0.0/8")]
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.mark.parametrize(
    ("peer", "forwarded", "network"),
    [
        ("192.0.2.77", "", "192.0.2.0/24"),
        ("2001:db8:1:2ff::1", "", "2001:db8:1:200::/56"),
        ("::ffff:192.0.2.77", "", "192.0.2.0/24"),
        ("127.0.0.1", "198.51.100.9", "198.51.100.0/24"),
        ("127.0.0.1", "203.0.113.1, 198.51.100.9", "198.51.100.0/24"),  # the first is what the caller says
        ("127.0.0.1", "203.0.113.1, 198.51.100.9, 10.0.0.3", "198.51.100.0/24"),
        ("192.0.2.77", "198.51.100.9", "192.0.2.0/24"),  # nobody whom we believe
        ("127.0.0.1", "nonsense", "127.0.0.0/24"),
        ("127.0.0.1", "", "127.0.0.0/24"),
        ("testclient", "", ""),
        (None, "", ""),
    ],
)
def test_a_network_is_what_a_trusted_proxy_saw_and_not_what_the_caller_says(
    peer: str | None, forwarded: str, network: str
):
    assert network_of(peer, forwarded, TRUSTED) == network


def test_a_bucket_empties_at_once_and_fills_evenly():
    limits = Limits()
    burst, seconds = Act.MAIL.burst, Act.MAIL.seconds

    assert [limits.wait(Act.MAIL, "a", now=0.0) for _ in range(burst)] == [0] * burst
    assert limits.wait(Act.MAIL, "a", now=0.0) == seconds
    assert limits.wait(Act.MAIL, "b", now=0.0) == 0
    assert limits.wait(Act.SIGN_UP, "a", now=0.0) == 0
    assert limits.wait(Act.MAIL, "a", now=seconds) == 0
    assert limits.wait(Act.MAIL, "a", now=seconds) > 0
    assert [limits.wait(Act.MAIL, "a", now=10_000.0) for _ in range(burst)] == [0] * burst


def test_a_million_networks_do_not_fill_the_memory_and_the_busiest_stays_known():
    limits = Limits()
    for _ in range(Act.FORGED.burst):
        limits.wait(Act.FORGED, "busy", now=0.0)

    for number in range(45_000):
        limits.wait(Act.FORGED, str(number), now=0.0)

    assert len(limits._spent) <= 20_000
    assert limits.wait(Act.FORGED, "busy", now=0.0) > 0


def test_forged_tokens_are_limited_with_a_clear_answer_and_a_valid_one_never_is(site: Site):
    forged = ["/u/" + "A" * 23, "/p/" + "A" * 23, site.choose_path().replace("/p/", "/u/")]
    answers = [site.client.get(path).status_code for path in forged * (Act.FORGED.burst // 3)]
    assert set(answers) == {404}

    refused = site.client.post(forged[0], data=ONE_CLICK)

    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) >= 1
    assert "nätverk" in refused.text
    assert site.client.get(site.choose_path()).status_code == 200
    for _ in range(3):
        assert site.client.post(site.leave_path(), data=ONE_CLICK).status_code == 200
    assert not site.gets(ANNA)
