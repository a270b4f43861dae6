"""A fixed share of `make chaos`: the same harness, fewer kills."""

from pathlib import Path

from tests.chaos.afflictions import afflict
from tests.chaos.siege import besieged

KILLS = 20


def test_whatever_happens_every_recipient_is_accounted_for(tmp_path: Path):
    with besieged(tmp_path, "share", members=250, database=None, say=print) as siege:
        afflict(siege, kills=KILLS)
        siege.finish()

        assert siege.faults() == [], siege.log.read_text()[-4000:]
        assert siege.tally.kills >= KILLS
