from datetime import timedelta

import pytest

from subscribers import enrolment, preferences
from subscribers.models import Cadence
from subscribers.preferences import Preferences
from tests.mailer.web.conftest import ANNA, BO, CECILIA, Site

VALID: dict[str, str | list[str]] = {
    "district": ["bromma", "solna"],
    "topic": ["skola"],
    "language": "en",
    "cadence-weekly": "monthly",
    "plain_only": "yes",
}


def choices(site: Site, member: int = ANNA) -> Preferences:
    with site.app.reading() as session:
        found = preferences.read(session, member)
        assert found is not None
        return found


def test_what_is_ticked_is_what_is_stored_and_shown_again(site: Site):
    answer = site.press(site.choose_path(), **VALID)

    assert answer.status_code == 200
    assert choices(site) == Preferences(
        districts=frozenset({"bromma", "solna"}),
        topics=frozenset({"skola"}),
        language="en",
        cadence={"weekly": Cadence.MONTHLY},
        plain_only=True,
    )
    assert "Saved." in answer.text  # in the language just chosen
    for ticked in ("bromma", "solna", "skola", "yes", "en", "monthly"):
        assert f'value="{ticked}" checked' in answer.text
    assert answer.text.count(" checked") == 7  # and the letter itself


def test_unticking_everything_is_a_choice_too(site: Site):
    site.press(site.choose_path(), **VALID)
    site.press(site.choose_path(), language="sv")

    assert choices(site) == Preferences(frozenset(), frozenset(), "sv", {"weekly": Cadence.MONTHLY}, plain_only=False)


def test_a_form_without_a_nonce_is_shown_again_as_it_was_filled_in_and_not_stored(site: Site):
    before = site.dump()

    answer = site.client.post(site.choose_path(), data=VALID)

    assert answer.status_code == 400
    assert 'value="bromma" checked' in answer.text
    assert site.dump() == before


def test_a_page_left_open_for_days_saves_nothing(site: Site):
    nonce = site.web.state.house.nonce_for(ANNA)
    site.watch.at += timedelta(days=3)
    before = site.dump()

    assert site.client.post(site.choose_path(), data={"nonce": nonce, **VALID}).status_code == 400
    assert site.dump() == before


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("district", "atlantis"),
        ("topic", "<script>"),
        ("language", "xx"),
        ("language", ""),
        ("cadence-weekly", "hourly"),
        ("district", "\0"),
        ("topic", "å" * 5000),
    ],
)
def test_what_the_page_did_not_offer_is_refused_whole(site: Site, field: str, value: str):
    before = site.dump()

    answer = site.press(site.choose_path(), **{**VALID, field: value})

    assert answer.status_code == 400
    assert "Inget har sparats" in answer.text
    assert "<script>" not in answer.text
    assert site.dump() == before


def test_a_cadence_of_a_publication_one_does_not_get_is_ignored(site: Site):
    site.press(site.choose_path(), **VALID, **{"cadence-events": "monthly"})

    assert choices(site).cadence == {"weekly": Cadence.MONTHLY}


def test_districts_stand_in_their_city_and_in_swedish_order(site: Site):
    page = site.client.get(site.choose_path()).text

    places = ["Hela Stockholm<", "Bromma", "Järva", "Älvsjö", "Hela Stockholms län", "Solna", "Österåker"]
    found = [page.index(f">{place}") for place in places]
    assert found == sorted(found)


def test_topics_are_named_in_the_members_language(site: Site):
    assert ">Schools<" in site.client.get(site.choose_path(CECILIA)).text
    assert ">Skola<" in site.client.get(site.choose_path(ANNA)).text


def test_someone_erased_has_nothing_to_choose(site: Site):
    with site.app.writing() as session:
        enrolment.erase(session, CECILIA, site.watch.at)
    before = site.dump()

    page = site.client.get(site.choose_path(CECILIA))
    site.press(site.choose_path(CECILIA), **VALID)

    assert page.status_code == 200
    assert "<form" not in page.text
    assert site.dump() == before


def test_who_has_left_is_told_so_and_may_take_it_back(site: Site):
    before = site.client.get(site.choose_path()).text
    site.press(site.leave_path(), choice="leave")

    after = site.client.get(site.choose_path()).text
    saved = site.press(site.choose_path(), **{**VALID, "language": "sv"}).text

    assert "Du har avslutat" not in before
    assert "Du har avslutat Veckobrevet" in after
    assert f'href="{site.leave_path()}"' in after.partition("<form")[0]
    assert "från nästa brev" not in saved
    site.watch.at += timedelta(days=2)
    assert "Ta tillbaka det" not in site.client.get(site.choose_path()).text


def test_a_link_for_leaving_does_not_open_the_choices(site: Site):
    assert site.client.get(site.leave_path().replace("/u/", "/p/")).status_code == 404


AS_SHOWN = {"language": "sv", "publications": "shown"}


def test_a_publication_is_begun_and_ended_by_its_box(site: Site):
    assert "Kallelser" not in site.client.get(site.choose_path()).text  # nobody subscribes to what is statutory

    site.press(site.choose_path(), **AS_SHOWN, publication=["weekly", "events"])
    assert (site.gets(ANNA), site.gets(ANNA, "events"), site.gets(BO, "events")) == (True, True, False)

    site.press(site.choose_path(), **AS_SHOWN, publication=["events"])
    assert (site.gets(ANNA), site.gets(ANNA, "events")) == (False, True)


@pytest.mark.parametrize("slug", ["calls", "nothing"])
def test_a_publication_that_the_page_does_not_offer_is_refused_and_nothing_is_saved(site: Site, slug: str):
    before = site.dump()

    answer = site.press(site.choose_path(), **AS_SHOWN, publication=["weekly", slug], district="bromma")

    assert answer.status_code == 400
    assert site.dump() == before


def test_who_left_everything_does_not_come_back_by_a_link_that_may_have_been_passed_on(site: Site):
    site.press(site.leave_path(), choice="leave-everything")

    page = site.client.get(site.choose_path())
    answer = site.press(site.choose_path(), **AS_SHOWN, publication="weekly")

    assert 'name="publication"' not in page.text
    assert answer.status_code == 400
    assert not site.gets(ANNA)


@pytest.mark.parametrize("query", ["öster", "OSTER", "  åker "])
def test_a_district_is_found_without_scripts_and_what_is_ticked_stays_ticked(site: Site, query: str):
    before = site.dump()

    page = site.press(site.choose_path(), language="en", choice="find", find=query, district=["bromma"])

    assert page.status_code == 200
    assert site.dump() == before
    found = page.text.partition('class="boxes found"')[2].partition("</div>")[0]
    assert "Österåker" in found
    assert "Bromma" not in found
    for slug in ("osteraker", "bromma", "solna"):
        assert page.text.count(f'value="{slug}"') == 1
    assert 'value="bromma" checked' in page.text
    assert 'value="en" checked' in page.text


def test_what_is_looked_for_is_shown_back_harmless(site: Site):
    page = site.press(site.choose_path(), language="sv", choice="find", find='"><script>')

    assert "<script>" not in page.text
    assert "0 platser har det i namnet." in page.text
