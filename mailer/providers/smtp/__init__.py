"""SMTP: mail handed to a server, one round trip a message."""

from pathlib import Path

from mailer.providers import Provider
from mailer.providers.smtp.provider import Smtp, trust
from mailer.providers.smtp.settings import Patience, Settings, check

__all__ = ["Patience", "Settings", "open_provider"]


def open_provider(settings: Settings, *, data: Path) -> Provider:  # noqa: ARG001  every provider file has this form
    """Return the provider; nothing is connected before there is mail.

    raises  Mistake when the settings would send members' data in clear text, or ca_file cannot be read
    """
    return Smtp(check(settings), trust(settings))
