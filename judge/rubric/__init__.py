"""YAML in, Rubric out: reading, shipped rubrics by name and version, digest, lint, JSON Schema."""

from __future__ import annotations

from judge.rubric.identity import rubric_digest
from judge.rubric.lint import lint
from judge.rubric.read import load_rubric, parse_rubric
from judge.rubric.schema import schema
from judge.rubric.shipped import resolve_rubric, rubric_path, shipped_rubrics

__all__ = [
    "lint",
    "load_rubric",
    "parse_rubric",
    "resolve_rubric",
    "rubric_digest",
    "rubric_path",
    "schema",
    "shipped_rubrics",
]
