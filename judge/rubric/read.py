"""A rubric's YAML (or JSON) to a Rubric, strictly."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

from judge.data import Fields, YamlFile, parse_yaml, read_text
from judge.domain import JURY, OVERALL, Criterion, Rubric

KEYS: Final = ("rubric", "task", "overall", "criteria", "people", "reference", "judge_first", "per_example")
CRITERION_KEYS: Final = ("question", "check", "levels")
NAME: Final = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"
CRITERION_ID: Final = r"^[A-Za-z][A-Za-z0-9_-]*$"
LEVEL: Final = r"^(0|[1-9][0-9]?)$"
RESERVED: Final = (OVERALL, JURY)  # no criterion may be called so


def load_rubric(path: Path | str) -> Rubric:
    """Read a rubric file.  Raises FileError when it cannot be opened, StudyError (line and key) when it breaks a rule."""
    return parse_rubric(read_text(Path(path)), str(path))


def parse_rubric(text: str, file: str = "rubric") -> Rubric:
    """Read a rubric from YAML or JSON text.  file: its name in error messages.  Raises StudyError."""
    yaml = parse_yaml(text, file)
    fields = yaml.fields((), KEYS)
    name = fields.name("rubric")
    if not re.fullmatch(NAME, name):
        fields.fail("rubric", f"'{name}' is no name", "use letters, digits, dots, hyphens and underscores")
    return Rubric(
        name=name,
        task=fields.name("task"),
        overall=fields.name("overall"),
        criteria=_criteria(yaml, fields),
        people=fields.maybe_name("people"),
        show_reference=fields.maybe_one_of("reference", ("show", "hide")) != "hide",
        judge_first=fields.flag("judge_first"),
        checklist=fields.maybe_one_of("per_example", ("checklist",)) is not None,
    )


def _criteria(yaml: YamlFile, fields: Fields) -> tuple[Criterion, ...]:
    criteria = fields.mapping("criteria")
    if fields.has("criteria") and not criteria:
        fields.fail("criteria", "has no criterion", "leave the key out to ask for the overall preference only")
    return tuple(_criterion(yaml, name) for name in criteria)


def _criterion(yaml: YamlFile, name: str) -> Criterion:
    fields = yaml.fields(("criteria", name), CRITERION_KEYS)
    if name in RESERVED or re.fullmatch(r"check_\d+", name):  # so an example's own checks are called
        fields.fail(None, "is a reserved name", "call the criterion something else")
    if not re.fullmatch(CRITERION_ID, name):
        fields.fail(None, "is no name for a criterion", "use letters, digits, hyphens and underscores, a letter first")
    check, levels = fields.flag("check"), fields.mapping("levels")
    if check and fields.has("levels"):
        fields.fail("levels", "a check has no levels", "it is passed or failed; take check or levels out")
    return Criterion(id=name, question=fields.name("question"), check=check, levels=_levels(yaml, name, levels, fields))


def _levels(yaml: YamlFile, name: str, levels: dict[str, Any], fields: Fields) -> dict[int, str]:
    if not fields.has("levels"):
        return {}
    if len(levels) < 2:
        fields.fail("levels", "needs two levels or more", "for example {1: wrong, 5: right}")
    inner = yaml.fields(("criteria", name, "levels"), levels)
    for level in levels:
        if not re.fullmatch(LEVEL, level):
            inner.fail(level, "a level is an integer from 0 to 99")
    return {int(level): inner.name(level) for level in sorted(levels, key=int)}
