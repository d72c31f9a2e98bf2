"""Outputs: generate."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import Annotated, Any, Final

import typer

from judge.cli.arguments import DEFAULT_STUDY, DbOption, JobsOption, JsonOption, LimitOption, StudyArgument, open_study
from judge.cli.console import Progress, emit, note, say


def generate(
    study: StudyArgument = DEFAULT_STUDY,
    arm: Annotated[list[str] | None, typer.Option("--arm", help="This arm alone; may be given several times.")] = None,
    jobs: JobsOption = None,
    db: DbOption = None,
    limit: LimitOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make the outputs that are missing, arm by arm; what is there is not made again.

    Example: judge generate study.yaml --arm tuned
    """
    from judge.cli.tables import made_line
    from judge.workflow.answering import JOBS

    opened = open_study(study, db)
    with closing(Progress("generating", as_json=as_json)) as progress:
        generated = opened.generate(arms=arm or (), limit=limit, progress=progress.tell_making, jobs=jobs or JOBS)
    if as_json:
        emit({"event": "done", **generated.to_json()})
        return
    for notice in generated.notices:
        note(f"{notice.code}: {notice.text}")
    for made in generated.arms:
        say(made_line(made))
    if not generated.arms:
        say("The outputs of every arm come from files; there is nothing to generate.")


COMMANDS: Final[dict[str, Callable[..., Any]]] = {"generate": generate}
