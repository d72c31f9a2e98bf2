"""What several commands take: the study, the database, and how to print."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from judge.errors import FileError, JudgeError, did_you_mean

if TYPE_CHECKING:
    from judge.workflow.facade import Study

StudyArgument: TypeAlias = Annotated[Path, typer.Argument(metavar="[STUDY]", help="The study file.", show_default=True)]
DbOption: TypeAlias = Annotated[
    str | None, typer.Option("--db", help="Database file or URL.  [default: JUDGE_DB, else .judge/judge.db beside the study]")
]
JsonOption: TypeAlias = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
LimitOption: TypeAlias = Annotated[
    int | None,
    typer.Option("--limit", min=1, help="A trial on this many examples, drawn by the study's seed; decides nothing."),
]
JobsOption: TypeAlias = Annotated[
    int | None, typer.Option("-j", "--jobs", min=1, max=1024, help="Calls open at once to one model.  [default: 64]")
]
CandidateOption: TypeAlias = Annotated[str | None, typer.Option("--candidate", help="The candidate, where there are several.")]
DEFAULT_STUDY = Path("study.yaml")


def open_study(path: Path, db: str | None) -> Study:
    """Open the study that a command names; a folder stands for the study.yaml in it."""
    from judge.workflow.facade import Study

    file = path / "study.yaml" if path.is_dir() else path
    if not file.exists():
        raise FileError("there is no such file", at=file, hint="name the study, or begin one with `judge init DIR`")
    return Study.open(file, db=db)


def split_study(words: Sequence[str]) -> tuple[list[str], Path]:
    """Take the study off a list of words: the last one, when it ends in .yaml or .yml, or is a folder beside other words."""
    if words and (words[-1].endswith((".yaml", ".yml")) or (len(words) > 1 and Path(words[-1]).is_dir())):
        return list(words[:-1]), Path(words[-1])
    return list(words), DEFAULT_STUDY


def one_of(name: str, value: str, known: Sequence[str]) -> Any:
    """Take an option's value when it is among the known ones.  Raises JudgeError with the nearest one."""
    if value not in known:
        raise JudgeError(f"'{value}' is not possible", at=f"--{name}", hint=did_you_mean(value, known))
    return value
