"""What DNS answered, judged: does mail from this domain verify, and what is to be mended."""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from mailer.dns.records import dkim_name, dkim_record
from mailer.sentences import N_, Word

Answer = tuple[str, ...] | None  # what the records of a name say; None: nobody could be asked
_FARTHEST = 8  # names asked for DMARC (RFC 9989, the tree walk)


@dataclass(frozen=True, slots=True)
class Signature:
    """A key as the config has it: where its record is, and the key it must hold, in DER form."""

    domain: str
    selector: str
    public_key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: a sentence and its values. Without `good` it says what to mend."""

    good: bool
    sentence: Word
    values: Mapping[str, object]


def names_to_ask(domain: str, signature: Signature | None, envelope: str) -> tuple[str, ...]:
    """Return the names whose TXT records `findings` wants."""
    signed = (dkim_name(signature.domain, signature.selector),) if signature else ()
    return (*signed, envelope, *_dmarc_names(domain))


def findings(
    domain: str, signature: Signature | None, envelope: str, answers: Mapping[str, Answer]
) -> Iterator[Finding]:
    """Judge what letters from `domain` will be judged by: DKIM, DMARC, and SPF of their envelope senders' domain."""
    yield _dkim(domain, signature, answers)
    yield _dmarc(domain, signature, answers)
    yield _spf(envelope, answers[envelope])


def of_bounces(domain: str, servers: Answer) -> Finding:
    """Judge whether what comes back finds its way: `servers` are the names of the domain's MX records."""
    if servers is None:
        return _unasked(domain)
    if "" in servers:
        return _bad(N_("{domain} says that it takes no mail (a null MX), so no bounce comes back."), domain=domain)
    if not servers:
        return _bad(
            N_("{domain} has no MX record, so no bounce comes back: publish one that leads to your mail server."),
            domain=domain,
        )
    return _good(N_("Bounces to {domain} go to {servers}."), domain=domain, servers=", ".join(servers))


def of_base_url(url: str) -> Finding:
    """Judge where the links of a letter lead; one-click unsubscribing must be HTTPS (RFC 8058 section 3.1)."""
    if url.startswith("https://"):
        return _good(N_("Links lead to {url}."), url=url)
    return _bad(
        N_("Links lead to {url}, and one-click unsubscribing needs https: set site.base_url to a web address with it."),
        url=url,
    )


def _dkim(domain: str, signature: Signature | None, answers: Mapping[str, Answer]) -> Finding:
    if signature is None:
        return _bad(
            N_("Letters from {domain} are not signed by us: make a key with `utskick dkim new {domain}`."),
            domain=domain,
        )
    name = dkim_name(signature.domain, signature.selector)
    wanted = dkim_record(signature.domain, signature.selector, signature.public_key)
    answer = answers[name]
    if answer is None:
        return _unasked(name)
    found = [tags for text in answer if (tags := _tags(text)).get("v", "DKIM1") == "DKIM1" and "p" in tags]
    if not found:
        return _bad(N_("{name} has no DKIM record: publish what `utskick dkim dns` prints."), name=name)
    if len(found) > 1:
        return _bad(N_("{name} has more than one DKIM record, and which one is used is chance: keep one."), name=name)
    fault = _fault(found[0], signature.public_key)
    if fault:
        return _bad(N_("{name} {fault}: publish what `utskick dkim dns` prints."), name=name, fault=fault)
    return _good(N_("{name} holds our key."), name=wanted.name)


def _fault(tags: Mapping[str, str], public_key: bytes) -> Word:
    """Say why a DKIM record does not vouch for our signatures (RFC 6376 section 3.6.1), or nothing."""
    if not tags["p"]:
        return N_("has an empty p=, which revokes the key")
    if _octets(tags["p"]) != public_key:
        return N_("holds another key than ours")
    if tags.get("k", "rsa") != "rsa" or "sha256" not in tags.get("h", "sha256").split(":"):
        return N_("does not allow rsa-sha256")
    if not {"*", "email"} & set(tags.get("s", "*").split(":")):
        return N_("is not meant for mail")
    if "y" in tags.get("t", "").split(":"):
        return N_("says t=y, so that nobody counts on it")
    return Word("")


def _dmarc(domain: str, signature: Signature | None, answers: Mapping[str, Answer]) -> Finding:
    for name in _dmarc_names(domain):
        answer = answers[name]
        if answer is None:
            return _unasked(name)
        found = [tags for text in answer if (tags := _tags(text)).get("v") == "DMARC1"]
        if len(found) > 1:
            return _bad(N_("{name} has more than one DMARC record, which counts as none: keep one."), name=name)
        if found:
            return _of_policy(name, found[0], domain, signature)
    return _bad(
        N_('{domain} has no DMARC record: publish TXT "v=DMARC1; p=none; rua=mailto:..." at _dmarc.{domain}.'),
        domain=domain,
    )


def _of_policy(name: str, tags: Mapping[str, str], domain: str, signature: Signature | None) -> Finding:
    if tags.get("adkim") == "s" and signature is not None and signature.domain != domain:
        return _bad(
            N_("{name} says adkim=s, so its letters need a key of {domain} itself: `utskick dkim new {domain}`."),
            name=name,
            domain=domain,
        )
    return _good(N_("{name} has a DMARC policy: p={policy}."), name=name, policy=tags.get("p", "none"))


def _spf(domain: str, answer: Answer) -> Finding:
    if answer is None:
        return _unasked(domain)
    found = [text for text in answer if re.match(r"v=spf1( |$)", text, re.IGNORECASE)]
    if not found:
        return _bad(N_('{domain} has no SPF record: publish TXT "v=spf1 include:<your relay> -all".'), domain=domain)
    if len(found) > 1:
        return _bad(N_("{domain} has more than one SPF record, which counts as none: keep one."), domain=domain)
    if re.search(r" \+?all\b", found[0], re.IGNORECASE):
        return _bad(N_("The SPF record of {domain} lets everyone send: end it with -all."), domain=domain)
    return _good(N_("{domain} has an SPF record."), domain=domain)


def _dmarc_names(domain: str) -> tuple[str, ...]:
    labels = domain.split(".")
    above = [".".join(labels[start:]) for start in range(max(1, len(labels) - 1))]
    return tuple(f"_dmarc.{each}" for each in above[:_FARTHEST])


def _tags(text: str) -> dict[str, str]:
    """Read a tag=value list (RFC 6376 section 3.2); white space means nothing in it."""
    pairs = (part.partition("=") for part in text.split(";"))
    return {name.strip(): "".join(value.split()) for name, equals, value in pairs if equals}


def _octets(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        return b""


def _good(sentence: Word, **values: object) -> Finding:
    return Finding(good=True, sentence=sentence, values=values)


def _bad(sentence: Word, **values: object) -> Finding:
    return Finding(good=False, sentence=sentence, values=values)


def _unasked(name: str) -> Finding:
    return _bad(N_("No name server answered for {name}: try again, or ask another one with --server."), name=name)
