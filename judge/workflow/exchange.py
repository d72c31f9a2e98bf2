"""Import and export: a study's rows to files and back, all of a file or nothing."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TextIO

from judge import access, data
from judge.data import Table
from judge.domain import JURY, Score
from judge.errors import JoinError, JudgeError, StudyError, did_you_mean
from judge.store import review as label_store
from judge.workflow.given_labels import put_labels
from judge.workflow.resolving import judged
from judge.workflow.reviewing import round_labels
from judge.workflow.score_plan import import_scores, score_key, scores_now
from judge.workflow.sources import check_scores
from judge.workflow.workspace import Opened

_TO_STORE = ("labels", "scores")
_BY_STUDY = {
    "examples": "name the file with `test:` in the study",
    "outputs": "name the file with `outputs:` in an arm of the study",
    "pairs": "name the file with `pairs:` in the study",
    "calls": "name the file with `calls:` in a judge of the study",
    "verdicts": "name the file with `verdicts:` in a judge of the study",
    "recordings": "name the file with `recorded:` in a judge of the study",
}


def import_files(work: Opened, kind: str, files: Sequence[Path]) -> int:
    """Take labels or scores into the study; give how many rows.  Either every file is taken or none.

    Raises FileError, RowError or JoinError; what a study names itself is no import, and the message says where to name it.
    """
    if kind not in data.KINDS:
        raise JudgeError(f"unknown kind '{kind}'", hint=did_you_mean(kind, data.KINDS))
    if kind not in _TO_STORE:
        raise JudgeError(f"{kind} belong to the study itself", hint=_BY_STUDY[kind])
    tables = [data.read(kind, file) for file in files]
    for table in tables:
        _check(work, kind, table)
    if kind == "scores":
        _refuse_twice(files, tables)
    with work.database.write() as tx:
        for file, table in zip(files, tables, strict=True):
            if kind == "labels":
                put_labels(tx, work.record, _source(work, file), table.rows, work.sources.pairs, work.pairs, at=file)
            else:
                import_scores(work, tx, _source(work, file), table.rows, at=file)
            access.note(tx, work.study.name, access.IMPORT, work.clock, {"kind": kind, "file": file.name, "rows": len(table)})
    return sum(len(table) for table in tables)


def _refuse_twice(files: Sequence[Path], tables: Sequence[Table[Any]]) -> None:
    """Refuse files of one import that say two things of one score: which counts must not hang on their order."""
    first: dict[object, tuple[Score, Path]] = {}
    for file, table in zip(files, tables, strict=True):
        for index, score in enumerate(table.rows):
            said, there = first.setdefault(score_key(score), (score, file))
            if said != score:
                hint = "take it out of one of the two"
                raise JoinError(f"{there.name} says something else of this score", at=table.place(index), hint=hint)


def _source(work: Opened, file: Path) -> str:
    """Name a file as seen from the study, so that a workspace may be moved."""
    return os.path.relpath(file.resolve(), work.study.folder.resolve())


def _check(work: Opened, kind: str, table: Table[Any]) -> None:
    if kind == "labels":
        data.check_known(table, "pair", work.pairs, work.study.path.name)
        return
    check_scores(table, work.sources)


def export_rows(work: Opened, kind: str) -> list[Any]:
    """Give a study's rows of one kind, sorted by their ids; an export of labels opens them, and the ledger says so.

    Raises JudgeError for an unknown kind, StudyError for recordings where no judge is recorded.
    """
    if kind not in data.KINDS:
        raise JudgeError(f"unknown kind '{kind}'", hint=did_you_mean(kind, data.KINDS))
    sources = work.sources
    match kind:
        case "examples":
            return [sources.examples[id_] for id_ in sorted(sources.examples)]
        case "pairs":
            return list(sources.pairs)
        case "outputs":
            return [output for name in sorted(sources.outputs) for output in sources.outputs[name]]
        case "calls":
            return _calls(work)
        case "verdicts":
            said = [replace(verdict, rubric=None) for verdict in judged(work)[1] if verdict.judge != JURY]
            return sorted(said, key=lambda one: (one.pair, one.judge, one.criterion))
        case "recordings":
            return _recordings(work)
        case "labels":
            return _labels(work)
        case _:
            return scores_now(work)


def _calls(work: Opened) -> list[Any]:
    """Give every answer that came back; what is only planned is no row."""
    answered = [reading for reading in judged(work)[0] if reading.came]
    return sorted(answered, key=lambda one: (one.pair, one.judge, one.criterion, one.order, one.repeat))


def _recordings(work: Opened) -> list[Any]:
    """Give what the recorded judges' files hold.  Raises StudyError when no judge is recorded."""
    recorded = work.sources.recordings
    if not recorded:
        hint = "what models answered is written by `judge export calls`, and shown as it came by `judge show PAIR --raw`"
        raise StudyError("judges: none is recorded, so there are no recordings", at=work.study.path, hint=hint)
    return [replace(row, judge=name) for name in sorted(recorded) for row in recorded[name]]


def _labels(work: Opened) -> list[Any]:
    in_rounds = round_labels(work).closed  # an open round's stay in their envelopes
    with work.database.write() as tx:
        labels = [*label_store.labels(tx, work.record.id), *in_rounds]
        access.note(tx, work.study.name, access.EXPORT, work.clock, {"kind": "labels", "rows": len(labels)})
    return sorted(labels, key=lambda label: (label.pair, label.annotator, label.criterion, label.revision))


def write_rows(kind: str, rows: Sequence[Any], target: Path | TextIO) -> None:
    """Write rows to a file (JSON lines or CSV by suffix) or an open stream (JSON lines)."""
    data.write(kind, rows, target)
