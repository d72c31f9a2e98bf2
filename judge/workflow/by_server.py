"""Outputs from a server that speaks OpenAI's protocol, asked through the journal like any judge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from judge.calls import Answer, Engine, Request, Settings
from judge.domain import Arm, Example, Output
from judge.generate import model_of, output, request
from judge.judging import route
from judge.workflow.answering import Again, engine_for
from judge.workflow.outputs import Keeper, Made, MakingProgress, missing
from judge.workflow.workspace import Opened


def generate_by_server(work: Opened, arm: Arm, progress: MakingProgress | None, settings: Settings) -> Made:
    """Ask an arm's server for the outputs that are missing.

    A call that failed leaves no output, and the same command asks it again.  Raises Parked or JudgeError; what was
    answered until then is kept.
    """
    wanted = missing(work, arm)
    model = model_of(arm)
    way = route(model)
    asks = [_ask(arm, work.sources.examples[example], sample, way) for example, sample in wanted]

    def about(outputs: Sequence[Output]) -> dict[str, Any]:
        models = {str(one.meta["model"]) for one in outputs if "model" in one.meta}
        return {"engine": f"server {arm.base_url or 'of OpenAI'}", "models": sorted(models)}

    settings = replace(settings, known=bool(work.sources.outputs.get(arm.name)))
    with (
        engine_for(work, [model], lambda _: [ask(0).digest for ask in asks], settings) as (engine, before),
        Keeper(work, arm, len(wanted), about, progress) as keeper,
    ):

        def waiting() -> None:
            if engine.stopping:
                keeper.stopping(engine.flow.open)

        for place, answer in engine.stream((ask(0) for ask in asks), waiting=waiting):
            if answer is not None and not answer.failed:
                keeper.add([output(arm, *wanted[place], answer)])
            elif answer is not None:
                keeper.lack(wanted[place][0], answer.error or "")
        keeper.flush()
        made = keeper.close(lambda: _again(work, arm, engine, keeper.to_repeat(), way))
        return replace(made, usd=engine.flow.budget.spent - before.usd)


def _ask(arm: Arm, example: Example, sample: int, way: str) -> Again:
    return lambda again: replace(request(arm, example, sample, way), reask=again)


def _again(work: Opened, arm: Arm, engine: Engine, first: Sequence[Output], way: str) -> tuple[int, int] | None:
    """Ask a few questions once more, under a number of their own, and count the same answers."""
    asked: list[Request] = [
        replace(request(arm, work.sources.examples[one.example], 0, way), repeat=arm.decoding.n + 1) for one in first
    ]
    answers: Sequence[Answer | None] = engine.submit(asked).answers
    came = [(one.text, answer.text) for one, answer in zip(first, answers, strict=True) if answer and not answer.failed]
    return (sum(before == after for before, after in came), len(came)) if came else None
