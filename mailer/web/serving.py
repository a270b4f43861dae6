"""Uvicorn, told what matters here: no server name, no log of tokens, and a taken port said in a sentence."""

import errno
import socket

import uvicorn
from fastapi import FastAPI

from mailer.errors import Mistake
from mailer.web.connection import Connection


def listen(host: str, port: int, *, table: str = "web") -> socket.socket:
    """Return a socket that listens; port 0 takes a free one. `table` of the config is what a mistake names.

    raises  Mistake  when the port is taken or not ours to take, or the host is none of this machine's
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise Mistake("Port {port} is taken: set {table}.port to another one.", port=port, table=table) from None
        if error.errno == errno.EACCES:
            raise Mistake(
                "Port {port} needs root: set {table}.port to one above 1023.", port=port, table=table
            ) from None
        raise Mistake("{host} is no address of this machine: correct {table}.host.", host=host, table=table) from None


def server_of(web: FastAPI) -> uvicorn.Server:
    """Return a server to `run(sockets=[listen(...)])`; setting its `should_exit` ends it after what it is doing."""
    return uvicorn.Server(
        uvicorn.Config(
            web,
            http=Connection,
            server_header=False,
            access_log=False,
            log_config=None,
            log_level="warning",
            ws="none",
            lifespan="off",
            proxy_headers=False,  # nobody here asks who is calling
            timeout_graceful_shutdown=10,
        )
    )
