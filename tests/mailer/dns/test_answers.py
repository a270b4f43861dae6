"""What DNS says, and what to mend."""

import base64

import pytest

from mailer.dns.answers import Answer, Finding, Signature, findings, names_to_ask, of_base_url
from mailer.dns.records import dkim_record
from mailer.signing import public_key
from tests.signatures import a_private_key

DOMAIN = "nyhet.example.org"
KEY = public_key(a_private_key())
OURS = Signature(DOMAIN, "2026a", KEY)
RECORD = dkim_record(DOMAIN, "2026a", KEY)
P = base64.b64encode(KEY).decode()
GOOD: dict[str, Answer] = {
    RECORD.name: (RECORD.text,),
    DOMAIN: ("v=spf1 include:spf.relay.example -all", "google-site-verification=x"),
    "_dmarc.example.org": ("v=DMARC1; p=quarantine; np=reject",),
}


def judged(signature: Signature | None = OURS, **changes: Answer) -> list[Finding]:
    """Judge the good answers with some of them changed: dkim, spf, dmarc."""
    names = {"dkim": RECORD.name, "spf": DOMAIN, "dmarc": "_dmarc.example.org"}
    answers = GOOD | {names[of]: answer for of, answer in changes.items()}
    names = names_to_ask(DOMAIN, signature, DOMAIN)
    return list(findings(DOMAIN, signature, DOMAIN, {name: answers.get(name, ()) for name in names}))


def said(finding: Finding) -> str:
    return finding.sentence.format(**finding.values)


def test_a_domain_that_is_set_up_has_nothing_to_mend():
    found = judged()

    assert [each.good for each in found] == [True] * 3
    assert "p=quarantine" in said(found[1])


@pytest.mark.parametrize(
    "text",
    [
        f"v=DKIM1; k=rsa; p={P}",
        f"p={P}",
        f"v=DKIM1;k=rsa;h=sha256:sha1;s=email;p={P[:90]} \t{P[90:]};",
        f"v=DKIM1; t=s; n=a note; p={P}",
    ],
)
def test_our_key_is_found_in_any_form(text: str):
    assert judged(dkim=(text,))[0].good


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ((), "has no DKIM record"),
        (("v=spf1 -all",), "has no DKIM record"),
        ((RECORD.text, RECORD.text), "more than one"),
        (("v=DKIM1; p=",), "revokes"),
        (("v=DKIM1; p=AAAA",), "another key"),
        (("v=DKIM1; p=not base64!",), "another key"),
        ((f"v=DKIM1; p={P[:-20]}",), "another key"),
        ((f"v=DKIM1; k=ed25519; p={P}",), "rsa-sha256"),
        ((f"v=DKIM1; h=sha1; p={P}",), "rsa-sha256"),
        ((f"v=DKIM1; s=tlsrpt; p={P}",), "not meant for mail"),
        ((f"v=DKIM1; t=y:s; p={P}",), "t=y"),
        (None, "No name server answered"),
    ],
)
def test_a_dkim_record_that_does_not_vouch_for_us_is_said_in_a_sentence(answer: Answer, says: str):
    finding = judged(dkim=answer)[0]

    assert not finding.good
    assert says in said(finding)
    assert RECORD.name in said(finding)


@pytest.mark.parametrize(
    ("answer", "good", "says"),
    [
        ((), False, "has no DMARC record"),
        (("v=DMARC1; p=none", "v=DMARC1; p=reject"), False, "more than one"),
        (("v=DMARC1;p=reject; adkim=s",), True, "p=reject"),
        (None, False, "No name server"),
    ],
)
def test_dmarc_is_looked_for_at_the_domain_and_above_it(answer: Answer, good: bool, says: str):  # noqa: FBT001  # a row of the table
    finding = judged(dmarc=answer)[1]

    assert finding.good is good
    assert says in said(finding)


def test_strict_alignment_wants_a_key_of_just_that_domain():
    above = Signature("example.org", "2026a", KEY)
    answers: dict[str, Answer] = dict.fromkeys(names_to_ask(DOMAIN, above, DOMAIN), ())
    answers |= {"_dmarc.example.org": ("v=DMARC1; p=reject; adkim=s",)}

    _, dmarc, _ = findings(DOMAIN, above, DOMAIN, answers)

    assert not dmarc.good
    assert f"utskick dkim new {DOMAIN}" in said(dmarc)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ((), "has no SPF record"),
        (("v=spf1 -all", "v=spf1 ~all"), "more than one"),
        (("v=spf1 include:x.example +all",), "lets everyone send"),
        (("v=spf1 all",), "lets everyone send"),
        (("v=spf10 -all",), "has no SPF record"),
        (None, "No name server"),
    ],
)
def test_an_spf_record_that_does_not_help_is_said(answer: Answer, says: str):
    finding = judged(spf=answer)[2]

    assert not finding.good
    assert says in said(finding)


def test_letters_that_nobody_signs_are_said():
    finding = judged(signature=None)[0]

    assert not finding.good
    assert f"utskick dkim new {DOMAIN}" in said(finding)


def test_links_must_be_https():
    assert of_base_url("https://nyhet.example.org").good
    assert not of_base_url("http://nyhet.example.org").good
