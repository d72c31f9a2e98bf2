"""Service: serve."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import closing
from typing import Annotated, Any, Final

import typer

from judge.cli.arguments import DEFAULT_STUDY, DbOption, JsonOption, StudyArgument, open_study
from judge.cli.console import emit, note, say
from judge.errors import JudgeError

LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")


def serve(
    study: StudyArgument = DEFAULT_STUDY,
    host: Annotated[str, typer.Option("--host", help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="The port; 0 takes a free one.")] = 8000,
    public_url: Annotated[
        str | None, typer.Option("--public-url", help="How people reach it through a proxy, such as https://judge.example")
    ] = None,
    insecure: Annotated[bool, typer.Option("--insecure-http", help="Serve plain HTTP to other machines.")] = False,
    db: DbOption = None,
    as_json: JsonOption = False,
) -> None:
    """Open the review in the browser: for annotators, and for the owner by a one-time link.

    Example: judge serve study.yaml --port 8000
    """
    if host not in LOOPBACK and not insecure and not (public_url or "").startswith("https://"):
        raise JudgeError(
            f"{host} would serve plain HTTP to other machines",
            at="--host",
            hint="put an https proxy before it and say --public-url https://..., or accept it with --insecure-http",
        )
    opened = open_study(study, db)
    with opened.database() as database, closing(_listen(host, port)) as listener:
        address = (public_url or _address(host, listener)).rstrip("/")
        link = opened.owner_link(database, address)
        if as_json:
            emit({"event": "ready", "url": address, "owner_link": link})
        else:
            say(f"Serving {opened.path} at {address}")
            say(f"Owner, once: {link}")
            note("Invite annotators on the owner's page or with `judge review invite`. Ctrl-C ends the server.")
        _run(opened, database, address, listener, public_url)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named as TCP, for else the event loop leaves Nagle's delay on.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise JudgeError(f"port {port} cannot be taken: {error.strerror}", at="--port", hint="choose another, or 0") from error
    return listener


def _address(host: str, listener: socket.socket) -> str:
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{listener.getsockname()[1]}"


def _run(opened: Any, database: Any, address: str, listener: socket.socket, public_url: str | None) -> None:
    from urllib.parse import urlsplit

    import uvicorn

    from judge.workflow.serving import Owner
    from review_ui.app import create_app

    names = {*LOOPBACK, urlsplit(address).hostname or "", listener.getsockname()[0]}
    app = create_app(
        database,
        owner=Owner(opened.path, database, opened.clock, lambda: address),
        allowed_hosts=sorted(names),
        https=(public_url or "").startswith("https://"),
        clock=opened.clock,
    )
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,  # the path of an invitation is a secret
        server_header=False,
        timeout_graceful_shutdown=3,
    )
    uvicorn.Server(config).run(sockets=[listener])


COMMANDS: Final[dict[str, Callable[..., Any]]] = {"serve": serve}
