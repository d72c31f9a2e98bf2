"""The check of blindness finds nothing where nothing leaks, says what it did, and leaves the user's workspace alone."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from judge.workflow.facade import Study
from judge.workflow.starting import demo
from review_ui.blindcheck import check
from review_ui.blindcheck.browser import Answer, Loop
from review_ui.blindcheck.markup import frame_of, varying
from review_ui.blindcheck.meter import looks, meter
from review_ui.blindcheck.regression import ranks, right_forward
from review_ui.blindcheck.twin import difference
from review_ui.blindcheck.words import Net, canary
from tests.studies import Cli, small

WORD = canary("a secret place")


@pytest.fixture
def cli(capsys) -> Cli:
    """The command line in this process."""
    return Cli(capsys)


def small_study(folder: Path, pairs: int = 8) -> Path:
    """A study of few pairs on disk."""
    return small(["b", "a"] * (pairs // 2), people=0).write(folder)


# --- The whole check --------------------------------------------------------------------------------------------------


def test_nothing_leaks_from_a_small_study(tmp_path):
    checked = check(Study.open(small_study(tmp_path)), tasks=240)
    assert checked.ok, checked.lines()
    assert [finding.test for finding in checked.findings] == [
        "twin", "canary", "classifier", "features", "series", "timing", "order",
    ]  # fmt: skip
    assert not (tmp_path / ".judge").exists()  # the user's workspace was not touched


def test_nothing_leaks_from_a_study_of_given_pairs_whose_candidate_stands_on_either_side(tmp_path):
    rows = [
        {
            "id": f"p{n}",
            "prompt": f"Question {n}?",
            "output_a": f"Old {n}.",
            "output_b": f"New {n}.",
            "model_a": "x",
            "model_b": "y",
        }
        | ({"model_a": "y", "model_b": "x"} if n % 3 else {})
        for n in range(7)
    ]
    rows.append({"id": "same", "prompt": "And this?", "output_a": "Yes.", "output_b": "Yes.", "model_a": "x", "model_b": "y"})
    (tmp_path / "pairs.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    (tmp_path / "rubric.yaml").write_text("rubric: short\ntask: Answer.\noverall: Which is better?\n")
    study = tmp_path / "study.yaml"
    study.write_text("name: given\npairs: pairs.jsonl\ncandidate: y\nrubric: rubric.yaml\nprimary: win_rate\n")
    checked = check(Study.open(study), tasks=240)
    assert checked.ok, checked.lines()


def test_nothing_leaks_from_the_demonstration_and_the_power_is_said(tmp_path, cli):
    result = cli("review", "blindcheck", demo(tmp_path / "demo"), "--json")
    assert result.code == 0, result.out
    found = result.json
    assert found["pairs"] == 72
    assert found["ok"] is True
    by_name = {test["test"]: test for test in found["tests"]}
    assert "finds 55 % with probability 0.99" in by_name["classifier"]["power"]
    assert found["seconds"] < 120  # a minute on a machine with nothing else to do
    (guessable,) = [hint for hint in found["hints"] if hint["name"] == "guessable"]
    assert 0.5 < guessable["low"] <= guessable["value"] <= guessable["high"] <= 1


def test_the_command_says_one_line_a_test_and_leaves_with_1_on_a_leak(tmp_path, cli, monkeypatch):
    import review_ui.blindcheck as room
    from review_ui.blindcheck.result import Finding

    monkeypatch.setattr(room, "guess", lambda *_, **__: [])
    monkeypatch.setattr(room, "canaries", lambda *_: Finding(test="canary", compared="9 answers", power="all", leak="a word"))
    result = cli("review", "blindcheck", small_study(tmp_path))
    assert result.code == 1
    lines = result.out.splitlines()
    assert lines[0].startswith("ok    twin")
    assert lines[1] == "LEAK  canary      a word (9 answers)"


def test_a_study_of_equal_texts_leaves_nothing_to_guess(tmp_path):
    draft = small(["tie"] * 4, people=0)
    draft.outputs = {arm: [{**row, "text": "The same."} for row in rows] for arm, rows in draft.outputs.items()}
    checked = check(Study.open(draft.write(tmp_path)), tasks=240)
    assert checked.ok, checked.lines()
    assert "no pair has two different texts" in checked.findings[-1].compared


def test_betraying_texts_and_a_rubric_that_names_an_arm_are_pointed_out(tmp_path):
    draft = small(["b"] * 4, people=0)
    draft.outputs["tuned"][0]["text"] = "As an AI language model, I cannot say."
    draft.rubric["overall"] = "Is tuned the better one?"
    with Study.open(draft.write(tmp_path)).work() as work:
        assert {hint.name for hint in meter(work)} == {"guessable", "betraying_texts", "arm_named_in_rubric"}


# --- The parts ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sent",
    [
        f"<p>{WORD}</p>",
        f"<p>{WORD.upper()}</p>",
        "".join(f"%{ord(c):02X}" for c in WORD),
        "".join(f"&#{ord(c)};" for c in WORD),
        "".join(f"&#X{ord(c):X};" for c in WORD),
        "".join(f"\\u{ord(c):04x}" for c in WORD),
        base64.b64encode(f"{WORD}".encode()).decode(),
        base64.b64encode(f"x{WORD} and more".encode()).decode(),
        base64.urlsafe_b64encode(f"xy{WORD}".encode()).decode(),
        f"in hex {WORD.encode().hex()}",
        f"a{hashlib.md5(WORD.encode()).hexdigest()[:8]} ",
        f'"{hashlib.sha1(WORD.encode()).hexdigest()[:12]}"',
        hashlib.sha256(WORD.lower().encode()).hexdigest().upper(),
    ],
)
def test_a_word_is_found_in_every_spelling(sent):
    caught = Net({"place": WORD}).caught(f"before {sent} after".encode())
    assert caught, sent
    assert {hit.place for _, hit in caught} == {"place"}


def test_other_words_and_short_pieces_are_no_hit():
    net = Net({"place": WORD}, {"text": "A text."}, {"kept": "0123456789abcdef"})
    assert net.caught(f"{WORD[:-1]} A text. 0123456 {canary('another place')}".encode()) == []
    assert [hit.place for _, hit in net.caught(b"id=01234567")] == ["kept"]


def answer(body: str, status: int = 200, headers: tuple[tuple[str, str], ...] = ()) -> Answer:
    return Answer(route="GET /desk", sent="GET /desk", status=status, headers=headers, body=body.encode(), seconds=0.0)


def test_the_first_difference_is_told_with_its_route_and_place():
    assert difference([answer("same")], [answer("same")]) is None
    told = difference([answer("x"), answer("one left")], [answer("x"), answer("one right")])
    assert told == "answer 2, GET /desk: body differs at byte 4: 'one left' against 'one right'"
    assert "status" in str(difference([answer("x")], [answer("x", 404)]))
    assert "headers" in str(difference([answer("x", headers=(("etag", "1"),))], [answer("x", headers=(("etag", "2"),))]))
    assert "2 answers" in str(difference([answer("x"), answer("y")], [answer("x")]))


def test_only_the_session_cookie_is_masked():
    def cookie(name: str) -> Answer:
        return answer("", 303, (("set-cookie", f"{name}={'A' * 43}; Path=/"),))

    other = answer("", 303, (("set-cookie", f"bj_session={'B' * 43}; Path=/"),))
    assert difference([cookie("bj_session")], [other]) is None
    assert difference([cookie("choice")], [other]) is not None


def test_a_page_is_taken_apart_into_texts_and_what_surrounds_them():
    html = (
        '<section data-task="t1"><!-- note --><article class="side left" data-x="1"><h3>Left</h3>'
        '<div class="words"><p class="secret">a <b>text</b></p></div><pre class="words raw">\n\n a &lt; b<br></pre></article>'
        '<article class="side right"><pre class="words raw">\nb</pre></article></section>'
    )
    frame = frame_of(html)
    assert frame.sides == ["left", "right"]
    assert frame.raw == {"left": "\n a < b", "right": "b"}
    assert frame.rest == [" note ", "Left"]
    assert ("article", "data-x", "1") in frame.attributes
    assert not any("secret" in value for _, _, value in frame.attributes)
    assert set(varying([frame, frame_of(html.replace('x="1"', 'x="2"'))])) == {("article", "data-x")}


def test_guessing_forward_is_a_fair_coin_on_noise_and_finds_a_weak_pattern():
    rng = np.random.default_rng(1)
    groups = np.arange(1200) // 100
    shares = []
    for _ in range(60):
        y = rng.random(1200) < 0.5
        right, guessed = right_forward(ranks(rng.normal(size=(1200, 40))), y, groups, parts=12)
        shares.append(right[guessed].mean())
    binomial = 0.5 / (1100**0.5)
    assert abs(np.mean(shares) - 0.5) < 4 * binomial / 60**0.5
    assert 0.75 < np.std(shares) / binomial < 1.25
    y = rng.random(1200) < 0.5
    leaning = rng.normal(size=(1200, 40)) + np.eye(40)[7] * y[:, None]
    right, guessed = right_forward(ranks(leaning), y, groups, parts=12)
    assert right[guessed].mean() > 0.6


def test_looks_say_nothing_about_words():
    assert (looks("Good day. 12 cats!") == looks("Cats, 3 dogs!")).sum() < len(looks(""))
    assert (looks("abc def 12") == looks("xyz uvw 34")).all()


def test_when_one_side_cannot_be_rendered_both_are_shown_plain():
    from judge.desk import Task
    from review_ui.desk.texts import shown, texts_of

    def fragile(text: str) -> Any:
        if "$" in text:
            raise ValueError(text)
        return shown(text)

    texts = texts_of(Task(token="t", messages=(), reference=None, left="**bold**", right="$x$"), fragile)
    assert (texts.left, texts.right) == ("<pre>**bold**</pre>", "<pre>$x$</pre>")


@pytest.fixture(scope="module")
def loop() -> Iterator[Any]:
    """One event loop for the browsers."""
    with Loop() as running:
        yield running


def test_a_browser_keeps_cookies_and_follows_nothing(loop, tmp_path):
    from review_ui.blindcheck.copies import stage

    with stage(loop, tmp_path / "judge.db") as here:
        guest = here.guest("a study", "Ann")
        assert guest.ask("GET", "/").header("location") == "/desk"
        assert guest.ask("GET", "/desk").status == 200
        left = guest.ask("POST", "/leave")
        assert (left.status, guest.cookies) == (303, {})
        assert guest.ask("GET", "/desk").status == 401
