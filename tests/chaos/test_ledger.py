"""The check of the chaos harness finds each kind of fault: a harness that cannot fail shows nothing."""

from dataclasses import replace

import pytest

from tests.chaos.ledger import WHOLE, Acceptance, Account, Letter, faults

ANNA, BO, CILLA, DORIS = (Letter(1, f"{name}@example.org") for name in ("anna", "bo", "cilla", "doris"))
GOOD = Account(
    acceptances=[Acceptance(ANNA, WHOLE), Acceptance(CILLA, WHOLE)],
    books={ANNA: "sent", BO: "failed", CILLA: "uncertain", DORIS: "uncertain"},
    candidates={1: 4},
    unfinished=[],
    bound=2,
)


def test_a_true_account_has_no_fault():
    assert faults(GOOD) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"acceptances": [*GOOD.acceptances, Acceptance(CILLA, WHOLE)]}, "accepted 2 times"),
        ({"acceptances": [Acceptance(ANNA, "empty")]}, "arrived empty"),
        ({"acceptances": []}, "called sent and never arrived"),
        ({"acceptances": [*GOOD.acceptances, Acceptance(BO, WHOLE)]}, "called failed and arrived"),
        ({"acceptances": [*GOOD.acceptances, Acceptance(Letter(2, "anna@example.org"), WHOLE)]}, "in no book"),
        ({"books": {**GOOD.books, BO: "queued"}}, "4 candidates and settled 3"),
        ({"candidates": {1: 5}}, "5 candidates and settled 4"),
        ({"unfinished": [1]}, "never done"),
        ({"bound": 1}, "2 deliveries are uncertain"),
    ],
)
def test_each_kind_of_fault_is_found(change: dict[str, object], said: str):
    found = faults(replace(GOOD, **change))  # type: ignore[arg-type]  # one field each

    assert len(found) == 1
    assert said in found[0]
