"""The twin test: swap the arms in storage, show the same texts, replay one session; no byte may differ.

Both copies have one secret, and time stands still in both, so that nothing needs to be masked but the session cookie.
"""

from __future__ import annotations

import re
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Final

from judge.workflow import reviewing
from review_ui.blindcheck.browser import Answer, Loop
from review_ui.blindcheck.copies import Contents, contents, stage, stored, turned
from review_ui.blindcheck.result import Finding
from review_ui.blindcheck.session import visit

if TYPE_CHECKING:
    from judge.workflow.workspace import Opened

SECRET: Final = "5e" * 32
MOST: Final = 120  # pairs
COOKIE: Final = re.compile(r"(?<=bj_session=)[\w-]{20,}")
MASKS: Final = ("the value of the session cookie",)
"""All that is masked.  The secret of the link is in no answer; dates are equal, because the clock of both copies stands."""


def twin(work: Opened, folder: Path, loop: Loop) -> Finding:
    """Replay one session on a copy of the study and on its mirror image, and compare every byte."""
    what = contents(work, SECRET, name="one", most=MOST)
    one = _session(work, folder / "one.db", loop, what, mirrored=False)
    two = _session(work, folder / "two.db", loop, turned(what, name="two"), mirrored=True)
    size = sum(len(answer.body) for answer in one)
    return Finding(
        test="twin",
        compared=f"{len(one)} answers, {size / 1e6:.1f} MB byte by byte, over {len(what.pairs)} pairs",
        power=f"finds any difference; masked: {', '.join(MASKS)}",
        leak=difference(one, two),
    )


def _session(work: Opened, file: Path, loop: Loop, what: Contents, *, mirrored: bool) -> list[Answer]:
    """Let one person judge everything, with a second one before and after; close; look again."""
    criteria = tuple((criterion.id, criterion.check) for criterion in what.rubric.criteria)
    with stage(loop, file) as here:
        copy = stored(work, here.database, what)
        reviewing.sample(copy, mirrored=mirrored)
        colleague = here.guest(what.name, "A colleague")
        answers = [colleague.ask("GET", "/desk")]
        answers += visit(here, what.name, "Somebody", criteria)
        answers.append(colleague.ask("GET", "/desk"))
        reviewing.close(copy, incomplete=True)
        answers.append(colleague.ask("GET", "/desk"))
    return answers


def difference(one: list[Answer], two: list[Answer]) -> str | None:
    """Describe the first difference between two sessions: where, in what, and the bytes on both sides."""
    for n, (first, second) in enumerate(zip_longest(one, two), 1):
        if first is None or second is None:
            return f"one session has {len(one)} answers, the other {len(two)}"
        for part, left, right in _parts(first, second):
            if left != right:
                at = next((i for i, (x, y) in enumerate(zip(left, right, strict=False)) if x != y), min(len(left), len(right)))
                where = f"answer {n}, {first.route}: {part} differs at byte {at}"
                return f"{where}: {_around(left, at)} against {_around(right, at)}"
    return None


def _parts(first: Answer, second: Answer) -> list[tuple[str, bytes, bytes]]:
    return [
        ("request", first.sent.partition("/join/")[0].encode(), second.sent.partition("/join/")[0].encode()),
        ("status", str(first.status).encode(), str(second.status).encode()),
        ("body", _masked(first.text).encode(), _masked(second.text).encode()),
        ("headers", _headers(first), _headers(second)),
    ]


def _headers(answer: Answer) -> bytes:
    return "\n".join(f"{name}: {_masked(value)}" for name, value in answer.headers).encode()


def _masked(text: str) -> str:
    return COOKIE.sub("<session>", text)


def _around(text: bytes, at: int) -> str:
    return repr(text[max(0, at - 30) : at + 50].decode("utf-8", "replace"))
