"""For every text: safe HTML, no word lost, and differences that add up."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from judge.text import findings, length, to_html, word_diff
from tests.unit.test_text_safety import HOSTILE, inspect

anything = st.text(alphabet=st.characters(), max_size=400)
markup = st.lists(
    st.sampled_from(
        [
            "<", ">", "&", '"', "'", "`", "```", "\n", "\n\n", "$", "$$", r"\(", r"\)", r"\[", r"\]", "\\", "[", "](", ")",
            "![", "<img src=x onerror=alert(1)>", "javascript:", "https://", "|", "\n|-|-|\n", "- ", "> ", "    ", "#", "*",
            "_", "~~", r"\text{", r"\frac{", "}", "{", "&lt;", "&#60;", "<!--", "-->", "<math>", "<svg>", "</p>", "word",
            "1. ", "\t", "\x00", "\u202e", "\ud800", "=\n", '{"a": 1}',
        ]
    ),
    max_size=60,
).map("".join)  # fmt: skip
hostile = st.lists(st.sampled_from([text for text in HOSTILE if len(text) < 500]), max_size=4).map("\n".join)
words = st.lists(st.from_regex(r"[a-z]{3,8}", fullmatch=True), min_size=1, max_size=30)
glue = st.sampled_from(
    [" ", "\n", "\n\n", "\n- ", "\n> ", "\n# ", " **", " $", "\n    ", "\n\n1. ", " | ", " ~~", " (", "\n> > "]
)


@settings(deadline=None)
@given(st.one_of(anything, markup, hostile))
def test_any_text_becomes_html_of_listed_tags_and_attributes_only(text: str) -> None:
    assert inspect(to_html(text)).complaints == []


@settings(deadline=None)
@given(st.one_of(anything, markup))
def test_rendering_is_deterministic(text: str) -> None:
    assert to_html(text) == to_html(text)


@settings(deadline=None)
@given(st.data(), words)
def test_no_word_of_an_answer_is_hidden_from_its_reader(data: st.DataObject, sequence: list[str]) -> None:
    text = "".join(data.draw(glue) + word for word in sequence)
    visible = re.sub(r"\s+", "", "".join(inspect(to_html(text)).words))
    for word in sequence:
        assert word in visible


@given(anything, anything)
def test_what_stays_and_goes_is_the_first_text_and_what_stays_and_comes_the_second(a: str, b: str) -> None:
    steps = word_diff(a, b)
    assert "".join(text for operation, text in steps if operation != "insert") == a
    assert "".join(text for operation, text in steps if operation != "delete") == b


@given(st.one_of(anything, markup))
def test_every_text_has_a_length_and_only_known_findings(text: str) -> None:
    assert length(text).characters == len(text)
    assert {finding.code for finding in findings(text)} <= {"empty", "debris", "self_naming", "addresses_judge"}
