"""What comes back, and where it is taken in."""

from typing import Annotated, Literal

from pydantic import Field, SecretStr

from mailer.config.values import FromCommas, OptionalAddress, OptionalDomain, Section


class Imap(Section):
    """[feedback.imap]: a mailbox that is read; the password comes from UTSKICK_FEEDBACK__IMAP__PASSWORD."""

    host: str = ""  # none: no mailbox is read
    port: int = Field(993, ge=1, le=65535)
    security: Literal["tls", "starttls"] = "tls"
    ca_file: str = ""  # the authority of a server whose certificate no public one signed
    username: str = ""
    password: SecretStr = SecretStr("")
    folder: str = Field("INBOX", pattern=r"^[ -~]+$")
    processed: str = Field("Utskick/processed", pattern=r"^[ -~]+$")


class Receive(Section):
    """[feedback.receive]: where `utskick receive` takes mail from a mail server."""

    host: str = "127.0.0.1"
    port: int = Field(8024, ge=0, le=65535)
    protocol: Literal["lmtp", "smtp"] = "lmtp"


class Feedback(Section):
    bounce_domain: OptionalDomain = ""
    addresses: Annotated[tuple[str, ...], FromCommas] = ()
    forward_to: OptionalAddress = ""
    imap: Imap = Imap()
    receive: Receive = Receive()
