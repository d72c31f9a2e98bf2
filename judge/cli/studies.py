"""Study: run, compare, agree, report, show."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from judge.cli.arguments import (
    DEFAULT_STUDY,
    CandidateOption,
    DbOption,
    JobsOption,
    JsonOption,
    LimitOption,
    StudyArgument,
    one_of,
    open_study,
    split_study,
)
from judge.cli.console import Progress, emit, note, say
from judge.errors import JudgeError

if TYPE_CHECKING:
    from judge.decision.report import Report

GATE_NOT_MET: Final = 1


def run(
    study: StudyArgument = DEFAULT_STUDY,
    jobs: JobsOption = None,
    db: DbOption = None,
    limit: LimitOption = None,
    as_json: JsonOption = False,
) -> None:
    """Judge every pair, then report: as far as it goes without people.  The same command again goes on.

    Example: judge run study.yaml
    """
    from judge.calls import Settings
    from judge.decision.report import to_json
    from judge.workflow import answering, running

    opened = open_study(study, db)
    with closing(Progress("generating", as_json=as_json)) as making:
        opened.generate_missing(limit=limit, progress=making.tell_making, jobs=jobs or answering.JOBS)
    with closing(Progress("judging", as_json=as_json)) as progress, opened.work(limit=limit) as work:
        ran = running.run(work, progress.tell, Settings(most_open=jobs or answering.JOBS))
        progress.close()
        written = _write_all(work, ran.reports, None)
    if as_json:
        for made in ran.reports:
            emit({"event": "report", **to_json(made)})
        emit({"event": "done", **ran.compared.to_json(), "reports": [str(path) for path in written]})
        return
    _print_blocks(ran.reports, written)


def compare(
    study: StudyArgument = DEFAULT_STUDY,
    jobs: JobsOption = None,
    reparse: Annotated[bool, typer.Option("--reparse", help="Send nothing: read what is stored again, at no cost.")] = False,
    retry: Annotated[
        str | None, typer.Option("--retry", metavar="unscored", help="Ask once more where no answer could be used.")
    ] = None,
    db: DbOption = None,
    limit: LimitOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask every judge about every pair in both orders; what is answered is not asked again.

    Example: judge compare study.yaml --retry unscored
    """
    from judge.cli.tables import asked_line, cost_lines
    from judge.workflow.answering import JOBS

    again = retry is not None and bool(one_of("retry", retry, ("unscored",)))
    if again and reparse:
        raise JudgeError("--reparse sends nothing, --retry asks again", hint="say one of them")
    opened = open_study(study, db)
    with closing(Progress("judging", as_json=as_json)) as progress:
        compared = opened.compare(limit=limit, progress=progress.tell, jobs=jobs or JOBS, reparse=reparse, retry=again)
    if as_json:
        emit({"event": "done", **compared.to_json()})
        return
    for notice in compared.notices:
        note(f"{notice.code}: {notice.text}")
    say(asked_line(compared))
    for line in cost_lines(compared.by_judge, compared.repeats):
        say(line)
    say(f"{compared.unscored} verdicts are unscored; `judge report` says why")


def report(
    study: StudyArgument = DEFAULT_STUDY,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="FILE.html, .md, .json or .junit.xml.  [default: report.html]")
    ] = None,
    candidate: CandidateOption = None,
    gate: Annotated[bool, typer.Option("--gate", help="Leave with 1 unless the decision is to ship.")] = False,
    db: DbOption = None,
    as_json: JsonOption = False,
) -> int:
    """Write the report and print the decision; right at any moment, and it says what is missing.

    Example: judge report study.yaml -o report.md
    """
    from judge.decision.report import to_json
    from judge.workflow import running

    if output is not None:
        running.form_of(output)
    with open_study(study, db).work() as work:
        made = running.reports(work, candidate)
        written = _write_all(work, made, output)
    if as_json:
        for one in made:
            emit(to_json(one))
    else:
        _print_blocks(made, written)
    return GATE_NOT_MET if gate and any(one.decision.outcome != "ship" for one in made) else 0


def _write_all(work: Any, made: Sequence[Report], output: Path | None) -> list[Path]:
    """Write each candidate's report; several get the candidate's name into the file's name."""
    from judge.workflow import running

    base = output or running.default_path(work)
    form = running.form_of(base)
    stem = base.name[: -len(form)]
    paths = [base] if len(made) == 1 else [base.with_name(f"{stem}-{one.candidate}{form}") for one in made]
    for one, path in zip(made, paths, strict=True):
        running.write_report(work, one, path)
    return paths


def _print_blocks(made: Sequence[Report], written: Sequence[Path]) -> None:
    from judge.decision.report import decision_block

    for one, path in zip(made, written, strict=True):
        say(decision_block(one).rstrip())
        say()
        say(f"Report: {path}")


def agree(
    words: Annotated[list[str] | None, typer.Argument(metavar="[STUDY]", help="The study, unless --pairs is given.")] = None,
    pairs: Annotated[Path | None, typer.Option(help="Pairs: work on files, without a study.")] = None,
    labels: Annotated[Path | None, typer.Option(help="People's labels.")] = None,
    calls: Annotated[Path | None, typer.Option(help="Judges' single answers.")] = None,
    verdicts: Annotated[Path | None, typer.Option(help="Judges' verdicts.")] = None,
    candidate: CandidateOption = None,
    people: Annotated[str, typer.Option(help="mean or majority: how several labels of a pair make one score.")] = "mean",
    labelled: Annotated[Path | None, typer.Option(help="Pair ids, one a line: whose labels count in the win rate.")] = None,
    cluster: Annotated[str, typer.Option(help="auto (group, else equal prompts) or item.")] = "auto",
    db: DbOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say how far judges and people agree, and what the labels make of the judge's win rate.

    Example: judge agree --pairs pairs.jsonl --labels labels.jsonl --calls calls.jsonl --json
    """
    from judge.workflow.agreeing import agree as agree_on_files

    if pairs is not None:
        found = agree_on_files(
            pairs=pairs,
            labels=labels,
            calls=calls,
            verdicts=verdicts,
            candidate=candidate or "b",
            people=one_of("people", people, ("mean", "majority")),
            labelled=labelled,
            cluster=one_of("cluster", cluster, ("auto", "item")),
        )
    else:
        _refuse_files_without_pairs(labels, calls, verdicts, labelled)
        found = open_study(split_study(words or [])[1], db).agree(candidate)
    if as_json:
        emit(found.to_json())
    else:
        from judge.cli.tables import agreement_lines

        for line in agreement_lines(found):
            say(line)


def _refuse_files_without_pairs(*files: Path | None) -> None:
    if any(file is not None for file in files):
        raise JudgeError("files are given without the pairs they speak of", hint="add --pairs FILE")


def show(
    words: Annotated[
        list[str],
        typer.Argument(metavar="PAIR [STUDY]", help="The pair's id, EXAMPLE/CANDIDATE; with --prompt also EXAMPLE ARM."),
    ],
    prompt: Annotated[
        bool,
        typer.Option("--prompt", help="Also print the words that judges are asked in; of EXAMPLE ARM, what the arm reads."),
    ] = False,
    raw: Annotated[bool, typer.Option("--raw", help="Also print models' answers as they came, every try of them.")] = False,
    db: DbOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one pair with its arms and all that was said about it.  The ledger notes that you saw it.

    Example: judge show leap-year/tuned study.yaml, or judge show leap-year --prompt tuned
    """
    from judge.cli.tables import pair_lines, raw_lines
    from judge.workflow import showing

    (pair, *arm), study = split_study(words)
    if len(arm) > prompt:
        raise JudgeError(f"one pair is shown at a time, not {' and '.join([pair, *arm])}", hint="name one")
    if arm:
        with open_study(study, db).work() as work:
            read = showing.arm_prompt(work, pair, arm[0])
        emit({"example": pair, "arm": arm[0], "prompt": read}) if as_json else say(read)
        return
    with open_study(study, db).work() as work:
        shown = showing.show(work, pair)
        asked = showing.prompts(work, shown) if prompt else {}
        came = showing.raw_answers(work, shown) if raw else []
    if as_json:
        emit({**showing.to_json(shown), **({"prompts": asked} if prompt else {}), **({"answers": came} if raw else {})})
        return
    for line in pair_lines(shown):
        say(line)
    for order, text in asked.items():
        say(f"\n--- prompt, order {order} ---\n{text}")
    for line in raw_lines(came):
        say(line)


COMMANDS: Final[dict[str, Callable[..., Any]]] = {
    "run": run,
    "compare": compare,
    "agree": agree,
    "report": report,
    "show": show,
}
