"""Start: demo, init, check."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from judge.cli.arguments import DEFAULT_STUDY, DbOption, JsonOption, LimitOption, StudyArgument, open_study
from judge.cli.console import emit, note, say


def demo(
    folder: Annotated[Path, typer.Argument(help="Where to put the study and its report.")] = Path("demo"),
    as_json: JsonOption = False,
) -> None:
    """Run a whole study that comes with the program: no key, no GPU, a few seconds.

    Example: judge demo
    """
    from judge.decision.report import decision_block, to_json
    from judge.workflow import running, starting

    path = starting.demo(folder)
    study = open_study(path, db=str(folder / ".judge" / "judge.db"))
    ran = study.run()
    with study.work() as work:
        running.write_report(work, ran.reports[0], running.default_path(work))
    report = folder / "report.html"
    if as_json:
        emit({"study": str(path), "report": str(report), **to_json(ran.reports[0])})
        return
    say(decision_block(ran.reports[0]).rstrip())
    say()
    say(f"Report: {report}")
    say(f"Look at one pair: judge show {_first_pair(ran)} {path}")
    say(f"Review it yourself: judge review sample {path} && judge serve {path}")
    note("The labels of this study are simulated. Begin your own with: judge init my-study")


def _first_pair(ran: Any) -> str:
    exhibits = ran.reports[0].exhibits
    return str(exhibits[0].pair.id) if exhibits else "PAIR"


def init(folder: Annotated[Path, typer.Argument(help="The folder to begin the study in.")]) -> None:
    """Write a commented study that runs: three examples, two arms, a recorded judge, labels.

    Example: judge init my-study && judge run my-study/study.yaml
    """
    from judge.workflow import starting

    for path in starting.init(folder):
        say(str(path))
    note(f"Next: judge run {folder / 'study.yaml'}")


def check(
    study: StudyArgument = DEFAULT_STUDY, db: DbOption = None, limit: LimitOption = None, as_json: JsonOption = False
) -> None:
    """Validate everything, count the calls, print the effective configuration; writes nothing.

    Example: judge check study.yaml
    """
    checked = open_study(study, db).check(limit=limit)
    if as_json:
        emit(checked.to_json())
        return
    from judge.data import dump_yaml
    from judge.text.money import dollars

    say(f"# {checked.examples} examples, {checked.pairs} pairs, {checked.calls} calls, {checked.plan['labels']} labels planned")
    for name, planned in checked.plan["judges"].items():
        say(f"# judge {name}: {_in_words(planned)}")
    if checked.tokens_in:
        low, high = map(dollars, checked.usd)
        soon, late = (max(1, round(seconds / 60)) for seconds in checked.plan["seconds"])
        time = f"{soon} to {late}" if soon < late else f"about {late}"
        say(f"# about {checked.tokens_in:,} tokens to read, {low} to {high} USD, {time} min at no lower limit")
    for notice in checked.warnings:
        say(f"# {notice.code}: {notice.text}")
    say(dump_yaml(dict(checked.config)).rstrip())


def _in_words(planned: Mapping[str, Any]) -> str:
    """Say what a judge would be asked."""
    if "model" in planned:
        return f"{planned['calls']} calls to {planned['model']} ({planned['source']})"
    return f"{planned['answers']} answers in its file ({planned['source']})"


COMMANDS: Final[dict[str, Callable[..., Any]]] = {"demo": demo, "init": init, "check": check}
