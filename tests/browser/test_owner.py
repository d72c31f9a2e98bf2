"""The owner's page: progress, invitations, closing, the report."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.review_site import Site, pairs

pytestmark = pytest.mark.browser


def test_the_owner_sees_progress_without_reloading(site, enter):
    desk: Site = site(pairs(4))
    owner = enter(desk, "owner")
    expect(owner.get_by_role("heading", name="0 of 8 labels")).to_be_visible()
    annotator = enter(desk)
    annotator.keyboard.press("1")
    expect(owner.get_by_role("heading", name="1 of 8 labels")).to_be_visible(timeout=8000)
    expect(owner.get_by_role("row", name="annotator 1")).to_be_visible()
    assert owner.evaluate("window.violations") == []


@pytest.mark.parametrize("scripts", [True, False])
def test_the_owner_makes_a_link_that_lets_somebody_in(site, enter, browser, scripts):
    desk: Site = site(pairs(4))
    owner = enter(desk, "owner", java_script_enabled=scripts)
    owner.get_by_role("button", name="Make a link").click()
    link = owner.locator(".link").get_attribute("value") or ""
    guest = browser.new_context().new_page()
    guest.goto(link)
    guest.get_by_label("Your name").fill("Ben")
    guest.get_by_role("button", name="Enter").click()
    expect(guest.locator("[data-task]")).to_be_attached()
    guest.context.close()


def test_closing_asks_and_says_what_is_missing(site, enter):
    desk: Site = site(pairs(4))
    owner = enter(desk, "owner")
    owner.on("dialog", lambda dialog: dialog.accept())
    owner.get_by_role("button", name="Close").click()
    expect(owner.locator("#closed")).to_contain_text("8 of 8 planned labels are missing")
    owner.get_by_label("also with labels missing").check()
    owner.get_by_role("button", name="Close").click()
    expect(owner.locator("#closed")).to_contain_text("Closed with 0 labels; 8 missing")


def test_the_report_shows_its_own_style_and_runs_nothing(site, enter):
    owner = enter(site(pairs(2)), "owner")
    owner.get_by_role("link", name="Report").click()
    assert owner.locator("p").evaluate("one => getComputedStyle(one).color") == "rgb(0, 128, 0)"
    assert owner.evaluate("window.violations") == []


@pytest.mark.parametrize("width", [1100, 390])
def test_axe_finds_nothing_on_the_owners_page(site, enter, width):
    from axe_playwright_python.sync_playwright import Axe

    owner = enter(site(pairs(2)), "owner", viewport={"width": width, "height": 800})
    owner.get_by_role("button", name="Make a link").click()
    expect(owner.locator(".link")).to_be_visible()
    found = Axe().run(owner)
    assert found.violations_count == 0, found.generate_report()
    assert owner.evaluate("document.documentElement.scrollWidth") == width


def test_the_invitation_page_is_accessible_and_says_nothing_about_the_study(site, browser):
    from axe_playwright_python.sync_playwright import Axe

    desk: Site = site(pairs(2))
    page = browser.new_page()
    page.goto(desk.link())
    assert page.locator("form[method=post]").count() == 1
    assert "helpdesk" not in page.content()
    assert Axe().run(page).violations_count == 0
    page.close()
