"""An example's own checks: asked about it alone, missing nowhere else, and refused where they are no list of questions."""

from __future__ import annotations

import json
import re

import pytest

from judge import Study
from judge.decision.report import to_json
from judge.errors import Parked, RowError
from tests.provider_server import ProviderServer
from tests.studies import RUBRIC, Cli, recording, rows_of, small, write_rows

CHECKS = (["Says four.", "Shows the sum."], ["Names the day."], [], None)  # of the examples, in turn


@pytest.fixture
def server():
    with ProviderServer(speaks=("chat",)) as running:
        yield running


def study_of(folder, server, checks=CHECKS, judges=("live",), pairs=8, **config):
    made = small(["b"] * pairs, judges=(), people=2)
    for n, example in enumerate(made.examples):
        own = checks[n % len(checks)]
        example["meta"] = {} if own is None else {"checklist": own}
    made.rubric["per_example"] = "checklist"
    models = {name: {"openai": f"m-{name}", "base_url": server.openai_url} for name in judges}
    made.config = {"judges": models, **config}
    return made.write(folder)


def counts(panel):
    verdicts = panel["verdicts"]
    return sum(verdicts[key] for key in ("a", "tie", "b")), verdicts["unscored"]


def test_a_check_counts_only_the_pairs_that_have_it(server, tmp_path):
    study = Study.open(study_of(tmp_path, server))
    assert study.compare().unscored == 0
    criteria = to_json(study.report())["agreement"]["criteria"]
    found = {name: counts(panel["judges"]["live"]) for name, panel in criteria.items()}
    assert found == {"check_1": (4, 0), "check_2": (2, 0), "right": (8, 0)}


def test_a_pair_of_equal_texts_has_no_verdict_on_a_check_of_another_example(server, tmp_path):
    path = study_of(tmp_path, server)
    for arm in ("base", "tuned"):
        rows = [json.loads(line) for line in (tmp_path / f"{arm}.jsonl").read_text().splitlines()]
        write_rows(tmp_path / f"{arm}.jsonl", [{**row, "text": "Same."} if n in (0, 3) else row for n, row in enumerate(rows)])
    study = Study.open(path)
    study.compare()
    panels = to_json(study.report())["agreement"]["criteria"]
    assert {name: panel["judges"]["live"]["verdicts"]["basis"]["identical"] for name, panel in panels.items()} == {
        "check_1": 1, "check_2": 1, "right": 2,
    }  # fmt: skip


def test_a_check_that_was_asked_in_one_order_only_is_no_verdict(server, tmp_path):
    """The run stops on its way: what has one order has no value, on the example's own checks either."""
    study = Study.open(study_of(tmp_path, server, checks=(["Says four."],), pairs=6))
    seen = iter(range(10_000))
    server.faulty = lambda _: "quota" if next(seen) >= 5 else None
    with pytest.raises(Parked):
        study.compare()
    rows = rows_of(tmp_path / ".judge/judge.db", "SELECT criterion, pair FROM verdict WHERE basis = 'one_order'")
    half = {name: {pair for criterion, pair in rows if criterion == name} for name in ("overall", "check_1")}
    assert half["check_1"] == half["overall"] != set()


def test_two_judges_are_laid_beside_one_another_on_the_pairs_that_have_the_check(server, tmp_path, capsys):
    cli, study = Cli(capsys), study_of(tmp_path, server, judges=("one", "other"))
    cli.well("compare", study)
    bridge = cli.well("bridge", "one", "other", study, "--json").json
    assert {name: (span["pairs"], span["neither"]) for name, span in bridge["criteria"].items()} == {
        "check_1": (4, 0), "check_2": (2, 0), "overall": (8, 0), "right": (8, 0),
    }  # fmt: skip


def truthful(body):
    """Judge as the questions say: whoever is newer passes, but a question with NEVER the other way round."""
    text = body["messages"][-1]["content"]
    shown = re.findall(r"The (first|second) answer:\n\n<<<[^\n]*\n(.*)", text)
    newer = next(place for place, words in shown if "newer" in words)
    older = {"first": "second", "second": "first"}[newer]
    criteria = {}
    for name, question in re.findall(r"(?m)^- (check_\d) [^:]*: (.*)$", text):
        passes, fails = (older, newer) if "NEVER" in question else (newer, older)
        criteria[name] = {"reasons": "So.", passes: "pass", fails: "fail"}
    said = {"reasons": "So.", "choice": older if "NEVER" in text else newer}
    return json.dumps({"criteria": {**criteria, "right": said}, "overall": said})


def test_an_answer_to_another_list_of_checks_counts_nowhere(server, tmp_path, capsys):
    """The checks are a part of the question: with others, nothing that was said before is an answer to it."""
    server.answer = truthful
    both = (["Does it name the day?", "Is it kind?"],)
    cli, judges = Cli(capsys), ("one", "other")
    study = study_of(tmp_path, server, both, judges, pairs=4)
    cli.well("compare", study)
    asked = len(server.requests)
    study_of(tmp_path, server, (["Does it NEVER name the day?"], both[0], [], both[0]), judges, pairs=4)

    def said():
        rows = [json.loads(line) for line in cli.well("export", "verdicts", study).out.splitlines()]
        return {(row["pair"], row.get("criterion", "overall")): row.get("value") for row in rows if row["judge"] == "one"}

    stale = said()
    assert (stale["q0/tuned", "check_1"], stale["q0/tuned", "overall"], stale["q2/tuned", "overall"]) == (None, None, None)
    assert stale["q1/tuned", "check_1"] == stale["q1/tuned", "overall"] == "b"
    assert ("q2/tuned", "check_1") not in stale
    cli.well("compare", study)
    assert len(server.requests) - asked == 2 * 2 * 2  # two pairs in both orders to two judges
    now = said()
    assert (now["q0/tuned", "check_1"], now["q0/tuned", "overall"], now["q2/tuned", "overall"]) == ("a", "a", "b")
    assert {key for key in now if key[1] == "check_2"} == {("q1/tuned", "check_2"), ("q3/tuned", "check_2")}
    bridge = cli.well("bridge", "one", "other", study, "--json").json
    assert {name: span["both"] for name, span in bridge["criteria"].items()} == {
        "check_1": 3, "check_2": 2, "overall": 4, "right": 4,
    }  # fmt: skip
    study_of(tmp_path, server, both, judges, pairs=4)
    assert said()["q0/tuned", "check_1"] == "b", "the answers to the first list are there again"


@pytest.mark.parametrize("checklist", ["Says four.", [4], ["Says four.", ""], {"a": "Says four."}, 3, True])
def test_a_checklist_of_another_form_is_refused_at_its_line(server, tmp_path, checklist):
    with pytest.raises(RowError) as refused:
        Study.open(study_of(tmp_path, server, checks=(["Fine."], checklist))).check()
    assert f"{tmp_path / 'test.jsonl'}:2: meta.checklist: is no list of questions. Write a list" in str(refused.value)


def test_two_rows_of_one_example_have_one_checklist(tmp_path):
    rows = [
        {"id": f"p{n}", "example": "e", "prompt": "Say.", "output_a": "A.", "output_b": f"B{n}.", "meta": {"checklist": own}}
        for n, own in enumerate((["Fine."], ["Fine."], ["Kind."]))
    ]
    write_rows(tmp_path / "pairs.jsonl", rows)
    (tmp_path / "rubric.yaml").write_text(json.dumps({**RUBRIC, "per_example": "checklist"}))
    (tmp_path / "study.yaml").write_text("pairs: pairs.jsonl\ncandidate: b\nprimary: win_rate\nrubric: rubric.yaml\n")
    with pytest.raises(RowError, match=r"pairs.jsonl:3: meta.checklist: example 'e' has another checklist than in line 1"):
        Study.open(tmp_path / "study.yaml").check()
    (tmp_path / "rubric.yaml").write_text(json.dumps(RUBRIC))
    Study.open(tmp_path / "study.yaml").check()


def test_where_no_rubric_asks_for_checks_the_key_may_hold_anything(server, tmp_path):
    path = study_of(tmp_path, server, checks=("to be done",))
    rubric = json.loads((tmp_path / "rubric.yaml").read_text())
    del rubric["per_example"]
    (tmp_path / "rubric.yaml").write_text(json.dumps(rubric))
    assert Study.open(path).compare().unscored == 0


def test_verdicts_from_a_file_and_labels_on_a_check_count_the_pairs_that_have_it(tmp_path):
    made = small(["b"] * 6, judges=(), people=2)
    made.rubric["per_example"] = "checklist"
    for example in made.examples[:4]:
        example["meta"] = {"checklist": ["Says four."]}
    rows = [{"pair": f"{example['id']}/tuned", "judge": "owl", "value": "b"} for example in made.examples]
    checks = [{**row, "criterion": "check_1", "value": "tie", "a_pass": True, "b_pass": True} for row in rows[:2]]
    made.verdicts["owl"] = [*rows, *[{key: value for key, value in row.items() if key != "value"} for row in checks]]
    made.labels += [{**made.labels[0], "criterion": "check_1", "pair": "q3/tuned"}]
    study = Study.open(made.write(tmp_path))
    study.compare()
    panel = to_json(study.report())["agreement"]["criteria"]["check_1"]
    assert counts(panel["judges"]["owl"]) == (2, 2)
    assert panel["people"]["labels"] == 1


def test_recorded_answers_about_checks_are_read_for_their_examples_alone(tmp_path):
    made = small(["b"] * 4, judges=(), people=0)
    made.rubric["per_example"] = "checklist"
    made.examples[0]["meta"] = {"checklist": ["Says four."]}
    made.recordings["owl"] = [
        recording(f"{example['id']}/tuned", order, "b") for example in made.examples for order in ("ab", "ba")
    ]
    for row in made.recordings["owl"][:2]:
        said = json.loads(row["text"])
        said["criteria"]["check_1"] = {"reasons": "It does.", "first": "pass", "second": "pass"}
        row["text"] = json.dumps(said)
    study = Study.open(made.write(tmp_path))
    study.compare()
    panels = to_json(study.report())["agreement"]["criteria"]
    assert counts(panels["check_1"]["judges"]["owl"]) == (1, 0)
