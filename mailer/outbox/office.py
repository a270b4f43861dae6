"""What a worker works with."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path

import sqlalchemy as sa

from mailer.outbox.batches import Terms
from mailer.outbox.carriers import Carrier
from mailer.outbox.compose import Composer


@dataclass(frozen=True)
class Office:
    """What the program was wired to for sending. `journals` is a folder on this machine's own disk."""

    engine: sa.Engine
    journals: Path
    carriers: Sequence[Carrier]
    composer: Composer
    give_up_after: timedelta
    now: Callable[[], datetime]
    terms: Terms
    send_within: timedelta = timedelta(days=7)
    zone: tzinfo = UTC  # of quiet hours and of the days of a warm-up
