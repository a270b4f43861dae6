"""Approving by a link: who may, once, only what was asked for; and taking it back while nothing has left."""

import re
from dataclasses import dataclass, field
from datetime import timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest
from httpx2 import Response
from sqlmodel import select
from structlog.testing import capture_logs

from mailer.campaigns import book as campaigns
from mailer.config.operators import Approval, Operator
from mailer.digest import editions, sending
from mailer.errors import Mistake
from mailer.links import Purpose
from mailer.operators import book
from mailer.operators.book import ACCOUNT, State
from mailer.operators.letters import link_of
from mailer.operators.models import ApprovalRequest, ApprovalSignature, Outcome
from mailer.operators.people import operators
from mailer.outbox.models import Mailing, MailingState
from mailer.web import nonce
from tests.builders import MOMENT, a_news_item
from tests.mailer.web.conftest import Site

LINK = re.compile(r"http\S+/o/\S+")
PEOPLE = {
    "anna": Operator(name="Anna Ek", address="anna@kansli.example.org", may_approve=True),
    "bo": Operator(name="Bo Al", address="bo@kansli.example.org", may_approve=True, language="en"),
    "siv": Operator(name="Siv Lind", address="siv@kansli.example.org"),
    "west": Operator(name="Vera Väst", address="vera@kansli.example.org", districts=("bromma",), may_approve=True),
}


@dataclass
class Office:
    """A site with operators, where one edition is drafted and two approve what goes to more than one member."""

    site: Site
    caught: Path
    key: str = ""
    read: set[Path] = field(default_factory=set)

    def ask(self, by: str = "anna", *, way: str | None = ACCOUNT) -> State:
        return book.ask(self.site.app.approving, self.key, by, way=way, now=self.site.watch())

    def path(self, slug: str, request: int = 1) -> str:
        app = self.site.app
        with app.reading() as session:
            operator = operators(session, app.settings)[slug]
        return link_of(app.approving, book.look(app.approving, request), operator).removeprefix(app.links.base_url)

    def press(self, slug: str, choice: str = "approve", request: int = 1) -> Response:
        return self.site.press(self.path(slug, request), choice=choice)

    def insist(self, slug: str, choice: str = "approve", request: int = 1) -> Response:
        """Post what a page of theirs would, whether or not it has such a button."""
        path, app = self.path(slug, request), self.site.app
        claim = app.links.tokens.read(path.removeprefix("/o/"), Purpose.APPROVE)
        assert claim is not None
        fields = {"choice": choice, "nonce": nonce.issue(app.links.tokens, claim.member, self.site.watch())}
        return self.site.client.post(path, data=fields)

    def state(self) -> MailingState:
        with self.site.app.reading() as session:
            return session.exec(select(Mailing.state).where(Mailing.key == self.key)).one()

    def outcome(self, request: int = 1) -> Outcome:
        with self.site.app.reading() as session:
            return session.get_one(ApprovalRequest, request).outcome

    def mails(self) -> dict[str, str]:
        """Return what was written since last asked, by whom it went to."""
        new = sorted(set(self.caught.glob("new/*")) - self.read)
        self.read |= set(new)
        found = {}
        for file in new:
            mail = message_from_bytes(file.read_bytes(), policy=default)
            found[str(mail["To"])] = mail.get_content()
        return found

    def set_intro(self, text: str) -> None:
        with self.site.app.writing() as session:
            edition = editions.find(session, self.site.app.settings, self.key, self.site.watch())
            editions.set_intro(session, edition, text)

    def operators(self, **people: Operator) -> None:
        self.site.app.settings = self.site.app.settings.model_copy(update={"operators": people})


@pytest.fixture
def office(site: Site) -> Office:
    return open_office(site)


def approval_paths(site: Site) -> list[str]:
    """The pages of approving in each of their states."""
    now, office = site.watch.at, open_office(site)
    office.ask()
    paths = [office.path(slug) for slug in PEOPLE]
    site.watch.at = now
    return paths


def open_office(site: Site) -> Office:
    settings = site.app.settings
    outbox = settings.outbox.model_copy(update={"providers": ("catch",)})
    site.app.settings = settings.model_copy(
        update={"outbox": outbox, "operators": PEOPLE, "approval": Approval(second_above=1)}
    )
    site.watch.at = MOMENT + timedelta(days=7)  # this week's edition is out
    with site.app.writing() as session:
        edition = editions.draft(session, site.app.settings, "weekly", site.watch())
        assert edition is not None
        key = editions.mailing_of(session, edition).key
    return Office(site, site.app.data / "caught", key)


def test_a_second_operator_approves_by_the_link_that_was_sent(office: Office) -> None:
    state = office.ask()
    assert state.awaited == {"bo"}
    assert office.state() is MailingState.DRAFT

    page = office.site.client.get(office.path("bo")).text
    assert "May weekly:2024-W11 go out?" in page
    assert "Anna Ek, 2024-03-11 12:00" in page  # as the clocks show it here, an hour ahead of UTC
    answer = office.press("bo")

    assert answer.status_code == 200
    assert "is approved" in answer.text
    assert office.state() is MailingState.APPROVED
    assert office.outcome() is Outcome.GRANTED
    mails = office.mails()
    assert mails.keys() == {"anna@kansli.example.org", "bo@kansli.example.org"}
    assert "ta tillbaka" in mails["anna@kansli.example.org"]
    assert "take it back" in mails["bo@kansli.example.org"]


def test_whoever_approves_sees_the_whole_letter_as_it_goes_out_and_so_does_nobody_else(office: Office) -> None:
    office.set_intro("I veckan händer mycket.")
    office.ask()
    assert "There is nothing to read in it yet." in office.site.client.get(office.path("bo")).text
    with office.site.app.writing() as session:
        session.add(a_news_item("Ny cykelbana", published_at=office.site.watch() - timedelta(days=1)))
    page = office.site.client.get(office.path("bo"))
    [frame] = re.findall(r'<iframe[^>]* sandbox=""[^>]* src="([^"]+)"', page.text)
    letter = office.site.client.get(frame)
    assert letter.status_code == 200
    assert "I veckan händer mycket." in letter.text
    assert "Ny cykelbana" in letter.text
    assert "frame-ancestors 'self'" in letter.headers["Content-Security-Policy"]
    assert "frame-src 'self'" in page.headers["Content-Security-Policy"]
    for other in (f"{frame}x", frame.replace("/letter/-", "/letter/nowhere"), frame.replace("/letter/-", "/letter/0")):
        assert office.site.client.get(other).status_code == 404
    office.insist("bo", "decline")
    assert office.site.client.get(frame).status_code == 404


CAMPAIGN = """\
+++
name = "sommar"
publication = "weekly"
subject = ["Följ med", "Kom"]
[[audience.exclude]]
languages = "en"
+++
Hej {{ member.given_name | default("vän") }}, nu går vi!

+++ en
subject = ["Join us", "Come"]
+++
Hello there!
"""


def test_of_a_campaign_every_form_is_seen_and_to_whom_it_goes_with_what_each_exclusion_removed(office: Office) -> None:
    app, now = office.site.app, office.site.watch()
    with app.writing() as session:
        campaigns.bring_in(app.approving.desk(session, now), "sommar", [("sommar.md", CAMPAIGN)], {}, who="anna")
    office.key = "campaign:sommar"
    office.ask()

    page = office.site.client.get(office.path("bo")).text

    assert "Everyone who gets The weekly letter. But not: who read in English." in page
    assert "but not: who read in English" in page
    assert "may not be written to: did not subscribe" in page
    found = re.findall(r'href="([^"]+/letter/[^"]+)"', page)
    assert [at.rpartition("/")[2] for at in found] == ["sv-0", "sv-1", "en-0", "en-1"]
    said = [office.site.client.get(at).text for at in found]
    assert ["Hej Kim, nu går vi!" in one for one in said] == [True, True, False, False]
    assert ["Hello there!" in one for one in said] == [False, False, True, True]


def test_who_says_who_they_are_confirms_it_first_and_then_another_approves(office: Office) -> None:
    state = office.ask("siv", way=None)
    assert state.awaited == {"siv"}
    office.press("bo")
    assert office.state() is MailingState.DRAFT  # not in the name of somebody who never said so

    office.press("siv")
    written = office.mails()
    assert written.keys() == {"anna@kansli.example.org"} or written.keys() == {
        "anna@kansli.example.org",
        "bo@kansli.example.org",
    }


def test_nobody_signs_twice_or_alone_for_two(office: Office) -> None:
    office.ask()
    for _ in range(3):
        office.insist("anna")
    office.ask()

    assert office.state() is MailingState.DRAFT
    with office.site.app.reading() as session:
        assert [row.operator for row in session.exec(select(ApprovalSignature))] == ["anna"]


def test_an_operator_without_the_right_or_the_districts_does_not_approve(office: Office) -> None:
    office.ask()
    assert "Din del är klar." in office.site.client.get(office.path("anna")).text
    for slug in ("siv", "west"):
        page = office.site.client.get(office.path(slug)).text
        assert "<form" not in page
        assert "Din del är klar." not in page
        for choice in ("approve", "decline", "take back"):
            assert office.insist(slug, choice).status_code == 200

    assert office.state() is MailingState.DRAFT
    assert office.outcome() is Outcome.OPEN


def test_what_was_changed_after_it_was_asked_for_is_not_approved(office: Office) -> None:
    office.ask()
    office.set_intro("Något annat.")

    answer = office.press("bo")

    assert "nothing left to decide" in answer.text
    assert office.state() is MailingState.DRAFT
    office.ask()
    assert office.outcome(1) is Outcome.CHANGED
    assert office.insist("bo", request=1).status_code == 200
    assert office.state() is MailingState.DRAFT  # an old link is worth nothing for new words
    office.press("bo", request=2)
    assert office.state() is MailingState.APPROVED


def test_what_is_changed_after_approval_is_a_draft_again_and_no_link_approves_it(office: Office) -> None:
    office.ask()
    office.press("bo")
    office.set_intro("Något annat.")

    office.insist("bo")

    assert office.state() is MailingState.DRAFT


def test_a_link_of_one_letter_is_worth_nothing_for_another(office: Office) -> None:
    office.ask()
    tokens = office.site.app.links.tokens
    claim = tokens.read(office.path("bo").removeprefix("/o/"), Purpose.APPROVE)
    assert claim is not None

    for number in (0, 2, 999):
        path = f"/o/{tokens.make(Purpose.APPROVE, claim.member, number)}"
        assert office.site.client.get(path).status_code == 404
        assert office.site.client.post(path, data={"choice": "approve"}).status_code == 404
    other = tokens.make(Purpose.UNSUBSCRIBE, claim.member, 1)
    assert office.site.client.get(f"/o/{other}").status_code == 404


def test_the_links_of_one_who_is_no_operator_any_more_or_moved_are_dead(office: Office) -> None:
    office.ask()
    path = office.path("bo")
    for people in (
        {"anna": PEOPLE["anna"], "siv": PEOPLE["siv"]},
        {**PEOPLE, "bo": PEOPLE["bo"].model_copy(update={"address": "new@kansli.example.org"})},
    ):
        office.operators(**people)
        assert office.site.client.get(path).status_code == 404
        assert office.site.client.post(path, data={"choice": "approve"}).status_code == 404
    assert office.state() is MailingState.DRAFT


def test_opening_the_link_or_posting_without_its_page_changes_nothing(office: Office) -> None:
    office.ask()
    path, before = office.path("bo"), office.site.dump()

    for method in ("GET", "HEAD", "OPTIONS"):
        office.site.client.request(method, path)
    assert office.site.client.post(path, data={"choice": "approve"}).status_code == 400
    stolen = office.site.client.get(office.path("siv")).text.partition('name="nonce" value="')[2].partition('"')[0]
    assert office.site.client.post(path, data={"choice": "approve", "nonce": stolen}).status_code == 400
    assert office.site.press(path, choice="explode").status_code == 400

    assert office.site.dump() == before


def test_a_week_later_the_link_is_over(office: Office) -> None:
    office.ask()
    office.site.watch.at += timedelta(days=7, minutes=1)

    office.insist("bo")

    assert office.outcome() is Outcome.OPEN
    assert office.state() is MailingState.DRAFT


def test_an_approver_may_say_no(office: Office) -> None:
    office.ask()

    assert "said no" in office.press("bo", "decline").text
    office.insist("bo")

    assert office.outcome() is Outcome.DECLINED
    assert office.state() is MailingState.DRAFT


def test_within_the_window_nothing_leaves_and_it_can_be_taken_back(office: Office) -> None:
    app = office.site.app
    office.ask()
    office.site.watch.at += timedelta(days=4)  # past its time
    with app.reading() as session:
        send_at = session.exec(select(Mailing.send_at).where(Mailing.key == office.key)).one()
    assert send_at is not None
    office.site.watch.at = max(office.site.watch.at, send_at + timedelta(minutes=1))
    office.press("bo")
    now = office.site.watch()

    assert sending.send_due(app.press(), now + timedelta(minutes=4)) == []
    with pytest.raises(Mistake, match="taken back"):
        sending.send_now(app.press(), 1, now)
    office.site.watch.at += timedelta(minutes=4)
    assert "utkast igen" in office.press("anna", "take back").text
    assert office.state() is MailingState.DRAFT
    assert office.outcome() is Outcome.TAKEN_BACK
    assert sending.send_due(app.press(), now + timedelta(minutes=10)) == []


def test_after_the_window_it_goes_and_cannot_be_taken_back(office: Office) -> None:
    app = office.site.app
    office.ask()
    office.press("bo")
    with app.reading() as session:
        send_at = session.exec(select(Mailing.send_at).where(Mailing.key == office.key)).one()
    assert send_at is not None
    office.site.watch.at += timedelta(minutes=5)

    office.insist("bo", "take back")

    assert office.state() is MailingState.APPROVED
    assert len(sending.send_due(app.press(), max(send_at, office.site.watch()))) == 1


def test_one_operator_is_enough_for_few_and_nobody_can_be_missing(office: Office) -> None:
    office.site.app.settings = office.site.app.settings.model_copy(update={"approval": Approval(second_above=500)})
    assert office.ask().outcome is Outcome.GRANTED
    assert office.state() is MailingState.APPROVED

    office.set_intro("Nytt.")
    office.operators(siv=PEOPLE["siv"])
    with pytest.raises(Mistake, match="may_approve"):
        office.ask("siv")


def test_who_did_what_is_logged_and_no_member_is_named(office: Office) -> None:
    with capture_logs() as lines:
        office.ask()
        office.press("bo")

    steps = [(line["event"], line.get("operator")) for line in lines if line["event"].startswith("approval")]
    assert steps == [
        ("approval asked for", "anna"),
        ("approval signed", "anna"),
        ("approval signed", "bo"),
        ("approval ended", None),
    ]
    assert "example" not in str(lines)


def test_the_page_is_in_the_operators_language(office: Office) -> None:
    office.ask("bo")

    page = office.site.client.get(office.path("anna")).text

    assert 'lang="sv"' in page
    assert "Får weekly:2024-W11 gå ut?" in page
    assert MOMENT.strftime("%Y") in page
