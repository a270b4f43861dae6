"""Uvicorn, told what matters here: no server name, no log of tokens, and a taken port said in a sentence."""

import errno
import socket

import uvicorn
from fastapi import FastAPI

from mailer.errors import Mistake


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens; port 0 takes a free one.

    raises  Mistake  when the port is taken or not ours to take, or the host is none of this machine's
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise Mistake("Port {port} is taken: set web.port to another one.", port=port) from None
        if error.errno == errno.EACCES:
            raise Mistake("Port {port} needs root: set web.port to one above 1023.", port=port) from None
        raise Mistake("{host} is no address of this machine: correct web.host.", host=host) from None


def server_of(web: FastAPI) -> uvicorn.Server:
    """Return a server to `run(sockets=[listen(...)])`; setting its `should_exit` ends it after what it is doing."""
    return uvicorn.Server(
        uvicorn.Config(
            web,
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
