"""Swedish personal identity numbers: recognised so that they are never taken into the register.

Source: Skatteverket SKV 704 (ten or twelve digits; a coordination number adds 60 to the day; the last digit
is a Luhn check over the nine before it).
"""

import re

_FORM = re.compile(r"(?:18|19|20)?([0-9]{2})(0[1-9]|1[0-2])([0-9]{2})([-+ ]?)([0-9]{3})([0-9])")
_COORDINATION = 60


def is_identity_number(text: str) -> bool:
    """Say whether `text` has the form, a possible date and the right check digit."""
    form = _FORM.fullmatch(text.strip())
    if form is None:
        return False
    year, month, day, _, serial, check = form.groups()
    if not 1 <= int(day) % _COORDINATION <= 31:  # noqa: PLR2004  # days of a month
        return False
    total = 0
    for place, digit in enumerate(year + month + day + serial):
        doubled = int(digit) * (2 - place % 2)
        total += doubled // 10 + doubled % 10
    return (10 - total % 10) % 10 == int(check)


def is_written_as_one(text: str) -> bool:
    """Say whether `text` is surely meant as one: the hyphen before the last four says so."""
    return is_identity_number(text) and text.strip()[-5] in "-+"
