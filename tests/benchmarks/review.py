"""How heavy and how fast the judging page is.

    .venv-tests/bin/python tests/benchmarks/review.py

Prints: bytes and requests of a cold page; the time from the key to the next pair in the browser, on loopback and with
300 ms between browser and server; the server's time for a vote with the pair that follows, for 8 and 100 people who
vote every five seconds (ten times as fast as people read), alone and beside a judge whose calls are journalled in the same
SQLite file by another process, and for 8 who do not pause at all.  The load generator is a process of its own on the same
machine.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from review_site import CRITERIA, Site, pair, review, rubric

WORDS = "The parcel left the warehouse on Friday and was last seen on Monday morning in the hub of the carrier. "
VOTES = 8  # a person


def main() -> None:
    """Measure and print."""
    if sys.argv[1:2] == ["--load"]:
        print(json.dumps(asyncio.run(load(json.loads(sys.stdin.read())))))
        return
    if sys.argv[1:2] == ["--journal"]:
        judge_on(Path(sys.argv[2]))
        return
    texts = [pair(f"Answer {n}. {WORDS * 9}", f"Other answer {n}. {WORDS * 9}", n) for n in range(60)]
    with tempfile.TemporaryDirectory() as folder, review(Path(folder), texts, rubric(CRITERIA)) as site:
        in_browser(site)
    for people, pause, journal in ((8, 5.0, False), (100, 5.0, False), (8, 5.0, True), (100, 5.0, True), (8, 0.0, False)):
        with (
            tempfile.TemporaryDirectory() as folder,
            review(Path(folder), texts, wanted=3, seats=people, around=Timed) as site,
        ):
            on_server(site, people, pause, Path(folder) / "judge.db" if journal else None)


class Timed:
    """Notes how long the application takes for a vote: from the request's arrival to the last byte handed over."""

    votes_ms: ClassVar[list[float]] = []

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass a request on."""
        start = time.perf_counter()
        await self.app(scope, receive, send)
        if scope["type"] == "http" and scope["path"] == "/desk/vote":
            self.votes_ms.append(1000 * (time.perf_counter() - start))


def in_browser(site: Site) -> None:
    """Load the page cold, then press keys."""
    from playwright.sync_api import sync_playwright

    path = os.environ.get("CHROMIUM") or shutil.which("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(site.link())
        page.get_by_label("Your name").fill("Ana")
        sizes: list[int] = []
        page.on("requestfinished", lambda asked: sizes.append(weight(asked.sizes())))
        page.get_by_role("button", name="Enter").click()
        page.wait_for_load_state("networkidle")
        # The first one is the redirect of the invitation.
        print(f"cold page: {sum(sizes[1:]):,} bytes with headers in {len(sizes) - 1} requests")
        link = page.context.new_cdp_session(page)
        link.send("Network.enable")
        for delay in (0, 300):
            condition = {"offline": False, "latency": delay, "downloadThroughput": -1, "uploadThroughput": -1}
            link.send("Network.emulateNetworkConditions", condition)
            print(f"key to next pair, {delay} ms away: {spread([swap(page) for _ in range(20)])}")
        browser.close()


def weight(sizes: Any) -> int:
    """Bytes of one answer as transferred."""
    return int(sizes["responseBodySize"] + sizes["responseHeadersSize"])


def swap(page: Any) -> float:
    """Milliseconds from the key that submits to the next pair painted; the reader takes 700 ms before."""
    page.keyboard.press("1")
    page.wait_for_timeout(700)
    page.evaluate(
        """() => {
        window.done = new Promise((resolve) => addEventListener("keydown", (event) => {
            const before = document.querySelector("[data-task]").dataset.task;
            const other = () => (document.querySelector("[data-task]")?.dataset.task ?? before) !== before;
            const look = () => other()
                ? requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - event.timeStamp)))
                : setTimeout(look, 1);
            setTimeout(look);
        }, { once: true, capture: true }));
    }"""
    )
    page.keyboard.press("Enter")
    return float(page.evaluate("window.done"))


def judge_on(database: Path) -> None:
    """Judge without end, eight calls open of 0.2 s each: about 40 a second, every one journalled."""
    from asking import asking
    from provider_server import ProviderServer

    with ProviderServer(latency_s=0.2, speaks=("chat",)) as server, asking(database, server.openai_url, 8) as ask:
        for _ in ask(f"Question {n}?" for n in itertools.count()):
            pass


def on_server(site: Site, people: int, pause_s: float, journal: Path | None) -> None:
    """Let people vote, from another process; perhaps beside a journal that is written to."""
    judge = None if journal is None else subprocess.Popen([sys.executable, __file__, "--journal", str(journal)])
    before = calls_in(site)
    Timed.votes_ms.clear()
    jobs = {"url": site.url, "links": [site.link() for _ in range(people)], "pause_s": pause_s}
    child = subprocess.run(
        [sys.executable, __file__, "--load"], input=json.dumps(jobs), capture_output=True, text=True, check=True
    )
    said = json.loads(child.stdout)
    written = calls_in(site) - before
    if judge is not None:
        judge.kill()
        judge.wait()
    rate = len(said["ms"]) / said["seconds"]
    about = f"{people} people, {pause_s:.0f} s apart"
    if written:
        about += f", beside {written / said['seconds']:.0f} journalled calls a second"
    print(f"vote and next pair, {about}, {rate:.0f}/s, {said['failed']} failed:")
    print(f"    in the server {spread(Timed.votes_ms)}")
    print(f"    at the client {spread(said['ms'])}")


def calls_in(site: Site) -> int:
    """Count the calls that the journal holds."""
    from sqlalchemy import text

    with site.database.read() as tx:
        return int(tx.connection().execute(text("SELECT count(*) FROM attempt WHERE status = 'answered'")).scalar_one())


async def load(jobs: dict[str, Any]) -> dict[str, Any]:
    """Everybody enters, then all vote."""
    import httpx

    chance = random.Random(7)
    times: list[float] = []
    failed = 0

    async def person(client: httpx.AsyncClient, n: int) -> None:
        nonlocal failed
        desk = (await client.get("/desk", headers={"accept": "application/json"})).json()
        shown, behind = token(desk["current"]), token(desk["next"])
        for vote in range(VOTES):
            if shown is None:
                return
            await asyncio.sleep(chance.uniform(0, 2 * jobs["pause_s"]))
            fields = {"task": shown, "client_id": f"{n}-{vote}", "choice": "left", "next": behind or "", "seconds": "1"}
            start = time.perf_counter()
            answer = await client.post("/desk/vote", data=fields, headers={"accept": "application/json"})
            times.append(1000 * (time.perf_counter() - start))
            if answer.status_code != 200:
                failed += 1
                return
            after = token(answer.json()["next"])
            shown, behind = (after, None) if answer.json()["lost"] else (behind, after)

    clients = [httpx.AsyncClient(base_url=jobs["url"], timeout=60, trust_env=False) for _ in jobs["links"]]
    for n, (client, link) in enumerate(zip(clients, jobs["links"], strict=True)):
        while (await client.post(link, data={"name": f"P{n}"})).status_code == 429:
            await asyncio.sleep(1)
    start = time.perf_counter()
    await asyncio.gather(*(person(client, n) for n, client in enumerate(clients)))
    seconds = time.perf_counter() - start
    for client in clients:
        await client.aclose()
    return {"ms": times, "seconds": seconds, "failed": failed}


def token(html: str | None) -> str | None:
    """The token of a pair's HTML."""
    return None if html is None else re.findall(r'data-task="(\w+)"', html)[0]


def spread(ms: Sequence[float]) -> str:
    """Median and tails."""
    cuts = statistics.quantiles(ms, n=100, method="inclusive")
    return f"p50 {cuts[49]:.1f} ms, p95 {cuts[94]:.1f}, p99 {cuts[98]:.1f} (n {len(ms)})"


if __name__ == "__main__":
    main()
