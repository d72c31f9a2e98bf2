"""Whether a LoRA adapter belongs to a model, told from their files before anything is loaded.

It lies beside the scripts, which are run by their paths in an environment without blind-judge: standard library alone.
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Iterable
from pathlib import Path
from typing import Any

if __package__:
    from judge.generate.engines import wire
else:  # run by its path, where there is no blind-judge
    import wire  # type: ignore[import-not-found,no-redef]


def look_at(model: str, adapters: Iterable[str], most: int | None = None) -> None:
    """Raise Refusal for an adapter that cannot be read, lacks its weights, has a rank above `most`, or fits another model.

    model: where it is no folder, nothing is known of its weights.
    """
    for adapter in adapters:
        rank = rank_of(Path(adapter))
        if not any(Path(adapter).glob("adapter_model*")):
            raise wire.Refusal("adapter", f"{adapter}: the adapter has no weights (adapter_model.safetensors)")
        if most is not None and rank > most:
            raise wire.Refusal("rank", f"{adapter}: the adapter has rank {rank}, max_lora_rank is {most}")
        if Path(model).is_dir() and (why := misfit(Path(adapter), Path(model))):
            raise wire.Refusal("adapter", f"{adapter}: the adapter does not fit {model}: {why}")


def rank_of(folder: Path) -> int:
    """Read the largest rank of an adapter.  Raises Refusal when its settings cannot be read."""
    config = settings(folder)
    try:
        return int(max([config["r"], *(config.get("rank_pattern") or {}).values()]))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise wire.Refusal("adapter", f"{folder / 'adapter_config.json'}: states no LoRA rank r") from error


def settings(folder: Path) -> dict[str, Any]:
    """Read an adapter's own settings.  Raises Refusal when they cannot be read."""
    path = folder / "adapter_config.json"
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise wire.Refusal("adapter", f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise wire.Refusal("adapter", f"{path}: is no JSON") from error
    return found if isinstance(found, dict) else {}


def misfit(adapter: Path, base: Path) -> str | None:
    """Name the first weight of the adapter that cannot belong to the base.

    Weights whose names the base does not have are left to the engine, which knows how names were changed.
    """
    weights, parts = _shapes(base, "*.safetensors"), _shapes(adapter, "adapter_model.safetensors")
    known = {_any_layer(name) for name in weights}
    for name, (rank, wide) in ((name, shape) for name, shape in parts.items() if len(shape) == 2):
        module, found, _ = name.partition(".lora_A.weight")
        weight = f"{module.removeprefix('base_model.model.')}.weight"
        if not found:
            continue
        if weight not in weights:
            if _any_layer(weight) in known:
                return f"{weight} is not in the base"
            continue
        high = parts.get(f"{module}.lora_B.weight", [0, rank])[0]
        if weights[weight] not in ([high, wide], [wide, high]):  # some models keep their weights transposed
            return f"{weight} is {weights[weight]} in the base, the adapter is made for {[high, wide]}"
    return None


def _any_layer(name: str) -> str:
    return re.sub(r"\.\d+\.", ".*.", name)


def _shapes(folder: Path, files: str) -> dict[str, list[int]]:
    """Read the shapes of the unquantized tensors from the heads of safetensors files; a broken one is the engine's to tell."""
    shapes = {}
    for path in sorted(folder.glob(files)):
        try:
            with path.open("rb") as file:
                (size,) = struct.unpack("<Q", file.read(8))
                head = json.loads(file.read(size))
        except (OSError, ValueError, struct.error, MemoryError):
            continue
        shapes.update({name: one["shape"] for name, one in head.items() if str(one.get("dtype")).startswith(("F", "BF"))})
    return shapes
