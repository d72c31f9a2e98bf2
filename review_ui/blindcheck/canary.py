"""The canary test: seed unique words where annotators may not look, ask everything of everybody's routes, find none of them."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from judge.store import rounds as round_store
from judge.workflow import reviewing
from review_ui.app import create_app
from review_ui.blindcheck.browser import JSON, Answer, Browser, Loop
from review_ui.blindcheck.copies import NOW, Contents, Stage, made_up_score, stage, stored
from review_ui.blindcheck.page import faults, tasks_of
from review_ui.blindcheck.result import Finding
from review_ui.blindcheck.routes import sweep, table
from review_ui.blindcheck.seeding import FAULT, OWNER, WORDS, Telling, seeded
from review_ui.blindcheck.session import FOREIGN, answers, task_in, visit
from review_ui.blindcheck.words import Net, canary
from review_ui.security import ANYONE, HEADERS, ROUTES

if TYPE_CHECKING:
    from judge.workflow.workspace import Opened

SECRET: Final = "ca" * 32
MOST: Final = 24  # pairs
OWN_HEADERS: Final = frozenset(
    {"content-type", "content-length", "content-encoding", "vary", "location", "set-cookie", "retry-after", "allow"}
)
AT_THE_END: Final = ("/", "/desk", "/desk/vote", "/desk/undo")
NAME: Final = {who: canary(f"name of the {who}") for who in ("annotator", "other", "visitor", "viewer")}
COMMENT: Final = {who: canary(f"comment of the {who}") for who in ("annotator", "other")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """One answer and who got it."""

    who: str
    answer: Answer


def canaries(work: Opened, folder: Path, loop: Loop) -> Finding:
    """Seed a copy of the study, ask every route as everybody, and search every answer."""
    what = replace(seeded(work, SECRET, MOST), wanted=3)
    with stage(loop, folder / "canary.db", Telling()) as here, _quiet():
        copy = stored(work, here.database, what)
        reviewing.sample(copy)
        heard, kept = _everything(here, copy, what)
        shown = [one.answer for one in heard if one.who == "visitor"]
        sealed = tasks_of(here.database, shown)
        nets = _nets(copy, what, kept)
    caught = _first(heard, nets)
    size = sum(len(one.answer.body) for one in heard)
    net = nets["annotator"]
    return Finding(
        test="canary",
        compared=f"{len(heard)} answers ({size / 1e6:.1f} MB) of {len(table(here.app))} routes to 5 kinds of people",
        power=f"finds any of {net.words} seeded words and {net.digests} digests in {len(net)} spellings",
        leak=caught or _stray_header(heard) or faults(shown, sealed),
    )


def _everything(here: Stage, copy: Opened, what: Contents) -> tuple[list[Heard], dict[str, Any]]:
    """Let people work, ask all routes, break the database, close the round; give all answers and the others' secrets."""
    criteria = tuple((criterion.id, criterion.check) for criterion in what.rubric.criteria)
    people = {
        "nobody": here.browser(),
        "annotator": here.guest(what.name, NAME["annotator"]),
        "other": here.guest(what.name, NAME["other"]),
        "viewer": here.guest(what.name, NAME["viewer"], "viewer"),
    }
    tasks = {who: _work(people[who], COMMENT[who], criteria) for who in ("annotator", "other")}
    kept = {"tasks": tasks, "cookies": {who: dict(browser.cookies) for who, browser in people.items()}}
    heard = [Heard(who="visitor", answer=answer) for answer in visit(here, what.name, NAME["visitor"], criteria)]
    forms = _forms(tasks)
    fills = _fills(here, what, people["annotator"])
    broken = create_app(_Failing(here.database), owner=Telling(), clock=lambda: NOW)  # type: ignore[arg-type]
    for who, browser in people.items():
        failing = Browser(here.loop, broken)
        failing.cookies = dict(browser.cookies)
        heard += [Heard(who=who, answer=answer) for answer in sweep(failing, AT_THE_END, {}, forms[:1])]
        paths = [path for path in table(here.app) if path != "/leave"]
        heard += [Heard(who=who, answer=answer) for answer in sweep(browser, paths, fills, forms)]
    reviewing.close(copy, incomplete=True)
    for who, browser in people.items():
        heard += [Heard(who=who, answer=answer) for answer in sweep(browser, (*AT_THE_END, "/leave"), {}, forms[:1])]
    return heard, kept


def _work(browser: Browser, comment: str, criteria: tuple[tuple[str, bool], ...]) -> list[str]:
    """Judge a third of the deck with comments, leave a draft on the next; give the tasks."""
    tasks = []
    for n in range(MOST // 3):
        task = task_in(browser.ask("GET", "/desk", accept=JSON))
        if task is None:
            break
        tasks.append(task)
        form = {"task": task, "client_id": f"{task}.1", "comment": comment} | answers(n, criteria)
        browser.ask("POST", "/desk/draft", form | {"choice": "left"})
        if n % 8 < 7:
            browser.ask("POST", "/desk/vote", form | {"choice": "left" if n % 2 else "tie"})
    return tasks


def _forms(tasks: Mapping[str, Sequence[str]]) -> list[dict[str, str]]:
    """Give what is posted everywhere: own and other people's tasks, unknown ones, nothing, and nonsense."""
    named = [tasks["annotator"][:1], tasks["other"][:1], [FOREIGN], [WORDS["pair id"].lower()]]
    forms = [{"task": task, "client_id": f"sweep.{task}", "choice": "tie"} for some in named for task in some]
    return [*forms, {}, {"task": "'", "choice": "b", "name": "\0", "role": "root", "uses": "x"}]


def _fills(here: Stage, what: Contents, browser: Browser) -> dict[str, Sequence[str]]:
    spent = here.invitation(what.name)
    here.browser().ask("POST", f"/join/{spent}", {"name": "Somebody else"})  # a good link would make an annotator a viewer
    files = re.findall(r"/static/(\w+)/([\w.]+)", browser.ask("GET", "/desk").text)
    return {
        "token": (spent, "wrong", FOREIGN),
        "version_": (files[0][0] if files else "0", "wrong"),
        "name": (*sorted({name for _, name in files}), "..", "judge.db"),
    }


class _Failing:
    """A database that reads and does not write, and says everything it knows when it fails."""

    def __init__(self, database: Any) -> None:
        self.read = database.read

    def submit(self, *_: Any) -> Future[Any]:
        """Fail."""
        failed: Future[Any] = Future()
        failed.set_exception(RuntimeError(f"{FAULT} {' '.join(WORDS.values())}"))
        return failed


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep faults that are made on purpose out of the log."""
    log = logging.getLogger("review_ui")
    before = log.disabled
    log.disabled = True
    try:
        yield
    finally:
        log.disabled = before


def _nets(copy: Opened, what: Contents, kept: Mapping[str, Any]) -> dict[str, Net]:
    """Make what to look for in each person's answers: everything that is not theirs to know."""
    with copy.database.read() as tx:
        known = round_store.rounds(tx, copy.record.id)[-1]
        people = {name: id_ for id_, name in round_store.people(tx, known.token, what.name).items()}
    scores = {f"score of pair {n}": repr(made_up_score(pair.id))[2:12] for n, pair in enumerate(what.pairs)}
    words = dict(WORDS) | {"owner's page": OWNER, "text of an exception": FAULT} | scores
    digests = {f"digest of pair {n}": name for n, name in enumerate(copy.pairs.values())}
    digests |= {f"digest of {name}": name_ for name, name_ in {**copy.judges, **copy.arms}.items()}
    digests |= {"rubric's digest": copy.rubric, "study's secret": copy.record.secret}
    values = {f"{side} of pair {n}": text for n, pair in enumerate(what.pairs) for side, text in _texts(pair)}
    nets = {}
    for who in ("nobody", "annotator", "other", "viewer", "visitor"):
        foreign = _foreign(who, kept)
        theirs = {f"id of the {other}": people[NAME[other]] for other in NAME if other != who and NAME[other] in people}
        nets[who] = Net(words | foreign | theirs, _file_values(what) | values, digests)
    return nets


def _texts(pair: Any) -> tuple[tuple[str, str], ...]:
    return ("text a", pair.text_a), ("text b", pair.text_b)


def _file_values(what: Contents) -> dict[str, str]:
    old, new = what.arms
    named = {"arm's file": new.target, "adapter's path": new.adapter, "address": new.base_url, "model's name": new.model}
    named |= {"candidate": new.name, "baseline": old.name, "study": what.name, "judge": what.judge.name}
    return {place: value for place, value in named.items() if value}


def _foreign(who: str, kept: Mapping[str, Any]) -> dict[str, str]:
    """Give what belongs to other people: names, comments, tasks, sessions."""
    words = {f"name of the {other}": name for other, name in NAME.items() if other != who}
    words |= {f"comment of the {other}": text for other, text in COMMENT.items() if other != who}
    for other, tasks in kept["tasks"].items():
        words |= {f"task {n} of the {other}": task for n, task in enumerate(tasks) if other != who}
    for other, cookies in kept["cookies"].items():
        words |= {f"session of the {other}": value for value in cookies.values() if other != who}
    return words


def _first(heard: Sequence[Heard], nets: Mapping[str, Net]) -> str | None:
    """Find the first word that came out where it may not."""
    seen: set[tuple[str, bytes]] = set()
    for one in heard:
        if _allowed(one):
            continue
        sent = _sent(one.answer)
        if (one.who, sent) in seen:
            continue
        seen.add((one.who, sent))
        for at, hit in nets[one.who].caught(sent):
            part = "body" if at >= len(sent) - len(one.answer.body) else "headers"
            return f"{hit.place} as {hit.form} in the {part} of {one.answer.route} ({one.answer.status}) to the {one.who}"
    return None


def _allowed(one: Heard) -> bool:
    """Tell whether this is the page of somebody who may look, which shows names and the report by right."""
    roles = ROUTES.get(one.answer.route, frozenset())
    return one.who == "viewer" and one.answer.status == 200 and roles is not ANYONE and "viewer" in roles


def _sent(answer: Answer) -> bytes:
    headers = "\n".join(f"{name}: {value}" for name, value in answer.headers if name != "set-cookie" or answer.status != 303)
    return headers.encode() + b"\n\n" + answer.body


def _stray_header(heard: Sequence[Heard]) -> str | None:
    """Find a header that is on no list: validators and timings tell one text from another."""
    known = OWN_HEADERS | set(HEADERS)
    for one in heard:
        for name, _ in one.answer.headers:
            if name not in known:
                return f"header {name} on {one.answer.route} ({one.answer.status}) is on no list"
    return None
