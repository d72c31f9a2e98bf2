"""What people and scripts are told when something fails: enough to go on, nothing about the inside."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any, Final

from litestar import Request, Response
from litestar.exceptions import HTTPException

from judge.errors import GoneError, StateError
from review_ui.pages import html, json_answer, render

log = logging.getLogger("review_ui")

WORDS: Final = {
    400: ("This request was not understood", "Go back and try again."),
    401: ("You are not signed in", "Open your invitation link. If it was used up, ask for a new one."),
    403: ("This is not open to you", "Sign in with another invitation, or go back."),
    404: ("There is nothing here", "The page is gone, or never was."),
    409: ("This did not fit", "Go back to the page and load it again."),
    410: ("This link is no longer good", "It was used, has expired or was withdrawn. Ask for a new one."),
    413: ("This is too long", "Shorten the comment and try again."),
    429: ("Too many attempts", "Wait a minute, then try again."),
    500: ("Something broke on our side", "What was saved is safe. Load the page again."),
}


def answer_failure(request: Request[Any, Any, Any], failure: Exception) -> Response[bytes]:
    """Turn any exception into a page, or into {"code", "text"} for a script that asked for JSON."""
    status, headers = _status(failure), dict(getattr(failure, "headers", None) or {})
    if status >= 500:
        # The path may hold a link's secret: name the route, not the path.
        log.error("failed: %s %s", request.method, request.scope.get("path_template", ""), exc_info=failure)
    title, remedy = WORDS.get(status, (HTTPStatus(status).phrase, "Go back and try again."))
    told = failure if isinstance(failure, StateError) else None  # written for the person who caused it
    if "application/json" in request.headers.get("accept", ""):
        answer = json_answer({"code": status, "text": told.problem if told else title}, status)
    else:
        answer = html(render("message.html", title=title, text=told.line() if told else remedy), status)
    answer.headers.update(headers)
    return answer


def _status(failure: Exception) -> int:
    match failure:
        case HTTPException():
            return failure.status_code
        case GoneError():
            return 404
        case StateError():
            return 409
        case _:
            return 500
