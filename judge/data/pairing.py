"""Two arms' outputs to pairs: the baseline is `a`, the candidate `b`, what is missing is counted and never made up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from judge.domain import Example, Output, Pair
from judge.errors import JoinError


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingOutputs:
    """Examples that make no pair (`output_missing`), by the arm whose output is absent or ended in an error."""

    by_arm: Mapping[str, tuple[str, ...]]

    @property
    def counts(self) -> dict[str, int]:
        """How many outputs each arm lacks."""
        return {arm: len(examples) for arm, examples in self.by_arm.items()}

    @property
    def examples(self) -> tuple[str, ...]:
        """The examples without a pair, each once."""
        return tuple(dict.fromkeys(example for examples in self.by_arm.values() for example in examples))


def make_pairs(
    examples: Iterable[Example], outputs: Iterable[Output], baseline: str, candidate: str
) -> tuple[list[Pair], MissingOutputs]:
    """Pair sample 0 of two arms, in the order of the examples; a pair's id is `EXAMPLE/CANDIDATE`.

    baseline, candidate: names of arms; outputs of other arms are ignored.  Raises JoinError when an output answers no
    example, or one arm answers an example twice.
    """
    items = list(examples)
    answers = _answers(outputs, {example.id for example in items}, (baseline, candidate))
    pairs = []
    missing: dict[str, list[str]] = {baseline: [], candidate: []}
    for example in items:
        text_a, text_b = answers.get((example.id, baseline)), answers.get((example.id, candidate))
        if text_a is None:
            missing[baseline].append(example.id)
        if text_b is None:
            missing[candidate].append(example.id)
        if text_a is not None and text_b is not None:
            pairs.append(_pair(example, text_a, text_b, baseline, candidate))
    return pairs, MissingOutputs(by_arm={arm: tuple(ids) for arm, ids in missing.items()})


def _answers(outputs: Iterable[Output], known: set[str], arms: tuple[str, str]) -> dict[tuple[str, str], str | None]:
    answers: dict[tuple[str, str], str | None] = {}
    for output in outputs:
        if output.sample != 0 or output.arm not in arms:
            continue
        key = (output.example, output.arm)
        if output.example not in known:
            raise JoinError(f"arm '{output.arm}' answers the example '{output.example}', which is not in the test set")
        if key in answers:
            raise JoinError(f"arm '{output.arm}' answers the example '{output.example}' twice")
        answers[key] = None if output.error is not None else output.text
    return answers


def _pair(example: Example, text_a: str, text_b: str, baseline: str, candidate: str) -> Pair:
    return Pair(
        id=f"{example.id}/{candidate}",
        example=example,
        text_a=text_a,
        text_b=text_b,
        model_a=baseline,
        model_b=candidate,
        meta=example.meta,
    )
