"""Whose approval a letter needs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.operators.rules import Asked, Operator, Verdict, judge

LIMIT = 500
WEST = frozenset({"bromma", "hasselby"})


def an_operator(slug: str, districts: frozenset[str] | None = None, *, may_approve: bool = True) -> Operator:
    return Operator(slug, slug.title(), f"{slug}@example.org", "sv", districts, may_approve)


PEOPLE = {
    it.slug: it
    for it in (
        an_operator("anna"),
        an_operator("bo"),
        an_operator("west", WEST),
        an_operator("clerk", may_approve=False),
    )
}


def verdict(by: str, signed: set[str], people: int = 10, districts: frozenset[str] | None = None) -> Verdict:
    return judge(Asked(by, people, districts), signed, PEOPLE, second_above=LIMIT)


def granted() -> Verdict:
    return Verdict(granted=True)


def waits_for(*slugs: str) -> Verdict:
    return Verdict(granted=False, awaited=frozenset(slugs))


@pytest.mark.parametrize(
    ("by", "signed", "people", "districts", "expected"),
    [
        ("anna", {"anna"}, LIMIT, None, granted()),
        ("anna", {"anna"}, LIMIT + 1, None, waits_for("bo")),
        ("anna", {"anna", "bo"}, LIMIT + 1, None, granted()),
        ("anna", {"anna", "west"}, LIMIT + 1, None, waits_for("bo")),  # not theirs to approve
        ("anna", {"anna", "west"}, LIMIT + 1, WEST, granted()),
        ("anna", {"anna", "clerk"}, LIMIT + 1, None, waits_for("bo")),
        ("anna", set(), 1, None, waits_for("anna")),  # nobody asks in another's name
        ("anna", {"bo"}, 1, None, waits_for("anna")),
        ("west", {"west"}, 10, WEST, granted()),
        ("west", {"west"}, 10, frozenset({"bromma"}), granted()),
        ("west", {"west"}, 10, frozenset({"kista"}), waits_for("anna", "bo")),
        ("west", {"west"}, 10, None, waits_for("anna", "bo")),
        ("west", {"west", "bo"}, 10, None, granted()),
        ("clerk", {"clerk"}, 1, None, waits_for("anna", "bo")),
        ("clerk", {"clerk", "anna"}, LIMIT + 1, None, granted()),
        ("stranger", {"stranger", "anna"}, 1, None, Verdict(granted=False)),
    ],
)
def test_who_has_to_sign(
    by: str, signed: set[str], people: int, districts: frozenset[str] | None, expected: Verdict
) -> None:
    assert verdict(by, signed, people, districts) == expected


slugs = st.sampled_from([*PEOPLE, "stranger"])


@given(slugs, st.sets(slugs), st.integers(0, 1000), st.none() | st.frozensets(st.sampled_from(["bromma", "kista"])))
def test_a_letter_for_two_never_goes_by_one(
    by: str, signed: set[str], people: int, districts: frozenset[str] | None
) -> None:
    found = verdict(by, signed, people, districts)

    assert not found.awaited & signed
    if found.granted:
        able = {it.slug for it in PEOPLE.values() if it.may_approve and it.covers(districts)}
        assert by in signed
        assert signed & able
        assert (people <= LIMIT and PEOPLE[by].covers(districts)) or len(signed & able | {by}) > 1
