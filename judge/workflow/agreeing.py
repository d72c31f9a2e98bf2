"""`judge agree` on files: pairs, labels and calls or verdicts in, one Agreement out; no database is opened."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from judge import data
from judge.agreement import Agreement, ClusterRule, PeopleRule, agreement
from judge.domain import Label, Pair, Reading, Verdict
from judge.errors import FileError, JoinError, JudgeError, did_you_mean
from judge.ids import digest
from judge.judging import complete, complete_verdicts, jury, verdicts


def agree(
    *,
    pairs: Path | str,
    labels: Path | str | None = None,
    calls: Path | str | None = None,
    verdicts: Path | str | None = None,
    candidate: str = "b",
    people: PeopleRule = "mean",
    labelled: Path | str | None = None,
    cluster: ClusterRule = "auto",
    seed: int = 0,
) -> Agreement:
    """Measure how far judges and people agree, from files alone.

    Needs labels, or one of calls and verdicts.  Raises JudgeError with file, line and remedy.
    """
    if labels is None and calls is None and verdicts is None:
        raise JudgeError("nothing to compare", hint="give --labels, or one of --calls and --verdicts")
    if calls is not None and verdicts is not None:
        raise JudgeError("calls and verdicts are both given", hint="verdicts are made of calls; give one of them")
    table = data.read_pairs(pairs)
    known = {pair.id for pair in table.rows}
    _check_candidate(candidate, table.rows, pairs)
    people_said: tuple[Label, ...] = _read("labels", labels, known, pairs)
    readings: tuple[Reading, ...] = _read("calls", calls, known, pairs)
    given: tuple[Verdict, ...] = _read("verdicts", verdicts, known, pairs)
    completed, said = _judged(table.rows, readings, given)
    return agreement(
        pairs=table.rows,
        labels=people_said,
        readings=completed,
        verdicts=said,
        candidate=candidate,
        people=people,
        labelled=_ids(labelled, known, pairs),
        cluster=cluster,
        seed=seed,
        source={
            "pairs": len(table),
            "labels": len(people_said),
            "calls": len(readings),
            "verdicts": len(given),
            "digest": digest("agree", [data.pair_digest(pair) for pair in sorted(table.rows, key=lambda pair: pair.id)]),
        },
    )


def _read(kind: str, path: Path | str | None, known: set[str], where: Path | str) -> tuple[Any, ...]:
    if path is None:
        return ()
    table = data.read(kind, path)
    data.check_known(table, "pair", known, Path(where).name)
    return table.rows


def _judged(
    pairs: tuple[Pair, ...], readings: tuple[Reading, ...], given: tuple[Verdict, ...]
) -> tuple[list[Reading], list[Verdict]]:
    completed = complete(readings, pairs)
    said = [*verdicts(completed, pairs), *(complete_verdicts(given, pairs) if given else [])]
    return completed, [*said, *jury([verdict for verdict in said if verdict.judge != "jury"])]


def _check_candidate(candidate: str, pairs: tuple[Pair, ...], where: Path | str) -> None:
    models = {model for pair in pairs for model in (pair.model_a, pair.model_b) if model}
    if candidate not in ("a", "b", *models):
        raise JudgeError(
            f"no model '{candidate}' in {Path(where).name}", at="--candidate", hint=did_you_mean(candidate, models | {"a", "b"})
        )


def _ids(path: Path | str | None, known: set[str], where: Path | str) -> set[str] | None:
    """Read a list of pair ids, one a line."""
    if path is None:
        return None
    found: set[str] = set()
    for number, line in enumerate(data.read_text(Path(path)).split("\n"), 1):
        name = line.strip()
        if name and name not in known:
            raise JoinError(f"no pair '{name}' in {Path(where).name}", at=f"{path}:{number}", hint=did_you_mean(name, known))
        if name:
            found.add(name)
    if not found:
        raise FileError("the file names no pair", at=Path(path), hint="write one pair id a line")
    return found
