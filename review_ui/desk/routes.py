"""The annotator's routes: parse, one call of the desk, choose a template.

A script gets JSON with the pair's HTML inside; a browser without scripts gets pages and redirects from the same routes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, TypeVar

from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.response import Redirect

from judge.access import Session
from judge.desk import Desk, Page, Progress, Task, open_desk, save_draft, take_back, vote
from judge.errors import GoneError
from review_ui.desk.forms import answers_in, task_in, vote_in
from review_ui.desk.texts import shown, texts_of
from review_ui.pages import html, json_answer, render
from review_ui.sessions import Visitor, admit
from review_ui.transactions import write

if TYPE_CHECKING:
    from judge.store.database import Transaction

# A straight line through the quartiles of 1,150 human judgements of pairs (101 words: 39 s, 367 words: 66 s).
SECONDS_A_PAIR: Final = 28.0
SECONDS_A_WORD: Final = 0.11

Asked = Request[Visitor, Any, State]
T = TypeVar("T")


@get("/desk")
async def show_desk(request: Asked) -> Response[bytes]:
    """Show the pair at hand, with the next one already in the page; or say why there is none."""
    desk, role = await _act(request, lambda tx, who, now: (open_desk(tx, who.study, who.person, now), who.role))
    if desk is None:
        return html(render("message.html", title="Nothing to judge yet", text="The review has not been opened."))
    if _by_script(request):
        return json_answer(await asyncio.to_thread(_desk_json, desk))
    return html(await asyncio.to_thread(_desk_page, desk, role))


@post("/desk/vote", status_code=200)
async def take_vote(request: Asked) -> Response[Any]:
    """Keep a vote, exactly once for its client_id."""
    fields = list((await request.form()).multi_items())
    voted = await _act(request, lambda tx, who, now: vote(tx, who.study, who.person, vote_in(fields), now))
    if not _by_script(request):
        return Redirect("/desk", status_code=303)
    fragment = await asyncio.to_thread(_pair, voted.page, voted.upcoming, voted.undoable)
    answer = {"late": voted.late, "lost": voted.lost, "next": fragment}
    return json_answer(answer | _standing(voted.progress, voted.undoable))


@post("/desk/draft", status_code=200)
async def take_draft(request: Asked) -> Response[Any]:
    """Keep what is chosen so far."""
    fields = list((await request.form()).multi_items())

    def keep(tx: Transaction, who: Session, now: datetime) -> None:
        save_draft(tx, who.study, who.person, task_in(fields), answers_in(fields), now)

    await _act(request, keep)
    return json_answer({"saved": True}) if _by_script(request) else Redirect("/desk", status_code=303)


@post("/desk/undo", status_code=200)
async def undo(request: Asked) -> Response[Any]:
    """Bring the last vote back, with its answers."""
    task, desk = await _act(request, _take_back)
    if not _by_script(request):
        return Redirect("/desk", status_code=303)
    fragment = await asyncio.to_thread(_pair, desk.page, task, desk.undoable)
    return json_answer({"current": fragment} | _standing(desk.progress, desk.undoable))


HANDLERS: Final = (show_desk, take_vote, take_draft, undo)


async def _act(request: Asked, work: Callable[[Transaction, Session, datetime], T]) -> T:
    """Admit whoever asks, and do `work(tx, session, now)` in the same transaction."""
    now = request.app.state.clock()
    return await write(request.app.state.database, lambda tx: work(tx, admit(tx, request.user, now), now))


def _by_script(request: Asked) -> bool:
    return "application/json" in request.headers.get("accept", "")


def _take_back(tx: Transaction, who: Session, now: datetime) -> tuple[Task, Desk]:
    task = take_back(tx, who.study, who.person, now)
    desk = open_desk(tx, who.study, who.person, now)
    if desk is None:
        raise GoneError("the round is gone")
    return task, desk


def minutes_left(progress: Progress) -> int:
    """Foretell how long the rest takes, in whole minutes and at least one."""
    seconds = SECONDS_A_PAIR * progress.left + SECONDS_A_WORD * progress.words_left
    return max(1, round(seconds / 60))


def _standing(progress: Progress, undoable: int) -> dict[str, Any]:
    """Say how far one is, in numbers and in the words that the page shows."""
    count = f"{progress.done} of {progress.done + progress.left}"
    time = f"about {minutes_left(progress)} min left" if progress.left else "all done"
    return {"done": progress.done, "left": progress.left, "undoable": undoable, "count": count, "time": time}


def _pair(page: Page, task: Task | None, undoable: int) -> str | None:
    """Render one pair with its bar; None when there is no pair."""
    if task is None:
        return None
    return render("pair.html", page=page, task=task, texts=texts_of(task), undoable=undoable)


def _desk_json(desk: Desk) -> dict[str, Any]:
    pairs = {name: _pair(desk.page, task, desk.undoable) for name, task in _tasks(desk)}
    return {"state": desk.state} | pairs | _standing(desk.progress, desk.undoable)


def _desk_page(desk: Desk, role: str) -> str:
    page = desk.page
    guide = [text for text in (page.task, page.people) if text]
    pairs = {name: _pair(page, task, desk.undoable) for name, task in _tasks(desk)}
    return render(
        "desk.html",
        desk=desk,
        page=page,
        pairs=pairs,
        guide=[shown(text) for text in guide],
        standing=_standing(desk.progress, desk.undoable),
        owns=role == "owner",
    )


def _tasks(desk: Desk) -> tuple[tuple[str, Task | None], ...]:
    return ("current", desk.current), ("next", desk.upcoming)
