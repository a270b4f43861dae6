"""Amazon's notification service: topic, certificate, both kinds of signature, and the question whether we want it."""

from datetime import timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.builders import MOMENT
from tests.mailer.web.tellers import (
    CERTIFICATE,
    SCALEWAY,
    SCALEWAY_CERTIFICATE,
    SCALEWAY_ISSUERS,
    SCALEWAY_TOPIC,
    SES,
    SUBSCRIBE,
    TOPIC,
    Posting,
    as_json,
    certificate,
    scaleway_envelope,
    sns,
)
from tests.mailer.web.test_hooks import Desk, bounce_of
from tests.mailer.web.test_hooks import desk as desk  # noqa: PLC0414  # a fixture


def notification(desk: Desk, **fields: Any) -> dict[str, Any]:
    event = as_json(bounce_of(SES).event(desk.token())).decode()
    return {"Type": "Notification", "Message": event, "Subject": "Amazon SES Email Event", **fields}


@pytest.mark.parametrize("version", ["1", "2"])
def test_both_kinds_of_signature_are_known(desk: Desk, version: str) -> None:
    assert desk.send(SES, sns(notification(desk), MOMENT, version=version)).status_code == 204
    assert len(desk.feedback()) == 1


def test_a_message_without_a_subject_is_signed_without_one(desk: Desk) -> None:
    fields = notification(desk)
    del fields["Subject"]

    assert desk.send(SES, sns(fields, MOMENT)).status_code == 204


@pytest.mark.parametrize(
    "fields",
    [
        {"TopicArn": "arn:aws:sns:eu-north-1:999999999999:theirs"},  # signed by Amazon as well as ours
        {"SigningCertURL": "https://sns.eu-north-1.amazonaws.com.example.net/x.pem"},
        {"SigningCertURL": "https://example.net/sns.eu-north-1.amazonaws.com/x.pem"},
        {"SigningCertURL": "http://sns.eu-north-1.amazonaws.com/x.pem"},
        {"SigningCertURL": "https://sns.us-east-1.amazonaws.com/x.pem"},  # not our topic's region
        {"SigningCertURL": "https://user@sns.eu-north-1.amazonaws.com/x.pem"},
        {"SigningCertURL": "https://sns.eu-north-1.amazonaws.com/x.pem?y"},
        {"SigningCertURL": "https://sns.eu-north-1.amazonaws.com:444/x.pem"},
        {"SignatureVersion": "3"},
        {"Type": "Rumour"},
        {"Timestamp": "yesterday"},
    ],
    ids=str,
)
def test_an_envelope_that_is_not_of_our_topic_changes_nothing_and_fetches_nothing(
    desk: Desk, fields: dict[str, str]
) -> None:
    before = desk.site.dump()

    assert desk.send(SES, sns(notification(desk, **fields), MOMENT)).status_code == 403
    assert desk.site.dump() == before
    assert not desk.shelf.opened


@pytest.mark.parametrize("name", ["x-amz-sns-message-type", "x-amz-sns-message-id"])
def test_header_and_body_have_to_agree(desk: Desk, name: str) -> None:
    good = sns(notification(desk), MOMENT)
    before = desk.site.dump()

    assert desk.send(SES, Posting({**good.headers, name: "SubscriptionConfirmation"}, good.body)).status_code == 403
    assert desk.site.dump() == before


def test_the_certificate_is_fetched_once(desk: Desk) -> None:
    for minutes in range(3):
        desk.send(SES, sns(notification(desk), MOMENT - timedelta(minutes=minutes)))

    assert desk.shelf.opened == [CERTIFICATE]


def test_when_the_certificate_cannot_be_had_they_are_asked_to_come_back(desk: Desk) -> None:
    desk.shelf.is_away = True
    before = desk.site.dump()
    good = sns(notification(desk), MOMENT)

    answer = desk.send(SES, good)

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "60")
    assert desk.site.dump() == before
    desk.shelf.is_away = False
    assert desk.send(SES, good).status_code == 204


def test_a_certificate_that_has_ended_proves_nothing(desk: Desk) -> None:
    desk.site.watch.at = MOMENT + timedelta(days=301)

    assert desk.send(SES, sns(notification(desk), desk.site.watch())).status_code == 403


def confirmation(**fields: str) -> dict[str, str]:
    asked = {"Type": "SubscriptionConfirmation", "Message": "You have chosen to subscribe.", "Token": "2336412f37fb"}
    return {**asked, "SubscribeURL": SUBSCRIBE, **fields}


def test_a_subscription_is_confirmed_and_that_is_logged(desk: Desk) -> None:
    with capture_logs() as lines:
        assert desk.send(SES, sns(confirmation(), MOMENT)).status_code == 204

    assert desk.shelf.opened == [CERTIFICATE, SUBSCRIBE]
    assert [line["event"] for line in lines if line["event"].startswith("hook")] == ["hook confirmed"]


@pytest.mark.parametrize(
    "url",
    [
        "https://example.net/?Action=ConfirmSubscription&Token=x",
        "http://sns.eu-north-1.amazonaws.com/?Action=ConfirmSubscription&Token=x",
        "https://sns.eu-north-1.amazonaws.com/?Action=DeleteTopic&TopicArn=x",
        "https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription&Token=x",
        "http://169.254.169.254/latest/meta-data",
    ],
)
def test_an_address_that_is_not_for_confirming_is_never_opened(desk: Desk, url: str) -> None:
    assert desk.send(SES, sns(confirmation(SubscribeURL=url), MOMENT)).status_code == 403
    assert desk.shelf.opened == [CERTIFICATE]


def test_whoever_asks_for_another_topic_or_with_another_key_is_not_confirmed(desk: Desk) -> None:
    other = TOPIC.replace("123456789012", "999999999999")

    assert desk.send(SES, sns(confirmation(TopicArn=other), MOMENT)).status_code == 403
    assert desk.send(SES, sns(confirmation(), MOMENT, key="another")).status_code == 403
    assert SUBSCRIBE not in desk.shelf.opened


def test_that_a_subscription_ended_is_kept_to_be_seen(desk: Desk) -> None:
    assert desk.send(SES, sns({**confirmation(), "Type": "UnsubscribeConfirmation"}, MOMENT)).status_code == 204
    assert desk.calls() == ["UnsubscribeConfirmation"]


def test_an_identity_that_has_no_tags_gives_back_the_message_id_that_we_wrote(desk: Desk) -> None:
    event = bounce_of(SES).event("")
    del event["mail"]["tags"]
    event["notificationType"] = event.pop("eventType")
    event["mail"]["headers"] = [{"name": "Message-ID", "value": f"<{desk.token()}@nyhet.example.org>"}]

    assert desk.send(SES, SES.post(event, MOMENT, True)).status_code == 204
    assert len(desk.feedback()) == 1


def of_scaleway(desk: Desk, **fields: Any) -> dict[str, Any]:
    event = as_json(bounce_of(SCALEWAY).event(desk.token())).decode()
    return {"Type": "Notification", "Message": event, **fields}


@pytest.mark.parametrize("version", ["1", "2"])
def test_scaleways_certificate_is_good_when_its_authority_issued_it(desk: Desk, version: str) -> None:
    for minutes in range(3):
        at = MOMENT - timedelta(minutes=minutes)
        assert desk.send(SCALEWAY, scaleway_envelope(of_scaleway(desk), at, version=version)).status_code == 204

    assert desk.shelf.opened == [SCALEWAY_CERTIFICATE, SCALEWAY_ISSUERS]
    assert len(desk.feedback()) == 1


@pytest.mark.parametrize(
    "issuers",
    [
        certificate("other", by="other", is_authority=True),
        certificate("authority", by="authority"),  # which may issue nothing
        certificate("scaleway", by="scaleway", is_authority=True),
    ],
    ids=["another authority", "no authority", "the same key"],
)
def test_a_certificate_that_another_issued_proves_nothing(desk: Desk, issuers: bytes) -> None:
    desk.shelf.lies[SCALEWAY_ISSUERS] = issuers
    before = desk.site.dump()

    assert desk.send(SCALEWAY, scaleway_envelope(of_scaleway(desk), MOMENT)).status_code == 403
    assert desk.site.dump() == before


@pytest.mark.parametrize("lies", [b"", b"<Error>NoSuchKey</Error>", b"-----BEGIN CERTIFICATE-----\nAA==\n"])
@pytest.mark.parametrize("url", [SCALEWAY_CERTIFICATE, SCALEWAY_ISSUERS])
def test_where_no_certificate_lies_they_are_asked_to_come_back(desk: Desk, url: str, lies: bytes) -> None:
    desk.shelf.lies[url] = lies or b"\n"

    assert desk.send(SCALEWAY, scaleway_envelope(of_scaleway(desk), MOMENT)).status_code == 503


@pytest.mark.parametrize(
    "fields",
    [
        {"TopicArn": SCALEWAY_TOPIC.replace("project", "others")},
        {"TopicArn": TOPIC},
        {"SigningCertURL": CERTIFICATE},
        {"SigningCertURL": "http://messaging.s3.fr-par.scw.cloud/x.pem"},
        {"SigningCertURL": "https://messaging.s3.fr-par.scw.cloud.example.net/x.pem"},
        {"SigningCertURL": "https://theirs.s3.fr-par.scw.cloud/x.pem"},
        {"SigningCertURL": "https://messaging.s3.fr-par.scw.cloud@example.net/x.pem"},
        {"MessageId": ""},
    ],
    ids=str,
)
def test_an_envelope_that_is_not_of_our_scaleway_topic_fetches_nothing(desk: Desk, fields: dict[str, str]) -> None:
    assert desk.send(SCALEWAY, scaleway_envelope(of_scaleway(desk, **fields), MOMENT)).status_code == 403
    assert not desk.shelf.opened


def test_scaleways_topic_is_confirmed_at_its_own_host_only(desk: Desk) -> None:
    url = "https://sns.mnq.fr-par.scaleway.com/?Action=ConfirmSubscription&Token=x"
    elsewhere = ("https://example.net/?Action=ConfirmSubscription", url.replace("fr-par", "nl-ams"))
    for asked in (url, *elsewhere, url.replace("https", "http")):
        desk.send(SCALEWAY, scaleway_envelope(confirmation(SubscribeURL=asked), MOMENT))

    assert desk.shelf.opened == [SCALEWAY_CERTIFICATE, SCALEWAY_ISSUERS, url]
