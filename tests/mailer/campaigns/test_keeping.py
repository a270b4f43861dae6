"""Texts go as letters do; what was approved in words stays for years; nobody it went to stays at all."""

from datetime import timedelta
from functools import partial

from mailer import db
from mailer.campaigns.sending import send_now
from mailer.config.members import Retention
from mailer.members import retention
from mailer.outbox.models import DeliveryState
from tests.builders import MOMENT
from tests.mailer.campaigns.conftest import Town


def run(town: Town, days: int) -> dict[str, int]:
    later = MOMENT + timedelta(days=days, hours=1)
    return retention.run(partial(db.writing, town.engine), Retention(), later)


def test_a_text_goes_after_the_letters_and_its_record_after_years(town: Town):
    town.member("bromma")
    for name in ("sommar", "host"):
        town.write(name)
    town.approve()
    send_now(town.post, "sommar", MOMENT)
    town.settle(DeliveryState.SENT)

    assert run(town, 399)["texts of campaigns"] == 0
    assert run(town, 400)["texts of campaigns"] == 1
    assert town.campaign().source is None
    assert town.campaign("host").source is not None  # it is being written
    assert town.record().rule_sv == "Alla som får Veckobrevet."
    assert town.record().approved_by == "bo"
    assert run(town, 3650)["records of campaigns"] == 1
