"""Make the pictures of the judging page and the owner's page from a small review.

    .venv-tests/bin/python docs/images/make_desk.py

Needs playwright (in the `dev` extra) and Chromium on the system; CHROMIUM names another binary.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import expect, sync_playwright

HERE: Final = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "tests"))

from review_site import CRITERIA, Site, pair, review, rubric  # noqa: E402

ASKED: Final = (
    "My parcel was to come on Monday and today is Thursday. The tracking page has said “in transit” for three days. "
    "I need it for a birthday on Saturday. Where is it, and what can you do for me?"
)
PLAIN: Final = """\
I am sorry that your parcel is late. I looked it up: it left our warehouse on **Friday** and was last scanned in the
carrier's hub on **Monday at 06:12**. Nothing has happened since, which usually means that it is stuck there.

What I have done, and what happens next:

1. I opened a search with the carrier. They answer within **one working day**, so by tomorrow evening.
2. If they have not found it by then, I send a **replacement by express** tomorrow night; it arrives on Saturday before noon.
3. You pay nothing for either, and if both arrive you may keep the second one or send it back free of charge.

I will write to you tomorrow before 18:00, whatever the carrier says.
"""
WORDY: Final = """\
Thank you so much for reaching out to us today! We truly value your business and completely understand how frustrating it
must be to wait for something that you were looking forward to.

Parcels can be delayed for many reasons:

- high volumes during the season,
- weather along the route,
- an address that the carrier could not read.

In most cases a parcel that shows “in transit” arrives within **5 to 7 working days**. We recommend that you keep an eye on
the tracking page, where you will always find the latest information. You can also contact the carrier with your tracking
number; they will be more than happy to help.

If your parcel has still not arrived after ten working days, please come back to us and we will be glad to open a case for
you. We apologise for any inconvenience and wish you a wonderful day!
"""
COUNT: Final = 40


def main() -> None:
    """Serve the review and take the four pictures."""
    texts = [pair(unwrapped(PLAIN) + "\n" * n, unwrapped(WORDY), n, (ASKED,)) for n in range(COUNT)]
    with tempfile.TemporaryDirectory() as folder, review(Path(folder), texts, rubric(CRITERIA)) as site, sync_playwright() as p:
        browser = p.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        desk(browser, site)
        owner(browser, site)
        browser.close()


def unwrapped(text: str) -> str:
    """Join the lines of each paragraph, as a model writes them; the renderer keeps line breaks."""
    return re.sub(r"(?<=[^\n])\n(?![\n\-\d])", " ", text)


def desk(browser: Any, site: Site) -> None:
    """Vote a few times, then take the page in light, dark, and on a phone."""
    tab = browser.new_context(viewport={"width": 1440, "height": 900}, color_scheme="light").new_page()
    enter(tab, site.link(), "Ana")
    expect(tab.locator("html.live")).to_be_attached()
    for n in range(7):
        tab.keyboard.press("12342"[n % 5])
        tab.keyboard.press("Enter")
        expect(tab.locator("[data-count]")).to_have_text(f"{n + 1} of {COUNT}")
    for key in "112":
        tab.keyboard.press(key)
    tab.wait_for_timeout(900)
    tab.screenshot(path=HERE / "desk-light.png")
    tab.emulate_media(color_scheme="dark")
    tab.screenshot(path=HERE / "desk-dark.png")
    tab.emulate_media(color_scheme="light")
    tab.set_viewport_size({"width": 390, "height": 844})
    tab.evaluate("scrollTo(0, 0)")
    tab.screenshot(path=HERE / "desk-phone.png")


def owner(browser: Any, site: Site) -> None:
    """Take the owner's page with a fresh invitation on it."""
    for name in ("Ben", "Chris"):
        enter(browser.new_context().new_page(), site.link(), name)
    tab = browser.new_context(viewport={"width": 1100, "height": 720}, color_scheme="light").new_page()
    enter(tab, site.link("owner"), "Olga")
    tab.get_by_role("button", name="Make a link").click()
    tab.locator(".link").evaluate("field => { field.value = 'https://review.example/join/…' }")
    tab.screenshot(path=HERE / "owner.png")


def enter(tab: Any, link: str, name: str) -> None:
    """Use an invitation."""
    tab.goto(link)
    tab.get_by_label("Your name").fill(name)
    tab.get_by_role("button", name="Enter").click()


def chromium() -> str | None:
    """Find the system's Chromium; None leaves the choice to playwright."""
    return os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")


if __name__ == "__main__":
    main()
