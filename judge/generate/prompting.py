"""What an arm is asked: its system prompt and shots before the example's own turns."""

from __future__ import annotations

from judge.domain import Arm, Example, Message


def conversation(arm: Arm, example: Example) -> tuple[Message, ...]:
    """Give the turns that an arm answers: its system prompt (else the example's own), its shots, the example.

    Shots are chat turns.  A shot's own system turn is left out: there is one system prompt, and it is the arm's.
    """
    system = (Message(role="system", content=arm.system),) if arm.system is not None else _system(example.messages)
    shots = tuple(turn for shot in arm.few_shot for turn in shot if turn.role != "system")
    return (*system, *shots, *(turn for turn in example.messages if turn.role != "system"))


def _system(messages: tuple[Message, ...]) -> tuple[Message, ...]:
    return tuple(turn for turn in messages if turn.role == "system")
