"""`judge score`: single outputs by levels and checks, what is out of range or missing never becoming a score."""

from __future__ import annotations

import json

import pytest

from judge.calls import Answer
from judge.domain import Criterion, Example, Judge, Message, Rubric
from judge.judging import Scoring, graded, parse_scores, score_request, score_schema, span_of
from tests.provider_server import ProviderServer
from tests.studies import Cli, rows_of, small, write_rows

KEY = "SCORE_TEST_KEY"
RIGHT = Criterion(id="right", question="Is it right?", levels={1: "wrong", 3: "vague", 5: "right"})
POLITE = Criterion(id="polite", question="Is it polite?", check=True)
TASTE = Criterion(id="taste", question="Do you like it?")
RUBRIC = Rubric(name="r", task="A question was asked.", overall="Which is better?", criteria=(RIGHT, POLITE, TASTE))


def example(**more):
    return Example(id="e1", messages=(Message(role="user", content="What is 2 + 2?"),), **more)


def read(content, criteria=(RIGHT, POLITE), **more):
    text = content if isinstance(content, str) else json.dumps(content)
    return [(one.value, one.reason) for one in parse_scores(Answer(digest="d", text=text, **more), criteria)]


def said(right, polite="pass"):
    return {"criteria": {"right": {"reasons": "r", "level": right}, "polite": {"reasons": "p", "result": polite}}}


# --- Asking ---------------------------------------------------------------------------------------------------------


def test_what_has_levels_or_is_a_check_is_scored_and_nothing_else():
    assert [one.id for one in graded(RUBRIC, example())] == ["right", "polite"]
    assert (span_of(RIGHT), span_of(POLITE)) == ((1, 5), (0, 1))


def test_an_examples_own_checks_are_scored_where_the_rubric_takes_them():
    own = example(meta={"checklist": ["Says four.", "Shows the sum."]})
    taking = Rubric(name="r", task="t", overall="o", criteria=(RIGHT,), checklist=True)
    assert [one.id for one in graded(taking, own)] == ["right", "check_1", "check_2"]
    assert [one.id for one in graded(RUBRIC, own)] == ["right", "polite"]


def asked(text="4", **more):
    judge = Judge(name="j", source="openai", target="m")
    return score_request(Scoring(example=example(**more), arm="tuned", text=text, judge=judge), RUBRIC)


def test_the_question_names_levels_reference_and_neither_arm_nor_judge():
    content = asked(reference="Four.").messages[0].content
    assert "right (a level from 1 to 5): Is it right?\n  1: wrong\n  3: vague\n  5: right" in content
    assert "polite (pass or fail)" in content
    assert "Four." in content
    assert "tuned" not in content


def test_the_text_is_fenced_by_a_marker_that_hangs_on_it():
    one, other = asked("4"), asked("5")
    markers = {request.system.split("<<<")[1].split()[0] for request in (one, other)}
    assert len(markers) == 2
    assert "MARK" not in one.system
    assert f"<<<{one.system.split('<<<')[1].split()[0]} answer>>>\n4\n" in one.messages[0].content


def test_the_schema_is_closed_and_puts_reasons_first():
    schema = score_schema((RIGHT, POLITE))
    inner = schema["properties"]["criteria"]
    assert schema["additionalProperties"] is inner["additionalProperties"] is False
    assert list(inner["properties"]["right"]["properties"]) == ["reasons", "level"]
    assert list(inner["properties"]["polite"]["properties"]) == ["reasons", "result"]


# --- Reading --------------------------------------------------------------------------------------------------------


def test_levels_and_checks_become_numbers():
    assert read(said(4, "fail")) == [(4.0, None), (0.0, None)]
    assert read(said(5.0)) == [(5.0, None), (1.0, None)]


@pytest.mark.parametrize(
    ("level", "reason"),
    [(0, "out_of_range"), (6, "out_of_range"), (-1, "out_of_range"), (10**400, "out_of_range"), (3.5, "malformed"),
     ("4", "malformed"), (True, "malformed"), (None, "absent"), ([4], "malformed")],
)  # fmt: skip
def test_any_other_level_is_missing_with_its_reason_and_the_rest_stays(level, reason):
    assert read(said(level)) == [(None, reason), (1.0, None)]


def test_a_number_too_large_for_a_computer_is_no_level():
    text = json.dumps(said(4)).replace("4", "1e999")
    assert read(text)[0] == (None, "malformed")


@pytest.mark.parametrize(
    ("text", "more", "reason"),
    [("", {}, "empty"), ("Four out of five.", {}, "malformed"), ("{", {"finish": "length"}, "cut"),
     ("", {"error": "refused: no"}, "refused"), ("", {"finish": "filter"}, "filtered")],
)  # fmt: skip
def test_an_answer_that_is_none_leaves_every_criterion_missing(text, more, reason):
    assert read(text, **more) == [(None, reason)] * 2


def test_an_unknown_word_and_an_absent_criterion_are_told_apart():
    assert read(said(4, "maybe"))[1] == (None, "unknown_name")
    assert read({"criteria": {"right": {"reasons": "", "level": 4}}})[1] == (None, "absent")


def test_nobodys_answer_is_absent():
    assert [one.reason for one in parse_scores(None, (RIGHT, POLITE))] == ["absent", "absent"]


# --- The command ----------------------------------------------------------------------------------------------------


@pytest.fixture
def cli(capsys, monkeypatch):
    monkeypatch.setenv(KEY, "sk-test")
    return Cli(capsys)


@pytest.fixture
def server():
    with ProviderServer(speaks=("chat",), answer=lambda body: json.dumps(said(5 if "newer" in str(body) else 2))) as running:
        yield running


def draft(server, **judges):
    made = small(people=0)
    made.rubric["criteria"] = {
        "right": {"question": "Is it right?", "levels": {"1": "wrong", "5": "right"}},
        "polite": {"question": "Is it polite?", "check": True},
        "taste": {"question": "Do you like it?"},
    }
    live = {"openai": "imitation-1", "base_url": server.openai_url, "key_env": KEY}
    made.config = {"judges": {"live": live, **judges}}
    return made


def without_output(made):
    """Let one arm fail on one example."""
    made.outputs["tuned"][0] = {"example": "q0", "text": None, "error": "timeout"}
    made.recordings["owl"] = made.recordings["owl"][2:]


def table(result):
    return {(row["arm"], row["criterion"]): row for row in result.events[-1]["scores"]}


def test_every_arm_gets_a_mean_for_each_graded_criterion(cli, server, tmp_path):
    study = draft(server).write(tmp_path)
    result = cli.well("score", study, "--json")
    rows = table(result)
    assert set(rows) == {(arm, one) for arm in ("base", "tuned") for one in ("right", "polite")}
    assert (rows["base", "right"]["mean"]["value"], rows["tuned", "right"]["mean"]["value"]) == (2, 5)
    assert rows["tuned", "right"]["of"] == [1, 5]
    assert (rows["tuned", "right"]["mean"]["n"], rows["tuned", "right"]["mean"]["missing"]) == (6, 0)
    done = result.events[-1]
    assert (done["calls"], done["answered"], len(server.requests)) == (12, 12, 12)


def test_scores_can_be_exported_and_again_cost_nothing(cli, server, tmp_path):
    study = draft(server).write(tmp_path)
    cli.well("score", study)
    first = cli.well("export", "scores", study).out
    assert len(first.splitlines()) == 24
    assert json.loads(first.splitlines()[0])["source"] == "live"
    done = cli.well("score", study, "--json").events[-1]
    assert (done["from_journal"], done["usd"], len(server.requests)) == (12, 0, 12)
    assert cli.well("export", "scores", study).out == first


def test_a_judge_may_score_by_one_criterion_in_a_call(cli, server, tmp_path):
    together = table(cli.well("score", draft(server).write(tmp_path / "all"), "--json"))
    seen = len(server.requests)

    def answer(body):
        every = said(5 if "newer" in str(body) else 2)["criteria"]
        return json.dumps({"criteria": {name: every[name] for name in every if name in str(body["response_format"])}})

    server.answer = answer
    made = draft(server)
    made.config["judges"]["live"]["per_call"] = "one"
    assert table(cli.well("score", made.write(tmp_path / "one"), "--json")) == together
    assert len(server.requests) - seen == 2 * seen


def test_scores_on_a_check_that_was_taken_out_are_gone(cli, server, tmp_path):
    made = draft(server)
    made.rubric["per_example"] = "checklist"
    made.examples[0]["meta"] = {"checklist": ["Does it name the day?"]}
    server.answer = lambda body: json.dumps(
        {"criteria": {**said(3)["criteria"], "check_1": {"reasons": "So.", "result": "pass"}}}
    )
    study = made.write(tmp_path)
    cli.well("score", study)
    assert "check_1" in cli.well("export", "scores", study).out
    made.examples[0]["meta"] = {"checklist": []}
    made.write(tmp_path)
    cli.well("score", study)
    assert "check_1" not in cli.well("export", "scores", study).out


def test_what_scores_cost_is_said_by_judge_whenever_it_was_paid(cli, server, tmp_path):
    made = draft(server)
    judge = {**made.config["judges"]["live"], "openai": "gpt-6-luna"}
    made.config["judges"] = {"live": judge, "other": {**judge, "effort": "high"}}
    study = made.write(tmp_path)
    first = json.loads(cli.well("score", study, "--json").out.splitlines()[-1])
    again = json.loads(cli.well("score", study, "--json").out.splitlines()[-1])
    assert (sum(first["by_judge"].values()), again["usd"]) == (pytest.approx(first["usd"], abs=1e-5), 0)
    assert again["by_judge"] == first["by_judge"]
    assert set(first["by_judge"]) == {"live", "other"} and min(first["by_judge"].values()) > 0
    assert "judge other: " in cli.well("score", study).out


def test_scores_from_a_file_stay_under_whatever_name(cli, server, tmp_path):
    study = draft(server).write(tmp_path)
    row = {"example": "q0", "arm": "base", "source": "live", "criterion": "kind", "value": 2}
    write_rows(tmp_path / "given.jsonl", [row, {**row, "criterion": "right", "sample": 1}])
    cli.well("import", "scores", tmp_path / "given.jsonl", study)
    for _ in range(2):
        cli.well("score", study)
        kept = [json.loads(line) for line in cli.well("export", "scores", study).out.splitlines()]
        assert [one["value"] for one in kept if one["criterion"] == "kind" or one.get("sample")] == [2, 2]


def scores_of(cli, study, **only):
    rows = [json.loads(line) for line in cli.well("export", "scores", study).out.splitlines()]
    return [row for row in rows if all(row[key] == value for key, value in only.items())]


def test_scores_of_texts_rubrics_and_judges_that_were_edited_are_not_todays(cli, server, tmp_path):
    """They are there again when the edit is taken back: nothing is lost, and nothing is asked."""
    study = draft(server).write(tmp_path)
    cli.well("score", study)
    seen = len(server.requests)
    first = scores_of(cli, study)

    def after(edit):
        made = draft(server)
        edit(made)
        made.write(tmp_path)
        return scores_of(cli, study)

    said_now = after(lambda made: made.outputs["tuned"][0].update(text="Another answer."))
    assert said_now == [row for row in first if (row["example"], row["arm"]) != ("q0", "tuned")]
    assert after(lambda made: made.rubric.update(task="Another task.")) == []
    assert after(lambda made: made.config["judges"]["live"].update(openai="imitation-2")) == []
    assert after(lambda made: made.config["judges"]["live"].update(repeats=2)) == []
    assert (after(lambda made: None), len(server.requests)) == (first, seen)
    draft_of_another = draft(server)
    draft_of_another.rubric["task"] = "Another task."
    draft_of_another.write(tmp_path)
    cli.well("score", study)
    assert after(lambda made: None) == first


WORDS = {"example": "q0", "arm": "tuned", "source": "length", "criterion": "words", "value": 2}


def test_an_imported_score_stands_for_the_text_that_it_was_given_on(cli, server, tmp_path):
    made = draft(server)
    study = made.write(tmp_path)
    rows = [WORDS, {**WORDS, "example": "q1"}]
    file = write_rows(tmp_path / "given.jsonl", rows)
    cli.well("import", "scores", file, study)
    first = made.outputs["tuned"][0]["text"]
    made.outputs["tuned"][0]["text"] = "An answer of five words."
    made.write(tmp_path)
    assert [one["example"] for one in scores_of(cli, study)] == ["q1"]
    made.outputs["tuned"][0]["text"] = first
    made.write(tmp_path)
    assert [one["example"] for one in scores_of(cli, study)] == ["q0", "q1"]
    made.outputs["tuned"][0]["text"] = "An answer of five words."
    made.write(tmp_path)
    cli.well("import", "scores", file, study)  # the same numbers, of the other text
    assert [one["example"] for one in scores_of(cli, study)] == ["q0", "q1"]
    cli.well("import", "scores", write_rows(file, rows[:1]), study)  # in place of what it said before
    assert [one["example"] for one in scores_of(cli, study)] == ["q0"]


def test_two_files_of_one_import_may_not_contradict_each_other(cli, server, tmp_path):
    study = draft(server).write(tmp_path)
    one, other = write_rows(tmp_path / "one.jsonl", [WORDS]), write_rows(tmp_path / "other.jsonl", [{**WORDS, "value": 3}])
    refused = cli("import", "scores", one, other, study)
    assert refused.code == 2 and "other.jsonl:1: one.jsonl says something else of this score" in refused.err
    assert scores_of(cli, study) == []
    cli.well("import", "scores", one, study)
    cli.well("import", "scores", other, study)
    assert [row["value"] for row in scores_of(cli, study)] == [3]


def test_a_score_without_a_text_goes_with_its_arm(cli, server, tmp_path):
    made = draft(server)
    made.outputs["late"] = made.outputs["tuned"][1:]
    study = made.write(tmp_path)
    cli.well("import", "scores", write_rows(tmp_path / "given.jsonl", [{**WORDS, "arm": "late"}]), study)
    assert len(scores_of(cli, study)) == 1
    del made.outputs["late"]
    made.write(tmp_path)
    assert scores_of(cli, study) == []


def test_a_score_that_was_imported_before_its_output_waits_for_it(cli, server, tmp_path):
    made = draft(server)
    first, *rest = made.outputs["tuned"]
    made.outputs["tuned"] = rest
    study = made.write(tmp_path)
    cli.well("import", "scores", write_rows(tmp_path / "given.jsonl", [WORDS]), study)
    made.outputs["tuned"] = [first, *rest]
    made.write(tmp_path)
    assert [one["value"] for one in scores_of(cli, study)] == [2]
    cli.well("import", "scores", write_rows(tmp_path / "given.jsonl", [{**WORDS, "value": 3}]), study)
    assert [one["value"] for one in scores_of(cli, study)] == [3]


def test_a_score_that_is_missing_with_its_output_is_its_judges_and_rubrics(cli, server, tmp_path):
    made = draft(server)
    without_output(made)
    study = made.write(tmp_path)
    cli.well("score", study)
    assert {row["reason"] for row in scores_of(cli, study, example="q0", arm="tuned")} == {"output_missing"}
    made.rubric["criteria"]["taste"]["question"] = "Is it to your taste?"  # which nobody scores by
    made.write(tmp_path)
    assert len(scores_of(cli, study)) == 24
    made.config["judges"]["live"]["openai"] = "imitation-2"
    made.write(tmp_path)
    assert scores_of(cli, study) == []


def test_a_file_hides_no_score_that_a_model_was_asked_for(cli, server, tmp_path):
    study = draft(server).write(tmp_path)
    row = {**WORDS, "source": "live", "criterion": "right", "value": 1}
    cli.well("import", "scores", write_rows(tmp_path / "given.jsonl", [row]), study)
    assert [one["value"] for one in scores_of(cli, study)] == [1]
    cli.well("score", study)
    assert [one["value"] for one in scores_of(cli, study, example="q0", arm="tuned", criterion="right")] == [5]
    cli.well("import", "scores", tmp_path / "given.jsonl", study)
    assert [one["value"] for one in scores_of(cli, study, example="q0", arm="tuned", criterion="right")] == [5]


def test_scores_of_pairs_that_are_left_aside_are_no_mistake(cli, server, tmp_path):
    made = draft(server).write(tmp_path).parent
    pairs = [
        {"id": a + b, "example": a + b, "prompt": "?", "output_a": a, "output_b": b, "model_a": a, "model_b": b}
        for a, b in ("AB", "BC")
    ]
    write_rows(made / "pairs.jsonl", pairs)
    study = made / "pairs.yaml"
    study.write_text("name: of-pairs\npairs: pairs.jsonl\ncandidate: A\nprimary: win_rate\nrubric: rubric.yaml\n")
    rows = [{**WORDS, "example": "AB", "arm": "A"}, {**WORDS, "example": "BC", "arm": "C"}]
    cli.well("import", "scores", write_rows(tmp_path / "given.jsonl", rows), study)
    assert {one["arm"] for one in scores_of(cli, study)} == {"A", "C"}
    refused = cli("import", "scores", write_rows(tmp_path / "given.jsonl", [{**WORDS, "example": "CA"}]), study)
    assert "no example 'CA' in pairs.jsonl" in refused.err
    refused = cli("import", "scores", write_rows(tmp_path / "given.jsonl", [{**WORDS, "example": "AB", "arm": "D"}]), study)
    assert "no arm 'D' in pairs.jsonl" in refused.err


def test_an_import_of_what_the_studys_own_file_says_is_refused(cli, server, tmp_path):
    made = draft(server)
    write_rows(tmp_path / "own.jsonl", [WORDS])
    made.config["scores"] = "own.jsonl"
    study = made.write(tmp_path)
    refused = cli("import", "scores", write_rows(tmp_path / "given.jsonl", [{**WORDS, "value": 9}]), study)
    assert "length's score of tuned on example 'q0' by 'words' is already in the study's own scores" in refused.err
    assert (refused.code, [one["value"] for one in scores_of(cli, study)]) == (2, [2])


def test_the_studys_own_file_goes_before_what_was_imported_and_hides_it_only_while_it_is_there(cli, server, tmp_path):
    made = draft(server)
    study = made.write(tmp_path)
    cli.well("import", "scores", write_rows(tmp_path / "given.jsonl", [{**WORDS, "value": 9}]), study)
    write_rows(tmp_path / "own.jsonl", [WORDS])
    for own, value in (("own.jsonl", 2), (None, 9)):
        made.config["scores"] = own
        made.write(tmp_path)
        assert [one["value"] for one in scores_of(cli, study)] == [value]


@pytest.mark.parametrize(("change", "said"), [({"example": "q99"}, "no example 'q99'"), ({"arm": "turned"}, "no arm 'turned'")])
def test_a_score_of_nothing_is_refused_wherever_it_comes_from(cli, server, tmp_path, change, said):
    made = draft(server)
    write_rows(tmp_path / "own.jsonl", [{**WORDS, **change}])
    assert said in cli("import", "scores", tmp_path / "own.jsonl", made.write(tmp_path)).err
    made.config["scores"] = "own.jsonl"
    refused = cli("check", made.write(tmp_path))
    assert refused.code == 2 and f"own.jsonl:1: {next(iter(change))}: {said} in study.yaml" in refused.err


def test_scores_that_the_study_no_longer_names_are_gone(cli, server, tmp_path):
    made = draft(server)
    row = {"example": "q0", "arm": "tuned", "source": "length", "criterion": "words", "value": 2}
    write_rows(tmp_path / "given.jsonl", [row, {**row, "example": "q1"}])
    made.config["scores"] = "given.jsonl"
    study = made.write(tmp_path)
    assert len(scores_of(cli, study)) == 2
    write_rows(tmp_path / "given.jsonl", [row])
    assert len(scores_of(cli, study)) == 1
    del made.config["scores"]
    made.write(tmp_path)
    assert scores_of(cli, study) == []


def test_outputs_that_are_equal_cost_once_however_many_there_are(cli, server, tmp_path):
    """What two arms share is one call, also where the calls are looked up in parts."""
    made = draft(server)
    made.config["judges"]["live"]["openai"] = "gpt-6-luna"
    made.examples = [{"id": f"q{n}", "prompt": f"Question {n}?"} for n in range(501)]
    made.outputs = {arm: [{"example": f"q{n}", "text": f"Answer {n}."} for n in range(501)] for arm in ("base", "tuned")}
    study = made.write(tmp_path)
    first = cli.well("score", study, "--json").events[-1]
    *told, again = cli.well("score", study, "--json").events
    assert (first["calls"], len(server.requests)) == (501, 501)
    assert (again["usd"], again["saved_usd"]) == (0, pytest.approx(first["usd"]))
    assert told[-1]["usd"] == pytest.approx(first["usd"], rel=0.01)


def test_a_judge_of_whom_the_studys_own_scores_speak_is_not_asked(cli, server, tmp_path):
    made = draft(server)
    cli.well("score", made.write(tmp_path))
    asked = len(server.requests)
    cli.well("export", "scores", tmp_path / "study.yaml", "-o", tmp_path / "given.jsonl")
    made.config["scores"] = "given.jsonl"
    refused = cli("score", made.write(tmp_path))
    assert (refused.code, len(server.requests)) == (2, asked)
    assert "scores: given.jsonl holds scores of 'live', a judge that is to be asked. Give the judge another name" in refused.err


def test_a_level_out_of_range_is_asked_for_once_more_and_then_missing(cli, server, tmp_path):
    server.answer = lambda body: json.dumps(said(7))
    rows = table(cli.well("score", draft(server).write(tmp_path), "--json"))
    assert rows["base", "right"]["mean"]["value"] is None
    assert rows["base", "right"]["reasons"] == {"out_of_range": 6}
    assert rows["base", "polite"]["mean"]["value"] == 1
    assert len(server.requests) == 24


def test_a_second_answer_fills_in_what_the_first_left_open_and_nothing_else(cli, server, tmp_path):
    came = set()

    def answer(body):
        first = str(body) not in came
        came.add(str(body))
        return json.dumps(said(4, "perhaps") if first else said(7, "pass"))

    server.answer = answer
    rows = table(cli.well("score", draft(server).write(tmp_path), "--json"))
    assert (rows["base", "right"]["mean"]["value"], rows["base", "polite"]["mean"]["value"]) == (4, 1)
    assert (rows["base", "right"]["mean"]["missing"], rows["base", "polite"]["mean"]["missing"]) == (0, 0)


def test_an_output_that_is_not_there_is_missing_and_asked_about_by_nobody(cli, server, tmp_path):
    made = draft(server)
    without_output(made)
    rows = table(cli.well("score", made.write(tmp_path), "--json"))
    assert rows["tuned", "right"]["reasons"] == {"output_missing": 1}
    assert rows["tuned", "right"]["mean"]["n"] == 5
    assert len(server.requests) == 11


def test_progress_tells_how_many_answers_could_not_be_read(cli, server, tmp_path):
    server.answer = lambda _: "no answer"
    *told, _ = cli.well("score", draft(server).write(tmp_path), "--json").events
    assert (told[-1]["unscored"], told[-1]["done"], told[-1]["of"]) == (12, 24, 24)  # each was asked for once more


def test_repeats_are_one_score_and_items_of_a_group_one_item(cli, server, tmp_path):
    made = draft(server)
    made.config["judges"]["live"]["repeats"] = 3
    for n, row in enumerate(made.examples):
        row["group"] = f"g{n % 2}"
    study = made.write(tmp_path)
    rows = table(cli.well("score", study, "--json"))
    assert rows["tuned", "right"]["mean"]["n"] == 2
    assert len(cli.well("export", "scores", study).out.splitlines()) == 24


def test_people_read_a_table_with_what_is_missing(cli, server, tmp_path):
    made = draft(server, owl={"recorded": "judge-owl.jsonl"})
    without_output(made)
    result = cli.well("score", made.write(tmp_path))
    assert "Judge live on tuned\n" in result.out
    assert "right (1 to 5)" in result.out
    assert "(n 5, 1 missing): 1 output_missing" in result.out
    assert "judge_left_out: owl: answers from files speak of pairs; only models score." in result.err


def test_without_a_model_or_without_levels_one_line_says_so(cli, server, tmp_path):
    made = draft(server)
    made.config["judges"] = {"owl": {"recorded": "judge-owl.jsonl"}}
    result = cli("score", made.write(tmp_path / "a"))
    assert result.code == 2
    assert "scores come from models only" in result.err
    bare = draft(server)
    bare.rubric["criteria"] = {"taste": {"question": "Do you like it?"}}
    assert "neither levels nor checks" in cli("score", bare.write(tmp_path / "b")).err
    assert server.requests == []


def test_a_judges_pairwise_answers_stay_what_they_are(cli, server, tmp_path):
    study = draft(server, owl={"recorded": "judge-owl.jsonl"}).write(tmp_path)
    cli.well("score", study)
    assert rows_of(tmp_path / ".judge/judge.db", "SELECT count(*) FROM reading") == [(0,)]
