"""The instrument: doctor, bridge, score."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from judge.cli.arguments import DEFAULT_STUDY, DbOption, JobsOption, JsonOption, LimitOption, StudyArgument, open_study
from judge.cli.console import Progress, emit, note, say
from judge.errors import JudgeError

if TYPE_CHECKING:
    from judge.workflow.planted import Planned


def bridge(
    old: Annotated[str, typer.Argument(help="The judge so far.")],
    new: Annotated[str, typer.Argument(help="The judge that would take over.")],
    study: StudyArgument = DEFAULT_STUDY,
    db: DbOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say what changes when another judge takes over: flipped verdicts, agreement, the win rate.  Asks nobody.

    Example: judge bridge sol sonnet study.yaml
    """
    from judge.workflow.bridging import build_bridge

    with open_study(study, db).work() as work:
        found = build_bridge(work, old, new)
    if as_json:
        emit(found.to_json())
        return
    from judge.cli.tables import bridge_lines

    for line in bridge_lines(found):
        say(line)


def score(
    study: StudyArgument = DEFAULT_STUDY,
    jobs: JobsOption = None,
    db: DbOption = None,
    limit: LimitOption = None,
    as_json: JsonOption = False,
) -> None:
    """Have models score every arm's outputs one by one, by the rubric's levels and checks.  `judge export scores` writes them.

    Example: judge score study.yaml
    """
    from judge.workflow.answering import JOBS

    opened = open_study(study, db)
    with closing(Progress("scoring", as_json=as_json)) as progress:
        found = opened.score(limit=limit, progress=progress.tell, jobs=jobs or JOBS)
    if as_json:
        emit({"event": "done", **found.to_json()})
        return
    from judge.cli.tables import score_lines

    for notice in found.notices:
        note(f"{notice.code}: {notice.text}")
    for line in score_lines(found):
        say(line)


def doctor(
    study: StudyArgument = DEFAULT_STUDY,
    judge: Annotated[str | None, typer.Option("--judge", metavar="NAME", help="Examine a judge of the study.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="With --judge: ask without a question about the cost.")] = False,
    live: Annotated[bool, typer.Option("--live", help="Also make one cheap call to each provider whose key is here.")] = False,
    gpu: Annotated[bool, typer.Option("--gpu", help="Also look at GPUs, vLLM, and whether the study's models fit.")] = False,
    db: DbOption = None,
    as_json: JsonOption = False,
) -> int:
    """Look whether this machine is fit; with --judge, whether a judge falls for what it should not.

    Example: judge doctor --judge sol study.yaml
    """
    if judge is not None:
        return _examine_judge(study, judge, yes=yes, db=db, as_json=as_json)
    from judge.workflow.contact import call_providers
    from judge.workflow.doctor import examine

    folder = study if study.is_dir() else study.parent
    findings = examine(db or os.environ.get("JUDGE_DB") or str(folder / ".judge" / "judge.db"))
    findings += call_providers(folder) if live else []
    if gpu:
        from judge.study import load_study
        from judge.workflow.gpu import examine_gpu

        findings += examine_gpu(load_study(open_study(study, db).path))
    if as_json:
        emit({"findings": [{"what": f.what, "ok": f.ok, "text": f.text, "remedy": f.remedy} for f in findings]})
    else:
        for finding in findings:
            say(f"{'ok ' if finding.ok else 'BAD'}  {finding.what}: {finding.text} {finding.remedy}".rstrip())
    return 0 if all(finding.ok for finding in findings) else 2


def _examine_judge(path: Path, name: str, *, yes: bool, db: str | None, as_json: bool) -> int:
    from judge.calls import Settings
    from judge.workflow import planted

    with open_study(path, db).work() as work:
        planned = planted.plan_examination(work, name)
        if planned.fresh and not yes and not _agreed(planned):
            note("Nothing was asked.")
            return 0
        with closing(Progress(f"examining {name}", as_json=as_json)) as progress:
            found = planted.examine_judge(work, planned, progress.tell, Settings())
    if as_json:
        emit({"event": "done", **found.to_json()})
        return 0
    from judge.cli.tables import examined_lines

    for line in examined_lines(found):
        say(line)
    return 0


def _agreed(planned: Planned) -> bool:
    """Ask on the terminal whether the cost is agreed to.  Raises JudgeError where there is none."""
    from judge.text.money import dollars

    least, most = dollars(planned.estimate.least_usd), dollars(planned.estimate.most_usd)
    cost = f"{planned.fresh} calls to {planned.judge.target}, about {least} to {most} USD"
    if not sys.stdin.isatty():
        raise JudgeError(f"{cost}, and nobody is here to agree", hint="add --yes")
    return typer.confirm(f"{cost}. Go on?", default=False, err=True)


COMMANDS: Final[dict[str, Callable[..., Any]]] = {"doctor": doctor, "bridge": bridge, "score": score}
