"""Imports into a real database, from a file's bytes to rows."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from sqlmodel import Session, col, select

from mailer import db
from subscribers import address, consent, correction, enrolment, preferences
from subscribers.correction import Mailbox
from subscribers.errors import Refused
from subscribers.importing import run, staging
from subscribers.importing.plan import Plan
from subscribers.importing.target import Policy
from subscribers.models import (
    Access,
    Consent,
    FormerAddress,
    Ground,
    ImportMapping,
    ImportRow,
    Member,
    State,
    Subscription,
)
from subscribers.preferences import Preferences
from tests.databases import stored_in
from tests.subscribers.conftest import add_lists

NOW = datetime(2024, 3, 4, 11, 0, tzinfo=UTC)
MEMBERS = Policy(publications=("weekly",), ground=Ground.MEMBER, language="sv")
SUPPORTERS = Policy(publications=("weekly",), ground=Ground.SUPPORTER, language="sv")
HEADINGS = "Medlemsnummer;Förnamn;Efternamn;E-post;Stadsdel;Ämnen"
ANNA = "1;Anna;Zetterqvist;anna.z@example.org;Bromma;Skola"
BO = "2;Bo;Ek;bo@malmö.se;Bromma, Järva;"

Transaction = Callable[[], AbstractContextManager[Session]]


@pytest.fixture
def transaction(engine: sa.Engine) -> Transaction:
    with db.writing(engine) as session:
        add_lists(session)
    return lambda: db.writing(engine)


def prepared(transaction: Transaction, *rows: str, policy: Policy = MEMBERS, **said: str) -> run.Prepared:
    data = "\r\n".join(rows).encode("cp1252")
    with transaction() as session:
        return run.prepare(session, run.MemberFile(data, "medlemmar.csv", None, said), policy, _quiet)


def take_in(transaction: Transaction, *rows: str, policy: Policy = MEMBERS, **said: str) -> Plan:
    found = prepared(transaction, *rows, policy=policy, **said)
    run.carry_out(transaction, found, who="kim", now=NOW, progress=_quiet)
    return found.plan


def _quiet(step: str, done: int, total: int | None) -> None: ...


def members(transaction: Transaction) -> list[Member]:
    with transaction() as session:
        found = list(session.exec(select(Member).order_by(col(Member.id))))
        session.expunge_all()
        return found


def test_members_come_in_with_their_choices_and_subscriptions(transaction: Transaction):
    take_in(transaction, HEADINGS, ANNA, BO)

    anna, bo = members(transaction)
    assert (anna.number, anna.given_name, anna.family_name, anna.address) == (
        "1",
        "Anna",
        "Zetterqvist",
        "anna.z@example.org",
    )
    assert bo.address == "bo@malmö.se"
    with transaction() as session:
        found = preferences.read(session, bo.id or 0)
        assert found is not None
        assert (found.districts, found.topics, set(found.cadence)) == ({"bromma", "jarva"}, set(), {"weekly"})


def test_the_same_file_again_changes_nothing(transaction: Transaction):
    take_in(transaction, HEADINGS, ANNA, BO)
    before = members(transaction)

    again = take_in(transaction, HEADINGS, ANNA, BO)

    assert [number for _, number in again.unchanged] == [1, 2]
    assert members(transaction) == before


def test_what_differs_is_changed(transaction: Transaction):
    take_in(transaction, HEADINGS, ANNA, BO)
    take_in(transaction, HEADINGS, ANNA.replace("Zetterqvist", "Å").replace("Bromma;Skola", "Järva;Klimat"), BO)

    with transaction() as session:
        found = preferences.read(session, 1)
        assert found is not None
        assert (found.districts, found.topics) == ({"jarva"}, {"klimat"})
        assert session.get_one(Member, 1).family_name == "Å"


def test_a_bad_row_does_not_stop_the_rest(transaction: Transaction):
    decided = take_in(transaction, HEADINGS, "3;Eva;Al;eva.example.org;;", ANNA, '4;"Ulla;x;;;', BO)

    assert [note.line for note in decided.refused] == [2, 4]
    assert [member.number for member in members(transaction)] == ["1", "2"]


def test_planning_changes_nothing(transaction: Transaction):
    assert len(prepared(transaction, HEADINGS, ANNA, address="E-post").plan.added) == 1

    assert members(transaction) == []
    with transaction() as session:
        assert session.exec(select(ImportMapping)).all() == []


def test_choices_by_will_are_kept_also_when_made_between_plan_and_import(transaction: Transaction):
    take_in(transaction, HEADINGS, ANNA)
    found = prepared(transaction, HEADINGS, ANNA.replace("Bromma", "Järva").replace("Anna", "Anja"))
    choice = Preferences(frozenset({"bromma"}), frozenset(), "en", {}, plain_only=True)
    with transaction() as session:
        preferences.change(session, 1, choice, source="link", now=NOW)

    run.carry_out(transaction, found, who="kim", now=NOW, progress=_quiet)

    with transaction() as session:
        kept = preferences.read(session, 1)
        assert kept is not None
        assert (kept.districts, kept.language, kept.plain_only) == ({"bromma"}, "en", True)
        assert session.get_one(Member, 1).given_name == "Anja"


def anna_moves(transaction: Transaction) -> None:
    """Let the first member change their address, with both mailboxes agreeing."""
    with transaction() as session:
        number = correction.ask_to_move(session, 1, address.parse("anna@new.example"), now=NOW)
        change = correction.find_move(session, number, 1, NOW)
        assert change is not None
        assert not correction.agree(session, change, Mailbox.OLD, now=NOW)
        assert correction.agree(session, change, Mailbox.NEW, now=NOW)


@pytest.mark.parametrize("before_the_plan", [True, False])
def test_an_old_address_is_not_written_over_one_that_both_mailboxes_agreed_to(
    transaction: Transaction, *, before_the_plan: bool
):
    take_in(transaction, HEADINGS, ANNA)
    stale = ANNA.replace("Zetterqvist", "Ek")
    found = None if before_the_plan else prepared(transaction, HEADINGS, stale)
    anna_moves(transaction)
    run.carry_out(transaction, found or prepared(transaction, HEADINGS, stale), who="kim", now=NOW, progress=_quiet)

    (anna,) = members(transaction)
    assert (anna.family_name, anna.address) == ("Ek", "anna@new.example")
    assert anna.address_key == address.parse("anna@new.example").key


@pytest.mark.parametrize("by_themselves", [True, False])
def test_since_when_they_have_their_address_is_known(transaction: Transaction, *, by_themselves: bool):
    take_in(transaction, HEADINGS, ANNA)
    take_in(transaction, HEADINGS, ANNA.replace("Zetterqvist", "Ek"))
    assert members(transaction)[0].address_since is None

    if by_themselves:
        anna_moves(transaction)
    else:
        take_in(transaction, HEADINGS, ANNA.replace("anna.z@", "anna.ek@"))
    assert members(transaction)[0].address_since == NOW


def test_a_register_without_numbers_that_was_not_told_still_means_the_same_person(transaction: Transaction):
    nameless = ANNA.replace("1;", ";", 1)
    take_in(transaction, HEADINGS, nameless)
    anna_moves(transaction)

    plan = take_in(transaction, HEADINGS, nameless.replace("Zetterqvist", "Ek"))

    assert (len(plan.added), len(plan.changed), len(plan.remarks)) == (0, 1, 1)
    (anna,) = members(transaction)
    assert (anna.family_name, anna.address) == ("Ek", "anna@new.example")


def test_who_moved_and_was_erased_comes_back_by_neither_address(transaction: Transaction):
    nameless = ANNA.replace("1;", ";", 1)
    take_in(transaction, HEADINGS, nameless)
    anna_moves(transaction)
    with transaction() as session:
        enrolment.erase(session, 1, NOW)

    for row in (nameless, nameless.replace("anna.z@example.org", "anna@new.example")):
        assert len(take_in(transaction, HEADINGS, row).refused) == 1
    with transaction() as session:
        assert session.exec(select(FormerAddress)).all() == []


def test_nobody_who_left_is_subscribed_again(transaction: Transaction):
    take_in(transaction, HEADINGS, ANNA, BO)
    with transaction() as session:
        consent.withdraw(session, 1, publication="weekly", source="link", now=NOW)
        consent.withdraw(session, 2, publication=None, source="link", now=NOW)

    more = Policy(publications=("weekly", "events"), ground=Ground.MEMBER, language="sv")
    take_in(transaction, HEADINGS, ANNA.replace("Anna", "Anja"), BO.replace("Ek", "Alm"), policy=more)

    with transaction() as session:
        query = select(Subscription.member_id, Subscription.publication).where(col(Subscription.ended_at).is_(None))
        assert session.exec(query).all() == [(1, "events")]


def test_nobody_who_leaves_between_plan_and_import_is_subscribed_to_more(transaction: Transaction):
    take_in(transaction, HEADINGS, ANNA)
    more = Policy(publications=("weekly", "events"), ground=Ground.MEMBER, language="sv")
    found = prepared(transaction, HEADINGS, ANNA, policy=more)
    with transaction() as session:
        consent.withdraw(session, 1, publication=None, source="link", now=NOW)

    run.carry_out(transaction, found, who="kim", now=NOW, progress=_quiet)

    with transaction() as session:
        assert session.exec(select(Subscription.publication)).all() == ["weekly"]


def test_who_enrols_between_plan_and_import_is_not_added_twice(transaction: Transaction):
    found = prepared(transaction, HEADINGS, ANNA, BO)
    with transaction() as session:
        newcomer = enrolment.Newcomer(address.parse("bo@malmö.se"), number="2", ground=Ground.MEMBER)
        enrolment.add(session, newcomer, publications=[], now=NOW)

    run.carry_out(transaction, found, who="kim", now=NOW, progress=_quiet)

    assert [member.number for member in members(transaction)] == ["2", "1"]


def test_an_import_whose_staged_rows_were_swept_by_another_is_refused(transaction: Transaction):
    with transaction() as session:
        number = staging.begin(session, rows=1, now=NOW)
        staging.stage(session, number, prepared(lambda: nullcontext(session), HEADINGS, ANNA).plan.added, place=0)
    for _ in range(2):
        with transaction() as session:
            staging.sweep(session)

    with transaction() as session, pytest.raises(Refused, match="Another import"):
        staging.accept(session, number, chunks=1, planned_after=0, now=NOW)


def test_an_import_with_rows_missing_is_refused(transaction: Transaction):
    with transaction() as session, pytest.raises(Refused, match="Another import"):
        staging.accept(session, staging.begin(session, rows=1, now=NOW), chunks=1, planned_after=0, now=NOW)


def test_a_yes_from_a_form_is_no_proof_until_it_is_confirmed(transaction: Transaction):
    with transaction() as session:
        newcomer = enrolment.Newcomer(address.parse("s@example.org"))
        sven = enrolment.add(session, newcomer, publications=["weekly"], now=NOW)
        consent.give(session, sven, publication="weekly", source="form", wording="v1", now=NOW)
    headings, row = "E-post;Förnamn", "s@example.org;Sven"

    take_in(transaction, headings, row, policy=SUPPORTERS)
    assert [member.state for member in members(transaction)] == [State.PENDING]

    with transaction() as session:
        enrolment.confirm(session, sven, source="link", wording="v1", now=NOW)
    take_in(transaction, headings, row.replace("Sven", "Svend"), policy=SUPPORTERS)
    assert [member.state for member in members(transaction)] == [State.ACTIVE]


def test_nobody_erased_comes_back(transaction: Transaction):
    take_in(transaction, HEADINGS, ANNA)
    with transaction() as session:
        enrolment.erase(session, 1, NOW)

    for row in (ANNA, ANNA.replace("1;", ";", 1), ANNA.replace("anna.z", "other")):
        assert len(take_in(transaction, HEADINGS, row).refused) == 1
    assert [member.state for member in members(transaction)] == [State.ERASED]


def test_nobody_erased_or_gone_between_plan_and_import_comes_back(transaction: Transaction):
    take_in(transaction, HEADINGS, ANNA, BO, policy=SUPPORTERS)
    found = prepared(transaction, HEADINGS, ANNA.replace("Anna", "Anja"), BO.replace("Ek", "Alm"), policy=SUPPORTERS)
    with transaction() as session:
        enrolment.erase(session, 1, NOW)
        consent.withdraw(session, 2, publication=None, source="link", now=NOW)

    run.carry_out(transaction, found, who="kim", now=NOW, progress=_quiet)

    assert [member.state for member in members(transaction)] == [State.ERASED, State.LEFT]
    assert members(transaction)[0].given_name is None


def test_someone_new_who_is_erased_between_plan_and_import_stays_out(transaction: Transaction):
    found = prepared(transaction, HEADINGS, ANNA, BO)
    with transaction() as session:
        newcomer = enrolment.Newcomer(address.parse("bo@malmö.se"), number="2")
        enrolment.erase(session, enrolment.add(session, newcomer, publications=[], now=NOW), NOW)

    run.carry_out(transaction, found, who="kim", now=NOW, progress=_quiet)

    assert [member.number for member in members(transaction)] == [None, "1"]


def test_a_supporter_waits_without_proof_and_is_written_to_with_it(transaction: Transaction):
    headings = "E-post;Samtycke;Samtyckesdatum"
    take_in(transaction, headings, "s@example.org;;", "t@example.org;Blankett 14;2023-05-01", policy=SUPPORTERS)

    assert [member.state for member in members(transaction)] == [State.PENDING, State.ACTIVE]
    with transaction() as session:
        proof = session.exec(select(Consent)).one()
        assert (proof.member_id, proof.evidence, proof.source) == (2, "Blankett 14", "import")
        assert proof.at == datetime(2023, 5, 1, tzinfo=UTC)


def test_who_is_missing_from_the_whole_register_has_left(transaction: Transaction):
    take_in(transaction, HEADINGS, ANNA, BO)
    whole = Policy(publications=("weekly",), ground=Ground.MEMBER, language="sv", whole_register=True)
    take_in(transaction, HEADINGS, BO, policy=whole)

    assert [member.state for member in members(transaction)] == [State.LEFT, State.ACTIVE]


def test_a_mapping_is_remembered_for_the_next_file_with_these_headings(transaction: Transaction):
    take_in(transaction, "Id;Post;Ort", "1;a@example.org;Bromma", number="Id", address="Post")

    assert len(prepared(transaction, "Id;Post;Ort", "2;b@example.org;Bromma").plan.added) == 1
    with pytest.raises(Refused, match="No column"):
        prepared(transaction, "Id;Post;Land", "2;b@example.org;Bromma")


def test_only_mapped_columns_are_read_and_the_others_are_named(transaction: Transaction):
    found = prepared(transaction, "Medlemsnummer;Personnummer;Lön", "1;850101-1236;30000")

    assert found.not_read == ("Personnummer", "Lön")


def test_an_import_is_noted_in_the_diary(transaction: Transaction):
    take_in(transaction, HEADINGS, ANNA, BO)

    with transaction() as session:
        note = session.exec(select(Access)).one()
        assert (note.who, note.what, note.count, note.at) == ("kim", "import", 2, NOW)


class Crashed(Exception):
    pass


def crashing(transaction: Transaction, after: int) -> Transaction:
    """Return transactions of which the one after the first `after` dies before it is kept."""
    count = 0

    @contextmanager
    def opened() -> Iterator[Session]:
        nonlocal count
        count += 1
        with transaction() as session:
            yield session
            if count > after:
                raise Crashed

    return opened


ROWS = [
    f"{number};N{number};;n{number}@example.org;Bromma;Skola" for number in range(2 * staging.CHUNK + 100)
]  # three chunks


def test_a_crash_before_the_switch_leaves_nothing_and_the_next_import_is_whole(transaction: Transaction):
    found = prepared(transaction, HEADINGS, *ROWS)
    with pytest.raises(Crashed):  # the diary, a sweep, the start, two of three chunks
        run.carry_out(crashing(transaction, 5), found, who="kim", now=NOW, progress=_quiet)

    run.finish(transaction, now=NOW)
    assert members(transaction) == []

    take_in(transaction, HEADINGS, *ROWS)
    assert len(members(transaction)) == len(ROWS)
    with transaction() as session:
        assert session.exec(select(ImportRow)).all() == []


@pytest.mark.parametrize("chunks", [0, 1, 2])
def test_a_crash_after_the_switch_is_finished_by_whoever_comes_next(transaction: Transaction, chunks: int):
    found = prepared(transaction, HEADINGS, *ROWS)
    with pytest.raises(Crashed):
        run.carry_out(crashing(transaction, 7 + chunks), found, who="kim", now=NOW, progress=_quiet)
    assert len(members(transaction)) == chunks * staging.CHUNK
    with transaction() as session:
        assert run.is_unfinished(session)

    run.finish(transaction, now=NOW)

    assert len(members(transaction)) == len(ROWS)
    with transaction() as session:
        assert not run.is_unfinished(session)
        assert len(session.exec(select(Subscription)).all()) == len(ROWS)


def test_two_who_finish_the_same_import_take_turns(transaction: Transaction):
    found = prepared(transaction, HEADINGS, *ROWS)
    with pytest.raises(Crashed):
        run.carry_out(crashing(transaction, 7), found, who="kim", now=NOW, progress=_quiet)

    @contextmanager
    def beside() -> Iterator[Session]:
        with transaction() as session:
            if (changes := staging.take(session)) is not None:
                run.apply(session, changes, NOW)
        with transaction() as session:
            yield session

    run.finish(beside, now=NOW)

    assert len(members(transaction)) == len(ROWS)


def test_a_plan_made_before_another_import_is_refused_and_changes_nothing(transaction: Transaction):
    stale = prepared(transaction, HEADINGS, ANNA)
    take_in(transaction, HEADINGS, BO)

    with pytest.raises(Refused, match="Another import came between"):
        run.carry_out(transaction, stale, who="kim", now=NOW, progress=_quiet)

    assert [member.number for member in members(transaction)] == ["2"]


def test_nothing_of_a_person_can_be_read_in_the_files_of_the_database(transaction: Transaction, engine: sa.Engine):
    found = prepared(transaction, HEADINGS, ANNA, "5;Eva;Al;nonsense-zetterqvist;;")
    with pytest.raises(Crashed):  # staged and accepted, not applied: then all of it is in the files
        run.carry_out(crashing(transaction, 5), found, who="kim", now=NOW, progress=_quiet)
    staged = stored_in(engine)
    run.finish(transaction, now=NOW)
    applied = stored_in(engine)

    assert members(transaction)[0].address == "anna.z@example.org"
    for content in (staged, applied):
        for word in (b"anna.z", b"zetterqvist", b"example.org"):  # PostgreSQL has a column lanname
            assert word not in content.lower()


def test_what_was_staged_is_sealed_as_its_own_column(transaction: Transaction):
    found = prepared(transaction, HEADINGS, ANNA)
    with pytest.raises(Crashed):
        run.carry_out(crashing(transaction, 5), found, who="kim", now=NOW, progress=_quiet)

    with transaction() as session:
        raw = session.connection().execute(sa.text("SELECT change FROM import_row")).scalar_one()
        assert "anna.z@example.org" in session.exec(select(ImportRow.change)).one()
    assert b"anna" not in raw
