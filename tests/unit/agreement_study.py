"""Small studies in a few letters, for the tests of agreement."""

from __future__ import annotations

import numpy as np

from judge.agreement import agreement
from judge.domain import Example, Label, Message, Pair, Reading, Verdict

NAMES = ("a", "tie", "b")


def pair(number, *, prompt=None, group=None, models=("base", "tuned"), texts=("short", "longer text")):
    messages = (Message(role="user", content=prompt or f"question {number}"),)
    example = Example(id=f"x{number:03}", messages=messages, group=group)
    return Pair(
        id=f"p{number:03}",
        example=example,
        text_a=texts[0],
        text_b=texts[1],
        model_a=models[0],
        model_b=models[1],
    )


def pairs(count, **rest):
    return [pair(number, **rest) for number in range(count)]


def labels(*answers, annotators=("ann", "bob", "cat"), **rest):
    """One string per pair, one letter per annotator: a, b, t, c (cannot judge), . (not asked)."""
    words = {"a": "a", "b": "b", "t": "tie", "c": "cannot_judge", "d": "both_bad"}
    return [
        Label(pair=f"p{number:03}", annotator=annotator, choice=words[letter], **rest)
        for number, answer in enumerate(answers)
        for annotator, letter in zip(annotators, answer, strict=False)
        if letter != "."
    ]


def verdicts(values, judge="j", **rest):
    """One letter per pair: a, b, t, s (split), . (unscored)."""
    made = {"a": ("a", "agreed"), "b": ("b", "agreed"), "t": ("tie", "agreed"), "s": ("tie", "split")}
    return [
        Verdict(
            pair=f"p{number:03}",
            judge=judge,
            value=made.get(letter, (None, ""))[0],
            basis=made.get(letter, (None, "unscored"))[1],
            reason=None if letter in made else "refused",
            **rest,
        )
        for number, letter in enumerate(values)
    ]


def readings(ab, ba, judge="j"):
    """Per pair one string of repeats and order: letters as in `verdicts`."""
    words = {"a": "a", "b": "b", "t": "tie", ".": None}
    return [
        Reading(pair=f"p{number:03}", judge=judge, order=order, repeat=repeat, value=words[letter],
                reason=None if words[letter] else "malformed")
        for order, answers in (("ab", ab), ("ba", ba))
        for number, answer in enumerate(answers)
        for repeat, letter in enumerate(answer, 1)
    ]  # fmt: skip


def measured(count=4, **given):
    given = {"pairs": pairs(count), "labels": [], "readings": [], "verdicts": []} | given
    return agreement(**given)


def document(*args, **given):
    return measured(*args, **given).to_json()


def noisy(count, seed, right_people, right_judge):
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 3, count)
    said = [np.where(rng.random(count) < share, truth, rng.integers(0, 3, count)) for share in
            (right_people, right_people, right_judge)]  # fmt: skip
    letters = ["".join("atb"[code] for code in side) for side in said]
    return {
        "pairs": pairs(count),
        "labels": labels(*("".join(both) for both in zip(*letters[:2], strict=True))),
        "verdicts": verdicts(letters[2]),
    }
