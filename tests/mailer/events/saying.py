"""A rally, as tests say it."""

from datetime import UTC, datetime

from mailer.events.details import Details, Shift, Step

ZONE = "Europe/Stockholm"


def a_rally(**values: object) -> Details:
    defaults: dict[str, object] = {
        "title": "Första maj",
        "starts_at": datetime(2027, 5, 1, 11, tzinfo=UTC),
        "ends_at": datetime(2027, 5, 1, 14, tzinfo=UTC),
        "zone": ZONE,
        "place": "Norra Bantorget",
    }
    return Details(**(defaults | values))  # type: ignore[arg-type]  # values are the test's own


def a_step(hour: int, what: str = "Samling", place: str = "Norra Bantorget") -> Step:
    return Step(datetime(2027, 5, 1, hour, tzinfo=UTC), what, place)


def a_shift(hour: int = 12, needs: int = 4, place: str = "Torget") -> Shift:
    return Shift(datetime(2027, 5, 1, hour, tzinfo=UTC), datetime(2027, 5, 1, hour + 2, tzinfo=UTC), place, needs)
