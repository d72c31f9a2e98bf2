"""`judge generate`: every example to every arm whose outputs this program makes; what is there is not made again."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from judge.calls import Settings
from judge.domain import Arm, Notice
from judge.errors import JudgeError, StudyError, did_you_mean
from judge.workflow.alone import alone
from judge.workflow.by_engine import check_adapters, generate_by_engine, groups
from judge.workflow.by_server import generate_by_server
from judge.workflow.origins import origin_notices
from judge.workflow.outputs import Made, MakingProgress, generated_arms, missing, unmade
from judge.workflow.workspace import Opened


@dataclass(frozen=True, slots=True, kw_only=True)
class Generated:
    """What came of generating, arm by arm."""

    arms: tuple[Made, ...]
    notices: tuple[Notice, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Give the counts for programs."""
        return {
            "arms": [made.to_json() for made in self.arms],
            "warnings": [{"code": notice.code, "text": notice.text} for notice in self.notices],
        }


def generate(
    work: Opened, names: Collection[str] = (), progress: MakingProgress | None = None, settings: Settings | None = None
) -> Generated:
    """Make the outputs that are missing, arm by arm; a study of files has none to make.

    names: these arms alone, else all.  Raises StudyError for an unknown arm, EngineError when an engine fails, Parked when
    a server does; what was made until then is kept, and the same command goes on.
    """
    with alone(work.study.folder, "generates"):
        return _generate(work, _chosen(work, names), progress, settings or Settings())


def _generate(work: Opened, arms: Sequence[Arm], progress: MakingProgress | None, settings: Settings) -> Generated:
    made = {arm.name: unmade(work, arm) for arm in arms}
    # Arms made of the same are one: what the first gets, its twins have.
    first = {work.arms[arm.name]: arm.name for arm in reversed(arms)}
    firsts = [arm for arm in arms if first[work.arms[arm.name]] == arm.name]
    by_engine = groups(work, [arm for arm in firsts if arm.source != "openai"])
    for group in by_engine:
        check_adapters(work, group)
    stopped: list[JudgeError] = []
    for arm in firsts:
        if arm.source == "openai" and missing(work, arm):
            with _going_on(stopped):
                made[arm.name] = generate_by_server(work, arm, progress, settings)
    for group in by_engine:
        with _going_on(stopped):
            made |= {one.arm: one for one in generate_by_engine(work, group, progress)}
    if stopped:
        raise stopped[0]
    for arm in arms:
        twin = made[first[work.arms[arm.name]]]
        if twin.arm != arm.name:
            made[arm.name] = replace(made[arm.name], there=twin.there + twin.made)
    return Generated(arms=tuple(made.values()), notices=tuple(origin_notices(work)))


@contextmanager
def _going_on(stopped: list[JudgeError]) -> Iterator[None]:
    """Keep what stops one arm, so that the others are made all the same."""
    try:
        yield
    except JudgeError as error:
        stopped.append(error)


def _chosen(work: Opened, names: Collection[str]) -> list[Arm]:
    arms = {arm.name: arm for arm in generated_arms(work.study)}
    for name in names:
        if name in work.study.arms and name not in arms:
            raise StudyError(f"the outputs of arm '{name}' come from a file", at=work.study.path, hint="leave it out")
        if name not in arms:
            raise StudyError(f"no arm '{name}'", at=work.study.path, hint=did_you_mean(name, arms))
    return [arm for name, arm in arms.items() if not names or name in names]
