"""What is held is shown, handed over and deleted behind a fresh link, and by nothing else."""

import json
import re
from datetime import timedelta

import pytest
import sqlalchemy as sa
from httpx2 import Response
from sqlmodel import SQLModel, col, select

from mailer.feedback.models import Feedback, Kind
from mailer.feedback.policy import Action
from mailer.members import held as everything
from mailer.members import welcomes
from mailer.members.models import Recruit
from mailer.outbox.models import Delivery, DeliveryState
from mailer.web.rendering import environment
from subscribers import access, address, consent, suppression
from subscribers.models import Access, Member, Scope, State
from tests.builders import MOMENT
from tests.mailer.web.conftest import ANNA, CECILIA, LETTER, Site
from tests.mailer.web.test_joining import sign_up

HELD_AS = {  # every table that names a member -> what holds it of those who ask
    "access": "accesses",
    "address_change": "address_changes",
    "consent": "consents",
    "delivery": "deliveries",
    "feedback": "feedback",
    "former_address": "former_addresses",
    "member_district": "districts",
    "member_topic": "topics",
    "recruit": "invited",
    "rsvp": "answers",
    "sign_up": "sign_ups",
    "subscription": "publications",
    "shift_swap": "swaps",
    "taken_shift": "shifts",
    "welcome": "welcomes",
}


def press(site: Site, what: str, member: int = CECILIA, **fields: str) -> Response:
    page = site.client.get(site.own_path(member)).text
    nonce = page.partition('name="nonce" value="')[2].partition('"')[0]
    return site.client.post(f"{site.own_path(member)}/{what}", data={"nonce": nonce, **fields})


@pytest.fixture
def written_to(site: Site) -> Site:
    """Cecilia was sent a letter, said yes once, wants to move, and somebody signed her up for what she gets."""
    with site.app.writing() as session:
        sent = {"state": DeliveryState.SENT, "provider": "brevo", "answer": "250 ok for <…>", "settled_at": MOMENT}
        session.execute(sa.update(Delivery).where(Delivery.member_id == CECILIA).values(**sent))  # type: ignore[arg-type]  # a column, on a class
        about = {"member_id": CECILIA, "mailing_id": LETTER, "at": MOMENT, "received_at": MOMENT, "source": "smtp"}
        keys = {"address_key": address.parse("cecilia@example.org").key, "host_key": b"h" * 32}
        session.add(Feedback(key="x", kind=Kind.BOUNCE, action=Action.NOTHING, words="full <…>", **about, **keys))
        consent.give(session, CECILIA, publication="weekly", source="form", wording="v1", evidence="Ja!", now=MOMENT)
        welcomes.want(session, CECILIA, publication="weekly", now=MOMENT)
        session.add(Recruit(recruiter_id=CECILIA, district="bromma", day=MOMENT.date()))
    site.press(site.own_path(CECILIA), choice="address", address="ny@example.org")
    sign_up(site, "cecilia@example.org")
    return site


def test_the_pages_call_places_topics_and_our_mail_server_by_their_names(site: Site):
    with site.app.writing() as session:
        sent = {"state": DeliveryState.SENT, "provider": "smtp", "settled_at": MOMENT}
        session.execute(sa.update(Delivery).where(col(Delivery.member_id) == CECILIA).values(**sent))
    site.press(site.choose_path(CECILIA), district=["osteraker", "jarva"], topic="skola", language="en")

    page = press(site, "held", choice="page").text
    file = json.loads(press(site, "held", choice="file").text)

    assert "Järva, Österåker" in page
    assert "<dd>Schools</dd>" in page
    assert "smtp" not in page
    assert "<dd>our mail server</dd>" in page
    assert "our mail server: 1 letter" in press(site, "erase", sure="yes").text
    assert (file["districts"], file["topics"]) == (["jarva", "osteraker"], ["skola"])


def test_the_page_says_in_the_readers_words_how_why_and_by_whom(written_to: Site):
    site = written_to
    site.press(site.choose_path(CECILIA), district="jarva", language="sv")
    with site.app.writing() as session:
        suppression.suppress(
            session, address.parse("cecilia@example.org").key, scope=Scope.BULK, reason="left", now=MOMENT
        )
        access.record(session, who="kim", what=access.Act.CHANGE_NAME, member_id=CECILIA, now=MOMENT)

    page = press(site, "held", choice="page").text

    assert set(re.findall("<dt>(?:Språk|Valt av)</dt><dd>(.*?)</dd>", page)) == {"Svenska", "genom en länk i ett brev"}
    for word in (
        "genom formuläret för anmälan",
        "du avslutade allt",
        "byta namn",
        "kim",
        "du själv",
        "lämna ut",
        "vår e-postserver",
        "inget",
    ):
        assert f"<dd>{word}</dd>" in page
    assert not re.search("<dd>(sv|link|form|import|left|member|export|nothing|smtp)</dd>", page)


def test_the_file_holds_everything_from_register_and_post(written_to: Site):
    answer = press(written_to, "held", choice="file")

    assert answer.headers["content-disposition"] == 'attachment; filename="utskick.json"'
    held = json.loads(answer.text)
    assert (held["address"], held["given_name"]) == ("cecilia@example.org", "Cecilia")
    assert [row["evidence"] for row in held["consents"]] == ["Ja!"]
    assert [row["address"] for row in held["address_changes"]] == ["ny@example.org"]
    assert [row["publication"] for row in held["sign_ups"]] == ["weekly"]
    letter = next(row for row in held["deliveries"] if row["mailing"] == "weekly:2024-W10")
    assert (letter["state"], letter["provider"], letter["answer"]) == ("sent", "brevo", "250 ok for <…>")
    assert [row["words"] for row in held["feedback"]] == ["full <…>"]
    assert [(row["who"], row["what"]) for row in held["accesses"]] == [("member", "export")]
    assert [row["publication"] for row in held["welcomes"]] == ["weekly"]
    assert held["invited"] == [{"day": "2024-03-04", "district": "bromma"}]
    assert not any(name.endswith("_key") for name in held)


def test_no_table_that_names_a_member_is_left_out_of_the_file_and_nothing_in_it_of_the_page(written_to: Site):
    naming = {
        table.name for table in SQLModel.metadata.tables.values() if {"member_id", "recruiter_id"} & set(table.c.keys())
    }
    with written_to.app.reading() as session:
        held = everything.look(session, CECILIA)
    source, _, _ = environment("en").loader.get_source(environment("en"), "held.html")

    assert naming == HELD_AS.keys()
    assert set(HELD_AS.values()) <= held.keys()
    assert {name for name, value in held.items() if isinstance(value, list)} <= set(re.findall(r"held\.(\w+)", source))


def test_the_page_shows_the_same(written_to: Site):
    page = press(written_to, "held", choice="page").text

    for word in (
        "Cecilia",
        "cecilia@example.org",
        "Ja!",
        "ny@example.org",
        "weekly:2024-W10",
        "brevo",
        "250 ok",
        "full &lt;…&gt;",
        "Who came by your link",
        "Your welcome",
    ):
        assert word in page


def test_who_is_forgotten_is_gone_and_told_who_else_may_hold_the_address(written_to: Site):
    site = written_to
    answer = press(site, "erase", sure="yes")

    assert "You are forgotten" in answer.text
    assert "brevo: 1 letter, last on March 4, 2024" in answer.text
    with site.app.reading() as session:
        member = session.get_one(Member, CECILIA)
        assert (member.state, member.address, member.given_name) == (State.ERASED, None, None)
        key = address.parse("cecilia@example.org").key
        assert suppression.scope_of(session, key) is Scope.ALL
        assert session.exec(select(Delivery.answer).where(Delivery.member_id == CECILIA)).all().count(None) > 1
        assert [(row.who, row.what) for row in session.exec(select(Access))][-1] == ("member", "erase")
    dump = site.dump()
    assert {name for name, rows in dump.items() if key in [cell for row in rows for cell in row]} == {
        "erased",
        "suppression",
    }
    assert (dump["address_change"], dump["sign_up"], dump["consent"], dump["welcome"]) == ([], [], [], [])
    assert "full <…>" not in str(dump["feedback"])
    assert all(letter.address is None for letter in site.letters())


def test_after_it_every_link_leads_nowhere(written_to: Site):
    site = written_to
    press(site, "erase", sure="yes")

    assert site.client.get(site.own_path(CECILIA)).status_code == 404
    assert site.client.post(f"{site.own_path(CECILIA)}/held", data={"nonce": "x"}).status_code == 404
    assert "Cecilia" not in site.client.get(site.choose_path(CECILIA)).text


@pytest.mark.parametrize("what", ["held", "erase"])
def test_without_a_fresh_link_and_its_nonce_nothing_is_shown_or_deleted(site: Site, what: str):
    before = site.dump()
    stale = f"{site.own_path(CECILIA, timedelta(hours=6))}/{what}"
    nonce = site.client.get(site.own_path(CECILIA)).text.partition('name="nonce" value="')[2].partition('"')[0]

    answers = [
        site.client.post(stale, data={"nonce": nonce, "sure": "yes"}),
        site.client.post(f"{site.own_path(CECILIA)}/{what}", data={"nonce": "", "sure": "yes"}),
        site.client.post(f"{site.own_path(ANNA)}/{what}", data={"nonce": nonce, "sure": "yes"}),
        site.client.post(site.choose_path(CECILIA).replace("/p/", "/m/") + f"/{what}", data={"nonce": nonce}),
    ]

    assert [answer.status_code for answer in answers] == [410, 400, 400, 404]
    assert site.client.get(stale).status_code in (404, 405)
    assert site.dump() == before


def test_whoever_is_not_sure_is_asked_again(site: Site):
    answer = press(site, "erase")

    assert answer.status_code == 400
    assert "Nothing was deleted." in answer.text
    with site.app.reading() as session:
        assert session.get_one(Member, CECILIA).state is State.ACTIVE


def test_the_letter_that_waits_for_somebody_forgotten_is_not_sent(site: Site):
    press(site, "erase", ANNA, sure="yes")

    with site.app.reading() as session:
        waiting = session.exec(
            select(Delivery.state).where(Delivery.member_id == ANNA, Delivery.mailing_id != LETTER)
        ).all()
    assert set(waiting) <= {DeliveryState.CANCELLED}
