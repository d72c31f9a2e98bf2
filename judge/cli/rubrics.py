"""Rubric: lint, schema, show."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from judge.cli.arguments import JsonOption
from judge.cli.console import emit, say

app = typer.Typer(help="Read, check and describe rubrics.", no_args_is_help=True, rich_markup_mode=None)


@app.command()
def lint(
    rubric: Annotated[str, typer.Argument(help="A path, or a shipped rubric such as support-reply@1.")],
    as_json: JsonOption = False,
) -> int:
    """Check a rubric: errors by line, and advice on questions that judges and people misread.

    Example: judge rubric lint my-rubric.yaml
    """
    from judge.rubric import lint as advise
    from judge.rubric import resolve_rubric, rubric_digest

    found, path = resolve_rubric(rubric)
    notices = advise(found)
    if as_json:
        advice = [{"code": notice.code, "text": notice.text} for notice in notices]
        emit({"rubric": found.name, "digest": rubric_digest(found), "path": str(path), "advice": advice})
        return 0
    for notice in notices:
        say(f"{notice.code}: {notice.text}")
    say(
        f"{path}: {len(found.criteria)} criteria and overall, {len(notices) or 'no'} advice, digest {rubric_digest(found)[:12]}"
    )
    return 0


@app.command()
def schema() -> None:
    """Print the JSON Schema of rubrics, for editors that complete and check while you type.

    Example: judge rubric schema > rubric.schema.json
    """
    from judge.rubric import schema as describe

    say(json.dumps(describe(), indent=2, ensure_ascii=False))


@app.command()
def show(
    rubric: Annotated[str | None, typer.Argument(help="A path or a shipped rubric; none lists the shipped ones.")] = None,
) -> None:
    """Print a rubric's file, or list the shipped ones.

    Example: judge rubric show support-reply@1
    """
    from judge.data import read_text
    from judge.rubric import rubric_path, shipped_rubrics

    if rubric is None:
        for name in shipped_rubrics():
            say(name)
        return
    say(read_text(rubric_path(rubric)).replace("\r\n", "\n").rstrip())
