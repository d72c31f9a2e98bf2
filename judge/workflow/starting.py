"""`judge init` and `judge demo`: folders with a study that runs."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import as_file, files
from pathlib import Path
from typing import Final

from judge.errors import FileError

STARTER: Final = "starter"  # a commented study of three examples
DEMO: Final = "demo_study"  # the support desk


def init(folder: Path) -> list[Path]:
    """Write a commented study that runs into a folder; give the files written.

    Raises FileError when one of them is there already (nothing is written then), or the folder cannot be written.
    """
    return _copy(STARTER, folder, replace=False)


def demo(folder: Path) -> Path:
    """Write the demonstration study into a folder, over an earlier one, and give its study.yaml.

    Raises FileError when the folder holds files of something else, or cannot be written.
    """
    marker = folder / "study.yaml"
    if folder.exists() and any(folder.iterdir()) and not _is_demo(marker):
        raise FileError("the folder is not empty and holds no earlier demo", at=folder, hint="name another: judge demo DIR")
    _copy(DEMO, folder, replace=True)
    return marker


def _is_demo(marker: Path) -> bool:
    return marker.is_file() and "\nname: demo\n" in marker.read_text(encoding="utf-8", errors="replace")


def _copy(name: str, folder: Path, *, replace: bool) -> list[Path]:
    contents = dict(_contents(name))
    targets = [folder / file for file in contents]
    there = [target for target in targets if target.exists()]
    if there and not replace:
        raise FileError("is there already; nothing was written", at=there[0], hint="choose an empty folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for file, content in contents.items():
            (folder / file).write_bytes(content)
    except OSError as error:
        raise FileError(f"cannot be written: {error.strerror}", at=folder, hint="choose a folder that you may write") from error
    return targets


def _contents(name: str) -> Iterator[tuple[str, bytes]]:
    with as_file(files("judge.workflow") / name) as folder:
        for path in sorted(folder.iterdir()):
            if path.is_file() and path.suffix != ".py":
                yield path.name, path.read_bytes()
