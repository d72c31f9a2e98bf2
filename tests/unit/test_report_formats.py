"""The same report as JSON, Markdown, JUnit XML and a few lines for the terminal."""

from __future__ import annotations

import json
import re
from xml.etree import ElementTree as ET

import pytest

from judge.decision.report import decision_block, to_json, to_junit, to_markdown
from judge.domain import Estimate
from tests.unit.report_samples import ATTACK, decided, exhibit, report


def test_json_has_exactly_the_keys_of_its_format() -> None:
    document = to_json(report())
    assert list(document) == [
        "schema", "study", "candidate", "decision", "primary", "agreement", "evidence", "arms", "cost", "openings", "looks",
        "warnings", "versions",
    ]  # fmt: skip
    assert document["schema"] == "report/1"
    assert document["study"] == {"name": "support-replies", "digest": report().digest}
    assert set(document["decision"]) == {"outcome", "code", "sentence", "reasons", "next", "interim", "trial", "simulated"}
    assert set(document["decision"]["reasons"][1]) == {"gate", "text", "estimate"}
    assert set(document["arms"]["base"]) == {
        "role", "outputs", "errors", "truncated", "tokens_in", "tokens_out", "latency_s",
    }  # fmt: skip
    assert set(document["evidence"][0]) == {"kind", "name", "arm", "estimate", "rule", "verdict"}
    assert document["agreement"]["schema"] == "agree/1"


def test_a_win_rate_carries_its_normal_interval_and_others_do_not() -> None:
    document = to_json(report())
    assert document["primary"]["normal"] == [0.558, 0.668]
    assert set(document["evidence"][0]["estimate"]) == {"value", "low", "high", "n", "missing", "method", "reason"}


def test_json_is_strict_even_where_a_number_is_not() -> None:
    made = report(primary=Estimate(value=float("nan"), low=float("-inf"), high=None, n=1, reason="n < 2"))
    document = json.loads(json.dumps(to_json(made), allow_nan=False))
    assert document["primary"] == {
        "value": None, "low": None, "high": None, "n": 1, "missing": 0, "method": None, "reason": "n < 2",
    }  # fmt: skip


def test_markdown_holds_the_answer_and_every_missing_count() -> None:
    text = to_markdown(report())
    assert text.startswith("# support-replies: Ship\n")
    assert "pairs without an output | 3 | 403" in text
    assert "## Can the judge be trusted?" in text


def test_every_markdown_row_has_as_many_cells_as_its_heading() -> None:
    width = 0
    for line in to_markdown(report()).splitlines():
        if not line.startswith("|"):
            width = 0
            continue
        cells = len(re.findall(r"(?<!\\)\|", line))
        width = width or cells
        assert cells == width


def test_markdown_shows_texts_in_fences_that_they_cannot_leave() -> None:
    text = to_markdown(report(study=ATTACK, exhibits=(exhibit(text_a="```\nout\n````\n" + ATTACK, text_b="x"),)))
    outside = re.sub(r"(?ms)^(`{3,})text\n.*?^\1$", "", text)
    assert "`````text" in text
    assert "<script>" not in outside.replace("\\<", "")
    assert "![" not in outside


def test_simulated_labels_are_called_so_in_every_format() -> None:
    made = report(decision=decided("undecided", simulated=True))
    assert "people (simulated)" in decision_block(made)
    assert "people \\(simulated\\)" in to_markdown(made) or "people (simulated)" in to_markdown(made)
    assert 'name="simulated" value="true"' in to_junit(made)


def test_junit_passes_the_decision_only_when_it_says_ship() -> None:
    assert ET.fromstring(to_junit(report())).get("failures") == "0"
    for outcome in ("iterate", "abandon", "undecided"):
        suite = ET.fromstring(to_junit(report(decision=decided(outcome))))
        failure = suite.find("testcase/failure")
        assert failure is not None
        assert failure.get("type") == outcome


def test_junit_skips_what_is_inconclusive() -> None:
    suite = ET.fromstring(to_junit(report()))
    assert (suite.get("tests"), suite.get("skipped")) == ("5", "3")


def test_junit_survives_what_xml_cannot_hold() -> None:
    ET.fromstring(to_junit(report(study="a\x00\x1b<&\ud800", candidate="\x08")))


def test_the_decision_block_is_short_plain_and_complete() -> None:
    block = decision_block(report(study="s\x1b[31m\n", title_name="Replies\x1b[2J"))
    lines = block.splitlines()
    assert len(lines) <= 20
    assert max(map(len, lines)) <= 100
    assert "\x1b" not in block
    assert "SHIP  tuned wins 61.3%" in block
    for part in ("people only", "uncorrected", "calibrated", "1 pass, 2 inconclusive, 1 info", "3 of 403", "1. Roll out"):
        assert part in block


@pytest.mark.parametrize("outcome", ["ship", "iterate", "abandon", "undecided"])
def test_the_decision_block_begins_with_the_outcome(outcome: str) -> None:
    assert f"\n{outcome.upper()}  A sentence" in decision_block(report(decision=decided(outcome)))
