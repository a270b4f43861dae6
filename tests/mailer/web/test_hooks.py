"""Webhooks: what is proved is believed as far as our own token goes, and nothing else changes anything."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
from httpx2 import Response
from sqlmodel import select
from structlog.testing import capture_logs

from mailer.config.outbox import ProviderTable
from mailer.errors import Mistake
from mailer.feedback import told
from mailer.feedback.causes import Cause
from mailer.feedback.hooks import hook_names, open_hook
from mailer.feedback.models import Feedback, HookCall, Kind
from mailer.links import Purpose
from mailer.outbox.models import Delivery, DeliveryState, Mailing
from mailer.providers import open_provider, provider_names
from mailer.web.hooks import open_hooks
from subscribers import suppression
from subscribers.models import Member, Scope
from tests.builders import MOMENT
from tests.mailer.web import tellers
from tests.mailer.web.conftest import ANNA, CECILIA, LETTER, Site
from tests.mailer.web.tellers import ADDRESS, COMPLAINT, LEFT, TELLERS, Case, Posting, Shelf, Teller

Row = dict[str, list[tuple[object, ...]]]
HARD = {Cause.UNKNOWN_USER, Cause.SUPPRESSED}


@dataclass
class Desk:
    """The site with every hook set up."""

    site: Site
    shelf: Shelf

    def token(self, member: int = CECILIA) -> str:
        return self.site.app.links.tokens.make(Purpose.MESSAGE, member, LETTER)

    def send(self, teller: Teller, posting: Posting) -> Response:
        return self.site.client.post(f"/hooks/{teller.name}", content=posting.body, headers=dict(posting.headers))

    def tell(self, teller: Teller, case: Case, token: str | None = None) -> Response:
        return self.send(teller, teller.post(case.event(token or self.token()), self.site.watch(), True))

    def feedback(self) -> list[Feedback]:
        with self.site.app.reading() as session:
            found = list(session.exec(select(Feedback)))
            session.expunge_all()
            return found

    def calls(self) -> list[str]:
        with self.site.app.reading() as session:
            return [call.words for call in session.exec(select(HookCall))]

    def scope(self, member: int = CECILIA) -> Scope | None:
        with self.site.app.reading() as session:
            key = session.get_one(Member, member).address_key
            assert key is not None
            return suppression.scope_of(session, key)


@pytest.fixture
def desk(site: Site) -> Desk:
    shelf = Shelf()
    tables = {teller.name: ProviderTable.model_validate(teller.settings) for teller in TELLERS}
    site.web.state.house = replace(site.web.state.house, hooks=open_hooks(tables, shelf), fetch=shelf)
    return Desk(site, shelf)


def bounce_of(teller: Teller) -> Case:
    return next(case for case in teller.cases if case.leads_to == Cause.UNKNOWN_USER)


every_teller = pytest.mark.parametrize("teller", TELLERS, ids=lambda teller: teller.name)


def test_every_provider_that_can_tell_has_a_hook_and_is_under_this_contract() -> None:
    assert set(hook_names()) == set(provider_names()) - {"smtp", "catch"}
    assert {teller.name for teller in TELLERS} == set(hook_names())


@pytest.mark.parametrize(
    ("teller", "case"),
    [pytest.param(teller, case, id=f"{teller.name}: {case.label}") for teller in TELLERS for case in teller.cases],
)
def test_every_event_that_is_described_leads_to_what_it_means(desk: Desk, teller: Teller, case: Case) -> None:
    before = desk.site.dump()

    assert desk.tell(teller, case).status_code == 204

    events = desk.feedback()
    if case.leads_to is None:
        assert desk.site.dump() == before
    elif case.leads_to == LEFT:
        assert not events
        assert not desk.site.gets(CECILIA)
    elif case.leads_to == COMPLAINT:
        assert [(event.kind, event.member_id, event.mailing_id) for event in events] == [
            (Kind.COMPLAINT, CECILIA, LETTER)
        ]
        assert desk.scope() is Scope.BULK
    else:
        assert [(event.cause, event.member_id, event.mailing_id) for event in events] == [
            (case.leads_to, CECILIA, LETTER)
        ]
        assert desk.scope() is (Scope.ALL if case.leads_to in HARD else None)
        assert events[0].at < MOMENT


def no_key(teller: Teller, good: Posting) -> Posting:
    del teller
    return Posting({"Content-Type": "application/json"}, good.body)


def cut(teller: Teller, good: Posting) -> Posting:
    del teller
    return Posting(good.headers, good.body[:-1])


def nothing(teller: Teller, good: Posting) -> Posting:
    del teller
    return Posting(good.headers, b"")


def a_list(teller: Teller, good: Posting) -> Posting:
    return teller.seal(b"[1]", MOMENT) if teller.seal else Posting(good.headers, b"[1]")


def no_json(teller: Teller, good: Posting) -> Posting:
    return teller.seal(b"\xff\xfe{", MOMENT) if teller.seal else Posting(good.headers, b"\xff\xfe{")


def too_deep(teller: Teller, good: Posting) -> Posting:
    body = b'{"a":' * 100_000
    return teller.seal(body, MOMENT) if teller.seal else Posting(good.headers, body)


@every_teller
@pytest.mark.parametrize("spoil", [cut, nothing, a_list, no_json, too_deep], ids=lambda spoil: spoil.__name__)
def test_what_is_of_another_form_changes_nothing(
    desk: Desk, teller: Teller, spoil: Callable[[Teller, Posting], Posting]
) -> None:
    good = teller.post(bounce_of(teller).event(desk.token()), MOMENT, True)
    before = desk.site.dump()

    assert desk.send(teller, spoil(teller, good)).status_code in (400, 403)
    assert desk.site.dump() == before


@every_teller
def test_what_another_key_signed_or_none_changes_nothing(desk: Desk, teller: Teller) -> None:
    event = bounce_of(teller).event(desk.token())
    before = desk.site.dump()

    assert desk.send(teller, teller.post(event, MOMENT, False)).status_code == 403
    if not teller.proof_in_body:
        assert desk.send(teller, no_key(teller, teller.post(event, MOMENT, True))).status_code == 403
    assert desk.site.dump() == before


@pytest.mark.parametrize("name", ["ses", "resend", "postal", "scaleway"])
def test_what_was_altered_after_it_was_signed_changes_nothing(desk: Desk, name: str) -> None:
    teller = next(teller for teller in TELLERS if teller.name == name)
    good = teller.post(bounce_of(teller).event(desk.token()), MOMENT, True)
    before = desk.site.dump()

    altered = Posting(good.headers, good.body.replace(desk.token().encode(), desk.token(ANNA).encode()))
    assert altered.body != good.body
    assert desk.send(teller, altered).status_code == 403
    assert desk.site.dump() == before


@pytest.mark.parametrize("teller", [each for each in TELLERS if each.within], ids=lambda each: each.name)
def test_what_is_too_old_or_yet_to_come_changes_nothing(desk: Desk, teller: Teller) -> None:
    """A password has no age; a signature says when it was made."""
    assert teller.within is not None
    event, second = bounce_of(teller).event(desk.token()), timedelta(seconds=2)
    before = desk.site.dump()

    assert desk.send(teller, teller.post(event, MOMENT - teller.within - second, True)).status_code == 403
    assert desk.send(teller, teller.post(event, MOMENT + timedelta(minutes=5) + second, True)).status_code == 403
    assert desk.site.dump() == before
    assert desk.send(teller, teller.post(event, MOMENT - teller.within + second, True)).status_code == 204


@every_teller
def test_what_is_too_large_changes_nothing(desk: Desk, teller: Teller) -> None:
    good = teller.post(bounce_of(teller).event(desk.token()), MOMENT, True)
    before = desk.site.dump()

    assert desk.send(teller, Posting(good.headers, good.body + b" " * (1 << 20))).status_code == 413
    assert desk.site.dump() == before


@every_teller
def test_what_is_told_again_is_known(desk: Desk, teller: Teller) -> None:
    posting = teller.post(bounce_of(teller).event(desk.token()), MOMENT, True)
    assert desk.send(teller, posting).status_code == 204
    after = desk.site.dump()
    desk.site.watch.at += timedelta(minutes=2)

    assert desk.send(teller, posting).status_code == 204  # they did not hear us the first time
    assert desk.site.dump() == after


@every_teller
def test_an_event_in_another_request_is_the_same_event(desk: Desk, teller: Teller) -> None:
    event = bounce_of(teller).event(desk.token())
    desk.send(teller, teller.post(event, MOMENT, True))
    desk.send(teller, teller.post(event, MOMENT - timedelta(minutes=1), True))

    if teller.name in ("resend", "postal"):  # who give an event one name, and say it in every request
        return
    assert len(desk.feedback()) == 1


def test_a_token_of_mailgun_is_good_for_one_request_although_it_covers_no_event(desk: Desk) -> None:
    teller = tellers.MAILGUN
    good = teller.post(teller.cases[-1].event(desk.token()), MOMENT, True)
    first = json.loads(teller.post(bounce_of(teller).event(desk.token()), MOMENT, True).body)
    assert desk.send(teller, Posting(good.headers, json.dumps(first).encode())).status_code == 204
    after = desk.site.dump()

    first["event-data"] = bounce_of(teller).event(desk.token(ANNA))
    assert desk.send(teller, Posting(good.headers, json.dumps(first).encode())).status_code == 204
    assert desk.site.dump() == after


@every_teller
def test_events_out_of_their_order_lead_to_the_same(desk: Desk, teller: Teller) -> None:
    """That a mail arrived, told after it came back, takes nothing back."""
    arrived = [case for case in teller.cases if case.leads_to is None]

    for case in (bounce_of(teller), *arrived):
        assert desk.tell(teller, case).status_code == 204

    assert desk.scope() is Scope.ALL


@every_teller
def test_an_event_that_nobody_described_is_kept_masked_and_does_nothing(desk: Desk, teller: Teller) -> None:
    event = bounce_of(teller).event(desk.token())
    strange = f"novelty for {ADDRESS}"
    for name in ("event", "eventType", "type", "RecordType"):
        if name in event:
            event[name] = strange
    before = desk.site.dump()

    assert desk.send(teller, teller.post(event, MOMENT, True)).status_code == 204

    after = desk.site.dump()
    assert list(desk.calls()) == ["novelty for [address]"]
    assert {name for name in after if after[name] != before[name]} == {"hook_call"}


@every_teller
def test_a_token_that_is_none_of_ours_blames_nobody(desk: Desk, teller: Teller) -> None:
    another = desk.site.app.links.tokens.make(Purpose.UNSUBSCRIBE, CECILIA, LETTER)
    for token in ("A" * 23, another, "", "ö\x00"):
        assert desk.tell(teller, bounce_of(teller), token or "-").status_code == 204

    assert not desk.feedback()
    assert set(desk.calls()) == {"about no mail of ours"}
    assert desk.scope() is None


@every_teller
def test_nobody_is_named_in_a_table_or_a_log(desk: Desk, teller: Teller) -> None:
    with capture_logs() as lines:
        for case in teller.cases:
            desk.tell(teller, case)

    whole = repr([desk.site.dump()[name] for name in ("feedback", "hook_call")]) + repr(lines)
    assert "hemlig" not in whole
    assert desk.token() not in whole


def test_a_provider_that_is_not_set_up_has_no_address(site: Site) -> None:
    tables = {teller.name: {k: v for k, v in teller.settings.items() if "webhook" not in k} for teller in TELLERS}
    hooks = open_hooks({name: ProviderTable.model_validate(table) for name, table in tables.items()}, Shelf())
    site.web.state.house = replace(site.web.state.house, hooks=hooks)

    for name in (*tables, "smtp", "catch", "nobody"):
        assert site.client.post(f"/hooks/{name}", content=b"{}").status_code == 404


@every_teller
def test_a_hook_is_not_read(desk: Desk, teller: Teller) -> None:
    assert desk.site.client.get(f"/hooks/{teller.name}").status_code == 405


@pytest.mark.parametrize(
    ("name", "table"),
    [
        ("resend", {"webhook_secret": "no prefix"}),
        ("postal", {"webhook_key": "no key"}),
        ("ses", {"webhook_topic": "arn:aws:sqs:eu-north-1:1:x"}),
        ("postmark", {"webhook_pasword": "x"}),
        ("smtp", {"webhook_secret": "x"}),
    ],
)
def test_what_proves_a_hook_is_checked_when_the_site_starts(name: str, table: dict[str, str]) -> None:
    with pytest.raises(Mistake, match=rf"\[providers\.{name}\] webhook_"):
        open_hook(name, table, Shelf())


@every_teller
def test_a_provider_opens_with_its_hook_beside_it(teller: Teller, tmp_path: Path) -> None:
    table = ProviderTable.model_validate(teller.settings)

    assert open_provider(teller.name, table.own, data=tmp_path) is not None
    assert open_hook(teller.name, table.webhook, Shelf()) is not None


def test_whoever_guesses_is_slowed_down(desk: Desk) -> None:
    teller = tellers.POSTMARK
    bad = teller.post(bounce_of(teller).event(desk.token()), MOMENT, False)

    statuses = [desk.send(teller, bad).status_code for _ in range(70)]

    assert statuses[:60] == [403] * 60
    assert statuses[-1] == 429
    assert desk.tell(teller, bounce_of(teller)).status_code == 204  # who knows the password is not counted


def test_a_mail_without_a_token_is_known_by_its_receipt(desk: Desk) -> None:
    """Letters that went to Brevo together carry none."""
    with desk.site.app.writing() as session:
        session.get_one(Mailing, LETTER).started_at = MOMENT - timedelta(days=1)
        delivery = session.exec(select(Delivery).where(Delivery.member_id == CECILIA)).one()
        delivery.state, delivery.provider = DeliveryState.SENT, "brevo"
        delivery.answer = "<2024@smtp-relay.mailin.fr>"
    event = bounce_of(tellers.BREVO).event("")
    del event["X-Mailin-custom"]

    desk.send(tellers.BREVO, tellers.BREVO.post(event, MOMENT, True))

    assert [row.member_id for row in desk.feedback()] == [CECILIA]


def test_requests_are_forgotten_when_they_cannot_come_again(desk: Desk) -> None:
    desk.tell(tellers.POSTMARK, bounce_of(tellers.POSTMARK))
    with desk.site.app.writing() as session:
        told.forget(session, now=MOMENT + told.REMEMBERED)
    assert len(desk.calls()) == 1
    with desk.site.app.writing() as session:
        told.forget(session, now=MOMENT + told.REMEMBERED + timedelta(seconds=1))
    assert not desk.calls()
