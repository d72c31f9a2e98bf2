"""The web application: pages for annotators and for the owner, behind one gate."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from litestar import Litestar
from litestar.config.compression import CompressionConfig
from litestar.datastructures import State

from judge.clock import Clock, utc_now
from judge.store.database import Database
from review_ui import entrance
from review_ui.desk import routes as desk
from review_ui.failures import answer_failure
from review_ui.owner import routes as owner_pages
from review_ui.owner.service import OwnerService
from review_ui.security import BODY_LIMIT, Attempts, Gate, add_headers
from review_ui.sessions import Sessions

LOOPBACK = ("127.0.0.1", "localhost", "::1")


def create_app(
    database: Database,
    *,
    owner: OwnerService,
    allowed_hosts: Collection[str] = LOOPBACK,
    https: bool = False,
    clock: Clock = utc_now,
    more: Sequence[Any] = (),
) -> Litestar:
    """Make the application over an open database; whoever opened it closes it.

    owner: the owner's verbs.  allowed_hosts: names, without ports, under which the service may be called; `*` for any.
    https: it is reached by https, so cookies are for https only.  more: further route handlers (the API), which answer
    nobody until `review_ui.security.ROUTES` lists them.
    Run it with uvicorn's `server_header=False` and `access_log=False`: the path of an invitation is a secret.
    """
    sessions = Sessions(database, clock, https=https)
    return Litestar(
        route_handlers=[*entrance.HANDLERS, *desk.HANDLERS, *owner_pages.HANDLERS, *more],
        middleware=[Gate(sessions, allowed_hosts)],
        before_send=[add_headers],
        exception_handlers={Exception: answer_failure},
        compression_config=CompressionConfig(backend="gzip", gzip_compress_level=6),
        request_max_body_size=BODY_LIMIT,
        state=State({"database": database, "sessions": sessions, "clock": clock, "owner": owner, "attempts": Attempts()}),
        openapi_config=None,
        logging_config=None,
        debug=False,
    )
