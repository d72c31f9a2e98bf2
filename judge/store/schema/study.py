"""What is known about a study: examples, outputs, pairs, calls, readings, verdicts, labels with their arms.

Rows hang on digests of what made them, never on file names: an edited text or rubric has another digest and so never meets
old answers.  Nothing on the annotator's side may read this file's tables.
"""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from judge.store.schema.types import UtcDateTime


class StudyRow(SQLModel, table=True):
    """One study of the workspace; `secret` is where randomness that people must not guess comes from."""

    __tablename__ = "study"
    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True)
    secret: str
    made_at: datetime = Field(sa_type=UtcDateTime)
    locked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class RunRow(SQLModel, table=True):
    """One run of a command: the effective configuration, which can be run again, and the versions it ran with."""

    __tablename__ = "run"
    id: int | None = Field(default=None, primary_key=True)
    study_id: int = Field(foreign_key="study.id", index=True)
    command: str
    digest: str
    config: dict[str, Any] = Field(sa_type=sa.JSON)
    versions: dict[str, Any] = Field(sa_type=sa.JSON)
    at: datetime = Field(sa_type=UtcDateTime)


class ExampleRow(SQLModel, table=True):
    """One example of the locked test set."""

    __tablename__ = "example"
    study_id: int = Field(foreign_key="study.id", primary_key=True)
    id: str = Field(primary_key=True)
    digest: str
    content: dict[str, Any] = Field(sa_type=sa.JSON)


class ArmRow(SQLModel, table=True):
    """An arm as the study describes it now; its digest names what its outputs hang on."""

    __tablename__ = "arm"
    study_id: int = Field(foreign_key="study.id", primary_key=True)
    name: str = Field(primary_key=True)
    digest: str
    role: str
    content: dict[str, Any] = Field(sa_type=sa.JSON)


class OutputRow(SQLModel, table=True):
    """What an arm (by digest) answered to an example."""

    __tablename__ = "output"
    study_id: int = Field(foreign_key="study.id", primary_key=True)
    arm_digest: str = Field(primary_key=True)
    example: str = Field(primary_key=True)
    sample: int = Field(default=0, primary_key=True)
    content: dict[str, Any] = Field(sa_type=sa.JSON)


class GenerationRow(SQLModel, table=True):
    """How an arm's outputs were made: engine, device, versions, and what its repeated prompts and probes showed."""

    __tablename__ = "generation"
    study_id: int = Field(foreign_key="study.id", primary_key=True)
    arm_digest: str = Field(primary_key=True)
    content: dict[str, Any] = Field(sa_type=sa.JSON)
    at: datetime = Field(sa_type=UtcDateTime)


class PairRow(SQLModel, table=True):
    """Two texts on one example, by the digest of all three."""

    __tablename__ = "pair"
    digest: str = Field(primary_key=True)
    text_a: str
    text_b: str


class StudyPairRow(SQLModel, table=True):
    """The name a pair has in a study; the same texts may stand in several studies."""

    __tablename__ = "study_pair"
    study_id: int = Field(foreign_key="study.id", primary_key=True)
    id: str = Field(primary_key=True)
    pair: str = Field(foreign_key="pair.digest", index=True)
    candidate: str
    example: dict[str, Any] = Field(sa_type=sa.JSON)
    model_a: str | None = None
    model_b: str | None = None
    meta: dict[str, Any] = Field(sa_type=sa.JSON)


class RubricRow(SQLModel, table=True):
    """One version of a rubric, by digest."""

    __tablename__ = "rubric"
    digest: str = Field(primary_key=True)
    name: str
    content: dict[str, Any] = Field(sa_type=sa.JSON)


class JudgeRow(SQLModel, table=True):
    """A judge as the study describes it now."""

    __tablename__ = "judge"
    study_id: int = Field(foreign_key="study.id", primary_key=True)
    name: str = Field(primary_key=True)
    digest: str = Field(index=True)
    content: dict[str, Any] = Field(sa_type=sa.JSON)


class CallRow(SQLModel, table=True):
    """One request to a model, written before it is sent; what came of it is in its attempts.

    first: the call that was asked before this one because its answer could not be read; itself where there was none.
    """

    __tablename__ = "call"
    digest: str = Field(primary_key=True)
    first: str = Field(index=True)
    repeat: int
    request: dict[str, Any] = Field(sa_type=sa.JSON)
    tag: str
    made_at: datetime = Field(sa_type=UtcDateTime)


class AttemptRow(SQLModel, table=True):
    """One try at a call, with the raw answer as it came."""

    __tablename__ = "attempt"
    call: str = Field(foreign_key="call.digest", primary_key=True)
    n: int = Field(primary_key=True)
    status: str
    raw: str | None = Field(default=None, sa_type=sa.Text)
    usage: dict[str, Any] = Field(sa_type=sa.JSON)
    cost_usd: float | None = None
    request_id: str | None = None
    error_class: str | None = None
    at: datetime = Field(sa_type=UtcDateTime)


class AskRow(SQLModel, table=True):
    """A cell of the plan; many asks may share one call.  Imported readings have no call."""

    __tablename__ = "ask"
    __table_args__ = (sa.Index("ix_ask_said", "judge", "rubric"),)
    id: int = Field(primary_key=True, sa_type=sa.BigInteger)  # 63 bits of the cell's digest
    pair: str = Field(foreign_key="pair.digest", index=True)
    judge: str
    rubric: str
    criterion: str
    shown: str  # ab or ba; `order` is a word of SQL
    repeat: int
    call: str | None = Field(default=None, foreign_key="call.digest", index=True)


class ReadingRow(SQLModel, table=True):
    """What a parser made of the answer to an ask."""

    __tablename__ = "reading"
    ask: int = Field(foreign_key="ask.id", primary_key=True, sa_type=sa.BigInteger)
    parser: str
    value: str | None = None
    reason: str | None = None
    content: dict[str, Any] = Field(sa_type=sa.JSON)


class VerdictRow(SQLModel, table=True):
    """What a judge (or the jury) concluded; rebuilt from readings at any time, imported ones have no ask.

    rubric: with the checks of the pair's own example after it, see `Opened.asked_by`.  first_at: when the first conclusion
    was drawn, whatever the judge says today.
    """

    __tablename__ = "verdict"
    pair: str = Field(foreign_key="pair.digest", primary_key=True)
    judge: str = Field(primary_key=True)
    rubric: str = Field(primary_key=True)
    criterion: str = Field(primary_key=True)
    name: str  # the judge's name when it was made
    value: str | None = None
    score: float | None = None
    basis: str
    reason: str | None = None
    a_pass: bool | None = None
    b_pass: bool | None = None
    first_at: datetime = Field(sa_type=UtcDateTime)


class SampledRow(SQLModel, table=True):
    """A pair's place in the order in which pairs are drawn for people, and the half its labels belong to.  Drawn once."""

    __tablename__ = "sampled"
    study_id: int = Field(foreign_key="study.id", primary_key=True)
    pair: str = Field(foreign_key="pair.digest", primary_key=True)
    position: int
    stratum: str
    half: str


class RoundKeyRow(SQLModel, table=True):
    """Which study a round belongs to, by which rubric people answer, and how many labels were planned."""

    __tablename__ = "round_key"
    round: str = Field(primary_key=True)
    study_id: int = Field(foreign_key="study.id", index=True)
    n: int  # the study's n-th round
    rubric: str
    wanted: int  # labels an item
    planned: int  # labels in all; fewer when the round was closed incomplete without a look


class TaskKeyRow(SQLModel, table=True):
    """The envelope of a task: which pair it shows, and which of its texts stands on the left.

    Read when envelopes are opened, at closing or for totals; never by the annotator's side.
    """

    __tablename__ = "task_key"
    task: str = Field(primary_key=True)
    round: str = Field(index=True)
    pair: str = Field(foreign_key="pair.digest", index=True)
    left: str  # a or b


class ImportedLabelRow(SQLModel, table=True):
    """A label that came from a file, about a pair by digest."""

    __tablename__ = "imported_label"
    __table_args__ = (sa.UniqueConstraint("study_id", "pair", "person", "criterion", "kind", "revision"),)
    id: int | None = Field(default=None, primary_key=True)
    study_id: int = Field(foreign_key="study.id", index=True)
    pair: str = Field(foreign_key="pair.digest", index=True)
    person: str
    criterion: str
    kind: str
    revision: int
    source: str  # the file as it was named
    content: dict[str, Any] = Field(sa_type=sa.JSON)


class ScoreRow(SQLModel, table=True):
    """A number for one output on one criterion."""

    __tablename__ = "score"
    study_id: int = Field(foreign_key="study.id", primary_key=True)
    origin: str = Field(primary_key=True)  # "asked" of a model, or "imported"
    about: str = Field(primary_key=True)  # digest of what it was given on
    file: str | None = None  # that it was imported from
    example: str = Field(primary_key=True)
    arm: str = Field(primary_key=True)
    source: str = Field(primary_key=True)
    criterion: str = Field(primary_key=True)
    sample: int = Field(default=0, primary_key=True)
    content: dict[str, Any] = Field(sa_type=sa.JSON)
