"""How soon `judge compare` asks, and what it and `judge report` hold in memory, as a study grows.

    .venv-tests/bin/python tests/benchmarks/comparing.py [pairs ...] [--all]

A server on this machine stands for the model.  For each number of pairs one command runs on a new workspace and is
interrupted once the first answers are in (with --all it goes on to the end); then the same command runs once more, as
after a stop, and the report is written.  Prints the seconds from the command to the first request on the wire, beside
what importing the prescribed packages alone takes, and the peak of memory.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from processes import as_installed, peak_mib

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

WORDS = "The parcel left the warehouse on Friday and should be with you by Monday at the latest. "
STUDY = """\
name: large
pairs: pairs.jsonl
candidate: b
rubric: rubric.yaml
budget: 1000 USD
judges:
  judge: {{openai: gpt-6-luna, base_url: {url}}}
"""
RUBRIC = """\
rubric: helpful
task: A customer asked a shop for help.
overall: Which answer helps the customer more? It should be right first of all, and no longer than it has to be.
criteria:
  accuracy: {question: Which answer is more accurate about what the shop knows?}
  tone: {question: Which answer has the better tone for an angry customer?}
"""
IMPORTS = "import sqlmodel, openai"


def write_study(folder: Path, pairs: int, url: str) -> None:
    """Write a study of so many pairs, about a kilobyte each."""
    (folder / "study.yaml").write_text(STUDY.format(url=url))
    (folder / "rubric.yaml").write_text(RUBRIC)
    with (folder / "pairs.jsonl").open("w") as file:
        for n in range(pairs):
            row = {
                "id": f"p{n}",
                "prompt": f"Where is order {n}?",
                "output_a": f"{n}: {WORDS * 5}",
                "output_b": f"{n}: {WORDS * 4}",
            }
            file.write(json.dumps(row) + "\n")


def measured(verb: str, folder: Path, server, *, whole: bool = True) -> tuple[float, float, float]:
    """Run a command; give the seconds to the first request, to the end, and the peak of memory in MiB."""
    seen, env = len(server.requests), as_installed() | {"OPENAI_API_KEY": "k"}
    begun = time.monotonic()
    command = subprocess.Popen(
        [sys.executable, "-m", "judge", verb, "study.yaml", "--json"],
        cwd=folder,
        env=env,
        stdout=subprocess.DEVNULL,
    )
    first, peak = 0.0, 0.0
    stop = not whole
    while True:
        peak = max(peak, peak_mib(command.pid))
        if command.poll() is not None:
            break
        if not first and len(server.requests) > seen:
            first = time.monotonic() - begun
        if stop and len(server.requests) >= seen + 500:
            command.send_signal(signal.SIGINT)
            stop = False
        time.sleep(0.002)
    return first, time.monotonic() - begun, peak


def main() -> None:
    """Print the figures."""
    from provider_server import ProviderServer

    words = [word for word in sys.argv[1:] if word != "--all"]
    whole = "--all" in sys.argv
    for pairs in map(int, words or ["500", "2500", "50000"]):
        with tempfile.TemporaryDirectory() as name, ProviderServer() as server:
            folder = Path(name)
            write_study(folder, pairs, server.openai_url)
            begun = time.monotonic()
            subprocess.run([sys.executable, "-c", IMPORTS], check=True)
            imports = time.monotonic() - begun
            for run in ("first", "again"):
                first, all_, mib = measured("compare", folder, server, whole=whole)
                print(
                    f"{pairs:>7} pairs, {run}: first request after {first:.2f} s ({first / imports:.2f} x the imports), "
                    f"ended after {all_:.1f} s, peak {mib:.0f} MiB, {len(server.requests)} requests so far",
                    flush=True,
                )
            _, all_, mib = measured("report", folder, server)
            print(f"{pairs:>7} pairs, report: ended after {all_:.1f} s, peak {mib:.0f} MiB", flush=True)


if __name__ == "__main__":
    main()
