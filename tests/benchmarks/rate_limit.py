"""How the engine keeps to a provider's limit: 6,000 requests a minute with two seconds of burst, 128 workers.

    .venv-tests/bin/python tests/benchmarks/rate_limit.py [calls]

The server announces its limit in its headers and refuses what is above it.  Prints how many calls were answered, how many
requests were refused with 429, and the wall seconds beside the ideal: what the limit allows, its burst used up first.  The
engine runs in a process of its own, which starts to count when its modules are loaded.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

A_MINUTE = 6000.0
BURST_S = 2.0
LATENCY_S = 0.2
WORKERS = 128


def ask(url, calls):
    """Ask so many different questions through the engine, and print what came of it."""
    import httpx2  # noqa: F401
    import openai  # noqa: F401
    from asking import asking, usable

    with tempfile.TemporaryDirectory() as folder, asking(Path(folder) / "judge.db", url, WORKERS) as ask_all:
        begun = time.perf_counter()
        answered = usable(ask_all(f"Question {n}?" for n in range(calls)))
        wall = time.perf_counter() - begun
    print(json.dumps({"answered": answered, "wall": wall}))


def main():
    """Start the server and the engine, and print the figures."""
    if len(sys.argv) > 2:
        ask(sys.argv[1], int(sys.argv[2]))
        return
    calls = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    from provider_server import ProviderServer

    with ProviderServer(requests_per_minute=A_MINUTE, burst_s=BURST_S, latency_s=LATENCY_S, speaks=("chat",)) as server:
        run = [sys.executable, __file__, server.openai_url, str(calls)]
        found = json.loads(subprocess.run(run, capture_output=True, text=True, check=True).stdout)
        kinds = Counter(asked.kind for asked in server.requests)
    ideal = calls / (A_MINUTE / 60) - BURST_S + LATENCY_S
    print(
        f"{found['answered']} of {calls} answered, {kinds['limited']} of {kinds.total()} requests refused "
        f"({kinds['limited'] / kinds.total():.2%}), wall {found['wall']:.1f} s ({found['wall'] / ideal:.2f} x ideal), "
        f"{server.in_flight_max} open at most"
    )


if __name__ == "__main__":
    main()
