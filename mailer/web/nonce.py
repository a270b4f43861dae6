"""A nonce shows that a form was sent from a page of ours which somebody opened lately.

Mail scanners follow links and now and then POST to them; they do not open the page, read its form and send that.
Nothing is stored: a nonce is a token for this member that carries the hour it was issued.
"""

from datetime import UTC, datetime, timedelta

from mailer.links import Purpose, Tokens, hour_of

HOURS = 24  # a page may lie open over night
READING = timedelta(seconds=3)  # nobody reads a form, fills it in and sends it in less; programs do


def issue(tokens: Tokens, member: int, now: datetime) -> str:
    return tokens.make(Purpose.FORM, member, hour_of(now))


def holds(tokens: Tokens, nonce: str, member: int, now: datetime) -> bool:
    """Tell whether `nonce` was issued to this member's page within the last HOURS."""
    claim = tokens.read(nonce, Purpose.FORM)
    return claim is not None and claim.member == member and 0 <= hour_of(now) - claim.mailing <= HOURS


def issue_to_anyone(tokens: Tokens, now: datetime) -> str:
    """As `issue`, for a page that is nobody's own: it carries the second."""
    return tokens.make(Purpose.SIGN_UP, int(now.timestamp()), 0)


def was_read(tokens: Tokens, nonce: str, now: datetime) -> bool:
    """Tell whether `nonce` was issued to anyone within the last HOURS, and not just now: the time trap."""
    claim = tokens.read(nonce, Purpose.SIGN_UP)
    if claim is None:
        return False
    return READING <= now - datetime.fromtimestamp(claim.member, UTC) <= timedelta(hours=HOURS)
