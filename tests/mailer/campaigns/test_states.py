from datetime import timedelta

import pytest

from mailer.campaigns.states import Action, CampaignState, Facts, is_open, require, state_of
from mailer.errors import Mistake
from mailer.outbox.states import MailingState
from tests.builders import MOMENT


def facts(mailing: MailingState = MailingState.APPROVED, **values: object) -> Facts:
    return Facts(mailing, content="now", **values)  # type: ignore[arg-type]  # values are the test's own


def test_a_text_that_changed_after_approval_is_a_draft_again_whatever_its_mailing_says():
    assert state_of(facts(approved="now")) is CampaignState.APPROVED
    assert state_of(facts(approved="before")) is CampaignState.DRAFT
    assert state_of(facts(approved="before", send_at=MOMENT)) is CampaignState.DRAFT
    assert not is_open(Action.SEND, facts(approved="before", send_at=MOMENT))


def test_a_test_counts_for_the_text_that_was_tested():
    assert state_of(facts(MailingState.DRAFT, tested="now")) is CampaignState.TESTED
    assert state_of(facts(MailingState.DRAFT, tested="before")) is CampaignState.DRAFT


def test_an_approved_one_with_a_time_is_scheduled():
    assert state_of(facts(approved="now", send_at=MOMENT + timedelta(days=1))) is CampaignState.SCHEDULED


@pytest.mark.parametrize("mailing", [MailingState.PLANNED, MailingState.PAUSED, MailingState.HELD])
def test_once_its_letters_are_in_the_outbox_it_can_only_be_withdrawn(mailing: MailingState):
    sent = facts(mailing, approved="now", planned=True)

    assert [action for action in Action if is_open(action, sent)] == [Action.WITHDRAW]


@pytest.mark.parametrize("mailing", [MailingState.DONE, MailingState.CANCELLED])
def test_what_is_over_is_over(mailing: MailingState):
    assert not any(is_open(action, facts(mailing, approved="now", planned=True)) for action in Action)


def test_what_is_held_before_it_was_planned_can_be_mended_or_sent():
    held = facts(MailingState.HELD, approved="now")

    assert {action for action in Action if is_open(action, held)} == set(Action) - {Action.SCHEDULE}


def test_sending_what_nobody_approved_says_what_to_run():
    with pytest.raises(Mistake, match="utskick campaigns approve sommar"):
        require(Action.SEND, facts(MailingState.DRAFT), "sommar")
    with pytest.raises(Mistake, match="is done"):
        require(Action.WRITE, facts(MailingState.DONE), "sommar")
