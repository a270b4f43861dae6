"""The ids of an audience come out as they went in, and take little room."""

import zlib
from array import array

from hypothesis import given
from hypothesis import strategies as st

from mailer.campaigns.people import People, unpacked

IDS = st.sets(st.integers(1, 2**40))


@given(IDS, st.integers(1, 2**40))
def test_whoever_went_in_comes_out_and_nobody_else(ids: set[int], other: int):
    people = unpacked(People(ids).packed())

    assert list(people) == sorted(ids)
    assert all(member in people for member in ids)
    assert (other in people) == (other in ids)


@given(IDS)
def test_what_was_approved_before_an_upgrade_is_read(ids: set[int]):
    assert list(unpacked(zlib.compress(array("q", sorted(ids)).tobytes(), level=1))) == sorted(ids)


def test_nobody_is_nobody():
    assert len(unpacked(None)) == len(unpacked(People().packed())) == 0


def test_a_register_takes_kilobytes():
    assert len(People(range(1, 100_001)).packed()) < 10_000
