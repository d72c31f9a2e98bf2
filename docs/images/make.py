"""Make the pictures of the documentation from a fresh demonstration study.

    .venv-tests/bin/python docs/images/make.py

Needs playwright (in the `dev` extra) and Chromium on the system; CHROMIUM names another binary.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from playwright.sync_api import sync_playwright

from judge.workflow.facade import Study
from judge.workflow.running import write_report
from judge.workflow.starting import demo

HERE: Final = Path(__file__).resolve().parent
WIDTH, HEIGHT = 1000, 690  # CSS pixels: the top of the page, down to the end of the decision
WHEN: Final = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)  # a fixed time, so that only a changed report changes the picture


def main() -> None:
    """Run the demonstration in a folder of its own and take the top of its report."""
    with tempfile.TemporaryDirectory() as folder:
        page = report_of_demo(Path(folder) / "demo")
        screenshot(page, HERE / "report-light.png")


def report_of_demo(folder: Path) -> Path:
    """Run the demonstration study and give the path of its report."""
    study = Study.open(demo(folder), db=str(folder / ".judge" / "judge.db"), clock=lambda: WHEN)
    made = study.run().reports[0]
    path = folder / "report.html"
    with study.work() as work:
        write_report(work, made, path)
    return path


def screenshot(page: Path, target: Path) -> None:
    """Take the top of a page in light colours."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        tab = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light")
        tab.goto(page.as_uri())
        tab.screenshot(path=target)
        browser.close()


def chromium() -> str | None:
    """Find the system's Chromium; None leaves the choice to playwright."""
    return os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")


if __name__ == "__main__":
    main()
