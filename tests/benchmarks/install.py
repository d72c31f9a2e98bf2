"""How large the base install is, in MiB and packages, against what it may be.

Run: python tests/benchmarks/install.py          (makes a fresh environment in a temporary folder; needs a package index)
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

MOST_MIB, MOST_PACKAGES = 450, 60
LARGEST = 8  # packages that are listed by name
ROOT = Path(__file__).resolve().parents[2]
MEASURE = """
import json, os
from importlib.metadata import distributions
sizes = {}
for one in distributions():
    files = [one.locate_file(file) for file in one.files or ()]
    sizes[one.metadata["Name"].lower()] = sum(os.path.getsize(file) for file in files if os.path.isfile(file))
print(json.dumps(sizes))
"""
NOT_COUNTED = {"pip", "setuptools", "blind-judge"}


def main() -> int:
    """Install, measure, print; 1 when it is too large."""
    with tempfile.TemporaryDirectory() as folder:
        sizes = installed(Path(folder))
    counted = {name: size for name, size in sizes.items() if name not in NOT_COUNTED}
    mib = sum(counted.values()) / 2**20
    print(f"{'packages':>12} {len(counted):>7} of {MOST_PACKAGES}")
    print(f"{'size':>12} {mib:>7.1f} of {MOST_MIB} MiB")
    print(f"{'ourselves':>12} {sizes['blind-judge'] / 2**20:>7.1f} MiB, not counted")
    for name in sorted(counted, key=counted.__getitem__, reverse=True)[:LARGEST]:
        print(f"  {counted[name] / 2**20:>7.1f} MiB  {name}")
    return int(mib > MOST_MIB or len(counted) > MOST_PACKAGES)


def installed(folder: Path) -> dict[str, int]:
    """Bytes of every package of a fresh environment with the base install, compiled modules included."""
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
    subprocess.run([*pip, "--constraint", str(ROOT / "constraints.txt"), str(ROOT)], check=True)
    done = subprocess.run([str(python), "-c", MEASURE], check=True, capture_output=True, text=True)
    sizes: dict[str, int] = json.loads(done.stdout)
    return sizes


if __name__ == "__main__":
    sys.exit(main())
