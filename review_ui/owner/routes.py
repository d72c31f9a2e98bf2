"""The owner's page: how far people are, invitations, closing, the report."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from litestar import Request, Response, get, post
from litestar.datastructures import State

from judge.access import Session
from judge.errors import StateError
from review_ui.owner.service import OwnerService
from review_ui.pages import html, render
from review_ui.security import OWNING, REPORT_CSP

INVITABLE: Final = ("annotator", "viewer", "adjudicator")
Asked = Request[Session, Any, State]


@get("/owner")
async def show_owner(request: Asked) -> Response[bytes]:
    """Show the whole page."""
    return html(await _page(request))


@get("/owner/status")
async def show_status(request: Asked) -> Response[bytes]:
    """Show the part that changes by itself."""
    status = await asyncio.to_thread(_service(request).status, request.user.study)
    return html(render("status.html", status=status))


@post("/owner/invite", status_code=200)
async def make_invitation(request: Asked) -> Response[bytes]:
    """Make a link and show it, once."""
    form = await request.form()
    role = str(form.get("role", "annotator"))
    if role not in INVITABLE:
        raise StateError(f"nobody can be invited as '{role}'", hint=f"one of {', '.join(INVITABLE)}")
    uses, days = _number(form.get("uses"), 1, 1000), _number(form.get("days"), 14, 365)
    made = await asyncio.to_thread(_service(request).invite, request.user.study, uses=uses, days=days, role=role)
    return await _answer(request, "invited.html", made=made, uses=uses)


@post("/owner/close", status_code=200)
async def close(request: Asked) -> Response[bytes]:
    """Close the round; with labels missing only when that was ticked."""
    incomplete = (await request.form()).get("incomplete") == "yes"
    try:
        closed = await asyncio.to_thread(_service(request).close, request.user.study, incomplete=incomplete)
    except StateError as error:
        return await _answer(request, "closed.html", closed=None, problem=error.line())
    return await _answer(request, "closed.html", closed=closed, problem=None)


@get("/owner/report")
async def show_report(request: Asked) -> Response[bytes]:
    """Show the report as it stands; the service notes who looked."""
    user = request.user
    page = await asyncio.to_thread(_service(request).report_html, user.study, user.person)
    return html(page, headers={"content-security-policy": REPORT_CSP})


HANDLERS: Final = (show_owner, show_status, make_invitation, close, show_report)


def _service(request: Asked) -> OwnerService:
    service: OwnerService = request.app.state.owner
    return service


async def _page(request: Asked, **notes: str) -> str:
    status = await asyncio.to_thread(_service(request).status, request.user.study)
    shown = {"invited": "", "closed": ""} | notes
    return render("owner.html", status=status, owns=request.user.role in OWNING, roles=INVITABLE, **shown)


async def _answer(request: Asked, template: str, **content: Any) -> Response[bytes]:
    """Give a fragment to htmx, and the whole page with that fragment in it to a browser without scripts."""
    from markupsafe import Markup

    fragment = render(template, **content)
    if "hx-request" in request.headers:
        return html(fragment)
    return html(await _page(request, **{template.removesuffix(".html"): Markup(fragment)}))


def _number(value: Any, otherwise: int, most: int) -> int:
    try:
        return min(most, max(1, int(value)))
    except (TypeError, ValueError):
        return otherwise
