"""What is stored is shown and changed only after a fresh link; an address, when both mailboxes have confirmed."""

from datetime import timedelta

import pytest
from httpx2 import Response

from mailer.links import Purpose
from mailer.web.limits import Act
from subscribers import address, enrolment
from subscribers.models import Member
from tests.mailer.web.conftest import ANNA, CECILIA, Site

HERS = ("cecilia@example.org", "Cecilia")
NEW, OLD = Purpose.ADDRESS_NEW, Purpose.ADDRESS_OLD


def ask_for_link(site: Site, path: str) -> Response:
    page = site.client.get(path).text
    nonce = page.partition('name="nonce" value="')[2].partition('"')[0]
    action = page.rpartition('action="')[2].partition('"')[0]
    return site.client.post(action, data={"nonce": nonce})


def the_member(site: Site, number: int) -> Member:
    with site.app.reading() as session:
        member = session.get_one(Member, number)
        session.expunge(member)
        return member


def ask_to_move(site: Site, new: str = "ny@example.org") -> int:
    answer = site.press(site.own_path(CECILIA), choice="address", address=new)
    assert answer.status_code == 200, answer.text
    return int(site.letters()[-1].key.partition(":")[2])


def test_the_link_in_a_letter_shows_choices_and_nothing_stored(site: Site):
    page = site.client.get(site.choose_path(CECILIA)).text

    assert not any(hers in page for hers in HERS)


def test_a_fresh_link_is_sent_to_the_address_we_have_and_the_page_says_neither_which_nor_whether(site: Site):
    answers = [ask_for_link(site, site.choose_path(who)) for who in (CECILIA, CECILIA, ANNA)]

    assert [letter.key.rpartition(":")[0] for letter in site.letters()] == ["own-data:3", "own-data:1"]  # one an hour
    assert {answer.status_code for answer in answers} == {200}
    assert answers[0].content == answers[1].content
    assert not any(hers in answers[0].text for hers in HERS)


def test_letters_that_are_asked_for_are_limited_per_network(site: Site):
    for _ in range(Act.MAIL.burst):
        ask_for_link(site, site.choose_path(CECILIA))

    assert ask_for_link(site, site.choose_path(CECILIA)).status_code == 429
    assert site.press(site.leave_path(CECILIA), choice="leave").status_code == 200


def test_a_scanner_that_posts_to_the_form_gets_no_letter_sent(site: Site):
    path = site.choose_path(CECILIA).replace("/p/", "/m/") + "/link"

    assert site.client.post(path, data={"nonce": "x"}).status_code == 400
    assert site.letters() == []


def test_behind_the_fresh_link_is_what_is_stored(site: Site):
    page = site.client.get(site.own_path(CECILIA)).text

    assert all(hers in page for hers in HERS)


@pytest.mark.parametrize(("since", "status"), [(4, 200), (5, 410), (-1, 410)])
def test_the_link_is_good_for_four_hours_and_then_offers_a_new_one(site: Site, since: int, status: int):
    path = site.own_path(CECILIA, timedelta(hours=since))
    page = site.client.get(path)

    assert page.status_code == status
    if status == 410:
        assert not any(hers in page.text for hers in HERS)
        assert site.press(path, choice="name", given_name="Eva", family_name="").status_code == 410
        assert the_member(site, CECILIA).given_name == "Cecilia"
        ask_for_link(site, path)
        assert [letter.letter for letter in site.letters()] == ["own-data"]


def test_a_name_is_corrected_at_once_and_it_is_noted_who_did_it(site: Site):
    answer = site.press(site.own_path(CECILIA), choice="name", given_name="  Cissi ", family_name="Öst <b>")

    assert "Your name is corrected." in answer.text
    assert "Öst &lt;b&gt;" in answer.text
    with site.app.reading() as session:
        [access] = enrolment.export(session, CECILIA)["accesses"]  # type: ignore[misc]  # JSON
    assert (access["who"], access["what"]) == ("member", "change name")
    assert the_member(site, CECILIA).given_name == "Cissi"


@pytest.mark.parametrize(
    "fields",
    [
        {"choice": "address", "address": "nowhere"},
        {"choice": "address", "address": "cecilia@EXAMPLE.org"},
        {"choice": "name", "given_name": "x" * 101, "family_name": ""},
        {"choice": "name", "given_name": "a\u202eb", "family_name": ""},
    ],
)
def test_what_cannot_be_is_refused_with_a_reason_and_nothing_changes(site: Site, fields: dict[str, str]):
    site.client.get(site.own_path(CECILIA))
    before = site.dump()

    answer = site.press(site.own_path(CECILIA), **fields)

    assert answer.status_code == 400
    assert "Nothing was changed." in answer.text
    assert site.dump() == before


@pytest.mark.parametrize("order", [(NEW, OLD), (OLD, NEW)])
def test_an_address_is_changed_when_both_mailboxes_have_confirmed(site: Site, order: tuple[Purpose, Purpose]):
    number = ask_to_move(site)
    assert [(letter.letter, letter.address) for letter in site.letters()] == [
        ("address-new", "ny@example.org"),
        ("address-old", None),
    ]
    first, second = (site.move_path(purpose, number, CECILIA) for purpose in order)

    for _ in range(2):  # pressing twice is as good as once
        assert "One of two" in site.press(first).text
    assert the_member(site, CECILIA).address == "cecilia@example.org"
    done = site.press(second)

    assert "The address is changed" in done.text
    assert "example.org" not in done.text.partition("<main")[2].partition("</main")[0]
    member = the_member(site, CECILIA)
    assert member.address == "ny@example.org"
    assert member.address_key == address.parse("ny@example.org").key
    assert site.client.get(first).status_code == 410


def test_a_letter_about_an_older_change_confirms_nothing_of_the_newer_one(site: Site):
    older = ask_to_move(site, "fel@example.org")
    site.watch.at += timedelta(minutes=11)
    newer = ask_to_move(site, "ny@example.org")

    assert newer > older
    assert site.client.get(site.move_path(NEW, older, CECILIA)).status_code == 410
    site.press(site.move_path(OLD, newer, CECILIA))
    assert site.client.post(site.move_path(NEW, older, CECILIA), data={"nonce": "x"}).status_code == 410
    assert the_member(site, CECILIA).address == "cecilia@example.org"


def test_each_letter_confirms_for_its_own_mailbox_and_its_own_member_only(site: Site):
    number = ask_to_move(site)
    token = site.move_path(OLD, number, CECILIA).removeprefix("/b/")

    assert site.client.get(f"/a/{token}").status_code == 404
    assert site.client.get(site.move_path(OLD, number, ANNA)).status_code == 410


def test_a_week_later_and_without_the_pages_nonce_nothing_is_confirmed(site: Site):
    number = ask_to_move(site)
    path = site.move_path(NEW, number, CECILIA)

    assert site.client.post(path, data={"nonce": ""}).status_code == 400
    site.watch.at += timedelta(days=7, minutes=1)
    assert site.press(path).status_code == 410
