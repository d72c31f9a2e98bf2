"""How long a start takes: `judge --help` and `import judge`, as ratios to a bare interpreter on the same machine.

Run: python tests/benchmarks/startup.py
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time

from processes import as_installed

ROUNDS = 15
COMMANDS = {
    "bare python": ["-c", "pass"],
    "import judge": ["-c", "import judge"],
    "judge --help": ["-m", "judge", "--help"],
    "judge --version": ["-m", "judge", "--version"],
    "judge rubric schema": ["-m", "judge", "rubric", "schema"],
    "judge doctor": ["-m", "judge", "doctor"],
    "from judge import Study": ["-c", "from judge import Study"],
}


def main() -> None:
    """Print the median of every command.  Rounds go through all of them in turn, so that a busy moment meets each alike."""
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    env = as_installed()
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(ROUNDS + 1):
            for name, words in COMMANDS.items():
                times[name].append(timed(words, folder, env))
    medians = {name: statistics.median(spent[1:]) for name, spent in times.items()}  # the first round warms the disk
    bare = medians["bare python"]
    print(f"{ROUNDS} rounds, medians")
    for name, median in medians.items():
        print(f"{name:>24} {median * 1000:>8.0f} ms {median / bare:>7.1f} x")


def timed(words: list[str], folder: str, env: dict[str, str]) -> float:
    """Seconds that one process takes."""
    start = time.perf_counter()
    quiet = subprocess.DEVNULL
    subprocess.run([sys.executable, *words], cwd=folder, stdout=quiet, stderr=quiet, check=False, env=env)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
