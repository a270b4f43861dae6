"""A nonce shows that a form was sent from a page of ours which somebody opened lately.

Mail scanners follow links and now and then POST to them; they do not open the page, read its form and send that.
Nothing is stored: a nonce is a token for this member that carries the hour it was issued.
"""

from datetime import datetime

from mailer.links import Purpose, Tokens

HOURS = 24  # a page may lie open over night


def issue(tokens: Tokens, member: int, now: datetime) -> str:
    return tokens.make(Purpose.FORM, member, _hour(now))


def holds(tokens: Tokens, nonce: str, member: int, now: datetime) -> bool:
    """Tell whether `nonce` was issued to this member's page within the last HOURS."""
    claim = tokens.read(nonce, Purpose.FORM)
    return claim is not None and claim.member == member and 0 <= _hour(now) - claim.mailing <= HOURS


def _hour(now: datetime) -> int:
    """Hours since 1970: they fill the 24 bits of a mailing in the year 3883."""
    return int(now.timestamp()) // 3600
