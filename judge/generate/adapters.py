"""What can be told of an adapter from its files alone, before an engine takes its time to load."""

from __future__ import annotations

from pathlib import Path

from judge.errors import EngineError, Place
from judge.generate.child import HINTS, fault_of
from judge.generate.engines.fitting import look_at
from judge.generate.engines.wire import Refusal


def check_adapter(model: str, adapter: str, most: int | None, *, name: str, at: Path | Place | str) -> None:
    """Raise EngineError for an adapter that cannot be read, has a rank above `most`, or was made for another model.

    name, at: the arm and the file that the message names.  Of what is no folder here, nothing is known.
    """
    if not Path(adapter).is_dir():
        return
    try:
        look_at(model, [adapter], most)
    except Refusal as refusal:
        kind = fault_of(refusal.kind)
        raise EngineError(f"arms.{name}: {refusal.text}", at=at, kind=kind, hint=HINTS.get(kind)) from refusal
