"""A member's own link to invite by: who signs up is counted, the member is thanked, and nobody learns who came."""

from datetime import timedelta

import pytest
from httpx2 import Response
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import select

from mailer.config.members import Join
from mailer.config.recruiting import Recruiting
from mailer.links import Purpose
from mailer.members import held, recruiting
from mailer.members.models import Recruit
from mailer.outbox.models import Delivery, Mailing
from subscribers import preferences
from subscribers.models import SignUp
from tests.mailer.web.conftest import ANNA, BO, CECILIA, Site
from tests.mailer.web.test_answering import delivered
from tests.mailer.web.test_joining import NEW, NONCE, confirm_path


@pytest.fixture
def inviting(site: Site) -> Site:
    site.app.settings = site.app.settings.model_copy(update={"recruiting": Recruiting(enabled=True)})
    return site


def link(site: Site, member: int = CECILIA) -> str:
    return site.app.links.act(Purpose.RECRUIT, member, 0).removeprefix(site.app.links.base_url)


def sign_up(site: Site, member: int = CECILIA, address: str = NEW, path: str = "/join/weekly") -> Response:
    page = site.client.get(link(site, member)).text
    invited = page.partition('name="invited" value="')[2].partition('"')[0]
    nonce = NONCE.search(page)
    site.watch.at += timedelta(seconds=20)
    fields = {"nonce": nonce[1] if nonce else "", "address": address, "agree": "yes", "invited": invited}
    return site.client.post(path, data=fields)


def recruits(site: Site) -> list[tuple[int | None, str | None]]:
    with site.app.reading() as session:
        return [(row.recruiter_id, row.district) for row in session.exec(select(Recruit))]


def thanked(site: Site) -> list[int]:
    with site.app.reading() as session:
        query = select(Delivery.member_id).join(Mailing).where(Mailing.letter == "recruited")  # type: ignore[arg-type]  # SQL
        return list(session.exec(query))


def test_whoever_signs_up_by_a_link_is_counted_once_confirmed_and_the_inviter_is_thanked(inviting: Site) -> None:
    assert "A member invites you" in inviting.client.get(link(inviting), headers={"accept-language": "en"}).text
    sign_up(inviting)
    assert recruits(inviting) == []

    inviting.press(confirm_path(inviting))

    assert recruits(inviting) == [(CECILIA, None)]
    assert thanked(inviting) == [CECILIA]
    with inviting.app.reading() as session:
        [letter] = session.exec(select(Mailing).where(Mailing.letter == "recruited"))
        assert "ny@" not in repr(letter)
        assert session.exec(select(SignUp)).all() == []  # nothing tells any more by whom they came


def test_the_page_and_its_link_name_nobody(inviting: Site) -> None:
    page = inviting.client.get(link(inviting)).text

    for name in ("Cecilia", "cecilia@", "Anna"):
        assert name not in page


def test_who_was_here_before_or_invites_themself_counts_for_nobody(inviting: Site) -> None:
    sign_up(inviting, ANNA, "paret@example.org")  # theirs, and Bo's
    inviting.press(confirm_path(inviting))
    sign_up(inviting, BO, NEW)
    inviting.press(confirm_path(inviting))
    inviting.watch.at += timedelta(days=2)
    sign_up(inviting, CECILIA, NEW)  # a member by now
    inviting.press(confirm_path(inviting))

    assert recruits(inviting) == [(BO, None)]


@pytest.mark.parametrize("invited", ["", "x", "A" * 23, "A" * 5000, "<script>"])
def test_a_link_that_is_none_invites_nobody_and_stops_nobody(inviting: Site, invited: str) -> None:
    page = inviting.client.get("/join/weekly").text
    nonce = NONCE.search(page)
    inviting.watch.at += timedelta(seconds=20)
    assert nonce is not None
    fields = {"nonce": nonce[1], "address": NEW, "agree": "yes", "invited": invited}
    assert inviting.client.post("/join/weekly", data=fields).status_code == 200
    inviting.press(confirm_path(inviting))

    assert recruits(inviting) == []


def test_another_links_token_invites_nobody(inviting: Site) -> None:
    token = inviting.leave_path(CECILIA).removeprefix("/u/")

    assert inviting.client.get(f"/j/{token}").status_code == 404


def test_the_link_survives_a_form_that_is_filled_in_wrongly(inviting: Site) -> None:
    answer = sign_up(inviting, address="nobody")

    assert 'name="invited"' in answer.text


def test_it_counts_for_the_district_of_the_page_else_for_the_inviters_only_one(inviting: Site) -> None:
    with inviting.app.writing() as session:
        choices = preferences.read(session, CECILIA)
        assert choices is not None
        before = choices.districts
    sign_up(inviting, path="/join/weekly/bromma")
    inviting.press(confirm_path(inviting))

    assert recruits(inviting) == [(CECILIA, "bromma")]
    assert len(before) != 1


def test_what_is_held_is_shown_and_forgotten(inviting: Site) -> None:
    sign_up(inviting)
    inviting.press(confirm_path(inviting))
    sign_up(inviting, address="annan@example.org")
    with inviting.app.writing() as session:
        assert len(held.look(session, CECILIA)["invited"]) == 1  # type: ignore[arg-type]  # JSON
        held.erase(session, CECILIA, who="test", now=inviting.watch())

    assert recruits(inviting) == [(None, None)]
    with inviting.app.reading() as session:
        assert [one.recruiter_id for one in session.exec(select(SignUp))] == [None]


def test_where_nobody_invites_there_are_no_such_pages(site: Site) -> None:
    for path in (link(site), "/progress"):
        assert site.client.get(path).status_code == 404
    assert "/j/" not in site.client.get(site.choose_path()).text


def test_where_nobody_can_sign_up_no_link_leads_there(inviting: Site) -> None:
    inviting.app.settings = inviting.app.settings.model_copy(update={"join": Join(publications=())})

    assert inviting.client.get(link(inviting)).status_code == 404
    assert "/j/" not in inviting.client.get(inviting.choose_path()).text


def test_a_member_finds_their_link_where_they_choose(inviting: Site) -> None:
    assert link(inviting, ANNA) in inviting.client.get(inviting.choose_path(ANNA)).text


def test_progress_names_no_small_district_nor_a_sum_that_would_tell(inviting: Site) -> None:
    with inviting.app.writing() as session:
        for district, number in (("bromma", 7), ("jarva", 4), (None, 3)):
            session.add_all(Recruit(district=district, day=inviting.watch().date()) for _ in range(number))

    page = inviting.client.get("/progress").text

    assert "<dd>minst 5</dd>" in page
    assert "Järva" not in page
    assert page.count("<dd>") == 1  # no sum


@given(st.dictionaries(st.none() | st.sampled_from("abcdef"), st.integers(1, 12)), st.integers(2, 6))
def test_nothing_left_out_can_be_found_by_subtraction(counts: dict[str | None, int], least: int) -> None:
    named, total = recruiting.shown(counts, least=least)

    assert all(number >= least for number in named.values())
    assert total is None or (total == sum(named.values()) and named.keys() == counts.keys())


@given(st.integers(1, 40), st.integers(1, 4), st.integers(5, 9))
def test_what_was_shown_before_tells_of_no_few_who_came_since(before: int, since: int, least: int) -> None:
    earlier, _ = recruiting.shown({"bromma": before}, least=least)
    later, _ = recruiting.shown({"bromma": before + since}, least=least)

    assert later.get("bromma", 0) - earlier.get("bromma", 0) in {0, least}


def test_nothing_is_told_of_progress_unless_members_invite(site: Site) -> None:
    with site.app.writing() as session:
        session.add_all(Recruit(district="bromma", day=site.watch().date()) for _ in range(7))

    assert site.app.press().newcomers == {}
    site.app.settings = site.app.settings.model_copy(update={"recruiting": Recruiting(enabled=True)})
    assert site.app.press().newcomers == {"bromma": 5}


def test_the_letter_of_thanks_arrives_with_the_link_and_names_nobody_who_came(inviting: Site) -> None:
    sign_up(inviting)
    inviting.press(confirm_path(inviting))

    [mail] = [it for it in delivered(inviting) if it["Subject"] == "Somebody you invited has joined"]

    body = mail.get_body(("plain",))
    assert body is not None
    text = body.get_content()
    assert link(inviting) in text
    page = mail.get_body(("html",))
    assert page is not None
    for form in (text, page.get_content()):
        assert "because somebody signed up by your link" in form
        assert "news is chosen" not in form
    assert NEW not in mail.as_string()
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
