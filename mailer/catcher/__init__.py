"""A local mail server that keeps what it is sent, and an inbox page to look at it. For demo and for trying things.

`async with Catcher(folder) as catcher:` opens both on free ports: `catcher.smtp_port`, `catcher.web_address`.
"""

from mailer.catcher.serving import STOCKHOLM, Catcher, serve_catcher

__all__ = ["STOCKHOLM", "Catcher", "serve_catcher"]
