"""The review's verbs: sample, invite, status, extend, close; and what rounds tell a report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from judge import access, review
from judge.domain import Label, Notice, Pair
from judge.errors import JudgeError
from judge.judging import strata
from judge.review import Drawn, Subject
from judge.store import access as ledger
from judge.store import review as sample_store
from judge.store import rounds as store
from judge.text import findings, masked
from judge.workflow.resolving import judged
from judge.workflow.workspace import Opened

if TYPE_CHECKING:
    from judge.store.database import Transaction

Policy: TypeAlias = Literal["report", "exclude", "mask"]
POLICIES: Final[tuple[Policy, ...]] = ("report", "exclude", "mask")
MASK: Final = "[...]"
_BETRAYING: Final = ("self_naming", "debris")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampled:
    """A round that was opened, and what its texts may betray."""

    drawn: Drawn
    notices: tuple[Notice, ...]


def draw_order(work: Opened) -> None:
    """Draw the order in which pairs are shown to people, once; later pairs come after it.  Sampling follows judging."""
    with work.database.read() as tx:
        if sample_store.sampled(tx, work.record.id):
            return
    spoken = strata(judged(work)[1])
    order = review.sampling_order([pair.id for pair in work.sources.pairs], spoken, work.record.secret)
    with work.database.write() as tx:
        sample_store.put_sampled(tx, work.record.id, [(work.pairs[s.pair], s.stratum, s.half) for s in order])


def sample(
    work: Opened, *, n: int | None = None, labels: int | None = None, policy: Policy = "report", mirrored: bool = False
) -> Sampled:
    """Draw the next pairs, seal them and open a round.

    n, labels: pairs and labels a pair, else as the study's review plan says.  policy: what happens to texts that name
    their model or hold template debris: reported, left out of the round, or masked on both sides alike.
    Raises StateError while a round is open or when nothing is left to draw.
    """
    draw_order(work)
    plan = work.study.review
    pairs, notices = _guarded(work, policy)
    with work.database.write() as tx:
        drawn = review.open_round(
            tx,
            subject(work, pairs),
            work.clock(),
            n=n or plan.sample,
            wanted=labels or plan.labels_per_item,
            seats=plan.seats,
            mirrored=mirrored,
        )
        access.note(tx, work.study.name, access.ROUND, work.clock, {"round": drawn.round, "policy": policy})
    return Sampled(drawn=drawn, notices=(*notices, *_named_arms(work)))


def subject(work: Opened, pairs: Sequence[Pair] | None = None) -> Subject:
    """Give the review what it needs of a study."""
    return Subject(
        id=work.record.id,
        name=work.study.name,
        secret=work.record.secret,
        pairs={work.pairs[pair.id]: pair for pair in (work.sources.pairs if pairs is None else pairs)},
        rubric=work.sources.rubric,
        rubric_digest=work.rubric,
    )


def _guarded(work: Opened, policy: Policy) -> tuple[list[Pair], list[Notice]]:
    """Look for texts that betray what made them, and do with them what the policy says."""
    kept: list[Pair] = []
    found = 0
    for pair in work.sources.pairs:
        betrays = _betrays(pair.text_a) or _betrays(pair.text_b)
        found += betrays
        if betrays and policy == "exclude":
            continue
        kept.append(_masked(pair) if policy == "mask" else pair)
    done = {"report": "shown as they are", "exclude": "left out of the round", "mask": "masked on both sides"}[policy]
    text = f"{found} of {len(work.sources.pairs)} pairs hold a text that names its model or has template debris; {done}."
    return kept, [Notice(code="betraying_texts", text=text)] if found else []


def _betrays(text: str) -> bool:
    return any(code in _BETRAYING for code, _ in findings(text))


def _masked(pair: Pair) -> Pair:
    text_a, text_b = (masked(text, _BETRAYING, MASK) for text in (pair.text_a, pair.text_b))
    return replace(pair, text_a=text_a, text_b=text_b)


def _named_arms(work: Opened) -> list[Notice]:
    """Warn when the rubric, which people read, names an arm."""
    rubric = work.sources.rubric
    if rubric is None:
        return []
    words = (
        " ".join([rubric.task, rubric.overall, rubric.people or "", *(c.question for c in rubric.criteria)]).casefold().split()
    )
    named = sorted(name for name in work.sources.arms if name.casefold() in {word.strip(".,:;!?()'\"") for word in words})
    text = f"The rubric, which annotators read, uses the name of an arm: {', '.join(named)}."
    return [Notice(code="arm_named_in_rubric", text=text)] if named else []


def invite(work: Opened, *, role: str = "annotator", uses: int = 1, days: float = 14) -> tuple[str, str]:
    """Make a link's secret; give it with the moment at which it ends."""
    if role not in access.ROLES:
        raise JudgeError(f"there is no role '{role}'", at="--role", hint=f"one of {', '.join(access.ROLES)}")
    now = work.clock()
    with work.database.write() as tx:
        secret = access.invite(tx, work.study.name, role, now, uses=uses, days=days)
        invitation = access.peek(tx, secret, now)
    assert invitation is not None
    return secret, invitation.expires.isoformat()


def withdraw(work: Opened, link: str) -> None:
    """Withdraw a link; it may be given whole or by its secret.  Raises GoneError for one that is not this study's."""
    with work.database.write() as tx:
        access.withdraw(tx, work.study.name, link.rstrip("/").rsplit("/", 1)[-1])


def status(work: Opened) -> dict[str, Any]:
    """Count labels by annotator in the newest round; no text, no preference."""
    with work.database.read() as tx:
        return status_of(tx, work.record.id, work.study.name)


def status_of(tx: Transaction, study: int, name: str) -> dict[str, Any]:
    """Count labels by annotator, in a transaction that is open already."""
    known = store.rounds(tx, study)
    if not known:
        return {"round": None, "state": "none", "planned": 0, "labels": 0, "annotators": []}
    newest = known[-1]
    counts = store.counts(tx, newest.token)
    people = store.people(tx, newest.token, name)
    return {
        "round": newest.token,
        "state": "open" if newest.open else "closed",
        "planned": newest.planned,
        "labels": sum(counts.values()),
        "annotators": [
            {"id": people[person], "labels": counts.get(person, 0)} for person in sorted(people, key=people.__getitem__)
        ],
    }


def extend(work: Opened, *, n: int = 0, seats: int = 0) -> Drawn:
    """Add the next n pairs, or seats, to the open round; betraying texts are treated as when it was opened."""
    if not n and not seats:
        raise JudgeError("nothing to add", hint="give --n or --seats")
    with work.database.write() as tx:
        round_ = review.open_one(tx, work.record.id)
        pairs, _ = _guarded(work, _policy_of(ledger.events(tx, work.study.name, access.ROUND), round_.token))
        return review.extend(tx, subject(work, pairs), n=n, seats=seats)


def _policy_of(events: Sequence[ledger.Event], round_: str) -> Policy:
    """Find what a round does with betraying texts, as it was said when it was opened."""
    said = next((event.what["policy"] for event in events if event.what.get("round") == round_), "report")
    return next(policy for policy in POLICIES if policy == said)


def close(work: Opened, *, incomplete: bool = False) -> tuple[int, int]:
    """Close the open round and open its envelopes; give its labels and how many are missing."""
    with work.database.write() as tx:
        return close_in(tx, work, incomplete=incomplete)


def close_in(tx: Transaction, work: Opened, *, incomplete: bool, who: str | None = None) -> tuple[int, int]:
    """Close the open round, in a transaction that is open already."""
    round_ = review.open_one(tx, work.record.id)
    looks = [event for event in ledger.events(tx, work.study.name, access.LOOK) if event.what.get("round") == round_.token]
    labels, missing = review.close(tx, work.record.id, incomplete=incomplete, looked=bool(looks))
    what = {"round": round_.token, "labels": labels, "missing": missing}
    access.note(tx, work.study.name, access.CLOSE, work.clock, what, who)
    return labels, missing


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundLabels:
    """Labels given in rounds: those out of their envelopes, and those of the open round, for totals only."""

    closed: tuple[Label, ...] = ()
    open: tuple[Label, ...] = ()
    planned: int = 0
    open_round: str | None = None


def round_labels(work: Opened) -> RoundLabels:
    """Give the labels of all rounds of a study."""
    with work.database.read() as tx:
        known = store.rounds(tx, work.record.id)
        if not known:
            return RoundLabels()
        names = ledger.names(tx, work.study.name)
        seen = _unblinded(ledger.events(tx, work.study.name, access.UNBLINDING))
        drawn = sum(len(store.items(tx, round_.token)) for round_ in known)
        probability = min(1.0, drawn / len(work.sources.pairs)) if work.sources.pairs else None

        def labels(of: list[str]) -> tuple[Label, ...]:
            return tuple(review.to_labels(store.open_envelopes(tx, work.record.id, of), names, seen, probability))

        open_round = next((round_.token for round_ in known if round_.open), None)
        return RoundLabels(
            closed=labels([round_.token for round_ in known if not round_.open]),
            open=labels([open_round]) if open_round else (),
            planned=sum(round_.planned for round_ in known),
            open_round=open_round,
        )


def _unblinded(events: Sequence[ledger.Event]) -> Mapping[str, Any]:
    seen: dict[str, Any] = {}
    for event in events:
        seen.setdefault(event.who, event.at)
    return seen


def note_look(work: Opened, round_: str) -> None:
    """Note in the ledger that the totals of an open round were seen."""
    with work.database.write() as tx:
        access.note(tx, work.study.name, access.LOOK, work.clock, {"round": round_})
