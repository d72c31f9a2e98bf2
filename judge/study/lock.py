"""The locked test set: what it was at first use is what it has to be."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path

from judge.errors import LockedError


def compare_lock(
    locked: Mapping[str, str], now: Mapping[str, str], *, path: Path | str | None = None, since: datetime | date | None = None
) -> None:
    """Raise LockedError when the test set is not what was locked; the message counts and names the first example.

    locked, now: example id to digest, at first use and at present.  path: the test file.  since: when it was locked.
    """
    changed = [example for example in locked if example in now and now[example] != locked[example]]
    added = [example for example in now if example not in locked]
    removed = [example for example in locked if example not in now]
    if not (changed or added or removed):
        return
    counts = [(len(changed), "changed"), (len(added), "added"), (len(removed), "removed")]
    (first_count, first_word), *others = [(count, word) for count, word in counts if count]
    text = f"{first_count} of {len(locked)} examples {first_word}"
    if first_word == "added":
        text = f"{first_count} examples added to {len(locked)}"
    text += "".join(f", {count} {word}" for count, word in others)
    day = "" if since is None else f" since {since:%Y-%m-%d}"
    first = min([*changed, *added, *removed])
    hint = "restore the file or give the study a new name"
    raise LockedError(f"{text}{day} (first: {first})", at=path, hint=hint)
