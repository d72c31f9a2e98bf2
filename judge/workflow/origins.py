"""How the outputs of each arm were made, in words, and what in that may tell arms apart beside what the study changes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from judge.domain import Notice
from judge.store import study as store
from judge.workflow.workspace import Opened

_COMPARED: Final = {
    "template": "templates_differ",
    "dtype": "dtypes_differ",
    "engine": "engines_differ",
    "device": "devices_differ",
}


def origins(work: Opened) -> dict[str, dict[str, Any]]:
    """Give what was kept of how each arm's outputs were made; an arm of which nothing was generated is left out."""
    with work.database.read() as tx:
        known = store.generations(tx, work.record.id)
    return {name: known[made_of] for name, made_of in work.arms.items() if made_of in known}


def in_words(origin: Mapping[str, Any]) -> str:
    """Say how one arm's outputs were made."""
    said = [f"made by {origin['engine']}"]
    if origin.get("device"):
        said.append(f"on {origin['device']} in {origin['dtype']}, seed {origin['seed']}")
    said += [f"{key} {value}" for key, value in origin.get("options", {}).items()]
    if origin.get("models"):
        said.append(f"answering as {', '.join(origin['models'])}")
    if repeated := origin.get("repeated"):
        said.append(f"{repeated['same']} of {repeated['of']} prompts gave the same text when asked again")
    if probe := origin.get("probe"):
        said.append(f"its adapter changed {probe['of'] - probe['adapter']} of {probe['of']} probes")
    return ", ".join(said)


def origin_notices(work: Opened) -> Iterator[Notice]:
    """Warn where arms were generated in different ways, where LoRA changes the model by itself, and of chance."""
    found = origins(work)
    for key, code in _COMPARED.items():
        ways = {name: _ways(origin, key) for name, origin in found.items()}
        if len(set().union(*ways.values())) > 1:
            shown = ", ".join(f"{name} {' and '.join(values)}" for name, values in ways.items() if values)
            word = "chat template" if key == "template" else key
            yield Notice(code=code, text=f"The arms were generated with more than one {word}: {shown}.")
    for name, origin in found.items():
        yield from _of_probes(name, origin.get("probe"))
        repeated = origin.get("repeated")
        if repeated and repeated["same"] < repeated["of"]:
            other = repeated["of"] - repeated["same"]
            text = f"{name} gave another text on {other} of {repeated['of']} prompts when asked again: some of it is chance."
            yield Notice(code="generation_noise", text=text)


def _ways(origin: Mapping[str, Any], key: str) -> list[str]:
    """Give the values of one key over all the parts in which an arm was made."""
    values = [str(part[key]) for part in (*origin.get("earlier", ()), origin) if part.get(key)]
    return list(dict.fromkeys(value[:12] if key == "template" else value for value in values))


def _of_probes(name: str, probe: Mapping[str, int] | None) -> Iterator[Notice]:
    if probe is None:
        return
    if probe["adapter"] == probe["of"]:
        text = f"The adapter of {name} changed none of {probe['of']} probes, which are too few to say that it does nothing."
        yield Notice(code="adapter_unproven", text=text)
    others = {"than the model alone": "engine_alone", "than it did before the adapter was used": "base_again"}
    for words, key in others.items():
        other = probe["of"] - probe.get(key, probe["of"])
        if other:
            text = (
                f"Without its adapter, the engine that made {name} answers {other} of {probe['of']} probes otherwise {words}. "
                "Outputs without an adapter were made by the model alone."
            )
            yield Notice(code="lora_engine_differs", text=text)
