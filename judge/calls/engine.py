"""One engine per process: requests in, journalled answers out.

    engine = Engine(database, {"recorded": RecordedProvider(recordings)}, clock)
    result = engine.submit(requests)        # answers in the order of the requests; None: nobody has one

The intent is on disk before a request is sent, the raw answer before it counts.  A call that is answered in the journal is
never made again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from judge.calls.request import Answer, Request
from judge.clock import Clock
from judge.store import calls as journal
from judge.store.database import Database

_BATCH: Final = 256  # answers that share one commit
Progress = Callable[[int, int], None]  # done, of


class Provider(Protocol):
    """A way to get an answer."""

    def name(self, request: Request) -> str | None:
        """Give the digest of the call, or None when this provider cannot answer the request."""
        ...

    def answer(self, request: Request, call: str) -> Answer:
        """Get the answer to a request whose call has this digest."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitted:
    """Answers in the order of the requests, and how many of them the journal already held."""

    answers: tuple[Answer | None, ...]
    from_journal: int


class Engine:
    """Answers requests through its providers, with the journal in between."""

    def __init__(self, database: Database, providers: Mapping[str, Provider], clock: Clock) -> None:
        self._database = database
        self._providers = providers
        self._clock = clock

    def submit(self, requests: Sequence[Request], progress: Progress | None = None) -> Submitted:
        """Answer every request that can be answered, each distinct call once.

        Raises Parked or StoreError; what was answered before is in the journal then.
        """
        names = [self._providers[request.provider].name(request) for request in requests]
        with self._database.read() as tx:
            answers = {
                call: _restored(call, row) for call, row in journal.answered(tx, [name for name in names if name]).items()
            }
        known = len(answers)
        open_calls = {name: request for name, request in zip(names, requests, strict=True) if name and name not in answers}
        todo = list(open_calls.items())
        for start in range(0, len(todo), _BATCH):
            batch = todo[start : start + _BATCH]
            answers |= self._answer(batch)
            if progress:
                progress(min(start + _BATCH, len(todo)), len(todo))
        return Submitted(answers=tuple(answers.get(name) if name else None for name in names), from_journal=known)

    def _answer(self, batch: Sequence[tuple[str, Request]]) -> dict[str, Answer]:
        intents = [
            journal.Intent(digest=call, repeat=request.repeat, request=request.content(), tag=request.tag)
            for call, request in batch
        ]
        with self._database.write() as tx:
            journal.intend(tx, intents, self._clock())
        answers = {call: self._providers[request.provider].answer(request, call) for call, request in batch}
        with self._database.write() as tx:
            journal.record(tx, [_outcome(answer) for answer in answers.values()], self._clock())
        return answers


def _outcome(answer: Answer) -> journal.Outcome:
    return journal.Outcome(
        digest=answer.digest,
        raw=answer.text,
        usage=answer.usage(),
        cost_usd=answer.cost_usd,
        request_id=answer.request_id,
        error_class=answer.error,
    )


def _restored(call: str, row: journal.Outcome) -> Answer:
    return Answer(digest=call, text=row.raw, cost_usd=row.cost_usd, request_id=row.request_id, **row.usage)
