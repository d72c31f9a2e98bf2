"""Rubrics that come with the package, found by name and version; all others are paths.

`rubrics/NAME.yaml` is version 1.  A version that changes what judges or people are shown comes beside it as
`rubrics/NAME@2.yaml`, so a study that names `NAME@1` keeps its digest for ever.
"""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path
from typing import Final

from judge.domain import Rubric
from judge.errors import StudyError, did_you_mean
from judge.rubric.read import load_rubric

_SHIPPED: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]*(@[0-9]+)?")


def shipped_rubrics() -> dict[str, Path]:
    """Give the file of every shipped rubric by `name@version`, in order."""
    found = {}
    for path in sorted(_folder().glob("*.yaml")):
        name, _, version = path.stem.partition("@")
        found[f"{name}@{version or 1}"] = path
    return found


def resolve_rubric(reference: str, relative_to: Path | str = ".") -> tuple[Rubric, Path]:
    """Find and read the rubric that a study or a command names.

    reference: `name@version` of a shipped rubric, or a path.  relative_to: the folder that a path starts from.
    Raises StudyError when no shipped rubric has the name, FileError or StudyError when the file is missing or wrong.
    """
    path = rubric_path(reference, relative_to)
    return load_rubric(path), path


def rubric_path(reference: str, relative_to: Path | str = ".") -> Path:
    """Find the file that a rubric's reference names; see `resolve_rubric`."""
    path = Path(relative_to) / reference
    if not _SHIPPED.fullmatch(reference) or reference.endswith((".yaml", ".yml", ".json")):
        return path
    shipped = shipped_rubrics()
    if reference in shipped:
        return shipped[reference]
    if path.is_file():
        return path
    versions = [name for name in shipped if name.partition("@")[0] == reference]
    if versions:
        raise StudyError(f"the rubric '{reference}' lacks its version", hint=f"write {versions[-1]}")
    raise StudyError(f"no shipped rubric '{reference}'", hint=did_you_mean(reference, shipped))


def _folder() -> Path:
    # A wheel carries the folder inside the package; an editable install reads the checkout's own.
    packed = Path(str(files("judge"))) / "_rubrics"
    return packed if packed.is_dir() else packed.parent.parent / "rubrics"
