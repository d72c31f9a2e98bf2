"""Coming in by an invitation, and leaving.  A GET never uses a link up: previews and mail scanners fetch links too."""

from __future__ import annotations

from typing import Any, Final

from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.params import FromPath
from litestar.response import Redirect

from judge.access import LONGEST_NAME, Session, peek, redeem
from judge.errors import GoneError
from review_ui.pages import assets, html, render, version
from review_ui.security import LOOKING, address_of
from review_ui.transactions import read, write

Asked = Request[Session | None, Any, State]

FOR_EVER: Final = "public, max-age=31536000, immutable"
OFFERS: Final = {
    "owner": "You run this evaluation.",
    "annotator": "You will see two answers to the same prompt, side by side, and say which one is better.",
    "adjudicator": "You will decide where people disagreed.",
    "viewer": "You may look at the progress and the report.",
}


@get("/")
async def start(request: Asked) -> Response[Any]:
    """Send those who are in to their place."""
    if request.user is None:
        text = "Open the invitation link that you were given. This page remembers you from then on."
        return html(render("message.html", title="You need an invitation", text=text))
    return Redirect(home_of(request.user), status_code=303)


@get("/healthz")
async def healthy() -> Response[bytes]:
    """Say that the service answers."""
    return Response(b"ok", media_type="text/plain")


@get("/static/{version_:str}/{name:str}")
async def static(version_: FromPath[str], name: FromPath[str]) -> Response[bytes]:
    """Send a style sheet or a script; its URL changes with its content."""
    asset = assets().get(name) if version_ == version() else None
    if asset is None:
        raise GoneError("there is no such file")
    return Response(asset.content, media_type=asset.media_type, headers={"cache-control": FOR_EVER})


@get("/join/{token:str}")
async def show_invitation(request: Asked, token: FromPath[str]) -> Response[bytes]:
    """Show what a link offers, and nothing about the study."""
    offered = await read(request.app.state.database, peek, token, request.app.state.clock())
    if offered is None:
        return gone()
    return html(render("join.html", offer=OFFERS.get(offered.role, ""), longest=LONGEST_NAME))


@post("/join/{token:str}", status_code=303)
async def use_invitation(request: Asked, token: FromPath[str]) -> Response[Any]:
    """Use a link up and come in with a new session, whatever the browser had before."""
    request.app.state.attempts.count(address_of(request.scope))
    sessions = request.app.state.sessions
    name = str((await request.form()).get("name", ""))
    before = sessions.secret_in(request.headers.get("cookie", ""))
    try:
        session = await write(request.app.state.database, redeem, token, name, before, request.app.state.clock())
    except GoneError:
        return gone()
    return Redirect(home_of(session), status_code=303, cookies=[sessions.issue(session)])


@post("/leave", status_code=303)
async def leave(request: Asked) -> Response[Any]:
    """End the session."""
    sessions = request.app.state.sessions
    await sessions.end(sessions.secret_in(request.headers.get("cookie", "")) or "")
    return Redirect("/", status_code=303, cookies=[sessions.withdraw()])


HANDLERS: Final = (start, healthy, static, show_invitation, use_invitation, leave)


def home_of(session: Session) -> str:
    """Give the page where somebody of this role belongs."""
    return "/owner" if session.role in LOOKING else "/desk"


def gone() -> Response[bytes]:
    """Answer for a link that is no more."""
    text = "It was used, has expired or was withdrawn. Ask the person who sent it for a new one."
    return html(render("message.html", title="This link is no longer good", text=text), 410)
