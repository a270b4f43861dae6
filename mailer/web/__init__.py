"""The pages: leaving, choosing, reading. Parse what was asked, open a transaction, call one function, show a page."""

from mailer.web.assembly import create_web
from mailer.web.serving import listen, server_of
from mailer.web.watching import create_watch

__all__ = ["create_watch", "create_web", "listen", "server_of"]
