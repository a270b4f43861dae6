"""On what ground a letter reaches someone, in words; free of the database, so that decisions stay pure."""

from enum import StrEnum


class Stream(StrEnum):
    """What stops a letter.

    bulk       a publication: whoever does not subscribe, paused or is suppressed in any scope gets none of it
    statutory  what the statutes oblige us to send to every member, such as the call to an annual meeting
    asked      a letter to one who has just asked for it, such as a confirmation

    The last two are stopped by an `all` suppression only.
    """

    BULK = "bulk"
    STATUTORY = "statutory"
    ASKED = "asked"
