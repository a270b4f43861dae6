from datetime import datetime, timedelta

from mailer.notices.causes import Cause, Telling, due


def a_cause(key: str = "draft:weekly:2024-W10", *, lasts: bool = False) -> Cause:
    return Cause(key=key, matter="draft", subject="Draft ready", lines=("It is.",), values={}, lasts=lasts)


def test_a_new_cause_is_told(now: datetime):
    assert due([a_cause()], {}, now) == [a_cause()]


def test_a_cause_is_told_once(now: datetime):
    told = {a_cause().key: Telling(now - timedelta(days=3), went_out=True)}

    assert due([a_cause()], told, now) == []


def test_a_notice_that_did_not_go_out_is_tried_again_after_an_hour_and_not_before(now: datetime):
    failed = {a_cause().key: Telling(now, went_out=False)}

    assert due([a_cause()], failed, now + timedelta(minutes=59)) == []
    assert due([a_cause()], failed, now + timedelta(hours=1)) == [a_cause()]


def test_what_lasts_is_told_again_each_day(now: datetime):
    lasting = a_cause(lasts=True)
    told = {lasting.key: Telling(now, went_out=True)}

    assert due([lasting], told, now + timedelta(hours=23)) == []
    assert due([lasting], told, now + timedelta(days=1)) == [lasting]
