"""The digest itself on the narrowest phone, light and dark, where pictures are off: in a real browser."""

from typing import Literal

import pytest
from playwright.sync_api import Browser

from tests.mailer.render.samples import a_digest, a_letter, a_recipient, a_section, an_item
from tests.mailer.render.test_digest import IMAGE, LETTERS

LONG = "Barnomsorgsverksamhetsutvecklingsplaneringen " * 3 + "å" * 400


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_digest_fits_a_phone_of_320_pixels_without_its_pictures(chromium: Browser, scheme: Literal["light", "dark"]):
    context = a_digest()
    context["sections"] += [a_section(an_item(15, image=IMAGE, title=LONG, teaser=LONG))]  # type: ignore[operator]  # a list
    html = LETTERS.show(a_letter(context=context), a_recipient()).html
    window = chromium.new_context(color_scheme=scheme, viewport={"width": 320, "height": 700})
    phone = window.new_page()
    phone.route("**/*", lambda route: route.abort())

    phone.set_content(html)

    assert phone.evaluate("document.documentElement.scrollWidth") == 320
    assert phone.get_by_alt_text(IMAGE["alt"]).first.bounding_box() is not None
    ground = phone.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)")
    assert (sum(ground[:3]) < 3 * 128) == (scheme == "dark")
    window.close()
