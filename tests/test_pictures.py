"""Each letter can be looked at in the docs, as `make pictures` makes them."""

from itertools import product
from pathlib import Path

import pytest

from mailer.resources import resource

PICTURES = Path(__file__).parents[1] / "docs" / "pictures"
LETTERS = sorted(folder.name for folder in (resource("templates") / "email").iterdir() if folder.name[0] != "_")


@pytest.mark.parametrize("letter", LETTERS)
def test_there_is_a_picture_of_every_letter_light_and_dark_on_phone_and_desktop(letter: str):
    views = [f"{letter}-{device}-{scheme}.png" for device, scheme in product(("phone", "desktop"), ("light", "dark"))]

    assert [view for view in views if not (PICTURES / view).is_file()] == []
