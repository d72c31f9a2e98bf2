"""Keys from the file `.env` beside a study, for the variables that its judges name.

A line is `NAME=VALUE`, perhaps after `export`; the value may stand in single or double quotes and is taken as it is; `#`
begins a comment on a line of its own, or after a space.  Other variables of the file are left alone: it may serve other
programs, and a variable that nobody asked for could change how a call is made.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from judge.calls import Server, holds, server_for
from judge.domain import MODELS, Judge
from judge.errors import FileError, JudgeError, Place, RowError

FILE: Final = ".env"

_LINE: Final = re.compile(r"(?:export\s+)?(?P<name>[A-Za-z_]\w*)\s*=\s*(?P<value>.*)", re.ASCII)
_QUOTED: Final = re.compile(r"(?P<mark>['\"])(?P<text>.*)(?P=mark)\s*(?:\s#.*)?")
_COMMENT: Final = re.compile(r"(?:^|\s)#.*$")


def take_keys(folder: Path, judges: Iterable[Judge]) -> None:
    """Put the keys that judges need into the environment, from the file beside the study; see `take_variables`."""
    take_variables(folder, [server_of(judge).variable for judge in judges if judge.source in MODELS])


def check_keys(judges: Iterable[Judge], asked: Callable[[Judge], bool]) -> None:
    """Raise JudgeError for a model that is to be asked and whose key is not there, before any model is asked.

    asked: whether something is left to ask of a judge; looked at only for one without a key.
    """
    for judge in judges:
        try:
            server_of(judge).key()
        except JudgeError as error:
            if asked(judge):
                raise JudgeError(f"judges.{judge.name}: {error.problem}", hint=error.hint) from None


def server_of(judge: Judge) -> Server:
    """Say where a model is asked, and with which key."""
    return server_for(judge.source, judge.base_url, judge.key_env)


def take_variables(folder: Path, names: Iterable[str]) -> list[str]:
    """Set those of these variables that the environment lacks and the folder's `.env` has; give their names.

    Raises FileError or RowError when the file cannot be read; the message never holds a value.
    """
    lacking = [name for name in dict.fromkeys(names) if not holds(name)]
    path = folder / FILE
    if not lacking or not path.is_file():
        return []
    found = read_env(path)
    taken = [name for name in lacking if found.get(name)]
    os.environ.update({name: found[name] for name in taken})
    return taken


def read_env(path: Path) -> dict[str, str]:
    """Read every variable of such a file.

    Raises FileError when it cannot be read, RowError (with the line's number, never its text) for a line that is none or
    a name that comes twice.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no UTF-8"
        raise FileError(f"cannot be read: {why}", at=path, hint="mend or remove it") from None
    found: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        name, value = _variable(stripped, Place(str(path), number))
        if name in found:
            raise RowError(f"{name} is set twice", at=Place(str(path), number), hint="keep one of the lines")
        found[name] = value
    return found


def _variable(line: str, at: Place) -> tuple[str, str]:
    match = _LINE.fullmatch(line)
    value = None if match is None else _value(match["value"])
    if match is None or value is None:
        raise RowError("the line is no NAME=VALUE", at=at, hint="write NAME=VALUE, quotes only around the whole value")
    return match["name"], value


def _value(text: str) -> str | None:
    """Take quotes or a comment off; None for quotes that do not match."""
    if text[:1] in ("'", '"'):
        quoted = _QUOTED.fullmatch(text)
        return None if quoted is None or quoted["mark"] in quoted["text"] else quoted["text"]
    return _COMMENT.sub("", text).strip()
