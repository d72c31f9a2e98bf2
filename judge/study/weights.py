"""What names a local model: its configuration, its chat template and its weights, read without loading them."""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final

from judge.errors import FileError

_TEXTS: Final = (
    "config.json", "generation_config.json", "adapter_config.json", "tokenizer_config.json", "chat_template.jinja",
    "tokenizer.json", "tokenizer.model", "special_tokens_map.json", "added_tokens.json", "vocab.json", "merges.txt",
)  # fmt: skip
# What training leaves beside the weights, and no answer hangs on.
_LEFT: Final = ("optimizer", "scheduler", "rng_state", "training_args", "scaler", "global_step")
_WEIGHTS: Final = ("*.safetensors", "*.bin", "*.pt", "*.gguf")
_WHOLE: Final = 64 * 2**20  # bytes; a larger file is sampled, so that a digest takes seconds and not minutes
_SAMPLE: Final = 4096  # bytes at each of the three places that are read of a tensor
_LONGEST_HEADER: Final = 100 * 2**20


def model_content(folder: Path) -> list[list[str]]:
    """Give [file name, digest] of everything in a model's or adapter's folder that changes its answers, by name.

    Small weight files are read whole.  Of a larger one: its size and header, and the start, middle and end of every
    tensor, because two fine-tunes of one model have equal headers.  Raises FileError when a weight file is broken.
    """
    paths = [folder / name for name in _TEXTS]
    paths += [path for pattern in _WEIGHTS for path in folder.glob(pattern) if not path.name.startswith(_LEFT)]
    if folder.is_file():
        paths = [folder]
    return [[path.name, file_digest(path)] for path in sorted(set(paths)) if path.is_file()]


def file_digest(path: Path) -> str:
    """Name a file by its bytes, a large weight file by a sample of them."""
    size = path.stat().st_size
    sha = hashlib.sha256(str(size).encode())
    with path.open("rb") as file:
        for start, length in _parts(path, file, size):
            file.seek(start)
            sha.update(file.read(length))
    return sha.hexdigest()


def _parts(path: Path, file: BinaryIO, size: int) -> Iterator[tuple[int, int]]:
    if size <= _WHOLE:
        yield 0, size
    elif path.suffix == ".safetensors":
        yield from _tensor_parts(path, file, size)
    else:
        step = size // 4096
        yield from ((start, _SAMPLE) for start in range(0, size, step))


def _tensor_parts(path: Path, file: BinaryIO, size: int) -> Iterator[tuple[int, int]]:
    length = struct.unpack("<Q", file.read(8))[0]
    if length > min(size - 8, _LONGEST_HEADER):
        raise FileError("is no safetensors file: its header is longer than the file", at=path)
    try:
        header: dict[str, Any] = json.loads(file.read(length))
        offsets = [tensor["data_offsets"] for name, tensor in sorted(header.items()) if name != "__metadata__"]
    except (ValueError, KeyError, TypeError):
        raise FileError("is no safetensors file: its header cannot be read", at=path) from None
    yield 0, 8 + length
    for start, end in offsets:
        for place in (start, (start + end) // 2, max(start, end - _SAMPLE)):
            yield 8 + length + place, min(_SAMPLE, end - place)
