"""A fixed share of `make chaos`: the same harness, fewer kills."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.afflictions import afflict
from tests.chaos.siege import besieged
from tests.databases import BOTH
from tests.postgres import Cluster

KILLS = 20


@pytest.fixture(params=BOTH)
def cluster(request: pytest.FixtureRequest) -> Iterator[Cluster | None]:
    """A server of its own, as it is going to be killed; none for SQLite."""
    if request.param == "sqlite":
        yield None
        return
    cluster = Cluster()
    yield cluster
    cluster.stop()


def test_whatever_happens_every_recipient_is_accounted_for(cluster: Cluster | None, tmp_path: Path):
    with besieged(tmp_path, "share", members=250, cluster=cluster, say=print) as siege:
        afflict(siege, kills=KILLS)
        siege.finish()

        assert siege.faults() == [], siege.log.read_text()[-4000:]
        assert siege.tally.kills >= KILLS
