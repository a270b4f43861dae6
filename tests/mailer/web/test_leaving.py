import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlmodel import Session, select

from mailer import keys
from mailer.links import Purpose
from subscribers import enrolment, preferences
from subscribers.models import Cadence, Consent, ConsentKind, Member, Subscription
from tests.builders import MOMENT
from tests.mailer.web.conftest import ANNA, BO, CECILIA, LETTER, Site

ONE_CLICK = "List-Unsubscribe=One-Click"
URLENCODED = {"Content-Type": "application/x-www-form-urlencoded"}
MULTIPART = {"Content-Type": "multipart/form-data; boundary=----=_Part_7"}
MULTIPART_BODY = (
    '------=_Part_7\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n------=_Part_7--\r\n'
)


def cadence(site: Site, member: int) -> Cadence:
    with site.app.reading() as session:
        choices = preferences.read(session, member)
        assert choices is not None
        return choices.cadence["weekly"]


def paused_until(site: Site, member: int) -> str:
    with site.app.reading() as session:
        row = session.get(Subscription, (member, "weekly"))
        return str(row and row.paused_until)


@pytest.mark.parametrize(
    ("headers", "body"),
    [(URLENCODED, ONE_CLICK), (MULTIPART, MULTIPART_BODY)],
    ids=["urlencoded, as Gmail sends it", "multipart, as RFC 8058 prefers it"],
)
def test_a_mail_program_unsubscribes_with_one_post(site: Site, headers: dict[str, str], body: str):
    answer = site.client.post(site.leave_path(CECILIA), content=body, headers=headers)

    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.text == "You are unsubscribed.\n"
    assert "set-cookie" not in answer.headers
    assert not site.gets(CECILIA)


def test_one_click_is_the_same_however_often_it_comes(site: Site):
    first = site.client.post(site.leave_path(), content=ONE_CLICK, headers=URLENCODED)
    after_first = site.dump()
    site.watch.at += timedelta(days=400)
    second = site.client.post(site.leave_path(), content=ONE_CLICK, headers=URLENCODED)

    assert (first.status_code, first.content) == (second.status_code, second.content) == (200, second.content)
    assert site.dump() == after_first


def test_one_click_leaves_for_everyone_whom_the_mail_greeted_and_for_nobody_else(site: Site):
    site.client.post(site.leave_path(ANNA), content=ONE_CLICK, headers=URLENCODED)

    assert [site.gets(who) for who in (ANNA, BO, CECILIA)] == [False, False, True]


def test_one_click_of_a_mail_of_ones_own_leaves_for_oneself(site: Site):
    site.client.post(site.leave_path(CECILIA), content=ONE_CLICK, headers=URLENCODED)

    assert [site.gets(who) for who in (ANNA, BO, CECILIA)] == [True, True, False]


def test_one_click_ends_the_publication_of_that_mail_only(site: Site):
    with site.app.writing() as session:
        session.add(Subscription(member_id=CECILIA, publication="events", since=site.watch.at))

    site.client.post(site.leave_path(CECILIA), content=ONE_CLICK, headers=URLENCODED)

    assert not site.gets(CECILIA, "weekly")
    assert site.gets(CECILIA, "events")


def test_one_click_from_a_mail_we_no_longer_know_leaves_everything(site: Site):
    answer = site.client.post(site.leave_path(CECILIA, mailing=99), content=ONE_CLICK, headers=URLENCODED)

    assert answer.status_code == 200
    assert not site.gets(CECILIA)


@pytest.mark.parametrize(
    "body",
    [
        "list-unsubscribe=One-Click",
        "List-Unsubscribe=one-click",
        "List-Unsubscribe=One-Click&x=1",
        "List-Unsubscribe=One-Click&List-Unsubscribe=One-Click",
        "List-Unsubscribe",
        "",
        "a=b",
        "choice=leave",
        "choice=leave-everything&nonce=",
        "choice=pause&until=2024-05-01",
    ],
)
def test_a_post_that_is_neither_one_click_nor_our_form_changes_nothing(site: Site, body: str):
    before = site.dump()

    answer = site.client.post(site.leave_path(), content=body, headers=URLENCODED)

    assert answer.status_code == 400
    assert site.dump() == before


def test_the_evidence_says_which_way_a_member_left(site: Site):
    site.client.post(site.leave_path(CECILIA), content=ONE_CLICK, headers=URLENCODED)
    site.press(site.leave_path(BO), choice="leave")

    with site.app.reading() as session:
        rows = session.exec(select(Consent.member_id, Consent.kind, Consent.publication, Consent.source)).all()
    assert rows == [
        (CECILIA, ConsentKind.WITHDRAWN, "weekly", "one-click"),
        (BO, ConsentKind.WITHDRAWN, "weekly", "link"),
    ]


def test_the_button_leaves_for_the_one_member_whose_link_it_is(site: Site):
    answer = site.press(site.leave_path(ANNA), choice="leave")

    assert answer.status_code == 200
    assert "Du får inte längre Veckobrevet" in answer.text
    assert [site.gets(who) for who in (ANNA, BO, CECILIA)] == [False, True, True]


def test_leaving_can_be_undone_from_the_page_that_says_it(site: Site):
    left = site.press(site.leave_path(), choice="leave")
    assert 'value="undo"' in left.text

    undone = site.press(site.leave_path(), choice="undo")

    assert undone.status_code == 200
    assert 'value="undo"' not in undone.text
    assert site.gets(ANNA)


def test_leaving_everything_ends_every_subscription_and_its_undo_brings_back_each(site: Site):
    with site.app.writing() as session:
        session.add(Subscription(member_id=CECILIA, publication="events", since=site.watch.at))

    site.press(site.leave_path(CECILIA), choice="leave-everything")
    assert not site.gets(CECILIA, "weekly")
    assert not site.gets(CECILIA, "events")

    site.press(site.leave_path(CECILIA), choice="undo")
    assert site.gets(CECILIA, "weekly")
    assert site.gets(CECILIA, "events")


def test_a_day_later_a_link_brings_nobody_back(site: Site):
    site.press(site.leave_path(), choice="leave")
    site.watch.at += timedelta(days=1, seconds=1)

    page = site.client.get(site.leave_path())
    site.press(site.leave_path(), choice="undo")

    assert 'value="undo"' not in page.text
    assert not site.gets(ANNA)


def test_a_member_gets_it_monthly_instead_and_weekly_again(site: Site):
    site.press(site.leave_path(), choice="monthly")
    assert cadence(site, ANNA) is Cadence.MONTHLY

    site.press(site.leave_path(), choice="weekly")
    assert cadence(site, ANNA) is Cadence.WEEKLY


def test_a_pause_lasts_until_the_day_given_or_until_it_is_ended(site: Site):
    paused = site.press(site.leave_path(), choice="pause", until="2024-05-01")
    assert "1 maj 2024" in paused.text
    assert paused_until(site, ANNA) == "2024-05-01"

    site.press(site.leave_path(), choice="resume")
    assert paused_until(site, ANNA) == "None"


@pytest.mark.parametrize(
    "until", ["", "2024-03-04", "2024-02-30", "2023-01-01", "2026-01-01", "9999-12-31", "maj", "\0"]
)
def test_a_pause_needs_a_day_after_today_and_within_a_year(site: Site, until: str):
    before = site.dump()

    answer = site.press(site.leave_path(), choice="pause", until=until)

    assert answer.status_code == 400
    assert "Inget har ändrats" in answer.text
    assert site.dump() == before


def test_a_nonce_of_another_member_is_worth_nothing(site: Site):
    nonce = site.web.state.house.nonce_for(BO)

    answer = site.client.post(site.leave_path(ANNA), data={"nonce": nonce, "choice": "leave"})

    assert answer.status_code == 400
    assert site.gets(ANNA)


def test_a_nonce_outlives_a_night_but_not_two(site: Site):
    nonce = site.web.state.house.nonce_for(ANNA)
    form = {"nonce": nonce, "choice": "leave"}

    site.watch.at += timedelta(days=2)
    assert site.client.post(site.leave_path(), data=form).status_code == 400
    assert site.gets(ANNA)

    site.watch.at -= timedelta(days=1, hours=4)
    assert site.client.post(site.leave_path(), data=form).status_code == 200
    assert not site.gets(ANNA)


def test_the_token_of_the_link_is_no_nonce(site: Site):
    token = site.leave_path().removeprefix("/u/")

    assert site.client.post(site.leave_path(), data={"nonce": token, "choice": "leave"}).status_code == 400
    assert site.gets(ANNA)


def test_an_erased_member_can_leave_as_often_as_they_like_and_nothing_is_written(site: Site):
    with site.app.writing() as session:
        enrolment.erase(session, CECILIA, site.watch.at)
    before = site.dump()

    one_click = site.client.post(site.leave_path(CECILIA), content=ONE_CLICK, headers=URLENCODED)
    page = site.client.get(site.leave_path(CECILIA))
    pressed = [
        site.press(site.leave_path(CECILIA), choice=c).status_code for c in ("leave", "undo", "monthly", "resume")
    ]

    assert one_click.status_code == page.status_code == 200
    assert pressed == [400] * 4  # the page has no form any more
    assert site.dump() == before


def test_a_page_shows_no_name_and_no_address(site: Site):
    for path in (site.leave_path(), site.choose_path()):
        page = site.client.get(path).text
        assert "Anna" not in page
        assert "paret" not in page


def test_a_member_who_left_is_told_so_and_offered_no_unsubscribing(site: Site):
    site.press(site.leave_path(), choice="leave-everything")
    site.watch.at += timedelta(days=30)

    page = site.client.get(site.leave_path())

    assert page.status_code == 200
    assert "Du får inga brev från oss" in page.text
    assert "<button" not in page.text


def test_the_page_speaks_the_members_language_whatever_the_browser_says(site: Site):
    page = site.client.get(site.leave_path(CECILIA), headers={"Accept-Language": "sv"})

    assert '<html lang="en"' in page.text
    assert "Unsubscribe from The weekly letter" in page.text


def test_a_forged_token_of_any_kind_gets_the_same_bytes(site: Site):
    token = site.leave_path().removeprefix("/u/")
    forged = [
        token[:place] + other + token[place + 1 :] for place in range(23) for other in "aZ0-_" if token[place] != other
    ]
    others = [
        token[:-1],
        token + "A",
        "x",
        "%00",
        "å" * 23,
        "a" * 5000,
        site.choose_path().removeprefix("/p/"),
        site.web.state.house.nonce_for(ANNA),
        site.app.links.tokens.make(Purpose.UNSUBSCRIBE, 2**40 - 1, LETTER),
    ]
    site.lift_limits()
    before = site.dump()

    answers = [site.client.get(f"/u/{one}") for one in (*forged, *others)]
    answers += [site.client.post(f"/u/{one}", content=ONE_CLICK, headers=URLENCODED) for one in (*forged, *others)]

    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1
    assert len({json.dumps(sorted(answer.headers.items())) for answer in answers}) == 1
    assert site.dump() == before


def test_who_leaves_while_letters_are_queued_has_left_when_the_answer_comes(site: Site):
    """The worker asks for permission again before each letter: the commit alone has to come before the 200."""
    site.client.post(site.leave_path(CECILIA), content=ONE_CLICK, headers=URLENCODED)

    with sa.create_engine(str(site.app.engine.url)).connect() as stranger:
        ended = stranger.execute(sa.text(f"SELECT ended_at FROM subscription WHERE member_id = {CECILIA}")).scalar_one()  # noqa: S608  # a constant
    stranger.engine.dispose()
    assert ended is not None


def test_a_supporter_who_left_everything_can_undo_it(site: Site):
    with site.app.writing() as session:
        _make_supporter(session)

    site.press(site.leave_path(CECILIA), choice="leave-everything")
    page = site.client.get(site.leave_path(CECILIA))
    site.press(site.leave_path(CECILIA), choice="undo")

    assert 'value="undo"' in page.text
    assert site.gets(CECILIA)


def _make_supporter(session: Session) -> None:
    member = session.get(Member, CECILIA)
    assert member is not None
    member.ground = "supporter"


def test_only_events_takes_the_calendar_instead_and_can_be_undone_whole(site: Site):
    done = site.press(site.leave_path(), choice="events")

    assert "Du får Kalendern i stället för Veckobrevet." in done.text
    assert (site.gets(ANNA), site.gets(ANNA, "events")) == (False, True)
    assert site.gets(BO)

    site.watch.at += timedelta(hours=2)
    site.press(site.leave_path(), choice="undo")
    assert (site.gets(ANNA), site.gets(ANNA, "events")) == (True, False)


def test_undoing_only_events_leaves_a_calendar_that_was_had_before(site: Site):
    with site.app.writing() as session:
        session.add(Subscription(member_id=ANNA, publication="events", since=MOMENT - timedelta(days=9)))

    site.press(site.leave_path(), choice="events")
    site.press(site.leave_path(), choice="undo")

    assert (site.gets(ANNA), site.gets(ANNA, "events")) == (True, True)


def test_a_letter_of_two_years_and_three_rotations_ago_can_still_be_left(site: Site):
    letter = site.leave_path(CECILIA)
    for _ in range(3):
        keys.rotate(site.app.places.keys)
    del site.app.keyring, site.app.links
    site.watch.at += timedelta(days=2 * 366)

    assert site.leave_path(CECILIA) != letter
    assert site.client.post(letter, content=ONE_CLICK, headers=URLENCODED).status_code == 200
    assert not site.gets(CECILIA)


def test_a_rush_of_one_clicks_is_written_together_and_each_is_on_disk_before_its_answer(site: Site):
    """Every answer is followed by a look from another connection, while others are still being written."""
    paths = {who: site.leave_path(who) for who in (ANNA, CECILIA)}
    unknown = site.leave_path(999)

    def click(who: int) -> tuple[int, bool]:
        answer = site.client.post(paths[who], content=ONE_CLICK, headers=URLENCODED)
        return answer.status_code, site.gets(who)

    with ThreadPoolExecutor(8) as pool:
        clicked = [pool.submit(click, who) for who in (ANNA, CECILIA) * 10]
        nobody = [pool.submit(site.client.post, unknown, content=ONE_CLICK, headers=URLENCODED) for _ in range(5)]

    assert {one.result() for one in clicked} == {(200, False)}
    assert {one.result().status_code for one in nobody} == {404}
    with site.app.reading() as session:
        assert sorted(session.exec(select(Consent.member_id)).all()) == [ANNA, BO, CECILIA]
