"""One Chromium for all browser tests, the system's own; without one they fail, they are not skipped."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.review_site import Site, review

WATCH = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (e) => violations.push(`${e.violatedDirective} ${e.blockedURI}`));
"""


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The system's Chromium."""
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    assert path, "these tests need Chromium: apt-get install chromium, or set CHROMIUM"
    args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=args)
        yield browser
        browser.close()


@pytest.fixture
def site(tmp_path: Any) -> Iterator[Callable[..., Site]]:
    """Serves reviews: `site(pairs, rubric)`; they end with the test."""
    with ExitStack() as stack:
        yield lambda *asked, **more: stack.enter_context(review(tmp_path, *asked, **more))


@pytest.fixture
def enter(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens a browser of one's own and goes in: `enter(site, role="annotator", **settings)`.

    At the end no page may have broken its own policy, fetched from elsewhere, or thrown.
    """
    opened: list[tuple[Page, list[str], Site]] = []

    def go_in(site: Site, role: str = "annotator", **settings: Any) -> Page:
        context = browser.new_context(**{"viewport": {"width": 1440, "height": 900}, **settings})
        context.add_init_script(WATCH)
        page = context.new_page()
        trouble: list[str] = []
        page.on("pageerror", lambda error: trouble.append(str(error)))
        page.on("request", lambda asked: trouble.append(asked.url) if not ours(asked.url, site) else None)
        page.on("console", lambda said: trouble.append(said.text) if "Content Security Policy" in said.text else None)
        page.goto(site.link(role))
        page.get_by_label("Your name").fill(role)
        page.get_by_role("button", name="Enter").click()
        if settings.get("java_script_enabled", True) and role == "annotator":
            expect(page.locator("html.live")).to_be_attached()
        opened.append((page, trouble, site))
        return page

    yield go_in
    for page, trouble, _ in opened:
        page.context.close()
        assert not trouble


def ours(url: str, site: Site) -> bool:
    """A request that stays with us."""
    return url.startswith((site.url, "data:"))
