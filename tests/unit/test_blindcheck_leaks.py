"""Every planted leak turns the check of blindness red.  Each is planted by changing one thing in the running program."""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

import judge.review
import judge.review.rounds as rounds
import review_ui.app
import review_ui.desk.routes as desk_routes
from judge.workflow.facade import Study
from review_ui.blindcheck.browser import Loop
from review_ui.blindcheck.canary import COMMENT, canaries
from review_ui.blindcheck.copies import made_up_score
from review_ui.blindcheck.guessing import guess
from review_ui.blindcheck.seeding import WORDS
from review_ui.blindcheck.twin import twin
from review_ui.pages import html
from tests.studies import small

ARM = f"arm-{WORDS['candidate name']}"
Plant = Callable[[str, Any], str]


@pytest.fixture(scope="module")
def work(tmp_path_factory) -> Iterator[Any]:
    """A study of ten pairs; the candidate's texts are those with "newer" in them."""
    folder = tmp_path_factory.mktemp("study")
    with Study.open(small(["b", "a"] * 5, people=0).write(folder)).work() as opened:
        yield opened


@pytest.fixture(scope="module")
def loop() -> Iterator[Loop]:
    """One event loop for all browsers."""
    with Loop() as running:
        yield running


@pytest.fixture
def pages(monkeypatch) -> Callable[[Plant], None]:
    """Change the HTML of every pair: the plant gets the page and its task."""
    before = desk_routes.render

    def planted(plant: Plant) -> None:
        def render(name: str, **shown: Any) -> str:
            page = before(name, **shown)
            return plant(page, shown["task"]) if name == "pair.html" else page

        monkeypatch.setattr(desk_routes, "render", render)

    return planted


@pytest.fixture
def decks(monkeypatch) -> Callable[[Callable[[Any, bool], Any]], None]:
    """Change every dealt task: the plant gets the task and whether sides are mirrored."""
    before = rounds.deal

    def planted(plant: Callable[[Any, bool], Any]) -> None:
        def deal(*args: Any, mirrored: bool = False, **named: Any) -> list[Any]:
            return [plant(task, mirrored) for task in before(*args, mirrored=mirrored, **named)]

        monkeypatch.setattr(rounds, "deal", deal)

    return planted


@pytest.fixture
def sealed(monkeypatch) -> Callable[[Callable[[dict[str, Any]], dict[str, Any]]], None]:
    """Change every task as it is sealed."""
    before = rounds.Sealed

    def planted(plant: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
        monkeypatch.setattr(rounds, "Sealed", lambda **fields: before(**plant(fields)))

    return planted


def leak_of_canary(work: Any, tmp_path: Any, loop: Loop) -> str:
    return canaries(work, tmp_path, loop).leak or ""


def leaks_of_guess(work: Any, tmp_path: Any, loop: Loop, tasks: int = 240) -> dict[str, str]:
    return {finding.test: finding.leak for finding in guess(work, tmp_path, loop, tasks=tasks) if finding.leak}


def mark(side: str, text: str) -> Plant:
    """Put something into the tag of one side."""
    return lambda page, _task: page.replace(f'class="side {side}"', f'class="side {side}" {text}')


# --- Words that must not come out ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f'data-model="{ARM}"', "candidate name as plain"),
        (f'id="{ARM.upper()}"', "candidate name as plain"),
        (f'data-m="{base64.b64encode(ARM.encode()).decode()}"', "candidate name as base64"),
        (f'data-m="{hashlib.sha1(ARM.encode()).hexdigest()[:8]}"', "candidate as sha1 prefix"),
        (f'title="{WORDS["adapter"]}"', "adapter as plain"),
    ],
)
def test_a_models_name_in_an_attribute_is_found(work, tmp_path, loop, pages, text, said):
    pages(mark("left", text))
    assert said in leak_of_canary(work, tmp_path, loop)


@pytest.mark.parametrize("place", ["candidate name", "verdict reason", "rationale", "tag", "example id", "label comment"])
def test_a_word_in_a_comment_of_the_page_is_found(work, tmp_path, loop, pages, place):
    pages(lambda page, _task: f"{page}<!-- {WORDS[place]} -->")
    assert f"{place} as plain in the body of GET /desk (200)" in leak_of_canary(work, tmp_path, loop)


def test_a_models_name_in_a_header_is_found(work, tmp_path, loop, monkeypatch):
    before = review_ui.app.add_headers

    async def add_headers(message: Any, scope: Any) -> None:
        await before(message, scope)
        if message["type"] == "http.response.start":
            message["headers"] = [*message["headers"], (b"vary", ARM.encode())]

    monkeypatch.setattr(review_ui.app, "add_headers", add_headers)
    assert "candidate name as plain in the headers" in leak_of_canary(work, tmp_path, loop)


def test_a_validator_of_one_side_is_found(work, tmp_path, loop, monkeypatch):
    before = desk_routes.json_answer

    def json_answer(content: dict[str, Any], status: int = 200) -> Any:
        response = before(content, status)
        response.headers["etag"] = hashlib.sha256(str(content.get("current")).encode()).hexdigest()
        return response

    monkeypatch.setattr(desk_routes, "json_answer", json_answer)
    assert "header etag on" in leak_of_canary(work, tmp_path, loop)


def test_somebody_elses_comment_is_found(work, tmp_path, loop, pages):
    pages(lambda page, _task: f"{page}<p>{COMMENT['other']}</p>")
    assert "comment of the other as plain" in leak_of_canary(work, tmp_path, loop)


def test_a_reference_that_the_rubric_hides_is_found(work, tmp_path, loop, monkeypatch):
    before = rounds._prompt
    monkeypatch.setattr(rounds, "_prompt", lambda pair, rubric: {**before(pair, rubric), "reference": pair.example.reference})
    assert "reference as plain" in leak_of_canary(work, tmp_path, loop)


def test_the_text_of_an_exception_is_found(work, tmp_path, loop, monkeypatch):
    monkeypatch.setattr(review_ui.app, "answer_failure", lambda _request, failure: html(str(failure), 500))
    assert "in the body of" in leak_of_canary(work, tmp_path, loop)


def test_an_extra_field_for_the_script_is_found(work, tmp_path, loop, monkeypatch):
    before = desk_routes.json_answer
    monkeypatch.setattr(desk_routes, "json_answer", lambda content, *more: before({**content, "margin": 1}, *more))
    assert "hold 'margin'" in leak_of_canary(work, tmp_path, loop)


# --- The page of a pair ---------------------------------------------------------------------------------------------------


def test_sides_that_only_the_style_swaps_are_found(work, tmp_path, loop, pages):
    def swap(page: str, task: Any) -> str:
        start, middle = page.index('<article class="side left"'), page.index('<article class="side right"')
        end = page.index("</article>", middle) + len("</article>")
        return page[:start] + page[middle:end] + page[start:middle] + page[end:] if "newer" in task.right else page

    pages(swap)
    assert "in the order right, left" in leak_of_canary(work, tmp_path, loop)


def test_a_verdict_beside_the_pair_is_found(work, tmp_path, loop, pages):
    def verdict(page: str, task: Any) -> str:
        return f"{page}<p>The judge prefers the {'left' if len(task.left) > len(task.right) else 'right'}.</p>"

    pages(verdict)
    assert "stands outside the texts of some pairs only" in leak_of_canary(work, tmp_path, loop)


def test_an_attribute_that_tells_the_pairs_apart_is_found(work, tmp_path, loop, pages):
    pages(lambda page, task: page.replace("<fieldset", f'<fieldset data-n="{len(task.left)}{task.token[0]}"'))
    assert "<fieldset data-n> differs from pair to pair" in leak_of_canary(work, tmp_path, loop)


# --- What depends on which arm is which -----------------------------------------------------------------------------------


def test_a_token_made_from_the_side_is_found(work, tmp_path, loop, sealed):
    sealed(lambda task: task | {"token": hashlib.md5(f"{task['token']}{task['left_is']}".encode()).hexdigest()})
    assert "differs at byte" in (twin(work, tmp_path, loop).leak or "")


def test_a_token_whose_last_digit_is_the_side_is_found_without_a_twin(work, tmp_path, loop, sealed):
    sealed(lambda task: task | {"token": task["token"][:-1] + ("4" if task["left_is"] == "a" else "7")})
    leaks = leaks_of_guess(work, tmp_path, loop)
    assert {"classifier", "features"} <= set(leaks)
    assert "of the token" in leaks["features"]


def test_a_constant_side_is_found(work, tmp_path, loop, decks):
    decks(lambda task, _mirrored: replace(task, left="a"))
    assert twin(work, tmp_path, loop).leak
    assert "series" in leaks_of_guess(work, tmp_path, loop)


def test_sides_by_turns_are_found(work, tmp_path, loop, decks):
    decks(lambda task, mirrored: replace(task, left="ab"[(task.position % 2) ^ mirrored]))
    assert twin(work, tmp_path, loop).ok  # no byte depends on it, and still everybody can guess
    assert {"classifier", "features", "series"} <= set(leaks_of_guess(work, tmp_path, loop))


def test_sides_by_turns_from_a_secret_start_are_found(work, tmp_path, loop, monkeypatch):
    before = rounds.deal

    def deal(items: Any, seats: Any, secret: str, **named: Any) -> list[Any]:
        start = int(secret[:8], 16)
        return [
            replace(task, left="ab"[(task.position + task.seat + start) % 2]) for task in before(items, seats, secret, **named)
        ]

    monkeypatch.setattr(rounds, "deal", deal)
    assert "follow a pattern" in leaks_of_guess(work, tmp_path, loop)["series"]


def test_an_odd_item_that_is_always_left_on_even_seats_is_found(tmp_path, loop, monkeypatch):
    before = rounds.deal

    def deal(items: Any, seats: Any, secret: str, **named: Any) -> list[Any]:
        ranked = sorted(items, key=lambda item: hashlib.sha256(f"{secret}{item}".encode()).digest())
        return before(items, seats, secret, **{**named, "base": {item: rank % 2 for rank, item in enumerate(ranked)}})

    monkeypatch.setattr(rounds, "deal", deal)
    with Study.open(small(["b"] * 25, people=0).write(tmp_path)).work() as odd:
        assert "from the end, by turns over seats" in leaks_of_guess(odd, tmp_path, loop, tasks=900)["features"]


def test_items_in_the_order_of_the_judges_score_are_found(work, tmp_path, loop, monkeypatch, decks):
    before = judge.review.sampling_order

    def by_score(*args: Any) -> list[Any]:
        return sorted(before(*args), key=lambda one: made_up_score(one.pair.partition("~")[0]))

    monkeypatch.setattr(judge.review, "sampling_order", by_score)
    decks(lambda task, _mirrored: replace(task, position=int(task.item)))
    assert "follows the judge's score" in leaks_of_guess(work, tmp_path, loop)["order"]


def test_a_page_that_is_slower_for_one_arm_is_found(work, tmp_path, loop, monkeypatch):
    before = desk_routes.texts_of

    def texts_of(task: Any) -> Any:
        if "newer" in task.left:
            time.sleep(0.02)
        return before(task)

    monkeypatch.setattr(desk_routes, "texts_of", texts_of)
    assert "with the candidate on the left" in leaks_of_guess(work, tmp_path, loop)["timing"]


def test_a_page_that_is_longer_for_one_arm_is_found(work, tmp_path, loop, pages):
    pages(lambda page, task: page.replace("<fieldset", "<fieldset ") if "newer" in task.right else page)
    assert "size of the page" in leaks_of_guess(work, tmp_path, loop)["features"]


def test_an_answer_that_depends_on_the_arm_is_found_byte_by_byte(work, tmp_path, loop, monkeypatch):
    before = rounds._prompt

    def prompt(pair: Any, rubric: Any) -> dict[str, Any]:
        made = before(pair, rubric)
        first = made["messages"][0]
        return {**made, "messages": [{**first, "content": first["content"] + " " * pair.text_a.count("newer") + "."}]}

    monkeypatch.setattr(rounds, "_prompt", prompt)
    assert "body differs at byte" in (twin(work, tmp_path, loop).leak or "")
