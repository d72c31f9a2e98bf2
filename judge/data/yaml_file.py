"""YAML 1.2 with the line of every key: what a study and a rubric are read from."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NoReturn

from judge.data.fields import Fields, clipped, described
from judge.data.text_file import read_text
from judge.errors import JudgeError, Place, StudyError
from judge.text import well_formed

Trail = tuple[str | int, ...]

_LARGEST_FILE: Final = 20_000  # nodes; aliases of aliases can grow a few lines into millions
_DEEPEST: Final = 50
_TAG: Final = "tag:yaml.org,2002:"


@dataclass(frozen=True, slots=True, kw_only=True)
class YamlFile:
    """A read file: plain values, and the line on which every key and list item starts."""

    file: str
    values: dict[str, Any]
    lines: Mapping[Trail, int]

    def place(self, trail: Trail) -> Place:
        """Say where a key stands; one that is absent stands where its mapping does."""
        key = _dotted(trail) or None
        while trail and trail not in self.lines:
            trail = trail[:-1]
        return Place(self.file, self.lines.get(trail), key)

    def fields(self, trail: Trail, known: Collection[str], error: type[JudgeError] = StudyError) -> Fields:
        """Open the mapping at a trail of keys for strict reading.  Raises `error` when it is no mapping."""
        values: Any = self.values
        for key in trail:
            values = values[key]
        if not isinstance(values, dict):
            raise error(f"must be a mapping, not {described(values)}", at=self.place(trail))

        def place(key: str | None) -> Place:
            return self.place(trail if key is None else (*trail, key))

        return Fields(values, known=known, place=place, error=error)


def read_yaml(path: Path, *, error: type[JudgeError] = StudyError) -> YamlFile:
    """Read a YAML file that holds one mapping; see `parse_yaml`.  Raises FileError when it cannot be opened."""
    return parse_yaml(read_text(path), str(path), error=error)


def parse_yaml(text: str, file: str, *, error: type[JudgeError] = StudyError) -> YamlFile:
    """Parse YAML 1.2 (so JSON too) that holds one mapping; `no` and dates are texts.

    Raises `error` for broken YAML, double keys, tags, NaN, several documents, or anything but a mapping.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    try:
        node = YAML(typ="safe", pure=True).compose(text)
    except MarkedYAMLError as problem:
        line = None if problem.problem_mark is None else problem.problem_mark.line + 1
        raise error(f"broken YAML: {problem.problem}", at=Place(file, line)) from None
    except (ValueError, OverflowError):  # an escape beyond Unicode
        raise error("broken YAML: a character that is none", at=Place(file)) from None
    except (YAMLError, RecursionError) as problem:
        reason = getattr(problem, "reason", None) or "nested too deeply"
        raise error(f"broken YAML: {reason}", at=Place(file)) from None
    walk = _Walk(file, error)
    values = {} if node is None else walk.plain(node, ())
    if not isinstance(values, dict) or not values:
        raise error("must hold keys and values", at=Place(file, 1), hint="write `key: value`, one a line")
    return YamlFile(file=file, values=values, lines=walk.lines)


def dump_yaml(values: Mapping[str, Any]) -> str:
    """Write plain values as block YAML, keys in their order; reading gives equal values."""
    import io

    from ruamel.yaml import YAML

    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    yaml.width = 1_000_000
    target = io.StringIO()
    yaml.dump(dict(values), target)
    return target.getvalue()


class _Walk:
    """One pass from YAML nodes to plain values that notes the lines."""

    def __init__(self, file: str, error: type[JudgeError]) -> None:
        self.file = file
        self.error = error
        self.lines: dict[Trail, int] = {}

    def plain(self, node: Any, trail: Trail) -> Any:
        self.lines.setdefault(trail, node.start_mark.line + 1)
        if len(self.lines) > _LARGEST_FILE or len(trail) > _DEEPEST:
            self.fail("too large or too deep", node, trail)
        if node.id == "mapping":
            return self.mapping(node, trail)
        if node.id == "sequence":
            return [self.plain(item, (*trail, index)) for index, item in enumerate(node.value)]
        return self.scalar(node, trail)

    def mapping(self, node: Any, trail: Trail) -> dict[Any, Any]:
        values: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            if key_node.id != "scalar":
                self.fail("a key must be a text", key_node, trail)
            key = self.text(key_node, trail)
            here = (*trail, key)
            if key in values:
                self.fail(f"stands twice, first in line {self.lines[here]}", key_node, here)
            self.lines[here] = key_node.start_mark.line + 1
            values[key] = self.plain(value_node, here)
        return values

    def scalar(self, node: Any, trail: Trail) -> Any:
        tag = str(node.tag)
        if not tag.startswith(_TAG):
            self.fail(f"the tag {clipped(tag)} is not allowed", node, trail)
        match tag.removeprefix(_TAG):
            case "null":
                return None
            case "bool":
                return node.value.lower() == "true"
            case "int" | "float":
                return self.number(node, trail)
            case "str" | "timestamp":
                return self.text(node, trail)
        return self.fail(f"the tag {clipped(tag)} is not allowed", node, trail)

    def text(self, node: Any, trail: Trail) -> str:
        whole = well_formed(node.value)
        if whole.count("\ufffd") > node.value.count("\ufffd"):
            self.fail("holds half a character", node, trail)
        return whole

    def number(self, node: Any, trail: Trail) -> int | float | str:
        text = node.value.replace("_", "")
        try:
            if str(node.tag).endswith("int"):
                return int(text, 0) if text.lstrip("+-").lower()[:2] in ("0x", "0o", "0b") else int(text)
            number = float(text)
        except ValueError:
            # `.nan`, `.inf` and `!!int x` come here; a number of thousands of digits does too.
            self.fail(f"{clipped(node.value)} is no number we can use", node, trail)
        if not math.isfinite(number):
            self.fail(f"{clipped(node.value)} is no finite number", node, trail)
        return number

    def fail(self, problem: str, node: Any, trail: Trail) -> NoReturn:
        raise self.error(problem, at=Place(self.file, node.start_mark.line + 1, _dotted(trail) or None))


def _dotted(trail: Trail) -> str:
    text = ""
    for key in trail:
        text += f"[{key}]" if isinstance(key, int) else f".{key}" if text else str(key)
    return text
