"""A person judges: by keys, by mouse, offline, on a phone, without scripts."""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.review_site import CRITERIA, Site, pairs, rubric

pytestmark = pytest.mark.browser


def token(page: Page) -> str:
    return str(page.locator("[data-task]").get_attribute("data-task"))


def count(page: Page, text: str) -> None:
    expect(page.locator("[data-count]")).to_have_text(text)


def storage(page: Page) -> dict[str, Any]:
    return dict(page.evaluate("({ ...localStorage })"))


def press_and_move_on(page: Page, key: str) -> None:
    before = token(page)
    page.keyboard.press(key)
    expect(page.locator(f"[data-task]:not([data-task='{before}'])")).to_be_attached()


def test_a_batch_of_sixty_is_judged_by_keys_alone(site, enter):
    desk: Site = site(pairs(60))
    page = enter(desk)
    keys = ["1", "2", "3", "4", "0"] * 12
    for key in keys[:-1]:
        press_and_move_on(page, key)
    page.keyboard.press(keys[-1])
    expect(page.get_by_role("heading", name="All done, thank you")).to_be_visible()
    said = [choice for _, choice, _ in desk.said()]
    assert sorted(said) == sorted(["left", "right", "tie", "both_bad", "cannot_judge"] * 12)
    assert storage(page) == {}


def test_the_next_pair_is_there_before_the_server_answers(site, enter):
    page = enter(site(pairs(5)))
    page.route("**/desk/vote", lambda route: None)  # never answered
    press_and_move_on(page, "1")
    expect(page.locator("[data-state]")).to_have_attribute("data-state", "saving")
    assert len(json.loads(storage(page)["bj.votes"])) == 1
    page.unroute_all(behavior="ignoreErrors")


def test_criteria_are_answered_in_order_and_enter_submits(site, enter):
    desk: Site = site(pairs(4), rubric(CRITERIA))
    page = enter(desk)
    before = token(page)
    for key in ("1", "2", "3", "1", "2"):  # overall, right, next, polite left, polite right
        page.keyboard.press(key)
    page.keyboard.press("Enter")
    count(page, "1 of 4")
    assert token(page) != before
    assert desk.answers() == [{"right": "right", "next": "tie", "polite": {"left": True, "right": False}}]


def test_with_criteria_open_enter_submits_once_overall_is_chosen(site, enter):
    desk: Site = site(pairs(3), rubric(CRITERIA))
    page = enter(desk)
    page.keyboard.press("Enter")
    expect(page.locator("#said")).to_contain_text("Choose first")
    page.click("[data-criterion=overall] button[data-choice=tie]")
    page.keyboard.press("Enter")
    count(page, "1 of 3")
    assert [choice for _, choice, _ in desk.said()] == ["tie"]


def test_undo_brings_the_last_vote_back_as_it_was_and_keeps_the_old_revision(site, enter):
    desk: Site = site(pairs(6), rubric(CRITERIA))
    page = enter(desk)
    first = token(page)
    page.keyboard.press("1")
    page.keyboard.press("2")
    page.keyboard.press("Enter")
    count(page, "1 of 6")
    second = token(page)
    page.keyboard.press("u")
    expect(page.locator(f"[data-task='{first}']")).to_be_visible()
    expect(page.locator("[data-criterion=overall] [data-choice=left]")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("[data-criterion=right] [data-choice=right]")).to_have_attribute("aria-pressed", "true")
    page.click("[data-criterion=overall] [data-choice=right]")
    page.keyboard.press("Enter")
    expect(page.locator(f"[data-task='{second}']")).to_be_visible()
    count(page, "1 of 6")
    assert [(revision, choice) for revision, choice, _ in desk.said()] == [(1, "left"), (2, "right")]


def test_a_draft_outlives_a_reload_and_leaves_nothing_behind(site, enter):
    page = enter(site(pairs(3), rubric(CRITERIA)))
    page.keyboard.press("2")
    page.keyboard.press("c")
    page.keyboard.type("1 The right one names a day.")
    with page.expect_response("**/desk/draft"):
        page.keyboard.press("Escape")
    expect(page.locator("[data-state]")).to_have_attribute("data-state", "saved")
    assert storage(page) == {}
    page.reload()
    expect(page.locator("[data-criterion=overall] [data-choice=right]")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_role("textbox", name="Comment")).to_have_value("1 The right one names a day.")


def test_an_offline_spell_loses_no_vote_and_sends_none_twice(site, enter):
    desk: Site = site(pairs(6))
    page = enter(desk)
    page.context.set_offline(True)
    press_and_move_on(page, "1")
    page.keyboard.press("2")
    state = page.locator("[data-state]")
    expect(state).to_have_attribute("data-state", "offline")
    expect(state).to_have_text("offline (2 waiting)")
    assert desk.said() == []
    page.context.set_offline(False)
    count(page, "2 of 6")
    expect(state).to_have_attribute("data-state", "saved")
    assert [choice for _, choice, _ in desk.said()] == ["left", "right"]
    assert storage(page) == {}
    press_and_move_on(page, "3")


def test_a_vote_whose_answer_was_lost_is_kept_once(site, enter):
    desk: Site = site(pairs(4))
    page = enter(desk)
    lost = []

    def swallow(route):
        if lost:
            return route.continue_()
        lost.append(route.fetch().status)  # it arrives, the answer does not
        return route.abort()

    page.route("**/desk/vote", swallow)
    press_and_move_on(page, "1")
    count(page, "1 of 4")
    assert lost == [200]
    assert [choice for _, choice, _ in desk.said()] == ["left"]
    page.unroute_all(behavior="ignoreErrors")


def test_votes_that_were_not_sent_are_sent_after_a_reload(site, enter):
    desk: Site = site(pairs(4))
    page = enter(desk)
    page.route("**/desk/vote", lambda route: route.abort())
    first = token(page)
    press_and_move_on(page, "2")
    page.on("dialog", lambda dialog: dialog.accept())
    page.unroute_all(behavior="ignoreErrors")
    page.reload()
    count(page, "1 of 4")
    assert token(page) != first
    assert [choice for _, choice, _ in desk.said()] == ["right"]


def test_leaving_is_questioned_only_while_something_is_unsent(site, enter):
    page = enter(site(pairs(4)))
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    page.reload()
    assert asked == []
    page.route("**/desk/vote", lambda route: route.abort())
    page.click("[data-criterion=overall] [data-choice=left]")
    expect(page.locator("[data-state=offline]")).to_be_visible()
    page.reload()
    assert asked == ["beforeunload"]
    page.unroute_all(behavior="ignoreErrors")


def test_skip_asks_for_a_reason_by_key_and_goes_at_once_by_click(site, enter):
    desk: Site = site(pairs(5))
    page = enter(desk)
    page.keyboard.press("k")
    press_and_move_on(page, "2")
    before = token(page)
    page.click("[data-criterion=overall] button[data-choice=skip]")
    expect(page.locator(f"[data-task]:not([data-task='{before}'])")).to_be_attached()
    expect(page.locator("[data-state]")).to_have_attribute("data-state", "saved")
    page.keyboard.press("k")
    press_and_move_on(page, "Enter")
    expect(page.locator("[data-state]")).to_have_attribute("data-state", "saved")
    reasons = ["Outside what I know", "", ""]
    assert [(choice, comment) for _, choice, comment in desk.said()] == [("skip", reason) for reason in reasons]


def test_keys_are_off_in_text_fields_with_modifiers_and_while_composing(site, enter):
    desk: Site = site(pairs(3))
    page = enter(desk)
    before = token(page)
    page.keyboard.press("c")
    page.keyboard.type("1234")
    page.keyboard.press("Escape")
    page.keyboard.press("Control+1")
    page.keyboard.press("Alt+2")
    page.evaluate("""document.dispatchEvent(new KeyboardEvent("keydown", {key: "1", code: "Digit1", isComposing: true}))""")
    assert token(page) == before
    assert desk.said() == []


def test_digits_work_on_layouts_that_need_shift_for_them(site, enter):
    page = enter(site(pairs(3)))
    before = token(page)
    page.evaluate("""document.dispatchEvent(new KeyboardEvent("keydown", {key: "&", code: "Digit1", bubbles: true}))""")
    expect(page.locator(f"[data-task]:not([data-task='{before}'])")).to_be_attached()


def test_keys_can_be_changed_switched_off_and_set_back(site, enter):
    desk: Site = site(pairs(5))
    page = enter(desk)
    page.keyboard.press("?")
    page.click("[data-remap=left]")
    page.keyboard.press("j")
    page.keyboard.press("?")
    press_and_move_on(page, "j")
    page.reload()
    expect(page.locator("html.live")).to_be_attached()
    press_and_move_on(page, "j")
    page.get_by_role("button", name="Keys").click()
    page.uncheck("[data-keys-on]")
    page.get_by_role("button", name="Close").click()
    before = token(page)
    page.keyboard.press("j")
    page.keyboard.press("2")
    assert token(page) == before
    assert [choice for _, choice, _ in desk.said()] == ["left", "left"]


def test_raw_shows_the_source_of_both_sides_at_once(site, enter):
    from tests.review_site import pair

    page = enter(site([pair("**left** text", "*right* text")]))
    page.keyboard.press("r")
    expect(page.locator(".side .raw:visible")).to_have_count(2)
    assert {text.strip() for text in page.locator(".side .raw").all_inner_texts()} == {"**left** text", "*right* text"}
    expect(page.locator(".side .shown:visible")).to_have_count(0)


def test_without_scripts_the_whole_page_works(site, enter):
    desk: Site = site(pairs(3), rubric(CRITERIA))
    page = enter(desk, java_script_enabled=False)
    first = token(page)
    page.click("[data-criterion=overall] button[data-choice=right]")
    page.click("[data-criterion=right] button[data-choice=tie]")
    page.click("[data-criterion=polite][data-side=left] button[data-choice=fail]")
    assert token(page) == first
    page.get_by_role("button", name="Submit").click()
    assert token(page) != first
    count(page, "1 of 3")
    assert desk.answers() == [{"right": "tie", "polite": {"left": False}}]
    page.get_by_role("button", name="Undo").click()
    assert token(page) == first
    expect(page.locator("[data-criterion=overall] [data-choice=right]")).to_have_attribute("aria-pressed", "true")


def test_without_scripts_and_criteria_one_press_is_a_vote(site, enter):
    desk: Site = site(pairs(2))
    page = enter(desk, java_script_enabled=False)
    for choice in ("left", "both_bad"):
        page.click(f"[data-criterion=overall] button[data-choice={choice}]")
    expect(page.get_by_role("heading", name="All done, thank you")).to_be_visible()
    assert [choice for _, choice, _ in desk.said()] == ["left", "both_bad"]


def test_a_phone_shows_one_side_at_a_time_and_never_scrolls_sideways(site, enter):
    from tests.review_site import pair

    wide = "| a | b |\n|---|---|\n| " + "x" * 200 + " | y |\n\n```\n" + "z" * 300 + "\n```\n" + "w" * 300
    page = enter(site([pair(wide, "short")], rubric(CRITERIA)), viewport={"width": 390, "height": 844}, has_touch=True)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    expect(page.locator(".side.left")).to_be_visible()
    expect(page.locator(".side.right")).to_be_hidden()
    page.locator(".switch").get_by_text("Right").click()
    expect(page.locator(".side.right")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 390


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_axe_finds_nothing(site, enter, scheme, width):
    from axe_playwright_python.sync_playwright import Axe

    page = enter(site(pairs(3), rubric(CRITERIA)), color_scheme=scheme, viewport={"width": width, "height": 900})
    page.keyboard.press("1")
    page.keyboard.press("c")
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def test_dark_is_dark(site, enter):
    page = enter(site(pairs(1)), color_scheme="dark")
    red, green, blue = page.evaluate("getComputedStyle(document.documentElement).backgroundColor.match(/\\d+/g).map(Number)")
    assert max(red, green, blue) < 60


def test_a_cold_page_is_small_and_stays_home(site, enter):
    page = enter(site(pairs(3), rubric(CRITERIA)))
    sizes = []
    page.on(
        "requestfinished",
        lambda asked: sizes.append(sum(asked.sizes()[part] for part in ("responseBodySize", "responseHeadersSize"))),
    )
    page.context.new_cdp_session(page).send("Network.setCacheDisabled", {"cacheDisabled": True})
    page.reload(wait_until="networkidle")
    assert len(sizes) <= 6
    assert sum(sizes) <= 80_000


def test_closing_the_round_under_a_voter_is_told_and_not_hidden(site, enter):
    desk: Site = site(pairs(3))
    page = enter(desk)
    desk.owner.close("helpdesk", incomplete=True)
    page.keyboard.press("1")
    expect(page.get_by_role("heading", name="The review is closed")).to_be_visible()
    assert desk.said() == []
    assert storage(page) == {}


def test_the_live_region_says_how_far_one_is(site, enter):
    page = enter(site(pairs(8)))
    press_and_move_on(page, "1")
    expect(page.get_by_role("status").first).to_contain_text("Saved, 1 of 8")
