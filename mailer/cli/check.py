"""utskick check: will the next mailing be taken for ours?"""

from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from typing import Annotated

import typer

from mailer import signing
from mailer.app import App
from mailer.cli.frame import Json, app_of, print_json, say
from mailer.config.values import in_dns
from mailer.dns.answers import Answer, Finding, Signature, findings, names_to_ask, of_base_url, of_bounces
from mailer.dns.lookup import mail_servers_of, texts_of
from mailer.errors import Mistake
from mailer.i18n import _
from mailer.sentences import filled

FAULTY = 1  # exit status


def check(
    context: typer.Context,
    server: Annotated[
        str | None, typer.Option(help="Ask this name server: its address, with :port when it is not 53.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Check what DNS says of our mail: DKIM, DMARC, SPF and bounces; and https."""
    app = app_of(context)
    domains, bounces = _domains(app), app.settings.feedback.bounce_domain
    asked = {
        name for domain, signature in domains.items() for name in names_to_ask(domain, signature, bounces or domain)
    }
    place = _place(server) if server else None
    answers = texts_of(sorted(asked), place)
    returning = [of_bounces(bounces, mail_servers_of(bounces, place))] if bounces else []
    found = [*_judge(domains, bounces, answers), *returning, of_base_url(app.settings.site.base_url)]
    if as_json:
        rows = [{"good": each.good, "finding": filled(each.sentence, each.values, _)} for each in found]
        print_json(rows, zone=app.settings.site.zone)
    else:
        for each in found:
            mark = _("good") if each.good else _("mend")
            say(f"{mark}: {filled(each.sentence, each.values, _)}")
    if not all(each.good for each in found):
        raise typer.Exit(FAULTY)


def _domains(app: App) -> dict[str, Signature | None]:
    """Return each domain that letters are from, and what signs them."""
    senders = [publication.from_address for publication in app.settings.publications.values()]
    return {domain: _signature(app, domain) for domain in {in_dns(sender.rpartition("@")[2]) for sender in senders}}


def _signature(app: App, domain: str) -> Signature | None:
    """Return the key of the domain, or of the nearest one above it, as mailer.message.dkim chooses it."""
    above = [each for each in app.settings.dkim if f".{domain}".endswith(f".{each}")]
    if not above:
        return None
    nearest = max(above, key=len)
    table = app.settings.dkim[nearest]
    private = signing.load(app.places.config.parent / table.key)
    return Signature(nearest, table.selector, signing.public_key(private))


def _judge(domains: Mapping[str, Signature | None], bounces: str, answers: Mapping[str, Answer]) -> Iterator[Finding]:
    for domain, signature in sorted(domains.items(), key=lambda pair: pair[0]):
        yield from findings(domain, signature, bounces or domain, answers)


def _place(server: str) -> tuple[str, int]:
    address, _colon, port = server.rpartition(":") if server.count(":") == 1 else (server, "", "53")
    try:
        return str(ip_address(address)), int(port)
    except ValueError:
        raise Mistake(
            "{server} is no name server: write its IP address, as 192.0.2.1 or 192.0.2.1:53.", server=server
        ) from None
