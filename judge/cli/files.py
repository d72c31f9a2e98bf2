"""Files: import, export."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from judge.cli.arguments import DEFAULT_STUDY, DbOption, JsonOption, StudyArgument, open_study, split_study
from judge.cli.console import emit, note, say
from judge.errors import JudgeError

KIND_HELP: Final = "examples, outputs, pairs, calls, verdicts, labels, scores or recordings."


def import_(
    kind: Annotated[str, typer.Argument(help="labels or scores; all others are named in the study.")],
    words: Annotated[list[str], typer.Argument(metavar="FILE... [STUDY]", help="Files of that kind, then the study.")],
    db: DbOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take labels or scores into a study: every file whole, or nothing.

    Example: judge import labels labels.jsonl study.yaml
    """
    from judge.workflow import exchange

    names, study = split_study(words)
    if not names:
        raise JudgeError("no file to import", hint=f"write `judge import {kind} FILE {study}`")
    with open_study(study, db).work() as work:
        rows = exchange.import_files(work, kind, [Path(name) for name in names])
    if as_json:
        emit({"kind": kind, "rows": rows, "files": names})
    else:
        say(f"{rows} {kind} imported from {', '.join(names)}")


def export(
    kind: Annotated[str, typer.Argument(help=KIND_HELP)],
    study: StudyArgument = DEFAULT_STUDY,
    output: Annotated[str, typer.Option("-o", "--output", help="FILE.jsonl or FILE.csv; - is standard output.")] = "-",
    db: DbOption = None,
) -> None:
    """Write a study's rows of one kind to a file.  An export of labels is noted in the ledger.

    Example: judge export labels study.yaml -o labels.csv
    """
    from judge.workflow import exchange

    with open_study(study, db).work() as work:
        rows = exchange.export_rows(work, kind)
    exchange.write_rows(kind, rows, sys.stdout if output == "-" else Path(output))
    if output != "-":
        note(f"{len(rows)} {kind} written to {output}")


COMMANDS: Final[dict[str, Callable[..., Any]]] = {"import": import_, "export": export}
