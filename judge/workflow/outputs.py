"""Outputs of the arms that this program generates for: which are there, which are missing, and how one arm's are kept.

They are found by the digest of what makes them, so that a changed prompt or adapter finds none and an unchanged one all.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Self

from judge.domain import Arm, Output
from judge.errors import StateError
from judge.store import study as store
from judge.store.opening import is_made, open_database
from judge.study import Study, arm_digest
from judge.workflow.sources import Sources, Stored, load_sources
from judge.workflow.workspace import Opened

if TYPE_CHECKING:
    from judge.store.database import Database, Transaction

GENERATED: Final = ("vllm", "transformers", "openai")
"""Sources of arms whose outputs this program makes."""

_CHUNK: Final = 256  # outputs that share one commit; a crash loses no more
_KEPT_S: Final = 5.0  # from one commit to the next, for slow arms
_WAY: Final = ("engine", "device", "dtype", "template", "options", "seed")  # what makes two parts of an arm made alike
_SUMS: Final = ("made", "tokens_out", "seconds")
_TOLD: Final = 16  # answers from one piece of news to the next: those of a batch come at once
REPEATED: Final = 8  # prompts that are generated twice, to see the noise of generation itself


@dataclass(frozen=True, slots=True, kw_only=True)
class Making:
    """How far one arm has come: answers made of those that were missing, tokens written, seconds.

    stopping: no more is asked of a server, and `open` calls are waited for.
    """

    arm: str
    done: int
    of: int
    tokens_out: int
    seconds: float
    stopping: bool = False
    open: int = 0


MakingProgress = Callable[[Making], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What came of one arm: outputs planned, there before, made now, without text, cut at the limit; and how it went.

    failed: calls of a server that gave nothing and are made again by the same command.  why: the first reason for an
    output that is missing or without text.
    repeated: how many prompts gave the same text when they were generated again, of how many; None: none was.
    """

    arm: str
    planned: int
    there: int
    made: int = 0
    errors: int = 0
    failed: int = 0
    why: str | None = None
    truncated: int = 0
    tokens_out: int = 0
    seconds: float = 0.0
    usd: float = 0.0
    repeated: tuple[int, int] | None = None

    def to_json(self) -> dict[str, Any]:
        """Give the counts for programs."""
        return {
            "arm": self.arm,
            "planned": self.planned,
            "there": self.there,
            "made": self.made,
            "errors": self.errors,
            "failed": self.failed,
            "why": self.why,
            "truncated": self.truncated,
            "tokens_out": self.tokens_out,
            "seconds": round(self.seconds, 3),
            "usd": round(self.usd, 6),
            "repeated": None if self.repeated is None else {"same": self.repeated[0], "of": self.repeated[1]},
        }


def generated_arms(study: Study) -> list[Arm]:
    """List the arms whose outputs this program makes, in the order of the file."""
    return [arm for arm in study.arms.values() if arm.source in GENERATED]


def sources_at(study: Study, place: str) -> Sources:
    """Read a study's files, with the outputs that the database at this place holds of its generated arms."""
    if not generated_arms(study) or not is_made(place):
        return load_sources(study)
    database = open_database(place)
    try:
        return sources_in(study, database)
    finally:
        database.close()


def sources_in(study: Study, database: Database) -> Sources:
    """Read a study's files, with the outputs that an open database holds of its generated arms."""
    with database.read() as tx:
        known = store.find_study(tx, study.name)
        made = {} if known is None else {arm.name: _stored(tx, known.id, arm) for arm in generated_arms(study)}
    return load_sources(study, made)


def _stored(tx: Transaction, study: int, arm: Arm) -> Stored:
    # The digest does not hold the name: an arm that was renamed finds its outputs, and they take its new name.
    made_of = arm_digest(arm)
    return Stored(digest=made_of, outputs=tuple(replace(output, arm=arm.name) for output in store.outputs(tx, study, made_of)))


def refuse_ungenerated(work: Opened) -> None:
    """Raise StateError for an arm of which nothing was generated yet: there is nothing to compare."""
    for arm in generated_arms(work.study):
        if not work.sources.outputs.get(arm.name):
            raise StateError(f"arms.{arm.name} has no outputs yet", at=work.study.path, hint="run `judge generate` first")


def options_of(work: Opened, source: str) -> dict[str, Any]:
    """Give the engine arguments that the study passes through."""
    given = {"vllm": work.study.vllm, "transformers": work.study.transformers}.get(source, {})
    return {key: value for key, value in given.items() if key != "python"}


def missing(work: Opened, arm: Arm) -> list[tuple[str, int]]:
    """List the outputs that an arm lacks: (example, sample), in the order of ids.

    Where the engine's options were changed, what had no text under the old ones is made anew.
    """
    outputs = work.sources.outputs.get(arm.name, ())
    anew = any(output.error for output in outputs) and _other_options(work, arm)
    there = {(output.example, output.sample) for output in outputs if not (anew and output.error)}
    planned = [(example, sample) for example in sorted(work.sources.examples) for sample in range(arm.decoding.n)]
    return [one for one in planned if one not in there]


def _other_options(work: Opened, arm: Arm) -> bool:
    with work.database.read() as tx:
        made = store.generations(tx, work.record.id).get(work.arms[arm.name], {})
    return "options" in made and made["options"] != options_of(work, arm.source)


def unmade(work: Opened, arm: Arm) -> Made:
    """Count what an arm has and lacks, before anything is made."""
    planned = len(work.sources.examples) * arm.decoding.n
    return Made(arm=arm.name, planned=planned, there=planned - len(missing(work, arm)))


About = Callable[[Sequence[Output]], Mapping[str, Any]]
"""Says how outputs were made, given those made until now."""


class Keeper:
    """Keeps one arm's outputs as they are made and how they were made with them, and tells of it."""

    def __init__(self, work: Opened, arm: Arm, of: int, about: About, progress: MakingProgress | None) -> None:
        self.outputs: list[Output] = []
        self._work, self._arm, self._of, self._about, self._progress = work, arm, of, about, progress
        self._digest = work.arms[arm.name]
        self._start = self._kept = time.monotonic()
        self._waiting: list[Output] = []
        self._before = unmade(work, arm)
        # Only what had no text is made anew: a text that was judged is never replaced by another.
        self._anew = any(output.error for output in work.sources.outputs.get(arm.name, ()))
        with work.database.read() as tx:
            self._earlier = store.generations(tx, work.record.id).get(self._digest)
        self._told = self._tokens = self._failed = 0
        self._why: str | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.flush()

    def add(self, outputs: Sequence[Output]) -> None:
        """Take one answer's outputs; they are on disk when a chunk is full, some seconds have passed, or the block ends."""
        self._waiting += outputs
        self._told += 1
        self._tokens += sum(output.tokens_out or 0 for output in outputs)
        if self._told % _TOLD == 0 or self._told == self._of:
            self._tell()
        if len(self._waiting) >= _CHUNK or time.monotonic() - self._kept > _KEPT_S:
            self.flush()

    def stopping(self, open_: int) -> None:
        """Tell that no more is asked, and how many calls are waited for."""
        self._tell(stopping=True, open_=open_)

    def _tell(self, *, stopping: bool = False, open_: int = 0) -> None:
        if self._progress:
            self._progress(
                Making(
                    arm=self._arm.name,
                    done=self._told,
                    of=self._of,
                    tokens_out=self._tokens,
                    seconds=time.monotonic() - self._start,
                    stopping=stopping,
                    open=open_,
                )
            )

    def lack(self, example: str, why: str) -> None:
        """Take note of an output that could not be had; the same command tries again."""
        self._failed += 1
        self._why = self._why or f"{example}: {why}"

    def flush(self) -> None:
        """Put what came on disk, and how it was made."""
        waiting, self._waiting, self._kept = self._waiting, [], time.monotonic()
        if waiting:
            self.outputs += waiting
            with self._work.database.write() as tx:
                store.put_outputs(tx, self._work.record.id, self._digest, waiting, anew=self._anew)
                self._say(tx, self._counted())

    def close(self, again: Callable[[], tuple[int, int] | None]) -> Made:
        """Count the outputs.  again: generates a few prompts once more."""
        self.flush()
        made = self._counted()
        if self.outputs:
            made = replace(made, repeated=again())
            with self._work.database.write() as tx:
                self._say(tx, made)
        return made

    def to_repeat(self) -> list[Output]:
        """Choose the outputs that are generated once more: the first texts made now, in the order of ids."""
        texts = [output for output in self.outputs if output.sample == 0 and output.text is not None]
        return texts[:REPEATED]

    def _counted(self) -> Made:
        return replace(
            self._before,
            made=len(self.outputs),
            errors=sum(output.error is not None for output in self.outputs),
            failed=self._failed,
            why=self._why or next((f"{one.example}: {one.error}" for one in self.outputs if one.error is not None), None),
            truncated=sum(output.finish == "length" for output in self.outputs),
            tokens_out=self._tokens,
            seconds=time.monotonic() - self._start,
        )

    def _say(self, tx: Transaction, made: Made) -> None:
        counts = made.to_json()
        said = {**self._about(self.outputs), **{key: counts[key] for key in (*_SUMS, "repeated")}}
        store.put_generation(tx, self._work.record.id, self._digest, _after(self._earlier, said), self._work.clock())


def _after(earlier: Mapping[str, Any] | None, said: dict[str, Any]) -> dict[str, Any]:
    """Add what was made before: to the counts when it was made in the same way, else as it stands beside them."""
    if earlier is None:
        return said
    before, now = earlier.get("repeated"), said["repeated"]
    if before and (now is None or now["of"] < before["of"]):  # a trial's few prompts say more than one that was left
        said = {**said, "repeated": before}
    if all(earlier.get(key) == said.get(key) for key in _WAY):
        models = sorted({*earlier.get("models", ()), *said.get("models", ())})
        return {**earlier, **said, **{key: earlier[key] + said[key] for key in _SUMS}, **({"models": models} if models else {})}
    alone = {key: value for key, value in earlier.items() if key != "earlier"}
    return {**said, "earlier": [*earlier.get("earlier", ()), alone]}
