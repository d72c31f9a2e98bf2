"""What the engine costs beside a bare loop over the SDK, and whether its memory stays flat.

    .venv-tests/bin/python tests/benchmarks/engine.py [calls]

A server on this machine answers after 200 ms; 64 calls are open at once.  Prints wall and CPU seconds of a bare
AsyncOpenAI loop and of the engine with its journal, as ratios in one run, and the engine's peak memory.  Each runs in a
process of its own; the server in another.  Start-up (imports, a new database) is in the ratios; what is left without it
is printed beside.
"""

from __future__ import annotations

import asyncio
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from processes import as_installed, peak_mib

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

LATENCY_S = 0.2
OPEN = 64


def texts(n):
    """Give the n-th question: a judge's prompt in length."""
    return f"Question {n}: which of the two answers is better? " + "The parcel left the warehouse on Friday. " * 40


async def bare(url, calls, ready):
    """Ask as a script would: one client, a semaphore, the parsed answer."""
    from openai import AsyncOpenAI

    ready()
    client = AsyncOpenAI(api_key="k", base_url=url, max_retries=0)
    gate = asyncio.Semaphore(OPEN)

    async def one(n):
        async with gate:
            answer = await client.chat.completions.create(model="m", messages=[{"role": "user", "content": texts(n)}])
            return answer.choices[0].message.content

    return len(await asyncio.gather(*(one(n) for n in range(calls))))


def engine(url, calls, ready):
    """Ask through the engine: journalled and paced."""
    import openai  # noqa: F401  the engine imports it when it first sends
    from asking import asking, usable

    with tempfile.TemporaryDirectory() as folder, asking(Path(folder) / "judge.db", url, OPEN) as ask:
        ready()
        return usable(ask(texts(n) for n in range(calls)))


def measured(kind, url, calls):
    """Run one kind in this process and print its figures."""
    start = time.perf_counter()
    moments = []

    def ready():
        moments.append(time.perf_counter() - start)

    done = asyncio.run(bare(url, calls, ready)) if kind == "bare" else engine(url, calls, ready)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    figures = {
        "done": done,
        "wall": time.perf_counter() - start,
        "ready": moments[0],
        "cpu": usage.ru_utime + usage.ru_stime,
        "mib": peak_mib("self"),
    }
    print(json.dumps(figures))


def main():
    """Start the server and both kinds, and print the ratios."""
    if len(sys.argv) > 2:
        measured(sys.argv[1], sys.argv[2], int(sys.argv[3]))
        return
    calls = int(sys.argv[1]) if len(sys.argv) > 1 else 5000
    from provider_server import ProviderServer

    with ProviderServer(latency_s=LATENCY_S) as server:
        found = {}
        for kind in ("bare", "engine"):
            run = [sys.executable, __file__, kind, f"{server.url}/v1", str(calls)]
            found[kind] = json.loads(subprocess.run(run, capture_output=True, text=True, check=True, env=as_installed()).stdout)
    ideal = calls * LATENCY_S / OPEN
    for kind, figures in found.items():
        print(
            f"{kind:<8} {figures['done']} of {calls}: wall {figures['wall']:.1f} s ({figures['wall'] / ideal:.2f} x ideal), "
            f"CPU {1000 * figures['cpu'] / calls:.2f} ms a call, peak {figures['mib']:.0f} MiB"
        )
    wall, cpu = (found["engine"][key] / found["bare"][key] for key in ("wall", "cpu"))
    asking = [found[kind]["wall"] - found[kind]["ready"] for kind in ("engine", "bare")]
    begun = " and ".join(f"{found[kind]['ready']:.1f} s" for kind in ("engine", "bare"))
    print(f"engine / bare: wall {wall:.2f} x, CPU {cpu:.2f} x; without start-up ({begun}) wall {asking[0] / asking[1]:.2f} x")


if __name__ == "__main__":
    main()
