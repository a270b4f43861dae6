"""/metrics, /healthz and /readyz."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr, ValidationError

from mailer import db
from mailer.app import App
from mailer.config.site import Metrics
from mailer.errors import ProviderDown
from mailer.outbox import carriers, tallies
from mailer.outbox.ledger import Line
from mailer.outbox.states import DeliveryState
from mailer.outbox.verdicts import Verdict
from mailer.web import create_watch
from tests.mailer.web.conftest import Site


def watch(app: App) -> TestClient:
    return TestClient(create_watch(app), follow_redirects=False)


_LABELS = ("provider", "outcome", "state", "le")


def numbers(text: str) -> dict[tuple[str, ...], float]:
    """Return every sample by its name and the values of its labels."""
    return {
        (sample.name, *(sample.labels[name] for name in _LABELS if name in sample.labels)): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def carry(site: Site) -> None:
    """One letter was sent in 0.2 s, one failed, and the provider rests."""
    counted = tallies.Tallies()
    counted.count(
        [
            Line(1, Verdict(DeliveryState.SENT), "smtp", 0.2),
            Line(2, Verdict(DeliveryState.FAILED), "smtp", 3.0),
        ]
    )
    with site.app.writing() as session:
        counted.add(session.connection(), at_once=True)
        tallies.here(session.connection(), "w", now=site.app.now())
        carriers.lie_down(session.connection(), "smtp", ProviderDown("{x}", x="no connection"), now=site.app.now())


def test_prometheus_reads_everything_and_the_histogram_adds_up(site: Site):
    carry(site)

    answer = watch(site.app).get("/metrics")

    read = numbers(answer.text)
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert read["utskick_deliveries_total", "smtp", "sent"] == 1
    assert read["utskick_deliveries_total", "smtp", "failed"] == 1
    assert read["utskick_provider_state", "smtp", "open"] == 1
    assert read["utskick_provider_state", "smtp", "up"] == 0
    assert read["utskick_workers",] == 1
    assert read["utskick_queue_deliveries",] == 0
    assert read["utskick_send_seconds_bucket", "smtp", "0.1"] == 0
    assert read["utskick_send_seconds_bucket", "smtp", "0.25"] == 1
    assert read["utskick_send_seconds_bucket", "smtp", "+Inf"] == read["utskick_send_seconds_count", "smtp"] == 2
    assert read["utskick_send_seconds_sum", "smtp"] == pytest.approx(3.2)


def test_no_label_names_a_person_or_a_place(site: Site):
    carry(site)

    text = watch(site.app).get("/metrics").text

    for word in ("bromma", "anna", "cecilia", "example.org", "weekly"):
        assert word not in text.lower()


def test_the_pages_of_members_have_no_metrics(site: Site):
    assert site.client.get("/metrics").status_code == 404


def test_with_a_token_only_whoever_shows_it_is_told(site: Site):
    metrics = Metrics(host="0.0.0.0", port=9464, token=SecretStr("hemligt"))  # noqa: S104  nobody listens
    site.app.settings = site.app.settings.model_copy(update={"metrics": metrics})
    client = watch(site.app)

    assert client.get("/metrics").status_code == 401
    assert client.get("/metrics", headers={"Authorization": "Bearer fel"}).status_code == 401
    assert client.get("/metrics", headers={"Authorization": "Bearer hemligt"}).status_code == 200


def test_where_others_can_reach_it_there_must_be_a_token():
    with pytest.raises(ValidationError, match="UTSKICK_METRICS__TOKEN"):
        Metrics(host="0.0.0.0", port=9464)  # noqa: S104  as above
    assert Metrics(host="0.0.0.0").port == 0  # noqa: S104  as above


def test_alive_asks_nothing_of_the_database_and_ready_does(site: Site):
    assert site.client.get("/readyz").status_code == 503  # no worker lives
    with site.app.writing() as session:
        tallies.here(session.connection(), "w", now=site.app.now())
    assert site.client.get("/readyz").text == "database: yes\nworkers: 1\n"

    site.watch.at += timedelta(minutes=2)
    assert site.client.get("/readyz").text == "database: yes\nworkers: 0\n"

    with db.writing(site.app.engine) as session:
        session.execute(sa.text("UPDATE alembic_version SET version_num = '0001'"))
    assert site.client.get("/readyz").status_code == 503
    assert site.client.get("/readyz").text == "database: no\n"
    assert site.client.get("/healthz").text == "ok\n"
