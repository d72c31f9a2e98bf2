"""Arms behind a server that speaks OpenAI's protocol: requests for the engine of `calls`, and outputs from its answers."""

from __future__ import annotations

from typing import Any

from judge.calls import Answer, Request
from judge.domain import Arm, Example, Judge, Output
from judge.generate.engines.wire import parted
from judge.generate.prompting import conversation


def model_of(arm: Arm) -> Judge:
    """Describe the arm's model as the engine is told of models: provider, name, server, key."""
    return Judge(name=arm.name, source="openai", target=arm.target, base_url=arm.base_url, key_env=arm.key_env)


def request(arm: Arm, example: Example, sample: int, route: str) -> Request:
    """Write the request for one output.  With a seed, each sample has its own, counted up from the arm's."""
    turns = conversation(arm, example)
    system = "\n\n".join(turn.content for turn in turns if turn.role == "system") or None
    return Request(
        provider="openai",
        model=arm.target,
        base_url=arm.base_url,
        system=system,
        messages=tuple(turn for turn in turns if turn.role != "system"),
        sampling=_sampling(arm, sample),
        most_tokens=arm.decoding.max_tokens,
        repeat=sample + 1,
        tag=f"output {arm.name} {example.id} {sample}",
        route=route,
    )


def _sampling(arm: Arm, sample: int) -> dict[str, Any]:
    decoding = arm.decoding
    given: dict[str, Any] = {"temperature": decoding.temperature}
    if decoding.top_p is not None:
        given["top_p"] = decoding.top_p
    if decoding.stop:
        given["stop"] = list(decoding.stop)
    if decoding.seed is not None:
        given["seed"] = decoding.seed + sample
    return given


def output(arm: Arm, example: str, sample: int, answer: Answer) -> Output:
    """Read an answer as the arm's output: a refusal or a filtered answer is an error, a cut one is cut."""
    text, thought = parted(answer.text or "", thinking=False)
    return Output(
        example=example,
        arm=arm.name,
        text=None if answer.error else text,
        reasoning=answer.reasoning or thought,
        sample=sample,
        finish=answer.finish,
        tokens_in=answer.usage.tokens_in,
        tokens_out=answer.usage.tokens_out,
        latency_s=answer.latency_s,
        error=answer.error,
        meta={"model": answer.model} if answer.model else {},
    )
