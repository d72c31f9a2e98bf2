"""Whatever a model writes: nothing runs, nothing is fetched, nothing of the page is taken over."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.hostile import HOST, payloads
from tests.review_site import pair

pytestmark = pytest.mark.browser
A_PAGE = 60  # payloads a side


def test_no_payload_runs_fetches_or_takes_over(site, enter):
    hostile = payloads()
    assert len(hostile) >= 300
    # Each payload stands between two marks, so that a swallowed end would be seen.
    blocks = [
        [f"\n\nMARK{n}\n\n{text}\n\n" for n, text in enumerate(hostile[i : i + A_PAGE])] for i in range(0, len(hostile), A_PAGE)
    ]
    sides = ["".join(block) + "\n\nTHE END" for block in blocks]
    sides += ["plain\n\nTHE END"] * (len(sides) % 2)
    desk = site([pair(sides[i], sides[i + 1], i, (sides[i],)) for i in range(0, len(sides), 2)])
    page = enter(desk)
    page.on("request", lambda asked: pytest.fail(f"fetched {asked.url}") if HOST in asked.url else None)
    pages = len(sides) // 2
    for n in range(pages):
        expect(page.locator("[data-task]")).to_have_count(1)
        assert page.locator(".side .shown").get_by_text("THE END").count() == 2
        assert (
            page.locator(".side :is(script, img, iframe, form, button, input, svg, style, link, meta, object, embed)").count()
            == 0
        )
        assert page.evaluate("window.pwned") is None
        assert (
            page.evaluate("""[...document.querySelectorAll(".words *")].flatMap((one) => one.getAttributeNames())
            .filter((name) => /^on|^data-|^hx-|^id$|^style$|^name$|^src|^action|^form/.test(name))""")
            == []
        )
        hrefs = page.evaluate("""[...document.querySelectorAll(".words a[href]")].map((one) => one.getAttribute("href"))""")
        assert all(re.match(r"(https?|mailto):", href) for href in hrefs)
        for side in page.locator(".side a[href]").all()[:3]:
            side.hover()
        if n < pages - 1:
            before = page.locator("[data-task]").get_attribute("data-task")
            page.keyboard.press("r")
            assert page.evaluate("window.pwned") is None
            page.keyboard.press("3")
            expect(page.locator(f"[data-task]:not([data-task='{before}'])")).to_be_attached()
    assert page.evaluate("window.violations") == []


def test_a_page_of_ordinary_use_breaks_no_policy(site, enter):
    code = "```python\ndef f(x):\n    return x\n```\n\n$e^{i\\pi} = -1$\n\n| a | b |\n|--:|:-:|\n| 1 | 2 |"
    page = enter(site([pair(code, code + " ", n) for n in range(4)]))
    for key in ("1", "g", "Escape", "?", "Escape", "r", "c", "Escape", "2", "u"):
        page.keyboard.press(key)
    assert page.evaluate("window.violations") == []
