"""Every file format to domain types and back, strictly: a file is right, or its place and remedy are named.

Rows come in as `Table`s that know their lines; `KINDS` lists every kind of file.  YAML files come in as `YamlFile`s.
"""

from __future__ import annotations

from judge.data.conversation import dump_messages, messages_id
from judge.data.digests import example_content, example_digest, pair_digest
from judge.data.fields import Fields
from judge.data.files import (
    KINDS,
    read,
    read_calls,
    read_examples,
    read_few_shot,
    read_labels,
    read_outputs,
    read_pairs,
    read_recordings,
    read_scores,
    read_verdicts,
    write,
)
from judge.data.joins import check_known, join_outputs
from judge.data.pairing import MissingOutputs, make_pairs
from judge.data.table import Table
from judge.data.text_file import read_text, write_text
from judge.data.yaml_file import YamlFile, dump_yaml, parse_yaml, read_yaml

__all__ = [
    "KINDS",
    "Fields",
    "MissingOutputs",
    "Table",
    "YamlFile",
    "check_known",
    "dump_messages",
    "dump_yaml",
    "example_content",
    "example_digest",
    "join_outputs",
    "make_pairs",
    "messages_id",
    "pair_digest",
    "parse_yaml",
    "read",
    "read_calls",
    "read_examples",
    "read_few_shot",
    "read_labels",
    "read_outputs",
    "read_pairs",
    "read_recordings",
    "read_scores",
    "read_text",
    "read_verdicts",
    "read_yaml",
    "write",
    "write_text",
]
