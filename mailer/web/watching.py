"""For whoever watches over the installation: is it alive, is it ready, and how is it. Names no person and no place."""

import hmac
from collections.abc import Iterator, Mapping
from typing import Annotated

import structlog
from fastapi import APIRouter, FastAPI, Header, Request
from fastapi.responses import PlainTextResponse
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector
from starlette.exceptions import HTTPException

from mailer import db
from mailer.app import App
from mailer.errors import Mistake, Trouble
from mailer.feedback import intake
from mailer.outbox import gauges, tallies
from mailer.outbox.gauges import Gauges
from mailer.outbox.states import BreakerState
from mailer.web.guard import Guard

log = structlog.get_logger()
router = APIRouter()
_OUTCOMES = ("sent", "failed", "cancelled", "uncertain", tallies.DEFERRED)


def create_watch(app: App) -> FastAPI:
    """Return the pages of the listener of its own: /metrics, /healthz and /readyz."""
    watch = FastAPI(title="Utskick", openapi_url=None)
    watch.state.installation = app
    watch.include_router(router)
    watch.add_api_route("/metrics", metrics)
    watch.add_middleware(Guard)
    return watch


@router.get("/healthz")
async def alive() -> PlainTextResponse:
    """This process answers; nothing else is asked."""
    return PlainTextResponse("ok\n")


@router.get("/readyz")
def ready(request: Request) -> PlainTextResponse:
    """Whether letters can go: the database is there and of this version, and a worker lives. 503 otherwise."""
    app: App = request.app.state.installation
    try:
        db.require_current(app.bare_engine)
        with db.reading(app.bare_engine) as session:
            workers = tallies.alive(session.connection(), since=app.now() - gauges.ALIVE)
    except (Mistake, Trouble) as error:
        log.warning("not ready", reason=str(error))
        return PlainTextResponse("database: no\n", status_code=503)
    words = f"database: yes\nworkers: {workers}\n"
    return PlainTextResponse(
        words, status_code=200 if workers else 503, headers={} if workers else {"Retry-After": "30"}
    )


def metrics(request: Request, authorization: Annotated[str, Header()] = "") -> PlainTextResponse:
    """Everything for Prometheus. With a token in the config, only for who shows it as a bearer token."""
    app: App = request.app.state.installation
    token = app.settings.metrics.token.get_secret_value()
    if token and not hmac.compare_digest(authorization.encode(), f"Bearer {token}".encode()):
        raise HTTPException(401, headers={"WWW-Authenticate": "Bearer"})
    with app.reading() as session:
        read = gauges.read(session.connection(), app.settings.outbox.providers, now=app.now())
        incoming = intake.counted(session)
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Once(read, incoming))
    return PlainTextResponse(generate_latest(registry), media_type=CONTENT_TYPE_PLAIN_0_0_4)


class _Once(Collector):
    """What was read for one answer."""

    def __init__(self, read: Gauges, incoming: Mapping[str, int]) -> None:
        self._read = read
        self._incoming = incoming

    def collect(self) -> Iterator[Metric]:
        read = self._read
        yield GaugeMetricFamily("utskick_queue_deliveries", "Deliveries that wait to be sent.", read.waiting)
        yield GaugeMetricFamily("utskick_deferred_deliveries", "Of those, put off until later.", read.deferred)
        yield GaugeMetricFamily("utskick_oldest_due_seconds", "For how long the oldest is overdue.", read.oldest_due)
        yield GaugeMetricFamily("utskick_workers", "Workers heard of in the last minute.", read.workers)
        yield _by("utskick_mailings", "Mailings by state.", ["state"], {(k,): v for k, v in read.mailings.items()})
        yield _by("utskick_provider_state", "1 for the state a provider is in.", ["provider", "state"], self._states())
        yield self._outcomes()
        yield self._seconds()
        yield self._came_in()

    def _states(self) -> dict[tuple[str, ...], float]:
        states = (gauges.UP, *(state.value for state in BreakerState))
        return {
            (name, state): float(state == current) for name, current in self._read.providers.items() for state in states
        }

    def _outcomes(self) -> Metric:
        family = CounterMetricFamily(
            "utskick_deliveries",
            "What became of attempts; a deferred one is tried again.",
            labels=["provider", "outcome"],
        )
        for provider in self._carriers():
            for outcome in _OUTCOMES:
                family.add_metric([provider, outcome], self._read.tallies.get((provider, outcome), 0.0))
        return family

    def _came_in(self) -> Metric:
        family = CounterMetricFamily(
            "utskick_incoming_mails", "Mails that came to us, by what they are.", labels=["what"]
        )
        for what, number in self._incoming.items():
            family.add_metric([what], number)
        return family

    def _seconds(self) -> Metric:
        family = HistogramMetricFamily(
            "utskick_send_seconds", "From the irrevocable line to the answer.", labels=["provider"]
        )
        for provider in self._carriers():
            total, buckets = 0.0, []
            for bound in tallies.BOUNDS:
                total += self._read.tallies.get((provider, tallies.TOOK.format(bound)), 0.0)
                buckets.append(("+Inf" if bound == tallies.BOUNDS[-1] else f"{bound:g}", total))
            family.add_metric([provider], buckets, self._read.tallies.get((provider, tallies.SUM), 0.0))
        return family

    def _carriers(self) -> list[str]:
        """Return who carries now or ever did; "" is nobody: cancelled before."""
        return sorted({*self._read.providers, *(provider for provider, _ in self._read.tallies)})


def _by(name: str, text: str, labels: list[str], values: dict[tuple[str, ...], float]) -> Metric:
    family = GaugeMetricFamily(name, text, labels=labels)
    for key, value in values.items():
        family.add_metric(key, value)
    return family
