"""One annotator's session from the invitation to the end: everything a person can do, by a fixed script."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import cycle
from typing import Any, Final

from judge.desk import SAID
from review_ui.blindcheck.browser import HTML, JSON, Answer, Browser
from review_ui.blindcheck.copies import Stage

TASK: Final = re.compile(r'data-task="([0-9a-z]{1,100})"')
FOREIGN: Final = "0" * 32  # a task that is nobody's
NONSENSE: Final = (
    ("PUT", "/desk"), ("DELETE", "/desk/vote"), ("HEAD", "/desk"), ("OPTIONS", "/desk/vote"), ("GET", "/desk/1"),
)  # fmt: skip


def visit(stage: Stage, study: str, name: str, criteria: tuple[tuple[str, bool], ...]) -> Iterator[Answer]:
    """Come in, judge everything there is, leave; yield every answer in order.

    criteria: id and whether it is a check, for each criterion of the rubric.
    """
    browser = stage.browser()
    yield from _arrive(stage, study, name, browser)
    yield from _judge_all(browser, criteria)
    yield from _leave(browser)


def _arrive(stage: Stage, study: str, name: str, browser: Browser) -> Iterator[Answer]:
    link = f"/join/{stage.invitation(study)}"
    for method, path, route in (
        ("GET", "/", None),
        ("GET", "/desk", None),
        ("GET", link, "/join/{token}"),
        ("GET", "/join/wrong", None),
        ("POST", "/join/wrong", None),
    ):
        yield browser.ask(method, path, {"name": name} if method == "POST" else None, route=route)
    yield browser.ask("POST", link, {"name": name}, route="/join/{token}")
    yield browser.ask("POST", link, {"name": name}, route="/join/{token}")  # used up
    page = browser.ask("GET", "/desk")
    yield page
    for path in sorted(set(re.findall(r'(?:href|src)="(/static/[^"]+)"', page.text))):
        yield browser.ask("GET", path)
    yield browser.ask("GET", "/static/0/desk.css")


def _judge_all(browser: Browser, criteria: tuple[tuple[str, bool], ...]) -> Iterator[Answer]:
    choices = cycle(SAID)
    for n in range(10_000):
        desk = browser.ask("GET", "/desk", accept=JSON)
        yield desk
        task = task_in(desk)
        if task is None:
            return
        yield from _judge_one(browser, task, n, next(choices), criteria)
        if n % 7 == 3:
            yield from _change(browser, task, n)
        if n % 11 == 5:
            yield from _blunder(browser, task)


def _judge_one(browser: Browser, task: str, n: int, choice: str, criteria: tuple[tuple[str, bool], ...]) -> Iterator[Answer]:
    form = {"task": task, "client_id": f"{task}.1"} | answers(n, criteria)
    accept = HTML if n % 4 == 2 else JSON
    if n % 3 == 0:
        yield browser.ask("POST", "/desk/draft", form | {"comment": f"draft {n}"}, accept=accept)
        yield browser.ask("GET", "/desk")
    vote = form | {"choice": choice, "comment": f"Comment {n} & <b>more</b>", "seconds": str(n % 50)}
    yield browser.ask("POST", "/desk/vote", vote, accept=accept)
    if n % 5 == 1:
        yield browser.ask("POST", "/desk/vote", vote, accept=accept)  # once more: the network had failed


def _change(browser: Browser, task: str, n: int) -> Iterator[Answer]:
    yield browser.ask("POST", "/desk/undo", {"task": task}, accept=JSON)
    yield browser.ask("GET", "/desk")
    again = {"task": task, "client_id": f"{task}.2", "choice": "right" if n % 2 else "left"}
    yield browser.ask("POST", "/desk/vote", again, accept=JSON)


def _blunder(browser: Browser, task: str) -> Iterator[Answer]:
    for accept in (JSON, HTML):
        for form in (
            {},
            {"task": FOREIGN, "client_id": "x", "choice": "left"},
            {"task": task, "client_id": "x", "choice": "candidate"},
            {"task": task, "client_id": "x", "choice": "left", "criterion.unknown": "left"},
            {"task": task, "client_id": "x", "choice": "left", "comment": "long " * 1000},
        ):
            yield browser.ask("POST", "/desk/vote", form, accept=accept)
            yield browser.ask("POST", "/desk/draft", form, accept=accept)
        for method, path in NONSENSE:
            yield browser.ask(method, path, accept=accept)


def _leave(browser: Browser) -> Iterator[Answer]:
    yield browser.ask("GET", "/desk")
    yield browser.ask("GET", "/owner")
    yield browser.ask("POST", "/leave")
    yield browser.ask("GET", "/desk")


def answers(n: int, criteria: tuple[tuple[str, bool], ...]) -> dict[str, str]:
    """Answer every criterion in a way that changes from pair to pair."""
    given: dict[str, str] = {}
    for place, (criterion, check) in enumerate(criteria, n):
        if check:
            said = ("pass", "fail") if place % 2 else ("fail", "pass")
            given |= {f"check.left.{criterion}": said[0], f"check.right.{criterion}": said[1]}
        else:
            given[f"criterion.{criterion}"] = ("left", "tie", "right")[place % 3]
    return given


def task_in(desk: Answer) -> str | None:
    """Read which task is at hand; None when there is none."""
    fragment: Any = desk.json.get("current") if desk.json else None
    found = TASK.search(fragment or "")
    return found[1] if found else None
